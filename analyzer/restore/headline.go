package restore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/internal/words"
)

// Headline says in a sentence or two what the restore does, the worst first,
// and how severe that is. It never says that a restore is safe: the evidence
// ends at the current snapshot. That some is missing comes first.
func (p *Prediction) Headline() (Severity, string) {
	severity, text := p.headline()
	if p.Plan.Onto != "" {
		severity, text = p.headlineOnto()
	}
	if n := p.unreachable(); n > 0 {
		severity, text = worse(severity, Warning), fmt.Sprintf("%s %s unreachable when the current snapshot was taken: nothing about what runs there is certain.", text, words.CountOf(n, "node was", "nodes were"))
	}
	if erased := p.serving(ServesErased); len(erased) > 0 && len(erased) < len(p.APIServers) {
		severity = worse(severity, Critical)
		text += fmt.Sprintf(" API servers disagree: those left running (%s) list the state from before the restore, and show none of this.", words.First(erased, mostNamed))
	}
	if p.Kubernetes.Rules == RulesUntried {
		severity, text = worse(severity, Warning), text+" "+p.Kubernetes.Reason
	}
	if len(p.Missing) == 0 {
		return severity, text
	}
	return worse(severity, Warning), MissingText(p.Missing) + " More pods and nodes may be affected than the evidence has. " + text
}

// Qualified says whether the headline says more than what becomes of the pods: why less of that
// is known, or true everywhere, than the outcomes show.
func (p *Prediction) Qualified() bool {
	erased := p.serving(ServesErased)
	return p.unreachable() > 0 || len(erased) > 0 && len(erased) < len(p.APIServers) || p.Kubernetes.Rules == RulesUntried || len(p.Missing) > 0
}

// Heard says whether each kubelet that lives certainly relists its pods. Where it is false,
// pods may never start, or keep running, that no snapshot has: less harm among those in the
// snapshots proves nothing.
func (p *Prediction) Heard() bool {
	lists, _ := p.kubelets()
	return lists
}

// MissingText says in a sentence what is missing from the snapshots.
func MissingText(list []Missing) string {
	var parts []string
	for _, in := range []struct {
		In
		name string
	}{{InBackup, "the backup"}, {InCurrent, "the current snapshot"}} {
		var what []string
		for _, m := range list {
			if m.In == in.In {
				what = append(what, m.What)
			}
		}
		if len(what) > 0 {
			parts = append(parts, "from "+in.name+", "+strings.Join(what, "; "))
		}
	}
	return "Evidence is missing: " + strings.Join(parts, "; and ") + "."
}

func (p *Prediction) headline() (Severity, string) {
	certain, possible, unlikely, worst := map[Outcome]int{}, map[Outcome]int{}, map[Outcome]int{}, map[Outcome]Severity{}
	for i := range p.Pods {
		o := &p.Pods[i]
		switch o.Certainty {
		case Certain:
			certain[o.Outcome]++
		case Unlikely:
			unlikely[o.Outcome]++
		default:
			possible[o.Outcome]++
		}
		worst[o.Outcome] = worse(cmp.Or(worst[o.Outcome], OK), o.Severity)
	}
	var parts []string
	severity := OK
	say := func(o Outcome, one, several string) {
		n, maybe, hardly := certain[o], possible[o], unlikely[o]
		if n+maybe+hardly == 0 {
			return
		}
		severity = worse(severity, worst[o])
		count := words.Number(n)
		switch {
		case n+maybe == 0:
			count = fmt.Sprintf("up to %s, though that is unlikely,", words.Number(hardly))
		case n == 0:
			count = fmt.Sprintf("up to %s", words.Number(maybe))
		case maybe > 0:
			count = words.Number(n) + " to " + words.Number(n+maybe)
		}
		what := several
		if cmp.Or(n+maybe, hardly) == 1 { // the number that is named
			what = one
		}
		parts = append(parts, count+" "+what)
	}
	say(Phantom, "keeps running, but the API does not know it (a phantom)", "keep running, but the API does not know them (phantoms)")
	say(Ghost, "is shown by the API although nothing runs (a ghost)", "are shown by the API although nothing runs (ghosts)")
	say(Hidden, "is served from a stale cache that etcd no longer backs (hidden)", "are served from a stale cache that etcd no longer backs (hidden)")
	say(StaleStatus, "keeps a stale status", "keep a stale status")
	say(StaleSpec, "runs with a spec the API does not show", "run with a spec the API does not show")
	say(Unknown, "cannot be predicted", "cannot be predicted")
	if len(parts) > 0 {
		return severity, "Of " + words.Count(len(p.Pods), "pod") + ", " + words.List(parts) + "."
	}
	say(Terminated, "is stopped by its kubelet", "are stopped by their kubelets")
	say(Restarted, "is started again", "are started again")
	say(StuckTerminating, "stays Terminating", "stay Terminating")
	say(LostDeletion, "comes back although it was being deleted", "come back although they were being deleted")
	say(Lost, "is lost before it ran", "are lost before they ran")
	none, among := "No phantoms and no ghosts are predicted", " among the pods of the snapshots"
	if len(p.Missing) > 0 {
		none, among = "None of the pods in the evidence is predicted to become a phantom or a ghost", ""
	}
	lists, stale := p.kubelets()
	switch {
	case lists:
		none += ": every kubelet relists its pods" + p.within() + "."
	case p.Revisions.Deaf != nil:
		none += among + ", but kubelets may be deaf: pods created meanwhile may never start, and deleted pods may keep running."
		severity = worse(severity, Warning)
	case stale:
		none += among + ", but API servers that are left running may keep serving a state that etcd has lost."
		severity = worse(severity, Warning)
	default:
		none += ", but the snapshots name no node that is alive: nothing can be predicted for any kubelet."
		severity = worse(severity, Warning)
	}
	if len(parts) == 0 {
		return severity, none
	}
	return severity, none + " Of " + words.Count(len(p.Pods), "pod") + ", " + words.List(parts) + "."
}

// kubelets says whether each kubelet certainly relists its pods, and whether one
// may be served a stale cache. Where the snapshots name none that lives, nothing
// says that they list.
func (p *Prediction) kubelets() (list, stale bool) {
	living, hearing := 0, 0
	for i := range p.Nodes {
		switch p.Nodes[i].Kubelet {
		case KubeletGone:
			continue
		default:
			if slices.Contains(p.Nodes[i].Flags, FlagNodeUnreachable) {
				continue
			}
		}
		switch p.Nodes[i].Kubelet {
		case KubeletRelists, KubeletRestarted:
			hearing++
		case KubeletStale:
			stale = true
		}
		living++
	}
	return living > 0 && hearing == living, stale
}

// within says by when the last kubelet has relisted its pods, "" where all are
// restarted.
func (p *Prediction) within() string {
	by := int64(0)
	for i := range p.Nodes {
		by = max(by, p.Nodes[i].ListedBySeconds)
	}
	if by == 0 {
		return ""
	}
	return fmt.Sprintf(", within %d s of the API being back", by)
}

// serving are the names of the API servers that show what is given.
func (p *Prediction) serving(what Serves) (names []string) {
	for i := range p.APIServers {
		if p.APIServers[i].Serves == what {
			names = append(names, p.APIServers[i].Name)
		}
	}
	return names
}

// unreachable counts the nodes that were unreachable.
func (p *Prediction) unreachable() (n int) {
	for i := range p.Nodes {
		if slices.Contains(p.Nodes[i].Flags, FlagNodeUnreachable) {
			n++
		}
	}
	return n
}

// worse is the more severe of the two.
func worse(a, b Severity) Severity {
	if b.Rank() < a.Rank() {
		return b
	}
	return a
}
