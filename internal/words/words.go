// Package words writes numbers, counts, lists, sizes, durations and times the way all
// reasons, reports and screens write them. It takes values and returns plain text of one
// line, and knows no layer of the program. It does not make text safe to show: strings
// from evidence go through decoder/sanitize first.
package words

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Integer is a number that can be counted with.
type Integer interface {
	~int | ~int32 | ~int64 | ~uint64
}

// Number writes n with its digits in groups of three: 1,204.
func Number[T Integer](n T) string {
	s := fmt.Sprintf("%d", n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes n with a noun whose plural ends in s: 1 pod, 3 pods.
func Count[T Integer](n T, noun string) string { return CountOf(n, noun, noun+"s") }

// PlainOf is CountOf without commas between the digits, for what is compared with numbers
// of other programs.
func PlainOf[T Integer](n T, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// CountOf writes n with one of two nouns: 1 entry, 3 entries.
func CountOf[T Integer](n T, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Span names what has the numbers from one to another, plainly: entry 7, entries 7 to 9.
func Span[T Integer](from, to T, one, many string) string {
	if from == to {
		return fmt.Sprintf("%s %d", one, from)
	}
	return fmt.Sprintf("%s %d to %d", many, from, to)
}

// OrDash is s, or a dash where that is empty.
func OrDash(s string) string { return cmp.Or(s, "-") }

// NumberOrDash is Number, or a dash for none.
func NumberOrDash[T Integer](n T) string {
	if n == 0 {
		return "-"
	}
	return Number(n)
}

// LikelyText explains what Likely writes.
const LikelyText = "Counts: 3 are certain, 3? are only possible, 3 1? is 3 certain ones and 1 that is possible."

// Likely writes a count of what is certain, and of what is only possible with a question mark
// after it: 3, 33?, or both: 3 1?. It is - where there is neither.
func Likely[T Integer](certain, possible T) string {
	switch {
	case possible == 0:
		return NumberOrDash(certain)
	case certain == 0:
		return Number(possible) + "?"
	}
	return Number(certain) + " " + Number(possible) + "?"
}

// List writes a, b and c.
func List(items []string) string {
	last := len(items) - 1
	if last < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:last], ", ") + " and " + items[last]
}

// First writes at most some items of a list, and how many there are beside them:
// a, b and 3 more.
func First(items []string, most int) string { return FirstOf(items, most, len(items)) }

// FirstOf is First for a list of which only the beginning was kept: all is how many items
// there were.
func FirstOf(items []string, most, all int) string { return first(items, most, all, ", ", " and ") }

// Clauses is FirstOf for items that have commas in them: a; b; and 3 more.
func Clauses(items []string, most, all int) string { return first(items, most, all, "; ", "; and ") }

func first(items []string, most, all int, between, last string) string {
	items = items[:min(len(items), most)]
	text := strings.Join(items, between)
	if more := all - len(items); more > 0 {
		text += last + Number(more) + " more"
	}
	return text
}

// Size writes a number of bytes in binary units: 1.5 MiB.
func Size[T Integer](n T) string {
	const unit = 1024
	if n < unit {
		return Count(n, "byte")
	}
	f, name := float64(n), ""
	for _, name = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f /= unit; f < unit {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, name)
}

// Bytes writes a number of bytes exactly, and roughly in binary units where it has many
// digits: 1,572,864 bytes (1.5 MiB).
func Bytes[T Integer](n T) string {
	exact := Count(n, "byte")
	if rough := Size(n); rough != exact {
		return exact + " (" + rough + ")"
	}
	return exact
}

// Rate writes how often something happens in a second, with a decimal where it is small.
func Rate(n float64) string {
	if n < 10 {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return strconv.FormatFloat(n, 'f', 0, 64)
}

// Duration writes a duration to the second, and in days from two days on: 1h2m3s, 2.5 days.
func Duration(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	}
	return d.Round(time.Second).String()
}

// TimeLayout is the layout of Time; its first 10 bytes are the date.
const TimeLayout = "2006-01-02 15:04:05Z"

// Time writes a time in UTC, to the second: 2026-11-10 05:30:00Z.
func Time(t time.Time) string { return t.UTC().Format(TimeLayout) }

// Capital makes the first letter of a text a capital.
func Capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Sentence makes a sentence of what an error says.
func Sentence(s string) string {
	if s == "" {
		return ""
	}
	return Capital(s) + "."
}

// Wrap breaks a text between words into lines of at most width columns. A longer word is
// a line of its own.
func Wrap(text string, width int) []string {
	return wrap(text, width, func(word string, _ int) []string { return []string{word} })
}

// WrapCut is Wrap for where no line may be wider: a longer word is cut into pieces.
func WrapCut(text string, width int) []string { return wrap(text, width, Chop) }

// Chop cuts a line into pieces of at most width columns, one at least.
func Chop(line string, width int) []string {
	if len(line) <= width {
		return []string{line}
	}
	return strings.Split(ansi.Hardwrap(line, width, true), "\n")
}

func wrap(text string, width int, chop func(string, int) []string) []string {
	width = max(width, 1)
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(text) {
		between := " "
		for part := range parts(word) {
			w := len(between) + ansi.StringWidth(part)
			if used > 0 && used+w <= width {
				line, used, between = line+between+part, used+w, ""
				continue
			}
			if used > 0 {
				lines = append(lines, line)
			}
			pieces := chop(part, width)
			lines = append(lines, pieces[:len(pieces)-1]...)
			line, between = pieces[len(pieces)-1], ""
			used = ansi.StringWidth(line)
		}
	}
	return append(lines, line)
}

// parts are what a word may be broken into: Chinese is written without blanks, and is broken
// between any two characters, but not before or after a mark that belongs to one of them.
func parts(word string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, last := 0, rune(0)
		for i, r := range word {
			breaks := i > 0 && (ideograph(last) && (ideograph(r) || r < utf8.RuneSelf) || ideograph(r) && last < utf8.RuneSelf)
			if breaks && !strings.ContainsRune("，。、：；！？）》」”’.,:;!?)]", r) && !strings.ContainsRune("（《「“‘([", last) {
				if !yield(word[from:i]) {
					return
				}
				from = i
			}
			last = r
		}
		yield(word[from:])
	}
}

// ideograph says whether a character is one of Chinese or Japanese, or a mark among them.
func ideograph(r rune) bool {
	return r >= 0x3000 && r <= 0x30ff || r >= 0x3400 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff || r >= 0xff01 && r <= 0xff60
}
