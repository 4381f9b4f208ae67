package snapshot

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sort"
	"sync"

	"revenant/decoder/boltpage"
)

// index is every record of the key bucket, by column, in the order of
// revisions: 40 bytes a record, and 4 more in order.
type index struct {
	main    []int64
	create  []int64
	offset  []int64  // of the mvccpb.KeyValue, in bytes from the start of the file
	size    []uint32 // of it in bytes; tombstoneBit is set on tombstones
	sub     []uint32
	version []uint32
	key     []uint32 // index in keys

	keys  []string // distinct, sorted
	start []uint32 // of each key's run in order; one more entry ends the last
	order []uint32 // records by key, then by revision
}

const (
	tombstoneBit = 1 << 31
	maxRecords   = 1<<32 - 2
)

func (x *index) len() int { return len(x.main) }

func (x *index) tombstone(i uint32) bool { return x.size[i]&tombstoneBit != 0 }

// marker says whether the record is the empty one that `etcdutl snapshot
// restore --bump-revision` leaves behind: 17 bytes of key, no value.
func (x *index) marker(i uint32) bool { return x.size[i] == 0 }

// records returns the retained records of key k, oldest first.
func (x *index) records(k int) []uint32 { return x.order[x.start[k]:x.start[k+1]] }

// allocate makes room for n records at once, so that indexing leaves no
// garbage. n was counted on the pages, so it is bounded by the file's size.
func (x *index) allocate(n int) {
	x.main = make([]int64, n)
	x.create = make([]int64, n)
	x.offset = make([]int64, n)
	x.size = make([]uint32, n)
	x.sub = make([]uint32, n)
	x.version = make([]uint32, n)
	x.key = make([]uint32, n)
}

// move copies n records from one place to another that lies before it.
func (x *index) move(to, from, n int) {
	copy(x.main[to:], x.main[from:from+n])
	copy(x.create[to:], x.create[from:from+n])
	copy(x.offset[to:], x.offset[from:from+n])
	copy(x.size[to:], x.size[from:from+n])
	copy(x.sub[to:], x.sub[from:from+n])
	copy(x.version[to:], x.version[from:from+n])
	copy(x.key[to:], x.key[from:from+n])
}

func (x *index) truncate(n int) {
	x.main, x.create, x.offset = x.main[:n], x.create[:n], x.offset[:n]
	x.size, x.sub, x.version, x.key = x.size[:n], x.sub[:n], x.version[:n], x.key[:n]
}

// segment is the part of the index that one worker fills.
type segment struct {
	index    *index
	from, to int // the records it may write; to moves to where it ended
	ids      map[string]uint32
	keys     []string
	problems problemList
}

// buildIndex reads the key bucket once, its ranges in parallel.
func buildIndex(ctx context.Context, bucket *boltpage.Bucket, workers int, progress *progress) (*index, problemList, error) {
	var problems problemList
	x := &index{}
	total := bucket.Len()
	if total > maxRecords {
		return nil, problems, fmt.Errorf("%d revisions are more than the %d this program can index", total, maxRecords)
	}
	x.allocate(total)
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ranges := bucket.Ranges(workers)
	segments := make([]*segment, len(ranges))
	errs := make([]error, len(ranges))
	var wg sync.WaitGroup
	from := 0
	for i, r := range ranges {
		seg := &segment{index: x, from: from, to: from, ids: map[string]uint32{}}
		segments[i] = seg
		from += r.Len()
		wg.Go(func() { errs[i] = seg.fill(ctx, r, progress) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, problems, err
		}
	}
	n := 0
	for _, seg := range segments {
		if n != seg.from {
			x.move(n, seg.from, seg.to-seg.from)
		}
		seg.from, seg.to = n, n+seg.to-seg.from
		n = seg.to
		problems.merge(&seg.problems)
	}
	x.truncate(n)
	x.nameKeys(segments)
	if !sort.IsSorted(byRevision{x}) {
		sort.Stable(byRevision{x}) // the page reader has reported the order
	}
	x.dropRepeated(&problems)
	x.orderByKey()
	return x, problems, nil
}

// fill indexes one range. A page that vanishes is reported by the page reader
// and costs the records on it.
func (s *segment) fill(ctx context.Context, r boltpage.Range, progress *progress) error {
	count := 0
	err := r.Each(func(it boltpage.Item) error {
		count++
		if count%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			progress.add(4096)
		}
		s.add(it)
		return nil
	})
	var fault *boltpage.FaultError
	if errors.As(err, &fault) {
		return nil
	}
	return err
}

// add indexes one item, or says why it cannot.
func (s *segment) add(it boltpage.Item) {
	if it.Bucket {
		s.problems.add(Damage, pageName(it.Page), "a bucket stands among the revisions", "1 revision")
		return
	}
	rev, tombstone, ok := parseRevision(it.Key)
	if !ok || rev.Sub > 1<<32-1 {
		s.problems.add(Damage, pageName(it.Page), "a key of the key bucket is not a revision", "1 revision")
		return
	}
	kv, err := scanKeyValue(it.Value)
	if err != nil || len(it.Value) >= tombstoneBit {
		s.problems.add(Damage, revisionName(rev), fmt.Sprintf("value is not an etcd record: %v", err), "1 revision")
		return
	}
	if !s.check(rev, tombstone, &kv, len(it.Value) == 0) {
		return
	}
	x, i := s.index, s.to
	x.main[i], x.sub[i] = rev.Main, uint32(rev.Sub)
	x.create[i], x.version[i] = kv.createRevision, uint32(min(max(kv.version, 0), 1<<32-1))
	x.offset[i], x.size[i] = it.Offset, uint32(len(it.Value))
	if tombstone {
		x.size[i] |= tombstoneBit
	}
	x.key[i] = s.intern(kv.key)
	s.to++
}

// check holds what a record says of itself against where it stands. ok says
// whether the record can be used.
func (s *segment) check(rev Revision, tombstone bool, kv *keyValue, empty bool) (ok bool) {
	where := revisionName(rev)
	if kv.unknown {
		s.problems.add(Damage, where, "record has a field that etcd does not write", "")
	}
	switch marker := empty && !tombstone && rev.Sub == 0; {
	case marker:
	case len(kv.key) == 0:
		s.problems.add(Damage, where, "record has no key", "1 revision")
		return false
	case tombstone && (kv.modRevision != 0 || kv.createRevision != 0 || kv.version != 0 || kv.value != nil):
		s.problems.add(Damage, where, "tombstone carries a value", "")
	case tombstone:
	case kv.modRevision != rev.Main:
		s.problems.add(Damage, where, fmt.Sprintf("record says it is revision %d", kv.modRevision), "")
	case kv.createRevision <= 0 || kv.createRevision > rev.Main || kv.version <= 0:
		s.problems.add(Damage, where, fmt.Sprintf("create revision %d and version %d are impossible", kv.createRevision, kv.version), "")
	}
	return true
}

func (s *segment) intern(key []byte) uint32 {
	if id, ok := s.ids[string(key)]; ok {
		return id
	}
	id := uint32(len(s.keys))
	name := string(key)
	s.keys = append(s.keys, name)
	s.ids[name] = id
	return id
}

// nameKeys turns the workers' key numbers into indices of the sorted list.
func (x *index) nameKeys(segments []*segment) {
	for _, s := range segments {
		s.ids = nil
		x.keys = append(x.keys, s.keys...)
	}
	slices.Sort(x.keys)
	x.keys = slices.Clip(slices.Compact(x.keys))
	for _, s := range segments {
		ids := make([]uint32, len(s.keys))
		for local, name := range s.keys {
			id, _ := slices.BinarySearch(x.keys, name)
			ids[local] = uint32(id)
		}
		for i := s.from; i < s.to; i++ {
			x.key[i] = ids[x.key[i]]
		}
		s.keys = nil
	}
}

// orderByKey groups the records by key with a counting sort.
func (x *index) orderByKey() {
	x.start = make([]uint32, len(x.keys)+1)
	for _, k := range x.key {
		x.start[k+1]++
	}
	for k := range x.keys {
		x.start[k+1] += x.start[k]
	}
	next := slices.Clone(x.start)
	x.order = make([]uint32, x.len())
	for i, k := range x.key {
		x.order[next[k]] = uint32(i)
		next[k]++
	}
}

// dropRepeated keeps the first of several records with one revision.
func (x *index) dropRepeated(problems *problemList) {
	n := min(1, x.len())
	for i := 1; i < x.len(); i++ {
		if x.main[i] == x.main[n-1] && x.sub[i] == x.sub[n-1] {
			problems.add(Damage, revisionName(x.revision(uint32(i))), "revision is there twice; the first one counts", "1 revision")
			continue
		}
		if n != i {
			x.move(n, i, 1)
		}
		n++
	}
	x.truncate(n)
}

func (x *index) revision(i uint32) Revision {
	return Revision{Main: x.main[i], Sub: int64(x.sub[i])}
}

// byRevision sorts the records.
type byRevision struct{ *index }

func (x byRevision) Len() int { return x.len() }

func (x byRevision) Less(i, j int) bool {
	if x.main[i] != x.main[j] {
		return x.main[i] < x.main[j]
	}
	return x.sub[i] < x.sub[j]
}

func (x byRevision) Swap(i, j int) {
	x.main[i], x.main[j] = x.main[j], x.main[i]
	x.create[i], x.create[j] = x.create[j], x.create[i]
	x.offset[i], x.offset[j] = x.offset[j], x.offset[i]
	x.size[i], x.size[j] = x.size[j], x.size[i]
	x.sub[i], x.sub[j] = x.sub[j], x.sub[i]
	x.version[i], x.version[j] = x.version[j], x.version[i]
	x.key[i], x.key[j] = x.key[j], x.key[i]
}
