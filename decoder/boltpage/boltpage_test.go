package boltpage_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"revenant/decoder/boltpage"
	"revenant/internal/corpus"
)

// entry is an item of a bucket, or a bucket with its items.
type entry struct {
	Key, Value string
	Bucket     bool
	Sequence   uint64
	Items      []entry
}

// TestEqualsBboltOnRealFiles reads every snapshot in testdata, and the db of every
// member's directory there; with -short, which is meant for the race detector, every
// eighth.
func TestEqualsBboltOnRealFiles(t *testing.T) {
	const testdata = "../../testdata"
	snapshots, members := 0, 0
	err := filepath.WalkDir(testdata, func(path string, _ fs.DirEntry, err error) error {
		var db func(testing.TB, string) string
		switch name := filepath.Base(path); {
		case strings.HasSuffix(name, ".db.gz"):
			db = gunzip
			snapshots++
		case name == "member.tar.gz":
			db = memberDB
			members++
		default:
			return err
		}
		if testing.Short() && (snapshots+members)%8 != 0 {
			return err
		}
		t.Run(strings.TrimPrefix(path, testdata+"/"), func(t *testing.T) { equalsBbolt(t, db(t, path)) })
		return err
	})
	if err != nil || snapshots < 40 || members < 5 {
		t.Fatalf("found %d snapshots and %d members' directories, err %v", snapshots, members, err)
	}
}

func TestEqualsBboltOnMadeFiles(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 1
	}
	for _, pageSize := range []int{512, 1024, 4096, 16384, 65536} {
		for _, noFreelist := range []bool{false, true} {
			for seed := range seeds {
				name := fmt.Sprintf("page=%d/nofreelist=%v/seed=%d", pageSize, noFreelist, seed)
				t.Run(name, func(t *testing.T) {
					equalsBbolt(t, makeFile(t, pageSize, noFreelist, seed))
				})
			}
		}
	}
}

// equalsBbolt holds what boltpage reads against what bbolt reads, whole and in
// ranges, and wants no anomaly.
func equalsBbolt(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o400, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	file := openFile(t, path)
	var want []entry
	var size int64
	err = db.View(func(tx *bbolt.Tx) error {
		size = tx.Size()
		want, err = readBbolt(tx.Cursor().Bucket())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := readBoltpage(t, file, file.Root())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("items differ (-bbolt +boltpage):\n%s", diff)
	}
	for _, e := range want {
		for _, n := range []int{2, 7, 1000} {
			checkRanges(t, file.Bucket(e.Key), n, e.Items)
		}
	}
	if got := file.Meta().Size(); got != size {
		t.Errorf("size = %d, bbolt says %d", got, size)
	}
	for _, a := range file.Anomalies() {
		if a.Kind != boltpage.OtherMeta { // a db that is no copy may look like one
			t.Errorf("anomaly in a healthy file: %v", a)
		}
	}
	u, err := file.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if free := uint64(db.Stats().FreePageN + db.Stats().PendingPageN); u.Unreachable != 0 || u.Free != free {
		t.Errorf("usage = %+v, bbolt has %d free pages", u, free)
	}
}

func readBbolt(b *bbolt.Bucket) ([]entry, error) {
	var list []entry
	err := b.ForEach(func(k, v []byte) error {
		if v != nil {
			list = append(list, entry{Key: string(k), Value: string(v)})
			return nil
		}
		sub := b.Bucket(k)
		items, err := readBbolt(sub)
		list = append(list, entry{Key: string(k), Bucket: true, Sequence: sub.Sequence(), Items: items})
		return err
	})
	return list, err
}

func readBoltpage(t *testing.T, f *boltpage.File, b *boltpage.Bucket) []entry {
	t.Helper()
	var list []entry
	each := func(it boltpage.Item) error {
		if !it.Bucket {
			at := make([]byte, len(it.Value))
			if _, err := f.ReadAt(at, it.Offset); err != nil || !bytes.Equal(at, it.Value) {
				t.Errorf("value of %q is not at its offset %d (err %v)", it.Key, it.Offset, err)
			}
			list = append(list, entry{Key: string(it.Key), Value: string(it.Value)})
			return nil
		}
		sub := f.Bucket(string(it.Key))
		if b != f.Root() {
			var err error
			if sub, err = b.Open(t.Context(), it); err != nil {
				return err
			}
		}
		list = append(list, entry{Key: string(it.Key), Bucket: true, Sequence: sub.Sequence, Items: readBoltpage(t, f, sub)})
		return nil
	}
	err := b.Each(func(items []boltpage.Item) error {
		for _, it := range items {
			if err := each(it); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// checkRanges reads the bucket's ranges in parallel.
func checkRanges(t *testing.T, b *boltpage.Bucket, n int, want []entry) {
	t.Helper()
	ranges := b.Ranges(n)
	if len(ranges) > n || len(ranges) == 0 {
		t.Fatalf("asked for %d ranges, got %d", n, len(ranges))
	}
	keys := make([][]string, len(ranges))
	var wg sync.WaitGroup
	for i, r := range ranges {
		wg.Go(func() {
			err := r.Each(func(items []boltpage.Item) error {
				for _, it := range items {
					keys[i] = append(keys[i], string(it.Key))
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var all, wantKeys []string
	for i := range keys {
		all = append(all, keys[i]...)
	}
	for _, e := range want {
		wantKeys = append(wantKeys, e.Key)
	}
	if diff := cmp.Diff(wantKeys, all); diff != "" {
		t.Errorf("%s in %d ranges: keys differ (-want +got):\n%s", b.Name, n, diff)
	}
	if n := length(t, b); n != len(wantKeys) {
		t.Errorf("%s: %d items by the pages' headers, want %d", b.Name, n, len(wantKeys))
	}
}

// makeFile writes a database as bbolt does after a life of inserts, overwrites
// and deletes: several buckets, nested and inline ones, values from none to
// several pages.
func makeFile(t testing.TB, pageSize int, noFreelist bool, seed uint64) string {
	t.Helper()
	return makeFileOf(t, pageSize, noFreelist, seed, 12)
}

func makeFileOf(t testing.TB, pageSize int, noFreelist bool, seed uint64, transactions int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, NoFreelistSync: noFreelist, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, uint64(pageSize)))
	for range transactions {
		err := db.Update(func(tx *bbolt.Tx) error { return churn(tx, r, pageSize) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func churn(tx *bbolt.Tx, r *rand.Rand, pageSize int) error {
	for range 6 {
		b, err := tx.CreateBucketIfNotExists(fmt.Appendf(nil, "bucket-%d", r.IntN(9)))
		if err != nil {
			return err
		}
		if r.IntN(3) == 0 {
			if b, err = b.CreateBucketIfNotExists(fmt.Appendf(nil, "nested-%d", r.IntN(3))); err != nil {
				return err
			}
		}
		if err := b.SetSequence(r.Uint64()); err != nil {
			return err
		}
		for range r.IntN(200) {
			key := fmt.Appendf(nil, "%x", r.IntN(1500))
			size := r.IntN(200)
			if r.IntN(20) == 0 {
				size = r.IntN(5 * pageSize)
			}
			if r.IntN(3) == 0 {
				err = b.Delete(key)
			} else {
				err = b.Put(key, bytes.Repeat([]byte{byte(r.Uint32())}, size))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// TestCopyWrittenTo: a copy that bbolt makes, and then commits to, is whole after each
// commit, whatever the number of the transaction that was copied.
func TestCopyWrittenTo(t *testing.T) {
	for transactions := range 4 {
		for commits := range 4 {
			path := makeFileOf(t, 4096, false, 1, 4+transactions)
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(t.TempDir(), "db")
			if err := db.View(func(tx *bbolt.Tx) error { return tx.CopyFile(copied, 0o600) }); err != nil {
				t.Fatal(err)
			}
			db.Close()
			if db, err = bbolt.Open(copied, 0o600, nil); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 1))
			for range commits {
				if err := db.Update(func(tx *bbolt.Tx) error { return churn(tx, r, 4096) }); err != nil {
					t.Fatal(err)
				}
			}
			db.Close()
			f := openFile(t, copied)
			for _, a := range f.Anomalies() {
				if a.Kind == boltpage.BadMeta {
					t.Errorf("%d transactions, copied, %d commits: %+v", transactions, commits, a)
				}
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, boltpage.ErrEmpty},
		{"one byte", []byte{1}, boltpage.ErrNoMeta},
		{"text", bytes.Repeat([]byte("not a database\n"), 10_000), boltpage.ErrNoMeta},
		{"zeros", make([]byte, 1<<20), boltpage.ErrNoMeta},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := boltpage.OpenBytes(t.Context(), tt.data); !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSecondMetaLeadsIn(t *testing.T) {
	for _, pageSize := range []int{1024, 4096, 65536} {
		data := readFile(t, makeFile(t, pageSize, true, 1))
		clear(data[16:32])
		f, err := boltpage.OpenBytes(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		if f.PageSize() != pageSize || f.Meta().Page != 1 {
			t.Errorf("page size %d by meta page %d, want %d by 1", f.PageSize(), f.Meta().Page, pageSize)
		}
		if !slices.ContainsFunc(f.Anomalies(), func(a boltpage.Anomaly) bool { return a.Page == 0 && a.Kind == boltpage.BadMeta }) {
			t.Errorf("the damaged meta page is not reported: %v", f.Anomalies())
		}
	}
}

// TestTruncatedUnderMap cuts the file while it is mapped, which makes the
// kernel answer reads with SIGBUS.
func TestTruncatedUnderMap(t *testing.T) {
	path := makeFile(t, 4096, true, 3)
	f := openFile(t, path)
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	for _, name := range f.Buckets() {
		b := f.Bucket(name)
		if b.Root == 0 {
			continue // inline: its bytes are a copy
		}
		err := b.Each(func([]boltpage.Item) error { return nil })
		var fault *boltpage.FaultError
		if !errors.As(err, &fault) || fault.Page < 2 {
			t.Fatalf("bucket %s: err = %v, want a *FaultError naming the page", name, err)
		}
	}
	if _, err := f.ReadAt(make([]byte, 10), f.Size()-10); err == nil {
		t.Error("read of a vanished page did not fail")
	}
	if !slices.ContainsFunc(f.Anomalies(), func(a boltpage.Anomaly) bool { return a.Kind == boltpage.Fault }) {
		t.Error("no fault is listed")
	}
}

// TestTruncatedWhileIterating cuts the file while a callback looks at its items: it
// is stopped, the page that vanished is named, and so is the next one.
func TestTruncatedWhileIterating(t *testing.T) {
	path := makeFile(t, 4096, true, 3)
	f := openFile(t, path)
	i := slices.IndexFunc(f.Buckets(), func(name string) bool { return f.Bucket(name).Pages() > 1 })
	b := f.Bucket(f.Buckets()[i])
	var pages []uint64
	var sum byte
	err := b.Each(func(items []boltpage.Item) error {
		for _, it := range items {
			pages = append(pages, it.Page)
		}
		if err := os.Truncate(path, 8192); err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			sum ^= it.Key[0]
		}
		t.Errorf("the callback went on (%d)", sum)
		return nil
	})
	var fault *boltpage.FaultError
	if !errors.As(err, &fault) || !slices.Contains(pages, fault.Page) {
		t.Errorf("err = %v, want a *FaultError naming one of the pages %v", err, pages)
	}
	if err := f.Root().Each(func([]boltpage.Item) error { return nil }); !errors.As(err, &fault) {
		t.Errorf("another pass: err = %v, want a *FaultError", err)
	}
}

func TestOtherPanicsPass(t *testing.T) {
	f := openFile(t, makeFile(t, 4096, true, 3))
	var nowhere *int
	for _, tt := range []struct {
		name  string
		panic func()
		want  string
	}{
		{"the callback's own", func() { panic("mine") }, "mine"},
		{"a fault outside the map", func() { *nowhere = 1 }, "runtime error: invalid memory address or nil pointer dereference"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if r := fmt.Sprint(recover()); r != tt.want {
					t.Errorf("recovered %v, want %v", r, tt.want)
				}
			}()
			err := f.Root().Each(func([]boltpage.Item) error { tt.panic(); return nil })
			t.Errorf("no panic, but %v", err)
		})
	}
}

func TestEachStopsAtError(t *testing.T) {
	f := openFile(t, makeFile(t, 4096, true, 3))
	stop := errors.New("enough")
	calls := 0
	err := f.Root().Each(func([]boltpage.Item) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("err = %v after %d calls", err, calls)
	}
}

// TestLoose damages where elements of a leaf page are and how long: those that do
// not end where the next one begins are told.
func TestLoose(t *testing.T) {
	const pageSize, elements = 4096, 5
	path := filepath.Join(t.TempDir(), "made.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("b"))
		for i := range elements {
			err = errors.Join(err, b.Put(fmt.Appendf(nil, "key-%d", i), bytes.Repeat([]byte{'v'}, 400)))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	healthy := readFile(t, path)
	root := int(openFile(t, path).Bucket("b").Root) * pageSize
	const pos, keySize, size = 4, 8, 12 // in an element
	for _, test := range []struct {
		name                 string
		element, field, less int
		want                 []string
	}{
		{"nothing", 0, pos, 0, nil},
		{"a value that is cut", 2, size, 100, []string{"key-2"}},
		{"a value that runs on", 1, size, -100, []string{"key-1"}},
		{"a key that takes of the value", 0, keySize, -1, []string{"key-0" + "v"}},
		{"the last value", elements - 1, size, 1, []string{"key-4"}},
		{"an element outside the page, and its end unknown", 3, size, -4096, nil},
		{"an element elsewhere", 3, pos, 16, []string{"key-2", "vvvvv"}},
		{"the first element elsewhere", 0, pos, -16, []string{"vvvvv"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := slices.Clone(healthy)
			field := data[root+16+16*test.element+test.field:]
			binary.LittleEndian.PutUint32(field, binary.LittleEndian.Uint32(field)-uint32(test.less))
			f, err := boltpage.OpenBytes(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			err = f.Bucket("b").Each(func(items []boltpage.Item) error {
				for _, it := range items {
					if it.Loose {
						got = append(got, string(it.Key))
					}
				}
				return nil
			})
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v, loose items (-want +got):\n%s", err, diff)
			}
			if reported := len(f.Anomalies()) > 0; reported != (test.less != 0) {
				t.Errorf("anomalies %v", f.Anomalies())
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	f.Add(readFile(f, makeFileOf(f, 1024, false, 1, 1)))
	f.Fuzz(func(t *testing.T, data []byte) { walkAll(t, data) })
}

// FuzzWalk writes the fuzzer's bytes over a healthy file, so that the metas
// stay valid and the tree is what is attacked.
func FuzzWalk(f *testing.F) {
	healthy := readFile(f, makeFileOf(f, 1024, false, 2, 2))
	f.Add(uint32(2048), []byte{9, 0, 0, 0})
	f.Add(uint32(4096+8), []byte{1, 0, 255, 255})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		data := slices.Clone(healthy)
		copy(data[2048+int(at)%(len(data)-2048):], patch)
		walkAll(t, data)
	})
}

func walkAll(t *testing.T, data []byte) {
	file, err := boltpage.OpenBytes(t.Context(), data)
	if err != nil {
		return
	}
	defer file.Close()
	var visit func(b *boltpage.Bucket)
	visit = func(b *boltpage.Bucket) {
		total := 0
		err := b.Each(func(items []boltpage.Item) error {
			total += len(items)
			for _, it := range items {
				if !it.Bucket || b == file.Root() {
					continue
				}
				if sub, err := b.Open(t.Context(), it); err == nil {
					visit(sub)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("walk: %v", err)
		}
		if _, err := b.Gaps(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := length(t, b); total > n {
			t.Fatalf("%d items where the pages hold %d", total, n)
		}
	}
	visit(file.Root())
	for _, name := range file.Buckets() {
		visit(file.Bucket(name))
	}
	if err := file.EachUnused(t.Context(), func([]boltpage.Item) error { return nil }); err != nil {
		t.Fatalf("unused pages: %v", err)
	}
	if _, err := file.Usage(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func length(t *testing.T, b *boltpage.Bucket) int {
	t.Helper()
	n, err := b.Len(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func openFile(t testing.TB, path string) *boltpage.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	file, err := boltpage.Open(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return file
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// gunzip unpacks a file and returns where it is.
func gunzip(t testing.TB, path string) string {
	t.Helper()
	return writeDB(t, corpus.Unpack(t, path))
}

// memberDB unpacks the db of a member's directory in an archive.
func memberDB(t testing.TB, path string) string {
	t.Helper()
	for name, data := range corpus.Files(t, path) {
		if strings.HasSuffix(name, "snap/db") {
			return writeDB(t, data)
		}
	}
	t.Fatalf("no db in %s", path)
	return ""
}

func writeDB(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, data, 0o400); err != nil {
		t.Fatal(err)
	}
	return path
}
