// Package problems is the screen that shows what was found wrong with the evidence.
//
// It takes the checks of the files from the session, and changes nothing but itself: reading evidence
// is left to commands.
package problems
