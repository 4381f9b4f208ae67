package main

import (
	"bytes"
	"os"
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
	} {
		t.Run("revenant "+strings.Join(args, " "), func(t *testing.T) {
			if out := output(t, args); !strings.Contains(string(readme), out) {
				t.Errorf("README.md does not have this output:\n%s", out)
			}
		})
	}
}

// output runs revenant without a terminal, in a directory that holds the demo's
// backup.
func output(t *testing.T, args []string) string {
	t.Helper()
	backup, err := cluster("scenario-1/plain/backup")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("backup.db", backup, 0o400); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	return out.String()
}
