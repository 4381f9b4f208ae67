package snapshot

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/boltpage"
	"revenant/internal/hostile"
)

// TestNewLost: a revision lies where something is missing if any of the stretches has it,
// however they overlap.
func TestNewLost(t *testing.T) {
	const open = -1 // no revision: the beginning, or the end
	type stretch struct{ after, before int64 }
	for _, stretches := range [][]stretch{
		{},
		{{3, 5}},
		{{3, 5}, {5, 8}},
		{{3, 5}, {4, 8}},
		{{3, 9}, {4, 6}},
		{{3, 9}, {4, 6}, {7, 12}},
		{{7, 9}, {3, 5}, {1, 2}},
		{{7, open}, {3, 5}},
		{{3, open}, {5, 7}},
		{{3, 6}, {5, open}},
		{{5, 7}, {open, 3}},
		{{open, open}, {3, 5}},
		{{3, 5}, {3, 5}, {3, 4}},
		{{3, 5}, {3, 8}},
	} {
		t.Run(fmt.Sprint(stretches), func(t *testing.T) {
			key := func(main int64) []byte {
				if main == open {
					return nil
				}
				return appendRevision(nil, Revision{Main: main}, false)
			}
			var gaps []boltpage.Gap
			for _, s := range stretches {
				gaps = append(gaps, boltpage.Gap{After: key(s.after), Before: key(s.before)})
			}
			var want, got []int64
			l := newLost(gaps)
			for main := range int64(15) {
				for _, s := range stretches {
					if main > s.after && (main < s.before || s.before == open) {
						want = append(want, main)
						break
					}
				}
				if l.Contains(Revision{Main: main}, false) {
					got = append(got, main)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || l.Any() != (len(stretches) > 0) {
				t.Errorf("in what is missing (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHeadlessWithLog: what may be lost at the end where a meta page is, or both are, and a
// log makes up for that.
func TestHeadlessWithLog(t *testing.T) {
	items := []hostile.Item{hostile.Record(2, 0, 2, 1, "/a", nil), hostile.Record(3, 0, 3, 1, "/b", nil)}
	whole := hostile.Store(items)
	room := int64(len(whole)) / leastRecord
	for _, tt := range []struct {
		name         string
		clear        int // pages at the beginning, from that one on
		from         int
		alone, inLog int64
	}{
		{"whole", 0, 0, 0, 0},
		{"the newer meta page", 1, 1, room, 0},
		{"both meta pages", 2, 0, room, 0},
		{"the records", 1, 2, room, room},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := hostile.Store(items)
			clear(data[tt.from*hostile.PageSize:][:tt.clear*hostile.PageSize])
			s := openHostile(t, data, 1)
			n, err := s.Headless(t.Context())
			if n != tt.alone || err != nil {
				t.Errorf("up to %d are lost, %v", n, err)
			}
			s.wal = &WAL{}
			if n, err = s.Headless(t.Context()); n != tt.inLog || err != nil {
				t.Errorf("with a log up to %d are lost, %v", n, err)
			}
		})
	}
	large := hostile.Store(items, []hostile.Item{hostile.Record(4, 0, 4, 1, "/c", make([]byte, 1<<19))})
	clear(large[hostile.PageSize:][:hostile.PageSize])
	if n, err := openHostile(t, large, 1).Headless(t.Context()); n != batchLimit || err != nil {
		t.Errorf("a commit behind, up to %d are lost, %v", n, err)
	}
	clear(large[:2*hostile.PageSize])
	if n, err := openHostile(t, large, 1).Headless(t.Context()); n != int64(len(large))/leastRecord || err != nil {
		t.Errorf("of a root that was looked for up to %d are lost, %v", n, err)
	}
}

// TestMostLost tells so many stretches apart, and takes what follows for lost.
func TestMostLost(t *testing.T) {
	for _, n := range []int{maxLost, maxLost + 1, maxLost + 2} {
		var items []hostile.Item
		for i := range int64(n) {
			items = append(items, hostile.Record(3+2*i, 0, 3+2*i, 1, fmt.Sprint(i), nil)) // 2 is missing, 4, 6, …
		}
		s := openHostile(t, hostile.Store(hostile.Pack(items)...), 1)
		lost, err := s.Lost(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		list := lost.Stretches()
		last := list[len(list)-1]
		want := fmt.Sprintf("between %d and %d", 2*maxLost-1, 2*maxLost+1)
		if n > maxLost {
			want = fmt.Sprintf("between %d and the end", 2*maxLost+1)
		}
		if len(list) != min(n, maxLost+1) || last != want {
			t.Errorf("%d stretches, the last of which is %s, not %s", len(list), last, want)
		}
	}
}
