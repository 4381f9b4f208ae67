package series

import (
	"context"
	"errors"
	"slices"

	"revenant/analyzer/clock"
	"revenant/decoder/snapshot"
)

// mostOpen is how many bytes of databases are open at a time, but for the last two that
// were asked for: an index takes a part of that in memory.
const mostOpen = 1 << 30

// pool keeps the members open that were asked for last.
type pool struct {
	sources []Source
	opened  []opened // the one that was asked for last comes last
	clocks  map[int]*clock.Clock
}

type opened struct {
	source   int
	snapshot *snapshot.Snapshot
}

func newPool(sources []Source) pool { return pool{sources: sources, clocks: map[int]*clock.Clock{}} }

// open opens a source, and closes those that were asked for long ago.
func (p *pool) open(ctx context.Context, source int) (*snapshot.Snapshot, error) {
	if i := slices.IndexFunc(p.opened, func(o opened) bool { return o.source == source }); i >= 0 {
		o := p.opened[i]
		p.opened = append(slices.Delete(p.opened, i, i+1), o)
		return o.snapshot, nil
	}
	s, err := p.sources[source].Open(ctx)
	if err != nil {
		return nil, err
	}
	p.opened = append(p.opened, opened{source, s})
	total := int64(0)
	for i, o := range slices.Backward(p.opened) {
		if total += o.snapshot.Size(); total > mostOpen && i < len(p.opened)-2 {
			err = p.shut(i + 1)
			break
		}
	}
	return s, err
}

// shut closes those that were asked for first.
func (p *pool) shut(n int) error {
	var errs []error
	for _, o := range p.opened[:n] {
		errs = append(errs, o.snapshot.Close())
	}
	p.opened = slices.Delete(p.opened, 0, n)
	return errors.Join(errs...)
}

// Open opens the i-th member. It stays open until Close, or until many others have been
// asked for: at least the last two that were are open.
func (s *Series) Open(ctx context.Context, i int) (*snapshot.Snapshot, error) {
	return s.pool.open(ctx, s.Members[i].source)
}

// Close closes what is open.
func (s *Series) Close() error { return s.pool.shut(len(s.pool.opened)) }
