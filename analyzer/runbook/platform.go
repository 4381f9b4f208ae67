package runbook

import (
	"fmt"
	"slices"
	"strings"
)

// Platform says how the control plane was set up. The values are stable names.
type Platform string

// The platforms.
const (
	Generic   Platform = "generic"
	Kubeadm   Platform = "kubeadm"
	OpenShift Platform = "openshift"
	K3s       Platform = "k3s"
	RKE2      Platform = "rke2"
	K0s       Platform = "k0s"
	Kops      Platform = "kops"
	Talos     Platform = "talos"
	Gardener  Platform = "gardener"
	VCluster  Platform = "vcluster"
)

// Platforms are the platforms there are steps for, Generic last.
func Platforms() []Platform {
	list := make([]Platform, len(profiles))
	for i := range profiles {
		list[i] = profiles[i].id
	}
	return list
}

// PlatformChoice is the platform that the steps are for, and what is known of it.
type PlatformChoice struct {
	ID    Platform `json:"id"`
	Title string   `json:"title"`
	Bumps Bumper   `json:"bumps"`
	Notes []Note   `json:"notes"`
	// Suggested is the platform that objects of the backup point to, nil when
	// nothing does. It is never used unasked.
	Suggested *Suggestion `json:"suggested"`
}

// Note is something that the platform's own restore does or leaves undone.
type Note struct {
	Text     string `json:"text"`
	Inferred bool   `json:"inferred"` // not read in its sources or documentation
}

// Bumper says what bumps in a platform's restore. The values are stable names.
type Bumper string

// Where the bump comes from.
const (
	BumpsDataDirectory Bumper = "data-directory" // etcdutl, when it makes the data directories
	BumpsSnapshot      Bumper = "snapshot"       // etcdutl makes a snapshot with the bump in it, which the platform's tool restores
	BumpsItself        Bumper = "platform"       // the platform's tool, by itself
	BumpsNothing       Bumper = "nothing"        // the platform's tool cannot be given a bump
)

// profile is what the steps need to know of a platform.
type profile struct {
	id    Platform
	title string
	notes []Note
	bumps Bumper
	// recounts says that the restored store begins to count its revisions.
	recounts bool

	dataDir string   // of an etcd member
	port    string   // of the API servers
	metrics string   // URL of etcd's metrics, after flags of curl; "" where no shell reaches it
	certs   []string // etcdctl's flags for TLS
	// etcdctl is how etcdctl is called where it is not brought along, and the machine.
	etcdctl     []string
	etcdctlHost Host

	freeze, stopAPI, stopEtcd             []Command
	emptyNodes                            func(b *builder) []Command // in place of stopEtcd
	stopTitle, stopWhy                    string                     // "" is the usual one
	restoreOwn                            func(b *builder, s *Step)  // for every path but BumpsDataDirectory
	startEtcd, startAPI, startControllers []Command
	// kubelet is the unit of systemd that runs it, "" where no shell does.
	kubelet string
	// restartKubelet restarts the kubelet of a node.
	restartKubelet func(node string) Command
	// crictl is how it is called; none where it has to be brought along.
	crictl []string
	// socket is the runtime's, for a crictl that is brought along; "" is containerd's own.
	socket string
	// agent is the unit in which the container runtime stops with the kubelet.
	agent agent

	// together says that API servers and controllers cannot be started one
	// without the other: nothing can be deleted in between.
	together bool
	// keepsAPI says that the platform's tool leaves API servers running.
	keepsAPI bool
	// kubelets says whose kubelets they are when they do not watch this API.
	kubelets string
	warnings []string // of a restore on this platform
}

const (
	manifests = "/etc/kubernetes/manifests"
	aside     = "/etc/kubernetes/stopped"
)

var (
	genericCerts = []string{"--cacert=CA_FILE", "--cert=CERT_FILE", "--key=KEY_FILE"}
	kubeadmCerts = []string{"--cacert=/etc/kubernetes/pki/etcd/ca.crt", "--cert=/etc/kubernetes/pki/etcd/server.crt", "--key=/etc/kubernetes/pki/etcd/server.key"}
	kopsCerts    = []string{
		"--cacert=/rootfs/srv/kubernetes/kube-apiserver/etcd-ca.crt", "--cert=/rootfs/srv/kubernetes/kube-apiserver/etcd-client.crt",
		"--key=/rootfs/srv/kubernetes/kube-apiserver/etcd-client.key",
	}
)

// away takes manifests of static pods away. What was taken before is left alone.
func away(h Host, names ...string) []Command { return movedManifests(h, manifests, aside, names) }

func back(h Host, names ...string) []Command { return movedManifests(h, aside, manifests, names) }

func movedManifests(h Host, from, to string, names []string) []Command {
	if len(names) > 1 {
		return []Command{script(h, fmt.Sprintf("( for m in %[3]s; do sudo test ! -e %[1]s/$m.yaml || sudo mv --no-clobber %[1]s/$m.yaml %[2]s/ || exit; done )", from, to, strings.Join(names, " ")))}
	}
	return []Command{script(h, fmt.Sprintf("sudo test ! -e %[1]s/%[3]s.yaml || sudo mv --no-clobber %[1]s/%[3]s.yaml %[2]s/", from, to, names[0]))}
}

// allFirst are commands that every machine finishes before any goes on.
func allFirst(list []Command) []Command {
	list[len(list)-1] = list[len(list)-1].all()
	return list
}

func systemctl(h Host, args ...string) Command {
	return call(h, append([]string{"systemctl"}, args...)...).root()
}

// systemd restarts the kubelet of a node that is a unit of systemd.
func systemd(unit string) func(string) Command {
	return func(node string) Command { return systemctl(nodeHost(node), "restart", unit) }
}

// profiles are the platforms. What their tools do was read in the sources and the
// documentation of each, as of 2026.
var profiles = []profile{
	{
		id: Kubeadm, title: "kubeadm", bumps: BumpsDataDirectory,
		notes: []Note{
			{Text: "kubeadm has no restore of its own: nothing bumps, and nothing restarts API servers or kubelets, unless a person does."},
			{Text: "The paths are kubeadm's defaults: compare them with --data-dir and the certificates in the manifest of etcd."},
			{Text: "Nodes have no etcdctl and no etcdutl, and the images of etcd have no shell: the steps bring both."},
			{Text: "The documentation of Kubernetes restarts scheduler, controller manager and kubelets after a restore. The first two are stopped and started here, and those kubelets are restarted that do not list again by themselves."},
		},
		dataDir: "/var/lib/etcd", port: "6443", metrics: "http://127.0.0.1:2381/metrics", certs: kubeadmCerts,
		freeze: slices.Concat(
			[]Command{call(ControlPlane, "mkdir", "-p", aside).root()},
			away(ControlPlane, "kube-controller-manager", "kube-scheduler"),
			[]Command{stopped(ControlPlane, "kube-controller-manager", "kube-scheduler")},
		),
		stopAPI:          append(away(ControlPlane, "kube-apiserver"), stopped(ControlPlane, "kube-apiserver")),
		stopEtcd:         append(away(ControlPlane, "etcd"), stopped(ControlPlane, "etcd")),
		startEtcd:        allFirst(back(ControlPlane, "etcd")),
		startAPI:         allFirst(back(ControlPlane, "kube-apiserver")),
		startControllers: back(ControlPlane, "kube-controller-manager", "kube-scheduler"),
		kubelet:          "kubelet", restartKubelet: systemd("kubelet"), crictl: []string{"crictl"},
	},
	{
		id: OpenShift, title: "OpenShift", bumps: BumpsItself,
		notes: []Note{
			{Text: "cluster-restore.sh bumps by itself: 1.2 times the raft index in /var/lib/etcd/revision.json, or 1,000,000,000 without that file. Its single-member path (ETCD_ETCDCTL_RESTORE) does not, and neither does the script of clusters of two nodes with fencing: where the backup is of such a cluster (controlPlaneTopology: DualReplica), the steps put the bump into the file."},
			{Text: "It restarts no kubelets, and leaves API servers running on purpose: the bump has to be two above all they have seen. Then they drop their cache, and pods come to what is predicted here for API servers that are restarted; a scheduler that was left running exits once when it finds a pod on another node than before."},
			{Text: "The raft index begins again with each restore. So a second restore, of a backup from before the first, computes a bump that is far too small."},
			{Text: "The steps are those of 4.22, in which nothing is stopped or restarted by hand and the operators take up to 15 minutes. Older versions have no disable-etcd.sh: there, static pods are moved away and redeployments forced, kubelets of the control plane are restarted, certificate requests approved, and the pods of OVN-Kubernetes restarted, as the documentation of the version says."},
			{Text: "The backup must be of the same z-stream release as the cluster."},
		},
		dataDir: "/var/lib/etcd", port: "6443", certs: genericCerts,
		etcdctl: []string{"sudo", "/etc/kubernetes/static-pod-resources/bin/etcdctl"}, etcdctlHost: FirstControlPlane,
		stopTitle: "Stop etcd on the other control plane nodes",
		stopWhy:   "cluster-restore.sh stops and starts what it needs to on the recovery host. An etcd that runs on elsewhere serves the old state.",
		stopEtcd: []Command{
			script(OtherControlPlane, "sudo -E /usr/local/bin/disable-etcd.sh", "/usr/local/bin/disable-etcd.sh"),
			stopped(OtherControlPlane, "etcd"),
		},
		restoreOwn: (*builder).restoreOpenShift,
		kubelet:    "kubelet", restartKubelet: systemd("kubelet"), crictl: []string{"crictl"},
		together: true, keepsAPI: true,
	},
	k3sLike(K3s, "k3s", "k3s", agent{unit: "k3s-agent"}),
	k3sLike(RKE2, "RKE2", "rke2-server", agent{unit: "rke2-agent", child: true}),
	k0s,
	{
		id: Kops, title: "kOps", bumps: BumpsNothing, recounts: true,
		notes: []Note{
			{Text: "etcd-manager restores into a temporary etcd and copies the keys one by one into a new cluster: its revision starts near the number of keys, whatever was in the backup. No bump survives that."},
			{Text: "It restarts no kubelets. They stay deaf until the new store has counted past everything that was served: almost the whole former history."},
			{Text: "Leases are lost, and create and mod revisions too."},
			{Text: "The former data is in data-trashcan, beside etcd-manager's data on each control plane node: keep it."},
			{Text: "kOps' documentation rolls the machines afterwards (kops rolling-update cluster --force --yes). That replaces every machine; the steps here restart only what has to be."},
			{Text: "Data directories that etcdutl makes, as in the steps for generic, would keep the revision: whether etcd-manager takes them is for you to find out.", Inferred: true},
		},
		dataDir: "DATA_DIR", port: "443", certs: kopsCerts,
		etcdctl:     []string{"kubectl", "--namespace=kube-system", "exec", "ETCD_MANAGER_MAIN_POD", "--", "/opt/etcd-vVERSION/etcdctl"},
		etcdctlHost: Workstation,
		restoreOwn:  (*builder).restoreKops,
		startAPI: []Command{
			kills(ControlPlane, "kube-apiserver").all().says("Its kubelet starts it again at once, without the old cache."),
		},
		kubelet: "kubelet", restartKubelet: systemd("kubelet"),
		together: true,
	},
	{
		id: Talos, title: "Talos", bumps: BumpsSnapshot,
		notes: []Note{
			{Text: "talosctl bootstrap --recover-from restores the file it is given and does not bump: the bump has to be in the file."},
			{Text: "It restarts no kubelets on workers. Control plane nodes are rebuilt."},
			{Text: "Nodes have no shell: every command is talosctl's, from your workstation. Metrics of etcd are there only where listen-metrics-urls was set: ask your monitoring."},
			{Text: "A snapshot with the bump in it is restored like any other.", Inferred: true},
		},
		dataDir: "/var/lib/etcd", port: "6443", certs: genericCerts,
		etcdctl: []string{tool("etcdctl")}, etcdctlHost: Workstation,
		stopTitle:  "Empty the control plane nodes",
		stopWhy:    "Talos recovers etcd only on nodes that have no data of it. EPHEMERAL is /var, so all that pods keep there on these nodes goes too, hostPath volumes as well.",
		emptyNodes: (*builder).emptyTalos,
		restoreOwn: (*builder).restoreTalos,
		restartKubelet: func(node string) Command {
			return call(Workstation, "talosctl", "--nodes="+node, "service", "kubelet", "restart")
		},
		together: true,
	},
	{
		id: Gardener, title: "Gardener", bumps: BumpsNothing,
		notes: []Note{
			{Text: "etcd-backup-restore restores the newest full snapshot, replays the delta snapshots and checks that the revision is the one it expects: what is lost is small, unless deltas are missing."},
			{Text: "It does not bump and restarts no kubelets."},
			{Text: "It takes its snapshots from its own store: a file that was bumped by hand cannot be given to it.", Inferred: true},
		},
		dataDir: "/var/etcd/data/new.etcd", port: "API_PORT", certs: genericCerts,
		etcdctl: []string{"etcdctl"}, etcdctlHost: "a machine that has etcdctl, the certificates of etcd, and reaches it",
		restoreOwn: (*builder).restoreGardener,
		startAPI: []Command{
			call(Workstation, "kubectl", "--kubeconfig=SEED_KUBECONFIG", "--namespace=SHOOT_NAMESPACE", "delete", "pods", "--selector=app=kubernetes,role=apiserver").
				says("Deletes all API servers of the shoot at once. They come back without the old cache."),
		},
		kubelet: "kubelet", restartKubelet: systemd("kubelet"),
		together: true,
		warnings: []string{"Gardener restores the newest snapshot of its store, with its deltas, and not BACKUP. The prediction is for BACKUP. Give the store itself as BACKUP (docs/evidence.md) to predict what Gardener restores."},
	},
	{
		id: VCluster, title: "vCluster", bumps: BumpsItself,
		notes: []Note{
			{Text: "Newer versions bump and mark compacted by themselves, to 1000 above the last revision of the live database (pull requests 3019 and 3907); older ones do not bump."},
			{Text: "Its snapshot is a tar.gz of keys, and no db; and the default store is not etcd."},
			{Text: "On shared nodes the restore clears nodeName and status of pods: their prediction here does not hold."},
			{Text: "Where pods run on the host cluster's nodes, their kubelets watch the host's API, not this one: what a phantom would be is up to the syncer.", Inferred: true},
		},
		dataDir: "DATA_DIR", port: "API_PORT", certs: genericCerts,
		etcdctl: []string{"etcdctl"}, etcdctlHost: "a machine that has etcdctl, the certificates of etcd, and reaches it",
		restoreOwn: (*builder).restoreVCluster,
		kubelet:    "kubelet", restartKubelet: systemd("kubelet"),
		together: true,
		kubelets: "Kubelets watch this API only with private nodes. Otherwise leave the kubelets alone, and let the syncer work.",
	},
	{
		id: Generic, title: "generic (systemd services)", bumps: BumpsDataDirectory,
		notes: []Note{
			{Text: "etcdutl restores what it is told to: it bumps only when asked, and restarts nothing."},
		},
		dataDir: "DATA_DIR", port: "API_PORT", metrics: "METRICS_URL", certs: genericCerts,
		freeze:           []Command{systemctl(ControlPlane, "stop", "kube-controller-manager", "kube-scheduler").all().says("Or however you run them.")},
		stopAPI:          []Command{systemctl(ControlPlane, "stop", "kube-apiserver"), stopped(ControlPlane, "kube-apiserver")},
		stopEtcd:         []Command{systemctl(EtcdNodes, "stop", "etcd"), stopped(EtcdNodes, "etcd")},
		startEtcd:        []Command{systemctl(EtcdNodes, "start", "--no-block", "etcd").all().says("Each waits for the others.")},
		startAPI:         []Command{systemctl(ControlPlane, "start", "--no-block", "kube-apiserver").all()},
		startControllers: []Command{systemctl(ControlPlane, "start", "kube-controller-manager", "kube-scheduler")},
		kubelet:          "kubelet", restartKubelet: systemd("kubelet"),
	},
}

// k3sLike is the profile of k3s or RKE2, in which one service is the control
// plane and the kubelet of a server node, and another the kubelet of an agent.
func k3sLike(id Platform, title, server string, a agent) profile {
	program := string(id)
	resetKubelet := "It runs no kubelet either."
	if a.child {
		resetKubelet = "It does run a kubelet, for the static pod of etcd: that one has no API server to list from."
	}
	dir := "/var/lib/rancher/" + program
	p := profile{
		id: id, title: title, bumps: BumpsSnapshot,
		notes: []Note{
			{Text: fmt.Sprintf("%s server --cluster-reset-restore-path restores the file it is given and does not bump: the bump has to be in the file.", program)},
			{Text: "Server nodes get a new kubelet with it; agents do not, and their load balancer lets them resume their watch: without a bump they stay deaf."},
			{Text: "API server and etcd of a server node are one service: they stop and start together."},
			{Text: "Restarting the agent's unit does nothing on a server node, whose kubelet was restarted with its service."},
			{Text: "The reset runs no API server. " + resetKubelet},
			{Text: "The container runtime stops with the agent's unit. So a kubelet that must be down for a while is held still instead, until it is restarted.", Inferred: true},
			{Text: "A snapshot with the bump in it is restored like any other.", Inferred: true},
		},
		dataDir: dir + "/server/db/etcd", port: "6443", metrics: "http://127.0.0.1:2381/metrics",
		certs:      []string{"--cacert=" + dir + "/server/tls/etcd/server-ca.crt", "--cert=" + dir + "/server/tls/etcd/client.crt", "--key=" + dir + "/server/tls/etcd/client.key"},
		stopAPI:    []Command{systemctl(Servers, "stop", server).says("Stops API server, controllers, scheduler and kubelet there. Containers go on.").all()},
		restoreOwn: (*builder).restoreK3s,
		startEtcd:  []Command{systemctl(FirstServer, "start", server), systemctl(OtherServers, "start", server)},
		kubelet:    a.unit, agent: a, restartKubelet: a.restart,
		crictl:   []string{program, "crictl"},
		together: true,
	}
	if id == RKE2 {
		p.crictl = []string{"env", "CRI_CONFIG_FILE=" + dir + "/agent/etc/crictl.yaml", dir + "/bin/crictl"}
		p.notes = append(p.notes, Note{Text: "The static pods of the control plane outlive the service: the steps stop them by themselves."})
		for _, names := range [][]string{{"kube-controller-manager", "cloud-controller-manager", "kube-scheduler", "kube-apiserver"}, {"etcd"}} {
			p.stopAPI = append(p.stopAPI, kills(Servers, names...).says("Static pods outlive the service."), stopped(Servers, names...))
		}
	}
	return p
}

func profileOf(id Platform) *profile {
	for i := range profiles {
		if profiles[i].id == id {
			return &profiles[i]
		}
	}
	return &profiles[len(profiles)-1]
}

func (b *builder) choice() PlatformChoice {
	notes := slices.Clone(b.notes)
	if b.bumps != BumpsDataDirectory || b.id == K0s {
		notes = append(notes, Note{Text: "The commands of " + b.title + " were not executed, and versions differ: check them against your version's documentation first."})
	}
	return PlatformChoice{ID: b.id, Title: b.title, Bumps: b.bumps, Notes: notes, Suggested: b.Backup.Facts.Suggestion}
}
