package shell

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
)

// bumpText names the bump in at most width columns.
func bumpText(p *session.Planner, width int) string {
	n, s := p.Plan.BumpRevision, p.Suggested()
	name := ""
	switch n {
	case 0:
		return "none"
	case s.Recommended:
		name = "recommended"
	case s.Minimum:
		name = "minimum"
	}
	if long := words.Number(n) + " " + name; name == "" || len(long) <= width {
		return strings.TrimSpace(long)
	}
	return name
}

// planHeight is how many lines planBar has where there is a pair.
const planHeight = 3

// planBar draws the plan and what comes of it, where they stand below the screen.
func (m *model) planBar() []string {
	if !m.planned(m.screens[m.at]) {
		return nil
	}
	title := "Plan"
	if m.Pending {
		title += m.Theme.Ellipsis
	}
	return []string{m.Theme.Heading(title, m.width), " " + m.switches(), m.planResult()}
}

// planNames are what the switches are called, if there is room or not.
var planNames = map[bool][4]string{
	false: {"bump", "mark-compacted", "kubelets", "API"},
	true:  {"--bump-revision", "--mark-compacted", "kubelets restarted", "API servers"},
}

// switches are the plan's parts in fixed places, each with its key.
func (m *model) switches() string {
	t, p := m.Theme, &m.Plan.Plan
	extra := m.width - minWidth
	wide := extra >= 60
	names := planNames[wide]
	widths := [4]int{21 + min(extra, 8), 22, 18 + max(extra-8, 0), 18}
	if wide {
		widths = [4]int{42, 24, m.width - 2 - 42 - 24 - 28, 28}
	}
	yes := "no"
	if p.MarkCompacted {
		yes = "yes"
	}
	part := func(i int, key keys.Action, value string) string {
		name := t.Hint(m.Keymap.Key(key) + " " + names[i])
		if why, ok := m.shown().Keys()[keys.AsBackup]; ok && why == "" && key == keys.Bump {
			name = t.Dim.Paint("  " + names[i]) // its key stands for another thing here
		}
		return t.Fit(name+" "+value, widths[i]-1) + " "
	}
	return part(0, keys.Bump, bumpText(&m.Plan, widths[0]-len(names[0])-4)) + part(1, keys.Compact, yes) +
		part(2, keys.Restart, draw.Safe(p.RestartKubelets.String())) + part(3, keys.Servers, serversText(p))
}

// serversText says what is done to the API servers.
func serversText(p *restore.Plan) string {
	switch s := p.APIServers(); s {
	case "all":
		return "restarted"
	case "none":
		return "kept"
	default:
		return "only " + draw.Safe(s)
	}
}

// planResult counts the pods by outcome, or says why the plan is refused.
func (m *model) planResult() string {
	t, width := m.Theme, m.width-2
	switch {
	case m.Refused != nil:
		text := t.MarkCritical + " refused: " + draw.Safe(m.Refused.Error())
		rest := "   " + m.way() + draw.Safe(words.Sentence(shared.HintOf(m.Refused)))
		if ansi.StringWidth(text+rest) > width {
			rest = "   " + m.way() // what to press is worth more than why
		}
		return " " + t.Cut(t.Critical.Paint(text)+t.Dim.Paint(rest), width)
	case m.Prediction == nil:
		return " " + t.Dim.Paint("predicting"+t.Ellipsis)
	}
	return " " + strings.Join(m.counts(), "  ")
}

// way is the key that makes a plan coherent again.
func (m *model) way() string {
	p := &m.Plan.Plan
	switch bumped := p.BumpRevision > 0; {
	case bumped && !p.MarkCompacted:
		return m.Keymap.Key(keys.Compact) + " adds it.  "
	case !bumped && p.MarkCompacted:
		return m.Keymap.Key(keys.Bump) + " adds a bump.  "
	}
	return ""
}

// counts are the outcomes that occur, worst first, each with its number of pods.
func (m *model) counts() []string {
	var list []string
	for _, o := range m.Digest.Tallies {
		color, mark := shared.Severity(m.Theme, o.Severity)
		list = append(list, color.Paint(fmt.Sprintf("%s %s %s", mark, words.Likely(o.Certain, o.Pods-o.Certain), o.ID)))
	}
	return list
}
