package shell

import (
	"strings"
	"testing"

	"revenant/tui/session"
)

// TestSecretTaken: what is copied or saved of a Secret has what it holds only while that is
// shown, and says so otherwise.
func TestSecretTaken(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40).typed(":secret creds -n shop<enter>")
	for _, step := range []struct {
		keys  string
		holds bool
	}{{"", false}, {"x", true}, {"J", true}, {"x", false}, {"xo", true}} {
		x.typed(step.keys)
		for _, save := range []bool{false, true} {
			e := x.screens[x.at].(session.Exporter).Export(save)
			if e.Later == nil {
				t.Fatalf("after %q nothing is taken:\n%s", step.keys, x.plain())
			}
			text := e.Later()
			if holds := !strings.Contains(text, "redacted"); holds != step.holds || strings.Contains(e.What, "without what it holds") == step.holds {
				t.Errorf("after %q: taken is %q:\n%s", step.keys, e.What, text)
			}
		}
	}
}
