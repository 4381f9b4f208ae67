// Package timeline is the screen that shows what happened when.
//
// It takes the timeline of all snapshots from the session, and changes nothing but itself: reading evidence
// is left to commands.
package timeline
