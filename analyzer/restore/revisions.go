package restore

import (
	"fmt"
	"strings"
	"time"
)

// revisions says which revisions decide.
func (f *forecast) revisions() Revisions {
	was, now := f.backup.Revision, f.current.Revision
	r := Revisions{
		Backup: was, Current: now, Gap: now - was, Restored: f.restored,
		MinimumSafeBumpIs: LowerBound,
		LastSeenExpected:  f.expected,
		LastSeenAtMost:    f.atMost,
		LastSeenBasis:     f.basis,
	}
	if f.plan.LastRevision > 0 {
		r.MinimumSafeBumpIs = ExactForStated
	}
	minimum, fits := f.minimumBump()
	if fits {
		r.MinimumSafeBump, r.RecommendedBump = minimum, f.recommendedBump()
	} else {
		r.NoBumpFits = NoBumpFits(f.known())
	}
	r.BumpVerdict, r.BumpReason = f.bumpVerdict(minimum)
	if !f.current.Time.IsZero() {
		t := f.current.Time.UTC()
		r.BlindAfter = &t
	}
	r.CurrentTaken = f.current.Clock.Taken()
	if rate, ok := f.clock.Rate(); ok {
		r.Rate = &rate
	}
	for i, v := range f.verdicts {
		if v.column == deaf && !f.Comparison.nodes[i].gone {
			r.Deaf = f.deaf()
			break
		}
	}
	return r
}

// known is the newest revision that some watcher is known, or stated, to have
// seen.
func (f *forecast) known() int64 {
	if f.plan.LastRevision > 0 {
		return f.plan.LastRevision
	}
	return f.Served()
}

// servedText says that the revision known was served.
func (f *forecast) servedText() string {
	if f.plan.LastRevision > 0 {
		return fmt.Sprintf("revision %d was served", f.plan.LastRevision)
	}
	return f.ServedText(f.known())
}

// minimumBump is the bump that is needed for what is known to have been seen; fits is
// false when no bump is enough for it.
func (f *forecast) minimumBump() (bump int64, fits bool) {
	return NeededBump(f.backup.NewestRecord, f.known(), f.plan.KeepAPIServers)
}

// recommendedBump is one and a half times what was written since the backup, and
// a million; and above all that a watcher can have seen, as far as revisions go. It is
// 0 where no bump fits.
func (f *forecast) recommendedBump() int64 {
	if _, fits := f.minimumBump(); !fits {
		return 0
	}
	seen := f.known()
	if !f.plan.OutageAt.IsZero() {
		seen = max(seen, f.expected)
	}
	written := max(seen-f.backup.Revision, 0)
	return min(LargestBump(f.backup.NewestRecord),
		max(add(add(written, written/2), recommendedMargin), add(f.atMost-f.backup.NewestRecord, writtenAfter)))
}

func (f *forecast) bumpVerdict(minimum int64) (BumpVerdict, string) {
	above := int64(0)
	if f.plan.KeepAPIServers {
		above = 1
	}
	starts := fmt.Sprintf("The restored store starts at revision %d", f.restored)
	switch {
	case f.plan.BumpRevision == 0:
		return NoBump, "Without a bump the restored store starts below what its watchers have seen."
	case f.plan.BumpRevision < minimum:
		return BumpSmall, fmt.Sprintf("%s, and %s before the outage: watchers may have seen later revisions than the store starts at.", starts, f.servedText())
	case f.restored <= add(f.plausible, above):
		return BumpUnsure, fmt.Sprintf("%s, and %s before the outage: the bump is enough only if little was written after that.", starts, f.servedText())
	case len(f.open) > 0:
		return BumpUnsure, fmt.Sprintf("%s, above %s. But evidence is missing, and nothing bounds what is in it: %s.", starts, f.shown("watchers"), strings.Join(f.open, "; "))
	case f.restored <= add(f.atMost, above):
		return BumpUnsure, fmt.Sprintf("%s, above what watchers have plausibly seen (%d), but not above all that they can have seen (%d): the bump is probably enough.", starts, f.plausible, f.atMost)
	}
	return BumpEnough, fmt.Sprintf("%s, above all that watchers can have seen (%d). This rests on the following: %s.", starts, f.atMost, f.basis)
}

// deaf says how long deaf kubelets stay deaf, what happens meanwhile, and what
// ends it.
func (f *forecast) deaf() *Deaf {
	d := &Deaf{
		UntilRevision: f.known(),
		UntilExpected: f.expected,
		Meanwhile:     "Pods that are created on the node of a deaf kubelet are never started, and pods that are deleted there keep running as new phantoms. The kubelet never catches up on the events that it missed.",
		Ends:          fmt.Sprintf("Once the store has passed the newest revision that any kubelet has seen (%d or more) and written one more, a second restart of all API servers makes every kubelet relist, and stops phantoms with their own grace period. Before that, a restart of the API servers changes nothing; a restart of the kubelet, or one HTTP error (401, 403, 5xx) on its connection, makes it relist at once.", f.known()),
	}
	if f.startedServers() > 1 || f.plan.someKept() {
		d.Ends += " With several API servers this holds by connection: one that starts after the others lists at a later revision, and only kubelets that are or become connected to it relist."
	}
	low, _, _ := f.clock.Duration(f.known() - f.restored)
	if _, high, ok := f.clock.Duration(f.expected - f.restored); ok { // which are no fewer
		d.LowSeconds, d.HighSeconds = low.Seconds(), high.Seconds()
		d.Estimate = low.Round(time.Second).String()
		if to := high.Round(time.Second).String(); to != d.Estimate {
			d.Estimate += " to " + to
		}
	}
	return d
}
