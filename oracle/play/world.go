// Package play plays runbooks. A World is a cluster on one machine: every host is a
// directory tree with the programs that it has, stubs that tell the world what they are
// called with and change it as the real ones would; etcd, etcdutl, etcdctl and revenant are
// the real ones. A Play runs the commands of a runbook on their hosts, as they are printed.
package play

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"revenant/oracle/play/call"
)

// Workstation is the host that has the evidence.
const Workstation = "workstation"

// World is a cluster and the workstation of who restores it. Time passes only by what is
// typed and by sleeping: the world's seconds.
type World struct {
	tb       testing.TB
	Dir      string
	programs *Programs
	Platform *Platform
	rng      *rand.Rand

	mu      sync.Mutex
	now     int64
	hosts   []*Host
	client  *clientv3.Client
	tunnels map[string]*Host // ports of the workstation that lead to an API server
	served  int64            // the newest revision that was served before etcd was first stopped
	podsAt  int64            // the revision of pods
	pods    []*apiPod

	Events []string // what happened, in order
	Wrong  []string // what must not happen
	bad    map[string]bool
	twice  map[string]string // pods that have run on two nodes, and where

	backup    string // where it is on the workstation
	order     string // the backup that a platform's own tool is told to restore, "" for none
	playing   bool
	restored  bool     // by a platform's own tool
	retained  []string // volumes that outlive their claims
	unguarded bool     // the quorum guard of OpenShift is off
	Restored  int64    // the revision that was planned, once a play looks at the end

	calls  int    // of stubs
	kill   func() // ends the command that runs, at call number killAt
	atKill int
}

// Host is one machine.
type Host struct {
	Name    string
	Address string
	Root    string // its directory tree
	Home    string // of who logs in
	bin     string

	ControlPlane bool
	Etcd         *Member // nil for none
	Node         *Kubelet
	Log          []string // what was called, in order

	units     map[string]bool // of systemd, and whether they are active
	procs     map[string]*Proc
	rules     []string    // of iptables and ip6tables
	dead      os.FileInfo // the data that etcd does not start on, nil for none
	held      bool        // its kubelet is held still
	formerSum string      // of etcd's db when it was last stopped before the restore
	// restarts counts starts of a process or unit.
	restarts map[string]int
}

// Proc is a process, or a container of a static pod.
type Proc struct {
	name    string
	started int64
	ends    int64 // when it has stopped, 0 when nothing stops it
	cmd     *exec.Cmd
	done    chan struct{}

	// serving says that an API server answers, from revision rev on.
	serving bool
	rev     int64
	caches  int // it has begun
}

// NewWorld makes the hosts of a platform: control plane nodes of these names, and nodes.
func NewWorld(tb testing.TB, programs *Programs, platform *Platform, seed uint64, members, nodes []string) *World {
	tb.Helper()
	w := &World{
		tb: tb, Dir: scratch(tb), programs: programs, Platform: platform,
		rng: rand.New(rand.NewPCG(seed, 1)), now: 1_800_000_000, tunnels: map[string]*Host{}, bad: map[string]bool{}, twice: map[string]string{},
	}
	w.add(Workstation, platform.Workstation)
	for i, name := range members {
		h := w.add(name, platform.ControlPlane)
		h.ControlPlane, h.Address = true, fmt.Sprintf("10.0.0.%d", i+1)
		for _, unit := range platform.Units {
			h.units[unit] = true
		}
	}
	for _, name := range nodes {
		h := w.host(name)
		if h == nil {
			h = w.add(name, platform.NodePrograms)
			for _, unit := range platform.NodeUnits {
				h.units[unit] = true
			}
		}
		h.Node = &Kubelet{running: map[string]*runPod{}, done: map[string]*ended{}}
	}
	w.listen()
	tb.Cleanup(w.close)
	return w
}

// scratch is a directory that a failed test leaves where PLAY_KEEP names one.
func scratch(tb testing.TB) string {
	if dir := os.Getenv("PLAY_KEEP"); dir != "" {
		dir, err := os.MkdirTemp(dir, "world")
		if err != nil {
			tb.Fatal(err)
		}
		return dir
	}
	return tb.TempDir()
}

func (w *World) add(name string, programs []string) *Host {
	h := &Host{
		Name: name, Root: filepath.Join(w.Dir, "hosts", name), bin: filepath.Join(w.Dir, "bin", name),
		units: map[string]bool{}, procs: map[string]*Proc{}, restarts: map[string]int{},
	}
	h.Home = filepath.Join(h.Root, "home")
	for _, dir := range []string{h.Home, h.bin} {
		w.must(os.MkdirAll(dir, 0o700))
	}
	for _, p := range coreutils {
		path, err := exec.LookPath(p)
		w.must(err)
		w.must(os.Symlink(path, filepath.Join(h.bin, p)))
	}
	for _, p := range slices.Concat(everywhere, programs) {
		w.stub(h, p)
	}
	w.hosts = append(w.hosts, h)
	return h
}

// stub puts a stub on a host: into its PATH, or at its own path.
func (w *World) stub(h *Host, program string) {
	path := filepath.Join(h.bin, program)
	if strings.HasPrefix(program, "/") {
		path = h.Root + program
		w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	}
	os.Remove(path)
	w.must(os.Symlink(w.programs.stub, path))
}

func (w *World) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

// host is the one of a name or address, nil for none. "user@" is allowed.
func (w *World) host(name string) *Host {
	if _, after, ok := strings.Cut(name, "@"); ok {
		name = after
	}
	for _, h := range w.hosts {
		if h.Name == name || h.Address == name && name != "" {
			return h
		}
	}
	return nil
}

// controlPlane are the hosts of the control plane.
func (w *World) controlPlane() (list []*Host) {
	for _, h := range w.hosts {
		if h.ControlPlane {
			list = append(list, h)
		}
	}
	return list
}

func (w *World) nodes() (list []*Host) {
	for _, h := range w.hosts {
		if h.Node != nil {
			list = append(list, h)
		}
	}
	return list
}

// event notes what happened.
func (w *World) event(h *Host, format string, args ...any) {
	w.Events = append(w.Events, fmt.Sprintf("%d %s %s", w.now-1_800_000_000, h.Name, fmt.Sprintf(format, args...)))
}

// wrong notes what must not happen, once.
func (w *World) wrong(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !w.bad[s] {
		w.bad[s] = true
		w.Wrong = append(w.Wrong, s)
	}
}

// listen answers stubs.
func (w *World) listen() {
	l, err := net.Listen("unix", w.socket())
	w.must(err)
	w.tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var q call.Question
				if json.NewDecoder(conn).Decode(&q) != nil {
					return
				}
				if a, ok := w.answer(&q); ok {
					json.NewEncoder(conn).Encode(a)
				}
			}()
		}
	}()
}

// socket is a path that is short enough for one.
func (w *World) socket() string { return filepath.Join(w.Dir, "s") }

func (w *World) answer(q *call.Question) (*call.Answer, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.host(q.Host)
	w.calls++
	if w.kill != nil && w.calls >= w.atKill {
		w.kill()
		w.kill = nil
		return nil, false
	}
	for i, arg := range q.Args {
		q.Args[i] = strings.ReplaceAll(arg, h.Root, "")
	}
	h.Log = append(h.Log, strings.Join(append([]string{q.Program}, q.Args...), " "))
	p := w.Platform.Stubs[q.Program]
	if p == nil {
		p = stubs[q.Program]
	}
	if p == nil {
		w.wrong("%s: no stub for %s", h.Name, q.Program)
		return &call.Answer{Code: 127}, true
	}
	a := p(&Call{w, h, q})
	if a.Code != 0 && a.Err != "" {
		h.Log = append(h.Log, "  "+strings.TrimSpace(a.Err))
	}
	return a, true
}

// Tick lets seconds pass.
func (w *World) Tick(seconds int64) {
	w.now += seconds
	for _, h := range w.hosts {
		w.tickStatic(h)
		for name, p := range h.procs {
			w.tickProc(h, name, p)
		}
	}
	w.tickAPI()
	w.tickNodes()
}

// start starts a process on a host.
func (w *World) start(h *Host, name string) {
	if h.procs[name] != nil || name == "etcd" && h.broken() {
		return
	}
	if name == "kube-controller-manager" && w.playing && !w.Platform.Together {
		w.controllersStart(h)
	}
	p := &Proc{name: name, started: w.now}
	if name == "etcd" {
		w.startEtcd(h, p)
	}
	h.procs[name] = p
	h.restarts[name]++
	w.event(h, "%s starts", name)
}

// stop has a process stopped, within seconds.
func (w *World) stop(h *Host, name string, seconds int64) {
	p := h.procs[name]
	if p == nil || p.ends != 0 {
		return
	}
	if name == "etcd" && w.playing && w.Restored == 0 {
		w.served = max(w.served, w.revision())
	}
	p.ends = w.now + seconds
	if name == "etcd" {
		for _, o := range w.controlPlane() {
			if a := o.procs["kube-apiserver"]; a != nil && a.ends == 0 && !w.Platform.KeepsAPI && !w.Platform.oneUnit() {
				w.wrong("etcd of %s is stopped while the API server of %s runs", h.Name, o.Name)
			}
		}
		if p.cmd != nil {
			p.cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	p.serving = false
	w.event(h, "%s is stopped", name)
}

// tickProc ends a process whose time has come.
func (w *World) tickProc(h *Host, name string, p *Proc) {
	if p.done != nil {
		select {
		case <-p.done:
			delete(h.procs, name)
			h.keepSum(w)
			w.event(h, "%s has ended", name)
		default:
		}
		return
	}
	if p.ends != 0 && w.now >= p.ends {
		delete(h.procs, name)
		w.event(h, "%s has ended", name)
	}
}

// keepSum remembers the data that etcd has left, the first time that it ends.
func (h *Host) keepSum(w *World) {
	if w.playing && h.formerSum == "" {
		h.formerSum = tree(h.Root + h.Etcd.DataDir + "/member")["/snap/db"]
	}
}

const manifestDir = "/etc/kubernetes/manifests"

// tickStatic is what a kubelet does for static pods: what has a manifest runs.
func (w *World) tickStatic(h *Host) {
	if !h.ControlPlane || !h.units["kubelet"] {
		return
	}
	entries, err := os.ReadDir(h.Root + manifestDir)
	if err != nil {
		return
	}
	want := map[string]bool{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(h.Root+manifestDir, e.Name()))
		if err != nil {
			continue
		}
		name, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "static pod ")
		if !ok {
			w.wrong("%s: %s is no manifest: %q", h.Name, e.Name(), data)
			continue
		}
		want[name] = true
		if h.procs[name] == nil {
			w.start(h, name)
		}
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		if w.Platform.static(name) && !want[name] {
			w.stop(h, name, 3)
		}
	}
}

func (w *World) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client != nil {
		w.client.Close()
	}
	for _, h := range w.hosts {
		for _, p := range h.procs {
			if p.cmd != nil {
				p.cmd.Process.Kill()
				<-p.done
			}
		}
	}
}
