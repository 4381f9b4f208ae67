package kube

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
)

// record is a put in one of the snapshots.
type record struct {
	file  string // such as scenario-1/plain/backup.db.gz
	key   string
	value []byte
}

var snapshots struct {
	once    sync.Once
	records []record
	err     error
}

// records returns every put in every snapshot under testdata.
func records(tb testing.TB) []record {
	tb.Helper()
	snapshots.once.Do(func() {
		dir, err := os.MkdirTemp("", "kube-snapshots-")
		if err != nil {
			snapshots.err = err
			return
		}
		defer os.RemoveAll(dir)
		snapshots.records, snapshots.err = readSnapshots("../../testdata/clusters", dir)
	})
	if snapshots.err != nil {
		tb.Fatal(snapshots.err)
	}
	if len(snapshots.records) == 0 {
		tb.Fatal("no snapshots under testdata/clusters")
	}
	return snapshots.records
}

func readSnapshots(root, tmp string) (all []record, err error) {
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*.db.gz"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		db := filepath.Join(tmp, "snapshot.db")
		if err := gunzip(file, db); err != nil {
			return nil, err
		}
		name, _ := filepath.Rel(root, file)
		if all, err = appendRecords(all, name, db); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func gunzip(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, z); err != nil {
		out.Close()
		return err
	}
	return out.Close()
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
