package ties

import "revenant/analyzer/finding"

// ID names a sort of tie. The values are stable names.
type ID string

// The ties. Infos describes them.
const (
	VolumeShared  ID = "volume-shared"
	VolumeLocal   ID = "volume-on-old-machine"
	LoadBalancer  ID = "load-balancer-taken-over"
	ActsOutside   ID = "acts-outside"
	WebhookBlocks ID = "webhook-without-pods"
	JobAgain      ID = "job-runs-again"
	CronJobRuns   ID = "cron-job-runs"

	Attachment    ID = "volume-attachment"
	Address       ID = "old-address"
	ExternalIP    ID = "external-ip"
	EndpointHand  ID = "endpoints-by-hand"
	WebhookURL    ID = "webhook-by-url"
	CertOrder     ID = "certificate-order"
	NetworkState  ID = "network-state"
	Pinned        ID = "pinned-to-old-node"
	EncryptedWith ID = "encrypted"
	Unread        ID = "unread"
)

// Info describes a sort of tie to people.
type Info struct {
	ID       ID               `json:"id"`
	Severity finding.Severity `json:"severity"`
	Title    string           `json:"title"`
	Explains string           `json:"explains"`
	Remedy   string           `json:"remedy"`
	Source   string           `json:"source"` // where the behaviour was read
}

// Infos is the vocabulary, worst first. What the backup has is certain; what becomes of
// it on other machines is read in the sources and only possible.
var Infos = []Info{
	{VolumeShared, finding.Critical, "A volume that both clusters reach",
		"The PersistentVolume names storage outside of the machines. The new cluster mounts the same disk as the old one, and two writers destroy most file systems. With the reclaim policy Delete, whichever cluster loses the claim deletes the disk for both.",
		"Prove that the old cluster is down, or give the new one copies of the disks. Set the reclaim policy to Retain before controllers start.",
		"kubernetes v1.37 pkg/controller/volume/persistentvolume/pv_controller.go reclaimVolume"},
	{VolumeLocal, finding.Critical, "A volume on a disk of an old machine",
		"The data of a local or hostPath volume, and of one that asks for a node by name, is on the machine, not in etcd. Its pods stay Pending, because no new node has that name; a hostPath volume without a node is mounted empty.",
		"Bring the data by its own backup. Delete the claim and the volume, and let new ones be made.",
		"kubernetes v1.37 pkg/scheduler/framework/plugins/volumebinding; pkg/volume/hostpath"},
	{LoadBalancer, finding.Critical, "A load balancer that the new cluster takes over",
		"Cloud controllers name a load balancer after the uid of its Service, which is the same in both clusters. The one that runs last points it at its own nodes, and deleting the Service removes it for both.",
		"In a copy, keep the cloud controller from starting, or delete these Services before it does. In a move, let it start last, when the old cluster is down.",
		"k8s.io/cloud-provider v0.37 cloud.go DefaultLoadBalancerName; controllers/service/controller.go"},
	{ActsOutside, finding.Critical, "A controller that acts outside of the cluster",
		"Its image is known to change what both clusters share: cloud accounts, DNS, certificates, Git, backups. From the restored state it undoes what the old cluster did since; if the old cluster still runs, the two fight.",
		"Scale it to 0 before controllers start, and start it only once you have proved that the old one is down. In a copy, give it other credentials first.",
		"the documentation of each"},
	{WebhookBlocks, finding.Critical, "An admission webhook whose pods do not run yet",
		"With failurePolicy Fail, everything that the webhook matches is refused while nothing answers for its Service, including its own pods unless its namespace is excluded. On new machines nothing runs at first.",
		"If pods are refused once nodes have joined: save the configuration, delete it, and let its operator create it again.",
		"apiserver v0.37 pkg/admission/plugin/webhook/generic/webhook.go"},
	{JobAgain, finding.Critical, "A Job that the backup has as unfinished",
		"Its pods are gone, so it starts new ones and repeats its work from the beginning, even if the old cluster has finished it since.",
		"Suspend or delete it before controllers start, unless its work may be done twice.",
		"kubernetes v1.37 pkg/controller/job/job_controller.go manageJob"},
	{CronJobRuns, finding.Warning, "A CronJob that is not suspended",
		"It runs the slot that it last missed as soon as its controller starts, and every later one, also while the old cluster runs the same ones.",
		"Suspend it before controllers start.",
		"kubernetes v1.37 pkg/controller/cronjob/utils.go mostRecentScheduleTime"},

	{Attachment, finding.Warning, "A volume that is attached to an old node",
		"The attach/detach controller finds the node gone, and has the CSI driver detach the disk from the old machine, whether that still writes or not. Where the driver cannot, a ReadWriteOnce volume stays blocked for six minutes or longer.",
		"Delete the VolumeAttachments before controllers start. The disk has to be detached from the old machine by its storage.",
		"kubernetes v1.37 pkg/controller/volume/attachdetach/reconciler/reconciler.go; kubernetes-csi/external-attacher pkg/controller/csi_handler.go"},
	{Address, finding.Warning, "An address of the old API servers",
		"The object tells clients where the API is. kube-proxy, joining nodes and other readers connect to the old cluster, or to nothing.",
		"Put the new endpoint in before nodes join.",
		"kubeadm v1.37 cmd/kubeadm/app/phases/uploadconfig, phases/addons/proxy, phases/bootstraptoken/clusterinfo"},
	{ExternalIP, finding.Warning, "An address outside of the cluster",
		"The Service takes traffic for an address that the new machines may not have, or that the old ones still answer for.",
		"Remove it, or move the address first.",
		"kubernetes v1.37 pkg/proxy"},
	{EndpointHand, finding.Warning, "Endpoints that were made by hand",
		"The Service has no selector: its endpoints are what somebody wrote down. They lead to the old network, or to a database that both clusters would write to.",
		"Look at each address before anything that uses the Service runs.",
		"kubernetes v1.37 pkg/controller/endpointslice: Services without a selector are left alone"},
	{WebhookURL, finding.Warning, "A webhook that is called by URL",
		"API servers call it at an address outside of the cluster, which may be of the old one.",
		"Change or delete it before controllers start, if the URL is not to be called from here.",
		"apiserver v0.37 pkg/util/webhook/client.go"},
	{CertOrder, finding.Warning, "Orders for certificates that have not ended",
		"cert-manager continues them from the restored state: it orders certificates again, which counts against the limits of the issuer.",
		"Keep cert-manager scaled to 0 until the cluster answers for its names.",
		"cert-manager pkg/controller/acmeorders"},
	{NetworkState, finding.Warning, "State of the network plug-in that is kept in custom resources",
		"It says which addresses are assigned on which old node. If it stays, addresses remain taken that no pod has.",
		"Resources bound only to nodes and pods are deleted with them; check the rest with the plug-in's own tool.",
		"the documentation of each plug-in"},
	{Pinned, finding.Warning, "A workload that asks for an old node by name",
		"Its pods stay Pending: no new node has that name.",
		"Change or remove the node selector or affinity.",
		"kubernetes v1.37 pkg/scheduler/framework/plugins/nodeaffinity"},
	{EncryptedWith, finding.Warning, "Values that are encrypted at rest",
		"The new API servers read them only with the same encryption configuration: the same provider, key names and keys, in any order.",
		"Give the new API servers the encryption configuration of the old ones.",
		"apiserver v0.37 pkg/server/options/encryptionconfig/config.go"},
	{Unread, finding.Warning, "Objects that could not be read",
		"What they are tied to is not known.",
		"Look at them once the API servers run.",
		""},
}

var infoOf = func() map[ID]Info {
	m := make(map[ID]Info, len(Infos))
	for _, i := range Infos {
		m[i.ID] = i
	}
	return m
}()

// Info describes the tie; the zero value for one that does not exist.
func (id ID) Info() Info { return infoOf[id] }

// outside are images of controllers that change what is outside of the cluster, by a
// part of their names.
var outside = []struct{ image, changes string }{
	{"cloud-controller-manager", "machines, routes and load balancers of the cloud account"},
	{"aws-load-balancer-controller", "load balancers of the cloud account"},
	{"external-dns", "DNS records"},
	{"cert-manager-controller", "certificates of an issuer"},
	{"cluster-autoscaler", "machines of the cloud account"},
	{"karpenter", "machines of the cloud account"},
	{"cluster-api", "machines and clusters"},
	{"csi-provisioner", "disks of the storage"},
	{"csi-attacher", "attachments of disks to machines"},
	{"csi-snapshotter", "snapshots of disks"},
	{"argocd", "what Git says that this cluster and others hold"},
	{"fluxcd/", "what Git says that the cluster holds"},
	{"crossplane", "whatever its providers reach"},
	{"velero", "a store of backups"},
	{"external-secrets", "a store of secrets"},
}

// network are the custom resources in which plug-ins keep what is bound to nodes and
// pods alone, with which it goes, by group.
var network = []struct {
	plugin, group string
	resources     []string
}{
	{"Calico", "crd.projectcalico.org", []string{"ipamblocks", "blockaffinities", "ipamhandles"}},
	{"Cilium", "cilium.io", []string{"ciliumnodes", "ciliumendpoints"}},
}

// otherNetwork are those in which more than that is kept.
var otherNetwork = []struct {
	plugin, group string
	resources     []string
}{
	{"Antrea", "crd.antrea.io", []string{"ippools"}},
	{"Kube-OVN", "kubeovn.io", []string{"ips", "subnets"}},
	{"Spiderpool", "spiderpool.spidernet.io", []string{"spiderippools", "spiderendpoints"}},
	{"Whereabouts", "whereabouts.cni.cncf.io", []string{"ippools", "overlappingrangeipreservations"}},
}
