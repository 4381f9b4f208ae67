package snapshot

import (
	"context"
	"regexp"
	"slices"
	"sync"

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

// Status reads every byte of the buckets, unless that was done when the snapshot was
// opened. The error is ctx's.
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
	sum, err := s.sumBuckets(ctx, nil)
	if err != nil {
		return Status{}, err
	}
	st.Hash, st.TotalKey35 = sum.crc, sum.items
	return st, nil
}

// Hash is what a member that serves the db answers when it is asked for the hash of
// its backend (Maintenance.Hash; server/v3 v3.7 storage/backend/backend.go Hash): that
// of Status without what differs between members (storage/schema/bucket.go
// DefaultIgnores). The error is ctx's.
func (s *Snapshot) Hash(ctx context.Context) (uint32, error) {
	sum, err := s.sumBuckets(ctx, func(bucket string, it *boltpage.Item) bool {
		return bucket == "meta" && slices.Contains([]string{"term", "consistent_index", "storageVersion"}, string(it.Key))
	})
	return sum.crc, err
}

// A pass over keys or records looks at ctx after so many of them, and after each whose
// size is large, in bytes.
const (
	lookEvery = 1 << 12
	large     = 1 << 16
)

// itemSum is the sum of the keys and values of items in order, and how many they are.
type itemSum struct {
	sum
	items int
}

// addAll adds items but for those that skip leaves out. The error is ctx's.
func (s *itemSum) addAll(ctx context.Context, items []boltpage.Item, skip func(*boltpage.Item) bool) error {
	for i := range items {
		it := &items[i]
		if skip != nil && skip(it) {
			continue
		}
		s.items++
		s.add(it.Key)
		s.add(it.Value)
		if len(it.Value) >= large && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func (s itemSum) then(next itemSum) itemSum {
	return itemSum{s.sum.then(next.sum), s.items + next.items}
}

// sumBuckets sums the names of the buckets, and their items but for those that skip
// leaves out, in order; none of the bucket key.
func (s *Snapshot) sumBuckets(ctx context.Context, skip func(bucket string, it *boltpage.Item) bool) (total itemSum, err error) {
	for _, name := range s.pages.Buckets() {
		total.add([]byte(name))
		if name == "key" && s.keySum != nil {
			total = total.then(*s.keySum)
			continue
		}
		var without func(*boltpage.Item) bool
		if skip != nil && name != "key" {
			without = func(it *boltpage.Item) bool { return skip(name, it) }
		}
		parts := s.pages.Bucket(name).Ranges(s.workers)
		sums := make([]itemSum, len(parts))
		var wg sync.WaitGroup
		for i, part := range parts {
			// A page that vanishes is among the problems afterwards.
			wg.Go(func() {
				_ = part.Each(func(items []boltpage.Item) error { return sums[i].addAll(ctx, items, without) })
			})
		}
		wg.Wait()
		if err := ctx.Err(); err != nil {
			return itemSum{}, err
		}
		for _, part := range sums {
			total = total.then(part)
		}
	}
	return total, nil
}
