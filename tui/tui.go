package tui

import (
	"context"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/tui/draw"
	"revenant/tui/keys"
)

// Input is everything that the screens show.
type Input struct {
	Tool            string // name and version, such as "revenant 1.2.0"
	Backup, Current Side
	Plan            restore.Plan     // to begin with
	Prefix          string           // of the API server's keys, such as /registry
	Lineage         *lineage.Lineage // of the two; nil when they were not compared
	Metrics         *restore.Metrics // from before the outage; nil for none
	Warnings        []string         // of the caller's, shown with those of the prediction
	// Runbook writes the runbook of a plan, nil for the recommended one, for one of
	// Platforms, of which the first is the one to begin with. Nil when there is none.
	Runbook   func(ctx context.Context, plan *restore.Plan, platform string) (Runbook, error)
	Platforms []string
	Carved    bool // histories and the timeline begin with what is carved
}

// Side is one of the two snapshots and what was read off it. Neither is changed.
type Side struct {
	Snapshot *snapshot.Snapshot
	State    *restore.State
}

// Options says what to show and where. Load is required.
type Options struct {
	// Load opens the evidence. It is told to stop by ctx, and tells how far it is
	// through progress, with the role of the file: "backup" or "current". Hashing
	// may go on to tell so after Load has returned.
	Load func(ctx context.Context, progress func(snapshot.Progress, string)) (*Input, error)

	Input   io.Reader // nil is os.Stdin
	Output  io.Writer // nil is os.Stdout
	Environ []string  // nil is os.Environ()

	Notice string     // shown in the bottom line until the first key
	Look   *draw.Look // nil is DefaultLook
	Keys   keys.File  // other keys for some actions
	Plain  bool       // lines instead of screens: see plain.go
	Mouse  bool       // the wheel scrolls; the terminal's own selection needs shift then
	// Outputs knows the evidence, which no file that is saved may reach; nil knows
	// none.
	Outputs *outfile.Guard
	// Resume, when set, is asked once what is remembered of the evidence with this
	// hash; nil is nothing.
	Resume func(hash string) *Memory
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
	m.load = func() (*Input, error) {
		return o.Load(ctx, func(progress snapshot.Progress, role string) { p.Send(progressMsg{progress, role}) })
	}
	_, err := p.Run()
	cancel()
	m.Tasks.End()
	if hash := m.hash(); o.Remember != nil && hash != "" {
		o.Remember(hash, m.memory())
	}
	switch {
	case m.err != nil:
		return m.err
	case outer.Err() != nil:
		return outer.Err()
	case err != nil:
		return fmt.Errorf("terminal: %w", err)
	case m.input == nil:
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
	m.mouse, m.resume, m.outputs, m.message = o.Mouse, o.Resume, o.Outputs, draw.Safe(o.Notice)
	return nil
}

// ParseLook reads a theme file, YAML. What it leaves out is as in the default look.
func ParseLook(file []byte) (draw.Look, error) { return draw.ParseLook(file) }

// DefaultTheme is a theme file with the default look.
func DefaultTheme() []byte { return draw.DefaultTheme() }

// ParseKeys reads a key map file, YAML. The error says which action does not exist, or
// which key would stand for two things in one place.
func ParseKeys(file []byte) (keys.File, error) { return keys.Parse(file) }

// DefaultKeyMap is a key map file with the default keys.
func DefaultKeyMap() []byte { return keys.DefaultFile() }
