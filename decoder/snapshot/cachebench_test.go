package snapshot

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"revenant/internal/clustertest"
)

var cacheFile = flag.String("cachefile", "", "snapshot that BenchmarkCache opens, instead of one that it makes")

// BenchmarkCache opens a snapshot by indexing it, and by its entry in a cache.
func BenchmarkCache(b *testing.B) {
	path := *cacheFile
	if path == "" {
		c, err := clustertest.New(clustertest.Options{Seed: 1, Pods: 500, Nodes: 100, Revisions: 50_000})
		if err != nil {
			b.Fatal(err)
		}
		path = filepath.Join(b.TempDir(), "snapshot.db")
		if err := os.WriteFile(path, c.Current, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cache := cacheOf(b, filepath.Join(b.TempDir(), "cache"), path)
	openFile(b, path, Options{SkipHashCheck: true, Cache: cache})
	for _, bench := range []struct {
		name     string
		opts     Options
		recalled bool
	}{
		{"index", Options{SkipHashCheck: true}, false},
		{"recall", Options{SkipHashCheck: true, Cache: cache}, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := Open(b.Context(), path, bench.opts)
				if err != nil {
					b.Fatal(err)
				}
				if recalled := s.memory.recall() != nil; recalled != bench.recalled {
					b.Fatalf("recalled %v", recalled)
				}
				s.Close()
			}
		})
	}
}
