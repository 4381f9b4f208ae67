package input

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadConfig(t *testing.T) {
	for _, test := range []struct{ text, says string }{
		{"", ""},
		{"a: b & c\nd: '&'\ne: \"&e\" # f &", ""},
		{`{"secret": "YWJj&x", "url": "http://host/?a=1&b=2"}`, ""},
		{strings.Repeat("#", maxSmall), ""},
		{strings.Repeat("#", maxSmall+1), "more than 1048576 bytes"},
		{"a: &a [x, x]\nb: &b [*a, *a]", "anchors"},
		{"&a a: *a", "anchors"},
		{"[&a x, *a]", "anchors"},
		{"- &a\n  b: c", "anchors"},
		{"a:\u0085&a b", "anchors"},
		{"\xff\xfe[\x00&\x00a\x00 \x00b\x00]\x00", "anchors"},
		{"\xfe\xff\x00[\x00&\x00a\x00 \x00b\x00]", "anchors"},
	} {
		got, err := ReadConfig(write(t, test.text))
		switch {
		case test.says == "" && (err != nil || string(got) != test.text):
			t.Errorf("%.40q: %.40q, %v", test.text, got, err)
		case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%.40q: error %v", test.text, err)
		}
	}
	if _, err := ReadConfig(t.TempDir()); !errors.Is(err, ErrSpecial) || !strings.Contains(err.Error(), "it is a directory") {
		t.Errorf("error %v", err)
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestReader reads all there is, and returns from a read that waits when its
// context ends.
func TestReader(t *testing.T) {
	text := strings.Repeat("0123456789", readSize/5)
	if got, err := io.ReadAll(Reader(t.Context(), strings.NewReader(text))); err != nil || string(got) != text {
		t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
	}
	in, out := io.Pipe()
	defer in.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r := Reader(ctx, in)
	go io.WriteString(out, "some")
	got := make([]byte, 4)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "some" {
		t.Errorf("%q, %v", got, err)
	}
	go cancel()
	for range 2 {
		if n, err := r.Read(got); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}
