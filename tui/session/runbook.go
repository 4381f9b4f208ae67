package session

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Runbook is what to type, in which order.
type Runbook struct {
	// Text is for a terminal: paragraphs of at most width columns, commands on
	// lines of their own as long as they are.
	Text     func(width int) string
	Markdown string
}

// WrittenRunbook is the runbook of a plan.
type WrittenRunbook struct {
	Runbook
	plan        restore.Plan
	Recommended bool // the plan in force is a plain restore: this is of the recommended one
	Platform    string
	Problem     string
}

// Of says whether it is the runbook of a plan.
func (r *WrittenRunbook) Of(plan *restore.Plan) bool { return r.Problem == "" && r.plan.Equal(*plan) }

// nextPlatform is the platform after one, the first after the last.
func (in *Input) nextPlatform(name string) string {
	if len(in.Platforms) == 0 {
		return name
	}
	return in.Platforms[(slices.Index(in.Platforms, name)+1)%len(in.Platforms)]
}

// WriteRunbook writes the runbook of the plan in force; where that is a plain
// restore, of the recommended one.
func (s *Session) WriteRunbook() tea.Cmd {
	if s.Input.Runbook == nil {
		return nil
	}
	s.runbookAsked++
	ctx, write, asked := s.Ctx, s.Input.Runbook, s.runbookAsked
	r := &WrittenRunbook{plan: s.Plan.Plan, Platform: s.Platform}
	plan := &r.plan
	if plan.Equal(plan.Stated()) {
		r.Recommended, plan = true, nil
	}
	return s.Tasks.Cmd(func() tea.Msg {
		var err error
		if r.Runbook, err = write(ctx, plan, r.Platform); err != nil {
			r.Problem = words.Sentence(err.Error())
		}
		return runbookMsg{asked, r}
	})
}

// runbookMsg brings the runbook of a plan.
type runbookMsg struct {
	asked   int
	runbook *WrittenRunbook
}
