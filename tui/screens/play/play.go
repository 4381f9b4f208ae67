// Package play has the screens on which a restore is played, step by step: that of the
// evidence, and the scenarios.
package play

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/replay"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen plays a restore of the evidence.
type Screen struct {
	*session.Session
	stage         *stage // nil until it is begun
	begun         bool
	refused       error // why it cannot be played
	width, height int
}

// New makes the screen.
func New(s *session.Session) session.Screen { return &Screen{Session: s} }

// OfFiles says that what is played is of the files; the plan is not below it.
func (x *Screen) OfFiles() bool { return true }

// SetSize says how many columns and lines there are.
func (x *Screen) SetSize(width, height int) {
	x.width, x.height = width, height
	if x.stage != nil {
		x.stage.setSize(width, height)
	}
}

// beginMsg is the play of the evidence, or why there is none.
type beginMsg struct {
	screen *Screen
	stage  *stage
	moment moment
	err    error
}

// Wake sets the play up for those who look.
func (x *Screen) Wake() tea.Cmd {
	comparison := x.Plan.Comparison()
	if x.begun || comparison == nil {
		return nil
	}
	x.begun = true
	plan := x.Plan.Plan
	return x.Tasks.Cmd(func() tea.Msg {
		msg := beginMsg{screen: x}
		cluster, start, err := replay.New(comparison, plan, replay.SeenMost)
		if err != nil {
			msg.err = err
			return msg
		}
		cluster.Closes = false // watches end when something ends them
		msg.stage = newStage(&x.UI, replay.NewPlay(cluster, start))
		msg.stage.first = option{text: "carry out the plan in force, and let happen what comes of it", do: x.carryOut}
		msg.moment, msg.err = msg.stage.look()
		return msg
	})
}

// carryOut makes what does as a runbook of the plan in force says.
func (x *Screen) carryOut() func(*replay.Play) error {
	plan := x.Plan.Plan
	return func(p *replay.Play) error {
		if plan.BumpRevision > 0 && !slices.Contains(p.Bumps, plan.BumpRevision) {
			p.Bumps = append(p.Bumps, plan.BumpRevision)
		}
		for _, part := range p.Script(p.State(), plan) {
			for _, a := range part {
				if err := p.Do(a); err != nil {
					return fmt.Errorf("the plan cannot be carried out from here: %w", err)
				}
			}
			if p.Served() {
				p.Settle()
			}
		}
		return nil
	}
}

// Keys lists the actions that Update takes.
func (x *Screen) Keys() keys.Set {
	if x.stage == nil {
		return keys.Set{}
	}
	return x.stage.actions(keys.Set{})
}

// Update takes a press of one of Keys, and every message.
func (x *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case beginMsg:
		if msg.screen != x {
			return nil
		}
		if x.refused = msg.err; msg.err != nil {
			return nil
		}
		x.stage = msg.stage
		x.stage.shown = msg.moment
		x.SetSize(x.width, x.height)
		return nil
	case movedMsg:
		if x.stage == nil || msg.stage != x.stage {
			return nil
		}
	case tickMsg:
		if x.stage == nil || msg.stage != x.stage {
			return nil
		}
	}
	if x.stage == nil {
		return nil
	}
	return x.stage.update(msg)
}

// Export is the way to this moment.
func (x *Screen) Export(bool) widget.Export {
	if x.stage == nil || x.stage.shown.steps == 0 || x.stage.moving {
		return widget.Export{}
	}
	return widget.Export{What: "the steps up to here", File: "play.txt", Text: x.stage.text()}
}

// Location is the page that is open.
func (x *Screen) Location() string {
	if x.stage == nil {
		return ""
	}
	return x.stage.page.title
}

// View draws it.
func (x *Screen) View() []string {
	t := x.Theme
	switch {
	case x.refused != nil:
		return draw.Margin(append(draw.Wrap("This restore cannot be played step by step: "+x.refused.Error()+".", x.width-2), "",
			t.Dim.Paint(t.Cut("Plan and Outcomes have how it ends.", x.width-2))))
	case x.stage == nil:
		return []string{" " + t.Dim.Paint("Setting it up"+t.Ellipsis)}
	}
	return x.stage.view(x.about())
}

// about says what is played.
func (x *Screen) about() []string {
	const text = "Played as if watchers had seen the most that the evidence allows."
	return []string{x.Theme.Dim.Paint(x.Theme.Cut(text, max(x.width-2, 1)))}
}
