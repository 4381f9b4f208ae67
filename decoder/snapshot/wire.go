package snapshot

import "revenant/decoder/wire"

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
// ends, as far as b tells; both are 0 when it does not or when a lease stands before
// the value, which etcd does not write. What follows it has to be read, too.
func valueSpan(b []byte) (from, to int) {
	for off := 0; off < len(b); {
		f, err := wire.Head(b, off)
		switch {
		case err != nil:
			return 0, 0
		case f.Type() == wire.Varint && f.Num() < 5:
			off = f.End
		case f.Type() == wire.Bytes && f.Num() == 5 && f.Val < tombstoneBit:
			return f.Start, f.Start + int(f.Val)
		case f.Type() == wire.Bytes && f.Num() == 1 && f.Val <= uint64(len(b)-f.Start):
			off = f.Start + int(f.Val)
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
		if number := kv.number(uint32(b[off])); number != nil {
			if v, n := wire.Uvarint(b[off+1:]); n > 0 {
				*number, off = int64(v), off+1+n
				continue
			}
		}
		f, err := wire.Next(b, off)
		if err != nil {
			return err
		}
		off = f.End
		switch number := kv.number(f.Tag); {
		case number != nil:
			*number = int64(f.Val)
		case f.Num() > 6:
			kv.unknown = true
		case f.Type() != wire.Bytes:
			return wire.ErrType
		case f.Num() == 1:
			kv.key = f.Payload(b)
		case f.Num() == 5:
			kv.value = f.Payload(b)
		default:
			return wire.ErrType
		}
	}
	return nil
}

// number is where the number goes that follows a tag.
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
