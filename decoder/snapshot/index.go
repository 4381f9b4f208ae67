package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"revenant/decoder/boltpage"
)

// index is every record of the key bucket: by column, 28 bytes a record, 40 where
// revisions are not those of an etcd, in the order of revisions, and 4 bytes more to
// find them by key. It is kept small because fresh memory is what building it costs
// most.
type index struct {
	blocks []*block
	len    int

	keys   []string // distinct, by number
	sorted []uint32 // the numbers in the order of the keys
	start  []uint32 // of each key's run in order; one more entry ends the last
	order  []place  // the places of the records by key number, then by revision
}

// place is where a record stands: the number of its block and its number in it.
type place = uint32

func (x *index) at(p place) (*block, int) { return x.blocks[p>>blockBits], int(p % blockSize) }

// places yields the place of every record in the order of revisions.
func (x *index) places() iter.Seq[place] {
	return func(yield func(place) bool) {
		for n, b := range x.blocks {
			for i := range b.n {
				if !yield(place(n<<blockBits | i)) {
					return
				}
			}
		}
	}
}

// forward yields the places of the records whose main revision is at least from.
func (x *index) forward(from int64) iter.Seq[place] {
	return func(yield func(place) bool) {
		for n := max(0, x.block(Revision{Main: from})); n < len(x.blocks); n++ {
			for i := range x.blocks[n].n {
				if x.blocks[n].main(i) >= from && !yield(place(n<<blockBits|i)) {
					return
				}
			}
		}
	}
}

// backward yields the places of the records whose main revision is at most from, the
// newest first.
func (x *index) backward(from int64) iter.Seq[place] {
	return func(yield func(place) bool) {
		for n := x.block(Revision{from, math.MaxInt64}); n >= 0; n-- {
			for i := x.blocks[n].n - 1; i >= 0; i-- {
				if x.blocks[n].main(i) <= from && !yield(place(n<<blockBits|i)) {
					return
				}
			}
		}
	}
}

// block is the number of the block with a revision, if it is there; -1 where all are
// newer.
func (x *index) block(rev Revision) int {
	return sort.Search(len(x.blocks), func(n int) bool { return rev.less(x.blocks[n].revision(0)) }) - 1
}

// records returns the places of the retained records of the key with number k,
// oldest first.
func (x *index) records(k uint32) []place { return x.order[x.start[k]:x.start[k+1]] }

// last returns the newest record; ok is false in an empty store.
func (x *index) last() (b *block, i int, ok bool) {
	if x.len == 0 {
		return nil, 0, false
	}
	b = x.blocks[len(x.blocks)-1]
	return b, b.n - 1, true
}

// newestMain is the main revision of the newest record, 0 without one.
func (x *index) newestMain() int64 {
	b, i, ok := x.last()
	if !ok {
		return 0
	}
	return b.main(i)
}

// byRevision returns the place of the record with a revision.
func (x *index) byRevision(rev Revision) (place, bool) {
	n := x.block(rev)
	if n < 0 {
		return 0, false
	}
	b := x.blocks[n]
	i := sort.Search(b.n, func(i int) bool { return !b.revision(i).less(rev) })
	if i == b.n || b.revision(i) != rev {
		return 0, false
	}
	return place(n<<blockBits | i), true
}

// hasMain says whether there is a record with a main revision.
func (x *index) hasMain(main int64) bool {
	n := sort.Search(len(x.blocks), func(n int) bool { return x.blocks[n].main(0) > main }) - 1
	if n < 0 {
		return false
	}
	b := x.blocks[n]
	i := sort.Search(b.n, func(i int) bool { return b.main(i) >= main })
	return i < b.n && b.main(i) == main
}

// segment is the part of the index that one worker builds.
type segment struct {
	blocks   []*block
	batch    []parsed
	interner *interner
	last     Revision // the one added last
	unsorted bool     // one was not greater than the one before
	touched  uint64   // keeps loads from being optimised away
	problems problemList
	sum      *itemSum // nil when none is asked for
}

// parsed is an item of a page on its way into a block.
type parsed struct {
	rev       Revision
	tombstone bool
	suspect   bool
	kv        keyValue
	item      *boltpage.Item
	hash      uint64 // of kv.key
	slot      uint64 // of the hash, as it was found
}

// manyKeys is how many distinct keys make a table of several MiB.
const manyKeys = 1 << 19

// maxBlocks is how many blocks a place can tell apart.
const maxBlocks = 1 << (32 - blockBits)

var errTooMany = fmt.Errorf("more than %d blocks of %d revisions, which is more than this program can index", maxBlocks, blockSize)

// buildIndex reads the key bucket once, its ranges in parallel. sortKeys and
// orderByKey are left to do. With sums, the items are summed on the way; total is nil
// otherwise. The error is ctx's, or that there are too many records.
func buildIndex(ctx context.Context, bucket *boltpage.Bucket, workers int, sums bool, progress *progress) (_ *index, total *itemSum, problems problemList, _ error) {
	ranges := bucket.Ranges(workers)
	segments := make([]*segment, len(ranges))
	errs := make([]error, len(ranges))
	names := newInterner()
	var wg sync.WaitGroup
	for i, r := range ranges {
		seg := &segment{interner: names}
		if sums {
			seg.sum = new(itemSum)
		}
		segments[i] = seg
		wg.Go(func() { errs[i] = seg.fill(ctx, r, progress) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, nil, problems, err
	}
	if sums {
		total = new(itemSum)
		for _, seg := range segments {
			*total = total.then(*seg.sum)
		}
	}
	x := &index{keys: names.keys()}
	if len(x.keys) >= manyKeys {
		// The interner's table gives its memory to what is allocated next.
		names = nil
		for _, seg := range segments {
			seg.interner, seg.batch = nil, nil
		}
		runtime.GC()
	}
	sorted, last := true, Revision{Main: -1}
	for _, seg := range segments {
		if len(seg.blocks) > 0 {
			sorted = sorted && !seg.unsorted && last.less(seg.blocks[0].revision(0))
			last = seg.last
		}
		for _, b := range seg.blocks {
			x.blocks = append(x.blocks, b)
			x.len += b.n
		}
		problems.merge(&seg.problems)
	}
	if len(x.blocks) > maxBlocks {
		return nil, nil, problems, errTooMany
	}
	if !sorted {
		if err := interruptible(ctx, func() { x.sort(&problems, bucket.OutOfOrder()) }); err != nil {
			return nil, nil, problemList{}, err
		}
	}
	return x, total, problems, nil
}

// interruptible runs fns side by side and waits for them, or until ctx is done: they
// go on then, and must not use what the caller gives back. The error is ctx's.
func interruptible(ctx context.Context, fns ...func()) error {
	var wg sync.WaitGroup
	for _, fn := range fns {
		wg.Go(fn)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fill indexes one range. A page that vanishes is reported by the page reader
// and costs the records on it.
func (s *segment) fill(ctx context.Context, r boltpage.Range, progress *progress) error {
	last := uint64(0)
	err := r.Each(func(items []boltpage.Item) error {
		if s.sum != nil {
			if err := s.sum.addAll(ctx, items, nil); err != nil {
				return err
			}
		}
		for some := range slices.Chunk(items, batchSize) {
			s.index(some)
		}
		pages := int64(0)
		for i := range items {
			if items[i].Page != last {
				last = items[i].Page
				pages++
			}
		}
		progress.add(pages)
		return ctx.Err()
	})
	var fault *boltpage.FaultError
	if errors.As(err, &fault) {
		return nil
	}
	return err
}

// batchSize is how many items are added at a time: as many as find room in a
// processor's first cache, with all that is looked at for them.
const batchSize = 64

// index adds some items. It goes over them step by step and not one by one, so
// that within a step the waits of all items for memory overlap.
func (s *segment) index(items []boltpage.Item) {
	s.batch = slices.Grow(s.batch[:0], len(items))[:len(items)]
	n := 0
	for i := range items {
		if s.parse(&s.batch[n], &items[i]) {
			n++
		}
	}
	batch := s.batch[:n]
	table, touched := *s.interner.table.Load(), uint64(0)
	for i := range batch {
		batch[i].hash = s.interner.hash(batch[i].kv.key)
	}
	for i := range batch {
		batch[i].slot = table.touchSlot(batch[i].hash)
	}
	for i := range batch {
		touched ^= uint64(s.interner.touchEntry(batch[i].slot, batch[i].kv.key))
	}
	s.touched ^= touched
	for i := range batch {
		s.put(&batch[i])
	}
}

// parse reads an item into p, or reports why it cannot be used.
func (s *segment) parse(p *parsed, it *boltpage.Item) (ok bool) {
	p.item = it
	if it.Bucket {
		s.problems.add(Damage, pageName(it.Page), "a bucket stands among the revisions", "1 revision")
		return false
	}
	p.rev, p.tombstone, ok = parseRevision(it.Key)
	if !ok || p.rev.Sub > lastSub {
		s.problems.add(Damage, pageName(it.Page), "a key of the key bucket is not a revision", "1 revision")
		return false
	}
	p.kv, p.suspect = keyValue{}, false
	if err := p.kv.scan(it.Value); err != nil || len(it.Value) >= tombstoneBit {
		s.problems.add(Damage, revisionName(p.rev), fmt.Sprintf("value is not an etcd record: %v", err), "1 revision")
		return false
	}
	return s.check(p)
}

// check holds what a record says of itself against where it stands. ok says
// whether the record can be used.
func (s *segment) check(p *parsed) (ok bool) {
	const doubt = "1 revision in doubt"
	report := func(cost, format string, args ...any) {
		s.problems.add(Damage, revisionName(p.rev), fmt.Sprintf(format, args...), cost)
		p.suspect = true
	}
	if p.item.Loose {
		report(doubt, "record does not end where the next one on its page begins: its value may be cut off")
	}
	if p.kv.unknown {
		report(doubt, "record has a field that etcd does not write")
	}
	switch marker := len(p.item.Value) == 0 && !p.tombstone && p.rev.Sub == 0; {
	case marker:
	case len(p.kv.key) == 0:
		report("1 revision", "record has no key")
		return false
	case p.tombstone && (p.kv.modRevision != 0 || p.kv.createRevision != 0 || p.kv.version != 0 || p.kv.value != nil):
		report(doubt, "tombstone carries a value")
	case p.tombstone:
	case p.kv.modRevision != p.rev.Main:
		report(doubt, "record says it is revision %d", p.kv.modRevision)
	case p.kv.createRevision <= 0 || p.kv.createRevision > p.rev.Main || p.kv.version <= 0:
		report(doubt, "create revision %d and version %d are impossible", p.kv.createRevision, p.kv.version)
	}
	return true
}

func (s *segment) put(p *parsed) {
	e := newEntry(p.rev, p.tombstone, &p.kv, p.item)
	e.key, e.suspect = s.interner.number(p.kv.key, p.hash), p.suspect
	s.add(&e)
}

// add appends a record to the last block, or to a new one.
func (s *segment) add(e *entry) {
	s.unsorted = s.unsorted || len(s.blocks) > 0 && !s.last.less(e.rev)
	s.last = e.rev
	if len(s.blocks) == 0 || s.blocks[len(s.blocks)-1].n == blockSize {
		s.blocks = append(s.blocks, &block{first: e.rev.Main})
	}
	b := s.blocks[len(s.blocks)-1]
	b.set(b.n, e)
	b.n++
}

// sortKeys orders the keys.
func (x *index) sortKeys() { x.sorted = sortedOrder(x.keys) }

// find returns the number of a key that has a record. One whose only record
// repeats another one's revision, in a damaged file, has none.
func (x *index) find(key string) (k uint32, ok bool) {
	at, ok := x.search(key)
	if !ok {
		return 0, false
	}
	k = x.sorted[at]
	return k, len(x.records(k)) > 0
}

// search returns where in sorted the key is, or would be.
func (x *index) search(key string) (at int, ok bool) {
	return slices.BinarySearchFunc(x.sorted, key, func(k uint32, key string) int { return strings.Compare(x.keys[k], key) })
}

// sort brings the records into the order of revisions, which only a damaged
// file breaks, and keeps the first of several records with one revision that stands on
// a page whose keys belong there, or else the first.
func (x *index) sort(problems *problemList, outOfOrder func(offset int64) bool) {
	x.arrange()
	last := Revision{Main: -1}
	n, doubt := 0, false
	x.keep(func(b *block, i int) bool {
		rev := b.revision(i)
		if rev != last {
			last, doubt = rev, outOfOrder(b.offset[i])
			n++
			return true
		}
		problems.add(Damage, revisionName(rev), "revision occurs twice; the first record on a page in key order counts", "1 revision")
		if doubt && !outOfOrder(b.offset[i]) {
			doubt = false
			e := b.entry(i)
			b, i := x.at(place(n - 1))
			b.set(i, &e)
		}
		return false
	})
}

// arrange brings the records into the order of revisions; those of one revision keep
// theirs.
func (x *index) arrange() {
	x.keep(func(*block, int) bool { return true })
	order := slices.Collect(x.places())
	slices.SortFunc(order, func(p, q place) int {
		a, i := x.at(p)
		b, j := x.at(q)
		return cmp.Or(a.revision(i).compare(b.revision(j)), cmp.Compare(p, q))
	})
	// What stands at order[p] belongs at p. Records are moved in circles, since a second
	// copy of all of them would take too much memory.
	for p := range order {
		if order[p] == place(p) {
			continue
		}
		b, i := x.at(place(p))
		first := b.entry(i)
		to := place(p)
		for from := order[to]; from != place(p); from = order[to] {
			x.move(to, from)
			order[to], to = to, from
		}
		b, i = x.at(to)
		b.set(i, &first)
		order[to] = to
	}
}

// move writes the record at one place over that at another.
func (x *index) move(to, from place) {
	b, i := x.at(from)
	e := b.entry(i)
	b, i = x.at(to)
	b.set(i, &e)
}

// keep drops the records that do not count, and closes up the others. The places then
// are the numbers from 0 on.
func (x *index) keep(counts func(b *block, i int) bool) {
	n := 0
	for p := range x.places() {
		if b, i := x.at(p); counts(b, i) {
			if place(n) != p {
				x.move(place(n), p)
			}
			n++
		}
	}
	x.len = n
	full := (n + blockSize - 1) / blockSize
	clear(x.blocks[full:])
	x.blocks = x.blocks[:full]
	for i, b := range x.blocks {
		b.n = min(n-i*blockSize, blockSize)
	}
}

// orderByKey groups the records by key.
func (x *index) orderByKey() { x.start, x.order = groupByKey(x, len(x.keys)) }

// groupByKey groups records of so many keys with a counting sort.
func groupByKey(x *index, keys int) (start []uint32, order []place) {
	start = make([]uint32, keys+2)
	for _, b := range x.blocks {
		for _, k := range b.key[:b.n] {
			start[k+2]++
		}
	}
	for k := range keys {
		start[k+2] += start[k+1]
	}
	// start[k+1] is where key k's next record goes, and in the end where its
	// run ends: then start[k] is where it begins.
	order = make([]place, x.len)
	for n, b := range x.blocks {
		for i, k := range b.key[:b.n] {
			order[start[k+1]] = place(n<<blockBits | i)
			start[k+1]++
		}
	}
	return start[:keys+1], order
}
