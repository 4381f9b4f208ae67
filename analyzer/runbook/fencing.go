package runbook

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// fencedTopology is that of a cluster of OpenShift with two control plane nodes, of which
// each can power the other off, and etcd as a resource of Pacemaker (openshift/api
// config/v1 types_infrastructure.go DualReplicaTopologyMode).
const fencedTopology = "DualReplica"

// topology is that of the control plane of a cluster of OpenShift, "" where the snapshot
// does not show it.
func topology(s *snapshot.Snapshot, prefix string) string {
	key := kube.Key{Group: "config.openshift.io", Resource: "infrastructures", Name: "cluster"}
	r, err := s.Get(key.Path(prefix), 0)
	if err != nil {
		return ""
	}
	value, err := s.Value(r)
	if err != nil {
		return ""
	}
	text, _, _ := unstructured.NestedString(kube.Decode(key, value).Unstructured, "status", "controlPlaneTopology")
	return text
}

// fencing is the profile of OpenShift with two nodes and fencing. cluster-restore.sh is
// another script there (openshift/cluster-etcd-operator 02b2091
// bindata/etcd/cluster-restore-tnf.sh, pkg/operator/scriptcontroller): it restores the
// newest snapshot*.db of a directory, whatever its hash, and does not bump.
func fencing() *profile {
	p := *profileOf(OpenShift)
	p.title, p.bumps = "OpenShift, two nodes with fencing", BumpsSnapshot
	p.notes = []Note{
		{Text: "Here cluster-restore.sh does not bump: the bump has to be in the file. It takes the newest snapshot*.db of the directory that it is given, and does not compare its hash."},
		{Text: "It has Pacemaker stop etcd on both nodes, restores on the one on which it is run, and lets Pacemaker start etcd as a new cluster, which the other node joins."},
		{Text: "It restarts no kubelets, and leaves API servers running: the bump has to be two above all they have seen. Then they drop their cache."},
		{Text: "It moves Pacemaker's files of etcd (certs.hash, config.yaml, pod.yaml and the like) into the directory with the snapshot: keep that directory."},
		{Text: "A snapshot with the bump in it is restored like any other.", Inferred: true},
	}
	p.stopTitle, p.stopWhy, p.stopEtcd = "", "", nil
	p.restoreOwn = (*builder).restoreFenced
	return &p
}

// twoNodes says whether the steps are those of fencing.
func (b *builder) twoNodes() bool { return b.id == OpenShift && b.bumps == BumpsSnapshot }

func (b *builder) restoreFenced(s *Step) {
	s.Commands = append(s.Commands,
		formerAside(),
		script(FirstControlPlane, `sudo -E /usr/local/bin/cluster-restore.sh "$PWD"/`+carried, "/usr/local/bin/cluster-restore.sh").reads(b.restored()).
			says("Run it on one of the two nodes. It proves first, in another directory, that the file can be restored."),
		script(FirstControlPlane, "sudo pcs status resources etcd", "pcs").says("Shows etcd as started on both nodes. If it is not after 5 minutes: pcs resource cleanup etcd."),
	)
	s.Warnings = append(s.Warnings,
		"Before you run cluster-restore.sh again, move /var/lib/etcd-backup away again, as above: it holds the former data, and the script removes it.",
		"If etcd has served the restored file already, write this runbook again with --last-revision before you restore again. The API servers have gone on, and keep their cache under the same bump.")
}
