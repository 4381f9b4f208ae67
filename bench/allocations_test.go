package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/decoder/document"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/clustertest"
	"revenant/internal/golden"
)

// stage is a part of what a prediction does, and of how many things it does that.
type stage struct {
	name, each string
	of         int
	run        func() error
}

// stages are in the order in which a prediction goes through them.
func stages(t testing.TB, backup, current *snapshot.Snapshot, data []byte, pods int) []stage {
	ctx := t.Context()
	load := func(s *snapshot.Snapshot, other *restore.State) *restore.State {
		state, err := restore.LoadBeside(ctx, s, kube.DefaultPrefix, func() *restore.State { return other })
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	was := load(backup, nil)
	is := load(current, was)
	prediction, err := restore.Compare(was, is).Predict(restore.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	record, err := current.Get("/registry/pods/team-1/web-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	return []stage{
		{"index", "revision", current.Len(), func() error {
			s, err := snapshot.OpenBytes(ctx, "current.db", data, snapshot.Options{SkipHashCheck: true, Workers: 1, Status: true})
			if err != nil {
				return err
			}
			return s.Close()
		}},
		{"load", "pod", pods, func() error {
			load(current, nil)
			return nil
		}},
		{"load beside the backup", "pod", pods, func() error {
			load(current, was)
			return nil
		}},
		{"predict", "pod", pods, func() error {
			_, err := restore.Compare(was, is).Predict(restore.Plan{})
			return err
		}},
		{"rollback", "pod", pods, func() error {
			_, err := rollback.Compare(ctx, backup, current, rollback.Options{Prefix: kube.DefaultPrefix})
			return err
		}},
		{"JSON", "pod", pods, func() error { return document.WriteJSON(io.Discard, prediction, "  ") }},
		{"get", "object", 1, func() error {
			r, err := current.Get(record.Key, record.Main)
			if err != nil {
				return err
			}
			_, err = current.Value(r)
			return err
		}},
	}
}

// cluster is a pair of snapshots with so many pods, open.
func cluster(t testing.TB, pods, revisions int) (backup, current *snapshot.Snapshot, data []byte) {
	t.Helper()
	c, err := clustertest.New(clustertest.Options{Seed: 1, Pods: pods / 20, Steady: pods - pods/20, Nodes: pods / 20, Revisions: revisions})
	if err != nil {
		t.Fatal(err)
	}
	open := func(data []byte) *snapshot.Snapshot {
		s, err := snapshot.OpenBytes(t.Context(), "snapshot.db", data, snapshot.Options{SkipHashCheck: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	return open(c.Backup), open(c.Current), c.Current
}

// TestAllocations holds what each stage allocates against what it did when that was last
// written down: a tenth more fails. Counts do not depend on the machine, as times do.
func TestAllocations(t *testing.T) {
	const path, pods, slack = "testdata/allocations.txt", 2_000, 1.1
	backup, current, data := cluster(t, pods, 20_000)
	old, err := os.ReadFile(path)
	if err != nil && !golden.Updating() {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var b strings.Builder
	for _, s := range stages(t, backup, current, data, pods) {
		allocs, bytes, err := allocated(s.run)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		each := func(n uint64) float64 { return float64(n) / float64(s.of) }
		fmt.Fprintf(&b, "%s/%s %.2f allocations %.0f bytes\n", s.name, s.each, each(allocs), each(bytes))
		var wasAllocs, wasBytes float64
		if _, rest, ok := strings.Cut("\n"+string(old), "\n"+s.name+"/"+s.each+" "); ok {
			fmt.Sscanf(rest, "%f allocations %f bytes", &wasAllocs, &wasBytes)
		}
		if !golden.Updating() && (each(allocs) > wasAllocs*slack+0.1 || each(bytes) > wasBytes*slack+10) {
			t.Errorf("%s: %.2f allocations and %.0f bytes each %s, and were %.2f and %.0f (go test ./bench -update, if that is right)", s.name, each(allocs), each(bytes), s.each, wasAllocs, wasBytes)
		}
	}
	t.Logf("\n%s", &b)
	if golden.Updating() {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// allocated is the least that one of several runs allocates: the first fill what is used
// again.
func allocated(run func() error) (allocs, bytes uint64, err error) {
	var before, after runtime.MemStats
	for i := range 4 {
		runtime.GC()
		runtime.ReadMemStats(&before)
		if err := run(); err != nil {
			return 0, 0, err
		}
		runtime.ReadMemStats(&after)
		a, b := after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
		if i == 0 || b < bytes {
			allocs, bytes = a, b
		}
	}
	return allocs, bytes, nil
}

// BenchmarkStages times each stage: go test ./bench -bench Stages.
func BenchmarkStages(b *testing.B) {
	const pods = 5_000
	backup, current, data := cluster(b, pods, 60_000)
	for _, s := range stages(b, backup, current, data, pods) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.of), "ns/"+s.each)
		})
	}
}
