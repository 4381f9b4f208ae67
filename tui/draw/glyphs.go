package draw

import (
	"strings"
)

// Glyphs are the characters beyond ASCII that the screens draw with, each one
// column wide.
type Glyphs struct {
	Ellipsis, Dot, Arrow, Best, Crumb, Line, Column, Up, Down, Cursor, Pointer string
	MarkCritical, MarkWarning, MarkOK                                          string
	Left, Right                                                                string // ends of a bracket
	Compacted, Kept, Undone, Seen                                              string // parts of a revision window
	Bumped, Restored, Minimum                                                  string // revisions on the ruler
	Full, empty                                                                string // of a progress bar
	Levels                                                                     string // eight of them: of a bar in a plot, from low to full
}

var (
	UnicodeGlyphs = Glyphs{
		Ellipsis: "…", Dot: "·", Arrow: "→", Best: "✓", Crumb: "›", Line: "─", Column: "│", Up: "↑", Down: "↓", Cursor: "▌", Pointer: "▴",
		MarkCritical: "●", MarkWarning: "○", MarkOK: "·",
		Left: "├", Right: "┤",
		Compacted: "░", Kept: "█", Undone: "▒", Seen: "·",
		Bumped: "◆", Restored: "▲", Minimum: "╎",
		Full: "█", empty: "░", Levels: "▁▂▃▄▅▆▇█",
	}
	// plainGlyphs are for screen readers: letters, and nothing to draw with.
	PlainGlyphs = Glyphs{
		Ellipsis: "...", Dot: "-", Arrow: "to", Best: "+", Crumb: ",", Up: "up", Down: "down", Cursor: ">", Pointer: "^",
		MarkCritical: "C", MarkWarning: "W", MarkOK: "-",
	}
	ASCIIGlyphs = Glyphs{
		Ellipsis: "~", Dot: "-", Arrow: ">", Best: "+", Crumb: ">", Line: "-", Column: "|", Up: "^", Down: "v", Cursor: ">", Pointer: "|",
		MarkCritical: "!", MarkWarning: "*", MarkOK: ".",
		Left: "|", Right: "|",
		Compacted: "-", Kept: "=", Undone: "#", Seen: ".",
		Bumped: "*", Restored: "^", Minimum: "|",
		Full: "#", empty: ".", Levels: ".:-=+*%#",
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

// NoColor says whether the person wants none: https://no-color.org counts
// any value but the empty one. colorprofile reads it as a bool, so that NO_COLOR=yes
// would be overlooked.
func NoColor(environ []string) bool { return getenv(environ, "NO_COLOR") != "" }

// GlyphsFor chooses the glyphs by the locale, in the order of setlocale(3). None
// at all is what containers have, on terminals that draw UTF-8.
func GlyphsFor(environ []string) Glyphs {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		locale := strings.ToLower(getenv(environ, name))
		if locale == "" {
			continue
		}
		if strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8") {
			return UnicodeGlyphs
		}
		return ASCIIGlyphs
	}
	if getenv(environ, "TERM") == "dumb" {
		return ASCIIGlyphs
	}
	return UnicodeGlyphs
}
