package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// listing says what a board shows.
type listing struct {
	title   string // of what is listed, for messages and file names
	noun    string // of a row, in the singular
	columns []column
	// of is what the rows are made of; nil while it is not there. Another one has
	// other rows.
	of func() any
	// rows makes them, for as long as of is the same.
	rows func() rows
	// empty says why there is no row at all.
	empty func() string
	// waiting says what is being done until the rows are there.
	waiting string
	// notes says what else there is to say beside the counts; nil for nothing.
	notes func() []string
}

// board lists rows and shows the selected one in detail: beside the list, below
// it, or in its place, as there is room.
type board struct {
	ui *ui
	listing
	table  *table
	pager  pager
	lines  []string // of the detail
	asked  *atomic.Int64
	of     any // what the table shows, or will when it is arranged
	place  place
	opened bool // keys go to the detail

	width, height int
}

func newBoard(u *ui, l listing) *board {
	return &board{ui: u, listing: l, table: newTable(u, l.columns...), asked: new(atomic.Int64)}
}

// loadedDetailMsg brings the lines of a detail that had to be read.
type loadedDetailMsg struct {
	board *board
	asked int64
	lines []string
}

func (b *board) SetSize(width, height int) {
	b.width, b.height = width, height
	switch {
	case b.ui.theme.plain:
		b.place = inPlace
		b.table.setSize(width, height-1)
		b.pager.height = height - 1
	case width >= 150:
		b.place = beside
		b.table.setSize(width/2, height-1)
		b.pager.height = height - 1
	case height >= 30:
		b.place = below
		b.table.setSize(width, b.listHeight()-1)
		b.pager.height = height - b.listHeight() - 1
	default:
		b.place = inPlace
		b.table.setSize(width, height-1)
		b.pager.height = height - 1
	}
	if b.table.rows.detail != nil {
		b.tell()
	}
}

// listHeight is half of the height, or what all rows take, if that is less: it does
// not change with what is filtered.
func (b *board) listHeight() int {
	if b.table.sorted == nil {
		return b.height / 2
	}
	return min(b.height/2, max(b.table.rows.count+3, 8))
}

func (b *board) detailWidth() int {
	if b.place == beside {
		return b.width - b.width/2 - 4
	}
	return b.width - 2
}

func (b *board) Keys() keys {
	k := keys{}
	if b.table.rows.links != nil {
		why := ""
		if b.links() == nil {
			why = "no object is selected"
		}
		k[toObject], k[toDiff], k[historyOf] = why, why, why
	}
	if b.opened {
		b.pager.moves(k, len(b.lines))
		return k.offer(leave, back, copyOut, saveOut)
	}
	b.table.moves(k)
	k.offer(filterBy, sortBy)
	k[copyOut], k[saveOut] = k[open], k[open]
	if b.table.rows.minor != nil {
		k.offer(showAll)
	}
	if slices.ContainsFunc(b.table.columns, func(c column) bool { return c.wide }) {
		k.offer(widen)
	}
	if b.table.order.words != "" || len(b.table.marked) > 0 {
		k.offer(back)
	}
	return k
}

// Columns are those that the table has.
func (b *board) Columns() []column { return b.table.columns }

// Crumb is the opened row.
func (b *board) Crumb() string {
	if row, ok := b.table.row(); ok && b.opened {
		return b.table.rows.name(row)
	}
	return ""
}

// Take is the opened detail, or of an opened object its manifest, or the rows: to copy,
// what the marked or selected ones are called; to save, all that are shown, as a table.
func (b *board) Take(save bool) excerpt {
	if row, ok := b.table.row(); ok && b.opened && b.table.rows.saved != nil {
		if e := b.table.rows.saved(row); !e.none() {
			return e
		}
	}
	if b.opened {
		return excerpt{what: b.Crumb(), file: fileName(b.title+"-"+b.Crumb()) + ".txt", text: flat(b.lines)}
	}
	return b.table.take(save, b.title, b.noun)
}

// Remember keeps the filter and the order.
func (b *board) Remember() map[string]string { return b.table.remember() }

func (b *board) Recall(m map[string]string) tea.Cmd { return b.table.recall(m) }

func (b *board) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case arrangedMsg:
		if b.table.arranged(msg) {
			b.SetSize(b.width, b.height)
			return b.tell()
		}
	case loadedDetailMsg:
		if msg.board == b && msg.asked == b.asked.Load() {
			b.setLines(msg.lines)
		}
	case themedMsg:
		return b.tell()
	case filterMsg:
		return b.filter(string(msg))
	case searchMsg:
		b.pager.search(string(msg), b.lines)
		return nil
	case press:
		return b.press(msg)
	}
	return b.refresh()
}

func (b *board) filter(words string) tea.Cmd {
	o := b.table.order
	o.words = words
	return b.table.setOrder(o)
}

// refresh shows other rows when there are others.
func (b *board) refresh() tea.Cmd {
	of := b.listing.of()
	if of == nil || of == b.of {
		return nil
	}
	b.of = of
	return b.table.setRows(b.rows())
}

func (b *board) press(msg press) tea.Cmd {
	switch msg.action {
	case open:
		b.table.chosen = true
		b.opened = true
		return b.tell()
	case leave:
		b.opened = false
	case back:
		switch {
		case b.opened:
			b.opened = false
		case len(b.table.marked) > 0:
			clear(b.table.marked)
		default:
			return b.filter("")
		}
	case sortBy:
		return b.table.sortBy(msg.key)
	case widen:
		b.table.wide = !b.table.wide
		b.table.layout()
	case mark:
		b.table.chosen = true
		b.table.mark()
		return b.tell()
	case showAll:
		o := b.table.order
		o.all = !o.all
		return b.table.setOrder(o)
	case toObject, toDiff, historyOf:
		if links := b.links(); links != nil {
			return links(msg.action)
		}
	default:
		if b.opened {
			b.pager.move(msg.action, b.lines)
			return nil
		}
		b.table.move(msg.action)
		return b.tell()
	}
	return nil
}

// links goes to what the selected row is of; nil where it is of no object.
func (b *board) links() func(action) tea.Cmd {
	row, ok := b.table.row()
	if !ok || b.table.rows.links == nil {
		return nil
	}
	return b.table.rows.links(row)
}

// tell makes the detail of the selected row.
func (b *board) tell() tea.Cmd {
	row, ok := b.table.row()
	if !ok {
		b.lines, b.opened = nil, false
		return nil
	}
	r := &b.table.rows
	if r.load == nil {
		b.setLines(r.detail(row, b.detailWidth()))
		return nil
	}
	if b.place == inPlace && !b.opened {
		return nil
	}
	asked, read := b.asked.Add(1), r.load(row, b.detailWidth())
	return b.ui.tasks.cmd(func() tea.Msg {
		if b.asked.Load() != asked {
			return nil // the person has moved on
		}
		return loadedDetailMsg{b, asked, read()}
	})
}

func (b *board) setLines(lines []string) {
	if !slices.Equal(lines, b.lines) {
		b.lines = lines
		b.pager.rewind()
	}
}

func (b *board) View() []string {
	t := b.ui.theme
	switch b.place {
	case beside:
		if len(b.lines) == 0 {
			return b.list()
		}
		edge := t.dim
		if b.opened {
			edge = t.bold
		}
		return t.beside(b.list(), b.text(), b.width/2, edge.paint(" "+t.column))
	case below:
		lines := b.list()
		for len(lines) < b.listHeight() {
			lines = append(lines, "")
		}
		return append(lines, b.text()...)
	}
	if b.opened {
		return b.text()
	}
	return b.list()
}

func (b *board) text() []string {
	if len(b.lines) == 0 {
		return nil
	}
	lines := b.lines
	if b.opened && b.place != inPlace && b.pager.top == 0 {
		lines = slices.Clone(lines)
		lines[0] = b.ui.theme.focused(lines[0])
	}
	return b.pager.page(b.ui.theme, lines, b.detailWidth())
}

// focused is a heading of what keys go to.
func (t *theme) focused(heading string) string {
	title := strings.TrimSpace(strings.Trim(strings.TrimSpace(ansi.Strip(heading)), t.line))
	return (t.selected + t.bold).paint(" " + title + " ")
}

func (b *board) list() []string {
	t, width := b.ui.theme, b.table.width
	lines := []string{" " + t.cut(b.counts(), width-1)}
	if b.table.ready() && len(b.table.shown) == 0 {
		return append(append(lines, ""), paintAll(t.dim, item("   ", b.why(), width-3))...)
	}
	return append(lines, b.table.view(!b.opened, false)...)
}

func (b *board) counts() string {
	t := b.ui.theme
	if b.table.sorted == nil {
		return t.dim.paint(b.waiting + t.ellipsis)
	}
	parts := []string{t.bold.paint(fmt.Sprintf("%s of %s", count(len(b.table.shown)), plural(b.table.rows.count, b.noun)))}
	if about := b.table.rows.about; about != "" {
		parts = append(parts, safe(about))
	}
	if b.notes != nil {
		parts = append(parts, b.notes()...)
	}
	return strings.Join(append(parts, b.state()...), t.dim.paint(" "+t.dot+" "))
}

// state says how the rows are filtered and marked, and what is hidden.
func (s *table) state() []string {
	t, o := s.ui.theme, s.have
	var parts []string
	if len(s.marked) > 0 {
		parts = append(parts, count(len(s.marked))+" marked")
	}
	if o.words != "" {
		parts = append(parts, "filter "+quoted(o.words))
	}
	if s.problem != "" {
		parts = append(parts, t.warning.paint(safe(s.problem)))
	}
	if n := s.measures.minor; n > 0 && !o.all {
		parts = append(parts, t.dim.paint(fmt.Sprintf("%s %s hidden, %s shows them", count(n), cmp.Or(s.rows.hidden, "that need no attention"), s.ui.keymap.key(showAll))))
	}
	return parts
}

func (b *board) state() []string { return b.table.state() }

// why says why no row is shown.
func (b *board) why() string {
	o := b.table.have
	switch {
	case b.table.rows.count == 0:
		return b.empty()
	case o.words != "" && !o.all && b.table.rows.hidden != "":
		return fmt.Sprintf("None of what is shown matches %s. %s looks among those, too, %s; %s clears the filter.", quoted(o.words), b.ui.keymap.key(showAll), b.table.rows.hidden, b.ui.keymap.key(back))
	case o.words != "" && !o.all && b.table.rows.minor != nil:
		return fmt.Sprintf("None that needs attention matches %s. %s looks among the others, too; %s clears the filter.", quoted(o.words), b.ui.keymap.key(showAll), b.ui.keymap.key(back))
	case o.words != "":
		return fmt.Sprintf("None matches %s. %s clears the filter.", quoted(o.words), b.ui.keymap.key(back))
	}
	if hidden := b.table.rows.hidden; hidden != "" {
		return fmt.Sprintf("There are only %s %s. %s shows them.", plural(b.table.rows.count, b.noun), hidden, b.ui.keymap.key(showAll))
	}
	return fmt.Sprintf("None of the %s needs attention. %s shows them all.", plural(b.table.rows.count, b.noun), b.ui.keymap.key(showAll))
}

// factLabel is the width of the column with the names of facts.
const factLabel = 14

// facts writes a name and its value in lines, the names in a column.
func (t *theme) facts(width int, pairs ...string) []string {
	var lines []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		for n, line := range wrap(pairs[i+1], width-factLabel) {
			name := ""
			if n == 0 {
				name = pairs[i]
			}
			lines = append(lines, t.dim.paint(t.fit(name, factLabel))+line)
		}
	}
	return lines
}
