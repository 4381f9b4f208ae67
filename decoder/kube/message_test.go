package kube

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/wire"
)

func TestParseMessage(t *testing.T) {
	tests := []struct {
		name  string
		bytes string
		want  Message
		err   error
	}{
		{"nothing", "", Message{}, nil},
		{"numbers", "\x08\x96\x01\x15\x01\x02\x03\x04\x19\x01\x02\x03\x04\x05\x06\x07\x08", Message{
			{Number: 1, Wire: 0, Value: 150},
			{Number: 2, Wire: 5, Value: 0x04030201},
			{Number: 3, Wire: 1, Value: 0x0807060504030201},
		}, nil},
		{"text", "\x0a\x05hello", Message{{Number: 1, Wire: 2, Bytes: []byte("hello")}}, nil},
		{"message that starts like text", "\x0a\x03z\x01a", Message{{Number: 1, Wire: 2, Bytes: []byte("z\x01a"),
			Nested: Message{{Number: 15, Wire: 2, Bytes: []byte("a")}}}}, nil},
		{"printable text that is a message, too", "\x0a\x04r\x21x!", Message{{Number: 1, Wire: 2, Bytes: []byte("r!x!")}}, nil},
		{"message", "\x0a\x04\x0a\x02hi", Message{{Number: 1, Wire: 2, Bytes: []byte("\x0a\x02hi"),
			Nested: Message{{Number: 1, Wire: 2, Bytes: []byte("hi")}}}}, nil},
		{"bytes", "\x0a\x02\xff\x00", Message{{Number: 1, Wire: 2, Bytes: []byte("\xff\x00")}}, nil},
		{"empty", "\x0a\x00", Message{{Number: 1, Wire: 2, Bytes: []byte{}}}, nil},
		{"message with a needlessly long number", "\x0a\x03\x08\x81\x00", Message{{Number: 1, Wire: 2, Bytes: []byte("\x08\x81\x00")}}, nil},
		{"needlessly long number", "\x08\x81\x00", nil, errOverlong},
		{"needlessly long tag", "\x88\x00\x01", nil, errOverlong},
		{"needlessly long length", "\x0a\x81\x00a", nil, errOverlong},
		{"cut off in a tag", "\x88", nil, wire.ErrTruncated},
		{"cut off in a number", "\x08\x80", nil, wire.ErrTruncated},
		{"cut off in a fixed number", "\x0d\x01", nil, wire.ErrTruncated},
		{"cut off in a long fixed number", "\x09\x01", nil, wire.ErrTruncated},
		{"cut off in bytes", "\x0a\x02a", nil, wire.ErrTruncated},
		{"number beyond 64 bits", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", nil, wire.ErrVarint},
		{"field 0", "\x00\x00", nil, wire.ErrFieldNumber},
		{"field beyond the last", "\x80\x80\x80\x80\x10\x00", nil, wire.ErrFieldNumber},
		{"group", "\x0b\x0c", nil, wire.ErrGroup},
		{"unknown wire type", "\x0e", nil, wire.ErrType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseMessage([]byte(tt.bytes))
			if diff := cmp.Diff(tt.want, m); diff != "" {
				t.Error(diff)
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("error is %v, want %v", err, tt.err)
			}
			if back := m.Append(nil); err == nil && string(back) != tt.bytes {
				t.Errorf("goes back to %q", back)
			}
		})
	}
}

// TestMessagesOfSnapshots: every stored message comes back byte for byte, from the Message and from what
// is printed of it.
func TestMessagesOfSnapshots(t *testing.T) {
	n := 0
	for i, r := range records(t) {
		e, err := ParseEnvelope(r.value)
		if e.Encoding != Protobuf || err != nil || i%10 != 0 {
			continue
		}
		n++
		checkMessageRoundTrip(t, e.Raw)
		if t.Failed() {
			t.Fatalf("%s: %s", r.file, r.key)
		}
	}
	if n == 0 {
		t.Error("no messages")
	}
}

// checkMessageRoundTrip returns whether raw can be read as a Message.
func checkMessageRoundTrip(t *testing.T, raw []byte) bool {
	t.Helper()
	m, err := parseMessage(raw)
	if err != nil {
		return false
	}
	if back := m.Append(nil); !bytes.Equal(raw, back) {
		t.Errorf("%q comes back as %q", raw, back)
	}
	printed, err := json.Marshal(m.document())
	if err != nil {
		t.Fatal(err)
	}
	back, err := unprint(printed)
	if err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	if !bytes.Equal(raw, back) {
		t.Errorf("%q comes back from print as %q", raw, back)
	}
	return true
}

// unprint encodes what Message.document prints.
func unprint(printed []byte) ([]byte, error) {
	var fields []struct {
		Field   int32
		Varint  *uint64
		Fixed64 *uint64
		Fixed32 *uint64
		String  *string
		Bytes   *string
		Message json.RawMessage
	}
	if err := json.Unmarshal(printed, &fields); err != nil {
		return nil, err
	}
	var m Message
	for _, p := range fields {
		f := Field{Number: p.Field, Wire: wire.Bytes}
		var err error
		switch {
		case p.Varint != nil:
			f.Wire, f.Value = wire.Varint, *p.Varint
		case p.Fixed64 != nil:
			f.Wire, f.Value = wire.Fixed64, *p.Fixed64
		case p.Fixed32 != nil:
			f.Wire, f.Value = wire.Fixed32, *p.Fixed32
		case p.String != nil:
			f.Bytes = []byte(*p.String)
		case p.Bytes != nil:
			f.Bytes, err = base64.StdEncoding.DecodeString(*p.Bytes)
		case p.Message != nil:
			f.Bytes, err = unprint(p.Message)
		}
		if err != nil {
			return nil, err
		}
		m = append(m, f)
	}
	return m.Append(nil), nil
}
