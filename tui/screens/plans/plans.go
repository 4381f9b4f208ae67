package plans

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen lays the ways to restore side by side, with what each does to the pods
// and what it costs, takes one over as the plan, and has the runbook of the plan.
type Screen struct {
	*session.Session
	widget.Pager
	at            int // the selected mode
	width, height int
	drawn         shared.Drawn // the text below the modes, or beside them
	followed      *restore.Prediction
}

// New makes the screen.
func New(s *session.Session) session.Screen { return &Screen{Session: s} }

// SetSize says how many columns and lines there are.
func (p *Screen) SetSize(width, height int) {
	p.width, p.height = width, height
	p.Pager.Height = height - 1
	if !p.wide() {
		p.Pager.Height = max(height-p.modesHeight()-1, 3)
	}
}

// wide says whether the runbook has room beside the modes.
func (p *Screen) wide() bool { return p.width >= 150 }

// modesHeight is how many lines the modes and their heading take.
func (p *Screen) modesHeight() int {
	if p.Modes == nil {
		return 2
	}
	return len(p.modes()) + 4
}

// Keys lists the actions that Update takes.
func (p *Screen) Keys() keys.Set {
	k := p.Actions(keys.Set{}, len(p.text()))
	why := ""
	if p.Modes == nil {
		why = "the plans are still being compared"
	}
	for _, a := range []keys.Action{keys.Up, keys.Down, keys.Open} {
		k[a] = why
	}
	why = ""
	if p.Runbook == nil || p.Runbook.Problem != "" {
		why = "there is no runbook"
	}
	k[keys.CopyOut], k[keys.SaveOut] = why, why
	if k[keys.Platform] = ""; len(p.Input.Platforms) < 2 {
		k[keys.Platform] = "there is no other platform"
	}
	return k
}

// Export is the runbook.
func (p *Screen) Export(save bool) widget.Export {
	if p.Runbook == nil || p.Runbook.Problem != "" {
		return widget.Export{}
	}
	if save {
		return widget.Export{What: "the runbook", File: "runbook.md", Text: p.Runbook.Markdown}
	}
	return widget.Export{What: "the runbook", Text: p.Runbook.Text(copiedWidth)}
}

// Update takes a press of one of Keys, and every message.
func (p *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case session.PredictionMsg:
		p.follow()
	case session.ChangedMsg:
		if p.followed == nil {
			p.follow()
		}
	case widget.SearchMsg:
		p.Search(string(msg), p.text())
	case keys.Press:
		switch msg.Action {
		case keys.Platform:
			return func() tea.Msg { return session.PlatformMsg{} }
		case keys.Open:
			plan := p.modes()[p.at].Plan
			if plan.Equal(p.Plan.Plan) {
				return widget.Notify("this is the plan in force")
			}
			return func() tea.Msg { return session.AdoptMsg{Plan: plan} }
		case keys.Up, keys.Down:
			n := len(p.modes())
			if at := widget.Moved(p.at, msg.Action, n, n-1); at != p.at {
				p.at, p.drawn = at, shared.Drawn{}
				p.Rewind()
			}
		default:
			p.Move(msg.Action, p.text())
		}
	}
	if p.Modes != nil {
		p.SetSize(p.width, p.height)
	}
	return nil
}

// Click is what a click asks for: to select a way to restore, and to take the selected one over.
func (p *Screen) Click(x, y int) (keys.Press, bool) {
	if p.Modes == nil || p.wide() && x >= p.width/2 || y < 1 || y > len(p.modes()) {
		return keys.Press{}, false
	}
	if p.at == y-1 {
		return keys.Press{Action: keys.Open}, true
	}
	p.at, p.drawn = y-1, shared.Drawn{}
	p.Rewind()
	return keys.Press{}, true
}

// modes are the plan in force, and then the ways to restore.
func (p *Screen) modes() []restore.ModeOutcome {
	if p.Yours == nil {
		return p.Modes.Modes
	}
	return append([]restore.ModeOutcome{*p.Yours}, p.Modes.Modes...)
}

// leastHarm is the place of that among them.
func (p *Screen) leastHarm() int { return len(p.modes()) - len(p.Modes.Modes) + p.Modes.LeastHarm }

// follow selects the plan in force, when another one is.
func (p *Screen) follow() {
	if p.Modes == nil || p.Prediction == nil || p.followed == p.Prediction {
		return
	}
	p.followed, p.at, p.drawn = p.Prediction, 0, shared.Drawn{}
	p.Rewind()
}

// name is what a way to restore is called in the list. The plan in force may be one of the
// others.
func (p *Screen) name(m *restore.ModeOutcome) string {
	if m.ID != "yours" {
		return m.ID
	}
	for i := range p.Modes.Modes {
		if of := &p.Modes.Modes[i]; of.Plan.Equal(m.Plan) {
			return m.ID + ": " + of.ID
		}
	}
	return m.ID
}

// modeColumns are what is counted of a mode.
var modeColumns = []struct {
	title  string
	width  int
	weight restore.Severity // of a count that is not zero
	count  func(*restore.ModeOutcome) (certain, all int)
}{
	{"PHANTOM", 10, restore.Critical, ofOutcome(restore.Phantom)},
	{"GHOST", 10, restore.Critical, ofOutcome(restore.Ghost)},
	{"HIDDEN", 8, restore.Critical, ofOutcome(restore.Hidden)},
	{"HARM", 7, restore.Critical, func(m *restore.ModeOutcome) (int, int) { return m.Sure.Critical, m.Critical }},
	{"TWICE", 7, restore.Warning, func(m *restore.ModeOutcome) (int, int) { return m.Sure.DoubleRuns, m.DoubleRuns }},
	{"KILLED", 8, restore.Warning, func(m *restore.ModeOutcome) (int, int) { return m.Sure.Killed, m.Killed }},
	{"STOPPED", 8, restore.OK, func(m *restore.ModeOutcome) (int, int) { return m.Sure.Graceful, m.Graceful }},
}

func ofOutcome(o restore.Outcome) func(*restore.ModeOutcome) (int, int) {
	return func(m *restore.ModeOutcome) (int, int) { return m.Certain[o], m.Summary[o] }
}

// View draws it.
func (p *Screen) View() []string {
	t := p.Theme
	if !p.wide() {
		return append(p.top(p.width-2), p.Page(t, p.text(), p.width-2)...)
	}
	half := p.width / 2
	left := append(p.top(half-2), draw.Margin(p.about(half-3))...)
	if len(left) > p.height {
		left = append(left[:p.height-1], t.Dim.Paint(" a taller window shows more"))
	}
	return t.Beside(left, p.Page(t, p.text(), p.width-half-4), half, t.Dim.Paint(" "+t.Column))
}

// top is the modes.
func (p *Screen) top(w int) []string {
	t := p.Theme
	if p.Modes == nil {
		return []string{" " + t.Dim.Paint("Comparing the ways to restore"+t.Ellipsis), ""}
	}
	name := w
	for _, c := range modeColumns {
		name -= c.width
	}
	name = min(name, 50)
	head := draw.Spaces(4) + t.Fit("MODE", name-4)
	for _, c := range modeColumns {
		head += t.Fit(c.title, c.width)
	}
	lines := []string{t.Dim.Paint(t.Cut(head, w))}
	for i := range p.modes() {
		lines = append(lines, p.row(i, name))
	}
	lines = append(lines, t.Dim.Paint(t.Cut("yours: the plan in force  "+t.Best+" least harm  "+shared.LegendText, w)),
		t.Dim.Paint(t.Cut("HARM: nothing repairs  KILLED: within 2 s, no preStop  STOPPED: gracefully", w)), "")
	return draw.Margin(lines)
}

// text is what can be scrolled: the runbook, and before it, where it is not beside,
// what the selected mode does.
func (p *Screen) text() []string {
	w := p.width - 2
	if p.wide() {
		w = p.width - p.width/2 - 4
	}
	if d := &p.drawn; d.Lines == nil || d.Version != p.Version || d.Width != w {
		*d = shared.Drawn{Version: p.Version, Width: w, Lines: p.draw(w)}
	}
	return p.drawn.Lines
}

func (p *Screen) draw(w int) []string {
	var lines []string
	if !p.wide() {
		lines = append(p.about(w), "")
	}
	return append(lines, p.runbookLines(w)...)
}

// about is what the selected mode does and, of the plan in force, the ruler.
func (p *Screen) about(w int) []string {
	if p.Modes == nil {
		return nil
	}
	lines := append(p.detail(w), "", p.Theme.Heading("Revisions under the plan in force", w))
	return append(lines, shared.Ruler(p.Session).Lines(p.Theme, w)...)
}

// runbookLines is the runbook as it is shown: its lines are broken between words.
func (p *Screen) runbookLines(w int) []string {
	t, r := p.Theme, p.Runbook
	if r == nil {
		return []string{t.Heading("Runbook", w), t.Dim.Paint("Writing it" + t.Ellipsis)}
	}
	title := "Runbook of the plan in force"
	if r.Recommended {
		title = "Runbook of the recommended plan"
	}
	lines := []string{t.Heading(title+", for "+r.Platform+" ("+p.Keymap.Key(keys.Platform)+": another platform)", w)}
	if r.Problem != "" {
		return append(lines, draw.Wrap(r.Problem, w)...)
	}
	for line := range strings.Lines(r.Text(w)) {
		lines = append(lines, draw.HangLine(sanitize.Line(strings.TrimRight(line, "\n")), w)...)
	}
	return lines
}

// copiedWidth is that of the paragraphs of a runbook that is copied.
const copiedWidth = 100

// row counts one mode. The cursor and the least harm are marked.
func (p *Screen) row(i, width int) string {
	t, m := p.Theme, &p.modes()[i]
	cursor, least := " ", " "
	if i == p.at {
		cursor = t.Cursor
	}
	if i == p.leastHarm() {
		least = t.Best
	}
	line := cursor + " " + least + " " + t.Fit(p.name(m), width-4)
	if i == p.at {
		line = t.Bold.Paint(line)
	}
	for _, c := range modeColumns {
		certain, all := c.count(m)
		cell := t.Fit(words.Likely(certain, all-certain), c.width)
		if color, _ := shared.Severity(t, c.weight); all > 0 {
			cell = color.Paint(cell)
		} else {
			cell = t.Dim.Paint(cell)
		}
		line += cell
	}
	return line
}

// detail tells what the selected mode is, does and costs.
func (p *Screen) detail(width int) []string {
	t, m := p.Theme, &p.modes()[p.at]
	lines := []string{t.Heading(m.Title, width)}
	color, _ := shared.Severity(t, m.Severity)
	lines = append(lines, draw.PaintAll(color, draw.Wrap(m.Headline, width))...)
	lines = append(lines, draw.Wrap("Price: "+m.Price, width)...)
	if p.at == p.leastHarm() {
		lines = append(lines, draw.PaintAll(t.Bold, draw.Wrap("The least harm of these, as far as the evidence goes.", width))...)
	}
	lines = append(lines, "")
	for _, info := range restore.Outcomes {
		if n := m.Summary[info.ID]; n > 0 && info.Severity != restore.OK {
			color, mark := shared.Severity(t, info.Severity)
			lines = append(lines, color.Paint(fmt.Sprintf("%s %9s ", mark, words.Likely(m.Certain[info.ID], n-m.Certain[info.ID]))+t.Fit(string(info.ID), 18))+info.Title)
		}
	}
	if m.Deaf != nil {
		lines = append(lines, "")
		lines = append(lines, draw.PaintAll(t.Dim, draw.Wrap(m.Deaf.Ends, width))...)
	}
	return lines
}
