package session

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/history"
	"revenant/analyzer/objects"
	"revenant/analyzer/series"
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
	in, was, asked := s.Input, s.Objects, s.Wanted
	return s.Tasks.Cmd(func() tea.Msg {
		r, err := in.Reach(ctx, at)
		var l *objects.List
		if err == nil {
			from := objects.Source{Snapshot: r.Of.Snapshot, Clock: r.Of.State.Clock, Prefix: in.Prefix}
			if was != nil && was.Source == r.Source {
				from.Catalog = was.Catalog
			}
			l, err = objects.Read(ctx, from, r.Revision, q)
		}
		if ctx.Err() != nil {
			return nil // the program ends, or something else was asked for
		}
		if err != nil {
			return objectsAtMsg{err: err}
		}
		return objectsAtMsg{objects: &ObjectList{r.Moment, l}, reached: r, asked: asked}
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
		reached Reached
		asked   ListMsg
		err     error
	}
	historyReadMsg struct{ history *History }
	timelineMsg    struct{ timeline *timeline.Joined }
	wholeMsg       struct {
		whole *WholeTimeline
		err   error
	}
)

// WholeTimeline is the timeline of all files of a series.
type WholeTimeline struct {
	*timeline.Joined
	Places []int // of the sources that events are read from
}

// ReadWhole reads what happened in all files of the history that leads to the newest state,
// and in the backup, with what can be carved or without. Each is opened in its turn, but for
// the two that are chosen.
func (s *Session) ReadWhole(carved bool) tea.Cmd {
	ctx, in := s.Ctx, s.Input
	w := &WholeTimeline{}
	var sources []timeline.Source
	add := func(place int, to int64) {
		of := &in.Sources[place]
		source := timeline.Source{Name: in.Role(place), To: to}
		if place < len(in.Chosen()) {
			source.Snapshot, source.Clock = of.Snapshot, of.State.Clock
		} else {
			source.Open = in.Series.opener(of.member)
		}
		sources, w.Places = append(sources, source), append(w.Places, place)
	}
	path := in.Series.Path(in.Branch())
	if !slices.ContainsFunc(path, func(p series.Part) bool { return p.Member == in.Members[0] }) && in.Alone() == "" {
		add(in.Backup, 0)
	}
	for _, p := range path {
		add(in.sourceOf(p.Member), p.To)
	}
	o := timeline.Options{Prefix: in.Prefix, Carve: carved, Rates: rateParts, Holes: true}
	return s.Tasks.Cmd(func() tea.Msg {
		joined, err := timeline.Join(ctx, o, sources...)
		if ctx.Err() != nil {
			return nil // the program ends, or another pair is shown
		}
		w.Joined = joined
		return wholeMsg{w, err}
	})
}

// ReadTimeline reads what happened, with what can be carved or without.
func (s *Session) ReadTimeline(carved bool) tea.Cmd {
	ctx, in := s.Ctx, s.Input
	var sources []timeline.Source
	for i, s := range in.Sources[:len(in.Chosen())] {
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
		return nil, widget.Notify(draw.Safe(msg.err.Error()))
	}
	s.Keep(msg.reached)
	if s.Wanted.Moment == msg.asked.Moment && s.Wanted.Query.Equal(&msg.asked.Query) {
		s.Wanted.Moment = msg.objects.Moment
	}
	s.Objects = msg.objects
	return ChangedMsg{}, nil
}

const (
	rateParts = 60 // in which the rate is shown, a column each
)
