package play

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	openshiftBin  = "/usr/local/bin/"
	openshiftCtl  = "/etc/kubernetes/static-pod-resources/bin/etcdctl"
	openshiftBump = 1_000_000_000 // without a revision.json
)

func init() {
	platforms["openshift"] = func() *Platform {
		first := func(w *World, _ *Host) string { return w.controlPlane()[0].Name }
		dir := "/etc/kubernetes/static-pod-resources/etcd-certs/"
		certs := [3]string{dir + "ca.crt", dir + "client.crt", dir + "client.key"}
		return &Platform{
			Workstation:  []string{"revenant", "kubectl", "oc", "ssh", "scp"},
			ControlPlane: []string{"crictl", openshiftBin + "cluster-restore.sh", openshiftBin + "cluster-backup.sh", openshiftBin + "disable-etcd.sh"},
			NodePrograms: []string{"crictl"},
			Units:        []string{"kubelet"}, NodeUnits: []string{"kubelet"}, ServerKubelet: "kubelet", NodeKubelet: "kubelet",
			Static: controlPlanePods, DataDir: "/var/lib/etcd", Certs: certs, KeepsAPI: true, Together: true, OwnBump: true,
			Fill: map[string]func(*World, *Host) string{
				"RECOVERY_HOST": first, "CA_FILE": says(certs[0]), "CERT_FILE": says(certs[1]), "KEY_FILE": says(certs[2]),
			},
			Stubs: map[string]Program{
				"cluster-restore.sh": clusterRestore, "cluster-backup.sh": clusterBackup, "disable-etcd.sh": disableEtcd, "oc": oc,
			},
			Former: []string{"/var/lib/etcd-backup/member", "/var/lib/etcd-backup.*/member", "/var/lib/etcd-removed-archive-*/member"},
		}
	}
}

func (h *Host) etcdManifest() string { return h.Root + manifestDir + "/etcd.yaml" }

// disableEtcd moves the manifest of etcd away, once, and waits (cluster-etcd-operator
// bindata/etcd/disable-etcd.sh).
func disableEtcd(c *Call) *answer {
	if !c.Root {
		return fail("This script must be run as root")
	}
	c.w.stub(c.h, openshiftCtl)
	assets := c.h.Root + "/home/assets/manifests-stopped"
	c.w.must(os.MkdirAll(assets, 0o700))
	if _, err := os.Stat(c.h.etcdManifest()); err == nil {
		c.w.must(os.Rename(c.h.etcdManifest(), assets+"/etcd.yaml"))
	}
	c.w.Tick(1)
	c.w.settle()
	c.w.Tick(5)
	return &answer{}
}

// clusterBackup saves a snapshot of the etcd of this host, and its manifests.
func clusterBackup(c *Call) *answer {
	if !c.Root || len(c.Args) != 1 {
		return fail("This script must be run as root, with a directory")
	}
	c.w.stub(c.h, openshiftCtl)
	if c.w.revision() == 0 {
		return fail("etcd is not available")
	}
	dir := c.h.Root + c.Args[0]
	c.w.must(os.MkdirAll(dir, 0o700))
	certs := c.w.Platform.Certs
	out, err := exec.Command(c.w.programs.Etcdctl, "--endpoints="+c.h.Etcd.Client, "--cacert="+c.h.Root+certs[0], "--cert="+c.h.Root+certs[1], "--key="+c.h.Root+certs[2],
		"snapshot", "save", fmt.Sprintf("%s/snapshot_%d.db", dir, c.w.now)).CombinedOutput()
	if err != nil {
		return fail("%s", out)
	}
	c.w.must(os.WriteFile(fmt.Sprintf("%s/static_kuberesources_%d.tar.gz", dir, c.w.now), nil, 0o600))
	return &answer{}
}

// clusterRestore restores this host as the only member, with a bump of its own. What is
// in /var/lib/etcd-backup it removes (bindata/etcd/cluster-restore.sh, etcd-common-tools).
func clusterRestore(c *Call) *answer {
	w, h := c.w, c.h
	if !c.Root || len(c.Args) != 1 {
		return fail("This script must be run as root, with a directory")
	}
	dir := h.Root + c.Args[0]
	snapshots, _ := filepath.Glob(dir + "/snapshot_*.db")
	resources, _ := filepath.Glob(dir + "/static_kuberesources_*.tar.gz")
	if len(snapshots) != 1 || len(resources) != 1 {
		return fail("required files do not exist in %s", c.Args[0])
	}
	w.stub(h, openshiftCtl)
	for _, o := range w.controlPlane() {
		if o != h && o.procs["etcd"] != nil {
			w.wrong("%s is restored while etcd runs on %s", h.Name, o.Name)
		}
	}
	for _, o := range w.controlPlane() { // their etcd is gone, and their cache is not
		if p := o.procs["kube-apiserver"]; p != nil {
			p.serving = false
		}
	}
	w.stop(h, "etcd", 0)
	if p := h.procs["etcd"]; p != nil && p.done != nil {
		<-p.done
		w.tickProc(h, "etcd", p)
	}
	backup, data := h.Root+"/var/lib/etcd-backup", h.Root+"/var/lib/etcd"
	if _, err := os.Stat(data + "/member"); err == nil {
		w.must(os.RemoveAll(backup))
		w.must(os.MkdirAll(backup, 0o700))
		w.must(os.Rename(data+"/member", backup+"/member"))
	}
	w.must(os.RemoveAll(data))
	out, err := exec.Command(w.programs.Etcdutl, "snapshot", "restore", snapshots[0], "--data-dir="+data, "--name="+h.Name, "--initial-cluster="+h.Name+"="+h.Etcd.Peer,
		"--initial-advertise-peer-urls="+h.Etcd.Peer, fmt.Sprintf("--bump-revision=%d", openshiftBump), "--mark-compacted").CombinedOutput()
	if err != nil {
		return fail("%s", out)
	}
	h.Etcd.cluster, h.Etcd.joins = h.Name+"="+h.Etcd.Peer, false
	w.restored = true
	w.must(os.WriteFile(h.etcdManifest(), []byte("static pod etcd\n"), 0o600))
	w.start(h, "etcd")
	return &answer{}
}

// oc switches the quorum guard, and waits until the operator has rolled etcd out.
func oc(c *Call) *answer {
	w := c.w
	f, err := parse(c.Args, map[string]bool{"type": true, "patch": true})
	if err != nil || len(f.words) < 2 {
		return fail("error: %v %q", err, c.Args)
	}
	for range 100 {
		if h, _ := w.apiServer(c.h, ""); h != nil {
			break
		}
		w.settle()
		w.Tick(2)
	}
	if h, refused := w.apiServer(c.h, ""); h == nil {
		return &answer{Code: 1, Err: refused}
	}
	switch f.words[0] + " " + f.words[1] {
	case "patch etcd/cluster":
		var patch struct {
			Spec struct{ UnsupportedConfigOverrides map[string]bool }
		}
		if err := json.Unmarshal([]byte(f.get("patch")), &patch); err != nil || f.get("type") != "merge" {
			return fail("error: unable to parse %q: %v", f.get("patch"), err)
		}
		w.unguarded = patch.Spec.UnsupportedConfigOverrides["useUnsupportedUnsafeNonHANonProductionUnstableEtcd"]
	case "adm wait-for-stable-cluster":
		cluster := w.controlPlane()[0].Etcd.cluster
		for _, h := range w.controlPlane()[1:] {
			if h.procs["etcd"] != nil {
				cluster = h.Etcd.cluster
				continue
			}
			if !w.unguarded {
				return fail("error: timed out waiting for the condition: the quorum guard refuses a rollout")
			}
			if data := h.Root + "/var/lib/etcd"; w.restored {
				if _, err := os.Stat(data + "/member"); err == nil {
					w.must(os.Rename(data, fmt.Sprintf("%s-removed-archive-%d", data, w.now)))
				}
				if err := w.addMember(h); err != nil {
					return fail("error: %v", err)
				}
				cluster += "," + h.Name + "=" + h.Etcd.Peer
				h.Etcd.cluster, h.Etcd.joins = cluster, true
			}
			w.must(os.WriteFile(h.etcdManifest(), []byte("static pod etcd\n"), 0o600))
			w.start(h, "etcd")
			for i := 0; w.revision() == 0 && i < 50; i++ {
				w.settle()
				w.Tick(2)
			}
		}
	default:
		return fail("error: unknown command %q", f.words)
	}
	return &answer{}
}
