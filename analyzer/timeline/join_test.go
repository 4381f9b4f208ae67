package timeline_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
	"revenant/internal/demo"
)

// TestJoin reads the timelines of the built-in pair, and of a store that was written
// for long, whose keys tell no time.
func TestJoin(t *testing.T) {
	b, c, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	churned := corpus.Unpack(t, "../../testdata/etcd/churned-0.db.gz")
	source := func(name string, data []byte) timeline.Source {
		s := snapshottest.OpenBytes(t, name, data)
		marks, err := clock.Build(t.Context(), s, "/registry")
		if err != nil {
			t.Fatal(err)
		}
		return timeline.Source{Name: name, Snapshot: s, Clock: marks}
	}
	for _, tt := range []struct {
		name              string
		backup, current   []byte
		oneHistory, carve bool
		rates             int
	}{
		{"one history", b, c, true, false, 10},
		{"two histories", b, c, false, false, 10},
		{"no time is known", churned, churned, true, false, 0},
		{"with what is carved", churned, churned, true, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := source("backup", tt.backup), source("current", tt.current)
			p, err := timeline.Join(t.Context(), timeline.Options{Prefix: "/registry", OneHistory: tt.oneHistory, Carve: tt.carve, Rates: 10}, backup, current)
			if err != nil {
				t.Fatal(err)
			}
			if carved := p.Recovered > 0; carved != tt.carve || p.Carving != tt.carve {
				t.Errorf("%d events are carved", p.Recovered)
			}
			if own := p.Clock == current.Clock; own == tt.oneHistory {
				t.Errorf("the clock is the current snapshot's alone: %v", own)
			}
			if len(p.Rates) != tt.rates {
				t.Errorf("%d rates", len(p.Rates))
			}
			if p.Revision(p.First).Main < p.Complete() || p.First > 0 && p.Revision(p.First-1).Main >= p.Complete() {
				t.Errorf("complete from event %d on, which is of revision %s, and not %d", p.First, p.Revision(p.First), p.Complete())
			}
			clock := backup.Clock
			if tt.oneHistory {
				clock = p.Clock
			}
			if want := clock.TimeOf(backup.Snapshot.Revision()); p.Heads[0] != want {
				t.Errorf("the backup was written %s, not %s", p.Heads[0], want)
			}
		})
	}
}

// TestJoinOfNothing: no event, and nothing that would divide by them.
func TestJoinOfNothing(t *testing.T) {
	s := timeline.Source{Name: "empty", Snapshot: snapshottest.Store(t)}
	p, err := timeline.Join(t.Context(), timeline.Options{Prefix: "/registry", OneHistory: true, Rates: 10}, s)
	if err != nil || p.Len() != 0 || p.First != 0 || p.Rates != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestManySources joins more files than are open: each has 60 revisions of which the one
// before it has 30, and none has what was written between the second half of them.
func TestManySources(t *testing.T) {
	var changes []snapshottest.Change
	var open, lazy []timeline.Source
	closed := 0
	for n := range 12 {
		gap := 0
		if n == 6 {
			gap = 100
		}
		for i := range 30 + gap {
			changes = append(changes, snapshottest.Put("/registry/configmaps/a/c", fmt.Sprintf(`{"metadata":{"name":"c"},"data":{"n":"%d.%d"}}`, n, i)))
		}
		data := snapshottest.Compact(t, snapshottest.Bytes(t, changes...), int64(max(len(changes)-60, 0)))
		s := snapshottest.OpenBytes(t, fmt.Sprint(n), data)
		c, err := clock.Build(t.Context(), s, "/registry")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, timeline.Source{Name: fmt.Sprint(n), Snapshot: s, Clock: c})
		lazy = append(lazy, timeline.Source{Name: fmt.Sprint(n), Open: func(context.Context) (*snapshot.Snapshot, *clock.Clock, func(), error) {
			return s, c, func() { closed++ }, nil
		}})
	}
	o := timeline.Options{Prefix: "/registry", Holes: true}
	want, err := timeline.Join(t.Context(), o, open...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := timeline.Join(t.Context(), o, lazy...)
	if err != nil {
		t.Fatal(err)
	}
	if closed != 12 || got.Len() != want.Len() || got.From != 1 || len(got.Heads) != 12 {
		t.Errorf("%d events of %d, from revision %d, %d heads, %d closed", got.Len(), want.Len(), got.From, len(got.Heads), closed)
	}
	last := int64(0)
	for n := range got.Len() {
		e := got.Event(n)
		if diff := cmp.Diff(want.Event(n), e); diff != "" {
			t.Errorf("-open +lazy:\n%s", diff)
		}
		if e.Main <= last || len(e.In) < 1 || len(e.In) > 3 {
			t.Errorf("revision %d after %d, in %v", e.Main, last, e.In)
		}
		last = e.Main
	}
	if held := 12*30 + 60; got.Len() > held || got.Len() < held-60 {
		t.Errorf("%d events", got.Len())
	}
}
