// Package diff is the screen that shows what differs between two moments, down to the fields.
//
// It takes two moments from the session, and changes nothing but itself: reading evidence
// is left to commands.
package diff
