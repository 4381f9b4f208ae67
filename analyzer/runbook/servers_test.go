package runbook

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
)

// TestServers holds that the kubelets of servers count as restarted, that no step restarts
// them, and that no pod on them is taken for one that waits.
func TestServers(t *testing.T) {
	tests := []struct {
		name     string
		platform Platform
		service  string // that the snapshot tells of node-1
		members  []string
		plan     *restore.Plan
		servers  []string
		stated   string // --restart-kubelets of the plan
	}{
		{name: "by its Node object", platform: K3s, service: "k3s", servers: []string{"node-1"}, stated: "none"},
		{name: "by k3s' name of a member", platform: K3s, members: []string{"node-1-0a1b2c3d"}, servers: []string{"node-1"}, stated: "node-1"},
		{name: "by a member of k0s", platform: K0s, members: []string{"node-1"}, servers: []string{"node-1"}, stated: "node-1"},
		{name: "k0s adds nothing to a name", platform: K0s, members: []string{"node-1-0a1b2c3d"}, stated: "none"},
		{name: "elsewhere a member is no server", platform: Kubeadm, members: []string{"node-1"}, stated: "none"},
		{name: "under a plan of another kubelet", platform: RKE2, members: []string{"node-1"}, plan: &restore.Plan{RestartKubelets: restore.Restart{Nodes: []string{"node-3"}}}, servers: []string{"node-1"}, stated: "node-1,node-3"},
		{name: "all", platform: RKE2, members: []string{"node-1"}, plan: &restore.Plan{RestartKubelets: restore.Restart{All: true}}, servers: []string{"node-1"}, stated: "all"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was, now := twin("db-0", "node-1", "node-3")
			in := input([]*restore.Pod{was}, []*restore.Pod{now}, nodes("node-1", "node-3"), nodes("node-1", "node-3"))
			in.Current.State.Nodes[0].Service = tt.service
			in.Comparison = restore.Compare(in.Backup.State, in.Current.State)
			in.Platform, in.Plan = tt.platform, tt.plan
			for _, name := range tt.members {
				in.Current.Facts.Members = append(in.Current.Facts.Members, snapshot.Member{Name: name})
			}
			r := build(t, in)
			if got := r.Plan.RestartKubelets.String(); got != tt.stated {
				t.Errorf("the plan restarts %s, want %s", got, tt.stated)
			}
			var restarted []string
			started := step(t, r, "start-etcd")
			for _, node := range []string{"node-1", "node-3"} {
				if slices.ContainsFunc(started.Warnings, func(s string) bool {
					return strings.Contains(s, "The kubelets of the servers ("+node+")")
				}) {
					restarted = append(restarted, node)
				}
			}
			if diff := cmp.Diff(tt.servers, restarted); diff != "" {
				t.Errorf("servers (-want +got)\n%s", diff)
			}
			twice := slices.ContainsFunc(started.Warnings, func(s string) bool { return strings.HasPrefix(s, "db/db-0 runs twice until") })
			if twice != (len(tt.servers) > 0) {
				t.Errorf("warnings %q", started.Warnings)
			}
			each(r, func(s *Step, c *Command) {
				if c.Host == nodeHost("node-1") && len(tt.servers) > 0 {
					t.Errorf("step %s: a command on a server's kubelet: %s", s.ID, c.Run)
				}
			})
		})
	}
}
