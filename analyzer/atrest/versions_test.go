package atrest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
		snapshottest.Put("/registry/configmaps/ns/version", `{"apiVersion":"v1"}`),
		snapshottest.Put("/registry/configmaps/ns/kind", `{"kind":"ConfigMap"}`),
		snapshottest.Put("/registry/configmaps/ns/gone", "{}"), snapshottest.Delete("/registry/configmaps/ns/gone"),
		snapshottest.Put("compact_rev_key", "5"),
	)
	shown := 0
	got, err := atrest.Find(t.Context(), s, "/registry", func(kube.Key, snapshot.Record, []byte) { shown++ })
	want := []atrest.Stored{
		{Resource: "configmaps", Count: 1, Problem: "it does not decode"},
		{Resource: "configmaps", Count: 3, Problem: "it names no version or no kind"},
		{Resource: "secrets", Count: 1, Encrypted: true, Problem: `encrypted by aescbc with key "key1"`},
		{Group: "example.com", Resource: "widgets", APIVersion: "example.com/v1", Kind: "Widget", Count: 2},
		{Group: "example.com", Resource: "widgets", APIVersion: "example.com/v2", Kind: "Widget", Count: 1},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(atrest.Stored{}, "Example")); err != nil || diff != "" || shown != 8 {
		t.Errorf("%v, %d shown\n%s", err, shown, diff)
	}
}

// TestFindBounds counts the objects of more kinds than are told apart together, and shortens what a
// value says of itself.
func TestFindBounds(t *testing.T) {
	const most = 1 << 14
	var changes []snapshottest.Change
	for i := range most + 2 {
		changes = append(changes, snapshottest.Put(fmt.Sprintf("/registry/example.com/widgets/ns/%05d", i), fmt.Sprintf(`{"apiVersion":"example.com/%05d","kind":"Widget"}`, i)))
	}
	changes = append(changes, snapshottest.Put("/registry/example.com/widgets/ns/again", `{"apiVersion":"example.com/00000","kind":"Widget"}`))
	got, err := atrest.Find(t.Context(), snapshottest.Store(t, changes...), "/registry", nil)
	if err != nil || len(got) != most+1 {
		t.Fatalf("%d, %v", len(got), err)
	}
	want := []atrest.Stored{
		{Example: "/registry/example.com/widgets/ns/16384", Count: 2, Problem: "too many kinds to tell apart"},
		{Group: "example.com", Resource: "widgets", APIVersion: "example.com/00000", Kind: "Widget", Count: 2, Example: "/registry/example.com/widgets/ns/00000"},
		{Group: "example.com", Resource: "widgets", APIVersion: "example.com/00001", Kind: "Widget", Count: 1, Example: "/registry/example.com/widgets/ns/00001"},
	}
	if diff := cmp.Diff(want, got[:3]); diff != "" {
		t.Error(diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	long := strings.Repeat("v", 257)
	s := snapshottest.Store(t, snapshottest.Put("/registry/example.com/widgets/ns/a", fmt.Sprintf(`{"apiVersion":%q,"kind":%q}`, long, long[:256])))
	if got, err := atrest.Find(ctx, s, "/registry", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v, %v", got, err)
	}
	got, err = atrest.Find(t.Context(), s, "/registry", nil)
	want = []atrest.Stored{{Group: "example.com", Resource: "widgets", APIVersion: long[:256], Kind: long[:256], Count: 1, Example: "/registry/example.com/widgets/ns/a"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
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
