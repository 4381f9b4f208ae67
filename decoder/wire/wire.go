// Package wire reads protobuf's encoding without the messages' types: the bytes of a
// message go in, its fields come out, as ranges of those bytes.
//
// It allocates nothing and does not recurse. It refuses what is not protobuf, and
// groups, which neither Kubernetes nor etcd writes and over which generated decoders
// recurse.
package wire

import (
	"encoding/binary"
	"errors"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
)

// Type is how a field is encoded.
type Type uint8

// Wire types of protobuf's encoding.
const (
	Varint  Type = 0
	Fixed64 Type = 1
	Bytes   Type = 2
	Fixed32 Type = 5
)

// What is wrong with a message.
var (
	ErrTruncated   = errors.New("message is cut off")
	ErrVarint      = errors.New("number of more than 64 bits")
	ErrFieldNumber = errors.New("impossible field number")
	ErrGroup       = errors.New("group, which neither Kubernetes nor etcd writes")
	ErrType        = errors.New("field has a wrong wire type")
)

// Field is one field of a message. It has no more parts than the compiler keeps in
// registers.
type Field struct {
	Tag        uint32 // the field's number and its type, as encoded
	Val        uint64 // a number, or the length of Bytes
	Start, End int    // of the payload in the message; End is where the next field starts
}

// Num is the field's number, at least 1.
func (f Field) Num() int32 { return int32(f.Tag >> 3) }

// Type is how the field is encoded.
func (f Field) Type() Type { return Type(f.Tag & 7) }

// Payload is what the field of b holds. It aliases b, and appending to it copies it.
func (f Field) Payload(b []byte) []byte { return b[f.Start:f.End:f.End] }

// Bytes is the payload of a field of b that has to be of type Bytes, or ErrType.
func (f Field) Bytes(b []byte) ([]byte, error) {
	if f.Type() != Bytes {
		return nil, ErrType
	}
	return f.Payload(b), nil
}

// Next reads the field of the message b that starts at i < len(b).
//
// It is stricter than the generated decoders of Kubernetes: it refuses groups and bits
// beyond the width of a number, which those drop.
func Next(b []byte, i int) (Field, error) { return read(b, i, true) }

// Head is Next where b is only the beginning of a message: of a field of type Bytes,
// whose payload may extend past b, it leaves End 0.
func Head(b []byte, i int) (Field, error) { return read(b, i, false) }

func read(b []byte, i int, whole bool) (f Field, err error) {
	tag, n := Uvarint(b[i:])
	if n <= 0 {
		return f, varintError(n)
	}
	i += n
	if tag>>3 == 0 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return f, ErrFieldNumber
	}
	f.Tag, f.Start = uint32(tag), i
	switch Type(tag & 7) {
	case Varint:
		if f.Val, n = Uvarint(b[i:]); n <= 0 {
			return f, varintError(n)
		}
		f.End = i + n
	case Bytes:
		if f.Val, n = Uvarint(b[i:]); n <= 0 {
			return f, varintError(n)
		}
		f.Start = i + n
		if !whole {
			break
		}
		if f.Val > uint64(len(b)-f.Start) {
			return f, ErrTruncated
		}
		f.End = f.Start + int(f.Val)
	case Fixed64:
		if len(b)-i < 8 {
			return f, ErrTruncated
		}
		f.Val, f.End = binary.LittleEndian.Uint64(b[i:]), i+8
	case Fixed32:
		if len(b)-i < 4 {
			return f, ErrTruncated
		}
		f.Val, f.End = uint64(binary.LittleEndian.Uint32(b[i:])), i+4
	case 3, 4:
		return f, ErrGroup
	default:
		return f, ErrType
	}
	return f, nil
}

// Fields are the fields of the message b, up to the first that is malformed.
func Fields(b []byte) iter.Seq2[Field, error] {
	return func(yield func(Field, error) bool) {
		for i := 0; i < len(b); {
			f, err := Next(b, i)
			if !yield(f, err) || err != nil {
				return
			}
			i = f.End
		}
	}
}

// Check returns what is wrong with the message b, whatever its fields are. It does not
// look into them.
func Check(b []byte) error {
	for _, err := range Fields(b) {
		if err != nil {
			return err
		}
	}
	return nil
}

// Number reads the number that b begins with, one of a packed list, and how many bytes
// it takes.
func Number(b []byte) (v uint64, n int, err error) {
	if v, n = Uvarint(b); n <= 0 {
		return 0, 0, varintError(n)
	}
	return v, n, nil
}

// Uvarint is binary.Uvarint with the common one-byte case first. Ten bytes of a number
// that goes on are too many, and not too few. With protowire's, which takes the same
// numbers, a scan of a pod takes some percent longer.
func Uvarint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	v, n := binary.Uvarint(b)
	if n == 0 && len(b) >= binary.MaxVarintLen64 {
		n = -binary.MaxVarintLen64
	}
	return v, n
}

// varintError explains a count of binary.Uvarint that is not positive.
func varintError(n int) error {
	if n == 0 {
		return ErrTruncated
	}
	return ErrVarint
}
