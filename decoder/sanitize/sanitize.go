// Package sanitize makes strings from evidence safe to show.
//
// In goes any string, out comes one that cannot steer a terminal or mislead
// its reader: control characters, escape sequences, bytes that are not UTF-8,
// and the characters that reorder or hide text are replaced by a visible
// stand-in. Everything a person sees of a snapshot passes through here.
package sanitize

import (
	"strings"
	"unicode"
)

// stand-in for every character that is taken out.
const replacement = '\uFFFD'

// Line returns s as one line: line breaks and tabs count as control characters.
func Line(s string) string { return clean(s, false) }

// Text returns s with its line breaks and tabs. A carriage return before a line
// feed is dropped with the rest of the control characters.
func Text(s string) string { return clean(s, true) }

func clean(s string, multiline bool) string {
	safe := func(r rune) rune {
		if multiline && (r == '\n' || r == '\t') || !Hidden(r) {
			return r
		}
		return replacement
	}
	if strings.IndexFunc(s, func(r rune) bool { return safe(r) != r || r == replacement }) < 0 {
		return s
	}
	return strings.Map(safe, s) // turns invalid UTF-8 into the replacement, too
}

// Hidden says whether r acts on its surroundings instead of being seen: C0 and
// C1 controls, DEL, line and paragraph separators, format characters such as
// the bidirectional overrides and zero-width joiners (Unicode category Cf),
// and tags, private use and unassigned code points, whose width no terminal
// agrees on.
func Hidden(r rune) bool {
	return !unicode.IsGraphic(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Variation_Selector, r)
}
