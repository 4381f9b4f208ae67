package report_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/runbook"
	"revenant/report"
)

// TestPrinterIsBounded writes what is much longer than can be shown in every way there is.
func TestPrinterIsBounded(t *testing.T) {
	for name, long := range map[string]string{
		"no blank":  strings.Repeat("a", 1<<20),
		"blanks":    strings.Repeat("a ", 1<<19),
		"marks":     "e" + strings.Repeat("\u0301", 1<<19),
		"wide":      strings.Repeat("名", 1<<18),
		"no UTF-8":  strings.Repeat("\xff", 1<<20),
		"of markup": strings.Repeat("*", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			for what, write := range map[string]struct {
				do   func(*report.Printer)
				most int
			}{
				"a line":      {func(p *report.Printer) { p.Line("%s: %s", long, long) }, 3 * 8 << 10},
				"a field":     {func(p *report.Printer) { p.Field("name", long) }, 3*4<<10 + 100},
				"a paragraph": {func(p *report.Printer) { p.Wrapped("  ", 100, long) }, 3*32<<10 + 100},
				"a table": {func(p *report.Printer) {
					p.Table([]string{"A", "B", "C"}, [][]string{{long, long, long}, {"a", "b", "c"}}, nil)
				}, 3 * 4 << 10},
			} {
				for _, line := range render(t, report.NewPrinter, write.do) {
					if len(line) > write.most {
						t.Errorf("%s: a line of %d bytes", what, len(line))
					}
					if what == "a table" && strings.HasPrefix(line, "A ") && ansi.StringWidth(line) > 2*(256+2)+1 {
						t.Errorf("a table: %d columns", ansi.StringWidth(line))
					}
				}
			}
			r := book()
			r.Warnings, r.Unknowns, r.Platform.Title = []string{long}, []string{long}, long
			r.Steps = append(r.Steps, runbook.Step{Title: long, Why: long, Commands: []runbook.Command{{Run: "x", Where: long, Comment: long}}, Checks: []string{long}, Warnings: []string{long}})
			for _, line := range append(render(t, report.NewPrinter, r.Text), render(t, report.NewMarkdown, r.Page)...) {
				if len(line) > 3*32<<10+100 {
					t.Errorf("a runbook: a line of %d bytes", len(line))
				}
			}
		})
	}
}

// TestCommandsAreWhole has commands that are long, and one that is all fences.
func TestCommandsAreWhole(t *testing.T) {
	r := book()
	long := "one " + strings.Repeat("--long-flag=value ", 20_000) + "end"
	fences := "two '" + strings.Repeat("`", 1<<20) + "'"
	r.Steps[0].Commands = []runbook.Command{{Run: long, Where: "node-1"}, {Run: fences, Where: "node-1"}}
	markdown := strings.Join(render(t, report.NewMarkdown, r.Page), "\n")
	for name, text := range map[string]string{"text": strings.Join(render(t, report.NewPrinter, r.Text), "\n"), "markdown": markdown} {
		if !strings.Contains(text, long+"\n") || !strings.Contains(text, fences+"\n") {
			t.Errorf("%s: a command is not whole", name)
		}
	}
	fence := strings.Repeat("`", 1<<20+1)
	if !strings.Contains(markdown, "\n"+fence+"sh\n"+fences+"\n"+fence+"\n") {
		t.Error("the fence does not hold")
	}
}
