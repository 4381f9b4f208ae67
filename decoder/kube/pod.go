package kube

import (
	"math"
	"strings"
	"time"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/resource"
	"k8s.io/klog/v2"
)

// Pod is the part of a v1.Pod that predicting a restore needs, as ScanPod
// reads it off the stored bytes. Every string is a copy of its own.
//
// Its fields follow k8s.io/api/core/v1; a field the stored object lacks is
// the zero value.
type Pod struct {
	Namespace string
	Name      string
	UID       string

	NodeName      string // spec.nodeName, "" while unbound
	HostNetwork   bool   // spec.hostNetwork
	Ready         bool   // status.conditions has Ready with status True
	Restarts      int32  // sum of restartCount over all containers, init containers included
	Phase         string // status.phase
	Reason        string // status.reason, such as Evicted or DeadlineExceeded
	RestartPolicy string // spec.restartPolicy

	Created      time.Time // metadata.creationTimestamp, UTC, whole seconds
	Deleted      time.Time // metadata.deletionTimestamp, UTC, whole seconds, zero unless terminating
	Started      time.Time // status.startTime, UTC, whole seconds: when its kubelet took it up
	DeletedGrace int64     // metadata.deletionGracePeriodSeconds, seconds; -1 when absent
	Grace        int64     // spec.terminationGracePeriodSeconds, seconds; -1 when absent
	// ActiveDeadline is after how many seconds from Started its kubelet ends it
	// (spec.activeDeadlineSeconds); 0 when it does not.
	ActiveDeadline int64

	Finalizers []string // metadata.finalizers, in stored order
	Owner      Owner    // the owner reference marked controller, zero when there is none
	Mirror     string   // annotation kubernetes.io/config.mirror; set on mirror pods only

	Containers     []Container // spec.containers, in stored order
	InitContainers []Container // spec.initContainers, in stored order
	// EphemeralContainers are spec.ephemeralContainers, in stored order.
	EphemeralContainers []Container
	HostPorts           []HostPort // host ports of all containers, init containers first
	Requests            Requests   // what the scheduler and the kubelet reserve for the pod
	Limits              Requests   // the sum of its containers' and its own limits

	// RestartOnResize names what each container that is restarted to resize it (its
	// resizePolicy says RestartContainer) has of that resource; "" for none.
	RestartOnResize string
	// Ephemeral are the names of spec.ephemeralContainers that are not known to have
	// ended.
	Ephemeral []string

	// Allocated is what its kubelet holds for it while a resize in place waits to be
	// allocated (status.conditions has PodResizePending), nil when none does.
	Allocated *Allocation

	// ToleratesUnreachable is how long the pod stays, in seconds, once its node is
	// tainted as unreachable (spec.tolerations); -1 for good, 0 not at all.
	ToleratesUnreachable int64
}

// absent stands for a number that the object leaves out.
const absent = -1

// Terminating says whether the API had accepted the pod's deletion.
func (p *Pod) Terminating() bool { return !p.Deleted.IsZero() }

// Deadline is when its kubelet ends the pod for its activeDeadlineSeconds; zero when it
// does not, or has not taken the pod up.
func (p *Pod) Deadline() time.Time {
	if p.ActiveDeadline <= 0 || p.Started.IsZero() {
		return time.Time{}
	}
	return p.Started.Add(time.Duration(min(p.ActiveDeadline, math.MaxInt32)) * time.Second)
}

// Terminal says whether the pod's containers have ended for good, by its phase.
func (p *Pod) Terminal() bool { return p.Phase == "Succeeded" || p.Phase == "Failed" }

// Container is the part of a v1.Container the kubelet hashes to decide whether
// a running container still matches its spec (kubernetes v1.37
// pkg/kubelet/container/helpers.go HashContainer: name and image).
type Container struct {
	Name  string
	Image string
}

// Owner is a controller's owner reference.
type Owner struct {
	Kind   string
	Name   string
	UID    string
	Custom bool // a custom resource, which may have the name of one of Kubernetes' own
}

// custom says whether a kind of that API version is of a custom resource: its group is a
// domain, as Kubernetes' own of what has pods is not.
func custom(apiVersion string) bool {
	group, _, versioned := strings.Cut(apiVersion, "/")
	return versioned && strings.Contains(group, ".")
}

// HostPort is a port that a container claims on its node.
type HostPort struct {
	IP       string // hostIP, "" for all addresses
	Protocol string // TCP, UDP or SCTP; TCP when the object leaves it out
	Port     int32
}

// Requests is a pod's effective resource request: the larger of the sum over
// its containers (restartable init containers included) and the largest
// init container, plus overhead, as k8s.io/component-helpers v0.37 resource
// PodRequests computes it from the spec alone; pod-level requests win where they
// are set. Amounts beyond 64 bits wrap, as they do for the scheduler.
type Requests struct {
	MilliCPU int64 // thousandths of a core, rounded up
	Memory   int64 // bytes, rounded up
}

// Allocation is what a kubelet holds for a pod, in place of Requests, Limits and
// RestartOnResize.
type Allocation struct {
	Requests        Requests
	Limits          Requests
	RestartOnResize string
}

// PodFrom takes out of p what a Pod has. The strings are p's.
func PodFrom(p *corev1.Pod) Pod {
	pod := Pod{
		Namespace:     p.Namespace,
		Name:          p.Name,
		UID:           string(p.UID),
		NodeName:      p.Spec.NodeName,
		Phase:         string(p.Status.Phase),
		Reason:        p.Status.Reason,
		RestartPolicy: string(p.Spec.RestartPolicy),
		Created:       utc(&p.CreationTimestamp),
		Deleted:       utc(p.DeletionTimestamp),
		DeletedGrace:  orAbsent(p.DeletionGracePeriodSeconds),
		Started:       utc(p.Status.StartTime),
		Grace:         orAbsent(p.Spec.TerminationGracePeriodSeconds),
		Finalizers:    p.Finalizers,
		Mirror:        p.Annotations[corev1.MirrorPodAnnotationKey],
		HostNetwork:   p.Spec.HostNetwork,

		RestartOnResize: restartOnResize(p),
		Ephemeral:       ephemeralOf(p),
	}
	if d := p.Spec.ActiveDeadlineSeconds; d != nil {
		pod.ActiveDeadline = *d
	}
	for _, c := range p.Status.Conditions {
		pod.Ready = pod.Ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			pod.Restarts += list[i].RestartCount
		}
	}
	if owner := metav1.GetControllerOfNoCopy(p); owner != nil {
		pod.Owner = Owner{Kind: owner.Kind, Name: owner.Name, UID: string(owner.UID), Custom: custom(owner.APIVersion)}
	}
	for _, list := range []struct {
		from []corev1.Container
		to   *[]Container
	}{{p.Spec.InitContainers, &pod.InitContainers}, {p.Spec.Containers, &pod.Containers}} {
		for _, c := range list.from {
			*list.to = append(*list.to, Container{Name: c.Name, Image: c.Image})
			pod.HostPorts = appendHostPorts(pod.HostPorts, c.Ports)
		}
	}
	for i := range p.Spec.EphemeralContainers {
		c := &p.Spec.EphemeralContainers[i].EphemeralContainerCommon
		pod.EphemeralContainers = append(pod.EphemeralContainers, Container{Name: c.Name, Image: c.Image})
	}
	for i := range p.Spec.Tolerations {
		if seconds, ok := toleratesUnreachable(&p.Spec.Tolerations[i]); ok {
			pod.ToleratesUnreachable = seconds
			break
		}
	}
	pod.Requests, pod.Limits = requestsOf(p), limitsOf(p)
	pod.Allocated = allocatedOf(p)
	return pod
}

func requestsOf(p *corev1.Pod) Requests {
	requests := resource.PodRequests(p, resource.PodResourcesOptions{})
	return Requests{MilliCPU: requests.Cpu().MilliValue(), Memory: requests.Memory().Value()}
}

func limitsOf(p *corev1.Pod) Requests {
	var sum amounts
	if r := p.Spec.Resources; r != nil {
		sum.addList(r.Limits)
	}
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			sum.addList(list[i].Resources.Limits)
		}
	}
	return sum.requests()
}

// ephemeralOf are the names of the ephemeral containers that are not known to have
// ended.
func ephemeralOf(p *corev1.Pod) (names []string) {
	ended := map[string]bool{}
	for _, s := range p.Status.EphemeralContainerStatuses {
		ended[s.Name] = s.State.Terminated != nil
	}
	for i := range p.Spec.EphemeralContainers {
		if name := p.Spec.EphemeralContainers[i].Name; !ended[name] {
			names = append(names, name)
		}
	}
	return names
}

// kept is how many bytes a Pod has in lists and what is made of them, whose items can take far more of them than
// the fields that they were read from: two bytes make a Container.
func (p *Pod) kept() int {
	return (len(p.Containers)+len(p.InitContainers)+len(p.EphemeralContainers))*containerSize + len(p.HostPorts)*hostPortSize + (len(p.Finalizers)+len(p.Ephemeral))*stringSize + len(p.RestartOnResize)
}

const (
	containerSize = int(unsafe.Sizeof(Container{}))
	hostPortSize  = int(unsafe.Sizeof(HostPort{}))
	stringSize    = int(unsafe.Sizeof(""))
)

// keepable is how many bytes may be kept in lists of what was read from a value of size
// bytes. With room for lists to grow, and the text, that is four times the value. What an
// API server stores stays far below it.
func keepable(size int) int { return 2*size + 512 }

// unreachable is the taint of a node whose kubelet does not report.
var unreachable = corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute}

// toleratesUnreachable says whether t tolerates that taint, and for how many
// seconds. The first that does counts (kubernetes v1.37
// pkg/controller/tainteviction/taint_eviction.go processPodOnNode).
func toleratesUnreachable(t *corev1.Toleration) (seconds int64, ok bool) {
	switch {
	case !t.ToleratesTaint(klog.Logger{}, &unreachable, false):
		return 0, false
	case t.TolerationSeconds == nil:
		return absent, true
	}
	return max(*t.TolerationSeconds, 0), true
}

func appendHostPorts(list []HostPort, ports []corev1.ContainerPort) []HostPort {
	for _, p := range ports {
		if p.HostPort <= 0 {
			continue
		}
		port := HostPort{IP: p.HostIP, Protocol: string(p.Protocol), Port: p.HostPort}
		if port.Protocol == "" {
			port.Protocol = string(corev1.ProtocolTCP)
		}
		list = append(list, port)
	}
	return list
}

func utc(t *metav1.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

func orAbsent(n *int64) int64 {
	if n == nil {
		return absent
	}
	return *n
}
