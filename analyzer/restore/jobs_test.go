package restore

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

// TestJobEnds: what controllers make of the pods of Jobs that they end.
func TestJobEnds(t *testing.T) {
	slot := takenAt.Add(-5 * time.Minute)
	replace := func(change func(*Workload)) *Workload {
		w := &Workload{Kind: "CronJob", Namespace: "ns", Name: "cron", UID: "cron", Schedule: "*/5 * * * *", Policy: "Replace", Active: []string{"w"}}
		if change != nil {
			change(w)
		}
		return w
	}
	ran := func(w *Workload) { w.LastSchedule = slot }
	job := func(change func(*Workload)) *Workload {
		w := &Workload{Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 2, Completions: 4, BackoffLimit: 6, Owner: "cron"}
		if change != nil {
			change(w)
		}
		return w
	}
	one, other := owned("Job", "a", "1"), owned("Job", "b", "2")
	tracked := func(p *Pod) { p.Finalizers = []string{jobTracking} }
	tests := []struct {
		name          string
		cron, cronNow *Workload
		job           *Workload
		was, now      []*Pod
		plain, relist []string // the first pod's Then, and the Job's wanted and recreated
	}{
		{
			name: "replaced", cron: replace(nil), cronNow: replace(ran), job: job(nil),
			was:    []*Pod{was(one, never)},
			plain:  []string{"ghost", "0-90 s: Running on n1, terminating", "wanted 0 new 0"},
			relist: []string{"finished", "0-90 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "replaced while it runs on", cron: replace(nil), cronNow: replace(ran), job: job(nil),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-90 s on [n1] []: Running on n1, terminating", "wanted 0 new 0"},
			relist: []string{"unaffected", "0-120 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "no slot known", cron: replace(nil), cronNow: replace(nil), job: job(nil),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-90 s on [n1] []: Running on n1, terminating, or Running on n1", "wanted 2 new 1"},
			relist: []string{"unaffected?", "0-120 s on [] [n1]: no such pod, or Running on n1", "wanted 2 new 1"},
		},
		{
			name: "another schedule", cron: replace(nil), job: job(nil),
			cronNow: replace(func(w *Workload) { w.Schedule = "* * * * *"; ran(w) }),
			was:     []*Pod{was(one, never)},
			plain:   []string{"ghost", "0-90 s: Running on n1, terminating, or Running on n1", "wanted 2 new 1"},
			relist:  []string{"finished", "0-90 s: no such pod, or Failed on n1", "wanted 2 new 2"},
		},
		{
			name: "starting deadline", cron: replace(func(w *Workload) { w.Deadline = time.Minute }), cronNow: replace(ran), job: job(nil),
			was:    []*Pod{was(one, never)},
			plain:  []string{"ghost", "0-90 s: Running on n1, terminating, or Running on n1", "wanted 2 new 1"},
			relist: []string{"finished", "0-90 s: no such pod, or Failed on n1", "wanted 2 new 2"},
		},
		{
			name: "suspended", cron: replace(func(w *Workload) { w.Suspended = true }), cronNow: replace(ran), job: job(nil),
			was:    []*Pod{was(one, never)},
			plain:  []string{"ghost", "stays", "wanted 2 new 1"},
			relist: []string{"finished", "stays", "wanted 2 new 2"},
		},
		{
			name: "not in the active list", cron: replace(func(w *Workload) { w.Active = nil }), cronNow: replace(ran), job: job(nil),
			was:    []*Pod{was(one, never)},
			plain:  []string{"ghost", "stays", "wanted 2 new 1"},
			relist: []string{"finished", "stays", "wanted 2 new 2"},
		},
		{
			name: "replaced, held by a finalizer", cron: replace(nil), cronNow: replace(ran), job: job(nil),
			was:    []*Pod{was(one, never, held)},
			plain:  []string{"ghost", "0-90 s: Running on n1, terminating", "wanted 0 new 0"},
			relist: []string{"finished", "0-90 s: Failed on n1, terminating", "wanted 0 new 0"},
		},
		{
			name: "above its backoffLimit", job: job(func(w *Workload) { w.BackoffLimit, w.Failed = 1, 1 }),
			was:    []*Pod{was(other), was(one, never)},
			now:    []*Pod{was(other)},
			plain:  []string{"ghost", "stays", "wanted 2 new 0"},
			relist: []string{"finished", "stays", "wanted 0 new 0"},
		},
		{
			name: "above its backoffLimit, one that runs on", job: job(func(w *Workload) { w.BackoffLimit, w.Failed = 1, 1 }),
			was:    []*Pod{was(one), was(other, never)},
			now:    []*Pod{was(one)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 0"},
			relist: []string{"unaffected", "0-120 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "at its backoffLimit", job: job(func(w *Workload) { w.BackoffLimit, w.Failed = 2, 1 }),
			was:    []*Pod{was(one, never)},
			plain:  []string{"ghost", "stays", "wanted 2 new 1"},
			relist: []string{"finished", "stays", "wanted 2 new 2"},
		},
		{
			name: "above its backoffLimit in the backup already", job: job(func(w *Workload) { w.BackoffLimit, w.Failed = 1, 2 }),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-90 s on [n1] []: Running on n1, terminating", "wanted 0 new 0"},
			relist: []string{"unaffected", "0-120 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "at its backoffLimit in the backup already", job: job(func(w *Workload) { w.BackoffLimit, w.Failed = 2, 2 }),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 1"},
			relist: []string{"unaffected", "stays", "wanted 2 new 1"},
		},
		{
			name: "a failed pod that it has not counted", job: job(func(w *Workload) { w.BackoffLimit, w.Failed = 1, 1 }),
			was: []*Pod{was(one), was(other, never, failed, tracked)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-90 s on [n1] []: Running on n1, terminating, or Running on n1", "wanted 2 new 1"},
			relist: []string{"unaffected?", "0-120 s on [] [n1]: no such pod, or Running on n1", "wanted 2 new 1"},
		},
		{
			name: "a failed pod that it has counted", job: job(func(w *Workload) { w.BackoffLimit, w.Failed = 1, 1 }),
			was: []*Pod{was(one), was(other, never, failed)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 1"},
			relist: []string{"unaffected", "stays", "wanted 2 new 1"},
		},
		{
			name: "restarted in place as often as its backoffLimit", job: job(func(w *Workload) { w.BackoffLimit, w.OnFailure = 1, true }),
			was:    []*Pod{was(one, onFailure)},
			plain:  []string{"ghost", "stays", "wanted 2 new 1"},
			relist: []string{"restarted?", "0-120 s on [] [n1]: no such pod, or Running on n1", "wanted 2 new 1"},
		},
		{
			name: "restarted in place less often", job: job(func(w *Workload) { w.BackoffLimit, w.OnFailure = 2, true }),
			was:    []*Pod{was(one, onFailure)},
			plain:  []string{"ghost", "stays", "wanted 2 new 1"},
			relist: []string{"restarted", "stays", "wanted 2 new 1"},
		},
		{
			name: "restarted in place once, which is all that a backoffLimit of 0 allows", job: job(func(w *Workload) { w.BackoffLimit, w.OnFailure = 0, true }),
			was:    []*Pod{was(one, onFailure)},
			plain:  []string{"ghost", "stays", "wanted 2 new 1"},
			relist: []string{"restarted?", "0-120 s on [] [n1]: no such pod, or Running on n1", "wanted 2 new 1"},
		},
		{
			name: "never restarted, with a backoffLimit of 0", job: job(func(w *Workload) { w.BackoffLimit, w.OnFailure = 0, true }),
			was: []*Pod{was(one, onFailure)}, now: []*Pod{was(one, onFailure)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 1"},
			relist: []string{"unaffected", "stays", "wanted 2 new 1"},
		},
		{
			name: "restarted in place less often, and a failed pod that it has not counted", job: job(func(w *Workload) { w.BackoffLimit, w.OnFailure = 2, true }),
			was:    []*Pod{was(one, onFailure), was(other, onFailure, failed, tracked)},
			plain:  []string{"ghost", "stays", "wanted 2 new 1"},
			relist: []string{"restarted", "stays", "wanted 2 new 1"},
		},
		{
			name: "podFailurePolicy", job: job(func(w *Workload) { w.BackoffLimit, w.FailurePolicy = 0, true }),
			was:    []*Pod{was(one), was(other, never)},
			now:    []*Pod{was(one)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 0"},
			relist: []string{"unaffected?", "0-120 s on [] [n1]: no such pod, or Running on n1", "wanted 2 new 1"},
		},
		{
			name: "podFailurePolicy, and no pod has failed", job: job(func(w *Workload) { w.BackoffLimit, w.FailurePolicy = 0, true }),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 1"},
			relist: []string{"unaffected", "stays", "wanted 2 new 1"},
		},
		{
			name: "backoffLimitPerIndex", job: job(func(w *Workload) { w.PerIndex = true }),
			was:    []*Pod{was(one), was(other, never)},
			now:    []*Pod{was(one)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 0"},
			relist: []string{"unaffected?", "0-120 s on [] [n1]: no such pod, or Running on n1", "wanted 2 new 1"},
		},
		{
			name: "backoffLimitPerIndex, and no pod has failed", job: job(func(w *Workload) { w.PerIndex = true }),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "stays", "wanted 2 new 1"},
			relist: []string{"unaffected", "stays", "wanted 2 new 1"},
		},
		{
			name: "its deadline passed", job: job(func(w *Workload) { w.FailsAt = takenAt.Add(-time.Second) }),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-90 s on [n1] []: Running on n1, terminating", "wanted 0 new 0"},
			relist: []string{"unaffected", "0-120 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "ended, with a ttl", job: job(func(w *Workload) { w.Finished, w.Expires = true, takenAt.Add(10*time.Second) }),
			was: []*Pod{was(one, succeeded)}, now: []*Pod{was(one, succeeded)},
			plain:  []string{"unaffected", "0-100 s: no such pod", "wanted 0 new 0"},
			relist: []string{"unaffected", "0-100 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "its end decided", job: job(func(w *Workload) { w.Deciding = "FailureTarget" }),
			was: []*Pod{was(one), was(other, never)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-90 s on [n1] []: Running on n1, terminating", "wanted 0 new 0"},
			relist: []string{"unaffected", "0-120 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "its end decided, and suspended", job: job(func(w *Workload) { w.Deciding, w.Suspended = "SuccessCriteriaMet", true }),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-90 s on [n1] []: Running on n1, terminating", "wanted 0 new 0"},
			relist: []string{"unaffected", "0-120 s: no such pod", "wanted 0 new 0"},
		},
		{
			name: "ended as decided", job: job(func(w *Workload) { w.Finished, w.Deciding = true, "FailureTarget" }),
			was: []*Pod{was(one, succeeded)}, now: []*Pod{was(one, succeeded)},
			plain:  []string{"unaffected", "stays", "wanted 0 new 0"},
			relist: []string{"unaffected", "stays", "wanted 0 new 0"},
		},
		{
			name: "its deadline to come", job: job(func(w *Workload) { w.FailsAt = takenAt.Add(time.Minute) }),
			was: []*Pod{was(one)}, now: []*Pod{was(one)},
			plain:  []string{"unaffected", "0-150 s on [n1] []: Running on n1, terminating", "wanted 2 new 1"},
			relist: []string{"unaffected", "0-180 s: no such pod", "wanted 2 new 1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states(tt.was, tt.now)
			for _, w := range []*Workload{tt.cron, tt.job} {
				if w != nil {
					backup.Workloads = append(backup.Workloads, *w)
				}
			}
			if tt.cronNow != nil {
				current.Workloads = append(current.Workloads, *tt.cronNow)
			}
			for name, want := range map[string][]string{"plain": tt.plain, "relist": tt.relist} {
				p := mustPredict(t, backup, current, map[string]Plan{"relist": bump(1_000_000)}[name])
				at := 0
				for p.Pods[at].UID != "1" {
					at++
				}
				o := p.Pods[at]
				got := []string{string(o.Outcome), toldLater(o), ""}
				if o.Certainty != Certain {
					got[0] += "?"
				}
				for _, w := range p.Workloads {
					if w.Kind == "Job" {
						got[2] = fmt.Sprintf("wanted %d new %d", w.Wanted, w.Recreates)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}
}

// TestEndedJobTakesItsPlace: a pod that controllers delete with its Job takes resources of its
// node for certain where its kubelet never hears of that, and else until it has stopped.
func TestEndedJobTakesItsPlace(t *testing.T) {
	for _, tt := range []struct {
		name         string
		plan         Plan
		running, may int64
	}{
		{"deaf", Plan{}, 100, 0},
		{"relists", bump(1_000_000), 0, 100},
	} {
		p := was(owned("Job", "a", "1"), asks(100))
		backup, current := states([]*Pod{p}, []*Pod{p})
		backup.Nodes[0].Allocatable = kube.Allocatable{MilliCPU: 1000, Memory: 1 << 30, Pods: 10}
		backup.Workloads = []Workload{{Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 1, Completions: 1, BackoffLimit: 6, FailsAt: takenAt.Add(-time.Second)}}
		c := mustPredict(t, backup, current, tt.plan).Nodes[0].Capacity
		if c.Running.MilliCPU != tt.running || c.MayRun.MilliCPU != tt.may {
			t.Errorf("%s: running %v, may run %v", tt.name, c.Running, c.MayRun)
		}
	}
}
