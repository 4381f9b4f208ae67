package atrest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/analyzer/atrest"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

func TestFind(t *testing.T) {
	custom := func(version string) string {
		return `{"apiVersion":"example.com/` + version + `","kind":"Widget","metadata":{"name":"w"}}`
	}
	s := snapshottest.Store(t,
		snapshottest.Put("/registry/example.com/widgets/ns/a", custom("v1")),
		snapshottest.Put("/registry/example.com/widgets/ns/b", custom("v1")),
		snapshottest.Put("/registry/example.com/widgets/ns/c", custom("v2")),
		snapshottest.Put("/registry/secrets/ns/s", "k8s:enc:aescbc:v1:key1:0123"),
		snapshottest.Put("/registry/configmaps/ns/broken", "k8s\x00\xff"),
		snapshottest.Put("/registry/configmaps/ns/empty", "{}"),
		snapshottest.Put("/registry/configmaps/ns/gone", "{}"), snapshottest.Delete("/registry/configmaps/ns/gone"),
		snapshottest.Put("compact_rev_key", "5"),
	)
	shown := 0
	got, err := atrest.Find(t.Context(), s, "/registry", func(kube.Key, snapshot.Record, []byte) { shown++ })
	want := []atrest.Stored{
		{Resource: "configmaps", Count: 1, Problem: "it does not decode"},
		{Resource: "configmaps", Count: 1, Problem: "it names no version or no kind"},
		{Resource: "secrets", Count: 1, Encrypted: true, Problem: `encrypted by aescbc with key "key1"`},
		{Group: "example.com", Resource: "widgets", APIVersion: "example.com/v1", Kind: "Widget", Count: 2},
		{Group: "example.com", Resource: "widgets", APIVersion: "example.com/v2", Kind: "Widget", Count: 1},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(atrest.Stored{}, "Example")); err != nil || diff != "" || shown != 6 {
		t.Errorf("%v, %d shown\n%s", err, shown, diff)
	}
}

// TestLifecycles wants API servers of a snapshot's own version to serve, or to store by
// themselves, every version that it has.
func TestLifecycles(t *testing.T) {
	for path, minor := range map[string]int{"scenario-1/plain": 37, "longoutage/bump-ok.60.k8s-1.35.4": 35, "scenario-7/plain.k8s-1.33.13": 33} {
		s := snapshottest.OpenBytes(t, path, corpus.Unpack(t, "../../testdata/clusters/"+path+"/current.db.gz"))
		list, err := atrest.Find(t.Context(), s, "/registry", nil)
		if err != nil || len(list) < 20 {
			t.Fatalf("%s: %d, %v", path, len(list), err)
		}
		for _, v := range list {
			if _, builtIn := (kube.Key{Group: v.Group, Resource: v.Resource}).Type(); !builtIn || v.Group == "apiextensions.k8s.io" || v.Group == "apiregistration.k8s.io" {
				continue
			}
			l, known := kube.LifecycleOf(v.APIVersion, v.Kind)
			if !known || l.Introduced > minor || l.Removed > 0 && l.Removed <= minor {
				t.Errorf("%s: %s %s: %+v, %t", path, v.APIVersion, v.Kind, l, known)
			}
		}
	}
}
