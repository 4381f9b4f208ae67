package objects_test

import (
	"testing"

	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// TestCarved finds what is no longer in a bucket, and only when it is asked for.
func TestCarved(t *testing.T) {
	s := snapshottest.OpenBytes(t, "churned", corpus.Unpack(t, "../../testdata/etcd/churned-0.db.gz"))
	view, err := s.At(0)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := resources.NewCatalog(t.Context(), s, view, kube.DefaultPrefix, nil)
	if err != nil {
		t.Fatal(err)
	}
	carving, err := s.Carve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := objects.State{Snapshot: s, View: view, Catalog: catalog, Prefix: kube.DefaultPrefix, Deleted: true}
	count := func() (all, recovered int) {
		for o, err := range (&objects.Query{Words: []string{"/"}}).Find(t.Context(), w) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := view.Get(o.Record.Key); err == nil {
				t.Errorf("%q is there", o.Record.Key)
			}
			if all++; w.Recovered(o.Record) {
				recovered++
			}
		}
		return all, recovered
	}
	before, none := count()
	w.Carved = carving
	after, recovered := count()
	if none != 0 || recovered == 0 || after < before || after > before+recovered {
		t.Errorf("%d without what was carved (%d recovered), %d with it (%d recovered)", before, none, after, recovered)
	}
}
