package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestJobPods holds what becomes of each kind of pod of a Job that controllers end by
// themselves, for each way in which they do.
func TestJobPods(t *testing.T) {
	slot := takenAt.Add(-5 * time.Minute)
	ends := []struct {
		name      string
		job, cron func(*Workload) // of the backup
		other     *Pod            // of the Job, in both
	}{
		{"none", nil, nil, nil},
		{"replaced for a slot that has come", nil, func(w *Workload) { w.Policy = "Replace" }, nil},
		{"replaced if a slot has come", nil, func(w *Workload) { w.Policy, w.LastSchedule = "Replace", slot }, nil},
		{"past its deadline", func(w *Workload) { w.FailsAt = takenAt.Add(-time.Second) }, nil, nil},
		{"may fail", func(w *Workload) { w.BackoffLimit, w.Failed = 1, 1 }, nil, was(owned("Job", "z", "9"), failed, func(p *Pod) { p.Finalizers = []string{jobTracking} })},
		{"ended, with a ttl", func(w *Workload) { w.Finished, w.Expires = true, takenAt.Add(time.Minute) }, nil, nil},
	}
	tracked := func(p *Pod) { p.Finalizers = append(p.Finalizers, jobTracking) }
	pairs := []struct {
		name     string
		was, now *Pod
	}{
		{"kept", was(), now()},
		{"kept, held by another finalizer", was(tracked, held), now(tracked, held)},
		{"kept, Pending", was(pending), now(pending)},
		{"kept, with a deadline", was(expiring), now(expiring)},
		{"kept on n3", was(on("n3")), now(on("n3"))},
		{"kept on n4", was(on("n4"), tolerating(300)), now(on("n4"))},
		{"deleted", was(), nil},
		{"deleted, Never", was(never), nil},
		{"created", nil, made()},
		{"ended since", was(never), now(never, succeeded)},
		{"ended", was(succeeded), now(succeeded)},
		{"ended, held", was(succeeded, held), now(succeeded, held)},
		{"deleting", was(dying), now(dying)},
		{"deletion begun", was(), now(dying)},
		{"unbound", was(unbound("n1", "n2")), now(unbound("n1", "n2"))},
		{"unbound, deleted since", was(unbound("n1", "n2")), nil},
		{"unbound, n1 can take it, deleted since", was(unbound("n1")), nil},
		{"bound since", was(unbound("n2")), now()},
		{"ended on n3", was(on("n3"), succeeded), now(on("n3"), succeeded)},
		{"deletion done, held", was(), now(dead, succeeded, held)},
	}
	var b strings.Builder
	for _, end := range ends {
		fmt.Fprintf(&b, "%s\n", end.name)
		var reasons []string
		for _, pair := range pairs {
			var told, names []string
			for _, mode := range []struct {
				name string
				plan Plan
			}{{"plain", Plan{}}, {"bump", bump(1_000_000)}, {"keep", kept(Plan{})}} {
				if mode.plan.KeepAPIServers && pair.name != "kept" { // where controllers see the erased past
					continue
				}
				pods := [][]*Pod{{pair.was}, {pair.now}}
				for i, p := range pods {
					pods[i] = nil
					if p[0] != nil {
						c := *p[0]
						c.Owner.Kind, c.Owner.UID = "Job", "w"
						pods[i] = []*Pod{&c}
					}
					if end.other != nil {
						pods[i] = append(pods[i], end.other)
					}
				}
				backup, current := states(pods[0], pods[1])
				cutOff(current, "n3")
				job := Workload{Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 2, Completions: 4, BackoffLimit: 6, Owner: "cron"}
				cron := Workload{Kind: "CronJob", Namespace: "ns", Name: "cron", UID: "cron", Schedule: "*/5 * * * *", Policy: "Allow", Active: []string{"w"}}
				ran := cron
				ran.LastSchedule = slot
				if end.job != nil {
					end.job(&job)
				}
				if end.cron != nil {
					end.cron(&cron)
				}
				backup.Workloads, current.Workloads = []Workload{cron, job}, []Workload{ran, job}
				p := mustPredict(t, backup, current, mode.plan)
				o := p.Pods[slices.IndexFunc(p.Pods, func(o PodOutcome) bool { return o.UID != "9" })]
				w := p.Workloads[slices.IndexFunc(p.Workloads, func(w WorkloadOutcome) bool { return w.Kind == "Job" })]
				if o.Then != nil && !slices.Contains(reasons, o.Then.Reason) && !strings.Contains(o.Then.Reason, "Its kubelet") && !strings.Contains(o.Then.Reason, "Its node") {
					reasons = append(reasons, o.Then.Reason)
				}
				text := toldInFull(o) + fmt.Sprintf("; Job wants %d, makes %d, removes %d, %s", w.Wanted, w.Recreates, w.Removes, w.Severity)
				if i := slices.Index(told, text); i >= 0 {
					names[i] += ", " + mode.name
					continue
				}
				told, names = append(told, text), append(names, mode.name)
			}
			for i := range told {
				fmt.Fprintf(&b, "  %s; %s: %s\n", pair.name, names[i], told[i])
			}
		}
		for _, reason := range reasons {
			fmt.Fprintf(&b, "  %q\n", reason)
		}
	}
	golden(t, "jobs.txt", b.String())
}
