package adversary

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"
)

// history is what etcd has written.
type history struct {
	revision int64
	records  []record
	live     map[string]*record
	backup   int   // records of the backup
	saved    int64 // its revision
}

// record is one of the bucket key, as etcd would write it until a lie changes it.
type record struct {
	main, sub            int64
	tombstone            bool
	key                  string
	create, mod, version int64
	value                []byte
	lease                int64

	filler bool   // nothing that is known rests on it
	raw    []byte // the value in the bucket, when it is not made of the above
	name   []byte // the key in the bucket, likewise
	extra  []byte // after the message
}

func newHistory() *history { return &history{revision: 1, live: map[string]*record{}} }

func (h *history) put(key string, value []byte) *record {
	h.revision++
	r := record{main: h.revision, key: key, create: h.revision, mod: h.revision, version: 1, value: value}
	if last := h.live[key]; last != nil {
		r.create, r.version = last.create, last.version+1
	}
	return h.add(r)
}

func (h *history) delete(key string) {
	if h.live[key] != nil {
		h.revision++
		h.add(record{main: h.revision, key: key, tombstone: true})
		delete(h.live, key)
	}
}

func (h *history) add(r record) *record {
	h.records = append(h.records, r)
	h.live[r.key] = &r
	return &h.records[len(h.records)-1]
}

// bucketKey is a key of the bucket key (etcd server/v3 v3.7 storage/mvcc/revision.go).
func (r *record) bucketKey() []byte {
	if r.name != nil {
		return r.name
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(r.main))
	b = binary.BigEndian.AppendUint64(append(b, '_'), uint64(r.sub))
	if r.tombstone {
		b = append(b, 't')
	}
	return b
}

// stored is the record as an mvccpb.KeyValue.
func (r *record) stored() []byte {
	if r.raw != nil {
		return r.raw
	}
	b := protowire.AppendTag(nil, 1, protowire.BytesType)
	b = protowire.AppendString(b, r.key)
	for i, n := range []int64{r.create, r.mod, r.version} {
		if n != 0 {
			b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(2+i), protowire.VarintType), uint64(n))
		}
	}
	if len(r.value) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), r.value)
	}
	if r.lease != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.VarintType), uint64(r.lease))
	}
	return append(b, r.extra...)
}

// file is a snapshot to be written.
type file struct {
	*Evidence
	records  []record
	buckets  map[string][]item
	compact  int64 // the compact revision, by which the records were compacted
	pageSize int
	trailer  trailer
	raw      bool // as etcd leaves its db, and not as a snapshot is saved
}

type item struct{ key, value []byte }

type trailer int

const (
	rightTrailer trailer = iota
	wrongTrailer
	noTrailer
)

// damaged notes what is wrong with the file.
func (f *file) damaged(format string, args ...any) {
	f.Sound = false
	if f.Damaged == "" {
		f.Damaged = fmt.Sprintf(format, args...)
	}
}

// Damage that a later change may undo: another compact revision, another trailer.
const (
	unscheduled = "a compaction finished that was not scheduled"
	wrongSum    = "the trailer is not the sum of the content"
	ofNothing   = "a deletion of what was not there"
	absurdSub   = "the sub of a revision is absurd"
	uncompacted = "a bump marker above the compact revision"

	revisionsApart = "revisions lie apart"
)

// undone takes claims of damage back.
func (f *file) undone(claims ...string) {
	if slices.Contains(claims, f.Damaged) {
		f.Damaged = ""
	}
}

// put puts an item into a bucket, in the place of one of its key.
func (f *file) put(bucket string, key, value []byte) {
	if bytes.HasSuffix(key, []byte("CompactRev")) {
		// What was deleted, the other subs and the revisions between may be compacted.
		if f.undone(unscheduled, ofNothing, absurdSub, uncompacted, revisionsApart); f.Damaged == "" {
			f.Missing = false
		}
	}
	i := slices.IndexFunc(f.buckets[bucket], func(it item) bool { return bytes.Equal(it.key, key) })
	if i >= 0 {
		f.buckets[bucket][i].value = value
		return
	}
	f.buckets[bucket] = append(f.buckets[bucket], item{key, value})
}

func revisionBytes(main int64) []byte { return (&record{main: main}).bucketKey() }

// files are the two snapshots of the history, not yet written.
func (m *maker) files() (backup, current *file) {
	h := m.history
	compact := int64(0)
	if m.odds(3) {
		compact = h.records[h.backup/2].main
	}
	size := one(m, 4096, 4096, 4096, 512, 1024, 16384, 65536)
	make := func(e *Evidence, records []record) *file {
		f := &file{Evidence: e, records: slices.Clone(records), compact: compact, pageSize: size, buckets: map[string][]item{}}
		for _, name := range []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "lease", "members", "members_removed", "meta"} {
			f.buckets[name] = nil
		}
		f.put("meta", []byte("consistent_index"), binary.BigEndian.AppendUint64(nil, uint64(f.records[len(f.records)-1].main)+10))
		f.put("meta", []byte("term"), binary.BigEndian.AppendUint64(nil, 2))
		f.put("meta", []byte("storageVersion"), []byte("3.6.0"))
		f.put("cluster", []byte("clusterVersion"), []byte("3.6.0"))
		f.put("members", []byte("706535fb64ef728f"), []byte(`{"id":8099161474091709071,"peerURLs":["http://127.0.0.1:2380"],"name":"m0","clientURLs":["http://127.0.0.1:2379"]}`))
		if compact > 0 {
			f.put("meta", []byte("scheduledCompactRev"), revisionBytes(compact))
			f.put("meta", []byte("finishedCompactRev"), revisionBytes(compact))
			f.drop()
		}
		f.Records = len(f.records)
		return f
	}
	return make(&m.Backup, h.records[:h.backup]), make(&m.Current, h.records)
}

// drop drops what a compaction drops.
func (f *file) drop() {
	newest := map[string]int{}
	for i, r := range f.records {
		if r.main <= f.compact {
			newest[r.key] = i
		}
	}
	var kept []record
	for i, r := range f.records {
		if r.main > f.compact || newest[r.key] == i && !r.tombstone {
			kept = append(kept, r)
		}
	}
	f.records = kept
}

// save writes both files, those of the history when none are given.
func (m *maker) save(backup, current *file) error {
	if backup == nil {
		backup, current = m.files()
	}
	for _, f := range []*file{backup, current} {
		data, err := f.bytes(m)
		if err != nil {
			return err
		}
		m.Files[f.Path] = data
	}
	return nil
}

// bytes writes the file with bbolt.
func (f *file) bytes(m *maker) ([]byte, error) {
	dir, err := os.MkdirTemp("", "adversary")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true, NoGrowSync: true, FreelistType: bolt.FreelistMapType, PageSize: f.pageSize})
	if err != nil {
		return nil, err
	}
	var data bytes.Buffer
	err = db.Update(f.write)
	if err == nil {
		err = db.View(func(tx *bolt.Tx) error {
			_, err := tx.WriteTo(&data)
			return err
		})
	}
	if closed := db.Close(); err == nil {
		err = closed
	}
	if err != nil || f.raw {
		return data.Bytes(), err
	}
	sum := sha256.Sum256(data.Bytes())
	switch f.trailer {
	case noTrailer:
		return data.Bytes(), nil
	case wrongTrailer:
		sum[m.IntN(len(sum))] ^= 1 << m.IntN(8)
	}
	return append(data.Bytes(), sum[:]...), nil
}

func (f *file) write(tx *bolt.Tx) error {
	names := make([]string, 0, len(f.buckets))
	for name := range f.buckets {
		names = append(names, name)
	}
	slices.Sort(names) // the same seed is the same file
	for _, name := range names {
		b, err := tx.CreateBucketIfNotExists([]byte(name))
		if err != nil {
			return err
		}
		for _, it := range f.buckets[name] {
			if it.value == nil {
				if _, err := b.CreateBucketIfNotExists(it.key); err != nil {
					return err
				}
				continue
			}
			if err := b.Put(it.key[:min(len(it.key), bolt.MaxKeySize)], it.value); err != nil {
				return err
			}
		}
	}
	b, err := tx.CreateBucketIfNotExists([]byte("key"))
	if err != nil {
		return err
	}
	b.FillPercent = 1
	for i := range f.records {
		r := &f.records[i]
		if err := b.Put(r.bucketKey(), r.stored()); err != nil {
			return fmt.Errorf("put %q: %w", r.bucketKey(), err)
		}
	}
	return nil
}

// fillerAt chooses a record that nothing known rests on, above the compact revision
// and neither the first nor the last there: its place in the file's records.
func (m *maker) fillerAt(f *file) int {
	for range 1000 {
		i := m.IntN(len(f.records))
		if r := &f.records[i]; r.filler && r.main > f.compact+1 && i > 0 && i+1 < len(f.records) && r.main < math.MaxInt32 && r.raw == nil && r.name == nil {
			return i
		}
	}
	return -1
}
