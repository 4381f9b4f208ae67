package oracle

import (
	"os"
	"path/filepath"
	"testing"

	etcdutl "go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"

	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// BenchmarkOpen opens and indexes a snapshot of 100,000 revisions, beside what
// etcdutl takes to print its status. `go run ./bench` measures files of a
// gigabyte.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "large.db")
	large := fixture.Large{Revisions: 100_000, Keys: 10_000, Value: 900, Seed: 1}
	if err := large.Write(path); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, open func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if err := open(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	open := func(opts snapshot.Options) func() error {
		return func() error {
			s, err := snapshot.Open(b.Context(), path, opts)
			if err != nil {
				return err
			}
			if _, err := s.Integrity(b.Context()); err != nil {
				return err
			}
			return s.Close()
		}
	}
	run("skip-hash-check", open(snapshot.Options{SkipHashCheck: true}))
	run("one-worker", open(snapshot.Options{SkipHashCheck: true, Workers: 1}))
	run("verified", open(snapshot.Options{}))
	run("etcdutl-status", func() error {
		_, err := etcdutl.NewV3(zap.NewNop()).Status(path)
		return err
	})
}

// BenchmarkHashKV hashes the records of that snapshot, beside the status's hash
// of the whole file.
func BenchmarkHashKV(b *testing.B) {
	path := filepath.Join(b.TempDir(), "large.db")
	large := fixture.Large{Revisions: 100_000, Keys: 10_000, Value: 900, Seed: 1}
	if err := large.Write(path); err != nil {
		b.Fatal(err)
	}
	s, err := snapshot.Open(b.Context(), path, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.Run("hashkv", func(b *testing.B) {
		b.SetBytes(s.Size())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.HashKV(b.Context(), 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("status", func(b *testing.B) {
		b.SetBytes(s.Size())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Status(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
