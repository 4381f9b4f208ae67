// Package snapshottest opens snapshots for tests: those in testdata, and stores
// that a test makes up, which bbolt writes as etcd does. What it opens is closed
// when the test ends; what cannot be opened ends the test.
package snapshottest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

// Open opens a gzipped snapshot.
func Open(t testing.TB, path string) *snapshot.Snapshot {
	t.Helper()
	return OpenBytes(t, path, corpus.Unpack(t, path))
}

// OpenBytes opens a snapshot, the trailer of which it leaves unverified.
func OpenBytes(t testing.TB, name string, data []byte) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), name, data, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Change is one revision of a store: the value put under a key or, without one,
// the key's deletion; without a key, a revision that was compacted away.
type Change struct {
	Key   string
	Value []byte
	// Lease is the id of the lease that the value is put with, 0 for none, and TTL for
	// how many seconds it was granted. Without TTL the store does not have it.
	Lease, TTL int64
}

// Put puts a value under a key.
func Put(key, value string) Change { return Change{Key: key, Value: []byte(value)} }

// Delete deletes a key.
func Delete(key string) Change { return Change{Key: key} }

// Store opens a store in which the changes are the revisions 2, 3, …
func Store(t testing.TB, changes ...Change) *snapshot.Snapshot {
	t.Helper()
	return OpenBytes(t, "snapshot.db", Bytes(t, changes...))
}

// Bytes is the db of such a store, without a trailer.
func Bytes(t testing.TB, changes ...Change) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshot.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error { return write(tx, changes) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(tx *bolt.Tx, changes []Change) error {
	bucket, err := tx.CreateBucket([]byte("key"))
	if err != nil {
		return err
	}
	bucket.FillPercent = 1 // keys come in order
	if _, err := tx.CreateBucket([]byte("meta")); err != nil {
		return err
	}
	live := map[string]*mvccpb.KeyValue{}
	for i, c := range changes {
		if c.Key == "" {
			continue
		}
		revision := int64(i + 2)
		k := append(binary.BigEndian.AppendUint64(nil, uint64(revision)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
		kv := &mvccpb.KeyValue{Key: []byte(c.Key)}
		if c.Value == nil {
			k = append(k, 't')
			delete(live, c.Key)
		} else {
			kv.CreateRevision, kv.ModRevision, kv.Version, kv.Value, kv.Lease = revision, revision, 1, c.Value, c.Lease
			if last := live[c.Key]; last != nil {
				kv.CreateRevision, kv.Version = last.CreateRevision, last.Version+1
			}
			live[c.Key] = kv
		}
		if c.TTL > 0 {
			id := binary.BigEndian.AppendUint64(nil, uint64(c.Lease))
			lease := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(c.Lease))
			lease = protowire.AppendVarint(protowire.AppendTag(lease, 2, protowire.VarintType), uint64(c.TTL))
			leases, err := tx.CreateBucketIfNotExists([]byte("lease"))
			if err != nil {
				return err
			}
			if err := leases.Put(id, lease); err != nil {
				return err
			}
		}
		value, err := proto.Marshal(kv)
		if err != nil {
			return err
		}
		if err := bucket.Put(k, value); err != nil {
			return err
		}
	}
	return nil
}

// Compact removes from such a db, as etcd compacts at a revision, what was overwritten or
// deleted at or before it. The pages that it had are free, and still have it.
func Compact(t testing.TB, data []byte, revision int64) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshot.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		at := append(binary.BigEndian.AppendUint64(nil, uint64(revision)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
		for _, name := range []string{"scheduledCompactRev", "finishedCompactRev"} {
			if err := tx.Bucket([]byte("meta")).Put([]byte(name), at); err != nil {
				return err
			}
		}
		return compact(tx.Bucket([]byte("key")), at)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return data
}

func compact(bucket *bolt.Bucket, at []byte) error {
	newest := map[string][]byte{}
	var gone [][]byte
	c := bucket.Cursor()
	for k, v := c.First(); k != nil && bytes.Compare(k[:len(at)], at) <= 0; k, v = c.Next() {
		var kv mvccpb.KeyValue
		if err := proto.Unmarshal(v, &kv); err != nil {
			return err
		}
		if before := newest[string(kv.Key)]; before != nil {
			gone = append(gone, before)
		}
		newest[string(kv.Key)] = bytes.Clone(k)
	}
	for _, k := range newest {
		if len(k) > len(at) { // a tombstone
			gone = append(gone, k)
		}
	}
	for _, k := range gone {
		if err := bucket.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
