package clock

import (
	"fmt"
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
