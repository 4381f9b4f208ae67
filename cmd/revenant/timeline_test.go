package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

// TestSheetCell wants no cell that a spreadsheet computes, and none that is more than a line.
func TestSheetCell(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"web":               "web",
		"a=b":               "a=b",
		"=HYPERLINK(\"x\")": "'=HYPERLINK(\"x\")",
		"+1":                "'+1",
		"-1":                "'-1",
		"@SUM(A1)":          "'@SUM(A1)",
		"a\x1b[31m\nb":      "a\uFFFD[31m\uFFFDb",
		"\t=1":              "\uFFFD=1",
	} {
		if got := sheetCell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// stopping cancels at what is written first, and keeps it.
type stopping struct {
	bytes.Buffer
	stop func()
}

func (s *stopping) Write(p []byte) (int, error) {
	s.stop()
	return s.Buffer.Write(p)
}

// TestInterruptedLists interrupts commands that write as they read: what was written is
// whole lines, or whole objects, and no file is left.
func TestInterruptedLists(t *testing.T) {
	evidenceFiles(t)
	for _, args := range [][]string{
		{"diff", "backup.db", "current.db", "-o", "text", "-o", "json=left"},
		{"timeline", "current.db", "-o", "jsonl", "-o", "csv=left"},
		{"describe", "current.db", "pods"},
	} {
		t.Run(args[0], func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			out := &stopping{stop: cancel}
			var errs bytes.Buffer
			if code := run(ctx, args, streams{in: strings.NewReader(""), out: out, err: &errs}); code != exitFailed || errs.String() != "revenant: interrupted\n" {
				t.Errorf("exit code %d: %s", code, &errs)
			}
			if text := out.String(); !strings.HasSuffix(text, "\n") {
				t.Errorf("it ends with %q", text[max(0, len(text)-100):])
			}
			if _, err := os.Stat("left"); err == nil {
				t.Error("a file is left")
			}
		})
	}
}
