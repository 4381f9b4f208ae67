package snapshot_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/container"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
	"revenant/internal/corpus"
)

// TestGlance holds what a glance shows against the index of the same file: of a snapshot,
// and of one that is read whole.
func TestGlance(t *testing.T) {
	db := corpus.Unpack(t, "../../testdata/clusters/scenario-1/plain/current.db.gz")
	path := writeFile(t, db)
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	whole := s.Glance()
	defer whole.Close()
	g, err := snapshot.Look(t.Context(), path, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if g.Complete() || !whole.Complete() {
		t.Fatal("a healthy snapshot is read whole")
	}
	var want []snapshot.Record
	for r := range s.Records() {
		want = append(want, r)
	}
	middle := want[len(want)/2].Main
	for _, glance := range []*snapshot.Glance{g, whole} {
		if glance.Revision != s.Revision() || glance.CompactRevision != s.CompactRevision() || cmp.Diff(len(glance.Meta.Members), len(s.Meta().Members)) != "" {
			t.Errorf("revision %d, compacted %d, %d members", glance.Revision, glance.CompactRevision, len(glance.Meta.Members))
		}
		check := func(r snapshot.Stored, w snapshot.Record) {
			t.Helper()
			raw, err := s.Raw(w, nil)
			if err != nil || r.Key != w.Key || r.Revision != w.Revision || r.Tombstone != w.Tombstone || r.Version != w.Version || r.CreateRevision != w.CreateRevision || !bytes.Equal(raw, r.Raw) {
				t.Fatalf("%+v is not %+v (%v)", r.Record, w, err)
			}
		}
		for _, from := range []int64{0, middle, math.MaxInt64} {
			i := len(want)
			for i > 0 && want[i-1].Main > from {
				i--
			}
			for r := range glance.Newest(from) {
				i--
				check(r, want[i])
			}
			if i != 0 {
				t.Errorf("down from %d, %d records are missing", from, i)
			}
			i = slices.IndexFunc(want, func(r snapshot.Record) bool { return r.Main >= from })
			for r := range glance.Oldest(from) {
				check(r, want[i])
				i++
			}
			if i >= 0 && i != len(want) {
				t.Errorf("up from %d, %d of %d records", from, i, len(want))
			}
		}
		for _, w := range want {
			if r, ok := glance.At(w.Revision); !ok {
				t.Fatalf("revision %s is missing", w.Revision)
			} else {
				check(r, w)
			}
		}
		if r, ok := glance.At(snapshot.Revision{Main: math.MaxInt64}); ok {
			t.Errorf("there is %+v", r.Record)
		}
	}
}

// TestGlanceWhole: what a glance cannot be sure of is read whole.
func TestGlanceWhole(t *testing.T) {
	db := corpus.Unpack(t, "../../testdata/clusters/scenario-1/plain/current.db.gz")
	for name, data := range map[string][]byte{
		"cut off":                         db[:len(db)*3/4/4096*4096],
		"a compact revision that is none": withMeta(t, map[string]string{"finishedCompactRev": "x"}),
	} {
		t.Run(name, func(t *testing.T) {
			g, err := snapshot.Look(t.Context(), writeFile(t, data), snapshot.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if !g.Complete() || !g.Damaged() {
				t.Errorf("read whole: %v, damaged: %v", g.Complete(), g.Damaged())
			}
		})
	}
	if _, err := snapshot.Look(t.Context(), filepath.Join(t.TempDir(), "none"), snapshot.Options{}); err == nil {
		t.Error("no file is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := snapshot.Look(ctx, writeFile(t, db), snapshot.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := snapshot.Look(ctx, "../../testdata/clusters/scenario-1/plain/current.db.gz", snapshot.Options{}); err != context.Canceled {
		t.Errorf("interrupted while it is unpacked: %v", err)
	}
}

// TestGlanceDecrypts: a glance decrypts values, whether the evidence was read whole or not.
func TestGlanceDecrypts(t *testing.T) {
	decrypt := func(_ string, value []byte) ([]byte, error) {
		if plain, ok := bytes.CutPrefix(value, []byte("k8s:enc:")); ok {
			return plain, nil
		}
		return nil, errors.New("not encrypted")
	}
	db := snapshottest.Bytes(t, snapshottest.Put("/a", "k8s:enc:hidden"), snapshottest.Put("/b", "plain"))
	for name, path := range map[string]string{"file": writeFile(t, db), "member": member(t, db, func(*waltest.Log) {})} {
		t.Run(name, func(t *testing.T) {
			g, err := snapshot.Look(t.Context(), path, snapshot.Options{Decrypt: decrypt})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if g.Complete() != (name == "member") || g.Damaged() {
				t.Errorf("read whole: %v, damaged: %v", g.Complete(), g.Damaged())
			}
			var got []string
			for r := range g.Oldest(0) {
				got = append(got, string(g.Value(r)))
			}
			if diff := cmp.Diff([]string{"hidden", "plain"}, got); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFilesUnchanged: files are what they were by their size, their time and their identity.
func TestFilesUnchanged(t *testing.T) {
	at := time.Unix(1763870000, 0)
	write := func(t *testing.T, path, content string) {
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, path string)
		want   string // "gone" that it is not there
	}{
		{"as it was", func(*testing.T, string) {}, ""},
		{"longer", func(t *testing.T, path string) { write(t, path, "content, and more") }, "it has changed since it was read first"},
		{"written again", func(t *testing.T, path string) { write(t, path, "CONTENT"); os.Chtimes(path, at, at.Add(time.Second)) }, "it has changed since it was read first"},
		{"another file in its place", func(t *testing.T, path string) {
			write(t, path+".new", "CONTENT")
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}, "it has changed since it was read first"},
		{"gone", func(t *testing.T, path string) { os.Remove(path) }, "gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot.db")
			write(t, path, "content")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(t, path)
			files := []container.File{{Path: "nobody watches it"}, {Path: path, Info: info}}
			err = snapshot.FilesUnchanged(files)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) && (tt.want != "gone" || !errors.Is(err, fs.ErrNotExist)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestGlanceCloses: closing a glance closes the snapshot that it was made of.
func TestGlanceCloses(t *testing.T) {
	s, err := snapshot.OpenBytes(t.Context(), "snapshot.db", undamaged().bytes(), snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Get("/a", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Glance().Close(); err != nil {
		t.Fatal(err)
	}
	if value, err := s.Value(r); err == nil {
		t.Errorf("after it was closed its value is %q", value)
	}
}

// TestHasTrailer: what is unpacked is taken to have a trailer.
func TestHasTrailer(t *testing.T) {
	m := undamaged()
	m.trail = false
	path := filepath.Join(t.TempDir(), "snapshot.db.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	_, err = z.Write(m.bytes())
	if err := errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if s := open(t, path); !s.HasTrailer() {
		t.Error("it has none")
	}
}
