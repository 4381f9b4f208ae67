package tui

import (
	"context"
	"sync"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/decoder/snapshot"
)

// screen is what stands between the header and the plan. A screen reads the
// session and changes only itself.
type screen interface {
	// Title names the screen.
	Title() string
	// SetSize says how many columns and lines there are.
	SetSize(width, height int)
	// Update takes a press of one of Keys, the filter as it is typed, and every
	// message that is not the shell's own. It does no work: that is the command's.
	Update(tea.Msg) tea.Cmd
	// Keys lists the actions that Update takes.
	Keys() keys
	// View draws at most height lines of at most width columns.
	View() []string
}

// registry lists the screens. A new one is a file and a row here.
var registry = []struct {
	key string // one of the keys of number
	new func(*session) screen
}{
	{"1", newOverview},
	{"2", newPods},
	{"3", newPlans},
	{"4", newNodes},
	{"5", newWorkloads},
	{"6", newUndone},
	{"7", newProblems},
}

// Messages from the shell to the screens.
type (
	// filterMsg is the filter as it is typed.
	filterMsg string
	// predictionMsg says that the session's prediction, or refusal, is another.
	predictionMsg struct{}
	// changedMsg says that something else of the session is another.
	changedMsg struct{}
)

// restartNodeMsg asks the shell to change whether the plan restarts the kubelet
// of a node.
type restartNodeMsg struct{ node string }

// session is what all screens show. The shell changes it between frames; a
// command may hold on to what it points to, which is not changed any more.
type session struct {
	ctx   context.Context
	tasks tasks
	theme *theme

	version int // another one with every message

	input      *Input
	files      [2]file // by side
	prediction *restore.Prediction
	digest     digest                  // of it
	refused    error                   // why the plan has no prediction: prediction is of the last one that had
	pending    bool                    // the prediction of the plan is being made
	modes      *restore.PlanComparison // the ways to restore; nil until they are compared
	rollback   *rollback.Rollback      // what else goes back in time; nil until it is compared
	problems   *[]problem              // of both files; nil until they are verified
}

// The sides of a session.
const (
	backup = iota
	current
)

// roles name the sides.
var roles = [2]restore.In{backup: restore.InBackup, current: restore.InCurrent}

func (s *session) side(i int) *Side {
	if i == backup {
		return &s.input.Backup
	}
	return &s.input.Current
}

// file is what becomes known of a snapshot's file while the screens are shown.
type file struct {
	hashed    snapshot.Progress
	verified  bool // integrity is known
	integrity snapshot.Integrity
	problems  []snapshot.Problem
	counted   bool // keys is known
	keys      int  // live ones
}

// tasks are the commands that use the evidence. All of them end before Run
// returns, for the caller closes the evidence then.
type tasks struct {
	mu    sync.Mutex
	wg    sync.WaitGroup
	ended bool
}

// cmd makes a command that is waited for, or does not start any more.
func (t *tasks) cmd(work func() tea.Msg) tea.Cmd {
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
		return work()
	}
}

// end waits for the commands that have started and lets no other one start.
func (t *tasks) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.wg.Wait()
}
