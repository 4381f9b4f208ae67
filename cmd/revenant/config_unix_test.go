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
		if err := configure(&tui.Options{}); !errors.Is(err, input.ErrSpecial) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v", err)
		}
	}
}
