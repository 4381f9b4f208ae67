// Package tui shows in a terminal what restoring a snapshot does.
//
// In goes an Input: the two snapshots, their states and a plan, read by the
// caller's Load while a progress bar is shown. Out comes nothing but the screen:
// an overview, the pods with the reason of each outcome and their objects, and
// the plan, which keys change and after which everything is predicted anew.
//
// Refused is evidence that wants to steer the terminal: every string of it goes
// through sanitize on its way to the screen. A plan that etcdutl refuses is shown
// with that refusal, not prevented.
//
// One Bubble Tea model holds all. A screen is a struct in a file of its own with
// a row in the registry. No Update does IO or heavy work: that is a tea.Cmd, and
// the old result stays on screen until the new one is there. Keys stand in one
// table, from which dispatch, the hints and the help are made.
package tui
