// Package handbook has the screen of the handbook: its chapters, and the words of its
// glossary.
package handbook

import (
	"cmp"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/docs/handbook"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen lists what the handbook has, and shows it.
type Screen struct {
	*widget.Board
	ui    *widget.UI
	items []item            // what it has; nil until somebody looks
	found *handbook.Chapter // that a command asked for; nil for none
	pager widget.Pager
	lines []string
	width int
}

// item is a row: a chapter, or a word of the glossary.
type item struct {
	handbook.Chapter
	kind string
}

// New makes the screen.
func New(s *session.Session) session.Screen {
	x := &Screen{ui: &s.UI}
	x.Board = widget.NewBoard(&s.UI, widget.Listing{
		Title: "handbook", Noun: "text", Waiting: "looking into the handbook",
		Columns: []widget.Column{
			{Title: "NUMBER", Key: "N", Min: 6},
			{Title: "LANGUAGE", Key: "A", Min: 8},
			{Title: "TITLE", Key: "T", Min: 20},
		},
		Of: func() any {
			if x.items == nil {
				return nil
			}
			return &x.items[0]
		},
		Rows:  func() widget.Rows { return x.rows(x.items) },
		Empty: func() string { return "The handbook is empty." },
	})
	return x
}

// Wake lists what the handbook has, for those who look.
func (x *Screen) Wake() tea.Cmd {
	if x.items != nil {
		return nil
	}
	for _, language := range handbook.Languages {
		for _, c := range handbook.Chapters(language) {
			x.items = append(x.items, item{c, "chapter"})
		}
	}
	for _, c := range handbook.Words() {
		x.items = append(x.items, item{c, "word"})
	}
	return x.Refresh()
}

func (x *Screen) rows(list []item) widget.Rows {
	number := func(row int) int { // words come after all chapters
		if n, err := strconv.Atoi(list[row].Number); err == nil && list[row].kind == "chapter" {
			return n
		}
		return len(list)
	}
	language := func(row int) int {
		if list[row].Language == handbook.Languages[0] {
			return 0
		}
		return 1
	}
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
			c := &list[row]
			return []string{cmp.Or(map[bool]string{true: c.Number}[c.kind == "chapter"], c.kind), c.Language, c.Title}[column]
		},
		Compare: func(a, b, column int) int {
			switch column {
			case 0:
				return cmp.Or(language(a)-language(b), number(a)-number(b), a-b)
			case 1:
				return cmp.Or(language(a)-language(b), a-b)
			}
			return strings.Compare(list[a].Title, list[b].Title)
		},
		ID:     func(row int) string { return list[row].Language + " " + list[row].Title },
		Detail: func(row, width int) []string { return x.read(&list[row].Chapter, width) },
	}
}

// read is a text as lines.
func (x *Screen) read(c *handbook.Chapter, width int) []string {
	t := x.ui.Theme
	return c.Lines(min(width, handbook.Widest), handbook.Style{Heading: t.Bold.Paint, Strong: t.Bold.Paint, Code: t.Bold.Paint, Dim: t.Dim.Paint})
}

// OfFiles says that the handbook is of no files; the plan is not below it.
func (x *Screen) OfFiles() bool { return false }

// SetSize says how many columns and lines there are.
func (x *Screen) SetSize(width, height int) {
	x.Board.SetSize(width, height)
	x.width, x.pager.Height = width, height-1
	x.layout()
}

func (x *Screen) layout() {
	if x.found != nil {
		x.lines = x.read(x.found, x.width-2)
	}
}

// Keys lists the actions that Update takes.
func (x *Screen) Keys() keys.Set {
	if x.found != nil {
		return x.pager.Actions(keys.Set{}, len(x.lines)).Offer(keys.Back, keys.Leave, keys.CopyOut, keys.SaveOut)
	}
	return x.Board.Keys()
}

// Update takes a press of one of Keys, and every message.
func (x *Screen) Update(msg tea.Msg) tea.Cmd {
	if x.found == nil {
		return x.Board.Update(msg)
	}
	switch msg := msg.(type) {
	case widget.ThemeMsg:
		x.layout()
	case widget.SearchMsg:
		x.pager.Search(string(msg), x.lines)
		return nil
	case keys.Press:
		if msg.Action == keys.Back || msg.Action == keys.Leave {
			x.found = nil
			return nil
		}
		x.pager.Move(msg.Action, x.lines)
		return nil
	}
	return x.Board.Update(msg)
}

// View draws it.
func (x *Screen) View() []string {
	if x.found != nil {
		return x.pager.Page(x.ui.Theme, x.lines, x.width-2)
	}
	return x.Board.View()
}

// Location is what is read.
func (x *Screen) Location() string {
	if x.found != nil {
		return x.found.Title
	}
	return x.Board.Location()
}

// Export is what is read.
func (x *Screen) Export(save bool) widget.Export {
	if x.found != nil {
		return widget.Export{What: x.found.Title, File: widget.FileName("handbook-"+x.found.Slug) + ".txt", Text: draw.Flat(x.lines)}
	}
	return x.Board.Export(save)
}

const command = "handbook"

// Takes says whether a command is one of its own.
func (x *Screen) Takes(words []string) bool { return words[0] == command }

// CheckCommand says what is wrong with one.
func (x *Screen) CheckCommand(words []string) error {
	if words[0] != command {
		return nil
	}
	_, err := handbook.Find(handbook.Languages[0], strings.Join(words[1:], " "))
	return err
}

// Complete lists what the last of the words may become.
func (x *Screen) Complete(words []string) []string {
	if len(words) != 2 || words[0] != command {
		return nil
	}
	return widget.StartingWith(words[1], handbook.Names(handbook.Languages[0])...)
}

// Command shows what is called so.
func (x *Screen) Command(words []string) (tea.Cmd, bool) {
	if words[0] != command {
		return nil, false
	}
	c, err := handbook.Find(handbook.Languages[0], strings.Join(words[1:], " "))
	if err != nil {
		return widget.Notify(err.Error()), true
	}
	x.found = &c
	x.pager.Rewind()
	x.layout()
	return nil, true
}
