package kube

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"revenant/decoder/wire"
)

// Message is a protobuf message of an unknown type: its fields in stored order.
// Nothing is lost: Append gives back the bytes it was read from.
type Message []Field

// Field is one field of a Message. Exactly what Wire says is set.
type Field struct {
	Number int32
	Wire   wire.Type
	Value  uint64  // of a number
	Bytes  []byte  // of wire.Bytes; aliases the value
	Nested Message // Bytes read as a message, nil where they look like something else
}

// Limits of guessing what bytes mean. What exceeds them stays bytes.
const (
	maxGuessDepth  = 32
	maxGuessFields = 1 << 16
)

var errOverlong = errors.New("number with needless bytes")

// parseMessage reads b as a message and the bytes fields in it as messages
// where they can hardly be anything else.
func parseMessage(b []byte) (Message, error) {
	budget := maxGuessFields
	return parseFields(b, maxGuessDepth, &budget)
}

func parseFields(b []byte, depth int, budget *int) (Message, error) {
	m := Message{}
	for i := 0; i < len(b); {
		f, err := wire.Next(b, i)
		if err != nil {
			return nil, err
		}
		if *budget--; *budget < 0 {
			return nil, errTooLarge
		}
		field := Field{Number: f.Num(), Wire: f.Type()}
		if f.Type() == wire.Bytes {
			field.Bytes = f.Payload(b)
		} else {
			field.Value = f.Val
		}
		if field.size() != f.End-i {
			return nil, errOverlong // it could not be written back
		}
		field.Nested = guessNested(field.Bytes, depth, budget)
		m = append(m, field)
		i = f.End
	}
	return m, nil
}

// guessNested takes b for a message when all of it parses as one and it is not
// text.
func guessNested(b []byte, depth int, budget *int) Message {
	if len(b) == 0 || depth == 0 || isText(b, "") {
		return nil
	}
	m, err := parseFields(b, depth-1, budget)
	if err != nil {
		return nil
	}
	return m
}

// isText says whether b is UTF-8 of visible characters, spaces and those of extra.
func isText(b []byte, extra string) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return false
		}
		if !unicode.IsPrint(r) && !strings.ContainsRune(extra, r) {
			return false
		}
		b = b[n:]
	}
	return true
}

// Append appends the encoding of m to b.
func (m Message) Append(b []byte) []byte {
	for _, f := range m {
		b = binary.AppendUvarint(b, f.tag())
		switch f.Wire {
		case wire.Varint:
			b = binary.AppendUvarint(b, f.Value)
		case wire.Fixed64:
			b = binary.LittleEndian.AppendUint64(b, f.Value)
		case wire.Fixed32:
			b = binary.LittleEndian.AppendUint32(b, uint32(f.Value))
		case wire.Bytes:
			b = binary.AppendUvarint(b, uint64(len(f.Bytes)))
			b = append(b, f.Bytes...)
		}
	}
	return b
}

func (f Field) tag() uint64 { return uint64(f.Number)<<3 | uint64(f.Wire) }

// size is the length of the field's encoding in bytes.
func (f Field) size() int {
	n := protowire.SizeVarint(f.tag())
	switch f.Wire {
	case wire.Varint:
		return n + protowire.SizeVarint(f.Value)
	case wire.Fixed64:
		return n + 8
	case wire.Fixed32:
		return n + 4
	}
	return n + protowire.SizeVarint(uint64(len(f.Bytes))) + len(f.Bytes)
}

// document is m for printing: a list of fields, each with its number and its
// value under the name of its type.
func (m Message) document() []any {
	list := make([]any, len(m))
	for i, f := range m {
		doc := map[string]any{"field": f.Number}
		switch {
		case f.Wire == wire.Varint:
			doc["varint"] = f.Value
		case f.Wire == wire.Fixed64:
			doc["fixed64"] = f.Value
		case f.Wire == wire.Fixed32:
			doc["fixed32"] = f.Value
		case f.Nested != nil:
			doc["message"] = f.Nested.document()
		case isText(f.Bytes, "\t\r\n"):
			doc["string"] = string(f.Bytes)
		default:
			doc["bytes"] = base64.StdEncoding.EncodeToString(f.Bytes)
		}
		list[i] = doc
	}
	return list
}
