// Package keys has the one table of keys of the terminal UI, from which dispatch, the
// bottom line and the help are made.
//
// In go the name of a key, as tea.KeyPressMsg.String writes it, and the actions that are
// taken where one is. Out comes the Action that it asks for there, or why it does
// nothing now. A key map file may give actions other keys; one that stands for two things
// in one place is refused.
package keys
