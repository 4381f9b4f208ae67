package boltpage_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"revenant/decoder/boltpage"
	"revenant/internal/corpus"
)

// etcdFile makes a db with etcd's buckets, written in several transactions, and
// returns its bytes and what its bucket key holds.
func etcdFile(t *testing.T, pageSize, commits, large int) ([]byte, []entry) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, NoFreelistSync: true, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	var want []entry
	for n := range commits {
		err := db.Update(func(tx *bbolt.Tx) error {
			for _, name := range []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed", "meta"} {
				if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
					return err
				}
			}
			for _, name := range []string{"alarm", "lease", "members"} { // so large that the root has several pages
				if err := tx.Bucket([]byte(name)).Put([]byte("x"), make([]byte, large)); err != nil {
					return err
				}
			}
			for i := range 100 {
				key := fmt.Appendf(nil, "%06d_%06d", n, i)
				if err := tx.Bucket([]byte("key")).Put(key, bytes.Repeat(key, 1+i%40)); err != nil {
					return err
				}
			}
			return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, uint64(100+n)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = db.View(func(tx *bbolt.Tx) (err error) {
		want, err = readBbolt(tx.Bucket([]byte("key")))
		return err
	})
	if err := cmpErr(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return readFile(t, path), want
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Offsets of the fields of a meta after the header of its page, and of its checksum.
const (
	metaAt       = 16
	metaPageSize = 8
	metaRoot     = 16
	metaFreelist = 32
	metaPgid     = 40
	metaSum      = 56
)

// eachMeta calls fn with both metas, and makes their checksums right.
func eachMeta(data []byte, pageSize int, fn func(meta []byte)) {
	for page := range 2 {
		meta := data[page*pageSize+metaAt:][:metaSum+8]
		fn(meta)
		sum := fnv.New64a()
		sum.Write(meta[:metaSum])
		binary.LittleEndian.PutUint64(meta[metaSum:], sum.Sum64())
	}
}

// lostWays are the ways to lose what the meta pages lead to, while the rest is intact.
var lostWays = []struct {
	name string
	lose func(data []byte, pageSize int)
}{
	{"both zeroed", func(data []byte, pageSize int) { clear(data[:2*pageSize]) }},
	{"both random", func(data []byte, pageSize int) {
		for i := range data[:2*pageSize] {
			data[i] = byte(i * 7)
		}
	}},
	{"magic", func(data []byte, pageSize int) {
		eachMeta(data, pageSize, func(m []byte) { m[0] ^= 1 })
	}},
	{"checksum", func(data []byte, pageSize int) { data[metaAt+metaSum] ^= 1; data[pageSize+metaAt+metaSum] ^= 1 }},
	{"a bit of the root without its checksum", func(data []byte, pageSize int) {
		data[metaAt+metaRoot] ^= 1
		data[pageSize+metaAt+metaRoot] ^= 1
	}},
	{"root beyond the end", set(metaRoot, 1<<40)},
	{"root is a meta page", set(metaRoot, 1)},
	{"freelist beyond the end", set(metaFreelist, 1<<40)},
	{"freelist is page 1", set(metaFreelist, 1)},
	{"freelist is no freelist", set(metaFreelist, 5)},
	{"high-water mark 0", set(metaPgid, 0)},
	{"high-water mark 3", set(metaPgid, 3)},
	{"high-water mark 4", set(metaPgid, 4)},
	{"high-water mark beyond the end", set(metaPgid, 1<<30)},
	{"high-water mark impossible", set(metaPgid, 1<<63)},
	{"page size", func(data []byte, pageSize int) {
		eachMeta(data, pageSize, func(m []byte) { binary.LittleEndian.PutUint32(m[metaPageSize:], uint32(2*pageSize)) })
	}},
}

func set(field int, value uint64) func([]byte, int) {
	return func(data []byte, pageSize int) {
		eachMeta(data, pageSize, func(m []byte) { binary.LittleEndian.PutUint64(m[field:], value) })
	}
}

// TestLostMetas loses what the meta pages say: the rest is intact, and is read.
func TestLostMetas(t *testing.T) {
	type base struct {
		name     string
		data     []byte
		pageSize int
		want     []entry
	}
	var bases []base
	for _, pageSize := range []int{512, 1024, 4096, 8192, 16384, 65536} {
		for _, large := range []int{1, pageSize / 5} {
			data, want := etcdFile(t, pageSize, 7, large)
			bases = append(bases, base{fmt.Sprintf("page size %d, small buckets of %d", pageSize, large), data, pageSize, want})
		}
	}
	for name, path := range map[string]string{
		"snapshot": gunzip(t, "../../testdata/clusters/scenario-1/plain/current.db.gz"),
		"db":       memberDB(t, "../../testdata/clusters/scenario-5/datadir-lagging/member.tar.gz"),
		"churned":  gunzip(t, "../../testdata/etcd/churned-1.db.gz"),
	} {
		f := openFile(t, path)
		bases = append(bases, base{name, readFile(t, path), f.PageSize(), readBoltpage(t, f, f.Bucket("key"))})
	}
	for _, b := range bases {
		for _, way := range lostWays {
			t.Run(b.name+"/"+way.name, func(t *testing.T) {
				data := slices.Clone(b.data)
				way.lose(data, b.pageSize)
				f, err := boltpage.OpenBytes(t.Context(), data)
				if err != nil {
					t.Fatal(err)
				}
				if f.PageSize() != b.pageSize {
					t.Fatalf("page size %d, it is %d", f.PageSize(), b.pageSize)
				}
				key := f.Bucket("key")
				if key == nil {
					t.Fatalf("no bucket of revisions: %v", f.Anomalies())
				}
				if got := readBoltpage(t, f, key); !equalEntries(got, b.want) {
					t.Errorf("%d revisions are read, there are %d", len(got), len(b.want))
				}
				if len(f.Anomalies()) == 0 {
					t.Error("nothing is said to be wrong")
				}
			})
		}
	}
}

func equalEntries(a, b []entry) bool {
	return slices.EqualFunc(a, b, func(a, b entry) bool { return a.Key == b.Key && a.Value == b.Value })
}

// TestNewestWholeRoot has the roots of several states, of which the newest is not
// whole: the newest whole one is read.
func TestNewestWholeRoot(t *testing.T) {
	const pageSize = 4096
	data, want := etcdFile(t, pageSize, 5, 1)
	f, err := boltpage.OpenBytes(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := f.Roots(t.Context())
	if err != nil || len(roots) < 2 || roots[0].Page != f.Meta().Root || roots[0].Index != 104 {
		t.Fatalf("roots %v, the db's is page %d: %v", roots, f.Meta().Root, err)
	}
	older, err := f.From(t.Context(), roots[1].Page)
	if err != nil {
		t.Fatal(err)
	}
	if got := readBoltpage(t, older, older.Bucket("key")); roots[1].Index != 103 || !equalEntries(got, want[:400]) {
		t.Errorf("the older root %v has %d of %d revisions", roots[1], len(got), len(want))
	}
	clear(data[:2*pageSize])
	clear(data[f.Bucket("key").Root*pageSize:][:pageSize])
	if f, err = boltpage.OpenBytes(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	if got := readBoltpage(t, f, f.Bucket("key")); f.Meta().Root != roots[1].Page || !equalEntries(got, want[:400]) {
		t.Errorf("page %d is read, with %d revisions; the newest whole one is %d", f.Meta().Root, len(got), roots[1].Page)
	}
}

// TestManyRoots is a file of roots: looking for the right one is bounded.
func TestManyRoots(t *testing.T) {
	const pageSize, pages = 4096, 4096
	data, _ := etcdFile(t, pageSize, 3, 1)
	f, err := boltpage.OpenBytes(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	root := slices.Clone(data[f.Meta().Root*pageSize:][:pageSize])
	clear(data[:2*pageSize])
	for id := len(data) / pageSize; id < pages; id++ {
		binary.LittleEndian.PutUint64(root, uint64(id))
		data = append(data, root...)
	}
	if f, err = boltpage.OpenBytes(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	if roots, err := f.Roots(t.Context()); err != nil || len(roots) > 8 || f.Bucket("key") == nil {
		t.Errorf("%d roots: %v", len(roots), err)
	}
}

// FuzzRoots looks for roots in any bytes.
func FuzzRoots(f *testing.F) {
	small := corpus.Unpack(f, "../../testdata/etcd/compacted.db.gz")
	small = small[:min(len(small), 64<<10)]
	f.Add(small, 0, byte(0))
	f.Add(small, 4096*5+16, byte(3))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		data = slices.Clone(data)
		if len(data) > 0 {
			data[uint(at)%uint(len(data))] ^= flip
		}
		clear(data[:min(len(data), 32)])
		file, err := boltpage.OpenBytes(context.Background(), data)
		if err != nil {
			return
		}
		roots, err := file.Roots(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range roots {
			g, err := file.From(context.Background(), r.Page)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range g.Buckets() {
				_ = g.Bucket(name).Each(func([]boltpage.Item) error { return nil })
			}
		}
	})
}
