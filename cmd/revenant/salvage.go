package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"revenant/analyzer/restore"
	"revenant/decoder/salvage"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// salvageOptions are the flags of `revenant salvage`.
type salvageOptions struct {
	streams          streams
	open             openOptions
	output           string
	report           outputOptions
	includeUncertain bool
}

func newSalvage(s streams) *cobra.Command {
	o := &salvageOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "salvage FILE -o CLEAN.db",
		Short: "Write a clean snapshot out of what is readable of a damaged one",
		Long: `salvage writes a new snapshot, with its SHA-256 trailer, out of all that can be
read of FILE, and reports what is in it and what is missing. etcdutl accepts it.
FILE is a snapshot, a db, or a member's data directory, whose log is applied.

What the file's tree still leads to always wins. Only where parts of the tree
are lost, revisions are taken from pages that nothing leads to any more.
Withheld unless --include-uncertain is given are those at or below the compact
revision, which may have been deleted since, and those that contradict
themselves or their page, whose value may have been cut. Revisions with
differing copies are withheld in any case.

Nothing is ever written over.

Exit codes: 0 the evidence was whole; 2 nothing could be written; 3 the evidence
is damaged, and what is readable was written.`,
		Example: `  revenant salvage broken.db -o clean.db
  revenant salvage /var/lib/etcd -o newest.db       # a dead member's state, its log applied
  revenant salvage broken.db -o clean.db --report json=salvage.json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	o.open.addFlags(cmd.Flags())
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`FILE` to write the snapshot to; it must not exist")
	cmd.Flags().StringArrayVar(&o.report.outputs, "report", nil, "write a report as `FORMAT[=FILE]`: table, json or yaml, to standard output or to a file; can be given several times (default table)")
	cmd.Flags().BoolVar(&o.includeUncertain, "include-uncertain", false, "write revisions, too, that a compaction may have removed or that contradict themselves")
	register(cmd, "output", completeFiles)
	register(cmd, "report", o.report.complete())
	return cmd
}

func (o *salvageOptions) run(ctx context.Context, path string) error {
	if o.output == "" {
		return hinted(errors.New("no output is named"), "revenant salvage FILE -o CLEAN.db")
	}
	evidence := o.open.evidence(path)
	if err := spare(evidence, o.output); err != nil {
		return err
	}
	targets, err := o.report.targets(append(evidence, o.output)...)
	if err != nil {
		return err
	}
	var doc *report.Salvage
	err = o.open.withOne(ctx, o.streams, path, func(s *snapshot.Snapshot, bar *progressLine) (err error) {
		doc, err = o.salvage(ctx, s, bar)
		return err
	})
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, doc); err != nil {
		return err
	}
	if !doc.Lossless || report.Damaged(doc.Evidence[0]) {
		return errDamaged
	}
	return nil
}

func (o *salvageOptions) salvage(ctx context.Context, s *snapshot.Snapshot, bar *progressLine) (*report.Salvage, error) {
	result, err := salvage.Write(ctx, s, o.output, salvage.Options{
		IncludeUncertain: o.includeUncertain,
		Progress: func(done, total int) {
			bar.show(filepath.Base(o.output), snapshot.Progress{Phase: phaseWrite, Done: int64(done), Total: int64(total)})
		},
	})
	if errors.Is(err, salvage.ErrExists) {
		return nil, hinted(err, "nothing is written over: name a file that does not exist")
	}
	if err != nil {
		return nil, err
	}
	e, err := report.NewEvidence(ctx, "evidence", s)
	if err != nil {
		return nil, err
	}
	o.open.sign(&e)
	return &report.Salvage{
		SchemaVersion: report.SchemaVersion, Kind: "Salvage", Tool: tool(), Evidence: []restore.Evidence{e},
		Problems: append([]snapshot.Problem{}, s.Problems()...), Result: result, Lossless: result.Lossless(),
	}, nil
}
