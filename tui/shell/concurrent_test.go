package shell

import (
	"strings"
	"testing"
)

// TestShellConcurrently holds the rule that no command changes what is shown: it brings a
// message, and Update takes that over. Every screen is gone through while what was asked
// for before is still being done, each command on a goroutine of its own and a frame drawn
// after every key; the race detector, with which .ci/run runs this, sees who breaks the rule.
func TestShellConcurrently(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.atOnce("b", "m2j<enter>p", "ra", "3zz", "<enter>/db<enter>", "<esc>u<enter>yo<esc>t", "4O<enter>", "<enter><esc>", "5uj<enter><enter>",
		"9", "f", "ff", "+++<gt><gt>", "z", "/pods<enter>", "f", "<esc><esc>v", "@900<enter>", "H<enter>", "jj  d", "v", "<esc>", "9y", "?", "<esc>", ":undone<enter>u<enter>", ":theme light<enter>", "1b")
	if x.Pending || x.Objects == nil || x.Timeline == nil || x.Rollback == nil || x.Problems == nil {
		t.Error("something is still being read")
	}
	if screen := x.plain(); !strings.Contains(screen, "Verdict") {
		t.Errorf("not the screen that was asked for last:\n%s", screen)
	}
}
