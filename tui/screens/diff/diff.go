package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/diff"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen shows what differs between two moments: resources, the namespaces of
// one, the objects in one of these, and their fields.
type Screen struct {
	*session.Session
	*widget.Board
	level    *level             // shown, or will be when it is arranged; nil until the moments are compared
	asked    [2]session.Moment  // the moments, as they were asked for last
	request  int                // counts what was asked for
	stop     func()             // what was asked for before
	done     int                // objects read of those that changed
	total    int                // 0 while keys are compared
	look     shared.ChangesLook // of fields
	lastRead atomic.Pointer[readDifference]
	height   int
}

// level is a place in the tree of one comparison.
type level struct {
	of        [2]session.Moment
	all       *diff.Comparison
	depth     int    // 0 resources, 1 namespaces, 2 objects
	resource  string // of depth 1 and 2
	namespace string // of depth 2
	flat      bool   // the objects of all groups, at depth 0 and 1
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

// New makes the screen.
func New(s *session.Session) session.Screen {
	d := &Screen{Session: s, asked: whole(s), look: shared.ChangesLook{Unfold: s.Keymap.Key(keys.Unfold)}}
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
		Scope: d.scope,
	})
	return d
}

// Wake compares the first two moments, the first time.
func (d *Screen) Wake() tea.Cmd {
	if d.request > 0 {
		return nil
	}
	return d.compare(d.asked[0], d.asked[1])
}

// SetSize says how many columns and lines there are.
func (d *Screen) SetSize(width, height int) {
	d.height = height
	d.Board.SetSize(width, height-len(d.head(width)))
	d.redraw()
}

// warnings say what the comparison cannot know.
func (d *Screen) warnings(width int) []string {
	if d.level == nil {
		return nil
	}
	var lines []string
	for _, w := range d.level.all.Warnings {
		lines = append(lines, draw.PaintAll(d.Theme.Warning, draw.Wrap(w, width-2))...)
	}
	return lines
}

// Keys lists the actions that Update takes.
func (d *Screen) Keys() keys.Set {
	k := d.Board.Keys()
	delete(k, keys.ShowAll)
	if d.level == nil {
		return k
	}
	k.Offer(keys.Unfold, keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater, keys.GoTo)
	d.Ends(k, d.asked[0])
	k[keys.Other] = d.Input.Alone()
	if d.level.depth > 0 || d.level.flat {
		k.Offer(keys.Back)
	}
	if !d.Opened {
		k.Offer(keys.GroupBy)
		if d.level.depth == 2 {
			k[keys.GroupBy] = "these are objects of one resource already"
		}
	}
	why := ""
	if _, ok := d.object(); !ok {
		why = "no object is selected"
	}
	k[keys.HistoryOf], k[keys.InColumns], k[keys.ToDiff], k[keys.ToObject] = why, why, why, why
	if why == "" && d.DetailWidth() < shared.SideBySide {
		k[keys.InColumns] = fmt.Sprintf("needs %d columns, and there are %d", shared.SideBySide, d.DetailWidth())
	}
	return k
}

// selected is what the selected row is of. Rows of a level that was left, which stay
// until the next one's are arranged, are gone.
func (d *Screen) selected() (placed, bool) {
	row, ok := d.Table.Row()
	if !ok || d.Table.Rows.Item == nil {
		return placed{}, false
	}
	p, ok := d.Table.Rows.Item(row).(placed)
	return p, ok && p.level == d.level
}

// object is the place of the selected object in the comparison.
func (d *Screen) object() (int, bool) {
	p, ok := d.selected()
	return p.place, ok && p.group == nil
}

// Update takes a press of one of Keys, and every message.
func (d *Screen) Update(msg tea.Msg) tea.Cmd {
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
	case session.AtMsg:
		return d.goTo(string(msg))
	case keys.Press:
		if cmd, ok := d.press(msg); ok {
			return cmd
		}
	}
	return d.Board.Update(msg)
}

// press does what a board does not.
func (d *Screen) press(p keys.Press) (tea.Cmd, bool) {
	switch p.Action {
	case keys.Open:
		p, ok := d.selected()
		if ok && p.group != nil {
			return d.into(p.group), true
		}
		return nil, !ok
	case keys.Back:
		if d.Opened || d.Table.Narrowed() || d.level == nil || d.level.depth == 0 && !d.level.flat {
			return nil, false
		}
		return d.out(), true
	case keys.GroupBy:
		next, was := *d.level, d.Table.Order
		next.flat = !next.flat
		d.place(next, "")
		d.Table.Order.Words, d.Table.Order.Namespace = was.Words, was.Namespace
		return d.Refresh(), true
	case keys.Unfold:
		d.look.Noise = !d.look.Noise
		d.redraw()
		o := d.Table.Order
		o.All = d.look.Noise
		return tea.Batch(d.Table.SetOrder(o), d.look.Said()), true
	case keys.InColumns:
		d.look.Beside = !d.look.Beside
		if d.Place == widget.InPlace && !d.Opened {
			d.Opened = true
			return d.Detail(), true
		}
		d.redraw()
		return d.look.SaidBeside(), true
	case keys.ToDiff:
		if d.Opened {
			return widget.Notify("this is the difference"), true
		}
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
func (d *Screen) goOn(a keys.Action, o *diff.Object) tea.Cmd {
	if a == keys.HistoryOf {
		return func() tea.Msg { return session.HistoryMsg{Key: o.Key} }
	}
	at := d.level.of[1]
	if o.After == 0 {
		at = d.level.of[0]
	}
	return session.Visit("objects", session.LookAtMsg{Moment: at, Key: o.Key, ToText: true})
}

// into goes to the namespaces of a resource, or to the objects in one.
func (d *Screen) into(g *diff.Group) tea.Cmd {
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
func (d *Screen) out() tea.Cmd {
	if d.level.flat {
		next := *d.level
		next.flat = false
		return d.to(next, "")
	}
	next := level{of: d.level.of, all: d.level.all}
	selected := d.level.resource
	if g := groupNamed(next.all.Within, d.level.resource); d.level.depth == 2 && g != nil && len(g.Within) > 1 {
		next.depth, next.resource = 1, d.level.resource
		selected = d.level.namespace
	}
	return d.to(next, selected)
}

// to shows a level, with a row selected.
func (d *Screen) to(next level, selected string) tea.Cmd {
	d.place(next, selected)
	return d.Refresh()
}

// place has a level shown next, and forgets what was selected and how it was sorted.
func (d *Screen) place(next level, selected string) {
	d.level, d.Of = &next, d.level
	d.Opened = false
	d.Table.Pinned, d.Table.Selected = selected != "", selected
	d.Table.Order = widget.Order{All: d.Table.Order.All}
	clear(d.Table.Marked)
}

// Location is the way down the tree.
func (d *Screen) Location() string {
	if d.level == nil {
		return ""
	}
	var parts []string
	parts = append(parts, d.scope()...)
	if d.level.flat {
		parts = append(parts, "all objects")
	}
	if place, ok := d.object(); ok && d.Opened {
		parts = append(parts, d.level.all.Name(place).Name)
	}
	return strings.Join(parts, " "+d.Theme.Crumb+" ")
}

// scope is what all that is listed has in common: a resource, and a namespace.
func (d *Screen) scope() (parts []string) {
	if d.level == nil || d.level.depth == 0 {
		return nil
	}
	parts = []string{cmp.Or(d.level.resource, shared.OtherKeys)}
	if d.level.depth == 2 && d.level.namespace != "" {
		parts = append(parts, d.level.namespace)
	}
	return parts
}

const keepColumns = "side by side"

// Remember keeps how differences are drawn, beside what a table keeps.
func (d *Screen) Remember() map[string]string {
	m := d.Board.Remember()
	if d.look.Beside {
		m[keepColumns] = "yes"
	}
	return m
}

// Recall goes back to what Remember has kept.
func (d *Screen) Recall(m map[string]string) tea.Cmd {
	d.look.Noise, d.look.Beside = m[widget.KeepAll] != "", m[keepColumns] != ""
	return d.Board.Recall(m)
}

// Takes says whether it is :diff.
func (d *Screen) Takes(words []string) bool { return words[0] == "diff" }

// Command compares what is named: :diff 500 900, :diff backup current@900.
func (d *Screen) Command(words []string) (tea.Cmd, bool) {
	if words[0] != "diff" {
		return nil, false
	}
	return d.between(words[1:]), true
}

// Complete lists what a moment may begin with.
func (d *Screen) Complete(words []string) []string {
	if words[0] != "diff" || len(words) == 1 || len(words) > 3 {
		return nil
	}
	if d.Input.Alone() != "" {
		return nil
	}
	list := []string{"backup", "current", "backup@", "current@"}
	if d.Input.Series != nil {
		list = append(list, d.Input.Series.Names()...)
	}
	return widget.StartingWith(words[len(words)-1], list...)
}

// nothing says why there is no row.
func (d *Screen) nothing() string {
	if d.level == nil {
		return ""
	}
	if d.level.depth > 0 && !d.level.flat {
		return "Nothing differs here between the two moments."
	}
	text := fmt.Sprintf("Nothing differs between the two moments: %s are the same.", words.Count(d.level.all.Same, "object"))
	if len(d.level.all.Warnings) > 0 {
		text += " That is so for what could be read."
	}
	return text
}

// View draws it.
func (d *Screen) View() []string {
	return append(d.head(d.Width), d.Board.View()...)
}

// Click is what a click asks for.
func (d *Screen) Click(x, y int) (keys.Press, bool) {
	return d.Board.Click(x, y-len(d.head(d.Width)))
}

// head is the moments, the counts, and what the comparison cannot know.
func (d *Screen) head(width int) []string {
	t := d.Theme
	lines := []string{t.Cut(d.moments(width-2), width-1), t.Cut(d.summary(), width-1)}
	lines = append(lines, draw.PaintAll(t.Dim, draw.Wrap(d.noise(), width-2))...)
	return draw.Margin(append(lines, d.warnings(width)...))
}

// moments names the two, as long as there is room for.
func (d *Screen) moments(width int) string {
	of := d.asked
	if d.level != nil {
		of = d.level.of
	}
	text := fmt.Sprintf("%s  %s  %s", d.MomentText(of[0]), d.Theme.Arrow, d.MomentText(of[1]))
	if ansi.StringWidth(text) > width {
		text = fmt.Sprintf("%s  %s  %s", d.shortMoment(of[0]), d.Theme.Arrow, d.shortMoment(of[1]))
	}
	if d.level != nil && d.asked != d.level.of {
		text += "  comparing others" + d.Theme.Ellipsis
	}
	return text
}

func (d *Screen) shortMoment(at session.Moment) string {
	return strings.Split(d.MomentText(at), ", 2")[0]
}

// summary counts everything that differs.
func (d *Screen) summary() string {
	t := d.Theme
	if d.level == nil {
		return t.Dim.Paint("comparing" + t.Ellipsis)
	}
	c := d.level.all
	parts := []string{words.Number(c.Same) + " the same"}
	for _, f := range []diff.Fate{diff.Changed, diff.Recreated, diff.Removed, diff.Added} {
		parts = append(parts, words.Number(c.Counts[f])+" "+f.String())
	}
	slices.Reverse(parts)
	return strings.Join(parts, t.Dim.Paint(" "+t.Dot+" "))
}

// noise says of how many objects nothing but noise differs, and which.
func (d *Screen) noise() string {
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
	case d.look.Noise:
		return fmt.Sprintf("%s in noise only, shown: %s", differ(n), c.Group.Noise)
	}
	return fmt.Sprintf("%s in noise only, folded: %s", differ(n), c.Group.Noise)
}

func differ(n int) string { return words.Count(n, "object") + " differ" + draw.Singular(n) }
