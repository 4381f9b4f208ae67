package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/history"
	"revenant/analyzer/objects"
	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen shows the revisions of one object.
type Screen struct {
	*session.Session
	*widget.Board
	reading historyReading
	look    shared.ChangesLook
	key     string // whose history is shown
	lines   []line // of the history shown
}

// historyReading is what the detail shows of a revision.
type historyReading int

const (
	changesRead historyReading = iota // what it changed, and who did
	objectRead                        // the object as it was then
	markedRead                        // what differs between the two that are marked
)

// New makes the screen.
func New(s *session.Session) session.Screen {
	h := &Screen{Session: s, look: shared.ChangesLook{Unfold: s.Keymap.Key(keys.Unfold)}}
	h.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "history", Noun: "revision", Waiting: "no object was chosen: H on one of the objects (6) or outcomes (3) shows its history",
		Columns: []widget.Column{
			{Title: "REVISION", Key: "O", Min: 10, Desc: true},
			{Title: "LIFE", Key: "L", Min: 6, Drop: 2, Right: true, Desc: true},
			{Title: "WHAT", Key: "A", Min: 8},
			{Title: "FIELDS", Key: "F", Min: 8, Drop: 3, Right: true, Desc: true},
			{Title: "BY", Key: "B", Min: 16, Max: 40},
			{Title: "WHEN", Key: "W", Min: 24, Max: 34, Desc: true},
			{Title: "IN", Key: "N", Min: 7},
		},
		Of: func() any {
			if s.History == nil {
				return nil
			}
			return s.History
		},
		Rows:  func() widget.Rows { return h.rows(s.History) },
		Empty: func() string { return "No revision of it is retained." },
	})
	return h
}

// SetSize says how many columns and lines there are.
func (h *Screen) SetSize(width, height int) {
	h.Board.SetSize(width, height)
	h.redraw()
}

// redraw draws the detail again where that takes no reading: what is read is drawn
// when it is asked for.
func (h *Screen) redraw() {
	if row, ok := h.Table.Row(); ok && h.Session.History != nil && h.reading == changesRead && row < len(h.lines) && h.Board.Of == any(h.Session.History) {
		h.SetLines(h.change(row, h.DetailWidth()))
	}
}

// Keys lists the actions that Update takes.
func (h *Screen) Keys() keys.Set {
	k := h.Board.Keys()
	if h.Session.History == nil {
		k[keys.WithCarved] = "no object was chosen"
		return k
	}
	k.Offer(keys.WithCarved)
	why := ""
	if row, ok := h.Table.Row(); !ok || row >= len(h.lines) || h.lines[row].note != "" {
		why = "no revision is selected"
	}
	k[keys.ToDiff], k[keys.ToObject], k[keys.Unfold] = why, why, why
	if k[keys.InColumns] = why; why == "" && h.DetailWidth() < shared.SideBySide {
		k[keys.InColumns] = fmt.Sprintf("needs %d columns, and there are %d", shared.SideBySide, h.DetailWidth())
	}
	return k
}

// Update takes a press of one of Keys, and every message.
func (h *Screen) Update(msg tea.Msg) tea.Cmd {
	if p, ok := msg.(keys.Press); ok {
		switch p.Action {
		case keys.WithCarved:
			said := "reading with what is carved from free pages" + h.Theme.Ellipsis
			if h.Session.History.Carved {
				said = "without carved revisions"
			}
			return tea.Batch(widget.Notify(said), func() tea.Msg { return session.CarvedMsg{} })
		case keys.ToObject:
			return h.read(objectRead)
		case keys.ToDiff:
			if len(h.Table.Marked) > 0 {
				if _, err := h.marked(); err != "" {
					return widget.Notify(err)
				}
				return h.read(markedRead)
			}
			if h.Opened && h.reading == changesRead && h.Pager.Top == 0 {
				return widget.Notify("this is what the revision changed")
			}
			return h.read(changesRead)
		case keys.Unfold:
			h.look.Noise = !h.look.Noise
			return tea.Batch(h.Detail(), h.look.Said())
		case keys.InColumns:
			h.look.Beside = !h.look.Beside
			return tea.Batch(h.Detail(), h.look.SaidBeside())
		case keys.Mark:
			if h.reading == markedRead {
				h.reading = changesRead
			}
		}
	}
	if o := h.Session.History; o != nil && o.Key != h.key { // another object is not read as the one before was
		h.key, h.reading, h.Opened, h.Table.Pinned = o.Key, changesRead, false, false
		clear(h.Table.Marked)
	}
	if o := h.Session.History; o != nil && h.Board.Of != any(o) && o.At != "" {
		h.Table.Selected, h.Table.Pinned = o.At, true
		if o.Opened {
			h.reading, h.Opened = changesRead, true
		}
	}
	return h.Board.Update(msg)
}

// read shows something else of a revision, or what it changed when that is shown.
func (h *Screen) read(r historyReading) tea.Cmd {
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
func (h *Screen) marked() ([2]int, string) {
	rows := h.Table.Chosen()
	if row, ok := h.Table.Row(); ok && len(h.Table.Marked) == 1 && !slices.Contains(rows, row) {
		rows = append(rows, row)
	}
	if len(rows) != 2 {
		return [2]int{}, fmt.Sprintf("two revisions are compared: %s marked, %s marks one or takes its mark away", words.Number(len(h.Table.Marked)), h.Keymap.Key(keys.Mark))
	}
	slices.Sort(rows) // they are listed oldest first
	two := [2]int{h.lines[rows[0]].entry, h.lines[rows[1]].entry}
	if h.lines[rows[0]].note != "" || h.lines[rows[1]].note != "" {
		return two, "two revisions are compared: what is in no file cannot be"
	}
	return two, ""
}

// change tells what a line is about: a revision, or what is in no file.
func (h *Screen) change(row, width int) []string {
	l := &h.lines[row]
	if l.note == "" {
		return change(h.Session, h.Session.History, l.entry, h.look, width)
	}
	return append([]string{h.Theme.Heading("In no file", width)}, draw.Wrap(words.Sentence(l.note)+".", width)...)
}

func (h *Screen) rows(o *session.History) widget.Rows {
	h.lines, h.Noun = linesOf(o), "revision"
	if len(h.lines) > len(o.Entries) {
		h.Noun = "row"
	}
	r := historyRows(o, h.lines)
	r.Load = func(row, width int) func() []string {
		t, v, look, l := h.Theme, o.From, h.look, h.lines[row]
		switch two, err := h.marked(); {
		case h.reading == objectRead && l.note == "":
			return func() []string { return shared.ObjectThen(v, t, &o.Entries[l.entry], width) }
		case h.reading == markedRead && err == "":
			return func() []string {
				return shared.DifferenceOf(v, t, &o.Entries[two[0]], &o.Entries[two[1]], look, width)
			}
		}
		lines := h.change(row, width)
		return func() []string { return lines }
	}
	r.Saved = func(row int) widget.Export {
		v, e := o.From, &o.Entries[h.lines[row].entry]
		if h.reading != objectRead || e.Tombstone || h.lines[row].note != "" {
			return widget.Export{}
		}
		key := shared.KeyOf(h.Input.Prefix, e.Key)
		name, without := objects.Title(key), ""
		if shared.IsSecret(key) {
			without = ", without what it holds"
		}
		taken := &shared.Taken{Prefix: v.Prefix, Key: e.Key, From: name + " at revision " + v.Name(e), Newest: h.Current()}
		if list := h.Objects; list != nil {
			taken.Catalog = list.Catalog
		}
		written := func(write func([]byte) string) func() string {
			return func() string {
				value, err := v.Value(e)
				if err != nil {
					return err.Error()
				}
				return write(value)
			}
		}
		return widget.Export{
			What: name + " at revision " + v.Name(e) + without, File: widget.FileName(name+"-"+v.Name(e)) + ".yaml",
			Later: written(taken.Manifest), Raw: written(taken.Stored),
		}
	}
	return r
}

// line is a row of the list: a revision, or a note on what is in no file.
type line struct {
	entry int    // the place of the revision, of a note of the one that it is beside
	rank  int    // among those of one revision, oldest first
	note  string // "" for the revision
	brief string // of the note, in few columns
	gone  *history.Gone
}

// cell is what a note says in a column.
func (l *line) cell(column int) string {
	switch {
	case column == 2:
		return l.brief
	case column == 6:
		return "no file"
	case column == 0 && l.gone != nil:
		return fmt.Sprintf("%d-%d", l.gone.After, l.gone.Before)
	case column == 5 && l.gone != nil:
		return session.Brief(l.gone.When)
	}
	return ""
}

// linesOf lists a history, oldest first, with what is in no file.
func linesOf(h *session.History) (list []line) {
	for i := range h.Entries {
		e := &h.Entries[i]
		if e.Gone != nil {
			list = append(list, line{i, 0, goneText(e.Gone), "deleted", e.Gone})
		}
		if e.Unseen > 0 {
			list = append(list, line{i, 1, words.CountOf(e.Unseen, "write is in no file", "writes are in no file"), words.Count(e.Unseen, "write"), nil})
		}
		list = append(list, line{entry: i, rank: 2})
	}
	if h.Gone != nil && len(h.Entries) > 0 {
		list = append(list, line{len(h.Entries) - 1, 3, goneText(h.Gone), "deleted", h.Gone})
	}
	return list
}

// goneText says between which revisions an object was deleted.
func goneText(g *history.Gone) string {
	if g.Before <= g.After+1 {
		return fmt.Sprintf("deleted after revision %s, at revision %s: no file holds how", words.Number(g.After), words.Number(g.Before))
	}
	text := fmt.Sprintf("deleted between revisions %s (%s) and %s (%s)", words.Number(g.After), g.Older, words.Number(g.Before), g.Newer)
	if from, to := g.When.From, g.When.To; !from.IsZero() && !to.IsZero() {
		text += ", " + words.Duration(to.Sub(from)) + " apart"
	}
	return text + ": no file holds the time between"
}

// held names the files that have a revision.
func held(h *session.History, e *history.Entry) string {
	all := h.From.Sources
	switch n := len(e.In); {
	case e.Carved || n == 1 || len(all) <= 2:
		return e.Source
	case n == len(all):
		return "all files"
	default:
		return fmt.Sprintf("%s and %s more", all[e.In[0]].Name, words.Number(n-1))
	}
}

func historyRows(h *session.History, lines []line) widget.Rows {
	entry := func(row int) *history.Entry { return &h.Entries[lines[row].entry] }
	about := h.Key
	if h.Carved {
		about += ", with carved revisions"
	}
	if n := len(lines) - len(h.Entries); n > 0 {
		about += "; " + words.Number(n) + " for what is in no file"
	}
	return widget.Rows{
		About: about,
		ID: func(row int) string {
			name := h.From.Name(entry(row))
			if l := lines[row]; l.note != "" {
				name = fmt.Sprintf("in no file %d %s", l.rank, name)
			}
			return name
		},
		Count: len(lines),
		Cell: func(row, column int) string {
			e := entry(row)
			if l := &lines[row]; l.note != "" {
				return l.cell(column)
			}
			switch column {
			case 0:
				return e.Revision.String()
			case 1:
				return words.Number(e.Generation)
			case 2:
				return string(e.What)
			case 3:
				return words.NumberOrDash(e.Fields)
			case 4:
				return words.OrDash(e.By)
			case 5:
				return session.Brief(e.When)
			}
			return held(h, e)
		},
		Compare: func(a, b, column int) int {
			x, y := entry(a), entry(b)
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
			return cmp.Or(cmp.Compare(y.Main, x.Main), cmp.Compare(y.Sub, x.Sub), cmp.Compare(lines[b].rank, lines[a].rank)) // newest first
		},
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			switch e := entry(row); {
			case e.Carved || lines[row].note != "":
				return shared.Severity(t, restore.Warning)
			case e.Tombstone:
				return shared.Severity(t, restore.Critical)
			}
			return shared.Severity(t, restore.OK)
		},
	}
}

// change describes what a revision changed.
func change(s *session.Session, h *session.History, row int, look shared.ChangesLook, width int) []string {
	t, e := s.Theme, &h.Entries[row]
	lines := []string{t.Heading("Revision "+h.From.Name(e)+": "+string(e.What), width)}
	lines = append(lines, t.Facts(width, "written", e.When.String(), "by", e.By, "in", held(h, e),
		"life", fmt.Sprintf("%s of those that are retained", ordinal(e.Generation)), "version", draw.Positive(e.Version), "since", created(e.CreateRevision), "uid", e.UID, "problem", e.Problem)...)
	if e.Carved {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap("Carved from a page that nothing leads to.", width))...)
	}
	lines = append(lines, "")
	switch {
	case e.Before >= 0 && !e.Tombstone:
		lines = append(lines, t.Dim.Paint(t.Cut("Compared with revision "+h.From.Name(&h.Entries[e.Before])+", the one before it here:", width)))
		lines = append(lines, shared.Changes(t, e.Changes, look, width)...)
	case e.Tombstone:
		lines = append(lines, deletion(s, e, width)...)
	case e.Version > 1:
		lines = append(lines, draw.Wrap("What it changed is not known: the version before it is gone.", width)...)
	default:
		lines = append(lines, draw.Wrap(fmt.Sprintf("Created. %s shows the object.", s.Keymap.Key(keys.ToObject)), width)...)
	}
	return lines
}

// deletion tells what is known of who deleted an object, and what is only inferred.
func deletion(s *session.Session, e *history.Entry, width int) []string {
	t, d := s.Theme, e.Deletion
	if d == nil {
		text := "Deleted. Who did is not stored"
		if e.Unexplained != "" {
			text += ", and nothing shows why: " + e.Unexplained
		}
		return draw.Wrap(text+".", width)
	}
	lines := draw.Wrap("Deleted. Who asked for it is not stored; what was so right before it may tell:", width)
	if d.Asked > 0 {
		lines = append(lines, draw.Item("- ", fmt.Sprintf("It was being deleted since revision %s (deletionTimestamp %s).", words.Number(d.Asked), d.For.UTC().Format("2006-01-02 15:04:05Z")), width)...)
	}
	for _, c := range d.Causes {
		lines = append(lines, draw.PaintAll(t.Bold, draw.Item("- ", fmt.Sprintf("Inferred: %s (%s, revision %s)", c.Text, c.Key, words.Number(c.Revision)), width))...)
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
		return words.Number(n) + "st"
	case n%10 == 2 && n%100 != 12:
		return words.Number(n) + "nd"
	case n%10 == 3 && n%100 != 13:
		return words.Number(n) + "rd"
	}
	return words.Number(n) + "th"
}

func created(revision int64) string {
	if revision == 0 {
		return ""
	}
	return "created at revision " + words.Number(revision)
}
