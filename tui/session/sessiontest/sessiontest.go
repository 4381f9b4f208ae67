package sessiontest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// ManyPods are n pods with a bit of everything.
func ManyPods(n int) []restore.PodOutcome {
	list := make([]restore.PodOutcome, n)
	for i := range list {
		info := restore.Outcomes[i%len(restore.Outcomes)]
		list[i] = restore.PodOutcome{
			PodIdentity: &restore.PodIdentity{
				Namespace: fmt.Sprintf("team-%d", i/1000), Name: fmt.Sprintf("web-%d-7fcff878d7-%05d", i%37, i), UID: fmt.Sprint(i), Node: fmt.Sprintf("node-%d", i%5000),
			},
			Finding:   &restore.Finding{Outcome: info.ID, Severity: info.Severity},
			Certainty: restore.Certain,
		}
	}
	slices.SortFunc(list, func(a, b restore.PodOutcome) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return list
}

// BenchSizes are how many rows benchmarks have.
var BenchSizes = []int{100, 10_000, 1_000_000}

// Fill gives a table other rows, and waits for them.
func Fill(t testing.TB, x *widget.Table, r widget.Rows) {
	t.Helper()
	Finish(t, x, x.SetRows(r)())
}

// Finish takes over what arranging a table has brought.
func Finish(t testing.TB, x *widget.Table, msg any) {
	t.Helper()
	if m, ok := msg.(widget.ArrangedMsg); !ok || !x.Take(m) {
		t.Fatalf("not arranged: %v", msg)
	}
}

// InputOf has the same snapshot, of which no time is known, on both sides.
func InputOf(t *testing.T, path string) *session.Input {
	t.Helper()
	in := DemoInput(t)
	for i := range in.Sources {
		in.Sources[i].Snapshot = snapshottest.Open(t, path)
		in.Sources[i].State.Clock = nil
	}
	return in
}

// DemoInput opens the built-in pair. It has no runbook.
func DemoInput(t testing.TB) *session.Input {
	t.Helper()
	b, c, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	source := func(name string, data []byte) session.Source {
		s, err := snapshot.OpenBytes(t.Context(), name, data, snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		state, err := restore.Load(t.Context(), s, "/registry")
		if err != nil {
			t.Fatal(err)
		}
		return session.Source{Snapshot: s, State: state}
	}
	in := &session.Input{Tool: "revenant test", Prefix: "/registry"}
	in.Pair(source(demo.BackupName, b), source(demo.CurrentName, c))
	return in
}

// Bare is a session of which nothing is read, for a screen alone.
func Bare(t testing.TB, in *session.Input) *session.Session {
	return &session.Session{Ctx: t.Context(), UI: widget.UI{Keymap: keys.Default, Theme: draw.NewTheme(true, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)}, Input: in}
}

// SGR is what a theme paints with.
var SGR = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// Alone is the current snapshot of an input, without the backup.
func Alone(in *session.Input) *session.Input {
	one := *in
	one.Sources, one.Backup, one.Current = in.Sources[in.Current:], 0, 0
	one.Lineage, one.Runbook, one.Platforms = nil, nil, nil
	return &one
}
