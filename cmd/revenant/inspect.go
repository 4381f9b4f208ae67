package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"revenant/decoder/snapshot"
	"revenant/report"
)

// inspectOptions are the flags of `revenant inspect`.
type inspectOptions struct {
	streams streams
	open    openOptions
	output  outputOptions
}

func newInspect(s streams) *cobra.Command {
	o := &inspectOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Say what a snapshot is and whether it is whole",
		Long: `inspect reads every byte of each file and says what it is: its integrity, the
versions of etcd that wrote it, the revisions it holds, its size and members,
and what "etcdutl snapshot status" would print for it. Every fault found is
listed with what it costs.

Exit codes: 0 all files are whole; 2 a file could not be read; 3 a file is
damaged.`,
		Example: `  revenant inspect backup.db
  revenant inspect -o json backup.db current.db`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	return cmd
}

func (o *inspectOptions) run(ctx context.Context, paths []string) error {
	targets, err := o.output.targets(paths...)
	if err != nil {
		return err
	}
	doc := report.Inspection{SchemaVersion: report.SchemaVersion, Kind: "Inspection", Tool: tool()}
	damaged := false
	for _, path := range paths {
		e, err := o.inspect(ctx, path)
		if err != nil {
			return err
		}
		damaged = damaged || report.Damaged(e.Evidence)
		doc.Evidence = append(doc.Evidence, e)
	}
	if err := write(targets, o.streams, &doc); err != nil {
		return err
	}
	if damaged {
		return errDamaged
	}
	return nil
}

func (o *inspectOptions) inspect(ctx context.Context, path string) (e report.InspectedEvidence, err error) {
	bar := newProgressLine(o.streams)
	tell := func(p snapshot.Progress) { bar.show(filepath.Base(path), p) }
	s, err := snapshot.Open(ctx, path, snapshot.Options{SkipHashCheck: o.open.skipHashCheck, Progress: tell})
	bar.clear()
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if e, err = report.Inspect(ctx, s, o.open.prefix); err != nil {
		return e, err
	}
	return e, unchanged(s)
}

// unchanged makes a change of the evidence while it was read an error: what
// was read may then be of neither state.
func unchanged(s *snapshot.Snapshot) error {
	if err := s.Unchanged(); err != nil {
		return hinted(err, "copy the file, and read the copy")
	}
	return nil
}
