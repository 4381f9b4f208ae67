package snapshot

import (
	"context"
	"encoding/binary"
	"fmt"

	"revenant/decoder/boltpage"
	"revenant/internal/words"
)

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
	c := checker{
		problems: &s.problems,
		compact:  s.CompactRevision(),
		settled:  s.meta.FinishedCompact == s.CompactRevision(),
		keys:     make([]link, len(s.index.keys)),
		last:     Revision{Main: -1},
	}
	c.next = max(after(c.compact), firstRevision)
	for _, b := range s.index.blocks {
		for i := range b.n {
			c.sequence(b, i)
			if key := b.key[i]; !b.marker(i) {
				c.chain(b, i, &c.keys[key])
			}
		}
	}
	s.unsettled = c.unsettled
}

// checkCompactions holds what the file says of its compactions against itself.
func (s *Snapshot) checkCompactions() {
	switch compact, head := s.CompactRevision(), s.NewestRecord(); {
	case s.meta.FinishedCompact > s.meta.ScheduledCompact && s.meta.ScheduledCompact > 0:
		s.problems.add(Damage, "bucket meta", fmt.Sprintf("compaction of %d is finished but was scheduled at %d", s.meta.FinishedCompact, s.meta.ScheduledCompact), "")
	case compact > head && s.index.len > 0:
		s.problems.add(Note, "bucket meta", fmt.Sprintf("compact revision %d is above the newest record's %d", compact, head), "")
	}
}

// unused is what pages in no bucket hold that is newer than what is read: the newest
// main revision and the highest consistent index, and where they stand; page 0 for none.
type unused struct {
	revision        int64
	index           uint64
	page, indexPage uint64
}

// findUnused looks for a state newer than the one read. Revisions only grow
// and nothing above the compact revision is removed, so a free page that holds
// a revision newer than the newest one was written after the state that is
// read. In a snapshot that is etcd going on while the file was saved; else a
// root, a branch page or a bucket's entry leads to an older state. The file
// alone cannot tell which. The error is ctx's.
func (s *Snapshot) findUnused(ctx context.Context) (unused, error) {
	u := unused{revision: s.NewestRecord(), index: s.meta.ConsistentIndex}
	newest := Revision{Main: u.revision, Sub: lastSub}
	err := s.pages.EachUnused(ctx, func(items []boltpage.Item) error {
		for _, it := range items {
			if rev, _, ok := parseRevision(it.Key); ok && !it.Bucket && newest.less(rev) && plausible(it.Value) {
				newest = Revision{Main: rev.Main, Sub: lastSub}
				u.revision, u.page = rev.Main, it.Page
			}
			if string(it.Key) == "consistent_index" && len(it.Value) == 8 && binary.BigEndian.Uint64(it.Value) > u.index {
				u.index, u.indexPage = binary.BigEndian.Uint64(it.Value), it.Page
			}
		}
		return ctx.Err()
	})
	return u, err
}

func (s *Snapshot) noteUnused(u unused) {
	const why = "was written while the file was saved, or what is read is an older state"
	if u.page != 0 {
		s.unusedRevision = u.revision
		s.problems.add(Note, pageName(u.page), fmt.Sprintf("a page in no bucket holds revision %d, newer than the newest one read: it %s", u.revision, why), "")
	}
	if u.indexPage != 0 {
		s.problems.add(Note, pageName(u.indexPage), fmt.Sprintf("a page in no bucket holds consistent index %d, newer than the %d read: it %s", u.index, s.meta.ConsistentIndex, why), "")
	}
}

// plausible says whether a value can be a record of the key bucket.
func plausible(value []byte) bool {
	kv, err := scanKeyValue(value)
	return err == nil && !kv.unknown && (len(kv.key) > 0 || len(value) == 0)
}

// firstRevision is the main revision of the first change etcd makes in an
// empty store (server/v3 v3.7 storage/mvcc/kvstore.go NewStore: currentRev
// starts at 1).
const firstRevision = 2

// checker goes over the records in the order of revisions.
type checker struct {
	problems  *problemList
	compact   int64
	settled   bool // the compaction has finished
	unsettled bool // although it left what it should not have
	next      int64
	last      Revision
	keys      []link
}

// link is what counts of the last record seen of a key. There is one for each key.
type link struct {
	create    int64
	version   uint32 // 0 for a tombstone, and before the first record
	seen      bool   // false before the first record
	tombstone bool
}

// sequence checks that nothing is missing before the record.
func (c *checker) sequence(b *block, i int) {
	rev := b.revision(i)
	if rev.Main <= c.compact {
		return
	}
	report := func(where, cost, format string, args ...any) {
		c.problems.add(Damage, where, fmt.Sprintf(format, args...), cost)
	}
	switch {
	case rev.Main == c.last.Main && rev.Sub == c.last.Sub+1:
	case rev.Main == c.last.Main:
		report(revisionName(rev), "at least 1 revision", "no record %d.%d before it", rev.Main, c.last.Sub+1)
	case rev.Sub != 0:
		report(revisionName(rev), words.PlainOf(rev.Sub, "revision", "revisions"), "the first records of its transaction are missing")
	case rev.Main > c.next:
		report(words.Span(c.next, rev.Main-1, "revision", "revisions"), "at least "+words.PlainOf(rev.Main-c.next, "revision", "revisions"), "missing, although nothing above the compact revision is ever removed")
	}
	if b.marker(i) {
		report(revisionName(rev), "1 revision", "an empty record above the compact revision: a bump marker is always compacted to")
	}
	c.last, c.next = rev, after(rev.Main)
}

// chain checks that the record continues its key's history.
func (c *checker) chain(b *block, i int, l *link) {
	main := b.main(i)
	if l.version > 0 && b.version[i] == l.version+1 && main > c.compact && b.create(i) == l.create {
		l.version = b.version[i] // the next version of the same generation, as almost always
		return
	}
	this := link{create: b.create(i), version: b.version[i], seen: true, tombstone: b.tombstone(i)}
	if what := c.broken(l, &this, main); what != "" {
		c.problems.add(Damage, revisionName(b.revision(i)), what, "at least 1 revision")
	}
	if c.settled && main <= c.compact && (l.seen || this.tombstone && main < c.compact) {
		c.unsettled = true
		c.problems.add(Damage, revisionName(b.revision(i)), fmt.Sprintf("stands where the compaction at %d left nothing like it", c.compact), "")
	}
	*l = this
}

// broken says what does not fit between a key's record, of that main revision, and the
// one before it, "" when nothing.
func (c *checker) broken(before, this *link, main int64) string {
	none := !before.seen // there is none before, or it was compacted
	switch {
	case none && main <= c.compact:
		return ""
	case this.tombstone && (none || before.tombstone):
		return "deletes a key that did not exist"
	case this.tombstone:
		return ""
	case (none || before.tombstone) && (this.version != 1 || this.create != main):
		return fmt.Sprintf("is version %d of its key, but no version before it is there", this.version)
	case !none && !before.tombstone && (this.version != before.version+1 || this.create != before.create):
		return fmt.Sprintf("is version %d of its key, created at %d, after version %d, created at %d", this.version, this.create, before.version, before.create)
	}
	return ""
}
