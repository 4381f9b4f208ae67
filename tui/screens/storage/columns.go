package storage

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"revenant/analyzer/storage"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/widget"
)

// spaceColumn is a column with its cells.
type spaceColumn struct {
	widget.Column
	cell    func(row int) string
	compare func(a, b int) int
}

func texts(c widget.Column, of func(row int) string) spaceColumn {
	return spaceColumn{c, of, func(a, b int) int { return strings.Compare(of(a), of(b)) }}
}

// numbers are sorted with the largest first.
func numbers(c widget.Column, write func(int64) string, of func(row int) int64) spaceColumn {
	c.Right, c.Desc = !c.Drawn, true
	return spaceColumn{c, func(row int) string { return write(of(row)) }, func(a, b int) int { return cmp.Compare(of(b), of(a)) }}
}

// shares says which part of all a row has, and draws it.
func shares(t *draw.Theme, all int64, of func(row int) int64) []spaceColumn {
	percents := numbers(widget.Column{Title: "SHARE", Min: 7}, func(n int64) string { return portion(n, all) }, of)
	if t.Plain {
		return []spaceColumn{percents}
	}
	const most = 10
	bars := numbers(widget.Column{Title: "OF ALL", Min: most, Drop: 1, Drawn: true}, func(n int64) string {
		if all <= 0 {
			return ""
		}
		return strings.Repeat(t.Full, int(math.Round(most*max(min(float64(n)/float64(all), 1), 0))))
	}, of)
	return []spaceColumn{percents, bars}
}

// mostDropped is beyond what columns have that are left out earlier than others.
const mostDropped = 10

// portion is a part of all in percent.
func portion(n, all int64) string {
	if all <= 0 {
		return "-"
	}
	p := 100 * float64(n) / float64(all)
	if n > 0 && p < 0.05 {
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}

// zeroAsNone is the count of what may not be counted.
func zeroAsNone(n int64) string { return words.NumberOrDash(int(n)) }

func sumOf(f *storage.File) int64 {
	sum := int64(0)
	for i := range f.Parts {
		sum += f.Parts[i].Bytes
	}
	return sum
}

// bytesFor are those of a part of the file.
func bytesFor(f *storage.File, use storage.Use) int64 {
	for i := range f.Parts {
		if f.Parts[i].Use == use {
			return f.Parts[i].Bytes
		}
	}
	return 0
}
