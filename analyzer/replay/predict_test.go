package replay_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/clustertest"
	"revenant/internal/corpus"
)

var clusters = flag.Int("clusters", 40, "how many generated clusters are played")

// claim is what a prediction and a play must agree on for a pod.
type claim struct {
	Pod, UID         string
	Outcome          restore.Outcome
	RunsOn, MayRunOn string
	API              string
	Flags            string
}

func claimOf(o *restore.PodOutcome, sure bool) claim {
	c := claim{o.Namespace + "/" + o.Name, o.UID, o.Outcome, strings.Join(o.RunsOn, ","), strings.Join(o.MayRunOn, ","), o.API.String(), fmt.Sprint(o.Flags)}
	if !sure { // a prediction also names what comes of a kubelet's other possibility
		c.MayRunOn, c.API, c.Flags = "", "", ""
	}
	return c
}

// plans are the plans that every pair is played under.
func plans(p *restore.Prediction) map[string]restore.Plan {
	enough := p.Revisions.RecommendedBump
	first := restore.Restart{}
	for i := range p.Nodes {
		if p.Nodes[i].Kubelet != restore.KubeletGone {
			first.Nodes = []string{p.Nodes[i].Name}
			break
		}
	}
	all := restore.Restart{All: true}
	list := map[string]restore.Plan{
		"plain":            {},
		"bump too small":   {BumpRevision: 1, MarkCompacted: true},
		"bump by the gap":  {BumpRevision: max(p.Revisions.Gap, 1), MarkCompacted: true},
		"restart":          {RestartKubelets: all},
		"restart one":      {RestartKubelets: first},
		"keep":             {KeepAPIServers: true},
		"keep and restart": {KeepAPIServers: true, RestartKubelets: all},
	}
	if enough > 0 {
		list["bump"] = restore.Plan{BumpRevision: enough, MarkCompacted: true}
		list["bump and restart one"] = restore.Plan{BumpRevision: enough, MarkCompacted: true, RestartKubelets: first}
		list["keep and bump"] = restore.Plan{KeepAPIServers: true, BumpRevision: enough, MarkCompacted: true}
	}
	if len(p.APIServers) > 1 {
		one := restore.Plan{}
		one.SetAPIServers(p.APIServers[0].Name)
		list["one API server restarted"] = one
	}
	return list
}

// checkPlay holds a play of the plan against its prediction. It says how many pods were
// compared in full.
func checkPlay(t *testing.T, name string, c *restore.Comparison, plan restore.Plan) int {
	t.Helper()
	want, err := c.Settle(plan)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	cluster, start, err := replay.New(c, plan, replay.SeenMost)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	cluster.StartupWrites = 0 // a prediction allows for none
	end, steps := cluster.Run(start, plan)
	got, err := cluster.Prediction(&end)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	sure := true
	for i := range want.Nodes {
		sure = sure && want.Nodes[i].Certainty == restore.Certain
	}
	var wants, gots []claim
	for i := range want.Pods {
		wants, gots = append(wants, claimOf(&want.Pods[i], sure)), append(gots, claimOf(&got.Pods[i], sure))
	}
	if diff := cmp.Diff(wants, gots); diff != "" {
		var told []string
		for i := range steps {
			told = append(told, steps[i].Text)
		}
		t.Errorf("%s: a play ends otherwise than predicted (-predicted +played)\n%.3000s\n%s", name, diff, strings.Join(told, "\n"))
	}
	if !sure {
		return 0
	}
	return len(wants)
}

// TestGeneratedPlays: a play of a made cluster ends as predicted, under every plan.
func TestGeneratedPlays(t *testing.T) {
	pods := 0
	for seed := range uint64(*clusters) {
		made, err := clustertest.New(clustertest.Options{Seed: seed + 1, Pods: 10 + int(seed%8)*10, Nodes: 3 + int(seed%4), Compact: seed%2 == 1, APIServers: int(seed % 4)})
		if err != nil {
			t.Fatal(err)
		}
		c := restore.Compare(readState(t, made.Backup), readState(t, made.Current))
		plain, err := c.Predict(restore.Plan{})
		if err != nil {
			t.Fatal(err)
		}
		for name, plan := range plans(plain) {
			pods += checkPlay(t, fmt.Sprintf("seed %d, %s", seed, name), c, plan)
		}
		if t.Failed() {
			return
		}
	}
	if pods == 0 {
		t.Error("no prediction was certain enough to be compared in full")
	}
	t.Logf("%d outcomes of pods", pods)
}

// TestManyNodes: a cluster of many nodes is played as a small one is, step by step, and its
// moments have ids. One of too many is refused with how many are played.
func TestManyNodes(t *testing.T) {
	comparison := func(nodes int) *restore.Comparison {
		made, err := clustertest.New(clustertest.Options{Seed: 5, Pods: 2 * nodes, Nodes: nodes, APIServers: 1})
		if err != nil {
			t.Fatal(err)
		}
		return restore.Compare(readState(t, made.Backup), readState(t, made.Current))
	}
	c := comparison(400)
	checkPlay(t, "400 nodes", c, restore.Plan{})
	cluster, start, err := replay.New(c, restore.Plan{}, replay.SeenMost)
	if err != nil {
		t.Fatal(err)
	}
	p := replay.NewPlay(cluster, start)
	if err := p.Do(replay.Action{Kind: replay.RestartKubelet, Target: 399}); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	id := p.ID()
	if err := p.Go(id); err != nil || p.ID() != id {
		t.Errorf("from %s comes %s, %v", id, p.ID(), err)
	}
	if _, _, err := replay.New(comparison(1001), restore.Plan{}, replay.SeenMost); err == nil || !strings.Contains(err.Error(), " nodes, and at most 1,000 are played") {
		t.Errorf("%v", err)
	}
}

func readState(t testing.TB, data []byte) *restore.State {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), "generated", data, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestPlaysOfRealClusters: a play of every real pair ends as predicted, under every plan
// and under the one it was really restored with.
func TestPlaysOfRealClusters(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/clusters/*/*/truth.json.gz")
	if err != nil || len(paths) < 15 {
		t.Fatalf("found %d truth files, err %v", len(paths), err)
	}
	pods := 0
	for _, path := range paths {
		dir := filepath.Dir(path)
		load := func(name string) *restore.State {
			state, err := restore.Load(t.Context(), snapshottest.Open(t, filepath.Join(dir, name)), "/registry")
			if err != nil {
				t.Fatal(err)
			}
			return state
		}
		c := restore.Compare(load("backup.db.gz"), load("current.db.gz"))
		plain, err := c.Predict(restore.Plan{})
		if err != nil {
			t.Fatal(err)
		}
		all := plans(plain)
		var truth struct {
			Plan restore.Plan
			HA   *struct{ RestartedAPIServers []int }
		}
		if err := json.Unmarshal(corpus.Unpack(t, path), &truth); err != nil {
			t.Fatal(err)
		}
		if truth.HA != nil && len(truth.HA.RestartedAPIServers) == 1 {
			truth.Plan.SetAPIServers(fmt.Sprintf("cp-%d", truth.HA.RestartedAPIServers[0]))
		}
		all["the one it was restored with"] = truth.Plan
		for name, plan := range all {
			pods += checkPlay(t, dir+", "+name, c, plan)
		}
	}
	t.Logf("%d outcomes of pods, %d clusters", pods, len(paths))
}

// TestSeen: the fewer revisions watchers have seen, the fewer kubelets are deaf, and what
// is predicted as certain is so whatever they have seen.
func TestSeen(t *testing.T) {
	made, err := clustertest.New(clustertest.Options{Seed: 3, Pods: 60, Nodes: 5, APIServers: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := restore.Compare(readState(t, made.Backup), readState(t, made.Current))
	for bump := int64(0); bump < 2*(made.CurrentRevision-made.BackupRevision); bump += 7 {
		plan := restore.Plan{BumpRevision: bump, MarkCompacted: bump > 0}
		want, err := c.Predict(plan)
		if err != nil {
			t.Fatal(err)
		}
		deaf := []int{}
		for _, seen := range []replay.Seen{replay.SeenLeast, replay.SeenExpected, replay.SeenMost} {
			cluster, start, err := replay.New(c, plan, seen)
			if err != nil {
				t.Fatal(err)
			}
			end, _ := cluster.Run(start, plan)
			n := 0
			for i := range end.Kubelets {
				k, node := &end.Kubelets[i], &want.Nodes[i]
				if k.Up && k.Did == replay.Kept {
					n++
				}
				if certain := node.Certainty == restore.Certain && k.Up; certain && (node.Kubelet == restore.KubeletDeaf) != (k.Did == replay.Kept) {
					t.Errorf("bump %d: %s is certain to be %s, and did %v having seen %d", bump, node.Name, node.Kubelet, k.Did, k.Seen)
				}
			}
			deaf = append(deaf, n)
		}
		if !slices.IsSorted(deaf) {
			t.Errorf("bump %d: %v kubelets are deaf, by how much they have seen", bump, deaf)
		}
	}
}
