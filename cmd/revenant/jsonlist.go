package main

import (
	"bytes"
	"fmt"
	"io"
	"reflect"

	data "revenant/decoder/document"
)

// jsonList writes a document as JSON whose one list is too long to be held: what comes
// before it, item by item, and what comes after it.
type jsonList struct {
	w     io.Writer
	name  string
	items int
	p     preparation
}

// begin writes the fields of a struct, and opens the list.
func (l *jsonList) begin(head any) error {
	text, err := l.fields(head)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.w, "%s,\n%s%q: [", text, indent, l.name)
	return err
}

// add writes an item, all of it at once.
func (l *jsonList) add(item any) error {
	l.p.path = []step{{name: l.name}, {item: l.items + 1}}
	l.p.prepare(reflect.ValueOf(item))
	text, err := data.JSON(item, indent)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if l.items > 0 {
		b.WriteByte(',')
	}
	b.WriteByte('\n')
	if err := writeIndented(&b, indent+indent, indent+indent, text); err != nil {
		return err
	}
	l.items++
	_, err = l.w.Write(b.Bytes())
	return err
}

// end closes the list, and writes the fields of a struct after it.
func (l *jsonList) end(tail any) error {
	l.p.path = nil
	text, err := l.fields(tail)
	if err != nil {
		return err
	}
	closing := "],"
	if l.items > 0 {
		closing = "\n" + indent + closing
	}
	if len(l.p.unwritable) > 0 {
		list, err := l.fields(struct {
			Unwritable []unwritable `json:"unwritable"`
		}{l.p.unwritable})
		if err != nil {
			return err
		}
		text = fmt.Appendf(text, ",%s", bytes.TrimPrefix(list, []byte("{")))
	}
	_, err = fmt.Fprintf(l.w, "%s%s\n}\n", closing, bytes.TrimPrefix(text, []byte("{")))
	return err
}

// fields are those of a struct as JSON, without the brace that closes them.
func (l *jsonList) fields(v any) ([]byte, error) {
	l.p.prepare(reflect.ValueOf(v))
	text, err := data.JSON(v, indent)
	return bytes.TrimSuffix(text, []byte("\n}\n")), err
}
