package play

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const vclusterData = "/data/etcd"

func init() {
	platforms["vcluster"] = func() *Platform {
		return &Platform{ // with nodes of its own
			Workstation: []string{"revenant", "kubectl", "vcluster"},
			Units:       []string{"kubelet"}, NodeUnits: []string{"kubelet"}, ServerKubelet: "kubelet", NodeKubelet: "kubelet",
			DataDir: vclusterData, Together: true, OwnBump: true,
			Certs: [3]string{"/data/pki/etcd/ca.crt", "/data/pki/client.crt", "/data/pki/client.key"},
			Fill: map[string]func(*World, *Host) string{
				"HOST_CONTEXT": says("host"), "HOST_NAMESPACE": says("vcluster-a"), "VCLUSTER_NAME": says("a"), "SNAPSHOT_URL": says("s3://snapshots/a.tar.gz"),
			},
			Stubs:   map[string]Program{"vcluster": vcluster},
			Kubectl: hostKubectl,
			SetUp:   func(w *World, h *Host) { w.startAll(h) },
		}
	}
}

// hostKubectl is kubectl for the host cluster, which has a claim for the state of the virtual one.
func hostKubectl(c *Call, f *flags) *answer {
	if f.get("context") == "" {
		return nil
	}
	switch words := strings.Join(f.words, " "); {
	case f.get("context") != "host":
		return fail("error: context %q does not exist", f.get("context"))
	case words == "get persistentvolumeclaims" && f.get("output") == "yaml":
		return &answer{Out: "kind: List\n"}
	case words == "get persistentvolumeclaims" && f.get("output") == "custom-columns=V:.spec.volumeName" && f.has("no-headers"):
		return &answer{Out: "pv-data-a-0\n<none>\n"}
	case words == "patch persistentvolume pv-data-a-0" && strings.Contains(f.get("patch"), "Retain"):
		c.w.retained = append(c.w.retained, "pv-data-a-0")
		return &answer{}
	}
	return fail("error: unknown arguments %q", c.Args)
}

// vcluster restores: it ends the virtual cluster, and brings it up again with what the
// snapshot has, 1000 above what the live database had (loft-sh/vcluster 4876675
// restore_helm.go, restoreclient.go).
func vcluster(c *Call) *answer {
	w, h := c.w, c.w.controlPlane()[0]
	f, err := parse(c.Args, map[string]bool{"namespace": true})
	if err != nil || strings.Join(f.words, " ") != "restore a s3://snapshots/a.tar.gz" || f.get("namespace") != "vcluster-a" {
		return fail("Error: %v %q", err, c.Args)
	}
	if len(w.retained) == 0 {
		w.wrong("claims go, and their volumes with them")
	}
	live := w.revision()
	w.served = max(w.served, live)
	for _, name := range []string{"kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"} {
		if p := h.procs[name]; p != nil {
			if p.serving = false; p.cmd != nil {
				p.cmd.Process.Kill()
				<-p.done
			}
		}
		delete(h.procs, name)
	}
	data := h.Root + vclusterData
	w.must(os.RemoveAll(data))
	w.must(os.MkdirAll(filepath.Dir(data), 0o700))
	base := w.backupRevision()
	out, err := exec.Command(w.programs.Etcdutl, "snapshot", "restore", w.backup, "--data-dir="+data, "--name="+h.Name, "--initial-cluster="+h.Etcd.cluster, "--initial-advertise-peer-urls="+h.Etcd.Peer,
		fmt.Sprintf("--bump-revision=%d", live-base+1000), "--mark-compacted").CombinedOutput()
	if err != nil {
		return fail("%s", out)
	}
	w.startAll(h)
	for i := 0; w.revision() == 0 && i < 100; i++ {
		w.settle()
		w.Tick(2)
	}
	return &answer{}
}
