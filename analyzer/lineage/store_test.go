package lineage_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// store keeps records as etcd does, to be written to a file with bbolt. The
// oracle module plays the same with etcd itself.
type store struct {
	name    string // values tell it, so that no two timelines write the same
	records []record
	live    map[string]*mvccKeyValue
	head    int64
	compact int64
	index   uint64 // of raft's log: one entry a write
	term    uint64
	members []string
	junk    bool // damaged: the key bucket holds what is no record
}

type mvccKeyValue = mvccpb.KeyValue

type record struct {
	revision  int64
	sub       int64
	tombstone bool
	kv        *mvccKeyValue
}

func newStore(uid string) *store {
	s := &store{name: "first", live: map[string]*mvccKeyValue{}, head: 1, index: 3, term: 2, members: []string{"a1"}}
	s.putValue("/registry/namespaces/kube-system", fmt.Sprintf(`{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":%q}}`, uid))
	return s
}

func (s *store) putValue(key, value string) *store {
	s.head++
	s.index++
	kv := &mvccKeyValue{Key: []byte(key), Value: []byte(value), CreateRevision: s.head, ModRevision: s.head, Version: 1}
	if before := s.live[key]; before != nil {
		kv.CreateRevision, kv.Version = before.CreateRevision, before.Version+1
	}
	s.live[key] = kv
	s.records = append(s.records, record{revision: s.head, kv: kv})
	return s
}

func (s *store) put(key string) *store {
	return s.putValue(key, fmt.Sprintf("%-8s at %06d", s.name, s.head+1))
}

// write makes n revisions over ten keys.
func (s *store) write(n int) *store {
	for range n {
		s.put(fmt.Sprintf("/registry/configmaps/ns/c%d", s.head%10))
	}
	return s
}

// delete deletes those of the keys that exist, in one transaction.
func (s *store) delete(keys ...string) *store {
	keys = slices.DeleteFunc(keys, func(key string) bool { return s.live[key] == nil })
	if len(keys) == 0 {
		return s
	}
	s.head++
	s.index++
	for sub, key := range keys {
		delete(s.live, key)
		s.records = append(s.records, record{revision: s.head, sub: int64(sub), tombstone: true, kv: &mvccKeyValue{Key: []byte(key)}})
	}
	return s
}

// compactTo keeps what is newer, the newest record of every key that exists, and
// a tombstone exactly there (etcd server/v3 v3.7 storage/mvcc/key_index.go).
func (s *store) compactTo(revision int64) *store {
	if revision <= s.compact {
		return s
	}
	newest := map[string]int64{}
	for _, r := range s.records {
		if r.revision <= revision {
			newest[string(r.kv.Key)] = r.revision
		}
	}
	s.records = slices.DeleteFunc(s.records, func(r record) bool {
		return r.revision <= revision && (r.revision != newest[string(r.kv.Key)] || r.tombstone && r.revision < revision)
	})
	s.compact = revision
	return s
}

// saved is the store as it is now.
func (s *store) saved() *store {
	c := *s
	c.records, c.live, c.members = slices.Clone(s.records), maps.Clone(s.live), slices.Clone(s.members)
	return &c
}

// restored is the timeline that begins with the store restored: raft's log begins
// again. A bump leaves its marker and compacts to it.
func (s *store) restored(name string, bump int64) *store {
	c := s.saved()
	c.name, c.index, c.term = name, 1, 1
	if bump > 0 {
		c.head = s.records[len(s.records)-1].revision + bump
		c.records = append(c.records, record{revision: c.head, kv: &mvccKeyValue{}})
		c.compactTo(c.head)
	}
	return c
}

// file writes the store to a file.
func (s *store) file(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(s.fill); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// open writes the store to a file and opens it.
func (s *store) open(t testing.TB) *snapshot.Snapshot {
	t.Helper()
	data, err := os.ReadFile(s.file(t))
	if err != nil {
		t.Fatal(err)
	}
	opened := snapshottest.OpenBytes(t, "snapshot.db", data)
	if opened.Damaged() != s.junk {
		t.Fatalf("damaged is %t: %v", opened.Damaged(), opened.Problems())
	}
	return opened
}

func (s *store) fill(tx *bolt.Tx) error {
	buckets := map[string]*bolt.Bucket{}
	for _, name := range []string{"key", "meta", "members"} {
		b, err := tx.CreateBucket([]byte(name))
		if err != nil {
			return err
		}
		b.FillPercent = 0.9
		buckets[name] = b
	}
	for _, r := range s.records {
		key := revision(r.revision, r.sub)
		if r.tombstone {
			key = append(key, 't')
		}
		value, err := proto.Marshal(r.kv)
		if err != nil {
			return err
		}
		if err := buckets["key"].Put(key, value); err != nil {
			return err
		}
	}
	if s.junk {
		if err := buckets["key"].Put([]byte("junk"), nil); err != nil {
			return err
		}
	}
	for _, id := range s.members {
		if err := buckets["members"].Put([]byte(id), []byte(`{"name":"m"}`)); err != nil {
			return err
		}
	}
	meta := map[string][]byte{
		"consistent_index": binary.BigEndian.AppendUint64(nil, s.index),
		"term":             binary.BigEndian.AppendUint64(nil, s.term),
	}
	if s.compact > 0 {
		meta["scheduledCompactRev"], meta["finishedCompactRev"] = revision(s.compact, 0), revision(s.compact, 0)
	}
	for key, value := range meta {
		if err := buckets["meta"].Put([]byte(key), value); err != nil {
			return err
		}
	}
	return nil
}

// revision is a key of the key bucket.
func revision(main, sub int64) []byte {
	key := append(binary.BigEndian.AppendUint64(nil, uint64(main)), '_')
	return binary.BigEndian.AppendUint64(key, uint64(sub))
}
