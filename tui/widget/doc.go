// Package widget has the parts that screens are made of: a table that sorts and filters a
// million rows beside the screen, a board that shows the selected row in detail, a pager
// with a search, a prompt, a ruler of revisions, and bars.
//
// In go rows and lines, key presses and messages. Out come lines to draw, commands, and
// what to copy or save. A widget knows what its rows say and not what they are of: no
// finding, no snapshot, no file. Whoever has one gives it every message, and draws it.
package widget
