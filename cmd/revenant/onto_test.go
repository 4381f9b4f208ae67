package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/analyzer/ties"
	"revenant/internal/corpus"
)

// ontoDocument describes restores onto other machines.
func ontoDocument(t *testing.T) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("backup.db", corpus.Unpack(t, cluster("rows/plain/backup")), 0o400); err != nil {
		t.Fatal(err)
	}
	planned := func(p runbook.Platform) *runbook.Runbook {
		var out, errs bytes.Buffer
		args := []string{"plan", "backup.db", "--onto", string(restore.NewMachines), "-o", "json", "--platform", string(p)}
		if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
			t.Fatalf("exit code %d: %s", code, &errs)
		}
		var r runbook.Runbook
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		return &r
	}
	var b strings.Builder
	b.WriteString(`# Onto other machines

Written by the program. ` + "`revenant predict BACKUP --onto new-machines` and `revenant plan BACKUP --onto new-machines`" + ` are for a backup that
is restored onto machines of which none was a node of its cluster: after a disaster, as a copy for tests, or to move. Two snapshots
of different clusters are refused without it: a backup of one cluster is no earlier state of another.

All of it was read in the sources of Kubernetes and the documentation of others. No restore onto other machines was run, and nothing
said of one is certain. What is done to the backup before anything starts is executed by a test with the real etcd, etcdctl and
etcdutl.

CURRENT, which may be left out, is the newest state of the *old* cluster. It does not change what is said of the backup's pods. It tells
what the old cluster may still run, which must not go on beside the new one, adds the machines that came since, and shows what the backup
takes back. A state of some other cluster is refused.

Every command that calls an API names NEW_KUBECONFIG: a kubeconfig that is left from before leads to the old cluster, which takes the
same credentials.

`)
	b.WriteString("## What becomes of the pods\n\nEvery pod starts again, or not at all. The rule is `onto`, its rows are in [table.md](table.md), outcomes and flags are those of\n[outcomes.md](outcomes.md). No pod is said to run anywhere: a new machine that registers under the name of an old one takes its pods\nover, which is why the steps want other names.\n\n| pods | outcome | severity | the API shows | flags |\n| --- | --- | --- | --- | --- |\n")
	for _, d := range restore.Decisions() {
		if d.Rule != "onto" {
			continue
		}
		for _, as := range d.Cases {
			if as.Outcome != "" {
				fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %v |\n", strings.TrimPrefix(d.Pods, "of the backup, restored onto other machines, "), as.Outcome, as.Severity, as.API, as.Flags)
			}
		}
	}
	b.WriteString("\n## What binds a backup to its cluster\n\n`ties` in the JSON of a prediction. That the backup has it is certain, what comes of it is possible.\n\n| id | severity | what it is | what comes of it | what to do | source |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, i := range ties.Infos {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", i.ID, i.Severity, i.Title, i.Explains, i.Remedy, i.Source)
	}
	b.WriteString("\n## Steps\n\nThe ids are stable names. These are kubeadm's; where controllers cannot be held back, `start-controllers` is left out, and a warning says so.\n\n| step | title | why |\n| --- | --- | --- |\n")
	for _, s := range planned(runbook.Kubeadm).Steps {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.ID, s.Title, s.Why)
	}
	b.WriteString("\n## Platforms\n\nWhat has to come along, beside the backup.\n")
	for _, p := range runbook.Platforms() {
		r := planned(p)
		fmt.Fprintf(&b, "\n### `--platform %s`: %s\n\n", p, r.Platform.Title)
		for _, s := range r.Steps {
			if s.ID == "bring-along" {
				for _, check := range s.Checks {
					fmt.Fprintf(&b, "- %s\n", check)
				}
			}
		}
	}
	return b.String()
}
