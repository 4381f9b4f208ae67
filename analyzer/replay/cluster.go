package replay

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Cluster is what does not change in the course of a play.
type Cluster struct {
	Nodes   []Node // sorted by name
	Servers []string
	Bumps   []int64 // those that Actions offers for a restore

	// StartupWrites is how many revisions an API server writes before it lists pods, and
	// WaitWrites how many one Wait lets the cluster write.
	StartupWrites, WaitWrites int64
	// MostChanges is how many pods Actions lets be created; Deletes says that it offers the
	// deletion of the snapshots' pods, Errors that kubelets may meet HTTP errors, and Closes
	// that watches may end by themselves.
	MostChanges             int
	Deletes, Errors, Closes bool

	comparison      *restore.Comparison
	stated          restore.Plan // what is known beyond the snapshots
	backup, current revisions
	pods            []restore.Paired
	atNode          map[string]int
	played          map[string]*restore.Prediction
}

type revisions struct{ revision, newest, compacted int64 }

// Node is a node of either snapshot.
type Node struct {
	Name    string
	Gone    bool   // its machine is gone: there is no kubelet
	Service string // that its kubelet is part of, together with an API server; "" for none
	Server  int    // index of the only API server that its kubelet reaches, -1 for any
}

// mostNodes bounds a play: it keeps every moment, in which it has every kubelet.
const mostNodes = 1000

// Seen says what watchers have seen before the outage, where evidence only bounds it.
type Seen int

// What watchers have seen.
const (
	SeenLeast    Seen = iota // what the snapshots show them to have seen
	SeenExpected             // as far as rates go
	SeenMost                 // the most that is possible
)

// New is the cluster of a comparison and how it was before the outage: all is up, and
// watchers have seen as much as seen says. From plan it takes what is known beyond the
// snapshots, and which API server a kubelet reaches; the errors are those of Predict.
func New(comparison *restore.Comparison, plan restore.Plan, seen Seen) (*Cluster, State, error) {
	known, err := comparison.Predict(plan.Stated())
	if err != nil {
		return nil, State{}, err
	}
	was, now := comparison.States()
	c := &Cluster{
		comparison: comparison, stated: plan.Stated(),
		backup:  revisions{was.Revision, was.NewestRecord, was.CompactRevision},
		current: revisions{now.Revision, now.NewestRecord, now.CompactRevision},
		pods:    comparison.Paired(), atNode: map[string]int{}, played: map[string]*restore.Prediction{},
		StartupWrites: 1, WaitWrites: 10, MostChanges: 8,
		Servers: serversOf(comparison, plan),
	}
	c.Bumps = slices.Compact([]int64{0, known.Revisions.Gap, known.Revisions.MinimumSafeBump, known.Revisions.RecommendedBump})
	switch {
	case len(known.Nodes) > mostNodes:
		return nil, State{}, fmt.Errorf("it has %s nodes, and at most %s are played: every moment of a play is kept whole", words.Number(len(known.Nodes)), words.Number(mostNodes))
	case len(c.Servers) > math.MaxInt8:
		return nil, State{}, fmt.Errorf("it has %d API servers, and at most %d are played", len(c.Servers), math.MaxInt8)
	}
	s := State{Etcd: Etcd{Up: true, Base: Before, Revision: now.Revision, Compacted: now.CompactRevision}}
	served := seenOf(seen, restore.LastSeen{AtLeast: now.NewestPodChange, Expected: known.Revisions.LastSeenExpected, AtMost: known.Revisions.LastSeenAtMost})
	for i := range c.Servers {
		s.Servers = append(s.Servers, Server{Up: true, Seen: served})
		_ = i
	}
	for i := range known.Nodes {
		n := &known.Nodes[i]
		c.atNode[n.Name] = i
		node := Node{Name: n.Name, Gone: n.Kubelet == restore.KubeletGone, Service: n.Service, Server: slices.Index(c.Servers, plan.KubeletAPIServers[n.Name])}
		c.Nodes = append(c.Nodes, node)
		k := Kubelet{Up: !node.Gone, Watch: -1, Seen: seenOf(seen, n.LastSeen)}
		if k.Up {
			k.Watch = int8(max(node.Server, 0))
			s.Servers[k.Watch].Seen = max(s.Servers[k.Watch].Seen, k.Seen)
		}
		s.Kubelets = append(s.Kubelets, k)
	}
	s.Controllers = Controllers{Up: true, Seen: s.Servers[0].Seen}
	for i := range s.Servers {
		s.Etcd.Revision = max(s.Etcd.Revision, s.Servers[i].Seen)
	}
	return c, s, nil
}

// serversOf are the names of the API servers, as far as the current state or the plan
// has them.
func serversOf(c *restore.Comparison, plan restore.Plan) []string {
	names := c.APIServerNames()
	switch {
	case len(names) > 0:
		return names
	case plan.KeepAPIServers && len(plan.RestartAPIServers) > 0:
		return append(slices.Clone(plan.RestartAPIServers), "(the others)")
	}
	return []string{"kube-apiserver"}
}

func seenOf(seen Seen, bounds restore.LastSeen) int64 {
	switch seen {
	case SeenLeast:
		return bounds.AtLeast
	case SeenExpected:
		return min(max(bounds.Expected, bounds.AtLeast), bounds.AtMost)
	}
	return bounds.AtMost
}

// reaches says whether the node's kubelet may connect to the API server.
func (c *Cluster) reaches(node, server int) bool {
	only := c.Nodes[node].Server
	return only < 0 || only == server
}

// name is namespace and name of a pod of the snapshots.
func (c *Cluster) name(pod int) string { return c.pods[pod].Namespace + "/" + c.pods[pod].Name }

// stored says whether etcd has the pod of the snapshots.
func (c *Cluster) stored(s *State, pod int) bool {
	p := c.of(s.Etcd.Base, pod)
	return p != nil && !s.removed(s.Etcd.Holds, pod)
}

// of is the pod as that snapshot has it, nil where it does not.
func (c *Cluster) of(base Base, pod int) *restore.Pod {
	if base == Backup {
		return c.pods[pod].Backup
	}
	return c.pods[pod].Current
}

// nodeOf is the node that etcd has the pod bound to, -1 for none.
func (c *Cluster) nodeOf(s *State, pod int) int {
	p := c.of(s.Etcd.Base, pod)
	if p == nil {
		return -1
	}
	return c.node(p.NodeName)
}

// node is the index of the node of that name, -1 for none.
func (c *Cluster) node(name string) int {
	if i, ok := c.atNode[name]; ok {
		return i
	}
	return -1
}

// removed says whether the set holds the deletion of a pod of the snapshots.
func (s *State) removed(set Set, pod int) bool {
	for i := range s.Changes {
		if s.Changes[i].Delete && int(s.Changes[i].Pair) == pod && set.Has(i) {
			return true
		}
	}
	return false
}

// sum is a + b, or the largest revision there is.
func sum(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Prediction is what the decision table makes of the pods of both snapshots in a state:
// etcd holds the backup. It may be shared, and must not be changed.
func (c *Cluster) Prediction(s *State) (*restore.Prediction, error) {
	p := restore.Played{Plan: c.stated, Kubelets: map[string]restore.Kubelet{}}
	var key strings.Builder
	for i := range s.Servers {
		v := &s.Servers[i]
		if !v.Up || !v.Kept {
			continue
		}
		p.Plan.KeepAPIServers = true
		p.Erased = p.Erased || v.Base == Before
	}
	// Where a kubelet has listed the restored store, it was from an API server that may be
	// down by now: those that are left do not make all that is served the erased past.
	listed := slices.ContainsFunc(s.Kubelets, func(k Kubelet) bool { return k.Did != Kept })
	for i := range s.Servers {
		v := &s.Servers[i]
		restored := p.Erased && !(v.Up && v.Kept && v.Base == Before) && (v.Up || listed)
		if restored {
			p.Plan.RestartAPIServers = append(p.Plan.RestartAPIServers, c.Servers[i])
		}
		fmt.Fprint(&key, restored, v.Up && v.Kept)
	}
	fmt.Fprint(&key, p.Erased)
	for i := range s.Kubelets {
		p.Kubelets[c.Nodes[i].Name] = s.Kubelets[i].Did.kubelet()
		key.WriteByte('0' + byte(s.Kubelets[i].Did))
	}
	if known := c.played[key.String()]; known != nil {
		return known, nil
	}
	prediction, err := c.comparison.Played(p)
	if err == nil {
		c.played[key.String()] = prediction
	}
	return prediction, err
}

// Revisions are the newest of the backup, which a bump is added to, and of the current
// state.
func (c *Cluster) Revisions() (backup, current int64) { return c.backup.newest, c.current.revision }
