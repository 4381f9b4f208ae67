// Package pods is the screen that shows what becomes of every pod, and why.
//
// It takes a prediction from the session, and changes nothing but itself: reading evidence
// is left to commands.
package pods
