package restore_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/clustertest"
)

// generated is a made cluster, read.
type generated struct {
	*clustertest.Cluster
	backup, current *restore.State
	comparison      *restore.Comparison
}

func generate(t testing.TB, o clustertest.Options) *generated {
	t.Helper()
	c, err := clustertest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	g := &generated{Cluster: c, backup: readState(t, c.Backup), current: readState(t, c.Current)}
	g.comparison = restore.Compare(g.backup, g.current)
	return g
}

func readState(t testing.TB, data []byte) *restore.State {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), "generated", data, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if problems := s.Problems(); len(problems) > 0 {
		t.Fatalf("the generated snapshot has problems: %v", problems)
	}
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func (g *generated) predict(t testing.TB, plan restore.Plan) *restore.Prediction {
	t.Helper()
	p, err := g.comparison.Predict(plan)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// settle says what comes of the plan once kubelets have relisted their pods.
func (g *generated) settle(t testing.TB, plan restore.Plan) *restore.Prediction {
	t.Helper()
	p, err := g.comparison.Settle(plan)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// plans are all combinations, with what a kubelet does under each.
func (g *generated) plans() map[string]struct {
	plan restore.Plan
	does func(node string) clustertest.Case
} {
	always := func(c clustertest.Case) func(string) clustertest.Case {
		return func(string) clustertest.Case { return c }
	}
	n0 := func(then clustertest.Case) func(string) clustertest.Case {
		return func(node string) clustertest.Case {
			if node == "n0" {
				return clustertest.Restarts
			}
			return then
		}
	}
	const enough = 1_000_000_000
	small := int64(10)
	only := restore.Restart{Nodes: []string{"n0"}}
	return map[string]struct {
		plan restore.Plan
		does func(node string) clustertest.Case
	}{
		"plain":                {restore.Plan{}, always(clustertest.Deaf)},
		"bump too small":       {restore.Plan{BumpRevision: small, MarkCompacted: true}, always(clustertest.Deaf)},
		"bump unsure":          {restore.Plan{BumpRevision: g.CurrentRevision - g.BackupRevision + 50, MarkCompacted: true}, always(clustertest.Deaf)},
		"bump":                 {restore.Plan{BumpRevision: enough, MarkCompacted: true}, always(clustertest.Relists)},
		"restart":              {restore.Plan{RestartKubelets: restore.Restart{All: true}}, always(clustertest.Restarts)},
		"restart n0":           {restore.Plan{RestartKubelets: only}, n0(clustertest.Deaf)},
		"bump and restart n0":  {restore.Plan{BumpRevision: enough, MarkCompacted: true, RestartKubelets: only}, n0(clustertest.Relists)},
		"bump and restart":     {restore.Plan{BumpRevision: enough, MarkCompacted: true, RestartKubelets: restore.Restart{All: true}}, always(clustertest.Restarts)},
		"keep":                 {restore.Plan{KeepAPIServers: true}, always(clustertest.Stale)},
		"keep, bump too small": {restore.Plan{KeepAPIServers: true, BumpRevision: small, MarkCompacted: true}, always(clustertest.Stale)},
		"keep and restart":     {restore.Plan{KeepAPIServers: true, RestartKubelets: restore.Restart{All: true}}, always(clustertest.Stale)},
		"keep and bump":        {restore.Plan{KeepAPIServers: true, BumpRevision: enough, MarkCompacted: true}, always(clustertest.Unplaced)},
	}
}

// TestGenerated: in made clusters, every pod of every class comes to what the
// mechanism's table has for it, under every plan.
func TestGenerated(t *testing.T) {
	for seed := range uint64(60) {
		servers := int(seed % 4)
		g := generate(t, clustertest.Options{Seed: seed + 1, Pods: 10 + int(seed%8)*30, Nodes: 3 + int(seed%4), Compact: seed%2 == 1, APIServers: servers})
		if got := len(g.comparison.APIServerNames()); got != servers {
			t.Fatalf("seed %d: %d API servers, not %d", seed, got, servers)
		}
		plans := g.plans()
		if servers > 1 {
			p := plans["plain"]
			p.plan.SetAPIServers("cp-0")
			plans["one API server restarted"] = p
		}
		for name, p := range plans {
			prediction := g.settle(t, p.plan)
			g.checkPods(t, fmt.Sprintf("seed %d, %s", seed, name), prediction, p.does)
			g.checkCertainty(t, name, prediction)
			g.checkCordons(t, name, prediction)
			checkSound(t, prediction)
			if revisions, err := g.comparison.Revisions(p.plan); err != nil || !reflect.DeepEqual(revisions, prediction.Revisions) {
				t.Errorf("%s: alone the revisions are %+v, %v", name, revisions, err)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// TestGeneratedOutages: however long the outage, every kubelet has relisted its pods by
// when it is said to, and every pod that waits for that has come to its outcome no earlier.
func TestGeneratedOutages(t *testing.T) {
	short, late := 0, 0
	for seed := range uint64(200) {
		length := time.Duration(seed*seed%400+1) * time.Second
		g := generate(t, clustertest.Options{Seed: seed + 1, Pods: 30, Nodes: 3 + int(seed%4), Outage: length})
		for what, outage := range map[string]restore.Seconds{
			"stated":     {From: int64(length.Seconds()), To: int64(length.Seconds())},
			"bounded":    {From: 0, To: int64(length.Seconds()) + int64(seed%90)},
			"not stated": {},
		} {
			p := g.predict(t, restore.Plan{BumpRevision: 1_000_000_000, MarkCompacted: true, Outage: outage})
			by := map[string]int64{}
			for _, n := range p.Nodes {
				if after, ok := g.Listed[n.Name]; ok && n.Kubelet == restore.KubeletRelists {
					by[n.Name] = n.ListedBySeconds
					if after.Seconds() > float64(n.ListedBySeconds) {
						t.Errorf("seed %d, %s: after %s, %s lists %s after the API is back, not within %d s", seed, what, length, n.Name, after, n.ListedBySeconds)
					}
					if n.ListedBySeconds < restore.ListedByAtMost {
						short++
					}
					if after > time.Minute {
						late++
					}
				}
			}
			if len(by) == 0 {
				t.Errorf("seed %d, %s: no kubelet relists its pods", seed, what)
			}
			for _, o := range p.Pods {
				if o.Then != nil && o.Then.Relists && o.Then.BySeconds < by[o.Node] {
					t.Errorf("seed %d, %s: %s is settled within %d s, and its kubelet lists within %d s", seed, what, o.UID, o.Then.BySeconds, by[o.Node])
				}
			}
		}
	}
	if short == 0 || late == 0 {
		t.Errorf("%d kubelets are said to list early, %d list late", short, late)
	}
}

// TestGeneratedUnreachable: of a node that was unreachable in the current state nothing
// is certain, and nothing runs there for sure; all else comes to what it would.
func TestGeneratedUnreachable(t *testing.T) {
	for seed := range uint64(20) {
		o := clustertest.Options{Seed: seed + 1, Pods: 200, Nodes: 4}
		whole := generate(t, o)
		o.Unreachable = "n1"
		g := generate(t, o)
		for name, p := range g.plans() {
			want, got := whole.predict(t, p.plan), g.predict(t, p.plan)
			there := 0
			for i, pod := range got.Pods {
				if pod.Node != o.Unreachable {
					if pod.Outcome != want.Pods[i].Outcome || pod.Certainty != want.Pods[i].Certainty && pod.Certainty == restore.Certain {
						t.Errorf("seed %d, %s: %s on %s is %s (%s), and %s (%s) without the node that is unreachable", seed, name, pod.UID, pod.Node, pod.Outcome, pod.Certainty, want.Pods[i].Outcome, want.Pods[i].Certainty)
					}
					continue
				}
				over := !slices.Contains(pod.Flags, restore.FlagNodeUnreachable) // it had ended before
				there++
				if !over && (pod.Certainty == restore.Certain || len(pod.RunsOn) > 0 || !slices.Contains(pod.MayRunOn, pod.Node)) ||
					over && len(pod.RunsOn)+len(pod.MayRunOn) > 0 && pod.Rule != "7'" {
					t.Errorf("seed %d, %s: %s is %s (%s), runs on %v, may run on %v", seed, name, pod.UID, pod.Outcome, pod.Certainty, pod.RunsOn, pod.MayRunOn)
				}
			}
			if there == 0 {
				t.Errorf("seed %d: no pod on %s", seed, o.Unreachable)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func TestGeneratedLarge(t *testing.T) {
	g := generate(t, clustertest.Options{Seed: 7, Pods: 10_000, Nodes: 200})
	for name, p := range g.plans() {
		g.checkPods(t, name, g.settle(t, p.plan), p.does)
	}
}

func (g *generated) checkPods(t *testing.T, name string, p *restore.Prediction, does func(string) clustertest.Case) {
	t.Helper()
	byUID := map[string]*restore.PodOutcome{}
	unreadable := 0
	for i := range p.Pods {
		if o := &p.Pods[i]; o.UID != "" {
			byUID[o.UID] = o
		} else if o.Outcome == restore.Unknown {
			unreadable++
		}
	}
	wrong := 0
	for _, pod := range g.Pods {
		if pod.UID == "" {
			unreadable--
			continue
		}
		o := byUID[pod.UID]
		if o == nil {
			t.Errorf("%s: %s (%s) has no outcome", name, pod.Class, pod.UID)
			continue
		}
		kubelet := does(pod.Node)
		want := pod.In(kubelet)
		got := clustertest.Want{Outcome: string(o.Outcome), Runs: runsOf(o, pod.Node), API: phaseShown(o), Flags: flagsOf(o)}
		if strings.Contains(name, "n0") || strings.Contains(name, "unsure") || kubelet == clustertest.Deaf && strings.Contains(name, "small") {
			// Whether two run at the same time depends on the other node, too.
			want.Flags, got.Flags = strings.ReplaceAll(want.Flags, "double-run", ""), strings.ReplaceAll(got.Flags, "double-run", "")
			want.Flags, got.Flags = strings.Trim(want.Flags, ","), strings.Trim(got.Flags, ",")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: class %s on %s (rule %s): %s", name, pod.Class, pod.Node, o.Rule, diff)
			}
		}
		if want := pod.Later(kubelet); pod.Then != [len(pod.Then)]string{} && laterShown(o) != want {
			t.Errorf("%s: class %s on %s comes to %q in the API, not %q", name, pod.Class, pod.Node, laterShown(o), want)
		}
		if pod.Forbid != "" {
			if never, want := neverFires(p, pod.Forbid), kubelet == clustertest.Deaf; never != want {
				t.Errorf("%s: CronJob %s never fires: %v, want %v", name, pod.Forbid, never, want)
			}
		}
		if twin := slices.ContainsFunc(o.Flags, func(f restore.Flag) bool { return strings.HasPrefix(string(f), "same-name") }); twin != pod.Twin {
			t.Errorf("%s: class %s has flags %v", name, pod.Class, o.Flags)
		}
	}
	if unreadable != 0 {
		t.Errorf("%s: %d unreadable pods too many", name, unreadable)
	}
}

func runsOf(o *restore.PodOutcome, node string) string {
	switch {
	case len(o.RunsOn) > 0 && o.RunsOn[0] != node:
		return "on " + o.RunsOn[0]
	case len(o.RunsOn) > 0 && o.Ends != nil:
		return "ends"
	case len(o.RunsOn) > 0:
		return "here"
	case len(o.MayRunOn) > 0:
		return "may"
	}
	return "no"
}

func phaseShown(o *restore.PodOutcome) string {
	if o.API == nil {
		return ""
	}
	return o.API.Phase
}

// laterShown is what the API comes to show of the pod, as clustertest names it.
func laterShown(o *restore.PodOutcome) string {
	switch {
	case o.Then == nil:
		return ""
	case len(o.Then.API) != 1:
		return o.Then.Shows()
	case o.Then.API[0] == nil:
		return "gone"
	case o.Then.API[0].Terminating:
		return "terminating"
	}
	return o.Then.API[0].Phase
}

// neverFires says whether the CronJob is predicted to run no further slot.
func neverFires(p *restore.Prediction, name string) bool {
	i := slices.IndexFunc(p.Workloads, func(w restore.WorkloadOutcome) bool { return w.Kind == "CronJob" && w.Name == name })
	return p.Workloads[i].Severity == restore.Critical
}

// checkCordons: the node that was cordoned since the backup is named.
func (g *generated) checkCordons(t *testing.T, name string, p *restore.Prediction) {
	t.Helper()
	for _, n := range p.Nodes {
		if lost := slices.Contains(n.Flags, restore.FlagCordonLost); lost != (n.Name == g.Cordoned) {
			t.Errorf("%s: %s has flags %v", name, n.Name, n.Flags)
		}
	}
}

// flagsOf are the flags but for those about the pod's name and node.
func flagsOf(o *restore.PodOutcome) string {
	var list []string
	for _, f := range o.Flags {
		switch f {
		case restore.FlagSameNameSameNode, restore.FlagSameNameOtherNode, restore.FlagNodeGone, restore.FlagNodeMissing:
		default:
			list = append(list, string(f))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

// checkCertainty holds what is said of kubelets against what they have seen.
func (g *generated) checkCertainty(t *testing.T, name string, p *restore.Prediction) {
	t.Helper()
	for _, n := range p.Nodes {
		seen, ok := g.LastSeen[n.Name]
		if !ok || n.Kubelet == restore.KubeletGone || n.Kubelet == restore.KubeletStale || n.Kubelet == restore.KubeletRestarted {
			continue
		}
		if n.LastSeen.AtLeast > seen {
			t.Errorf("%s: %s has seen %d, not %d or more", name, n.Name, seen, n.LastSeen.AtLeast)
		}
		checkKubelet(t, name, n, seen, p.Revisions.Restored)
		wantCertain := name != "bump unsure"
		if (n.Certainty == restore.Certain) != wantCertain {
			t.Errorf("%s: %s is %s %s: %s", name, n.Name, n.Certainty, n.Kubelet, n.Reason)
		}
	}
}

// checkSound holds what is true of every prediction.
func checkSound(t *testing.T, p *restore.Prediction) {
	t.Helper()
	counts, uids, kubelets := map[restore.Outcome]int{}, map[string]bool{}, map[string]restore.Kubelet{}
	lists := true // every kubelet that lives certainly relists its pods
	for _, n := range p.Nodes {
		kubelets[n.Name] = n.Kubelet
		if n.Kubelet != restore.KubeletGone {
			lists = lists && (n.Kubelet == restore.KubeletRelists || n.Kubelet == restore.KubeletRestarted)
		}
	}
	for _, o := range p.Pods {
		counts[o.Outcome]++
		if o.UID != "" && uids[o.UID] {
			t.Errorf("%s has two rows", o.UID)
		}
		uids[o.UID] = true
		if o.Outcome == restore.Phantom && kubelets[o.Node] != restore.KubeletDeaf {
			t.Errorf("%s is a phantom on %s, whose kubelet is %s", o.UID, o.Node, kubelets[o.Node])
		}
		if lists && (o.Outcome == restore.Phantom || o.Outcome == restore.Ghost) {
			t.Errorf("%s is a %s although every kubelet relists its pods", o.UID, o.Outcome)
		}
	}
	for o, n := range p.Summary {
		if counts[o] != n {
			t.Errorf("%d %s in the summary, %d pods", n, o, counts[o])
		}
	}
}

// TestGeneratedInAnyOrder: neither the order of writes nor that of keys matters,
// nor what was predicted before.
func TestGeneratedInAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		o := clustertest.Options{Seed: seed + 1, Pods: 120}
		g := generate(t, o)
		o.Shuffle = seed + 1000
		shuffled := generate(t, o)
		r := rand.New(rand.NewPCG(seed, 3))
		for _, s := range []*restore.State{shuffled.backup, shuffled.current} {
			r.Shuffle(len(s.Pods), func(i, j int) { s.Pods[i], s.Pods[j] = s.Pods[j], s.Pods[i] })
			r.Shuffle(len(s.Nodes), func(i, j int) { s.Nodes[i], s.Nodes[j] = s.Nodes[j], s.Nodes[i] })
		}
		for name, p := range g.plans() {
			want := g.predict(t, p.plan)
			if diff := cmp.Diff(described(want), described(shuffled.predict(t, p.plan))); diff != "" {
				t.Fatalf("seed %d, %s: in another order:\n%s", seed, name, diff)
			}
			if diff := cmp.Diff(want, g.predict(t, p.plan)); diff != "" {
				t.Fatalf("seed %d, %s: predicted again:\n%s", seed, name, diff)
			}
			fresh, err := restore.Compare(g.backup, g.current).Predict(p.plan)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, fresh); diff != "" {
				t.Fatalf("seed %d, %s: compared again:\n%s", seed, name, diff)
			}
		}
	}
}

// described is what is said of every pod that does not depend on revisions.
func described(p *restore.Prediction) map[string]string {
	m := map[string]string{}
	for i := range p.Pods {
		o := &p.Pods[i]
		m[o.Name+" "+o.UID] = fmt.Sprint(o.Outcome, o.Severity, o.Certainty, o.Rule, o.Flags, o.RunsOn, o.MayRunOn, o.Heals, phaseShown(o))
	}
	return m
}

// BenchmarkPredictGenerated predicts made clusters under a changed plan. The time
// a pod shows that it grows with their number and not faster.
func BenchmarkPredictGenerated(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := generate(b, clustertest.Options{Seed: 1, Pods: n, Nodes: n / 20})
			plans := []restore.Plan{{}, {BumpRevision: 1_000_000_000, MarkCompacted: true}, {RestartKubelets: restore.Restart{All: true}}}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				g.predict(b, plans[i%len(plans)])
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/pod")
		})
	}
}

// TestWorkers wants the same state and the same prediction however many processors there
// are.
func TestWorkers(t *testing.T) {
	c, err := clustertest.New(clustertest.Options{Seed: 5, Pods: 300, Nodes: 12, Steady: 200, Revisions: 3000, APIServers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first *restore.State
	for _, workers := range []int{1, 2, 3, 16} {
		runtime.GOMAXPROCS(workers)
		state := readState(t, c.Current)
		if first == nil {
			first = state
			continue
		}
		if !reflect.DeepEqual(first, state) {
			t.Errorf("the state is another one with %d workers", workers)
		}
	}
}
