package tui

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	"revenant/analyzer/relations"
	"revenant/analyzer/restore"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// objectHistory is what both snapshots tell of one key.
type objectHistory struct {
	key     string
	at      string // revision to select, "" for none
	opened  bool   // at what it changed
	carved  bool   // with what was carved
	entries []happening
}

// happening is one revision of the object.
type happening struct {
	snapshot.Record        // the generation is that among all that is listed
	what            string // created, changed, deleted
	side            int    // to read it from
	both            bool   // the other snapshot has the same
	apart           bool   // it has another one at this revision
	uid             string
	when            clock.Interval
	by              string
	source          string // which snapshots have it, or what carving says of it
	carved          bool
	before          int // place of the revision before it in its history, -1 for none
	diff.Difference     // to that
	fields          int // of it that are no noise
	deletion        *relations.Deletion
	untold          string // why there is no deletion told of a tombstone
}

// Messages about histories.
type (
	// historyMsg asks the shell for the history of a key.
	historyMsg struct {
		key    string
		at     string // revision to select, "" for none
		opened bool   // at what it changed
		carved bool   // with what was carved
	}
	// carvedMsg asks it to switch carved revisions on or off.
	carvedMsg struct{}
	// historyReadMsg brings it.
	historyReadMsg struct{ history *objectHistory }
)

// history shows the revisions of one object.
type history struct {
	*board
	reading historyReading
	look    changesLook
	key     string // whose history is shown
}

// historyReading is what the detail shows of a revision.
type historyReading int

const (
	changesRead historyReading = iota // what it changed, and who did
	objectRead                        // the object as it was then
	markedRead                        // what differs between the two that are marked
)

func newHistory(s *session) screen {
	h := &history{look: changesLook{unfold: s.keymap.key(unfold)}}
	h.board = newBoard(s, listing{
		title: "history", noun: "revision", waiting: "no object was chosen: H on one of the objects (6) or pods (3) shows its history",
		columns: []column{
			{title: "REVISION", key: "O", min: 10},
			{title: "LIFE", key: "L", min: 6, drop: 2, right: true},
			{title: "WHAT", key: "S", min: 8},
			{title: "FIELDS", key: "F", min: 8, drop: 3, right: true},
			{title: "BY", key: "P", min: 16, max: 40},
			{title: "WHEN", min: 24, max: 34},
			{title: "IN", key: "N", min: 7},
		},
		of: func(s *session) any {
			if s.history == nil {
				return nil
			}
			return s.history
		},
		rows:  func(s *session) rows { return h.rows(s.history) },
		empty: func(*session) string { return "Neither snapshot has a revision of it." },
	})
	return h
}

func (h *history) SetSize(width, height int) {
	h.board.SetSize(width, height)
	h.redraw()
}

// redraw draws the detail anew where that takes no reading: what is read is told anew
// when it is asked for.
func (h *history) redraw() {
	if row, ok := h.table.row(); ok && h.session.history != nil && h.reading == changesRead && row < len(h.session.history.entries) && h.board.of == any(h.session.history) {
		h.setLines(h.session.happening(h.session.history, row, h.look, h.detailWidth()))
	}
}

func (h *history) Keys() keys {
	k := h.board.Keys()
	if h.session.history == nil {
		k[withCarved] = "no object was chosen"
		return k
	}
	k.offer(withCarved)
	why := ""
	if _, ok := h.table.row(); !ok {
		why = "no revision is selected"
	}
	k[toDiff], k[toObject], k[unfold] = why, why, why
	if k[inColumns] = why; why == "" && h.detailWidth() < sideBySide {
		k[inColumns] = fmt.Sprintf("needs %d columns, and there are %d", sideBySide, h.detailWidth())
	}
	return k
}

func (h *history) Update(msg tea.Msg) tea.Cmd {
	if p, ok := msg.(press); ok {
		switch p.action {
		case withCarved:
			return func() tea.Msg { return carvedMsg{} }
		case toObject:
			return h.read(objectRead)
		case toDiff:
			if len(h.table.marked) > 0 {
				if _, err := h.marked(); err != "" {
					return say(err)
				}
				return h.read(markedRead)
			}
			return h.read(changesRead)
		case unfold:
			h.look.noise = !h.look.noise
			return h.tell()
		case inColumns:
			h.look.beside = !h.look.beside
			return h.tell()
		case mark:
			if h.reading == markedRead {
				h.reading = changesRead
			}
		}
	}
	if o := h.session.history; o != nil && o.key != h.key { // another object is not read as the one before was
		h.key, h.reading, h.opened, h.table.chosen = o.key, changesRead, false, false
		clear(h.table.marked)
	}
	if o := h.session.history; o != nil && h.board.of != any(o) && o.at != "" {
		h.table.selected, h.table.chosen = o.at, true
		if o.opened {
			h.reading, h.opened = changesRead, true
		}
	}
	return h.board.Update(msg)
}

// read shows something else of a revision, or what it changed when that is shown.
func (h *history) read(r historyReading) tea.Cmd {
	if h.opened && h.reading == r {
		r = changesRead
	}
	h.reading = r
	h.table.chosen, h.opened = true, true
	h.pager.rewind()
	return h.tell()
}

// marked are the two revisions that are marked, in order, or the marked one and the
// selected; or why there are not two.
func (h *history) marked() ([2]int, string) {
	rows := h.table.taken()
	if row, ok := h.table.row(); ok && len(h.table.marked) == 1 && !slices.Contains(rows, row) {
		rows = append(rows, row)
	}
	if len(rows) != 2 {
		return [2]int{}, fmt.Sprintf("two revisions are compared: %s marked, %s marks one or takes its mark away", count(len(h.table.marked)), h.keymap.key(mark))
	}
	slices.Sort(rows) // they are listed oldest first
	return [2]int{rows[0], rows[1]}, ""
}

func (h *history) rows(o *objectHistory) rows {
	r := h.historyRows(o)
	r.load = func(row, width int) func() []string {
		t, in, look := h.theme, h.input, h.look
		switch two, err := h.marked(); {
		case h.reading == objectRead:
			return func() []string { return in.objectThen(t, &o.entries[row], width) }
		case h.reading == markedRead && err == "":
			return func() []string { return in.differenceOf(t, &o.entries[two[0]], &o.entries[two[1]], look, width) }
		}
		lines := h.session.happening(o, row, look, width)
		return func() []string { return lines }
	}
	r.saved = func(row int) excerpt {
		e := &o.entries[row]
		if h.reading != objectRead || e.Tombstone {
			return excerpt{}
		}
		in, key := h.input, keyOf(h.input.Prefix, e.Key)
		name, without := titleOf(key), ""
		if isSecret(key) {
			without = ", without what it holds"
		}
		return excerpt{
			what: name + " at revision " + e.name() + without, file: fileName(name+"-"+e.name()) + ".yaml",
			later: func() string { return sanitize.WholeText(in.side(e.side).yaml(in.Prefix, e.Record)) },
		}
	}
	return r
}

// keyOf reads a key; one that is no object's is a name.
func keyOf(prefix, key string) kube.Key {
	k, ok := kube.ParseKey(prefix, key)
	if !ok {
		return kube.Key{Name: key}
	}
	return k
}

// objectThen is the object as a revision has it.
func (in *Input) objectThen(t *theme, e *happening, width int) []string {
	lines := []string{t.heading("At revision "+e.name(), width)}
	if e.Tombstone {
		return append(lines, "It was deleted at this revision.")
	}
	text := in.side(e.side).yaml(in.Prefix, e.Record)
	for line := range strings.Lines(strings.ReplaceAll(sanitize.Text(text), "\t", "    ")) {
		lines = append(lines, hung(strings.TrimSuffix(line, "\n"), width)...)
	}
	return lines
}

// yaml reads a record's object as YAML. What a Secret holds is redacted.
func (s *Side) yaml(prefix string, r snapshot.Record) string {
	value, err := s.Snapshot.Value(r)
	if err != nil {
		return err.Error()
	}
	return string(kube.Decode(keyspace.DecodeKey(prefix, r.Key), value).YAML(kube.PrintOptions{DropManagedFields: true}))
}

// differenceOf is what differs between any two revisions.
func (in *Input) differenceOf(t *theme, b, a *happening, look changesLook, width int) []string {
	lines := []string{t.heading("From revision "+b.name()+" to "+a.name(), width)}
	x, errX := in.value(b)
	y, errY := in.value(a)
	if err := cmp.Or(errX, errY); err != nil {
		return append(lines, paintAll(t.warning, wrap(err.Error(), width))...)
	}
	lines = append(lines, t.facts(width, "before", b.when.String(), "after", a.when.String())...)
	look.whole = (x == nil) != (y == nil)
	switch {
	case x == nil && y == nil:
		return append(lines, "It was deleted at both.")
	case x == nil:
		lines = append(lines, "It was deleted at the first: what follows is all that the other has.")
	case y == nil:
		lines = append(lines, "It was deleted at the second: what follows is all that was there.")
	}
	d := diff.Stored(in.Prefix, a.Key, x, y)
	if d.Recreated {
		lines = append(lines, wrap("Deleted and created anew between the two: another object of the same name.", width)...)
	}
	if d.Problem != "" {
		lines = append(lines, paintAll(t.warning, wrap("Not read in full, so that more may differ: "+d.Problem, width))...)
	}
	return append(append(lines, ""), t.changes(d.Changes, look, width)...)
}

// value reads a revision's value, nil for a deletion.
func (in *Input) value(e *happening) ([]byte, error) {
	if e.Tombstone {
		return nil, nil
	}
	value, err := in.side(e.side).Snapshot.Value(e.Record)
	if value == nil && err == nil {
		value = []byte{}
	}
	return value, err
}

// name tells a revision from all others that are listed.
func (e *happening) name() string {
	if e.apart {
		return e.Revision.String() + " in the " + sides[e.side]
	}
	return e.Revision.String()
}

func (s *session) historyRows(h *objectHistory) rows {
	list, about := h.entries, h.key
	if h.carved {
		about += ", with carved revisions"
	}
	return rows{
		about: about,
		id:    func(row int) string { return list[row].name() },
		count: len(list),
		cell: func(row, column int) string {
			e := &list[row]
			switch column {
			case 0:
				return e.Revision.String()
			case 1:
				return count(e.Generation)
			case 2:
				return e.what
			case 3:
				return zeroAsDash(e.fields)
			case 4:
				return orDash(e.by)
			case 5:
				return brief(e.when)
			}
			return e.source
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 1:
				return cmp.Compare(y.Generation, x.Generation)
			case 2:
				return strings.Compare(x.what, y.what)
			case 3:
				return cmp.Compare(y.fields, x.fields)
			case 4:
				return strings.Compare(x.by, y.by)
			case 6:
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
func (s *session) happening(h *objectHistory, row int, look changesLook, width int) []string {
	t, e := s.theme, &h.entries[row]
	lines := []string{t.heading("Revision "+e.name()+": "+e.what, width)}
	lines = append(lines, t.facts(width, "written", e.when.String(), "by", e.by, "in", e.source,
		"life", fmt.Sprintf("%s of those that are retained", ordinal(e.Generation)), "version", positive(e.Version), "since", created(e.CreateRevision), "uid", e.uid, "problem", e.Problem)...)
	if e.carved {
		lines = append(lines, paintAll(t.warning, wrap("Carved from a page that nothing leads to any more.", width))...)
	}
	lines = append(lines, "")
	switch {
	case e.before >= 0 && !e.Tombstone:
		lines = append(lines, t.dim.paint(t.cut("Compared with revision "+h.entries[e.before].name()+", the one before it here:", width)))
		lines = append(lines, t.changes(e.Changes, look, width)...)
	case e.Tombstone:
		lines = append(lines, s.deletion(e, width)...)
	case e.Version > 1:
		lines = append(lines, wrap("What it changed is not known: the version before it is not there any more.", width)...)
	default:
		lines = append(lines, wrap(fmt.Sprintf("Created. %s shows the object.", s.keymap.key(toObject)), width)...)
	}
	return lines
}

// deletion tells what is known of who deleted an object, and what is only inferred.
func (s *session) deletion(e *happening, width int) []string {
	t, d := s.theme, e.deletion
	if d == nil {
		text := "Deleted. Who did is not stored"
		if e.untold != "" {
			text += ", and nothing tells why: " + e.untold
		}
		return wrap(text+".", width)
	}
	lines := wrap("Deleted. Who asked for it is not stored; what was so right before it may tell:", width)
	if d.Asked > 0 {
		lines = append(lines, item("- ", fmt.Sprintf("It was being deleted since revision %s (deletionTimestamp %s).", count(d.Asked), d.For.UTC().Format("2006-01-02 15:04:05Z")), width)...)
	}
	for _, c := range d.Causes {
		lines = append(lines, paintAll(t.bold, item("- ", fmt.Sprintf("Inferred: %s (%s, revision %s)", c.Text, c.Key, count(c.Revision)), width))...)
	}
	if d.Owned != "" {
		lines = append(lines, item("- ", fmt.Sprintf("Its owner %s was there and stayed: it may have deleted it, as controllers do when they are scaled down or roll out, or a person did.", d.Owned), width)...)
	}
	if d.Asked == 0 && len(d.Causes) == 0 && d.Owned == "" {
		lines = append(lines, item("- ", "Its namespace and its owners were not being deleted: a person or a controller deleted the object itself.", width)...)
	}
	return append(lines, "", t.dim.paint(t.cut(s.keymap.key(toObject)+" on the revision before it shows what was there.", width)))
}

// ordinal is a number in a row.
func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return count(n) + "st"
	case n%10 == 2 && n%100 != 12:
		return count(n) + "nd"
	case n%10 == 3 && n%100 != 13:
		return count(n) + "rd"
	}
	return count(n) + "th"
}

func created(revision int64) string {
	if revision == 0 {
		return ""
	}
	return "created at revision " + count(revision)
}

// maxHappenings is how many revisions of an object are decoded, the newest.
const maxHappenings = 2000

// readHistory reads the revisions of a key out of both snapshots.
func (m *model) readHistory(of historyMsg) tea.Cmd {
	ctx, in := m.ctx, m.input
	key, carved := of.key, of.carved
	return m.tasks.cmd(func() tea.Msg {
		h := &objectHistory{key: key, at: of.at, opened: of.opened, carved: carved}
		found := map[snapshot.Revision]*happening{}
		var list []*happening
		for side := range roles {
			s := in.side(side)
			for _, r := range s.Snapshot.History(key) {
				source := string(roles[side])
				if src := s.Snapshot.Source(r); src != snapshot.FromDB {
					source += ", " + string(src)
				}
				e := in.happening(side, r, source)
				if was := found[r.Revision]; was != nil {
					if in.same(was, e) {
						was.source, was.both = "both", true
						continue
					}
					was.apart, e.apart = true, true
				}
				found[r.Revision] = e
				list = append(list, e)
			}
			if !carved {
				continue
			}
			c, err := s.Snapshot.Carve(ctx)
			if err != nil {
				return nil // the program ends
			}
			for r := range c.Records {
				if r.Key == key && found[r.Revision] == nil {
					e := in.happening(side, r.Record, fmt.Sprintf("carved from %s: %s, %s", roles[side], r.Label, r.Sure))
					e.carved = true
					found[r.Revision] = e
					list = append(list, e)
				}
			}
		}
		h.entries = in.tellChanges(ctx, list)
		in.tellDeletions(ctx, h.entries)
		return historyReadMsg{h}
	})
}

// maxDeletions is of how many deletions it is looked for what they came of, the newest.
const maxDeletions = 20

// tellDeletions looks for what deletions came of.
func (in *Input) tellDeletions(ctx context.Context, list []happening) {
	told := 0
	for i := range slices.Backward(list) {
		e := &list[i]
		if !e.Tombstone || e.carved {
			continue
		}
		if told++; told > maxDeletions {
			e.untold = fmt.Sprintf("only the newest %d deletions are looked into", maxDeletions)
			continue
		}
		var err error
		if e.deletion, err = relations.DeletionOf(ctx, in.side(e.side).Snapshot, in.Prefix, e.Record); err != nil {
			e.untold = safe(err.Error())
		}
	}
}

// same says that two snapshots have the same at a revision: where their histories
// have parted, they need not.
func (in *Input) same(b, a *happening) bool {
	if b.side == a.side || b.carved {
		return false
	}
	x, errX := in.side(b.side).Snapshot.Raw(b.Record, nil)
	y, errY := in.side(a.side).Snapshot.Raw(a.Record, nil)
	return errX == nil && errY == nil && bytes.Equal(x, y)
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

// tellChanges compares every revision with the one before it in the same history.
func (in *Input) tellChanges(ctx context.Context, found []*happening) []happening {
	slices.SortStableFunc(found, func(a, b *happening) int { return cmp.Or(cmp.Compare(a.Main, b.Main), cmp.Compare(a.Sub, b.Sub)) })
	if more := len(found) - maxHappenings; more > 0 {
		found = found[more:]
	}
	list := make([]happening, len(found))
	var last [2]written // by side: where histories have parted, each goes on alone
	for i, e := range found {
		if ctx.Err() != nil {
			return nil
		}
		list[i] = *e
		last[e.side] = in.tell(&list[i], last[e.side])
		last[e.side].place = i
		if e.both || e.carved {
			last[1-e.side] = last[e.side]
		}
	}
	return list
}

// written is what the revision before one was. The zero value is that there is none.
type written struct {
	life, created int64
	deleted       bool
	value         []byte
	fields        []metav1.ManagedFieldsEntry
	place         int
}

// tell compares a revision with the one before it and returns it.
func (in *Input) tell(e *happening, was written) written {
	now := written{life: max(was.life, 1), created: e.CreateRevision, deleted: e.Tombstone}
	if was.life > 0 && (was.deleted || !e.Tombstone && was.created != e.CreateRevision) {
		now.life++
	}
	e.Generation, e.before = int(now.life), -1
	if e.Tombstone {
		now.created = was.created
		return now
	}
	value, err := in.value(e)
	if err != nil {
		e.Problem = safe(err.Error())
		return now
	}
	var uid, problem string
	uid, now.fields, problem = in.author(e, value)
	now.value, e.uid = value, uid
	if now.life != was.life {
		was = written{}
	}
	e.by = strings.Join(writers(was.fields, now.fields), ", ")
	if was.value != nil {
		e.Difference, e.before = diff.Stored(in.Prefix, e.Key, was.value, value), was.place
		for i := range e.Changes {
			if e.Changes[i].Noise == 0 {
				e.fields++
			}
		}
	}
	e.Problem = cmp.Or(e.Problem, problem)
	return now
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

// author decodes a revision's object: its uid, and who manages its fields.
func (in *Input) author(e *happening, value []byte) (uid string, fields []metav1.ManagedFieldsEntry, problem string) {
	key, ok := kube.ParseKey(in.Prefix, e.Key)
	if !ok {
		key = kube.Key{Name: e.Key}
	}
	o := kube.Decode(key, value)
	if o.Problem != nil {
		problem = safe(o.Problem.Error())
	}
	if meta, ok := o.Typed.(metav1.Object); ok {
		fields = meta.GetManagedFields()
	} else if o.Unstructured != nil {
		fields = (&unstructured.Unstructured{Object: o.Unstructured}).GetManagedFields()
	}
	return o.UID, fields, problem
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
