package restore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

// owned gives a pod a controller, a name and a uid of its own.
func owned(kind, name, uid string) func(*Pod) {
	return func(p *Pod) {
		p.Key, p.Name, p.UID = "/registry/pods/ns/"+name, name, uid
		p.Owner = kube.Owner{Kind: kind, Name: "w", UID: "w"}
	}
}

func TestWorkloads(t *testing.T) {
	slot := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	never := func(p *Pod) { p.RestartPolicy = "Never" }
	tests := []struct {
		name          string
		was, now      *Workload
		pods, after   []*Pod
		plain, relist string
	}{
		{
			name: "scaled up since the backup",
			was:  &Workload{Kind: "Deployment", Wanted: 1}, now: &Workload{Kind: "Deployment", Wanted: 2},
			pods:   []*Pod{was(owned("ReplicaSet", "a", "1"))},
			after:  []*Pod{was(owned("ReplicaSet", "a", "1")), made(owned("ReplicaSet", "b", "2"))},
			plain:  "wanted 1 believed 1 running 2+0 critical: Unseen by the API: 1 pod. 2 run, 1 are wanted. It goes back from 2 to 1 wanted pods.",
			relist: "wanted 1 believed 1 running 1+0 warning: It goes back from 2 to 1 wanted pods.",
		},
		{
			name: "lost", now: &Workload{Kind: "Deployment", Wanted: 1},
			after:  []*Pod{made(owned("ReplicaSet", "b", "2"))},
			plain:  "wanted 0 believed 0 running 1+0 critical: It is lost with the restore. Still running without it: 1 pod.",
			relist: "wanted 0 believed 0 running 0+0 warning: It is lost with the restore.",
		},
		{
			name: "deleted since", was: &Workload{Kind: "ReplicaSet", Wanted: 1},
			pods:   []*Pod{was(owned("ReplicaSet", "a", "1"))},
			plain:  "wanted 1 believed 1 running 0+0 critical: Shown by the API and not running: 1 pod. Of 1 wanted 0 run, and nothing replaces the rest. It was deleted after the backup and is back.",
			relist: "wanted 1 believed 1 running 1+0 warning: It was deleted after the backup and is back.",
		},
		{
			name: "an identity that moved",
			was:  &Workload{Kind: "StatefulSet", Wanted: 1, Claims: []string{"data"}}, now: &Workload{Kind: "StatefulSet", Wanted: 1, Claims: []string{"data"}},
			pods:   []*Pod{was(owned("StatefulSet", "w-0", "1"))},
			after:  []*Pod{made(owned("StatefulSet", "w-0", "2"), on("n2"))},
			plain:  "wanted 1 believed 1 running 1+0 critical: Unseen by the API: 1 pod. Shown by the API and not running: 1 pod.",
			relist: "wanted 1 believed 1 running 1+0 critical: Running twice at the same time, on the same claims: 1 pod.",
		},
		{
			name: "an identity whose deletion hangs",
			was:  &Workload{Kind: "StatefulSet", Wanted: 1}, now: &Workload{Kind: "StatefulSet", Wanted: 1},
			pods:   []*Pod{was(owned("StatefulSet", "w-0", "1"), dying)},
			plain:  "wanted 1 believed 0 running 0+0 critical: Shown by the API and not running: 1 pod. Of 1 wanted 0 run, and nothing replaces the rest.",
			relist: "wanted 1 believed 0 running 0+0 new 1 warning: Recreated: 1 pod.",
		},
		{
			name: "a Job that has ended since",
			was:  &Workload{Kind: "Job", Wanted: 1, Completions: 1}, now: &Workload{Kind: "Job", Wanted: 1, Completions: 1, Finished: true},
			pods:   []*Pod{was(owned("Job", "a", "1"), never)},
			after:  []*Pod{now(owned("Job", "a", "1"), never, succeeded)},
			plain:  "wanted 1 believed 1 running 0+0 critical: Waiting for pods that have already ended: 1 pod.",
			relist: "wanted 0 believed 0 running 0+0 ok: As before.",
		},
		{
			name:   "a Job whose pod was deleted since",
			was:    &Workload{Kind: "Job", Wanted: 1, Completions: 3, Succeeded: 1, BackoffLimit: 1},
			pods:   []*Pod{was(owned("Job", "a", "1"), never)},
			plain:  "wanted 1 believed 1 running 0+0 critical: Shown by the API and not running: 1 pod. Of 1 wanted 0 run, and nothing replaces the rest. It was deleted after the backup and is back.",
			relist: "wanted 1 believed 0 running 0+0 new 1 warning: Recreated: 1 pod. It was deleted after the backup and is back.",
		},
		{
			name: "a slot that has run since",
			was:  &Workload{Kind: "CronJob", Schedule: "0 * * * *"}, now: &Workload{Kind: "CronJob", Schedule: "0 * * * *", LastSchedule: slot},
			plain:  "wanted 0 believed 0 running 0+0 warning: The backup does not have the slot of 2026-11-23T04:00:00Z, which has run: the newest slot (0 * * * *) runs again.",
			relist: "wanted 0 believed 0 running 0+0 warning: The backup does not have the slot of 2026-11-23T04:00:00Z, which has run: the newest slot (0 * * * *) runs again.",
		},
		{
			name: "a slot that has run since, Forbid",
			was:  &Workload{Kind: "CronJob", Schedule: "0 * * * *", Policy: "Forbid", Active: []string{"j"}}, now: &Workload{Kind: "CronJob", Schedule: "0 * * * *", LastSchedule: slot},
			plain:  "wanted 0 believed 0 running 0+0 warning: The backup does not have the slot of 2026-11-23T04:00:00Z, which has run: the newest slot (0 * * * *) runs again. That waits until the Job that the backup has as active has ended (concurrencyPolicy Forbid).",
			relist: "wanted 0 believed 0 running 0+0 warning: The backup does not have the slot of 2026-11-23T04:00:00Z, which has run: the newest slot (0 * * * *) runs again. That waits until the Job that the backup has as active has ended (concurrencyPolicy Forbid).",
		},
		{
			name: "suspended in the backup",
			was:  &Workload{Kind: "CronJob", Suspended: true}, now: &Workload{Kind: "CronJob", LastSchedule: slot},
			plain:  "wanted 0 believed 0 running 0+0 ok: Suspended in the backup: no slot runs again.",
			relist: "wanted 0 believed 0 running 0+0 ok: Suspended in the backup: no slot runs again.",
		},
		{
			name: "another template",
			was:  &Workload{Kind: "DaemonSet", Wanted: 1, Template: "1"}, now: &Workload{Kind: "DaemonSet", Wanted: 1, Template: "2"},
			pods:   []*Pod{was(owned("DaemonSet", "a", "1"))},
			after:  []*Pod{was(owned("DaemonSet", "a", "1"))},
			plain:  "wanted 1 believed 1 running 1+0 warning: Its pod template is rolled back to the backup's: the rollout since then is undone.",
			relist: "wanted 1 believed 1 running 1+0 warning: Its pod template is rolled back to the backup's: the rollout since then is undone.",
		},
		{
			name: "on a machine that is gone",
			was:  &Workload{Kind: "Deployment", Wanted: 1}, now: &Workload{Kind: "Deployment", Wanted: 1},
			pods:   []*Pod{was(owned("ReplicaSet", "a", "1"), on("n4"), tolerating(300))},
			plain:  "wanted 1 believed 1 running 0+0 later 1 critical: Shown by the API and not running: 1 pod. Of 1 wanted 0 run. Recreated within 390 s, when they are deleted with their machine, but not started on nodes whose kubelet is deaf: 1 pod.",
			relist: "wanted 1 believed 1 running 0+0 later 1 critical: Of 1 wanted 0 run. Recreated within 390 s, when they are deleted with their machine: 1 pod.",
		},
		{
			name: "one on a machine that is gone, one a ghost",
			was:  &Workload{Kind: "ReplicaSet", Wanted: 2}, now: &Workload{Kind: "ReplicaSet", Wanted: 2},
			pods:   []*Pod{was(owned("ReplicaSet", "a", "1"), on("n4"), tolerating(300)), was(owned("ReplicaSet", "b", "2"))},
			plain:  "wanted 2 believed 2 running 0+0 later 1 critical: Shown by the API and not running: 2 pods. Of 2 wanted 0 run, and nothing replaces 1 of them. Recreated within 390 s, when they are deleted with their machine, but not started on nodes whose kubelet is deaf: 1 pod.",
			relist: "wanted 2 believed 2 running 1+0 later 1 critical: Of 2 wanted 1 run. Recreated within 390 s, when they are deleted with their machine: 1 pod.",
		},
		{
			name: "scaled down below what a machine that is gone has",
			was:  &Workload{Kind: "ReplicaSet"}, now: &Workload{Kind: "ReplicaSet"},
			pods:   []*Pod{was(owned("ReplicaSet", "a", "1"), on("n4"), tolerating(300))},
			plain:  "wanted 0 believed 1 running 0+0 critical: Shown by the API and not running: 1 pod. Removed by its controller: 1 pod.",
			relist: "wanted 0 believed 1 running 0+0 warning: Removed by its controller: 1 pod.",
		},
		{
			name: "an identity on a machine that is gone",
			was:  &Workload{Kind: "StatefulSet", Wanted: 1}, now: &Workload{Kind: "StatefulSet", Wanted: 1},
			pods:   []*Pod{was(owned("StatefulSet", "w-0", "1"), on("n4"), tolerating(300))},
			plain:  "wanted 1 believed 1 running 0+0 critical: Shown by the API and not running: 1 pod. Of 1 wanted 0 run, and nothing replaces the rest.",
			relist: "wanted 1 believed 1 running 0+0 critical: Of 1 wanted 0 run, and nothing replaces the rest.",
		},
		{
			name: "being stopped, and the API does not know",
			was:  &Workload{Kind: "Deployment", Wanted: 1}, now: &Workload{Kind: "Deployment", Wanted: 1},
			pods:   []*Pod{was(owned("ReplicaSet", "a", "1"))},
			after:  []*Pod{now(owned("ReplicaSet", "a", "1"), dying)},
			plain:  "wanted 1 believed 1 running 1+0 later 1 critical: Recreated once they are stopped, but not started on nodes whose kubelet is deaf: 1 pod.",
			relist: "wanted 1 believed 1 running 1+0 later 1 warning: Recreated once they are stopped: 1 pod.",
		},
		{
			name: "a DaemonSet on a node that is not in the backup",
			was:  &Workload{Kind: "DaemonSet"}, now: &Workload{Kind: "DaemonSet"},
			after:  []*Pod{made(owned("DaemonSet", "a", "1"), on("n5"))},
			plain:  "wanted 0 believed 0 running 1+0 critical: Unseen by the API: 1 pod. 1 run, 0 are wanted.",
			relist: "wanted 0 believed 0 running 0+0 ok: As before.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states(tt.pods, tt.after)
			for _, side := range []struct {
				state *State
				w     *Workload
			}{{backup, tt.was}, {current, tt.now}} {
				if side.w != nil {
					side.w.Namespace, side.w.Name, side.w.UID = "ns", "w", "w"
					side.state.Workloads = []Workload{*side.w}
				}
			}
			for plan, want := range map[string]string{"plain": tt.plain, "bump": tt.relist} {
				p := mustPredict(t, backup, current, map[string]Plan{"bump": bump(1_000_000)}[plan])
				if len(p.Workloads) != 1 {
					t.Fatalf("%d workloads", len(p.Workloads))
				}
				if diff := cmp.Diff(want, toldWorkload(p.Workloads[0])); diff != "" {
					t.Errorf("%s: %s", plan, diff)
				}
				if got, want := p.Workloads[0].In, sides(tt.was != nil, tt.now != nil); got != want {
					t.Errorf("%s: it is in %s, want %s", plan, got, want)
				}
			}
		})
	}
}

// TestForbid: a CronJob with concurrencyPolicy Forbid waits for a Job of which a pod
// counts as active that has ended, or is gone, unless controllers are sure to end the Job.
func TestForbid(t *testing.T) {
	late := func(w *Workload) { w.FailsAt = takenAt.Add(-time.Second) }
	restarted := func(w *Workload) { w.OnFailure, w.BackoffLimit = true, 0 }
	for name, tt := range map[string]struct {
		job  func(*Workload)
		now  []*Pod
		plan Plan
		want Severity
	}{
		"ended":                                {nil, []*Pod{now(owned("Job", "a", "1"), never, succeeded)}, Plan{}, Critical},
		"gone":                                 {nil, nil, Plan{}, Critical},
		"gone, and the Job fails":              {late, nil, Plan{}, OK},
		"gone, and the Job may fail":           {restarted, nil, Plan{}, Critical},
		"runs on":                              {nil, []*Pod{was(owned("Job", "a", "1"), never)}, Plan{}, OK},
		"ended, relisted":                      {nil, []*Pod{now(owned("Job", "a", "1"), never, succeeded)}, bump(1_000_000), OK},
		"ended, with API servers left running": {nil, []*Pod{now(owned("Job", "a", "1"), never, succeeded)}, Plan{KeepAPIServers: true}, OK},
	} {
		t.Run(name, func(t *testing.T) {
			backup, current := states([]*Pod{was(owned("Job", "a", "1"), never, func(p *Pod) { p.Restarts = 1 })}, tt.now)
			cron := Workload{Kind: "CronJob", Namespace: "ns", Name: "cron", UID: "cron", Policy: "Forbid", Active: []string{"w"}}
			job := Workload{Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 1, Completions: 1, BackoffLimit: 6, Owner: "cron"}
			if tt.job != nil {
				tt.job(&job)
			}
			backup.Workloads = []Workload{cron, job}
			current.Workloads = []Workload{cron}
			w := mustPredict(t, backup, current, tt.plan).Workloads[0]
			if w.Severity != tt.want || (w.Action != "") != (tt.want == Critical) {
				t.Errorf("%s: %s %s", w.Severity, w.Reason, w.Action)
			}
		})
	}
}

// sides names the snapshots that have something.
func sides(backup, current bool) string {
	switch {
	case !current:
		return string(InBackup)
	case !backup:
		return string(InCurrent)
	}
	return "both"
}

func toldWorkload(w WorkloadOutcome) string {
	s := fmt.Sprintf("wanted %d believed %d running %d+%d", w.Wanted, w.Believed, w.Running, w.MayRun)
	if w.Recreates > 0 {
		s += fmt.Sprintf(" new %d", w.Recreates)
	}
	if w.RecreatesLater > 0 {
		s += fmt.Sprintf(" later %d", w.RecreatesLater)
	}
	return s + " " + string(w.Severity) + ": " + w.Reason
}

// TestDaemonSetOnReturningNode: a restarted kubelet registers its node, which gets
// new pods of DaemonSets.
func TestDaemonSetOnReturningNode(t *testing.T) {
	backup, current := states(nil, []*Pod{made(owned("DaemonSet", "a", "1"), on("n5"))})
	w := []Workload{{Kind: "DaemonSet", Namespace: "ns", Name: "w", UID: "w"}}
	backup.Workloads, current.Workloads = w, w
	p := mustPredict(t, backup, current, Plan{RestartKubelets: Restart{All: true}})
	if got := p.Workloads[0].Recreates; got != 1 {
		t.Errorf("%d pods recreated, want 1", got)
	}
}

// TestOwnerOfTheBackup: controllers use the owner that the restored API has.
func TestOwnerOfTheBackup(t *testing.T) {
	orphan := now(owned("ReplicaSet", "a", "1"))
	orphan.Owner = kube.Owner{}
	backup, current := states([]*Pod{was(owned("ReplicaSet", "a", "1"))}, []*Pod{orphan})
	backup.Workloads = []Workload{{Kind: "Deployment", Name: "d", UID: "deployment", Wanted: 1}}
	backup.OwnedBy = map[string]string{"w": "deployment"}
	p := mustPredict(t, backup, current, Plan{})
	if w := p.Workloads[0]; w.Believed != 1 || w.Recreates != 0 {
		t.Errorf("believed %d, recreated %d", w.Believed, w.Recreates)
	}
}

func TestCapacity(t *testing.T) {
	node := kube.Allocatable{MilliCPU: 1000, Memory: 1 << 30, Pods: 10}
	asks := func(milli int64) func(*Pod) { return func(p *Pod) { p.Requests.MilliCPU = milli } }
	port := func(ip string) func(*Pod) {
		return func(p *Pod) { p.HostPorts = []kube.HostPort{{IP: ip, Protocol: "TCP", Port: 9100}} }
	}
	tests := []struct {
		name          string
		pods, after   []*Pod
		plan          Plan
		refuses       string
		sure          Certainty
		clash         int
		believed, run int64
	}{
		{name: "a phantom, and nothing to place", after: []*Pod{made(asks(900))}, run: 900},
		{
			name: "a phantom, and a pod to place", run: 900,
			pods:    []*Pod{was(owned("", "waiting", "2"), unbound("n1"), asks(500))},
			after:   []*Pod{made(asks(900)), was(owned("", "waiting", "2"), unbound("n1"), asks(500))},
			refuses: "1 pod that the API does not show take 900m of CPU", sure: Possible,
		},
		{
			name: "a swap that does not fit at once", plan: bump(1_000_000), believed: 600, run: 600,
			pods: []*Pod{was(asks(600))}, after: []*Pod{made(asks(600))},
			refuses: "What its kubelet starts again does not fit before what it stops has stopped: out of cpu until then.", sure: Possible,
		},
		{
			name: "what is started again does not fit", plan: bump(1_000_000), believed: 1300, run: 1300,
			pods:    []*Pod{was(asks(600)), was(owned("", "stays", "3"), asks(700))},
			after:   []*Pod{was(owned("", "stays", "3"), asks(700))},
			refuses: "What its kubelet starts again does not fit next to what runs: out of cpu.", sure: Certain,
		},
		{
			name: "a pod is being stopped, and one starts again", plan: bump(1_000_000), believed: 1200, run: 600,
			pods:    []*Pod{was(asks(600)), was(owned("", "back", "2"), asks(600))},
			after:   []*Pod{now(asks(600), dying)},
			refuses: "What its kubelet starts again does not fit before what it stops has stopped: out of cpu until then.", sure: Possible,
		},
		{
			name: "a phantom, one that may not have started, and a pod to place", run: 100,
			pods:    []*Pod{was(owned("", "waiting", "2"), unbound("n1"), asks(500))},
			after:   []*Pod{made(asks(100)), made(owned("", "bound", "3"), pending, asks(600)), was(owned("", "waiting", "2"), unbound("n1"), asks(500))},
			refuses: "1 pod that the API does not show take 100m of CPU", sure: Possible,
		},
		{
			name: "a pod was made larger in place, its kubelet is deaf", believed: 100, run: 900,
			pods:  []*Pod{was(asks(100))},
			after: []*Pod{was(asks(900))},
		},
		{
			name: "a pod was made larger in place, and one is to be placed", believed: 100, run: 900,
			pods:    []*Pod{was(asks(100)), was(owned("", "waiting", "2"), unbound("n1"), asks(500))},
			after:   []*Pod{was(asks(900)), was(owned("", "waiting", "2"), unbound("n1"), asks(500))},
			refuses: "1 pod resized since the backup take 800m of CPU and 0 of memory, which the scheduler takes for free", sure: Possible,
		},
		{
			name: "a pod was made larger in place, its kubelet lists", plan: bump(1_000_000), believed: 100, run: 100,
			pods: []*Pod{was(asks(100))}, after: []*Pod{was(asks(900))},
		},
		{
			name: "a pod is to be larger, and its kubelet has not allocated that", believed: 100, run: 100,
			pods:  []*Pod{was(asks(100))},
			after: []*Pod{was(asks(950), func(p *Pod) { p.Allocated = &kube.Allocation{Requests: kube.Requests{MilliCPU: 100}} })},
		},
		{
			name: "so it was before the backup", plan: bump(1_000_000), believed: 950, run: 100,
			pods:  []*Pod{was(asks(950), func(p *Pod) { p.Allocated = &kube.Allocation{Requests: kube.Requests{MilliCPU: 100}} })},
			after: []*Pod{was(asks(950), func(p *Pod) { p.Allocated = &kube.Allocation{Requests: kube.Requests{MilliCPU: 100}} })},
		},
		{
			name: "a pod was made smaller in place", believed: 900, run: 100,
			pods: []*Pod{was(asks(900))}, after: []*Pod{was(asks(100))},
		},
		{
			name: "a pod was made larger, and API servers run on", plan: Plan{KeepAPIServers: true}, believed: 900, run: 900,
			pods: []*Pod{was(asks(100))}, after: []*Pod{was(asks(900))},
		},
		{
			name: "a host port twice", plan: bump(1_000_000), clash: 1,
			pods: []*Pod{was(port(""))}, after: []*Pod{made(port("10.0.0.1"))},
		},
		{
			name: "a host port on two addresses", plan: bump(1_000_000),
			pods: []*Pod{was(port("10.0.0.2"))}, after: []*Pod{made(port("10.0.0.1"))},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states(tt.pods, tt.after)
			for i := range backup.Nodes {
				backup.Nodes[i].Allocatable = node
			}
			p := mustPredict(t, backup, current, tt.plan)
			c := p.Nodes[0].Capacity
			if c == nil {
				t.Fatal("no capacity")
			}
			if !strings.HasPrefix(c.Refuses, tt.refuses) || (c.Refuses == "") != (tt.refuses == "") || c.Certainty != tt.sure {
				t.Errorf("refuses %q (%s), want %q (%s)", c.Refuses, c.Certainty, tt.refuses, tt.sure)
			}
			if len(c.Clashes) != tt.clash || c.Believed.MilliCPU != tt.believed || c.Running.MilliCPU != tt.run {
				t.Errorf("%d clashes, believed %v, running %v", len(c.Clashes), c.Believed, c.Running)
			}
		})
	}
}

// TestCronJob: which slot of a schedule runs again.
func TestCronJob(t *testing.T) {
	slot := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	cron := func(change ...func(*Workload)) *Workload {
		w := &Workload{Kind: "CronJob", Schedule: "0 * * * *", LastSchedule: slot, Active: []string{"job"}}
		for _, f := range change {
			f(w)
		}
		return w
	}
	ran := func(w *Workload) { w.LastSchedule = slot.Add(time.Hour) }
	suspended := func(w *Workload) { w.Suspended = true }
	idle := func(w *Workload) { w.Active = nil }
	policy := func(p string) func(*Workload) { return func(w *Workload) { w.Policy = p } }
	unread := func(w *Workload) { w.Unreadable = "encrypted" }
	tests := []struct {
		name     string
		was, now *Workload
		waits    bool // for a Job of which nothing goes on
		want     string
	}{
		{"created since", nil, cron(), false, "warning [] Created after the backup"},
		{"deleted since", cron(), nil, false, "warning [] Deleted after the backup: it is back and runs on its schedule (0 * * * *)."},
		{"deleted since, suspended", cron(suspended), nil, false, "ok [] Deleted after the backup: it is back, suspended."},
		{"suspended", cron(suspended), cron(), false, "ok [] Suspended in the backup"},
		{"suspended since", cron(), cron(suspended), false, "ok [] No slot has run since the backup."},
		{"no slot since", cron(), cron(), false, "ok [] No slot has run since the backup."},
		{"a slot since", cron(idle), cron(ran), false, "warning [2026-11-23T05:00:00Z] The backup does not have the slot of 2026-11-23T05:00:00Z, which has run: the newest slot (0 * * * *) runs again."},
		{"a slot since, with a deadline", cron(idle, func(w *Workload) { w.Deadline = time.Minute }), cron(ran), false, "runs again, if the controller is back within 1m0s of it."},
		{"beside the one that runs", cron(policy("Allow")), cron(ran), false, "runs again."},
		{"after the one that runs", cron(policy("Forbid")), cron(ran), false, "(concurrencyPolicy Forbid)."},
		{"for the one that runs", cron(policy("Replace")), cron(ran), false, "(concurrencyPolicy Replace); its pods on deaf or missing kubelets"},
		{"for none", cron(policy("Replace"), idle), cron(ran), false, "runs again."},
		{"never", cron(policy("Forbid")), cron(ran), true, "critical [] No slot of its schedule (0 * * * *) runs: its concurrencyPolicy is Forbid, and its Job j counts as active"},
		{"whatever waits", cron(policy("Allow")), cron(ran), true, "runs again."},
		{"unreadable in the backup", cron(unread), cron(), false, "warning [] Unknown: its value cannot be read."},
		{"unreadable now", cron(), cron(unread), false, "warning [] Unknown: its value cannot be read."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &forecast{waiting: map[string]string{"another": "k"}}
			if tt.waits {
				f.waiting["job"] = "j"
			}
			var o WorkloadOutcome
			f.cronJob(&o, &workload{backup: tt.was, current: tt.now})
			if got := fmt.Sprint(o.Severity, " ", o.RunsAgain, " ", o.Reason); !strings.Contains(got, tt.want) || strings.HasSuffix(tt.want, ".") && !strings.HasSuffix(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestDeadlineOfCronJob: whatever the number is, it is a length of time.
func TestDeadlineOfCronJob(t *testing.T) {
	for seconds, want := range map[string]time.Duration{
		"null": 0, "-5": 0, "0": 0, "30": 30 * time.Second, "9000000000": 1 << 31 * time.Second,
	} {
		o := kube.Decode(kube.Key{Group: "batch", Resource: "cronjobs", Namespace: "ns", Name: "c"},
			[]byte(`{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"c","namespace":"ns"},"spec":{"schedule":"* * * * *","startingDeadlineSeconds":`+seconds+`}}`))
		w := Workload{Kind: "CronJob"}
		if !w.read(o, nil) || w.Unreadable != "" || w.Deadline != want {
			t.Errorf("%s seconds are %v, want %v (%s)", seconds, w.Deadline, want, w.Unreadable)
		}
	}
}
