package restore

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/decoder/document"
)

// Plan says how the restore is to be done. The zero value is a plain restore
// with all API servers restarted and no kubelet restarted.
type Plan struct {
	// BumpRevision is the number of revisions added to the backup's newest one,
	// as etcdutl's --bump-revision; 0 is none.
	BumpRevision int64 `json:"bumpRevision"`
	// MarkCompacted is etcdutl's --mark-compacted.
	MarkCompacted bool `json:"markCompacted"`
	// RestartKubelets says which kubelets are restarted once the API is back.
	RestartKubelets Restart `json:"restartKubelets"`
	// KeepAPIServers leaves the API servers running while etcd is restored
	// beneath them.
	KeepAPIServers bool `json:"keepAPIServers"`

	// OutageAt is when the last API server stopped, UTC; zero when it is not
	// known. With the rate of writes it bounds what watchers have seen.
	OutageAt time.Time `json:"outageAt,omitzero"`
	// LastRevision is the newest revision that a watcher has seen, from evidence
	// beyond the snapshots (metrics, logs); 0 when it is not known. It counts
	// before OutageAt.
	LastRevision int64 `json:"lastRevision,omitempty"`
	// KubernetesVersion is the version of the API servers, and of the kubelets whose
	// nodes do not tell theirs; "" takes them from the current state.
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`
}

// Stated is a plain restore with what p states beyond the snapshots.
func (p Plan) Stated() Plan {
	return Plan{OutageAt: p.OutageAt, LastRevision: p.LastRevision, KubernetesVersion: p.KubernetesVersion}
}

// Restart names the kubelets that are restarted. The zero value is none.
type Restart struct {
	All   bool
	Nodes []string
}

// ParseRestart reads "all", "none" or "", or node names with commas between them.
func ParseRestart(s string) Restart {
	switch s {
	case "", "none":
		return Restart{}
	case "all":
		return Restart{All: true}
	}
	var r Restart
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			r.Nodes = append(r.Nodes, name)
		}
	}
	return r.normal()
}

// normal is the one way to write r: names sorted, each once.
func (r Restart) normal() Restart {
	if r.All || len(r.Nodes) == 0 {
		return Restart{All: r.All}
	}
	nodes := slices.Clone(r.Nodes)
	slices.Sort(nodes)
	return Restart{Nodes: slices.Compact(nodes)}
}

func (r Restart) String() string {
	switch {
	case r.All:
		return "all"
	case len(r.Nodes) == 0:
		return "none"
	}
	return strings.Join(r.Nodes, ",")
}

// Includes says whether the kubelet of node is restarted.
func (r Restart) Includes(node string) bool { return r.All || slices.Contains(r.Nodes, node) }

// MarshalJSON writes "all", "none" or the list of nodes.
func (r Restart) MarshalJSON() ([]byte, error) {
	if r.All || len(r.Nodes) == 0 {
		return json.Marshal(r.String())
	}
	return json.Marshal(r.Nodes)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Restart) UnmarshalJSON(data []byte) error {
	var nodes []string
	if err := json.Unmarshal(data, &nodes); err == nil {
		*r = Restart{Nodes: nodes}.normal()
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil || s != "all" && s != "none" {
		return fmt.Errorf(`restartKubelets: want "all", "none" or a list of nodes, not %s`, data)
	}
	*r = ParseRestart(s)
	return nil
}

// PlanError refuses a plan.
type PlanError struct {
	What string // what is wrong with it, in etcdutl's words where it refuses it too
	Why  string // and why that matters
}

func (e *PlanError) Error() string { return e.What }

// Hint says why the plan is refused, and what to do instead.
func (e *PlanError) Hint() string { return e.Why }

// Validate refuses, with a *PlanError, what no restore can do whatever the
// snapshots are.
func (p Plan) Validate() error {
	switch {
	case p.BumpRevision < 0:
		return &PlanError{
			fmt.Sprintf("invalid bump revision %d: it is negative", p.BumpRevision),
			"a revision that goes back is what makes kubelets deaf; etcdutl takes 0 or more",
		}
	case p.LastRevision < 0:
		return &PlanError{
			fmt.Sprintf("invalid last revision %d: it is negative", p.LastRevision),
			"state the newest revision that etcd served before the outage",
		}
	case p.KubernetesVersion != "" && parseVersion(p.KubernetesVersion) == nil:
		return &PlanError{
			fmt.Sprintf("invalid version of Kubernetes: %.40q", p.KubernetesVersion),
			"state that of the API servers that will serve the restored store, such as 1.33 or v1.33.4",
		}
	case !p.OutageAt.IsZero() && document.Time{Time: p.OutageAt}.Text() != "":
		return &PlanError{
			"invalid time of the outage: its year is not one of 0 to 9999",
			"the outage is when the last API server stopped",
		}
	case p.BumpRevision > 0 && !p.MarkCompacted:
		// etcdutl v3.7.3 snapshot_command.go SnapshotRestoreCommandFunc has one
		// message for both, exit code 128; as a library it ignores such a bump.
		return &PlanError{
			"--mark-compacted required if --revision-bump > 0",
			"without it the bump would be ignored or half work: API servers that were left running would keep what they have in their cache; give both flags or neither",
		}
	case p.BumpRevision == 0 && p.MarkCompacted:
		return &PlanError{
			"--mark-compacted required if --revision-bump > 0",
			"and disallowed otherwise: without a bump there is no revision to compact to that a watcher has not passed; give both flags or neither",
		}
	}
	return nil
}
