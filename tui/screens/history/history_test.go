package history

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/history"
	"revenant/decoder/snapshot"
	"revenant/tui/session"
)

// TestInNoFile gives what is in no file rows of their own, at their places.
func TestInNoFile(t *testing.T) {
	in := &session.Input{}
	entry := func(revision int64) history.Entry {
		return history.Entry{Record: snapshot.Record{Revision: snapshot.Revision{Main: revision}}, What: history.Changed, In: []int{0}, Source: "a.db"}
	}
	h := &session.History{From: in.Histories(), History: &history.History{
		Entries: []history.Entry{entry(100), entry(900), entry(901)},
		Gone:    &history.Gone{After: 950, Before: 1000, Older: "b.db", Newer: "c.db"},
	}}
	h.Entries[1].Unseen = 3
	h.Entries[1].Gone = &history.Gone{After: 120, Before: 880, Older: "a.db", Newer: "b.db"}
	lines := linesOf(h)
	r := historyRows(h, lines)
	var got [][]string
	for row := range r.Count {
		got = append(got, []string{r.Cell(row, 0), r.Cell(row, 2), r.Cell(row, 6), lines[row].note})
		if row > 0 && r.Compare(row, row-1, 0) >= 0 {
			t.Errorf("row %d is not listed before the older one", row)
		}
	}
	want := [][]string{
		{"100", "changed", "a.db", ""},
		{"120-880", "deleted", "no file", "deleted between revisions 120 (a.db) and 880 (b.db): no file holds the time between"},
		{"", "3 writes", "no file", "3 writes are in no file"},
		{"900", "changed", "a.db", ""},
		{"901", "changed", "a.db", ""},
		{"950-1000", "deleted", "no file", "deleted between revisions 950 (b.db) and 1,000 (c.db): no file holds the time between"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
