package tui

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	lists "revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// The columns of the objects of all resources.
const (
	objectResource = iota
	objectNamespace
	objectName
	objectCreated
	objectChanged
	objectVersion
	objectSize
)

var allColumns = []widget.Column{
	{Title: "RESOURCE", Key: "S", Min: 12, Max: 44},
	{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
	{Title: "NAME", Key: "N", Min: 16, Max: 70},
	{Title: "CREATED", Min: 8, Drop: 3, Right: true},
	{Title: "CHANGED", Key: "O", Min: 8, Right: true},
	{Title: "VERSION", Key: "C", Min: 7, Drop: 2, Right: true},
	{Title: "SIZE", Min: 6, Drop: 4, Right: true},
}

// The columns of groups of objects.
const (
	groupTitle = iota
	groupObjects
	groupBytes
	groupKind
	groupScope
)

var (
	groupedByResource = []widget.Column{
		{Title: "RESOURCE", Key: "S", Min: 20, Max: 70},
		{Title: "OBJECTS", Key: "O", Min: 7, Right: true},
		{Title: "SIZE", Key: "Z", Min: 9, Right: true},
		{Title: "KIND", Key: "K", Min: 8, Max: 40, Drop: 1},
		{Title: "SCOPE", Min: 10, Drop: 2},
	}
	groupedByNamespace = []widget.Column{
		{Title: "NAMESPACE", Key: "P", Min: 20, Max: 63},
		{Title: "OBJECTS", Key: "O", Min: 7, Right: true},
		{Title: "SIZE", Key: "Z", Min: 9, Right: true},
	}
)

// rowsOf makes the rows.
func (o *objects) rowsOf(of objectsShown) widget.Rows {
	o.coming = shownObjects{objectsShown: of}
	switch {
	case of.list.Resource != nil || of.list.Query.Resource != "":
		return o.resourceRows(of.list)
	case of.grouped >= 0:
		return o.groupRows(of.list, of.grouped)
	}
	return o.allRows(of.list)
}

// about says what is listed, and of when.
func (o *objects) about(l *objectList) string {
	return o.momentText(l.moment)
}

func (o *objects) allRows(l *objectList) widget.Rows {
	list := l.Objects
	return widget.Rows{
		Columns: allColumns,
		About:   o.about(l),
		Id:      func(row int) string { return list[row].Record.Key },
		Labels:  func(row int) map[string]string { return o.labels(l, row) },
		Load:    func(row, width int) func() []string { return o.describe(l, row, width) },
		Saved:   func(row int) widget.Export { return o.manifest(l, &list[row]) },
		Item:    func(row int) any { return &list[row] },
		Count:   len(list),
		Cell: func(row, column int) string {
			l := &list[row]
			switch column {
			case objectResource:
				return lists.ResourceName(l.Key)
			case objectNamespace:
				return l.Namespace
			case objectName:
				return l.Name
			}
			return recordCell(l, column)
		},
		Compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case objectResource: // keys of others last
				return cmp.Or(boolOrder(x.Foreign(), y.Foreign()), strings.Compare(lists.ResourceName(x.Key), lists.ResourceName(y.Key)))
			case objectNamespace:
				return strings.Compare(x.Namespace, y.Namespace)
			case objectName:
				return strings.Compare(x.Name, y.Name)
			}
			return compareRecords(x, y, column)
		},
	}
}

// boolOrder has what is false come before what is true.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// recordCell is a cell that the record tells.
func recordCell(l *lists.Object, column int) string {
	switch column {
	case objectCreated:
		return draw.Count(l.Record.CreateRevision)
	case objectChanged:
		return draw.Count(l.Record.Main)
	case objectVersion:
		return draw.Count(l.Record.Version)
	}
	return draw.Size(int64(l.Record.Size))
}

// compareRecords orders by what the record tells, the largest first.
func compareRecords(l, other *lists.Object, column int) int {
	switch column {
	case objectCreated:
		return cmp.Compare(other.Record.CreateRevision, l.Record.CreateRevision)
	case objectChanged:
		return cmp.Compare(other.Record.Main, l.Record.Main)
	case objectVersion:
		return cmp.Compare(other.Record.Version, l.Record.Version)
	}
	return cmp.Compare(other.Record.Size, l.Record.Size)
}

func (o *objects) groupRows(l *objectList, by int) widget.Rows {
	list, columns := l.groups(by), groupedByResource
	if by == bySameNamespace {
		columns = groupedByNamespace
	}
	return widget.Rows{
		Columns: columns,
		About:   "by " + strings.ToLower(columns[0].Title) + " " + o.Theme.Dot + " " + o.about(l),
		Id:      func(row int) string { return list[row].Name },
		Detail:  func(row, width int) []string { return o.groupDetail(&list[row], width) },
		Item:    func(row int) any { return &list[row] },
		Count:   len(list),
		Cell: func(row, column int) string {
			g := &list[row]
			switch column {
			case groupTitle:
				return g.Name
			case groupObjects:
				return draw.Count(g.Objects)
			case groupBytes:
				return draw.Size(g.Bytes)
			case groupKind:
				return draw.OrDash(g.Resource.Kind)
			}
			return scope(g.Resource)
		},
		Compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case groupObjects:
				return cmp.Compare(y.Objects, x.Objects)
			case groupBytes:
				return cmp.Compare(y.Bytes, x.Bytes)
			case groupKind:
				return strings.Compare(x.Resource.Kind, y.Resource.Kind)
			}
			return strings.Compare(x.Name, y.Name)
		},
	}
}

func scope(r *resources.Resource) string {
	if r.Namespaced {
		return "namespaced"
	}
	return "cluster"
}

func (o *objects) groupDetail(g *lists.Group, width int) []string {
	t := o.Theme
	lines := []string{t.Heading(draw.Safe(g.Name), width)}
	lines = append(lines, t.Facts(width, "objects", draw.Count(g.Objects), "size", draw.Size(g.Bytes))...)
	if r := g.Resource; r != nil {
		known := "built in"
		if r.Custom {
			known = "by a CustomResourceDefinition"
		} else if r.Foreign {
			return append(append(lines, draw.Wrap("Keys that hold no API object: what API servers keep beside them, or what others keep in the same etcd.", width)...), "", t.Dim.Paint(o.Keymap.Key(keys.Open)+" lists them"))
		} else if !r.Known {
			known = "by nothing in this snapshot: only the keys of its objects tell of it"
		}
		lines = append(lines, t.Facts(width, "kind", r.Kind, "scope", scope(r), "short names", strings.Join(r.ShortNames, ", "), "defined", known)...)
	}
	return append(lines, "", t.Dim.Paint(o.Keymap.Key(keys.Open)+" lists them"))
}

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

// table of the objects of one resource: a column for the namespace where there are
// several, those of kubectl, and those that the record tells.
type resourceTable struct {
	*objectList
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

func (o *objects) resourceRows(l *objectList) widget.Rows {
	if l.Resource == nil { // not at this revision
		return widget.Rows{Columns: allColumns, About: o.about(l), Load: func(row, width int) func() []string { return o.describe(l, row, width) }}
	}
	t := o.resourceTable(l, new(cellCache))
	o.coming.cells = t.cells
	if l.Resource.Namespaced && l.Query.Namespace == "" {
		t.first = 1
	}
	t.columns = resourceColumns(l.Resource, t.first == 1)
	return widget.Rows{
		Columns: t.columns,
		About:   o.about(l),
		Id:      func(row int) string { return l.Objects[row].Record.Key },
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

func (o *objects) resourceTable(l *objectList, cells *cellCache) *resourceTable {
	return &resourceTable{objectList: l, snapshot: o.side(l.side).Snapshot, cells: cells, unread: o.Theme.Ellipsis, name: l.Resource.NameColumn()}
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
		list = append(list, widget.Column{Title: c.Title, Key: freeKey(c.Title, taken), Min: c.Min, Drop: len(list) + 1, Wide: true, Right: true})
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

// adopt takes over what the rows are of, once they are arranged. Columns that can go
// shall do so rather than be cut.
func (o *objects) adopt() {
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
func (o *objects) fetch() tea.Cmd {
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
func (o *objects) cellsRead(msg cellsReadMsg) {
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

// labels reads those of an object.
func (o *objects) labels(l *objectList, row int) map[string]string {
	value, err := o.side(l.side).Snapshot.Value(l.Objects[row].Record)
	if err != nil {
		return nil
	}
	links, err := kube.ScanLinks(value)
	if err != nil {
		return nil
	}
	return links.Labels
}
