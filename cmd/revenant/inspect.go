package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"revenant/analyzer/atrest"
	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// inspectOptions are the flags of `revenant inspect`.
type inspectOptions struct {
	streams streams
	open    openOptions
	output  outputOptions
	at      []string
	hash    bool
	hashKV  bool
	rev     int64
}

func newInspect(s streams, f runFunc) *cobra.Command {
	o := &inspectOptions{streams: s, output: outputOptions{formats: []string{"table", "markdown", "json", "yaml", "html", "sarif", "prometheus", "attestation"}}}
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Show what a snapshot is and whether it is intact",
		Long: `inspect reads every byte of each file and says what it is: its integrity, the
versions of etcd that wrote it, the revisions it holds, its size and members,
and what "etcdutl snapshot status" would print for it. Every fault is
listed with its cost. The hash of the status is that of the whole file; it may
differ between members of one cluster.

All keys are grouped by owner: the API servers of Kubernetes and OpenShift, each
below its prefix, and all others that store keys in the same etcd. For objects
that are not read, the --etcd-prefix that reads them is shown.

--hash adds the hash of the whole db as a running member reports it. --hashkv adds
the hash of the key space as "etcdutl hashkv" prints it and a running member
reports it; members compare theirs by it. Compare hashes only at the same revision
and with the same compact revision.

With several files, each further file is compared with the first, record by record,
up to the newest revision that both have reached: whether they agree, at which
revision and key they first differ, and by how much one is behind. This does not
change the exit code.

Exit codes: 0 all files are whole; 2 a file could not be read, the others were;
3 a file is damaged.`,
		Example: `  revenant inspect backup.db
  revenant inspect --at 2026-11-22T03:00Z --at 4815 backup.db
  revenant inspect --hashkv --rev 4815 backup.db
  revenant inspect member-a.db member-b.db member-c.db
  revenant inspect -o json backup.db current.db`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeFiles,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	o.output.addBaseline(cmd.Flags())
	register(cmd, "output", o.output.complete())
	cmd.Flags().StringArrayVar(&o.at, "at", nil, "say which revision the store was at, or when it was written: `TIME|REVISION`; can be given several times")
	cmd.Flags().BoolVar(&o.hash, "hash", false, "hash the buckets as a member does (Maintenance.Hash)")
	cmd.Flags().BoolVar(&o.hashKV, "hashkv", false, "hash the key space as etcdutl hashkv does")
	cmd.Flags().Int64Var(&o.rev, "rev", 0, "with --hashkv, the newest `REVISION` to hash (0: the newest there is)")
	return cmd
}

func (o *inspectOptions) run(ctx context.Context, paths []string) error {
	guard, err := o.open.guardOutputs(o.streams, append(slices.Clone(paths), o.output.baseline)...)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	questions, err := o.questions()
	if err != nil {
		return err
	}
	if err := o.open.parse(); err != nil {
		return err
	}
	if o.rev != 0 && !o.hashKV {
		return hinted(errors.New("--rev says up to which revision --hashkv hashes"), "give --hashkv as well, or --at to ask about a revision")
	}
	o.open.status = true
	doc := report.Inspection{SchemaVersion: report.SchemaVersion, Kind: "Inspection", Tool: tool()}
	unread, err := o.inspectAll(ctx, paths, questions, &doc)
	if err != nil {
		return err
	}
	if len(doc.Evidence) > 0 {
		if err := write(ctx, targets, o.streams, &doc); err != nil {
			return err
		}
	}
	switch {
	case unread:
		return errUnread
	case slices.ContainsFunc(doc.Evidence, func(e report.InspectedEvidence) bool { return e.Damaged() }):
		return errDamaged
	}
	return nil
}

// inspectAll inspects every file and holds the others against the first one, which
// stays open for that. Of several, one that does not open is reported and left out.
func (o *inspectOptions) inspectAll(ctx context.Context, paths []string, questions []question, doc *report.Inspection) (unread bool, err error) {
	bar := newProgressLine(o.streams)
	defer bar.clear()
	var first *snapshot.Snapshot
	defer func() {
		if first != nil {
			err = errors.Join(err, first.Close())
		}
	}()
	for _, path := range paths {
		bar.reset()
		s, err := o.open.open(ctx, path, true, o.streams.in, bar.of(filepath.Base(path)))
		if open := (*snapshot.OpenError)(nil); errors.As(err, &open) && len(paths) > 1 {
			bar.reset()
			exitCode(o.streams.err, err)
			unread = true
			continue
		}
		switch {
		case err != nil:
		case first == nil:
			first = s
			err = o.inspect(ctx, first, questions, doc)
		default:
			err = o.inspectOther(ctx, first, s, questions, doc)
		}
		if err != nil {
			return unread, err
		}
	}
	if first != nil {
		err = o.open.unchanged(ctx, first)
	}
	return unread, err
}

// inspectOther inspects a further file, holds it against the first one, and closes
// it.
func (o *inspectOptions) inspectOther(ctx context.Context, first, s *snapshot.Snapshot, questions []question, doc *report.Inspection) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := o.inspect(ctx, s, questions, doc); err != nil {
		return err
	}
	g, err := lineage.Agree(ctx, first, s, doc.Evidence[0].Prefix())
	if err != nil {
		return err
	}
	doc.Agreement = append(doc.Agreement, *g)
	return o.open.unchanged(ctx, s)
}

// question is what --at asks of a snapshot's clock.
type question = func(*clock.Clock) report.Moment

// questions reads the --at flags. What they say relative to the evidence is printed when it
// is open.
func (o *inspectOptions) questions() (list []question, err error) {
	for _, s := range o.at {
		if _, err := clock.ParseMoment(s, time.Unix(0, 0)); err != nil {
			return nil, fmt.Errorf("--at: %w", err)
		}
		list = append(list, func(c *clock.Clock) report.Moment {
			m, err := clock.ParseMoment(s, c.Taken().From)
			switch t := m.Time.From; {
			case err != nil: // the evidence does not show when it was taken
				return report.Moment{Asked: s, Revision: (*clock.Clock)(nil).HeadAt(t)}
			case !t.IsZero():
				return report.Moment{Asked: s, Revision: c.HeadAt(t), Time: clock.Interval{From: t, To: t}}
			case m.Revision == 0:
				m.Revision = c.Head()
			}
			return report.Moment{Asked: s, Revision: clock.Span{From: m.Revision, To: m.Revision}, Time: c.TimeOf(m.Revision)}
		})
	}
	return list, nil
}

// parseTime reads the time that a flag gives, as all of what it names.
func parseTime(flag, s string) (clock.Interval, error) {
	t, err := clock.ParseInterval(s, time.Now())
	if err != nil {
		return t, hinted(fmt.Errorf("%s: %w", flag, err), "such as 2026-11-22T03:00Z; times without a zone are UTC, -5m is five minutes ago")
	}
	return t, nil
}

// inspect adds what is found of one file.
func (o *inspectOptions) inspect(ctx context.Context, s *snapshot.Snapshot, questions []question, doc *report.Inspection) error {
	choice, err := o.open.choosePrefix(ctx, s)
	if err != nil {
		return err
	}
	e, err := report.Inspect(ctx, s, choice, questions...)
	if err != nil {
		return err
	}
	if o.open.keys != nil {
		if e.Encryption, err = atrest.Refused(ctx, s, choice.Prefix, o.open.keys, e.Encryption); err != nil {
			return err
		}
	}
	if o.hash {
		h, err := s.Hash(ctx)
		if err != nil {
			return err
		}
		e.Hash = &h
	}
	if o.hashKV {
		h, err := s.HashKV(ctx, o.rev)
		if err != nil {
			return hinted(fmt.Errorf("hash %s: %w", s.Path(), err), hashKVHint(s, err))
		}
		e.HashKV = &h
	}
	o.open.sign(&e.Evidence, s)
	doc.Evidence = append(doc.Evidence, e)
	return nil
}

// hashKVHint says which revisions can be hashed.
func hashKVHint(s *snapshot.Snapshot, err error) string {
	if !errors.Is(err, snapshot.ErrCompacted) && !errors.Is(err, snapshot.ErrFuture) {
		return ""
	}
	return fmt.Sprintf("--rev takes %d to %d for this file", max(s.CompactRevision(), 1), s.Revision())
}
