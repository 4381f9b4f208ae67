package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFields(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		want                []Change
	}{
		{"the same", `{"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1}`, nil},
		{"nothing", ``, ``, nil},
		{"created", ``, `{"kind":"Pod","metadata":{"name":"a"}}`, []Change{{"kind", "", `"Pod"`, 0}, {"metadata", "", `{"name":"a"}`, 0}}},
		{"deleted", `{"kind":"Pod"}`, ``, []Change{{"kind", `"Pod"`, "", 0}}},
		{"changed, added, removed", `{"spec":{"replicas":1,"paused":true}}`, `{"spec":{"replicas":3,"selector":{"a":"b"}}}`, []Change{
			{"spec.paused", "true", "", 0}, {"spec.replicas", "1", "3", 0}, {"spec.selector", "", `{"a":"b"}`, 0},
		}},
		{"noise", `{"metadata":{"managedFields":[1],"resourceVersion":"1","labels":{"a":"1"}}}`, `{"metadata":{"managedFields":[2],"resourceVersion":"2","labels":{"a":"2"}}}`,
			[]Change{{"metadata.labels.a", `"1"`, `"2"`, 0}}},
		{"dots in a key", `{"metadata":{"labels":{"app.kubernetes.io/name":"a"}}}`, `{"metadata":{"labels":{"app.kubernetes.io/name":"b"}}}`,
			[]Change{{`metadata.labels["app.kubernetes.io/name"]`, `"a"`, `"b"`, 0}}},
		{"a container put in first", `{"c":[{"name":"web","image":"1"}]}`, `{"c":[{"name":"init","image":"9"},{"name":"web","image":"2"}]}`, []Change{
			{"c[name=init]", "", `{"image":"9","name":"init"}`, 0}, {"c[name=web].image", `"1"`, `"2"`, 0},
		}},
		{"conditions", `{"c":[{"type":"Ready","status":"False"}]}`, `{"c":[{"type":"Ready","status":"True"}]}`, []Change{{"c[type=Ready].status", `"False"`, `"True"`, 0}}},
		{"names twice", `{"c":[{"name":"a"},{"name":"a"}]}`, `{"c":[{"name":"a"},{"name":"b"}]}`, []Change{{"c[1].name", `"a"`, `"b"`, 0}}},
		{"plain items", `{"c":["a","b"]}`, `{"c":["a","c","d"]}`, []Change{{"c[1]", `"b"`, `"c"`, 0}, {"c[2]", "", `"d"`, 0}}},
		{"other kinds", `{"a":{"b":1},"c":[1]}`, `{"a":2,"c":{"d":1}}`, []Change{{"a", `{"b":1}`, "2", 0}, {"c", "[1]", `{"d":1}`, 0}}},
		{"null", `{"a":null}`, `{}`, []Change{{"a", "null", "", 0}}},
		{"large numbers", `{"a":12345678901234567890}`, `{"a":12345678901234567891}`, []Change{{"a", "12345678901234567890", "12345678901234567891", 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Fields([]byte(test.before), []byte(test.after))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := Fields([]byte("{"), nil); err == nil {
		t.Error("no error for what is no JSON")
	}
}

// FuzzFields compares any two documents: with itself nothing differs, and the other
// way round every change is turned round.
func FuzzFields(f *testing.F) {
	f.Add([]byte(`{"a":[{"name":"x"}]}`), []byte(`{"a":[{"name":"y","b":{"c":1}}]}`))
	f.Add([]byte(`[1,2]`), []byte(`"a"`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		forth, err := Fields(a, b)
		if err != nil {
			return
		}
		back, err := Fields(b, a)
		if err != nil || len(back) != len(forth) {
			t.Fatalf("%d changes one way, %d the other: %v", len(forth), len(back), err)
		}
		if same, err := Fields(a, a); err != nil || len(same) != 0 {
			t.Fatalf("differs from itself: %v, %v", same, err)
		}
	})
}
