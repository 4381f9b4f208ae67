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
	for i := range session.Roles {
		in.Side(i).Snapshot = snapshottest.Open(t, path)
		in.Side(i).State.Clock = nil
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
	side := func(name string, data []byte) session.Side {
		s, err := snapshot.OpenBytes(t.Context(), name, data, snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		state, err := restore.Load(t.Context(), s, "/registry")
		if err != nil {
			t.Fatal(err)
		}
		return session.Side{Snapshot: s, State: state}
	}
	return &session.Input{Tool: "revenant test", Prefix: "/registry", Backup: side(demo.BackupName, b), Current: side(demo.CurrentName, c)}
}

// Bare is a session of which nothing is read, for a screen alone.
func Bare(t testing.TB, in *session.Input) *session.Session {
	return &session.Session{Ctx: t.Context(), UI: widget.UI{Keymap: keys.Default, Theme: draw.NewTheme(true, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)}, Input: in}
}

// SGR is what a theme paints with.
var SGR = regexp.MustCompile(`\x1b\[[0-9;]*m`)
