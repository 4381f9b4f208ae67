package draw

import (
	"image/color"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

const (
	PlainWidth = 100
)

// Style is an SGR sequence, "" for plain text.
type Style string

// Paint wraps text, which must not be painted already.
func (s Style) Paint(text string) string {
	if s == "" || text == "" {
		return text
	}
	return string(s) + text + ansi.ResetStyle
}

// Theme is how things look: styles for the terminal's colours and background,
// and glyphs for its character set. Colour carries severity and nothing else.
type Theme struct {
	Glyphs
	Bold, Dim, Selected     Style
	Key                     Style // of a letter that does something
	Past                    Style // of what says that another moment is shown than the newest
	Critical, Warning, Good Style
	Added, Removed          Style // in a difference
	Name                    Style // of a field, in YAML and JSON

	Plain bool // nothing is drawn: what a picture shows is said
}

// NewTheme returns the theme for a background that is dark or not, and for what
// the terminal can do. Colours beyond that are left to the renderer to reduce.
func NewTheme(dark bool, profile colorprofile.Profile, g Glyphs, look Look) *Theme {
	t := &Theme{Glyphs: g}
	c := look.Light
	if dark {
		c = look.Dark
	}
	sgr := func(s ansi.Style) Style { return Style(s.String()) }
	fg := func(c color.Color) Style { return sgr(ansi.Style{}.ForegroundColor(c)) }
	t.Bold, t.Key = sgr(ansi.Style{}.Bold()), sgr(ansi.Style{}.Bold().Underline(true))
	t.Past = sgr(ansi.Style{}.Bold().ForegroundColor(ansi.BrightWhite).BackgroundColor(ansi.Blue))
	switch {
	case profile <= colorprofile.ASCII:
		t.Past = sgr(ansi.Style{}.Bold().Reverse(true))
		t.Dim, t.Selected = sgr(ansi.Style{}.Faint()), sgr(ansi.Style{}.Reverse(true))
		t.Critical, t.Removed = t.Bold, t.Dim
	case profile == colorprofile.ANSI:
		// Reversed, the colour of a severity would fill the row: there its mark alone shows it.
		t.Dim, t.Selected = sgr(ansi.Style{}.Faint()), ansi.ResetStyle+sgr(ansi.Style{}.Reverse(true))
		t.Critical, t.Warning, t.Good = fg(ansi.Red), fg(ansi.Yellow), fg(ansi.Green)
		t.Added, t.Removed, t.Name = fg(ansi.Green), fg(ansi.Red), fg(ansi.Cyan)
	default:
		t.Dim, t.Selected = fg(c.Dim), sgr(ansi.Style{}.BackgroundColor(c.Selected))
		t.Critical, t.Warning, t.Good = fg(c.Critical), fg(c.Warning), fg(c.Good)
		t.Added, t.Removed, t.Name = fg(c.Added), fg(c.Removed), fg(c.Name)
	}
	return t
}
