package train

import (
	"errors"
	"fmt"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
)

// clusters are those that scenarios are played on, by their names.
var clusters = map[string]func(servers int) (*replay.Cluster, replay.State, error){
	"": func(servers int) (*replay.Cluster, replay.State, error) {
		c, s := replay.Small(servers)
		return c, s, nil
	},
	"busy":     busy,
	"database": database,
}

// cluster is the one that the scenario is played on.
func (s *Scenario) cluster() (*replay.Cluster, replay.State, error) {
	if s.made != nil {
		return s.made.cluster()
	}
	if s.OfPair() {
		if s.pair == nil {
			return nil, replay.State{}, errors.New("its snapshots are not open")
		}
		return replay.New(s.pair, restore.Plan{}, pairSeen)
	}
	c, start, err := clusters[s.Cluster](s.Servers)
	if err == nil {
		c.Bumps = append(c.Bumps, 10*c.Bumps[len(c.Bumps)-1]) // far above
		c.Closes, c.MostChanges = false, 6                    // watches end when something ends them
	}
	return c, start, err
}

// busy is the small cluster, in which more was written between the newest snapshot and the
// outage: a bump by what the restore undoes starts the store five below what is needed.
func busy(servers int) (*replay.Cluster, replay.State, error) {
	const backup, current, seen = 10, 14, 18
	p := pair{backup: backup, current: current, servers: servers, nodes: []string{"node-1", "node-2"}}
	p.both("both", "node-2", 5)
	p.deleted("old", "node-2", 6)
	p.created("new", "node-1", 12)
	for _, n := range p.nodes {
		p.saw(n, 12)
	}
	c, s, err := p.cluster(restore.Plan{LastRevision: seen}, replay.SeenMost)
	if err != nil {
		return nil, s, err
	}
	c.Bumps, c.WaitWrites = []int64{0, current - backup, seen + 2 - backup}, 4
	return c, s, nil
}

// database is a cluster of two nodes with a StatefulSet: its pod was moved from node-2 to
// node-1 after the backup, and so was made again under its name.
func database(servers int) (*replay.Cluster, replay.State, error) {
	const backup, current, seen = 40, 52, 57
	p := pair{backup: backup, current: current, servers: servers, nodes: []string{"node-1", "node-2"}}
	p.both("shop/web-1", "node-1", 20)
	p.both("shop/web-2", "node-2", 21)
	p.deleted("shop/db-0", "node-2", 30)
	p.created("shop/db-0", "node-1", 46)
	for _, n := range p.nodes {
		p.saw(n, 46)
	}
	c, s, err := p.cluster(restore.Plan{LastRevision: seen}, replay.SeenMost)
	if err != nil {
		return nil, s, err
	}
	c.Bumps, c.WaitWrites = []int64{0, current - backup, seen + 1 - backup}, 10
	return c, s, nil
}

// pair is a backup and a current state that are made up.
type pair struct {
	backup, current int64 // revisions
	servers         int
	nodes           []string
	was, now        []*restore.Pod
	lastSeen        map[string]restore.Sighting
	newest          int64 // change of a pod
}

// pod is a pod that runs. Its number makes its uid.
func (p *pair) pod(name, node string, created int64) *restore.Pod {
	namespace, short := "default", name
	for i := range name {
		if name[i] == '/' {
			namespace, short = name[:i], name[i+1:]
		}
	}
	p.newest = max(p.newest, created)
	return &restore.Pod{
		Key: kube.PodKey(kube.DefaultPrefix, namespace, short), CreateRevision: created, ModRevision: created,
		Pod: kube.Pod{
			Namespace: namespace, Name: short, UID: fmt.Sprintf("uid-%d-%s", created, short), NodeName: node, Phase: "Running", RestartPolicy: "Always", Grace: 30,
			Containers: []kube.Container{{Name: "c", Image: "i"}},
		},
	}
}

// both is in both states, deleted in the backup only, and created since.
func (p *pair) both(name, node string, created int64) {
	pod := p.pod(name, node, created)
	p.was, p.now = append(p.was, pod), append(p.now, pod)
}

func (p *pair) deleted(name, node string, created int64) {
	p.was = append(p.was, p.pod(name, node, created))
}

func (p *pair) created(name, node string, created int64) {
	p.now = append(p.now, p.pod(name, node, created))
}

// ended is a pod that runs in the backup, and has ended by itself since.
func (p *pair) ended(name, node string, created, at int64) {
	was := p.pod(name, node, created)
	was.RestartPolicy = "Never"
	now := *was
	now.Phase, now.ModRevision = "Succeeded", at
	p.newest = max(p.newest, at)
	p.was, p.now = append(p.was, was), append(p.now, &now)
}

// saw says that the node's kubelet has seen a revision.
func (p *pair) saw(node string, revision int64) {
	if p.lastSeen == nil {
		p.lastSeen = map[string]restore.Sighting{}
	}
	if p.lastSeen[node].Revision < revision {
		p.lastSeen[node] = restore.Sighting{Revision: revision, Key: kube.PodKey(kube.DefaultPrefix, "default", node)}
	}
}

// cluster is that of the pair, as it was before the outage.
func (p *pair) cluster(plan restore.Plan, seen replay.Seen) (*replay.Cluster, replay.State, error) {
	state := func(revision int64, pods []*restore.Pod) *restore.State {
		s := &restore.State{Revision: revision, NewestRecord: revision, SeenRevision: revision, Pods: pods, LastSeen: map[string]restore.Sighting{}}
		for _, n := range p.nodes {
			s.Nodes = append(s.Nodes, restore.Node{Name: n, UID: "uid-" + n})
		}
		for i := range p.servers {
			s.APIServers = append(s.APIServers, restore.APIServer{Name: fmt.Sprintf("cp-%d", i+1)})
		}
		return s
	}
	was, now := state(p.backup, p.was), state(p.current, p.now)
	now.LastSeen, now.NewestPodChange = p.lastSeen, p.newest
	return replay.New(restore.Compare(was, now), plan, seen)
}
