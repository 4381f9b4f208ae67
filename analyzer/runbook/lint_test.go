package runbook

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
)

// situations are runbooks of every platform: with one member, three and none that is
// known, with and without a current snapshot, with a data directory as that, with paths
// that need quotes, with IPv6, and under every plan.
func situations(t *testing.T, check func(t *testing.T, name string, in *Input, r *Runbook)) {
	t.Helper()
	members := map[string][]snapshot.Member{
		"none": nil,
		"one":  {{Name: "cp-1", PeerURLs: []string{"https://[fd00::1]:2380"}, ClientURLs: []string{"https://[fd00::1]:2379"}}},
		"three": {
			{Name: "cp-1", PeerURLs: []string{"https://10.0.0.1:2380"}, ClientURLs: []string{"https://10.0.0.1:2379"}},
			{Name: "cp-2", PeerURLs: []string{"https://10.0.0.2:2380"}, ClientURLs: []string{"https://10.0.0.2:2379"}},
			{Name: "cp-3", PeerURLs: []string{"https://10.0.0.3:2380"}, ClientURLs: []string{"https://10.0.0.3:2379"}},
		},
	}
	for _, platform := range Platforms() {
		for count, list := range members {
			for what, plan := range plans {
				for _, how := range []string{"pair", "alone", "data directory", "hostile"} {
					was, now := twin("db-0", "node-1", "node-3")
					in := input([]*restore.Pod{was}, []*restore.Pod{now}, nodes("node-1"), nodes("node-1", "node-3"))
					in.Backup.State.Pods = append(in.Backup.State.Pods, pods("node-1", "old", []string{"x"})...)
					in.Comparison = restore.Compare(in.Backup.State, in.Current.State)
					switch how {
					case "hostile":
						in = hostileInput()
						in.Backup.Facts.NoTrailer = false
						in.Flags = []string{"--encryption-config=it's $(reboot)"}
					case "alone":
						in.Current, in.Comparison = nil, nil
						if plan != nil && len(plan.RestartKubelets.Nodes) > 0 {
							continue
						}
					case "data directory":
						in.Current.Facts.Logged, in.NewestFlags = true, []string{"--wal-dir=the log"}
						in.Backup.Facts.Packed = "gzip"
					}
					in.Platform, in.Plan, in.Backup.Facts.Members = platform, plan, list
					name := fmt.Sprintf("%s, members %s, plan %s, %s", platform, count, what, how)
					check(t, name, &in, build(t, in))
				}
			}
		}
	}
}

// there are the programs that are on a host by themselves, beyond what every Linux has.
func there(p Platform, h Host) []string {
	if h == Workstation {
		return []string{"revenant", "kubectl", "ssh", "scp", "curl", "openssl", "oc", "talosctl", "vcluster", "etcd-manager-ctl"}
	}
	if strings.HasPrefix(string(h), "a machine that has etcdctl") {
		return []string{"etcdctl"}
	}
	list := []string{"systemctl", "iptables", "ip6tables", "curl"}
	switch p {
	case Kubeadm:
		list = append(list, "crictl", "kubeadm")
	case OpenShift:
		list = append(list, "crictl", "/usr/local/bin/cluster-restore.sh", "/usr/local/bin/cluster-backup.sh", "/usr/local/bin/disable-etcd.sh", "pcs", "/etc/kubernetes/static-pod-resources/bin/etcdctl")
	case K3s:
		list = append(list, "k3s")
	case RKE2:
		list = append(list, "rke2", "/var/lib/rancher/rke2/bin/crictl")
	}
	return list
}

// everywhere are programs of POSIX, coreutils, procps and util-linux.
var everywhere = []string{
	"mkdir", "mv", "rm", "install", "tar", "tee", "pgrep", "pkill", "sudo", "env", "find",
}

// TestLints holds, over every plan, what was once wrong in one of them.
func TestLints(t *testing.T) {
	situations(t, func(t *testing.T, name string, in *Input, r *Runbook) {
		lintPrograms(t, name, in, r)
		lintMoves(t, name, r)
		lintOrder(t, name, r)
		lintRestarts(t, name, r)
		lintHeld(t, name, r)
		lintThreshold(t, name, r)
		lintEvidence(t, name, in, r)
		lintSteps(t, name, r)
	})
}

func each(r *Runbook, do func(s *Step, c *Command)) {
	for i := range r.Steps {
		for j := range r.Steps[i].Commands {
			do(&r.Steps[i], &r.Steps[i].Commands[j])
		}
	}
}

// site is the machine of a host by which files are told apart: one is a member of a kind.
func site(h Host) Host {
	switch h {
	case FirstEtcd:
		return EtcdNodes
	}
	return h
}

// elsewhere is sudo on another machine.
var elsewhere = regexp.MustCompile(`ssh [A-Z_]+ sudo `)

// lintPrograms: every program is on its host or was brought there, and so is every file.
func lintPrograms(t *testing.T, name string, in *Input, r *Runbook) {
	t.Helper()
	has := map[Host]map[string]bool{}
	put := func(h Host, paths ...string) {
		if has[site(h)] == nil {
			has[site(h)] = map[string]bool{}
		}
		for _, p := range paths {
			has[site(h)][p] = true
		}
	}
	put(Workstation, file(in.Backup.Path, "BACKUP"))
	if in.Current != nil {
		put(Workstation, file(in.Current.Path, "CURRENT"))
	}
	put(Workstation, "newest.db")    // of a backup alone: where it was saved
	var carriedAway, crictl []string // what is being copied to the next machines
	each(r, func(s *Step, c *Command) {
		if c.Host == Workstation && slices.Contains(c.Programs, "scp") {
			for p := range has[Workstation] {
				if strings.HasPrefix(p, carried) {
					carriedAway = append(carriedAway, p)
				}
			}
			crictl = []string{"crictl", "crictl.sha256", "./crictl"}
		}
		if c.Host != Workstation && strings.Contains(c.Run, "sha256sum --check") {
			put(c.Host, carriedAway...)
			if strings.Contains(c.Run, "crictl.sha256") {
				put(c.Host, crictl...)
			}
		}
		for _, p := range c.Programs {
			if !slices.Contains(everywhere, p) && !slices.Contains(there(r.Platform.ID, c.Host), p) && !has[site(c.Host)][p] {
				t.Errorf("%s, step %s: %s is not on %s: %s", name, s.ID, p, c.Host, c.Run)
			}
		}
		for _, p := range c.Reads {
			if !has[site(c.Host)][p] {
				t.Errorf("%s, step %s: %s is not on %s: %s", name, s.ID, p, c.Host, c.Run)
			}
		}
		put(c.Host, c.Writes...)
		if c.Host != Workstation && (c.As == Root) != strings.Contains(c.Run, "sudo ") {
			t.Errorf("%s, step %s: it is run as %s: %s", name, s.ID, c.As, c.Run)
		}
		if own := elsewhere.ReplaceAllString(c.Run, ""); c.Host == Workstation && (c.As == Root || strings.Contains(own, "sudo ")) {
			t.Errorf("%s, step %s: needs no privilege: %s", name, s.ID, c.Run)
		}
	})
}

var manifest = regexp.MustCompile(`/etc/kubernetes/(manifests|stopped)/[a-z-]+\.yaml`)

// oneByOne is a loop over names of manifests.
var oneByOne = regexp.MustCompile(`for m in ([a-z -]+);`)

// lintMoves: what is moved away comes back, on the same hosts.
func lintMoves(t *testing.T, name string, r *Runbook) {
	t.Helper()
	away := map[string]Host{}
	each(r, func(s *Step, c *Command) {
		run := c.Run
		if m := oneByOne.FindStringSubmatch(run); m != nil {
			run = ""
			for _, name := range strings.Fields(m[1]) {
				run += strings.ReplaceAll(c.Run, "$m", name)
			}
		}
		paths := manifest.FindAllString(run, -1)
		slices.Sort(paths)
		for _, path := range slices.Compact(paths) {
			base := filepath.Base(path)
			switch from := strings.Contains(path, "/manifests/"); {
			case from:
				away[base] = c.Host
			case away[base] == c.Host:
				delete(away, base)
			default:
				t.Errorf("%s, step %s: %s was not moved away from %s", name, s.ID, base, c.Host)
			}
		}
	})
	if len(away) > 0 && !r.Plan.KeepAPIServers {
		t.Errorf("%s: moved away and not back: %v", name, away)
	}
}

// lintOrder: nothing is wiped or moved before its replacement was looked at, no crictl is
// called after its runtime was stopped, and all API servers are stopped before any etcd.
func lintOrder(t *testing.T, name string, r *Runbook) {
	t.Helper()
	looked := false
	stopped := map[Host]bool{}
	etcdStopped := false
	each(r, func(s *Step, c *Command) {
		looked = looked || strings.Contains(c.Run, "snapshot status")
		wipes := strings.Contains(c.Run, "talosctl") && strings.Contains(c.Run, " reset ") || strings.Contains(c.Run, "/member "+"/") && strings.Contains(c.Run, "before-")
		if wipes && !looked && r.Plan.BumpRevision > 0 {
			t.Errorf("%s, step %s: nothing was looked at before: %s", name, s.ID, c.Run)
		}
		runtime := r.Platform.ID == K3s || r.Platform.ID == RKE2
		if runtime && strings.Contains(c.Run, "crictl") && stopped[c.Host] {
			t.Errorf("%s, step %s: the runtime has stopped: %s", name, s.ID, c.Run)
		}
		if strings.Contains(c.Run, "systemctl stop") {
			stopped[c.Host] = true
		} else if strings.Contains(c.Run, "systemctl start") || strings.Contains(c.Run, "restart") {
			delete(stopped, c.Host)
		}
		if s.ID != "stop" {
			return
		}
		etcd := strings.Contains(c.Run, "/etcd.yaml") || strings.HasSuffix(c.Run, "systemctl stop etcd") || strings.Contains(c.Run, "pkill -x etcd ")
		etcdStopped = etcdStopped || etcd
		if api := strings.Contains(c.Run, "kube-apiserver"); api && etcdStopped {
			t.Errorf("%s: an etcd is stopped before an API server: %s", name, c.Run)
		}
	})
	stop := slices.IndexFunc(r.Steps, func(s Step) bool { return s.ID == "stop" })
	if stop < 0 || r.Plan.KeepAPIServers {
		return
	}
	for _, g := range r.Steps[stop].Groups() {
		if Host(g.Commands[0].Host).several() && !g.AllFirst {
			t.Errorf("%s: a machine may go on before the others have stopped: %s", name, g.Commands[len(g.Commands)-1].Run)
		}
	}
}

// apiRestarts are how API servers are started again.
var apiRestarts = regexp.MustCompile(`stopped/kube-apiserver\.yaml|systemctl start.* kube-apiserver|systemctl start (k3s|rke2-server|--no-block k0scontroller)|pkill -x kube-apiserver |role=apiserver|talosctl .*bootstrap|vcluster restore`)

// lintRestarts: a restart that the plan states has a step.
func lintRestarts(t *testing.T, name string, r *Runbook) {
	t.Helper()
	api, kubelets := false, false
	each(r, func(s *Step, c *Command) {
		api = api || apiRestarts.MatchString(c.Run)
		kubelets = kubelets || s.ID == "restart-kubelets"
	})
	if !api && !r.Plan.KeepAPIServers && r.Platform.ID != OpenShift { // whose bump makes API servers drop their cache
		t.Errorf("%s: no step restarts the API servers", name)
	}
	if !kubelets && r.Plan.RestartKubelets.All {
		t.Errorf("%s: no step restarts the kubelets", name)
	}
}

// lintHeld: a kubelet that is held is restarted, before any other machine's turn.
func lintHeld(t *testing.T, name string, r *Runbook) {
	t.Helper()
	for _, s := range r.Steps {
		held := Host("")
		for _, c := range s.Commands {
			switch {
			case strings.Contains(c.Run, "STOP"):
				held = c.Host
			case held == "":
			case c.Host != held:
				t.Errorf("%s, step %s: the kubelet of %s is held: %s", name, s.ID, held, c.Run)
			case strings.Contains(c.Run, "restart"):
				held = ""
			}
		}
		if held != "" {
			t.Errorf("%s, step %s: the kubelet of %s stays held", name, s.ID, held)
		}
	}
}

var threshold = regexp.MustCompile(`^The revision is ([0-9]+) or more`)

// lintThreshold: where the platform bumps by itself, what must be reached is what is
// known to have been served, which its own bump passes, and no allowance on top.
func lintThreshold(t *testing.T, name string, r *Runbook) {
	t.Helper()
	for _, s := range r.Steps {
		for _, check := range s.Checks {
			m := threshold.FindStringSubmatch(check)
			if m == nil {
				continue
			}
			if n, _ := strconv.ParseInt(m[1], 10, 64); n > r.Bump.Base+r.Bump.Minimum {
				t.Errorf("%s: %s, and %d after %d is known to be needed", name, check, r.Bump.Minimum, r.Bump.Base)
			}
		}
	}
}

// intoLog moves the new log to where the former one was moved away from: what is there by
// then an earlier try has left, of the same name.
const intoLog = "--force --target-directory=WAL_DIR"

var removal = regexp.MustCompile(`\brm -rf? (\S+)`)

// lintEvidence: nothing of the evidence is removed or written over, and the former data
// is moved only to where nothing is.
func lintEvidence(t *testing.T, name string, in *Input, r *Runbook) {
	t.Helper()
	own := []string{"bumped.etcd", "scratch.etcd", "dumps", "dumps;", "part", fmt.Sprintf("/var/lib/etcd/restored-%d", r.Bump.Restored), fmt.Sprintf("DATA_DIR/restored-%d", r.Bump.Restored), fmt.Sprintf("/var/lib/k0s/etcd/restored-%d", r.Bump.Restored)}
	own = append(own, fmt.Sprintf("WAL_DIR/restored-%d", r.Bump.Restored))
	each(r, func(s *Step, c *Command) {
		for _, m := range removal.FindAllStringSubmatch(c.Run, -1) {
			if !slices.Contains(own, m[1]) && !strings.HasSuffix(m[1], "/server/db/reset-flag") {
				t.Errorf("%s, step %s: removes %s", name, s.ID, m[1])
			}
		}
		for _, w := range c.Writes {
			if w == file(in.Backup.Path, "BACKUP") || in.Current != nil && w == file(in.Current.Path, "CURRENT") {
				t.Errorf("%s, step %s: writes over %s", name, s.ID, w)
			}
		}
		if strings.Contains(c.Run, " mv ") && strings.Contains(c.Run, "/") && !strings.Contains(c.Run, "--no-clobber") && !strings.Contains(c.Run, "--no-target-directory") && !strings.Contains(c.Run, "-n -T") && !strings.Contains(c.Run, intoLog) && c.Host != Workstation {
			t.Errorf("%s, step %s: nests or writes over what is there: %s", name, s.ID, c.Run)
		}
		if strings.Contains(c.Run, "iptables") && !strings.Contains(c.Run, "in iptables ip6tables;") {
			t.Errorf("%s, step %s: for one family of addresses only: %s", name, s.ID, c.Run)
		}
	})
}

// lintSteps: every step has something to do, and what it says of the lines above is so.
func lintSteps(t *testing.T, name string, r *Runbook) {
	t.Helper()
	for _, s := range r.Steps {
		if len(s.Commands)+len(s.Checks) == 0 {
			t.Errorf("%s, step %s: nothing to do", name, s.ID)
		}
		waits := false
		for _, c := range s.Commands {
			if strings.Contains(c.Comment, "waits above") && !waits {
				t.Errorf("%s, step %s: there are no waits above %s", name, s.ID, c.Run)
			}
			waits = waits || c.WaitsFor != ""
			if strings.Contains(c.Run, "UNWRITABLE") {
				t.Errorf("%s, step %s: %s", name, s.ID, c.Run)
			}
			if strings.Contains(c.Run, "sleep ") && (c.WaitsFor == "" || c.LimitSeconds < 60 || !strings.Contains(c.Run, "Gave up after")) {
				t.Errorf("%s, step %s: a wait without a limit, or nothing to do at it: %s", name, s.ID, c.Run)
			}
		}
	}
}

// TestWaitsFailClosed: no wait ends well when the program that it asks fails, or is not
// there.
func TestWaitsFailClosed(t *testing.T) {
	seen := map[string]bool{}
	var waits []Command
	situations(t, func(t *testing.T, name string, in *Input, r *Runbook) {
		each(r, func(_ *Step, c *Command) {
			if key := c.WaitsFor + strings.Join(c.Programs, " "); c.WaitsFor != "" && !seen[key] {
				seen[key] = true
				waits = append(waits, *c)
			}
		})
	})
	if len(waits) < 8 {
		t.Fatalf("%d waits", len(waits))
	}
	programs := []string{"pgrep", "crictl", "k3s", "kubectl", "talosctl", "systemctl", "revenant", "etcdctl", "sudo"}
	for _, failing := range []struct{ name, sudo, others string }{
		{"every program fails", `exec "$@"`, "exit 1"},
		{"every program fails otherwise, and prints", `exec "$@"`, "echo STATE Preparing; exit 3"},
		{"sudo fails", "exit 1", "exit 0"},
		{"nothing is there", `exec "$@"`, ""},
	} {
		bin := t.TempDir()
		stub := func(name, text string) {
			if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		stub("sleep", ":")
		stub("date", "echo x >> "+bin+"/dates; if [ $(wc -l < "+bin+"/dates) -gt 2 ]; then rm "+bin+"/dates; echo 99999; else echo 0; fi")
		for _, name := range programs {
			if failing.others != "" {
				stub(name, failing.others)
			}
		}
		if failing.name != "nothing is there" {
			stub("sudo", failing.sudo)
		}
		for _, w := range waits {
			if failing.name == "sudo fails" && w.As != Root {
				continue
			}
			// pgrep ends with 1 when it finds nothing, which is what is waited for.
			if strings.Contains(w.Run, "pgrep") && failing.name == "every program fails" {
				continue
			}
			os.Remove(filepath.Join(bin, "dates"))
			cmd := exec.Command("sh", "-c", w.Run)
			cmd.Dir = t.TempDir()
			cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
			if failing.name == "nothing is there" {
				only := t.TempDir()
				for _, name := range []string{"sh", "rm", "mkdir", "grep", "head", "wc"} {
					path, err := exec.LookPath(name)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.Symlink(path, filepath.Join(only, name)); err != nil {
						t.Fatal(err)
					}
				}
				cmd.Env = []string{"PATH=" + bin + ":" + only}
			}
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("%s: %q is taken for done\n%s\n%s", failing.name, w.WaitsFor, w.Run, out)
			}
		}
	}
}
