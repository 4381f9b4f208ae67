package tui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// objectHistory is what both snapshots tell of one key.
type objectHistory struct {
	key     string
	carved  bool // with what was carved
	entries []happening
}

// happening is one revision of the object.
type happening struct {
	snapshot.Record
	what    string // created, changed, deleted
	side    int    // to read it from
	when    clock.Interval
	by      string
	source  string // which snapshots have it, or what carving says of it
	carved  bool
	changes []diff.Change
	problem string
}

// Messages about histories.
type (
	// historyMsg asks the shell for the history of a key.
	historyMsg struct{ key string }
	// carvedMsg asks it to switch carved revisions on or off.
	carvedMsg struct{}
	// historyReadMsg brings it.
	historyReadMsg struct{ history *objectHistory }
)

// history shows the revisions of one object.
type history struct{ *board }

func newHistory(s *session) screen {
	return &history{newBoard(s, listing{
		title: "history", noun: "revision", waiting: "no object was chosen: H on one of the objects (6) or pods (3) shows its history",
		columns: []column{
			{title: "REVISION", key: "O", min: 10},
			{title: "WHAT", key: "S", min: 8},
			{title: "FIELDS", min: 6, drop: 3},
			{title: "BY", key: "P", min: 10, max: 40},
			{title: "WHEN", min: 24, max: 34, drop: 2},
			{title: "IN", key: "N", min: 7},
		},
		of: func(s *session) any {
			if s.history == nil {
				return nil
			}
			return s.history
		},
		rows:  func(s *session) rows { return s.historyRows(s.history) },
		empty: func(*session) string { return "Neither snapshot has a revision of it." },
	})}
}

func (h *history) Keys() keys {
	k := h.board.Keys()
	if h.session.history == nil {
		k[withCarved] = "no object was chosen"
		return k
	}
	return k.offer(withCarved)
}

func (h *history) Update(msg tea.Msg) tea.Cmd {
	if p, ok := msg.(press); ok && p.action == withCarved {
		return func() tea.Msg { return carvedMsg{} }
	}
	return h.board.Update(msg)
}

func (s *session) historyRows(h *objectHistory) rows {
	list, about := h.entries, h.key
	if h.carved {
		about += ", with carved revisions"
	}
	return rows{
		about:  about,
		id:     func(row int) string { return list[row].Revision.String() },
		detail: func(row, width int) []string { return s.happening(&list[row], width) },
		count:  len(list),
		cell: func(row, column int) string {
			e := &list[row]
			switch column {
			case 0:
				return e.Revision.String()
			case 1:
				return e.what
			case 2:
				return zeroAsDash(len(e.changes))
			case 3:
				return orDash(e.by)
			case 4:
				return brief(e.when)
			}
			return e.source
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 1:
				return strings.Compare(x.what, y.what)
			case 3:
				return strings.Compare(x.by, y.by)
			case 5:
				return strings.Compare(x.source, y.source)
			}
			return cmp.Or(cmp.Compare(y.Main, x.Main), cmp.Compare(y.Sub, x.Sub)) // newest first
		},
		look: func(t *theme, row int) (style, string) {
			switch e := &list[row]; {
			case e.carved:
				return t.severity(restore.Warning)
			case e.Tombstone:
				return t.severity(restore.Critical)
			}
			return t.severity(restore.OK)
		},
	}
}

// happening tells what a revision changed.
func (s *session) happening(e *happening, width int) []string {
	t := s.theme
	lines := []string{t.heading("Revision "+e.Revision.String()+": "+e.what, width)}
	lines = append(lines, t.facts(width, "written", e.when.String(), "by", e.by, "in", e.source, "version", positive(e.Version), "since", created(e.CreateRevision), "problem", e.problem)...)
	if e.carved {
		lines = append(lines, paintAll(t.warning, wrap("Carved from a page that nothing leads to any more.", width))...)
	}
	if len(e.changes) > 0 {
		lines = append(lines, "", t.bold.paint(plural(len(e.changes), "field")+" to the revision before it"))
	}
	for i := range e.changes {
		lines = append(lines, t.change(&e.changes[i], width)...)
	}
	return lines
}

func created(revision int64) string {
	if revision == 0 {
		return ""
	}
	return "created at revision " + count(revision)
}

// change tells one field.
func (t *theme) change(c *diff.Change, width int) []string {
	lines := wrap(c.Path, width)
	if c.Before != "" {
		lines = append(lines, paintAll(t.dim, item("  - ", c.Before, width))...)
	}
	if c.After != "" {
		lines = append(lines, item("  + ", c.After, width)...)
	}
	return lines
}

// maxHappenings is how many revisions of an object are decoded, the newest.
const maxHappenings = 2000

// readHistory reads the revisions of a key out of both snapshots.
func (m *model) readHistory(key string, carved bool) tea.Cmd {
	ctx, in := m.ctx, m.input
	return m.tasks.cmd(func() tea.Msg {
		h := &objectHistory{key: key, carved: carved}
		found := map[snapshot.Revision]*happening{}
		for side := range roles {
			s := in.side(side)
			for _, r := range s.Snapshot.History(key) {
				source := string(roles[side])
				if src := s.Snapshot.Source(r); src != snapshot.FromDB {
					source += ", " + string(src)
				}
				if e, ok := found[r.Revision]; ok {
					e.source = "both"
					continue
				}
				found[r.Revision] = in.happening(side, r, source)
			}
			if !carved {
				continue
			}
			c, err := s.Snapshot.Carve(ctx)
			if err != nil {
				return nil // the program ends
			}
			for i := range c.Records {
				if r := &c.Records[i]; r.Key == key && found[r.Revision] == nil {
					e := in.happening(side, r.Record, fmt.Sprintf("carved from %s: %s, %s", roles[side], r.Label, r.Sure))
					e.carved = true
					found[r.Revision] = e
				}
			}
		}
		h.entries = in.tellChanges(ctx, found)
		return historyReadMsg{h}
	})
}

// happening is what is known of a revision before it is compared.
func (in *Input) happening(side int, r snapshot.Record, source string) *happening {
	e := &happening{Record: r, what: "changed", source: source, side: side}
	switch {
	case r.Tombstone:
		e.what = "deleted"
	case r.Version == 1:
		e.what = "created"
	}
	if c := in.side(side).State.Clock; c != nil {
		e.when = c.TimeOf(r.Main)
	}
	return e
}

// tellChanges compares every revision with the one before it.
func (in *Input) tellChanges(ctx context.Context, found map[snapshot.Revision]*happening) []happening {
	var list []happening
	for _, e := range found {
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b happening) int { return cmp.Or(cmp.Compare(a.Main, b.Main), cmp.Compare(a.Sub, b.Sub)) })
	if more := len(list) - maxHappenings; more > 0 {
		list = list[more:]
	}
	var before []byte
	var wrote []metav1.ManagedFieldsEntry
	for i := range list {
		if ctx.Err() != nil {
			return nil
		}
		e := &list[i]
		if e.Tombstone {
			before, wrote = nil, nil
			continue
		}
		if i > 0 && list[i-1].CreateRevision != e.CreateRevision {
			before, wrote = nil, nil
		}
		after, fields, problem := in.document(e)
		e.problem = problem
		e.by = strings.Join(writers(wrote, fields), ", ")
		if before != nil && after != nil {
			changes, err := diff.Fields(before, after)
			if err != nil {
				e.problem = sanitize.Line(err.Error())
			}
			e.changes = changes
		}
		if after != nil {
			before, wrote = after, fields
		}
	}
	return list
}

// brief is an interval in few columns: when it begins, and how long it is.
func brief(i clock.Interval) string {
	const layout = "2006-01-02 15:04:05Z"
	switch {
	case i.From.IsZero() && i.To.IsZero():
		return "unknown"
	case i.From.IsZero():
		return "until " + i.To.UTC().Format(layout)
	case i.To.IsZero():
		return "from " + i.From.UTC().Format(layout)
	}
	return i.From.UTC().Format(layout) + " +" + i.To.Sub(i.From).Round(time.Second).String()
}

// document reads a revision's object as JSON, and who manages its fields. What a
// Secret holds is redacted.
func (in *Input) document(e *happening) (doc []byte, fields []metav1.ManagedFieldsEntry, problem string) {
	key, ok := kube.ParseKey(in.Prefix, e.Key)
	if !ok {
		key = kube.Key{Name: e.Key}
	}
	value, err := in.side(e.side).Snapshot.Value(e.Record)
	if err != nil {
		return nil, nil, sanitize.Line(err.Error())
	}
	o := kube.Decode(key, value)
	if o.Problem != nil {
		problem = sanitize.Line(o.Problem.Error())
	}
	if meta, ok := o.Typed.(metav1.Object); ok {
		fields = meta.GetManagedFields()
	}
	return o.JSON(kube.PrintOptions{}), fields, problem
}

// writers are the managers whose entry is not what it was before.
func writers(before, after []metav1.ManagedFieldsEntry) []string {
	var names []string
	for _, e := range after {
		same := slices.ContainsFunc(before, func(b metav1.ManagedFieldsEntry) bool {
			return b.Manager == e.Manager && b.Operation == e.Operation && b.Subresource == e.Subresource && b.Time.Equal(e.Time) &&
				rawFields(b) == rawFields(e)
		})
		if !same && !slices.Contains(names, e.Manager) {
			names = append(names, e.Manager)
		}
	}
	return names
}

func rawFields(e metav1.ManagedFieldsEntry) string {
	if e.FieldsV1 == nil {
		return ""
	}
	return e.FieldsV1.GetRawString()
}
