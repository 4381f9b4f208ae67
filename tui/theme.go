package tui

import (
	"image/color"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
)

// style is an SGR sequence, "" for plain text.
type style string

// paint wraps text, which must not be painted already.
func (s style) paint(text string) string {
	if s == "" || text == "" {
		return text
	}
	return string(s) + text + ansi.ResetStyle
}

// theme is how things look: styles for the terminal's colours and background,
// and glyphs for its character set. Colour carries severity and nothing else.
type theme struct {
	glyphs
	bold, dim, selected     style
	critical, warning, good style

	plain bool // nothing is drawn: what a picture shows is said
}

// newTheme returns the theme for a background that is dark or not, and for what
// the terminal can do. Colours beyond that are left to the renderer to reduce.
func newTheme(dark bool, profile colorprofile.Profile, g glyphs, look Look) *theme {
	t := &theme{glyphs: g}
	c := look.Light
	if dark {
		c = look.Dark
	}
	sgr := func(s ansi.Style) style { return style(s.String()) }
	fg := func(c color.Color) style { return sgr(ansi.Style{}.ForegroundColor(c)) }
	t.bold = sgr(ansi.Style{}.Bold())
	switch {
	case profile <= colorprofile.ASCII:
		t.dim, t.selected = sgr(ansi.Style{}.Faint()), sgr(ansi.Style{}.Reverse(true))
		t.critical = t.bold
	case profile == colorprofile.ANSI:
		t.dim, t.selected = sgr(ansi.Style{}.Faint()), sgr(ansi.Style{}.Reverse(true))
		t.critical, t.warning, t.good = fg(ansi.Red), fg(ansi.Yellow), fg(ansi.Green)
	default:
		t.dim, t.selected = fg(c.Dim), sgr(ansi.Style{}.BackgroundColor(c.Selected))
		t.critical, t.warning, t.good = fg(c.Critical), fg(c.Warning), fg(c.Good)
	}
	return t
}

// severity is the colour and the mark of a severity. The marks tell without
// colour, too.
func (t *theme) severity(s restore.Severity) (style, string) {
	switch s {
	case restore.Critical:
		return t.critical, t.markCritical
	case restore.Warning:
		return t.warning, t.markWarning
	}
	return "", t.markOK
}

// glyphs are the characters beyond ASCII that the screens draw with, each one
// column wide.
type glyphs struct {
	ellipsis, dot, arrow, best, crumb, line, column, up, down, cursor string
	markCritical, markWarning, markOK                                 string
	left, right                                                       string // ends of a bracket
	compacted, kept, undone, seen                                     string // parts of a revision window
	bumped, restored, minimum                                         string // revisions on the ruler
	full, empty                                                       string // of a progress bar
	levels                                                            string // eight of them: of a bar in a plot, from low to full
}

var (
	unicodeGlyphs = glyphs{
		ellipsis: "…", dot: "·", arrow: "→", best: "→", crumb: "›", line: "─", column: "│", up: "↑", down: "↓", cursor: "▌",
		markCritical: "●", markWarning: "○", markOK: "·",
		left: "├", right: "┤",
		compacted: "░", kept: "█", undone: "▒", seen: "·",
		bumped: "◆", restored: "▲", minimum: "╎",
		full: "█", empty: "░", levels: "▁▂▃▄▅▆▇█",
	}
	// plainGlyphs are for screen readers: letters, and nothing to draw with.
	plainGlyphs = glyphs{
		ellipsis: "...", dot: "-", arrow: "to", best: "+", crumb: ",", up: "up", down: "down", cursor: ">",
		markCritical: "C", markWarning: "W", markOK: "-",
	}
	asciiGlyphs = glyphs{
		ellipsis: "~", dot: "-", arrow: ">", best: ">", crumb: ">", line: "-", column: "|", up: "^", down: "v", cursor: ">",
		markCritical: "!", markWarning: "*", markOK: ".",
		left: "|", right: "|",
		compacted: "-", kept: "=", undone: "#", seen: ".",
		bumped: "*", restored: "^", minimum: "|",
		full: "#", empty: ".", levels: ".:-=+*%#",
	}
)

// getenv is the value of a variable in environ, which has the form of
// os.Environ: the last one counts.
func getenv(environ []string, name string) string {
	for i := len(environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// withoutColor says whether the person wants none: https://no-color.org counts
// any value but the empty one. colorprofile reads it as a bool, so that NO_COLOR=yes
// would be overlooked.
func withoutColor(environ []string) bool { return getenv(environ, "NO_COLOR") != "" }

// glyphsFor chooses the glyphs by the locale, in the order of setlocale(3). None
// at all is what containers have, on terminals that draw UTF-8.
func glyphsFor(environ []string) glyphs {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		locale := strings.ToLower(getenv(environ, name))
		if locale == "" {
			continue
		}
		if strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8") {
			return unicodeGlyphs
		}
		return asciiGlyphs
	}
	if getenv(environ, "TERM") == "dumb" {
		return asciiGlyphs
	}
	return unicodeGlyphs
}
