package restore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
)

// Errors that refuse a pair of snapshots.
var (
	// ErrSwapped: the backup is newer than the current state.
	ErrSwapped = errors.New("the backup is newer than the current state: are the two swapped?")
	// ErrCutShort: what could be read of the damaged current state ends before the
	// backup.
	ErrCutShort = errors.New("the current state is damaged, and what could be read of it ends before the backup")
	// ErrOtherCluster: the snapshots are of two clusters.
	ErrOtherCluster = errors.New("the snapshots are of different clusters")
)

// Check refuses, with ErrOtherCluster, ErrSwapped or ErrCutShort, a pair of states
// that no restore has. What cannot be compared passes. Revisions of two clusters have
// no order, so the clusters come first.
func Check(backup, current *State) error {
	if b, c := backup.ClusterUID, current.ClusterUID; b != "" && c != "" && b != c {
		return fmt.Errorf("%w: the namespace kube-system has uid %s in the backup and %s in the current state", ErrOtherCluster, b, c)
	}
	return CheckOrder(backup, current)
}

// CheckOrder is Check for states that are taken to be of one cluster.
func CheckOrder(backup, current *State) error {
	if backup.Revision > current.Revision {
		err := ErrSwapped
		if current.incomplete() {
			err = ErrCutShort
		}
		return fmt.Errorf("%w (revision %d, current %d)", err, backup.Revision, current.Revision)
	}
	return nil
}

// settled is how long around the time of the current snapshot a kill is taken to
// be about to end: its kubelet reports the end, and the API servers are not back,
// within less.
const settled = time.Minute

// Comparison is a backup and the current state laid side by side: all of a
// prediction that does not depend on the plan. It is not changed by predicting,
// and safe for concurrent use.
type Comparison struct {
	// Lineage is how the snapshots' histories relate, for the caller to set before
	// it predicts; nil when they were not compared.
	Lineage *lineage.Lineage
	// Metrics is what was scraped before the outage, for the caller to set, too; nil
	// for none.
	Metrics *Metrics

	backup, current *State
	nodes           []node // sorted by name
	workloads       []workload
	withPorts       []int32    // cases that claim host ports
	cases           []*podCase // sorted by key, the backup's uid first
	nodesKnown      bool       // the current snapshot names its nodes
	onto            bool       // the backup is restored onto other machines: current is the backup without its nodes
	clock           *clock.Clock
}

// node is what the two snapshots show of a node.
type node struct {
	name        string
	inBackup    bool // has a Node object there
	inCurrent   bool
	gone        bool      // the machine is gone in the current state
	unreachable bool      // the backup's Node object is tainted so
	cutOff      bool      // the current state's is
	cordoned    [2]bool   // by the backup's Node object, and by the current state's
	allocatable Resources // as its kubelet last reported it
	service     string    // as in Node
	seen        Sighting  // the newest revision its kubelet is known to have seen
	itself      []string  // its name, as the list of nodes that a pod runs on
}

// cordonLost says whether the node was cordoned after the backup, cordonBack whether it
// was uncordoned.
func (n *node) cordonLost() bool { return n.cordoned[1] && !n.cordoned[0] }
func (n *node) cordonBack() bool { return n.cordoned[0] && !n.cordoned[1] && n.inCurrent }

// missing says whether the node's kubelet lives while the restored API has no
// Node object for it.
func (n *node) missing() bool { return n.inCurrent && !n.inBackup }

// podCase is a pod with the row of the decision table that it belongs to.
type podCase struct {
	*PodIdentity // of its own, so that a prediction does not keep the rest

	row      rowID
	said     *[columns]explanation
	flags    flagSet
	backup   *Pod // nil when it is not there
	current  *Pod
	node     int       // index of the row's node, -1 for none
	requests Resources // what it takes of its node
	stored   Resources // what it takes as the backup has it, which differs once it was resized
	resizing bool      // a resize waits for its kubelet, in both
	workload int32     // index of the workload that it is of, -1 for none
	twin     int       // index of the case with the same name and another uid, -1 for none
	pending  bool      // its containers may not have been started
	unsure   string    // why the row itself may be the wrong one
	ends     *time.Time
	choices  []string          // nodes that the scheduler may bind it to and that are not gone
	views    [columns]*APIView // what the API shows; shared by pods of which it shows the same
}

// Compare matches the pods of backup and current. It does not change them, and
// keeps them.
func Compare(backup, current *State) *Comparison {
	c := &Comparison{backup: backup, current: current, nodesKnown: len(current.Nodes) > 0, clock: clock.Join(backup.Clock, current.Clock)}
	c.lay()
	return c
}

// lay finds the row of every pod.
func (c *Comparison) lay() {
	backup, current := c.backup, c.current
	c.findNodes()
	many := max(len(backup.Pods), len(current.Pods))
	c.cases = make([]*podCase, 0, many)
	b := builder{
		Comparison:  c,
		explanation: map[particulars]*[columns]explanation{},
		views:       map[APIView]*APIView{},
		byUID:       make(map[string]int, many),
		deleted:     map[string]Tombstone{},
		alive:       map[*string][]string{},
	}
	for _, t := range current.Tombstones {
		if t.Revision > b.deleted[t.Key].Revision {
			b.deleted[t.Key] = t
		}
	}
	forPairs(backup.Pods, current.Pods, b.add)
	c.findWorkloads()
	c.findRequests()
}

// forPairs calls f for every key of the two lists, in order, with the pod that
// each has there or nil.
func forPairs(backup, current []*Pod, f func(b, c *Pod)) {
	bs, cs := byKey(backup), byKey(current)
	for len(bs) > 0 || len(cs) > 0 {
		switch {
		case len(cs) == 0 || len(bs) > 0 && bs[0].Key < cs[0].Key:
			f(bs[0], nil)
			bs = bs[1:]
		case len(bs) == 0 || cs[0].Key < bs[0].Key:
			f(nil, cs[0])
			cs = cs[1:]
		default:
			f(bs[0], cs[0])
			bs, cs = bs[1:], cs[1:]
		}
	}
}

// byKey returns the pods sorted by key.
func byKey(pods []*Pod) []*Pod {
	list := slices.Clone(pods)
	slices.SortFunc(list, func(a, b *Pod) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// findNodes collects the nodes that either snapshot names, and what their
// kubelets have seen.
func (c *Comparison) findNodes() {
	byName := map[string]*node{}
	at := func(name string) *node {
		n := byName[name]
		if n == nil {
			n = &node{name: name, itself: []string{name}}
			byName[name] = n
		}
		return n
	}
	for _, n := range c.current.Nodes {
		at(n.Name).inCurrent, at(n.Name).cutOff, at(n.Name).cordoned[1] = true, n.Unreachable, n.Cordoned
		at(n.Name).allocatable, at(n.Name).service = Resources(n.Allocatable), n.Service
	}
	for _, n := range c.backup.Nodes {
		at(n.Name).inBackup, at(n.Name).unreachable, at(n.Name).cordoned[0] = true, n.Unreachable, n.Cordoned
		at(n.Name).allocatable = cmp.Or(at(n.Name).allocatable, Resources(n.Allocatable))
		if !at(n.Name).inCurrent {
			at(n.Name).service = n.Service
		}
	}
	for _, pods := range [][]*Pod{c.backup.Pods, c.current.Pods} {
		for _, p := range pods {
			if p.bound() {
				at(p.NodeName)
			}
		}
	}
	for name, s := range c.current.LastSeen {
		at(name).see(s)
	}
	c.seeOrphans(byName)
	for _, n := range byName {
		n.gone = c.nodesKnown && !n.inCurrent
		c.nodes = append(c.nodes, *n)
	}
	slices.SortFunc(c.nodes, func(a, b node) int { return strings.Compare(a.name, b.name) })
}

// seeOrphans counts the deletions of pods whose last version only the backup has.
func (c *Comparison) seeOrphans(byName map[string]*node) {
	orphans := map[string]int64{} // key → revision of its newest deletion
	for _, t := range c.current.Tombstones {
		if t.Orphan && t.Revision > c.backup.Revision {
			orphans[t.Key] = max(orphans[t.Key], t.Revision)
		}
	}
	for _, p := range c.backup.Pods {
		if p.NodeName != "" {
			byName[p.NodeName].see(Sighting{Revision: orphans[p.Key], Key: p.Key})
		}
	}
}

func (n *node) see(s Sighting) {
	if s.Revision > n.seen.Revision || s.Revision == n.seen.Revision && s.Key < n.seen.Key {
		n.seen = s
	}
}

// nodeIndex is the index of the node of that name, -1 for none.
func (c *Comparison) nodeIndex(name string) int {
	i, ok := slices.BinarySearchFunc(c.nodes, name, func(n node, name string) int { return cmp.Compare(n.name, name) })
	if !ok {
		return -1
	}
	return i
}

// builder is what Compare needs while it builds the cases.
type builder struct {
	*Comparison
	explanation map[particulars]*[columns]explanation
	views       map[APIView]*APIView
	byUID       map[string]int // uid → case
	deleted     map[string]Tombstone
	alive       map[*string][]string // lists of choices by their first, without nodes that are gone
}

// add files the pods that the two snapshots have at one key, either may be nil.
func (b *builder) add(was, now *Pod) {
	switch {
	case was == nil:
		b.file(b.classify(nil, now))
	case now == nil:
		b.file(b.classify(was, nil))
	case samePod(was, now):
		b.file(b.classify(was, now))
	default:
		before := b.file(b.classify(was, nil))
		after := b.file(b.classify(nil, now))
		b.pair(before, after)
	}
}

// samePod says whether the pods at one key are one pod. A value that cannot be
// read shows no uid, but a pod recreated has another create revision.
func samePod(was, now *Pod) bool {
	if was.UID == "" || now.UID == "" {
		return was.CreateRevision == now.CreateRevision
	}
	return was.UID == now.UID
}

// file adds a case and returns its index. A uid that has a case already, which
// only damaged or forged evidence can have, makes that one a contradiction.
func (b *builder) file(p *podCase) int {
	if at, ok := b.byUID[p.UID]; ok && p.UID != "" {
		first := b.cases[at]
		b.explain(first, rowContradiction, particulars{grace: -1, why: "Its uid occurs at more than one key."})
		first.Evidence = append(first.Evidence, p.Evidence...)
		return at
	}
	b.byUID[p.UID] = len(b.cases)
	b.cases = append(b.cases, p)
	return len(b.cases) - 1
}

// pair notes that two cases are pods of the same name.
func (b *builder) pair(before, after int) {
	was, now := b.cases[before], b.cases[after]
	if was.backup == nil || now.current == nil || was.Rule == "unreadable" || now.Rule == "unreadable" {
		return
	}
	was.twin, now.twin = after, before
	rule, flag := Rule("2b"), sameNameOtherNode
	if was.backup.NodeName == now.current.NodeName {
		rule, flag = "2a", sameNameSameNode
	}
	for _, p := range []*podCase{was, now} {
		if p.Node == "" || p.Rule == "6" {
			continue
		}
		p.flags |= flag
		if p.Rule == "1" || p.Rule == "3" || p.Rule == "5a" {
			p.Rule = rule
		}
	}
}

// explain puts a case into a row.
func (b *builder) explain(p *podCase, r rowID, about particulars) {
	about.row = r
	said := b.explanation[about]
	if said == nil {
		said = about.explain()
		b.explanation[about] = said
	}
	p.row, p.Rule, p.said = r, table[r].rule, said
	for c := range p.views {
		p.views[c] = b.view(p, r.cell(column(c)).api)
	}
}

// view is what the API shows of the pod, nil for nothing.
func (b *builder) view(p *podCase, v view) *APIView {
	pod := p.backup
	if v.of == asCurrent {
		pod = p.current
	}
	if v.of == absent || pod == nil {
		return nil
	}
	shown := APIView{Phase: phaseOf(pod), Node: pod.NodeName, Terminating: pod.Terminating()}
	switch v.phase {
	case "":
	case phaseNow:
		shown.Phase = phaseOf(p.current)
	default:
		shown.Phase = v.phase
	}
	if v.of == asBackup && shown.Node == "" && p.node >= 0 && len(pod.Choices) == 1 && (len(p.choices) == 1 || pod.Choices[0] == p.Node) {
		shown.Node = pod.Choices[0] // where the scheduler binds it again, if it is not gone
	}
	known := b.views[shown]
	if known == nil {
		kept := shown // and not shown: that would be on the heap for every pod
		known = &kept
		b.views[shown] = known
	}
	return known
}
