// Package session has what all screens show, and starts all reading of the evidence.
//
// In go an Input, which is one or several snapshots with a plan, and what screens ask for:
// another plan, the objects of a moment, the history of a key. Out come a Session to draw, and news when
// something of it is another. Reading is done in commands, beside the screen; an answer to
// an older question is dropped, and what was there stays until the new one is.
//
// It defines what a Screen is, and knows none.
package session
