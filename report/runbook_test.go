package report_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/report"
)

// book is a runbook with commands of every shape and text that wants to be markup.
func book() *report.Runbook {
	return &report.Runbook{Runbook: &runbook.Runbook{
		Kind:     "Runbook",
		Evidence: []restore.Evidence{{Role: "backup", Path: "a`b\x1b[2J.db", Revision: 1234}},
		Platform: runbook.PlatformChoice{ID: runbook.Generic, Title: "generic", Notes: []runbook.Note{{Text: "known"}, {Text: "guessed", Inferred: true}}},
		Bump:     runbook.Bump{Revision: 5, Restored: 1239, Minimum: 3, IsLowerBound: true, Reason: "Because."},
		Warnings: []string{"<script>alert(1)</script> *bold* [link](http://example.com) # title"},
		Steps: []runbook.Step{{
			ID: "restore", Title: "Restore", Why: strings.Repeat("It has to be long enough to be broken. ", 5),
			Commands: []runbook.Command{
				{Run: "one " + strings.Repeat("--long-flag=value ", 12) + "end", Where: "node-1", Comment: strings.Repeat("a long comment ", 12)},
				{Run: "two \\\n    --more", Where: "node-1"},
				{Run: "echo '```'", Where: "node-2"},
			},
			Checks:   []string{"the flag --initial-advertise-peer-urls is there, " + strings.Repeat("and ", 20) + "--bump-revision too"},
			Warnings: []string{"beware"},
		}},
		Unknowns: []string{"much"},
	}}
}

func render(t *testing.T, on func(io.Writer) *report.Printer, write func(*report.Printer)) []string {
	t.Helper()
	var b bytes.Buffer
	p := on(&b)
	write(p)
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(b.String(), 0x1b) {
		t.Error("an escape sequence came through")
	}
	return strings.Split(b.String(), "\n")
}

// TestRunbookText wants commands whole on their lines, and nothing else wide or
// broken inside a word.
func TestRunbookText(t *testing.T) {
	r := book()
	lines := render(t, report.NewPrinter, r.Text)
	var commands []string
	for _, c := range r.Steps[0].Commands {
		commands = append(commands, strings.Split(c.Run, "\n")...)
	}
	for _, c := range commands {
		if !slices.Contains(lines, "     "+c) {
			t.Errorf("no line with the command %q", c)
		}
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > 100 && !slices.Contains(commands, strings.TrimPrefix(line, "     ")) {
			t.Errorf("too wide: %q", line)
		}
		if strings.Contains(line, "a long comment") && !strings.HasPrefix(line, "     # ") {
			t.Errorf("could be taken for a command: %q", line)
		}
	}
	if all := strings.Join(lines, "\n"); !strings.Contains(all, "--initial-advertise-peer-urls") || !strings.Contains(all, "--bump-revision") {
		t.Error("a flag was broken")
	}
}

// TestRunbookMarkdown wants commands whole between fences that they cannot close,
// and text that is only text.
func TestRunbookMarkdown(t *testing.T) {
	r := book()
	lines := render(t, report.NewMarkdown, r.Page)
	var code []string
	fence := ""
	for _, line := range lines {
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence = strings.TrimSuffix(line, "sh")
		case fence == line && fence != "":
			fence = ""
		case fence != "":
			code = append(code, line)
		case strings.Contains(line, "script") && line != `> **Warning:** \<script\>alert(1)\</script\> \*bold\* \[link\](http\://example.com) \# title`:
			t.Errorf("markup came through: %s", line)
		}
	}
	if fence != "" {
		t.Error("a fence is not closed")
	}
	var want []string
	for _, c := range r.Steps[0].Commands {
		want = append(want, strings.Split(c.Run, "\n")...)
	}
	if !slices.Equal(want, code) {
		t.Errorf("code is %q, want %q", code, want)
	}
}
