package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/analyzer/diff"
	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/analyzer/timeline"
	"revenant/report"
)

// reportOptions are the flags of `revenant report`.
type reportOptions struct {
	streams  streams
	open     openOptions
	output   outputOptions
	plan     planOptions
	planned  bool // one of the flags of the plan was given
	platform string
	at       string
	force    bool
}

func newReport(s streams, f runFunc) *cobra.Command {
	o := &reportOptions{streams: s, output: outputOptions{formats: []string{"text", "markdown", "json", "yaml", "html", "attestation"}}}
	cmd := &cobra.Command{
		Use:   "report BACKUP CURRENT",
		Short: "Write all that is found of a restore as one document: for a change request",
		Long: `report puts into one document what predict, predict --compare, preflight, diff and plan
find: the outcome of every pod under the plan of the runbook, the ways to restore side
by side, what does not pass, what changed, and the steps. Without flags for the plan it
is the plan that revenant plan recommends.

-o html=FILE writes one page that asks for nothing: no other file, no network. It can be
read without its script, and printed.

Exit codes: 0 done; 1 a check of preflight fails; 2 the command could not do its work;
3 a file is damaged, and the report is based on what was readable.`,
		Example: `  revenant report backup.db current.db -o html=restore.html
  revenant report backup.db current.db --platform kubeadm -o html=restore.html -o json=restore.json
  revenant report backup.db current.db --restart-kubelets all`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.planned = slices.ContainsFunc(planFlags, cmd.Flags().Changed)
			return f(cmd.Context(), o, args)
		},
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	o.plan.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&o.platform, "platform", "", "`NAME` of what set the control plane up: "+strings.Join(platformNames(), ", ")+" (default generic)")
	cmd.Flags().StringVar(&o.at, "at-time", "", "`TIME` for which is checked how old the backup is and what has expired (default now)")
	cmd.Flags().BoolVar(&o.force, "force", false, "continue although the snapshots are of different clusters")
	register(cmd, "output", o.output.complete())
	return cmd
}

func (o *reportOptions) run(ctx context.Context, paths []string) error {
	o.open.metricsFiles = o.plan.metrics
	guard, err := o.open.guardOutputs(o.streams, paths...)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	if err := checkPlatform(o.platform); err != nil {
		return err
	}
	plan, err := o.plan.plan()
	if err != nil {
		return err
	}
	at := time.Now()
	if o.at != "" {
		when, err := parseTime("--at-time", o.at)
		if err != nil {
			return err
		}
		at = when.From
	}
	backup, current, err := o.open.files(paths[0], paths[1])
	if err != nil {
		return err
	}
	var doc *report.Report
	err = o.open.withPair(ctx, o.streams, backup, current, o.force, func(p *pair) (err error) {
		doc, err = o.report(ctx, p, plan, at)
		return err
	})
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, doc); err != nil {
		return err
	}
	switch {
	case slices.ContainsFunc(doc.Evidence, report.Damaged):
		return errDamaged
	case doc.Preflight.Grade == preflight.Fail:
		return errFindings
	}
	return nil
}

// report finds all there is to find of the pair.
func (o *reportOptions) report(ctx context.Context, p *pair, plan restore.Plan, at time.Time) (*report.Report, error) {
	doc := &report.Report{SchemaVersion: report.SchemaVersion, Kind: "Report", Tool: tool()}
	in := runbook.Input{
		Tool: tool(), Platform: runbook.Platform(o.platform),
		LastRevision: plan.LastRevision, OutageAt: plan.OutageAt, Outage: plan.Outage, KubernetesVersion: plan.KubernetesVersion,
	}
	given := &plan
	if !o.planned {
		given = nil
	}
	in.Plan = given
	steps := runbookOptions{open: o.open, force: o.force}
	if err := steps.lookAtBoth(ctx, p, &in); err != nil {
		return nil, err
	}
	r, err := runbook.New(in)
	if err != nil {
		return nil, err
	}
	doc.Runbook = &report.Runbook{Runbook: r}
	if doc.Prediction, err = p.predict(ctx, r.Plan); err != nil {
		return nil, err
	}
	doc.Evidence = doc.Prediction.Evidence
	if doc.Plans, err = p.comparePlans(ctx, r.Plan); err != nil {
		return nil, err
	}
	checks, err := preflight.Run(ctx, preflight.Input{
		Tool: tool(), Force: o.force, Platform: runbook.Platform(o.platform), At: at, Plan: given, Stated: plan.Stated(),
		Evidence: doc.Evidence, Prefix: p.prefix, Lineage: p.lineage, Keys: o.open.keys, Metrics: o.open.scraped(), Quota: preflight.DefaultQuota,
		Backup:  preflight.Side{Snapshot: p.backup.snapshot, State: p.backup.state, Others: p.backup.choice.Others},
		Current: &preflight.Side{Snapshot: p.current.snapshot, State: p.current.state, Others: p.current.choice.Others},
	})
	if err != nil {
		return nil, err
	}
	doc.Preflight = &report.Preflight{Report: checks}
	if doc.Changes, err = o.changes(ctx, p); err != nil {
		return nil, err
	}
	doc.Rates, err = timeline.Join(ctx, timeline.Options{Prefix: p.prefix, OneHistory: p.lineage.OneHistory(), Rates: rateParts},
		timeline.Source{Name: p.backup.snapshot.Path(), Snapshot: p.backup.snapshot, Clock: p.backup.state.Clock},
		timeline.Source{Name: p.current.snapshot.Path(), Snapshot: p.current.snapshot, Clock: p.current.state.Clock})
	return doc, err
}

// rateParts is in how many parts the rate of writes is plotted.
const rateParts = 90

// changes lists what differs between the newest states, as diff does.
func (o *reportOptions) changes(ctx context.Context, p *pair) (report.Changes, error) {
	var list report.Changes
	ignored, err := diff.ParseNoise([]string{"all"})
	if err != nil {
		return list, err
	}
	d := &stateDiff{diffOptions: &diffOptions{streams: o.streams, open: o.open}, ignored: ignored}
	if d.before, err = newDiffState(ctx, p.backup.snapshot, p.backup.state.Clock, p.prefix, "--from", ""); err != nil {
		return list, err
	}
	if d.after, err = newDiffState(ctx, p.current.snapshot, p.current.state.Clock, p.prefix, "--to", ""); err != nil {
		return list, err
	}
	if err := d.read(ctx, p.lineage.CommonUpTo()); err != nil {
		return list, err
	}
	if list, err = d.changes(ctx, func(int, *diff.Object) {}); err != nil {
		return list, err
	}
	list.Summary = append(list.Summary, d.summary(0)...)
	return list, nil
}
