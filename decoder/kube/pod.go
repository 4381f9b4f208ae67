package kube

import "time"

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
	Phase         string // status.phase
	Reason        string // status.reason, such as Evicted or DeadlineExceeded
	RestartPolicy string // spec.restartPolicy

	Created      time.Time // metadata.creationTimestamp, UTC, whole seconds
	Deleted      time.Time // metadata.deletionTimestamp, zero unless terminating
	DeletedGrace int64     // metadata.deletionGracePeriodSeconds, seconds; -1 when absent
	Grace        int64     // spec.terminationGracePeriodSeconds, seconds; -1 when absent

	Finalizers []string // metadata.finalizers, in stored order
	Owner      Owner    // the owner reference marked controller, zero when there is none
	Mirror     string   // annotation kubernetes.io/config.mirror; set on mirror pods only

	Containers     []Container // spec.containers, in stored order
	InitContainers []Container // spec.initContainers, in stored order
	HostNetwork    bool        // spec.hostNetwork
	HostPorts      []HostPort  // host ports of all containers, init containers first
	Requests       Requests    // what the scheduler and the kubelet reserve for the pod
}

// Terminating says whether the API had accepted the pod's deletion.
func (p *Pod) Terminating() bool { return !p.Deleted.IsZero() }

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
	Kind string
	Name string
	UID  string
}

// HostPort is a port that a container claims on its node.
type HostPort struct {
	IP       string // hostIP, "" for all addresses
	Protocol string // TCP, UDP or SCTP; TCP when the object leaves it out
	Port     int32
}

// Requests is a pod's effective resource request: the larger of the sum over
// its containers (restartable init containers included) and the largest
// init container, plus overhead, as k8s.io/component-helpers/resource
// PodRequests computes it; pod-level requests win where they are set.
type Requests struct {
	MilliCPU int64 // thousandths of a core, rounded up
	Memory   int64 // bytes, rounded up
}
