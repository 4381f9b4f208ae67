package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// pager shows a part of lines that are too many, and searches in them.
type pager struct {
	height int
	top    int // first line shown
	words  string
	hit    int // line of the match that was last gone to, -1 for none
}

// moves are the actions that it takes.
func (p *pager) moves(k keys, lines int) keys {
	why := ""
	if lines <= p.height {
		why = "everything is on the screen"
	}
	for _, a := range []action{up, down, halfUp, halfDown, pageUp, pageDown, top, bottom} {
		k[a] = why
	}
	k.offer(search)
	why = ""
	if p.words == "" {
		why = "nothing was searched for"
	}
	k[nextHit], k[lastHit] = why, why
	return k
}

// move scrolls, or goes to a match.
func (p *pager) move(a action, lines []string) {
	switch a {
	case nextHit:
		p.find(lines, 1, p.hit+1)
	case lastHit:
		p.find(lines, -1, p.hit-1)
	default:
		p.top = moved(p.top, a, p.height, len(lines)-p.height)
	}
}

// search goes to the first match at or below the top, as the words are typed.
func (p *pager) search(words string, lines []string) {
	if p.words == "" {
		p.hit = p.top
	}
	p.words = words
	if words != "" {
		p.find(lines, 1, max(p.hit, 0))
	}
}

// find goes to the next match from a line on, round the end.
func (p *pager) find(lines []string, step, from int) {
	n := len(lines)
	for i := range n {
		at := ((from+i*step)%n + n) % n
		if p.matches(lines[at]) {
			p.hit = at
			if at < p.top || at >= p.top+p.height {
				p.top = max(min(at-p.height/3, n-p.height), 0)
			}
			return
		}
	}
	p.hit = -1
}

// matches says whether a line holds what is searched for, in any case.
func (p *pager) matches(line string) bool {
	return p.words != "" && strings.Contains(strings.ToLower(ansi.Strip(line)), strings.ToLower(p.words))
}

// rewind goes to the top of other lines; what is searched for stays.
func (p *pager) rewind() { p.top, p.hit = 0, -1 }

// window is what is to be seen of lines, with a column before them in which
// matches are marked.
func (p *pager) window(t *theme, lines []string) []string {
	from := min(p.top, max(len(lines)-p.height, 0))
	view := slices.Clone(lines[from:min(from+p.height, len(lines))])
	for i, line := range view {
		mark := " "
		if p.matches(line) {
			if mark = t.dim.paint(t.cursor); from+i == p.hit {
				mark = t.bold.paint(t.cursor)
			}
		}
		view[i] = mark + line
	}
	return view
}

// page is the window, filled up to its height, and a line below it that says how
// much there is beyond.
func (p *pager) page(t *theme, lines []string, width int) []string {
	view := p.window(t, lines)
	for len(view) < p.height {
		view = append(view, "")
	}
	return append(view, " "+t.dim.paint(t.spread(p.found(lines), p.more(t, len(lines))+" ", width-1)))
}

// found says how many lines match.
func (p *pager) found(lines []string) string {
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
		return "no line has " + quoted(p.words)
	}
	if at == 0 {
		return plural(n, "line") + " with " + quoted(p.words)
	}
	return count(at) + " of " + plural(n, "line") + " with " + quoted(p.words)
}

// moved is where an action goes from at, in pages of height lines, between 0 and
// last.
func moved(at int, a action, height, last int) int {
	page := max(height-1, 1)
	switch a {
	case up:
		at--
	case down:
		at++
	case halfUp:
		at -= max(height/2, 1)
	case halfDown:
		at += max(height/2, 1)
	case pageUp:
		at -= page
	case pageDown:
		at += page
	case top:
		at = 0
	case bottom:
		at = last
	}
	return max(min(at, last), 0)
}

// more says in the last line how much of lines is not shown, "" when nothing.
func (p *pager) more(t *theme, lines int) string {
	from := min(p.top, max(lines-p.height, 0))
	rest := lines - from - p.height
	switch {
	case rest > 0:
		return t.down + " " + plural(rest, "line") + " below"
	case from > 0:
		return t.up + " " + plural(from, "line") + " above"
	}
	return ""
}
