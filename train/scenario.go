// Package train has exercises about restores, and checks what is done in them.
//
// An exercise plays on the state machine of analyzer/replay. What goes in are actions, and
// answers as a person types them; what comes out is whether each goal is reached, and if
// not, what was overlooked. A goal is a condition on the state that was reached, or a
// question whose answer is computed from it: nothing is compared with a text that was
// written down.
package train

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"revenant/analyzer/replay"
)

// Scenario is an exercise.
type Scenario struct {
	ID    string `json:"id"`
	Level int    `json:"level"` // 1 to 3
	Title string `json:"title"`
	Story string `json:"story"`
	// Servers is how many API servers the cluster has, and Begin the id of the moment at
	// which the exercise begins, "" for before the outage.
	Servers int    `json:"servers"`
	Begin   string `json:"begin,omitempty"`
	Goals   []Goal `json:"goals"`
	// Hints are given one after another, each saying more than the one before.
	Hints       []string `json:"hints"`
	Explanation string   `json:"explanation"`
	Sources     []string `json:"sources"`
	// Solution is the id of a moment at which the goals are reached, with the least
	// disturbance that is known.
	Solution string `json:"solution"`
}

// Goal is what is to be reached, or to be found out.
type Goal struct {
	Ask string `json:"ask"`
	// Reach are conditions on the moment (Conditions), and Answer is a question
	// (Questions); a goal has one of both.
	Reach  []string `json:"reach,omitempty"`
	Answer string   `json:"answer,omitempty"`
}

//go:embed scenarios/*.yaml
var files embed.FS

// hintSteps is how many hints a scenario has.
const hintSteps = 3

// Scenarios are all of them, the easiest first. The error says what is wrong with one.
func Scenarios() ([]Scenario, error) {
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	var list []Scenario
	for _, e := range entries {
		text, err := files.ReadFile(path.Join("scenarios", e.Name()))
		if err != nil {
			return nil, err
		}
		var s Scenario
		if err := yaml.UnmarshalStrict(text, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		if err := s.check(strings.TrimSuffix(e.Name(), ".yaml")); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b Scenario) int { return a.Level - b.Level })
	return list, nil
}

// check says what is wrong with a scenario.
func (s *Scenario) check(name string) error {
	switch {
	case s.ID != name:
		return fmt.Errorf("its id is %q", s.ID)
	case s.Level < 1 || s.Level > 3:
		return fmt.Errorf("level %d", s.Level)
	case s.Servers < 1 || s.Servers > 3:
		return fmt.Errorf("%d API servers", s.Servers)
	case len(s.Goals) == 0 || len(s.Hints) != hintSteps || s.Title == "" || s.Story == "" || s.Explanation == "" || len(s.Sources) == 0 || s.Solution == "":
		return fmt.Errorf("it lacks goals, %d hints, a title, a story, an explanation, sources or a solution", hintSteps)
	}
	for _, g := range s.Goals {
		if g.Ask == "" || (len(g.Reach) == 0) == (g.Answer == "") {
			return fmt.Errorf("a goal wants a text, and conditions or a question")
		}
		for _, id := range g.Reach {
			if conditionOf(id) == nil {
				return fmt.Errorf("no condition is called %q", id)
			}
		}
		if g.Answer != "" && questionOf(g.Answer) == nil {
			return fmt.Errorf("no question is called %q", g.Answer)
		}
	}
	return nil
}

// Find is the scenario of an id, or of what only one id begins with; nil for none.
func Find(list []Scenario, id string) *Scenario {
	var found *Scenario
	for i := range list {
		switch {
		case list[i].ID == id:
			return &list[i]
		case id != "" && strings.HasPrefix(list[i].ID, id):
			if found != nil {
				return nil
			}
			found = &list[i]
		}
	}
	return found
}

// Session is an exercise that is being done.
type Session struct {
	Scenario
	Play *replay.Play

	begun    int // steps of the play before the exercise begins
	hinted   int
	answered map[int]bool // goals that are questions
}

// New begins an exercise.
func New(s Scenario) (*Session, error) {
	cluster, start := replay.Small(s.Servers)
	cluster.Closes = false // watches end when something ends them
	cluster.MostChanges = 6
	cluster.Bumps = append(cluster.Bumps, 10*cluster.Bumps[len(cluster.Bumps)-1]) // far above
	x := &Session{Scenario: s, Play: replay.NewPlay(cluster, start), answered: map[int]bool{}}
	if s.Begin != "" {
		if err := x.Play.Go(s.Begin); err != nil {
			return nil, fmt.Errorf("%s: %w", s.ID, err)
		}
	}
	x.begun = len(x.Play.Steps())
	return x, nil
}

// Back takes back the last step of the exercise, and says whether there is one.
func (x *Session) Back() bool { return len(x.Play.Steps()) > x.begun && x.Play.Back() }

// Steps are the steps of the exercise.
func (x *Session) Steps() []replay.Step { return x.Play.Steps()[x.begun:] }

// Hint is the next hint, and how many are left; after the last it is that again.
func (x *Session) Hint() (text string, left int) {
	text = x.Hints[min(x.hinted, len(x.Hints)-1)]
	x.hinted = min(x.hinted+1, len(x.Hints))
	return text, len(x.Hints) - x.hinted
}

// Result is how it stands with a goal.
type Result struct {
	Goal     Goal
	Reached  bool
	Overlook []string // what is missing, or was overlooked
}

// Check holds all goals against the moment and the answers so far.
func (x *Session) Check() ([]Result, error) {
	m, err := x.moment()
	if err != nil {
		return nil, err
	}
	var list []Result
	for i, g := range x.Goals {
		r := Result{Goal: g}
		for _, id := range g.Reach {
			if why := conditionOf(id).lacks(m); why != "" {
				r.Overlook = append(r.Overlook, why)
			}
		}
		if g.Answer != "" && !x.answered[i] {
			r.Overlook = []string{"It has not been answered: type answer, and what you think."}
		}
		r.Reached = len(r.Overlook) == 0
		list = append(list, r)
	}
	return list, nil
}

// Solved says whether all goals are reached.
func (x *Session) Solved() (bool, error) {
	list, err := x.Check()
	return err == nil && !slices.ContainsFunc(list, func(r Result) bool { return !r.Reached }), err
}

// Answer answers the first question that is open. The error says that there is none.
func (x *Session) Answer(text string) (Result, error) {
	for i, g := range x.Goals {
		if g.Answer == "" || x.answered[i] {
			continue
		}
		m, err := x.moment()
		if err != nil {
			return Result{}, err
		}
		r := Result{Goal: g}
		if why := questionOf(g.Answer).wrong(m, strings.TrimSpace(text)); why != "" {
			r.Overlook = []string{why}
			return r, nil
		}
		x.answered[i], r.Reached = true, true
		return r, nil
	}
	return Result{}, fmt.Errorf("no question is open")
}

// Solve goes to the solution, and answers all questions.
func (x *Session) Solve() error {
	for i, g := range x.Goals {
		x.answered[i] = g.Answer != ""
	}
	return x.Play.Go(x.Solution)
}
