// Package draw draws text in columns: cut, padded, wrapped, painted.
//
// In go strings of any origin, a width and a Theme: styles for the terminal's colours and
// background, and glyphs for its character set. Out come lines that are no wider than
// asked for. What Safe, Wrap and those that use them are given cannot steer the terminal,
// and takes no more room than it can show.
package draw
