package oracle

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

var carveSeeds = flag.Int("carve-seeds", 3, "how often the steady workload is carved")

// written remembers what was put under every revision.
type written struct {
	mu     sync.Mutex
	values map[int64][32]byte // hash of key and value
	gone   map[int64]string   // deletions, by revision
}

func sum(key string, value []byte) [32]byte {
	return sha256.Sum256(append([]byte(key+"\x00"), value...))
}

// workload is what clients of an etcd do for some compaction cycles.
type workload struct {
	keys, cycles, writes int
	size                 func(*rand.Rand) int // of a value in bytes
	deletions            float64              // share of the writes
}

// run runs the workload on an embedded server, as an API server compacts: every
// cycle to where the one before ended. Then it saves a snapshot.
func (w workload) run(t *testing.T, seed uint64) (path string, all *written) {
	t.Helper()
	server := fixture.StartServer(t, t.TempDir())
	defer server.Stop()
	all = &written{values: map[int64][32]byte{}, gone: map[int64]string{}}
	rng := rand.New(rand.NewPCG(seed, 0x636172))
	zipf := rand.NewZipf(rng, 1.2, 8, uint64(w.keys-1))
	var ends []int64
	for range w.cycles {
		w.cycle(t, server, all, rng, zipf, w.writes)
		ends = append(ends, server.Etcd.Server.KV().Rev())
		if n := len(ends); n > 1 {
			if _, err := server.Etcd.Server.Compact(t.Context(), &pb.CompactionRequest{Revision: ends[n-2], Physical: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	path = filepath.Join(t.TempDir(), "snapshot.db")
	if err := server.Save(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return path, all
}

// cycle writes with some clients at a time.
func (w workload) cycle(t *testing.T, server *fixture.Server, all *written, rng *rand.Rand, zipf *rand.Zipf, writes int) {
	const clients = 16
	type op struct {
		key    string
		value  []byte
		delete bool
	}
	ops := make(chan op, clients)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for o := range ops {
				ctx := context.Background()
				if o.delete {
					r, err := server.Etcd.Server.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte(o.key)})
					if err != nil {
						t.Error(err)
					} else if r.Deleted > 0 {
						all.mu.Lock()
						all.gone[r.Header.Revision] = o.key
						all.mu.Unlock()
					}
					continue
				}
				r, err := server.Etcd.Server.Put(ctx, &pb.PutRequest{Key: []byte(o.key), Value: o.value})
				if err != nil {
					t.Error(err)
					continue
				}
				hash := sum(o.key, o.value)
				all.mu.Lock()
				all.values[r.Header.Revision] = hash
				all.mu.Unlock()
			}
		})
	}
	for range writes {
		o := op{key: fmt.Sprintf("/registry/configmaps/default/object-%05d", zipf.Uint64()), delete: rng.Float64() < w.deletions}
		if !o.delete {
			o.value = make([]byte, w.size(rng))
			for i := range o.value {
				o.value[i] = byte(rng.Uint32())
			}
		}
		ops <- o
	}
	close(ops)
	wg.Wait()
}

// check holds every carved record against what was put, and its label against what
// the store has.
func (all *written) check(t *testing.T, s *snapshot.Snapshot, c *snapshot.Carving) {
	t.Helper()
	deleted := map[string]int64{}
	for rev, key := range all.gone {
		deleted[key] = max(deleted[key], rev)
	}
	for r := range c.Records {
		_, err := s.Get(r.Key, 0)
		live := err == nil
		if r.Tombstone {
			if all.gone[r.Main] != r.Key {
				t.Errorf("revision %d is no deletion of %s", r.Main, r.Key)
			}
		} else {
			value, err := s.Value(r.Record)
			if err != nil {
				t.Fatal(err)
			}
			if all.values[r.Main] != sum(r.Key, value) {
				t.Errorf("revision %d of %s: %d bytes that were not put", r.Main, r.Key, len(value))
			}
		}
		switch {
		case live != (r.Label == snapshot.Superseded) && r.Sure == snapshot.Sure:
			t.Errorf("revision %d of %s is %s (%s), its key exists: %v", r.Main, r.Key, r.Label, r.Reason, live)
		case r.Label == snapshot.Deleted && r.Sure == snapshot.Sure && deleted[r.Key] < r.Main:
			t.Errorf("revision %d of %s is deleted (%s), and it was not after it", r.Main, r.Key, r.Reason)
		}
	}
}

// recall is the share of the revisions gone, at some distance behind the compact
// revision, that were recovered.
func recall(s *snapshot.Snapshot, all *written, c *snapshot.Carving, from, to int64) float64 {
	kept, recovered := map[int64]bool{}, map[int64]bool{}
	for r := range s.Records() {
		kept[r.Main] = true
	}
	for r := range c.Records {
		recovered[r.Main] = true
	}
	gone, found := 0, 0
	for rev := s.CompactRevision() - to + 1; rev <= s.CompactRevision()-from; rev++ {
		if _, put := all.values[rev]; !put || kept[rev] {
			continue
		}
		gone++
		if recovered[rev] {
			found++
		}
	}
	return float64(found) / float64(max(gone, 1))
}

func kilobyte(rng *rand.Rand) int { return 800 + rng.IntN(200) }

func TestCarve(t *testing.T) {
	t.Parallel()
	steady := workload{keys: 2000, cycles: 20, writes: 6000, size: kilobyte}
	var near, far []float64
	for seed := range *carveSeeds {
		path, all := steady.run(t, uint64(seed))
		s := open(t, path)
		c, err := s.Carve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all.check(t, s, c)
		n, f := recall(s, all, c, 0, 2000), recall(s, all, c, 4000, 8000)
		t.Logf("seed %d: %.1f %% within 2,000 of the compact revision, %.1f %% at 2,000 to 4,000, %.1f %% at 4,000 to 8,000; %d carved, %d conflicts; windows %+v",
			seed, 100*n, 100*recall(s, all, c, 2000, 4000), 100*f, c.Count, c.Conflicts, c.Windows)
		near, far = append(near, n), append(far, f)
	}
	slices.Sort(near)
	slices.Sort(far)
	if n, f := near[len(near)/2], far[len(far)/2]; n < 0.8 || f < 0.4 {
		t.Errorf("median recall is %.1f %% near, %.1f %% far", 100*n, 100*f)
	}
}

// TestCarveOther carves what other workloads leave: no value is wrong, and no label.
func TestCarveOther(t *testing.T) {
	for name, w := range map[string]workload{
		"large values": {keys: 200, cycles: 4, writes: 600, size: func(rng *rand.Rand) int { return rng.IntN(40_000) }},
		"tiny values":  {keys: 500, cycles: 5, writes: 3000, size: func(rng *rand.Rand) int { return rng.IntN(8) }},
		"deletions":    {keys: 800, cycles: 5, writes: 2500, size: kilobyte, deletions: 0.35},
	} {
		t.Run(name, func(t *testing.T) {
			path, all := w.run(t, 1)
			s := open(t, path)
			c, err := s.Carve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all.check(t, s, c)
			labels := map[snapshot.Label]int{}
			for r := range c.Records {
				labels[r.Label]++
			}
			t.Logf("%d carved: %v, %d conflicts", c.Count, labels, c.Conflicts)
			if c.Count == 0 || w.deletions > 0 && labels[snapshot.Deleted]+labels[snapshot.Compacted] == 0 {
				t.Error("nothing to judge")
			}
		})
	}
}
