package lineage

import (
	"fmt"
	"slices"

	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Sign is what an earlier restore is recognised by.
type Sign string

// The signs.
const (
	// BumpMarker is the empty record that a restore with --bump-revision leaves
	// (etcdutl/v3 v3.7 snapshot/v3_snapshot.go modifyLatestRevision).
	BumpMarker Sign = "bump marker"
	// RaftIndex: fewer entries were applied from raft's log than revisions written.
	// Every write is an entry, and only a restore begins a new log (etcdutl/v3 v3.7
	// snapshot/v3_snapshot.go saveWALAndSnap).
	RaftIndex Sign = "raft index"
	// RaftTerm: raft's term is lower than in the older snapshot, for the same reason.
	RaftTerm Sign = "raft term"
)

// Restore is an earlier restore that a snapshot shows. A restore without a bump
// whose log has grown longer than the revisions before it shows no more.
type Restore struct {
	Snapshot string `json:"snapshot"` // backup or current
	// Revision is the one at which the store started after it; when that is not
	// known it is 0, and NotBefore is a lower bound.
	Revision  int64  `json:"revision,omitempty"`
	NotBefore int64  `json:"notBefore,omitempty"`
	Sign      Sign   `json:"sign"`
	Detail    string `json:"detail"`
	Certain   bool   `json:"certain"` // false when the file is damaged
	// AfterBackup says that the restore is not in the backup's own history.
	AfterBackup bool `json:"afterBackup"`
	// Bump is by how much this very backup was bumped, or one with the same newest
	// record: inferred from the marker having nothing between it and that record,
	// 0 when it has, or when it is the backup's own. Restoring the backup with this
	// bump again starts at Revision again, which was passed since.
	Bump int64 `json:"bump,omitempty"`
}

// Bumped says whether the restore left the marker of a bump.
func (r *Restore) Bumped() bool { return r.Sign == BumpMarker }

// restores are the earlier restores that the two snapshots show. Those of two
// clusters are not compared with each other.
func restores(backup, current *snapshot.Snapshot, compare bool) []Restore {
	before, after := newLog(backup), newLog(current)
	list := append([]Restore{}, before.restores("backup")...)
	seen := after.restores("current")
	if compare {
		seen = after.since(&before, seen)
	}
	return append(list, seen...)
}

// log is how far a store has come by its revisions and by raft's log.
type log struct {
	revision int64
	index    int64 // 0 when not known
	term     uint64
	markers  []int64 // oldest first
	damaged  bool
}

func newLog(s *snapshot.Snapshot) log {
	m := s.Meta()
	return log{
		revision: s.Revision(),
		index:    int64(min(m.ConsistentIndex, 1<<62)),
		term:     m.Term,
		markers:  s.BumpMarkers(),
		damaged:  s.Damaged(),
	}
}

// bumped is the revision of the newest marker, 0 without one.
func (l *log) bumped() int64 {
	if len(l.markers) == 0 {
		return 0
	}
	return l.markers[len(l.markers)-1]
}

// restores are those that the file shows by itself.
func (l *log) restores(name string) []Restore {
	var list []Restore
	for _, at := range l.markers {
		list = append(list, Restore{Snapshot: name, Revision: at, Sign: BumpMarker, Detail: fmt.Sprintf("empty record at revision %d", at), Certain: !l.damaged})
	}
	// A new store is at revision 1, and a bump raises the revision without an entry.
	if written := l.revision - max(l.bumped(), 1); l.index > 0 && written > l.index {
		list = append(list, l.raft(name, RaftIndex, fmt.Sprintf("%s of raft's log for %s written", words.CountOf(l.index, "entry", "entries"), words.Count(written, "revision"))))
	}
	return list
}

// raft is a restore that started a new log. What was written since is at most
// one revision an entry.
func (l *log) raft(name string, sign Sign, detail string) Restore {
	return Restore{Snapshot: name, NotBefore: max(l.revision-l.index, l.bumped()), Sign: sign, Detail: detail, Certain: !l.damaged}
}

// since marks those of the current snapshot's restores that the backup does not
// have, and adds one that shows only in comparison: raft's log has not grown by
// the revisions that were written since the backup.
func (l *log) since(backup *log, list []Restore) []Restore {
	for i := range list {
		if r := &list[i]; r.Bumped() {
			_, own := slices.BinarySearch(backup.markers, r.Revision)
			r.AfterBackup = !own
		}
	}
	if backup.damaged || l.revision < backup.revision || l.bumped() > backup.revision {
		return list // its head may be lost, it is no older one, or the restore was reported already
	}
	back := func(sign Sign, detail string) []Restore {
		i := slices.IndexFunc(list, func(r Restore) bool { return !r.Bumped() })
		if i < 0 {
			i = len(list)
			list = append(list, l.raft("current", sign, detail))
		}
		list[i].AfterBackup = true
		return list
	}
	switch written := l.revision - backup.revision; {
	case l.index > 0 && l.index-backup.index < written: // what the backup does not say is at least 0
		return back(RaftIndex, fmt.Sprintf("raft's log is at entry %d, at %d in the backup, for %s written since", l.index, backup.index, words.Count(written, "revision")))
	case l.term > 0 && backup.term > l.term:
		return back(RaftTerm, fmt.Sprintf("raft's term is %d, %d in the backup", l.term, backup.term))
	}
	return list
}

// repeated finds the restore of this very backup: the marker that follows its
// newest record at once. A restore without a marker is at no revision.
func (c *comparison) repeated() {
	base := c.backup.NewestRecord()
	i := slices.IndexFunc(c.Restores, func(r Restore) bool { return r.AfterBackup })
	if c.Relation != Ancestor || i < 0 {
		return
	}
	for r := range c.current.Records() {
		switch m := &c.Restores[i]; {
		case r.Main <= base:
			continue
		case r.Main == m.Revision:
			m.Bump = r.Main - base
		}
		return
	}
}

const unseenDiverged = "An earlier restore lies between the two. Each snapshot shows its own timeline only; what one of them erased, or a third one, is in neither beyond what was saved here."

// unseen says what is in neither snapshot although both are of one history.
func (c *comparison) unseen() string {
	i := slices.IndexFunc(c.Restores, func(r Restore) bool { return r.AfterBackup })
	if i < 0 {
		return ""
	}
	return "The store was restored after the backup was saved: the current snapshot shows the timeline since then. " +
		"What the erased one had written after the restored state, and up to which revision it was served, is in neither snapshot: only one that was saved from it before that restore would show it."
}
