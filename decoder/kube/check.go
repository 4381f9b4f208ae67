package kube

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/decoder/wire"
)

// Limits of what is handed to a decoder. etcd takes values of 1.5 MiB by
// default, and the deepest objects known, layouts of custom resources, stay
// below a hundred levels.
const (
	maxValue    = 16 << 20 // bytes of a value that is decoded at all
	maxDepth    = 512      // levels of messages, objects and arrays
	maxDecoded  = 32 << 20 // bytes of the Go values that a value asks for beside its text
	maxMantissa = 64       // characters of the number in a resource.Quantity
	maxExponent = 3        // digits of its exponent
	maxNoted    = 16       // paths in a list of a LossError
	maxPath     = 32       // names in a path that is reported
)

var (
	errTooLarge = errors.New("larger than anything an API server stores")
	errTooDeep  = errors.New("nested deeper than anything an API server stores")
	errQuantity = errors.New("quantity out of any sensible range")
)

// LossError says what of a value is not in its decoded object, or not as stored.
type LossError struct {
	// Unknown are fields that the Go type lacks, because a newer Kubernetes or
	// something else wrote them: paths that end in a field number, such as
	// spec.containers.47.
	Unknown []string
	// Garbled are the paths of text that is not UTF-8, which is shown with
	// replacement characters.
	Garbled []string
	// Duplicate are the paths of JSON names that occur again in the same object,
	// where the last one counts.
	Duplicate []string
}

func (e *LossError) Error() string {
	var parts []string
	for _, part := range []struct {
		what  string
		paths []string
	}{
		{"fields unknown to Kubernetes 1.37, left out", e.Unknown},
		{"text that is not UTF-8", e.Garbled},
		{"names given twice, the last one shown", e.Duplicate},
	} {
		if len(part.paths) > 0 {
			parts = append(parts, fmt.Sprintf("%s: %q", part.what, part.paths))
		}
	}
	return strings.Join(parts, "; ")
}

// note appends the path to list, one of e's, unless that is full or ends in it.
func note(list *[]string, path []string) {
	name := joinPath(path)
	if n := len(*list); n < maxNoted && (n == 0 || (*list)[n-1] != name) {
		*list = append(*list, name)
	}
}

// joinPath writes a path with dots; one that is absurdly long is cut.
func joinPath(path []string) string {
	if len(path) > maxPath {
		return strings.Join(path[:maxPath], ".") + "..."
	}
	return strings.Join(path, ".")
}

// err is e, or nil if nothing was lost.
func (e *LossError) err() error {
	if e.Unknown == nil && e.Garbled == nil && e.Duplicate == nil {
		return nil
	}
	return e
}

// checkMessage walks the message b as the generated decoder of t will, and
// refuses what that decoder cannot be trusted with. It returns what the decoder
// will drop or change, and whether it will drop what fields hold that the type had
// once.
//
// It refuses malformed messages, nesting that exhausts the stack (the decoders
// recurse without a bound, through JSONSchemaProps and through groups in a
// Quantity), messages that ask for far more memory than they have bytes (two
// bytes make a Container of more than 600), and quantities whose exponent takes
// hours to expand (1e-1000000000).
func checkMessage(b []byte, t reflect.Type) (loss LossError, outdated bool, err error) {
	var c checker
	err = c.message(b, layoutOf(t), 0)
	if err != nil && len(c.path) > 0 {
		err = fmt.Errorf("field %q: %w", joinPath(c.path), err)
	}
	return c.loss, c.outdated, err
}

type checker struct {
	path     []string // names of the fields on the way down
	decoded  int      // bytes of Go values so far
	loss     LossError
	outdated bool // fields that the type no longer has hold something
}

// message leaves the path to the fault in c.path when it fails.
func (c *checker) message(b []byte, l *layout, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		known, ok := l.fields[f.Num()]
		if !ok {
			if old, ok := l.old[f.Num()]; !ok {
				note(&c.loss.Unknown, append(c.path, strconv.Itoa(int(f.Num()))))
			} else if err := c.removed(b, f, old, depth); err != nil {
				return err
			}
			continue
		}
		c.path = append(c.path, known.name)
		if err := c.field(b, f, known, depth); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}

func (c *checker) field(b []byte, f wire.Field, known layoutField, depth int) error {
	c.decoded += known.size
	if c.decoded > maxDecoded {
		return errTooLarge
	}
	if (f.Type() == wire.Bytes) != known.bytes && !known.list {
		return wire.ErrType // which the decoder of a map's entries does not check
	}
	data := f.Payload(b)
	switch known.kind {
	case message:
		return c.message(data, known.message(), depth+1)
	case quantity:
		if !sensibleQuantity(string(data)) {
			return errQuantity
		}
	case text:
		if !utf8.Valid(data) {
			note(&c.loss.Garbled, c.path)
		}
	}
	return nil
}

// sensibleQuantity says whether resource.ParseQuantity and arithmetic with its
// result take no time worth mentioning. It does not say that s is a quantity.
func sensibleQuantity(s string) bool {
	const number = "+-.0123456789"
	suffix := strings.TrimLeft(s, number)
	if len(s)-len(suffix) > maxMantissa {
		return false
	}
	if suffix == "" || suffix[0] != 'e' && suffix[0] != 'E' || strings.Trim(suffix[1:], number) != "" {
		return true
	}
	return len(strings.TrimLeft(suffix[1:], "+-0")) <= maxExponent
}

// layout is what the protobuf tags of a Go type say about its message.
type layout struct {
	fields map[int32]layoutField
	old    map[int32]oldField // that the type no longer has
}

type layoutField struct {
	name  string // as in JSON
	kind  fieldKind
	bytes bool         // has wire.Bytes, and not a number's wire type
	list  bool         // of numbers, which may be packed
	size  int          // bytes of the Go value that one occurrence makes
	typ   reflect.Type // of a message
	entry *layout      // of a map's entries

	repeated bool // a list
	inline   bool // its fields stand beside the others in JSON
}

type fieldKind int

const (
	leaf     fieldKind = iota // number or bytes, or a list of them
	text                      // string, or a list of them
	message                   // message, a list of them, or a map, which is a list of entries
	quantity                  // the string in a resource.Quantity
)

// message is the layout of what the field holds, found when it is first needed,
// since types are recursive.
func (f layoutField) message() *layout {
	if f.entry != nil {
		return f.entry
	}
	return layoutOf(f.typ)
}

var (
	layouts sync.Map // reflect.Type → *layout

	unmarshaler   = reflect.TypeFor[interface{ Unmarshal([]byte) error }]()
	quantityType  = reflect.TypeFor[resource.Quantity]()
	timeType      = reflect.TypeFor[metav1.Time]()
	microTimeType = reflect.TypeFor[metav1.MicroTime]()
	timestampType = reflect.TypeFor[metav1.Timestamp]()
)

func layoutOf(t reflect.Type) *layout {
	if l, ok := layouts.Load(t); ok {
		return l.(*layout)
	}
	l, _ := layouts.LoadOrStore(t, newLayout(t))
	return l.(*layout)
}

func newLayout(t reflect.Type) *layout {
	l := &layout{fields: map[int32]layoutField{}, old: oldMessages()[messageName(t)]}
	switch {
	case t == timeType || t == microTimeType: // encoded as a Timestamp
		t = timestampType
	case t == quantityType:
		l.fields[1] = layoutField{name: "string", kind: quantity, bytes: true}
		return l
	case t.Kind() == reflect.Slice: // a named list such as Verbs is a message that holds it
		l.fields[1] = newField("items", t.Elem())
		return l
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if num, ok := fieldNumber(f); ok {
			field := newField(fieldName(f), f.Type)
			field.inline = isInline(f)
			l.fields[num] = field
		}
	}
	return l
}

// newField goes by the Go type alone: the tags' own wire types and labels are
// often wrong in k8s.io/api, only their numbers are right.
func newField(name string, t reflect.Type) layoutField {
	f := layoutField{name: name}
	t = deref(t)
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 && !isMessage(t) {
		t = deref(t.Elem())
		f.list, f.repeated = true, true
	}
	f.typ, f.size, f.bytes = t, int(t.Size()), true
	switch {
	case isMessage(t):
		f.kind = message
	case t.Kind() == reflect.Map:
		f.kind = message
		key, value := newField("key", t.Key()), newField("value", t.Elem())
		f.entry = &layout{fields: map[int32]layoutField{1: key, 2: value}}
		f.size = 2 * (key.size + value.size) // with room to grow
	case t.Kind() == reflect.String:
		f.kind = text
	default:
		f.bytes = t.Kind() == reflect.Slice
	}
	f.list = f.list && !f.bytes
	return f
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func isMessage(t reflect.Type) bool { return reflect.PointerTo(t).Implements(unmarshaler) }

// fieldNumber reads the number from a tag such as protobuf:"bytes,1,opt,name=metadata".
func fieldNumber(f reflect.StructField) (int32, bool) {
	parts := strings.Split(f.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0, false
	}
	num, err := strconv.ParseInt(parts[1], 10, 32)
	return int32(num), err == nil
}

func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" || name == "-" {
		return f.Name
	}
	return name
}

// isInline says whether JSON has the fields of f beside those around it.
func isInline(f reflect.StructField) bool {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name == ""
}
