// Package sanitize makes strings from evidence safe to show.
//
// It takes any string and returns one that cannot control a terminal or mislead its
// reader: control characters, escape sequences, bytes that are not UTF-8, and
// characters that reorder or hide text are replaced by a visible stand-in. Everything
// a person sees of a snapshot passes through here.
//
// Drawn text takes no more space than it can show: a letter keeps only a few of the
// marks stacked on it, and Short keeps both ends of a string that is too long. Text
// that is typed, copied or saved stays whole.
package sanitize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// stand-in for every character that is taken out.
const replacement = '\uFFFD'

// mostJoined is how many code points may be drawn as one character. No writing needs
// more: the longest clusters there are, Sanskrit's, have ten.
const mostJoined = 12

// Line returns s as one line to be drawn: line breaks and tabs count as control
// characters, and where more than 12 code points make one character, the stand-in takes
// the place of all but the first 11. A column of the result has 48 bytes at most.
func Line(s string) string { return bounded(clean(s, false)) }

// Text is Line with line breaks and tabs. A carriage return before a line feed is
// replaced like all other control characters.
func Text(s string) string { return bounded(clean(s, true)) }

// WholeLine is Line for what is typed, copied or saved: no character is cut.
func WholeLine(s string) string { return clean(s, false) }

// Cell is WholeLine for a cell of a sheet, such as one of CSV: no formula for a program
// that opens it (OWASP, CSV Injection). A lone dash is left.
func Cell(s string) string {
	s = WholeLine(s)
	if s != "-" && s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// WholeText is Text for what is copied or saved: no character is cut.
func WholeText(s string) string { return clean(s, true) }

// Short is the Line of s where it has at most the given number of bytes, and else of
// its beginning and its end with … between them. It costs as much as is shown.
func Short(s string, most int) string {
	if len(s) <= most {
		return Line(s)
	}
	const gap = "…"
	tail := most / 4
	head, _ := runeAt(s, max(most-tail-len(gap), 0))
	_, rest := runeAt(s, len(s)-tail)
	return Line(s[:head] + gap + s[rest:])
}

// runeAt is where the rune begins and ends that a cut at i would go through; both are i
// where a cut goes through none.
func runeAt(s string, i int) (from, to int) {
	for from = max(i-utf8.UTFMax+1, 0); from < i; from++ {
		if _, n := utf8.DecodeRuneInString(s[from:]); utf8.RuneStart(s[from]) && from+n > i {
			return from, from + n
		}
	}
	return i, i
}

func clean(s string, multiline bool) string {
	if ascii(s, multiline) {
		return s
	}
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

// ascii says whether s is plain, as nearly all that is shown.
func ascii(s string, multiline bool) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c >= 0x7f) && !(multiline && (c == '\n' || c == '\t')) {
			return false
		}
	}
	return true
}

// bounded cuts the grapheme clusters that join too many code points.
func bounded(s string) string {
	if !crowded(s) {
		return s
	}
	var b strings.Builder
	done := 0
	for g := graphemes.FromString(s); g.Next(); {
		if cluster := g.Value(); prefix(cluster, mostJoined) < len(cluster) {
			b.WriteString(s[done : g.Start()+prefix(cluster, mostJoined-1)])
			b.WriteRune(replacement)
			done = g.End()
		}
	}
	if done == 0 {
		return s
	}
	return b.String() + s[done:]
}

// crowded says whether a cluster of s may join too many code points: none reaches over
// two in a row that stand apart.
func crowded(s string) bool {
	run, before := 0, false
	for _, r := range s {
		now := apart(r)
		if now && before {
			run = 0
		}
		if run++; run > mostJoined {
			return true
		}
		before = now
	}
	return false
}

// apart says of much of what is written that no two such characters ever join: Latin,
// Greek and Cyrillic letters, kana, and Chinese characters.
func apart(r rune) bool {
	return r < 0x300 || 0x370 <= r && r < 0x483 || 0x3000 <= r && r < 0x302a || 0x303f < r && r < 0x3099 || 0x309b <= r && r < 0xa66f
}

// prefix is how many bytes the first n code points of s have.
func prefix(s string, n int) int {
	for i := range s {
		if n--; n < 0 {
			return i
		}
	}
	return len(s)
}

// Hidden says whether r acts on its surroundings instead of being seen: C0 and
// C1 controls, DEL, line and paragraph separators, format characters such as
// the bidirectional overrides and zero-width joiners (Unicode category Cf),
// and tags, private use and unassigned code points, whose width no terminal
// agrees on.
func Hidden(r rune) bool {
	if ' ' <= r && r < 0x7f {
		return false
	}
	return !unicode.IsGraphic(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Variation_Selector, r)
}
