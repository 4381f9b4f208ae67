package search

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

const (
	pod    = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","namespace":"shop","labels":{"app":"web","team.io/owner":"Blue"}},"spec":{"nodeName":"node-1","hostNetwork":true,"containers":[{"name":"app","image":"lab/app:v1","ports":[{"containerPort":8080}]}]}}`
	secret = `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"password":"aHVudGVyMg=="}}`
	broken = `{"apiVersion":"v1","kind":"Secret","data":{"password":"hunter2`
)

func TestText(t *testing.T) {
	podKey := kube.Key{Resource: "pods", Namespace: "shop", Name: "web-0"}
	for _, test := range []struct {
		name, pattern string
		regexp, fold  bool
		show          bool
		value         string
		want          []Hit
	}{
		{name: "a value", pattern: "lab/app", value: pod, want: []Hit{{"spec.containers[0].image", "lab/app:v1"}}},
		{name: "a number", pattern: "8080", value: pod, want: []Hit{{"spec.containers[0].ports[0].containerPort", "8080"}}},
		{name: "the key and the name", pattern: "web-0", value: pod, want: []Hit{{"", "/registry/pods/shop/web-0"}, {"metadata.name", "web-0"}}},
		{name: "the key of a label", pattern: "team.io", value: pod, want: []Hit{{`metadata.labels["team.io/owner"]`, "Blue"}}},
		{name: "capital letters", pattern: "blue", value: pod},
		{name: "folded", pattern: "blue", fold: true, value: pod, want: []Hit{{`metadata.labels["team.io/owner"]`, "Blue"}}},
		{name: "an expression", pattern: `app:v[0-9]$`, regexp: true, value: pod, want: []Hit{{"spec.containers[0].image", "lab/app:v1"}}},
		{name: "true", pattern: "true", value: pod, want: []Hit{{"spec.hostNetwork", "true"}}},
		{name: "no name of a field", pattern: "hostNetwork", value: pod},
		{name: "a Secret", pattern: "hunter2", value: secret},
		{name: "a Secret, encoded", pattern: "aHVudGVyMg", value: secret},
		{name: "a Secret that is asked for", pattern: "hunter2", show: true, value: secret, want: []Hit{{"data.password", "hunter2"}}},
		{name: "a Secret that cannot be decoded", pattern: "hunter2", value: broken},
		{name: "what is no object", pattern: "needle", value: "k8s\x00\xffneedle", want: []Hit{{"value", "k8s\x00�needle"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q, err := Text(test.pattern, test.regexp, test.fold)
			if err != nil {
				t.Fatal(err)
			}
			q.ShowSecrets = test.show
			key := podKey
			if test.value == secret || test.value == broken {
				key = kube.Key{Resource: "secrets", Namespace: "shop", Name: "s"}
			}
			got, err := q.Find(t.Context(), key, key.Path("/registry"), []byte(test.value))
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	for _, pattern := range []string{"", "a["} {
		if _, err := Text(pattern, true, false); err == nil {
			t.Errorf("%q is taken", pattern)
		}
	}
}

func TestExpression(t *testing.T) {
	for text, want := range map[string][]Hit{
		".spec.containers[].image":                           {{Text: `"lab/app:v1"`}},
		".spec.hostNetwork":                                  {{Text: "true"}},
		".spec.none, false":                                  nil,
		".spec.containers[].ports[].containerPort+1":         {{Text: "8081"}},
		`select(.metadata.labels.app=="web")|.metadata.name`: {{Text: `"web-0"`}},
		"env|length":                                         {{Text: "0"}},
		"1,halt,2":                                           {{Text: "1"}},
		`if true then "x" else error end`:                    {{Text: `"x"`}},
	} {
		q, err := Expression(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.Find(t.Context(), kube.Key{Resource: "pods", Namespace: "shop", Name: "web-0"}, "", []byte(pod))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
	if _, err := Expression(".a["); err == nil {
		t.Error("it is taken")
	}
	q, err := Expression(".metadata.name + 1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Find(t.Context(), kube.Key{Resource: "pods"}, "", []byte(pod)); err == nil {
		t.Error("a failure is not reported")
	}
}
