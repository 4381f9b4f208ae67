package objects_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot/snapshottest"
)

func TestFind(t *testing.T) {
	object := func(kind, name, label string) string {
		return `{"apiVersion":"v1","kind":"` + kind + `","metadata":{"name":"` + name + `","labels":{"app":"` + label + `"}}}`
	}
	s := snapshottest.Store(t,
		snapshottest.Put("/registry/pods/shop/web-0", object("Pod", "web-0", "web")),
		snapshottest.Put("/registry/pods/shop/db-0", object("Pod", "db-0", "db")),
		snapshottest.Put("/registry/pods/test/web-0", object("Pod", "web-0", "web")),
		snapshottest.Put("/registry/services/specs/shop/web", object("Service", "web", "web")),
		snapshottest.Put("/registry/lab.example.com/widgets/shop/w", object("Widget", "w", "w")),
		snapshottest.Put("compact_rev_key", "1"),
		snapshottest.Put("/registry/pods/shop/gone", object("Pod", "gone", "web")),
		snapshottest.Put("/registry/pods/shop/gone", object("Pod", "gone", "last")),
		snapshottest.Delete("/registry/pods/shop/gone"),
		snapshottest.Put("/registry/secrets/shop/s", "k8s:enc:aescbc:v1:key1:x"),
		snapshottest.Delete("/registry/lab.example.com/widgets/shop/w"),
	)
	web, err := labels.Parse("app=web")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		query   objects.Query
		at      int64
		deleted bool
		want    []string
		missing []string
		fails   bool
	}{
		{name: "all objects", want: []string{"pods/shop/db-0@3", "pods/shop/web-0@2", "pods/test/web-0@4", "secrets/shop/s@11", "services/shop/web@5"}},
		{name: "at a revision", at: 3, want: []string{"pods/shop/db-0@3", "pods/shop/web-0@2"}},
		{name: "a short name", query: objects.Query{Words: []string{"po"}}, want: []string{"pods/shop/db-0@3", "pods/shop/web-0@2", "pods/test/web-0@4"}},
		{name: "a namespace", query: objects.Query{Words: []string{"pods"}, Namespace: "test"}, want: []string{"pods/test/web-0@4"}},
		{name: "a name", query: objects.Query{Words: []string{"pods", "web-0", "none"}}, want: []string{"pods/shop/web-0@2", "pods/test/web-0@4"}, missing: []string{"pods/none"}},
		{name: "several resources", query: objects.Query{Words: []string{"svc,pods,po"}, Namespace: "shop"}, want: []string{"services/shop/web@5", "pods/shop/db-0@3", "pods/shop/web-0@2"}},
		{name: "pairs", query: objects.Query{Words: []string{"svc/web", "pod/db-0"}}, want: []string{"services/shop/web@5", "pods/shop/db-0@3"}},
		{name: "labels", query: objects.Query{Labels: web}, want: []string{"pods/shop/web-0@2", "pods/test/web-0@4", "services/shop/web@5"}, missing: []string{"unread /registry/secrets/shop/s"}},
		{name: "fields of what cannot be read", query: objects.Query{Words: []string{"secrets"}, Fields: fields.OneTermEqualSelector("type", "Opaque")}, missing: []string{"unread /registry/secrets/shop/s"}},
		{name: "a name needs no reading", query: objects.Query{Words: []string{"secrets"}, Fields: fields.OneTermEqualSelector("metadata.name", "s")}, want: []string{"secrets/shop/s@11"}},
		{name: "a key", query: objects.Query{Words: []string{"/registry/pods/shop/db-0"}}, want: []string{"pods/shop/db-0@3"}},
		{name: "keys below a path", query: objects.Query{Words: []string{"/registry/pods/shop/", "/registry/none"}}, want: []string{"pods/shop/db-0@3", "pods/shop/web-0@2"}, missing: []string{"/registry/none"}},
		{name: "a path is no beginning of a name", query: objects.Query{Words: []string{"/registry/pods/sh"}}, missing: []string{"/registry/pods/sh"}},
		{name: "deleted ones, in their last state", deleted: true, want: []string{"widgets/shop/w@6", "pods/shop/gone@9"}},
		{name: "deleted ones as of before", deleted: true, at: 8, want: nil},
		{name: "deleted ones of a resource that nothing defines now", deleted: true, query: objects.Query{Words: []string{"widgets.lab.example.com"}}, want: []string{"widgets/shop/w@6"}},
		{name: "no resource", query: objects.Query{Words: []string{"poods"}}, fails: true},
		{name: "with and without a name", query: objects.Query{Words: []string{"pods", "svc/web"}}, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			view, err := s.At(tt.at)
			if err != nil {
				t.Fatal(err)
			}
			catalog, err := resources.NewCatalog(t.Context(), s, view, kube.DefaultPrefix, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got, missing []string
			failed := false
			for o, err := range tt.query.Find(t.Context(), objects.State{Snapshot: s, View: view, Catalog: catalog, Prefix: kube.DefaultPrefix, Deleted: tt.deleted}) {
				var m *objects.MissingError
				var unread *objects.UnreadError
				switch {
				case errors.As(err, &unread):
					missing = append(missing, "unread "+unread.Key)
				case errors.As(err, &m):
					missing = append(missing, m.Word)
				case err != nil:
					failed = true
				default:
					got = append(got, o.Key.Resource+"/"+o.Key.Namespace+"/"+o.Key.Name+"@"+o.Record.Revision.String())
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.missing, missing); diff != "" {
				t.Errorf("missing: -want +got:\n%s", diff)
			}
			if failed != tt.fails {
				t.Errorf("failed: %v", failed)
			}
		})
	}
}
