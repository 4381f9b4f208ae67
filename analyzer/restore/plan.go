package restore

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
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
	// beneath them: all of them, or all but RestartAPIServers.
	KeepAPIServers bool `json:"keepAPIServers"`
	// RestartAPIServers names the API servers that are restarted where others are left
	// running; none without KeepAPIServers.
	RestartAPIServers []string `json:"restartAPIServers,omitempty"`
	// KubeletAPIServers says by node which API server its kubelet reaches, where it
	// reaches no other: it has its address, and not a balancer's. Where API servers
	// differ, any other kubelet may be connected to any of them.
	KubeletAPIServers map[string]string `json:"kubeletAPIServers,omitempty"`

	// Onto says onto which machines the backup is restored; "" is those of its cluster.
	Onto Onto `json:"onto,omitempty"`

	// OutageAt is when the last API server stopped, UTC; zero when it is not
	// known. With the rate of writes it bounds what watchers have seen.
	OutageAt time.Time `json:"outageAt,omitzero"`
	// Outage bounds for how long kubelets find no API server; zero when nothing does.
	// A kubelet that was refused for long waits long before it relists its pods.
	Outage Seconds `json:"outageSeconds,omitzero"`
	// LastRevision is the newest revision that a watcher has seen, from evidence
	// beyond the snapshots (metrics, logs); 0 when it is not known. It counts
	// before OutageAt.
	LastRevision int64 `json:"lastRevision,omitempty"`
	// KubernetesVersion is the version of the API servers, and of the kubelets whose
	// nodes do not show theirs; "" takes them from the current state.
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`
}

// Stated is a plain restore with what p states beyond the snapshots.
func (p Plan) Stated() Plan {
	return Plan{OutageAt: p.OutageAt, Outage: p.Outage, LastRevision: p.LastRevision, KubernetesVersion: p.KubernetesVersion, KubeletAPIServers: p.KubeletAPIServers}
}

// normal is the one way to write p: names sorted, each once, and none where all API
// servers are restarted.
func (p Plan) normal() Plan {
	p.RestartKubelets = p.RestartKubelets.normal()
	p.RestartAPIServers = Restart{Nodes: p.RestartAPIServers}.normal().Nodes
	return p
}

// APIServers says which API servers are restarted: "all", "none" or names.
func (p Plan) APIServers() string {
	switch {
	case !p.KeepAPIServers:
		return "all"
	case len(p.RestartAPIServers) == 0:
		return "none"
	}
	return strings.Join(p.RestartAPIServers, ",")
}

// someKept says whether some API servers are restarted and others left running.
func (p Plan) someKept() bool { return p.KeepAPIServers && len(p.RestartAPIServers) > 0 }

// ParseKubelets reads NODE=APISERVER, with commas between several.
func ParseKubelets(s string) (map[string]string, error) {
	reaches := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		node, server, _ := strings.Cut(strings.TrimSpace(part), "=")
		if node == "" || server == "" {
			return nil, fmt.Errorf("want NODE=APISERVER, not %.40q", part)
		}
		if other := reaches[node]; other != "" && other != server {
			return nil, fmt.Errorf("the kubelet of %.40q reaches two API servers, %.40q and %.40q", node, other, server)
		}
		reaches[node] = server
	}
	return reaches, nil
}

// Kubelets writes what ParseKubelets reads, nodes by their names; "" for none.
func (p Plan) Kubelets() string {
	var list []string
	for _, node := range slices.Sorted(maps.Keys(p.KubeletAPIServers)) {
		list = append(list, node+"="+p.KubeletAPIServers[node])
	}
	return strings.Join(list, ",")
}

// SetAPIServers restarts "all" API servers, "none", or those with the names, with commas
// between them.
func (p *Plan) SetAPIServers(s string) {
	r := ParseRestart(s)
	p.KeepAPIServers, p.RestartAPIServers = !r.All, r.Nodes
}

// Seconds is a length of time that lies between two, both included, in seconds.
type Seconds struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// ParseSeconds reads a number of seconds, or two with ".." between them. Each may be a
// duration such as 2m30s. The longest is 1 s at least: 0 in all is what nothing bounds.
func ParseSeconds(s string) (Seconds, error) {
	from, to, ok := strings.Cut(s, "..")
	if !ok {
		to = from
	}
	var span Seconds
	for _, end := range []struct {
		text string
		to   *int64
	}{{from, &span.From}, {to, &span.To}} {
		n, err := strconv.ParseInt(end.text, 10, 64)
		if err != nil {
			d, err := time.ParseDuration(end.text)
			if err != nil {
				return Seconds{}, fmt.Errorf("want seconds, or two with .. between them, not %.40q", s)
			}
			n = int64(math.Ceil(d.Seconds()))
		}
		*end.to = n
	}
	if span.From < 0 || span.To < span.From {
		return Seconds{}, fmt.Errorf("want seconds, the smaller number first, not %.40q", s)
	}
	span.To = max(span.To, 1) // none at all is as short as it can be said
	return span, nil
}

// String writes what ParseSeconds reads.
func (s Seconds) String() string {
	if s.From == s.To {
		return fmt.Sprint(s.From)
	}
	return fmt.Sprintf("%d..%d", s.From, s.To)
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
	What string // what is wrong with it
	Why  string // and why that matters
}

func (e *PlanError) Error() string { return e.What }

// Hint says why the plan is refused, and what to do instead.
func (e *PlanError) Hint() string { return e.Why }

// Validate refuses, with a *PlanError, what no restore can do whatever the
// snapshots are.
func (p Plan) Validate() error {
	if err := p.validateOnto(); err != nil {
		return err
	}
	switch {
	case p.BumpRevision < 0:
		return &PlanError{
			fmt.Sprintf("invalid bump revision %d: it is negative", p.BumpRevision),
			"a revision that goes back is what makes kubelets deaf; etcdutl takes 0 or more",
		}
	case len(p.RestartAPIServers) > 0 && !p.KeepAPIServers:
		return &PlanError{
			"API servers to restart are named, and none is left running",
			"name those that are restarted, or restart all of them",
		}
	case p.Outage.From < 0 || p.Outage.To < p.Outage.From:
		return &PlanError{
			fmt.Sprintf("invalid length of the outage: %s seconds", p.Outage),
			"state for how long kubelets find no API server, the smaller number first",
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
	case document.Time{Time: p.OutageAt}.Text() != "":
		return &PlanError{
			"invalid time of the outage: its year is not one of 0 to 9999",
			"the outage is when the last API server stopped",
		}
	case p.BumpRevision > 0 && !p.MarkCompacted:
		// etcdutl v3.7.3 snapshot_command.go SnapshotRestoreCommandFunc refuses both,
		// exit code 128; as a library it ignores such a bump.
		return &PlanError{
			"--bump-revision needs --mark-compacted",
			"without it the bump would be ignored or half work: API servers that were left running would keep what they have in their cache; give both flags or neither",
		}
	case p.BumpRevision == 0 && p.MarkCompacted:
		return &PlanError{
			"--mark-compacted needs --bump-revision",
			"without a bump there is no revision to compact to that a watcher has not passed; give both flags or neither",
		}
	}
	return nil
}
