package widget

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	gocmp "github.com/google/go-cmp/cmp"

	"revenant/tui/draw"
	"revenant/tui/keys"
)

// shownIn is a table of names, arranged.
func shownIn(t testing.TB, names ...string) *Table {
	u := &UI{Theme: draw.NewTheme(true, colorprofile.ASCII, draw.ASCIIGlyphs, draw.DefaultLook)}
	x := NewTable(u, Column{Title: "NAME", Key: "N", Min: 4}, Column{Title: "SIZE", Key: "S", Min: 4})
	x.SetSize(40, 6)
	arrange(t, x, Rows{
		Count: len(names),
		Cell: func(row, column int) string {
			if column == 0 {
				return names[row]
			}
			return fmt.Sprint(len(names[row]))
		},
		Minor: func(row int) bool { return strings.HasPrefix(names[row], "-") },
	})
	return x
}

func arrange(t testing.TB, x *Table, r Rows) {
	t.Helper()
	done(t, x, x.SetRows(r)())
}

func done(t testing.TB, x *Table, msg any) {
	t.Helper()
	if m, ok := msg.(ArrangedMsg); !ok || !x.Take(m) {
		t.Fatalf("not arranged: %v", msg)
	}
}

// names are those of the rows in order.
func (t *Table) names() []string {
	var list []string
	for _, row := range t.Shown {
		list = append(list, t.Rows.Cell(int(row), 0))
	}
	return list
}

func TestTableOrder(t *testing.T) {
	names := []string{"web-2", "-dns", "db-10", "Web-1", "db-9"}
	for _, tt := range []struct {
		name  string
		order Order
		want  []string
	}{
		{"by name", Order{}, []string{"Web-1", "db-10", "db-9", "web-2"}},
		{"reversed", Order{Reverse: true}, []string{"web-2", "db-9", "db-10", "Web-1"}},
		{"equal rows by number", Order{By: 1}, []string{"db-9", "web-2", "db-10", "Web-1"}},
		{"all", Order{All: true}, []string{"-dns", "Web-1", "db-10", "db-9", "web-2"}},
		{"word in any case", Order{Words: "WEB"}, []string{"Web-1", "web-2"}},
		{"all words, in any cell", Order{Words: "5 web-"}, []string{"Web-1", "web-2"}},
		{"minor rows do not match", Order{Words: "dns"}, nil},
		{"unless asked for", Order{Words: "dns", All: true}, []string{"-dns"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := shownIn(t, names...)
			done(t, x, x.SetOrder(tt.order)())
			if diff := gocmp.Diff(tt.want, x.names()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestTableNarrowing types a filter, where each step looks only at what the one
// before has left, and takes it back.
func TestTableNarrowing(t *testing.T) {
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("pod-%d", i))
	}
	x := shownIn(t, names...)
	for _, words := range []string{"", "1", "12", "123", "123 ", "123 p", "12", "7", ""} {
		done(t, x, x.SetOrder(Order{Words: words})())
		want := shownIn(t, names...)
		want.Have = Order{Words: "\x00"} // from all rows
		done(t, want, want.SetOrder(Order{Words: words})())
		if diff := gocmp.Diff(want.names(), x.names()); diff != "" {
			t.Errorf("filter %q, -want +got:\n%s", words, diff)
		}
	}
}

func TestTableOutdated(t *testing.T) {
	x := shownIn(t, "a", "b")
	first := x.SetOrder(Order{Words: "a"})
	second := x.SetOrder(Order{Words: "b"})
	if msg := first(); msg != nil {
		t.Errorf("an order nobody waits for gives %v", msg)
	}
	done(t, x, second())
	if diff := gocmp.Diff([]string{"b"}, x.names()); diff != "" {
		t.Error(diff)
	}
}

// TestTableSelection moves about, and keeps the selected row when others are
// filtered away or sorted before it.
func TestTableSelection(t *testing.T) {
	var names []string
	for c := 'a'; c <= 'z'; c++ {
		names = append(names, string(c))
	}
	x := shownIn(t, names...)
	at := func(step, want string) {
		t.Helper()
		row, _ := x.Row()
		if got := names[row]; got != want {
			t.Errorf("%s: selected %q, want %q", step, got, want)
		}
		if x.At < x.Top || x.At >= x.Top+x.Height-1 {
			t.Errorf("%s: place %d is out of sight, from %d on", step, x.At, x.Top)
		}
	}
	at("first", "a")
	for _, m := range []struct {
		action keys.Action
		want   string
	}{{keys.Up, "a"}, {keys.Down, "b"}, {keys.PageDown, "f"}, {keys.HalfDown, "h"}, {keys.Bottom, "z"}, {keys.Down, "z"}, {keys.PageUp, "v"}, {keys.HalfUp, "t"}, {keys.Top, "a"}, {keys.Bottom, "z"}} {
		x.Move(m.action)
		at(string(m.action), m.want)
	}
	done(t, x, x.SetOrder(Order{Reverse: true})())
	at("reversed", "z")
	done(t, x, x.SetOrder(Order{Words: "z"})())
	at("filtered", "z")
	done(t, x, x.SetOrder(Order{Words: "c"})())
	at("filtered away", "c")
	done(t, x, x.SetOrder(Order{})())
	at("filter cleared", "c")
	x.SetSize(40, 3)
	at("smaller", "c")
	done(t, x, x.SetOrder(Order{Words: "nothing"})())
	if _, ok := x.Row(); ok {
		t.Error("a row of an empty list is selected")
	}
	x.Move(keys.Down)
}

func TestTableLayout(t *testing.T) {
	for _, tt := range []struct {
		width int
		want  []int
	}{
		{100, []int{10, 30, 8, 20}},
		{78, []int{10, 30, 8, 20}},
		{77, []int{10, 30, 8, 19}},  // what can go gives first
		{68, []int{10, 30, 8, 10}},  // to its least
		{67, []int{10, 30, 8, 0}},   // and goes
		{50, []int{10, 24, 8, 0}},   // then the widest gives
		{36, []int{10, 10, 8, 0}},   // to its least
		{10, []int{10, 10, 8, 0}},   // beyond, lines are cut
		{500, []int{10, 30, 8, 20}}, // nothing is wider than it must be
	} {
		u := &UI{Theme: draw.NewTheme(true, colorprofile.ASCII, draw.ASCIIGlyphs, draw.DefaultLook)}
		x := NewTable(u, Column{Title: "KIND", Min: 10}, Column{Title: "NAME", Min: 10, Max: 30}, Column{Title: "NODE", Min: 8}, Column{Title: "FLAGS", Min: 10, Drop: 1})
		x.SetSize(tt.width, 5)
		long := []string{"pod", strings.Repeat("n", 63), "node-1", strings.Repeat("f", 20)}
		arrange(t, x, Rows{Count: 1, Cell: func(_, column int) string { return long[column] }})
		if diff := gocmp.Diff(tt.want, x.Widths); diff != "" {
			t.Errorf("width %d, -want +got:\n%s", tt.width, diff)
		}
	}
}

// TestTableWidth draws characters that take two columns, or none.
func TestTableWidth(t *testing.T) {
	for _, name := range []string{"plain", "日本語のポッド", "e\u0301tude", "👩‍👩‍👧 family", "a\tb\x1b[31m", strings.Repeat("語", 60)} {
		x := shownIn(t, name)
		for _, width := range []int{20, 21, 40} {
			x.SetSize(width, 6)
			line := x.line(0, true, true, false)
			if w := ansi.StringWidth(line); w != width {
				t.Errorf("%q is %d columns wide in a table of %d: %q", name, w, width, line)
			}
		}
	}
}

// TestTableBeside: beside a detail a table has half of the width, and more where it needs that and
// the detail does not.
func TestTableBeside(t *testing.T) {
	u := &UI{Theme: draw.NewTheme(true, colorprofile.ASCII, draw.ASCIIGlyphs, draw.DefaultLook)}
	x := NewTable(u, Column{Title: "NAME", Min: 10}, Column{Title: "OWNER", Min: 10}, Column{Title: "MORE", Min: 40, Wide: true})
	arrange(t, x, Rows{Count: 1, Cell: func(_, column int) string { return strings.Repeat("n", 60-20*column) }})
	for width, want := range map[int]int{150: 75, 160: 84, 170: 94, 180: 104, 200: 106, 300: 150} {
		if got := x.Beside(width); got != want {
			t.Errorf("of %d columns the table has %d, not %d", width, got, want)
		}
	}
}

// TestTableRule: a line between two rows takes the place of a row, and never that of the selected one.
func TestTableRule(t *testing.T) {
	x := shownIn(t, strings.Split("abcdefghijklmnopqrst", "")...)
	r := x.Rows
	r.Rule = func(above, below, by int) string {
		if below == 10 && by == 0 {
			return "ten above"
		}
		return ""
	}
	arrange(t, x, r)
	seen := 0
	for _, a := range slices.Concat(slices.Repeat([]keys.Action{keys.Down}, 22), slices.Repeat([]keys.Action{keys.Up}, 22), []keys.Action{keys.Bottom, keys.Top, keys.HalfDown, keys.HalfDown, keys.HalfDown, keys.HalfDown, keys.HalfDown}) {
		x.Move(a)
		lines := unpaintedLines(x.View(true, false))
		lines = lines[:len(lines)-1]
		if len(lines) > 6 {
			t.Fatalf("%d lines of 6", len(lines))
		}
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, ">   "+x.names()[x.At]) }) {
			t.Errorf("the selected row is not to be seen:\n%s", strings.Join(lines, "\n"))
		}
		for y, line := range lines {
			if !strings.Contains(line, "ten above") {
				continue
			}
			seen++
			if _, ok := x.Click(5, y); ok {
				t.Error("a click on the line does something")
			}
			for _, at := range []int{y - 1, y + 1} {
				if at < 1 || at >= len(lines) {
					continue
				}
				y := *x
				if y.Click(5, at); !strings.HasPrefix(lines[at][4:], y.names()[y.At]) {
					t.Errorf("a click on %q selects %q", lines[at], y.names()[y.At])
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no line is drawn")
	}
	x.Order.By = 1
	done(t, x, x.SetOrder(x.Order)())
	if strings.Contains(strings.Join(x.View(true, false), ""), "ten above") {
		t.Error("it is drawn in another order")
	}
}
