// Package timeline is the screen that shows what happened when.
//
// In goes the timeline of all snapshots, out of the session. It changes only itself: what takes reading is a
// command.
package timeline
