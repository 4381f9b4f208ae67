package draw

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// Singular is the s that a verb has after one thing.
func Singular(n int) string {
	if n == 1 {
		return "s"
	}
	return ""
}

// Indent breaks a line as it is, blanks and all, and hangs it on what stands before it.
func Indent(lead, text string, width int) []string {
	lines := ChopSafe(text, width-ansi.StringWidth(lead))
	for i := range lines {
		if i == 0 {
			lines[i] = lead + lines[i]
			continue
		}
		lines[i] = Spaces(ansi.StringWidth(lead)) + lines[i]
	}
	return lines
}

// ChopSafe makes a line safe to show and cuts it in pieces.
func ChopSafe(text string, width int) []string {
	return words.Chop(sanitize.Line(strings.ReplaceAll(text, "\t", "    ")), max(width, 1))
}

// How much is drawn of what evidence calls something, in bytes: what is longer loses
// its middle. Values and YAML are whole.
const (
	mostInLine = 4 << 10  // no terminal is wider
	mostInText = 32 << 10 // of a paragraph
	MostInCell = 64       // for a column of the screen; no character has more
)

// Safe makes what evidence holds safe to draw on one line.
func Safe(s string) string { return sanitize.Short(s, mostInLine) }

// Fit makes text exactly width columns wide: cut with an ellipsis, or padded.
func (t *Theme) Fit(text string, width int) string {
	text = t.Cut(text, width)
	return text + Spaces(width-ansi.StringWidth(text))
}

// Align is fit, with the text at the right where that is asked for.
func (t *Theme) Align(text string, width int, right bool) string {
	if right {
		return t.Spread("", text, width)
	}
	return t.Fit(text, width)
}

// Cut makes text at most width columns wide.
func (t *Theme) Cut(text string, width int) string {
	if width <= 0 {
		return ""
	}
	if len(text) <= width || ansi.StringWidth(text) <= width {
		return text
	}
	return ansi.Truncate(text, width, t.Ellipsis)
}

// Heading is a title with a line to its right, width columns in all.
func (t *Theme) Heading(title string, width int) string {
	if t.Plain {
		return t.Cut(title, PlainWidth)
	}
	title = t.Cut(title, width-3)
	rest := width - ansi.StringWidth(title) - 3
	return t.Dim.Paint(t.Line) + " " + t.Bold.Paint(title) + " " + t.Dim.Paint(strings.Repeat(t.Line, max(rest, 0)))
}

// Spread puts left and right at the ends of a line of width columns. Where they
// do not both fit, left is cut.
func (t *Theme) Spread(left, right string, width int) string {
	right = t.Cut(right, width)
	return t.Fit(left, width-ansi.StringWidth(right)) + right
}

// Beside puts two blocks of lines side by side, the left one width columns wide.
func (t *Theme) Beside(left, right []string, width int, between string) []string {
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines[i] = t.Fit(l, width) + between + r
	}
	return lines
}

// Margin moves lines one column to the right.
func Margin(lines []string) []string {
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}

// Item is a paragraph that hangs on what stands before it.
func Item(lead, text string, width int) []string {
	indent := ansi.StringWidth(lead)
	lines := Wrap(text, width-indent)
	for i := range lines {
		if i == 0 {
			lines[i] = lead + lines[i]
			continue
		}
		lines[i] = Spaces(indent) + lines[i]
	}
	return lines
}

// Wrap makes text safe to show and breaks it between words into lines of at most
// width columns. A word that is longer is cut in pieces.
func Wrap(text string, width int) []string {
	return words.WrapCut(sanitize.Short(text, mostInText), width)
}

// HangLine breaks a line that is too long, after a blank where there is one near the end of
// the width, and has what is left stand further in than its beginning.
func HangLine(line string, width int) []string {
	indent := len(line) - len(strings.TrimLeft(line, " ")) + 4
	if ansi.StringWidth(line) <= width || indent > width/2 {
		return words.Chop(line, width)
	}
	var lines []string
	for lead := ""; line != ""; lead = Spaces(indent) {
		piece := Prefix(line, width-len(lead))
		if at := strings.LastIndexByte(piece, ' '); len(piece) < len(line) && at > len(piece)/2 {
			piece = piece[:at+1]
		}
		lines = append(lines, lead+piece)
		line = line[len(piece):]
	}
	return lines
}

// Prefix is as much of a line that is not painted as width columns hold, one character
// at least.
func Prefix(line string, width int) string {
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

// PaintAll paints every line.
func PaintAll(s Style, lines []string) []string {
	for i, line := range lines {
		lines[i] = s.Paint(line)
	}
	return lines
}

const blank = "                                                                                "

// Spaces are n blanks.
func Spaces(n int) string {
	switch {
	case n <= 0:
		return ""
	case n <= len(blank):
		return blank[:n]
	}
	return strings.Repeat(" ", n)
}

// Quoted is what a person typed or a file holds, set off from the sentence.
func Quoted(s string) string { return strconv.Quote(Safe(s)) }

// Flat is lines without their colours, as text.
func Flat(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(ansi.Strip(line), " ") + "\n")
	}
	return b.String()
}

// ClockLayout is how a time of the day is written, UTC.
const ClockLayout = "15:04:05Z"

// Positive is a count, "" for none.
func Positive(n int64) string {
	if n == 0 {
		return ""
	}
	return words.Number(n)
}
