package restore

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestReadJob: what a Job's object says of its end.
func TestReadJob(t *testing.T) {
	set := func(n int32) *int32 { return &n }
	ended := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	condition := func(kind batchv1.JobConditionType, status corev1.ConditionStatus) func(*batchv1.Job) {
		return func(j *batchv1.Job) {
			j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{Type: kind, Status: status, LastTransitionTime: ended})
		}
	}
	ttl := func(n int32) func(*batchv1.Job) {
		return func(j *batchv1.Job) { j.Spec.TTLSecondsAfterFinished = &n }
	}
	job := Workload{Wanted: 1, BackoffLimit: 6}
	with := func(change func(*Workload)) Workload {
		w := job
		change(&w)
		return w
	}
	tests := []struct {
		name    string
		changes []func(*batchv1.Job)
		want    Workload
	}{
		{"running", nil, job},
		{"complete", []func(*batchv1.Job){condition(batchv1.JobComplete, corev1.ConditionTrue)}, with(func(w *Workload) { w.Finished = true })},
		{"failed", []func(*batchv1.Job){condition(batchv1.JobFailed, corev1.ConditionTrue)}, with(func(w *Workload) { w.Finished = true })},
		{"not complete", []func(*batchv1.Job){condition(batchv1.JobComplete, corev1.ConditionFalse)}, job},
		{"about to fail", []func(*batchv1.Job){condition(batchv1.JobFailureTarget, corev1.ConditionTrue)}, with(func(w *Workload) { w.Deciding = "FailureTarget" })},
		{"about to be complete", []func(*batchv1.Job){condition(batchv1.JobSuccessCriteriaMet, corev1.ConditionTrue)}, with(func(w *Workload) { w.Deciding = "SuccessCriteriaMet" })},
		{"not about to fail", []func(*batchv1.Job){condition(batchv1.JobFailureTarget, corev1.ConditionFalse)}, job},
		{"failed, as decided", []func(*batchv1.Job){condition(batchv1.JobFailureTarget, corev1.ConditionTrue), condition(batchv1.JobFailed, corev1.ConditionTrue)}, with(func(w *Workload) { w.Finished, w.Deciding = true, "FailureTarget" })},
		{"suspended, then complete", []func(*batchv1.Job){condition(batchv1.JobSuspended, corev1.ConditionFalse), condition(batchv1.JobComplete, corev1.ConditionTrue)}, with(func(w *Workload) { w.Finished = true })},
		{"deleted a minute after its end", []func(*batchv1.Job){condition(batchv1.JobComplete, corev1.ConditionTrue), ttl(60)}, with(func(w *Workload) { w.Finished, w.Expires = true, ended.Add(time.Minute) })},
		{"deleted at once", []func(*batchv1.Job){condition(batchv1.JobComplete, corev1.ConditionTrue), ttl(-1)}, with(func(w *Workload) { w.Finished, w.Expires = true, ended.Time })},
		{"deleted after an end that it has not had", []func(*batchv1.Job){ttl(60)}, job},
		{"pods counted, and pods about to be", []func(*batchv1.Job){func(j *batchv1.Job) {
			j.Status.Succeeded, j.Status.Failed = 2, 3
			j.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{Succeeded: []types.UID{"a"}, Failed: []types.UID{"b", "c"}}
		}}, with(func(w *Workload) { w.Succeeded, w.Failed = 3, 5 })},
		{"no retries", []func(*batchv1.Job){func(j *batchv1.Job) { j.Spec.BackoffLimit = set(0) }}, with(func(w *Workload) { w.BackoffLimit = 0 })},
		{"a deadline, not started", []func(*batchv1.Job){func(j *batchv1.Job) { j.Spec.ActiveDeadlineSeconds = new(int64) }}, job},
		{"a deadline", []func(*batchv1.Job){func(j *batchv1.Job) {
			d := int64(30)
			j.Spec.ActiveDeadlineSeconds, j.Status.StartTime = &d, &ended
		}}, with(func(w *Workload) { w.FailsAt = ended.Add(30 * time.Second) })},
		{"suspended", []func(*batchv1.Job){func(j *batchv1.Job) { yes := true; j.Spec.Suspend = &yes }}, with(func(w *Workload) { w.Suspended = true })},
		{"resumed", []func(*batchv1.Job){func(j *batchv1.Job) { j.Spec.Suspend = new(bool) }}, job},
		{"of several, restarted in place", []func(*batchv1.Job){func(j *batchv1.Job) {
			j.Spec.Parallelism, j.Spec.Completions = set(3), set(9)
			j.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
		}}, with(func(w *Workload) { w.Wanted, w.Completions, w.OnFailure = 3, 9, true })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var j batchv1.Job
			for _, change := range tt.changes {
				change(&j)
			}
			var got Workload
			got.readJob(&j)
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Workload{}, "Template")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
