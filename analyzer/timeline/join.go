package timeline

import (
	"cmp"
	"context"
	"slices"

	"revenant/analyzer/clock"
)

// Joined is the timeline of snapshots as one: of a backup and the state that it
// replaces, or of any others.
type Joined struct {
	*Timeline
	Clock     *clock.Clock     // of the last source, with what those of the others show if they are of one history
	Heads     []clock.Interval // in which the newest revision of each source was written
	Recovered int              // how many events are carved
	Carving   bool             // free pages were searched for them
	First     int              // number of the first event from which on none is missing, or with Holes some source retains all; 0 where all came before that
	From      int64            // that revision
	Rates     []Rate           // from that event to when the last source was taken; nil for no event
}

// Options say how snapshots are joined.
type Options struct {
	Prefix     string // of the API server's keys
	OneHistory bool   // each is an earlier state of the one after it, or nothing says otherwise
	Carve      bool   // with what can be carved
	Rates      int    // in how many parts rates are measured
	Holes      bool   // between what sources retain there may be what none does
}

// Join reads the timeline of one or several snapshots, the newest last. The error is
// ctx's, or says why nothing can be carved.
func Join(ctx context.Context, o Options, sources ...Source) (*Joined, error) {
	sources = slices.Clone(sources)
	last := &sources[len(sources)-1]
	t := &Joined{Clock: last.Clock, Carving: o.Carve}
	if o.OneHistory {
		for i := range sources[:len(sources)-1] {
			t.Clock = clock.Join(sources[i].Clock, t.Clock)
		}
		for i := range sources {
			sources[i].Clock = t.Clock
		}
	}
	var err error
	for i := range sources {
		s := &sources[i]
		if s.carve = o.Carve; !o.Carve || s.Snapshot == nil {
			continue
		}
		if s.Carving, err = s.Snapshot.Carve(ctx); err != nil {
			return nil, err
		}
	}
	if t.Timeline, err = New(ctx, o.Prefix, sources...); err != nil {
		return nil, err
	}
	t.Clock = cmp.Or(t.Clock, t.sources[len(sources)-1].Clock)
	for i, h := range t.held {
		t.Heads = append(t.Heads, t.sources[i].Clock.TimeOf(h.newest))
	}
	for n := range t.Len() {
		if t.Carved(n) {
			t.Recovered++
		}
	}
	if t.From = t.Complete(); o.Holes {
		t.From = t.Begins()
	}
	t.First, _ = t.Between(t.From, 0)
	if t.First == t.Len() {
		t.First = 0
	}
	if t.Len() > 0 {
		first := t.When(t.First)
		if first.From.IsZero() {
			first.From = first.To
		}
		t.Rates = Rates(t.Clock, first.From, t.Clock.Taken().From, o.Rates, t.Jumps())
	}
	return t, nil
}
