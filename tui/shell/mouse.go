package shell

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/tui/keys"
	"revenant/tui/session"
)

// click does what a click asks for: on the name of a screen, to show it; on a row or a title of
// a column, what the screen says.
func (m *model) click(msg tea.MouseClickMsg) tea.Cmd {
	if msg.Button != tea.MouseLeft || m.Input == nil || m.opening != nil || m.prompt != nil || m.tooSmall() {
		return nil
	}
	m.message, m.used, m.views.noted, m.views.going = "", true, false, false
	if msg.Y == 0 {
		if i := m.tabAt(msg.X); i >= 0 {
			m.show(i)
		}
		return nil
	}
	c, ok := m.shown().(session.Clicker)
	if !ok || msg.Y > m.height-m.chrome(m.screens[m.at]) {
		return nil
	}
	p, ok := c.Click(msg.X, msg.Y-1)
	if !ok {
		return nil
	}
	if why := m.taken()[p.Action]; p.Action != "" && why != "" {
		m.message = why
		return nil
	}
	if p.Action == "" || p.Action == keys.SortBy {
		return m.shown().Update(p)
	}
	return m.do(p)
}

// tabAt is the screen whose name stands in a column of the header, -1 for none.
func (m *model) tabAt(x int) int {
	tabs := m.tabs()
	from := m.width
	for _, tab := range tabs {
		from -= ansi.StringWidth(tab.text)
	}
	for _, tab := range tabs {
		if to := from + ansi.StringWidth(tab.text); x < to {
			if x < from {
				break
			}
			return tab.screen
		} else {
			from = to
		}
	}
	return -1
}
