package objects

import (
	"strings"
	"testing"

	"revenant/analyzer/resources"
)

func TestCellCache(t *testing.T) {
	c := new(cellCache)
	for row := range 10 * maxCells {
		c.put(row, []resources.Cell{{Text: strings.Repeat("x", 2*maxCell)}})
		if n := len(c.young) + len(c.old); n > 2*maxCells {
			t.Fatalf("it has %d rows", n)
		}
	}
	cells, ok := c.get(10*maxCells - 1)
	if !ok || len(cells[0].Text) != maxCell {
		t.Error("the last row is not there, or not cut")
	}
	if _, ok := c.get(0); ok {
		t.Error("the first row is still there")
	}
}
