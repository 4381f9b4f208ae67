// Package draw draws text in columns: cut, padded, wrapped, painted.
//
// It takes strings of any origin, a width and a Theme: styles for the terminal's colours and
// background, and glyphs for its character set. It returns lines that are no wider
// than asked for. Text that went through Safe or Wrap cannot control the terminal, and takes
// no more room than it can show.
package draw
