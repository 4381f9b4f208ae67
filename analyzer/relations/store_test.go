package relations

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
)

const prefix = "/registry"

// change is one revision of a store: the value put under a key or, without one, the
// key's deletion.
type change struct{ key, value string }

// store writes the changes as revisions 2, 3, …
func store(t testing.TB, changes ...change) *snapshot.Snapshot {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshot.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("key"))
		if err != nil {
			return err
		}
		for i, c := range changes {
			k := append(binary.BigEndian.AppendUint64(nil, uint64(i+2)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
			kv := &mvccpb.KeyValue{Key: []byte(c.key)}
			if c.value == "" {
				k = append(k, 't')
			} else {
				kv.CreateRevision, kv.ModRevision, kv.Version, kv.Value = int64(i+2), int64(i+2), 1, []byte(c.value)
			}
			value, err := proto.Marshal(kv)
			if err == nil {
				err = bucket.Put(k, value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, data)
}

func open(t testing.TB, data []byte) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), "snapshot.db", data, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func unpack(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func at(t testing.TB, s *snapshot.Snapshot, revision int64) *snapshot.View {
	t.Helper()
	view, err := s.At(revision)
	if err != nil {
		t.Fatal(err)
	}
	return view
}
