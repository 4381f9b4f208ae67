package clustertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"
)

// history is what etcd has written: one record a revision.
type history struct {
	revision int64
	records  []record
	live     map[string]*generation
}

// record is a put or, without a value, a deletion.
type record struct {
	revision int64
	key      string
	value    []byte
	create   int64
	version  int64
}

// generation is the life of a key that goes on.
type generation struct {
	create, version int64
	newest          int // record
}

func newHistory() *history { return &history{revision: 1, live: map[string]*generation{}} }

func (h *history) put(key string, value []byte) {
	h.revision++
	g := h.live[key]
	if g == nil {
		g = &generation{create: h.revision}
		h.live[key] = g
	}
	g.version++
	g.newest = len(h.records)
	h.records = append(h.records, record{h.revision, key, value, g.create, g.version})
}

func (h *history) delete(key string) {
	h.revision++
	delete(h.live, key)
	h.records = append(h.records, record{revision: h.revision, key: key})
}

// compact drops what etcd drops: at or below the revision, all of a key but its
// newest record, and that too when it is a deletion.
func (h *history) compact(revision int64) []record {
	newest := map[string]int{}
	for i, r := range h.records {
		if r.revision <= revision {
			newest[r.key] = i
		}
	}
	var kept []record
	for i, r := range h.records {
		if r.revision > revision || newest[r.key] == i && r.value != nil {
			kept = append(kept, r)
		}
	}
	return kept
}

// save writes a snapshot file as etcdctl snapshot save does: a bbolt file with its
// SHA-256 after it. compacted is the compact revision, 0 for none.
func (h *history) save(dir string, compacted int64) ([]byte, error) {
	path := filepath.Join(dir, fmt.Sprintf("%d.db", h.revision))
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	var data bytes.Buffer
	err = db.Update(func(tx *bolt.Tx) error { return h.write(tx, compacted) })
	if err == nil {
		err = db.View(func(tx *bolt.Tx) error {
			_, err := tx.WriteTo(&data)
			return err
		})
	}
	if closed := db.Close(); err == nil {
		err = closed
	}
	sum := sha256.Sum256(data.Bytes())
	return append(data.Bytes(), sum[:]...), err
}

func (h *history) write(tx *bolt.Tx, compacted int64) error {
	buckets := map[string]*bolt.Bucket{}
	for _, name := range []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed", "meta"} {
		b, err := tx.CreateBucket([]byte(name))
		if err != nil {
			return err
		}
		b.FillPercent = 1
		buckets[name] = b
	}
	index := binary.BigEndian.AppendUint64(nil, uint64(h.revision)+10)
	if err := buckets["meta"].Put([]byte("consistent_index"), index); err != nil {
		return err
	}
	records := h.records
	if compacted > 0 {
		records = h.compact(compacted)
		for _, name := range []string{"scheduledCompactRev", "finishedCompactRev"} {
			if err := buckets["meta"].Put([]byte(name), revisionKey(compacted, false)); err != nil {
				return err
			}
		}
	}
	for _, r := range records {
		if err := buckets["key"].Put(revisionKey(r.revision, r.value == nil), r.stored()); err != nil {
			return err
		}
	}
	return nil
}

// revisionKey is a key of the bucket key (etcd server/v3 v3.6 storage/mvcc/
// revision.go).
func revisionKey(revision int64, tombstone bool) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(revision))
	b = binary.BigEndian.AppendUint64(append(b, '_'), 0)
	if tombstone {
		b = append(b, 't')
	}
	return b
}

// stored is the record as an mvccpb.KeyValue.
func (r *record) stored() []byte {
	b := protowire.AppendTag(nil, 1, protowire.BytesType)
	b = protowire.AppendString(b, r.key)
	if r.value == nil {
		return b
	}
	for i, n := range []int64{r.create, r.revision, r.version} {
		b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(2+i), protowire.VarintType), uint64(n))
	}
	return protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), r.value)
}
