package restore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

// cluster makes up a backup and a current state of n pods on a node for every 20
// of them: most unchanged, the others of every kind that a pod can be of in
// either state.
func cluster(seed uint64, n int) (backup, current *State) {
	r := rand.New(rand.NewPCG(seed, 0))
	backup, current = states(nil, nil)
	backup.Nodes, current.Nodes, current.LastSeen = nil, nil, map[string]Sighting{}
	nodes := n/20 + 2
	for i := range nodes {
		name := fmt.Sprintf("node-%d", i)
		if r.IntN(20) > 0 {
			backup.Nodes = append(backup.Nodes, Node{Name: name, Cordoned: r.IntN(5) == 0})
		}
		if r.IntN(20) > 0 {
			current.Nodes = append(current.Nodes, Node{Name: name, Cordoned: r.IntN(5) == 0})
			current.LastSeen[name] = Sighting{r.Int64N(currentAt), "/registry/pods/ns/seen"}
		}
	}
	jobs := n/40 + 1
	for i := range jobs { // each of a CronJob of its own, the half of which have run since
		cron := Workload{Kind: "CronJob", UID: fmt.Sprintf("cron-%d", i), Policy: []string{"Allow", "Forbid", "Replace"}[r.IntN(3)], Active: []string{fmt.Sprintf("job-%d", i)}}
		job := Workload{Kind: "Job", UID: fmt.Sprintf("job-%d", i), Owner: cron.UID, Wanted: r.Int64N(4), Completions: r.Int64N(4), BackoffLimit: r.Int64N(4), OnFailure: r.IntN(2) == 0}
		if r.IntN(4) == 0 {
			job.FailsAt = takenAt.Add(time.Duration(r.IntN(600)-300) * time.Second)
		}
		backup.Workloads = append(backup.Workloads, cron, job)
		if r.IntN(2) == 0 {
			cron.LastSchedule = takenAt.Add(-time.Minute)
		}
		current.Workloads = append(current.Workloads, cron)
	}
	somewhere := func() string { return fmt.Sprintf("node-%d", r.IntN(nodes)) }
	change := func(p *Pod) {
		for _, c := range []struct {
			odds int
			f    func(*Pod)
		}{
			{10, never}, {10, onFailure}, {15, pending}, {10, succeeded}, {15, failed}, {10, held}, {10, dying}, {20, dead},
			{30, mirror}, {60, unreadablePod}, {15, unbound(somewhere(), p.NodeName)}, {30, unbound()}, {20, image("v2")},
			{15, expiring}, {20, expired}, {20, asks(20)}, {20, asksToRestart(20)}, {20, ephemeral("debug")},
		} {
			if r.IntN(c.odds) == 0 {
				c.f(p)
			}
		}
	}
	for i := range n {
		p := Pod{
			Key: fmt.Sprintf("/registry/pods/ns/p%06d", i), CreateRevision: 1 + r.Int64N(backupAt-1),
			Pod: kube.Pod{Namespace: "ns", Name: fmt.Sprintf("p%06d", i), UID: fmt.Sprintf("uid-%d", i), NodeName: somewhere(), Phase: "Running", RestartPolicy: "Always", Grace: 30},
		}
		p.ModRevision = p.CreateRevision
		if r.IntN(5) == 0 {
			p.Owner = kube.Owner{Kind: "Job", UID: fmt.Sprintf("job-%d", r.IntN(jobs))}
		}
		before, after := p, p
		if r.IntN(4) == 0 {
			change(&before)
			change(&after)
			after.ModRevision = backupAt + 1 + r.Int64N(currentAt-backupAt)
		}
		kind := r.IntN(10)
		if kind > 0 {
			backup.Pods = append(backup.Pods, &before)
		}
		if kind == 1 {
			continue
		}
		if kind == 0 || kind == 2 { // made after the backup, in place of another or not
			after.CreateRevision = after.ModRevision + backupAt
			if after.UID != "" {
				after.UID, after.NodeName = after.UID+"-new", somewhere()
			}
		}
		current.Pods = append(current.Pods, &after)
	}
	return backup, current
}

const seeds = 50

func TestDeterministicInAnyOrder(t *testing.T) {
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		for _, mode := range modes {
			want := mustPredict(t, backup, current, mode.plan)
			shuffled, r := [2]State{*backup, *current}, rand.New(rand.NewPCG(seed, 1))
			for i := range shuffled {
				s := &shuffled[i]
				s.Pods, s.Nodes = append([]*Pod(nil), s.Pods...), append([]Node(nil), s.Nodes...)
				r.Shuffle(len(s.Pods), func(i, j int) { s.Pods[i], s.Pods[j] = s.Pods[j], s.Pods[i] })
				r.Shuffle(len(s.Nodes), func(i, j int) { s.Nodes[i], s.Nodes[j] = s.Nodes[j], s.Nodes[i] })
			}
			if diff := cmp.Diff(want, mustPredict(t, &shuffled[0], &shuffled[1], mode.plan)); diff != "" {
				t.Fatalf("seed %d, %s: %s", seed, mode.name, diff)
			}
		}
	}
}

// TestEveryPodOnce: each uid of either state has one outcome, in full.
func TestEveryPodOnce(t *testing.T) {
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		want := map[string]bool{}
		for _, s := range []*State{backup, current} {
			for _, p := range s.Pods {
				want[p.UID] = p.UID != ""
			}
		}
		for _, mode := range modes {
			p := mustPredict(t, backup, current, mode.plan)
			got, total := map[string]bool{}, 0
			for _, o := range p.Pods {
				if got[o.UID] {
					t.Fatalf("seed %d, %s: %s twice", seed, mode.name, o.UID)
				}
				got[o.UID] = o.UID != ""
				checkSpoken(t, o)
			}
			for uid, named := range want {
				if named && !got[uid] {
					t.Fatalf("seed %d, %s: %s has no outcome", seed, mode.name, uid)
				}
			}
			for _, n := range p.Summary {
				total += n
			}
			if total != len(p.Pods) {
				t.Fatalf("seed %d, %s: the summary counts %d of %d pods", seed, mode.name, total, len(p.Pods))
			}
		}
	}
}

// TestRelistLeavesNothing: where every kubelet certainly relists its pods no
// phantom and no ghost is left, and nothing is hidden.
func TestRelistLeavesNothing(t *testing.T) {
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		for _, plan := range []Plan{
			bump(1_000_000), kept(bump(1_000_000)), {RestartKubelets: Restart{All: true}},
			{BumpRevision: 1, MarkCompacted: true, RestartKubelets: Restart{All: true}},
		} {
			p := mustPredict(t, backup, current, plan)
			for _, o := range []Outcome{Phantom, Ghost, Hidden, StaleSpec} {
				if p.Summary[o] > 0 {
					t.Errorf("seed %d, %+v: %d are %s", seed, plan, p.Summary[o], o)
				}
			}
		}
	}
}

// TestKeptHides: API servers left running without a bump show no phantom, and
// hide what would be one.
func TestKeptHides(t *testing.T) {
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		plain, stale := mustPredict(t, backup, current, Plan{}), mustPredict(t, backup, current, kept(Plan{}))
		for i, o := range stale.Pods {
			if o.Outcome == Phantom || o.Outcome == Ghost || (o.Outcome == Hidden) != (plain.Pods[i].Outcome == Phantom) {
				t.Errorf("seed %d: %s, under the plain plan %s", seed, describe(o), describe(plain.Pods[i]))
			}
		}
	}
}

// TestSomeKept: where some API servers are restarted and others are left running, each
// shows what it would if all were treated so, and what is certain of a pod is what is
// certain if all are restarted.
func TestSomeKept(t *testing.T) {
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		current.APIServers = []APIServer{{Name: "a"}, {Name: "b"}, {Name: "c"}}
		some := kept(Plan{RestartAPIServers: []string{"b"}})
		p, all, none := mustPredict(t, backup, current, some), mustPredict(t, backup, current, Plan{}), mustPredict(t, backup, current, kept(Plan{}))
		for i, o := range p.Pods {
			if o.Certainty == Certain && (o.Outcome != all.Pods[i].Outcome || !alike(o.API, all.Pods[i].API)) {
				t.Errorf("seed %d: %s, with all API servers restarted %s", seed, describe(o), describe(all.Pods[i]))
			}
			for _, through := range o.Through {
				want := o.API
				if through.APIServers[0] == "a" {
					want = none.Pods[i].API
				}
				if !alike(through.API, want) {
					t.Errorf("seed %d: %s, through %v: %v, not %v", seed, describe(o), through.APIServers, through.API, want)
				}
			}
			if o.Through == nil && !alike(o.API, none.Pods[i].API) {
				t.Errorf("seed %d: %s, the same through all API servers, but %v and %v", seed, describe(o), o.API, none.Pods[i].API)
			}
		}
		bumped := bump(1_000_000)
		bumped.KeepAPIServers, bumped.RestartAPIServers = true, []string{"b"}
		for _, o := range mustPredict(t, backup, current, bumped).Pods {
			if o.Outcome == Phantom || o.Outcome == Ghost || o.Outcome == Hidden || o.Through != nil {
				t.Errorf("seed %d, bumped: %s, through %v", seed, describe(o), o.Through)
			}
		}
	}
}

// TestUntilListed: before a kubelet has relisted its pods all is as if it were deaf,
// and then as is predicted; the longer the outage, the later.
func TestUntilListed(t *testing.T) {
	last := int64(0)
	for _, outage := range []int64{1, 5, 10, 20, 32, 60, 120, 3600, 1 << 62} {
		by := listedWithin(outage)
		if by < last || by > ListedByAtMost {
			t.Errorf("after %d s: listed within %d s, and within %d s after less", outage, by, last)
		}
		last = by
	}
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		plan := bump(1_000_000)
		plan.Outage = Seconds{To: 60}
		c := Compare(backup, current)
		p, err := c.Predict(plan)
		if err != nil {
			t.Fatal(err)
		}
		settled, deaf := mustPredict(t, backup, current, plan), mustPredict(t, backup, current, Plan{})
		for i, o := range p.Pods {
			runs, mayRun, api := o.Settled()
			want := settled.Pods[i]
			if want.Then == nil && (fmt.Sprint(runs, mayRun) != fmt.Sprint(want.RunsOn, want.MayRunOn) || !alike(api, want.API)) {
				t.Errorf("seed %d: %s comes to %v %v %v", seed, describe(want), runs, mayRun, api)
			}
			if o.Then == nil || !o.Then.Relists {
				continue
			}
			for _, node := range deaf.Pods[i].RunsOn {
				if !slices.Contains(o.MayRunOn, node) {
					t.Errorf("seed %d: %s runs on %s until it is listed, not %v", seed, describe(want), node, o.MayRunOn)
				}
			}
			if o.Then.BySeconds < listedWithin(60) {
				t.Errorf("seed %d: %s within %d s", seed, describe(want), o.Then.BySeconds)
			}
		}
	}
}

// TestMonotone: raising the restored revision adds no certain phantom or ghost,
// and takes no certain end of one back.
func TestMonotone(t *testing.T) {
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		c := Compare(backup, current)
		before := map[int]string{}
		for n := int64(0); n < 2000; n += 50 {
			plan := Plan{BumpRevision: n, MarkCompacted: n > 0}
			p, err := c.Predict(plan)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range p.Pods {
				level := "open"
				switch bad := o.Outcome == Phantom || o.Outcome == Ghost; {
				case bad && o.Certainty == Certain:
					level = "certain"
				case !bad:
					level = "over"
				}
				if was, ok := before[i]; ok && (level == "certain" && was != "certain" || was == "over" && level != "over") {
					t.Fatalf("seed %d, bump %d: %s, %s before", seed, n, describe(o), was)
				}
				before[i] = level
			}
		}
	}
}

// BenchmarkPredict changes the plan for 100,000 pods.
func BenchmarkPredict(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		backup, current := cluster(1, n)
		c := Compare(backup, current)
		for _, mode := range modes {
			b.Run(fmt.Sprintf("%s/%d", mode.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Predict(mode.plan); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkCompare lays 100,000 pods side by side.
func BenchmarkCompare(b *testing.B) {
	backup, current := cluster(1, 100_000)
	for b.Loop() {
		Compare(backup, current)
	}
}
