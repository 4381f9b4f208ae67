package objects

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/objects"
	"revenant/decoder/kube"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

type (
	// tickMsg draws the progress of what takes long.
	tickMsg struct{}
)

// Screen lists the objects of either snapshot at any revision that is kept: those
// of all resources by what their keys tell, those of one as kubectl prints them.
type Screen struct {
	*session.Session
	*widget.Board
	queries map[string]objects.Query // that were asked for, by what Place calls them
	grouped int                      // bySameResource or bySameNamespace, -1 for not at all
	from    int                      // how it was grouped when a group was gone into
	shown   shownObjects             // what the rows are of
	coming  shownObjects             // and what those will be of that are being arranged
	kept    string                   // key of the row that the person chose
	said    *session.ObjectList      // of which it was said that it is not there
	related *relatedToKey            // to the opened object; nil while that is not known
	asked   relatedToKey             // what it was asked for
	stop    func()                   // ends the search for it
	decoded string                   // key of the Secret whose data is shown
	showing session.View
	look    shared.ChangesLook       // of its difference
	alike   atomic.Pointer[listedAt] // what was found to be the same in both snapshots
	json    bool
	height  int
	inPast  bool // there is a line for the banner
	toText  bool // go to the object's YAML once it is read
	ticking bool
}

// listedAt is an object of a list.
type listedAt struct {
	list *session.ObjectList
	key  string
}

// New makes the screen.
func New(s *session.Session) session.Screen {
	o := &Screen{Session: s, grouped: -1, from: -1, look: shared.ChangesLook{Unfold: s.Keymap.Key(keys.Unfold)}}
	o.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "objects", Noun: "object", Waiting: "listing the objects", Columns: allColumns,
		Of: func() any {
			if s.Objects == nil {
				return nil
			}
			return objectsShown{s.Objects, o.grouped}
		},
		Rows:  func() widget.Rows { return o.rowsOf(objectsShown{s.Objects, o.grouped}) },
		Empty: func() string { return o.emptiness(s.Objects) },
		Scope: o.scope,
		Notes: o.notes,
	})
	return o
}

// SetSize says how many columns and lines there are.
func (o *Screen) SetSize(width, height int) {
	o.height = height
	if o.inPast = o.past() != ""; o.inPast {
		height--
	}
	o.Board.SetSize(width, height)
}

// View draws it, below a banner where another moment is shown than the newest.
func (o *Screen) View() []string {
	past := o.past()
	if past == "" {
		return o.Board.View()
	}
	t := o.Theme
	if t.Plain {
		return append([]string{past}, o.Board.View()...)
	}
	return append([]string{t.Past.Paint(t.Fit(" "+past, o.Width))}, o.Board.View()...)
}

// Click is what a click asks for.
func (o *Screen) Click(x, y int) (keys.Press, bool) {
	if o.inPast {
		y--
	}
	return o.Board.Click(x, y)
}

// place is what is listed.
type place struct {
	query   string // one of those that were asked for
	grouped int
}

// Place is what is listed, at whichever moment.
func (o *Screen) Place() (any, string) {
	q := o.Session.Wanted.Query
	byLabels, byFields := q.Selectors()
	name := fmt.Sprintf("%q %q %q %q %q %v", q.Words, q.Namespace, byLabels, byFields, q.RelatedTo, q.Foreign)
	if o.queries == nil {
		o.queries = map[string]objects.Query{}
	}
	o.queries[name] = q
	return place{name, o.grouped}, o.Table.Order.Words
}

// Return lists what was listed.
func (o *Screen) Return(to any, filter string) tea.Cmd {
	at := to.(place)
	o.grouped, o.from = at.grouped, -1
	cmd := o.ask(o.queries[at.query])
	o.Table.Order.Words = filter
	return cmd
}

// Keys lists the actions that Update takes.
func (o *Screen) Keys() keys.Set {
	k := o.Board.Keys()
	list, why := o.Session.Objects, ""
	if list == nil {
		why = "the objects are still being listed"
	}
	for _, a := range []keys.Action{keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater, keys.GoTo} {
		k[a] = why
	}
	if why == "" {
		o.Ends(k, o.Session.Wanted.Moment)
	}
	if o.past() != "" {
		k[keys.Newest] = ""
	}
	k[keys.Other] = cmp.Or(o.Input.Alone(), why)
	o.offerListed(k, why)
	if list != nil && !o.Opened && (!list.Query.Everything() || o.grouped >= 0) {
		k.Offer(keys.Back)
	}
	k[keys.HistoryOf] = why
	if _, ok := o.selected(); why == "" && !ok {
		k[keys.HistoryOf] = "no object is selected"
	}
	return k
}

// offerListed adds what is done with the list, or with the opened object.
func (o *Screen) offerListed(k keys.Set, why string) {
	if !o.Opened {
		k[keys.InNamespace], k[keys.GroupBy], k[keys.ToObject], k[keys.ToDiff] = why, why, why, why
		if _, ok := o.selected(); why == "" && !ok {
			k[keys.ToObject], k[keys.ToDiff] = "no object is selected", "no object is selected"
		}
		switch q := o.Wanted.Query; {
		case why != "":
		case q.RelatedTo != "":
			k[keys.InNamespace], k[keys.GroupBy] = "these are relatives", "these are relatives"
		case o.Session.Objects.Resource != nil || o.Session.Objects.Unknown != nil:
			k[keys.GroupBy] = "these are the objects of one resource"
		}
		return
	}
	why = o.absent()
	k[keys.ToObject], k[keys.ToDiff], k[keys.AsJSON], k[keys.ToRelated], k[keys.Decode] = why, why, why, why, why
	if why == "" && o.showing == session.WholeObject && len(o.Lines) <= o.Pager.Span() {
		k[keys.ToObject] = "all of the object is on the screen"
	}
	if o.showing == session.Versions {
		k.Offer(keys.Unfold, keys.InColumns)
		if o.DetailWidth() < shared.SideBySide {
			k[keys.InColumns] = fmt.Sprintf("needs %d columns, and there are %d", shared.SideBySide, o.DetailWidth())
		}
	}
	if key, ok := o.selected(); ok && key.GroupResource() != "secrets" {
		k[keys.Decode] = "it is no Secret"
	}
}

// selected is the key of the selected object; ok is false for a group.
func (o *Screen) selected() (kube.Key, bool) {
	object, ok := o.Table.Item().(*objects.Object)
	if !ok {
		return kube.Key{}, false
	}
	return object.Key, true
}

// Update takes a press of one of Keys, and every message.
func (o *Screen) Update(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case keys.Press:
		cmd = o.press(msg)
	case session.AtMsg:
		cmd = o.goTo(string(msg))
	case session.LookAtMsg:
		o.lookAt(msg)
	case widget.NamespaceMsg:
		q := o.Session.Wanted.Query
		q.Namespace = string(msg)
		cmd = o.ask(q)
	case cellsReadMsg:
		o.cellsRead(msg)
	case relatedMsg:
		cmd = o.relate(msg)
	case widget.LoadedDetailMsg:
		if msg.Board == o.Board && msg.Asked == o.Board.Asked.Load() {
			o.setDetail(msg.Lines)
		}
	case tickMsg:
		o.ticking = false
	case session.ChangedMsg:
		if o.kept != "" {
			o.Table.Selected = o.kept // to be selected again when it is there
		}
		cmd = o.Board.Update(msg)
	case widget.FilterMsg:
		if o.coming.cells != nil {
			o.coming.cells.read.Store(0)
		}
		cmd = o.Board.Update(msg)
	default:
		cmd = o.Board.Update(msg)
	}
	o.adopt()
	if (o.past() != "") != o.inPast {
		o.SetSize(o.Width, o.height)
	}
	return tea.Batch(cmd, o.fetch(), o.findRelated(), o.tick(), o.missed())
}

// missed says once in the bottom line that the object is not there, where the line
// above the list has no room for it.
func (o *Screen) missed() tea.Cmd {
	why := o.absent()
	if why == "" || o.said == o.shown.list {
		return nil
	}
	if !o.shown.list.Answers(o.Session.Wanted) {
		return nil // it may be among those that are being listed
	}
	o.said = o.shown.list
	return widget.Notify(draw.Safe(why))
}

// press does what a key asks for.
func (o *Screen) press(msg keys.Press) tea.Cmd {
	switch msg.Action {
	case keys.InNamespace, keys.GoTo: // the shell's
		return nil
	case keys.Newest:
		return func() tea.Msg { return session.MomentMsg{Moment: session.Moment{Source: o.Input.Current}} }
	case keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater, keys.Other:
		return o.scrub(msg.Action)
	case keys.HistoryOf:
		row, ok := o.Table.Row()
		if !ok {
			return nil
		}
		key := o.Table.Rows.Name(row)
		return func() tea.Msg { return session.HistoryMsg{Key: key} }
	case keys.GroupBy:
		o.grouped++
		if o.grouped == groupings {
			o.grouped = -1
		}
		words := o.Table.Order.Words
		o.reset()
		o.Table.Order.Words = words
		return o.Refresh()
	case keys.Open:
		if group, ok := o.Table.Item().(*objects.Group); ok {
			return o.enter(*group)
		}
		if key, ok := o.selected(); ok && !o.Opened && key.Group == "" && key.Resource == "namespaces" && slices.Equal(o.Session.Wanted.Query.Words, []string{"namespaces"}) {
			return o.ask(objects.Query{Words: []string{"pods"}, Namespace: key.Name})
		}
	case keys.Back:
		if !o.Opened && !o.Table.Narrowed() {
			return o.out()
		}
	case keys.ToObject:
		if !o.Opened || o.showing != session.WholeObject {
			o.openAt(session.WholeObject)
			o.toText = true
			return o.Detail()
		}
		top := o.Pager.Top
		if o.toggleObject(); o.Pager.Top == top {
			return widget.Notify("its " + o.format() + " is on the screen")
		}
		return nil
	case keys.ToDiff:
		o.openAt(o.nextReading())
		return o.Detail()
	case keys.Unfold:
		o.look.Noise = !o.look.Noise
		return tea.Batch(o.Detail(), o.look.Said())
	case keys.InColumns:
		o.look.Beside = !o.look.Beside
		return tea.Batch(o.Detail(), o.look.SaidBeside())
	case keys.ToRelated:
		return o.ask(objects.Query{RelatedTo: o.Table.Selected, Foreign: true})
	case keys.AsJSON:
		o.json = !o.json
		o.showing = session.WholeObject
		return o.Detail()
	case keys.Decode:
		if o.decoded == o.Table.Selected {
			o.decoded = ""
		} else {
			o.decoded = o.Table.Selected
		}
		o.showing = session.WholeObject
		return o.Detail()
	}
	cmd := o.Board.Press(msg)
	if !o.Opened || msg.Action == keys.Open {
		o.keep()
	}
	return cmd
}

// keep takes the selected row for the one that is looked at.
func (o *Screen) keep() {
	if o.Table.Pinned && o.shown.grouped < 0 && o.kept != o.Table.Selected {
		o.kept, o.decoded, o.showing = o.Table.Selected, "", session.WholeObject
	}
}

// openAt opens the selected object, and shows something else of it.
func (o *Screen) openAt(r session.View) {
	o.Opened, o.Table.Pinned = true, true
	o.keep()
	o.showing = r
	o.Pager.Rewind()
}

// nextReading is what comes after what is shown: the difference where there are two
// versions, the description, and the object again.
func (o *Screen) nextReading() session.View {
	_, why := o.versions()
	switch {
	case (!o.Opened || o.showing == session.WholeObject) && why == "":
		return session.Versions
	case !o.Opened || o.showing == session.WholeObject || o.showing == session.Versions && why == "":
		return session.Description
	}
	return session.WholeObject
}

// reset forgets what was selected and how it was sorted: other rows are to come.
func (o *Screen) reset() {
	o.kept, o.decoded, o.showing, o.Opened, o.Table.Pinned = "", "", session.WholeObject, false, false
	o.Table.Order = widget.Order{}
	clear(o.Table.Marked)
}

// ask lists other objects.
func (o *Screen) ask(q objects.Query) tea.Cmd {
	at := o.Session.Wanted.Moment
	o.reset()
	return func() tea.Msg { return session.ListMsg{Moment: at, Query: q} }
}

// lookAt opens an object among all that there were at a moment, once they are listed.
func (o *Screen) lookAt(msg session.LookAtMsg) {
	o.grouped, o.from = -1, -1
	o.reset()
	o.kept, o.Table.Pinned, o.Opened, o.showing, o.toText = msg.Key, true, true, msg.Reading, msg.ToText
}

// enter lists the objects of a group.
func (o *Screen) enter(g objects.Group) tea.Cmd {
	q := o.Session.Wanted.Query
	o.from = o.grouped
	if g.Resource != nil {
		q.Words = []string{g.Name}
	} else {
		q.Namespace = g.Name
	}
	o.grouped = -1
	return o.ask(q)
}

// out goes back to where the group was, and from there to all objects.
func (o *Screen) out() tea.Cmd {
	q := o.Session.Wanted.Query
	if o.grouped >= 0 {
		o.grouped = -1
		o.reset()
		return o.Refresh()
	}
	o.grouped, o.from = o.from, -1
	switch namespace := q.Namespace; {
	case q.RelatedTo != "":
		q.RelatedTo = ""
	case len(q.Words) > 0 || q.Labels != nil || q.Fields != nil:
		q = session.AllObjects
		q.Namespace = namespace
	default:
		q.Namespace = ""
	}
	if o.grouped == bySameNamespace {
		q.Namespace = ""
	}
	return o.ask(q)
}

// manyObjects is from how many on reading them all is announced.
const manyObjects = 5000

// reading says how many objects have been read of those that sorting or filtering
// needs; all is 0 when nothing goes on, or not for long.
func (o *Screen) reading() (done, all int64) {
	of := &o.coming
	if of.cells == nil || o.Table.Order == o.Table.Have && o.Table.Next == nil || len(of.list.Objects) < manyObjects {
		return 0, 0
	}
	all = int64(len(of.list.Objects))
	return min(of.cells.read.Load(), all), all
}

// tick has the screen drawn again while something goes on.
func (o *Screen) tick() tea.Cmd {
	if _, all := o.reading(); all == 0 || o.ticking {
		return nil
	}
	o.ticking = true
	return tea.Tick(200*time.Millisecond, func(time.Time) tea.Msg { return tickMsg{} })
}
