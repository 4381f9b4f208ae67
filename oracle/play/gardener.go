package play

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// gardenerMembers are pods of the seed.
var gardenerMembers = []string{"etcd-main-0", "etcd-main-1", "etcd-main-2"}

const (
	gardenerData = "/var/etcd/data/new.etcd"
	released     = "/var/etcd/released" // where the volume of a member is that nothing claims
	etcdHost     = "a machine that has etcdctl, the certificates of etcd, and reaches it"
)

func init() {
	platforms["gardener"] = func() *Platform {
		certs := [3]string{"/var/etcd/ssl/ca/bundle.crt", "/var/etcd/ssl/client/tls.crt", "/var/etcd/ssl/client/tls.key"}
		return &Platform{
			Workstation:  []string{"revenant", "kubectl", "ssh", "scp"},
			ControlPlane: []string{"etcdctl"},
			Units:        []string{"kubelet"}, NodeUnits: []string{"kubelet"}, ServerKubelet: "kubelet", NodeKubelet: "kubelet",
			DataDir: gardenerData, Certs: certs, Together: true,
			Fill: map[string]func(*World, *Host) string{
				"SEED_KUBECONFIG": says("seed.yaml"), "SHOOT_NAMESPACE": says("shoot--a--b"), "ETCD_CONFIGMAP": says("etcd-main-config"), "API_PORT": says("6443"),
				"CA_FILE": says(certs[0]), "CERT_FILE": says(certs[1]), "KEY_FILE": says(certs[2]),
			},
			Stubs: map[string]Program{"etcdctl": func(c *Call) *answer { // its certificates are who calls it
				c.Root = true
				return stubs["etcdctl"](c)
			}},
			Hosts:   map[string]func(*World) []*Host{etcdHost: func(w *World) []*Host { return w.controlPlane()[:1] }},
			Kubectl: seedKubectl,
			SetUp:   func(w *World, h *Host) { w.startAll(h) },
			Former:  []string{gardenerData + "/member.before-*", released + "/member"},
		}
	}
}

// seedKubectl is kubectl for the seed, on which the members and the API servers are pods.
func seedKubectl(c *Call, f *flags) *answer {
	if f.get("kubeconfig") == "" {
		return nil
	}
	w, first := c.w, c.w.controlPlane()[0]
	words := strings.Join(f.words, " ")
	cluster := strings.HasPrefix(words, "patch persistentvolumes ") // which is in no namespace
	if f.get("kubeconfig") != "seed.yaml" || f.get("namespace") != "shoot--a--b" && !cluster {
		return fail("Error from server (NotFound): %q", c.Args)
	}
	data := first.Root + gardenerData
	switch {
	case strings.HasPrefix(words, "exec etcd-main-0 mv -n -T "+gardenerData+"/member ") && f.get("container") == "etcd":
		if to := first.Root + f.words[6]; !exists(to) { // -n
			w.must(os.Rename(data+"/member", to))
			w.event(first, "its data is moved away")
			w.end(first)
		}
	case words == "wait pod/etcd-main-0" && f.get("for") == "condition=Ready=false":
		if exists(data + "/member") {
			return fail("error: timed out waiting for the condition on pods/etcd-main-0")
		}
	case words == "wait pod/etcd-main-0" && f.get("for") == "condition=Ready", words == "rollout status statefulset/etcd-main":
		return w.restoreFromStore(first)
	case strings.HasPrefix(words, "annotate etcd/etcd-main "):
		if f.words[2] == "gardener.cloud/operation=reconcile" {
			return w.membersJoin(first)
		}
	case words == "scale statefulset/etcd-main" && f.get("replicas") == "0":
		for _, h := range w.controlPlane() {
			w.end(h)
		}
	case words == "scale statefulset/etcd-main" && f.get("replicas") == "1":
	case words == "get pods" && f.get("selector") == "instance=etcd-main" && f.get("output") == "name":
		a := &answer{}
		for _, h := range w.controlPlane() {
			if h.procs["etcd"] != nil {
				a.Out += "pod/" + h.Name + "\n"
			}
		}
		return a
	case words == "get persistentvolumeclaims" && f.get("output") == "jsonpath={.items[*].spec.volumeName}":
		a := &answer{}
		for _, h := range w.controlPlane() {
			if exists(h.Root + gardenerData) {
				a.Out += "pv-" + h.Name + " "
			}
		}
		return a
	case cluster && strings.Contains(f.get("patch"), `"persistentVolumeReclaimPolicy":"Retain"`):
		if len(f.words) < 3 {
			return fail("error: resource(s) were provided, but no name was specified")
		}
		w.retained = append(w.retained, f.words[2:]...)
	case words == "delete persistentvolumeclaims" && f.get("selector") == "instance=etcd-main":
		for _, h := range w.controlPlane() {
			if h.procs["etcd"] != nil {
				w.wrong("the claim of %s is deleted while it runs", h.Name)
			}
			if !slices.Contains(w.retained, "pv-"+h.Name) {
				w.wrong("the volume of %s goes with its claim", h.Name)
			}
			if exists(h.Root + gardenerData) {
				w.must(os.MkdirAll(h.Root+filepath.Dir(released), 0o700))
				w.must(os.Rename(h.Root+gardenerData, h.Root+released))
			}
		}
	case words == "delete leases" && strings.Contains(f.get("selector"), "etcd-member-lease"), words == "edit configmap etcd-main-config":
	case words == "delete pods" && f.get("selector") == "app=kubernetes,role=apiserver":
		for _, h := range w.controlPlane() { // their Deployment makes others at once
			delete(h.procs, "kube-apiserver")
			w.start(h, "kube-apiserver")
		}
	default:
		return fail("error: unknown arguments %q", c.Args)
	}
	return &answer{}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// end ends an etcd, and with it what API servers watch.
func (w *World) end(h *Host) {
	p := h.procs["etcd"]
	if p == nil {
		return
	}
	for _, o := range w.controlPlane() {
		if a := o.procs["kube-apiserver"]; a != nil { // its connections break, and its cache stays
			a.serving = false
		}
	}
	w.served = max(w.served, w.revision())
	p.cmd.Process.Kill()
	<-p.done
	delete(h.procs, "etcd")
	if h.formerSum == "" {
		for _, pattern := range append([]string{gardenerData + "/member"}, w.Platform.Former...) {
			matches, _ := filepath.Glob(h.Root + pattern)
			for _, dir := range matches {
				if sum := tree(dir)["/snap/db"]; h.formerSum == "" {
					h.formerSum = sum
				}
			}
		}
	}
	w.event(h, "etcd has ended")
}

// restoreFromStore has the sidecar of a member that has no data restore the newest of its
// store, as a cluster of one, without a bump (gardener/etcd-backup-restore debd95b).
func (w *World) restoreFromStore(h *Host) *answer {
	data := h.Root + gardenerData
	if !exists(data + "/member") {
		made := data + ".part"
		w.must(os.RemoveAll(made))
		h.Etcd.cluster, h.Etcd.joins = h.Name+"="+h.Etcd.Peer, false
		out, err := exec.Command(w.programs.Etcdutl, "snapshot", "restore", w.backup, "--data-dir="+made, "--name="+h.Name, "--initial-cluster="+h.Etcd.cluster, "--initial-advertise-peer-urls="+h.Etcd.Peer).CombinedOutput()
		if err != nil {
			return fail("%s", out)
		}
		w.must(os.MkdirAll(data, 0o700))
		w.must(os.Rename(made+"/member", data+"/member"))
		w.event(h, "its sidecar has restored")
	}
	w.start(h, "etcd")
	for i := 0; w.revision() == 0 && i < 100; i++ {
		w.settle()
		w.Tick(2)
	}
	return &answer{}
}

// membersJoin has the others join the first.
func (w *World) membersJoin(first *Host) *answer {
	cluster := first.Etcd.cluster
	for _, h := range w.controlPlane() {
		if h.procs["etcd"] != nil {
			cluster = h.Etcd.cluster
			continue
		}
		if err := w.addMember(h); err != nil {
			return fail("%v", err)
		}
		cluster += "," + h.Name + "=" + h.Etcd.Peer
		h.Etcd.cluster, h.Etcd.joins = cluster, true
		w.must(os.MkdirAll(h.Root+filepath.Dir(gardenerData), 0o700))
		w.start(h, "etcd")
	}
	return &answer{}
}
