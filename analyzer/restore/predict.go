package restore

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"revenant/analyzer/lineage"
	"revenant/internal/words"
)

const (
	// startupWrites is how many revisions the control plane may write between the
	// start of the restored etcd and an API server's first list of pods: 1 to 9
	// with one API server and 3 to 6 nodes.
	startupWrites = 20
	// startupWritesPerNode makes the margin grow with the cluster.
	startupWritesPerNode = 3
	// A second API server that is started together with the first lists its pods
	// later: 46 revisions later with 4 nodes, as seen.
	laterServerWrites        = 30
	laterServerWritesPerNode = 10

	recommendedMargin = 1_000_000
)

const assumesKubeletUp = "Assumes that the kubelet was up and met no HTTP error (401, 403, 5xx) during the outage: a single one would have made it relist."

// A kubelet that is down hears nothing of changes in the API, and starts as after a
// restart.
const cutOffText = "But its node was unreachable when the current snapshot was taken: its kubelet was down, or cut off, and has not stopped what was deleted since. If it comes back, it relists its pods, unless it was only cut off and resumes its watch; if it never does, what runs there runs on, and nothing that is bound there starts."

// Predict says what a restore of backup under plan does to everything that
// current holds. The errors are those of Check and, as a *PlanError, of Validate
// and Comparison.Predict.
func Predict(backup, current *State, plan Plan) (*Prediction, error) {
	if err := Check(backup, current); err != nil {
		return nil, err
	}
	return Compare(backup, current).Predict(plan)
}

// Predict says what the restore does under plan. A *PlanError refuses a plan
// that Validate refuses, that names a node which neither snapshot knows, or
// whose bump passes the largest revision.
func (c *Comparison) Predict(plan Plan) (*Prediction, error) {
	p, f, err := c.settle(plan)
	if err != nil {
		return nil, err
	}
	f.untilListed(p.Pods)
	return p, nil
}

// Revisions says which revisions decide under a plan, as Predict does, and nothing of pods.
func (c *Comparison) Revisions(plan Plan) (Revisions, error) {
	plan = c.normal(plan)
	if err := c.validate(plan); err != nil {
		return Revisions{}, err
	}
	f, err := c.forecast(plan)
	if err != nil {
		return Revisions{}, err
	}
	return f.revisions(), nil
}

// settle says what the outcome is once kubelets have relisted their pods.
func (c *Comparison) settle(plan Plan) (*Prediction, *forecast, error) {
	if c.onto {
		return c.settleOnto(plan)
	}
	plan = c.normal(plan)
	if err := c.validate(plan); err != nil {
		return nil, nil, err
	}
	f, err := c.forecast(plan)
	if err != nil {
		return nil, nil, err
	}
	return f.prediction(), f, nil
}

// prediction puts together what comes of the verdicts.
func (f *forecast) prediction() *Prediction {
	p := &Prediction{
		SchemaVersion: 1,
		Kind:          "Prediction",
		Evidence:      []Evidence{},
		Metrics:       f.Metrics,
		Plan:          f.plan,
		Lineage:       f.related(),
		APIServers:    f.apiServers(),
		Pods:          f.pods(),
		Summary:       make(map[Outcome]int, len(Outcomes)),
	}
	for _, o := range Outcomes {
		p.Summary[o.ID] = 0
	}
	for i := range p.Pods {
		p.Summary[p.Pods[i].Outcome]++
	}
	p.Nodes = f.nodes(p.Pods)
	p.Workloads = f.workloadOutcomes(p.Pods)
	f.capacities(p.Nodes, p.Pods)
	p.Revisions = f.revisions()
	p.Kubernetes = f.versions.Kubernetes
	p.Missing = f.missing()
	p.Warnings = f.warnings(p)
	return p
}

// related is how the snapshots relate, as far as that was looked at.
func (c *Comparison) related() lineage.Lineage {
	if c.Lineage != nil {
		return *c.Lineage
	}
	return lineage.Lineage{Relation: lineage.Unknown, Reason: "the histories were not compared", Restores: []lineage.Restore{}}
}

func (c *Comparison) validate(plan Plan) error {
	if err := plan.Validate(); err != nil {
		return err
	}
	if plan.Onto != "" && !c.onto {
		return &PlanError{
			"the plan is for other machines, and two snapshots of one cluster are compared",
			"Onto says what becomes of a backup on other machines",
		}
	}
	if plan.BumpRevision > math.MaxInt64-c.backup.NewestRecord {
		return &PlanError{
			fmt.Sprintf("invalid bump revision %d: the backup is at %d, and revisions end at %d", plan.BumpRevision, c.backup.NewestRecord, int64(math.MaxInt64)),
			"etcd would start at a negative revision; the recommended bump is far smaller",
		}
	}
	var unknown []string
	for _, name := range plan.RestartKubelets.Nodes {
		if c.nodeIndex(name) < 0 {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return &PlanError{
			"no such node to restart the kubelet of: " + strings.Join(unknown, ", "),
			"neither snapshot has a node of that name; a mistyped name would leave the kubelet that was meant deaf",
		}
	}
	for _, node := range slices.Sorted(maps.Keys(plan.KubeletAPIServers)) {
		if c.nodeIndex(node) < 0 {
			return &PlanError{
				"no such node whose kubelet reaches one API server: " + node,
				"neither snapshot has a node of that name",
			}
		}
	}
	if unknown := c.unknownAPIServers(plan); len(unknown) > 0 {
		return &PlanError{
			"no such API server: " + words.First(unknown, mostNamed),
			"the current snapshot has these: " + words.First(c.APIServerNames(), mostNamed),
		}
	}
	return nil
}

// verdict is what a kubelet does under a plan.
type verdict struct {
	column    column
	certainty Certainty
	reason    string
	kubelet   Kubelet
	untried   bool // the rules are not known to hold for these versions of Kubernetes
}

// doubt makes the verdict possible at best.
func (v *verdict) doubt(why string) {
	if v.certainty == Certain {
		v.certainty = Possible
	}
	v.reason = strings.TrimSpace(v.reason + " " + why)
}

// lists says whether the kubelet may relist its pods.
func (v *verdict) lists() bool {
	return v.column == relist || v.column == restart || v.column == deaf && v.certainty != Certain
}

// forecast is a comparison under a plan.
type forecast struct {
	*Comparison
	plan     Plan
	restored int64 // R0
	ceiling
	versions versions
	verdicts []verdict
	general  verdict // of pods that are on no node
	cache    verdict // of API servers that are left running, none where all restart
	lists    bool    // some kubelet may relist its pods

	extensions map[extension]*Finding
	startable  map[*string][]string // lists of choices by their first, without nodes where nothing starts
	judgements map[judgement]judged
	evictions  map[eviction]*Later
	jobEnds    map[int32]*jobEnd // by workload
	waiting    map[string]string // names of Jobs that wait for what does not run, by uid
	toPlace    Resources         // what the scheduler will place, on nodes that are not known
}

func (c *Comparison) forecast(plan Plan) (*forecast, error) {
	top, err := c.ceiling(plan)
	if err != nil {
		return nil, err
	}
	f := &forecast{Comparison: c, plan: plan, restored: c.restored(plan), ceiling: top, extensions: map[extension]*Finding{}, startable: map[*string][]string{}, judgements: map[judgement]judged{}, evictions: map[eviction]*Later{}, waiting: map[string]string{}}
	f.versions = c.versionsUnder(plan)
	if plan.KeepAPIServers {
		f.cache = f.keptCache()
		f.versions.apply(&f.cache, "")
	}
	erased := f.cache.column == stale
	for i := range c.nodes {
		v := f.cache
		if !erased || f.disagree() {
			v = f.kubelet(&c.nodes[i])
			f.versions.apply(&v, c.nodes[i].name)
		}
		if f.disagree() && !f.restartsWith(&c.nodes[i]) { // which lists from its own API server
			v = f.mixed(c.nodes[i].name, v)
		}
		if c.nodes[i].cutOff {
			v.doubt(cutOffText)
		}
		f.verdicts = append(f.verdicts, v)
	}
	f.conclude()
	return f, nil
}

// conclude says of all kubelets what the verdicts on each of them come to.
func (f *forecast) conclude() {
	f.general, f.lists = verdict{column: relist, certainty: Certain, reason: "Whatever kubelets do."}, false
	for i := range f.verdicts {
		if f.Comparison.nodes[i].gone {
			continue
		}
		if f.verdicts[i].column == deaf {
			f.general.column = deaf
		}
		f.lists = f.lists || f.verdicts[i].lists()
	}
	switch {
	case f.disagree():
		f.general.certainty, f.general.reason = Possible, f.cache.reason
	case f.cache.column == stale:
		f.general = f.cache
	}
}

// restored is etcd's revision right after the restore. A bump adds to the newest
// record (etcdutl/v3 v3.6 snapshot/v3_snapshot.go modifyLatestRevision).
func (c *Comparison) restored(plan Plan) int64 {
	if plan.BumpRevision == 0 {
		return c.backup.Revision
	}
	return max(c.backup.NewestRecord+plan.BumpRevision, c.backup.CompactRevision)
}

// keptCache says what API servers that are left running serve. They drop their
// cache only when etcd refuses to resume their watch because its next revision
// is compacted: the restored revision must be two above what they have seen
// (etcd server/v3 v3.6 storage/mvcc/watcher_group.go chooseAll).
func (f *forecast) keptCache() verdict {
	seen := f.current.NewestPodChange
	v := verdict{column: stale, certainty: Certain, kubelet: KubeletStale}
	between := fmt.Sprintf("The API servers were left running and have seen a revision between %d and %d: the restored store starts at %d, which must be two above it to make them drop their cache.", seen, f.atMost, f.restored)
	switch {
	case f.plan.BumpRevision == 0:
		v.reason = "The API servers were left running and no revision is compacted: they do not notice that etcd went back, and they go on serving their cache."
	case f.restored <= add(seen, 1):
		v.reason = fmt.Sprintf("The API servers were left running and have seen revision %d: the restored store starts at %d, which must be %d or more to make them drop their cache.", seen, f.restored, add(seen, 2))
	case f.restored <= add(f.plausible, 1):
		v.certainty, v.reason = Possible, between
	case len(f.open) > 0:
		v.certainty, v.reason = Possible, between+" But evidence is missing, and nothing bounds what is in it: "+strings.Join(f.open, "; ")+"."
	case f.restored <= add(f.atMost, 1):
		v.certainty, v.reason = Unlikely, between
	default:
		v = verdict{column: relist, certainty: Certain}
	}
	return v
}

// kubelet says what the node's kubelet does when API servers serve the restored
// store. A fresh API server refuses a watch exactly when it resumes below the
// revision of the server's first list (apiserver v0.37 pkg/storage/cacher/
// watch_cache_history.go GetIntervalLocked).
func (f *forecast) kubelet(n *node) verdict {
	margin := f.startupMargin()
	switch {
	case f.restartsWith(n):
		return verdict{column: restart, certainty: Certain, reason: fmt.Sprintf("Its kubelet is part of the service %s, which the restore stops and starts: a fresh kubelet lists all pods.", n.service), kubelet: KubeletRestarted}
	case f.plan.RestartKubelets.Includes(n.name):
		return verdict{column: restart, certainty: Certain, reason: "The plan restarts its kubelet after the API is back, and a fresh kubelet lists all pods.", kubelet: KubeletRestarted}
	case f.restored > f.atMost && len(f.open) == 0:
		return verdict{column: relist, certainty: Certain, reason: fmt.Sprintf(
			"The restored store starts at revision %d, above all that its kubelet can have seen: its watch is refused and it relists. Assumes that the kubelet is up, and that %s.",
			f.restored, f.basis), kubelet: KubeletRelists}
	case n.seen.Revision >= add(f.restored, margin):
		return verdict{column: deaf, certainty: Certain, reason: fmt.Sprintf(
			"Its kubelet has seen revision %d, and the restored store starts at %d: its watch resumes and delivers nothing. %s",
			n.seen.Revision, f.restored, f.assumptions()), kubelet: KubeletDeaf}
	case f.restored > f.plausible && len(f.open) > 0:
		return verdict{column: deaf, certainty: Possible, reason: fmt.Sprintf(
			"The restored store starts at revision %d, above %s. But evidence is missing, and nothing bounds what is in it: %s. %s",
			f.restored, f.shown("its kubelet"), strings.Join(f.open, "; "), f.assumptions()), kubelet: KubeletDeaf}
	case f.restored > f.plausible:
		return verdict{column: deaf, certainty: Unlikely, reason: fmt.Sprintf(
			"The restored store starts at revision %d, and its kubelet has seen %d or more, %d as far as rates go: it is deaf only if several times as much was written before the outage as ever measured (up to %d). %s",
			f.restored, n.seen.Revision, f.expected, f.atMost, f.assumptions()), kubelet: KubeletDeaf}
	}
	return verdict{column: deaf, certainty: Possible, reason: fmt.Sprintf(
		"Its kubelet has seen a revision between %d and %d, and the restored store starts at %d: it is deaf unless what it has seen lies below that. %s",
		n.seen.Revision, f.atMost, f.restored, f.assumptions()), kubelet: KubeletDeaf}
}

// shown says what the evidence shows watchers to have seen, where the restored store starts
// above what they have plausibly seen.
func (f *forecast) shown(watchers string) string {
	if f.restored > f.atMost {
		return fmt.Sprintf("all that the evidence shows %s to have seen (%d at most)", watchers, f.atMost)
	}
	return fmt.Sprintf("what the evidence shows %s to have plausibly seen (%d)", watchers, f.plausible)
}

// startupMargin is how many revisions the store may have passed when the last of the API
// servers, started together, lists its pods.
func (f *forecast) startupMargin() int64 {
	nodes, servers := int64(len(f.current.Nodes)), int64(f.startedServers())
	return max(startupWrites, startupWritesPerNode*nodes) + (servers-1)*(laterServerWrites+laterServerWritesPerNode*nodes)
}

// startedServers is how many API servers are started, as far as is known: one at least.
func (f *forecast) startedServers() int {
	if f.plan.someKept() {
		return len(f.plan.RestartAPIServers)
	}
	return max(1, len(f.current.APIServers))
}

// assumptions are what a verdict that a kubelet is deaf rests on beyond revisions.
func (f *forecast) assumptions() string {
	if f.startedServers() == 1 {
		return assumesKubeletUp
	}
	return assumesKubeletUp + " Assumes that the API servers are started together: one that starts after the store has passed what the kubelet has seen refuses its watch, and a kubelet whose connection goes there relists."
}
