package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"revenant/analyzer/restore"
	"revenant/decoder/input"
	"revenant/internal/words"
	"revenant/report"
	"revenant/train"
)

// classReport is what `train --check` finds, for a teacher.
type classReport struct {
	SchemaVersion int           `json:"schemaVersion"`
	Kind          string        `json:"kind"` // Training
	Tool          restore.Tool  `json:"tool"`
	Solved        int           `json:"solved"`   // of all that were handed in
	HandedIn      int           `json:"handedIn"` // scenarios, of all files
	Learners      []learnerMark `json:"learners"`
}

// learnerMark is what one file of answers comes to.
type learnerMark struct {
	File      string         `json:"file"`
	Name      string         `json:"name"` // "" where it does not say
	Solved    int            `json:"solved"`
	Points    int            `json:"points"`     // of what is solved
	Best      int            `json:"bestPoints"` // of the best known ways through that
	Scenarios []scenarioMark `json:"scenarios"`
}

// scenarioMark is how it stands with one scenario.
type scenarioMark struct {
	Scenario string     `json:"scenario"`
	Level    int        `json:"level"` // 0 where there is no such scenario
	Title    string     `json:"title"`
	Solved   bool       `json:"solved"`
	Points   int        `json:"points"`
	Best     int        `json:"bestPoints"`
	Cost     train.Cost `json:"cost"`
	Hints    int        `json:"hints"`
	Problem  string     `json:"problem,omitempty"` // why it could not be followed to its end
	Goals    []goalMark `json:"goals"`
}

type goalMark struct {
	Ask      string   `json:"ask"`
	Reached  bool     `json:"reached"`
	Overlook []string `json:"overlooked"`
}

// check checks files of answers. Directories among the paths are scenarios that were made of
// snapshots.
func (o *trainOptions) check(ctx context.Context, list []train.Scenario, named []string) error {
	guard, err := (&openOptions{}).guardOutputs(o.streams, named...) // no report goes into what is handed in
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	var paths []string
	for _, path := range named {
		if !isDir(path) {
			paths = append(paths, path)
			continue
		}
		s, err := readMade(path)
		if err == nil {
			err = o.bind(ctx, s, path)
		}
		if err != nil {
			return fmt.Errorf("--check: %w", err)
		}
		list = append(slices.Clone(list), *s)
	}
	doc := &classReport{SchemaVersion: report.SchemaVersion, Kind: "Training", Tool: tool(), Learners: []learnerMark{}}
	for _, path := range paths {
		text, err := input.ReadConfig(path)
		if err != nil {
			return fmt.Errorf("--check: %w", err)
		}
		answers, err := train.ParseAnswers(text)
		if err != nil {
			return hinted(fmt.Errorf("--check: %s: %w", path, err), "docs/train.md has the form of the file")
		}
		if len(answers.Scenarios) == 0 {
			return fmt.Errorf("--check: %s: no scenario is in it", path)
		}
		marks, err := train.Check(ctx, list, answers)
		if err != nil {
			return err
		}
		doc.add(path, answers.Name, marks)
	}
	if err := write(ctx, targets, o.streams, doc); err != nil {
		return err
	}
	if doc.Solved < doc.HandedIn {
		return errFindings
	}
	return nil
}

// add adds what a file comes to.
func (r *classReport) add(path, name string, marks []train.Mark) {
	l := learnerMark{File: path, Name: name, Scenarios: []scenarioMark{}}
	for _, m := range marks {
		s := scenarioMark{Scenario: m.Given.Scenario, Solved: m.Solved, Points: m.Cost.Points(), Best: m.Best.Points(), Cost: m.Cost, Hints: max(m.Given.Hints, 0), Problem: m.Problem, Goals: []goalMark{}}
		if m.Scenario != nil {
			s.Level, s.Title = m.Scenario.Level, m.Scenario.Title
		}
		for _, g := range m.Results {
			s.Goals = append(s.Goals, goalMark{g.Goal.Ask, g.Reached, append([]string{}, g.Overlook...)})
		}
		if m.Solved {
			l.Solved, l.Points, l.Best = l.Solved+1, l.Points+s.Points, l.Best+s.Best
		}
		l.Scenarios = append(l.Scenarios, s)
	}
	r.Solved, r.HandedIn = r.Solved+l.Solved, r.HandedIn+len(l.Scenarios)
	r.Learners = append(r.Learners, l)
}

// Text is the report for people.
func (r *classReport) Text(p *report.Printer) {
	p.Line("%s", fmt.Sprintf("%d of %s solved.", r.Solved, words.CountOf(r.HandedIn, "scenario that was handed in is", "scenarios that were handed in are")))
	if len(r.Learners) > 1 {
		var rows [][]string
		marks := []restore.Severity{}
		for _, l := range r.Learners {
			mark := restore.OK
			if l.Solved < len(l.Scenarios) {
				mark = restore.Warning
			}
			rows, marks = append(rows, []string{l.who(), fmt.Sprintf("%d of %d", l.Solved, len(l.Scenarios)), strconv.Itoa(l.Points), strconv.Itoa(l.Best)}), append(marks, mark)
		}
		p.Line("")
		p.Table([]string{"WHO", "SOLVED", "POINTS", "BEST KNOWN"}, rows, marks)
	}
	for i := range r.Learners {
		r.Learners[i].text(p)
	}
}

// who names the learner.
func (l *learnerMark) who() string {
	if l.Name != "" {
		return l.Name
	}
	return filepath.Base(l.File)
}

func (l *learnerMark) text(p *report.Printer) {
	p.Line("")
	p.Line("%s", fmt.Sprintf("%s: %d of %d solved, %s; the best known ways cost %d", l.who(), l.Solved, len(l.Scenarios), words.Count(l.Points, "point"), l.Best))
	var rows [][]string
	marks := []restore.Severity{}
	for _, s := range l.Scenarios {
		solved, points, mark := "yes", strconv.Itoa(s.Points), restore.OK
		if !s.Solved {
			solved, points, mark = "no", "-", restore.Warning
		}
		rows, marks = append(rows, []string{s.Scenario, strconv.Itoa(s.Level), solved, points, strconv.Itoa(s.Best), strconv.Itoa(s.Hints), strconv.Itoa(s.Cost.Wrong)}), append(marks, mark)
	}
	p.Table([]string{"SCENARIO", "LEVEL", "SOLVED", "POINTS", "BEST", "HINTS", "WRONG"}, rows, marks)
	for _, s := range l.Scenarios {
		if s.Solved {
			continue
		}
		p.Line("")
		p.Line("%s:", s.Scenario)
		if s.Problem != "" {
			p.Wrapped("  ", trainWidth, s.Problem)
		}
		for i, g := range s.Goals {
			for _, why := range slices.Compact(g.Overlook) {
				p.Wrapped("  ", trainWidth, fmt.Sprintf("Goal %d. %s", i+1, why))
			}
		}
	}
}
