package session

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/history"
	"revenant/analyzer/objects"
	"revenant/analyzer/timeline"
	"revenant/tui/draw"
	"revenant/tui/widget"
)

// listObjects lists the objects that a query finds at a moment. One that goes on
// already is ended.
func (s *Session) listObjects(at Moment, q objects.Query) tea.Cmd {
	if s.stopListing != nil {
		s.stopListing()
	}
	ctx, stop := context.WithCancel(s.Ctx)
	s.stopListing, s.Wanted = stop, ListMsg{at, q}
	of := s.Source(at.Source)
	from := objects.Source{Snapshot: of.Snapshot, Clock: of.State.Clock, Prefix: s.Input.Prefix}
	if was := s.Objects; was != nil && was.Source == at.Source {
		from.Catalog = was.Catalog
	}
	return s.Tasks.Cmd(func() tea.Msg {
		l, err := objects.Read(ctx, from, at.Revision, q)
		if ctx.Err() != nil {
			return nil // the program ends, or something else was asked for
		}
		if err != nil {
			return objectsAtMsg{err: err}
		}
		return objectsAtMsg{objects: &ObjectList{at, l}}
	})
}

// AllObjects wants all that there is, keys that hold no API object among it.
var AllObjects = objects.Query{Foreign: true}

// ObjectList is the objects that a query finds at a moment. It is not changed once it
// is made.
type ObjectList struct {
	Moment
	*objects.List
}

// Answers says whether it is the list that was asked for.
func (l *ObjectList) Answers(msg ListMsg) bool {
	return l.Moment == msg.Moment && l.Query.Equal(&msg.Query)
}

// History is the history of the object that was chosen.
type History struct {
	*history.History
	From   *Readings // what it was read from
	At     string    // revision to select, "" for none
	Opened bool      // at what it changed
}

// readHistory reads the revisions of a key out of all files.
func (s *Session) readHistory(of HistoryMsg) tea.Cmd {
	ctx, v := s.Ctx, s.Input.AllHistories(s.Ctx)
	return s.Tasks.Cmd(func() tea.Msg {
		h, err := v.Read(ctx, of.Key, of.Carved)
		switch {
		case ctx.Err() != nil:
			return nil // the program ends, or another pair is shown
		case err != nil:
			return widget.NoticeMsg(draw.Safe(err.Error()))
		}
		return historyReadMsg{&History{h, v, of.At, of.Opened}}
	})
}

// What the commands below bring.
type (
	objectsAtMsg struct {
		objects *ObjectList
		err     error
	}
	historyReadMsg struct{ history *History }
	timelineMsg    struct{ timeline *timeline.Joined }
)

// ReadTimeline reads what happened, with what can be carved or without.
func (s *Session) ReadTimeline(carved bool) tea.Cmd {
	ctx, in := s.Ctx, s.Input
	var sources []timeline.Source
	for i, s := range in.Sources {
		sources = append(sources, timeline.Source{Name: in.Role(i), Snapshot: s.Snapshot, Clock: s.State.Clock})
	}
	o := timeline.Options{Prefix: in.Prefix, OneHistory: in.Lineage.OneHistory(), Carve: carved, Rates: rateParts}
	return s.Tasks.Cmd(func() tea.Msg {
		p, err := timeline.Join(ctx, o, sources...)
		if err != nil {
			return nil // the program ends
		}
		return timelineMsg{p}
	})
}

// listed takes a list over, or says why there is none.
func (s *Session) listed(msg objectsAtMsg) (news tea.Msg, cmd tea.Cmd) {
	if msg.err != nil {
		if s.Objects != nil {
			s.Wanted = ListMsg{s.Objects.Moment, s.Objects.Query}
		}
		return nil, widget.Notify(msg.err.Error())
	}
	s.Objects = msg.objects
	return ChangedMsg{}, nil
}

const (
	rateParts = 60 // in which the rate is told, a column each
)
