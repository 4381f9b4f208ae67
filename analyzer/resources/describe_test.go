package resources

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

// written is a description as lines.
func written(sections []Section) []string {
	var lines []string
	for _, s := range sections {
		if s.Title != "" {
			lines = append(lines, "# "+s.Title)
		}
		for _, f := range s.Facts {
			lines = append(lines, f.Name+": "+f.Value)
		}
	}
	return lines
}

func TestDescribe(t *testing.T) {
	long := strings.Repeat("x", 200)
	tests := []struct {
		name, resource, object string
		want                   []string
	}{
		{"a pod", "pods", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n","uid":"u",
			"creationTimestamp":"2026-11-22T11:00:00Z","deletionTimestamp":"2026-11-22T11:59:30Z","finalizers":["a/b","c"],
			"ownerReferences":[{"kind":"ReplicaSet","name":"r","controller":true},{"kind":"Node","name":"m"}],
			"labels":{"b":"2","a":""},
			"annotations":{"long":"` + long + `","kubectl.kubernetes.io/last-applied-configuration":"{}"}},
			"spec":{"nodeName":"m","initContainers":[{"name":"i","image":"init:1","command":["sh","-c"],"args":["x y"]}],
			"containers":[{"name":"c","image":"app:2","ports":[{"containerPort":80,"hostPort":8080}],"resources":{"requests":{"cpu":"10m"}},
			"env":[{"name":"A"}],"livenessProbe":{},"volumeMounts":[{"name":"v","mountPath":"/v","readOnly":true}]}],
			"tolerations":[{"key":"k","effect":"NoExecute"}]},
			"status":{"phase":"Running","conditions":[{"type":"Ready","status":"False","reason":"Why","message":"because","lastTransitionTime":"2026-11-22T11:58:00Z"}],
			"containerStatuses":[{"name":"c","ready":true,"restartCount":2,"state":{"running":{"startedAt":"2026-11-22T11:59:00Z"}},
			"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}}`, []string{
			"Name: p", "Namespace: n", "Kind: Pod (v1)", "UID: u", "Created: 2026-11-22T11:00:00Z, 60m ago", "Being deleted: 2026-11-22T11:59:30Z, 30s ago",
			"Finalizers: a/b, c", "Controlled by: ReplicaSet/r", "Owned by: Node/m", "Ready: 1/1", "Status: Terminating", "Restarts: 2", "Node: m",
			"# Labels", `a: ""`, "b: 2",
			"# Annotations", "long: " + long[:140] + "... (200 bytes)",
			"# Init container i", "Image: init:1", "Command: sh, -c", "Arguments: x y",
			"# Container c", "Image: app:2", "State: running, started 2026-11-22T11:59:00Z, 60s ago", "Last state: terminated, OOMKilled, exit code 137",
			"Ready: true", "Restarts: 2", "Ports: 80/TCP on the host's 8080", "Requests: cpu=10m", "Environment: 1 entry", "Probes: liveness", "Mounts: /v from v (ro)",
			"# Conditions", "Ready: False, since 2m ago, Why, because",
			"# Spec", "nodeName: m", "tolerations[0]: effect=NoExecute, key=k",
			"# Status", "phase: Running",
		}},
		{"containers in a template", "deployments", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","creationTimestamp":"2026-11-22T12:01:00Z"},
			"spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[{"name":"c","image":"i"}],"dnsPolicy":"Default"}}}}`, []string{
			"Name: d", "Kind: Deployment (apps/v1)", "Created: 2026-11-22T12:01:00Z, later than this moment",
			"Ready: 0/3", "Up-to-date: 0", "Available: 0", "Containers: c", "Images: i", "Selector: a=b",
			"# Container c", "Image: i",
			"# Spec", "replicas: 3", "selector.matchLabels.a: b", "template.spec.dnsPolicy: Default",
		}},
		{"a Secret is redacted", "secrets", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"type":"Opaque","data":{"password":"aHVudGVyMg=="}}`, []string{
			"Name: s", "Kind: Secret (v1)", "Type: Opaque", "Data: 1", "# Data", "password: <redacted, 7 bytes>", "# Fields", "type: Opaque",
		}},
		{"what a ConfigMap holds", "configmaps", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"b","file":"1\n2\n3","none":""}}`, []string{
			"Name: c", "Kind: ConfigMap (v1)", "Data: 3", "# Data", "a: b", "file: 5 bytes, 3 lines", `none: ""`,
		}},
		{"of no resource", "", `{"apiVersion":"x/v1","kind":"X","metadata":{"name":"x"},"spec":{"size":5,"parts":[{"a":{"b":1}},{}],"names":["p","q"]}}`, []string{
			"Name: x", "Kind: X (x/v1)", "# Spec", "names: p, q", "parts[0]: a={b=1}", "size: 5",
		}},
		{"what is not as it should be", "", `{"metadata":5,"spec":{"containers":[1,{"name":{}}],"conditions":null},"status":{"conditions":[7]}}`, []string{
			"Name: n",
		}},
		{"garbage", "", "\x01\x02", []string{"Name: n", "Problem: in no encoding of an API server", "# Fields", "problem: in no encoding of an API server", "value: <redacted, 2 bytes>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r *Resource
			if tt.resource != "" {
				r = builtIn(t, tt.resource)
			}
			got := written(Describe(r, kube.Decode(kube.Key{Resource: tt.resource, Name: "n"}, []byte(tt.object)), then))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDescribeSnapshot describes every object of a real snapshot: nothing that is asked
// first is missing, and nothing of a Secret is told.
func TestDescribeSnapshot(t *testing.T) {
	s, c := demoCatalog(t)
	secrets := 0
	for record := range s.Keys("") {
		key, ok := kube.ParseKey(prefix, record.Key)
		if !ok {
			continue
		}
		value, err := s.Value(record)
		if err != nil {
			t.Fatal(err)
		}
		o := kube.Decode(key, value)
		text := strings.Join(written(Describe(c.Of(key), o, then)), "\n")
		for _, part := range []string{"Name: " + key.Name, "UID: " + o.UID, "Kind: " + o.Kind} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", record.Key, part, text)
			}
		}
		if key.Resource != "secrets" {
			continue
		}
		for name, v := range o.Document(kube.PrintOptions{ShowSecrets: true})["data"].(map[string]any) {
			secrets++
			if strings.Contains(text, fmt.Sprint(v)) {
				t.Errorf("%s tells what %s is", record.Key, name)
			}
		}
	}
	if secrets == 0 {
		t.Error("no Secret was looked at")
	}
}

// FuzzDescribe describes hostile objects: what comes of them is bounded.
func FuzzDescribe(f *testing.F) {
	f.Add(`{"kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"a","ports":[{}]}]},"status":{"containerStatuses":[{"name":"a","state":{"running":{}}}]}}`)
	f.Add(`{"spec":{"a":{"b":{"c":{"d":{"e":{"f":{"g":1}}}}}},"l":[[{}],[1,null]]},"data":{"x":"y"}}`)
	f.Add(`{"status":{"conditions":[{"type":1,"lastTransitionTime":"0001-01-01T00:00:00Z"}]}}`)
	f.Fuzz(func(t *testing.T, object string) {
		o := kube.Decode(kube.Key{Resource: "things", Name: "n"}, []byte(object))
		before, _ := json.Marshal(o.Unstructured)
		for _, s := range Describe(nil, o, then) {
			if len(s.Facts) == 0 || len(s.Facts) > maxFacts+1 {
				t.Errorf("%d facts in %q", len(s.Facts), s.Title)
			}
			for _, fact := range s.Facts {
				if fact.Value == "" || len(fact.Value) > maxValue+50 {
					t.Errorf("%q: %q", fact.Name, fact.Value)
				}
			}
		}
		if after, _ := json.Marshal(o.Unstructured); string(after) != string(before) {
			t.Error("the object was changed")
		}
	})
}
