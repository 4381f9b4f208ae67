package snapshot_test

import (
	"encoding/binary"
	"errors"
	"fmt"
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
	"revenant/internal/hostile"
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

// TestCarveLabels has on pages in no bucket what became of every kind: where a part of the
// buckets is lost, no key is said to be gone for certain.
func TestCarveLabels(t *testing.T) {
	const compact, missing = 9, 10
	store := []hostile.Item{
		hostile.Record(8, 0, 3, 2, "/kept", nil),
		hostile.Record(9, 0, 7, 2, "/deleted", nil),
		hostile.Record(missing, 0, 10, 1, "/new", nil),
		hostile.Tombstone(11, 0, "/deleted"),
		hostile.Record(12, 0, 10, 2, "/new", nil),
	}
	unused := [][]hostile.Item{
		{
			hostile.Record(3, 0, 3, 1, "/kept", nil),
			hostile.Record(4, 0, 4, 1, "/compacted", nil),
			hostile.Record(5, 0, 5, 1, "/compacted, too", nil),
			hostile.Tombstone(6, 0, "/compacted"),
			hostile.Record(7, 0, 7, 1, "/deleted", nil),
		},
		{hostile.Record(2, 0, 2, 1, "/one of them is damaged", []byte("a"))},
		{hostile.Record(2, 0, 2, 1, "/one of them is damaged", []byte("b"))},
		{hostile.Record(8, 0, 8, 1, "/of another history", nil)},
		{hostile.Record(missing, 0, 3, 3, "/kept", nil)},
		{
			hostile.Record(13, 0, 13, 1, "/written later", nil),
			hostile.Record(14, 0, 14, 1, "/deleted later", nil),
			hostile.Tombstone(15, 0, "/deleted later"),
		},
	}
	for _, test := range []struct {
		name    string
		lost    int64 // revision that the buckets do not have, 0 for none
		want    []string
		foreign int
	}{
		{"whole", 0, []string{
			"3 /kept superseded certain",
			"4 /compacted deleted certain",
			"5 /compacted, too compacted certain",
			"6 /compacted deleted certain",
			"7 /deleted deleted certain",
			"13 /written later live possible",
			"14 /deleted later superseded possible",
			"15 /deleted later deleted possible",
		}, 2},
		{"a revision is lost", missing, []string{
			"3 /kept superseded certain",
			"4 /compacted compacted possible",
			"5 /compacted, too compacted possible",
			"6 /compacted compacted possible",
			"7 /deleted superseded possible",
			"10 /kept live possible",
			"13 /written later live possible",
			"14 /deleted later superseded possible",
			"15 /deleted later deleted possible",
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var f hostile.File
			var items []hostile.Item
			for _, it := range store {
				if int64(binary.BigEndian.Uint64(it.Key)) != test.lost {
					items = append(items, it)
				}
			}
			root, _ := f.Tree(items)
			for _, group := range unused {
				f.Leaf(group...)
			}
			at := append(binary.BigEndian.AppendUint64(nil, compact), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
			meta := hostile.Inline("meta", hostile.Item{Key: []byte("finishedCompactRev"), Value: at}, hostile.Item{Key: []byte("scheduledCompactRev"), Value: at})
			s := snapshottest.OpenBytes(t, "snapshot.db", f.Finish(f.Leaf(hostile.Bucket("key", root), meta), hostile.NoFreelist, 0))
			if s.Damaged() != (test.lost != 0) {
				t.Fatalf("problems %v", s.Problems())
			}
			c, err := s.Carve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for r := range c.Records {
				got = append(got, fmt.Sprintf("%s %s %s %s", r.Revision, r.Key, r.Label, r.Sure))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("carved (-want +got):\n%s", diff)
			}
			if c.Count != len(test.want) || c.Conflicts != 1 || c.Foreign != test.foreign || c.Oldest != 3 || c.Newest != 15 {
				t.Errorf("%d carved from %d to %d, %d conflicts, %d foreign", c.Count, c.Oldest, c.Newest, c.Conflicts, c.Foreign)
			}
		})
	}
}

// TestWindows: what is gone is counted by its distance behind the compact revision, from the
// first revision that there is.
func TestWindows(t *testing.T) {
	for compact, want := range map[int64][]snapshot.Window{
		0:    {},
		1:    {},
		2:    {{From: 2, To: 2, Gone: 1}},
		2001: {{From: 2, To: 2001, Gone: 2000}},
		2002: {{From: 3, To: 2002, Gone: 2000}, {From: 2, To: 2, Gone: 1}},
		4002: {{From: 2003, To: 4002, Gone: 2000}, {From: 3, To: 2002, Gone: 2000}, {From: 2, To: 2, Gone: 1}},
		9000: {{From: 7001, To: 9000, Gone: 2000}, {From: 5001, To: 7000, Gone: 2000}, {From: 1001, To: 5000, Gone: 4000}, {From: 2, To: 1000, Gone: 999}},
	} {
		var f hostile.File
		root := f.Leaf(hostile.Record(compact+2, 0, compact+2, 1, "/a", nil))
		s := snapshottest.OpenBytes(t, "snapshot.db", f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta", compaction("finishedCompactRev", compact))), hostile.NoFreelist, 0))
		c, err := s.Carve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Windows); diff != "" {
			t.Errorf("compacted at %d (-want +got):\n%s", compact, diff)
		}
	}
}
