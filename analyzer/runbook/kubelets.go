package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// relists is how long it takes at most until a kubelet that was refused lists again, in
// seconds after the API is back. How long the steps themselves refuse it is up to who
// types: without a stated outage it is the longest that it can be.
func (b *builder) relists() int64 {
	longest := int64(0)
	if b.prediction != nil {
		for i := range b.prediction.Nodes {
			longest = max(longest, b.prediction.Nodes[i].ListedBySeconds)
		}
	}
	return cmp.Or(longest, restore.ListedByAtMost)
}

// restartKubelets restarts those that do not recover by themselves.
func (b *builder) restartKubelets() Step {
	s := Step{ID: "restart-kubelets", Title: "Restart kubelets"}
	if b.kubelets != "" {
		s.Warnings = append(s.Warnings, b.kubelets)
	}
	if b.prediction == nil {
		return b.restartUnknown(s)
	}
	nodes := append(slices.Clone(b.deaf), b.missing...)
	slices.Sort(nodes)
	nodes, left := b.order(slices.Compact(nodes))
	if len(nodes) == 0 {
		return Step{}
	}
	s.Why = "These kubelets do not recover by themselves. Restart them one by one: a restarted kubelet kills what the API does not know, within 2 seconds and without preStop hooks."
	if len(b.deaf) == 0 {
		s.Why = "These nodes joined after the backup, and a kubelet registers its node only when it starts. It then kills what the API does not know, within 2 seconds and without preStop hooks."
	}
	if len(b.deaf) == 0 && !b.stale {
		s.Why += " Under the bump no other kubelet needs a restart."
	}
	brought := map[string]bool{}
	for i, node := range nodes[:min(len(nodes), listed)] {
		restart := b.restartKubelet
		if b.stopFirst(&s, node, brought) && b.agent.unit != "" {
			restart = b.agent.restartHeld
		}
		s.Commands = append(s.Commands, restart(node).says("%s", b.whyHere(node, nodes[:i])))
	}
	if n := len(nodes) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more nodes, in this order: %s.", n, words.First(nodes[listed:], listed)))
	}
	for _, t := range left[:min(len(left), listed)] {
		s.Warnings = append(s.Warnings, unordered(t)+" It runs twice until the kubelet of its own node is restarted. Do that at once.")
	}
	s.Checks = append(s.Checks, "After each restart, kubectl get node shows the node as Ready, and its pods are as expected. Then restart the next.")
	return s
}

// restartUnknown is the step when no node is known to need it.
func (b *builder) restartUnknown(s Step) Step {
	s.Title = "Restart kubelets where needed"
	s.Why = "A node that joined after the backup has no Node object until its kubelet is restarted. Under a sufficient bump no other kubelet needs a restart."
	c := b.restartKubelet("NODE").says("Kills what the API does not know, within 2 seconds and without preStop hooks.")
	host := UnlistedNodes
	if b.plan.BumpRevision == 0 {
		s.Why = "Without a bump every kubelet that has seen later revisions is deaf until it is restarted."
		host = EveryNode
	}
	if c.Host != Workstation {
		c.Host = host
	} else {
		c.Comment += " NODE is " + host.String() + "."
	}
	s.Commands = []Command{c}
	s.Checks = append(s.Checks, "kubectl get nodes lists every machine as Ready.")
	return s
}

func (b *builder) whyHere(node string, before []string) string {
	for _, t := range b.pairs {
		if t.was.node == node && slices.Contains(before, t.now.node) {
			return fmt.Sprintf("Starts %s, which ran on %s. Do it only once the pod has stopped there.", t.was, t.now.node)
		}
	}
	if slices.Contains(b.missing, node) {
		return "Registers the node, which the backup does not have."
	}
	if slices.Contains(b.unsure, node) {
		return "It may be deaf: look at its pods."
	}
	return ""
}

// stopFirst stops, with their own grace period, pods on a node that must be gone
// before another node starts their namesakes, and says whether there are any.
func (b *builder) stopFirst(s *Step, node string, brought map[string]bool) bool {
	if b.kubelet == "" || b.kubelets != "" || !slices.Contains(b.deaf, node) {
		return false
	}
	n := 0
	for _, t := range b.pairs {
		label, ok := uidLabel(t.now.uid)
		if t.now.node != node || !ok {
			continue
		}
		if n++; n == 1 {
			b.bringCrictl(s, node, brought)
			if b.agent.unit != "" {
				s.Commands = append(s.Commands, b.agent.hold(node).says("Holds the kubelet still. Stopping its unit would stop the container runtime, too. Until the restart below, nothing starts pods again here."))
			} else {
				s.Commands = append(s.Commands, systemctl(nodeHost(node), "stop", b.kubelet))
			}
		}
		if n > listed {
			break
		}
		crictl := strings.Join(b.crictlWords(), " ")
		s.Commands = append(s.Commands, script(nodeHost(node),
			fmt.Sprintf("( ids=$(sudo %[1]s ps --quiet --label %[2]s) || { echo 'crictl fails: whether it runs is not known.' >&2; exit 2; }\n  [ -z \"$ids\" ] || sudo %[1]s stop --timeout=%[3]d $ids )", crictl, label, t.now.grace), b.crictlProgram()).
			says("Stops %s with its grace period. The kubelet is %s meanwhile, or it would start the pod again.", t.now, map[bool]string{false: "down", true: "held"}[b.agent.unit != ""]))
	}
	return n > 0
}
