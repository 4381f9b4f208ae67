package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"revenant/decoder/sanitize"
)

// svg begins a picture of some width and height, in its own units, which what is drawn
// in it says in words.
func (p *Page) svg(class markup, width, height int, says string) {
	p.raw("<figure tabindex=\"0\">\n<svg class=\"")
	p.raw(class)
	p.raw("\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ")
	p.int(width)
	p.raw(" ")
	p.int(height)
	p.raw("\" width=\"")
	p.int(width)
	p.raw("\" height=\"")
	p.int(height)
	p.raw("\" font-family=\"sans-serif\" font-size=\"12\" aria-label=\"")
	p.escaped(sanitize.Short(says, mostInText))
	p.raw("\">\n")
}

func (p *Page) endSVG(says string) {
	p.raw("</svg>\n")
	if says != "" {
		p.El("figcaption", "", says)
	}
	p.raw("</figure>\n")
}

func (p *Page) int(n int) { p.w.WriteString(strconv.Itoa(n)) }

func (p *Page) num(x float64) { p.w.WriteString(strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64)) }

// at writes an attribute that is a number.
func (p *Page) at(name markup, x float64) {
	p.raw(" ")
	p.raw(name)
	p.raw(`="`)
	p.num(x)
	p.raw(`"`)
}

// shape begins an element of a class.
func (p *Page) shape(tag, class markup) {
	p.raw("<")
	p.raw(tag)
	p.raw(` class="`)
	p.raw(class)
	p.raw(`"`)
}

// rect draws a rectangle. fill is the colour where no style applies.
func (p *Page) rect(class, fill markup, x, y, w, h float64, says string) {
	p.shape("rect", class)
	p.raw(` fill="`)
	p.raw(fill)
	p.raw(`"`)
	p.at("x", x)
	p.at("y", y)
	p.at("width", w)
	p.at("height", h)
	if says == "" {
		p.raw("/>\n")
		return
	}
	p.raw("><title>")
	p.escaped(sanitize.Short(says, mostInCell))
	p.raw("</title></rect>\n")
}

func (p *Page) line(class markup, x1, y1, x2, y2 float64) {
	p.shape("line", class)
	p.raw(` stroke="#767676"`)
	p.at("x1", x1)
	p.at("y1", y1)
	p.at("x2", x2)
	p.at("y2", y2)
	p.raw("/>\n")
}

// label writes text; anchor is start, middle or end.
func (p *Page) label(class, anchor markup, x, y float64, text string) {
	p.shape("text", class)
	p.raw(` text-anchor="`)
	p.raw(anchor)
	p.raw(`"`)
	p.at("x", x)
	p.at("y", y)
	p.raw(">")
	p.escaped(sanitize.Short(text, mostInCell))
	p.raw("</text>\n")
}

var fills = [...]markup{"#8a8f98", "#3d8b53", "#b7791f", "#c0392b"}

// Span is a stretch of revisions that a ruler draws on a line.
type Span struct {
	Name     string // of the line
	From, To int64
	Mark     Mark
	Text     string // at its end
}

// Ruler draws stretches of revisions to scale, one below another. Says is the same in
// words.
func (p *Page) Ruler(spans []Span, says string) {
	const width, row, left, right = 760, 34, 110, 12
	from, to := int64(math.MaxInt64), int64(0)
	for _, s := range spans {
		from, to = min(from, s.From, s.To), max(to, s.From, s.To)
	}
	if len(spans) == 0 {
		return
	}
	if from < to-from {
		from = 0
	}
	scale := float64(width-left-right) / max(float64(to-from), 1)
	x := func(revision int64) float64 { return left + float64(revision-from)*scale }
	height := row*len(spans) + 28
	p.svg("ruler", width, height, says)
	for i, s := range spans {
		y := float64(row*i + 6)
		a, b := min(s.From, s.To), max(s.From, s.To)
		p.label("name", "end", left-8, y+14, s.Name)
		p.rect(marks[s.Mark], fills[s.Mark], x(a), y+3, max(x(b)-x(a), 2), 13, "")
		at, anchor := x(b), markup("end")
		if at < left+220 {
			at, anchor = left, "start"
		}
		p.label("at", anchor, at, y+28, s.Text)
	}
	y := float64(row*len(spans) + 10)
	p.line("axis", left, y, width-right, y)
	p.label("at", "start", left, y+14, number(from))
	p.label("at", "end", width-right, y+14, number(to))
	p.endSVG("")
}

func number(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Cell is a thing of a map, such as a node with its pods by how severe their outcome is.
type Cell struct {
	Name   string
	Text   string // what is said of it
	Counts [4]int // by mark
}

// Map draws a bar for each cell, as long as its count, or, where there are many, a
// square as severe as the worst in it. Says is the same in words.
func (p *Page) Map(cells []Cell, says string) {
	const width, most = 760, 40
	if len(cells) == 0 {
		return
	}
	if len(cells) > most {
		p.squares(cells, says)
		return
	}
	const row, left, right = 24, 230, 60
	largest := 1
	for _, c := range cells {
		largest = max(largest, c.all())
	}
	p.svg("map", width, row*len(cells)+4, says)
	for i, c := range cells {
		y, x := float64(row*i+2), float64(left)
		p.label("name", "end", left-8, y+14, shortened(c.Name))
		for _, m := range []Mark{Bad, Warn, Good, None} {
			if c.Counts[m] == 0 {
				continue
			}
			w := float64(width-left-right) * float64(c.Counts[m]) / float64(largest)
			p.rect(marks[m], fills[m], x, y+3, max(w, 1), 15, c.Name+": "+c.Text)
			x += w
		}
		p.label("at", "start", x+6, y+15, number(int64(c.all())))
	}
	p.endSVG(says)
}

func (c *Cell) all() int { return c.Counts[0] + c.Counts[1] + c.Counts[2] + c.Counts[3] }

func (c *Cell) worst() Mark {
	for m := Bad; m > None; m-- {
		if c.Counts[m] > 0 {
			return m
		}
	}
	return None
}

// shortened is a name that has room beside a bar.
func shortened(name string) string {
	const most = 30
	return sanitize.Short(name, most)
}

// squares draws many cells, the worst first.
func (p *Page) squares(cells []Cell, says string) {
	const width, side = 760, 14
	sorted := slices.Clone(cells)
	slices.SortStableFunc(sorted, func(a, b Cell) int {
		m := b.worst()
		return cmp.Or(int(m-a.worst()), b.Counts[m]-a.Counts[m])
	})
	columns := width / side
	p.svg("map", width, side*((len(sorted)+columns-1)/columns)+2, says)
	for i, c := range sorted {
		m := c.worst()
		p.rect(marks[m], fills[m], float64(i%columns*side), float64(i/columns*side), side-2, side-2, c.Name+": "+c.Text)
	}
	p.endSVG(says)
}

// Bar is a part of a plot; one that is not known has no height.
type Bar struct {
	Value float64
	Known bool
	Mark  Mark
	Says  string
}

// Bars plots values beside one another. top is what the highest is called.
func (p *Page) Bars(bars []Bar, top, from, to, says string) {
	const width, height, left = 760, 120, 70
	most := 0.0
	for _, b := range bars {
		most = max(most, b.Value)
	}
	if len(bars) == 0 || most <= 0 {
		return
	}
	p.svg("bars", width, height+20, says)
	step := float64(width-left) / float64(len(bars))
	for i, b := range bars {
		h := b.Value / most * (height - 8)
		if !b.Known {
			p.rect("unknown", "#d0d0d0", left+float64(i)*step, height-3, max(step, 0.5), 3, b.Says)
			continue
		}
		p.rect(marks[b.Mark], fills[b.Mark], left+float64(i)*step, height-h, max(step-min(1, step/4), 0.5), h, b.Says)
	}
	p.line("axis", left, height, width, height)
	p.label("at", "end", left-6, 18, top)
	p.label("at", "end", left-6, height, "0/s")
	p.label("at", "start", left, height+15, from)
	p.label("at", "end", width, height+15, to)
	p.endSVG(fmt.Sprint(says))
}
