package apiserver

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/cacher"
	"k8s.io/apiserver/pkg/storage/etcd3"
	"k8s.io/apiserver/pkg/storage/value/encrypt/identity"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// TestStatedLastRevision holds what is predicted with respect to a stated last
// revision L against the real parts: a backup restored by etcdutl to a chosen
// revision, an etcd on the data directory, and an API server's watch cache of
// pods before it, which is asked to resume the watch of a kubelet that has seen L.
func TestStatedLastRevision(t *testing.T) {
	for _, tt := range []struct {
		name string
		keep bool
		from int64 // the restored revision, counted from L
		want restore.Kubelet
	}{
		{"restored to L", false, 0, restore.KubeletDeaf},
		{"restored to L+1", false, 1, restore.KubeletRelists},
		{"API server kept, restored to L+1", true, 1, restore.KubeletStale},
		{"API server kept, restored to L+2", true, 2, restore.KubeletRelists},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting for etcd to let its clients go
			c := newCluster(t)
			kept := c.cache()
			last := c.live(kept)
			plan := restore.Plan{MarkCompacted: true, KeepAPIServers: tt.keep, LastRevision: last}
			plan.BumpRevision = last + tt.from - c.load("backup.db").NewestRecord

			p, err := restore.Predict(c.load("backup.db"), c.load("current.db"), plan)
			if err != nil {
				t.Fatal(err)
			}
			if p.Revisions.Restored != last+tt.from || p.Nodes[0].Kubelet != tt.want {
				t.Fatalf("restored to %d, kubelet %s (%s); want %d, %s", p.Revisions.Restored, p.Nodes[0].Kubelet, p.Nodes[0].Reason, last+tt.from, tt.want)
			}
			if minimum := p.Revisions.MinimumSafeBump + p.Revisions.Restored - plan.BumpRevision; tt.want == restore.KubeletRelists && p.Revisions.Restored != minimum {
				t.Errorf("restored to %d, the minimum is %d", p.Revisions.Restored, minimum)
			}

			c.restore(plan.BumpRevision)
			if base := c.revision(); base != p.Revisions.Restored {
				t.Fatalf("etcd starts at %d, predicted %d", base, p.Revisions.Restored)
			}
			if tt.keep {
				c.checkKept(kept, tt.want)
				return
			}
			c.checkFresh(c.cache(), last, tt.want)
		})
	}
}

// cluster is an etcd with what an API server needs of it.
type cluster struct {
	*testing.T
	dir    string
	server *fixture.Server
	client *kubernetes.Client
	codec  runtime.Codec
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{T: t, dir: t.TempDir()}
	serializer := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	c.codec = scheme.Codecs.CodecForVersions(serializer, serializer, corev1.SchemeGroupVersion, corev1.SchemeGroupVersion)
	c.server = fixture.StartServer(t, filepath.Join(c.dir, "first"))
	c.connect()
	c.put("/registry/namespaces/kube-system", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "cluster"}})
	c.put("/registry/minions/n1", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "n1"}})
	return c
}

func (c *cluster) connect() {
	client, err := kubernetes.New(clientv3.Config{Endpoints: []string{c.server.Address()}, DialTimeout: time.Minute, Logger: zap.NewNop()})
	c.check(err)
	c.Cleanup(func() { client.Close() })
	c.client = client
}

func (c *cluster) check(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) put(key string, o runtime.Object) {
	c.Helper()
	value, err := runtime.Encode(c.codec, o)
	c.check(err)
	_, err = c.server.Put(c.Context(), key, string(value))
	c.check(err)
}

// run writes a pod that runs on n1.
func (c *cluster) run(name string) {
	c.Helper()
	c.put("/registry/pods/default/"+name, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec:       corev1.PodSpec{NodeName: "n1", RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	})
}

// live plays the cluster's life: a backup, a phantom to be, a snapshot of the
// current state, and one more pod after it. It returns the newest revision, which
// the cache has seen.
func (c *cluster) live(seen storage.Interface) int64 {
	c.run("old")
	c.check(c.server.Save(c.Context(), filepath.Join(c.dir, "backup.db")))
	c.run("phantom")
	c.check(c.server.Save(c.Context(), filepath.Join(c.dir, "current.db")))
	c.run("later")
	c.waitFor(seen, "later")
	return c.revision()
}

func (c *cluster) revision() int64 {
	c.Helper()
	r, err := c.server.Get(c.Context(), "/", clientv3.WithLimit(1))
	c.check(err)
	return r.Header.Revision
}

// load reads a snapshot as the program does.
func (c *cluster) load(name string) *restore.State {
	c.Helper()
	s, err := snapshot.Open(c.Context(), filepath.Join(c.dir, name), snapshot.Options{})
	c.check(err)
	defer s.Close()
	state, err := restore.Load(c.Context(), s, "/registry")
	c.check(err)
	return state
}

// restore stops etcd, restores the backup with etcdutl, and starts etcd on that at
// the same address.
func (c *cluster) restore(bump int64) {
	c.Helper()
	address := c.server.Address()
	c.server.Stop()
	dir := filepath.Join(c.dir, "restored")
	c.check(fixture.Restore(filepath.Join(c.dir, "backup.db"), dir, uint64(bump)))
	c.server = fixture.StartServerAt(c.T, dir, address)
}

// cache is the watch cache of pods of an API server that starts now.
func (c *cluster) cache() storage.Interface {
	c.Helper()
	newPod := func() runtime.Object { return &corev1.Pod{} }
	newList := func() runtime.Object { return &corev1.PodList{} }
	versioner := storage.APIObjectVersioner{}
	pods := schema.GroupResource{Resource: "pods"}
	store, err := etcd3.New(c.client, nil, c.codec, newPod, newList, "/registry", "/pods/", pods, identity.NewEncryptCheckTransformer(),
		etcd3.NewDefaultLeaseManagerConfig(), etcd3.NewDefaultDecoder(c.codec, versioner), versioner)
	c.check(err)
	cache, err := cacher.NewCacherFromConfig(cacher.Config{
		Storage: store, Versioner: versioner, GroupResource: pods, ResourcePrefix: "/pods/",
		EventsHistoryWindow: cacher.DefaultEventFreshDuration,
		KeyFunc: func(o runtime.Object) (string, error) {
			p := o.(*corev1.Pod)
			return "/pods/" + p.Namespace + "/" + p.Name, nil
		},
		GetAttrsFunc: func(o runtime.Object) (labels.Set, fields.Set, error) {
			p := o.(*corev1.Pod)
			return p.Labels, fields.Set{"spec.nodeName": p.Spec.NodeName}, nil
		},
		NewFunc: newPod, NewListFunc: newList, Codec: c.codec, Clock: clock.RealClock{},
	})
	c.check(err)
	c.Cleanup(cache.Stop)
	c.check(cache.Wait(c.Context()))
	return cacher.NewCacheDelegator(cache, store)
}

// listed are the names of the pods in the cache.
func (c *cluster) listed(s storage.Interface) map[string]bool {
	c.Helper()
	var list corev1.PodList
	names := map[string]bool{}
	if err := s.GetList(c.Context(), "/pods/", storage.ListOptions{ResourceVersion: "0", Recursive: true, Predicate: storage.Everything}, &list); err != nil {
		return names // it is being filled again
	}
	for _, p := range list.Items {
		names[p.Name] = true
	}
	return names
}

// waitFor waits until the cache has the pod.
func (c *cluster) waitFor(s storage.Interface, name string) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); !c.listed(s)[name]; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.Fatalf("the cache does not get the pod %s", name)
		}
	}
}

// checkFresh resumes a kubelet's watch at what it has seen, on a fresh API server.
func (c *cluster) checkFresh(s storage.Interface, seen int64, want restore.Kubelet) {
	c.Helper()
	if got := c.listed(s); !got["old"] || got["phantom"] {
		c.Fatalf("the restored API lists %v", got)
	}
	_, err := resume(c.Context(), s, seen)
	switch expired := apierrors.IsResourceExpired(err); {
	case expired && want != restore.KubeletRelists:
		c.Errorf("the watch from %d is refused: %v", seen, err)
	case !expired && want != restore.KubeletDeaf:
		c.Errorf("the watch from %d is not refused but %v", seen, err)
	}
	if err != nil {
		return
	}
	// What is written from now on it hears, what was undone it never does.
	c.run("new")
	w, err := resume(c.Context(), s, seen)
	c.check(err)
	e := <-w.ResultChan()
	o, err := meta.Accessor(e.Object)
	c.check(err)
	if e.Type != watch.Added || o.GetName() != "new" {
		c.Errorf("the first event is %s of %s", e.Type, o.GetName())
	}
}

// resume opens the watch of n1's kubelet at a revision. A refusal comes as an
// error or as the first event.
func resume(ctx context.Context, s storage.Interface, seen int64) (watch.Interface, error) {
	onNode := storage.SelectionPredicate{
		Label: labels.Everything(), Field: fields.OneTermEqualSelector("spec.nodeName", "n1"),
		GetAttrs: func(o runtime.Object) (labels.Set, fields.Set, error) {
			p := o.(*corev1.Pod)
			return p.Labels, fields.Set{"spec.nodeName": p.Spec.NodeName}, nil
		},
	}
	w, err := s.Watch(ctx, "/pods/", storage.ListOptions{ResourceVersion: strconv.FormatInt(seen, 10), Recursive: true, Predicate: onNode})
	if err != nil {
		return nil, err
	}
	select {
	case e := <-w.ResultChan():
		if e.Type == watch.Error {
			return nil, apierrors.FromObject(e.Object)
		}
	default:
	}
	return w, nil
}

// checkKept looks at the cache of an API server that was not restarted, once it
// follows the restored store.
func (c *cluster) checkKept(s storage.Interface, want restore.Kubelet) {
	c.Helper()
	c.run("new")
	c.waitFor(s, "new")
	if got := c.listed(s)["phantom"]; got != (want == restore.KubeletStale) {
		c.Errorf("the API server that was kept lists the phantom: %v, its kubelet is predicted as %s", got, want)
	}
}
