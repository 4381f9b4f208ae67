package oracle

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/internal/golden"
	"revenant/oracle/fixture"
)

// TestGoldenFiles makes the snapshots whose contents the golden tests of
// decoder/snapshot tell, and wants those in testdata/mvcc to be the same, byte
// for byte. They are what etcd 3.7's own store wrote.
func TestGoldenFiles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(t *testing.T, m *fixture.Model, s *fixture.Store)
	}{
		{"history", func(t *testing.T, m *fixture.Model, s *fixture.Store) { life(m, s) }},
		{"compacted", func(t *testing.T, m *fixture.Model, s *fixture.Store) {
			life(m, s)
			if err := s.CompactTo(7); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := fixture.OpenStore(filepath.Join(t.TempDir(), "store.db"))
			defer store.Close()
			var m fixture.Model
			tt.write(t, &m, store)
			path := filepath.Join(t.TempDir(), "snapshot.db")
			if err := store.Save(path, true); err != nil {
				t.Fatal(err)
			}
			holdPacked(t, tt.name, path)
		})
	}
	t.Run("bumped", func(t *testing.T) {
		store := fixture.OpenStore(filepath.Join(t.TempDir(), "store.db"))
		defer store.Close()
		var m fixture.Model
		life(&m, store)
		saved, dir := filepath.Join(t.TempDir(), "saved.db"), filepath.Join(t.TempDir(), "restored")
		if err := store.Save(saved, true); err != nil {
			t.Fatal(err)
		}
		if err := fixture.Restore(saved, dir, 1000); err != nil {
			t.Fatal(err)
		}
		holdPacked(t, "bumped", filepath.Join(dir, "member", "snap", "db"))
	})
}

// life writes what decoder/snapshot's golden tests expect: revision by revision.
func life(m *fixture.Model, s *fixture.Store) {
	m.Apply(s, fixture.Op{Key: "/registry/a", Value: "a1"})                                                    // 2
	m.Apply(s, fixture.Op{Key: "/registry/a", Value: "a2"})                                                    // 3
	m.Apply(s, fixture.Op{Key: "/registry/gone", Value: "g1"})                                                 // 4
	m.Apply(s, fixture.Op{Key: "/registry/gone", Delete: true})                                                // 5
	m.Apply(s, fixture.Op{Key: "/registry/b", Value: "b1"}, fixture.Op{Key: "/registry/again", Value: "old1"}) // 6.0, 6.1
	m.Apply(s, fixture.Op{Key: "/registry/again", Value: "old2"})                                              // 7
	m.Apply(s, fixture.Op{Key: "/registry/again", Delete: true})                                               // 8
	m.Apply(s, fixture.Op{Key: "/registry/again", Value: "new1"})                                              // 9
	m.Apply(s, fixture.Op{Key: "/registry/a", Value: "a3"})                                                    // 10
}

// holdPacked compares the file at path with the packed one of that name.
func holdPacked(t *testing.T, name, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join("..", "testdata", "mvcc", name+".db.gz")
	if golden.Updating() {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if _, err := z.Write(got); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(packed, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(records(t, path), records(t, inflated(t, packed))); diff != "" {
		t.Errorf("%s is not what etcd writes; -update rewrites it (-etcd +file):\n%s", packed, diff)
	}
}

func inflated(t *testing.T, packed string) string {
	path := filepath.Join(t.TempDir(), "golden.db")
	inflate(t, packed, path)
	return path
}

// records lists all that is in a snapshot.
func records(t *testing.T, path string) []string {
	t.Helper()
	s := open(t, path)
	list := []string{fmt.Sprintf("revision %d, compact revision %d", s.Revision(), s.CompactRevision())}
	for r := range s.Records() {
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s %q tombstone %t create %d version %d value %q", r.Revision, r.Key, r.Tombstone, r.CreateRevision, r.Version, value))
	}
	return list
}
