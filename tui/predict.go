package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

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
func (s *session) predict() tea.Cmd {
	s.pending = true
	plan, msg := s.plan.plan, predictedMsg{asked: s.plan.asked}
	comparison, in, known := s.plan.comparison, s.input, s.known
	return s.Tasks.Cmd(func() tea.Msg {
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
func (s *session) predicted(msg predictedMsg) (news tea.Msg, cmd tea.Cmd) {
	var compared tea.Cmd
	if msg.comparison != nil {
		s.plan.comparison, s.plan.bumps = msg.comparison, msg.bumps
		s.known = msg.known
		compared = s.compareModes()
	}
	if msg.asked != s.plan.asked {
		return nil, tea.Batch(s.predict(), compared)
	}
	s.pending = false
	s.refused = msg.refused
	if msg.prediction != nil {
		s.prediction, s.digest = msg.prediction, msg.digest
	}
	return predictionMsg{}, tea.Batch(compared, s.writeRunbook())
}

// modesMsg is the comparison of the ways to restore.
type modesMsg struct{ modes *restore.PlanComparison }

// compareModes lays the ways to restore side by side. The plan that was given is
// one of them.
func (s *session) compareModes() tea.Cmd {
	comparison, given := s.plan.comparison, s.input.Plan
	return s.Tasks.Cmd(func() tea.Msg {
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
func (s *session) replan(change func()) tea.Cmd {
	change()
	s.plan.asked++
	if s.pending {
		return nil // predicted sees that the plan has changed
	}
	return s.predict()
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
