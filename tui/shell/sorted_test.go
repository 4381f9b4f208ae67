package shell

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/tui/session"
)

// lists are all lists of the demo.
var lists = []string{"3u", "3uz", "3uzz", "4", "5u", "6", "6z", "6zz", ":po<enter>w", "3/cache-1<enter>H", "8u", "8uz", "9", "0", "0z", "0zz", "0zzzzz", "0zzzzzz", "0zzzzzzz", ":undone<enter>u"}

// count is a cell that is only a number, or one that combines what is certain and possible.
func count(cell string) (int64, bool) {
	if cell == "-" {
		return 0, true
	}
	sum := int64(0)
	for part := range strings.FieldsSeq(strings.NewReplacer(",", "", "?", "").Replace(cell)) {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return 0, false
		}
		sum += n
	}
	return sum, cell != ""
}

// TestSortedAsSaid: the letter that sorts by a column is one of its title; a list of numbers
// ascends where the arrow points up, and descends where it points down, both ways.
func TestSortedAsSaid(t *testing.T) {
	x := openOn(t, demoInput(t), 250, 50)
	columns := 0
	for _, keys := range lists {
		x.show(0)
		x.typed(keys)
		taken := map[string]string{}
		for i, c := range x.shown().(session.Sorter).Columns() {
			if c.Key == "" {
				continue
			}
			if taken[c.Key] != "" || !strings.Contains(c.Title, c.Key) && !c.Wide { // of kubectl's columns there may be too many
				t.Errorf("%s: %s sorts by %q, and by %q", keys, c.Key, c.Title, taken[c.Key])
			}
			taken[c.Key] = c.Title
			for range 2 {
				x.typed(c.Key)
				screen := strings.ReplaceAll(x.plain(), c.Title+" ", c.Title) // the arrow may stand close
				hidden := "by " + strings.ToLower(c.Title)                    // said above the rows where the column has no room
				down := strings.Contains(screen, c.Title+"↓") || strings.Contains(screen, hidden+" ↓")
				if up := strings.Contains(screen, c.Title+"↑") || strings.Contains(screen, hidden+" ↑"); up == down && i > 0 {
					t.Fatalf("%s, %s: no arrow, or two:\n%s", keys, c.Key, x.plain())
				}
				if c.By != "" || c.Drawn {
					continue
				}
				columns += x.sortedBy(c.Title, down)
			}
		}
		x.typed("<esc><esc>")
	}
	if columns < 40 {
		t.Errorf("only %d columns are numbers", columns)
	}
}

// sortedBy checks the numbers of a column, and is 1 where they are numbers.
func (x *terminal) sortedBy(title string, down bool) int {
	e := x.excerpt(true)
	if e.Later != nil {
		e.Text = e.Later()
	}
	rows, err := csv.NewReader(strings.NewReader(e.Text)).ReadAll()
	if err != nil {
		x.Fatal(err)
	}
	var list []int64
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			n, ok := count(row[i])
			if name == title && !ok {
				return 0
			}
			if name == title {
				list = append(list, n)
			}
		}
	}
	for i := 1; i < len(list); i++ {
		if list[i] > list[i-1] && down || list[i] < list[i-1] && !down {
			x.Errorf("by %s, down %v: %v", title, down, list)
			return 1
		}
	}
	return 1
}

// TestRunsSorted: what combines numbers sorts by those that are certain, then by those that are
// possible, as the help says.
func TestRunsSorted(t *testing.T) {
	in := demoInput(t)
	x := openOn(t, in, 250, 50).typed("bbm5uR")
	list := x.Prediction.Workloads
	for i, n := range []int64{3, 12, 7, 2} { // and what may run beside them, so that each part counts
		list[i].Running, list[i].MayRun = n, int64(i%2)*9
	}
	list[4].Running, list[4].MayRun = 3, 11
	x.typed("RR")
	for _, down := range []bool{true, false} {
		rows, err := csv.NewReader(strings.NewReader(x.excerpt(true).Text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		at := slices.Index(rows[0], "RUNS")
		var got [][2]int64
		for _, row := range rows[1:] {
			var n [2]int64
			for part := range strings.FieldsSeq(row[at]) {
				number, possible := strings.CutSuffix(part, "?")
				v, ok := count(number)
				if !ok {
					t.Fatalf("%q is no number", part)
				}
				if possible {
					n[1] = v
				} else {
					n[0] = v
				}
			}
			got = append(got, n)
		}
		want := slices.Clone(got)
		slices.SortStableFunc(want, func(a, b [2]int64) int {
			d := slices.Compare(a[:], b[:])
			if down {
				d = -d
			}
			return d
		})
		if diff := cmp.Diff(want, got); diff != "" || !slices.Contains(got, [2]int64{3, 11}) || !slices.Contains(got, [2]int64{12, 9}) {
			t.Errorf("down %v: -sorted +listed\n%s", down, diff)
		}
		x.typed("R")
	}
	x.shows("?", "R runs (those that certainly run, then those that may)")
}

// TestMostHarmedFirst: workloads and nodes open with those that come to most harm, whose
// phantoms and ghosts are there at 80 columns.
func TestMostHarmedFirst(t *testing.T) {
	for keys, first := range map[string]string{"4": "node-4", "5": "api"} {
		x := openOn(t, demoInput(t), 80, 24).typed(keys)
		head, row := "", ""
		for _, line := range strings.Split(x.plain(), "\n") {
			if strings.Contains(line, "PHANTOMS") {
				head = line
			} else if head != "" && row == "" {
				row = line
			}
		}
		if !strings.Contains(head, "GHOSTS") || !strings.Contains(row, first) || !strings.Contains(x.plain(), "by harm ↓") {
			t.Errorf("%s does not begin with %s:\n%s", keys, first, x.plain())
		}
	}
}
