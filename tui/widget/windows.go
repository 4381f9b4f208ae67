package widget

import (
	"cmp"
	"slices"

	"revenant/internal/words"
	"revenant/tui/draw"
)

// Windows draws the revisions that several files hold to scale on one axis: a row a file,
// or a row for several that are one history.
type Windows struct {
	Rows []WindowRow
}

// WindowRow is a line of Windows.
type WindowRow struct {
	Label string
	Held  []Window
	Look  draw.Style
}

// axis is from a little before the oldest revision that is held.
func (w *Windows) axis(width int) Axis {
	r := Ruler{}
	for _, row := range w.Rows {
		for _, h := range row.Held {
			if h.Head > r.Current.Head {
				r.Current.Head = h.Head
			}
			if oldest := max(h.Compact, 1); r.Backup.Compact == 0 || oldest < r.Backup.Compact {
				r.Backup.Compact = oldest
			}
		}
	}
	r.Backup.Head = r.Current.Head
	return r.axis(width)
}

// Lines draws them in width columns, with at most most rows; nil where nothing is drawn.
func (w *Windows) Lines(t *draw.Theme, width, most int) []string {
	if t.Plain || len(w.Rows) == 0 {
		return nil
	}
	label := rulerLabel
	for _, row := range w.Rows {
		label = min(max(label, len(row.Label)+1), max(width/4, rulerLabel))
	}
	a := w.axis(width - label)
	s := NewStrip(a.Width)
	s.Label(a.Width-1, words.Number(int64(a.To)), t.Bold)
	s.Label(0, words.Number(int64(a.From)), t.Dim)
	lines := []string{t.Dim.Paint(t.Fit("revision", label)) + s.String()}
	partly := false
	for _, row := range w.Rows[:min(len(w.Rows), most)] {
		s := NewStrip(a.Width)
		held := a.held(row.Held)
		for col, part := range held {
			beside := max(held[max(col-1, 0)], held[min(col+1, len(held)-1)])
			switch {
			case part >= half, part > 0 && beside >= half: // it ends in the column
				s.Fill(col, col, t.Kept, row.Look)
			case part > 0:
				s.Fill(col, col, t.Compacted, row.Look)
				partly = true
			}
		}
		lines = append(lines, t.Dim.Paint(t.Fit(draw.Safe(row.Label), label))+s.String())
	}
	if partly {
		lines = append(lines, draw.Spaces(label)+t.Kept+" "+t.Dim.Paint("held")+"  "+t.Compacted+" "+t.Dim.Paint("held for less than half of the column"))
	}
	return lines
}

// half of a column's revisions, at least, are held where it is drawn as held.
const half = 0.5

// held is which part of the revisions of each column is in one of some windows.
func (a Axis) held(windows []Window) []float64 {
	part := make([]float64, a.Width)
	windows = slices.SortedFunc(slices.Values(windows), func(x, y Window) int { return cmp.Compare(x.Compact, y.Compact) })
	step := max(a.To-a.From, 1) / float64(max(a.Width-1, 1))
	next := int64(0) // the first revision that no window before has
	for _, w := range windows {
		from := max(w.Compact, next)
		if next = max(next, w.Head+1); from > w.Head {
			continue
		}
		for col := a.Col(from); col <= a.Col(w.Head); col++ {
			begin := a.From + (float64(col)-0.5)*step
			part[col] += max(min(float64(w.Head)+0.5, begin+step)-max(float64(from)-0.5, begin), 0) / step
		}
	}
	return part
}
