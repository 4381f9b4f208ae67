package train

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"revenant/analyzer/replay"
)

// Session is a scenario that is being done.
type Session struct {
	Scenario
	// Play is what is played; nil for a scenario on evidence.
	Play *replay.Play

	facts  *facts  // of the evidence; nil for what is played
	asked  *moment // where the scenario begins: questions are about that
	begun  int     // steps of the play before the scenario begins
	hinted int
	wrong  int

	mu       sync.Mutex     // of what follows: an answer is checked while a step is taken
	answered map[int]string // by goal: what was accepted
}

// New begins a scenario. Close ends it.
func New(ctx context.Context, s Scenario) (*Session, error) {
	x := &Session{Scenario: s, answered: map[int]string{}}
	if !s.Played() {
		files, err := s.Files()
		if err == nil {
			x.facts, err = openFacts(ctx, files)
		}
		return x, err
	}
	cluster, start, err := s.cluster()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.ID, err)
	}
	x.Play = replay.NewPlay(cluster, start)
	if s.Begin != "" {
		if err := x.Play.Go(s.Begin); err != nil {
			return nil, fmt.Errorf("%s: %w", s.ID, err)
		}
	}
	x.begun = len(x.Play.Steps())
	x.asked, err = x.moment()
	return x, err
}

// Close gives up what the scenario holds open.
func (x *Session) Close() {
	if x.facts != nil {
		x.facts.close()
	}
}

// State is the moment that is played; nil for a scenario on evidence.
func (x *Session) State() *replay.State {
	if x.Play == nil {
		return nil
	}
	return x.Play.State()
}

// View is what the moment looks like, without what Veil hides.
func (x *Session) View() (*replay.View, error) {
	v, err := x.Play.View(x.Play.State())
	if err == nil {
		x.Veil(v)
	}
	return v, err
}

// Veil takes the marks out of a view that would answer a question which is not answered yet:
// which pods run unseen or only seem to run, and which API servers serve the erased past.
func (x *Session) Veil(v *replay.View) {
	for i, g := range x.Goals {
		if x.isAnswered(i) {
			continue
		}
		switch g.Answer {
		case "unseen-pods", "ghosts":
			v.HidePods()
		case "false-list":
			v.HideErased()
		}
	}
}

func (x *Session) isAnswered(goal int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, ok := x.answered[goal]
	return ok
}

func (x *Session) accept(goal int, answer string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answered[goal] = answer
}

// Actions are those that can be taken now, none in a scenario on evidence.
func (x *Session) Actions() []replay.Action {
	if x.Play == nil {
		return nil
	}
	return x.Play.Actions(x.Play.State())
}

// Do takes one of Actions.
func (x *Session) Do(a replay.Action) error {
	if x.Play == nil {
		return fmt.Errorf("nothing is played: this scenario is on evidence")
	}
	return x.Play.Do(a)
}

// Next lets the next event happen that happens by itself, or takes again the step that was
// taken back; Settle lets all happen that happens by itself, and counts it. Back takes back
// the last step of the scenario, and says whether there is one.
func (x *Session) Next() bool { return x.Play != nil && x.Play.Next() }

// Settle is described beside Next.
func (x *Session) Settle() int {
	if x.Play == nil {
		return 0
	}
	return x.Play.Settle()
}

// Back is described beside Next.
func (x *Session) Back() bool {
	return x.Play != nil && len(x.Play.Steps()) > x.begun && x.Play.Back()
}

// Go goes to the moment of an id, which must be one of the scenario. A wrong id leaves it
// where it begins.
func (x *Session) Go(id string) error {
	if x.Play == nil {
		return fmt.Errorf("no moment has an id: this scenario is on evidence")
	}
	begin := slices.Clone(x.Play.Steps()[:x.begun])
	err := x.Play.Go(id)
	if steps := x.Play.Steps(); err == nil && (len(steps) < len(begin) || !slices.EqualFunc(steps[:len(begin)], begin, func(a, b replay.Step) bool { return a.Action == b.Action })) {
		err = fmt.Errorf("no moment of this scenario has the id %.40q: the way to it does not lead through its beginning", id)
	}
	if err != nil && x.Begin != "" {
		if again := x.Play.Go(x.Begin); again != nil {
			return again
		}
	}
	return err
}

// Steps are the steps of the scenario.
func (x *Session) Steps() []replay.Step {
	if x.Play == nil {
		return nil
	}
	return x.Play.Steps()[x.begun:]
}

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
	var m *moment
	if x.Play != nil {
		var err error
		if m, err = x.moment(); err != nil {
			return nil, err
		}
	}
	var list []Result
	for i, g := range x.Goals {
		r := Result{Goal: g}
		for _, id := range g.Reach {
			if why := conditionOf(id).lacks(m); why != "" {
				r.Overlook = append(r.Overlook, why)
			}
		}
		if g.Answer != "" && !x.isAnswered(i) {
			r.Overlook = []string{"It has not been answered."}
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

// Open is the place of the first goal that is a question and not answered, -1 for none.
func (x *Session) Open() int {
	for i, g := range x.Goals {
		if g.Answer != "" && !x.isAnswered(i) {
			return i
		}
	}
	return -1
}

// longestAnswer bounds what is taken as an answer, in bytes.
const longestAnswer = 1 << 20

// Answer answers the question that is open, about the moment at which the scenario begins, with the text of a manifest where the goal is
// one (Goal.Manifest). The error says that none is open, or is ctx's.
func (x *Session) Answer(ctx context.Context, text string) (Result, error) {
	i := x.Open()
	if i < 0 {
		return Result{}, fmt.Errorf("no question is open")
	}
	r := Result{Goal: x.Goals[i]}
	text = strings.TrimSpace(text)
	if len(text) > longestAnswer {
		r.Overlook = []string{"That is longer than any answer."}
		return r, nil
	}
	why, err := x.wrongAnswer(ctx, &x.Goals[i], text)
	if err != nil {
		return r, err
	}
	if why != "" {
		x.wrong++
		r.Overlook = []string{why}
		return r, nil
	}
	x.accept(i, text)
	r.Reached = true
	return r, nil
}

// wrongAnswer is what an answer overlooks, "" for a right one.
func (x *Session) wrongAnswer(ctx context.Context, g *Goal, text string) (string, error) {
	q := questionOf(g.Answer)
	if q.played == nil {
		return q.found.wrong(ctx, x.facts, g.Of, text)
	}
	return q.played.wrong(x.asked, text), nil
}

// Right are the answers to the questions, in the order of the goals. They are for after
// success.
func (x *Session) Right(ctx context.Context) ([]string, error) {
	var list []string
	for i := range x.Goals {
		g := &x.Goals[i]
		if g.Answer == "" {
			continue
		}
		q := questionOf(g.Answer)
		if q.played != nil {
			list = append(list, q.played.right(x.asked))
			continue
		}
		text, err := q.found.right(ctx, x.facts, g.Of)
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, nil
}

// Solve answers all questions where the scenario begins, and goes to the solution.
func (x *Session) Solve(ctx context.Context) error {
	right, err := x.Right(ctx)
	if err != nil {
		return err
	}
	for i, g := range x.Goals {
		if g.Answer != "" {
			x.accept(i, right[0])
			right = right[1:]
		}
	}
	if x.Play == nil {
		return nil
	}
	return x.Play.Go(x.Solution)
}
