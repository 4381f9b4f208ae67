package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
)

var update = flag.Bool("update", false, "write docs/outcomes.md anew")

// TestOutcomesDocument keeps docs/outcomes.md equal to the tables in code.
func TestOutcomesDocument(t *testing.T) {
	const path = "../../docs/outcomes.md"
	want := outcomesDocument()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("go test ./cmd/revenant -run TestOutcomesDocument -update writes it anew (-code +document):\n%s", diff)
	}
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
