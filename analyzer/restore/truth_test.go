package restore_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

const clusters = "../../testdata/clusters"

// truth is what real kubelets and API servers showed: see the README of the
// clusters.
type truth struct {
	Plan      restore.Plan
	Revisions struct{ BeforeStop, RestoredTo int64 }
	// KubeletResourceVersion is what each kubelet had seen last: the L that
	// predictions only have bounds of.
	KubeletResourceVersion map[string]json.Number
	// KubeletRequestsAfterStop are time, verb, resourceVersion and what a watch begins
	// with, by node.
	KubeletRequestsAfterStop map[string][][]string
	APIPods                  map[string][]object
	Times                    map[string]time.Time
	BeforeStop               struct{ API []object }
	Samples                  []sample
	Rows                     []classed

	HA *struct{ RestartedAPIServers []int } // of two, cp-1 and cp-2
	// RunbookSteps are what was done by hand: step, command, exit code, output.
	RunbookSteps [][]any
}

type object struct {
	Namespace, Name, UID, Node, Phase string
	Deleting                          bool
}

type sample struct {
	Label             string
	SecondsSinceReady float64
	Phantoms          []struct {
		Node, Namespace, Name, UID string
		Running                    bool
	}
	Ghosts []struct {
		Node, Namespace, Name, UID string
		NodeGone, ListedByKubelet  bool
	}
	Recreated []struct{ NS, Name, Owner string }
	API       []object
	PerAPI    map[string]struct{ API []object } // by the number of the API server
	Kubelets  map[string]struct{ Pods, Running []object }
	Rows      map[string]observed
	Ephemeral []ephemeral
	Nodes     []struct {
		Name          string
		Unschedulable bool
	}
}

// ephemeral is a container that is none of spec.containers, as the runtime has it.
type ephemeral struct{ UID, Name, State string }

// run is one run of a cluster.
type run struct {
	name            string
	truth           truth
	backup, current *restore.State
}

// pair is a pod on a node.
type pair struct{ node, uid string }

// loaded are the runs, which no test changes.
var loaded []run

func loadRuns(t testing.TB) []run {
	t.Helper()
	if loaded != nil {
		return loaded
	}
	paths, err := filepath.Glob(clusters + "/*/*/truth.json.gz")
	if err != nil || len(paths) < 15 {
		t.Fatalf("found %d truth files, err %v", len(paths), err)
	}
	var runs []run
	for _, path := range paths {
		dir := filepath.Dir(path)
		r := run{name: strings.TrimPrefix(dir, clusters+"/")}
		if err := json.Unmarshal(corpus.Unpack(t, path), &r.truth); err != nil {
			t.Fatal(err)
		}
		if ha := r.truth.HA; ha != nil && len(ha.RestartedAPIServers) == 1 {
			r.truth.Plan.SetAPIServers(fmt.Sprintf("cp-%d", ha.RestartedAPIServers[0]))
		}
		r.backup = loadState(t, filepath.Join(dir, "backup.db.gz"))
		r.current = loadState(t, filepath.Join(dir, "current.db.gz"))
		runs = append(runs, r)
	}
	loaded = runs
	return runs
}

// listed is when the request listed pods; ok is false for one that did not.
func listed(request []string) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, request[0])
	return at, err == nil && (request[1] == "list" || request[3] == "true")
}

// byHand says whether the pod was deleted by a step of the runbook.
func (r *run) byHand(o restore.PodOutcome) bool {
	for _, step := range r.truth.RunbookSteps {
		words := strings.Fields(step[1].(string))
		if len(words) > 4 && words[1] == "delete" && words[2] == "pod" && words[3] == "--namespace="+o.Namespace && slices.Contains(words[4:], o.Name) {
			return true
		}
	}
	return false
}

func loadState(t testing.TB, path string) *restore.State {
	t.Helper()
	state, err := restore.Load(t.Context(), snapshottest.Open(t, path), "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// settled is the first regular sample; the last one where kubelets relist their pods,
// which may wait with it.
func (r *run) settled() (sample, bool) {
	list := r.regular()
	switch {
	case len(list) == 0:
		return sample{}, false
	case r.relists():
		return list[len(list)-1], true
	}
	return list[0], true
}

// plain says whether the run restarted API servers and did nothing for kubelets.
func (r *run) plain() bool {
	p := r.truth.Plan
	return p.BumpRevision == 0 && p.RestartKubelets.String() == "none"
}

// relists says whether every kubelet relisted its pods by the plan: it was restarted,
// or the store starts above all that was written.
func (r *run) relists() bool {
	return r.truth.Plan.RestartKubelets.All || r.truth.Revisions.RestoredTo > r.truth.Revisions.BeforeStop
}

// known says whether the current snapshot can know of the pod: it was not made
// after it, nor gone again by the time of the outage.
func (r *run) known(uid string) bool {
	has := func(p *restore.Pod) bool { return p.UID == uid }
	return slices.ContainsFunc(r.current.Pods, has) || slices.ContainsFunc(r.backup.Pods, has)
}

func (r *run) inBoth(uid string) bool {
	has := func(p *restore.Pod) bool { return p.UID == uid }
	return slices.ContainsFunc(r.backup.Pods, has) && slices.ContainsFunc(r.current.Pods, has)
}

func (r *run) aliveBeforeStop(uid string) bool {
	return len(r.truth.BeforeStop.API) == 0 ||
		slices.ContainsFunc(r.truth.BeforeStop.API, func(o object) bool { return o.UID == uid })
}

// TestTruth holds the prediction of every run with its plan against what the
// real kubelets of that run showed, by pairs of node and uid.
//
// Neither way count: ghosts that are listed by the kubelet, that are on a node
// that is gone, or whose uid is in both snapshots; phantoms of which nothing
// runs; and, when kubelets relist, pods that were already being deleted.
func TestTruth(t *testing.T) {
	for _, r := range loadRuns(t) {
		if r.truth.Plan.APIServers() == "none" {
			continue
		}
		s, ok := r.settled()
		if !ok {
			continue // no restore was done
		}
		t.Run(r.name, func(t *testing.T) {
			p, err := restore.Predict(r.backup, r.current, r.truth.Plan)
			if err != nil {
				t.Fatal(err)
			}
			r.checkPhantoms(t, p, s)
			r.checkGhosts(t, p, s)
		})
	}
}

// TestCertaintyAtEveryBump holds what is said of every kubelet, for bumps from
// none to far above all, against the revision that it had seen: a fresh API
// server is deaf to it when its first list is not above that, and lists 0 to 9
// revisions above the restored one.
func TestCertaintyAtEveryBump(t *testing.T) {
	for _, r := range loadRuns(t) {
		if r.truth.Plan.APIServers() == "none" || len(r.truth.KubeletResourceVersion) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			comparison := restore.Compare(r.backup, r.current)
			seen := r.seen(t)
			last := slices.Max(slices.Collect(maps.Values(seen)))
			for name, evidence := range map[string]restore.Plan{
				"no evidence": {},
				"outage":      {OutageAt: r.truth.Times["stop_begin"]},
				"revision":    {LastRevision: last},
			} {
				for _, restored := range r.interesting(seen) {
					plan := evidence
					plan.BumpRevision = restored - r.backup.NewestRecord
					plan.MarkCompacted = plan.BumpRevision > 0
					p, err := comparison.Predict(plan)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					for _, n := range p.Nodes {
						if l, ok := seen[n.Name]; ok && n.Kubelet != restore.KubeletGone {
							checkKubelet(t, name, n, l, restored)
						}
					}
				}
			}
		})
	}
}

const startupWritesSeen = 9

func checkKubelet(t *testing.T, evidence string, n restore.NodeOutcome, seen, restored int64) {
	t.Helper()
	wrong := ""
	switch {
	case n.Kubelet == restore.KubeletDeaf && n.Certainty == restore.Certain && seen < restored+startupWritesSeen:
		wrong = "certainly deaf, but it may relist"
	case n.Kubelet == restore.KubeletDeaf && n.Certainty == restore.Unlikely && seen >= restored:
		wrong = "unlikely to be deaf, but it is"
	case n.Kubelet == restore.KubeletRelists && seen >= restored:
		wrong = "certain to relist, but it is deaf"
	}
	if wrong != "" {
		t.Errorf("%s, restored to %d: %s, which has seen %d, is %s: %s", evidence, restored, n.Name, seen, wrong, n.Reason)
	}
}

// seen is what the run's kubelets had seen last.
func (r *run) seen(t *testing.T) map[string]int64 {
	t.Helper()
	seen := map[string]int64{}
	for node, number := range r.truth.KubeletResourceVersion {
		n, err := number.Int64()
		if err != nil {
			t.Fatal(err)
		}
		seen[node] = n
	}
	return seen
}

// interesting are revisions to restore to, those next to what was seen among
// them, none below the backup's.
func (r *run) interesting(seen map[string]int64) []int64 {
	at := r.current.Revision
	list := []int64{r.backup.NewestRecord, at, at + 1, at + 50, at + 200, at + 1000, at + 5000, at + 30_000, at + 200_000, at + 1_000_000}
	for _, l := range seen {
		list = append(list, l-40, l-10, l-1, l, l+1, l+10, l+40)
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(n int64) bool { return n < r.backup.NewestRecord })
}

func (r *run) checkPhantoms(t *testing.T, p *restore.Prediction, s sample) {
	shown, listed := map[pair]string{}, map[pair]bool{}
	terminating := map[string]bool{}
	for _, pod := range r.current.Pods {
		terminating[pod.UID] = pod.Terminating()
	}
	for _, ph := range s.Phantoms {
		at := pair{ph.Node, ph.UID}
		listed[at] = true
		if ph.Running && r.known(ph.UID) && !(r.relists() && terminating[ph.UID]) {
			shown[at] = ph.Namespace + "/" + ph.Name
		}
	}
	r.check(t, restore.Phantom, p, shown, listed)
}

func (r *run) checkGhosts(t *testing.T, p *restore.Prediction, s sample) {
	shown, listed := map[pair]string{}, map[pair]bool{}
	for _, g := range s.Ghosts {
		at := pair{g.Node, g.UID}
		listed[at] = true
		if !g.NodeGone && !g.ListedByKubelet && r.known(g.UID) && !r.inBoth(g.UID) {
			shown[at] = g.Namespace + "/" + g.Name
		}
	}
	r.check(t, restore.Ghost, p, shown, listed)
}

// check compares the pods predicted to be want with those shown, which must be
// predicted, and those listed, outside of which nothing may be certain.
func (r *run) check(t *testing.T, want restore.Outcome, p *restore.Prediction, shown map[pair]string, listed map[pair]bool) {
	t.Helper()
	found := 0
	for _, o := range p.Pods {
		if o.Outcome != want {
			continue
		}
		if r.relists() {
			t.Errorf("%s %s on %s under a plan that makes every kubelet relist", want, at(o), o.Node)
		}
		if slices.Contains(o.Flags, restore.FlagNodeGone) || want == restore.Ghost && r.inBoth(o.UID) {
			continue
		}
		where, class4c := pair{o.Node, o.UID}, strings.HasPrefix(string(o.Rule), "4c")
		if _, ok := shown[where]; ok {
			found++
			delete(shown, where)
			if o.Certainty == restore.Unlikely {
				t.Errorf("%s %s on %s was unlikely: %s", want, at(o), o.Node, o.CertaintyReason)
			}
			if r.plain() && o.Certainty != restore.Certain && !class4c && !slices.Contains(o.Flags, restore.FlagNodeUnreachable) {
				t.Errorf("%s %s on %s is only %s: %s", want, at(o), o.Node, o.Certainty, o.CertaintyReason)
			}
			continue
		}
		if listed[where] || !r.aliveBeforeStop(o.UID) && want == restore.Phantom {
			continue
		}
		if o.Certainty == restore.Certain || r.plain() && !class4c {
			t.Errorf("%s %s on %s is %s, but was not: %s", want, at(o), o.Node, o.Certainty, o.CertaintyReason)
		}
	}
	for where, name := range shown {
		t.Errorf("%s %s (%s) on %s is not predicted", want, name, where.uid, where.node)
	}
	t.Logf("%s: %d as shown", want, found)
}

func at(o restore.PodOutcome) string {
	return fmt.Sprintf("%s/%s (%s, rule %s)", o.Namespace, o.Name, o.UID, o.Rule)
}

// TestLastSeen: every kubelet had seen what it must have seen, and the
// recommended bump is above all that any had.
func TestLastSeen(t *testing.T) {
	for _, r := range loadRuns(t) {
		t.Run(r.name, func(t *testing.T) {
			p, err := restore.Predict(r.backup, r.current, restore.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range p.Nodes {
				number, ok := r.truth.KubeletResourceVersion[n.Name]
				if !ok {
					continue
				}
				seen, err := number.Int64()
				if err != nil {
					t.Fatal(err)
				}
				if n.LastSeen.AtLeast > seen {
					t.Errorf("%s had seen %d, not %d or more", n.Name, seen, n.LastSeen.AtLeast)
				}
				if restored := r.backup.Revision + p.Revisions.RecommendedBump; restored <= seen {
					t.Errorf("%s had seen %d, the recommended bump restores to %d", n.Name, seen, restored)
				}
			}
		})
	}
}

// TestLoad holds the pods read off the snapshots against those that the API
// listed when they were saved. Where operations were under way it listed others.
func TestLoad(t *testing.T) {
	for _, r := range loadRuns(t) {
		for name, state := range map[string]*restore.State{"backup": r.backup, "current": r.current} {
			if len(r.truth.APIPods[name]) == 0 || strings.HasSuffix(r.name, ".flight") {
				continue
			}
			t.Run(r.name+"/"+name, func(t *testing.T) {
				var got []object
				for _, p := range state.Pods {
					got = append(got, object{p.Namespace, p.Name, p.UID, p.NodeName, p.Phase, p.Terminating()})
				}
				byUID := cmpopts.SortSlices(func(a, b object) bool { return a.UID < b.UID })
				if diff := cmp.Diff(r.truth.APIPods[name], got, byUID); diff != "" {
					t.Error(diff)
				}
				if state.ClusterUID == "" || len(state.Missing) > 0 || len(state.Nodes) == 0 {
					t.Errorf("cluster %q, missing %v, %d nodes", state.ClusterUID, state.Missing, len(state.Nodes))
				}
				saved := r.truth.Times[map[string]string{"backup": "B", "current": "A"}[name]]
				if late := saved.Sub(state.Time); late < -time.Second || late > 20*time.Second {
					t.Errorf("taken at %v, estimated %v", saved, state.Time)
				}
			})
		}
	}
}

// sameButUnplaced says whether a pod comes to the same with API servers kept as it
// does with them restarted. One class does not: a pod that only its present node can
// take runs on where the scheduler binds it there again in time. A scheduler that was
// left running exits instead, so that its kubelet lists before anybody has bound the
// pod, and stops it: it is Pending, bound to no node, and may start there later.
func sameButUnplaced(kept, restarted *restore.PodOutcome) bool {
	if kept.Rule != "4c''" {
		return kept.Outcome == restarted.Outcome
	}
	runs, mayRun, shown := kept.Settled()
	was, _, _ := restarted.Settled()
	return restarted.Outcome == restore.Unaffected && kept.Outcome == restore.Terminated && kept.Certainty == restore.Possible &&
		len(runs) == 0 && cmp.Equal(mayRun, was) && cmp.Equal(shown, &restore.APIView{Phase: "Pending"})
}

// TestTruthOfKeptAPIServers holds the prediction for API servers that were left
// running against what they listed: the erased past.
func TestTruthOfKeptAPIServers(t *testing.T) {
	for _, r := range loadRuns(t) {
		if r.truth.Plan.APIServers() != "none" {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			s, ok := r.settled()
			if !ok {
				t.Fatal("no sample")
			}
			comparison := restore.Compare(r.backup, r.current)
			kept, err := comparison.Predict(r.truth.Plan)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := comparison.Predict(restore.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			listed, onKubelet := map[string]bool{}, map[pair]bool{}
			for _, o := range s.API {
				listed[o.UID] = true
			}
			for node, k := range s.Kubelets {
				for _, o := range k.Pods {
					onKubelet[pair{node, o.UID}] = true
				}
			}
			hidden := 0
			for i, o := range kept.Pods {
				switch {
				case o.Outcome == restore.Phantom || o.Outcome == restore.Ghost:
					t.Errorf("%s is a %s", at(o), o.Outcome)
				case plain.Pods[i].Outcome == restore.Phantom && o.Outcome != restore.Hidden:
					t.Errorf("%s is %s, not hidden", at(o), o.Outcome)
				}
				if o.Outcome != restore.Hidden {
					continue
				}
				hidden++
				if !listed[o.UID] || !onKubelet[pair{o.Node, o.UID}] {
					t.Errorf("%s: in the API's list %v, on its kubelet %v", at(o), listed[o.UID], onKubelet[pair{o.Node, o.UID}])
				}
			}
			t.Logf("%d hidden as listed", hidden)

			bumped := r.truth.Plan
			bumped.BumpRevision, bumped.MarkCompacted = kept.Revisions.RecommendedBump, true
			healed, err := comparison.Predict(bumped)
			if err != nil {
				t.Fatal(err)
			}
			bumped.KeepAPIServers = false
			relisted, err := comparison.Predict(bumped)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range healed.Pods {
				if was := relisted.Pods[i]; !sameButUnplaced(&o, &was) {
					t.Errorf("with a bump %s is %s with API servers kept, %s with them restarted", at(o), o.Outcome, was.Outcome)
				}
			}
		})
	}
}
