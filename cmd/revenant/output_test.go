package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"revenant/internal/outfile"
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
			place, err := new(outfile.Guard).Place(filepath.Join(dir, "document"), outfile.Follow)
			if err != nil {
				t.Fatal(err)
			}
			for _, to := range []*outfile.Place{nil, place} {
				if err := write(ctx, []target{{format: format, place: to}}, streams{out: &out}, doc); !errors.Is(err, context.Canceled) {
					t.Errorf("to %v: err = %v", to, err)
				}
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 || out.Len() > 0 {
				t.Errorf("left %v (err %v), written %q", left, err, &out)
			}
		})
	}
}
