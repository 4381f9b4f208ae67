package tui

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// moment is a state of one of the two snapshots.
type moment struct {
	side     int
	revision int64 // 0 is the newest
}

// objectList is every object that there is at a moment.
type objectList struct {
	moment
	list []listedObject
}

type listedObject struct {
	kube.Key
	record snapshot.Record
}

// Messages about moments.
type (
	// momentMsg asks the shell for the objects of another moment.
	momentMsg struct{ moment }
	// objectsAtMsg brings them, or says why there are none.
	objectsAtMsg struct {
		objects *objectList
		err     error
	}
	// atMsg is a revision or a time, as it was typed.
	atMsg string
)

// objects lists the objects of either snapshot at any revision that is kept.
type objects struct {
	*board
}

// The columns of the objects.
const (
	objectResource = iota
	objectNamespace
	objectName
	objectCreated
	objectChanged
	objectVersion
	objectSize
)

func newObjects(s *session) screen {
	return &objects{newBoard(s, listing{
		title: "objects", noun: "object", waiting: "listing the objects",
		columns: []column{
			{title: "RESOURCE", key: "S", min: 12, max: 44},
			{title: "NAMESPACE", key: "P", min: 8, max: 30},
			{title: "NAME", key: "N", min: 16, max: 70},
			{title: "CREATED", min: 8, drop: 3},
			{title: "CHANGED", key: "O", min: 8},
			{title: "VERSION", key: "C", min: 7, drop: 2},
			{title: "SIZE", min: 6, drop: 4},
		},
		of: func(s *session) any {
			if s.objects == nil {
				return nil
			}
			return s.objects
		},
		rows: func(s *session) rows { return s.objectRows(s.objects) },
		empty: func(s *session) string {
			return "There is no object below " + s.input.Prefix + " at this revision."
		},
	})}
}

func (o *objects) Keys() keys {
	k := o.board.Keys()
	why := ""
	if o.session.objects == nil {
		why = "the objects are still being listed"
	}
	for _, a := range []action{earlier, later, muchEarlier, muchLater, goTo, other} {
		k[a] = why
	}
	if k[historyOf] = why; why == "" {
		if _, ok := o.table.row(); !ok {
			k[historyOf] = "no object is selected"
		}
	}
	return k
}

func (o *objects) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case press:
		if cmd, ok := o.scrub(msg.action); ok {
			return cmd
		}
	case atMsg:
		return o.goTo(string(msg))
	}
	return o.board.Update(msg)
}

// scrub goes to another moment.
func (o *objects) scrub(a action) (tea.Cmd, bool) {
	list := o.session.objects
	if list == nil {
		return nil, false
	}
	at := list.moment
	s := o.session.side(at.side).Snapshot
	head := s.Revision()
	if at.revision == 0 {
		at.revision = head
	}
	const far = 100
	switch a {
	case earlier:
		at.revision--
	case later:
		at.revision++
	case muchEarlier:
		at.revision -= far
	case muchLater:
		at.revision += far
	case other:
		at = moment{side: 1 - at.side}
		return func() tea.Msg { return momentMsg{at} }, true
	case historyOf:
		row, ok := o.table.row()
		if !ok {
			return nil, true
		}
		key := o.table.rows.name(row)
		return func() tea.Msg { return historyMsg{key} }, true
	default:
		return nil, false
	}
	at.revision = max(min(at.revision, head), max(s.CompactRevision(), 1))
	return func() tea.Msg { return momentMsg{at} }, true
}

// goTo goes to a revision, or to the one that the store was at at a time.
func (o *objects) goTo(text string) tea.Cmd {
	at := o.session.objects.moment
	side := o.session.side(at.side)
	revision, err := momentOf(text, side)
	if err != nil {
		return func() tea.Msg { return sayMsg(err.Error()) }
	}
	at.revision = revision
	return func() tea.Msg { return momentMsg{at} }
}

// momentOf reads a revision or a time. Of the revisions that the store may have been
// at at a time it takes the newest.
func momentOf(text string, side *Side) (int64, error) {
	var revision int64
	if _, err := fmt.Sscanf(strings.ReplaceAll(text, ",", ""), "%d", &revision); err == nil && !strings.ContainsAny(text, ":T-") {
		return revision, nil
	}
	t, err := clock.ParseTime(strings.TrimSpace(text), side.State.Time)
	if err != nil {
		return 0, err
	}
	if side.State.Clock == nil {
		return 0, fmt.Errorf("nothing in the snapshot tells when revisions were written")
	}
	return min(side.State.Clock.HeadAt(t).To, side.Snapshot.Revision()), nil
}

// momentText says which moment is shown, and when that was.
func (s *session) momentText(at moment) string {
	side := s.side(at.side)
	revision, what := at.revision, "revision "
	if head := side.Snapshot.Revision(); revision == 0 || revision == head {
		revision, what = head, "newest revision "
	}
	text := string(roles[at.side]) + ", " + what + count(revision)
	if c := side.State.Clock; c != nil {
		text += ", " + brief(c.TimeOf(revision))
	}
	return text
}

// listObjects lists the objects of a moment.
func (m *model) listObjects(at moment) tea.Cmd {
	ctx, s, prefix := m.ctx, m.side(at.side).Snapshot, m.input.Prefix
	return m.tasks.cmd(func() tea.Msg {
		view, err := s.At(at.revision)
		if err != nil {
			return objectsAtMsg{err: err}
		}
		o := &objectList{moment: at}
		n := 0
		for r := range view.Keys(prefix + "/") {
			if n++; n%1024 == 0 && ctx.Err() != nil {
				return nil
			}
			key, ok := kube.ParseKey(prefix, r.Key)
			if !ok {
				key = kube.Key{Name: r.Key}
			}
			o.list = append(o.list, listedObject{key, r})
		}
		return objectsAtMsg{objects: o}
	})
}

func (s *session) objectRows(o *objectList) rows {
	list := o.list
	return rows{
		about: s.momentText(o.moment),
		id:    func(row int) string { return list[row].record.Key },
		load:  func(row, _ int) func() []string { return s.objectYAML(o.side, list[row]) },
		count: len(list),
		cell: func(row, column int) string {
			o := &list[row]
			switch column {
			case objectResource:
				return o.resource()
			case objectNamespace:
				return o.Namespace
			case objectName:
				return o.Name
			case objectCreated:
				return count(o.record.CreateRevision)
			case objectChanged:
				return count(o.record.Main)
			case objectVersion:
				return count(o.record.Version)
			}
			return size(int64(o.record.Size))
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case objectResource:
				return strings.Compare(x.resource(), y.resource())
			case objectNamespace:
				return strings.Compare(x.Namespace, y.Namespace)
			case objectChanged:
				return cmp.Compare(y.record.Main, x.record.Main)
			case objectVersion:
				return cmp.Compare(y.record.Version, x.record.Version)
			}
			return strings.Compare(x.Name, y.Name)
		},
	}
}

// resource is the resource with its group, where the key has it.
func (o *listedObject) resource() string {
	if strings.Contains(o.Group, ".") {
		return o.Resource + "." + o.Group
	}
	return o.Resource
}

// objectYAML reads and decodes an object.
func (s *session) objectYAML(side int, o listedObject) func() []string {
	snap := s.side(side).Snapshot
	return func() []string {
		value, err := snap.Value(o.record)
		if err != nil {
			return []string{sanitize.Line(err.Error())}
		}
		text := kube.Decode(o.Key, value).YAML(kube.PrintOptions{DropManagedFields: true})
		return strings.Split(strings.TrimRight(sanitize.Text(string(text)), "\n"), "\n")
	}
}
