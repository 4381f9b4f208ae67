package restore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	etcdserverpb "go.etcd.io/etcd/api/v3/etcdserverpb"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
)

// withLog opens a data directory with a db of these changes, and a log of which the entries of the
// first list are known to be agreed on, and those of the second are not.
func withLog(t *testing.T, first, log, tail []change) *snapshot.Snapshot {
	t.Helper()
	var list []snapshottest.Change
	for _, c := range first {
		list = append(list, snapshottest.Put(c.key, encode(t, c)))
	}
	dir := t.TempDir()
	snap := filepath.Join(dir, "member", "snap")
	if err := os.MkdirAll(snap, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(snap, "db")
	if err := os.WriteFile(path, snapshottest.Bytes(t, list...), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { // the log's member is the only one
		bucket, err := tx.CreateBucketIfNotExists([]byte("members"))
		if err != nil {
			return err
		}
		return bucket.Put(fmt.Appendf(nil, "%x", waltest.Member), fmt.Appendf(nil, `{"id":%d,"peerURLs":["http://m:2380"],"name":"m"}`, waltest.Member))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
	write := func(changes []change) {
		for _, c := range changes {
			r := &etcdserverpb.InternalRaftRequest{}
			if c.object == nil && c.raw == "" {
				r.DeleteRange = &etcdserverpb.DeleteRangeRequest{Key: []byte(c.key)}
			} else {
				r.Put = &etcdserverpb.PutRequest{Key: []byte(c.key), Value: []byte(encode(t, c))}
			}
			l.Request(r)
		}
	}
	write(log)
	l.Commit()
	write(tail)
	l.Close()
	s, err := snapshot.Open(t.Context(), dir, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestLoadTail: which pods the last entries of the log have bound, which their kubelets may not have
// received: no kubelet is known to have seen those entries.
func TestLoadTail(t *testing.T) {
	s := withLog(t,
		[]change{
			storedPod("kept", "1", "n1"), storedPod("touched", "2", "n1"), storedPod("waits", "3", ""), storedPod("again", "4", "n1"), storedPod("gone", "5", "n1"),
		},
		[]change{storedPod("logged", "6", "n2"), storedPod("queued", "7", ""), storedPod("twice", "8", "n2")},
		[]change{
			storedPod("touched", "2", "n1"), storedPod("waits", "3", "n1"), deletedPod("again"), storedPod("again", "9", "n1"), deletedPod("gone"),
			storedPod("queued", "7", "n2"), storedPod("new", "10", "n3"), storedPod("open", "11", ""), storedPod("twice", "8", "n2"), storedPod("twice", "8", "n2"),
		})
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, p := range state.Pods {
		got[p.Name] = p.BoundInTail
	}
	want := map[string]bool{
		"kept": false, "touched": false, "waits": true, "again": true, "logged": false, "queued": true, "new": true, "open": false, "twice": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bound by the tail: %s", diff)
	}
	seen := map[string]restore.Sighting{
		"n1": {Revision: 2, Key: "/registry/pods/ns/kept"}, "n2": {Revision: 7, Key: "/registry/pods/ns/logged"},
	}
	if diff := cmp.Diff(seen, state.LastSeen); diff != "" {
		t.Errorf("seen: %s", diff)
	}

	// Beside a state that has all of it agreed on, what the tail has made is read for itself, and
	// beside it what is agreed on is shared with nothing that the tail has made.
	beside := func(s *snapshot.Snapshot, other *restore.State) (shared []string) {
		state, err := restore.LoadBeside(t.Context(), s, "/registry", func() *restore.State { return other })
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range state.Pods {
			if slices.Contains(other.Pods, p) {
				shared = append(shared, p.Name)
			}
		}
		return shared
	}
	agreed := withLog(t,
		[]change{storedPod("kept", "1", "n1"), storedPod("touched", "2", "n1"), storedPod("waits", "3", ""), storedPod("again", "4", "n1"), storedPod("gone", "5", "n1")},
		[]change{
			storedPod("logged", "6", "n2"), storedPod("queued", "7", ""), storedPod("twice", "8", "n2"),
			storedPod("touched", "2", "n1"), storedPod("waits", "3", "n1"), deletedPod("again"), storedPod("again", "9", "n1"), deletedPod("gone"),
			storedPod("queued", "7", "n2"), storedPod("new", "10", "n3"), storedPod("open", "11", ""), storedPod("twice", "8", "n2"), storedPod("twice", "8", "n2"),
		}, nil)
	whole, err := restore.Load(t.Context(), agreed, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	if got := beside(s, whole); !slices.Equal(got, []string{"kept", "logged"}) {
		t.Errorf("beside what is agreed on: %v are shared", got)
	}
	if got := beside(agreed, state); !slices.Equal(got, []string{"kept", "logged", "touched", "twice"}) {
		t.Errorf("beside what the tail has made: %v are shared", got)
	}
}

// TestLoadDeletions: which deletions are kept, and which of them show no node, because the version
// before is not retained.
func TestLoadDeletions(t *testing.T) {
	s := store(t, []change{
		storedPod("a", "1", "n1"), deletedPod("a"), storedPod("a", "2", "n2"), deletedPod("a"), // of several the newest
		storedPod("b", "3", "n1"), deletedPod("b"), storedPod("b", "4", "n1"), // none of one that is there again
		storedPod("c", "5", "n3"), deletedPod("c"), storedPod("c", "6", "n3"), deletedPod("c"), // compacted before the first
		storedPod("d", "7", ""), deletedPod("d"),
	}, 9, 11)
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	want := []restore.Tombstone{
		{Key: "/registry/pods/ns/a", Revision: 5, Node: "n2"},
		{Key: "/registry/pods/ns/c", Revision: 10, Orphan: true},
		{Key: "/registry/pods/ns/c", Revision: 12, Orphan: true},
		{Key: "/registry/pods/ns/d", Revision: 14},
	}
	if diff := cmp.Diff(want, state.Tombstones); diff != "" {
		t.Error(diff)
	}
	if state.NewestPodChange != 14 {
		t.Errorf("the newest change of a pod is %d", state.NewestPodChange)
	}
}

// TestLoadNodes: which taints make a node unreachable, and which keep a pod off it for good.
func TestLoadNodes(t *testing.T) {
	taint := func(key string, effect corev1.TaintEffect) corev1.Taint {
		return corev1.Taint{Key: key, Effect: effect}
	}
	const no, schedule = corev1.TaintEffectNoExecute, corev1.TaintEffectNoSchedule
	ssd := map[string]string{"disk": "ssd"}
	s := store(t, []change{
		storedNode("a", ssd, taint(corev1.TaintNodeUnreachable, no)),
		storedNode("b", ssd, taint(corev1.TaintNodeUnreachable, schedule)),
		storedNode("c", ssd, taint(corev1.TaintNodeNotReady, no)),
		storedNode("d", ssd, taint("example.com/own", no)),
		storedNode("e", ssd, taint("node.cloudprovider.kubernetes.io/uninitialized", schedule), taint(corev1.TaintNodeMemoryPressure, schedule)),
		storedNode("f", ssd, taint(corev1.TaintNodeUnschedulable, schedule)),
		storedNode("g", nil),
		storedPod("waits", "1", ""),
		{key: "/registry/pods/ns/with-affinity", object: &corev1.Pod{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "with-affinity", UID: "2"},
			Spec: corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"b"}}}}},
			}}}},
		}},
	})
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	var unreachable []string
	for _, n := range state.Nodes {
		if n.Unreachable {
			unreachable = append(unreachable, n.Name)
		}
	}
	if !slices.Equal(unreachable, []string{"a"}) {
		t.Errorf("%v are unreachable", unreachable)
	}
	if p := state.Pods[0]; !p.ChoicesKnown || !slices.Equal(p.Choices, []string{"a", "b", "c", "e"}) {
		t.Errorf("it may be bound to %v, known %t", p.Choices, p.ChoicesKnown)
	}
	if p := state.Pods[1]; !slices.Equal(p.Choices, []string{"b"}) {
		t.Errorf("with affinity for b, it may be bound to %v", p.Choices)
	}
}

// TestLoadWorkloads: which controllers' objects count, by what a template and a CronJob say.
func TestLoadWorkloads(t *testing.T) {
	object := func(group, resource, name, kind, rest string) change {
		return change{key: "/registry/" + resource + "/ns/" + name, raw: fmt.Sprintf(
			`{"apiVersion":"%s","kind":"%s","metadata":{"name":"%s","namespace":"ns","uid":"uid-of-%s"%s}`, group, kind, name, name, rest)}
	}
	owner := func(kind string, controller bool) string {
		return fmt.Sprintf(`,"ownerReferences":[{"apiVersion":"apps/v1","kind":"%s","name":"o","uid":"owner","controller":%t}]},"spec":{"replicas":2}`, kind, controller)
	}
	s := store(t, []change{
		object("apps/v1", "replicasets", "of-deployment", "ReplicaSet", owner("Deployment", true)),
		object("apps/v1", "replicasets", "of-another", "ReplicaSet", owner("Rollout", true)),
		object("apps/v1", "replicasets", "named", "ReplicaSet", owner("Deployment", false)),
		object("apps/v1", "replicasets", "alone", "ReplicaSet", "}"),
		object("apps/v1", "replicasets", "less", "ReplicaSet", `},"spec":{"replicas":-3}`),
		object("v1", "controllers", "template", "ReplicationController", `},"spec":{"replicas":0,"template":{}}`),
		object("v1", "controllers", "none", "ReplicationController", `},"spec":{}`),
		object("batch/v1", "cronjobs", "zone", "CronJob", `},"spec":{"schedule":"@daily","timeZone":"Europe/Berlin","suspend":true,"concurrencyPolicy":"Forbid"},"status":{"active":[{"uid":"j"}],"lastScheduleTime":"2026-11-23T04:00:00Z"}`),
		object("batch/v1", "jobs", "of-cron", "Job", `,"ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"zone","uid":"uid-of-zone","controller":true}]},"spec":{"parallelism":3}`),
		object("batch/v1", "cronjobs", "no-zone", "CronJob", `},"spec":{"schedule":"@daily","suspend":false}`),
		{key: "/registry/deployments/ns/secret", raw: "k8s:enc:aescbc:v1:key1:xxxx"},
		{key: "/registry/deployments/ns/strange", object: &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}}},
	})
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range state.Workloads {
		got = append(got, fmt.Sprintf("%s %s wants %d, template %t, %q %q %q %t %v %s", strings.TrimSpace(w.Kind+" "+w.Owner+timeOf(w.LastSchedule)), w.Name, w.Wanted, w.Template != "", w.Schedule, w.TimeZone, w.Policy, w.Suspended, w.Active, w.Unreadable))
	}
	want := []string{
		`Deployment secret wants 0, template false, "" "" "" false [] encrypted by aescbc with key "key1"`,
		`Deployment strange wants 0, template false, "" "" "" false [] it is not a Deployment`,
		`ReplicaSet alone wants 1, template true, "" "" "" false [] `,
		`ReplicaSet less wants 0, template true, "" "" "" false [] `,
		`ReplicaSet named wants 2, template true, "" "" "" false [] `,
		`ReplicaSet of-another wants 2, template true, "" "" "" false [] `,
		`Job uid-of-zone of-cron wants 3, template true, "" "" "" false [] `,
		`CronJob no-zone wants 0, template false, "@daily" "" "" false [] `,
		`CronJob 04:00 zone wants 0, template false, "@daily" "Europe/Berlin" "Forbid" true [j] `,
		`ReplicationController none wants 1, template false, "" "" "" false [] `,
		`ReplicationController template wants 0, template true, "" "" "" false [] `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"uid-of-of-deployment": "owner"}, state.OwnedBy); diff != "" {
		t.Error(diff)
	}
}

// TestLoadStrangePod: an unbound pod whose value is no pod may go to nobody knows which node.
func TestLoadStrangePod(t *testing.T) {
	s := store(t, []change{storedNode("a", nil), {key: "/registry/pods/ns/a", object: &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", UID: "1"},
	}}})
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	if p := state.Pods[0]; p.ChoicesKnown || p.Choices != nil || p.Unreadable == "" {
		t.Errorf("it may be bound to %v, known %t, unreadable %q", p.Choices, p.ChoicesKnown, p.Unreadable)
	}
}

func timeOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("15:04")
}

// TestLoadAPIServers: which API servers a snapshot shows to be running, and what they are called.
func TestLoadAPIServers(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	lease := func(name, host, address string, ago time.Duration) change {
		l := &coordinationv1.Lease{
			TypeMeta:   metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name, Labels: map[string]string{"apiserver.kubernetes.io/identity": "kube-apiserver"}, Annotations: map[string]string{}},
		}
		if host != "" {
			l.Labels["kubernetes.io/hostname"] = host
		}
		if address != "" {
			l.Annotations["kubernetes.io/peer-advertise-address"] = address
		}
		if ago >= 0 {
			at := metav1.NewMicroTime(noon.Add(-ago))
			l.Spec.RenewTime = &at
		}
		return change{key: "/registry/leases/kube-system/" + name, object: l}
	}
	other := lease("scheduler", "cp-1", "", 0)
	other.object.(*coordinationv1.Lease).Labels = nil
	master := change{key: "/registry/masterleases/10.0.0.1", raw: "x"}
	for _, tt := range []struct {
		name    string
		changes []change
		want    []string
	}{
		{"none", nil, nil},
		{"by their machines", []change{lease("a", "cp-2", "10.0.0.2", 0), lease("b", "cp-1", "", time.Second), master}, []string{"cp-1 [b] 3", "cp-2 [a 10.0.0.2] 2"}},
		{"two on one machine", []change{lease("a", "cp-1", "", 0), lease("b", "cp-1", "10.0.0.2", 0), lease("c", "cp-2", "", 0)}, []string{"a [a] 2", "b [b 10.0.0.2] 3", "cp-2 [c] 4"}},
		{"of no machine", []change{lease("b", "", "", 0), lease("a", "", "10.0.0.2", 0)}, []string{"a [a 10.0.0.2] 3", "b [b] 2"}},
		{"one of no machine", []change{lease("a", "", "", 0), lease("b", "cp-1", "", 0)}, []string{"a [a] 2", "cp-1 [b] 3"}},
		{"one that has stopped", []change{lease("a", "cp-1", "", 0), lease("b", "cp-2", "", 2*time.Minute), lease("c", "cp-3", "", 2*time.Minute+time.Microsecond)}, []string{"cp-1 [a] 2", "cp-2 [b] 3"}},
		{"one that has stopped, read before the newest", []change{lease("a", "cp-1", "", time.Hour), lease("b", "cp-2", "", 0)}, []string{"cp-2 [b] 3"}},
		{"one that was never renewed, another component, and another kind", []change{lease("a", "cp-1", "", -1), other, {key: "/registry/leases/kube-system/c", object: &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}}}, master}, []string{"10.0.0.1 [] 5"}},
		{"one that cannot be read", []change{lease("a", "cp-1", "", 0), {key: "/registry/leases/kube-system/b", raw: "k8s:enc:aescbc:v1:key1:xxxx"}}, []string{"cp-1 [a] 2"}},
		{"by their master leases", []change{master, {key: "/registry/masterleases/10.0.0.0", raw: "x"}}, []string{"10.0.0.0 [] 3", "10.0.0.1 [] 2"}},
	} {
		state, err := restore.Load(t.Context(), store(t, tt.changes), "/registry")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range state.APIServers {
			got = append(got, fmt.Sprint(s.Name, " ", s.Aliases, " ", s.Revision))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestLoadBesideRewritten: a pod whose value was written again, or that another history has made
// earlier, is not the other state's, although its value is.
func TestLoadBesideRewritten(t *testing.T) {
	a, b := storedPod("a", "1", "n1"), storedPod("b", "2", "n1")
	load := func(other *restore.State, changes ...change) *restore.State {
		state, err := restore.LoadBeside(t.Context(), store(t, changes), "/registry", func() *restore.State { return other })
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	backup := load(nil, b, a)
	for name, changes := range map[string][]change{"written again": {b, a, a}, "made earlier": {a, a}} {
		alone, beside := load(nil, changes...), load(backup, changes...)
		for i, p := range beside.Pods {
			if want := alone.Pods[i]; p.ModRevision != want.ModRevision || p.CreateRevision != want.CreateRevision {
				t.Errorf("%s: %s was made at %d and changed at %d, not %d and %d", name, p.Name, p.CreateRevision, p.ModRevision, want.CreateRevision, want.ModRevision)
			}
		}
	}
}
