package snapshot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"revenant/decoder/container"
	"revenant/decoder/document"
	"revenant/decoder/wal"
	"revenant/internal/words"
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
	// LastSeen is the last index that the log shows to have been written, applied or
	// not; 0 for none.
	LastSeen uint64 `json:"lastSeenIndex"`
	// MayGoOn says that the log does not end as etcd leaves one, with zeros that were
	// prepared: entries may have followed.
	MayGoOn bool `json:"mayGoOn"`
	// Missing are the entries after the db that the log shows to have been there and
	// that were not applied, or not to the letter, in order. Of runs without number
	// the last ones are joined. Each is among the problems, too.
	Missing []wal.Gap `json:"missing"`

	// MembersChanged says that the log changes the members, or what they say of
	// themselves.
	MembersChanged bool `json:"membersChanged"`

	DBIndex    uint64 `json:"dbIndex"`    // the last entry that the db has applied
	DBRevision int64  `json:"dbRevision"` // of the db alone
}

// WAL says what the log added to the db; nil when there is none.
func (s *Snapshot) WAL() *WAL { return s.wal }

// maxGaps bounds the runs of missing entries that are told apart.
const maxGaps = 1000

// miss adds entries that were read and not applied.
func (w *WAL) miss(from, to uint64, why wal.Why) {
	if n := len(w.Missing); n > 0 {
		if last := &w.Missing[n-1]; n == maxGaps || last.To+1 == from && last.Why == why {
			last.To = to
			return
		}
	}
	w.Missing = append(w.Missing, wal.Gap{From: from, To: to, Why: why})
}

// missingText says which entries are missing, and what that costs.
func missingText(gaps []wal.Gap) string {
	const listed = 4
	var parts []string
	for i, gap := range gaps {
		if i == listed {
			parts = append(parts, "and "+words.PlainOf(len(gaps)-i, "more run", "more runs"))
			break
		}
		text := words.Span(gap.From, gap.To, "entry", "entries")
		if gap.To == 0 {
			text = fmt.Sprintf("what was written after entry %d", gap.From-1)
		}
		if gap.Why == wal.AfterGap {
			text += ", which cannot be applied without those before"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

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
	case s.overlay == nil || r.offset < s.pages.Size():
		return FromDB
	case s.wal == nil:
		return FromDelta
	case s.wal.TailRevision != 0 && r.Main >= s.wal.TailRevision:
		return FromTail
	}
	return FromLog
}

// overlayFactor bounds what a log may make of its entries: a put that keeps the
// value there is makes a record of any size out of a few bytes, and whoever reads
// the records reads all of it.
const (
	overlayFactor = 16
	overlayLeast  = 64 << 20
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
		log = &wal.Log{
			Faults:  []wal.Fault{{Damage: true, What: "cannot be read: " + pathless(err).Error()}},
			Missing: []wal.Gap{{From: after + 1, Why: wal.Lost}},
		}
	}
	s.watchSegments(dir, log)
	s.wal = &WAL{
		Segments: append([]string{}, log.Segments...), Missing: []wal.Gap{}, Commit: log.Commit, DBIndex: after, DBRevision: s.Revision(),
		MemberID: hexID(log.NodeID), ClusterID: hexID(log.ClusterID), LastSeen: log.Seen, MayGoOn: log.MayGoOn,
	}
	for _, f := range log.Faults {
		severity, cost := Note, ""
		if f.Damage {
			severity, cost = Damage, missingText(log.Missing)
		}
		s.problems.add(severity, "log", f.String(), cost)
	}
	if len(log.Entries) > 0 {
		s.wal.FirstIndex, s.wal.LastIndex = log.Entries[0].Index, log.Last(after)
	}
	s.checkReceived()
	if err := s.logMembers(ctx, dir); err != nil {
		return err
	}
	r := newReplay(ctx, s)
	if err := s.run(r, log, assumeCommitted); err != nil {
		return err
	}
	s.wal.Missing = append(s.wal.Missing, log.Missing...)
	s.leases = r.leases
	s.takeMembers(r)
	s.noteOthers(r, log.NodeID, log.Entries[s.wal.Applied:])
	s.noteAlarms(r.raised)
	return interruptible(ctx, func() { s.layOver(r) })
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
			s.received = f.Name()
			s.problems.add(Damage, "directory", fmt.Sprintf("%s, received from the leader, is at entry %d and the db at %d: etcd would go on with that one; name it to read it", f.Name(), index, s.meta.ConsistentIndex), "the state that etcd would start with")
		}
	}
}

// run applies the entries that count. The error is ctx's.
func (s *Snapshot) run(r *replay, log *wal.Log, assumeCommitted bool) error {
	w := s.wal
	total, done := int64(0), int64(0)
	for i := range log.Entries {
		total += int64(len(log.Entries[i].Data))
	}
	r.limit = overlayFactor*log.Bytes + overlayLeast
	r.progress = newProgress(s.tell, PhaseReplay, total)
	defer r.progress.set(total, total)
	for i := range log.Entries {
		e := &log.Entries[i]
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if e.Index > log.Commit && (i == 0 || log.Entries[i-1].Index <= log.Commit) {
			// What is agreed on has been applied: who has to agree to the rest is known.
			if !r.alone(log.NodeID) && !assumeCommitted {
				w.Uncommitted = len(log.Entries) - i
				s.problems.add(Note, "log", fmt.Sprintf("%s not applied: %s (--assume-committed applies all)", words.Span(e.Index, w.LastIndex, "entry", "entries"), r.whyUncommitted(log.NodeID)), "")
				return nil
			}
		}
		head, changes := r.head, len(r.changes)
		if err := r.apply(e); err != nil {
			s.problems.add(Damage, "log", fmt.Sprintf("%s %v", entryName(log, e), err), "what the entry changes; the revisions after it may be too low")
			w.miss(e.Index, e.Index, wal.Unread)
		}
		switch {
		case errors.Is(r.stopped, errOverLimit) || errors.Is(r.stopped, errLastRevision):
			r.head, r.changes = head, r.changes[:changes]
			s.problems.add(Damage, "log", fmt.Sprintf("%s %v", entryName(log, e), r.stopped), missingText([]wal.Gap{{From: e.Index, To: w.LastIndex}}))
			w.miss(e.Index, w.LastIndex, wal.OverLimit)
			return nil
		case r.stopped != nil:
			return r.stopped
		}
		w.Applied++
		if e.Index > log.Commit {
			w.Tail++
			if r.head > head && w.TailRevision == 0 {
				w.TailRevision = r.head
			}
		}
		s.meta.ConsistentIndex, s.meta.Term = e.Index, max(e.Term, s.meta.Term)
		done += int64(len(e.Data))
		r.progress.done.Store(done)
		r.progress.add(0)
	}
	return nil
}

// entryName says which entry it is, and where it stands.
func entryName(log *wal.Log, e *wal.Entry) string {
	if e.Segment >= len(log.Segments) {
		return fmt.Sprintf("entry %d", e.Index)
	}
	return fmt.Sprintf("%s, byte %d: entry %d", log.Segments[e.Segment], e.Offset, e.Index)
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
	return fmt.Sprintf("of the %d voting members others may not have agreed", len(r.voters))
}

// watchSegments takes the segments that were read to the evidence.
func (s *Snapshot) watchSegments(dir string, log *wal.Log) {
	for _, name := range slices.Concat(log.Segments, log.Beyond) {
		s.addEvidence(filepath.Join(dir, name))
	}
}

// addEvidence takes a file beside the db to the evidence.
func (s *Snapshot) addEvidence(path string) {
	if s.evidence.Expanded() {
		return
	}
	if info, err := os.Stat(path); err == nil {
		s.evidence.Files = append(s.evidence.Files, container.File{Path: path, SizeBytes: info.Size(), Modified: document.Time{Time: info.ModTime()}})
	}
}

// others are the paths of the evidence's files beside the db.
func (s *Snapshot) others() []string {
	if len(s.evidence.Deltas) > 0 {
		return nil // their hashes are there
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
	seg := segment{}
	x := &index{keys: slices.Concat(base.keys, r.names)}
	s.overlay = &overlay{pages: s.pages, spill: s.spill, name: func(n uint32) string { return x.keys[n] }, changes: r.changes}
	for p := range base.places() {
		b, i := base.at(p)
		e := b.entry(i)
		seg.add(&e)
		x.len++
	}
	for i := range r.changes {
		c := &r.changes[i]
		e := entry{rev: c.rev, create: c.create, version: uint32(min(c.version, math.MaxUint32)), offset: r.end + c.offset, size: c.size, key: c.key, secret: !c.tombstone}
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

// noteAuth says, once, that requests may have been refused that were applied here.
func (s *Snapshot) noteAuth() {
	if s.authNoted {
		return
	}
	s.authNoted = true
	s.problems.add(Note, "log", "etcd's own authentication was switched on: which requests it refused is not known, and all were applied", "")
}

func hexID(id uint64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatUint(id, 16)
}
