package runbook

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/restore"
)

// TestNewestIsOfNow types the command that looks for what an earlier restore has left.
func TestNewestIsOfNow(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name  string
		make  func(dir string) error
		fails bool
	}{
		{name: "none", make: func(string) error { return nil }},
		{name: "of now", make: func(dir string) error { return os.WriteFile(dir+"/newest.db", nil, 0o600) }},
		{name: "a link of now to an old file", make: func(dir string) error {
			if err := os.WriteFile(dir+"/old.db", nil, 0o600); err != nil {
				return err
			}
			return os.Symlink("old.db", dir+"/newest.db")
		}},
		{name: "left by an earlier restore", fails: true, make: func(dir string) error {
			if err := os.WriteFile(dir+"/newest.db", nil, 0o600); err != nil {
				return err
			}
			return os.Chtimes(dir+"/newest.db", now, now.Add(-5*time.Hour))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.make(dir); err != nil {
				t.Fatal(err)
			}
			if tt.name == "a link of now to an old file" {
				if err := os.Chtimes(filepath.Join(dir, "old.db"), now, now.Add(-5*time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			b := &builder{profile: profileOf(Kubeadm), Input: Input{Backup: Side{Path: "backup.db"}}}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", b.ofNow().Run)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if (err != nil) != tt.fails || tt.fails && !strings.Contains(string(out), "touch -h newest.db") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestNewestIsNotBackup wants no backup to be compared with itself, whatever it is called.
func TestNewestIsNotBackup(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	in.Platform, in.Backup.Path = Kubeadm, "newest.db"
	in.Comparison = restore.Compare(in.Backup.State, in.Current.State)
	each(build(t, in), func(s *Step, c *Command) {
		for _, w := range c.Writes {
			if w == "newest.db" {
				t.Errorf("step %s: %s", s.ID, c.Run)
			}
		}
		if strings.Contains(c.Run, "newest.db newest.db") || strings.Contains(c.Run, "-e newest.db") {
			t.Errorf("step %s: %s", s.ID, c.Run)
		}
	})
}
