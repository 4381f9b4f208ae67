package train

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// moment is what conditions and questions look at.
type moment struct {
	cluster *replay.Cluster
	state   *replay.State
	view    *replay.View
	steps   []replay.Step // of the exercise
	cost    Cost
}

func (x *Session) moment() (*moment, error) {
	view, err := x.Play.View(x.Play.State())
	if err != nil {
		return nil, err
	}
	cost, err := x.Cost()
	return &moment{x.Play.Cluster, x.Play.State(), view, x.Steps(), cost}, err
}

// condition is something that is to be so.
type condition struct {
	id, text string
	lacks    func(*moment) string // what is missing, "" when it is so
}

// Conditions are what a goal can ask of a moment, with their meaning.
func Conditions() (list [][2]string) {
	for _, c := range conditions {
		list = append(list, [2]string{c.id, c.text})
	}
	return list
}

func conditionOf(id string) *condition {
	i := slices.IndexFunc(conditions, func(c condition) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return &conditions[i]
}

var conditions = []condition{
	{"restored", "etcd holds the backup", func(m *moment) string {
		if m.state.Etcd.Restores == 0 {
			return "The backup has not been restored."
		}
		return ""
	}},
	{"restored-again", "the backup was restored once more in the exercise", func(m *moment) string {
		if !slices.ContainsFunc(m.steps, func(s replay.Step) bool { return s.Action.Kind == replay.Restore }) {
			return "The backup has not been restored again."
		}
		return ""
	}},
	{"up", "etcd and every API server are up, and nothing is left to happen by itself", func(m *moment) string {
		if !m.state.Etcd.Up {
			return "etcd is down."
		}
		for _, s := range m.view.Servers {
			if !s.Up {
				return fmt.Sprintf("The API server %s is down.", s.Name)
			}
		}
		if !m.state.Settled() {
			return "Something is still to happen by itself: let it (n, or settle)."
		}
		return ""
	}},
	{"no-phantoms", "no pod runs unseen", func(m *moment) string {
		var list []string
		for _, p := range m.view.Pods {
			if p.Phantom {
				list = append(list, p.Name+" on "+p.Node)
			}
		}
		if len(list) == 0 {
			return ""
		}
		return "Runs unseen: " + words.List(list) + ". " + whyNot(m)
	}},
	{"no-ghosts", "no pod that the API shows as running does not run", func(m *moment) string {
		for _, p := range m.view.Pods {
			if p.Ghost {
				return fmt.Sprintf("The API shows %s as running, and nothing of it runs.", p.Name)
			}
		}
		return ""
	}},
	{"not-killed", "no pod was killed without its own grace period", func(m *moment) string {
		if n := m.cost.Killed; n > 0 {
			return fmt.Sprintf("%s killed within 2 s, without a preStop hook: a kubelet that is restarted does that to what it does not find in the API.", words.CountOf(n, "pod was", "pods were"))
		}
		return ""
	}},
	{"kubelets-untouched", "no kubelet was restarted", func(m *moment) string {
		if n := m.cost.Kubelets; n > 0 {
			return fmt.Sprintf("%s restarted. It can be done without.", words.CountOf(n, "kubelet was", "kubelets were"))
		}
		return ""
	}},
	{"no-second-restore", "the backup was not restored again", func(m *moment) string {
		if m.cost.Restores > 0 {
			return "The backup was restored again. What was created since the first restore is lost by that."
		}
		return ""
	}},
	{"truthful", "every API server serves what etcd holds", func(m *moment) string {
		for _, s := range m.view.Servers {
			if s.Erased {
				return fmt.Sprintf("The API server %s was left running and serves the erased past. What kubectl lists through it is no proof of anything.", s.Name)
			}
		}
		return ""
	}},
	{"new-pod-runs", "a pod that was created after the restore exists and runs", func(m *moment) string {
		created := false
		for i, p := range m.view.Pods {
			if strings.HasPrefix(p.Name, "new-") && p.Stored != nil && i >= 0 {
				created = true
				if len(p.RunsOn) == 0 {
					return fmt.Sprintf("The pod %s exists and does not run: the kubelet of %s has not heard of it.", p.Name, p.Node)
				}
			}
		}
		if !created {
			return "No pod was created after the restore, or it is lost."
		}
		return ""
	}},
}

// whyNot says why kubelets with phantoms do not stop them.
func whyNot(m *moment) string {
	for _, k := range m.view.Kubelets {
		if k.Phantoms > 0 {
			return fmt.Sprintf("The kubelet of %s: %s", k.Node, k.Why)
		}
	}
	return ""
}

// question is something that is to be found out.
type question struct {
	id, text string
	wrong    func(m *moment, answer string) string // what a wrong answer overlooks, "" for a right one
}

// Questions are what a goal can ask, with their meaning.
func Questions() (list [][2]string) {
	for _, q := range questions {
		list = append(list, [2]string{q.id, q.text})
	}
	return list
}

func questionOf(id string) *question {
	i := slices.IndexFunc(questions, func(q question) bool { return q.id == id })
	if i < 0 {
		return nil
	}
	return &questions[i]
}

var questions = []question{
	{"unseen-pods", "the pods that run unseen now", func(m *moment, answer string) string {
		return wrongPods(m, answer, func(p *replay.PodView) bool { return p.Phantom }, "runs unseen", func(p *replay.PodView) string {
			switch {
			case len(p.RunsOn) == 0:
				return "nothing of it runs"
			case p.Stored != nil:
				return "etcd has it, and it runs where etcd has it"
			}
			return "it does not run unseen"
		})
	}},
	{"ghosts", "the pods that the API shows as running and that do not run", func(m *moment, answer string) string {
		return wrongPods(m, answer, func(p *replay.PodView) bool { return p.Ghost }, "is shown as running, and does not run", func(p *replay.PodView) string {
			if p.Stored == nil {
				return "etcd does not have it"
			}
			return "it runs"
		})
	}},
	{"smallest-bump", "the smallest bump that leaves no kubelet deaf, with all API servers restarted", wrongBump},
	{"false-list", "the API servers whose list of pods is not what etcd holds", func(m *moment, answer string) string {
		given := names(answer)
		for _, s := range m.view.Servers {
			switch named := slices.Contains(given, s.Name); {
			case named && !s.Erased:
				return fmt.Sprintf("%s has listed since the restore: it serves what etcd holds.", s.Name)
			case !named && s.Erased:
				return fmt.Sprintf("There is one more, that was left running through the restore: its cache is of before (of %s).", words.Count(len(m.view.Servers), "API server"))
			}
		}
		return unknown(given, func(name string) bool { return slices.Contains(m.cluster.Servers, name) }, "API server")
	}},
}

// names are those of an answer.
func names(answer string) []string {
	return strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })
}

// unknown says that a name is of nothing here.
func unknown(given []string, known func(string) bool, what string) string {
	for _, name := range given {
		if !known(name) {
			return fmt.Sprintf("There is no %s called %.40q here.", what, name)
		}
	}
	return ""
}

// wrongPods compares the pods of an answer with those of which is holds.
func wrongPods(m *moment, answer string, is func(*replay.PodView) bool, what string, otherwise func(*replay.PodView) string) string {
	given := names(answer)
	short := func(name string) string { return name[strings.LastIndex(name, "/")+1:] }
	named := func(p *replay.PodView) bool {
		return slices.Contains(given, p.Name) || slices.Contains(given, short(p.Name))
	}
	missing := 0
	for i := range m.view.Pods {
		switch p := &m.view.Pods[i]; {
		case named(p) && !is(p):
			return fmt.Sprintf("Not %s: %s.", p.Name, otherwise(p))
		case !named(p) && is(p):
			missing++
		}
	}
	if why := unknown(given, func(name string) bool {
		return slices.ContainsFunc(m.view.Pods, func(p replay.PodView) bool { return p.Name == name || short(p.Name) == name })
	}, "pod"); why != "" {
		return why
	}
	if missing > 0 {
		return fmt.Sprintf("%s more that %s. Compare what runs with what etcd has, not with what an API server lists.", words.CountOf(missing, "There is 1 pod", "There are pods"), what)
	}
	return ""
}

// wrongBump says what a bump overlooks: it must start the store above all that a kubelet
// has seen.
func wrongBump(m *moment, answer string) string {
	given, err := strconv.ParseInt(strings.ReplaceAll(answer, ",", ""), 10, 64)
	if err != nil {
		return fmt.Sprintf("Want a number of revisions, not %.40q.", answer)
	}
	backup, current := m.cluster.Revisions()
	seen := int64(0)
	for _, k := range m.view.Kubelets {
		seen = max(seen, k.Seen)
	}
	right := seen + 1 - backup
	switch {
	case given == right:
		return ""
	case given == right+backup || given == seen:
		return fmt.Sprintf("%d is a revision. A bump is added to the newest revision of the backup, %d.", given, backup)
	case given == current-backup:
		return fmt.Sprintf("That is how many revisions lie between the two snapshots, and the newer one ends at %d. Kubelets have seen more than it shows.", current)
	case given == right-1:
		return fmt.Sprintf("The store would start at %d, which a kubelet has seen. A watch that resumes at the revision of the first list is accepted.", seen)
	case given < right:
		return fmt.Sprintf("The store would start at %d, and kubelets have seen revision %d.", backup+given, seen)
	}
	return fmt.Sprintf("%d is enough, and not the smallest. In a real cluster take more than the smallest: nobody knows to the revision what was seen.", given)
}

// Cost is how much an exercise disturbed the cluster.
type Cost struct {
	Servers  int // restarts of API servers
	Kubelets int // restarts of kubelets
	Restores int // beyond the first
	Killed   int // pods killed within 2 s, without their preStop hooks
	Stopped  int // pods stopped with their own grace period
	Lost     int // pods that were created after a restore, and that a later one took back
}

// Cost counts what the exercise has disturbed so far.
func (x *Session) Cost() (Cost, error) {
	var cost Cost
	restores := int(x.Play.State().Etcd.Restores)
	for _, step := range x.Steps() {
		switch step.Action.Kind {
		case replay.StartServer:
			cost.Servers++
		case replay.RestartKubelet:
			cost.Kubelets++
		}
	}
	cost.Restores = max(0, restores-1)
	s := x.Play.State()
	for i := range s.Changes {
		if !s.Changes[i].Delete && !s.Etcd.Holds.Has(i) {
			cost.Lost++
		}
	}
	if restores == 0 {
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

// String says it in words.
func (c Cost) String() string {
	var list []string
	say := func(n int, one, many string) {
		if n > 0 {
			list = append(list, words.CountOf(n, one, many))
		}
	}
	say(c.Killed, "pod killed without its preStop hook", "pods killed without their preStop hooks")
	say(c.Lost, "new pod lost", "new pods lost")
	say(c.Restores, "restore more", "restores more")
	say(c.Kubelets, "restart of a kubelet", "restarts of kubelets")
	say(c.Servers, "start of an API server", "starts of API servers")
	say(c.Stopped, "pod stopped with its own grace period", "pods stopped with their own grace period")
	if len(list) == 0 {
		return "nothing"
	}
	return words.List(list)
}
