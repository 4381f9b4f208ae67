package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"

	"revenant/analyzer/restore"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// manyPods are n pods with a bit of everything.
func manyPods(n int) []restore.PodOutcome {
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

// manyPodsScreen is the pods screen with n pods.
func manyPodsScreen(b *testing.B, n int) *pods {
	s := &session{UI: widget.UI{Keymap: keys.Default, Theme: draw.NewTheme(true, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)}, input: &Input{}}
	s.prediction = &restore.Prediction{Pods: manyPods(n)}
	p := newPods(s).(*pods)
	p.SetSize(140, 24) // without a detail, whose object would have to be read
	p.of = s.prediction
	fill(b, p.table, (podList{pods: p.of.Pods}).rows())
	finish(b, p.table, p.table.SetOrder(widget.Order{All: true})())
	return p
}

var benchSizes = []int{100, 10_000, 1_000_000}

// BenchmarkTableFrame draws the list of pods while its selection moves.
func BenchmarkTableFrame(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.table.Move([]keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5])
				p.View()
			}
		})
	}
}

// BenchmarkTableFilter types two letters of a filter. It runs beside the screen.
func BenchmarkTableFilter(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			for b.Loop() {
				for _, words := range []string{"9", "99", ""} {
					finish(b, p.table, p.table.SetOrder(widget.Order{Words: words, All: true})())
				}
			}
		})
	}
}

// BenchmarkTableSort sorts by name and by severity. It runs beside the screen.
func BenchmarkTableSort(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			for b.Loop() {
				finish(b, p.table, p.table.SortBy("N")())
				finish(b, p.table, p.table.SortBy("S")())
			}
		})
	}
}

// fill gives a table other rows, and waits for them.
func fill(t testing.TB, x *widget.Table, r widget.Rows) {
	t.Helper()
	finish(t, x, x.SetRows(r)())
}

// finish takes over what arranging a table has brought.
func finish(t testing.TB, x *widget.Table, msg any) {
	t.Helper()
	if m, ok := msg.(widget.ArrangedMsg); !ok || !x.Take(m) {
		t.Fatalf("not arranged: %v", msg)
	}
}
