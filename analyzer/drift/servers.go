package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/kubelet"
	"revenant/internal/words"
)

// Server is what one API server lists. A resourceVersion of the list would not tell
// whose past it is: two that list different pods may have the same.
type Server struct {
	Name string
	Pods []kubelet.Pod
	// Only is the one namespace that it lists pods of although there are others: it
	// may be the list of that namespace. "" when that is not so.
	Only string
}

// ServerReport is what was found of an API server.
type ServerReport struct {
	Name       string `json:"name"`
	Pods       int    `json:"pods"`
	Differs    int    `json:"differs"`    // names that not all API servers list alike
	AsSnapshot int    `json:"asSnapshot"` // those of them that it lists as the snapshot has them
}

// view says whether two API servers list a pod alike.
func view(a, b *kubelet.Pod) bool {
	return place(a, b) && (a == nil || a.Phase == b.Phase && a.Terminating == b.Terminating && slices.Equal(a.Containers, b.Containers))
}

// place says whether they agree on what no kubelet's report changes.
func place(a, b *kubelet.Pod) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.UID == b.UID && a.Node == b.Node
}

// servers finds what API servers list differently, and returns the lists that the
// nodes are held against.
func (in *Input) servers(r *Report) []Server {
	snapshot := byName(in.API)
	names, lists := map[string]struct{}{}, make([]map[string]*kubelet.Pod, len(in.Servers))
	for i, s := range in.Servers {
		r.Servers = append(r.Servers, ServerReport{Name: s.Name, Pods: len(s.Pods)})
		lists[i] = byName(s.Pods)
		for name := range lists[i] {
			names[name] = struct{}{}
		}
	}
	for _, name := range sortedKeys(names) {
		all := make([]*kubelet.Pod, len(lists))
		for i := range lists {
			all[i] = lists[i][name]
		}
		if !differ(all, view) {
			continue
		}
		same := place
		if !differ(all, place) {
			same = view
		}
		var as []string
		for i := range r.Servers {
			r.Servers[i].Differs++
			if !in.Unreadable[name] && same(all[i], snapshot[name]) {
				r.Servers[i].AsSnapshot++
				as = append(as, in.Servers[i].Name)
			}
		}
		in.disagreement(r, all, as)
	}
	return in.settle(r)
}

func byName(pods []kubelet.Pod) map[string]*kubelet.Pod {
	m := make(map[string]*kubelet.Pod, len(pods))
	for i := range pods {
		m[pods[i].Namespace+"/"+pods[i].Name] = &pods[i]
	}
	return m
}

// differ says whether not all are the same.
func differ(all []*kubelet.Pod, same func(a, b *kubelet.Pod) bool) bool {
	return slices.ContainsFunc(all[1:], func(p *kubelet.Pod) bool { return !same(all[0], p) })
}

// disagreement says how API servers list one pod, and which of them as the snapshot
// has it.
func (in *Input) disagreement(r *Report, all []*kubelet.Pod, as []string) {
	var says []string
	var first *kubelet.Pod
	containers := !differ(all, place)
	for i, p := range all {
		alike := func(o *kubelet.Pod) bool { return view(o, p) }
		if slices.ContainsFunc(all[:i], alike) {
			continue
		}
		if first == nil {
			first = p
		}
		var who []string
		for j := range all {
			if alike(all[j]) {
				who = append(who, in.Servers[j].Name)
			}
		}
		says = append(says, listed(who, p, containers))
	}
	f := Finding{Kind: Disagreement, Evidence: []string{}, Reason: strings.Join(says, "; ") + "."}
	for _, s := range in.Servers {
		f.Evidence = append(f.Evidence, s.Name)
	}
	switch {
	case in.Unreadable[first.Namespace+"/"+first.Name]:
	case len(as) == 0:
		f.Reason += " The snapshot agrees with none of them."
	default:
		f.Reason += " The snapshot agrees with " + words.List(as) + "."
	}
	r.add(f, first.Node, first)
}

// settle says of all that was listed differently what to do, and returns the lists that
// the nodes are held against: those that agree with a snapshot which is not older.
func (in *Input) settle(r *Report) []Server {
	total := r.Servers[0].Differs
	if total == 0 {
		return in.Servers
	}
	var right []Server
	var agree, stale, counts []string
	for i, s := range r.Servers {
		if s.AsSnapshot == total {
			right, agree = append(right, in.Servers[i]), append(agree, s.Name)
		} else {
			stale = append(stale, s.Name)
		}
		counts = append(counts, fmt.Sprintf("%d as %s does", s.AsSnapshot, s.Name))
	}
	action, certainty := "", restore.Possible
	if settled := len(right) > 0 && in.notOlder(); settled {
		certainty = restore.Certain
		action = fmt.Sprintf("Restart the API server %s: of the %s that they list differently the snapshot, which is not older than the lists, has all as %s.", words.List(stale), words.Count(total, "pod"), words.List(agree))
	} else {
		right = in.Servers
		action = fmt.Sprintf("Restart every API server that was not restarted after the restore: one that starts lists what etcd has. Of the %s that they list differently the snapshot has %s.", words.Count(total, "pod"), words.List(counts))
		switch {
		case in.Taken.IsZero():
			action += " When it was taken is not known. A snapshot that is saved after the lists shows which API server lists what etcd has."
		case !in.notOlder():
			action += " It is older than the lists. A snapshot that is saved after them shows which API server lists what etcd has."
		}
	}
	action += " Then ask all of them again, at once: lists of different moments differ, too. Equal resourceVersions do not mean that they agree."
	for i := range r.Findings {
		r.Findings[i].Action, r.Findings[i].Certainty = action, certainty
	}
	return right
}

// notOlder says whether the snapshot is as new as anything that is listed.
func (in *Input) notOlder() bool {
	return !in.Taken.IsZero() && !slices.ContainsFunc(in.Servers, func(s Server) bool {
		return slices.ContainsFunc(s.Pods, func(p kubelet.Pod) bool { return p.Created.After(in.Taken) })
	})
}

// listed says how some API servers list a pod.
func listed(who []string, p *kubelet.Pod, containers bool) string {
	one, several := "lists it", "list it"
	if p == nil {
		one, several = "does not list it", "do not list it"
	}
	if len(who) > 1 {
		one = several
	}
	says := words.List(who) + " " + one
	if p == nil {
		return says
	}
	says += " on " + cmp.Or(p.Node, "no node") + " as " + cmp.Or(p.Phase, "Pending")
	if p.Terminating {
		says += ", being deleted"
	}
	if containers {
		says += ", with the containers " + strings.Join(p.Containers, ", ")
	}
	return says + ", with the uid " + p.UID
}

// subject is what a finding is about.
type subject struct {
	kind                             Kind
	node, namespace, name, uid, part string
}

// merge puts together what was found by the list of each API server. What not all of
// them make the same finding is possible, and nothing is stopped or deleted for it.
func (r *Report) merge(by []Server, reports []*Report) {
	nodes, at, who := map[string]bool{}, map[subject]int{}, map[subject][]string{}
	contested := map[subject]bool{}
	for i, one := range reports {
		r.Notes = append(r.Notes, one.Notes...)
		for _, n := range one.Nodes {
			if !nodes[n.Name] {
				nodes[n.Name] = true
				r.Nodes = append(r.Nodes, n)
			}
		}
		for _, f := range one.Findings {
			s := subject{f.Kind, f.Node, f.Namespace, f.Name, f.UID, f.Container}
			if n, ok := at[s]; !ok {
				at[s] = len(r.Findings)
				r.Findings = append(r.Findings, f)
			} else if r.Findings[n].Reason != f.Reason {
				contested[s] = true
			}
			who[s] = append(who[s], by[i].Name)
		}
	}
	for s, n := range at {
		f := &r.Findings[n]
		all := len(who[s]) == len(reports)
		if f.Name == "" || all && !contested[s] {
			continue
		}
		f.Certainty, f.Command = restore.Possible, ""
		f.Action = "Settle first which API server lists what etcd has, then look again."
		if all {
			f.Reason += " The list of " + who[s][0] + " shows this; others show it with another reason."
		} else {
			f.Reason += " Only the list of " + words.List(who[s]) + " shows this."
		}
	}
}
