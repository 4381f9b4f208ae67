package tui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
)

// How much is drawn of what evidence calls something, in bytes: what is longer loses
// its middle. Values and YAML are whole.
const (
	mostInLine = 4 << 10  // no terminal is wider
	mostInText = 32 << 10 // of a paragraph
	mostInCell = 64       // for a column of the screen; no character has more
)

// safe makes what evidence holds safe to draw on one line.
func safe(s string) string { return sanitize.Short(s, mostInLine) }

// fit makes text exactly width columns wide: cut with an ellipsis, or padded.
func (t *theme) fit(text string, width int) string {
	text = t.cut(text, width)
	return text + spaces(width-ansi.StringWidth(text))
}

// align is fit, with the text at the right where that is asked for.
func (t *theme) align(text string, width int, right bool) string {
	if right {
		return t.spread("", text, width)
	}
	return t.fit(text, width)
}

// cut makes text at most width columns wide.
func (t *theme) cut(text string, width int) string {
	if width <= 0 {
		return ""
	}
	if len(text) <= width || ansi.StringWidth(text) <= width {
		return text
	}
	return ansi.Truncate(text, width, t.ellipsis)
}

// heading is a title with a line to its right, width columns in all.
func (t *theme) heading(title string, width int) string {
	if t.plain {
		return t.cut(title, plainWidth)
	}
	title = t.cut(title, width-3)
	rest := width - ansi.StringWidth(title) - 3
	return t.dim.paint(t.line) + " " + t.bold.paint(title) + " " + t.dim.paint(strings.Repeat(t.line, max(rest, 0)))
}

// spread puts left and right at the ends of a line of width columns. Where they
// do not both fit, left is cut.
func (t *theme) spread(left, right string, width int) string {
	right = t.cut(right, width)
	return t.fit(left, width-ansi.StringWidth(right)) + right
}

// beside puts two blocks of lines side by side, the left one width columns wide.
func (t *theme) beside(left, right []string, width int, between string) []string {
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines[i] = t.fit(l, width) + between + r
	}
	return lines
}

// margin moves lines one column to the right.
func margin(lines []string) []string {
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}

// item is a paragraph that hangs on what stands before it.
func item(lead, text string, width int) []string {
	indent := ansi.StringWidth(lead)
	lines := wrap(text, width-indent)
	for i := range lines {
		if i == 0 {
			lines[i] = lead + lines[i]
			continue
		}
		lines[i] = spaces(indent) + lines[i]
	}
	return lines
}

// wrap makes text safe to show and breaks it between words into lines of at most
// width columns. A word that is longer is cut in pieces.
func wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(sanitize.Short(text, mostInText)) {
		w := ansi.StringWidth(word)
		if used > 0 && used+1+w <= width {
			line, used = line+" "+word, used+1+w
			continue
		}
		if used > 0 {
			lines = append(lines, line)
		}
		pieces := chop(word, width)
		lines = append(lines, pieces[:len(pieces)-1]...)
		line = pieces[len(pieces)-1]
		used = ansi.StringWidth(line)
	}
	return append(lines, line)
}

// hung breaks a line that is too long, after a blank where there is one near the end of
// the width, and has what is left stand further in than its beginning.
func hung(line string, width int) []string {
	indent := len(line) - len(strings.TrimLeft(line, " ")) + 4
	if ansi.StringWidth(line) <= width || indent > width/2 {
		return chop(line, width)
	}
	var lines []string
	for lead := ""; line != ""; lead = spaces(indent) {
		piece := start(line, width-len(lead))
		if at := strings.LastIndexByte(piece, ' '); len(piece) < len(line) && at > len(piece)/2 {
			piece = piece[:at+1]
		}
		lines = append(lines, lead+piece)
		line = line[len(piece):]
	}
	return lines
}

// start is as much of a line that is not painted as width columns hold, one character
// at least.
func start(line string, width int) string {
	used := 0
	for i := 0; i < len(line); {
		character, w := ansi.FirstGraphemeCluster(line[i:], ansi.GraphemeWidth)
		if used += w; used > width && i > 0 {
			return line[:i]
		}
		i += len(character)
	}
	return line
}

// chop cuts a line into pieces of at most width columns, one at least.
func chop(line string, width int) []string {
	if len(line) <= width {
		return []string{line}
	}
	return strings.Split(ansi.Hardwrap(line, width, true), "\n")
}

// paintAll paints every line.
func paintAll(s style, lines []string) []string {
	for i, line := range lines {
		lines[i] = s.paint(line)
	}
	return lines
}

const blank = "                                                                                "

func spaces(n int) string {
	switch {
	case n <= 0:
		return ""
	case n <= len(blank):
		return blank[:n]
	}
	return strings.Repeat(" ", n)
}

// count writes n with its digits in groups of three.
func count[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is a count with its noun.
func plural[T int | int64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// size writes a number of bytes in binary units.
func size(n int64) string {
	if n < 1024 {
		return plural(n, "byte")
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f /= 1024; f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// sentence makes one of what an error says.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// quoted is what a person typed or a file holds, set off from the sentence.
func quoted(s string) string { return strconv.Quote(safe(s)) }

// flat is lines without their colours, as text.
func flat(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(ansi.Strip(line), " ") + "\n")
	}
	return b.String()
}

// orDash stands in for what is not there.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
