package tui

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
)

// column is a column of a table.
type column struct {
	title string
	key   string // that sorts by it, a capital letter other than G and H; "" for none
	min   int    // columns it needs at least
	max   int    // and may have at most, 0 for as many as its widest cell
	drop  int    // the highest is left out first where there is no room; 0 stays
	wide  bool   // shown only when the wide table is asked for
	drawn bool   // a picture of another column: not for files
	right bool   // a number: its digits stand below each other
}

// rows is what a table shows, by row number. It is not changed while a table has
// it, for sorting and filtering read it on goroutines of their own.
type rows struct {
	columns []column // nil for those that the table has
	of      any      // what the rows are made of, for the screen
	count   int
	cell    func(row, column int) string            // as it is in the evidence
	compare func(a, b, column int) int              // rows by a column; nil compares the cells
	minor   func(row int) bool                      // left out unless all are asked for; nil for none
	hidden  string                                  // what is said of the minor ones, "" for that they need no attention
	look    func(t *theme, row int) (style, string) // of its first cell, and a mark; nil for none
	id      func(row int) string                    // what it is called, which keeps it selected and marked among other rows; nil for its number
	labels  func(row int) map[string]string         // what a label selector looks at; nil for none
	saved   func(row int) excerpt                   // what copy and save take of an opened row; one without a text, or nil, for what is on the screen
	copied  func(row int) string                    // what copy takes of it; nil for what it is called
	item    func(row int) any                       // what a row is of, for the screen; nil for nothing
	links   func(row int) func(action) tea.Cmd      // goes to the object that a row is of, to two versions of it, or to its history; nil where it is of none, or rows are

	// Of rows whose cells take reading, cell has what was read already, and these read.
	// They are called in commands only; stale says that the result is not wanted any more.
	whole  func(row int) []string                                 // all cells of a row; nil for cell
	ranked func(column int, stale func() bool) func(a, b int) int // compare, for a column; nil for compare
	widest func(columns int, stale func() bool) []int             // what the widest cells are thought to be; nil for measuring all

	// What a board tells of them.
	about  string                               // what they are rows of
	detail func(row, width int) []string        // all of a row, in lines of at most width columns; nil for load
	load   func(row, width int) func() []string // the same where it takes reading: returns what does that in a command
}

// name is what a row is called.
func (r *rows) name(row int) string {
	if r.id == nil {
		return strconv.Itoa(row)
	}
	return r.id(row)
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
	ui      *ui
	columns []column
	order   order

	rows     rows
	sorted   []int32     // row numbers in order
	shown    []int32     // those of them that pass the filter
	measures             // of all rows
	have     order       // what sorted and shown are for
	next     func() rows // that rows, sorted and shown are not for yet
	problem  string      // of the filter
	asked    *atomic.Int64
	chosen   bool   // by the person: selected is kept whatever becomes of the order
	selected string // name of the row
	at       int    // its place in shown
	top      int    // first place drawn
	marked   map[string]bool
	wide     bool
	widths   []int // of the columns as drawn, 0 for one left out
	width    int
	height   int // with the header
}

// arrangedMsg is the result of arrange.
type arrangedMsg struct {
	table  *table
	asked  int64
	order  order
	rows   *rows // other ones than before, nil for the same
	sorted []int32
	shown  []int32
	at     int // place of the selected row, -1 when it is not shown
	measures
	problem string // of the filter
}

func newTable(u *ui, columns ...column) *table {
	return &table{ui: u, columns: columns, asked: new(atomic.Int64), marked: map[string]bool{}, widths: make([]int, len(columns))}
}

// setRows shows other rows. Those before stay on screen until they are arranged;
// the selected one stays selected if it is among them.
func (t *table) setRows(r rows) tea.Cmd { return t.makeRows(func() rows { return r }) }

// makeRows is setRows for rows that take work to make: it is done in the command.
func (t *table) makeRows(make func() rows) tea.Cmd {
	t.next = sync.OnceValue(make)
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
		return say("no column is sorted by " + key + ": " + sortKeys(t.columns))
	}
	o := t.order
	o.by, o.reverse = by, by == o.by && !o.reverse
	return t.setOrder(o)
}

// sortKeys names the keys that sort.
func sortKeys(columns []column) string {
	var list []string
	for _, c := range columns {
		if c.key != "" {
			list = append(list, c.key+" "+strings.ToLower(c.title))
		}
	}
	return strings.Join(list, ", ")
}

// arrange sorts and filters as far as that is not done already. What is on screen
// stays until the result is there.
func (t *table) arrange() tea.Cmd {
	asked := t.asked.Add(1)
	stale := func() bool { return t.asked.Load() != asked }
	msg := arrangedMsg{table: t, asked: asked, order: t.order, sorted: t.sorted, measures: t.measures, at: -1}
	columns, selected, next := len(t.columns), t.selected, t.next
	from := t.sorted
	resort := t.next != nil || msg.order.by != t.have.by || msg.order.reverse != t.have.reverse
	if !resort && msg.order.all == t.have.all && narrows(t.have.words, msg.order.words) {
		from = t.shown // a longer filter passes fewer rows
	}
	rows := t.rows
	return t.ui.tasks.cmd(func() tea.Msg {
		if next != nil {
			rows = next()
			msg.rows = &rows
			if rows.columns != nil {
				columns = len(rows.columns)
				msg.order.by = min(msg.order.by, columns-1)
			}
		}
		if resort {
			msg.sorted = rows.sort(msg.order, stale)
			from = msg.sorted
		}
		if msg.rows != nil {
			msg.measures = rows.measure(columns, stale)
		}
		f, err := newFilter(msg.order.words, &rows, columns)
		if err != nil {
			msg.problem = err.Error()
		}
		msg.shown = rows.filter(from, msg.order, f, stale)
		if stale() {
			return nil
		}
		msg.at = slices.IndexFunc(msg.shown, func(row int32) bool { return rows.name(int(row)) == selected })
		return msg
	})
}

// arranged takes over what arrange has made, and says whether it was this table's.
func (t *table) arranged(msg arrangedMsg) bool {
	if msg.table != t || msg.asked != t.asked.Load() {
		return false
	}
	if msg.rows != nil {
		t.rows, t.next = *msg.rows, nil
		if t.rows.columns != nil {
			t.columns, t.widths = t.rows.columns, make([]int, len(t.rows.columns))
			t.order.by = min(t.order.by, len(t.columns)-1)
		}
	}
	t.sorted, t.shown, t.have, t.measures, t.problem = msg.sorted, msg.shown, msg.order, msg.measures, msg.problem
	if !t.chosen {
		t.at = 0
	} else if msg.at >= 0 {
		t.at = msg.at
	}
	t.layout()
	t.move("")
	return true
}

// ready says that what is shown is what there is.
func (t *table) ready() bool { return t.next == nil && t.sorted != nil }

// sort orders all row numbers; equal rows stay in the order of their numbers.
func (r *rows) sort(o order, stale func() bool) []int32 {
	list := make([]int32, r.count)
	for i := range list {
		list[i] = int32(i)
	}
	compare := r.compare
	if compare == nil {
		compare = func(a, b, column int) int { return strings.Compare(r.cell(a, column), r.cell(b, column)) }
	}
	by := func(a, b int) int { return compare(a, b, o.by) }
	if r.ranked != nil {
		if ranked := r.ranked(o.by, stale); ranked != nil {
			by = ranked
		}
	}
	if stale() {
		return list
	}
	slices.SortFunc(list, func(a, b int32) int {
		d := by(int(a), int(b))
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
func (r *rows) filter(from []int32, o order, passes filter, stale func() bool) []int32 {
	if passes == nil && (o.all || r.minor == nil) {
		return from
	}
	if r.whole != nil && passes != nil {
		return r.filterRead(from, o, passes, stale)
	}
	shown := []int32{}
	for n, row := range from {
		if n%checkEvery == 0 && stale() {
			return nil
		}
		if !o.all && r.minor != nil && r.minor(int(row)) {
			continue
		}
		if passes == nil || passes(int(row)) {
			shown = append(shown, row)
		}
	}
	return shown
}

// filterRead is filter of rows whose cells take reading.
func (r *rows) filterRead(from []int32, o order, passes filter, stale func() bool) []int32 {
	pass := make([]bool, len(from))
	inParallel(len(from), stale, func(i int) {
		row := int(from[i])
		pass[i] = (o.all || r.minor == nil || !r.minor(row)) && passes(row)
	})
	shown := []int32{}
	for i, row := range from {
		if pass[i] {
			shown = append(shown, row)
		}
	}
	return shown
}

// inParallel does n things that take work on all processors, until it is stale, and
// lets those go first that draw.
func inParallel(n int, stale func() bool, do func(i int)) {
	const atOnce = 64
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n/atOnce+1) {
		workers.Go(func() {
			for {
				from := int(next.Add(atOnce)) - atOnce
				if from >= n || stale() {
					return
				}
				for i := from; i < min(from+atOnce, n); i++ {
					do(i)
				}
				runtime.Gosched()
			}
		})
	}
	workers.Wait()
}

// measure looks at all rows.
func (r *rows) measure(columns int, stale func() bool) measures {
	if r.widest != nil {
		return measures{widest: r.widest(columns, stale)}
	}
	m := measures{widest: make([]int, columns)}
	for row := range r.count {
		if row%checkEvery == 0 && stale() {
			break
		}
		if r.minor != nil && r.minor(row) {
			m.minor++
		}
		for c := range m.widest {
			m.widest[c] = wider(m.widest[c], r.cell(row, c))
		}
	}
	return m
}

// wider is width, or that of a cell which is wider. No string is wider than it has
// bytes, so that the width of few cells needs to be computed.
func wider(width int, cell string) int {
	if len(cell) <= width {
		return width
	}
	return max(width, ansi.StringWidth(safe(cell)))
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
		if c.wide && !t.wide {
			t.widths[i] = 0
			continue
		}
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

// narrow takes from the columns that may give, from the one that can give most until
// another one can give as much.
func (t *table) narrow(may func(column) bool) {
	for over := t.over(); over > 0; over = t.over() {
		most, spare, second := -1, 0, 0
		for i, c := range t.columns {
			switch s := t.widths[i] - c.min; {
			case !may(c):
			case s > spare:
				most, spare, second = i, s, spare
			case s > second:
				second = s
			}
		}
		if most < 0 {
			return
		}
		t.widths[most] -= min(over, max(spare-second, 1))
	}
}

// move moves the selection and keeps it in sight.
func (t *table) move(a action) {
	page := max(t.height-1, 1)
	t.chosen = t.chosen || a != ""
	t.at = moved(t.at, a, page, len(t.shown)-1)
	if row, ok := t.row(); ok {
		t.selected = t.rows.name(row)
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

// item is what the selected row is of, nil for nothing.
func (t *table) item() any {
	row, ok := t.row()
	if !ok || t.rows.item == nil {
		return nil
	}
	return t.rows.item(row)
}

// mark marks the selected row, or takes its mark away, and goes to the next.
func (t *table) mark() {
	row, ok := t.row()
	if !ok {
		return
	}
	if name := t.rows.name(row); t.marked[name] {
		delete(t.marked, name)
	} else {
		t.marked[name] = true
	}
	t.move(down)
}

// taken are the marked rows that are shown, or else the selected one.
func (t *table) taken() []int {
	var list []int
	if len(t.marked) > 0 {
		for _, row := range t.shown {
			if t.marked[t.rows.name(int(row))] {
				list = append(list, int(row))
			}
		}
	}
	if row, ok := t.row(); ok && len(list) == 0 {
		list = []int{row}
	}
	return list
}

// moves are the actions that move takes.
func (t *table) moves(k keys) keys {
	why := ""
	if len(t.shown) == 0 {
		why = "the list is empty"
	}
	for _, a := range []action{up, down, halfUp, halfDown, pageUp, pageDown, top, bottom, open, mark} {
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
			title += " " + map[bool]string{false: t.ui.theme.up, true: t.ui.theme.down}[t.have.reverse]
		}
		b.WriteString(t.ui.theme.align(title, t.widths[i], c.right) + spaces(columnGap))
	}
	return t.ui.theme.dim.paint(strings.TrimRight(b.String(), " "))
}

func (t *table) line(row int, selected, focus, faded bool) string {
	color, mark := style(""), " "
	if t.rows.look != nil {
		color, mark = t.rows.look(t.ui.theme, row)
	}
	base := style("")
	if faded {
		color, base = t.ui.theme.dim, t.ui.theme.dim
	}
	cursor := " "
	if selected {
		cursor = t.ui.theme.cursor
		if focus {
			base, color = base+t.ui.theme.selected, color+t.ui.theme.selected
		}
	}
	chosen := " "
	if len(t.marked) > 0 && t.marked[t.rows.name(row)] {
		chosen = "+"
	}
	var head, rest strings.Builder
	head.WriteString(cursor + chosen + mark + " ")
	to, used, gap := &head, gutter, 0
	for i, w := range t.widths {
		if w == 0 {
			continue
		}
		to.WriteString(spaces(gap) + t.ui.theme.align(sanitize.Short(t.rows.cell(row, i), w*mostInCell), w, t.columns[i].right))
		used += gap + w
		to, gap = &rest, columnGap
	}
	rest.WriteString(spaces(t.width - used))
	return color.paint(head.String()) + base.paint(rest.String())
}
