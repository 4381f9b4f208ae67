// Package deltatest writes the files of a store as Gardener's etcd-backup-restore
// does, out of real snapshots.
package deltatest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"compress/lzw"
	"compress/zlib"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"revenant/decoder/snapshot"
)

// event is what the snapshotter marshals; clientv3.Event is defined as an
// mvccpb.Event, and has its fields and none of its methods.
type event struct {
	EtcdEvent *etcdEvent `json:"etcdEvent"`
	Time      time.Time  `json:"time"`
}

type etcdEvent mvccpb.Event

// Events are the changes of a snapshot in some revisions, each as it is stored.
func Events(t testing.TB, s *snapshot.Snapshot, from, to int64) [][]byte {
	t.Helper()
	var records []snapshot.Record
	for r := range s.Records() {
		if r.Main >= from && r.Main <= to && r.Key != "" {
			records = append(records, r)
		}
	}
	slices.SortStableFunc(records, func(a, b snapshot.Record) int { return cmp.Or(cmp.Compare(a.Main, b.Main), cmp.Compare(a.Sub, b.Sub)) })
	var list [][]byte
	for _, r := range records {
		kv := &mvccpb.KeyValue{Key: []byte(r.Key), ModRevision: r.Main, CreateRevision: r.CreateRevision, Version: r.Version}
		kind := mvccpb.Event_DELETE
		if !r.Tombstone {
			kind = mvccpb.Event_PUT
			value, err := s.Value(r)
			if err != nil {
				t.Fatal(err)
			}
			lease, err := s.Lease(r)
			if err != nil {
				t.Fatal(err)
			}
			kv.Value, kv.Lease = value, lease
		}
		b, err := json.Marshal(&event{&etcdEvent{Type: kind, Kv: kv}, time.Unix(1763870000, 0).UTC()})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

// File is a delta file of events, not compressed.
func File(events [][]byte) []byte {
	b := append([]byte("["), bytes.Join(events, []byte(","))...)
	return Seal(append(b, ']'))
}

// Seal appends the hash.
func Seal(content []byte) []byte {
	sum := sha256.Sum256(content)
	return append(slices.Clone(content), sum[:]...)
}

// Name is that of a file of a kind, Full or Incr, with some suffix.
func Name(kind string, first, last int64, suffix string) string {
	return fmt.Sprintf("%s-%08d-%08d-%d%s", kind, first, last, 1763870000+last, suffix)
}

// Pack compresses as the suffix of a name says.
func Pack(t testing.TB, data []byte, suffix string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch suffix {
	case ".gz":
		w = gzip.NewWriter(&b)
	case ".zlib":
		w = zlib.NewWriter(&b)
	case ".Z":
		w = lzw.NewWriter(&b, lzw.LSB, 8)
	default:
		return data
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
