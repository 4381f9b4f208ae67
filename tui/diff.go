package tui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/diff"
	lists "revenant/analyzer/objects"
	"revenant/decoder/kube"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// differences shows what differs between two moments: resources, the namespaces of
// one, the objects in one of these, and their fields.
type differences struct {
	*session
	*widget.Board
	level    *level      // shown, or will be when it is arranged; nil until the moments are compared
	asked    [2]moment   // the moments, as they were asked for last
	request  int         // counts what was asked for
	stop     func()      // what was asked for before
	done     int         // objects read of those that changed
	total    int         // 0 while keys are compared
	look     changesLook // of fields
	lastRead atomic.Pointer[readDifference]
	height   int
}

// level is a place in the tree of one comparison.
type level struct {
	of        [2]moment
	all       *diff.Comparison
	depth     int    // 0 resources, 1 namespaces, 2 objects
	resource  string // of depth 1 and 2
	namespace string // of depth 2
	flat      bool   // the objects of all resources, at depth 2
}

// readDifference is an object that was read.
type readDifference struct {
	level *level
	place int // in the comparison
	diff.Difference
}

// placed is what a row of a level is of.
type placed struct {
	level *level
	group *diff.Group // or else
	place int         // of an object in the comparison
}

// Messages of the commands that compare.
type (
	comparedMsg struct {
		to         *differences
		request    int
		of         [2]moment
		comparison *diff.Comparison
		err        error
	}
	siftingMsg struct {
		to          *differences
		request     int
		done, total int
		next        tea.Cmd
	}
)

func newDifferences(s *session) screen {
	d := &differences{session: s, asked: [2]moment{{side: backup}, {side: current}}, look: changesLook{unfold: s.Keymap.Key(keys.Unfold)}}
	d.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "diff", Noun: "row", Waiting: "comparing", Columns: groupColumns("RESOURCE"),
		Of: func() any {
			if d.level == nil {
				return nil
			}
			return d.level
		},
		Rows:  func() widget.Rows { return d.rows(d.level) },
		Empty: func() string { return d.nothing() },
	})
	return d
}

// Wake compares the backup with the current snapshot, the first time.
func (d *differences) Wake() tea.Cmd {
	if d.request > 0 {
		return nil
	}
	return d.compare(d.asked[0], d.asked[1])
}

func (d *differences) SetSize(width, height int) {
	d.height = height
	d.Board.SetSize(width, height-len(d.head(width)))
	d.redraw()
}

// warnings say what the comparison cannot know.
func (d *differences) warnings(width int) []string {
	if d.level == nil {
		return nil
	}
	var lines []string
	for _, w := range d.level.all.Warnings {
		lines = append(lines, draw.PaintAll(d.Theme.Warning, draw.Wrap(w, width-2))...)
	}
	return lines
}

func (d *differences) Keys() keys.Set {
	k := d.Board.Keys()
	delete(k, keys.ShowAll)
	if d.level == nil {
		return k
	}
	k.Offer(keys.Unfold, keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater, keys.GoTo, keys.Other)
	if d.level.depth > 0 {
		k.Offer(keys.Back)
	}
	if !d.Opened {
		k.Offer(keys.GroupBy)
	}
	why := ""
	if _, ok := d.object(); !ok {
		why = "no object is selected"
	}
	k[keys.HistoryOf], k[keys.InColumns], k[keys.ToDiff], k[keys.ToObject] = why, why, why, why
	if why == "" && d.DetailWidth() < sideBySide {
		k[keys.InColumns] = fmt.Sprintf("needs %d columns, and there are %d", sideBySide, d.DetailWidth())
	}
	return k
}

// selected is what the selected row is of. Rows of a level that was left, which stay
// until the next one's are arranged, are nothing any more.
func (d *differences) selected() (placed, bool) {
	row, ok := d.Table.Row()
	if !ok || d.Table.Rows.Item == nil {
		return placed{}, false
	}
	p, ok := d.Table.Rows.Item(row).(placed)
	return p, ok && p.level == d.level
}

// object is the place of the selected object in the comparison.
func (d *differences) object() (int, bool) {
	p, ok := d.selected()
	return p.place, ok && p.group == nil
}

func (d *differences) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case comparedMsg:
		if msg.to == d && msg.request == d.request {
			return d.compared(msg)
		}
		return nil
	case siftingMsg:
		if msg.to == d && msg.request == d.request {
			d.done, d.total = msg.done, msg.total
			return msg.next
		}
		return nil
	case atMsg:
		return d.goTo(string(msg))
	case keys.Press:
		if cmd, ok := d.press(msg); ok {
			return cmd
		}
	}
	return d.Board.Update(msg)
}

// press does what a board does not.
func (d *differences) press(p keys.Press) (tea.Cmd, bool) {
	switch p.Action {
	case keys.Open:
		p, ok := d.selected()
		if ok && p.group != nil {
			return d.into(p.group), true
		}
		return nil, !ok
	case keys.Back:
		if d.Opened || len(d.Table.Marked) > 0 || d.Table.Order.Words != "" || d.level == nil || d.level.depth == 0 {
			return nil, false
		}
		return d.out(), true
	case keys.GroupBy:
		flat := !d.level.flat
		next := level{of: d.level.of, all: d.level.all, flat: flat}
		if flat {
			next.depth = 2
		}
		return d.to(next, ""), true
	case keys.Unfold:
		d.look.noise = !d.look.noise
		d.redraw()
		o := d.Table.Order
		o.All = d.look.noise
		return d.Table.SetOrder(o), true
	case keys.InColumns:
		d.look.beside = !d.look.beside
		if d.Place == widget.InPlace && !d.Opened {
			d.Opened = true
			return d.Detail(), true
		}
		d.redraw()
	case keys.ToDiff:
		return d.Board.Press(keys.Press{Action: keys.Open}), true
	case keys.ToObject, keys.HistoryOf:
		if place, ok := d.object(); ok {
			return d.goOn(p.Action, &d.level.all.Objects[place]), true
		}
	case keys.Other:
		return d.turn(), true
	case keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater:
		return d.scrub(p.Action), true
	default:
		return nil, false
	}
	return nil, true
}

// goOn goes to an object as it is at the second of the moments, or at the first where
// it was removed, or to its history.
func (d *differences) goOn(a keys.Action, o *diff.Object) tea.Cmd {
	if a == keys.HistoryOf {
		return func() tea.Msg { return historyMsg{key: o.Key} }
	}
	at := d.level.of[1]
	if o.After == 0 {
		at = d.level.of[0]
	}
	return visit("objects", lookAtMsg{moment: at, key: o.Key, toText: true})
}

// into goes to the namespaces of a resource, or to the objects in one.
func (d *differences) into(g *diff.Group) tea.Cmd {
	next := *d.level
	switch {
	case next.depth == 0 && len(g.Within) > 1:
		next.depth, next.resource = 1, g.Name
	case next.depth == 0:
		next.depth, next.resource, next.namespace = 2, g.Name, g.Within[0].Name
	default:
		next.depth, next.namespace = 2, g.Name
	}
	return d.to(next, "")
}

// out goes back to what was selected before.
func (d *differences) out() tea.Cmd {
	next := level{of: d.level.of, all: d.level.all}
	selected := d.level.resource
	if g := groupNamed(next.all.Within, d.level.resource); d.level.depth == 2 && g != nil && len(g.Within) > 1 {
		next.depth, next.resource = 1, d.level.resource
		selected = d.level.namespace
	}
	return d.to(next, selected)
}

// to shows a level, with a row selected.
func (d *differences) to(next level, selected string) tea.Cmd {
	d.level, d.Of = &next, d.level
	d.Opened = false
	d.Table.Pinned, d.Table.Selected = selected != "", selected
	d.Table.Order.By, d.Table.Order.Reverse, d.Table.Order.Words = 0, false, ""
	clear(d.Table.Marked)
	return d.Refresh()
}

// Crumb is the way down the tree.
func (d *differences) Crumb() string {
	if d.level == nil {
		return ""
	}
	var parts []string
	switch {
	case d.level.flat:
		parts = []string{"all objects"}
	case d.level.depth > 0:
		parts = []string{cmp.Or(d.level.resource, otherKeys)}
		if d.level.depth == 2 && d.level.namespace != "" {
			parts = append(parts, d.level.namespace)
		}
	}
	if place, ok := d.object(); ok && d.Opened {
		parts = append(parts, d.level.all.Name(place).Name)
	}
	return strings.Join(parts, " "+d.Theme.Crumb+" ")
}

// otherKeys stands for the resource of keys that are of no API object.
const otherKeys = "other keys"

const keepColumns = "side by side"

// Remember keeps how differences are drawn, beside what a table keeps.
func (d *differences) Remember() map[string]string {
	m := d.Board.Remember()
	if d.look.beside {
		m[keepColumns] = "yes"
	}
	return m
}

func (d *differences) Recall(m map[string]string) tea.Cmd {
	d.look.noise, d.look.beside = m[widget.KeepAll] != "", m[keepColumns] != ""
	return d.Board.Recall(m)
}

// Command compares what is named: :diff 500 900, :diff backup current@900.
func (d *differences) Command(words []string) (tea.Cmd, bool) {
	if words[0] != "diff" {
		return nil, false
	}
	return d.between(words[1:]), true
}

func (d *differences) Complete(words []string) []string {
	if words[0] != "diff" || len(words) == 1 || len(words) > 3 {
		return nil
	}
	return []string{"backup", "current", "backup@", "current@"}
}

// between compares two moments that were named, or one with the newest of the current
// snapshot.
func (d *differences) between(words []string) tea.Cmd {
	if len(words) == 0 || len(words) > 2 {
		return widget.Notify("one or two moments are needed: a revision or a time, of the current snapshot or of the one before an @: diff 500 900, diff backup@300")
	}
	moments := [2]moment{{side: current}, {side: current}}
	for i, word := range words {
		var err error
		if moments[i], err = d.sideMoment(word, current); err != nil {
			return widget.Notify(draw.Safe(err.Error()))
		}
	}
	return d.compare(moments[0], moments[1])
}

// goTo takes another moment in place of the earlier of the two, which the ruler's keys
// move too, or two others.
func (d *differences) goTo(text string) tea.Cmd {
	moments, err := d.typedMoments(text)
	if err != nil {
		return widget.Notify(draw.Safe(err.Error()))
	}
	return d.compare(moments[0], moments[1])
}

func (d *differences) typedMoments(text string) ([2]moment, error) {
	moments := d.asked
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > 2 {
		words = []string{text}
	}
	if _, err := d.sideMoment(text, d.asked[0].side); err == nil {
		words = []string{text} // a time may have a blank in it
	}
	for i, word := range words {
		var err error
		if moments[i], err = d.sideMoment(word, d.asked[i].side); err != nil {
			return moments, err
		}
	}
	return moments, nil
}

// CheckMoment says what is wrong with moments as they were typed.
func (d *differences) CheckMoment(text string) error {
	_, err := d.typedMoments(text)
	return err
}

// turn goes from the two snapshots to all that is kept of the one, then of the other.
func (d *differences) turn() tea.Cmd {
	within := func(side int) tea.Cmd {
		return d.compare(moment{side, max(d.side(side).Snapshot.CompactRevision(), 1)}, moment{side: side})
	}
	switch a := d.asked; {
	case a[0].side != a[1].side:
		return within(backup)
	case a[0].side == backup:
		return within(current)
	}
	return d.compare(moment{side: backup}, moment{side: current})
}

// scrub moves the earlier of the two moments.
func (d *differences) scrub(a keys.Action) tea.Cmd {
	from := d.asked[0]
	s := d.side(from.side).Snapshot
	if from.revision == 0 {
		from.revision = s.Revision()
	}
	from.revision += map[keys.Action]int64{keys.Earlier: -1, keys.Later: 1, keys.MuchEarlier: -100, keys.MuchLater: 100}[a]
	from.revision = max(min(from.revision, s.Revision()), s.CompactRevision(), 1)
	return d.compare(from, d.asked[1])
}

// compare tells two moments apart, and then sifts the noise out of what differs. What
// is on screen stays until it is there.
func (d *differences) compare(from, to moment) tea.Cmd {
	if d.stop != nil {
		d.stop()
	}
	ctx, stop := context.WithCancel(d.ctx)
	d.stop = stop
	d.request++
	d.asked, d.done, d.total = [2]moment{from, to}, 0, 0
	request, of := d.request, d.asked
	before, after := diff.State{Snapshot: d.side(from.side).Snapshot, Revision: from.revision}, diff.State{Snapshot: d.side(to.side).Snapshot, Revision: to.revision}
	opts := diff.Options{Prefix: d.input.Prefix, Common: d.input.Lineage.CommonUpTo()}
	return d.Tasks.Cmd(func() tea.Msg {
		c, err := diff.Compare(ctx, before, after, opts)
		if ctx.Err() != nil {
			return nil // something else was asked for, or the program ends
		}
		return comparedMsg{d, request, of, c, err}
	})
}

// compared takes a comparison over.
func (d *differences) compared(msg comparedMsg) tea.Cmd {
	if msg.err != nil {
		if d.level != nil {
			d.asked = d.level.of
		}
		return widget.Notify(draw.Safe(msg.err.Error()))
	}
	next := level{of: msg.of, all: msg.comparison}
	if d.level != nil { // where one was
		next.depth, next.resource, next.namespace, next.flat = d.level.depth, d.level.resource, d.level.namespace, d.level.flat
	}
	d.level = &next
	d.SetSize(d.Width, d.height)
	cmd := d.Refresh()
	if msg.comparison.Sifted {
		return cmd
	}
	return tea.Batch(cmd, d.sift(msg))
}

// sift sets apart of which objects nothing but noise differs, some at a time.
func (d *differences) sift(msg comparedMsg) tea.Cmd {
	d.stop() // what compared them is done
	ctx, stop := context.WithCancel(d.ctx)
	d.stop = stop
	return d.siftOn(ctx, msg, msg.comparison.Sifting())
}

// siftedAtOnce is how many objects are read before progress is shown: some tenths of
// a second.
const siftedAtOnce = 2000

func (d *differences) siftOn(ctx context.Context, msg comparedMsg, s *diff.Sifting) tea.Cmd {
	return d.Tasks.Cmd(func() tea.Msg {
		c, err := s.Next(ctx, siftedAtOnce)
		switch {
		case err != nil:
			return nil // something else was asked for, or the program ends
		case c == nil:
			return siftingMsg{d, msg.request, s.Done, s.Total, d.siftOn(ctx, msg, s)}
		}
		return comparedMsg{d, msg.request, msg.of, c, nil}
	})
}

func groupNamed(list []diff.Group, name string) *diff.Group {
	i, ok := slices.BinarySearchFunc(list, name, func(g diff.Group, name string) int { return strings.Compare(g.Name, name) })
	if !ok {
		return nil
	}
	return &list[i]
}

// rows makes those of a level.
func (d *differences) rows(l *level) widget.Rows {
	resource := groupNamed(l.all.Within, l.resource)
	switch {
	case l.flat:
		places := make([]int32, len(l.all.Objects))
		for i := range places {
			places[i] = int32(i)
		}
		return d.objectRows(l, places)
	case l.depth == 0:
		return d.groupRows(l, "RESOURCE", l.all.Within)
	case resource == nil:
		return d.objectRows(l, nil)
	case l.depth == 1:
		return d.groupRows(l, "NAMESPACE", resource.Within)
	}
	if space := groupNamed(resource.Within, l.namespace); space != nil {
		return d.objectRows(l, space.Objects)
	}
	return d.objectRows(l, nil)
}

// The columns of groups.
const (
	groupName = iota
	groupAdded
	groupRemoved
	groupRecreated
	groupChanged
	groupNoise
)

func groupColumns(title string) []widget.Column {
	return []widget.Column{
		{Title: title, Key: "N", Min: 20, Max: 60},
		{Title: "ADDED", Key: "A", Min: 7, Right: true},
		{Title: "REMOVED", Key: "R", Min: 9, Right: true},
		{Title: "RECREATED", Key: "E", Min: 11, Right: true},
		{Title: "CHANGED", Key: "C", Min: 9, Right: true},
		{Title: "NOISE ONLY", Key: "O", Min: 12, Drop: 1, Right: true},
	}
}

// groupFates are the fates that columns of groups count.
var groupFates = map[int]diff.Fate{groupAdded: diff.Added, groupRemoved: diff.Removed, groupRecreated: diff.Recreated, groupChanged: diff.Changed, groupNoise: diff.Quiet}

func (d *differences) groupRows(l *level, title string, list []diff.Group) widget.Rows {
	name := func(row int) string {
		switch {
		case list[row].Name != "":
			return list[row].Name
		case title == "RESOURCE":
			return otherKeys
		}
		return "-"
	}
	return widget.Rows{
		Columns: groupColumns(title),
		Count:   len(list),
		Cell: func(row, column int) string {
			if column == groupName {
				return name(row)
			}
			return draw.ZeroAsDash(list[row].Counts[groupFates[column]])
		},
		Compare: func(a, b, column int) int {
			if column == groupName {
				return strings.Compare(list[a].Name, list[b].Name)
			}
			return cmp.Compare(list[b].Counts[groupFates[column]], list[a].Counts[groupFates[column]])
		},
		Minor:  func(row int) bool { return list[row].Counts[diff.Quiet] == list[row].Total() },
		Hidden: "with noise only",
		Id:     func(row int) string { return list[row].Name },
		Copied: name,
		Item:   func(row int) any { return placed{level: l, group: &list[row]} },
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			if list[row].Unread > 0 {
				return t.Warning, t.MarkWarning
			}
			return "", " "
		},
		Detail: func(row, width int) []string { return d.groupDetail(l, name(row), &list[row], width) },
	}
}

// maxListed is how many rows of a group its detail names.
const maxListed = 300

// groupDetail lists what is in a group.
func (d *differences) groupDetail(l *level, name string, g *diff.Group, width int) []string {
	t := d.Theme
	lines := []string{t.Heading(draw.Safe(name), width)}
	lines = append(lines, draw.Wrap(d.tally(g), width)...)
	if g.Unread > 0 {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap(draw.Plural(g.Unread, "object")+" could not be read in full and count as changed.", width))...)
	}
	lines = append(lines, "")
	if len(g.Within) > 1 {
		for i := range g.Within[:min(len(g.Within), maxListed)] {
			w := &g.Within[i]
			lines = append(lines, draw.Indent(t.Fit(draw.OrDash(draw.Safe(w.Name)), 24)+"  ", d.tally(w), width)...)
		}
		return andMore(t, lines, len(g.Within))
	}
	places := g.Objects
	if len(g.Within) == 1 {
		places = g.Within[0].Objects
	}
	n := 0
	for _, place := range places {
		o := &l.all.Objects[place]
		if o.Fate == diff.Quiet && !d.look.noise {
			continue
		}
		if n++; n <= maxListed {
			lines = append(lines, t.Cut(fateMarks[o.Fate]+" "+draw.Safe(l.all.Name(int(place)).Name), width))
		}
	}
	return andMore(t, lines, n)
}

func andMore(t *draw.Theme, lines []string, n int) []string {
	if n > maxListed {
		lines = append(lines, t.Dim.Paint("and "+draw.Count(n-maxListed)+" more"))
	}
	return lines
}

// tally counts in words.
func (d *differences) tally(g *diff.Group) string {
	var parts []string
	for _, f := range []diff.Fate{diff.Added, diff.Removed, diff.Recreated, diff.Changed} {
		if n := g.Counts[f]; n > 0 {
			parts = append(parts, draw.Count(n)+" "+f.String())
		}
	}
	if n := g.Counts[diff.Quiet]; n > 0 {
		text := draw.Count(n) + " noise only"
		if len(parts) == 0 || g.Noise != 0 {
			text += " (" + g.Noise.String() + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// fateMarks are those of objects.
var fateMarks = map[diff.Fate]string{diff.Added: "+", diff.Removed: "-", diff.Recreated: "=", diff.Changed: "~", diff.Quiet: " "}

// The columns of objects.
const (
	differsWhat = iota
	differsResource
	differsNamespace
	differsName
	differsBefore
	differsAfter
	differsNote
)

func (d *differences) objectRows(l *level, places []int32) widget.Rows {
	c := l.all
	at := func(row int) *diff.Object { return &c.Objects[places[row]] }
	key := func(row int) kube.Key { return c.Name(int(places[row])) }
	columns := []widget.Column{
		{Title: "WHAT", Key: "S", Min: 10},
		{Title: "RESOURCE", Key: "R", Min: 12, Max: 44},
		{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
		{Title: "NAME", Key: "N", Min: 16, Max: 70},
		{Title: "BEFORE", Key: "B", Min: 8, Right: true},
		{Title: "AFTER", Key: "A", Min: 8, Right: true},
		{Title: "NOISE", Min: 5, Max: 40, Drop: 1},
	}
	shown := []int{differsWhat, differsResource, differsNamespace, differsName, differsBefore, differsAfter, differsNote}
	if !l.flat {
		shown = slices.Delete(shown, differsResource, differsNamespace+1)
	}
	var chosen []widget.Column
	for _, i := range shown {
		chosen = append(chosen, columns[i])
	}
	return widget.Rows{
		Columns: chosen,
		Count:   len(places),
		Cell: func(row, column int) string {
			o := at(row)
			switch shown[column] {
			case differsWhat:
				return o.Fate.String()
			case differsResource:
				return cmp.Or(lists.ResourceName(key(row)), otherKeys)
			case differsNamespace:
				return draw.OrDash(key(row).Namespace)
			case differsName:
				return key(row).Name
			case differsBefore:
				return revisionOrDash(o.Before)
			case differsAfter:
				return revisionOrDash(o.After)
			}
			if o.Problem != "" {
				return "not read in full"
			}
			return draw.OrDash(o.Noise.String())
		},
		Compare: func(a, b, column int) int {
			x, y := at(a), at(b)
			switch shown[column] {
			case differsWhat:
				return cmp.Compare(x.Fate, y.Fate)
			case differsNamespace:
				return strings.Compare(key(a).Namespace, key(b).Namespace)
			case differsName:
				return strings.Compare(lastPart(x.Key), lastPart(y.Key))
			case differsBefore:
				return cmp.Compare(y.Before, x.Before)
			case differsAfter:
				return cmp.Compare(y.After, x.After)
			}
			return strings.Compare(x.Key, y.Key)
		},
		Minor:  func(row int) bool { return at(row).Fate == diff.Quiet },
		Hidden: "with noise only",
		Id:     func(row int) string { return at(row).Key },
		Copied: func(row int) string {
			k := key(row)
			if k.Namespace == "" {
				return k.Name
			}
			return k.Namespace + "/" + k.Name
		},
		Item: func(row int) any { return placed{level: l, place: int(places[row])} },
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			if at(row).Problem != "" {
				return t.Warning, t.MarkWarning
			}
			return "", fateMarks[at(row).Fate]
		},
		Load: func(row, width int) func() []string {
			place, look, t := int(places[row]), d.look, d.Theme
			return func() []string {
				r := &readDifference{l, place, c.Difference(place)}
				d.lastRead.Store(r)
				return d.tellDifference(t, r, look, width)
			}
		},
	}
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

func revisionOrDash(revision int64) string {
	if revision == 0 {
		return "-"
	}
	return draw.Count(revision)
}

// redraw draws what was read last, if it is what is selected.
func (d *differences) redraw() {
	r := d.lastRead.Load()
	if r == nil || r.level != d.level || d.Of != any(d.level) {
		return
	}
	if place, ok := d.object(); ok && place == r.place {
		d.SetLines(d.tellDifference(d.Theme, r, d.look, d.DetailWidth()))
	}
}

// tellDifference tells what differs in an object.
func (d *differences) tellDifference(t *draw.Theme, r *readDifference, look changesLook, width int) []string {
	c := r.level.all
	o, k := &c.Objects[r.place], c.Name(r.place)
	name := k.Name
	if k.Name != o.Key {
		name = lists.ResourceName(k) + " " + k.Namespace + "/" + k.Name
	}
	lines := []string{t.Heading(strings.Replace(draw.Safe(name), " /", " ", 1)+": "+o.Fate.String(), width)}
	lines = append(lines, t.Facts(width, "before", d.written(r.level.of[0], o.Before), "after", d.written(r.level.of[1], o.After))...)
	if r.Recreated {
		lines = append(lines, draw.Wrap("Deleted and created anew: another object of the same name.", width)...)
	}
	if r.Problem != "" {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap("Not read in full, so that more may differ: "+r.Problem, width))...)
	}
	look.whole = o.Before == 0 || o.After == 0
	return append(append(lines, ""), changes(t, r.Changes, look, width)...)
}

// written says which revision a state of an object is of, and when it was written.
func (d *differences) written(at moment, revision int64) string {
	if revision == 0 {
		return "does not exist in the " + sides[at.side] + " then"
	}
	text := "revision " + draw.Count(revision) + " in the " + sides[at.side]
	if c := d.side(at.side).State.Clock; c != nil {
		text += ", " + brief(c.TimeOf(revision))
	}
	return text
}

// nothing says why there is no row.
func (d *differences) nothing() string {
	if d.level == nil {
		return ""
	}
	if d.level.depth > 0 && !d.level.flat {
		return "Nothing differs here between the two moments."
	}
	text := fmt.Sprintf("Nothing differs between the two moments: %s are the same.", draw.Plural(d.level.all.Same, "object"))
	if len(d.level.all.Warnings) > 0 {
		text += " That is so for what could be read."
	}
	return text
}

func (d *differences) View() []string {
	return append(d.head(d.Width), d.Board.View()...)
}

// head is the moments, the counts, and what the comparison cannot know.
func (d *differences) head(width int) []string {
	t := d.Theme
	lines := []string{t.Cut(d.moments(width-2), width-1), t.Cut(d.summary(), width-1)}
	lines = append(lines, draw.PaintAll(t.Dim, draw.Wrap(d.noise(), width-2))...)
	return draw.Margin(append(lines, d.warnings(width)...))
}

// moments names the two, as long as there is room for.
func (d *differences) moments(width int) string {
	of := d.asked
	if d.level != nil {
		of = d.level.of
	}
	text := fmt.Sprintf("%s  %s  %s", d.momentText(of[0]), d.Theme.Arrow, d.momentText(of[1]))
	if ansi.StringWidth(text) > width {
		text = fmt.Sprintf("%s  %s  %s", d.shortMoment(of[0]), d.Theme.Arrow, d.shortMoment(of[1]))
	}
	if d.level != nil && d.asked != d.level.of {
		text += "  comparing others" + d.Theme.Ellipsis
	}
	return text
}

func (d *differences) shortMoment(at moment) string {
	return strings.Split(d.momentText(at), ", 2")[0]
}

// summary counts everything that differs.
func (d *differences) summary() string {
	t := d.Theme
	if d.level == nil {
		return t.Dim.Paint("comparing" + t.Ellipsis)
	}
	c := d.level.all
	parts := []string{draw.Count(c.Same) + " the same"}
	for _, f := range []diff.Fate{diff.Changed, diff.Recreated, diff.Removed, diff.Added} {
		parts = append(parts, draw.Count(c.Counts[f])+" "+f.String())
	}
	slices.Reverse(parts)
	return strings.Join(parts, t.Dim.Paint(" "+t.Dot+" "))
}

// noise says of how many objects nothing but noise differs, and which.
func (d *differences) noise() string {
	if d.level == nil {
		return ""
	}
	c := d.level.all
	n := c.Counts[diff.Quiet]
	switch {
	case !c.Sifted && d.total == 0:
		return "reading what changed for noise" + d.Theme.Ellipsis
	case !c.Sifted:
		return fmt.Sprintf("reading what changed for noise: %d %%", d.done*100/d.total)
	case n == 0:
		return "no object differs in noise only"
	case d.look.noise:
		return fmt.Sprintf("%s in noise only, shown: %s", differ(n), c.Group.Noise)
	}
	return fmt.Sprintf("%s in noise only, folded: %s", differ(n), c.Group.Noise)
}

func differ(n int) string { return draw.Plural(n, "object") + " differ" + draw.Singular(n) }
