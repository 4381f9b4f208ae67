// Package crash kills etcd in the middle of its work and holds what revenant
// reads from the data directory against what etcd itself has after a restart.
package crash

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
)

var seeds = flag.Int("seeds", 120, "how many times etcd is killed")

// victim is the variable by which the test's own program, run once more, is told
// to be the etcd that dies: SEED DIRECTORY.
const victim = "REVENANT_CRASH_VICTIM"

func TestMain(m *testing.M) {
	if seed, err := strconv.ParseUint(os.Getenv(victim), 10, 64); err == nil {
		if err := die(seed, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1) // it should be dead by now
	}
	if os.Getenv(clusterMember) != "" {
		wal.SegmentSizeBytes = 64 << 10 // so that there are many
		etcdmain.Main(os.Args)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// start starts an etcd of one member. Its ticks are short, so that it is leader
// at once.
func start(dir string, change func(*embed.Config)) (*embed.Etcd, error) {
	cfg := embed.NewConfig()
	cfg.Dir = dir
	free := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.ListenPeerUrls, cfg.ListenClientUrls = free, free
	cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = free, free
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.TickMs, cfg.ElectionMs = 10, 50
	cfg.UnsafeNoFsync = true
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	if change != nil {
		change(cfg)
	}
	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, err
	case <-time.After(time.Minute):
		return nil, fmt.Errorf("etcd did not start within a minute")
	}
}

// die is an etcd that works and is killed, with whatever its db has by then.
func die(seed uint64, dir string) error {
	w := newWorkload(seed)
	etcd, err := start(dir, func(cfg *embed.Config) {
		cfg.BackendBatchInterval = []time.Duration{time.Millisecond, 20 * time.Millisecond, time.Hour, time.Hour}[w.IntN(4)]
		cfg.BackendBatchLimit = []int{10, 100, 10_000, 10_000}[w.IntN(4)]
		cfg.SnapshotCount = []uint64{50, 1000, 10_000}[w.IntN(3)]
	})
	if err != nil {
		return err
	}
	if err := w.run(context.Background(), etcd.Server); err != nil {
		return err
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		return err
	}
	select {}
}

// TestKilledEtcd compares, for every seed, every record that revenant finds in
// the data directory of a killed etcd with those the restarted one has.
func TestKilledEtcd(t *testing.T) {
	var mu sync.Mutex
	var behind, tails, compactions int
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(*seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				s := killed(t, seed)
				mu.Lock()
				defer mu.Unlock()
				if w := s.WAL(); w != nil {
					behind += int(s.Revision() - w.DBRevision)
					tails += w.Tail
				}
				if s.CompactRevision() > 0 {
					compactions++
				}
			})
		}
	})
	t.Logf("the dbs were %d revisions behind in all, %d entries were after the last commit, %d stores were compacted", behind, tails, compactions)
	if behind == 0 || tails == 0 || compactions == 0 {
		t.Error("the log had nothing to add: nothing was tested")
	}
}

func killed(t *testing.T, seed uint64) *snapshot.Snapshot {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", victim, seed))
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("etcd was not killed: %v\n%s", err, output)
	}

	s, err := snapshot.Open(t.Context(), dir, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, p := range s.Problems() {
		if p.Severity == snapshot.Damage {
			t.Errorf("problem in the directory of a killed etcd: %v", p)
		}
	}
	got := ours(t, s)
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Unchanged(); err != nil {
		t.Error(err)
	}
	want, revision := theirs(t, dir)
	if s.Revision() != revision {
		t.Errorf("revision is %d, etcd's %d", s.Revision(), revision)
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			near := func(list []record) []record { return list[min(max(i-1, 0), len(list)):min(i+2, len(list))] }
			t.Errorf("%+v\nof %d and %d records number %d differs (-etcd +revenant):\n%s", s.WAL(), len(want), len(got), i, cmp.Diff(near(want), near(got)))
			break
		}
	}
	return s
}

// record is all there is of a record.
type record struct {
	Main, Sub              int64
	Tombstone              bool
	Key, Value             string
	Create, Version, Lease int64
}

func ours(t *testing.T, s *snapshot.Snapshot) (list []record) {
	t.Helper()
	for r := range s.Records() {
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		lease, err := s.Lease(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, record{r.Main, r.Sub, r.Tombstone, r.Key, string(value), r.CreateRevision, r.Version, lease})
	}
	return list
}

// theirs restarts etcd and reads its store, once a compaction that was under way
// has finished.
func theirs(t *testing.T, dir string) (list []record, revision int64) {
	t.Helper()
	etcd, err := start(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer etcd.Close()
	tx := etcd.Server.Backend().ReadTx()
	await(t, "the compaction to end", func() bool {
		tx.RLock()
		defer tx.RUnlock()
		_, scheduled := tx.UnsafeRange(schema.Meta, schema.ScheduledCompactKeyName, nil, 0)
		_, finished := tx.UnsafeRange(schema.Meta, schema.FinishedCompactKeyName, nil, 0)
		return slices.EqualFunc(scheduled, finished, bytes.Equal)
	})
	etcd.Server.Backend().ForceCommit() // a read does not see what is deleted and not committed
	tx.RLock()
	defer tx.RUnlock()
	err = tx.UnsafeForEach(schema.Key, func(k, v []byte) error {
		var kv mvccpb.KeyValue
		if err := proto.Unmarshal(v, &kv); err != nil {
			return err
		}
		list = append(list, record{
			int64(binary.BigEndian.Uint64(k)), int64(binary.BigEndian.Uint64(k[9:])), len(k) == 18,
			string(kv.Key), string(kv.Value), kv.CreateRevision, kv.Version, kv.Lease,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, etcd.Server.KV().Rev()
}
