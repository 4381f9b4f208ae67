package shell

import (
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

// helpScreen shows the keys as they are on the screen below it, and what the
// outcomes mean.
type helpScreen struct {
	*session.Session
	widget.Pager
	title string   // of the screen below
	taken keys.Set // there
	sorts string   // the keys that sort there
	width int
}

func newHelp(s *session.Session, title string, taken keys.Set) *helpScreen {
	return &helpScreen{Session: s, title: title, taken: taken}
}

func (h *helpScreen) SetSize(width, height int) { h.width, h.Height = width, height-1 }

func (h *helpScreen) Keys() keys.Set {
	return h.Actions(keys.Set{keys.Back: ""}, len(h.lines()))
}

func (h *helpScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case keys.Press:
		h.Move(msg.Action, h.lines())
	case widget.SearchMsg:
		h.Search(string(msg), h.lines())
	}
	return nil
}

func (h *helpScreen) View() []string { return h.Page(h.Theme, h.lines(), h.width) }

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
	return h.Theme.Beside(h.keyLines(width), h.outcomeLines(width), width, "   ")
}

// keyLines is the table of keys. Those that do nothing are dimmed, with the
// reason.
func (h *helpScreen) keyLines(width int) []string {
	t := h.Theme
	lines := []string{t.Heading("Keys on "+h.title, width)}
	for i := range h.Keymap {
		b := &h.Keymap[i]
		if b.Action == "" {
			lines = append(lines, "", " "+t.Bold.Paint(b.Label))
			continue
		}
		label := t.Fit(b.Label, 13)
		if t.Ellipsis != draw.UnicodeGlyphs.Ellipsis {
			label = t.Fit(asciiArrows.Replace(b.Label), 13)
		}
		if why := b.Blocked(h.taken); why != "" {
			lines = append(lines, draw.PaintAll(t.Dim, draw.Item("   "+label, b.Does+" (not now: "+why+")", width))...)
			continue
		}
		does := b.Does
		if b.Action == keys.SortBy && h.sorts != "" {
			does += ": " + h.sorts
		}
		text := draw.Item("   "+label, does, width)
		text[0] = "   " + t.Bold.Paint(label) + strings.TrimPrefix(text[0], "   "+label)
		lines = append(lines, text...)
	}
	return lines
}

// asciiArrows names the arrow keys where they cannot be drawn.
var asciiArrows = strings.NewReplacer("↑", "up", "↓", "down", "←", "left")

// outcomeLines is the vocabulary of outcomes.
func (h *helpScreen) outcomeLines(width int) []string {
	t := h.Theme
	lines := append([]string{t.Heading("Outcomes", width)}, draw.Wrap(shared.Marks(t), width)...)
	lines = append(append(lines, draw.Wrap(words.LikelyText, width)...), "")
	marks := marksOf(t)
	for _, o := range restore.Outcomes {
		color, _ := shared.Severity(t, o.Severity)
		lead := " " + t.Fit(marks[o.ID], 4) + t.Fit(string(o.ID), 18)
		text := draw.Item(lead, o.Explanation, width)
		text[0] = color.Paint(lead) + strings.TrimPrefix(text[0], lead)
		lines = append(lines, text...)
	}
	return lines
}

// marksOf are the marks that the pods of each outcome may have, the worst first.
func marksOf(t *draw.Theme) map[restore.Outcome]string {
	found := map[restore.Outcome]map[restore.Severity]bool{}
	for _, o := range restore.Outcomes {
		found[o.ID] = map[restore.Severity]bool{o.Severity: true}
	}
	for _, d := range restore.Decisions() {
		for _, c := range d.Cases {
			if c.Outcome != "" {
				found[c.Outcome][c.Severity] = true
			}
		}
	}
	marks := map[restore.Outcome]string{}
	for id, severities := range found {
		for _, s := range []restore.Severity{restore.Critical, restore.Warning, restore.OK} {
			if severities[s] {
				_, mark := shared.Severity(t, s)
				marks[id] += mark
			}
		}
	}
	return marks
}
