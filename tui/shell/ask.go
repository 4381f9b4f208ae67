package shell

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/tui/draw"
	"revenant/tui/widget"
)

// askFilter asks for a filter, which counts as it is typed.
func (m *model) askFilter() tea.Cmd {
	filter := func(text string) tea.Cmd { return m.shown().Update(widget.FilterMsg(text)) }
	m.prompt = &widget.Prompt{Lead: "/", Hints: "enter keep, esc clear", Note: regular, Typed: filter, Entered: filter, Left: func() tea.Cmd { return filter("") }}
	if c, ok := m.shown().(interface{ CheckFilter(string) error }); ok {
		m.prompt.Check = c.CheckFilter
	}
	return filter("")
}

// askSearch asks what to search for in a text, which is gone to as it is typed.
func (m *model) askSearch() {
	find := func(text string) tea.Cmd { return m.shown().Update(widget.SearchMsg(text)) }
	m.prompt = &widget.Prompt{Lead: "/", Hints: "enter keep, esc clear", Note: regular, Typed: find, Entered: find, Left: func() tea.Cmd { return find("") },
		Check: func(text string) error { _, err := widget.Matcher(text); return err }}
}

// regular says in the prompt what is typed.
func regular(text string) string {
	switch {
	case text == "":
		return "words, or a regular expression"
	case strings.HasPrefix(text, widget.Selector):
		return "label selector"
	case widget.LooksRegular(text):
		return "regular expression"
	}
	return ""
}

// askCommand asks for a command. The arrows go through those typed before.
func (m *model) askCommand(text string) {
	at := len(m.typedCommands)
	m.prompt = &widget.Prompt{Lead: ":", Hints: "tab complete, esc cancel", Text: text, Entered: m.command, Complete: m.completions, Check: m.checkCommand,
		Moved: func(step int) string {
			at = max(min(at+step, len(m.typedCommands)), 0)
			if at == len(m.typedCommands) {
				return ""
			}
			return m.typedCommands[at]
		}}
}

// askPalette shows all that can be done, and finds it as its name is typed.
func (m *model) askPalette() {
	m.find(newPalette(m))
}

// find shows things that can be done, and finds them as their names are typed.
func (m *model) find(p *paletteScreen) {
	m.over = p
	m.resize()
	m.prompt = &widget.Prompt{Lead: "find: ", Hints: "enter do, esc close",
		Typed: func(text string) tea.Cmd { p.find(text); return nil },
		Moved: func(step int) string { p.move(step); return m.prompt.Text },
		Left:  func() tea.Cmd { m.over = nil; return nil },
		Entered: func(string) tea.Cmd {
			m.over = nil
			if len(p.found) == 0 {
				return nil
			}
			m.prompt = nil
			return p.items[p.found[p.at]].run()
		}}
}

// askNamespace asks for the namespace whose objects are to be listed.
func (m *model) askNamespace() {
	m.prompt = &widget.Prompt{Lead: "namespace (empty = all): ", Hints: "tab complete, enter go, esc cancel",
		Entered: func(text string) tea.Cmd { return m.shown().Update(widget.NamespaceMsg(strings.TrimSpace(text))) },
		Complete: func(text string) []string {
			if m.Objects == nil {
				return nil
			}
			return widget.StartingWith(text, widget.Typable(m.Objects.Catalog.Namespaces())...)
		}}
}

// askFile asks where to save what is shown.
func (m *model) askFile() {
	e := m.excerpt(true)
	if e.None() {
		m.message = "there is nothing to save"
		return
	}
	lead := func() string {
		lead := "save " + draw.Safe(e.What) + " to: "
		if len(lead) > m.width/3 {
			lead = "save to: " // the name needs the room
			if e.Raw == nil && m.prompt != nil {
				lead = "save as it is stored to: "
			}
		}
		return lead
	}
	p := &widget.Prompt{Lead: lead(), Hints: "enter save, esc cancel", Text: e.File, Entered: func(path string) tea.Cmd {
		if path == "" {
			return nil
		}
		m.took()
		return m.save(path, e)
	}}
	if e.Raw != nil {
		applied := e
		p.Hints = "ctrl-s as stored, enter save, esc cancel"
		p.Switch = func() {
			if e.Raw == nil {
				e, p.Hints = applied, "ctrl-s as stored, enter save, esc cancel"
			} else {
				e, p.Hints = e.Stored(), "ctrl-s to apply again, enter save, esc cancel"
			}
			p.Lead = lead()
		}
	}
	m.prompt = p
}
