package objects

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/objects"
	"revenant/decoder/kube"
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
	last := len(words) - 1
	switch {
	case last == 0:
		return widget.Typable(list.Catalog.Complete(words[0]))
	case last == 1 && !strings.HasPrefix(words[1], "-"):
		if r := list.Catalog.Lookup(words[0]); r == nil || !r.Namespaced {
			return nil
		}
		return widget.Typable(widget.StartingWith(words[last], list.Catalog.Namespaces()...))
	case words[last-1] == "-n" || words[last-1] == "--namespace":
		return widget.Typable(widget.StartingWith(words[last], list.Catalog.Namespaces()...))
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
	words, filter := o.fromK9s(words)
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
	o.Table.Order.Words = filter
	return func() tea.Msg { return session.ListMsg{Moment: at, Query: q} }, true
}

// fromK9s reads what k9s takes beside kubectl's words: one after the resource that names a
// namespace stands for it, and /words filter.
func (o *Screen) fromK9s(words []string) (rest []string, filter string) {
	if i := slices.IndexFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "/") }); i >= 0 && !strings.HasPrefix(words[0], "/") {
		filter, words = strings.TrimPrefix(strings.Join(words[i+1:], " "), "/"), words[:i+1]
	}
	c := o.Session.Objects.Catalog
	if r := c.Lookup(words[0]); len(words) == 2 && r != nil && r.Namespaced && slices.Contains(c.Namespaces(), words[1]) {
		words = []string{words[0], "-n", words[1]}
	}
	return words, filter
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
	words, filter := o.fromK9s(words)
	_, _, err := o.parsed(words)
	if err == nil {
		_, err = widget.Matcher(filter)
	}
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
