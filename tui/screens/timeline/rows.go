package timeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"revenant/analyzer/clock"
	"revenant/analyzer/restore"
	"revenant/analyzer/timeline"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// The columns of the events.
const (
	eventRevision = iota
	eventWhen
	eventVerb
	eventResource
	eventNamespace
	eventName
	eventIn
)

// How long the times of events are, those of one day and those of several.
const (
	whenLength = len("15:04:05Z +2s")
	dateLength = len("01-02 15:04:05Z +2s")
)

func eventColumns(when int) []widget.Column {
	return []widget.Column{
		{Title: "REVISION", Key: "O", Min: 10},
		{Title: "WHEN", Min: when, Max: 30},
		{Title: "VERB", Key: "V", Min: 7},
		{Title: "RESOURCE", Key: "S", Min: 10, Max: 26},
		{Title: "NAMESPACE", Key: "P", Min: 9, Max: 30},
		{Title: "NAME", Key: "N", Min: 12, Max: 70},
		{Title: "IN", Key: "I", Min: 7, Drop: 3},
	}
}

// eventID is what a row is called: of one revision there may be two events, where the
// histories have parted.
func eventID(t *timeline.Joined, n int) string {
	r := t.Revision(n)
	if n > 0 && t.Revision(n-1) == r {
		return r.String() + " " + t.Key(n)
	}
	return r.String()
}

// rows are those of the events listed.
func (v *eventView) rows() widget.Rows {
	size := v.last - v.first
	if v.verb != "" {
		size = len(v.numbers)
	}
	day, when := v.days()
	return widget.Rows{
		Of:      v,
		Columns: eventColumns(when),
		Count:   size,
		Item:    func(row int) any { return v.number(row) },
		ID:      func(row int) string { return eventID(v.Joined, v.number(row)) },
		Copied: func(row int) string {
			n := v.number(row)
			return fmt.Sprintf("%s %s %s", v.Revision(n), v.Verb(n), v.Key(n))
		},
		Cell: func(row, column int) string {
			n := v.number(row)
			switch column {
			case eventRevision:
				return v.Revision(n).String()
			case eventWhen:
				return timeText(v.When(n), day)
			case eventVerb:
				return string(v.Verb(n))
			case eventResource:
				return words.OrDash(v.Kind(n).Resource)
			case eventNamespace:
				return words.OrDash(v.Kind(n).Namespace)
			case eventName:
				return v.Name(n)
			}
			return inText(v.Joined, n)
		},
		Rule: v.rule,
		Compare: func(a, b, column int) int {
			a, b = v.number(a), v.number(b)
			switch column {
			case eventVerb:
				return strings.Compare(string(v.Verb(a)), string(v.Verb(b)))
			case eventResource:
				return strings.Compare(v.Kind(a).Resource, v.Kind(b).Resource)
			case eventNamespace:
				return strings.Compare(v.Kind(a).Namespace, v.Kind(b).Namespace)
			case eventName:
				return strings.Compare(v.Name(a), v.Name(b))
			case eventIn:
				return strings.Compare(inText(v.Joined, a), inText(v.Joined, b))
			}
			return cmp.Compare(a, b)
		},
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			switch n := v.number(row); {
			case v.Carved(n):
				return shared.Severity(t, restore.Warning)
			case v.Verb(n) == timeline.Deleted:
				return shared.Severity(t, restore.Critical)
			}
			return shared.Severity(t, restore.OK)
		},
	}
}

// days are the day that the timeline ends on, zero when that is not known, and how long
// the times of its events are.
func (v *eventView) days() (last time.Time, length int) {
	if v.Len() == 0 {
		return time.Time{}, dateLength
	}
	last = v.When(v.Len() - 1).From
	first := v.When(v.Joined.First)
	if sameDay(cmp.Or(first.From, first.To), last) {
		return last, whenLength
	}
	return last, dateLength
}

// inText names the snapshots that hold an event.
func inText(t *timeline.Joined, n int) string {
	in := t.In(n)
	text := strings.Join(in, ", ")
	switch {
	case len(in) == 2 && len(t.Heads) == 2:
		text = "both"
	case len(in) > 2:
		text = fmt.Sprintf("%s and %s more", in[0], words.Number(len(in)-1))
	}
	if t.Carved(n) {
		return "carved: " + text
	}
	return text
}

// timeText is an interval in few columns: without the day where that is the last one,
// without the year where it is the same.
func timeText(i clock.Interval, day time.Time) string {
	layout := "01-02 " + draw.ClockLayout
	switch {
	case day.IsZero() || i.From.IsZero() || i.To.IsZero() || i.From.UTC().Year() != day.UTC().Year():
		return session.Brief(i)
	case sameDay(i.From, day):
		layout = draw.ClockLayout
	}
	return i.From.UTC().Format(layout) + " +" + i.To.Sub(i.From).Round(time.Second).String()
}

// sameDay says that two times are known, and on one day in UTC.
func sameDay(a, b time.Time) bool {
	const day = 24 * time.Hour
	return !a.IsZero() && !b.IsZero() && a.UTC().Truncate(day).Equal(b.UTC().Truncate(day))
}

// rule sets off what the restore undoes, where events are in their order.
func (v *eventView) rule(above, below, by int) string {
	before, after := v.Revision(v.number(above)).Main > v.undone, v.Revision(v.number(below)).Main > v.undone
	switch {
	case v.undone == 0 || before == after || by != eventRevision && by != eventWhen:
		return ""
	case after:
		return "the backup ends at " + words.Number(v.undone) + ": the restore undoes what follows"
	}
	return "the backup ends at " + words.Number(v.undone) + ": the restore undoes what is above"
}
