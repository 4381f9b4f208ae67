package restore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

// at gives a pod a key, a name and a uid of its own.
func at(name, uid string) func(*Pod) {
	return func(p *Pod) { p.Key, p.Name, p.UID = "/registry/pods/ns/"+name, name, uid }
}

// firstGone has the node that is first by its name in the backup only.
func firstGone(backup *State) {
	backup.Nodes = append(nodesOf("v1.37.2", "n0"), backup.Nodes...)
}

// TestDoubts: when the evidence itself may have put a pod into the wrong row.
func TestDoubts(t *testing.T) {
	tests := []struct {
		name            string
		backup, current bool // damaged
		was, now        *Pod
		want            string // what the reason of the certainty begins with
	}{
		{"created as the backup was taken, which is damaged", true, false, nil, pod("new", backupAt, seenAt), "The backup is damaged"},
		{"created right after a damaged backup", true, false, nil, pod("new", backupAt+1, seenAt), "Its kubelet"},
		{"created before a backup that is whole", false, false, nil, pod("new", 900, seenAt), "Its kubelet"},
		{"on the first node, which is missing in a damaged current state", false, true, was(on("n0")), now(on("n0")), "The current snapshot is damaged: the Node object"},
		{"on a node that is missing in one that is whole", false, false, was(on("n4")), now(on("n4")), "No kubelet answers"},
		{"on the first node, which is gone", false, false, was(on("n0")), now(on("n0")), "No kubelet answers"},
		{"not stopped in time", false, false, was(), now(overdue), "Its grace period ended at 2026-11-23 04:50:00Z"},
		{"not stopped in time, and ended", false, false, was(), now(overdue, failed), "Its kubelet"},
		{"not stopped in time, and not bound", false, false, nil, made(overdue, unbound("n1"), overdue), "The same whatever"},
		{"bound by the tail of the log", false, false, nil, made(func(p *Pod) { p.BoundInTail = true }), "It was bound by the last entries"},
		{"bound since to a node that is gone", false, false, was(unbound("n1", "n2")), now(on("n0")), ifKubeletLives},
		{"bound since to a node that is gone, and ended", false, false, was(unbound("n1", "n2")), now(on("n0"), failed), "No kubelet answers"},
	}
	for _, tt := range tests {
		backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
		firstGone(backup)
		if tt.backup {
			backup.Missing = unread(0)
		}
		if tt.current {
			current.Missing = unread(0)
		}
		o := mustPredict(t, backup, current, Plan{}).Pods[0]
		if !strings.HasPrefix(o.CertaintyReason, tt.want) {
			t.Errorf("%s: %s (%s)", tt.name, describe(o), o.CertaintyReason)
		}
	}
}

// TestReferences: a deletion is evidence if it came after the backup.
func TestReferences(t *testing.T) {
	for revision, want := range map[int64]int{0: 1, 900: 1, backupAt: 1, backupAt + 1: 2} {
		backup, current := states([]*Pod{was()}, nil)
		if revision > 0 {
			current.Tombstones = []Tombstone{{Key: was().Key, Revision: revision, Node: "n1"}, {Key: was().Key, Revision: 1, Node: "n1"}}
		}
		e := mustPredict(t, backup, current, Plan{}).Pods[0].Evidence
		if len(e) != want || want == 2 && e[1] != (Ref{Snapshot: InCurrent, Key: was().Key, Revision: revision}) {
			t.Errorf("deleted at %d: %+v", revision, e)
		}
	}
}

// TestIdentityOfUnreadable: a pod that can be read in the backup only has its uid and its
// node from there.
func TestIdentityOfUnreadable(t *testing.T) {
	for _, tt := range []struct {
		name     string
		was, now *Pod
		want     string
	}{
		{"unreadable now", was(), now(unreadablePod), "uid on n1"},
		{"unreadable in the backup", was(unreadablePod), now(on("n2")), "uid on n2"},
		{"unreadable in both", was(unreadablePod), now(unreadablePod), " on "},
		{"unreadable, and only now", nil, made(unreadablePod), " on "},
	} {
		pods := predictPods(t, tt.was, tt.now, Plan{}).Pods
		if len(pods) != 1 {
			t.Errorf("%s: %d pods", tt.name, len(pods))
			continue
		}
		if got := pods[0].UID + " on " + pods[0].Node; got != tt.want || pods[0].Outcome != Unknown {
			t.Errorf("%s: %s is %s", tt.name, got, describe(pods[0]))
		}
	}
}

// TestEvictionInWords: what becomes of a pod on a node that comes back without its machine,
// the first one by its name, too.
func TestEvictionInWords(t *testing.T) {
	for _, tt := range []struct {
		name string
		was  *Pod
		want string
	}{
		{"with no limit", was(on("n0"), tolerating(-1)), "tolerates that without limit"},
		{"not at all", was(on("n0"), tolerating(0)), "tolerates that for 0 s;"},
		{"for a time", was(on("n0"), tolerating(300)), "tolerates that for 300 s;"},
		{"already deleted", was(on("n0"), tolerating(300), dying), "stays Terminating, because no kubelet answers"},
	} {
		for _, kept := range []bool{false, true} {
			backup, current := states([]*Pod{tt.was}, nil)
			firstGone(backup)
			if kept {
				current.Pods = []*Pod{tt.was}
			}
			o := mustPredict(t, backup, current, Plan{}).Pods[0]
			if !strings.Contains(o.Reason, tt.want) || strings.Contains(o.Reason, "tolerates") != strings.Contains(tt.want, "tolerates") {
				t.Errorf("%s: %s", tt.name, o.Reason)
			}
		}
	}
}

// TestRowsAtTheirEdges: pods that come to a row for one detail, which TestRows does not have.
func TestRowsAtTheirEdges(t *testing.T) {
	holding := func(milli int64) func(*Pod) {
		return func(p *Pod) {
			p.Allocated = &kube.Allocation{Requests: kube.Requests{MilliCPU: milli}, RestartOnResize: fmt.Sprint("c: cpu ", milli)}
		}
	}
	first := func(s *State) { s.Time = time.Time{}.Add(30 * time.Second) }
	unknown := func(s *State) { s.Time = time.Time{} }
	tests := []struct {
		name     string
		was, now *Pod
		change   func(*State)
		want     rowID
	}{
		{"a resize that waits since before the backup", was(asksToRestart(80), holding(10)), now(asksToRestart(80), holding(10)), nil, rowTouched},
		{"a resize to less that waits", was(asksToRestart(80)), now(asksToRestart(10), holding(80)), nil, rowResizeUndone},
		{"a resize to as much CPU and less memory", was(asksToRestart(80), func(p *Pod) { p.Requests.Memory = 9 }), now(asksToRestart(80), func(p *Pod) { p.Requests.Memory, p.RestartOnResize = 8, "c: memory" }), nil, rowResizedDown},
		{"not deleted, in a cluster whose clock stands at zero", nil, made(), first, rowCreated},
		{"bound since, in a cluster whose clock stands at zero", was(unbound("n2")), now(), first, rowBound},
		{"past its deadline, without a clock", was(expired), nil, unknown, rowDeletedAlways},
		{"at its deadline", was(func(p *Pod) { p.Started, p.ActiveDeadline = takenAt.Add(-time.Minute), 60 }), nil, nil, rowDeletedExpired},
		{"a second before its deadline", was(func(p *Pod) { p.Started, p.ActiveDeadline = takenAt.Add(-time.Minute), 61 }), nil, nil, rowDeletedAlways},
		{"overdue by a minute", nil, made(func(p *Pod) { p.Deleted = takenAt.Add(-settled) }), nil, rowCreatedDead},
		{"overdue by more", nil, made(func(p *Pod) { p.Deleted = takenAt.Add(-settled - 1) }), nil, rowCreated},
		{"a minute left", nil, made(func(p *Pod) { p.Deleted = takenAt.Add(settled) }), nil, rowCreatedDying},
		{"less than a minute left", nil, made(func(p *Pod) { p.Deleted = takenAt.Add(settled - 1) }), nil, rowCreatedDead},
		{"no phase at all, deleted", was(func(p *Pod) { p.Phase = "" }), nil, nil, rowDeletedPending},
		{"no phase at all in the backup, Pending now", was(func(p *Pod) { p.Phase = "" }), now(pending), nil, rowTouched},
		{"bound since, one choice that is gone", was(unbound("n4")), now(), nil, rowBoundGone},
		{"bound since, one choice that is another", was(unbound("n2")), now(), nil, rowBound},
	}
	for _, tt := range tests {
		backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
		if tt.change != nil {
			tt.change(current)
		}
		if got := Compare(backup, current).cases[0].row; got != tt.want {
			t.Errorf("%s: the row of pods %q, not %q", tt.name, table[got].pods, table[tt.want].pods)
		}
	}
}

// TestCheckUnknown: of snapshots of which one does not show its cluster, and of two of the same
// revision, a restore is possible.
func TestCheckUnknown(t *testing.T) {
	backup, current := states(nil, nil)
	current.Revision = backup.Revision
	for _, uid := range []string{"cluster", ""} {
		for _, other := range []string{"cluster", ""} {
			backup.ClusterUID, current.ClusterUID = uid, other
			if err := Check(backup, current); err != nil {
				t.Errorf("%q and %q: %v", uid, other, err)
			}
		}
	}
	backup.Revision++
	if err := Check(backup, current); !errors.Is(err, ErrSwapped) {
		t.Errorf("one revision apart: %v", err)
	}
}

// TestSeenOfOrphans: what the deletion of a pod shows its kubelet to have seen, if only the backup
// has that pod: the newest one, and of several at one revision the first by key.
func TestSeenOfOrphans(t *testing.T) {
	orphan := func(name string, revision int64) Tombstone {
		return Tombstone{Key: "/registry/pods/ns/" + name, Revision: revision, Orphan: true}
	}
	for _, tt := range []struct {
		name string
		of   []Tombstone
		want Sighting
	}{
		{"none", nil, Sighting{}},
		{"one", []Tombstone{orphan("a", 1500)}, Sighting{1500, "/registry/pods/ns/a"}},
		{"at the backup", []Tombstone{orphan("a", backupAt)}, Sighting{}},
		{"right after the backup", []Tombstone{orphan("a", backupAt+1)}, Sighting{backupAt + 1, "/registry/pods/ns/a"}},
		{"two of one pod", []Tombstone{orphan("a", 1600), orphan("a", 1500)}, Sighting{1600, "/registry/pods/ns/a"}},
		{"two at one revision", []Tombstone{orphan("a", 1500), orphan("b", 1500)}, Sighting{1500, "/registry/pods/ns/a"}},
		{"of a pod that was on another node then", []Tombstone{{Key: "/registry/pods/ns/a", Revision: 1500, Node: "n2"}}, Sighting{}},
	} {
		backup, current := states([]*Pod{was(at("a", "1")), was(at("b", "2")), was(at("c", "3"), unbound("n1"))}, nil)
		current.LastSeen, current.Tombstones = nil, append(tt.of, orphan("c", 1900))
		for range 2 {
			n := mustPredict(t, backup, current, Plan{}).Nodes[0]
			want := []Ref{{Snapshot: InCurrent, Key: tt.want.Key, Revision: tt.want.Revision}}
			if tt.want.Revision == 0 {
				want = []Ref{}
			}
			if diff := cmp.Diff(want, n.Evidence); diff != "" || n.LastSeen.AtLeast != tt.want.Revision {
				t.Errorf("%s: seen %d: %s", tt.name, n.LastSeen.AtLeast, diff)
			}
			slices.Reverse(backup.Pods)
			slices.Reverse(current.Tombstones)
		}
	}
}

// TestForgedUIDs: evidence that has a uid at several keys is answered, whatever it has there.
func TestForgedUIDs(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after []*Pod
		want          []string
	}{
		{"of a pod of the current state", []*Pod{was(at("b", "x"))}, []*Pod{made(at("a", "x")), made(at("b", "y"))}, []string{"x contradiction", "y 1"}},
		{"of a pod of the backup", []*Pod{was(at("a", "x")), was(at("b", "y"))}, []*Pod{made(at("b", "x"))}, []string{"x contradiction", "y 3"}},
		{"of a mirror pod that is not bound", []*Pod{was(mirror, unbound("n1"))}, []*Pod{now(mirror, unbound("n1"))}, []string{"uid 6"}},
		{"of a mirror pod that is not bound, and new", nil, []*Pod{made(mirror, unbound("n1"))}, []string{"new 6"}},
		{"that can no longer be read, in its place", []*Pod{was()}, []*Pod{made(unreadablePod)}, []string{"uid 3", " unreadable"}},
		{"two that cannot be read", []*Pod{was(at("a", ""), unreadablePod), was(at("b", ""), unreadablePod)}, nil, []string{" unreadable", " unreadable"}},
		{"that could not be read in its place", []*Pod{was(unreadablePod)}, []*Pod{made()}, []string{" unreadable", "new 1"}},
	} {
		backup, current := states(tt.before, tt.after)
		var got []string
		for _, o := range mustPredict(t, backup, current, Plan{}).Pods {
			got = append(got, o.UID+" "+string(o.Rule))
			for _, f := range o.Flags {
				if strings.HasPrefix(string(f), "same-name") {
					t.Errorf("%s: %s", tt.name, describe(o))
				}
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestNodesInFull: all that is said of nodes, but for the reason.
func TestNodesInFull(t *testing.T) {
	lines := func(change func(backup, current *State), plan Plan) []string {
		backup, current := states([]*Pod{was(), was(at("g", "g"), on("n2")), was(at("h", "h"), on("n2"))}, []*Pod{made(), made(at("f", "f")), made(at("u", "u"), unbound("n1"))})
		backup.Nodes[0].Service, current.Nodes[0].Service = "", "k3s"
		backup.Nodes[1].Service, current.Nodes[1].Service = "k3s", ""
		backup.Nodes[3].Service = "k3s"
		delete(current.LastSeen, "n3")
		current.LastSeen["n2"] = Sighting{200_000, "/registry/pods/ns/seen"}
		current.Nodes[2].Cordoned = true
		if change != nil {
			change(backup, current)
		}
		var list []string
		for _, n := range mustPredict(t, backup, current, plan).Nodes {
			var refs []string
			for _, r := range n.Evidence {
				refs = append(refs, fmt.Sprintf("%s %d", strings.TrimPrefix(r.Key, "/registry/pods/ns/"), r.Revision))
			}
			list = append(list, fmt.Sprintf("%s %s %s by %d s %q %v, seen %d, %d, %d of %q, %d phantoms, %d ghosts",
				n.Name, n.Kubelet, n.Certainty, n.ListedBySeconds, n.Service, n.Flags, n.LastSeen.AtLeast, n.LastSeen.Expected, n.LastSeen.AtMost, refs, n.Phantoms, n.Ghosts))
		}
		return list
	}
	want := []string{
		`n1 restarted certain by 0 s "k3s" [], seen 1900, 2500, 182000 of ["seen-on-n1 1900"], 0 phantoms, 0 ghosts`,
		`n2 deaf certain by 0 s "" [], seen 200000, 200000, 182000 of ["seen 200000"], 0 phantoms, 2 ghosts`,
		`n3 deaf possible by 0 s "" [cordon-lost], seen 0, 2500, 182000 of [], 0 phantoms, 0 ghosts`,
		`n4 gone certain by 0 s "" [node-gone], seen 0, 2500, 182000 of [], 0 phantoms, 0 ghosts`,
		`n5 deaf certain by 0 s "" [node-missing], seen 1900, 2500, 182000 of ["seen-on-n5 1900"], 0 phantoms, 0 ghosts`,
	}
	if diff := cmp.Diff(want, lines(nil, Plan{})); diff != "" {
		t.Error(diff)
	}
	// Where the current state is damaged, and n3 was unreachable.
	want = []string{
		`n1 relists certain by 120 s "" [], seen 1900, 2500, 182000 of ["seen-on-n1 1900"], 0 phantoms, 0 ghosts`,
		`n2 relists certain by 120 s "" [], seen 200000, 200000, 182000 of ["seen 200000"], 0 phantoms, 0 ghosts`,
		`n3 relists possible by 120 s "" [node-unreachable cordon-back], seen 0, 2500, 182000 of [], 0 phantoms, 0 ghosts`,
		`n4 gone possible by 0 s "" [node-gone], seen 0, 2500, 182000 of [], 0 phantoms, 0 ghosts`,
		`n5 relists certain by 120 s "" [node-missing], seen 1900, 2500, 182000 of ["seen-on-n5 1900"], 0 phantoms, 0 ghosts`,
	}
	if diff := cmp.Diff(want, lines(func(backup, current *State) {
		current.Missing, current.Nodes[0].Service = unread(0), ""
		current.Nodes[2].Unreachable, current.Nodes[2].Cordoned, backup.Nodes[2].Cordoned = true, false, true
	}, bump(1_000_000))); diff != "" {
		t.Error(diff)
	}
	// Where all kubelets are restarted, those of nodes that the backup does not have as well.
	for _, n := range mustPredictNodes(t, Plan{RestartKubelets: Restart{All: true}}) {
		if (n.Name == "n4") != slices.Contains(n.Flags, FlagNodeGone) || slices.Contains(n.Flags, FlagNodeMissing) || n.ListedBySeconds != 0 {
			t.Errorf("restarted: %+v", n)
		}
	}
}

func mustPredictNodes(t *testing.T, plan Plan) []NodeOutcome {
	backup, current := states(nil, nil)
	return mustPredict(t, backup, current, plan).Nodes
}

// TestStaysAway: what is said of a pod of a node that was unreachable, for when its kubelet comes
// back and for when it does not.
func TestStaysAway(t *testing.T) {
	const evicted = "Its node is tainted as unreachable, which it tolerates for 300 s; it is deleted then, and no kubelet answers."
	for _, tt := range []struct {
		name     string
		was, now *Pod
		want     string
	}{
		{"kept", was(tolerating(300)), now(), "If its kubelet stays away: " + evicted},
		{"with a deadline", was(tolerating(300), expiring), now(expiring), "If its kubelet comes back: " + pastDeadline + " If its kubelet stays away: " + evicted},
		{"created, being deleted", nil, made(dying), "It has been stopped by the end of its grace period."},
		{"being deleted in both", was(dying), now(dying), "It has been stopped by the end of its grace period."},
		{"tolerates it for good", was(tolerating(-1)), now(), ""},
		{"created", nil, made(), ""},
	} {
		backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
		cutOff(current, "n1")
		got := ""
		if then := mustPredict(t, backup, current, Plan{}).Pods[0].Then; then != nil {
			got = then.Reason
		}
		if got != tt.want {
			t.Errorf("%s: %q, not %q", tt.name, got, tt.want)
		}
	}
}

// TestUnlikelyStays: a doubt about the evidence makes nothing likelier that is unlikely.
func TestUnlikelyStays(t *testing.T) {
	for _, p := range []*Pod{made(), made(on("n4")), made(overdue), made(func(p *Pod) { p.BoundInTail = true })} {
		for plan, want := range map[int64]Certainty{24_500 - backupAt: Possible, 24_501 - backupAt: Unlikely} {
			if o := predictPods(t, nil, p, bump(plan)).Pods[0]; o.Certainty != want {
				t.Errorf("bump of %d: %s (%s)", plan, describe(o), o.Certainty)
			}
		}
	}
}

// TestGraceOfDouble: how long two of a name run at the same time, by the grace period.
func TestGraceOfDouble(t *testing.T) {
	for grace, want := range map[int64]int64{-1: 30, 0: 2, 1: 2, 2: 2, 3: 3, 600: 600} {
		p := predictPods(t, was(), made(func(p *Pod) { p.Grace = grace }), bump(1_000_000))
		for _, o := range p.Pods {
			if o.DoubleRun == nil || o.DoubleRun.AtMostSeconds != want {
				t.Errorf("grace period %d: %+v", grace, o.DoubleRun)
			}
		}
	}
}

// TestMirrorBeingDeleted: deleting a mirror pod stops nothing, and so nothing is said to end.
func TestMirrorBeingDeleted(t *testing.T) {
	for _, plan := range []Plan{{}, bump(1_000_000)} {
		if o := predictPods(t, was(mirror, dying), now(mirror, dying), plan).Pods[0]; o.Ends != nil || o.Then != nil || len(o.RunsOn) != 1 {
			t.Errorf("%s ends %v, then %v", describe(o), o.Ends, o.Then)
		}
	}
}

// TestSchedulerLeftRunning: where API servers were left running and have dropped their cache, the
// scheduler was left running, too, whether kubelets relist or are restarted.
func TestSchedulerLeftRunning(t *testing.T) {
	restarted := kept(bump(1_000_000))
	restarted.RestartKubelets.All = true
	for name, tt := range map[string]struct {
		plan Plan
		want bool
	}{
		"bump":                     {bump(1_000_000), false},
		"kept":                     {kept(bump(1_000_000)), true},
		"kept, kubelets restarted": {restarted, true},
		"kept in part":             {kept(Plan{RestartAPIServers: []string{"b"}, RestartKubelets: Restart{All: true}}), false},
		"kept in part, and its kubelet reaches the restarted one": {Plan{KeepAPIServers: true, RestartAPIServers: []string{"b"}, KubeletAPIServers: map[string]string{"n1": "b"}, RestartKubelets: ParseRestart("n1")}, false},
	} {
		backup, current := states([]*Pod{was(unbound("n2"))}, []*Pod{now()})
		current.APIServers = []APIServer{{Name: "a"}, {Name: "b"}}
		o := mustPredict(t, backup, current, tt.plan).Pods[0]
		if got := strings.Contains(o.CertaintyReason, "The scheduler was left running, too"); got != tt.want {
			t.Errorf("%s: %s (%s)", name, describe(o), o.CertaintyReason)
		}
	}
}

// TestTwinElsewhere: a namesake that waits to be bound runs twice only where a node that can take it
// has a kubelet that hears of it.
func TestTwinElsewhere(t *testing.T) {
	for _, tt := range []struct {
		name    string
		was     *Pod
		restart string
		want    bool
	}{
		{"one that can take it", was(unbound("n2", "n3")), "n2", true},
		{"another one", was(unbound("n2", "n3")), "n5", false},
		{"another one, and it is not known which can take it", was(unboundUnasked), "n5", true},
		{"none", was(unboundUnasked), "none", false},
		{"none can take it", was(unbound()), "n5", false},
	} {
		for _, o := range predictPods(t, tt.was, made(), Plan{RestartKubelets: ParseRestart(tt.restart)}).Pods {
			if twice := o.DoubleRun != nil; twice != tt.want || slices.Contains(o.Flags, FlagDoubleRun) != tt.want {
				t.Errorf("%s: %s, double run %+v", tt.name, describe(o), o.DoubleRun)
			}
		}
	}
}

// TestListedWithin: by when a kubelet has relisted its pods, which grows with the length of the
// outage by steps: the waits that it has at least had are 0.8, 1.6, 3.2, 6.4, 12.8 and 25.6 s.
func TestListedWithin(t *testing.T) {
	got := map[int64]int64{}
	for outage := range int64(70) {
		got[outage] = listedWithin(outage)
	}
	want := map[int64]int64{0: 120}
	for from, by := range map[[2]int64]int64{{1, 2}: 10, {3, 5}: 19, {6, 11}: 38, {12, 24}: 77, {25, 50}: 111, {51, 69}: 120} {
		for outage := from[0]; outage <= from[1]; outage++ {
			want[outage] = by
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPlayedInTurns: what has become of a pod that was created, of one that waits to be bound again,
// and of one of a node that is gone, by what API servers and kubelets have done.
func TestPlayedInTurns(t *testing.T) {
	some := kept(Plan{RestartAPIServers: []string{"b"}})
	all := func(k Kubelet) map[string]Kubelet { return map[string]Kubelet{"n1": k, "n2": k, "n3": k, "n5": k} }
	for _, tt := range []struct {
		name string
		did  Played
		want []string
	}{
		{"nothing", Played{}, []string{"1 phantom relist on n1", "unbound lost-deletion never api Pending", "5b ghost never api Running@n4 +node-gone"}},
		{"erased, but all are restarted", Played{Erased: true}, []string{"1 phantom relist on n1", "unbound lost-deletion never api Pending", "5b ghost never api Running@n4 +node-gone"}},
		{"all kubelets relist", Played{Kubelets: all(KubeletRelists)}, []string{"1 terminated self", "unbound lost-deletion never perhaps on n1,n2 api Running", "5b stuck-terminating never api Running@n4 +node-gone"}},
		{"one kubelet relists", Played{Kubelets: map[string]Kubelet{"n1": KubeletRelists}}, []string{"1 terminated self", "unbound lost-deletion never perhaps on n1 api Running", "5b ghost never api Running@n4 +node-gone"}},
		{"kept, and erased", Played{Plan: kept(Plan{}), Erased: true}, []string{"1 hidden never on n1 api Running@n1", "unbound lost-deletion never", "5b lost-deletion never +node-gone"}},
		{"kept, erased, and all kubelets relist", Played{Plan: kept(Plan{}), Erased: true, Kubelets: all(KubeletRelists)}, []string{"1 hidden never on n1 api Running@n1", "unbound lost-deletion never", "5b lost-deletion never +node-gone"}},
		{"kept, and not erased", Played{Plan: kept(Plan{})}, []string{"1 phantom relist on n1", "unbound lost-deletion never api Pending", "5b ghost never api Running@n4 +node-gone"}},
		{"kept, not erased, and all kubelets relist", Played{Plan: kept(Plan{}), Kubelets: all(KubeletRelists)}, []string{"1 terminated self", "unbound lost-deletion never perhaps on n1,n2 api Running", "5b stuck-terminating never api Running@n4 +node-gone"}},
		{"some kept, and erased", Played{Plan: some, Erased: true}, []string{"1 phantom relist on n1", "unbound lost-deletion never api Pending ?", "5b ghost never api Running@n4 +node-gone"}},
		{"some kept, erased, and all kubelets relist", Played{Plan: some, Erased: true, Kubelets: all(KubeletRelists)}, []string{"1 terminated self", "unbound lost-deletion never perhaps on n1,n2 api Running ?", "5b stuck-terminating never api Running@n4 +node-gone"}},
		{"some kept, not erased, and all kubelets are restarted", Played{Plan: some, Kubelets: all(KubeletRestarted)}, []string{"1 terminated self", "unbound lost-deletion never perhaps on n1,n2 api Running", "5b stuck-terminating never api Running@n4 +node-gone"}},
	} {
		backup, current := states([]*Pod{was(at("c", "c"), unbound("n1", "n2")), was(at("d", "d"), on("n4"))}, []*Pod{made(at("a", "a"))})
		current.APIServers = []APIServer{{Name: "a"}, {Name: "b"}}
		p, err := Compare(backup, current).Played(tt.did)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range p.Pods {
			got = append(got, describe(o))
			if o.Then != nil && o.Then.Relists {
				t.Errorf("%s: %s is still to be relisted", tt.name, describe(o))
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	backup, current := states(nil, nil)
	if _, err := Compare(backup, current).Played(Played{Plan: Plan{RestartKubelets: ParseRestart("n9")}}); err == nil {
		t.Error("a plan that names a node that is not there is not refused")
	}
}

// TestNamelessAmongDeaf: what is said of a pod that can go to one node only, whose kubelet is deaf
// while its own is restarted.
func TestNamelessAmongDeaf(t *testing.T) {
	for _, tt := range []struct {
		name string
		was  *Pod
		want string
	}{
		{"to a deaf one", was(unbound("n2")), "4c terminated relist api Pending@n2 +double-bind critical; near deaf kubelets; restart or cordon"},
		{"to a deaf one of two", was(unbound("n2", "n1")), "4c terminated relist perhaps on n1 api Running +double-bind +double-run ? critical to [n2 n1]; with uid for 0 s, until the kubelet of the current state's pod is restarted; Where the scheduler binds it is not in the snapshots"},
		{"to one that is gone", was(unbound("n4")), "4c terminated never api Pending +double-bind ? critical to [n4]; then 40-90 s: Pending, or Pending on n4, terminating; The scheduler may bind it to a node whose machine is gone"},
	} {
		got := toldInFull(predictPods(t, tt.was, now(), Plan{RestartKubelets: ParseRestart("n1")}).Pods[0])
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s\nnot %s", tt.name, got, tt.want)
		}
	}
	o := predictPods(t, was(unbound("n2", "n3")), now(), Plan{RestartKubelets: ParseRestart("n1,n2")}).Pods[0]
	if want := "The snapshots do not show where the scheduler binds it, and on a node whose kubelet is deaf it never starts. "; o.Certainty != Possible || !strings.HasPrefix(o.CertaintyReason, want) {
		t.Errorf("%s: %s", describe(o), o.CertaintyReason)
	}
}

// TestUntilListedInWords: what is assumed of when kubelets relist their pods.
func TestUntilListedInWords(t *testing.T) {
	const assumes = "Assumes that it was not refused in the two minutes before the outage."
	for _, tt := range []struct {
		name   string
		plan   Plan
		within string
		want   bool
	}{
		{"of any length", bump(1_000_000), "within 120 s", false},
		{"a short one", withOutage(bump(1_000_000), 3), "within 19 s", true},
		{"a long one", withOutage(bump(1_000_000), 3600), "within 120 s", false},
		{"kept", withOutage(kept(bump(1_000_000)), 3), "within 30 s", false},
		{"kept in part", withOutage(kept(Plan{BumpRevision: 1_000_000, MarkCompacted: true, RestartAPIServers: []string{"b"}}), 3), "within 19 s", false},
	} {
		backup, current := states(nil, []*Pod{made()})
		current.APIServers = []APIServer{{Name: "a"}, {Name: "b"}}
		p, err := Compare(backup, current).Predict(tt.plan)
		if err != nil {
			t.Fatal(err)
		}
		then := p.Pods[0].Then
		if then == nil || !strings.Contains(then.Reason, tt.within) || strings.Contains(then.Reason, assumes) != tt.want {
			t.Errorf("%s: %+v", tt.name, then)
		}
		if shown := p.Pods[0].API != nil; shown != (tt.name == "kept") { // by a cache, until its kubelet lists
			t.Errorf("%s: the API shows %v", tt.name, p.Pods[0].API)
		}
	}
}

func withOutage(p Plan, seconds int64) Plan {
	p.Outage = Seconds{To: seconds}
	return p
}

// TestUntilListedAndThen: how long a pod takes that its kubelet stops once it has relisted, and what
// comes of one that has something else before it.
func TestUntilListedAndThen(t *testing.T) {
	grace := func(n int64) func(*Pod) { return func(p *Pod) { p.Grace = n } }
	for _, tt := range []struct {
		name     string
		was, now *Pod
		want     string // from its Then
	}{
		{"stopped at once", nil, made(grace(0)), "0-130 s: no such pod"},
		{"stopped within a time", nil, made(grace(8)), "0-130 s: no such pod"},
		{"stopped within a longer time", nil, made(grace(9)), "0-131 s: no such pod"},
		{"started again, with a grace period that is not asked for", was(grace(600)), nil, "0-130 s on [n1] []: Running on n1"},
		{"bound again, with a grace period", was(unbound("n2"), grace(600)), now(grace(600)), "0-722 s on [] [n2]: Running on n2"},
		{"bound again to where it runs", was(unbound("n1"), grace(600)), now(grace(600)), "0-130 s on [n1] []: Running on n1"},
		{"ended since", was(never, grace(600)), now(never, failed, grace(600)), "0-130 s: Failed on n1"},
		{"ended since, with a deadline that comes", was(expiring, grace(600)), now(expiring, ready, grace(600)), "15m15s: Failed on n1"},
		{"started since, with a deadline", was(pending, func(p *Pod) { p.ActiveDeadline = 360 }), now(expiring), "0-130 s on [] [n1]: Running on n1, or Failed on n1"},
		{"deleted, with a deadline", was(expiring), nil, "0-130 s on [] [n1]: Running on n1, or Failed on n1"},
	} {
		backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
		p, err := Compare(backup, current).Predict(bump(1_000_000))
		if err != nil {
			t.Fatal(err)
		}
		if got := toldLater(p.Pods[0]); got != tt.want {
			t.Errorf("%s: %s, not %s", tt.name, got, tt.want)
		}
	}
}

func ready(p *Pod) { p.Ready = true }

// TestSettled: what a pod comes to once its kubelet has relisted, and what it comes to after that is
// not meant.
func TestSettled(t *testing.T) {
	for _, tt := range []struct {
		name     string
		was, now *Pod
		plan     Plan
		want     string
	}{
		{"stopped by its kubelet", nil, made(), bump(1_000_000), "[] [] no such pod"},
		{"started by its kubelet", was(), nil, bump(1_000_000), "[n1] [] Running on n1"},
		{"ended later by its deadline", was(expiring), now(expiring), bump(1_000_000), "[n1] [] Running on n1"},
		{"with nothing to come", was(), now(), bump(1_000_000), "[n1] [] Running on n1"},
		{"on a deaf node", nil, made(), Plan{}, "[n1] [] no such pod"},
	} {
		backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
		p, err := Compare(backup, current).Predict(tt.plan)
		if err != nil {
			t.Fatal(err)
		}
		runs, may, api := p.Pods[0].Settled()
		if got := fmt.Sprint(runs, " ", may, " ", api); got != tt.want {
			t.Errorf("%s: %s, not %s", tt.name, got, tt.want)
		}
	}
}

// TestUnreadableInWords: why nothing can be said of a pod, and where it is.
func TestUnreadableInWords(t *testing.T) {
	nameless := func(p *Pod) { p.UID = "" }
	const use = " Its value cannot be used: "
	for _, tt := range []struct {
		name     string
		was, now *Pod
		want     string
	}{
		{"only now", nil, made(unreadablePod), use + "encrypted."},
		{"only now, without a uid", nil, made(nameless), use + "it has no uid."},
		{"only in the backup", was(unreadablePod), nil, "Only the backup has it."},
		{"in both, the same", was(unreadablePod), was(unreadablePod), "at the same revision." + use + "encrypted."},
		{"in both, changed", was(unreadablePod), now(unreadablePod), "and it changed after the backup." + use + "encrypted."},
	} {
		o := predictPods(t, tt.was, tt.now, Plan{}).Pods[0]
		if o.Outcome != Unknown || !strings.Contains(o.Reason, tt.want) {
			t.Errorf("%s: %s", tt.name, o.Reason)
		}
	}
}

// TestStrayInWords: only those ephemeral containers are named that were added after the backup.
func TestStrayInWords(t *testing.T) {
	for _, tt := range []struct {
		before, after []string
		want          string
	}{
		{[]string{"old"}, []string{"old", "debug"}, "(debug)"},
		{nil, []string{"a", "b"}, "(a, b)"},
		{[]string{"old"}, []string{"old"}, ""},
		{[]string{"old"}, nil, ""},
	} {
		o := predictPods(t, was(ephemeral(tt.before...)), now(ephemeral(tt.after...)), Plan{}).Pods[0]
		if got := strings.Contains(o.Reason, "Ephemeral containers"); got != (tt.want != "") || !strings.Contains(o.Reason, tt.want) {
			t.Errorf("%q and then %q: %s", tt.before, tt.after, o.Reason)
		}
	}
}

// TestDeletedAtTheBackup: a deletion that is not newer than the backup is not that of the backup's pod.
func TestDeletedAtTheBackup(t *testing.T) {
	for revision, want := range map[int64]Certainty{backupAt: Possible, backupAt + 1: Certain} {
		backup, current := states([]*Pod{was()}, nil)
		current.Missing = unread(0)
		current.Tombstones = []Tombstone{{Key: was().Key, Revision: revision, Node: "n1"}}
		if o := mustPredict(t, backup, current, Plan{}).Pods[0]; o.Certainty != want {
			t.Errorf("deleted at %d: %s", revision, o.CertaintyReason)
		}
	}
}

// TestDamagedBackupOnto: of a damaged backup no pod is said to be in what could not be read of the
// current state, where there is none.
func TestDamagedBackupOnto(t *testing.T) {
	backup, _ := states([]*Pod{was()}, nil)
	backup.Missing = unread(0)
	p, err := RestoreOnto(backup).Predict(Plan{Onto: NewMachines})
	if err != nil {
		t.Fatal(err)
	}
	if why := p.Pods[0].CertaintyReason; strings.Contains(why, "damaged") {
		t.Error(why)
	}
}

// TestOneNode: where the current state names one node only, machines of others are gone.
func TestOneNode(t *testing.T) {
	for names, want := range map[string]string{"n1": "5b ghost never api Running@n2 +node-gone", "": "3 ghost relist api Running@n2 ?"} {
		backup, current := states([]*Pod{was(on("n2"))}, nil)
		current.Nodes = nodesOf("v1.37.2", names)
		if names == "" {
			current.Nodes = nil
		}
		if got := describe(mustPredict(t, backup, current, Plan{}).Pods[0]); got != want {
			t.Errorf("nodes %q: %s, not %s", names, got, want)
		}
	}
}

// TestServiceOfBackup: where the current state has no Node objects, the backup's say which kubelets
// restart with a service.
func TestServiceOfBackup(t *testing.T) {
	backup, current := states(nil, nil)
	current.Nodes = nil
	backup.Nodes[0].Service = "k3s"
	for _, n := range mustPredict(t, backup, current, Plan{}).Nodes {
		if got := n.Kubelet == KubeletRestarted && n.Service == "k3s"; got != (n.Name == "n1") {
			t.Errorf("%s is %s, of the service %q", n.Name, n.Kubelet, n.Service)
		}
	}
}

// TestRefusesOfUntried: that a kubelet refuses pods is no more certain than what it does.
func TestRefusesOfUntried(t *testing.T) {
	for version, want := range map[string]Certainty{"v1.37.2": Certain, "v9.0.0": Possible} {
		kept := was(func(p *Pod) { p.Requests.MilliCPU = 1100 })
		backup, current := states([]*Pod{kept, was(at("back", "back"))}, []*Pod{kept})
		for _, s := range []*State{backup, current} {
			for i := range s.Nodes {
				s.Nodes[i].KubeletVersion, s.Nodes[i].Allocatable = version, kube.Allocatable{MilliCPU: 1000, Memory: 1 << 30, Pods: 4}
			}
		}
		n := mustPredict(t, backup, current, bump(1_000_000)).Nodes[0]
		if n.Capacity.Refuses == "" || n.Capacity.Certainty != want {
			t.Errorf("%s: %s %q, %s", version, n.Capacity.Certainty, n.Capacity.Refuses, n.Certainty)
		}
	}
}

// TestFirstNodeReturns: a node that registers again gets new pods of DaemonSets, the first one by its
// name as any other.
func TestFirstNodeReturns(t *testing.T) {
	backup, current := states(nil, []*Pod{made(owned("DaemonSet", "a", "1"))})
	backup.Nodes = backup.Nodes[1:]
	w := []Workload{{Kind: "DaemonSet", Namespace: "ns", Name: "w", UID: "w"}}
	backup.Workloads, current.Workloads = w, w
	if got := mustPredict(t, backup, current, Plan{RestartKubelets: Restart{All: true}}).Workloads[0].Recreates; got != 1 {
		t.Errorf("%d pods are made", got)
	}
}

// TestRefusesOfSmaller: what a kubelet is certain to hold of a pod that was made smaller is what it
// has now, of CPU and of memory.
func TestRefusesOfSmaller(t *testing.T) {
	needs := func(milli, mi int64) func(*Pod) {
		return func(p *Pod) { p.Requests = kube.Requests{MilliCPU: milli, Memory: mi << 20} }
	}
	for _, tt := range []struct {
		name     string
		was, now func(*Pod)
		want     Certainty
	}{
		{"in CPU", needs(900, 1), needs(1, 1), Possible},
		{"in memory", needs(1, 900), needs(1, 1), Possible},
		{"not at all", needs(1, 900), needs(1, 900), Certain},
	} {
		backup, current := states([]*Pod{was(tt.was), was(at("back", "back"), needs(200, 200))}, []*Pod{now(tt.now)})
		backup.Nodes[0].Allocatable = kube.Allocatable{MilliCPU: 1000, Memory: 1 << 30, Pods: 4}
		if c := mustPredict(t, backup, current, bump(1_000_000)).Nodes[0].Capacity; c.Refuses == "" || c.Certainty != tt.want {
			t.Errorf("%s: %s %q", tt.name, c.Certainty, c.Refuses)
		}
	}
}

// TestOnlyJobsEnd: the failure of one pod of another controller ends no other one, and an end that a
// Job may come to makes nothing less certain of a pod of which nothing runs.
func TestOnlyJobsEnd(t *testing.T) {
	backup, current := states([]*Pod{was(owned("ReplicaSet", "a", "1")), was(owned("ReplicaSet", "b", "2"), never)}, []*Pod{was(owned("ReplicaSet", "a", "1"))})
	backup.Workloads = []Workload{{Kind: "ReplicaSet", Namespace: "ns", Name: "w", UID: "w", Wanted: 2}}
	if o := mustPredict(t, backup, current, bump(1_000_000)).Pods[0]; o.Then != nil {
		t.Errorf("%s, %s", describe(o), toldLater(o))
	}
	failed := was(owned("Job", "z", "9"), failed, func(p *Pod) { p.Finalizers = []string{jobTracking} })
	backup, current = states([]*Pod{was(owned("Job", "a", "1"), unbound("n2")), failed}, []*Pod{now(owned("Job", "a", "1")), failed})
	backup.Workloads = []Workload{{Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 2}}
	if o := mustPredict(t, backup, current, Plan{RestartKubelets: ParseRestart("n1")}).Pods[0]; o.Certainty != Certain || o.Then == nil {
		t.Errorf("%s, %s: %s", describe(o), toldLater(o), o.CertaintyReason)
	}
}

// TestJobHangs: a Job waits for a pod whose end the API does not show, and not for one that runs.
func TestJobHangs(t *testing.T) {
	for name, tt := range map[string]struct {
		now  *Pod
		want int
	}{
		"ended":            {now(owned("Job", "a", "1"), never, succeeded), 1},
		"ready":            {now(owned("Job", "a", "1"), never, ready), 0},
		"restarted, ready": {now(owned("Job", "a", "1"), never, ready, func(p *Pod) { p.Restarts = 1 }), 0},
	} {
		backup, current := states([]*Pod{was(owned("Job", "a", "1"), never)}, []*Pod{tt.now})
		backup.Workloads = []Workload{{Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 1, Completions: 1, BackoffLimit: 6}}
		if got := mustPredict(t, backup, current, Plan{}).Workloads[0].Hangs; len(got) != tt.want {
			t.Errorf("%s: it waits for %v", name, got)
		}
	}
}

// TestDaemonOfFirstNode: no other node makes up for a DaemonSet's pod of a node that is gone, the
// first one by its name, too.
func TestDaemonOfFirstNode(t *testing.T) {
	p := was(owned("DaemonSet", "a", "1"), on("n0"))
	backup, current := states([]*Pod{p}, []*Pod{p})
	w := []Workload{{Kind: "DaemonSet", Namespace: "ns", Name: "w", UID: "w", Wanted: 1}}
	backup.Workloads, current.Workloads = w, w
	if got := mustPredict(t, backup, current, Plan{}).Workloads[0]; got.RecreatesLater != 0 || got.Believed != 1 {
		t.Errorf("%+v", got)
	}
}

// TestNothingToPlace: a pod that has ended, or is being deleted, is placed nowhere, bound or not.
func TestNothingToPlace(t *testing.T) {
	for name, change := range map[string]func(*Pod){"waits": func(*Pod) {}, "has ended": failed, "is being deleted": dying} {
		p := was(unbound("n1"), change)
		backup, current := states([]*Pod{p}, []*Pod{p})
		backup.Nodes[0].Allocatable = kube.Allocatable{MilliCPU: 1000, Memory: 1 << 30, Pods: 4}
		got := mustPredict(t, backup, current, Plan{}).Nodes[0].Capacity.MayBePlaced.Pods
		if want := map[bool]int64{true: 1}[name == "waits"]; got != want {
			t.Errorf("one that %s: %d pods are to be placed", name, got)
		}
	}
}

// TestContradictionsInWords: which two things the snapshots say that cannot both be true.
func TestContradictionsInWords(t *testing.T) {
	for want, pods := range map[string][2]*Pod{
		"a binding is never removed":    {was(), now(unbound("n1"))},
		"a binding is never changed":    {was(), now(on("n2"))},
		"a deletion is never cancelled": {was(dying), now()},
	} {
		if o := predictPods(t, pods[0], pods[1], Plan{}).Pods[0]; !strings.Contains(o.Reason, want) {
			t.Errorf("%s: %s", want, o.Reason)
		}
	}
}

// TestEmptyLists: what a workload has none of is an empty list in JSON, not null.
func TestEmptyLists(t *testing.T) {
	backup, current := states(nil, nil)
	backup.Workloads = []Workload{{Kind: "Job", Name: "w", UID: "w"}}
	if w := mustPredict(t, backup, current, Plan{}).Workloads[0]; w.Twice == nil || w.Hangs == nil || w.RunsAgain == nil {
		t.Errorf("%+v", w)
	}
}
