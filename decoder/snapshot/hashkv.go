package snapshot

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// HashKV is the hash by which the members of an etcd cluster compare their key
// spaces (etcd server/v3 v3.7 storage/mvcc/hash.go), as `etcdutl hashkv` 3.6 and
// later prints it.
type HashKV struct {
	Hash         uint32 `json:"hash"`         // CRC-32C over the key bucket's name and the records that count
	HashRevision int64  `json:"hashRevision"` // the newest main revision that is in it
	// CompactRevision is the compact revision by which records at or below it
	// count or do not; -1 when the store was never compacted, as etcd has it.
	// Hashes compare only where it is the same.
	CompactRevision int64 `json:"compactRevision"`
	// Revision is the store's newest one; an empty store is at 1.
	Revision int64 `json:"revision"`
}

// neverCompacted is what etcd calls the compact revision of a store that never
// was (server/v3 v3.7 storage/mvcc/kvstore.go NewStore).
const neverCompacted = -1

// HashKV returns the hash that etcd started on this file answers for the
// revisions up to rev (server/v3 v3.7 storage/mvcc/kvstore.go hashByRev); 0 is
// the newest. Revisions are refused as At does. What the index could not take,
// which is among the problems, is not in the hash; a record that cannot be read
// is an error, and so is ctx's.
//
// At or below the compact revision a record counts while it is its key's newest
// at rev and no tombstone. Where no key exists at rev, etcd leaves nothing out but
// the tombstones of the compact revision itself.
//
// A compaction that was scheduled and had not finished counts: etcd takes its
// revision as the compact one before it serves (kvstore.go restore). A member that
// has not been restarted since a compaction answers for exactly that revision with
// the hash it computed meanwhile, and with the compact revision before it; no file
// tells that one.
func (s *Snapshot) HashKV(ctx context.Context, rev int64) (HashKV, error) {
	h := HashKV{HashRevision: rev, CompactRevision: s.CompactRevision(), Revision: max(s.Revision(), firstRevision-1)}
	if rev == 0 {
		h.HashRevision = h.Revision
	} else if _, err := s.At(rev); err != nil && rev != h.Revision {
		return HashKV{}, err
	}
	if !s.meta.hasFinished && s.meta.ScheduledCompact == 0 {
		h.CompactRevision = neverCompacted
	}
	k, err := s.newKeep(ctx, h.HashRevision)
	if err != nil {
		return HashKV{}, err
	}
	h.Hash = crc32.Checksum([]byte("key"), castagnoli)
	var key [tombstoneSize]byte
	var buf []byte
	for n, b := range s.index.blocks {
		for i := range b.n {
			size := int(b.size[i] &^ tombstoneBit)
			if (i%lookEvery == 0 || size >= large) && ctx.Err() != nil {
				return HashKV{}, ctx.Err()
			}
			rev := b.revision(i)
			if rev.Main > h.HashRevision {
				return h, nil
			}
			if rev.Main <= h.CompactRevision && !k.has(place(n<<blockBits|i)) {
				continue
			}
			if buf, err = s.readRaw(b.offset[i], size, buf); err != nil {
				return HashKV{}, fmt.Errorf("read revision %s: %w", rev, err)
			}
			h.Hash = crc32.Update(h.Hash, castagnoli, appendRevision(key[:0], rev, b.tombstone(i)))
			h.Hash = crc32.Update(h.Hash, castagnoli, buf)
		}
	}
	return h, nil
}

// appendRevision appends the key under which etcd stores a revision, as its
// mvcc/revision.go RevToBytes.
func appendRevision(b []byte, rev Revision, tombstone bool) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(rev.Main))
	b = append(b, '_')
	b = binary.BigEndian.AppendUint64(b, uint64(rev.Sub))
	if tombstone {
		b = append(b, 't')
	}
	return b
}

// keep tells which records at or below the compact revision are hashed (etcd
// server/v3 v3.7 storage/mvcc/key_index.go keep, hash.go WriteKeyValue).
type keep struct {
	x       *index
	rev     int64
	compact int64
	none    bool // no key exists at rev
	settled bool // the compaction has finished: what is still there stays
}

func (s *Snapshot) newKeep(ctx context.Context, rev int64) (keep, error) {
	k := keep{x: s.index, rev: rev, compact: s.CompactRevision(), none: true}
	k.settled = s.meta.FinishedCompact == k.compact
	for number := range k.x.keys {
		if number%lookEvery == 0 && ctx.Err() != nil {
			return k, ctx.Err()
		}
		if r, ok := k.x.newest(uint32(number), rev); ok && !r.Tombstone {
			k.none = false
			break
		}
	}
	return k, nil
}

// has says whether the record counts.
func (k *keep) has(p place) bool {
	b, i := k.x.at(p)
	switch {
	case b.tombstone(i) && b.main(i) == k.compact:
		return false
	case k.none && k.settled:
		return true
	case b.tombstone(i):
		return false
	}
	at := k.rev
	if k.none {
		at = k.compact // what the compaction leaves when etcd has finished it
	}
	newest, ok := k.x.newestPlace(b.key[i], at)
	return ok && newest == p
}
