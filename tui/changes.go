package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/diff"
	"revenant/decoder/sanitize"
)

// sideBySide is how many columns two states need to stand beside each other.
const sideBySide = 70

// contextLines is how many lines of a long text are shown around those that differ.
const contextLines = 2

// changesLook says how differences are drawn.
type changesLook struct {
	beside bool   // the two states in columns, where there is room
	noise  bool   // what is noise, too
	unfold string // the key that shows it, "" for none
	whole  bool   // one of the two does not exist: all of the other is shown
}

// changes draws what differs between two states of an object: a line that counts, and
// every field, or what replaces it.
func (t *theme) changes(list []diff.Change, look changesLook, width int) []string {
	fields, folded := 0, diff.Noise(0)
	for i := range list {
		if list[i].Noise == 0 {
			fields++
		}
		folded |= list[i].Noise
	}
	var lines []string
	put := func(text string, s style) { lines = append(lines, paintAll(s, wrap(text, width))...) }
	switch noise := len(list) - fields; {
	case look.whole:
	case len(list) == 0:
		put("Nothing differs.", t.dim)
	case noise == 0:
		put(plural(fields, "field")+" differ"+singular(fields), t.bold)
	default:
		if fields == 0 {
			put("Nothing but noise differs", t.bold)
		} else {
			put(plural(fields, "field")+" differ"+singular(fields), t.bold)
		}
		text := plural(noise, "change") + " of noise: " + folded.String()
		if !look.noise {
			text += ", folded"
			if look.unfold != "" {
				text += " (" + look.unfold + " shows it)"
			}
		}
		put(text, t.dim)
	}
	for i := range list {
		if c := &list[i]; c.Noise == 0 || look.noise {
			if look.whole {
				lines = append(lines, t.outline(c, width)...)
			} else if look.beside && width >= sideBySide {
				lines = append(lines, t.besideEachOther(c, width)...)
			} else {
				lines = append(lines, t.oneBelowTheOther(c, width)...)
			}
		}
	}
	return lines
}

func singular(n int) string {
	if n == 1 {
		return "s"
	}
	return ""
}

// outline draws a field of an object that only one state has.
func (t *theme) outline(c *diff.Change, width int) []string {
	of := c.Lines(contextLines)
	path := safe(c.Path)
	if len(of) == 1 {
		return hang("", path+": "+of[0].Before+of[0].After, width)
	}
	lines := hang("", path+":", width)
	for _, l := range of {
		lines = append(lines, hang("  ", l.Before+l.After, width)...)
	}
	return lines
}

// changeMarks are those of fields.
var changeMarks = map[string]string{"added": "+", "removed": "-", "changed": "~"}

// field is where a change is, with its mark before it.
func (t *theme) field(c *diff.Change) string {
	path := safe(c.Path)
	if path == "" {
		path = "the object"
	}
	return changeMarks[c.Kind()] + " " + path
}

// tint is the style of a change: what is noise stays in the background.
func (t *theme) tint(c *diff.Change) style {
	if c.Noise != 0 {
		return t.dim
	}
	return ""
}

// oneBelowTheOther draws a field: in one line if it has room there, or what it was
// above what it is.
func (t *theme) oneBelowTheOther(c *diff.Change, width int) []string {
	tint, field, of := t.tint(c), t.field(c), c.Lines(contextLines)
	if len(of) == 1 {
		l := of[0]
		line := field + ": " + sanitize.Line(l.Before+l.After)
		if l.Op == diff.Replaced {
			line = field + ": " + sanitize.Line(l.Before) + " " + t.arrow + " " + sanitize.Line(l.After)
		}
		if ansi.StringWidth(line) <= width {
			return []string{tint.paint(line)}
		}
	}
	lines := paintAll(tint, hang("", field, width))
	for i := 0; i < len(of); i++ {
		switch l := of[i]; l.Op {
		case diff.Folded:
			lines = append(lines, t.dim.paint(t.cut("    "+t.folded(&l), width)))
		case diff.Kept:
			lines = append(lines, paintAll(t.dim, hang("    ", l.Before, width))...)
		case diff.Out:
			lines = append(lines, paintAll(t.dim, hang("  - ", l.Before, width))...)
		case diff.In:
			lines = append(lines, paintAll(tint, hang("  + ", l.After, width))...)
		default: // those that were replaced one after the other, then what replaced them
			from := i
			for ; i < len(of) && of[i].Op == diff.Replaced; i++ {
				lines = append(lines, paintAll(t.dim, hang("  - ", of[i].Before, width))...)
			}
			for _, l := range of[from:i] {
				lines = append(lines, paintAll(tint, hang("  + ", l.After, width))...)
			}
			i--
		}
	}
	return lines
}

// besideEachOther draws a field: what it was at the left of what it is.
func (t *theme) besideEachOther(c *diff.Change, width int) []string {
	const lead = 2
	tint := t.tint(c)
	room := (width - lead - 3) / 2
	lines := paintAll(tint, hang("", t.field(c), width))
	for _, l := range c.Lines(contextLines) {
		if l.Op == diff.Folded {
			lines = append(lines, t.dim.paint(t.cut("  "+t.folded(&l), width)))
			continue
		}
		left, right := chopped(l.Before, room), chopped(l.After, room)
		if l.Op == diff.In {
			left = nil
		}
		if l.Op == diff.Out {
			right = nil
		}
		paint := tint
		if l.Op == diff.Kept {
			paint = t.dim
		}
		for i := range max(len(left), len(right)) {
			var b, a string
			if i < len(left) {
				b = left[i]
			}
			if i < len(right) {
				a = right[i]
			}
			lines = append(lines, spaces(lead)+paint.paint(t.fit(b, room))+t.dim.paint(" "+t.column+" ")+paint.paint(a))
		}
	}
	return lines
}

func (t *theme) folded(l *diff.Line) string {
	return t.ellipsis + " " + plural(l.Count, "line") + " the same"
}

// hang breaks a line as it is, blanks and all, and hangs it on what stands before it.
func hang(lead, text string, width int) []string {
	lines := chopped(text, width-ansi.StringWidth(lead))
	for i := range lines {
		if i == 0 {
			lines[i] = lead + lines[i]
			continue
		}
		lines[i] = spaces(ansi.StringWidth(lead)) + lines[i]
	}
	return lines
}

// chopped makes a line safe to show and cuts it in pieces.
func chopped(text string, width int) []string {
	return chop(sanitize.Line(strings.ReplaceAll(text, "\t", "    ")), max(width, 1))
}
