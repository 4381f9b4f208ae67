package widget

import (
	"strings"
	"testing"
)

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"pods": "pods", "../../etc/passwd": "etc-passwd", ".hidden": "hidden", "": "text", "a b/ü\x1b": "a-b---", strings.Repeat("x", 300): strings.Repeat("x", 100),
	} {
		if got := FileName(name); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
}

// TestFormulas wants no cell of a saved table that a spreadsheet computes.
func TestFormulas(t *testing.T) {
	rows := &Rows{Cell: func(int, int) string { return "=HYPERLINK(\"x\")" }}
	if got, want := csvOf([]Column{{Title: "NAME"}}, rows, []int32{0}, false), "NAME\n\"'=HYPERLINK(\"\"x\"\")\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
