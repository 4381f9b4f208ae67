package restore_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/clustertest"
)

// change is one revision of a store: a put of an object or of raw bytes, or with
// neither a deletion.
type change struct {
	key    string
	object runtime.Object
	raw    string
}

// store writes the changes as revisions 2, 3, … of an etcd snapshot, of which
// those named in gone were compacted away.
func store(t *testing.T, changes []change, gone ...int64) *snapshot.Snapshot {
	t.Helper()
	var list []snapshottest.Change
	for i, c := range changes {
		switch {
		case slices.Contains(gone, int64(i+2)):
			list = append(list, snapshottest.Change{})
		case c.object == nil && c.raw == "":
			list = append(list, snapshottest.Delete(c.key))
		default:
			list = append(list, snapshottest.Put(c.key, encode(t, c)))
		}
	}
	return snapshottest.Store(t, list...)
}

func encode(t *testing.T, c change) string {
	t.Helper()
	if c.object == nil {
		return c.raw
	}
	var b strings.Builder
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(c.object, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func storedPod(name, uid, node string) change {
	return change{key: "/registry/pods/ns/" + name, object: &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID(uid)},
		Spec:       corev1.PodSpec{NodeName: node, NodeSelector: map[string]string{"disk": "ssd"}},
	}}
}

func deletedPod(name string) change { return change{key: "/registry/pods/ns/" + name} }

func storedNode(name string, labels map[string]string, taints ...corev1.Taint) change {
	return change{key: "/registry/minions/" + name, object: &corev1.Node{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-of-" + name), Labels: labels},
		Spec:       corev1.NodeSpec{Taints: taints},
	}}
}

func storedLease(name string, renewed time.Time) change {
	at := metav1.NewMicroTime(renewed)
	return change{key: "/registry/leases/kube-node-lease/" + name, object: &coordinationv1.Lease{
		TypeMeta:   metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: name},
		Spec:       coordinationv1.LeaseSpec{RenewTime: &at},
	}}
}

func TestLoadHistory(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	ssd := map[string]string{"disk": "ssd"}
	s := store(t, []change{ // the first one is revision 2
		storedNode("n1", ssd),
		storedNode("n2", ssd, corev1.Taint{Key: "node.kubernetes.io/not-ready", Effect: corev1.TaintEffectNoSchedule}),
		storedNode("n3", ssd, corev1.Taint{Key: "reserved", Effect: corev1.TaintEffectNoSchedule}),
		{key: "/registry/minions/n4", raw: "k8s:enc:aescbc:v1:key1:xxxx"},
		storedPod("kept", "u1", ""),
		storedPod("kept", "u1", "n1"),
		storedPod("gone", "u2", "n2"),
		deletedPod("gone"),
		storedPod("orphan", "u3", "n3"),
		deletedPod("orphan"),
		storedPod("again", "u4", "n3"),
		deletedPod("again"),
		storedPod("again", "u5", "n1"),
		storedPod("waiting", "u6", ""),
		{key: "/registry/pods/ns/secret", raw: "k8s:enc:aescbc:v1:key1:xxxx"},
		storedLease("n1", noon.Add(-5*time.Second)),
		storedLease("n2", noon),
		{key: "/registry/namespaces/kube-system", object: &corev1.Namespace{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
			ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "the-cluster"},
		}},
	}, 10)
	got, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	want := &restore.State{
		Revision: 19, NewestRecord: 19, SeenRevision: 19, Time: noon, ClusterUID: "the-cluster",
		Nodes: []restore.Node{{Name: "n1", UID: "uid-of-n1"}, {Name: "n2", UID: "uid-of-n2"}, {Name: "n3", UID: "uid-of-n3"}, {Name: "n4"}},
		LastSeen: map[string]restore.Sighting{
			"n1": {Revision: 14, Key: "/registry/pods/ns/again"},
			"n2": {Revision: 9, Key: "/registry/pods/ns/gone"},
			"n3": {Revision: 13, Key: "/registry/pods/ns/again"},
		},
		Tombstones: []restore.Tombstone{
			{Key: "/registry/pods/ns/gone", Revision: 9, Node: "n2"},
			{Key: "/registry/pods/ns/orphan", Revision: 11, Orphan: true},
		},
		NewestPodChange: 16,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(restore.State{}, "Pods", "Missing", "Clock", "OwnedBy")); diff != "" {
		t.Error(diff)
	}
	var pods []string
	for _, p := range got.Pods {
		pods = append(pods, strings.Join([]string{p.Namespace, p.Name, p.UID, p.NodeName, strings.Join(p.Choices, ","), p.Unreadable}, "|"))
	}
	// n2 will be ready again, n3 stays reserved, and n4 cannot be read.
	if diff := cmp.Diff([]string{
		"ns|again|u5|n1||",
		"ns|kept|u1|n1||",
		`ns|secret||||encrypted by aescbc with key "key1"`,
		"ns|waiting|u6||n1,n2|",
	}, pods); diff != "" {
		t.Error(diff)
	}
}

func TestLoadLittle(t *testing.T) {
	s := store(t, []change{{key: "/registry/namespaces/kube-system", raw: "k8s:enc:kms:v2:plugin:xxxx"}})
	got, err := restore.Load(t.Context(), s, "registry/")
	if err != nil {
		t.Fatal(err)
	}
	if got.ClusterUID != "" || !strings.Contains(got.ClusterUnknown, "encrypted by kms") {
		t.Errorf("cluster %q, unknown because %q", got.ClusterUID, got.ClusterUnknown)
	}
	other, err := restore.Load(t.Context(), s, "/elsewhere")
	if err != nil || other.ClusterUnknown != "there is no namespace kube-system" {
		t.Errorf("got %+v, %v", other, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := restore.Load(ctx, store(t, []change{storedNode("n1", nil)}), "/registry"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestLoadBeside: a state that is read beside another one is what it is without, and
// holds the other one's pods where a record is the same in both, down to its value.
func TestLoadBeside(t *testing.T) {
	load := func(s *snapshot.Snapshot, other *restore.State) *restore.State {
		state, err := restore.LoadBeside(t.Context(), s, "/registry", func() *restore.State { return other })
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	shared := func(a, b *restore.State) (names []string) {
		for _, p := range b.Pods {
			if slices.Contains(a.Pods, p) {
				names = append(names, p.Name)
			}
		}
		return names
	}
	both := []change{
		storedPod("changed", "u1", "n1"), storedPod("deleted", "u2", "n1"), storedPod("unbound", "u3", ""), storedPod("kept", "u4", "n1"),
		{key: "/registry/pods/ns/secret", raw: "k8s:enc:aescbc:v1:key1:xxxx"}, storedPod("last", "u5", "n1"),
	}
	backup := load(store(t, both), nil)
	later := store(t, append(both[:len(both):len(both)], storedPod("changed", "u1", "n2"), deletedPod("deleted"), storedPod("another", "u6", "n1")))
	current := load(later, backup)
	if got := shared(backup, current); !slices.Equal(got, []string{"kept", "last"}) {
		t.Errorf("%q are shared", got)
	}
	if alone := load(later, nil); !reflect.DeepEqual(alone, current) {
		t.Error(cmp.Diff(alone, current, cmpopts.IgnoreUnexported(restore.Pod{}), cmpopts.IgnoreFields(restore.State{}, "Clock")))
	}
	// Another history has another value at the same revision.
	diverged := load(store(t, append([]change{both[0], both[1], both[2], storedPod("kept", "u4", "n9")}, both[4:]...)), backup)
	if got := shared(backup, diverged); !slices.Equal(got, []string{"changed", "deleted", "last"}) {
		t.Errorf("%q are shared although the histories differ", got)
	}
	if p := diverged.Pods[slices.IndexFunc(diverged.Pods, func(p *restore.Pod) bool { return p.Name == "kept" })]; p.NodeName != "n9" {
		t.Errorf("the pod is bound to %s", p.NodeName)
	}

	c, err := clustertest.New(clustertest.Options{Seed: 7, Pods: 300, Nodes: 12, Steady: 200, Revisions: 3000, APIServers: 2})
	if err != nil {
		t.Fatal(err)
	}
	open := func(data []byte) *snapshot.Snapshot {
		s, err := snapshot.OpenBytes(t.Context(), "generated", data, snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	backup = load(open(c.Backup), nil)
	current = load(open(c.Current), backup)
	if n := len(shared(backup, current)); n < 50 {
		t.Errorf("%d pods are shared", n)
	}
	if alone := load(open(c.Current), nil); !reflect.DeepEqual(alone, current) {
		t.Error("the state of a cluster is another one beside its backup's")
	}
}
