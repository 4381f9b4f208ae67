package container

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// TestStream reads a text, compressed in each way.
func TestStream(t *testing.T) {
	text := bytes.Repeat([]byte("a line of text\n"), 10_000)
	for name, packed := range map[string][]byte{"as it is": text, "gzip": packGzip(text), "zstd": packZstd(text), "begins as zlib": append([]byte("x\x9c"), text...), "empty": nil} {
		want := text
		if name == "empty" || name == "begins as zlib" {
			want = packed
		}
		var told int64
		s, err := NewStream(iotest.OneByteReader(bytes.NewReader(packed)), Limits{}, func(n int64) { told = n })
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, want) || s.ReadBytes() != int64(len(packed)) || told != int64(len(packed)) {
			t.Errorf("%s: %d bytes of %d, %v; read %d and told of %d of %d", name, len(got), len(want), err, s.ReadBytes(), told, len(packed))
		}
		s.Close()
	}
}

// TestStreamLimits: what is compressed does not expand beyond the limits, what is not is read
// whatever its size.
func TestStreamLimits(t *testing.T) {
	text := make([]byte, 1<<20)
	for _, packed := range [][]byte{packGzip(text), packZstd(text)} {
		for limit, tooLarge := range map[int64]bool{1<<20 - 1: true, 1 << 20: false, 0: false} {
			s, err := NewStream(bytes.NewReader(packed), Limits{Bytes: limit}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, s); errors.Is(err, ErrTooLarge) != tooLarge || err != nil && !tooLarge {
				t.Errorf("limit %d: %v", limit, err)
			}
			s.Close()
		}
	}
	s, err := NewStream(bytes.NewReader(text), Limits{Bytes: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, s); n != 1<<20 || err != nil {
		t.Errorf("as it is: %d bytes, %v", n, err)
	}
}

// TestStreamBroken: a header that no decompressor takes is an error, and so is a stream that
// is cut off.
func TestStreamBroken(t *testing.T) {
	for format, packed := range map[Format][]byte{Gzip: packGzip([]byte("text")), Zstd: packZstd([]byte("text"))} {
		s, err := NewStream(bytes.NewReader(packed[:len(packed)-2]), Limits{}, nil)
		if err == nil {
			_, err = io.ReadAll(s)
		}
		if err == nil || err.Error() != "unpack "+string(format)+": it ends too early (unexpected EOF)" {
			t.Errorf("%s: %v", format, err)
		}
	}
	s, err := NewStream(bytes.NewReader([]byte("\x1f\x8b\x08\xff")), Limits{}, nil)
	if err == nil || s.ReadBytes() != 4 {
		t.Errorf("%v after %d bytes", err, s.ReadBytes())
	}
}

// TestAllow: how much may come out, by what went in.
func TestAllow(t *testing.T) {
	l := Limits{Ratio: 10}.orDefaults()
	for _, tt := range []struct {
		out, in int64
		ok      bool
	}{
		{ratioFrom, 1, true}, {ratioFrom + 10, 0, false}, {ratioFrom + 10, 1, false},
		{10 * ratioFrom, ratioFrom, true}, {10*ratioFrom + 9, ratioFrom, true}, {10*ratioFrom + 10, ratioFrom, false},
		{DefaultBytes, DefaultBytes, true}, {DefaultBytes + 1, DefaultBytes, false},
	} {
		if err := l.allow(tt.out, tt.in); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d out of %d: %v", tt.out, tt.in, err)
		}
	}
}
