package snapshot

import (
	"bytes"

	"revenant/decoder/wire"
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

// encrypted says whether a value begins as an API server begins one that it has
// encrypted (apiserver v0.37 pkg/server/options/encryptionconfig/config.go).
func encrypted(value []byte) bool { return bytes.HasPrefix(value, []byte("k8s:enc:")) }

// scanKeyValue reads the message b.
func scanKeyValue(b []byte) (kv keyValue, err error) {
	err = kv.scan(b)
	return kv, err
}

// valueHead is the beginning, n bytes at most, of the value of a message of which
// b is the beginning; nil when there is none.
func valueHead(b []byte, n int) []byte {
	for off := 0; off < len(b); {
		f, err := wire.Head(b, off)
		switch {
		case err != nil || f.Type() != wire.Varint && f.Type() != wire.Bytes:
			return nil
		case f.Type() == wire.Varint:
			off = f.End
		case f.Num() == 5:
			return b[f.Start:min(f.Start+int(min(f.Val, uint64(n))), len(b))]
		case f.Val > uint64(len(b)-f.Start):
			return nil
		default:
			off = f.Start + int(f.Val)
		}
	}
	return nil
}

// valueSpan is where the value of a message of which b is the beginning begins and
// ends, as far as b shows; both are 0 when it does not or when a lease stands before
// the value, which etcd does not write. What follows it has to be read, too.
func valueSpan(b []byte) (from, to int) {
	for off := 0; off < len(b); {
		tag := b[off]
		v, n := wire.Uvarint(b[off+1:])
		if n <= 0 {
			return 0, 0
		}
		off += 1 + n
		switch {
		case tag == 2<<3 || tag == 3<<3 || tag == 4<<3:
		case tag == 5<<3|2 && v < tombstoneBit:
			return off, off + int(v)
		case tag == 1<<3|2 && v <= uint64(len(b)-off):
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
		// There are as many records as revisions: this is faster for most of their fields.
		if v, n := wire.Uvarint(b[off+1:]); n > 0 {
			start := off + 1 + n
			if fast := kv.number(uint32(b[off])); fast != nil {
				*fast, off = int64(v), start
				continue
			}
			if payload := kv.payload(uint32(b[off])); payload != nil && v <= uint64(len(b)-start) {
				off = start + int(v)
				*payload = b[start:off:off]
				continue
			}
		}
		f, err := wire.Next(b, off)
		if err != nil {
			return err
		}
		off = f.End
		switch number, payload := kv.number(f.Tag), kv.payload(f.Tag); {
		case number != nil:
			*number = int64(f.Val)
		case payload != nil:
			*payload = f.Payload(b)
		case f.Num() <= 6:
			return wire.ErrType
		default:
			kv.unknown = true
		}
	}
	return nil
}

// number is where the number goes that follows a tag, nil for other tags.
func (kv *keyValue) number(tag uint32) *int64 {
	switch tag {
	case 2 << 3:
		return &kv.createRevision
	case 3 << 3:
		return &kv.modRevision
	case 4 << 3:
		return &kv.version
	case 6 << 3:
		return &kv.lease
	}
	return nil
}

// payload is where the bytes go that follow a tag, nil for other tags.
func (kv *keyValue) payload(tag uint32) *[]byte {
	switch tag {
	case 1<<3 | 2:
		return &kv.key
	case 5<<3 | 2:
		return &kv.value
	}
	return nil
}
