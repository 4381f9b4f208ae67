package restore

// Rule names the row of the decision table that an outcome comes from. The
// values are stable names; Rules describes them.
type Rule string

// RuleInfo describes a rule, and says where its behaviour was read.
type RuleInfo struct {
	ID     Rule   `json:"id"`
	Title  string `json:"title"`
	Source string `json:"source"` // component, file and function or lines it mirrors
}

// The components that the sources of Rules name: kubelet and controllers are
// kubernetes v1.37.2, client-go and apiserver v0.37.2, etcd server/v3 v3.6.16.
// What the sources say was then observed on whole clusters, but for 4b-back, for
// deadlines where a kubelet is restarted or starts a pod again, and for pods whose
// deletion had begun in the backup and was not done since.

// Rules is the decision table's list of rows.
var Rules = []RuleInfo{
	{"1", "created after the backup", "client-go tools/cache/reflector.go watch; apiserver pkg/storage/cacher/cache_watcher.go process; kubelet.go HandlePodRemoves, kubelet_pods.go HandlePodCleanups"},
	{"2a", "same name, another uid, same node", "kubelet config/apiserver.go (UndeltaStore is keyed by name), config/config.go filterInvalidPods and merge (by uid)"},
	{"2b", "same name, another uid, another node", "statefulset/stateful_set_control.go: nothing fences two kubelets"},
	{"3", "deleted after the backup", "kubelet_pods.go getPhase and convertStatusToAPIStatus; container/helpers.go ShouldContainerBeRestarted"},
	{"4a", "same pod, unchanged", "kubelet config/config.go merge"},
	{"4a-status", "same pod, its status changed", "kubelet status/status_manager.go syncPod compares with its own copy only"},
	{"4b", "same pod, ended after the backup", "kubelet status/status_manager.go syncPod, needsUpdate; container/helpers.go ShouldContainerBeRestarted"},
	{"4b'", "same pod, ended by eviction or deadline after the backup", "kubelet eviction and active_deadline.go: known to the kubelet's memory only"},
	{"4b-back", "same pod, ended in the backup, alive since", "kubelet pod_workers.go UpdatePod: a terminal phase in the API terminates"},
	{"4c", "same pod, bound to a node after the backup", "kubelet config/apiserver.go (selects by spec.nodeName); noderestriction/admission.go admitPodStatus"},
	{"4c'", "same pod, bound after the backup, and no node of the backup can take it", "scheduler framework/plugins nodeaffinity, tainttoleration, nodeunschedulable, schedulinggates"},
	{"4c''", "same pod, bound after the backup, and only its present node can take it", "scheduler framework/plugins nodeaffinity; kubelet config/config.go merge"},
	{"4d", "same pod, its deletion began after the backup", "kubelet pod_workers.go UpdatePod: a kill is irreversible; status/status_manager.go canBeDeleted"},
	{"4d'", "same pod, its deletion began after the backup and its containers have ended", "kubelet status/status_manager.go syncPod drops its copy; pod_workers.go: the worker is finished"},
	{"4e", "being deleted in the backup, gone since", "kubelet pod_workers.go UpdatePod with deletionTimestamp"},
	{"4f", "same pod, its containers changed in place", "kubelet container/helpers.go HashContainer, kuberuntime_manager.go computePodActions"},
	{"4f'", "same pod, resized in place, with a container to be restarted for it", "kubelet allocation/allocation_manager.go, kuberuntime_manager.go computePodResizeAction"},
	{"5a", "created after the backup on a node that is not in the backup", "kubelet kubelet_node_status.go registerWithAPIServer runs once a process"},
	{"5b", "on a node that is in the backup only", "nodelifecycle/node_lifecycle_controller.go; podgc/gc_controller.go"},
	{"6", "mirror of a static pod", "kubelet.go tryReconcileMirrorPods"},
	{"7", "created after the backup and ended", "kubelet.go HandlePodAdditions does not admit what is terminal"},
	{"7'", "ended in the backup, deleted or its machine gone since", "kubelet.go HandlePodAdditions does not admit what is terminal"},
	{"unbound", "never bound to a node", "scheduler: nothing ran"},
	{"onto", "of a backup that is restored onto other machines", "nodelifecycle/node_lifecycle_controller.go monitorNodeHealth; tainteviction/taint_eviction.go processPodOnNode; podgc/gc_controller.go gcOrphaned; kubelet config/apiserver.go (selects by spec.nodeName, whatever machine had the name before). Read only: no run restores onto other machines"},
	{"unreadable", "value unreadable", "apiserver pkg/server/options/encryptionconfig/config.go for what is encrypted"},
	{"contradiction", "the snapshots contradict each other", "a binding is never removed, a deletion never cancelled"},
}
