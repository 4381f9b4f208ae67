// Package strictjson reads JSON from a stream, requesting by name the values it
// needs.
//
// It takes an untrusted stream and returns the requested values; the rest is checked
// and skipped, and not kept. Memory does not depend on the content of the document.
//
// It refuses a document that is not JSON: Err says why. A document has a fault when
// it is JSON that can be read in more than one way: a requested name occurs twice or
// in different case (encoding/json takes the last one, whatever its case), a value
// has another type, or a name is not UTF-8. After a fault, no caller may assume that
// it has seen everything.
package strictjson

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	// deepest is how deeply values may be nested.
	deepest = 500
	// longest is how many bytes a string may have that is asked for.
	longest = 4096
	// kept is how many faults are kept in words; the others are counted.
	kept = 3
)

// Reader reads one document. After an error all of its methods do nothing, so that
// Err needs to be asked only once, at the end.
type Reader struct {
	in     io.Reader
	what   string
	buffer []byte
	at     int   // of the next byte in the buffer
	passed int64 // bytes before the buffer
	depth  int
	blank  bool // only white space has been read
	path   []step
	text   []byte // the string or number that was read last
	err    error
	faults []string
	more   int // faults that are only counted
}

// step leads into an object (name) or an array.
type step struct {
	name  string
	index int
}

// NewReader reads from in what the caller calls what, as in "is no WHAT".
func NewReader(in io.Reader, what string) *Reader {
	return &Reader{in: in, what: what, buffer: make([]byte, 0, 8<<10), blank: true}
}

// Err is why the document is refused, as a predicate: "is cut short after 7 bytes".
func (r *Reader) Err() error { return r.err }

// Faults are the first faults, as predicates, and one that counts the others.
func (r *Reader) Faults() []string {
	if r.more == 0 {
		return r.faults
	}
	return append(r.faults[:len(r.faults):len(r.faults)], fmt.Sprintf("has %d more faults", r.more))
}

// Fault notes a fault at the place that is being read, which is put between the
// two halves of its text.
func (r *Reader) Fault(before, after string) {
	if len(r.faults) == kept {
		r.more++
		return
	}
	r.faults = append(r.faults, before+r.place()+after)
}

// place is where the reader is: items[3].metadata.uid.
func (r *Reader) place() string {
	var b strings.Builder
	for _, s := range r.path {
		switch {
		case s.name == "":
			fmt.Fprintf(&b, "[%d]", s.index)
		case strings.Contains(s.name, "."):
			fmt.Fprintf(&b, "[%q]", s.name)
		case b.Len() == 0:
			b.WriteString(s.name)
		default:
			b.WriteString("." + s.name)
		}
	}
	return b.String()
}

// Object reads an object and calls member for each name that was asked for, which
// has to read the value. At most 64 names can be asked for; "" as the last asks for
// all others. Null is no object, and no fault.
func (r *Reader) Object(names []string, member func(name string)) bool {
	return r.object(names, member, true)
}

// Map reads an object whose names are data, like labels: names that differ in case
// are different ones.
func (r *Reader) Map(names []string, member func(name string)) bool {
	return r.object(names, member, false)
}

func (r *Reader) object(names []string, member func(name string), spelling bool) bool {
	if !r.enter('{') {
		return false
	}
	var seen uint64
	for first := true; r.goesOn('}', first); first = false {
		n := r.name(names, spelling)
		switch {
		case n < 0:
			r.Skip()
			continue
		case names[n] == "":
			member("")
			continue
		}
		r.path = append(r.path, step{name: names[n]})
		if seen&(1<<n) != 0 {
			r.Fault("has ", " twice")
			r.Skip()
		} else {
			seen |= 1 << n
			member(names[n])
		}
		r.path = r.path[:len(r.path)-1]
	}
	return r.err == nil
}

// name reads a name and its colon. It returns which of the names it is, -1 if none.
func (r *Reader) name(names []string, spelling bool) int {
	if r.peek() != '"' {
		r.unexpected()
		return -1
	}
	whole, valid := r.string(true)
	if r.err == nil && !valid {
		r.Fault("has a name that is no UTF-8 in ", "")
	}
	found := -1
	for i, name := range names {
		switch {
		case name == "" && found < 0:
			found = i
		case !whole:
		case string(r.text) == name:
			found = i
		case spelling && bytes.EqualFold(r.text, []byte(name)):
			r.misspelled(name)
		}
	}
	if r.peek() != ':' {
		r.unexpected()
		return -1
	}
	r.next()
	return found
}

// misspelled notes that a name was written in other letters.
func (r *Reader) misspelled(name string) {
	in := ""
	if len(r.path) > 0 {
		in = " in "
	}
	r.Fault(fmt.Sprintf("has %q instead of %q%s", r.text, name, in), "")
}

// Array reads an array and calls element for each of its values, which it has to
// read. Null is no array, and no fault.
func (r *Reader) Array(element func(index int)) bool {
	if !r.enter('[') {
		return false
	}
	for i := 0; r.goesOn(']', i == 0); i++ {
		r.path = append(r.path, step{index: i})
		element(i)
		r.path = r.path[:len(r.path)-1]
	}
	return r.err == nil
}

// enter passes the bracket of an object or an array, if the value is one.
func (r *Reader) enter(open byte) bool {
	switch b := r.peek(); {
	case b == open:
		return r.deeper()
	case b != 'n':
		r.mistyped()
	}
	r.Skip()
	return false
}

// deeper passes an opening bracket.
func (r *Reader) deeper() bool {
	if r.depth++; r.depth > deepest && r.err == nil {
		r.fail(fmt.Errorf("is nested deeper than %d levels at byte %d", deepest, r.position()))
	}
	r.next()
	return r.err == nil
}

// goesOn says whether another member or element follows, and passes what is
// before it, or the closing bracket.
func (r *Reader) goesOn(closing byte, first bool) bool {
	switch b := r.peek(); {
	case b == closing:
		r.next()
		r.depth--
		return false
	case first:
	case b == ',':
		r.next()
	default:
		r.unexpected()
	}
	return r.err == nil
}

// Null passes the value if it is null.
func (r *Reader) Null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.Skip()
	return r.err == nil
}

// Some passes the value, which has to be an object or null, and says whether it is
// an object.
func (r *Reader) Some() bool { return r.Object(nil, nil) }

// Number says whether the value is a number.
func (r *Reader) Number() bool {
	b := r.peek()
	return b == '-' || digit(b)
}

// List says whether the value is an array.
func (r *Reader) List() bool { return r.peek() == '[' }

// String reads a string; null is "".
func (r *Reader) String() string {
	if r.peek() != '"' {
		if !r.Null() {
			r.mistyped()
			r.Skip()
		}
		return ""
	}
	switch whole, valid := r.string(true); {
	case r.err != nil:
		return ""
	case !whole:
		r.Fault("has ", fmt.Sprintf(", which is longer than %d bytes", longest))
		return ""
	case !valid:
		r.Fault("has ", ", which is no UTF-8")
		return ""
	}
	return string(r.text)
}

// Int reads an integer; null is 0.
func (r *Reader) Int() int64 {
	if !r.Number() {
		if !r.Null() {
			r.mistyped()
			r.Skip()
		}
		return 0
	}
	whole := r.number()
	n, err := strconv.ParseInt(string(r.text), 10, 64)
	if r.err == nil && (err != nil || !whole) {
		r.Fault("has ", ", which is no integer")
		return 0
	}
	return n
}

// Skip passes the value, whatever it is.
func (r *Reader) Skip() {
	switch b := r.peek(); {
	case b == '{':
		r.deeper()
		for first := true; r.goesOn('}', first); first = false {
			r.name(nil, false)
			r.Skip()
		}
	case b == '[':
		r.deeper()
		for first := true; r.goesOn(']', first); first = false {
			r.Skip()
		}
	case b == '"':
		r.string(false)
	case b == '-' || digit(b):
		r.number()
	case b == 't':
		r.literal("true")
	case b == 'f':
		r.literal("false")
	case b == 'n':
		r.literal("null")
	default:
		r.unexpected()
	}
}

// End wants nothing but white space to follow.
func (r *Reader) End() {
	if r.err != nil {
		return
	}
	if r.peek(); r.err == nil {
		r.fail(fmt.Errorf("goes on after its end, at byte %d", r.position()))
	} else if _, ends := r.err.(cutError); ends {
		r.err = nil
	}
}
