package rollback_test

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/rollback"
)

// TestHeartbeats: what is written all the time is counted apart from what was changed.
func TestHeartbeats(t *testing.T) {
	lease := func(holder string, renewals int32) runtime.Object {
		return &coordinationv1.Lease{ObjectMeta: named("kube-system/l"), Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseTransitions: &renewals}}
	}
	node := func(label, kubelet string) runtime.Object {
		n := &corev1.Node{ObjectMeta: named("n")}
		n.Labels, n.Status.NodeInfo.KubeletVersion = map[string]string{"l": label}, kubelet
		return n
	}
	pod := func(phase corev1.PodPhase) runtime.Object {
		return &corev1.Pod{ObjectMeta: named("ns/p"), Status: corev1.PodStatus{Phase: phase}}
	}
	deployment := func(wanted, ready int32) runtime.Object {
		return &appsv1.Deployment{ObjectMeta: named("ns/d"), Spec: appsv1.DeploymentSpec{Replicas: &wanted}, Status: appsv1.DeploymentStatus{ReadyReplicas: ready}}
	}
	leader := func(record, data string) runtime.Object {
		m := metav1.ObjectMeta{Namespace: "kube-system", Name: "leader", Annotations: map[string]string{}}
		if record != "" {
			m.Annotations["control-plane.alpha.kubernetes.io/leader"] = record
		}
		return &corev1.ConfigMap{ObjectMeta: m, Data: map[string]string{"k": data}}
	}
	foreign := func(kind string, n int64) runtime.Object {
		u := custom("example.com/v1", kind, "ns/f")
		u.Object["status"] = map[string]any{"n": n}
		return u
	}
	managed := func(by string) runtime.Object {
		m := named("ns/c")
		m.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: by, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1"}}
		return &corev1.ConfigMap{ObjectMeta: m}
	}
	const first, second = `{"holderIdentity":"a","renewTime":"2026-11-23T05:00:00Z"}`, `{"holderIdentity":"a","renewTime":"2026-11-23T05:00:10Z"}`
	tests := []struct {
		name          string
		before, after runtime.Object
		want          rollback.Kind // its counts
	}{
		{"an event", &corev1.Event{ObjectMeta: named("ns/e"), Count: 1}, &corev1.Event{ObjectMeta: named("ns/e"), Count: 2}, rollback.Kind{Heartbeats: 1}},
		{"a node's status", node("a", "v1"), node("a", "v2"), rollback.Kind{Heartbeats: 1}},
		{"a node's labels", node("a", "v1"), node("b", "v1"), rollback.Kind{RolledBack: 1}},
		{"a deployment's status", deployment(1, 1), deployment(1, 2), rollback.Kind{RolledBack: 1, StatusOnly: 1}},
		{"a deployment's spec", deployment(1, 1), deployment(2, 1), rollback.Kind{RolledBack: 1}},
		{"a pod, which the prediction is for", pod("Pending"), pod("Running"), rollback.Kind{RolledBack: 1}},
		{"a renewal", lease("a", 1), lease("a", 2), rollback.Kind{Heartbeats: 1}},
		{"a lease without a holder", &coordinationv1.Lease{ObjectMeta: named("ns/l")}, labelled(&coordinationv1.Lease{ObjectMeta: named("ns/l")}), rollback.Kind{Heartbeats: 1}},
		{"leases that cannot be read", raw{key: "/registry/leases/ns/l", value: "k8s:enc:aescbc:v1:key1:abc"}, raw{key: "/registry/leases/ns/l", value: "k8s:enc:aescbc:v1:key1:xyz"}, rollback.Kind{RolledBack: 1}},
		{"a lease that can be read no longer", lease("a", 1), raw{key: "/registry/leases/kube-system/l", value: "k8s:enc:aescbc:v1:key1:xyz"}, rollback.Kind{RolledBack: 1}},
		{"another holder", lease("a", 1), lease("b", 1), rollback.Kind{RolledBack: 1}},
		{"a renewal by an annotation", leader(first, "v"), leader(second, "v"), rollback.Kind{Heartbeats: 1}},
		{"and its data", leader(first, "v"), leader(second, "w"), rollback.Kind{RolledBack: 1}},
		{"an annotation that is new", leader("", "v"), leader(second, "v"), rollback.Kind{RolledBack: 1}},
		{"another group's events", foreign("Event", 1), foreign("Event", 2), rollback.Kind{RolledBack: 1, StatusOnly: 1}},
		{"another group's nodes", foreign("Node", 1), foreign("Node", 2), rollback.Kind{RolledBack: 1, StatusOnly: 1}},
		{"another group's leases", foreign("Lease", 1), foreign("Lease", 2), rollback.Kind{RolledBack: 1, StatusOnly: 1}},
		{"managed fields alone, where nobody leads", managed("kubectl"), managed("helm"), rollback.Kind{RolledBack: 1}},
		{"one that is gone", leader(first, "v"), leader("", "v"), rollback.Kind{RolledBack: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := pair(t, changes(t, []runtime.Object{tt.before}), changes(t, []runtime.Object{tt.after}))
			kinds := compare(t, backup, current).Kinds
			i := slices.IndexFunc(kinds, func(k rollback.Kind) bool { return k.Heartbeats+k.RolledBack+k.Lost+k.Resurrected+k.Replaced > 0 })
			if i < 0 {
				t.Fatalf("nothing is counted: %+v", kinds)
			}
			if k := kinds[i]; k.Heartbeats != tt.want.Heartbeats || k.RolledBack != tt.want.RolledBack || k.StatusOnly != tt.want.StatusOnly {
				t.Errorf("%+v, want %+v", k, tt.want)
			}
		})
	}
}
