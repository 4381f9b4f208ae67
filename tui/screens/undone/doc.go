// Package undone is the screen that shows what else goes back in time, beside pods.
//
// In goes the comparison of all other objects, out of the session. It changes only itself: what takes reading is a
// command.
package undone
