package restore

import (
	"fmt"
	"slices"

	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
	"revenant/internal/words"
)

// Onto says onto which machines a backup is restored. The values are stable names.
type Onto string

// NewMachines are machines of which none was a node of the backup's cluster: for disaster
// recovery, as a copy for tests, or to move.
const NewMachines Onto = "new-machines"

// validateOnto refuses what says nothing where no kubelet has ever watched.
func (p *Plan) validateOnto() error {
	switch {
	case p.Onto == "":
		return nil
	case p.Onto != NewMachines:
		return &PlanError{fmt.Sprintf("unknown machines to restore onto: %.40q", p.Onto), "they are " + string(NewMachines)}
	case p.RestartKubelets.All || len(p.RestartKubelets.Nodes) > 0 || p.KeepAPIServers:
		return &PlanError{
			"a restore onto other machines has no kubelets to restart and no API servers to leave running",
			"every kubelet and every API server there starts for the first time; leave these flags out",
		}
	case p.LastRevision > 0 || !p.OutageAt.IsZero() || p.Outage != Seconds{}:
		return &PlanError{
			"a restore onto other machines has no outage",
			"the outage and the last revision bound what kubelets have seen, and those of the new machines have seen nothing; leave these flags out",
		}
	}
	return nil
}

// RestoreOnto is the restore of a backup onto machines that none of its nodes is: the
// comparison of the backup with a state in which all of them are gone. Predict takes plans
// with Onto only. It does not change backup, and keeps it.
func RestoreOnto(backup *State) *Comparison {
	current := *backup
	current.Nodes, current.APIServers, current.LastSeen, current.Tombstones = nil, nil, nil, nil
	c := &Comparison{backup: backup, current: &current, nodesKnown: true, onto: true, clock: backup.Clock}
	c.lay()
	return c
}

const ontoNameTold = "A new machine that registers under the name of its node changes this: its kubelet takes the pod for its own, and starts it at once."

// ontoRow is the row of a pod of a backup that is restored onto other machines.
func (b *builder) ontoRow(was *Pod, node int) rowID {
	switch {
	case isMirror(was):
		return rowOntoMirror
	case !was.bound() && was.Terminating():
		return rowOntoUnboundHeld
	case was.Terminal() && !was.Terminating():
		return rowOntoEnded
	case !was.bound():
		return rowOntoUnbound
	case !b.nodes[node].inBackup:
		return rowOntoOrphan
	case was.Terminating():
		return rowOntoDying
	}
	switch kind := was.Owner.Kind; {
	case kind == "":
		return rowOntoBare
	case was.Owner.Custom:
		return rowOntoCustom
	case kind == "Job":
		return rowOntoJob
	case kind == "DaemonSet":
		return rowOntoDaemon
	case kind == "StatefulSet":
		return rowOntoStateful
	}
	return rowOntoAlive
}

// settleOnto predicts a restore onto other machines.
func (c *Comparison) settleOnto(plan Plan) (*Prediction, *forecast, error) {
	if err := c.validate(plan); err != nil {
		return nil, nil, err
	}
	if plan.Onto == "" {
		return nil, nil, &PlanError{"the plan is for the machines of the backup's cluster", "say onto which machines it is restored"}
	}
	f := &forecast{Comparison: c, plan: plan, restored: c.restored(plan), extensions: map[extension]*Finding{}, startable: map[*string][]string{}, judgements: map[judgement]judged{}, evictions: map[eviction]*Later{}, waiting: map[string]string{}}
	f.general = verdict{column: onto, certainty: Possible, reason: "Where it is placed depends on the new machines, of which the backup knows nothing.", kubelet: KubeletGone}
	for range c.nodes {
		f.verdicts = append(f.verdicts, verdict{column: onto, certainty: Possible, reason: ontoNameTold, kubelet: KubeletGone})
	}
	p := &Prediction{
		SchemaVersion: 1,
		Kind:          "Prediction",
		Evidence:      []Evidence{},
		Metrics:       c.Metrics,
		Plan:          plan,
		Lineage:       lineage.Lineage{Relation: lineage.Unknown, Reason: "a backup alone, for other machines", Restores: []lineage.Restore{}},
		APIServers:    []APIServerOutcome{},
		Pods:          f.pods(),
		Summary:       make(map[Outcome]int, len(Outcomes)),
	}
	for _, o := range Outcomes {
		p.Summary[o.ID] = 0
	}
	for i := range p.Pods {
		p.Summary[p.Pods[i].Outcome]++
	}
	p.Nodes = f.nodes(p.Pods)
	for i := range p.Nodes {
		p.Nodes[i].Certainty, p.Nodes[i].Reason = Possible, "It is a machine of the old cluster. "+ontoDoubt+" A new machine of its name takes the Node object over, and the pods with it."
		p.Nodes[i].LastSeen, p.Nodes[i].Evidence = LastSeen{}, []Ref{}
	}
	p.Workloads = f.workloadOutcomes(p.Pods)
	p.Revisions = f.revisionsOnto()
	p.Kubernetes = f.kubernetesOnto()
	for _, m := range c.backup.Missing {
		p.Missing = append(p.Missing, Missing{InBackup, m})
	}
	p.Warnings = f.warningsOnto(p)
	return p, f, nil
}

// kubernetesOnto is of which versions the old cluster was. That is what can be said of
// the new one, and none has been seen on other machines.
func (f *forecast) kubernetesOnto() Kubernetes {
	old := Comparison{current: f.backup}
	k := old.versionsUnder(f.plan).Kubernetes
	if k.Rules != RulesUntried {
		k.Rules = RulesRead
		k.Reason = "What becomes of pods on other machines was read in the source of Kubernetes 1.37, and not seen on clusters."
	}
	return k
}

// revisionsOnto says what revisions decide where no kubelet has ever watched.
func (f *forecast) revisionsOnto() Revisions {
	r := Revisions{
		Backup: f.backup.Revision, Current: f.backup.Revision, Restored: f.restored,
		MinimumSafeBumpIs: LowerBound, CurrentTaken: f.backup.Clock.Taken(),
		LastSeenBasis: "no kubelet of the new machines has ever watched", BumpVerdict: NoBump,
		BumpReason: "The kubelets of new machines have never watched, and need no bump. " + OntoBump,
	}
	if f.plan.BumpRevision > 0 {
		r.BumpVerdict = BumpUnsure
		r.BumpReason = fmt.Sprintf("The store starts at revision %d. Kubelets of new machines do not need that. Clients outside the cluster that continue against the new API servers do, and it is enough only for those that have seen nothing later. What they have seen is not in the backup.", f.restored)
	}
	if f.backup.Clock != nil {
		if rate, ok := f.backup.Clock.Rate(); ok {
			r.Rate = &rate
		}
	}
	return r
}

// OntoBump says when a restore onto other machines needs a bump.
const OntoBump = "Clients and operators outside of the cluster that watched the old API servers, and go on against the new ones without being restarted, do: restart them, or bump above all that they have seen."

// warningsOnto says what to know beyond single pods.
func (f *forecast) warningsOnto(p *Prediction) []string {
	list := []string{
		"This is for machines of which none was a node of the old cluster. All of it was read in source: no restore onto other machines was run to see it.",
		"Two clusters from one backup hold the same uids, keys and credentials. While both run, both write to the same disks, load balancers, DNS names and cloud accounts: prove that the old one is down, or cut the new one off from them, before its controllers start.",
	}
	for _, m := range p.Missing {
		list = append(list, fmt.Sprintf("The backup lacks %s. %s", m.What, m.cost()))
	}
	if p.Summary[Unknown] > 0 {
		list = append(list, fmt.Sprintf("%s cannot be predicted: see the outcome unknown.", words.Count(p.Summary[Unknown], "pod")))
	}
	if names := f.named(func(n *node) bool { return n.inBackup }); names != "" {
		list = append(list, "Node objects of the old cluster that come with the backup: "+names+". Give new machines other names: a kubelet that registers under one of these takes over its pods, and starts them at once.")
	}
	return list
}

// headlineOnto says in a sentence or two what a restore onto other machines does.
func (p *Prediction) headlineOnto() (Severity, string) {
	nodes := 0
	for i := range p.Nodes {
		if slices.Contains(p.Nodes[i].Flags, FlagNodeGone) {
			nodes++
		}
	}
	if len(p.Pods) == 0 {
		return Warning, "The backup has no pods, so there is nothing to predict."
	}
	severity := Warning
	var parts []string
	say := func(o Outcome, one, many string) {
		if n := p.Summary[o]; n > 0 {
			parts = append(parts, words.CountOf(n, one, many))
		}
	}
	say(Ghost, "is shown alive on an old node although nothing of it runs (a ghost)", "are shown alive on old nodes although nothing of them runs (ghosts)")
	say(StuckTerminating, "stays Terminating", "stay Terminating")
	say(Mirror, "mirrors a static pod of an old machine", "mirror static pods of old machines")
	say(Unknown, "cannot be predicted", "cannot be predicted")
	if p.Summary[Ghost]+p.Summary[Unknown] > 0 {
		severity = Critical
	}
	text := fmt.Sprintf("Nothing of the backup runs on the new machines: every pod has to start again. Its %s %s not there.", words.Count(nodes, "node"), map[bool]string{true: "is", false: "are"}[nodes == 1])
	if nodes == 0 {
		text = "Nothing of the backup runs on the new machines: every pod has to start again."
	}
	if len(parts) > 0 {
		text += " Until the old Node objects are deleted, of " + words.Count(len(p.Pods), "pod") + ", " + words.List(parts) + "."
	}
	return severity, text
}

// OldCluster says what the old cluster ran when a snapshot of it was taken, which must
// not go on beside the one that a backup of it is restored onto other machines as.
type OldCluster struct {
	Revision int64          `json:"revision"`
	Taken    clock.Interval `json:"taken"`
	Nodes    []string       `json:"nodes"` // of its Node objects, by name
	// Renewing are those of Nodes that were not tainted as unreachable.
	Renewing []string `json:"renewing"`
	Running  int      `json:"running"` // pods that were alive and bound
}

// Old is what the old cluster ran at a state of it.
func (s *State) Old() *OldCluster {
	o := &OldCluster{Revision: s.Revision, Taken: s.Clock.Taken(), Nodes: []string{}, Renewing: []string{}}
	for i := range s.Nodes {
		o.Nodes = append(o.Nodes, s.Nodes[i].Name)
		if !s.Nodes[i].Unreachable {
			o.Renewing = append(o.Renewing, s.Nodes[i].Name)
		}
	}
	slices.Sort(o.Nodes)
	slices.Sort(o.Renewing)
	for _, p := range s.Pods {
		if p.bound() && !p.Terminal() {
			o.Running++
		}
	}
	return o
}

// Text says it in a sentence or two.
func (o *OldCluster) Text() string {
	at := ""
	if !o.Taken.From.IsZero() {
		at = ", taken " + o.Taken.String()
	}
	nodes := words.Count(len(o.Renewing), "reachable node")
	if len(o.Renewing) > 0 {
		nodes += " (" + words.First(o.Renewing, mostNamed) + ")"
	}
	return fmt.Sprintf("The old cluster had %s on %s in its newest snapshot (revision %d%s), and may run them still. None of it may keep running next to the new cluster.", words.Count(o.Running, "running pod"), nodes, o.Revision, at)
}
