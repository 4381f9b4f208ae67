package replay

import (
	"fmt"
	"slices"

	"revenant/analyzer/restore"
)

// View is what a moment looks like, from above and through kubectl.
type View struct {
	Etcd     Etcd
	Servers  []ServerView  // in the order of the cluster's
	Kubelets []KubeletView // in the order of the cluster's nodes
	// Controllers are nil where they are not in the play.
	Controllers *ControllersView
	Pods        []PodView // those of the snapshots in the order of a prediction's, and then those created since
	Phantoms    int       // pods that run unseen
	Ghosts      int       // pods that etcd has alive on a node, and that do not run
}

// ServerView is an API server and what it is doing.
type ServerView struct {
	Server
	Name   string
	Erased bool   // it serves what etcd has lost
	Doing  string // in a few words
}

// KubeletView is a kubelet and what it is doing.
type KubeletView struct {
	Kubelet
	Node     string
	Deaf     bool
	Doing    string // in a few words
	Why      string // why it hears, or does not
	Phantoms int    // on its node
}

// PodView is a pod, and what is so of it.
type PodView struct {
	Name, UID        string
	Node             string   // as Phantom's, or where it is bound
	RunsOn, MayRunOn []string // nodes
	// Listed is what a LIST through each API server shows, nil where the pod is not in it.
	// Through one that is down nothing is listed.
	Listed  []*restore.APIView
	Stored  *restore.APIView // what etcd has, nil for nothing
	Phantom bool
	Ghost   bool
	Stopped string // how its kubelet has stopped it since the restore, "" if it has not
	Why     string // what the decision table says, "" before the restore
}

// View looks at a moment.
func (c *Cluster) View(s *State) (*View, error) {
	v := &View{Etcd: s.Etcd}
	var p *restore.Prediction
	if s.Etcd.Base == Backup {
		var err error
		if p, err = c.Prediction(s); err != nil {
			return nil, err
		}
	}
	phantoms, err := c.Phantoms(s)
	if err != nil {
		return nil, err
	}
	v.Phantoms = len(phantoms)
	v.Servers, v.Kubelets, v.Controllers = c.Actors(s)
	for _, phantom := range phantoms {
		v.Kubelets[phantom.Node].Phantoms++
	}
	for i := range c.pods {
		v.Pods = append(v.Pods, c.pair(s, p, i))
	}
	for i := range s.Changes {
		if !s.Changes[i].Delete {
			v.Pods = append(v.Pods, c.created(s, i))
		}
	}
	for i := range v.Pods {
		pod := &v.Pods[i]
		pod.Phantom = slices.ContainsFunc(phantoms, func(x Phantom) bool {
			return x.Pod == pod.Name && c.Nodes[x.Node].Name == pod.Node && (i >= len(c.pods) || slices.Contains(pod.RunsOn, pod.Node) || slices.Contains(pod.MayRunOn, pod.Node))
		})
		if pod.Ghost {
			v.Ghosts++
		}
	}
	return v, nil
}

// HidePods takes out which pods run unseen, and which only seem to run.
func (v *View) HidePods() {
	v.Phantoms, v.Ghosts = 0, 0
	for i := range v.Kubelets {
		v.Kubelets[i].Phantoms = 0
	}
	for i := range v.Pods {
		v.Pods[i].Phantom, v.Pods[i].Ghost = false, false
	}
}

// HideErased takes out who serves the erased past, and who sees it.
func (v *View) HideErased() {
	for i := range v.Servers {
		if s := &v.Servers[i]; s.Up {
			s.Erased, s.Doing = false, "serves its watch cache"
		}
	}
	if k := v.Controllers; k != nil && k.Watch >= 0 {
		k.Deaf, k.Erased, k.Doing = false, false, "watch through "+v.Servers[k.Watch].Name
		k.Why = "They list and watch through " + v.Servers[k.Watch].Name + "."
	}
}

// Actors are the API servers, the kubelets and the controllers at a moment, without the pods
// that run unseen.
func (c *Cluster) Actors(s *State) (servers []ServerView, kubelets []KubeletView, controllers *ControllersView) {
	for i := range s.Servers {
		servers = append(servers, c.server(s, i))
	}
	for i := range s.Kubelets {
		kubelets = append(kubelets, c.kubelet(s, i))
	}
	if s.Controllers.Up {
		controllers = c.controllers(s)
	}
	return servers, kubelets, controllers
}

func (c *Cluster) server(s *State, i int) ServerView {
	v := ServerView{Server: s.Servers[i], Name: c.Servers[i], Erased: s.Erased(i)}
	switch {
	case !v.Up:
		v.Doing = "down"
	case v.Erased && v.Seen > s.Etcd.Revision:
		v.Doing = fmt.Sprintf("serves the erased past, deaf until revision %d", v.Seen)
	case v.Erased:
		v.Doing = "serves the erased past"
	case s.behind(i):
		v.Doing = "is about to hear from etcd"
	default:
		v.Doing = "serves what etcd holds"
	}
	return v
}

func (c *Cluster) kubelet(s *State, i int) KubeletView {
	v := KubeletView{Kubelet: s.Kubelets[i], Node: c.Nodes[i].Name, Deaf: s.Deaf(i)}
	switch {
	case !v.Up:
		v.Doing, v.Why = "gone", "Its machine is gone: there is no kubelet."
		return v
	case v.Watch < 0 && v.MustList:
		v.Doing, v.Why = "is about to list", "It lists from the next API server that accepts it, and forgets what it knew."
		return v
	case v.Watch < 0:
		v.Doing = "is not connected"
		v.Why = fmt.Sprintf("It will resume its watch at %d, the last revision it has seen. An API server whose first list was above that refuses it, and then it lists.", v.Seen)
		return v
	}
	api := &s.Servers[v.Watch]
	name := c.Servers[v.Watch]
	switch {
	case v.Deaf && v.Seen > api.Seen:
		v.Doing = "deaf"
		v.Why = fmt.Sprintf("It has seen revision %d, and %s is at %d: nothing that is written up to %d reaches it.", v.Seen, name, api.Seen, v.Seen)
	case v.Deaf:
		v.Doing = "deaf"
		v.Why = fmt.Sprintf("%s has seen revision %d, and etcd is at %d: nothing that is written up to %d reaches it.", name, api.Seen, s.Etcd.Revision, api.Seen)
	case v.Timeline < s.Etcd.Restores:
		v.Doing = "watches, and has not listed"
		v.Why = fmt.Sprintf("It hears what is written from now on. It has not listed since the restore: what it runs is what it knew at revision %d, and what it heard since.", v.Seen)
	case v.Seen < api.Seen:
		v.Doing = "is about to hear"
		v.Why = fmt.Sprintf("It has seen revision %d, and %s is at %d.", v.Seen, name, api.Seen)
	default:
		v.Doing = "watches"
		v.Why = fmt.Sprintf("It has seen all that %s has, up to revision %d.", name, v.Seen)
	}
	return v
}

// pair is a pod of the snapshots.
func (c *Cluster) pair(s *State, p *restore.Prediction, i int) PodView {
	id := c.pods[i]
	v := PodView{Name: c.name(i), UID: id.UID, Node: id.Node, Listed: make([]*restore.APIView, len(s.Servers))}
	stored := apiView(c.of(s.Etcd.Base, i))
	if p == nil {
		if now := id.Current; now != nil && now.NodeName != "" && !now.Terminal() {
			v.RunsOn = []string{now.NodeName}
		}
	} else {
		o := &p.Pods[i]
		v.RunsOn, v.MayRunOn, v.Why = o.RunsOn, o.MayRunOn, o.Reason
		if node := c.node(o.Node); o.Outcome == restore.Terminated && node >= 0 && id.Current != nil {
			switch {
			case s.Kubelets[node].Did == Restarted:
				v.Stopped = "killed within 2 s"
			case id.Current.Grace > 0:
				v.Stopped = fmt.Sprintf("stopped, had %d s", id.Current.Grace)
			default:
				v.Stopped = "stopped"
			}
		}
		if stored != nil && o.API != nil && o.Outcome != restore.Hidden {
			stored = o.API
		}
		if id.Backup == nil {
			stored = nil
		}
	}
	if node := c.nodeOf(s, i); node >= 0 && s.removed(s.Kubelets[node].Holds, i) {
		v.RunsOn, v.MayRunOn = nil, nil
	}
	for j := range s.Servers {
		switch api := &s.Servers[j]; {
		case !api.Up || s.removed(api.Holds, i):
		case api.Base == Before:
			v.Listed[j] = apiView(id.Current)
		case p == nil || id.Backup == nil:
			v.Listed[j] = apiView(id.Backup)
		default:
			v.Listed[j] = stored
		}
	}
	if s.removed(s.Etcd.Holds, i) {
		stored = nil
	}
	v.Stored = stored
	v.Ghost = p != nil && stored != nil && stored.Node != "" && stored.Phase == "Running" && len(v.RunsOn) == 0 && len(v.MayRunOn) == 0
	return v
}

// apiView is what a LIST shows of a pod as a snapshot has it.
func apiView(p *restore.Pod) *restore.APIView {
	if p == nil {
		return nil
	}
	return &restore.APIView{Phase: p.Phase, Node: p.NodeName, Terminating: p.Terminating()}
}

// created is a pod that was created in the course of the play.
func (c *Cluster) created(s *State, i int) PodView {
	change := &s.Changes[i]
	node := c.Nodes[change.Node].Name
	v := PodView{Name: change.Pod, Node: node, Listed: make([]*restore.APIView, len(s.Servers))}
	shown := &restore.APIView{Phase: "Pending", Node: node}
	if s.Runs(i) {
		v.RunsOn, shown.Phase = []string{node}, "Running"
	}
	for j := range s.Servers {
		if api := &s.Servers[j]; api.Up && api.Holds.Has(i) && !s.deletedIn(api.Holds, i) {
			v.Listed[j] = shown
		}
	}
	if s.exists(i) {
		v.Stored = shown
	}
	if s.Kubelets[change.Node].Up && v.Stored != nil && !s.Runs(i) {
		v.Why = "Its kubelet has not heard of it."
	}
	return v
}
