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
		case err != nil || f.Type != wire.Varint && f.Type != wire.Bytes:
			return nil
		case f.Type == wire.Varint:
			off = f.End
		case f.Num == 5:
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
		case f.Type == wire.Varint && f.Num < 5:
			off = f.End
		case f.Type == wire.Bytes && f.Num == 5 && f.Val < tombstoneBit:
			return f.Start, f.Start + int(f.Val)
		case f.Type == wire.Bytes && f.Num == 1 && f.Val <= uint64(len(b)-f.Start):
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
		f, err := wire.Next(b, off)
		if err != nil {
			return err
		}
		off = f.End
		want := wire.Varint
		switch f.Num {
		case 1:
			kv.key, want = f.Payload(b), wire.Bytes
		case 2:
			kv.createRevision = int64(f.Val)
		case 3:
			kv.modRevision = int64(f.Val)
		case 4:
			kv.version = int64(f.Val)
		case 5:
			kv.value, want = f.Payload(b), wire.Bytes
		case 6:
			kv.lease = int64(f.Val)
		default:
			kv.unknown = true
			continue
		}
		if f.Type != want {
			return wire.ErrType
		}
	}
	return nil
}
