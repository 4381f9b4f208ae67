package runbook

// k0s is the profile of k0s, in which one service is the control plane of a controller,
// its etcd and, with --enable-worker, its kubelet, and another the kubelet of a worker.
// Read at commit dff90cee (August 2026): pkg/backup, cmd/restore, cmd/controller,
// pkg/component/controller/etcd.go, pkg/install, pkg/supervisor.
var k0s = profile{
	id: K0s, title: "k0s", bumps: BumpsDataDirectory,
	notes: []Note{
		{Text: "k0s restore takes the archive that k0s backup made. It restores etcd-snapshot.db of it as the only member, without a bump, and copies pki, manifests, images and Helm's configuration over those that are there. It refuses while k0s runs, and a data directory of etcd that is not empty."},
		{Text: "The steps restore that snapshot with etcdutl, which is what k0s restore does, too, and add the bump. The controllers keep their pki, and no controller joins again: k0s joins only where there is no data of etcd."},
		{Text: "Several controllers start from data directories that were made this way, each with all members in it.", Inferred: true},
		{Text: "Where a controller's pki is lost: k0s restore, on one controller, with the bumped snapshot as etcd-snapshot.db in the archive. Pack the files by their names, because it refuses an entry './'. The others join again, with a token of k0s token create --role=controller; one that has neither data nor a token begins a cluster of its own."},
		{Text: "API server, etcd, controllers and scheduler of a controller are one service, and so is its kubelet where it has one: they stop and start together."},
		{Text: "Controllers without --enable-worker have no kubelet and no Node object. Restarting the unit of workers does nothing on a controller, whose kubelet was restarted with its service."},
		{Text: "The container runtime stops with the unit of workers. So a kubelet that must be down for a while is held still instead, until it is restarted.", Inferred: true},
		{Text: "Only the controller itself reaches its etcd. k0s has neither etcdctl nor crictl: k0s etcd lists members and removes them."},
		{Text: "With kine there is no etcd: the archive has kine-state-backup.db, which is SQLite, and these steps are not for it."},
		{Text: "The units are those of systemd. Where k0s runs under another init system: k0s stop and k0s start."},
	},
	dataDir: "/var/lib/k0s/etcd", port: "6443",
	metrics: "--cacert=/var/lib/k0s/pki/etcd/ca.crt --cert=/var/lib/k0s/pki/apiserver-etcd-client.crt --key=/var/lib/k0s/pki/apiserver-etcd-client.key https://127.0.0.1:2379/metrics",
	certs:   []string{"--cacert=/var/lib/k0s/pki/etcd/ca.crt", "--cert=/var/lib/k0s/pki/apiserver-etcd-client.crt", "--key=/var/lib/k0s/pki/apiserver-etcd-client.key"},
	stopAPI: []Command{
		systemctl(ControlPlane, "stop", "k0scontroller").says("Stops API server, etcd, controllers, scheduler and, with --enable-worker, the kubelet there. Containers go on."),
		stopped(ControlPlane, "kube-apiserver", "etcd"),
	},
	startEtcd: []Command{systemctl(ControlPlane, "start", "--no-block", "k0scontroller").all().says("Each waits for the others.")},
	kubelet:   worker.unit, agent: worker, restartKubelet: worker.restart,
	socket:   "unix:///run/k0s/containerd.sock",
	together: true,
}

var worker = agent{unit: "k0sworker", child: true}
