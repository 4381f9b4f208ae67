package kube

import (
	"encoding/binary"
	"errors"
	"iter"
)

// Wire types of protobuf's encoding.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// What is wrong with a message.
var (
	errTruncated   = errors.New("message is cut off")
	errVarint      = errors.New("number of more than 64 bits")
	errFieldNumber = errors.New("impossible field number")
	errGroup       = errors.New("group, which Kubernetes never writes")
	errWireType    = errors.New("field has a wrong wire type")
)

// wireField is one field of a message: a number or, with wireBytes, the range
// of the message's bytes that holds it.
type wireField struct {
	num        int32 // at least 1
	wire       uint8
	val        uint64 // of wireVarint, wireFixed64 and wireFixed32
	start, end int    // of the payload; end is where the next field starts
}

// nextField reads the field of the message b that starts at i < len(b).
//
// It is stricter than the generated decoders of Kubernetes: it refuses groups,
// over which those recurse without bound (resource.Quantity), and bits beyond the
// width of a number, which those drop.
func nextField(b []byte, i int) (f wireField, err error) {
	tag, n := uvarint(b[i:])
	if n <= 0 {
		return f, varintError(n)
	}
	i += n
	if tag>>3 == 0 || tag>>3 > 1<<29-1 {
		return f, errFieldNumber
	}
	f.num, f.wire, f.start = int32(tag>>3), uint8(tag&7), i
	switch f.wire {
	case wireVarint:
		if f.val, n = uvarint(b[i:]); n <= 0 {
			return f, varintError(n)
		}
		f.end = i + n
	case wireBytes:
		size, n := uvarint(b[i:])
		if n <= 0 {
			return f, varintError(n)
		}
		f.start = i + n
		if size > uint64(len(b)-f.start) {
			return f, errTruncated
		}
		f.end = f.start + int(size)
	case wireFixed64:
		if len(b)-i < 8 {
			return f, errTruncated
		}
		f.val, f.end = binary.LittleEndian.Uint64(b[i:]), i+8
	case wireFixed32:
		if len(b)-i < 4 {
			return f, errTruncated
		}
		f.val, f.end = uint64(binary.LittleEndian.Uint32(b[i:])), i+4
	case 3, 4:
		return f, errGroup
	default:
		return f, errWireType
	}
	return f, nil
}

// fields are the fields of the message b, up to the first that is malformed.
func fields(b []byte) iter.Seq2[wireField, error] {
	return func(yield func(wireField, error) bool) {
		for i := 0; i < len(b); {
			f, err := nextField(b, i)
			if !yield(f, err) || err != nil {
				return
			}
			i = f.end
		}
	}
}

// uvarint is binary.Uvarint with the common one-byte case first.
func uvarint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return binary.Uvarint(b)
}

// varintError explains a count of binary.Uvarint that is not positive.
func varintError(n int) error {
	if n == 0 {
		return errTruncated
	}
	return errVarint
}

// bytesField returns the payload of f, a field of b.
func bytesField(b []byte, f wireField) ([]byte, error) {
	if f.wire != wireBytes {
		return nil, errWireType
	}
	return b[f.start:f.end:f.end], nil
}

// mapEntry reads an entry of a map from string to a string or message.
func mapEntry(b []byte) (key, value []byte, err error) {
	for f, err := range fields(b) {
		if err != nil {
			return nil, nil, err
		}
		switch f.num {
		case 1:
			key, err = bytesField(b, f)
		case 2:
			value, err = bytesField(b, f)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return key, value, nil
}
