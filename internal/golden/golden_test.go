package golden_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"revenant/internal/golden"
)

// judge is a test that is only written down, not failed.
type judge struct {
	testing.TB
	said string
	ends func() // what it does when it ends
}

func (j *judge) Cleanup(f func())                  { j.ends = f }
func (j *judge) Failed() bool                      { return false }
func (j *judge) Helper()                           {}
func (j *judge) Errorf(format string, args ...any) { j.said += fmt.Sprintf(format, args...) }
func (j *judge) Fatalf(format string, args ...any) { j.said += fmt.Sprintf(format, args...) }

func updating(t *testing.T, on bool) {
	t.Helper()
	if err := flag.Set("update", fmt.Sprint(on)); err != nil {
		t.Fatal(err)
	}
}

func TestEqual(t *testing.T) {
	defer updating(t, golden.Updating())
	path := filepath.Join(t.TempDir(), "below", "text.txt")
	updating(t, true)
	golden.Equal(t, path, "one\ntwo\n")
	updating(t, false)
	golden.Equal(t, path, "one\ntwo\n")
	j := &judge{TB: t}
	golden.Equal(j, path, "one\nthree\n")
	if !strings.Contains(j.said, "three") || !strings.Contains(j.said, path) {
		t.Errorf("another text: %q", j.said)
	}
	j = &judge{TB: t}
	golden.Equal(j, path+".gone", "one\n")
	if !strings.Contains(j.said, "-update writes it") {
		t.Errorf("no file: %q", j.said)
	}
}

func TestCases(t *testing.T) {
	defer updating(t, golden.Updating())
	path := filepath.Join(t.TempDir(), "cases.txtar")
	updating(t, true)
	t.Run("written", func(t *testing.T) {
		c := golden.Open(t, path)
		c.Equal(t, "second", "2") // the archive ends each with a line's end
		c.Equal(t, "first", "1\n")
		c.Equal(t, "nothing", "")
	})
	updating(t, false)
	if text, err := os.ReadFile(path); err != nil || string(text) != "-- first --\n1\n-- nothing --\n-- second --\n2\n" {
		t.Errorf("%q, %v", text, err)
	}
	c := golden.Open(t, path)
	c.Equal(t, "first", "1\n")
	c.Equal(t, "second", "2")
	c.Equal(t, "nothing", "")
	j := &judge{TB: t}
	golden.Open(j, path).Equal(j, "second", "2")
	j.ends()
	if !strings.Contains(j.said, `has "first", which is no case`) || strings.Contains(j.said, "second") {
		t.Errorf("cases that were not there: %q", j.said)
	}
	for name, got := range map[string]string{"first": "2\n", "third": "3\n"} {
		j := &judge{TB: t}
		c.Equal(j, name, got)
		if !strings.Contains(j.said, name) || !strings.Contains(j.said, path) {
			t.Errorf("%s with %q: %q", name, got, j.said)
		}
	}
}
