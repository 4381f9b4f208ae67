package series

import (
	"context"

	"revenant/analyzer/clock"
	"revenant/analyzer/history"
	"revenant/decoder/snapshot"
)

// Clock is that of the i-th member, which is opened for it.
func (s *Series) Clock(ctx context.Context, i int) (*clock.Clock, error) {
	source := s.Members[i].source
	if c := s.pool.clocks[source]; c != nil {
		return c, nil
	}
	opened, err := s.Open(ctx, i)
	if err != nil {
		return nil, err
	}
	c, err := clock.Build(ctx, opened, s.Prefix)
	if err == nil {
		s.pool.clocks[source] = c
	}
	return c, err
}

// Reader reads the history that leads to a branch's newest member. Its sources are the
// members, oldest first, which are opened while it reads.
func (s *Series) Reader(ctx context.Context, branch int) *history.Reader {
	r := &history.Reader{Prefix: s.Prefix, One: true}
	for _, p := range s.Path(branch) {
		r.Sources = append(r.Sources, history.Source{
			Name: s.Members[p.Member].Name,
			To:   p.To,
			Open: func() (*snapshot.Snapshot, *clock.Clock, error) {
				c, err := s.Clock(ctx, p.Member)
				if err != nil {
					return nil, nil, err
				}
				opened, err := s.Open(ctx, p.Member)
				return opened, c, err
			},
		})
	}
	return r
}
