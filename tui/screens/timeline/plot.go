package timeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/timeline"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/widget"
)

const (
	plotLabel  = 26 // columns before the plot
	blindWidth = 4  // and behind it, for what came after the newest event: not to scale
)

// columns is how many the plot has.
func (x *Screen) columns() int {
	n := x.width - plotLabel - 1
	if x.counted.atEnd() {
		n -= blindWidth
	}
	return max(n, 1)
}

// plot draws how many events there were when, in all and in lanes.
func (x *Screen) plot() []string {
	t, height := x.Theme, x.above()-1
	c := x.counted
	if c == nil {
		return make([]string, height)
	}
	columns := x.columns()
	all := make([]float64, fineBins)
	for _, lane := range c.Lanes {
		for i, v := range lane {
			all[i] += v
		}
	}
	values := widget.Rebin(all, columns)
	undone := columns
	if _, to, ok := x.column(x.headMark(x.Input.Backup)); ok {
		undone = to + 1
	} else if x.Backup().State.Revision < c.FromMain {
		undone = 0
	}
	look := func(column int) draw.Style {
		if column >= undone {
			return t.Warning
		}
		return ""
	}
	lines := []string{draw.Spaces(plotLabel) + x.marks(columns).String()}
	for i, line := range widget.Bars(t, values, widget.Max(values), x.plotHeight(), look) {
		label := ""
		if i == 0 && c.Counted > 0 {
			label = t.Dim.Paint(t.Fit("  "+x.scale(values), plotLabel))
		}
		lines = append(lines, t.Fit(label, plotLabel)+line)
	}
	lines = append(lines, draw.Spaces(plotLabel)+x.cursor(columns).String(), draw.Spaces(plotLabel)+x.axis(columns).String())
	lanes := make([]string, 0, x.laneHeight())
	highest := 0.0
	drawn := make([][]float64, len(c.names))
	for i := range drawn {
		drawn[i] = widget.Rebin(c.Lanes[i], columns)
		highest = max(highest, widget.Max(drawn[i]))
	}
	for i, name := range c.names {
		if len(lanes) == x.laneHeight() {
			break // those of another grouping are on their way
		}
		if len(lanes) == x.laneHeight()-1 && len(c.names) > x.laneHeight() {
			more := 0
			for _, n := range c.totals[i:] {
				more += n
			}
			lanes = append(lanes, t.Dim.Paint(fmt.Sprintf("  and %d more with %s", len(c.names)-i, words.Count(more, "event"))))
			break
		}
		lead := t.Fit("  "+draw.Safe(name), plotLabel-9) + fmt.Sprintf("%8s ", words.Number(c.totals[i]))
		lanes = append(lanes, t.Dim.Paint(lead)+widget.Bars(t, drawn[i], highest, 1, look)[0])
	}
	for len(lanes) < x.laneHeight() {
		lanes = append(lanes, "")
	}
	return append(lines, lanes...)
}

// scale says what the highest bar stands for.
func (x *Screen) scale(values []float64) string {
	c := x.counted
	text := "at most " + words.Number(int64(math.Round(widget.Max(values))))
	if c.ByTime {
		return text + " in " + shared.Roughly(c.To.Sub(c.From)/time.Duration(len(values)))
	}
	return text + " a column"
}

// headMark is the mark of a snapshot's newest revision.
func (x *Screen) headMark(source int) timeline.Mark {
	for _, m := range x.counted.of.Marks() {
		if m.Kind == timeline.Head && slices.Contains(m.In, x.Input.Role(source)) {
			return m
		}
	}
	return timeline.Mark{}
}

// column is between which columns a mark is.
func (x *Screen) column(m timeline.Mark) (from, to int, ok bool) {
	from, to, ok = x.counted.Bins(m.Revision, m.When)
	columns := x.columns()
	return from * columns / fineBins, to * columns / fineBins, ok
}

// marks are the moments that matter: what the restore undoes, bumps, compactions.
func (x *Screen) marks(columns int) *widget.Strip {
	t, c := x.Theme, x.counted
	s := widget.NewStrip(columns)
	was, now := x.headMark(x.Input.Backup), x.headMark(x.Input.Current)
	if now.Revision > was.Revision {
		_, from, shown := x.column(was)
		_, to, ends := x.column(now)
		if !shown {
			from = 0
		}
		if !ends {
			to = columns - 1
		}
		if shown || was.Revision < c.FromMain {
			s.Fill(from, to, t.Line, t.Dim)
			text := " undone by the restore "
			if to-from > len(text)+1 {
				s.Put(from+(to-from-len(text)+1)/2, text, t.Warning)
			}
		}
		if shown {
			s.Fill(from, from, t.Left, t.Dim)
			label := "backup " + words.Number(was.Revision) + " "
			if !s.Put(from-len(label), label, t.Bold) && from+1+len(label) < to {
				s.Put(from+1, " "+label, t.Bold)
			}
		}
		if ends {
			s.Fill(to, to, t.Right, t.Dim)
		}
	}
	sparse := -1 // up to which column only what outlived a compaction is known
	for _, m := range c.of.Marks() {
		from, to, ok := x.column(m)
		switch at := (from + to) / 2; {
		case !ok:
		case m.Kind == timeline.Compacted && m.Revision+1 == c.of.From:
			sparse = to
		case m.Kind == timeline.Bumped && s.Free(at, at+1):
			s.Mark(at, at, t.Bumped, "bumped to "+words.Number(m.Revision), t.Bold)
		case m.Kind == timeline.Bumped:
			s.Fill(at, at, t.Bumped, t.Bold)
		}
	}
	for i := 0; i <= sparse && c.of.first < c.of.First; i++ {
		if s.Free(i, i+1) {
			s.Fill(i, i, t.Compacted, t.Dim)
		}
	}
	return s
}

// cursor is between which times the selected event was.
func (x *Screen) cursor(columns int) *widget.Strip {
	t := x.Theme
	s := widget.NewStrip(x.width - plotLabel - 1)
	if n, ok := x.event(); ok {
		from, to, ok := x.column(timeline.Mark{Revision: x.of.Revision(n).Main, When: x.of.When(n)})
		if ok {
			s.Fill(from, to, t.Line, t.Bold)
			s.Fill((from+to)/2, (from+to)/2, t.Pointer, t.Bold)
		}
	}
	if x.counted.atEnd() {
		s.Fill(columns, columns+blindWidth-1, t.Seen, t.Dim)
		texts := []string{"nothing is known of later "}
		if at := x.outage(); !at.IsZero() {
			s.Fill(columns+blindWidth-1, columns+blindWidth-1, t.Minimum, t.Bold)
			texts = []string{"nothing is known of later; outage " + at.UTC().Format("2006-01-02 "+draw.ClockLayout) + " ", "outage " + at.UTC().Format(draw.ClockLayout) + " "}
		}
		for _, text := range texts {
			if s.Free(columns-len(text)-1, columns) && s.Put(columns-len(text), text, t.Dim) {
				break
			}
		}
	}
	return s
}

// outage is when the last API server stopped, if the plan says so.
func (x *Screen) outage() time.Time {
	if x.Prediction == nil {
		return time.Time{}
	}
	return x.Prediction.Plan.OutageAt
}

// axis are the times or revisions at its ends and in the middle.
func (x *Screen) axis(columns int) *widget.Strip {
	t, c := x.Theme, x.counted
	s := widget.NewStrip(columns)
	text := func(share float64) string {
		return words.Number(c.FromMain + int64(share*float64(c.ToMain-c.FromMain)))
	}
	if c.ByTime {
		span := c.To.Sub(c.From)
		text = func(share float64) string {
			at := c.From.Add(time.Duration(share * float64(span))).UTC()
			switch {
			case span > 72*time.Hour:
				return at.Format("2006-01-02")
			case share == 0:
				return at.Format("2006-01-02 " + draw.ClockLayout)
			}
			return at.Format(draw.ClockLayout)
		}
	}
	put := func(at int, label string) {
		if s.Free(at-1, at+len(label)+1) {
			s.Put(at, label, t.Dim)
		}
	}
	put(0, text(0))
	put(columns-len(text(1)), text(1))
	put(columns/2-len(text(0.5))/2, text(0.5))
	return s
}

// How many parts of the time, and then marks, are listed where nothing is drawn.
const (
	plainParts = 8
	plainMarks = 6
)

// inWords says in words what plot draws.
func (x *Screen) inWords() []string {
	c := x.counted
	if c == nil || c.Counted == 0 {
		return nil
	}
	var lines []string
	parts := make([][]float64, len(c.names))
	for i := range parts {
		parts[i] = widget.Rebin(c.Lanes[i], plainParts)
	}
	for p := range plainParts {
		text := fmt.Sprintf("revisions %s to %s: ", words.Number(c.FromMain+(c.ToMain-c.FromMain)*int64(p)/plainParts), words.Number(c.FromMain+(c.ToMain-c.FromMain)*int64(p+1)/plainParts))
		if c.ByTime {
			step := c.To.Sub(c.From) / plainParts
			from := c.From.Add(step * time.Duration(p)).UTC()
			text = fmt.Sprintf("%s to %s: about ", from.Format("2006-01-02 "+draw.ClockLayout), from.Add(step).Format("2006-01-02 "+draw.ClockLayout))
		}
		var counts []string
		for i, name := range c.names {
			if n := int64(math.Round(parts[i][p])); n > 0 {
				counts = append(counts, words.Number(n)+" "+draw.Safe(name))
			}
		}
		lines = append(lines, text+cmp.Or(strings.Join(counts, ", "), "nothing"))
	}
	for _, source := range x.Input.Chosen() {
		m := x.headMark(source)
		lines = append(lines, fmt.Sprintf("The %s was saved at revision %s, written %s.", x.Input.Role(source), words.Number(m.Revision), m.When))
	}
	if at := x.outage(); !at.IsZero() {
		lines = append(lines, "The outage was at "+at.UTC().Format("2006-01-02 "+draw.ClockLayout)+": nothing is known of what came before it and after these revisions.")
	}
	for _, revision := range c.of.Jumps() {
		if len(lines) < plainParts+plainMarks {
			lines = append(lines, "An earlier restore bumped the store to revision "+words.Number(revision)+".")
		}
	}
	for i, line := range lines {
		lines[i] = x.Theme.Cut(line, x.width)
	}
	return lines
}
