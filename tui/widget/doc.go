// Package widget has the parts that screens are made of: a table that sorts and filters a
// million rows beside the screen, a board that shows the selected row in detail, a pager
// with a search, a prompt, a ruler of revisions, and bars.
//
// It takes rows and lines, key presses and messages. It returns lines to draw, commands, and
// what to copy or save. A widget knows the text of its rows and not what they stand for: no
// finding, no snapshot, no file. Its owner passes every message to it, and draws it.
package widget
