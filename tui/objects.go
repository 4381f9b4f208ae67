package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	"revenant/analyzer/relations"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// moment is a state of one of the two snapshots.
type moment struct {
	side     int
	revision int64 // 0 is the newest
}

// objectQuery says which objects of a moment are listed.
type objectQuery struct {
	resource  string // as kubectl takes it, "" for all
	namespace string // "" for all
	of        string // key of the object whose owners and dependents are listed, "" for any
}

// objectList is the objects that a query finds at a moment.
type objectList struct {
	moment
	query    objectQuery
	now      clock.Interval // when the moment was
	view     *snapshot.View
	catalog  *resources.Catalog
	resource *resources.Resource // nil for those of all resources
	list     []listedObject
	groups   [2][]objectGroup // by resource, by namespace; for those of all resources
	why      string           // why there are none
}

type listedObject struct {
	kube.Key
	record snapshot.Record
}

// objectGroup is the objects that have their resource or their namespace in common.
type objectGroup struct {
	name    string // as a query takes it
	objects int
	bytes   int64
	about   *resources.Resource // nil for a namespace
}

// Messages about objects.
type (
	// momentMsg asks the shell for what is listed at another moment.
	momentMsg struct{ moment }
	// listMsg asks it for other objects.
	listMsg struct {
		moment
		query objectQuery
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
	*board
	grouped int           // by an index of objectList.groups, -1 for not at all
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
	o := &objects{grouped: -1, from: -1, look: changesLook{unfold: s.keymap.key(unfold)}}
	o.board = newBoard(s, listing{
		title: "objects", noun: "object", waiting: "listing the objects", columns: allColumns,
		of: func(s *session) any {
			if s.objects == nil {
				return nil
			}
			return objectsShown{s.objects, o.grouped}
		},
		rows:  func(s *session) rows { return o.rowsOf(objectsShown{s.objects, o.grouped}) },
		empty: func(s *session) string { return o.emptiness(s.objects) },
		notes: o.notes,
	})
	return o
}

func (o *objects) Keys() keys {
	k := o.board.Keys()
	list, why := o.session.objects, ""
	if list == nil {
		why = "the objects are still being listed"
	}
	for _, a := range []action{earlier, later, muchEarlier, muchLater, goTo, other} {
		k[a] = why
	}
	o.offerListed(k, why)
	if list != nil && !o.opened && (list.query != objectQuery{} || o.grouped >= 0) {
		k.offer(back)
	}
	k[historyOf] = why
	if _, ok := o.selected(); why == "" && !ok {
		k[historyOf] = "no object is selected"
	}
	return k
}

// offerListed adds what is done with the list, or with the opened object.
func (o *objects) offerListed(k keys, why string) {
	if !o.opened {
		k[inNamespace], k[groupBy], k[toObject], k[toDiff] = why, why, why, why
		if _, ok := o.selected(); why == "" && !ok {
			k[toObject], k[toDiff] = "no object is selected", "no object is selected"
		}
		switch q := o.wanted.query; {
		case why != "":
		case q.of != "":
			k[inNamespace], k[groupBy] = "these are relatives", "these are relatives"
		case q.resource != "":
			k[groupBy] = "these are the objects of one resource"
		}
		return
	}
	why = o.absent()
	k[toObject], k[toDiff], k[asJSON], k[toRelated], k[decode] = why, why, why, why, why
	if o.showing == versionsRead {
		k.offer(unfold, inColumns)
		if o.detailWidth() < sideBySide {
			k[inColumns] = fmt.Sprintf("needs %d columns, and there are %d", sideBySide, o.detailWidth())
		}
	}
	if key, ok := o.selected(); ok && key.Resource != "secrets" {
		k[decode] = "it is no Secret"
	}
}

// selected is the key of the selected object; ok is false for a group.
func (o *objects) selected() (kube.Key, bool) {
	object, ok := o.table.item().(*listedObject)
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
	if row, ok := o.table.row(); ok && o.table.rows.name(row) == o.kept {
		return ""
	}
	if _, err := l.view.Get(o.kept); err == nil {
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
	return titleOf(k)
}

func titleOf(k kube.Key) string {
	name := k.Name
	if k.Namespace != "" {
		name = k.Namespace + "/" + name
	}
	return strings.TrimSpace(k.Resource + " " + name)
}

// Crumb is where one is: in the resource and namespace that are listed, and in the
// opened object, which may not be there.
func (o *objects) Crumb() string {
	var q objectQuery
	if o.session.objects != nil {
		q = o.session.objects.query
	}
	crumbs := []string{q.resource, q.namespace}
	if q.of != "" {
		crumbs[0] = "relatives of " + o.nameOf(q.of)
	}
	if o.opened {
		name := cmp.Or(o.kept, o.table.selected)
		if k, ok := kube.ParseKey(o.input.Prefix, name); ok {
			if name = k.Name; q.resource == "" {
				name = k.Resource + "/" + name
			}
			if q.namespace == "" {
				crumbs[1] = k.Namespace
			}
		}
		crumbs = append(crumbs, name)
	}
	crumbs = slices.DeleteFunc(crumbs, func(s string) bool { return s == "" })
	return strings.Join(crumbs, " "+o.theme.crumb+" ")
}

func (o *objects) Update(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case press:
		cmd = o.press(msg)
	case atMsg:
		cmd = o.goTo(string(msg))
	case lookAtMsg:
		o.lookAt(msg)
	case namespaceMsg:
		q := o.session.wanted.query
		q.namespace = string(msg)
		cmd = o.ask(q)
	case cellsReadMsg:
		o.cellsRead(msg)
	case relatedMsg:
		cmd = o.relate(msg)
	case loadedDetailMsg:
		if msg.board == o.board && msg.asked == o.board.asked.Load() {
			o.setDetail(msg.lines)
		}
	case tickMsg:
		o.ticking = false
	case changedMsg:
		if o.kept != "" {
			o.table.selected = o.kept // to be selected again when it is there
		}
		cmd = o.board.Update(msg)
	case filterMsg:
		if o.coming.cells != nil {
			o.coming.cells.read.Store(0)
		}
		cmd = o.board.Update(msg)
	default:
		cmd = o.board.Update(msg)
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
	if l := o.shown.list; (listMsg{l.moment, l.query}) != o.session.wanted {
		return nil // it may be among those that are being listed
	}
	o.told = o.shown.list
	return say(safe(why))
}

// press does what a key asks for.
func (o *objects) press(msg press) tea.Cmd {
	switch msg.action {
	case inNamespace, goTo: // the shell's
		return nil
	case earlier, later, muchEarlier, muchLater, other:
		return o.scrub(msg.action)
	case historyOf:
		row, ok := o.table.row()
		if !ok {
			return nil
		}
		key := o.table.rows.name(row)
		return func() tea.Msg { return historyMsg{key: key} }
	case groupBy:
		o.grouped++
		if o.grouped == len(objectList{}.groups) {
			o.grouped = -1
		}
		o.reset()
		return o.refresh()
	case open:
		if group, ok := o.table.item().(*objectGroup); ok {
			return o.enter(*group)
		}
	case back:
		if !o.opened && len(o.table.marked) == 0 && o.table.order.words == "" {
			return o.out()
		}
	case toObject:
		if !o.opened || o.showing != wholeRead {
			o.openAt(wholeRead)
			o.toText = true
			return o.tell()
		}
		o.toggleObject()
		return nil
	case toDiff:
		o.openAt(o.nextReading())
		return o.tell()
	case unfold:
		o.look.noise = !o.look.noise
		return o.tell()
	case inColumns:
		o.look.beside = !o.look.beside
		return o.tell()
	case toRelated:
		return o.ask(objectQuery{of: o.table.selected})
	case asJSON:
		o.json = !o.json
		o.showing = wholeRead
		return o.tell()
	case decode:
		if o.decoded == o.table.selected {
			o.decoded = ""
		} else {
			o.decoded = o.table.selected
		}
		o.showing = wholeRead
		return o.tell()
	}
	cmd := o.board.press(msg)
	if !o.opened || msg.action == open {
		o.keep()
	}
	return cmd
}

// keep takes the selected row for the one that is looked at.
func (o *objects) keep() {
	if o.table.chosen && o.shown.grouped < 0 && o.kept != o.table.selected {
		o.kept, o.decoded, o.showing = o.table.selected, "", wholeRead
	}
}

// openAt opens the selected object, and shows something else of it.
func (o *objects) openAt(r objectReading) {
	o.opened, o.table.chosen = true, true
	o.keep()
	o.showing = r
	o.pager.rewind()
}

// nextReading is what comes after what is shown: the difference where there are two
// versions, the description, and the object again.
func (o *objects) nextReading() objectReading {
	_, why := o.versions()
	switch {
	case (!o.opened || o.showing == wholeRead) && why == "":
		return versionsRead
	case !o.opened || o.showing == wholeRead || o.showing == versionsRead && why == "":
		return descriptionRead
	}
	return wholeRead
}

// reset forgets what was selected and how it was sorted: other rows are to come.
func (o *objects) reset() {
	o.kept, o.decoded, o.showing, o.opened, o.table.chosen = "", "", wholeRead, false, false
	o.table.order = order{}
	clear(o.table.marked)
}

// ask lists other objects.
func (o *objects) ask(q objectQuery) tea.Cmd {
	at := o.session.wanted.moment
	o.reset()
	return func() tea.Msg { return listMsg{at, q} }
}

// lookAt opens an object among all that there were at a moment, once they are listed.
func (o *objects) lookAt(msg lookAtMsg) {
	o.grouped, o.from = -1, -1
	o.reset()
	o.kept, o.table.chosen, o.opened, o.showing, o.toText = msg.key, true, true, msg.reading, msg.toText
}

// enter lists the objects of a group.
func (o *objects) enter(g objectGroup) tea.Cmd {
	q := o.session.wanted.query
	o.from = o.grouped
	if g.about != nil {
		q.resource = g.name
	} else {
		q.namespace = g.name
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
		return o.refresh()
	}
	o.grouped, o.from = o.from, -1
	if q.of != "" {
		q.of = ""
	} else if q.resource != "" {
		q.resource = ""
	} else {
		q.namespace = ""
	}
	if o.grouped == 1 {
		q.namespace = ""
	}
	return o.ask(q)
}

// scrub goes to another moment.
func (o *objects) scrub(a action) tea.Cmd {
	at := o.session.wanted.moment
	s := o.session.side(at.side).Snapshot
	head := s.Revision()
	if at.revision == 0 {
		at.revision = head
	}
	const far = 100
	switch a {
	case earlier:
		at.revision--
	case later:
		at.revision++
	case muchEarlier:
		at.revision -= far
	case muchLater:
		at.revision += far
	case other:
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
		return say(err.Error())
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
	text := string(roles[at.side]) + ", " + what + count(revision)
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
		return slices.DeleteFunc(list, func(s string) bool { return len(s) > maxTyped || s != sanitize.Line(s) })
	}
	last := len(words) - 1
	switch {
	case last == 0:
		return typable(list.catalog.Complete(words[0]))
	case words[last-1] == "-n" || words[last-1] == "--namespace":
		return typable(startingWith(words[last], list.catalog.Namespaces()...))
	case strings.HasPrefix(words[last], "-"):
		return []string{"-A", "-l", "-n", "--at"}
	}
	return nil
}

// errUsage says what a command for objects may have.
var errUsage = errors.New("after a resource come a NAME, -n NAMESPACE, -A, -l SELECTOR, --at REVISION")

// objectCommand is a command for objects, as kubectl's get takes it.
type objectCommand struct {
	objectQuery
	name     string
	selector string
	at       string
}

// parseObjects reads the words of a command; ok is false where the first one is no
// resource of the catalog.
func parseObjects(c *resources.Catalog, words []string) (cmd objectCommand, ok bool, err error) {
	word, name, _ := strings.Cut(words[0], "/")
	resource := c.Lookup(word)
	if resource == nil {
		return cmd, false, nil
	}
	cmd.resource, cmd.name = resource.FullName(), name
	for i := 1; i < len(words); i++ {
		flag, value, given := strings.Cut(words[i], "=")
		to := map[string]*string{"-n": &cmd.namespace, "--namespace": &cmd.namespace, "-l": &cmd.selector, "--selector": &cmd.selector, "--at": &cmd.at}[flag]
		switch {
		case flag == "-A" || flag == "--all-namespaces":
			cmd.namespace = ""
		case to != nil && given:
			*to = value
		case to != nil:
			if i++; i == len(words) {
				return cmd, true, errUsage
			}
			*to = words[i]
		case strings.HasPrefix(flag, "-") || cmd.name != "":
			return cmd, true, errUsage
		default:
			cmd.name = words[i]
		}
	}
	if !resource.Namespaced {
		cmd.namespace = ""
	}
	return cmd, true, nil
}

// Command lists the objects of a resource, and opens one that is named.
func (o *objects) Command(words []string) (tea.Cmd, bool) {
	list := o.session.objects
	if list == nil {
		return nil, false
	}
	c, ok, err := parseObjects(list.catalog, words)
	if !ok {
		return nil, false
	}
	at := o.session.wanted.moment
	if err == nil && c.at != "" {
		at.revision, err = momentOf(c.at, o.session.side(at.side))
	}
	if err != nil {
		return say(err.Error()), true
	}
	o.grouped, o.from = -1, -1
	o.reset()
	if c.selector != "" {
		o.table.order.words = selector + c.selector
	}
	if c.name != "" {
		r := list.catalog.Lookup(c.resource)
		key := kube.Key{Group: r.Group, Resource: r.Name, Namespace: c.namespace, Name: c.name}
		if r.Namespaced && c.namespace == "" {
			o.table.order.words = c.name // of whichever namespace
		} else {
			o.kept, o.table.chosen, o.opened = key.Path(o.input.Prefix), true, true
		}
	}
	return func() tea.Msg { return listMsg{at, c.objectQuery} }, true
}

// Remember keeps what is listed, too, and nothing of what was opened.
func (o *objects) Remember() map[string]string {
	m := o.board.Remember()
	if o.session.objects != nil {
		q := o.session.objects.query
		for name, value := range map[string]string{"resource": q.resource, "namespace": q.namespace} {
			if value != "" {
				m[name] = value
			}
		}
	}
	return m
}

func (o *objects) Recall(m map[string]string) tea.Cmd {
	q := objectQuery{resource: m["resource"], namespace: m["namespace"]}
	cmd := o.board.Recall(m)
	if (q == objectQuery{}) {
		return cmd
	}
	return tea.Batch(cmd, func() tea.Msg { return listMsg{moment{side: current}, q} })
}

// listObjects lists the objects that a query finds at a moment. One that goes on
// already is ended.
func (m *model) listObjects(at moment, q objectQuery) tea.Cmd {
	if m.stopListing != nil {
		m.stopListing()
	}
	ctx, stop := context.WithCancel(m.ctx)
	m.stopListing, m.wanted = stop, listMsg{at, q}
	var before *resources.Catalog
	if was := m.objects; was != nil && was.side == at.side {
		before = was.catalog
	}
	side, prefix := m.side(at.side), m.input.Prefix
	return m.tasks.cmd(func() tea.Msg {
		o := &objectList{moment: at, query: q}
		err := o.read(ctx, side, prefix, before)
		if ctx.Err() != nil {
			return nil // the program ends, or something else was asked for
		}
		if err != nil {
			return objectsAtMsg{err: err}
		}
		return objectsAtMsg{objects: o}
	})
}

func (o *objectList) read(ctx context.Context, side *Side, prefix string, before *resources.Catalog) (err error) {
	s := side.Snapshot
	if o.view, err = s.At(o.revision); err != nil {
		return err
	}
	if side.State.Clock != nil {
		o.now = side.State.Clock.TimeOf(o.view.Revision())
	}
	if o.catalog, err = resources.NewCatalog(ctx, s, o.view, prefix, before); err != nil {
		return err
	}
	if o.query.of != "" {
		return o.readRelated(ctx, s, prefix)
	}
	start := ""
	if o.query.resource != "" {
		if o.resource = o.catalog.Lookup(o.query.resource); o.resource == nil {
			o.why = fmt.Sprintf("At this revision there is no resource %s: it is not built in, nothing defines it, and no key is of it.", quoted(o.query.resource))
			return nil
		}
		start = o.resource.Path(prefix, o.query.namespace)
	}
	n := 0
	for r := range o.view.Keys(start) {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if key, _ := o.catalog.Key(r.Key); o.lists(key) {
			o.list = append(o.list, listedObject{key, r})
		}
	}
	o.sum()
	o.why = o.emptyBecause()
	return nil
}

// readRelated lists the owners and the dependents of an object.
func (o *objectList) readRelated(ctx context.Context, s *snapshot.Snapshot, prefix string) error {
	key, _ := kube.ParseKey(prefix, o.query.of)
	o.why = titleOf(key) + " does not exist at this revision, or cannot be read."
	tree, err := relations.TreeOf(ctx, relations.State{Snapshot: s, View: o.view, Prefix: prefix, Catalog: o.catalog}, key)
	if err != nil {
		return ctx.Err()
	}
	for i := range tree.Relatives {
		if r := &tree.Relatives[i]; r.Presence == relations.Present || r.Presence == relations.Unreadable {
			o.list = append(o.list, listedObject{r.Key, r.Record})
		}
	}
	return nil
}

// lists says whether an object is of the query.
func (o *objectList) lists(key kube.Key) bool {
	return (o.query.namespace == "" || key.Namespace == o.query.namespace) &&
		(o.resource == nil || key.Resource == o.resource.Name && key.Group == o.resource.Group)
}

// sum counts the objects by what they have in common.
func (o *objectList) sum() {
	if o.resource != nil {
		return
	}
	groups := [2]map[string]*objectGroup{{}, {}}
	for i := range o.list {
		l := &o.list[i]
		r := o.catalog.Of(l.Key)
		names := [2]string{"", l.Namespace}
		if r != nil {
			names[0] = r.FullName()
		}
		for by, name := range names {
			if name == "" {
				continue
			}
			g := groups[by][name]
			if g == nil {
				g = &objectGroup{name: name}
				if by == 0 {
					g.about = r
				}
				groups[by][name] = g
			}
			g.objects++
			g.bytes += int64(l.record.Size)
		}
	}
	for by := range groups {
		for _, g := range groups[by] {
			o.groups[by] = append(o.groups[by], *g)
		}
		slices.SortFunc(o.groups[by], func(a, b objectGroup) int { return strings.Compare(a.name, b.name) })
	}
}

// emptyBecause says why there is no object.
func (o *objectList) emptyBecause() string {
	what := "There is no key"
	if o.resource != nil {
		what = "There are no " + o.resource.FullName()
	}
	if o.query.namespace != "" {
		what += " in the namespace " + quoted(o.query.namespace)
	}
	if o.resource != nil && o.query.namespace != "" && o.resource.Count > 0 {
		return fmt.Sprintf("%s at this revision; other namespaces have %s.", what, count(o.resource.Count))
	}
	return what + " at this revision."
}

// emptiness says why no object is listed and, where one was asked for, why that is
// not there.
func (o *objects) emptiness(l *objectList) string {
	why := o.absentIn(l)
	if why == "" {
		return l.why
	}
	lives := o.lives(l, o.kept)
	return why + ". " + sentence(strings.Join(lives, "; ")) + " " + l.why
}

// notes says beside the counts what is not to be seen, and how far reading is.
func (o *objects) notes() []string {
	t := o.theme
	var parts []string
	if why := o.absent(); why != "" {
		parts = append(parts, t.warning.paint(safe(why)))
	}
	if done, all := o.reading(); all > 0 {
		parts = append(parts, t.dim.paint(fmt.Sprintf("reading, %d %%", 100*done/all)))
	}
	return parts
}

// manyObjects is from how many on reading them all is told.
const manyObjects = 5000

// reading says how many objects have been read of those that sorting or filtering
// needs; all is 0 when nothing goes on, or not for long.
func (o *objects) reading() (done, all int64) {
	of := &o.coming
	if of.cells == nil || o.table.order == o.table.have && o.table.next == nil || len(of.list.list) < manyObjects {
		return 0, 0
	}
	all = int64(len(of.list.list))
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
