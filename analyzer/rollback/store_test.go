package rollback_test

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

const prefix = "/registry"

type change = snapshottest.Change

// put stores an object as the API server does: built-in types as protobuf, what
// is unstructured as JSON.
func put(t testing.TB, o runtime.Object) change {
	t.Helper()
	m, err := meta.Accessor(o)
	if err != nil {
		t.Fatal(err)
	}
	k := kube.Key{Namespace: m.GetNamespace(), Name: m.GetName()}
	if u, ok := o.(*unstructured.Unstructured); ok {
		k.Group, k.Resource = u.GroupVersionKind().Group, strings.ToLower(u.GetKind())+"s"
		value, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		return change{Key: k.Path(prefix), Value: value}
	}
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		t.Fatal(err)
	}
	o.GetObjectKind().SetGroupVersionKind(kinds[0])
	for _, r := range kube.Resources() {
		if r.Kind == kinds[0].Kind {
			k.Group, k.Resource = r.Group(), r.Name
		}
	}
	if kinds[0].Kind == "RangeAllocation" {
		k.Resource = "ranges"
	}
	var b strings.Builder
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(o, &b); err != nil {
		t.Fatal(err)
	}
	return snapshottest.Put(k.Path(prefix), b.String())
}

func gone(t testing.TB, o runtime.Object) change {
	t.Helper()
	return snapshottest.Delete(put(t, o).Key)
}

// pair writes the changes as revisions 2, 3, … of one store. The backup was
// saved after those in before, the current snapshot after all.
func pair(t testing.TB, before, after []change) (backup, current *snapshot.Snapshot) {
	t.Helper()
	return snapshottest.Store(t, before...), snapshottest.Store(t, append(before[:len(before):len(before)], after...)...)
}

// named is the metadata of an object, given as namespace/name or name.
func named(name string) metav1.ObjectMeta {
	if ns, n, ok := strings.Cut(name, "/"); ok {
		return metav1.ObjectMeta{Namespace: ns, Name: n}
	}
	return metav1.ObjectMeta{Name: name}
}
