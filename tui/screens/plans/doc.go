// Package plans is the screen that shows the ways to restore side by side, and the runbook of the plan in force.
//
// In goes the comparison of the plans, out of the session. It changes only itself: what takes reading is a
// command.
package plans
