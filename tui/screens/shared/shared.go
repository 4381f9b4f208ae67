package shared

import (
	"errors"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/session"
)

// OtherKeys stands for the resource of keys that are of no API object.
const OtherKeys = "other keys"

// MaxListed is how many rows of a group its detail names.
const MaxListed = 300

// KeyOf reads a key; one that is no object's is a name.
func KeyOf(prefix, key string) kube.Key {
	k, ok := kube.ParseKey(prefix, key)
	if !ok {
		return kube.Key{Name: key}
	}
	return k
}

// IsSecret says whether an object is a Secret, whose data is never shown unasked.
func IsSecret(k kube.Key) bool { return k.Resource == "secrets" && k.Group == "" }

// Drawn are the lines for a width and a version of the session.
type Drawn struct {
	Version, Width int
	Lines          []string
}

// HintOf is what an error says beside what is wrong.
func HintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// FlagText lists flags.
func FlagText(flags []restore.Flag) string {
	switch len(flags) {
	case 0:
		return ""
	case 1:
		return string(flags[0])
	}
	list := make([]string, len(flags))
	for i, f := range flags {
		list[i] = string(f)
	}
	return strings.Join(list, " ")
}

// Severity is the colour and the mark of a severity. The marks tell without
// colour, too.
func Severity(t *draw.Theme, s restore.Severity) (draw.Style, string) {
	switch s {
	case restore.Critical:
		return t.Critical, t.MarkCritical
	case restore.Warning:
		return t.Warning, t.MarkWarning
	}
	return "", t.MarkOK
}

// Marks says what the marks of severities mean.
func Marks(t *draw.Theme) string {
	return t.MarkCritical + " harm that nothing repairs  " + t.MarkWarning + " passes by itself, or is to be known  " + t.MarkOK + " nothing to do. A pod's own mark may be a lower one than is usual for its outcome."
}

// Legend says what a question mark in a count means, where a prediction has such counts.
func Legend(s *session.Session) func() []string {
	return func() []string {
		if !slices.ContainsFunc(s.Digest.Tallies, func(t digest.Tally) bool { return t.Certain < t.Pods }) {
			return nil
		}
		return []string{s.Theme.Dim.Paint(LegendText)}
	}
}

// LegendText is how counts are written.
const LegendText = "n certain, n? possible"

// Roughly is a duration with two digits.
func Roughly(d time.Duration) string {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if d >= 10*unit {
			return d.Round(unit).String()
		}
	}
	return d.Round(100 * time.Millisecond).String()
}

// AndMore says how many of n things are not among those that are listed.
func AndMore(t *draw.Theme, lines []string, n int) []string {
	if n > MaxListed {
		lines = append(lines, t.Dim.Paint("and "+words.Number(n-MaxListed)+" more"))
	}
	return lines
}
