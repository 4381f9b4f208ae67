package files

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen lists the files, with what they hold between them below.
type Screen struct {
	*session.Session
	*widget.Board
	width, height int
	drawn         shared.Drawn // what is below the list
	room          int          // lines of the list
}

// of is what the rows are made of.
type of struct {
	in      *session.Input
	checked int // files whose integrity is known
}

// New makes the screen.
func New(s *session.Session) session.Screen {
	f := &Screen{Session: s}
	f.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "files", Noun: "file", Waiting: "listing the files",
		Columns: []widget.Column{
			{Title: "FILE", Key: "F", Min: 12, Max: 60},
			{Title: "REVISION", Key: "O", Min: 8, Right: true},
			{Title: "COMPACTED", Key: "C", Min: 9, Drop: 2, Right: true},
			{Title: "TAKEN", Key: "A", Min: 20, Max: 30},
			{Title: "BRANCH", Key: "B", Min: 6, Max: 24, Drop: 3},
			{Title: "STATUS", Key: "S", Min: 7, Desc: true},
		},
		Of:    func() any { return of{s.Input, checked(s)} },
		Rows:  func() widget.Rows { return rowsOf(s, list(s)) },
		Empty: func() string { return "No file is given." },
	})
	f.selectMember(s.Input.Members[1])
	return f
}

// selectMember selects a member of the series, where there is one.
func (f *Screen) selectMember(i int) {
	if s := f.Input.Series; s != nil {
		f.Table.Selected, f.Table.Pinned = s.Members[i].Name, true
	}
}

func checked(s *session.Session) (n int) {
	for i := range s.Files {
		if s.Files[i].Verified {
			n++
		}
	}
	return n
}

// SetSize says how many columns and lines there are.
func (f *Screen) SetSize(width, height int) {
	f.width, f.height, f.drawn = width, height, shared.Drawn{}
	f.fit()
}

// fit leaves the list what the lines below it do not take.
func (f *Screen) fit() {
	if room := max(f.height-len(f.below()), 0); room != f.room || f.width != f.Board.Width {
		f.room = room
		f.Board.SetSize(f.width, room)
	}
}

// Keys lists the actions that Update takes.
func (f *Screen) Keys() keys.Set {
	k := f.Board.Keys()
	why := ""
	if _, ok := f.Table.Row(); !ok {
		why = "no file is selected"
	}
	if f.Input.Series == nil {
		why = "needs more files than two (revenant FILE FILE FILE)"
	} else {
		k[keys.CopyOut] = f.Keymap.Key(keys.AsCurrent) + " chooses the newest state here (:copy copies)"
	}
	k[keys.AsBackup], k[keys.AsCurrent] = why, why
	return k
}

// Update takes a press of one of Keys, and every message.
func (f *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case keys.Press:
		if row, ok := f.Table.Row(); ok && f.Input.Series != nil {
			switch at := f.Input.Members; msg.Action {
			case keys.AsBackup:
				return f.choose(session.PairMsg{Backup: row, Current: at[1], Chosen: row})
			case keys.AsCurrent:
				return f.choose(session.PairMsg{Backup: at[0], Current: row, Chosen: row})
			}
		}
	case session.PairMsg:
		f.selectMember(msg.Chosen)
	}
	f.fit()
	return f.Board.Update(msg)
}

// choose asks for another pair, or says why it is none.
func (f *Screen) choose(msg session.PairMsg) tea.Cmd {
	names := f.Input.Series.Names()
	switch was := f.Input.Members; {
	case msg.Backup == was[0] && msg.Current == was[1]:
		return widget.Notify(names[msg.Chosen] + " is that already")
	case msg.Backup == session.NoMember:
		return widget.Notify("no backup is chosen: " + f.Keymap.Key(keys.AsBackup) + " on another file does")
	case msg.Backup == msg.Current:
		return widget.Notify(names[msg.Chosen] + " cannot be both: a restore needs a backup, and a newer state that it undoes")
	}
	return func() tea.Msg { return msg }
}

// View draws the list, and below it what the files hold.
func (f *Screen) View() []string {
	lines := f.Board.View()
	for len(lines) < f.room {
		lines = append(lines, "")
	}
	return append(lines[:f.room], f.below()...)
}

// file is a row.
type file struct {
	path, name        string
	revision, compact int64
	taken             string // when, in few columns
	takenFull         string
	at                int64 // when, for sorting
	branch            string
	parted            string // how it is of another history, in a sentence
	damaged           bool
	role              string
}

func (f *file) is() string {
	switch {
	case f.damaged && f.role != "":
		return f.role + ", damaged"
	case f.damaged:
		return "damaged"
	}
	return f.role
}

func rowsOf(s *session.Session, list []file) widget.Rows {
	return widget.Rows{
		Count: len(list),
		ID:    func(row int) string { return list[row].path },
		Cell: func(row, column int) string {
			f := &list[row]
			return []string{f.name, words.Number(f.revision), words.NumberOrDash(f.compact), f.taken, words.OrDash(f.branch), f.is()}[column]
		},
		Compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 0:
				return cmp.Compare(a, b) // in their order
			case 1:
				return cmp.Compare(x.revision, y.revision)
			case 2:
				return cmp.Compare(x.compact, y.compact)
			case 3:
				return cmp.Compare(x.at, y.at)
			case 4:
				return strings.Compare(x.branch, y.branch)
			}
			return strings.Compare(y.is(), x.is())
		},
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			switch f := &list[row]; {
			case f.damaged:
				return shared.Severity(t, restore.Critical)
			case f.branch != "":
				return shared.Severity(t, restore.Warning)
			}
			return shared.Severity(t, restore.OK)
		},
		Detail: func(row, width int) []string { return detail(s, &list[row], width) },
	}
}

// detail tells all of a file.
func detail(s *session.Session, f *file, width int) []string {
	t := s.Theme
	held := "every state up to revision " + words.Number(f.revision)
	if f.compact > 0 {
		held = fmt.Sprintf("the states from revision %s to %s", words.Number(f.compact), words.Number(f.revision))
	}
	lines := append([]string{t.Heading(draw.Safe(f.name), width)}, t.Facts(width, "file", f.path, "holds", held, "taken", f.takenFull, "is", f.role)...)
	if f.damaged {
		lines = append(lines, draw.PaintAll(t.Critical, draw.Wrap("Damaged: what could be read of it is shown. revenant inspect says what is wrong.", width))...)
	}
	if f.parted != "" {
		lines = append(lines, draw.Wrap(f.parted, width)...)
	}
	return lines
}
