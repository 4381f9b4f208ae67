package restore

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/lineage"
	"revenant/internal/words"
)

// warnings says what to know beyond single pods.
func (f *forecast) warnings(p *Prediction) []string {
	list := []string{f.blind()}
	warn := func(when bool, text string) {
		if when {
			list = append(list, text)
		}
	}
	for _, m := range p.Missing {
		name := "The backup"
		if m.In == InCurrent {
			name = "The current snapshot"
		}
		warn(true, fmt.Sprintf("%s lacks %s. %s", name, m.What, m.cost()))
	}
	l := &p.Lineage
	warn(l.Relation == lineage.Unrelated, "The snapshots are of different clusters. "+l.Predictable)
	warn(l.Relation == lineage.Diverged, "The snapshots have different histories: an earlier restore lies between them. "+l.Predictable)
	warn(l.Relation == lineage.Unknown && l.Predictable != "", "Whether the backup is an earlier state of the current one could not be compared. "+l.Predictable)
	warn(l.Unseen != "", l.Unseen)
	for i := range l.Restores {
		r := &l.Restores[i]
		warn(r.Bump > 0, fmt.Sprintf("This backup, or one with the same newest record, was restored before with a bump of %d, to revision %d, and the cluster has gone on from there. The same bump would again start the store below what was served since.", r.Bump, r.Revision))
		warn(r.Bump == 0 && r.Bumped() && r.Snapshot == "current" && f.plan.BumpRevision > 0 && f.restored <= r.Revision,
			fmt.Sprintf("An earlier restore has bumped the store to revision %d already, and the plan's bump starts it at %d only.", r.Revision, f.restored))
	}
	old := slices.IndexFunc(l.Restores, func(r lineage.Restore) bool { return !r.Bumped() && !r.AfterBackup })
	warn(old >= 0 && f.plan.LastRevision == 0, "The store was restored without a bump before the backup was saved. Kubelets that have been deaf since then may hold revisions above all that the snapshots show: where it is known how far the store had come before, state it as the last revision.")
	warn(f.plan.LastRevision > 0 && f.plan.LastRevision < f.current.Served(), fmt.Sprintf(
		"The stated last revision %d is below that of the current snapshot (%d). What is certain here is so only if no watcher has seen more than what was stated.", f.plan.LastRevision, f.current.Served()))
	f.warnMetrics(warn)
	for _, s := range []*State{f.backup, f.current} {
		name := "backup"
		if s == f.current {
			name = "current snapshot"
		}
		warn(s.ClusterUnknown != "", fmt.Sprintf("Whether the snapshots are of one cluster was not checked: %s in the %s.", s.ClusterUnknown, name))
	}
	warn(!f.nodesKnown, "The current snapshot has no Node objects: nodes that are gone cannot be distinguished from nodes that are alive.")
	warn(p.Summary[Unknown] > 0, words.Count(p.Summary[Unknown], "pod")+" cannot be predicted: see the outcome unknown.")
	warn(f.disagree(), fmt.Sprintf("API servers disagree after this plan: those restarted (%s) list what etcd holds, those left running (%s) the erased past, at resourceVersions that do not distinguish them. The snapshots do not show which one a kubelet, a controller or a person is connected to; a controller manager connected to a stale one repairs nothing. Restart all API servers.",
		words.First(f.plan.RestartAPIServers, mostNamed), words.First(f.kept(), mostNamed)))
	warn(f.plan.someKept() && len(f.current.APIServers) == 0, "The current snapshot names no API server: which are left running was not checked.")
	warn(!f.plan.KeepAPIServers && f.startedServers() > 1, fmt.Sprintf("%d API servers are started (%s). Start them together: one that starts after the store has passed what a kubelet has seen makes that kubelet relist if it is connected there, and leaves others deaf.",
		f.startedServers(), words.First(f.APIServerNames(), mostNamed)))
	warn(f.general.column == stale, "API servers that are left running list the erased past: until they restart, no list of pods, not kubectl's either, shows what etcd holds.")
	if f.plan.KeepAPIServers && p.Revisions.BumpVerdict != BumpEnough {
		fault := FutureWatchers(f.current, f.backup)
		warn(fault != "", fault)
	}
	warn(f.plan.KeepAPIServers && f.general.column != stale && f.confusesScheduler(), "A scheduler that was left running exits once when it finds a pod on another node than before; it must be restarted by its supervisor.")
	gone := f.named(func(n *node) bool { return n.gone && n.inBackup })
	warn(gone != "", "Nodes that come back with the backup although their machines are gone: "+gone+". For about 50 s the scheduler considers them ready and may place pods there that never start: delete these Node objects first.")
	asked := f.named(func(n *node) bool { return n.gone && slices.Contains(f.plan.RestartKubelets.Nodes, n.name) })
	warn(asked != "", "The plan restarts kubelets of nodes that are gone in the current state: "+asked+".")
	missing := f.named(func(n *node) bool {
		return n.missing() && !f.plan.RestartKubelets.Includes(n.name) && !f.restartsWith(n)
	})
	warn(missing != "", "Nodes that are not in the backup and stay without a Node object until their kubelets are restarted: "+missing+".")
	serving := f.named(f.restartsWith)
	warn(serving != "", "Nodes whose kubelets are part of a server's service and restart with it: "+serving+". They kill within 2 seconds, without preStop hooks, what the API does not know, and start what it has, as soon as the service starts: nothing can be deleted before.")
	lost := f.named((*node).cordonLost)
	warn(lost != "", "Nodes that were cordoned after the backup, and are schedulable again: "+lost+". If they were drained, the pods that ran there before come back. Cordon them before the scheduler starts.")
	back := f.named((*node).cordonBack)
	warn(back != "", "Nodes that were uncordoned after the backup, and are cordoned again: "+back+". No pod is placed on them: uncordon those that should take pods.")
	return list
}

func (f *forecast) blind() string {
	at := ""
	if taken := f.current.Clock.Taken(); !taken.From.IsZero() {
		at = fmt.Sprintf(" (taken %s)", taken)
	}
	return fmt.Sprintf("Nothing after revision %d%s is in the current snapshot: pods that were created, deleted or ended between it and the outage are not in this prediction.", f.current.Revision, at)
}

// confusesScheduler says whether some pod's node changes under a running
// scheduler's eyes.
func (f *forecast) confusesScheduler() bool {
	for _, p := range f.cases {
		if p.Rule == "2b" || p.backup != nil && p.current != nil && p.backup.NodeName != p.current.NodeName {
			return true
		}
	}
	return false
}

// named lists the names of the nodes that f holds for.
func (f *forecast) named(holds func(*node) bool) string {
	var names []string
	for i := range f.Comparison.nodes {
		if holds(&f.Comparison.nodes[i]) {
			names = append(names, f.Comparison.nodes[i].name)
		}
	}
	return strings.Join(names, ", ")
}

// missing is what is missing from the two snapshots.
func (c *Comparison) missing() []Missing {
	var list []Missing
	for _, m := range c.backup.Missing {
		list = append(list, Missing{InBackup, m})
	}
	for _, m := range c.current.Missing {
		list = append(list, Missing{InCurrent, m})
	}
	return list
}

// cost says what it means that the part is missing.
func (m *Missing) cost() string {
	switch n := m.Revisions; {
	case n == nil:
		return "Nothing bounds what was written in it: state the last revision that etcd served, or the time of the outage, where it is known."
	case *n == 0:
		return "Pods and nodes may be missing from this prediction."
	default:
		return fmt.Sprintf("Up to %s may be in it, each of which may have created, changed or deleted several pods.", words.Count(*n, "revision"))
	}
}
