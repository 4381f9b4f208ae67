package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"revenant/decoder/snapshot/snapshottest"
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

// TestSeriesInOrder lists the revisions of several files: what was carved from one of them
// comes among those of another, and so does what only a later copy had not compacted.
func TestSeriesInOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	store := func(name string, revisions int, compacted int64) {
		changes := []snapshottest.Change{snapshottest.Put("/registry/namespaces/kube-system", `{"metadata":{"uid":"cluster"}}`)}
		for i := range revisions {
			key := fmt.Sprintf("/registry/configmaps/a/%d", i%3)
			changes = append(changes, snapshottest.Put(key, fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%d"},"data":{"n":"%d","x":%q}}`, i%3, i, strings.Repeat("x", 200))))
		}
		if err := os.WriteFile(name, snapshottest.Compact(t, snapshottest.Bytes(t, changes...), compacted), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store("1.db", 300, 150)
	store("2.db", 600, 450)
	store("3.db", 610, 200)
	for _, tt := range []struct {
		flag         string
		complete     int64 // revision from which on all are there, to 612
		rows, carved int
	}{
		{"--from=1", 151, 466, 0},
		{"--carved", 2, 611, 145},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"timeline", "1.db", "2.db", "3.db", "-o", "jsonl", tt.flag}, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
			t.Fatalf("%s: exit code %d: %s", tt.flag, code, &errs)
		}
		last, rows, carved := int64(0), 0, 0
		for line := range strings.Lines(out.String()) {
			var row struct {
				Revision int64
				Carved   string
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			if row.Revision <= last || row.Revision > tt.complete && row.Revision != last+1 {
				t.Errorf("%s: revision %d comes after %d", tt.flag, row.Revision, last)
			}
			last = row.Revision
			rows++
			if row.Carved != "" {
				carved++
			}
		}
		if rows != tt.rows || carved != tt.carved || last != 612 {
			t.Errorf("%s: %d rows up to revision %d, %d carved", tt.flag, rows, last, carved)
		}
	}
}
