package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// span is what one snapshot holds of the axis of revisions.
type span struct {
	name          string
	compact, head int64
}

// mark is a revision that matters.
type mark struct {
	revision int64
	label    string
}

// ruler draws what two snapshots hold of one axis, to scale, and the marks below
// it. It is as many lines as there are spans and marks, and a scale.
type ruler struct {
	spans []span
	marks []mark
	ascii bool // no characters but ASCII's
}

// lines draws the ruler width columns wide.
func (r ruler) lines(width int) []string {
	names := 0
	var last int64 = 1
	for _, s := range r.spans {
		names = max(names, ansi.StringWidth(s.name))
		last = max(last, s.head)
	}
	for _, m := range r.marks {
		last = max(last, min(m.revision, 4*r.newest())) // a bump by 10⁹ would flatten all else
	}
	names += 2
	axis := width - names
	if axis < 20 {
		return nil
	}
	at := func(rev int64) int { return int(min(float64(rev)/float64(last), 1) * float64(axis-1)) }
	compacted, kept, gap := "░", "█", "─"
	if r.ascii {
		compacted, kept, gap = ".", "#", "-"
	}
	var lines []string
	for _, s := range r.spans {
		from, to := at(s.compact), at(s.head)
		bar := strings.Repeat(compacted, from) + strings.Repeat(kept, max(1, to-from+1))
		bar += strings.Repeat(gap, max(0, at(r.newest())-to))
		lines = append(lines, pad(s.name, names)+bar)
	}
	tick := "│"
	if r.ascii {
		tick = "|"
	}
	for _, m := range r.marks {
		x := at(m.revision)
		text := tick + " " + m.label
		if m.revision > last {
			text = ">" + " " + m.label
		}
		if w := ansi.StringWidth(text); x+w > axis { // the label stands left of its tick
			label := ansi.Truncate(m.label, max(0, x-1), "…")
			lines = append(lines, strings.Repeat(" ", names+max(0, x-ansi.StringWidth(label)-1))+label+" "+tick)
			continue
		}
		lines = append(lines, strings.Repeat(" ", names+x)+text)
	}
	return append(lines, fmt.Sprintf("%s%s kept  %s compacted away  %s the gap: undone by the restore", strings.Repeat(" ", names), kept, compacted, gap))
}

func (r ruler) newest() int64 {
	var n int64 = 1
	for _, s := range r.spans {
		n = max(n, s.head)
	}
	return n
}

// pad fills or cuts s to exactly width columns.
func pad(s string, width int) string {
	w := ansi.StringWidth(s)
	if w > width {
		s = ansi.Truncate(s, width, "…")
		w = ansi.StringWidth(s)
	}
	return s + strings.Repeat(" ", max(0, width-w))
}
