package main

import (
	"testing"

	"revenant/decoder/snapshot/snapshottest"
)

// TestNamesakes: a custom resource that has the name of one of Kubernetes' own is not
// taken for that.
func TestNamesakes(t *testing.T) {
	t.Chdir(t.TempDir())
	put := snapshottest.Put
	event := func(n string) string {
		return `{"apiVersion":"lab.example.com/v1","kind":"Event","metadata":{"name":"e","namespace":"shop","uid":"1"},"spec":{"seats":` + n + `}}`
	}
	writeEvidence(t, "lab.db", snapshottest.Bytes(t,
		put("/registry/namespaces/kube-system", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","uid":"cluster"}}`),
		put("/registry/lab.example.com/events/shop/e", event("10")),
		put("/registry/lab.example.com/events/shop/e", event("20"))))
	_, out, _ := revenant(t, "extract", "lab.db", "-n", "shop")
	wants(t, out, "kind: Event", "seats: 20")
	_, out, _ = revenant(t, "timeline", "lab.db", "-o", "jsonl")
	wants(t, out, "seats")
}
