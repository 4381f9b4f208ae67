package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/analyzer/atrest"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/runbook"
	"revenant/analyzer/ties"
	"revenant/analyzer/watchers"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// runbookOptions are the flags of `revenant plan`.
type runbookOptions struct {
	streams     streams
	open        openOptions
	output      outputOptions
	plan        planOptions
	planned     bool // one of the flags of the plan was given
	platform    string
	etcdVersion string
	force       bool
	brief       bool
}

// planFlags are the flags that say what is done, and not what is known.
var planFlags = []string{"bump-revision", "mark-compacted", "restart-kubelets", "restart-apiservers", "keep-apiservers"}

func newPlan(s streams, f runFunc) *cobra.Command {
	o := &runbookOptions{streams: s, output: outputOptions{formats: []string{"text", "markdown", "json", "yaml", "html", "attestation"}}}
	cmd := &cobra.Command{
		Use:   "plan BACKUP [CURRENT]",
		Short: "Write the runbook of a restore: commands, their order, and why",
		Long: `plan writes the steps that restore BACKUP without leaving phantoms: what to stop
first, the restore with a bump computed from the two snapshots, what to delete
before kubelets start it again, which kubelets to restart in which order, and what
to check. Values that the snapshots do not have are in capitals.

CURRENT is the newest state available. Without it the bump is a large one that no
evidence confirms, and no pod or node can be named.

It begins with a summary: what it does, what it costs, what can go wrong, and the
step after which there is no way back. --brief writes only the commands.

Without flags for the plan, the recommended plan is used. The steps take into
account what the restore of --platform does itself and what it leaves out.

With --onto new-machines the steps bring BACKUP up on machines none of which was a
node of its cluster: what to bring along, what to remove from the backup before
anything starts, what to hold back, and when nodes join. CURRENT is then the newest
state of the old cluster, which must not keep running next to the new one.

Exit codes: 0 done; 2 the command could not do its work; 3 a file is damaged,
and the runbook is based on what was readable.`,
		Example: `  revenant plan backup.db current.db
  revenant plan backup.db current.db --platform kubeadm -o markdown=runbook.md
  revenant plan backup.db current.db --last-revision 48151623
  revenant plan backup.db current.db --brief
  revenant plan backup.db
  revenant plan backup.db --onto new-machines --platform kubeadm`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: completeArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.planned = slices.ContainsFunc(planFlags, cmd.Flags().Changed)
			return f(cmd.Context(), o, args)
		},
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	o.plan.addFlags(cmd.Flags())
	o.plan.addOnto(cmd.Flags())
	cmd.Flags().StringVar(&o.platform, "platform", "", "`NAME` of what set the control plane up: "+strings.Join(platformNames(), ", ")+" (default generic)")
	cmd.Flags().StringVar(&o.etcdVersion, "etcd-version", "", "`VERSION` of etcd that restores: "+strings.Join(runbook.EtcdVersions(), ", ")+" (default the backup's)")
	cmd.Flags().BoolVar(&o.force, "force", false, "continue although the snapshots are of different clusters")
	cmd.Flags().BoolVar(&o.brief, "brief", false, "as text, write the commands only")
	register(cmd, "output", o.output.complete())
	return cmd
}

func platformNames() []string {
	var names []string
	for _, p := range runbook.Platforms() {
		names = append(names, string(p))
	}
	return names
}

// checkPlatform refuses what no platform is called; "" is none.
func checkPlatform(name string) error {
	if name == "" || slices.Contains(platformNames(), name) {
		return nil
	}
	return hinted(fmt.Errorf("--platform: unknown platform %q", name), "the platforms are "+strings.Join(platformNames(), ", "))
}

// check refuses flags before any file is read.
func (o *runbookOptions) check() error {
	if err := checkPlatform(o.platform); err != nil {
		return err
	}
	if o.etcdVersion != "" && !slices.Contains(runbook.EtcdVersions(), o.etcdVersion) {
		return hinted(fmt.Errorf("--etcd-version: unknown version %q", o.etcdVersion), "the versions are "+strings.Join(runbook.EtcdVersions(), ", "))
	}
	return nil
}

func (o *runbookOptions) run(ctx context.Context, paths []string) error {
	o.open.metricsFiles = o.plan.metrics
	guard, err := o.open.guardOutputs(o.streams, paths...)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	plan, err := o.plan.plan()
	if err != nil {
		return err
	}
	in := runbook.Input{
		Tool: tool(), Platform: runbook.Platform(o.platform), EtcdVersion: o.etcdVersion,
		Onto:         plan.Onto,
		LastRevision: plan.LastRevision, OutageAt: plan.OutageAt, Outage: plan.Outage, KubernetesVersion: plan.KubernetesVersion,
	}
	if o.planned || plan.Onto != "" {
		in.Plan = &plan
	}
	read := o.readPair
	if len(paths) == 1 {
		read = o.readBackup
	}
	if err := read(ctx, paths, &in); err != nil {
		return err
	}
	r, err := runbook.New(in)
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, &report.Runbook{Runbook: r, Brief: o.brief}); err != nil {
		return err
	}
	if slices.ContainsFunc(r.Evidence, report.Damaged) {
		return errDamaged
	}
	return nil
}

// readPair reads the backup and the current state.
func (o *runbookOptions) readPair(ctx context.Context, paths []string, in *runbook.Input) error {
	backup, current, err := o.open.files(paths[0], paths[1])
	if err != nil {
		return err
	}
	return o.open.withPair(ctx, o.streams, backup, current, o.force, func(p *pair) error {
		return o.lookAtBoth(ctx, p, in)
	})
}

// readBackup reads a backup alone.
func (o *runbookOptions) readBackup(ctx context.Context, paths []string, in *runbook.Input) error {
	return o.open.withOne(ctx, o.streams, paths[0], func(s *snapshot.Snapshot, _ *progressLine) error {
		choice, err := o.open.needPrefix(ctx, s)
		if err != nil {
			return err
		}
		in.Metrics = o.open.scraped()
		state, err := restore.Load(ctx, s, choice.Prefix)
		if err != nil {
			return err
		}
		backup := side{snapshot: s, choice: choice, state: state}
		o.reading(in, choice.Prefix, &backup)
		if in.Watchers, err = watchers.Find(ctx, s, choice.Prefix, restore.InBackup); err != nil {
			return err
		}
		if in.Onto != "" {
			if in.Ties, err = ties.Find(ctx, s, choice.Prefix); err != nil {
				return err
			}
		}
		return o.look(ctx, restore.InBackup, backup, &in.Backup, in)
	})
}

// lookAtBoth takes from a pair what the runbook needs of it.
func (o *runbookOptions) lookAtBoth(ctx context.Context, p *pair, in *runbook.Input) error {
	in.Current, in.Metrics = &runbook.Side{}, o.open.scraped()
	o.reading(in, p.prefix, &p.backup, &p.current)
	err := errors.Join(
		o.look(ctx, restore.InBackup, p.backup, &in.Backup, in),
		o.look(ctx, restore.InCurrent, p.current, in.Current, in))
	if err == nil && in.Onto != "" {
		if in.Ties, err = ties.Find(ctx, p.backup.snapshot, p.prefix); err == nil {
			in.Rollback, err = p.rollback(ctx)
		}
		return err
	}
	if err == nil {
		in.Comparison = restore.Compare(in.Backup.State, in.Current.State)
		in.Comparison.Lineage = p.lineage
		in.FormerMasters, err = rollback.FormerMasters(ctx, p.backup.snapshot, p.current.snapshot, p.prefix)
	}
	if err == nil {
		in.Rollback, err = p.rollback(ctx)
	}
	if err == nil {
		in.Watchers = in.Rollback.Watchers
	}
	return err
}

// reading tells the runbook how the evidence is read: with which flags, and what of it
// is not.
func (o *runbookOptions) reading(in *runbook.Input, prefix string, sides ...*side) {
	in.Warnings = append(in.Warnings, o.open.prefixNotes(sides...)...)
	in.Flags, in.NewestFlags = o.open.flags(prefix)
	if o.force && len(sides) > 1 {
		in.PairFlags = []string{"--force"}
	}
}

// look takes from a snapshot what the runbook needs of it.
func (o *runbookOptions) look(ctx context.Context, role restore.In, from side, to *runbook.Side, in *runbook.Input) error {
	facts, err := runbook.Look(ctx, from.snapshot, from.choice.Prefix)
	if err != nil {
		return err
	}
	if o.open.keys != nil {
		if facts.Encryption, err = atrest.Refused(ctx, from.snapshot, from.choice.Prefix, o.open.keys, facts.Encryption); err != nil {
			return err
		}
	}
	e, err := report.NewEvidence(ctx, string(role), from.snapshot)
	if err != nil {
		return err
	}
	e.EtcdPrefixes = kube.SplitPrefixes(from.choice.Prefix)
	o.open.sign(&e, from.snapshot)
	in.Evidence = append(in.Evidence, e)
	state := *from.state // somebody else may read it meanwhile
	state.Missing = e.Missing
	*to = runbook.Side{Path: from.snapshot.Path(), State: &state, Facts: facts}
	return nil
}
