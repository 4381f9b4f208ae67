package tui

import (
	"context"

	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/shell"
)

// What the caller hands over.
type (
	// Input is everything that the screens show.
	Input = session.Input
	// Source is a snapshot and what was read off it.
	Source = session.Source
	// Training is what the scenarios need.
	Training = session.Training
	// Series is more files than two, as one history.
	Series = session.Series
	// Runbook is what to type, in which order.
	Runbook = session.Runbook
	// Options says what to show and where.
	Options = shell.Options
	// Memory is what outlives the program.
	Memory = shell.Memory
)

// NoMember is the place of a member of a series that is not there.
const NoMember = session.NoMember

// Run shows the screens until the person quits. The error is Load's, or ctx's,
// or context.Canceled when the person quits before Load is done; then the
// terminal is as it was. Nothing of the evidence is used after Run has returned.
func Run(ctx context.Context, o Options) error { return shell.Run(ctx, o) }

// ParseLook reads a theme file, YAML. What it leaves out is as in the default look.
func ParseLook(file []byte) (draw.Look, error) { return draw.ParseLook(file) }

// DefaultTheme is a theme file with the default look.
func DefaultTheme() []byte { return draw.DefaultTheme() }

// ParseKeys reads a key map file, YAML. The error says which action does not exist, or
// which key would stand for two things in one place.
func ParseKeys(file []byte) (keys.File, error) { return keys.Parse(file) }

// DefaultKeyMap is a key map file with the default keys.
func DefaultKeyMap() []byte { return keys.DefaultFile() }
