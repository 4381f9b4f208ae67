package restore

import (
	"slices"
	"time"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// State is what a prediction needs of one snapshot, as plain values.
type State struct {
	Revision        int64 // an etcd started on the snapshot would be at it
	NewestRecord    int64 // the newest record's main revision: what a bump adds to
	SeenRevision    int64 // the newest revision that the file shows etcd to have reached
	CompactRevision int64 // 0 when never compacted
	CompactUnknown  bool  // what would show it is lost
	// Missing is what is known to be missing from the snapshot. As many revisions as
	// entries of the log may have made are in SeenRevision.
	Missing []snapshot.Missing

	// Time is about when the snapshot was taken, rather earlier than later, UTC;
	// zero when nothing shows it.
	Time time.Time

	// Clock tells when revisions were written, as far as the snapshot shows; nil
	// when nothing does.
	Clock *clock.Clock

	// ClusterUID is the uid of the namespace kube-system; ClusterUnknown says why
	// it is not known.
	ClusterUID     string
	ClusterUnknown string

	// EtcdVersion is the version that the cluster's members have agreed on, such as
	// 3.6.0, "" when the snapshot does not show it; EtcdMembers counts its members.
	EtcdVersion string
	EtcdMembers int

	Pods  []*Pod // every live pod
	Nodes []Node // every live Node object
	// APIServers are those that were running, as far as the snapshot shows; by name.
	APIServers []APIServer

	// Workloads are the controllers' objects, but for ReplicaSets that a Deployment
	// owns: OwnedBy has the uid of that by theirs.
	Workloads []Workload
	OwnedBy   map[string]string

	// LastSeen holds, for each node, the newest retained revision of a put or
	// tombstone of a pod bound to it: its kubelet has seen that revision.
	LastSeen map[string]Sighting
	// Tombstones are the newest retained deletion of each key that has no live
	// pod, and those whose version before is not retained.
	Tombstones []Tombstone
	// NewestPodChange is the newest retained revision of any pod record: an API
	// server's cache has seen it.
	NewestPodChange int64
}

// incomplete says whether records are missing of what the snapshot reaches back to,
// so that what it does not have may have been there.
func (s *State) incomplete() bool {
	return slices.ContainsFunc(s.Missing, func(m snapshot.Missing) bool { return m.Sure() })
}

// Pod is a live pod of a snapshot.
type Pod struct {
	kube.Pod
	Key            string
	CreateRevision int64
	ModRevision    int64
	sum            uint64 // of the value, by seed

	// Unreadable says why the value could not be read, "" when it could. Of an
	// unreadable pod only Namespace, Name and what stands above are known.
	Unreadable string

	// BoundInTail says that the pod was bound by an entry of etcd's log that is not
	// known to have been agreed on before etcd stopped.
	BoundInTail bool

	// ChoicesKnown says that Choices were looked up: the names of the snapshot's
	// nodes that a pod not yet bound may be scheduled to.
	ChoicesKnown bool
	Choices      []string
}

func (p *Pod) bound() bool { return p.NodeName != "" }

// Node is a live Node object.
type Node struct {
	Name           string
	UID            string // "" when the value could not be read
	Allocatable    kube.Allocatable
	KubeletVersion string // "" when it is not known
	Unreachable    bool   // it is tainted so, and pods that do not tolerate it are deleted
	Cordoned       bool   // spec.unschedulable
	// Service is the service that its kubelet is part of, together with an API server or a
	// member of etcd; "" for none, and where nothing shows it.
	Service string
}

// Sighting is a pod record that a kubelet has seen.
type Sighting struct {
	Revision int64
	Key      string
}

// Tombstone is the deletion of a pod.
type Tombstone struct {
	Key      string
	Revision int64
	// Node is where the pod was bound, "" when it was not. Orphan says that the
	// version before is not retained, so that the node is not known.
	Node   string
	Orphan bool
}
