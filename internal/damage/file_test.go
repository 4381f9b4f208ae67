package damage

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"revenant/internal/corpus"
)

const (
	clusters = "../../testdata/clusters/"
	cluster  = clusters + "scenario-7/plain.k8s-1.33.13/backup.db.gz"

	encryptedCluster = clusters + "scenario-3/plain/"
)

// contents counts the elements and the bytes of keys and values of a bucket and
// those in it, as bbolt sees them.
type contents struct{ keys, keyBytes, valueBytes int }

func (c *contents) add(b *bbolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		c.keys++
		c.keyBytes += len(k)
		c.valueBytes += len(v)
		return nil
	})
}

func TestParseAgreesWithBbolt(t *testing.T) {
	files, err := filepath.Glob(clusters + "*/*/*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		t.Run(name[len(clusters):], func(t *testing.T) {
			t.Parallel()
			data := corpus.Unpack(t, name)
			path := filepath.Join(t.TempDir(), "db")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()

			var want contents
			err = db.View(func(tx *bbolt.Tx) error {
				return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
					want.keys++
					want.keyBytes += len(name)
					return want.add(b)
				})
			})
			if err != nil {
				t.Fatal(err)
			}

			f, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			var got contents
			for _, leaf := range f.leaves {
				got.keys += leaf.n
			}
			for _, c := range f.class {
				switch c {
				case Key:
					got.keyBytes++
				case Value:
					got.valueBytes++
				}
			}
			if got != want {
				t.Errorf("got %+v, bbolt has %+v", got, want)
			}
		})
	}
}

func TestCopy(t *testing.T) {
	data := corpus.Unpack(t, cluster)
	healthy := bytes.Clone(data)
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	hits := make(map[string]Class)
	for seed := range uint64(10 * len(kinds)) {
		c := f.Copy(seed)
		if c.Hit == 0 || bytes.Equal(c.Data, data) {
			t.Errorf("seed %d: %s changed nothing", seed, c.Kind)
		}
		if again := f.Copy(seed); !bytes.Equal(c.Data, again.Data) || c.Note != again.Note {
			t.Errorf("seed %d: %s differs the second time", seed, c.Kind)
		}
		if c.Kind == "hostile meta" {
			for _, page := range [][]byte{c.Data, c.Data[f.pageSize:]} {
				meta := page[headerSize:]
				if f := (&File{data: meta}); f.u64(metaChecksum) != metaSum(meta) {
					t.Errorf("seed %d: %s: checksum is wrong", seed, c.Note)
				}
			}
		}
		hits[c.Kind] |= c.Hit
	}
	if !bytes.Equal(data, healthy) {
		t.Error("the healthy file was changed")
	}
	for kind, want := range map[string]Class{
		"structure flips":        Meta | Header | Element,
		"truncated":              Length,
		"appended":               Length,
		"hostile meta":           Meta,
		"hostile header":         Header,
		"hostile leaf element":   Element,
		"hostile branch element": Element,
		"child elsewhere":        Element,
		"root elsewhere":         Root,
	} {
		if hits[kind]&want == 0 {
			t.Errorf("%s: hit %b, want some of %b", kind, hits[kind], want)
		}
	}
}

// FuzzParse holds that no file makes the parser panic or hang, and that what it
// takes for healthy can be damaged.
func FuzzParse(f *testing.F) {
	data := tiny(f)
	healthy, err := Parse(data)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for seed := range uint64(len(kinds)) {
		f.Add(healthy.Copy(seed).Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if f, err := Parse(data); err == nil {
			f.Copy(uint64(len(data)))
		}
	})
}

// tiny makes a file of a few pages with a tree, an overflow page, an inline
// bucket and a freelist.
func tiny(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 512, InitialMmapSize: 1 << 15, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		for bucket, sizes := range map[string][]int{"key": {100, 100, 100, 100, 100, 700, 100}, "meta": {8}} {
			b, err := tx.CreateBucket([]byte(bucket))
			if err != nil {
				return err
			}
			for i, size := range sizes {
				if err := b.Put([]byte{byte(i)}, make([]byte, size)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := db.View(func(tx *bbolt.Tx) error { _, err := tx.WriteTo(&file); return err }); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
