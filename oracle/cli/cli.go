// Package cli builds revenant, and has it write documents, for the tests in directories
// beside this one.
package cli

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"revenant/internal/corpus"
)

// Build builds revenant in a directory, and returns its path.
func Build(dir string) (path string, err error) {
	path = filepath.Join(dir, "revenant")
	build := exec.Command("go", "build", "-o", path, "./cmd/revenant")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build revenant: %w\n%s", err, out)
	}
	return path, nil
}

// Main is what a TestMain does with a directory that is there until the tests are run: run
// prepares them in it, runs them and returns their exit code.
func Main(run func(dir string) (code int, err error)) {
	dir, err := os.MkdirTemp("", "revenant")
	if err != nil {
		log.Fatal(err)
	}
	code, err := run(dir)
	if err != nil {
		log.Print(err)
		code = 1
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// Write has the program write a document in a format, and returns where it is. The exit code
// may be that of a finding.
func Write(t testing.TB, program, format string, args ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "document."+format)
	out, err := exec.Command(program, append(args, "-o", format+"="+path)...).CombinedOutput()
	if _, statErr := os.Stat(path); statErr != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
	return path
}

// Pair writes two snapshots of a real cluster to a directory: backup.db and current.db.
func Pair(t testing.TB, dir string) (backup, current string) {
	t.Helper()
	var paths [2]string
	for i, name := range []string{"backup.db", "current.db"} {
		paths[i] = filepath.Join(dir, name)
		if err := os.WriteFile(paths[i], corpus.Unpack(t, "../../testdata/clusters/scenario-1/plain/"+name+".gz"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	return paths[0], paths[1]
}
