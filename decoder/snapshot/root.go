package snapshot

import (
	"context"

	"revenant/decoder/boltpage"
)

// Roots finds the pages of the db that can be the root of a state, the newest first
// and some of them at most. The error is ctx's.
func (s *Snapshot) Roots(ctx context.Context) ([]boltpage.Root, error) { return s.pages.Roots(ctx) }

// Root is the page of the root that is read.
func (s *Snapshot) Root() uint64 { return s.pages.Meta().Root }

// From reads the same evidence from another root of its db, with the log applied where
// there is one. The two share what is open: it must not be used after s is closed, and
// closing it closes nothing. The error is ctx's, or says that there is no key bucket or
// too much in it.
func (s *Snapshot) From(ctx context.Context, root uint64) (*Snapshot, error) {
	pages, err := s.pages.From(ctx, root)
	if err != nil {
		return nil, err
	}
	return s.from(ctx, pages)
}

// KeyRoots finds the pages in no bucket that can be the root of the revisions, the newest
// first and some of them at most. The error is ctx's.
func (s *Snapshot) KeyRoots(ctx context.Context) ([]uint64, error) { return s.pages.KeyRoots(ctx) }

// FromKeys is From with the same root, and another page as that of the revisions.
func (s *Snapshot) FromKeys(ctx context.Context, page uint64) (*Snapshot, error) {
	pages, err := s.pages.FromKeys(ctx, page)
	if err != nil {
		return nil, err
	}
	return s.from(ctx, pages)
}

func (s *Snapshot) from(ctx context.Context, pages *boltpage.File) (*Snapshot, error) {
	t := &Snapshot{
		path: s.path, size: s.size, evidence: s.evidence, watched: s.watched, segments: s.segments, tornPossible: s.tornPossible,
		hash: s.hash, hollow: s.hollow, decrypt: s.decrypt, assumeCommitted: s.assumeCommitted, workers: s.workers, pages: pages,
	}
	t.close.Do(func() {})
	if err := t.load(ctx, false); err != nil {
		return nil, err
	}
	return t, nil
}

// KeySet counts the keys that are there after some records.
type KeySet struct {
	x      *index
	there  []uint64            // a bit a key of x
	others map[string]struct{} // keys that are there, and not in x
	n      int
}

// NewKeySet returns an empty set, which takes a bit for each key of the snapshot and
// more for any other.
func (s *Snapshot) NewKeySet() *KeySet {
	return &KeySet{x: s.index, there: make([]uint64, len(s.index.keys)/64+1), others: map[string]struct{}{}}
}

// Apply takes the next record by revision.
func (k *KeySet) Apply(r *Record) {
	if r.Key == "" {
		return // a bump marker
	}
	at, ok := k.x.search(r.Key)
	if !ok {
		if _, there := k.others[r.Key]; there == r.Tombstone {
			k.count(r.Tombstone)
		}
		if r.Tombstone {
			delete(k.others, r.Key)
		} else {
			k.others[r.Key] = struct{}{}
		}
		return
	}
	if word, bit := &k.there[at/64], uint64(1)<<(at%64); (*word&bit != 0) == r.Tombstone {
		*word ^= bit
		k.count(r.Tombstone)
	}
}

func (k *KeySet) count(gone bool) {
	if gone {
		k.n--
	} else {
		k.n++
	}
}

// Len is how many keys are there.
func (k *KeySet) Len() int { return k.n }
