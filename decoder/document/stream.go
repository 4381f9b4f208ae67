package document

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
)

// Field is a field that is added to a document.
type Field struct {
	Name  string
	Value any
}

// WriteJSON writes v, a struct or a pointer to one, as JSON does, with the added
// fields after its own. Its lists are written item by item: no more than the largest
// of them is held as text.
func WriteJSON(w io.Writer, v any, indent string, added ...Field) error {
	all, err := fieldsOf(v, added)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	e := newEncoder(indent)
	open := "{"
	for _, f := range all {
		fmt.Fprintf(out, "%s\n%s%q: ", open, indent, f.name)
		if err := e.field(out, f.value); err != nil {
			return err
		}
		open = ","
	}
	if open == "{" {
		out.WriteString("{}\n")
	} else {
		out.WriteString("\n}\n")
	}
	return out.Flush()
}

// WriteYAML writes as YAML what WriteJSON writes as JSON, with the fields sorted.
func WriteYAML(w io.Writer, v any, added ...Field) error {
	all, err := fieldsOf(v, added)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b field) int { return strings.Compare(a.name, b.name) })
	out := bufio.NewWriter(w)
	for _, f := range all {
		for part, err := range f.parts() {
			if err != nil {
				return err
			}
			if _, err := out.Write(part); err != nil {
				return err
			}
		}
	}
	if len(all) == 0 {
		out.WriteString("{}\n")
	}
	return out.Flush()
}

// encoder writes values as they stand in a document.
type encoder struct {
	indent string
	text   bytes.Buffer
	lines  []byte
	json   *json.Encoder
}

func newEncoder(indent string) *encoder {
	e := &encoder{indent: indent}
	e.json = json.NewEncoder(&e.text)
	e.json.SetEscapeHTML(false)
	return e
}

// field writes the value of a field of the document, which may be a list.
func (e *encoder) field(out *bufio.Writer, v reflect.Value) error {
	if !isList(v) {
		return e.value(out, v, e.indent)
	}
	open := "["
	for i := range v.Len() {
		fmt.Fprintf(out, "%s\n%s%s", open, e.indent, e.indent)
		if err := e.value(out, v.Index(i), e.indent+e.indent); err != nil {
			return err
		}
		open = ","
	}
	fmt.Fprintf(out, "\n%s]", e.indent)
	return nil
}

// value writes a value whose further lines begin with prefix.
func (e *encoder) value(out *bufio.Writer, v reflect.Value, prefix string) error {
	e.text.Reset()
	if err := e.json.Encode(whole(v)); err != nil {
		return err
	}
	e.lines = indented(e.lines[:0], bytes.TrimSuffix(e.text.Bytes(), []byte("\n")), prefix, e.indent)
	_, err := out.Write(escape(e.lines))
	return err
}

// indented appends a value as json.Encoder writes it without indentation, indented as
// that indents: in a fifth of the time, since nothing is checked again.
func indented(out, text []byte, prefix, indent string) []byte {
	depth := 0
	line := func() {
		out = append(append(out, '\n'), prefix...)
		for range depth {
			out = append(out, indent...)
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			end := i + 1
			for ; text[end] != '"'; end++ {
				if text[end] == '\\' {
					end++
				}
			}
			out = append(out, text[i:end+1]...)
			i = end
		case '{', '[':
			out = append(out, c)
			if next := text[i+1]; next == '}' || next == ']' {
				out = append(out, next)
				i++
				continue
			}
			depth++
			line()
		case '}', ']':
			depth--
			line()
			out = append(out, c)
		case ',':
			out = append(out, c)
			line()
		case ':':
			out = append(out, ": "...)
		default:
			out = append(out, c)
		}
	}
	return out
}

// whole is the value for encoding/json, which asks a pointer for more than a copy.
func whole(v reflect.Value) any {
	if v.CanAddr() {
		return v.Addr().Interface()
	}
	return v.Interface()
}

// isList says whether v is a list whose items are written one by one.
func isList(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem().Kind() != reflect.Uint8 && !v.Type().Implements(reflect.TypeFor[json.Marshaler]())
}

// field is a field of a document.
type field struct {
	name  string
	value reflect.Value
}

// fieldsOf lists the fields of a document by the rules of encoding/json, and those
// that are added.
func fieldsOf(v any, added []Field) ([]field, error) {
	doc := reflect.Indirect(reflect.ValueOf(v))
	if doc.Kind() != reflect.Struct {
		return nil, fmt.Errorf("write document: %T has no fields", v)
	}
	var all []field
	for _, f := range reflect.VisibleFields(doc.Type()) {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		value, err := doc.FieldByIndexErr(f.Index)
		switch {
		case err != nil: // what is embedded is not there
		case !f.IsExported() || tag == "-" || f.Anonymous && name == "":
		case options == "omitempty" && empty(value):
		default:
			all = append(all, field{cmp.Or(name, f.Name), value})
		}
	}
	for _, f := range added {
		all = append(all, field{f.Name, reflect.ValueOf(f.Value)})
	}
	return all, nil
}

// empty says whether encoding/json leaves a value out for omitempty.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// itemsAtATime is how many items of a list are given to the emitter of YAML together,
// which takes more to begin than an item does.
const itemsAtATime = 100

// parts yields the field as YAML: whole, or of a list some items at a time. What is
// in a list at the top stands where a list alone does.
func (f field) parts() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !isList(f.value) {
			yield(asYAML(map[string]any{f.name: whole(f.value)}))
			return
		}
		head, err := asYAML(map[string]any{f.name: []int{0}})
		if !yield(bytes.TrimSuffix(head, []byte("- 0\n")), err) {
			return
		}
		for from := 0; from < f.value.Len(); from += itemsAtATime {
			some := f.value.Slice(from, min(from+itemsAtATime, f.value.Len()))
			if !yield(asYAML(some.Interface())) {
				return
			}
		}
	}
}

// asYAML writes as YAML what encoding/json makes of v.
func asYAML(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	tree, err := Tree(text)
	if err != nil {
		return nil, err
	}
	return YAML(tree)
}
