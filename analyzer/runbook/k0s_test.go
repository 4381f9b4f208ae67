package runbook

import (
	"strings"
	"testing"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestLookK0s tells k0s by the definitions of its own resources.
func TestLookK0s(t *testing.T) {
	s := snapshottest.Store(t, snapshottest.Put("/registry/apiextensions.k8s.io/customresourcedefinitions/plans.autopilot.k0sproject.io", "{}"))
	f, err := Look(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	if f.Suggestion == nil || f.Suggestion.Platform != K0s {
		t.Errorf("suggests %v", f.Suggestion)
	}
}

// TestK0sMembers: each member is asked on its own machine, for no other reaches it.
func TestK0sMembers(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	in.Platform = K0s
	for _, name := range []string{"a", "b", "c"} {
		in.Backup.Facts.Members = append(in.Backup.Facts.Members, snapshot.Member{Name: name, PeerURLs: []string{"https://" + name + ":2380"}, ClientURLs: []string{"https://127.0.0.1:2379"}})
	}
	asked := map[Host]int{}
	for _, c := range step(t, build(t, in), "start-etcd").Commands {
		if c.WaitsFor != "" && strings.Contains(c.Run, "--endpoints=https://127.0.0.1:2379 ") {
			asked[c.Host]++
		}
	}
	if len(asked) != 3 || asked["etcd/member/a"] != 1 {
		t.Errorf("asked on %v", asked)
	}
}
