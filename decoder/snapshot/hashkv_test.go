package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/hostile"
)

// generations are keys that come and go, until none is there at 11, and from 12 on one is.
func generations() []hostile.Item {
	return []hostile.Item{
		hostile.Record(2, 0, 2, 1, "/a", []byte("1")),
		hostile.Record(3, 0, 3, 1, "/b", []byte("1")),
		hostile.Record(4, 0, 2, 2, "/a", []byte("2")),
		hostile.Record(4, 1, 3, 2, "/b", []byte("2")),
		hostile.Tombstone(5, 0, "/a"),
		hostile.Record(6, 0, 6, 1, "/a", []byte("3")),
		hostile.Tombstone(7, 0, "/b"),
		hostile.Record(8, 0, 6, 2, "/a", []byte("4")),
		hostile.Record(9, 0, 9, 1, "/c", []byte("1")),
		hostile.Tombstone(10, 0, "/a"),
		hostile.Tombstone(11, 0, "/c"),
		hostile.Record(12, 0, 12, 1, "/c", []byte("2")),
	}
}

func mainOf(it hostile.Item) int64 { return int64(binary.BigEndian.Uint64(it.Key)) }

// keysOf are the keys of records.
func keysOf(t *testing.T, items []hostile.Item) (keys []string) {
	t.Helper()
	for _, it := range items {
		var kv mvccpb.KeyValue
		if err := proto.Unmarshal(it.Value, &kv); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(kv.Key))
	}
	return keys
}

// compact leaves of records what etcd's compaction at a revision does: of each key the newest
// one at or below it, unless that is a deletion, which is left at that very revision from
// etcd 3.5.16 on.
func compact(t *testing.T, items []hostile.Item, at int64, deletion bool) (left []hostile.Item) {
	t.Helper()
	newest, keys := map[string]int{}, keysOf(t, items)
	for i, it := range items {
		if mainOf(it) <= at {
			newest[keys[i]] = i
		}
	}
	for i, it := range items {
		deleted := bytes.HasSuffix(it.Key, []byte("t"))
		if mainOf(it) > at || newest[keys[i]] == i && (!deleted || deletion && mainOf(it) == at) {
			left = append(left, it)
		}
	}
	return left
}

// hashes are those of the revisions from one on, and of the newest.
func hashes(t *testing.T, items []hostile.Item, from int64, meta ...hostile.Item) (list []snapshot.HashKV) {
	t.Helper()
	var f hostile.File
	root := f.Leaf(items...)
	s := snapshottest.OpenBytes(t, "snapshot.db", f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta", meta...)), hostile.NoFreelist, 0))
	for rev := from; rev <= s.Revision()+1; rev++ {
		asked := rev
		if rev > s.Revision() {
			asked = 0
		}
		h, err := s.HashKV(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, h)
	}
	return list
}

// TestHashKVOfAll: the hash of a store that was never compacted is that of all records up to
// the revision, keys and values.
func TestHashKVOfAll(t *testing.T) {
	items := generations()
	got := hashes(t, items, 1)
	var want []snapshot.HashKV
	for _, rev := range []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12} {
		b := []byte("key")
		for _, it := range items {
			if mainOf(it) <= rev {
				b = slices.Concat(b, it.Key, it.Value)
			}
		}
		want = append(want, snapshot.HashKV{Hash: crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)), HashRevision: rev, CompactRevision: -1, Revision: 12})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hashes (-want +got):\n%s", diff)
	}
}

// hashedOf is the hash that etcd's rules have for a compacted store (server/v3 v3.7
// storage/mvcc/key_index.go keep, hash.go): of what is at or below the compact revision the
// newest puts at the revision count; where no key exists at it, all but its very deletions.
func hashedOf(items []hostile.Item, keys []string, at, rev int64) uint32 {
	newest, none := map[string]int{}, true
	for i, it := range items {
		if mainOf(it) <= rev {
			newest[keys[i]] = i
		}
	}
	for _, i := range newest {
		none = none && len(items[i].Key) > 17
	}
	b := []byte("key")
	for i, it := range items {
		deletion := len(it.Key) > 17
		if mainOf(it) > rev || mainOf(it) <= at && (deletion && mainOf(it) == at || !none && (deletion || newest[keys[i]] != i)) {
			continue
		}
		b = slices.Concat(b, it.Key, it.Value)
	}
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// TestHashKVOfCompacted: members whose compaction has ended, before or after it left
// deletions, and one whose compaction has only begun, answer the same.
func TestHashKVOfCompacted(t *testing.T) {
	items := generations()
	for at := int64(2); at <= 12; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			begun, ended := compaction("scheduledCompactRev", at), compaction("finishedCompactRev", at)
			want := hashes(t, compact(t, items, at, false), at, ended, begun)
			for _, left := range [][]hostile.Item{compact(t, items, at, false), compact(t, items, at, true), items} {
				for _, h := range hashes(t, left, at, ended, begun) {
					if hash := hashedOf(left, keysOf(t, left), at, h.HashRevision); h.Hash != hash {
						t.Errorf("%d records at %d: %08x, not %08x", len(left), h.HashRevision, h.Hash, hash)
					}
				}
			}
			for name, got := range map[string][]snapshot.HashKV{
				"with a deletion":          hashes(t, compact(t, items, at, true), at, ended, begun),
				"has only begun":           hashes(t, items, at, begun),
				"after one that had ended": hashes(t, items, at, compaction("finishedCompactRev", 1), begun),
			} {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-ended +got):\n%s", name, diff)
				}
			}
		})
	}
}

// TestHashKVOfNothing: an empty store is at revision 1.
func TestHashKVOfNothing(t *testing.T) {
	var f hostile.File
	root := f.Leaf()
	s := snapshottest.OpenBytes(t, "snapshot.db", f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta")), hostile.NoFreelist, 0))
	want := snapshot.HashKV{Hash: crc32.Checksum([]byte("key"), crc32.MakeTable(crc32.Castagnoli)), HashRevision: 1, CompactRevision: -1, Revision: 1}
	for _, rev := range []int64{0, 1} {
		h, err := s.HashKV(t.Context(), rev)
		if diff := cmp.Diff(want, h); diff != "" || err != nil {
			t.Errorf("at %d: %v (-want +got):\n%s", rev, err, diff)
		}
	}
	if h, err := s.HashKV(t.Context(), 2); !errors.Is(err, snapshot.ErrFuture) {
		t.Errorf("at 2: %+v, %v", h, err)
	}
}
