package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// overview says what the restore does as a whole, what to do about it, and what
// that rests on.
type overview struct {
	*session
	widget.Pager
	width int
	drawn drawn
}

// drawn are the lines for a width and a version of the session.
type drawn struct {
	version, width int
	lines          []string
}

func newOverview(s *session) screen { return &overview{session: s} }

func (o *overview) SetSize(width, height int) { o.width, o.Height = width, height-1 }

func (o *overview) Keys() keys.Set {
	return o.Actions(keys.Set{}, len(o.lines())).Offer(keys.CopyOut, keys.SaveOut)
}

// Take is all of it.
func (o *overview) Take(bool) widget.Export {
	return widget.Export{What: "the overview", File: "overview.txt", Text: draw.Flat(o.lines())}
}

func (o *overview) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case keys.Press:
		o.Move(msg.Action, o.lines())
	case widget.SearchMsg:
		o.Search(string(msg), o.lines())
	}
	return nil
}

func (o *overview) View() []string { return o.Page(o.Theme, o.lines(), o.width) }

// wideOverview is from how many columns on there is room for two of text.
const wideOverview = 150

// lines draws everything, once for every change.
func (o *overview) lines() []string {
	if d := &o.drawn; d.lines == nil || d.version != o.version || d.width != o.width {
		*d = drawn{o.version, o.width, o.draw()}
	}
	return o.drawn.lines
}

func (o *overview) draw() []string {
	section := func(parts ...[]string) (lines []string) {
		for _, part := range parts {
			if len(part) > 0 {
				lines = append(append(lines, part...), "")
			}
		}
		return lines
	}
	w := o.width - 2
	if o.width < wideOverview {
		return section(o.verdict(w), o.revisions(w), o.next(w), o.kubelets(w), o.rate(w), o.toKnow(w), o.evidence(w))
	}
	half := (w - 3) / 2
	left := section(o.verdict(half), o.next(half), o.toKnow(half), o.rate(half))
	right := section(o.evidence(w-half-3), o.kubelets(w-half-3))
	return section(o.revisions(w), o.Theme.Beside(left, right, half, "   "))
}

// verdict is the headline and the counts.
func (o *overview) verdict(width int) []string {
	t, p := o.Theme, o.prediction
	lines := []string{t.Heading("Verdict", width)}
	if p == nil {
		return append(lines, t.Dim.Paint("Predicting"+t.Ellipsis))
	}
	if o.refused != nil {
		lines = append(lines, draw.PaintAll(t.Critical+t.Bold, draw.Wrap("This plan is refused: "+o.refused.Error(), width))...)
		lines = append(lines, draw.Wrap(draw.Sentence(hintOf(o.refused)), width)...)
		return append(lines, draw.PaintAll(t.Dim, draw.Wrap("All else that is shown belongs to the last plan that was not refused.", width))...)
	}
	color, _ := severity(t, o.digest.Severity)
	lines = append(lines, draw.PaintAll(color+t.Bold, draw.Wrap(o.digest.Headline, width))...)
	return append(lines, o.outcomes(width)...)
}

// outcomes counts the pods by outcome and certainty, worst first, and in one line
// those that need nothing.
func (o *overview) outcomes(width int) []string {
	t := o.Theme
	var lines, well []string
	for _, o := range o.digest.Tallies {
		if o.Severity == restore.OK {
			well = append(well, draw.Count(o.Pods)+" "+string(o.ID))
			continue
		}
		sure := "all certain"
		if o.Certain < o.Pods {
			sure = fmt.Sprintf("%s certain, %s possible", draw.Count(o.Certain), draw.Count(o.Pods-o.Certain-o.Unlikely))
		}
		if o.Unlikely > 0 {
			sure += fmt.Sprintf(", %s unlikely", draw.Count(o.Unlikely))
		}
		color, mark := severity(t, o.Severity)
		lead := fmt.Sprintf("%s %6s %s", mark, draw.Count(o.Pods), t.Fit(string(o.ID), 18))
		lines = append(lines, color.Paint(lead)+t.Fit(o.Title, 30)+t.Dim.Paint(sure))
	}
	if len(well) > 0 {
		lines = append(lines, t.Dim.Paint(t.Cut(t.MarkOK+"        "+strings.Join(well, ", "), width)))
	}
	return lines
}

// revisions is the ruler.
func (o *overview) revisions(width int) []string {
	return append([]string{o.Theme.Heading("Revisions", width)}, o.ruler().Lines(o.Theme, width)...)
}

// ruler is that of the two snapshots under the plan.
func (s *session) ruler() *widget.Ruler {
	r := &widget.Ruler{Backup: s.held(backup), Current: s.held(current)}
	if p := s.prediction; p != nil {
		v := &p.Revisions
		r.Start = startOf(v, s.input.Backup.State.NewestRecord+v.MinimumSafeBump)
	}
	return r
}

// startOf is where the store of a prediction starts.
func startOf(v *restore.Revisions, least int64) *widget.StoreStart {
	return &widget.StoreStart{
		Revision: v.Restored, Least: least, Seen: v.LastSeenAtMost,
		Enough: v.BumpVerdict == restore.BumpEnough, Unsure: v.BumpVerdict == restore.BumpUnsure, Insufficient: v.NoBumpFits != "",
	}
}

// held is the revisions that a side holds.
func (s *session) held(at int) widget.Window {
	side := s.side(at)
	return widget.Window{Head: side.State.Revision, Compact: side.State.CompactRevision, Unknown: side.State.CompactUnknown, Bumped: side.Snapshot.BumpMarkers()}
}

// next is what to type.
func (o *overview) next(width int) []string {
	p, t := o.prediction, o.Theme
	if p == nil {
		return nil
	}
	r := &p.Revisions
	enough := r.BumpVerdict == restore.BumpEnough && o.refused == nil
	add, why := r.RecommendedBump, fmt.Sprintf(
		"%s The bump must be at least %s (%s). Recommended is %s; keys %s and %s try it here.",
		r.BumpReason, draw.Count(r.MinimumSafeBump), boundText(r.MinimumSafeBumpIs), draw.Count(r.RecommendedBump), o.Keymap.Key(keys.Bump), o.Keymap.Key(keys.Compact))
	if enough {
		add, why = p.Plan.BumpRevision, "The bump is enough. "+r.BumpReason
	}
	command := []string{
		"  " + t.Bold.Paint(`etcdutl snapshot restore BACKUP --data-dir NEW-DIR \`),
		"  " + t.Bold.Paint(fmt.Sprintf("  --bump-revision %d --mark-compacted", add)),
	}
	if r.NoBumpFits != "" && !enough {
		command, why = nil, r.NoBumpFits
	}
	lines := append([]string{t.Heading("What to do next", width)}, command...)
	lines = append(lines, draw.Wrap(why, width)...)
	for _, o := range o.digest.Tallies {
		if o.Severity == restore.OK {
			continue
		}
		color, mark := severity(t, o.Severity)
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
func (o *overview) kubelets(width int) []string {
	p, t := o.prediction, o.Theme
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
			names = append(names, "and "+draw.Count(more)+" more")
		}
		lead := fmt.Sprintf("%s (%s, %s): ", kubeletDoes(d.kubelet), draw.Count(len(nodes)), d.certainty)
		text := draw.Item(lead, strings.Join(names, ", "), width)
		text[0] = t.Bold.Paint(lead) + strings.TrimPrefix(text[0], lead)
		lines = append(lines, text...)
		lines = append(lines, draw.PaintAll(t.Dim, draw.Item("  ", nodes[0].Name+": "+nodes[0].Reason, width))...)
	}
	if d := p.Revisions.Deaf; d != nil {
		text := fmt.Sprintf("Deaf until the store has passed revision %s", draw.Count(d.UntilRevision))
		if d.UntilExpected > d.UntilRevision {
			text += fmt.Sprintf(" (up to about %s)", draw.Count(d.UntilExpected))
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
		return "Lists its pods anew"
	case restore.KubeletRestarted:
		return "Restarted"
	case restore.KubeletStale:
		return "Served a stale cache"
	case restore.KubeletGone:
		return "Gone"
	}
	return string(k)
}

// shownProblems is how many problems of a file are told.
const shownProblems = 3

// toKnow lists warnings, the blind time first.
func (o *overview) toKnow(width int) []string {
	t := o.Theme
	var texts []string
	if p := o.prediction; p != nil {
		texts = append(texts, p.Warnings...)
		texts = append(texts, fmt.Sprintf("Lineage: %s; %s.", p.Lineage.Relation, p.Lineage.Reason))
	}
	texts = append(texts, o.input.Warnings...)
	if b, c := o.files[backup].integrity.SHA256, o.files[current].integrity.SHA256; b != "" && b == c && o.side(current).Snapshot.WAL() == nil && o.side(backup).Snapshot.Deltas() == nil && o.side(current).Snapshot.Deltas() == nil {
		texts = append(texts, "Both files have the same SHA-256: they are one and the same snapshot.")
	}
	for i, f := range o.files {
		for n, problem := range f.problems {
			if n == shownProblems {
				texts = append(texts, fmt.Sprintf("%s: %s more; revenant inspect lists them.", roles[i], draw.Plural(len(f.problems)-n, "problem")))
				break
			}
			texts = append(texts, fmt.Sprintf("%s: %s: %s.", roles[i], problem.Severity, problem))
		}
	}
	lines := []string{t.Heading("To know", width)}
	for _, text := range texts {
		lines = append(lines, draw.Item(t.Dot+" ", text, width)...)
	}
	return lines
}

// evidence shows the two files side by side.
func (o *overview) evidence(width int) []string {
	t := o.Theme
	const label = 10
	column := (width - label) / 2
	lines := []string{
		t.Heading("Evidence", width),
		draw.Spaces(label) + t.Bold.Paint(t.Fit("backup", column)) + t.Bold.Paint("current"),
	}
	for _, f := range facts {
		cell := func(side int) (string, bool) {
			text, color := f.tell(o, side)
			return color.Paint(t.Cut(draw.Safe(text), column-1)), text != ""
		}
		left, some := cell(backup)
		right, any := cell(current)
		if !some && !any {
			continue
		}
		lines = append(lines, t.Dim.Paint(t.Fit(f.name, label))+t.Fit(left, column)+right)
	}
	return lines
}

// facts are what is told of a file.
var facts = []struct {
	name string
	tell func(*overview, int) (string, draw.Style)
}{
	{"file", func(o *overview, i int) (string, draw.Style) { return o.side(i).Snapshot.Path(), "" }},
	{"read from", func(o *overview, i int) (string, draw.Style) { return o.side(i).Snapshot.Container(), "" }},
	{"log", (*overview).log},
	{"delta files", (*overview).deltas},
	{"missing", (*overview).missing},
	{"saved", func(o *overview, i int) (string, draw.Style) { return saved(o.side(i).State.Time), "" }},
	{"size", func(o *overview, i int) (string, draw.Style) { return draw.Size(o.side(i).Snapshot.Size()), "" }},
	{"sha256", (*overview).hash},
	{"trailer", (*overview).trailer},
	{"content", (*overview).content},
	{"revision", func(o *overview, i int) (string, draw.Style) { return draw.Count(o.side(i).State.Revision), "" }},
	{"kept from", func(o *overview, i int) (string, draw.Style) {
		if rev := o.side(i).State.CompactRevision; rev > 0 {
			return draw.Count(rev), ""
		}
		if o.side(i).State.CompactUnknown {
			return "unknown: what would tell it is lost", o.Theme.Warning
		}
		return "the first: never compacted", ""
	}},
	{"etcd", func(o *overview, i int) (string, draw.Style) {
		m := o.side(i).Snapshot.Meta()
		return "storage " + cmp.Or(m.StorageVersion, "unknown") + ", cluster " + cmp.Or(m.ClusterVersion, "unknown"), ""
	}},
	{"members", (*overview).members},
	{"cluster", func(o *overview, i int) (string, draw.Style) {
		return cmp.Or(o.side(i).State.ClusterUID, o.side(i).State.ClusterUnknown), ""
	}},
	{"objects", (*overview).objects},
}

// saved is the time that a snapshot's content gives away.
func saved(at time.Time) string {
	if at.IsZero() {
		return "unknown"
	}
	return "about " + at.UTC().Format("2006-01-02 15:04:05Z")
}

func (o *overview) hash(side int) (string, draw.Style) {
	f := &o.files[side]
	switch {
	case !f.verified && f.hashed.Total > 0:
		return fmt.Sprintf("hashing%s %d %%", o.Theme.Ellipsis, draw.Percent(f.hashed.Done, f.hashed.Total)), o.Theme.Dim
	case !f.verified:
		return "hashing" + o.Theme.Ellipsis, o.Theme.Dim
	case f.integrity.SHA256 == "":
		return "not computed", o.Theme.Warning
	case o.width >= wideOverview+50:
		return f.integrity.SHA256, ""
	}
	return f.integrity.SHA256[:16] + o.Theme.Ellipsis, ""
}

func (o *overview) trailer(side int) (string, draw.Style) { return o.check(side, 0) }
func (o *overview) content(side int) (string, draw.Style) { return o.check(side, 1) }

// check tells a check of the file's integrity.
func (o *overview) check(side, n int) (string, draw.Style) {
	f := &o.files[side]
	if !f.verified {
		return "verifying" + o.Theme.Ellipsis, o.Theme.Dim
	}
	if n >= len(f.integrity.Checks) {
		return "unknown", ""
	}
	c := f.integrity.Checks[n]
	color := map[snapshot.Verdict]draw.Style{snapshot.OK: o.Theme.Good, snapshot.Bad: o.Theme.Critical}[c.Verdict]
	if c.Verdict == snapshot.Absent || c.Verdict == snapshot.Skipped {
		color = o.Theme.Warning
	}
	if c.Detail == "" {
		return string(c.Verdict), color
	}
	return string(c.Verdict) + ": " + c.Detail, color
}

// missing says what is known to be missing from it.
func (o *overview) missing(side int) (string, draw.Style) {
	var list []string
	for _, m := range o.side(side).State.Missing {
		list = append(list, m.What)
	}
	return strings.Join(list, "; "), o.Theme.Warning
}

// log says what a member's write-ahead log added to its db.
func (o *overview) log(side int) (string, draw.Style) {
	w := o.side(side).Snapshot.WAL()
	if w == nil {
		return "", ""
	}
	text := fmt.Sprintf("%s applied, from revision %s", entries(w.Applied), draw.Count(w.DBRevision))
	if w.Uncommitted > 0 {
		return text + fmt.Sprintf("; %s not applied", entries(w.Uncommitted)), o.Theme.Warning
	}
	return text, ""
}

// deltas says what delta files added to a full snapshot.
func (o *overview) deltas(side int) (string, draw.Style) {
	d := o.side(side).Snapshot.Deltas()
	if d == nil {
		return "", ""
	}
	text := fmt.Sprintf("%s applied, from revision %s", draw.Plural(d.Applied, "event"), draw.Count(d.DBRevision))
	if n := len(d.Unapplied); n > 0 {
		return text + fmt.Sprintf("; %s not applied", draw.Plural(n, "file")), o.Theme.Warning
	}
	return text, ""
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return draw.Count(int64(n)) + " entries"
}

func (o *overview) members(side int) (string, draw.Style) {
	var names []string
	for _, m := range o.side(side).Snapshot.Meta().Members {
		name := cmp.Or(m.Name, m.ID)
		if m.Learner {
			name += " (learner)"
		}
		names = append(names, name)
	}
	return cmp.Or(strings.Join(names, ", "), "none recorded"), ""
}

func (o *overview) objects(side int) (string, draw.Style) {
	s := o.side(side).State
	text := draw.Plural(len(s.Pods), "pod") + ", " + draw.Plural(len(s.Nodes), "node")
	if f := &o.files[side]; f.counted {
		text += ", " + draw.Plural(f.keys, "key")
	}
	return text, ""
}
