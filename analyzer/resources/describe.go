package resources

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// Section is a part of a description. Its texts are as they are in the evidence.
type Section struct {
	Title string // "" of what the object is
	Facts []Fact
}

// Fact is a name with what there is to say of it.
type Fact struct{ Name, Value string }

// What of a description is bounded: its reader has the whole object beside it.
const (
	maxFacts      = 100 // of a section, and containers
	maxAnnotation = 140 // bytes of one, as in kubectl (v0.37 pkg/describe)
	maxValue      = 500 // bytes of any other value
	maxItems      = 10  // of a list of objects
	maxDepth      = 6   // of fields in fields
)

// Describe summarises an object, as kubectl describe does:
// what it is, whose it is, what a table shows of it, its containers, its conditions,
// and the other fields of its spec and status, each in a line. r is its resource, nil
// where nothing tells; now is when its age is meant. What a Secret holds is redacted.
func Describe(r *Resource, o *kube.Object, now clock.Interval) []Section {
	d := describer{doc: o.Document(kube.PrintOptions{DropManagedFields: true}), now: now}
	d.identity(r, o)
	d.labels()
	d.data()
	d.pods()
	d.conditions()
	d.rest()
	return d.sections
}

type describer struct {
	doc      map[string]any
	now      clock.Interval
	sections []Section
}

func (d *describer) add(title string, facts ...Fact) {
	facts = slices.DeleteFunc(facts, func(f Fact) bool { return f.Value == "" })
	for i := range facts {
		facts[i].Value = beginning(facts[i].Value, maxValue)
	}
	if more := len(facts) - maxFacts; more > 0 {
		facts = append(facts[:maxFacts], Fact{"and", fmt.Sprintf("%d more", more)})
	}
	if len(facts) > 0 {
		d.sections = append(d.sections, Section{title, facts})
	}
}

// identity says what the object is, and what stands in the columns of its table.
func (d *describer) identity(r *Resource, o *kube.Object) {
	meta := object(d.doc["metadata"])
	kind := o.Kind
	if o.APIVersion != "" {
		kind += " (" + o.APIVersion + ")"
	}
	facts := []Fact{
		{"Name", o.Name}, {"Namespace", o.Namespace}, {"Kind", kind}, {"UID", o.UID},
		{"Created", d.moment(meta["creationTimestamp"])}, {"Being deleted", d.moment(meta["deletionTimestamp"])},
		{"Finalizers", texts(meta["finalizers"])},
	}
	for _, ref := range list(meta["ownerReferences"]) {
		owner := object(ref)
		name := "Owned by"
		if owner["controller"] == true {
			name = "Controlled by"
		}
		facts = append(facts, Fact{name, text(owner["kind"]) + "/" + text(owner["name"])})
	}
	if o.Problem != nil {
		facts = append(facts, Fact{"Problem", o.Problem.Error()})
	} else if r != nil {
		for i, c := range r.Cells(o, d.now) {
			if name := r.Columns[i].Name; name != "Name" && name != "Age" && name != "Created At" && c.Text != none {
				facts = append(facts, Fact{name, c.Text})
			}
		}
	}
	d.add("", facts...)
}

// moment is a time, and how long ago that was.
func (d *describer) moment(v any) string {
	t, err := time.Parse(time.RFC3339, text(v))
	if err != nil {
		return text(v)
	}
	return text(v) + ", " + d.ago(t)
}

// ago is how long ago a time was, or that it was yet to come.
func (d *describer) ago(t time.Time) string {
	switch age := Age(t, d.now).Text; age {
	case unknown:
		return "it is not known how long ago"
	case invalid:
		return "later than this moment"
	default:
		return age + " ago"
	}
}

// labels are those of the object, and its annotations without the copies of itself.
func (d *describer) labels() {
	meta := object(d.doc["metadata"])
	for _, of := range []string{"labels", "annotations"} {
		var facts []Fact
		for name, v := range sorted(object(meta[of])) {
			value := text(v)
			if name == "kubectl.kubernetes.io/last-applied-configuration" {
				continue
			}
			if of == "annotations" {
				value = beginning(value, maxAnnotation)
			}
			facts = append(facts, Fact{name, cmp.Or(value, `""`)})
		}
		d.add(words.Capital(of), facts...)
	}
}

// data is what a ConfigMap or a Secret holds, as far as it fits into a line.
func (d *describer) data() {
	var facts []Fact
	for _, of := range []string{"data", "stringData", "binaryData"} {
		for name, v := range sorted(object(d.doc[of])) {
			value := text(v)
			if lines := strings.Count(value, "\n") + 1; lines > 1 || len(value) > maxAnnotation || of == "binaryData" {
				value = fmt.Sprintf("%d bytes, %d lines", len(value), lines)
			}
			facts = append(facts, Fact{name, cmp.Or(value, `""`)})
		}
	}
	d.add("Data", facts...)
}

// podSpecs are where the spec of a pod may be: in a pod itself, in what makes pods, in
// what makes those.
var podSpecs = [][]string{{"spec"}, {"spec", "template", "spec"}, {"template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"}}

// pods describes the containers.
func (d *describer) pods() {
	for _, path := range podSpecs {
		spec := within(d.doc, path...)
		for _, kind := range []struct{ of, title, status string }{
			{"initContainers", "Init container ", "initContainerStatuses"}, {"containers", "Container ", "containerStatuses"},
			{"ephemeralContainers", "Ephemeral container ", "ephemeralContainerStatuses"},
		} {
			all := list(spec[kind.of])
			for _, c := range all[:min(len(all), maxFacts)] {
				c := object(c)
				var status map[string]any
				for _, s := range list(within(d.doc, "status")[kind.status]) {
					if object(s)["name"] == c["name"] {
						status = object(s)
					}
				}
				d.add(kind.title+text(c["name"]), d.container(c, status)...)
			}
		}
	}
}

func (d *describer) container(c, status map[string]any) []Fact {
	facts := []Fact{{"Image", text(c["image"])}}
	if id := text(status["imageID"]); id != "" && id != text(c["image"]) {
		facts = append(facts, Fact{"Image ID", id})
	}
	if status != nil {
		facts = append(facts, Fact{"State", d.state(status["state"])}, Fact{"Last state", d.state(status["lastState"])},
			Fact{"Ready", text(status["ready"])}, Fact{"Restarts", text(status["restartCount"])})
	}
	var ports, mounts []string
	for _, p := range list(c["ports"]) {
		p := object(p)
		port := text(p["containerPort"]) + "/" + cmp.Or(text(p["protocol"]), "TCP")
		if host := text(p["hostPort"]); host != "" {
			port += " on the host's " + host
		}
		ports = append(ports, port)
	}
	for _, m := range list(c["volumeMounts"]) {
		m := object(m)
		mount := text(m["mountPath"]) + " from " + text(m["name"])
		if m["readOnly"] == true {
			mount += " (ro)"
		}
		mounts = append(mounts, mount)
	}
	resources := object(c["resources"])
	var probes []string
	for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		if c[probe] != nil {
			probes = append(probes, strings.TrimSuffix(probe, "Probe"))
		}
	}
	env := ""
	if n := len(list(c["env"])) + len(list(c["envFrom"])); n > 0 {
		env = words.PlainOf(n, "entry", "entries")
	}
	return append(facts, Fact{"Ports", strings.Join(ports, ", ")}, Fact{"Command", line(c["command"])}, Fact{"Arguments", line(c["args"])},
		Fact{"Requests", line(resources["requests"])}, Fact{"Limits", line(resources["limits"])},
		Fact{"Environment", env}, Fact{"Probes", strings.Join(probes, ", ")}, Fact{"Mounts", strings.Join(mounts, ", ")})
}

// state is that of a container: it is one of three.
func (d *describer) state(v any) string {
	for name, of := range sorted(object(v)) {
		of := object(of)
		parts := []string{name}
		if reason := text(of["reason"]); reason != "" {
			parts = append(parts, reason)
		}
		if name == "terminated" {
			parts = append(parts, "exit code "+cmp.Or(text(of["exitCode"]), "0"))
		}
		for _, at := range []string{"startedAt", "finishedAt"} {
			if t := text(of[at]); t != "" {
				parts = append(parts, strings.TrimSuffix(at, "At")+" "+d.moment(t))
			}
		}
		if message := text(of["message"]); message != "" {
			parts = append(parts, message)
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// conditions are those of the status, a line each.
func (d *describer) conditions() {
	var facts []Fact
	for _, c := range list(within(d.doc, "status")["conditions"]) {
		c := object(c)
		parts := []string{text(c["status"])}
		if t, err := time.Parse(time.RFC3339, text(c["lastTransitionTime"])); err == nil && !t.IsZero() {
			parts = append(parts, "since "+d.ago(t))
		}
		for _, name := range []string{"reason", "message"} {
			if s := text(c[name]); s != "" {
				parts = append(parts, s)
			}
		}
		facts = append(facts, Fact{cmp.Or(text(c["type"]), "?"), strings.Join(parts, ", ")})
	}
	d.add("Conditions", facts...)
}

// What the parts before rest cover.
var (
	toldOfObject = map[string]bool{"apiVersion": true, "kind": true, "metadata": true, "data": true, "stringData": true, "binaryData": true}
	toldOfPods   = map[string]bool{
		"conditions": true, "containers": true, "initContainers": true, "ephemeralContainers": true,
		"containerStatuses": true, "initContainerStatuses": true, "ephemeralContainerStatuses": true,
	}
)

// rest is every other field: those of the spec, of the status, and those beside them.
func (d *describer) rest() {
	var beside []Fact
	for name, v := range sorted(d.doc) {
		if fields, ok := v.(map[string]any); ok && (name == "spec" || name == "status") {
			d.add(words.Capital(name), flat(nil, "", fields, 0)...)
		} else if !toldOfObject[name] {
			beside = append(beside, flat(nil, name, v, 0)...)
		}
	}
	d.add("Fields", beside...)
}

// flat appends the fields in v, by their paths.
func flat(facts []Fact, path string, v any, depth int) []Fact {
	fields, ok := v.(map[string]any)
	if ok && len(fields) > 0 && depth < maxDepth {
		for name, v := range sorted(fields) {
			if toldOfPods[name] && (path == "" || strings.HasSuffix(path, "template.spec")) {
				continue
			}
			facts = flat(facts, strings.TrimPrefix(path+"."+name, "."), v, depth+1)
		}
		return facts
	}
	items, ok := v.([]any)
	if !ok || !slices.ContainsFunc(items, func(item any) bool { return object(item) != nil }) {
		return append(facts, Fact{path, line(v)})
	}
	for i, item := range items[:min(len(items), maxItems)] {
		facts = append(facts, Fact{fmt.Sprintf("%s[%d]", path, i), line(item)})
	}
	if more := len(items) - maxItems; more > 0 {
		facts = append(facts, Fact{path, fmt.Sprintf("and %d more", more)})
	}
	return facts
}

// beginning is the beginning of a text that is too long, and how long it is.
func beginning(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(s[:most], ""), len(s))
}

// line is a value in one line.
func line(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any:
		var parts []string
		for name, v := range sorted(v) {
			switch v.(type) {
			case map[string]any, []any:
				parts = append(parts, name+"={"+line(v)+"}")
			default:
				parts = append(parts, name+"="+text(v))
			}
		}
		return strings.Join(parts, ", ")
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = line(v[i])
		}
		return strings.Join(parts, ", ")
	}
	return text(v)
}

// What a document may hold, where it is not what it should be.

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }
func list(v any) []any            { l, _ := v.([]any); return l }
func texts(v any) string          { return line(list(v)) }

func within(doc map[string]any, path ...string) map[string]any {
	for _, name := range path {
		doc = object(doc[name])
	}
	return doc
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

// sorted goes through a map in the order of its keys.
func sorted(m map[string]any) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}
