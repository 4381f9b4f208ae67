package preflight

import (
	"fmt"
	"strings"

	"revenant/analyzer/rollback"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// unanswered judges the calls of one caller. harm is what an unanswered one that blocks
// comes to, and mild what another one does.
func (r *run) unanswered(caller rollback.Caller, harm, mild Verdict, none string) result {
	var p points
	n, outside := 0, 0
	for i := range r.calls {
		c := &r.calls[i]
		if c.Caller != caller || caller == rollback.Admission && !c.Blocks {
			continue
		}
		n++
		what := c.Object
		if c.Name != "" {
			what += " (" + c.Name + ")"
		}
		verdict := mild
		if c.Blocks {
			verdict = harm
		}
		switch c.Answer {
		case rollback.Outside:
			outside++
		case rollback.NotKnown:
			p.add(Unknown, c.Evidence, "%s: %s", what, c.Reason)
		case rollback.Unanswered:
			text := fmt.Sprintf("%s calls %s", what, c.Reason)
			if c.Already {
				text += "; that is so in the current state already"
			}
			p.add(verdict, c.Evidence, "%s", text)
		}
	}
	r.couldNot(&p, caller)
	text := none
	if n > 0 {
		text = words.CountOf(n, "call is answered", "calls are answered")
	}
	if outside > 0 {
		text += fmt.Sprintf(", as far as a restore has to do with it: %d of them outside of the cluster", outside)
	}
	return p.result(pass("%s", text))
}

// couldNot adds the objects that may call something and could not be read.
func (r *run) couldNot(p *points, caller rollback.Caller) {
	of := map[rollback.Caller]string{
		rollback.Admission: "webhookconfigurations", rollback.Conversion: "customresourcedefinitions", rollback.Aggregated: "apiservices",
	}[caller]
	for _, what := range r.uncalled {
		if strings.Contains(what, of) || strings.Contains(what, " services ") {
			p.add(Unknown, nil, "not read: %s", what)
		}
	}
}

func (r *run) webhooks() result {
	return r.unanswered(rollback.Admission, Fail, Warn, "no admission webhook refuses what it cannot be asked about")
}

func (r *run) conversions() result {
	return r.unanswered(rollback.Conversion, Fail, Warn, "no stored object needs a webhook to be converted")
}

func (r *run) apiServices() result {
	return r.unanswered(rollback.Aggregated, Warn, Warn, "no API is served by a server of its own")
}

func (r *run) masterLeases() result {
	leases := len(r.facts.MasterLeases)
	switch {
	case leases == 0:
		return pass("the backup has no master lease")
	case r.needs != "":
		return unknown("%s, so it is not known whose the %s of the backup are", r.needs, words.Count(leases, "master lease"))
	}
	var p points
	for _, m := range r.masters {
		text := fmt.Sprintf("%s says that an API server is at %s, an address that no API server and no node has now", m.Key, m.Address)
		switch {
		case m.Doubt != "":
			p.add(Unknown, nil, "%s (%s)", text, m.Doubt)
		case m.TTL > 0:
			p.add(Warn, nil, "%s; etcd deletes it %s after it has started", text, m.TTL)
		default:
			p.add(Fail, nil, "%s, and no lease of etcd's deletes it", text)
		}
	}
	return p.result(pass("%s, all of API servers that there are", words.Count(leases, "master lease")))
}

func (r *run) bootstrapToken() result {
	if len(r.facts.Tokens) == 0 {
		return pass("no certificates of k3s or RKE2 are kept in it")
	}
	return warn("the certificates and keys of the servers are kept in it, %s", keyspace.TokenText(r.facts.Tokens...))
}

// otherKeys looks at what somebody else than API servers keeps in the same etcd.
func (r *run) otherKeys() result {
	found, err := keyspace.Find(r.ctx, r.Backup.Snapshot)
	if err != nil {
		return unknown("%v", err)
	}
	groups, err := keyspace.Survey(r.ctx, r.Backup.Snapshot, r.Prefix, found)
	if err != nil {
		return unknown("%v", err)
	}
	var p points
	for _, g := range groups {
		switch g.Owner {
		case keyspace.Kubernetes, keyspace.Aggregated, keyspace.Bookkeeping, keyspace.Bootstrap:
			continue
		}
		if g.Live > 0 {
			p.add(Warn, nil, "%s of %s (%s)", words.Count(g.Live, "key"), g.Name, g.Prefix)
		}
	}
	if r.rollback != nil && r.rollback.Summary[rollback.KeysBack] > 0 {
		for i := range r.rollback.Findings {
			if f := &r.rollback.Findings[i]; f.ID == rollback.KeysBack {
				p.add(Warn, f.Evidence, "%s: %s", f.Kind, f.Reason)
			}
		}
	}
	return p.result(pass("all keys are of API servers"))
}

// predicted judges how many pods have an outcome that a plan should prevent.
func (r *run) predicted(n func(*counted) (likely, unlikely int), one, many string) result {
	if r.prediction == nil {
		return unknown("nothing is predicted: %v", r.noPlan)
	}
	under := r.under()
	likely, unlikely := n(countPods(r.prediction))
	before, _ := n(countPods(r.plain))
	text := words.CountOf(likely, one, many) + " " + under + r.servers()
	if p := &r.prediction.Plan; p.BumpRevision > 0 || p.RestartKubelets.All {
		text += fmt.Sprintf("; a plain restore makes %d", before)
	}
	switch {
	case likely > 0:
		return fail("%s", text)
	case countPods(r.prediction).unknown > 0:
		return unknown("%s, and of %s it is not known", text, words.Count(countPods(r.prediction).unknown, "pod"))
	case unlikely > 0:
		return warn("%s; %s more, though that is unlikely", text, words.CountOf(unlikely, one, many))
	}
	return pass("%s", text)
}

// under names the plan.
func (r *run) under() string {
	whose := "the runbook's plan"
	if r.Plan != nil {
		whose = "the given plan"
	}
	switch p := &r.prediction.Plan; {
	case p.BumpRevision > 0:
		return fmt.Sprintf("under %s (--bump-revision %d --mark-compacted)", whose, p.BumpRevision)
	case p.RestartKubelets.All:
		return fmt.Sprintf("under %s (all kubelets restarted, no bump)", whose)
	}
	return fmt.Sprintf("under %s (no bump)", whose)
}

// servers says of which nodes the kubelets are restarted with a server's service, whatever
// the plan.
func (r *run) servers() string {
	n := 0
	for i := range r.prediction.Nodes {
		if r.prediction.Nodes[i].Service != "" {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; the kubelets of %s restart with their service", words.Count(n, "server"))
}

func (r *run) phantoms() result {
	return r.predicted(func(c *counted) (int, int) { return c.phantoms, c.unlikelyPhantoms }, "phantom", "phantoms")
}

func (r *run) ghosts() result {
	return r.predicted(func(c *counted) (int, int) { return c.ghosts, c.unlikelyGhosts }, "ghost", "ghosts")
}

func (r *run) doubles() result {
	if r.prediction == nil {
		return unknown("nothing is predicted: %v", r.noPlan)
	}
	c := countPods(r.prediction)
	const one, many = "pod runs twice or together with another pod of its name", "pods run twice or together with another pod of their name"
	switch {
	case c.doubles == 0:
		return pass("no two pods of one name run at the same time %s", r.under())
	case c.doublesBound > 0:
		return warn("%s %s, for up to %d s", words.CountOf(c.doubles, one, many), r.under(), c.doublesBound)
	}
	return warn("%s %s, until kubelets list their pods", words.CountOf(c.doubles, one, many), r.under())
}

// found judges findings of what goes back in time by their ids.
func (r *run) found(want func(*rollback.Finding) bool, none string) result {
	var p points
	for i := range r.rollback.Findings {
		if f := &r.rollback.Findings[i]; want(f) {
			p.add(Warn, f.Evidence, "%s %s: %s", f.ID, objectText(f), f.Reason)
		}
	}
	return p.result(pass("%s", none))
}

func objectText(f *rollback.Finding) string {
	k := kube.Key{Namespace: f.Namespace, Name: f.Name}
	if k.Namespace == "" {
		return strings.TrimSpace(f.Kind + " " + k.Name)
	}
	return f.Kind + " " + k.Namespace + "/" + k.Name
}

// credentials are findings of what was taken away since and comes back.
func (r *run) credentials() result {
	return r.found(func(f *rollback.Finding) bool {
		return f.ID == rollback.TokenRevived || f.ID == rollback.AccessRegranted
	}, "no token and no permission that was taken away comes back")
}

// checked are the findings that have a check of their own.
var checked = map[rollback.ID]bool{
	rollback.TokenRevived: true, rollback.AccessRegranted: true, rollback.WebhookUnbacked: true, rollback.ConversionUnbacked: true,
	rollback.APIServiceUnbacked: true, rollback.MasterFormer: true, rollback.KeysBack: true, rollback.CertificateExpired: true,
}

// undone are the findings of severity critical that are left.
func (r *run) undone() result {
	byID := map[rollback.ID]int{}
	var p points
	for i := range r.rollback.Findings {
		f := &r.rollback.Findings[i]
		if f.Severity.Rank() > 0 || checked[f.ID] {
			continue
		}
		if byID[f.ID]++; byID[f.ID] == 1 {
			p.add(Warn, f.Evidence, "%s (%d), such as %s", f.ID, r.rollback.Summary[f.ID], objectText(f))
		}
	}
	return p.result(pass("nothing else of severity critical goes back in time"))
}
