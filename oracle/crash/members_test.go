package crash

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"

	"revenant/decoder/snapshot"
)

// cluster starts an etcd of three members whose dbs are not written while the
// test runs: all that they do is in their logs.
func cluster(t *testing.T) (members []*embed.Etcd, dirs []string) {
	t.Helper()
	const n = 3
	var peers []string
	for i := range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") // for a port that is free
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, fmt.Sprintf("m%d=http://%s", i, l.Addr()))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	started := make(chan error, n)
	members = make([]*embed.Etcd, n)
	for i := range n {
		dir := t.TempDir()
		dirs = append(dirs, dir)
		go func() {
			var err error
			members[i], err = start(dir, func(cfg *embed.Config) {
				cfg.Name = fmt.Sprintf("m%d", i)
				peer, _ := url.Parse(strings.SplitN(peers[i], "=", 2)[1])
				cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
				cfg.InitialCluster = strings.Join(peers, ",")
				cfg.BackendBatchInterval = time.Hour
				cfg.TickMs, cfg.ElectionMs = 100, 2000 // nobody takes a slow machine for a dead leader
			})
			started <- err
		}()
	}
	for range n {
		if err := <-started; err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, m := range members {
			m.Close()
		}
	})
	return members, dirs
}

func put(t *testing.T, etcd *embed.Etcd, n int) {
	t.Helper()
	for i := range n {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := etcd.Server.Put(ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "/k/%d", i%10), Value: fmt.Append(nil, i)})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func readDir(t *testing.T, dir string, opts snapshot.Options) *snapshot.Snapshot {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(t.Context(), copied, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, p := range s.Problems() {
		if p.Severity == snapshot.Damage {
			t.Errorf("problem: %v", p)
		}
	}
	return s
}

// awaitUncommitted waits until a member's log has n entries that nobody agreed to.
func awaitUncommitted(t *testing.T, dir string, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		s, err := snapshot.Open(t.Context(), dir, snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := s.WAL().Uncommitted
		s.Close()
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d entries are in the log, not %d", got, n)
		}
	}
}

// TestThreeMembers reads the directory of a member that has a log entry nobody
// else has agreed to: it is not applied unless that is asked for, and it counts
// in the upper bound of what may have been seen.
func TestThreeMembers(t *testing.T) {
	members, dirs := cluster(t)
	put(t, members[0], 100)
	agreed := members[0].Server.KV().Rev()
	leader := slices.IndexFunc(members, func(m *embed.Etcd) bool { return m.Server.Leader() == m.Server.MemberID() })

	// Without the others what the leader writes is in its log only.
	for i, m := range members {
		if i != leader {
			m.Server.HardStop()
		}
	}
	const lost = 7
	ctx, cancel := context.WithCancel(t.Context())
	var puts sync.WaitGroup
	for i := range lost {
		puts.Go(func() {
			if _, err := members[leader].Server.Put(ctx, &pb.PutRequest{Key: []byte("/lost"), Value: fmt.Append(nil, i)}); err == nil {
				t.Error("a put was agreed to by nobody")
			}
		})
	}
	awaitUncommitted(t, dirs[leader], lost)
	cancel()
	puts.Wait()

	s := readDir(t, dirs[leader], snapshot.Options{})
	w := s.WAL()
	if s.Revision() != agreed || w.Uncommitted != lost || w.Tail != 0 || s.SeenRevision() != agreed+lost {
		t.Errorf("revision %d of %d, seen %d, log %+v", s.Revision(), agreed, s.SeenRevision(), w)
	}
	if _, err := s.Get("/lost", 0); err == nil {
		t.Error("what was not agreed to was applied")
	}
	if !slices.ContainsFunc(s.Problems(), func(p snapshot.Problem) bool { return strings.Contains(p.What, "--assume-committed") }) {
		t.Errorf("problems %v", s.Problems())
	}
	all := readDir(t, dirs[leader], snapshot.Options{AssumeCommitted: true})
	if r, err := all.Get("/lost", 0); err != nil || r.Version != lost || all.Revision() != agreed+lost || all.Source(r) != snapshot.FromTail {
		t.Errorf("assumed committed: %+v, %v, revision %d", r, err, all.Revision())
	}
	// A follower knows of the last commit when the next message comes, and the slower
	// one may not even have the entry.
	seen := int64(0)
	for i := range dirs {
		if i == leader {
			continue
		}
		follower := readDir(t, dirs[i], snapshot.Options{})
		if rev := follower.Revision(); rev > agreed {
			t.Errorf("a follower is at %d, and %d was agreed to", rev, agreed)
		}
		seen = max(seen, follower.SeenRevision())
	}
	if seen < agreed {
		t.Errorf("followers have seen up to %d, and %d was agreed to", seen, agreed)
	}
}

// TestRunningEtcd reads the directory of an etcd that is running, without
// disturbing it, and says so.
func TestRunningEtcd(t *testing.T) {
	dir := t.TempDir()
	etcd, err := start(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer etcd.Close()
	put(t, etcd, 50)
	s, err := snapshot.Open(t.Context(), dir, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Revision() != etcd.Server.KV().Rev() {
		t.Errorf("revision %d, etcd's %d", s.Revision(), etcd.Server.KV().Rev())
	}
	if !slices.ContainsFunc(s.Problems(), func(p snapshot.Problem) bool { return strings.Contains(p.What, "torn possible") }) {
		t.Errorf("problems %v", s.Problems())
	}
	put(t, etcd, 50)
	if err := s.Unchanged(); err != nil {
		t.Errorf("it is known that it changes: %v", err)
	}
}
