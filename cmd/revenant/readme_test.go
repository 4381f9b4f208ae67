package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"revenant/internal/corpus"
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

// output runs revenant without a terminal, beside some evidence.
func output(t *testing.T, args []string) string {
	t.Helper()
	evidenceFiles(t)
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	return out.String()
}

// evidenceFiles goes to a directory with the demo's two snapshots, one that is
// damaged, one without members, the data directory of a member that was killed, and
// what a node without pods says.
func evidenceFiles(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, data := range corpus.Files(t, memberArchive("scenario-5/datadir-lagging")) {
		writeEvidence(t, filepath.Join("data", filepath.FromSlash(name)), data)
	}
	for name, path := range map[string]string{
		"backup.db": "clusters/scenario-1/plain/backup", "current.db": "clusters/scenario-1/plain/current", "no-members.db": "mvcc/compacted",
	} {
		data := corpus.Unpack(t, filepath.Join(repository, "testdata", path+".db.gz"))
		writeEvidence(t, name, data)
		if name == "current.db" {
			writeEvidence(t, "damaged.db", data[:len(data)-4128])
		}
	}
	writeEvidence(t, "policy.yaml", []byte("limits: {maxAge: 25h}\nchecks:\n  age: {unknown: fail}\n  etcd-version: {unknown: ignore}\n"))
	writeEvidence(t, "pods.json", []byte(`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}`))
}

func writeEvidence(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, data, 0o400)); err != nil {
		t.Fatal(err)
	}
}
