package draw

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Focused is a heading of what keys go to.
func (t *Theme) Focused(heading string) string {
	title := strings.TrimSpace(strings.Trim(strings.TrimSpace(ansi.Strip(heading)), t.Line))
	return (t.Selected + t.Bold).Paint(" " + title + " ")
}

// FactLabel is the width of the column with the names of facts.
const FactLabel = 14

// Facts writes a name and its value in lines, the names in a column.
func (t *Theme) Facts(width int, pairs ...string) []string {
	var lines []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		for n, line := range Wrap(pairs[i+1], width-FactLabel) {
			name := ""
			if n == 0 {
				name = pairs[i]
			}
			lines = append(lines, t.Dim.Paint(t.Fit(name, FactLabel))+line)
		}
	}
	return lines
}

// Hint sets the key off from what it does.
func (t *Theme) Hint(text string) string {
	key, does, _ := strings.Cut(text, " ")
	return t.Bold.Paint(key) + " " + t.Dim.Paint(does)
}

// Bar is a progress bar of width columns.
func (t *Theme) Bar(done, total int64, width int) string {
	if t.Plain {
		return fmt.Sprintf("%d %%", Percent(done, total))
	}
	n := Percent(done, total) * width / 100
	return strings.Repeat(t.Full, n) + t.Dim.Paint(strings.Repeat(t.empty, width-n))
}

// Percent is between 0 and 100.
func Percent(done, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(100 * min(max(float64(done)/float64(total), 0), 1))
}
