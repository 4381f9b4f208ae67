package series

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"revenant/analyzer/clock"
	"revenant/internal/words"
)

// Part is what a member holds of the history that leads to another one.
type Part struct {
	Member int
	// To is the newest revision of the member that is of that history: less than its own
	// where the history parts from the member's.
	To int64
}

// Newest is the member that was taken last, as far as the times say; the one with the
// newest revision where they do not.
func (s *Series) Newest() int {
	return slices.IndexFunc(s.Members, func(m Member) bool {
		return !slices.ContainsFunc(s.Members, func(other Member) bool {
			if m.Taken.From.IsZero() || other.Taken.From.IsZero() {
				return other.Revision > m.Revision
			}
			return cmp.Or(other.Taken.From.Compare(m.Taken.From), cmp.Compare(other.Revision, m.Revision)) > 0
		})
	})
}

// Path is the members of the history that leads to a branch's newest one, by revision.
func (s *Series) Path(branch int) []Part {
	var list []Part
	limit := int64(-1)
	for n := branch; n >= 0; n = s.Branches[n].Parent {
		for i := range s.Members {
			m := &s.Members[i]
			if m.Branch != n {
				continue
			}
			p := Part{i, m.Revision}
			if limit >= 0 {
				p.To = min(p.To, limit)
			}
			if p.To >= m.CompactRevision || limit < 0 {
				list = append(list, p)
			}
		}
		if common := s.Branches[n].Common; limit < 0 || common < limit {
			limit = common
		}
	}
	slices.SortStableFunc(list, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(s.Members[a.Member].CompactRevision, s.Members[b.Member].CompactRevision))
	})
	return list
}

// Shared is the newest revision up to which two members are of one history; 0 for none.
func (s *Series) Shared(i, j int) int64 {
	a, b := &s.Members[i], &s.Members[j]
	shared := min(a.Revision, b.Revision)
	if a.Branch != b.Branch {
		common, _ := s.Apart(a.Branch, b.Branch)
		shared = min(shared, common)
	}
	return shared
}

// Apart is the newest revision that two branches have in common, and what parted them; 0
// for none.
func (s *Series) Apart(x, y int) (common int64, how How) {
	for x != y {
		// A branch comes after its parent: the later one of two is not above the other.
		if x < y {
			x, y = y, x
		}
		b := &s.Branches[x]
		if b.Parent < 0 {
			return 0, ""
		}
		if how == "" || b.Common < common {
			common, how = b.Common, b.How
		}
		x = b.Parent
	}
	return common, how
}

// Hole is a stretch of a history that no member holds: what was written in it and
// overwritten or deleted before its end is in no file.
type Hole struct {
	// After is the newest revision before it whose state is held, and Before the oldest
	// one after it: written in it were After+1 to Before-1. The members that hold the two.
	After, Before int64
	Older, Newer  int
	From, To      clock.Interval // when the two were written
}

// Revisions is how many revisions were written in it.
func (h *Hole) Revisions() int64 { return h.Before - h.After - 1 }

// Holes are those of the history that leads to a branch's newest member.
func (s *Series) Holes(branch int) (holes []Hole) {
	path := s.Path(branch)
	slices.SortStableFunc(path, func(a, b Part) int {
		return cmp.Compare(s.Members[a.Member].CompactRevision, s.Members[b.Member].CompactRevision)
	})
	reached := path[0]
	for _, p := range path[1:] {
		if compact := s.Members[p.Member].CompactRevision; compact > reached.To+1 {
			holes = append(holes, Hole{After: reached.To, Before: compact, Older: reached.Member, Newer: p.Member, From: s.Members[reached.Member].Taken})
		}
		if p.To > reached.To {
			reached = p
		}
	}
	return holes
}

// HoleError says that no member holds the state at a revision, or at a time.
type HoleError struct {
	Revision     int64     // 0 where a time was asked for
	Time         time.Time // UTC
	Hole         Hole
	Older, Newer string // names of the members beside it; "" for none
}

func (e *HoleError) Error() string {
	what := "revision " + words.Number(e.Revision)
	if e.Revision == 0 {
		what = "the state at " + words.Time(e.Time)
	}
	before := "revision " + words.Number(e.Hole.After) + e.at(e.Hole.From) + " in " + e.Older
	after := "revision " + words.Number(e.Hole.Before) + e.at(e.Hole.To) + " in " + e.Newer
	switch {
	case e.Older == "":
		return fmt.Sprintf("no file holds %s: the oldest that one holds is %s", what, after)
	case e.Newer == "":
		return fmt.Sprintf("no file holds %s: the newest that one holds is %s", what, before)
	}
	return fmt.Sprintf("no file holds %s: the nearest are %s, and %s", what, before, after)
}

// at is when the end of a hole was written, where a time was asked for.
func (e *HoleError) at(i clock.Interval) string {
	if e.Revision > 0 || i == (clock.Interval{}) {
		return ""
	}
	return " (" + i.String() + ")"
}

// At is the member that holds the state at a revision of the history that leads to a
// branch's newest member; 0 is the newest. The error is a *HoleError.
func (s *Series) At(branch int, revision int64) (int, error) {
	path := s.Path(branch)
	if revision == 0 {
		return path[len(path)-1].Member, nil
	}
	e := &HoleError{Revision: revision}
	for _, p := range path {
		m := &s.Members[p.Member]
		switch {
		case m.CompactRevision <= revision && revision <= p.To:
			return p.Member, nil
		case p.To < revision:
			e.Hole.After, e.Older, e.Hole.Older = p.To, m.Name, p.Member
		case e.Newer == "" || m.CompactRevision < e.Hole.Before:
			e.Hole.Before, e.Newer, e.Hole.Newer = max(m.CompactRevision, 1), m.Name, p.Member
		}
	}
	return 0, e
}

// AtTime is the member that holds the state at a time of the history that leads to a
// branch's newest member: the first that was taken then or later. After the last one was
// taken it is that one. The error is a *HoleError, or that of opening a member.
func (s *Series) AtTime(ctx context.Context, branch int, t time.Time) (int, error) {
	path := s.Path(branch)
	n := slices.IndexFunc(path, func(p Part) bool {
		m := &s.Members[p.Member]
		return p.To == m.Revision && !latest(m.Taken).Before(t)
	})
	if n < 0 {
		return path[len(path)-1].Member, nil
	}
	p := path[n]
	m := &s.Members[p.Member]
	c, err := s.Clock(ctx, p.Member)
	if err != nil || m.CompactRevision == 0 {
		return p.Member, err
	}
	began := c.TimeOf(m.CompactRevision)
	if began.From.IsZero() || !t.Before(began.From) {
		return p.Member, nil
	}
	e := &HoleError{Time: t, Newer: m.Name, Hole: Hole{Before: m.CompactRevision, Newer: p.Member, To: began}}
	if n > 0 {
		older := path[n-1]
		e.Older, e.Hole.After, e.Hole.Older, e.Hole.From = s.Members[older.Member].Name, older.To, older.Member, s.Members[older.Member].Taken
	}
	return 0, e
}

// Repeats says whether a record of a part of a path at a revision is one that the part
// before it has, too; nil for the first. A part has every record that is still there in
// the next, but for those that it had compacted and the next had not.
func (s *Series) Repeats(p Part, before *Part, revision int64) bool {
	if before == nil || revision > before.To {
		return false
	}
	compacted := s.Members[before.Member].CompactRevision
	return revision > compacted || s.Members[p.Member].CompactRevision >= compacted
}

// Beside are the branches whose newest member is not of the history that leads to another
// branch's.
func (s *Series) Beside(branch int) (list []int) {
	for i := range s.Branches {
		if tip := s.tip(i); i != branch && s.Shared(tip, s.tip(branch)) < s.Members[tip].Revision {
			list = append(list, i)
		}
	}
	return list
}

// tip is the newest member of a branch.
func (s *Series) tip(branch int) int {
	path := s.Path(branch)
	return path[len(path)-1].Member
}
