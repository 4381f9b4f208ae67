package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// window is what of the revisions a snapshot holds.
type window struct {
	head    int64   // newest revision
	compact int64   // oldest one kept, 0 when never compacted
	unknown bool    // whether it was compacted
	bumped  []int64 // bump markers
}

// ruler draws the revisions of two snapshots to scale on one axis, and where the
// restored store starts.
type ruler struct {
	backup, current window
	start           *storeStart // of the restored store, nil when it is not known
}

// storeStart is where a restored store starts, and what that is worth.
type storeStart struct {
	revision     int64
	least        int64 // revision that it would have to start at
	seen         int64 // newest revision that watchers may have seen
	enough       bool  // no watcher can have seen what it starts at
	unsure       bool  // or nothing tells
	insufficient bool  // no start can be enough
}

// rulerLabel is the width of what stands before the axis.
const rulerLabel = 10

// lines draws the ruler in width columns.
func (r *ruler) lines(t *theme, width int) []string {
	if t.plain {
		return r.told(width)
	}
	a := r.axis(width - rulerLabel)
	rows := []struct {
		label string
		strip *strip
	}{
		{"revision", r.numbers(t, a)},
		{"backup", r.bar(t, a, &r.backup)},
		{"", r.gap(t, a)},
		{"current", r.bar(t, a, &r.current)},
		{"restored", r.starts(t, a)},
	}
	var lines []string
	for _, row := range rows {
		lines = append(lines, t.dim.paint(t.fit(row.label, rulerLabel))+row.strip.String())
	}
	return append(lines, r.legend(t, width)...)
}

// axis maps revisions to columns.
type axis struct {
	from, to float64
	width    int
}

// axis runs from 0, or, where what matters would be squeezed into a corner, from
// a little before the oldest revision that is kept.
func (r *ruler) axis(width int) axis {
	a := axis{width: max(width, 1)}
	to := max(r.backup.head, r.current.head)
	if v := r.start; v != nil {
		a.to = max(float64(to), min(float64(v.seen), 2*float64(to)))
		if float64(v.revision) < 1.5*float64(to) {
			a.to = max(a.to, float64(v.revision))
		}
	}
	a.to = max(a.to, float64(to), 1)
	oldest := r.backup.head
	for _, w := range []window{r.backup, r.current} {
		if w.compact > 0 {
			oldest = min(oldest, w.compact)
		}
	}
	if span := a.to - float64(oldest); span > 0 && span < a.to/4 {
		a.from = max(float64(oldest)-span/6, 0)
	}
	return a
}

// col is the column of a revision; what lies beyond the axis is at its end.
func (a axis) col(rev int64) int {
	x := (float64(rev) - a.from) / max(a.to-a.from, 1) * float64(a.width-1)
	return int(min(max(x+0.5, 0), float64(a.width-1)))
}

// numbers are the revisions at the marks, the most important first.
func (r *ruler) numbers(t *theme, a axis) *strip {
	s := newStrip(a.width)
	s.label(a.col(r.current.head), count(r.current.head), t.bold)
	s.label(a.col(r.backup.head), count(r.backup.head), t.bold)
	s.label(0, count(int64(a.from)), t.dim)
	for _, w := range []window{r.backup, r.current} {
		if w.compact > 0 {
			s.label(a.col(w.compact), count(w.compact), t.dim)
		}
	}
	if a.to > float64(r.current.head) {
		s.label(a.width-1, count(int64(a.to)), t.dim)
	}
	return s
}

// bar is a snapshot's window: compacted, kept, and, after the backup's head,
// undone.
func (r *ruler) bar(t *theme, a axis, w *window) *strip {
	s := newStrip(a.width)
	s.fill(0, a.col(w.compact)-1, t.compacted, t.dim)
	s.fill(a.col(w.compact), a.col(w.head), t.kept, t.dim)
	if w.head > r.backup.head {
		from := min(a.col(r.backup.head)+1, a.col(w.head))
		s.fill(max(from, a.col(w.compact)), a.col(w.head), t.undone, t.warning)
	}
	if w == &r.current && r.start != nil {
		s.fill(a.col(w.head)+1, a.col(r.start.seen), t.seen, t.dim)
	}
	for _, rev := range w.bumped {
		if float64(rev) >= a.from {
			s.fill(a.col(rev), a.col(rev), t.bumped, t.bold)
		}
	}
	if a.from > 0 {
		s.fill(0, 0, "<", t.dim)
	}
	return s
}

// gap is a bracket over what the restore undoes.
func (r *ruler) gap(t *theme, a axis) *strip {
	s := newStrip(a.width)
	n := r.current.head - r.backup.head
	if n <= 0 {
		return s
	}
	from, to := a.col(r.backup.head), a.col(r.current.head)
	text := " " + count(n) + " undone "
	s.fill(from, to, t.line, t.dim)
	s.fill(from, from, t.left, t.dim)
	s.fill(to, to, t.right, t.dim)
	if to-from > len(text)+1 {
		s.put(from+(to-from-len(text)+1)/2, text, t.warning)
		return s
	}
	if !s.put(to+1, text, t.warning) {
		s.put(from-len(text), text, t.warning)
	}
	return s
}

// starts is where the restored store starts, and where it would have to.
func (r *ruler) starts(t *theme, a axis) *strip {
	s := newStrip(a.width)
	v := r.start
	if v == nil {
		return s
	}
	color := t.critical
	switch {
	case v.enough:
		color = t.good
	case v.unsure:
		color = t.warning
	}
	if float64(v.revision) > a.to {
		text := "starts at " + count(v.revision) + " " + t.arrow
		s.put(a.width-ansi.StringWidth(text), text, color)
		return s
	}
	at, least := a.col(v.revision), a.col(v.least)
	s.mark(at, least, t.restored, "starts at "+count(v.revision), color)
	if !v.enough && !v.insufficient {
		s.mark(least, at, t.minimum, "at least "+count(v.least), t.dim)
	}
	return s
}

// legend explains the parts that are there.
func (r *ruler) legend(t *theme, width int) []string {
	type part struct {
		glyph, means string
		style        style
		there        bool
	}
	v := r.start
	bumped := "bumped by an earlier restore"
	if list := append(slices.Clone(r.backup.bumped), r.current.bumped...); len(list) > 0 {
		bumped += " at " + count(slices.Max(list))
	}
	parts := []part{
		{t.compacted, "compacted", t.dim, r.backup.compact > 0 || r.current.compact > 0},
		{t.kept, "kept", t.dim, true},
		{t.undone, "undone by the restore", t.warning, r.current.head > r.backup.head},
		{t.seen, "watchers may have seen", t.dim, v != nil && v.seen > r.current.head},
		{t.bumped, bumped, t.bold, len(r.backup.bumped)+len(r.current.bumped) > 0},
	}
	var lines []string
	line, used := spaces(rulerLabel), rulerLabel
	for _, p := range parts {
		n := len(p.means) + 4
		switch {
		case !p.there:
			continue
		case used+n > width:
			lines = append(lines, line)
			line, used = spaces(rulerLabel), rulerLabel
		}
		line += p.style.paint(p.glyph) + " " + t.dim.paint(p.means) + "  "
		used += n
	}
	return append(lines, line)
}

// strip is a line that is drawn piece by piece.
type strip struct {
	cells  []string
	styles []style
}

func newStrip(width int) *strip {
	return &strip{cells: make([]string, width), styles: make([]style, width)}
}

// fill draws a glyph from one column to another.
func (s *strip) fill(from, to int, glyph string, look style) {
	for i := max(from, 0); i <= min(to, len(s.cells)-1); i++ {
		s.cells[i], s.styles[i] = glyph, look
	}
}

// put writes text at a column, and says whether there is room for it.
func (s *strip) put(at int, text string, look style) bool {
	runes := []rune(text)
	if at < 0 || at+len(runes) > len(s.cells) {
		return false
	}
	for i, r := range runes {
		s.cells[at+i], s.styles[at+i] = string(r), look
	}
	return true
}

// mark writes a glyph at a column and text on one side of it, where nothing is
// and, if it can be, not over the column of another mark.
func (s *strip) mark(at, other int, glyph, text string, look style) {
	n := len(text) + 1 // columns to the side
	fits := func(from int, away bool) bool {
		return from >= 0 && from+n < len(s.cells) && s.free(from, from+n+1) && !(away && other != at && from-1 <= other && other <= from+n+1)
	}
	for _, away := range []bool{true, false} {
		switch {
		case fits(at, away):
			s.put(at, glyph+" "+text, look)
			return
		case fits(at-n, away):
			s.put(at-n, text+" "+glyph, look)
			return
		}
	}
	if s.free(at, at+1) {
		s.put(at, glyph, look)
	}
}

// label writes text from a column on, or up to it, where nothing is yet.
func (s *strip) label(at int, text string, look style) {
	for _, from := range []int{at, at - len(text) + 1} {
		if from >= 0 && from+len(text) <= len(s.cells) && s.free(from-2, from+len(text)+2) {
			s.put(from, text, look)
			return
		}
	}
}

// free says whether nothing stands between two columns.
func (s *strip) free(from, to int) bool {
	for i := max(from, 0); i < min(to, len(s.cells)); i++ {
		if s.cells[i] != "" {
			return false
		}
	}
	return true
}

// String is the strip without the space at its end.
func (s *strip) String() string {
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
		b.WriteString(s.styles[i].paint(text.String()))
		i = j
	}
	return b.String()
}

// told says in words what the ruler shows.
func (r *ruler) told(width int) []string {
	var lines []string
	tell := func(format string, args ...any) { lines = append(lines, wrap(fmt.Sprintf(format, args...), width)...) }
	for _, w := range []struct {
		name string
		window
	}{{"backup", r.backup}, {"current", r.current}} {
		kept := "never compacted"
		switch {
		case w.unknown:
			kept = "and from where on it is kept is not known"
		case w.compact > 0:
			kept = "kept from revision " + count(w.compact)
		}
		tell("The %s is at revision %s, %s.", w.name, count(w.head), kept)
		for _, rev := range w.bumped {
			tell("An earlier restore bumped it to revision %s.", count(rev))
		}
	}
	if n := r.current.head - r.backup.head; n > 0 {
		tell("%s are undone.", plural(n, "revision"))
	}
	if v := r.start; v != nil {
		needed := "at least " + count(v.least) + " is needed"
		if v.insufficient {
			needed = "no bump can be enough"
		}
		tell("The restored store starts at revision %s; %s; watchers may have seen up to %s.", count(v.revision), needed, count(v.seen))
	}
	return lines
}
