package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	join "revenant/analyzer/audit"
	"revenant/analyzer/clock"
	"revenant/analyzer/history"
	"revenant/analyzer/objects"
	"revenant/analyzer/relations"
	"revenant/analyzer/resources"
	"revenant/analyzer/series"
	"revenant/decoder/audit"
	"revenant/decoder/container"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// whoOptions are the flags of `revenant who`.
type whoOptions struct {
	streams   streams
	open      openOptions
	files     filesOptions
	output    outputOptions
	query     objects.Query
	at        string
	auditLogs []string
}

func newWho(s streams, f runFunc) *cobra.Command {
	o := &whoOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "who FILE... RESOURCE/NAME | RESOURCE NAME | KEY",
		Short: "Say who wrote an object, and how sure that is",
		Long: `who says who wrote an object: the managers of its fields, its owners, and for each
revision that FILE... hold the managers that wrote it. Several files, or a directory
of them, are read as one history.

A manager is a name that a client gives itself. With audit logs of the API servers
who finds the request that wrote a revision, with its user:

  certain    the log shows that the request wrote the revision
  probable   it is the only request in the logs that fits
  possible   several fit, or what fits is odd

Audit logs are JSON lines, compressed or not, as --audit-log-path writes them and as
webhooks are sent them. That a log has no request shows nothing: a policy leaves
requests out, and each API server has a log of its own.

Exit codes: 0 done; 2 the object is in none of the files, or a file could not be
read; 3 a file is damaged, and what was readable is shown.`,
		Example: `  revenant who current.db deploy/web -n shop
  revenant who backups/ configmap settings -n shop --at 2026-11-23T04:02:58Z
  revenant who current.db pods/db-0 -n data --audit-log audit.log
  revenant who -f current.db -o json secrets/creds -n shop --audit-log 'audit*.log'`,
		Args:              o.files.needs,
		ValidArgsFunction: completeResources,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.output.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVarP(&o.query.Namespace, "namespace", "n", "", "the object is in this `NAMESPACE`")
	flags.StringVar(&o.at, "at", "", "managers and owners at this `REVISION|TIME` (default: the newest)")
	flags.StringArrayVar(&o.auditLogs, "audit-log", nil, "`FILE` of an API server's audit log, a pattern or a directory of them; can be given several times")
	register(cmd, "output", o.output.complete())
	return cmd
}

func (o *whoOptions) run(ctx context.Context, args []string) error {
	var logs []string
	b, err := o.open.begin(o.streams, &o.files, &o.output, args, func(files []string) (beside []string, err error) {
		logs, err = o.logs(files)
		return slices.Concat(o.auditLogs, logs), err
	})
	if err != nil {
		return err
	}
	if o.query.Words = b.words; len(b.words) == 0 {
		return errNoObject
	}
	return o.open.withSeries(ctx, o.streams, b.files, func(s *series.Series, bar *progressLine) error {
		w := &whoWrote{whoOptions: o, series: s, branch: s.Members[s.Newest()].Branch}
		if err := w.everything(ctx, logs, bar); err != nil {
			return err
		}
		bar.clear()
		if err := write(ctx, b.targets, o.streams, &w.doc); err != nil {
			return err
		}
		return verdict(s, w.doc.Damaged())
	})
}

// logs are the files of --audit-log, each once.
func (o *whoOptions) logs(files []string) (list []string, err error) {
	stdin := slices.Contains(files, "-")
	for _, path := range o.auditLogs {
		if path == "-" {
			if stdin {
				return nil, errors.New("--audit-log: standard input is read once")
			}
			stdin = true
		}
		found, err := audit.List(path)
		if err != nil {
			return nil, fmt.Errorf("--audit-log: %w", err)
		}
		for _, f := range found {
			if !slices.ContainsFunc(list, func(was string) bool { return was == f || same(was, f) }) {
				list = append(list, f)
			}
		}
	}
	return list, nil
}

// whoWrote finds it out.
type whoWrote struct {
	*whoOptions
	series *series.Series
	branch int // of the newest history
	doc    report.Who
	key    kube.Key
	named  bool // the key names an object
}

func (w *whoWrote) everything(ctx context.Context, logs []string, bar *progressLine) error {
	key, err := keyOf(ctx, w.series, &w.query)
	if err != nil {
		return err
	}
	w.key, w.named = kube.ParseKey(w.series.Prefix, key)
	w.doc = report.Who{SchemaVersion: report.SchemaVersion, Kind: "Who", Tool: tool(), Series: report.NewSeries(w.series), Key: key}
	if w.named {
		w.doc.Resource, w.doc.Namespace, w.doc.Name = w.key.Plural(), w.key.Namespace, w.key.Name
	}
	var joins []*join.Join
	for _, branch := range append([]int{w.branch}, w.series.Beside(w.branch)...) {
		r := w.series.Reader(ctx, branch)
		h, err := r.Read(ctx, key, false)
		if err != nil {
			return err
		}
		common := int64(0)
		if branch == w.branch {
			if err := w.state(ctx, r, h); err != nil {
				return err
			}
		} else {
			common, _ = w.series.Apart(branch, w.branch)
		}
		joins = append(joins, join.New(h.Entries))
		w.doc.Histories = append(w.doc.Histories, report.NewWhoHistory(branch, h, common, r.Sources))
	}
	if len(logs) > 0 {
		if err := w.join(ctx, logs, joins, bar); err != nil {
			return err
		}
	}
	w.doc.Conclude()
	return nil
}

// join reads the logs, and puts what fits beside each revision.
func (w *whoWrote) join(ctx context.Context, logs []string, joins []*join.Join, bar *progressLine) error {
	if !w.named {
		return errors.New("--audit-log: requests name objects, and the key names none")
	}
	log, err := audit.Read(ctx, logs, join.QueryOf(w.key), audit.Options{
		Limits: w.open.limits, Stdin: w.streams.in,
		Progress: func(path string, done, total int64) {
			bar.show(filepath.Base(path), snapshot.Progress{Phase: phaseAudit, Done: done, Total: cmp.Or(total, -1)}) // of a pipe it is not known
		},
	}, func(e *audit.Event) {
		for _, j := range joins {
			j.Add(e)
		}
	})
	switch {
	case errors.Is(err, container.ErrTooLarge):
		return hinted(fmt.Errorf("--audit-log: %w", err), "if it is meant to be that large, --max-expanded and --max-ratio raise the limits")
	case err != nil && ctx.Err() == nil:
		return hinted(fmt.Errorf("--audit-log: %w", err), "it is a file that kube-apiserver writes with --audit-log-path")
	case err != nil:
		return err
	}
	w.doc.Joined(log, joins)
	return snapshot.FilesUnchanged(log.Files)
}

// state tells the managers and the owners at the moment that was asked for.
func (w *whoWrote) state(ctx context.Context, r *history.Reader, h *history.History) error {
	at := w.at
	i, err := memberAt(ctx, w.series, "--at", &at)
	if err != nil {
		return err
	}
	opened, err := w.series.Open(ctx, i)
	if err != nil {
		return err
	}
	c, err := w.series.Clock(ctx, i)
	if err != nil {
		return err
	}
	revision := opened.Revision()
	if at != "" {
		m, err := clock.ParseMoment(at, c.Taken().From)
		if err != nil {
			return fmt.Errorf("--at: %w", err)
		}
		if revision, err = c.Revision(m, revision); err != nil {
			return hinted(fmt.Errorf("--at: %w", err), "give a revision")
		}
	}
	state := history.StateAt(h, revision)
	w.doc.At(state, c.TimeOf(revision), at != "")
	if state.Written == nil {
		return nil
	}
	w.doc.Managed(r.Managers(state.Written))
	if !w.named {
		return nil
	}
	tree, err := w.owners(ctx, state.Alive)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.doc.Owned(tree, err)
	return nil
}

// owners are those of the object at a revision.
func (w *whoWrote) owners(ctx context.Context, revision int64) (*relations.Tree, error) {
	i, err := w.series.At(w.branch, revision)
	if err != nil {
		return nil, err
	}
	opened, err := w.series.Open(ctx, i)
	if err != nil {
		return nil, err
	}
	s := relations.State{Snapshot: opened, Prefix: w.series.Prefix}
	if s.View, err = opened.At(revision); err != nil {
		return nil, err
	}
	if s.Catalog, err = resources.NewCatalog(ctx, opened, s.View, s.Prefix, nil); err != nil {
		return nil, err
	}
	return relations.OwnersOf(s, w.key)
}
