package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestNext(t *testing.T) {
	tests := []struct {
		name, message string
		want          Field
		err           error
	}{
		{"number", "\x08\x96\x01", Field{Tag: 1 << 3, Val: 150, Start: 1, End: 3}, nil},
		{"bytes", "\x12\x02ab", Field{Tag: 2<<3 | uint32(Bytes), Val: 2, Start: 2, End: 4}, nil},
		{"fixed64", "\x09\x01\x00\x00\x00\x00\x00\x00\x80", Field{Tag: 1<<3 | uint32(Fixed64), Val: 1<<63 + 1, Start: 1, End: 9}, nil},
		{"fixed32", "\x0d\x01\x00\x00\x80", Field{Tag: 1<<3 | uint32(Fixed32), Val: 1<<31 + 1, Start: 1, End: 5}, nil},
		{"highest number", "\xf8\xff\xff\xff\x0f\x00", Field{Tag: (1<<29 - 1) << 3, Start: 5, End: 6}, nil},
		{"cut off in the tag", "\x80", Field{}, ErrTruncated},
		{"cut off in the number", "\x08\x80", Field{}, ErrTruncated},
		{"cut off in the length", "\x0a", Field{}, ErrTruncated},
		{"cut off in the bytes", "\x0a\x02a", Field{}, ErrTruncated},
		{"length beyond an int", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Field{}, ErrTruncated},
		{"cut off in fixed64", "\x09\x00\x00\x00\x00\x00\x00\x00", Field{}, ErrTruncated},
		{"cut off in fixed32", "\x0d\x00\x00\x00", Field{}, ErrTruncated},
		{"65 bits", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", Field{}, ErrVarint},
		{"field 0", "\x00\x00", Field{}, ErrFieldNumber},
		{"field beyond the highest", "\x80\x80\x80\x80\x10\x00", Field{}, ErrFieldNumber},
		{"group", "\x0b\x0c", Field{}, ErrGroup},
		{"end of a group", "\x0c", Field{}, ErrGroup},
		{"no wire type", "\x0e", Field{}, ErrType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Next([]byte(tt.message), 0)
			if err != tt.err || err == nil && f != tt.want {
				t.Errorf("%+v, %v; want %+v, %v", f, err, tt.want, tt.err)
			}
		})
	}
}

// FuzzFields holds the reader against protowire: the same fields up to what is refused,
// and a group is all that is refused more.
func FuzzFields(f *testing.F) {
	f.Add([]byte("\x08\x96\x01\x12\x02ab\x0d\x01\x00\x00\x80"), uint(7))
	f.Add([]byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), uint(1))
	f.Add([]byte("\xf8\xff\xff\xff\x7f\x80\x00\x0b\x08\x01\x0c"), uint(5))
	f.Fuzz(func(t *testing.T, b []byte, cut uint) {
		rest := b
		for field, err := range Fields(b) {
			num, typ, n := protowire.ConsumeTag(rest)
			if n >= 0 && num > protowire.MaxValidNumber {
				n = -2 // as proto.Unmarshal refuses it
			}
			size := n
			if n >= 0 {
				if size = protowire.ConsumeFieldValue(num, typ, rest[n:]); size < 0 {
					n = size
				}
			}
			if err != nil {
				if n >= 0 && !(err == ErrGroup && typ == protowire.StartGroupType) {
					t.Fatalf("%x: %v, protowire takes it", rest, err)
				}
				if cutOff := errors.Is(protowire.ParseError(min(n, 0)), io.ErrUnexpectedEOF); err == ErrTruncated && !cutOff || cutOff && err != ErrTruncated && err != ErrGroup {
					t.Fatalf("%x: %v, protowire: %v", rest, err, protowire.ParseError(n))
				}
				return
			}
			if n < 0 || int32(num) != field.Num() || Type(typ) != field.Type() {
				t.Fatalf("%x: %+v, protowire has field %d of type %d, %d", rest, field, num, typ, n)
			}
			value := rest[n : n+size]
			rest = rest[n+size:]
			if field.End != len(b)-len(rest) {
				t.Fatalf("%+v ends elsewhere than at %d", field, len(b)-len(rest))
			}
			switch typ {
			case protowire.VarintType:
				if v, _ := protowire.ConsumeVarint(value); v != field.Val {
					t.Fatalf("%+v is %d", field, v)
				}
			case protowire.Fixed64Type:
				if v, _ := protowire.ConsumeFixed64(value); v != field.Val {
					t.Fatalf("%+v is %d", field, v)
				}
			case protowire.Fixed32Type:
				if v, _ := protowire.ConsumeFixed32(value); uint64(v) != field.Val {
					t.Fatalf("%+v is %d", field, v)
				}
			case protowire.BytesType:
				v, _ := protowire.ConsumeBytes(value)
				if payload, err := field.Bytes(b); err != nil || !bytes.Equal(v, payload) || field.Val != uint64(len(v)) || cap(payload) != len(v) {
					t.Fatalf("%+v is %x", field, v)
				}
			}
		}
		if len(rest) > 0 {
			t.Fatalf("ended before %x", rest)
		}

		// Of a beginning, Head has what Next has of the whole.
		head := b[:cut%uint(len(b)+1)]
		for i := 0; i < len(head); {
			whole, err := Next(b, i)
			if err != nil {
				return
			}
			begun, err := Head(head, i)
			if err == ErrTruncated {
				return
			}
			if begun.Type() == Bytes {
				begun.End = whole.End
			}
			if err != nil || begun != whole {
				t.Fatalf("%x at %d: %+v, %v; of the whole %+v", head, i, begun, err, whole)
			}
			i = whole.End
		}
	})
}
