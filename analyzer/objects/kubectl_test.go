package objects_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/fields"

	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// TestServer holds the names of resources, and the fields that select their objects,
// against those of a real API server.
func TestServer(t *testing.T) {
	k := corpus.ReadKubectl(t, "../../testdata")
	s := snapshottest.OpenBytes(t, "snapshot", k.Snapshot)
	view, err := s.At(0)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := resources.NewCatalog(t.Context(), s, view, "/registry", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range k.Resources {
		name := want.Name
		if want.Group != "" {
			name += "." + want.Group
		}
		t.Run(name, func(t *testing.T) {
			r := catalog.Lookup(name)
			if r == nil {
				t.Fatal("unknown")
			}
			if want.Group != r.Group {
				return // events, which are listed as of the core group
			}
			{
				type names struct {
					Name, Singular, Kind string
					ShortNames           []string
					Namespaced           bool
				}
				shown := names{r.Name, r.Singular, r.Kind, slices.Sorted(slices.Values(r.ShortNames)), r.Namespaced}
				served := names{want.Name, want.Singular, want.Kind, slices.Sorted(slices.Values(want.ShortNames)), want.Namespaced}
				if diff := cmp.Diff(served, shown); diff != "" {
					t.Errorf("-server +revenant:\n%s", diff)
				}
			}
			var taken []string
			for _, field := range k.Tried {
				query := objects.Query{Words: []string{name}, Fields: fields.OneTermEqualSelector(field, "x")}
				refused := false
				for _, err := range query.Find(t.Context(), objects.State{Snapshot: s, View: view, Catalog: catalog, Prefix: "/registry"}) {
					var unknown *objects.FieldError
					refused = errors.As(err, &unknown)
					if err != nil && !refused {
						t.Fatal(err)
					}
				}
				if !refused {
					taken = append(taken, field)
				}
			}
			if diff := cmp.Diff(k.Fields[name], taken); diff != "" {
				t.Errorf("-server +revenant:\n%s", diff)
			}
		})
	}
}
