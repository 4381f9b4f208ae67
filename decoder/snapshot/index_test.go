package snapshot

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"revenant/decoder/boltpage"
	"revenant/internal/hostile"
)

// TestIndexLookup looks up every revision around those that an index has, where its blocks
// are full and where they are not.
func TestIndexLookup(t *testing.T) {
	for _, n := range []int{0, 1, 2, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize} {
		var seg segment
		var list []Revision
		for i := range int64(n) {
			e := entry{rev: Revision{Main: 5 + i/2*3, Sub: i % 2}} // 5, 5.1, 8, 8.1, …
			seg.add(&e)
			list = append(list, e.rev)
		}
		x := &index{blocks: seg.blocks, len: n}
		revisions := func(places func(func(place) bool)) (got []Revision) {
			for p := range places {
				b, i := x.at(p)
				got = append(got, b.revision(i))
			}
			return got
		}
		probes := []int64{-1, 0, 4, 5, 6, 7, 8}
		if n > 0 {
			edge, last := list[min(n, blockSize)-1].Main, list[n-1].Main
			probes = append(probes, edge-1, edge, edge+1, edge+2, edge+3, last-1, last, last+1, last+3)
		}
		for _, main := range probes {
			for sub := range int64(3) {
				rev := Revision{Main: main, Sub: sub}
				p, ok := x.byRevision(rev)
				if want := slices.Index(list, rev); ok != (want >= 0) || ok && int(p) != want {
					t.Errorf("%d records: %s is at %d, %t, not at %d", n, rev, p, ok, want)
				}
			}
			if want := slices.ContainsFunc(list, func(r Revision) bool { return r.Main == main }); x.hasMain(main) != want {
				t.Errorf("%d records: there is one of %d: %t", n, main, !want)
			}
			older := slices.DeleteFunc(slices.Clone(list), func(r Revision) bool { return r.Main > main })
			slices.Reverse(older)
			if got := revisions(x.backward(main)); !slices.Equal(got, older) {
				t.Errorf("%d records: %d down from %d, not %d", n, len(got), main, len(older))
			}
			newer := slices.DeleteFunc(slices.Clone(list), func(r Revision) bool { return r.Main < main })
			if got := revisions(x.forward(main)); !slices.Equal(got, newer) {
				t.Errorf("%d records: %d up from %d, not %d", n, len(got), main, len(newer))
			}
			for range x.backward(main) {
				break
			}
			for range x.forward(main) {
				break
			}
		}
		if got := revisions(x.places()); !slices.Equal(got, list) {
			t.Errorf("%d records: %d places", n, len(got))
		}
	}
}

// TestIndexVanished cuts a file off before it is indexed: the records that are gone are lost,
// and nothing else is.
func TestIndexVanished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot.db")
	first, second := hostile.Record(2, 0, 2, 1, "/a", nil), hostile.Record(3, 0, 3, 1, "/b", nil)
	var made hostile.File
	leaf := made.Leaf(first)
	root := made.Branch([][]byte{first.Key, second.Key}, []uint64{leaf, leaf + 2})
	made.Leaf(second)
	data := made.Finish(made.Leaf(hostile.Bucket("key", root), hostile.Inline("meta")), hostile.NoFreelist, 0)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pages, err := boltpage.Open(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	if err := f.Truncate(int64(root+1) * hostile.PageSize); err != nil {
		t.Skip("an open file cannot be cut off here: ", err)
	}
	x, _, problems, err := buildIndex(t.Context(), pages.Bucket("key"), 1, false, newProgress(nil, PhaseIndex, 2))
	if err != nil || len(problems.list) > 0 {
		t.Fatalf("%v, problems %v", err, problems.list)
	}
	if x.len != 1 || x.newestMain() != 2 || pages.AnomalyCount() == 0 {
		t.Errorf("%d records up to %d, anomalies %v", x.len, x.newestMain(), pages.Anomalies())
	}
}
