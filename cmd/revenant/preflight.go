package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"
	utilversion "k8s.io/apimachinery/pkg/util/version"

	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/decoder/input"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// preflightOptions are the flags of `revenant preflight`.
type preflightOptions struct {
	streams     streams
	open        openOptions
	output      outputOptions
	plan        planOptions
	planned     bool // one of the flags of the plan was given
	platform    string
	etcdVersion string
	quota       string
	at          string
	policy      string
	force       bool
}

func newPreflight(s streams, f runFunc) *cobra.Command {
	o := &preflightOptions{streams: s, output: outputOptions{formats: []string{"text", "markdown", "json", "yaml", "html", "sarif", "prometheus", "attestation"}}}
	cmd := &cobra.Command{
		Use:   "preflight BACKUP [CURRENT]",
		Short: "Check before a restore whether this backup can be restored",
		Long: `preflight answers, before a restore or on a schedule for every new backup: is the
backup intact, can the etcd and the API servers that will run read it, is it of
this cluster and new enough, which bump does it need and can the platform make it,
and will the control plane then start and accept writes. Each check has an id, a
verdict and a reason: pass, warn, fail, or unknown if it could not look.

CURRENT is the newest state available. Without it, checks that need it are unknown:
the gap, the bump, whether the pods of webhooks still run, phantoms and ghosts.
Phantoms and ghosts are those under the plan given by the flags (--restart-kubelets
none alone is a plain restore), or without flags under the plan that revenant plan
recommends.

The grade is the worst verdict; unknown is worse than warn and better than fail.
--policy FILE (YAML) says what verdicts count as, and what is too old, too much
or too large:

  limits: {maxAge: 25h, maxGap: 2000000, maxRate: 500, maxSize: 0.8}
  default: {unknown: warn}
  checks:
    etcd-version: {unknown: ignore}
    age: {unknown: fail}

Above a limit of the policy a check fails. Without one, a backup of more than a
day and a db above 80 % of the quota are warnings.

` + checkHelp() + `
Exit codes: 0 nothing fails; 1 a check fails under the policy; 2 the command
could not do its work; 3 a file is damaged.`,
		Example: `  revenant preflight backup.db current.db
  revenant preflight backup.db --etcd-version 3.6 --kubernetes-version 1.37 --platform kubeadm
  revenant preflight backup.db current.db --policy policy.yaml -o prometheus=backup.prom
  revenant preflight backup.db current.db --encryption-config encryption.yaml -o json`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: completeArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.planned = slices.ContainsFunc(planFlags, cmd.Flags().Changed)
			return f(cmd.Context(), o, args)
		},
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	o.output.addBaseline(cmd.Flags())
	o.plan.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&o.platform, "platform", "", "`NAME` of what set the control plane up: "+strings.Join(platformNames(), ", ")+" (default what the backup points to)")
	flags.StringVar(&o.etcdVersion, "etcd-version", "", "`VERSION` of etcd that will run the restored store, such as 3.6 or 3.5.17 (default the current state's)")
	flags.StringVar(&o.quota, "quota", "2Gi", "`SIZE` of that etcd's --quota-backend-bytes")
	flags.StringVar(&o.at, "at-time", "", "`TIME` for which is checked how old the backup is and what has expired (default now)")
	flags.StringVar(&o.policy, "policy", "", "`FILE` that says what verdicts count as, and what is too old, too much or too large")
	flags.BoolVar(&o.force, "force", false, "take the snapshots for one cluster's although they do not look it")
	register(cmd, "output", o.output.complete())
	return cmd
}

// checkHelp lists the checks for --help.
func checkHelp() string {
	var b strings.Builder
	b.WriteString("Checks:\n")
	for i := range preflight.Infos {
		fmt.Fprintf(&b, "  %-20s %s\n", preflight.Infos[i].ID, preflight.Infos[i].Title)
	}
	return b.String()
}

// input reads the flags, before any evidence is.
func (o *preflightOptions) input() (in preflight.Input, err error) {
	in = preflight.Input{Tool: tool(), Force: o.force, EtcdVersion: o.etcdVersion, Platform: runbook.Platform(o.platform), At: time.Now()}
	if err := checkPlatform(o.platform); err != nil {
		return in, err
	}
	if v, err := utilversion.ParseGeneric(o.etcdVersion); o.etcdVersion != "" && (err != nil || v.Major() != 3) {
		return in, hinted(fmt.Errorf("--etcd-version %q is no version of etcd 3", o.etcdVersion), "such as 3.6 or 3.5.17")
	}
	size, err := resource.ParseQuantity(o.quota)
	if err != nil || size.Value() <= 0 {
		return in, hinted(fmt.Errorf("--quota %q is not a size", o.quota), "such as 8Gi; it is etcd's --quota-backend-bytes")
	}
	in.Quota = size.Value()
	if o.at != "" {
		when, err := parseTime("--at-time", o.at)
		if err != nil {
			return in, err
		}
		in.At = when.From
	}
	plan, err := o.plan.plan()
	if err != nil {
		return in, err
	}
	if in.Stated = plan.Stated(); o.planned {
		in.Plan = &plan
	}
	if o.policy != "" {
		text, err := input.ReadConfig(o.policy)
		if err == nil {
			in.Policy, err = preflight.ParsePolicy(text)
		}
		if err != nil {
			return in, hinted(fmt.Errorf("--policy: %s: %w", o.policy, err), "revenant preflight --help shows one, and lists the checks")
		}
	}
	return in, nil
}

func (o *preflightOptions) run(ctx context.Context, paths []string) error {
	o.open.metricsFiles, o.open.wrecks = o.plan.metrics, true
	guard, err := o.open.guardOutputs(o.streams, append(slices.Clone(paths), o.policy, o.output.baseline)...)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	in, err := o.input()
	if err != nil {
		return err
	}
	check := o.pair
	if len(paths) == 1 {
		check = o.alone
	}
	found, err := check(ctx, paths, in)
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, found); err != nil {
		return err
	}
	switch {
	case slices.ContainsFunc(found.Evidence, report.Damaged):
		return errDamaged
	case found.Grade == preflight.Fail:
		return errFindings
	}
	return nil
}

// alone checks a backup without a current state.
func (o *preflightOptions) alone(ctx context.Context, paths []string, in preflight.Input) (found *report.Preflight, err error) {
	err = o.open.withBackup(ctx, o.streams, paths[0], func(b *side, e restore.Evidence) error {
		in.Evidence, in.Prefix = []restore.Evidence{e}, b.choice.Prefix
		in.Backup = preflight.Side{Snapshot: b.snapshot, State: b.state, Others: b.choice.Others}
		found, err = o.check(ctx, in)
		return err
	})
	return found, err
}

// pair checks a backup and the current state. A pair that no restore has is a finding.
func (o *preflightOptions) pair(ctx context.Context, paths []string, in preflight.Input) (found *report.Preflight, err error) {
	backup, current, err := o.open.files(paths[0], paths[1])
	if err != nil {
		return nil, err
	}
	bar := newProgressLine(o.streams)
	defer bar.clear()
	p, err := o.open.openPair(ctx, backup, current, restore.LoadBeside, bar.show)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if in.Evidence, err = p.evidence(ctx); err != nil {
		return nil, err
	}
	in.Prefix, in.Lineage = p.prefix, p.lineage
	in.Backup = preflight.Side{Snapshot: p.backup.snapshot, State: p.backup.state, Others: p.backup.choice.Others}
	in.Current = &preflight.Side{Snapshot: p.current.snapshot, State: p.current.state, Others: p.current.choice.Others}
	if found, err = o.check(ctx, in); err != nil {
		return nil, err
	}
	return found, p.unchanged(ctx)
}

// check adds what was read beside the evidence, and checks.
func (o *preflightOptions) check(ctx context.Context, in preflight.Input) (*report.Preflight, error) {
	in.Keys, in.Metrics = o.open.keys, o.open.scraped()
	found, err := preflight.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	doc := &report.Preflight{Report: found}
	snapshots := map[restore.In]*snapshot.Snapshot{restore.InBackup: in.Backup.Snapshot}
	if in.Current != nil {
		snapshots[restore.InCurrent] = in.Current.Snapshot
	}
	doc.Offsets = report.Locate(snapshots, found.Evidence, doc.Refs)
	return doc, nil
}
