package replay

import (
	"context"
	"fmt"
)

// Invariant is what holds in every state that can be reached.
type Invariant struct {
	ID        string
	Statement string
	holds     func(c *Cluster, s *State) (bool, error)
}

// settledPhantoms are the phantoms of a settled state, none in others.
func settledPhantoms(c *Cluster, s *State) ([]Phantom, error) {
	if !s.Settled() {
		return nil, nil
	}
	return c.Phantoms(s)
}

// Invariants hold in all states.
var Invariants = []Invariant{
	{"unlisted", "A pod runs as a phantom only on a node whose kubelet has not listed from the restored store since the last restore.", func(c *Cluster, s *State) (bool, error) {
		list, err := settledPhantoms(c, s)
		for _, p := range list {
			if s.Kubelets[p.Node].Timeline >= s.Etcd.Restores {
				return false, err
			}
		}
		return true, err
	}},
	{"above", "After a restore whose revision starts above all that kubelets have seen, and two above all that API servers left running have seen, every path settles without a phantom.", func(c *Cluster, s *State) (bool, error) {
		list, err := settledPhantoms(c, s)
		return !s.Etcd.Above || len(list) == 0, err
	}},
	{"accepted", "A kubelet that has not listed since the last restore is connected to an API server whose first list was at or below what the kubelet has seen; and so are the controllers.", func(_ *Cluster, s *State) (bool, error) {
		for i := range s.Kubelets {
			if k := &s.Kubelets[i]; k.Up && k.Watch >= 0 && k.Timeline < s.Etcd.Restores && s.Servers[k.Watch].Listed > k.Seen {
				return false, nil
			}
		}
		k := &s.Controllers
		return !k.Up || k.Watch < 0 || k.Timeline >= s.Etcd.Restores || s.Servers[k.Watch].Listed <= k.Seen, nil
	}},
	{"kept", "Only an API server that was left running serves the erased past.", func(_ *Cluster, s *State) (bool, error) {
		for i := range s.Servers {
			if s.Erased(i) && !s.Servers[i].Kept {
				return false, nil
			}
		}
		return true, nil
	}},
	{"unstarted", "A pod that was created, and that its node's connected kubelet has not started once all is settled, is on a node whose kubelet has not listed since the last restore.", func(_ *Cluster, s *State) (bool, error) {
		if !s.Settled() {
			return true, nil
		}
		for i := range s.Changes {
			if k := &s.Kubelets[s.Changes[i].Node]; s.exists(i) && k.Up && !s.Runs(i) && k.Timeline >= s.Etcd.Restores {
				return false, nil
			}
		}
		return true, nil
	}},
}

// Remedy is what an operator may do, and what is said to come of it: that the cluster has
// settled without a phantom.
type Remedy struct {
	ID        string
	Statement string
	// True says that no state contradicts it. Of one that is not true, Because says what it
	// overlooks.
	True    bool
	Because string
	// applies says in which states it can be begun, and do takes the operator's actions,
	// what happens by itself among them.
	applies func(c *Cluster, s *State) bool
	do      func(*doing)
}

// doing is the operator at work.
type doing struct {
	c     *Cluster
	s     State
	steps []Step
}

func (d *doing) act(kind Kind, target int, n int64) {
	s, step := d.c.Do(d.s, Action{kind, int32(target), n})
	d.s, d.steps = s, append(d.steps, step)
}

func (d *doing) settle() {
	s, steps := d.c.Settle(d.s)
	d.s, d.steps = s, append(d.steps, steps...)
}

// up starts what is down.
func (d *doing) up() {
	if !d.s.Etcd.Up {
		d.act(StartEtcd, 0, 0)
	}
	for i := range d.s.Servers {
		if !d.s.Servers[i].Up {
			d.act(StartServer, i, 0)
		}
	}
}

// restartServers restarts all API servers, after the last has stopped.
func (d *doing) restartServers() {
	d.stopServers()
	d.up()
}

func (d *doing) stopServers() {
	for i := range d.s.Servers {
		if d.s.Servers[i].Up {
			d.act(StopServer, i, 0)
		}
	}
}

func (d *doing) restartKubelets() {
	for i := range d.s.Kubelets {
		if d.s.Kubelets[i].Up {
			d.act(RestartKubelet, i, 0)
		}
	}
}

// restore stops etcd, restores the backup and starts all again.
func (d *doing) restore(bump int64) {
	if d.s.Etcd.Up {
		d.act(StopEtcd, 0, 0)
	}
	d.act(Restore, 0, bump)
	d.up()
}

// pass lets the cluster write until the store is above all that kubelets have seen.
func (d *doing) pass() {
	if n := d.s.highest() + 1 - d.s.Etcd.Revision; n > 0 {
		d.act(Wait, 0, n)
	}
}

func restored(_ *Cluster, s *State) bool { return s.Etcd.Restores > 0 && s.Etcd.Up && s.served() }
func lost(_ *Cluster, s *State) bool     { return s.Etcd.Restores == 0 && s.Etcd.Up && s.Settled() }

// Remedies are those that heal, and then what is believed to and does not.
var Remedies = []Remedy{
	{ID: "bump", True: true, Statement: "Stop the API servers, restore with a bump above all that was seen, and start them.",
		applies: lost, do: func(d *doing) {
			d.stopServers()
			d.restore(max(d.s.highest(), d.s.Etcd.Revision) + 1 - d.c.backup.newest)
		}},
	{ID: "again above", True: true, Statement: "After a restore gone wrong: stop the API servers and restore once more, with a bump above all that was seen by then.",
		applies: restored, do: func(d *doing) {
			d.stopServers()
			d.restore(max(d.s.highest(), d.s.Etcd.Revision) + 1 - d.c.backup.newest)
		}},
	{ID: "second restart", True: true, Statement: "Let the store pass all that kubelets have seen, then restart every API server once more.",
		applies: restored, do: func(d *doing) { d.up(); d.pass(); d.restartServers() }},
	{ID: "kubelets", True: true, Statement: "Restart every API server, then every kubelet.",
		applies: restored, do: func(d *doing) { d.restartServers(); d.restartKubelets() }},

	{ID: "servers", Statement: "Restarting the API servers is enough.",
		Because: "An API server that starts below what a kubelet has seen accepts its watch, and delivers nothing. Nothing makes the kubelet list.",
		applies: func(_ *Cluster, s *State) bool { return restored(nil, s) && !s.anyKept() },
		do:      func(d *doing) { d.restartServers() }},
	{ID: "waiting", Statement: "Once the revision has caught up, all is well again.",
		Because: "From then on the kubelet hears what is written next. It does not list, so what it runs that the API does not have runs on.",
		applies: func(_ *Cluster, s *State) bool { return restored(nil, s) && s.Settled() && !s.anyKept() },
		do:      func(d *doing) { d.pass(); d.settle() }},
	{ID: "gap", Statement: "A bump by the revisions that the restore undoes is enough.",
		Because: "The snapshots do not show all that was seen: revisions were written and served after the newest one was saved.",
		applies: lost, do: func(d *doing) { d.stopServers(); d.restore(d.c.current.revision - d.c.backup.newest) }},
	{ID: "same bump", Statement: "A bump that was enough once is enough again.",
		Because: "After the first restore, kubelets have seen revisions above the bump. The same bump starts the store below them.",
		applies: func(_ *Cluster, s *State) bool { return restored(nil, s) && s.Etcd.Restores == 1 && s.Etcd.Above },
		do: func(d *doing) {
			bump := d.s.Etcd.Compacted - d.c.backup.newest
			d.stopServers()
			d.restore(bump)
		}},
	{ID: "kubelets alone", Statement: "Restarting the kubelets heals whatever the API servers do.",
		Because: "A kubelet that lists from an API server that was left running is given the erased past.",
		applies: restored, do: func(d *doing) { d.up(); d.restartKubelets() }},
	{ID: "one server", Statement: "Restarting one API server of several is enough, with the kubelets.",
		Because: "The others serve the erased past, and a kubelet lists from whichever it reaches.",
		applies: restored, do: func(d *doing) {
			d.up()
			d.act(StopServer, 0, 0)
			d.act(StartServer, 0, 0)
			d.restartKubelets()
			for i := range d.s.Kubelets { // the balancer moves each to the last API server
				if last := len(d.s.Servers) - 1; d.s.Kubelets[i].Up && d.c.reaches(i, last) {
					d.act(Connect, i, int64(last))
				}
			}
		}},
	{ID: "too early", Statement: "A second restart of the API servers heals, whenever it is.",
		Because: "It heals only once the store has passed what kubelets have seen. Before that, their watches are accepted again.",
		applies: func(_ *Cluster, s *State) bool { return restored(nil, s) && s.Settled() && !s.anyKept() },
		do:      func(d *doing) { d.restartServers() }},
	{ID: "left running", Statement: "With a bump one above all that was seen, API servers may be left running.",
		Because: "etcd refuses to resume a watch when its next revision is compacted: the store must start two above what an API server has seen.",
		applies: lost, do: func(d *doing) { d.restore(max(d.s.highest(), d.s.Etcd.Revision) + 1 - d.c.backup.newest) }},
	{ID: "list", Statement: "If no pod is missing from kubectl's list, none runs unseen.",
		Because: "An API server that was left running lists the erased past: there, phantoms are in the list.",
		applies: func(c *Cluster, s *State) bool { return restored(c, s) && s.Settled() && s.anyErased() }, do: func(*doing) {}},
}

func (s *State) anyErased() bool {
	for i := range s.Servers {
		if s.Erased(i) {
			return true
		}
	}
	return false
}

// Trace is how a state was reached.
type Trace struct {
	Steps    []Step
	State    State
	Phantoms []Phantom
}

// Exploration is what all states that can be reached show.
type Exploration struct {
	States, Transitions int
	Depth               int
	Settled, Restored   int // states, among them
	// Broken is the shortest trace to a state in which an invariant does not hold, by its id.
	Broken map[string]*Trace
	// Failed is a trace by which a remedy leaves a phantom, by its id: the shortest to where it is
	// begun; and Tried
	// in how many states it was begun.
	Failed map[string]*Trace
	Tried  map[string]int
}

// reached is a state, and how it was.
type reached struct {
	state State
	from  int32
	by    Action
}

// Explore visits every state that can be reached from start in at most depth actions,
// whoever takes them and in whatever order, and tries every remedy in each.
func Explore(ctx context.Context, c *Cluster, start State, depth int) (*Exploration, error) {
	x := &Exploration{Depth: depth, Broken: map[string]*Trace{}, Failed: map[string]*Trace{}, Tried: map[string]int{}}
	list := []reached{{start, -1, Action{}}}
	seen := map[string]bool{start.key(): true}
	for level, from := 0, 0; level <= depth && from < len(list); level++ {
		to := len(list)
		for i := from; i < to; i++ {
			if i%1024 == 0 && ctx.Err() != nil {
				return nil, fmt.Errorf("explore: %w", context.Cause(ctx))
			}
			if err := x.check(c, list, i); err != nil {
				return nil, err
			}
			if level == depth {
				continue
			}
			for _, a := range c.Actions(&list[i].state) {
				x.Transitions++
				next, _ := c.Do(list[i].state, a)
				if key := next.key(); !seen[key] {
					seen[key] = true
					list = append(list, reached{next, int32(i), a})
				}
			}
		}
		from = to
	}
	x.States = len(list)
	return x, nil
}

// check holds the invariants against a state and tries the remedies in it.
func (x *Exploration) check(c *Cluster, list []reached, i int) error {
	s := &list[i].state
	if s.Settled() {
		x.Settled++
	}
	if s.Etcd.Restores > 0 {
		x.Restored++
	}
	for _, inv := range Invariants {
		ok, err := inv.holds(c, s)
		if err != nil {
			return err
		}
		if !ok && x.Broken[inv.ID] == nil {
			x.Broken[inv.ID] = trace(c, list, i)
		}
	}
	for _, r := range Remedies {
		if x.Failed[r.ID] != nil || !r.applies(c, s) {
			continue
		}
		x.Tried[r.ID]++
		d := &doing{c: c, s: *s}
		r.do(d)
		d.settle()
		phantoms, err := c.Phantoms(&d.s)
		if err != nil {
			return err
		}
		if len(phantoms) > 0 {
			t := trace(c, list, i)
			t.Steps, t.State, t.Phantoms = append(t.Steps, d.steps...), d.s, phantoms
			x.Failed[r.ID] = t
		}
	}
	return nil
}

// trace is how the state was reached.
func trace(c *Cluster, list []reached, i int) *Trace {
	var actions []Action
	t := &Trace{State: list[i].state}
	s := list[0].state
	for at := i; list[at].from >= 0; at = int(list[at].from) {
		actions = append(actions, list[at].by)
	}
	for j := len(actions) - 1; j >= 0; j-- {
		var step Step
		s, step = c.Do(s, actions[j])
		t.Steps = append(t.Steps, step)
	}
	t.Phantoms, _ = c.Phantoms(&t.State)
	return t
}
