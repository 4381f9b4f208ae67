package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/decoder/sanitize"
)

// listing says what a board shows.
type listing struct {
	title   string
	noun    string // of a row, in the singular
	columns []column
	// of is what the rows are made of; nil while it is not there. Another one has
	// other rows.
	of func(*session) any
	// rows makes them, for as long as of is the same.
	rows func(*session) rows
	// detail tells all of a row, in lines of at most width columns.
	detail func(s *session, row, width int) []string
	// empty says why there is no row at all.
	empty func(*session) string
	// waiting says what is being done until the rows are there.
	waiting string
}

// board lists rows and shows the selected one in detail: beside the list, below
// it, or in its place, as there is room.
type board struct {
	*session
	listing
	table  *table
	pager  pager
	lines  []string // of the detail
	of     any      // what the table shows
	place  place
	opened bool // keys go to the detail

	width, height int
}

func newBoard(s *session, l listing) *board {
	return &board{session: s, listing: l, table: newTable(s, l.columns...)}
}

func (b *board) Title() string { return b.title }

func (b *board) SetSize(width, height int) {
	b.width, b.height = width, height
	switch {
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
	b.tell()
}

func (b *board) listHeight() int { return b.height / 2 }

func (b *board) detailWidth() int {
	if b.place == beside {
		return b.width - b.width/2 - 4
	}
	return b.width - 2
}

func (b *board) Keys() keys {
	k := keys{}
	if b.opened {
		b.pager.moves(k, len(b.lines))
		return k.offer(leave, back)
	}
	b.table.moves(k)
	k.offer(filter, sortBy)
	if b.table.rows.minor != nil {
		k.offer(showAll)
	}
	if b.table.order.words != "" {
		k.offer(back)
	}
	return k
}

func (b *board) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case arrangedMsg:
		if b.table.arranged(msg) {
			b.tell()
		}
	case filterMsg:
		o := b.table.order
		o.words = string(msg)
		return b.table.setOrder(o)
	case press:
		return b.press(msg)
	}
	return b.refresh()
}

// refresh shows other rows when there are others.
func (b *board) refresh() tea.Cmd {
	of := b.listing.of(b.session)
	if of == nil || of == b.of {
		return nil
	}
	b.of = of
	return b.table.setRows(b.rows(b.session))
}

func (b *board) press(msg press) tea.Cmd {
	switch msg.action {
	case open:
		b.table.chosen = true
		b.opened = true
		b.tell()
	case leave:
		b.opened = false
	case back:
		if b.opened {
			b.opened = false
			return nil
		}
		return b.Update(filterMsg(""))
	case sortBy:
		return b.table.sortBy(msg.key)
	case showAll:
		o := b.table.order
		o.all = !o.all
		return b.table.setOrder(o)
	default:
		if b.opened {
			b.pager.move(msg.action, len(b.lines))
			return nil
		}
		b.table.move(msg.action)
		b.tell()
	}
	return nil
}

// tell makes the detail of the selected row.
func (b *board) tell() {
	row, ok := b.table.row()
	if !ok || b.of == nil || row >= b.table.rows.count {
		b.lines, b.opened = nil, false
		return
	}
	lines := b.detail(b.session, row, b.detailWidth())
	if !slices.Equal(lines, b.lines) {
		b.lines, b.pager.top = lines, 0
	}
}

func (b *board) View() []string {
	t := b.theme
	switch b.place {
	case beside:
		return t.beside(b.list(), b.text(), b.width/2, t.dim.paint(" "+t.column))
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
	return margin(b.pager.page(b.theme, b.lines, b.detailWidth()))
}

func (b *board) list() []string {
	t, width := b.theme, b.table.width
	lines := []string{" " + t.cut(b.counts(), width-1)}
	if b.table.ready && len(b.table.shown) == 0 {
		return append(append(lines, ""), paintAll(t.dim, item("   ", b.why(), width-3))...)
	}
	return append(lines, b.table.view(!b.opened, false)...)
}

func (b *board) counts() string {
	t := b.theme
	if b.of == nil || !b.table.ready && len(b.table.shown) == 0 {
		return t.dim.paint(b.waiting + t.ellipsis)
	}
	o := b.table.have
	parts := []string{t.bold.paint(fmt.Sprintf("%s of %s", count(len(b.table.shown)), plural(b.table.rows.count, b.noun)))}
	if o.words != "" {
		parts = append(parts, fmt.Sprintf("filter %q", sanitize.Line(o.words)))
	}
	if n := b.table.measures.minor; n > 0 && !o.all {
		parts = append(parts, t.dim.paint(fmt.Sprintf("%s that need no attention hidden, %s shows them", count(n), keyOf(showAll))))
	}
	return strings.Join(parts, t.dim.paint(" "+t.dot+" "))
}

// why says why no row is shown.
func (b *board) why() string {
	o := b.table.have
	switch {
	case b.table.rows.count == 0:
		return b.empty(b.session)
	case o.words != "" && !o.all && b.table.rows.minor != nil:
		return fmt.Sprintf("None that needs attention matches %q. %s looks among the others, too; %s clears the filter.", o.words, keyOf(showAll), keyOf(back))
	case o.words != "":
		return fmt.Sprintf("None matches %q. %s clears the filter.", o.words, keyOf(back))
	}
	return fmt.Sprintf("None of the %s needs attention. %s shows them all.", plural(b.table.rows.count, b.noun), keyOf(showAll))
}

// facts writes a name and its value in lines, the names in a column.
func (t *theme) facts(width int, pairs ...string) []string {
	const label = 14
	var lines []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		for n, line := range wrap(pairs[i+1], width-label) {
			name := ""
			if n == 0 {
				name = pairs[i]
			}
			lines = append(lines, t.dim.paint(t.fit(name, label))+line)
		}
	}
	return lines
}
