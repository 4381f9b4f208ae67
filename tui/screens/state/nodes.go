package state

import (
	"cmp"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// The columns of the nodes.
const (
	nodeName = iota
	nodeState
	nodeVersion
	nodePods
	nodeReady
	nodeNotReady
)

// Nodes lists the nodes, with the pods that the API had on each. A node that has no
// object is listed for the pods that are bound to it.
func Nodes(s *session.Session) session.Screen {
	return widget.NewBoard(&s.UI, widget.Listing{
		Title: "nodes", Noun: "node",
		Columns: []widget.Column{
			{Title: "NODE", Key: "O", Min: 10, Max: 50},
			{Title: "STATE", Key: "S", Min: 12, Desc: true},
			{Title: "KUBELET", Key: "K", Min: 9, Drop: 1},
			{Title: "PODS", Key: "P", Min: 6, Right: true, Desc: true},
			{Title: "READY", Key: "R", Min: 6, Right: true, Desc: true},
			{Title: "NOT READY", Key: "N", Min: 9, Right: true, Desc: true},
		},
		Of:    func() any { return s.Current().State },
		Rows:  func() widget.Rows { return nodeRows(s, nodesOf(s.Current().State)) },
		Empty: func() string { return "There is no node, and no pod is bound to one." },
	})
}

// node is a node with the pods that are bound to it.
type node struct {
	restore.Node
	state string // "" where nothing is wrong with it
	pods  []*restore.Pod
}

func nodesOf(s *restore.State) []*node {
	var list []*node
	byName := map[string]*node{}
	add := func(n *node) *node {
		list, byName[n.Name] = append(list, n), n
		return n
	}
	for _, n := range s.Nodes {
		state := ""
		switch {
		case n.Unreachable:
			state = "unreachable"
		case n.Cordoned:
			state = "cordoned"
		}
		add(&node{Node: n, state: state})
	}
	for _, p := range s.Pods {
		if p.NodeName == "" {
			continue
		}
		n := byName[p.NodeName]
		if n == nil {
			n = add(&node{Node: restore.Node{Name: p.NodeName}, state: "no object"})
		}
		n.pods = append(n.pods, p)
	}
	return list
}

// notReady is how many pods are neither ready nor ended as they should.
func notReady(pods []*restore.Pod) int { return count(pods, asks) }

func nodeRows(s *session.Session, list []*node) widget.Rows {
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
			n := list[row]
			switch column {
			case nodeName:
				return n.Name
			case nodeState:
				return words.OrDash(n.state)
			case nodeVersion:
				return words.OrDash(n.KubeletVersion)
			case nodePods:
				return words.NumberOrDash(len(n.pods))
			case nodeReady:
				return words.NumberOrDash(count(n.pods, ready))
			}
			return words.NumberOrDash(notReady(n.pods))
		},
		Compare: func(a, b, column int) int {
			x, y := list[a], list[b]
			switch column {
			case nodeState:
				return strings.Compare(y.state, x.state)
			case nodeVersion:
				return strings.Compare(x.KubeletVersion, y.KubeletVersion)
			case nodePods:
				return len(y.pods) - len(x.pods)
			case nodeNotReady:
				return notReady(y.pods) - notReady(x.pods)
			}
			return strings.Compare(x.Name, y.Name)
		},
		ID: func(row int) string { return list[row].Name },
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			return look(t, list[row].state != "" || notReady(list[row].pods) > 0)
		},
		Links: func(row int) func(keys.Action) tea.Cmd {
			return s.LinksTo(s.Input.Current, s.KeyOfKind("Node", "", list[row].Name))
		},
		Detail: func(row, width int) []string {
			n, t := list[row], s.Theme
			lines := []string{t.Heading(draw.Safe(n.Name), width)}
			lines = append(lines, t.Facts(width, "state", n.state, "kubelet", n.KubeletVersion, "part of", n.Service,
				"pods", cmp.Or(statuses(n.pods), "none"), "uid", n.UID)...)
			return append(lines, podLines(s, n.pods, controller, width)...)
		},
	}
}
