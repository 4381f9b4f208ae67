package snapshot_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/delta/deltatest"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
	"revenant/internal/golden"
	"revenant/internal/hostile"
)

// gardener writes a store: a full snapshot, and deltas to each of the revisions.
type gardener struct {
	dir     string
	full    int64 // its revision
	db      []byte
	current *snapshot.Snapshot
	files   []string // deltas, in order
}

func newGardener(t *testing.T, suffix string, to ...int64) *gardener {
	t.Helper()
	backup, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	g := &gardener{dir: t.TempDir(), db: backup, current: snapshottest.OpenBytes(t, "current.db", current)}
	g.full = snapshottest.OpenBytes(t, "backup.db", backup).Revision()
	g.write(t, deltatest.Name("Full", 0, g.full, suffix), deltatest.Pack(t, backup, suffix))
	at := g.full
	for _, rev := range to {
		g.delta(t, at+1, rev, suffix, deltatest.File(deltatest.Events(t, g.current, at+1, rev)))
		at = rev
	}
	return g
}

func (g *gardener) delta(t *testing.T, from, to int64, suffix string, content []byte) {
	name := deltatest.Name("Incr", from, to, suffix)
	g.write(t, name, deltatest.Pack(t, content, suffix))
	g.files = append(g.files, filepath.Join(g.dir, name))
}

func (g *gardener) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// openPath opens what a path names.
func openPath(t *testing.T, path string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// dump is every record of a snapshot up to a revision, with its value and lease.
func dump(t *testing.T, s *snapshot.Snapshot, to int64) map[string]string {
	t.Helper()
	all := map[string]string{}
	for r := range s.Records() {
		if r.Main > to {
			continue
		}
		raw, err := s.Raw(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		all[r.Revision.String()] = string(raw)
	}
	return all
}

// TestDeltas holds what deltas make of a full snapshot against the snapshot of the
// cluster that they come from, record by record and byte by byte.
func TestDeltas(t *testing.T) {
	for _, suffix := range []string{"", ".gz", ".zlib", ".Z"} {
		t.Run("suffix"+suffix, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			g := newGardener(t, suffix, 700, 701, 1472)
			s := openPath(t, g.dir)
			if diff := cmp.Diff(dump(t, g.current, 1472), dump(t, s, 1472)); diff != "" {
				t.Error(diff)
			}
			if s.Revision() != 1472 || s.SeenRevision() != 1472 || len(s.Problems()) > 0 {
				t.Errorf("revision %d, seen %d, problems %v", s.Revision(), s.SeenRevision(), s.Problems())
			}
			missing, err := s.Missing(t.Context())
			if err != nil || len(missing) > 0 {
				t.Error(missing, err)
			}
			c, err := s.Custody(t.Context())
			if err != nil || len(c.Files) != 4 {
				t.Fatal(c, err)
			}
			for _, f := range c.Files {
				if f.SHA256 == "" {
					t.Errorf("%s has no hash", f.Path)
				}
			}
			if err := s.Verify(t.Context()); err != nil {
				t.Error(err)
			}
			for r := range s.Records() {
				if want := map[bool]snapshot.Source{false: snapshot.FromDB, true: snapshot.FromDelta}[r.Main > g.full]; s.Source(r) != want {
					t.Fatalf("revision %s is from %s", r.Revision, s.Source(r))
				}
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("%s was left behind", left[0].Name())
			}
		})
	}
}

// TestDeltaNamed names the last file that counts.
func TestDeltaNamed(t *testing.T) {
	g := newGardener(t, ".gz", 700, 900, 1472)
	s := openPath(t, g.files[1])
	if diff := cmp.Diff(dump(t, g.current, 900), dump(t, s, 1472)); diff != "" {
		t.Error(diff)
	}
	full := openPath(t, filepath.Join(g.dir, deltatest.Name("Full", 0, g.full, ".gz")))
	if full.Revision() != g.full || full.SeenRevision() != 1472 || len(full.Problems()) != 1 {
		t.Errorf("revision %d, seen %d, problems %v", full.Revision(), full.SeenRevision(), full.Problems())
	}
}

// TestDeltaStores takes the newest full snapshot, wherever the version of the store
// has it.
func TestDeltaStores(t *testing.T) {
	for _, below := range []string{"v2", "v1/Backup-1763870000", "Backup-1763870000"} {
		g := newGardener(t, ".gz", 700)
		root := t.TempDir()
		to := filepath.Join(root, filepath.FromSlash(below))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		old := filepath.Join(g.dir, deltatest.Name("Full", 0, 7, ""))
		if err := os.WriteFile(old, []byte("older, and never opened"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(g.dir, to); err != nil {
			t.Fatal(err)
		}
		s := openPath(t, root)
		if s.Revision() != 700 || len(s.Problems()) != 1 || !strings.Contains(s.Problems()[0].What, filepath.Base(old)) {
			t.Errorf("%s: revision %d, problems %v", below, s.Revision(), s.Problems())
		}
	}
}

// TestDeltasLost makes sure that what is missing is said, and that nothing comes from
// a file that nothing vouches for, or after a gap.
func TestDeltasLost(t *testing.T) {
	var all strings.Builder
	for _, test := range []struct {
		name string
		harm func(t *testing.T, g *gardener)
		want int64
		seen int64
	}{
		{"the last file is missing, and its name is gone with it", func(t *testing.T, g *gardener) { os.Remove(g.files[2]) }, 900, 900},
		{"the last file is named for more", func(t *testing.T, g *gardener) {
			os.Rename(g.files[2], filepath.Join(g.dir, deltatest.Name("Incr", 901, 1473, "")))
		}, 900, 1473},
		{"the last file is named for less", func(t *testing.T, g *gardener) {
			os.Rename(g.files[2], filepath.Join(g.dir, deltatest.Name("Incr", 901, 1471, "")))
		}, 1472, 1472},
		{"events in another order", func(t *testing.T, g *gardener) {
			events := deltatest.Events(t, g.current, 901, 1472)
			events[7], events[8] = events[8], events[7]
			os.WriteFile(g.files[2], deltatest.File(events), 0o600)
		}, 900, 1472},
		{"an event twice", func(t *testing.T, g *gardener) {
			events := deltatest.Events(t, g.current, 901, 1472)
			os.WriteFile(g.files[2], deltatest.File(slices.Insert(events, 8, events[0])), 0o600)
		}, 900, 1472},
		{"a file is missing", func(t *testing.T, g *gardener) { os.Remove(g.files[1]) }, 700, 1472},
		{"the first file is missing", func(t *testing.T, g *gardener) { os.Remove(g.files[0]) }, 454, 1472},
		{"a bit is wrong", func(t *testing.T, g *gardener) {
			data, _ := os.ReadFile(g.files[1])
			data[len(data)/2] ^= 1
			os.WriteFile(g.files[1], data, 0o600)
		}, 700, 1472},
		{"cut short", func(t *testing.T, g *gardener) { os.Truncate(g.files[2], 100) }, 900, 1472},
		{"empty", func(t *testing.T, g *gardener) { os.Truncate(g.files[2], 0) }, 900, 1472},
		{"no list", func(t *testing.T, g *gardener) { os.WriteFile(g.files[2], deltatest.Seal([]byte("{}")), 0o600) }, 900, 1472},
		{"no end", func(t *testing.T, g *gardener) {
			data := deltatest.File(deltatest.Events(t, g.current, 901, 1472))
			os.WriteFile(g.files[2], deltatest.Seal(data[:len(data)-33]), 0o600)
		}, 900, 1472},
		{"an event is missing", func(t *testing.T, g *gardener) {
			events := deltatest.Events(t, g.current, 901, 1472)
			os.WriteFile(g.files[2], deltatest.File(append(events[:7:7], events[8:]...)), 0o600)
		}, 900, 1472},
		{"events end before the name says", func(t *testing.T, g *gardener) {
			os.WriteFile(g.files[2], deltatest.File(deltatest.Events(t, g.current, 901, 1400)), 0o600)
		}, 900, 1472},
		{"another history", func(t *testing.T, g *gardener) {
			events := deltatest.Events(t, g.current, 901, 1472)
			for i := range events {
				events[i] = bytes.ReplaceAll(events[i], []byte(`"version":1,`), []byte(`"version":2,`))
			}
			os.WriteFile(g.files[2], deltatest.File(events), 0o600)
		}, 900, 1472},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGardener(t, "", 700, 900, 1472)
			test.harm(t, g)
			s := openPath(t, g.dir)
			if s.Revision() != test.want || s.SeenRevision() != test.seen {
				t.Errorf("revision %d, seen %d", s.Revision(), s.SeenRevision())
			}
			missing, err := s.Missing(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			in, err := s.Integrity(t.Context())
			if err != nil || in.Bad() != (test.want < test.seen) {
				t.Errorf("integrity %v, %v", in, err)
			}
			d := s.Deltas()
			fmt.Fprintf(&all, "%s:\n  revision %d after %d, %d seen, %d events of %v, not of %v\n", test.name, s.Revision(), d.DBRevision, d.LastSeen, d.Applied, d.Files, d.Unapplied)
			for _, p := range s.Problems() {
				fmt.Fprintf(&all, "  %s: %s\n", p.Severity, p)
			}
			for _, m := range missing {
				fmt.Fprintf(&all, "  missing %s: %s, %s\n", m.Kind, m.What, m.Bound())
			}
			if diff := cmp.Diff(dump(t, g.current, test.want), dump(t, s, 1472)); diff != "" {
				t.Error(diff)
			}
		})
	}
	golden.Equal(t, "testdata/deltas.golden", all.String())
}

// TestDeltasOfTransactions: events of one revision are records of one, in their order, and
// a value may be empty.
func TestDeltasOfTransactions(t *testing.T) {
	put := func(main, sub, create, version int64, key, value string) hostile.Item {
		return hostile.Record(main, sub, create, version, key, []byte(value))
	}
	full := []hostile.Item{put(2, 0, 2, 1, "/a", "1"), put(3, 0, 3, 1, "/b", "1")}
	all := append(slices.Clip(full), put(4, 0, 2, 2, "/a", "2"), put(4, 1, 4, 1, "/c", ""), hostile.Tombstone(4, 2, "/b"), put(5, 0, 5, 1, "/b", "3"), hostile.Tombstone(5, 1, "/c"), put(5, 2, 5, 1, "/d", "4"))
	current := snapshottest.OpenBytes(t, "current.db", hostile.Store(all))
	dir := t.TempDir()
	write(t, dir, deltatest.Name("Full", 0, 3, ""), hostile.Store(full))
	write(t, dir, deltatest.Name("Incr", 4, 4, ""), deltatest.File(deltatest.Events(t, current, 4, 4)))
	write(t, dir, deltatest.Name("Incr", 5, 5, ""), deltatest.File(deltatest.Events(t, current, 5, 5)))
	s := openPath(t, dir)
	if diff := cmp.Diff(dump(t, current, 5), dump(t, s, 5)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if d := s.Deltas(); d.Applied != 6 || len(d.Files) != 2 || s.Damaged() {
		t.Errorf("%+v, problems %v", d, s.Problems())
	}
	// The full snapshot has no trailer: events that follow it show that nothing is missing.
	lacksLog := func(s *snapshot.Snapshot) bool {
		missing, err := s.Missing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(missing, func(m snapshot.Missing) bool { return m.Kind == snapshot.MissingLog })
	}
	if lacksLog(s) {
		t.Error("something is missing, although events follow the full snapshot")
	}
	write(t, dir, deltatest.Name("Incr", 4, 4, ""), nil)
	if !lacksLog(openPath(t, dir)) {
		t.Error("nothing is missing, although no event follows the full snapshot")
	}

	one := t.TempDir()
	write(t, one, deltatest.Name("Full", 0, 3, ""), hostile.Store(full))
	next := snapshottest.OpenBytes(t, "next.db", hostile.Store(append(slices.Clip(full), put(4, 0, 2, 2, "/a", "2"))))
	write(t, one, deltatest.Name("Incr", 4, 4, ""), deltatest.File(deltatest.Events(t, next, 4, 4)))
	if lacksLog(openPath(t, one)) {
		t.Error("something is missing, although one event follows the full snapshot")
	}

	// Events need not continue what a damaged snapshot has.
	damaged := t.TempDir()
	write(t, damaged, deltatest.Name("Full", 0, 3, ""), hostile.Store([]hostile.Item{put(3, 0, 3, 2, "/b", "1")}))
	write(t, damaged, deltatest.Name("Incr", 4, 4, ""), deltatest.File(deltatest.Events(t, current, 4, 4)))
	if s := openPath(t, damaged); s.Deltas().Applied != 3 || s.Revision() != 4 {
		t.Errorf("%+v, problems %v", s.Deltas(), s.Problems())
	}
}

// TestDeltasOverlap has a full snapshot that was saved after the revision of its name,
// deltas that begin again, and one that is not needed, so that it costs nothing that it
// cannot be read.
func TestDeltasOverlap(t *testing.T) {
	g := newGardener(t, ".gz")
	g.delta(t, 400, 420, ".gz", []byte("not a list"))
	g.delta(t, 421, 454, ".gz", deltatest.File(deltatest.Events(t, g.current, 421, 454)))
	g.delta(t, 441, 700, ".gz", deltatest.File(deltatest.Events(t, g.current, 441, 700)))
	g.delta(t, 690, 800, ".gz", deltatest.File(deltatest.Events(t, g.current, 690, 800)))
	if err := os.Rename(filepath.Join(g.dir, deltatest.Name("Full", 0, g.full, ".gz")), filepath.Join(g.dir, deltatest.Name("Full", 0, 399, ".gz"))); err != nil {
		t.Fatal(err)
	}
	s := openPath(t, g.dir)
	if diff := cmp.Diff(dump(t, g.current, 800), dump(t, s, 1472)); diff != "" || len(s.Problems()) > 0 {
		t.Error(diff, s.Problems())
	}
	if got := s.Deltas(); len(got.Files) != 2 || len(got.Unapplied) > 0 {
		t.Errorf("applied %q, not applied %q", got.Files, got.Unapplied)
	}
}

// TestDeltaChanges: a delta file that changes while it is read does not pass for the one
// that was handed over.
func TestDeltaChanges(t *testing.T) {
	for _, to := range [][]int64{{700}, {700, 900}} {
		g := newGardener(t, "", to...)
		change := sync.OnceValue(func() error { return os.Truncate(g.files[0], 100) })
		s, err := snapshot.Open(t.Context(), g.dir, snapshot.Options{Progress: func(p snapshot.Progress) {
			if p.Phase == snapshot.PhaseIndex { // the evidence was hashed, and nothing of the deltas is applied
				if err := change(); err != nil {
					t.Error(err)
				}
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
			t.Errorf("%d deltas: %v", len(to), err)
		}
	}
}
