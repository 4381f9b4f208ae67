package widget

import (
	"revenant/tui/keys"
)

// Click is what a click on a column and a line of the table asks for: on a title, to sort by
// it; on a row, to select it; on the selected row, to open it. False is for nothing.
func (t *Table) Click(x, y int) (keys.Press, bool) {
	if y == 0 {
		return t.clickTitle(x)
	}
	places := t.inSight()
	if y < 0 || y > len(places) || places[y-1] < 0 {
		return keys.Press{}, false
	}
	at := places[y-1]
	if at == t.At && t.Pinned {
		return keys.Press{Action: keys.Open}, true
	}
	t.At, t.Pinned = at, true
	return keys.Press{}, true
}

func (t *Table) clickTitle(x int) (keys.Press, bool) {
	from := gutter
	for i, w := range t.Widths {
		if w == 0 {
			continue
		}
		if x < from+w+columnGap && x >= from {
			key := t.Columns[i].Key
			return keys.Press{Action: keys.SortBy, Key: key}, key != ""
		}
		from += w + columnGap
	}
	return keys.Press{}, false
}

// Click is what a click on a column and a line of the board asks for: on the list what a click
// on the table does, on the detail to go there.
func (b *Board) Click(x, y int) (keys.Press, bool) {
	detail := b.Place == Beside && x >= b.Table.Width || b.Place == Below && y >= b.listHeight() || b.Place == InPlace && b.Opened
	if detail {
		return keys.Press{Action: keys.Open}, !b.Opened && len(b.Lines) > 0
	}
	p, ok := b.Table.Click(x, y-1)
	if ok && p.Action == "" {
		b.Opened = false
	}
	return p, ok && !(b.Opened && p.Action == keys.SortBy)
}
