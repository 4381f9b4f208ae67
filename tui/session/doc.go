// Package session has what all screens show, and starts all reading of the evidence.
//
// It takes an Input, which is one or several snapshots with a plan, and requests of screens:
// another plan, the objects of a moment, the history of a key. It returns a Session to draw,
// and a message whenever a part of it changes. Reading is done in commands, in the
// background; an answer to an older request is dropped, and the old data stay until the new
// are there.
//
// It defines what a Screen is, and knows none.
package session
