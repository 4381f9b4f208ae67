package train

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"revenant/analyzer/replay"
	"revenant/internal/words"
)

// moment is what conditions and questions look at.
type moment struct {
	cluster *replay.Cluster
	state   *replay.State
	view    *replay.View
	steps   []replay.Step // of the scenario
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
	{"restored-again", "the backup was restored once more in the scenario", func(m *moment) string {
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
	{"none-twice", "no two pods of one name run", func(m *moment) string {
		for i := range m.view.Pods {
			if p := &m.view.Pods[i]; runsTwice(m, p) {
				return fmt.Sprintf("Two pods run under the name %s, on two nodes.", p.Name)
			}
		}
		return ""
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

// question is something that is to be found out: in what is played, or on evidence.
type question struct {
	id, text string
	about    bool // a goal says what it is asked of (Goal.Of)
	played   *playedQuestion
	found    *foundQuestion
}

// playedQuestion is one about a moment: what a wrong answer overlooks, "" for a right one,
// and the right one.
type playedQuestion struct {
	wrong func(m *moment, answer string) string
	right func(m *moment) string
}

// foundQuestion is the same about evidence. The errors are ctx's, or say that the evidence
// does not have what is asked of it.
type foundQuestion struct {
	wrong func(ctx context.Context, f *facts, of, answer string) (string, error)
	right func(ctx context.Context, f *facts, of string) (string, error)
}

// Questions are what a goal can ask, with their meaning.
func Questions() (list [][2]string) {
	for _, q := range slices.Concat(playedQuestions, foundQuestions) {
		list = append(list, [2]string{q.id, q.text})
	}
	return list
}

func questionOf(id string) *question {
	for _, list := range [][]question{playedQuestions, foundQuestions} {
		if i := slices.IndexFunc(list, func(q question) bool { return q.id == id }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

var playedQuestions = []question{
	{id: "unseen-pods", text: "the pods that run unseen now", played: podsQuestion(func(_ *moment, p *replay.PodView) bool { return p.Phantom }, "that runs unseen", "that run unseen", func(p *replay.PodView) string {
		switch {
		case len(p.RunsOn) == 0:
			return "nothing of it runs"
		case p.Stored != nil:
			return "etcd has it, and it runs where etcd has it"
		}
		return "it does not run unseen"
	})},
	{id: "ghosts", text: "the pods that the API shows as running and that do not run", played: podsQuestion(func(_ *moment, p *replay.PodView) bool { return p.Ghost }, "that the API shows as running, and that does not run", "that the API shows as running, and that do not run", func(p *replay.PodView) string {
		if p.Stored == nil {
			return "etcd does not have it"
		}
		return "it runs"
	})},
	{id: "twice", text: "the pods of which two run under one name", played: podsQuestion(runsTwice, "whose name runs on two nodes", "whose names run on two nodes", func(p *replay.PodView) string {
		if len(p.RunsOn) == 0 {
			return "nothing of it runs"
		}
		return "it runs once"
	})},
	{id: "smallest-bump", text: "the smallest bump that leaves no kubelet deaf, with all API servers restarted", played: &playedQuestion{wrongBump, func(m *moment) string {
		backup, _ := m.cluster.Revisions()
		return fmt.Sprint(m.seen() + 1 - backup)
	}}},
	{id: "lowest-list", text: "the lowest revision at which a first list of an API server makes every kubelet list", played: &playedQuestion{wrongList, func(m *moment) string { return fmt.Sprint(m.seen() + 1) }}},
	{id: "false-list", text: "the API servers whose list of pods is not what etcd holds", played: &playedQuestion{func(m *moment, answer string) string {
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
	}, func(m *moment) string {
		var list []string
		for _, s := range m.view.Servers {
			if s.Erased {
				list = append(list, s.Name)
			}
		}
		return strings.Join(list, " ")
	}}},
}

// seen is the newest revision that a kubelet has seen.
func (m *moment) seen() (seen int64) {
	for _, k := range m.view.Kubelets {
		if k.Up {
			seen = max(seen, k.Seen)
		}
	}
	return seen
}

// short is the name of a pod without its namespace.
func short(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// runsTwice says whether pods of that name run on more than one node.
func runsTwice(m *moment, p *replay.PodView) bool {
	nodes := map[string]bool{}
	for i := range m.view.Pods {
		if o := &m.view.Pods[i]; o.Name == p.Name {
			for _, n := range o.RunsOn {
				nodes[n] = true
			}
		}
	}
	return len(nodes) > 1
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

// podsQuestion asks for the names of the pods of which is holds.
func podsQuestion(is func(*moment, *replay.PodView) bool, one, many string, otherwise func(*replay.PodView) string) *playedQuestion {
	return &playedQuestion{
		wrong: func(m *moment, answer string) string { return wrongPods(m, answer, is, one, many, otherwise) },
		right: func(m *moment) string {
			var list []string
			for i := range m.view.Pods {
				if p := &m.view.Pods[i]; is(m, p) && !slices.Contains(list, p.Name) {
					list = append(list, p.Name)
				}
			}
			return strings.Join(list, " ")
		},
	}
}

// wrongPods compares the pods of an answer with those of which is holds. Two pods of one
// name are one answer.
func wrongPods(m *moment, answer string, is func(*moment, *replay.PodView) bool, one, many string, otherwise func(*replay.PodView) string) string {
	given := names(answer)
	right, other := map[string]bool{}, map[string]string{}
	for i := range m.view.Pods {
		p := &m.view.Pods[i]
		if is(m, p) {
			right[p.Name] = true
		} else if other[p.Name] == "" || len(p.RunsOn) > 0 {
			other[p.Name] = otherwise(p)
		}
	}
	missing := 0
	for i := range m.view.Pods {
		name := m.view.Pods[i].Name
		switch named := slices.Contains(given, name) || slices.Contains(given, short(name)); {
		case named && !right[name]:
			return fmt.Sprintf("Not %s: %s.", name, other[name])
		case !named && right[name]:
			delete(right, name)
			missing++
		}
	}
	if why := unknown(given, func(name string) bool {
		return slices.ContainsFunc(m.view.Pods, func(p replay.PodView) bool { return p.Name == name || short(p.Name) == name })
	}, "pod"); why != "" {
		return why
	}
	if missing > 0 {
		return fmt.Sprintf("Missing: %s. Compare what runs with what etcd has, not with what an API server lists.", words.CountOf(missing, "pod "+one, "pods "+many))
	}
	return ""
}

// wrongBump says what a bump overlooks: it must start the store above all that a kubelet
// has seen.
func wrongBump(m *moment, answer string) string {
	given, err := number(answer)
	if err != nil {
		return fmt.Sprintf("Want a number of revisions, not %.40q.", answer)
	}
	backup, current := m.cluster.Revisions()
	seen := m.seen()
	right := seen + 1 - backup
	switch {
	case given == right:
		return ""
	case given == right+backup || given == seen:
		return fmt.Sprintf("%d is a revision. A bump is added to the newest revision of the backup, %d.", given, backup)
	case given == current-backup:
		return fmt.Sprintf("That is how many revisions lie between the two snapshots, and the newer one ends at %d. Kubelets have seen more than it shows.", current)
	case given == right-1:
		return fmt.Sprintf("The store would start at %d, which a kubelet has seen. An API server that lists before anything is written accepts a watch that resumes there.", seen)
	case given < right:
		return fmt.Sprintf("The store would start at %d, and kubelets have seen revision %d.", backup+given, seen)
	}
	return fmt.Sprintf("%d is enough, and not the smallest. In a real cluster take more than the smallest: nobody knows to the revision what was seen.", given)
}

// wrongList says what a revision of a first list overlooks: a watch is refused when it
// resumes below it.
func wrongList(m *moment, answer string) string {
	given, err := number(answer)
	if err != nil {
		return fmt.Sprintf("Want a revision, not %.40q.", answer)
	}
	backup, current := m.cluster.Revisions()
	right := m.seen() + 1
	switch {
	case given == right:
		return ""
	case given == right-1:
		return fmt.Sprintf("A kubelet has seen revision %d. A watch that resumes at the revision of the first list is accepted.", given)
	case given == backup:
		return fmt.Sprintf("%d is where the backup ends, and kubelets have seen revision %d.", given, right-1)
	case given == current:
		return fmt.Sprintf("%d is where the newest snapshot ends. Kubelets have heard more since: revision %d.", given, right-1)
	case given < right:
		return fmt.Sprintf("A watch that resumes at %d is above a first list at %d, and is accepted.", right-1, given)
	}
	return fmt.Sprintf("%d is enough, and not the lowest.", given)
}

// number reads a number, which may have commas and spaces about it.
func number(text string) (int64, error) {
	return strconv.ParseInt(strings.ReplaceAll(strings.TrimSpace(text), ",", ""), 10, 64)
}
