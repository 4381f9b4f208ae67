package outfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

var anEntry = strings.Repeat("0f", 32) + ".index"

// TestCacheRefuses has directories in which nothing may be kept.
func TestCacheRefuses(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"evidence/backup.db", "linked/real.db", "data/member/snap/db", "data/member/wal/0.wal", "file"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, made := range []struct {
		dir  string
		mode fs.FileMode
	}{{"private", 0o700}, {"readable", 0o755}, {"shared", 0o770}, {"open", 0o777}} {
		if err := errors.Join(os.Mkdir(made.dir, 0o700), os.Chmod(made.dir, made.mode)); err != nil {
			t.Fatal(err)
		}
	}
	links := os.Symlink(filepath.Join("linked", "real.db"), "link.db") == nil && os.Symlink("evidence", "by-a-link") == nil
	tests := []struct {
		path string
		ok   bool
		unix bool // where modes and links are as there
	}{
		{"private", true, false},
		{"readable", true, false},
		{"new/below/it", true, false},
		{"evidence/below", true, false}, // as ~/.cache is below ~
		{"evidence", false, false},
		{"evidence/.", false, false},
		{"linked", false, true},
		{"by-a-link", false, true},
		{".", false, true}, // the link is in it
		{"data", false, false},
		{"data/member", false, false},
		{"data/new", false, false},
		{"shared", false, true},
		{"open", false, true},
		{"file", false, false},
		{"file/below", false, false},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			if test.unix && (runtime.GOOS == "windows" || !links) {
				t.Skip("it is for Unix")
			}
			g := &Guard{}
			for _, path := range []string{"evidence/backup.db", "link.db", "data"} {
				g.Evidence(path)
			}
			c, err := g.Cache(test.path)
			if (err == nil) != test.ok {
				t.Fatalf("%v, %v", c, err)
			}
			if err != nil {
				if _, err := os.Stat("data/new"); err == nil {
					t.Error("a directory was made")
				}
				return
			}
			if err := c.Write(t.Context(), anEntry, put("content")); err != nil {
				t.Fatal(err)
			}
			if got := read(t, c, anEntry); got != "content" {
				t.Errorf("read %q", got)
			}
			if info, err := os.Stat(filepath.Join(test.path, anEntry)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

func put(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func read(t *testing.T, c *Cache, name string) string {
	t.Helper()
	f, err := c.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestCacheEntries has entries that are whole, that nobody used for long, and that are
// none.
func TestCacheEntries(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c, err := (&Guard{}).Cache(dir)
	if err != nil {
		t.Fatal(err)
	}
	const old = 40 * 24 * time.Hour
	kept := []string{"notes.txt", strings.Repeat("1a", 32) + ".index", strings.Repeat("2b", 32) + ".index"}
	gone := []string{strings.Repeat("3c", 32) + ".index", ".revenant-0123456789abcdef"}
	for i, name := range append(kept, gone...) {
		path, at := filepath.Join(dir, name), time.Now().Add(-old)
		if i == 1 {
			at = time.Now().Add(-old / 2)
		}
		if err := errors.Join(os.WriteFile(path, []byte("text"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	read(t, c, kept[2]) // now it was used
	if err := c.Write(t.Context(), anEntry, put("first")); err != nil {
		t.Fatal(err)
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range gone {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	failed := errors.New("failed")
	if err := c.Write(t.Context(), anEntry, func(w io.Writer) error { return errors.Join(put("half")(w), failed) }); !errors.Is(err, failed) {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Write(ended, anEntry, put("late")); err == nil {
		t.Error("an entry was written after the end")
	}
	if got := read(t, c, anEntry); got != "first" {
		t.Errorf("the entry is %q", got)
	}
	if err := c.Write(t.Context(), "../"+anEntry, put("outside")); err == nil {
		t.Error("a file was written outside")
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(filepath.Join(dir, anEntry), 0o622); err != nil {
		t.Fatal(err)
	}
	if f, err := c.Open(anEntry); err == nil {
		f.Close()
		t.Error("an entry was read that others may write to")
	}
}
