package lineage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
	"revenant/internal/damage"
	"revenant/internal/golden"
)

// found is what a case asserts of a Lineage.
type found struct {
	Relation         lineage.Relation
	Certain          bool
	Common, Diverged int64
	Key              string
	Damaged          int
	Restores         string
}

func tell(l *lineage.Lineage) found {
	var restores []string
	for _, r := range l.Restores {
		s := fmt.Sprintf("%s: %s", r.Snapshot, r.Sign)
		for _, n := range []struct {
			name  string
			value int64
		}{{"at", r.Revision}, {"from", r.NotBefore}, {"bump", r.Bump}} {
			if n.value > 0 {
				s += fmt.Sprintf(" %s %d", n.name, n.value)
			}
		}
		if r.AfterBackup {
			s += " after"
		}
		if !r.Certain {
			s += " unsure"
		}
		restores = append(restores, s)
	}
	return found{l.Relation, l.Certain, l.CommonRevision, l.DivergedRevision, l.DivergedKey, l.Compared.Damaged, strings.Join(restores, "; ")}
}

func config(n int) string { return fmt.Sprintf("/registry/configmaps/ns/c%d", n) }

func TestCompare(t *testing.T) {
	const ( // of the stores below
		saved = 102
		older = 52
	)
	line := func() *store { return newStore("u").write(100) }
	restoredRaft := "current: raft index from 101 after"
	tests := []struct {
		name string
		play func() (backup, current *store)
		want found
	}{
		{"same", func() (b, c *store) { return line(), line() },
			found{Relation: lineage.Same, Certain: true, Common: saved}},
		{"ancestor", func() (b, c *store) { s := line(); return s.saved(), s.write(30) },
			found{Relation: lineage.Ancestor, Certain: true, Common: saved}},
		{"swapped", func() (b, c *store) { s := line(); c = s.saved(); return s.write(30), c },
			found{Relation: lineage.Descendant, Certain: true, Common: saved}},
		{"current compacted below the backup", func() (b, c *store) { s := line(); return s.saved(), s.write(30).compactTo(90) },
			found{Relation: lineage.Ancestor, Certain: true, Common: saved}},
		{"current compacted at the backup", func() (b, c *store) { s := line(); return s.saved(), s.write(30).compactTo(saved) },
			found{Relation: lineage.Ancestor, Certain: true, Common: saved}},
		{"current compacted above the backup, whose last write made a key", func() (b, c *store) {
			s := line().put("/registry/last")
			return s.saved(), s.write(30).compactTo(120)
		}, found{Relation: lineage.Ancestor, Common: saved + 1}},
		{"current compacted above the backup, and all rewritten", func() (b, c *store) {
			s := line()
			return s.saved(), s.putValue("/registry/namespaces/kube-system", string(s.records[0].kv.Value)).write(30).compactTo(120)
		}, found{Relation: lineage.Ancestor, Common: saved}},
		{"backup compacted above the current state, which is older", func() (b, c *store) { s := line(); c = s.saved(); return s.write(30).compactTo(120), c },
			found{Relation: lineage.Descendant, Common: saved}},
		{"one key, compacted", func() (b, c *store) { s := newStore("u").compactTo(2); return s.saved(), s },
			found{Relation: lineage.Same, Certain: true, Common: 2}},
		{"current compacted above the backup", func() (b, c *store) { s := line(); return s.saved(), s.write(30).compactTo(120) },
			found{Relation: lineage.Ancestor, Common: saved}},
		{"backup compacted", func() (b, c *store) { s := line(); return s.saved().compactTo(95), s.write(30) },
			found{Relation: lineage.Ancestor, Certain: true, Common: saved}},
		{"both compacted", func() (b, c *store) { s := line(); return s.saved().compactTo(95), s.write(30).compactTo(60) },
			found{Relation: lineage.Ancestor, Certain: true, Common: saved}},
		{"deleted and recreated since", func() (b, c *store) {
			s := line()
			return s.saved(), s.delete(config(1)).delete(config(2)).put(config(1)).write(30).compactTo(130)
		}, found{Relation: lineage.Ancestor, Common: saved}},
		{"only deletions since the compaction", func() (b, c *store) {
			s := line()
			return s.saved(), s.delete(config(1)).compactTo(saved + 1)
		}, found{Relation: lineage.Ancestor, Common: saved}},
		{"current compacted at a deletion that it dropped", func() (b, c *store) { // not every etcd keeps it
			s := line().delete(config(1))
			c = s.saved().write(30).compactTo(saved + 1)
			c.records = slices.DeleteFunc(c.records, func(r record) bool { return r.revision == c.compact })
			return s, c
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved + 1}},

		{"backup restored before", func() (b, c *store) { s := line(); return s, s.restored("second", 0).write(30) },
			found{Relation: lineage.Ancestor, Certain: true, Common: saved, Restores: restoredRaft}},
		{"backup restored before, long ago", func() (b, c *store) { s := line(); return s, s.restored("second", 0).write(5000) },
			found{Relation: lineage.Ancestor, Certain: true, Common: saved, Restores: restoredRaft}},
		{"backup restored before, raft's log since longer than before", func() (b, c *store) {
			s := line()
			c = s.restored("second", 0).write(30)
			c.index = 120
			return s, c
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved, Restores: "current: raft index from 12 after"}},
		{"restored before, known by the term only", func() (b, c *store) {
			s := line()
			c = s.restored("second", 0).write(30)
			c.index = 5000
			return s, c
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved, Restores: "current: raft term after"}},
		{"backup restored before, and nothing written since", func() (b, c *store) {
			s := line()
			c = s.restored("second", 0)
			c.term = s.term // its one entry alone shows it
			return s, c
		}, found{Relation: lineage.Same, Certain: true, Common: saved, Restores: restoredRaft}},
		{"raft's log as long as what was written", func() (b, c *store) {
			s := line()
			s.index = uint64(s.head) - 1 // not one entry that wrote nothing
			return s.saved(), s.write(30)
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved}},
		{"raft's index and term not known of the current snapshot", func() (b, c *store) {
			s := line()
			c = s.saved().write(30)
			c.index, c.term = 0, 0
			return s, c
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved}},
		{"raft's index not known of the backup", func() (b, c *store) {
			s := line()
			c = s.restored("second", 0).write(30)
			s.index, s.term = 0, 0
			return s, c
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved, Restores: "current: raft index from 101"}},
		{"raft's index not known of the backup, and fewer entries than revisions since", func() (b, c *store) {
			s := line()
			c = s.restored("second", 0).write(30)
			s.index, s.term, c.index = 0, 0, 29
			return s, c
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved, Restores: "current: raft index from 103 after"}},
		{"both after a plain restore", func() (b, c *store) {
			s := line().restored("second", 0).write(10)
			return s.saved(), s.write(30)
		}, found{Relation: lineage.Ancestor, Certain: true, Common: saved + 10, Restores: "backup: raft index from 101; current: raft index from 101"}},
		{"an older backup restored between", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().write(50), s.restored("second", 0).write(80)
		}, found{Relation: lineage.Diverged, Certain: true, Common: older, Diverged: older + 1, Key: config(2), Restores: "current: raft index from 51 after"}},
		{"and the current state is behind the backup", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().write(50), s.restored("second", 0).write(20)
		}, found{Relation: lineage.Diverged, Certain: true, Common: older, Diverged: older + 1, Key: config(2), Restores: "current: raft index from 51"}},
		{"and is compacted above the backup", func() (b, c *store) {
			s := newStore("u").write(50)
			s.put("/registry/secrets/ns/still")
			return s.saved().put("/registry/secrets/ns/still").write(49), s.restored("second", 0).write(80).compactTo(120)
		}, found{Relation: lineage.Diverged, Common: older + 1, Diverged: older + 2, Key: "/registry/secrets/ns/still", Restores: "current: raft index from 52 after"}},
		{"parted by a deletion that is compacted", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().delete(config(7)).delete(config(8)).compactTo(older + 2), s.restored("second", 0).put("/registry/x").put("/registry/y")
		}, found{Relation: lineage.Diverged, Certain: true, Common: older, Diverged: older + 2, Key: "/registry/y", Restores: "current: raft index from 51 after"}},
		{"parted below both compactions", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().write(50).compactTo(saved), s.restored("second", 0).write(50).compactTo(saved)
		}, found{Relation: lineage.Diverged, Certain: true, Common: 2, Diverged: saved - 9, Key: config(2), Restores: "current: raft index from 51 after"}},
		{"parted by one more deletion in a transaction", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().delete(config(7), config(8)).write(5), s.restored("second", 0).delete(config(7)).write(5)
		}, found{Relation: lineage.Diverged, Certain: true, Common: older + 1, Diverged: older + 1, Key: config(8), Restores: "current: raft index from 51 after"}},
		{"parted by two writes", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().write(2), s.restored("second", 0).write(2)
		}, found{Relation: lineage.Diverged, Certain: true, Common: older, Diverged: older + 1, Key: config(2), Restores: "current: raft index from 51 after"}},
		{"parted at the backup's newest revision, to which the current state is compacted", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().delete(config(8)), s.restored("second", 0).delete(config(7)).compactTo(older + 1).withoutTombstone().write(5)
		}, found{Relation: lineage.Diverged, Certain: true, Common: older, Diverged: older + 1, Key: config(8), Restores: "current: raft index from 51 after"}},
		{"parted by a deletion of what a compacted current state has written again", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().delete(config(7)), s.restored("second", 0).write(20).compactTo(older + 20)
		}, found{Relation: lineage.Diverged, Common: 2, Diverged: older + 1, Key: config(7), Restores: "current: raft index from 51 after"}},
		{"parted by a second life, of which the compacted backup has the end alone", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().delete(config(7)).put(config(7)).delete(config(7)).compactTo(older + 2), s.restored("second", 0).write(20).compactTo(older + 20)
		}, found{Relation: lineage.Diverged, Common: 2, Diverged: older + 2, Key: config(7), Restores: "current: raft index from 51 after"}},
		{"parted, then the same deletions", func() (b, c *store) {
			s := newStore("u").write(50)
			b, c = s.saved().write(1), s.restored("second", 0).write(1)
			for i := range 5 {
				b.delete(config(i))
				c.delete(config(i))
			}
			return b, c
		}, found{Relation: lineage.Diverged, Common: older, Diverged: older + 1, Key: config(2), Restores: "current: raft index from 51 after"}},
		{"parted by a write that the compacted current state has less", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().put(config(0)), s.restored("second", 0).put("/registry/x").delete("/registry/x").put(config(0)).compactTo(older + 3)
		}, found{Relation: lineage.Diverged, Common: older, Diverged: older + 1, Key: config(0), Restores: "current: raft index from 51 after"}},
		{"parted by a new life of a key, in a compacted current state", func() (b, c *store) {
			s := newStore("u").write(50)
			s.put(config(0)).put(config(0))
			return s.saved().delete(config(0)).put(config(0)), s.restored("second", 0).write(20).compactTo(older + 22)
		}, found{Relation: lineage.Diverged, Common: 2, Diverged: older + 4, Key: config(0), Restores: "current: raft index from 53 after"}},

		{"bumped", func() (b, c *store) { s := line(); return s, s.restored("second", 1000).write(30) },
			found{Relation: lineage.Ancestor, Common: saved, Restores: "current: bump marker at 1102 bump 1000 after"}},
		{"bumped twice alike", func() (b, c *store) {
			s := line()
			return s.restored("second", 1000).write(30), s.restored("third", 1000).write(40)
		}, found{Relation: lineage.Diverged, Certain: true, Common: 1102, Diverged: 1103, Key: config(2), Restores: "backup: bump marker at 1102; current: bump marker at 1102"}},
		{"a later backup bumped", func() (b, c *store) {
			s := line()
			b = s.saved()
			return b, s.write(5).restored("second", 1000).write(3)
		}, found{Relation: lineage.Ancestor, Common: saved, Restores: "current: bump marker at 1107 after"}},
		{"backup of a bumped store", func() (b, c *store) {
			s := line().restored("second", 1000).write(10)
			return s.saved(), s.write(30)
		}, found{Relation: lineage.Ancestor, Certain: true, Common: 1112, Restores: "backup: bump marker at 1102; current: bump marker at 1102"}},
		{"bumped, then restored plainly", func() (b, c *store) {
			s := line().restored("second", 1000).write(50)
			return s.saved(), s.restored("third", 0).write(10)
		}, found{Relation: lineage.Ancestor, Certain: true, Common: 1152, Restores: "backup: bump marker at 1102; current: bump marker at 1102; current: raft index from 1151 after"}},
		{"bumped, then restored plainly, known by the term", func() (b, c *store) {
			s := line().restored("second", 1000).write(10)
			s.term = 4
			c = s.restored("third", 0).write(60)
			c.index = 100
			return s, c
		}, found{Relation: lineage.Ancestor, Certain: true, Common: 1112, Restores: "backup: bump marker at 1102; current: bump marker at 1102; current: raft term from 1102 after"}},
		{"bumped, saved at once, and restored plainly", func() (b, c *store) {
			s := line().restored("second", 1000)
			s.term = 4
			return s.saved(), s.restored("third", 0).write(10)
		}, found{Relation: lineage.Ancestor, Certain: true, Common: 1102, Restores: "backup: bump marker at 1102; current: bump marker at 1102; current: raft term from 1102 after"}},
		{"an older backup bumped", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().write(50), s.restored("second", 1000).write(3)
		}, found{Relation: lineage.Diverged, Certain: true, Common: older, Diverged: older + 1, Key: config(2), Restores: "current: bump marker at 1052 after"}},
		{"an older backup bumped below the backup", func() (b, c *store) {
			s := newStore("u").write(50)
			return s.saved().write(2000), s.restored("second", 1000).write(30)
		}, found{Relation: lineage.Diverged, Certain: true, Common: older, Diverged: older + 1, Key: config(2), Restores: "current: bump marker at 1052 after"}},

		{"other uid", func() (b, c *store) { return line(), newStore("v").write(130) },
			found{Relation: lineage.Unrelated, Certain: true}},
		{"no uid, and nothing in common", func() (b, c *store) {
			b, c = line().delete("/registry/namespaces/kube-system").compactTo(saved+1), newStore("v").write(130)
			for _, r := range c.records {
				r.kv.Key = append([]byte("/other"), r.kv.Key...)
			}
			return b, c
		}, found{Relation: lineage.Unrelated}},
		{"no uid, and parted", func() (b, c *store) {
			s := (&store{name: "first", live: map[string]*mvccKeyValue{}, head: 1, index: 3, term: 2}).write(50)
			return s.saved().write(50), s.restored("second", 0).write(80)
		}, found{Relation: lineage.Diverged, Certain: true, Common: 51, Diverged: 52, Key: config(1), Restores: "current: raft index from 50 after"}},
		{"same uid, copied key by key", func() (b, c *store) {
			c = newStore("w")
			c.name = "copy"
			c.putValue("/registry/namespaces/kube-system", string(newStore("u").records[0].kv.Value))
			return line().compactTo(90), c.write(200)
		}, found{Relation: lineage.Diverged, Certain: true, Diverged: 2, Key: "/registry/namespaces/kube-system"}},
		{"same uid, copied key by key, and nothing compacted", func() (b, c *store) {
			c = newStore("w")
			c.name = "copy"
			c.putValue("/registry/namespaces/kube-system", string(newStore("u").records[0].kv.Value))
			return line(), c.write(200)
		}, found{Relation: lineage.Diverged, Certain: true, Diverged: 2, Key: "/registry/namespaces/kube-system"}},
		{"nothing to compare", func() (b, c *store) {
			s := &store{name: "first", live: map[string]*mvccKeyValue{}, head: 1, index: 3}
			s.put("/a").delete("/a").compactTo(3)
			return s.saved(), s.put("/b").compactTo(4)
		}, found{Relation: lineage.Unknown}},
	}
	g := golden.Open(t, "testdata/compared.txtar")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, c := tt.play()
			l := compare(t, b.open(t), c.open(t))
			if diff := cmp.Diff(tt.want, tell(l)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", l.Reason, diff)
			}
			g.Equal(t, tt.name, reasons(l))
			back := compare(t, c.open(t), b.open(t))
			want := found{Relation: l.Relation, Certain: l.Certain, Common: l.CommonRevision, Diverged: l.DivergedRevision, Key: l.DivergedKey}
			switch l.Relation {
			case lineage.Ancestor:
				want.Relation = lineage.Descendant
			case lineage.Descendant:
				want.Relation = lineage.Ancestor
			}
			got := tell(back)
			got.Key, got.Restores = want.Key, "" // each may have a key of its own there
			if diff := cmp.Diff(want, got) + cmp.Diff(l.Compared, back.Compared); diff != "" {
				t.Errorf("swapped: %s\n(-want +got):\n%s", back.Reason, diff)
			}
			apart := l.Relation == lineage.Diverged || l.Relation == lineage.Unrelated || l.Relation == lineage.Unknown
			if apart != (l.Predictable != "") || l.Reason == "" {
				t.Errorf("%s: reason %q, predictable %q", l.Relation, l.Reason, l.Predictable)
			}
			after := slices.ContainsFunc(l.Restores, func(r lineage.Restore) bool { return r.AfterBackup })
			if unseen := after || l.Relation == lineage.Diverged; unseen != (l.Unseen != "") {
				t.Errorf("unseen: %q", l.Unseen)
			}
		})
	}
}

// TestDamage: what is lost proves nothing, and a record that was changed does not
// part histories that go on alike.
func TestDamage(t *testing.T) {
	tests := []struct {
		name   string
		damage func(b, c *store)
		want   found
	}{
		{"records lost from the backup", func(b, c *store) {
			b.records, b.junk = slices.Delete(b.records, 20, 40), true
		}, found{Relation: lineage.Ancestor, Common: 102}},
		{"the newest record of a key lost, above a compaction", func(b, c *store) {
			b.records, b.junk = b.records[:len(b.records)-4], true
			c.compactTo(110)
		}, found{Relation: lineage.Ancestor, Common: 98}},
		{"records lost from the current snapshot", func(b, c *store) {
			c.records, c.junk = slices.Delete(c.records, 50, 90), true
		}, found{Relation: lineage.Ancestor, Common: 102}},
		{"a value changed", func(b, c *store) { changed(b, 30).Value[3] ^= 1 },
			found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"values changed apart", func(b, c *store) { changed(b, 10).Value[3] ^= 1; changed(c, 60).Value[3] ^= 1 },
			found{Relation: lineage.Ancestor, Common: 102, Damaged: 2}},
		{"a key changed", func(b, c *store) {
			changed(c, 30).Key[3] ^= 1
			c.junk = true // its history has a hole
		}, found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"a version changed", func(b, c *store) {
			changed(b, 30).Version++
			b.junk = true // its history has a hole
		}, found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"a create revision changed", func(b, c *store) {
			changed(b, 30).CreateRevision++
			b.junk = true // its history has a hole
		}, found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"a lease added", func(b, c *store) { changed(b, 30).Lease = 7 },
			found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"a deletion that the backup has as a write", func(b, c *store) {
			for _, s := range []*store{b, c} {
				s.records[30] = record{revision: s.records[30].revision, tombstone: s == c, kv: &mvccKeyValue{Key: s.records[30].kv.Key}}
			}
			b.junk, c.junk = true, true // their histories have a hole
		}, found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"a record lost of which a compaction keeps the key", func(b, c *store) {
			b.records, b.junk = slices.Delete(b.records, 1, 2), true
			c.compactTo(110)
		}, found{Relation: lineage.Ancestor, Common: 102}},
		{"a record lost below a compaction to the newest revision", func(b, c *store) {
			b.compactTo(102)
			b.records = slices.Delete(b.records, 1, 2)
		}, found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"a record lost below the compaction", func(b, c *store) {
			b.compactTo(50)
			b.records = slices.Delete(b.records, 1, 2)
		}, found{Relation: lineage.Ancestor, Common: 102, Damaged: 1}},
		{"a value changed in the last record but one", func(b, c *store) { changed(b, 99).Value[3] ^= 1 },
			found{Relation: lineage.Diverged, Common: 100, Diverged: 101, Key: config(0)}},
		{"a value changed in the last record", func(b, c *store) { changed(b, 100).Value[3] ^= 1 },
			found{Relation: lineage.Diverged, Common: 101, Diverged: 102, Key: config(1)}},
		{"histories that part in a damaged file", func(b, c *store) {
			*c = *newStore("u").put("/registry/once").write(59).restored("second", 0).write(90)
			b.records, b.junk = slices.Delete(b.records, 20, 40), true
		}, found{Relation: lineage.Diverged, Common: 62, Diverged: 63, Key: config(2), Restores: "current: raft index from 61"}},
	}
	g := golden.Open(t, "testdata/damaged.txtar")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore("u").put("/registry/once").write(99)
			b, c := s.saved(), s.saved().write(30)
			tt.damage(b, c)
			l := compare(t, b.open(t), c.open(t))
			if diff := cmp.Diff(tt.want, tell(l)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", l.Reason, diff)
			}
			g.Equal(t, tt.name, reasons(l))
		})
	}
}

// TestDamagedFiles: no damaged copy of a snapshot of one history is certain to be
// anything else.
func TestDamagedFiles(t *testing.T) {
	dir := clusters + "/scenario-1/plain/"
	data := [2][]byte{corpus.Unpack(t, dir+"backup.db.gz"), corpus.Unpack(t, dir+"current.db.gz")}
	var healthy [2]*snapshot.Snapshot
	var files [2]*damage.File
	for i := range data {
		healthy[i] = snapshottest.OpenBytes(t, "snapshot.db", data[i])
		file, err := damage.Parse(data[i])
		if err != nil {
			t.Fatal(err)
		}
		files[i] = file
	}
	told := map[lineage.Relation]int{}
	for seed := range uint64(400) {
		pair, side := healthy, seed%2
		c := files[side].Copy(seed / 2)
		s, err := snapshot.OpenBytes(t.Context(), "copy", c.Data, snapshot.Options{SkipHashCheck: true})
		if err != nil {
			continue
		}
		pair[side] = s
		l := compare(t, pair[0], pair[1])
		told[l.Relation]++
		if l.Certain && (l.Relation != lineage.Ancestor || s.Damaged()) || l.Relation == lineage.Unrelated {
			t.Errorf("seed %d, %s (%s): certain %t to be %s: %s", seed, c.Kind, c.Note, l.Certain, l.Relation, l.Reason)
		}
		if slices.ContainsFunc(l.Restores, func(r lineage.Restore) bool { return r.Certain }) {
			t.Errorf("seed %d, %s (%s): restores %+v", seed, c.Kind, c.Note, l.Restores)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if told[lineage.Ancestor] < 200 {
		t.Errorf("only %d of the copies are still known to be ancestors: %v", told[lineage.Ancestor], told)
	}
}

// TestVanished: values that can no longer be read, because a file was cut off while it
// was open, do not part the histories.
func TestVanished(t *testing.T) {
	s := newStore("u").write(99)
	for side, name := range []string{"backup", "current"} {
		var opened [2]*snapshot.Snapshot
		for i := range opened {
			path := s.file(t)
			o, err := snapshot.Open(t.Context(), path, snapshot.Options{SkipHashCheck: true})
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			if opened[i] = o; i != side {
				continue
			}
			if err := os.Truncate(path, 4096); err != nil {
				t.Skip("an open file cannot be cut off here: ", err)
			}
		}
		l := compare(t, opened[0], opened[1])
		if l.Relation != lineage.Same || l.Compared.Records != 100 || l.Compared.Values != 0 || l.Compared.Damaged != 0 {
			t.Errorf("%s cut off: %s (%s), compared %+v", name, l.Relation, l.Reason, l.Compared)
		}
		if want := "100 records are the same in both, values compared in 0"; l.Reason != want {
			t.Errorf("%s cut off: %q, want %q", name, l.Reason, want)
		}
	}
}

// changed gives the store's record with that number a copy of its own to change.
func changed(s *store, n int) *mvccKeyValue {
	s.records[n].kv = proto.Clone(s.records[n].kv).(*mvccKeyValue)
	return s.records[n].kv
}

// TestSample: where only values tell, the first that differs is found between two
// that were compared, and most are not read.
func TestSample(t *testing.T) {
	const length, fork = 21_000, 13_000
	s := newStore("u").write(length)
	b, c := s.saved(), s.saved()
	open := b.open(t)
	l := compare(t, open, c.open(t))
	if l.Relation != lineage.Same || l.Compared.Records != length+1 || l.Compared.Values > length/2 {
		t.Errorf("same: %s, compared %+v", l.Relation, l.Compared)
	}
	for i := fork; i < len(c.records); i++ {
		if i != fork+1 && i != fork+256 && i != 5*4096-1 { // by chance the same again: at once, once it was judged, and where a sample is taken
			changed(c, i).Value[0] ^= 1
		}
	}
	l = compare(t, open, c.open(t))
	if l.Relation != lineage.Diverged || l.DivergedRevision != fork+2 || l.CommonRevision != fork+1 {
		t.Errorf("got %s at %d, common %d", l.Relation, l.DivergedRevision, l.CommonRevision)
	}
}

// TestJudged: a difference is judged by what follows it at once, however much comes
// after that.
func TestJudged(t *testing.T) {
	tests := []struct {
		name string
		play func() (backup, current *store)
		want found
	}{
		{"a value changed long before the histories part", func() (b, c *store) {
			s := newStore("u").write(400)
			b, c = s.saved().write(1000), s.restored("second", 0).write(1000)
			changed(b, 10).Value[3] ^= 1
			return b, c
		}, found{Relation: lineage.Diverged, Certain: true, Common: 402, Diverged: 403, Key: config(2), Damaged: 1, Restores: "current: raft index from 401 after"}},
		{"a version changed long before the end", func() (b, c *store) {
			s := newStore("u").write(5000)
			b, c = s.saved(), s.saved()
			changed(b, 10).Version++
			b.junk = true // its history has a hole
			return b, c
		}, found{Relation: lineage.Same, Common: 5002, Damaged: 1}},
		{"a value changed before thousands of deletions", func() (b, c *store) {
			s := newStore("u")
			var keys []string
			for i := range 4095 {
				keys = append(keys, config(i))
				s.put(config(i))
			}
			s.put("/registry/once").delete(keys...)
			b, c = s.saved().write(300), s.saved().write(300)
			changed(b, 4096).Value[3] ^= 1
			return b, c
		}, found{Relation: lineage.Same, Common: 4399, Damaged: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, c := tt.play()
			l := compare(t, b.open(t), c.open(t))
			if diff := cmp.Diff(tt.want, tell(l)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", l.Reason, diff)
			}
		})
	}
}

// BenchmarkCompare compares a million revisions of a hundred thousand keys.
func BenchmarkCompare(b *testing.B) {
	const revisions, keys = 1_000_000, 100_000
	s := newStore("u")
	for range revisions {
		s.put(fmt.Sprintf("/registry/pods/namespace-%d/deployment-%05d-86c57db685-x7k2p", s.head%7, s.head%keys))
	}
	backup := s.saved()
	s.write(1000)
	for _, bb := range []struct {
		name            string
		backup, current *store
	}{
		{"shared", backup, s},
		{"compacted", backup.saved().compactTo(500_000), s.saved().compactTo(s.head - 500)},
	} {
		was, now := bb.backup.open(b), bb.current.open(b)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l, err := lineage.Compare(b.Context(), was, now, "/registry")
				if err != nil || l.Relation != lineage.Ancestor {
					b.Fatal(l, err)
				}
			}
		})
	}
}

// TestForks plays histories that fork at random and are compacted at random. None
// of one history is called diverged; the fork lies between the two revisions told;
// and no fork is missed but where a compaction has removed it, and then the
// relation is not certain.
func TestForks(t *testing.T) {
	told := map[lineage.Relation]int{}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		s := newStore("u")
		churn(s, rng, 5+rng.IntN(60))
		fork := s.head
		bump := int64(rng.IntN(2) * rng.IntN(2) * 30)
		b, c := s.saved(), s.restored("second", bump)
		b.name = "other"
		churn(b, rng, rng.IntN(3)*rng.IntN(20))
		churn(c, rng, rng.IntN(3)*rng.IntN(40))
		for bump == 0 && fork < min(b.head, c.head) && sameDeletion(b, c, fork+1) {
			fork++ // no one can tell
		}
		parted := b.head > fork && c.head > fork
		for _, s := range []*store{b, c} {
			if rng.IntN(3) > 0 {
				s.compactTo(1 + rng.Int64N(s.head))
			}
		}
		provable := max(b.compact, c.compact) <= min(b.head, c.head)
		l := compare(t, b.open(t), c.open(t))
		told[l.Relation]++
		switch {
		case l.Relation == lineage.Diverged && (l.CommonRevision > fork || l.DivergedRevision <= fork):
			t.Errorf("seed %d: forked after %d, told between %d and %d: %s", seed, fork, l.CommonRevision, l.DivergedRevision, l.Reason)
		case l.Relation == lineage.Diverged && !parted:
			t.Errorf("seed %d: one history is called diverged: %s", seed, l.Reason)
		case l.Relation != lineage.Diverged && parted && (provable || l.Certain):
			t.Errorf("seed %d: forked after %d, called %s (certain %t): %s", seed, fork, l.Relation, l.Certain, l.Reason)
		case !parted && provable && !l.Certain:
			t.Errorf("seed %d: one history, all of it there, is not certain: %s", seed, l.Reason)
		case !parted && (b.head < c.head) != (l.Relation == lineage.Ancestor):
			t.Errorf("seed %d: heads %d and %d are called %s", seed, b.head, c.head, l.Relation)
		case l.Compared.Damaged > 0:
			t.Errorf("seed %d: %d healthy records are called damaged", seed, l.Compared.Damaged)
		}
	}
	for _, r := range []lineage.Relation{lineage.Same, lineage.Ancestor, lineage.Descendant, lineage.Diverged} {
		if told[r] < 10 {
			t.Errorf("only %d of the pairs are %s", told[r], r)
		}
	}
}

// sameDeletion says whether both stores delete the same key at a revision.
func sameDeletion(b, c *store, revision int64) bool {
	at := func(s *store) record { return s.records[revision-2] } // nothing is compacted yet
	return at(b).tombstone && at(c).tombstone && string(at(b).kv.Key) == string(at(c).kv.Key)
}

func churn(s *store, rng *rand.Rand, n int) {
	for range n {
		if key := config(rng.IntN(12)); rng.IntN(5) == 0 {
			s.delete(key)
		} else {
			s.put(key)
		}
	}
}

func TestMembers(t *testing.T) {
	for _, tt := range []struct {
		name            string
		backup, current []string
		want            lineage.Match
	}{
		{"same in another order", []string{"a1", "b2"}, []string{"b2", "a1"}, lineage.Equal},
		{"another", []string{"a1"}, []string{"b2"}, lineage.Different},
		{"none recorded", nil, []string{"a1"}, lineage.NotCompared},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, c := newStore("u"), newStore("u")
			b.members, c.members = tt.backup, tt.current
			if l := compare(t, b.open(t), c.open(t)); l.Members != tt.want || l.Cluster != lineage.Equal {
				t.Errorf("members %s, cluster %s, want %s", l.Members, l.Cluster, tt.want)
			}
		})
	}
}

func TestCanceled(t *testing.T) {
	s := newStore("u").write(10)
	b, c := s.open(t), s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if l, err := lineage.Compare(ctx, b, c, "/registry"); l != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v", l, err)
	}
}

// TestJSON: an empty list is [], and no revision that is unknown is shown as 0.
func TestJSON(t *testing.T) {
	s := newStore("u").write(10)
	got, err := json.Marshal(compare(t, s.open(t), s.open(t)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"relation":"same","certain":true,"commonRevision":12,` +
		`"reason":"11 records are the same in both, values and all, the namespace kube-system has the same uid",` +
		`"compared":{"records":11,"values":11,"keys":0,"damaged":0},"cluster":"same","members":"same","restores":[]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestCommonUpTo: one history is only what is known to be one.
func TestCommonUpTo(t *testing.T) {
	for name, tt := range map[string]struct {
		of         *lineage.Lineage
		common     int64
		oneHistory bool
	}{
		"not compared": {nil, 0, true},
		"ancestor":     {&lineage.Lineage{Relation: lineage.Ancestor, Certain: true, CommonRevision: 7}, 7, true},
		"uncertain":    {&lineage.Lineage{Relation: lineage.Ancestor, CommonRevision: 7}, 0, true},
		"same":         {&lineage.Lineage{Relation: lineage.Same, Certain: true, CommonRevision: 7}, 7, true},
		"unrelated":    {&lineage.Lineage{Relation: lineage.Unrelated, Certain: true}, 0, false},
		"descendant":   {&lineage.Lineage{Relation: lineage.Descendant, Certain: true, CommonRevision: 7}, 7, false},
		"diverged":     {&lineage.Lineage{Relation: lineage.Diverged, Certain: true, CommonRevision: 7}, 0, false},
	} {
		if got := tt.of.CommonUpTo(); got != tt.common {
			t.Errorf("%s: common up to %d", name, got)
		}
		if got := tt.of.OneHistory(); got != tt.oneHistory {
			t.Errorf("%s: one history is %v", name, got)
		}
	}
}
