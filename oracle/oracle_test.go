// Package oracle holds revenant's reader against etcd itself: etcdutl's library,
// etcd's own store and a whole server, on snapshots of real clusters and on
// fixtures of every kind. It is a module of its own so that revenant does not
// depend on etcd.
package oracle

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
	"revenant/oracle/fixture"
)

const testdata = "../testdata/"

// file is a snapshot under test; model is nil for one out of testdata.
type file struct {
	name, path string
	model      *fixture.Model
}

// files are all fixtures and all snapshots in testdata.
func files(t *testing.T) []file {
	t.Helper()
	var list []file
	for _, f := range fixture.Files(t, 2) {
		list = append(list, file{name: f.Name, path: f.Path, model: f.Model})
	}
	dir := t.TempDir()
	for _, path := range corpus.Snapshots(t, testdata) {
		name := strings.TrimSuffix(strings.TrimPrefix(path, testdata), ".gz")
		out := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		inflate(t, path, out)
		list = append(list, file{name: name, path: out})
	}
	return list
}

// inflate unpacks a file of testdata.
func inflate(t *testing.T, from, to string) {
	t.Helper()
	writeFile(t, to, bytes.NewReader(corpus.Unpack(t, from)))
}

// clone copies a file, for those who change it.
func clone(t *testing.T, path string) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	to := filepath.Join(t.TempDir(), "db")
	writeFile(t, to, in)
	return to
}

func writeFile(t *testing.T, path string, r io.Reader) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, r); err != nil {
		t.Fatal(err)
	}
}

// open opens a healthy snapshot with everything verified. The test fails when a
// problem was found in it by its end, or when the file is not as it was.
func open(t *testing.T, path string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, p := range s.Problems() {
			if p.Severity == snapshot.Damage {
				t.Errorf("problem in a healthy file: %v", p)
			}
		}
		if err := s.Unchanged(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
