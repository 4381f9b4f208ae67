package restore

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/document"
)

func tolerating(seconds int64) func(*Pod) {
	return func(p *Pod) { p.ToleratesUnreachable = seconds }
}

func ownedBy(kind string) func(*Pod) { return func(p *Pod) { p.Owner.Kind = kind } }

// toldLater is what the claims turn into, in a line.
func toldLater(o PodOutcome) string {
	if o.Then == nil {
		return "stays"
	}
	s := fmt.Sprintf("%d-%d s", o.Then.AfterSeconds, o.Then.BySeconds)
	if o.Then.By != nil {
		s = o.Then.By.Sub(takenAt).String()
	}
	if len(o.Then.RunsOn)+len(o.Then.MayRunOn) > 0 {
		s += fmt.Sprint(" on ", o.Then.RunsOn, o.Then.MayRunOn)
	}
	return s + ": " + o.Then.Shows()
}

// TestLater: what the claims about a pod turn into by themselves, and when.
func TestLater(t *testing.T) {
	tests := []struct {
		name     string
		was, now *Pod
		plan     Plan
		want     string
	}{
		{"phantom being stopped", nil, made(dying), Plan{}, "10m0s: no such pod"},
		{"about stopped", nil, made(dead), Plan{}, "10s: no such pod"},
		{"not stopped in time", nil, made(overdue), Plan{}, "stays"},
		{"phantom", nil, made(), Plan{}, "stays"},
		{"hidden, being stopped", nil, made(dying), Plan{KeepAPIServers: true}, "10m0s: Running on n1, terminating"},
		{"deletion lost", was(), now(dying), Plan{}, "10m0s: Succeeded on n1, or Failed on n1"},
		{"deletion lost, relisted", was(), now(dying), bump(1_000_000), "10m0s: Succeeded on n1, or Failed on n1"},
		{"deletion lost, kubelet restarted", was(), now(dying), Plan{RestartKubelets: Restart{All: true}}, "stays"},
		{"deletion lost, its controller deletes what has ended", was(ownedBy("StatefulSet")), now(ownedBy("StatefulSet"), dying), Plan{}, "10m0s: Succeeded on n1, or Failed on n1, or no such pod"},
		{"deletion lost, its controller deletes what has ended, finalizer", was(ownedBy("StatefulSet"), held), now(ownedBy("StatefulSet"), held, dying), Plan{}, "10m0s: Succeeded on n1, or Failed on n1, or Succeeded on n1, terminating, or Failed on n1, terminating"},
		{"deletion lost, its controller deletes what has ended on its node", was(ownedBy("DaemonSet")), now(ownedBy("DaemonSet"), dying), Plan{}, "10m0s: Succeeded on n1, or Failed on n1, or no such pod"},
		{"deletion lost, of a custom resource, which may delete what has ended", was(ownedBy("ReplicaSet"), ofCustom), now(ownedBy("ReplicaSet"), ofCustom, dying), Plan{}, "10m0s: Succeeded on n1, or Failed on n1, or no such pod"},
		{"deletion lost, its controller does not", was(ownedBy("ReplicaSet")), now(ownedBy("ReplicaSet"), dying), Plan{}, "10m0s: Succeeded on n1, or Failed on n1"},
		{"being deleted in both", was(dying), now(dying), Plan{}, "10m0s: no such pod"},
		{"being deleted in both, finalizer", was(dying, held), now(dying, held), Plan{}, "10m0s: Succeeded on n1, terminating, or Failed on n1, terminating"},
		{"bound since, being stopped", was(unbound("n2")), now(dying), Plan{}, "10m0s: Pending on n2"},

		{"phantom with a deadline", nil, made(expiring), Plan{}, "5m45s: no such pod"},
		{"phantom with a deadline that has passed", nil, made(expired), Plan{}, "15s: no such pod"},
		{"hidden, with a deadline", nil, made(expiring), Plan{KeepAPIServers: true}, "5m45s: Running on n1"},
		{"with a deadline", was(expiring), now(expiring), Plan{}, "5m45s: Failed on n1"},
		{"with a deadline, relisted", was(expiring), now(expiring), bump(1_000_000), "5m45s: Failed on n1"},
		{"with a deadline, kubelet restarted", was(expiring), now(expiring), Plan{RestartKubelets: Restart{All: true}}, "5m45s: Failed on n1"},
		{"with a deadline, stale cache", was(expiring), now(expiring), Plan{KeepAPIServers: true}, "5m45s: Running on n1"},
		{"with a deadline since", was(), now(expiring), Plan{}, "5m45s: Failed on n1"},
		{"with a deadline since, relisted", was(), now(expiring), bump(1_000_000), "stays"},
		{"with a deadline, deleted since", was(expiring), nil, Plan{}, "stays"},
		{"with a deadline, deleted since, relisted", was(expiring), nil, bump(1_000_000), "5m45s: Failed on n1"},
		{"with a deadline, started since", was(pending, func(p *Pod) { p.ActiveDeadline = 360 }), now(expiring), bump(1_000_000), "5m45s: Failed on n1"},
		{"with a deadline, started since, kubelet restarted", was(pending, func(p *Pod) { p.ActiveDeadline = 360 }), now(expiring), Plan{RestartKubelets: Restart{All: true}}, "stays"},
		{"with a deadline, bound since", was(unbound("n2", "n3")), now(expiring), Plan{}, "5m45s: Pending"},

		{"machine gone", was(on("n4"), tolerating(300)), nil, Plan{}, "340-390 s: Running on n4, terminating"},
		{"machine gone, relisted", was(on("n4"), tolerating(300)), nil, bump(1_000_000), "340-390 s: Running on n4, terminating"},
		{"machine gone, tolerates less", was(on("n4"), tolerating(10)), nil, Plan{}, "50-100 s: Running on n4, terminating"},
		{"machine gone, does not tolerate it", was(on("n4"), tolerating(0)), nil, Plan{}, "40-90 s: Running on n4, terminating"},
		{"machine gone, tolerates it for good", was(on("n4"), tolerating(-1)), nil, Plan{}, "stays"},
		{"machine gone, in both", was(on("n4"), tolerating(300)), now(on("n4"), tolerating(300)), Plan{}, "340-390 s: Running on n4, terminating"},
		{"machine gone, already terminating", was(on("n4"), tolerating(300), dying), nil, Plan{}, "stays"},
		{"machine gone, ended", was(on("n4"), tolerating(300), succeeded), nil, Plan{}, "340-390 s: no such pod"},
		{"machine gone, ended, finalizer", was(on("n4"), tolerating(300), succeeded, held), nil, Plan{}, "340-390 s: Succeeded on n4, terminating"},
		{"machine gone, stale cache", was(on("n4"), tolerating(300)), nil, Plan{KeepAPIServers: true}, "stays"},
		{"machine gone, in both, stale cache", was(on("n4"), tolerating(300)), now(on("n4"), tolerating(300)), Plan{KeepAPIServers: true}, "stays"},
		{"bound since to a machine that is gone", was(unbound("n2", "n3"), tolerating(300)), now(on("n6"), tolerating(300)), bump(1_000_000), "stays"},
		{"no Node object in either", was(on("n6"), tolerating(300)), nil, Plan{}, "40-120 s: no such pod"},
		{"bound since, perhaps to a machine that is gone", was(unbound("n2", "n4"), tolerating(300)), now(tolerating(300)), bump(1_000_000), "340-390 s on [] [n2]: Running, or Pending on n4, terminating"},
		{"bound since, perhaps to a machine that is gone, tolerates it for good", was(unbound("n2", "n4"), tolerating(-1)), now(tolerating(-1)), bump(1_000_000), "stays"},
		{"bound since, perhaps to a machine that is gone, does not tolerate it", was(unbound("n2", "n4"), tolerating(0)), now(tolerating(0)), bump(1_000_000), "40-90 s on [] [n2]: Running, or Pending on n4, terminating"},
		{"bound since", was(unbound("n2", "n3"), tolerating(300)), now(tolerating(300)), bump(1_000_000), "stays"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, o := range predictPods(t, tt.was, tt.now, tt.plan).Pods {
				got = append(got, toldLater(o))
			}
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTaintedInBackup: a node that the backup has as unreachable is not waited for.
func TestTaintedInBackup(t *testing.T) {
	backup, current := states([]*Pod{was(on("n4"), tolerating(300))}, nil)
	for i := range backup.Nodes {
		backup.Nodes[i].Unreachable = backup.Nodes[i].Name == "n4"
	}
	if got := toldLater(mustPredict(t, backup, current, Plan{}).Pods[0]); got != "300-390 s: Running on n4, terminating" {
		t.Error(got)
	}
}

// TestBinds: which nodes the scheduler may choose for a pod, those of machines that
// are gone and of deaf kubelets among them.
func TestBinds(t *testing.T) {
	for name, tt := range map[string]struct {
		was  *Pod
		plan Plan
		want string
	}{
		"some":            {was(unbound("n2", "n3")), bump(1_000_000), "[n2 n3] of [n2 n3], Running"},
		"a gone one":      {was(unbound("n2", "n4")), bump(1_000_000), "[n2] of [n2 n4], Running"},
		"deaf ones":       {was(unbound("n2", "n3")), Plan{}, "[] of [n2 n3], Pending"},
		"one not deaf":    {was(unbound("n2", "n3")), Plan{RestartKubelets: ParseRestart("n2")}, "[n2] of [n2 n3], Running"},
		"none can":        {was(unbound()), bump(1_000_000), "[] of [], Pending"},
		"not looked up":   {was(unboundUnasked), bump(1_000_000), "[] of [], Running"},
		"only its own":    {was(unbound("n1")), bump(1_000_000), "[] of [], Running"},
		"the stale cache": {was(unbound("n2", "n3")), Plan{KeepAPIServers: true}, "[] of [], Running"},
	} {
		o := predictPods(t, tt.was, now(), tt.plan).Pods[0]
		if got := fmt.Sprintf("%v of %v, %s", o.MayRunOn, o.MayBeBoundTo, o.API.Phase); got != tt.want {
			t.Errorf("%s: %s, not %s", name, got, tt.want)
		}
	}
}

// TestBoundTwice: how long a pod that is bound to another node again runs on both. Kubelets do
// not list at the same time, and the one that starts it may be the first.
func TestBoundTwice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		plan  Plan
		most  int64
		until string
	}{
		{"all list", bump(1_000_000), 30 + 120, "it has stopped, by the end of its grace period; the two kubelets do not list at the same time"},
		{"all are restarted", Plan{RestartKubelets: Restart{All: true}}, 0, "the kubelet of the current state's pod is restarted"},
		{"its own stays deaf", Plan{RestartKubelets: ParseRestart("n2")}, 0, "its kubelet relists its pods"},
	} {
		want := &DoubleRun{AtMostSeconds: tt.most, Until: tt.until, With: "uid"}
		if diff := cmp.Diff(want, predictPods(t, was(unbound("n2")), now(), tt.plan).Pods[0].DoubleRun); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestOverdue: a kill that should have ended long before the current snapshot has
// not, and nobody may say that nothing runs.
func TestOverdue(t *testing.T) {
	for _, seconds := range []int{-3600, -61, -59, 0, 59, 61} {
		p := made(func(p *Pod) { p.Deleted = takenAt.Add(time.Duration(seconds) * time.Second) })
		o := predictPods(t, nil, p, Plan{}).Pods[0]
		want := "phantom"
		if seconds > -60 && seconds < 60 {
			want = "terminated"
		}
		sure := seconds >= -60
		if string(o.Outcome) != want || (o.Certainty == Certain) != sure || len(o.RunsOn)+len(o.MayRunOn) == 0 {
			t.Errorf("%d s after the snapshot: %s (%s) on %v or %v: %s", seconds, o.Outcome, o.Certainty, o.RunsOn, o.MayRunOn, o.CertaintyReason)
		}
	}
}

// TestOverdueWithoutClock: where nothing shows when the current snapshot was taken, no kill
// is taken to be about to end, whatever time it is to end at.
func TestOverdueWithoutClock(t *testing.T) {
	for _, ends := range []time.Time{takenAt, time.Unix(0, 0), {}} {
		backup, current := states(nil, []*Pod{made(func(p *Pod) { p.Deleted = ends.Add(30 * time.Second) })})
		current.Time = time.Time{}
		if got, want := describe(mustPredict(t, backup, current, Plan{}).Pods[0]), "1 phantom self on n1"; got != want {
			t.Errorf("its grace period ends at %s: got %s, want %s", ends, got, want)
		}
	}
}

// TestCriticalStays: what ends by itself is not counted with what nothing repairs.
func TestCriticalStays(t *testing.T) {
	for _, d := range Decisions() {
		for i, c := range d.Cases {
			if c.Severity == Critical && c.Heals == HealsSelf {
				t.Errorf("rule %s, pods %s, %s: critical, and heals by itself", d.Rule, d.Pods, DecisionCases[i])
			}
		}
	}
}

// TestLaterInWords: when it is so, and what the API shows by then.
func TestLaterInWords(t *testing.T) {
	end := document.NewTime(&takenAt)
	running := &APIView{Phase: "Running", Node: "n1"}
	for _, tt := range []struct {
		of   Later
		want string
	}{
		{Later{By: end, API: []*APIView{nil}}, "by 2026-11-23 05:00:00Z at the latest: no such pod"},
		{Later{AfterSeconds: 40, BySeconds: 90, API: []*APIView{running}}, "40 to 90 s after the API is back: Running on n1"},
		{Later{BySeconds: 90, API: []*APIView{{Phase: "Pending"}, {Phase: "Pending", Node: "n2", Terminating: true}}}, "0 to 90 s after the API is back: Pending, or Pending on n2, terminating"},
		{Later{BySeconds: 90, API: []*APIView{{Phase: "Pending", Terminating: true}, nil}}, "0 to 90 s after the API is back: Pending, terminating, or no such pod"},
		{Later{BySeconds: 90, API: []*APIView{running, {Phase: "Running", Node: "n1"}, nil, nil}}, "0 to 90 s after the API is back: Running on n1, or no such pod"},
	} {
		if got := tt.of.When() + ": " + tt.of.Shows(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// TestExpiresOnItsNode: a deadline ends the pod on its node alone, and not on one that the
// scheduler may choose.
func TestExpiresOnItsNode(t *testing.T) {
	for name, tt := range map[string]struct {
		was, now *Pod
		plan     Plan
		want     string
	}{
		"being stopped, and bound since":        {was(unbound("n2"), expiring), now(dying, expiring), Plan{}, "10m0s: Pending on n2"},
		"bound since, and the others restarted": {was(unbound("n2", "n3"), expiring), now(expiring), Plan{RestartKubelets: ParseRestart("n2,n3")}, "5m45s on [] [n2 n3]: Running"},
		"pending, deleted since, relisted":      {was(expiring, pending), nil, bump(1_000_000), "5m45s: Failed on n1"},
		"mirror":                                {was(mirror, expiring), now(mirror, expiring), Plan{}, "stays"},
		"ended":                                 {was(expiring), now(expiring, failed), Plan{}, "stays"},
		"not bound":                             {was(unbound("n2"), expiring), now(unbound("n2"), expiring), Plan{}, "stays"},
		"restarted, by what the API has":        {was(expiring), now(func(p *Pod) { p.Started, p.ActiveDeadline = takenAt, 360 }), Plan{RestartKubelets: Restart{All: true}}, "5m45s: Failed on n1"},
		"relisted, by its own start":            {was(expiring), now(func(p *Pod) { p.Started, p.ActiveDeadline = takenAt, 360 }), bump(1_000_000), "6m45s: Failed on n1"},
		"deaf, by the spec that it has seen":    {was(expiring), now(func(p *Pod) { p.Started, p.ActiveDeadline = takenAt, 60 }), Plan{}, "1m45s: Failed on n1"},
	} {
		if got := toldLater(predictPods(t, tt.was, tt.now, tt.plan).Pods[0]); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestLaterOfEach: pods of one node that come to the same share it, and no others do.
func TestLaterOfEach(t *testing.T) {
	choices := []string{"n2", "n4"} // which pods that ask for the same share
	waits := func(p *Pod) { p.NodeName, p.Phase, p.Choices, p.ChoicesKnown = "", "Pending", choices, true }
	for name, tt := range map[string]struct {
		was, now []*Pod
		plan     Plan
		want     []string
	}{
		"one runs, one may": {
			[]*Pod{was(as("a"), waits), was(as("b"), waits), was(as("c"), waits)},
			[]*Pod{now(as("a")), now(as("b"), pending), now(as("c"))},
			Plan{RestartKubelets: ParseRestart("n2")},
			[]string{"40-90 s on [n1] [n2]: Running, or Pending on n4, terminating", "40-90 s on [] [n2]: Running, or Pending on n4, terminating", "40-90 s on [n1] [n2]: Running, or Pending on n4, terminating"},
		},
		"they tolerate it for different times": {
			[]*Pod{was(as("a"), waits, tolerating(5)), was(as("b"), waits, tolerating(6))},
			[]*Pod{now(as("a")), now(as("b"))},
			bump(1_000_000),
			[]string{"45-95 s on [] [n2]: Running, or Pending on n4, terminating", "46-96 s on [] [n2]: Running, or Pending on n4, terminating"},
		},
		"of machines that are gone": {
			[]*Pod{was(as("a"), on("n4"), succeeded), was(as("b"), on("n4"), succeeded, held), was(as("c"), on("n4"), succeeded, tolerating(7)), was(as("d"), on("n6"), succeeded), was(as("e"), on("n4"))},
			nil,
			Plan{},
			[]string{"40-90 s: no such pod", "40-90 s: Succeeded on n4, terminating", "47-97 s: no such pod", "40-120 s: no such pod", "40-90 s: Running on n4, terminating"},
		},
	} {
		backup, current := states(tt.was, tt.now)
		var got []string
		for _, o := range mustPredict(t, backup, current, tt.plan).Pods {
			got = append(got, toldLater(o))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
