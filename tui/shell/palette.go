package shell

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
)

// paletteScreen finds commands, screens and keys by their names.
type paletteScreen struct {
	*session.Session
	title         string
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
	p := &paletteScreen{Session: m.Session, title: "What to do"}
	for i := range registry {
		e := &registry[i]
		does, _ := e.in(m.Input)
		p.items = append(p.items, paletteItem{":" + e.name, e.key, does, func() tea.Cmd { m.show(i); return nil }})
	}
	for _, v := range m.verbs() {
		p.items = append(p.items, paletteItem{":" + v.name, "", strings.TrimSuffix(v.does+": "+v.args, ": "), m.asked(&v)})
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
		return draw.Margin([]string{t.Heading(p.title, w), t.Dim.Paint("Nothing is called so.")})
	}
	lines := []string{t.Heading(fmt.Sprintf("%s: %d of %d", p.title, p.at+1, len(p.found)), w)}
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
