// Package problems is the screen that shows what was found wrong with the evidence.
//
// In goes the checks of the files, out of the session. It changes only itself: what takes reading is a
// command.
package problems
