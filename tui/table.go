package tui

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
)

// column is a column of a table.
type column struct {
	title string
	key   string // that sorts by it, "" for none
	min   int    // columns it needs at least
	max   int    // and may have at most, 0 for as many as its widest cell
	drop  int    // the highest is left out first where there is no room; 0 stays
}

// rows is what a table shows, by row number. It is not changed while a table has
// it, for sorting and filtering read it on goroutines of their own.
type rows struct {
	count   int
	cell    func(row, column int) string            // as it is in the evidence
	compare func(a, b, column int) int              // rows by a column; nil compares the cells
	minor   func(row int) bool                      // left out unless all are asked for; nil for none
	look    func(t *theme, row int) (style, string) // of its first cell, and a mark; nil for none
}

// measures are what is known of all rows.
type measures struct {
	widest []int // cell of each column
	minor  int   // how many rows are minor
}

// order is how rows are sorted and which are shown.
type order struct {
	by      int // column
	reverse bool
	words   string // that a row must hold, in any case and order
	all     bool   // the minor ones, too
}

// table shows rows of which there may be a million: it draws those that are to
// be seen, and sorts and filters in commands.
type table struct {
	*session
	columns []column
	order   order

	rows     rows
	sorted   []int32 // row numbers in order
	shown    []int32 // those of them that pass the filter
	measures         // of all rows
	have     order   // what sorted and shown are for
	ready    bool    // they are for rows
	asked    *atomic.Int64
	chosen   bool  // by the person: selected is kept whatever becomes of the order
	selected int32 // row number
	at       int   // its place in shown
	top      int   // first place drawn
	widths   []int // of the columns as drawn, 0 for one left out
	width    int
	height   int // with the header
}

// arrangedMsg is the result of arrange.
type arrangedMsg struct {
	table  *table
	asked  int64
	order  order
	sorted []int32
	shown  []int32
	measures
	measured bool // measures are not as before
}

func newTable(s *session, columns ...column) *table {
	return &table{session: s, columns: columns, asked: new(atomic.Int64), widths: make([]int, len(columns))}
}

// setRows shows other rows, the same rows by their numbers: the selected one stays.
func (t *table) setRows(r rows) tea.Cmd {
	t.rows, t.ready = r, false
	return t.arrange()
}

// setOrder sorts or filters anew.
func (t *table) setOrder(o order) tea.Cmd {
	t.order = o
	return t.arrange()
}

// sortBy sorts by the column that the key stands for, or turns the order round.
func (t *table) sortBy(key string) tea.Cmd {
	by := slices.IndexFunc(t.columns, func(c column) bool { return c.key == key })
	if by < 0 {
		return nil
	}
	o := t.order
	o.by, o.reverse = by, by == o.by && !o.reverse
	return t.setOrder(o)
}

// arrange sorts and filters as far as that is not done already. What is on screen
// stays until the result is there.
func (t *table) arrange() tea.Cmd {
	asked := t.asked.Add(1)
	stale := func() bool { return t.asked.Load() != asked }
	r, o, columns := t.rows, t.order, len(t.columns)
	sorted, from, measure := t.sorted, t.sorted, !t.ready
	resort := !t.ready || o.by != t.have.by || o.reverse != t.have.reverse
	if !resort && o.all == t.have.all && strings.HasPrefix(o.words, t.have.words) {
		from = t.shown // a longer filter passes fewer rows
	}
	return t.tasks.cmd(func() tea.Msg {
		msg := arrangedMsg{table: t, asked: asked, order: o, measured: measure}
		if resort {
			sorted = r.sort(o)
			from = sorted
		}
		if measure {
			msg.measures = r.measure(columns, stale)
		}
		msg.sorted, msg.shown = sorted, r.filter(from, o, columns, stale)
		if stale() {
			return nil
		}
		return msg
	})
}

// arranged takes over what arrange has made, and says whether it was this table's.
func (t *table) arranged(msg arrangedMsg) bool {
	if msg.table != t || msg.asked != t.asked.Load() {
		return false
	}
	t.sorted, t.shown, t.have, t.ready = msg.sorted, msg.shown, msg.order, true
	if msg.measured {
		t.measures = msg.measures
	}
	if !t.chosen {
		t.at = 0
	} else if i := slices.Index(t.shown, t.selected); i >= 0 {
		t.at = i
	}
	t.layout()
	t.move("")
	return true
}

// sort orders all row numbers; equal rows stay in the order of their numbers.
func (r *rows) sort(o order) []int32 {
	list := make([]int32, r.count)
	for i := range list {
		list[i] = int32(i)
	}
	compare := r.compare
	if compare == nil {
		compare = func(a, b, column int) int { return strings.Compare(r.cell(a, column), r.cell(b, column)) }
	}
	slices.SortFunc(list, func(a, b int32) int {
		d := compare(int(a), int(b), o.by)
		if o.reverse {
			d = -d
		}
		return cmp.Or(d, cmp.Compare(a, b))
	})
	return list
}

// checkEvery is after how many rows a command looks whether it is still wanted.
const checkEvery = 1 << 12

// filter lists those rows of from that are to be shown.
func (r *rows) filter(from []int32, o order, columns int, stale func() bool) []int32 {
	words := strings.Fields(strings.ToLower(o.words))
	if len(words) == 0 && (o.all || r.minor == nil) {
		return from
	}
	var shown []int32
	for n, row := range from {
		if n%checkEvery == 0 && stale() {
			return nil
		}
		if !o.all && r.minor != nil && r.minor(int(row)) {
			continue
		}
		if r.holds(int(row), words, columns) {
			shown = append(shown, row)
		}
	}
	return shown
}

// holds says whether every word occurs in some cell of the row.
func (r *rows) holds(row int, words []string, columns int) bool {
	for _, word := range words {
		found := false
		for c := 0; c < columns && !found; c++ {
			found = strings.Contains(strings.ToLower(r.cell(row, c)), word)
		}
		if !found {
			return false
		}
	}
	return true
}

// measure looks at all rows. No string is wider than it has bytes, so that the
// width of few cells needs to be computed.
func (r *rows) measure(columns int, stale func() bool) measures {
	m := measures{widest: make([]int, columns)}
	for row := range r.count {
		if row%checkEvery == 0 && stale() {
			break
		}
		if r.minor != nil && r.minor(row) {
			m.minor++
		}
		for c := range m.widest {
			if s := r.cell(row, c); len(s) > m.widest[c] {
				m.widest[c] = max(m.widest[c], ansi.StringWidth(sanitize.Line(s)))
			}
		}
	}
	return m
}

const (
	gutter    = 4 // before the first column: selection and mark
	columnGap = 2
)

func (t *table) setSize(width, height int) {
	t.width, t.height = width, height
	t.layout()
	t.move("")
}

// layout gives every column its widest cell. Where that is too much, the columns
// that can be left out give first, and go; then the others give.
func (t *table) layout() {
	for i, c := range t.columns {
		w := len(c.title)
		if c.key != "" {
			w += 2 // the arrow of sorting
		}
		if i < len(t.widest) {
			w = max(w, t.widest[i])
		}
		if c.max > 0 {
			w = min(w, c.max)
		}
		t.widths[i] = max(w, c.min)
	}
	t.narrow(func(c column) bool { return c.drop > 0 })
	for t.over() > 0 {
		last := -1
		for i, c := range t.columns {
			if t.widths[i] > 0 && c.drop > 0 && (last < 0 || c.drop > t.columns[last].drop) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		t.widths[last] = 0
	}
	t.narrow(func(column) bool { return true })
}

// over is by how much the columns are too wide.
func (t *table) over() int {
	over := gutter - columnGap - t.width
	for _, w := range t.widths {
		if w > 0 {
			over += w + columnGap
		}
	}
	return over
}

// narrow takes from the columns that may give, the one first that can give most.
func (t *table) narrow(may func(column) bool) {
	for over := t.over(); over > 0; over = t.over() {
		most, spare := -1, 0
		for i, c := range t.columns {
			if s := t.widths[i] - c.min; s > spare && may(c) {
				most, spare = i, s
			}
		}
		if most < 0 {
			return
		}
		t.widths[most] -= min(over, spare)
	}
}

// move moves the selection and keeps it in sight.
func (t *table) move(a action) {
	page := max(t.height-1, 1)
	t.chosen = t.chosen || a != ""
	t.at = moved(t.at, a, page, len(t.shown)-1)
	if row, ok := t.row(); ok {
		t.selected = int32(row)
	}
	t.top = max(min(t.top, t.at, len(t.shown)-page), t.at-page+1, 0)
}

// row is the number of the selected row.
func (t *table) row() (int, bool) {
	if t.at >= len(t.shown) {
		return 0, false
	}
	return int(t.shown[t.at]), true
}

// moves are the actions that move takes.
func (t *table) moves(k keys) keys {
	why := ""
	if len(t.shown) == 0 {
		why = "the list is empty"
	}
	for _, a := range []action{up, down, halfUp, halfDown, pageUp, pageDown, top, bottom, open} {
		k[a] = why
	}
	return k
}

// view draws the header and the rows in sight. Without focus the selection is
// only marked; faded draws all without the colours of severity.
func (t *table) view(focus, faded bool) []string {
	lines := []string{t.header()}
	for at := t.top; at < min(t.top+t.height-1, len(t.shown)); at++ {
		lines = append(lines, t.line(int(t.shown[at]), at == t.at, focus, faded))
	}
	return lines
}

func (t *table) header() string {
	var b strings.Builder
	b.WriteString(spaces(gutter))
	for i, c := range t.columns {
		if t.widths[i] == 0 {
			continue
		}
		title := c.title
		if i == t.have.by {
			title += " " + map[bool]string{false: t.theme.up, true: t.theme.down}[t.have.reverse]
		}
		b.WriteString(t.theme.fit(title, t.widths[i]) + spaces(columnGap))
	}
	return t.theme.dim.paint(strings.TrimRight(b.String(), " "))
}

func (t *table) line(row int, selected, focus, faded bool) string {
	color, mark := style(""), " "
	if t.rows.look != nil {
		color, mark = t.rows.look(t.theme, row)
	}
	base := style("")
	if faded {
		color, base = t.theme.dim, t.theme.dim
	}
	cursor := " "
	if selected {
		cursor = t.theme.cursor
		if focus {
			base, color = base+t.theme.selected, color+t.theme.selected
		}
	}
	var head, rest strings.Builder
	head.WriteString(cursor + " " + mark + " ")
	to, used, gap := &head, gutter, 0
	for i, w := range t.widths {
		if w == 0 {
			continue
		}
		to.WriteString(spaces(gap) + t.theme.fit(sanitize.Line(t.rows.cell(row, i)), w))
		used += gap + w
		to, gap = &rest, columnGap
	}
	rest.WriteString(spaces(t.width - used))
	return color.paint(head.String()) + base.paint(rest.String())
}
