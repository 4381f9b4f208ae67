package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/ties"
	"revenant/analyzer/watchers"
)

// Runbook is the procedure of one restore. It marshals to the JSON of `revenant
// plan -o json`; within a schema version, fields are only added.
type Runbook struct {
	SchemaVersion int                `json:"schemaVersion"` // 1
	Kind          string             `json:"kind"`          // Runbook
	Tool          restore.Tool       `json:"tool"`
	Evidence      []restore.Evidence `json:"evidence"`
	Metrics       *restore.Metrics   `json:"metrics,omitempty"` // that were given
	Platform      PlatformChoice     `json:"platform"`
	// Plan is what the steps carry out and the prediction was made under.
	Plan restore.Plan `json:"plan"`
	Bump Bump         `json:"bump"`
	// Predicted says in a sentence or two what the restore does; "" for a backup
	// alone.
	Predicted string `json:"predicted"`
	// Summary is the whole in a few sentences.
	Summary Summary `json:"summary"`

	Warnings []string `json:"warnings"` // of the plan as a whole
	Steps    []Step   `json:"steps"`
	Unknowns []string `json:"unknowns"` // what the snapshots cannot tell

	// Watchers is what watches beside kubelets; nil where that was not looked for.
	Watchers *Watching `json:"watchers,omitempty"`
}

// Step is one step. Its ID is a stable name.
type Step struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Why      string    `json:"why"`
	Commands []Command `json:"commands"`
	Checks   []string  `json:"checks"`
	Warnings []string  `json:"warnings"`
	// Findings are the ids of what the step is about: outcomes of package restore,
	// findings of package rollback, and a few of its own.
	Findings []string `json:"findings"`
}

// Input is what a runbook is written from.
type Input struct {
	Tool     restore.Tool
	Evidence []restore.Evidence

	Backup Side
	// Current is the newest state before the restore, and Comparison the two laid
	// side by side; nil for a backup alone.
	Current    *Side
	Comparison *restore.Comparison

	// FormerMasters are the backup's addresses of API servers that no longer exist.
	FormerMasters []rollback.FormerMaster
	// Rollback is what else goes back in time; nil for a backup alone.
	Rollback *rollback.Rollback
	// Watchers is what watches beside kubelets; nil when it is not known.
	Watchers *watchers.List

	// Plan is the plan to follow; nil is the recommended one of the platform.
	Plan *restore.Plan
	// LastRevision is the newest revision known to have been served, from evidence
	// beyond the snapshots; 0 when there is none.
	LastRevision int64
	// Metrics is what was scraped before the outage; nil for none.
	Metrics *restore.Metrics
	// OutageAt is when the last API server stopped; zero when it is not known.
	OutageAt time.Time
	// Outage is as in restore.Plan.
	Outage restore.Seconds
	// KubernetesVersion is as in restore.Plan.
	KubernetesVersion string

	// Onto says onto which machines the backup is restored; "" is those of its cluster.
	// Then Current is the newest state of the old cluster, which must not go on beside the
	// new one; Comparison is not looked at, and Ties are what binds the backup to it.
	Onto restore.Onto
	Ties *ties.Ties

	// Flags are those that every command needs that reads evidence, as words that are not
	// quoted; NewestFlags those for the newest state, or for the backup where it is alone
	// (--wal-dir); PairFlags those for the two together (--force).
	Flags, NewestFlags, PairFlags []string
	// Warnings are what the reader of the evidence has to say of it.
	Warnings []string

	Platform Platform // "" is Generic
	// EtcdVersion is 3.4, 3.5, 3.6 or 3.7; "" takes the backup's.
	EtcdVersion string
}

// Side is one of the two snapshots.
type Side struct {
	Path  string
	State *restore.State
	Facts Facts
}

// New writes the runbook. A *restore.PlanError refuses a plan that package restore
// refuses, and a bump that does not fit.
func New(in Input) (*Runbook, error) {
	if in.Platform != "" && !slices.Contains(Platforms(), in.Platform) {
		return nil, fmt.Errorf("unknown platform %q", in.Platform)
	}
	if in.Onto != "" {
		return newOnto(in)
	}
	if in.Comparison != nil {
		in.Comparison.Metrics = in.Metrics
	}
	b := &builder{Input: in, profile: profileOf(cmp.Or(in.Platform, Generic))}
	if in.Platform == OpenShift && in.Backup.Facts.Topology == fencedTopology {
		b.profile = fencing()
	}
	b.etcd = toolOf(cmp.Or(in.EtcdVersion, in.Backup.Facts.EtcdVersion))
	b.restartsWith = b.servers()
	if err := b.predict(); err != nil {
		return nil, err
	}
	b.sort()
	r := &Runbook{
		SchemaVersion: 1,
		Kind:          "Runbook",
		Tool:          in.Tool,
		Evidence:      in.Evidence,
		Metrics:       in.Metrics,
		Platform:      b.choice(),
		Plan:          b.plan,
		Bump:          b.bump,
		Warnings:      b.warnings(),
		Unknowns:      b.unknowns(),
	}
	steps := []func() Step{
		b.bring, b.takeStock, b.prepare, b.freeze, b.stop, b.fence, b.restore, b.startEtcd, b.alarms, b.formerMasters, b.startAPI, b.cleanUp, b.setRight, b.cordons, b.letIn,
		b.startControllers, b.restartKubelets, b.restartWatchers, b.verify, b.repair,
	}
	if b.plan.BumpRevision == 0 || len(b.deaf) > 0 {
		// Where restarts are what makes kubelets list, they come before anything
		// makes changes.
		at := len(steps) - 5
		steps[at], steps[at+1] = steps[at+1], steps[at]
	}
	for _, step := range steps {
		if s := step(); s.ID != "" {
			r.Steps = append(r.Steps, s.whole())
		}
	}
	b.attach(r.Steps)
	r.Watchers = b.watching()
	if b.prediction != nil {
		_, r.Predicted = b.prediction.Headline()
	}
	r.Summary = b.summary(r.Steps)
	return r, nil
}

// whole is s with empty lists in place of none.
func (s Step) whole() Step {
	s.Commands = slices.Concat([]Command{}, s.Commands)
	for i := range s.Commands {
		s.Commands[i] = s.Commands[i].whole()
	}
	s.Checks = slices.Concat([]string{}, s.Checks)
	s.Warnings = slices.Concat([]string{}, s.Warnings)
	s.Findings = append([]string{}, s.Findings...)
	return s
}

// builder is a runbook while it is written.
type builder struct {
	Input
	*profile
	etcd       etcdTool
	plan       restore.Plan
	only       []string // the API servers that the given plan restarts, where it leaves others running
	bump       Bump
	noBump     bool                // is large enough for what was served
	atMost     int64               // the newest revision that a watcher can have seen, 0 unknown
	prediction *restore.Prediction // nil for a backup alone
	open       bool                // the fence is taken away
	// restartsWith are the nodes whose kubelets are part of a service that the steps restart.
	restartsWith map[string]bool
	findings
}
