package widget

import (
	"slices"

	"github.com/charmbracelet/x/ansi"

	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
)

// Pager shows a part of lines that are too many, and searches in them.
type Pager struct {
	Height int
	Top    int // first line shown
	flow   int // how many columns the lines flow through, side by side; 0 and 1 are one
	width  int // of such a column
	words  string
	found  func(string) bool // finds them; nil for nothing
	hit    int               // line of the match that was last gone to, -1 for none
}

// flowGap is between two columns that lines flow through, and flowWidth the least that one has:
// two states of an object can still stand beside each other in it.
const (
	flowGap   = 2
	flowWidth = 72
)

// Flow divides width columns of the terminal into as many columns of text as can be read well,
// or into one, and returns how wide their lines may be.
func (p *Pager) Flow(width int, one bool) int {
	p.flow = 1
	if !one {
		p.flow = max((width+flowGap)/(flowWidth+flowGap), 1)
	}
	p.width = (width+flowGap)/p.flow - flowGap
	return p.width
}

// Span is how many lines are shown at once.
func (p *Pager) Span() int { return max(p.Height, 0) * max(p.flow, 1) }

// Actions are the actions that it takes.
func (p *Pager) Actions(k keys.Set, lines int) keys.Set {
	why := ""
	if lines <= p.Span() {
		why = "everything is on the screen"
	}
	for _, a := range []keys.Action{keys.Up, keys.Down, keys.HalfUp, keys.HalfDown, keys.PageUp, keys.PageDown, keys.Top, keys.Bottom} {
		k[a] = why
	}
	k.Offer(keys.Search)
	why = ""
	if p.words == "" {
		why = "nothing was searched for"
	}
	k[keys.NextHit], k[keys.LastHit] = why, why
	return k
}

// Move scrolls, or goes to a match.
func (p *Pager) Move(a keys.Action, lines []string) {
	switch a {
	case keys.NextHit:
		p.find(lines, 1, p.hit+1)
	case keys.LastHit:
		p.find(lines, -1, p.hit-1)
	default:
		p.Top = Moved(p.Top, a, p.Span(), len(lines)-p.Span())
	}
}

// Search goes to the first match at or below the top, as the words are typed.
func (p *Pager) Search(words string, lines []string) {
	if p.words == "" {
		p.hit = p.Top
	}
	p.words = words
	p.found, _ = Matcher(words) // what is no expression yet finds nothing
	if words != "" {
		p.find(lines, 1, max(p.hit, 0))
	}
}

// find goes to the next match from a line on, round the end.
func (p *Pager) find(lines []string, step, from int) {
	n := len(lines)
	for i := range n {
		at := ((from+i*step)%n + n) % n
		if p.matches(lines[at]) {
			p.hit = at
			if at < p.Top || at >= p.Top+p.Span() {
				p.Top = max(min(at-p.Height/3, n-p.Span()), 0)
			}
			return
		}
	}
	p.hit = -1
}

// matches says whether a line holds what is searched for, in any case.
func (p *Pager) matches(line string) bool {
	return p.words != "" && p.found != nil && p.found(ansi.Strip(line))
}

// Rewind goes to the top of other lines; what is searched for stays.
func (p *Pager) Rewind() { p.Top, p.hit = 0, -1 }

// Window is what is to be seen of lines, with a column before them in which
// matches are marked.
func (p *Pager) Window(t *draw.Theme, lines []string) []string {
	height, span := max(p.Height, 0), p.Span()
	from := min(p.Top, max(len(lines)-span, 0))
	view := slices.Clone(lines[from:min(from+span, len(lines))])
	for i, line := range view {
		mark := " "
		if p.matches(line) {
			if mark = t.Dim.Paint(t.Cursor); from+i == p.hit {
				mark = t.Bold.Paint(t.Cursor)
			}
		}
		view[i] = mark + line
	}
	for len(view) > height { // the last column goes beside the one before it
		at := (len(view) - 1) / height * height
		view = append(view[:at-height], t.Beside(view[at-height:at], view[at:], p.width+1, draw.Spaces(flowGap-1))...)
	}
	return view
}

// Page is the window, filled up to its height, and a line below it that says how
// much there is beyond.
func (p *Pager) Page(t *draw.Theme, lines []string, width int) []string {
	view := p.Window(t, lines)
	for len(view) < p.Height {
		view = append(view, "")
	}
	return append(view, " "+t.Dim.Paint(t.Spread(p.hits(lines), p.More(t, len(lines))+" ", width-1)))
}

// hits says how many lines match.
func (p *Pager) hits(lines []string) string {
	if p.words == "" {
		return ""
	}
	n, at := 0, 0
	for i, line := range lines {
		if p.matches(line) {
			if n++; i == p.hit {
				at = n
			}
		}
	}
	if n == 0 {
		return "no line has " + draw.Quoted(p.words)
	}
	if at == 0 {
		return words.Count(n, "line") + " with " + draw.Quoted(p.words)
	}
	return words.Number(at) + " of " + words.Count(n, "line") + " with " + draw.Quoted(p.words)
}

// Moved is where an action goes from at, in pages of height lines, between 0 and
// last.
func Moved(at int, a keys.Action, height, last int) int {
	page := max(height-1, 1)
	switch a {
	case keys.Up:
		at--
	case keys.Down:
		at++
	case keys.HalfUp:
		at -= max(height/2, 1)
	case keys.HalfDown:
		at += max(height/2, 1)
	case keys.PageUp:
		at -= page
	case keys.PageDown:
		at += page
	case keys.Top:
		at = 0
	case keys.Bottom:
		at = last
	}
	return max(min(at, last), 0)
}

// More says in the last line how much of lines is not shown, "" when nothing.
func (p *Pager) More(t *draw.Theme, lines int) string {
	from := min(p.Top, max(lines-p.Span(), 0))
	rest := lines - from - p.Span()
	switch {
	case rest > 0:
		return words.Count(rest, "line") + " below"
	case from > 0:
		return words.Count(from, "line") + " above"
	}
	return ""
}
