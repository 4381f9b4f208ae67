package shared

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/diff"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/widget"
)

// SideBySide is how many columns two states need to stand beside each other.
const SideBySide = 70

// contextLines is how many lines of a long text are shown around those that differ.
const contextLines = 2

// ChangesLook says how differences are drawn.
type ChangesLook struct {
	Beside bool   // the two states in columns, where there is room
	Noise  bool   // what is noise, too
	Unfold string // the key that shows it, "" for none
	Whole  bool   // one of the two does not exist: all of the other is shown
}

// Said says whether noise is shown, where one may not see that.
func (look ChangesLook) Said() tea.Cmd {
	if look.Noise {
		return widget.Notify("noise is unfolded, where there is some")
	}
	return widget.Notify("noise is folded away")
}

// SaidBeside says how two states are shown, where one may not see that.
func (look ChangesLook) SaidBeside() tea.Cmd {
	if look.Beside {
		return widget.Notify("the two states are shown side by side, where there are two")
	}
	return widget.Notify("the two states are shown one below the other")
}

// Changes draws what differs between two states of an object: a line that counts, and
// every field, or what replaces it.
func Changes(t *draw.Theme, list []diff.Change, look ChangesLook, width int) []string {
	fields, folded := 0, diff.Noise(0)
	for i := range list {
		if list[i].Noise == 0 {
			fields++
		}
		folded |= list[i].Noise
	}
	var lines []string
	put := func(text string, s draw.Style) { lines = append(lines, draw.PaintAll(s, draw.Wrap(text, width))...) }
	switch noise := len(list) - fields; {
	case look.Whole:
	case len(list) == 0:
		put("Nothing differs.", t.Dim)
	case noise == 0:
		put(words.Count(fields, "field")+" differ"+draw.Singular(fields), t.Bold)
	default:
		if fields == 0 {
			put("Nothing but noise differs", t.Bold)
		} else {
			put(words.Count(fields, "field")+" differ"+draw.Singular(fields), t.Bold)
		}
		text := words.Count(noise, "change") + " of noise: " + folded.String()
		if !look.Noise {
			text += ", folded"
			if look.Unfold != "" {
				text += " (" + look.Unfold + " shows it)"
			}
		}
		put(text, t.Dim)
	}
	for i := range list {
		if c := &list[i]; c.Noise == 0 || look.Noise {
			if look.Whole {
				lines = append(lines, outline(t, c, width)...)
			} else if look.Beside && width >= SideBySide {
				lines = append(lines, besideEachOther(t, c, width)...)
			} else {
				lines = append(lines, oneBelowTheOther(t, c, width)...)
			}
		}
	}
	return lines
}

// outline draws a field of an object that only one state has.
func outline(t *draw.Theme, c *diff.Change, width int) []string {
	of := c.Lines(contextLines)
	path := draw.Safe(c.Path)
	if len(of) == 1 {
		return draw.Indent("", path+": "+of[0].Before+of[0].After, width)
	}
	lines := draw.Indent("", path+":", width)
	for _, l := range of {
		lines = append(lines, draw.Indent("  ", l.Before+l.After, width)...)
	}
	return lines
}

// changeMarks are those of fields.
var changeMarks = map[string]string{"added": "+", "removed": "-", "changed": "~"}

// field is where a change is, with its mark before it.
func field(t *draw.Theme, c *diff.Change) string {
	path := draw.Safe(c.Path)
	if path == "" {
		path = "the object"
	}
	return changeMarks[c.Kind()] + " " + path
}

// tint is the style of a change: what is noise stays in the background.
func tint(t *draw.Theme, c *diff.Change) draw.Style {
	switch {
	case c.Noise != 0:
		return t.Dim
	case c.Kind() == "added":
		return t.Added
	case c.Kind() == "removed":
		return t.Removed
	}
	return ""
}

// sides are the styles of what was and of what is.
func sides(t *draw.Theme, c *diff.Change) (was, is draw.Style) {
	if c.Noise != 0 {
		return t.Dim, t.Dim
	}
	return t.Removed, t.Added
}

// oneBelowTheOther draws a field: in one line if it has room there, or what it was
// above what it is.
func oneBelowTheOther(t *draw.Theme, c *diff.Change, width int) []string {
	tint, field, of := tint(t, c), field(t, c), c.Lines(contextLines)
	was, is := sides(t, c)
	if len(of) == 1 {
		l := of[0]
		line := field + ": " + sanitize.Line(l.Before+l.After)
		if l.Op == diff.Replaced {
			line = field + ": " + sanitize.Line(l.Before) + " " + t.Arrow + " " + sanitize.Line(l.After)
		}
		if ansi.StringWidth(line) <= width {
			return []string{tint.Paint(line)}
		}
	}
	lines := draw.PaintAll(tint, draw.Indent("", field, width))
	for i := 0; i < len(of); i++ {
		switch l := of[i]; l.Op {
		case diff.Folded:
			lines = append(lines, t.Dim.Paint(t.Cut("    "+folded(t, &l), width)))
		case diff.Kept:
			lines = append(lines, draw.PaintAll(t.Dim, draw.Indent("    ", l.Before, width))...)
		case diff.Out:
			lines = append(lines, draw.PaintAll(was, draw.Indent("  - ", l.Before, width))...)
		case diff.In:
			lines = append(lines, draw.PaintAll(is, draw.Indent("  + ", l.After, width))...)
		default: // those that were replaced one after the other, then what replaced them
			from := i
			for ; i < len(of) && of[i].Op == diff.Replaced; i++ {
				lines = append(lines, draw.PaintAll(was, draw.Indent("  - ", of[i].Before, width))...)
			}
			for _, l := range of[from:i] {
				lines = append(lines, draw.PaintAll(is, draw.Indent("  + ", l.After, width))...)
			}
			i--
		}
	}
	return lines
}

// besideEachOther draws a field: what it was at the left of what it is.
func besideEachOther(t *draw.Theme, c *diff.Change, width int) []string {
	const lead = 2
	room := (width - lead - 3) / 2
	lines := draw.PaintAll(tint(t, c), draw.Indent("", field(t, c), width))
	for _, l := range c.Lines(contextLines) {
		if l.Op == diff.Folded {
			lines = append(lines, t.Dim.Paint(t.Cut("  "+folded(t, &l), width)))
			continue
		}
		left, right := draw.ChopSafe(l.Before, room), draw.ChopSafe(l.After, room)
		if l.Op == diff.In {
			left = nil
		}
		if l.Op == diff.Out {
			right = nil
		}
		was, is := sides(t, c)
		if l.Op == diff.Kept {
			was, is = t.Dim, t.Dim
		}
		for i := range max(len(left), len(right)) {
			var b, a string
			if i < len(left) {
				b = left[i]
			}
			if i < len(right) {
				a = right[i]
			}
			lines = append(lines, draw.Spaces(lead)+was.Paint(t.Fit(b, room))+t.Dim.Paint(" "+t.Column+" ")+is.Paint(a))
		}
	}
	return lines
}

func folded(t *draw.Theme, l *diff.Line) string {
	return t.Ellipsis + " " + words.Count(l.Count, "line") + " the same"
}
