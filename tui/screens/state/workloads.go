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

// The columns of the workloads.
const (
	workKind = iota
	workNamespace
	workName
	workWanted
	workPods
	workReady
)

// Workloads lists the controllers' objects, with the pods that the API had of each. The
// ReplicaSets of a Deployment count as the Deployment.
func Workloads(s *session.Session) session.Screen {
	return widget.NewBoard(&s.UI, widget.Listing{
		Title: "workloads", Noun: "workload",
		Columns: []widget.Column{
			{Title: "KIND", Key: "K", Min: 11, Desc: true, By: "what asks for attention, then kind"},
			{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
			{Title: "NAME", Key: "N", Min: 12, Max: 50},
			{Title: "WANTED", Key: "W", Min: 6, Right: true, Desc: true},
			{Title: "PODS", Key: "O", Min: 6, Right: true, Desc: true},
			{Title: "READY", Key: "R", Min: 6, Right: true, Desc: true},
		},
		Of:    func() any { return s.Current().State },
		Rows:  func() widget.Rows { return workloadRows(s, workloadsOf(s.Current().State)) },
		Empty: func() string { return "There is no workload." },
	})
}

// workload is a controller's object with its pods.
type workload struct {
	*restore.Workload
	pods []*restore.Pod
}

// short says whether fewer pods are ready than it asks for. What has ended, or is
// about to, or is suspended, asks for none.
func (w *workload) short() bool {
	return !w.Finished && !w.Suspended && w.Deciding == "" && int64(count(w.pods, ready)) < w.Wanted
}

func workloadsOf(s *restore.State) []*workload {
	list := make([]*workload, len(s.Workloads))
	byUID := map[string]*workload{}
	for i := range s.Workloads {
		list[i] = &workload{Workload: &s.Workloads[i]}
		if uid := s.Workloads[i].UID; uid != "" {
			byUID[uid] = list[i]
		}
	}
	for _, p := range s.Pods {
		uid := p.Owner.UID
		if by, ok := s.OwnedBy[uid]; ok {
			uid = by
		}
		if w := byUID[uid]; w != nil {
			w.pods = append(w.pods, p)
		}
	}
	return list
}

func workloadRows(s *session.Session, list []*workload) widget.Rows {
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
			w := list[row]
			switch column {
			case workKind:
				return w.Kind
			case workNamespace:
				return w.Namespace
			case workName:
				return w.Name
			case workWanted:
				return words.NumberOrDash(int(w.Wanted))
			case workPods:
				return words.NumberOrDash(len(w.pods))
			}
			return words.NumberOrDash(count(w.pods, ready))
		},
		Compare: func(a, b, column int) int {
			x, y := list[a], list[b]
			switch column {
			case workKind:
				return cmp.Or(attention(x)-attention(y), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Namespace, y.Namespace))
			case workNamespace:
				return strings.Compare(x.Namespace, y.Namespace)
			case workPods:
				return len(y.pods) - len(x.pods)
			case workReady:
				return count(y.pods, ready) - count(x.pods, ready)
			}
			return strings.Compare(x.Name, y.Name)
		},
		ID:   func(row int) string { return list[row].Kind + " " + list[row].Namespace + "/" + list[row].Name },
		Look: func(t *draw.Theme, row int) (draw.Style, string) { return look(t, attention(list[row]) == 0) },
		Links: func(row int) func(keys.Action) tea.Cmd {
			return s.LinksTo(s.Input.Current, s.KeyOfKind(list[row].Kind, list[row].Namespace, list[row].Name))
		},
		Detail: func(row, width int) []string { return tell(s, list[row], width) },
	}
}

// attention puts what asks for attention first.
func attention(w *workload) int {
	if w.Unreadable != "" || w.short() {
		return 0
	}
	return 1
}

// tell says what the API had of a workload.
func tell(s *session.Session, w *workload, width int) []string {
	t := s.Theme
	lines := []string{t.Heading(draw.Safe(w.Kind+" "+w.Namespace+"/"+w.Name), width)}
	if w.Unreadable != "" {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap("It could not be read: "+w.Unreadable, width))...)
	}
	ended, suspended := "", ""
	if w.Finished {
		ended = "yes"
	} else if w.Deciding != "" {
		ended = "decided, pods still terminate (" + w.Deciding + ")"
	}
	if w.Suspended {
		suspended = "yes"
	}
	lines = append(lines, t.Facts(width, "wanted", draw.Positive(w.Wanted), "ended", ended, "suspended", suspended, "schedule", w.Schedule,
		"pods", cmp.Or(statuses(w.pods), "none"), "claims", strings.Join(w.Claims, ", "), "uid", w.UID)...)
	return append(lines, podLines(s, w.pods, onNode, width)...)
}
