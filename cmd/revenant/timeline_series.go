package main

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"

	"revenant/analyzer/series"
	"revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// runSeries lists the revisions of many files, of one after the other.
func (o *timelineOptions) runSeries(ctx context.Context, files []string, targets []target) error {
	var verdict error
	err := o.open.withSeries(ctx, o.streams, files, func(s *series.Series, bar *progressLine) error {
		l := &revisionList{timelineOptions: o, prefix: s.Prefix, series: s}
		newest, err := l.source(ctx, s.Newest())
		if err != nil {
			return err
		}
		l.sources = []timeline.Source{newest}
		if l.from, l.to, err = l.window(); err != nil {
			return err
		}
		if l.query.chooses() {
			if err := l.chooseInAll(ctx); err != nil {
				return err
			}
		}
		bar.clear()
		verdict = l.verdict()
		if err := l.write(ctx, targets); err != nil {
			return err
		}
		l.holes()
		verdict = cmp.Or(verdict, l.verdict())
		return leftOut(s)
	})
	return cmp.Or(err, verdict)
}

func (l *revisionList) source(ctx context.Context, i int) (timeline.Source, error) {
	c, err := l.series.Clock(ctx, i)
	if err != nil {
		return timeline.Source{}, err
	}
	s, err := l.series.Open(ctx, i)
	if err != nil {
		return timeline.Source{}, err
	}
	source := timeline.Source{Name: l.series.Members[i].Name, Snapshot: s, Clock: c}
	return source, l.carve(ctx, &source)
}

func (l *revisionList) chooseInAll(ctx context.Context) error {
	absent := map[string]int{}
	var unknown error
	for i := range l.series.Members {
		s, err := l.source(ctx, i)
		if err != nil {
			return err
		}
		if err := l.choose(ctx, s, absent, &unknown); err != nil {
			return err
		}
	}
	return l.chosen(absent, len(l.series.Members), unknown)
}

// members writes the revisions of the newest history, and then what others have of their
// own. Each member has what the one before it has not.
func (l *revisionList) members(ctx context.Context, rw *revisionWriter) error {
	s := l.series
	seed, had := maphash.MakeSeed(), map[uint64]bool{} // with --carved, what was listed
	newest := s.Members[s.Newest()].Branch
	for _, branch := range append([]int{newest}, s.Beside(newest)...) {
		common := int64(0)
		if branch != newest {
			common, _ = s.Apart(branch, newest)
		}
		var before *series.Part
		path := s.Path(branch)
		for i, p := range path {
			ahead := l.carved && i == len(path)-1 // pages may have revisions newer than the file's
			if p.To <= common || l.from > p.To && !ahead {
				continue
			}
			source, err := l.source(ctx, p.Member)
			if err != nil {
				return err
			}
			l.sources = []timeline.Source{source}
			l.wanted = func(n int) bool {
				revision := l.all.Revision(n)
				if revision.Main <= common || revision.Main > p.To && !ahead || !l.all.Carved(n) && s.Repeats(p, before, revision.Main) {
					return false
				}
				if !l.carved {
					return true
				}
				id := maphash.Comparable(seed, changed{l.all.Key(n), revision})
				if l.all.Carved(n) && had[id] {
					return false
				}
				had[id] = true
				return true
			}
			if err := l.open(ctx); err != nil {
				return err
			}
			if err := l.rows(ctx, rw); err != nil {
				return err
			}
			before = &p
		}
	}
	return nil
}

// changed names a revision of a key.
type changed struct {
	key      string
	revision snapshot.Revision
}

// holes says on standard error which revisions are in no file.
func (l *revisionList) holes() {
	all := int64(0)
	holes := l.series.Holes(l.series.Members[l.series.Newest()].Branch)
	for i := range holes {
		all += holes[i].Revisions()
	}
	if all > 0 {
		fmt.Fprintf(l.streams.err, "The list is not complete: %s, in %s between the files, are in none.\n", words.Count(all, "revision"), words.CountOf(len(holes), "stretch", "stretches"))
	}
}
