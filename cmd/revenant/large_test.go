package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/clustertest"
)

// definition is a CustomResourceDefinition as controller-gen writes them: with printer
// columns and a schema of some kilobytes.
func definition(n int, generation string) string {
	var schema strings.Builder
	for i := range 24 {
		fmt.Fprintf(&schema, `"field%d":{"description":"Field %d is what the controller is told about the part of the resource that it looks after; it can be left out.","type":"object","properties":{"name":{"type":"string","maxLength":253},"count":{"type":"integer","format":"int32","minimum":0}}},`, i, i)
	}
	return fmt.Sprintf(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets%[1]d.g%[2]d.example.com","uid":"0000-%[1]d","generation":1,"creationTimestamp":"2026-01-02T03:04:05Z","annotations":{"generation":%[4]q}},`+
		`"spec":{"group":"g%[2]d.example.com","names":{"plural":"widgets%[1]d","singular":"widget%[1]d","kind":"Widget%[1]d","listKind":"Widget%[1]dList","shortNames":["w%[1]d"]},"scope":"Namespaced","versions":[{"name":"v1","served":true,"storage":true,`+
		`"additionalPrinterColumns":[{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}],`+
		`"schema":{"openAPIV3Schema":{"type":"object","properties":{%[3]s"status":{"type":"object"}}}}}],"conversion":{"strategy":"None"}},`+
		`"status":{"acceptedNames":{"plural":"widgets%[1]d","kind":"Widget%[1]d"},"storedVersions":["v1"]}}`, n, n%500, &schema, generation)
}

// definitions writes a pair of snapshots with so many definitions, of which all differ
// between the two.
func definitions(t testing.TB, n int) {
	t.Helper()
	var changes []snapshottest.Change
	for _, generation := range []string{"backup", "current"} {
		for i := range n {
			changes = append(changes, snapshottest.Put(fmt.Sprintf("/registry/apiextensions.k8s.io/customresourcedefinitions/widgets%d.g%d.example.com", i, i%500), definition(i, generation)))
		}
		if err := os.WriteFile(generation+".db", snapshottest.Bytes(t, changes...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// manyDefinitions are the commands that read all definitions of both snapshots.
var manyDefinitions = []string{
	"inspect backup.db --skip-hash-check", "predict backup.db current.db --skip-hash-check", "plan backup.db current.db --skip-hash-check", "preflight backup.db current.db --skip-hash-check", "backup.db current.db --skip-hash-check",
}

// TestManyDefinitions bounds what a command allocates for a definition: decoding one
// whole, with its schema, costs a hundred times its size, and took half a minute for
// 10,000 of them.
func TestManyDefinitions(t *testing.T) {
	const few, many, most = 100, 1100, 160 << 10 // bytes a definition, which has 9 kB in each snapshot
	for _, line := range manyDefinitions {
		t.Run(line, func(t *testing.T) {
			more := allocated(t, line, many) - allocated(t, line, few)
			if each := more / (many - few); each > most {
				t.Errorf("%d bytes a definition", each)
			} else {
				t.Logf("%d bytes a definition", each)
			}
		})
	}
}

// allocated is how many bytes a command allocates with n definitions.
func allocated(t *testing.T, line string, n int) int64 {
	t.Helper()
	t.Chdir(t.TempDir())
	definitions(t, n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	quietly(t, line)
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func quietly(t testing.TB, line string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), strings.Fields(line), streams{in: strings.NewReader(""), out: &out, err: &errs}); code == exitFailed {
		t.Fatalf("%s: %s", line, &errs)
	}
}

// BenchmarkManyDefinitions runs commands with 10,000 definitions: under three seconds
// each on a machine that has nothing else to do.
func BenchmarkManyDefinitions(b *testing.B) {
	b.Chdir(b.TempDir())
	definitions(b, 10_000)
	for _, line := range manyDefinitions {
		b.Run(line, func(b *testing.B) {
			for b.Loop() {
				quietly(b, line)
			}
		})
	}
}

// manyPods are the commands that read all pods of both snapshots.
var manyPods = []string{
	"inspect current.db --skip-hash-check", "predict backup.db current.db --skip-hash-check", "predict backup.db current.db --skip-hash-check -o json=/dev/null",
	"predict backup.db current.db --skip-hash-check -o yaml=/dev/null", "plan backup.db current.db --skip-hash-check", "backup.db current.db --skip-hash-check",
}

// BenchmarkManyPods runs commands with 100,000 pods on 5,000 nodes, and measures the
// most that a garbage collection finds in use, which is about half of what the process
// takes.
func BenchmarkManyPods(b *testing.B) {
	const pods, nodes = 100_000, 5_000
	c, err := clustertest.New(clustertest.Options{Seed: 1, Pods: pods, Nodes: nodes})
	if err != nil {
		b.Fatal(err)
	}
	b.Chdir(b.TempDir())
	if err := errors.Join(os.WriteFile("backup.db", c.Backup, 0o600), os.WriteFile("current.db", c.Current, 0o600)); err != nil {
		b.Fatal(err)
	}
	c = nil
	for _, line := range manyPods {
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			most := uint64(0)
			for b.Loop() {
				most = max(most, mostLive(func() { quietly(b, line) }))
			}
			b.ReportMetric(float64(most)/pods, "live-B/pod")
		})
	}
}

// mostLive is the most that is found in use while f runs, in bytes.
func mostLive(f func()) (most uint64) {
	runtime.GC() // or what was in use before counts
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for tick := time.NewTicker(time.Millisecond); ; {
			metrics.Read(live)
			most = max(most, live[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	f()
	close(done)
	wg.Wait()
	return most
}
