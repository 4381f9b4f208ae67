package snapshot_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestCarveWindows carves transactions of several records: a window counts a revision
// once, and none of which the buckets still have a record.
func TestCarveWindows(t *testing.T) {
	transactions := [][]string{{"a"}, {"b", "c"}, {"d", "e"}, {"a", "b", "c", "d"}} // revisions 2 to 5
	compacted := []snapshot.Revision{{Main: 2}, {Main: 3}, {Main: 3, Sub: 1}, {Main: 4}}
	name := func(r snapshot.Revision) []byte {
		k := append(binary.BigEndian.AppendUint64(nil, uint64(r.Main)), '_')
		return binary.BigEndian.AppendUint64(k, uint64(r.Sub))
	}

	path := filepath.Join(t.TempDir(), "snapshot.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	write := db.Update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("key"))
		if err != nil {
			return err
		}
		versions, created := map[string]int64{}, map[string]int64{}
		for i, keys := range transactions {
			main := int64(i + 2)
			for sub, key := range keys {
				if versions[key]++; versions[key] == 1 {
					created[key] = main
				}
				value, err := proto.Marshal(&mvccpb.KeyValue{
					Key: []byte(key), Value: []byte(strings.Repeat(key, 800)), // too much for a bucket inline in its parent's page
					CreateRevision: created[key], ModRevision: main, Version: versions[key],
				})
				if err != nil {
					return err
				}
				if err := bucket.Put(name(snapshot.Revision{Main: main, Sub: int64(sub)}), value); err != nil {
					return err
				}
			}
		}
		_, err = tx.CreateBucket([]byte("meta"))
		return err
	})
	compact := db.Update(func(tx *bolt.Tx) error {
		for _, r := range compacted {
			if err := tx.Bucket([]byte("key")).Delete(name(r)); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte("meta")).Put([]byte("finishedCompactRev"), name(snapshot.Revision{Main: 5}))
	})
	if err := errors.Join(write, compact, db.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	c, err := snapshottest.OpenBytes(t, "snapshot.db", data).Carve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var carved []snapshot.Revision
	for r := range c.Records {
		carved = append(carved, r.Revision)
	}
	if diff := cmp.Diff(compacted, carved); diff != "" {
		t.Errorf("carved (-want):\n%s", diff)
	}
	if diff := cmp.Diff([]snapshot.Window{{From: 2, To: 5, Gone: 2, Recovered: 2}}, c.Windows); diff != "" {
		t.Errorf("windows (-want):\n%s", diff)
	}
}
