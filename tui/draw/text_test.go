package draw

import (
	"strings"
	"testing"

	"revenant/internal/words"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

func TestHung(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  []string
	}{
		{"short", 10, []string{"short"}},
		{"", 10, []string{""}},
		{"  revenant plan backup.db --last", 20, []string{"  revenant plan ", "      backup.db ", "      --last"}},
		{"  {\"abcdefghijklmnopqrstuvwxyz\":1}", 20, []string{"  {\"abcdefghijklmnop", "      qrstuvwxyz\":1}"}},
		{"        abcdefgh", 12, []string{"        abcd", "efgh"}}, // too far in already
		{"日本語日本語日本語", 12, []string{"日本語日本語", "    日本語"}},
	} {
		if diff := cmp.Diff(tt.want, HangLine(tt.line, tt.width)); diff != "" {
			t.Errorf("%q in %d:\n%s", tt.line, tt.width, diff)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"--mark-compacted is a flag", 10, []string{"--mark-com", "pacted is", "a flag"}},
		{"日本語 日本語", 7, []string{"日本語", "日本語"}},
		{"e\u0301e\u0301 e\u0301", 4, []string{"e\u0301e\u0301 e\u0301"}},
		{"a\nb\x1b[2J", 20, []string{"a\uFFFDb\uFFFD[2J"}},
		{"two words", 0, []string{"t", "w", "o", "w", "o", "r", "d", "s"}},
	} {
		if diff := cmp.Diff(tt.want, Wrap(tt.text, tt.width)); diff != "" {
			t.Errorf("%q in %d, -want +got:\n%s", tt.text, tt.width, diff)
		}
	}
}

func TestFit(t *testing.T) {
	th := NewTheme(true, colorprofile.ASCII, UnicodeGlyphs, DefaultLook)
	for _, text := range []string{"", "short", "日本語のとても長い名前", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", strings.Repeat("x", 100), th.Bold.Paint("painted and too long")} {
		for width := range 20 {
			if got := ansi.StringWidth(th.Fit(text, width)); got != width {
				t.Errorf("%q in %d columns takes %d", text, width, got)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := words.Number(n); got != want {
			t.Errorf("count(%d) = %q", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1023: "1,023 bytes", 1024: "1.0 KiB", 974880: "952.0 KiB", 1 << 40: "1.0 TiB", 1 << 60: "1048576.0 TiB"} {
		if got := words.Size(n); got != want {
			t.Errorf("size(%d) = %q", n, got)
		}
	}
}
