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
	if a == keys.Other {
		at = session.Moment{Source: o.Input.Other(at.Source)}
	} else {
		at = o.Step(at, map[keys.Action]int64{keys.Earlier: -1, keys.Later: 1, keys.MuchEarlier: -100, keys.MuchLater: 100}[a])
	}
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
		return []string{"-A", "-l", "-n", "--at", "--field-selector"}
	}
	return nil
}

// Command lists the objects of a resource, and opens one that is named.
func (o *Screen) Command(words []string) (tea.Cmd, bool) {
	list := o.Session.Objects
	if list == nil {
		return nil, false
	}
	if !objects.Takes(list.Catalog, words[0]) {
		return nil, false
	}
	c, at, err := o.parsed(words)
	if err != nil {
		return widget.Notify(err.Error()), true
	}
	o.grouped, o.from = -1, -1
	o.reset()
	q := c.Query
	if key := o.named(list, &q); key != "" {
		o.kept, o.Table.Pinned, o.Opened = key, true, true
	}
	return func() tea.Msg { return session.ListMsg{Moment: at, Query: q} }, true
}

// parsed reads a command, with the moment that it is for.
func (o *Screen) parsed(words []string) (c objects.Command, at session.Moment, err error) {
	at = o.Session.Wanted.Moment
	if c, err = objects.ParseCommand(words); err == nil && c.At != "" {
		at, err = o.momentTyped(c.At)
	}
	return c, at, err
}

// named is the key of the one object that a query asks for by its name, and its namespace
// where it is in one: it is opened among its like. "" is none.
func (o *Screen) named(list *session.ObjectList, q *objects.Query) (key string) {
	if !q.Named() {
		if r := list.Catalog.Lookup(q.Words[0]); r != nil {
			q.Words[0] = r.FullName()
			if !r.Namespaced {
				q.Namespace = ""
			}
		}
		return ""
	}
	if key = q.Words[0]; strings.HasPrefix(key, "/") {
		*q = session.AllObjects
		return key
	}
	resource, name, _ := strings.Cut(strings.Join(q.Words, "/"), "/")
	r := list.Catalog.Lookup(resource)
	if r == nil || r.Namespaced && q.Namespace == "" {
		return ""
	}
	if !r.Namespaced {
		q.Namespace = ""
	}
	q.Words = []string{r.FullName()}
	return kube.Key{Group: r.Group, Resource: r.Name, Namespace: q.Namespace, Name: name}.Path(o.Input.Prefix)
}

// Takes says whether it is a command for objects.
func (o *Screen) Takes(words []string) bool {
	return o.Session.Objects != nil && objects.Takes(o.Session.Objects.Catalog, words[0])
}

// CheckCommand says what is wrong with a command for objects.
func (o *Screen) CheckCommand(words []string) error {
	if !o.Takes(words) {
		return nil
	}
	_, _, err := o.parsed(words)
	return err
}

// Remember keeps what is listed, too, and nothing of what was opened.
func (o *Screen) Remember() map[string]string {
	m := o.Board.Remember()
	if o.Session.Objects != nil {
		q := &o.Session.Objects.Query
		byLabels, byFields := q.Selectors()
		for name, value := range map[string]string{"resource": strings.Join(q.Words, "\n"), "namespace": q.Namespace, "labels": byLabels, "fields": byFields} {
			if value != "" {
				m[name] = value
			}
		}
	}
	return m
}

// Recall goes back to what Remember has kept.
func (o *Screen) Recall(m map[string]string) tea.Cmd {
	q := session.AllObjects
	q.Namespace = m["namespace"]
	if m["resource"] != "" {
		q.Words = strings.Split(m["resource"], "\n")
	}
	cmd := o.Board.Recall(m)
	if err := q.Parse(m["labels"], m["fields"]); err != nil || q.Everything() {
		return cmd // a file of it may be edited
	}
	return tea.Batch(cmd, func() tea.Msg { return session.ListMsg{Moment: session.Moment{Source: o.Input.Current}, Query: q} })
}
