package preflight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/version"

	"revenant/analyzer/atrest"
	"revenant/analyzer/finding"
	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/runbook"
	"revenant/decoder/document"
	"revenant/decoder/encryption"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// DefaultQuota is etcd's --quota-backend-bytes unless it is given, in bytes (etcd
// server/v3 v3.7 storage/quota.go DefaultQuotaBytes).
const DefaultQuota = 2 << 30

// Input is what is checked, and what is known of the programs that will have it.
type Input struct {
	Tool     restore.Tool
	Evidence []restore.Evidence // of the backup, and then of the current state

	Backup  Side
	Current *Side // nil where there is none
	Lineage *lineage.Lineage
	Prefix  string // of the API servers' keys in both
	// Force says that the two are taken for one cluster's although they do not look it.
	Force bool

	At time.Time // of the check: what is past then has expired

	EtcdVersion string // that will run the restored store, "" where it is not stated
	Quota       int64  // of that etcd in bytes; 0 is DefaultQuota
	Platform    runbook.Platform
	Keys        *encryption.Keyring // of the encryption configuration, nil without one
	Plan        *restore.Plan       // that will be carried out; nil is the one that the runbook recommends
	// Stated is what is known beyond the snapshots: the outage, the newest revision that
	// was served, the version of the API servers that will read the store.
	Stated  restore.Plan
	Metrics *restore.Metrics

	Policy Policy
}

// Side is one of the two snapshots.
type Side struct {
	Snapshot *snapshot.Snapshot
	State    *restore.State
	// Others are prefixes of API servers whose objects are not read.
	Others []string
}

// Report is what the checks came to. It marshals to the JSON of `revenant preflight -o
// json`; within a schema version, fields are only added.
type Report struct {
	SchemaVersion int                `json:"schemaVersion"` // 1
	Kind          string             `json:"kind"`          // Preflight
	Tool          restore.Tool       `json:"tool"`
	Evidence      []restore.Evidence `json:"evidence"`

	// Grade is the worst that a check counts as, and Headline says so in a sentence.
	Grade    Verdict         `json:"grade"`
	Headline string          `json:"headline"`
	At       document.Time   `json:"checkedAt"`
	Targets  Targets         `json:"targets"`
	Measures Measures        `json:"measures"`
	Summary  map[Verdict]int `json:"summary"` // how many checks count as what
	Checks   []Check         `json:"checks"`  // all of Infos, in their order
	Policy   Policy          `json:"policy"`
}

// Targets are the programs that are taken to have the restored store; what is not known
// is "".
type Targets struct {
	Etcd           string           `json:"etcd"`
	EtcdFrom       string           `json:"etcdFrom"` // what shows it
	Kubernetes     string           `json:"kubernetes"`
	KubernetesFrom string           `json:"kubernetesFrom"`
	Platform       runbook.Platform `json:"platform"`
	PlatformFrom   string           `json:"platformFrom"`
	QuotaBytes     int64            `json:"quotaBytes"`

	atLeast bool // API servers may be of a later version
}

// Measures are the numbers that the checks went by; nil is not known.
type Measures struct {
	BackupRevision int64    `json:"backupRevision"`
	AgeSeconds     *float64 `json:"ageSeconds,omitempty"` // of the backup, at most
	Gap            *int64   `json:"gap,omitempty"`        // revisions that the restore undoes
	Rate           *float64 `json:"revisionsPerSecondMean,omitempty"`
	SizeBytes      int64    `json:"backendSizeBytes"`

	// MinimumBump is the smallest that passes all that is known to have been served, and
	// Bump the one of the plan; 0 where there is none.
	MinimumBump *int64 `json:"minimumBump,omitempty"`
	Bump        *int64 `json:"bump,omitempty"`
	// Phantoms and Ghosts are the pods that become such under the plan, the possible ones
	// counted and the unlikely ones not; the others without any bump or restart of
	// kubelets.
	Phantoms      *int `json:"phantoms,omitempty"`
	Ghosts        *int `json:"ghosts,omitempty"`
	PhantomsPlain *int `json:"phantomsPlain,omitempty"`
	GhostsPlain   *int `json:"ghostsPlain,omitempty"`
}

// Check is what one check came to.
type Check struct {
	ID      ID      `json:"id"`
	Group   Group   `json:"group"`
	Title   string  `json:"title"`
	Verdict Verdict `json:"verdict"`
	// Counts is what the verdict counts as under the policy: a verdict, or ignore.
	Counts   Verdict       `json:"counts"`
	Reason   string        `json:"reason"` // what was found, or why that is not known
	Looks    string        `json:"looks"`  // what is looked at
	Why      string        `json:"why"`
	Action   string        `json:"action"` // "" of a pass
	Source   string        `json:"source"`
	Evidence []finding.Ref `json:"evidence"`
}

// Run checks. The error is ctx's, or a *restore.PlanError for what is stated and cannot
// be.
func Run(ctx context.Context, in Input) (*Report, error) {
	r := &run{Input: in, ctx: ctx}
	if r.Quota == 0 {
		r.Quota = DefaultQuota
	}
	if err := r.gather(); err != nil {
		return nil, err
	}
	report := &Report{
		SchemaVersion: 1, Kind: "Preflight", Tool: in.Tool, Evidence: in.Evidence, At: document.Time{Time: in.At.UTC()},
		Targets: r.targets, Measures: r.measures(), Summary: map[Verdict]int{}, Policy: in.Policy,
	}
	for _, v := range append(slices.Clone(Verdicts), Ignored) {
		report.Summary[v] = 0
	}
	for i := range Infos {
		c := r.check(&Infos[i])
		report.Checks = append(report.Checks, c)
		report.Summary[c.Counts]++
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("preflight: %w", err)
	}
	report.grade()
	return report, nil
}

// run is the work of one Run.
type run struct {
	Input
	ctx     context.Context
	targets Targets

	doubt     string // why what the backup does not show may still have been there
	doubtNow  string // the same of the current state
	unlike    string // why the two are not compared
	needs     string // why nothing is known that takes the current state
	facts     runbook.Facts
	stored    []atrest.Stored
	encrypted []atrest.Values
	defined   map[kube.Key]kube.Definition // by group and plural
	undefined []string                     // definitions that could not be read
	calls     []rollback.Call
	uncalled  []string // what calls may be in and could not be read

	runbook    *runbook.Runbook
	noPlan     error               // why there is none
	prediction *restore.Prediction // under the plan
	plain      *restore.Prediction
	rollback   *rollback.Rollback
	masters    []rollback.FormerMaster
}

// gather reads what several checks use.
func (r *run) gather() (err error) {
	r.doubt, r.doubtNow = doubtOf("backup", r.Evidence[0], r.Backup.Snapshot), ""
	switch {
	case r.Current == nil:
		r.needs = "no current state was given"
	default:
		r.doubtNow = doubtOf("current snapshot", r.Evidence[1], r.Current.Snapshot)
		r.unlike = r.unlikePair()
		r.needs = r.unlike
	}
	for _, step := range []func() error{r.atRest, r.lookAt, r.comparePair, r.plan} {
		if err = step(); err != nil {
			return err
		}
		if err := r.ctx.Err(); err != nil {
			return fmt.Errorf("preflight: %w", err)
		}
	}
	r.target()
	return nil
}

// doubtOf says why what evidence does not show may still have been there.
func doubtOf(what string, e restore.Evidence, s *snapshot.Snapshot) string {
	if s.Damaged() || slices.ContainsFunc(e.Integrity, func(c snapshot.Check) bool { return c.Verdict == snapshot.Bad }) {
		return "the " + what + " is damaged"
	}
	if i := slices.IndexFunc(e.Missing, func(m snapshot.Missing) bool { return m.Sure() }); i >= 0 {
		return "the " + what + " lacks " + e.Missing[i].What
	}
	return ""
}

func (r *run) atRest() (err error) {
	r.defined = map[kube.Key]kube.Definition{}
	r.stored, err = atrest.Find(r.ctx, r.Backup.Snapshot, r.Prefix, func(k kube.Key, record snapshot.Record, value []byte) {
		if k.Group != "apiextensions.k8s.io" || k.Resource != "customresourcedefinitions" {
			return
		}
		d, err := kube.ScanDefinition(value)
		if err != nil {
			r.undefined = append(r.undefined, record.Key)
			return
		}
		r.defined[kube.Key{Group: d.Group, Resource: d.Plural}] = d
	})
	if err == nil {
		r.encrypted, err = atrest.Encrypted(r.ctx, r.Backup.Snapshot, r.Prefix)
	}
	if err == nil && r.Keys != nil {
		r.encrypted, err = atrest.Refused(r.ctx, r.Backup.Snapshot, r.Prefix, r.Keys, r.encrypted)
	}
	return err
}

func (r *run) lookAt() (err error) {
	r.facts, err = runbook.Look(r.ctx, r.Backup.Snapshot, r.Prefix)
	return err
}

// comparePair reads what the two snapshots show together, and of the backup alone what
// it shows by itself.
func (r *run) comparePair() (err error) {
	var current *snapshot.Snapshot
	opts := rollback.Options{Prefix: r.Prefix}
	if r.needs == "" {
		current, opts.Taken = r.Current.Snapshot, r.Current.State.Clock.Taken()
		if r.rollback, err = rollback.Compare(r.ctx, r.Backup.Snapshot, current, opts); err != nil {
			return err
		}
		if r.masters, err = rollback.FormerMasters(r.ctx, r.Backup.Snapshot, current, r.Prefix); err != nil {
			return err
		}
	}
	r.calls, r.uncalled, err = rollback.Calls(r.ctx, r.Backup.Snapshot, current, opts)
	return err
}

// plan makes the plan that the runbook follows, and predicts what comes of it and of a
// restore without one.
func (r *run) plan() error {
	in := runbook.Input{
		Backup:       runbook.Side{Path: r.Backup.Snapshot.Path(), State: r.Backup.State, Facts: r.facts},
		LastRevision: r.Stated.LastRevision, OutageAt: r.Stated.OutageAt, Outage: r.Stated.Outage, KubernetesVersion: r.Stated.KubernetesVersion,
		Metrics: r.Metrics, Plan: r.Plan,
	}
	in.Platform, _ = r.platform()
	var c *restore.Comparison
	if r.needs == "" {
		facts, err := runbook.Look(r.ctx, r.Current.Snapshot, r.Prefix)
		if err != nil {
			return err
		}
		c = restore.Compare(r.Backup.State, r.Current.State)
		c.Lineage, c.Metrics = r.Lineage, r.Metrics
		in.Current = &runbook.Side{Path: r.Current.Snapshot.Path(), State: r.Current.State, Facts: facts}
		in.Comparison = c
	}
	r.runbook, r.noPlan = runbook.New(in)
	if r.noPlan == nil && c != nil {
		if r.plain, r.noPlan = c.Predict(r.Stated.Stated()); r.noPlan == nil {
			r.prediction, r.noPlan = c.Predict(r.runbook.Plan)
		}
	}
	if r.noPlan != nil && (r.Plan != nil || !r.Stated.Equal(restore.Plan{})) {
		return r.noPlan // of what was stated, and not of the evidence
	}
	return nil
}

// platform is the platform that is given, or else the one that the backup points to, and
// what shows it; "" and "" where nothing does.
func (r *run) platform() (runbook.Platform, string) {
	if r.Platform != "" {
		return r.Platform, "as stated"
	}
	if s := r.facts.Suggestion; s != nil {
		return s.Platform, s.Because
	}
	return "", ""
}

// target says which programs will have the restored store.
func (r *run) target() {
	t := &r.targets
	t.QuotaBytes = r.Quota
	t.Platform, t.PlatformFrom = r.platform()
	switch {
	case r.EtcdVersion != "":
		t.Etcd, t.EtcdFrom = r.EtcdVersion, "as stated"
	case r.needs == "" && r.Current.State.EtcdVersion != "":
		t.Etcd, t.EtcdFrom = r.Current.State.EtcdVersion, "as the current state has it"
	}
	switch {
	case r.Stated.KubernetesVersion != "":
		t.Kubernetes, t.KubernetesFrom = r.Stated.KubernetesVersion, "as stated"
	case r.prediction != nil:
		k := &r.prediction.Kubernetes
		t.Kubernetes, t.KubernetesFrom, t.atLeast = k.APIServers, k.APIServersFrom, k.AtLeast
	}
}

// minor is the minor version of Kubernetes 1 or of etcd 3 in a version, -1 for none.
func minor(text string, major uint) int {
	v, err := version.ParseGeneric(text)
	if err != nil || v.Major() != major {
		return -1
	}
	return int(v.Minor())
}

// check runs one check and holds what it found against the doubts there are.
func (r *run) check(info *Info) Check {
	c := Check{ID: info.ID, Group: info.Group, Title: info.Title, Looks: info.Looks, Why: info.Why, Source: info.Source, Evidence: []finding.Ref{}}
	var found result
	switch {
	case r.ctx.Err() != nil:
		found = unknown("the check was ended")
	case info.Pair && r.needs != "":
		found = unknown("%s", r.needs)
	default:
		found = info.check(r)
	}
	if found.Verdict == Pass {
		switch {
		case !info.Sound && r.doubt != "":
			found.Verdict, found.reason = Unknown, "nothing shows against it ("+found.reason+"), but "+r.doubt
		case !info.Sound && r.doubtNow != "" && (info.Pair || info.Group == OfBump || info.Group == OfControlPlane):
			found.Verdict, found.reason = Unknown, "nothing shows against it ("+found.reason+"), but "+r.doubtNow
		}
	}
	c.Verdict, c.Reason = found.Verdict, found.reason
	c.Counts = r.Policy.counts(c.ID, c.Verdict)
	if c.Verdict != Pass {
		c.Action = cmp.Or(found.do, info.Do)
	}
	c.Evidence = append(c.Evidence, found.evidence...)
	return c
}

// grade sums up the checks.
func (r *Report) grade() {
	r.Grade = Pass
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Counts != Ignored && c.Counts.Rank() > r.Grade.Rank() {
			r.Grade = c.Counts
		}
	}
	name := func(v Verdict, one, many string) string {
		var ids []string
		for i := range r.Checks {
			if r.Checks[i].Counts == v {
				ids = append(ids, string(r.Checks[i].ID))
			}
		}
		if len(ids) > 1 {
			one = many
		}
		return fmt.Sprintf("%s (%s) %s", words.Count(len(ids), "check"), words.First(ids, mostPoints), one)
	}
	switch r.Grade {
	case Fail:
		r.Headline = "Fail: " + name(Fail, "fails", "fail")
	case Unknown:
		r.Headline = "Unknown: nothing fails, but " + name(Unknown, "is unknown", "are unknown")
	case Warn:
		r.Headline = "Warn: nothing fails, but " + name(Warn, "warns", "warn")
	default:
		r.Headline = fmt.Sprintf("Pass: none of %s speaks against restoring this backup", words.Count(len(r.Checks)-r.Summary[Ignored], "check"))
	}
	if n := r.Summary[Unknown]; r.Grade == Fail && n > 0 {
		r.Headline += fmt.Sprintf("; %d unknown", n)
	}
	if n := r.Summary[Warn]; (r.Grade == Fail || r.Grade == Unknown) && n > 0 {
		r.Headline += fmt.Sprintf("; %s", words.CountOf(n, "warns", "warn"))
	}
	r.Headline += "."
	var missing []restore.Missing
	for i := range r.Evidence {
		for _, m := range r.Evidence[i].Missing {
			missing = append(missing, restore.Missing{In: restore.In(r.Evidence[i].Role), Missing: m})
		}
	}
	if len(missing) > 0 {
		r.Headline += " " + restore.MissingText(missing)
	}
	if n := r.Summary[Ignored]; n > 0 {
		r.Headline += fmt.Sprintf(" The policy ignores %d.", n)
	}
}
