package series

import (
	"bytes"
	"context"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
)

// relation is how the history of an older member and that of a newer one relate.
type relation struct {
	common    int64 // newest revision at which both are seen to be the same; 0 for none
	parted    int64 // first one at which they are seen to differ; 0 where none is
	unrelated bool
	undecided bool // what was looked at does not say
}

// relate looks at the newest records that two members can both have, b being the newer
// one.
func relate(a, b *snapshot.Glance) (r relation) {
	last, ok := comparable(a, b, a.Revision)
	switch {
	case !ok:
		r.undecided = true
		return r
	case has(a, last):
		r.common = last.Main
		r.parted = firstLacking(a, b, r.common)
	default:
		r = part(a, b, last.Main)
	}
	r.undecided = a.Damaged() || b.Damaged() || r.parted == 0 && r.common < a.Revision && restoredBetween(a, b, r.common)
	return r
}

// comparable is the newest record of b, at a revision or before, that a has if they are of
// one history.
func comparable(a, b *snapshot.Glance, revision int64) (snapshot.Stored, bool) {
	for r := range b.Newest(revision) {
		// Whether a compaction leaves a tombstone depends on etcd's version. What a has
		// compacted and b has not may be of an older state.
		if !r.Tombstone && (r.Main > a.CompactRevision || b.CompactRevision >= a.CompactRevision) {
			return r, true
		}
	}
	return snapshot.Stored{}, false
}

func has(g *snapshot.Glance, r snapshot.Stored) bool {
	own, ok := g.At(r.Revision)
	return ok && own.Key == r.Key && bytes.Equal(own.Raw, r.Raw)
}

// firstLacking is the first revision after one at which a has a record that b would have
// kept, and has not; 0 for none.
func firstLacking(a, b *snapshot.Glance, after int64) int64 {
	for r := range a.Oldest(max(after, b.CompactRevision) + 1) {
		if !r.Tombstone && !has(b, r) {
			return r.Main
		}
	}
	return 0
}

// part finds where two histories part that differ at a revision: they agree in everything
// below that point, and in nothing above it.
func part(a, b *snapshot.Glance, differ int64) relation {
	r := relation{parted: differ}
	for low := int64(0); low+1 < r.parted; {
		middle := low + (r.parted-low)/2
		record, ok := comparable(a, b, middle)
		switch {
		case !ok || record.Main <= low:
			low = middle
		case has(a, record):
			r.common, low = record.Main, middle
		default:
			r.parted = record.Main
		}
	}
	r.unrelated = r.common == 0
	return r
}

// restoredBetween says whether b shows a restore since a revision: its raft log is younger
// than that of a, or what follows the revision is the marker of a bump.
func restoredBetween(a, b *snapshot.Glance, since int64) bool {
	if b.Meta.ConsistentIndex < a.Meta.ConsistentIndex || b.Meta.Term < a.Meta.Term {
		return true
	}
	for r := range b.Oldest(since + 1) {
		return r.Key == ""
	}
	return false
}

// compare relates two members by all that they hold.
func compare(ctx context.Context, a, b *snapshot.Snapshot, prefix string) (relation, error) {
	l, err := lineage.Compare(ctx, a, b, prefix)
	if err != nil {
		return relation{}, err
	}
	r := relation{common: l.CommonRevision, parted: l.DivergedRevision}
	switch l.Relation {
	case lineage.Unrelated:
		r.unrelated = true
	case lineage.Unknown:
		r.undecided = true
	}
	return r, nil
}
