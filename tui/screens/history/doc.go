// Package history is the screen that shows every revision of one object, and what each changed.
//
// It takes the history of a key from the session, and changes nothing but itself: reading evidence
// is left to commands.
package history
