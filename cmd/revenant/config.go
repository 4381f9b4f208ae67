package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"revenant/decoder/input"
	"revenant/decoder/sanitize"
	"revenant/internal/outfile"
	"revenant/report"
	"revenant/tui"
)

// The files of a person's own.
const (
	themeFile = "theme.yaml"
	keysFile  = "keys.yaml"
	stateDir  = "ui" // below the state directory: one file for each pair of evidence
)

// userDir is a directory of the person's for revenant: that of the XDG base
// directory specification where its variable is set, else fallback's.
func userDir(variable string, fallback func() (string, error)) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) { // relative ones are to be ignored
		return filepath.Join(dir, "revenant"), nil
	}
	dir, err := fallback()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "revenant"), nil
}

func configDir() (string, error) { return userDir("XDG_CONFIG_HOME", os.UserConfigDir) }

func stateHome() (string, error) {
	return userDir("XDG_STATE_HOME", func() (string, error) {
		home, err := os.UserHomeDir()
		return filepath.Join(home, ".local", "state"), err
	})
}

// configPaths are the files of the person's own that the program reads.
func configPaths() (paths []string) {
	if dir, err := configDir(); err == nil {
		for _, name := range []string{themeFile, keysFile} {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}

// readConfig reads one of the files, nil when it is not there.
func readConfig(name string) ([]byte, string, error) {
	dir, err := configDir()
	if err != nil {
		return nil, "", nil // a person without a home has no configuration
	}
	path := filepath.Join(dir, name)
	text, err := input.ReadConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, nil
	}
	return text, path, err
}

// configure takes over the theme and the keys of the person's own. Where a file cannot be
// read, the defaults stand in for it, and a notice says so.
func configure(o *tui.Options) {
	var notices []string
	for _, f := range []struct {
		file string
		read func(text []byte) error
		hint string
	}{
		{themeFile, func(text []byte) error {
			look, err := tui.ParseLook(text)
			if err == nil {
				o.Look = &look
			}
			return err
		}, "revenant config theme prints the default"},
		{keysFile, func(text []byte) error {
			keys, err := tui.ParseKeys(text)
			if err == nil {
				o.Keys = keys
			}
			return err
		}, "revenant config keys prints the default"},
	} {
		text, path, err := readConfig(f.file)
		if err == nil && text != nil {
			if err = f.read(text); err != nil {
				err = fmt.Errorf("read %s: %w (%s)", path, err, f.hint)
			}
		}
		if err != nil {
			notices = append(notices, "the default is used: "+err.Error())
		}
	}
	o.Notice = strings.Join(notices, "; ")
}

// statePath is where what is remembered of evidence with a hash is kept.
func statePath(hash string) (string, error) {
	dir, err := stateHome()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, stateDir, hash+".json"), nil
}

// recall reads what is remembered, nil for nothing. What cannot be read is as good
// as nothing.
func recall(hash string) *tui.Memory {
	path, err := statePath(hash)
	if err != nil {
		return nil
	}
	text, err := input.ReadSmall(path)
	if err != nil {
		return nil
	}
	var m tui.Memory
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	return &m
}

// remember keeps it for the person alone. That it cannot is no reason to fail:
// nothing of the work is lost by it.
func remember(guard *outfile.Guard, hash string, m *tui.Memory) {
	path, err := statePath(hash)
	if err != nil {
		return
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil || guard.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	if place, err := guard.Place(path, outfile.Name); err == nil {
		_ = place.Write(context.Background(), 0o600, func(w io.Writer) error {
			_, err := w.Write(append(text, '\n'))
			return err
		})
	}
}

// configOptions are those of `revenant config`, which has no flags.
type configOptions struct{ streams streams }

func newConfig(s streams, f runFunc) *cobra.Command {
	return &cobra.Command{
		Use:   "config [theme|keys]",
		Short: "Print the default theme and keys of the terminal UI",
		Long: `Print the configuration files of the terminal UI with their defaults: theme.yaml has
the colours for dark and for light backgrounds, keys.yaml the keys for every action.
They are read from $XDG_CONFIG_HOME/revenant, or where the system keeps
configuration; what they leave out is as here.`,
		Example: `  revenant config                                             # both, and where they belong
  mkdir -p ~/.config/revenant && revenant config keys > ~/.config/revenant/keys.yaml`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"theme", "keys"},
		RunE:      f.of(&configOptions{s}),
	}
}

func (o *configOptions) run(_ context.Context, args []string) error {
	p := report.NewPrinter(o.streams.out)
	files := []struct {
		name, file string
		text       []byte
	}{{"theme", themeFile, tui.DefaultTheme()}, {"keys", keysFile, tui.DefaultKeyMap()}}
	for i, f := range files {
		if len(args) == 1 {
			if args[0] == f.name {
				_, err := o.streams.out.Write(f.text)
				return err
			}
			continue
		}
		if i > 0 {
			p.Line("")
		}
		dir, err := configDir()
		if err != nil {
			dir = "(no directory: " + err.Error() + ")"
		}
		p.Line("# %s", sanitize.Line(filepath.Join(dir, f.file)))
		for line := range strings.Lines(string(f.text)) {
			p.Line("%s", strings.TrimSuffix(line, "\n"))
		}
	}
	return p.Flush()
}
