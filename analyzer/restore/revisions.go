package restore

import (
	"fmt"
	"math"
	"time"
)

// revisions says which revisions decide.
func (f *forecast) revisions() Revisions {
	was, now := f.backup.Revision, f.current.Revision
	gap := now - was
	r := Revisions{
		Backup: was, Current: now, Gap: gap, Restored: f.restored,
		MinimumSafeBump:   f.minimumBump(),
		MinimumSafeBumpIs: "lower bound",
		RecommendedBump:   add(add(max(gap, 0), max(gap, 0)/2), recommendedMargin),
		LastSeenAtMost:    f.atMost,
	}
	r.BumpVerdict, r.BumpReason = f.bumpVerdict(r.MinimumSafeBump)
	if !f.current.Time.IsZero() {
		t := f.current.Time.UTC()
		r.BlindAfter = &t
	}
	for i, v := range f.verdicts {
		if v.column == deaf && !f.Comparison.nodes[i].gone {
			r.Deaf = &Deaf{UntilRevision: f.served(), Estimate: f.deafFor()}
			break
		}
	}
	return r
}

// minimumBump is the smallest bump that puts the restored revision above the
// current snapshot's, by one for a fresh API server to refuse a watch and by two
// for one left running to lose its own.
func (f *forecast) minimumBump() int64 {
	above := int64(1)
	if f.plan.KeepAPIServers {
		above = 2
	}
	return max(0, add(f.served()-f.backup.NewestRecord, above))
}

func (f *forecast) bumpVerdict(minimum int64) (BumpVerdict, string) {
	atMost := f.atMost
	if f.plan.KeepAPIServers {
		atMost = add(atMost, 1)
	}
	switch {
	case f.plan.BumpRevision == 0:
		return NoBump, "Without a bump the restored store starts behind what its watchers have seen."
	case f.plan.BumpRevision < minimum:
		return BumpSmall, fmt.Sprintf("The restored store starts at revision %d and the current snapshot is at %d: watchers may have seen later revisions than the store starts at.", f.restored, f.current.Revision)
	case f.restored <= atMost:
		return BumpUnsure, fmt.Sprintf("The restored store starts at revision %d, %d above the current snapshot: enough only if less was written after it.", f.restored, f.restored-f.current.Revision)
	}
	return BumpEnough, fmt.Sprintf("The restored store starts at revision %d, %d above the current snapshot.", f.restored, f.restored-f.current.Revision)
}

// deafFor is the time that the restored store takes to reach the current
// revision at the rate of writes between the two snapshots.
func (f *forecast) deafFor() string {
	was, now := f.backup, f.current
	took, wrote := now.Time.Sub(was.Time), float64(now.Revision-was.Revision)
	if was.Time.IsZero() || now.Time.IsZero() || took <= 0 || wrote <= 0 {
		return ""
	}
	d := took.Seconds() * float64(f.served()-f.restored) / wrote
	if d > math.MaxInt64/float64(time.Second) {
		return ""
	}
	return time.Duration(max(d, 0) * float64(time.Second)).Round(time.Second).String()
}
