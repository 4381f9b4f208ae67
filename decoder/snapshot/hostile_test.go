package snapshot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/boltpage"
	"revenant/internal/hostile"
)

// bound is how many bytes a file may make this package hold.
func bound(records, keyBytes, largest int) uint64 {
	return uint64(64<<20 + 48*records + keyBytes + 2*largest)
}

// tooLong is more than any answer of these tests takes.
const tooLong = 5 * time.Second

// allocated is how many bytes fn allocates in all.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// held is the most that the heap holds while fn runs, above what it held before.
func held(fn func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, highest := m.HeapAlloc, m.HeapAlloc
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapAlloc)
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	fn()
	close(done)
	<-watched
	return highest - before
}

func openHostile(t testing.TB, data []byte, workers int) *Snapshot {
	t.Helper()
	s, err := OpenBytes(t.Context(), "hostile", data, Options{SkipHashCheck: true, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// askMemory asks everything whose answers are bounded by the file, and keeps nothing.
func askMemory(t testing.TB, s *Snapshot) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Status(ctx)
	must(err)
	_, err = s.Hash(ctx)
	must(err)
	_, err = s.HashKV(ctx, 0)
	must(err)
	c, err := s.Carve(ctx)
	must(err)
	n := 0
	for r := range c.Records {
		n++
		_, err = s.Head(r.Record, 16)
		must(err)
	}
	if n != c.Count {
		t.Fatalf("%d carved, %d counted", n, c.Count)
	}
	lost, err := s.Lost(ctx)
	must(err)
	lost.Stretches()
	_, err = s.CompactSeen(ctx)
	must(err)
	_, err = s.LeftoverBuckets(ctx)
	must(err)
	_, err = s.Buckets(ctx)
	must(err)
	_, err = s.Usage(ctx)
	must(err)
	doubtful := s.Doubtful()
	for r := range s.Records() {
		doubtful(r)
		s.Suspect(r)
		s.Page(r)
	}
	for range s.Histories() {
	}
	s.Problems()
}

// TestAbsurdRevisions opens stores whose revisions, subs and create revisions lie as
// far apart as they can: each record is listed as it stands there, in order, and takes
// no more memory than any other.
func TestAbsurdRevisions(t *testing.T) {
	const n = 20_000
	r := rand.New(rand.NewPCG(3, 1))
	for name, of := range map[string]func(i int64) Revision{
		"far apart":       func(i int64) Revision { return Revision{Main: 5 + i<<33} },
		"far apart, subs": func(i int64) Revision { return Revision{Main: 5 + i<<33, Sub: r.Int64N(1 << 32)} },
		"to the last":     func(i int64) Revision { return Revision{Main: math.MaxInt64 - (n-i)*(n-i)*1000} },
		"descending":      func(i int64) Revision { return Revision{Main: math.MaxInt64 - i<<33} },
		"anyhow":          func(int64) Revision { return Revision{Main: r.Int64(), Sub: r.Int64N(3)} },
		"twice":           func(i int64) Revision { return Revision{Main: (i % (n / 2)) << 34} },
	} {
		for _, workers := range []int{1, 7} {
			t.Run(fmt.Sprintf("%s, %d workers", name, workers), func(t *testing.T) {
				var items []hostile.Item
				want, second := map[Revision]int64{}, map[Revision]int64{}
				for i := range int64(n) {
					rev, create := of(i), r.Int64()
					items = append(items, hostile.Record(rev.Main, rev.Sub, create, 1, "/registry/pods/a", nil))
					if _, ok := want[rev]; !ok {
						want[rev] = create
					} else {
						second[rev] = create
					}
				}
				data := hostile.Store(hostile.Pack(items)...)
				var s *Snapshot
				if got := allocated(func() { s = openHostile(t, data, workers) }); got > bound(n, 0, 0)/2 {
					t.Errorf("opening %d bytes allocates %d", len(data), got)
				}
				last, found := Revision{Main: -1}, map[Revision]int64{}
				for rec := range s.Records() {
					if !last.less(rec.Revision) {
						t.Fatalf("revision %s follows %s", rec.Revision, last)
					}
					last = rec.Revision
					found[rec.Revision] = rec.CreateRevision
					if value, err := s.Raw(rec, nil); err != nil || len(value) != rec.Size {
						t.Fatalf("revision %s: %d bytes, %v", rec.Revision, len(value), err)
					}
				}
				const onPage = 500 // records, at most: the first does not count where its page is out of order
				if other := countEqual(found, second); other > onPage {
					t.Errorf("of %d revisions the second record counts", other)
				}
				for rev, create := range found {
					if create == second[rev] {
						want[rev] = create
					}
				}
				if diff := cmp.Diff(want, found); diff != "" {
					t.Errorf("records differ (-written +read):\n%.2000s", diff)
				}
				if got := allocated(func() { askMemory(t, s) }); got > bound(n, 0, 0) {
					t.Errorf("all questions of %d bytes allocate %d", len(data), got)
				}
			})
		}
	}
}

// countEqual counts what two maps have alike.
func countEqual(a, b map[Revision]int64) (n int) {
	for rev, x := range a {
		if y, ok := b[rev]; ok && x == y {
			n++
		}
	}
	return n
}

// TestLastRevision has records at the last revision there is: nothing comes after it,
// and nothing is said to be missing after it.
func TestLastRevision(t *testing.T) {
	s := openHostile(t, hostile.Store([]hostile.Item{
		hostile.Record(math.MaxInt64-1, 0, math.MaxInt64-1, 1, "/registry/a", nil),
		hostile.Record(math.MaxInt64, 0, math.MaxInt64, 1, "/registry/b", nil),
		hostile.Record(math.MaxInt64, 1, math.MaxInt64, 1, "/registry/c", nil),
	}), 1)
	lost, err := s.Lost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"between 1 and 9223372036854775806"}
	if diff := cmp.Diff(want, lost.Stretches()); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	if !lost.Contains(Revision{Main: 2}, false) || lost.Contains(Revision{Main: math.MaxInt64}, false) {
		t.Error("what is lost is not before the records")
	}
	if len(s.Problems()) != 2 { // the second is that its log is not there
		t.Errorf("problems: %v", s.Problems())
	}
	if n, err := s.Headless(t.Context()); err != nil || n != 0 {
		t.Errorf("%d revisions after the last one there is: %v", n, err)
	}
	s.wal = &WAL{Uncommitted: 7}
	if s.SeenRevision() != math.MaxInt64 {
		t.Errorf("seen up to %d", s.SeenRevision())
	}
}

// TestPagesOverlap has leaf pages that each say to span all that follow, in the tree
// and in none. All values together are no more than the file is.
func TestPagesOverlap(t *testing.T) {
	const pages, each = 1000, 40
	for _, tt := range []struct {
		name string
		free bool // the pages are in no tree
		size int  // what the elements say of a value
	}{
		{"in the tree", false, 0},
		{"in the tree, values that share bytes", false, 2 << 20},
		{"in no bucket", true, 0},
		{"in no bucket, values that share bytes", true, 2 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f hostile.File
			var groups [][]hostile.Item
			for i := range int64(pages) {
				var group []hostile.Item
				for sub := range int64(each) {
					it := hostile.Record(2+i, sub, 2+i, 1, fmt.Sprintf("/registry/pods/%d", i), nil)
					it.Size = tt.size
					group = append(group, it)
				}
				groups = append(groups, group)
			}
			root, leaves := f.Tree(groups...)
			if tt.free {
				root = f.Leaf(hostile.Record(1<<40, 0, 1<<40, 1, "/registry/z", nil))
			}
			for _, id := range leaves {
				f.Overflow(id, uint32(f.Pages()-id))
			}
			data := f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta")), hostile.NoFreelist, 0)
			start := time.Now()
			var s *Snapshot
			got := allocated(func() {
				s = openHostile(t, data, 0)
				askMemory(t, s)
			})
			if limit := bound(each*pages, 0, 0); got > limit {
				t.Errorf("%d bytes: %d allocated, at most %d", len(data), got, limit)
			}
			if took := time.Since(start); took > tooLong {
				t.Errorf("took %v", took)
			}
			total := 0
			for r := range s.Records() {
				total += r.Size
			}
			if total > len(data) {
				t.Errorf("%d bytes of values in a file of %d", total, len(data))
			}
			if !tt.free && tt.size == 0 && s.Len() != each*pages {
				t.Errorf("%d records of %d can be read", s.Len(), each*pages)
			}
			if !tt.free && !s.Damaged() {
				t.Error("nothing is wrong with it")
			}
		})
	}
}

// TestSharedValue has a leaf page whose elements all say that their value is the same
// two megabytes.
func TestSharedValue(t *testing.T) {
	var items []hostile.Item
	for i := range int64(60_000) {
		items = append(items, hostile.Record(2+i, 0, 2+i, 1, "/a", nil))
		items[i].Size = 2 << 20
	}
	items = append(items, hostile.Record(1<<40, 0, 1<<40, 1, "/a", make([]byte, 3<<20)))
	data := hostile.Store(items)
	start := time.Now()
	if got := allocated(func() { askMemory(t, openHostile(t, data, 0)) }); got > bound(len(items), 0, len(data)) {
		t.Errorf("%d bytes: %d allocated", len(data), got)
	}
	if took := time.Since(start); took > tooLong {
		t.Errorf("took %v", took)
	}
}

// TestMemoryPerRecord has as many records as fit a file: those of the buckets and
// those that were left on free pages take no more than their share, distinct keys and
// damage to each of them included.
func TestMemoryPerRecord(t *testing.T) {
	const n = 200_000
	for name, it := range map[string]func(i int64) hostile.Item{
		"one key":       func(i int64) hostile.Item { return hostile.Record(2+i, 0, 2, 1+i, "a", nil) },
		"distinct keys": func(i int64) hostile.Item { return hostile.Record(2+i, 0, 2+i, 1, fmt.Sprint(i), nil) },
		"gaps":          func(i int64) hostile.Item { return hostile.Record(2+i<<33, 7, 2+i, 1, "a", nil) },
		"unsorted":      func(i int64) hostile.Item { return hostile.Record((2+i)^1, 0, 2+i, 1, "a", nil) },
		"suspect":       func(i int64) hostile.Item { return hostile.Record(2+i, 0, -1, -1, "a", nil) },
		"no records":    func(i int64) hostile.Item { return hostile.Item{Key: fmt.Append(nil, i)} },
	} {
		data := map[string][]byte{}
		keys := 0
		for _, free := range []bool{false, true} {
			var items []hostile.Item
			keys = 0
			for i := range int64(n) {
				items = append(items, it(i))
				keys += len(fmt.Sprint(i))
			}
			var f hostile.File
			root, where := uint64(0), "in the tree"
			if free {
				for _, group := range hostile.Pack(items) {
					f.Leaf(group...)
				}
				root, where = f.Leaf(hostile.Record(1<<60, 0, 1, 1, "a", nil)), "in no bucket"
			} else {
				root, _ = f.Tree(hostile.Pack(items)...)
			}
			data[where] = f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta")), hostile.NoFreelist, 0)
		}
		for where, data := range data {
			t.Run(name+" "+where, func(t *testing.T) {
				got := held(func() {
					s := openHostile(t, data, 0)
					askMemory(t, s)
				})
				if limit := bound(n, keys, 0); got > limit {
					t.Errorf("%d bytes are held, at most %d", got, limit)
				}
				t.Logf("%.1f MiB held for a file of %.1f MiB", float64(got)/(1<<20), float64(len(data))/(1<<20))
			})
		}
	}
}

// TestHollow opens files that are said to be, and are, a terabyte, of which the disk
// holds some pages.
func TestHollow(t *testing.T) {
	const size = 1 << 40
	record := func(main int64) hostile.Item { return hostile.Record(main, 0, main, 1, "/registry/a", nil) }
	for name, make := range map[string]func(f *hostile.File) (root, list uint64){
		"nothing else": func(f *hostile.File) (uint64, uint64) { return f.Leaf(record(2)), hostile.NoFreelist },
		"a leaf page over all": func(f *hostile.File) (uint64, uint64) {
			root := f.Leaf(record(2), record(3))
			f.Overflow(root, math.MaxUint32)
			return root, hostile.NoFreelist
		},
		"a value in the hole": func(f *hostile.File) (uint64, uint64) {
			it := record(2)
			it.Size = 1<<31 - 1
			root := f.Leaf(record(1), it)
			f.Overflow(root, math.MaxUint32)
			return root, hostile.NoFreelist
		},
		"a free page over all": func(f *hostile.File) (uint64, uint64) {
			f.Overflow(f.Leaf(record(9), record(10)), math.MaxUint32)
			return f.Leaf(record(2)), hostile.NoFreelist
		},
		"a list of free pages over all": func(f *hostile.File) (uint64, uint64) {
			list := f.Freelist(1<<36, 7)
			f.Overflow(list, math.MaxUint32)
			return f.Leaf(record(2)), list
		},
	} {
		for _, mark := range []uint64{0, size / hostile.PageSize} {
			t.Run(fmt.Sprintf("%s, %d pages in use", name, mark), func(t *testing.T) {
				var f hostile.File
				root, list := make(&f)
				data := f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta")), list, mark)
				path := filepath.Join(t.TempDir(), "hollow.db")
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(path, size); err != nil {
					t.Skip("no file of that size can be made: ", err)
				}
				file, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				if holes, err := boltpage.Holes(t.Context(), file, size, maxHoles); err != nil || holes <= maxHoles {
					t.Skip("nothing shows holes here: ", holes, err)
				}
				start := time.Now()
				var in Integrity
				got := allocated(func() {
					s, err := Open(t.Context(), path, Options{})
					if err != nil {
						t.Fatal(err)
					}
					defer s.Close()
					askMemory(t, s)
					if s.Len() == 0 {
						t.Error("no record")
					}
					if in, err = s.Integrity(t.Context()); err != nil {
						t.Fatal(err)
					}
				})
				if took := time.Since(start); took > tooLong {
					t.Errorf("took %v", took)
				}
				if got > 100<<20 {
					t.Errorf("%d bytes allocated", got)
				}
				if in.SHA256 != "" || in.Checks[0].Verdict != Skipped || !in.Bad() {
					t.Errorf("integrity %+v of a file that was not hashed", in)
				}
			})
		}
	}
}

// stopping is a context that is done once it was asked so many times.
type stopping struct {
	context.Context
	left int
}

func (c *stopping) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestInterrupted stops each question while it is worked on.
func TestInterrupted(t *testing.T) {
	var items, free []hostile.Item
	for i := range int64(20_000) {
		items = append(items, hostile.Record(2+2*i, 0, 2+2*i, 1, fmt.Sprintf("/registry/%d", i), nil))
		free = append(free, hostile.Record(3+2*i, 0, 3+2*i, 1, fmt.Sprintf("/registry/%d", i), nil))
	}
	var f hostile.File
	root, _ := f.Tree(hostile.Pack(items)...)
	for _, group := range append(hostile.Pack(free), hostile.Pack(free)...) {
		f.Leaf(group...)
	}
	data := f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta")), hostile.NoFreelist, 0)
	s := openHostile(t, data, 1)
	for name, ask := range map[string]func(context.Context) error{
		"status":   func(ctx context.Context) error { _, err := s.Status(ctx); return err },
		"hash":     func(ctx context.Context) error { _, err := s.Hash(ctx); return err },
		"hashkv":   func(ctx context.Context) error { _, err := s.HashKV(ctx, 0); return err },
		"carve":    func(ctx context.Context) error { _, err := s.Carve(ctx); return err },
		"lost":     func(ctx context.Context) error { _, err := s.Lost(ctx); return err },
		"compact":  func(ctx context.Context) error { _, err := s.CompactSeen(ctx); return err },
		"buckets":  func(ctx context.Context) error { _, err := s.LeftoverBuckets(ctx); return err },
		"headless": func(ctx context.Context) error { _, err := s.Headless(ctx); return err },
		"unused":   func(ctx context.Context) error { _, err := s.findUnused(ctx); return err },
		"open": func(ctx context.Context) error {
			s, err := OpenBytes(ctx, "hostile", data, Options{SkipHashCheck: true, Workers: 1})
			if err == nil {
				s.Close()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, left := range []int{0, 1, 3} {
				if err := ask(&stopping{t.Context(), left}); !errors.Is(err, context.Canceled) {
					t.Errorf("asked of ctx %d times: %v", left+1, err)
				}
			}
		})
	}
}

// TestSortInPlace holds the order of an index against that of a sorted list, for any
// number of records, of segments and of equal revisions.
func TestSortInPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, n := range []int{0, 1, 2, blockSize - 1, blockSize, 3*blockSize + 5, 20_000} {
		x := &index{}
		var want []entry
		seg := segment{}
		for i := range n {
			if r.IntN(3000) == 0 {
				x.blocks, seg = append(x.blocks, seg.blocks...), segment{} // a block that is not full
			}
			e := entry{
				rev: Revision{Main: r.Int64N(int64(n)) << r.IntN(40), Sub: r.Int64N(2)}, create: r.Int64(), offset: int64(i),
				size: r.Uint32(), version: r.Uint32(), key: r.Uint32(), suspect: r.IntN(2) == 0,
			}
			seg.add(&e)
			want = append(want, e)
		}
		x.blocks, x.len = append(x.blocks, seg.blocks...), n
		slices.SortStableFunc(want, func(a, b entry) int { return a.rev.compare(b.rev) })
		want = slices.CompactFunc(want, func(a, b entry) bool { return a.rev == b.rev })
		var problems problemList
		x.sort(&problems, func(int64) bool { return false })
		var got []entry
		for p := range x.places() {
			b, i := x.at(p)
			got = append(got, b.entry(i))
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" || x.len != len(want) {
			t.Fatalf("%d records (-want +got):\n%.2000s", n, diff)
		}
		if len(problems.list)+problems.dropped != n-len(want) {
			t.Errorf("%d records: %d problems for %d that are there twice", n, len(problems.list), n-len(want))
		}
	}
}
