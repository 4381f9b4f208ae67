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
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
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
	*widget.Board
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
	h := &history{session: s, look: changesLook{unfold: s.Keymap.Key(keys.Unfold)}}
	h.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "history", Noun: "revision", Waiting: "no object was chosen: H on one of the objects (6) or pods (3) shows its history",
		Columns: []widget.Column{
			{Title: "REVISION", Key: "O", Min: 10},
			{Title: "LIFE", Key: "L", Min: 6, Drop: 2, Right: true},
			{Title: "WHAT", Key: "S", Min: 8},
			{Title: "FIELDS", Key: "F", Min: 8, Drop: 3, Right: true},
			{Title: "BY", Key: "P", Min: 16, Max: 40},
			{Title: "WHEN", Min: 24, Max: 34},
			{Title: "IN", Key: "N", Min: 7},
		},
		Of: func() any {
			if s.history == nil {
				return nil
			}
			return s.history
		},
		Rows:  func() widget.Rows { return h.rows(s.history) },
		Empty: func() string { return "Neither snapshot has a revision of it." },
	})
	return h
}

func (h *history) SetSize(width, height int) {
	h.Board.SetSize(width, height)
	h.redraw()
}

// redraw draws the detail anew where that takes no reading: what is read is told anew
// when it is asked for.
func (h *history) redraw() {
	if row, ok := h.Table.Row(); ok && h.session.history != nil && h.reading == changesRead && row < len(h.session.history.Entries) && h.Board.Of == any(h.session.history) {
		h.SetLines(h.session.happening(h.session.history, row, h.look, h.DetailWidth()))
	}
}

func (h *history) Keys() keys.Set {
	k := h.Board.Keys()
	if h.session.history == nil {
		k[keys.WithCarved] = "no object was chosen"
		return k
	}
	k.Offer(keys.WithCarved)
	why := ""
	if _, ok := h.Table.Row(); !ok {
		why = "no revision is selected"
	}
	k[keys.ToDiff], k[keys.ToObject], k[keys.Unfold] = why, why, why
	if k[keys.InColumns] = why; why == "" && h.DetailWidth() < sideBySide {
		k[keys.InColumns] = fmt.Sprintf("needs %d columns, and there are %d", sideBySide, h.DetailWidth())
	}
	return k
}

func (h *history) Update(msg tea.Msg) tea.Cmd {
	if p, ok := msg.(keys.Press); ok {
		switch p.Action {
		case keys.WithCarved:
			return func() tea.Msg { return carvedMsg{} }
		case keys.ToObject:
			return h.read(objectRead)
		case keys.ToDiff:
			if len(h.Table.Marked) > 0 {
				if _, err := h.marked(); err != "" {
					return widget.Notify(err)
				}
				return h.read(markedRead)
			}
			return h.read(changesRead)
		case keys.Unfold:
			h.look.noise = !h.look.noise
			return h.Detail()
		case keys.InColumns:
			h.look.beside = !h.look.beside
			return h.Detail()
		case keys.Mark:
			if h.reading == markedRead {
				h.reading = changesRead
			}
		}
	}
	if o := h.session.history; o != nil && o.Key != h.key { // another object is not read as the one before was
		h.key, h.reading, h.Opened, h.Table.Pinned = o.Key, changesRead, false, false
		clear(h.Table.Marked)
	}
	if o := h.session.history; o != nil && h.Board.Of != any(o) && o.at != "" {
		h.Table.Selected, h.Table.Pinned = o.at, true
		if o.opened {
			h.reading, h.Opened = changesRead, true
		}
	}
	return h.Board.Update(msg)
}

// read shows something else of a revision, or what it changed when that is shown.
func (h *history) read(r historyReading) tea.Cmd {
	if h.Opened && h.reading == r {
		r = changesRead
	}
	h.reading = r
	h.Table.Pinned, h.Opened = true, true
	h.Pager.Rewind()
	return h.Detail()
}

// marked are the two revisions that are marked, in order, or the marked one and the
// selected; or why there are not two.
func (h *history) marked() ([2]int, string) {
	rows := h.Table.Chosen()
	if row, ok := h.Table.Row(); ok && len(h.Table.Marked) == 1 && !slices.Contains(rows, row) {
		rows = append(rows, row)
	}
	if len(rows) != 2 {
		return [2]int{}, fmt.Sprintf("two revisions are compared: %s marked, %s marks one or takes its mark away", draw.Count(len(h.Table.Marked)), h.Keymap.Key(keys.Mark))
	}
	slices.Sort(rows) // they are listed oldest first
	return [2]int{rows[0], rows[1]}, ""
}

func (h *history) rows(o *shownHistory) widget.Rows {
	r := h.historyRows(o)
	r.Load = func(row, width int) func() []string {
		t, in, look := h.Theme, h.input, h.look
		switch two, err := h.marked(); {
		case h.reading == objectRead:
			return func() []string { return in.objectThen(t, &o.Entries[row], width) }
		case h.reading == markedRead && err == "":
			return func() []string { return in.differenceOf(t, &o.Entries[two[0]], &o.Entries[two[1]], look, width) }
		}
		lines := h.session.happening(o, row, look, width)
		return func() []string { return lines }
	}
	r.Saved = func(row int) widget.Export {
		e := &o.Entries[row]
		if h.reading != objectRead || e.Tombstone {
			return widget.Export{}
		}
		in, key := h.input, keyOf(h.input.Prefix, e.Key)
		name, without := lists.Title(key), ""
		if isSecret(key) {
			without = ", without what it holds"
		}
		return widget.Export{
			What: name + " at revision " + entryName(e) + without, File: widget.FileName(name+"-"+entryName(e)) + ".yaml",
			Later: func() string { return sanitize.WholeText(in.side(e.Side).yaml(in.Prefix, e.Record)) },
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
func (in *Input) objectThen(t *draw.Theme, e *histories.Entry, width int) []string {
	lines := []string{t.Heading("At revision "+entryName(e), width)}
	if e.Tombstone {
		return append(lines, "It was deleted at this revision.")
	}
	text := in.side(e.Side).yaml(in.Prefix, e.Record)
	for line := range strings.Lines(strings.ReplaceAll(sanitize.Text(text), "\t", "    ")) {
		lines = append(lines, draw.HangLine(strings.TrimSuffix(line, "\n"), width)...)
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
func (in *Input) differenceOf(t *draw.Theme, b, a *histories.Entry, look changesLook, width int) []string {
	lines := []string{t.Heading("From revision "+entryName(b)+" to "+entryName(a), width)}
	x, errX := in.histories().Value(b)
	y, errY := in.histories().Value(a)
	if err := cmp.Or(errX, errY); err != nil {
		return append(lines, draw.PaintAll(t.Warning, draw.Wrap(err.Error(), width))...)
	}
	lines = append(lines, t.Facts(width, "before", b.When.String(), "after", a.When.String())...)
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
		lines = append(lines, draw.Wrap("Deleted and created anew between the two: another object of the same name.", width)...)
	}
	if d.Problem != "" {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap("Not read in full, so that more may differ: "+d.Problem, width))...)
	}
	return append(append(lines, ""), changes(t, d.Changes, look, width)...)
}

func (s *session) historyRows(h *shownHistory) widget.Rows {
	list, about := h.Entries, h.Key
	if h.Carved {
		about += ", with carved revisions"
	}
	return widget.Rows{
		About: about,
		Id:    func(row int) string { return entryName(&list[row]) },
		Count: len(list),
		Cell: func(row, column int) string {
			e := &list[row]
			switch column {
			case 0:
				return e.Revision.String()
			case 1:
				return draw.Count(e.Generation)
			case 2:
				return string(e.What)
			case 3:
				return draw.ZeroAsDash(e.Fields)
			case 4:
				return draw.OrDash(e.By)
			case 5:
				return brief(e.When)
			}
			return e.Source
		},
		Compare: func(a, b, column int) int {
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
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			switch e := &list[row]; {
			case e.Carved:
				return severity(t, restore.Warning)
			case e.Tombstone:
				return severity(t, restore.Critical)
			}
			return severity(t, restore.OK)
		},
	}
}

// happening tells what a revision changed.
func (s *session) happening(h *shownHistory, row int, look changesLook, width int) []string {
	t, e := s.Theme, &h.Entries[row]
	lines := []string{t.Heading("Revision "+entryName(e)+": "+string(e.What), width)}
	lines = append(lines, t.Facts(width, "written", e.When.String(), "by", e.By, "in", e.Source,
		"life", fmt.Sprintf("%s of those that are retained", ordinal(e.Generation)), "version", draw.Positive(e.Version), "since", created(e.CreateRevision), "uid", e.UID, "problem", e.Problem)...)
	if e.Carved {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap("Carved from a page that nothing leads to any more.", width))...)
	}
	lines = append(lines, "")
	switch {
	case e.Before >= 0 && !e.Tombstone:
		lines = append(lines, t.Dim.Paint(t.Cut("Compared with revision "+entryName(&h.Entries[e.Before])+", the one before it here:", width)))
		lines = append(lines, changes(t, e.Changes, look, width)...)
	case e.Tombstone:
		lines = append(lines, s.deletion(e, width)...)
	case e.Version > 1:
		lines = append(lines, draw.Wrap("What it changed is not known: the version before it is not there any more.", width)...)
	default:
		lines = append(lines, draw.Wrap(fmt.Sprintf("Created. %s shows the object.", s.Keymap.Key(keys.ToObject)), width)...)
	}
	return lines
}

// deletion tells what is known of who deleted an object, and what is only inferred.
func (s *session) deletion(e *histories.Entry, width int) []string {
	t, d := s.Theme, e.Deletion
	if d == nil {
		text := "Deleted. Who did is not stored"
		if e.Unexplained != "" {
			text += ", and nothing tells why: " + e.Unexplained
		}
		return draw.Wrap(text+".", width)
	}
	lines := draw.Wrap("Deleted. Who asked for it is not stored; what was so right before it may tell:", width)
	if d.Asked > 0 {
		lines = append(lines, draw.Item("- ", fmt.Sprintf("It was being deleted since revision %s (deletionTimestamp %s).", draw.Count(d.Asked), d.For.UTC().Format("2006-01-02 15:04:05Z")), width)...)
	}
	for _, c := range d.Causes {
		lines = append(lines, draw.PaintAll(t.Bold, draw.Item("- ", fmt.Sprintf("Inferred: %s (%s, revision %s)", c.Text, c.Key, draw.Count(c.Revision)), width))...)
	}
	if d.Owned != "" {
		lines = append(lines, draw.Item("- ", fmt.Sprintf("Its owner %s was there and stayed: it may have deleted it, as controllers do when they are scaled down or roll out, or a person did.", d.Owned), width)...)
	}
	if d.Asked == 0 && len(d.Causes) == 0 && d.Owned == "" {
		lines = append(lines, draw.Item("- ", "Its namespace and its owners were not being deleted: a person or a controller deleted the object itself.", width)...)
	}
	return append(lines, "", t.Dim.Paint(t.Cut(s.Keymap.Key(keys.ToObject)+" on the revision before it shows what was there.", width)))
}

// ordinal is a number in a row.
func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return draw.Count(n) + "st"
	case n%10 == 2 && n%100 != 12:
		return draw.Count(n) + "nd"
	case n%10 == 3 && n%100 != 13:
		return draw.Count(n) + "rd"
	}
	return draw.Count(n) + "th"
}

func created(revision int64) string {
	if revision == 0 {
		return ""
	}
	return "created at revision " + draw.Count(revision)
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
