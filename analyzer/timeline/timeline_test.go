package timeline_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/analyzer/timeline"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
	"revenant/internal/hostile"
)

const prefix = "/registry"

// sources are two snapshots with what both clocks tell.
func sources(t testing.TB, b, c *snapshot.Snapshot, carve bool) []timeline.Source {
	t.Helper()
	list := []timeline.Source{{Name: "backup", Snapshot: b}, {Name: "current", Snapshot: c}}
	for i := range list {
		var err error
		if list[i].Clock, err = clock.Build(t.Context(), list[i].Snapshot, prefix); err != nil {
			t.Fatal(err)
		}
		if carve {
			if list[i].Carving, err = list[i].Snapshot.Carve(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	joined := clock.Join(list[0].Clock, list[1].Clock)
	list[0].Clock, list[1].Clock = joined, joined
	return list
}

func demoPair(t testing.TB) (b, c *snapshot.Snapshot) {
	t.Helper()
	backup, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	return snapshottest.OpenBytes(t, demo.BackupName, backup), snapshottest.OpenBytes(t, demo.CurrentName, current)
}

func make2(t testing.TB, sources ...timeline.Source) *timeline.Timeline {
	t.Helper()
	tl, err := timeline.New(t.Context(), prefix, sources...)
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

func all(tl *timeline.Timeline) (list []timeline.Event) {
	for _, e := range tl.Events(timeline.Filter{}) {
		list = append(list, e)
	}
	return list
}

// TestEvents holds the events of every pair of snapshots against their records.
func TestEvents(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/clusters/*/*/backup.db.gz")
	if err != nil || len(dirs) < 15 {
		t.Fatalf("found %d, %v", len(dirs), err)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		current := filepath.Join(dir, "current.db.gz")
		if _, err := os.Stat(current); err != nil {
			continue
		}
		t.Run(dir[len("../../testdata/clusters/"):], func(t *testing.T) {
			sides := sources(t, snapshottest.Open(t, path), snapshottest.Open(t, current), true)
			type id struct {
				snapshot.Revision
				key string
			}
			in, carved, verbs := map[id][]string{}, map[id]bool{}, map[id]timeline.Verb{}
			add := func(s *timeline.Source, r snapshot.Record) id {
				at := id{r.Revision, r.Key}
				in[at] = append(in[at], s.Name)
				verbs[at] = timeline.Updated
				if r.Version == 1 {
					verbs[at] = timeline.Created
				}
				if r.Tombstone {
					verbs[at] = timeline.Deleted
				}
				return at
			}
			for i := range sides {
				for r := range sides[i].Snapshot.Records() {
					if r.Key != "" { // the mark of a bump
						add(&sides[i], r)
					}
				}
			}
			for i := range sides {
				for r := range sides[i].Carving.Records {
					if at := (id{r.Revision, r.Key}); in[at] == nil || carved[at] {
						carved[add(&sides[i], r.Record)] = true
					}
				}
			}
			events := all(make2(t, sides...))
			if len(events) != len(in) {
				t.Errorf("%d events of %d different records", len(events), len(in))
			}
			last := snapshot.Revision{}
			for _, e := range events {
				at := id{e.Revision, e.Key}
				if diff := cmp.Diff(in[at], e.In); diff != "" {
					t.Fatalf("revision %v of %s: %s", e.Revision, e.Key, diff)
				}
				if e.Carved != carved[at] || e.Verb != verbs[at] {
					t.Errorf("revision %v of %s: %s, carved %v; want %s, %v", e.Revision, e.Key, e.Verb, e.Carved, verbs[at], carved[at])
				}
				if e.Main < last.Main || e.Main == last.Main && e.Sub <= last.Sub {
					t.Errorf("revision %v follows %v", e.Revision, last)
				}
				last = e.Revision
				if !e.Carved && e.When != sides[1].Clock.TimeOf(e.Main) {
					t.Errorf("revision %v was written %v", e.Revision, e.When)
				}
				if k, ok := kube.ParseKey(prefix, e.Key); ok && e.Object != k || !ok && e.Object != (kube.Key{}) {
					t.Errorf("%s is %v", e.Key, e.Object)
				}
			}
			t.Logf("%d events, %d of them carved", len(events), len(carved))
		})
	}
}

func TestFilter(t *testing.T) {
	b, c := demoPair(t)
	tl := make2(t, sources(t, b, c, true)...)
	events := all(tl)
	head := b.Revision()
	for _, tt := range []struct {
		name   string
		filter timeline.Filter
		want   func(timeline.Event) bool
	}{
		{"all", timeline.Filter{}, func(timeline.Event) bool { return true }},
		{"after the backup", timeline.Filter{From: head + 1}, func(e timeline.Event) bool { return e.Main > head }},
		{"up to the backup", timeline.Filter{To: head}, func(e timeline.Event) bool { return e.Main <= head }},
		{"one revision", timeline.Filter{From: head, To: head}, func(e timeline.Event) bool { return e.Main == head }},
		{"nothing", timeline.Filter{From: 2, To: 1}, func(timeline.Event) bool { return false }},
		{"pods", timeline.Filter{Resource: "pods"}, func(e timeline.Event) bool { return e.Object.Resource == "pods" }},
		{"pods by their short name", timeline.Filter{Resource: "po"}, func(e timeline.Event) bool { return e.Object.Resource == "pods" }},
		{"custom resources", timeline.Filter{Resource: "widgets.example.com"}, func(e timeline.Event) bool { return e.Object.Group == "example.com" }},
		{"a namespace", timeline.Filter{Namespace: "shop"}, func(e timeline.Event) bool { return e.Object.Namespace == "shop" }},
		{"deletions", timeline.Filter{Verb: timeline.Deleted}, func(e timeline.Event) bool { return e.Verb == timeline.Deleted }},
		{"text", timeline.Filter{Text: "CACHE"}, func(e timeline.Event) bool { return strings.Contains(e.Key, "cache") }},
		{"without carved ones", timeline.Filter{Held: true}, func(e timeline.Event) bool { return !e.Carved }},
		{"all at once", timeline.Filter{From: 2, To: head, Resource: "Pod", Namespace: "shop", Verb: timeline.Created, Text: "web"}, func(e timeline.Event) bool {
			return e.Main <= head && e.Object.Resource == "pods" && e.Object.Namespace == "shop" && e.Verb == timeline.Created && strings.Contains(e.Key, "web")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want, got []int
			for n, e := range events {
				if tt.want(e) {
					want = append(want, n)
				}
			}
			for n, e := range tl.Events(tt.filter) {
				got = append(got, n)
				if diff := cmp.Diff(events[n], e); diff != "" {
					t.Error(diff)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if tt.name != "nothing" && tt.name != "custom resources" && len(got) == 0 {
				t.Error("no event passes")
			}
		})
	}
}

// TestMarks names the moments that matter of the demo's pair, and of a store that a
// restore has bumped.
func TestMarks(t *testing.T) {
	b, c := demoPair(t)
	bumped := snapshottest.Open(t, "../../testdata/etcd/bumped-and-written.db.gz")
	type mark struct {
		Kind     timeline.MarkKind
		Revision int64
		In       string
	}
	marks := func(tl *timeline.Timeline) (list []mark) {
		for _, m := range tl.Marks() {
			list = append(list, mark{m.Kind, m.Revision, strings.Join(m.In, " ")})
		}
		return list
	}
	if diff := cmp.Diff([]mark{
		{timeline.Head, b.Revision(), "backup"}, {timeline.Head, c.Revision(), "current"},
	}, marks(make2(t, sources(t, b, c, false)...))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]mark{
		{timeline.Compacted, bumped.CompactRevision(), "it"}, {timeline.Bumped, bumped.BumpMarkers()[0], "it"}, {timeline.Head, bumped.Revision(), "it"},
	}, marks(make2(t, timeline.Source{Name: "it", Snapshot: bumped}))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestComplete tells from where on nothing is missing.
func TestComplete(t *testing.T) {
	compacted := snapshottest.Open(t, "../../testdata/etcd/compacted.db.gz")
	history, compactedAt7 := snapshottest.Open(t, "../../testdata/mvcc/history.db.gz"), snapshottest.Open(t, "../../testdata/mvcc/compacted.db.gz")
	b, c := demoPair(t)
	for _, tt := range []struct {
		name string
		of   []*snapshot.Snapshot
		want int64
	}{
		{"none", nil, 0},
		{"never compacted", []*snapshot.Snapshot{b, c}, 1},
		{"compacted", []*snapshot.Snapshot{compacted}, compacted.CompactRevision() + 1},
		{"compacted since", []*snapshot.Snapshot{b, compacted}, compacted.CompactRevision() + 1}, // b ends before that
		{"the beginning, and compacted", []*snapshot.Snapshot{history, compactedAt7}, 1},
		{"the other way round", []*snapshot.Snapshot{compactedAt7, history}, 1},
	} {
		var list []timeline.Source
		for _, s := range tt.of {
			list = append(list, timeline.Source{Snapshot: s})
		}
		if got := make2(t, list...).Complete(); got != tt.want {
			t.Errorf("%s: complete from %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestHistogram counts every event once, whatever the bins and the axis.
func TestHistogram(t *testing.T) {
	b, c := demoPair(t)
	tl := make2(t, sources(t, b, c, true)...)
	lane := func(n int) int { return slices.Index(timeline.Verbs, tl.Verb(n)) }
	for _, byTime := range []bool{false, true} {
		for _, bins := range []int{0, 1, 7, 60, 1000} {
			for _, f := range []timeline.Filter{{}, {Resource: "pods"}, {From: b.Revision()}, {To: 10}, {From: 1e9}} {
				t.Run(fmt.Sprint(byTime, bins, f), func(t *testing.T) {
					first, last := tl.Between(f.From, f.To)
					h, err := tl.Histogram(t.Context(), timeline.Axis{First: first, Last: last, Bins: bins, ByTime: byTime}, tl.Numbers(f), 3, lane)
					if err != nil {
						t.Fatal(err)
					}
					numbers := slices.Collect(tl.Numbers(f))
					if h.Counted+h.Undated != len(numbers) {
						t.Errorf("%d counted, %d undated of %d", h.Counted, h.Undated, len(numbers))
					}
					sum := 0.0
					for _, l := range h.Lanes {
						if len(l) != max(bins, 1) {
							t.Fatalf("%d bins of %d", len(l), bins)
						}
						for _, n := range l {
							if sum += n; n < 0 {
								t.Errorf("%v events in a bin", n)
							}
						}
					}
					if math.Abs(sum-float64(h.Counted)) > 1e-6*(1+sum) {
						t.Errorf("the bins hold %v events, %d were counted", sum, h.Counted)
					}
					if last > first && f.To == 0 && h.ByTime != byTime { // nothing shows when the first ten were
						t.Errorf("by time is %v", h.ByTime)
					}
					for _, n := range numbers {
						e := tl.Event(n)
						from, to, ok := h.Bins(e.Main, e.When)
						if !ok && !e.When.From.IsZero() || from > to || to >= max(bins, 1) {
							t.Fatalf("revision %d is in the bins %d to %d, %v", e.Main, from, to, ok)
						}
					}
				})
			}
		}
	}
}

// TestSpread puts events where a clock says that they may have been.
func TestSpread(t *testing.T) {
	at := func(seconds int) time.Time { return time.Date(2026, 11, 23, 4, 0, seconds, 0, time.UTC) }
	_, c := demoPair(t)
	var marks []clock.Mark
	for i := range 5 { // a revision in ten seconds is known to a second
		marks = append(marks, clock.Mark{Revision: int64(1 + 10*i), Time: at(10 * i), Source: clock.Renewal})
	}
	tl := make2(t, timeline.Source{Name: "it", Snapshot: c, Clock: clock.New(marks, c.Revision(), nil)})
	first, last := tl.Between(2, 30) // between the first mark and the fourth
	h, err := tl.Histogram(t.Context(), timeline.Axis{First: first, Last: last, Bins: 31, ByTime: true}, tl.Numbers(timeline.Filter{From: 2, To: 30}), 1, func(int) int { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	if h.From != at(0) || h.To != at(31) || h.Within < 8*time.Second || h.Within > 20*time.Second {
		t.Errorf("from %v to %v, known to %v", h.From, h.To, h.Within)
	}
	// Nine revisions each lie evenly in the eleven seconds between two marks.
	for i, n := range h.Lanes[0][1:9] {
		if math.Abs(n-9.0/11) > 0.01 {
			t.Errorf("%v events in second %d", n, i+1)
		}
	}
}

func TestRates(t *testing.T) {
	start := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	var marks []clock.Mark
	for i := range 601 { // ten revisions a second, then two
		rev := int64(100 + 10*i)
		if i > 300 {
			rev = int64(3100 + 2*(i-300))
		}
		marks = append(marks, clock.Mark{Revision: rev, Time: at(float64(i)), Source: clock.Renewal})
	}
	c := clock.New(marks, 3700, nil)
	rates := timeline.Rates(c, at(2), at(600), 6, nil)
	for i, want := range []float64{10, 10, 10, 2, 2, 2} {
		r := rates[i]
		if !r.Known || math.Abs(r.Expected-want) > 0.2 || r.Low > want || r.High < want || r.High-r.Low > 1 {
			t.Errorf("part %d: %+v, want %v", i, r, want)
		}
	}
	for _, r := range timeline.Rates(c, at(-600), at(-300), 3, nil) {
		if r.Known {
			t.Errorf("before all marks: %+v", r)
		}
	}
	for _, r := range timeline.Rates(c, at(700), at(900), 3, nil) {
		if r.Known {
			t.Errorf("after the snapshot was taken: %+v", r)
		}
	}
	jumped := timeline.Rates(c, at(2), at(600), 6, []int64{1500})
	if jumped[0].Known != true || jumped[1].Known || !jumped[2].Known {
		t.Errorf("a jump in the second part: %+v", jumped)
	}
	if begun := timeline.Rates(c, at(0), at(600), 6, nil); begun[0].Known || !begun[1].Known {
		t.Errorf("how far the store was at the first mark is not known: %+v", begun[0])
	}
	for _, none := range [][]timeline.Rate{timeline.Rates(nil, at(0), at(1), 0, nil), timeline.Rates(nil, time.Time{}, at(1), 3, nil), timeline.Rates(nil, at(1), at(1), 3, nil)} {
		if none != nil {
			t.Errorf("rates of no time: %v", none)
		}
	}
	for _, r := range timeline.Rates(nil, at(0), at(1), 3, nil) {
		if r.Known {
			t.Errorf("without a clock: %+v", r)
		}
	}
}

// TestBlind is from when the newest snapshot was saved to the outage.
func TestBlind(t *testing.T) {
	b, c := demoPair(t)
	sides := sources(t, b, c, false)
	outage := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	want := clock.Interval{From: sides[1].Clock.Taken().From, To: outage}
	if got := make2(t, sides...).Blind(outage); got != want || got.From.IsZero() {
		t.Errorf("blind %v, want %v", got, want)
	}
}

// TestNothing asks a timeline of nothing, and one whose time nothing tells.
func TestNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b, _ := demoPair(t)
	if _, err := timeline.New(ctx, prefix, timeline.Source{Snapshot: b}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	for name, tl := range map[string]*timeline.Timeline{"nothing": make2(t), "no clock": make2(t, timeline.Source{Snapshot: b})} {
		h, err := tl.Histogram(t.Context(), timeline.Axis{Last: tl.Len(), Bins: 10, ByTime: true}, tl.Numbers(timeline.Filter{}), 1, func(int) int { return 0 })
		if err != nil || h.ByTime || h.Undated > 0 || h.Counted != tl.Len() {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// TestManyMarks has more bump markers than can be looked through for each of them.
func TestManyMarks(t *testing.T) {
	const n = 200_000
	var items []hostile.Item
	for i := range int64(n) {
		it := hostile.Record(2+2*i, 0, 0, 0, "", nil)
		it.Value = nil
		items = append(items, it)
	}
	s := snapshottest.OpenBytes(t, "markers.db", hostile.Store(hostile.Pack(items)...))
	start := time.Now()
	c, err := clock.Build(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	tl, err := timeline.New(t.Context(), "/registry", timeline.Source{Name: "current", Snapshot: s, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(tl.Jumps()); got != n {
		t.Errorf("%d jumps for %d markers", got, n)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
