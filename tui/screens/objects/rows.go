package objects

import (
	"cmp"
	"strings"

	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// The ways to group objects.
const (
	bySameResource = iota
	bySameNamespace
	groupings
)

// groups are those of a list.
func groups(l *session.ObjectList, by int) []objects.Group {
	if by == bySameNamespace {
		return l.Namespaces
	}
	return l.Resources
}

// objectsShown says what rows are made of.
type objectsShown struct {
	list    *session.ObjectList
	grouped int
}

// shownObjects is that, with the cells that were read of them.
type shownObjects struct {
	objectsShown
	cells *cellCache // nil where none take reading
}

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
	{Title: "CREATED", Key: "R", Min: 8, Drop: 3, Right: true, Desc: true},
	{Title: "CHANGED", Key: "C", Min: 8, Right: true, Desc: true},
	{Title: "VERSION", Key: "V", Min: 8, Drop: 2, Right: true, Desc: true},
	{Title: "SIZE", Key: "Z", Min: 6, Drop: 4, Right: true, Desc: true},
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
		{Title: "OBJECTS", Key: "O", Min: 7, Right: true, Desc: true},
		{Title: "SIZE", Key: "Z", Min: 9, Right: true, Desc: true},
		{Title: "KIND", Key: "K", Min: 8, Max: 40, Drop: 1},
		{Title: "SCOPE", Min: 10, Drop: 2},
	}
	groupedByNamespace = []widget.Column{
		{Title: "NAMESPACE", Key: "P", Min: 20, Max: 63},
		{Title: "OBJECTS", Key: "O", Min: 7, Right: true, Desc: true},
		{Title: "SIZE", Key: "Z", Min: 9, Right: true, Desc: true},
	}
)

// rowsOf makes the rows.
func (o *Screen) rowsOf(of objectsShown) widget.Rows {
	o.coming = shownObjects{objectsShown: of}
	switch {
	case of.list.Resource != nil:
		return o.resourceRows(of.list)
	case of.grouped >= 0:
		return o.groupRows(of.list, of.grouped)
	}
	return o.allRows(of.list)
}

// about says what is listed, and of when.
func (o *Screen) about(l *session.ObjectList) string {
	if o.past() != "" {
		return "" // the banner says it
	}
	return o.MomentText(l.Moment)
}

func (o *Screen) allRows(l *session.ObjectList) widget.Rows {
	list := l.Objects
	return widget.Rows{
		Columns: allColumns,
		About:   o.about(l),
		ID:      func(row int) string { return list[row].Record.Key },
		Labels:  func(row int) map[string]string { return o.labels(l, row) },
		Load:    func(row, width int) func() []string { return o.describe(l, row, width) },
		Saved:   func(row int) widget.Export { return o.manifest(l, &list[row]) },
		Item:    func(row int) any { return &list[row] },
		Count:   len(list),
		Cell: func(row, column int) string {
			l := &list[row]
			switch column {
			case objectResource:
				return l.GroupResource()
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
				return cmp.Or(boolOrder(x.Foreign(), y.Foreign()), strings.Compare(x.GroupResource(), y.GroupResource()))
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
func recordCell(l *objects.Object, column int) string {
	switch column {
	case objectCreated:
		return words.Number(l.Record.CreateRevision)
	case objectChanged:
		return words.Number(l.Record.Main)
	case objectVersion:
		return words.Number(l.Record.Version)
	}
	return words.Size(int64(l.Record.Size))
}

// compareRecords orders by what the record tells, the largest first.
func compareRecords(l, other *objects.Object, column int) int {
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

func (o *Screen) groupRows(l *session.ObjectList, by int) widget.Rows {
	list, columns := groups(l, by), groupedByResource
	if by == bySameNamespace {
		columns = groupedByNamespace
	}
	return widget.Rows{
		Columns: columns,
		Groups:  true,
		About:   "by " + strings.ToLower(columns[0].Title) + " " + o.Theme.Dot + " " + o.about(l),
		ID:      func(row int) string { return list[row].Name },
		Detail:  func(row, width int) []string { return o.groupDetail(&list[row], width) },
		Item:    func(row int) any { return &list[row] },
		Count:   len(list),
		Cell: func(row, column int) string {
			g := &list[row]
			switch column {
			case groupTitle:
				return g.Name
			case groupObjects:
				return words.Number(g.Objects)
			case groupBytes:
				return words.Size(g.Bytes)
			case groupKind:
				return words.OrDash(g.Resource.Kind)
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

func (o *Screen) groupDetail(g *objects.Group, width int) []string {
	t := o.Theme
	lines := []string{t.Heading(draw.Safe(g.Name), width)}
	lines = append(lines, t.Facts(width, "objects", words.Number(g.Objects), "size", words.Size(g.Bytes))...)
	if r := g.Resource; r != nil {
		known := "built in"
		if r.Custom {
			known = "by a CustomResourceDefinition"
		} else if r.Foreign {
			return append(append(lines, draw.Wrap("Keys that hold no API object: what API servers keep beside them, or what others keep in the same etcd.", width)...), "", t.Dim.Paint(o.Keymap.Key(keys.Open)+" lists them"))
		} else if !r.Known {
			known = "by nothing in this snapshot: only the keys of its objects show it"
		}
		lines = append(lines, t.Facts(width, "kind", r.Kind, "scope", scope(r), "short names", strings.Join(r.ShortNames, ", "), "defined", known)...)
	}
	return append(lines, "", t.Dim.Paint(o.Keymap.Key(keys.Open)+" lists them"))
}

// labels reads those of an object.
func (o *Screen) labels(l *session.ObjectList, row int) map[string]string {
	value, err := o.Source(l.Source).Snapshot.Value(l.Objects[row].Record)
	if err != nil {
		return nil
	}
	links, err := kube.ScanLinks(value)
	if err != nil {
		return nil
	}
	return links.Labels
}
