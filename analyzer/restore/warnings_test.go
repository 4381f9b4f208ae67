package restore

import (
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/lineage"
)

// TestWarnings: each is given where it holds, and not where one condition of it does not.
func TestWarnings(t *testing.T) {
	kept := func(bump int64) Plan { return Plan{KeepAPIServers: true, BumpRevision: bump, MarkCompacted: bump > 0} }
	all := Plan{RestartKubelets: Restart{All: true}}
	some := func(names ...string) Plan { return Plan{RestartKubelets: Restart{Nodes: names}} }
	servers := func(names ...string) func(*Comparison) {
		return func(c *Comparison) {
			for _, name := range names {
				c.current.APIServers = append(c.current.APIServers, APIServer{Name: name})
			}
		}
	}
	tests := []struct {
		name     string
		was, now *Pod
		plan     Plan
		change   func(*Comparison)
		text     string
		want     bool
	}{
		{"a scheduler sees a pod move", was(unbound("n2")), now(), kept(1_000_000), nil, "A scheduler that was left running exits", true},
		{"a scheduler sees a namesake elsewhere", was(on("n2")), made(), kept(1_000_000), nil, "A scheduler that was left running exits", true},
		{"a namesake on the same node", was(), made(), kept(1_000_000), nil, "A scheduler that was left running exits", false},
		{"no pod moves", was(), now(), kept(1_000_000), nil, "A scheduler that was left running exits", false},
		{"a pod is gone", was(), nil, kept(1_000_000), nil, "A scheduler that was left running exits", false},
		{"a pod is new", nil, made(), kept(1_000_000), nil, "A scheduler that was left running exits", false},
		{"the scheduler starts", was(unbound("n2")), now(), bump(1_000_000), nil, "A scheduler that was left running exits", false},
		{"the scheduler sees the erased past", was(unbound("n2")), now(), kept(0), nil, "A scheduler that was left running exits", false},

		{"API servers serve the erased past", was(), now(), kept(0), nil, "list the erased past: until they restart", true},
		{"they drop their cache", was(), now(), kept(1_000_000), nil, "list the erased past: until they restart", false},
		{"they restart", was(), now(), Plan{}, nil, "list the erased past: until they restart", false},

		{"two API servers start", was(), now(), Plan{}, servers("a", "b"), "2 API servers are started", true},
		{"one starts", was(), now(), Plan{}, servers("a"), "API servers are started", false},
		{"none starts", was(), now(), kept(0), servers("a", "b"), "API servers are started", false},

		{"machines that are gone come back", was(), now(), Plan{}, nil, "machines are gone: n4.", true},
		{"one that is in neither snapshot does not", was(on("n6")), now(on("n6")), Plan{}, nil, "machines are gone: n4.", true},
		{"kubelets of gone machines are to restart", was(), now(), some("n1", "n4"), nil, "nodes that are gone in the current state: n4.", true},
		{"kubelets that live are to restart", was(), now(), some("n1"), nil, "nodes that are gone in the current state", false},
		{"no Node object for a kubelet", was(), now(), Plan{}, nil, "until their kubelets are restarted: n5.", true},
		{"which restarts", was(), now(), all, nil, "until their kubelets are restarted", false},
		{"which restarts alone", was(), now(), some("n5"), nil, "until their kubelets are restarted", false},

		{"which restarts with its server", was(), now(), Plan{}, func(c *Comparison) { c.nodes[c.nodeIndex("n5")].service = "k3s" }, "until their kubelets are restarted", false},
		{"which restarts with its server, and that runs on", was(), now(), kept(0), func(c *Comparison) { c.nodes[c.nodeIndex("n5")].service = "k3s" }, "until their kubelets are restarted: n5.", true},
		{"nothing can be said about a pod", was(unreadablePod), now(unreadablePod), Plan{}, nil, "1 pod cannot be predicted", true},
		{"all can", was(), now(), Plan{}, nil, "cannot be predicted", false},
		{"clusters were not compared", was(), now(), Plan{}, func(c *Comparison) { c.backup.ClusterUnknown = "no uid" }, "no uid in the backup.", true},
		{"of the current one", was(), now(), Plan{}, func(c *Comparison) { c.current.ClusterUnknown = "no uid" }, "no uid in the current snapshot.", true},

		{"stated below the current snapshot", was(), now(), Plan{LastRevision: currentAt - 1}, nil, "is below that of the current snapshot", true},
		{"stated at it", was(), now(), Plan{LastRevision: currentAt}, nil, "is below that of the current snapshot", false},

		{"of other clusters", was(), now(), Plan{}, related(lineage.Lineage{Relation: lineage.Unrelated}), "of different clusters", true},
		{"not compared, and something follows", was(), now(), Plan{}, related(lineage.Lineage{Relation: lineage.Unknown, Predictable: "Some."}), "could not be compared. Some.", true},
		{"not compared", was(), now(), Plan{}, related(lineage.Lineage{Relation: lineage.Unknown}), "could not be compared", false},
		{"something was erased unseen", was(), now(), Plan{}, related(lineage.Lineage{Relation: lineage.Ancestor, Unseen: "Erased."}), "Erased.", true},
		{"restored with that bump before", was(), now(), bump(500), related(bumped(lineage.Restore{Snapshot: "current", Bump: 500, Revision: 1500})), "restored before with a bump of 500, to revision 1500", true},
		{"restored with a bump of one before", was(), now(), bump(500), related(bumped(lineage.Restore{Snapshot: "current", Bump: 1, Revision: 1001})), "restored before with a bump of 1, to revision 1001", true},
		{"restored with another backup's bump before", was(), now(), bump(500), related(bumped(lineage.Restore{Snapshot: "current", Revision: 1500})), "The same bump would again", false},
		{"restored with that bump before, which is said once", was(), now(), bump(500), related(bumped(lineage.Restore{Snapshot: "current", Bump: 500, Revision: 1500})), "bumped the store to revision", false},
		{"restored without a bump before", was(), now(), bump(500), related(plainly(lineage.Restore{Snapshot: "current", Revision: 1500})), "bumped the store to revision", false},
		{"restored before the backup was saved", was(), now(), Plan{}, related(plainly(lineage.Restore{Snapshot: "backup"})), "restored without a bump before the backup was saved", true},
		{"restored after that", was(), now(), Plan{}, related(plainly(lineage.Restore{Snapshot: "current", AfterBackup: true})), "restored without a bump before the backup was saved", false},
		{"restored before that with a bump", was(), now(), Plan{}, related(bumped(lineage.Restore{Snapshot: "backup"})), "restored without a bump before the backup was saved", false},
		{"restored before that, and how far the store had come is stated", was(), now(), Plan{LastRevision: currentAt}, related(plainly(lineage.Restore{Snapshot: "backup"})), "restored without a bump before the backup was saved", false},
		{"the bump lands below an earlier one", was(), now(), bump(500), related(bumped(lineage.Restore{Snapshot: "current", Revision: 1500})), "bumped the store to revision 1500 already", true},
		{"the bump lands above it", was(), now(), bump(501), related(bumped(lineage.Restore{Snapshot: "current", Revision: 1500})), "bumped the store to revision", false},
		{"the smallest bump lands below it", was(), now(), bump(1), related(bumped(lineage.Restore{Snapshot: "current", Revision: 1500})), "bumped the store to revision 1500 already", true},
		{"no bump", was(), now(), Plan{}, related(bumped(lineage.Restore{Snapshot: "current", Revision: 1500})), "bumped the store to revision", false},
		{"the backup was bumped", was(), now(), bump(500), related(bumped(lineage.Restore{Snapshot: "backup", Revision: 1500})), "bumped the store to revision", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
			c := Compare(backup, current)
			if tt.change != nil {
				tt.change(c)
			}
			p, err := c.Predict(tt.plan)
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, tt.text) }); got != tt.want {
				t.Errorf("warned %t, want %t: %q", got, tt.want, p.Warnings)
			}
		})
	}
}

func related(l lineage.Lineage) func(*Comparison) { return func(c *Comparison) { c.Lineage = &l } }

// plainly is the history of a store that was restored without a bump.
func plainly(r lineage.Restore) lineage.Lineage {
	r.Sign, r.Certain = "raft index", true
	return lineage.Lineage{Relation: lineage.Ancestor, Restores: []lineage.Restore{r}}
}

// bumped is the history of a store that was restored with a bump.
func bumped(r lineage.Restore) lineage.Lineage {
	r.Sign, r.Certain = "bump marker", true
	return lineage.Lineage{Relation: lineage.Ancestor, Restores: []lineage.Restore{r}}
}
