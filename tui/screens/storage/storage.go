package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/storage"
	"revenant/decoder/kube"
	"revenant/internal/words"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen shows what takes the space of a snapshot: groups of keys, keys, leases, and
// the parts of the file.
type Screen struct {
	*session.Session
	*widget.Board
	at     spaceAt // asked for
	trail  []spaceFrom
	sums   map[spaceRead]*storage.Storage
	leases map[int]*storage.Leases // by source, as far as they are read
	asked  map[spaceRead]bool
	part   spaceRead // asked for last of those that are not of all keys
	stop   func()    // ends that
}

// spaceAt is what is shown.
type spaceAt struct {
	side   int
	view   spaceView
	within spaceWithin
}

// spaceFrom is where one came from, with the row that was selected there.
type spaceFrom struct {
	spaceAt
	selected string
}

// spaceWithin are the keys that count: all, those of a resource, in a namespace, or
// both. The names may be empty, as for keys that name no object.
type spaceWithin struct {
	ofResource, inNamespace bool
	resource, namespace     string
}

// names are those of the resource and of the namespace.
func (w spaceWithin) names() (list []string) {
	if w.ofResource {
		list = append(list, cmp.Or(w.resource, shared.OtherKeys))
	}
	if w.inNamespace {
		list = append(list, cmp.Or(w.namespace, noNamespace))
	}
	return list
}

func (w spaceWithin) holds(k kube.Key) bool {
	return (!w.ofResource || k.Plural() == w.resource) && (!w.inNamespace || k.Namespace == w.namespace)
}

// spaceRead is something that a command reads.
type spaceRead struct {
	side   int
	within spaceWithin
	leases bool
}

// spaceReadMsg brings it.
type spaceReadMsg struct {
	of     spaceRead
	sums   *storage.Storage
	leases *storage.Leases
}

// spaceShown is what rows are made of.
type spaceShown struct {
	spaceAt
	sums   *storage.Storage
	leases *storage.Leases // of the view of leases
}

// spaceItem is what a row is of.
type spaceItem struct {
	shown spaceShown
	group *storage.Group // or else
	key   *storage.Key   // or neither
}

// spaceView is a way to look at it.
type spaceView int

const (
	byResource spaceView = iota
	byNamespace
	byWeight
	bySize
	byChurn
	byLease
	byPart
	byBucket
	spaceViews
)

var spaceViewNames = [spaceViews]string{
	"by resource", "by namespace", "the heaviest keys", "the largest objects", "the most rewritten keys", "leases of etcd", "parts of the file", "buckets",
}

// spaceSorted are the columns that the views are sorted by at first.
var spaceSorted = [spaceViews]string{"BYTES", "BYTES", "BYTES", "LIVE", "REVISIONS", "GRANTED FOR", "PART", "BYTES"}

// of says whether there is this view of some keys: groups need several, and leases and
// the file are not told apart by key.
func (v spaceView) of(w spaceWithin) bool {
	switch v {
	case byResource:
		return !w.ofResource
	case byNamespace:
		return !w.inNamespace
	case byWeight, bySize, byChurn:
		return true
	}
	return w == spaceWithin{}
}

// How many keys each list has at most, and how many of a group are named beside it.
const (
	mostKeys  = 10_000
	mostOfOne = 10
)

// New makes the screen.
func New(s *session.Session) session.Screen {
	p := &Screen{Session: s, at: spaceAt{side: s.Input.Current}, leases: map[int]*storage.Leases{}, sums: map[spaceRead]*storage.Storage{}, asked: map[spaceRead]bool{}}
	p.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "storage", Noun: "row", Waiting: "adding up",
		Of: func() any {
			if shown, ok := p.now(); ok {
				return shown
			}
			return nil
		},
		Rows: func() widget.Rows {
			shown, _ := p.now()
			return p.rowsOf(shown)
		},
		Empty: func() string { return p.nothing() },
		Scope: func() []string { return p.at.within.names() },
		Notes: p.notes,
	})
	p.to(p.at, "")
	p.Table.Columns = p.columnsOf(p.at.view)
	p.Table.Widths = make([]int, len(p.Table.Columns))
	return p
}

// now is what is to be shown; ok is false until it is read.
func (p *Screen) now() (shown spaceShown, ok bool) {
	shown = spaceShown{spaceAt: p.at, sums: p.sums[spaceRead{side: p.at.side, within: p.at.within}]}
	if p.at.view == byLease {
		shown.leases = p.leases[p.at.side]
		ok = shown.leases != nil
	}
	return shown, shown.sums != nil && (ok || p.at.view != byLease)
}

// Wake reads what is shown, as far as that was not done already.
func (p *Screen) Wake() tea.Cmd {
	cmds := []tea.Cmd{p.read(spaceRead{side: p.at.side}), p.read(spaceRead{side: p.at.side, within: p.at.within})}
	if p.at.view == byLease {
		cmds = append(cmds, p.read(spaceRead{side: p.at.side, leases: true}))
	}
	return tea.Batch(cmds...)
}

// read adds up what some keys take, or reads the leases. Of what is not of all keys
// only the last is kept.
func (p *Screen) read(of spaceRead) tea.Cmd {
	if p.asked[of] {
		return nil
	}
	p.asked[of] = true
	ctx := p.Ctx
	o := storage.Options{Prefix: p.Input.Prefix, Top: mostKeys, TopOf: mostOfOne}
	if of.within != (spaceWithin{}) {
		if p.stop != nil {
			p.stop()
			delete(p.asked, p.part)
			delete(p.sums, p.part)
		}
		ctx, p.stop = context.WithCancel(ctx)
		p.part, o.Within = of, of.within.holds
	}
	s := p.Source(of.side).Snapshot
	return p.Tasks.Cmd(func() tea.Msg {
		msg := spaceReadMsg{of: of}
		var err error
		if of.leases {
			msg.leases, err = storage.LeasesOf(ctx, s, o.Prefix)
		} else {
			msg.sums, err = storage.Of(ctx, s, o)
		}
		if err != nil {
			return nil // something else was asked for, or the program ends
		}
		return msg
	})
}

// headLines is how many lines head takes.
const headLines = 3

// SetSize says how many columns and lines there are.
func (p *Screen) SetSize(width, height int) {
	p.Board.SetSize(width, height-headLines)
}

// Keys lists the actions that Update takes.
func (p *Screen) Keys() keys.Set {
	k := p.Board.Keys()
	k[keys.Other] = p.Input.Alone()
	if p.Opened && p.selected().group != nil {
		k.Offer(keys.Open)
	}
	if !p.Opened {
		k.Offer(keys.GroupBy)
		if len(p.trail) > 0 {
			k.Offer(keys.Back)
		}
	}
	return k
}

// selected is what the selected row is of. Rows that are on screen until others are
// there are gone.
func (p *Screen) selected() spaceItem {
	item, ok := p.Table.Item().(spaceItem)
	if shown, there := p.now(); !ok || !there || item.shown != shown {
		return spaceItem{}
	}
	return item
}

// Update takes a press of one of Keys, and every message.
func (p *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case spaceReadMsg:
		if !p.asked[msg.of] {
			return nil
		}
		if msg.leases != nil {
			p.leases[msg.of.side] = msg.leases
		} else {
			p.sums[msg.of] = msg.sums
		}
	case keys.Press:
		if cmd, done := p.press(msg); done {
			return cmd
		}
	}
	return p.Board.Update(msg)
}

// press does what a board does not.
func (p *Screen) press(msg keys.Press) (cmd tea.Cmd, done bool) {
	switch msg.Action {
	case keys.Open:
		if g := p.selected().group; g != nil && p.Opened {
			return p.into(g), true
		}
		return nil, false
	case keys.Back:
		if p.Opened || p.Table.Narrowed() || len(p.trail) == 0 {
			return nil, false
		}
		last := len(p.trail) - 1
		from := p.trail[last]
		p.trail = p.trail[:last]
		return p.to(spaceAt{p.at.side, from.view, from.within}, from.selected), true
	case keys.GroupBy:
		next := p.at
		for next.view = (next.view + 1) % spaceViews; !next.view.of(next.within); {
			next.view = (next.view + 1) % spaceViews
		}
		was := p.Table.Order
		p.turn(next, "")
		p.Table.Order.Words, p.Table.Order.Namespace = was.Words, was.Namespace
		return p.Refresh(), true
	case keys.Other:
		p.at.side = p.Input.Other(p.at.side)
		return p.Refresh(), true
	}
	return nil, false
}

// into goes from a resource to its keys, and from a namespace to its resources.
func (p *Screen) into(g *storage.Group) tea.Cmd {
	p.trail = append(p.trail, spaceFrom{p.at, g.Name})
	next := p.at
	if p.at.view == byResource {
		next.within.ofResource, next.within.resource, next.view = true, g.Name, byWeight
	} else {
		next.within.inNamespace, next.within.namespace, next.view = true, g.Name, byResource
		if next.within.ofResource {
			next.view = byWeight
		}
	}
	return p.to(next, "")
}

// to shows something else, with a row selected.
func (p *Screen) to(at spaceAt, selected string) tea.Cmd {
	p.turn(at, selected)
	return p.Refresh()
}

// turn forgets what was selected and how it was sorted.
func (p *Screen) turn(at spaceAt, selected string) {
	p.at, p.Opened = at, false
	p.Table.Pinned, p.Table.Selected = selected != "", selected
	columns := p.columnsOf(at.view)
	p.Table.Order = widget.Order{By: slices.IndexFunc(columns, func(c widget.Column) bool { return c.Title == spaceSorted[at.view] })}
	clear(p.Table.Marked)
}

// columnsOf are the columns of a view.
func (p *Screen) columnsOf(v spaceView) []widget.Column {
	empty := spaceShown{spaceAt: spaceAt{view: v}, sums: &storage.Storage{}, leases: &storage.Leases{}}
	return p.rowsOf(empty).Columns
}

// Location is where one is.
func (p *Screen) Location() string {
	parts := p.at.within.names()
	name := p.Board.Location()
	if k := p.selected().key; k != nil && name != "" {
		name = keyTitle(k)
	}
	if name != "" {
		parts = append(parts, name)
	}
	return strings.Join(parts, " "+p.Theme.Crumb+" ")
}

// noNamespace stands for the namespace of what is in none.
const noNamespace = "no namespace"

const keepView = "view"

// Remember keeps the view, beside what a table keeps.
func (p *Screen) Remember() map[string]string {
	m := p.Board.Remember()
	m[widget.KeepSort] = cmp.Or(m[widget.KeepSort], p.Table.Columns[0].Title)
	if m[widget.KeepSort] == spaceSorted[p.at.view] {
		delete(m, widget.KeepSort)
	}
	if p.at.view != byResource {
		m[keepView] = spaceViewNames[p.at.view]
	}
	return m
}

// Recall goes back to what Remember has kept.
func (p *Screen) Recall(m map[string]string) tea.Cmd {
	at := p.at
	if v := slices.Index(spaceViewNames[:], m[keepView]); v >= 0 {
		at.view = spaceView(v)
	}
	p.to(at, "")
	title, reverse := strings.CutPrefix(m[widget.KeepSort], "-")
	if by := slices.IndexFunc(p.columnsOf(at.view), func(c widget.Column) bool { return c.Title == title }); by >= 0 {
		p.Table.Order.By, p.Table.Order.Reverse = by, reverse
	}
	p.Table.Order.Words = m[widget.KeepFilter]
	p.Of = nil
	return p.Refresh()
}

// notes says beside the counts that what was asked for is not there yet.
func (p *Screen) notes() []string {
	if _, ok := p.now(); ok {
		return nil
	}
	return []string{p.Theme.Dim.Paint(p.Waiting + p.Theme.Ellipsis)}
}

// nothing says why there is no row.
func (p *Screen) nothing() string {
	switch l := p.leases[p.at.side]; {
	case p.at.view == byLease && l.Missing > 0:
		return "No lease is granted in this snapshot, although " + words.Count(l.Missing, "key") + " hang on one: an etcd that starts drops it from them."
	case p.at.view == byLease:
		return "No lease is granted in this snapshot: nothing in it is deleted by a lease that runs out."
	case p.at.view == byBucket:
		return "No bucket of this file can be read."
	case p.at.within != spaceWithin{}:
		text := "The " + p.Input.Title(p.at.side) + " holds no such key"
		if p.Input.Alone() == "" {
			text += "; " + p.Keymap.Key(keys.Other) + " looks in the other snapshot"
		}
		return text + "."
	case p.at.view == bySize:
		return "No key exists in this snapshot."
	}
	return "This snapshot holds no key."
}

// View draws it.
func (p *Screen) View() []string { return append(p.head(p.Width), p.Board.View()...) }

// Click is what a click asks for.
func (p *Screen) Click(x, y int) (keys.Press, bool) {
	return p.Board.Click(x, y-len(p.head(p.Width)))
}

// Place is what is shown.
func (p *Screen) Place() (any, string) { return p.at, p.Table.Order.Words }

// Return shows what was shown.
func (p *Screen) Return(place any, filter string) tea.Cmd {
	p.trail = nil
	p.turn(place.(spaceAt), "")
	p.Table.Order.Words = filter
	return p.Refresh()
}

// head says in headLines what the file is made of.
func (p *Screen) head(width int) []string {
	t := p.Theme
	lines := []string{" " + t.Cut(p.MomentText(session.Moment{Source: p.at.side}), width-1)}
	whole := p.sums[spaceRead{side: p.at.side}]
	if whole == nil {
		return append(lines, " "+t.Dim.Paint(p.Waiting+t.Ellipsis), "")
	}
	f := &whole.File
	lines[0] = " " + t.Cut(fmt.Sprintf("%s %s %s", p.MomentText(session.Moment{Source: p.at.side}), t.Dot, words.Size(f.Size)), width-1)
	live, history := bytesFor(f, storage.LiveRecords), bytesFor(f, storage.HistoryRecords)
	areas := []struct {
		glyph, name string
		bytes       int64
	}{
		{t.Kept, "live", live}, {t.Undone, "history", history},
		{t.Compacted, "other", f.Size - live - history - f.Defrag}, {t.Seen, "free", f.Defrag},
	}
	var strip, legend strings.Builder
	sum, drawn := int64(0), 0
	for _, a := range areas {
		sum += a.bytes
		to := int(max(min(float64(sum)/float64(max(f.Size, 1)), 1), 0) * float64(width-2))
		strip.WriteString(strings.Repeat(a.glyph, max(to-drawn, 0)))
		drawn = max(to, drawn)
		if legend.Len() > 0 {
			legend.WriteString("  ")
		}
		if !t.Plain {
			legend.WriteString(a.glyph + " ")
		}
		legend.WriteString(a.name + " " + words.Size(a.bytes))
	}
	if t.Plain {
		return append(lines, legend.String(), "")
	}
	return append(lines, " "+strip.String(), " "+t.Dim.Paint(t.Cut(legend.String(), width-2)))
}
