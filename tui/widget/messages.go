package widget

import tea "charm.land/bubbletea/v2"

// Messages between the shell and what it shows.
type (
	// FilterMsg is the filter as it is typed.
	FilterMsg string
	// NamespaceMsg is the namespace whose rows are to be shown, as it was typed; "" for all.
	NamespaceMsg string
	// SearchMsg is what is searched for in a text, as it is typed.
	SearchMsg string
	// ThemeMsg says that the theme is another: all that is drawn already is drawn again.
	ThemeMsg struct{}
	// NoticeMsg is shown in the bottom line until the next key.
	NoticeMsg string
)

// Notify makes the command that shows something in the bottom line.
func Notify(text string) tea.Cmd { return func() tea.Msg { return NoticeMsg(text) } }
