package widget

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
)

// Listing says what a board shows.
type Listing struct {
	Title   string // of what is listed, for messages and file names
	Noun    string // of a row, in the singular
	Columns []Column
	Sorted  string // the title of the column that is sorted by at first, "" for the first one
	// Of is what the rows are made of; nil while it is not there. Another one has
	// other rows.
	Of func() any
	// Rows makes them, for as long as Of is the same.
	Rows func() Rows
	// Empty says why there is no row at all.
	Empty func() string
	// Waiting says what is being done until the rows are there.
	Waiting string
	// Scope is what all rows have in common, as the person chose it, the widest first; nil for
	// nothing. Going back takes the last one away.
	Scope func() []string
	// Notes says what else there is to say beside the counts; nil for nothing.
	Notes func() []string
}

// Board lists rows and shows the selected one in detail: beside the list, below
// it, or in its place, as there is room.
type Board struct {
	ui *UI
	Listing
	Table  *Table
	Pager  Pager
	Lines  []string // of the detail
	Asked  *atomic.Int64
	Of     any // what the table shows, or will when it is arranged
	Place  Place
	Opened bool // keys go to the detail

	Width, height int
	lineWidth     int // columns of a line of the detail
}

// NewBoard makes a board that has no rows yet.
func NewBoard(u *UI, l Listing) *Board {
	b := &Board{ui: u, Listing: l, Table: NewTable(u, l.Columns...), Asked: new(atomic.Int64)}
	b.Table.First = max(slices.IndexFunc(l.Columns, func(c Column) bool { return c.Title == l.Sorted }), 0)
	b.Table.Order.By = b.Table.First
	return b
}

// LoadedDetailMsg brings the lines of a detail that had to be read.
type LoadedDetailMsg struct {
	Board *Board
	Asked int64
	Lines []string
}

// SetSize says how many columns and lines there are, and puts the detail where there is room.
func (b *Board) SetSize(width, height int) {
	b.Width, b.height = width, height
	switch {
	case b.ui.Theme.Plain:
		b.Place = InPlace
		b.Table.SetSize(width, height-1)
		b.Pager.Height = height - 1
	case width >= 150:
		b.Place = Beside
		b.Table.SetSize(b.Table.Beside(width), height-1)
		b.Pager.Height = height - 1
	case height >= 30:
		b.Place = Below
		b.Table.SetSize(width, b.listHeight()-1)
		b.Pager.Height = height - b.listHeight() - 1
	default:
		b.Place = InPlace
		b.Table.SetSize(width, height-1)
		b.Pager.Height = height - 1
	}
	b.lineWidth = b.Pager.Flow(b.detailWidth(), b.Place == InPlace)
	if b.Table.Rows.Detail != nil {
		b.Detail()
	}
}

// listHeight is half of the height, or what all rows take, if that is less: it does
// not change with what is filtered.
func (b *Board) listHeight() int {
	if b.Table.sorted == nil {
		return b.height / 2
	}
	return min(b.height/2, max(b.Table.Rows.Count+3, 8))
}

// DetailWidth is how many columns the lines of the detail have.
func (b *Board) DetailWidth() int { return b.lineWidth }

// detailWidth is how many columns there are for the detail, its margins left out.
func (b *Board) detailWidth() int {
	if b.Place == Beside {
		return b.Width - b.Table.Width - 4
	}
	return b.Width - 2
}

// Keys lists the actions that Update takes.
func (b *Board) Keys() keys.Set {
	k := keys.Set{}
	if b.Table.Rows.Links != nil {
		why := ""
		if b.links() == nil {
			why = "no object is selected"
		}
		k[keys.ToObject], k[keys.ToDiff], k[keys.HistoryOf] = why, why, why
	}
	if b.Opened {
		b.Pager.Actions(k, len(b.Lines))
		return k.Offer(keys.Leave, keys.Back, keys.CopyOut, keys.SaveOut)
	}
	b.Table.Actions(k)
	b.Table.Narrowing(k)
	k[keys.CopyOut], k[keys.SaveOut] = k[keys.Open], k[keys.Open]
	b.Table.Hiding(k)
	if slices.ContainsFunc(b.Table.Columns, func(c Column) bool { return c.Wide }) {
		k.Offer(keys.Widen)
	}
	return k
}

// CheckFilter says what is wrong with a filter.
func (b *Board) CheckFilter(text string) error { return b.Table.CheckFilter(text) }

// Columns are those that the table has.
func (b *Board) Columns() []Column { return b.Table.Columns }

// Location is the opened row.
func (b *Board) Location() string {
	if row, ok := b.Table.Row(); ok && b.Opened {
		return b.Table.Rows.Name(row)
	}
	return ""
}

// Export is the opened detail, or of an opened object its manifest, or the rows: to copy,
// what the marked or selected ones are called; to save, all that are shown, as a table.
func (b *Board) Export(save bool) Export {
	if row, ok := b.Table.Row(); ok && b.Opened && b.Table.Rows.Saved != nil {
		if e := b.Table.Rows.Saved(row); !e.None() {
			return e
		}
	}
	if b.Opened {
		return Export{What: b.Location(), File: FileName(b.Title+"-"+b.Location()) + ".txt", Text: draw.Flat(b.Lines)}
	}
	return b.Table.Export(save, b.Title, b.Noun)
}

// Remember keeps the filter and the order.
func (b *Board) Remember() map[string]string { return b.Table.Remember() }

// Recall goes back to what Remember has kept.
func (b *Board) Recall(m map[string]string) tea.Cmd { return b.Table.Recall(m) }

// Update takes every message. Rows are made again when what they are made of is another.
func (b *Board) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ArrangedMsg:
		if b.Table.Take(msg) {
			b.SetSize(b.Width, b.height)
			return b.Detail()
		}
	case LoadedDetailMsg:
		if msg.Board == b && msg.Asked == b.Asked.Load() {
			b.SetLines(msg.Lines)
		}
	case ThemeMsg:
		return b.Detail()
	case FilterMsg:
		return b.filter(string(msg))
	case NamespaceMsg:
		return b.Table.InNamespace(string(msg))
	case SearchMsg:
		b.Pager.Search(string(msg), b.Lines)
		return nil
	case keys.Press:
		return b.Press(msg)
	}
	return b.Refresh()
}

func (b *Board) filter(words string) tea.Cmd {
	o := b.Table.Order
	o.Words = words
	return b.Table.SetOrder(o)
}

// Refresh shows other rows when there are others.
func (b *Board) Refresh() tea.Cmd {
	of := b.Listing.Of()
	if of == nil || of == b.Of {
		return nil
	}
	b.Of = of
	return b.Table.SetRows(b.Rows())
}

// Press does what a key asks for.
func (b *Board) Press(msg keys.Press) tea.Cmd {
	switch msg.Action {
	case keys.Open:
		b.Table.Pinned = true
		b.Opened = true
		return b.Detail()
	case keys.Leave:
		b.Opened = false
	case keys.Back:
		if b.Opened {
			b.Opened = false
			return nil
		}
		return b.Table.Loosen()
	case keys.SortBy:
		return b.Table.SortBy(msg.Key)
	case keys.Widen:
		was := slices.Clone(b.Table.Widths)
		b.Table.wide = !b.Table.wide
		if b.Table.Layout(); slices.Equal(was, b.Table.Widths) {
			return Notify("there is no room for more columns")
		}
	case keys.Mark:
		b.Table.Pinned = true
		b.Table.Mark()
		return b.Detail()
	case keys.ShowAll:
		o := b.Table.Order
		o.All = !o.All
		return b.Table.SetOrder(o)
	case keys.ToObject, keys.ToDiff, keys.HistoryOf:
		if links := b.links(); links != nil {
			return links(msg.Action)
		}
	default:
		if b.Opened {
			b.Pager.Move(msg.Action, b.Lines)
			return nil
		}
		b.Table.Move(msg.Action)
		return b.Detail()
	}
	return nil
}

// links goes to what the selected row is of; nil where it is of no object.
func (b *Board) links() func(keys.Action) tea.Cmd {
	row, ok := b.Table.Row()
	if !ok || b.Table.Rows.Links == nil {
		return nil
	}
	return b.Table.Rows.Links(row)
}

// Detail makes the detail of the selected row.
func (b *Board) Detail() tea.Cmd {
	row, ok := b.Table.Row()
	if !ok {
		b.Lines, b.Opened = nil, false
		return nil
	}
	r := &b.Table.Rows
	if r.Load == nil {
		b.SetLines(r.Detail(row, b.DetailWidth()))
		return nil
	}
	if b.Place == InPlace && !b.Opened {
		return nil
	}
	asked, read := b.Asked.Add(1), r.Load(row, b.DetailWidth())
	return b.ui.Tasks.Cmd(func() tea.Msg {
		if b.Asked.Load() != asked {
			return nil // the person has moved on
		}
		return LoadedDetailMsg{b, asked, read()}
	})
}

// SetLines shows other lines as the detail.
func (b *Board) SetLines(lines []string) {
	if !slices.Equal(lines, b.Lines) {
		b.Lines = lines
		b.Pager.Rewind()
	}
}

// View draws the list and the detail.
func (b *Board) View() []string {
	t := b.ui.Theme
	switch b.Place {
	case Beside:
		if len(b.Lines) == 0 {
			return b.list()
		}
		edge := t.Dim
		if b.Opened {
			edge = t.Bold
		}
		return t.Beside(b.list(), b.text(), b.Table.Width, edge.Paint(" "+t.Column))
	case Below:
		lines := b.list()
		for len(lines) < b.listHeight() {
			lines = append(lines, "")
		}
		return append(lines, b.text()...)
	}
	if b.Opened {
		return b.text()
	}
	return b.list()
}

func (b *Board) text() []string {
	if len(b.Lines) == 0 {
		return nil
	}
	lines := b.Lines
	if b.Opened && b.Place != InPlace && b.Pager.Top == 0 {
		lines = slices.Clone(lines)
		lines[0] = b.ui.Theme.Focused(lines[0])
	}
	return b.Pager.Page(b.ui.Theme, lines, b.detailWidth())
}

func (b *Board) list() []string {
	t, width := b.ui.Theme, b.Table.Width
	lines := []string{" " + t.Cut(b.counts(), width-1)}
	if b.Table.Ready() && len(b.Table.Shown) == 0 {
		return append(append(lines, b.Table.Empty(), ""), draw.PaintAll(t.Dim, draw.Item("   ", b.why(), width-3))...)
	}
	return append(lines, b.Table.View(!b.Opened, false)...)
}

func (b *Board) counts() string {
	t := b.ui.Theme
	if b.Table.sorted == nil {
		waiting := t.Dim.Paint(b.Waiting + t.Ellipsis)
		if o := b.Table.Order; o.Words != "" {
			waiting += t.Dim.Paint(" "+t.Dot+" ") + "filter " + draw.Quoted(o.Words)
		}
		return waiting
	}
	parts := []string{t.Bold.Paint(fmt.Sprintf("%s of %s", words.Number(len(b.Table.Shown)), words.Count(b.Table.Rows.Count, b.Noun)))}
	if b.Scope != nil {
		for _, of := range b.Scope() {
			parts = append(parts, Chip(t, of))
		}
	}
	parts = append(parts, b.state()...)
	if about := b.Table.Rows.About; about != "" {
		parts = append(parts, draw.Safe(about))
	}
	if b.Notes != nil {
		parts = append(parts, b.Notes()...)
	}
	return strings.Join(parts, t.Dim.Paint(" "+t.Dot+" "))
}

// Chip is how what all rows have in common is shown.
func Chip(t *draw.Theme, text string) string { return t.Bold.Paint("[" + draw.Safe(text) + "]") }

// State says how the rows are filtered and marked, and what is hidden.
func (s *Table) State() []string {
	t, o := s.ui.Theme, s.Have
	var parts []string
	if len(s.Marked) > 0 {
		parts = append(parts, words.Number(len(s.Marked))+" marked")
	}
	if o.Namespace != "" {
		parts = append(parts, Chip(t, "namespace "+o.Namespace))
	}
	if o.Words != "" {
		parts = append(parts, "filter "+draw.Quoted(o.Words))
	}
	if by := o.By; s.sorted != nil && by < len(s.Widths) && s.Widths[by] == 0 {
		parts = append(parts, t.Dim.Paint("by "+strings.ToLower(s.Columns[by].Title)+" "+s.arrow()))
	}
	if s.problem != "" {
		parts = append(parts, t.Warning.Paint(draw.Safe(s.problem)))
	}
	if n := s.measures.minor; n > 0 && !o.All {
		parts = append(parts, t.Dim.Paint(fmt.Sprintf("%s %s hidden, %s shows them", words.Number(n), cmp.Or(s.Rows.Hidden, "that need no attention"), s.ui.Keymap.Key(keys.ShowAll))))
	}
	if text := s.foldedText(); text != "" {
		parts = append(parts, t.Dim.Paint(text))
	}
	return parts
}

// foldedText says what all rows have in the columns that are left out for that.
func (s *Table) foldedText() string {
	var all []string
	for _, i := range slices.Backward(s.folded) {
		cell := draw.Safe(sanitize.Short(s.each[i], draw.MostInCell*maxFolded))
		all = append(all, strings.ToLower(s.Columns[i].Title)+" "+s.ui.Theme.Cut(cmp.Or(strings.TrimPrefix(cell, "-"), "none"), maxFolded))
	}
	if len(all) == 0 {
		return ""
	}
	return "all rows: " + strings.Join(all, ", ")
}

// maxFolded is how many columns a cell takes that is said of all rows.
const maxFolded = 24

func (b *Board) state() []string { return b.Table.State() }

// why says why no row is shown.
func (b *Board) why() string {
	if b.Table.Rows.Groups && b.Table.Have.Words != "" {
		return b.noMatch() + fmt.Sprintf(" These rows are counts: %s goes on to what they count.", b.ui.Keymap.Key(keys.GroupBy))
	}
	return b.noMatch()
}

func (b *Board) noMatch() string {
	o := b.Table.Have
	switch {
	case b.Table.Rows.Count == 0:
		return b.Empty()
	case o.Namespace != "" && o.Words == "":
		return fmt.Sprintf("None of the %s is in the namespace %s. %s shows all namespaces.", words.Count(b.Table.Rows.Count, b.Noun), draw.Quoted(o.Namespace), b.ui.Keymap.Key(keys.Back))
	case o.Words != "" && !o.All && b.Table.Rows.Hidden != "":
		return fmt.Sprintf("None of what is shown matches %s. %s looks among those, too, %s; %s clears the filter.", draw.Quoted(o.Words), b.ui.Keymap.Key(keys.ShowAll), b.Table.Rows.Hidden, b.ui.Keymap.Key(keys.Back))
	case o.Words != "" && !o.All && b.Table.Rows.Minor != nil:
		return fmt.Sprintf("None that needs attention matches %s. %s looks among the others, too; %s clears the filter.", draw.Quoted(o.Words), b.ui.Keymap.Key(keys.ShowAll), b.ui.Keymap.Key(keys.Back))
	case o.Words != "":
		return fmt.Sprintf("None matches %s. %s clears the filter.", draw.Quoted(o.Words), b.ui.Keymap.Key(keys.Back))
	}
	if hidden := b.Table.Rows.Hidden; hidden != "" {
		return fmt.Sprintf("There are only %s %s. %s shows them.", words.Count(b.Table.Rows.Count, b.Noun), hidden, b.ui.Keymap.Key(keys.ShowAll))
	}
	return fmt.Sprintf("None of the %s needs attention. %s shows them all.", words.Count(b.Table.Rows.Count, b.Noun), b.ui.Keymap.Key(keys.ShowAll))
}

// Place is where the detail is.
type Place int

const (
	InPlace Place = iota // of the list, when opened
	Beside
	Below
)
