package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	histories "revenant/analyzer/history"
	lists "revenant/analyzer/objects"
	"revenant/analyzer/timeline"
	"revenant/tui/widget"
)

// listObjects lists the objects that a query finds at a moment. One that goes on
// already is ended.
func (s *session) listObjects(at moment, q lists.Query) tea.Cmd {
	if s.stopListing != nil {
		s.stopListing()
	}
	ctx, stop := context.WithCancel(s.ctx)
	s.stopListing, s.wanted = stop, listMsg{at, q}
	side := s.side(at.side)
	from := lists.Source{Snapshot: side.Snapshot, Clock: side.State.Clock, Prefix: s.input.Prefix}
	if was := s.objects; was != nil && was.side == at.side {
		from.Catalog = was.Catalog
	}
	return s.Tasks.Cmd(func() tea.Msg {
		l, err := lists.Read(ctx, from, at.revision, q)
		if ctx.Err() != nil {
			return nil // the program ends, or something else was asked for
		}
		if err != nil {
			return objectsAtMsg{err: err}
		}
		return objectsAtMsg{objects: &objectList{at, l}}
	})
}

// objectList is the objects that a query finds at a moment. It is not changed once it
// is made.
type objectList struct {
	moment
	*lists.List
}

// shownHistory is the history of the object that was chosen.
type shownHistory struct {
	*histories.History
	at     string // revision to select, "" for none
	opened bool   // at what it changed
}

// readHistory reads the revisions of a key out of both snapshots.
func (s *session) readHistory(of historyMsg) tea.Cmd {
	ctx, r := s.ctx, s.input.histories()
	return s.Tasks.Cmd(func() tea.Msg {
		h, err := r.Read(ctx, of.key, of.carved)
		if err != nil {
			return nil // the program ends
		}
		return historyReadMsg{&shownHistory{h, of.at, of.opened}}
	})
}

// histories reads what the two snapshots hold of one object.
func (in *Input) histories() *histories.Reader {
	r := &histories.Reader{Prefix: in.Prefix}
	for side := range roles {
		s := in.side(side)
		r.Sources[side] = histories.Source{Name: string(roles[side]), Snapshot: s.Snapshot, Clock: s.State.Clock}
	}
	return r
}

// readTimeline reads what happened, with what can be carved or without.
func (s *session) readTimeline(carved bool) tea.Cmd {
	ctx, in := s.ctx, s.input
	source := func(side int) timeline.Source {
		x := in.side(side)
		return timeline.Source{Name: string(roles[side]), Snapshot: x.Snapshot, Clock: x.State.Clock}
	}
	o := timeline.PairOptions{Prefix: in.Prefix, OneHistory: in.Lineage.OneHistory(), Carve: carved, Rates: rateParts}
	return s.Tasks.Cmd(func() tea.Msg {
		p, err := timeline.ReadPair(ctx, source(backup), source(current), o)
		if err != nil {
			return nil // the program ends
		}
		return timelineMsg{p}
	})
}

// listed takes a list over, or says why there is none.
func (s *session) listed(msg objectsAtMsg) (news tea.Msg, cmd tea.Cmd) {
	if msg.err != nil {
		if s.objects != nil {
			s.wanted = listMsg{s.objects.moment, s.objects.Query}
		}
		return nil, widget.Notify(msg.err.Error())
	}
	s.objects = msg.objects
	return changedMsg{}, nil
}
