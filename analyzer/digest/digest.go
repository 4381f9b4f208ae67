// Package digest summarizes a prediction: what takes a pass over all of its pods.
//
// It takes a prediction and the two states that it was made from. It returns its headline,
// the outcomes that occur, with the number of pods of each and how certain that is, the pods
// on every node before and after the restore, and the owner and the age of every pod.
package digest

import (
	"slices"
	"time"

	"revenant/analyzer/restore"
)

// Digest is what there is to say of a whole prediction. It is not changed once it is made.
type Digest struct {
	Severity restore.Severity
	Headline string
	Tallies  []Tally          // of the outcomes that occur, worst first
	Nodes    map[string]*Node // by name

	unsure map[group]int // how many pods of a group do not certainly have the outcome
}

// group is the pods of an outcome on a node, or of a workload.
type group struct {
	node, workload string // of which one is ""
	outcome        restore.Outcome
}

// OnNode splits all pods of an outcome on a node into those that certainly have it, and others.
func (d *Digest) OnNode(name string, o restore.Outcome, all int) (certain, possible int) {
	possible = min(d.unsure[group{node: name, outcome: o}], all)
	return all - possible, possible
}

// OfWorkload is OnNode for the workload that has a uid.
func (d *Digest) OfWorkload(uid string, o restore.Outcome, all int64) (certain, possible int64) {
	possible = min(int64(d.unsure[group{workload: uid, outcome: o}]), all)
	return all - possible, possible
}

// Tally counts the pods of an outcome.
type Tally struct {
	restore.OutcomeInfo // with the severity of the worst of them
	Pods                int
	Certain, Unlikely   int // of the pods
}

// Node is the pods of a node: places in the prediction, ascending.
type Node struct {
	Before   []int32 // that run there in the current state
	After    []int32 // that run there after the restore
	Shown    []int32 // that the API then shows there, alive
	Involved []int32 // all of these, and those whose node it is
}

// Pod is a pod of either snapshot, as the current one has it if it is in both. The zero
// value is a pod of neither.
type Pod struct {
	*restore.Pod
	at      time.Time // of the snapshot, zero when it is not known
	current bool      // it is in the current snapshot
}

// Pods are all pods of two states, by uid.
func Pods(backup, current *restore.State) map[string]Pod {
	list := make(map[string]Pod, len(current.Pods))
	for _, s := range []*restore.State{backup, current} {
		for _, p := range s.Pods {
			if p.UID != "" {
				list[p.UID] = Pod{p, s.Time, s == current}
			}
		}
	}
	return list
}

// Controller is the object that a pod is of, as Kind/name, "" for none.
func (p Pod) Controller() string {
	if p.Pod == nil || p.Owner.Name == "" {
		return ""
	}
	return p.Owner.Kind + "/" + p.Owner.Name
}

// Age is how old it was when the snapshot was taken, less than 0 when that is not known.
func (p Pod) Age() time.Duration {
	if p.Pod == nil || p.at.IsZero() || p.Created.IsZero() {
		return -1
	}
	return max(p.at.Sub(p.Created), 0)
}

// New sums up a prediction of the states that the pods are of.
func New(p *restore.Prediction, pods map[string]Pod) Digest {
	d := Digest{Nodes: nodes(p, pods), Tallies: tallies(p), unsure: map[group]int{}}
	for i := range p.Pods {
		if pod := &p.Pods[i]; pod.Certainty != restore.Certain && pod.Severity != restore.OK {
			if pod.Node != "" {
				d.unsure[group{node: pod.Node, outcome: pod.Outcome}]++
			}
			if pod.Workload != "" {
				d.unsure[group{workload: pod.Workload, outcome: pod.Outcome}]++
			}
		}
	}
	d.Severity, d.Headline = p.Headline()
	return d
}

func tallies(p *restore.Prediction) []Tally {
	var list []Tally
	for _, info := range restore.Outcomes {
		if n := p.Summary[info.ID]; n > 0 {
			info.Severity = restore.OK
			list = append(list, Tally{OutcomeInfo: info, Pods: n})
		}
	}
	of := map[restore.Outcome]*Tally{}
	for i := range list {
		of[list[i].ID] = &list[i]
	}
	for i := range p.Pods {
		pod := &p.Pods[i]
		t := of[pod.Outcome]
		switch pod.Certainty {
		case restore.Certain:
			t.Certain++
		case restore.Unlikely:
			t.Unlikely++
		}
		if pod.Severity.Rank() < t.Severity.Rank() {
			t.Severity = pod.Severity
		}
	}
	slices.SortStableFunc(list, func(a, b Tally) int { return a.Severity.Rank() - b.Severity.Rank() })
	return list
}

// nodes lays out the pods of a prediction by node.
func nodes(p *restore.Prediction, pods map[string]Pod) map[string]*Node {
	all := make(map[string]*Node, len(p.Nodes))
	of := func(name string) *Node {
		if all[name] == nil {
			all[name] = &Node{}
		}
		return all[name]
	}
	for i := range p.Pods {
		pod, place := &p.Pods[i], int32(i)
		add := func(to *[]int32) { *to = append(*to, place) }
		var names []string
		if k := pods[pod.UID]; k.Pod != nil && k.current && k.NodeName != "" && !k.Terminal() {
			names = append(names, k.NodeName)
			add(&of(k.NodeName).Before)
		}
		runs, _, shown := pod.Settled()
		for _, name := range runs {
			names = append(names, name)
			add(&of(name).After)
		}
		if v := shown; v != nil && v.Node != "" && v.Phase != "Succeeded" && v.Phase != "Failed" {
			names = append(names, v.Node)
			add(&of(v.Node).Shown)
		}
		if pod.Node != "" {
			names = append(names, pod.Node)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			add(&of(name).Involved)
		}
	}
	return all
}
