// Package history is the screen that shows every revision of one object, and what each changed.
//
// In goes the history of a key, out of the session. It changes only itself: what takes reading is a
// command.
package history
