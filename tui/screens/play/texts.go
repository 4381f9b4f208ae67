package play

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/internal/words"
	"revenant/train"
	"revenant/tui/draw"
	"revenant/tui/keys"
)

// story is what a scenario is about.
func (x *Training) story(s *train.Scenario, width int) []string {
	t := x.Theme
	width = min(width, mostTextWidth)
	lines := append([]string{t.Heading(s.Title, width), ""}, draw.Wrap(s.Story, width)...)
	for i, g := range s.Goals {
		lines = append(lines, "")
		lines = append(lines, draw.Item("", fmt.Sprintf("Goal %d. %s", i+1, g.Ask), width)...)
	}
	return lines
}

// hinted are the hints that were given, the last one first.
func (x *Training) hinted(width int) []string {
	var lines []string
	commands := false
	for i := len(x.hints) - 1; i >= 0; i-- {
		if len(lines) > 0 {
			lines = append(lines, "", x.Theme.Dim.Paint(fmt.Sprintf("Hint %d", i+1)))
		}
		for line := range strings.SplitSeq(x.hints[i], "\n") {
			if strings.HasPrefix(line, "revenant ") { // to be typed
				lines = append(lines, draw.PaintAll(x.Theme.Bold, draw.HangLine("  "+draw.Safe(line), width))...)
				commands = true
				continue
			}
			lines = append(lines, draw.Wrap(line, width)...)
		}
	}
	if commands {
		lines = append(lines, "")
		lines = append(lines, draw.PaintAll(x.Theme.Dim, draw.Wrap("Commands are for another terminal, in "+x.of.Dir+". The other screens show the same files.", width))...)
	}
	if left := len(x.active.Hints) - len(x.hints); left > 0 {
		lines = append(lines, "", x.Theme.Dim.Paint(x.Keymap.Key(keys.HintFor)+": "+words.Count(left, "hint")+" more"))
	}
	return lines
}

// reached says once that all goals are reached, what it cost, and what there is to learn of it.
func (x *Training) reached() tea.Cmd {
	if x.found || len(x.results) == 0 || slices.ContainsFunc(x.results, func(r train.Result) bool { return !r.Reached }) {
		return nil
	}
	if x.stage != nil && (x.stage.moving || x.stage.shown.more) {
		return nil // not at its end
	}
	x.found = true
	active, of, given := x.active, x.of, x.active.Given()
	cost, err := active.Cost()
	end := x.Tasks.Cmd(func() tea.Msg {
		msg := endMsg{active: active, err: err}
		best, err := train.Best(x.Ctx, active.Scenario)
		if err == nil {
			err = of.Keep(x.Ctx, given)
		}
		if msg.err == nil {
			msg.err = err
		}
		solution, err := x.solution(&active.Scenario)
		if msg.err == nil {
			msg.err = err
		}
		next := nextOf(of.Scenarios, of.Solved(x.Ctx))
		msg.lines = func(x *Training, width int) []string {
			lines := draw.Wrap("Solved. "+active.Score(cost, best), width)
			lines = append(append(lines, ""), draw.Wrap(active.Explanation, width)...)
			for _, source := range active.Sources {
				lines = append(lines, draw.PaintAll(x.Theme.Dim, draw.Wrap("("+source+")", width))...)
			}
			lines = append(lines, "", x.Theme.Heading("The best known way", width))
			for i, step := range solution {
				lines = append(lines, draw.Item(fmt.Sprintf("%2d. ", i+1), step, width)...)
			}
			return append(append(lines, ""), draw.Wrap(next, width)...)
		}
		return msg
	})
	if x.solved != nil {
		done := solved{active.ID: true}
		for id, is := range *x.solved {
			done[id] = done[id] || is
		}
		x.solved = &done
	}
	return tea.Batch(end, x.list.Refresh())
}

// nextOf says what to do next: the first scenario that is not solved. When all are, all were
// checked again.
func nextOf(list []train.Scenario, done solved) string {
	for i := range list {
		if s := &list[i]; !done[s.ID] {
			return "The next one: " + s.Argument() + ", " + s.Title + "."
		}
	}
	return fmt.Sprintf("All %d scenarios are solved: what was done in each was checked again just now. revenant train --seed N makes more.", len(list))
}

// solution is the best known way through a scenario, in sentences.
func (x *Training) solution(s *train.Scenario) ([]string, error) {
	if !s.Played() {
		return s.Commands, nil
	}
	best, err := train.New(x.Ctx, *s)
	if err == nil {
		err = best.Solve(x.Ctx)
	}
	if err != nil {
		return nil, err
	}
	var list []string
	for _, step := range best.Steps() {
		list = append(list, step.Text)
	}
	return list, nil
}

const taskTitle = "Task"

// task is the story, the goals and how it stands with them.
func (x *Training) task(width int) []string {
	t := x.Theme
	s := &x.active.Scenario
	lines := append([]string{t.Bold.Paint(draw.Safe(s.Title)) + t.Dim.Paint(fmt.Sprintf("  level %d", s.Level)), ""}, draw.Wrap(s.Story, width)...)
	for i, r := range x.results {
		state := t.Dim.Paint("not yet")
		if r.Reached {
			state = t.Good.Paint(t.Best + " reached")
		}
		lines = append(lines, "", t.Bold.Paint(fmt.Sprintf("Goal %d", i+1))+"  "+state)
		lines = append(lines, draw.Wrap(r.Goal.Ask, width)...)
	}
	if s.OnFiles() {
		lines = append(lines, "")
		lines = append(lines, draw.Wrap("Its files are shown on the other screens, and stand in "+x.of.Dir+".", width)...)
	}
	lines = append(lines, "")
	help := x.Keymap.Key(keys.HintFor) + " a hint"
	if x.active.Open() >= 0 {
		help += ", " + x.Keymap.Key(keys.Answer) + " answers the question"
	}
	if s.Played() {
		help += ", " + x.Keymap.Key(keys.Back) + " to the cluster"
	}
	help += ". What a word means is said by :handbook WORD, such as :handbook bump, deaf or revision."
	return append(lines, draw.PaintAll(t.Dim, draw.Wrap(help, width))...)
}

// goals say in a line how it stands.
func (x *Training) goals() []string {
	t := x.Theme
	reached := 0
	for _, r := range x.results {
		if r.Reached {
			reached++
		}
	}
	text := fmt.Sprintf("%d of %s reached", reached, words.Count(len(x.results), "goal"))
	color := t.Dim
	if reached == len(x.results) {
		color = t.Good
	}
	hints := ""
	for _, a := range []keys.Action{keys.Task, keys.HintFor, keys.Answer} {
		if a == keys.Answer && x.active.Open() < 0 {
			continue
		}
		hints += "  " + t.Hint(x.Keymap.Key(a)+" "+map[keys.Action]string{keys.Task: "task", keys.HintFor: "hint", keys.Answer: "answer"}[a])
	}
	return []string{t.Cut(color.Paint(text)+hints, max(x.width-2, 1))}
}
