package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// fenced says whether all kubelets are kept away from the API while it is cleaned
// up.
func (b *builder) fenced() bool {
	return b.bumps == BumpsDataDirectory && !b.together && b.kubeletsList() && len(b.again)+len(b.revived)+len(b.fails) > 0
}

// held says whether nodes are held back so that no identity runs twice.
func (b *builder) held() bool {
	return b.kubelet != "" && b.kubelets == "" && b.kubeletsList() && len(b.heldBack()) > 0
}

// kubeletsList says whether kubelets list by themselves once the API is back.
func (b *builder) kubeletsList() bool {
	return b.prediction != nil && b.plan.BumpRevision > 0 && !b.plan.KeepAPIServers && b.bump.Verdict != restore.BumpSmall
}

// rule is one of iptables.
func (b *builder) rule(chain, match string) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s -p tcp --dport %s %s -j REJECT --reject-with tcp-reset", chain, b.port, match)), " ")
}

// block refuses connections to the API, for IPv4 and IPv6, once.
func (b *builder) block(h Host, chain, match string) Command {
	return script(h, fmt.Sprintf("( for t in iptables ip6tables; do sudo $t -C %[1]s 2>/dev/null || sudo $t -I %[1]s || exit; done )", b.rule(chain, match)), "iptables", "ip6tables").all()
}

// unblock takes that away.
func (b *builder) unblock(h Host, chain, match string) Command {
	return script(h, fmt.Sprintf("( for t in iptables ip6tables; do ! sudo $t -C %[1]s || sudo $t -D %[1]s || exit; done )", b.rule(chain, match)), "iptables", "ip6tables")
}

// fence keeps kubelets from listing too early.
func (b *builder) fence() Step {
	if !b.fenced() && !b.held() {
		return Step{}
	}
	s := Step{
		ID: "fence", Title: "Keep kubelets away from the API",
		Checks:   []string{"Connections to the port are refused at once, and do not time out. A refused kubelet waits, and changes nothing."},
		Warnings: []string{"On a whole cluster, a refused kubelet was seen to change nothing. Without the block the steps below still hold, but kubelets are faster than you."},
	}
	var why []string
	if b.fenced() {
		why = append(why, "Once the API is back, kubelets list their pods within two minutes, and start what they find. The block gives you time to delete first.")
		s.Commands = append(s.Commands, b.block(ControlPlane, "INPUT", "! -i lo").says("From now on only the node itself, with its own kubelet, reaches its API server."))
	}
	if b.held() {
		why = append(why, fmt.Sprintf("%s a namesake in the backup on another node. That node must wait until the running pod has stopped, or both run.", words.CountOf(b.waiting(), "running pod has", "running pods have")))
		for _, node := range b.heldBack() {
			s.Commands = append(s.Commands, b.holdBack(node))
		}
	}
	s.Why = strings.Join(why, " ")
	return s
}

// holdBack keeps the kubelet of a node from the API. A server's service needs that way
// itself, to join the others and to reach its own API server.
func (b *builder) holdBack(node string) Command {
	c := b.block(nodeHost(node), "OUTPUT", "")
	if b.agent.unit != "" {
		c.Run = fmt.Sprintf("! sudo systemctl is-active --quiet '%s*' || %s", b.agent.unit, c.Run)
		c.Programs = append(slices.Clip(c.Programs), "systemctl")
	}
	return c
}

// heldBack are the nodes that must not list before another one has. A server cannot be
// held back.
func (b *builder) heldBack() []string {
	var nodes []string
	for _, t := range b.pairs[:min(len(b.pairs), listed)] {
		if !b.restartsWith[t.was.node] {
			nodes = append(nodes, t.was.node)
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// pastFence are kubectl's flags while kubelets are kept away: certificates of API
// servers are for kubernetes, too.
func (b *builder) pastFence() []string {
	if b.fenced() && !b.open {
		return []string{"--server=https://127.0.0.1:16443", "--tls-server-name=kubernetes"}
	}
	return nil
}

// letIn takes the fence away, in the order in which kubelets may list.
func (b *builder) letIn() Step {
	if !b.fenced() && !b.held() {
		return Step{}
	}
	s := Step{
		ID: "let-in", Title: "Let kubelets list",
		Why: "Each kubelet lists its pods. It stops what the API does not know, with the pod's own grace period, and starts what is missing.",
	}
	if b.fenced() {
		s.Commands = append(s.Commands, script(Workstation, "[ ! -e revenant-tunnel ] || ssh -S revenant-tunnel -O exit CONTROL_PLANE_NODE", "ssh"))
		s.Commands = append(s.Commands, b.unblock(ControlPlane, "INPUT", "! -i lo"))
		b.open = true
	}
	if b.held() {
		b.letInHeld(&s)
	}
	b.deleteEnded(&s)
	if n := len(b.pairs) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more pods with a namesake on another node: %s lists them (%s).", n, b.predictCommand(), restore.FlagSameNameOtherNode))
	}
	return s
}

// letInHeld lets the nodes in that were held back, each when the pods that it waits
// for have stopped.
func (b *builder) letInHeld(s *Step) {
	nodes, left := b.order(b.heldBack())
	brought := map[string]bool{}
	for _, node := range nodes {
		waits := false
		for _, t := range b.pairs[:min(len(b.pairs), listed)] {
			if t.was.node != node || slices.Contains(left, t) {
				continue
			}
			if c, ok := b.stillRuns(t); ok {
				b.bringCrictl(s, t.now.node, brought)
				s.Commands = append(s.Commands, c)
				waits = true
			}
		}
		open := b.unblock(nodeHost(node), "OUTPUT", "")
		if waits {
			open = open.says("Only when the waits above have ended without an error.")
		}
		s.Commands = append(s.Commands, open)
	}
	for _, t := range left {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s It runs twice for up to %d s.", unordered(t), t.now.grace))
	}
}

// unordered says that an identity runs twice because nodes wait for each other.
func unordered(t twins) string {
	return fmt.Sprintf("%s runs on %s, and %s starts its namesake before it has stopped, because the nodes wait for each other.", t.now, t.now.node, t.was.node)
}

// stillRuns waits until the running one of two namesakes has stopped.
func (b *builder) stillRuns(t twins) (Command, bool) {
	label, ok := uidLabel(t.now.uid)
	if !ok {
		return Command{}, false
	}
	ps := strings.Join(append(b.crictlWords(), "ps", "--quiet", "--label", label), " ")
	return wait(nodeHost(t.now.node), fmt.Sprintf("%s has stopped here, for %s starts its namesake", t.now, t.was.node), b.relists()+t.now.grace+30,
		fmt.Sprintf(`ids=$(sudo %s) && [ -z "$ids" ]`, ps),
		"Look at the log of this kubelet. Stop the pod by hand before you go on, or it runs twice.", b.crictlProgram()), true
}
