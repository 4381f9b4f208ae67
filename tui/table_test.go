package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	gocmp "github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
)

// shownIn is a table of names, arranged.
func shownIn(t testing.TB, names ...string) *table {
	u := &ui{theme: newTheme(true, colorprofile.ASCII, asciiGlyphs, DefaultLook)}
	x := newTable(u, column{title: "NAME", key: "N", min: 4}, column{title: "SIZE", key: "S", min: 4})
	x.setSize(40, 6)
	arrange(t, x, rows{
		count: len(names),
		cell: func(row, column int) string {
			if column == 0 {
				return names[row]
			}
			return fmt.Sprint(len(names[row]))
		},
		minor: func(row int) bool { return strings.HasPrefix(names[row], "-") },
	})
	return x
}

func arrange(t testing.TB, x *table, r rows) {
	t.Helper()
	done(t, x, x.setRows(r)())
}

func done(t testing.TB, x *table, msg any) {
	t.Helper()
	if m, ok := msg.(arrangedMsg); !ok || !x.arranged(m) {
		t.Fatalf("not arranged: %v", msg)
	}
}

// names are those of the rows in order.
func (t *table) names() []string {
	var list []string
	for _, row := range t.shown {
		list = append(list, t.rows.cell(int(row), 0))
	}
	return list
}

func TestTableOrder(t *testing.T) {
	names := []string{"web-2", "-dns", "db-10", "Web-1", "db-9"}
	for _, tt := range []struct {
		name  string
		order order
		want  []string
	}{
		{"by name", order{}, []string{"Web-1", "db-10", "db-9", "web-2"}},
		{"reversed", order{reverse: true}, []string{"web-2", "db-9", "db-10", "Web-1"}},
		{"equal rows by number", order{by: 1}, []string{"db-9", "web-2", "db-10", "Web-1"}},
		{"all", order{all: true}, []string{"-dns", "Web-1", "db-10", "db-9", "web-2"}},
		{"word in any case", order{words: "WEB"}, []string{"Web-1", "web-2"}},
		{"all words, in any cell", order{words: "5 web-"}, []string{"Web-1", "web-2"}},
		{"minor rows do not match", order{words: "dns"}, nil},
		{"unless asked for", order{words: "dns", all: true}, []string{"-dns"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := shownIn(t, names...)
			done(t, x, x.setOrder(tt.order)())
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
		done(t, x, x.setOrder(order{words: words})())
		want := shownIn(t, names...)
		want.have = order{words: "\x00"} // from all rows
		done(t, want, want.setOrder(order{words: words})())
		if diff := gocmp.Diff(want.names(), x.names()); diff != "" {
			t.Errorf("filter %q, -want +got:\n%s", words, diff)
		}
	}
}

func TestTableOutdated(t *testing.T) {
	x := shownIn(t, "a", "b")
	first := x.setOrder(order{words: "a"})
	second := x.setOrder(order{words: "b"})
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
		row, _ := x.row()
		if got := names[row]; got != want {
			t.Errorf("%s: selected %q, want %q", step, got, want)
		}
		if x.at < x.top || x.at >= x.top+x.height-1 {
			t.Errorf("%s: place %d is out of sight, from %d on", step, x.at, x.top)
		}
	}
	at("first", "a")
	for _, m := range []struct {
		action action
		want   string
	}{{up, "a"}, {down, "b"}, {pageDown, "f"}, {halfDown, "h"}, {bottom, "z"}, {down, "z"}, {pageUp, "v"}, {halfUp, "t"}, {top, "a"}, {bottom, "z"}} {
		x.move(m.action)
		at(string(m.action), m.want)
	}
	done(t, x, x.setOrder(order{reverse: true})())
	at("reversed", "z")
	done(t, x, x.setOrder(order{words: "z"})())
	at("filtered", "z")
	done(t, x, x.setOrder(order{words: "c"})())
	at("filtered away", "c")
	done(t, x, x.setOrder(order{})())
	at("filter cleared", "c")
	x.setSize(40, 3)
	at("smaller", "c")
	done(t, x, x.setOrder(order{words: "nothing"})())
	if _, ok := x.row(); ok {
		t.Error("a row of an empty list is selected")
	}
	x.move(down)
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
		u := &ui{theme: newTheme(true, colorprofile.ASCII, asciiGlyphs, DefaultLook)}
		x := newTable(u, column{title: "KIND", min: 10}, column{title: "NAME", min: 10, max: 30}, column{title: "NODE", min: 8}, column{title: "FLAGS", min: 10, drop: 1})
		x.setSize(tt.width, 5)
		long := []string{"pod", strings.Repeat("n", 63), "node-1", strings.Repeat("f", 20)}
		arrange(t, x, rows{count: 1, cell: func(_, column int) string { return long[column] }})
		if diff := gocmp.Diff(tt.want, x.widths); diff != "" {
			t.Errorf("width %d, -want +got:\n%s", tt.width, diff)
		}
	}
}

// TestTableWidth draws characters that take two columns, or none.
func TestTableWidth(t *testing.T) {
	for _, name := range []string{"plain", "日本語のポッド", "e\u0301tude", "👩‍👩‍👧 family", "a\tb\x1b[31m", strings.Repeat("語", 60)} {
		x := shownIn(t, name)
		for _, width := range []int{20, 21, 40} {
			x.setSize(width, 6)
			line := x.line(0, true, true, false)
			if w := ansi.StringWidth(line); w != width {
				t.Errorf("%q is %d columns wide in a table of %d: %q", name, w, width, line)
			}
		}
	}
}

// manyPods are n pods with a bit of everything.
func manyPods(n int) []restore.PodOutcome {
	list := make([]restore.PodOutcome, n)
	for i := range list {
		info := restore.Outcomes[i%len(restore.Outcomes)]
		list[i] = restore.PodOutcome{
			PodIdentity: &restore.PodIdentity{
				Namespace: fmt.Sprintf("team-%d", i/1000), Name: fmt.Sprintf("web-%d-7fcff878d7-%05d", i%37, i), UID: fmt.Sprint(i), Node: fmt.Sprintf("node-%d", i%5000),
			},
			Finding:   &restore.Finding{Outcome: info.ID, Severity: info.Severity},
			Certainty: restore.Certain,
		}
	}
	slices.SortFunc(list, func(a, b restore.PodOutcome) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return list
}

// manyPodsScreen is the pods screen with n pods.
func manyPodsScreen(b *testing.B, n int) *pods {
	s := &session{ui: ui{keymap: defaultKeys, theme: newTheme(true, colorprofile.TrueColor, unicodeGlyphs, DefaultLook)}, input: &Input{}}
	s.prediction = &restore.Prediction{Pods: manyPods(n)}
	p := newPods(s).(*pods)
	p.SetSize(140, 24) // without a detail, whose object would have to be read
	p.of = s.prediction
	arrange(b, p.table, (podList{pods: p.of.Pods}).rows())
	done(b, p.table, p.table.setOrder(order{all: true})())
	return p
}

var benchSizes = []int{100, 10_000, 1_000_000}

// BenchmarkTableFrame draws the list of pods while its selection moves.
func BenchmarkTableFrame(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.table.move([]action{down, pageDown, bottom, up, top}[i%5])
				p.View()
			}
		})
	}
}

// BenchmarkTableFilter types two letters of a filter. It runs beside the screen.
func BenchmarkTableFilter(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			for b.Loop() {
				for _, words := range []string{"9", "99", ""} {
					done(b, p.table, p.table.setOrder(order{words: words, all: true})())
				}
			}
		})
	}
}

// BenchmarkTableSort sorts by name and by severity. It runs beside the screen.
func BenchmarkTableSort(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			for b.Loop() {
				done(b, p.table, p.table.sortBy("N")())
				done(b, p.table, p.table.sortBy("S")())
			}
		})
	}
}

func TestHung(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  []string
	}{
		{"short", 10, []string{"short"}},
		{"", 10, []string{""}},
		{"  revenant plan backup.db --last", 20, []string{"  revenant plan ", "      backup.db ", "      --last"}},
		{"  {\"abcdefghijklmnopqrstuvwxyz\":1}", 20, []string{"  {\"abcdefghijklmnop", "      qrstuvwxyz\":1}"}},
		{"        abcdefgh", 12, []string{"        abcd", "efgh"}}, // too far in already
		{"日本語日本語日本語", 12, []string{"日本語日本語", "    日本語"}},
	} {
		if diff := gocmp.Diff(tt.want, hung(tt.line, tt.width)); diff != "" {
			t.Errorf("%q in %d:\n%s", tt.line, tt.width, diff)
		}
	}
}
