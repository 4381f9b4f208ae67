package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// clusterMember is the variable by which the test's own program is told to be an etcd.
const clusterMember = "REVENANT_CRASH_MEMBER"

// processes are the members of a cluster, each an etcd in a process of its own.
type processes struct {
	t       *testing.T
	program string // "" is the test's own
	dir     string
	host    string // the first three numbers of their addresses
	flags   []string
	members []*process
	client  *client
	asked   int // how often the restarted cluster was asked for what it has
}

type process struct {
	number  int
	dir     string
	cmd     *exec.Cmd
	removed bool
	initial []string // flags with which it was started first
}

func (p *process) name() string { return fmt.Sprintf("m%d", p.number) }

// client asks the members, and knows the newest revision that one has told.
type client struct {
	*clientv3.Client
	kv    pb.KVClient
	lease pb.LeaseClient
	head  int64
}

// begun counts clusters, so that no two of them share addresses.
var begun atomic.Uint32

func newProcesses(t *testing.T, program string, r *rand.Rand) *processes {
	p := &processes{t: t, program: program, dir: t.TempDir(), host: fmt.Sprintf("127.%d.%d.", 64+os.Getpid()%150, begun.Add(1)%250+1)}
	p.flags = []string{
		"--heartbeat-interval=20", "--election-timeout=200", "--log-level=fatal", "--unsafe-no-fsync",
		"--backend-batch-interval=" + []string{"5ms", "100ms", "1h"}[r.IntN(3)],
		fmt.Sprintf("--backend-batch-limit=%d", []int{10, 10_000}[r.IntN(2)]),
		fmt.Sprintf("--snapshot-count=%d", []int{30, 100, 10_000}[r.IntN(3)]),
	}
	if program == "" {
		p.flags = append(p.flags, fmt.Sprintf("--snapshot-catchup-entries=%d", []int{5, 50, 5000}[r.IntN(3)]))
	}
	t.Cleanup(p.kill)
	return p
}

// address is where a member listens. Each has two addresses for its peers.
func (p *processes) address(number, port int) string {
	return fmt.Sprintf("http://%s%d:%d", p.host, 10+number, port)
}

// begin makes a cluster of n members and waits until it answers.
func (p *processes) begin(n int) {
	var all, endpoints []string
	for i := range n {
		all = append(all, fmt.Sprintf("m%d=%s", i, p.address(i, 2380)))
	}
	for range n {
		m := p.add()
		m.initial = []string{"--initial-cluster=" + strings.Join(all, ","), "--initial-cluster-state=new"}
		p.start(m)
	}
	for i := range n + 3 {
		endpoints = append(endpoints, p.address(i, 2379))
	}
	c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close() })
	p.client = &client{Client: c, kv: pb.NewKVClient(c.ActiveConnection()), lease: pb.NewLeaseClient(c.ActiveConnection())}
	p.ready()
}

func (p *processes) add() *process {
	m := &process{number: len(p.members)}
	m.dir = filepath.Join(p.dir, m.name())
	p.members = append(p.members, m)
	return m
}

func (p *processes) start(m *process) {
	name := p.program
	if name == "" {
		name = os.Args[0]
	}
	cmd := exec.Command(name, slices.Concat(p.flags, m.initial, []string{
		"--name=" + m.name(), "--data-dir=" + m.dir,
		"--listen-client-urls=" + p.address(m.number, 2379), "--advertise-client-urls=" + p.address(m.number, 2379),
		"--listen-peer-urls=" + p.address(m.number, 2380) + "," + p.address(m.number, 2381),
		"--initial-advertise-peer-urls=" + p.address(m.number, 2380),
	})...)
	cmd.Env = append(os.Environ(), clusterMember+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	m.cmd = cmd
}

// kill ends a member, or all of them.
func (p *processes) kill() {
	for _, m := range p.members {
		m.kill()
	}
}

func (m *process) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

// ready waits until the cluster answers.
func (p *processes) ready() {
	p.t.Helper()
	await(p.t, "the cluster to answer", func() bool {
		ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
		defer cancel()
		r, err := p.client.kv.Range(ctx, &pb.RangeRequest{Key: []byte("/ready")})
		if err == nil {
			p.client.saw(r.GetHeader())
		}
		return err == nil
	})
}

// change changes the members in one way or another. That etcd refuses some is part of
// the work.
func (p *processes) change(ctx context.Context, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	list, err := p.client.MemberList(ctx)
	if err != nil {
		return
	}
	one := list.Members[r.IntN(len(list.Members))]
	switch n := r.IntN(10); {
	case n < 4 && len(p.members) < 5:
		url := p.address(len(p.members), 2380)
		added, err := p.client.MemberAddAsLearner(ctx, []string{url})
		if err != nil {
			return
		}
		m := p.add()
		all := []string{m.name() + "=" + url}
		for _, x := range added.Members {
			if x.Name != "" {
				for _, u := range x.PeerURLs {
					all = append(all, x.Name+"="+u)
				}
			}
		}
		m.initial = []string{"--initial-cluster=" + strings.Join(all, ","), "--initial-cluster-state=existing"}
		p.start(m)
	case n < 8:
		for _, x := range list.Members {
			if x.IsLearner {
				_, _ = p.client.MemberPromote(ctx, x.ID)
				return
			}
		}
	case n < 9:
		var number int
		if _, err := fmt.Sscanf(one.Name, "m%d", &number); err == nil && !one.IsLearner { // of which 3.5.13 would say that it votes
			_, _ = p.client.MemberUpdate(ctx, one.ID, []string{p.address(number, 2381)})
		}
	case len(list.Members) > 1:
		if _, err := p.client.MemberRemove(ctx, one.ID); err != nil {
			return
		}
		for _, m := range p.members {
			m.removed = m.removed || m.name() == one.Name
		}
	}
}

// disturb stops, kills or starts a member.
func (p *processes) disturb(r *rand.Rand) {
	m := p.members[r.IntN(len(p.members))]
	switch n := r.IntN(4); {
	case m.cmd == nil && !m.removed:
		p.start(m)
	case m.cmd == nil:
	case n == 0:
		m.kill()
	case n == 1:
		_ = m.cmd.Process.Signal(syscall.SIGSTOP)
	default:
		_ = m.cmd.Process.Signal(syscall.SIGCONT)
	}
}

// work lets clients write until all members are killed at some moment, one shortly
// after the other.
func (p *processes) work(seed uint64, r *rand.Rand, steady, configures bool) {
	w := newWorkload(seed)
	w.compactions, w.revocations, w.plain = r.IntN(4), r.IntN(4), p.program != ""
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	steps := 100 + r.IntN(500)
	deadline := time.Now().Add(4 * time.Second)
	step := func(timeout time.Duration) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		_ = w.step(ctx, p.client)
		w.head = p.client.head
	}
	for range steps {
		if time.Now().After(deadline) {
			break
		}
		step(300 * time.Millisecond)
		if n := r.IntN(100); !steady && n == 0 {
			p.disturb(r)
		} else if configures && n < 6 {
			p.change(ctx, r)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			step(time.Second)
		}
	}()
	for _, i := range r.Perm(len(p.members)) {
		if r.IntN(2) == 0 {
			<-time.After(time.Duration(r.IntN(30)) * time.Millisecond)
		}
		p.members[i].kill()
	}
	cancel()
	<-done
}

// runs says whether a member has a process.
func (p *processes) runs(m *pb.Member) bool {
	return slices.ContainsFunc(p.members, func(x *process) bool {
		return x.cmd != nil && (slices.Contains(m.PeerURLs, p.address(x.number, 2380)) || slices.Contains(m.PeerURLs, p.address(x.number, 2381)))
	})
}

// again starts all members that were not removed.
func (p *processes) again() {
	for _, m := range p.members {
		if !m.removed {
			p.start(m)
		}
	}
	p.ready()
}

func (c *client) saw(h *pb.ResponseHeader) { c.head = max(c.head, h.GetRevision()) }

func (c *client) Put(ctx context.Context, r *pb.PutRequest) (*pb.PutResponse, error) {
	a, err := c.kv.Put(ctx, r)
	c.saw(a.GetHeader())
	return a, err
}

func (c *client) DeleteRange(ctx context.Context, r *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error) {
	a, err := c.kv.DeleteRange(ctx, r)
	c.saw(a.GetHeader())
	return a, err
}

func (c *client) Txn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	a, err := c.kv.Txn(ctx, r)
	c.saw(a.GetHeader())
	return a, err
}

func (c *client) Compact(ctx context.Context, r *pb.CompactionRequest) (*pb.CompactionResponse, error) {
	return c.kv.Compact(ctx, r)
}

func (c *client) LeaseGrant(ctx context.Context, r *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error) {
	return c.lease.LeaseGrant(ctx, r)
}

func (c *client) LeaseRevoke(ctx context.Context, r *pb.LeaseRevokeRequest) (*pb.LeaseRevokeResponse, error) {
	a, err := c.lease.LeaseRevoke(ctx, r)
	c.saw(a.GetHeader())
	return a, err
}
