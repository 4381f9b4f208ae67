package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/internal/corpus"
)

// record is a put in one of the snapshots.
type record struct {
	file  string // such as scenario-1/plain/backup.db.gz
	key   string
	value []byte
}

var snapshots []record // once read

// records returns every put in every snapshot under testdata.
func records(tb testing.TB) []record {
	tb.Helper()
	if len(snapshots) > 0 {
		return snapshots
	}
	const root = "../../testdata/clusters/"
	files, err := filepath.Glob(root + "*/*/current.db.gz") // which have what the backups have
	if err != nil || len(files) == 0 {
		tb.Fatalf("no snapshots in %s: %v", root, err)
	}
	var all []record
	for _, file := range files {
		db := filepath.Join(tb.TempDir(), "snapshot.db")
		if err := os.WriteFile(db, corpus.Unpack(tb, file), 0o400); err != nil {
			tb.Fatal(err)
		}
		if all, err = appendRecords(all, strings.TrimPrefix(file, root), db); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
	}
	snapshots = all
	return all
}

func appendRecords(all []record, name, path string) ([]record, error) {
	db, err := bolt.Open(path, 0o400, &bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("key")).ForEach(func(k, v []byte) error {
			if len(k) != 17 {
				return nil // a tombstone
			}
			var kv mvccpb.KeyValue
			if err := proto.Unmarshal(v, &kv); err != nil {
				return err
			}
			all = append(all, record{name, string(kv.Key), kv.Value})
			return nil
		})
	})
	return all, err
}
