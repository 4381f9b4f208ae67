package widget

import (
	"fmt"
	"slices"

	"github.com/charmbracelet/x/ansi"

	"revenant/internal/words"
	"revenant/tui/draw"
)

// Window is what of the revisions a snapshot holds.
type Window struct {
	Head    int64   // newest revision
	Compact int64   // oldest one kept, 0 when never compacted
	Unknown bool    // whether it was compacted
	Bumped  []int64 // bump markers
}

// Ruler draws the revisions of two snapshots to scale on one axis, and where the
// restored store starts.
type Ruler struct {
	Backup, Current Window
	Start           *StoreStart // of the restored store, nil when it is not known
}

// StoreStart is where a restored store starts, and what that is worth.
type StoreStart struct {
	Revision     int64
	Least        int64 // revision that it would have to start at
	Seen         int64 // newest revision that watchers may have seen
	Enough       bool  // no watcher can have seen what it starts at
	Unsure       bool  // or nothing shows it
	Insufficient bool  // no start can be enough
}

// rulerLabel is the width of what stands before the axis.
const rulerLabel = 10

// Lines draws the ruler in width columns.
func (r *Ruler) Lines(t *draw.Theme, width int) []string {
	if t.Plain {
		return r.text(width)
	}
	a := r.axis(width - rulerLabel)
	rows := []struct {
		label string
		strip *Strip
	}{
		{"revision", r.numbers(t, a)},
		{"backup", r.bar(t, a, &r.Backup)},
		{"", r.gap(t, a)},
		{"current", r.bar(t, a, &r.Current)},
		{"restored", r.starts(t, a)},
	}
	var lines []string
	for _, row := range rows {
		lines = append(lines, t.Dim.Paint(t.Fit(row.label, rulerLabel))+row.strip.String())
	}
	return append(lines, r.legend(t, width)...)
}

// Axis maps revisions to columns.
type Axis struct {
	From, To float64
	Width    int
}

// axis runs from 0, or, where what matters would be squeezed into a corner, from
// a little before the oldest revision that is kept.
func (r *Ruler) axis(width int) Axis {
	a := Axis{Width: max(width, 1)}
	to := max(r.Backup.Head, r.Current.Head)
	if v := r.Start; v != nil {
		a.To = max(float64(to), min(float64(v.Seen), 2*float64(to)))
		if float64(v.Revision) < 1.5*float64(to) {
			a.To = max(a.To, float64(v.Revision))
		}
	}
	a.To = max(a.To, float64(to), 1)
	oldest := r.Backup.Head
	for _, w := range []Window{r.Backup, r.Current} {
		if w.Compact > 0 {
			oldest = min(oldest, w.Compact)
		}
	}
	if span := a.To - float64(oldest); span > 0 && span < a.To/4 {
		a.From = max(float64(oldest)-span/6, 0)
	}
	return a
}

// Col is the column of a revision; what lies beyond the axis is at its end.
func (a Axis) Col(rev int64) int {
	x := (float64(rev) - a.From) / max(a.To-a.From, 1) * float64(a.Width-1)
	return int(min(max(x+0.5, 0), float64(a.Width-1)))
}

// numbers are the revisions at the marks, the most important first.
func (r *Ruler) numbers(t *draw.Theme, a Axis) *Strip {
	s := NewStrip(a.Width)
	s.Label(a.Col(r.Current.Head), words.Number(r.Current.Head), t.Bold)
	s.Label(a.Col(r.Backup.Head), words.Number(r.Backup.Head), t.Bold)
	s.Label(0, words.Number(int64(a.From)), t.Dim)
	for _, w := range []Window{r.Backup, r.Current} {
		if w.Compact > 0 {
			s.Label(a.Col(w.Compact), words.Number(w.Compact), t.Dim)
		}
	}
	if a.To > float64(r.Current.Head) {
		s.Label(a.Width-1, words.Number(int64(a.To)), t.Dim)
	}
	return s
}

// bar is a snapshot's window: compacted, kept, and, after the backup's head,
// undone.
func (r *Ruler) bar(t *draw.Theme, a Axis, w *Window) *Strip {
	s := NewStrip(a.Width)
	s.Fill(0, a.Col(w.Compact)-1, t.Compacted, t.Dim)
	s.Fill(a.Col(w.Compact), a.Col(w.Head), t.Kept, t.Dim)
	if w.Head > r.Backup.Head {
		from := min(a.Col(r.Backup.Head)+1, a.Col(w.Head))
		s.Fill(max(from, a.Col(w.Compact)), a.Col(w.Head), t.Undone, t.Warning)
	}
	if w == &r.Current && r.Start != nil {
		s.Fill(a.Col(w.Head)+1, a.Col(r.Start.Seen), t.Seen, t.Dim)
	}
	for _, rev := range w.Bumped {
		if float64(rev) >= a.From {
			s.Fill(a.Col(rev), a.Col(rev), t.Bumped, t.Bold)
		}
	}
	if a.From > 0 {
		s.Fill(0, 0, "<", t.Dim)
	}
	return s
}

// gap is a bracket over what the restore undoes.
func (r *Ruler) gap(t *draw.Theme, a Axis) *Strip {
	s := NewStrip(a.Width)
	n := r.Current.Head - r.Backup.Head
	if n <= 0 {
		return s
	}
	from, to := a.Col(r.Backup.Head), a.Col(r.Current.Head)
	text := " " + words.Number(n) + " undone "
	s.Fill(from, to, t.Line, t.Dim)
	s.Fill(from, from, t.Left, t.Dim)
	s.Fill(to, to, t.Right, t.Dim)
	if to-from > len(text)+1 {
		s.Put(from+(to-from-len(text)+1)/2, text, t.Warning)
		return s
	}
	if !s.Put(to+1, text, t.Warning) {
		s.Put(from-len(text), text, t.Warning)
	}
	return s
}

// starts is where the restored store starts, and where it would have to.
func (r *Ruler) starts(t *draw.Theme, a Axis) *Strip {
	s := NewStrip(a.Width)
	v := r.Start
	if v == nil {
		return s
	}
	color := t.Critical
	switch {
	case v.Enough:
		color = t.Good
	case v.Unsure:
		color = t.Warning
	}
	if float64(v.Revision) > a.To {
		text := "starts at " + words.Number(v.Revision) + " " + t.Arrow
		s.Put(a.Width-ansi.StringWidth(text), text, color)
		return s
	}
	at, least := a.Col(v.Revision), a.Col(v.Least)
	s.Mark(at, least, t.Restored, "starts at "+words.Number(v.Revision), color)
	if !v.Enough && !v.Insufficient {
		s.Mark(least, at, t.Minimum, "at least "+words.Number(v.Least), t.Dim)
	}
	return s
}

// legend explains the parts that are there.
func (r *Ruler) legend(t *draw.Theme, width int) []string {
	type part struct {
		glyph, means string
		style        draw.Style
		there        bool
	}
	v := r.Start
	bumped := "bumped by an earlier restore"
	if list := append(slices.Clone(r.Backup.Bumped), r.Current.Bumped...); len(list) > 0 {
		bumped += " at " + words.Number(slices.Max(list))
	}
	parts := []part{
		{t.Compacted, "compacted", t.Dim, r.Backup.Compact > 0 || r.Current.Compact > 0},
		{t.Kept, "kept", t.Dim, true},
		{t.Undone, "undone by the restore", t.Warning, r.Current.Head > r.Backup.Head},
		{t.Seen, "watchers may have seen", t.Dim, v != nil && v.Seen > r.Current.Head},
		{t.Bumped, bumped, t.Bold, len(r.Backup.Bumped)+len(r.Current.Bumped) > 0},
	}
	var lines []string
	line, used := draw.Spaces(rulerLabel), rulerLabel
	for _, p := range parts {
		n := len(p.means) + 4
		switch {
		case !p.there:
			continue
		case used+n > width:
			lines = append(lines, line)
			line, used = draw.Spaces(rulerLabel), rulerLabel
		}
		line += p.style.Paint(p.glyph) + " " + t.Dim.Paint(p.means) + "  "
		used += n
	}
	return append(lines, line)
}

// text says in words what the ruler shows.
func (r *Ruler) text(width int) []string {
	var lines []string
	tell := func(format string, args ...any) {
		lines = append(lines, draw.Wrap(fmt.Sprintf(format, args...), width)...)
	}
	for _, w := range []struct {
		name string
		Window
	}{{"backup", r.Backup}, {"current", r.Current}} {
		kept := "never compacted"
		switch {
		case w.Unknown:
			kept = "and from where on it is kept is not known"
		case w.Compact > 0:
			kept = "kept from revision " + words.Number(w.Compact)
		}
		tell("The %s is at revision %s, %s.", w.name, words.Number(w.Head), kept)
		for _, rev := range w.Bumped {
			tell("An earlier restore bumped it to revision %s.", words.Number(rev))
		}
	}
	if n := r.Current.Head - r.Backup.Head; n > 0 {
		tell("%s are undone.", words.Count(n, "revision"))
	}
	if v := r.Start; v != nil {
		needed := "at least " + words.Number(v.Least) + " is needed"
		if v.Insufficient {
			needed = "no bump can be enough"
		}
		tell("The restored store starts at revision %s; %s; watchers may have seen up to %s.", words.Number(v.Revision), needed, words.Number(v.Seen))
	}
	return lines
}
