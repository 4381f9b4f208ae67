package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

// TestProgressText draws a line with a clock of its own.
func TestProgressText(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	width := 200
	line := newProgressLine(streams{err: &out, errTTY: true, errWidth: func() int { return width }})
	line.now = func() time.Time { return now }
	const gb = 1_000_000_000
	steps := []struct {
		name  string
		at    time.Duration
		p     snapshot.Progress
		width int
		want  string
	}{
		{"b.gz", 0, snapshot.Progress{Phase: snapshot.PhaseExpand, Done: 5_000_000, Total: -1}, 200, "b.gz: unpacking 5 MB"},
		{"b.gz", 2 * time.Second, snapshot.Progress{Phase: snapshot.PhaseExpand, Done: 105_000_000, Total: -1}, 200, "b.gz: unpacking 105 MB, 50 MB/s"},
		{"b.gz", 2 * time.Second, snapshot.Progress{Phase: snapshot.PhaseExpand, Done: 200, Total: 200}, 200, "analyzing"},
		{"b.gz", 2 * time.Second, snapshot.Progress{Phase: snapshot.PhaseHash, Done: 0, Total: 100 * gb}, 200, "b.gz: hashing 0 %"},
		{"b.gz", 2 * time.Second, snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 10, Total: 100}, 200, "b.gz: indexing 10 %"},
		{"b.gz", 12 * time.Second, snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 20, Total: 100}, 200, "b.gz: indexing 20 %, 80 s left"},
		{"b.gz", 12 * time.Second, snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 100, Total: 100}, 200, "b.gz: hashing 0 %"},
		{"b.gz", 22 * time.Second, snapshot.Progress{Phase: snapshot.PhaseHash, Done: 4 * gb, Total: 100 * gb}, 200, "b.gz: hashing 4 %, 200 MB/s, 8 min left"},
		{"a\x1b[2J.db", 22 * time.Second, snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 1, Total: 2}, 200, "a�[2J.db: indexing 50 %; b.gz: hashing 4 %, 200 MB/s, 8 min left"},
		{"a\x1b[2J.db", 22 * time.Second, snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 1, Total: 2}, 20, "a�[2J.db: indexing…"},
		{"a\x1b[2J.db", 22 * time.Second, snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 2, Total: 2}, 200, "b.gz: hashing 4 %, 200 MB/s, 8 min left"},
		{"b.gz", 22 * time.Second, snapshot.Progress{Phase: snapshot.PhaseHash, Done: 100 * gb, Total: 100 * gb}, 200, "analyzing"},
		{"b.gz", 22 * time.Second, snapshot.Progress{Phase: snapshot.PhaseVerify, Done: gb, Total: 2 * gb}, 200, "b.gz: hashing again 50 %"},
	}
	for _, s := range steps {
		now, width = time.Unix(0, 0).Add(s.at), s.width
		out.Reset()
		line.show(s.name, s.p)
		if got, ok := strings.CutPrefix(out.String(), "\r\x1b[K"); !ok || got != s.want {
			t.Errorf("%+v draws %q, want %q", s.p, out.String(), s.want)
		}
	}
	out.Reset()
	line.clear()
	line.show("b.gz", snapshot.Progress{Phase: snapshot.PhaseHash, Done: 1, Total: 2})
	if got := out.String(); got != "\r\x1b[K" {
		t.Errorf("cleared, it draws %q", got)
	}
}

// TestProgressOfCommands runs every command that reads evidence with and without a
// terminal: the line is there, it is gone in the end, and it is nowhere but on
// standard error.
func TestProgressOfCommands(t *testing.T) {
	evidenceFiles(t)
	for _, args := range [][]string{
		{"backup.db", "current.db"},
		{"inspect", "backup.db", "current.db"},
		{"inspect", "--verify-after", "backup.db"},
		{"predict", "backup.db", "current.db"},
		{"plan", "backup.db", "current.db"},
		{"plan", "backup.db"},
		{"verify", "backup.db", "--kubelet", "node-1=pods.json", "--fail-on", ""},
		{"carve", "backup.db"},
		{"extract", "backup.db", "deployments"},
		{"get", "backup.db", "all"},
		{"diff", "backup.db", "--from", "454"},
		{"timeline", "backup.db", "nodes"},
		{"describe", "backup.db", "nodes"},
		{"storage", "backup.db"},
		{"salvage", "backup.db", "-o", "clean.db"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var out, errs bytes.Buffer
			s := streams{in: strings.NewReader(""), out: &out, err: &errs}
			if code := run(t.Context(), args, s); code != exitOK {
				t.Fatalf("exit code %d: %s", code, &errs)
			}
			if errs.Len() > 0 || bytes.Contains(out.Bytes(), []byte("\r")) {
				t.Errorf("without a terminal: %q", &errs)
			}
			os.Remove("clean.db")
			without := out.String()
			out.Reset()
			s.errTTY, s.errWidth = true, func() int { return 80 }
			if code := run(t.Context(), args, s); code != exitOK {
				t.Fatalf("exit code %d: %s", code, &errs)
			}
			if drawn := errs.String(); !strings.Contains(drawn, ": ") || !strings.HasSuffix(drawn, "\r\x1b[K") || strings.Contains(drawn, "\n") {
				t.Errorf("on a terminal: %q", drawn)
			}
			if args[0] != "plan" && args[0] != "salvage" && out.String() != without { // they tell the time
				t.Errorf("standard output differs:\n%s\n%s", without, &out)
			}
		})
	}
}

// cancelling cancels when something is written that contains a text.
type cancelling struct {
	bytes.Buffer
	text   string
	cancel func()
}

func (c *cancelling) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

// TestInterrupted interrupts commands while they index, hash, and hash again.
func TestInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	data := corpus.Unpack(t, cluster("scenario-1/plain/current"))
	writeEvidence(t, "small.db", data)
	// Zeros after the pages are damage, and take a while to hash.
	writeEvidence(t, "large.db", append(data[:len(data)-32:len(data)-32], make([]byte, 256<<20)...))
	for _, doing := range []string{"indexing", ": hashing ", "hashing again"} {
		for _, args := range [][]string{
			{"inspect", "--verify-after", "large.db", "-o", "json=out.json"},
			{"plan", "--verify-after", "large.db", "-o", "json=out.json"},
			{"predict", "--verify-after", "small.db", "large.db", "-o", "json=out.json"},
		} {
			t.Run(args[0]+" "+doing, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var out bytes.Buffer
				errs := &cancelling{text: doing, cancel: cancel}
				code := run(ctx, args, streams{in: strings.NewReader(""), out: &out, err: errs, errTTY: true, errWidth: func() int { return 200 }})
				if ctx.Err() == nil {
					t.Fatalf("it never said %q: %q", doing, errs)
				}
				if code != exitFailed || !strings.HasSuffix(errs.String(), "\r\x1b[Krevenant: interrupted\n") || out.Len() > 0 {
					t.Errorf("exit code %d, standard output %q, standard error %q", code, &out, errs)
				}
				if left, err := filepath.Glob("*out.json*"); err != nil || len(left) > 0 {
					t.Errorf("%v was written, %v", left, err)
				}
			})
		}
	}
}
