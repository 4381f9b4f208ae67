package tui

import (
	"fmt"
	"runtime"
	"testing"

	tea "charm.land/bubbletea/v2"
)

// boards are the screens that list rows, with what they list blown up to n rows.
func boards(t testing.TB, in *Input, n int) map[string]*terminal {
	list := map[string]*terminal{}
	for _, e := range registry {
		x := openOn(t, in, 200, 50)
		if e.name == "history" {
			x.typed(":diff<enter>z/deployments old-app<enter>H")
		} else {
			x.typed(":" + e.name + "<enter>u")
		}
		var table *table
		switch s := x.shown().(type) {
		case *pods:
			table = s.table
		case *happenings:
			table = s.table
		case interface{ itself() *board }:
			table = s.itself().table
		default:
			continue
		}
		if table.rows.count == 0 {
			continue // the demo has no problems
		}
		r := blown(table.rows, n)
		if cmd := table.setRows(r); !table.arranged(cmd().(arrangedMsg)) {
			t.Fatalf("%s: not arranged", e.name)
		}
		list[e.name] = x
	}
	return list
}

// itself is the board that a screen is, or has.
func (b *board) itself() *board { return b }

// blown repeats rows until there are n.
func blown(r rows, n int) rows {
	of := r.count
	big := r
	big.count = n
	big.whole, big.ranked, big.widest = nil, nil, nil
	big.cell = func(row, column int) string { return r.cell(row%of, column) }
	if r.compare != nil {
		big.compare = func(a, b, column int) int { return r.compare(a%of, b%of, column) }
	}
	if r.minor != nil {
		big.minor = func(row int) bool { return r.minor(row % of) }
	}
	if r.look != nil {
		big.look = func(t *theme, row int) (style, string) { return r.look(t, row%of) }
	}
	big.id = func(row int) string { return fmt.Sprint(row) }
	if r.item != nil {
		big.item = func(row int) any { return r.item(row % of) }
	}
	if r.links != nil {
		big.links = func(row int) func(action) tea.Cmd { return r.links(row % of) }
	}
	if r.detail != nil {
		big.detail = func(row, width int) []string { return r.detail(row%of, width) }
	}
	if r.load != nil {
		big.load = func(row, width int) func() []string { return r.load(row%of, width) }
	}
	return big
}

// BenchmarkTables presses a key and draws the whole terminal, for every table. What
// the key starts runs beside the screen.
func BenchmarkTables(b *testing.B) {
	in := demoInput(b)
	for _, n := range benchSizes {
		for name, x := range boards(b, in, n) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				keys := keysOf("j<pgdown>Gk<pgup>g")
				for i := 0; b.Loop(); i++ {
					x.Update(keys[i%len(keys)])
					x.View()
				}
			})
		}
	}
}

// TestScrollingKeepsMemory scrolls through many rows: what has been seen is not kept.
func TestScrollingKeepsMemory(t *testing.T) {
	const rows, most = 100_000, 8 << 20
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what the first one's finalizers have let go
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, x := range boards(t, demoInput(t), rows) {
		scroll := func(pages int) {
			for range pages {
				x.typed("<pgdown>")
			}
			x.typed("g")
		}
		scroll(50) // what is kept for drawing at all is there
		before := heap()
		scroll(1000)
		if grown := heap() - before; grown > most {
			t.Errorf("%s: %s more after 1,000 pages", name, size(grown))
		}
		runtime.KeepAlive(x)
	}
}
