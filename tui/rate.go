package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"revenant/analyzer/timeline"
)

const (
	rateParts  = 60 // in which the rate is told, a column each
	rateHeight = 3
	rateLabel  = 10
)

// rate plots how many revisions a second were written.
func (o *overview) rate(width int) []string {
	t, told := o.theme, o.timeline
	lines := []string{t.heading("Rate", width)}
	if told == nil {
		return append(lines, t.dim.paint("Reading when revisions were written"+t.ellipsis))
	}
	values := make([]float64, len(told.Rates))
	known := false
	for i, r := range told.Rates {
		if r.Known {
			values[i], known = r.Expected, true
		}
	}
	if !known {
		return append(lines, wrap("Too few revisions are dated to draw how fast they were written.", width)...)
	}
	from, to := told.Rates[0].From, told.Rates[len(values)-1].To
	part := to.Sub(from) / time.Duration(len(values))
	most := greatest(values)
	tell := fmt.Sprintf("Revisions a second, %s to %s, in parts of %s: at most about %s. Within a part, and between what tells the time, writes are taken to be even.",
		from.UTC().Format("2006-01-02 "+clockLayout), to.UTC().Format("2006-01-02 "+clockLayout), roughly(part), perSecond(most))
	if t.plain {
		return append(append(lines, wrap(tell, width)...), o.ratesTold(told.Rates, width)...)
	}
	head := o.headAt(told)
	look := func(column int) style {
		if head >= 0 && column > head {
			return t.warning
		}
		return ""
	}
	for i, bar := range t.bars(values, most, rateHeight, look) {
		label := ""
		switch i {
		case 0:
			label = perSecond(most) + "/s"
		case rateHeight - 1:
			label = "0/s"
		}
		lines = append(lines, t.dim.paint(t.fit(label, rateLabel))+bar)
	}
	s := newStrip(min(len(values), width-rateLabel))
	for i, r := range told.Rates {
		if !r.Known {
			s.fill(i, i, t.seen, t.dim)
		}
	}
	if head >= 0 {
		s.fill(head, head, "", "")
		s.mark(head, head, t.up, "backup "+count(o.side(backup).State.Revision), t.bold)
	}
	lines = append(lines, spaces(rateLabel)+s.String())
	return append(lines, paintAll(t.dim, wrap(tell, width))...)
}

// headAt is the part in which the backup's newest revision was written, -1 for none.
func (o *overview) headAt(told *timeline.Pair) int {
	when := told.Backup.From
	for i, r := range told.Rates {
		if !when.IsZero() && !when.Before(r.From) && when.Before(r.To) {
			return i
		}
	}
	return -1
}

// ratesTold says in words what rate draws, in few parts.
func (o *overview) ratesTold(rates []timeline.Rate, width int) []string {
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
		lines = append(lines, wrap(fmt.Sprintf("%s to %s: %s.", list[0].From.UTC().Format(clockLayout), list[len(list)-1].To.UTC().Format(clockLayout), text), width)...)
	}
	head := o.side(backup).State.Revision
	return append(lines, wrap(fmt.Sprintf("The backup's newest revision %s was written %s.", count(head), o.timeline.Backup), width)...)
}

// perSecond is a rate with the digits that it is worth.
func perSecond(rate float64) string {
	if rate >= 10 {
		return count(int64(math.Round(rate)))
	}
	text := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", rate), "0"), ".")
	if text == "0" && rate > 0 {
		return "0.01"
	}
	return text
}
