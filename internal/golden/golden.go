// Package golden holds what tests find against files that people can read. With -update
// a test writes the file instead:
//
//	go test ./analyzer/restore -update
package golden

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the files that tests compare with")

// Updating says whether tests shall rewrite their files.
func Updating() bool { return *update }

// Equal fails the test where got is not what the file has. The path is relative to the
// directory of the package.
func Equal(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		write(t, path, []byte(got))
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: go test -update writes it", err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s has something else; go test -update rewrites it (-file +got):\n%s", path, diff)
	}
}

// Named is Equal for the file in testdata that has the name of the test.
func Named(t testing.TB, got string) {
	t.Helper()
	Equal(t, filepath.Join("testdata", filepath.FromSlash(t.Name())+".golden"), got)
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Cases are the texts of many cases in one file, a txtar archive. Its methods are safe for
// concurrent use.
type Cases struct {
	path string
	want map[string]string

	mu  sync.Mutex
	got []txtar.File
}

// Open reads the cases of a file. The test fails when it ends without some of them; with
// -update it writes the file then, in the order of the cases' names. Where only some of its
// subtests run, the others' cases stay.
func Open(t testing.TB, path string) *Cases {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatalf("%v: go test -update writes it", err)
	}
	c := &Cases{path: path, want: map[string]string{}}
	for _, f := range txtar.Parse(data).Files {
		c.want[f.Name] = string(f.Data)
	}
	t.Cleanup(func() {
		t.Helper()
		for name, text := range c.want {
			switch has := slices.ContainsFunc(c.got, func(f txtar.File) bool { return f.Name == name }); {
			case has || t.Failed():
			case some():
				c.got = append(c.got, txtar.File{Name: name, Data: []byte(text)})
			case !*update:
				t.Errorf("%s has %q, which is no case; go test -update rewrites it", path, name)
			}
		}
		if *update && !t.Failed() {
			slices.SortFunc(c.got, func(a, b txtar.File) int { return cmp.Compare(a.Name, b.Name) })
			write(t, path, txtar.Format(&txtar.Archive{Files: c.got}))
		}
	})
	return c
}

// some says whether flags choose among subtests.
func some() bool {
	run, skip := flag.Lookup("test.run").Value.String(), flag.Lookup("test.skip").Value.String()
	return strings.Contains(run, "/") || strings.Contains(skip, "/")
}

// Equal fails the test where got is not what the file has of the case.
func (c *Cases) Equal(t testing.TB, name, got string) {
	t.Helper()
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n" // as the archive has it
	}
	c.mu.Lock()
	c.got = append(c.got, txtar.File{Name: name, Data: []byte(got)})
	c.mu.Unlock()
	if diff := gocmp.Diff(c.want[name], got); diff != "" && !*update {
		t.Errorf("%s of %s is something else; go test -update rewrites it (-file +got):\n%s", name, c.path, diff)
	}
}
