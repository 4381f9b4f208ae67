package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
)

// plans lays the ways to restore side by side, with what each does to the pods
// and what it costs, and takes one over as the plan.
type plans struct {
	*session
	at            int // the selected mode
	width, height int
}

// adoptMsg asks the shell to take a plan over.
type adoptMsg struct{ plan restore.Plan }

func newPlans(s *session) screen { return &plans{session: s} }

func (p *plans) SetSize(width, height int) { p.width, p.height = width, height }

func (p *plans) Keys() keys {
	why := ""
	if p.modes == nil {
		why = "the plans are still being compared"
	}
	k := keys{}
	for _, a := range []action{up, down, top, bottom, open} {
		k[a] = why
	}
	return k
}

func (p *plans) Update(msg tea.Msg) tea.Cmd {
	press, ok := msg.(press)
	if !ok || p.modes == nil {
		return nil
	}
	if press.action == open {
		plan := p.modes.Modes[p.at].Plan
		return func() tea.Msg { return adoptMsg{plan} }
	}
	n := len(p.modes.Modes)
	p.at = moved(p.at, press.action, n, n-1)
	return nil
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
	{"HARM", 7, restore.Critical, func(m *restore.ModeOutcome) (int, int) { return m.Critical, m.Critical }},
	{"TWICE", 7, restore.Warning, func(m *restore.ModeOutcome) (int, int) { return m.DoubleRuns, m.DoubleRuns }},
	{"KILLED", 8, restore.Warning, func(m *restore.ModeOutcome) (int, int) { return m.Killed, m.Killed }},
	{"STOPPED", 8, restore.OK, func(m *restore.ModeOutcome) (int, int) { return m.Graceful, m.Graceful }},
}

func ofOutcome(o restore.Outcome) func(*restore.ModeOutcome) (int, int) {
	return func(m *restore.ModeOutcome) (int, int) { return m.Certain[o], m.Summary[o] }
}

func (p *plans) View() []string {
	t, w := p.theme, p.width-2
	if p.modes == nil {
		return []string{" " + t.dim.paint("Comparing the ways to restore"+t.ellipsis)}
	}
	name := w
	for _, c := range modeColumns {
		name -= c.width
	}
	name = min(name, 50)
	head := spaces(4) + t.fit("MODE", name-4)
	for _, c := range modeColumns {
		head += t.fit(c.title, c.width)
	}
	lines := []string{t.dim.paint(t.cut(head, w))}
	for i := range p.modes.Modes {
		lines = append(lines, p.row(i, name))
	}
	lines = append(lines, "", t.dim.paint(t.cut("* now  "+t.arrow+" least harm  n? possible  HARM nothing repairs  KILLED: no preStop", w)),
		t.dim.paint(p.keymap.key(open)+" takes the selected plan over; the switches below change it further"), "")
	lines = append(lines, p.detail(w)...)
	if len(lines) > p.height {
		lines = append(lines[:p.height-1], t.dim.paint(t.down+" a taller window shows more"))
	}
	return margin(lines)
}

// row counts one mode. The cursor, the plan that is in force and the least harm
// are marked.
func (p *plans) row(i, width int) string {
	t, m := p.theme, &p.modes.Modes[i]
	cursor, force, least := " ", " ", " "
	if i == p.at {
		cursor = t.cursor
	}
	if p.prediction != nil && m.Plan.Equal(p.prediction.Plan) {
		force = "*"
	}
	if i == p.modes.LeastHarm {
		least = t.arrow
	}
	line := cursor + force + least + " " + t.fit(m.ID, width-4)
	if i == p.at {
		line = t.bold.paint(line)
	}
	for _, c := range modeColumns {
		certain, all := c.count(m)
		cell := t.fit(likely(certain, all), c.width)
		if color, _ := t.severity(c.weight); all > 0 {
			cell = color.paint(cell)
		} else {
			cell = t.dim.paint(cell)
		}
		line += cell
	}
	return line
}

// likely writes a count with what of it is only possible.
func likely(certain, all int) string {
	switch {
	case all == 0:
		return "-"
	case certain == all:
		return count(all)
	case certain == 0:
		return count(all) + "?"
	}
	return fmt.Sprintf("%s+%s?", count(certain), count(all-certain))
}

// detail tells what the selected mode is, does and costs.
func (p *plans) detail(width int) []string {
	t, m := p.theme, &p.modes.Modes[p.at]
	lines := []string{t.heading(m.Title, width)}
	color, _ := t.severity(m.Severity)
	lines = append(lines, paintAll(color, wrap(m.Headline, width))...)
	lines = append(lines, wrap("Price: "+m.Price, width)...)
	if p.at == p.modes.LeastHarm {
		lines = append(lines, paintAll(t.bold, wrap("The least harm of these, as far as the evidence goes.", width))...)
	}
	lines = append(lines, "")
	for _, info := range restore.Outcomes {
		if n := m.Summary[info.ID]; n > 0 && info.Severity != restore.OK {
			color, mark := t.severity(info.Severity)
			lines = append(lines, color.paint(fmt.Sprintf("%s %9s ", mark, likely(m.Certain[info.ID], n))+t.fit(string(info.ID), 18))+info.Title)
		}
	}
	if m.Deaf != nil {
		lines = append(lines, "")
		lines = append(lines, paintAll(t.dim, wrap(m.Deaf.Ends, width))...)
	}
	return lines
}
