// Package shell is the one Bubble Tea model: header, plan, bottom line, and the registry of
// screens, of which it draws one and gives all of them every message.
//
// It takes Options. Its results are what the screen shows, and what the user saves or copies.
// Only this package knows that there are several screens, and how to write a file.
package shell
