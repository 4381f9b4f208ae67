package manifest

import (
	"cmp"
	"slices"

	"revenant/decoder/kube"
)

// order is what must be there before what: kinds in the order in which they are
// applied. Those that are not named, custom resources among them, come before last.
var order = []string{
	"Namespace", "CustomResourceDefinition", "PriorityClass", "RuntimeClass", "StorageClass", "CSIDriver", "VolumeSnapshotClass",
	"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount", "Secret", "ConfigMap", "LimitRange",
	"PersistentVolume", "PersistentVolumeClaim", "NetworkPolicy", "PodDisruptionBudget", "Service",
	"ControllerRevision", "DaemonSet", "StatefulSet", "Deployment", "ReplicaSet", "ReplicationController", "CronJob", "Job", "Pod",
	"HorizontalPodAutoscaler", "IngressClass", "Ingress",
}

// last are kinds that can keep others from being made: once they are there, what serves
// or admits the others must run.
var last = []string{
	"ResourceQuota", "APIService", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
	"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
}

// Rank is when the kind is applied: lower ranks before higher ones.
func Rank(kind string) int {
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	if i := slices.Index(last, kind); i >= 0 {
		return len(order) + 1 + i
	}
	return len(order)
}

// Compare orders objects as they are applied: by rank, and by key within it.
func Compare(aKind string, a kube.Key, bKind string, b kube.Key) int {
	return cmp.Or(cmp.Compare(Rank(aKind), Rank(bKind)), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
