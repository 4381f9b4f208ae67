package sanitize_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/clipperhouse/uax29/v2/graphemes"

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

// TestBoundedClusters stacks what can be stacked on one character: a column of what is
// drawn takes 48 bytes at most, and what is whole keeps all.
func TestBoundedClusters(t *testing.T) {
	const many = 100_000
	for name, in := range map[string]string{
		"marks":                  "e" + strings.Repeat("\u0301", many),
		"marks on nothing":       strings.Repeat("\u0301", many),
		"marks on every letter":  strings.Repeat("e"+strings.Repeat("\u0301", 100), many/100),
		"marks of four bytes":    "e" + strings.Repeat("\U0001D167", many),
		"marks that take room":   "e" + strings.Repeat("\u0903", many),
		"marks around an emoji":  "\U0001F600" + strings.Repeat("\u20DD", many),
		"marks after a control":  "\x1b" + strings.Repeat("\u0301", many),
		"marks after a joiner":   "e" + strings.Repeat("\u200D\u0301", many),
		"prepended":              strings.Repeat("\u0D4E", many) + "a",
		"prepended and marks":    strings.Repeat("\u0D4E", 10) + "a" + strings.Repeat("\u0301", 10),
		"skin tones":             "\U0001F44B" + strings.Repeat("\U0001F3FD", many),
		"a family":               strings.Repeat("\U0001F468\u200D\U0001F469\u200D\U0001F467", many),
		"flags":                  strings.Repeat("\U0001F1E9\U0001F1EA", many),
		"half a flag":            strings.Repeat("\U0001F1E9", many+1),
		"variations":             "e" + strings.Repeat("\uFE0F", many),
		"conjuncts":              strings.Repeat("\u0915\u094D", many) + "\u0937",
		"jamo":                   strings.Repeat("\u1100", many) + strings.Repeat("\u1161", many) + strings.Repeat("\u11A8", many),
		"jamo that do not join":  strings.Repeat("\u11A8\u1161", many),
		"tags":                   "\U0001F3F4" + strings.Repeat("\U000E0067", many),
		"a stand-in and marks":   strings.Repeat("\uFFFD"+strings.Repeat("\u0301", 20), many/20),
		"Cyrillic and its marks": "\u0430" + strings.Repeat("\u0483", many),
		"kana and its marks":     "\u304B" + strings.Repeat("\u3099", many),
	} {
		t.Run(name, func(t *testing.T) {
			line := sanitize.Line(in)
			checkBounded(t, line)
			checkBounded(t, sanitize.Text(in))
			if again := sanitize.Line(line); again != line {
				t.Error("not stable")
			}
			if n, most := len(line), 48*(ansi.StringWidth(line)+1); n > most {
				t.Errorf("%d bytes for %d columns", n, ansi.StringWidth(line))
			}
			if whole := sanitize.WholeLine(in); utf8.RuneCountInString(whole) != utf8.RuneCountInString(in) {
				t.Error("WholeLine is not whole")
			}
		})
	}
}

// TestMarksAreBounded stacks every mark that there is.
func TestMarksAreBounded(t *testing.T) {
	for r := range unicode.MaxRune {
		if !unicode.Is(unicode.M, r) {
			continue
		}
		for _, lead := range []string{"", "a", "\u4E00", "\u0430", "\uAC00"} {
			line := sanitize.Line(lead + strings.Repeat(string(r), 200))
			if n, w := len(line), ansi.StringWidth(line); n > 48*(w+1) {
				t.Errorf("%U: %d bytes for %d columns", r, n, w)
			}
		}
	}
}

// checkBounded wants no cluster of more than 12 code points.
func checkBounded(t *testing.T, s string) {
	t.Helper()
	for g := graphemes.FromString(s); g.Next(); {
		if n := utf8.RuneCountInString(g.Value()); n > 12 {
			t.Fatalf("%d code points make one character: %.100q", n, g.Value())
		}
	}
}

// TestWritingsAreWhole draws what people write with many code points for one character.
func TestWritingsAreWhole(t *testing.T) {
	for _, s := range []string{
		"र्त्स्न्य", "Việt Nam, tiếng Việt", "בְּרֵאשִׁית", "བསྒྲུབས", "မြန်မာ", "뷁뷁뷁뷁뷁뷁뷁뷁뷁뷁뷁뷁뷁뷁", "🇩🇪🇫🇷🇯🇵🇰🇪🇧🇷🇮🇳🇨🇦🇲🇽🇳🇬🇪🇬", "👋🏽👋🏿", "พื้นที่ชื่อ",
		strings.Repeat("東京都の名前空間を確認する。", 5), strings.Repeat("Überprüfung ", 5), strings.Repeat("проверка ", 5),
	} {
		if got := sanitize.Line(s); got != s {
			t.Errorf("Line(%q) = %q", s, got)
		}
	}
}

func TestShort(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		most     int
	}{
		{"pod-1", "pod-1", 5},
		{"open aaaaaaaaaaaaaaaaaaaaaaaaaaaa: gone", "open aaaaaaaaaa…: gone", 24},
		{"ääääääääää", "ääää…ää", 16},
		{"\x1b[2J0123456789", "\uFFFD[2J…89", 9},
		{"abc", "…", 0},
		{strings.Repeat("\xbf", 100), strings.Repeat("\uFFFD", 9) + "…" + strings.Repeat("\uFFFD", 4), 16},
	} {
		if got := sanitize.Short(tt.in, tt.most); got != tt.want {
			t.Errorf("Short(%q, %d) = %q, want %q", tt.in, tt.most, got, tt.want)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("a\x1b[2Jb")
	f.Add("e" + strings.Repeat("\u0301", 40))
	f.Add(strings.Repeat("\u0D4E", 13) + "\U0001F1E9\U0001F1EA\U0001F1E9\u0301")
	f.Add(strings.Repeat("\u0915\u094D", 20) + "\u1100\u1161\u11A8\u200D\U0001F468")
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
		checkBounded(t, line)
		checkBounded(t, text)
		for _, most := range []int{0, 1, 7, 20} {
			short := sanitize.Short(s, most)
			if sanitize.Line(short) != short || len(short) > max(3*most, len("…")) {
				t.Fatalf("Short(%q, %d) = %q", s, most, short)
			}
		}
	})
}

// BenchmarkClean is what it costs to make ordinary text safe, and hostile text.
func BenchmarkClean(b *testing.B) {
	manifest := strings.Repeat("  - name: coredns\n    image: registry.k8s.io/coredns/coredns:v1.12.1\n", 500)
	for _, tt := range []struct {
		name, in string
		clean    func(string) string
	}{
		{"name", "kube-system/coredns-7d764666f9-x2j5k", sanitize.Line},
		{"manifest", manifest, sanitize.Text},
		{"Latin", strings.Repeat("Überprüfung der Größe für Schlüssel. ", 100), sanitize.Line},
		{"Japanese", strings.Repeat("東京都の名前空間を確認する。", 100), sanitize.Line},
		{"100,000 marks", "e" + strings.Repeat("\u0301", 100_000), sanitize.Line},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.SetBytes(int64(len(tt.in)))
			b.ReportAllocs()
			for b.Loop() {
				tt.clean(tt.in)
			}
		})
	}
}

func TestShellWord(t *testing.T) {
	marks := func(n int) string { return strings.Repeat("\u0301", n) }
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"web-0", "web-0", true},
		{"", "''", true},
		{"it's", `'it'\''s'`, true},
		{"e" + marks(11), "'e" + marks(11) + "'", true},
		{"e" + marks(12), "", false},
		{marks(11), "'" + marks(11) + "'", true},
		{marks(12), "", false}, // they would stand on the quote
		{strings.Repeat("a", 4096), strings.Repeat("a", 4096), true},
		{strings.Repeat("a", 4097), "", false},
		{"a\x1b", "", false},
		{"\xff", "", false},
	} {
		if got, ok := sanitize.ShellWord(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("ShellWord(%q) = %q, %v", tt.in, got, ok)
		}
	}
}

// TestCell wants no cell that a spreadsheet computes, and none that is more than a line.
func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"web":               "web",
		"-":                 "-",
		"a=b":               "a=b",
		"=HYPERLINK(\"x\")": "'=HYPERLINK(\"x\")",
		"+1":                "'+1",
		"-1":                "'-1",
		"@SUM(A1)":          "'@SUM(A1)",
		"a\x1b[31m\nb":      "a\uFFFD[31m\uFFFDb",
		"\t=1":              "\uFFFD=1",
	} {
		if got := sanitize.Cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
