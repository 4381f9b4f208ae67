package tui

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	lists "revenant/analyzer/objects"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// moment is a state of one of the two snapshots.
type moment struct {
	side     int
	revision int64 // 0 is the newest
}

// Messages about objects.
type (
	// momentMsg asks the shell for what is listed at another moment.
	momentMsg struct{ moment }
	// listMsg asks it for other objects.
	listMsg struct {
		moment
		query lists.Query
	}
	// objectsAtMsg brings them, or says why there are none.
	objectsAtMsg struct {
		objects *objectList
		err     error
	}
	// lookAtMsg asks the shell for all objects at a moment, and to open one of them.
	lookAtMsg struct {
		moment
		key     string
		reading objectReading
		toText  bool // at its YAML
	}
	// atMsg is a revision or a time, as it was typed.
	atMsg string
	// namespaceMsg is a namespace, as it was typed.
	namespaceMsg string
	// tickMsg draws the progress of what takes long.
	tickMsg struct{}
)

// objects lists the objects of either snapshot at any revision that is kept: those
// of all resources by what their keys tell, those of one as kubectl prints them.
type objects struct {
	*session
	*widget.Board
	grouped int           // bySameResource or bySameNamespace, -1 for not at all
	from    int           // how it was grouped when a group was gone into
	shown   shownObjects  // what the rows are of
	coming  shownObjects  // and what those will be of that are being arranged
	kept    string        // key of the row that the person chose
	told    *objectList   // of which it was said that it is not there
	related *relatedToKey // to the opened object; nil while that is not known
	asked   relatedToKey  // what it was asked for
	stop    func()        // ends the search for it
	decoded string        // key of the Secret whose data is shown
	showing objectReading
	look    changesLook              // of its difference
	alike   atomic.Pointer[listedAt] // what was found to be the same in both snapshots
	json    bool
	toText  bool // go to the object's YAML once it is read
	ticking bool
}

// objectReading is what the detail shows of an object.
type objectReading int

const (
	wholeRead       objectReading = iota // what it belongs to, its events and its YAML
	versionsRead                         // what differs between two versions of it
	descriptionRead                      // its description
)

// listedAt is an object of a list.
type listedAt struct {
	list *objectList
	key  string
}

// The ways to group objects.
const (
	bySameResource = iota
	bySameNamespace
	groupings
)

// groups are those of a list.
func (l *objectList) groups(by int) []lists.Group {
	if by == bySameNamespace {
		return l.Namespaces
	}
	return l.Resources
}

// objectsShown says what rows are made of.
type objectsShown struct {
	list    *objectList
	grouped int
}

// shownObjects is that, with the cells that were read of them.
type shownObjects struct {
	objectsShown
	cells *cellCache // nil where none take reading
}

func newObjects(s *session) screen {
	o := &objects{session: s, grouped: -1, from: -1, look: changesLook{unfold: s.Keymap.Key(keys.Unfold)}}
	o.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "objects", Noun: "object", Waiting: "listing the objects", Columns: allColumns,
		Of: func() any {
			if s.objects == nil {
				return nil
			}
			return objectsShown{s.objects, o.grouped}
		},
		Rows:  func() widget.Rows { return o.rowsOf(objectsShown{s.objects, o.grouped}) },
		Empty: func() string { return o.emptiness(s.objects) },
		Notes: o.notes,
	})
	return o
}

func (o *objects) Keys() keys.Set {
	k := o.Board.Keys()
	list, why := o.session.objects, ""
	if list == nil {
		why = "the objects are still being listed"
	}
	for _, a := range []keys.Action{keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater, keys.GoTo, keys.Other} {
		k[a] = why
	}
	o.offerListed(k, why)
	if list != nil && !o.Opened && (list.Query != lists.Query{} || o.grouped >= 0) {
		k.Offer(keys.Back)
	}
	k[keys.HistoryOf] = why
	if _, ok := o.selected(); why == "" && !ok {
		k[keys.HistoryOf] = "no object is selected"
	}
	return k
}

// offerListed adds what is done with the list, or with the opened object.
func (o *objects) offerListed(k keys.Set, why string) {
	if !o.Opened {
		k[keys.InNamespace], k[keys.GroupBy], k[keys.ToObject], k[keys.ToDiff] = why, why, why, why
		if _, ok := o.selected(); why == "" && !ok {
			k[keys.ToObject], k[keys.ToDiff] = "no object is selected", "no object is selected"
		}
		switch q := o.wanted.query; {
		case why != "":
		case q.RelatedTo != "":
			k[keys.InNamespace], k[keys.GroupBy] = "these are relatives", "these are relatives"
		case q.Resource != "":
			k[keys.GroupBy] = "these are the objects of one resource"
		}
		return
	}
	why = o.absent()
	k[keys.ToObject], k[keys.ToDiff], k[keys.AsJSON], k[keys.ToRelated], k[keys.Decode] = why, why, why, why, why
	if o.showing == versionsRead {
		k.Offer(keys.Unfold, keys.InColumns)
		if o.DetailWidth() < sideBySide {
			k[keys.InColumns] = fmt.Sprintf("needs %d columns, and there are %d", sideBySide, o.DetailWidth())
		}
	}
	if key, ok := o.selected(); ok && key.Resource != "secrets" {
		k[keys.Decode] = "it is no Secret"
	}
}

// selected is the key of the selected object; ok is false for a group.
func (o *objects) selected() (kube.Key, bool) {
	object, ok := o.Table.Item().(*lists.Object)
	if !ok {
		return kube.Key{}, false
	}
	return object.Key, true
}

// absent says why the object that the person chose is not shown, "" when it is.
func (o *objects) absent() string {
	if o.shown.list == nil || o.shown.grouped >= 0 {
		return ""
	}
	return o.absentIn(o.shown.list)
}

func (o *objects) absentIn(l *objectList) string {
	if o.kept == "" {
		return ""
	}
	if row, ok := o.Table.Row(); ok && o.Table.Rows.Name(row) == o.kept {
		return ""
	}
	if _, err := l.View.Get(o.kept); err == nil {
		return "" // it is there, and filtered away
	}
	return o.nameOf(o.kept) + " does not exist at this revision"
}

// nameOf is how people write the object of a key.
func (o *objects) nameOf(key string) string {
	k, ok := kube.ParseKey(o.input.Prefix, key)
	if !ok {
		return key
	}
	return lists.Title(k)
}

// Crumb is where one is: in the resource and namespace that are listed, and in the
// opened object, which may not be there.
func (o *objects) Crumb() string {
	var q lists.Query
	if o.session.objects != nil {
		q = o.session.objects.Query
	}
	crumbs := []string{q.Resource, q.Namespace}
	if q.RelatedTo != "" {
		crumbs[0] = "relatives of " + o.nameOf(q.RelatedTo)
	}
	if o.Opened {
		name := cmp.Or(o.kept, o.Table.Selected)
		if k, ok := kube.ParseKey(o.input.Prefix, name); ok {
			if name = k.Name; q.Resource == "" {
				name = k.Resource + "/" + name
			}
			if q.Namespace == "" {
				crumbs[1] = k.Namespace
			}
		}
		crumbs = append(crumbs, name)
	}
	crumbs = slices.DeleteFunc(crumbs, func(s string) bool { return s == "" })
	return strings.Join(crumbs, " "+o.Theme.Crumb+" ")
}

func (o *objects) Update(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case keys.Press:
		cmd = o.press(msg)
	case atMsg:
		cmd = o.goTo(string(msg))
	case lookAtMsg:
		o.lookAt(msg)
	case namespaceMsg:
		q := o.session.wanted.query
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
	case changedMsg:
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
	return tea.Batch(cmd, o.fetch(), o.findRelated(), o.tick(), o.missed())
}

// missed says once in the bottom line that the object is not there, where the line
// above the list has no room for it.
func (o *objects) missed() tea.Cmd {
	why := o.absent()
	if why == "" || o.told == o.shown.list {
		return nil
	}
	if l := o.shown.list; (listMsg{l.moment, l.Query}) != o.session.wanted {
		return nil // it may be among those that are being listed
	}
	o.told = o.shown.list
	return widget.Notify(draw.Safe(why))
}

// press does what a key asks for.
func (o *objects) press(msg keys.Press) tea.Cmd {
	switch msg.Action {
	case keys.InNamespace, keys.GoTo: // the shell's
		return nil
	case keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater, keys.Other:
		return o.scrub(msg.Action)
	case keys.HistoryOf:
		row, ok := o.Table.Row()
		if !ok {
			return nil
		}
		key := o.Table.Rows.Name(row)
		return func() tea.Msg { return historyMsg{key: key} }
	case keys.GroupBy:
		o.grouped++
		if o.grouped == groupings {
			o.grouped = -1
		}
		o.reset()
		return o.Refresh()
	case keys.Open:
		if group, ok := o.Table.Item().(*lists.Group); ok {
			return o.enter(*group)
		}
	case keys.Back:
		if !o.Opened && len(o.Table.Marked) == 0 && o.Table.Order.Words == "" {
			return o.out()
		}
	case keys.ToObject:
		if !o.Opened || o.showing != wholeRead {
			o.openAt(wholeRead)
			o.toText = true
			return o.Detail()
		}
		o.toggleObject()
		return nil
	case keys.ToDiff:
		o.openAt(o.nextReading())
		return o.Detail()
	case keys.Unfold:
		o.look.noise = !o.look.noise
		return o.Detail()
	case keys.InColumns:
		o.look.beside = !o.look.beside
		return o.Detail()
	case keys.ToRelated:
		return o.ask(lists.Query{RelatedTo: o.Table.Selected})
	case keys.AsJSON:
		o.json = !o.json
		o.showing = wholeRead
		return o.Detail()
	case keys.Decode:
		if o.decoded == o.Table.Selected {
			o.decoded = ""
		} else {
			o.decoded = o.Table.Selected
		}
		o.showing = wholeRead
		return o.Detail()
	}
	cmd := o.Board.Press(msg)
	if !o.Opened || msg.Action == keys.Open {
		o.keep()
	}
	return cmd
}

// keep takes the selected row for the one that is looked at.
func (o *objects) keep() {
	if o.Table.Pinned && o.shown.grouped < 0 && o.kept != o.Table.Selected {
		o.kept, o.decoded, o.showing = o.Table.Selected, "", wholeRead
	}
}

// openAt opens the selected object, and shows something else of it.
func (o *objects) openAt(r objectReading) {
	o.Opened, o.Table.Pinned = true, true
	o.keep()
	o.showing = r
	o.Pager.Rewind()
}

// nextReading is what comes after what is shown: the difference where there are two
// versions, the description, and the object again.
func (o *objects) nextReading() objectReading {
	_, why := o.versions()
	switch {
	case (!o.Opened || o.showing == wholeRead) && why == "":
		return versionsRead
	case !o.Opened || o.showing == wholeRead || o.showing == versionsRead && why == "":
		return descriptionRead
	}
	return wholeRead
}

// reset forgets what was selected and how it was sorted: other rows are to come.
func (o *objects) reset() {
	o.kept, o.decoded, o.showing, o.Opened, o.Table.Pinned = "", "", wholeRead, false, false
	o.Table.Order = widget.Order{}
	clear(o.Table.Marked)
}

// ask lists other objects.
func (o *objects) ask(q lists.Query) tea.Cmd {
	at := o.session.wanted.moment
	o.reset()
	return func() tea.Msg { return listMsg{at, q} }
}

// lookAt opens an object among all that there were at a moment, once they are listed.
func (o *objects) lookAt(msg lookAtMsg) {
	o.grouped, o.from = -1, -1
	o.reset()
	o.kept, o.Table.Pinned, o.Opened, o.showing, o.toText = msg.key, true, true, msg.reading, msg.toText
}

// enter lists the objects of a group.
func (o *objects) enter(g lists.Group) tea.Cmd {
	q := o.session.wanted.query
	o.from = o.grouped
	if g.Resource != nil {
		q.Resource = g.Name
	} else {
		q.Namespace = g.Name
	}
	o.grouped = -1
	return o.ask(q)
}

// out goes back to where the group was, and from there to all objects.
func (o *objects) out() tea.Cmd {
	q := o.session.wanted.query
	if o.grouped >= 0 {
		o.grouped = -1
		o.reset()
		return o.Refresh()
	}
	o.grouped, o.from = o.from, -1
	if q.RelatedTo != "" {
		q.RelatedTo = ""
	} else if q.Resource != "" {
		q.Resource = ""
	} else {
		q.Namespace = ""
	}
	if o.grouped == bySameNamespace {
		q.Namespace = ""
	}
	return o.ask(q)
}

// scrub goes to another moment.
func (o *objects) scrub(a keys.Action) tea.Cmd {
	at := o.session.wanted.moment
	s := o.session.side(at.side).Snapshot
	head := s.Revision()
	if at.revision == 0 {
		at.revision = head
	}
	const far = 100
	switch a {
	case keys.Earlier:
		at.revision--
	case keys.Later:
		at.revision++
	case keys.MuchEarlier:
		at.revision -= far
	case keys.MuchLater:
		at.revision += far
	case keys.Other:
		at = moment{side: 1 - at.side}
		return func() tea.Msg { return momentMsg{at} }
	}
	at.revision = max(min(at.revision, head), max(s.CompactRevision(), 1))
	return func() tea.Msg { return momentMsg{at} }
}

// goTo goes to a revision, or to the one that the store was at at a time.
func (o *objects) goTo(text string) tea.Cmd {
	at, err := o.momentTyped(text)
	if err != nil {
		return widget.Notify(err.Error())
	}
	return func() tea.Msg { return momentMsg{at} }
}

func (o *objects) momentTyped(text string) (moment, error) {
	return o.sideMoment(text, o.session.wanted.moment.side)
}

// CheckMoment says what is wrong with a moment as it was typed.
func (o *objects) CheckMoment(text string) error {
	_, err := o.momentTyped(text)
	return err
}

// momentOf reads a moment as clock.ParseMoment does, 0 for the newest. Of the revisions
// that the store may have been at at a time it takes the newest.
func momentOf(text string, side *Side) (int64, error) {
	var taken time.Time
	if side.State.Clock != nil {
		taken = side.State.Clock.Taken().From
	}
	m, err := clock.ParseMoment(text, taken)
	switch {
	case err != nil:
		return 0, err
	case m.Time.From.IsZero():
		return m.Revision, nil
	case side.State.Clock == nil:
		return 0, errors.New("nothing in the snapshot tells when revisions were written")
	}
	return min(side.State.Clock.HeadAt(m.Time.From).To, side.Snapshot.Revision()), nil
}

// sideMoment reads a moment that may have its snapshot before it, backup or current; of
// which it is otherwise, is given.
func (s *session) sideMoment(text string, of int) (moment, error) {
	side, rest, at := strings.Cut(strings.TrimSpace(text), "@")
	switch {
	case side == "backup":
		of = backup
	case side == "current":
		of = current
	default:
		rest, at = text, true
	}
	m := moment{side: of}
	if !at {
		return m, nil
	}
	var err error
	m.revision, err = momentOf(rest, s.side(of))
	return m, err
}

// momentText says which moment is shown, and when that was.
func (s *session) momentText(at moment) string {
	side := s.side(at.side)
	revision, what := at.revision, "revision "
	if head := side.Snapshot.Revision(); revision == 0 || revision == head {
		revision, what = head, "newest revision "
	}
	text := string(roles[at.side]) + ", " + what + draw.Count(revision)
	if c := side.State.Clock; c != nil {
		text += ", " + brief(c.TimeOf(revision))
	}
	return text
}

// Complete lists resources, and namespaces after -n. What could not be typed is left
// out.
func (o *objects) Complete(words []string) []string {
	list := o.session.objects
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
func (o *objects) Command(words []string) (tea.Cmd, bool) {
	list := o.session.objects
	if list == nil {
		return nil, false
	}
	c, ok, err := lists.Parse(list.Catalog, words)
	if !ok {
		return nil, false
	}
	at := o.session.wanted.moment
	if err == nil && c.At != "" {
		at.revision, err = momentOf(c.At, o.session.side(at.side))
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
			o.kept, o.Table.Pinned, o.Opened = key.Path(o.input.Prefix), true, true
		}
	}
	return func() tea.Msg { return listMsg{at, c.Query} }, true
}

// Remember keeps what is listed, too, and nothing of what was opened.
func (o *objects) Remember() map[string]string {
	m := o.Board.Remember()
	if o.session.objects != nil {
		q := o.session.objects.Query
		for name, value := range map[string]string{"resource": q.Resource, "namespace": q.Namespace} {
			if value != "" {
				m[name] = value
			}
		}
	}
	return m
}

func (o *objects) Recall(m map[string]string) tea.Cmd {
	q := lists.Query{Resource: m["resource"], Namespace: m["namespace"]}
	cmd := o.Board.Recall(m)
	if (q == lists.Query{}) {
		return cmd
	}
	return tea.Batch(cmd, func() tea.Msg { return listMsg{moment{side: current}, q} })
}

// emptiness says why no object is listed and, where one was asked for, why that is
// not there.
func (o *objects) emptiness(l *objectList) string {
	why := o.absentIn(l)
	if why == "" {
		return o.emptyBecause(l)
	}
	lives := o.lives(l, o.kept)
	return why + ". " + draw.Sentence(strings.Join(lives, "; ")) + " " + o.emptyBecause(l)
}

// emptyBecause says why a list has no object.
func (o *objects) emptyBecause(l *objectList) string {
	what := "There is no key"
	switch q := &l.Query; {
	case q.RelatedTo != "":
		return o.nameOf(q.RelatedTo) + " does not exist at this revision, or cannot be read."
	case q.Resource != "" && l.Resource == nil:
		return fmt.Sprintf("At this revision there is no resource %s: it is not built in, nothing defines it, and no key is of it.", draw.Quoted(q.Resource))
	case l.Resource != nil:
		what = "There are no " + l.Resource.FullName()
	}
	if l.Query.Namespace != "" {
		what += " in the namespace " + draw.Quoted(l.Query.Namespace)
	}
	if l.Resource != nil && l.Query.Namespace != "" && l.Resource.Count > 0 {
		return fmt.Sprintf("%s at this revision; other namespaces have %s.", what, draw.Count(l.Resource.Count))
	}
	return what + " at this revision."
}

// notes says beside the counts what is not to be seen, and how far reading is.
func (o *objects) notes() []string {
	t := o.Theme
	var parts []string
	if why := o.absent(); why != "" {
		parts = append(parts, t.Warning.Paint(draw.Safe(why)))
	}
	if done, all := o.reading(); all > 0 {
		parts = append(parts, t.Dim.Paint(fmt.Sprintf("reading, %d %%", 100*done/all)))
	}
	return parts
}

// manyObjects is from how many on reading them all is told.
const manyObjects = 5000

// reading says how many objects have been read of those that sorting or filtering
// needs; all is 0 when nothing goes on, or not for long.
func (o *objects) reading() (done, all int64) {
	of := &o.coming
	if of.cells == nil || o.Table.Order == o.Table.Have && o.Table.Next == nil || len(of.list.Objects) < manyObjects {
		return 0, 0
	}
	all = int64(len(of.list.Objects))
	return min(of.cells.read.Load(), all), all
}

// tick has the screen drawn again while something goes on.
func (o *objects) tick() tea.Cmd {
	if _, all := o.reading(); all == 0 || o.ticking {
		return nil
	}
	o.ticking = true
	return tea.Tick(200*time.Millisecond, func(time.Time) tea.Msg { return tickMsg{} })
}
