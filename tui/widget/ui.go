package widget

import (
	"sync"

	tea "charm.land/bubbletea/v2"

	"revenant/tui/draw"
	"revenant/tui/keys"
)

// UI is what everything that is drawn shares.
type UI struct {
	Theme  *draw.Theme
	Keymap keys.Map
	Tasks  Tasks // what is done beside the screen
}

// Tasks are the commands that use the evidence. All of them end before Run
// returns, for the caller closes the evidence then.
type Tasks struct {
	mu    sync.Mutex
	wg    sync.WaitGroup
	ended bool

	// Marked says that what commands bring is a TaskMsg: other tasks may take the place of
	// these before it comes.
	Marked bool
}

// TaskMsg is what a command of tasks has brought.
type TaskMsg struct {
	Of  *Tasks
	Msg tea.Msg
}

// Cmd makes a command that is waited for, or no longer starts.
func (t *Tasks) Cmd(work func() tea.Msg) tea.Cmd {
	return func() tea.Msg {
		t.mu.Lock()
		ended := t.ended
		if !ended {
			t.wg.Add(1)
		}
		t.mu.Unlock()
		if ended {
			return nil
		}
		defer t.wg.Done()
		msg := work()
		if t.Marked && msg != nil {
			return TaskMsg{t, msg}
		}
		return msg
	}
}

// End waits for the commands that have started and lets no other one start.
func (t *Tasks) End() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.wg.Wait()
}
