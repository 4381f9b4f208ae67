package train

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v2"
)

// Answers are what somebody did in scenarios: what is kept of a learner's progress, and what
// a class hands in. They are checked by Mark, and believed in nothing.
type Answers struct {
	Name      string  `yaml:"name,omitempty"` // whose they are
	Scenarios []Given `yaml:"scenarios"`
}

// Given is what was done in one scenario.
type Given struct {
	Scenario string   `yaml:"scenario"`
	Actions  []string `yaml:"actions,omitempty"` // in the words of Perform
	Answers  []string `yaml:"answers,omitempty"` // to its questions, in their order; of a manifest its text
	Hints    int      `yaml:"hints,omitempty"`   // that were looked at
	Wrong    int      `yaml:"wrong,omitempty"`   // answers that were refused
}

// What an answers file may hold at most.
const (
	mostGiven   = 500
	mostActions = 1000
)

// ofType is what the decoder says of the program's own types.
var ofType = regexp.MustCompile(` (not found|already set) in type \S+`)

// ParseAnswers reads answers, in YAML or JSON. Fields that it does not know are refused
// with their line.
func ParseAnswers(text []byte) (*Answers, error) {
	var a Answers
	err := yaml.UnmarshalStrict(text, &a)
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		var list []string
		for _, e := range wrong.Errors[:min(len(wrong.Errors), 3)] {
			list = append(list, ofType.ReplaceAllString(e, " $1"))
		}
		return nil, errors.New(strings.Join(list, "; "))
	}
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(a.Scenarios) > mostGiven {
		return nil, fmt.Errorf("%d scenarios, and at most %d are looked at", len(a.Scenarios), mostGiven)
	}
	for i, g := range a.Scenarios {
		switch {
		case g.Scenario == "":
			return nil, fmt.Errorf("the %d. of the scenarios does not say which it is", i+1)
		case len(g.Actions) > mostActions:
			return nil, fmt.Errorf("%s: %d actions, and at most %d are taken", g.Scenario, len(g.Actions), mostActions)
		}
		if slices.ContainsFunc(a.Scenarios[:i], func(o Given) bool { return o.Scenario == g.Scenario }) {
			return nil, fmt.Errorf("%s is in it twice", g.Scenario)
		}
	}
	return &a, nil
}

// Text is the answers as ParseAnswers reads them.
func (a *Answers) Text() ([]byte, error) { return yaml.Marshal(a) }

// Put puts in what was done in a scenario, in the place of what is there of it.
func (a *Answers) Put(g Given) {
	for i := range a.Scenarios {
		if a.Scenarios[i].Scenario == g.Scenario {
			a.Scenarios[i] = g
			return
		}
	}
	a.Scenarios = append(a.Scenarios, g)
}

// Of are those in one scenario.
func (a *Answers) Of(id string) *Answers {
	of := &Answers{Name: a.Name}
	for _, g := range a.Scenarios {
		if g.Scenario == id {
			of.Put(g)
		}
	}
	return of
}

// Pairs is how many are in scenarios that were made of snapshots.
func (a *Answers) Pairs() (n int) {
	for i := range a.Scenarios {
		if IsPair(a.Scenarios[i].Scenario) {
			n++
		}
	}
	return n
}

// Given is what was done in the scenario so far.
func (x *Session) Given() Given {
	g := Given{Scenario: x.ID, Actions: x.Taken(), Hints: x.hinted, Wrong: x.wrong}
	for i, goal := range x.Goals {
		if goal.Answer != "" {
			g.Answers = append(g.Answers, x.answered[i])
		}
	}
	return g
}

// Mark is how it stands with a scenario of answers.
type Mark struct {
	Scenario *Scenario // nil where there is none of that id
	Given    Given
	Solved   bool
	Results  []Result
	Problem  string // why it could not be followed to its end, "" when it could
	Cost     Cost
	Best     Cost // of the best known way
}

// Check does again what answers say was done in each scenario, and holds it against the
// goals. What is left to happen by itself at the end happens. The error is ctx's.
func Check(ctx context.Context, list []Scenario, a *Answers) ([]Mark, error) {
	var marks []Mark
	for _, g := range a.Scenarios {
		m, err := check(ctx, list, g)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			m.Problem = err.Error()
		}
		marks = append(marks, m)
	}
	return marks, nil
}

func check(ctx context.Context, list []Scenario, g Given) (Mark, error) {
	m := Mark{Given: g}
	if i := slices.IndexFunc(list, func(s Scenario) bool { return s.ID == g.Scenario }); i >= 0 {
		m.Scenario = &list[i]
	} else if IsMade(g.Scenario) {
		m.Scenario = Find(nil, g.Scenario)
	}
	switch {
	case m.Scenario == nil && IsPair(g.Scenario):
		return m, errors.New("it was made of a pair of snapshots: name its directory as well")
	case m.Scenario == nil:
		return m, errors.New("there is no such scenario")
	}
	x, err := New(ctx, *m.Scenario)
	if err != nil {
		return m, err
	}
	defer x.Close()
	var problem error
	for i, word := range g.Actions {
		if err := x.Perform(word); err != nil {
			problem = fmt.Errorf("action %d: %w", i+1, err)
			break
		}
	}
	x.Settle()
	refused := map[int]string{}
	answers := g.Answers
	for i := range x.Goals {
		goal := &x.Goals[i]
		if goal.Answer == "" {
			continue
		}
		if len(answers) == 0 || strings.TrimSpace(answers[0]) == "" {
			answers = answers[min(1, len(answers)):]
			continue
		}
		why, err := x.wrongAnswer(ctx, goal, strings.TrimSpace(answers[0]))
		if err != nil {
			return m, err
		}
		if why != "" {
			refused[i] = why
		} else {
			x.accept(i, answers[0])
		}
		answers = answers[1:]
	}
	if m.Results, err = x.Check(); err != nil {
		return m, err
	}
	m.Solved = problem == nil
	for i := range m.Results {
		if why := refused[i]; why != "" {
			m.Results[i].Overlook = []string{why}
		}
		m.Solved = m.Solved && m.Results[i].Reached
	}
	if len(answers) > 0 && problem == nil {
		problem, m.Solved = fmt.Errorf("it has more answers than questions"), false
	}
	x.wrong = max(0, g.Wrong)
	if m.Cost, err = x.Cost(); err != nil {
		return m, err
	}
	if m.Best, err = Best(ctx, *m.Scenario); err != nil {
		return m, err
	}
	return m, problem
}

// Best is the cost of the best known way through a scenario.
func Best(ctx context.Context, s Scenario) (Cost, error) {
	x, err := New(ctx, s)
	if err != nil {
		return Cost{}, err
	}
	defer x.Close()
	if err := x.Solve(ctx); err != nil {
		return Cost{}, err
	}
	return x.Cost()
}
