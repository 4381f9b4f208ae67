package clock

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// layouts are the ways to write a time, the fullest first. Without a zone it is
// UTC, as everything that is shown.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00",
	"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
}

// ParseTime reads a time such as 2026-11-22T03:00Z, in UTC where it names no zone,
// or one relative to now such as -5m.
func ParseTime(s string, now time.Time) (time.Time, error) {
	i, err := ParseInterval(s, now)
	return i.From, err
}

// ParseInterval reads what ParseTime reads, as all of what it names to the
// millisecond: 03:00 is a minute.
func ParseInterval(s string, now time.Time) (Interval, error) {
	if d, err := time.ParseDuration(s); err == nil && (s[0] == '-' || s[0] == '+') {
		return Interval{now.Add(d).UTC(), now.Add(d).UTC()}, nil
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		unit := time.Second
		switch {
		case t.Nanosecond() != 0:
			unit = time.Millisecond
		case !strings.Contains(layout, ":04"):
			unit = 24 * time.Hour
		case !strings.Contains(layout, ":05"):
			unit = time.Minute
		}
		return Interval{t.UTC(), t.Add(unit - time.Millisecond).UTC()}, nil
	}
	return Interval{}, fmt.Errorf("%q is not a time", s)
}

// Moment is a point of a history as a person names it: a revision, a time, or else the
// newest revision there is.
type Moment struct {
	Revision int64    // 0 for none
	Time     Interval // zero for none
}

// MomentForms are what ParseMoment reads, for messages.
const MomentForms = "a revision (1234), newest, a time (2026-11-22T03:00Z, 03:00:20) or how long before the newest (5m)"

var (
	revisionForm = regexp.MustCompile(`^(\d+|\d{1,3}(,\d{3})+)$`)
	errNoTime    = errors.New("nothing in the snapshot shows when it was taken: give a revision, or a time with its date")
)

// ParseMoment reads a revision, newest, a time as ParseTime does, a time of the day on
// which the evidence was taken, or a duration before that. Taken is zero where nothing
// tells it.
func ParseMoment(text string, taken time.Time) (Moment, error) {
	text = strings.TrimSpace(text)
	if text == "newest" {
		return Moment{}, nil
	}
	if revisionForm.MatchString(text) {
		n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
		if err != nil || n == 0 {
			return Moment{}, fmt.Errorf("%.40q is no revision: they go from 1 to 2^63-1", text)
		}
		return Moment{Revision: n}, nil
	}
	if d, err := time.ParseDuration(strings.TrimPrefix(text, "-")); err == nil && d >= 0 && !strings.HasPrefix(text, "+") {
		if taken.IsZero() {
			return Moment{}, errNoTime
		}
		t := taken.Add(-d).UTC()
		return Moment{Time: Interval{t, t}}, nil
	}
	if in, err := ParseInterval(text, taken); err == nil && !strings.HasPrefix(text, "+") {
		return Moment{Time: in}, nil
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if _, err := time.Parse(layout, strings.TrimSuffix(text, "Z")); err != nil {
			continue
		}
		if taken.IsZero() {
			return Moment{}, errNoTime
		}
		in, err := ParseInterval(taken.UTC().Format(time.DateOnly)+"T"+strings.TrimSuffix(text, "Z"), taken)
		return Moment{Time: in}, err
	}
	return Moment{}, fmt.Errorf("%.40q is no moment: give %s", text, MomentForms)
}
