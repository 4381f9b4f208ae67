// Package nodes is the screen that shows what really runs on every node, and what the API believes.
//
// It takes a prediction from the session, and changes nothing but itself: reading evidence
// is left to commands.
package nodes
