package diff

import (
	"encoding/json"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/google/go-cmp/cmp"
)

// patched applies a patch as an API server does.
func patched(t *testing.T, document string, steps []Operation) string {
	t.Helper()
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	p, err := jsonpatch.DecodePatch(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Apply([]byte(document))
	if err != nil {
		t.Fatalf("%v: %s on %s", err, text, document)
	}
	return string(out)
}

func TestPatch(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		ignored             Noise
		want                string // as JSON
	}{
		{"fields", `{"a":1,"b":{"c/d":"x","e":null}}`, `{"b":{"c/d":"y"},"f":[]}`, 0,
			`[{"op":"remove","path":"/a"},{"op":"replace","path":"/b/c~1d","value":"y"},{"op":"remove","path":"/b/e"},{"op":"add","path":"/f","value":[]}]`},
		{"a container put in first", `{"c":[{"name":"web","image":"1"}]}`, `{"c":[{"name":"init","image":"9"},{"name":"web","image":"2"}]}`, 0,
			`[{"op":"add","path":"/c/0","value":{"image":"9","name":"init"}},{"op":"replace","path":"/c/1/image","value":"2"}]`},
		{"items taken out", `{"c":["a","b","c","d"]}`, `{"c":["b","d"]}`, 0, `[{"op":"remove","path":"/c/0"},{"op":"remove","path":"/c/1"}]`},
		{"an item in place of another", `{"c":[{"name":"a","x":1}]}`, `{"c":[{"name":"b","x":1}]}`, 0, `[{"op":"replace","path":"/c/0","value":{"name":"b","x":1}}]`},
		{"null", `{"a":1}`, `{"a":null}`, 0, `[{"op":"replace","path":"/a","value":null}]`},
		{"a null, and odd names", `{"a":null,"":1,"x/~y":[null]}`, `{"a":2,"":2,"x/~y":[1]}`, 0,
			`[{"op":"replace","path":"/","value":2},{"op":"replace","path":"/a","value":2},{"op":"replace","path":"/x~1~0y/0","value":1}]`},
		{"large numbers", `{"a":12345678901234567890}`, `{"a":12345678901234567891}`, 0, `[{"op":"replace","path":"/a","value":12345678901234567891}]`},
		{"noise", `{"metadata":{"resourceVersion":"1","name":"a"}}`, `{"metadata":{"resourceVersion":"2","name":"b"}}`, Rewritten, `[{"op":"replace","path":"/metadata/name","value":"b"}]`},
		{"a heartbeat of a condition that moved", `{"status":{"conditions":[{"type":"A","lastHeartbeatTime":"1"},{"type":"B","lastHeartbeatTime":"1"}]}}`,
			`{"status":{"conditions":[{"type":"B","lastHeartbeatTime":"2"}]}}`, Heartbeat, `[{"op":"remove","path":"/status/conditions/0"}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, errB := parse([]byte(test.before))
			a, errA := parse([]byte(test.after))
			if errB != nil || errA != nil {
				t.Fatal(errB, errA)
			}
			p := patcher{kind: kindNode, ignored: test.ignored}
			p.compare("", "", b, a, 0)
			got, err := json.Marshal(p.steps)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, string(got)); d != "" {
				t.Error(d)
			}
			if test.ignored == 0 && !jsonpatch.Equal([]byte(patched(t, test.before, p.steps)), []byte(test.after)) {
				t.Errorf("patched, it is %s", patched(t, test.before, p.steps))
			}
		})
	}
}

// TestPatchDemo makes every object that was changed of what it was before.
func TestPatchDemo(t *testing.T) {
	b, c := demoPair(t)
	got, err := Compare(t.Context(), State{b, 0}, State{c, 0}, Options{Prefix: "/registry", Common: b.Revision(), ShowSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Objects {
		o := &got.Objects[i]
		steps, problem := got.Patch(i, 0)
		if o.Fate != Changed || problem != "" {
			continue
		}
		was, is := got.documents(t, i)
		if text := patched(t, was, steps); !jsonpatch.Equal([]byte(text), []byte(is)) {
			t.Errorf("%s: patched it is %s, and not %s", o.Key, text, is)
		}
	}
}

func (c *Comparison) documents(t *testing.T, i int) (before, after string) {
	t.Helper()
	b, a, err := c.values(&c.Objects[i])
	if err != nil {
		t.Fatal(err)
	}
	x, y := shown(read(c.prefix, c.Objects[i].Key, b), read(c.prefix, c.Objects[i].Key, a), true, true)
	return text(x), text(y)
}

// FuzzPatch makes any document of any other.
func FuzzPatch(f *testing.F) {
	f.Add(`{"a":[{"name":"x"},{"name":"z"}]}`, `{"a":[{"name":"y","b":{"c":1}},{"name":"x"}]}`)
	f.Add(`{"a":[1,2,3,null]}`, `{"a":[3,[1],2],"~/":{}}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		b, errB := parse([]byte(before))
		a, errA := parse([]byte(after))
		_, objectB := b.(map[string]any)
		_, objectA := a.(map[string]any)
		if errB != nil || errA != nil || !objectA || !objectB {
			return
		}
		p := patcher{}
		p.compare("", "", b, a, 0)
		again, err := parse([]byte(patched(t, text(b), p.steps)))
		if err != nil || text(again) != text(a) {
			t.Fatalf("%s becomes %s, not %s: %v", text(b), text(again), text(a), p.steps)
		}
	})
}
