package snapshot

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/maphash"

	"revenant/decoder/boltpage"
)

// Leftover is a record on a page that belongs to no bucket of the state read: what
// was deleted by a compaction, moved when its page was rewritten, or cut off when
// the pages that led to it were damaged.
type Leftover struct {
	Record
	Page   uint64 // the page it stands on
	Copies int    // how many more pages have the same bytes of it
	// Conflict says that another page has other bytes of the same revision: one of
	// them is damaged, and which one cannot be told.
	Conflict bool
	// Foreign says that the buckets have the revision with another key: it is of
	// another history, which a restore left on the free pages that it copied.
	Foreign bool

	sum uint64
}

// Leftovers finds the records on pages in no bucket, once each, in the order of
// the pages. Only what proves itself counts: a revision for a key, a message with
// no field that etcd does not write, which names that very revision and ends where
// what follows it begins. What the buckets have as well is left out. The error is
// ctx's.
func (s *Snapshot) Leftovers(ctx context.Context) ([]Leftover, error) {
	var list []Leftover
	at := map[Revision]int{}
	seed := maphash.MakeSeed()
	err := s.pages.EachUnused(func(items []boltpage.Item) error {
		for i := range items {
			l, ok := leftover(&items[i])
			if !ok {
				continue
			}
			if p, has := s.index.byRevision(l.Revision); has {
				if l.Foreign = s.index.record(p).Key != l.Key; !l.Foreign {
					continue
				}
			}
			l.sum = maphash.Bytes(seed, items[i].Value)
			n, known := at[l.Revision]
			switch {
			case !known:
				at[l.Revision] = len(list)
				list = append(list, l)
			case list[n].sum == l.sum && list[n].Tombstone == l.Tombstone:
				list[n].Copies++
			default:
				list[n].Conflict = true
			}
		}
		return ctx.Err()
	})
	return list, err
}

// leftover reads an item as a record that proves itself.
func leftover(it *boltpage.Item) (l Leftover, ok bool) {
	rev, tombstone, ok := parseRevision(it.Key)
	if !ok || it.Bucket || it.Loose || rev.Main < firstRevision || rev.Sub > 1<<32-1 || len(it.Value) >= tombstoneBit {
		return l, false
	}
	kv, err := scanKeyValue(it.Value)
	if err != nil || kv.unknown || len(kv.key) == 0 {
		return l, false
	}
	if tombstone {
		ok = kv.modRevision == 0 && kv.createRevision == 0 && kv.version == 0 && kv.value == nil && kv.lease == 0
	} else {
		ok = kv.modRevision == rev.Main && kv.createRevision > 0 && kv.createRevision <= rev.Main && kv.version > 0
	}
	return Leftover{Page: it.Page, Record: Record{
		Key: string(kv.key), Revision: rev, Tombstone: tombstone, CreateRevision: kv.createRevision, Version: kv.version,
		Size: len(it.Value), offset: it.Offset,
	}}, ok
}

// Lost are the stretches of the key bucket of which something could not be read.
// Without damage there are none.
type Lost []boltpage.Gap

// Lost returns where records of the key bucket are missing: where pages of it could
// not be read, and where revisions above the compact one do not follow one another.
func (s *Snapshot) Lost() Lost {
	bucket := s.pages.Bucket("key")
	if bucket == nil {
		return Lost{{}}
	}
	list := Lost(bucket.Gaps())
	last := Revision{Main: max(s.CompactRevision(), firstRevision-1), Sub: 1<<32 - 1}
	for _, b := range s.dbIndex.blocks {
		for i := range b.n {
			rev := b.revision(i)
			if last.less(rev) {
				if rev.Main > last.Main+1 || rev.Main == last.Main+1 && rev.Sub > 0 || rev.Main == last.Main && rev.Sub > last.Sub+1 {
					list = append(list, boltpage.Gap{After: appendRevision(nil, last, false), Before: appendRevision(nil, rev, false)})
				}
				last = rev
			}
		}
	}
	return list
}

// Contains says whether the revision lies where something is missing.
func (l Lost) Contains(rev Revision, tombstone bool) bool {
	key := appendRevision(nil, rev, tombstone)
	for _, g := range l {
		if g.Contains(key) {
			return true
		}
	}
	return false
}

// leastRecord is the fewest bytes that a record takes of a leaf: its element's
// header and a revision (bbolt v1.5 internal/common/page.go).
const leastRecord = 16 + 17

// Headless is how many revisions newer than NewestRecord may stand in what could
// not be read, no more than there is room for: 0 when the newest record is known to
// be the last one.
func (s *Snapshot) Headless() int64 {
	if !s.Damaged() || !s.Lost().Contains(Revision{Main: s.NewestRecord() + 1}, false) {
		return 0
	}
	return max(s.Size(), s.pages.Meta().Size()) / leastRecord
}

// Suspect says whether a record contradicts itself or what stands around it on its
// page, so that its value, or its revision, may be another one.
func (s *Snapshot) Suspect(r Record) bool { return s.dbIndex.suspect[r.offset] }

// Doubtful returns what says whether a record at or below the compact revision may
// be one that the compaction had removed: it stands on a page whose keys are not
// those that the tree has for it, or the tree seems to be that of an older state.
func (s *Snapshot) Doubtful() func(Record) bool {
	pages, damaged := map[uint64]bool{}, map[uint64]bool{}
	for _, a := range s.pages.Anomalies() {
		damaged[a.Page] = true
		if a.Kind == boltpage.BadOrder {
			pages[a.Page] = true
		}
	}
	// One page may have a damaged key; with several the pages above lead to what has
	// been used again since.
	older := s.older() || len(pages) > 1
	return func(r Record) bool {
		switch {
		case older || len(damaged) == 0 || r.offset >= s.pages.Size():
			return older
		case r.Size == 0:
			// A record whose length was damaged looks like a bump marker.
			return damaged[s.pages.PageOf(r.offset)]
		}
		return len(pages) > 0 && pages[s.pages.PageOf(r.offset)]
	}
}

// older says whether the tree seems to be that of a state older than the compaction
// that the file tells of: it has what the compaction removed, or it has nothing of
// what followed the compaction, and pages that nothing leads to do.
func (s *Snapshot) older() bool {
	if s.unsettled || s.unusedRevision == 0 {
		return s.unsettled
	}
	compact := s.CompactRevision()
	for _, b := range s.dbIndex.blocks {
		for i := range b.n {
			if main := b.main(i); main > compact {
				return main > compact+1
			}
		}
	}
	return true
}

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

// CompactSeen is the newest compact revision that any page tells of, 0 for none, a
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
	err = s.pages.EachLeaf(func(items []boltpage.Item) error {
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

// gapName names the revisions that a stretch lies between.
func gapName(g boltpage.Gap) (from, to string) {
	name := func(key []byte, none string) string {
		if rev, _, ok := parseRevision(key); ok {
			return rev.String()
		}
		return none
	}
	return name(g.After, "the beginning"), name(g.Before, "the end")
}

// Behind says whether the revision is newer than the newest one that was read: a
// part of the tree at its end is lost, or etcd went on while the file was saved.
func (s *Snapshot) Behind(rev Revision) bool { return rev.Main > s.NewestRecord() }

// Stretches names the stretches between the revisions that could be read, once each:
// one can show in the pages and in the revisions.
func (l Lost) Stretches() []string {
	var list []string
	named := map[string]bool{}
	for _, g := range l {
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
	err := s.pages.EachUnused(func(items []boltpage.Item) error {
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
