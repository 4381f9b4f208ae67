package objects

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/resources"
	"revenant/tui/widget"
)

// cellCache has the cells of those rows that were looked at last.
type cellCache struct {
	mu         sync.Mutex
	young, old map[int][]resources.Cell
	read       atomic.Int64 // objects, since reading all of them began
}

const (
	maxCells = 2048 // rows of each half of a cache
	maxCell  = 1024 // bytes of a cell that is kept
)

func (c *cellCache) get(row int) ([]resources.Cell, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cells, ok := c.young[row]
	if !ok {
		if cells, ok = c.old[row]; ok {
			c.add(row, cells)
		}
	}
	return cells, ok
}

func (c *cellCache) put(row int, cells []resources.Cell) {
	for i := range cells {
		if text := cells[i].Text; len(text) > maxCell {
			cells[i].Text = strings.ToValidUTF8(strings.Clone(text[:maxCell]), "")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(row, cells)
}

// wasCut says whether a kept cell may not be whole.
func wasCut(c resources.Cell) bool { return len(c.Text) > maxCell-utf8.UTFMax }

func (c *cellCache) add(row int, cells []resources.Cell) {
	if len(c.young) >= maxCells || c.young == nil {
		c.young, c.old = map[int][]resources.Cell{}, c.young
	}
	c.young[row] = cells
}

// adopt takes over what the rows are of, once they are arranged. Columns that can go
// shall do so rather than be cut.
func (o *Screen) adopt() {
	if o.Table.Next != nil || o.shown == o.coming {
		return
	}
	o.shown = o.coming
	t := o.Table
	if o.shown.cells == nil || o.shown.list.Resource.Name == "events" {
		return
	}
	const most = 24
	for c := range t.Columns {
		if col := &t.Columns[c]; col.Drop > 0 && c < len(t.Widest) {
			col.Min = max(col.Min, min(t.Widest[c], most))
		}
	}
	t.Layout()
}

// cellsReadMsg brings the cells of rows in sight.
type cellsReadMsg struct {
	cells *cellCache
	rows  map[int][]resources.Cell
}

// fetch reads the rows in sight that were not read yet, and a page around them.
func (o *Screen) fetch() tea.Cmd {
	t := o.Table
	if o.shown.cells == nil || t.Rows.Whole == nil || !t.Ready() || o.shown.list.Resource == nil {
		return nil
	}
	page := max(t.Height, 1)
	missing := false
	for _, row := range t.Shown[min(t.Top, len(t.Shown)):min(t.Top+page, len(t.Shown))] {
		if _, ok := o.shown.cells.get(int(row)); !ok {
			missing = true
			break
		}
	}
	if !missing {
		return nil
	}
	var list []int
	for _, row := range t.Shown[max(t.Top-page, 0):min(t.Top+2*page, len(t.Shown))] {
		if _, ok := o.shown.cells.get(int(row)); !ok {
			list = append(list, int(row))
		}
	}
	cells, table := o.shown.cells, o.resourceTable(o.shown.list, nil)
	return o.Tasks.Cmd(func() tea.Msg {
		msg := cellsReadMsg{cells, map[int][]resources.Cell{}}
		for _, row := range list {
			msg.rows[row] = table.printed(row)
		}
		return msg
	})
}

// cellsRead takes over cells. A column gets wider where one needs it, and never
// narrower.
func (o *Screen) cellsRead(msg cellsReadMsg) {
	if msg.cells != o.shown.cells {
		return
	}
	t := o.Table
	first := len(t.Columns) - len(recorded) - len(o.shown.list.Resource.Columns)
	for row, cells := range msg.rows {
		o.shown.cells.put(row, cells)
		for i := range cells {
			if c := first + i; c >= 0 && c < len(t.Widest) {
				t.Widest[c] = widget.Wider(t.Widest[c], cells[i].Text)
			}
		}
	}
	t.Layout()
}
