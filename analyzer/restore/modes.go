package restore

import (
	"fmt"
	"slices"
	"strings"

	"revenant/internal/words"
)

// PlanComparison compares the ways to restore. It marshals to the JSON
// of `revenant predict --compare -o json`.
type PlanComparison struct {
	SchemaVersion int        `json:"schemaVersion"` // 1
	Kind          string     `json:"kind"`          // PlanComparison
	Tool          Tool       `json:"tool"`          // the caller's to fill in, as Evidence
	Evidence      []Evidence `json:"evidence"`

	Metrics *Metrics      `json:"metrics,omitempty"` // that were given
	Missing []Missing     `json:"-"`                 // what is known to be missing from the snapshots
	Modes   []ModeOutcome `json:"modes"`
	// LeastHarm is the index of the mode under which the fewest pods come to harm
	// that nothing repairs, a kill without the pod's own grace period included;
	// then the fewest that run twice, then the fewest otherwise disturbed, then one
	// under which every kubelet relists its pods. It is not called safe: the
	// evidence ends at the current snapshot.
	LeastHarm int    `json:"leastHarm"`
	Reason    string `json:"reason"`
}

// ModeOutcome is what a restore in one mode does, counted.
type ModeOutcome struct {
	ID          string          `json:"id"`
	Title       string          `json:"title"`
	Plan        Plan            `json:"plan"`
	Headline    string          `json:"headline"`
	Severity    Severity        `json:"severity"` // of the headline
	BumpVerdict BumpVerdict     `json:"bumpVerdict"`
	Deaf        *Deaf           `json:"deaf"`
	Summary     map[Outcome]int `json:"summary"`
	Certain     map[Outcome]int `json:"certain"` // of those in Summary

	Critical   int `json:"critical"`   // pods that nothing repairs, or of which nothing is known
	Warning    int `json:"warning"`    // pods that are repaired late or with damage
	DoubleRuns int `json:"doubleRuns"` // pods that run twice or together with another pod of their name
	// DoubleRunSeconds bounds how long the longest of them does; 0 when that has
	// no bound, or there is none.
	DoubleRunSeconds int64  `json:"doubleRunSeconds"`
	Graceful         int    `json:"graceful"` // pods stopped with their own grace period
	Killed           int    `json:"killed"`   // pods killed within 2 s, without preStop hooks
	Price            string `json:"price"`    // what the mode costs, for people

	// Sure is how many of Critical, DoubleRuns, Killed and Graceful are certain.
	Sure struct{ Critical, DoubleRuns, Killed, Graceful int } `json:"-"`

	ending  int  // pods that were being stopped already, and end by themselves
	unheard bool // kubelets may stay deaf or be served a stale cache, or none is known
}

// mode is a way to restore.
type mode struct {
	id, title string
	plan      Plan
}

// modes are the ways that differ in what kubelets do, with the given plan first
// when it is none of them. All keep the given evidence on the outage.
func (c *Comparison) modes(given Plan) ([]mode, error) {
	f, err := c.forecast(given)
	if err != nil {
		return nil, err
	}
	evidence := given.Stated()
	with := func(change func(*Plan)) Plan {
		p := evidence
		change(&p)
		return p
	}
	recommended := f.recommendedBump()
	bump := func(p *Plan) { p.BumpRevision, p.MarkCompacted = recommended, true }
	list := []mode{
		{"plain", "plain restore", evidence},
		{"bump", "recommended bump, marked compacted", with(bump)},
		{"restart", "all kubelets restarted", with(func(p *Plan) { p.RestartKubelets.All = true })},
		{"keep", "API servers left running", with(func(p *Plan) { p.KeepAPIServers = true })},
		{"keep+bump", "API servers left running, recommended bump", with(func(p *Plan) { bump(p); p.KeepAPIServers = true })},
	}
	if recommended == 0 { // no bump fits
		list = slices.DeleteFunc(list, func(m mode) bool { return m.plan.MarkCompacted })
	}
	if !slices.ContainsFunc(list, func(m mode) bool { return m.plan.Equal(given) }) {
		list = slices.Insert(list, 0, mode{"given", "the plan as given", given})
	}
	return list, nil
}

// Equal says whether the two plans are the same, and state the same beyond the
// snapshots.
func (p Plan) Equal(q Plan) bool {
	return p.BumpRevision == q.BumpRevision && p.MarkCompacted == q.MarkCompacted && p.APIServers() == q.APIServers() &&
		p.RestartKubelets.String() == q.RestartKubelets.String() && p.LastRevision == q.LastRevision && p.OutageAt.Equal(q.OutageAt) &&
		p.Outage == q.Outage && p.KubernetesVersion == q.KubernetesVersion && p.Kubelets() == q.Kubelets() && p.Onto == q.Onto
}

// ComparePlans predicts the given plan and every other way to restore. The errors
// are those of Predict, for the given plan.
func (c *Comparison) ComparePlans(given Plan) (*PlanComparison, error) {
	given = c.normal(given)
	if err := c.validate(given); err != nil {
		return nil, err
	}
	modes, err := c.modes(given)
	if err != nil {
		return nil, err
	}
	all := &PlanComparison{SchemaVersion: 1, Kind: "PlanComparison", Evidence: []Evidence{}, Metrics: c.Metrics, Missing: c.missing()}
	for _, m := range modes {
		p, err := c.Predict(m.plan)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.title, err)
		}
		all.Modes = append(all.Modes, p.count(m))
	}
	all.choose()
	return all, nil
}

// count counts the prediction's pods.
func (p *Prediction) count(m mode) ModeOutcome {
	o := ModeOutcome{
		ID: m.id, Title: m.title, Plan: p.Plan,
		BumpVerdict: p.Revisions.BumpVerdict, Deaf: p.Revisions.Deaf,
		Summary: p.Summary, Certain: make(map[Outcome]int, len(p.Summary)),
	}
	o.Severity, o.Headline = p.Headline()
	lists, _ := p.kubelets()
	o.unheard = !lists
	bounded := true
	for _, info := range Outcomes {
		o.Certain[info.ID] = 0
	}
	for i := range p.Pods {
		pod := &p.Pods[i]
		sure := 0
		if pod.Certainty == Certain {
			sure = 1
			o.Certain[pod.Outcome]++
		}
		switch pod.Severity {
		case Critical:
			o.Critical++
			o.Sure.Critical += sure
		case Warning:
			o.Warning++
		}
		if pod.DoubleRun != nil {
			o.DoubleRuns++
			o.Sure.DoubleRuns += sure
			o.DoubleRunSeconds = max(o.DoubleRunSeconds, pod.DoubleRun.AtMostSeconds)
			bounded = bounded && pod.DoubleRun.AtMostSeconds > 0
		}
		switch {
		case pod.Outcome != Terminated:
		case pod.Ends != nil:
			o.ending++
		case p.restarted(pod.Node):
			o.Killed++
			o.Sure.Killed += sure
		default:
			o.Graceful++
			o.Sure.Graceful += sure
		}
	}
	if !bounded {
		o.DoubleRunSeconds = 0
	}
	o.Price = o.price()
	return o
}

// Counted is the prediction as a way to restore.
func (p *Prediction) Counted(id, title string) ModeOutcome {
	return p.count(mode{id: id, title: title})
}

func (p *Prediction) restarted(node string) bool {
	i, ok := slices.BinarySearchFunc(p.Nodes, node, func(n NodeOutcome, name string) int { return strings.Compare(n.Name, name) })
	return ok && p.Nodes[i].Kubelet == KubeletRestarted
}

// Price says what the restore costs: which pods are stopped and started, and what runs
// twice.
func (p *Prediction) Price() string { return p.count(mode{}).Price }

// price says what the mode costs.
func (o *ModeOutcome) price() string {
	var parts []string
	say := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, words.CountOf(n, one, many))
		}
	}
	say(o.Graceful, "pod is stopped with its own grace period", "pods are stopped with their own grace period")
	say(o.Killed, "pod is killed within 2 s, without its preStop hook", "pods are killed within 2 s, without preStop hooks")
	say(o.ending, "pod that was being stopped already ends", "pods that were being stopped already end")
	twice := ", until their kubelets have relisted or are restarted"
	if o.DoubleRunSeconds > 0 {
		twice = fmt.Sprintf(" for up to %d s", o.DoubleRunSeconds)
	}
	say(o.DoubleRuns, "pod runs twice"+twice, "pods run twice or together with another pod of their name"+twice)
	say(o.Summary[Restarted], "pod is started again", "pods are started again")
	switch {
	case o.Deaf != nil && o.Deaf.Estimate != "":
		parts = append(parts, "kubelets are deaf for about "+o.Deaf.Estimate)
	case o.Deaf != nil:
		parts = append(parts, "kubelets are deaf until the revision catches up")
	}
	if o.Summary[Hidden] > 0 {
		parts = append(parts, "what the API lists is false")
	}
	if len(parts) == 0 {
		return "Nothing is stopped or started."
	}
	return words.Sentence(words.List(parts))
}

// choose finds the mode that does the least harm.
func (all *PlanComparison) choose() {
	harm := func(m *ModeOutcome) []int {
		unheard := 0 // what comes after the current snapshot is not in the counts
		if m.unheard {
			unheard = 1
		}
		return []int{m.Critical + m.Killed, m.DoubleRuns, m.Warning, unheard}
	}
	for i := range all.Modes {
		if slices.Compare(harm(&all.Modes[i]), harm(&all.Modes[all.LeastHarm])) < 0 {
			all.LeastHarm = i
		}
	}
	m := &all.Modes[all.LeastHarm]
	all.Reason = fmt.Sprintf("Least harm according to the evidence: %s. %s left with harm that nothing repairs. %s", m.Title, words.Count(m.Critical, "pod"), m.Price)
}
