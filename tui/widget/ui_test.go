package widget

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

// TestTasks checks that no command starts after the end, and the end waits.
func TestTasks(t *testing.T) {
	var x Tasks
	started, finish, finished := make(chan bool), make(chan bool), false
	first := x.Cmd(func() tea.Msg { close(started); <-finish; finished = true; return "first" })
	go first()
	<-started
	go close(finish)
	x.End()
	if !finished {
		t.Error("the end does not wait")
	}
	if msg := x.Cmd(func() tea.Msg { return "second" })(); msg != nil {
		t.Errorf("a command starts after the end: %v", msg)
	}
}
