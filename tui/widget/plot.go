package widget

import (
	"math"

	"revenant/tui/draw"
)

// faint is the part of one, or of the greatest value if that is less, from which on a
// value is seen, however small it is beside most.
const faint = 0.05

// Bars draws values as bars, a column each, in height lines from the top down. look
// is the colour of a column; nil for none.
func Bars(t *draw.Theme, values []float64, most float64, height int, look func(column int) draw.Style) []string {
	levels := []rune(t.Levels)
	if len(levels) == 0 || most <= 0 {
		return make([]string, height)
	}
	steps := make([]int, len(values)) // how high a bar is, in parts of a line
	least := faint * min(Max(values), 1)
	for i, v := range values {
		if v > 0 && v >= least {
			steps[i] = int(min(max(math.Round(v/most*float64(height*len(levels))), 1), float64(height*len(levels))))
		}
	}
	lines := make([]string, height)
	for row := range lines {
		below := (height - 1 - row) * len(levels)
		s := NewStrip(len(values))
		for i, n := range steps {
			if n -= below; n > 0 {
				color := draw.Style("")
				if look != nil {
					color = look(i)
				}
				s.Fill(i, i, string(levels[min(n, len(levels))-1]), color)
			}
		}
		lines[row] = s.String()
	}
	return lines
}

// Rebin spreads the counts in bins over as many columns: their sum stays the same.
func Rebin(bins []float64, columns int) []float64 {
	list := make([]float64, max(columns, 0))
	for i, v := range bins {
		if v == 0 {
			continue
		}
		from := float64(i) * float64(columns) / float64(len(bins))
		to := float64(i+1) * float64(columns) / float64(len(bins))
		for c := int(from); c < len(list) && float64(c) < to; c++ {
			list[c] += v * (min(to, float64(c+1)) - max(from, float64(c))) / (to - from)
		}
	}
	return list
}

// Max is the greatest of some values, 0 for none.
func Max(values []float64) float64 {
	m := 0.0
	for _, v := range values {
		m = max(m, v)
	}
	return m
}
