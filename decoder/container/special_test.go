//go:build unix

package container

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestSpecial refuses what is no file, and waits for none.
func TestSpecial(t *testing.T) {
	dir := t.TempDir()
	at := func(elements ...string) string { return filepath.Join(append([]string{dir}, elements...)...) }
	pipe := func(path string) string {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe(at("pipe"))
	pipe(at("data", "member", "snap", "db"))
	pipe(at("member", "snap", "db"))
	pipe(at("snap", "db"))
	if err := os.Symlink(at("pipe"), at("link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"loop", "loops/member/snap/db"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(at(name)), 0o700), os.Symlink(filepath.Base(name), at(name))); err != nil {
			t.Fatal(err)
		}
	}
	// The name of a socket is short on some systems.
	t.Chdir(dir)
	socket, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	for _, test := range []struct {
		path, says string
		want       error
	}{
		{at("pipe"), "it is a pipe", ErrSpecial},
		{at("link"), "it is a pipe", ErrSpecial},
		{at("socket"), "it is a socket", ErrSpecial},
		{"/dev/zero", "it is a device", ErrSpecial},
		{"/dev/fd/" + strconv.Itoa(int(in.Fd())), "it is a pipe", ErrSpecial},
		{at("data"), "member/snap/db: is neither a file nor a directory: it is a pipe", ErrSpecial},
		{at("data", "member"), "snap/db: is neither", ErrSpecial},
		{at("data", "member", "snap"), "db: is neither", ErrSpecial},
		{at("loop"), "", syscall.ELOOP},
		{at("loops"), "", syscall.ELOOP},
	} {
		e, err := Open(t.Context(), test.path, Options{})
		if err == nil {
			e.Close()
		}
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v", test.path, err)
		}
	}
}

// TestBesideSpecial opens the snapshot of a directory that has a pipe as well.
func TestBesideSpecial(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a.db"), database(t), 0o600), syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.Symlink("nowhere", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Path != filepath.Join(dir, "a.db") {
		t.Errorf("path %s", e.Path)
	}
}

// TestLogIsNoDirectory does not read a member without its log as if it had none.
func TestLogIsNoDirectory(t *testing.T) {
	dir := t.TempDir()
	snap := filepath.Join(dir, "member", "snap")
	if err := errors.Join(os.MkdirAll(snap, 0o700), os.WriteFile(filepath.Join(snap, "db"), database(t), 0o600), syscall.Mkfifo(filepath.Join(dir, "member", "wal"), 0o600)); err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.WALDir != filepath.Join(dir, "member", "wal") {
		t.Errorf("log %q", e.WALDir)
	}
}
