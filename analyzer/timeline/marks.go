package timeline

import (
	"cmp"
	"slices"
	"time"

	"revenant/analyzer/clock"
)

// MarkKind says what happened at a Mark.
type MarkKind string

// The kinds of marks.
const (
	Head      MarkKind = "head"      // the newest revision of a source: what it was saved at
	Compacted MarkKind = "compacted" // a source's compact revision: below it only survivors are retained
	Bumped    MarkKind = "bumped"    // an earlier restore's --bump-revision has set the store to it
)

// Mark is a moment that matters.
type Mark struct {
	Kind     MarkKind
	Revision int64
	When     clock.Interval
	In       []string // the sources that it is of
}

// Marks lists the moments that matter in the order of revisions.
func (t *Timeline) Marks() []Mark { return t.marks }

// Jumps are the revisions that bumps have set the store to, as Rates takes them.
func (t *Timeline) Jumps() []int64 {
	var list []int64
	for _, m := range t.marks {
		if m.Kind == Bumped {
			list = append(list, m.Revision)
		}
	}
	return list
}

func (t *Timeline) findMarks() []Mark {
	type id struct {
		kind MarkKind
		rev  int64
	}
	var list []Mark
	places := map[id]int{}
	add := func(kind MarkKind, rev int64, s *Source) {
		i, known := places[id{kind, rev}]
		if known {
			list[i].In = append(list[i].In, s.Name)
			return
		}
		places[id{kind, rev}] = len(list)
		list = append(list, Mark{kind, rev, s.Clock.TimeOf(rev), []string{s.Name}})
	}
	for i := range t.sources {
		s := &t.sources[i]
		h := &t.held[i]
		if h.compact > 0 {
			add(Compacted, h.compact, s)
		}
		if h.newest > 0 {
			add(Head, h.newest, s)
		}
		for _, rev := range h.bumps {
			add(Bumped, rev, s)
		}
	}
	slices.SortStableFunc(list, func(a, b Mark) int { return cmp.Compare(a.Revision, b.Revision) })
	return list
}

// Blind is when things happened that no source holds: after the newest of them was
// saved, up to the outage, the zero time where that is not known.
func (t *Timeline) Blind(outage time.Time) clock.Interval {
	blind := clock.Interval{To: outage}
	for _, s := range t.sources {
		if taken := s.Clock.Taken(); taken.From.After(blind.From) {
			blind.From = taken.From
		}
	}
	return blind
}
