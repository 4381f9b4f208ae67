package runbook

import (
	"fmt"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestFencing: where the platform's script does not bump, the file that it is given has
// the bump in it, and nothing is restarted that need not be.
func TestFencing(t *testing.T) {
	for what, plan := range plans {
		was, now := twin("db-0", "node-1", "node-3")
		in := input([]*restore.Pod{was}, []*restore.Pod{now}, nodes("node-1"), nodes("node-1", "node-3"))
		in.Platform, in.Plan, in.Backup.Facts.Topology = OpenShift, plan, fencedTopology
		in.Backup.Facts.Members = []snapshot.Member{
			{Name: "cp-1", PeerURLs: []string{"https://10.0.0.1:2380"}, ClientURLs: []string{"https://10.0.0.1:2379"}},
			{Name: "cp-2", PeerURLs: []string{"https://10.0.0.2:2380"}, ClientURLs: []string{"https://10.0.0.2:2379"}},
		}
		r := build(t, in)
		lintPrograms(t, what, &in, r)
		lintMoves(t, what, r)
		lintOrder(t, what, r)
		lintThreshold(t, what, r)
		lintEvidence(t, what, &in, r)
		lintSteps(t, what, r)
		bumps, restores, disables := false, false, false
		each(r, func(s *Step, c *Command) {
			bumps = bumps || strings.Contains(c.Run, fmt.Sprintf("--bump-revision=%d", r.Plan.BumpRevision))
			restores = restores || strings.Contains(c.Run, `cluster-restore.sh "$PWD"/revenant-restore`) && strings.Contains(strings.Join(c.Reads, " "), "snapshot_revenant.db")
			disables = disables || strings.Contains(c.Run, "disable-etcd.sh") || strings.Contains(c.Run, "static_kuberesources")
		})
		if !restores || disables || bumps != (r.Plan.BumpRevision > 0) || r.Platform.Bumps != BumpsSnapshot {
			t.Errorf("%s: restores %v, disables %v, bumps %v by %s", what, restores, disables, bumps, r.Platform.Bumps)
		}
		if p := r.Summary.PointOfNoReturn; p == nil || p.Step != "restore" {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

// TestTopology: it is in the cluster's Infrastructure, and where nothing shows it the
// runbook says so.
func TestTopology(t *testing.T) {
	const key = "/kubernetes.io/config.openshift.io/infrastructures/cluster"
	stored := func(topology string) string {
		return fmt.Sprintf(`{"apiVersion":"config.openshift.io/v1","kind":"Infrastructure","metadata":{"name":"cluster"},"status":{"controlPlaneTopology":%q}}`, topology)
	}
	for value, want := range map[string]string{stored("DualReplica"): "DualReplica", stored("HighlyAvailable"): "HighlyAvailable", stored(""): "", "{": "", "k8s:enc:aescbc:v1:k:x": ""} {
		s := snapshottest.Store(t, snapshottest.Put(key, value))
		for _, prefix := range []string{"/kubernetes.io", "/kubernetes.io,/openshift.io"} {
			f, err := Look(t.Context(), s, prefix)
			if err != nil || f.Topology != want {
				t.Errorf("%s below %s: %q, %v", value, prefix, f.Topology, err)
			}
		}
	}
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	in.Platform = OpenShift
	for topology, warned := range map[string]bool{"": true, "HighlyAvailable": false, fencedTopology: false} {
		in.Backup.Facts.Topology = topology
		if got := strings.Contains(strings.Join(build(t, in).Warnings, " "), "Whether cluster-restore.sh bumps is not known"); got != warned {
			t.Errorf("%q: warned %v", topology, got)
		}
	}
}
