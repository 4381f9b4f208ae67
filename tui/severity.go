package tui

import (
	"revenant/analyzer/restore"
	"revenant/tui/draw"
)

// severity is the colour and the mark of a severity. The marks tell without
// colour, too.
func severity(t *draw.Theme, s restore.Severity) (draw.Style, string) {
	switch s {
	case restore.Critical:
		return t.Critical, t.MarkCritical
	case restore.Warning:
		return t.Warning, t.MarkWarning
	}
	return "", t.MarkOK
}
