package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"revenant/analyzer/restore"
	"revenant/analyzer/storage"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/report"
)

// storageOptions are the flags of `revenant storage`.
type storageOptions struct {
	streams streams
	open    openOptions
	files   filesOptions
	output  outputOptions
	by      []string
	top     int
}

func newStorage(s streams, f runFunc) *cobra.Command {
	o := &storageOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "storage FILE",
		Short: "Show what takes the space of a snapshot",
		Long: `storage adds up what takes the space of FILE, with every byte accounted for:

  file        live records, history, free pages, and what pages need besides
  resource    the records of each resource
  namespace   and of each namespace
  largest     the objects that are large themselves
  revisions   the keys of which most revisions are kept
  leases      the leases, and the keys that etcd deletes when theirs runs out

Live is the newest record of a key that exists. History is every other record that is
kept: a compaction frees it, and a defragmentation gives free pages back. Sizes are
those of records as etcd stores them, with their keys.

Exit codes: 0 done; 2 FILE could not be read; 3 it is damaged, and what was readable
is added up.`,
		Example: `  revenant storage backup.db
  revenant storage backup.db --by resource,largest --top 20
  revenant storage backup.db -o json`,
		Args:              o.files.needs,
		ValidArgsFunction: completeArgs(1),
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.output.addFlags(cmd.Flags())
	cmd.Flags().StringSliceVar(&o.by, "by", nil, "only these `VIEW,...`: file, resource, namespace, largest, revisions, leases (default: all)")
	cmd.Flags().IntVar(&o.top, "top", 10, "list the first `N` of each, 0 for all")
	register(cmd, "by", completeSeveral(report.StorageViews...))
	register(cmd, "output", o.output.complete())
	return cmd
}

func (o *storageOptions) run(ctx context.Context, args []string) error {
	path, more, err := o.files.one(args)
	if err != nil {
		return err
	}
	if len(more) > 0 {
		return hinted(fmt.Errorf("one file is read, and %.100q is given, too", more[0]), "--by says what of it is listed")
	}
	guard, err := o.open.guardOutputs(o.streams, path)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	views := map[string]bool{}
	for _, view := range report.StorageViews {
		views[view] = len(o.by) == 0
	}
	for _, view := range o.by {
		if !slices.Contains(report.StorageViews, view) {
			return hinted(fmt.Errorf("--by: unknown view %q", view), "the views are "+words.List(report.StorageViews))
		}
		views[view] = true
	}
	if o.top < 0 {
		return fmt.Errorf("--top %d is no number of rows", o.top)
	}
	var doc *report.Storage
	err = o.open.withOne(ctx, o.streams, path, func(s *snapshot.Snapshot, _ *progressLine) (err error) {
		doc, err = o.addUp(ctx, s, views)
		return err
	})
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, doc); err != nil {
		return err
	}
	if report.Damaged(doc.Evidence[0]) {
		return errDamaged
	}
	return nil
}

func (o *storageOptions) addUp(ctx context.Context, s *snapshot.Snapshot, views map[string]bool) (*report.Storage, error) {
	choice, err := o.open.choosePrefix(ctx, s)
	if err != nil {
		return nil, err
	}
	options := storage.Options{Prefix: choice.Prefix, Top: o.top}
	if o.top == 0 {
		options.Top = min(s.Len()+1, math.MaxInt32)
	}
	found, err := storage.Of(ctx, s, options)
	if err != nil {
		return nil, err
	}
	doc := report.NewStorage(found, views, o.top)
	if views["leases"] {
		leases, err := storage.LeasesOf(ctx, s, choice.Prefix)
		if err != nil {
			return nil, err
		}
		doc.AddLeases(leases)
	}
	e, err := report.NewEvidence(ctx, "evidence", s)
	if err != nil {
		return nil, err
	}
	e.EtcdPrefixes = kube.SplitPrefixes(choice.Prefix)
	o.open.sign(&e, s)
	doc.Tool, doc.Evidence, doc.Problems = tool(), []restore.Evidence{e}, append([]snapshot.Problem{}, s.Problems()...)
	return doc, nil
}
