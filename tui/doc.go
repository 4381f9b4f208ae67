// Package tui shows findings in a terminal.
//
// In go the two snapshots and a plan; out come screens, and nothing else: the
// package writes to its terminal only. One model stands at the top; screens are
// plain structs, one a file, that draw what the session holds. Update does no
// work of its own: reading, predicting and decoding run as commands, and what
// was there before stays on the screen until they are done.
//
// Every string from evidence passes through sanitize before it is drawn.
package tui
