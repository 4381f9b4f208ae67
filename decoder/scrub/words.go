package scrub

import (
	_ "embed"
	"strings"
	"sync"

	"revenant/decoder/kube"
)

// constants are those that k8s.io/api v0.37 defines: phases, reasons, conditions, keys of
// labels, annotations and taints. TestWords holds the file against the source.
//
//go:embed words.txt
var constants string

// reasons are words that Kubernetes' components put into fields without declaring them.
const reasons = `
Running Waiting Terminated Completed Error OOMKilled ContainerCreating PodInitializing CrashLoopBackOff ImagePullBackOff
ErrImagePull ContainerCannotRun DeadlineExceeded Evicted NodeLost NodeAffinity NodeShutdown Shutdown Terminated Preempting
Preempted UnexpectedAdmissionError OutOfcpu OutOfmemory OutOfpods ContainerStatusUnknown StartError PodCompleted
ContainersNotReady ContainersNotInitialized Unschedulable SchedulingGated KubeletReady KubeletNotReady KubeletHasSufficientMemory
KubeletHasNoDiskPressure KubeletHasSufficientPID NodeStatusUnknown NodeStatusNeverUpdated KubeletHasInsufficientMemory
KubeletHasDiskPressure KubeletHasInsufficientPID RouteCreated FlannelIsUp CalicoIsUp CiliumIsUp
MinimumReplicasAvailable MinimumReplicasUnavailable NewReplicaSetAvailable ReplicaSetUpdated NewReplicaSetCreated
FoundNewReplicaSet ProgressDeadlineExceeded FailedCreate FailedDelete BackoffLimitExceeded CompletionsReached PodFailurePolicy
JobSuspended JobResumed FailedIndexes SufficientPods InsufficientPods DisruptionAllowed ScalingReplicaSet SuccessfulCreate
SuccessfulDelete Scheduled Pulling Pulled Created Started Killing Unhealthy BackOff FailedScheduling FailedMount Rebooted
NodeReady NodeNotReady NodeSchedulable NodeNotSchedulable RegisteredNode RemovingNode DeletingNode Starting LeaderElection
DeletionByTaintManager EvictionByEvictionAPI PreemptionByScheduler DeletionByPodGC TerminationByKubelet
TaintManagerEviction SawCompletedJob UnexpectedJob MissingJob Provisioning ProvisioningSucceeded NoConflicts InitialNamesAccepted
Passed Local ServiceNotFound MissingEndpoints Available NamesAccepted Established KubernetesAPIApprovalPolicyConformant
NonStructuralSchema Progressing ReplicaFailure Initialized PodScheduled ContainersReady PodReadyToStartContainers
Update Apply status scale create get list watch update patch delete deletecollection impersonate approve sign bind escalate use
RollingUpdate ClusterFirst Default Service Pod Node User Group Role ClusterRole
cpu memory storage ephemeral-storage pods services file api http text/plain
object array string integer number boolean null int64 int32 date-time
`

// named are the words that stay where names stand: those that Kubernetes gives itself.
const named = `
default kube-system kube-public kube-node-lease kubernetes kube-root-ca.crt true false
default-scheduler kubelet kube-proxy kube-apiserver kube-controller-manager kube-scheduler etcd kube-dns coredns
cloud-controller-manager kubeadm kubectl control-plane master worker extension-apiserver-authentication
cluster-admin system-node-critical system-cluster-critical admin edit view system system:masters system:nodes system:authenticated system:unauthenticated system:serviceaccounts
linux windows darwin amd64 arm64 arm ppc64le s390x cgroupfs systemd
compact_rev_key registry openshift.io masterleases peerserverleases ranges serviceips servicenodeports
batch.kubernetes.io/job-tracking batch.kubernetes.io/controller-uid batch.kubernetes.io/job-name batch.kubernetes.io/job-completion-index
batch.kubernetes.io/cronjob-scheduled-timestamp batch.kubernetes.io/job-index-failure-count controller-uid job-name
foregroundDeletion orphan kubernetes.io/pvc-protection kubernetes.io/pv-protection
kubernetes.io/config.hash kubernetes.io/config.mirror kubernetes.io/config.seen kubernetes.io/config.source
kubernetes.io/description kubernetes.io/change-cause kubernetes.io/bootstrapping
deployment.kubernetes.io/revision deployment.kubernetes.io/desired-replicas deployment.kubernetes.io/max-replicas
deployment.kubernetes.io/revision-history kubectl.kubernetes.io/last-applied-configuration kubectl.kubernetes.io/restartedAt
kubectl.kubernetes.io/default-container control-plane.alpha.kubernetes.io/leader apiserver.kubernetes.io/identity
volumes.kubernetes.io/controller-managed-attach-detach csi.volume.kubernetes.io/nodeid
pv.kubernetes.io/bind-completed pv.kubernetes.io/bound-by-controller pv.kubernetes.io/provisioned-by
volume.kubernetes.io/storage-provisioner volume.kubernetes.io/selected-node volume.beta.kubernetes.io/storage-provisioner
storageclass.kubernetes.io/is-default-class node-role.kubernetes.io/control-plane node-role.kubernetes.io/master
node-role.kubernetes.io/etcd node-role.kubernetes.io/worker node.kubernetes.io/instance-type node.k0sproject.io/role
node.cloudprovider.kubernetes.io/uninitialized node.cloudprovider.kubernetes.io/shutdown beta.kubernetes.io/os beta.kubernetes.io/arch
beta.kubernetes.io/instance-type kubeadm.alpha.kubernetes.io/cri-socket kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint
kubeadm.kubernetes.io/etcd.advertise-client-urls autoscaling.alpha.kubernetes.io/conditions
app.kubernetes.io/name app.kubernetes.io/instance app.kubernetes.io/version app.kubernetes.io/component app.kubernetes.io/part-of
app.kubernetes.io/managed-by endpointslice-controller.k8s.io endpointslicemirroring-controller.k8s.io pod-template-hash
controller-revision-hash statefulset.kubernetes.io/pod-name apps.kubernetes.io/pod-index pod-template-generation
metadata.name metadata.namespace metadata.uid spec.nodeName spec.serviceAccountName status.podIP status.podIPs status.hostIP status.hostIPs
service.kubernetes.io/headless k8s-app component tier
pod-security.kubernetes.io/enforce pod-security.kubernetes.io/audit pod-security.kubernetes.io/warn
cluster-autoscaler.kubernetes.io/safe-to-evict prometheus.io/scrape prometheus.io/port prometheus.io/path
`

// inner are names that stay inside of others: in that of a static pod, an image, a lease.
var inner = []string{
	"kube-controller-manager", "kube-apiserver", "kube-scheduler", "kube-proxy", "kube-system", "kube-node-lease", "kube-public",
	"cloud-controller-manager", "system:serviceaccount", "system:node", "registry.k8s.io", "k8s.gcr.io", "kubernetes.io", "k8s.io",
	"apiserver", "coredns", "etcd", "svc.cluster.local",
}

// fields that etcd or Kubernetes has in JSON beside those of the built-in types.
const otherFields = `
id peerURLs clientURLs isLearner voters learners voters_outgoing learners_next auto_leave target-version enabled
holderIdentity leaseDurationSeconds acquireTime renewTime leaderTransitions
`

// vocabulary are the words that stay.
type vocabulary struct {
	named  map[string]bool // where names stand
	worded map[string]bool // where Kubernetes has its own words
	fields map[string]bool // names of fields
	wordy  map[string]bool // fields that hold such a word
}

// words is the vocabulary.
var words = sync.OnceValue(func() *vocabulary {
	v := vocabulary{named: map[string]bool{}, worded: map[string]bool{}, wordy: map[string]bool{}}
	for w := range strings.FieldsSeq(named) {
		v.named[w] = true
	}
	for line := range strings.Lines(constants) {
		w := strings.TrimSuffix(line, "\n")
		v.worded[w] = true
		if strings.Contains(w, "/") && !strings.HasSuffix(w, "/") {
			v.named[w] = true // a key of a label, an annotation or a taint
		}
	}
	for w := range strings.FieldsSeq(reasons) {
		v.worded[w] = true
	}
	for _, w := range kube.Words() {
		v.worded[w] = true
		group, version, ok := strings.Cut(w, "/")
		if !ok {
			group, version = "", w
		}
		if apiPattern().MatchString(version) {
			v.named[version+"."+group] = true // of an APIService
		}
	}
	all, worded := kube.FieldNames()
	v.fields = map[string]bool{}
	for name := range all {
		v.fields[name] = true
	}
	for w := range strings.FieldsSeq(otherFields) {
		v.fields[w] = true
	}
	for name := range worded {
		v.wordy[name] = true
	}
	for w := range strings.FieldsSeq(`apiVersion kind reason type operation subresource fieldsType apiGroup apiGroups resources verbs
		groupResource component reportingComponent group version scope singular plural resource encodingVersion storedVersions provisioner`) {
		v.wordy[w] = true
	}
	for w := range strings.FieldsSeq("name nodeName key value values resourceID state source volumesInUse") {
		delete(v.wordy, w)
	}
	return &v
})
