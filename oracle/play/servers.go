package play

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func init() {
	platforms["k3s"] = func() *Platform { return rancher("k3s", "k3s", "k3s-agent", "6443") }
	platforms["rke2"] = func() *Platform {
		p := rancher("rke2", "rke2-server", "rke2-agent", "9345")
		p.UnitProcs["rke2-server"] = append(slices.Clone(controlPlanePods), "cloud-controller-manager")
		p.Outlive, p.ChildKubelet = true, true
		crictl := "/var/lib/rancher/rke2/bin/crictl"
		p.ControlPlane, p.NodePrograms = append(p.ControlPlane, crictl), append(p.NodePrograms, crictl)
		return p
	}
	platforms["k0s"] = func() *Platform {
		dir := "/var/lib/k0s/"
		return &Platform{
			Workstation: []string{"revenant", "kubectl", "ssh", "scp"},
			Units:       []string{"k0scontroller"}, NodeUnits: []string{"k0sworker"},
			UnitProcs: map[string][]string{"k0scontroller": controlPlanePods},
			Version:   "+k0s", ServerLabel: "node.k0sproject.io/role=control-plane",
			ServerKubelet: "k0scontroller", NodeKubelet: "k0sworker", RuntimeStops: true, ChildKubelet: true,
			DataDir: dir + "etcd", Local: "https://127.0.0.1:2379", Together: true,
			Certs:  [3]string{dir + "pki/etcd/ca.crt", dir + "pki/apiserver-etcd-client.crt", dir + "pki/apiserver-etcd-client.key"},
			Stubs:  map[string]Program{"systemctl": agentSystemctl, "pkill": agentPkill},
			Former: []string{dir + "etcd/member.before-*"},
		}
	}
}

// rancher is k3s or RKE2: one unit is the control plane of a server with its etcd and its
// kubelet, and another the kubelet and the container runtime of an agent. Servers join at a
// port of the first one.
func rancher(program, server, agent, port string) *Platform {
	dir := "/var/lib/rancher/" + program + "/server/"
	return &Platform{
		Workstation:  []string{"revenant", "kubectl", "ssh", "scp"},
		ControlPlane: []string{program}, NodePrograms: []string{program},
		Units: []string{server}, NodeUnits: []string{agent}, UnitProcs: map[string][]string{server: controlPlanePods},
		Version: "+" + program + "1", ServerLabel: "node-role.kubernetes.io/control-plane=true",
		ServerKubelet: server, NodeKubelet: agent, RuntimeStops: true,
		DataDir: dir + "db/etcd", Local: "https://127.0.0.1:2379", Together: true,
		Certs: [3]string{dir + "tls/etcd/server-ca.crt", dir + "tls/etcd/client.crt", dir + "tls/etcd/client.key"},
		Fill: map[string]func(*World, *Host) string{
			"FIRST_SERVER": func(w *World, _ *Host) string { return w.controlPlane()[0].Name },
		},
		Stubs: map[string]Program{program: rancherProgram, "systemctl": agentSystemctl, "pkill": agentPkill},
		SetUp: func(w *World, h *Host) {
			first := w.controlPlane()[0]
			config := "token: secret\netcd-s3: true\n"
			if h != first {
				config += "server: https://" + first.Name + ":" + port + "\n"
			}
			w.must(os.MkdirAll(filepath.Dir(h.rancherConfig(program)), 0o700))
			w.must(os.WriteFile(h.rancherConfig(program), []byte(config), 0o600))
			for _, name := range w.Platform.UnitProcs[server] {
				w.start(h, name)
			}
		},
		Joins: func(h *Host) string {
			config, err := os.ReadFile(h.rancherConfig(program))
			if _, server, ok := strings.Cut(string(config), "\nserver: "); ok && err == nil {
				return strings.TrimSpace(server[strings.LastIndex(server, ":")+1:])
			}
			return ""
		},
		Former: []string{dir + "db/etcd-old-*/member", strings.TrimSuffix(dir, "/") + "/db.before-*/etcd/member"},
	}
}

func (h *Host) rancherConfig(program string) string {
	return h.Root + "/etc/rancher/" + program + "/config.yaml"
}

// rancherProgram is k3s or rke2, for what a runbook calls of it.
func rancherProgram(c *Call) *answer {
	switch {
	case len(c.Args) > 0 && c.Args[0] == "crictl" && c.Program == "k3s":
		c.Args = c.Args[1:]
		return crictl(c)
	case len(c.Args) > 0 && c.Args[0] == "server":
		c.Args = c.Args[1:]
		return c.clusterReset()
	}
	return fail("No help topic for %q", c.Args)
}

// resetRetention is how many older data directories a reset keeps.
const resetRetention = 5

// clusterReset restores a snapshot as the only member, and ends. What it refuses is what
// they refuse (k3s pkg/cli/server/server.go, pkg/cluster/managed.go, pkg/etcd).
func (c *Call) clusterReset() *answer {
	w, h := c.w, c.h
	f, err := parse(c.Args, map[string]bool{"cluster-reset": false, "etcd-s3": false, "cluster-reset-restore-path": true})
	if err != nil || len(f.words) > 0 {
		return fail("Incorrect Usage: %v %q", err, f)
	}
	if !c.Root {
		return fail("level=fatal msg=\"must run as root\"")
	}
	if !f.has("cluster-reset") {
		w.wrong("%s: a server is run by hand", h.Name)
		return fail("a server in the foreground")
	}
	config, _ := os.ReadFile(h.rancherConfig(c.Program))
	db := h.Root + path.Dir(w.Platform.DataDir)
	snapshot := f.get("cluster-reset-restore-path")
	_, flagged := os.Stat(db + "/reset-flag")
	_, found := os.Stat(h.Root + snapshot)
	switch {
	case h.procs["etcd"] != nil || h.procs["kube-apiserver"] != nil || h.units[w.Platform.ServerKubelet]:
		return fail("level=fatal msg=\"listen tcp :6443: bind: address already in use\"")
	case w.Platform.Joins(h) != "":
		return fail("level=fatal msg=\"cannot perform cluster-reset while server URL is set\"")
	case flagged == nil:
		return fail("level=fatal msg=\"Managed etcd cluster membership was previously reset, please remove the cluster-reset flag\"")
	case f.get("etcd-s3") != "false" && strings.Contains(string(config), "etcd-s3: true"):
		return fail("level=fatal msg=\"S3 has no snapshot of that name\"")
	case !strings.HasPrefix(snapshot, "/") || found != nil:
		return fail("level=fatal msg=\"etcd: snapshot path does not exist: %s\"", snapshot)
	}
	for _, o := range w.controlPlane() {
		if o != h && o.procs["etcd"] != nil {
			w.wrong("%s is reset while etcd runs on %s", h.Name, o.Name)
		}
	}
	h.Etcd.cluster, h.Etcd.joins = h.Name+"="+h.Etcd.Peer, false
	w.event(h, "is reset")
	data := h.Root + w.Platform.DataDir
	lines := []string{"set -e", fmt.Sprintf("mkdir -p '%s'", db)}
	old, _ := filepath.Glob(data + "-old-*")
	slices.Sort(old)
	for len(old) > resetRetention {
		lines, old = append(lines, fmt.Sprintf("rm -rf '%s'", old[0])), old[1:]
	}
	if _, err := os.Stat(data); err == nil {
		lines = append(lines, fmt.Sprintf("mv '%s' '%s-old-%d'", data, data, w.now))
	}
	lines = append(lines,
		fmt.Sprintf("rm -rf '%s'", data), // another call, at which it can be killed
		fmt.Sprintf("'%s' snapshot restore '%s' --data-dir='%s' --name='%s' --initial-cluster='%s' --initial-advertise-peer-urls='%s'",
			w.programs.Etcdutl, h.Root+snapshot, data, h.Name, h.Etcd.cluster, h.Etcd.Peer),
		fmt.Sprintf("touch '%s/reset-flag'", db),
	)
	return &answer{Exec: []string{"sh", "-c", strings.Join(lines, "\n")}}
}

// joinsFirst lets a server that has no data join those that run, and has one forget that it
// was reset.
func (w *World) joinsFirst(h *Host) *answer {
	os.Remove(h.Root + path.Dir(w.Platform.DataDir) + "/reset-flag")
	if _, err := os.Stat(h.Root + w.Platform.DataDir + "/member"); err == nil {
		return nil
	}
	port := w.Platform.Joins(h)
	if port == "" {
		w.wrong("%s begins a cluster of its own", h.Name)
		h.Etcd.cluster, h.Etcd.joins = h.Name+"="+h.Etcd.Peer, false
		return nil
	}
	if w.revision() == 0 || port == w.port() && w.reach(h, "") == nil {
		return fail("Job for %s.service failed: the server that it joins does not answer", w.Platform.ServerKubelet)
	}
	cluster := h.Name + "=" + h.Etcd.Peer
	for _, o := range w.controlPlane() {
		if o != h && o.procs["etcd"] != nil {
			cluster += "," + o.Name + "=" + o.Etcd.Peer
		}
	}
	if err := w.addMember(h); err != nil {
		return fail("Job for %s.service failed: %v", w.Platform.ServerKubelet, err)
	}
	h.Etcd.cluster, h.Etcd.joins = cluster, true
	w.event(h, "joins as a new member")
	return nil
}

// active are the active units of a host whose names match a pattern.
func (h *Host) active(pattern string) (list []string) {
	for unit, active := range h.units {
		if ok, err := path.Match(pattern, unit); ok && err == nil && active {
			list = append(list, unit)
		}
	}
	slices.Sort(list)
	return list
}

// agentSystemctl is systemctl where units have a kubelet and the container runtime in them.
func agentSystemctl(c *Call) *answer {
	w, h := c.w, c.h
	if len(c.Args) < 2 || !c.Root {
		return systemctl(c)
	}
	last := c.Args[len(c.Args)-1]
	kubelet := w.Platform.kubelet(h)
	switch verb := c.Args[0]; verb {
	case "is-active":
		if len(c.Args) != 3 || c.Args[1] != "--quiet" {
			return fail("systemctl: unknown arguments %q", c.Args)
		}
		if len(h.active(last)) == 0 {
			return &answer{Code: 3}
		}
		return &answer{}
	case "kill":
		if !slices.Equal(c.Args[1:len(c.Args)-1], []string{"--kill-who=main", "--signal=SIGSTOP"}) {
			return fail("systemctl: unknown arguments %q", c.Args)
		}
		if w.Platform.ChildKubelet {
			w.wrong("%s: the process that is stopped is not the kubelet", h.Name)
		}
		h.hold(w, slices.Contains(h.active(last), kubelet))
		return &answer{}
	case "restart", "try-restart":
		units := h.active(last)
		if len(units) == 0 && verb == "restart" {
			return &answer{Code: 5, Err: "Failed to restart " + last + ": Unit not found.\n"}
		}
		for _, unit := range units {
			if unit == kubelet && h.held && w.Platform.ChildKubelet {
				w.wrong("%s: its unit waits for a kubelet that is held still", h.Name)
			}
			if unit == kubelet {
				h.held = false
			}
			if a := c.unit("restart", unit, true); a != nil {
				return a
			}
		}
		return &answer{}
	case "start":
		if h.ControlPlane && last == w.Platform.ServerKubelet && !h.units[last] && w.Platform.Joins != nil {
			if a := w.joinsFirst(h); a != nil {
				return a
			}
		}
	}
	return systemctl(c)
}

// hold holds the kubelet of a host still, if it runs.
func (h *Host) hold(w *World, runs bool) {
	if runs && h.Node != nil {
		h.held = true
		w.event(h, "its kubelet is held still")
	}
}

// agentPkill also sends signals to a kubelet that is a process of its own.
func agentPkill(c *Call) *answer {
	w, h := c.w, c.h
	if len(c.Args) != 3 {
		if names, err := exactly(c.Args); err == nil && w.Platform.Outlive && h.units[w.Platform.ServerKubelet] {
			for _, name := range strings.Split(names, "|") {
				if h.proc(name) != nil {
					w.wrong("%s: the kubelet of a running service starts %s again", h.Name, name)
				}
			}
		}
		return stubs["pkill"](c)
	}
	signal, name := c.Args[0], c.Args[2]
	switch {
	case c.Args[1] != "-x" || name != "kubelet" || signal != "-STOP" && signal != "-KILL":
		return fail("pkill: unknown arguments %q", c.Args)
	case !w.Platform.ChildKubelet, h.Node == nil, !h.units[w.Platform.kubelet(h)]:
		return &answer{Code: 1}
	case !c.Root:
		return fail("pkill: killing pid 4711 failed: Operation not permitted")
	case signal == "-STOP":
		h.hold(w, true)
	default:
		h.held = false
		w.event(h, "its kubelet is killed")
	}
	return &answer{}
}
