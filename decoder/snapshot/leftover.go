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

	sum uint64
}

// Leftovers finds the records on pages in no bucket, once each, in the order of
// the pages. Only what proves itself counts: a revision for a key, a message with
// no field that etcd does not write, which names that very revision. What the
// buckets have as well is left out. The error is ctx's.
func (s *Snapshot) Leftovers(ctx context.Context) ([]Leftover, error) {
	var list []Leftover
	at := map[Revision]int{}
	seed := maphash.MakeSeed()
	err := s.pages.EachUnused(func(items []boltpage.Item) error {
		for i := range items {
			l, ok := leftover(&items[i])
			if !ok || s.has(l.Revision) {
				continue
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
	if !ok || it.Bucket || rev.Main < firstRevision || rev.Sub > 1<<32-1 || len(it.Value) >= tombstoneBit {
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

// has says whether the state read has a record of the revision.
func (s *Snapshot) has(rev Revision) bool {
	_, ok := s.index.byRevision(rev)
	return ok
}

// Lost are the stretches of the key bucket of which something could not be read.
// Without damage there are none.
type Lost []boltpage.Gap

// Lost returns where records of the key bucket are missing.
func (s *Snapshot) Lost() Lost {
	bucket := s.pages.Bucket("key")
	if bucket == nil {
		return Lost{{}}
	}
	return bucket.Gaps()
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

// Stretches names the stretches between the revisions that could be read.
func (l Lost) Stretches() []string {
	var list []string
	for _, g := range l {
		from, to := gapName(g)
		list = append(list, "between "+from+" and "+to)
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
