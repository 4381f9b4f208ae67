package train

import (
	"fmt"
	"slices"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Cost is how much a scenario disturbed the cluster, and how much help it took.
type Cost struct {
	Killed   int `json:"killed"`   // pods killed within 2 s, without their preStop hooks
	Lost     int `json:"lost"`     // pods that were created after a restore, and that a later one took back
	Restores int `json:"restores"` // beyond the first
	Kubelets int `json:"kubelets"` // restarts of kubelets
	Kept     int `json:"kept"`     // API servers left running while etcd was restored
	Deaf     int `json:"deaf"`     // waits, and pods created or deleted, while a kubelet was deaf
	Servers  int `json:"servers"`  // starts of API servers
	Stopped  int `json:"stopped"`  // pods stopped with their own grace period
	Wrong    int `json:"wrong"`    // answers that were refused
}

// weights are what each costs, in points.
var weights = []struct {
	points    int
	of        func(*Cost) int
	one, many string
}{
	{20, func(c *Cost) int { return c.Killed }, "pod killed without its preStop hook", "pods killed without their preStop hooks"},
	{20, func(c *Cost) int { return c.Lost }, "new pod lost", "new pods lost"},
	{20, func(c *Cost) int { return c.Restores }, "restore more", "restores more"},
	{5, func(c *Cost) int { return c.Kubelets }, "restart of a kubelet", "restarts of kubelets"},
	{5, func(c *Cost) int { return c.Wrong }, "wrong answer", "wrong answers"},
	{2, func(c *Cost) int { return c.Kept }, "API server left running through a restore", "API servers left running through restores"},
	{1, func(c *Cost) int { return c.Deaf }, "wait or change with a kubelet deaf", "waits or changes with kubelets deaf"},
	{1, func(c *Cost) int { return c.Servers }, "start of an API server", "starts of API servers"},
	{1, func(c *Cost) int { return c.Stopped }, "pod stopped with its own grace period", "pods stopped with their own grace period"},
}

// Points weigh the cost: a pod killed, lost, or a restore more 20; a restart of a kubelet
// or a wrong answer 5; an API server left running through a restore 2; all else 1.
func (c *Cost) Points() (points int) {
	for _, w := range weights {
		points += w.points * w.of(c)
	}
	return points
}

// String says it in words.
func (c Cost) String() string {
	var list []string
	for _, w := range weights {
		if n := w.of(&c); n > 0 {
			list = append(list, words.CountOf(n, w.one, w.many))
		}
	}
	if len(list) == 0 {
		return "nothing"
	}
	return words.List(list)
}

// Score is what a scenario cost beside the best known way, in sentences.
func (s *Scenario) Score(cost, best Cost) string {
	switch {
	case s.Played():
		return fmt.Sprintf("It cost %s: %s. The best known way costs %s: %s.", words.Count(cost.Points(), "point"), cost, words.Count(best.Points(), "point"), best)
	case cost.Wrong > 0:
		return fmt.Sprintf("It took %s, %s.", words.CountOf(cost.Wrong, "wrong answer", "wrong answers"), words.Count(cost.Points(), "point"))
	}
	return "It took no wrong answer."
}

// Cost counts what the scenario has disturbed so far.
func (x *Session) Cost() (Cost, error) {
	cost := Cost{Wrong: x.wrong}
	if x.Play == nil {
		return cost, nil
	}
	s := x.Play.State()
	for i, step := range x.Steps() {
		switch step.Action.Kind {
		case replay.StartServer:
			cost.Servers++
		case replay.RestartKubelet:
			cost.Kubelets++
		case replay.Restore:
			for _, v := range x.Play.Moments()[x.begun+i].Servers {
				if v.Up {
					cost.Kept++
				}
			}
		case replay.Wait, replay.CreatePod, replay.DeletePod:
			before := &x.Play.Moments()[x.begun+i]
			for k := range before.Kubelets {
				if before.Deaf(k) {
					cost.Deaf++
					break
				}
			}
		}
	}
	cost.Restores = max(0, int(s.Etcd.Restores)-1)
	for i := range s.Changes {
		if !s.Changes[i].Delete && !s.Etcd.Holds.Has(i) {
			cost.Lost++
		}
	}
	if s.Etcd.Restores == 0 {
		return cost, nil
	}
	p, err := x.Play.Prediction(s)
	if err != nil {
		return cost, err
	}
	for i := range p.Pods {
		if p.Pods[i].Outcome != restore.Terminated {
			continue
		}
		node := slices.IndexFunc(x.Play.Nodes, func(n replay.Node) bool { return n.Name == p.Pods[i].Node })
		if node >= 0 && s.Kubelets[node].Did == replay.Restarted {
			cost.Killed++
		} else {
			cost.Stopped++
		}
	}
	return cost, nil
}
