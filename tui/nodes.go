package tui

import (
	"cmp"
	"fmt"
	"strings"

	"revenant/analyzer/restore"
)

// The columns of the nodes.
const (
	nodeName = iota
	nodeKubelet
	nodeCertainty
	nodePhantoms
	nodeGhosts
	nodeCPU
	nodeMemory
	nodePods
)

// newNodes lists what becomes of the nodes: what their kubelets do, and what is
// taken of them, as the API believes and as it really is.
func newNodes(s *session) screen {
	return newBoard(s, listing{
		title: "nodes", noun: "node", waiting: "predicting",
		columns: []column{
			{title: "NODE", key: "O", min: 10, max: 40},
			{title: "KUBELET", key: "S", min: 8},
			{title: "CERTAINTY", key: "C", min: 9, drop: 2},
			{title: "PHANTOMS", min: 8},
			{title: "GHOSTS", min: 6},
			{title: "CPU", key: "P", min: 12, max: 24, drop: 3},
			{title: "MEMORY", key: "N", min: 18, max: 30, drop: 4},
			{title: "PODS", min: 6, drop: 1},
		},
		of: func(s *session) any {
			if s.prediction == nil {
				return nil
			}
			return s.prediction
		},
		rows:  func(s *session) rows { return s.nodeRows(s.prediction) },
		empty: func(*session) string { return "Neither snapshot holds a node." },
	})
}

func (s *session) nodeRows(p *restore.Prediction) rows {
	list := p.Nodes
	return rows{
		count: len(list),
		cell: func(row, column int) string {
			n := &list[row]
			switch column {
			case nodeName:
				return n.Name
			case nodeKubelet:
				return string(n.Kubelet)
			case nodeCertainty:
				return string(n.Certainty)
			case nodePhantoms:
				return zeroAsDash(n.Phantoms)
			case nodeGhosts:
				return zeroAsDash(n.Ghosts)
			}
			if n.Capacity == nil {
				return "-"
			}
			return takenOf(n.Capacity, resourceOf[column])
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case nodeKubelet:
				return cmp.Or(nodeSeverity(x).Rank()-nodeSeverity(y).Rank(), strings.Compare(string(x.Kubelet), string(y.Kubelet)), y.Phantoms+y.Ghosts-x.Phantoms-x.Ghosts)
			case nodeCertainty:
				return cmp.Compare(certaintyRank(x.Certainty), certaintyRank(y.Certainty))
			case nodeCPU, nodeMemory:
				return cmp.Compare(share(y, resourceOf[column]), share(x, resourceOf[column]))
			}
			return strings.Compare(x.Name, y.Name)
		},
		look:   func(t *theme, row int) (style, string) { return t.severity(nodeSeverity(&list[row])) },
		id:     func(row int) string { return list[row].Name },
		detail: func(row, width int) []string { return s.node(p, &list[row], width) },
	}
}

// nodeSeverity is critical where pods run unseen or are only shown, and a warning
// where pods will be refused.
func nodeSeverity(n *restore.NodeOutcome) restore.Severity {
	switch {
	case n.Phantoms > 0 || n.Ghosts > 0:
		return restore.Critical
	case n.Capacity != nil && (n.Capacity.Refuses != "" || len(n.Capacity.Clashes) > 0):
		return restore.Warning
	}
	return restore.OK
}

// resource is one of what a node has.
type resource struct {
	name string
	of   func(restore.Resources) int64
	text func(int64) string
}

var resourceOf = map[int]resource{
	nodeCPU:    {"CPU", func(r restore.Resources) int64 { return r.MilliCPU }, restore.Cores},
	nodeMemory: {"memory", func(r restore.Resources) int64 { return r.Memory }, restore.Bytes},
	nodePods:   {"pods", func(r restore.Resources) int64 { return r.Pods }, func(n int64) string { return count(n) }},
}

// takenOf is what is really taken of what there is.
func takenOf(c *restore.Capacity, r resource) string {
	return r.text(r.of(c.Running)) + "/" + r.text(r.of(c.Allocatable))
}

// share is how much of a node is really taken.
func share(n *restore.NodeOutcome, r resource) float64 {
	if n.Capacity == nil || r.of(n.Capacity.Allocatable) == 0 {
		return -1
	}
	return float64(r.of(n.Capacity.Running)) / float64(r.of(n.Capacity.Allocatable))
}

func zeroAsDash(n int) string {
	if n == 0 {
		return "-"
	}
	return count(n)
}

// node tells all of a node.
func (s *session) node(p *restore.Prediction, n *restore.NodeOutcome, width int) []string {
	t := s.theme
	lines := []string{t.heading(n.Name, width)}
	color, _ := t.severity(nodeSeverity(n))
	lines = append(lines, paintAll(color, wrap(fmt.Sprintf("Its kubelet: %s (%s). %s", n.Kubelet, n.Certainty, n.Reason), width))...)
	seen := fmt.Sprintf("about %s, at most %s", count(n.LastSeen.Expected), count(n.LastSeen.AtMost))
	if n.LastSeen.AtLeast > 0 {
		seen = fmt.Sprintf("at least %s, %s", count(n.LastSeen.AtLeast), seen)
	}
	lines = append(lines, "")
	lines = append(lines, t.facts(width, "has seen", "revision "+seen, "flags", flagText(n.Flags))...)
	if c := n.Capacity; c != nil {
		lines = append(lines, "", t.bold.paint("Requests of what really runs, of what there is"))
		for _, column := range []int{nodeCPU, nodeMemory, nodePods} {
			lines = append(lines, t.gauge(resourceOf[column], c, width))
		}
		if c.Refuses != "" {
			lines = append(lines, paintAll(t.warning, wrap(fmt.Sprintf("It will refuse pods (%s): %s", c.Certainty, c.Refuses), width))...)
		}
		for _, clash := range c.Clashes {
			lines = append(lines, paintAll(t.warning, wrap(fmt.Sprintf("Host port %d/%s is claimed by %s.", clash.Port, clash.Protocol, strings.Join(clash.Pods, " and ")), width))...)
		}
	}
	return append(lines, s.podsOn(p, n.Name, width)...)
}

// gauge is a bar of what is taken.
func (t *theme) gauge(r resource, c *restore.Capacity, width int) string {
	const barWidth = 24
	running, all := r.of(c.Running), r.of(c.Allocatable)
	bar := t.bar(running, all, barWidth)
	if all > 0 && running > all {
		bar = t.critical.paint(strings.Repeat(t.full, barWidth))
	}
	believed := ""
	if r.of(c.Believed) != running {
		believed = t.dim.paint("  the API believes " + r.text(r.of(c.Believed)))
	}
	return t.cut(t.fit(r.name, 8)+bar+" "+takenOf(c, r)+believed, width)
}

// podsOn lists the pods of a node that need attention.
func (s *session) podsOn(p *restore.Prediction, node string, width int) []string {
	t := s.theme
	var lines []string
	more := 0
	for i := range p.Pods {
		p := &p.Pods[i]
		if p.Node != node || p.Severity == restore.OK {
			continue
		}
		if len(lines) == maxPodsOn {
			more++
			continue
		}
		color, mark := t.severity(p.Severity)
		lines = append(lines, color.paint(mark+" "+t.fit(string(p.Outcome), 18))+sanitized(p.Namespace+"/"+p.Name, width-20, t))
	}
	if len(lines) == 0 {
		return append(lines, "", t.dim.paint("No pod of it needs attention."))
	}
	if more > 0 {
		lines = append(lines, t.dim.paint(fmt.Sprintf("%s more; screen 3 has them all", count(more))))
	}
	return append([]string{"", t.bold.paint("Pods that need attention")}, lines...)
}

// maxPodsOn is how many pods of a node are named.
const maxPodsOn = 200
