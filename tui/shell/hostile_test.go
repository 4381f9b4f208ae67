package shell

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/adversary"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
)

// TestHostileScreens types random keys over evidence that is made to break who reads
// it. Nothing may panic, outgrow the terminal or steer it.
func TestHostileScreens(t *testing.T) {
	presses := allPresses()
	shown := 0
	for seed := uint64(0); seed < 30; seed++ {
		in := hostileInput(t, seed)
		if in == nil {
			continue // no pair that can be opened
		}
		shown++
		r := rand.New(rand.NewPCG(seed, 9))
		size := sizes[seed%3]
		x := openOn(t, in, size.width, size.height)
		for i := range 60 {
			if i%12 == 0 { // another screen, and what is on it
				x.typed("<esc>" + string("1234567890"[r.IntN(10)]))
			}
			x.send(presses[r.IntN(len(presses))])
			x.fits()
			x.harmless()
			if n := len(x.raw()); n > draw.MostInCell*size.width*size.height {
				t.Errorf("a frame of %d bytes on %s", n, size.name)
			}
			if t.Failed() {
				c, _ := adversary.New(seed)
				t.Fatalf("seed %d: %s", seed, strings.Join(c.Notes, "; "))
			}
		}
	}
	if shown < 12 {
		t.Errorf("only %d pairs were shown", shown)
	}
}

// allPresses are those of all keys but the one that quits.
func allPresses() (list []tea.KeyPressMsg) {
	for _, b := range keys.Default {
		for _, key := range b.Keys {
			if utf8.RuneCountInString(key) == 1 && b.Action != keys.Quit {
				list = append(list, keysOf(key)...)
			}
		}
	}
	return append(list, keysOf("<enter><enter><esc><down><pgdown><tab><left><ctrl+d>")...)
}

// hostileInput opens the pair of a seed, nil when it does not open.
func hostileInput(t testing.TB, seed uint64) *session.Input {
	t.Helper()
	c, err := adversary.New(seed)
	if err != nil {
		t.Fatal(err)
	}
	return caseInput(t, c)
}

// caseInput opens the pair of a case, nil when it does not open.
func caseInput(t testing.TB, c *adversary.Case) *session.Input {
	t.Helper()
	side := func(path string) (s session.Source, ok bool) {
		data, ok := c.Files[path]
		if !ok {
			return s, false
		}
		var err error
		if s.Snapshot, err = snapshot.OpenBytes(t.Context(), path, data, snapshot.Options{}); err != nil {
			return s, false
		}
		t.Cleanup(func() { s.Snapshot.Close() })
		s.State, err = restore.Load(t.Context(), s.Snapshot, "/registry")
		return s, err == nil
	}
	in := &session.Input{Tool: "revenant test", Prefix: "/registry", Carved: c.Seed%2 == 0}
	backup, ok := side(c.Backup.Path)
	current, too := side(c.Current.Path)
	if !ok || !too || restore.Check(backup.State, current.State) != nil {
		return nil
	}
	in.Pair(backup, current)
	var err error
	if in.Lineage, err = lineage.Compare(t.Context(), backup.Snapshot, current.Snapshot, in.Prefix); err != nil {
		t.Fatal(err)
	}
	return in
}
