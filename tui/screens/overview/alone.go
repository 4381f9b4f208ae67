package overview

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
)

// Alone makes the screen for one snapshot: what it is, whether it is whole, what it holds,
// and what to do next.
func Alone(s *session.Session) session.Screen {
	return &Screen{Session: s, compose: (*Screen).alone}
}

func (o *Screen) alone() []string {
	w := o.width - 2
	if o.width < wideOverview {
		return section(o.grade(w), o.holds(w), o.nextAlone(w), o.toKnow(w), o.evidence(w), o.rate(w))
	}
	half := (w - 3) / 2
	left := section(o.grade(half), o.holds(half), o.nextAlone(half), o.toKnow(half))
	right := section(o.evidence(w-half-3), o.rate(w-half-3))
	return o.Theme.Beside(left, right, half, "   ")
}

// grade says whether the file is whole.
func (o *Screen) grade(width int) []string {
	t, f := o.Theme, &o.Files[o.Input.Current]
	lines := []string{t.Heading("Snapshot", width)}
	faults := o.faults()
	vouched := slices.ContainsFunc(f.Integrity.Checks, func(c snapshot.Check) bool { return c.Name == "trailer" && c.Verdict == snapshot.OK })
	color, text := t.Good, "Whole: the trailer vouches for every byte."
	switch {
	case !f.Verified:
		color, text = t.Dim, "Verifying"+t.Ellipsis
	case faults > 0 && o.Current().Snapshot.Len() == 0:
		color, text = t.Critical, "Wreck: no revision can be reached; revenant salvage looks on every page."
	case faults > 0 || f.Integrity.Bad():
		color, text = t.Critical, "Damaged: the rest is read; revenant salvage writes a clean snapshot of it."
	case !vouched:
		color, text = t.Warning, "Unverified: nothing is wrong with the file, and nothing vouches for its bytes."
	}
	s := o.Current().State
	history := "never compacted"
	switch {
	case s.CompactUnknown:
		history = "from which revision on its history is kept is not known"
	case s.CompactRevision > 0:
		history = "its history kept from revision " + words.Number(s.CompactRevision) + " on"
	}
	when := saved(s.Time)
	if s.Time.IsZero() {
		when = "at an unknown time"
	}
	lines = append(lines, draw.PaintAll(color+t.Bold, draw.Wrap(text, width))...)
	if o.Current().Snapshot.Len() > 0 {
		lines = append(lines, draw.Wrap(fmt.Sprintf("Revision %s, saved %s, %s.", words.Number(s.Revision), when, history), width)...)
	}
	if faults > 0 {
		lines = append(lines, draw.Wrap(words.Count(faults, "fault")+": :problems lists what was found.", width)...)
	}
	return lines
}

// faults counts what is damaged, as far as it is known.
func (o *Screen) faults() int {
	n := 0
	for _, p := range o.Files[o.Input.Current].Problems {
		if p.Severity == snapshot.Damage {
			n++
		}
	}
	return n
}

// holds counts what is in it.
func (o *Screen) holds(width int) []string {
	t, s := o.Theme, o.Current().State
	phases, versions, kinds := tally{}, tally{}, tally{}
	for _, p := range s.Pods {
		phases[cmp.Or(p.Phase, "of unknown phase")]++
	}
	unreachable := 0
	for _, n := range s.Nodes {
		versions["with kubelet "+cmp.Or(n.KubeletVersion, "of unknown version")]++
		if n.Unreachable {
			unreachable++
		}
	}
	for _, w := range s.Workloads {
		kinds[w.Kind]++
	}
	nodes := versions.text(plainCount)
	if unreachable > 0 {
		nodes += "; " + words.Number(unreachable) + " unreachable"
	}
	var servers []string
	for _, a := range s.APIServers {
		servers = append(servers, a.Name)
	}
	live := "counting" + t.Ellipsis
	if f := &o.Files[o.Input.Current]; f.Counted {
		live = words.Number(f.Keys)
	}
	lines := []string{t.Heading("What it holds", width)}
	return append(lines, t.Facts(width, "keys", live, "pods", phases.text(plainCount), "nodes", nodes,
		"workloads", kinds.text(words.Count[int]), "API servers", words.FirstOf(servers, mostCounted, len(servers)))...)
}

// mostCounted is how many of what there is are named in a line.
const mostCounted = 8

// tally is how many there are of what has a name.
type tally map[string]int

// text names the most frequent, each with its number.
func (c tally) text(in func(n int, name string) string) string {
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int { return cmp.Or(c[b]-c[a], strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = in(c[name], name)
	}
	return words.FirstOf(names, mostCounted, len(names))
}

func plainCount(n int, name string) string { return words.Number(n) + " " + name }

// nextAlone is what can be done with one file.
func (o *Screen) nextAlone(width int) []string {
	t, s := o.Theme, o.Current()
	lines := []string{t.Heading("What to do next", width)}
	if o.faults() > 0 {
		lines = append(lines, draw.Item(t.Dot+" ", "Write what can be read into a clean snapshot:", width)...)
		lines = append(lines, shared.Command(t, "revenant salvage "+shared.FileWord(s)+" -o CLEAN", width))
	}
	lines = append(lines, draw.Item(t.Dot+" ", "Objects (6) lists what there was at any revision, Timeline (9) what happened when, Diff (8) what changed, Storage (0) what takes the space.", width)...)
	if len(s.State.Pods)+len(s.State.Nodes) == 0 {
		return lines
	}
	lines = append(lines, draw.Item(t.Dot+" ", "What its restore would do to running pods is predicted with a second file.", width)...)
	lines = append(lines, shared.PairCommand(o.Session, width)...)
	lines = append(lines, draw.Item(t.Dot+" ", "Whether it can be restored at all:", width)...)
	return append(lines, shared.Command(t, "revenant preflight "+shared.FileWord(s), width))
}
