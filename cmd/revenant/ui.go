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
}

func (o *uiOptions) addFlags(flags *pflag.FlagSet) {
	o.open.addFlags(flags)
	o.plan.addFlags(flags)
	flags.BoolVar(&o.force, "force", false, "go on although the snapshots are of different clusters")
	flags.BoolVar(&o.resume, "resume", false, "terminal UI: go on where it was left with this evidence")
	flags.BoolVar(&o.mouse, "mouse", false, "terminal UI: scroll with the wheel (the terminal's own selection needs shift then)")
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
	if len(args) == 1 {
		return o.inspect(ctx, args[0])
	}
	if _, err := o.open.guardOutputs(o.streams, args...); err != nil {
		return err
	}
	var b, c opener
	if len(args) == 0 {
		b, c, err = o.open.demo()
	} else {
		b, c, err = o.open.files(args[0], args[1])
	}
	if err != nil {
		return err
	}
	if !o.plain && (!o.streams.inTTY || !o.streams.outTTY) {
		return o.overview(ctx, b, c, plan)
	}
	return o.screen(ctx, b, c, plan)
}

// inspect shows a single snapshot: without the current state there is nothing
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

// screen opens the terminal UI, which opens the snapshots.
func (o *uiOptions) screen(ctx context.Context, backup, current opener, plan restore.Plan) error {
	var opened *pair
	o.open.anyKeys = true // they can be looked at and compared
	load := func(ctx context.Context, progress func(snapshot.Progress, string)) (*tui.Input, error) {
		p, err := o.open.openPair(ctx, backup, current, func(name string, p snapshot.Progress) { progress(p, name) })
		if err != nil {
			return nil, err
		}
		opened = p
		if err := p.check(o.force); err != nil {
			return nil, err
		}
		return &tui.Input{
			Tool:    tool().Name + " " + tool().Version,
			Backup:  tui.Side{Snapshot: p.backup.snapshot, State: p.backup.state},
			Current: tui.Side{Snapshot: p.current.snapshot, State: p.current.state},
			Plan:    plan,
			Prefix:  p.prefix,
			Lineage: p.lineage,
			Metrics: p.open.scraped(),

			Warnings:  p.warnings(),
			Runbook:   p.runbook(),
			Carved:    o.carved,
			Platforms: uiPlatforms(),
		}, nil
	}
	options := tui.Options{Load: load, Input: o.streams.in, Output: o.streams.out, Mouse: o.mouse, Plain: o.plain, Outputs: o.open.guard}
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
	err := tui.Run(ctx, options)
	if opened == nil {
		return err
	}
	if err == nil {
		err = opened.unchanged(ctx)
	}
	if err == nil && (knownBad(opened.backup.snapshot) || knownBad(opened.current.snapshot)) {
		err = errDamaged
	}
	return errors.Join(err, opened.close())
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
			return printed(func(p *report.Printer) {
				p.Width = width
				doc.Text(p)
			})
		}
		return tui.Runbook{Text: text, Markdown: printed(doc.Markdown)}, nil
	}
}

// printed is what a document prints.
func printed(print func(*report.Printer)) string {
	var b strings.Builder
	p := report.NewPrinter(&b)
	print(p)
	_ = p.Flush() // a strings.Builder takes all
	return b.String()
}
