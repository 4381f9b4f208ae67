package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// table is a list of rows of which only those in sight are drawn, so that its
// cost does not grow with its length.
type table struct {
	columns []column
	length  int
	cell    func(row, column int) string
	style   func(row, column int, cell string) string // of no width; nil for none

	width, height int // height with the header
	cursor, top   int
}

// column is a column of fixed width; the last one takes what is left.
type column struct {
	title string
	width int
}

func (t *table) resize(width, height int) {
	t.width, t.height = width, height
	t.move(0)
}

// rows is how many rows are in sight.
func (t *table) rows() int { return max(1, t.height-1) }

// move moves the cursor by n rows and keeps it in sight.
func (t *table) move(n int) {
	t.cursor = max(0, min(t.cursor+n, t.length-1))
	t.top = min(t.top, t.cursor)
	t.top = max(t.top, t.cursor-t.rows()+1)
	t.top = max(0, min(t.top, t.length-t.rows()))
}

func (t *table) line(cells func(column int) string) string {
	var b strings.Builder
	left := t.width
	for i, c := range t.columns {
		width := min(c.width, left)
		if i == len(t.columns)-1 {
			width = left
		}
		if width <= 0 {
			break
		}
		b.WriteString(pad(cells(i), width-1) + " ")
		left -= width
	}
	return pad(b.String(), t.width)
}

// view draws the header and the rows in sight.
func (t *table) view(th *theme) string {
	lines := []string{th.dim.Render(t.line(func(i int) string { return t.columns[i].title }))}
	for row := t.top; row < min(t.top+t.rows(), t.length); row++ {
		line := t.line(func(i int) string {
			cell := t.cell(row, i)
			if row == t.cursor || t.style == nil {
				return cell
			}
			return t.style(row, i, cell)
		})
		if row == t.cursor {
			line = th.selected.Render(ansi.Strip(line))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// text is lines that scroll.
type text struct {
	lines         []string
	width, height int
	top           int
}

// set wraps the paragraphs to the width.
func (t *text) set(s string) {
	t.lines = nil
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		wrapped := ansi.Wrap(strings.TrimLeft(line, " "), max(10, t.width-len(indent)), "")
		for part := range strings.SplitSeq(wrapped, "\n") {
			t.lines = append(t.lines, indent+part)
		}
	}
	t.scroll(0)
}

// act scrolls as the action asks.
func (t *text) act(a action) {
	switch a {
	case actUp:
		t.scroll(-1)
	case actDown:
		t.scroll(1)
	case actPageUp:
		t.scroll(-t.height)
	case actPageDown:
		t.scroll(t.height)
	case actTop:
		t.scroll(-len(t.lines))
	case actBottom:
		t.scroll(len(t.lines))
	}
}

func (t *text) scroll(n int) { t.top = max(0, min(t.top+n, len(t.lines)-t.height)) }

func (t *text) view() string {
	var b strings.Builder
	for i := range t.height {
		if i > 0 {
			b.WriteByte('\n')
		}
		line := ""
		if n := t.top + i; n < len(t.lines) {
			line = t.lines[n]
		}
		b.WriteString(pad(line, t.width))
	}
	return b.String()
}
