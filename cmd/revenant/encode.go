package main

import (
	"cmp"
	"encoding/json"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	data "revenant/decoder/document"
)

const indent = "  "

// encodeData writes the document as JSON or YAML.
func encodeData(w io.Writer, format string, doc document) error {
	var p preparation
	p.prepare(reflect.ValueOf(doc))
	var added []data.Field
	if len(p.unwritable) > 0 {
		added = append(added, data.Field{Name: "unwritable", Value: p.unwritable})
	}
	if format == "yaml" {
		return data.WriteYAML(w, doc, added...)
	}
	return data.WriteJSON(w, doc, indent, added...)
}

// unwritable is something that JSON and YAML cannot hold as it is.
type unwritable struct {
	At      string `json:"at"` // JSON pointer (RFC 6901)
	Problem string `json:"problem"`
	Text    string `json:"text,omitempty"`   // of a time, which is null in its place
	Base64  []byte `json:"base64,omitempty"` // of a text, which has U+FFFD for the bytes that are not UTF-8
}

// preparation makes a document ready to be encoded.
type preparation struct {
	path       []step
	unwritable []unwritable
}

// step is a name or the number of an item, from 1 on, on the way down.
type step struct {
	name string
	item int // 0 for a name
}

// prepare makes every nil list below v an empty one, which JSON has as [] and not as
// null, and notes what cannot be written. What encodes itself is left alone.
func (p *preparation) prepare(v reflect.Value) {
	of := shapeOf(v.Type())
	switch of.how {
	case asTime:
		if text := v.Interface().(data.Time).Text(); text != "" {
			p.note(unwritable{Problem: "a time that RFC 3339 cannot hold", Text: text})
		}
	case asPointer:
		if !v.IsNil() {
			p.prepare(v.Elem())
		}
	case asStruct:
		for _, f := range of.fields {
			switch v := v.Field(f.index); {
			case shapeOf(v.Type()).how == asIs:
			case f.name == "": // its fields are the document's
				p.prepare(v)
			default:
				p.below(step{name: f.name}, v)
			}
		}
	case asList:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		if shapeOf(v.Type().Elem()).how == asIs {
			return
		}
		for i := range v.Len() {
			p.below(step{item: i + 1}, v.Index(i))
		}
	case asMap:
		for _, key := range v.MapKeys() {
			p.text(key.String()) // of a map's keys, which are all strings
			p.below(step{name: key.String()}, v.MapIndex(key))
		}
	case asText:
		p.text(v.String())
	}
}

// shape is what is to be done about the values of a type.
type shape struct {
	how    how
	fields []shapeField // of a struct
}

type shapeField struct {
	index int
	name  string // "" of one whose fields are the document's
}

type how int

const (
	asIs how = iota // nothing: it encodes itself, or can always be written
	asTime
	asPointer
	asStruct
	asList
	asMap
	asText
)

var shapes sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := newShape(t)
	shapes.Store(t, s)
	return s
}

func newShape(t reflect.Type) *shape {
	switch t {
	case reflect.TypeFor[data.Time]():
		return &shape{how: asTime}
	case reflect.TypeFor[*data.Time](): // which would count as a json.Marshaler
		return &shape{how: asPointer}
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) {
		return &shape{}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface:
		return &shape{how: asPointer}
	case reflect.Slice:
		return &shape{how: asList}
	case reflect.Map:
		return &shape{how: asMap}
	case reflect.String:
		return &shape{how: asText}
	case reflect.Struct:
	default:
		return &shape{}
	}
	s := &shape{how: asStruct}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case !f.IsExported() || tag == "-":
		case f.Anonymous && name == "":
			s.fields = append(s.fields, shapeField{i, ""})
		default:
			s.fields = append(s.fields, shapeField{i, cmp.Or(name, f.Name)})
		}
	}
	return s
}

func (p *preparation) below(s step, v reflect.Value) {
	p.path = append(p.path, s)
	p.prepare(v)
	p.path = p.path[:len(p.path)-1]
}

func (p *preparation) text(s string) {
	if !utf8.ValidString(s) {
		p.note(unwritable{Problem: "text that is not UTF-8", Base64: []byte(s)})
	}
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func (p *preparation) note(u unwritable) {
	for _, s := range p.path {
		if s.item > 0 {
			s.name = strconv.Itoa(s.item - 1)
		}
		u.At += "/" + pointerEscapes.Replace(s.name)
	}
	p.unwritable = append(p.unwritable, u)
}
