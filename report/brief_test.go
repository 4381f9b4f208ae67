package report_test

import (
	"os/exec"
	"strings"
	"testing"

	"revenant/report"
)

// TestBrief: all that is no command is a comment of a shell.
func TestBrief(t *testing.T) {
	r := book()
	r.Brief = true
	r.Steps[0].Title = "Restore\nreboot"
	r.Summary.Does = "1 step\nreboot"
	var want, got []string
	for _, c := range r.Steps[0].Commands {
		want = append(want, strings.Split(c.Run, "\n")...)
	}
	lines := render(t, report.NewPrinter, r.Text)
	for _, line := range lines {
		if line != "" && !strings.HasPrefix(line, "# ") {
			got = append(got, line)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, not %q", got, want)
	}
	cmd := exec.Command("sh", "-n")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
