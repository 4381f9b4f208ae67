// Package clock relates the revisions of an etcd snapshot to wall time.
//
// Revisions have no timestamp, but the objects written at them do: a Lease has its
// renewal time, to the microsecond; every object has its creation time, to the
// second. Build reads these marks from a snapshot and returns a Clock. It says
// between which times a revision was written, which revision the store had reached at
// a time, when the snapshot was taken, and how fast revisions are written.
//
// All answers are intervals. A client took a mark's time before its write was
// committed, so the write happened at that time or a little later. Marks that do not
// fit the order of revisions, such as those of a machine whose clock is wrong, are
// rejected and counted. If all clocks are wrong by the same amount, that cannot be
// detected: they are assumed to agree within a second or two.
package clock

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"revenant/internal/words"
)

// Source is what a mark was read off.
type Source string

// The sources, the most exact first.
const (
	Renewal  Source = "lease renewal" // Lease spec.renewTime, to the microsecond
	Creation Source = "creation"      // metadata.creationTimestamp, whole seconds
	// Leader and Heartbeat stand in for renewals where nothing renews Leases.
	Leader    Source = "leader annotation" // its renewTime, whole seconds
	Heartbeat Source = "node heartbeat"    // Node status.conditions lastHeartbeatTime, whole seconds
	// Change is metadata.managedFields, the newest time, whole seconds. A write that
	// changes no field leaves it behind, so it says only that the write came later.
	Change Source = "managed fields"
	// Report is a time that an object repeats, such as an Event's lastTimestamp: the
	// write came later.
	Report Source = "reported time"
)

// Sources lists them, the most exact first.
func Sources() []Source { return []Source{Renewal, Leader, Heartbeat, Creation, Change, Report} }

// periodic says whether marks come of something that is renewed all the time.
func (s Source) periodic() bool { return s == Renewal || s == Leader || s == Heartbeat }

// loose says whether a write came at any time after its mark's.
func (s Source) loose() bool { return s == Change || s == Report }

// commitDelay is how long after a mark's time its write is taken to be committed
// at the latest: API server and etcd answer within a second, or the client tries
// again with a new time.
const commitDelay = time.Second

// Mark says that a revision was written at about a time, UTC.
type Mark struct {
	Revision int64
	Time     time.Time
	Source   Source
	// By names whose clock it is, "" when that is not known: one that is off is so
	// in all its marks.
	By string
}

// resolution is how much later than its time a mark's time may truly be.
func (m *Mark) resolution() time.Duration {
	if m.Source == Renewal {
		return 0
	}
	return time.Second
}

// latest is when its write was committed at the latest.
func (m *Mark) latest() time.Time {
	if m.Source.loose() {
		return never
	}
	return m.Time.Add(m.resolution() + commitDelay)
}

// Interval is a range of times, UTC. A zero end is not known.
type Interval struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

func (i Interval) String() string {
	from, to := words.Time(i.From), words.Time(i.To)
	switch {
	case i.From.IsZero() && i.To.IsZero():
		return "at an unknown time"
	case i.From.IsZero():
		return "before " + to
	case i.To.IsZero():
		return "after " + from
	case from == to:
		return "at " + from
	case from[:len("2006-01-02")] == to[:len("2006-01-02")]:
		return fmt.Sprintf("between %s and %s", from, to[len("2006-01-02 "):])
	}
	return fmt.Sprintf("between %s and %s", from, to)
}

// Span is a range of revisions. Extrapolated says that it lies beyond the newest
// mark, where only the measured rates tell.
type Span struct {
	From         int64 `json:"from"`
	To           int64 `json:"to"`
	Extrapolated bool  `json:"extrapolated"`
}

// Rate is how fast revisions are written, in revisions a second: over all that
// the marks cover, and over the slowest and the fastest part of it.
type Rate struct {
	Low    float64       `json:"low"`
	Mean   float64       `json:"mean"`
	High   float64       `json:"high"`
	Window time.Duration `json:"-"` // that the marks cover
}

// Clock is the fit of marks. A nil Clock knows nothing. It is not changed once it
// is made, and safe for concurrent use.
type Clock struct {
	given []Mark // sorted by revision
	marks []Mark // those that fit
	// from and to are, for each of marks, between which times its revision was
	// written. Neither goes back.
	from, to []time.Time
	renewed  bool // one of marks is of something that is renewed all the time
	head     int64
	jumps    []int64
	rate     Rate
	rated    bool
}

// New fits marks to the order of revisions. head is the newest revision of the
// store; jumps are revisions that were not written up to but set, by the bumps of
// earlier restores.
func New(marks []Mark, head int64, jumps []int64) *Clock {
	c := &Clock{given: slices.Clone(marks), head: head, jumps: slices.Clone(jumps)}
	slices.Sort(c.jumps)
	slices.SortFunc(c.given, func(a, b Mark) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), a.Time.Compare(b.Time), cmp.Compare(a.Source, b.Source))
	})
	sensible := slices.DeleteFunc(slices.Clone(c.given), func(m Mark) bool {
		return m.Revision <= 0 || m.Revision > head || m.Time.Year() < firstYear || m.Time.Year() > lastYear
	})
	c.marks = agreeing(sensible, head)
	if off := clocksOff(sensible, c.marks); len(off) > 0 {
		c.marks = agreeing(slices.DeleteFunc(sensible, func(m Mark) bool { return off[m.By] }), head)
	}
	c.renewed = slices.ContainsFunc(c.marks, func(m Mark) bool { return m.Source.periodic() })
	c.bound()
	c.measure()
	return c
}

// agreeing are the marks that agree with the longest series there is.
func agreeing(marks []Mark, head int64) (list []Mark) {
	exact := slices.DeleteFunc(slices.Clone(marks), func(m Mark) bool { return m.Source.loose() })
	frame := Clock{marks: longestRise(exact), head: head}
	frame.bound()
	for _, m := range marks {
		if frame.admits(m) {
			list = append(list, m)
		}
	}
	return list
}

// clocksOff are those of which most marks do not agree with the others. What is
// left of them agrees by chance.
func clocksOff(all, agree []Mark) map[string]bool {
	balance := map[string]int{}
	for _, m := range all {
		balance[m.By]--
	}
	for _, m := range agree {
		balance[m.By] += 2
	}
	off := map[string]bool{}
	for by, n := range balance {
		if n < 0 && by != "" {
			off[by] = true
		}
	}
	return off
}

// The years in which a mark can be true: Kubernetes is from 2014, and beyond the
// last one intervals would overflow time.Duration.
const firstYear, lastYear = 2014, 2200

// never is after all times that marks can have.
var never = time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC)

// tolerance is how far a mark may be off the others.
const tolerance = 2 * time.Second

// longestRise is the longest part of marks, sorted by revision, whose times in
// whole seconds do not go down. Marks of a clock that is off are few beside the
// others, or else nothing shows which clock is right.
func longestRise(marks []Mark) []Mark {
	var ends []int // ends[n] is the mark with which a series of n+1 ends the earliest
	before := make([]int, len(marks))
	for i := range marks {
		n := sort.Search(len(ends), func(n int) bool { return marks[ends[n]].Time.Unix() > marks[i].Time.Unix() })
		if n > 0 {
			before[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		}
		ends[n] = i
	}
	if len(ends) == 0 {
		return nil
	}
	series, at := make([]Mark, len(ends)), ends[len(ends)-1]
	for n := len(ends) - 1; n >= 0; n-- {
		series[n], at = marks[at], before[at]
	}
	return series
}

// bound sets from and to: a revision was written after whatever was written
// before it, and before whatever was written after it.
func (c *Clock) bound() {
	n := len(c.marks)
	c.from, c.to = make([]time.Time, n), make([]time.Time, n)
	for i, m := range c.marks {
		if c.from[i] = m.Time; i > 0 && c.from[i-1].After(m.Time) {
			c.from[i] = c.from[i-1]
		}
	}
	for i := n - 1; i >= 0; i-- {
		if c.to[i] = c.marks[i].latest(); i < n-1 && c.to[i+1].Before(c.to[i]) {
			c.to[i] = c.to[i+1]
		}
	}
}

// admits says whether a mark agrees with the others.
func (c *Clock) admits(m Mark) bool {
	in := c.between(m.Revision)
	early := m.latest().Before(in.From.Add(-tolerance))
	late := !in.To.IsZero() && m.Time.After(in.To.Add(tolerance))
	return !early && !late
}

// between are the times between which the marks put a revision.
func (c *Clock) between(revision int64) (in Interval) {
	older := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].Revision > revision })
	newer := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].Revision >= revision })
	if older > 0 {
		in.From = c.from[older-1]
	}
	if newer < len(c.marks) && c.to[newer] != never {
		in.To = c.to[newer]
	}
	if !in.To.IsZero() && in.To.Before(in.From) {
		in.From, in.To = in.To, in.From // marks contradict each other within the tolerance
	}
	return in
}

// TimeOf says when a revision was written. Revisions above the head were not.
func (c *Clock) TimeOf(revision int64) Interval {
	if c == nil || revision > c.head {
		return Interval{}
	}
	in := c.between(revision)
	if in.To.IsZero() {
		in.To = c.Taken().To
	}
	return in
}

// renewedEvery is how often a kubelet renews the Lease of its node (kubernetes
// v1.37 pkg/kubelet/kubelet.go: a quarter of nodeLeaseDurationSeconds, 40), and how
// often it reported the Node's status before there were Leases (nodeStatusUpdateFrequency);
// leaders do it more often. A store that has held such an object is not more than twice
// that newer than its newest mark, if any of them was up: an inference.
const renewedEvery = 10 * time.Second

// Taken says when the snapshot was taken: after its newest mark, and not long
// after it where leases are renewed.
func (c *Clock) Taken() Interval {
	if c == nil || len(c.marks) == 0 {
		return Interval{}
	}
	newest := c.from[len(c.from)-1]
	if c.renewed {
		return Interval{newest, newest.Add(2 * renewedEvery)}
	}
	return Interval{From: newest}
}

// Head is the newest revision of the snapshot.
func (c *Clock) Head() int64 {
	if c == nil {
		return 0
	}
	return c.head
}

// HeadAt says which revision the store was at. Before the first mark From is 0;
// after the snapshot was taken it is extrapolated with the highest measured rate,
// or as far as can be, without one.
func (c *Clock) HeadAt(t time.Time) Span {
	if c == nil || len(c.marks) == 0 {
		return Span{To: math.MaxInt64, Extrapolated: true}
	}
	done := sort.Search(len(c.to), func(i int) bool { return c.to[i].After(t) })
	begun := sort.Search(len(c.from), func(i int) bool { return c.from[i].After(t) })
	var s Span
	if done > 0 {
		s.From = c.marks[done-1].Revision
	}
	if begun < len(c.marks) {
		s.To = max(c.marks[begun].Revision-1, s.From)
		return s
	}
	taken := c.Taken()
	if s.To = c.head; t.After(taken.To) {
		s = Span{From: c.head, To: c.after(t.Sub(taken.From)), Extrapolated: true}
	}
	return s
}

// after is the revision that the store can have reached in a time after the head.
func (c *Clock) after(d time.Duration) int64 {
	n := math.Ceil(d.Seconds() * c.rate.High)
	if !c.rated || n >= float64(math.MaxInt64-c.head) {
		return math.MaxInt64
	}
	return c.head + int64(max(n, 0))
}

// Rates are measured over the last hour that marks cover, in parts of ten seconds
// or more, and over everything where that is less than a minute.
const (
	recently = time.Hour
	enough   = time.Minute
	part     = 10 * time.Second
	// impossible is a rate that no etcd reaches: a restore to a later revision lies
	// between.
	impossible = 1e5
)

func (c *Clock) measure() {
	n := len(c.marks)
	if n < 2 {
		return
	}
	first := sort.Search(n, func(i int) bool { return c.from[n-1].Sub(c.from[i]) <= recently })
	if c.from[n-1].Sub(c.from[first]) < enough {
		first = 0
	}
	c.rate.Low = math.Inf(1)
	var written, seconds float64
	for i := first; i < n-1; {
		j := i
		for j < n-1 && c.from[j].Sub(c.from[i]) < part {
			j++
		}
		took, wrote := c.from[j].Sub(c.from[i]).Seconds(), float64(c.marks[j].Revision-c.marks[i].Revision)
		if wrote/took < impossible && !c.jumped(c.marks[i].Revision, c.marks[j].Revision) {
			written, seconds = written+wrote, seconds+took
			if took >= part.Seconds() {
				c.rate.Low, c.rate.High = min(c.rate.Low, wrote/took), max(c.rate.High, wrote/took)
			}
		}
		i = j
	}
	if c.rated = seconds >= 1 && written > 0; !c.rated {
		c.rate = Rate{}
		return
	}
	c.rate.Mean = written / seconds
	c.rate.Low, c.rate.High = min(c.rate.Low, c.rate.Mean), max(c.rate.High, c.rate.Mean)
	c.rate.Window = time.Duration(seconds * float64(time.Second))
}

func (c *Clock) jumped(from, to int64) bool {
	n := sort.Search(len(c.jumps), func(n int) bool { return c.jumps[n] > from })
	return n < len(c.jumps) && c.jumps[n] <= to
}

// Rate is how fast revisions are written; ok is false when nothing shows it.
func (c *Clock) Rate() (r Rate, ok bool) {
	if c == nil {
		return Rate{}, false
	}
	return c.rate, c.rated
}

// Duration is how long it takes to write so many revisions at the measured rates;
// ok is false when nothing shows it, or when it would take centuries.
func (c *Clock) Duration(revisions int64) (low, high time.Duration, ok bool) {
	if c == nil || c.rate.Low <= 0 {
		return 0, 0, false
	}
	n := float64(max(revisions, 0))
	if n/c.rate.Low > (200 * 365 * 24 * time.Hour).Seconds() {
		return 0, 0, false
	}
	return time.Duration(n / c.rate.High * float64(time.Second)), time.Duration(n / c.rate.Low * float64(time.Second)), true
}

// Summary says what a clock rests on.
type Summary struct {
	Taken    Interval       `json:"taken"`
	Marks    map[Source]int `json:"marks"`    // that fit, by source
	Rejected int            `json:"rejected"` // marks that did not
	Rate     *Rate          `json:"revisionsPerSecond"`
}

// Summary is for people and for JSON.
func (c *Clock) Summary() Summary {
	s := Summary{Taken: c.Taken(), Marks: map[Source]int{}}
	if c == nil {
		return s
	}
	for i := range c.marks {
		s.Marks[c.marks[i].Source]++
	}
	s.Rejected = len(c.given) - len(c.marks)
	if r, ok := c.Rate(); ok {
		s.Rate = &r
	}
	return s
}

// Join is the clock of two snapshots of one history: the marks of both. Either
// may be nil.
func Join(backup, current *Clock) *Clock {
	switch {
	case backup == nil:
		return current
	case current == nil:
		return backup
	}
	return New(slices.Concat(backup.given, current.given), max(backup.head, current.head), slices.Concat(backup.jumps, current.jumps))
}
