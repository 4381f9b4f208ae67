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
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// History is what etcd has written: one record a revision.
type History struct {
	revision int64
	records  []record
	live     map[string]*generation
	spill    *spill // nil where all records are kept
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

// NewHistory is that of an empty store.
func NewHistory() *History { return &History{revision: 1, live: map[string]*generation{}} }

// Revision is the newest.
func (h *History) Revision() int64 { return h.revision }

// Object puts an object as an API server stores it, below /registry/.
func (h *History) Object(path string, o runtime.Object) error {
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	o.GetObjectKind().SetGroupVersionKind(gvks[0])
	value, err := runtime.Encode(encoder, o)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	h.Put("/registry/"+path, value)
	return nil
}

// Put puts a value.
func (h *History) Put(key string, value []byte) {
	h.revision++
	g := h.live[key]
	if g == nil {
		g = &generation{create: h.revision}
		h.live[key] = g
	}
	g.version++
	g.newest = len(h.records)
	h.add(record{h.revision, key, value, g.create, g.version})
}

// Delete deletes a key.
func (h *History) Delete(key string) {
	h.revision++
	delete(h.live, key)
	h.add(record{revision: h.revision, key: key})
}

func (h *History) add(r record) {
	h.records = append(h.records, r)
	if h.spill != nil {
		h.spill.add(h, len(r.value))
	}
}

// compact drops what etcd drops: at or below the revision, all of a key but its
// newest record, and that too when it is a deletion.
func (h *History) compact(revision int64) []record {
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

// Save is a snapshot file as etcdctl snapshot save writes it: a bbolt file with its
// SHA-256 after it. compacted is the compact revision, 0 for none. In place, all is written
// first and the compaction then frees pages, as in a store that was in use; otherwise what
// was compacted is nowhere in the file. dir is for a temporary file.
func (h *History) Save(dir string, compacted int64, inPlace bool) ([]byte, error) {
	path := filepath.Join(dir, fmt.Sprintf("%d.db", h.revision))
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	var data bytes.Buffer
	first := compacted
	if inPlace {
		first = 0
	}
	err = db.Update(func(tx *bolt.Tx) error { return h.write(tx, first) })
	if err == nil && first != compacted {
		err = db.Update(func(tx *bolt.Tx) error { return h.compactIn(tx, compacted) })
	}
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

// buckets are those of every etcd since 3.4.
var buckets = []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed", "meta"}

func (h *History) write(tx *bolt.Tx, compacted int64) error {
	for _, name := range buckets {
		b, err := tx.CreateBucket([]byte(name))
		if err != nil {
			return err
		}
		b.FillPercent = 1
	}
	index := binary.BigEndian.AppendUint64(nil, uint64(h.revision)+10)
	if err := tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), index); err != nil {
		return err
	}
	records := h.records
	if compacted > 0 {
		records = h.compact(compacted)
		if err := mark(tx, compacted); err != nil {
			return err
		}
	}
	keys := tx.Bucket([]byte("key"))
	keys.FillPercent = 1
	for _, r := range records {
		if err := keys.Put(revisionKey(r.revision, r.value == nil), r.stored()); err != nil {
			return err
		}
	}
	return nil
}

// compactIn removes from a store what a compaction does.
func (h *History) compactIn(tx *bolt.Tx, compacted int64) error {
	kept := map[int64]bool{}
	for _, r := range h.compact(compacted) {
		kept[r.revision] = true
	}
	keys := tx.Bucket([]byte("key"))
	for _, r := range h.records {
		if !kept[r.revision] {
			if err := keys.Delete(revisionKey(r.revision, r.value == nil)); err != nil {
				return err
			}
		}
	}
	return mark(tx, compacted)
}

// mark notes in a store that it is compacted.
func mark(tx *bolt.Tx, compacted int64) error {
	for _, name := range []string{"scheduledCompactRev", "finishedCompactRev"} {
		if err := tx.Bucket([]byte("meta")).Put([]byte(name), revisionKey(compacted, false)); err != nil {
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
