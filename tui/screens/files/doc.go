// Package files is the screen with the files that were given as one history.
//
// In go the session and presses of keys. Out come the files in their order, what each of
// them holds, the stretches that are in none, and two of them as another pair.
package files
