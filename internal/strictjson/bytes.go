package strictjson

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// cutError is the end of the stream where more belongs.
type cutError struct{ after int64 }

func (e cutError) Error() string { return fmt.Sprintf("is cut short after %d bytes", e.after) }

// peek is the next byte that is no white space, 0 after an error.
func (r *Reader) peek() byte {
	for {
		b := r.look()
		switch b {
		case ' ', '\t', '\n', '\r':
			r.next()
			continue
		}
		r.blank = r.blank && r.err != nil
		return b
	}
}

// look is the next byte, 0 after an error.
func (r *Reader) look() byte {
	if r.at < len(r.buffer) {
		return r.buffer[r.at]
	}
	return r.fill()
}

// fill reads on and returns the next byte.
func (r *Reader) fill() byte {
	if r.err != nil {
		return 0
	}
	r.passed += int64(len(r.buffer))
	r.buffer, r.at = r.buffer[:0], 0
	n, err := 0, error(nil)
	for idle := 0; n == 0 && err == nil; idle++ {
		if n, err = r.in.Read(r.buffer[:cap(r.buffer)]); n == 0 && err == nil && idle == 100 {
			err = io.ErrNoProgress
		}
	}
	r.buffer = r.buffer[:n]
	switch {
	case n > 0: // an error comes again
		return r.buffer[0]
	case err != io.EOF:
		r.fail(fmt.Errorf("cannot be read: %w", err))
	case r.blank:
		r.fail(errors.New("is empty"))
	default:
		r.fail(cutError{r.passed})
	}
	return 0
}

// fail ends the reading.
func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.passed += int64(r.at)
	r.buffer, r.at = r.buffer[:0], 0
}

// next passes the byte that was looked at.
func (r *Reader) next() {
	if r.at < len(r.buffer) {
		r.at++
	}
}

// position is that of the next byte, from 1.
func (r *Reader) position() int64 { return r.passed + int64(r.at) + 1 }

func (r *Reader) unexpected() {
	if b := r.look(); r.err == nil {
		r.fail(fmt.Errorf("is no JSON at byte %d: unexpected %q", r.position(), rune(b)))
	}
}

// mistyped notes that the value is of another type than was asked for.
func (r *Reader) mistyped() {
	b := r.peek()
	switch {
	case r.err != nil:
	case !strings.ContainsRune(`{["tf-0123456789`, rune(b)):
		r.unexpected()
	case len(r.path) == 0:
		r.Fault(fmt.Sprintf("is no %s at byte %d: it is %s", r.what, r.position(), typeName(b)), "")
	case len(r.faults) == kept:
		r.more++
	default:
		r.Fault(fmt.Sprintf("is no %s at byte %d: ", r.what, r.position()), " is "+typeName(b))
	}
}

func typeName(b byte) string {
	switch b {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

// string reads a string into r.text if it is to be kept. It says whether r.text has
// all of it, and whether it is UTF-8.
func (r *Reader) string(keep bool) (whole, valid bool) {
	r.next()
	r.text = r.text[:0]
	whole, valid = true, true
	for {
		b := r.look()
		switch {
		case r.err != nil:
			return false, false
		case b == '"':
			r.next()
			return whole, valid && (!whole || utf8.Valid(r.text))
		case b < ' ':
			r.unexpected()
		case b == '\\':
			c := r.escape()
			valid = valid && c != utf8.RuneError
			if keep && len(r.text) < longest {
				r.text = utf8.AppendRune(r.text, c)
				continue
			}
		case keep && len(r.text) < longest:
			r.text = append(r.text, b)
			r.next()
			continue
		default:
			r.next()
		}
		whole = false
	}
}

// escape reads what a backslash begins, or two that are a surrogate pair. Half a
// pair is utf8.RuneError.
func (r *Reader) escape() rune {
	c := r.unit()
	if !utf16.IsSurrogate(c) {
		return c
	}
	if r.look() != '\\' {
		return utf8.RuneError
	}
	return utf16.DecodeRune(c, r.unit())
}

// unit reads one escape: a character, or half a surrogate pair.
func (r *Reader) unit() rune {
	r.next()
	b := r.look()
	if b == 'u' {
		return r.hex()
	}
	c := strings.IndexByte(`"\/bfnrt`, b)
	if c < 0 {
		r.unexpected()
		return utf8.RuneError
	}
	r.next()
	return rune("\"\\/\b\f\n\r\t"[c])
}

// hex reads the u of an escape and its four digits.
func (r *Reader) hex() (c rune) {
	r.next()
	for range 4 {
		n := strings.IndexByte("0123456789abcdefABCDEF", r.look())
		if n < 0 {
			r.unexpected()
			return utf8.RuneError
		}
		if n > 15 {
			n -= 6
		}
		c = c<<4 | rune(n)
		r.next()
	}
	return c
}

// number reads a number into r.text and says whether it has all of it.
func (r *Reader) number() (whole bool) {
	r.text = r.text[:0]
	if r.look() == '-' {
		r.take()
	}
	if r.look() == '0' {
		r.take()
	} else {
		r.digits()
	}
	if r.follows(".") {
		r.take()
		r.digits()
	}
	if r.follows("eE") {
		r.take()
		if r.follows("+-") {
			r.take()
		}
		r.digits()
	}
	return len(r.text) < longest
}

func (r *Reader) digits() {
	if !digit(r.look()) {
		r.unexpected()
	}
	for r.follows("0123456789") {
		r.take()
	}
}

// take passes a byte and keeps it, if there is room.
func (r *Reader) take() {
	if b := r.look(); len(r.text) < longest {
		r.text = append(r.text, b)
	}
	r.next()
}

// follows says whether the next byte is any of these. A number may be all of the
// document: its end is no error.
func (r *Reader) follows(any string) bool {
	if r.err != nil {
		return false
	}
	b := r.look()
	if _, ends := r.err.(cutError); ends {
		r.err = nil
		return false
	}
	return r.err == nil && strings.IndexByte(any, b) >= 0
}

func (r *Reader) literal(word string) {
	for i := range len(word) {
		if r.look() != word[i] {
			r.unexpected()
			return
		}
		r.next()
	}
}

func digit(b byte) bool { return '0' <= b && b <= '9' }
