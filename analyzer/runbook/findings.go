package runbook

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
)

// listed is how many pods or nodes a step names before it counts the rest.
const listed = 20

// defaultGrace is the grace period of a pod that does not say, in seconds.
const defaultGrace = 30

// findings are what the steps name, out of the prediction.
type findings struct {
	dead    []string // nodes that come back with the backup although their machines are gone
	missing []string // nodes that live and have no Node object after the restore
	deaf    []string // nodes whose kubelets stay, or may stay, deaf, or are restarted by a step of their own
	unsure  []string // those of them that only may stay deaf

	cordon   []string // nodes that were cordoned after the backup
	uncordon []string // nodes that were uncordoned after the backup

	again    []pod // their work is done a second time
	revived  []pod // deleted since the backup, started again
	fails    []pod // deleted since the backup, marked Failed without running
	undelete []pod // their deletion is taken back
	force    []pod // only a forced deletion removes them
	blocked  []pod // stopped, and no node of the backup can take them
	rebound  []pod // run on only if the scheduler binds them again before their kubelet lists
	bare     []pod // lost, and no controller creates them again
	pairs    []twins

	namespaces []string // in the current state only
	stale      bool     // API servers that were left running hide what there is to do about pods
	longest    int64    // grace period of what kubelets stop, in seconds
}

// pod is what a step says of a pod.
type pod struct {
	namespace, name, uid, node string
	grace                      int64 // seconds
	runs                       bool  // it can run after the restore, or would if its kubelet heard of it
}

// twins are two pods of one name on two nodes: now runs, was is the backup's.
type twins struct {
	was, now pod
}

// sort files what the prediction says under what there is to do.
func (b *builder) sort() {
	if b.prediction == nil {
		return
	}
	b.sortNodes()
	if !b.stale {
		b.sortPods()
	}
	b.namespaces = without(b.Current.Facts.Namespaces, b.Backup.Facts.Namespaces)
}

func (b *builder) sortNodes() {
	stored := map[string]bool{}
	for _, n := range b.Backup.State.Nodes {
		stored[n.Name] = true
	}
	for i := range b.prediction.Nodes {
		n := &b.prediction.Nodes[i]
		switch {
		case slices.Contains(n.Flags, restore.FlagNodeGone):
			if stored[n.Name] {
				b.dead = append(b.dead, n.Name)
			}
			continue
		case n.Kubelet == restore.KubeletRestarted && b.restartsWith[n.Name]: // by other steps
		case n.Kubelet == restore.KubeletDeaf || n.Kubelet == restore.KubeletRestarted:
			b.deaf = append(b.deaf, n.Name)
			if n.Certainty == restore.Possible {
				b.unsure = append(b.unsure, n.Name)
			}
		}
		switch {
		case slices.Contains(n.Flags, restore.FlagCordonLost):
			b.cordon = append(b.cordon, n.Name)
		case slices.Contains(n.Flags, restore.FlagCordonBack):
			b.uncordon = append(b.uncordon, n.Name)
		}
		b.stale = b.stale || n.Kubelet == restore.KubeletStale
		if !stored[n.Name] && !(n.Kubelet == restore.KubeletRestarted && b.restartsWith[n.Name]) { // which registers itself
			b.missing = append(b.missing, n.Name)
		}
	}
}

func (b *builder) sortPods() {
	current := map[string]*restore.Pod{}
	for _, p := range b.Current.State.Pods {
		current[p.UID] = p
	}
	names := map[string]twins{}
	for i := range b.prediction.Pods {
		o := &b.prediction.Pods[i]
		p := pod{o.Namespace, o.Name, o.UID, o.Node, defaultGrace, canRun(o)}
		live := current[o.UID]
		if live != nil && live.Grace >= 0 {
			p.grace = live.Grace
		}
		has := func(f restore.Flag) bool { return slices.Contains(o.Flags, f) }
		stored := slices.ContainsFunc(o.Evidence, func(r restore.Ref) bool { return r.Snapshot == restore.InBackup })
		if has(restore.FlagSameNameOtherNode) && o.Node != "" {
			t := names[o.Namespace+"/"+o.Name]
			if stored {
				t.was = p
			} else {
				t.now = p
			}
			names[o.Namespace+"/"+o.Name] = t
		}
		if o.Outcome == restore.Terminated {
			b.longest = max(b.longest, p.grace)
		}
		if o.Rule == "4c''" && o.Outcome == restore.Unaffected {
			b.rebound = append(b.rebound, p)
			b.longest = max(b.longest, p.grace)
		}
		b.file(p, o, live, stored)
	}
	for _, t := range names {
		if t.was.runs && t.now.runs {
			b.pairs = append(b.pairs, t)
		}
	}
	slices.SortFunc(b.pairs, func(x, y twins) int {
		return cmp.Or(strings.Compare(x.now.namespace, y.now.namespace), strings.Compare(x.now.name, y.now.name))
	})
}

// canRun says whether a pod runs after the restore, if only until it is stopped, or
// would run if its kubelet heard of it.
func canRun(o *restore.PodOutcome) bool {
	if slices.Contains(o.Flags, restore.FlagNodeGone) {
		return false
	}
	switch o.Outcome {
	case restore.Phantom, restore.Terminated, restore.Ghost, restore.Restarted:
		return true
	}
	return false
}

// file puts a pod onto the list of what there is to do about it.
func (b *builder) file(p pod, o *restore.PodOutcome, live *restore.Pod, stored bool) {
	has := func(f restore.Flag) bool { return slices.Contains(o.Flags, f) }
	deletedSince := stored && live == nil
	named := has(restore.FlagSameNameOtherNode) || has(restore.FlagSameNameSameNode)
	switch {
	case has(restore.FlagNodeGone) || o.Outcome == restore.Mirror:
	case has(restore.FlagNeedsForceDelete):
		b.force = append(b.force, p)
	case has(restore.FlagNotRescheduled):
		b.blocked = append(b.blocked, p)
	case has(restore.FlagRunsAgain) && stored:
		b.again = append(b.again, p)
	case o.Outcome == restore.LostDeletion:
		b.undelete = append(b.undelete, p)
	case deletedSince && !named && (o.Outcome == restore.Restarted || o.Outcome == restore.Ghost):
		b.revived = append(b.revived, p)
	case deletedSince && !named && o.Outcome == restore.Finished && o.Severity == restore.Warning:
		b.fails = append(b.fails, p)
	case !stored && live != nil && live.Owner.Kind == "" && !live.Terminal() && !live.Terminating():
		b.bare = append(b.bare, p)
	}
}

// without are the names that are in a and not in b, sorted.
func without(a, b []string) []string {
	known := map[string]bool{}
	for _, name := range b {
		known[name] = true
	}
	var list []string
	for _, name := range a {
		if !known[name] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// order says in which order kubelets are restarted: where a pod runs before where
// the backup has its namesake, and nodes without a Node object last; by name where
// that leaves the choice. Pairs that no order satisfies are left over.
func (f *findings) order(nodes []string) (ordered []string, left []twins) {
	last := map[string]int{}
	for _, name := range f.missing {
		last[name] = 1
	}
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, func(x, y string) int { return cmp.Or(last[x]-last[y], strings.Compare(x, y)) })
	rank := map[string]int{}
	for i, name := range nodes {
		rank[name] = i
	}
	waits := make([]int, len(nodes))  // for how many
	lets := make([][]int, len(nodes)) // those that wait for it
	place := make([]int, len(nodes))  // in the order, from 1
	for _, t := range f.pairs {
		was, ok := rank[t.was.node]
		if now, ok2 := rank[t.now.node]; ok && ok2 && was != now {
			waits[was]++
			lets[now] = append(lets[now], was)
		}
	}
	ready := &ranks{}
	for i, n := range waits {
		if n == 0 {
			heap.Push(ready, i)
		}
	}
	for first := 0; len(ordered) < len(nodes); {
		for first < len(nodes) && place[first] > 0 {
			first++
		}
		next := first // of nodes that wait for each other
		if ready.Len() > 0 {
			next = heap.Pop(ready).(int)
		}
		if place[next] > 0 {
			continue
		}
		ordered = append(ordered, nodes[next])
		place[next] = len(ordered)
		for _, i := range lets[next] {
			if waits[i]--; waits[i] == 0 {
				heap.Push(ready, i)
			}
		}
	}
	for _, t := range f.pairs {
		was, ok := rank[t.was.node]
		if now, ok2 := rank[t.now.node]; ok && ok2 && place[now] > place[was] {
			left = append(left, t)
		}
	}
	return ordered, left
}

// ranks is a heap of the nodes that wait for none, the first one on top.
type ranks []int

func (r ranks) Len() int           { return len(r) }
func (r ranks) Less(i, j int) bool { return r[i] < r[j] }
func (r ranks) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ranks) Push(x any)        { *r = append(*r, x.(int)) }
func (r *ranks) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// deletions are the commands that delete the first pods of a list, one a
// namespace, and what they leave out.
func (b *builder) deletions(pods []pod, flags []string, comment string) (commands []Command, warnings []string) {
	shown := pods[:min(len(pods), listed)]
	byNamespace := map[string][]string{}
	var namespaces []string
	for _, p := range shown {
		if byNamespace[p.namespace] == nil {
			namespaces = append(namespaces, p.namespace)
		}
		byNamespace[p.namespace] = append(byNamespace[p.namespace], p.name)
	}
	lost := 0
	for _, ns := range namespaces {
		names, left := operands(byNamespace[ns])
		if _, ok := sanitize.ShellWord(ns); !ok || ns == "" {
			left, names = len(byNamespace[ns]), nil
		}
		lost += left
		if len(names) == 0 {
			continue
		}
		commands = append(commands, b.kubectl(slices.Concat([]string{"delete", "pod", "--ignore-not-found", "--namespace=" + ns}, flags, names)...).says("%s", comment))
		comment = ""
	}
	if lost > 0 {
		warnings = append(warnings, unwritten(lost, "pod"))
	}
	if n := len(pods) - len(shown); n > 0 {
		warnings = append(warnings, fmt.Sprintf("And %d more: %s lists them.", n, b.predictCommand()))
	}
	return commands, warnings
}

func (p pod) String() string { return p.namespace + "/" + p.name }

func podNames(pods []pod) []string {
	names := make([]string, len(pods))
	for i, p := range pods {
		names[i] = p.String()
	}
	return names
}
