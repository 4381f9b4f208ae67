package play

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func init() {
	platforms["talos"] = func() *Platform {
		return &Platform{
			Workstation: []string{"revenant", "kubectl", "talosctl"},
			Units:       []string{"kubelet"}, NodeUnits: []string{"kubelet"}, ServerKubelet: "kubelet", NodeKubelet: "kubelet",
			DataDir: "/var/lib/etcd", Together: true,
			Certs: [3]string{"/system/secrets/etcd/ca.crt", "/system/secrets/etcd/admin.crt", "/system/secrets/etcd/admin.key"},
			Fill: map[string]func(*World, *Host) string{
				"FIRST_CONTROL_PLANE_IP": func(w *World, _ *Host) string { return w.controlPlane()[0].Address },
				"NODE_IP":                func(w *World, _ *Host) string { return w.controlPlane()[0].Address },
				"CONTROL_PLANE_IPS": func(w *World, _ *Host) string {
					var ips []string
					for _, h := range w.controlPlane() {
						ips = append(ips, h.Address)
					}
					return strings.Join(ips, " ")
				},
			},
			Stubs: map[string]Program{"talosctl": talosctl},
			SetUp: func(w *World, h *Host) { w.startAll(h) },
		}
	}
}

// startAll starts what a control plane node of Talos runs once its etcd does.
func (w *World) startAll(h *Host) {
	for _, name := range controlPlanePods {
		w.start(h, name)
	}
}

// talosctl is the program, of which the API of one node is asked (siderolabs/talos
// cmd/talosctl/cmd/talos).
func talosctl(c *Call) *answer {
	w := c.w
	f, err := parse(c.Args, map[string]bool{
		"nodes": true, "graceful": true, "reboot": false, "system-labels-to-wipe": true, "recover-from": true, "recover-skip-hash-check": false,
	})
	if err != nil || len(f.words) == 0 {
		return fail("%v: %q", err, c.Args)
	}
	h := w.host(f.get("nodes"))
	if h == nil {
		return fail("rpc error: code = Unavailable desc = no node %q", f.get("nodes"))
	}
	running := h.procs["etcd"] != nil && h.procs["etcd"].ends == 0
	data := h.Root + w.Platform.DataDir
	switch strings.Join(f.words[:min(2, len(f.words))], " ") {
	case "etcd snapshot":
		if !running {
			return fail("rpc error: code = FailedPrecondition desc = etcd is not running")
		}
		first := w.controlPlane()[0]
		return &answer{
			Exec: []string{
				w.programs.Etcdctl, "--endpoints=" + h.Etcd.Client, "--cacert=" + first.Root + w.Platform.Certs[0], "--cert=" + first.Root + w.Platform.Certs[1],
				"--key=" + first.Root + w.Platform.Certs[2], "snapshot", "save", f.words[2],
			},
		}
	case "copy /var/lib/etcd":
		to := filepath.Join(c.Dir, f.words[2])
		if _, err := os.Stat(data); err != nil {
			return fail("rpc error: lstat /var/lib/etcd: no such file or directory")
		}
		if out, err := exec.Command("cp", "-r", data+"/.", to).CombinedOutput(); err != nil {
			return fail("%s", out)
		}
	case "reset":
		w.wipe(h)
	case "service etcd":
		state := "Running"
		if !running {
			state = "Preparing"
		}
		return &answer{Out: "NODE     " + h.Address + "\nID       etcd\nSTATE    " + state + "\nHEALTH   ?\n"}
	case "service kubelet":
		if len(f.words) != 3 || f.words[2] != "restart" {
			return fail("unknown service action %q", f.words)
		}
		w.restartKubelet(h)
	case "bootstrap":
		if running {
			return fail("rpc error: code = AlreadyExists desc = etcd data directory is not empty")
		}
		return w.recoverFrom(h, filepath.Join(c.Dir, f.get("recover-from")), f.has("recover-skip-hash-check"))
	default:
		return fail("unknown command %q", f.words)
	}
	return &answer{}
}

// wipe empties a node and reboots it: nothing runs there afterwards but a kubelet, and etcd
// waits to be bootstrapped.
func (w *World) wipe(h *Host) {
	for _, name := range []string{"kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"} {
		p := h.procs[name]
		if p == nil {
			continue
		}
		if name == "etcd" && w.playing {
			w.served = max(w.served, w.revision())
		}
		if p.cmd != nil {
			p.cmd.Process.Kill()
			<-p.done
		}
		delete(h.procs, name)
	}
	w.must(os.RemoveAll(h.Root + "/var"))
	w.must(os.MkdirAll(h.Root+"/var/lib", 0o700))
	w.event(h, "is wiped")
}

// recoverFrom bootstraps a cluster of one out of a snapshot, which the others join.
func (w *World) recoverFrom(h *Host, path string, skip bool) *answer {
	args := []string{"snapshot", "restore", path, "--data-dir=" + h.Root + w.Platform.DataDir, "--name=" + h.Name, "--initial-cluster=" + h.Name + "=" + h.Etcd.Peer, "--initial-advertise-peer-urls=" + h.Etcd.Peer}
	if skip {
		args = append(args, "--skip-hash-check")
	}
	if out, err := exec.Command(w.programs.Etcdutl, args...).CombinedOutput(); err != nil {
		return fail("%s", out)
	}
	for _, o := range w.controlPlane() {
		if o != h && o.procs["etcd"] != nil {
			w.wrong("%s is bootstrapped while the former etcd of %s runs", h.Name, o.Name)
		}
	}
	h.Etcd.cluster, h.Etcd.joins = h.Name+"="+h.Etcd.Peer, false
	w.startAll(h)
	cluster := h.Etcd.cluster
	for _, o := range w.controlPlane() {
		if o == h {
			continue
		}
		if err := w.addMember(o); err != nil {
			return fail("%v", err)
		}
		cluster += "," + o.Name + "=" + o.Etcd.Peer
		o.Etcd.cluster, o.Etcd.joins = cluster, true
		w.startAll(o)
	}
	return &answer{}
}

// addMember has a running cluster take one in.
func (w *World) addMember(h *Host) (err error) {
	for range 150 { // until the members before it are in
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err = w.etcd().MemberAdd(ctx, []string{h.Etcd.Peer})
		cancel()
		if err == nil || strings.Contains(err.Error(), "already exist") {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}
