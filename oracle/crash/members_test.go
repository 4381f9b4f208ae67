package crash

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"revenant/decoder/snapshot"
	"revenant/decoder/wal"
)

// cluster starts an etcd of three members whose dbs are not written while the
// test runs: all that they do is in their logs.
func cluster(t *testing.T) (members []*embed.Etcd, dirs []string) {
	t.Helper()
	const n = 3
	var peers []string
	for i := range n {
		peers = append(peers, fmt.Sprintf("m%d=http://127.0.0.1:%d", i, 24380+i))
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
				cfg.TickMs, cfg.ElectionMs = 100, 3000 // a leader alone stays one for as long
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
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := etcd.Server.Put(ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "/k/%d", i%10), Value: fmt.Append(nil, i)})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// await waits until something has happened, however slow the machine is.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited a minute for %s", what)
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

// TestThreeMembers reads the directory of a member that has a log entry nobody
// else has agreed to: it is not applied unless that is asked for, and it counts
// in the upper bound of what may have been seen.
func TestThreeMembers(t *testing.T) {
	members, dirs := cluster(t)
	put(t, members[0], 100)
	agreed := members[0].Server.KV().Rev()
	for _, m := range members {
		await(t, "a member to follow", func() bool { return m.Server.KV().Rev() == agreed })
	}
	leader := slices.IndexFunc(members, func(m *embed.Etcd) bool { return m.Server.Leader() == m.Server.MemberID() })
	if leader < 0 {
		t.Fatal("there is no leader")
	}

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
	await(t, "the log of the leader", func() bool {
		log, err := wal.Read(t.Context(), filepath.Join(dirs[leader], "member", "wal"), 0)
		return err == nil && log.Last(0) >= log.Commit+lost
	})
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
	// A follower knows of the last commit when the next message comes.
	follower := readDir(t, dirs[(leader+1)%len(dirs)], snapshot.Options{})
	if rev := follower.Revision(); rev > agreed || follower.SeenRevision() < agreed {
		t.Errorf("a follower is at %d, has seen up to %d, and %d was agreed to", rev, follower.SeenRevision(), agreed)
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
	if err := s.Unchanged(); err == nil || !s.TornPossible() {
		t.Errorf("etcd wrote while it was read: %v, torn possible: %v", err, s.TornPossible())
	}
}

// TestMembersOfLog changes the members of a running etcd, whose db is not written
// meanwhile, and holds what its directory tells against what it says itself.
func TestMembersOfLog(t *testing.T) {
	dir := t.TempDir()
	etcd, err := start(dir, func(cfg *embed.Config) {
		cfg.BackendBatchInterval = time.Hour
		cfg.MaxLearners = 3
	})
	if err != nil {
		t.Fatal(err)
	}
	defer etcd.Close()
	var ids []uint64
	for i := range 3 {
		url, err := types.NewURLs([]string{fmt.Sprintf("http://127.0.0.1:%d", 24390+i)})
		if err != nil {
			t.Fatal(err)
		}
		m := membership.NewMemberAsLearner("", url, "", nil)
		if _, err := etcd.Server.AddMember(t.Context(), *m); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, uint64(m.ID))
	}
	moved := membership.Member{ID: types.ID(ids[0]), RaftAttributes: membership.RaftAttributes{PeerURLs: []string{"http://127.0.0.1:24399"}}}
	if _, err := etcd.Server.UpdateMember(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Server.RemoveMember(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	put(t, etcd, 3)
	s := readDir(t, dir, snapshot.Options{})
	var want, got []string
	for _, m := range etcd.Server.Cluster().Members() {
		want = append(want, fmt.Sprint(m.ID, " ", m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner))
	}
	for _, m := range s.Meta().Members {
		got = append(got, fmt.Sprint(m.ID, " ", m.Name, m.PeerURLs, m.ClientURLs, m.Learner))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 3 {
		t.Errorf("members (-etcd +revenant):\n%s", diff)
	}
	if removed := fmt.Sprint(s.Meta().Removed); removed != fmt.Sprintf("[%x]", ids[1]) {
		t.Errorf("removed %s, not %x", removed, ids[1])
	}
}
