package lineage_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
	"revenant/internal/golden"
)

// changed is the store with one record changed, and nothing after it.
func (s *store) changed(at int, change func(*mvccKeyValue)) *store {
	c := s.saved()
	kv := proto.Clone(c.records[at].kv).(*mvccKeyValue)
	change(kv)
	c.records[at].kv = kv
	return c
}

// without is the store with one record lost.
func (s *store) without(at int) *store {
	c := s.saved()
	c.records = slices.Delete(c.records, at, at+1)
	return c
}

func TestAgree(t *testing.T) {
	whole := func() *store { return newStore("one").write(60) } // revisions 2 to 62, 2 is the namespace
	const key = "/registry/configmaps/ns/c7"                    // revision 28's
	copied := newStore("w")
	copied.name = "copy"
	copied.putValue("/registry/namespaces/kube-system", string(newStore("one").records[0].kv.Value))
	tests := map[string]struct {
		a, b    *store
		agree   string
		behind  int64
		to      int64
		first   *lineage.FirstDifference
		differ  int
		partial bool
	}{
		"copies":        {a: whole(), b: whole(), agree: "true", to: 62},
		"b is behind":   {a: whole().write(12), b: whole(), agree: "true", behind: 12, to: 62},
		"b is ahead":    {a: whole(), b: whole().write(12), agree: "true", behind: -12, to: 62},
		"another value": {a: whole(), b: whole().changed(26, func(kv *mvccKeyValue) { kv.Value[3] ^= 1 }), agree: "false", to: 62, first: &lineage.FirstDifference{Revision: 28, Key: key, In: lineage.InBoth}, differ: 1},
		"another lease": {a: whole(), b: whole().changed(26, func(kv *mvccKeyValue) { kv.Lease = 7 }), agree: "false", to: 62, first: &lineage.FirstDifference{Revision: 28, Key: key, In: lineage.InBoth}, differ: 1},
		"another history from a revision on": {
			a: newStore("one").write(26).put("/registry/a").write(40), b: newStore("one").write(26).put("/registry/b").write(30),
			agree: "false", behind: 10, to: 59, first: &lineage.FirstDifference{Revision: 29, Key: "/registry/a", In: lineage.InBoth}, differ: 1,
		},
		"one has a deletion more in a transaction": {
			a: whole().delete("/registry/configmaps/ns/c1", "/registry/configmaps/ns/c2"), b: whole().delete("/registry/configmaps/ns/c1"),
			agree: "false", to: 63, first: &lineage.FirstDifference{Revision: 63, Key: "/registry/configmaps/ns/c2", In: lineage.InA}, differ: 1,
		},
		"compacted at two revisions": {a: whole().compactTo(30), b: whole().compactTo(50), agree: "true", to: 62},
		"one is compacted":           {a: whole().compactTo(62), b: whole().write(1), agree: "true", behind: -1, to: 62},
		"a tombstone at the compact revision, kept and not": {
			a: whole().delete(key).compactTo(63).write(3), b: whole().delete(key).compactTo(63).write(3).withoutTombstone(), agree: "true", to: 66,
		},
		"another state below the compaction": {
			a: whole().compactTo(50), b: whole().changed(40, func(kv *mvccKeyValue) { kv.Value[0] ^= 1 }).compactTo(50),
			agree: "false", to: 62, first: &lineage.FirstDifference{Revision: 42, Key: "/registry/configmaps/ns/c1", In: lineage.InBoth}, differ: 1,
		},
		"compacted above the other's head": {
			a: whole().put("/registry/a").write(5).compactTo(66), b: whole(), agree: "true", behind: 6, to: 62, partial: true,
		},
		"compacted above the other's head, which has had another value": {
			a: whole().write(3).compactTo(65), b: whole().changed(0, func(kv *mvccKeyValue) { kv.Lease = 1 }),
			agree: "false", behind: 3, to: 62, first: &lineage.FirstDifference{Revision: 2, Key: "/registry/namespaces/kube-system", In: lineage.InBoth}, differ: 1, partial: true,
		},
		"compacted above the other's head, which has gone on": {
			a: whole().changed(60, func(kv *mvccKeyValue) { kv.Lease = 1 }), b: whole().put("/registry/configmaps/ns/c3").compactTo(63),
			agree: "false", behind: -1, to: 62, first: &lineage.FirstDifference{Revision: 62, Key: "/registry/configmaps/ns/c1", In: lineage.InBoth}, differ: 1, partial: true,
		},
		"compacted one above the other's head, which has deleted a key": {
			a: newStore("one").put("/registry/a").write(59).put("/registry/b").put("/registry/b").compactTo(64), b: newStore("one").put("/registry/a").write(59).delete("/registry/a"),
			agree: "false", behind: 1, to: 63, first: &lineage.FirstDifference{Revision: 3, Key: "/registry/a", In: lineage.InA}, differ: 1, partial: true,
		},
		"two clusters": {a: whole(), b: newStore("two").write(50), agree: "null", behind: 10, to: 52},
		"two of which nothing shows the cluster": {
			a: (&store{name: "x", live: map[string]*mvccKeyValue{}, head: 1}).write(5), b: (&store{name: "y", live: map[string]*mvccKeyValue{}, head: 1}).write(5), agree: "null", to: 6,
		},
		"one cluster by its records alone": {
			a: (&store{name: "x", live: map[string]*mvccKeyValue{}, head: 1}).write(5), b: (&store{name: "x", live: map[string]*mvccKeyValue{}, head: 1}).write(4), agree: "true", behind: 1, to: 5,
		},
		"one cluster without one record that is the same": {
			a: newStore("one").write(20), b: copied.write(19),
			agree: "false", to: 22, first: &lineage.FirstDifference{Revision: 2, Key: "/registry/namespaces/kube-system", In: lineage.InBoth}, differ: 21,
		},
		"one cluster, of which all was rewritten and compacted": {
			a: whole().putValue("/registry/namespaces/kube-system", string(newStore("one").records[0].kv.Value)).write(10).compactTo(73), b: whole(),
			agree: "null", behind: 11, to: 62, partial: true,
		},
		"a deletion that one has as a write": {
			a: whole().delete(key), b: whole().delete(key).written(61),
			agree: "false", to: 63, first: &lineage.FirstDifference{Revision: 63, Key: key, In: lineage.InBoth}, differ: 1,
		},
		"empty": {a: &store{}, b: &store{}, agree: "null"},
	}
	told := golden.Open(t, "testdata/agreed.txtar")
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		test := tests[name]
		t.Run(name, func(t *testing.T) {
			g := agree(t, test.a.open(t), test.b.open(t))
			told.Equal(t, name, agreed(g))
			if got, err := json.Marshal(g.Agree); err != nil || string(got) != test.agree {
				t.Errorf("agree is %s, want %s", got, test.agree)
			}
			if g.Behind != test.behind || g.ComparedTo != test.to || g.Differences != test.differ || g.Partial != test.partial || g.Damaged != test.b.junk {
				t.Errorf("%+v", g)
			}
			if diff := cmp.Diff(test.first, g.FirstDifference); diff != "" {
				t.Errorf("first difference (-want +got):\n%s", diff)
			}
			back := agree(t, test.b.open(t), test.a.open(t))
			back.Behind = -back.Behind
			if f := back.FirstDifference; f != nil {
				f.In = map[lineage.Side]lineage.Side{lineage.InBoth: lineage.InBoth, lineage.InA: lineage.InB, lineage.InB: lineage.InA}[f.In]
				if f.In == lineage.InBoth {
					f.Key = g.FirstDifference.Key // each has a key of its own there
				}
			}
			if diff := cmp.Diff(g, back); diff != "" {
				t.Errorf("swapped (-want +got):\n%s", diff)
			}
		})
	}
}

// written is the store with a deletion stored as if it were a write.
func (s *store) written(at int) *store {
	c := s.saved()
	c.records[at].tombstone, c.junk = false, true
	return c
}

// withoutTombstone is the store as etcd before 3.4.34 and 3.5.16 compacts it.
func (s *store) withoutTombstone() *store {
	s.records = slices.DeleteFunc(s.records, func(r record) bool { return r.tombstone && r.revision == s.compact })
	return s
}

// TestAgreeDamaged: what a damaged file lacks is a difference, and said to be
// possibly that.
func TestAgreeDamaged(t *testing.T) {
	a, b := newStore("one").write(60), newStore("one").write(60).without(26)
	b.junk = true
	g := agree(t, a.open(t), b.open(t))
	want := &lineage.FirstDifference{Revision: 28, Key: "/registry/configmaps/ns/c7", In: lineage.InA}
	if diff := cmp.Diff(want, g.FirstDifference); diff != "" || !g.Damaged || g.Agree == nil || *g.Agree {
		t.Errorf("%+v\n%s", g, diff)
	}
	if g := agree(t, b.open(t), a.open(t)); !g.Damaged {
		t.Errorf("swapped: %+v", g)
	}
}

// TestIdentical: files that hold the same bytes agree whatever of them can be read, and
// of a member's directory its log is one of them.
func TestIdentical(t *testing.T) {
	open := func(path string, hashed bool) *snapshot.Snapshot {
		s, err := snapshot.Open(t.Context(), path, snapshot.Options{SkipHashCheck: !hashed})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	s := newStore("one").write(60)
	again := s.saved()
	again.term++
	file := open(s.file(t), true)
	member := func(value string, hashed bool) *snapshot.Snapshot { // with one entry after the db
		dir := t.TempDir()
		data, err := os.ReadFile(s.file(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, "member", "snap"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "member", "snap", "db"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
		for range s.index {
			l.Request(&etcdserverpb.InternalRaftRequest{})
		}
		l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("/registry/a"), Value: []byte(value)}})
		l.Commit()
		l.Close()
		return open(dir, hashed)
	}
	one := member("1", true)
	for _, tt := range []struct {
		name      string
		a, b      *snapshot.Snapshot
		identical bool
		same      int
	}{
		{"copies", file, open(s.file(t), true), true, 61},
		{"the same records in other files", file, open(again.file(t), true), false, 61},
		{"copies that were not hashed", file, open(s.file(t), false), false, 61},
		{"copies, none of which was hashed", open(s.file(t), false), open(s.file(t), false), false, 61},
		{"copies of a directory", one, member("1", true), true, 62},
		{"directories with another log", one, member("2", true), false, 61},
		{"a directory and its db", one, file, false, 61},
		{"copies of a directory, none of which was hashed", member("1", false), member("1", false), false, 62},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, g := range []*lineage.Agreement{agree(t, tt.a, tt.b), agree(t, tt.b, tt.a)} {
				if g.Identical != tt.identical || g.Same != tt.same {
					t.Errorf("%+v", g)
				}
			}
		})
	}
}

// TestIdenticalVanished: files of the same bytes agree although one of them can no longer
// be read, and others do not.
func TestIdenticalVanished(t *testing.T) {
	s := newStore("one").write(60)
	again := s.saved()
	again.term++
	for _, tt := range []struct {
		other     *store
		identical bool
	}{{s, true}, {again, false}} {
		var opened [2]*snapshot.Snapshot
		paths := [2]string{s.file(t), tt.other.file(t)}
		for i, path := range paths {
			o, err := snapshot.Open(t.Context(), path, snapshot.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { o.Close() })
			if _, err := o.Custody(t.Context()); err != nil { // it is hashed
				t.Fatal(err)
			}
			opened[i] = o
		}
		if err := os.Truncate(paths[1], 4096); err != nil {
			t.Skip("an open file cannot be cut off here: ", err)
		}
		g, err := lineage.Agree(t.Context(), opened[0], opened[1], "/registry")
		if tt.identical != (err == nil) || tt.identical && (!g.Identical || g.Agree == nil || !*g.Agree) {
			t.Errorf("identical %t: %+v, %v", tt.identical, g, err)
		}
	}
}

func TestAgreeCancelled(t *testing.T) {
	s := newStore("one").write(60).open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lineage.Agree(ctx, s, s, "/registry"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestAgreeClusters: the two snapshots of every run are of one history.
func TestAgreeClusters(t *testing.T) {
	dirs, err := filepath.Glob(clusters + "/*/*")
	if err != nil || len(dirs) < 15 {
		t.Fatalf("found %d runs, %v", len(dirs), err)
	}
	var other *snapshot.Snapshot
	for _, dir := range dirs {
		t.Run(dir[len(clusters)+1:], func(t *testing.T) {
			b, c := snapshottest.Open(t, filepath.Join(dir, "backup.db.gz")), snapshottest.Open(t, filepath.Join(dir, "current.db.gz"))
			g := agree(t, b, c)
			if g.Agree == nil || !*g.Agree || g.ComparedTo != b.Revision() || g.Behind != b.Revision()-c.Revision() || g.Same < 100 {
				t.Errorf("%+v", g)
			}
			if g.Partial != (c.CompactRevision() > b.Revision()) {
				t.Errorf("compacted at %d, backup at %d: %+v", c.CompactRevision(), b.Revision(), g)
			}
		})
		another := snapshottest.Open(t, filepath.Join(dir, "backup.db.gz"))
		if other != nil {
			if g := agree(t, other, another); g.Agree != nil || g.Cluster != lineage.Different {
				t.Errorf("two clusters: %+v", g)
			}
		}
		other = another
	}
}

// TestAgreeVersions: members of several versions of etcd that were written the
// same agree, although 3.4 has removed a tombstone that the others keep.
func TestAgreeVersions(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/etcd/versions/*/snapshot.db.gz")
	if err != nil || len(paths) != 4 {
		t.Fatalf("found %v, %v", paths, err)
	}
	first := snapshottest.Open(t, paths[0])
	for _, path := range paths[1:] {
		if g := agree(t, first, snapshottest.Open(t, path)); g.Agree == nil || !*g.Agree || g.Behind != 0 || g.Same < 50 {
			t.Errorf("%s and %s: %+v", paths[0], path, g)
		}
	}
}

func agree(t *testing.T, a, b *snapshot.Snapshot) *lineage.Agreement {
	t.Helper()
	g, err := lineage.Agree(t.Context(), a, b, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return g
}
