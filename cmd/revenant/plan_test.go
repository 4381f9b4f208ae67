package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"revenant/analyzer/runbook"
	"revenant/internal/corpus"
)

func runbookDocument(t *testing.T) string {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range []string{"backup", "current"} {
		if err := os.WriteFile(name+".db", corpus.Unpack(t, cluster("rows/plain/"+name)), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	b.WriteString("# The runbook\n\nWritten by the program: `revenant plan` on a pair that has a pod of every class.\n\n")
	b.WriteString("## Steps\n\nThe ids are stable names. A step that has nothing to do is left out; where kubelets are restarted to make them list, that comes before controllers start. Where the backup has master leases of machines that are gone, or nothing newer tells, `former-api-servers` comes after `start-etcd`; where it has alarms, `disarm` does, which wins space first. Whatever the prediction has that is critical has its step: `prepare` before anything is stopped, `set-right` before controllers and kubelets act on it, `repair` at the end; `findings` in the JSON names what each step is about. What watches beside kubelets is restarted by `restart-watchers`, where the bump may not be enough, after kubelets and controllers; under a bump that is enough `verify` says what lists again by itself. With `--onto` the steps are those of [onto.md](onto.md).\n\n")
	b.WriteString("| step | title | why |\n| --- | --- | --- |\n")
	for _, s := range planned(t, runbook.Kubeadm).Steps {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.ID, s.Title, s.Why)
	}
	b.WriteString("\n## Platforms\n\nWhat each platform's own restore does and leaves undone. What was inferred, and not read in its sources or documentation, says so.\n")
	for _, p := range runbook.Platforms() {
		choice := planned(t, p).Platform
		fmt.Fprintf(&b, "\n### `--platform %s`: %s\n\n", p, choice.Title)
		for _, n := range choice.Notes {
			inferred := ""
			if n.Inferred {
				inferred = " (inferred)"
			}
			fmt.Fprintf(&b, "- %s%s\n", n.Text, inferred)
		}
	}
	return b.String()
}

// planned is the runbook of backup.db and current.db here.
func planned(t *testing.T, p runbook.Platform) *runbook.Runbook {
	t.Helper()
	var out, errs bytes.Buffer
	args := []string{"plan", "backup.db", "current.db", "-o", "json", "--platform", string(p)}
	if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var r runbook.Runbook
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}
