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

// profile is what the steps need to know of a platform. Its commands are
// templates: $snapshot stands for the file to restore.
type profile struct {
	id    Platform
	title string
	notes []Note
	bumps Bumper
	// recounts says that the restored store counts its revisions anew.
	recounts bool

	dataDir string // of an etcd member
	port    string // of the API servers
	metrics string // URL of etcd's metrics
	certs   string // etcdctl's flags for TLS

	freeze, stopAPI, stopEtcd              []Command
	stopTitle, stopWhy                     string    // "" is the usual one
	restoreOwn                             []Command // for every path but BumpsDataDirectory
	startEtcd, startAPI, startControllers  []Command
	restartKubelet, stopKubelet, upKubelet string

	// together says that API servers and controllers cannot be started one
	// without the other: nothing can be deleted in between.
	together bool
	// keepsAPI says that the platform's tool leaves API servers running.
	keepsAPI bool
	// kubelets says whose kubelets they are when they do not watch this API.
	kubelets string
}

const (
	allControlPlane = "every control plane node"
	allServers      = "every server node"
	firstServer     = "the first server node"
	otherServers    = "the other server nodes, one by one"
	adminHost       = "a machine with kubectl and admin rights"
	workstation     = "your workstation"
	restoreHost     = "a machine with the backup and etcdutl"

	genericCerts = "--cacert=CA_FILE --cert=CERT_FILE --key=KEY_FILE"
	kubeadmCerts = "--cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key"

	manifests = "/etc/kubernetes/manifests"
	aside     = "/etc/kubernetes/stopped"
)

func away(where string, names ...string) Command {
	return Command{Run: "mv " + under(manifests, names) + " " + aside + "/", Where: where}
}

func back(where string, names ...string) Command {
	return Command{Run: "mv " + under(aside, names) + " " + manifests + "/", Where: where}
}

func under(dir string, names []string) string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = dir + "/" + name + ".yaml"
	}
	return strings.Join(paths, " ")
}

// gone waits until no container of the name runs: taking a manifest away stops
// its pod, but not at once.
func gone(where, name string) Command {
	return Command{
		Run:     fmt.Sprintf(`until [ -z "$(crictl ps -q --name '^%s$')" ]; do sleep 1; done`, name),
		Where:   where,
		Comment: "Wait until it has stopped.",
	}
}

var systemdKubelet = profile{
	restartKubelet: "systemctl restart kubelet",
	stopKubelet:    "systemctl stop kubelet",
	upKubelet:      "systemctl start kubelet",
}

// profiles are the platforms. What their tools do is from MECHANISM: the sources
// and documentation of each, as of 2026.
var profiles = []profile{
	{
		id: Kubeadm, title: "kubeadm", bumps: BumpsDataDirectory,
		notes: []Note{
			{Text: "kubeadm has no restore of its own: nothing bumps, and nothing restarts API servers or kubelets, unless a person does."},
			{Text: "The paths are kubeadm's defaults: compare them with --data-dir and the certificates in the manifest of etcd."},
		},
		dataDir: "/var/lib/etcd", port: "6443", metrics: "http://127.0.0.1:2381/metrics", certs: kubeadmCerts,
		freeze: []Command{
			{Run: "mkdir -p " + aside, Where: allControlPlane},
			away(allControlPlane, "kube-controller-manager", "kube-scheduler"),
		},
		stopAPI:          []Command{away(allControlPlane, "kube-apiserver"), gone(allControlPlane, "kube-apiserver")},
		stopEtcd:         []Command{away(allControlPlane, "etcd"), gone(allControlPlane, "etcd")},
		startEtcd:        []Command{back(allControlPlane, "etcd")},
		startAPI:         []Command{back(allControlPlane, "kube-apiserver")},
		startControllers: []Command{back(allControlPlane, "kube-controller-manager", "kube-scheduler")},
		restartKubelet:   systemdKubelet.restartKubelet, stopKubelet: systemdKubelet.stopKubelet, upKubelet: systemdKubelet.upKubelet,
	},
	{
		id: OpenShift, title: "OpenShift", bumps: BumpsItself,
		notes: []Note{
			{Text: "cluster-restore.sh bumps by itself: 1.2 times the raft index in /var/lib/etcd/revision.json, or 1,000,000,000 without that file. The single-member path of ETCD_ETCDCTL_RESTORE does not."},
			{Text: "It restarts no kubelets, and leaves API servers running on purpose: the bump has to be two above all they have seen. Then they drop their cache, and pods come to what is predicted here for API servers that are restarted; a scheduler that was left running exits once when it finds a pod on another node than before."},
			{Text: "The raft index starts anew with each restore. Restoring a backup from before an earlier restore, a second time, computes a far too small bump.", Inferred: true},
			{Text: "Which static pods have to be stopped by hand differs from version to version: follow your version's documentation for that."},
		},
		dataDir: "/var/lib/etcd", port: "6443", metrics: "METRICS_URL", certs: genericCerts,
		freeze: []Command{{Run: "mkdir -p " + aside, Where: "the control plane nodes other than the recovery host"},
			away("the control plane nodes other than the recovery host", "kube-controller-manager-pod", "kube-scheduler-pod")},
		stopTitle: "Stop the other control plane nodes",
		stopWhy:   "cluster-restore.sh stops and starts what it needs on the recovery host. An etcd or API server that goes on elsewhere serves the old state.",
		stopAPI:   []Command{away("the control plane nodes other than the recovery host", "kube-apiserver-pod")},
		stopEtcd:  []Command{away("the control plane nodes other than the recovery host", "etcd-pod")},
		restoreOwn: []Command{{
			Run: "sudo -E /usr/local/bin/cluster-restore.sh BACKUP_DIR", Where: "the recovery host",
			Comment: "BACKUP_DIR holds the snapshot and the archive of static pod resources that were saved with it.",
		}},
		restartKubelet: "sudo systemctl restart kubelet", stopKubelet: "sudo systemctl stop kubelet", upKubelet: "sudo systemctl start kubelet",
		together: true, keepsAPI: true,
	},
	k3sLike(K3s, "k3s", "k3s", "k3s-agent"),
	k3sLike(RKE2, "RKE2", "rke2-server", "rke2-agent"),
	{
		id: Kops, title: "kOps", bumps: BumpsNothing, recounts: true,
		notes: []Note{
			{Text: "etcd-manager restores into a temporary etcd and copies the keys one by one into a new cluster: its revision starts near the number of keys, whatever was in the backup. No bump survives that."},
			{Text: "It restarts no kubelets. They stay deaf until the new store has counted past everything that was served: almost the whole former history."},
			{Text: "Leases are lost, and create and mod revisions too."},
			{Text: "Data directories that etcdutl makes, as in the steps for generic, would keep the revision: whether etcd-manager takes them is for you to find out.", Inferred: true},
		},
		dataDir: "DATA_DIR", port: "API_PORT", metrics: "METRICS_URL", certs: genericCerts,
		restoreOwn: []Command{
			{Run: "etcd-manager-ctl --backup-store=BACKUP_STORE_MAIN list-backups", Where: "a machine with access to the state store"},
			{Run: "etcd-manager-ctl --backup-store=BACKUP_STORE_MAIN restore-backup BACKUP_NAME", Where: "a machine with access to the state store", Comment: "Only leaves the order to restore: it is carried out when etcd-manager restarts."},
			{Run: "crictl stop $(crictl ps -q --name '^etcd-manager$')", Where: allControlPlane, Comment: "Restart etcd-manager. Repeat both for the events cluster if it is to be restored, too."},
		},
		restartKubelet: systemdKubelet.restartKubelet, stopKubelet: systemdKubelet.stopKubelet, upKubelet: systemdKubelet.upKubelet,
		together: true,
	},
	{
		id: Talos, title: "Talos", bumps: BumpsSnapshot,
		notes: []Note{
			{Text: "talosctl bootstrap --recover-from restores the file it is given and does not bump: the bump has to be in the file."},
			{Text: "It restarts no kubelets on workers. Control plane nodes are rebuilt."},
			{Text: "A snapshot with the bump in it is restored like any other.", Inferred: true},
		},
		dataDir: "DATA_DIR", port: "6443", metrics: "METRICS_URL", certs: genericCerts,
		stopTitle: "Empty the control plane nodes",
		stopWhy:   "Talos recovers etcd into nodes that have no data of it.",
		stopEtcd: []Command{{
			Run:   "talosctl --nodes=CONTROL_PLANE_IPS reset --graceful=false --reboot --system-labels-to-wipe=EPHEMERAL",
			Where: workstation, Comment: "Wipes etcd's data on these nodes. First save what is there: talosctl --nodes=NODE_IP cp /var/lib/etcd/member/snap/db .",
		}},
		restoreOwn: []Command{
			{Run: "talosctl --nodes=FIRST_CONTROL_PLANE_IP bootstrap --recover-from=$snapshot", Where: workstation, Comment: "One node only: the others join it."},
		},
		restartKubelet: "talosctl --nodes=NODE_IP service kubelet restart",
		together:       true,
	},
	{
		id: Gardener, title: "Gardener", bumps: BumpsNothing,
		notes: []Note{
			{Text: "etcd-backup-restore restores the newest full snapshot, replays the delta snapshots and checks that the revision is the one it expects: what is lost is small, unless deltas are missing."},
			{Text: "It does not bump and restarts no kubelets."},
			{Text: "It takes its snapshots from its own store: a file that was bumped by hand cannot be given to it.", Inferred: true},
		},
		dataDir: "DATA_DIR", port: "API_PORT", metrics: "METRICS_URL", certs: genericCerts,
		restoreOwn: []Command{{
			Run: "kubectl --namespace=SHOOT_NAMESPACE get etcds,pods --selector=app=etcd-statefulset", Where: "the seed cluster",
			Comment: "The restore runs by itself when the data of the main etcd is found damaged: follow your version's documentation to set it off.",
		}},
		restartKubelet: systemdKubelet.restartKubelet, stopKubelet: systemdKubelet.stopKubelet, upKubelet: systemdKubelet.upKubelet,
		together: true,
	},
	{
		id: VCluster, title: "vCluster", bumps: BumpsItself,
		notes: []Note{
			{Text: "Newer versions bump and mark compacted by themselves, from the last revision of the live database (pull requests 3019 and 3907); older ones do not bump."},
			{Text: "Where pods run on the host cluster's nodes, their kubelets watch the host's API, not this one: what a phantom would be is up to the syncer.", Inferred: true},
		},
		dataDir: "DATA_DIR", port: "API_PORT", metrics: "METRICS_URL", certs: genericCerts,
		restoreOwn: []Command{{
			Run: "vcluster restore VCLUSTER_NAME SNAPSHOT_URL --namespace=HOST_NAMESPACE", Where: "a machine with access to the host cluster",
			Comment: "Check the arguments against your version's documentation.",
		}},
		restartKubelet: systemdKubelet.restartKubelet, stopKubelet: systemdKubelet.stopKubelet, upKubelet: systemdKubelet.upKubelet,
		together: true,
		kubelets: "Only with private nodes do kubelets watch this API: else leave the kubelets alone, and let the syncer work.",
	},
	{
		id: Generic, title: "generic (systemd services)", bumps: BumpsDataDirectory,
		notes: []Note{
			{Text: "etcdutl restores what it is told to: it bumps only when asked, and restarts nothing."},
		},
		dataDir: "DATA_DIR", port: "API_PORT", metrics: "METRICS_URL", certs: genericCerts,
		freeze:           []Command{{Run: "systemctl stop kube-controller-manager kube-scheduler", Where: allControlPlane, Comment: "Or however they are run."}},
		stopAPI:          []Command{{Run: "systemctl stop kube-apiserver", Where: allControlPlane}},
		stopEtcd:         []Command{{Run: "systemctl stop etcd", Where: "every etcd node"}},
		startEtcd:        []Command{{Run: "systemctl start etcd", Where: "every etcd node"}},
		startAPI:         []Command{{Run: "systemctl start kube-apiserver", Where: allControlPlane}},
		startControllers: []Command{{Run: "systemctl start kube-controller-manager kube-scheduler", Where: allControlPlane}},
		restartKubelet:   systemdKubelet.restartKubelet, stopKubelet: systemdKubelet.stopKubelet, upKubelet: systemdKubelet.upKubelet,
	},
}

// k3sLike is the profile of k3s or RKE2, in which one service is the control
// plane and the kubelet of a server node, and another the kubelet of an agent.
func k3sLike(id Platform, title, server, agent string) profile {
	program := string(id)
	db := "/var/lib/rancher/" + program + "/server/db"
	return profile{
		id: id, title: title, bumps: BumpsSnapshot,
		notes: []Note{
			{Text: fmt.Sprintf("%s server --cluster-reset-restore-path restores the file it is given and does not bump: the bump has to be in the file.", program)},
			{Text: "Server nodes get a new kubelet with it; agents do not, and their load balancer lets them resume their watch: without a bump they stay deaf."},
			{Text: "A snapshot with the bump in it is restored like any other.", Inferred: true},
		},
		dataDir: db + "/etcd", port: "6443", metrics: "METRICS_URL",
		certs:   strings.ReplaceAll("--cacert=TLS/server-ca.crt --cert=TLS/client.crt --key=TLS/client.key", "TLS", "/var/lib/rancher/"+program+"/server/tls/etcd"),
		stopAPI: []Command{{Run: "systemctl stop " + server, Where: allServers, Comment: "Stops API server, controllers, scheduler and kubelet there; containers go on. When it starts again, its kubelet kills within 2 seconds what the API does not know."}},
		restoreOwn: []Command{
			{Run: fmt.Sprintf("%s server --cluster-reset --cluster-reset-restore-path=$snapshot", program), Where: firstServer, Comment: "With the token and flags this server is run with. It ends by itself and keeps the old data beside the new."},
			{Run: fmt.Sprintf("mv %s %s.before-restore", db, db), Where: otherServers, Comment: "They join the first one anew."},
		},
		startEtcd:      []Command{{Run: "systemctl start " + server, Where: firstServer}, {Run: "systemctl start " + server, Where: otherServers}},
		restartKubelet: "systemctl restart " + agent, stopKubelet: "systemctl stop " + agent, upKubelet: "systemctl start " + agent,
		together: true,
	}
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
	if b.bumps != BumpsDataDirectory {
		notes = append(notes, Note{Text: "The commands of " + b.title + " were not executed, and versions differ: check them against your version's documentation first."})
	}
	return PlatformChoice{ID: b.id, Title: b.title, Bumps: b.bumps, Notes: notes, Suggested: b.Backup.Facts.Suggestion}
}
