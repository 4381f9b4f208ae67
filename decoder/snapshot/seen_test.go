package snapshot

import (
	"math"
	"testing"

	"revenant/decoder/container"
	"revenant/decoder/wal"
)

// TestSeenRevision: whatever shows that etcd was further than the records raises what it has
// reached, and nothing lowers it.
func TestSeenRevision(t *testing.T) {
	at := Meta{FinishedCompact: 100} // the revision of a store without records
	gap := func(from, to uint64) []wal.Gap { return []wal.Gap{{From: from, To: to}} }
	tests := []struct {
		name  string
		shows func(*Snapshot)
		want  int64
	}{
		{"the records alone", func(*Snapshot) {}, 100},
		{"a newer page in no bucket", func(s *Snapshot) { s.unusedRevision = 120 }, 120},
		{"an older one", func(s *Snapshot) { s.unusedRevision = 90 }, 100},
		{"entries that were not applied", func(s *Snapshot) { s.wal = &WAL{Uncommitted: 3} }, 103},
		{"entries that are missing", func(s *Snapshot) { s.wal = &WAL{Missing: gap(5, 9)} }, 105},
		{"both, above a page", func(s *Snapshot) { s.unusedRevision, s.wal = 120, &WAL{Uncommitted: 3, Missing: gap(5, 9)} }, 128},
		{"more than can be counted", func(s *Snapshot) { s.wal = &WAL{Uncommitted: 3, Missing: gap(1, math.MaxUint64)} }, math.MaxInt64},
		{"delta files", func(s *Snapshot) { s.deltas = &Deltas{LastSeen: 150} }, 150},
		{"delta files before the end", func(s *Snapshot) { s.deltas = &Deltas{LastSeen: 90} }, 100},
		{"a newer snapshot beside it", func(s *Snapshot) { s.evidence = &container.Evidence{Newer: 130} }, 130},
		{"none beside it", func(s *Snapshot) { s.evidence = &container.Evidence{} }, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Snapshot{meta: at, index: &index{}}
			tt.shows(s)
			if got := s.SeenRevision(); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
