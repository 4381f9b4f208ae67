// Package shell is the one Bubble Tea model: header, plan, bottom line, and the registry of
// screens, of which it draws one and gives all of them every message.
//
// In go Options. Out comes nothing but the screen, and what the person saves or copies. It
// alone knows that there are several screens, and how to write a file.
package shell
