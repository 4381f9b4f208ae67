package oracle

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/lease"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// timeline is an etcd store that is written to, compacted, saved and restored.
type timeline struct {
	*testing.T
	name  string // told by every value, so that no two timelines write the same
	store *fixture.Store
}

func newTimeline(t *testing.T, uid string) *timeline {
	x := openTimeline(t, uid, filepath.Join(t.TempDir(), "db"))
	x.put("/registry/namespaces/kube-system", fmt.Sprintf(`{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":%q}}`, uid))
	return x
}

func openTimeline(t *testing.T, name, path string) *timeline {
	x := &timeline{t, name, fixture.OpenStore(path)}
	t.Cleanup(func() {
		if err := x.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func (x *timeline) put(key, value string) { x.store.Put([]byte(key), []byte(value), lease.NoLease) }

// to writes until the store is at a revision, over twenty keys in turn, and
// deletes one now and then.
func (x *timeline) to(revision int64) *timeline {
	for x.store.Rev() < revision {
		next := x.store.Rev() + 1
		key := fmt.Sprintf("/registry/configmaps/ns/c%d", next%20)
		if next%17 == 0 {
			x.store.DeleteRange([]byte(key), nil)
		}
		if x.store.Rev() < next {
			x.put(key, fmt.Sprintf("%s %d", x.name, next))
		}
	}
	return x
}

func (x *timeline) compact(revision int64) *timeline {
	x.Helper()
	if err := x.store.CompactTo(revision); err != nil {
		x.Fatal(err)
	}
	return x
}

func (x *timeline) save() *snapshot.Snapshot {
	x.Helper()
	path := filepath.Join(x.TempDir(), x.name+".db")
	if err := x.store.Save(path, true); err != nil {
		x.Fatal(err)
	}
	return open(x.T, path)
}

// restored is the timeline that begins with a restored snapshot.
func restored(t *testing.T, name string, from *snapshot.Snapshot, bump uint64) *timeline {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := fixture.Restore(from.Path(), dir, bump); err != nil {
		t.Fatal(err)
	}
	return openTimeline(t, name, filepath.Join(dir, "member", "snap", "db"))
}

// TestLineage relates snapshots whose histories etcd's store and etcdutl have made.
func TestLineage(t *testing.T) {
	type want struct {
		Relation         lineage.Relation
		Certain          bool
		Common, Diverged int64
		Markers          string // in the current snapshot
	}
	tests := []struct {
		name string
		play func(t *testing.T, x *timeline) (backup, current *snapshot.Snapshot)
		want want
	}{
		{"same", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			return x.to(100).save(), x.save()
		}, want{Relation: lineage.Same, Certain: true, Common: 100}},
		{"ancestor", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			return x.to(100).save(), x.to(160).save()
		}, want{Relation: lineage.Ancestor, Certain: true, Common: 100}},
		{"swapped", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			c = x.to(100).save()
			return x.to(160).save(), c
		}, want{Relation: lineage.Descendant, Certain: true, Common: 100}},
		{"current compacted below the backup", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			return x.to(100).save(), x.to(160).compact(80).save()
		}, want{Relation: lineage.Ancestor, Certain: true, Common: 100}},
		{"current compacted above the backup", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			return x.to(100).save(), x.to(160).compact(155).save()
		}, want{Relation: lineage.Ancestor, Common: 100}},
		{"backup compacted", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			return x.to(100).compact(95).save(), x.to(160).save()
		}, want{Relation: lineage.Ancestor, Certain: true, Common: 100}},
		{"both compacted, at a tombstone", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			return x.to(100).compact(85).save(), x.to(160).compact(102).save()
		}, want{Relation: lineage.Ancestor, Common: 100}},
		{"other cluster", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			return x.to(100).save(), newTimeline(t, "other").to(160).save()
		}, want{Relation: lineage.Unrelated, Certain: true}},

		{"a later state of a timeline that a plain restore has ended", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			older := x.to(60).save()
			return x.to(100).save(), restored(t, "second", older, 0).to(160).save()
		}, want{Relation: lineage.Diverged, Certain: true, Common: 60, Diverged: 61}},
		{"and the current state is behind it", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			older := x.to(60).save()
			return x.to(100).save(), restored(t, "second", older, 0).to(80).save()
		}, want{Relation: lineage.Diverged, Certain: true, Common: 60, Diverged: 61}},
		{"and the current state is compacted below the backup", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			older := x.to(60).save()
			return x.to(100).save(), restored(t, "second", older, 0).to(160).compact(62).save()
		}, want{Relation: lineage.Diverged, Certain: true, Common: 60, Diverged: 61}},
		{"the backup restored plainly before", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			b = x.to(100).save()
			return b, restored(t, "second", b, 0).to(160).save()
		}, want{Relation: lineage.Ancestor, Certain: true, Common: 100}},

		{"bumped", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			b = x.to(100).save()
			return b, restored(t, "second", b, 1000).to(1160).save()
		}, want{Relation: lineage.Ancestor, Common: 100, Markers: "1100 of bump 1000 after"}},
		{"bumped twice with the same bump", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			b = x.to(100).save()
			restored(t, "second", b, 1000).to(1160)
			return b, restored(t, "third", b, 1000).to(1120).save()
		}, want{Relation: lineage.Ancestor, Common: 100, Markers: "1100 of bump 1000 after"}},
		{"bumped twice with the same bump, the backup taken between", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			older := x.to(100).save()
			b = restored(t, "second", older, 1000).to(1160).save()
			return b, restored(t, "third", older, 1000).to(1120).save()
		}, want{Relation: lineage.Diverged, Certain: true, Common: 1100, Diverged: 1101, Markers: "1100"}},
		{"backup and current after the bump", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			second := restored(t, "second", x.to(100).save(), 1000)
			return second.to(1120).save(), second.to(1160).save()
		}, want{Relation: lineage.Ancestor, Certain: true, Common: 1120, Markers: "1100"}},
		{"bumped, and bumped again later", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			b = x.to(100).save()
			later := restored(t, "second", b, 1000).to(1160).save()
			return b, restored(t, "third", later, 1000).to(2200).save()
		}, want{Relation: lineage.Ancestor, Common: 100, Markers: "2160 after"}},
		{"an older backup bumped", func(t *testing.T, x *timeline) (b, c *snapshot.Snapshot) {
			older := x.to(60).save()
			return x.to(100).save(), restored(t, "second", older, 1000).to(1065).save()
		}, want{Relation: lineage.Diverged, Certain: true, Common: 60, Diverged: 61, Markers: "1060 after"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, c := tt.play(t, newTimeline(t, "first"))
			l, err := lineage.Compare(t.Context(), b, c, "/registry")
			if err != nil {
				t.Fatal(err)
			}
			got := want{l.Relation, l.Certain, l.CommonRevision, l.DivergedRevision, markers(l)}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", l.Reason, diff)
			}
			if l.Compared.Damaged > 0 {
				t.Errorf("%d healthy records are called damaged", l.Compared.Damaged)
			}
		})
	}
}

// markers tells those of the current snapshot.
func markers(l *lineage.Lineage) string {
	var told string
	for _, r := range l.Restores {
		if r.Snapshot != "current" || !r.Bumped() {
			continue
		}
		told += fmt.Sprint(r.Revision)
		if r.Bump > 0 {
			told += fmt.Sprint(" of bump ", r.Bump)
		}
		if r.AfterBackup {
			told += " after"
		}
	}
	return told
}

// TestRestoresOfServers: what whole etcds, started on restored data directories,
// show of the restores behind them.
func TestRestoresOfServers(t *testing.T) {
	ctx := t.Context()
	write := func(s *fixture.Server, n int) {
		t.Helper()
		for i := range n {
			if _, err := s.Put(ctx, fmt.Sprintf("key %d", i%7), fmt.Sprintf("%p %d", s, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	save := func(s *fixture.Server, name string) *snapshot.Snapshot {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := s.Save(ctx, path); err != nil {
			t.Fatal(err)
		}
		return open(t, path)
	}
	start := func(from *snapshot.Snapshot, bump uint64) *fixture.Server {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "data")
		if err := fixture.Restore(from.Path(), dir, bump); err != nil {
			t.Fatal(err)
		}
		return fixture.StartServer(t, dir)
	}
	first := fixture.StartServer(t, filepath.Join(t.TempDir(), "data"))
	write(first, 100)
	backup := save(first, "backup")
	write(first, 20)
	if _, err := first.Compact(ctx, backup.Revision(), clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	later := save(first, "later")
	plain, bumped := start(backup, 0), start(backup, 1000)
	write(plain, 30)
	plainSoon := save(plain, "soon")
	write(plain, 300)
	write(bumped, 30)
	base := backup.Revision()

	tests := []struct {
		name     string
		b, c     *snapshot.Snapshot
		relation lineage.Relation
		want     []lineage.Restore
	}{
		{"none", backup, later, lineage.Ancestor, []lineage.Restore{}},
		{"plain", backup, plainSoon, lineage.Ancestor, []lineage.Restore{
			{Snapshot: "current", Sign: lineage.RaftIndex, Certain: true, AfterBackup: true}}},
		{"plain, long ago", backup, save(plain, "late"), lineage.Ancestor, []lineage.Restore{
			{Snapshot: "current", Sign: lineage.RaftIndex, Certain: true, AfterBackup: true}}},
		{"plain, of an older backup", later, plainSoon, lineage.Diverged, []lineage.Restore{
			{Snapshot: "current", Sign: lineage.RaftIndex, Certain: true, AfterBackup: true}}},
		{"bump", backup, save(bumped, "bumped"), lineage.Ancestor, []lineage.Restore{
			{Snapshot: "current", Sign: lineage.BumpMarker, Certain: true, AfterBackup: true, Revision: base + 1000, Bump: 1000}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := lineage.Compare(ctx, tt.b, tt.c, "/registry")
			if err != nil {
				t.Fatal(err)
			}
			if l.Relation != tt.relation {
				t.Errorf("%s: %s", l.Relation, l.Reason)
			}
			for i := range l.Restores {
				r := &l.Restores[i]
				if !r.Bumped() && (r.NotBefore <= 0 || r.NotBefore > base) {
					t.Errorf("restored at %d, told not before %d (%s)", base, r.NotBefore, r.Detail)
				}
				r.NotBefore, r.Detail = 0, ""
			}
			if diff := cmp.Diff(tt.want, l.Restores); diff != "" {
				t.Errorf("restores (-want +got):\n%s", diff)
			}
		})
	}
}
