package rollback_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/rollback"
	"revenant/decoder/keyspace"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// keyFindings are the findings in short.
func keyFindings(r *rollback.Rollback) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, fmt.Sprintf("%s %s: %s", f.ID, f.Kind, f.Reason))
	}
	return list
}

// TestOtherKeys compares keys that hold no API object: whose they are, what is
// different, and what follows.
func TestOtherKeys(t *testing.T) {
	put, remove := snapshottest.Put, snapshottest.Delete
	const block = "/calico/ipam/v2/assignment/ipv4/block/10.1.0.0-26"
	tests := []struct {
		name          string
		before, after []change
		want          []string
	}{
		{"addresses given out since", []change{put(block, `{"allocations":[0,1,null,null,null]}`)}, []change{put(block, `{"allocations":[null,1,2,3,null]}`)},
			[]string{"ipam-rolled-back Calico's datastore: IPAM blocks: 1 rolled back; 2 addresses were given out since the backup, and count as free again; 1 address was given back since, and counts as taken again"}},
		{"a block since the backup", nil, []change{put(block, `{"allocations":[0]}`)},
			[]string{"ipam-rolled-back Calico's datastore: IPAM blocks: 1 lost; 1 address was given out since the backup, and counts as free again"}},
		{"the largest block that is read", nil, []change{put(block, `{"allocations":[0]}`+strings.Repeat(" ", 1<<20-19))},
			[]string{"ipam-rolled-back Calico's datastore: IPAM blocks: 1 lost; 1 address was given out since the backup, and counts as free again"}},
		{"a larger block", nil, []change{put(block, `{"allocations":[0]}`+strings.Repeat(" ", 1<<20-18))},
			[]string{"ipam-rolled-back Calico's datastore: IPAM blocks: 1 lost"}},
		{"a block that is none", []change{put(block, `{"allocations":7`)}, []change{put(block, "x")},
			[]string{"ipam-rolled-back Calico's datastore: IPAM blocks: 1 rolled back"}},
		{"written and the same", []change{put(block, `{"allocations":[0]}`)}, []change{put(block, `{"allocations":[0]}`)}, nil},
		{"Calico's resources", []change{put("/calico/resources/v3/projectcalico.org/bgppeers/a", "1")}, []change{
			put("/calico/resources/v3/projectcalico.org/bgppeers/a", "2"), put("/calico/resources/v3/projectcalico.org/hostendpoints/n1", "{}"),
		}, []string{"other-keys-rolled-back Calico's datastore: BGP peers: 1 rolled back; host endpoints: 1 lost"}},
		{"Cilium's identities", []change{put("cilium/state/identities/v1/id/1", "a")}, []change{remove("cilium/state/identities/v1/id/1"), put("cilium/state/identities/v1/id/2", "b")},
			[]string{"other-keys-rolled-back Cilium's kvstore: identities: 1 lost, 1 resurrected"}},
		{"flannel's subnets", nil, []change{put("/coreos.com/network/subnets/10.1.0.0-24", "{}")}, []string{"ipam-rolled-back flannel: subnets of nodes: 1 lost"}},
		{"another token", []change{put("/bootstrap/4489e5a9bd37", "4489e5a9bd37:x")}, []change{put("/bootstrap/aaaaaaaaaaaa", "aaaaaaaaaaaa:y"), remove("/bootstrap/4489e5a9bd37")},
			[]string{
				"bootstrap-token-changed bootstrap data of k3s or RKE2: in the backup they are " + keyspace.TokenText("4489e5a9bd37") + "; in the current state with that of aaaaaaaaaaaa",
				"other-keys-rolled-back bootstrap data of k3s or RKE2: 1 lost, 1 resurrected",
			}},
		{"the same token, other certificates", []change{put("/bootstrap/4489e5a9bd37", "4489e5a9bd37:x")}, []change{put("/bootstrap/4489e5a9bd37", "4489e5a9bd37:y")},
			[]string{"other-keys-rolled-back bootstrap data of k3s or RKE2: 1 rolled back"}},
		{"a token, and a key that has none", []change{put("/bootstrap/other/a", "x")}, []change{put("/bootstrap/aaaaaaaaaaaa", "aaaaaaaaaaaa:y")},
			[]string{"other-keys-rolled-back bootstrap data of k3s or RKE2: 1 lost"}},
		{"RKE2's own", []change{put("rke2/apiaddresses", `["10.0.0.1:6443"]`)}, []change{put("rke2/apiaddresses", `["10.0.0.2:6443"]`)},
			[]string{"other-keys-rolled-back RKE2: addresses of its API servers: 1 rolled back"}},
		{"an owner that is not known", nil, []change{put("/app/x", "1"), put("/app/y", "1")}, []string{"other-keys-rolled-back keys of /app: 2 lost"}},
		{"another API server's", nil, []change{put("/kubernetes.io/pods/a/b", "1")}, []string{"other-keys-rolled-back keys of /kubernetes.io: 1 lost"}},
		{"what API servers write all the time", []change{put("compact_rev_key", "1"), put("/registry/masterleases/10.0.0.1", "1")},
			[]change{put("compact_rev_key", "2"), put("/registry/masterleases/10.0.0.1", "2")}, nil},
		{"an aggregated API server's objects", nil, []change{put("/registry/wardle.example.com/flunders/a/b", "{}")},
			[]string{"custom-resources-rolled-back *.wardle.example.com: flunders: 1 lost"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := pair(t, append([]change{put("/registry/namespaces/a", "?")}, tt.before...), tt.after)
			r := compare(t, backup, current)
			if d := cmp.Diff(tt.want, keyFindings(r)); d != "" {
				t.Error(d)
			}
			backwards(t, tt.before, tt.after)
			checkCounted(t, backup, current, r)
		})
	}
}

// checkCounted holds that every key of the two snapshots is counted once.
func checkCounted(t *testing.T, backup, current *snapshot.Snapshot, r *rollback.Rollback) {
	t.Helper()
	keys := map[string]bool{}
	for _, s := range []*snapshot.Snapshot{backup, current} {
		for record := range s.Keys("") {
			keys[record.Key] = true
		}
	}
	n := 0
	for _, k := range r.Kinds {
		n += k.Lost + k.Resurrected + k.Replaced + k.RolledBack + k.Heartbeats + k.Unchanged
	}
	if n != len(keys) {
		t.Errorf("%d keys are counted of %d", n, len(keys))
	}
}

// TestOpenShift compares below both prefixes of OpenShift.
func TestOpenShift(t *testing.T) {
	put := snapshottest.Put
	backup, current := pair(t,
		[]change{put("/kubernetes.io/namespaces/a", "?"), put("/openshift.io/images/sha256:1", `{"kind":"Image","apiVersion":"image.openshift.io/v1"}`)},
		[]change{put("/openshift.io/routes/a/b", `{"kind":"Route","apiVersion":"route.openshift.io/v1"}`), put("/openshift.io/unknown/a", "x")})
	r, err := rollback.Compare(t.Context(), backup, current, rollback.Options{Prefix: "/kubernetes.io,/openshift.io"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Summary[rollback.CustomResourcesBack] > 0 {
		t.Errorf("what OpenShift's API servers store is said to be of a definition: %+v", r.Findings)
	}
	var got []string
	for _, k := range r.Kinds {
		got = append(got, fmt.Sprintf("%s %d/%d", k.Resource, k.Lost, k.Unchanged))
	}
	want := []string{"images.image.openshift.io 0/1", "keys that hold no object 1/0", "namespaces 0/1", "routes.route.openshift.io 1/0"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	checkCounted(t, backup, current, r)
}

// TestManyOwners holds that what hostile keys make is bounded.
func TestManyOwners(t *testing.T) {
	var after []change
	for i := range 2000 {
		after = append(after, snapshottest.Put(fmt.Sprintf("owner-%d/x", i), "x"), snapshottest.Put(fmt.Sprintf("/calico/resources/v3/projectcalico.org/r%d/x", i), "x"))
	}
	after = append(after, snapshottest.Put("/calico/ipam/v2/assignment/ipv4/block/x", `{"allocations":[`+strings.Repeat("0,", 1<<19)+`0]}`))
	backup, current := pair(t, []change{snapshottest.Put("/registry/namespaces/a", "?")}, after)
	r := compare(t, backup, current)
	if len(r.Kinds) > 80 || len(r.Findings) > 80 {
		t.Errorf("%d kinds, %d findings", len(r.Kinds), len(r.Findings))
	}
	checkCounted(t, backup, current, r)
}
