package session

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/objects"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/tui/widget"
)

// News to the screens.
type (
	// PredictionMsg says that the session's prediction, or refusal, is another.
	PredictionMsg struct{}
	// ChangedMsg says that something else of the session is another.
	ChangedMsg struct{}
	// AtMsg is a revision or a time, as it was typed.
	AtMsg string
)

// What screens ask the session for.
type (
	// AdoptMsg asks to take a plan over.
	AdoptMsg struct{ Plan restore.Plan }
	// RestartNodeMsg asks to change whether the plan restarts the kubelet of a node.
	RestartNodeMsg struct{ Node string }
	// PlatformMsg asks for the runbook of the next platform.
	PlatformMsg struct{}
	// MomentMsg asks for what is listed at another moment.
	MomentMsg struct{ Moment }
	// ListMsg asks for other objects.
	ListMsg struct {
		Moment
		Query objects.Query
	}
	// HistoryMsg asks for the history of a key, and to show it.
	HistoryMsg struct {
		Key    string
		At     string // revision to select, "" for none
		Opened bool   // at what it changed
		Carved bool   // with what was carved
	}
	// CarvedMsg asks for the same history with carved revisions, or without.
	CarvedMsg struct{}
)

// OpenMsg asks the shell to show other evidence. What is shown stays as it is meanwhile.
type OpenMsg struct {
	Load func(ctx context.Context, progress func(snapshot.Progress, string)) (*Input, error)
}

// AskMsg asks the shell to have something typed in.
type AskMsg struct{ Prompt *widget.Prompt }

// What one screen asks another for, by way of Visit.
type (
	// GoMsg asks the shell for a screen by its name, and to give it a message then.
	GoMsg struct {
		Screen string
		Then   tea.Msg
	}
	// PodsMsg asks the pods screen for those of a node, or of a workload.
	PodsMsg struct {
		Node     string
		Workload *restore.WorkloadOutcome // nil for those of the node
	}
	// LookAtMsg asks the objects screen for all objects at a moment, and to open one.
	LookAtMsg struct {
		Moment
		Key     string
		Reading View
		ToText  bool // at its YAML
	}
)

// View is what is shown of an opened object.
type View int

const (
	WholeObject View = iota // what it belongs to, its events and its YAML
	Versions                // what differs between two versions of it
	Description             // its description
)

// Visit makes the command that goes to a screen, and gives it a message there.
func Visit(screen string, then tea.Msg) tea.Cmd {
	return func() tea.Msg { return GoMsg{screen, then} }
}
