package restore

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
	"revenant/decoder/metrics"
	"revenant/decoder/snapshot"
)

// TestRateBounds: a few times what was measured, at least what a rollout writes, at most
// what etcd sustains, and never below what was measured.
func TestRateBounds(t *testing.T) {
	for _, tt := range []struct{ measured, plausible, atMost float64 }{
		{0, 25, 200}, {5, 25, 200}, {8, 32, 200}, {10, 40, 200}, {20, 80, 400}, {50, 200, 1000}, {300, 1000, 1000}, {600, 1200, 1200},
	} {
		if got := plausibly(tt.measured); got != tt.plausible {
			t.Errorf("measured %v: plausible is %v, want %v", tt.measured, got, tt.plausible)
		}
		if got := extreme(tt.measured); got != tt.atMost {
			t.Errorf("measured %v: at most %v, want %v", tt.measured, got, tt.atMost)
		}
	}
	for _, tt := range []struct {
		since             time.Duration
		rate              float64
		plausible, atMost int64
	}{
		{0, 10, 1100, 1100}, {time.Second, 1, 1100, 1200}, {10 * time.Second, 1, 1250, 3000}, {1500 * time.Millisecond, 0, 1100, 1300}, {-time.Hour, 10, 1100, 1100},
	} {
		if plausible, atMost := after(1000, tt.since, tt.rate, 100); plausible != tt.plausible || atMost != tt.atMost {
			t.Errorf("%v at %v a second: %d and %d, want %d and %d", tt.since, tt.rate, plausible, atMost, tt.plausible, tt.atMost)
		}
	}
}

func TestRevisionsIn(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		rate float64
		want int64
	}{
		{time.Second, 1, 1}, {1500 * time.Millisecond, 1, 2}, {0, 5, 0}, {-time.Second, 5, 0}, {math.MaxInt64, math.MaxFloat64, math.MaxInt64}, {time.Second, 1 << 63, math.MaxInt64}, {time.Second, 1 << 62, 1 << 62},
	} {
		if got := revisionsIn(tt.d, tt.rate); got != tt.want {
			t.Errorf("%v at %v: %d, want %d", tt.d, tt.rate, got, tt.want)
		}
	}
	for _, tt := range []struct{ a, b, want int64 }{
		{1, 2, 3}, {5, -2, 3}, {math.MaxInt64 - 1, 1, math.MaxInt64}, {math.MaxInt64, 1, math.MaxInt64}, {math.MaxInt64, 0, math.MaxInt64}, {math.MaxInt64, -1, math.MaxInt64 - 1},
	} {
		if got := add(tt.a, tt.b); got != tt.want {
			t.Errorf("%d + %d is %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestServed: the newest revision there is, or may have been.
func TestServed(t *testing.T) {
	for _, tt := range []struct {
		revision, seen, want int64
		says                 string
	}{
		{5, 5, 5, "revision 5 was served"}, {5, 7, 7, "revision 7 may have been served"}, {7, 5, 7, "revision 7 was served"},
	} {
		s := &State{Revision: tt.revision, SeenRevision: tt.seen}
		if got := s.Served(); got != tt.want || s.ServedText(got) != tt.says {
			t.Errorf("at %d, seen %d: %d (%s), want %d (%s)", tt.revision, tt.seen, got, s.ServedText(got), tt.want, tt.says)
		}
	}
	if got := (&State{Revision: 5, SeenRevision: 7}).ServedText(6); got != "revision 6 was served" {
		t.Error(got)
	}
}

// everySecond is a clock of one revision a second up to head, taken at takenAt.
func everySecond(head int64) *clock.Clock {
	var marks []clock.Mark
	for i := range int64(600) {
		marks = append(marks, clock.Mark{Revision: head - 599 + i, Time: takenAt.Add(time.Duration(i-599) * time.Second), Source: clock.Renewal, By: "n1"})
	}
	return clock.New(marks, head, nil)
}

// TestCeiling: what bounds the newest revision that any watcher has seen.
func TestCeiling(t *testing.T) {
	n := func(n int64) *int64 { return &n }
	missing := func(m ...snapshot.Missing) func(*Comparison) {
		return func(c *Comparison) { c.current.Missing = m }
	}
	outage := Plan{OutageAt: takenAt.Add(100 * time.Second)}
	tests := []struct {
		name   string
		served int64
		plan   Plan
		change func(*Comparison)
		want   ceiling
	}{
		{"a store that wrote little", 1050, Plan{}, nil, ceiling{expected: 1150, plausible: 1050 + 25*900, atMost: 1050 + 200*900}},
		{"one that wrote much", 3000, Plan{}, nil, ceiling{expected: 4000, plausible: 3000 + 25*900, atMost: 3000 + 200*900}},
		{"one that wrote more than rates allow", 1_001_000, Plan{}, nil, ceiling{expected: 1_501_000, plausible: 1_501_000, atMost: 1_501_000}},
		{"stated", 3000, Plan{LastRevision: 3100}, missing(snapshot.Missing{Kind: snapshot.MissingContent}), ceiling{expected: 3100, plausible: 3100, atMost: 3100}},
		{"an outage at a known time", 3000, outage, nil, ceiling{expected: 3100, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},

		{"content missing", 1050, Plan{}, missing(snapshot.Missing{Kind: snapshot.MissingContent, Revisions: n(7)}), ceiling{expected: 1150, plausible: 1050 + 25*900 + 7, atMost: 1050 + 200*900 + 7}},
		{"the log missing", 1050, Plan{}, missing(snapshot.Missing{Kind: snapshot.MissingLog, Revisions: n(1)}), ceiling{expected: 1150, plausible: 1050 + 25*900 + 1, atMost: 1050 + 200*900 + 1}},
		{"entries missing, which are seen already", 1050, Plan{}, missing(snapshot.Missing{Kind: snapshot.MissingEntries, Revisions: n(7)}), ceiling{expected: 1150, plausible: 1050 + 25*900, atMost: 1050 + 200*900}},
		{"nothing bounds what is missing", 1050, Plan{}, missing(snapshot.Missing{Kind: snapshot.MissingEnd, What: "the end"}), ceiling{expected: 1150, plausible: 1050 + 25*900, atMost: 1050 + 200*900, open: []string{"the end"}}},
		{"but the time of the outage does", 3000, outage, missing(snapshot.Missing{Kind: snapshot.MissingEnd, What: "the end"}), ceiling{expected: 3100, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},

		{"a scrape that has seen more", 3000, outage, func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(4000, metrics.FromLine, takenAt.Add(60*time.Second))})
		}, ceiling{expected: 4040, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},
		{"one of before the snapshot", 3000, outage, func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(50_000, metrics.FromLine, takenAt.Add(-60*time.Second))})
		}, ceiling{expected: 50_100, plausible: 50_000 + 25*100, atMost: 50_000 + 200*100}},
		{"one that raises all bounds", 3000, outage, func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(50_000, metrics.FromLine, takenAt.Add(60*time.Second))})
		}, ceiling{expected: 50_040, plausible: 50_000 + 25*40, atMost: 50_000 + 200*40}},
		{"one that raises what is expected least", 3000, outage, func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(3001, metrics.FromLine, takenAt.Add(60*time.Second))})
		}, ceiling{expected: 3100, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},

		{"erased for 700 s, and 20 that the newer may be", 3000, outage, func(c *Comparison) {
			c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Unseen: "erased"}
			c.backup.Clock = clock.New([]clock.Mark{{Revision: 1000, Time: takenAt.Add(-680 * time.Second), Source: clock.Renewal}}, 1000, nil)
		}, ceiling{expected: 3100, plausible: 1000 + 25*700, atMost: 1000 + 200*700}},
		{"nothing was erased", 3000, outage, func(c *Comparison) {
			c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor}
			c.backup.Clock = clock.New([]clock.Mark{{Revision: 1000, Time: takenAt.Add(-680 * time.Second), Source: clock.Renewal}}, 1000, nil)
		}, ceiling{expected: 3100, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},
		{"erased, and the newer was saved before", 3000, outage, func(c *Comparison) {
			c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Unseen: "erased"}
			c.backup.Clock = clock.New([]clock.Mark{{Revision: 1000, Time: takenAt.Add(time.Hour), Source: clock.Renewal}}, 1000, nil)
		}, ceiling{expected: 3100, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},
		{"erased, and nothing shows when the backup was saved", 3000, outage, func(c *Comparison) {
			c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Unseen: "erased"}
		}, ceiling{expected: 3100, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},
		{"erased for so short that the outage bounds more", 3000, outage, func(c *Comparison) {
			c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Unseen: "erased"}
			c.backup.Clock = clock.New([]clock.Mark{{Revision: 1000, Time: takenAt.Add(-60 * time.Second), Source: clock.Renewal}}, 1000, nil)
		}, ceiling{expected: 3100, plausible: 3000 + 25*100, atMost: 3000 + 200*100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &Comparison{backup: &State{Revision: 1000}, current: &State{Revision: tt.served}}
			if !tt.plan.OutageAt.IsZero() {
				c.current.Clock = everySecond(tt.served)
				c.clock = c.current.Clock
			}
			if tt.change != nil {
				tt.change(c)
			}
			got, err := c.ceiling(tt.plan)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(ceiling{}), cmpopts.IgnoreFields(ceiling{}, "basis")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
