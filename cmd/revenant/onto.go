package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/ties"
	"revenant/report"
)

// addOnto adds the flag for a restore onto other machines.
func (o *planOptions) addOnto(flags *pflag.FlagSet) {
	flags.StringVar(&o.onto, "onto", "", "`MACHINES` that the backup is restored onto: new-machines, none of which was a node of its cluster (default those of its cluster)")
}

const ontoHint = "to restore a backup of one cluster onto the machines of another: --onto new-machines, with the backup alone or with the newest state of the cluster that it is of"

// pairOrOnto wants two snapshots, or one for other machines.
func (o *planOptions) pairOrOnto(cmd *cobra.Command, args []string) error {
	if err := cobra.RangeArgs(1, 2)(cmd, args); err != nil {
		return err
	}
	if len(args) == 1 && o.onto == "" {
		return hinted(errors.New("accepts 2 args, BACKUP and CURRENT; received 1"), "a backup alone can be predicted for other machines only: --onto new-machines")
	}
	return nil
}

// runOnto predicts a restore onto other machines.
func (o *predictOptions) runOnto(ctx context.Context, targets []target, paths []string, plan restore.Plan) error {
	if o.compare {
		return hinted(errors.New("--compare and --onto contradict each other"), "the ways to restore differ in what kubelets do that have watched before, and new machines have none")
	}
	p, err := o.predictOnto(ctx, paths, plan)
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, &report.Prediction{Prediction: p, All: o.all}); err != nil {
		return err
	}
	return o.verdict(p.Evidence, p.Summary)
}

func (o *predictOptions) predictOnto(ctx context.Context, paths []string, plan restore.Plan) (p *restore.Prediction, err error) {
	if len(paths) == 1 {
		err = o.open.withBackup(ctx, o.streams, paths[0], func(b *side, e restore.Evidence) (err error) {
			if p, err = onto(ctx, b, b.choice.Prefix, plan); err != nil {
				return err
			}
			p.Evidence = []restore.Evidence{e}
			if len(p.Pods) > 0 { // where they were taken out, that is as it should be
				p.Warnings = append(p.Warnings, o.open.prefixNotes(b)...)
			}
			return nil
		})
		return p, err
	}
	backup, current, err := o.open.files(paths[0], paths[1])
	if err != nil {
		return nil, err
	}
	err = o.open.withPair(ctx, o.streams, backup, current, o.force, func(both *pair) error {
		evidence, err := both.evidence(ctx)
		if err != nil {
			return err
		}
		if p, err = onto(ctx, &both.backup, both.prefix, plan); err != nil {
			return err
		}
		p.Evidence, p.Lineage = evidence, *both.lineage
		p.OldCluster = both.current.state.Old()
		p.Warnings = append([]string{p.OldCluster.Text()}, append(p.Warnings, both.warnings()...)...)
		p.Rollback, err = rollback.Compare(ctx, both.backup.snapshot, both.current.snapshot, rollback.Options{Prefix: both.prefix, Taken: both.current.state.Clock.Taken()})
		return err
	})
	return p, err
}

// onto predicts what the backup comes to on other machines, and what binds it to its own.
func onto(ctx context.Context, backup *side, prefix string, plan restore.Plan) (*restore.Prediction, error) {
	p, err := restore.RestoreOnto(backup.state).Predict(plan)
	if err != nil {
		return nil, err
	}
	p.Tool = tool()
	if p.Ties, err = ties.Find(ctx, backup.snapshot, prefix); err != nil {
		return nil, fmt.Errorf("look for ties: %w", err)
	}
	return p, nil
}
