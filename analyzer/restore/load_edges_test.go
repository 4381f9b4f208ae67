package restore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	etcdserverpb "go.etcd.io/etcd/api/v3/etcdserverpb"
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
		object("batch/v1", "cronjobs", "zone", "CronJob", `},"spec":{"schedule":"@daily","timeZone":"Europe/Berlin","suspend":true,"concurrencyPolicy":"Forbid"},"status":{"active":[{"uid":"j"}]}`),
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
		got = append(got, fmt.Sprintf("%s %s wants %d, template %t, %q %q %q %t %v %s", w.Kind, w.Name, w.Wanted, w.Template != "", w.Schedule, w.TimeZone, w.Policy, w.Suspended, w.Active, w.Unreadable))
	}
	want := []string{
		`Deployment secret wants 0, template false, "" "" "" false [] encrypted by aescbc with key "key1"`,
		`Deployment strange wants 0, template false, "" "" "" false [] it is not a Deployment`,
		`ReplicaSet alone wants 1, template true, "" "" "" false [] `,
		`ReplicaSet less wants 0, template true, "" "" "" false [] `,
		`ReplicaSet named wants 2, template true, "" "" "" false [] `,
		`ReplicaSet of-another wants 2, template true, "" "" "" false [] `,
		`CronJob no-zone wants 0, template false, "@daily" "" "" false [] `,
		`CronJob zone wants 0, template false, "@daily" "Europe/Berlin" "Forbid" true [j] `,
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
