package widget

import (
	"strings"

	"revenant/tui/draw"
)

// Strip is a line that is drawn piece by piece.
type Strip struct {
	cells  []string
	styles []draw.Style
}

// NewStrip is an empty line of width columns.
func NewStrip(width int) *Strip {
	return &Strip{cells: make([]string, width), styles: make([]draw.Style, width)}
}

// Fill draws a glyph from one column to another.
func (s *Strip) Fill(from, to int, glyph string, look draw.Style) {
	for i := max(from, 0); i <= min(to, len(s.cells)-1); i++ {
		s.cells[i], s.styles[i] = glyph, look
	}
}

// Put writes text at a column, and says whether there is room for it.
func (s *Strip) Put(at int, text string, look draw.Style) bool {
	runes := []rune(text)
	if at < 0 || at+len(runes) > len(s.cells) {
		return false
	}
	for i, r := range runes {
		s.cells[at+i], s.styles[at+i] = string(r), look
	}
	return true
}

// Mark writes a glyph at a column and text on one side of it, where nothing is
// and, if it can be, not over the column of another mark.
func (s *Strip) Mark(at, other int, glyph, text string, look draw.Style) {
	n := len(text) + 1 // columns to the side
	fits := func(from int, away bool) bool {
		return from >= 0 && from+n < len(s.cells) && s.Free(from, from+n+1) && !(away && other != at && from-1 <= other && other <= from+n+1)
	}
	for _, away := range []bool{true, false} {
		switch {
		case fits(at, away):
			s.Put(at, glyph+" "+text, look)
			return
		case fits(at-n, away):
			s.Put(at-n, text+" "+glyph, look)
			return
		}
	}
	if s.Free(at, at+1) {
		s.Put(at, glyph, look)
	}
}

// Label writes text from a column on, or up to it, where nothing is yet.
func (s *Strip) Label(at int, text string, look draw.Style) {
	for _, from := range []int{at, at - len(text) + 1} {
		if from >= 0 && from+len(text) <= len(s.cells) && s.Free(from-2, from+len(text)+2) {
			s.Put(from, text, look)
			return
		}
	}
}

// Free says whether nothing stands between two columns.
func (s *Strip) Free(from, to int) bool {
	for i := max(from, 0); i < min(to, len(s.cells)); i++ {
		if s.cells[i] != "" {
			return false
		}
	}
	return true
}

// String is the strip without the space at its end.
func (s *Strip) String() string {
	var b strings.Builder
	for i := 0; i < len(s.cells); {
		j := i
		var text strings.Builder
		for ; j < len(s.cells) && s.styles[j] == s.styles[i]; j++ {
			if s.cells[j] == "" {
				text.WriteByte(' ')
				continue
			}
			text.WriteString(s.cells[j])
		}
		b.WriteString(s.styles[i].Paint(text.String()))
		i = j
	}
	return b.String()
}
