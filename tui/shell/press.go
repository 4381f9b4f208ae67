package shell

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// taken lists what keys do now.
func (m *model) taken() keys.Set {
	k := keys.Set{}
	if m.Input != nil && m.opening == nil {
		k = m.shown().Keys()
		why := m.Input.Alone()
		if why == "" && !m.planned(m.screens[m.at]) {
			why = "the plan in force is not shown here"
		}
		for _, a := range []keys.Action{keys.Bump, keys.EditBump, keys.Compact, keys.Restart, keys.Servers} {
			if m.planned(m.screens[m.at]) || !m.Keymap.Shares(a, k) {
				k[a] = why
			}
		}
		if why, ok := k[keys.Bump]; ok && why == "" && m.Prediction != nil && m.Plan.Choices() < 2 {
			k[keys.Bump] = cmp.Or(m.Prediction.Revisions.NoBumpFits, "no other bump is known")
		}
		if why, ok := k[keys.AsBackup]; ok && why == "" {
			k[keys.Bump] = m.Keymap.Key(keys.AsBackup) + " chooses the backup here (:bump sets it)"
		}
		k.Offer(keys.Number, keys.Next, keys.Previous, keys.Help, keys.Command, keys.Palette, keys.Aliases)
		m.viewKeys(k)
		if _, ok := k[keys.Back]; !ok {
			k[keys.Back] = ""
			if m.over == nil && len(m.trail) == 0 {
				k[keys.Back] = "this is where you came in"
			}
		}
	}
	return k.Offer(keys.Suspend, keys.Quit, keys.Interrupt)
}

// press does what a key asks for.
func (m *model) press(key tea.KeyPressMsg) tea.Cmd {
	m.message, m.used = "", m.used || m.Input != nil
	name, quitting := key.String(), m.quitting
	m.quitting, m.views.noted, m.views.going = false, false, false
	taken := m.taken()
	b, ok := m.Keymap.Of(name, taken)
	switch {
	case b.Action == keys.Interrupt:
		return tea.Quit
	case m.prompt != nil:
		return m.typed(key)
	case m.Input == nil && b.Action == keys.Back:
		return tea.Quit
	case m.opening != nil && b.Action == keys.Back:
		m.opening.end()
		m.opening = nil
		return nil
	case !ok:
		m.message = draw.Safe(name) + " stands for nothing: " + m.Keymap.Key(keys.Help) + " lists the keys"
		return nil
	}
	m.quitting = quitting && b.Action == keys.Quit
	if why := b.Blocked(taken); why != "" {
		m.message = b.Label + ": " + why
		return nil
	}
	return m.do(keys.Press{Action: b.Action, Key: name})
}

// do does an action that is taken.
func (m *model) do(p keys.Press) tea.Cmd {
	if cmd, done := m.act(p); done {
		return cmd
	}
	return m.shown().Update(p)
}

// act does what is the shell's to do. Done is false for what is the screen's.
func (m *model) act(p keys.Press) (cmd tea.Cmd, done bool) {
	switch p.Action {
	case keys.Quit:
		return m.quit(), true
	case keys.Suspend:
		return tea.Suspend, true
	case keys.Help:
		m.toggleHelp()
	case keys.Back:
		return m.back()
	case keys.Next:
		m.show((m.at + 1) % len(m.screens))
	case keys.Previous:
		m.show((m.at + len(m.screens) - 1) % len(m.screens))
	case keys.Number:
		m.byNumber(p.Key)
	case keys.FilterBy:
		return m.askFilter(), true
	case keys.Search:
		m.askSearch()
	case keys.InNamespace:
		m.askNamespace()
	case keys.GoTo:
		m.prompt = &widget.Prompt{Lead: "revision or time: ", Hints: "enter go, esc cancel", Entered: func(text string) tea.Cmd {
			if text == "" {
				return nil
			}
			return m.shown().Update(session.AtMsg(text))
		}, Check: func(text string) error {
			if c, ok := m.shown().(interface{ CheckMoment(string) error }); ok && text != "" {
				return c.CheckMoment(text)
			}
			return nil
		}}
	case keys.Command:
		m.askCommand("")
	case keys.Palette:
		m.askPalette()
	case keys.Aliases:
		m.askAliases()
	case keys.LastView:
		return m.lastView(), true
	case keys.ViewBack:
		return m.step(-1), true
	case keys.ViewAhead:
		return m.step(1), true
	case keys.CopyOut:
		m.took()
		return m.copyOut(m.excerpt(false)), true
	case keys.SaveOut:
		m.askFile()
	case keys.EditBump:
		m.prompt = &widget.Prompt{Lead: "--bump-revision ", Hints: "enter set, esc cancel", Entered: func(text string) tea.Cmd { return m.bumpTo(strings.Fields(text)) },
			Check:    func(text string) error { _, err := m.bumpOf(strings.Fields(text)); return err },
			Complete: func(text string) []string { return widget.StartingWith(text, "none", "recommended", "minimum") }}
		if n := m.Plan.Plan.BumpRevision; n > 0 {
			m.prompt.Text = strconv.FormatInt(n, 10)
		}
	case keys.Bump:
		return m.Replan(m.Plan.NextBump), true
	case keys.Compact:
		return m.Replan(m.Plan.ToggleCompact), true
	case keys.Restart:
		return m.Replan(m.Plan.NextRestart), true
	case keys.Servers:
		return m.Replan(m.Plan.ToggleServers), true
	default:
		return nil, false
	}
	return nil, true
}

func (m *model) byNumber(key string) {
	for i, e := range registry {
		if e.key == key {
			if i == m.at && m.over == nil {
				m.message = "this is " + e.titled(m.Input)
			}
			m.show(i)
			return
		}
	}
	m.message = "no screen has the number " + key
}

func (m *model) show(i int) {
	m.over = nil
	if i == m.at || i < 0 {
		return
	}
	m.trail = append(slices.DeleteFunc(m.trail, func(was int) bool { return was == i || was == m.at }), m.at)
	m.at = i
}

// back closes help or palette, or lets the screen close something, or goes to the
// screen shown before.
func (m *model) back() (cmd tea.Cmd, done bool) {
	if m.over != nil {
		m.over = nil
		return nil, true
	}
	if _, ok := m.shown().Keys()[keys.Back]; ok {
		return nil, false
	}
	last := len(m.trail) - 1
	m.at, m.trail = m.trail[last], m.trail[:last]
	return nil, true
}

func (m *model) toggleHelp() {
	if _, ok := m.over.(*helpScreen); ok {
		m.over = nil
		return
	}
	m.over = nil
	h := newHelp(m.Session, registry[m.at].titled(m.Input), m.taken())
	if s, ok := m.shown().(session.Sorter); ok {
		h.sorts = widget.SortKeys(s.Columns())
	}
	m.over = h
	m.resize()
}

// typed gives a key or pasted text to the prompt.
func (m *model) typed(msg tea.Msg) tea.Cmd {
	if m.prompt == nil {
		return nil
	}
	p := m.prompt
	cmd, done := p.Update(msg)
	if done && m.prompt == p { // what was entered may ask for more
		m.prompt = nil
	}
	return cmd
}

// wheel scrolls by three lines.
func (m *model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	a, ok := map[tea.MouseButton]keys.Action{tea.MouseWheelUp: keys.Up, tea.MouseWheelDown: keys.Down}[msg.Button]
	if !ok || m.Input == nil || m.opening != nil || m.prompt != nil {
		return nil
	}
	var cmds []tea.Cmd
	for range 3 {
		if why, ok := m.shown().Keys()[a]; ok && why == "" {
			cmds = append(cmds, m.shown().Update(keys.Press{Action: a}))
		}
	}
	return tea.Batch(cmds...)
}
