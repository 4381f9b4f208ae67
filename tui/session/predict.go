package session

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
)

// Planner holds the plan and what its keys choose from.
type Planner struct {
	Plan       restore.Plan
	comparison *restore.Comparison
	Given      int64 // the bump to begin with
	// bumps are what a bump can be, by whether API servers are left running.
	bumps [2]bumps
	Asked int // counts the changes: only the prediction of the last one is shown
}

// bumps are the bumps that the evidence suggests.
type bumps struct{ Recommended, Minimum int64 }

// PredictedMsg is the prediction of a plan.
type PredictedMsg struct {
	Asked      int
	Prediction *restore.Prediction // nil when refused, but the first time of a plain restore then
	Digest     digest.Digest
	yours      *restore.ModeOutcome // the same as a way to restore
	refused    error

	// the first time
	comparison *restore.Comparison
	bumps      [2]bumps
	known      map[string]digest.Pod
}

// Comparison is of the two states; nil until they are compared.
func (p *Planner) Comparison() *restore.Comparison { return p.comparison }

// predict starts to predict the plan, where there is a pair. The first time it compares
// the two states.
func (s *Session) predict() tea.Cmd {
	if s.Input.Alone() != "" {
		return nil
	}
	s.Pending = true
	plan, msg := s.Plan.Plan, PredictedMsg{Asked: s.Plan.Asked}
	comparison, in, known := s.Plan.comparison, s.Input, s.Known
	was, now := s.Backup().State, s.Current().State
	return s.Tasks.Cmd(func() tea.Msg {
		first := comparison == nil
		if first {
			comparison = restore.Compare(was, now)
			comparison.Lineage, comparison.Metrics = in.Lineage, in.Metrics
			known = digest.Pods(was, now)
			msg.comparison, msg.known, msg.bumps = comparison, known, suggested(comparison, plan)
		}
		msg.Prediction, msg.refused = comparison.Predict(plan)
		if msg.refused != nil && first {
			msg.Prediction, _ = comparison.Predict(plan.Stated())
		}
		if msg.Prediction != nil {
			msg.Digest = digest.New(msg.Prediction, known)
			yours := msg.Prediction.Counted("yours", "the plan in force")
			msg.yours = &yours
		}
		return msg
	})
}

// suggested are the bumps for the plain restore with the plan's evidence of the outage,
// with the API servers restarted and left running.
func suggested(c *restore.Comparison, plan restore.Plan) (list [2]bumps) {
	for i, keep := range []bool{false, true} {
		plan := plan.Stated()
		plan.KeepAPIServers = keep
		if r, err := c.Revisions(plan); err == nil {
			list[i] = bumps{r.RecommendedBump, r.MinimumSafeBump}
		}
	}
	return list
}

// predicted takes a prediction over, unless the plan has changed meanwhile: then
// it starts again. So there is never more than one under way.
func (s *Session) predicted(msg PredictedMsg) (news tea.Msg, cmd tea.Cmd) {
	var compared tea.Cmd
	if msg.comparison != nil {
		s.Plan.comparison, s.Plan.bumps = msg.comparison, msg.bumps
		s.Known = msg.known
		compared = tea.Batch(s.compareModes(), s.rest)
		s.rest = nil
	}
	if msg.Asked != s.Plan.Asked {
		return nil, tea.Batch(s.predict(), compared)
	}
	s.Pending = false
	s.Refused = msg.refused
	if msg.Prediction != nil {
		s.Prediction, s.Digest, s.Yours = msg.Prediction, msg.Digest, msg.yours
	}
	return PredictionMsg{}, tea.Batch(compared, s.WriteRunbook())
}

// modesMsg is the comparison of the ways to restore.
type modesMsg struct{ modes *restore.PlanComparison }

// compareModes lays the ways to restore side by side. The plan that was given is
// one of them.
func (s *Session) compareModes() tea.Cmd {
	comparison, given := s.Plan.comparison, s.Input.Plan
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

// Replan changes the plan and predicts it.
func (s *Session) Replan(change func()) tea.Cmd {
	change()
	s.Plan.Asked++
	if s.Pending {
		return nil // predicted sees that the plan has changed
	}
	return s.predict()
}

// Suggested are the bumps for the plan as it is.
func (p *Planner) Suggested() bumps {
	if p.Plan.KeepAPIServers {
		return p.bumps[1]
	}
	return p.bumps[0]
}

// choices are the bumps that the key goes through.
func (p *Planner) choices() []int64 {
	s := p.Suggested()
	var list []int64
	for _, n := range []int64{0, s.Recommended, s.Minimum, p.Given} {
		if n >= 0 && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// Choices is how many bumps the key goes through.
func (p *Planner) Choices() int { return len(p.choices()) }

// BumpPresses is how often NextBump is to be asked for until the bump is n, -1 for never.
func (p *Planner) BumpPresses(n int64) int {
	list := p.choices()
	from, to := slices.Index(list, p.Plan.BumpRevision), slices.Index(list, n)
	if to < 0 {
		return -1
	}
	return (to - from + len(list)) % len(list)
}

// NextBump takes the next of the bumps that can be chosen.
func (p *Planner) NextBump() {
	list := p.choices()
	i := slices.Index(list, p.Plan.BumpRevision)
	p.Plan.BumpRevision = list[(i+1)%len(list)]
}

// ToggleCompact changes --mark-compacted.
func (p *Planner) ToggleCompact() { p.Plan.MarkCompacted = !p.Plan.MarkCompacted }

// ToggleServers changes a bump that is the minimum along with it.
func (p *Planner) ToggleServers() {
	was := p.Suggested()
	p.Plan.KeepAPIServers, p.Plan.RestartAPIServers = !p.Plan.KeepAPIServers, nil
	if n := p.Plan.BumpRevision; n != 0 && n == was.Minimum {
		p.Plan.BumpRevision = p.Suggested().Minimum
	}
}

// NextRestart changes between no kubelet that is restarted and all.
func (p *Planner) NextRestart() {
	r := &p.Plan.RestartKubelets
	*r = restore.Restart{All: !r.All && len(r.Nodes) == 0}
}

// toggleNode changes whether the kubelet of one node is restarted.
func (p *Planner) toggleNode(node string) {
	r := &p.Plan.RestartKubelets
	nodes := slices.Clone(r.Nodes)
	if i := slices.Index(nodes, node); i >= 0 && !r.All {
		nodes = slices.Delete(nodes, i, i+1)
	} else {
		nodes = append(nodes, node)
	}
	slices.Sort(nodes)
	*r = restore.Restart{Nodes: nodes}
}
