package diff

import (
	"fmt"
	"testing"

	"revenant/analyzer/diff"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// TestDiffOnlyWhenShown compares nothing before somebody looks.
func TestDiffOnlyWhenShown(t *testing.T) {
	d := New(sessiontest.Bare(t, sessiontest.DemoInput(t))).(*Screen)
	d.Update(session.ChangedMsg{})
	if d.request != 0 {
		t.Error("moments were compared that nobody has asked for")
	}
	if d.Wake() == nil {
		t.Error("nothing was compared")
	}
	if d.Wake() != nil || d.request != 1 {
		t.Errorf("the same was compared %d times", d.request)
	}
}

// BenchmarkDiffFrame draws objects that differ while the selection moves.
func BenchmarkDiffFrame(b *testing.B) {
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := sessiontest.Bare(b, sessiontest.DemoInput(b))
			d := New(s).(*Screen)
			c := &diff.Comparison{Sifted: true, Objects: make([]diff.Object, n)}
			for i := range c.Objects {
				c.Objects[i] = diff.Object{Key: fmt.Sprintf("/registry/pods/team-%d/web-%05d", i/1000, i), Before: int64(i), After: int64(2 * i), Fate: diff.Fate(i % 5)}
			}
			d.level = &level{of: d.asked, all: c, depth: 2, flat: true}
			d.SetSize(140, 24)
			sessiontest.Fill(b, d.Table, d.rows(d.level))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				d.Table.Move([]keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5])
				d.View()
			}
		})
	}
}
