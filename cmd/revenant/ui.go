package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/decoder/snapshot"
	"revenant/report"
	"revenant/tui"
)

// uiOptions are the flags of `revenant` without a verb.
type uiOptions struct {
	streams streams
	open    openOptions
	plan    planOptions
	force   bool
	resume  bool
	mouse   bool
	plain   bool
	carved  bool
	version bool
	screen  string // to begin with, "" for the overview
}

func (o *uiOptions) addFlags(flags *pflag.FlagSet) {
	o.open.addFlags(flags)
	o.plan.addFlags(flags)
	flags.BoolVar(&o.force, "force", false, "continue although the snapshots are of different clusters")
	flags.BoolVar(&o.resume, "resume", false, "terminal UI: resume where it was left with this evidence")
	flags.BoolVar(&o.mouse, "mouse", false, "terminal UI: click rows, tabs and titles, scroll with the wheel (the terminal's own selection needs shift then)")
	flags.BoolVar(&o.carved, "carved", false, "terminal UI: histories and the timeline begin with what can be carved from free pages, marked")
	flags.BoolVar(&o.plain, "plain", false, "terminal UI for screen readers: plain lines, nothing drawn, a command a line")
	// cobra's own flag prints with a template, and what a template may call the linker keeps:
	// every exported method of every type.
	flags.BoolVarP(&o.version, "version", "v", false, "version for revenant")
}

func (o *uiOptions) run(ctx context.Context, args []string) error {
	if o.version {
		_, err := fmt.Fprintln(o.streams.out, "revenant", version())
		return err
	}
	plan, err := o.plan.plan()
	if err != nil {
		return err
	}
	o.open.metricsFiles = o.plan.metrics
	text := !o.plain && (!o.streams.inTTY || !o.streams.outTTY)
	if !text && slices.Contains(args, "-") {
		return hinted(errors.New("the keys of the terminal UI come from standard input: no snapshot can be read from there"), "save it to a file, or ask revenant inspect -")
	}
	many := len(args) > 0 && o.isSeries(ctx, args)
	if len(args) == 1 && text && !many {
		return o.inspect(ctx, args[0])
	}
	if _, err := o.open.guardOutputs(o.streams, args...); err != nil {
		return err
	}
	if many {
		if text {
			return o.seriesOverview(ctx, args, plan)
		}
		m := &manyFiles{uiOptions: o, plan: plan, files: args, pairs: &pairs{}}
		return m.end(o.screens(ctx, m.load, m.pairs))
	}
	var b, c opener
	switch len(args) {
	case 0:
		b, c, err = o.open.demo()
	case 1:
		c, err = o.open.file(args[0])
	default:
		b, c, err = o.open.files(args[0], args[1])
	}
	switch {
	case err != nil:
		return err
	case text:
		return o.overview(ctx, b, c, plan)
	case b == nil:
		return o.shown(ctx, o.one(c, plan))
	}
	return o.shown(ctx, o.pair(b, c, plan))
}

// inspect shows a single snapshot as text: without the current state there is nothing
// to predict.
func (o *uiOptions) inspect(ctx context.Context, path string) error {
	one := inspectOptions{streams: o.streams, open: o.open}
	err := one.run(ctx, []string{path})
	if err == nil || errors.Is(err, errDamaged) {
		p := report.NewPrinter(o.streams.err)
		p.Line("Give the newest state before the restore as well to see what restoring this one would do:")
		flag := ""
		if given := o.open.givenPrefix(); given != "" {
			flag = " " + prefixFlag(given)
		}
		p.Line("  revenant %s CURRENT%s", path, flag)
		err = errors.Join(err, p.Flush())
	}
	return err
}

// overview prints the overview as text.
func (o *uiOptions) overview(ctx context.Context, backup, current opener, plan restore.Plan) error {
	p, err := o.open.predict(ctx, o.streams, backup, current, plan, o.force)
	if err != nil {
		return err
	}
	if err := write(ctx, []target{{format: "table"}}, o.streams, &report.Overview{Prediction: p}); err != nil {
		return err
	}
	if slices.ContainsFunc(p.Evidence, report.Damaged) {
		return errDamaged
	}
	return nil
}

// loader opens the evidence for the terminal UI, which shows how far it is. What it
// returns beside an error has been closed.
type loader func(context.Context, func(snapshot.Progress, string)) (*tui.Input, error)

// input is what is shown of any evidence.
func (o *uiOptions) input(plan restore.Plan) *tui.Input {
	return &tui.Input{Tool: tool().Name + " " + tool().Version, Plan: plan, Metrics: o.open.scraped(), Carved: o.carved}
}

// one opens a snapshot alone.
func (o *uiOptions) one(open opener, plan restore.Plan) loader {
	return func(ctx context.Context, progress func(snapshot.Progress, string)) (*tui.Input, error) {
		o.open.wrecks = true // what is wrong with them can be looked at
		s, err := o.open.read(ctx, open, restore.LoadBeside, nil, func(p snapshot.Progress) { progress(p, "snapshot") })
		if err != nil {
			return nil, err
		}
		in := o.input(plan)
		in.Sources = []tui.Source{{Snapshot: s.snapshot, State: s.state}}
		in.Prefix, in.Warnings = s.choice.Prefix, o.open.prefixNotes(s)
		return in, nil
	}
}

// pair opens a backup and the newest state.
func (o *uiOptions) pair(backup, current opener, plan restore.Plan) loader {
	return func(ctx context.Context, progress func(snapshot.Progress, string)) (*tui.Input, error) {
		p, err := o.open.openPair(ctx, backup, current, restore.LoadBeside, func(name string, p snapshot.Progress) { progress(p, name) })
		if err != nil {
			return nil, err
		}
		if err := p.check(o.force); err != nil {
			return nil, errors.Join(err, p.close())
		}
		in := o.input(plan)
		in.Pair(tui.Source{Snapshot: p.backup.snapshot, State: p.backup.state}, tui.Source{Snapshot: p.current.snapshot, State: p.current.state})
		in.Prefix, in.Lineage, in.Warnings = p.prefix, p.lineage, p.warnings()
		in.Runbook, in.Platforms = p.runbook(), uiPlatforms()
		return in, nil
	}
}

// shown opens the terminal UI on evidence that stays the same.
func (o *uiOptions) shown(ctx context.Context, load loader) error {
	opened := &pairs{}
	return o.screens(ctx, func(ctx context.Context, progress func(snapshot.Progress, string)) (*tui.Input, error) {
		in, err := load(ctx, progress)
		if err == nil {
			opened.add(&o.open, in)
		}
		return in, err
	}, opened)
}

// screens opens the terminal UI, which loads what it shows. What is opened is closed.
func (o *uiOptions) screens(ctx context.Context, load loader, opened *pairs) error {
	o.open.anyKeys = true // they can be looked at and compared
	options := tui.Options{Input: o.streams.in, Output: o.streams.out, Mouse: o.mouse, Plain: o.plain, Outputs: o.open.guard, Screen: o.screen}
	options.Load = load
	options.Release = func(in *tui.Input) { opened.release(ctx, in) }
	options.Remember = func(hash string, m *tui.Memory) { remember(o.open.guard, hash, m) }
	if configure(&options); options.Notice != "" {
		p := report.NewPrinter(o.streams.err)
		p.Line("revenant: %s", options.Notice)
		if err := p.Flush(); err != nil {
			return err
		}
	}
	if o.resume {
		options.Resume = recall
	}
	return opened.end(ctx, tui.Run(ctx, options))
}

// knownBad says whether a check has failed, the trailer's included when its hash
// is there: who quits does not wait for it.
func knownBad(s *snapshot.Snapshot) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	in, err := s.Integrity(ctx)
	if err != nil {
		return s.Damaged()
	}
	return in.Bad()
}

// uiPlatforms are those of the runbook, the generic one first.
func uiPlatforms() []string {
	names := platformNames()
	return append(names[len(names)-1:], names[:len(names)-1]...)
}

// runbook returns what writes the runbook of a plan. What it needs of the two
// snapshots is read once.
func (p *pair) runbook() func(context.Context, *restore.Plan, string) (tui.Runbook, error) {
	var mu sync.Mutex
	var read *runbook.Input
	look := func(ctx context.Context) (runbook.Input, error) {
		mu.Lock()
		defer mu.Unlock()
		if read != nil {
			return *read, nil
		}
		o := runbookOptions{open: *p.open, force: p.force}
		in := runbook.Input{Tool: tool()}
		err := o.lookAtBoth(ctx, p, &in)
		if err == nil {
			read = &in
		}
		return in, err
	}
	return func(ctx context.Context, plan *restore.Plan, platform string) (tui.Runbook, error) {
		in, err := look(ctx)
		if err != nil {
			return tui.Runbook{}, err
		}
		in.Plan, in.Platform = plan, runbook.Platform(platform)
		if plan != nil {
			in.LastRevision, in.OutageAt, in.Outage, in.KubernetesVersion = plan.LastRevision, plan.OutageAt, plan.Outage, plan.KubernetesVersion
		}
		r, err := runbook.New(in)
		if err != nil {
			return tui.Runbook{}, err
		}
		doc := &report.Runbook{Runbook: r}
		text := func(width int) string {
			var b strings.Builder
			p := report.NewPrinter(&b)
			p.Width = width
			doc.Text(p)
			_ = p.Flush() // a strings.Builder takes all
			return b.String()
		}
		var markdown strings.Builder
		err = writePage(&markdown, "markdown", doc)
		return tui.Runbook{Text: text, Markdown: markdown.String()}, err
	}
}
