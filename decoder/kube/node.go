package kube

import (
	"fmt"
	"time"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// Node is the part of a v1.Node that predicting a restore needs.
type Node struct {
	Name string
	UID  string

	Created time.Time // metadata.creationTimestamp, UTC, whole seconds
	Deleted time.Time // metadata.deletionTimestamp, zero unless being deleted

	Labels         map[string]string
	Taints         []corev1.Taint // spec.taints
	Unschedulable  bool           // spec.unschedulable, set by kubectl cordon
	ProviderID     string         // spec.providerID, the cloud's name for the machine
	KubeletVersion string         // status.nodeInfo.kubeletVersion
	BootID         string         // status.nodeInfo.bootID, another one after each boot

	Allocatable Allocatable
	Ready       corev1.ConditionStatus // of the condition Ready; Unknown when there is none
}

// Allocatable is what a node has for pods (status.allocatable).
type Allocatable struct {
	MilliCPU int64 // thousandths of a core, rounded up
	Memory   int64 // bytes, rounded up
	Pods     int64
}

// ScanNode decodes a stored value into a Node. Its errors are those of ScanPod.
func ScanNode(value []byte) (Node, error) {
	if _, err := envelopeOf(value, "Node"); err != nil {
		return Node{}, err
	}
	n, err := decodeAs[*corev1.Node](value)
	if err != nil {
		return Node{}, fmt.Errorf("decode node: %w", err)
	}
	allocatable := n.Status.Allocatable
	node := Node{
		Name:           n.Name,
		UID:            string(n.UID),
		Created:        utc(&n.CreationTimestamp),
		Deleted:        utc(n.DeletionTimestamp),
		Labels:         n.Labels,
		Taints:         n.Spec.Taints,
		Unschedulable:  n.Spec.Unschedulable,
		ProviderID:     n.Spec.ProviderID,
		KubeletVersion: n.Status.NodeInfo.KubeletVersion,
		BootID:         n.Status.NodeInfo.BootID,
		Allocatable: Allocatable{
			MilliCPU: allocatable.Cpu().MilliValue(),
			Memory:   allocatable.Memory().Value(),
			Pods:     allocatable.Pods().Value(),
		},
		Ready: corev1.ConditionUnknown,
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			node.Ready = c.Status
		}
	}
	if len(node.Labels)*labelSize+len(node.Taints)*taintSize > keepable(len(value)) {
		return Node{}, fmt.Errorf("decode node: %w", errTooLarge)
	}
	return node, nil
}

// What labels, with the room that a map keeps, and taints take beside their text.
const (
	labelSize = 3 * stringSize
	taintSize = int(unsafe.Sizeof(corev1.Taint{}))
)

// NodeChoices returns the names of the nodes, in their given order, on which the
// scheduler could place the unbound pod p as far as p itself chooses: by
// spec.nodeSelector, required node affinity, and taints it does not tolerate
// (NoSchedule and NoExecute, and the one that stands for an unschedulable node).
// A pod with scheduling gates has no choice yet; one with spec.nodeName is not
// scheduled at all and has that node only, whether it is in nodes or not.
//
// It mirrors the scheduler's plugins NodeAffinity, TaintToleration,
// NodeUnschedulable and SchedulingGates (kubernetes v1.37
// pkg/scheduler/framework/plugins). What is free on the nodes is not asked: free
// resources, host ports, volumes and their topology, claimed devices, affinity
// between pods and topology spread can only take choices away. Nor is the
// scheduler's configuration.
func NodeChoices(p *corev1.Pod, nodes []Node) []string {
	if p.Spec.NodeName != "" {
		return []string{p.Spec.NodeName}
	}
	if len(p.Spec.SchedulingGates) > 0 {
		return nil
	}
	affinity := nodeaffinity.GetRequiredNodeAffinity(p)
	var names []string
	for _, n := range nodes {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels}}
		// An invalid term is an error and matches nothing, for the scheduler too.
		if ok, err := affinity.Match(node); !ok || err != nil {
			continue
		}
		if !tolerates(p.Spec.Tolerations, n) {
			continue
		}
		names = append(names, n.Name)
	}
	return names
}

// tolerates says whether the tolerations cover all taints of n that keep pods
// off. A toleration that compares numbers (Lt, Gt) counts: where its feature is
// off, the API refuses it.
func tolerates(tolerations []corev1.Toleration, n Node) bool {
	cordon := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	if n.Unschedulable && !schedulingv1.TolerationsTolerateTaint(klog.Logger{}, tolerations, &cordon, true) {
		return false
	}
	keepsOff := func(t *corev1.Taint) bool {
		return t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
	}
	_, untolerated := schedulingv1.FindMatchingUntoleratedTaint(klog.Logger{}, n.Taints, tolerations, keepsOff, true)
	return !untolerated
}
