package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// keyValue is an mvccpb.KeyValue (etcd api/v3 mvccpb/kv.proto). The slices
// alias the bytes it was scanned from.
type keyValue struct {
	key            []byte
	createRevision int64
	modRevision    int64
	version        int64
	value          []byte
	lease          int64
	unknown        bool // a field that no etcd writes
}

var (
	errTruncated = errors.New("message is cut off")
	errWireType  = errors.New("field has a wrong wire type")
)

// scanKeyValue reads the message b.
func scanKeyValue(b []byte) (kv keyValue, err error) {
	err = kv.scan(b)
	return kv, err
}

// valueHead is the beginning, n bytes at most, of the value of a message of which
// b is the beginning; nil when there is none.
func valueHead(b []byte, n int) []byte {
	for off := 0; off < len(b); {
		tag, w := uvarint(b[off:])
		if w <= 0 {
			return nil
		}
		off += w
		v, w := uvarint(b[off:])
		if w <= 0 {
			return nil
		}
		off += w
		switch {
		case tag&7 == 0:
		case tag&7 != 2 || v > uint64(len(b)-off) && tag>>3 != 5:
			return nil
		case tag>>3 == 5:
			return b[off:min(off+int(min(v, uint64(n))), len(b))]
		default:
			off += int(v)
		}
	}
	return nil
}

// valueSpan is where the value of a message of which b is the beginning begins and
// ends, as far as b tells; both are 0 when it does not or when a lease stands before
// the value, which etcd does not write. What follows it has to be read, too.
func valueSpan(b []byte) (from, to int) {
	for off := 0; off < len(b); {
		tag, w := uvarint(b[off:])
		if w <= 0 {
			return 0, 0
		}
		off += w
		v, w := uvarint(b[off:])
		if w <= 0 {
			return 0, 0
		}
		off += w
		switch field, wire := tag>>3, tag&7; {
		case wire == 0 && field > 0 && field < 5:
		case wire == 2 && field == 5 && v < tombstoneBit:
			return off, off + int(v)
		case wire == 2 && field == 1 && v <= uint64(len(b)-off):
			off += int(v)
		default:
			return 0, 0
		}
	}
	return 0, 0
}

// scan reads the message b with proto.Unmarshal's semantics: fields in any
// order, of a repeated one the last wins. A value is stepped over, so the cost
// does not depend on its size.
func (kv *keyValue) scan(b []byte) error {
	for off := 0; off < len(b); {
		tag, n := uvarint(b[off:])
		if n <= 0 {
			return errTruncated
		}
		off += n
		field, wire := tag>>3, tag&7
		switch {
		case field == 0 || field > 1<<29-1:
			return fmt.Errorf("field number %d is impossible", field)
		case wire == 0:
			v, n := uvarint(b[off:])
			if n <= 0 {
				return errTruncated
			}
			off += n
			if err := kv.setVarint(field, int64(v)); err != nil {
				return err
			}
		case wire == 2:
			size, n := uvarint(b[off:])
			if n <= 0 || size > uint64(len(b)-off-n) {
				return errTruncated
			}
			off += n
			if err := kv.setBytes(field, b, off, int(size)); err != nil {
				return err
			}
			off += int(size)
		case wire == 1 || wire == 5:
			if field <= 6 {
				return errWireType
			}
			size := 8
			if wire == 5 {
				size = 4
			}
			if size > len(b)-off {
				return errTruncated
			}
			off += size
			kv.unknown = true
		default:
			return errWireType
		}
	}
	return nil
}

func (kv *keyValue) setVarint(field uint64, v int64) error {
	switch field {
	case 2:
		kv.createRevision = v
	case 3:
		kv.modRevision = v
	case 4:
		kv.version = v
	case 6:
		kv.lease = v
	case 1, 5:
		return errWireType
	default:
		kv.unknown = true
	}
	return nil
}

func (kv *keyValue) setBytes(field uint64, b []byte, off, size int) error {
	switch field {
	case 1:
		kv.key = b[off : off+size : off+size]
	case 5:
		kv.value = b[off : off+size : off+size]
	case 2, 3, 4, 6:
		return errWireType
	default:
		kv.unknown = true
	}
	return nil
}

// uvarint is binary.Uvarint with the common one-byte case first.
func uvarint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return binary.Uvarint(b)
}
