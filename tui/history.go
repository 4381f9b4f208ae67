package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	histories "revenant/analyzer/history"
	lists "revenant/analyzer/objects"
	"revenant/analyzer/restore"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

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
	historyReadMsg struct{ history *shownHistory }
)

// history shows the revisions of one object.
type history struct {
	*session
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
	h := &history{session: s, look: changesLook{unfold: s.keymap.key(unfold)}}
	h.board = newBoard(&s.ui, listing{
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
		of: func() any {
			if s.history == nil {
				return nil
			}
			return s.history
		},
		rows:  func() rows { return h.rows(s.history) },
		empty: func() string { return "Neither snapshot has a revision of it." },
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
	if row, ok := h.table.row(); ok && h.session.history != nil && h.reading == changesRead && row < len(h.session.history.Entries) && h.board.of == any(h.session.history) {
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
	if o := h.session.history; o != nil && o.Key != h.key { // another object is not read as the one before was
		h.key, h.reading, h.opened, h.table.chosen = o.Key, changesRead, false, false
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

func (h *history) rows(o *shownHistory) rows {
	r := h.historyRows(o)
	r.load = func(row, width int) func() []string {
		t, in, look := h.theme, h.input, h.look
		switch two, err := h.marked(); {
		case h.reading == objectRead:
			return func() []string { return in.objectThen(t, &o.Entries[row], width) }
		case h.reading == markedRead && err == "":
			return func() []string { return in.differenceOf(t, &o.Entries[two[0]], &o.Entries[two[1]], look, width) }
		}
		lines := h.session.happening(o, row, look, width)
		return func() []string { return lines }
	}
	r.saved = func(row int) excerpt {
		e := &o.Entries[row]
		if h.reading != objectRead || e.Tombstone {
			return excerpt{}
		}
		in, key := h.input, keyOf(h.input.Prefix, e.Key)
		name, without := lists.Title(key), ""
		if isSecret(key) {
			without = ", without what it holds"
		}
		return excerpt{
			what: name + " at revision " + entryName(e) + without, file: fileName(name+"-"+entryName(e)) + ".yaml",
			later: func() string { return sanitize.WholeText(in.side(e.Side).yaml(in.Prefix, e.Record)) },
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
func (in *Input) objectThen(t *theme, e *histories.Entry, width int) []string {
	lines := []string{t.heading("At revision "+entryName(e), width)}
	if e.Tombstone {
		return append(lines, "It was deleted at this revision.")
	}
	text := in.side(e.Side).yaml(in.Prefix, e.Record)
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
func (in *Input) differenceOf(t *theme, b, a *histories.Entry, look changesLook, width int) []string {
	lines := []string{t.heading("From revision "+entryName(b)+" to "+entryName(a), width)}
	x, errX := in.histories().Value(b)
	y, errY := in.histories().Value(a)
	if err := cmp.Or(errX, errY); err != nil {
		return append(lines, paintAll(t.warning, wrap(err.Error(), width))...)
	}
	lines = append(lines, t.facts(width, "before", b.When.String(), "after", a.When.String())...)
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

func (s *session) historyRows(h *shownHistory) rows {
	list, about := h.Entries, h.Key
	if h.Carved {
		about += ", with carved revisions"
	}
	return rows{
		about: about,
		id:    func(row int) string { return entryName(&list[row]) },
		count: len(list),
		cell: func(row, column int) string {
			e := &list[row]
			switch column {
			case 0:
				return e.Revision.String()
			case 1:
				return count(e.Generation)
			case 2:
				return string(e.What)
			case 3:
				return zeroAsDash(e.Fields)
			case 4:
				return orDash(e.By)
			case 5:
				return brief(e.When)
			}
			return e.Source
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 1:
				return cmp.Compare(y.Generation, x.Generation)
			case 2:
				return strings.Compare(string(x.What), string(y.What))
			case 3:
				return cmp.Compare(y.Fields, x.Fields)
			case 4:
				return strings.Compare(x.By, y.By)
			case 6:
				return strings.Compare(x.Source, y.Source)
			}
			return cmp.Or(cmp.Compare(y.Main, x.Main), cmp.Compare(y.Sub, x.Sub)) // newest first
		},
		look: func(t *theme, row int) (style, string) {
			switch e := &list[row]; {
			case e.Carved:
				return t.severity(restore.Warning)
			case e.Tombstone:
				return t.severity(restore.Critical)
			}
			return t.severity(restore.OK)
		},
	}
}

// happening tells what a revision changed.
func (s *session) happening(h *shownHistory, row int, look changesLook, width int) []string {
	t, e := s.theme, &h.Entries[row]
	lines := []string{t.heading("Revision "+entryName(e)+": "+string(e.What), width)}
	lines = append(lines, t.facts(width, "written", e.When.String(), "by", e.By, "in", e.Source,
		"life", fmt.Sprintf("%s of those that are retained", ordinal(e.Generation)), "version", positive(e.Version), "since", created(e.CreateRevision), "uid", e.UID, "problem", e.Problem)...)
	if e.Carved {
		lines = append(lines, paintAll(t.warning, wrap("Carved from a page that nothing leads to any more.", width))...)
	}
	lines = append(lines, "")
	switch {
	case e.Before >= 0 && !e.Tombstone:
		lines = append(lines, t.dim.paint(t.cut("Compared with revision "+entryName(&h.Entries[e.Before])+", the one before it here:", width)))
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
func (s *session) deletion(e *histories.Entry, width int) []string {
	t, d := s.theme, e.Deletion
	if d == nil {
		text := "Deleted. Who did is not stored"
		if e.Unexplained != "" {
			text += ", and nothing tells why: " + e.Unexplained
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

// entryName tells a revision from all others that are listed.
func entryName(e *histories.Entry) string {
	if e.Apart {
		return e.Revision.String() + " in the " + sides[e.Side]
	}
	return e.Revision.String()
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
