package shared

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/diff"
	"revenant/tui/draw"
	"revenant/tui/session/sessiontest"
)

// TestChanges draws fields of every kind, at every width, whatever they hold.
func TestChanges(t *testing.T) {
	const evil = "a\x1b]52;c;ZXZpbA==\x07b\x1b[2Jc\r\nd\u202ee\u200bf\x9b31mg\x7f\t文"
	list := []diff.Change{
		{Path: evil, Before: evil, After: evil + "2"},
		{Path: "text", Before: fmt.Sprintf("%q", "1\n2\n3\n4\n5\n6\n7\n8\n"), After: fmt.Sprintf("%q", "1\n2\n3\n4\n5\n6\n7\nacht "+evil+"\n")},
		{Path: "added", After: `{"b":["` + strings.Repeat("語", 100) + `"]}`},
		{Path: "removed", Before: "1"},
		{Path: "", Before: "<stored bytes>", After: "<other stored bytes>"},
		{Path: "metadata.managedFields", Before: "1", After: "2", Noise: diff.ManagedFields},
	}
	for _, g := range []draw.Glyphs{draw.UnicodeGlyphs, draw.ASCIIGlyphs} {
		th := draw.NewTheme(true, colorprofile.TrueColor, g, draw.DefaultLook)
		for _, look := range []ChangesLook{{}, {Beside: true}, {Noise: true}, {Beside: true, Noise: true}, {Whole: true}} {
			for _, width := range []int{20, 69, 70, 71, 120} {
				lines := Changes(th, list, look, width)
				for _, line := range lines {
					if w := ansi.StringWidth(line); w > width {
						t.Errorf("%+v: %d columns of %d: %q", look, w, width, line)
					}
					if strings.ContainsAny(sessiontest.SGR.ReplaceAllString(line, ""), "\x1b\x07\r\n\t\u202e\u200b\x7f") {
						t.Errorf("%+v: %q steers the terminal", look, line)
					}
				}
				if folded := !strings.Contains(draw.Flat(lines), "~ metadata.managedFields"); width > 20 && !look.Whole && folded == look.Noise {
					t.Errorf("%+v: noise folded is %v", look, folded)
				}
			}
		}
	}
}
