package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"revenant/analyzer/clock"
	"revenant/analyzer/restore"
	"revenant/analyzer/series"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/report"
	"revenant/tui"
)

// isSeries says whether the files are more than a backup and the newest state.
func (o *uiOptions) isSeries(ctx context.Context, files []string) bool {
	return len(files) > 2 || slices.ContainsFunc(files, func(path string) bool { return o.open.several(ctx, []string{path}) })
}

// chosen are the places of the newest member, and of the backup: the one before it on the
// way to it, with an older revision where there is one. It is NoMember where nothing is
// before it.
func chosen(s *series.Series) (backup, current int) {
	current, backup = s.Newest(), tui.NoMember
	older := false
	for _, p := range s.Path(s.Members[current].Branch) {
		if p.Member == current {
			break
		}
		whole := p.To == s.Members[p.Member].Revision && p.To < s.Members[current].Revision
		if backup == tui.NoMember || whole || !older {
			backup, older = p.Member, whole
		}
	}
	return backup, current
}

// chosenText says which two of the files are compared.
func chosenText(s *series.Series, backup, current int) string {
	all := (&tui.Series{Series: s}).Names()
	if backup == tui.NoMember {
		return fmt.Sprintf("Of %s, %s is the newest; none is before it in its history.", words.Count(len(all), "file"), all[current])
	}
	return fmt.Sprintf("Of %s, %s is taken as BACKUP and %s as CURRENT.", words.Count(len(all), "file"), all[backup], all[current])
}

// seriesOverview prints the overview of the two newest files of a series.
func (o *uiOptions) seriesOverview(ctx context.Context, files []string, plan restore.Plan) error {
	return o.open.withSeries(ctx, o.streams, files, func(s *series.Series, bar *progressLine) error {
		backup, current := chosen(s)
		bar.clear()
		p := report.NewPrinter(o.streams.out)
		p.Line("%s", chosenText(s, backup, current))
		p.Line("")
		if err := p.Flush(); err != nil {
			return err
		}
		var err error
		if name := s.Members[current].Name; backup == tui.NoMember {
			err = o.inspect(ctx, name)
		} else if b, c, bad := o.open.files(s.Members[backup].Name, name); bad != nil {
			err = bad
		} else {
			err = o.overview(ctx, b, c, plan)
		}
		if left := leftOut(s); left != nil && (err == nil || errors.Is(err, errDamaged)) {
			return left
		}
		return err
	})
}

// manyFiles is a series whose pairs the terminal UI shows.
type manyFiles struct {
	*uiOptions
	files []string
	plan  restore.Plan
	pairs *pairs

	mu     sync.Mutex // one pair is opened at a time
	series *tui.Series

	looking sync.Mutex // one member is opened at a time
	members map[int]openMember
}

// openMember is a member that is looked at beside the pair.
type openMember struct {
	snapshot *snapshot.Snapshot
	clock    *clock.Clock
}

// member opens a member, which stays open.
func (m *manyFiles) member(ctx context.Context, i int) (*snapshot.Snapshot, *clock.Clock, error) {
	m.looking.Lock()
	defer m.looking.Unlock()
	if was, ok := m.members[i]; ok {
		return was.snapshot, was.clock, nil
	}
	o := m.open
	o.skipHashCheck = true
	s, err := o.opener(m.series.Members[i].Name, false)(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	c, err := clock.Build(ctx, s, m.series.Prefix)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	if m.members == nil {
		m.members = map[int]openMember{}
	}
	m.members[i] = openMember{s, c}
	return s, c, nil
}

// load reads the series, and opens its two newest files.
func (m *manyFiles) load(ctx context.Context, progress func(snapshot.Progress, string)) (*tui.Input, error) {
	tell := func(p snapshot.Progress) { progress(p, "files") }
	s, err := m.open.series(ctx, m.streams, m.files, func(string) func(snapshot.Progress) { return tell }, tell)
	if err != nil {
		return nil, err
	}
	n := int64(len(s.Members) + len(s.Left))
	tell(snapshot.Progress{Phase: phaseLook, Done: n, Total: n})
	m.series = &tui.Series{Series: s, Pair: m.pair, Member: m.member}
	backup, current := chosen(s)
	in, err := m.pair(ctx, backup, current, progress)
	if err == nil {
		in.Notice = chosenText(s, backup, current)
	}
	return in, err
}

// pair opens two members, or the newest state alone.
func (m *manyFiles) pair(ctx context.Context, backup, current int, progress func(snapshot.Progress, string)) (*tui.Input, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.series.Members
	o := *m.uiOptions // of each pair its own: what was read with the last may still be in use
	load := o.one(o.open.opener(all[current].Name, true), m.plan)
	if backup != tui.NoMember {
		b, c := all[backup].Name, all[current].Name
		if same(b, c) {
			return nil, errSame(b, c)
		}
		load = o.pair(o.open.opener(b, false), o.open.opener(c, true), m.plan)
	}
	in, err := load(ctx, progress)
	if err != nil {
		return nil, err
	}
	in.Series, in.Members = m.series, [2]int{backup, current}
	m.pairs.add(&o.open, in)
	return in, nil
}

// end closes the series. The error is that of the screens, or says that a file has
// changed, that one is left out, or damaged.
func (m *manyFiles) end(err error) error {
	if m.series == nil {
		return err
	}
	all := m.series.Series
	for i := range all.Members {
		if bad := snapshot.FilesUnchanged(all.Members[i].Files); bad != nil && (err == nil || errors.Is(err, errDamaged)) {
			err = hinted(bad, copyHint)
		}
		if err == nil && all.Members[i].Damaged {
			err = errDamaged
		}
	}
	if left := leftOut(all); left != nil && (err == nil || errors.Is(err, errDamaged)) {
		err = left
	}
	for _, of := range m.members {
		err = errors.Join(err, of.snapshot.Close())
	}
	return errors.Join(err, all.Close())
}

// pairs are those that the terminal UI has open.
type pairs struct {
	mu          sync.Mutex
	openOptions *openOptions // of the one that was opened last
	open        []*tui.Input
	changed     error // of one that was closed
	bad         bool  // one that was closed was damaged
}

// add takes over a pair, and how it was read.
func (p *pairs) add(o *openOptions, in *tui.Input) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.openOptions, p.open = o, append(p.open, in)
}

// release checks and closes a pair that is no longer shown.
func (p *pairs) release(ctx context.Context, in *tui.Input) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = errors.Join(p.changed, p.close(ctx, in))
	p.open = slices.DeleteFunc(p.open, func(of *tui.Input) bool { return of.Sources[0].Snapshot == in.Sources[0].Snapshot })
}

// close says whether evidence has changed while it was read.
func (p *pairs) close(ctx context.Context, in *tui.Input) (err error) {
	var closed error
	for _, i := range in.Chosen() {
		of := &in.Sources[i]
		if err == nil {
			err = p.openOptions.unchanged(ctx, of.Snapshot)
		}
		p.bad = p.bad || knownBad(of.Snapshot)
		closed = errors.Join(closed, of.Snapshot.Close())
	}
	return errors.Join(err, closed)
}

// end closes all. The error is that of the screens, or says that evidence has changed, or
// is damaged.
func (p *pairs) end(ctx context.Context, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 && p.changed == nil {
		return err
	}
	changed := p.changed
	for _, in := range p.open {
		changed = errors.Join(changed, p.close(ctx, in))
	}
	switch {
	case err != nil:
		return err
	case changed != nil:
		return changed
	}
	if err := p.openOptions.metricsUnchanged(ctx); err != nil {
		return err
	}
	if p.bad {
		return errDamaged
	}
	return nil
}
