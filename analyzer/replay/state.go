package replay

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"revenant/analyzer/restore"
)

// Base is which of the two snapshots something has its pods from, before changes.
type Base uint8

// The bases.
const (
	Before Base = iota // the current state: how the cluster was before the restore
	Backup             // what was restored
)

// Set is a set of changes, by their indexes.
type Set uint32

// maxChanges bounds how many pods are created and deleted in a play.
const maxChanges = 32

// Has says whether the change of that index is in the set.
func (s Set) Has(i int) bool { return s&(1<<i) != 0 }

func (s Set) with(i int) Set { return s | 1<<i }

// Len is how many changes are in the set.
func (s Set) Len() int { return bits.OnesCount32(uint32(s)) }

// Change is a pod that was created, or deleted, in the course of a play.
type Change struct {
	Delete   bool
	Pod      string // its name
	Of       int32  // of a deletion: the change that created the pod, -1 for a pod of the snapshots
	Pair     int32  // of a deletion of a pod of the snapshots: its index there, else -1
	Node     int32  // index of the node that it is bound to
	Revision int64  // at which etcd wrote it
}

// Etcd is the store.
type Etcd struct {
	Up        bool
	Base      Base
	Revision  int64  // the newest
	Compacted int64  // watches from below this revision are refused
	Holds     Set    // the changes it has; a restore takes them all
	Restores  uint16 // how often it was restored, and started
	// Unstarted says that it was restored and has not been started since: another restore
	// then takes the place of that one.
	Unstarted bool
	// Above says that the last restore started above all that kubelets had seen, and two above
	// all that API servers left running had.
	Above bool
}

// Server is an API server with its watch cache of pods.
type Server struct {
	Up   bool
	Kept bool // it was left running while etcd was restored
	// What its cache holds: the pods of a snapshot, and changes.
	Base  Base
	Holds Set
	// Timeline is how often etcd had been restored when it listed: what it serves is erased
	// where that is less than by now.
	Timeline uint16
	// Listed is the revision of its first list. It refuses a watch that resumes below.
	Listed int64
	Seen   int64 // the newest revision it has seen
}

// Kubelet is a node's kubelet.
type Kubelet struct {
	Up    bool // its machine exists
	Watch int8 // index of the API server that its watch is open at, -1 for none
	Seen  int64
	// MustList says that it lists when it next reaches an API server: it was started, or met
	// an HTTP error.
	MustList bool
	Fresh    bool // it was restarted and has not listed since
	// Did is what it has done about its pods since the restore: KubeletDeaf while it still runs
	// those of before.
	Did   Did
	Holds Set // changes it has heard
	// Timeline is that of the API server it listed from, or was sent erased events by, last.
	Timeline uint16
}

// Did is what a kubelet has done about its pods since the restore.
type Did uint8

// What a kubelet has done.
const (
	Kept      Did = iota // goes on as before the restore
	Listed               // has listed what was restored
	Restarted            // was restarted, and has listed what was restored
)

func (d Did) kubelet() restore.Kubelet {
	return [...]restore.Kubelet{Kept: restore.KubeletDeaf, Listed: restore.KubeletRelists, Restarted: restore.KubeletRestarted}[d]
}

// State is a moment of a play. It is a value: Do returns another and changes none.
type State struct {
	Etcd        Etcd
	Servers     []Server
	Kubelets    []Kubelet
	Changes     []Change
	Controllers Controllers
}

// clone is a copy that shares nothing.
func (s State) clone() State {
	s.Servers, s.Kubelets, s.Changes = slices.Clone(s.Servers), slices.Clone(s.Kubelets), slices.Clone(s.Changes)
	return s
}

// key is the same for equal states only.
func (s *State) key() string {
	b := make([]byte, 0, 24+16*len(s.Servers)+16*len(s.Kubelets)+8*len(s.Changes))
	flag := func(list ...bool) {
		var x byte
		for i, f := range list {
			if f {
				x |= 1 << i
			}
		}
		b = append(b, x)
	}
	number := func(n int64) { b = binary.AppendVarint(b, n) }
	e := &s.Etcd
	flag(e.Up, e.Base == Backup, e.Above, e.Unstarted)
	number(int64(e.Restores))
	number(e.Revision)
	number(e.Compacted)
	number(int64(e.Holds))
	for i := range s.Servers {
		v := &s.Servers[i]
		flag(v.Up, v.Kept, v.Base == Backup)
		number(int64(v.Timeline))
		number(int64(v.Holds))
		number(v.Listed)
		number(v.Seen)
	}
	for i := range s.Kubelets {
		k := &s.Kubelets[i]
		flag(k.Up, k.MustList, k.Fresh)
		b = append(b, byte(k.Watch), byte(k.Did))
		number(int64(k.Timeline))
		number(k.Seen)
		number(int64(k.Holds))
	}
	for i := range s.Changes {
		c := &s.Changes[i]
		flag(c.Delete)
		number(int64(c.Of))
		number(int64(c.Pair))
		number(int64(c.Node))
		number(int64(len(c.Pod)))
		b = append(b, c.Pod...)
		number(c.Revision)
	}
	if k := &s.Controllers; k.Up {
		flag(k.MustList)
		b = append(b, byte(k.Watch))
		number(int64(k.Timeline))
		number(k.Seen)
	}
	return string(b)
}

// highest is the newest revision that any kubelet has seen.
func (s *State) highest() (seen int64) {
	for i := range s.Kubelets {
		seen = max(seen, s.Kubelets[i].Seen)
	}
	return seen
}

// Deaf says whether a kubelet's watch is open and hears nothing of what is written next:
// it has seen a revision that the store, or the API server it is connected to, has not
// reached since it went back.
func (s *State) Deaf(kubelet int) bool {
	k := &s.Kubelets[kubelet]
	return k.Up && s.deaf(k.Watch, k.Seen)
}

func (s *State) deaf(watch int8, seen int64) bool {
	if watch < 0 {
		return false
	}
	v := &s.Servers[watch]
	return seen > v.Seen || v.Seen > s.Etcd.Revision
}

// Erased says whether the API server serves what etcd has lost.
func (s *State) Erased(server int) bool {
	v := &s.Servers[server]
	return v.Up && v.Timeline < s.Etcd.Restores
}

// Settled says whether nothing is left to happen by itself: no API server is behind etcd,
// and every kubelet is connected and has what its API server has.
func (s *State) Settled() bool {
	if !s.Etcd.Up {
		return false
	}
	for i := range s.Servers {
		if s.behind(i) {
			return false
		}
	}
	for i := range s.Kubelets {
		k := &s.Kubelets[i]
		if k.Up && (k.Watch < 0 || k.Seen < s.Servers[k.Watch].Seen) {
			return false
		}
	}
	k := &s.Controllers
	return !k.Up || k.Watch >= 0 && k.Seen >= s.Servers[k.Watch].Seen
}

// behind says whether the API server is about to hear from etcd.
func (s *State) behind(server int) bool {
	v := &s.Servers[server]
	return v.Up && s.Etcd.Up && (v.Seen < s.Etcd.Revision || s.refused(v))
}

// refused says whether etcd refuses to resume the API server's watch: its next revision is
// compacted.
func (s *State) refused(v *Server) bool {
	return v.Timeline < s.Etcd.Restores && v.Seen+1 < s.Etcd.Compacted
}
