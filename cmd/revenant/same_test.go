package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/internal/clustertest"
)

// sameLines are commands of every kind that read evidence; damaged.db is a snapshot
// some pages of which are zeros.
var sameLines = []string{
	"inspect current.db --hash --hashkv", "inspect current.db -o json", "inspect backup.db current.db damaged.db",
	"predict backup.db current.db -o json", "backup.db current.db", "plan backup.db current.db", "preflight backup.db current.db --at-time 2026-11-29T00:00:00Z -o json",
	"get current.db pods -A -o wide", "describe current.db nodes", "extract current.db nodes",
	"history current.db nodes n1", "who current.db nodes n1", "search current.db n1", "diff backup.db current.db", "timeline current.db -o csv",
	"timeline backup.db current.db damaged.db", "storage current.db -o json", "carve current.db -o json", "inspect damaged.db -o json",
}

// samePair writes the evidence of sameLines to the working directory.
func samePair(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	c, err := clustertest.New(clustertest.Options{Seed: 3, Pods: 80, Nodes: 20, Revisions: 5000})
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(c.Current)
	for page := 40 * 4096; page < len(damaged); page += 40 * 4096 {
		clear(damaged[page:min(page+4096, len(damaged))])
	}
	for name, data := range map[string][]byte{"backup.db": c.Backup, "current.db": c.Current, "damaged.db": damaged} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// saidBy is all that a command says, and its exit code.
func saidBy(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs})
	if code == exitFailed {
		t.Errorf("%q: %s", args, &errs)
	}
	return fmt.Sprintf("%s\n%s\nexit code %d", &out, &errs, code)
}

// TestSameWithWorkers runs commands on 1, 2, 3 and 16 processors: the index, the hash of
// the status, the problems and the prediction are the same, as is all else.
func TestSameWithWorkers(t *testing.T) {
	samePair(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, line := range sameLines {
		want := ""
		for _, n := range []int{1, 2, 3, 16} {
			runtime.GOMAXPROCS(n)
			got := saidBy(t, strings.Fields(line)...)
			if n == 1 {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: -1 +%d processors:\n%s", line, n, diff)
			}
		}
	}
}

// TestSameWithCache runs commands without a cache, with an empty one and with one that
// they have filled.
func TestSameWithCache(t *testing.T) {
	samePair(t)
	for i, line := range sameLines {
		want := saidBy(t, strings.Fields(line)...)
		if strings.Contains(line, "inspect damaged.db") && !strings.Contains(want, "exit code 3") {
			t.Errorf("%s: it is not damaged", line)
		}
		for _, which := range []string{"empty", "filled"} {
			got := saidBy(t, append(strings.Fields(line), fmt.Sprintf("--cache=cache/%d", i))...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: -without +with a cache that is %s:\n%s", line, which, diff)
			}
		}
		entries := 0
		for _, name := range []string{"backup.db", "current.db"} {
			if strings.Contains(line, name) {
				entries++
			}
		}
		if list, err := os.ReadDir(fmt.Sprintf("cache/%d", i)); err != nil || len(list) != entries {
			t.Errorf("%s: entries %v, %v; want %d", line, list, err, entries)
		}
	}
}
