package oracle

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"

	"revenant/decoder/wal"
)

// logEntry is what both readers say of an entry.
type logEntry struct {
	Index, Term uint64
	Data        string
}

// writeLog makes a log of many segments with etcd's own writer: entries that are
// overruled by a later term, states, snapshots.
func writeLog(t *testing.T, rng *rand.Rand) (dir string, snapshots []*walpb.Snapshot) {
	t.Helper()
	size := etcdwal.SegmentSizeBytes
	etcdwal.SegmentSizeBytes = 16 << 10
	t.Cleanup(func() { etcdwal.SegmentSizeBytes = size })
	dir = filepath.Join(t.TempDir(), "wal")
	w, err := etcdwal.Create(zap.NewNop(), dir, []byte("\x08\x01\x10\x02"))
	if err != nil {
		t.Fatal(err)
	}
	snapshots = append(snapshots, &walpb.Snapshot{Index: new(uint64), Term: new(uint64)})
	index, term, commit := uint64(0), uint64(1), uint64(0)
	for range 200 {
		if rng.IntN(10) == 0 && index > commit+1 {
			index = commit + rng.Uint64N(index-commit) // a new leader overrules what is not agreed on
			term++
		}
		var entries []*raftpb.Entry
		for range rng.IntN(6) {
			index++
			data := make([]byte, rng.IntN(600))
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			entries = append(entries, &raftpb.Entry{Index: new(index), Term: new(term), Data: data})
		}
		commit += rng.Uint64N(index - commit + 1)
		state := &raftpb.HardState{Term: new(term), Vote: new(uint64(1)), Commit: new(commit)}
		if err := w.Save(state, entries); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(20) == 0 && commit > 0 {
			s := &walpb.Snapshot{Index: new(commit), Term: new(term), ConfState: &raftpb.ConfState{Voters: []uint64{1}}}
			if err := w.SaveSnapshot(s); err != nil {
				t.Fatal(err)
			}
			snapshots = append(snapshots, s)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, snapshots
}

// TestLog reads logs as etcd's own reader does, from every snapshot on.
func TestLog(t *testing.T) {
	for seed := range uint64(20) {
		dir, snapshots := writeLog(t, rand.New(rand.NewPCG(seed, 7)))
		files, err := os.ReadDir(dir)
		if err != nil || len(files) < 5 {
			t.Fatalf("%d segments, %v", len(files), err)
		}
		for _, s := range snapshots {
			w, err := etcdwal.OpenForRead(zap.NewNop(), dir, s)
			if err != nil {
				t.Fatal(err)
			}
			metadata, state, entries, err := w.ReadAll()
			if err != nil {
				t.Fatalf("seed %d from %d: %v", seed, s.GetIndex(), err)
			}
			w.Close()
			log, err := wal.Read(t.Context(), dir, s.GetIndex())
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(log.Faults, func(f wal.Fault) bool { return f.Damage }) {
				t.Errorf("seed %d: faults %v", seed, log.Faults)
			}
			var want, got []logEntry
			for _, e := range entries {
				want = append(want, logEntry{e.GetIndex(), e.GetTerm(), string(e.Data)})
			}
			for _, e := range log.Entries {
				got = append(got, logEntry{e.Index, e.Term, string(e.Data)})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d from %d (-etcd +revenant):\n%s", seed, s.GetIndex(), diff)
			}
			if log.Commit != state.GetCommit() || log.Term != state.GetTerm() || log.NodeID != 1 || log.ClusterID != 2 || len(metadata) == 0 {
				t.Errorf("seed %d: commit %d, term %d, node %d, cluster %d; etcd %v", seed, log.Commit, log.Term, log.NodeID, log.ClusterID, state)
			}
		}
	}
}

// TestLogWithoutSegment takes segments away: what follows the gap is not read,
// and the gap is damage.
func TestLogWithoutSegment(t *testing.T) {
	dir, _ := writeLog(t, rand.New(rand.NewPCG(1, 8)))
	whole, err := wal.Read(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	gone := len(whole.Segments) / 2
	if err := os.Remove(filepath.Join(dir, whole.Segments[gone])); err != nil {
		t.Fatal(err)
	}
	log, err := wal.Read(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Segments) != gone || len(log.Entries) == 0 || len(log.Entries) >= len(whole.Entries) {
		t.Errorf("%d segments of %d, %d entries of %d", len(log.Segments), len(whole.Segments), len(log.Entries), len(whole.Entries))
	}
	if !slices.ContainsFunc(log.Faults, func(f wal.Fault) bool { return f.Damage }) {
		t.Errorf("faults %v", log.Faults)
	}
	// After the gap there is a log again, for a db that needs nothing before it.
	later, err := wal.Read(t.Context(), dir, whole.Last(0)-1)
	if err != nil || len(later.Entries) != 1 || slices.ContainsFunc(later.Faults, func(f wal.Fault) bool { return f.Damage }) {
		t.Errorf("%+v, %v", later, err)
	}
}
