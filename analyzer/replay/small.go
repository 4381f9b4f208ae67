package replay

import (
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
)

// The small cluster: the backup is at smallBackup, the current state at smallCurrent, and
// watchers have seen smallSeen.
const (
	smallBackup, smallCurrent, smallSeen = 10, 14, 16
)

// Small is a cluster of two nodes, three pods and as many API servers: of the pods one was
// created after the backup, one deleted, and one is in both snapshots. Watchers have seen
// two revisions more than the current state has. It is small enough that all that can
// happen to it can be looked at.
func Small(servers int) (*Cluster, State) {
	pod := func(name, node string, created int64) *restore.Pod {
		return &restore.Pod{
			Key: "/registry/pods/default/" + name, CreateRevision: created, ModRevision: created,
			Pod: kube.Pod{
				Namespace: "default", Name: name, UID: "uid-" + name, NodeName: node, Phase: "Running", RestartPolicy: "Always", Grace: 30,
				Containers: []kube.Container{{Name: "c", Image: "i"}},
			},
		}
	}
	nodes := []restore.Node{{Name: "node-1", UID: "uid-1"}, {Name: "node-2", UID: "uid-2"}}
	state := func(revision int64, pods ...*restore.Pod) *restore.State {
		s := &restore.State{Revision: revision, NewestRecord: revision, SeenRevision: revision, Nodes: nodes, Pods: pods, LastSeen: map[string]restore.Sighting{}}
		for i := range servers {
			s.APIServers = append(s.APIServers, restore.APIServer{Name: []string{"cp-1", "cp-2", "cp-3"}[i]})
		}
		return s
	}
	both, old, fresh := pod("both", "node-2", 5), pod("old", "node-2", 6), pod("new", "node-1", smallBackup+2)
	current := state(smallCurrent, both, fresh)
	current.NewestPodChange = smallBackup + 2
	for _, n := range nodes {
		current.LastSeen[n.Name] = restore.Sighting{Revision: smallSeen, Key: fresh.Key}
	}
	c, s, err := New(restore.Compare(state(smallBackup, both, old), current), restore.Plan{LastRevision: smallSeen}, SeenMost)
	if err != nil {
		panic(err) // it is made here
	}
	c.Bumps = []int64{0, smallCurrent - smallBackup, smallSeen + 2 - smallBackup}
	c.WaitWrites, c.MostChanges, c.Closes = 4, 1, true
	return c, s
}
