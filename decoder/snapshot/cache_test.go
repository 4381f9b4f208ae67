package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"revenant/decoder/boltpage"
	"revenant/internal/clustertest"
	"revenant/internal/corpus"
	"revenant/internal/outfile"
)

// cacheOf makes a cache that keeps away from a file.
func cacheOf(t testing.TB, dir, file string) *outfile.Cache {
	t.Helper()
	g := &outfile.Guard{}
	g.Evidence(file)
	c, err := g.Cache(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// openFile opens a file, and says whether its entry in the cache was used.
func openFile(t testing.TB, path string, opts Options) (s *Snapshot, recalled bool) {
	t.Helper()
	s, err := Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, s.memory != nil && s.memory.found != nil
}

// entryIn is the name and the content of the entry in a directory where there is no other
// file; nil where there is none.
func entryIn(t testing.TB, dir string) (path string, data []byte) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) > 1 {
		t.Fatalf("files %v, %v", list, err)
	}
	if len(list) == 0 {
		return "", nil
	}
	path = filepath.Join(dir, list[0].Name())
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return path, data
}

// answers is what a snapshot says when it is asked for everything.
type answers struct {
	Records   []Record
	Pages     []uint64 // of the records
	Values    string   // SHA-256 of all
	Histories map[string][]Record
	Keys      []string
	Status    Status
	Hash      uint32
	HashKV    HashKV
	Meta      Meta
	Problems  []Problem
	Buckets   []BucketInfo
	Usage     boltpage.Usage
	Seen      int64
	Bumps     []int64
	Unsettled bool
	Newer     bool
	Carved    []Carved
	Windows   []Window
}

func ask(t testing.TB, s *Snapshot) (a answers) {
	t.Helper()
	ctx := t.Context()
	var errs [6]error
	a.Problems = s.Problems()
	a.Usage, errs[0] = s.Usage(ctx)
	a.Buckets, errs[1] = s.Buckets(ctx)
	values := sha256.New()
	for r := range s.Records() {
		a.Records, a.Pages = append(a.Records, r), append(a.Pages, s.Page(r))
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		values.Write(value)
	}
	a.Values = hex.EncodeToString(values.Sum(nil))
	a.Histories = map[string][]Record{}
	for key := range s.AllKeys("") {
		a.Keys, a.Histories[key] = append(a.Keys, key), s.History(key)
	}
	a.Status, errs[2] = s.Status(ctx)
	a.Hash, errs[3] = s.Hash(ctx)
	a.HashKV, errs[4] = s.HashKV(ctx, 0)
	carving, err := s.Carve(ctx)
	if errs[5] = err; err == nil {
		a.Carved, a.Windows = slices.Collect(carving.Records), carving.Windows
	}
	a.Meta, a.Seen, a.Bumps, a.Unsettled, a.Newer = s.Meta(), s.SeenRevision(), s.BumpMarkers(), s.Unsettled(), s.NewerUnused()
	a.Problems = append(a.Problems, s.Problems()...)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return a
}

func differ(a, b answers) string { return cmp.Diff(a, b, cmp.AllowUnexported(Meta{}, Record{})) }

// written is a record of a store that a test makes; one without a key is a bump marker.
type written struct {
	rev             Revision
	key, value      string
	create, version int64 // 0 for a tombstone
}

// storeOf is the db of a store that was compacted to a revision.
func storeOf(t testing.TB, compacted int64, records ...written) []byte {
	t.Helper()
	name := func(r Revision) []byte {
		k := append(binary.BigEndian.AppendUint64(nil, uint64(r.Main)), '_')
		return binary.BigEndian.AppendUint64(k, uint64(r.Sub))
	}
	path := filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		keys, err := tx.CreateBucket([]byte("key"))
		if err != nil {
			return err
		}
		meta, err := tx.CreateBucket([]byte("meta"))
		if err != nil {
			return err
		}
		for _, r := range records {
			kv, k := &mvccpb.KeyValue{Key: []byte(r.key)}, name(r.rev)
			if r.version > 0 {
				kv.Value, kv.CreateRevision, kv.ModRevision, kv.Version = []byte(r.value), r.create, r.rev.Main, r.version
			} else if r.key != "" {
				k = append(k, 't')
			}
			if err := keys.Put(k, marshal(t, kv)); err != nil {
				return err
			}
		}
		return errors.Join(meta.Put([]byte("scheduledCompactRev"), name(Revision{Main: compacted})), meta.Put([]byte("finishedCompactRev"), name(Revision{Main: compacted})))
	})
	var data bytes.Buffer
	copied := db.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(&data)
		return err
	})
	if err := errors.Join(err, copied, db.Close()); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// edges is a store of what an entry has to have room for: revisions far apart, several of
// a transaction, long values, encrypted ones, tombstones and a bump marker.
func edges(t testing.TB) []byte {
	const bumped = 1 << 40
	long := string(bytes.Repeat([]byte("long "), 10_000))
	return storeOf(t, bumped,
		written{Revision{Main: 5}, "/a", "one", 3, 2},
		written{Revision{Main: bumped}, "", "", 0, 0},
		written{Revision{Main: bumped + 1}, "/a", long, 3, 3},
		written{Revision{Main: bumped + 1, Sub: 1}, "/b", "k8s:enc:aescbc:v1:key:x", bumped + 1, 1},
		written{Revision{Main: bumped + 2}, "/a", "", 0, 0},
		written{Revision{Main: bumped + 3}, "/c", long + long, bumped + 3, 1},
	)
}

// lastRevision is a store that has come to the last revision there is.
func lastRevision(t testing.TB) []byte {
	return storeOf(t, math.MaxInt64-1,
		written{Revision{Main: math.MaxInt64 - 1}, "/a", strings.Repeat("1", 4096), 2, 1},
		written{Revision{Main: math.MaxInt64}, "/a", "2", 2, 2},
	)
}

// stores are the files that are opened with a cache.
func stores(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{
		"edges":         edges(t),
		"last revision": lastRevision(t),
		"empty":         storeOf(t, 0),
	}
	for _, path := range corpus.Snapshots(t, "../../testdata") {
		files[filepath.ToSlash(path)] = corpus.Unpack(t, path)
	}
	c, err := clustertest.New(clustertest.Options{Seed: 1, Pods: 60, Nodes: 20, Revisions: 3 * blockSize})
	if err != nil {
		t.Fatal(err)
	}
	files["a made cluster"] = c.Current
	return files
}

// TestCache opens files without a cache, with an empty one, and with one that has them,
// and wants the same answers, and the same entry whatever the number of workers.
func TestCache(t *testing.T) {
	needed := []string{"edges", "last revision", "a made cluster", "../../testdata/clusters/scenario-1/plain/backup.db.gz"} // that have an entry
	for name, data := range stores(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot.db")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			plain, _ := openFile(t, path, Options{})
			want := ask(t, plain)
			numbers := []int{1, 2, 3, 16}
			if strings.HasSuffix(name, ".gz") {
				numbers = []int{1, 3}
			}
			var first []byte
			for _, workers := range numbers {
				dir := filepath.Join(t.TempDir(), "cache")
				var last Progress
				opts := Options{Cache: cacheOf(t, dir, path), Workers: workers, SkipHashCheck: workers == 3, Progress: func(p Progress) {
					if p.Phase == PhaseIndex {
						last = p
					}
				}}
				s, recalled := openFile(t, path, opts)
				if diff := differ(want, ask(t, s)); diff != "" || recalled {
					t.Errorf("%d workers, recalled %v: -without +with an empty cache:\n%s", workers, recalled, diff)
				}
				_, entry := entryIn(t, dir)
				if workers == 1 {
					first = entry
				}
				if !bytes.Equal(first, entry) {
					t.Errorf("%d workers write another entry than 1", workers)
				}
				if few := s.pages.Bucket("key").Root == 0; (len(entry) > 0) == (few || s.Damaged()) {
					t.Errorf("on one page with other buckets %v, damaged %v, and the entry has %d bytes", few, s.Damaged(), len(entry))
				}
				s, recalled = openFile(t, path, opts)
				if diff := differ(want, ask(t, s)); diff != "" || recalled != (len(entry) > 0) {
					t.Errorf("%d workers, recalled %v: -without +with the entry:\n%s", workers, recalled, diff)
				}
				if !recalled && slices.Contains(needed, name) {
					t.Error("there is no entry")
				}
				if recalled && (last.Done != last.Total || last.Total == 0) {
					t.Errorf("the last that was told is %+v", last)
				}
				sum := sha256.Sum256(data)
				if in, err := s.Integrity(t.Context()); err != nil || !opts.SkipHashCheck && in.SHA256 != hex.EncodeToString(sum[:]) {
					t.Errorf("SHA-256 %s, %v: it must be that of the evidence", in.SHA256, err)
				}
			}
			after, err := os.Stat(path)
			if now, _ := os.ReadFile(path); err != nil || !after.ModTime().Equal(before.ModTime()) || after.Mode() != before.Mode() || !bytes.Equal(now, data) {
				t.Error("the evidence changed")
			}
		})
	}
}

// TestCacheIsStale changes a file after its entry was written: another file's entry is
// not used, and is replaced.
func TestCacheIsStale(t *testing.T) {
	rewrite := func(t *testing.T, path string, change func(data []byte)) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		change(data)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	turn := func(data []byte) { // a version of a key, where no checksum but the trailer's is
		i := bytes.LastIndex(data, []byte("the value"))
		data[i+4] ^= 'v' ^ 'V'
	}
	tests := map[string]struct {
		change   func(t *testing.T, path string)
		recalled bool
	}{
		"nothing": {func(*testing.T, string) {}, true},
		"the time of modification": {func(t *testing.T, path string) {
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, false},
		"the content": {func(t *testing.T, path string) { rewrite(t, path, turn) }, false},
		"the content, and the time of modification put back": {func(t *testing.T, path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			rewrite(t, path, turn)
			if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, false},
		"the trailer": {func(t *testing.T, path string) {
			rewrite(t, path, func(data []byte) { data[len(data)-1] ^= 1 })
		}, false},
		"the size": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, edges(t), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
		"another file of the same content and times": {func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			info, statErr := os.Stat(path)
			if err := errors.Join(err, statErr, os.Rename(path, path+".old"), os.WriteFile(path, data, 0o600), os.Chtimes(path, time.Time{}, info.ModTime())); err != nil {
				t.Fatal(err)
			}
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path, dir := filepath.Join(t.TempDir(), "snapshot.db"), filepath.Join(t.TempDir(), "cache")
			data := storeOf(t, 0, written{Revision{Main: 2}, "/a", "the value" + strings.Repeat(".", 4096), 2, 1})
			sum := sha256.Sum256(data)
			if err := os.WriteFile(path, append(data, sum[:]...), 0o600); err != nil {
				t.Fatal(err)
			}
			opts := Options{Cache: cacheOf(t, dir, path)}
			openFile(t, path, opts)
			_, old := entryIn(t, dir)
			test.change(t, path)
			plain, _ := openFile(t, path, Options{})
			s, recalled := openFile(t, path, opts)
			if diff := differ(ask(t, plain), ask(t, s)); diff != "" || recalled != test.recalled {
				t.Errorf("recalled %v: -without +with the entry:\n%s", recalled, diff)
			}
			if _, entry := entryIn(t, dir); bytes.Equal(old, entry) != test.recalled {
				t.Error("the entry is not that of the file")
			}
			if _, recalled := openFile(t, path, opts); !recalled {
				t.Error("the new entry was not used")
			}
		})
	}
}

// damagedLeaf is a store of which a leaf page counts one element more than it has.
func damagedLeaf(t *testing.T) []byte {
	data := edges(t)
	s, err := OpenBytes(t.Context(), "snapshot.db", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data[int(s.Page(s.History("/b")[0]))*s.PageSize()+10]++
	return data
}

// TestCacheOfDamage opens a file in which something is wrong, twice: it has no entry, so
// that what is wrong is found each time.
func TestCacheOfDamage(t *testing.T) {
	for name, data := range map[string][]byte{
		"a history with a gap": storeOf(t, 0, written{Revision{Main: 2}, "/a", strings.Repeat("1", 4096), 2, 1}, written{Revision{Main: 4}, "/a", "2", 2, 2}),
		"a damaged page":       damagedLeaf(t),
	} {
		t.Run(name, func(t *testing.T) {
			path, dir := filepath.Join(t.TempDir(), "snapshot.db"), filepath.Join(t.TempDir(), "cache")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s, recalled := openFile(t, path, Options{Cache: cacheOf(t, dir, path)})
				if path, _ := entryIn(t, dir); !s.Damaged() || recalled || path != "" {
					t.Errorf("damaged %v, recalled %v, entry %q", s.Damaged(), recalled, path)
				}
			}
		})
	}
}

// TestDamagedCache changes every byte of an entry, cuts it off everywhere and appends to
// it: none of that is taken for an entry, and opening replaces it.
func TestDamagedCache(t *testing.T) {
	path, dir := filepath.Join(t.TempDir(), "snapshot.db"), filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(path, edges(t), 0o600); err != nil {
		t.Fatal(err)
	}
	opts := Options{Cache: cacheOf(t, dir, path)}
	s, _ := openFile(t, path, opts)
	want := ask(t, s)
	at, entry := entryIn(t, dir)
	damaged := map[int][]byte{}
	for i := range entry {
		flipped := bytes.Clone(entry)
		flipped[i] ^= 1 << (i % 8)
		damaged[i] = flipped
		damaged[len(entry)+i] = entry[:i]
	}
	damaged[2*len(entry)] = append(bytes.Clone(entry), 0)
	read := func(data []byte) (*known, error) {
		return readCache(t.Context(), bytes.NewReader(data), int64(len(data)), s.memory.key, s.size, 2)
	}
	if _, err := read(entry); err != nil {
		t.Fatal(err)
	}
	for i, data := range damaged {
		if _, err := read(data); err == nil {
			t.Errorf("case %d of %d bytes was read", i, len(entry))
		}
		if i%29 != 0 {
			continue
		}
		if err := os.WriteFile(at, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, recalled := openFile(t, path, opts)
		if diff := differ(want, ask(t, s)); diff != "" || recalled {
			t.Errorf("case %d: recalled %v, -whole +damaged:\n%s", i, recalled, diff)
		}
		if _, now := entryIn(t, dir); !bytes.Equal(now, entry) {
			t.Errorf("case %d: the entry was not written again", i)
		}
		s.Close()
	}
}

// TestForgedCache has entries whose checksums are right, and which say what is true of no
// file: none of them is used.
func TestForgedCache(t *testing.T) {
	db := edges(t)
	s, err := OpenBytes(t.Context(), "snapshot.db", db, Options{Status: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b, i, _ := s.index.last()
	end := b.offset[i] + int64(b.size[i]) // of what is of use in the file
	tally, _ := s.pages.Bucket("key").Tally()
	var key [sha256.Size]byte
	var entry bytes.Buffer
	if err := (&known{index: s.index, sum: s.keySum, tally: tally}).write(&entry, key); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	// The records end the entry; these are the places of what there is to one of them.
	row := func(data []byte, i int) []byte { return data[len(data)-crcSize-(s.index.len-i)*wideRow:] }
	const sub, offset, size, number = 16, 20, 28, 36
	head := func(data []byte, change func(*cacheHead)) {
		var h cacheHead
		n, err := binary.Decode(data, le, &h)
		if err == nil {
			change(&h)
			_, err = binary.Encode(data[:n], le, &h)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, forge := range map[string]func(data []byte) []byte{
		"as it is":                      func(data []byte) []byte { return data },
		"a record that ends after it":   func(data []byte) []byte { row(data, 5)[size]++; return data },
		"a record that begins after it": func(data []byte) []byte { le.PutUint64(row(data, 1)[offset:], uint64(end+1)); return data },
		"a record larger than it":       func(data []byte) []byte { le.PutUint32(row(data, 0)[size:], uint32(end+1)); return data },
		"revisions out of order":        func(data []byte) []byte { le.PutUint64(row(data, 1), 4); return data },
		"a revision twice":              func(data []byte) []byte { row(data, 3)[sub] = 0; return data },
		"a block that begins below 0":   func(data []byte) []byte { data[len(data)-crcSize-s.index.len*wideRow-1] = 0xff; return data },
		"a key that is not there":       func(data []byte) []byte { row(data, 2)[number] = 4; return data },
		"keys out of order":             func(data []byte) []byte { copy(data[bytes.Index(data, []byte("/a/b/c")):], "/b/a/c"); return data },
		"a key twice":                   func(data []byte) []byte { copy(data[bytes.Index(data, []byte("/a/b/c")):], "/a/a/c"); return data },
		"a byte more of the tree": func(data []byte) []byte {
			at := 0
			head(data, func(h *cacheHead) {
				at = binary.Size(h) + crcSize + int(h.RunBytes)
				h.RunBytes++
			})
			return slices.Insert(data, at, 1)
		},
		"a byte more of the keys": func(data []byte) []byte {
			at := 0
			head(data, func(h *cacheHead) {
				at = binary.Size(h) + crcSize + int(h.RunBytes+16*h.Words) + crcSize + int(4*h.Keys) + crcSize + int(h.KeyBytes)
				h.KeyBytes++
			})
			return slices.Insert(data, at, 'a')
		},
		"items less than none": func(data []byte) []byte {
			head(data, func(h *cacheHead) { h.Items = math.MaxUint64 })
			return data
		},
		"revisions that need fewer bits": func(data []byte) []byte {
			head(data, func(h *cacheHead) { h.Wide = 0 })
			return data
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := resummed(forge(bytes.Clone(entry.Bytes())))
			k, err := readCache(t.Context(), bytes.NewReader(data), int64(len(data)), key, end, 2)
			if want := name == "as it is"; (err == nil) != want {
				t.Errorf("entry %+v, %v", k, err)
			}
		})
	}
}

// TestEntryHasNoValues looks for the values of a store in its entry.
func TestEntryHasNoValues(t *testing.T) {
	path, dir := filepath.Join(t.TempDir(), "snapshot.db"), filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(path, edges(t), 0o600); err != nil {
		t.Fatal(err)
	}
	openFile(t, path, Options{Cache: cacheOf(t, dir, path)})
	_, entry := entryIn(t, dir)
	for what, want := range map[string]bool{"/a/b/c": true, "k8s:enc": false, "aescbc": false, "long": false, "one": false} {
		if bytes.Contains(entry, []byte(what)) != want {
			t.Errorf("%q in the entry is not %v", what, want)
		}
	}
}

// TestNoCache opens what has no entry: it was not read from a plain file where it is.
func TestNoCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	path := "../../testdata/clusters/scenario-1/plain/backup.db.gz"
	db := corpus.Unpack(t, path)
	opts := Options{Cache: cacheOf(t, dir, path)}
	openFile(t, path, opts)
	opts.Stdin = bytes.NewReader(db)
	openFile(t, "-", opts)
	member := t.TempDir()
	alone := filepath.Join(member, "member", "snap", "db")
	for _, dir := range []string{filepath.Dir(alone), filepath.Join(member, "member", "wal")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(alone, db, 0o600); err != nil {
		t.Fatal(err)
	}
	openFile(t, alone, opts)
	if path, _ := entryIn(t, dir); path != "" {
		t.Errorf("an entry was written: %s", path)
	}
}
