package kube

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"

	"revenant/decoder/wire"
)

// Part is a part of a stored value that has a content of its own: a text, a number, or
// bytes.
type Part struct {
	What PartKind
	// Path are the names of the fields that lead to the part, as in JSON, the outermost
	// first. The key of a map stands in it for the field it is, and is then not there for
	// a PartKey; items of a list have no name. It is valid during the visit only.
	Path []string
	// Bytes are the part as it is stored. They may be changed, and no byte of the value
	// beside them.
	Bytes []byte
}

// Name is the innermost field of the path, "" for none, and Parent the one around it.
func (p *Part) Name() string   { return p.up(1) }
func (p *Part) Parent() string { return p.up(2) }

func (p *Part) up(n int) string {
	if n > len(p.Path) {
		return ""
	}
	return p.Path[len(p.Path)-n]
}

// PartKind says what a part is.
type PartKind int

// The kinds of parts. Numbers, booleans and times of known protobuf fields are no parts.
const (
	PartText     PartKind = iota // a string; of JSON what stands between the quotes, escapes and all
	PartKey                      // the key of a map or, in JSON, the name of a field
	PartBytes                    // bytes, which may be anything
	PartQuantity                 // the text of a resource.Quantity
	PartNumber                   // a number of JSON, as it is written
	PartVarint                   // a protobuf number in a field that is not known
	PartFixed                    // another such number
	PartUnknown                  // the bytes of a field that is not known
)

var errNotWalked = errors.New("in no encoding that is walked")

// Walk visits every part of a stored value, protobuf or JSON, in place: what visit changes
// of a part's bytes is changed in the value. A message of a type that is not known has
// metadata in its first field, and nothing else that is known.
//
// The error says what is malformed, or that the value is encrypted (*EncryptedError) or in
// another encoding; then some parts may have been visited and others not.
func Walk(value []byte, visit func(*Part)) error {
	e, err := ParseEnvelope(value)
	switch {
	case err != nil:
		return err
	case e.Encoding == Encrypted:
		return e.encrypted()
	case e.Encoding == JSON:
		return WalkJSON(value, visit)
	case e.Encoding != Protobuf:
		return errNotWalked
	}
	w := walker{visit: visit}
	body := value[len(protobufMagic):]
	for f, err := range wire.Fields(body) {
		if err != nil {
			return err
		}
		switch data := f.Payload(body); {
		case f.Num() == 1 && f.Type() == wire.Bytes:
			err = w.message(data, typeMeta, 0)
		case f.Num() == 2 && f.Type() == wire.Bytes:
			err = w.message(data, layoutFor(e.APIVersion, e.Kind), 0)
		default:
			w.unknown(f, data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// typeMeta is the layout of a runtime.TypeMeta (apimachinery pkg/runtime/generated.proto).
var typeMeta = &layout{fields: map[int32]layoutField{
	1: {name: "apiVersion", kind: text, bytes: true},
	2: {name: "kind", kind: text, bytes: true},
}}

// layoutFor is the layout of a kind, that of metadata alone where it is not known.
func layoutFor(apiVersion, kind string) *layout {
	if obj, err := newTyped(apiVersion, kind); err == nil {
		if t := reflect.TypeOf(obj).Elem(); isMessage(t) {
			return layoutOf(t)
		}
	}
	return metadataOnly()
}

var metadataOnly = sync.OnceValue(func() *layout {
	return &layout{fields: map[int32]layoutField{1: newField("metadata", goTypes()[objectMeta])}}
})

type walker struct {
	visit func(*Part)
	part  Part
}

func (w *walker) at(what PartKind, b []byte) {
	w.part.What, w.part.Bytes = what, b
	w.visit(&w.part)
}

func (w *walker) message(b []byte, l *layout, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		data := f.Payload(b)
		known, ok := l.fields[f.Num()]
		if !ok {
			w.unknown(f, data)
			continue
		}
		if (f.Type() == wire.Bytes) != known.bytes && !known.list {
			return wire.ErrType
		}
		w.part.Path = append(w.part.Path, known.name)
		switch {
		case known.entry != nil:
			err = w.entry(data, known.entry, depth+1)
		case known.kind == message:
			err = w.message(data, known.message(), depth+1)
		default:
			w.leaf(known, data)
		}
		if err != nil {
			return err
		}
		w.part.Path = w.part.Path[:len(w.part.Path)-1]
	}
	return nil
}

// leaf is a field that is no message.
func (w *walker) leaf(known layoutField, data []byte) {
	switch {
	case known.kind == quantity:
		w.at(PartQuantity, data)
	case known.kind == text:
		w.at(PartText, data)
	case known.bytes:
		w.at(PartBytes, data)
	}
}

// entry is an entry of a map: its value is visited before its key, which leads to it.
func (w *walker) entry(b []byte, l *layout, depth int) error {
	key, _, err := mapEntry(b)
	if err != nil {
		return err
	}
	w.part.Path = append(w.part.Path, string(key))
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		data := f.Payload(b)
		value := l.fields[2]
		switch {
		case f.Num() == 1:
		case f.Num() != 2:
			w.unknown(f, data)
		case value.kind == message:
			err = w.message(data, value.message(), depth)
		case f.Type() != wire.Bytes:
			return wire.ErrType
		default:
			w.leaf(value, data)
		}
		if err != nil {
			return err
		}
	}
	w.part.Path = w.part.Path[:len(w.part.Path)-1]
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Num() == 1 {
			w.at(PartKey, f.Payload(b))
		}
	}
	return nil
}

// unknown is a field that no type has, or has any longer.
func (w *walker) unknown(f wire.Field, data []byte) {
	switch f.Type() {
	case wire.Bytes:
		w.at(PartUnknown, data)
	case wire.Varint:
		w.at(PartVarint, data)
	default:
		w.at(PartFixed, data)
	}
}

// maxJSONDepth is how deep JSON may be nested, so that a path stays short.
const maxJSONDepth = maxDepth

// WalkJSON visits every name, string and number of a JSON text in place.
func WalkJSON(b []byte, visit func(*Part)) error {
	if !json.Valid(b) {
		return errors.New("not JSON")
	}
	w := walker{visit: visit}
	var open []byte // the brackets that are open
	named := false  // a name was read, and its value has not been
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '{', '[':
			if len(open) == maxJSONDepth {
				return errTooDeep
			}
			open = append(open, c)
			if c == '{' {
				w.part.Path = append(w.part.Path, "")
			}
			named = false
			i++
		case '}', ']':
			if c == '}' {
				w.part.Path = w.part.Path[:len(w.part.Path)-1]
			}
			open = open[:len(open)-1]
			i++
		case '"':
			end := i + 1
			for b[end] != '"' {
				if b[end] == '\\' {
					end++
				}
				end++
			}
			content := b[i+1 : end : end]
			i = end + 1
			if isName := len(open) > 0 && open[len(open)-1] == '{' && !named; !isName {
				w.at(PartText, content)
				named = false
				break
			}
			name, path := string(content), w.part.Path
			w.part.Path = path[:len(path)-1]
			w.at(PartKey, content)
			w.part.Path = append(path[:len(path)-1], name)
			named = true
		case ',':
			named = false
			i++
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end := i + 1
			for end < len(b) && strings.IndexByte("0123456789+-.eE", b[end]) >= 0 {
				end++
			}
			w.at(PartNumber, b[i:end:end])
			named = false
			i = end
		default: // white space, a colon, true, false or null
			if c == 't' || c == 'f' || c == 'n' {
				named = false
			}
			i++
		}
	}
	return nil
}

// FieldNames are the names that fields of the built-in types have in JSON, and those of
// them that hold one of a few words that Kubernetes defines, such as phase or protocol.
func FieldNames() (all, worded map[string]bool) { return fieldNames().all, fieldNames().worded }

type names struct{ all, worded map[string]bool }

var fieldNames = sync.OnceValue(func() names {
	n := names{map[string]bool{}, map[string]bool{}}
	for _, t := range goTypes() {
		for i := range t.NumField() {
			f := t.Field(i)
			name := fieldName(f)
			if name == f.Name && !strings.Contains(f.Tag.Get("json"), name) {
				continue // it has none in JSON
			}
			n.all[name] = true
			item := f.Type
			for item.Kind() == reflect.Pointer || item.Kind() == reflect.Slice {
				item = item.Elem()
			}
			if item.Kind() == reflect.String && strings.HasPrefix(item.PkgPath(), "k8s.io/api") && item.Name() != "UID" {
				n.worded[name] = true
			}
		}
	}
	return n
})

// Words are the kinds, groups and plurals of the built-in types.
func Words() (list []string) {
	for kind := range types().AllKnownTypes() {
		list = append(list, kind.Kind, kind.Group, kind.GroupVersion().String())
	}
	for i := range builtIn {
		list = append(append(list, builtIn[i].Name, builtIn[i].Kind), builtIn[i].Groups...)
	}
	return list
}
