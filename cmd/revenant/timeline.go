package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
	"revenant/analyzer/objects"
	"revenant/analyzer/relations"
	"revenant/analyzer/resources"
	"revenant/analyzer/restore"
	"revenant/analyzer/series"
	"revenant/analyzer/timeline"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/words"
)

// timelineOptions are the flags of `revenant timeline`.
type timelineOptions struct {
	streams  streams
	open     openOptions
	files    filesOptions
	query    queryOptions
	output   outputOptions
	from, to string
	verbs    []string
	carved   bool
}

func newTimeline(s streams, f runFunc) *cobra.Command {
	o := &timelineOptions{streams: s, output: outputOptions{formats: []string{"table", "jsonl", "timesketch", "csv", "markdown", "html"}}}
	cmd := &cobra.Command{
		Use:   "timeline FILE... [RESOURCE [NAME]... | RESOURCE/NAME... | KEY...]",
		Short: "List every revision in order: when, what, and by whom",
		Long: `timeline lists the revisions of FILE... in order: what was created, updated or
deleted, which fields differ, and which managers wrote them. Many files, or a
directory of them, are read as one history. Kubernetes Events stand beside the
revision that they are about, and at their own.

etcd stores no time. Each revision has an interval, from and to, in which it was
written: Leases, heartbeats and objects show it. An end that is not known is empty.
Who deleted an object is not stored. A compaction removes revisions: from which one
on all are there is said on standard error.

  --from, --to REVISION|TIME   all that may have been written between the two
  --carved                     also what can be recovered from pages that are free,
                               marked as such
  -o timesketch                JSONL with the fields that Timesketch requires

Exit codes: 0 done; 2 an object that was named was never there, or nothing could be
read; 3 evidence is damaged, and what was readable is listed.`,
		Example: `  revenant timeline current.db deploy/web -n shop
  revenant timeline current.db --from 04:02:58Z --to 04:03:10Z --verb deleted
  revenant timeline backup.db current.db pods -o csv=pods.csv
  revenant timeline current.db -o timesketch=current.jsonl`,
		Args:              o.files.needs,
		ValidArgsFunction: completeTwoFiles,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.query.addChoice(cmd)
	o.output.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "only what may have been written at this `REVISION|TIME` or later")
	flags.StringVar(&o.to, "to", "", "only what may have been written at this `REVISION|TIME` or before")
	flags.StringSliceVar(&o.verbs, "verb", nil, "only these `VERB,...`: created, updated, deleted")
	flags.BoolVar(&o.carved, "carved", false, "also list what can be recovered from pages that are free")
	register(cmd, "verb", completeSeveral("created", "updated", "deleted"))
	register(cmd, "output", o.output.complete())
	return cmd
}

func (o *timelineOptions) run(ctx context.Context, args []string) error {
	b, err := o.open.begin(o.streams, &o.files, &o.output, args, nil)
	if err != nil {
		return err
	}
	for _, verb := range o.verbs {
		if !slices.Contains(timeline.Verbs, timeline.Verb(verb)) {
			return hinted(fmt.Errorf("unknown verb %q", verb), "the verbs are created, updated and deleted")
		}
	}
	if err := o.query.parse(b.words); err != nil {
		return err
	}
	if len(b.files) != 2 && o.open.several(ctx, b.files) {
		if has(b.targets, "html") || has(b.targets, "markdown") {
			return hinted(errors.New("a page is of one file, or of two"), "-o csv and -o jsonl list many files; or name two of them")
		}
		return o.runSeries(ctx, b.files, b.targets)
	}
	var verdict error
	err = o.sources(ctx, b.files, func(prefix string, sources []timeline.Source, bar *progressLine) error {
		l := &revisionList{timelineOptions: o, prefix: prefix, sources: sources}
		if err := l.read(ctx); err != nil {
			return err
		}
		bar.clear()
		l.notes(ctx)
		verdict = l.verdict()
		return l.write(ctx, b.targets)
	})
	return cmp.Or(err, verdict)
}

// sources opens the files, lets use have them, and makes sure that the evidence is as it
// was. Of two files of one history the later state is the last, and both have one clock.
func (o *timelineOptions) sources(ctx context.Context, files []string, use func(prefix string, sources []timeline.Source, bar *progressLine) error) error {
	if len(files) == 1 {
		return o.open.withOne(ctx, o.streams, files[0], func(s *snapshot.Snapshot, bar *progressLine) error {
			choice, err := o.open.needPrefix(ctx, s)
			if err != nil {
				return err
			}
			c, err := clock.Build(ctx, s, choice.Prefix)
			if err != nil {
				return err
			}
			source := timeline.Source{Name: s.Path(), Snapshot: s, Clock: c}
			if err := o.carve(ctx, &source); err != nil {
				return err
			}
			return use(choice.Prefix, []timeline.Source{source}, bar)
		})
	}
	return o.open.withTwo(ctx, o.streams, files[0], files[1], func(p *pair, bar *progressLine) error {
		list := []timeline.Source{
			{Name: p.backup.snapshot.Path(), Snapshot: p.backup.snapshot, Clock: p.backup.state.Clock},
			{Name: p.current.snapshot.Path(), Snapshot: p.current.snapshot, Clock: p.current.state.Clock},
		}
		switch p.lineage.Relation {
		case lineage.Unrelated:
			return hinted(fmt.Errorf("%w: %s", restore.ErrOtherCluster, p.lineage.Reason), "revisions of two clusters have no common order: list each file alone")
		case lineage.Descendant:
			slices.Reverse(list)
		}
		if p.lineage.OneHistory() || p.lineage.Relation == lineage.Descendant {
			both := clock.Join(list[0].Clock, list[1].Clock)
			list[0].Clock, list[1].Clock = both, both
		}
		for i := range list {
			if err := o.carve(ctx, &list[i]); err != nil {
				return err
			}
		}
		return use(p.prefix, list, bar)
	})
}

// carve adds what can be recovered, where --carved asks for it.
func (o *timelineOptions) carve(ctx context.Context, source *timeline.Source) (err error) {
	if o.carved {
		source.Carving, err = source.Snapshot.Carve(ctx)
	}
	return err
}

// revisionList are the revisions that are asked for.
type revisionList struct {
	*timelineOptions
	prefix   string
	sources  []timeline.Source
	all      *timeline.Timeline
	from, to int64
	keys     map[string]bool // nil for all
	events   relations.ByRevision
	// recovered are the carved revisions of each source, by key.
	recovered []map[string][]snapshot.Carved
	missing   []string
	unread    int
	count     int // rows that were written

	series   *series.Series // of many files; nil for one or two
	timeless int            // rows that a format has no place for
}

func (l *revisionList) read(ctx context.Context) (err error) {
	if l.from, l.to, err = l.window(); err != nil {
		return err
	}
	if l.query.chooses() {
		absent := map[string]int{}
		var unknown error
		for _, s := range l.sources {
			if err := l.choose(ctx, s, absent, &unknown); err != nil {
				return err
			}
		}
		if err := l.chosen(absent, len(l.sources), unknown); err != nil {
			return err
		}
	}
	return l.open(ctx)
}

// open reads the timeline of the sources.
func (l *revisionList) open(ctx context.Context) (err error) {
	l.events, l.recovered = relations.ByRevision{}, nil
	for _, s := range l.sources {
		recovered := map[string][]snapshot.Carved{}
		if s.Carving != nil {
			for r := range s.Carving.Records {
				if l.keys == nil || l.keys[r.Key] {
					recovered[r.Key] = append(recovered[r.Key], r)
				}
			}
		}
		l.recovered = append(l.recovered, recovered)
		events, err := relations.EventsByRevision(ctx, s.Snapshot, l.prefix)
		if err != nil {
			return err
		}
		l.events.Join(events)
	}
	l.all, err = timeline.New(ctx, l.prefix, l.sources...)
	return err
}

// window is between which revisions all lies that may have been written between the two
// moments. 0 is no bound.
func (l *revisionList) window() (from, to int64, err error) {
	last := l.sources[len(l.sources)-1]
	taken := last.Clock.Taken().From
	for _, end := range []struct {
		flag, text string
		revision   *int64
		at         func(clock.Interval) int64
	}{
		{"--from", l.timelineOptions.from, &from, func(in clock.Interval) int64 { return last.Clock.HeadAt(in.From).From + 1 }},
		{"--to", l.timelineOptions.to, &to, func(in clock.Interval) int64 { return last.Clock.HeadAt(in.To).To }},
	} {
		if end.text == "" {
			continue
		}
		m, err := clock.ParseMoment(end.text, taken)
		switch {
		case err != nil:
			return 0, 0, fmt.Errorf("%s: %w", end.flag, err)
		case m.Revision > 0:
			*end.revision = m.Revision
		case m.Time.From.IsZero():
			*end.revision = last.Snapshot.Revision()
		case taken.IsZero():
			return 0, 0, hinted(fmt.Errorf("%s: nothing in the snapshot shows when revisions were written", end.flag), "give a revision")
		default:
			*end.revision = end.at(m.Time)
		}
	}
	return from, to, nil
}

// choose finds the keys of the objects that are asked for in a snapshot: of those that are
// there, by their newest state, and of those that are not, by their last one. It counts the
// words that name none, and notes the error of one that names no resource.
func (l *revisionList) choose(ctx context.Context, from timeline.Source, absent map[string]int, unknown *error) error {
	if l.keys == nil {
		l.keys = map[string]bool{}
	}
	s := from.Snapshot
	view, err := s.At(0)
	if err != nil {
		return err
	}
	catalog, err := resources.NewCatalog(ctx, s, view, l.prefix, nil)
	if err != nil {
		return err
	}
	unread := 0
	for _, deleted := range []bool{true, false} {
		w := objects.State{Snapshot: s, View: view, Catalog: catalog, Prefix: l.prefix, Deleted: deleted, Carved: from.Carving}
		missing, err := l.query.found(ctx, w, func(o objects.Object) error { l.keys[o.Record.Key] = true; return nil })
		var none *objects.UnknownError
		if errors.As(err, &none) {
			*unknown, err = err, nil
		}
		if err != nil {
			return err
		}
		for _, word := range missing {
			absent[word]++
		}
		unread += l.query.unread
	}
	l.unread = max(l.unread, unread)
	return nil
}

// chosen says which words name nothing in any of so many snapshots.
func (l *revisionList) chosen(absent map[string]int, snapshots int, unknown error) error {
	for word, n := range absent {
		if n == 2*snapshots {
			l.missing = append(l.missing, word)
		}
	}
	slices.Sort(l.missing)
	if unknown != nil && len(l.keys) == 0 {
		return unknown
	}
	return nil
}

// notes say on standard error what the list cannot show.
func (l *revisionList) notes(ctx context.Context) {
	for _, line := range l.gaps(ctx) {
		fmt.Fprintln(l.streams.err, line)
	}
}

// gaps are sentences on what the list cannot show.
func (l *revisionList) gaps(ctx context.Context) (list []string) {
	if complete := l.all.Complete(); complete > 1 && l.from < complete {
		list = append(list, fmt.Sprintf("Below revision %s the list is not complete: compactions have removed revisions.", words.Number(complete)))
	}
	for _, s := range l.sources {
		missing, err := s.Snapshot.Missing(ctx)
		if err != nil {
			return list // ctx's, which ends the writing, too
		}
		for _, m := range missing {
			list = append(list, fmt.Sprintf("%s lacks %s: what it had may be missing from the list.", sanitize.Short(s.Snapshot.Path(), maxCell), sanitize.Short(m.What, maxLabels)))
		}
	}
	return list
}

func (l *revisionList) verdict() error {
	damaged := slices.ContainsFunc(l.sources, func(s timeline.Source) bool { return s.Snapshot.Damaged() })
	switch {
	case len(l.missing) > 0:
		return notThere(l.sources[len(l.sources)-1].Snapshot, l.missing)
	case l.unread > 0:
		return mayBeMeant(l.unread)
	case damaged:
		return errDamaged
	}
	return nil
}

// write writes the revisions to every target.
func (l *revisionList) write(ctx context.Context, targets []target) (err error) {
	for _, t := range targets {
		l.count, l.timeless = 0, 0
		write := func(w io.Writer) error { return l.encode(ctx, w, t.format) }
		if t.place != nil {
			err = t.place.Write(ctx, 0o600, write)
		} else {
			err = write(outfile.Until(ctx, l.streams.out))
		}
		if err != nil {
			return err
		}
		if l.timeless > 0 {
			fmt.Fprintf(l.streams.err, "%s left out: nothing shows when it was written, and Timesketch takes none without a time.\n", words.CountOf(l.timeless, "revision is", "revisions are"))
		}
	}
	if l.count == 0 {
		fmt.Fprintln(l.streams.err, "No revisions found.")
	}
	return nil
}
