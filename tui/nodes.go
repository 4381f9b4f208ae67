package tui

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	digests "revenant/analyzer/digest"
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
	return &nodes{s, newBoard(&s.ui, listing{
		title: "nodes", noun: "node", waiting: "predicting",
		columns: []column{
			{title: "NODE", key: "O", min: 10, max: 40},
			{title: "KUBELET", key: "S", min: 8},
			{title: "CERTAINTY", key: "C", min: 9, drop: 2},
			{title: "PHANTOMS", min: 8, right: true},
			{title: "GHOSTS", min: 6, right: true},
			{title: "CPU", key: "P", min: 12, max: 24, drop: 3, right: true},
			{title: "MEMORY", key: "N", min: 18, max: 30, drop: 4, right: true},
			{title: "PODS", min: 6, drop: 1, right: true},
		},
		of: func() any {
			if s.prediction == nil {
				return nil
			}
			return s.prediction
		},
		rows:  func() rows { return s.nodeRows(s.prediction) },
		empty: func() string { return "Neither snapshot holds a node." },
	})}
}

// nodes is the board of nodes, from which one goes on to the pods of one.
type nodes struct {
	*session
	*board
}

func (n *nodes) Keys() keys {
	k := n.board.Keys()
	if _, ok := n.table.row(); ok {
		k.offer(open, restartAt)
	}
	return k
}

func (n *nodes) Update(msg tea.Msg) tea.Cmd {
	row, ok := n.table.row()
	p, pressed := msg.(press)
	if !pressed || !ok {
		return n.board.Update(msg)
	}
	name := n.table.rows.name(row)
	switch {
	case p.action == open && n.opened:
		return visit("pods", withinMsg{&podGroup{column: colNode, name: name}})
	case p.action == restartAt:
		return func() tea.Msg { return restartNodeMsg{name} }
	}
	return n.board.Update(msg)
}

func (s *session) nodeRows(p *restore.Prediction) rows {
	list, d := p.Nodes, s.digest
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
		links:  func(row int) func(action) tea.Cmd { return s.linksTo(current, s.keyOfKind("Node", "", list[row].Name)) },
		detail: func(row, width int) []string { return s.node(p, &list[row], d.Nodes[list[row].Name], width) },
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
func (s *session) node(p *restore.Prediction, n *restore.NodeOutcome, on *digests.Node, width int) []string {
	t := s.theme
	if on == nil {
		on = &digests.Node{}
	}
	lines := []string{t.heading(safe(n.Name), width)}
	color, _ := t.severity(nodeSeverity(n))
	lines = append(lines, paintAll(color, wrap(fmt.Sprintf("Its kubelet: %s (%s). %s", n.Kubelet, n.Certainty, n.Reason), width))...)
	if flags := flagText(n.Flags); flags != "" {
		lines = append(lines, t.facts(width, "flags", flags)...)
	}
	lines = append(lines, "", t.bold.paint("Pods, one a mark"))
	lines = append(lines, s.podMap(p, on, width)...)
	lines = append(lines, "", t.bold.paint("What it is deaf to"))
	lines = append(lines, s.deafness(p, n, width)...)
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
	return append(lines, s.podsOn(p, on, width)...)
}

// podMap draws the pods of a node: what runs before, what runs after the restore,
// and what the API believes then.
func (s *session) podMap(p *restore.Prediction, on *digests.Node, width int) []string {
	t := s.theme
	row := func(name string, places []int32, odd restore.Outcome, text string) string {
		n := 0
		for _, i := range places {
			if p.Pods[i].Outcome == odd {
				n++
			}
		}
		if n > 0 {
			text += fmt.Sprintf(", %s of them %ss", count(n), odd)
		}
		return t.dim.paint(t.fit(name, factLabel)) + t.marks(len(places)-n, n, width-factLabel-len(text)-2) + "  " + text
	}
	return []string{
		row("before", on.Before, "", plural(len(on.Before), "pod")+" run here"),
		row("after", on.After, restore.Phantom, plural(len(on.After), "pod")+" run here"),
		row("the API", on.Shown, restore.Ghost, plural(len(on.Shown), "pod")+" shown here"),
	}
}

// marks draws one mark for each of some things and other ones for the odd ones,
// or, where there is no room, one for several.
func (t *theme) marks(even, odd, width int) string {
	if t.plain || width <= 0 {
		return ""
	}
	each := 1
	for (even+each-1)/each+(odd+each-1)/each > width {
		each++
	}
	return strings.Repeat(t.kept, (even+each-1)/each) + t.critical.paint(strings.Repeat(t.markCritical, (odd+each-1)/each))
}

// deafness draws the revisions that a node's kubelet has seen already when the
// restored store comes to them.
func (s *session) deafness(p *restore.Prediction, n *restore.NodeOutcome, width int) []string {
	t, r, seen := s.theme, &p.Revisions, &n.LastSeen
	atLeast := "unknown"
	if seen.AtLeast > 0 {
		atLeast = count(seen.AtLeast)
	}
	told := t.facts(width, "has seen", fmt.Sprintf("revision at least %s, about %s, at most %s", atLeast, count(seen.Expected), count(seen.AtMost)),
		"starts at", "revision "+count(r.Restored)+" after the restore")
	if t.plain || r.Restored > seen.AtMost {
		return told
	}
	to := max(min(seen.AtMost, 2*seen.Expected), r.Restored+1)
	a := axis{from: float64(r.Restored), to: float64(to), width: max(width-factLabel, 1)}
	numbers, deaf := newStrip(a.width), newStrip(a.width)
	numbers.label(0, count(r.Restored), t.bold)
	if seen.AtLeast > r.Restored {
		numbers.label(a.col(seen.AtLeast), count(seen.AtLeast), t.bold)
	}
	numbers.label(a.width-1, count(to), t.dim)
	color := t.critical
	if n.Kubelet != restore.KubeletDeaf {
		color = t.dim // it lists anew, whatever it has seen
	}
	deaf.fill(0, a.width-1, t.seen, t.dim)
	deaf.fill(0, a.col(seen.Expected), t.compacted, color)
	if seen.AtLeast >= r.Restored {
		deaf.fill(0, a.col(seen.AtLeast), t.undone, color)
	}
	line := func(label string, s *strip) string { return t.dim.paint(t.fit(label, factLabel)) + s.String() }
	return append(told, line("revision", numbers), line("seen", deaf),
		spaces(factLabel)+t.dim.paint(t.cut(t.undone+" certainly  "+t.compacted+" as far as expected  "+t.seen+" at most", width-factLabel)))
}

// gauge is a bar of what is taken.
func (t *theme) gauge(r resource, c *restore.Capacity, width int) string {
	const barWidth = 24
	running, all := r.of(c.Running), r.of(c.Allocatable)
	bar := t.bar(running, all, barWidth)
	if all > 0 && running > all && !t.plain {
		bar = t.critical.paint(strings.Repeat(t.full, barWidth))
	}
	believed := ""
	if r.of(c.Believed) != running {
		believed = t.dim.paint("  the API believes " + r.text(r.of(c.Believed)))
	}
	return t.cut(t.dim.paint(t.fit(r.name, factLabel))+bar+" "+takenOf(c, r)+believed, width)
}

// podsOn lists the pods of a node that need attention.
func (s *session) podsOn(p *restore.Prediction, on *digests.Node, width int) []string {
	t := s.theme
	var lines []string
	more := 0
	for _, i := range on.Involved {
		p := &p.Pods[i]
		if p.Severity == restore.OK {
			continue
		}
		if len(lines) == maxPodsOn {
			more++
			continue
		}
		color, mark := t.severity(p.Severity)
		lines = append(lines, color.paint(mark+" "+t.fit(string(p.Outcome), 18))+t.cut(safe(p.Namespace+"/"+p.Name), width-20))
	}
	if len(lines) == 0 {
		return append(lines, "", t.dim.paint("No pod of it needs attention."))
	}
	if more > 0 {
		lines = append(lines, t.dim.paint(count(more)+" more"))
	}
	return append([]string{"", t.bold.paint("Pods that need attention") + t.dim.paint(" ("+s.keymap.key(open)+" lists all pods of the node)")}, lines...)
}

// maxPodsOn is how many pods of a node are named.
const maxPodsOn = 200
