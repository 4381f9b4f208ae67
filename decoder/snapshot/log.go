package snapshot

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"revenant/decoder/container"
	"revenant/decoder/document"
	"revenant/decoder/wal"
)

// WAL says what a member's write-ahead log adds to its db.
type WAL struct {
	Segments []string `json:"segments"` // that were read
	MemberID string   `json:"memberID,omitempty"`
	// ClusterID is etcd's, hexadecimal as MemberID.
	ClusterID string `json:"clusterID,omitempty"`

	FirstIndex uint64 `json:"firstIndex"` // of the first entry after the db, 0 for none
	LastIndex  uint64 `json:"lastIndex"`  // of the last one, 0 for none
	Commit     uint64 `json:"commit"`     // the last index that the log says is agreed on; it lags behind

	Applied int `json:"applied"` // entries after the db that were applied
	// Tail counts those of them after Commit: a member alone in its cluster
	// commits them when it starts.
	Tail         int   `json:"tail"`
	TailRevision int64 `json:"tailRevision,omitempty"` // the first that they make, 0 for none
	// Uncommitted counts the entries that were not applied: the other members may
	// not have agreed to them.
	Uncommitted int `json:"uncommitted"`

	DBIndex    uint64 `json:"dbIndex"`    // the last entry that the db has applied
	DBRevision int64  `json:"dbRevision"` // of the db alone
}

// WAL says what the log added to the db; nil when no log was read.
func (s *Snapshot) WAL() *WAL { return s.wal }

// Source says where a record is from.
type Source string

// The sources.
const (
	FromDB   Source = "db"
	FromLog  Source = "log"  // an entry of the log that is known to be agreed on
	FromTail Source = "tail" // one after the last known commit
)

// Source says where the record is from.
func (s *Snapshot) Source(r Record) Source {
	switch {
	case s.wal == nil || r.offset < s.pages.Size():
		return FromDB
	case s.wal.TailRevision != 0 && r.Main >= s.wal.TailRevision:
		return FromTail
	}
	return FromLog
}

// overlayFactor bounds what a log may make of its entries: a put that keeps the
// value there is, makes a record of any size out of a few bytes.
const (
	overlayFactor = 16
	overlayLeast  = 256 << 20
)

// applyLog reads the log in dir and applies what the db has not. What cannot be
// read is among the problems. The error is ctx's.
func (s *Snapshot) applyLog(ctx context.Context, dir string, assumeCommitted bool) error {
	after := s.meta.ConsistentIndex
	log, err := wal.Read(ctx, dir, after)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.problems.add(Damage, "log", "cannot be read: "+pathless(err).Error(), "what was written after revision "+strconv.FormatInt(s.Revision(), 10))
		return nil
	}
	s.watchSegments(dir, log)
	s.wal = &WAL{
		Segments: log.Segments, Commit: log.Commit, DBIndex: after, DBRevision: s.Revision(),
		MemberID: hexID(log.NodeID), ClusterID: hexID(log.ClusterID),
	}
	for _, f := range log.Faults {
		severity, cost := Note, ""
		if f.Damage {
			severity, cost = Damage, "what was written after it"
		}
		s.problems.add(severity, "log", f.String(), cost)
	}
	if len(log.Entries) > 0 {
		s.wal.FirstIndex, s.wal.LastIndex = log.Entries[0].Index, log.Last(after)
	}
	s.checkReceived()
	r := newReplay(s)
	if err := s.run(ctx, r, log, assumeCommitted); err != nil {
		return err
	}
	s.layOver(r)
	s.leases = r.leases
	return nil
}

// Leases are the leases as etcd stores them, by id, where a log was applied; nil
// where the bucket has them all.
func (s *Snapshot) Leases() map[int64][]byte { return s.leases }

// receivedDB is the name of a db that a member received from its leader and had not
// put in the place of its own yet (etcd server/v3 v3.7 etcdserver/api/snap/db.go).
var receivedDB = regexp.MustCompile(`^([0-9a-f]{16})\.snap\.db$`)

// checkReceived looks beside the db for a newer one, which etcd would start with.
func (s *Snapshot) checkReceived() {
	files, _ := os.ReadDir(filepath.Dir(s.evidence.DBPath))
	for _, f := range files {
		m := receivedDB.FindStringSubmatch(f.Name())
		if m == nil {
			continue
		}
		if index, err := strconv.ParseUint(m[1], 16, 64); err == nil && index > s.meta.ConsistentIndex {
			s.problems.add(Damage, "directory", fmt.Sprintf("%s, received from the leader, is at entry %d and the db at %d: etcd would go on with that one; name it to read it", f.Name(), index, s.meta.ConsistentIndex), "the state that etcd would start with")
		}
	}
}

// run applies the entries that count.
func (s *Snapshot) run(ctx context.Context, r *replay, log *wal.Log, assumeCommitted bool) error {
	w := s.wal
	limit := overlayFactor*log.Bytes + overlayLeast
	alone := false
	for i := range log.Entries {
		e := &log.Entries[i]
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e.Index > log.Commit && (i == 0 || log.Entries[i-1].Index <= log.Commit) {
			// What is agreed on has been applied: who has to agree to the rest is known.
			alone = r.alone(log.NodeID)
			if !alone && !assumeCommitted {
				w.Uncommitted = len(log.Entries) - i
				s.problems.add(Note, "log", fmt.Sprintf("entries %d to %d were not applied: %s (--assume-committed applies them)", e.Index, w.LastIndex, r.whyUncommitted(log.NodeID)), "")
				return nil
			}
		}
		before := r.head
		if err := r.apply(e); err != nil {
			s.problems.add(Damage, "log", fmt.Sprintf("entry %d: %v", e.Index, err), "the entry")
		}
		w.Applied++
		if e.Index > log.Commit {
			w.Tail++
			if r.head > before && w.TailRevision == 0 {
				w.TailRevision = r.head
			}
		}
		s.meta.ConsistentIndex, s.meta.Term = e.Index, max(e.Term, s.meta.Term)
		if int64(len(r.arena)) > limit {
			s.problems.add(Damage, "log", fmt.Sprintf("entry %d: what the entries make of %d bytes is more than %d bytes", e.Index, log.Bytes, limit), "the entries after it")
			return nil
		}
	}
	return nil
}

// whyUncommitted says why entries after the last known commit do not count.
func (r *replay) whyUncommitted(node uint64) string {
	_, votes := r.voters[node]
	switch {
	case len(r.voters) == 0:
		return "how many members the cluster has is not known"
	case !votes:
		return "this member has no vote"
	}
	return fmt.Sprintf("of the %d voting members others may not have agreed to them", len(r.voters))
}

// watchSegments takes the segments that were read to the evidence.
func (s *Snapshot) watchSegments(dir string, log *wal.Log) {
	if s.evidence.Expanded() {
		return
	}
	for _, name := range log.Segments {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil {
			s.evidence.Files = append(s.evidence.Files, container.File{Path: path, SizeBytes: info.Size(), Modified: document.Time{Time: info.ModTime()}})
		}
	}
}

// others are the paths of the evidence's files beside the db.
func (s *Snapshot) others() []string {
	if s.evidence.Expanded() {
		return nil
	}
	var paths []string
	for _, f := range s.evidence.Files[1:] {
		paths = append(paths, f.Path)
	}
	return paths
}

// layOver makes the index of the db with the changes of the log: without what a
// compaction in it removes, and with what it writes.
func (s *Snapshot) layOver(r *replay) {
	unfinished := s.meta.ScheduledCompact > s.meta.FinishedCompact
	if len(r.changes) == 0 && r.compact == s.CompactRevision() && !unfinished {
		return
	}
	base := s.dbIndex
	s.overlay = r.arena
	seg := segment{}
	x := &index{keys: append([]string(nil), base.keys...)}
	for p := range base.places() {
		b, i := base.at(p)
		e := b.entry(i)
		seg.add(&e)
		x.len++
	}
	numbers := map[string]uint32{}
	for i := range r.changes {
		c := &r.changes[i]
		k, ok := numbers[c.key]
		if !ok {
			if at, found := base.search(c.key); found {
				k = base.sorted[at]
			} else {
				k = uint32(len(x.keys))
				x.keys = append(x.keys, c.key)
			}
			numbers[c.key] = k
		}
		e := entry{rev: c.rev, create: c.create, version: uint32(c.version), offset: s.pages.Size() + int64(c.offset), size: uint32(c.size), key: k}
		if c.tombstone {
			e.size |= tombstoneBit
		}
		seg.add(&e)
		x.len++
	}
	x.blocks = seg.blocks
	x.orderByKey()
	if r.compact > s.CompactRevision() || unfinished {
		x.compact(r.compact, unfinished && r.compact == s.CompactRevision())
		s.meta.ScheduledCompact, s.meta.FinishedCompact = r.compact, r.compact
		s.meta.hasScheduled, s.meta.hasFinished = true, true
	}
	x.sortKeys()
	s.index = x
}

// compact removes what a compaction removes: of every key all records at or
// below the revision but the newest, and that too when it is a tombstone older
// than the revision (etcd server/v3 v3.7 storage/mvcc/key_index.go doCompact). A
// compaction that is resumed removes a tombstone at the revision, too, where it
// had got as far as to remove what stood before: an etcd that starts does not
// know of a key whose first record is a tombstone.
func (x *index) compact(rev int64, resumed bool) {
	gone := make([]bool, x.len) // by place: all blocks but the last one are full
	for k := range x.keys {
		run := x.records(uint32(k))
		for n, p := range run {
			b, i := x.at(p)
			if b.main(i) > rev {
				break
			}
			newest := n+1 == len(run)
			if !newest {
				next, j := x.at(run[n+1])
				newest = next.main(j) > rev
			}
			gone[p] = !newest || b.tombstone(i) && (b.main(i) < rev || resumed && n == 0)
		}
	}
	p := -1
	x.keep(func(*block, int) bool {
		p++
		return !gone[p]
	})
	x.orderByKey()
}

// noteAuth says that requests may have been refused that were applied here.
func (s *Snapshot) noteAuth() {
	s.problems.add(Note, "log", "etcd's own authentication was switched on: which requests it refused cannot be told, and all were applied", "")
}

func hexID(id uint64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatUint(id, 16)
}
