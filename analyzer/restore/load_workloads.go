package restore

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/decoder/kube"
)

// controllers are the resources that make pods.
var controllers = []struct{ resource, kind string }{
	{"deployments", "Deployment"}, {"replicasets", "ReplicaSet"}, {"statefulsets", "StatefulSet"}, {"daemonsets", "DaemonSet"},
	{"jobs", "Job"}, {"cronjobs", "CronJob"}, {"controllers", "ReplicationController"},
}

// workloads reads the controllers' objects.
func (l *loader) workloads() error {
	l.state.OwnedBy = map[string]string{}
	for _, c := range controllers {
		for r := range l.s.Keys(l.under(c.resource, "")) {
			if err := l.ctx.Err(); err != nil {
				return err
			}
			key, _ := kube.ParseKey(l.prefix, r.Key)
			w := Workload{Kind: c.kind, Namespace: key.Namespace, Name: key.Name}
			value, err := l.s.Value(r)
			if err != nil {
				w.Unreadable = err.Error()
			} else if o := kube.Decode(key, value); !w.read(o, l.state.OwnedBy) {
				continue
			}
			l.state.Workloads = append(l.state.Workloads, w)
		}
	}
	return nil
}

// read takes what a workload has from its object, and says whether it is one of
// its own: a ReplicaSet that a Deployment owns is not, and is noted in owned.
func (w *Workload) read(o *kube.Object, owned map[string]string) bool {
	w.UID = o.UID
	obj, err := o.Newest()
	switch t := obj.(type) {
	case *appsv1.Deployment:
		w.Wanted, w.Template = orOne(t.Spec.Replicas), digest(&t.Spec.Template)
	case *appsv1.ReplicaSet:
		if owner := metav1.GetControllerOfNoCopy(t); owner != nil && owner.Kind == "Deployment" {
			owned[o.UID] = string(owner.UID)
			return false
		}
		w.Wanted, w.Template = orOne(t.Spec.Replicas), digest(&t.Spec.Template)
	case *appsv1.StatefulSet:
		w.Wanted, w.Template = orOne(t.Spec.Replicas), digest(&t.Spec.Template)
		for i := range t.Spec.VolumeClaimTemplates {
			w.Claims = append(w.Claims, t.Spec.VolumeClaimTemplates[i].Name)
		}
	case *appsv1.DaemonSet:
		w.Wanted, w.Template = int64(t.Status.DesiredNumberScheduled), digest(&t.Spec.Template)
	case *corev1.ReplicationController:
		w.Wanted = orOne(t.Spec.Replicas)
		if t.Spec.Template != nil {
			w.Template = digest(t.Spec.Template)
		}
	case *batchv1.Job:
		w.readJob(t)
	case *batchv1.CronJob:
		w.Schedule, w.Suspended = t.Spec.Schedule, t.Spec.Suspend != nil && *t.Spec.Suspend
		if t.Spec.TimeZone != nil {
			w.TimeZone = *t.Spec.TimeZone
		}
		w.Policy = string(t.Spec.ConcurrencyPolicy)
		for i := range t.Status.Active {
			w.Active = append(w.Active, string(t.Status.Active[i].UID))
		}
		if t.Status.LastScheduleTime != nil {
			w.LastSchedule = t.Status.LastScheduleTime.UTC()
		}
		if d := t.Spec.StartingDeadlineSeconds; d != nil {
			w.Deadline = time.Duration(min(max(*d, 0), 1<<31)) * time.Second
		}
	default:
		w.Unreadable = "it is not a " + w.Kind
		if err != nil {
			w.Unreadable = err.Error()
		}
	}
	return true
}

func (w *Workload) readJob(t *batchv1.Job) {
	w.Wanted, w.Template = orOne(t.Spec.Parallelism), digest(&t.Spec.Template)
	if t.Spec.Completions != nil {
		w.Completions = int64(*t.Spec.Completions)
	}
	w.Succeeded = int64(t.Status.Succeeded)
	if u := t.Status.UncountedTerminatedPods; u != nil {
		w.Succeeded += int64(len(u.Succeeded))
	}
	w.Suspended = t.Spec.Suspend != nil && *t.Spec.Suspend
	w.BackoffLimit = 6
	if t.Spec.BackoffLimit != nil {
		w.BackoffLimit = int64(*t.Spec.BackoffLimit)
	}
	w.Failed = int64(t.Status.Failed)
	if u := t.Status.UncountedTerminatedPods; u != nil {
		w.Failed += int64(len(u.Failed))
	}
	w.FailurePolicy, w.PerIndex = t.Spec.PodFailurePolicy != nil, t.Spec.BackoffLimitPerIndex != nil
	w.OnFailure = t.Spec.Template.Spec.RestartPolicy == corev1.RestartPolicyOnFailure
	if d := t.Spec.ActiveDeadlineSeconds; d != nil && t.Status.StartTime != nil {
		w.FailsAt = t.Status.StartTime.UTC().Add(time.Duration(min(max(*d, 0), math.MaxInt32)) * time.Second)
	}
	if owner := metav1.GetControllerOfNoCopy(t); owner != nil {
		w.Owner = string(owner.UID)
	}
	for _, c := range t.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete, batchv1.JobFailed:
			w.Finished = true
			if ttl := t.Spec.TTLSecondsAfterFinished; ttl != nil {
				w.Expires = c.LastTransitionTime.UTC().Add(time.Duration(max(*ttl, 0)) * time.Second)
			}
		case batchv1.JobSuccessCriteriaMet, batchv1.JobFailureTarget:
			w.Deciding = string(c.Type)
		}
	}
}

// orOne is a number of replicas; the API's default is 1.
func orOne(n *int32) int64 {
	if n == nil {
		return 1
	}
	return max(int64(*n), 0)
}

// digest tells pod templates apart.
func digest(t *corev1.PodTemplateSpec) string {
	data, err := t.Marshal()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
