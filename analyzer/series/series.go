package series

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"time"

	"revenant/analyzer/clock"
	"revenant/decoder/container"
	"revenant/decoder/snapshot"
)

// Source is a file of evidence.
type Source struct {
	Name string
	Look func(context.Context) (*snapshot.Glance, error)
	Open func(context.Context) (*snapshot.Snapshot, error)
}

// Member is a snapshot of a series.
type Member struct {
	Name            string
	Revision        int64
	CompactRevision int64 // the oldest revision whose state can be asked for
	Taken           clock.Interval
	Branch          int // place of its branch
	Damaged         bool
	Files           []container.File // as they were handed over

	source int // its place among those that were given
}

// Branch is a run of members that follow one another in one history.
type Branch struct {
	Parent int // place of the branch that it parts from, -1 for none
	// Common is the newest revision at which it is known to be the same as its parent, and
	// Parted one at which the two differ, 0 where only the members as a whole show that
	// they do. They part after Common, and at or before Parted.
	Common int64
	Parted int64
	How    How

	// When the first record after Common was written that is seen in it, and in the other
	// branch: the branches began then, or before.
	begun, otherBegun clock.Interval
}

// How says what parted two branches.
type How string

// What parts branches.
const (
	Restore How = "restore" // one goes on where the other had ended
	Fork    How = "fork"    // both were written to at the same time: there are two clusters
	Unknown How = "unknown" // nothing tells the times
)

// Left is a file that is not among the members.
type Left struct {
	Name string
	Err  error
}

// Series is snapshots of one cluster in the order of their history. Its lists are not
// changed once it is made. It is not safe for concurrent use.
type Series struct {
	Members  []Member // by branch, then by revision
	Branches []Branch // a parent before its children
	Left     []Left
	Prefix   string // of the API servers' keys

	pool pool
}

// Options say how to read.
type Options struct {
	// Prefix says below which prefix the objects of a snapshot are.
	Prefix func(context.Context, *snapshot.Snapshot) (string, error)
	// Progress, when set, is called with how many of the files have been looked at.
	Progress func(done, total int)
}

// UnrelatedError says that two files are of two clusters.
type UnrelatedError struct{ Name, Other string }

func (e *UnrelatedError) Error() string {
	return fmt.Sprintf("%s and %s are of two clusters", e.Name, e.Other)
}

// ErrNone says that no file could be opened.
var ErrNone = errors.New("no snapshot could be opened")

// ErrNothing says that a damaged file has nothing to be put in order by.
var ErrNothing = errors.New("it is damaged, and no record of it can be read")

// ErrUndecided says that nothing in a file can be compared with the others.
var ErrUndecided = errors.New("nothing that it holds can be compared with the other files")

// New looks at the sources and puts them in order. The error is ctx's, an *UnrelatedError,
// or ErrNone with the reason of each. Close the series.
func New(ctx context.Context, sources []Source, o Options) (*Series, error) {
	s := &Series{pool: newPool(sources)}
	b := builder{Series: s, options: o}
	if err := b.build(ctx, sources); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// builder orders members.
type builder struct {
	*Series
	options Options
	tips    []*snapshot.Glance // of the newest member of each branch
}

func (b *builder) build(ctx context.Context, sources []Source) error {
	if len(sources) == 1 {
		return b.alone(ctx)
	}
	members, err := b.look(ctx, sources)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		errs := []error{ErrNone}
		for _, l := range b.Left {
			errs = append(errs, fmt.Errorf("%s: %w", l.Name, l.Err))
		}
		return errors.Join(errs...)
	}
	slices.SortStableFunc(members, func(x, y Member) int {
		return cmp.Or(cmp.Compare(x.Revision, y.Revision), cmp.Compare(x.CompactRevision, y.CompactRevision), cmp.Compare(x.Name, y.Name))
	})
	b.Members = members
	if err := b.choosePrefix(ctx); err != nil {
		return err
	}
	defer func() {
		for _, g := range b.tips {
			g.Close()
		}
	}()
	if err := b.order(ctx); err != nil {
		return err
	}
	b.judge()
	slices.SortStableFunc(b.Members, func(x, y Member) int { return cmp.Compare(x.Branch, y.Branch) })
	return nil
}

// alone makes a series of the only source, which is opened at once: it may be one that can
// be read only once.
func (b *builder) alone(ctx context.Context) error {
	b.Members, b.Branches = []Member{{}}, []Branch{{Parent: -1}}
	opened, err := b.Open(ctx, 0)
	if err != nil {
		return err
	}
	b.Members[0] = Member{Name: b.pool.sources[0].Name, Revision: opened.Revision(), CompactRevision: opened.CompactRevision(), Damaged: opened.Damaged(), Files: opened.Files()}
	if b.Prefix, err = b.options.Prefix(ctx, opened); err != nil {
		return err
	}
	c, err := b.Clock(ctx, 0)
	b.Members[0].Taken = c.Taken()
	return err
}

// look opens each source for a look, one at a time.
func (b *builder) look(ctx context.Context, sources []Source) (members []Member, err error) {
	for i, source := range sources {
		if b.options.Progress != nil {
			b.options.Progress(i, len(sources))
		}
		g, err := source.Look(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			b.Left = append(b.Left, Left{source.Name, err})
			continue
		}
		if g.Damaged() && !holds(g) {
			b.Left = append(b.Left, Left{source.Name, errors.Join(ErrNothing, g.Close())})
			continue
		}
		members = append(members, Member{Name: source.Name, Revision: g.Revision, CompactRevision: g.CompactRevision, Branch: -1, Damaged: g.Damaged(), Files: g.Files, source: i})
		if err := g.Close(); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// holds says whether any record can be read.
func holds(g *snapshot.Glance) bool {
	for range g.Newest(g.Revision) {
		return true
	}
	return false
}

// choosePrefix asks the newest member.
func (b *builder) choosePrefix(ctx context.Context) (err error) {
	newest, err := b.Open(ctx, len(b.Members)-1)
	if err == nil {
		b.Prefix, err = b.options.Prefix(ctx, newest)
	}
	return err
}

// order places the members, by revision. What cannot be compared is left out.
func (b *builder) order(ctx context.Context) error {
	kept := b.Members[:0]
	for i := range b.Members {
		m := b.Members[i]
		kept = append(kept, m)
		switch err := b.place(ctx, len(kept)-1); {
		case errors.Is(err, ErrUndecided):
			b.Left = append(b.Left, Left{m.Name, err})
			kept = kept[:len(kept)-1]
		case err != nil:
			return err
		}
	}
	b.Members = kept
	return nil
}

// place finds the branch of the i-th member; all before it have theirs.
func (b *builder) place(ctx context.Context, i int) (err error) {
	m := &b.Members[i]
	g, err := b.pool.sources[m.source].Look(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	if m.Taken, err = taken(ctx, g, b.Prefix); err != nil {
		return err
	}
	best, near, undecided := relation{}, -1, false
	for n := len(b.tips) - 1; n >= 0; n-- {
		r, err := b.relate(ctx, n, g, i)
		switch {
		case err != nil:
			return err
		case r.undecided:
			undecided = true
		case r.unrelated:
		case r.parted == 0:
			m.Branch = n
			old := b.tips[n]
			b.tips[n] = g
			return old.Close()
		case r.common > best.common:
			best, near = r, n
		}
	}
	if near >= 0 {
		if best, err = b.part(ctx, near, i, best); err != nil {
			return err
		}
		if best.unrelated {
			near = -1
		}
	}
	branch := Branch{Parent: near, Common: best.common, Parted: best.parted}
	switch {
	case near >= 0:
		for p := b.Branches[branch.Parent]; p.Parent >= 0 && best.common <= p.Common; p = b.Branches[branch.Parent] {
			branch.Parent = p.Parent
		}
		if branch.begun, err = since(ctx, g, best.common+1, b.Prefix); err != nil {
			return err
		}
		if branch.otherBegun, err = since(ctx, b.tips[near], best.common+1, b.Prefix); err != nil {
			return err
		}
	case undecided && !best.unrelated:
		return ErrUndecided
	case len(b.tips) > 0:
		return &UnrelatedError{m.Name, b.Members[b.tip(0, i)].Name}
	}
	m.Branch = len(b.tips)
	b.Branches, b.tips = append(b.Branches, branch), append(b.tips, g)
	return nil
}

// part looks for the last member of the history that leads to a branch that the i-th
// member's history goes through, too: what a few records showed may be much older.
func (b *builder) part(ctx context.Context, branch, i int, r relation) (relation, error) {
	path := slices.DeleteFunc(b.Path(branch), func(p Part) bool {
		m := &b.Members[p.Member]
		return m.Revision <= r.common || p.To < m.Revision
	})
	var failed error
	sort.Search(len(path), func(n int) bool {
		if failed != nil {
			return true
		}
		whole, err := b.compare(ctx, path[n].Member, i)
		switch apart := whole.parted > 0 || whole.unrelated; {
		case err != nil:
			failed = err
		case !apart && !whole.undecided:
			r.common = max(r.common, path[n].To)
			return false
		case whole.unrelated: // a few records of two clusters can be the same
			r.unrelated = true
		case apart && whole.parted > r.common:
			r.parted = whole.parted
		}
		return true
	})
	if r.parted <= r.common {
		r.parted = 0
	}
	return r, failed
}

// tip is the newest member of a branch among those before the i-th.
func (b *builder) tip(branch, i int) int {
	for i--; i >= 0 && b.Members[i].Branch != branch; i-- {
	}
	return i
}

// relate relates the tip of a branch to the i-th member.
func (b *builder) relate(ctx context.Context, branch int, g *snapshot.Glance, i int) (relation, error) {
	r, err := relate(ctx, b.tips[branch], g)
	if err != nil || !r.undecided {
		return r, err
	}
	return b.compare(ctx, b.tip(branch, i), i)
}

// compare relates two members by all that they hold.
func (b *builder) compare(ctx context.Context, i, j int) (r relation, err error) {
	older, err := b.Open(ctx, i)
	if err != nil {
		return r, err
	}
	newer, err := b.Open(ctx, j)
	if err != nil {
		return r, err
	}
	return compare(ctx, older, newer, b.Prefix)
}

// few is how many records tell the time of a member.
const few = 512

// taken is when the newest records of a member were written.
func taken(ctx context.Context, g *snapshot.Glance, prefix string) (clock.Interval, error) {
	c, err := clock.Of(ctx, some(g, g.Newest(g.Revision)), g.Revision, prefix)
	return c.Taken(), err
}

// since is when the first record at a revision or after it was written that is there.
func since(ctx context.Context, g *snapshot.Glance, revision int64, prefix string) (clock.Interval, error) {
	for first := range g.Oldest(revision) {
		c, err := clock.Of(ctx, some(g, g.Oldest(revision)), g.Revision, prefix)
		return c.TimeOf(first.Main), err
	}
	return clock.Interval{}, nil
}

func some(g *snapshot.Glance, records iter.Seq[snapshot.Stored]) iter.Seq2[snapshot.Record, []byte] {
	return func(yield func(snapshot.Record, []byte) bool) {
		n := 0
		for r := range records {
			if n++; n > few || !yield(r.Record, g.Value(r)) {
				return
			}
		}
	}
}

// judge says of each branch what parted it from its parent: a restore where one of the
// two had ended when the other began, a fork where both were written to at one time.
func (b *builder) judge() {
	for i := range b.Branches {
		branch := &b.Branches[i]
		if branch.Parent < 0 {
			continue
		}
		ended := b.ended(func(m *Member) bool { return b.under(m.Branch, i) })
		otherEnded := b.ended(func(m *Member) bool { return m.Revision > branch.Common && b.beside(m.Branch, i) })
		switch {
		case ended.IsZero() || otherEnded.IsZero() || branch.begun.From.IsZero() || branch.otherBegun.From.IsZero():
			branch.How = Unknown
		case !otherEnded.After(latest(branch.begun)), !ended.After(latest(branch.otherBegun)):
			branch.How = Restore
		default:
			branch.How = Fork
		}
	}
}

func latest(i clock.Interval) time.Time {
	if i.To.IsZero() {
		return i.From
	}
	return i.To
}

// ended is when the last of some members was taken.
func (b *builder) ended(of func(*Member) bool) (last time.Time) {
	for i := range b.Members {
		if m := &b.Members[i]; of(m) && m.Taken.From.After(last) {
			last = m.Taken.From
		}
	}
	return last
}

// under says whether a branch is another one, or parts from it directly or not.
func (b *builder) under(branch, top int) bool {
	for ; branch >= 0; branch = b.Branches[branch].Parent {
		if branch == top {
			return true
		}
	}
	return false
}

// beside says whether a branch has what its parent had after branch i parted from it.
func (b *builder) beside(branch, i int) bool {
	parent, common := b.Branches[i].Parent, b.Branches[i].Common
	for ; branch != parent; branch = b.Branches[branch].Parent {
		if branch < 0 || branch == i || b.Branches[branch].Parent == parent && b.Branches[branch].Common <= common {
			return false
		}
	}
	return true
}
