package diff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Operation is a step of a JSON patch (RFC 6902).
type Operation struct {
	Op    string          `json:"op"`   // add, remove or replace
	Path  string          `json:"path"` // a JSON pointer (RFC 6901), "" for the whole object
	Value json.RawMessage `json:"value,omitempty"`
}

// Patch lists the steps that make the earlier state of an object the later one, without
// what is noise of a kind in ignored: the patched object keeps its own there. An object
// that was added or removed is so as a whole. The problem says what could not be read,
// so that more may differ, "" for nothing.
func (c *Comparison) Patch(i int, ignored Noise) (steps []Operation, problem string) {
	o := &c.Objects[i]
	before, after, err := c.values(o)
	if err != nil {
		return nil, err.Error()
	}
	b, a := read(c.prefix, o.Key, before), read(c.prefix, o.Key, after)
	x, y := shown(b, a, ignored&ManagedFields == 0, c.secrets)
	p := patcher{kind: a.kindOr(b), ignored: ignored}
	p.compare("", "", x, y, 0)
	return p.steps, problems(b, a)
}

type patcher struct {
	kind    string
	ignored Noise
	steps   []Operation
}

// step notes an operation, unless it is about noise. The path is the one that noise is
// known by.
func (p *patcher) step(op, pointer, path string, before, after any) {
	x, y := text(before), text(after)
	if x == y || noiseOf(p.kind, path, x, y)&p.ignored != 0 {
		return
	}
	p.steps = append(p.steps, Operation{op, pointer, json.RawMessage(y)})
}

func (p *patcher) compare(pointer, path string, before, after any, depth int) {
	if depth < maxDepth {
		switch b := before.(type) {
		case map[string]any:
			if a, ok := after.(map[string]any); ok {
				p.maps(pointer, path, b, a, depth)
				return
			}
		case []any:
			if a, ok := after.([]any); ok {
				p.lists(pointer, path, b, a, depth)
				return
			}
		}
	}
	op := "replace"
	if _, none := before.(missing); none {
		op = "add"
	} else if _, none := after.(missing); none {
		op = "remove"
	}
	p.step(op, pointer, path, before, after)
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func (p *patcher) maps(pointer, path string, before, after map[string]any, depth int) {
	for _, key := range keysOf(before, after) {
		if b, a := at(before, key), at(after, key); !sameScalar(b, a) {
			p.compare(pointer+"/"+pointerEscapes.Replace(key), join(path, key), b, a, depth+1)
		}
	}
}

// lists matches items by the field that names them, or else those that are the same. A
// place is that in the list as the steps before have left it.
func (p *patcher) lists(pointer, path string, before, after []any, depth int) {
	field, _, _ := naming(before, after)
	id := func(items []any) []string {
		list := make([]string, len(items))
		for i, v := range items {
			if list[i] = text(v); field != "" {
				list[i] = text(at(v.(map[string]any), field))
			}
		}
		return list
	}
	place, b, a := 0, 0, 0
	for _, line := range match(id(before), id(after)) {
		to := pointer + "/" + strconv.Itoa(place)
		in := path + "[" + strconv.Itoa(place) + "]"
		if field != "" {
			in = fmt.Sprintf("%s[%s=%s]", path, field, strings.Trim(line.After, `"`))
		}
		switch {
		case line.Op == Out:
			p.step("remove", to, path, before[b], missing{})
			b++
			continue
		case line.Op == In:
			p.step("add", to, path, missing{}, after[a])
			a++
		case line.Op == Replaced && field != "":
			p.step("replace", to, path, before[b], after[a])
			b, a = b+1, a+1
		default:
			p.compare(to, in, before[b], after[a], depth+1)
			b, a = b+1, a+1
		}
		place++
	}
}

// ParseNoise reads the names of noise, as Names lists them with hyphens for blanks: all,
// none, or any number of them.
func ParseNoise(names []string) (Noise, error) {
	var n Noise
	for _, name := range names {
		i := slices.Index(NoiseWords(), name)
		switch {
		case name == "all":
			n |= 1<<len(noiseNames) - 1
		case name == "none" && len(names) == 1:
		case i < 0:
			return 0, fmt.Errorf("%.40q is no noise", name)
		default:
			n |= 1 << i
		}
	}
	return n, nil
}

// NoiseWords are what ParseNoise reads beside all and none.
func NoiseWords() []string {
	var list []string
	for _, name := range noiseNames {
		list = append(list, strings.ReplaceAll(strings.ToLower(name), " ", "-"))
	}
	return list
}
