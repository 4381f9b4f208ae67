// Package files is the screen with the files that were given as one history.
//
// It takes the session and key presses. It shows the files in their order, what each of them
// holds and the revisions that none holds, and makes two of them the pair.
package files
