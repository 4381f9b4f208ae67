package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"revenant/analyzer/diff"
	"revenant/analyzer/history"
	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/analyzer/series"
	"revenant/decoder/kube"
	"revenant/internal/words"
	"revenant/report"
)

// historyOptions are the flags of `revenant history`.
type historyOptions struct {
	streams     streams
	open        openOptions
	files       filesOptions
	output      outputOptions
	query       objects.Query
	carved      bool
	patch       bool
	objects     bool
	showSecrets bool
}

var errNoObject = hinted(errors.New("no object is named"), "name it after the files: deploy/web, or a key as etcd has it; a word that names a file counts as one unless -f gives the files")

func newHistory(s streams, f runFunc) *cobra.Command {
	o := &historyOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "history FILE... RESOURCE/NAME | RESOURCE NAME | KEY",
		Short: "List every retained revision of an object, over all files",
		Long: `history lists the revisions of one object that FILE... hold: what each changed,
which manager wrote it, when, and in which file it is. Several files, or a
directory of them, are read as one history: hourly backups, members of one
cluster, data directories. Restores and forks between them are found, and what
was given up is listed apart.

API servers compact their history every five minutes, so most of what happened
between two backups is in no file. history counts it: how many writes are
missing, and between which revisions and times an object was deleted that is no
longer there.

Exit codes: 0 done; 2 the object is in none of the files, or none could be read;
3 a file is damaged, and what was readable is listed.`,
		Example: `  revenant history backup.db current.db deploy/web -n shop
  revenant history backups/ configmap settings -n shop --patch
  revenant history -f monday.db -f tuesday.db pods/db-0 -n data -o json
  revenant history current.db /registry/leases/kube-node-lease/node-1 --carved`,
		Args:              o.files.needs,
		ValidArgsFunction: completeResources,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.output.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVarP(&o.query.Namespace, "namespace", "n", "", "the object is in this `NAMESPACE`")
	flags.BoolVar(&o.carved, "carved", false, "also list what can be recovered from pages that are free")
	flags.BoolVar(&o.patch, "patch", false, "show what changed, field by field")
	flags.BoolVar(&o.objects, "objects", false, "show the object at each revision, too, in json and yaml")
	flags.BoolVar(&o.showSecrets, "show-secrets", false, "show what Secrets hold in objects")
	register(cmd, "output", o.output.complete())
	return cmd
}

func (o *historyOptions) run(ctx context.Context, args []string) error {
	b, err := o.open.begin(o.streams, &o.files, &o.output, args, nil)
	if err != nil {
		return err
	}
	if o.query.Words = b.words; len(b.words) == 0 {
		return errNoObject
	}
	return o.open.withSeries(ctx, o.streams, b.files, func(s *series.Series, bar *progressLine) error {
		doc, err := o.history(ctx, s)
		if err != nil {
			return err
		}
		bar.clear()
		if err := write(ctx, b.targets, o.streams, doc); err != nil {
			return err
		}
		return verdict(s, doc.Damaged())
	})
}

func (o *historyOptions) history(ctx context.Context, s *series.Series) (*report.History, error) {
	key, err := keyOf(ctx, s, &o.query)
	if err != nil {
		return nil, err
	}
	doc := &report.History{SchemaVersion: report.SchemaVersion, Kind: "History", Tool: tool(), Series: report.NewSeries(s), Key: key}
	if o.patch {
		doc.Patch = patch
	}
	if k, ok := kube.ParseKey(s.Prefix, key); ok {
		doc.Resource, doc.Namespace, doc.Name = k.Plural(), k.Namespace, k.Name
	}
	newest := s.Members[s.Newest()].Branch
	for _, branch := range append([]int{newest}, s.Beside(newest)...) {
		r := s.Reader(ctx, branch)
		h, err := r.Read(ctx, key, o.carved)
		if err != nil {
			return nil, err
		}
		common := int64(0)
		if branch != newest {
			common, _ = s.Apart(branch, newest)
		}
		b := report.BranchHistory{Branch: branch, Gone: report.NewHistoryGone(h.Gone)}
		for i := range h.Entries {
			e := &h.Entries[i]
			if e.Main <= common {
				continue
			}
			revision := report.NewHistoryRevision(e, r.Sources)
			if o.objects && !e.Tombstone {
				revision.Object = o.object(s, r, e)
			}
			b.Revisions = append(b.Revisions, revision)
		}
		if branch == newest || len(b.Revisions) > 0 || b.Gone != nil && b.Gone.Before > common {
			doc.Histories = append(doc.Histories, b)
		}
	}
	return doc, nil
}

// object is the object as a revision left it, nil where it cannot be read.
func (o *historyOptions) object(s *series.Series, r *history.Reader, e *history.Entry) any {
	value, err := r.Value(e)
	key, ok := kube.ParseKey(s.Prefix, e.Key)
	if err != nil || !ok {
		return nil // among its problems
	}
	return json.RawMessage(kube.Decode(key, value).JSON(kube.PrintOptions{ShowSecrets: o.showSecrets}))
}

// keyOf is the key of the object which the words of a query name in any of the files.
func keyOf(ctx context.Context, s *series.Series, q *objects.Query) (string, error) {
	keys := map[string]bool{}
	var unknown error
	known, damaged := false, false
	for i := range s.Members {
		opened, err := s.Open(ctx, i)
		if err != nil {
			return "", err
		}
		damaged = damaged || opened.Damaged()
		w := objects.State{Snapshot: opened, Prefix: s.Prefix}
		if w.View, err = opened.At(0); err != nil {
			return "", err
		}
		if w.Catalog, err = resources.NewCatalog(ctx, opened, w.View, s.Prefix, nil); err != nil {
			return "", err
		}
		for _, w.Deleted = range []bool{false, true} {
			for object, err := range q.Find(ctx, w) {
				var missing *objects.MissingError
				var none *objects.UnknownError
				switch {
				case errors.As(err, &missing):
					known = true
				case errors.As(err, &none):
					unknown = queryHint(err)
				case err != nil:
					return "", queryHint(err)
				default:
					keys[object.Record.Key] = true
				}
			}
		}
	}
	list := slices.Sorted(maps.Keys(keys))
	switch {
	case len(list) == 1:
		return list[0], nil
	case len(list) > 1:
		return "", hinted(fmt.Errorf("%s are meant: %s", words.Count(len(list), "object"), words.First(list, 5)), "name one, with -n for its namespace, or its key")
	case unknown != nil && !known:
		return "", unknown
	}
	const unread = "no revision of it was found, and not all that there is could be read"
	if err := leftOut(s); err != nil {
		return "", fmt.Errorf(unread+": %w", err)
	}
	if damaged {
		return "", errors.New(unread)
	}
	return "", errors.New("no file holds a revision of it")
}

// patch writes what differs, but for noise, which it counts.
func patch(p *report.Printer, changes []diff.Change) {
	painter := diffPainter{color: p.Paint != nil}
	noise := 0
	for i := range changes {
		if c := &changes[i]; c.Noise != 0 {
			noise++
		} else {
			painter.change(c, diff.Changed)
		}
	}
	if noise > 0 {
		painter.line("", "# "+words.Count(noise, "field")+" of noise")
	}
	painter.line("", "")
	p.Verbatim(painter.buffer.Bytes())
}
