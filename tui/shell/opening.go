package shell

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// opening is another pair of a series that is being opened, beside which the one that is
// shown stays as it is.
type opening struct {
	load    int
	loading loading
	ctx     context.Context // of its session
	end     func()
	asked   tea.Msg // that the screens hear then
}

// openedMsg brings another pair, or why it is none.
type openedMsg struct {
	of    *opening
	input *session.Input
	err   error
}

// openPair opens another pair of the series.
func (m *model) openPair(msg session.PairMsg) tea.Cmd {
	pair := m.Input.Series.Pair
	return m.open(msg, func(ctx context.Context, progress func(snapshot.Progress, string)) (*session.Input, error) {
		return pair(ctx, msg.Backup, msg.Current, progress)
	})
}

// open opens other evidence, as a message asked for.
func (m *model) open(asked tea.Msg, load func(context.Context, func(snapshot.Progress, string)) (*session.Input, error)) tea.Cmd {
	if m.opening != nil {
		return nil
	}
	m.loads++
	o := &opening{load: m.loads, asked: asked}
	o.ctx, o.end = context.WithCancel(m.base)
	m.opening, m.prompt, m.over = o, nil, nil
	tell := m.tell
	return m.Tasks.Cmd(func() tea.Msg {
		in, err := load(o.ctx, func(p snapshot.Progress, role string) { tell(progressMsg{p, role, o.load}) })
		return openedMsg{o, in, err}
	})
}

// replace shows another pair in place of the one that is shown, with a session and with
// screens of its own. What of the old session still comes is dropped.
func (m *model) replace(msg openedMsg) tea.Cmd {
	switch {
	case m.opening != msg.of: // it was cancelled
		if msg.err != nil {
			return nil
		}
		return m.Tasks.Cmd(func() tea.Msg { m.release(msg.input); return nil })
	case msg.err != nil:
		msg.of.end()
		m.opening, m.message = nil, draw.Safe(msg.err.Error())
		return nil
	}
	was := m.Session
	m.end()
	m.end, m.opening, m.opened = msg.of.end, nil, msg.of.load
	m.Session = &session.Session{Ctx: msg.of.ctx, UI: widget.UI{Theme: was.Theme, Keymap: was.Keymap}, Version: was.Version}
	m.screens = nil
	shown := m.loaded(loadedMsg{input: msg.input})
	return tea.Batch(shown, m.broadcast(msg.of.asked), m.Tasks.Cmd(func() tea.Msg {
		was.Tasks.End()
		m.release(was.Input)
		return nil
	}))
}
