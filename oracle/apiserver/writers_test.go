package apiserver

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/etcd3"
	"k8s.io/apiserver/pkg/storage/value/encrypt/identity"
	auditlog "k8s.io/apiserver/plugin/pkg/audit/log"
	"k8s.io/client-go/kubernetes/scheme"

	join "revenant/analyzer/audit"
	"revenant/analyzer/clock"
	"revenant/analyzer/history"
	decoder "revenant/decoder/audit"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// TestWriters has five users write a ConfigMap through the API server's own storage, one of
// them without changing it, and wants each revision to be joined with the one who wrote it.
func TestWriters(t *testing.T) {
	for level, sure := range map[auditinternal.Level]join.Certainty{auditinternal.LevelRequestResponse: join.Certain, auditinternal.LevelMetadata: join.Probable} {
		t.Run(string(level), func(t *testing.T) {
			t.Parallel() // most of it is waiting for etcd to let its clients go
			c := newCluster(t)
			log := c.writes(level)
			c.check(c.server.Save(t.Context(), filepath.Join(c.dir, "current.db")))
			s, err := snapshot.Open(t.Context(), filepath.Join(c.dir, "current.db"), snapshot.Options{})
			c.check(err)
			defer s.Close()
			times, err := clock.Build(t.Context(), s, "/registry")
			c.check(err)
			r := &history.Reader{Prefix: "/registry", Sources: []history.Source{{Name: "current", Snapshot: s, Clock: times}}}
			h, err := r.Read(t.Context(), "/registry/configmaps/shop/web", false)
			c.check(err)
			j := join.New(h.Entries)
			key, _ := kube.ParseKey("/registry", h.Key)
			_, err = decoder.Read(t.Context(), []string{log}, join.QueryOf(key), decoder.Options{}, j.Add)
			c.check(err)
			var got []string
			for i := range h.Entries {
				m := j.Match(i)
				if m.Sure != sure || len(m.Events) != 1 {
					t.Errorf("%s: %s, %d requests: %s", h.Entries[i].What, m.Sure, len(m.Events), m.Reason)
					continue
				}
				got = append(got, string(h.Entries[i].What)+" by "+m.Events[0].User.Name)
			}
			if diff := cmp.Diff([]string{"created by alice", "changed by bob", "changed by dave", "deleted by eve"}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// writes makes the requests, and returns the path of their log.
func (c *cluster) writes(level auditinternal.Level) string {
	c.Helper()
	versioner := storage.APIObjectVersioner{}
	newMap := func() runtime.Object { return &corev1.ConfigMap{} }
	store, err := etcd3.New(c.client, nil, c.codec, newMap, func() runtime.Object { return &corev1.ConfigMapList{} }, "/registry", "/configmaps/", schema.GroupResource{Resource: "configmaps"},
		identity.NewEncryptCheckTransformer(), etcd3.NewDefaultLeaseManagerConfig(), etcd3.NewDefaultDecoder(c.codec, versioner), versioner)
	c.check(err)
	const key = "/configmaps/shop/web"
	out := new(corev1.ConfigMap)
	set := func(ctx context.Context, who, value string) error {
		out = new(corev1.ConfigMap)
		return store.GuaranteedUpdate(ctx, key, out, false, nil, storage.SimpleUpdate(func(o runtime.Object) (runtime.Object, error) {
			m := o.(*corev1.ConfigMap)
			if m.Data["a"] != value {
				now := metav1.Now()
				m.Data = map[string]string{"a": value}
				m.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: who, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", Time: &now, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:data":{"f:a":{}}}`)}}
			}
			return m, nil
		}), nil)
	}
	var events []*auditinternal.Event
	for _, r := range []struct {
		user, method string
		code         int
		do           func(context.Context) error
	}{
		{"alice", "POST", 201, func(ctx context.Context) error {
			created := configMap("web", "", "")
			audit.LogRequestObject(ctx, created, corev1.SchemeGroupVersion, corev1.SchemeGroupVersion.WithResource("configmaps"), "", scheme.Codecs)
			created.UID = "u"
			return store.Create(ctx, key, created, out, 0)
		}},
		{"bob", "PATCH", 200, func(ctx context.Context) error { return set(ctx, "bob", "1") }},
		{"carol", "PATCH", 200, func(ctx context.Context) error { return set(ctx, "carol", "1") }},
		{"dave", "PUT", 200, func(ctx context.Context) error {
			audit.LogRequestObject(ctx, out, corev1.SchemeGroupVersion, corev1.SchemeGroupVersion.WithResource("configmaps"), "", scheme.Codecs)
			return set(ctx, "dave", "2")
		}},
		{"eve", "DELETE", 200, func(ctx context.Context) error {
			out = new(corev1.ConfigMap)
			return store.Delete(ctx, key, out, nil, storage.ValidateAllObjectFunc, nil, storage.DeleteOptions{})
		}},
	} {
		uri := "/api/v1/namespaces/shop/configmaps"
		if r.method != "POST" {
			uri += "/web"
		}
		events = append(events, serve(level, r.method, uri+"?fieldManager="+r.user, r.user, func(w http.ResponseWriter, req *http.Request) {
			c.check(r.do(req.Context()))
			audit.LogResponseObject(req.Context(), out, corev1.SchemeGroupVersion, scheme.Codecs)
			w.WriteHeader(r.code)
		})...)
	}
	lines := new(bytes.Buffer)
	auditlog.NewBackend(lines, auditlog.FormatJson, auditv1.SchemeGroupVersion).ProcessEvents(events...)
	path := filepath.Join(c.dir, "audit.log")
	c.check(os.WriteFile(path, lines.Bytes(), 0o400))
	return path
}
