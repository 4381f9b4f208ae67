package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestPager: what is long is read in the pager that the person has, on a terminal only,
// and who leaves it early has seen enough.
func TestPager(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its pager is a script of the shell")
	}
	evidenceFiles(t)
	script := filepath.Join(t.TempDir(), "pager")
	seen := script + ".seen"
	for _, test := range []struct {
		name, args, script string
		tty                bool
		pager              string // instead of the script
		paged              bool
		code               int
	}{
		{name: "a list", args: "get backup.db deploy -n shop", tty: true, paged: true},
		{name: "no terminal", args: "get backup.db deploy -n shop"},
		{name: "what is not long", args: "config theme", tty: true},
		{name: "PAGER=cat", args: "get backup.db deploy -n shop", tty: true, pager: "cat"},
		{name: "no pager of that name", args: "get backup.db deploy -n shop", tty: true, pager: "none-of-that-name"},
		{name: "an error", args: "get none.db deploy", tty: true, code: exitFailed},
		{name: "left early", args: "timeline current.db -o jsonl", tty: true, script: "head -c 10 > \"$0.seen\"", paged: true},
		{name: "findings", args: "diff backup.db current.db deploy", tty: true, paged: true, code: exitFindings},
	} {
		t.Run(test.name, func(t *testing.T) {
			os.Remove(seen)
			if test.script == "" {
				test.script = "cat > \"$0.seen\""
			}
			if err := os.WriteFile(script, []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PAGER", script)
			if test.pager != "" {
				t.Setenv("PAGER", test.pager)
			}
			t.Setenv("TERM", "xterm")
			var out, errs bytes.Buffer
			s := streams{in: strings.NewReader(""), out: &out, err: &errs, outTTY: test.tty}
			end := withPager(strings.Fields(test.args), &s)
			code := run(t.Context(), strings.Fields(test.args), s)
			end()
			text, err := os.ReadFile(seen)
			if code != test.code || (err == nil) != test.paged || test.paged && (len(text) == 0 || out.Len() > 0) {
				t.Errorf("exit code %d, %s; the pager has %q, standard output %q", code, &errs, text, out.String())
			}
		})
	}
}
