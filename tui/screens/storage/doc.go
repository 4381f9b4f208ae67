// Package storage is the screen that shows what takes the space of a snapshot, and what could be had back.
//
// In goes a snapshot, out of the session. It changes only itself: what takes reading is a
// command.
package storage
