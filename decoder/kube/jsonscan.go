package kube

import (
	"encoding/json"
	"errors"
	"iter"

	"revenant/decoder/wire"
)

var errJSON = errors.New("malformed JSON")

// jsonField is a field of a JSON object, or an item of a list, which has no name.
type jsonField struct {
	name  string
	value []byte // its text
}

// jsonFields are the fields of the object, or the items of the list, that b is, up to
// the first that is malformed. What is in a value is stepped over: faults in it go
// unseen.
func jsonFields(b []byte) iter.Seq2[jsonField, error] {
	return func(yield func(jsonField, error) bool) {
		s := jsonScan{b: b}
		closing, ok := map[byte]byte{'{': '}', '[': ']'}[s.next()]
		if !ok {
			yield(jsonField{}, errNoObject)
			return
		}
		s.at++
		for first := true; ; first = false {
			if s.next() == closing && first {
				break
			}
			f, err := s.field(closing == '}')
			if !yield(f, err) || err != nil {
				return
			}
			if s.next() == closing {
				break
			}
			if s.next() != ',' {
				yield(jsonField{}, errJSON)
				return
			}
			s.at++
		}
		if s.at++; s.next() != 0 || s.at < len(b) {
			yield(jsonField{}, errTrailing)
		}
	}
}

// jsonScan steps over JSON.
type jsonScan struct {
	b  []byte
	at int
}

// next is the next byte that is no space, 0 at the end.
func (s *jsonScan) next() byte {
	for ; s.at < len(s.b); s.at++ {
		switch s.b[s.at] {
		case ' ', '\t', '\r', '\n':
		default:
			return s.b[s.at]
		}
	}
	return 0
}

func (s *jsonScan) field(named bool) (f jsonField, err error) {
	if named {
		if s.next() != '"' {
			return f, errJSON
		}
		name, err := s.value()
		if err != nil {
			return f, err
		}
		if f.name, err = jsonText(name); err != nil {
			return f, err
		}
		if s.next() != ':' {
			return f, errJSON
		}
		s.at++
	}
	s.next()
	f.value, err = s.value()
	return f, err
}

// value steps over a value, and returns its text.
func (s *jsonScan) value() ([]byte, error) {
	start := s.at
	switch s.next() {
	case 0:
		return nil, wire.ErrTruncated
	case '"':
		if !s.text() {
			return nil, wire.ErrTruncated
		}
	case '{', '[':
		if !s.nested() {
			return nil, wire.ErrTruncated
		}
	default: // a number, true, false or null
		for s.at < len(s.b) && !structural[s.b[s.at]] {
			s.at++
		}
		if s.at == start {
			return nil, errJSON
		}
	}
	return s.b[start:s.at:s.at], nil
}

// structural are the bytes that end a number or a word.
var structural = [256]bool{'{': true, '}': true, '[': true, ']': true, ',': true, ':': true, '"': true, ' ': true, '\t': true, '\r': true, '\n': true}

// nested steps over an object or list, and says whether it ends.
func (s *jsonScan) nested() bool {
	b, depth := s.b, 0
	for i := s.at; i < len(b); i++ {
		switch b[i] {
		case '"':
			s.at = i
			if !s.text() {
				return false
			}
			i = s.at - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				s.at = i + 1
				return true
			}
		}
	}
	return false
}

// text steps over a string, and says whether it ends.
func (s *jsonScan) text() bool {
	b := s.b
	for i := s.at + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return true
		}
	}
	return false
}

// jsonText is the string that b is.
func jsonText(b []byte) (s string, err error) {
	if n := len(b); n >= 2 && b[0] == '"' && b[n-1] == '"' && plainText(b[1:n-1]) {
		return string(b[1 : n-1]), nil
	}
	err = json.Unmarshal(b, &s)
	return s, err
}

// plainText says whether a string stands in JSON as it is.
func plainText(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c >= 0x7f || c == '\\' || c == '"' {
			return false
		}
	}
	return true
}
