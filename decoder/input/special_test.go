//go:build unix

package input

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSpecial waits for no named pipe, and reads the pipe of a process
// substitution, but not where evidence is meant.
func TestSpecial(t *testing.T) {
	named := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(named, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, is := range map[string]string{named: "a pipe", "/dev/null": "a device", "/dev/zero": "a device"} {
		for name, open := range map[string]func(string) (*os.File, error){"Open": Open, "OpenStream": OpenStream} {
			f, err := open(path)
			if err == nil {
				f.Close()
			}
			if !errors.Is(err, ErrSpecial) || !strings.Contains(err.Error(), is) {
				t.Errorf("%s %s: error %v", name, path, err)
			}
		}
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path := fmt.Sprintf("/dev/fd/%d", in.Fd())
	if _, err := Open(path); !errors.Is(err, ErrSpecial) {
		t.Errorf("error %v", err)
	}
	go func() {
		io.WriteString(out, "kind: Some")
		out.Close()
	}()
	if got, err := ReadConfig(path); err != nil || string(got) != "kind: Some" {
		t.Errorf("%q, %v", got, err)
	}
}
