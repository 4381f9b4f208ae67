// Package overview is the screen that shows what the restore does as a whole, what to do about it, and what that rests on; of
// one snapshot, what it is, holds, and is good for.
//
// In goes the session's prediction and the files, out of the session. It changes only itself: what takes reading is a
// command.
package overview
