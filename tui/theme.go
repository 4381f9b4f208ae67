package tui

import (
	"image/color"

	"charm.land/lipgloss/v2"

	"revenant/analyzer/restore"
)

// theme is the styles of one background. Colour carries severity and marks what
// is selected; nothing is told by colour alone.
type theme struct {
	title, dim, selected, key, border lipgloss.Style
	critical, warning, ok             lipgloss.Style
}

func newTheme(dark bool) theme {
	pick := lipgloss.LightDark(dark)
	fg := func(light, dark string) lipgloss.Style {
		var c color.Color = pick(lipgloss.Color(light), lipgloss.Color(dark))
		return lipgloss.NewStyle().Foreground(c)
	}
	return theme{
		title:    lipgloss.NewStyle().Bold(true),
		dim:      fg("#6b6b6b", "#8a8a8a"),
		selected: lipgloss.NewStyle().Reverse(true),
		key:      fg("#005f87", "#87afd7").Bold(true),
		border:   fg("#b2b2b2", "#585858"),
		critical: fg("#b00020", "#ff6b6b").Bold(true),
		warning:  fg("#8a5a00", "#e5b567"),
		ok:       fg("#2e6b2e", "#87af87"),
	}
}

func (t *theme) severity(s restore.Severity) lipgloss.Style {
	switch s {
	case restore.Critical:
		return t.critical
	case restore.Warning:
		return t.warning
	}
	return t.ok
}
