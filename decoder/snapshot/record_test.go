package snapshot_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/hostile"
)

// withMeta is a db of one record, whose bucket meta has these items.
func withMeta(t *testing.T, meta map[string]string) []byte {
	t.Helper()
	var items []hostile.Item
	for key, value := range meta {
		items = append(items, hostile.Item{Key: []byte(key), Value: []byte(value)})
	}
	slices.SortFunc(items, func(a, b hostile.Item) int { return cmp.Compare(string(a.Key), string(b.Key)) })
	var f hostile.File
	root := f.Leaf(hostile.Record(2, 0, 2, 1, "/a", []byte("1")))
	return f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta", items...)), hostile.NoFreelist, 0)
}

// TestHash: what differs between members does not change their hash, all else does.
func TestHash(t *testing.T) {
	meta := func(change string) map[string]string {
		m := map[string]string{
			"term": "\x00\x00\x00\x00\x00\x00\x00\x01", "consistent_index": "\x00\x00\x00\x00\x00\x00\x00\x09",
			"storageVersion": "3.6.0", "confState": `{"voters":[1]}`,
		}
		if old, ok := m[change]; ok {
			m[change] = old[:len(old)-1] + "2"
		}
		return m
	}
	hashes := func(meta map[string]string) (hash, status uint32) {
		s := snapshottest.OpenBytes(t, "snapshot.db", withMeta(t, meta))
		hash, err := s.Hash(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		st, err := s.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return hash, st.Hash
	}
	hash, status := hashes(meta(""))
	for change, same := range map[string]bool{"term": true, "consistent_index": true, "storageVersion": true, "confState": false} {
		otherHash, otherStatus := hashes(meta(change))
		if (otherHash == hash) != same || otherStatus == status {
			t.Errorf("another %s: hash %x after %x, and of all %x after %x", change, otherHash, hash, otherStatus, status)
		}
	}
}

// TestHashOfOthers: what a bucket other than meta has under the same names counts.
func TestHashOfOthers(t *testing.T) {
	hash := func(term uint64) uint32 {
		m := undamaged()
		m.bucket(hostile.Inline("cluster", number("term", term)))
		hash, err := snapshottest.OpenBytes(t, "snapshot.db", m.bytes()).Hash(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	if hash(1) == hash(2) {
		t.Error("an item of the bucket cluster does not count")
	}
}

// TestRecordsDoubted: records that etcd does not write are reported, and those without a
// key or a revision are left out.
func TestRecordsDoubted(t *testing.T) {
	record := func(change func(*hostile.Item)) hostile.Item {
		it := hostile.Record(3, 0, 3, 1, "/b", []byte("1"))
		change(&it)
		return it
	}
	tombstone := func(value string) hostile.Item {
		it := hostile.Tombstone(3, 0, "/a")
		it.Value = []byte(value)
		return it
	}
	for _, tt := range []struct {
		name string
		it   hostile.Item
		says string
		kept bool
	}{
		{"as etcd writes it", record(func(*hostile.Item) {}), "", true},
		{"tombstone", hostile.Tombstone(3, 0, "/a"), "", true},
		{"without a key", record(func(it *hostile.Item) { it.Value = it.Value[4:] }), "record has no key", false},
		{"empty, and not the first of its revision", record(func(it *hostile.Item) { it.Key[16], it.Value = 1, nil }), "record has no key", false},
		{"tombstone without a key", tombstone(""), "record has no key", false},
		{"tombstone with a value", tombstone("\x0a\x02/a\x2a\x011"), "tombstone carries a value", true},
		{"tombstone with a create revision", tombstone("\x0a\x02/a\x10\x01"), "tombstone carries a value", true},
		{"tombstone with a mod revision", tombstone("\x0a\x02/a\x18\x01"), "tombstone carries a value", true},
		{"tombstone with a version", tombstone("\x0a\x02/a\x20\x01"), "tombstone carries a value", true},
		{"another revision", hostile.Item{Key: record(func(*hostile.Item) {}).Key, Value: hostile.Record(4, 0, 3, 1, "/b", nil).Value}, "record says it is revision 4", true},
		{"created later", hostile.Record(3, 0, 4, 1, "/b", nil), "create revision 4 and version 1 are impossible", true},
		{"never created", hostile.Record(3, 0, 0, 1, "/b", nil), "create revision 0 and version 1 are impossible", true},
		{"without a version", hostile.Record(3, 0, 3, 0, "/b", nil), "create revision 3 and version 0 are impossible", true},
		{"a field more", record(func(it *hostile.Item) { it.Value = append(it.Value, 7<<3, 1) }), "record has a field that etcd does not write", true},
		{"no message", record(func(it *hostile.Item) { it.Value[0] = 0xff }), "value is not an etcd record", false},
		{"no revision", record(func(it *hostile.Item) { it.Key[8] = '-' }), "a key of the key bucket is not a revision", false},
		{"a sub too large", record(func(it *hostile.Item) { it.Key[9] = 1 }), "a key of the key bucket is not a revision", false},
		{"bucket", record(func(it *hostile.Item) { it.Bucket = true }), "a bucket stands among the revisions", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := snapshottest.OpenBytes(t, "snapshot.db", hostile.Store([]hostile.Item{hostile.Record(2, 0, 2, 1, "/a", []byte("1")), tt.it}))
			if says := damageOf(s); (says == "") != (tt.says == "") || !strings.Contains(says, tt.says) {
				t.Errorf("damage %q, want %q", says, tt.says)
			}
			if kept := s.Len() == 2; kept != tt.kept {
				t.Errorf("%d records", s.Len())
			}
			for r := range s.Records() {
				if want := tt.says != "" && r.Main > 2; s.Suspect(r) != want {
					t.Errorf("revision %s is in doubt: %v", r.Revision, !want)
				}
			}
		})
	}
}

// TestNewerUnused: a page in no bucket shows that etcd was further only with what can be
// a record of its own.
func TestNewerUnused(t *testing.T) {
	rev := func(main int64) []byte {
		return append(binary.BigEndian.AppendUint64(nil, uint64(main)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
	}
	for _, tt := range []struct {
		name string
		it   hostile.Item
		want int64 // revision that is seen
	}{
		{"newer", hostile.Record(9, 0, 9, 1, "/a", nil), 9},
		{"deletion", hostile.Tombstone(9, 0, "/a"), 9},
		{"bump marker", hostile.Item{Key: rev(9)}, 9},
		{"later in the newest transaction", hostile.Record(2, 1, 2, 1, "/b", nil), 2},
		{"older", hostile.Record(1, 0, 1, 1, "/a", nil), 2},
		{"no message", hostile.Item{Key: rev(9), Value: []byte("\xff")}, 2},
		{"no key", hostile.Item{Key: rev(9), Value: []byte("\x10\x09")}, 2},
		{"a field that etcd does not have", hostile.Item{Key: rev(9), Value: []byte("\x0a\x01a\x38\x01")}, 2},
		{"no revision", hostile.Item{Key: []byte("scheduledCompactRev"), Value: rev(9)}, 2},
		{"a bucket", hostile.Item{Key: rev(9), Value: hostile.Inline("meta").Value, Bucket: true}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f hostile.File
			root := f.Leaf(hostile.Record(2, 0, 2, 1, "/a", nil))
			f.Leaf(tt.it)
			s := snapshottest.OpenBytes(t, "snapshot.db", f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("meta")), hostile.NoFreelist, 0))
			if s.SeenRevision() != tt.want || s.NewerUnused() != (tt.want > 2) {
				t.Errorf("revision %d was seen, newer ones in no bucket: %v", s.SeenRevision(), s.NewerUnused())
			}
			noted := slices.ContainsFunc(s.Problems(), func(p snapshot.Problem) bool {
				return p.Severity == snapshot.Note && strings.Contains(p.What, fmt.Sprintf("holds revision %d", tt.want))
			})
			if noted != (tt.want > 2) {
				t.Errorf("problems %v", s.Problems())
			}
		})
	}
}

// TestForeignMeta: a bucket meta of keys that etcd does not have is not believed to say
// how far the store was compacted.
func TestForeignMeta(t *testing.T) {
	const index = "\x00\x00\x00\x00\x00\x00\x00\x09"
	for _, tt := range []struct {
		name    string
		meta    map[string]string
		strange bool
	}{
		{"empty", nil, false},
		{"as etcd has it", map[string]string{"consistent_index": index, "term": index}, false},
		{"of a newer etcd", map[string]string{"consistent_index": index, "future": "1"}, false},
		{"another one's", map[string]string{"consistent_index": index, "a": "1", "b": "1"}, true},
		{"nothing that etcd has", map[string]string{"a": "1"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := snapshottest.OpenBytes(t, "snapshot.db", withMeta(t, tt.meta))
			if says := damageOf(s); strings.Contains(says, "it seems to be another one's content (the compact revision)") != tt.strange || (says != "") != tt.strange {
				t.Errorf("damage %q", says)
			}
			if s.CompactUnknown() != tt.strange {
				t.Errorf("the compact revision is unknown: %v", !tt.strange)
			}
		})
	}
}

// TestNoKeys: a db without etcd's keys is refused, unless it is damage that hides them.
func TestNoKeys(t *testing.T) {
	db := func(items ...hostile.Item) []byte {
		var f hostile.File
		return f.Finish(f.Leaf(items...), hostile.NoFreelist, 0)
	}
	open := func(data []byte) (*snapshot.Snapshot, error) {
		return snapshot.OpenBytes(t.Context(), "snapshot.db", data, snapshot.Options{SkipHashCheck: true})
	}
	if s, err := open(db(hostile.Inline("meta"))); !errors.Is(err, snapshot.ErrNoKeyBucket) {
		t.Errorf("opened %v, %v", s, err)
	}
	s, err := open(db(hostile.Item{Key: []byte("kex")}, hostile.Inline("meta")))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if says := damageOf(s); s.Len() != 0 || !strings.Contains(says, "bucket key: cannot be found") {
		t.Errorf("%d records, damage %q", s.Len(), says)
	}
}

// TestCostOfDamage: a problem of a page says what is lost by it, and only where something
// is.
func TestCostOfDamage(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(f *hostile.File, keys uint64) (root, freelist uint64)
		want string
	}{
		{"nothing is lost", func(f *hostile.File, keys uint64) (root, freelist uint64) {
			return f.Leaf(hostile.Bucket("key", keys), hostile.Inline("meta")), f.Freelist(1, keys)
		}, ""},
		{"an item", func(f *hostile.File, keys uint64) (root, freelist uint64) {
			return f.Leaf(hostile.Item{Key: []byte("item")}, hostile.Bucket("key", keys), hostile.Inline("meta")), hostile.NoFreelist
		}, "1 item"},
		{"a page", func(f *hostile.File, keys uint64) (root, freelist uint64) {
			return f.Leaf(hostile.Bucket("key", keys), hostile.Inline("meta"), hostile.Bucket("other", 1000)), hostile.NoFreelist
		}, "what it held or led to"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f hostile.File
			keys := f.Leaf(hostile.Record(2, 0, 2, 1, "/a", nil))
			root, freelist := tt.make(&f, keys)
			s := snapshottest.OpenBytes(t, "snapshot.db", f.Finish(root, freelist, 0))
			n := 0
			for _, p := range s.Problems() {
				if p.Severity == snapshot.Damage {
					n++
					if p.Cost != tt.want {
						t.Errorf("%v", p)
					}
				}
			}
			if n != 1 {
				t.Errorf("problems %v", s.Problems())
			}
		})
	}
}

// revisionAt is a main revision as etcd stores it.
func revisionAt(main byte) string {
	return "\x00\x00\x00\x00\x00\x00\x00" + string(rune(main)) + "_\x00\x00\x00\x00\x00\x00\x00\x00"
}

// TestHashKVCompact: which revision etcd takes for the compact one, by what the store says
// of its compactions.
func TestHashKVCompact(t *testing.T) {
	for _, tt := range []struct {
		name string
		meta map[string]string
		want int64
	}{
		{"never compacted", nil, -1},
		{"the first compaction had not finished", map[string]string{"scheduledCompactRev": revisionAt(2)}, 2},
		{"it had", map[string]string{"scheduledCompactRev": revisionAt(2), "finishedCompactRev": revisionAt(2)}, 2},
		{"a later one had not", map[string]string{"scheduledCompactRev": revisionAt(2), "finishedCompactRev": revisionAt(1)}, 2},
		{"finished at 0", map[string]string{"scheduledCompactRev": revisionAt(0), "finishedCompactRev": revisionAt(0)}, 0},
		{"scheduled at 0, which etcd does not resume", map[string]string{"scheduledCompactRev": revisionAt(0)}, -1},
	} {
		h, err := snapshottest.OpenBytes(t, "snapshot.db", withMeta(t, tt.meta)).HashKV(t.Context(), 0)
		if err != nil || h.CompactRevision != tt.want || h.Revision != 2 {
			t.Errorf("%s: %+v, %v", tt.name, h, err)
		}
	}
}

// TestLostDeletion: a key that was created again is in its next life, although its deletion is
// lost.
func TestLostDeletion(t *testing.T) {
	s := snapshottest.OpenBytes(t, "snapshot.db", hostile.Store([]hostile.Item{
		hostile.Record(2, 0, 2, 1, "/a", nil), hostile.Record(3, 0, 2, 2, "/a", nil), hostile.Record(5, 0, 5, 1, "/a", nil), hostile.Tombstone(6, 0, "/a"),
	}))
	var lives []int
	for _, r := range s.History("/a") {
		lives = append(lives, r.Generation)
	}
	if !slices.Equal(lives, []int{1, 1, 2, 2}) {
		t.Errorf("lives %d", lives)
	}
}

// TestHistoryDoubted: a record that does not continue what is before it shows that one is
// lost, and so does one that a finished compaction would have removed.
func TestHistoryDoubted(t *testing.T) {
	put := func(main, create, version int64) hostile.Item {
		return hostile.Record(main, 0, create, version, "/a", nil)
	}
	deletion := func(main int64) hostile.Item { return hostile.Tombstone(main, 0, "/a") }
	marker := func(main byte) hostile.Item { return hostile.Item{Key: []byte(revisionAt(main))} }
	type items = []hostile.Item
	const broken = "stands where the compaction at 3 left nothing like it"
	for _, tt := range []struct {
		name                string
		items               items
		scheduled, finished byte // compactions, 0 for none
		says                string
	}{
		{"versions", items{put(2, 2, 1), put(3, 2, 2), put(4, 2, 3)}, 0, 0, ""},
		{"generations", items{put(2, 2, 1), deletion(3), put(4, 4, 1)}, 0, 0, ""},
		{"a version is missing", items{put(2, 2, 1), put(3, 2, 3)}, 0, 0, "is version 3 of its key, created at 2, after version 1, created at 2"},
		{"a version is there twice", items{put(2, 2, 1), put(3, 2, 1)}, 0, 0, "is version 1 of its key, created at 2, after version 1, created at 2"},
		{"created while it is there", items{put(2, 2, 1), put(3, 3, 1)}, 0, 0, "is version 1 of its key, created at 3, after version 1, created at 2"},
		{"of another generation", items{put(2, 2, 1), put(3, 3, 2)}, 0, 0, "is version 2 of its key, created at 3, after version 1, created at 2"},
		{"its first version is not version 1", items{put(2, 2, 2)}, 0, 0, "is version 2 of its key, but no version before it is there"},
		{"the first version is missing", items{put(2, 1, 2)}, 0, 0, "is version 2 of its key, but no version before it is there"},
		{"goes on after its deletion", items{put(2, 2, 1), deletion(3), put(4, 2, 2)}, 0, 0, "is version 2 of its key, but no version before it is there"},
		{"deleted without having been there", items{deletion(2)}, 0, 0, "deletes a key that did not exist"},
		{"deleted twice", items{put(2, 2, 1), deletion(3), deletion(4)}, 0, 0, "deletes a key that did not exist"},
		{"a compaction left the newest", items{put(3, 2, 2), put(4, 2, 3)}, 3, 3, ""},
		{"it left one more", items{put(2, 2, 1), put(3, 2, 2)}, 3, 3, broken},
		{"it had not finished", items{put(2, 2, 1), put(3, 2, 2)}, 3, 0, ""},
		{"a version is missing below one that had not finished", items{put(2, 2, 1), put(3, 2, 3)}, 3, 0, "is version 3 of its key, created at 2, after version 1, created at 2"},
		{"a deletion at its revision", items{deletion(3)}, 3, 3, ""},
		{"a deletion before it", items{deletion(2)}, 3, 3, broken},
		{"bump markers are no key's", items{marker(2), marker(3)}, 3, 3, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var meta items
			if tt.finished != 0 {
				meta = append(meta, hostile.Item{Key: []byte("finishedCompactRev"), Value: []byte(revisionAt(tt.finished))})
			}
			if tt.scheduled != 0 {
				meta = append(meta, hostile.Item{Key: []byte("scheduledCompactRev"), Value: []byte(revisionAt(tt.scheduled))})
			}
			var f hostile.File
			keys := f.Leaf(tt.items...)
			s := snapshottest.OpenBytes(t, "snapshot.db", f.Finish(f.Leaf(hostile.Bucket("key", keys), hostile.Inline("meta", meta...)), hostile.NoFreelist, 0))
			if says := damageOf(s); (says == "") != (tt.says == "") || !strings.Contains(says, tt.says) {
				t.Errorf("damage %q, want %q", says, tt.says)
			}
			if s.Unsettled() != (tt.says == broken) {
				t.Errorf("unsettled: %t", s.Unsettled())
			}
		})
	}
}
