package shell

import (
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/snapshot"
	"revenant/tui/draw"
)

// loading is what is shown while the evidence is read.
type loading struct {
	parts []part
}

// part is how far one file is.
type part struct {
	role string
	snapshot.Progress
}

// progress notes how far the reading is; the hash may take longer.
func (l *loading) progress(msg progressMsg) {
	if msg.Phase == snapshot.PhaseHash {
		return
	}
	i := slices.IndexFunc(l.parts, func(p part) bool { return p.role == msg.role })
	if i < 0 {
		l.parts = append(l.parts, part{role: msg.role})
		slices.SortFunc(l.parts, func(a, b part) int { return strings.Compare(a.role, b.role) })
		i = slices.IndexFunc(l.parts, func(p part) bool { return p.role == msg.role })
	}
	l.parts[i].Progress = msg.Progress
}

// lines draws the loading in the middle of the terminal.
func (l *loading) lines(t *draw.Theme, width, height int) []string {
	const barWidth = 40
	doing := "Reading the objects"
	unpacking := slices.ContainsFunc(l.parts, func(p part) bool { return p.Phase == snapshot.PhaseExpand })
	if len(l.parts) == 0 || slices.ContainsFunc(l.parts, func(p part) bool { return draw.Percent(p.Done, p.Total) < 100 }) {
		doing = "Indexing the revisions"
	}
	if len(l.parts) == 1 && l.parts[0].role == "files" {
		doing = "Looking at the files"
	}
	if unpacking {
		doing = "Unpacking"
	}
	block := []string{t.Bold.Paint("revenant"), "", doing + t.Ellipsis, ""}
	for _, p := range l.parts {
		block = append(block, fmt.Sprintf("%-8s %s %3d %%", t.Cut(p.role, 8), t.Bar(p.Done, p.Total, barWidth), draw.Percent(p.Done, p.Total)))
	}
	for len(block) < 6 {
		block = append(block, "")
	}
	block = append(block, "", t.Hint("esc cancel"))
	lines := make([]string, max((height-len(block))/2, 0), height)
	indent := draw.Spaces((width - barWidth - 15) / 2)
	for _, line := range block {
		lines = append(lines, indent+line)
	}
	return lines
}
