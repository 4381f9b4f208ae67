package boltpage_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/boltpage"
	"revenant/internal/hostile"
)

func openHostile(t *testing.T, data []byte) *boltpage.File {
	t.Helper()
	f, err := boltpage.OpenBytes(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func keyed(from, to int) (items []hostile.Item) {
	for i := from; i < to; i++ {
		items = append(items, hostile.Item{Key: binary.BigEndian.AppendUint32(nil, uint32(i)), Value: []byte{1}})
	}
	return items
}

// TestNodesEndAtTheNext has leaf pages that span all that follow: each is read as far as
// its elements fill, and every item belongs to the page that it stands on.
func TestNodesEndAtTheNext(t *testing.T) {
	for _, reversed := range []bool{false, true} {
		const pages, each = 50, 20
		var f hostile.File
		ids, keys := make([]uint64, pages), make([][]byte, pages)
		for n := range pages {
			i := n
			if reversed {
				i = pages - 1 - n
			}
			items := keyed(i*each, (i+1)*each)
			items[each-1].Value = make([]byte, 2*hostile.PageSize) // on overflow pages of its own
			ids[i], keys[i] = f.Leaf(items...), items[0].Key
		}
		for _, id := range ids {
			f.Overflow(id, uint32(f.Pages()-id-1))
		}
		file := openHostile(t, f.Finish(f.Leaf(hostile.Bucket("b", f.Branch(keys, ids))), hostile.NoFreelist, 0))
		n := 0
		err := file.Bucket("b").Each(func(items []boltpage.Item) error {
			for _, it := range items {
				if got := file.PageOf(it.Offset + int64(len(it.Value)) - 1); got != it.Page || it.Page != ids[n/each] {
					t.Errorf("item %d of page %d, at %d: page %d", n, ids[n/each], it.Page, got)
				}
				n++
			}
			return nil
		})
		if err != nil || n != pages*each {
			t.Errorf("reversed %v: %d items of %d can be read: %v", reversed, n, pages*each, err)
		}
		long := 0
		for _, a := range file.Anomalies() {
			if a.Kind == boltpage.BadPacking {
				long++
			}
		}
		if long < pages-1 {
			t.Errorf("reversed %v: %d pages are said to span too much, of %d", reversed, long, pages-1)
		}
		if u, err := file.Usage(t.Context()); err != nil || u.Tree > file.Pages() {
			t.Errorf("usage %+v of %d pages: %v", u, file.Pages(), err)
		}
	}
}

// TestStrayPageID lets a branch page lead into the middle of a large value: the value is
// still read whole.
func TestStrayPageID(t *testing.T) {
	var f hostile.File
	value := []byte(strings.Repeat("v", 5*hostile.PageSize))
	a := f.Leaf(hostile.Item{Key: []byte("a"), Value: value})
	c := f.Leaf(hostile.Item{Key: []byte("c"), Value: []byte("1")})
	root := f.Branch([][]byte{[]byte("a"), []byte("b"), []byte("c")}, []uint64{a, a + 2, c})
	file := openHostile(t, f.Finish(f.Leaf(hostile.Bucket("b", root)), hostile.NoFreelist, 0))
	var got []string
	err := file.Bucket("b").Each(func(items []boltpage.Item) error {
		for _, it := range items {
			got = append(got, fmt.Sprintf("%s %d", it.Key, len(it.Value)))
		}
		return nil
	})
	if want := []string{fmt.Sprint("a ", len(value)), "c 1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, want %v: %v", got, want, err)
	}
	if file.AnomalyCount() == 0 {
		t.Error("nothing is wrong with it")
	}
}

// TestManyItems has more items on a page than are handed over at a time. Which of them
// are loose does not depend on where one hand ends.
func TestManyItems(t *testing.T) {
	items := keyed(0, 20_000)
	loose := map[int]bool{4094: true, 4095: true, 4096: true, 9999: true}
	for i := range loose {
		items[i].Value, items[i].Size = []byte{1, 2}, 1
	}
	var f hostile.File
	file := openHostile(t, f.Finish(f.Leaf(hostile.Bucket("b", f.Leaf(items...))), hostile.NoFreelist, 0))
	n := 0
	err := file.Bucket("b").Each(func(some []boltpage.Item) error {
		if len(some) > 5000 {
			t.Errorf("%d items at a time", len(some))
		}
		for _, it := range some {
			if string(it.Key) != string(items[n].Key) || it.Loose != loose[n] {
				t.Fatalf("item %d: %x, loose %v", n, it.Key, it.Loose)
			}
			n++
		}
		return nil
	})
	if err != nil || n != len(items) {
		t.Errorf("%d items of %d: %v", n, len(items), err)
	}
	stop := errors.New("enough")
	calls := 0
	err = file.Bucket("b").Each(func([]boltpage.Item) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Errorf("%d calls after the one that said to stop: %v", calls-1, err)
	}
}

// TestManyBuckets reads so many buckets of the root and says that there are more.
func TestManyBuckets(t *testing.T) {
	var items []hostile.Item
	for i := range 50_000 {
		items = append(items, hostile.Inline(fmt.Sprintf("%06d", i)))
	}
	var f hostile.File
	file := openHostile(t, f.Finish(f.Leaf(items...), hostile.NoFreelist, 0))
	if n := len(file.Buckets()); n == 0 || n > 1000 {
		t.Errorf("%d buckets are read", n)
	}
	if list := file.Anomalies(); len(list) != 1 || !strings.Contains(list[0].Detail, "more than 1000 buckets") || list[0].Lost != -1 {
		t.Errorf("anomalies: %v", list)
	}
}

// TestManyGaps has more gaps than are told apart: what is missing lies in one of them.
func TestManyGaps(t *testing.T) {
	const pages, each = 6000, 10
	var f hostile.File
	var groups [][]hostile.Item
	for i := range pages {
		items := keyed(i*each, (i+1)*each)
		for n := range items {
			if n%3 == 1 {
				items[n].Size = 1 << 24 // it lies outside of the page
			}
		}
		groups = append(groups, items)
	}
	root, _ := f.Tree(groups...)
	file := openHostile(t, f.Finish(f.Leaf(hostile.Bucket("b", root)), hostile.NoFreelist, 0))
	gaps, err := file.Bucket("b").Gaps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(gaps) < 1000 || len(gaps) > 10_001 {
		t.Errorf("%d gaps", len(gaps))
	}
	for i := 1; i < pages*each; i += 50 * each {
		key := keyed(i, i+1)[0].Key
		if !slices.ContainsFunc(gaps, func(g boltpage.Gap) bool { return g.Contains(key) }) {
			t.Fatalf("item %d is missing and in no gap", i)
		}
	}
}

// TestCanceled opens and reads nothing once ctx is done.
func TestCanceled(t *testing.T) {
	file := openHostile(t, hostile.Store(hostile.Pack(keyed(0, 100_000))...))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := file.Bucket("key")
	for name, ask := range map[string]func() error{
		"open":   func() error { _, err := boltpage.OpenBytes(ctx, hostile.Store(keyed(0, 10))); return err },
		"len":    func() error { _, err := b.Len(ctx); return err },
		"usage":  func() error { _, err := file.Usage(ctx); return err },
		"gaps":   func() error { _, err := b.Gaps(ctx); return err },
		"unused": func() error { return file.EachUnused(ctx, func([]boltpage.Item) error { return nil }) },
		"leaf":   func() error { return file.EachLeaf(ctx, func([]boltpage.Item) error { return nil }) },
	} {
		if err := ask(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOneOrder reads the pages of a bucket from the first on and from the last on: what is
// wrong with them is told alike.
func TestOneOrder(t *testing.T) {
	var f hostile.File
	odd := make([]hostile.Item, 12) // keys that descend
	for i := range odd {
		odd[i] = keyed(40-i, 41-i)[0]
	}
	pages := []uint64{f.Leaf(keyed(0, 2)...), f.Leaf(odd...), f.Leaf(keyed(20, 22)...)}
	root := f.Branch([][]byte{keyed(0, 1)[0].Key, keyed(10, 11)[0].Key, keyed(20, 21)[0].Key}, pages)
	data := f.Finish(f.Leaf(hostile.Bucket("b", root)), hostile.NoFreelist, 0)

	read := func(order ...int) (told []string) {
		file := openHostile(t, data)
		for _, page := range order {
			if err := file.Bucket("b").Page(page).Each(func([]boltpage.Item) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for _, a := range file.Anomalies() {
			told = append(told, a.String())
		}
		return told
	}
	up, down := read(0, 1, 2), read(2, 1, 0)
	if diff := cmp.Diff(up, down); diff != "" {
		t.Errorf("(-from the first page on +from the last on):\n%s", diff)
	}
	if len(up) != len(odd)+1 || !strings.Contains(up[0], "the first key") || !strings.Contains(up[9], "element 9 ") || !strings.Contains(up[10], "element 10 ") {
		t.Errorf("read from the first page on: %q", up)
	}
}
