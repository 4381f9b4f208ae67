package snapshot

import (
	"context"
	"hash/crc32"
	"regexp"

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

// Status reads every byte of the buckets. The error is ctx's.
func (s *Snapshot) Status(ctx context.Context) (Status, error) {
	st := Status{Revision: s.dbIndex.newestMain(), TotalSize: s.pages.Meta().Size()}
	if semver.MatchString(s.meta.StorageVersion) {
		st.Version = s.meta.StorageVersion
	}
	for k := range s.dbIndex.keys {
		if r, ok := s.dbIndex.newest(uint32(k), st.Revision); ok && !r.Tombstone {
			st.TotalKey++
		}
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	for _, name := range s.pages.Buckets() {
		st.Hash = crc32.Update(st.Hash, table, []byte(name))
		// A page that vanishes is among the problems afterwards.
		_ = s.pages.Bucket(name).Each(func(items []boltpage.Item) error {
			for _, it := range items {
				st.Hash = crc32.Update(st.Hash, table, it.Key)
				st.Hash = crc32.Update(st.Hash, table, it.Value)
			}
			st.TotalKey35 += len(items)
			return ctx.Err()
		})
		if err := ctx.Err(); err != nil {
			return Status{}, err
		}
	}
	return st, nil
}
