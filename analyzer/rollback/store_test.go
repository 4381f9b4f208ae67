package rollback_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

const prefix = "/registry"

// change is one revision of a store: the value put under a key or, without one,
// the key's deletion.
type change struct {
	key   string
	value []byte
}

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
		return change{k.Path(prefix), value}
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
	return change{k.Path(prefix), []byte(b.String())}
}

func gone(t testing.TB, o runtime.Object) change {
	t.Helper()
	return change{key: put(t, o).key}
}

// pair writes the changes as revisions 2, 3, … of one store. The backup was
// saved after those in before, the current snapshot after all.
func pair(t testing.TB, before, after []change) (backup, current *snapshot.Snapshot) {
	t.Helper()
	return store(t, before), store(t, append(before[:len(before):len(before)], after...))
}

func store(t testing.TB, changes []change) *snapshot.Snapshot {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshot.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("key"))
		if err != nil {
			return err
		}
		bucket.FillPercent = 1
		if _, err := tx.CreateBucket([]byte("meta")); err != nil {
			return err
		}
		live := map[string]*mvccpb.KeyValue{}
		for i, c := range changes {
			revision := int64(i + 2)
			k := append(binary.BigEndian.AppendUint64(nil, uint64(revision)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
			kv := &mvccpb.KeyValue{Key: []byte(c.key)}
			if c.value == nil {
				k = append(k, 't')
				delete(live, c.key)
			} else {
				kv.CreateRevision, kv.Version = revision, 1
				if last := live[c.key]; last != nil {
					kv.CreateRevision, kv.Version = last.CreateRevision, last.Version+1
				}
				kv.ModRevision, kv.Value = revision, c.value
				live[c.key] = kv
			}
			value, err := proto.Marshal(kv)
			if err != nil {
				return err
			}
			if err := bucket.Put(k, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, path, data)
}

func open(t testing.TB, name string, data []byte) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), name, data, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// named is the metadata of an object, given as namespace/name or name.
func named(name string) metav1.ObjectMeta {
	if ns, n, ok := strings.Cut(name, "/"); ok {
		return metav1.ObjectMeta{Namespace: ns, Name: n}
	}
	return metav1.ObjectMeta{Name: name}
}
