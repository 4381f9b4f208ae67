package restore

import (
	"fmt"
	"math"
	"strings"
	"time"

	"revenant/analyzer/clock"
	"revenant/decoder/metrics"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// What may have been written after the current snapshot, when no revision is
// stated. A rollout or a reconciling controller writes tens of revisions a second
// in a cluster that was idle before, so measured rates alone bound nothing.
const (
	writtenAfter = 100 // revisions, at least: an idle cluster writes them in a minute

	// outageAfter is how long after the current snapshot the outage is taken to
	// have come at the latest when its time is not stated: the current state is
	// meant to be the newest one.
	outageAfter = 15 * time.Minute

	// Rates that are not passed, in revisions a second: a few times the highest
	// measured one, at least what a rollout writes, and at most what an etcd with
	// Kubernetes on it sustains.
	plausibleBurst, plausibleRate = 4, 25.0
	extremeBurst, extremeRate     = 20, 200.0
	sustained                     = 1000.0
)

// ceiling bounds from above the newest revision that any watcher has seen, its
// own L included.
type ceiling struct {
	expected  int64    // as far as rates go
	plausible int64    // passed only if much more was written than ever measured
	atMost    int64    // not passed
	basis     string   // what atMost rests on, a clause without a full stop
	open      []string // what is missing of the evidence, so that atMost may be passed
}

// ceiling takes the best evidence there is: a revision that is stated, the time
// of the outage with the rate of writes, or else an allowance for what was
// written after the current snapshot. But for a stated revision, what the current
// snapshot does not show of its own past is allowed for, too. A *PlanError refuses
// evidence that the current snapshot contradicts.
func (c *Comparison) ceiling(plan Plan) (ceiling, error) {
	if plan.LastRevision != 0 {
		return c.statedCeiling(plan.LastRevision)
	}
	top, err := c.writtenCeiling(plan.OutageAt)
	if err != nil {
		return top, err
	}
	return c.erasedCeiling(c.missingCeiling(top, !plan.OutageAt.IsZero())), nil
}

// missingCeiling allows for what is missing from the current snapshot. What entries of
// its log may have made is in what was seen already. Where nothing bounds what is
// missing, only the time of the outage does.
func (c *Comparison) missingCeiling(top ceiling, timed bool) ceiling {
	for _, m := range c.current.Missing {
		switch n := m.Revisions; {
		case n == nil && !timed:
			top.open = append(top.open, m.What)
		case n != nil && *n > 0 && (m.Kind == snapshot.MissingContent || m.Kind == snapshot.MissingLog):
			top.plausible, top.atMost = add(top.plausible, *n), add(top.atMost, *n)
			top.basis += fmt.Sprintf(", with room for %d more in what is missing (%s)", *n, m.What)
		}
	}
	if len(top.open) > 0 {
		top.basis += ", and nothing newer is in what is missing (" + strings.Join(top.open, "; ") + ")"
	}
	return top
}

// erasedCeiling allows for a timeline that an earlier restore has erased after the
// backup was saved: kubelets that were left deaf by it may hold its revisions still.
// It began at or before the backup's and ended before the current snapshot was saved.
func (c *Comparison) erasedCeiling(top ceiling) ceiling {
	began, ended := c.backup.Clock.Taken().From, c.current.Clock.Taken().To
	if c.Lineage == nil || c.Lineage.Unseen == "" || began.IsZero() {
		return top
	}
	rate, _ := c.clock.Rate()
	at := func(rate float64) int64 { return add(c.backup.Revision, revisionsIn(ended.Sub(began), rate)) }
	if atMost := at(extreme(rate.High)); atMost > top.atMost {
		top.plausible, top.atMost = max(top.plausible, at(plausibly(rate.High))), atMost
		top.basis += fmt.Sprintf(", or in the timeline that an earlier restore has erased no more than %s a second for %s",
			words.Rate(extreme(rate.High)), ended.Sub(began).Round(time.Second))
	}
	return top
}

// writtenCeiling allows for what was written between the current snapshot and the
// outage, whose time is zero when it is not known.
func (c *Comparison) writtenCeiling(outage time.Time) (ceiling, error) {
	if !outage.IsZero() {
		return c.timedCeiling(outage)
	}
	served, newest := c.Served(), "the current snapshot"
	if c.beyond() {
		newest = "the newest scrape"
	}
	allowed := max(writtenAfter, (served-c.backup.Revision)/2)
	rate, _ := c.clock.Rate()
	plausible, atMost := after(served, outageAfter, rate.High, allowed)
	return ceiling{expected: add(served, allowed), plausible: plausible, atMost: atMost, basis: fmt.Sprintf(
		"the outage came within %d minutes of %s (revision %d), and no more than %d revisions were written between them", int(outageAfter.Minutes()), newest, served, atMost-served)}, nil
}

// after is what was plausibly, and at most, the newest revision a time after one that
// was served, at least some revisions above it.
func after(served int64, since time.Duration, rate float64, least int64) (plausible, atMost int64) {
	at := func(rate float64) int64 { return add(served, max(least, revisionsIn(since, rate))) }
	return at(plausibly(rate)), at(extreme(rate))
}

// plausibly is a rate that is passed only in bursts that were never measured.
func plausibly(rate float64) float64 {
	return min(max(plausibleBurst*rate, plausibleRate), extreme(rate))
}

// extreme is a rate that is not passed where the highest measured one is rate.
func extreme(rate float64) float64 {
	return max(min(extremeBurst*rate, sustained), extremeRate, 2*rate)
}

func (c *Comparison) statedCeiling(last int64) (ceiling, error) {
	if c.Metrics.Revision() > last {
		return ceiling{}, &PlanError{
			fmt.Sprintf("invalid last revision %d: revision %d was reached (%s)", last, c.Metrics.Revision(), c.Metrics.Text()),
			"state the newest revision that etcd served before the outage, or leave it to the metrics",
		}
	}
	for i := range c.nodes {
		if n := &c.nodes[i]; n.seen.Revision > last {
			return ceiling{}, &PlanError{
				fmt.Sprintf("invalid last revision %d: the kubelet of %s has seen revision %d (%s)", last, n.name, n.seen.Revision, n.seen.Key),
				fmt.Sprintf("state the newest revision that etcd served before the outage; the current snapshot is at %d", c.current.Served()),
			}
		}
	}
	return ceiling{expected: last, plausible: last, atMost: last, basis: fmt.Sprintf("no watcher has seen a revision above %d, as stated", last)}, nil
}

func (c *Comparison) timedCeiling(outage time.Time) (ceiling, error) {
	taken := c.clock.Taken()
	rate, ok := c.clock.Rate()
	switch {
	case !ok: // with a rate, there is a time
		return ceiling{}, &PlanError{
			"the time of the outage cannot be used: the current snapshot does not show when it was taken and how fast revisions were written",
			"state the newest revision that etcd served instead (--last-revision), from its metrics or logs",
		}
	case outage.Before(taken.From):
		return ceiling{}, &PlanError{
			fmt.Sprintf("invalid time of the outage %s: the current snapshot was taken later, %s", words.Time(outage), taken),
			"times are UTC unless they say otherwise; the outage is when the last API server stopped",
		}
	}
	since, served := outage.Sub(taken.From), c.current.Served() // the mark that dates the snapshot is older than it: this errs upwards
	plausible, atMost := after(served, since, rate.High, writtenAfter)
	top := ceiling{expected: add(served, revisionsIn(since, rate.Mean)), plausible: plausible, atMost: atMost, basis: fmt.Sprintf(
		"no more than %s revisions a second were written in the %s between the current snapshot (revision %d) and the outage; the highest rate measured is %s",
		words.Rate(extreme(rate.High)), since.Round(time.Second), served, words.Rate(rate.High))}
	if c.beyond() {
		top = c.scrapedCeiling(top, outage, rate)
	}
	return top, nil
}

// scrapedCeiling is raised to what may have been written after the newest scrape: it
// has shown more than the current snapshot. Only a time that the sample itself has
// counts; else it may be as old as the snapshot.
func (c *Comparison) scrapedCeiling(top ceiling, outage time.Time, rate clock.Rate) ceiling {
	from, served := c.clock.Taken().From, c.Metrics.Revision()
	if s := &c.Metrics.Samples[0]; s.TimeFrom == metrics.FromLine && s.At().After(from) {
		from = s.At()
	}
	since := max(outage.Sub(from), 0)
	plausible, atMost := after(served, since, rate.High, writtenAfter)
	top.expected = max(top.expected, add(served, revisionsIn(since, rate.Mean)))
	top.plausible = max(top.plausible, plausible)
	if atMost > top.atMost {
		top.atMost = atMost
		top.basis += fmt.Sprintf(", and as few in the %s after the newest scrape (revision %d)", since.Round(time.Second), served)
	}
	return top
}

// revisionsIn is how many revisions are written in d at rate a second, rounded up.
func revisionsIn(d time.Duration, rate float64) int64 {
	n := math.Ceil(d.Seconds() * rate)
	if n >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(max(n, 0))
}

// Served is the newest revision that was, or may have been, served, as far as the
// snapshot shows.
func (s *State) Served() int64 { return max(s.Revision, s.SeenRevision) }

// ServedText says that a revision was served, or that it may have been where entries
// are missing that would have made it.
func (s *State) ServedText(revision int64) string {
	if revision > s.Revision && revision == s.Served() {
		return fmt.Sprintf("revision %d may have been served", revision)
	}
	return fmt.Sprintf("revision %d was served", revision)
}

// add is a + b, or the largest revision there is.
func add(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
