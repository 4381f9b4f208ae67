package drift_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/drift"
	"revenant/decoder/kubelet"
	"revenant/internal/corpus"
)

// A node's answer that holds a phantom or a stray container, and an API server's list
// that another disagrees with, is changed here in every way that does not say otherwise
// of these themselves. What must come out is never "clean".

// tree is a JSON document that keeps its order and its doubles.
type tree struct {
	scalar  string // of neither an object nor an array
	opening byte   // of an object or an array
	names   []string
	values  []*tree
	held    bool // without it, the document says otherwise of the phantom
}

func grow(t testing.TB, d *json.Decoder) *tree {
	t.Helper()
	token, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	bracket, ok := token.(json.Delim)
	if !ok {
		scalar, err := json.Marshal(token)
		if err != nil {
			t.Fatal(err)
		}
		return &tree{scalar: string(scalar)}
	}
	n := &tree{opening: byte(bracket)}
	for d.More() {
		name := ""
		if n.opening == '{' {
			token, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			quoted, _ := json.Marshal(token)
			name = string(quoted)
		}
		n.names, n.values = append(n.names, name), append(n.values, grow(t, d))
	}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *tree) write(b *bytes.Buffer) {
	if n.opening == 0 {
		b.WriteString(n.scalar)
		return
	}
	b.WriteByte(n.opening)
	for i, value := range n.values {
		if i > 0 {
			b.WriteByte(',')
		}
		if n.opening == '{' {
			b.WriteString(n.names[i] + ":")
		}
		value.write(b)
	}
	b.WriteByte(n.opening + 2)
}

func (n *tree) copy() *tree {
	c := &tree{scalar: n.scalar, opening: n.opening, names: slices.Clone(n.names), held: n.held}
	for _, v := range n.values {
		c.values = append(c.values, v.copy())
	}
	return c
}

// hold marks the phantom and its containers.
func (n *tree) hold() {
	for _, s := range n.slots("") {
		if s.emptied() && strings.HasSuffix(s.path, "/*") {
			s.in.values[s.at].held = true
		}
	}
}

func (n *tree) holds() bool { return n.held || slices.ContainsFunc(n.values, (*tree).holds) }

// slot is where a value stands.
type slot struct {
	in   *tree
	at   int
	path string // names, without quotes; * for an element
}

func (n *tree) slots(path string) (all []slot) {
	for i, v := range n.values {
		step := "*"
		if n.opening == '{' {
			step = strings.Trim(n.names[i], `"`)
		}
		here := strings.TrimPrefix(path+"/"+step, "/")
		all = append(all, slot{n, i, here})
		all = append(all, v.slots(here)...)
	}
	return all
}

func (s slot) insert(name string, value *tree) {
	s.in.names = slices.Insert(s.in.names, s.at, name)
	s.in.values = slices.Insert(s.in.values, s.at, value)
}

// emptied says whether the slot is a list of pods or of containers, or an element of
// one: a list that has less in it says that less runs, and nothing shows that it was
// longer.
func (s slot) emptied() bool {
	list := strings.TrimSuffix(s.path, "/*")
	return slices.Contains([]string{"items", "containers", "items/*/spec/containers"}, list)
}

// change is one way to change a document at a slot.
type change struct {
	name string
	do   func(s slot, with string)
	with []string
}

var known = strings.Fields(`kind apiVersion metadata items containers continue remainingItemCount spec status id podSandboxId state labels
	annotations name namespace uid creationTimestamp deletionTimestamp nodeName phase containerStatuses initContainerStatuses
	ephemeralContainerStatuses waiting running terminated kubernetes.io/config.source kubernetes.io/config.mirror
	io.kubernetes.pod.uid io.kubernetes.pod.name io.kubernetes.pod.namespace`)

var changes = []change{
	{"cut", func(s slot, _ string) {
		if !s.emptied() || !strings.HasSuffix(s.path, "*") {
			s.in.names, s.in.values = slices.Delete(s.in.names, s.at, s.at+1), slices.Delete(s.in.values, s.at, s.at+1)
		}
	}, []string{""}},
	{"double", func(s slot, _ string) { s.insert(s.in.names[s.at], s.in.values[s.at].copy()) }, []string{""}},
	{"double before", func(s slot, with string) { s.insert(s.in.names[s.at], &tree{scalar: with}) }, []string{`null`, `"x"`, `[]`, `{}`}},
	{"double after", func(s slot, with string) {
		slot{s.in, s.at + 1, ""}.insert(s.in.names[s.at], &tree{scalar: with})
	}, []string{`null`, `"x"`, `[]`, `{}`}},
	{"double in other letters", func(s slot, _ string) {
		slot{s.in, s.at + 1, ""}.insert(strings.ToUpper(s.in.names[s.at]), &tree{scalar: `null`})
	}, []string{""}},
	{"rename", func(s slot, with string) {
		if s.in.opening == '{' {
			s.in.names[s.at] = `"` + with + `"`
		}
	}, append([]string{"x", ""}, known...)},
	{"respell the name", func(s slot, with string) {
		s.in.names[s.at] = respell(s.in.names[s.at], with)
	}, []string{"upper", "title", "before", "after", "escaped", "folded"}},
	{"retype", func(s slot, with string) {
		if !s.emptied() || with != `null` && with != `[]` {
			s.in.values[s.at] = &tree{scalar: with}
		}
	}, []string{`null`, `7`, `-1`, `1e400`, `true`, `"x"`, `""`, `" "`, `[]`, `{}`, `[{}]`, `[null]`, "\"\xff\"", `"\ud800"`}},
	{"respell the value", func(s slot, with string) {
		v := s.in.values[s.at]
		v.scalar = respell(v.scalar, with)
	}, []string{"upper", "title", "lower", "before", "after", "escaped"}},
	{"reverse", func(s slot, _ string) {
		slices.Reverse(s.in.names)
		slices.Reverse(s.in.values)
	}, []string{""}},
	{"swap the values", func(s slot, _ string) {
		next := (s.at + 1) % len(s.in.values)
		s.in.values[s.at], s.in.values[next] = s.in.values[next], s.in.values[s.at]
	}, []string{""}},
	{"set beside", func(s slot, with string) {
		if s.in.opening == '{' {
			name, value, _ := strings.Cut(with, ":")
			s.insert(`"`+name+`"`, &tree{scalar: value})
		}
	}, []string{
		`metadata:{"continue":"x"}`, `metadata:{"remainingItemCount":1}`, `continue:"x"`, `items:[]`, `containers:[]`, `Items:[]`, `state:"NONE"`,
		`uid:""`, `status:{}`, `running:null`, `terminated:{}`, `waiting:{}`, `kind:"Node"`, `apiVersion:"v2"`, `later:{"uid":[1]}`,
	}},
}

// respell writes a string in another way.
func respell(quoted, how string) string {
	s := strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`)
	switch {
	case !strings.HasPrefix(quoted, `"`) || s == "":
		return quoted
	case how == "upper":
		s = strings.ToUpper(s)
	case how == "lower":
		s = strings.ToLower(s)
	case how == "title":
		s = strings.ToUpper(s[:1]) + s[1:]
	case how == "before":
		s = " " + s
	case how == "after":
		s += `\u0000`
	case how == "escaped" && s[0] != '\\':
		s = fmt.Sprintf(`\u%04x`, s[0]) + s[1:]
	case how == "folded":
		s = strings.Replace(s, "s", "ſ", 1)
	}
	return `"` + s + `"`
}

// scene is an answer that holds a phantom or a stray container, or the list of an API
// server that another disagrees with. One of them is changed.
type scene struct {
	name   string
	want   drift.Kind // when nothing is changed
	answer []byte
	api    []byte
	inAPI  bool   // the API's list is changed
	other  []byte // the list of another API server, which is changed
}

// scenes are all kinds of answers of a node on which a real phantom ran after a
// restore, beside pods that the API has.
func scenes(t testing.TB) (all []scene) {
	t.Helper()
	var run truth
	if err := json.Unmarshal(corpus.Unpack(t, filepath.Join(clusters, "scenario-1/plain/truth.json.gz")), &run); err != nil {
		t.Fatal(err)
	}
	for _, s := range run.Samples {
		for _, p := range s.Phantoms {
			if pods := s.beside(p.Node, p.UID); p.Running && len(pods) == 2 {
				return staged(t, pods)
			}
		}
	}
	t.Fatal("no phantom runs beside others")
	return nil
}

// beside is a pod that a node ran, and another that the API had there.
func (s *sample) beside(node, uid string) (pods []object) {
	for _, o := range s.Kubelets[node].Pods {
		known := slices.ContainsFunc(s.API, func(a object) bool { return a.UID == o.UID && a.Node == node })
		switch {
		case o.Phase != "Running" || o.Source != "api":
		case o.UID == uid:
			pods = slices.Insert(pods, 0, o)
		case known && len(pods) < 2:
			pods = append(pods, o)
		}
	}
	return pods[:min(2, len(pods))]
}

// staged makes the answers; the first of the pods is the phantom.
func staged(t testing.TB, pods []object) []scene {
	t.Helper()
	const running, ended = `{"name":"c","state":{"running":{"startedAt":"2026-11-23T04:03:20Z"}}}`, `{"name":"d","state":{"terminated":{"exitCode":0}}}`
	list := func(format string, values func(o object) []any) []byte {
		var items []string
		for _, o := range pods {
			items = append(items, fmt.Sprintf(format, values(o)...))
		}
		return []byte(strings.Join(items, ","))
	}
	node := "node"
	described := func(annotations string) func(o object) []any {
		return func(o object) []any {
			return []any{o.Name, o.Namespace, o.UID, o.Created.Format(time.RFC3339), annotations, node}
		}
	}
	identity := func(o object) []any { return []any{o.Name, o.Namespace, o.UID} }
	wrap := func(before string, items []byte) []byte { return []byte(before + "[" + string(items) + "]}") }

	const podList = `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":`
	const pod = `{"metadata":{"name":%q,"namespace":%q,"uid":%q,"creationTimestamp":%q,"annotations":{%s}},"spec":{"nodeName":%q,"terminationGracePeriodSeconds":30,"containers":[{"name":"c"},{"name":"d"}]},"status":{"phase":"Running",`
	const marked = `"kubernetes.io/config.source":"api"`
	const labels = `"labels":{"io.kubernetes.pod.name":%[1]q,"io.kubernetes.pod.namespace":%[2]q,"io.kubernetes.pod.uid":%[3]q}`
	listed := wrap(podList, list(pod+`"containerStatuses":[`+running+`,`+ended+`]}}`, described(marked)))
	init := wrap(podList, list(pod+`"initContainerStatuses":[`+running+`],"containerStatuses":[`+ended+`]}}`, described(marked)))
	made := wrap(podList, list(`{"metadata":{"name":%q,"namespace":%q,"uid":%q,"creationTimestamp":null},"spec":{"containers":[{"name":"c","image":"i","resources":{}},{"name":"d","image":"i","resources":{}}]},"status":{}}`, identity))
	sandboxes := wrap(`{"items":`, list(`{"id":"5f1c","metadata":{"name":%[1]q,"uid":%[3]q,"namespace":%[2]q,"attempt":0},"state":"SANDBOX_READY","createdAt":"1764000000000000000",`+labels+`,"annotations":{`+marked+`},"runtimeHandler":""}`, identity))
	containers := wrap(`{"containers":`, list(`{"id":"c1","podSandboxId":"5f1c","metadata":{"name":"c","attempt":0},"state":"CONTAINER_RUNNING",`+labels+`}`, identity))
	// Of a phantom with a debugger, the API has all but that.
	debugged := wrap(podList, list(`{"metadata":{"name":%q,"namespace":%q,"uid":%q,"creationTimestamp":null},"spec":{"containers":[{"name":"debugger","image":"i","resources":{}},{"name":"c","image":"i","resources":{}}]},"status":{}}`, identity))
	inRuntime := wrap(`{"containers":`, list(`{"id":"c1","podSandboxId":"5f1c","metadata":{"name":"debugger","attempt":0},"state":"CONTAINER_RUNNING",`+labels+`}`, identity))
	all := wrap(`{"apiVersion":"v1","kind":"List","items":`, list(`{"apiVersion":"v1","kind":"Pod",`+pod[1:]+`"containerStatuses":[`+running+`]}}`, described("")))

	phantom := pods[0]
	pods = pods[1:]
	api := wrap(`{"apiVersion":"v1","kind":"List","items":`, list(`{"apiVersion":"v1","kind":"Pod",`+pod[1:]+`"containerStatuses":[`+running+`]}}`, described("")))
	node, pods = "elsewhere", append(pods, phantom)
	elsewhere := wrap(`{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":""},"items":`, list(`{"apiVersion":"v1","kind":"Pod",`+pod[1:]+`"containerStatuses":[`+running+`]}}`, described("")))
	return []scene{
		{"pods", drift.Phantom, listed, api, false, nil},
		{"pods, an init container alone runs", drift.Phantom, init, api, false, nil},
		{"runningpods", drift.Phantom, made, api, false, nil},
		{"crictl pods", drift.Phantom, sandboxes, api, false, nil},
		{"crictl ps", drift.Phantom, containers, api, false, nil},
		{"crictl ps, and the API has it elsewhere", drift.Phantom, containers, elsewhere, false, nil},
		{"the API's list", drift.Phantom, made, api, true, nil},
		{"the API's list, which has it elsewhere", drift.Phantom, made, elsewhere, true, nil},
		{"a stray container in runningpods", drift.Stray, debugged, all, false, nil},
		{"a stray container in crictl ps", drift.Stray, inRuntime, all, false, nil},
		{"a stray container, and the API's list", drift.Stray, debugged, all, true, nil},
		{"another API server, which lacks a pod", drift.Disagreement, made, all, false, api},
		{"another API server, which has a pod elsewhere", drift.Disagreement, made, all, false, elsewhere},
	}
}

// changed is the document that is changed in a scene.
func (s *scene) changed() *[]byte {
	switch {
	case s.other != nil:
		return &s.other
	case s.inAPI:
		return &s.api
	}
	return &s.answer
}

// result is what verify makes of a scene; "" is clean.
func (s *scene) result() string {
	api, err := kubelet.Parse(s.api)
	if err != nil {
		return "refused: " + err.Error()
	}
	d, err := kubelet.Parse(s.answer)
	if unread := new(kubelet.UnreadError); err != nil && !errors.As(err, &unread) {
		return "refused: " + err.Error()
	}
	servers := []drift.Server{{Name: "a", Pods: api.Pods}}
	if s.other != nil {
		other, err := kubelet.Parse(s.other)
		if err != nil {
			return "refused: " + err.Error()
		}
		servers = append(servers, drift.Server{Name: "b", Pods: other.Pods})
	}
	r := drift.Compare(drift.Input{Servers: servers, Partial: true, Nodes: []drift.Node{{Name: "node", Dumps: []kubelet.Dump{d}}}})
	for _, f := range r.Findings {
		switch f.Kind {
		case drift.Disagreement, drift.Phantom, drift.Stray, drift.Unread:
			return string(f.Kind) + ": " + f.Reason
		}
	}
	return ""
}

// TestNeverClean changes every answer everywhere, once.
func TestNeverClean(t *testing.T) {
	for _, s := range scenes(t) {
		t.Run(s.name, func(t *testing.T) {
			if got := s.result(); !strings.HasPrefix(got, string(s.want)) {
				t.Fatalf("nothing has been changed, and it is %q", got)
			}
			whole := grow(t, json.NewDecoder(bytes.NewReader(*s.changed())))
			results := map[string]int{}
			for n := range whole.slots("") {
				for _, c := range changes {
					for _, with := range c.with {
						copied := whole.copy()
						at := copied.slots("")[n]
						c.do(at, with)
						var b bytes.Buffer
						copied.write(&b)
						one := s
						*one.changed() = b.Bytes()
						got := one.result()
						if got == "" {
							t.Errorf("clean: %s %q at %s:\n%s", c.name, with, at.path, b.Bytes())
						}
						kind, _, _ := strings.Cut(got, ":")
						results[kind]++
					}
				}
			}
			if len(results) < 2 || results[string(s.want)] < 100 {
				t.Errorf("results are %v", results)
			}
			data := *s.changed()
			for n := range data {
				one := s
				*one.changed() = data[:n]
				if one.result() == "" {
					t.Errorf("clean when cut after %d bytes", n)
				}
			}
		})
	}
}

// several changes a scene's document at once, by three bytes a change.
func (s *scene) several(t *testing.T, ops []byte) []byte {
	doc := grow(t, json.NewDecoder(bytes.NewReader(*s.changed())))
	doc.hold()
	for ops = ops[:min(len(ops), 15)]; len(ops) >= 3 && len(doc.values) > 0; ops = ops[3:] {
		slots := doc.slots("")
		at, c := slots[int(ops[1])%len(slots)], changes[int(ops[0])%len(changes)]
		if (c.name == "cut" || c.name == "retype") && at.in.values[at.at].holds() {
			continue
		}
		c.do(at, c.with[int(ops[2])%len(c.with)])
	}
	var b bytes.Buffer
	doc.write(&b)
	*s.changed() = b.Bytes()
	return b.Bytes()
}

// TestNeverCleanAtOnce changes answers in several ways at once.
func TestNeverCleanAtOnce(t *testing.T) {
	const seed = 10
	random, all := rand.New(rand.NewPCG(seed, seed)), scenes(t)
	for range 5000 {
		s, ops := all[random.IntN(len(all))], make([]byte, 3*(2+random.IntN(4)))
		for i := range ops {
			ops[i] = byte(random.Uint32())
		}
		if data := s.several(t, ops); s.result() == "" {
			t.Errorf("clean: %s:\n%s", s.name, data)
		}
	}
}

// FuzzNeverClean changes an answer in several ways at once, and then cuts it short or
// changes a byte.
func FuzzNeverClean(f *testing.F) {
	all := scenes(f)
	for n := range all {
		f.Add(byte(n), []byte{0, 3, 0, 5, 9, 2}, uint16(0), byte('"'))
		f.Add(byte(n), []byte{1, 7, 0, 7, 20, 1, 9, 1, 0}, uint16(9), byte('{'))
		f.Add(byte(n), []byte{}, uint16(100), byte(0))
	}
	f.Fuzz(func(t *testing.T, which byte, ops []byte, at uint16, b byte) {
		s := all[int(which)%len(all)]
		data := s.several(t, ops)
		switch {
		case len(data) == 0:
		case b == 0:
			data = data[:int(at)%len(data)]
		case at > 0:
			data[int(at)%len(data)] = b
		}
		*s.changed() = data
		if s.result() == "" {
			t.Errorf("clean:\n%s", data)
		}
	})
}
