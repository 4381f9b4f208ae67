package series

import (
	"bytes"
	"context"
	"iter"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
)

// relation is how the history of an older member and that of a newer one relate.
type relation struct {
	common    int64 // newest revision at which both are seen to be the same; 0 for none
	parted    int64 // one at which they differ; 0 where none is seen
	unrelated bool
	undecided bool // what was looked at does not say
}

// mostProbes is how many records of one member are looked for in the other, before the two
// are compared whole: that costs less then.
const mostProbes = 20_000

// relate looks at the newest records that two members can both have, b being the newer
// one.
func relate(ctx context.Context, a, b *snapshot.Glance) (r relation, err error) {
	differ := 0
	for record := range comparable(a, b) {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if has(a, record) {
			r.common = record.Main
			break
		}
		// Below its compact revision a may lack what it has overwritten since.
		if differ++; record.Main > a.CompactRevision {
			r.parted = record.Main
		} else if r.parted == 0 {
			r.parted = a.CompactRevision
		}
		if differ == mostProbes {
			r.undecided = true
			return r, nil
		}
	}
	switch {
	case r.common > 0 && differ == 0:
		r.parted = firstLacking(a, b, r.common)
	case r.common == 0:
		r.unrelated, r.undecided = differ > 0, differ == 0
	}
	if a.Damaged() || b.Damaged() || r.parted == 0 && r.common < a.Revision && restoredBetween(a, b, r.common) {
		r.undecided = true
	}
	return r, nil
}

// comparable are the records of b, newest first, that a has if they are of one history.
func comparable(a, b *snapshot.Glance) iter.Seq[snapshot.Stored] {
	return func(yield func(snapshot.Stored) bool) {
		for r := range b.Newest(a.Revision) {
			// Whether a compaction leaves a tombstone depends on etcd's version. What a has
			// compacted and b has not may be of an older state.
			if !r.Tombstone && (r.Main > a.CompactRevision || b.CompactRevision >= a.CompactRevision) && !yield(r) {
				return
			}
		}
	}
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
