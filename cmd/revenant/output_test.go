package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"revenant/report"
)

// TestInterruptedWrite wants nothing written, and nothing half written left, once
// the command was interrupted.
func TestInterruptedWrite(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, format := range []string{"json", "yaml", "table"} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			var out bytes.Buffer
			doc := &report.Inspection{Kind: "Inspection", Evidence: []report.InspectedEvidence{{}}}
			for _, file := range []string{"", filepath.Join(dir, "document")} {
				if err := write(ctx, []target{{format: format, file: file}}, streams{out: &out}, doc); !errors.Is(err, context.Canceled) {
					t.Errorf("to %q: err = %v", file, err)
				}
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 || out.Len() > 0 {
				t.Errorf("left %v (err %v), written %q", left, err, &out)
			}
		})
	}
}
