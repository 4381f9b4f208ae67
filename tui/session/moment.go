package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	"revenant/analyzer/restore"
	"revenant/analyzer/series"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
)

// Brief is an interval in few columns: when it begins, and how long it is.
func Brief(i clock.Interval) string {
	const layout = "2006-01-02 15:04:05Z"
	switch {
	case i.From.IsZero() && i.To.IsZero():
		return "unknown"
	case i.From.IsZero():
		return "until " + i.To.UTC().Format(layout)
	case i.To.IsZero():
		return "from " + i.From.UTC().Format(layout)
	}
	return i.From.UTC().Format(layout) + " +" + i.To.Sub(i.From).Round(time.Second).String()
}

// Moment is a state of one of the snapshots.
type Moment struct {
	Source   int   // its place
	Revision int64 // 0 is the newest

	// time is one in a series, in Unix nanoseconds, the revision of which is found when it is
	// reached, and so is the file unless it is named; 0 for none.
	time  int64
	named bool
}

// MomentOf reads a moment as clock.ParseMoment does, 0 for the newest. Of the revisions
// that the store may have been at at a time it takes the newest.
func MomentOf(text string, of *Source) (int64, error) {
	var taken time.Time
	if of.State.Clock != nil {
		taken = of.State.Clock.Taken().From
	}
	m, err := clock.ParseMoment(text, taken)
	if err != nil || m.Revision == 0 && m.Time.From.IsZero() {
		return 0, err
	}
	return of.State.Clock.Revision(m, of.Snapshot.Revision())
}

// ParseMoment reads a moment that may have its snapshot before it: backup, current, or the
// name of a file of the series. Of which it is otherwise, is given; in a series it is the
// file that holds the revision, or the time.
func (s *Session) ParseMoment(text string, of int) (Moment, error) {
	role, rest, at := strings.Cut(strings.TrimSpace(text), "@")
	named := slices.IndexFunc(s.Input.Sources, func(from Source) bool { return from.name == role && role != "" })
	switch alone := s.Input.Alone(); {
	case named >= 0 && at:
		from := &s.Input.Sources[named]
		m, err := clock.ParseMoment(rest, s.Input.Series.Members[from.member].Taken.From)
		if m.Time.From.IsZero() {
			return Moment{Source: named, Revision: m.Revision}, err
		}
		return Moment{Source: named, time: m.Time.From.UnixNano(), named: true}, err
	case named >= 0:
		of = named
	case role != "backup" && role != "current":
		if s.Input.Series != nil {
			return s.Input.momentInSeries(text, of)
		}
		rest, at = text, true
	case alone != "":
		return Moment{Source: of}, fmt.Errorf("%s %s", role, alone)
	case role == "backup":
		of = s.Input.Backup
	default:
		of = s.Input.Current
	}
	m := Moment{Source: of}
	if !at {
		return m, nil
	}
	var err error
	m.Revision, err = MomentOf(rest, s.Source(of))
	return m, err
}

// momentInSeries reads a moment of whichever file holds it: the one that is given where
// that does.
func (in *Input) momentInSeries(text string, of int) (Moment, error) {
	m, err := clock.ParseMoment(text, in.Series.Members[in.Members[1]].Taken.From)
	if err != nil {
		return Moment{Source: of}, err
	}
	switch oldest, newest := in.Sources[of].Window(); {
	case !m.Time.From.IsZero():
		return Moment{Source: of, time: m.Time.From.UnixNano()}, nil
	case m.Revision == 0:
		return Moment{Source: in.Current}, nil
	case oldest <= m.Revision && m.Revision <= newest:
		return Moment{Source: of, Revision: m.Revision}, nil
	}
	member, err := in.Series.At(in.Branch(), m.Revision)
	if err != nil {
		err = errors.New(draw.Safe(err.Error())) // it names files
	}
	return Moment{Source: in.sourceOf(member), Revision: m.Revision}, err
}

// At is a revision as a source has it or, where it does not hold that state, as a file of
// the series that does.
func (s *Session) At(source int, revision int64) Moment {
	in := s.Input
	oldest, newest := s.Source(source).Window()
	if in.Series != nil && (revision < oldest || revision > newest) {
		if member, err := in.Series.At(in.Branch(), revision); err == nil {
			source = in.sourceOf(member)
		}
	}
	return Moment{Source: source, Revision: revision}
}

// Step is the moment so many revisions later, or before, as far as there are. In a series
// it goes on in the next file that holds any.
func (s *Session) Step(at Moment, by int64) Moment {
	in := s.Input
	oldest, newest := s.Source(at.Source).Window()
	if at.Revision == 0 {
		at.Revision = newest
	}
	to := max(at.Revision+by, 1) // 0 is the newest
	if in.Series != nil && (to < oldest || to > newest) {
		if next, ok := in.stepOver(at, to); ok {
			return next
		}
	}
	at.Revision = max(min(to, newest), oldest)
	return at
}

// stepOver is the moment of another file that is stepped to; ok is false where there is
// none.
func (in *Input) stepOver(from Moment, to int64) (next Moment, ok bool) {
	var hole *series.HoleError
	member, err := in.Series.At(in.Branch(), to)
	switch {
	case err == nil:
	case !errors.As(err, &hole):
		return next, false
	case to < from.Revision && hole.Older != "":
		member, to = hole.Hole.Older, hole.Hole.After
	case to > from.Revision && hole.Newer != "":
		member, to = hole.Hole.Newer, hole.Hole.Before
	default:
		return next, false
	}
	return Moment{Source: in.sourceOf(member), Revision: to}, true
}

// Time is that of a moment in a series whose revision is not known yet; ok is false for any
// other.
func (at Moment) Time() (t time.Time, ok bool) { return time.Unix(0, at.time).UTC(), at.time != 0 }

// Reached is a moment with its snapshot, which is open.
type Reached struct {
	Moment
	Of Source
}

// Reach opens the file that a moment is of, in a command. The error is ctx's, that of
// opening it, or says that no file holds the moment.
func (in *Input) Reach(ctx context.Context, at Moment) (r Reached, err error) {
	when := time.Unix(0, at.time).UTC()
	if at.time != 0 && !at.named {
		member, err := in.Series.atTime(ctx, in.Branch(), when)
		if err != nil {
			return r, err
		}
		at.Source = in.sourceOf(member)
	}
	r = Reached{at, in.Sources[at.Source]}
	if r.Of.Snapshot == nil {
		opened, c, err := in.Series.Member(ctx, r.Of.member)
		if err != nil {
			return r, err
		}
		r.Of.Snapshot, r.Of.State = opened, &restore.State{Clock: c}
	}
	if at.time != 0 {
		r.time, r.named = 0, false
		r.Revision, err = r.Of.State.Clock.Revision(clock.Moment{Time: clock.Interval{From: when, To: when}}, r.Of.Snapshot.Revision())
	}
	return r, err
}

// Keep takes over that a file is open.
func (s *Session) Keep(r Reached) {
	if s.Source(r.Source).Snapshot != nil {
		return
	}
	in := *s.Input // a command may be at work on the other one
	in.Sources = slices.Clone(in.Sources)
	in.Sources[r.Source] = r.Of
	s.Input = &in
}

// MomentText says which moment is shown, and when that was.
func (s *Session) MomentText(at Moment) string {
	of := s.Source(at.Source)
	if at.time != 0 {
		return "the files at " + words.Time(time.Unix(0, at.time).UTC())
	}
	revision, what := at.Revision, "revision "
	if _, head := of.Window(); revision == 0 || revision == head {
		revision, what = head, "newest revision "
	}
	text := s.Input.Role(at.Source) + ", " + what + words.Number(revision)
	if c := of.State.Clock; c != nil {
		text += ", " + Brief(c.TimeOf(revision))
	}
	return text
}

// LinksTo goes on from a row to the object that it is of, in the snapshot where it is
// looked for first, to two versions of it, or to its history. Nil for no key.
func (s *Session) LinksTo(source int, key string) func(keys.Action) tea.Cmd {
	if key == "" {
		return nil
	}
	return func(a keys.Action) tea.Cmd {
		msg := LookAtMsg{Moment: s.having(source, key), Key: key, ToText: a == keys.ToObject}
		switch a {
		case keys.HistoryOf:
			return func() tea.Msg { return HistoryMsg{Key: key} }
		case keys.ToDiff:
			msg.Reading = Versions
		}
		return Visit("objects", msg)
	}
}

// having is the newest moment of a snapshot, or that of the other one where only that
// has the object.
func (s *Session) having(source int, key string) Moment {
	if _, err := s.Source(source).Snapshot.Get(key, 0); err != nil {
		other := s.Input.Other(source)
		if _, err := s.Source(other).Snapshot.Get(key, 0); err == nil {
			source = other
		}
	}
	return Moment{Source: source}
}

// Ends says why the keys that go to an earlier or a later moment do nothing at one: no state
// before it, or after it, is kept.
func (s *Session) Ends(k keys.Set, at Moment) {
	stay := s.Step(at, 0)
	if s.Step(at, -1) == stay {
		k[keys.Earlier], k[keys.MuchEarlier] = "no earlier state is kept", "no earlier state is kept"
	}
	if s.Step(at, 1) == stay {
		k[keys.Later], k[keys.MuchLater] = "no later state is kept", "no later state is kept"
	}
}
