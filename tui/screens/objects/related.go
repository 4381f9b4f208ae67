package objects

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/relations"
	"revenant/analyzer/resources"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/session"
)

// relatedToKey is what belongs to an object at a moment, what it belongs to, and its
// events.
type relatedToKey struct {
	list   *session.ObjectList // it is of
	key    string
	tree   *relations.Tree
	events *relations.Events
	err    error
}

// relatedMsg brings it.
type relatedMsg struct{ related *relatedToKey }

// findRelated looks for what is related to the opened object.
func (o *Screen) findRelated() tea.Cmd {
	key, ok := o.selected()
	if !o.Opened || !ok || key.Name == o.Table.Selected || o.absent() != "" {
		return nil
	}
	list, name := o.shown.list, o.Table.Selected
	if o.asked.list == list && o.asked.key == name {
		return nil
	}
	if o.stop != nil {
		o.stop()
	}
	ctx, stop := context.WithCancel(o.Ctx)
	o.asked, o.stop = relatedToKey{list: list, key: name}, stop
	state := relations.State{Snapshot: o.Source(list.Source).Snapshot, View: list.View, Prefix: o.Input.Prefix, Catalog: list.Catalog}
	return o.Tasks.Cmd(func() tea.Msg {
		r := &relatedToKey{list: list, key: name}
		var uid string
		if r.tree, r.err = relations.TreeOf(ctx, state, key); r.err == nil {
			uid = r.tree.Relatives[r.tree.Self].UID
		}
		var err error
		if r.events, err = relations.EventsOf(ctx, state, key, uid); err != nil {
			return nil // something else was opened, or the program ends
		}
		return relatedMsg{r}
	})
}

// relate shows what is related. What is being read stays where it is.
func (o *Screen) relate(msg relatedMsg) tea.Cmd {
	if msg.related.list != o.asked.list || msg.related.key != o.asked.key {
		return nil
	}
	o.related = msg.related
	return o.Detail()
}

// relatives is the tree of owners.
func (d *description) relatives() []string {
	t := d.theme
	lines := []string{t.Heading("Owners and dependents", d.width)}
	switch {
	case d.related == nil:
		return append(lines, t.Dim.Paint("looking for them"+t.Ellipsis))
	case d.related.err != nil:
		return append(lines, draw.Wrap(d.related.err.Error(), d.width)...)
	}
	tree := d.related.tree
	if len(tree.Relatives) == 1 {
		lines = append(lines, t.Dim.Paint("It has no owner, and nothing belongs to it."))
	}
	for i := range tree.Relatives {
		if len(tree.Relatives) > 1 {
			lines = append(lines, d.relative(&tree.Relatives[i], i == tree.Self))
		}
	}
	if tree.More > 0 {
		lines = append(lines, t.Dim.Paint("and "+words.Number(tree.More)+" more"))
	}
	if tree.Unread > 0 {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap(words.Count(tree.Unread, "object")+" could not be read: more may belong to it.", d.width))...)
	}
	return lines
}

// presences say why a relative is not what its dependent means.
var presences = map[relations.Presence]string{
	relations.Absent:     "does not exist: what belongs to nothing else is garbage",
	relations.Replaced:   "has another uid: what belongs to nothing else is garbage",
	relations.Unreadable: "cannot be read",
	relations.Unknown:    "of a kind that nothing here defines",
}

func (d *description) relative(r *relations.Relative, self bool) string {
	t := d.theme
	mark := "  "
	if self {
		mark = t.Cursor + " "
	}
	text := mark + strings.Repeat("  ", min(r.Depth, 20)) + draw.Safe(r.String())
	if self {
		text = t.Bold.Paint(t.Cut(text, d.width))
	}
	if why := presences[r.Presence]; why != "" {
		text = t.Warning.Paint(t.Cut(text+"  "+why, d.width))
	}
	return t.Cut(text, d.width)
}

// events are those that regard the object.
func (d *description) events() []string {
	t := d.theme
	lines := []string{t.Heading("Events", d.width)}
	if d.related == nil {
		return append(lines, t.Dim.Paint("looking for them"+t.Ellipsis))
	}
	e := d.related.events
	switch {
	case e.None:
		lines = append(lines, draw.PaintAll(t.Dim, draw.Wrap("There is no event of any object at this revision: they are kept for an hour, and may be kept in another etcd.", d.width))...)
	case len(e.List) == 0:
		lines = append(lines, t.Dim.Paint("No events."))
	}
	for i := range e.List {
		lines = append(lines, d.event(&e.List[i])...)
	}
	if e.Unread > 0 {
		lines = append(lines, t.Warning.Paint(words.Count(e.Unread, "event")+" could not be read."))
	}
	return lines
}

func (d *description) event(e *relations.Event) []string {
	t := d.theme
	age := resources.Age(e.Last, d.Now).Text + " ago"
	if e.Count > 1 {
		age += fmt.Sprintf(", %s times", words.Number(int64(e.Count)))
	}
	text := e.Reason + ": " + e.Message
	if e.Source != "" {
		text += " (" + e.Source + ")"
	}
	if e.Former {
		text += " [of an earlier object of this name]"
	}
	lines := draw.Item(t.Fit(age, 14)+" ", text, d.width)
	if e.Type == corev1.EventTypeWarning {
		return draw.PaintAll(t.Warning, lines)
	}
	return lines
}
