package state

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
)

// status is what the API had of a pod, in a word or two.
func status(p *restore.Pod) string {
	switch {
	case p.Unreadable != "":
		return "unreadable"
	case p.Terminating():
		return "Terminating"
	case p.Phase == "Running" && !p.Ready:
		return "not ready"
	}
	return cmp.Or(p.Phase, "unknown")
}

// asks says whether a pod asks for attention: the API had it neither ready, nor ended as
// it should.
func asks(p *restore.Pod) bool  { return status(p) != "Succeeded" && !ready(p) }
func ready(p *restore.Pod) bool { return status(p) == "Running" }

// look is that of a row in which some pods ask for attention.
func look(t *draw.Theme, asks bool) (draw.Style, string) {
	if asks {
		return t.Warning, t.MarkWarning
	}
	return "", t.MarkOK
}

// statuses counts pods by status, the most frequent first.
func statuses(pods []*restore.Pod) string {
	count := map[string]int{}
	for _, p := range pods {
		count[status(p)]++
	}
	var list []string
	for name := range count {
		list = append(list, name)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(count[b]-count[a], strings.Compare(a, b)) })
	for i, name := range list {
		list[i] = words.Number(count[name]) + " " + name
	}
	return strings.Join(list, ", ")
}

// count is how many pods are as wanted.
func count(pods []*restore.Pod, as func(*restore.Pod) bool) int {
	n := 0
	for _, p := range pods {
		if as(p) {
			n++
		}
	}
	return n
}

// podLines names pods, those first that ask for attention.
func podLines(s *session.Session, pods []*restore.Pod, where func(*restore.Pod) string, width int) []string {
	t := s.Theme
	lines := []string{"", t.Bold.Paint("Pods")}
	if len(pods) == 0 {
		return append(lines, t.Dim.Paint("The API had none."))
	}
	sorted := slices.Clone(pods) // they are in the order of their keys
	slices.SortStableFunc(sorted, func(a, b *restore.Pod) int { return rank(a) - rank(b) })
	for _, p := range sorted[:min(len(sorted), shared.MaxListed)] {
		color, mark := look(t, asks(p))
		text := fmt.Sprintf("%s %s %s", mark, t.Fit(status(p), 11), draw.Safe(p.Namespace+"/"+p.Name))
		if at := where(p); at != "" {
			text += "  " + draw.Safe(at)
		}
		lines = append(lines, color.Paint(t.Cut(text, width)))
	}
	return shared.AndMore(t, lines, len(sorted))
}

// rank puts what asks for attention first.
func rank(p *restore.Pod) int {
	if asks(p) {
		return 0
	}
	return 1
}

// onNode says where a pod is bound.
func onNode(p *restore.Pod) string {
	if p.NodeName == "" {
		return "on no node"
	}
	return "on " + p.NodeName
}
