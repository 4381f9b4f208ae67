package shell

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"

	tea "charm.land/bubbletea/v2"

	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
	"revenant/tui/widget"
)

// boards are the screens that list rows, with what they list blown up to n rows.
func boards(t testing.TB, in *session.Input, n int) map[string]*terminal {
	list := map[string]*terminal{}
	for _, e := range registry {
		x := openOn(t, in, 200, 50)
		if e.name == "history" {
			x.typed(":diff<enter>z/deployments old-app<enter>H")
		} else {
			x.typed(":" + e.name + "<enter>u")
		}
		field := reflect.ValueOf(x.shown()).Elem().FieldByName("Table")
		if !field.IsValid() {
			continue
		}
		table := field.Interface().(*widget.Table)
		if table.Rows.Count == 0 {
			continue // the demo has no problems
		}
		r := blown(table.Rows, n)
		if cmd := table.SetRows(r); !table.Take(cmd().(widget.ArrangedMsg)) {
			t.Fatalf("%s: not arranged", e.name)
		}
		list[e.name] = x
	}
	return list
}

// blown repeats rows until there are n.
func blown(r widget.Rows, n int) widget.Rows {
	of := r.Count
	big := r
	big.Count = n
	big.Whole, big.Ranked, big.Widest = nil, nil, nil
	big.Cell = func(row, column int) string { return r.Cell(row%of, column) }
	if r.Compare != nil {
		big.Compare = func(a, b, column int) int { return r.Compare(a%of, b%of, column) }
	}
	if r.Minor != nil {
		big.Minor = func(row int) bool { return r.Minor(row % of) }
	}
	if r.Look != nil {
		big.Look = func(t *draw.Theme, row int) (draw.Style, string) { return r.Look(t, row%of) }
	}
	big.ID = func(row int) string { return fmt.Sprint(row) }
	if r.Item != nil {
		big.Item = func(row int) any { return r.Item(row % of) }
	}
	if r.Links != nil {
		big.Links = func(row int) func(keys.Action) tea.Cmd { return r.Links(row % of) }
	}
	if r.Rule != nil {
		big.Rule = func(above, below, by int) string { return r.Rule(above%of, below%of, by) }
	}
	if r.Detail != nil {
		big.Detail = func(row, width int) []string { return r.Detail(row%of, width) }
	}
	if r.Load != nil {
		big.Load = func(row, width int) func() []string { return r.Load(row%of, width) }
	}
	return big
}

// BenchmarkTables presses a key and draws the whole terminal, for every table. What
// the key starts runs beside the screen.
func BenchmarkTables(b *testing.B) {
	in := demoInput(b)
	for _, n := range sessiontest.BenchSizes {
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
			t.Errorf("%s: %s more after 1,000 pages", name, words.Size(grown))
		}
		runtime.KeepAlive(x)
	}
}
