// Package storage is the screen that shows what takes the space of a snapshot, and what could be had back.
//
// It takes a snapshot from the session, and changes nothing but itself: reading evidence
// is left to commands.
package storage
