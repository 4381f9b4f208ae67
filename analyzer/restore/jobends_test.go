package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/internal/golden"

	"github.com/google/go-cmp/cmp"
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
		{"ended in the backup, alive since on n3", was(on("n3"), failed), now(on("n3"))},
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
	golden.Equal(t, "testdata/jobs.txt", b.String())
}

// TestJobCounts: which failures and restarts of its pods a Job counts that its status in the backup
// does not have, and which of several ends is told.
func TestJobCounts(t *testing.T) {
	const (
		sure    = "The Job fails (BackoffLimitExceeded)"
		restart = "The Job may fail (BackoffLimitExceeded)"
	)
	pod := func(change ...func(*Pod)) func(string) *Pod {
		return func(name string) *Pod { return was(append([]func(*Pod){owned("Job", name, name)}, change...)...) }
	}
	tracked := func(p *Pod) { p.Finalizers = append(p.Finalizers, jobTracking) }
	restarts := func(n int) func(*Pod) { return func(p *Pod) { p.Restarts = int32(n) } }
	limit := func(limit, failed int64) func(*Workload) {
		return func(w *Workload) { w.BackoffLimit, w.Failed = limit, failed }
	}
	onFailures := func(limit int64) func(*Workload) {
		return func(w *Workload) { w.BackoffLimit, w.OnFailure = limit, true }
	}
	gone := func(string) *Pod { return nil }
	tests := []struct {
		name     string
		job      func(*Workload)
		was, now func(string) *Pod
		plain    string // what the end is for, "?" where it may be, "" for none
		relist   string
	}{
		{"one fails, at the limit", limit(1, 0), pod(never), gone, "", ""},
		{"one fails, above the limit", limit(1, 1), pod(never), gone, "", sure},
		{"one may fail, above the limit", limit(1, 1), pod(never), pod(never, dead, succeeded), "", sure + "?"},
		{"one may fail, at the limit", limit(1, 0), pod(never), pod(never, dead, succeeded), "", ""},
		{"one being deleted, not counted", limit(0, 0), pod(never, dying, tracked), pod(never, dying, tracked), sure + "?", sure + "?"},
		{"one being deleted, counted", limit(0, 0), pod(never, dying, held), pod(never, dying, held), "", ""},
		{"one failed in a deletion that a finalizer holds up, not counted", limit(0, 0), pod(never, dying, tracked), gone, sure + "?", sure + "?"},
		{"one failed in a deletion that a finalizer holds up, counted", limit(0, 0), pod(never, dying, held), gone, "", ""},
		{"one had failed, not counted", limit(0, 0), pod(failed, tracked), pod(failed, tracked), sure + "?", sure + "?"},
		{"one had failed, counted", limit(0, 0), pod(failed), pod(failed), "", ""},
		{"one has succeeded after restarts, and is not counted", onFailures(3), pod(succeeded, restarts(5), tracked), pod(succeeded, restarts(5), tracked), "", ""},
		{"one is being deleted after restarts", onFailures(3), pod(dying, restarts(5)), pod(dying, restarts(5)), "", ""},
		{"restarted as often as may be", onFailures(3), pod(onFailure, restarts(3)), pod(onFailure, restarts(3)), restart + "?", restart + "?"},
		{"restarted less often", onFailures(4), pod(onFailure, restarts(3)), pod(onFailure, restarts(3)), "", ""},
		{"restarted often, and another policy", func(w *Workload) { w.BackoffLimit = 3 }, pod(onFailure, restarts(3)), pod(onFailure, restarts(3)), "", ""},
		{"restarted since", onFailures(3), pod(onFailure, restarts(1)), pod(onFailure, restarts(3)), "", restart + "?"},
		{"restarted before, of which the current state does not know", onFailures(3), pod(onFailure, restarts(3)), pod(onFailure, restarts(1)), restart + "?", restart + "?"},
		{"started again", onFailures(3), pod(onFailure, restarts(2)), gone, "", restart + "?"},
		{"started again, less often", onFailures(4), pod(onFailure, restarts(2)), gone, "", ""},
		{"a deadline that has passed, and a limit that may be exceeded", func(w *Workload) { w.BackoffLimit, w.FailsAt = 0, takenAt }, pod(failed, tracked), pod(failed, tracked), "The Job fails (DeadlineExceeded)", "The Job fails (DeadlineExceeded)"},
		{"a limit that is exceeded, and a deadline that has passed", func(w *Workload) { w.BackoffLimit, w.Failed, w.FailsAt = 0, 1, takenAt }, pod(), pod(), sure, sure},
		{"suspended, above the limit", func(w *Workload) { w.BackoffLimit, w.Failed, w.Suspended = 0, 1, true }, pod(), pod(), "", ""},
		{"ended, above the limit", func(w *Workload) { w.BackoffLimit, w.Failed, w.Finished = 0, 1, true }, pod(), pod(), "", ""},
		{"not ended, with a time to be deleted at", func(w *Workload) { w.Expires = takenAt }, pod(), pod(), "", ""},
	}
	for _, tt := range tests {
		var pods [2][]*Pod
		for i, make := range []func(string) *Pod{tt.was, tt.now} {
			if p := make("a"); p != nil {
				p.ModRevision += int64(i)
				pods[i] = []*Pod{p}
			}
		}
		job := Workload{Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 2, Completions: 4, BackoffLimit: 6}
		tt.job(&job)
		for name, want := range map[string]string{"plain": tt.plain, "relist": tt.relist} {
			backup, current := states(pods[0], pods[1])
			backup.Workloads = []Workload{job}
			_, f, err := Compare(backup, current).settle(map[string]Plan{"relist": bump(1_000_000)}[name])
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if end := f.jobEnds[0]; end != nil {
				got, _, _ = strings.Cut(end.reason, ":")
				got, _, _ = strings.Cut(got, " at 2026")
				if !end.sure {
					got += "?"
				}
			}
			if got != want {
				t.Errorf("%s, %s: %q, not %q", tt.name, name, got, want)
			}
		}
	}
}

// TestReplaced: when a CronJob replaces its Job, by what the current state has of the CronJob.
func TestReplaced(t *testing.T) {
	slot := takenAt.Add(-5 * time.Minute)
	was := Workload{Kind: "CronJob", Schedule: "@hourly", TimeZone: "UTC", LastSchedule: slot, Policy: "Replace"}
	tests := []struct {
		name   string
		now    func(*Workload)
		before func(*Workload)
		want   bool
		says   string
	}{
		{"a slot since", func(w *Workload) { w.LastSchedule = slot.Add(time.Second) }, nil, true, "a slot has come since the backup, and the Job is deleted for it, with its pods."},
		{"no slot since", func(*Workload) {}, nil, false, "if a slot has come since the backup, the Job is deleted for it, with its pods."},
		{"another schedule", func(w *Workload) { w.LastSchedule, w.Schedule = takenAt, "@daily" }, nil, false, "if a slot has come"},
		{"another time zone", func(w *Workload) { w.LastSchedule, w.TimeZone = takenAt, "Europe/Berlin" }, nil, false, "if a slot has come"},
		{"a deadline", func(w *Workload) { w.LastSchedule = takenAt }, func(w *Workload) { w.Deadline = time.Minute }, false, "with its pods. That is so if the controller is back within 1m0s of the slot."},
	}
	for _, tt := range tests {
		before, now := was, was
		tt.now(&now)
		if tt.before != nil {
			tt.before(&before)
		}
		end := (&workload{backup: &before, current: &now}).replaces()
		if end.sure != tt.want || !end.deleted || !strings.Contains(end.reason, tt.says) || strings.HasSuffix(tt.says, ".") && !strings.HasSuffix(end.reason, tt.says) {
			t.Errorf("%s: %+v", tt.name, end)
		}
	}
	if end := (&workload{backup: &was}).replaces(); end.sure {
		t.Errorf("deleted since: %+v", end)
	}
}

// TestJobWants: how many pods a Job wants after the restore, how many it makes and how many it deletes.
func TestJobWants(t *testing.T) {
	running := func(names ...string) (list []*Pod) {
		for _, name := range names {
			list = append(list, was(owned("Job", name, name)))
		}
		return list
	}
	ended := func(phase func(*Pod)) []*Pod { return []*Pod{was(owned("Job", "z", "z"), never, phase)} }
	tests := []struct {
		name     string
		job      Workload
		was, now []*Pod
		want     [3]int64 // wanted, made, deleted
	}{
		{"as many at a time as it has", Workload{Wanted: 2, Completions: 9}, running("a", "b"), running("a", "b"), [3]int64{2, 0, 0}},
		{"more at a time", Workload{Wanted: 3, Completions: 9}, running("a", "b"), running("a", "b"), [3]int64{3, 1, 0}},
		{"fewer at a time", Workload{Wanted: 1, Completions: 9}, running("a", "b"), running("a", "b"), [3]int64{1, 0, 1}},
		{"one completion", Workload{Wanted: 2, Completions: 1}, running("a", "b"), running("a", "b"), [3]int64{1, 0, 1}},
		{"fewer completions missing", Workload{Wanted: 3, Completions: 9, Succeeded: 8}, running("a", "b"), running("a", "b"), [3]int64{1, 0, 1}},
		{"more have succeeded than it wants", Workload{Wanted: 3, Completions: 3, Succeeded: 5}, running("a"), running("a"), [3]int64{0, 0, 1}},
		{"one succeeds with the restore", Workload{Wanted: 3, Completions: 3, Succeeded: 1}, ended(func(*Pod) {}), ended(succeeded), [3]int64{1, 1, 0}},
		{"one had succeeded, which is counted", Workload{Wanted: 3, Completions: 3, Succeeded: 1}, ended(succeeded), ended(succeeded), [3]int64{2, 2, 0}},
		{"one created since has succeeded", Workload{Wanted: 3, Completions: 3, Succeeded: 1}, nil, ended(succeeded), [3]int64{2, 2, 0}},
		{"one fails with the restore", Workload{Wanted: 3, Completions: 3, Succeeded: 1}, ended(func(*Pod) {}), ended(failed), [3]int64{2, 2, 0}},
		{"a work queue, begun", Workload{Wanted: 3}, running("a"), running("a"), [3]int64{3, 2, 0}},
		{"a work queue, with one success", Workload{Wanted: 3, Succeeded: 1}, running("a"), running("a"), [3]int64{1, 0, 0}},
		{"a work queue, one succeeds with the restore", Workload{Wanted: 3}, append(running("a"), ended(func(*Pod) {})...), append(running("a"), ended(succeeded)...), [3]int64{1, 0, 0}},
		{"a work queue, with one success and more than may be", Workload{Wanted: 1, Succeeded: 1}, running("a", "b"), running("a", "b"), [3]int64{1, 0, 1}},
		{"suspended", Workload{Wanted: 3, Suspended: true}, running("a"), running("a"), [3]int64{0, 0, 0}},
		{"ended", Workload{Wanted: 3, Finished: true}, running("a"), running("a"), [3]int64{0, 0, 0}},
	}
	for _, tt := range tests {
		tt.job.Kind, tt.job.Name, tt.job.UID, tt.job.BackoffLimit = "Job", "w", "w", 6
		for name, plan := range map[string]Plan{"bump": bump(1_000_000), "kept": kept(Plan{})} {
			backup, current := states(tt.was, tt.now)
			backup.Workloads, current.Workloads = []Workload{tt.job}, []Workload{tt.job}
			w := mustPredict(t, backup, current, plan).Workloads[0]
			got, want := [3]int64{w.Wanted, w.Recreates, w.Removes}, tt.want
			if plan.KeepAPIServers { // whose status is the current state's, and who make and delete nothing
				if want[1], want[2] = 0, 0; strings.Contains(tt.name, "with the restore") {
					continue
				}
			}
			if got != want {
				t.Errorf("%s, %s: wanted, made and deleted are %v, not %v", tt.name, name, got, want)
			}
		}
	}
}

// TestForbidWaits: whose pods keep a CronJob with concurrencyPolicy Forbid from running: those that the
// API shows as active on a node whose kubelet is deaf, while nothing of them runs.
func TestForbidWaits(t *testing.T) {
	gone := was(owned("Job", "a", "1"), never)
	runs := was(owned("Job", "b", "2"), never)
	for _, tt := range []struct {
		name     string
		was, now []*Pod
		restart  string
		want     bool
	}{
		{"gone", []*Pod{gone}, nil, "none", true},
		{"gone, beside one that runs", []*Pod{gone, runs}, []*Pod{runs}, "none", true},
		{"one that runs, beside one that is gone", []*Pod{runs, was(owned("Job", "c", "3"), never)}, []*Pod{runs}, "none", true},
		{"runs", []*Pod{runs}, []*Pod{runs}, "none", false},
		{"on a machine that is gone", []*Pod{was(owned("Job", "a", "1"), on("n4"))}, nil, "none", false},
		{"not bound", []*Pod{was(owned("Job", "a", "1"), unbound("n1"))}, nil, "none", false},
		{"its kubelet is restarted, another is deaf", []*Pod{was(owned("Job", "a", "1"), on("n2"))}, nil, "n2", false},
		{"it may have started", []*Pod{was(owned("Job", "a", "1"), pending)}, []*Pod{was(owned("Job", "a", "1"), pending)}, "none", false},
		{"bound since, to where its kubelet is restarted", []*Pod{was(owned("Job", "a", "1"), unbound("n2"))}, []*Pod{now(owned("Job", "a", "1"))}, "n1", false},
	} {
		backup, current := states(tt.was, tt.now)
		cron := Workload{Kind: "CronJob", Namespace: "ns", Name: "cron", UID: "cron", Policy: "Forbid", Active: []string{"w"}}
		backup.Workloads = []Workload{cron, {Kind: "Job", Namespace: "ns", Name: "w", UID: "w", Wanted: 1, Completions: 1, BackoffLimit: 6, Owner: "cron"}}
		current.Workloads = []Workload{cron}
		w := mustPredict(t, backup, current, Plan{RestartKubelets: ParseRestart(tt.restart)}).Workloads[0]
		if got := w.Severity == Critical; w.Kind != "CronJob" || got != tt.want {
			t.Errorf("%s: %s %s", tt.name, w.Severity, w.Reason)
		}
	}
}

// TestOwners: whose a pod is, where workloads cannot be read, and so have no uid.
func TestOwners(t *testing.T) {
	unread := func(name string) Workload {
		return Workload{Kind: "Deployment", Namespace: "ns", Name: name, Unreadable: "encrypted"}
	}
	backup, current := states([]*Pod{was()}, []*Pod{was()})
	backup.Workloads, current.Workloads = []Workload{unread("a"), unread("b")}, []Workload{unread("a")}
	p := mustPredict(t, backup, current, Plan{})
	var got []string
	for _, w := range p.Workloads {
		got = append(got, fmt.Sprintf("%s in %s believed %d", w.Name, w.In, w.Believed))
	}
	want := []string{"a in backup believed 0", "a in current believed 0", "b in backup believed 0"}
	if diff := cmp.Diff(want, got); diff != "" || p.Pods[0].Workload != "" {
		t.Errorf("of %q: %s", p.Pods[0].Workload, diff)
	}
}
