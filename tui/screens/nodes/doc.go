// Package nodes is the screen that shows what really runs on every node, and what the API believes.
//
// In goes a prediction, out of the session. It changes only itself: what takes reading is a
// command.
package nodes
