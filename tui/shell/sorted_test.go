package shell

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

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
				if c.By != "" && !strings.HasPrefix(c.By, "those that certainly") || c.Drawn {
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
		if title != "RUNS" && (list[i] > list[i-1] && down || list[i] < list[i-1] && !down) {
			x.Errorf("by %s, down %v: %v", title, down, list)
			return 1
		}
	}
	return 1
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
