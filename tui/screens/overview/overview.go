package overview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen says what the restore does as a whole, what to do about it, and what
// that rests on.
type Screen struct {
	*session.Session
	widget.Pager
	compose func(*Screen) []string // all that is drawn
	width   int
	drawn   shared.Drawn
}

// New makes the screen.
func New(s *session.Session) session.Screen { return &Screen{Session: s, compose: (*Screen).whole} }

// SetSize says how many columns and lines there are.
func (o *Screen) SetSize(width, height int) { o.width, o.Height = width, height-1 }

// Keys lists the actions that Update takes.
func (o *Screen) Keys() keys.Set {
	return o.Actions(keys.Set{}, len(o.lines())).Offer(keys.CopyOut, keys.SaveOut)
}

// Export is all of it.
func (o *Screen) Export(bool) widget.Export {
	return widget.Export{What: "the overview", File: "overview.txt", Text: draw.Flat(o.lines())}
}

// Update takes a press of one of Keys, and every message.
func (o *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case keys.Press:
		o.Move(msg.Action, o.lines())
	case widget.SearchMsg:
		o.Search(string(msg), o.lines())
	}
	return nil
}

// View draws it.
func (o *Screen) View() []string { return o.Page(o.Theme, o.lines(), o.width) }

// From so many columns on there is room for two of text, and for three.
const (
	wideOverview   = 150
	widestOverview = 240
)

// lines draws everything, once for every change.
func (o *Screen) lines() []string {
	if d := &o.drawn; d.Lines == nil || d.Version != o.Version || d.Width != o.width {
		*d = shared.Drawn{Version: o.Version, Width: o.width, Lines: o.compose(o)}
	}
	return o.drawn.Lines
}

// section are parts one below the other.
func section(parts ...[]string) (lines []string) {
	for _, part := range parts {
		if len(part) > 0 {
			lines = append(append(lines, part...), "")
		}
	}
	return lines
}

// whole is what the restore of a backup does.
func (o *Screen) whole() []string {
	w := o.width - 2
	if o.width < wideOverview {
		return section(o.verdict(w), o.revisions(w), o.next(w), o.kubelets(w), o.rate(w), o.toKnow(w), o.evidence(w))
	}
	if o.width >= widestOverview {
		third := (w - 6) / 3
		last := w - 2*third - 6
		left := section(o.verdict(third), o.next(third))
		middle := section(o.kubelets(third), o.toKnow(third))
		right := section(o.evidence(last), o.rate(last))
		return section(o.revisions(w), o.Theme.Beside(left, o.Theme.Beside(middle, right, third, "   "), third, "   "))
	}
	half := (w - 3) / 2
	left := section(o.verdict(half), o.next(half), o.toKnow(half), o.rate(half))
	right := section(o.evidence(w-half-3), o.kubelets(w-half-3))
	return section(o.revisions(w), o.Theme.Beside(left, right, half, "   "))
}

// verdict is whether the plan in force is safe and what to do, the counts, and the headline.
func (o *Screen) verdict(width int) []string {
	t, p := o.Theme, o.Prediction
	lines := []string{t.Heading("Verdict", width)}
	if p == nil {
		return append(lines, t.Dim.Paint("Predicting"+t.Ellipsis))
	}
	j := o.judge()
	lines = append(lines, draw.PaintAll(j.style+t.Bold, draw.Wrap(j.verdict+" "+j.advice, width))...)
	if o.Refused != nil {
		lines = append(lines, draw.Wrap(words.Sentence(shared.HintOf(o.Refused)), width)...)
		return append(lines, draw.PaintAll(t.Dim, draw.Wrap("All else that is shown belongs to the last plan that was not refused.", width))...)
	}
	if j.headline {
		lines = append(lines, draw.Wrap(o.Digest.Headline, width)...)
	}
	return append(lines, o.outcomes(width)...)
}

// outcomes counts the pods by outcome and certainty, worst first, and in one line
// those that need nothing.
func (o *Screen) outcomes(width int) []string {
	t := o.Theme
	var lines, well []string
	for _, o := range o.Digest.Tallies {
		if o.Severity == restore.OK {
			well = append(well, words.Likely(o.Certain, o.Pods-o.Certain)+" "+string(o.ID))
			continue
		}
		sure := "all certain"
		if o.Certain < o.Pods {
			sure = fmt.Sprintf("%s certain, %s possible", words.Number(o.Certain), words.Number(o.Pods-o.Certain-o.Unlikely))
		}
		if o.Unlikely > 0 {
			sure += fmt.Sprintf(", %s unlikely", words.Number(o.Unlikely))
		}
		color, mark := shared.Severity(t, o.Severity)
		lead := fmt.Sprintf("%s %9s %s", mark, words.Likely(o.Certain, o.Pods-o.Certain), t.Fit(string(o.ID), 18))
		lines = append(lines, color.Paint(lead)+t.Fit(o.Title, 32)+t.Dim.Paint(sure))
	}
	if len(well) > 0 {
		lines = append(lines, t.Dim.Paint(t.Cut(t.MarkOK+"           "+strings.Join(well, ", "), width)))
	}
	return lines
}

// revisions is the ruler.
func (o *Screen) revisions(width int) []string {
	return append([]string{o.Theme.Heading("Revisions", width)}, shared.Ruler(o.Session).Lines(o.Theme, width)...)
}

// next is what to type.
func (o *Screen) next(width int) []string {
	p, t := o.Prediction, o.Theme
	if p == nil {
		return nil
	}
	lines := append([]string{t.Heading("What to do next", width)}, o.command(width)...)
	for _, o := range o.Digest.Tallies {
		if o.Severity == restore.OK {
			continue
		}
		color, mark := shared.Severity(t, o.Severity)
		lead := mark + " " + string(o.ID) + ": "
		text := draw.Item(mark+" ", string(o.ID)+": "+o.Remedy, width)
		text[0] = color.Paint(lead) + strings.TrimPrefix(text[0], lead)
		lines = append(lines, text...)
	}
	return lines
}

// shownNodes is how many nodes are named in a line.
const shownNodes = 8

// kubelets says what the nodes' kubelets do, why, and what that assumes.
func (o *Screen) kubelets(width int) []string {
	p, t := o.Prediction, o.Theme
	if p == nil || len(p.Nodes) == 0 {
		return nil
	}
	type does struct {
		kubelet   restore.Kubelet
		certainty restore.Certainty
	}
	groups := map[does][]*restore.NodeOutcome{}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		groups[does{n.Kubelet, n.Certainty}] = append(groups[does{n.Kubelet, n.Certainty}], n)
	}
	var sorted []does
	for d := range groups {
		sorted = append(sorted, d)
	}
	slices.SortFunc(sorted, func(a, b does) int {
		return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), cmp.Compare(a.kubelet, b.kubelet), cmp.Compare(a.certainty, b.certainty))
	})
	lines := []string{t.Heading("Kubelets", width)}
	for _, d := range sorted {
		nodes := groups[d]
		var names []string
		for _, n := range nodes[:min(len(nodes), shownNodes)] {
			names = append(names, n.Name)
		}
		if more := len(nodes) - shownNodes; more > 0 {
			names = append(names, "and "+words.Number(more)+" more")
		}
		lead := fmt.Sprintf("%s (%s, %s): ", kubeletDoes(d.kubelet), words.Number(len(nodes)), d.certainty)
		text := draw.Item(lead, strings.Join(names, ", "), width)
		text[0] = t.Bold.Paint(lead) + strings.TrimPrefix(text[0], lead)
		lines = append(lines, text...)
		lines = append(lines, draw.PaintAll(t.Dim, draw.Item("  ", nodes[0].Name+": "+nodes[0].Reason, width))...)
	}
	if d := p.Revisions.Deaf; d != nil {
		text := "Kubelets miss changes until revision " + words.Number(d.UntilRevision)
		if d.UntilExpected > d.UntilRevision {
			text += fmt.Sprintf(" (up to about %s)", words.Number(d.UntilExpected))
		}
		if d.Estimate != "" {
			text += ", about " + d.Estimate + " at the measured rates"
		}
		lines = append(lines, draw.Wrap(text+". "+d.Meanwhile+" "+d.Ends, width)...)
	}
	return lines
}

// boundText says what a bump of this kind is worth.
func boundText(b restore.BoundKind) string {
	if b == restore.LowerBound {
		return "a lower bound: enough only if nothing was written after the current snapshot"
	}
	return string(b)
}

// kubeletDoes tells what a kubelet does.
func kubeletDoes(k restore.Kubelet) string {
	switch k {
	case restore.KubeletDeaf:
		return "Deaf"
	case restore.KubeletRelists:
		return "Relists its pods"
	case restore.KubeletRestarted:
		return "Restarted"
	case restore.KubeletStale:
		return "Served a stale cache"
	case restore.KubeletGone:
		return "Gone"
	}
	return string(k)
}

// shownProblems is how many problems of a file are listed.
const shownProblems = 3

// alike says whether both files have the same bytes, and nothing beside them.
func (o *Screen) alike() bool {
	b, c := o.Files[o.Input.Backup].Integrity.SHA256, o.Files[o.Input.Current].Integrity.SHA256
	return b != "" && b == c && o.Current().Snapshot.WAL() == nil && o.Backup().Snapshot.Deltas() == nil && o.Current().Snapshot.Deltas() == nil
}

// toKnow lists warnings, the blind time first.
func (o *Screen) toKnow(width int) []string {
	t := o.Theme
	var texts []string
	if p := o.Prediction; p != nil {
		texts = append(texts, p.Warnings...)
		texts = append(texts, fmt.Sprintf("Lineage: %s; %s.", p.Lineage.Relation, p.Lineage.Reason))
	}
	texts = append(texts, o.Input.Warnings...)
	if o.Input.Alone() == "" && o.alike() {
		texts = append(texts, "Both files have the same SHA-256: they are one and the same snapshot.")
	}
	for i, f := range o.Files {
		of := o.Input.Role(i) + ": "
		if o.Input.Alone() != "" {
			of = ""
		}
		problems := slices.Concat(f.Problems, f.Undecoded)
		for n, problem := range problems {
			if n == shownProblems {
				texts = append(texts, fmt.Sprintf("%s%s more; :problems lists them.", of, words.Count(len(problems)-n, "problem")))
				break
			}
			texts = append(texts, fmt.Sprintf("%s%s: %s.", of, problem.Severity, problem))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	lines := []string{t.Heading("Limits of this prediction", width)}
	for _, text := range texts {
		lines = append(lines, draw.Item(t.Dot+" ", text, width)...)
	}
	return lines
}
