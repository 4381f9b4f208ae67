package shell

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"revenant/internal/golden"
)

// TestPlain reviews the demo line by line: nothing is drawn, nothing is coloured.
func TestPlain(t *testing.T) {
	var out bytes.Buffer
	script := []string{"outcomes", "/db-0", "enter", "b m", "esc", "plan", "", "kubelets", ":bump 5000", "nonsense", "edit", "e", "6000", "help", "quit", "never read"}
	err := Run(t.Context(), Options{Load: loads(demoInput(t)), Plain: true, Input: strings.NewReader(strings.Join(script, "\n")), Output: &out, Environ: []string{"TERM=xterm-256color", "COLORTERM=truecolor"}})
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(out.Bytes(), func(r rune) bool { return r > unicode.MaxASCII || r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("there is %q", out.Bytes()[max(0, i-40):min(out.Len(), i+10)])
	}
	golden.Named(t, out.String())
}

// TestPlainWakes goes to screens that start to work when they are shown.
func TestPlainWakes(t *testing.T) {
	var out bytes.Buffer
	script := "diff\n0\nz z z z z z\n"
	if err := Run(t.Context(), Options{Load: loads(demoInput(t)), Plain: true, Input: strings.NewReader(script), Output: &out}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"17 of 19 rows", "32 of 32 rows - by resource", "live 312.4 KiB  history 1.3 MiB", "8 of 8 rows - parts of the file, 2,584,608 bytes in all"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q:\n%s", want, out.String())
		}
	}
}

func TestPlainEnds(t *testing.T) {
	for _, lines := range []string{"", "quit", "q", "pods\n"} {
		var out bytes.Buffer
		if err := Run(t.Context(), Options{Load: loads(demoInput(t)), Plain: true, Input: strings.NewReader(lines), Output: &out}); err != nil {
			t.Errorf("%q: %v", lines, err)
		}
		if !strings.Contains(out.String(), "18 pods keep running unseen") {
			t.Errorf("%q: nothing is told:\n%s", lines, out.String())
		}
	}
}
