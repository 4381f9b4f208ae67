// Package workloads is the screen that shows pods wanted, believed by the API and really running, by what they belong to.
//
// It takes a prediction from the session, and changes nothing but itself: reading evidence
// is left to commands.
package workloads
