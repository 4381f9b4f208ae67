package restore

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// The clusters of these tests: a backup at revision 1000, the current state at
// 2000, and n1 to n3 in both, n4 in the backup only, n5 in the current state
// only. Every kubelet that lives has seen revision 1900.
const (
	backupAt  = 1000
	currentAt = 2000
	seenAt    = 1900
)

var takenAt = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC) // the current state's time

// modes are the columns of the decision table.
var modes = []struct {
	name string
	plan Plan
}{
	{"plain", Plan{}},
	{"bump", Plan{BumpRevision: 1_000_000, MarkCompacted: true}},
	{"restart", Plan{RestartKubelets: Restart{All: true}}},
	{"keep", Plan{KeepAPIServers: true}},
}

// pod is a running pod on n1, as change makes it.
func pod(uid string, created, modified int64, change ...func(*Pod)) *Pod {
	p := &Pod{
		Key: "/registry/pods/ns/p", CreateRevision: created, ModRevision: modified,
		Pod: kube.Pod{
			Namespace: "ns", Name: "p", UID: uid, NodeName: "n1", Phase: "Running", RestartPolicy: "Always", Grace: 30,
			Containers: []kube.Container{{Name: "c", Image: "v1"}},
		},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func was(change ...func(*Pod)) *Pod { return pod("uid", 500, 600, change...) }

func now(change ...func(*Pod)) *Pod { return pod("uid", 500, seenAt, change...) }

func made(change ...func(*Pod)) *Pod { return pod("new", 1500, seenAt, change...) }

func on(node string) func(*Pod) { return func(p *Pod) { p.NodeName = node } }
func image(s string) func(*Pod) {
	return func(p *Pod) { p.Containers = []kube.Container{{Name: "c", Image: s}} }
}
func held(p *Pod)      { p.Finalizers = []string{"example.com/hold"} }
func mirror(p *Pod)    { p.Mirror = "hash" }
func never(p *Pod)     { p.RestartPolicy = "Never" }
func onFailure(p *Pod) { p.RestartPolicy = "OnFailure" }
func pending(p *Pod)   { p.Phase = "Pending" }
func succeeded(p *Pod) { p.Phase = "Succeeded" }
func failed(p *Pod)    { p.Phase = "Failed" }
func dying(p *Pod)     { p.Deleted = takenAt.Add(10 * time.Minute) }
func dead(p *Pod)      { p.Deleted = takenAt.Add(10 * time.Second) }
func overdue(p *Pod)   { p.Deleted = takenAt.Add(-10 * time.Minute) }

// expiring gives a pod five minutes from the time of the current state, expired has it
// end before that.
func expiring(p *Pod) { p.Started, p.ActiveDeadline = takenAt.Add(-time.Minute), 360 }
func expired(p *Pod)  { p.Started, p.ActiveDeadline = takenAt.Add(-time.Minute), 30 }
func ephemeral(names ...string) func(*Pod) {
	return func(p *Pod) { p.Ephemeral = names }
}
func asks(milli int64) func(*Pod) {
	return func(p *Pod) { p.Requests.MilliCPU = milli }
}
func asksToRestart(milli int64) func(*Pod) {
	return func(p *Pod) { p.Requests.MilliCPU, p.RestartOnResize = milli, fmt.Sprint("c: cpu ", milli) }
}
func unreadablePod(p *Pod) {
	*p = Pod{Key: p.Key, CreateRevision: p.CreateRevision, ModRevision: p.ModRevision, Unreadable: "encrypted"}
}
func unbound(nodes ...string) func(*Pod) {
	return func(p *Pod) { p.NodeName, p.Phase, p.Choices, p.ChoicesKnown = "", "Pending", nodes, true }
}
func unboundUnasked(p *Pod) { p.NodeName, p.Phase = "", "Pending" }

func nodesOf(version string, names ...string) []Node {
	var list []Node
	for _, name := range names {
		list = append(list, Node{Name: name, KubeletVersion: version})
	}
	return list
}

// states returns a cluster with these pods, nil ones left out.
func states(before, after []*Pod) (backup, current *State) {
	backup = &State{
		Revision: backupAt, NewestRecord: backupAt, SeenRevision: backupAt, ClusterUID: "cluster",
		Time:  takenAt.Add(-10 * time.Minute),
		Nodes: nodesOf("v1.37.2", "n1", "n2", "n3", "n4"),
	}
	current = &State{
		Revision: currentAt, NewestRecord: currentAt, SeenRevision: currentAt, ClusterUID: "cluster",
		Time:            takenAt,
		Nodes:           nodesOf("v1.37.2", "n1", "n2", "n3", "n5"),
		LastSeen:        map[string]Sighting{},
		NewestPodChange: seenAt,
	}
	for _, n := range current.Nodes {
		current.LastSeen[n.Name] = Sighting{seenAt, "/registry/pods/ns/seen-on-" + n.Name}
	}
	for _, p := range before {
		if p != nil {
			backup.Pods = append(backup.Pods, p)
		}
	}
	for _, p := range after {
		if p != nil {
			current.Pods = append(current.Pods, p)
		}
	}
	return backup, current
}

// mustPredict says what the outcome is once kubelets have relisted their pods.
func mustPredict(t testing.TB, backup, current *State, plan Plan) *Prediction {
	t.Helper()
	if err := Check(backup, current); err != nil {
		t.Fatal(err)
	}
	p, _, err := Compare(backup, current).settle(plan)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// describe is an outcome in a line: rule, outcome, what heals it, where it runs, what
// the API shows, the flags, and "?" where it is only possible.
func describe(o PodOutcome) string {
	s := fmt.Sprintf("%s %s %s", o.Rule, o.Outcome, o.Heals)
	if len(o.RunsOn) > 0 {
		s += " on " + strings.Join(o.RunsOn, ",")
	}
	if len(o.MayRunOn) > 0 {
		s += " perhaps on " + strings.Join(o.MayRunOn, ",")
	}
	if o.API != nil {
		s += " api " + o.API.Phase
		if o.API.Node != "" {
			s += "@" + o.API.Node
		}
		if o.API.Terminating {
			s += "/terminating"
		}
	}
	for _, f := range o.Flags {
		s += " +" + string(f)
	}
	if o.Certainty != Certain {
		s += " ?"
	}
	return s
}

// TestDecisionTable plays every row in every mode.
func TestDecisionTable(t *testing.T) {
	for _, tt := range decisions {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string][]string{}
			for _, mode := range modes {
				p := predictPods(t, tt.was, tt.now, mode.plan)
				for _, o := range p.Pods {
					got[mode.name] = append(got[mode.name], describe(o))
					checkSpoken(t, o)
				}
			}
			want := map[string][]string{"plain": tt.plain, "bump": tt.bump, "restart": tt.restart, "keep": tt.keep}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func predictPods(t *testing.T, before, after *Pod, plan Plan) *Prediction {
	t.Helper()
	backup, current := states([]*Pod{before}, []*Pod{after})
	return mustPredict(t, backup, current, plan)
}

// checkSpoken makes sure that an outcome says what it must, in full.
func checkSpoken(t *testing.T, o PodOutcome) {
	t.Helper()
	for what, text := range map[string]string{
		"reason": o.Reason, "certainty reason": o.CertaintyReason, "action": o.Action, "severity": string(o.Severity), "heals": string(o.Heals),
	} {
		if text == "" || strings.Contains(text, "$") || strings.Contains(text, "  ") {
			t.Errorf("%s of %s: %q", what, describe(o), text)
		}
	}
	if o.Outcome.Info().ID == "" || !slices.ContainsFunc(Rules, func(r RuleInfo) bool { return r.ID == o.Rule }) {
		t.Errorf("outcome %q or rule %q has no entry in its table", o.Outcome, o.Rule)
	}
	if o.Flags == nil || o.RunsOn == nil || len(o.Evidence) == 0 {
		t.Errorf("%s has no flags, nodes or evidence: %+v", describe(o), o)
	}
}

// TestCertainty moves the restored revision past what kubelets and API servers
// have seen: at least revision 1900, at most 2500.
func TestCertainty(t *testing.T) {
	tests := []struct {
		name string
		plan Plan
		seen int64 // by n1's kubelet; 0 is unknown
		want string
	}{
		{"plain", Plan{}, seenAt, "phantom certain"},
		{"seen well after the backup", Plan{}, backupAt + startupWrites, "phantom certain"},
		{"seen within the start-up writes", Plan{}, backupAt + startupWrites - 1, "phantom possible"},
		{"nothing seen", Plan{}, 0, "phantom possible"},
		{"bump below what was seen", bump(500), seenAt, "phantom certain"},
		{"bump just below what was seen", bump(seenAt - startupWrites - backupAt), seenAt, "phantom certain"},
		{"bump up to the start-up writes below", bump(seenAt - startupWrites + 1 - backupAt), seenAt, "phantom possible"},
		{"bump to the current revision", bump(currentAt - backupAt), seenAt, "phantom possible"},
		{"bump to all that was plausibly written since", bump(24_500 - backupAt), seenAt, "phantom possible"},
		{"bump above it", bump(24_501 - backupAt), seenAt, "phantom unlikely"},
		{"bump to all that can have been written since", bump(182_000 - backupAt), seenAt, "phantom unlikely"},
		{"bump above that", bump(182_001 - backupAt), seenAt, "terminated certain"},

		{"kept", kept(Plan{}), seenAt, "hidden certain"},
		{"kept, bump to one above what was seen", kept(bump(seenAt + 1 - backupAt)), seenAt, "hidden certain"},
		{"kept, bump to two above what was seen", kept(bump(seenAt + 2 - backupAt)), seenAt, "hidden possible"},
		{"kept, bump to one above all plausible", kept(bump(24_501 - backupAt)), seenAt, "hidden possible"},
		{"kept, bump to one above all", kept(bump(182_001 - backupAt)), seenAt, "hidden unlikely"},
		{"kept, bump to two above all", kept(bump(182_002 - backupAt)), seenAt, "terminated certain"},
		{"kept, kubelets restarted", kept(Plan{RestartKubelets: Restart{All: true}}), seenAt, "hidden certain"},

		{"its kubelet restarted", Plan{RestartKubelets: Restart{Nodes: []string{"n1"}}}, seenAt, "terminated certain"},
		{"another kubelet restarted", Plan{RestartKubelets: Restart{Nodes: []string{"n2"}}}, seenAt, "phantom certain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states(nil, []*Pod{made()})
			current.LastSeen["n1"] = Sighting{tt.seen, "/registry/pods/ns/p"}
			p := mustPredict(t, backup, current, tt.plan)
			if got := fmt.Sprintf("%s %s", p.Pods[0].Outcome, p.Pods[0].Certainty); got != tt.want {
				t.Errorf("got %s (%s), want %s", got, p.Pods[0].CertaintyReason, tt.want)
			}
		})
	}
}

// TestNothingBoundsWhatIsMissing: where evidence is missing and nothing bounds what is in it,
// no bump makes it unlikely that watchers have seen more, or sure that they have not.
func TestNothingBoundsWhatIsMissing(t *testing.T) {
	for _, keep := range []bool{false, true} {
		for _, n := range []int64{24_000, 24_500, 24_501, 100_000, 182_000, 182_002, 1_000_000} {
			backup, current := states(nil, []*Pod{made()})
			current.Missing = []snapshot.Missing{{Kind: snapshot.MissingEnd, What: "the end of its log"}}
			plan := bump(n - backupAt)
			plan.KeepAPIServers = keep
			p := mustPredict(t, backup, current, plan)
			if o := &p.Pods[0]; o.Certainty != Possible || o.Outcome == Terminated || p.Revisions.BumpVerdict != BumpUnsure || strings.Contains(p.Revisions.BumpReason, "probably enough") {
				t.Errorf("kept %t, a store that starts at %d: %s (%s), the bump is %s: %s", keep, n, describe(*o), o.Certainty, p.Revisions.BumpVerdict, p.Revisions.BumpReason)
			}
			above, want := strings.Contains(p.Nodes[0].Reason, "above what the evidence shows its kubelet to have plausibly seen (24500)"), n > 24_500 && n <= 182_000
			if above != want && !keep {
				t.Errorf("a store that starts at %d: %s", n, p.Nodes[0].Reason)
			}
		}
	}
}

func bump(n int64) Plan { return Plan{BumpRevision: n, MarkCompacted: true} }

func kept(p Plan) Plan {
	p.KeepAPIServers = true
	return p
}

// TestUnsureOfNothing: what is the same whether a kubelet is deaf or not is
// certain even when that is not known.
func TestUnsureOfNothing(t *testing.T) {
	tests := []struct {
		name     string
		was, now *Pod
		want     Certainty
	}{
		{"unchanged", was(), pod("uid", 500, 600), Certain},
		{"ended", nil, made(failed), Certain},
		{"deletion lost", was(), now(dying), Certain},
		{"ghost", was(), nil, Possible},
		{"image changed", was(), now(image("v2")), Possible},
		{"ended since", was(never), now(never, failed), Possible},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
			current.LastSeen = nil
			if got := mustPredict(t, backup, current, Plan{}).Pods[0]; got.Certainty != tt.want {
				t.Errorf("%s: got %s, want %s (%s)", describe(got), got.Certainty, tt.want, got.CertaintyReason)
			}
		})
	}
}

// TestStaggered restarts the kubelet of one of two nodes that hold a pod of the
// same name.
func TestStaggered(t *testing.T) {
	tests := []struct {
		restart  string
		backup   string // the backup's pod, on n2
		current  string // the current state's pod, on n1
		reasoned string // in the reason of the latter
	}{
		{"none", "2b ghost relist api Running@n2 +same-name-other-node", "2b phantom relist on n1 +same-name-other-node", "keeps its old watch"},
		{"n1", "2b ghost relist api Running@n2 +same-name-other-node", "2b terminated self +same-name-other-node", "1 s"},
		{"n2", "2b restarted self on n2 api Running@n2 +same-name-other-node +double-run", "2b phantom relist on n1 +same-name-other-node +double-run", twinReasons[nowLong]},
		{"n1,n2", "2b restarted self on n2 api Running@n2 +same-name-other-node +double-run", "2b terminated self +same-name-other-node +double-run", twinReasons[nowShort]},
	}
	for _, tt := range tests {
		t.Run(tt.restart, func(t *testing.T) {
			backup, current := states([]*Pod{was(on("n2"))}, []*Pod{made()})
			p := mustPredict(t, backup, current, Plan{RestartKubelets: ParseRestart(tt.restart)})
			if diff := cmp.Diff([]string{tt.backup, tt.current}, []string{describe(p.Pods[0]), describe(p.Pods[1])}); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(p.Pods[1].Reason, tt.reasoned) {
				t.Errorf("reason %q lacks %q", p.Pods[1].Reason, tt.reasoned)
			}
		})
	}
}

// TestOrphanedTombstone: a deletion whose pod only the backup has counts for the
// node that the pod had there.
func TestOrphanedTombstone(t *testing.T) {
	for _, tt := range []struct {
		name     string
		revision int64
		before   int64 // seen of another pod, 0 for nothing
		want     int64
	}{
		{"after the backup", 1500, 0, 1500},
		{"before the backup", 900, 0, 0},
		{"after what was seen of others", 1500, 1400, 1500},
		{"before what was seen of others", 1500, seenAt, seenAt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states([]*Pod{was()}, nil)
			current.LastSeen = nil
			if tt.before > 0 {
				current.LastSeen = map[string]Sighting{"n1": {tt.before, "/registry/pods/ns/z"}}
			}
			current.Tombstones = []Tombstone{{Key: "/registry/pods/ns/p", Revision: tt.revision, Orphan: true}}
			p := mustPredict(t, backup, current, Plan{})
			if got := p.Nodes[0].LastSeen.AtLeast; got != tt.want {
				t.Errorf("n1 has seen %d, want %d", got, tt.want)
			}
		})
	}
}

// TestDamage: what a damaged snapshot lacks may still have been in it.
func TestDamage(t *testing.T) {
	deleted := []Tombstone{{Key: "/registry/pods/ns/p", Revision: 1500, Node: "n1"}}
	tests := []struct {
		name            string
		backup, current bool
		was, now        *Pod
		tombstones      []Tombstone
		want            Certainty
	}{
		{"missing in a damaged current state", false, true, was(), nil, nil, Possible},
		{"missing there, and seen deleted", false, true, was(), nil, deleted, Certain},
		{"missing in a damaged backup", true, false, nil, pod("new", 900, seenAt), nil, Possible},
		{"created after a damaged backup", true, false, nil, made(), nil, Certain},
		{"on a node missing in a damaged current state", false, true, was(on("n4")), nil, deleted, Possible},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
			current.Tombstones = tt.tombstones
			for side, damaged := range map[*State]bool{backup: tt.backup, current: tt.current} {
				if damaged {
					side.Missing = unread(0)
				}
			}
			p := mustPredict(t, backup, current, Plan{})
			if got := p.Pods[0]; got.Certainty != tt.want {
				t.Errorf("%s: got %s, want %s (%s)", describe(got), got.Certainty, tt.want, got.CertaintyReason)
			}
			if !slices.ContainsFunc(p.Warnings, func(s string) bool {
				return strings.HasSuffix(s, "lacks what cannot be read. Pods and nodes may be missing from this prediction.")
			}) {
				t.Errorf("no warning of what is missing in %q", p.Warnings)
			}
		})
	}
}

// TestNoNodes: without Node objects in the current state no machine is taken to
// be gone, nor its kubelet to live, and only a stated version of Kubernetes makes
// anything certain.
func TestNoNodes(t *testing.T) {
	neither := made(on("n7"))
	neither.Key, neither.Name = "/registry/pods/ns/q", "q"
	backup, current := states([]*Pod{was()}, []*Pod{neither})
	current.Nodes = nil
	for version, want := range map[string][]string{
		"":     {"3 ghost relist api Running@n1 ?", "1 phantom relist on n7 ?"},
		"1.37": {"3 ghost relist api Running@n1", "1 phantom relist on n7 ?"},
	} {
		p := mustPredict(t, backup, current, Plan{KubernetesVersion: version})
		if diff := cmp.Diff(want, []string{describe(p.Pods[0]), describe(p.Pods[1])}); diff != "" {
			t.Errorf("%q: %s", version, diff)
		}
	}
}

// TestFirstNodeIsNew: the node that is first by its name is a node as any other.
func TestFirstNodeIsNew(t *testing.T) {
	backup, current := states(nil, []*Pod{made(mirror)})
	backup.Nodes = backup.Nodes[1:] // without n1
	p := mustPredict(t, backup, current, bump(1_000_000))
	if got, want := describe(p.Pods[0]), "6 mirror never on n1 +node-missing"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSharedUID: forged evidence gives one row a uid, and takes it for nothing.
func TestSharedUID(t *testing.T) {
	other := was()
	other.Key, other.Name = "/registry/pods/ns/q", "q"
	backup, current := states([]*Pod{was(), other}, nil)
	p := mustPredict(t, backup, current, Plan{})
	if len(p.Pods) != 1 || p.Pods[0].Outcome != Unknown || len(p.Pods[0].Evidence) != 2 {
		t.Errorf("got %+v", p.Pods)
	}
}

func TestRevisions(t *testing.T) {
	const basis = "the outage came within 15 minutes of the current snapshot (revision 2000), and no more than 180000 revisions were written between them"
	plain := Revisions{
		Backup: backupAt, Current: currentAt, Gap: 1000, Restored: backupAt,
		MinimumSafeBump: 1001, MinimumSafeBumpIs: LowerBound, RecommendedBump: 1_001_500,
		BumpVerdict: NoBump, BumpReason: "Without a bump the restored store starts below what its watchers have seen.",
		LastSeenExpected: 2500, LastSeenAtMost: 182_000, LastSeenBasis: basis,
		BlindAfter: &takenAt,
	}
	enough := func(from, top int64, basis string) string {
		return fmt.Sprintf("The restored store starts at revision %d, above all that watchers can have seen (%d). This rests on the following: %s.", from, top, basis)
	}
	tests := []struct {
		name   string
		plan   Plan
		deaf   bool
		change func(*Revisions)
	}{
		{"plain", Plan{}, true, func(*Revisions) {}},
		{"half the gap", bump(500), true, func(r *Revisions) {
			r.Restored, r.BumpVerdict = 1500, BumpSmall
			r.BumpReason = "The restored store starts at revision 1500, and revision 2000 was served before the outage: watchers may have seen later revisions than the store starts at."
		}},
		{"the minimum", bump(1001), true, func(r *Revisions) {
			r.Restored, r.BumpVerdict = 2001, BumpUnsure
			r.BumpReason = "The restored store starts at revision 2001, and revision 2000 was served before the outage: the bump is enough only if little was written after that."
		}},
		{"the recommended", bump(1_001_500), false, func(r *Revisions) {
			r.Restored, r.BumpVerdict = 1_002_500, BumpEnough
			r.BumpReason = enough(1_002_500, 182_000, basis)
		}},
		{"API servers kept", kept(bump(1001)), false, func(r *Revisions) {
			r.Restored, r.MinimumSafeBump, r.BumpVerdict = 2001, 1002, BumpSmall
			r.BumpReason = "The restored store starts at revision 2001, and revision 2000 was served before the outage: watchers may have seen later revisions than the store starts at."
		}},
		{"all kubelets restarted", Plan{RestartKubelets: Restart{All: true}}, false, func(*Revisions) {}},
		{"a stated last revision", stated(2300, Plan{}), true, func(r *Revisions) {
			r.MinimumSafeBump, r.MinimumSafeBumpIs, r.RecommendedBump = 1301, ExactForStated, 1_001_950
			r.LastSeenExpected, r.LastSeenAtMost, r.LastSeenBasis = 2300, 2300, "no watcher has seen a revision above 2300, as stated"
		}},
		{"one above the stated", stated(2300, bump(1301)), false, func(r *Revisions) {
			r.Restored, r.BumpVerdict = 2301, BumpEnough
			r.MinimumSafeBump, r.MinimumSafeBumpIs, r.RecommendedBump = 1301, ExactForStated, 1_001_950
			r.LastSeenExpected, r.LastSeenAtMost, r.LastSeenBasis = 2300, 2300, "no watcher has seen a revision above 2300, as stated"
			r.BumpReason = enough(2301, 2300, r.LastSeenBasis)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := plain
			tt.change(&want)
			backup, current := states(nil, nil)
			got := mustPredict(t, backup, current, tt.plan).Revisions
			if (got.Deaf != nil) != tt.deaf {
				t.Errorf("deaf: %+v", got.Deaf)
			}
			got.Deaf = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func stated(revision int64, p Plan) Plan {
	p.LastRevision = revision
	return p
}

// TestStatedRevision: with respect to the newest revision that a watcher has
// seen, the restored revision must be one above it for fresh API servers and two
// above it for those left running (apiserver watch_cache_history.go, etcd
// watcher_group.go).
func TestStatedRevision(t *testing.T) {
	const last = 2300
	for _, tt := range []struct {
		name     string
		restored int64
		keep     bool
		want     Kubelet
		sure     Certainty
		outcome  Outcome
	}{
		{"at it", last, false, KubeletDeaf, Possible, Phantom},
		{"one above", last + 1, false, KubeletRelists, Certain, Terminated},
		{"kept, one above", last + 1, true, KubeletStale, Possible, Hidden},
		{"kept, two above", last + 2, true, KubeletRelists, Certain, Terminated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states(nil, []*Pod{made()})
			plan := stated(last, bump(tt.restored-backupAt))
			plan.KeepAPIServers = tt.keep
			p := mustPredict(t, backup, current, plan)
			n := p.Nodes[slices.IndexFunc(p.Nodes, func(n NodeOutcome) bool { return n.Name == p.Pods[0].Node })]
			if n.Kubelet != tt.want || n.Certainty != tt.sure || p.Pods[0].Outcome != tt.outcome {
				t.Errorf("got %s %s, pod %s; want %s %s, pod %s", n.Certainty, n.Kubelet, p.Pods[0].Outcome, tt.sure, tt.want, tt.outcome)
			}
		})
	}
}

// TestStatedTooLow: what the current snapshot itself was served with is no bound
// on what watchers have seen, but a stated revision below it is worth a word.
func TestStatedTooLow(t *testing.T) {
	backup, current := states(nil, nil)
	for stated, want := range map[int64]bool{0: false, currentAt - 50: true, currentAt: false} {
		p := mustPredict(t, backup, current, Plan{LastRevision: stated})
		if got := slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "is below that of the current snapshot") }); got != want {
			t.Errorf("stated %d: warned %t: %q", stated, got, p.Warnings)
		}
	}
}

// TestHiddenPast: what the current snapshot does not show of its own past raises
// the bound of what watchers have seen, and the recommended bump with it; a stated
// revision settles it.
func TestHiddenPast(t *testing.T) {
	day := func(s *State, at time.Time) { // written at one revision a second
		var marks []clock.Mark
		for i := range int64(600) {
			marks = append(marks, clock.Mark{Revision: s.Revision - i, Time: at.Add(-time.Duration(i) * time.Second), Source: clock.Renewal, By: "n1"})
		}
		slices.Reverse(marks)
		s.Clock = clock.New(marks, s.Revision, nil)
	}
	headless := func(c *Comparison) {
		c.current.Missing = unread(5_000_000)
	}
	erased := func(c *Comparison) { c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Unseen: "erased"} }
	for _, tt := range []struct {
		name   string
		change func(*Comparison)
		atMost int64
	}{
		{"none", func(*Comparison) {}, 182_000},
		{"the newest revisions cannot be read", headless, 5_182_000},
		{"an earlier restore in a day", erased, backupAt + 24*3600*200 + 20*200}, // taken at the latest 20 s after the newest renewal
	} {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states(nil, []*Pod{made()})
			day(backup, takenAt.Add(-24*time.Hour))
			day(current, takenAt)
			c := Compare(backup, current)
			tt.change(c)
			at := func(plan Plan) *Prediction {
				p, err := c.Predict(plan)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			plain := at(Plan{}).Revisions
			if plain.LastSeenAtMost != tt.atMost || backupAt+plain.RecommendedBump <= tt.atMost {
				t.Errorf("seen at most %d, want %d; recommended bump %d", plain.LastSeenAtMost, tt.atMost, plain.RecommendedBump)
			}
			for _, b := range []struct {
				plan    Plan
				verdict BumpVerdict
				outcome Outcome
			}{
				{bump(tt.atMost - backupAt), BumpUnsure, Phantom},
				{bump(tt.atMost - backupAt + 1), BumpEnough, Terminated},
				{stated(2000, bump(1001)), BumpEnough, Terminated},
			} {
				p := at(b.plan)
				if p.Revisions.BumpVerdict != b.verdict || p.Pods[0].Outcome != b.outcome {
					t.Errorf("bump %d: %s, pod %s %s; want %s, %s", b.plan.BumpRevision, p.Revisions.BumpVerdict, p.Pods[0].Certainty, p.Pods[0].Outcome, b.verdict, b.outcome)
				}
			}
		})
	}
}

// TestRefusedEvidence: evidence that the current snapshot contradicts.
func TestRefusedEvidence(t *testing.T) {
	backup, current := states(nil, []*Pod{made()})
	for _, plan := range []Plan{
		{LastRevision: -1},
		{LastRevision: seenAt - 1},
		{OutageAt: takenAt.Add(time.Hour)}, // without a clock
	} {
		_, err := Predict(backup, current, plan)
		var refused *PlanError
		if !errors.As(err, &refused) || refused.Hint() == "" {
			t.Errorf("%+v: got %v", plan, err)
		}
	}
}

// TestHugeRevisions: revisions read off a forged file do not overflow.
func TestHugeRevisions(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{made()})
	current.Revision, current.NewestRecord, current.SeenRevision = math.MaxInt64, math.MaxInt64, math.MaxInt64
	current.LastSeen["n1"] = Sighting{math.MaxInt64, "/registry/pods/ns/p"}
	p := mustPredict(t, backup, current, kept(Plan{}))
	if r := p.Revisions; r.RecommendedBump != 0 || r.MinimumSafeBump != 0 || r.NoBumpFits == "" || r.LastSeenAtMost != math.MaxInt64 {
		t.Errorf("got %+v", r)
	}
	p = mustPredict(t, backup, current, bump(math.MaxInt64-backupAt))
	if got := p.Pods[1]; got.Outcome != Phantom {
		t.Errorf("got %s", describe(got))
	}
}

// TestSuggestedBumps: no number is suggested that a plan is refused for, or that leaves
// the store no room, wherever the revisions lie.
func TestSuggestedBumps(t *testing.T) {
	for _, seen := range []int64{currentAt, math.MaxInt64 - 1<<41, lastStart - 1, lastStart, lastStart + 1, math.MaxInt64 - 1, math.MaxInt64} {
		for _, stated := range []bool{false, true} {
			for _, plan := range []Plan{{}, kept(Plan{})} {
				backup, current := states([]*Pod{was()}, []*Pod{made()})
				if plan.LastRevision = 0; stated {
					plan.LastRevision = seen
				} else {
					current.Revision, current.NewestRecord, current.SeenRevision = seen, seen, seen
				}
				p := mustPredict(t, backup, current, plan)
				r := &p.Revisions
				if fits := r.NoBumpFits == ""; fits != (seen < lastStart && (!plan.KeepAPIServers || seen < lastStart-1)) {
					t.Errorf("%d, stated %v: no bump fits: %q", seen, stated, r.NoBumpFits)
				}
				all, err := Compare(backup, current).ComparePlans(plan)
				if err != nil {
					t.Fatal(err)
				}
				if bumps := slices.ContainsFunc(all.Modes, func(m ModeOutcome) bool { return m.Plan.BumpRevision > 0 }); bumps != (r.NoBumpFits == "") {
					t.Errorf("%d, stated %v: compares a bump %v, and says %q", seen, stated, bumps, r.NoBumpFits)
				}
				for _, n := range []int64{r.MinimumSafeBump, r.RecommendedBump} {
					if r.NoBumpFits != "" && n != 0 || r.NoBumpFits == "" && n <= 0 {
						t.Errorf("%d, stated %v: suggests %d, and says %q", seen, stated, n, r.NoBumpFits)
					}
					if n == 0 {
						continue
					}
					plan.BumpRevision, plan.MarkCompacted = n, true
					if p := mustPredict(t, backup, current, plan); p.Revisions.Restored <= seen || p.Revisions.Restored > lastStart {
						t.Errorf("%d, stated %v: a bump of %d starts at %d", seen, stated, n, p.Revisions.Restored)
					}
				}
				if _, err := Compare(backup, current).ComparePlans(Plan{LastRevision: plan.LastRevision}); err != nil {
					t.Errorf("%d, stated %v: %v", seen, stated, err)
				}
			}
		}
	}
}

func TestNodes(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{made()})
	p := mustPredict(t, backup, current, Plan{RestartKubelets: Restart{Nodes: []string{"n2"}}})
	var got []string
	for _, n := range p.Nodes {
		got = append(got, fmt.Sprintf("%s %s %s %d-%d %v phantoms=%d ghosts=%d", n.Name, n.Kubelet, n.Certainty, n.LastSeen.AtLeast, n.LastSeen.AtMost, n.Flags, n.Phantoms, n.Ghosts))
	}
	want := []string{
		"n1 deaf certain 1900-182000 [] phantoms=1 ghosts=1",
		"n2 restarted certain 1900-182000 [] phantoms=0 ghosts=0",
		"n3 deaf certain 1900-182000 [] phantoms=0 ghosts=0",
		"n4 gone certain 0-182000 [node-gone] phantoms=0 ghosts=0",
		"n5 deaf certain 1900-182000 [node-missing] phantoms=0 ghosts=0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestLineage: what was found of the histories goes into the prediction.
func TestLineage(t *testing.T) {
	backup, current := states(nil, nil)
	c := Compare(backup, current)
	warned := func(text string) bool {
		p, err := c.Predict(bump(500))
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, text) })
	}
	if p := mustPredict(t, backup, current, Plan{}); p.Lineage.Relation != lineage.Unknown {
		t.Errorf("not compared: %+v", p.Lineage)
	}
	c.Lineage = &lineage.Lineage{Relation: lineage.Diverged, Predictable: "Some."}
	if !warned("different histories: an earlier restore lies between them. Some.") {
		t.Error("no warning of diverged histories")
	}
	marker := lineage.Restore{Snapshot: "current", Revision: 1500, Sign: "bump marker", Certain: true}
	c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Restores: []lineage.Restore{marker}}
	if !warned("already, and the plan's bump starts it at 1500 only") {
		t.Error("no warning of a bump that was passed")
	}
	c.Lineage.Restores = []lineage.Restore{{Snapshot: "backup", Sign: "raft index", Certain: true}}
	if !warned("restored without a bump before the backup was saved") {
		t.Error("no warning of kubelets that may have been deaf before")
	}
	c.Lineage.Restores = []lineage.Restore{marker}
	marker.Bump = 500
	c.Lineage.Restores[0] = marker
	if !warned("restored before with a bump of 500, to revision 1500") {
		t.Error("no warning of the same bump again")
	}
}

func TestCheck(t *testing.T) {
	backup, current := states(nil, nil)
	if err := Check(backup, current); err != nil {
		t.Error(err)
	}
	if err := Check(current, backup); !errors.Is(err, ErrSwapped) {
		t.Errorf("swapped: %v", err)
	}
	backup.Missing = unread(0)
	if err := Check(current, backup); !errors.Is(err, ErrCutShort) {
		t.Errorf("cut short: %v", err)
	}
	current.ClusterUID = "other"
	if err := Check(backup, current); !errors.Is(err, ErrOtherCluster) {
		t.Errorf("other cluster: %v", err)
	}
	if err := Check(current, backup); !errors.Is(err, ErrOtherCluster) {
		t.Errorf("other cluster, and older: %v", err)
	}
	if err := CheckOrder(current, backup); !errors.Is(err, ErrCutShort) {
		t.Errorf("taken to be of one cluster: %v", err)
	}
	if _, err := Predict(backup, current, Plan{}); !errors.Is(err, ErrOtherCluster) {
		t.Errorf("predict: %v", err)
	}
	current.ClusterUID = ""
	if err := Check(backup, current); err != nil {
		t.Errorf("uid unknown: %v", err)
	}
}

// TestJSON pins the names that others rely on.
func TestJSON(t *testing.T) {
	backup, current := states([]*Pod{was(on("n2"))}, nil)
	p := mustPredict(t, backup, current, Plan{RestartKubelets: Restart{Nodes: []string{"n1"}}})
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	pods := got["pods"].([]any)
	row := pods[0].(map[string]any)
	for _, text := range []string{"reason", "certaintyReason", "action"} {
		if row[text] == "" {
			t.Errorf("%s is empty", text)
		}
		delete(row, text)
	}
	want := map[string]any{
		"namespace": "ns", "name": "p", "uid": "uid", "node": "n2",
		"outcome": "ghost", "severity": "critical", "certainty": "certain", "flags": []any{}, "rule": "3",
		"evidence": []any{map[string]any{"snapshot": "backup", "key": "/registry/pods/ns/p", "revision": 600.0}},
		"runsOn":   []any{},
		"api":      map[string]any{"phase": "Running", "node": "n2", "terminating": false},
		"heals":    "relist",
	}
	if diff := cmp.Diff(want, row); diff != "" {
		t.Error(diff)
	}
	delete(got, "pods")
	for name, want := range map[string]any{
		"schemaVersion": 1.0, "kind": "Prediction", "evidence": []any{},
		"plan":    map[string]any{"bumpRevision": 0.0, "markCompacted": false, "restartKubelets": []any{"n1"}, "keepAPIServers": false},
		"summary": map[string]any{"phantom": 0.0, "ghost": 1.0, "hidden": 0.0, "unknown": 0.0, "stale-status": 0.0, "stale-spec": 0.0, "stuck-terminating": 0.0, "lost-deletion": 0.0, "terminated": 0.0, "restarted": 0.0, "lost": 0.0, "finished": 0.0, "mirror": 0.0, "unaffected": 0.0},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestVocabulary: every outcome and flag can come out of the table, and every
// rule of it is described.
func TestVocabulary(t *testing.T) {
	outcomes, flags, rules := map[Outcome]bool{}, map[Flag]bool{}, map[Rule]bool{}
	for _, tt := range decisions {
		for _, mode := range modes {
			for _, o := range predictPods(t, tt.was, tt.now, mode.plan).Pods {
				outcomes[o.Outcome], rules[o.Rule] = true, true
				for _, f := range o.Flags {
					flags[f] = true
				}
			}
		}
	}
	for _, tt := range ontoDecisions {
		rules[predictOnto(t, ontoState(tt.was)).Pods[0].Rule] = true
	}
	for _, o := range Outcomes {
		if !outcomes[o.ID] {
			t.Errorf("outcome %s never comes out", o.ID)
		}
	}
	for _, f := range Flags {
		switch f.ID { // of nodes, and not of rows: TestUnreachable, TestCordons
		case FlagNodeUnreachable, FlagCordonLost, FlagCordonBack:
			continue
		}
		if !flags[f.ID] {
			t.Errorf("flag %s never comes out", f.ID)
		}
	}
	for _, r := range Rules {
		if !rules[r.ID] || r.Title == "" || r.Source == "" {
			t.Errorf("rule %s never comes out, or lacks its source", r.ID)
		}
	}
}

func TestHeadline(t *testing.T) {
	tests := []struct {
		name     string
		was, now *Pod
		plan     Plan
		severity Severity
		want     string
	}{
		{"phantom and ghost", was(on("n2")), made(), Plan{}, Critical, "Of 2 pods, 1 keeps running, but the API does not know it (a phantom) and 1 is shown by the API although nothing runs (a ghost)."},
		{"possible", was(unbound("n1", "n2")), now(), Plan{}, Critical, "Of 1 pod, up to 1 keeps running, but the API does not know it (a phantom)."},
		{"a late status", was(pending), now(), Plan{}, Warning, "Of 1 pod, 1 keeps a stale status."},
		{"nothing, deaf", was(), now(), Plan{}, Warning, "No phantoms and no ghosts are predicted among the pods of the snapshots, but kubelets may be deaf: pods created meanwhile may never start, and deleted pods may keep running."},
		{"nothing, from a stale cache", was(), now(), Plan{KeepAPIServers: true}, Warning, "No phantoms and no ghosts are predicted among the pods of the snapshots, but API servers that are left running may keep serving a state that etcd has lost."},
		{"nothing, all list", was(), now(), bump(1_000_000), OK, "No phantoms and no ghosts are predicted: every kubelet relists its pods, within 120 s of the API being back."},
		{"stopped", nil, made(), bump(1_000_000), Warning, "No phantoms and no ghosts are predicted: every kubelet relists its pods, within 120 s of the API being back. Of 1 pod, 1 is stopped by its kubelet."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			severity, got := predictPods(t, tt.was, tt.now, tt.plan).Headline()
			if severity != tt.severity || got != tt.want {
				t.Errorf("got %s: %s", severity, got)
			}
		})
	}
}

// TestHeadlineNumbers: how many pods are counted by how sure they are, in the number that
// is named.
func TestHeadlineNumbers(t *testing.T) {
	for _, tt := range []struct {
		certain, possible, unlikely int
		want                        string
	}{
		{1, 0, 0, "1 keeps a stale status"},
		{2, 0, 0, "2 keep a stale status"},
		{0, 1, 0, "up to 1 keeps a stale status"},
		{0, 2, 0, "up to 2 keep a stale status"},
		{1, 1, 0, "1 to 2 keep a stale status"},
		{0, 0, 1, "up to 1, though that is unlikely, keeps a stale status"},
		{0, 0, 2, "up to 2, though that is unlikely, keep a stale status"},
		{1, 0, 1, "1 keeps a stale status"},
		{0, 1, 1, "up to 1 keeps a stale status"},
		{2, 1, 4, "2 to 3 keep a stale status"},
	} {
		p := &Prediction{}
		for _, of := range []struct {
			n  int
			as Certainty
		}{{tt.certain, Certain}, {tt.possible, Possible}, {tt.unlikely, Unlikely}} {
			for range of.n {
				p.Pods = append(p.Pods, PodOutcome{Finding: &Finding{Outcome: StaleStatus, Severity: Warning}, Certainty: of.as})
			}
		}
		want := fmt.Sprintf("Of %s, %s.", words.Count(len(p.Pods), "pod"), tt.want)
		if severity, got := p.Headline(); severity != Warning || got != want {
			t.Errorf("%d, %d and %d: %s: %s, want %s", tt.certain, tt.possible, tt.unlikely, severity, got, want)
		}
	}
}

// unread is missing from a damaged snapshot, with that many newer revisions in it.
func unread(revisions int64) []snapshot.Missing {
	return []snapshot.Missing{{Kind: snapshot.MissingContent, What: "what cannot be read", Revisions: &revisions}}
}

// TestHeadlineOfDamaged: nothing that is predicted of a damaged snapshot stands alone.
func TestHeadlineOfDamaged(t *testing.T) {
	for _, plan := range []Plan{{}, bump(1_000_000), {KeepAPIServers: true}} {
		backup, current := states([]*Pod{was()}, []*Pod{now()})
		current.Missing = unread(0)
		const want = "Evidence is missing: from the current snapshot, what cannot be read. More pods and nodes may be affected than the evidence has. "
		if severity, got := mustPredict(t, backup, current, plan).Headline(); severity != Warning || !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %s: %s", plan, severity, got)
		}
	}
}

// TestNothingSaysThatTheyHear: where the snapshots name no node that lives, no plan
// makes every kubelet relist its pods.
func TestNothingSaysThatTheyHear(t *testing.T) {
	backup, current := states(nil, nil)
	backup.Nodes, current.Nodes, current.LastSeen = nil, nil, nil
	for _, plan := range []Plan{{}, bump(1_000_000), {KeepAPIServers: true}, {RestartKubelets: Restart{All: true}}} {
		const want = "No phantoms and no ghosts are predicted, but the snapshots name no node that is alive: nothing can be predicted for any kubelet."
		if severity, got := mustPredict(t, backup, current, plan).Headline(); severity != Warning || !strings.HasPrefix(got, want+" The rules were seen") {
			t.Errorf("%+v: %s: %s", plan, severity, got)
		}
	}
}

// TestWaitingWhileDeaf: of a pod that is bound in neither snapshot it is said that a
// deaf kubelet would not start it, and only where one is deaf.
func TestWaitingWhileDeaf(t *testing.T) {
	for plan, deaf := range map[*Plan]bool{{}: true, {RestartKubelets: Restart{All: true}}: false} {
		reason := predictPods(t, was(unbound("n1")), now(unbound("n1")), *plan).Pods[0].Reason
		if strings.Contains(reason, "deaf") != deaf {
			t.Errorf("%+v: %s", *plan, reason)
		}
	}
}

// TestLeastHarmHears: where no pod tells the ways to restore apart, the one after
// which kubelets hear what comes next is the least harm.
func TestLeastHarmHears(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{now()})
	all, err := Compare(backup, current).ComparePlans(Plan{})
	if err != nil {
		t.Fatal(err)
	}
	if least := all.Modes[all.LeastHarm]; least.ID != "bump" {
		t.Errorf("the least harm is %s: %s", least.ID, all.Reason)
	}
}

// TestPlacedAmongDeaf restarts the kubelets of some nodes: what the scheduler binds
// to one of the others is never heard of there.
func TestPlacedAmongDeaf(t *testing.T) {
	tests := []struct {
		name     string
		was, now *Pod
		nodes    string // restarted
		want     []string
		severity Severity
	}{
		{
			"its own restarted, the others deaf", was(unbound("n2", "n3")), now(), "n1",
			[]string{"4c terminated relist api Pending +double-bind"}, Critical,
		},
		{
			"its own and one of the others", was(unbound("n2", "n3")), now(), "n1,n2",
			[]string{"4c terminated relist perhaps on n2 api Running +double-bind +double-run ?"}, Critical,
		},
		{
			"its own and all that can take it", was(unbound("n2", "n3")), now(), "n1,n2,n3",
			[]string{"4c terminated self perhaps on n2,n3 api Running +double-bind +double-run"}, Warning,
		},
		{
			"one that can take it", was(unbound("n2", "n3")), now(), "n2",
			[]string{"4c phantom relist on n1 perhaps on n2 api Running +double-bind +double-run"}, Critical,
		},
		{
			"one that cannot", was(unbound("n2", "n3")), now(), "n5",
			[]string{"4c phantom relist on n1 api Pending +double-bind"}, Critical,
		},
		{
			"of a pod that waits", was(unbound("n2", "n3")), nil, "n2",
			[]string{"unbound lost-deletion never perhaps on n2 api Running"}, Warning,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := predictPods(t, tt.was, tt.now, Plan{RestartKubelets: ParseRestart(tt.nodes)})
			var got []string
			for _, o := range p.Pods {
				got = append(got, describe(o))
				checkSpoken(t, o)
				if o.Severity != tt.severity {
					t.Errorf("severity %s", o.Severity)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStartupMargin: how far the store may have come when the last API server that is started
// lists its pods.
func TestStartupMargin(t *testing.T) {
	for _, tt := range []struct {
		nodes, servers int
		restarted      []string // where others are left running
		want           int64
	}{
		{0, 0, nil, 20}, {6, 1, nil, 20}, {7, 1, nil, 21}, {7, 0, nil, 21},
		{4, 2, nil, 20 + 30 + 40}, {10, 3, nil, 30 + 2*130},
		{4, 3, []string{"a"}, 20}, {4, 3, []string{"a", "b"}, 20 + 70}, {4, 0, []string{"a", "b"}, 20 + 70},
	} {
		c := &Comparison{current: &State{Nodes: make([]Node, tt.nodes), APIServers: make([]APIServer, tt.servers)}}
		f := &forecast{Comparison: c, plan: Plan{KeepAPIServers: tt.restarted != nil, RestartAPIServers: tt.restarted}}
		if got := f.startupMargin(); got != tt.want {
			t.Errorf("%d nodes, %d API servers, %v restarted: %d, want %d", tt.nodes, tt.servers, tt.restarted, got, tt.want)
		}
		alone := f.startedServers() == 1
		if got := f.assumptions(); (got == assumesKubeletUp) != alone || !strings.HasPrefix(got, assumesKubeletUp) {
			t.Errorf("%d API servers, %v restarted: assumes %s", tt.servers, tt.restarted, got)
		}
	}
}

// TestExplained: the particulars of a pod are in what is said of it.
func TestExplained(t *testing.T) {
	dies := was(func(p *Pod) { p.Deleted = takenAt.Add(time.Hour) })
	for _, tt := range []struct {
		name     string
		was, now *Pod
		plan     Plan
		want     []string
	}{
		{"its grace period", nil, made(), bump(1_000_000), []string{"its own grace period of 30 s"}},
		{"one of none", nil, made(func(p *Pod) { p.Grace = 0 }), bump(1_000_000), []string{"its own grace period of 0 s"}},
		{"one that is not known", nil, made(func(p *Pod) { p.Grace = -1 }), bump(1_000_000), []string{"its own grace period"}},
		{"when it ends", dies, dies, Plan{}, []string{"until 2026-11-23T06:00:00Z at the latest"}},
		{"its phases", was(never), now(never, failed), Plan{}, []string{"(Failed)", "Running"}},
		{"containers beside it", was(), now(ephemeral("debug")), Plan{}, []string{"Ephemeral containers that were added after the backup run on in it (debug)"}},
	} {
		o := predictPods(t, tt.was, tt.now, tt.plan).Pods[0]
		for _, want := range tt.want {
			if !strings.Contains(o.Reason, want) {
				t.Errorf("%s: %q lacks %q", tt.name, o.Reason, want)
			}
		}
		if unknown := strings.Contains(o.Reason, "grace period of"); unknown && tt.name == "one that is not known" {
			t.Errorf("%s: %q", tt.name, o.Reason)
		}
	}
}

// TestBumpVerdict: from which bump on it is enough, and what it rests on below that.
func TestBumpVerdict(t *testing.T) {
	const little, probably, enough = "enough only if little was written after that", "probably enough", "This rests on the following"
	for _, tt := range []struct {
		bump    int64
		keep    bool
		verdict BumpVerdict
		says    string
	}{
		{0, false, NoBump, "Without a bump"}, {0, true, NoBump, "Without a bump"}, {1, false, BumpSmall, "later revisions"},
		{1000, false, BumpSmall, "later revisions"}, {1001, false, BumpUnsure, little},
		{1001, true, BumpSmall, "later revisions"}, {1002, true, BumpUnsure, little},
		{23_500, false, BumpUnsure, little}, {23_501, false, BumpUnsure, probably},
		{23_501, true, BumpUnsure, little}, {23_502, true, BumpUnsure, probably},
		{181_000, false, BumpUnsure, probably}, {181_001, false, BumpEnough, enough},
		{181_001, true, BumpUnsure, probably}, {181_002, true, BumpEnough, enough},
	} {
		backup, current := states(nil, nil)
		r := mustPredict(t, backup, current, Plan{BumpRevision: tt.bump, MarkCompacted: tt.bump > 0, KeepAPIServers: tt.keep}).Revisions
		if r.BumpVerdict != tt.verdict || !strings.Contains(r.BumpReason, tt.says) {
			t.Errorf("a bump of %d, kept %t: %s: %s", tt.bump, tt.keep, r.BumpVerdict, r.BumpReason)
		}
	}
}

// TestHeadlineSeverity: of pods that come to the same the worst counts, wherever it is.
func TestHeadlineSeverity(t *testing.T) {
	for _, tt := range []struct {
		of   []Severity
		want Severity
	}{
		{[]Severity{OK}, OK}, {[]Severity{OK, OK}, OK}, {[]Severity{OK, Warning}, Warning}, {[]Severity{Warning, OK}, Warning},
		{[]Severity{Critical, Warning}, Critical}, {[]Severity{Warning, Critical, OK}, Critical},
	} {
		p := &Prediction{}
		for _, s := range tt.of {
			p.Pods = append(p.Pods, PodOutcome{Finding: &Finding{Outcome: StaleStatus, Severity: s}, Certainty: Certain})
		}
		if got, _ := p.Headline(); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.of, got, tt.want)
		}
	}
}

// TestHeadlineOfLess: of evidence of which some is missing it is not said that nothing goes
// wrong, but that nothing in it does.
func TestHeadlineOfLess(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{now()})
	backup.Missing = unread(0)
	for plan, want := range map[*Plan]string{
		{BumpRevision: 1_000_000, MarkCompacted: true}: "None of the pods in the evidence is predicted to become a phantom or a ghost: every kubelet relists its pods, within 120 s of the API being back.",
		{}: "None of the pods in the evidence is predicted to become a phantom or a ghost, but kubelets may be deaf: pods created meanwhile may never start, and deleted pods may keep running.",
	} {
		severity, got := mustPredict(t, backup, current, *plan).Headline()
		if want := "Evidence is missing: from the backup, what cannot be read. More pods and nodes may be affected than the evidence has. " + want; severity != Warning || got != want {
			t.Errorf("%+v: %s: %s, want %s", *plan, severity, got, want)
		}
	}
}

// TestPriceOfTwice: how long a double run takes at most is said, however short.
func TestPriceOfTwice(t *testing.T) {
	short := func(p *Pod) { p.Grace = 1 }
	for name, tt := range map[string]struct {
		was, now *Pod
		want     string
	}{
		"of the least":          {was(short), made(short), "1 pod is stopped with its own grace period, 2 pods run twice or together with another pod of their name for up to 2 s and 1 pod is started again."},
		"of a pod on two nodes": {was(unbound("n2"), short), now(short), "1 pod is stopped with its own grace period and 1 pod runs twice for up to 122 s."},
	} {
		if got := predictPods(t, tt.was, tt.now, bump(1_000_000)).Price(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestRestartedNode: a node is restarted by its own name.
func TestRestartedNode(t *testing.T) {
	p := &Prediction{Nodes: []NodeOutcome{{Name: "b", Kubelet: KubeletRestarted}, {Name: "d", Kubelet: KubeletRelists}, {Name: "f", Kubelet: KubeletRestarted}}}
	for name, want := range map[string]bool{"": false, "a": false, "b": true, "c": false, "d": false, "e": false, "f": true, "g": false} {
		if got := p.restarted(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

// TestHeadlineOfUnreachable: a node that was unreachable is named, and does not take back
// what is said of all other kubelets.
func TestHeadlineOfUnreachable(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{now()})
	cutOff(current, "n1")
	p := mustPredict(t, backup, current, Plan{RestartKubelets: ParseRestart("n2,n3,n5")})
	const want = "No phantoms and no ghosts are predicted: every kubelet relists its pods. 1 node was unreachable when the current snapshot was taken: nothing about what runs there is certain."
	if severity, got := p.Headline(); severity != Warning || got != want || !p.Heard() || !p.Qualified() {
		t.Errorf("%s: %s (heard %t)", severity, got, p.Heard())
	}
}

// TestStrayContainersRun: containers that were added are named where they run on, and there
// alone.
func TestStrayContainersRun(t *testing.T) {
	for name, tt := range map[string]struct {
		was, now *Pod
		plan     Plan
		want     string
	}{
		"it runs on":                {was(), now(ephemeral("debug")), Plan{}, "warning See them"},
		"its kubelet relists":       {was(), now(ephemeral("debug")), bump(1_000_000), "warning See them"},
		"it was changed, too":       {was(), now(ephemeral("debug"), image("v2")), Plan{}, "critical Repeat the change"},
		"the erased past is served": {was(), now(ephemeral("debug")), kept(Plan{}), ""},
		"it has ended":              {was(never), now(ephemeral("debug"), never, succeeded), Plan{}, ""},
		"they were there before":    {was(ephemeral("debug")), now(ephemeral("debug")), Plan{}, ""},
	} {
		o := predictPods(t, tt.was, tt.now, tt.plan).Pods[0]
		told := strings.Contains(o.Reason, "Ephemeral containers that were added after the backup run on in it (debug)")
		if got := fmt.Sprint(o.Severity, " ", o.Action); told != (tt.want != "") || told && (!strings.HasPrefix(got, tt.want) || !strings.Contains(got, "See them on its node")) {
			t.Errorf("%s: %s: %s", name, got, o.Reason)
		}
	}
}

// TestHeadlineOfOneNode: the only kubelet there is is every kubelet.
func TestHeadlineOfOneNode(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{now()})
	backup.Nodes, current.Nodes = backup.Nodes[:1], current.Nodes[:1]
	current.LastSeen = nil
	for plan, want := range map[*Plan]bool{{BumpRevision: 1_000_000, MarkCompacted: true}: true, {}: false} {
		p := mustPredict(t, backup, current, *plan)
		if _, text := p.Headline(); p.Heard() != want || strings.Contains(text, "every kubelet relists") != want {
			t.Errorf("%+v: heard %t: %s", *plan, p.Heard(), text)
		}
	}
}
