package snapshot

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"math"
	"slices"

	"revenant/decoder/boltpage"
)

// Leftover is a record on a page that belongs to no bucket of the state read: what
// was deleted by a compaction, moved when its page was rewritten, or cut off when
// the pages that led to it were damaged.
type Leftover struct {
	Record
	Page uint64 // the page it stands on
	// Conflict says that another page has other bytes of the same revision: one of
	// them is damaged, and which one is not known.
	Conflict bool
	// Foreign says that the buckets have the revision with another key: it is of
	// another history, which a restore left on the free pages that it copied.
	Foreign bool
}

// Leftovers are the records on pages in no bucket. They take as much memory as those
// in the buckets do.
type Leftovers struct {
	s     *Snapshot
	x     *index   // suspect are those of which there are differing copies
	pages []uint64 // the leaf pages that they stand on, in order
}

// Leftovers finds the records on pages in no bucket, once each. Only what proves
// itself counts: a revision for a key, a message with no field that etcd does not
// write, which names that very revision and ends where what follows it begins. What
// the buckets have as well is left out. The error is ctx's, or that there are too many.
func (s *Snapshot) Leftovers(ctx context.Context) (*Leftovers, error) {
	l := &Leftovers{s: s}
	seg := segment{interner: newInterner()}
	count := 0
	err := s.pages.EachUnused(ctx, func(items []boltpage.Item) error {
		for i := range items {
			it := &items[i]
			e, key, ok := leftover(it)
			if !ok || s.index.has(e.rev, key) {
				continue
			}
			e.key = seg.interner.number(key, seg.interner.hash(key))
			seg.add(&e)
			count++
			if n := len(l.pages); n == 0 || l.pages[n-1] != it.Page {
				l.pages = append(l.pages, it.Page)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	if len(seg.blocks) > maxBlocks {
		return nil, errTooMany
	}
	l.x = &index{keys: seg.interner.keys(), blocks: seg.blocks, len: count}
	if err := interruptible(ctx, l.x.arrange); err != nil {
		return nil, err
	}
	return l, l.unite(ctx)
}

// unite keeps the first copy of each revision, and marks those that others differ from.
func (l *Leftovers) unite(ctx context.Context) (err error) {
	var first entry
	var bytesOf [2][]byte
	n, compared := 0, 0
	differ := func(e entry) bool {
		if e.size != first.size {
			return true
		}
		for i, at := range []int64{first.offset, e.offset} {
			if bytesOf[i], err = l.s.readRaw(at, int(e.size&^tombstoneBit), bytesOf[i]); err != nil {
				return true
			}
		}
		return !bytes.Equal(bytesOf[0], bytesOf[1])
	}
	l.x.keep(func(b *block, i int) bool {
		e := b.entry(i)
		if e.rev != first.rev { // no record has the revision 0
			first = e
			n++
			return true
		}
		if compared++; (compared%lookEvery == 0 || int(e.size&^tombstoneBit) >= large) && ctx.Err() != nil {
			return false
		}
		if !first.suspect && differ(e) {
			first.suspect = true
			b, i := l.x.at(place(n - 1))
			b.set(i, &first)
		}
		return false
	})
	return ctx.Err()
}

// All yields them by revision.
func (l *Leftovers) All() iter.Seq[Leftover] {
	return func(yield func(Leftover) bool) {
		for p := range l.x.places() {
			if !yield(l.at(p)) {
				return
			}
		}
	}
}

func (l *Leftovers) at(p place) Leftover {
	b, i := l.x.at(p)
	r := l.x.record(p)
	n, ok := slices.BinarySearch(l.pages, uint64(r.offset)/uint64(l.s.PageSize()))
	if !ok {
		n-- // it stands on overflow pages
	}
	_, known := l.s.index.byRevision(r.Revision)
	return Leftover{Record: r, Page: l.pages[n], Conflict: b.isSuspect(i), Foreign: known}
}

// has says whether the index has the revision with that very key.
func (x *index) has(rev Revision, key []byte) bool {
	p, ok := x.byRevision(rev)
	if !ok {
		return false
	}
	b, i := x.at(p)
	return x.keys[b.key[i]] == string(key)
}

// leftover reads an item as a record that proves itself, whose number of the key is
// left open.
func leftover(it *boltpage.Item) (e entry, key []byte, ok bool) {
	rev, tombstone, ok := parseRevision(it.Key)
	if !ok || it.Bucket || it.Loose || rev.Main < firstRevision || rev.Sub > lastSub || len(it.Value) >= tombstoneBit {
		return e, nil, false
	}
	kv, err := scanKeyValue(it.Value)
	if err != nil || kv.unknown || len(kv.key) == 0 {
		return e, nil, false
	}
	if tombstone {
		ok = kv.modRevision == 0 && kv.createRevision == 0 && kv.version == 0 && kv.value == nil && kv.lease == 0
	} else {
		ok = kv.modRevision == rev.Main && kv.createRevision > 0 && kv.createRevision <= rev.Main && kv.version > 0
	}
	return newEntry(rev, tombstone, &kv, it), kv.key, ok
}

// Lost says where records of the key bucket are missing. Without damage that is
// nowhere.
type Lost struct {
	gaps   []boltpage.Gap // as they were found
	joined []boltpage.Gap // the same in order, without what they share
}

// maxLost bounds the stretches between revisions that are told apart. The last one
// goes on to the end where there are more.
const maxLost = 10_000

// Lost returns where records of the key bucket are missing: where pages of it could
// not be read, and where revisions above the compact one do not follow one another.
// The error is ctx's.
func (s *Snapshot) Lost(ctx context.Context) (*Lost, error) {
	bucket := s.pages.Bucket("key")
	if bucket == nil || s.pages.Misplaced() {
		return newLost([]boltpage.Gap{{}}), nil
	}
	list, err := bucket.Gaps(ctx)
	if err != nil {
		return nil, err
	}
	most := len(list) + maxLost
	last := Revision{Main: max(s.CompactRevision(), firstRevision-1), Sub: lastSub}
	for n, b := range s.dbIndex.blocks {
		if n%16 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for i := range b.n {
			rev := b.revision(i)
			if !last.less(rev) {
				continue
			}
			if !rev.follows(last) {
				gap := boltpage.Gap{After: appendRevision(nil, last, false), Before: appendRevision(nil, rev, false)}
				if len(list) == most {
					gap.Before = nil
					return newLost(append(list, gap)), nil
				}
				list = append(list, gap)
			}
			last = rev
		}
	}
	return newLost(list), nil
}

func newLost(gaps []boltpage.Gap) *Lost {
	l := &Lost{gaps: gaps}
	sorted := slices.Clone(gaps)
	slices.SortFunc(sorted, func(a, b boltpage.Gap) int { return bytes.Compare(a.After, b.After) })
	for _, g := range sorted {
		n := len(l.joined) - 1
		if n < 0 || l.joined[n].Before != nil && bytes.Compare(g.After, l.joined[n].Before) >= 0 {
			l.joined = append(l.joined, g)
		} else if before := &l.joined[n].Before; *before != nil && (g.Before == nil || bytes.Compare(*before, g.Before) < 0) {
			*before = g.Before
		}
	}
	return l
}

// Any says whether something is missing.
func (l *Lost) Any() bool { return len(l.gaps) > 0 }

// Contains says whether the revision lies where something is missing.
func (l *Lost) Contains(rev Revision, tombstone bool) bool {
	key := appendRevision(nil, rev, tombstone)
	n, _ := slices.BinarySearchFunc(l.joined, key, func(g boltpage.Gap, key []byte) int { return bytes.Compare(g.After, key) })
	return n > 0 && l.joined[n-1].Contains(key)
}

// leastRecord is the fewest bytes that a record takes of a leaf: its element's
// header and a revision (bbolt v1.5 internal/common/page.go).
const leastRecord = 16 + 17

// Headless is how many revisions newer than NewestRecord may stand in what could
// not be read, no more than there is room for: 0 when the newest record is known to
// be the last one. Where a meta page is lost, the state read may be older: the other
// one's is a commit behind, and of a root that was looked for nothing shows how old it
// is. A log that is applied makes up for that, and says what it lacks itself. The error
// is ctx's.
func (s *Snapshot) Headless(ctx context.Context) (int64, error) {
	newest := s.NewestRecord()
	if !s.Damaged() {
		return 0, nil
	}
	room := min(max(s.Size(), s.pages.Meta().Size())/leastRecord, math.MaxInt64-newest)
	if s.wal == nil && s.pages.Searched() {
		return room, nil
	}
	lost, err := s.Lost(ctx)
	switch {
	case err != nil:
		return 0, err
	case lost.Contains(Revision{Main: after(newest)}, false):
		return room, nil
	case s.wal == nil && s.pages.MetaLost():
		return min(room, batchLimit), nil
	}
	return 0, nil
}

// Suspect says whether a record contradicts itself or what stands around it on its
// page, so that its value, or its revision, may be another one.
func (s *Snapshot) Suspect(r Record) bool {
	p, ok := s.dbIndex.byRevision(r.Revision)
	if !ok {
		return false
	}
	b, i := s.dbIndex.at(p)
	return b.offset[i] == r.offset && b.isSuspect(i)
}

// Doubtful returns what says whether a record at or below the compact revision may
// be one that the compaction had removed: it stands on a page whose keys are not
// those that the tree has for it.
func (s *Snapshot) Doubtful() func(Record) bool {
	outOfOrder, damaged := s.pages.OutOfOrder(), map[uint64]bool{}
	for _, a := range s.pages.Anomalies() {
		damaged[a.Page] = true
	}
	return func(r Record) bool {
		switch {
		case len(damaged) == 0 || r.offset >= s.pages.Size():
			return false
		case r.Size == 0:
			// A record whose length was damaged looks like a bump marker.
			return damaged[s.pages.PageOf(r.offset)]
		}
		return outOfOrder(r.offset)
	}
}

// Unsettled says whether the tree has what a finished compaction would have removed: it
// is that of an older state, or what the file says of the compaction is wrong.
func (s *Snapshot) Unsettled() bool { return s.unsettled }

// Offset is where a record is stored: bytes from the start of the db, -1 for one
// that the log adds.
func (s *Snapshot) Offset(r Record) int64 {
	if r.offset >= s.pages.Size() {
		return -1
	}
	return r.offset
}

// CompactUnknown says that the compact revision could not be read.
func (s *Snapshot) CompactUnknown() bool { return s.pages.Bucket("meta") == nil || s.meta.strange }

// CompactSeen is the newest compact revision that any page shows, 0 for none, a
// page of a bucket that it does not belong to included: one newer than
// CompactRevision shows that the tree is that of an older state, whose pages were
// used again since. The error is ctx's.
func (s *Snapshot) CompactSeen(ctx context.Context) (newest int64, err error) {
	see := func(items []boltpage.Item) error {
		for _, it := range items {
			if name := string(it.Key); name == "scheduledCompactRev" || name == "finishedCompactRev" {
				if rev, _, ok := parseRevision(it.Value); ok {
					newest = max(newest, rev.Main)
				}
			}
		}
		return ctx.Err()
	}
	err = s.pages.EachLeaf(ctx, func(items []boltpage.Item) error {
		for _, it := range items {
			if !it.Bucket || string(it.Key) != "meta" {
				continue
			}
			if inline, err := s.pages.Inline(it); err == nil {
				_ = inline.Each(see)
			}
		}
		return see(items)
	})
	return newest, err
}

// Page is the page of the db that a record stands on, 0 for one that the log adds.
func (s *Snapshot) Page(r Record) uint64 {
	if r.offset >= s.pages.Size() {
		return 0
	}
	return s.pages.PageOf(r.offset)
}

// gapName names the revisions that a stretch lies between. One that begins after all of a
// main revision lies after that one.
func gapName(g boltpage.Gap) (from, to string) {
	from, to = "the beginning", "the end"
	if rev, _, ok := parseRevision(g.After); ok {
		if rev.Sub == lastSub {
			rev.Sub = 0
		}
		from = rev.String()
	}
	if rev, _, ok := parseRevision(g.Before); ok {
		to = rev.String()
	}
	return from, to
}

// Behind says whether the revision is newer than the newest one that was read: a
// part of the tree at its end is lost, or etcd went on while the file was saved.
func (s *Snapshot) Behind(rev Revision) bool { return rev.Main > s.NewestRecord() }

// NewerUnused says whether a page in no bucket has a record newer than all that were read.
func (s *Snapshot) NewerUnused() bool { return s.unusedRevision > 0 }

// Stretches names the stretches between the revisions that could be read, once each:
// one can show in the pages and in the revisions.
func (l *Lost) Stretches() []string {
	var list []string
	named := map[string]bool{}
	for _, g := range l.gaps {
		from, to := gapName(g)
		if name := "between " + from + " and " + to; !named[name] {
			named[name] = true
			list = append(list, name)
		}
	}
	return list
}

// EachBucket calls fn for every readable item of a bucket other than key, in
// order. It says whether the bucket was found.
func (s *Snapshot) EachBucket(name string, fn func(key, value []byte) error) (found bool, err error) {
	b := s.pages.Bucket(name)
	if b == nil {
		return false, nil
	}
	err = b.Each(func(items []boltpage.Item) error {
		for _, it := range items {
			if it.Bucket {
				continue
			}
			if err := fn(bytes.Clone(it.Key), bytes.Clone(it.Value)); err != nil {
				return err
			}
		}
		return nil
	})
	return true, err
}

// LeftoverBuckets finds the newest copy of the small buckets on pages that belong
// to none: where what leads to them is damaged, an older state of them may be
// left. Newest is the one with the highest consistent index. It returns the items
// of each bucket by its name, nil when there is no copy.
func (s *Snapshot) LeftoverBuckets(ctx context.Context) (map[string]map[string][]byte, error) {
	var best map[string]map[string][]byte
	var index uint64
	err := s.pages.EachUnused(ctx, func(items []boltpage.Item) error {
		found := map[string]map[string][]byte{}
		for _, it := range items {
			if !it.Bucket || string(it.Key) == "key" {
				continue
			}
			inline, err := s.pages.Inline(it)
			if err != nil {
				continue
			}
			content := map[string][]byte{}
			_ = inline.Each(func(items []boltpage.Item) error {
				for _, it := range items {
					if !it.Bucket {
						content[string(it.Key)] = bytes.Clone(it.Value)
					}
				}
				return nil
			})
			found[string(it.Key)] = content
		}
		if at := found["meta"]["consistent_index"]; len(at) == 8 {
			if n := binary.BigEndian.Uint64(at); best == nil || n > index {
				best, index = found, n
			}
		}
		return ctx.Err()
	})
	return best, err
}
