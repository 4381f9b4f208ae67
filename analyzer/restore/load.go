package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Load reads the state of a snapshot whose API server keeps its keys below
// prefix, its --etcd-prefix. Values that cannot be read end up as the reason why
// in the State; the only error is ctx's.
func Load(ctx context.Context, s *snapshot.Snapshot, prefix string) (*State, error) {
	return LoadBeside(ctx, s, prefix, nil)
}

// LoadBeside is Load for a state that is to be compared with another one, which other
// waits for and returns; it may be nil, and return nil. A pod of which both have the same
// record is the same *Pod in both.
func LoadBeside(ctx context.Context, s *snapshot.Snapshot, prefix string, other func() *State) (*State, error) {
	l := loader{ctx: ctx, s: s, prefix: prefix, other: other}
	l.state = &State{
		Revision:        s.Revision(),
		NewestRecord:    s.NewestRecord(),
		SeenRevision:    s.SeenRevision(),
		CompactRevision: s.CompactRevision(),
		CompactUnknown:  s.CompactUnknown(),
		LastSeen:        map[string]Sighting{},
		EtcdVersion:     cmp.Or(s.Meta().ClusterVersion, s.Meta().StorageVersion),
		EtcdMembers:     len(s.Meta().Members),
	}
	err := cmp.Or(l.cluster(), l.nodes())
	if err == nil {
		var work errgroup.Group
		for _, step := range []func() error{l.pods, l.apiServers, l.workloads, l.clock} {
			work.Go(step)
		}
		err = work.Wait()
	}
	if err != nil {
		return nil, fmt.Errorf("load state: %w", err)
	}
	// Reading values may have found that more is missing.
	if l.state.Missing, err = s.Missing(ctx); err != nil {
		return nil, fmt.Errorf("load state: %w", err)
	}
	return l.state, nil
}

type loader struct {
	ctx     context.Context
	s       *snapshot.Snapshot
	prefix  string
	state   *State
	scanned []kube.Node // what the scheduler may choose from
	other   func() *State
}

func (l *loader) under(resource, namespace string) string {
	return kube.Key{Resource: resource, Namespace: namespace}.Path(l.prefix)
}

// cluster reads the uid of the namespace kube-system.
func (l *loader) cluster() error {
	key := kube.Key{Resource: "namespaces", Name: "kube-system"}
	r, err := l.s.Get(key.Path(l.prefix), 0)
	if errors.Is(err, snapshot.ErrNotFound) {
		l.state.ClusterUnknown = "there is no namespace kube-system"
		return nil
	}
	var value []byte
	if err == nil {
		value, err = l.s.Value(r)
	}
	if err != nil {
		l.state.ClusterUnknown = fmt.Sprintf("the namespace kube-system cannot be read (%v)", err)
		return nil
	}
	o := kube.Decode(key, value)
	l.state.ClusterUID = o.UID
	if o.UID == "" {
		l.state.ClusterUnknown = fmt.Sprintf("the namespace kube-system has no uid (%v)", o.Problem)
	}
	return nil
}

// nodes reads the Node objects. One that cannot be read still counts: its
// key names it.
func (l *loader) nodes() error {
	prefix := l.under("nodes", "")
	for r := range l.s.Keys(prefix) {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		n := kube.Node{}
		err := l.s.Scan(r, func(value []byte) (err error) {
			n, err = kube.ScanNode(value)
			return err
		})
		if err != nil {
			n = kube.Node{}
		}
		n.Name = strings.TrimPrefix(r.Key, prefix)
		unreachable := slices.ContainsFunc(n.Taints, func(t corev1.Taint) bool {
			return t.Key == corev1.TaintNodeUnreachable && t.Effect == corev1.TaintEffectNoExecute
		})
		n.Taints = slices.DeleteFunc(n.Taints, passing)
		l.scanned = append(l.scanned, n)
		l.state.Nodes = append(l.state.Nodes, Node{Name: n.Name, UID: n.UID, KubeletVersion: n.KubeletVersion, Allocatable: n.Allocatable, Unreachable: unreachable, Cordoned: n.Unschedulable, Service: serviceOf(&n)})
	}
	return nil
}

// passing says whether a taint stands for a condition of the node, and so goes
// with it: it keeps no pod off for good (kubernetes v1.37
// pkg/controller/nodelifecycle/node_lifecycle_controller.go).
func passing(t corev1.Taint) bool {
	switch t.Key {
	case corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeMemoryPressure,
		corev1.TaintNodeDiskPressure, corev1.TaintNodePIDPressure, corev1.TaintNodeNetworkUnavailable,
		"node.cloudprovider.kubernetes.io/uninitialized":
		return true
	}
	return false
}

// pods reads the histories of pods, as many side by side as there are processors.
func (l *loader) pods() error {
	var others []*Pod
	if l.other != nil {
		if o := l.other(); o != nil {
			others = o.Pods
		}
	}
	parts := l.s.HistoriesOf(l.under("pods", ""), runtime.GOMAXPROCS(0))
	loaded := make([]podLoader, len(parts))
	var work errgroup.Group
	for i, part := range parts {
		p := &loaded[i]
		*p = podLoader{loader: l, seen: map[string]Sighting{}, choices: map[string][]string{}, names: names{}, others: others}
		work.Go(func() error {
			for records := range part {
				if err := l.ctx.Err(); err != nil {
					return err
				}
				p.history(records[0].Key, records)
			}
			return nil
		})
	}
	err := work.Wait()
	for i := range loaded {
		p := &loaded[i]
		l.state.Pods = append(l.state.Pods, p.pods...)
		l.state.Tombstones = append(l.state.Tombstones, p.tombstones...)
		l.state.NewestPodChange = max(l.state.NewestPodChange, p.newest)
		for node, seen := range p.seen {
			if seen.Revision > l.state.LastSeen[node].Revision {
				l.state.LastSeen[node] = seen
			}
		}
	}
	return err
}

// podLoader reads a part of the pods.
type podLoader struct {
	*loader
	pods       []*Pod
	tombstones []Tombstone
	newest     int64 // change
	seen       map[string]Sighting
	choices    map[string][]string // by what a pod asks of a node
	names      names
	others     []*Pod // of the other state, by key, from the one that was read last
}

// history reads what is retained of one key. Only the last version of each
// generation is decoded: a pod that is bound stays bound to the same node.
func (l *podLoader) history(key string, records []snapshot.Record) {
	last := len(records) - 1
	l.newest = max(l.newest, records[last].Main)
	for i, r := range records {
		switch {
		case r.Tombstone:
			t := Tombstone{Key: key, Revision: r.Main, Orphan: i == 0 || records[i-1].Tombstone}
			if !t.Orphan {
				p := l.pod(records[i-1], nil)
				t.Node = p.NodeName
				l.see(t.Node, r)
			}
			if i == last || t.Orphan {
				l.tombstones = append(l.tombstones, t)
			}
		case i == last:
			same := l.same(r)
			p := l.pod(r, same)
			l.see(p.NodeName, r)
			if p != same {
				p.BoundInTail = p.bound() && l.s.Source(r) == snapshot.FromTail && !l.boundBefore(records[:i])
				if p.Unreadable == "" && !p.bound() {
					p.Choices, p.ChoicesKnown = l.chosen(r)
				}
			}
			l.pods = append(l.pods, p)
		}
	}
}

// boundBefore says whether the pod was bound before the tail of the log.
func (l *podLoader) boundBefore(records []snapshot.Record) bool {
	for _, r := range slices.Backward(records) {
		if r.Tombstone {
			return false
		}
		if l.s.Source(r) != snapshot.FromTail {
			return l.pod(r, nil).bound()
		}
	}
	return false
}

// see notes that the kubelet of node, if any, has seen the record. What stands in
// the tail of etcd's log may not have reached it.
func (l *podLoader) see(node string, r snapshot.Record) {
	if node != "" && l.s.Source(r) != snapshot.FromTail && r.Main > l.seen[node].Revision {
		l.seen[node] = Sighting{Revision: r.Main, Key: r.Key}
	}
}

// same is the pod of the other state that the record comes to if its value is the same,
// too; nil for none.
func (l *podLoader) same(r snapshot.Record) *Pod {
	for len(l.others) > 0 && l.others[0].Key < r.Key {
		l.others = l.others[1:]
	}
	if len(l.others) == 0 || l.s.Source(r) == snapshot.FromTail {
		return nil
	}
	p := l.others[0]
	if p.Key != r.Key || p.ModRevision != r.Main || p.CreateRevision != r.CreateRevision || !p.bound() || p.BoundInTail {
		return nil
	}
	return p
}

// seed makes sums that nobody can foresee, and so make a value for.
var seed = maphash.MakeSeed()

// pod reads the record of a pod, which is same, if not nil, where that has its value.
func (l *podLoader) pod(r snapshot.Record, same *Pod) *Pod {
	p := same
	err := l.s.Scan(r, func(value []byte) (err error) {
		sum := maphash.Bytes(seed, value)
		if p != nil && p.sum == sum {
			return nil
		}
		p = &Pod{Key: r.Key, CreateRevision: r.CreateRevision, ModRevision: r.Main, sum: sum}
		p.Pod, err = kube.ScanPod(value)
		return err
	})
	switch {
	case err != nil:
		p = &Pod{Key: r.Key, CreateRevision: r.CreateRevision, ModRevision: r.Main, Unreadable: err.Error()}
		if k, ok := kube.ParseKey(l.prefix, r.Key); ok {
			p.Namespace, p.Name = k.Namespace, k.Name
		}
	case p != same:
		l.names.shareOf(p)
	}
	return p
}

// chosen are the nodes that an unbound pod may be scheduled to. Pods of one
// template ask for the same, and are asked once.
func (l *podLoader) chosen(r snapshot.Record) (names []string, known bool) {
	value, err := l.s.Value(r)
	if err != nil {
		return nil, false
	}
	p, ok := kube.Decode(kube.Key{}, value).Typed.(*corev1.Pod)
	if !ok {
		return nil, false
	}
	asks := corev1.PodSpec{
		NodeSelector: p.Spec.NodeSelector, Tolerations: p.Spec.Tolerations, SchedulingGates: p.Spec.SchedulingGates,
	}
	if a := p.Spec.Affinity; a != nil {
		asks.Affinity = &corev1.Affinity{NodeAffinity: a.NodeAffinity}
	}
	key, err := asks.Marshal()
	if err != nil {
		return nil, false
	}
	names, known = l.choices[string(key)]
	if !known {
		names = kube.NodeChoices(&corev1.Pod{Spec: asks}, l.scanned)
		l.choices[string(key)] = names
	}
	return names, true
}

// clock reads when revisions were written.
func (l *loader) clock() (err error) {
	l.state.Clock, err = clock.Build(l.ctx, l.s, l.prefix)
	l.state.Time = l.state.Clock.Taken().From
	return err
}
