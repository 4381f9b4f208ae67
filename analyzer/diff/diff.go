// Package diff compares two states: those of an object, field by field (Fields,
// Stored), and those of a whole key space, object by object (Compare).
//
// It takes two objects, as JSON or as stored, or two snapshots at one revision each,
// which may be the same snapshot. It returns the fields that were added, removed or
// changed, by path, and the objects, by resource and namespace. Items of a list are
// matched by the field that names them (name, type, key, ip, containerPort, …) if all
// of them have it, and otherwise by position, so inserting one item first does not
// change all others.
//
// Changes without any event behind them, such as heartbeats, are Noise: they are
// classified and named, never dropped silently. The content of a Secret is not shown,
// only that it differs.
//
// It refuses only text that is not JSON. What cannot be read counts as changed and
// says so, because it is not known to be equal.
package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Change is a field that differs.
type Change struct {
	Path   string // such as spec.containers[name=web].image
	Before string // as JSON, "" where the field was not there
	After  string
	Noise  Noise // what makes it one that tells nothing, 0 for one that does
}

// Kind says what became of the field.
func (c *Change) Kind() string {
	switch {
	case c.Before == "":
		return "added"
	case c.After == "":
		return "removed"
	}
	return "changed"
}

// maxDepth bounds how deep is looked; deeper values are compared as a whole.
const maxDepth = 40

// Fields lists what differs between two objects as JSON, sorted by path, but for
// managed fields and the resource version. Either may be empty: then all of the other
// one is added or removed. The error says that one is no JSON.
func Fields(before, after []byte) ([]Change, error) {
	b, err := parse(before)
	if err != nil {
		return nil, err
	}
	a, err := parse(after)
	if err != nil {
		return nil, err
	}
	changes := documents(b, a, "")
	return slices.DeleteFunc(changes, func(c Change) bool { return c.Noise != 0 }), nil
}

// documents lists what differs between two documents of an object, sorted by path.
// The kind, with its API version, says what is noise in it.
func documents(before, after any, kind string) []Change {
	d := differ{kind: kind}
	d.compare("", before, after, 0)
	slices.SortStableFunc(d.changes, func(x, y Change) int { return strings.Compare(x.Path, y.Path) })
	return d.changes
}

// missing stands for a field that is not there.
type missing struct{}

func parse(data []byte) (any, error) {
	if len(data) == 0 {
		return missing{}, nil
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("compare objects: %w", err)
	}
	return v, nil
}

type differ struct {
	kind    string
	changes []Change
}

func (d *differ) compare(path string, before, after any, depth int) {
	if depth < maxDepth {
		switch b := before.(type) {
		case map[string]any:
			if a, ok := after.(map[string]any); ok {
				d.maps(path, b, a, depth)
				return
			}
			if _, ok := after.(missing); ok && path == "" {
				d.maps(path, b, nil, depth)
				return
			}
		case []any:
			if a, ok := after.([]any); ok {
				d.lists(path, b, a, depth)
				return
			}
		case missing:
			if a, ok := after.(map[string]any); ok && path == "" {
				d.maps(path, nil, a, depth)
				return
			}
		}
	}
	x, y := text(before), text(after)
	if x != y {
		d.changes = append(d.changes, Change{Path: path, Before: x, After: y, Noise: noiseOf(d.kind, path, x, y)})
	}
}

func (d *differ) maps(path string, before, after map[string]any, depth int) {
	for _, key := range keysOf(before, after) {
		b, a := at(before, key), at(after, key)
		if !sameScalar(b, a) {
			d.compare(join(path, key), b, a, depth+1)
		}
	}
}

// keysOf are the keys of two maps, sorted.
func keysOf(before, after map[string]any) []string {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, after)
	return slices.Sorted(maps.Keys(all))
}

// sameScalar says that two values are the same text or number: most are, and need no
// path then.
func sameScalar(a, b any) bool {
	switch a.(type) {
	case string, json.Number, bool:
		return reflect.TypeOf(a) == reflect.TypeOf(b) && a == b
	}
	return false
}

func at(m map[string]any, key string) any {
	if v, ok := m[key]; ok {
		return v
	}
	return missing{}
}

// join appends a key to a path; one with dots in it is put in brackets.
func join(path, key string) string {
	switch {
	case strings.ContainsAny(key, ".[]\""):
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
}

// names are the fields that can name an item of a list, the best first.
var names = []string{"name", "uid", "type", "key", "ip", "containerPort", "port", "path", "mountPath", "topologyKey", "id"}

// naming finds the field that names every item of both lists, "" for none, and the
// items by what it says.
func naming(before, after []any) (field string, b, a map[string]any) {
	for _, field := range names {
		if b, ok := fits(field, before); ok {
			if a, ok := fits(field, after); ok {
				return field, b, a
			}
		}
	}
	return "", nil, nil
}

func fits(field string, list []any) (map[string]any, bool) {
	named := make(map[string]any, len(list))
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			return nil, false
		}
		name := text(at(m, field))
		if _, twice := named[name]; name == "" || twice {
			return nil, false
		}
		named[name] = m
	}
	return named, true
}

func (d *differ) lists(path string, before, after []any, depth int) {
	field, named, renamed := naming(before, after)
	if field == "" || len(before)+len(after) == 0 {
		for i := range max(len(before), len(after)) {
			d.compare(fmt.Sprintf("%s[%d]", path, i), item(before, i), item(after, i), depth+1)
		}
		return
	}
	done := map[string]bool{}
	for _, v := range slices.Concat(before, after) {
		name := text(at(v.(map[string]any), field))
		if done[name] {
			continue
		}
		done[name] = true
		d.compare(fmt.Sprintf("%s[%s=%s]", path, field, strings.Trim(name, `"`)), at(named, name), at(renamed, name), depth+1)
	}
}

func item(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return missing{}
}

// text is a value as JSON, "" for one that is not there.
func text(v any) string {
	if _, ok := v.(missing); ok {
		return ""
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}
