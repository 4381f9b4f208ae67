// Package overview is the screen that shows what the restore does as a whole, what to do about it, and what that rests on; of
// one snapshot, what it is, holds, and is good for.
//
// It takes the prediction and the files from the session, and changes nothing but itself: reading evidence
// is left to commands.
package overview
