package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"revenant/decoder/input"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/train"
)

// answer answers the question that is open.
func (t *trainer) answer(ctx context.Context, text string) error {
	i := t.Open()
	if i < 0 {
		t.p.Line("No question is open.")
		return nil
	}
	if text == "" {
		t.p.Wrapped("", t.p.Width, "answer, and what you think. The question is: "+t.Goals[i].Ask)
		return nil
	}
	if t.Goals[i].Manifest() {
		manifest, err := t.readAnswer(text)
		if err != nil {
			t.p.Wrapped("", t.p.Width, fmt.Sprintf("The answer is the name of a file with the manifest, and that one cannot be read: %v.", err))
			return nil
		}
		text = string(manifest)
	}
	r, err := t.Answer(ctx, text)
	if err != nil {
		return err
	}
	if !r.Reached {
		t.p.Wrapped("", t.p.Width, "No. "+r.Overlook[0])
		return nil
	}
	t.p.Line("Right.")
	results, err := t.Check()
	if err != nil {
		return err
	}
	if next := slices.IndexFunc(results, func(r train.Result) bool { return !r.Reached }); next >= 0 {
		t.p.Wrapped("", t.p.Width, fmt.Sprintf("Goal %d. %s", next+1, t.Goals[next].Ask))
	}
	return t.check(ctx, true)
}

// readAnswer reads a file that was named: one beside those of the scenario, or any other.
func (t *trainer) readAnswer(name string) ([]byte, error) { return readManifest(t.dir, name) }

// readManifest reads a file that is named as from dir, or else as from here.
func readManifest(dir, name string) ([]byte, error) {
	if !filepath.IsAbs(name) && dir != "" {
		text, err := input.ReadConfig(filepath.Join(dir, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
	}
	return input.ReadConfig(name)
}

// check holds the goals against what was done. Quietly, it says so only when all are reached.
func (t *trainer) check(ctx context.Context, quietly bool) error {
	solved, err := t.Solved()
	if err != nil || quietly && (!solved || t.found) {
		return err
	}
	results, err := t.Check()
	if err != nil {
		return err
	}
	t.p.Line("")
	for i, r := range results {
		state := "reached"
		if !r.Reached {
			state = "not yet"
		}
		t.p.Line("  Goal %d  %s", i+1, state)
		for _, text := range r.Overlook {
			t.p.Wrapped("          ", t.p.Width, text)
		}
	}
	if !solved {
		return nil
	}
	return t.solved(ctx)
}

// solved says what it cost and what is to be learnt, and keeps it.
func (t *trainer) solved(ctx context.Context) error {
	t.found = true
	cost, err := t.Cost()
	if err != nil {
		return err
	}
	best, err := train.Best(ctx, t.Scenario)
	if err != nil {
		return err
	}
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, "Solved. "+t.Score(cost, best))
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, t.Explanation)
	for _, source := range t.Sources {
		t.p.Wrapped("  ", t.p.Width, "("+source+")")
	}
	if err := t.record.keep(ctx, t.Given()); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(t.streams.err, "warning: progress is not kept: %s\n", sanitize.Short(err.Error(), mostInError))
	}
	return t.next(ctx)
}

// next says what to do next: the first scenario that is not solved. When all are, all are
// checked again.
func (t *trainer) next(ctx context.Context) error {
	marks, err := train.Check(ctx, t.all, &t.record.answers)
	if err != nil {
		return err
	}
	solved := map[string]bool{}
	points, best := 0, 0
	for _, m := range marks {
		if m.Solved && !train.IsMade(m.Given.Scenario) {
			solved[m.Given.Scenario] = true
			points, best = points+m.Cost.Points(), best+m.Best.Points()
		}
	}
	t.p.Line("")
	for _, s := range t.all {
		if !solved[s.ID] {
			t.p.Line("The next one: revenant train %s", s.ID)
			return nil
		}
	}
	t.p.Wrapped("", t.p.Width, fmt.Sprintf("All %d scenarios are solved: what was done in each was checked again just now. Together it cost %s, and the best known ways %d. revenant train --seed N makes more.", len(t.all), words.Count(points, "point"), best))
	return nil
}

// solution shows the solution.
func (t *trainer) solution(ctx context.Context) error {
	if !t.found {
		t.p.Line("Reach the goals first: hint helps.")
		return nil
	}
	x, err := train.New(ctx, t.Scenario)
	if err != nil {
		return err
	}
	defer x.Close()
	right, err := x.Right(ctx)
	if err != nil {
		return err
	}
	for _, command := range t.Commands {
		t.p.Line("  %s", command)
	}
	if err := x.Solve(ctx); err != nil {
		return err
	}
	for i, step := range x.Steps() {
		t.p.Wrapped("  ", t.p.Width, fmt.Sprintf("%d. %s", i+1, step.Text))
	}
	for _, g := range t.Goals {
		if g.Answer == "" {
			continue
		}
		answer := strings.TrimSpace(right[0])
		right = right[1:]
		if !g.Manifest() {
			t.p.Wrapped("  ", t.p.Width, g.Ask+" "+answer)
			continue
		}
		t.p.Wrapped("  ", t.p.Width, g.Ask)
		for line := range strings.Lines(answer) {
			t.p.Line("    %s", strings.TrimRight(line, "\n"))
		}
	}
	if t.Play != nil {
		t.p.Line("  revenant train %s --at %s", t.Argument(), t.Scenario.Solution)
	}
	return nil
}
