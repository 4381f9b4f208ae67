package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
)

// planner holds the plan and what its keys choose from.
type planner struct {
	plan       restore.Plan
	comparison *restore.Comparison
	given      int64 // the bump to begin with
	// bumps are what a bump can be, by whether API servers are left running.
	bumps [2]bumps
	asked int // counts the changes: only the prediction of the last one is shown
}

// bumps are the bumps that the evidence suggests.
type bumps struct{ recommended, minimum int64 }

// predictedMsg is the prediction of a plan.
type predictedMsg struct {
	asked      int
	prediction *restore.Prediction // nil when refused
	refused    error

	// of the first prediction
	comparison *restore.Comparison
	bumps      [2]bumps
	fallback   *restore.Prediction // of a plain restore, when the plan is refused
}

// predict starts to predict the plan. The first time it compares the two states.
func (m *model) predict() tea.Cmd {
	m.pending = true
	asked, plan, c := m.plan.asked, m.plan.plan, m.plan.comparison
	if c != nil {
		return m.tasks.cmd(func() tea.Msg {
			p, err := c.Predict(plan)
			return predictedMsg{asked: asked, prediction: p, refused: err}
		})
	}
	b, now := m.input.Backup.State, m.input.Current.State
	return m.tasks.cmd(func() tea.Msg {
		msg := predictedMsg{asked: asked, comparison: restore.Compare(b, now)}
		for i, keep := range []bool{false, true} {
			// A plan without a bump is never refused.
			p, err := msg.comparison.Predict(restore.Plan{KeepAPIServers: keep})
			if err != nil {
				continue
			}
			msg.bumps[i] = bumps{p.Revisions.RecommendedBump, p.Revisions.MinimumSafeBump}
			if !keep {
				msg.fallback = p
			}
		}
		msg.prediction, msg.refused = msg.comparison.Predict(plan)
		return msg
	})
}

// predicted takes a prediction over, unless the plan has changed meanwhile: then
// it starts anew. So there is never more than one under way.
func (m *model) predicted(msg predictedMsg) tea.Cmd {
	if msg.comparison != nil {
		m.plan.comparison, m.plan.bumps = msg.comparison, msg.bumps
		m.plan.given = m.input.Plan.BumpRevision
		m.prediction = msg.fallback
	}
	if msg.asked != m.plan.asked {
		return m.predict()
	}
	m.pending = false
	m.refused = msg.refused
	if msg.prediction != nil {
		m.prediction = msg.prediction
	}
	return m.broadcast(predictionMsg{})
}

// replan changes the plan and predicts it.
func (m *model) replan(change func()) tea.Cmd {
	change()
	m.plan.asked++
	if m.pending {
		return nil // predicted sees that the plan has changed
	}
	return m.predict()
}

// suggested are the bumps for the plan as it is.
func (p *planner) suggested() bumps {
	if p.plan.KeepAPIServers {
		return p.bumps[1]
	}
	return p.bumps[0]
}

// choices are the bumps that the key goes through.
func (p *planner) choices() []int64 {
	s := p.suggested()
	var list []int64
	for _, n := range []int64{0, s.recommended, s.minimum, p.given} {
		if n >= 0 && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

func (p *planner) nextBump() {
	list := p.choices()
	i := slices.Index(list, p.plan.BumpRevision)
	p.plan.BumpRevision = list[(i+1)%len(list)]
}

func (p *planner) toggleCompact() { p.plan.MarkCompacted = !p.plan.MarkCompacted }

// toggleServers changes a bump that is the minimum along with it.
func (p *planner) toggleServers() {
	was := p.suggested()
	p.plan.KeepAPIServers = !p.plan.KeepAPIServers
	if n := p.plan.BumpRevision; n != 0 && n == was.minimum {
		p.plan.BumpRevision = p.suggested().minimum
	}
}

func (p *planner) nextRestart() {
	r := &p.plan.RestartKubelets
	*r = restore.Restart{All: !r.All && len(r.Nodes) == 0}
}

// toggleNode changes whether the kubelet of one node is restarted.
func (p *planner) toggleNode(node string) {
	r := &p.plan.RestartKubelets
	nodes := slices.Clone(r.Nodes)
	if i := slices.Index(nodes, node); i >= 0 && !r.All {
		nodes = slices.Delete(nodes, i, i+1)
	} else {
		nodes = append(nodes, node)
	}
	slices.Sort(nodes)
	*r = restore.Restart{Nodes: nodes}
}

// bumpText names the bump in at most width columns.
func (p *planner) bumpText(width int) string {
	n, s := p.plan.BumpRevision, p.suggested()
	name := ""
	switch n {
	case 0:
		return "none"
	case s.recommended:
		name = "recommended"
	case s.minimum:
		name = "minimum"
	}
	if long := count(n) + " " + name; name == "" || len(long) <= width {
		return strings.TrimSpace(long)
	}
	return name
}

// planHeight is how many lines planBar has.
const planHeight = 3

// planBar draws the plan and what comes of it.
func (m *model) planBar() []string {
	title := "Plan"
	if m.pending {
		title += m.theme.ellipsis
	}
	return []string{m.theme.heading(title, m.width), " " + m.switches(), m.planResult()}
}

// planNames are what the switches are called, if there is room.
var planNames = map[bool][4]string{
	false: {"bump", "mark-compacted", "kubelets", "API"},
	true:  {"--bump-revision", "--mark-compacted", "kubelets restarted", "API servers"},
}

// switches are the plan's parts in fixed places, each with its key.
func (m *model) switches() string {
	t, p := m.theme, &m.plan.plan
	extra := m.width - minWidth
	wide := extra >= 60
	names := planNames[wide]
	widths := [4]int{21 + min(extra, 8), 22, 18 + max(extra-8, 0), 18}
	if wide {
		widths = [4]int{42, 24, m.width - 2 - 42 - 24 - 28, 28}
	}
	yes, serve := "no", "restarted"
	if p.MarkCompacted {
		yes = "yes"
	}
	if p.KeepAPIServers {
		serve = "left running"
	}
	part := func(i int, key action, value string) string {
		return t.fit(t.hint(keyOf(key)+" "+names[i])+" "+value, widths[i]-1) + " "
	}
	return part(0, bump, m.plan.bumpText(widths[0]-len(names[0])-4)) + part(1, compact, yes) +
		part(2, restart, sanitize.Line(p.RestartKubelets.String())) + part(3, servers, serve)
}

// planResult counts the pods by outcome, or says why the plan is refused.
func (m *model) planResult() string {
	t := m.theme
	var refused *restore.PlanError
	switch {
	case errors.As(m.refused, &refused):
		text := "refused: " + sanitize.Line(refused.What)
		why := sanitize.Line(refused.Why)
		return " " + t.critical.paint(t.markCritical+" "+t.cut(text, m.width-4)) + t.dim.paint(t.cut("  "+why, m.width-len(text)-5))
	case m.refused != nil:
		return " " + t.critical.paint(t.cut(sanitize.Line(m.refused.Error()), m.width-2))
	case m.prediction == nil:
		return " " + t.dim.paint("predicting"+t.ellipsis)
	}
	return " " + strings.Join(m.counts(), "  ")
}

// counts are the outcomes that occur, worst first, each with its number of pods.
func (m *model) counts() []string {
	var list []string
	for _, o := range restore.Outcomes {
		if n := m.prediction.Summary[o.ID]; n > 0 {
			color, mark := m.theme.severity(o.Severity)
			list = append(list, color.paint(fmt.Sprintf("%s %s %s", mark, count(n), o.ID)))
		}
	}
	return list
}

// keyOf is the first key of an action.
func keyOf(a action) string {
	i := slices.IndexFunc(bindings, func(b binding) bool { return b.action == a })
	return bindings[i].keys[0]
}
