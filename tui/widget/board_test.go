package widget

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"revenant/tui/draw"
	"revenant/tui/keys"
)

// boardOf lists names, and has a letter in detail as often as its name says.
func boardOf(t testing.TB, width, height int, names ...string) *Board {
	u := &UI{Theme: draw.NewTheme(true, colorprofile.ASCII, draw.ASCIIGlyphs, draw.DefaultLook), Keymap: keys.Default}
	b := NewBoard(u, Listing{
		Title: "names", Noun: "name", Waiting: "reading", Columns: []Column{{Title: "NAME", Key: "N", Min: 4}},
		Of: func() any { return len(names) },
		Rows: func() Rows {
			return Rows{
				Count:  len(names),
				Cell:   func(row, _ int) string { return names[row] },
				ID:     func(row int) string { return names[row] },
				Detail: func(row, _ int) []string { return []string{"detail of " + names[row]} },
				Links: func(row int) func(keys.Action) tea.Cmd {
					if names[row] == "b" {
						return nil
					}
					return func(a keys.Action) tea.Cmd { return Notify(string(a) + " of " + names[row]) }
				},
			}
		},
		Empty: func() string { return "There is no name." },
	})
	b.SetSize(width, height)
	return b
}

// run does what a command brings, and returns the notice.
func (b *Board) run(cmd tea.Cmd) (notice string) {
	for cmd != nil {
		msg := cmd()
		if text, ok := msg.(NoticeMsg); ok {
			return string(text)
		}
		cmd = b.Update(msg)
	}
	return ""
}

func (b *Board) screen() string { return strings.Join(unpaintedLines(b.View()), "\n") }

func unpaintedLines(lines []string) []string { return strings.Split(unpainted(lines), "\n") }

func TestBoard(t *testing.T) {
	for _, tt := range []struct {
		name          string
		width, height int
		beside        bool // the detail is to be seen without opening it
	}{{"in place", 80, 24, false}, {"below", 80, 40, true}, {"beside", 160, 24, true}} {
		t.Run(tt.name, func(t *testing.T) {
			b := boardOf(t, tt.width, tt.height, "a", "b", "c")
			if !strings.Contains(b.screen(), "reading") {
				t.Errorf("nothing says that it is being read:\n%s", b.screen())
			}
			b.run(b.Update(nil))
			b.run(b.Update(keys.Press{Action: keys.Down}))
			if shown := strings.Contains(b.screen(), "detail of b"); shown != tt.beside || !strings.Contains(b.screen(), "3 of 3 names") {
				t.Errorf("the detail is shown: %v\n%s", shown, b.screen())
			}
			b.run(b.Update(keys.Press{Action: keys.Open}))
			if !strings.Contains(b.screen(), "detail of b") || b.Location() != "b" {
				t.Errorf("not opened: %q\n%s", b.Location(), b.screen())
			}
			if e := b.Export(true); e.Text != "detail of b\n" || e.File != "names-b.txt" {
				t.Errorf("saved: %+v", e)
			}
			if why := b.Keys()[keys.ToObject]; why != "no object is selected" {
				t.Errorf("a row of no object leads on: %q", why)
			}
			b.run(b.Update(keys.Press{Action: keys.Back}))
			b.run(b.Update(keys.Press{Action: keys.Top}))
			if got := b.run(b.Update(keys.Press{Action: keys.HistoryOf})); b.Location() != "" || got != "history of a" {
				t.Errorf("%q is opened, and one goes to %q", b.Location(), got)
			}
			b.run(b.Update(FilterMsg("nothing")))
			if !strings.Contains(b.screen(), `None matches "nothing"`) {
				t.Errorf("nothing says that none matches:\n%s", b.screen())
			}
			for i, line := range unpaintedLines(b.View()) {
				if len(line) > tt.width {
					t.Errorf("line %d has %d columns", i, len(line))
				}
			}
		})
	}
}

func TestBoardEmpty(t *testing.T) {
	b := boardOf(t, 80, 24)
	b.run(b.Update(nil))
	if !strings.Contains(b.screen(), "There is no name.") || b.Keys()[keys.Open] != "the list is empty" {
		t.Errorf("opening: %q\n%s", b.Keys()[keys.Open], b.screen())
	}
}

func TestPager(t *testing.T) {
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	p := Pager{Height: 10}
	for _, step := range []struct {
		action keys.Action
		search string
		top    int
	}{
		{keys.Up, "", 0}, {keys.Down, "", 1}, {keys.PageDown, "", 10}, {keys.HalfDown, "", 15}, {keys.Bottom, "", 90}, {keys.Down, "", 90},
		{"", "LINE 42", 39}, {keys.NextHit, "", 39}, {keys.Top, "", 0}, {"", "nothing", 0}, {keys.LastHit, "", 0},
	} {
		if step.action == "" {
			p.Search(step.search, lines)
		} else {
			p.Move(step.action, lines)
		}
		if p.Top != step.top {
			t.Errorf("after %q %q line %d is at the top, not %d", step.action, step.search, p.Top, step.top)
		}
	}
	if why := (&Pager{Height: 10}).Actions(keys.Set{}, 3)[keys.Down]; why == "" {
		t.Error("three lines of ten can be scrolled")
	}
}

// TestPagerFlow: where there is room, lines go on in a column beside the first.
func TestPagerFlow(t *testing.T) {
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	theme := draw.NewTheme(true, colorprofile.ASCII, draw.ASCIIGlyphs, draw.DefaultLook)
	for _, tt := range []struct{ width, lineWidth, columns int }{{40, 40, 1}, {145, 145, 1}, {146, 72, 2}, {300, 73, 4}} {
		p := Pager{Height: 10}
		if got := p.Flow(tt.width, false); got != tt.lineWidth || p.Span() != 10*tt.columns {
			t.Errorf("in %d columns lines are %d wide, %d at once", tt.width, got, p.Span())
		}
		view := unpaintedLines(p.Window(theme, lines))[:10]
		want := ""
		for c := range tt.columns {
			want += fmt.Sprintf("%-*s", tt.lineWidth+flowGap, fmt.Sprintf(" line %d", 3+10*c))
		}
		if got := strings.TrimRight(view[3], " "); len(p.Window(theme, lines)) != 10 || got != strings.TrimRight(want, " ") {
			t.Errorf("in %d columns, %d lines, and one is\n%q, not\n%q", tt.width, len(view), got, want)
		}
		p.Move(keys.Bottom, lines)
		if view := unpaintedLines(p.Window(theme, lines)); !strings.Contains(view[9], "line 99") || p.Top != 100-10*tt.columns {
			t.Errorf("in %d columns the last line is %q", tt.width, view[9])
		}
		if view := p.Window(theme, lines[:13]); len(view) != 10 {
			t.Errorf("in %d columns thirteen lines take %d", tt.width, len(view))
		}
		if p.Flow(tt.width, true) != tt.width || p.Span() != 10 {
			t.Errorf("in %d columns one column has %d lines", tt.width, p.Span())
		}
		p.Flow(tt.width, false)
		if p.Search("line 15", lines); p.Top > 15 || p.Top+p.Span() <= 15 {
			t.Errorf("in %d columns the match is not to be seen: %d", tt.width, p.Top)
		}
	}
}
