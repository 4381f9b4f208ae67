package watchers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/finding"
)

// List is what watches the API servers of a cluster beside its kubelets.
type List struct {
	Watchers []Watcher `json:"watchers"` // in the order in which they are restarted
	// NotSeen says what may watch, too, and cannot be seen in a snapshot.
	NotSeen []string `json:"notSeen"`
	// Unread is how many values that may show more could not be read.
	Unread int `json:"unread"`
}

// Watcher is a workload that watches.
type Watcher struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"` // of a static pod without the node's
	Image     string `json:"image"`

	// Known is what it is, nil where that is not known.
	Known *Known `json:"known,omitempty"`
	Class Class  `json:"class"`
	// Basis is what shows that it watches.
	Basis Basis `json:"basis"`
	// Watches are the resources that RBAC lets its ServiceAccount watch, "*" for all of
	// a group; MoreWatched says that there are others.
	Watches     []string `json:"watches"`
	MoreWatched bool     `json:"moreWatched,omitempty"`

	PerNode     bool     `json:"perNode"`
	HostNetwork bool     `json:"hostNetwork"`
	Pods        int      `json:"pods"`  // that are bound to a node and have not ended
	Nodes       []string `json:"nodes"` // on which these are, sorted

	// Election is whether one of its pods is the leader.
	Election Election `json:"election"`
	Lease    string   `json:"lease,omitempty"` // that one of its pods holds, namespace/name

	// ByDeletion says that its pods are deleted to restart it, for nothing else would:
	// its update strategy is OnDelete, it is a Deployment that is paused, an operator owns its template, or nothing but the
	// pod is there. Selector selects them, "" for none.
	ByDeletion bool   `json:"byDeletion"`
	Selector   string `json:"selector,omitempty"`

	// In is where it is: after the restore there is what the backup has.
	In []finding.In `json:"in"`

	Evidence []finding.Ref `json:"evidence"`
}

// Kind is what keeps a watcher running. The values are stable names.
type Kind string

// The kinds.
const (
	DaemonSet   Kind = "DaemonSet"
	Deployment  Kind = "Deployment"
	StatefulSet Kind = "StatefulSet"
	StaticPod   Kind = "StaticPod" // its kubelet does, by a file
	Bare        Kind = "Pod"       // nothing does
)

// Basis is what shows that something watches. The values are stable names.
type Basis string

// What tells.
const (
	ByImage Basis = "image"
	ByLabel Basis = "label"
	ByRBAC  Basis = "rbac" // it may watch: whether it does is inferred
)

// Election is what is known of a leader. The values are stable names.
type Election string

// What is known of a leader.
const (
	HoldsLease  Election = "holds-lease" // one of its pods does, by the Lease's holder
	MayElect    Election = "may-elect"   // inferred: RBAC lets it update Leases
	NoElection  Election = "none"        // nothing points to one
	NotEligible Election = "per-node"    // each of its pods does the work of its node
)

// String names it as kubectl does.
func (w *Watcher) String() string {
	return fmt.Sprintf("%s %s/%s", w.Kind, w.Namespace, w.Name)
}

func (l *List) sort() {
	slices.SortFunc(l.Watchers, func(a, b Watcher) int {
		return cmp.Or(a.Class.rank()-b.Class.rank(), a.rank()-b.rank(), strings.Compare(a.Namespace, b.Namespace), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Name, b.Name))
	})
}

// rank orders within a class: what is known first, in the order of the table, for a part
// that feeds others stands before them there.
func (w *Watcher) rank() int {
	for i := range knowns {
		if w.Known == &knowns[i] {
			return i
		}
	}
	return len(knowns)
}

// Join lays what watches in a backup and in a newer state together: pods and nodes are
// those of the newer state, for these run; what there is after the restore is the
// backup's.
func Join(backup, current *List) *List {
	list := &List{NotSeen: current.NotSeen, Unread: backup.Unread + current.Unread, Watchers: []Watcher{}}
	place := map[owner]int{}
	at := func(w *Watcher) owner { return owner{string(w.Kind), w.Namespace, w.Name} }
	for _, w := range current.Watchers {
		place[at(&w)] = len(list.Watchers)
		list.Watchers = append(list.Watchers, w)
	}
	for _, was := range backup.Watchers {
		i, ok := place[at(&was)]
		if !ok {
			was.Pods, was.Nodes = 0, []string{} // they run no more
			list.Watchers = append(list.Watchers, was)
			continue
		}
		w := &list.Watchers[i]
		w.In = []finding.In{finding.InBackup, finding.InCurrent}
		w.Evidence = slices.Concat(was.Evidence, w.Evidence)
		w.ByDeletion, w.Selector = was.ByDeletion, was.Selector
	}
	list.sort()
	return list
}

// Restartable says whether it runs now and is there after the restore: what only the
// current state has is stopped by kubelets, and what only the backup has starts then.
func (w *Watcher) Restartable() bool {
	if w.Kind == StaticPod { // which no restore changes
		return w.Pods > 0
	}
	return len(w.In) == 2 || slices.Contains(w.In, finding.InBackup) && w.Pods > 0
}

// Restart are the words of the command that restarts it by the API; none for a static
// pod, which only its node restarts, and where nothing selects its pods.
func (w *Watcher) Restart() []string {
	switch {
	case w.Kind == StaticPod:
		return nil
	case w.Kind == Bare:
		return []string{"kubectl", "delete", "pod", "--namespace=" + w.Namespace, w.Name}
	case !w.ByDeletion:
		return []string{"kubectl", "rollout", "restart", "--namespace=" + w.Namespace, strings.ToLower(string(w.Kind)) + "/" + w.Name}
	case w.Selector != "":
		return []string{"kubectl", "delete", "pod", "--namespace=" + w.Namespace, "--selector=" + w.Selector}
	}
	return nil
}

// What says what it is, and how that is known.
func (w *Watcher) What() string {
	switch w.Basis {
	case ByImage:
		return w.Known.Title + ", by its image"
	case ByLabel:
		return w.Known.Title + ", by its labels"
	}
	return "may watch " + w.resources() + ", by RBAC"
}

// shownResources is how many resources are listed in a sentence.
const shownResources = 4

func (w *Watcher) resources() string {
	if slices.Contains(w.Watches, "*") {
		return "everything of a group"
	}
	names := w.Watches[:min(len(w.Watches), shownResources)]
	text := strings.Join(names, ", ")
	switch more := len(w.Watches) - len(names); {
	case w.MoreWatched:
		text += " and more"
	case more > 0:
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
