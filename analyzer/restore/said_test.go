package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
	"revenant/decoder/metrics"
	"revenant/decoder/snapshot"
	"revenant/internal/golden"
)

// situation is a cluster and a plan: something for a prediction to speak of.
type situation struct {
	name        string
	was, now    []*Pod
	plan        Plan
	change      func(*Comparison) // after the two are laid side by side
	states      func(backup, current *State)
	onto        bool
	alternative bool // say how the ways to restore compare
	like        int  // the situation that it is compared with, and has its pods from if it names none
}

// as gives a pod a name of its own.
func as(name string) func(*Pod) {
	return func(p *Pod) {
		p.Key, p.Name = "/registry/pods/ns/"+name, name
		if p.UID != "" {
			p.UID = name
		}
	}
}

// situations differ from the first, each in a thing or two; those of whose name the part
// before a comma is that of another differ from that.
func situations() []situation {
	// A phantom on n1, a ghost on n2, one that is the same in both on n3.
	before := []*Pod{was(as("ghost"), on("n2")), was(as("same"), on("n3"))}
	after := []*Pod{was(as("same"), on("n3")), made(as("phantom"))}
	ticking := func(backup, current *State) {
		backup.Clock, current.Clock = everySecond(backupAt), everySecond(currentAt)
	}
	servers := func(names ...string) func(_, current *State) {
		return func(_, current *State) {
			for _, name := range names {
				current.APIServers = append(current.APIServers, APIServer{Name: name, Aliases: []string{"10.0.0." + name}, Key: "/registry/leases/kube-system/" + name, Revision: 1950})
			}
		}
	}
	version := func(v string) func(_, current *State) {
		return func(_, current *State) { current.Nodes = nodesOf(v, "n1", "n2", "n3", "n5") }
	}
	endless := func(_, current *State) {
		current.Missing = []snapshot.Missing{{Kind: snapshot.MissingEnd, What: "the end of its log"}}
	}
	some := func(p Plan) Plan {
		p.KeepAPIServers, p.RestartAPIServers = true, []string{"a"}
		return p
	}
	list := []situation{
		{name: "a plain restore", was: before, now: after},
		{name: "a bump of 1", plan: bump(1)},
		{name: "a bump that is too small", plan: bump(500)},
		{name: "a bump below the backup's compact revision", plan: bump(500), states: func(backup, _ *State) { backup.CompactRevision = 1700 }},
		{name: "a bump to what is known to have been seen", plan: bump(1001)},
		{name: "a bump above what was plausibly seen", plan: bump(24_501 - backupAt)},
		{name: "a bump above all", plan: bump(182_001 - backupAt), alternative: true},
		{name: "a bump above all, after an outage of 20 s", plan: Plan{BumpRevision: 1_000_000, MarkCompacted: true, Outage: Seconds{From: 10, To: 20}}},
		{name: "a bump above all that is shown, and the end is missing", plan: bump(1_000_000), states: endless},
		{name: "a bump to all that is shown, and the end is missing", plan: bump(182_000 - backupAt), states: endless},
		{name: "no bump, and the end is missing", states: endless},
		{name: "something is missing, and nothing newer is in it", states: func(_, current *State) { current.Missing = unread(0) }},
		{name: "all kubelets restarted", plan: Plan{RestartKubelets: Restart{All: true}}},
		{name: "one kubelet restarted", plan: Plan{RestartKubelets: ParseRestart("n2")}},
		{name: "all kubelets restarted that live", plan: Plan{RestartKubelets: ParseRestart("n1,n2,n3,n5")}},
		{name: "kubelets restarted of machines that are gone and of those without a Node object", plan: Plan{RestartKubelets: ParseRestart("n4,n5")}},

		{name: "API servers left running", plan: kept(Plan{})},
		{name: "API servers left running, two of them", plan: kept(Plan{}), states: servers("a", "b")},
		{name: "API servers left running, a bump of 1", plan: kept(bump(1))},
		{name: "API servers left running, a bump below what they have seen", plan: kept(bump(900))},
		{name: "API servers left running, a bump above what they have seen", plan: kept(bump(902))},
		{name: "API servers left running, a bump above what they have plausibly seen", plan: kept(bump(24_502 - backupAt))},
		{name: "API servers left running, a bump above what they have plausibly seen, and the end is missing", plan: kept(bump(24_502 - backupAt)), states: endless},
		{name: "API servers left running, a bump above all", plan: kept(bump(182_002 - backupAt))},
		{name: "API servers left running, a bump above all that is shown, and the end is missing", plan: kept(bump(1_000_000)), states: endless},

		{name: "one of two API servers left running", plan: some(Plan{}), states: servers("a", "b")},
		{name: "one of two API servers left running, all kubelets restarted", plan: some(Plan{RestartKubelets: Restart{All: true}}), states: servers("a", "b")},
		{name: "one of two API servers left running, of three kubelets it is stated which they reach", plan: some(Plan{RestartKubelets: ParseRestart("n2"), KubeletAPIServers: map[string]string{"n1": "a", "n2": "10.0.0.b", "n3": "b"}}), states: servers("a", "b")},
		{name: "one of two API servers left running, a bump above all", plan: some(bump(1_000_000)), states: servers("a", "b")},
		{name: "one of two API servers left running, a bump to what is known to have been seen", plan: some(bump(1002)), states: servers("a", "b")},
		{name: "one API server restarted, and nothing names the others", plan: some(Plan{})},
		{name: "two API servers start", states: servers("a", "b")},
		{name: "two of three API servers start", plan: Plan{KeepAPIServers: true, RestartAPIServers: []string{"a", "c"}}, states: servers("a", "b", "c")},

		{name: "a stated last revision", plan: Plan{LastRevision: 2300}},
		{name: "a stated last revision below the current snapshot's", plan: Plan{LastRevision: 1950}},
		{name: "a stated last revision below the backup's", plan: Plan{LastRevision: 500}, states: func(_, current *State) { current.LastSeen = nil }},
		{name: "revisions with times", states: ticking},
		{name: "revisions with times, a bump to what is known to have been seen", plan: bump(1001), states: ticking},
		{name: "revisions with times, of the outage too", plan: Plan{OutageAt: takenAt.Add(100 * time.Second)}, states: ticking, alternative: true},
		{name: "entries of the log that may have been served", states: func(_, current *State) { current.SeenRevision = currentAt + 10 }},
		{name: "metrics of later", change: func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(2700, metrics.FromFile, takenAt.Add(time.Minute))})
		}},
		{name: "metrics of before", change: func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(1700, metrics.Unknown, time.Time{})})
		}},
		{name: "metrics of later, times and the outage", plan: Plan{OutageAt: takenAt.Add(100 * time.Second)}, states: ticking, change: func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(50_000, metrics.FromLine, takenAt.Add(60*time.Second))})
		}},
		{name: "metrics of later that bound what was seen as the times do", plan: Plan{OutageAt: takenAt.Add(100 * time.Second)}, states: ticking, change: func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(62_000, metrics.FromLine, takenAt.Add(60*time.Second))})
		}},
		{name: "metrics of after the outage", plan: Plan{OutageAt: takenAt.Add(100 * time.Second)}, states: ticking, change: func(c *Comparison) {
			c.Metrics = NewMetrics([]*metrics.File{scrape(2050, metrics.FromLine, takenAt.Add(200*time.Second))})
		}},
		{name: "an earlier restore in between, unseen", states: ticking, plan: Plan{OutageAt: takenAt.Add(100 * time.Second)}, change: func(c *Comparison) {
			c.backup.Clock = clock.New([]clock.Mark{{Revision: backupAt, Time: takenAt.Add(-680 * time.Second), Source: clock.Renewal}}, backupAt, nil)
			c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Unseen: "A timeline was erased.", Restores: []lineage.Restore{}}
		}},
		{name: "an earlier restore in between, unseen, in which no more was written than since", states: ticking, plan: Plan{OutageAt: takenAt.Add(100 * time.Second)}, change: func(c *Comparison) {
			c.backup.Clock = clock.New([]clock.Mark{{Revision: backupAt, Time: takenAt.Add(-81 * time.Second), Source: clock.Renewal}}, backupAt, nil)
			c.Lineage = &lineage.Lineage{Relation: lineage.Ancestor, Unseen: "A timeline was erased.", Restores: []lineage.Restore{}}
		}},
		{name: "other histories", change: related(lineage.Lineage{Relation: lineage.Diverged, Predictable: "Some.", Restores: []lineage.Restore{{Snapshot: "backup", Sign: "raft index", Certain: true}}})},
		{name: "another cluster", change: related(lineage.Lineage{Relation: lineage.Unrelated, Predictable: "Nothing."})},

		{name: "an unreachable node", plan: bump(1_000_000), states: func(_, current *State) { cutOff(current, "n1") }},
		{name: "two unreachable nodes", states: func(_, current *State) { cutOff(current, "n1"); cutOff(current, "n3") }},
		{name: "a cordon lost, and one back", states: func(backup, current *State) { backup.Nodes[1].Cordoned, current.Nodes[0].Cordoned = true, true }},
		{name: "a server of k3s", states: func(_, current *State) { current.Nodes[0].Service = "k3s" }},
		{name: "Kubernetes 1.30", states: version("v1.30.1")},
		{name: "Kubernetes 1.30, API servers left running", plan: kept(Plan{}), states: version("v1.30.1")},
		{name: "Kubernetes 1.36", states: version("v1.36.1")},
		{name: "Kubernetes 1.20", states: version("v1.20.1")},
		{name: "Kubernetes 1.20, all kubelets relist", plan: bump(1_000_000), states: version("v1.20.1")},
		{name: "kubelets of several versions", states: func(_, current *State) {
			current.Nodes[0].KubeletVersion, current.Nodes[1].KubeletVersion, current.Nodes[2].KubeletVersion = "v1.36.0", "v1.30.0", ""
		}},
		{name: "a stated version", plan: Plan{KubernetesVersion: "1.35"}, states: version("")},
		{name: "nothing shows a version", states: version("")},
		{name: "no Node object is left", states: func(_, current *State) { current.Nodes = nil }},
		{name: "a lot is missing", states: func(backup, current *State) {
			backup.Missing, current.Missing = unread(0), unread(7)
			backup.ClusterUnknown = "no namespace kube-system"
		}},
		{name: "a store without room", states: func(_, current *State) {
			current.Revision, current.NewestRecord, current.SeenRevision = lastStart, lastStart, lastStart
		}, alternative: true},

		{name: "no pods", was: []*Pod{}, now: []*Pod{}},
		{name: "pods of many kinds", alternative: true,
			was: []*Pod{was(as("ghost"), on("n2")), was(as("ghost-2"), on("n2")), was(as("status"), never), was(as("spec")), was(as("unread"), unreadablePod), was(as("moves"), unbound("n2", "n3")), was(as("moves-2"), unbound("n3")), was(as("gone"), on("n4"), tolerates(300)), was(as("stuck"), on("n4"), dying), was(as("doomed"), tolerates(300)), was(as("waits"), unbound("n2", "n4"), tolerates(300)), was(as("twin"), on("n3"))},
			now: []*Pod{now(as("status"), never, failed), now(as("spec"), image("v2")), now(as("unread"), unreadablePod), now(as("moves")), now(as("moves-2"), on("n2")), now(as("doomed"), dying), now(as("waits"), tolerates(300)), made(as("phantom")), made(as("dying"), dying), made(as("lost"), unbound("n1")), made(as("twin"), func(p *Pod) { p.UID = "twin-new" }), made(as("expires"), expiring)},
		},
		{name: "pods of many kinds, all kubelets restarted", plan: Plan{RestartKubelets: Restart{All: true}}},
		{name: "pods of many kinds, all kubelets relist", plan: bump(1_000_000)},
		{name: "pods of many kinds, all kubelets relist, and one is restarted", plan: Plan{BumpRevision: 1_000_000, MarkCompacted: true, RestartKubelets: ParseRestart("n2")}},
		{name: "pods of many kinds, API servers left running", plan: kept(Plan{})},
		{name: "pods of many kinds, of which nothing is sure", plan: bump(1001)},

		{name: "onto new machines", onto: true, was: []*Pod{was(as("web"), ofKind("ReplicaSet"), tolerates(300)), was(as("db"), ofKind("StatefulSet"), tolerates(300)), was(as("static"), mirror, tolerates(-1)), was(as("stops"), dying), was(as("waits"), unbound("n1"))}},
		{name: "onto new machines, with a bump", plan: bump(500), onto: true, states: func(backup, _ *State) {
			backup.Missing, backup.Clock = unread(3), everySecond(backupAt)
		}},
		{name: "onto new machines, of Kubernetes 1.20", onto: true, states: func(backup, _ *State) { backup.Nodes = nodesOf("v1.20.1", "n1") }},
		{name: "onto new machines, no pods", onto: true, was: []*Pod{}},
	}
	for i := range list {
		s := &list[i]
		name, _, _ := strings.Cut(s.name, ",")
		s.like = max(0, slices.IndexFunc(list[:i], func(s situation) bool { return s.name == name && s.was != nil }))
		if s.was == nil {
			s.was, s.now = list[s.like].was, list[s.like].now
		}
	}
	return list
}

// predicted is what is predicted of the situation.
func (s *situation) predicted(t *testing.T) (*Comparison, *Prediction) {
	t.Helper()
	backup, current := states(s.was, s.now)
	if s.states != nil {
		s.states(backup, current)
	}
	c, plan := Compare(backup, current), s.plan
	if s.onto {
		c, plan.Onto = RestoreOnto(backup), NewMachines
	}
	if s.change != nil {
		s.change(c)
	}
	p, err := c.Predict(plan)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return c, p
}

// saying is a line of what is said, and what it is about.
type saying struct{ about, text string }

// shortened is a long text without its middle.
func shortened(text string) string {
	if len(text) <= 250 {
		return text
	}
	return text[:120] + " … " + text[len(text)-120:]
}

// sayings are all that a prediction says, in lines.
func sayings(p *Prediction) (list []saying) {
	say := func(about, format string, args ...any) {
		list = append(list, saying{about, fmt.Sprintf(format, args...)})
	}
	severity, headline := p.Headline()
	say("headline", "%s: %s", severity, headline)
	say("that is", "qualified: %t, heard: %t", p.Qualified(), p.Heard())
	say("price", "%s", p.Price())
	counts := ""
	for _, o := range Outcomes {
		if n := p.Summary[o.ID]; n > 0 {
			counts += fmt.Sprintf(" %s %d", o.ID, n)
		}
	}
	say("outcomes", "%s", strings.TrimSpace(counts))
	r := &p.Revisions
	say("revisions", "backup %d, current %d (gap %d), restored %d", r.Backup, r.Current, r.Gap, r.Restored)
	say("last seen", "about %d, at most %d: %s", r.LastSeenExpected, r.LastSeenAtMost, r.LastSeenBasis)
	say("bump", "%s: %s", r.BumpVerdict, r.BumpReason)
	say("needed bump", "%d (%s), recommended %d %s", r.MinimumSafeBump, r.MinimumSafeBumpIs, r.RecommendedBump, r.NoBumpFits)
	taken := r.CurrentTaken.String()
	if r.BlindAfter != nil {
		taken += ", blind after " + r.BlindAfter.Format(time.RFC3339)
	}
	if r.Rate != nil {
		taken += fmt.Sprintf(", %.1f revisions a second", r.Rate.Mean)
	}
	say("taken", "%s", taken)
	if d := r.Deaf; d != nil {
		say("deaf", "until %d or %d, %q (%.0f to %.0f s): %s", d.UntilRevision, d.UntilExpected, d.Estimate, d.LowSeconds, d.HighSeconds, shortened(d.Ends))
	}
	k := &p.Kubernetes
	say("Kubernetes", "%s %s (at least %t), kubelets %v: %s: %s", k.APIServers, k.APIServersFrom, k.AtLeast, k.Kubelets, k.Rules, k.Reason)
	say("history", "%s: %s", p.Lineage.Relation, p.Lineage.Reason)
	for i := range p.APIServers {
		s := &p.APIServers[i]
		say("API server "+s.Name, "%v, restarted %t, serves %s, %s: %s %v", s.Aliases, s.Restarted, s.Serves, s.Certainty, s.Reason, s.Evidence)
	}
	reasons := map[string]string{} // of kubelets, by the name of the node
	var kubelets []saying
	var seen, nodes []string
	for i := range p.Nodes {
		n := &p.Nodes[i]
		reasons[n.Name] = n.Reason
		text := fmt.Sprintf("%s, %s", n.Kubelet, n.Certainty)
		if n.ListedBySeconds > 0 {
			text += fmt.Sprintf(", has listed after %d s", n.ListedBySeconds)
		}
		text += ": " + strings.ReplaceAll(n.Reason, assumesKubeletUp, "[It was up.]")
		if at := slices.IndexFunc(kubelets, func(k saying) bool { return k.text == text }); at >= 0 {
			kubelets[at].about += ", " + n.Name
		} else {
			kubelets = append(kubelets, saying{"kubelet " + n.Name, text})
		}
		seen = append(seen, fmt.Sprintf("%s %d..%d..%d", n.Name, n.LastSeen.AtLeast, n.LastSeen.Expected, n.LastSeen.AtMost))
		if n.Phantoms+n.Ghosts+len(n.Flags) > 0 || n.Service != "" {
			nodes = append(nodes, fmt.Sprintf("%s %d phantoms, %d ghosts, service %q, flags %v", n.Name, n.Phantoms, n.Ghosts, n.Service, n.Flags))
		}
	}
	say("seen", "%s", strings.Join(seen, ", "))
	say("nodes", "%s", strings.Join(nodes, "; "))
	list = append(list, kubelets...)
	for i := range p.Pods {
		o := &p.Pods[i]
		text := fmt.Sprintf("%s, %s, %s", describe(*o), o.Severity, o.Certainty)
		for _, through := range o.Through {
			text += fmt.Sprintf(", through %v %s", through.APIServers, through.API)
		}
		if len(o.MayBeBoundTo) > 0 {
			text += fmt.Sprintf(", bound to one of %v", o.MayBeBoundTo)
		}
		if d := o.DoubleRun; d != nil {
			text += fmt.Sprintf(", twice with %s for %d s until %s", d.With, d.AtMostSeconds, d.Until)
		}
		why := o.CertaintyReason
		if reason := reasons[o.Node]; reason != "" {
			why = strings.Replace(why, reason, "[As its kubelet.]", 1)
		}
		why = strings.ReplaceAll(why, assumesKubeletUp, "[It was up.]")
		then := toldLater(*o)
		if o.Then != nil {
			then += " (" + shortened(o.Then.Reason) + ")"
		}
		say("pod "+o.UID+" on "+o.Node, "%s; then %s: %s", text, then, why)
	}
	for i, w := range p.Warnings {
		about := "warning"
		if i == 0 {
			about = "blind"
		}
		say(about, "%s", shortened(w))
	}
	return list
}

// TestSaid: all that is said of each situation is in testdata/said.txt. Of those that
// are like another it has what differs.
func TestSaid(t *testing.T) {
	const path = "testdata/said.txt"
	var got strings.Builder
	var said [][]saying
	for i, s := range situations() {
		c, p := s.predicted(t)
		fmt.Fprintf(&got, "== %s\n", s.name)
		list := sayings(p)
		said = append(said, list)
		var first []saying
		if s.like < i {
			first = said[s.like]
		}
		for _, line := range list {
			if !slices.Contains(first, line) {
				fmt.Fprintf(&got, "%s: %s\n", line.about, line.text)
			}
		}
		for _, line := range first {
			if warning := line.about == "warning"; warning && !slices.Contains(list, line) {
				fmt.Fprintf(&got, "no %s: %.60s …\n", line.about, line.text)
			} else if line.about == "deaf" && !slices.ContainsFunc(list, func(l saying) bool { return l.about == line.about }) {
				fmt.Fprintf(&got, "none is deaf\n")
			}
		}
		if s.alternative {
			all, err := c.ComparePlans(s.plan)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			compared(&got, all)
		}
		got.WriteByte('\n')
	}
	golden.Equal(t, path, got.String())
}

// compared writes how the ways to restore compare.
func compared(w *strings.Builder, all *PlanComparison) {
	for i := range all.Modes {
		m := &all.Modes[i]
		fmt.Fprintf(w, "way %s (%s), bump %d, compacted %t, kubelets %s, API servers %s: %s, %s, deaf %t, %d critical (%d sure), %d warnings, %d twice (%d sure) for %d s, %d graceful (%d sure), %d killed (%d sure): %s\n",
			m.ID, m.Title, m.Plan.BumpRevision, m.Plan.MarkCompacted, m.Plan.RestartKubelets, m.Plan.APIServers(), m.Severity, m.BumpVerdict, m.Deaf != nil,
			m.Critical, m.Sure.Critical, m.Warning, m.DoubleRuns, m.Sure.DoubleRuns, m.DoubleRunSeconds, m.Graceful, m.Sure.Graceful, m.Killed, m.Sure.Killed, m.Price)
		var sure []string
		for _, o := range Outcomes {
			if n := m.Certain[o.ID]; n > 0 {
				sure = append(sure, fmt.Sprintf("%s %d of %d", o.ID, n, m.Summary[o.ID]))
			}
		}
		fmt.Fprintf(w, "    certain: %s\n", strings.Join(sure, ", "))
	}
	fmt.Fprintf(w, "least harm: %s\n", all.Reason)
}
