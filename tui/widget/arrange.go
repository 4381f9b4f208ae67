package widget

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/tui/draw"
)

// measures are what is known of all rows.
type measures struct {
	Widest []int    // cell of each column
	minor  int      // how many rows are minor
	same   []bool   // whether all cells of a column are the same, of the rows that are not hidden
	each   []string // and which
}

// Order is how rows are sorted and which are shown.
type Order struct {
	By      int // column
	Reverse bool
	Words   string // that a row must hold, in any case and order
	All     bool   // the minor ones, too
	// Namespace is the one whose rows are shown, "" for all.
	Namespace string
}

// ArrangedMsg is the result of arrange.
type ArrangedMsg struct {
	table  *Table
	asked  int64
	order  Order
	rows   *Rows // other ones than before, nil for the same
	sorted []int32
	shown  []int32
	At     int // place of the selected row, -1 when it is not shown
	measures
	problem string // of the filter
}

// SetRows shows other rows. Those before stay on screen until they are arranged;
// the selected one stays selected if it is among them.
func (t *Table) SetRows(r Rows) tea.Cmd { return t.MakeRows(func() Rows { return r }) }

// MakeRows is setRows for rows that take work to make: it is done in the command.
func (t *Table) MakeRows(make func() Rows) tea.Cmd {
	t.Next = sync.OnceValue(make)
	return t.Arrange()
}

// SetOrder sorts or filters again.
func (t *Table) SetOrder(o Order) tea.Cmd {
	t.Order = o
	return t.Arrange()
}

// SortBy sorts by the column that the key stands for, or turns the order round.
func (t *Table) SortBy(key string) tea.Cmd {
	by := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Key == key })
	if by < 0 {
		return Notify("no column is sorted by " + key + ": " + SortKeys(t.Columns))
	}
	o := t.Order
	o.By, o.Reverse = by, by == o.By && !o.Reverse
	if t.Widths[by] > 0 {
		return t.SetOrder(o)
	}
	way := "ascending"
	if t.Columns[by].Desc != o.Reverse {
		way = "descending"
	}
	return tea.Batch(t.SetOrder(o), Notify("sorted by "+strings.ToLower(t.Columns[by].Title)+", "+way+", which has no room here"))
}

// SortKeys names the keys that sort.
func SortKeys(columns []Column) string {
	var list []string
	for _, c := range columns {
		if c.Key != "" {
			text := c.Key + " " + strings.ToLower(c.Title)
			if c.By != "" {
				text += " (" + c.By + ")"
			}
			list = append(list, text)
		}
	}
	return strings.Join(list, ", ")
}

// Arrange sorts and filters as far as that is not done already. What is on screen
// stays until the result is there.
func (t *Table) Arrange() tea.Cmd {
	asked := t.asked.Add(1)
	stale := func() bool { return t.asked.Load() != asked }
	msg := ArrangedMsg{table: t, asked: asked, order: t.Order, sorted: t.sorted, measures: t.measures, At: -1}
	columns, selected, next, namespace := len(t.Columns), t.Selected, t.Next, namespaced(t.Columns)
	at := selected // the row under the cursor, where the selected one is not listed
	if row, ok := t.Row(); ok {
		at = t.Rows.Name(row)
	}
	from := t.sorted
	resort := t.Next != nil || msg.order.By != t.Have.By || msg.order.Reverse != t.Have.Reverse
	if !resort && msg.order.All == t.Have.All && msg.order.Namespace == t.Have.Namespace && narrows(t.Have.Words, msg.order.Words) {
		from = t.Shown // a longer filter passes fewer rows
	}
	rows, have := t.Rows, t.Have
	return t.ui.Tasks.Cmd(func() tea.Msg {
		if next != nil {
			rows = next()
			msg.rows = &rows
			if rows.Columns != nil {
				columns, namespace = len(rows.Columns), namespaced(rows.Columns)
				msg.order.By = min(msg.order.By, columns-1)
			}
		}
		if resort {
			msg.sorted = rows.sort(msg.order, stale)
			from = msg.sorted
		}
		if msg.rows != nil {
			msg.measures = rows.measure(columns, stale)
		}
		if msg.rows != nil || msg.order.All != have.All {
			msg.same, msg.each = rows.alike(columns, msg.order.All, stale)
		}
		f, err := newFilter(msg.order.Words, &rows, columns)
		if err != nil {
			msg.problem = err.Error()
		}
		msg.shown = rows.filter(from, msg.order, rows.within(msg.order.Namespace, namespace, f), stale)
		if stale() {
			return nil
		}
		for _, name := range []string{selected, at} {
			if msg.At < 0 {
				msg.At = slices.IndexFunc(msg.shown, func(row int32) bool { return rows.Name(int(row)) == name })
			}
		}
		return msg
	})
}

// Take takes over what arrange has made, and says whether it was this table's.
func (t *Table) Take(msg ArrangedMsg) bool {
	if msg.table != t || msg.asked != t.asked.Load() {
		return false
	}
	if msg.rows != nil {
		t.Rows, t.Next = *msg.rows, nil
		if t.Rows.Columns != nil {
			t.Columns, t.Widths = t.Rows.Columns, make([]int, len(t.Rows.Columns))
			t.Order.By = min(t.Order.By, len(t.Columns)-1)
		}
	}
	t.sorted, t.Shown, t.Have, t.measures, t.problem = msg.sorted, msg.shown, msg.order, msg.measures, msg.problem
	if !t.Pinned {
		t.At = 0
	} else if msg.At >= 0 {
		t.At = msg.At
	}
	t.Layout()
	t.Move("")
	return true
}

// Ready says that what is shown is what there is.
func (t *Table) Ready() bool { return t.Next == nil && t.sorted != nil }

// sort orders all row numbers; equal rows stay in the order of their numbers.
func (r *Rows) sort(o Order, stale func() bool) []int32 {
	list := make([]int32, r.Count)
	for i := range list {
		list[i] = int32(i)
	}
	compare := r.Compare
	if compare == nil {
		compare = func(a, b, column int) int { return strings.Compare(r.Cell(a, column), r.Cell(b, column)) }
	}
	by := func(a, b int) int { return compare(a, b, o.By) }
	if r.Ranked != nil {
		if ranked := r.Ranked(o.By, stale); ranked != nil {
			by = ranked
		}
	}
	if stale() {
		return list
	}
	slices.SortFunc(list, func(a, b int32) int {
		d := by(int(a), int(b))
		if o.Reverse {
			d = -d
		}
		return cmp.Or(d, cmp.Compare(a, b))
	})
	return list
}

// checkEvery is after how many rows a command looks whether it is still wanted.
const checkEvery = 1 << 12

// filter lists those rows of from that are to be shown.
func (r *Rows) filter(from []int32, o Order, passes filter, stale func() bool) []int32 {
	if passes == nil && (o.All || r.Minor == nil) {
		return from
	}
	if r.Whole != nil && passes != nil {
		return r.filterRead(from, o, passes, stale)
	}
	shown := []int32{}
	for n, row := range from {
		if n%checkEvery == 0 && stale() {
			return nil
		}
		if !o.All && r.Minor != nil && r.Minor(int(row)) {
			continue
		}
		if passes == nil || passes(int(row)) {
			shown = append(shown, row)
		}
	}
	return shown
}

// filterRead is filter of rows whose cells take reading.
func (r *Rows) filterRead(from []int32, o Order, passes filter, stale func() bool) []int32 {
	pass := make([]bool, len(from))
	InParallel(len(from), stale, func(i int) {
		row := int(from[i])
		pass[i] = (o.All || r.Minor == nil || !r.Minor(row)) && passes(row)
	})
	shown := []int32{}
	for i, row := range from {
		if pass[i] {
			shown = append(shown, row)
		}
	}
	return shown
}

// InParallel does n things that take work on all processors, until it is stale, and
// lets those go first that draw.
func InParallel(n int, stale func() bool, do func(i int)) {
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
func (r *Rows) measure(columns int, stale func() bool) measures {
	if r.Widest != nil {
		return measures{Widest: r.Widest(columns, stale)}
	}
	m := measures{Widest: make([]int, columns)}
	for row := range r.Count {
		if row%checkEvery == 0 && stale() {
			break
		}
		if r.Minor != nil && r.Minor(row) {
			m.minor++
		}
		for c := range m.Widest {
			m.Widest[c] = Wider(m.Widest[c], r.Cell(row, c))
		}
	}
	return m
}

// alike finds the columns whose cells do not differ. Of cells that take reading nothing is
// said, nor of a single row.
func (r *Rows) alike(columns int, all bool, stale func() bool) (same []bool, each []string) {
	same, each = make([]bool, columns), make([]string, columns)
	if r.Whole != nil {
		return same, each
	}
	seen := 0
	for row, left := 0, columns; row < r.Count && left > 0; row++ {
		if row%checkEvery == 0 && stale() {
			break
		}
		if !all && r.Minor != nil && r.Minor(row) {
			continue
		}
		for c := range same {
			switch cell := ""; {
			case seen == 0:
				same[c], each[c] = true, r.Cell(row, c)
			case same[c]:
				if cell = r.Cell(row, c); cell != each[c] {
					same[c] = false
					left--
				}
			}
		}
		seen++
	}
	if seen < 2 {
		clear(same)
	}
	return same, each
}

// Wider is width, or that of a cell which is wider. No string is wider than it has
// bytes, so that the width of few cells needs to be computed.
func Wider(width int, cell string) int {
	if len(cell) <= width {
		return width
	}
	return max(width, ansi.StringWidth(draw.Safe(cell)))
}
