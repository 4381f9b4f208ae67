package oracle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.uber.org/zap"

	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// TestHashKV holds the hash at every retained revision against that of etcd's
// own store, without the hashes that a store remembers of its compactions. Of
// the larger files some fifty revisions are taken.
func TestHashKV(t *testing.T) {
	for _, f := range files(t) {
		t.Run(f.name, func(t *testing.T) { compareHashKV(t, f.path, f.model != nil) })
	}
}

// TestHashKVNoKeys is about revisions at which no key exists, for which etcd
// hashes what a compaction has left of keys that were deleted since.
func TestHashKVNoKeys(t *testing.T) {
	for name, compact := range map[string]func(s *fixture.Store, rev int64) error{
		"finished":  (*fixture.Store).CompactTo,
		"scheduled": func(s *fixture.Store, rev int64) error { s.ScheduleCompact(rev); return nil },
	} {
		for rev := int64(2); rev <= 9; rev++ {
			t.Run(fmt.Sprint(name, "-", rev), func(t *testing.T) {
				var m fixture.Model
				store := fixture.OpenStore(filepath.Join(t.TempDir(), "db"))
				put := func(key, value string) { m.Apply(store, fixture.Op{Key: key, Value: value}) }
				put("a", "1")
				put("b", "2")
				put("a", "3")
				m.Apply(store, fixture.Op{Key: "a", Delete: true})
				m.Apply(store, fixture.Op{Key: "b", Delete: true}) // 6
				put("a", "4")
				m.Apply(store, fixture.Op{Key: "a", Delete: true}) // 8
				put("c", "5")
				if err := compact(store, rev); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(t.TempDir(), "snapshot.db")
				if err := store.Save(path, true); err != nil {
					t.Fatal(err)
				}
				if err := store.Close(); err != nil {
					t.Fatal(err)
				}
				compareHashKV(t, path, true)
			})
		}
	}
}

func compareHashKV(t *testing.T, path string, all bool) {
	t.Helper()
	s := open(t, path)
	copied := clone(t, path)
	if err := fixture.OpenStore(copied).Close(); err != nil { // finishes a compaction under way
		t.Fatal(err)
	}
	be := backend.New(backend.BackendConfig{
		Path: copied, BatchInterval: time.Hour, BatchLimit: 10_000, MmapSize: 1 << 32, UnsafeNoFsync: true, Logger: zap.NewNop(),
	})
	defer be.Close()
	store := mvcc.NewStore(zap.NewNop(), be, &lease.FakeLessor{}, mvcc.StoreConfig{})
	defer store.Close()
	hashes := mvcc.NewHashStorage(zap.NewNop(), store)

	first, head := max(store.FirstRev(), 1), store.Rev()
	step := int64(1)
	if !all {
		step = max(1, (head-first)/50)
	}
	revs := []int64{0, first - 1, head, head + 1}
	for rev := first; rev <= head; rev += step {
		revs = append(revs, rev)
	}
	for _, rev := range revs {
		theirs, current, theirErr := hashes.HashByRev(rev)
		ours, err := s.HashKV(t.Context(), rev)
		if errors.Is(theirErr, mvcc.ErrCompacted) != errors.Is(err, snapshot.ErrCompacted) ||
			errors.Is(theirErr, mvcc.ErrFutureRev) != errors.Is(err, snapshot.ErrFuture) || (theirErr == nil) != (err == nil) {
			t.Fatalf("at revision %d etcd says %v, revenant %v", rev, theirErr, err)
		}
		if err != nil {
			continue
		}
		want := snapshot.HashKV{Hash: theirs.Hash, HashRevision: theirs.Revision, CompactRevision: theirs.CompactRevision, Revision: current}
		if diff := cmp.Diff(want, ours); diff != "" {
			t.Fatalf("at revision %d (-etcd +revenant):\n%s", rev, diff)
		}
	}
}

// TestHashKVCommand holds it against etcdutl hashkv, which resumes a scheduled
// compaction and does not wait for its end.
func TestHashKVCommand(t *testing.T) {
	t.Parallel()
	etcdutl := tool(t, "etcdutl")
	for _, f := range files(t) {
		t.Run(f.name, func(t *testing.T) {
			s := open(t, f.path)
			for _, rev := range []int64{0, (s.Revision() + s.CompactRevision()) / 2} {
				out, err := exec.CommandContext(t.Context(), etcdutl, "hashkv", clone(t, f.path), fmt.Sprintf("--rev=%d", rev), "-w", "json").Output()
				if err != nil {
					t.Fatalf("etcdutl: %v %s", err, out)
				}
				var want snapshot.HashKV
				if err := json.Unmarshal(out, &want); err != nil {
					t.Fatal(err)
				}
				got, err := s.HashKV(t.Context(), rev)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(snapshot.HashKV{}, "Revision")); diff != "" {
					t.Errorf("at revision %d (-etcdutl +revenant):\n%s", rev, diff)
				}
			}
		})
	}
}

// TestHashKVServer holds it against a running server: before a compaction, after
// it, after it was restarted, and when it was stopped with a compaction scheduled.
func TestHashKVServer(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	data := filepath.Join(dir, "data")
	server := fixture.StartServer(t, data)
	saves := 0
	compare := func(skip int64) {
		t.Helper()
		saves++
		path := filepath.Join(dir, fmt.Sprintf("saved-%d.db", saves))
		// The server writes its storage version by itself, some time after its start: a snapshot
		// counts that was saved between two hashes that are one.
		hash := func() uint32 {
			t.Helper()
			h, _, err := server.Etcd.Server.KV().HashStorage().Hash()
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		whole := hash()
		for again := true; again; {
			if err := server.Save(ctx, path); err != nil {
				t.Fatal(err)
			}
			after := hash()
			again, whole = after != whole, after
		}
		s := open(t, path)
		if got, err := s.Hash(ctx); err != nil || got != whole {
			t.Errorf("the hash of the db is %d, %v, etcd says %d", got, err, whole)
		}
		for rev := s.CompactRevision(); rev <= s.Revision(); rev++ {
			theirs, err := server.HashKV(ctx, "", rev)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.HashKV(ctx, rev)
			if err != nil {
				t.Fatal(err)
			}
			want := snapshot.HashKV{Hash: theirs.Hash, HashRevision: theirs.HashRevision, CompactRevision: theirs.CompactRevision, Revision: theirs.Header.Revision}
			if same := cmp.Equal(want, got); same == (skip != 0 && rev == skip) {
				t.Errorf("at revision %d (-etcd +revenant):\n%s", rev, cmp.Diff(want, got))
			}
		}
	}
	write := func(n int) {
		t.Helper()
		for i := range n {
			key := fmt.Sprintf("key-%d", i%7)
			var err error
			switch {
			case i%5 == 3:
				_, err = server.Delete(ctx, key)
			case i%11 == 10:
				_, err = server.Txn(ctx).Then(clientv3.OpPut(key, "txn"), clientv3.OpDelete("other"), clientv3.OpPut("another", key)).Commit()
			default:
				_, err = server.Put(ctx, key, fmt.Sprint("value ", i))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	compact := func(back int64) int64 {
		t.Helper()
		r, err := server.Get(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		rev := r.Header.Revision - back
		if _, err := server.Compact(ctx, rev, clientv3.WithCompactPhysical()); err != nil {
			t.Fatal(err)
		}
		return rev
	}

	write(40)
	compare(0)
	compact(20)
	write(10)
	// What the server has remembered of the compaction is another hash than it
	// answers once it has been restarted.
	compare(compact(15))
	server.Stop()
	server = fixture.StartServer(t, data)
	compare(0)
	if _, err := server.Delete(ctx, "", clientv3.WithFromKey()); err != nil {
		t.Fatal(err)
	}
	compact(0) // a tombstone exactly at the compact revision
	server.Stop()
	server = fixture.StartServer(t, data)
	compare(0)
	write(3)
	if _, err := server.Delete(ctx, "", clientv3.WithFromKey()); err != nil {
		t.Fatal(err)
	}
	compare(0) // no key exists
}
