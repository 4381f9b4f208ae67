package timeline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	"revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// manyEvents is the screen with as many events more than the demo has.
func manyEvents(t testing.TB, n int) *Screen {
	in := sessiontest.DemoInput(t)
	s := in.Sources[in.Current].Snapshot
	records := make([]snapshot.Carved, n)
	var marks []clock.Mark
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range records {
		r := &records[i].Record
		r.Key = fmt.Sprintf("/registry/%s/team-%d/web-%05d", []string{"pods", "events", "leases", "endpoints"}[i%4], i%500, i)
		r.Main, r.Version, r.Tombstone = s.Revision()+int64(i)+1, int64(i%3), i%7 == 0
		if i%10 == 0 {
			marks = append(marks, clock.Mark{Revision: r.Main, Time: start.Add(time.Duration(i) * time.Second)})
		}
	}
	c := &snapshot.Carving{Records: slices.Values(records), Count: n}
	made := clock.New(marks, s.Revision()+int64(n), nil)
	tl, err := timeline.New(t.Context(), "/registry", timeline.Source{Name: "current", Snapshot: s, Clock: made, Carving: c})
	if err != nil {
		t.Fatal(err)
	}
	x := New(sessiontest.Bare(t, in)).(*Screen)
	x.Session.Timeline = &timeline.Joined{Timeline: tl, Clock: made}
	x.SetSize(160, 43)
	x.done(x.Update(session.ChangedMsg{}))
	return x
}

// done does what a command brings, to the end.
func (x *Screen) done(cmd tea.Cmd) {
	for cmd != nil {
		msg := cmd()
		if msg == nil {
			return
		}
		cmd = x.Update(msg)
	}
}

// BenchmarkTimelineFrame draws events while the selection moves.
func BenchmarkTimelineFrame(b *testing.B) {
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := manyEvents(b, n)
			if x.counted == nil || len(x.Table.Shown) < n {
				b.Fatal("not counted")
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Update(keys.Press{Action: []keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5]})
				x.Keys()
				x.View()
			}
		})
	}
}

// BenchmarkTimelineZoom lists and counts other events. It runs beside the screen.
func BenchmarkTimelineZoom(b *testing.B) {
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := manyEvents(b, n)
			for b.Loop() {
				for _, a := range []keys.Action{keys.ZoomIn, keys.ZoomOut, keys.ByVerb, keys.ByVerb, keys.ByVerb, keys.ByVerb, keys.GroupBy} {
					x.done(x.Update(keys.Press{Action: a}))
				}
			}
		})
	}
}
