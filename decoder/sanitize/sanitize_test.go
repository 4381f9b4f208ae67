package sanitize_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"revenant/decoder/sanitize"
)

func TestSanitize(t *testing.T) {
	for _, tt := range []struct{ name, in, line, text string }{
		{"plain", "kube-system/coredns-7d", "kube-system/coredns-7d", "kube-system/coredns-7d"},
		{"wide and combining", "日本 é e\u0301", "日本 é e\u0301", "日本 é e\u0301"},
		{"escape sequence", "a\x1b[31mred", "a\uFFFD[31mred", "a\uFFFD[31mred"},
		{"one-byte CSI", "a\u009b31m", "a\uFFFD31m", "a\uFFFD31m"},
		{"OSC 52", "\x1b]52;c;ZXZpbA==\a", "\uFFFD]52;c;ZXZpbA==\uFFFD", "\uFFFD]52;c;ZXZpbA==\uFFFD"},
		{"line breaks", "a\r\n\tb", "a\uFFFD\uFFFD\uFFFDb", "a\uFFFD\n\tb"},
		{"right-to-left override", "gnp\u202Egpj", "gnp\uFFFDgpj", "gnp\uFFFDgpj"},
		{"zero width", "pay\u200Bpal", "pay\uFFFDpal", "pay\uFFFDpal"},
		{"invalid UTF-8", "a\xff\xfeb", "a\uFFFD\uFFFDb", "a\uFFFD\uFFFDb"},
		{"separators", "a\u2028b", "a\uFFFDb", "a\uFFFDb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sanitize.Line(tt.in); got != tt.line {
				t.Errorf("Line = %q, want %q", got, tt.line)
			}
			if got := sanitize.Text(tt.in); got != tt.text {
				t.Errorf("Text = %q, want %q", got, tt.text)
			}
		})
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("a\x1b[2Jb")
	f.Fuzz(func(t *testing.T, s string) {
		line, text := sanitize.Line(s), sanitize.Text(s)
		for _, r := range line {
			if unicode.IsControl(r) {
				t.Fatalf("control character %U in Line(%q)", r, s)
			}
		}
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			t.Fatalf("control character in Text(%q)", s)
		}
		if !utf8.ValidString(line) || !utf8.ValidString(text) {
			t.Fatalf("not UTF-8: %q", s)
		}
		if sanitize.Line(line) != line || sanitize.Text(text) != text {
			t.Fatalf("not stable: %q", s)
		}
	})
}
