package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"revenant/analyzer/restore"
	"revenant/decoder/salvage"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/report"
)

// salvageOptions are the flags of `revenant salvage`.
type salvageOptions struct {
	streams          streams
	open             openOptions
	output           string
	report           outputOptions
	includeUncertain bool
	state            string
}

func newSalvage(s streams, f runFunc) *cobra.Command {
	o := &salvageOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "salvage FILE -o CLEAN.db",
		Short: "Write a clean snapshot from the readable parts of a damaged one",
		Long: `salvage writes a new snapshot, with a SHA-256 trailer, from everything readable in
FILE, and reports what is in it and what is missing. etcdutl accepts it. FILE is a
snapshot, a db, or a member's data directory, whose log is applied.

Everything that the file's tree still leads to is written. Only if parts of the tree
are lost, revisions are taken from pages that nothing refers to. Of these, two kinds
are withheld unless --include-uncertain is given: revisions at or below the compact
revision, which may have been deleted since, and revisions that contradict
themselves or their page, whose value may be truncated. Revisions with differing
copies are always withheld.

A damaged db can hold several states: that of its tree ("tree"), the same with
what such pages add ("tree+scan"), and those of other roots: of all ("root-" and
their page), which are of other commits, or of the revisions alone ("key-" and
their page). The report lists them with what each holds.
The most complete that contradicts nothing is written; --state chooses another.

salvage never overwrites a file.

Exit codes: 0 the evidence was whole; 2 nothing could be written; 3 the evidence
is damaged, and what is readable was written.`,
		Example: `  revenant salvage broken.db -o clean.db
  revenant salvage /var/lib/etcd -o newest.db       # a dead member's state, its log applied
  revenant salvage broken.db -o clean.db --report json=salvage.json
  revenant salvage broken.db -o tree.db --state tree  # nothing but what its tree leads to`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeArgs(1),
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`FILE` to write the snapshot to; it must not exist")
	cmd.Flags().StringArrayVar(&o.report.outputs, "report", nil, "write a report as `FORMAT[=FILE]`: table, json or yaml, to standard output or to a file; can be given several times (default table)")
	cmd.Flags().BoolVar(&o.includeUncertain, "include-uncertain", false, "write revisions, too, that a compaction may have removed or that contradict themselves")
	cmd.Flags().StringVar(&o.state, "state", "", "write the state of that `NAME`: tree, tree+scan, root-PAGE or key-PAGE, as the report lists them (default the most complete)")
	register(cmd, "state", completeOne(salvage.TreeState, salvage.ScanState))
	register(cmd, "output", completeFiles)
	register(cmd, "report", o.report.complete())
	return cmd
}

func (o *salvageOptions) run(ctx context.Context, args []string) error {
	path := args[0]
	if o.output == "" {
		return hinted(errors.New("no output is named"), "revenant salvage FILE -o CLEAN.db")
	}
	guard, err := o.open.guardOutputs(o.streams, path)
	if err != nil {
		return err
	}
	place, err := guard.Place(o.output, outfile.New)
	if errors.Is(err, outfile.ErrExists) {
		return hinted(err, "existing files are never overwritten: name a file that does not exist")
	}
	if err != nil {
		return err
	}
	reports := *guard
	reports.Evidence(o.output) // no report goes there
	targets, err := o.report.targets(&reports)
	if err != nil {
		return err
	}
	doc, err := o.salvage(ctx, path, place)
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

// salvage writes the snapshot beside its place, where it is put once the evidence is
// known not to have changed meanwhile.
func (o *salvageOptions) salvage(ctx context.Context, path string, place *outfile.Place) (doc *report.Salvage, err error) {
	draft, err := place.Draft()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, draft.Discard()) }()
	const name = "snapshot"
	err = o.open.withOne(ctx, o.streams, path, func(s *snapshot.Snapshot, bar *progressLine) error {
		result, err := salvage.Write(ctx, s, draft.Dir, name, salvage.Options{
			IncludeUncertain: o.includeUncertain, State: o.state,
			Progress: func(done, total int) {
				bar.show(filepath.Base(o.output), snapshot.Progress{Phase: phaseWrite, Done: int64(done), Total: int64(total)})
			},
		})
		if errors.As(err, new(*salvage.UnknownStateError)) {
			return hinted(err, "without --state the most complete is written, and the report says what each holds")
		}
		if err != nil {
			return err
		}
		result.Path = o.output
		e, err := report.NewEvidence(ctx, "evidence", s)
		if err != nil {
			return err
		}
		if err := s.Unchanged(); err != nil { // of a directory in use, too: nothing is made of two states
			return hinted(err, copyHint)
		}
		o.open.sign(&e, s)
		doc = &report.Salvage{
			SchemaVersion: report.SchemaVersion, Kind: "Salvage", Tool: tool(), Evidence: []restore.Evidence{e},
			Problems: append([]snapshot.Problem{}, s.Problems()...), Result: result, Lossless: result.Lossless() && !lost(e.Missing),
		}
		return nil
	})
	if err := errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	return doc, draft.Publish(name)
}

// lost says whether something is missing that etcd is known to have had.
func lost(list []snapshot.Missing) bool {
	return slices.ContainsFunc(list, func(m snapshot.Missing) bool { return m.Sure() })
}
