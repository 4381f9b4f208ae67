package pods

import (
	"fmt"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
	"revenant/tui/widget"
)

func TestUnreadableObject(t *testing.T) {
	in := sessiontest.DemoInput(t)
	pod := in.Sources[in.Current].State.Pods[0]
	pod.Key = "/registry/pods/no/such"
	o := readObject(&in.Sources[in.Current], &restore.PodOutcome{PodIdentity: &restore.PodIdentity{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}})
	if !o.there || !strings.Contains(o.problem, "key not found") {
		t.Errorf("got %+v", o)
	}
	if o := readObject(&in.Sources[in.Current], &restore.PodOutcome{PodIdentity: &restore.PodIdentity{Name: "no such pod"}}); o.there {
		t.Errorf("got %+v", o)
	}
}

// TestCompactedObject reads values that were written at a revision since
// compacted away.
func TestCompactedObject(t *testing.T) {
	s, err := snapshot.OpenBytes(t.Context(), "bumped.db", corpus.Unpack(t, "../../../testdata/etcd/bumped-and-written.db.gz"), snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	old := 0
	for r := range s.Keys("") {
		if r.Main >= s.CompactRevision() {
			continue
		}
		old++
		side := session.Source{Snapshot: s, State: &restore.State{Pods: []*restore.Pod{{Pod: kube.Pod{UID: "1"}, Key: r.Key, ModRevision: r.Main}}}}
		if o := readObject(&side, &restore.PodOutcome{PodIdentity: &restore.PodIdentity{UID: "1"}}); o.problem != "" || o.yaml == "" {
			t.Errorf("%s: %q", r.Key, o.problem)
		}
	}
	if old == 0 {
		t.Error("no key was written before the compact revision")
	}
}

// manyPodsScreen is the pods screen with n pods.
func manyPodsScreen(b *testing.B, n int) *Screen {
	s := sessiontest.Bare(b, &session.Input{})
	s.Prediction = &restore.Prediction{Pods: sessiontest.ManyPods(n)}
	p := New(s).(*Screen)
	p.SetSize(140, 24) // without a detail, whose object would have to be read
	p.of = s.Prediction
	sessiontest.Fill(b, p.Table, (podList{pods: p.of.Pods}).rows())
	sessiontest.Finish(b, p.Table, p.Table.SetOrder(widget.Order{All: true})())
	return p
}

// BenchmarkTableFrame draws the list of pods while its selection moves.
func BenchmarkTableFrame(b *testing.B) {
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.Table.Move([]keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5])
				p.View()
			}
		})
	}
}

// BenchmarkTableFilter types two letters of a filter. It runs beside the screen.
func BenchmarkTableFilter(b *testing.B) {
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			for b.Loop() {
				for _, words := range []string{"9", "99", ""} {
					sessiontest.Finish(b, p.Table, p.Table.SetOrder(widget.Order{Words: words, All: true})())
				}
			}
		})
	}
}

// BenchmarkTableSort sorts by name and by severity. It runs beside the screen.
func BenchmarkTableSort(b *testing.B) {
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyPodsScreen(b, n)
			for b.Loop() {
				sessiontest.Finish(b, p.Table, p.Table.SortBy("N")())
				sessiontest.Finish(b, p.Table, p.Table.SortBy("S")())
			}
		})
	}
}

// BenchmarkLongNames draws a screen of names of a megabyte.
func BenchmarkLongNames(b *testing.B) {
	for _, tt := range []struct{ name, of string }{{"ordinary", "coredns-7d764666f9-x2j5k"}, {"a megabyte", strings.Repeat("a", 1<<20)}, {"100,000 marks", "e" + strings.Repeat("\u0301", 100_000)}} {
		b.Run(tt.name, func(b *testing.B) {
			x := manyPodsScreen(b, 1000)
			names := x.Table
			r := names.Rows
			cell := r.Cell
			r.Cell = func(row, column int) string {
				if column == colName {
					return tt.of
				}
				return cell(row, column)
			}
			names.Rows = r
			b.ReportAllocs()
			for b.Loop() {
				x.View()
			}
		})
	}
}
