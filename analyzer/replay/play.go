package replay

import (
	"slices"

	"revenant/analyzer/restore"
)

// Settle lets happen what happens by itself, one after another, until nothing is left to:
// API servers hear from etcd, kubelets reach the first API server that accepts them, and
// hear from it. Watches do not end by themselves, and no HTTP error occurs.
func (c *Cluster) Settle(s State) (State, []Step) {
	var steps []Step
	for {
		a, ok := c.next(&s)
		if !ok {
			return s, steps
		}
		var step Step
		s, step = c.Do(s, a)
		steps = append(steps, step)
	}
}

// next is what happens by itself next.
func (c *Cluster) next(s *State) (Action, bool) {
	for _, a := range c.environment(s, nil) {
		if a.Kind != Close && a.Kind != HTTPError {
			return a, true
		}
	}
	return Action{}, false
}

// Script is what the operator does under a plan, in the order of a runbook. What happens
// by itself happens between two parts.
func (c *Cluster) Script(s *State, plan restore.Plan) [][]Action {
	act := func(kind Kind, target int, n int64) Action { return Action{kind, int32(target), n} }
	var stop, start, kubelets []Action
	for i, name := range c.Servers {
		if plan.KeepAPIServers && !slices.Contains(plan.RestartAPIServers, name) {
			continue
		}
		stop, start = append(stop, act(StopServer, i, 0)), append(start, act(StartServer, i, 0))
	}
	for i, n := range c.Nodes {
		if s.Kubelets[i].Up && (plan.RestartKubelets.Includes(n.Name) || c.restartsWith(n, plan)) {
			kubelets = append(kubelets, act(RestartKubelet, i, 0))
		}
	}
	return [][]Action{
		stop,
		slices.Concat([]Action{act(StopEtcd, 0, 0), act(Restore, 0, plan.BumpRevision), act(StartEtcd, 0, 0)}, start, kubelets),
	}
}

// restartsWith says whether the node's kubelet is restarted with its API server, because
// both are part of one service.
func (c *Cluster) restartsWith(n Node, plan restore.Plan) bool {
	return n.Service != "" && !n.Gone && (!plan.KeepAPIServers || slices.Contains(plan.RestartAPIServers, n.Name))
}

// Run plays a plan to its end.
func (c *Cluster) Run(s State, plan restore.Plan) (State, []Step) {
	var steps []Step
	for i, part := range c.Script(&s, plan) {
		for _, a := range part {
			var step Step
			s, step = c.Do(s, a)
			steps = append(steps, step)
		}
		if i == 0 && !s.served() {
			continue // nothing accepts a kubelet
		}
		var settled []Step
		s, settled = c.Settle(s)
		steps = append(steps, settled...)
	}
	return s, steps
}

func (s *State) served() bool {
	return slices.ContainsFunc(s.Servers, func(v Server) bool { return v.Up })
}

// Phantom is a pod that runs on a node while etcd does not have it there.
type Phantom struct {
	Pod  string
	Node int // index of the node
}

// Phantoms are the pods that run unseen, those that only the erased past of an API server
// shows among them. Where a kubelet is still to hear of a deletion, its pod is one.
func (c *Cluster) Phantoms(s *State) ([]Phantom, error) {
	var list []Phantom
	if s.Etcd.Base == Backup {
		p, err := c.Prediction(s)
		if err != nil {
			return nil, err
		}
		for i := range p.Pods {
			o := &p.Pods[i]
			node := c.node(o.Node)
			switch {
			case node < 0:
			case o.Outcome == restore.Phantom || o.Outcome == restore.Hidden:
				list = append(list, Phantom{c.name(i), node})
			case len(o.RunsOn) > 0 && s.removed(s.Etcd.Holds, i) && !s.removed(s.Kubelets[node].Holds, i):
				list = append(list, Phantom{c.name(i), node})
			}
		}
	}
	for i := range s.Changes {
		if n := int(s.Changes[i].Node); s.Runs(i) && !s.exists(i) {
			list = append(list, Phantom{s.Changes[i].Pod, n})
		}
	}
	return list, nil
}

// Runs says whether the pod that a change created runs on its node.
func (s *State) Runs(change int) bool {
	created := &s.Changes[change]
	k := &s.Kubelets[created.Node]
	return !created.Delete && k.Up && k.Holds.Has(change) && !s.deletedIn(k.Holds, change)
}
