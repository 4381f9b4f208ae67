// Package pods is the screen that shows what becomes of every pod, and why.
//
// In goes a prediction, out of the session. It changes only itself: what takes reading is a
// command.
package pods
