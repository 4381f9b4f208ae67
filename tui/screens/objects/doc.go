// Package objects is the screen that shows any object at any revision that is kept, as kubectl prints it.
//
// In goes the list of a moment, out of the session. It changes only itself: what takes reading is a
// command.
package objects
