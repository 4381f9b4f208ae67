package timeline

import (
	"context"

	"revenant/analyzer/clock"
)

// Pair is the timeline of a backup and of the state that it replaces, as one.
type Pair struct {
	*Timeline
	Clock     *clock.Clock   // of the current snapshot, with what the backup's shows if they are of one history
	Backup    clock.Interval // in which the backup's newest revision was written
	Recovered int            // how many events are carved
	Carving   bool           // free pages were searched for them
	First     int            // number of the first event from which on none is missing, 0 where all came before that
	Rates     []Rate         // from that event to when the current snapshot was taken; nil for no event
}

// PairOptions say how a pair is read.
type PairOptions struct {
	Prefix     string // of the API server's keys
	OneHistory bool   // the backup is an earlier state of the current snapshot, or nothing says otherwise
	Carve      bool   // with what can be carved
	Rates      int    // in how many parts rates are measured
}

// ReadPair reads the timeline of two snapshots. The error is ctx's, or says why nothing
// can be carved.
func ReadPair(ctx context.Context, backup, current Source, o PairOptions) (*Pair, error) {
	p := &Pair{Clock: current.Clock, Carving: o.Carve}
	sources := []Source{backup, current}
	if o.OneHistory {
		p.Clock = clock.Join(backup.Clock, current.Clock)
		sources[0].Clock, sources[1].Clock = p.Clock, p.Clock
	}
	p.Backup = sources[0].Clock.TimeOf(backup.Snapshot.Revision())
	for i := range sources {
		if !o.Carve {
			break
		}
		var err error
		if sources[i].Carving, err = sources[i].Snapshot.Carve(ctx); err != nil {
			return nil, err
		}
	}
	var err error
	if p.Timeline, err = New(ctx, o.Prefix, sources...); err != nil {
		return nil, err
	}
	for n := range p.Len() {
		if p.Carved(n) {
			p.Recovered++
		}
	}
	p.First, _ = p.Between(p.Complete(), 0)
	if p.First == p.Len() {
		p.First = 0
	}
	if p.Len() > 0 {
		first := p.When(p.First)
		if first.From.IsZero() {
			first.From = first.To
		}
		p.Rates = Rates(p.Clock, first.From, p.Clock.Taken().From, o.Rates, p.Jumps())
	}
	return p, nil
}
