package objects

import (
	"slices"
	"strings"
	"sync/atomic"

	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// table of the objects of one resource: a column for the namespace where there are
// several, those of kubectl, and those that the record tells.
type resourceTable struct {
	*session.ObjectList
	snapshot *snapshot.Snapshot
	cells    *cellCache
	unread   string // stands for what was not read yet
	columns  []widget.Column
	last     atomic.Pointer[rankedColumn] // that was read last of all objects
	first    int                          // the resource's first column: 1 where the namespace is before it
	name     int                          // the resource's column with the name
}

// rankedColumn is a column of all objects.
type rankedColumn struct {
	column int // of the resource
	cells  []resources.Cell
}

func (r *rankedColumn) compare(a, b int) int { return r.cells[a].Compare(r.cells[b]) }

// recorded are the columns after those of kubectl.
var recorded = []int{objectCreated, objectChanged, objectVersion, objectSize}

func (o *Screen) resourceRows(l *session.ObjectList) widget.Rows {
	t := o.resourceTable(l, new(cellCache))
	o.coming.cells = t.cells
	if l.Resource.Namespaced && l.Query.Namespace == "" {
		t.first = 1
	}
	t.columns = resourceColumns(l.Resource, t.first == 1)
	return widget.Rows{
		Columns: t.columns,
		About:   o.about(l),
		ID:      func(row int) string { return l.Objects[row].Record.Key },
		Labels:  func(row int) map[string]string { return o.labels(l, row) },
		Load:    func(row, width int) func() []string { return o.describe(l, row, width) },
		Saved:   func(row int) widget.Export { return o.manifest(l, &l.Objects[row]) },
		Item:    func(row int) any { return &l.Objects[row] },
		Count:   len(l.Objects),
		Cell:    t.cell,
		Compare: t.compare,
		Whole:   t.whole,
		Ranked:  t.ranked,
		Widest:  t.widest,
	}
}

func (o *Screen) resourceTable(l *session.ObjectList, cells *cellCache) *resourceTable {
	return &resourceTable{ObjectList: l, snapshot: o.Source(l.Source).Snapshot, cells: cells, unread: o.Theme.Ellipsis, name: l.Resource.NameColumn()}
}

// resourceColumns are the columns of a resource. A key that sorts is the first letter
// of the title that is free.
func resourceColumns(r *resources.Resource, namespace bool) []widget.Column {
	var list []widget.Column
	taken := map[string]bool{}
	if namespace {
		list = append(list, widget.Column{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30})
	}
	for _, key := range []string{"P", "N", "A"} { // namespace, name, age
		taken[key] = true
	}
	for i, c := range r.Columns {
		col := widget.Column{Title: strings.ToUpper(draw.Safe(c.Name)), Max: 50, Drop: i + 1, Wide: c.Wide}
		col.Min = max(min(len(col.Title), 16), 5) // below that it is better left out
		switch c.Name {
		case "Name":
			col.Key, col.Min, col.Max, col.Drop = "N", 12, 70, 0
		case "Age":
			col.Key, col.Drop = "A", 1
		default:
			col.Key = freeKey(col.Title, taken)
			if i < 3 {
				col.Drop = 0
			}
		}
		if r.Name == "events" {
			narrowEvents(&col)
		}
		list = append(list, col)
	}
	for _, i := range recorded {
		c := allColumns[i]
		list = append(list, widget.Column{Title: c.Title, Key: freeKey(c.Title, taken), Min: c.Min, Drop: len(list) + 1, Wide: true, Right: true, Desc: true})
	}
	return list
}

// narrowEvents has the message of an event give way before the object, and that
// before its type goes.
func narrowEvents(c *widget.Column) {
	switch c.Title {
	case "TYPE":
		c.Drop = 3
	case "OBJECT":
		c.Min, c.Max, c.Drop = 12, 70, 2
	case "MESSAGE":
		c.Min, c.Max, c.Drop = 14, 300, 1
	}
}

// freeKey takes a letter for a column, of its title if it can be.
func freeKey(title string, taken map[string]bool) string {
	for _, letters := range [][]string{strings.Split(title, ""), keys.SortLetters} {
		for _, key := range letters {
			if len(key) == 1 && key[0] >= 'A' && key[0] <= 'Z' && key != "G" && key != "H" && key != "J" && !taken[key] {
				taken[key] = true
				return key
			}
		}
	}
	return ""
}

// printed reads and decodes an object, and prints it.
func (t *resourceTable) printed(row int) []resources.Cell {
	l := &t.Objects[row]
	value, err := t.snapshot.Value(l.Record)
	if err != nil {
		cells := make([]resources.Cell, len(t.Resource.Columns))
		cells[max(t.name, 0)].Text = l.Name
		cells[(max(t.name, 0)+1)%len(cells)].Text = "<" + err.Error() + ">"
		return cells
	}
	return t.Resource.Cells(kube.Decode(l.Key, value), t.Now)
}

// cell is what is known without reading.
func (t *resourceTable) cell(row, column int) string {
	at := column - t.first
	switch {
	case at < 0:
		return t.Objects[row].Namespace
	case at >= len(t.Resource.Columns):
		return recordCell(&t.Objects[row], recorded[at-len(t.Resource.Columns)])
	}
	if cells, ok := t.cells.get(row); ok {
		return cells[at].Text
	}
	if at == t.name {
		return t.Objects[row].Name
	}
	return t.unread
}

// whole is all cells of a row.
func (t *resourceTable) whole(row int) []string {
	cells, ok := t.cells.get(row)
	if !ok || slices.ContainsFunc(cells, wasCut) {
		cells = t.printed(row)
	}
	t.cells.read.Add(1)
	texts := make([]string, len(t.columns))
	for c := range texts {
		if at := c - t.first; at >= 0 && at < len(cells) {
			texts[c] = cells[at].Text
		} else {
			texts[c] = t.cell(row, c)
		}
	}
	return texts
}

// compare orders by what the key and the record tell.
func (t *resourceTable) compare(a, b, column int) int {
	x, y := &t.Objects[a], &t.Objects[b]
	at := column - t.first
	switch {
	case at < 0:
		return strings.Compare(x.Namespace, y.Namespace)
	case at >= len(t.Resource.Columns):
		return compareRecords(x, y, recorded[at-len(t.Resource.Columns)])
	}
	return strings.Compare(x.Name, y.Name)
}

// ranked reads a column of all objects, to order by it.
func (t *resourceTable) ranked(column int, stale func() bool) func(a, b int) int {
	at := column - t.first
	if at < 0 || at >= len(t.Resource.Columns) || at == t.name {
		return nil
	}
	if was := t.last.Load(); was != nil && was.column == at {
		return was.compare
	}
	t.cells.read.Store(0)
	r := &rankedColumn{at, make([]resources.Cell, len(t.Objects))}
	widget.InParallel(len(t.Objects), stale, func(row int) {
		cell := t.cellOf(row, at)
		if text := cell.Text; len(text) > maxCell {
			cell.Text = text[:maxCell]
		}
		cell.Text = strings.Clone(cell.Text)
		r.cells[row] = cell
		t.cells.read.Add(1)
	})
	if stale() {
		return nil
	}
	t.last.Store(r)
	return r.compare
}

// cellOf is one cell of the resource's: the age, by which objects are sorted most,
// takes little reading.
func (t *resourceTable) cellOf(row, at int) resources.Cell {
	if cells, ok := t.cells.get(row); ok {
		return cells[at]
	}
	if t.Resource.Columns[at].Name == "Age" {
		if value, err := t.snapshot.Value(t.Objects[row].Record); err == nil {
			if age, ok := t.Resource.Age(value, t.Now); ok {
				return age
			}
		}
	}
	return t.printed(row)[at]
}

// widest looks at some of the objects, evenly spread, and at all of the keys.
func (t *resourceTable) widest(columns int, stale func() bool) []int {
	list := make([]int, columns)
	const sample = 1000
	step := max(len(t.Objects)/sample, 1)
	for row := range t.Objects {
		if row%64 == 0 && stale() {
			break
		}
		if row%step == 0 {
			t.cells.put(row, t.printed(row))
			for c := range list {
				list[c] = widget.Wider(list[c], t.cell(row, c))
			}
			continue
		}
		list[t.first+max(t.name, 0)] = widget.Wider(list[t.first+max(t.name, 0)], t.Objects[row].Name)
		if t.first == 1 {
			list[0] = widget.Wider(list[0], t.Objects[row].Namespace)
		}
	}
	return list
}
