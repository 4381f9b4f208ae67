package shell

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
)

// hints is the bottom line: what can be done here, as far as there is room, and
// at the right what can be done everywhere.
func hints(s *session.Session, taken keys.Set, width int) string {
	const gap = 2
	t := s.Theme
	var always, here []string
	room := width
	everywhere := []keys.Action{keys.Command, keys.Help, keys.Quit}
	for i := range s.Keymap {
		if b := &s.Keymap[i]; slices.Contains(everywhere, b.Action) {
			always = append(always, t.Hint(b.Hint))
			room -= len(b.Hint) + gap
		}
	}
	for i := range s.Keymap {
		b := &s.Keymap[i]
		if b.Hint == "" || slices.Contains(everywhere, b.Action) || b.Blocked(taken) != "" || len(b.Hint)+gap > room {
			continue
		}
		here = append(here, t.Hint(b.Hint))
		room -= len(b.Hint) + gap
	}
	return t.Spread(strings.Join(here, "  "), strings.Join(always, "  "), width)
}

// View draws the whole terminal.
func (m *model) View() tea.View {
	var v tea.View
	v.AltScreen = true
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	lines := m.lines()
	for i, line := range lines {
		lines[i] = m.Theme.Cut(line, m.width)
	}
	v.SetContent(strings.Join(lines, "\n"))
	if m.prompt != nil && !m.tooSmall() {
		v.Cursor = m.prompt.Cursor(m.width, m.height-1)
	}
	return v
}

func (m *model) lines() []string {
	if m.tooSmall() && m.Input != nil && m.opening == nil && m.height > 1 {
		return m.part()
	}
	if m.tooSmall() {
		return draw.Wrap(fmt.Sprintf("The terminal is too small: %dx%d, at least %dx%d is needed. q quits.", m.width, m.height, minWidth, minHeight), m.width)
	}
	if m.opening != nil {
		return m.opening.loading.lines(m.Theme, m.width, m.height)
	}
	if m.Input == nil {
		return m.loading.lines(m.Theme, m.width, m.height)
	}
	body := m.shown().View()
	height := m.height - m.chrome(m.screens[m.at])
	lines := append(make([]string, 0, m.height), m.header())
	for i := range height {
		if i < len(body) {
			lines = append(lines, body[i])
			continue
		}
		lines = append(lines, "")
	}
	lines = append(lines, m.planBar()...)
	if m.prompt != nil { // what is wrong stands right above where it is corrected
		problem := draw.Margin(m.prompt.Problem(m.Theme, m.width-2))
		lines = append(lines[:len(lines)-min(len(problem), len(lines))], problem...)
	}
	return append(lines, m.bottomLine())
}

// part is as much of the screen as there is room for, where that is too little for all of it: the
// beginnings of the lines, without what stands above and below.
func (m *model) part() []string {
	lines := make([]string, m.height)
	copy(lines[:m.height-1], m.shown().View())
	last := &lines[m.height-1]
	switch {
	case m.prompt != nil:
		*last = m.prompt.Line(m.Theme, m.width)
	case m.message != "":
		*last = m.message
	default:
		*last = m.Theme.Dim.Paint(m.Theme.Cut(fmt.Sprintf("too small: %dx%d shows all", minWidth, minHeight), m.width))
	}
	return lines
}

// header says where one is, names the screens, and the evidence where there is room.
func (m *model) header() string {
	t := m.Theme
	right := ""
	for _, tab := range m.tabs() {
		right += tab.style.Paint(tab.text)
	}
	lead := m.damaged()
	if lead != "" {
		lead = t.Critical.Paint(lead) + "  "
	}
	room := m.width - ansi.StringWidth(right) - ansi.StringWidth(lead) - 2
	crumbs := m.crumbs(room)
	line := " " + lead + t.Bold.Paint(crumbs)
	whole, apart := m.screens[m.at].(session.Whole)
	if rest := room - ansi.StringWidth(crumbs) - 2; rest > 16 && (!apart || whole.OfFiles()) {
		line += "  " + t.Dim.Paint(m.fileNames(rest))
	}
	return t.Spread(line, right, m.width)
}

// crumbs is the way from the screen that one came from to what is shown.
func (m *model) crumbs(room int) string {
	t := m.Theme
	var parts []string
	for _, i := range m.trail[max(len(m.trail)-2, 0):] {
		parts = append(parts, registry[i].titled(m.Input))
	}
	parts = append(parts, registry[m.at].titled(m.Input))
	if c, ok := m.screens[m.at].(session.Located); ok && c.Location() != "" {
		parts = append(parts, draw.Safe(c.Location()))
	}
	switch m.over.(type) {
	case *helpScreen:
		parts = append(parts, "Help")
	case *paletteScreen:
		parts = append(parts, "Find")
	}
	for len(parts) > 1 && ansi.StringWidth(strings.Join(parts, " > ")) > room {
		parts = parts[1:]
	}
	return t.Cut(strings.Join(parts, " "+t.Crumb+" "), room)
}

// tab is a screen in the header.
type tab struct {
	screen int
	text   string
	style  draw.Style
}

// The columns that the header leaves at least for where one is, beside the names of the
// screens apart, and close together.
const (
	besideNames = 50
	besideClose = 18
)

// tabs are the screens that have a number, by name where there is room, and the one shown.
func (m *model) tabs() []tab {
	for _, form := range []struct {
		left, right string
		beside      int
	}{{" ", " ", besideNames}, {"", " ", besideClose + ansi.StringWidth(m.damaged())}} {
		list := m.tabsAs(form.left, form.right, true)
		width := 0
		for _, tab := range list {
			width += ansi.StringWidth(tab.text)
		}
		if width+form.beside <= m.width {
			return list
		}
	}
	return m.tabsAs(" ", " ", false)
}

func (m *model) tabsAs(left, right string, names bool) []tab {
	t := m.Theme
	var list []tab
	for i := range registry {
		e := &registry[i]
		title := e.titled(m.Input)
		if e.key != "" {
			title = e.key + ":" + title
		}
		switch {
		case i == m.at:
			list = append(list, tab{i, left + title + right, t.Selected + t.Bold})
		case e.key == "":
		case names:
			list = append(list, tab{i, left + title + right, t.Dim})
		default:
			list = append(list, tab{i, " " + e.key, t.Dim})
		}
	}
	return list
}

// damaged says of which snapshots a check has failed so far.
func (m *model) damaged() string {
	var names []string
	for i := range m.Files {
		if m.Files[i].Verified && m.Files[i].Integrity.Bad() {
			names = append(names, m.Input.Role(i))
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case m.Input.Alone() != "":
		return "damaged"
	}
	return "damaged: " + strings.Join(names, ", ")
}

// fileNames are those of the files, without their directories if need be.
func (m *model) fileNames(room int) string {
	names := func(short bool) string {
		var list []string
		for _, i := range m.Input.Chosen() {
			name := draw.Safe(m.Source(i).Snapshot.Path())
			if short {
				name = name[strings.LastIndexAny(name, `/\`)+1:]
			}
			list = append(list, name)
		}
		return strings.Join(list, " "+m.Theme.Arrow+" ")
	}
	if long := names(false); ansi.StringWidth(long) <= room {
		return long
	}
	return m.Theme.Cut(names(true), room)
}

func (m *model) bottomLine() string {
	t := m.Theme
	switch {
	case m.prompt != nil:
		return m.prompt.Line(t, m.width)
	case m.message != "":
		return " " + t.Cut(m.message, m.width-2)
	}
	return " " + hints(m.Session, m.taken(), m.width-2) + " "
}
