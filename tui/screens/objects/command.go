package objects

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/objects"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// scrub goes to another moment.
func (o *Screen) scrub(a keys.Action) tea.Cmd {
	at := o.Session.Wanted.Moment
	s := o.Session.Source(at.Source).Snapshot
	head := s.Revision()
	if at.Revision == 0 {
		at.Revision = head
	}
	const far = 100
	switch a {
	case keys.Earlier:
		at.Revision--
	case keys.Later:
		at.Revision++
	case keys.MuchEarlier:
		at.Revision -= far
	case keys.MuchLater:
		at.Revision += far
	case keys.Other:
		at = session.Moment{Source: o.Input.Other(at.Source)}
		return func() tea.Msg { return session.MomentMsg{Moment: at} }
	}
	at.Revision = max(min(at.Revision, head), max(s.CompactRevision(), 1))
	return func() tea.Msg { return session.MomentMsg{Moment: at} }
}

// goTo goes to a revision, or to the one that the store was at at a time.
func (o *Screen) goTo(text string) tea.Cmd {
	at, err := o.momentTyped(text)
	if err != nil {
		return widget.Notify(err.Error())
	}
	return func() tea.Msg { return session.MomentMsg{Moment: at} }
}

func (o *Screen) momentTyped(text string) (session.Moment, error) {
	return o.ParseMoment(text, o.Session.Wanted.Moment.Source)
}

// CheckMoment says what is wrong with a moment as it was typed.
func (o *Screen) CheckMoment(text string) error {
	_, err := o.momentTyped(text)
	return err
}

// Complete lists resources, and namespaces after -n. What could not be typed is left
// out.
func (o *Screen) Complete(words []string) []string {
	list := o.Session.Objects
	if list == nil {
		return nil
	}
	typable := func(list []string) []string {
		return slices.DeleteFunc(list, func(s string) bool { return len(s) > widget.MaxTyped || s != sanitize.Line(s) })
	}
	last := len(words) - 1
	switch {
	case last == 0:
		return typable(list.Catalog.Complete(words[0]))
	case words[last-1] == "-n" || words[last-1] == "--namespace":
		return typable(widget.StartingWith(words[last], list.Catalog.Namespaces()...))
	case strings.HasPrefix(words[last], "-"):
		return []string{"-A", "-l", "-n", "--at"}
	}
	return nil
}

// Command lists the objects of a resource, and opens one that is named.
func (o *Screen) Command(words []string) (tea.Cmd, bool) {
	list := o.Session.Objects
	if list == nil {
		return nil, false
	}
	c, ok, err := objects.Parse(list.Catalog, words)
	if !ok {
		return nil, false
	}
	at := o.Session.Wanted.Moment
	if err == nil && c.At != "" {
		at, err = o.ParseMoment(c.At, at.Source)
	}
	if err != nil {
		return widget.Notify(err.Error()), true
	}
	o.grouped, o.from = -1, -1
	o.reset()
	if c.Selector != "" {
		o.Table.Order.Words = widget.Selector + c.Selector
	}
	if c.Name != "" {
		r := list.Catalog.Lookup(c.Resource)
		key := kube.Key{Group: r.Group, Resource: r.Name, Namespace: c.Namespace, Name: c.Name}
		if r.Namespaced && c.Namespace == "" {
			o.Table.Order.Words = c.Name // of whichever namespace
		} else {
			o.kept, o.Table.Pinned, o.Opened = key.Path(o.Input.Prefix), true, true
		}
	}
	return func() tea.Msg { return session.ListMsg{Moment: at, Query: c.Query} }, true
}

// Takes says whether it begins with the name of a resource.
func (o *Screen) Takes(words []string) bool {
	if o.Session.Objects == nil {
		return false
	}
	_, ok, _ := objects.Parse(o.Session.Objects.Catalog, words)
	return ok
}

// CheckCommand says what is wrong with the name of a resource and what follows it.
func (o *Screen) CheckCommand(words []string) error {
	list := o.Session.Objects
	if list == nil {
		return nil
	}
	c, ok, err := objects.Parse(list.Catalog, words)
	if ok && err == nil && c.At != "" {
		_, err = o.momentTyped(c.At)
	}
	if !ok {
		return nil
	}
	return err
}

// Remember keeps what is listed, too, and nothing of what was opened.
func (o *Screen) Remember() map[string]string {
	m := o.Board.Remember()
	if o.Session.Objects != nil {
		q := o.Session.Objects.Query
		for name, value := range map[string]string{"resource": q.Resource, "namespace": q.Namespace} {
			if value != "" {
				m[name] = value
			}
		}
	}
	return m
}

// Recall goes back to what Remember has kept.
func (o *Screen) Recall(m map[string]string) tea.Cmd {
	q := objects.Query{Resource: m["resource"], Namespace: m["namespace"]}
	cmd := o.Board.Recall(m)
	if (q == objects.Query{}) {
		return cmd
	}
	return tea.Batch(cmd, func() tea.Msg { return session.ListMsg{Moment: session.Moment{Source: o.Input.Current}, Query: q} })
}
