// Package undone is the screen that shows what else goes back in time, beside pods.
//
// It takes the comparison of all other objects from the session, and changes nothing but itself: reading evidence
// is left to commands.
package undone
