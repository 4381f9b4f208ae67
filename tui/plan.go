package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	digests "revenant/analyzer/digest"
	"revenant/analyzer/restore"
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
	prediction *restore.Prediction // nil when refused, but the first time of a plain restore then
	digest     digests.Digest
	refused    error

	// the first time
	comparison *restore.Comparison
	bumps      [2]bumps
	known      map[string]digests.Pod
}

// predict starts to predict the plan. The first time it compares the two states.
func (m *model) predict() tea.Cmd {
	m.pending = true
	plan, msg := m.plan.plan, predictedMsg{asked: m.plan.asked}
	comparison, in, known := m.plan.comparison, m.input, m.known
	return m.tasks.cmd(func() tea.Msg {
		if comparison == nil {
			comparison = restore.Compare(in.Backup.State, in.Current.State)
			comparison.Lineage, comparison.Metrics = in.Lineage, in.Metrics
			known = digests.Pods(in.Backup.State, in.Current.State)
			msg.comparison, msg.known = comparison, known
			msg.prediction, msg.bumps = plainRestore(comparison, plan)
		}
		p, err := comparison.Predict(plan)
		if msg.refused = err; p != nil {
			msg.prediction = p
		}
		if msg.prediction != nil {
			msg.digest = digests.New(msg.prediction, known)
		}
		return msg
	})
}

// verified takes what the checks of a file found. What they show to be missing counts
// in the prediction.
func (m *model) verified(msg integrityMsg) tea.Cmd {
	f := &m.files[msg.side]
	f.verified, f.integrity, f.problems = true, msg.integrity, msg.problems
	m.problems = m.foundProblems()
	cmds := []tea.Cmd{m.broadcast(changedMsg{}), m.recall()}
	if missing := msg.integrity.Missing(); len(missing) > 0 {
		in := *m.input // a prediction may be at work on the other one
		state := *in.side(msg.side).State
		state.Missing = append(slices.Clip(state.Missing), missing...)
		in.side(msg.side).State = &state
		m.input, m.plan.comparison = &in, nil
		m.plan.asked++
		cmds = append(cmds, m.predict())
	}
	return tea.Batch(cmds...)
}

// plainRestore predicts the plain restore with the plan's evidence of the outage,
// and the bumps with the API servers restarted and left running.
func plainRestore(c *restore.Comparison, plan restore.Plan) (p *restore.Prediction, list [2]bumps) {
	for i, keep := range []bool{true, false} {
		plan, err := plan.Stated(), error(nil)
		plan.KeepAPIServers = keep
		if p, err = c.Predict(plan); err == nil {
			list[1-i] = bumps{p.Revisions.RecommendedBump, p.Revisions.MinimumSafeBump}
		}
	}
	return p, list
}

// predicted takes a prediction over, unless the plan has changed meanwhile: then
// it starts anew. So there is never more than one under way.
func (m *model) predicted(msg predictedMsg) tea.Cmd {
	var compared tea.Cmd
	if msg.comparison != nil {
		m.plan.comparison, m.plan.bumps = msg.comparison, msg.bumps
		m.known = msg.known
		compared = m.compareModes()
	}
	if msg.asked != m.plan.asked {
		return tea.Batch(m.predict(), compared)
	}
	m.pending = false
	m.refused = msg.refused
	if msg.prediction != nil {
		m.prediction, m.digest = msg.prediction, msg.digest
	}
	return tea.Batch(m.broadcast(predictionMsg{}), compared, m.writeRunbook())
}

// modesMsg is the comparison of the ways to restore.
type modesMsg struct{ modes *restore.PlanComparison }

// compareModes lays the ways to restore side by side. The plan that was given is
// one of them.
func (m *model) compareModes() tea.Cmd {
	comparison, given := m.plan.comparison, m.input.Plan
	return m.tasks.cmd(func() tea.Msg {
		modes, err := comparison.ComparePlans(given)
		if err != nil { // the given plan is refused: compare the others
			modes, err = comparison.ComparePlans(restore.Plan{})
		}
		if err != nil {
			return nil
		}
		return modesMsg{modes}
	})
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
	p.plan.KeepAPIServers, p.plan.RestartAPIServers = !p.plan.KeepAPIServers, nil
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

// planNames are what the switches are called, if there is room or not.
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
	yes := "no"
	if p.MarkCompacted {
		yes = "yes"
	}
	part := func(i int, key action, value string) string {
		return t.fit(t.hint(m.keymap.key(key)+" "+names[i])+" "+value, widths[i]-1) + " "
	}
	return part(0, bump, m.plan.bumpText(widths[0]-len(names[0])-4)) + part(1, compact, yes) +
		part(2, restart, safe(p.RestartKubelets.String())) + part(3, servers, serversText(p))
}

// serversText says what is done to the API servers.
func serversText(p *restore.Plan) string {
	switch s := p.APIServers(); s {
	case "all":
		return "restarted"
	case "none":
		return "kept"
	default:
		return "only " + safe(s)
	}
}

// planResult counts the pods by outcome, or says why the plan is refused.
func (m *model) planResult() string {
	t, width := m.theme, m.width-2
	switch {
	case m.refused != nil:
		text := t.markCritical + " refused: " + safe(m.refused.Error())
		rest := "   " + m.way() + safe(sentence(hintOf(m.refused)))
		if ansi.StringWidth(text+rest) > width {
			rest = "   " + m.way() // what to press is worth more than why
		}
		return " " + t.cut(t.critical.paint(text)+t.dim.paint(rest), width)
	case m.prediction == nil:
		return " " + t.dim.paint("predicting"+t.ellipsis)
	}
	return " " + strings.Join(m.counts(), "  ")
}

// way is the key that makes a plan coherent again.
func (m *model) way() string {
	p := &m.plan.plan
	switch bumped := p.BumpRevision > 0; {
	case bumped && !p.MarkCompacted:
		return m.keymap.key(compact) + " adds it.  "
	case !bumped && p.MarkCompacted:
		return m.keymap.key(bump) + " adds a bump.  "
	}
	return ""
}

// hintOf is what an error says beside what is wrong.
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// counts are the outcomes that occur, worst first, each with its number of pods.
func (m *model) counts() []string {
	var list []string
	for _, o := range m.digest.Tallies {
		color, mark := m.theme.severity(o.Severity)
		list = append(list, color.paint(fmt.Sprintf("%s %s %s", mark, count(o.Pods), o.ID)))
	}
	return list
}
