package play

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func init() {
	platforms["openshift-fenced"] = func() *Platform {
		p := platforms["openshift"]()
		p.As = "openshift"
		p.Static = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"} // etcd is Pacemaker's
		p.OwnBump, p.FirstOnly = false, true
		p.ControlPlane = append(p.ControlPlane, "pcs")
		p.Former = []string{"/var/lib/etcd-backup/member", "/var/lib/etcd-backup.*/member"}
		p.Extra = map[string]string{
			"/config.openshift.io/infrastructures/cluster": `{"apiVersion":"config.openshift.io/v1","kind":"Infrastructure","metadata":{"name":"cluster"},"status":{"controlPlaneTopology":"DualReplica"}}`,
		}
		p.Stubs["cluster-restore.sh"], p.Stubs["pcs"] = fencedRestore, pcs
		p.SetUp = func(w *World, h *Host) {
			w.must(os.MkdirAll(h.Root+manifestDir, 0o700))
			for _, name := range w.Platform.Static {
				w.must(os.WriteFile(filepath.Join(h.Root+manifestDir, name+".yaml"), []byte("static pod "+name+"\n"), 0o600))
			}
			w.start(h, "etcd")
			w.tickStatic(h)
		}
		return p
	}
}

// pcs says where Pacemaker runs etcd.
func pcs(c *Call) *answer {
	if !c.Root || !slices.Equal(c.Args, []string{"status", "resources", "etcd"}) {
		return fail("Error: unknown arguments %q", c.Args)
	}
	var started []string
	for _, h := range c.w.controlPlane() {
		if h.procs["etcd"] != nil {
			started = append(started, h.Name)
		}
	}
	return &answer{Out: "  * Clone Set: etcd-clone [etcd]:\n    * Started: [ " + strings.Join(started, " ") + " ]\n"}
}

// fencedRestore is cluster-restore.sh of two nodes with fencing: it tries the restore out in
// another directory, has Pacemaker stop etcd on both nodes, restores without a bump and
// without comparing the hash, and has etcd started as a new cluster, which the other node
// joins (cluster-etcd-operator 02b2091 bindata/etcd/cluster-restore-tnf.sh).
func fencedRestore(c *Call) *answer {
	w, h := c.w, c.h
	if !c.Root || len(c.Args) != 1 {
		return fail("This script must be run as root, with a directory")
	}
	snapshots, _ := filepath.Glob(h.Root + c.Args[0] + "/snapshot*.db")
	if len(snapshots) == 0 {
		return fail("etcd snapshot does not exist")
	}
	snapshot := snapshots[len(snapshots)-1]
	w.stub(h, openshiftCtl)
	restore := func(to string, more ...string) *answer {
		args := append([]string{"snapshot", "restore", snapshot, "--skip-hash-check", "--data-dir=" + to}, more...)
		if out, err := exec.Command(w.programs.Etcdutl, args...).CombinedOutput(); err != nil {
			return fail("Snapshot validation failed: %s", out)
		}
		return nil
	}
	if a := restore(filepath.Join(w.tb.TempDir(), "data")); a != nil {
		return a
	}
	for _, o := range w.controlPlane() { // their etcd is gone, and their cache is not
		if p := o.procs["kube-apiserver"]; p != nil {
			p.serving = false
		}
		w.stop(o, "etcd", 0)
		if p := o.procs["etcd"]; p != nil && p.done != nil {
			<-p.done
			w.tickProc(o, "etcd", p)
		}
	}
	backup, data := h.Root+"/var/lib/etcd-backup", h.Root+"/var/lib/etcd"
	w.must(os.MkdirAll(backup, 0o700))
	if _, err := os.Stat(data + "/member"); err == nil {
		w.must(os.RemoveAll(backup + "/member"))
		w.must(os.Rename(data+"/member", backup+"/member"))
	}
	w.must(os.RemoveAll(data))
	h.Etcd.cluster, h.Etcd.joins = h.Name+"="+h.Etcd.Peer, false
	if a := restore(data, "--name="+h.Name, "--initial-cluster="+h.Etcd.cluster, "--initial-advertise-peer-urls="+h.Etcd.Peer); a != nil {
		return a
	}
	w.start(h, "etcd")
	for _, o := range w.controlPlane() {
		if o == h {
			continue
		}
		w.must(os.RemoveAll(o.Root + "/var/lib/etcd"))
		if err := w.addMember(o); err != nil {
			return fail("%v", err)
		}
		o.Etcd.cluster, o.Etcd.joins = h.Etcd.cluster+","+o.Name+"="+o.Etcd.Peer, true
		w.start(o, "etcd")
	}
	for i := 0; w.revision() == 0 && i < 100; i++ {
		w.settle()
		w.Tick(2)
	}
	return &answer{}
}
