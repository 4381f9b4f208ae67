package clock_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/clock"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
	"revenant/internal/golden"
)

// slack is what the clock that wrote the truth and the machine's may differ by:
// they are one, but saving a snapshot takes a moment.
const slack = time.Second

// TestTruth holds the clocks of all snapshots against the times at which they
// were saved.
func TestTruth(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/clusters/*/*/truth.json.gz")
	if err != nil || len(paths) < 15 {
		t.Fatalf("found %d, %v", len(paths), err)
	}
	var widths []time.Duration
	var told strings.Builder
	for _, path := range paths {
		var truth struct {
			Times     map[string]time.Time
			Revisions struct{ Backup, Current, BeforeStop int64 }
		}
		if err := json.Unmarshal(corpus.Unpack(t, path), &truth); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(path)
		t.Run(dir[len("../../testdata/clusters/"):], func(t *testing.T) {
			b, c := build(t, filepath.Join(dir, "backup.db.gz")), build(t, filepath.Join(dir, "current.db.gz"))
			joined := clock.Join(b, c)
			saved, ok := truth.Times["A"]
			if !ok {
				saved = truth.Times["etcd_sigkill"]
			}
			fmt.Fprintf(&told, "%s\n  backup taken %s\n  current taken %s\n  both: %s\n", dir[len("../../testdata/clusters/"):], summary(b), summary(c), summary(joined))
			within(t, "backup taken", b.Taken(), truth.Times["B"])
			within(t, "current taken", c.Taken(), saved)
			// The backup's head was written before it was saved.
			head := joined.TimeOf(truth.Revisions.Backup)
			widths = append(widths, head.To.Sub(head.From))
			if head.From.After(truth.Times["B"].Add(slack)) {
				t.Errorf("revision %d was written %v, the backup saved at %v", truth.Revisions.Backup, head, truth.Times["B"])
			}
			at := joined.HeadAt(truth.Times["B"])
			if at.From > truth.Revisions.Backup || at.To < truth.Revisions.Backup {
				t.Errorf("at %v the store was between %d and %d, truly at %d", truth.Times["B"], at.From, at.To, truth.Revisions.Backup)
			}
			rate, ok := joined.Rate()
			r := joined.Summary()
			t.Logf("head of the backup %v, at B %d to %d (true %d), rate %.1f %.1f %.1f %v over %v, %d rejected of %v", head, at.From, at.To, truth.Revisions.Backup, rate.Low, rate.Mean, rate.High, ok, rate.Window, r.Rejected, r.Marks)
		})
	}
	if len(widths) == len(paths) { // all were asked for
		golden.Equal(t, "testdata/clusters.txt", told.String())
	}
	slices.Sort(widths)
	t.Logf("intervals of the backups' heads: median %v, widest %v", widths[len(widths)/2], widths[len(widths)-1])
}

// summary is what a clock says of itself on a line.
func summary(c *clock.Clock) string {
	s := c.Summary()
	text := fmt.Sprintf("%s to %s;", s.Taken.From.Format(time.RFC3339Nano), s.Taken.To.Format("15:04:05.999999999"))
	for _, source := range clock.Sources() {
		if n := s.Marks[source]; n > 0 {
			text += fmt.Sprintf(" %d by %s,", n, source)
		}
	}
	text += fmt.Sprintf(" %d rejected", s.Rejected)
	if r := s.Rate; r != nil {
		text += fmt.Sprintf("; %.2f, %.2f, %.2f a second", r.Low, r.Mean, r.High)
	}
	return text
}

func within(t *testing.T, what string, in clock.Interval, when time.Time) {
	t.Helper()
	if when.Before(in.From.Add(-slack)) || when.After(in.To.Add(slack)) {
		t.Errorf("%s %v, truly at %v", what, in, when)
	}
}

func build(t *testing.T, path string) *clock.Clock {
	t.Helper()
	c, err := clock.Build(t.Context(), snapshottest.Open(t, path), "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
