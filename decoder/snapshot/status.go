package snapshot

import (
	"context"
	"hash/crc32"
	"regexp"
	"slices"

	"revenant/decoder/boltpage"
)

// Status is what `etcdutl snapshot status` 3.6 and later prints, bit for bit
// (etcdutl/v3 v3.7 snapshot/v3_snapshot.go Status). It is that of the db alone.
type Status struct {
	Hash      uint32 `json:"hash"`      // CRC-32C over the buckets' names, keys and values in order
	Revision  int64  `json:"revision"`  // main revision of the last record
	TotalKey  int    `json:"totalKey"`  // live keys, a bump marker counts as one
	TotalSize int64  `json:"totalSize"` // bytes up to the high-water mark
	Version   string `json:"version"`   // storage version, "" before 3.6

	// TotalKey35 is the totalKey of etcdutl 3.5 and older: the entries of all
	// buckets.
	TotalKey35 int `json:"-"`
}

var semver = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// BrokenTree says whether pages that the tree leads to are not what they have to be, or
// a meta page does not say what it has to: bbolt trusts them, and what is built on it
// crashes there or goes astray.
func (s *Snapshot) BrokenTree() bool {
	if s.pages.Corrected() {
		return true
	}
	harmless := []boltpage.Kind{boltpage.OtherMeta, boltpage.BadMeta, boltpage.BadOrder}
	return slices.ContainsFunc(s.pages.Anomalies(), func(a boltpage.Anomaly) bool { return !slices.Contains(harmless, a.Kind) })
}

// Status reads every byte of the buckets. The error is ctx's.
func (s *Snapshot) Status(ctx context.Context) (Status, error) {
	st := Status{Revision: s.dbIndex.newestMain(), TotalSize: s.pages.Meta().Size()}
	if semver.MatchString(s.meta.StorageVersion) {
		st.Version = s.meta.StorageVersion
	}
	for k := range s.dbIndex.keys {
		if k%lookEvery == 0 && ctx.Err() != nil {
			return Status{}, ctx.Err()
		}
		if r, ok := s.dbIndex.newest(uint32(k), st.Revision); ok && !r.Tombstone {
			st.TotalKey++
		}
	}
	var err error
	st.Hash, err = s.hashBuckets(ctx, func(string, boltpage.Item) bool {
		st.TotalKey35++
		return true
	})
	if err != nil {
		return Status{}, err
	}
	return st, nil
}

// Hash is what a member that serves the db answers when it is asked for the hash of
// its backend (Maintenance.Hash; server/v3 v3.7 storage/backend/backend.go Hash): that
// of Status without what differs between members (storage/schema/bucket.go
// DefaultIgnores). The error is ctx's.
func (s *Snapshot) Hash(ctx context.Context) (uint32, error) {
	return s.hashBuckets(ctx, func(bucket string, it boltpage.Item) bool {
		return bucket != "meta" || !slices.Contains([]string{"term", "consistent_index", "storageVersion"}, string(it.Key))
	})
}

// A pass over keys or records looks at ctx after so many of them, and after each whose
// size is large, in bytes.
const (
	lookEvery = 1 << 12
	large     = 1 << 16
)

// hashBuckets is a CRC-32C over the names of the buckets, and the keys and values that
// count, in order.
func (s *Snapshot) hashBuckets(ctx context.Context, counts func(bucket string, it boltpage.Item) bool) (hash uint32, err error) {
	table := crc32.MakeTable(crc32.Castagnoli)
	for _, name := range s.pages.Buckets() {
		hash = crc32.Update(hash, table, []byte(name))
		// A page that vanishes is among the problems afterwards.
		_ = s.pages.Bucket(name).Each(func(items []boltpage.Item) error {
			for _, it := range items {
				if counts(name, it) {
					hash = crc32.Update(hash, table, it.Key)
					hash = crc32.Update(hash, table, it.Value)
				}
				if len(it.Value) >= large && ctx.Err() != nil {
					return ctx.Err()
				}
			}
			return ctx.Err()
		})
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	return hash, nil
}
