package main

import (
	"encoding/json"
	"io"
	"reflect"
	"strconv"
	"strings"
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
	path       []string // names and numbers on the way down
	unwritable []unwritable
}

// prepare makes every nil list below v an empty one, which JSON has as [] and not as
// null, and notes what cannot be written. What encodes itself is left alone.
func (p *preparation) prepare(v reflect.Value) {
	switch t := v.Interface().(type) {
	case data.Time:
		if text := t.Text(); text != "" {
			p.note(unwritable{Problem: "a time that RFC 3339 cannot hold", Text: text})
		}
		return
	case *data.Time: // which would count as a json.Marshaler
		if t != nil {
			p.prepare(v.Elem())
		}
		return
	case json.Marshaler:
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			p.prepare(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			p.field(v.Type().Field(i), v.Field(i))
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			p.below(strconv.Itoa(i), v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			p.text(key.String()) // of a map's keys, which are all strings
			p.below(key.String(), v.MapIndex(key))
		}
	case reflect.String:
		p.text(v.String())
	}
}

func (p *preparation) field(f reflect.StructField, v reflect.Value) {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case !f.IsExported() || f.Tag.Get("json") == "-":
	case f.Anonymous && name == "": // its fields are the document's
		p.prepare(v)
	case name == "":
		p.below(f.Name, v)
	default:
		p.below(name, v)
	}
}

func (p *preparation) below(name string, v reflect.Value) {
	p.path = append(p.path, name)
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
	for _, name := range p.path {
		u.At += "/" + pointerEscapes.Replace(name)
	}
	p.unwritable = append(p.unwritable, u)
}
