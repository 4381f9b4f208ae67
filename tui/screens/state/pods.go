package state

import (
	"cmp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"k8s.io/apimachinery/pkg/util/duration"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// The columns of the pods.
const (
	podStatus = iota
	podNamespace
	podName
	podNode
	podOwner
	podRestarts
	podAge
)

// Pods lists the pods that the API had.
func Pods(s *session.Session) session.Screen {
	return widget.NewBoard(&s.UI, widget.Listing{
		Title: "pods", Noun: "pod",
		Columns: []widget.Column{
			{Title: "STATUS", Key: "S", Min: 11, Desc: true, By: "what asks for attention, then status"},
			{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
			{Title: "NAME", Key: "N", Min: 16, Max: 63},
			{Title: "NODE", Key: "O", Min: 6, Max: 40},
			{Title: "OWNER", Key: "W", Min: 12, Max: 60, Drop: 2},
			{Title: "RESTARTS", Key: "R", Min: 8, Drop: 3, Right: true, Desc: true},
			{Title: "AGE", Key: "A", Min: 4, Drop: 1, Right: true, Desc: true},
		},
		Of:    func() any { return s.Current().State },
		Rows:  func() widget.Rows { return podRows(s, s.Current().State) },
		Empty: func() string { return "The API had no pod." },
	})
}

// controller is the object that a pod is of, as Kind/name, "" for none.
func controller(p *restore.Pod) string {
	if p.Owner.Name == "" {
		return ""
	}
	return p.Owner.Kind + "/" + p.Owner.Name
}

// age is how old a pod was when the snapshot was taken, less than 0 when that is not known.
func age(of *restore.State, p *restore.Pod) time.Duration {
	if of.Time.IsZero() || p.Created.IsZero() {
		return -1
	}
	return max(of.Time.Sub(p.Created), 0)
}

func podRows(s *session.Session, of *restore.State) widget.Rows {
	list := of.Pods
	cell := func(p *restore.Pod, column int) string {
		switch column {
		case podStatus:
			return status(p)
		case podNamespace:
			return p.Namespace
		case podName:
			return p.Name
		case podNode:
			return words.OrDash(p.NodeName)
		case podOwner:
			return words.OrDash(controller(p))
		case podRestarts:
			return words.NumberOrDash(int(p.Restarts))
		}
		if d := age(of, p); d >= 0 {
			return duration.HumanDuration(d)
		}
		return "-"
	}
	return widget.Rows{
		Count: len(list),
		Cell:  func(row, column int) string { return cell(list[row], column) },
		Compare: func(a, b, column int) int {
			x, y := list[a], list[b]
			switch column {
			case podStatus:
				return cmp.Or(rank(x)-rank(y), strings.Compare(cell(x, column), cell(y, column)), strings.Compare(x.Namespace, y.Namespace))
			case podRestarts:
				return cmp.Compare(y.Restarts, x.Restarts)
			case podAge:
				return cmp.Compare(age(of, x), age(of, y))
			}
			return strings.Compare(cell(x, column), cell(y, column))
		},
		ID:   func(row int) string { return list[row].Namespace + "/" + list[row].Name },
		Look: func(t *draw.Theme, row int) (draw.Style, string) { return look(t, asks(list[row])) },
		Links: func(row int) func(keys.Action) tea.Cmd {
			return s.LinksTo(s.Input.Current, list[row].Key)
		},
		Detail: func(row, width int) []string { return pod(s, of, list[row], width) },
	}
}

// pod tells what the API had of a pod.
func pod(s *session.Session, of *restore.State, p *restore.Pod, width int) []string {
	t := s.Theme
	lines := []string{t.Heading(draw.Safe(p.Namespace+"/"+p.Name), width)}
	if p.Unreadable != "" {
		return append(lines, draw.PaintAll(t.Warning, draw.Wrap("It could not be read: "+p.Unreadable, width))...)
	}
	state := status(p)
	if p.Reason != "" {
		state += ": " + p.Reason
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return words.Time(t)
	}
	var containers []string
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		containers = append(containers, c.Name)
	}
	static := ""
	if p.Mirror != "" {
		static = "its kubelet runs it from a file of the node"
	}
	lines = append(lines, t.Facts(width,
		"in the API", state, "node", cmp.Or(p.NodeName, "none: not scheduled"), "owner", controller(p), "static pod", static,
		"created", at(p.Created), "started", at(p.Started), "being deleted", at(p.Deleted), "restarts", draw.Positive(int64(p.Restarts)),
		"containers", strings.Join(containers, ", "), "written at", "revision "+words.Number(p.ModRevision), "uid", p.UID)...)
	return append(lines, "", t.Dim.Paint(t.Cut(s.Keymap.Key(keys.ToObject)+" shows the object, "+s.Keymap.Key(keys.HistoryOf)+" its revisions", width)))
}
