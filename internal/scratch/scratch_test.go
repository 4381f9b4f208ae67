package scratch

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRemoveAll leaves nothing behind but what was finished, and lets nothing be
// made after it.
func TestRemoveAll(t *testing.T) {
	base := t.TempDir()
	dir := func() string {
		d, err := Dir(base, "dir-")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return d
	}
	file := func(name string) func() {
		path := filepath.Join(base, name)
		release, err := Hold(func() error { return os.Remove(path) })
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return release
	}
	removed := dir()
	if err := Remove(removed); err != nil {
		t.Error(err)
	}
	dir()
	file("part")
	file("finished")()
	RemoveAll()
	if left, err := os.ReadDir(base); err != nil || len(left) != 1 || left[0].Name() != "finished" {
		t.Errorf("left are %v, %v", left, err)
	}
	if _, err := Dir(base, ""); err == nil {
		t.Error("a directory was made while the process ends")
	}
	if _, err := Hold(func() error { return nil }); err == nil {
		t.Error("something is held while the process ends")
	}
}
