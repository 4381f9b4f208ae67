package restore

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/decoder/metrics"
)

// TestRefusedBySnapshots: a plan that names what the snapshots do not have, or states what
// they contradict, is refused, and says what.
func TestRefusedBySnapshots(t *testing.T) {
	some := func(names ...string) Plan { return Plan{KeepAPIServers: true, RestartAPIServers: names} }
	reach := func(p Plan, pairs ...string) Plan {
		p.KubeletAPIServers = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			p.KubeletAPIServers[pairs[i]] = pairs[i+1]
		}
		return p
	}
	restarts := func(nodes ...string) Plan { return Plan{RestartKubelets: Restart{Nodes: nodes}} }
	const noClock = "the time of the outage cannot be used: the current snapshot does not show when it was taken and how fast revisions were written"
	for _, tt := range []struct {
		name    string
		plan    Plan
		unnamed bool // the current snapshot names no API server
		unknown bool // nothing shows when it was taken
		want    string
	}{
		{"a kubelet", restarts("n1", "m1"), false, false, "no such node to restart the kubelet of: m1"},
		{"kubelets", restarts("m2", "n1", "m1"), false, false, "no such node to restart the kubelet of: m1, m2"},
		{"nodes of either snapshot", restarts("n4", "n5"), false, false, ""},
		{"an API server", some("a", "c"), false, false, "no such API server: c"},
		{"several, one of them twice", reach(some("a", "d", "c"), "n1", "c", "n2", "e", "n3", "10.0.0.2"), false, false, "no such API server: c, d, e"},
		{"API servers, none of which are named", reach(some("c"), "n1", "d"), true, false, ""},
		{"one by its address", some("10.0.0.1"), false, false, ""},
		{"a node whose kubelet reaches one", reach(some("a"), "n1", "a", "m1", "b"), false, false, "no such node whose kubelet reaches one API server: m1"},
		{"nodes of either snapshot, which reach one", reach(some("a"), "n4", "a", "n5", "b"), false, false, ""},
		{"a bump up to the last revision", bump(math.MaxInt64 - backupAt), false, false, ""},
		{"a bump above it", bump(math.MaxInt64 - backupAt + 1), false, false, fmt.Sprintf("invalid bump revision %d: the backup is at 1000, and revisions end at %d", math.MaxInt64-backupAt+1, math.MaxInt64)},
		{"other machines", Plan{Onto: NewMachines}, false, false, "the plan is for other machines, and two snapshots of one cluster are compared"},
		{"an outage when the snapshot was taken", Plan{OutageAt: takenAt}, false, false, ""},
		{"an outage before that", Plan{OutageAt: takenAt.Add(-time.Second)}, false, false, "invalid time of the outage 2026-11-23 04:59:59Z: the current snapshot was taken later, between 2026-11-23 05:00:00Z and 05:00:20Z"},
		{"an outage, where no time is known", Plan{OutageAt: takenAt}, false, true, noClock},
		{"a revision that a kubelet has seen", Plan{LastRevision: seenAt}, false, false, ""},
		{"a revision below that", Plan{LastRevision: seenAt - 1}, false, false, "invalid last revision 1899: the kubelet of n1 has seen revision 1900 (/registry/pods/ns/seen-on-n1)"},
	} {
		backup, current := states(nil, nil)
		if !tt.unnamed {
			current.APIServers = []APIServer{{Name: "a", Aliases: []string{"10.0.0.1"}}, {Name: "b", Aliases: []string{"10.0.0.2"}}}
		}
		if !tt.unknown {
			current.Clock = everySecond(currentAt)
		}
		c := Compare(backup, current)
		_, err := c.Predict(tt.plan)
		if _, other := c.Revisions(tt.plan); fmt.Sprint(other) != fmt.Sprint(err) {
			t.Errorf("%s: revisions alone: %v", tt.name, other)
		}
		var refused *PlanError
		if got := fmt.Sprint(err); got != tt.want && (err != nil || tt.want != "") || err != nil && (!errors.As(err, &refused) || refused.Hint() == "") {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestRefusedByMetrics: no last revision is stated below one that was scraped.
func TestRefusedByMetrics(t *testing.T) {
	c := Compare(states(nil, nil))
	c.Metrics = NewMetrics([]*metrics.File{scrape(2500, metrics.Unknown, time.Time{})})
	for last, want := range map[int64]string{
		2500: "<nil>",
		2499: "invalid last revision 2499: revision 2500 was reached (etcd_debugging_mvcc_current_revision in m.prom)",
	} {
		if _, err := c.Predict(Plan{LastRevision: last}); fmt.Sprint(err) != want {
			t.Errorf("%d: %v", last, err)
		}
	}
}

// TestRatesNeeded: a clock that shows when the snapshot was taken, and not how fast revisions
// were written, does not bound what was written until the outage.
func TestRatesNeeded(t *testing.T) {
	backup, current := states(nil, nil)
	current.Clock = clock.New([]clock.Mark{{Revision: currentAt, Time: takenAt, Source: clock.Renewal}}, currentAt, nil)
	if _, err := Compare(backup, current).Predict(Plan{OutageAt: takenAt.Add(time.Minute)}); err == nil {
		t.Error("the outage was taken")
	}
}

// TestNeededBump: the smallest bump that starts a store above what was seen, and whether it
// leaves room.
func TestNeededBump(t *testing.T) {
	type needed struct {
		Bump int64
		OK   bool
	}
	for _, tt := range []struct {
		base, seen int64
		keep       bool
		want       needed
	}{
		{1000, 2000, false, needed{1001, true}},
		{1000, 2000, true, needed{1002, true}},
		{1000, 1000, false, needed{1, true}},
		{1000, 999, false, needed{0, true}}, // it starts above that as it is
		{1000, 999, true, needed{1, true}},
		{1000, 10, false, needed{0, true}},
		{0, lastStart - 1, false, needed{lastStart, true}},
		{0, lastStart, false, needed{lastStart + 1, false}},
		{-5, 0, false, needed{6, true}}, // a damaged file
		{lastStart - 1, lastStart - 1, false, needed{1, true}},
		{lastStart, 5, false, needed{0, false}},
		{0, math.MaxInt64, true, needed{math.MaxInt64, false}},
	} {
		bump, ok := NeededBump(tt.base, tt.seen, tt.keep)
		if diff := cmp.Diff(tt.want, needed{bump, ok}); diff != "" {
			t.Errorf("from %d above %d, kept %t:\n%s", tt.base, tt.seen, tt.keep, diff)
		}
	}
	for base, want := range map[int64]int64{0: lastStart, -1: lastStart, 1: lastStart - 1, lastStart - 1: 1, lastStart: 0, lastStart + 1: 0, math.MaxInt64: 0} {
		if got := LargestBump(base); got != want {
			t.Errorf("from %d the largest is %d, want %d", base, got, want)
		}
	}
}

// TestKnown: what is stated is known, before what was served.
func TestKnown(t *testing.T) {
	c := &Comparison{backup: &State{}, current: &State{Revision: 5, SeenRevision: 7}}
	for stated, want := range map[int64]string{0: "7 revision 7 may have been served", 1: "1 revision 1 was served", 7: "7 revision 7 was served", 9: "9 revision 9 was served"} {
		f := &forecast{Comparison: c, plan: Plan{LastRevision: stated}}
		if got := fmt.Sprint(f.known(), " ", f.servedText()); got != want {
			t.Errorf("stated %d: %s, want %s", stated, got, want)
		}
	}
}

// TestRestored: a bump adds to the newest record, and a store does not start below what is
// compacted; without one etcd starts where it would on the backup.
func TestRestored(t *testing.T) {
	c := &Comparison{backup: &State{Revision: 1000, NewestRecord: 1005, CompactRevision: 1010}}
	for bump, want := range map[int64]int64{0: 1000, 1: 1010, 5: 1010, 6: 1011, 100: 1105} {
		if got := c.restored(Plan{BumpRevision: bump}); got != want {
			t.Errorf("a bump of %d: %d, want %d", bump, got, want)
		}
	}
}

// TestStatedLowest: the smallest revision that can be stated is one that is stated.
func TestStatedLowest(t *testing.T) {
	backup, current := states(nil, nil)
	current.LastSeen = nil
	p := mustPredict(t, backup, current, Plan{LastRevision: 1})
	if r := &p.Revisions; r.MinimumSafeBumpIs != ExactForStated || r.LastSeenAtMost != 1 {
		t.Errorf("%s for %d", r.MinimumSafeBumpIs, r.LastSeenAtMost)
	}
	if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.HasPrefix(w, "The stated last revision 1 is below") }) {
		t.Errorf("%q", p.Warnings)
	}
}

// TestOnlyAPIServer: a plan that restarts the only API server there is leaves none running.
func TestOnlyAPIServer(t *testing.T) {
	c := &Comparison{current: &State{APIServers: []APIServer{{Name: "a"}}}}
	if p := c.normal(Plan{KeepAPIServers: true, RestartAPIServers: []string{"a"}}); p.APIServers() != "all" || p.KeepAPIServers || p.RestartAPIServers != nil {
		t.Errorf("%+v", p)
	}
	if p := c.normal(Plan{KeepAPIServers: true}); p.APIServers() != "none" {
		t.Errorf("%+v", p)
	}
}
