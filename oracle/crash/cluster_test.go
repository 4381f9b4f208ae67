package crash

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/decoder/wal"
)

var (
	clusters    = flag.Int("clusters", 3, "how many clusters are killed")
	fromCluster = flag.Uint64("from", 1, "the first seed of a cluster")
	program     = flag.String("etcd", "", "the program of the etcd that clusters are made of; none is this one's, and a third as many of 3.6 and of 3.5")
)

// truth is what a cluster has after its restart.
type truth struct {
	records           map[[2]int64]record
	compact, revision int64
	acknowledged      int64 // the newest revision that a client was told of before the kill
	members           []*pb.Member
}

// TestKilledClusters kills clusters while their members write, lag, stop, join and
// leave, and reads each data directory alone. What is certain there is what the
// restarted cluster has, and what else that has is said to be missing: by each
// directory alone, by more than half of them together, and by each with a part of its
// log lost.
func TestKilledClusters(t *testing.T) {
	var all tally
	t.Run("seeds", func(t *testing.T) {
		run := func(version, program string, clusters int) {
			for n := range uint64(clusters) {
				seed := *fromCluster + n
				t.Run(fmt.Sprint(version, " ", seed), func(t *testing.T) {
					t.Parallel()
					killedCluster(t, program, seed, &all)
				})
			}
		}
		run("etcd", *program, *clusters)
		if *program == "" {
			for _, version := range []string{"3.6", "3.5"} {
				run(version, build(t, version), (*clusters+2)/3)
			}
		}
	})
	t.Logf("%+v", all.counts)
	if all.counts["directories"] == 0 || all.counts["behind"]+all.counts["uncommitted"] == 0 || all.counts["gaps"] == 0 {
		t.Error("nothing was tested")
	}
}

// build makes the program of an older etcd.
func build(t *testing.T, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etcd")
	cmd := exec.Command("go", "build", "-modfile="+strings.ReplaceAll("etcd"+version, ".", "")+"/go.mod", "-o", path, "go.etcd.io/etcd/server/v3")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build etcd %s: %v\n%s", version, err, out)
	}
	return path
}

// tally counts what was tested.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) add(what string, when bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	if when {
		c.counts[what]++
	}
}

// reading is what was read of one directory.
type reading struct {
	name    string
	s       *snapshot.Snapshot
	missing []snapshot.Missing
	open    bool // nothing bounds what is missing
	records []record
}

func read(t *testing.T, name, dir string) *reading {
	t.Helper()
	s, err := snapshot.Open(t.Context(), dir, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	t.Cleanup(func() { s.Close() })
	r := &reading{name: name, s: s, records: ours(t, s)}
	if r.missing, err = s.Missing(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.open = slices.ContainsFunc(r.missing, func(m snapshot.Missing) bool { return m.Revisions == nil })
	return r
}

func killedCluster(t *testing.T, program string, seed uint64, all *tally) {
	r := rand.New(rand.NewPCG(seed, 0x636c7573))
	p := newProcesses(t, program, r)
	p.begin([]int{3, 3, 3, 3, 2, 1}[r.IntN(6)])
	steady, configures := r.IntN(3) == 0, r.IntN(2) == 0
	p.work(seed, r, steady, configures)
	acknowledged := p.client.head

	var readings []*reading
	changes := map[uint64]bool{} // indexes of entries that change the members, in any log
	for _, m := range p.members {
		if segments, _ := filepath.Glob(filepath.Join(m.dir, "member", "wal", "*.wal")); len(segments) == 0 {
			continue // it was killed before it had begun
		}
		if log, err := wal.Read(t.Context(), filepath.Join(m.dir, "member", "wal"), 0); err == nil {
			for _, e := range log.Entries {
				if e.Type == wal.EntryConfChange {
					changes[e.Index] = true
				}
			}
		}
		if one := read(t, m.name(), m.dir); one != nil {
			readings = append(readings, one)
			for _, problem := range one.s.Problems() {
				if problem.Severity == snapshot.Damage && problem.Where != "directory" && !slices.ContainsFunc(one.missing, func(m snapshot.Missing) bool { return m.Kind == snapshot.MissingReceived }) {
					t.Errorf("%s: problem %v", one.name, problem)
				}
			}
		}
	}
	if os.Getenv("REVENANT_CRASH_KEEP") != "" {
		_ = os.CopyFS(p.dir+".killed", os.DirFS(p.dir))
	}
	gaps := readGaps(t, p, r)
	p.again()
	etcd := p.truth()
	etcd.acknowledged = acknowledged
	newest := uint64(0)
	for i := range changes {
		newest = max(newest, i)
	}
	for _, one := range readings {
		one.check(t, etcd)
		all.add("directories", true)
		all.add("behind", one.s.Revision() < etcd.revision)
		all.add("bounded", !one.open)
		for _, m := range one.missing {
			all.add(string(m.Kind), true)
		}
		if one.s.Meta().ConsistentIndex >= newest {
			all.add("members", true)
			one.checkMembers(t, etcd)
		}
	}
	for _, one := range gaps {
		one.check(t, etcd)
		all.add("gaps", true)
		all.add("gaps bounded", !one.open)
		if len(one.missing) == 0 {
			t.Errorf("%s: nothing is missing, log %+v, problems %v", one.name, one.s.WAL(), one.s.Problems())
		}
	}
	p.checkMajority(t, readings, etcd, newest, all)
	if t.Failed() {
		t.Logf("seed %d, steady %v, configures %v: %s", seed, steady, configures, p.flags)
		if keep := os.Getenv("REVENANT_CRASH_KEEP"); keep != "" {
			_ = os.Rename(p.dir+".killed", filepath.Join(keep, fmt.Sprint(seed)))
		}
	}
}

// check holds what is certain in one directory against the restarted cluster.
func (one *reading) check(t *testing.T, etcd *truth) {
	t.Helper()
	s := one.s
	for _, r := range one.records {
		want, ok := etcd.records[[2]int64{r.Main, r.Sub}]
		if !ok && r.Main <= etcd.compact {
			continue
		}
		if !ok || want != r {
			t.Errorf("%s: %d.%d is not what the restarted cluster has (-etcd +revenant):\n%s\nlog %+v, problems %v", one.name, r.Main, r.Sub, cmp.Diff(want, r), s.WAL(), s.Problems())
			return
		}
	}
	mine := map[[2]int64]bool{}
	for _, r := range one.records {
		mine[[2]int64{r.Main, r.Sub}] = true
	}
	for at := range etcd.records {
		if at[0] <= s.Revision() && at[0] > s.CompactRevision() && !mine[at] {
			t.Errorf("%s is at revision %d and lacks %d.%d", one.name, s.Revision(), at[0], at[1])
			return
		}
	}
	if s.Revision() > etcd.revision || s.CompactRevision() > etcd.compact {
		t.Errorf("%s is at revision %d, compacted at %d, the restarted cluster at %d and %d", one.name, s.Revision(), s.CompactRevision(), etcd.revision, etcd.compact)
	}
	if etcd.acknowledged > max(s.SeenRevision(), 1) && !one.open {
		t.Errorf("%s has seen up to %d, a client was told of %d, and missing is %v\nlog %+v\nproblems %v", one.name, s.SeenRevision(), etcd.acknowledged, one.missing, s.WAL(), s.Problems())
	}
}

// checkMembers holds the members against etcd's own list. What a member says of itself
// when it starts is left out where it had not been heard yet.
func (one *reading) checkMembers(t *testing.T, etcd *truth) {
	t.Helper()
	var want, got []string
	named := map[string]*pb.Member{}
	for _, m := range etcd.members {
		id := fmt.Sprintf("%x", m.ID)
		named[id] = m
		want = append(want, fmt.Sprint(id, " ", m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner))
	}
	for _, m := range one.s.Meta().Members {
		if own := named[m.ID]; own != nil && len(m.ClientURLs) == 0 {
			m.Name, m.ClientURLs = own.Name, own.ClientURLs
		}
		got = append(got, fmt.Sprint(m.ID, " ", m.Name, m.PeerURLs, m.ClientURLs, m.Learner))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: members (-etcd +revenant):\n%s\n%s\nlog %+v, problems %v", one.name, diff, one.s.Meta().ConfState, one.s.WAL(), one.s.Problems())
	}
}

// checkMajority takes more than half of the directories together: what was agreed to
// is in one of them.
func (p *processes) checkMajority(t *testing.T, list []*reading, etcd *truth, changed uint64, all *tally) {
	for _, a := range list {
		voters := 0
		for _, m := range a.s.Meta().Members {
			if !m.Learner {
				voters++
			}
		}
		if voters != 3 || a.s.Meta().ConsistentIndex < changed {
			continue
		}
		for _, b := range list {
			id := func(r *reading) string { return r.s.WAL().MemberID }
			votes := slices.ContainsFunc(a.s.Meta().Members, func(m snapshot.Member) bool { return m.ID == id(b) && !m.Learner })
			if a == b || !votes || !slices.ContainsFunc(a.s.Meta().Members, func(m snapshot.Member) bool { return m.ID == id(a) && !m.Learner }) {
				continue
			}
			all.add("pairs", true)
			if seen := max(a.s.SeenRevision(), b.s.SeenRevision()); seen < etcd.acknowledged && !cut(a) && !cut(b) {
				t.Errorf("%s and %s of three have seen up to %d, a client was told of %d", a.name, b.name, seen, etcd.acknowledged)
			}
		}
	}
}

// cut says whether something else may be missing than what the others agreed to.
func cut(r *reading) bool {
	return slices.ContainsFunc(r.missing, func(m snapshot.Missing) bool {
		return m.Revisions == nil && m.Kind != snapshot.MissingOthers
	})
}

// readGaps reads copies of the directories of which a part of the log is lost.
func readGaps(t *testing.T, p *processes, r *rand.Rand) (list []*reading) {
	for _, m := range p.members {
		segments, _ := filepath.Glob(filepath.Join(m.dir, "member", "wal", "*.wal"))
		for kind := range 3 {
			if len(segments) == 0 || len(segments) < 2 && kind < 2 {
				continue
			}
			dir := t.TempDir()
			copyDir(t, dir, m.dir)
			in := func(n int) string { return filepath.Join(dir, "member", "wal", filepath.Base(segments[n])) }
			name, err := "", error(nil)
			switch kind {
			case 0:
				name, err = "no last segment", os.Remove(in(len(segments)-1))
			case 1:
				if len(segments) < 3 {
					continue
				}
				n := 1 + r.IntN(len(segments)-2)
				name, err = fmt.Sprintf("no segment %d of %d", n+1, len(segments)), os.Remove(in(n))
			case 2:
				data, _ := os.ReadFile(in(len(segments) - 1))
				used := len(bytes.TrimRight(data, "\x00"))
				name, err = "the last segment cut", os.Truncate(in(len(segments)-1), int64(r.IntN(used+1)))
			}
			if err != nil {
				t.Fatal(err)
			}
			whole, err := snapshot.Open(t.Context(), m.dir, snapshot.Options{SkipHashCheck: true})
			if err != nil {
				continue
			}
			one := read(t, m.name()+", "+name, dir)
			if one == nil {
				continue
			}
			if one.s.SeenRevision() >= whole.SeenRevision() && one.s.Revision() == whole.Revision() {
				one = nil // nothing that is needed is lost
			}
			whole.Close()
			if one != nil {
				list = append(list, one)
			}
		}
	}
	return list
}

// copyDir copies a data directory, with some of the zeros that its log is prepared with.
func copyDir(t *testing.T, to, from string) {
	t.Helper()
	for _, pattern := range []string{"member/snap/*", "member/wal/*.wal"} {
		files, _ := filepath.Glob(filepath.Join(from, pattern))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(file) == ".wal" {
				data = data[:min(len(data), len(bytes.TrimRight(data, "\x00"))+4096)]
			}
			name := filepath.Join(to, filepath.Dir(pattern), filepath.Base(file))
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// truth asks a member of the restarted cluster that has all that was agreed to.
func (p *processes) truth() *truth {
	var etcd *truth
	var last error
	await(p.t, "the truth", func() bool {
		for _, m := range p.members {
			if m.cmd == nil {
				continue
			}
			if etcd, last = p.ask(p.address(m.number, 2379)); last == nil {
				return true
			}
		}
		return false
	})
	return etcd
}

func (p *processes) ask(endpoint string) (*truth, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 3*time.Second)
	defer cancel()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	got, err := pb.NewKVClient(c.ActiveConnection()).Range(ctx, &pb.RangeRequest{Key: []byte("/ready")})
	if err != nil {
		return nil, err
	}
	members, err := c.MemberList(ctx)
	if err != nil {
		return nil, err
	}
	etcd := &truth{revision: got.GetHeader().GetRevision(), records: map[[2]int64]record{}, members: members.Members}
	p.asked++
	if p.asked < 30 && slices.ContainsFunc(members.Members, func(m *pb.Member) bool { return m.Name == "" && p.runs(m) }) {
		return nil, fmt.Errorf("a member has not said who it is")
	}
	stream, err := c.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	f, err := os.CreateTemp(p.dir, "truth")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := io.Copy(f, stream); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return etcd, db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		scheduled, finished := meta.Get([]byte("scheduledCompactRev")), meta.Get([]byte("finishedCompactRev"))
		if !bytes.Equal(scheduled, finished) {
			return fmt.Errorf("a compaction is under way")
		}
		if len(finished) > 8 {
			etcd.compact = int64(binary.BigEndian.Uint64(finished))
		}
		return tx.Bucket([]byte("key")).ForEach(func(k, v []byte) error {
			var kv mvccpb.KeyValue
			if err := proto.Unmarshal(v, &kv); err != nil {
				return err
			}
			r := record{
				int64(binary.BigEndian.Uint64(k)), int64(binary.BigEndian.Uint64(k[9:])), len(k) == 18,
				string(kv.Key), string(kv.Value), kv.CreateRevision, kv.Version, kv.Lease,
			}
			etcd.records[[2]int64{r.Main, r.Sub}] = r
			return nil
		})
	})
}
