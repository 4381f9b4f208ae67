package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"revenant/analyzer/series"
	"revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/scratch"
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
// own: of each in order.
func (l *revisionList) members(ctx context.Context, rw *revisionWriter) error {
	s := l.series
	newest := s.Members[s.Newest()].Branch
	for _, branch := range append([]int{newest}, s.Beside(newest)...) {
		b := branchList{revisionList: l, rw: rw, seed: maphash.MakeSeed(), held: map[uint64]bool{}}
		if branch != newest {
			b.common, _ = s.Apart(branch, newest)
		}
		if err := b.write(ctx, s.Path(branch)); err != nil {
			return err
		}
	}
	return nil
}

// branchList are the revisions of a history. Each member has what the one before it has
// not, and those are written as they are read. What comes out of its turn, which is what was
// carved and what an older member had compacted, is put by first, in a file, a run of rows
// for each member, and is written between them.
type branchList struct {
	*revisionList
	rw     *revisionWriter
	common int64 // up to where another history has the same
	runs   []*rowRun

	seed maphash.Seed
	held map[uint64]bool // revisions that a member holds, where some were carved
}

func (b *branchList) write(ctx context.Context, path []series.Part) (err error) {
	s := b.series
	inTurn := slices.IsSortedFunc(path, func(p, q series.Part) int {
		return cmp.Compare(s.Members[p.Member].CompactRevision, s.Members[q.Member].CompactRevision)
	})
	if b.carved || !inTurn {
		done, err := b.putBy(ctx, path)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	err = b.each(ctx, path, func(n int, reached int64) error {
		if b.outOfTurn(n, reached) {
			return nil
		}
		if err := b.writeUntil(b.all.Revision(n)); err != nil {
			return err
		}
		return b.writeRow(b.rw, b.row(n))
	})
	if err != nil {
		return err
	}
	return b.writeUntil(snapshot.Revision{Main: math.MaxInt64})
}

// each goes over what each member has and the one before it has not, with the revision that
// was reached before.
func (b *branchList) each(ctx context.Context, path []series.Part, do func(n int, reached int64) error) error {
	s := b.series
	var before *series.Part
	for i, p := range path {
		ahead := b.carved && i == len(path)-1 // pages may have revisions newer than the file's
		if p.To <= b.common || b.from > p.To && !ahead {
			continue
		}
		source, err := b.source(ctx, p.Member)
		if err != nil {
			return err
		}
		b.sources = []timeline.Source{source}
		if err := b.open(ctx); err != nil {
			return err
		}
		reached := b.common
		if before != nil {
			reached = max(reached, before.To)
		}
		for n := range b.numbers() {
			revision := b.all.Revision(n)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case revision.Main <= b.common || revision.Main > p.To && !ahead:
			case !b.all.Carved(n) && s.Repeats(p, before, revision.Main):
			default:
				if err := do(n, reached); err != nil {
					return err
				}
			}
		}
		before = &p
	}
	return nil
}

// outOfTurn says whether a revision does not come after all that were written before.
func (b *branchList) outOfTurn(n int, reached int64) bool {
	return b.all.Carved(n) || b.all.Revision(n).Main <= reached
}

// putBy writes the rows that come out of their turn to a temporary file, and opens it.
func (b *branchList) putBy(ctx context.Context, path []series.Part) (done func() error, err error) {
	dir, err := b.timelineOptions.open.guard.MkdirTemp("revenant-")
	if err != nil {
		return nil, err
	}
	done = func() error { return scratch.Remove(dir) }
	defer func() {
		if err != nil {
			err = errors.Join(err, done())
		}
	}()
	name := filepath.Join(dir, "rows")
	place, err := b.timelineOptions.open.guard.Place(name, outfile.New)
	if err != nil {
		return nil, err
	}
	defer place.Close()
	var ends []int64
	if err := place.Write(ctx, 0o600, func(w io.Writer) error { ends, err = b.encodeRuns(ctx, w, path); return err }); err != nil {
		return nil, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	done = func() error { return errors.Join(file.Close(), scratch.Remove(dir)) }
	from := int64(0)
	for _, end := range ends {
		r := &rowRun{rows: gob.NewDecoder(bufio.NewReader(io.NewSectionReader(file, from, end-from)))}
		if err := r.advance(); err != nil {
			return nil, err
		}
		b.runs, from = append(b.runs, r), end
	}
	return done, nil
}

// encodeRuns writes a run for each member, and says where each ends.
func (b *branchList) encodeRuns(ctx context.Context, w io.Writer, path []series.Part) (ends []int64, err error) {
	out := &counter{w: bufio.NewWriter(w)}
	carved := map[uint64]bool{}
	var to *gob.Encoder
	var all *timeline.Timeline
	err = b.each(ctx, path, func(n int, reached int64) error {
		if all != b.all {
			if all != nil {
				ends = append(ends, out.n)
			}
			all, to = b.all, gob.NewEncoder(out)
		}
		seen, id := b.held, maphash.Comparable(b.seed, changed{b.all.Key(n), b.all.Revision(n)})
		if b.all.Carved(n) {
			seen = carved
		}
		if seen[id] {
			return nil
		}
		seen[id] = true
		if !b.outOfTurn(n, reached) {
			return nil
		}
		return to.Encode(b.row(n))
	})
	return append(ends, out.n), errors.Join(err, out.w.Flush())
}

// writeUntil writes the rows that were put by, up to a revision.
func (b *branchList) writeUntil(revision snapshot.Revision) error {
	for {
		var first *rowRun
		for _, r := range b.runs {
			if r.next != nil && (first == nil || r.next.before(first.next.Revision, first.next.Sub)) {
				first = r
			}
		}
		if first == nil || !first.next.before(revision.Main, revision.Sub) {
			return nil
		}
		row := first.next
		id := maphash.Comparable(b.seed, changed{row.Key, snapshot.Revision{Main: row.Revision, Sub: row.Sub}})
		if row.Carved == "" || !b.held[id] {
			if err := b.writeRow(b.rw, row); err != nil {
				return err
			}
		}
		if err := first.advance(); err != nil {
			return err
		}
	}
}

// before says whether a row comes before a revision.
func (row *revisionRow) before(main, sub int64) bool {
	return row.Revision < main || row.Revision == main && row.Sub < sub
}

// rowRun is rows that were put by, in order.
type rowRun struct {
	rows *gob.Decoder
	next *revisionRow // nil after the last
}

func (r *rowRun) advance() error {
	row := &revisionRow{}
	switch err := r.rows.Decode(row); {
	case errors.Is(err, io.EOF):
		r.next = nil
		return nil
	case err != nil:
		return err
	}
	for _, list := range []*[]string{&row.Managers, &row.Fields, &row.Files} { // gob knows no empty list
		if *list == nil {
			*list = []string{}
		}
	}
	r.next = row
	return nil
}

// counter counts what is written.
type counter struct {
	w *bufio.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
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
