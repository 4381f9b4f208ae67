package tui

import "slices"

// pager shows a part of lines that are too many.
type pager struct {
	height int
	top    int // first line shown
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
	return k
}

func (p *pager) move(a action, lines int) {
	p.top = moved(p.top, a, p.height, lines-p.height)
}

// window is what is to be seen of lines.
func (p *pager) window(lines []string) []string {
	from := min(p.top, max(len(lines)-p.height, 0))
	return lines[from:min(from+p.height, len(lines))]
}

// page is the window, filled up to its height, and a line below it that says how
// much there is beyond.
func (p *pager) page(t *theme, lines []string, width int) []string {
	view := slices.Clone(p.window(lines))
	for len(view) < p.height {
		view = append(view, "")
	}
	return append(view, t.dim.paint(t.spread("", p.more(t, len(lines))+" ", width)))
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
