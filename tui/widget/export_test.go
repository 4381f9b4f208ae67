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
