package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// verb is a command of the shell's own.
type verb struct {
	name, args, does string
	run              func(m *model, args []string) tea.Cmd
	complete         func(m *model) []string // the argument, nil where anything goes
}

// verbs are the commands beside the names of the screens, and beside what screens
// take themselves.
func verbs() []verb {
	return []verb{
		{"bump", "N|none|recommended|minimum", "set --bump-revision", (*model).bumpTo, func(*model) []string { return []string{"none", "recommended", "minimum"} }},
		{"copy", "", "copy what is selected or open", func(m *model, _ []string) tea.Cmd { return m.copyOut(m.excerpt(false)) }, nil},
		{"save", "FILE", "save what is listed or open", func(m *model, args []string) tea.Cmd { return m.saveTo(strings.Join(args, " ")) }, nil},
		{"platform", "NAME", "the platform that the runbook is for", (*model).platformTo, func(m *model) []string { return m.input.Platforms }},
		{"theme", "dark|light", "colours for a dark or a light background", (*model).themed, func(*model) []string { return []string{"dark", "light"} }},
		{"help", "", "the keys, and what the outcomes mean", func(m *model, _ []string) tea.Cmd { m.toggleHelp(); return nil }, nil},
		{"quit", "", "quit", func(*model, []string) tea.Cmd { return tea.Quit }, nil},
	}
}

// command does what is typed after a colon.
func (m *model) command(text string) tea.Cmd {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	m.typedCommands = append(slices.DeleteFunc(m.typedCommands, func(was string) bool { return was == text }), text)
	name := strings.ToLower(words[0])
	if name == "q" {
		name = "quit"
	}
	if i := slices.IndexFunc(verbs(), func(v verb) bool { return v.name == name }); i >= 0 {
		return verbs()[i].run(m, words[1:])
	}
	if i := screenNamed(name); i >= 0 && len(words) == 1 {
		m.show(i)
		return nil
	}
	for i, s := range m.screens {
		if c, ok := s.(commander); ok {
			if cmd, ok := c.Command(words); ok {
				m.show(i)
				return cmd
			}
		}
	}
	return widget.Notify(fmt.Sprintf("no command %s: tab after %s lists them, %s finds one by its name", draw.Quoted(text), m.Keymap.Key(keys.Command), m.Keymap.Key(keys.Palette)))
}

// completions are what a command may become.
func (m *model) completions(text string) []string {
	words := strings.Fields(text)
	if len(words) == 0 || strings.HasSuffix(text, " ") {
		words = append(words, "")
	}
	last := words[len(words)-1]
	lead := strings.Join(words[:len(words)-1], " ")
	var list []string
	offer := func(candidates ...string) {
		for _, c := range candidates {
			if whole := strings.TrimLeft(lead+" "+c, " "); strings.HasPrefix(c, last) && !slices.Contains(list, whole) {
				list = append(list, whole)
			}
		}
	}
	if len(words) == 1 {
		for _, e := range registry {
			offer(e.name)
		}
		for _, v := range verbs() {
			offer(v.name)
		}
	}
	for _, v := range verbs() {
		if len(words) == 2 && v.name == words[0] && v.complete != nil {
			offer(v.complete(m)...)
		}
	}
	for _, s := range m.screens {
		if c, ok := s.(commander); ok {
			offer(c.Complete(words)...)
		}
	}
	return list
}

func (m *model) bumpTo(args []string) tea.Cmd {
	if len(args) != 1 {
		return widget.Notify("bump needs a number of revisions, or none, recommended or minimum")
	}
	s := m.plan.suggested()
	n, ok := map[string]int64{"none": 0, "recommended": s.recommended, "minimum": s.minimum}[args[0]]
	switch p := m.prediction; {
	case ok && n == 0 && args[0] != "none" && p != nil && p.Revisions.NoBumpFits != "":
		return widget.Notify(p.Revisions.NoBumpFits)
	case !ok:
		var err error
		if n, err = strconv.ParseInt(strings.NewReplacer(",", "", "_", "").Replace(args[0]), 10, 64); err != nil || n < 0 {
			return widget.Notify(draw.Quoted(args[0]) + " is no number of revisions")
		}
	}
	return m.replan(func() { m.plan.plan.BumpRevision, m.plan.given = n, n })
}

func (m *model) platformTo(args []string) tea.Cmd {
	if len(args) != 1 || !slices.Contains(m.input.Platforms, args[0]) {
		return widget.Notify("the platforms are " + strings.Join(m.input.Platforms, ", "))
	}
	m.platform = args[0]
	m.show(screenNamed("plan"))
	return m.writeRunbook()
}

func (m *model) themed(args []string) tea.Cmd {
	if len(args) != 1 || args[0] != "dark" && args[0] != "light" {
		return widget.Notify("theme needs dark or light")
	}
	m.themeChosen = true
	return m.setTheme(args[0] == "dark")
}

func (m *model) saveTo(path string) tea.Cmd {
	e := m.excerpt(true)
	switch {
	case e.None():
		return widget.Notify("there is nothing to save")
	case path == "":
		return widget.Notify("save needs the name of a file")
	}
	return m.save(path, e)
}

// excerpt is what the screen gives to copy or save.
func (m *model) excerpt(save bool) widget.Export {
	if t, ok := m.shown().(taker); ok {
		return t.Take(save)
	}
	return widget.Export{}
}

// paletteScreen finds commands, screens and keys by their names.
type paletteScreen struct {
	*session
	items         []paletteItem
	found         []int
	at            int
	width, height int
}

// paletteItem is one thing that can be done.
type paletteItem struct {
	name, key, does string
	run             func() tea.Cmd
}

// newPalette lists what can be done here.
func newPalette(m *model) *paletteScreen {
	p := &paletteScreen{session: m.session}
	for i, e := range registry {
		p.items = append(p.items, paletteItem{":" + e.name, e.key, e.does, func() tea.Cmd { m.show(i); return nil }})
	}
	for _, v := range verbs() {
		run := func() tea.Cmd { return v.run(m, nil) }
		if v.args != "" {
			run = func() tea.Cmd { m.askCommand(v.name + " "); return nil }
		}
		p.items = append(p.items, paletteItem{":" + v.name, "", strings.TrimSuffix(v.does+": "+v.args, ": "), run})
	}
	taken := m.taken()
	for _, b := range m.Keymap {
		if b.Action == "" || b.Action == keys.SortBy || b.Action == keys.Number || b.Action == keys.Palette || b.Blocked(taken) != "" {
			continue
		}
		p.items = append(p.items, paletteItem{string(b.Action), b.Label, b.Does, func() tea.Cmd { return m.do(keys.Press{Action: b.Action, Key: b.Keys[0]}) }})
	}
	p.find("")
	return p
}

// find lists the items that hold the words, those whose names begin so first.
func (p *paletteScreen) find(text string) {
	p.found, p.at = nil, 0
	words := strings.Fields(strings.ToLower(text))
	for i := range p.items {
		it := &p.items[i]
		all := strings.ToLower(it.name + " " + it.key + " " + it.does)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
			p.found = append(p.found, i)
		}
	}
	begins := func(i int) int {
		if len(words) > 0 && strings.HasPrefix(strings.TrimPrefix(p.items[i].name, ":"), words[0]) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(p.found, func(a, b int) int { return begins(a) - begins(b) })
}

func (p *paletteScreen) SetSize(width, height int) { p.width, p.height = width, height }

func (p *paletteScreen) Keys() keys.Set { return keys.Set{} }

func (p *paletteScreen) Update(tea.Msg) tea.Cmd { return nil }

func (p *paletteScreen) move(step int) {
	p.at = max(min(p.at+step, len(p.found)-1), 0)
}

func (p *paletteScreen) View() []string {
	t, w := p.Theme, p.width-2
	if len(p.found) == 0 {
		return draw.Margin([]string{t.Heading("What to do", w), t.Dim.Paint("Nothing is called so.")})
	}
	lines := []string{t.Heading(fmt.Sprintf("What to do: %d of %d", p.at+1, len(p.found)), w)}
	const names, keys = 24, 9
	room := p.height - 2
	from := max(p.at-room+1, 0)
	for n, i := range p.found[from:min(from+room, len(p.found))] {
		it := &p.items[i]
		cursor, name := "  ", t.Fit(it.name, names)
		if from+n == p.at {
			cursor, name = t.Cursor+" ", t.Bold.Paint(name)
		}
		lines = append(lines, cursor+name+" "+t.Bold.Paint(t.Fit(it.key, keys))+" "+t.Dim.Paint(t.Cut(draw.Safe(it.does), w-names-keys-4)))
	}
	for len(lines) < p.height-1 {
		lines = append(lines, "")
	}
	return draw.Margin(append(lines, t.Dim.Paint(t.Cut(draw.Safe(p.items[p.found[p.at]].does), w))))
}
