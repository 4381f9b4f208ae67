package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/scratch"
	"revenant/train"
	"revenant/tui"
)

// classroom shows scenarios in the terminal UI, and what files they are about.
type classroom struct {
	*trainOptions
	ui     *uiOptions
	guard  *outfile.Guard
	record *record
	opened *pairs

	mu      sync.Mutex
	list    []train.Scenario
	series  []*manyFiles
	scratch []string // directories that are gone in the end
	solved  map[string]bool
}

// screens shows the scenarios in the terminal UI, one of them first where it is not nil.
func (o *trainOptions) screens(ctx context.Context, list []train.Scenario, first *train.Scenario) error {
	ui := &uiOptions{streams: o.streams, screen: "train"}
	ui.addFlags(pflag.NewFlagSet("", pflag.ContinueOnError)) // for what they are by default
	if first != nil && first.OfPair() {
		ui.open = o.open
	}
	guard, err := ui.open.guardOutputs(o.streams, o.from)
	if err != nil {
		return err
	}
	c := &classroom{trainOptions: o, ui: ui, guard: guard, list: list, opened: &pairs{}, solved: map[string]bool{}}
	if c.record, err = o.recorded(guard); err != nil {
		return err
	}
	begin := ""
	if first != nil {
		begin = first.ID
		if !slices.ContainsFunc(list, func(s train.Scenario) bool { return s.ID == begin }) {
			c.list = append(slices.Clone(list), *first)
		}
	}
	defer func() {
		for _, dir := range c.scratch {
			scratch.Remove(dir)
		}
	}()
	err = ui.screens(ctx, func(ctx context.Context, progress func(snapshot.Progress, string)) (*tui.Input, error) {
		if first != nil && first.OnFiles() {
			return c.open(ctx, begin, o.at, progress)
		}
		backup, current, err := ui.open.demo()
		if err != nil {
			return nil, err
		}
		in, err := ui.pair(backup, current, restore.Plan{})(ctx, progress)
		return c.teach(in, err, &tui.Training{Begin: begin, At: o.at})
	}, c.opened)
	for _, m := range c.series {
		err = m.end(err)
	}
	if errors.Is(err, errDamaged) { // that is what such a scenario is about
		err = nil
	}
	if err == nil && first != nil && !c.solved[begin] {
		return errFindings
	}
	return err
}

// teach adds the scenarios to what is shown, and takes it over.
func (c *classroom) teach(in *tui.Input, err error, t *tui.Training) (*tui.Input, error) {
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	t.Scenarios = slices.Clone(c.list)
	c.mu.Unlock()
	t.Solved, t.Keep, t.Open = c.done, c.keep, c.open
	t.Read = func(name string) (string, error) {
		text, err := readManifest(t.Dir, name)
		return string(text), err
	}
	in.Training = t
	if in.Series == nil { // the pairs of a series are taken over as they are opened
		c.opened.add(&c.ui.open, in)
	}
	return in, nil
}

// open writes the files of a scenario, and opens them. It is begun at a moment where at is
// its id.
func (c *classroom) open(ctx context.Context, id, at string, progress func(snapshot.Progress, string)) (*tui.Input, error) {
	c.mu.Lock()
	s := train.Find(slices.Clone(c.list), id)
	c.mu.Unlock()
	if s == nil {
		return nil, errors.New("no scenario is called " + id)
	}
	training := &tui.Training{Begin: s.ID, Shown: s.ID, At: at}
	if s.OfPair() {
		training.Dir = c.from
		in, err := c.openMade(ctx, *s, progress)
		return c.teach(in, err, training)
	}
	o := *c.trainOptions
	c.mu.Lock()
	c.dir = "" // only the first one's files go there
	c.mu.Unlock()
	dir, err := o.hand(ctx, c.guard, s)
	if err != nil {
		return nil, err
	}
	c.guard.Evidence(dir)
	if o.dir == "" {
		c.mu.Lock()
		c.scratch = append(c.scratch, dir)
		c.mu.Unlock()
	}
	files, err := s.Files()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".db") {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	training.Dir = dir
	switch len(paths) {
	case 1:
		in, err := c.ui.one(c.ui.open.opener(paths[0], true), restore.Plan{})(ctx, progress)
		return c.teach(in, err, training)
	case 2:
		in, err := c.ui.pair(c.ui.open.opener(paths[0], false), c.ui.open.opener(paths[1], true), restore.Plan{})(ctx, progress)
		return c.teach(in, err, training)
	}
	m := &manyFiles{uiOptions: c.ui, files: paths, pairs: c.opened}
	in, err := m.load(ctx, progress)
	if m.series != nil {
		c.mu.Lock()
		c.series = append(c.series, m)
		c.mu.Unlock()
		m.series.Pair = func(ctx context.Context, backup, current int, progress func(snapshot.Progress, string)) (*tui.Input, error) {
			in, err := m.pair(ctx, backup, current, progress)
			return c.teach(in, err, &tui.Training{Begin: s.ID, Shown: s.ID, Dir: dir})
		}
	}
	return c.teach(in, err, training)
}

// openMade opens the snapshots of a scenario that was made, and lets it be played on them.
func (c *classroom) openMade(ctx context.Context, s train.Scenario, progress func(snapshot.Progress, string)) (*tui.Input, error) {
	backup, current, err := c.madeOpeners(c.from)
	if err != nil {
		return nil, err
	}
	in, err := c.ui.pair(backup, current, restore.Plan{})(ctx, progress)
	if err != nil {
		return nil, err
	}
	compared := restore.Compare(in.Sources[in.Backup].State, in.Sources[in.Current].State)
	compared.Lineage = in.Lineage
	if s, err = s.Bound(compared); err != nil {
		for i := range in.Sources {
			err = errors.Join(err, in.Sources[i].Snapshot.Close())
		}
		return nil, fmt.Errorf("read %s: %w", filepath.Join(c.from, train.PairScenario), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.list {
		if c.list[i].ID == s.ID {
			c.list[i] = s
		}
	}
	return in, nil
}

// done says which scenarios the learner's progress solves.
func (c *classroom) done(ctx context.Context) map[string]bool {
	c.mu.Lock()
	answers := c.record.answers
	answers.Scenarios = slices.Clone(answers.Scenarios)
	list := slices.Clone(c.list)
	c.mu.Unlock()
	done := map[string]bool{}
	marks, err := train.Check(ctx, list, &answers)
	if err != nil {
		return done
	}
	for _, m := range marks {
		done[m.Given.Scenario] = m.Solved
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(done, c.solved) // also what is not kept
	return done
}

// keep keeps what was done in a scenario that was solved.
func (c *classroom) keep(ctx context.Context, given train.Given) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.solved[given.Scenario] = true
	return c.record.keep(ctx, given)
}
