package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	"revenant/analyzer/lineage"
	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/analyzer/restore"
	"revenant/analyzer/series"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/words"
)

// diffOptions are the flags of `revenant diff`.
type diffOptions struct {
	streams     streams
	open        openOptions
	files       filesOptions
	query       queryOptions
	output      outputOptions
	from, to    string
	ignored     []string
	showSecrets bool
	force       bool
}

func newDiff(s streams, f runFunc) *cobra.Command {
	o := &diffOptions{streams: s, output: outputOptions{formats: []string{"text", "table", "markdown", "json", "html"}}}
	cmd := &cobra.Command{
		Use:   "diff FILE... [RESOURCE [NAME]... | RESOURCE/NAME... | KEY...]",
		Short: "Show what differs between two states, object by object",
		Long: `diff shows what differs between two states, by object and by field: between the
newest states of two files, or between two moments of one file or of many. Objects
are named and selected as by kubectl.

  diff A B                        the newest state of A, and that of B
  diff FILE --from R [--to R]     two revisions or times of FILE; --to is the newest
  diff A B --from R --to R        A as it was at one, B as it was at the other
  diff FILE... --from R [--to R]  two moments of many files, or of a directory of them

What shows that nothing happened, such as a renewed Lease or a node's heartbeat, is
noise: it is not shown, and counted in the last line. --ignore says what is noise.
What a Secret holds is redacted unless --show-secrets is given; that it differs is
shown. Files of two clusters are refused unless --force is given.

Exit codes: 0 nothing but noise differs; 1 something differs; 2 an object that was
named is in neither state, or nothing could be compared; 3 evidence is damaged, and
what was readable is compared.`,
		Example: `  revenant diff backup.db current.db
  revenant diff backup.db current.db deploy,sts -n shop
  revenant diff current.db --from 454 --to 04:03:10Z deploy/web -n shop
  revenant diff current.db --from 5m --ignore none nodes
  revenant diff backup.db current.db -o table -o html=diff.html`,
		Args:              o.files.needs,
		ValidArgsFunction: completeTwoFiles,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.query.addChoice(cmd)
	o.output.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "the earlier state: `REVISION|TIME` of the first file (default: of two files, the newest)")
	flags.StringVar(&o.to, "to", "", "the later state: `REVISION|TIME` of the last file (default: the newest)")
	flags.StringSliceVar(&o.ignored, "ignore", []string{"all"}, "`NOISE,...` that is not shown: all, none, or some of it")
	flags.BoolVar(&o.showSecrets, "show-secrets", false, "show what Secrets hold")
	flags.BoolVar(&o.force, "force", false, "compare files of two clusters, too")
	register(cmd, "ignore", completeSeveral(append([]string{"all", "none"}, diff.NoiseWords()...)...))
	register(cmd, "output", o.output.complete())
	return cmd
}

// completeTwoFiles is completeResources for a command that takes one file or two.
func completeTwoFiles(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, directive := completeResources(cmd, args, typed)
	if len(args) == 1 {
		directive = cobra.ShellCompDirectiveDefault // a file, or a word
	}
	return names, directive
}

func (o *diffOptions) run(ctx context.Context, args []string) error {
	b, err := o.open.begin(o.streams, &o.files, &o.output, args, nil)
	if err != nil {
		return err
	}
	files, named := b.files, b.words
	ignored, err := diff.ParseNoise(o.ignored)
	if err != nil {
		return hinted(fmt.Errorf("--ignore: %w", err), "it is all, none, or "+listOr(diff.NoiseWords()))
	}
	if err := o.query.parse(named); err != nil {
		return err
	}
	switch {
	case len(files) != 2 && o.from == "":
		hint := "give two files, or the state to compare with: --from REVISION|TIME"
		if len(named) > 0 && len(files) == 1 {
			hint = fmt.Sprintf("%.100s is no file; ", named[0]) + hint
		}
		return hinted(fmt.Errorf("%s given, and nothing to compare with", words.CountOf(len(files), "file is", "files are")), hint)
	}
	var verdict error
	err = o.compare(ctx, files, func(before, after *diffState, common int64, bar *progressLine) error {
		d := &stateDiff{diffOptions: o, before: before, after: after, ignored: ignored}
		if err := d.read(ctx, common); err != nil {
			return err
		}
		bar.clear()
		if err := d.write(ctx, b.targets); err != nil {
			return err
		}
		verdict = d.verdict()
		return nil
	})
	return cmp.Or(err, verdict)
}

// diffState is one of the two states.
type diffState struct {
	objects.State
	file  string
	clock *clock.Clock
}

// compare opens the files, lets use have the two states, and makes sure that the evidence
// is as it was. The common revision is that of diff.Options.
func (o *diffOptions) compare(ctx context.Context, files []string, use func(before, after *diffState, common int64, bar *progressLine) error) error {
	both := func(bar *progressLine, common int64, prefix string, a, b *snapshot.Snapshot, clockA, clockB *clock.Clock) error {
		before, err := newDiffState(ctx, a, clockA, prefix, "--from", o.from)
		if err != nil {
			return err
		}
		after, err := newDiffState(ctx, b, clockB, prefix, "--to", o.to)
		if err != nil {
			return err
		}
		return use(before, after, common, bar)
	}
	if len(files) != 2 && o.open.several(ctx, files) {
		return o.compareSeries(ctx, files, both)
	}
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
			return both(bar, 0, choice.Prefix, s, s, c, c)
		})
	}
	return o.open.withTwo(ctx, o.streams, files[0], files[1], func(p *pair, bar *progressLine) error {
		if p.lineage.Relation == lineage.Unrelated && !o.force {
			return hinted(fmt.Errorf("%w: %s", restore.ErrOtherCluster, p.lineage.Reason), "objects of two clusters have nothing in common but their names; --force compares them by these")
		}
		return both(bar, p.lineage.CommonUpTo(), p.prefix, p.backup.snapshot, p.current.snapshot, p.backup.state.Clock, p.current.state.Clock)
	})
}

// compareSeries has two states of many files, each of the file that holds it.
func (o *diffOptions) compareSeries(ctx context.Context, files []string, both func(bar *progressLine, common int64, prefix string, a, b *snapshot.Snapshot, clockA, clockB *clock.Clock) error) error {
	return o.open.withSeries(ctx, o.streams, files, func(all *series.Series, bar *progressLine) error {
		var members [2]int
		var states [2]*snapshot.Snapshot
		var clocks [2]*clock.Clock
		for i, moment := range []struct {
			flag string
			at   *string
		}{{"--from", &o.from}, {"--to", &o.to}} {
			var err error
			if members[i], err = memberAt(ctx, all, moment.flag, moment.at); err != nil {
				return err
			}
			if clocks[i], err = all.Clock(ctx, members[i]); err != nil {
				return err
			}
			if states[i], err = all.Open(ctx, members[i]); err != nil {
				return err
			}
		}
		if err := both(bar, all.Shared(members[0], members[1]), all.Prefix, states[0], states[1], clocks[0], clocks[1]); err != nil {
			return err
		}
		return leftOut(all)
	})
}

// withTwo opens two files in whatever order, lets use have them, and makes sure that the
// evidence is as it was.
func (o *openOptions) withTwo(ctx context.Context, s streams, first, second string, use func(*pair, *progressLine) error) (err error) {
	if same(first, second) {
		return hinted(fmt.Errorf("%s and %s are the same file", first, second), "name it once, and its states with --from and --to")
	}
	openFirst, openSecond, err := o.files(first, second)
	if err != nil {
		return err
	}
	bar := newProgressLine(s)
	defer bar.clear()
	names := map[string]string{"backup": filepath.Base(first), "current": filepath.Base(second)}
	p, err := o.openPair(ctx, openFirst, openSecond, loadClock, func(name string, at snapshot.Progress) { bar.show(names[name], at) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := use(p, bar); err != nil {
		return err
	}
	return p.unchanged(ctx)
}

// loadClock reads the times of a snapshot, and nothing of its pods.
func loadClock(ctx context.Context, s *snapshot.Snapshot, prefix string, _ func() *restore.State) (*restore.State, error) {
	c, err := clock.Build(ctx, s, prefix)
	return &restore.State{Clock: c}, err
}

func newDiffState(ctx context.Context, s *snapshot.Snapshot, c *clock.Clock, prefix, flag, text string) (*diffState, error) {
	revision, err := revisionAt(s, c, flag, text)
	if err != nil {
		return nil, err
	}
	view, err := s.At(revision)
	if err != nil {
		return nil, windowHint(s, err)
	}
	catalog, err := resources.NewCatalog(ctx, s, view, prefix, nil)
	return &diffState{objects.State{Snapshot: s, View: view, Catalog: catalog, Prefix: prefix}, s.Path(), c}, err
}

// stateDiff is what differs between two states, and how it is written.
type stateDiff struct {
	*diffOptions
	before, after *diffState
	ignored       diff.Noise
	all           *diff.Comparison
	sifted        int      // objects of which it is known what of them is noise
	missing       []string // words that name nothing in either state
	unread        int      // objects that may be meant, and cannot be read
}

// read compares the two states, as far as they are asked for.
func (d *stateDiff) read(ctx context.Context, common int64) (err error) {
	prefix := d.before.Prefix
	opts := diff.Options{Prefix: prefix, Common: common, ShowSecrets: d.showSecrets}
	if d.query.chooses() {
		keys, err := d.chosen(ctx)
		if err != nil {
			return err
		}
		opts.Wanted = func(key string) bool { return keys[key] }
	}
	state := func(s *diffState) diff.State { return diff.State{Snapshot: s.Snapshot, Revision: s.View.Revision()} }
	d.all, err = diff.Compare(ctx, state(d.before), state(d.after), opts)
	return err
}

// siftAtOnce is how many objects are read before the first of them is written.
const siftAtOnce = 128

// objects yields the objects that differ, each once it is known what of it is noise.
func (d *stateDiff) objects(ctx context.Context) iter.Seq2[int, *diff.Object] {
	return func(yield func(int, *diff.Object) bool) {
		for i := range d.all.Objects {
			if i >= d.sifted {
				to := min(i+siftAtOnce, len(d.all.Objects))
				if d.all.SiftPart(ctx, i, to) != nil {
					return // ctx's, which ends the writing, too
				}
				d.sifted = to
			}
			if !yield(i, &d.all.Objects[i]) {
				return
			}
		}
	}
}

// chosen are the keys of the objects that are asked for, in either state. A resource may
// be known in one of them only.
func (d *stateDiff) chosen(ctx context.Context) (keys map[string]bool, err error) {
	keys = map[string]bool{}
	var missing [2][]string
	for i, of := range [2][2]*diffState{{d.before, d.after}, {d.after, d.before}} {
		where := of[0].State
		note := func(o objects.Object) error { keys[o.Record.Key] = true; return nil }
		missing[i], err = d.query.found(ctx, where, note)
		var unknown *objects.UnknownError
		if errors.As(err, &unknown) {
			where.Catalog = of[1].Catalog
			missing[i], err = d.query.found(ctx, where, note)
		}
		if err != nil {
			return nil, err
		}
		d.unread = max(d.unread, d.query.unread)
	}
	for _, word := range missing[0] {
		if slices.Contains(missing[1], word) {
			d.missing = append(d.missing, word)
		}
	}
	return keys, nil
}

// write writes what differs to every target.
func (d *stateDiff) write(ctx context.Context, targets []target) (err error) {
	for _, t := range targets {
		write := func(w io.Writer) error { return d.encode(ctx, w, t.format, t.place == nil && d.streams.color) }
		if t.place != nil {
			err = t.place.Write(ctx, 0o600, write)
		} else {
			err = write(outfile.Until(ctx, d.streams.out))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// verdict is the error that a comparison ends with when all is written.
func (d *stateDiff) verdict() error {
	shown := false
	for i := range d.all.Objects {
		shown = shown || d.shows(&d.all.Objects[i])
	}
	switch {
	case len(d.missing) > 0:
		return notThere(d.after.Snapshot, d.missing)
	case d.unread > 0:
		return mayBeMeant(d.unread)
	case d.before.Snapshot.Damaged() || d.after.Snapshot.Damaged():
		return errDamaged
	case shown:
		return errFindings
	}
	return nil
}

// shows says whether an object differs in more than noise that is ignored.
func (d *stateDiff) shows(o *diff.Object) bool {
	return o.Fate != diff.Quiet || o.Noise&^d.ignored != 0
}
