package kube

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"revenant/decoder/wire"
)

// oldTypes says what Kubernetes 1.6 to 1.36 stored and 1.37 has no Go type for: fields
// of messages that are still there, and whole messages. A message is named by the
// folder of its API version and its kind. Its fields follow: number, name in JSON ("-"
// for one whose own fields stand beside the others), type.
//
//go:embed oldtypes.txt
var oldTypes string

// oldField is a field that the Go types no longer have.
type oldField struct {
	name       string
	typ        string // of its items or values, for a list or map
	list, dict bool
	omit       bool // left out of JSON when it is zero
}

const objectMeta = "meta/v1.ObjectMeta"

// oldMessages are those of the table, by name and field number.
var oldMessages = sync.OnceValue(func() map[string]map[int32]oldField {
	table := map[string]map[int32]oldField{}
	var message map[int32]oldField
	for line := range strings.Lines(oldTypes) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case len(words) == 1:
			message = map[int32]oldField{}
			table[words[0]] = message
		default:
			number, err := strconv.ParseInt(words[0], 10, 32)
			if err != nil {
				panic(err)
			}
			f := oldField{name: words[1], typ: words[2], omit: len(words) > 3}
			f.typ, f.list = strings.CutPrefix(f.typ, "[]")
			f.typ, f.dict = strings.CutPrefix(f.typ, "map:")
			message[int32(number)] = f
		}
	}
	return table
})

// oldKind finds the message of a stored object whose Go type is gone, nil for none.
func oldKind(apiVersion, kind string) map[int32]oldField {
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return nil
	}
	folder, rest, _ := strings.Cut(gv.Group, ".")
	if rest != "" && rest != "k8s.io" && rest != "apiserver.k8s.io" {
		return nil
	}
	message := oldMessages()[folder+"/"+gv.Version+"."+kind]
	if message[1].typ != objectMeta {
		return nil
	}
	return message
}

// messageName names the message of a Go type as the table does.
func messageName(t reflect.Type) string {
	path := strings.TrimPrefix(t.PkgPath(), "k8s.io/api/")
	if rest, ok := strings.CutPrefix(path, "k8s.io/apimachinery/pkg/"); ok {
		for _, dir := range []string{"apis/", "api/", "util/"} {
			rest = strings.TrimPrefix(rest, dir)
		}
		path = rest
	}
	return path + "." + t.Name()
}

// goTypes are the Go types of messages, by name.
var goTypes = sync.OnceValue(func() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t.PkgPath() == "" || all[messageName(t)] != nil {
			return
		}
		all[messageName(t)] = t
		for i := range t.NumField() {
			add(t.Field(i).Type)
		}
	}
	for _, t := range types().AllKnownTypes() {
		add(t)
	}
	add(reflect.TypeFor[metav1.Status]())
	return all
})

// decodeOld decodes the message of an object whose Go type is gone into what its JSON
// would be.
func decodeOld(e Envelope, message map[int32]oldField) (map[string]any, LossError, error) {
	var c checker
	doc := map[string]any{"apiVersion": e.APIVersion, "kind": e.Kind}
	if err := c.oldMessage(e.Raw, message, doc, 0); err != nil {
		return nil, LossError{}, fmt.Errorf("field %q: %w", joinPath(c.path), err)
	}
	return doc, c.loss, nil
}

// oldMessage adds to doc what the message b has.
func (c *checker) oldMessage(b []byte, message map[int32]oldField, doc map[string]any, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		known, ok := message[f.Num()]
		if !ok {
			note(&c.loss.Unknown, append(c.path, strconv.Itoa(int(f.Num()))))
			continue
		}
		if err := c.oldField(b, f, known, doc, depth); err != nil {
			return err
		}
	}
	return nil
}

// oldField adds to doc a field of the message b.
func (c *checker) oldField(b []byte, f wire.Field, known oldField, doc map[string]any, depth int) error {
	c.path = append(c.path, known.name)
	if c.decoded += objectSize; c.decoded > maxDecoded {
		return errTooLarge
	}
	data := f.Payload(b)
	var err error
	switch {
	case known.dict:
		err = c.oldEntry(f, data, known, doc, depth)
	case known.list:
		var item any
		item, err = c.oldValue(f, data, known.typ, nil, depth)
		items, _ := doc[known.name].([]any)
		doc[known.name] = append(items, item)
	case known.name == "-":
		_, err = c.oldValue(f, data, known.typ, doc, depth)
	default:
		before, _ := doc[known.name].(map[string]any) // a message given twice is merged
		var v any
		if v, err = c.oldValue(f, data, known.typ, before, depth); err == nil && !(known.omit && zero(v)) {
			doc[known.name] = v
		}
	}
	if err == nil {
		c.path = c.path[:len(c.path)-1]
	}
	return err
}

// oldEntry adds to doc an entry of a map.
func (c *checker) oldEntry(f wire.Field, data []byte, known oldField, doc map[string]any, depth int) error {
	if f.Type() != wire.Bytes {
		return wire.ErrType
	}
	key, value, err := mapEntry(data)
	if err != nil {
		return err
	}
	entry := wire.Field{Tag: uint32(wire.Bytes), End: len(value)}
	v, err := c.oldValue(entry, value, known.typ, nil, depth)
	if err != nil {
		return err
	}
	if known.name != "-" {
		m, _ := doc[known.name].(map[string]any)
		if m == nil {
			m = map[string]any{}
			doc[known.name] = m
		}
		doc = m
	}
	doc[c.text(key)] = v
	return nil
}

// oldValue is the value of a field, in the types of encoding/json with numbers as
// json.Number. A message is added to doc where that is not nil.
func (c *checker) oldValue(f wire.Field, data []byte, typ string, doc map[string]any, depth int) (any, error) {
	want := wire.Bytes
	switch typ {
	case "bool", "int32", "int64", "uint32", "uint64":
		want = wire.Varint
	case "double":
		want = wire.Fixed64
	}
	if f.Type() != want {
		return nil, wire.ErrType
	}
	switch typ {
	case "string":
		return c.text(data), nil
	case "bytes":
		return base64.StdEncoding.EncodeToString(data), nil
	case "bool":
		return f.Val != 0, nil
	case "int32":
		return json.Number(strconv.FormatInt(int64(int32(f.Val)), 10)), nil
	case "int64":
		return json.Number(strconv.FormatInt(int64(f.Val), 10)), nil
	case "uint32", "uint64":
		return json.Number(strconv.FormatUint(f.Val, 10)), nil
	case "double":
		n := math.Float64frombits(f.Val)
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Sprint(n), nil
		}
		return json.Number(strconv.FormatFloat(n, 'g', -1, 64)), nil
	}
	if message, ok := oldMessages()[typ]; ok && goTypes()[typ] == nil {
		if doc == nil {
			doc = map[string]any{}
		}
		return doc, c.oldMessage(data, message, doc, depth+1)
	}
	return c.goValue(data, typ, doc, depth+1)
}

// text is data as a string.
func (c *checker) text(data []byte) string {
	if !utf8.Valid(data) {
		note(&c.loss.Garbled, c.path)
	}
	return string(data)
}

// goValue decodes a message that there is a Go type for.
func (c *checker) goValue(data []byte, typ string, doc map[string]any, depth int) (any, error) {
	t := goTypes()[typ]
	if err := c.message(data, layoutOf(t), depth); err != nil {
		return nil, err
	}
	obj := reflect.New(t).Interface()
	err := guard(func() error { return obj.(interface{ Unmarshal([]byte) error }).Unmarshal(data) })
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	p := newParser(text)
	room := p.room
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if c.decoded += int(t.Size()) + room - p.room; c.decoded > maxDecoded {
		return nil, errTooLarge
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return v, nil
	}
	if err := c.addOld(data, layoutOf(t), fields, depth); err != nil || doc == nil {
		return fields, err
	}
	for name, v := range fields {
		doc[name] = v
	}
	return doc, nil
}

// zero says whether v is left out of JSON where that is asked for.
func zero(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case json.Number:
		return v == "0"
	}
	return false
}

// removed notes a field that its type no longer has. Generated encoders wrote most of
// them in every object, empty; one that is not, and can be read, makes the object have
// more than its Go type takes.
func (c *checker) removed(b []byte, f wire.Field, known oldField, depth int) error {
	if f.Type() == wire.Bytes && f.Start == f.End || f.Type() != wire.Bytes && f.Val == 0 {
		return nil
	}
	reader := checker{decoded: c.decoded}
	err := reader.oldField(b, f, known, map[string]any{}, depth)
	c.decoded = reader.decoded
	switch {
	case err == errTooLarge || err == errTooDeep:
		return err
	case err != nil:
		note(&c.loss.Unknown, append(c.path, strconv.Itoa(int(f.Num()))))
		return nil
	}
	c.outdated = true
	for _, path := range reader.loss.Unknown {
		note(&c.loss.Unknown, append(c.path, path))
	}
	for _, path := range reader.loss.Garbled {
		note(&c.loss.Garbled, append(c.path, path))
	}
	return nil
}

// addOld adds to doc, which is what the type of l makes of the message b, what b has in
// fields that the type no longer has. c.message has checked b.
func (c *checker) addOld(b []byte, l *layout, doc map[string]any, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	var seen map[int32]int
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		known, ok := l.fields[f.Num()]
		if !ok {
			old, ok := l.old[f.Num()]
			if ok {
				n := len(c.path)
				if err := c.oldField(b, f, old, doc, depth); err != nil {
					c.path = c.path[:n] // it was noted as unknown
				}
			}
			continue
		}
		if known.kind != message {
			continue
		}
		data, inner := f.Payload(b), known.message()
		var part any
		switch {
		case known.inline:
			part = doc
		case known.entry != nil:
			value := known.entry.fields[2]
			key, item, err := mapEntry(data)
			if err != nil || value.kind != message {
				continue
			}
			m, _ := doc[known.name].(map[string]any)
			part, data, inner = m[string(key)], item, value.message()
		case known.repeated:
			if seen == nil {
				seen = map[int32]int{}
			}
			items, _ := doc[known.name].([]any)
			if n := seen[f.Num()]; n < len(items) {
				part = items[n]
			}
			seen[f.Num()]++
		default:
			part = doc[known.name]
		}
		if m, ok := part.(map[string]any); ok {
			if err := c.addOld(data, inner, m, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
