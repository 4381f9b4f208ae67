// Package objects is the screen that shows any object at any revision that is kept, as kubectl prints it.
//
// It takes the list of a moment from the session, and changes nothing but itself: reading evidence
// is left to commands.
package objects
