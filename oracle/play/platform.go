package play

import (
	"os"
	"path/filepath"
	"slices"
)

// Platform is what its hosts have, and how the words in capitals are filled in.
type Platform struct {
	ID string
	As string // what --platform is called, "" for the same
	// Workstation, ControlPlane and NodePrograms are programs beyond those that every host
	// has: names in the PATH, or paths.
	Workstation, ControlPlane, NodePrograms []string
	// Units and NodeUnits are units of systemd on control plane nodes and other nodes.
	Units, NodeUnits []string
	UnitProcs        map[string][]string // the processes of a unit
	Static           []string            // processes that are static pods
	ServerKubelet    string              // the unit that is the kubelet of a control plane node
	NodeKubelet      string              // and of another
	Version          string              // what its kubelets add to theirs
	ServerLabel      string              // KEY=VALUE that servers set on their nodes
	RuntimeStops     bool                // the container runtime stops with the unit that is the kubelet
	ChildKubelet     bool                // the kubelet is not the main process of its unit
	Outlive          bool                // the processes of a unit are static pods, which go on when it is stopped

	DataDir  string
	WALDir   string    // set by the evidence
	Certs    [3]string // authority, certificate and key of etcd
	Port     string    // of the API servers
	Local    string    // where each host's own etcd is asked, "" where that is not one place
	Prefix   string    // of etcd's keys, "" for the usual one
	KeepsAPI bool      // API servers run while etcd is stopped, on purpose
	Together bool      // controllers start with API servers
	OwnBump  bool      // its tool bumps by itself, as far as that goes
	Recounts bool      // the restored store counts its revisions anew

	Fill    map[string]func(w *World, h *Host) string
	Hosts   map[string]func(w *World) []*Host // hosts of a name that is the platform's own
	Stubs   map[string]Program
	Kubectl func(*Call, *flags) *answer // kubectl for another cluster, nil when it is not for one
	// SetUp starts the control plane of a host; nil has the static pods or units started.
	SetUp func(w *World, h *Host)
	// Joins is the port at which a control plane node that has no data joins another, "" when
	// it joins none; nil where none does.
	Joins func(h *Host) string
	// Former are patterns of where the former data of a host is after the restore: what
	// was the directory member. FirstOnly has that of the first host alone looked for: what
	// becomes of the others' the platform does not say.
	Former    []string
	FirstOnly bool
	// Extra are objects that its clusters have, by their keys below the prefix.
	Extra map[string]string
	// Encrypted are resources whose values are encrypted at rest.
	Encrypted []string
}

func (p *Platform) static(name string) bool { return slices.Contains(p.Static, name) }

// oneUnit says whether API server and etcd of a host are one unit, and stop together.
func (p *Platform) oneUnit() bool {
	if p.Outlive {
		return false
	}
	for _, procs := range p.UnitProcs {
		if slices.Contains(procs, "etcd") && slices.Contains(procs, "kube-apiserver") {
			return true
		}
	}
	return false
}

func (p *Platform) kubelet(h *Host) string {
	if h.ControlPlane {
		return p.ServerKubelet
	}
	return p.NodeKubelet
}

func (p *Platform) setUp(w *World, h *Host) {
	if p.SetUp != nil {
		p.SetUp(w, h)
		return
	}
	if len(p.Static) > 0 {
		w.must(os.MkdirAll(h.Root+manifestDir, 0o700))
	}
	for _, name := range p.Static {
		w.must(os.WriteFile(filepath.Join(h.Root+manifestDir, name+".yaml"), []byte("static pod "+name+"\n"), 0o600))
	}
	w.tickStatic(h)
	for _, unit := range p.Units {
		for _, name := range p.UnitProcs[unit] {
			w.start(h, name)
		}
	}
}

var controlPlanePods = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}

// PlatformOf is the one of a name.
func PlatformOf(id string) *Platform {
	p := platforms[id]()
	p.ID = id
	if p.Port == "" {
		p.Port = "6443"
	}
	return p
}

var platforms = map[string]func() *Platform{
	"kubeadm": func() *Platform {
		return &Platform{
			Workstation:  []string{"revenant", "kubectl", "ssh", "scp"},
			ControlPlane: []string{"crictl"}, NodePrograms: []string{"crictl"},
			Units: []string{"kubelet"}, NodeUnits: []string{"kubelet"}, ServerKubelet: "kubelet", NodeKubelet: "kubelet",
			Static:  controlPlanePods,
			DataDir: "/var/lib/etcd",
			Certs:   [3]string{"/etc/kubernetes/pki/etcd/ca.crt", "/etc/kubernetes/pki/etcd/server.crt", "/etc/kubernetes/pki/etcd/server.key"},
			Former:  []string{"/var/lib/etcd/member.before-*"},
		}
	},
	"generic": func() *Platform {
		return &Platform{
			Workstation: []string{"revenant", "kubectl", "ssh", "scp"},
			Units:       []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"}, NodeUnits: []string{"kubelet"},
			UnitProcs: map[string][]string{
				"etcd": {"etcd"}, "kube-apiserver": {"kube-apiserver"}, "kube-controller-manager": {"kube-controller-manager"}, "kube-scheduler": {"kube-scheduler"},
			},
			ServerKubelet: "kubelet", NodeKubelet: "kubelet",
			DataDir: "/var/lib/etcd", Port: "8443",
			Certs:  [3]string{"/etc/etcd/ca.crt", "/etc/etcd/server.crt", "/etc/etcd/server.key"},
			Former: []string{"/var/lib/etcd/member.before-*"},
			Fill: map[string]func(*World, *Host) string{
				"DATA_DIR": says("/var/lib/etcd"), "WAL_DIR": says("/var/lib/etcd-log"), "API_PORT": says("8443"),
				"CA_FILE": says("/etc/etcd/ca.crt"), "CERT_FILE": says("/etc/etcd/server.crt"), "KEY_FILE": says("/etc/etcd/server.key"),
				"METRICS_URL": func(_ *World, h *Host) string { return h.Etcd.Metrics + "/metrics" },
			},
		}
	},
}

// says is a word that is the same everywhere.
func says(word string) func(*World, *Host) string {
	return func(*World, *Host) string { return word }
}
