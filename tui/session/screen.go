package session

import (
	tea "charm.land/bubbletea/v2"

	"revenant/tui/keys"
	"revenant/tui/widget"
)

// Screen is what stands between the header and the plan. A screen reads the
// session and changes only itself.
type Screen interface {
	// SetSize says how many columns and lines there are.
	SetSize(width, height int)
	// Update takes a press of one of Keys, the filter or search as it is typed, and
	// every message that is not the shell's own. It does no work: that is the
	// command's.
	Update(tea.Msg) tea.Cmd
	// Keys lists the actions that Update takes.
	Keys() keys.Set
	// View draws at most height lines of at most width columns.
	View() []string
}

// What a screen may be beside.
type (
	// Located has a place within it, such as an opened row.
	Located interface{ Location() string }
	// Waker starts work that is done only for those who look: Wake is asked after
	// everything that happens while the screen is shown.
	Waker interface{ Wake() tea.Cmd }
	// Placed has places within it, such as the resource that is listed, to which one can return.
	// A place is comparable.
	Placed interface {
		Place() (place any, filter string)
		Return(place any, filter string) tea.Cmd
	}
	// Clicker says what a click asks for, in columns and lines of the screen: on a row to select
	// it, which is no action, or to open it; on a title of a column to sort by it. False is for
	// nothing.
	Clicker interface {
		Click(x, y int) (keys.Press, bool)
	}
	// Exporter has something to copy or to save.
	Exporter interface{ Export(save bool) widget.Export }
	// Sorter has columns to sort by.
	Sorter interface{ Columns() []widget.Column }
	// Checker says what is wrong with a command of its own; nil for nothing, and for what is none.
	Checker interface{ CheckCommand(words []string) error }
	// Commander takes commands of its own, such as the name of a resource.
	Commander interface {
		// Takes says whether a command is one of its own, right or wrong.
		Takes(words []string) bool
		// Complete lists what the last of the words may become.
		Complete(words []string) []string
		// Command does a command, and says whether it was one of its own.
		Command(words []string) (tea.Cmd, bool)
	}
	// Whole takes the place of the plan as well: what it shows is not of the plan in force.
	// OfFiles says whether it is of the files that are open.
	Whole interface{ OfFiles() bool }
	// Rememberer has something that outlives the program, such as its filter.
	Rememberer interface {
		Remember() map[string]string
		Recall(map[string]string) tea.Cmd
	}
)
