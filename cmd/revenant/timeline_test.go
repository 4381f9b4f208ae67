package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

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
