package overview

import (
	"fmt"
	"math"
	"strings"
	"time"

	"revenant/analyzer/timeline"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/widget"
)

const (
	rateHeight = 3
)

const (
	rateLabel = 10
)

// rate plots how many revisions a second were written.
func (o *Screen) rate(width int) []string {
	t, events := o.Theme, o.Timeline
	lines := []string{t.Heading("Rate", width)}
	if events == nil {
		return append(lines, t.Dim.Paint("Reading when revisions were written"+t.Ellipsis))
	}
	values := make([]float64, len(events.Rates))
	known := false
	for i, r := range events.Rates {
		if r.Known {
			values[i], known = r.Expected, true
		}
	}
	if !known {
		return append(lines, draw.Wrap("Too few revisions are dated to draw how fast they were written.", width)...)
	}
	from, to := events.Rates[0].From, events.Rates[len(values)-1].To
	part := to.Sub(from) / time.Duration(len(values))
	most := widget.Max(values)
	tell := fmt.Sprintf("Revisions a second, %s to %s, in parts of %s: at most about %s. Within a part, and between known times, writes are taken to be even.",
		from.UTC().Format("2006-01-02 "+draw.ClockLayout), to.UTC().Format("2006-01-02 "+draw.ClockLayout), shared.Roughly(part), perSecond(most))
	if t.Plain {
		return append(append(lines, draw.Wrap(tell, width)...), o.ratesTold(events.Rates, width)...)
	}
	head := o.headAt(events)
	look := func(column int) draw.Style {
		if head >= 0 && column > head {
			return t.Warning
		}
		return ""
	}
	for i, bar := range widget.Bars(t, values, most, rateHeight, look) {
		label := ""
		switch i {
		case 0:
			label = perSecond(most) + "/s"
		case rateHeight - 1:
			label = "0/s"
		}
		lines = append(lines, t.Dim.Paint(t.Fit(label, rateLabel))+bar)
	}
	s := widget.NewStrip(min(len(values), width-rateLabel))
	for i, r := range events.Rates {
		if !r.Known {
			s.Fill(i, i, t.Seen, t.Dim)
		}
	}
	if head >= 0 {
		s.Fill(head, head, "", "")
		s.Mark(head, head, t.Pointer, "backup "+words.Number(o.Backup().State.Revision), t.Bold)
	}
	lines = append(lines, draw.Spaces(rateLabel)+s.String())
	return append(lines, draw.PaintAll(t.Dim, draw.Wrap(tell, width))...)
}

// headAt is the part in which the backup's newest revision was written, -1 for none.
func (o *Screen) headAt(events *timeline.Joined) int {
	if o.Input.Alone() != "" {
		return -1
	}
	when := events.Heads[o.Input.Backup].From
	for i, r := range events.Rates {
		if !when.IsZero() && !when.Before(r.From) && when.Before(r.To) {
			return i
		}
	}
	return -1
}

// ratesTold says in words what rate draws, in few parts.
func (o *Screen) ratesTold(rates []timeline.Rate, width int) []string {
	const parts = 6
	var lines []string
	for p := range parts {
		list := rates[p*len(rates)/parts : (p+1)*len(rates)/parts]
		sum, known := 0.0, 0
		for _, r := range list {
			if r.Known {
				sum, known = sum+r.Expected, known+1
			}
		}
		text := "unknown"
		if known > 0 {
			text = "about " + perSecond(sum/float64(known)) + " a second"
		}
		lines = append(lines, draw.Wrap(fmt.Sprintf("%s to %s: %s.", list[0].From.UTC().Format(draw.ClockLayout), list[len(list)-1].To.UTC().Format(draw.ClockLayout), text), width)...)
	}
	if o.Input.Alone() != "" {
		return lines
	}
	head := o.Backup().State.Revision
	return append(lines, draw.Wrap(fmt.Sprintf("The backup's newest revision %s was written %s.", words.Number(head), o.Timeline.Heads[o.Input.Backup]), width)...)
}

// perSecond is a rate with the digits that it is worth.
func perSecond(rate float64) string {
	if rate >= 10 {
		return words.Number(int64(math.Round(rate)))
	}
	text := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", rate), "0"), ".")
	if text == "0" && rate > 0 {
		return "0.01"
	}
	return text
}
