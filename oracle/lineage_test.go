package oracle

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/server/v3/lease"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// timeline is an etcd store that is written to, saved and restored.
type timeline struct {
	*testing.T
	name  string
	store *fixture.Store
	saves int
}

func newTimeline(t *testing.T, name string) *timeline {
	return &timeline{T: t, name: name, store: fixture.OpenStore(filepath.Join(t.TempDir(), "db"))}
}

// write makes n revisions over twenty keys, with values that tell the timeline.
func (x *timeline) write(n int) *timeline {
	for i := range n {
		x.store.Put([]byte(fmt.Sprintf("/registry/configmaps/ns/c%d", i%20)), []byte(fmt.Sprintf("%s %d %d", x.name, x.store.Rev(), i)), lease.NoLease)
	}
	return x
}

func (x *timeline) compact(back int64) *timeline {
	x.Helper()
	if err := x.store.CompactTo(x.store.Rev() - back); err != nil {
		x.Fatal(err)
	}
	return x
}

func (x *timeline) save() *snapshot.Snapshot {
	x.Helper()
	x.saves++
	path := filepath.Join(x.TempDir(), fmt.Sprintf("%s-%d.db", x.name, x.saves))
	if err := x.store.Save(path, true); err != nil {
		x.Fatal(err)
	}
	return open(x.T, path)
}

// restored is a new timeline that begins with a restored snapshot.
func (x *timeline) restored(name string, from *snapshot.Snapshot, bump uint64) *timeline {
	x.Helper()
	dir := filepath.Join(x.TempDir(), "data")
	if err := fixture.Restore(from.Path(), dir, bump); err != nil {
		x.Fatal(err)
	}
	return &timeline{T: x.T, name: name, store: fixture.OpenStore(filepath.Join(dir, "member", "snap", "db"))}
}

// TestLineage relates snapshots of histories that etcd and etcdutl have made.
func TestLineage(t *testing.T) {
	type want struct {
		relation lineage.Relation
		diverged int64 // at which revision, 0 for one history
		restores string
	}
	tests := []struct {
		name string
		play func(*timeline) (backup, current *snapshot.Snapshot, w want)
	}{
		{"ancestor", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			b = x.write(50).save()
			return b, x.write(60).save(), want{relation: lineage.Ancestor}
		}},
		{"the current state compacted above the backup", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			b = x.write(50).save()
			return b, x.write(60).compact(5).save(), want{relation: lineage.Ancestor}
		}},
		{"the current state compacted below the backup", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			b = x.write(50).save()
			return b, x.write(60).compact(80).save(), want{relation: lineage.Ancestor}
		}},
		{"the backup compacted, too", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			b = x.write(50).compact(5).save()
			return b, x.write(10).compact(3).save(), want{relation: lineage.Ancestor}
		}},
		{"a restore of an older backup lies between", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			older := x.write(50).save()
			b = x.write(30).save()
			c = x.restored("second", older, 0).write(70).save()
			return b, c, want{lineage.Diverged, older.Revision() + 1, "current raft"}
		}},
		{"and is compacted", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			older := x.write(50).save()
			b = x.write(30).save()
			c = x.restored("second", older, 0).write(25).compact(0).save()
			return b, c, want{lineage.Diverged, older.Revision() + 1, "current raft"}
		}},
		{"the backup was restored plainly before", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			b = x.write(50).save()
			return b, x.restored("second", b, 0).write(70).save(), want{relation: lineage.Ancestor, restores: "current raft"}
		}},
		{"the backup was restored with a bump before", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			b = x.write(50).save()
			c = x.restored("second", b, 1000).write(70).save()
			return b, c, want{relation: lineage.Ancestor, restores: "current marker 1000"}
		}},
		{"restored twice with the same bump", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			b = x.write(50).save()
			x.restored("second", b, 1000).write(70)
			c = x.restored("third", b, 1000).write(10).save()
			return b, c, want{relation: lineage.Ancestor, restores: "current marker 1000"}
		}},
		{"a backup of a bumped history", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			second := x.restored("second", x.write(50).save(), 1000)
			b = second.write(30).save()
			return b, second.write(30).save(), want{relation: lineage.Ancestor, restores: "backup marker, current marker"}
		}},
		{"an older backup was restored with a bump", func(x *timeline) (b, c *snapshot.Snapshot, w want) {
			older := x.write(50).save()
			b = x.write(30).save()
			c = x.restored("second", older, 1000).write(25).save()
			return b, c, want{lineage.Diverged, 2, "current marker"}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, c, w := tt.play(newTimeline(t, "first"))
			l, err := lineage.Compare(t.Context(), b, c, "/registry")
			if err != nil {
				t.Fatal(err)
			}
			if l.Relation != w.relation || w.diverged > 0 && l.DivergedRevision > w.diverged+20 || w.diverged == 0 && l.DivergedRevision != 0 {
				t.Errorf("got %s at %d (%s), want %s at %d", l.Relation, l.DivergedRevision, l.Reason, w.relation, w.diverged)
			}
			if w.relation == lineage.Ancestor && l.CommonRevision != b.Revision() {
				t.Errorf("common revision %d, the backup is at %d", l.CommonRevision, b.Revision())
			}
			if got := told(l.Restores); got != w.restores {
				t.Errorf("restores %q, want %q", got, w.restores)
			}
		})
	}
}

// told is a short form of the restores that leave no doubt.
func told(restores []lineage.Restore) string {
	var list []string
	bumped := slices.ContainsFunc(restores, func(r lineage.Restore) bool { return r.Bumped() })
	for _, r := range restores {
		sign, _, _ := strings.Cut(r.Sign, " ")
		s := r.Snapshot + " " + sign
		switch {
		case r.Bumped():
			s = r.Snapshot + " marker"
		case bumped:
			continue // without a server around it the store's raft index stands still
		}
		if r.Bump > 0 {
			s += fmt.Sprint(" ", r.Bump)
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}
