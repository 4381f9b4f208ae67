package tui

import (
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/snapshot"
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
func (l *loading) lines(t *theme, width, height int) []string {
	const barWidth = 40
	doing := "Reading the objects"
	unpacking := slices.ContainsFunc(l.parts, func(p part) bool { return p.Phase == snapshot.PhaseExpand })
	if len(l.parts) < 2 || slices.ContainsFunc(l.parts, func(p part) bool { return percent(p.Done, p.Total) < 100 }) {
		doing = "Indexing the revisions"
	}
	if unpacking {
		doing = "Unpacking"
	}
	block := []string{t.bold.paint("revenant"), "", doing + t.ellipsis, ""}
	for _, p := range l.parts {
		block = append(block, fmt.Sprintf("%-8s %s %3d %%", t.cut(p.role, 8), t.bar(p.Done, p.Total, barWidth), percent(p.Done, p.Total)))
	}
	for len(block) < 6 {
		block = append(block, "")
	}
	block = append(block, "", t.hint("esc cancel"))
	lines := make([]string, max((height-len(block))/2, 0), height)
	indent := spaces((width - barWidth - 15) / 2)
	for _, line := range block {
		lines = append(lines, indent+line)
	}
	return lines
}

// bar is a progress bar of width columns.
func (t *theme) bar(done, total int64, width int) string {
	if t.plain {
		return fmt.Sprintf("%d %%", percent(done, total))
	}
	n := percent(done, total) * width / 100
	return strings.Repeat(t.full, n) + t.dim.paint(strings.Repeat(t.empty, width-n))
}

// percent is between 0 and 100.
func percent(done, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(100 * min(max(float64(done)/float64(total), 0), 1))
}
