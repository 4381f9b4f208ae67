package widget

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
	"revenant/tui/draw"
	"revenant/tui/keys"
)

// Column is a column of a table.
type Column struct {
	Title string
	Key   string // that sorts by it, a capital letter of its title other than G and H; "" for none
	Desc  bool   // it is sorted with the greatest first: numbers, and what is worst
	By    string // what it is sorted by, where that is not what the cell says
	Min   int    // columns it needs at least
	Max   int    // and may have at most, 0 for as many as its widest cell
	Drop  int    // the highest is left out first where there is no room; 0 stays
	Wide  bool   // shown only when the wide table is asked for
	Drawn bool   // a picture of another column: not for files
	Right bool   // a number: its digits stand below each other
}

// Rows is what a table shows, by row number. It is not changed while a table has
// it, for sorting and filtering read it on goroutines of their own.
type Rows struct {
	Columns []Column // nil for those that the table has
	Of      any      // what the rows are made of, for the screen
	Count   int
	Cell    func(row, column int) string                      // as it is in the evidence
	Compare func(a, b, column int) int                        // rows by a column; nil compares the cells
	Minor   func(row int) bool                                // left out unless all are asked for; nil for none
	Hidden  string                                            // what is said of the minor ones, "" for that they need no attention
	Look    func(t *draw.Theme, row int) (draw.Style, string) // of its first cell, and a mark; nil for none
	ID      func(row int) string                              // what it is called, which keeps it selected and marked among other rows; nil for its number
	Groups  bool                                              // they count what another grouping lists one by one
	Sifted  bool                                              // they count what passes the filter: all of them are shown
	Labels  func(row int) map[string]string                   // what a label selector looks at; nil for none
	Saved   func(row int) Export                              // what copy and save take of an opened row; one without a text, or nil, for what is on the screen
	Copied  func(row int) string                              // what copy takes of it; nil for what it is called
	Item    func(row int) any                                 // what a row is of, for the screen; nil for nothing
	Rule    func(above, below, by int) string                 // what a line between two rows says that are sorted by a column; nil, and "", for no line
	Links   func(row int) func(keys.Action) tea.Cmd           // goes to the object that a row is of, to two versions of it, or to its history; nil where it is of none, or rows are

	// Of rows whose cells take reading, cell has what was read already, and these read.
	// They are called in commands only; stale says that the result is no longer wanted.
	Whole  func(row int) []string                                 // all cells of a row; nil for cell
	Ranked func(column int, stale func() bool) func(a, b int) int // compare, for a column; nil for compare
	Widest func(columns int, stale func() bool) []int             // what the widest cells are thought to be; nil for measuring all

	// What a board shows of them.
	About  string                               // what they are rows of
	Detail func(row, width int) []string        // all of a row, in lines of at most width columns; nil for load
	Load   func(row, width int) func() []string // the same where it takes reading: returns what does that in a command
}

// Name is what a row is called.
func (r *Rows) Name(row int) string {
	if r.ID == nil {
		return strconv.Itoa(row)
	}
	return r.ID(row)
}

// Table shows rows of which there may be a million: it draws those that are to
// be seen, and sorts and filters in commands.
type Table struct {
	ui      *UI
	Columns []Column
	Order   Order
	First   int // the column that is sorted by unless another is asked for

	Rows     Rows
	sorted   []int32     // row numbers in order
	Shown    []int32     // those of them that pass the filter
	measures             // of all rows
	Have     Order       // what sorted and shown are for
	Next     func() Rows // that rows, sorted and shown are not for yet
	problem  string      // of the filter
	asked    *atomic.Int64
	Pinned   bool   // by the person: selected is kept whatever becomes of the order
	Selected string // name of the row
	At       int    // its place in shown
	Top      int    // first place drawn
	Marked   map[string]bool
	wide     bool
	folded   []int // columns left out whose cells do not differ
	Widths   []int // of the columns as drawn, 0 for one left out
	Width    int
	Height   int // with the header
}

// NewTable makes a table that has no rows yet.
func NewTable(u *UI, columns ...Column) *Table {
	return &Table{ui: u, Columns: columns, asked: new(atomic.Int64), Marked: map[string]bool{}, Widths: make([]int, len(columns))}
}

const (
	gutter    = 4 // before the first column: selection and mark
	columnGap = 2
)

// SetSize says how many columns of the terminal and lines there are.
func (t *Table) SetSize(width, height int) {
	t.Width, t.Height = width, height
	t.Layout()
	t.Move("")
}

// Layout gives every column its widest cell. Where that is too much, the columns
// whose cells do not differ go, and are said above the rows; then those that can be left
// out give, and go; then the others give.
func (t *Table) Layout() {
	for i, c := range t.Columns {
		if t.Widths[i] = 0; t.wide || !c.Wide {
			t.Widths[i] = t.wanted(i)
		}
	}
	t.folded = t.folded[:0]
	for i := len(t.Columns) - 1; i > 0 && t.over() > 0; i-- { // what says nothing goes first
		if t.Widths[i] > 0 && i < len(t.same) && t.same[i] && i != t.Order.By {
			t.Widths[i] = 0
			t.folded = append(t.folded, i)
		}
	}
	t.narrow(func(c Column) bool { return c.Drop > 0 })
	for t.over() > 0 {
		last := -1
		for i, c := range t.Columns {
			if t.Widths[i] > 0 && c.Drop > 0 && (last < 0 || c.Drop > t.Columns[last].Drop) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		t.Widths[last] = 0
	}
	t.narrow(func(Column) bool { return true })
}

// wanted is how wide a column is where there is room.
func (t *Table) wanted(i int) int {
	c := t.Columns[i]
	w := len(c.Title)
	if c.Key != "" {
		w += 2 // the arrow of sorting
	}
	if i < len(t.Widest) {
		w = max(w, t.Widest[i])
	}
	if c.Max > 0 {
		w = min(w, c.Max)
	}
	return max(w, c.Min)
}

// Beside is how wide the table is where it shares width columns with a detail that stands beside
// it: half of them, and up to three fifths where its columns take that and leave enough.
func (t *Table) Beside(width int) int {
	wanted := gutter - columnGap
	for i, c := range t.Columns {
		if t.wide || !c.Wide {
			wanted += t.wanted(i) + columnGap
		}
	}
	return max(width/2, min(wanted, width*3/5, width-besideLeast))
}

// besideLeast is what a detail has at least beside a table of more than half of the width.
const besideLeast = flowWidth + 4

// over is by how much the columns are too wide.
func (t *Table) over() int {
	over := gutter - columnGap - t.Width
	for _, w := range t.Widths {
		if w > 0 {
			over += w + columnGap
		}
	}
	return over
}

// narrow takes from the columns that may give, from the one that can give most until
// another one can give as much.
func (t *Table) narrow(may func(Column) bool) {
	for over := t.over(); over > 0; over = t.over() {
		most, spare, second := -1, 0, 0
		for i, c := range t.Columns {
			switch s := t.Widths[i] - c.Min; {
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
		t.Widths[most] -= min(over, max(spare-second, 1))
	}
}

// Move moves the selection and keeps it in sight.
func (t *Table) Move(a keys.Action) {
	page := max(t.Height-1, 1)
	t.Pinned = t.Pinned || a != ""
	t.At = Moved(t.At, a, page, len(t.Shown)-1)
	if row, ok := t.Row(); ok {
		t.Selected = t.Rows.Name(row)
	}
	t.Top = max(min(t.Top, t.At, len(t.Shown)-page), t.At-page+1, 0)
}

// Center scrolls until the selected row is in the middle.
func (t *Table) Center() {
	t.Top = t.At - (t.Height-1)/2
	t.Move("")
}

// Row is the number of the selected row.
func (t *Table) Row() (int, bool) {
	if t.At >= len(t.Shown) {
		return 0, false
	}
	return int(t.Shown[t.At]), true
}

// Item is what the selected row is of, nil for nothing.
func (t *Table) Item() any {
	row, ok := t.Row()
	if !ok || t.Rows.Item == nil {
		return nil
	}
	return t.Rows.Item(row)
}

// Mark marks the selected row, or takes its mark away, and goes to the next.
func (t *Table) Mark() {
	row, ok := t.Row()
	if !ok {
		return
	}
	if name := t.Rows.Name(row); t.Marked[name] {
		delete(t.Marked, name)
	} else {
		t.Marked[name] = true
	}
	t.Move(keys.Down)
}

// Chosen are the marked rows that are shown, or else the selected one.
func (t *Table) Chosen() []int {
	var list []int
	if len(t.Marked) > 0 {
		for _, row := range t.Shown {
			if t.Marked[t.Rows.Name(int(row))] {
				list = append(list, int(row))
			}
		}
	}
	if row, ok := t.Row(); ok && len(list) == 0 {
		list = []int{row}
	}
	return list
}

// Actions are the actions that move takes.
func (t *Table) Actions(k keys.Set) keys.Set {
	why := ""
	if len(t.Shown) == 0 {
		why = "the list is empty"
	}
	for _, a := range []keys.Action{keys.Up, keys.Down, keys.HalfUp, keys.HalfDown, keys.PageUp, keys.PageDown, keys.Top, keys.Bottom, keys.Open, keys.Mark} {
		k[a] = why
	}
	return k
}

// View draws the header and the rows in sight. Without focus the selection is
// only marked; faded draws all without the colours of severity.
func (t *Table) View(focus, faded bool) []string {
	lines := []string{t.header()}
	for _, at := range t.inSight() {
		if at < 0 {
			lines = append(lines, t.ui.Theme.Heading(draw.Safe(t.rule(-at)), t.Width))
			continue
		}
		lines = append(lines, t.line(int(t.Shown[at]), at == t.At, focus, faded))
	}
	return lines
}

// inSight are the places in shown of the rows that are drawn; a negative one is a rule above the
// row of that place.
func (t *Table) inSight() []int {
	var list []int
	end := min(t.Top+t.Height-1, len(t.Shown))
	for at := t.Top; at < end; at++ {
		if at > t.Top && t.rule(at) != "" {
			list = append(list, -at)
		}
		list = append(list, at)
	}
	over := len(list) - max(t.Height-1, 0)
	if over <= 0 {
		return list
	}
	if at := slices.Index(list, t.At); at >= len(list)-over { // the selected row stays
		return list[at+1-(len(list)-over) : at+1]
	}
	return list[:len(list)-over]
}

// rule is what the line above a row says, "" for no line.
func (t *Table) rule(at int) string {
	if t.Rows.Rule == nil || at < 1 {
		return ""
	}
	return t.Rows.Rule(int(t.Shown[at-1]), int(t.Shown[at]), t.Have.By)
}

// Empty is the line of titles alone, above why there is no row.
func (t *Table) Empty() string { return t.header() }

func (t *Table) header() string {
	th := t.ui.Theme
	var b strings.Builder
	b.WriteString(draw.Spaces(gutter))
	gap := 0
	for i, c := range t.Columns {
		w := t.Widths[i]
		if w == 0 {
			continue
		}
		b.WriteString(draw.Spaces(gap))
		gap = columnGap
		title := c.Title
		if i == t.Have.By {
			if title += " " + t.arrow(); ansi.StringWidth(title) > w && !th.Plain {
				title = c.Title + t.arrow()
			}
			if more := ansi.StringWidth(title) - w; more == 1 && !c.Right { // into the gap
				w, gap = w+1, columnGap-1
			} else if more > 0 { // the arrow is worth more than the end of the title
				title = th.Cut(c.Title, w-1) + t.arrow()
			}
		}
		b.WriteString(t.titled(th.Align(title, w, c.Right), c.Key))
	}
	return strings.TrimRight(b.String(), " ")
}

// arrow says how the rows are sorted: ascending or descending.
func (t *Table) arrow() string {
	if t.Columns[t.Have.By].Desc != t.Have.Reverse {
		return t.ui.Theme.Down
	}
	return t.ui.Theme.Up
}

// titled is a title of a column with the letter marked that sorts by it.
func (t *Table) titled(title, key string) string {
	dim, bold := t.ui.Theme.Dim, t.ui.Theme.Key
	at := strings.Index(title, key)
	if key == "" || at < 0 {
		return dim.Paint(title)
	}
	return dim.Paint(title[:at]) + bold.Paint(key) + dim.Paint(title[at+len(key):])
}

func (t *Table) line(row int, selected, focus, faded bool) string {
	color, mark := draw.Style(""), " "
	if t.Rows.Look != nil {
		color, mark = t.Rows.Look(t.ui.Theme, row)
	}
	base := draw.Style("")
	if faded {
		color, base = t.ui.Theme.Dim, t.ui.Theme.Dim
	}
	cursor := " "
	if selected {
		cursor = t.ui.Theme.Cursor
		if focus {
			base, color = base+t.ui.Theme.Selected, color+t.ui.Theme.Selected
		}
	}
	chosen := " "
	if len(t.Marked) > 0 && t.Marked[t.Rows.Name(row)] {
		chosen = "+"
	}
	var head, rest strings.Builder
	head.WriteString(cursor + chosen + mark + " ")
	to, used, gap := &head, gutter, 0
	for i, w := range t.Widths {
		if w == 0 {
			continue
		}
		to.WriteString(draw.Spaces(gap) + t.ui.Theme.Align(sanitize.Short(t.Rows.Cell(row, i), w*draw.MostInCell), w, t.Columns[i].Right))
		used += gap + w
		to, gap = &rest, columnGap
	}
	rest.WriteString(draw.Spaces(t.Width - used))
	return color.Paint(head.String()) + base.Paint(rest.String())
}
