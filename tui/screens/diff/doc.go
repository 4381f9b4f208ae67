// Package diff is the screen that shows what differs between two moments, down to the fields.
//
// In goes two moments, out of the session. It changes only itself: what takes reading is a
// command.
package diff
