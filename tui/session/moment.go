package session

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	"revenant/internal/words"
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

// ParseMoment reads a moment that may have its snapshot before it, backup or current; of
// which it is otherwise, is given.
func (s *Session) ParseMoment(text string, of int) (Moment, error) {
	role, rest, at := strings.Cut(strings.TrimSpace(text), "@")
	switch alone := s.Input.Alone(); {
	case role != "backup" && role != "current":
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

// MomentText says which moment is shown, and when that was.
func (s *Session) MomentText(at Moment) string {
	of := s.Source(at.Source)
	revision, what := at.Revision, "revision "
	if head := of.Snapshot.Revision(); revision == 0 || revision == head {
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
