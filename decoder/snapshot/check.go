package snapshot

import "fmt"

// checkHistory holds the records against the rules that etcd's own writing
// obeys, so that a lost record shows even where every page looks healthy:
//
//   - above the compact revision nothing is ever removed, so main revisions
//     follow one another, and so do the subs in each;
//   - the puts of one generation count their version up and share their create
//     revision, a new generation starts at version 1 with its own revision;
//   - a finished compaction leaves at most one record of a key at or below its
//     revision, and a tombstone only exactly there.
func (s *Snapshot) checkHistory() {
	s.checkSequence()
	for k := range s.index.keys {
		s.checkKey(k)
	}
	if head := s.NewestRecord(); s.meta.hasFinished && s.meta.FinishedCompact > s.meta.ScheduledCompact && s.meta.hasScheduled {
		s.problems.add(Damage, "bucket meta", fmt.Sprintf("compaction of %d is finished but was scheduled at %d", s.meta.FinishedCompact, s.meta.ScheduledCompact), "")
	} else if compact := s.CompactRevision(); compact > head && s.index.len() > 0 {
		s.problems.add(Note, "bucket meta", fmt.Sprintf("compact revision %d is above the newest record's %d", compact, head), "")
	}
}

// firstRevision is the main revision of the first change etcd makes in an
// empty store (storage/mvcc/kvstore.go NewStore: currentRev starts at 1).
const firstRevision = 2

func (s *Snapshot) checkSequence() {
	x, compact := s.index, s.CompactRevision()
	next := max(compact+1, firstRevision)
	prev := Revision{Main: -1}
	for i := range x.len() {
		rev := x.revision(uint32(i))
		if rev.Main <= compact {
			continue
		}
		switch {
		case rev.Main == prev.Main && rev.Sub == prev.Sub+1:
		case rev.Main == prev.Main:
			s.problems.add(Damage, revisionName(rev), fmt.Sprintf("no record %d.%d before it", rev.Main, prev.Sub+1), "at least 1 revision")
		case rev.Sub != 0:
			s.problems.add(Damage, revisionName(rev), "the first records of its transaction are missing", fmt.Sprintf("%d revisions", rev.Sub))
		case rev.Main > next:
			s.problems.add(Damage, fmt.Sprintf("revisions %d to %d", next, rev.Main-1), "missing, although nothing above the compact revision is ever removed", fmt.Sprintf("at least %d revisions", rev.Main-next))
		}
		if x.marker(uint32(i)) {
			s.problems.add(Damage, revisionName(rev), "an empty record above the compact revision: a bump marker is always compacted to", "1 revision")
		}
		prev, next = rev, rev.Main+1
	}
}

func (s *Snapshot) checkKey(k int) {
	x, compact := s.index, s.CompactRevision()
	if x.keys[k] == "" {
		return // bump markers
	}
	settled := s.meta.FinishedCompact == compact
	run := x.records(k)
	for n, i := range run {
		rev, tombstone := x.revision(i), x.tombstone(i)
		if settled && rev.Main <= compact && (n+1 < len(run) && x.main[run[n+1]] <= compact || tombstone && rev.Main < compact) {
			s.problems.add(Damage, revisionName(rev), fmt.Sprintf("should have been removed by the compaction at %d", compact), "")
		}
		if what := x.brokenLink(run, n, compact); what != "" {
			s.problems.add(Damage, revisionName(rev), what, "at least 1 revision")
		}
	}
}

// brokenLink says what is wrong between the n-th record of a key and the one
// before it, "" when they fit.
func (x *index) brokenLink(run []uint32, n int, compact int64) string {
	i := run[n]
	first := n == 0 || x.tombstone(run[n-1])
	switch {
	case x.tombstone(i) && first && x.main[i] > compact:
		return "deletes a key that did not exist"
	case x.tombstone(i):
		return ""
	case first && n == 0 && x.main[i] <= compact:
		return "" // what came before may have been compacted
	case first && (x.version[i] != 1 || x.create[i] != x.main[i]):
		return fmt.Sprintf("is version %d of its key, but no version before it is there", x.version[i])
	case !first && (x.version[i] != x.version[run[n-1]]+1 || x.create[i] != x.create[run[n-1]]):
		return fmt.Sprintf("is version %d of its key, created at %d, after version %d, created at %d", x.version[i], x.create[i], x.version[run[n-1]], x.create[run[n-1]])
	}
	return ""
}
