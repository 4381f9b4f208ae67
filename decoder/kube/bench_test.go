package kube

import (
	"strings"
	"testing"
)

// pods returns the stored pods of one snapshot.
func pods(tb testing.TB, file string) [][]byte {
	tb.Helper()
	var values [][]byte
	for _, r := range records(tb) {
		if r.file == file && strings.HasPrefix(r.key, "/registry/pods/") {
			values = append(values, r.value)
		}
	}
	if len(values) == 0 {
		tb.Fatalf("no pods in %s", file)
	}
	return values
}

func BenchmarkScanPod(b *testing.B) {
	values := pods(b, "scenario-1/plain/current.db.gz")
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := ScanPod(values[n%len(values)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pods/s")
}

func BenchmarkDecodePod(b *testing.B) {
	values := pods(b, "scenario-1/plain/current.db.gz")
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if o := Decode(Key{}, values[n%len(values)]); o.Typed == nil {
			b.Fatal(o.Problem)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pods/s")
}

func BenchmarkParseKey(b *testing.B) {
	all := records(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		ParseKey(DefaultPrefix, all[n%len(all)].key)
		n++
	}
}
