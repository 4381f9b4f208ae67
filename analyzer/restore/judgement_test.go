package restore

import "testing"

// TestJudged: what is said of a workload, the worst first, and how severe that is.
func TestJudged(t *testing.T) {
	end := &jobEnd{reason: "It ends."}
	for _, tt := range []struct {
		name string
		of   judgement
		want string
	}{
		{"nothing", judgement{wanted: 2, running: 2}, "ok: As before."},
		{"lost, and its pods run", judgement{lost: true, running: 2, phantoms: 2, surplus: 2}, "critical: It is lost with the restore. Still running without it: 2 pods."},
		{"lost, and nothing runs", judgement{lost: true, shortfall: 1}, "warning: It is lost with the restore."},
		{"lost, and a pod is shown", judgement{lost: true, ghosts: 1}, "critical: It is lost with the restore. Shown by the API and not running: 1 pod."},
		{"an identity twice", judgement{twice: 1}, "critical: Running twice at the same time: 1 pod."},
		{"two on the same claims", judgement{twice: 2, claims: true}, "critical: Running twice at the same time, on the same claims: 2 pods."},
		{"waits for pods that have ended", judgement{hangs: 2, shortfall: 2, wanted: 2}, "critical: Waiting for pods that have already ended: 2 pods."},
		{"a Job that ends", judgement{end: end}, "warning: It ends."},
		{"a Job that ended since, too", judgement{end: end, ended: true}, "ok: It ends."},
		{"unseen", judgement{phantoms: 1, running: 1, wanted: 1}, "critical: Unseen by the API: 1 pod."},
		{"more than are wanted", judgement{phantoms: 1, running: 3, wanted: 2, surplus: 1}, "critical: Unseen by the API: 1 pod. 3 run, 2 are wanted."},
		{"more than are wanted, and its controller removes them", judgement{running: 3, wanted: 2, surplus: 1, removes: 1}, "warning: Removed by its controller: 1 pod."},
		{"more than are wanted, and its controller removes some", judgement{running: 4, wanted: 2, surplus: 2, removes: 1}, "critical: 4 run, 2 are wanted. Removed by its controller: 1 pod."},
		{"more than are wanted, and kubelets do not hear of it", judgement{running: 3, wanted: 2, surplus: 1, removes: 1, deaf: true}, "critical: 3 run, 2 are wanted. Removed by its controller: 1 pod."},
		{"shown and not running", judgement{ghosts: 2, wanted: 2, shortfall: 2}, "critical: Shown by the API and not running: 2 pods. Of 2 wanted 0 run, and nothing replaces the rest."},
		{"too few", judgement{wanted: 3, running: 2, shortfall: 1}, "critical: Of 3 wanted 2 run, and nothing replaces the rest."},
		{"too few, some go with their machine", judgement{wanted: 3, running: 1, shortfall: 2, evicted: 1, by: 90}, "critical: Of 3 wanted 1 run, and nothing replaces 1 of them. Recreated within 90 s, when they are deleted with their machine: 1 pod."},
		{"too few, all go with their machine", judgement{wanted: 3, running: 1, shortfall: 2, evicted: 2, by: 90}, "critical: Of 3 wanted 1 run. Recreated within 90 s, when they are deleted with their machine: 2 pods."},
		{"too few, perhaps replaced", judgement{wanted: 3, running: 1, shortfall: 2, perhaps: true}, "critical: Of 3 wanted 1 run."},
		{"too few, one goes with its machine, others perhaps", judgement{wanted: 3, running: 1, shortfall: 2, evicted: 1, by: 90, perhaps: true}, "critical: Of 3 wanted 1 run. Recreated within 90 s, when they are deleted with their machine: 1 pod."},
		{"too few, and recreated", judgement{wanted: 3, running: 2, shortfall: 1, recreates: 1}, "warning: Recreated: 1 pod."},
		{"recreated while kubelets are deaf", judgement{recreates: 1, deaf: true}, "critical: Recreated, but not started on nodes whose kubelet is deaf: 1 pod."},
		{"recreated once stopped", judgement{stopping: 2}, "warning: Recreated once they are stopped: 2 pods."},
		{"removed", judgement{removes: 1}, "warning: Removed by its controller: 1 pod."},
		{"done again", judgement{again: 1}, "warning: Work that is done again: 1 pod."},
		{"back", judgement{back: true}, "warning: It was deleted after the backup and is back."},
		{"scaled", judgement{scaled: true, wantedNow: 3, wanted: 2}, "warning: It goes back from 3 to 2 wanted pods."},
		{"rolled out", judgement{rolled: true}, "warning: Its pod template is rolled back to the backup's: the rollout since then is undone."},
		{"a Job that ended since, and more", judgement{end: end, ended: true, removes: 1}, "warning: It ends. Removed by its controller: 1 pod."},
		{"the worst is first", judgement{ghosts: 1, end: end, back: true}, "critical: It ends. Shown by the API and not running: 1 pod. It was deleted after the backup and is back."},
	} {
		said := tt.of.explain()
		if got := string(said.severity) + ": " + said.reason; got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestJudge: what of a workload is looked at.
func TestJudge(t *testing.T) {
	workload := func(kind string, change ...func(*Workload)) *Workload {
		w := &Workload{Kind: kind, Namespace: "ns", Name: "w", UID: "w", Wanted: 1, Template: "1"}
		for _, f := range change {
			f(w)
		}
		return w
	}
	two := func(w *Workload) { w.Wanted = 2 }
	rolled := func(w *Workload) { w.Template = "2" }
	locked := func(w *Workload) { w.Unreadable = "encrypted" }
	finished := func(w *Workload) { w.Finished = true }
	late := func(w *Workload) { w.FailsAt = takenAt }
	before, after := []*Pod{was(owned("", "w-0", "1"))}, []*Pod{made(owned("", "w-0", "2"), on("n2"))}
	for _, tt := range []struct {
		name        string
		was, now    *Workload
		pods, after []*Pod
		want        string
	}{
		{"the same", workload("Deployment"), workload("Deployment"), before, before, "ok: As before."},
		{"scaled", workload("Deployment"), workload("Deployment", two), before, before, "warning: It goes back from 2 to 1 wanted pods."},
		{"a Job with another parallelism", workload("Job"), workload("Job", two), before, before, "ok: As before."},
		{"rolled out", workload("Deployment"), workload("Deployment", rolled), before, before, "warning: Its pod template is rolled back to the backup's: the rollout since then is undone."},
		{"unreadable in the backup", workload("Deployment", locked), workload("Deployment"), before, before, "warning: Unknown: its value cannot be read (encrypted)."},
		{"unreadable, and created since", nil, workload("Deployment", locked), nil, nil, "warning: Unknown: its value cannot be read (encrypted)."},
		{"an identity twice, without claims", workload("StatefulSet"), workload("StatefulSet"), before, after, "critical: Running twice at the same time: 1 pod."},
		{"a Job that fails", workload("Job", late), workload("Job"), before, before, "warning: The Job fails (DeadlineExceeded) at 2026-11-23 05:00:00Z, by its own activeDeadlineSeconds, if it has not ended by then, and its active pods are deleted. Removed by its controller: 1 pod."},
		{"a Job that has ended since, too", workload("Job", late), workload("Job", finished), nil, nil, "ok: The Job fails (DeadlineExceeded) at 2026-11-23 05:00:00Z, by its own activeDeadlineSeconds, if it has not ended by then, and its active pods are deleted."},
	} {
		backup, current := states(tt.pods, tt.after)
		if tt.was != nil {
			backup.Workloads = []Workload{*tt.was}
		}
		if tt.now != nil {
			current.Workloads = []Workload{*tt.now}
		}
		w := mustPredict(t, backup, current, bump(1_000_000)).Workloads[0]
		if got := string(w.Severity) + ": " + w.Reason; got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
