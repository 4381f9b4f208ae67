//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"revenant/decoder/input"
	"revenant/tui"
)

// TestConfigureWaits waits for no file of the person's own.
func TestConfigureWaits(t *testing.T) {
	for _, name := range []string{themeFile, keysFile} {
		dir := t.TempDir()
		t.Setenv("XDG_CONFIG_HOME", dir)
		path := filepath.Join(dir, "revenant", name)
		if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		o := tui.Options{}
		if configure(&o); !strings.Contains(o.Notice, input.ErrSpecial.Error()) || !strings.Contains(o.Notice, path) {
			t.Errorf("notice %q", o.Notice)
		}
	}
}

// TestConfigureUnreadable: a file that is not what it should be does not keep the UI from
// starting, and the other one counts.
func TestConfigureUnreadable(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	if err := os.Mkdir(filepath.Join(dir, "revenant"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{themeFile: "dark: [", keysFile: "quit: [Q]"} {
		if err := os.WriteFile(filepath.Join(dir, "revenant", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := tui.Options{}
	if configure(&o); !strings.Contains(o.Notice, themeFile) || strings.Contains(o.Notice, keysFile) || o.Look != nil || len(o.Keys) != 1 {
		t.Errorf("notice %q, look %v, keys %v", o.Notice, o.Look, o.Keys)
	}
}
