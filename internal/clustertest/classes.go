package clustertest

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Case is what a pod's kubelet does after the restore.
type Case int

// The cases.
const (
	Deaf Case = iota
	Relists
	Restarts
	Stale
	// Unplaced is Relists under API servers that were left running, and with them a
	// scheduler that exits when it sees a pod move. Without a Want of its own it is
	// as Relists.
	Unplaced
	cases
)

// Want is what becomes of a pod, as the rows of the decision table have it.
type Want struct {
	Outcome string
	Runs    string // here, may or no; ends: here, until its grace period ends
	API     string // the phase that it shows, "" when it does not show the pod
	Flags   string // sorted, with commas; of those in no case about its name or its node
}

// class is a kind of pod, by what happens to it. Its name begins with the row of
// the decision table that the expectation is taken from.
type class struct {
	name string
	// on is where it lives: a node of both snapshots, or one of old (in the backup
	// only) and new (in the current state only).
	on string
	// before is the pod in the backup and after the pod in the current state; nil is
	// none. renamed says that they are two pods of one name, moved that the second
	// is on another node.
	before, after  func(*corev1.Pod)
	renamed, moved bool
	raw            bool   // its value cannot be read
	policy         string // concurrencyPolicy of the CronJob that its Job is of, "" when it is of none

	want [cases]Want // of the one pod, or of the current state's
	was  [cases]Want // of the backup's, when they are two
	// then is what the API comes to show of it without anybody's doing: a phase,
	// terminating or gone, and "" as before; only of classes that have one.
	then [cases]string
}

// never, onFailure and the like change a running pod whose policy is Always.
func never(p *corev1.Pod)     { p.Spec.RestartPolicy = corev1.RestartPolicyNever }
func onFailure(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }
func running(*corev1.Pod)     {}
func pending(p *corev1.Pod)   { p.Status.Phase = corev1.PodPending }
func succeeded(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
func failed(p *corev1.Pod)    { p.Status.Phase = corev1.PodFailed }
func held(p *corev1.Pod)      { p.Finalizers = []string{"example.com/hold"} }
func labelled(p *corev1.Pod)  { p.Labels = map[string]string{"since": "the backup"} }
func image(p *corev1.Pod)     { p.Spec.Containers[0].Image = "i:v2" }
func expired(p *corev1.Pod)   { deadline(p, 30) }
func expiring(p *corev1.Pod)  { deadline(p, 3600) }
func deadline(p *corev1.Pod, seconds int64) {
	p.Status.StartTime, p.Spec.ActiveDeadlineSeconds = new(metav1.NewTime(end.Add(-2*time.Minute))), &seconds
}
func larger(p *corev1.Pod) {
	p.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("200m")
}
func restartsToResize(p *corev1.Pod) {
	p.Spec.Containers[0].ResizePolicy = []corev1.ContainerResizePolicy{{ResourceName: corev1.ResourceCPU, RestartPolicy: corev1.RestartContainer}}
}
func debugged(p *corev1.Pod) {
	p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}}
}
func mirror(p *corev1.Pod) {
	p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "hash"}
}
func dying(p *corev1.Pod)   { deletedFor(p, 900) }
func dead(p *corev1.Pod)    { deletedFor(p, -30) }
func overdue(p *corev1.Pod) { deletedFor(p, -900) }

// deletedFor is a pod in deletion whose grace period ends so many seconds after the
// end of the history.
func deletedFor(p *corev1.Pod, seconds int64) {
	t := metav1.NewTime(end.Add(secondsOf(seconds)))
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &t, new(int64)
}
func unbound(p *corev1.Pod) { p.Spec.NodeName, p.Status.Phase = "", corev1.PodPending }
func gated(p *corev1.Pod) {
	unbound(p)
	p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/wait"}}
}
func elsewhere(p *corev1.Pod) { // its own node had another label in the backup
	unbound(p)
	p.Spec.NodeSelector = map[string]string{"kubernetes.io/hostname": "n0"}
}
func onlyHere(p *corev1.Pod) {
	p.Spec.NodeSelector = map[string]string{"kubernetes.io/hostname": p.Spec.NodeName}
	unbound(p)
}
func both(list ...func(*corev1.Pod)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		for _, f := range list {
			f(p)
		}
	}
}

const no, gone = "no", "gone"

// classes are written down from the mechanism's table of what real kubelets did,
// row by row, not from the code that predicts.
var classes = []class{
	{name: "1 Always", after: running, want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "here", "Running", ""}}},
	{name: "1 OnFailure", after: onFailure, want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "here", "Running", ""}}},
	{name: "1 Never", after: never, want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "here", "Running", ""}}},
	{name: "1 bound but Pending", after: pending, want: [cases]Want{{"phantom", "may", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "may", "Pending", ""}}},
	{name: "1 terminating", after: dying, want: [cases]Want{{"phantom", "ends", "", ""}, {"terminated", "ends", "", ""}, {"terminated", no, "", ""}, {"hidden", "ends", "Running", ""}}},
	{name: "1 terminated meanwhile", after: dead, want: [cases]Want{{"terminated", "may", "", ""}, {"terminated", "may", "", ""}, {"terminated", no, "", ""}, {"terminated", "may", "Running", ""}}},
	{name: "1 not terminated in time", after: overdue, want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "here", "Running", ""}}},

	{name: "1 with a deadline", after: expiring, want: [cases]Want{{"phantom", "ends", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "ends", "Running", ""}}, then: [cases]string{gone, "", "", "Running"}},

	{
		name: "2a", before: running, after: running, renamed: true,
		want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", "double-run"}, {"terminated", no, "", "double-run"}, {"hidden", "here", "Running", ""}},
		was:  [cases]Want{{"ghost", no, "Running", ""}, {"restarted", "here", "Running", "double-run"}, {"restarted", "here", "Running", "double-run"}, {"lost-deletion", no, "", ""}},
	},
	{
		name: "2b", before: running, after: running, renamed: true, moved: true,
		want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", "double-run"}, {"terminated", no, "", "double-run"}, {"hidden", "here", "Running", ""}},
		was:  [cases]Want{{"ghost", no, "Running", ""}, {"restarted", "here", "Running", "double-run"}, {"restarted", "here", "Running", "double-run"}, {"lost-deletion", no, "", ""}},
	},
	{
		name: "2 Never", before: never, after: never, renamed: true,
		want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "here", "Running", ""}},
		was:  [cases]Want{{"ghost", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"lost-deletion", no, "", ""}},
	},
	{
		name: "2 B Running, A Succeeded", before: never, after: both(never, succeeded), renamed: true,
		want: [cases]Want{{"finished", no, "", ""}, {"finished", no, "", ""}, {"finished", no, "", ""}, {"finished", no, "Succeeded", ""}},
		was:  [cases]Want{{"ghost", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"lost-deletion", no, "", ""}},
	},
	{
		name: "2 B Succeeded, A Running", before: both(never, succeeded), after: never, renamed: true,
		want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "here", "Running", ""}},
		was:  [cases]Want{{"finished", no, "Succeeded", ""}, {"finished", no, "Succeeded", ""}, {"finished", no, "Succeeded", ""}, {"finished", no, "", ""}},
	},

	{name: "3 Always", before: running, want: [cases]Want{{"ghost", no, "Running", ""}, {"restarted", "here", "Running", ""}, {"restarted", "here", "Running", ""}, {"lost-deletion", no, "", ""}}},
	{name: "3 OnFailure", before: onFailure, want: [cases]Want{{"ghost", no, "Running", ""}, {"restarted", "here", "Running", "runs-again"}, {"restarted", "here", "Running", "runs-again"}, {"lost-deletion", no, "", ""}}},
	{name: "3 Never", before: never, want: [cases]Want{{"ghost", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"lost-deletion", no, "", ""}}},
	{name: "3 was Pending", before: pending, want: [cases]Want{{"ghost", no, "Pending", ""}, {"restarted", "may", "Pending", ""}, {"restarted", "may", "Pending", ""}, {"lost-deletion", no, "", ""}}},

	{name: "3 deadline passed", before: expired, want: [cases]Want{{"ghost", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"lost-deletion", no, "", ""}}},
	{name: "3 deadline to come", before: expiring, want: [cases]Want{{"ghost", no, "Running", ""}, {"restarted", "here", "Running", ""}, {"restarted", "here", "Running", ""}, {"lost-deletion", no, "", ""}}, then: [cases]string{"", "Failed", "Failed", ""}},
	{name: "3 CronJob, Replace", policy: "Replace", before: never, want: [cases]Want{{"ghost", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"lost-deletion", no, "", ""}}, then: [cases]string{"terminating", gone, gone, ""}},
	{name: "3 CronJob, Forbid", policy: "Forbid", before: never, want: [cases]Want{{"ghost", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"lost-deletion", no, "", ""}}},
	{name: "3 CronJob, Allow", policy: "Allow", before: never, want: [cases]Want{{"ghost", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"lost-deletion", no, "", ""}}},

	{name: "4a", before: running, after: running, want: [cases]Want{{"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}}},
	{name: "4a label", before: running, after: labelled, want: [cases]Want{{"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}}},
	{name: "4a deadline", before: expiring, after: both(expiring, labelled), want: [cases]Want{{"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}}, then: [cases]string{"Failed", "Failed", "Failed", "Running"}},
	{name: "4a CronJob, Replace", policy: "Replace", before: never, after: both(never, labelled), want: [cases]Want{{"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}}, then: [cases]string{"terminating", gone, gone, ""}},
	{name: "4a resized", before: running, after: larger, want: [cases]Want{{"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}}},
	{name: "4a ephemeral container", before: running, after: debugged, want: [cases]Want{{"unaffected", "here", "Running", "stray-containers"}, {"unaffected", "here", "Running", "stray-containers"}, {"unaffected", "here", "Running", "stray-containers"}, {"unaffected", "here", "Running", ""}}},
	{name: "4a status", before: pending, after: running, want: [cases]Want{{"stale-status", "here", "Pending", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"stale-status", "here", "Running", ""}}},
	{name: "4b Never, exit 0", before: never, after: both(never, succeeded), want: [cases]Want{{"stale-status", no, "Running", ""}, {"finished", no, "Succeeded", ""}, {"finished", no, "Succeeded", ""}, {"stale-status", no, "Succeeded", ""}}},
	{name: "4b Never, exit 7", before: never, after: both(never, failed), want: [cases]Want{{"stale-status", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"stale-status", no, "Failed", ""}}},
	{name: "4b OnFailure, exit 0", before: onFailure, after: both(onFailure, succeeded), want: [cases]Want{{"stale-status", no, "Running", ""}, {"finished", no, "Succeeded", ""}, {"finished", no, "Succeeded", ""}, {"stale-status", no, "Succeeded", ""}}},
	{name: "4b' evicted", before: running, after: failed, want: [cases]Want{{"stale-status", no, "Running", ""}, {"finished", no, "Failed", ""}, {"restarted", "here", "Running", "runs-again"}, {"stale-status", no, "Failed", ""}}},
	{name: "4b' deadline", before: expired, after: both(expired, failed), want: [cases]Want{{"stale-status", no, "Running", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"stale-status", no, "Failed", ""}}},
	{name: "4c", before: elsewhere, after: running, want: [cases]Want{{"phantom", "here", "Pending", "double-bind"}, {"terminated", "may", "Running", "double-bind,double-run"}, {"terminated", "may", "Running", "double-bind,double-run"}, {"hidden", "here", "Running", ""}, {"terminated", "may", "Pending", "double-bind,double-run"}}},
	{name: "4c' gated", before: gated, after: running, want: [cases]Want{{"phantom", "here", "Pending", ""}, {"terminated", no, "Pending", "not-rescheduled"}, {"terminated", no, "Pending", "not-rescheduled"}, {"hidden", "here", "Running", ""}}},
	{name: "4c'' its own node", before: onlyHere, after: running, want: [cases]Want{{"stale-status", "here", "Pending", ""}, {"unaffected", "here", "Running", ""}, {"unaffected", "here", "Running", ""}, {"stale-status", "here", "Running", ""}, {"terminated", "may", "Pending", ""}}},
	{name: "4d kill going on", before: running, after: dying, want: [cases]Want{{"lost-deletion", "ends", "Running", ""}, {"lost-deletion", "ends", "Running", ""}, {"lost-deletion", "here", "Running", ""}, {"lost-deletion", "ends", "Running", ""}}},
	{name: "4d not killed in time", before: running, after: overdue, want: [cases]Want{{"lost-deletion", "may", "Running", ""}, {"lost-deletion", "may", "Running", ""}, {"lost-deletion", "may", "Running", ""}, {"lost-deletion", "may", "Running", ""}}},
	{name: "4d' held by a finalizer", before: held, after: both(held, dying, succeeded), want: [cases]Want{{"lost-deletion", no, "Running", "needs-force-delete"}, {"lost-deletion", no, "Running", "needs-force-delete"}, {"restarted", "here", "Running", "runs-again"}, {"lost-deletion", no, "Succeeded", ""}}},
	{name: "4e", before: dead, want: [cases]Want{{"ghost", no, "Running", "stuck-terminating"}, {"finished", no, "", ""}, {"finished", no, "", ""}, {"lost-deletion", no, "", ""}}},
	{name: "4e with a finalizer", before: both(dead, held), want: [cases]Want{{"ghost", no, "Running", "stuck-terminating"}, {"stuck-terminating", no, "Failed", ""}, {"stuck-terminating", no, "Failed", ""}, {"lost-deletion", no, "", ""}}},
	{name: "4e ended, with a finalizer", before: both(dead, held, succeeded), want: [cases]Want{{"stuck-terminating", no, "Succeeded", ""}, {"stuck-terminating", no, "Succeeded", ""}, {"stuck-terminating", no, "Succeeded", ""}, {"lost-deletion", no, "", ""}}},
	{name: "4f image", before: running, after: image, want: [cases]Want{{"stale-spec", "here", "Running", ""}, {"restarted", "here", "Running", "spec-rolled-back"}, {"restarted", "here", "Running", "spec-rolled-back"}, {"stale-spec", "here", "Running", ""}}},

	{name: "4f' resized", before: restartsToResize, after: both(restartsToResize, larger), want: [cases]Want{{"stale-spec", "here", "Running", ""}, {"restarted", "here", "Running", "spec-rolled-back"}, {"restarted", "here", "Running", "spec-rolled-back"}, {"stale-spec", "here", "Running", ""}}},

	{name: "5a", on: "new", after: running, want: [cases]Want{{"phantom", "here", "", ""}, {"terminated", no, "", ""}, {"terminated", no, "", ""}, {"hidden", "here", "Running", ""}}},
	{name: "5b", on: "old", before: running, want: [cases]Want{{"ghost", no, "Running", ""}, {"stuck-terminating", no, "Running", ""}, {"stuck-terminating", no, "Running", ""}, {"lost-deletion", no, "", ""}}},

	{name: "6", before: mirror, after: mirror, want: [cases]Want{{"mirror", "here", "Running", ""}, {"mirror", "here", "Running", ""}, {"mirror", "here", "Running", ""}, {"mirror", "here", "Running", ""}}},
	{name: "6 removed", before: mirror, want: [cases]Want{{"mirror", no, "Running", ""}, {"mirror", no, "", ""}, {"mirror", no, "", ""}, {"mirror", no, "", ""}}},
	{name: "6 added", after: mirror, want: [cases]Want{{"mirror", "here", "", ""}, {"mirror", "here", "", ""}, {"mirror", "here", "", ""}, {"mirror", "here", "Running", ""}}},
	{name: "6 on a new node", on: "new", after: mirror, want: [cases]Want{{"mirror", "here", "", ""}, {"mirror", "here", "", ""}, {"mirror", "here", "", ""}, {"mirror", "here", "Running", ""}}},
	{name: "7", after: both(never, succeeded), want: [cases]Want{{"finished", no, "", ""}, {"finished", no, "", ""}, {"finished", no, "", ""}, {"finished", no, "Succeeded", ""}}},
	{name: "7'", before: both(never, failed), want: [cases]Want{{"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"finished", no, "Failed", ""}, {"finished", no, "", ""}}},
	{name: "A unbound", after: gated, want: [cases]Want{{"lost", no, "", ""}, {"lost", no, "", ""}, {"lost", no, "", ""}, {"lost", no, "Pending", ""}}},
	{name: "unbound in both", before: gated, after: gated, want: [cases]Want{{"unaffected", no, "Pending", ""}, {"unaffected", no, "Pending", ""}, {"unaffected", no, "Pending", ""}, {"unaffected", no, "Pending", ""}}},
	{name: "unreadable", after: running, raw: true, want: [cases]Want{{"unknown", no, "", ""}, {"unknown", no, "", ""}, {"unknown", no, "", ""}, {"unknown", no, "", ""}}},
}

// uidOf makes a uid of a name.
func uidOf(parts ...string) types.UID { return types.UID(strings.Join(parts, "-")) }
