package restore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/restore"
	"revenant/internal/golden"
)

// classed is a pod of the runs that play every row of the decision table.
type classed struct {
	ID, Class     string
	UIDB, UIDA    string
	RestartCountA int
}

// observed is what the last regular sample showed of it.
type observed struct {
	CRI []struct{ Node, Which, State, Image string }
	API *struct {
		UID, Node, Phase, Image string
		Deleting                bool
		RestartCount            int
	}
}

const claimsHead = `# What outcomes claim, and what was observed

Written by ` + "`go test ./analyzer/restore -run TestClaims -update`" + `. In these runs every class of pod was played by
name on a whole cluster with real kubelets, and what every outcome claims of the time of the last regular sample was
held against what the container runtimes and the API showed then: on which node a pod runs, and its phase, node and
deletion in the API. A dash is: nowhere, not there. In brackets are the nodes of which it may run on one, or of which
the scheduler chooses one; on one where nothing starts it, it stays Pending. *or* is between how it is until something
happens by itself (the end of a grace period, which may come early) and how it is then. The column *of* tells the two
uids of a name apart: that of the backup (B) or of the current state (A). The same is held against every other run and
regular sample (` + "`TestClaimsInEverySample`" + `), and so is what heals by itself or with a new list (` + "`TestHeals`" + `).
`

// TestClaims holds what every outcome claims, where the pod runs and what the
// API shows of it, against what runtime and API showed at the last regular
// sample, and keeps the two side by side in docs/claims.md.
func TestClaims(t *testing.T) {
	const path = "../../docs/claims.md"
	var doc strings.Builder
	doc.WriteString(claimsHead)
	for _, r := range loadRuns(t) {
		if len(r.truth.Rows) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			p, err := restore.Predict(r.backup, r.current, r.truth.Plan)
			if err != nil {
				t.Fatal(err)
			}
			rows := map[string]restore.PodOutcome{}
			for _, o := range p.Pods {
				rows[o.UID] = o
			}
			s := r.lastRegular()
			ready := r.truth.Times["apiserver_ready"]
			checked := 0
			fmt.Fprintf(&doc, "\n## %s, %s after the API was back\n\n| class | pod | of | outcome | claimed to run on | runs on | claimed in the API | in the API |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
				r.name, time.Duration(s.SecondsSinceReady*float64(time.Second)).Round(time.Second))
			for _, c := range r.truth.Rows {
				for _, which := range []string{"B", "A"} {
					uid := map[string]string{"A": c.UIDA, "B": c.UIDB}[which]
					if uid == "" || which == "B" && c.UIDA == c.UIDB {
						continue
					}
					o, ok := rows[uid]
					if !ok {
						t.Errorf("%s %s (%s): no prediction", c.Class, c.ID, uid)
						continue
					}
					checked++
					doc.WriteString(sideBySide(c, o, s.Rows[c.ID], which, ready, s.SecondsSinceReady))
					seen := s.Rows[c.ID]
					if wrong := contradicted(o, running(o, seen, which), inAPI(o, seen), ready, s.SecondsSinceReady); wrong != "" {
						t.Errorf("%s %s uid of %s: %s (rule %s, %s): %s", c.Class, c.ID, which, o.Outcome, o.Rule, o.Certainty, wrong)
					}
				}
			}
			t.Logf("%d pods checked", checked)
		})
	}
	golden.Equal(t, path, doc.String())
}

// sideBySide is a row of docs/claims.md: what is claimed of the moment, and what
// was seen.
func sideBySide(c classed, o restore.PodOutcome, seen observed, which string, ready time.Time, seconds float64) string {
	var runs, shows []string
	for _, c := range claims(o, ready, seconds) {
		text := strings.Join(c.runsOn, ", ")
		if len(c.mayRunOn) > 0 {
			text += "(" + strings.Join(c.mayRunOn, ", ") + ")"
		}
		if !slices.Contains(runs, text) {
			runs = append(runs, text)
		}
		for _, text := range c.views() {
			if !slices.Contains(shows, text) {
				shows = append(shows, text)
			}
		}
	}
	shown := ""
	if v := inAPI(o, seen); v != nil {
		shown = v.String()
	}
	cells := []string{
		c.Class, c.ID, which, fmt.Sprintf("%s (%s)", o.Outcome, o.Rule),
		either(runs), either([]string{strings.Join(running(o, seen, which), ", ")}), either(shows), either([]string{shown}),
	}
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", "\\|")
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// views are what the API may show.
func (c *claim) views() (list []string) {
	for _, v := range c.api {
		switch {
		case v == nil:
			list = append(list, "")
		case v.Node != "" || len(c.mayBeBoundTo) == 0:
			list = append(list, v.String())
		default:
			on := func(phase string, nodes []string) {
				if len(nodes) > 0 {
					list = append(list, phase+" on ("+strings.Join(nodes, ", ")+")")
				}
			}
			on(v.Phase, c.mayRunOn)
			on("Pending", slices.DeleteFunc(slices.Clone(c.mayBeBoundTo), func(n string) bool { return slices.Contains(c.mayRunOn, n) }))
		}
	}
	return list
}

// either joins alternatives; a dash is nothing.
func either(list []string) string {
	text := make([]string, len(list))
	for i, s := range list {
		if text[i] = s; s == "" {
			text[i] = "-"
		}
	}
	return strings.Join(text, " or ")
}

func (r *run) lastRegular() sample {
	last := r.truth.Samples[0]
	for _, s := range r.truth.Samples {
		if strings.HasPrefix(s.Label, "t") {
			last = s
		}
	}
	return last
}

// claim is what an outcome says of a moment.
type claim struct {
	runsOn, mayRunOn, mayBeBoundTo []string
	api                            []*restore.APIView // one of these
}

// claims are what o says of a moment so long after the API was back: how it is
// after the restore, what that turns into, or, when that may be under way, both.
func claims(o restore.PodOutcome, ready time.Time, seconds float64) []claim {
	first := claim{o.RunsOn, o.MayRunOn, o.MayBeBoundTo, []*restore.APIView{o.API}}
	if o.Then == nil {
		return []claim{first}
	}
	begun := o.Then.By != nil || seconds >= float64(o.Then.AfterSeconds)
	over := o.Then.By == nil && seconds > float64(o.Then.BySeconds) ||
		o.Then.By != nil && ready.Add(time.Duration(seconds*float64(time.Second))).After(o.Then.By.Time)
	later := claim{o.Then.RunsOn, o.Then.MayRunOn, o.MayBeBoundTo, o.Then.API}
	switch {
	case over:
		return []claim{later}
	case begun:
		return []claim{first, later}
	}
	return []claim{first}
}

// contradicted says what in the observation contradicts the claim, "" for nothing.
func (c *claim) contradicted(runs []string, shown *restore.APIView) string {
	for _, node := range c.runsOn {
		if !slices.Contains(runs, node) {
			return fmt.Sprintf("does not run on %s but on %v", node, runs)
		}
	}
	for _, node := range runs {
		if !slices.Contains(c.runsOn, node) && !slices.Contains(c.mayRunOn, node) {
			return fmt.Sprintf("runs on %s, not on %v or one of %v", node, c.runsOn, c.mayRunOn)
		}
	}
	for _, v := range c.api {
		if c.shows(v, shown) {
			return ""
		}
	}
	return fmt.Sprintf("the API shows %v, not %v", shown, c.api)
}

// shows says whether what the API shows is v, given where the scheduler may bind
// the pod and where it can start.
func (c *claim) shows(v, shown *restore.APIView) bool {
	switch {
	case v == nil || shown == nil:
		return v == shown
	case v.Node == shown.Node && shown.Node != "" || len(c.mayBeBoundTo) == 0:
		return *v == *shown
	case v.Node != "" || v.Terminating != shown.Terminating:
		return false
	case shown.Node != "" && !slices.Contains(c.mayBeBoundTo, shown.Node):
		return false
	case !slices.Contains(c.mayRunOn, shown.Node):
		return shown.Phase == "Pending"
	}
	return v.Phase == shown.Phase
}

// contradicted says what contradicts all that o says of a moment, "" for nothing.
func contradicted(o restore.PodOutcome, runs []string, shown *restore.APIView, ready time.Time, seconds float64) (wrong string) {
	for _, c := range claims(o, ready, seconds) {
		if wrong = c.contradicted(runs, shown); wrong == "" {
			return ""
		}
	}
	return wrong
}

// inAPI is what the observation shows of the pod, nil for nothing.
func inAPI(o restore.PodOutcome, seen observed) *restore.APIView {
	if a := seen.API; a != nil && a.UID == o.UID {
		return &restore.APIView{Phase: a.Phase, Node: a.Node, Terminating: a.Deleting}
	}
	return nil
}

// running are the nodes on which the runtime runs the pod.
func running(o restore.PodOutcome, seen observed, which string) (nodes []string) {
	for _, c := range seen.CRI {
		mine := strings.Contains(c.Which, which) || o.Outcome == restore.Mirror && len(o.RunsOn) > 0 && c.Which == "other"
		if mine && c.State == "RUNNING" && !slices.Contains(nodes, c.Node) {
			nodes = append(nodes, c.Node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// TestClaimsInEverySample holds the claims on every pod against every regular
// sample of every run, in which all is as it was left by the restore.
func TestClaimsInEverySample(t *testing.T) {
	for _, r := range loadRuns(t) {
		t.Run(r.name, func(t *testing.T) {
			p, relisted := r.predicted(t)
			checked := 0
			for _, s := range r.regular() {
				for i, o := range p.Pods {
					if r.churned(o.UID) || r.byHand(o) {
						continue
					}
					checked++
					runs, shown := s.seen(o.UID)
					if o.Rule == "6" && !r.replaced(o) { // its kubelet runs the static pod, under a uid of its own
						runs = s.running(o.Namespace, o.Name)
					}
					wrong := contradicted(o, runs, shown, r.truth.Times["apiserver_ready"], s.SecondsSinceReady)
					if wrong != "" && o.Certainty != restore.Certain { // its kubelet may have relisted its pods
						wrong = contradicted(relisted.Pods[i], runs, shown, r.truth.Times["apiserver_ready"], s.SecondsSinceReady)
					}
					if wrong != "" {
						t.Errorf("%s: %s is %s (%s): %s", s.Label, at(o), o.Outcome, o.Certainty, wrong)
					}
				}
			}
			t.Logf("%d claims checked", checked)
		})
	}
}

// TestHeals holds what is said to end an outcome against what happened by itself,
// and where kubelets relisted their pods later in the run.
func TestHeals(t *testing.T) {
	held := map[restore.Heals]int{}
	for _, r := range loadRuns(t) {
		t.Run(r.name, func(t *testing.T) {
			p, _ := r.predicted(t)
			regular := r.regular()
			for _, o := range p.Pods {
				if o.Rule == "6" || r.churned(o.UID) || r.byHand(o) || r.unseen(o) || o.Certainty != restore.Certain && !strings.HasPrefix(string(o.Rule), "4c") {
					continue
				}
				for i, s := range regular {
					healed := s.healed(&r, o)
					stopping := o.Ends != nil && r.truth.Times["apiserver_ready"].Add(time.Duration(s.SecondsSinceReady*float64(time.Second))).Before(o.Ends.Time)
					switch {
					case stopping:
					case o.Heals == restore.HealsSelf && !healed && i == len(regular)-1:
						t.Errorf("%s: %s is %s and heals by itself, but did not", s.Label, at(o), o.Outcome)
					case o.Heals != restore.HealsSelf && healed:
						t.Errorf("%s: %s is %s and does not heal by itself (%s), but did", s.Label, at(o), o.Outcome, o.Heals)
					default:
						held[o.Heals]++
					}
				}
				for _, s := range r.truth.Samples {
					if !s.listedAnew(o.Node) {
						continue
					}
					heals := o.Heals != restore.HealsNever
					if healed := s.healed(&r, o); healed != heals {
						t.Errorf("%s: %s is %s (heals: %s); healed after its kubelet relisted its pods: %v", s.Label, at(o), o.Outcome, o.Heals, healed)
					}
					held[o.Heals]++
				}
			}
		})
	}
	t.Logf("held: %v", held)
	for _, h := range []restore.Heals{restore.HealsNever, restore.HealsRelist, restore.HealsStatusChange, restore.HealsSelf} {
		if held[h] == 0 {
			t.Errorf("no pod that heals %s", h)
		}
	}
}

// predicted is what is predicted of the run's plan, and if all kubelets listed
// their pods because of a bump.
func (r *run) predicted(t *testing.T) (p, relisted *restore.Prediction) {
	t.Helper()
	comparison := restore.Compare(r.backup, r.current)
	p, err := comparison.Predict(r.truth.Plan)
	if err != nil {
		t.Fatal(err)
	}
	plan := r.truth.Plan
	plan.BumpRevision, plan.MarkCompacted = 1_000_000_000, true
	if relisted, err = comparison.Predict(plan); err != nil {
		t.Fatal(err)
	}
	return p, relisted
}

// regular are the samples from before the experiment touched anything.
func (r *run) regular() (list []sample) {
	for _, s := range r.truth.Samples {
		switch {
		case s.Label == "in-window-t15":
			return []sample{s}
		case !strings.HasPrefix(s.Label, "t"):
			return list
		default:
			list = append(list, s)
		}
	}
	return list
}

// churned says whether the current snapshot does not have the pod as it was at the
// time of the outage.
func (r *run) churned(uid string) bool {
	for _, p := range r.current.Pods {
		if p.UID == uid {
			return !p.Terminating() && !r.aliveBeforeStop(uid)
		}
	}
	return false
}

// replaced says whether the current state has another pod of its name.
func (r *run) replaced(o restore.PodOutcome) bool {
	return slices.ContainsFunc(r.current.Pods, func(p *restore.Pod) bool {
		return p.Namespace == o.Namespace && p.Name == o.Name && p.UID != o.UID
	})
}

// seen is where the kubelets' runtimes run the pod, and what the API shows of it.
func (s *sample) seen(uid string) (runs []string, shown *restore.APIView) {
	for node, k := range s.Kubelets {
		if slices.ContainsFunc(k.Running, func(o object) bool { return o.UID == uid }) {
			runs = append(runs, node)
		}
	}
	slices.Sort(runs)
	for _, o := range s.API {
		if o.UID == uid {
			shown = &restore.APIView{Phase: o.Phase, Node: o.Node, Terminating: o.Deleting}
		}
	}
	return runs, shown
}

// running is where the kubelets' runtimes run a pod of that name.
func (s *sample) running(namespace, name string) (nodes []string) {
	for node, k := range s.Kubelets {
		if slices.ContainsFunc(k.Running, func(o object) bool { return o.Namespace == namespace && o.Name == name }) {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// healed says whether API and kubelets agree on the pod, and its deletion, if it
// was deleted, is done or under way.
func (s *sample) healed(r *run, o restore.PodOutcome) bool {
	runs, shown := s.seen(o.UID)
	was, now := r.find(r.backup, o.UID), r.find(r.current, o.UID)
	switch {
	case r.truth.Plan.APIServers() == "none" && o.Heals != restore.HealsSelf: // as etcd has it, but for what it cannot have either
		return shown != nil && was != nil && shown.Phase == was.Phase && shown.Node == was.NodeName && shown.Terminating == was.Terminating()
	case o.Outcome == restore.Lost:
		return shown != nil
	case o.Outcome == restore.LostDeletion:
		return shown == nil || shown.Terminating
	case shown == nil:
		return len(runs) == 0
	case shown.Node == "":
		return o.Node == "" // else it was bound, and is not
	case shown.Terminating && len(runs) == 0: // held up as before, or for good
		return now != nil && now.Terminating() && now.Phase == shown.Phase
	case shown.Phase == "Succeeded" || shown.Phase == "Failed":
		return len(runs) == 0
	}
	for _, other := range runs {
		if other != shown.Node {
			return false
		}
	}
	i := slices.IndexFunc(s.Kubelets[shown.Node].Pods, func(p object) bool { return p.UID == o.UID })
	return i >= 0 && s.Kubelets[shown.Node].Pods[i].Phase == shown.Phase && s.upToDate(r, o)
}

// upToDate says whether the API shows the spec that runs and the restarts that
// were, as far as the run shows.
func (s *sample) upToDate(r *run, o restore.PodOutcome) bool {
	for _, c := range r.truth.Rows {
		seen := s.Rows[c.ID]
		if c.UIDA != o.UID || seen.API == nil || seen.API.UID != o.UID {
			continue
		}
		for _, container := range seen.CRI {
			if container.State == "RUNNING" && container.Image != seen.API.Image {
				return false
			}
		}
		switch o.Rule {
		case "4a-status":
			return seen.API.RestartCount == c.RestartCountA
		case "4f'": // restarted again
			return seen.API.RestartCount > c.RestartCountA
		}
		return true
	}
	return true
}

// unseen says whether the run cannot tell if the outcome healed: what is stale is
// neither phase nor spec, and only the runs that play every row tell more.
func (r *run) unseen(o restore.PodOutcome) bool {
	was, now := r.find(r.backup, o.UID), r.find(r.current, o.UID)
	if was == nil || now == nil || was.Phase != now.Phase || was.NodeName != now.NodeName || was.Terminating() != now.Terminating() {
		return false
	}
	return r.truth.Plan.APIServers() == "none" || len(r.truth.Rows) == 0 && o.Rule == "4a-status"
}

// listedAnew says whether the sample was taken after what made the node's kubelet
// relist its pods: a restart of its own, or of the API server after the revision
// had passed all that kubelets had seen.
func (s *sample) listedAnew(node string) bool {
	switch s.Label {
	case "after-node-5-kubelet-restart":
		return node == "node-5"
	case "tX-after-2nd-apiserver-restart", "tY-after-node-1-kubelet-restart":
		return true
	}
	return false
}

func (r *run) find(s *restore.State, uid string) *restore.Pod {
	for i := range s.Pods {
		if s.Pods[i].UID == uid {
			return s.Pods[i]
		}
	}
	return nil
}
