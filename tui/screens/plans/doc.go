// Package plans is the screen that shows the ways to restore side by side, and the runbook of the plan in force.
//
// It takes the comparison of the plans from the session, and changes nothing but itself: reading evidence
// is left to commands.
package plans
