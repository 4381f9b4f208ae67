// Package diff tells two states of an object apart, field by field.
//
// In go two objects as JSON; out come the fields that were added, removed or
// changed, by path. Items of a list are matched by what names them (name, type,
// key, ip, containerPort, …) where all of them have it, and else by their place,
// so that one item put in first does not change all others. What changes with
// every write, such as managed fields, is left out.
package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is a field that differs.
type Change struct {
	Path   string // such as spec.containers[name=web].image
	Before string // as JSON, "" where the field was not there
	After  string
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

// noise is what every write changes, or what repeats the rest.
var noise = []string{"metadata.managedFields", "metadata.resourceVersion"}

// maxDepth bounds how deep is looked; deeper values are compared as a whole.
const maxDepth = 40

// Fields lists what differs between two objects as JSON, sorted by path. Either may
// be empty: then all of the other one is added or removed. The error says that one
// is no JSON.
func Fields(before, after []byte) ([]Change, error) {
	b, err := parse(before)
	if err != nil {
		return nil, err
	}
	a, err := parse(after)
	if err != nil {
		return nil, err
	}
	d := differ{}
	d.compare("", b, a, 0)
	slices.SortStableFunc(d.changes, func(x, y Change) int { return strings.Compare(x.Path, y.Path) })
	return d.changes, nil
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

type differ struct{ changes []Change }

func (d *differ) compare(path string, before, after any, depth int) {
	if slices.Contains(noise, path) {
		return
	}
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
		d.changes = append(d.changes, Change{Path: path, Before: x, After: y})
	}
}

func (d *differ) maps(path string, before, after map[string]any, depth int) {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, after)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		d.compare(join(path, key), at(before, key), at(after, key), depth+1)
	}
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

// naming is the field that names every item of both lists, "" for none.
func naming(lists ...[]any) string {
	for _, field := range names {
		if fits(field, lists...) {
			return field
		}
	}
	return ""
}

func fits(field string, lists ...[]any) bool {
	for _, list := range lists {
		seen := map[string]bool{}
		for _, item := range list {
			m, ok := item.(map[string]any)
			if !ok {
				return false
			}
			name := text(at(m, field))
			if name == "" || seen[name] {
				return false
			}
			seen[name] = true
		}
	}
	return true
}

func (d *differ) lists(path string, before, after []any, depth int) {
	field := naming(before, after)
	if field == "" || len(before)+len(after) == 0 {
		for i := range max(len(before), len(after)) {
			d.compare(fmt.Sprintf("%s[%d]", path, i), item(before, i), item(after, i), depth+1)
		}
		return
	}
	find := func(list []any, name string) any {
		for _, v := range list {
			if text(at(v.(map[string]any), field)) == name {
				return v
			}
		}
		return missing{}
	}
	done := map[string]bool{}
	for _, v := range slices.Concat(before, after) {
		name := text(at(v.(map[string]any), field))
		if done[name] {
			continue
		}
		done[name] = true
		d.compare(fmt.Sprintf("%s[%s=%s]", path, field, strings.Trim(name, `"`)), find(before, name), find(after, name), depth+1)
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
