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
		in.Platform, in.Plan, in.Backup.Facts.Fenced = OpenShift, plan, true
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

// TestFencedFacts: the topology is in the cluster's Infrastructure.
func TestFencedFacts(t *testing.T) {
	for topology, want := range map[string]bool{"DualReplica": true, "HighlyAvailable": false, "": false} {
		value := fmt.Sprintf(`{"apiVersion":"config.openshift.io/v1","kind":"Infrastructure","metadata":{"name":"cluster"},"status":{"controlPlaneTopology":%q}}`, topology)
		s := snapshottest.Store(t, snapshottest.Put("/kubernetes.io/config.openshift.io/infrastructures/cluster", value))
		f, err := Look(t.Context(), s, "/kubernetes.io")
		if err != nil || f.Fenced != want {
			t.Errorf("%s: %v, %v", topology, f.Fenced, err)
		}
	}
}
