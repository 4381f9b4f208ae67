package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/watchers"
	"revenant/internal/golden"
)

// TestDocuments keeps the documents that the program prints equal to what it prints.
func TestDocuments(t *testing.T) {
	for name, want := range map[string]string{
		"docs/outcomes.md": outcomesDocument(),
		"docs/table.md":    tableDocument(),
		"docs/rollback.md": rollbackDocument(),
		"docs/runbook.md":  runbookDocument(t),
		"docs/onto.md":     ontoDocument(t),

		"docs/preflight.md": preflightDocument(t),

		"docs/tables.md":       tablesDocument(),
		"docs/fleet-trino.sql": trinoDocument(),
	} {
		path := filepath.Join(repository, name)
		golden.Equal(t, path, want)
	}
}

// TestSecurity wants every test that docs/security.md names to be there.
func TestSecurity(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	err = filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(source, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Errorf("%d tests are named", len(named))
	}
	for _, m := range named {
		if !there[m[1]] {
			t.Errorf("docs/security.md names %s, which there is not", m[1])
		}
	}
}

func tableDocument() string {
	var b strings.Builder
	b.WriteString("# The decision table\n\n")
	b.WriteString("Printed from `analyzer/restore`. Every pod of the two snapshots belongs to one row; what its kubelet does after the restore chooses\nthe case. Outcomes and flags are explained in [outcomes.md](outcomes.md), and what was observed stands in [claims.md](claims.md).\n")
	b.WriteString("*Heals* is what ends it: nothing but an operator (never), its kubelet relisting (relist), the next change of its status\n(statusChange), or nothing is needed (self). A question mark: only possible, and why.\n")
	rule := restore.Rule("")
	for _, d := range restore.Decisions() {
		if d.Rule != rule {
			rule = d.Rule
			fmt.Fprintf(&b, "\n## Rule %s\n", rule)
		}
		fmt.Fprintf(&b, "\n**Pods %s.**\n\n| its kubelet | outcome | severity | runs | the API shows | heals | flags |\n| --- | --- | --- | --- | --- | --- | --- |\n", d.Pods)
		for c, as := range d.Cases {
			if as.Outcome == "" {
				continue
			}
			var flags []string
			for _, f := range as.Flags {
				flags = append(flags, "`"+string(f)+"`")
			}
			doubt := ""
			if as.Doubt != "" {
				doubt = " ? " + as.Doubt
			}
			fmt.Fprintf(&b, "| %s | `%s`%s | %s | %s | %s | %s | %s |\n", restore.DecisionCases[c], as.Outcome, doubt, as.Severity, as.Runs, as.API, as.Heals, strings.Join(flags, " "))
		}
	}
	return b.String()
}

func rollbackDocument() string {
	var b strings.Builder
	b.WriteString("# What else goes back in time\n\n")
	b.WriteString("Printed from the table in `analyzer/rollback`. `revenant predict` lists what applies, each with its evidence. The ids are stable\nnames; severity and certainty are the usual ones, and the certainty is that of what is inferred.\n\n")
	b.WriteString("| finding | severity | certainty | what the snapshots show | what is inferred | what to do | source |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, i := range rollback.Infos {
		fmt.Fprintf(&b, "| `%s` | %s | %s | **%s.** %s | %s | %s | %s |\n", i.ID, i.Severity, i.Certainty, i.Title, i.Explains, i.Inferred, i.Remedy, i.Source)
	}
	b.WriteString("\n## What watches beside kubelets\n\n")
	b.WriteString("Everything that watches the API servers obeys the rule that kubelets obey, with its own last revision seen. What a snapshot has of it is\n" +
		"listed as `rollback.watchers`: DaemonSets, Deployments and StatefulSets, static pods and pods without a controller, by image, by\n" +
		"label, or (inferred) because RBAC lets their ServiceAccount watch. Known are these, restarted in this order; what is known by RBAC\n" +
		"alone comes last. The sources say that it watches, and what it makes of it; what it does while it hears nothing is inferred.\n\n")
	b.WriteString("| id | what | class | while it hears nothing | source |\n| --- | --- | --- | --- | --- |\n")
	for _, k := range watchers.Knowns() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s | %s |\n", k.ID, k.Title, k.Class, k.Stale, k.Source)
	}
	return b.String()
}

func outcomesDocument() string {
	var b strings.Builder
	b.WriteString("# Outcomes, flags and rules\n\n")
	b.WriteString("Printed from the tables in `analyzer/restore`. The ids are stable names.\n\n## Outcomes\n\n")
	b.WriteString("| outcome | severity | what it means | what to do |\n| --- | --- | --- | --- |\n")
	for _, o := range restore.Outcomes {
		fmt.Fprintf(&b, "| `%s` | %s | **%s.** %s | %s |\n", o.ID, o.Severity, o.Title, o.Explanation, o.Remedy)
	}
	b.WriteString("\nThe severity is the usual one; a pod's own may differ.\n\n## Flags\n\n| flag | what it adds |\n| --- | --- |\n")
	for _, f := range restore.Flags {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.ID, f.Explanation)
	}
	b.WriteString("\n## Rules\n\n| rule | pods | source of the behaviour |\n| --- | --- | --- |\n")
	for _, r := range restore.Rules {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.ID, r.Title, r.Source)
	}
	return b.String()
}
