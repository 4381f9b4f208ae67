package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
)

// helpScreen shows the keys as they are on the screen below it, and what the
// outcomes mean.
type helpScreen struct {
	*session
	pager
	title string // of the screen below
	taken keys   // there
	sorts string // the keys that sort there
	width int
}

func newHelp(s *session, title string, taken keys) *helpScreen {
	return &helpScreen{session: s, title: title, taken: taken}
}

func (h *helpScreen) SetSize(width, height int) { h.width, h.height = width, height-1 }

func (h *helpScreen) Keys() keys {
	return h.moves(keys{back: ""}, len(h.lines()))
}

func (h *helpScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case press:
		h.move(msg.action, h.lines())
	case searchMsg:
		h.search(string(msg), h.lines())
	}
	return nil
}

func (h *helpScreen) View() []string { return h.page(h.theme, h.lines(), h.width) }

// The columns of help are side by side where that leaves them a readable width.
const (
	wideHelp   = 120
	helpColumn = 90
)

func (h *helpScreen) lines() []string {
	if h.width < wideHelp {
		width := h.width - 2
		return append(append(h.keyLines(width), ""), h.outcomeLines(width)...)
	}
	width := min((h.width-5)/2, helpColumn)
	return h.theme.beside(h.keyLines(width), h.outcomeLines(width), width, "   ")
}

// keyLines is the table of keys. Those that do nothing are dimmed, with the
// reason.
func (h *helpScreen) keyLines(width int) []string {
	t := h.theme
	lines := []string{t.heading("Keys on "+h.title, width)}
	for i := range h.keymap {
		b := &h.keymap[i]
		if b.action == "" {
			lines = append(lines, "", " "+t.bold.paint(b.label))
			continue
		}
		label := t.fit(b.label, 13)
		if t.ellipsis != unicodeGlyphs.ellipsis {
			label = t.fit(asciiArrows.Replace(b.label), 13)
		}
		if why := b.blocked(h.taken); why != "" {
			lines = append(lines, paintAll(t.dim, item("   "+label, b.does+" (not now: "+why+")", width))...)
			continue
		}
		does := b.does
		if b.action == sortBy && h.sorts != "" {
			does += ": " + h.sorts
		}
		text := item("   "+label, does, width)
		text[0] = "   " + t.bold.paint(label) + strings.TrimPrefix(text[0], "   "+label)
		lines = append(lines, text...)
	}
	return lines
}

// asciiArrows names the arrow keys where they cannot be drawn.
var asciiArrows = strings.NewReplacer("↑", "up", "↓", "down", "←", "left")

// outcomeLines is the vocabulary of outcomes.
func (h *helpScreen) outcomeLines(width int) []string {
	t := h.theme
	lines := []string{t.heading("Outcomes", width), ""}
	for _, o := range restore.Outcomes {
		color, mark := t.severity(o.Severity)
		lead := " " + mark + " " + t.fit(string(o.ID), 18)
		text := item(lead, o.Explanation, width)
		text[0] = color.paint(lead) + strings.TrimPrefix(text[0], lead)
		lines = append(lines, text...)
	}
	return lines
}
