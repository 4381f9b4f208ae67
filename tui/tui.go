package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
)

// Side is one of the two snapshots.
type Side struct {
	Snapshot *snapshot.Snapshot
	State    *restore.State
}

// Input is what the screens show.
type Input struct {
	Tool     string // name and version of the program
	Backup   Side
	Current  Side
	Plan     restore.Plan
	Warnings []string
}

// Options says how to run.
type Options struct {
	// Load opens the snapshots. It runs while the screen shows how far it is,
	// and its context ends when the person gives up.
	Load func(ctx context.Context, progress func(p snapshot.Progress, file string)) (*Input, error)

	// Input and Output are the terminal; nil is the process's own.
	Input  io.Reader
	Output io.Writer
	// Environ is the environment that decides on colours; nil is the process's.
	Environ []string
}

// ErrCancelled says that the person quit before the snapshots were open.
var ErrCancelled = errors.New("cancelled while the snapshots were being opened")

// Run shows the screens until the person quits. The error is Load's, ErrCancelled,
// or the terminal's.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	m := newModel(ctx, o)
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithEnvironment(o.Environ)}
	if o.Input != nil {
		options = append(options, tea.WithInput(o.Input))
	}
	if o.Output != nil {
		options = append(options, tea.WithOutput(o.Output))
	}
	if noColor(o.Environ) {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	p := tea.NewProgram(m, options...)
	m.send = p.Send
	_, err := p.Run()
	cancel()
	if m.loading.Load() {
		<-m.loaded // Load may still be using what it opened
	}
	switch {
	case !m.loading.Load() && err != nil:
		return err // the terminal could not be had
	case m.loadErr != nil && !errors.Is(m.loadErr, context.Canceled):
		return m.loadErr
	case m.session.in == nil:
		return ErrCancelled
	case errors.Is(err, tea.ErrInterrupted), errors.Is(err, context.Canceled):
		return nil
	}
	return err
}

// noColor says whether NO_COLOR is set to anything but the empty string
// (https://no-color.org). Libraries read it as a boolean.
func noColor(environ []string) bool {
	return slices.ContainsFunc(environ, func(e string) bool {
		value, ok := strings.CutPrefix(e, "NO_COLOR=")
		return ok && value != ""
	})
}
