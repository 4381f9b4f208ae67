// Package keys has the one table of keys of the terminal UI, from which dispatch, the
// bottom line and the help are made.
//
// It takes the name of a key, as tea.KeyPressMsg.String writes it, and the actions that are
// available on the screen that is shown. It returns the Action that the key stands for there,
// or why it does nothing now. A key map file may give actions other keys; one that stands for two things
// in one place is refused.
package keys
