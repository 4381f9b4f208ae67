package replay

import (
	"fmt"
	"strings"

	"revenant/internal/words"
)

// Kind is what an action does.
type Kind uint8

// The kinds. Those up to Wait are the operator's, or of who uses the cluster; the others
// happen by themselves.
const (
	StopServer Kind = iota
	StartServer
	StopEtcd
	StartEtcd
	Restore        // of the backup, N is the bump
	RestartKubelet // Target is a node
	RestartControllers
	CreatePod // Target is the node it is bound to
	DeletePod // Target is the change that created it; if that is -1, N is the index of a pod of the snapshots
	Wait      // the cluster writes N revisions

	HTTPError // a kubelet is answered with an error other than 429
	Close     // a kubelet's watch ends
	Sync      // an API server hears from etcd
	Connect   // a kubelet, or the controllers (TheControllers), reach the API server N
	Deliver   // they hear from their API server
)

// Action is one step that can be taken.
type Action struct {
	Kind   Kind
	Target int32 // index of an API server, a kubelet's node, or a change
	N      int64 // as Kind says
}

// TheControllers is the target of an action that is about the controllers, and no kubelet.
const TheControllers = -1

// Operator says whether somebody takes the action; otherwise it happens by itself.
func (a Action) Operator() bool { return a.Kind <= Wait }

// Say is the action in words.
func (c *Cluster) Say(a Action) string {
	node := func() string { return c.Nodes[a.Target].Name }
	server := func(i int) string { return c.Servers[i] }
	watcher := func(one, many string) string {
		if a.Target == TheControllers {
			return "the controllers " + many
		}
		return "the kubelet of " + node() + " " + one
	}
	switch a.Kind {
	case StopServer:
		return "stop the API server " + server(int(a.Target))
	case StartServer:
		return "start the API server " + server(int(a.Target))
	case StopEtcd:
		return "stop etcd"
	case StartEtcd:
		return "start etcd"
	case Restore:
		if a.N > 0 {
			return fmt.Sprintf("restore the backup with --bump-revision %d --mark-compacted", a.N)
		}
		return "restore the backup"
	case RestartKubelet:
		return "restart the kubelet of " + node()
	case RestartControllers:
		return "restart the controllers and the scheduler"
	case CreatePod:
		return "create a pod, bound to " + node()
	case DeletePod:
		if a.Target < 0 {
			return "delete the pod " + c.name(int(a.N))
		}
		return fmt.Sprintf("delete the pod new-%d", a.Target+1)
	case Wait:
		return "wait while " + words.PlainOf(a.N, "revision is", "revisions are") + " written"
	case HTTPError:
		return "the kubelet of " + node() + " is answered with 403"
	case Close:
		return "the watch of the kubelet of " + node() + " ends"
	case Sync:
		return "the API server " + server(int(a.Target)) + " hears from etcd"
	case Connect:
		return watcher("reaches", "reach") + " the API server " + server(int(a.N))
	case Deliver:
		return watcher("hears from its", "hear from their") + " API server"
	}
	return "?"
}

// Step is what an action brought about, and why.
type Step struct {
	Action Action
	Text   string // what happened, in a sentence
	Rules  []Rule // that it follows
}

// Why is the rules' texts, one after another.
func (s *Step) Why() string {
	var list []string
	for _, r := range s.Rules {
		list = append(list, r.Text)
	}
	return strings.Join(list, " ")
}

// Actions are the actions that can be taken in a state: first the operator's, then what can
// happen by itself.
func (c *Cluster) Actions(s *State) []Action {
	list := c.operator(s, nil)
	return c.environment(s, list)
}

func (c *Cluster) operator(s *State, list []Action) []Action {
	add := func(kind Kind, target int, n int64) { list = append(list, Action{kind, int32(target), n}) }
	up := false
	for i := range s.Servers {
		switch {
		case s.Servers[i].Up:
			up = true
			add(StopServer, i, 0)
		case s.Etcd.Up:
			add(StartServer, i, 0)
		}
	}
	if s.Etcd.Up {
		add(StopEtcd, 0, 0)
	} else {
		if s.Etcd.Unstarted {
			add(StartEtcd, 0, 0)
		}
		for _, bump := range c.Bumps {
			add(Restore, 0, bump)
		}
		if !s.Etcd.Unstarted {
			add(StartEtcd, 0, 0)
		}
	}
	for i := range s.Kubelets {
		if s.Kubelets[i].Up {
			add(RestartKubelet, i, 0)
		}
	}
	if s.Controllers.Up {
		add(RestartControllers, 0, 0)
	}
	if !s.Etcd.Up || !up {
		return list
	}
	if len(s.Changes) < c.MostChanges {
		for i := range s.Kubelets {
			if s.Kubelets[i].Up {
				add(CreatePod, i, 0)
			}
		}
	}
	if len(s.Changes) < maxChanges {
		for i := range s.Changes {
			if s.exists(i) {
				add(DeletePod, i, 0)
			}
		}
		if c.Deletes {
			for i := range c.pods {
				if c.stored(s, i) && c.nodeOf(s, i) >= 0 {
					add(DeletePod, -1, int64(i))
				}
			}
		}
	}
	add(Wait, 0, c.WaitWrites)
	return list
}

func (c *Cluster) environment(s *State, list []Action) []Action {
	add := func(kind Kind, target int, n int64) { list = append(list, Action{kind, int32(target), n}) }
	for i := range s.Servers {
		if s.behind(i) {
			add(Sync, i, 0)
		}
	}
	for i := range s.Kubelets {
		k := &s.Kubelets[i]
		switch {
		case !k.Up:
		case k.Watch < 0:
			for j := range s.Servers {
				if s.Servers[j].Up && s.Etcd.Up && c.reaches(i, j) {
					add(Connect, i, int64(j))
				}
			}
			if c.Errors && !k.MustList {
				add(HTTPError, i, 0)
			}
		case k.Seen < s.Servers[k.Watch].Seen:
			add(Deliver, i, 0)
		}
		if k.Up && k.Watch >= 0 && c.Closes {
			add(Close, i, 0)
		}
	}
	switch k := &s.Controllers; {
	case !k.Up:
	case k.Watch < 0:
		for j := range s.Servers {
			if s.Servers[j].Up && s.Etcd.Up {
				add(Connect, TheControllers, int64(j))
			}
		}
	case k.Seen < s.Servers[k.Watch].Seen:
		add(Deliver, TheControllers, 0)
	}
	return list
}

// exists says whether the change created a pod that etcd has.
func (s *State) exists(change int) bool {
	if s.Changes[change].Delete || !s.Etcd.Holds.Has(change) {
		return false
	}
	return !s.deletedIn(s.Etcd.Holds, change)
}

// deletedIn says whether the set holds the deletion of the pod that the change created.
func (s *State) deletedIn(set Set, change int) bool {
	for i := range s.Changes {
		if s.Changes[i].Delete && s.Changes[i].Of >= 0 && int(s.Changes[i].Of) == change && set.Has(i) {
			return true
		}
	}
	return false
}

// Do takes an action, which must be one of Actions, and says what happened.
func (c *Cluster) Do(s State, a Action) (State, Step) {
	s = s.clone()
	step := Step{Action: a}
	say := func(format string, args ...any) { step.Text = fmt.Sprintf(format, args...) }
	by := func(rules ...Rule) { step.Rules = append(step.Rules, rules...) }
	switch a.Kind {
	case StopServer:
		v := &s.Servers[a.Target]
		v.Up, v.Kept = false, false
		s.disconnect(int(a.Target))
		say("The API server %s stops.", c.Servers[a.Target])
		by(ruleStop, ruleRefused)
		if !s.served() {
			s.loseLeases(by)
		}
	case StartServer:
		s.Etcd.Revision = sum(s.Etcd.Revision, c.StartupWrites)
		s.list(&s.Servers[a.Target])
		s.Servers[a.Target].Up = true
		say("The API server %s starts and lists at revision %d.", c.Servers[a.Target], s.Etcd.Revision)
		by(ruleFirstList)
	case StopEtcd:
		s.Etcd.Up = false
		say("etcd stops.")
		if s.served() {
			s.loseLeases(by)
		}
	case StartEtcd:
		s.Etcd.Up, s.Etcd.Unstarted = true, false
		say("etcd starts at revision %d.", s.Etcd.Revision)
		if s.anyKept() {
			by(ruleKept)
		}
	case Restore:
		c.restore(&s, a.N)
		if a.N > 0 {
			say("The store is the backup's, with its revision raised to %d and everything below marked compacted.", s.Etcd.Revision)
			by(ruleRestore, ruleBump)
		} else {
			say("The store is the backup's, at revision %d.", s.Etcd.Revision)
			by(ruleRestore)
		}
	case RestartKubelet:
		k := &s.Kubelets[a.Target]
		k.Watch, k.Seen, k.MustList, k.Fresh = -1, 0, true, true
		say("The kubelet of %s restarts. What runs there goes on until it lists.", c.Nodes[a.Target].Name)
		by(ruleRestart)
	case RestartControllers:
		s.restartControllers()
		say("The controllers and the scheduler restart.")
		by(ruleLease)
	case CreatePod:
		s.Etcd.Revision = sum(s.Etcd.Revision, 1)
		name := fmt.Sprintf("new-%d", len(s.Changes)+1)
		s.change(Change{Pod: name, Of: -1, Pair: -1, Node: a.Target, Revision: s.Etcd.Revision})
		say("The pod %s is created and bound to %s at revision %d.", name, c.Nodes[a.Target].Name, s.Etcd.Revision)
		by(ruleWrite)
	case DeletePod:
		s.Etcd.Revision = sum(s.Etcd.Revision, 1)
		gone := Change{Delete: true, Of: a.Target, Pair: -1, Revision: s.Etcd.Revision}
		if a.Target < 0 {
			gone.Pod, gone.Pair, gone.Node = c.name(int(a.N)), int32(a.N), int32(c.nodeOf(&s, int(a.N)))
		} else {
			gone.Pod, gone.Node = s.Changes[a.Target].Pod, s.Changes[a.Target].Node
		}
		s.change(gone)
		say("The pod %s is deleted at revision %d.", gone.Pod, s.Etcd.Revision)
		by(ruleWrite)
	case Wait:
		s.Etcd.Revision = sum(s.Etcd.Revision, a.N)
		say("Time passes: the store reaches revision %d.", s.Etcd.Revision)
		by(ruleWrite)
	case HTTPError:
		s.Kubelets[a.Target].MustList = true
		say("The kubelet of %s is answered with an error: it will list.", c.Nodes[a.Target].Name)
		by(ruleError)
	case Close:
		s.Kubelets[a.Target].Watch = -1
		say("The watch of the kubelet of %s ends.", c.Nodes[a.Target].Name)
		by(ruleClose)
	case Sync:
		c.sync(&s, int(a.Target), say, by)
	case Connect:
		if a.Target == TheControllers {
			c.connectControllers(&s, int(a.N), say, by)
			break
		}
		c.connect(&s, int(a.Target), int(a.N), say, by)
	case Deliver:
		if a.Target == TheControllers {
			k := &s.Controllers
			k.Seen = s.Servers[k.Watch].Seen
			say("The controllers have heard all up to %d.", k.Seen)
			by(ruleDeaf, ruleBookmark)
			break
		}
		c.deliver(&s, int(a.Target), say, by)
	}
	return s, step
}

// say and by of a step.
type (
	sayer func(format string, args ...any)
	byer  func(rules ...Rule)
)

func (s *State) change(change Change) {
	s.Etcd.Holds = s.Etcd.Holds.with(len(s.Changes))
	s.Changes = append(s.Changes, change)
}

func (s *State) anyKept() bool {
	for i := range s.Servers {
		if s.Servers[i].Kept {
			return true
		}
	}
	return false
}

func (s *State) disconnect(server int) {
	for i := range s.Kubelets {
		if int(s.Kubelets[i].Watch) == server {
			s.Kubelets[i].Watch = -1
		}
	}
	if s.Controllers.Up && int(s.Controllers.Watch) == server {
		s.Controllers.Watch = -1
	}
}

// list fills an API server's cache with what etcd holds.
func (s *State) list(v *Server) {
	v.Base, v.Holds, v.Timeline, v.Listed, v.Seen = s.Etcd.Base, s.Etcd.Holds, s.Etcd.Restores, s.Etcd.Revision, s.Etcd.Revision
}

// restore puts the backup into the store.
func (c *Cluster) restore(s *State, bump int64) {
	e := &s.Etcd
	if !e.Unstarted {
		e.Restores++
	}
	e.Base, e.Holds, e.Unstarted = Backup, 0, true
	e.Revision, e.Compacted = c.backup.revision, c.backup.compacted
	if bump > 0 {
		e.Revision = max(sum(c.backup.newest, bump), c.backup.compacted)
		e.Compacted = e.Revision
	}
	e.Above = e.Revision > s.highest()
	for i := range s.Servers {
		if v := &s.Servers[i]; v.Up {
			v.Kept = true
			e.Above = e.Above && e.Revision > sum(v.Seen, 1) && v.Seen+1 < e.Compacted
		}
	}
}

// sync is an API server hearing from etcd.
func (c *Cluster) sync(s *State, server int, say sayer, by byer) {
	v, name := &s.Servers[server], c.Servers[server]
	if s.refused(v) {
		seen := v.Seen
		s.list(v)
		s.disconnect(server)
		say("etcd refuses the watch of the API server %s, which resumes above %d: it drops its cache and lists at revision %d.", name, seen, v.Seen)
		by(ruleCompacted, ruleFirstList)
		return
	}
	for i := range s.Changes {
		if s.Etcd.Holds.Has(i) && s.Changes[i].Revision > v.Seen {
			v.Holds = v.Holds.with(i)
		}
	}
	v.Seen = s.Etcd.Revision
	say("The API server %s has seen all up to revision %d.", name, v.Seen)
	if v.Base != s.Etcd.Base {
		by(ruleKept)
	}
}

// connect is a kubelet reaching an API server.
func (c *Cluster) connect(s *State, node, server int, say sayer, by byer) {
	k, v := &s.Kubelets[node], &s.Servers[server]
	name, api := c.Nodes[node].Name, c.Servers[server]
	k.Watch = int8(server)
	switch {
	case k.MustList:
		by(ruleList)
		if k.Fresh {
			by(ruleRestart)
		}
		s.lists(k, v)
		say("The kubelet of %s lists from the API server %s%s.", name, api, c.erasedToo(s, server))
	case k.Seen < v.Listed:
		by(ruleExpired, ruleList)
		seen := k.Seen
		s.lists(k, v)
		say("The kubelet of %s resumes at %d, and the first list of the API server %s was at %d: its watch is refused, and it lists%s.", name, seen, api, v.Listed, c.erasedToo(s, server))
	case k.Seen > v.Seen:
		by(ruleResume, ruleDeaf)
		say("The kubelet of %s resumes at %d, and the API server %s is at %d: its watch is accepted and delivers nothing.", name, k.Seen, api, v.Seen)
	default:
		by(ruleResume)
		say("The kubelet of %s resumes its watch at %d with the API server %s.", name, k.Seen, api)
	}
}

func (c *Cluster) erasedToo(s *State, server int) string {
	if s.Erased(server) {
		return ", which serves the erased past"
	}
	return ""
}

// lists replaces what the kubelet knows by what the API server serves.
func (s *State) lists(k *Kubelet, v *Server) {
	switch {
	case v.Base == Before:
		k.Did = Kept
	case k.Did != Kept: // it has done so already
	case k.Fresh:
		k.Did = Restarted
	default:
		k.Did = Listed
	}
	k.Seen, k.Holds, k.Timeline, k.MustList, k.Fresh = v.Seen, v.Holds, v.Timeline, false, false
}

// deliver is a kubelet hearing of what its API server has seen above what it has seen itself.
func (c *Cluster) deliver(s *State, node int, say sayer, by byer) {
	k := &s.Kubelets[node]
	v, name := &s.Servers[k.Watch], c.Nodes[node].Name
	by(ruleDeaf, ruleBookmark)
	heard := 0
	for i := range s.Changes {
		if v.Holds.Has(i) && s.Changes[i].Revision > k.Seen && !k.Holds.Has(i) {
			k.Holds = k.Holds.with(i)
			if int(s.Changes[i].Node) == node {
				heard++
			}
		}
	}
	say("The kubelet of %s has heard all above %d, up to %d.", name, k.Seen, v.Seen)
	if heard > 0 {
		say("The kubelet of %s hears of its pods what was written above %d, up to %d.", name, k.Seen, v.Seen)
	}
	if v.Base == Before && k.Did != Kept && k.Seen < c.current.revision {
		k.Did, k.Timeline = Kept, v.Timeline
		by(ruleErased)
		say("The API server sends the kubelet of %s erased events, above %d: it runs again what it ran before the restore.", name, k.Seen)
	}
	k.Seen = v.Seen
}
