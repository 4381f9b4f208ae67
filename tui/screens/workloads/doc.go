// Package workloads is the screen that shows pods wanted, believed by the API and really running, by what they belong to.
//
// In goes a prediction, out of the session. It changes only itself: what takes reading is a
// command.
package workloads
