package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"revenant/analyzer/clock"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// inspectOptions are the flags of `revenant inspect`.
type inspectOptions struct {
	streams streams
	open    openOptions
	output  outputOptions
	at      []string
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
  revenant inspect --at 2026-11-22T03:00Z --at 4815 backup.db
  revenant inspect -o json backup.db current.db`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	cmd.Flags().StringArrayVar(&o.at, "at", nil, "say which revision the store was at, or when it was written: TIME or REVISION; can be given several times")
	return cmd
}

func (o *inspectOptions) run(ctx context.Context, paths []string) error {
	targets, err := o.output.targets(paths...)
	if err != nil {
		return err
	}
	questions, err := o.questions()
	if err != nil {
		return err
	}
	doc := report.Inspection{SchemaVersion: report.SchemaVersion, Kind: "Inspection", Tool: tool()}
	damaged := false
	for _, path := range paths {
		e, err := o.inspect(ctx, path, questions)
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

// question is what --at asks of a snapshot's clock.
type question = func(*clock.Clock) report.Moment

// questions reads the --at flags.
func (o *inspectOptions) questions() (list []question, err error) {
	for _, s := range o.at {
		if revision, err := strconv.ParseInt(s, 10, 64); err == nil && revision > 0 {
			list = append(list, func(c *clock.Clock) report.Moment {
				return report.Moment{Asked: s, Revision: clock.Span{From: revision, To: revision}, Time: c.TimeOf(revision)}
			})
			continue
		}
		t, err := parseTime("--at", s)
		if err != nil {
			return nil, err
		}
		list = append(list, func(c *clock.Clock) report.Moment {
			return report.Moment{Asked: s, Revision: c.HeadAt(t), Time: clock.Interval{From: t, To: t}}
		})
	}
	return list, nil
}

// parseTime reads the time that a flag gives.
func parseTime(flag, s string) (time.Time, error) {
	t, err := clock.ParseTime(s, time.Now())
	if err != nil {
		return t, hinted(fmt.Errorf("%s: %w", flag, err), "such as 2026-11-22T03:00Z; times without a zone are UTC, -5m is five minutes ago")
	}
	return t, nil
}

func (o *inspectOptions) inspect(ctx context.Context, path string, questions []question) (e report.InspectedEvidence, err error) {
	bar := newProgressLine(o.streams)
	tell := func(p snapshot.Progress) { bar.show(filepath.Base(path), p) }
	s, err := o.open.open(ctx, path, true, o.streams.in, tell)
	bar.clear()
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if e, err = report.Inspect(ctx, s, o.open.prefix, questions...); err != nil {
		return e, err
	}
	o.open.sign(&e.Evidence)
	return e, o.open.unchanged(ctx, s)
}
