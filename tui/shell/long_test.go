package shell

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/adversary"
	"revenant/tui/draw"
	"revenant/tui/widget"
)

// longNames are names that take much more than can be shown of them, and how many
// bytes a column of the terminal may take with them.
var longNames = []struct {
	name, of string
	column   int
}{
	{"marks", "e" + strings.Repeat("\u0301", 100_000), 8},
	{"marks on every letter", strings.Repeat("e"+strings.Repeat("\u0301", 50), 1000), 16},
	{"marks of four bytes", strings.Repeat("e"+strings.Repeat("\U0001D167", 50), 500), 32},
	{"joiners", strings.Repeat("\U0001F468\u200D\U0001F469\u200D\U0001F467", 2_000), 8},
	{"flags", strings.Repeat("\U0001F1E9", 20_001), 8},
	{"variations", "e" + strings.Repeat("\uFE0F", 20_000), 8},
	{"jamo that do not join", strings.Repeat("\u11A8\u1161", 20_000), 8},
	{"prepended", strings.Repeat("\u0D4E", 20_000), 8},
	{"skin tones", "\U0001F44B" + strings.Repeat("\U0001F3FD", 20_000), 16},
	{"wide", strings.Repeat("名", 20_000), 8},
	{"ambiguous", strings.Repeat("±§", 20_000), 8},
	{"no blank", strings.Repeat("a", 300_000), 8},
	{"blanks", strings.Repeat("a ", 50_000), 8},
}

// TestFramesAreBounded goes through the screens with such names in the evidence: a
// frame takes so many bytes for each column of the terminal, and no more.
func TestFramesAreBounded(t *testing.T) {
	for i, long := range longNames {
		t.Run(long.name, func(t *testing.T) {
			c, err := adversary.Named(uint64(i), long.of)
			if err != nil {
				t.Fatal(err)
			}
			in := caseInput(t, c)
			if in == nil {
				t.Fatal("the pair does not open")
			}
			size := sizes[i%len(sizes)]
			x := openOn(t, in, size.width, size.height)
			peak := 0
			for _, keys := range []string{
				"1", "<pgdown><pgdown><pgdown>", "2", "<enter>", "G", "<esc>", "b", "3u", "j", "jj", "z", "zz", "<enter>", "<enter>", "o", "y", "G", "c", "<esc><esc>", "/x<esc>",
				"4", "j", "<enter>", "r", "<esc>", "5u", "j", "<enter>", "<esc>", "6", "G", "<enter>", "G", "J", "R", "d", "dd", "c", "<esc><esc>", "6zz", "<enter>", "<esc><esc>", "7", "j", "<enter>", "G", "<esc>",
				"8u", "<enter>", "<enter>", "<enter>", "G", "<esc><esc><esc>", "9", "zz", "j", "jjj", "<enter>", "<esc>", "0", "j", "<enter>", "j", "<enter>", "<enter>", "<esc><esc>",
				":undone<enter>", "u", "j", "<enter>", "<esc>", ":problems<enter>", "j", "<enter>", "<esc>", ":po <enter>", "O", "<enter>", "n<tab><tab><esc>", ":po -n <tab><tab><tab><esc>", "?", "?", "<ctrl+k>", "<esc>", "6 j j c<ctrl+s>",
			} {
				x.typed(keys)
				x.fits()
				x.harmless()
				n, most := len(x.raw()), long.column*size.width*size.height
				if peak = max(peak, n); n > most {
					t.Errorf("after %s a frame of %d bytes, at most %d:\n%s", keys, n, most, heaviest(x.raw()))
				}
				if t.Failed() {
					t.FailNow()
				}
			}
			t.Logf("at most %d bytes a frame of %s, %.1f a column", peak, size.name, float64(peak)/float64(size.width*size.height))
		})
	}
}

// heaviest is the beginning of the line of the most bytes.
func heaviest(screen string) string {
	longest := slices.MaxFunc(strings.Split(screen, "\n"), func(a, b string) int { return len(a) - len(b) })
	return fmt.Sprintf("%d bytes: %.300q", len(longest), longest)
}

// TestHungLongLines breaks a long line without blanks, in time that grows with it.
func TestHungLongLines(t *testing.T) {
	for _, line := range []string{strings.Repeat("a", 1<<20), "  key: " + strings.Repeat("名", 1<<18), sanitize.Line("key: " + strings.Repeat("e"+strings.Repeat("\u0301", 20), 1<<14))} {
		var whole strings.Builder
		for i, piece := range draw.HangLine(line, 40) {
			if w := ansi.StringWidth(piece); w > 40 {
				t.Fatalf("%d columns", w)
			}
			if i > 0 {
				piece = strings.TrimLeft(piece, " ")
			}
			whole.WriteString(piece)
		}
		if whole.String() != line {
			t.Errorf("%.20q is not whole", line)
		}
	}
}

// TestTakenIsWhole copies and saves what is drawn in part only.
func TestTakenIsWhole(t *testing.T) {
	name := "e" + strings.Repeat("\u0301", 1000)
	var changes []snapshottest.Change
	for _, name := range []string{name, name + "-1"} {
		value := fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"team","uid":"u%d"},"spec":{"nodeName":"n0"},"status":{"phase":"Running"}}`, name, len(changes))
		changes = append(changes, snapshottest.Put("/registry/pods/team/"+name, value))
	}
	c := &adversary.Case{
		Files:  map[string][]byte{"backup.db": snapshottest.Bytes(t, changes[0]), "current.db": snapshottest.Bytes(t, changes...)},
		Backup: adversary.Evidence{Path: "backup.db"}, Current: adversary.Evidence{Path: "current.db"},
	}
	x := openOn(t, caseInput(t, c), 120, 40)
	for _, tt := range []struct {
		what, keys string
		save       bool
	}{
		{"a name", "3u", false},
		{"marked names", "3u  ", false},
		{"pods", "3u", true},
		{"keys", "6/pods team<enter>", true},
		{"a key", "6/pods team<enter>", false},
		{"pods with their columns", ":po -n team<enter>", true},
		{"an object", "6/pods team<enter><enter>", true},
		{"an object to paste", "6/pods team<enter><enter>", false},
		{"an object of a history", "6/pods team<enter>Hy", true},
	} {
		x.typed("<esc><esc><esc>" + tt.keys)
		e := x.excerpt(tt.save)
		if e.Later != nil {
			e.Text = e.Later()
		}
		if !strings.Contains(e.Text, name) {
			t.Errorf("%s: %.200q", tt.what, e.Text)
		}
		x.send(widget.NoticeMsg("saved " + e.What)) // is drawn
		if n := len(x.raw()); n > 8*120*40 {
			t.Errorf("%s: a frame of %d bytes", tt.what, n)
		}
	}
}
