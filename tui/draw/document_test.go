package draw

import (
	"strings"
	"testing"
)

func TestField(t *testing.T) {
	theme := &Theme{Name: "<"}
	painted := theme.Name.Paint("x")
	if painted == "x" {
		t.Fatal("the style paints nothing")
	}
	for line, want := range map[string]string{
		"x: 1": painted + ": 1", "  - x: y": "  - " + painted + ": y", "x:": painted + ":", "- - x: 1": "- - " + painted + ": 1",
		`    "x": {`: `    ` + theme.Name.Paint(`"x"`) + `: {`, `"a\"b: c": 1`: theme.Name.Paint(`"a\"b: c"`) + ": 1",
		"http://x": "http://x", "just text: no field": "just text: no field", "# x: 1": "# x: 1", "- x": "- x", "": "", "'x: y'": "'x: y'", "x:y": "x:y",
	} {
		if got := theme.field(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if got := (&Theme{}).field("x: 1"); got != "x: 1" {
		t.Errorf("without a colour: %q", got)
	}
}

// TestLongLine: of a line that is too long to be looked at its beginning is drawn, and how much
// there is beyond.
func TestLongLine(t *testing.T) {
	for _, letter := range []string{"a", "ä", "語"} {
		lines := (&Theme{}).Document("x: "+strings.Repeat(letter, 1<<20)+"\ny: 1\n", 80)
		text := strings.Join(lines, "")
		shown := strings.Count(text, letter)
		if n := shown * len(letter); n < longLine-8 || n > longLine {
			t.Errorf("%q: %d bytes are drawn", letter, n)
		}
		if !strings.Contains(text, " bytes more of this line are not shown") || lines[len(lines)-1] != "y: 1" {
			t.Errorf("%q: it ends with %q", letter, lines[len(lines)-2:])
		}
	}
	if lines := (&Theme{}).Document(strings.Repeat("a", longLine-1)+"\n", 80); strings.Contains(strings.Join(lines, ""), "not shown") {
		t.Error("a line that is not too long is cut")
	}
}
