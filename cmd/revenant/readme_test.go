package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme wants the output in README.md to be what the program prints.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		nil,
		{"--bump-revision", "1000000000", "--mark-compacted"},
		{"inspect", "backup.db"},
		{"predict", "backup.db", "current.db", "--compare"},
		{"salvage", "data", "-o", "newest.db"},
	} {
		t.Run("revenant "+strings.Join(args, " "), func(t *testing.T) {
			if out := output(t, args); !strings.Contains(string(readme), out) {
				t.Errorf("README.md does not have this output:\n%s", out)
			}
		})
	}
}

// output runs revenant without a terminal, in a directory that holds the demo's
// two snapshots and the data directory of a member that was killed.
func output(t *testing.T, args []string) string {
	t.Helper()
	member, err := memberFiles("scenario-5/datadir-lagging")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for name, data := range member {
		files[filepath.Join("data", name)] = data
	}
	for _, name := range []string{"backup", "current"} {
		data, err := cluster("scenario-1/plain/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name+".db"] = data
	}
	t.Chdir(t.TempDir())
	for name, data := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, data, 0o400)); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	return out.String()
}
