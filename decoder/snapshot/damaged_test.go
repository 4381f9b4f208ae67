package snapshot_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/internal/golden"
	"revenant/internal/hostile"
)

// made is a small db, made to be damaged in one way.
type made struct {
	keys   [][]hostile.Item // leaf pages of the bucket key
	unused [][]hostile.Item // leaf pages in no bucket
	meta   []hostile.Item   // what the bucket meta has
	others []hostile.Item   // the buckets beside key and meta
	free   []uint64         // pages that the list of free pages has; no list where it is nil
	trail  bool             // it ends with its SHA-256
	carved bool             // everything that is carved is worth listing
	astray bool             // records are not where a glance looks for them

	leaves []uint64                        // pages of keys, once they are written
	root   uint64                          // page of the buckets
	change func(m *made, db []byte) []byte // changes what was written, before the SHA-256
	after  func(db []byte) []byte          // and after
}

func record(main, sub, create, version int64, key, value string, lease int64) hostile.Item {
	kv := &mvccpb.KeyValue{Key: []byte(key), CreateRevision: create, ModRevision: main, Version: version, Value: []byte(value), Lease: lease}
	it := hostile.Record(main, sub, create, version, key, nil)
	it.Value, _ = proto.Marshal(kv)
	return it
}

// bump is the empty record that a restore with a bump leaves.
func bump(main int64) hostile.Item {
	return hostile.Item{Key: hostile.Record(main, 0, main, 1, "/", nil).Key}
}

func number(key string, n uint64) hostile.Item {
	return hostile.Item{Key: []byte(key), Value: binary.BigEndian.AppendUint64(nil, n)}
}

func text(key, value string) hostile.Item {
	return hostile.Item{Key: []byte(key), Value: []byte(value)}
}

func compaction(key string, main int64) hostile.Item {
	return hostile.Item{Key: []byte(key), Value: hostile.Record(main, 0, main, 1, "/", nil).Key}
}

// undamaged is the db before it is damaged: revisions 2 to 18, compacted at 9.
func undamaged() *made {
	return &made{
		keys: [][]hostile.Item{
			{
				record(3, 0, 3, 1, "/b", "b1", 0),
				record(5, 1, 5, 1, "/d", "d1", 0),
				record(6, 0, 2, 3, "/a", "a3", 7),
				hostile.Tombstone(9, 0, "/f"),
				hostile.Tombstone(9, 1, "/h"),
			},
			{
				record(10, 0, 2, 4, "/a", "a4", 7),
				record(11, 0, 11, 1, "/c", "c1", 0),
				record(11, 1, 3, 2, "/b", "b2", 0),
				record(11, 2, 11, 1, "/g", "", 0),
				hostile.Tombstone(12, 0, "/d"),
			},
			{
				record(13, 0, 13, 1, "/secrets/s", "k8s:enc:aescbc:v1:key:xxxx", 0),
				record(14, 0, 14, 1, "/large", strings.Repeat("x", 1<<16), 9),
			},
			{
				record(15, 0, 2, 5, "/a", "a5", 0),
				hostile.Tombstone(16, 0, "/b"),
				record(17, 0, 17, 1, "/b", "b1", 0),
				record(18, 0, 18, 1, "/e", "e1", 0),
				record(18, 1, 18, 1, "/h", "h1", 0),
			},
		},
		unused: [][]hostile.Item{
			{
				record(2, 0, 2, 1, "/a", "a1", 3),
				record(3, 0, 3, 1, "/b", "b1", 0),
				record(4, 0, 2, 2, "/a", "a2", 0),
				record(5, 0, 5, 1, "/c", "c1", 0),
				record(5, 1, 5, 1, "/d", "d1", 0),
			},
			{
				record(7, 0, 7, 1, "/f", "f1", 0),
				hostile.Tombstone(8, 0, "/c"),
			},
			{hostile.Inline("cluster", text("clusterVersion", "3.5.0")), hostile.Bucket("key", 2), hostile.Inline("meta", number("consistent_index", 20))},
		},
		meta: []hostile.Item{
			text("confState", `{"voters":[10,11],"learners":[12]}`), number("consistent_index", 40), compaction("finishedCompactRev", 9),
			compaction("scheduledCompactRev", 9), text("storageVersion", "3.6.0"), number("term", 3),
		},
		others: []hostile.Item{
			hostile.Inline("cluster", text("clusterVersion", "3.6.0"), text("downgrade", "{}")),
			hostile.Inline("members",
				text("a", `{"id":10,"peerURLs":["http://a:2380"],"name":"a","clientURLs":["http://a:2379"]}`),
				text("b", `{"id":11,"peerURLs":["http://b:2380"],"name":"b","clientURLs":["http://b:2379"]}`),
				text("c", `{"id":12,"peerURLs":["http://c:2380"],"isLearner":true}`)),
			hostile.Inline("members_removed", text("d", "removed"), text("not an id", "removed")),
		},
		trail: true,
	}
}

// at is the record of a revision.
func (m *made) at(main, sub int64) *hostile.Item {
	key := hostile.Record(main, sub, main, 1, "/", nil).Key
	for _, leaf := range m.keys {
		for i := range leaf {
			if bytes.HasPrefix(leaf[i].Key, key) {
				return &leaf[i]
			}
		}
	}
	panic(fmt.Sprintf("no revision %d.%d", main, sub))
}

// without leaves out some records of the bucket key.
func (m *made) without(revisions ...string) {
	for i := range m.keys {
		m.keys[i] = slices.DeleteFunc(m.keys[i], func(it hostile.Item) bool { return slices.Contains(revisions, revisionOf(it.Key)) })
	}
}

func revisionOf(key []byte) string {
	return snapshot.Revision{Main: int64(binary.BigEndian.Uint64(key)), Sub: int64(binary.BigEndian.Uint64(key[9:]))}.String()
}

// setMeta puts an item into the bucket meta, or takes it out.
func (m *made) setMeta(it hostile.Item) {
	m.meta = slices.DeleteFunc(m.meta, func(old hostile.Item) bool { return bytes.Equal(old.Key, it.Key) })
	if it.Value != nil {
		m.meta = append(m.meta, it)
	}
	slices.SortFunc(m.meta, func(a, b hostile.Item) int { return bytes.Compare(a.Key, b.Key) })
}

// bucket replaces one of the buckets beside key and meta.
func (m *made) bucket(it hostile.Item) {
	m.others = slices.DeleteFunc(m.others, func(old hostile.Item) bool { return bytes.Equal(old.Key, it.Key) })
	m.others = append(m.others, it)
}

// bytes is the file.
func (m *made) bytes() []byte {
	var f hostile.File
	top, leaves := f.Tree(m.keys...)
	m.leaves = leaves
	buckets := append([]hostile.Item{hostile.Bucket("key", top), hostile.Inline("meta", m.meta...)}, m.others...)
	slices.SortFunc(buckets, func(a, b hostile.Item) int { return bytes.Compare(a.Key, b.Key) })
	m.root = f.Leaf(buckets...)
	for _, leaf := range m.unused {
		f.Leaf(leaf...)
	}
	list := uint64(hostile.NoFreelist)
	if m.free != nil {
		list = f.Freelist(uint64(len(m.free)), m.free...)
	}
	db := f.Finish(m.root, list, 0)
	if m.change != nil {
		db = m.change(m, db)
	}
	if m.trail {
		sum := sha256.Sum256(db)
		db = append(db, sum[:]...)
	}
	if m.after != nil {
		db = m.after(db)
	}
	return db
}

func page(db []byte, id uint64) []byte { return db[id*hostile.PageSize:][:hostile.PageSize] }

// zero is a change that makes zeros of a page.
func zero(of func(m *made) uint64) func(*made, []byte) []byte {
	return func(m *made, db []byte) []byte {
		clear(page(db, of(m)))
		return db
	}
}

// damages are what is done to the db, each in one way.
var damages = []struct {
	name string
	do   func(m *made)
}{
	{"a record is missing", func(m *made) { m.carved = true; m.without("12") }},
	{"two revisions are missing", func(m *made) { m.without("11", "11.1", "11.2", "12") }},
	{"the first record of a transaction is missing", func(m *made) { m.without("11") }},
	{"the second record of a transaction is missing", func(m *made) { m.without("11.1") }},
	{"the first revision after the compaction is missing", func(m *made) { m.carved = true; m.without("10") }},
	{"two records are the other way round", func(m *made) {
		m.astray = true
		m.keys[1][0], m.keys[1][1] = m.keys[1][1], m.keys[1][0]
	}},
	{"a revision is there twice", func(m *made) {
		m.astray = true

		m.keys[1] = slices.Insert(m.keys[1], 1, record(10, 0, 10, 1, "/only", "other", 0))
	}},
	{"a record says that it is longer", func(m *made) { m.at(11, 2).Size = 1 << 11 }},
	{"a record is cut off in its value", func(m *made) { m.at(10, 0).Size = len(m.at(10, 0).Value) - 3 }},
	{"a record is cut off before its lease", func(m *made) { m.at(10, 0).Size = len(m.at(10, 0).Value) - 2 }},
	{"a bucket among the revisions", func(m *made) { m.at(12, 0).Bucket = true }},
	{"a key among the revisions that is none", func(m *made) { m.at(12, 0).Key[8] = '-' }},
	{"a value among the revisions that is no record", func(m *made) { m.at(12, 0).Value = []byte("\xff") }},
	{"a record says that it is another revision", func(m *made) { m.at(13, 0).Value = record(3, 0, 3, 1, "/secrets/s", "?", 0).Value }},
	{"a record has the key of another one", func(m *made) { m.at(15, 0).Value = record(15, 0, 2, 5, "/e", "a5", 0).Value }},
	{"a record that was never created", func(m *made) { *m.at(18, 0) = record(18, 0, 0, 1, "/e", "e1", 0) }},
	{"a deletion with what a put has", func(m *made) {
		m.at(12, 0).Value = record(12, 0, 5, 2, "/d", "", 0).Value
	}},
	{"a record of the highest sub", func(m *made) { m.keys[3] = append(m.keys[3], record(18, 1<<32-1, 18, 1, "/z", "z", 0)) }},
	{"an empty record beside one that is cut off", func(m *made) {
		m.at(6, 0).Size = len(m.at(6, 0).Value) - 2
		*m.at(9, 0) = bump(9)
	}},
	{"a record became a bump marker", func(m *made) { m.at(13, 0).Value = nil }},
	{"a record at the compact revision became a bump marker", func(m *made) { *m.at(9, 0) = bump(9) }},
	{"bump marker above the compact revision", func(m *made) { m.keys[3] = append(m.keys[3], bump(1000)) }},
	{"a revision far above all others", func(m *made) { m.keys[3] = append(m.keys[3], record(1<<40, 0, 1<<40, 1, "/z", "z", 0)) }},
	{"a compaction had begun", func(m *made) { m.setMeta(compaction("scheduledCompactRev", 12)) }},
	{"a compaction of everything had begun", func(m *made) { m.setMeta(compaction("scheduledCompactRev", 18)) }},
	{"compacted above the only record", func(m *made) {
		m.keys = [][]hostile.Item{{record(3, 0, 3, 1, "/b", "b1", 0)}}
		m.setMeta(compaction("scheduledCompactRev", 20))
	}},
	{"a compaction had ended before it began", func(m *made) { m.setMeta(compaction("scheduledCompactRev", 1)) }},
	{"compacted above all records", func(m *made) {
		m.carved = true
		m.setMeta(compaction("scheduledCompactRev", 9001))
		m.setMeta(compaction("finishedCompactRev", 9001))
	}},
	{"a compaction left what it should not have", func(m *made) {
		m.setMeta(compaction("scheduledCompactRev", 14))
		m.setMeta(compaction("finishedCompactRev", 14))
	}},
	{"never compacted", func(m *made) { m.carved = true; m.meta = m.meta[:2] }},
	{"the compact revision is that of a deletion", func(m *made) {
		m.setMeta(hostile.Item{Key: []byte("scheduledCompactRev"), Value: hostile.Tombstone(9, 0, "/").Key})
	}},
	{"numbers of the bucket meta are cut off", func(m *made) {
		m.setMeta(text("consistent_index", "1234567"))
		m.setMeta(text("term", "123456789"))
		m.setMeta(text("finishedCompactRev", "9"))
	}},
	{"another bucket's content in the bucket meta", func(m *made) {
		m.meta = []hostile.Item{text("a", "1"), text("b", "2"), number("consistent_index", 9)}
	}},
	{"no bucket meta", func(m *made) {
		m.change = func(m *made, db []byte) []byte { return bytes.Replace(db, []byte("meta"), []byte("mexa"), -1) }
	}},
	{"members that are none", func(m *made) {
		m.bucket(hostile.Inline("members", text("a", `{"name":"a"`), text("b", `{"name":"b"}`), text("no id", "{}"), hostile.Inline("q")))
	}},
	{"a leaf page of zeros", func(m *made) { m.change = zero(func(m *made) uint64 { return m.leaves[1] }) }},
	{"the first leaf page of zeros", func(m *made) { m.change = zero(func(m *made) uint64 { return m.leaves[0] }) }},
	{"the last leaf page of zeros", func(m *made) { m.carved = true; m.change = zero(func(m *made) uint64 { return m.leaves[3] }) }},
	{"the branch page of zeros", func(m *made) { m.change = zero(func(m *made) uint64 { return m.leaves[3] + 1 }) }},
	{"the root page of zeros", func(m *made) { m.change = zero(func(m *made) uint64 { return m.root }) }},
	{"the newer meta page of zeros", func(m *made) { m.change = zero(func(*made) uint64 { return 1 }) }},
	{"both meta pages of zeros", func(m *made) {
		m.change = func(_ *made, db []byte) []byte { clear(db[:2*hostile.PageSize]); return db }
	}},
	{"two leaf pages, the one in the other's place", func(m *made) {
		m.astray = true

		m.change = func(m *made, db []byte) []byte {
			a, b := page(db, m.leaves[0]), page(db, m.leaves[1])
			was := bytes.Clone(a)
			copy(a, b)
			copy(b, was)
			binary.LittleEndian.PutUint64(a, m.leaves[0])
			binary.LittleEndian.PutUint64(b, m.leaves[1])
			return db
		}
	}},
	{"a leaf page, written over by another", func(m *made) {
		m.astray = true

		m.change = func(m *made, db []byte) []byte {
			copy(page(db, m.leaves[1]), page(db, m.leaves[3]))
			binary.LittleEndian.PutUint64(page(db, m.leaves[1]), m.leaves[1])
			return db
		}
	}},
	{"a bucket without its page", func(m *made) { m.bucket(hostile.Bucket("lease", 1000)) }},
	{"a free page that is in use", func(m *made) { m.free = []uint64{2} }},
	{"a page is cut off", func(m *made) { m.after = func(db []byte) []byte { return db[:len(db)-32-hostile.PageSize] } }},
	{"half a page is cut off", func(m *made) { m.after = func(db []byte) []byte { return db[:len(db)-32-hostile.PageSize/2] } }},
	{"the trailer is cut off", func(m *made) { m.trail = false }},
	{"the trailer is cut short", func(m *made) { m.after = func(db []byte) []byte { return db[:len(db)-1] } }},
	{"a value was changed", func(m *made) {
		m.after = func(db []byte) []byte { return bytes.Replace(db, []byte("a5"), []byte("a6"), 1) }
	}},
	{"bytes before the trailer", func(m *made) {
		m.change = func(_ *made, db []byte) []byte { return append(db, make([]byte, 2*hostile.PageSize)...) }
	}},
	{"a block before the trailer", func(m *made) {
		m.change = func(_ *made, db []byte) []byte { return append(db, make([]byte, 512)...) }
	}},
	{"newer records on a page in no bucket", func(m *made) {
		m.carved = true
		m.unused = append(m.unused, []hostile.Item{
			record(19, 0, 2, 6, "/a", "a6", 0), hostile.Tombstone(20, 0, "/e"), record(21, 0, 21, 1, "/e", "e1", 0), record(22, 0, 21, 2, "/e", "e2", 0), hostile.Tombstone(23, 0, "/e"),
		})
	}},
	{"a newer state on pages in no bucket", func(m *made) {
		m.carved = true
		m.unused = append(m.unused, []hostile.Item{
			hostile.Inline("auth"), hostile.Inline("key", record(2, 0, 2, 1, "/a", "a1", 0)), hostile.Inline("members", text("a", "{}")), hostile.Inline("meta", number("consistent_index", 41), compaction("scheduledCompactRev", 17)),
		}, []hostile.Item{number("consistent_index", 50)}, []hostile.Item{hostile.Inline("meta", number("consistent_index", 41))})
	}},
	{"the buckets' revision on a page in no bucket, with other bytes and with another key", func(m *made) {
		m.carved = true
		*m.at(6, 0) = record(6, 0, 2, 0, "/a", "a3", 0)
		m.unused = append(m.unused, []hostile.Item{record(3, 0, 3, 1, "/b", "b9", 0), record(6, 0, 6, 1, "/x", "x1", 0)})
	}},
	{"two pages in no bucket that differ", func(m *made) {
		m.carved = true
		m.unused = append(m.unused,
			[]hostile.Item{record(2, 0, 2, 1, "/a", "a1", 0), record(4, 0, 2, 2, "/a", "a9", 0), record(7, 0, 7, 1, "/f", "f1 and more", 0)}, []hostile.Item{record(4, 0, 2, 2, "/a", "a2", 0)})
	}},
	{"two large records in no bucket that differ", func(m *made) {
		for _, value := range []string{"y", "z"} {
			m.unused = append(m.unused, []hostile.Item{record(7, 1, 7, 1, "/y", strings.Repeat(value, 1<<16), 0)})
		}
	}},
	{"records that prove nothing on a page in no bucket", func(m *made) {
		m.carved = true
		deletion := func(kv *mvccpb.KeyValue) hostile.Item {
			it := hostile.Tombstone(8, 5, "/y")
			it.Value, _ = proto.Marshal(kv)
			return it
		}
		y := []byte("/y")
		long := record(8, 2, 8, 1, "/y", "", 0)
		long.Size = 1000
		field := record(8, 3, 8, 1, "/y", "", 0)
		field.Value = append(field.Value, 7<<3, 1)
		loose := record(8, 1, 8, 1, "/y", "", 1)
		loose.Size = len(loose.Value) - 2
		node, newer := record(8, 4, 8, 1, "/y", "", 0), record(30, 0, 30, 1, "/y", "", 0)
		node.Bucket, newer.Bucket = true, true
		meta := hostile.Inline("meta", number("consistent_index", 60), compaction("finishedCompactRev", 30))
		meta.Bucket = false
		m.unused = append(m.unused, []hostile.Item{
			record(1, 0, 1, 1, "/y", "", 0), record(8, 1<<32, 8, 1, "/y", "", 0), loose, field, node, newer, meta, record(30, math.MinInt64, 30, 1, "/y", "", 0), record(8, 6, 8, 1, "", "", 0), bump(8),
			deletion(&mvccpb.KeyValue{Key: y, ModRevision: 1}), deletion(&mvccpb.KeyValue{Key: y, CreateRevision: 1}), deletion(&mvccpb.KeyValue{Key: y, Version: 1}),
			deletion(&mvccpb.KeyValue{Key: y, Value: y}), deletion(&mvccpb.KeyValue{Key: y, Lease: 1}), text("consistent_index", "1234567"), text("finishedCompactRev", "1"),
			{Key: record(8, 7, 1, 1, "/", "", 0).Key, Value: record(7, 7, 7, 1, "/y", "", 0).Value}, record(8, 7, 0, 1, "/y", "", 0), record(8, 7, 9, 1, "/y", "", 0), record(8, 7, 8, 0, "/y", "", 0),
			text("no revision", "1"), text("18 bytes, no revis", "1"), {Key: record(8, 8, 8, 1, "/", "", 0).Key, Value: []byte("\xff")}, long,
		})
	}},
	{"a page in no bucket with overflow pages", func(m *made) {
		m.carved = true
		m.unused = append(m.unused, []hostile.Item{record(7, 1, 7, 1, "/y", strings.Repeat("y", 1<<13), 0), record(7, 2, 7, 1, "/z", "z", 0)})
	}},
	{"records that just prove themselves on a page in no bucket", func(m *made) {
		m.carved = true
		m.unused = append(m.unused, []hostile.Item{record(2, 1, 2, 1, "/y", "", 0), record(4, 1<<32-1, 4, 1, "/y", "", 0), record(8, 1, 8, 1, "/y", "", 0)})
	}},
}

// TestDamaged opens a small db, whole and damaged in one way after the other, and compares
// everything that is read and every problem with testdata/damaged.txt. Of a damaged one that has
// what is not as in the whole one.
func TestDamaged(t *testing.T) {
	var b strings.Builder
	healthy := answersOf(t, undamaged(), true)
	b.WriteString("whole\n")
	for _, a := range healthy {
		fmt.Fprintf(&b, "  %s: %s\n", a.what, a.says)
	}
	for _, d := range damages {
		m := undamaged()
		d.do(m)
		fmt.Fprintf(&b, "\n%s\n", d.name)
		got := answersOf(t, m, false)
		var gone []string
		for _, a := range healthy {
			if a.kept && !slices.ContainsFunc(got, func(g fact) bool { return g.what == a.what }) {
				gone = append(gone, a.what)
			}
		}
		if gone != nil {
			fmt.Fprintf(&b, "  without %s\n", strings.Join(gone, ", "))
		}
		for _, a := range got {
			if !slices.Contains(healthy, a) {
				fmt.Fprintf(&b, "  %s: %s\n", a.what, a.says)
			}
		}
	}
	golden.Equal(t, "testdata/damaged.txt", b.String())
}

// fact is a thing that is read of a db.
type fact struct {
	what, says string
	kept       bool // it is worth a word where it is not there
}

// answersOf is what is read of a db, where all is asked for with the state at each revision
// and each record that is carved.
func answersOf(t *testing.T, m *made, all bool) []fact {
	t.Helper()
	db := m.bytes()
	s, err := snapshot.OpenBytes(t.Context(), "snapshot.db", db, snapshot.Options{Workers: 2})
	if err != nil {
		return []fact{{what: "error", says: err.Error()}}
	}
	defer s.Close()
	a := &told{t: t, s: s}
	a.state()
	a.records(db)
	a.agree()
	a.states(all)
	a.pages()
	a.carved(all || m.carved)
	a.glance(db, m.astray)
	a.checks()
	return a.list
}

type told struct {
	t    *testing.T
	s    *snapshot.Snapshot
	list []fact
}

func (a *told) add(what, format string, args ...any) {
	a.list = append(a.list, fact{what: what, says: fmt.Sprintf(format, args...)})
}

func (a *told) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *told) state() {
	s, ctx := a.s, a.t.Context()
	st, err := s.Status(ctx)
	a.must(err)
	h, err := s.HashKV(ctx, 0)
	a.must(err)
	buckets, err := s.Buckets(ctx)
	a.must(err)
	says := fmt.Sprintf("at %d, newest record %d, %d in all, compacted %d, by its hash %d, seen %d; %d keys, %d items in buckets %v",
		s.Revision(), st.Revision, s.Len(), s.CompactRevision(), h.CompactRevision, s.SeenRevision(), st.TotalKey, st.TotalKey35, buckets)
	var flags []string
	for what, is := range map[string]bool{
		"damaged": s.Damaged(), "tree broken": s.BrokenTree(), "unsettled": s.Unsettled(), "newer on unused pages": s.NewerUnused(), "compact revision unknown": s.CompactUnknown(),
	} {
		if is {
			flags = append(flags, what)
		}
	}
	if slices.Sort(flags); flags != nil {
		a.add("marks", "%s", strings.Join(flags, ", "))
	}
	if list := s.BumpMarkers(); list != nil {
		says += fmt.Sprintf("; bump markers at %d", list)
	}
	a.add("state", "%s", says)
	meta, err := json.Marshal(s.Meta())
	a.must(err)
	a.add("meta", "%s", meta)
	a.add("file", "%d bytes in use, version %q, backend of %d bytes, trailer %t", st.TotalSize, st.Version, s.BackendSize(), s.HasTrailer())
	roots, err := s.Roots(ctx)
	a.must(err)
	keyRoots, err := s.KeyRoots(ctx)
	a.must(err)
	var others []uint64
	for _, r := range roots {
		others = append(others, r.Page)
	}
	a.add("root", "%d, others %d, of the keys %d", s.Root(), others, keyRoots)
	for _, page := range others {
		if page != s.Root() {
			a.from(fmt.Sprintf("from root %d", page), page, s.From)
		}
	}
	for _, page := range keyRoots {
		a.from(fmt.Sprintf("with keys of page %d", page), page, s.FromKeys)
	}
}

// from reads the same file another way.
func (a *told) from(what string, page uint64, read func(context.Context, uint64) (*snapshot.Snapshot, error)) {
	other, err := read(a.t.Context(), page)
	if err != nil {
		a.add(what, "%v", err)
		return
	}
	st, err := other.Status(a.t.Context())
	a.must(err)
	a.add(what, "root %d, at %d, %d in all, %d keys, compacted %d, index %d", other.Root(), other.Revision(), other.Len(), st.TotalKey, other.CompactRevision(), other.Meta().ConsistentIndex)
	a.must(other.Close())
}

func (a *told) records(db []byte) {
	s, doubtful := a.s, a.s.Doubtful()
	count := s.NewKeySet()
	for r := range s.Records() {
		count.Apply(&r)
		says := fmt.Sprintf("on page %d, ", s.Page(r))
		value, err := s.Value(r)
		a.must(err)
		head, err := s.Head(r, 2)
		a.must(err)
		lease, err := s.Lease(r)
		a.must(err)
		raw, err := s.Raw(r, nil)
		a.must(err)
		if at := s.Offset(r); !bytes.HasPrefix(value, head) || len(head) < min(2, len(value)) || !bytes.HasPrefix(db[at:], raw) || len(raw) != r.Size || s.Behind(r.Revision) {
			a.t.Errorf("%s: value %q, head %q, raw %q at %d, behind %t", r.Revision, value, head, raw, at, s.Behind(r.Revision))
		}
		switch {
		case r.Size == 0:
			says += "bump marker"
		case r.Tombstone:
			says += "delete " + r.Key
		default:
			says += fmt.Sprintf("put %s, version %d, created %d, %.12q of %d bytes", r.Key, r.Version, r.CreateRevision, value, len(value))
		}
		if lease != 0 {
			says += fmt.Sprintf(", lease %d", lease)
		}
		if r.MayBeEncrypted() {
			says += ", may be encrypted"
		}
		if s.Suspect(r) {
			says += ", suspect"
		}
		if doubtful(r) {
			says += ", doubtful"
		}
		a.add(r.Revision.String(), "%s", says)
		a.list[len(a.list)-1].kept = true
	}
	if newest := s.NewestRecord(); s.Behind(snapshot.Revision{Main: newest, Sub: 1}) || !s.Behind(snapshot.Revision{Main: newest + 1}) {
		a.t.Errorf("what is behind %d", newest)
	}
	if n := len(slices.Collect(s.Keys(""))); n != count.Len() {
		a.t.Errorf("%d keys are there, %d by the records", n, count.Len())
	}
}

// agree wants the same records from everything that lists them in another order.
func (a *told) agree() {
	s := a.s
	of := map[string][]snapshot.Record{}
	for r := range s.Records() {
		if r.Key != "" {
			of[r.Key] = append(of[r.Key], r)
		}
	}
	keys := slices.Sorted(maps.Keys(of))
	var live, newest []snapshot.Record
	for _, key := range keys {
		last := of[key][len(of[key])-1]
		if newest = append(newest, last); !last.Tombstone {
			live = append(live, last)
		}
	}
	equal(a, "all keys", keys, slices.Collect(s.AllKeys("")))
	equal(a, "newest", newest, slices.Collect(s.Newest("")))
	equal(a, "keys", live, slices.Collect(s.Keys("")))
	equal(a, "keys from the beginning", live, slices.Collect(s.KeysFrom("")))
	for i, key := range keys {
		history := s.History(key)
		for j := range history {
			history[j].Generation = 0
			before, ok := s.Before(key, len(history)-1-j)
			if before.Generation = 0; !ok || before != of[key][j] {
				a.t.Errorf("older record of %s: %+v, %t", key, before, ok)
			}
		}
		if r, ok := s.Before(key, len(history)); ok {
			a.t.Errorf("older than all of %s is %+v", key, r)
		}
		equal(a, "history of "+key, of[key], history)
		equal(a, "keys from "+key, newer(live, key), slices.Collect(s.KeysFrom(key)))
		equal(a, "keys after "+key, newer(live, key+"\x00"), slices.Collect(s.KeysFrom(key+"\x00")))
		equal(a, "newest of "+key, newest[i:i+1], slices.Collect(s.Newest(key)))
	}
	if r, err := s.Get("", 0); !errors.Is(err, snapshot.ErrNotFound) {
		a.t.Errorf("the key of bump markers has %+v, %v", r, err)
	}
	if r, ok := s.Before("/none", 0); ok {
		a.t.Errorf("a key that is not there has %+v", r)
	}
	for n := range 4 {
		parts := s.HistoriesOf("/", n)
		var got []string
		for _, part := range parts {
			for list := range part {
				got = append(got, list[0].Key)
				equal(a, "history in a part", s.History(list[0].Key), list)
			}
		}
		equal(a, "keys in parts", keys, got)
		if len(parts) > max(n, 1) {
			a.t.Errorf("%d parts, not %d", len(parts), n)
		}
	}
	n := 0
	for list := range s.Histories() {
		if key := list[0].Key; key != "" {
			equal(a, "one of all histories", of[key], list)
			n++
		}
	}
	if n != len(keys) {
		a.t.Errorf("%d histories of %d keys", n, len(keys))
	}
	buckets, err := s.Buckets(a.t.Context())
	a.must(err)
	nested := map[string]int{}
	for _, p := range s.Problems() {
		if strings.Contains(p.What, "a bucket stands among") {
			name, ok := strings.CutPrefix(p.Where, "bucket ")
			if !ok {
				name = "key"
			}
			nested[name]++
		}
	}
	for _, b := range buckets {
		n := 0
		found, err := s.EachBucket(b.Name, func(_, _ []byte) error { n++; return nil })
		a.must(err)
		if !found || n != b.Keys-nested[b.Name] {
			a.t.Errorf("bucket %s is there %t, has %d items of %d", b.Name, found, n, b.Keys)
		}
	}
	// Each can be left before its end.
	stop(s.Keys(""))
	stop(s.KeysFrom(""))
	stop(s.Newest(""))
	stop(s.AllKeys(""))
	stop(s.Histories())
	stop(s.Records())
	stop(s.EveryNth(2))
	for _, part := range s.HistoriesOf("/", 2) {
		stop(part)
	}
	if found, err := s.EachBucket("none", nil); found || err != nil {
		a.t.Errorf("a bucket that is not there: %t, %v", found, err)
	}
}

// equal wants a list to be as the records have it.
func equal[T comparable](a *told, what string, want, got []T) {
	a.t.Helper()
	if !slices.Equal(want, got) {
		a.t.Errorf("%s: %+v, the records have %+v", what, got, want)
	}
}

// stop takes the first of a list.
func stop[T any](list iter.Seq[T]) {
	for range list {
		return
	}
}

// newer are the records of keys from one on.
func newer(list []snapshot.Record, from string) []snapshot.Record {
	return slices.DeleteFunc(slices.Clone(list), func(r snapshot.Record) bool { return r.Key < from })
}

// states are the keys at the newest revision and the compact one and, of a whole db, at all
// others, and what became of those that are not there.
func (a *told) states(all bool) {
	s := a.s
	at := func(what string, rev int64) {
		v, err := s.At(rev)
		if err != nil {
			a.add(what, "%v", err)
			return
		}
		var keys []string
		for r := range v.Keys("/") {
			keys = append(keys, fmt.Sprintf("%s@%s", r.Key, r.Revision))
			if got, err := v.Get(r.Key); err != nil || got != r {
				a.t.Errorf("get of %s at %d: %+v, %v", r.Key, rev, got, err)
			}
		}
		a.add(what, "%s", strings.Join(keys, " "))
	}
	at("keys when compacted", s.CompactRevision())
	at("keys now", 0)
	if !all {
		return
	}
	for rev := s.CompactRevision() - 1; rev <= s.CompactRevision()+10; rev++ {
		at(fmt.Sprintf("keys at %d", rev), rev)
	}
	for key := range s.AllKeys("") {
		var list []string
		for _, r := range s.History(key) {
			list = append(list, fmt.Sprintf("%s in life %d", r.Revision, r.Generation))
		}
		_, err := s.Get(key, s.CompactRevision())
		a.add(key, "%s; when compacted: %v", strings.Join(list, ", "), err)
	}
}

func (a *told) pages() {
	s, ctx := a.s, a.t.Context()
	left, err := s.LeftoverBuckets(ctx)
	a.must(err)
	for _, name := range slices.Sorted(maps.Keys(left)) {
		a.add("left of bucket "+name, "%q", left[name])
	}
	compacted, err := s.CompactSeen(ctx)
	a.must(err)
	a.add("compaction seen", "%d", compacted)
	headless, err := s.Headless(ctx)
	a.must(err)
	lost, err := s.Lost(ctx)
	a.must(err)
	var within []int64
	for rev := range int64(25) {
		if lost.Contains(snapshot.Revision{Main: rev}, false) {
			within = append(within, rev)
		}
	}
	if lost.Any() || headless > 0 {
		a.add("lost", "%s (%d), up to %d at the end", strings.Join(lost.Stretches(), ", "), within, headless)
	}
}

func (a *told) carved(all bool) {
	left, err := a.s.Leftovers(a.t.Context())
	a.must(err)
	stop(left.All())
	for l := range left.All() {
		if l.Conflict || l.Foreign {
			a.add("left "+l.Revision.String(), "on page %d, %s, conflict %t, foreign %t, suspect %t", l.Page, l.Key, l.Conflict, l.Foreign, a.s.Suspect(l.Record))
		}
	}
	c, err := a.s.Carve(a.t.Context())
	a.must(err)
	a.add("carved", "%d from %d to %d, conflicts %d, foreign %d, windows %v", c.Count, c.Oldest, c.Newest, c.Conflicts, c.Foreign, c.Windows)
	stop(c.Records)
	for r := range c.Records {
		what := "put " + r.Key
		if r.Tombstone {
			what = "delete " + r.Key
		}
		if all {
			a.add("carved "+r.Revision.String(), "from page %d, %s, %d bytes, %s (%s): %s", r.Page, what, r.Size, r.Label, r.Sure, r.Reason)
		}
	}
}

func (a *told) glance(db []byte, astray bool) {
	path := filepath.Join(a.t.TempDir(), "snapshot.db")
	a.must(os.WriteFile(path, db, 0o600))
	g, err := snapshot.Look(a.t.Context(), path, snapshot.Options{})
	a.must(err)
	defer g.Close()
	if g.Damaged() != a.s.Damaged() && g.Complete() || g.Revision != a.s.Revision() || g.CompactRevision != a.s.CompactRevision() {
		a.t.Errorf("glance: read whole %t, damaged %t, revision %d, compacted %d", g.Complete(), g.Damaged(), g.Revision, g.CompactRevision)
	}
	a.add("glance", "read whole %t", g.Complete())
	if astray {
		return
	}
	const from = 12
	var older, newer []snapshot.Record
	for r := range a.s.Records() {
		if r.Main <= from {
			older = append(older, r)
		}
		if r.Main >= from {
			newer = append(newer, r)
		}
		a.same(g.At(r.Revision))(r, true)
	}
	stop(g.Newest(from))
	stop(g.Oldest(from))
	slices.Reverse(older)
	a.sameAll(g.Newest(from), older)
	a.sameAll(g.Oldest(from), newer)
	a.same(g.At(snapshot.Revision{Main: from, Sub: 1}))(snapshot.Record{}, false)
}

// sameAll wants records of a glance as the snapshot has them.
func (a *told) sameAll(got iter.Seq[snapshot.Stored], want []snapshot.Record) {
	a.t.Helper()
	for r := range got {
		if len(want) == 0 {
			a.t.Errorf("a glance has revision %s, too", r.Revision)
			return
		}
		a.same(r, true)(want[0], true)
		want = want[1:]
	}
	if len(want) > 0 {
		a.t.Errorf("a glance does not have revision %s", want[0].Revision)
	}
}

func (a *told) same(r snapshot.Stored, ok bool) func(want snapshot.Record, there bool) {
	return func(want snapshot.Record, there bool) {
		a.t.Helper()
		if ok != there {
			a.t.Errorf("revision %s is there for a glance: %t", want.Revision, ok)
		}
		if !ok || !there {
			return
		}
		if diff := cmp.Diff(want, r.Record, cmpopts.IgnoreUnexported(snapshot.Record{})); diff != "" {
			a.t.Errorf("a glance has (-snapshot +glance):\n%s", diff)
		}
		if raw, err := a.s.Raw(want, nil); err != nil || !bytes.Equal(raw, r.Raw) {
			a.t.Errorf("revision %s is %q for a glance, not %q, %v", want.Revision, r.Raw, raw, err)
		}
	}
}

func (a *told) checks() {
	in, err := a.s.Integrity(a.t.Context())
	a.must(err)
	if in.Bad() != slices.ContainsFunc(in.Checks, func(c snapshot.Check) bool { return c.Verdict == snapshot.Bad }) {
		a.t.Errorf("bad %t: %v", in.Bad(), in.Checks)
	}
	for _, c := range in.Checks {
		if c.Name == "content" && (c.Verdict == snapshot.OK) == a.s.Damaged() {
			a.t.Errorf("content is %s", c.Verdict)
		}
		if c.Name != "content" {
			a.add("check "+c.Name, "%s %s", c.Verdict, c.Detail)
		}
	}
	missing, err := a.s.Missing(a.t.Context())
	a.must(err)
	for _, m := range append(missing, in.Missing()...) {
		a.add("missing", "%s, %s", m.What, m.Bound())
	}
	for _, p := range a.s.Problems() {
		a.add(string(p.Severity), "%s", p)
	}
}
