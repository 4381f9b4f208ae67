package nodes

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
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
	nodeHarm
)

// New lists what becomes of the nodes: what their kubelets do, and what is
// taken of them, as the API believes and as it really is.
func New(s *session.Session) session.Screen {
	return &Screen{s, widget.NewBoard(&s.UI, widget.Listing{
		Title: "nodes", Noun: "node", Waiting: "predicting", Sorted: "HARM", Notes: shared.Legend(s),
		Columns: []widget.Column{
			{Title: "NODE", Key: "O", Min: 10, Max: 40},
			{Title: "KUBELET", Key: "K", Min: 8},
			{Title: "CERTAINTY", Key: "C", Min: 9, Drop: 2, Desc: true, By: "certain before possible"},
			{Title: "PHANTOMS", Key: "T", Min: 8, Right: true, Desc: true, By: "certain and possible"},
			{Title: "GHOSTS", Key: "S", Min: 6, Right: true, Desc: true, By: "certain and possible"},
			{Title: "CPU", Key: "U", Min: 12, Max: 24, Drop: 3, Right: true, Desc: true, By: "the part that is requested"},
			{Title: "MEMORY", Key: "M", Min: 18, Max: 30, Drop: 4, Right: true, Desc: true, By: "the part that is requested"},
			{Title: "PODS", Key: "P", Min: 6, Drop: 1, Right: true, Desc: true, By: "the part that is taken"},
			{Title: "HARM", Key: "A", Min: 6, Drop: 9, Right: true, Desc: true, By: "severity, then phantoms and ghosts"},
		},
		Of: func() any {
			if s.Prediction == nil {
				return nil
			}
			return s.Prediction
		},
		Rows:  func() widget.Rows { return nodeRows(s, s.Prediction) },
		Empty: func() string { return "Neither snapshot holds a node." },
	})}
}

// Screen is the board of nodes, from which one goes on to the pods of one.
type Screen struct {
	*session.Session
	*widget.Board
}

// Keys lists the actions that Update takes.
func (n *Screen) Keys() keys.Set {
	k := n.Board.Keys()
	if _, ok := n.Table.Row(); ok {
		k.Offer(keys.Open, keys.RestartAt)
	}
	return k
}

// Update takes a press of one of Keys, and every message.
func (n *Screen) Update(msg tea.Msg) tea.Cmd {
	row, ok := n.Table.Row()
	p, pressed := msg.(keys.Press)
	if !pressed || !ok {
		return n.Board.Update(msg)
	}
	name := n.Table.Rows.Name(row)
	switch {
	case p.Action == keys.Open && n.Opened:
		return session.Visit("outcomes", session.PodsMsg{Node: name})
	case p.Action == keys.RestartAt:
		return func() tea.Msg { return session.RestartNodeMsg{Node: name} }
	}
	return n.Board.Update(msg)
}

func nodeRows(s *session.Session, p *restore.Prediction) widget.Rows {
	list, d := p.Nodes, s.Digest
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
			n := &list[row]
			switch column {
			case nodeName:
				return n.Name
			case nodeKubelet:
				return string(n.Kubelet)
			case nodeCertainty:
				return string(n.Certainty)
			case nodePhantoms:
				return words.Likely(d.OnNode(n.Name, restore.Phantom, n.Phantoms))
			case nodeGhosts:
				return words.Likely(d.OnNode(n.Name, restore.Ghost, n.Ghosts))
			case nodeHarm:
				phantoms, perhaps := d.OnNode(n.Name, restore.Phantom, n.Phantoms)
				ghosts, perhapsTo := d.OnNode(n.Name, restore.Ghost, n.Ghosts)
				return words.Likely(phantoms+ghosts, perhaps+perhapsTo)
			}
			if n.Capacity == nil {
				return "-"
			}
			return takenOf(n.Capacity, resourceOf[column])
		},
		Compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case nodeKubelet:
				return strings.Compare(string(x.Kubelet), string(y.Kubelet))
			case nodePhantoms:
				return cmp.Compare(y.Phantoms, x.Phantoms)
			case nodeGhosts:
				return cmp.Compare(y.Ghosts, x.Ghosts)
			case nodeHarm:
				return cmp.Or(nodeSeverity(x).Rank()-nodeSeverity(y).Rank(), cmp.Compare(y.Phantoms+y.Ghosts, x.Phantoms+x.Ghosts))
			case nodeCertainty:
				return cmp.Compare(x.Certainty.Rank(), y.Certainty.Rank())
			case nodeCPU, nodeMemory, nodePods:
				return cmp.Compare(share(y, resourceOf[column]), share(x, resourceOf[column]))
			}
			return strings.Compare(x.Name, y.Name)
		},
		Look: func(t *draw.Theme, row int) (draw.Style, string) { return shared.Severity(t, nodeSeverity(&list[row])) },
		ID:   func(row int) string { return list[row].Name },
		Links: func(row int) func(keys.Action) tea.Cmd {
			return s.LinksTo(s.Input.Current, s.KeyOfKind("Node", "", list[row].Name))
		},
		Detail: func(row, width int) []string { return node(s, p, &list[row], d.Nodes[list[row].Name], width) },
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
	nodePods:   {"pods", func(r restore.Resources) int64 { return r.Pods }, func(n int64) string { return words.Number(n) }},
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

// node tells all of a node.
func node(s *session.Session, p *restore.Prediction, n *restore.NodeOutcome, on *digest.Node, width int) []string {
	t := s.Theme
	if on == nil {
		on = &digest.Node{}
	}
	lines := []string{t.Heading(draw.Safe(n.Name), width)}
	color, _ := shared.Severity(t, nodeSeverity(n))
	lines = append(lines, draw.PaintAll(color, draw.Wrap(fmt.Sprintf("Its kubelet: %s (%s). %s", n.Kubelet, n.Certainty, n.Reason), width))...)
	if flags := shared.FlagText(n.Flags); flags != "" {
		lines = append(lines, t.Facts(width, "flags", flags)...)
	}
	lines = append(lines, "", t.Bold.Paint("Pods (one mark each)"))
	lines = append(lines, podMap(s, p, on, width)...)
	lines = append(lines, "", t.Bold.Paint("What it is deaf to"))
	lines = append(lines, deafness(s, p, n, width)...)
	if c := n.Capacity; c != nil {
		lines = append(lines, "", t.Bold.Paint("Requested / allocatable"))
		for _, column := range []int{nodeCPU, nodeMemory, nodePods} {
			lines = append(lines, gauge(t, resourceOf[column], c, width))
		}
		if c.Refuses != "" {
			lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap(fmt.Sprintf("It will refuse pods (%s): %s", c.Certainty, c.Refuses), width))...)
		}
		for _, clash := range c.Clashes {
			lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap(fmt.Sprintf("Host port %d/%s is claimed by %s.", clash.Port, clash.Protocol, strings.Join(clash.Pods, " and ")), width))...)
		}
	}
	return append(lines, podsOn(s, p, on, width)...)
}

// podMap draws the pods of a node: what runs before, what runs after the restore,
// and what the API believes then.
func podMap(s *session.Session, p *restore.Prediction, on *digest.Node, width int) []string {
	t := s.Theme
	row := func(name string, places []int32, odd restore.Outcome, text string) string {
		n, sure := 0, 0
		for _, i := range places {
			if p.Pods[i].Outcome == odd {
				n++
				if p.Pods[i].Certainty == restore.Certain {
					sure++
				}
			}
		}
		if n > 0 {
			text += fmt.Sprintf(", %s of them %ss", words.Likely(sure, n-sure), odd)
		}
		return t.Dim.Paint(t.Fit(name, draw.FactLabel)) + marks(t, len(places)-n, n, width-draw.FactLabel-len(text)-2) + "  " + text
	}
	return []string{
		row("before", on.Before, "", words.Count(len(on.Before), "pod")+" run here"),
		row("after", on.After, restore.Phantom, words.Count(len(on.After), "pod")+" run here"),
		row("the API", on.Shown, restore.Ghost, words.Count(len(on.Shown), "pod")+" shown here"),
	}
}

// marks draws one mark for each of some things and other ones for the odd ones,
// or, where there is no room, one for several.
func marks(t *draw.Theme, even, odd, width int) string {
	if t.Plain || width <= 0 {
		return ""
	}
	each := 1
	for (even+each-1)/each+(odd+each-1)/each > width {
		each++
	}
	return strings.Repeat(t.Kept, (even+each-1)/each) + t.Critical.Paint(strings.Repeat(t.MarkCritical, (odd+each-1)/each))
}

// deafness draws the revisions that a node's kubelet has seen already when the
// restored store comes to them.
func deafness(s *session.Session, p *restore.Prediction, n *restore.NodeOutcome, width int) []string {
	t, r, seen := s.Theme, &p.Revisions, &n.LastSeen
	atLeast := "unknown"
	if seen.AtLeast > 0 {
		atLeast = words.Number(seen.AtLeast)
	}
	lines := t.Facts(width, "has seen", fmt.Sprintf("revision at least %s, about %s, at most %s", atLeast, words.Number(seen.Expected), words.Number(seen.AtMost)),
		"starts at", "revision "+words.Number(r.Restored)+" after the restore")
	if t.Plain || r.Restored > seen.AtMost {
		return lines
	}
	to := max(min(seen.AtMost, 2*seen.Expected), r.Restored+1)
	a := widget.Axis{From: float64(r.Restored), To: float64(to), Width: max(width-draw.FactLabel, 1)}
	numbers, deaf := widget.NewStrip(a.Width), widget.NewStrip(a.Width)
	numbers.Label(0, words.Number(r.Restored), t.Bold)
	if seen.AtLeast > r.Restored {
		numbers.Label(a.Col(seen.AtLeast), words.Number(seen.AtLeast), t.Bold)
	}
	numbers.Label(a.Width-1, words.Number(to), t.Dim)
	color := t.Critical
	if n.Kubelet != restore.KubeletDeaf {
		color = t.Dim // it relists, whatever it has seen
	}
	deaf.Fill(0, a.Width-1, t.Seen, t.Dim)
	deaf.Fill(0, a.Col(seen.Expected), t.Compacted, color)
	if seen.AtLeast >= r.Restored {
		deaf.Fill(0, a.Col(seen.AtLeast), t.Undone, color)
	}
	line := func(label string, s *widget.Strip) string {
		return t.Dim.Paint(t.Fit(label, draw.FactLabel)) + s.String()
	}
	return append(lines, line("revision", numbers), line("seen", deaf),
		draw.Spaces(draw.FactLabel)+t.Dim.Paint(t.Cut(t.Undone+" certainly  "+t.Compacted+" as far as expected  "+t.Seen+" at most", width-draw.FactLabel)))
}

// gauge is a bar of what is taken.
func gauge(t *draw.Theme, r resource, c *restore.Capacity, width int) string {
	const barWidth = 24
	running, all := r.of(c.Running), r.of(c.Allocatable)
	bar := t.Bar(running, all, barWidth)
	if all > 0 && running > all && !t.Plain {
		bar = t.Critical.Paint(strings.Repeat(t.Full, barWidth))
	}
	believed := ""
	if r.of(c.Believed) != running {
		believed = t.Dim.Paint("  the API believes " + r.text(r.of(c.Believed)))
	}
	return t.Cut(t.Dim.Paint(t.Fit(r.name, draw.FactLabel))+bar+" "+takenOf(c, r)+believed, width)
}

// podsOn lists the pods of a node that need attention.
func podsOn(s *session.Session, p *restore.Prediction, on *digest.Node, width int) []string {
	t := s.Theme
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
		color, mark := shared.Severity(t, p.Severity)
		lines = append(lines, color.Paint(mark+" "+t.Fit(string(p.Outcome), 18))+t.Cut(draw.Safe(p.Namespace+"/"+p.Name), width-20))
	}
	if len(lines) == 0 {
		return append(lines, "", t.Dim.Paint("No pod of it needs attention."))
	}
	if more > 0 {
		lines = append(lines, t.Dim.Paint(words.Number(more)+" more"))
	}
	return append([]string{"", t.Bold.Paint("Pods that need attention") + t.Dim.Paint(" ("+s.Keymap.Key(keys.Open)+" lists all pods of the node)")}, lines...)
}

// maxPodsOn is how many pods of a node are named.
const maxPodsOn = 200
