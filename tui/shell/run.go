package shell

import (
	"context"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
)

// Options says what to show and where. Load is required.
type Options struct {
	// Load opens the evidence. ctx stops it, and it reports how far it is
	// through progress, with the role of the file: "backup" or "current", or "snapshot" alone. Hashing
	// may go on to tell so after Load has returned.
	Load func(ctx context.Context, progress func(snapshot.Progress, string)) (*session.Input, error)

	Input   io.Reader // nil is os.Stdin
	Output  io.Writer // nil is os.Stdout
	Environ []string  // nil is os.Environ()

	Screen string     // the screen to begin with, "" for the overview
	Notice string     // shown in the bottom line until the first key
	Look   *draw.Look // nil is DefaultLook
	Keys   keys.File  // other keys for some actions
	Plain  bool       // lines instead of screens: see plain.go
	Mouse  bool       // clicks count and the wheel scrolls; the terminal's own selection needs shift then
	// Outputs knows the evidence, which no file that is saved may reach; nil knows
	// none.
	Outputs *outfile.Guard
	// Resume, when set, is asked once what is remembered of the evidence with this
	// hash; nil is nothing.
	Resume func(hash string) *Memory
	// Release, when set, is given evidence in whose place another pair is shown. Nothing of
	// it is used then.
	Release func(*session.Input)
	// Remember, when set, is given what to remember when the person quits.
	Remember func(hash string, memory *Memory)

	size tea.WindowSizeMsg // of an Output that is no terminal
}

// Run shows the screens until the person quits. The error is Load's, or ctx's,
// or context.Canceled when the person quits before Load is done; then the
// terminal is as it was. Nothing of the evidence is used after Run has returned.
func Run(ctx context.Context, o Options) error {
	if o.Input == nil {
		o.Input = os.Stdin
	}
	if o.Output == nil {
		o.Output = os.Stdout
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Plain {
		return runPlain(ctx, o)
	}
	profile := colorprofile.Detect(o.Output, o.Environ)
	if draw.NoColor(o.Environ) {
		profile = min(profile, colorprofile.ASCII)
	}
	outer := ctx
	ctx, cancel := context.WithCancel(outer)
	m := newModel(ctx, profile, draw.GlyphsFor(o.Environ))
	if err := m.configure(o); err != nil { // of keys that stand for two things
		o.Keys, o.Notice = nil, "the default keys are used: "+err.Error()
		if err := m.configure(o); err != nil {
			cancel()
			return err
		}
	}
	p := tea.NewProgram(m,
		tea.WithContext(ctx), tea.WithoutSignalHandler(), // the caller's ctx ends on signals
		tea.WithInput(o.Input), tea.WithOutput(o.Output), tea.WithEnvironment(o.Environ),
		tea.WithColorProfile(profile), tea.WithWindowSize(o.size.Width, o.size.Height),
	)
	m.load = func() (*session.Input, error) {
		return o.Load(ctx, func(progress snapshot.Progress, role string) { p.Send(progressMsg{progress, role, 0}) })
	}
	m.tell = func(msg progressMsg) { p.Send(msg) }
	_, err := p.Run()
	cancel()
	m.Tasks.End()
	if hash := m.Hash(); o.Remember != nil && hash != "" {
		o.Remember(hash, m.memory())
	}
	switch {
	case m.err != nil:
		return m.err
	case outer.Err() != nil:
		return outer.Err()
	case err != nil:
		return fmt.Errorf("terminal: %w", err)
	case m.Input == nil:
		return context.Canceled
	}
	return nil
}

// configure takes over what the options say.
func (m *model) configure(o Options) (err error) {
	if m.Keymap, err = keys.Default.With(o.Keys); err != nil {
		return err
	}
	if o.Look != nil {
		m.look = *o.Look
		m.setTheme(true)
	}
	if o.Release != nil {
		m.release = o.Release
	}
	m.first = o.Screen
	m.mouse, m.resume, m.outputs, m.message = o.Mouse, o.Resume, o.Outputs, draw.Safe(o.Notice)
	return nil
}
