package kube

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"revenant/decoder/wire"
)

// SameResources says whether two stored values of a pod give it and its containers the
// same resources. Of protobuf only those are read, as they are stored: true is sure,
// and false where one cannot be read.
func SameResources(a, b []byte) bool {
	x, okX := storedResources(a)
	y, okY := storedResources(b)
	if okX && okY {
		return bytes.Equal(x, y)
	}
	p, err := decodeAs[*corev1.Pod](a)
	q, err2 := decodeAs[*corev1.Pod](b)
	return err == nil && err2 == nil && equality.Semantic.DeepEqual(podResources(p), podResources(q))
}

// podResources are those of the pod and then of each container.
func podResources(p *corev1.Pod) (list []corev1.Container) {
	if r := p.Spec.Resources; r != nil {
		list = append(list, corev1.Container{Resources: *r})
	}
	for _, containers := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range containers {
			list = append(list, corev1.Container{Name: containers[i].Name, Resources: containers[i].Resources})
		}
	}
	return list
}

// storedResources are the messages of a pod's resources, and the names of what they
// are of, each with its length before it. ok is false when value is no protobuf, or
// malformed.
func storedResources(value []byte) (all []byte, ok bool) {
	e, err := envelopeOf(value, "Pod")
	if err != nil || e.Encoding != Protobuf {
		return nil, false
	}
	keep := func(what byte, data []byte) {
		all = append(all, what)
		all = append(binary.AppendUvarint(all, uint64(len(data))), data...)
	}
	container := func(b []byte) error {
		keep('c', nil)
		return eachMessage(b, func(num int32, data []byte) error {
			if num == 1 || num == 8 {
				keep(byte(num), data)
			}
			return nil
		})
	}
	err = eachMessage(e.Raw, func(num int32, data []byte) error {
		if num != 2 { // spec
			return nil
		}
		return eachMessage(data, func(num int32, data []byte) error {
			switch num {
			case 2, 20: // containers, initContainers
				keep(byte(num), nil)
				return container(data)
			case 40:
				keep('p', data)
			}
			return nil
		})
	})
	return all, err == nil
}

// eachMessage passes on the strings and messages of a message.
func eachMessage(b []byte, take func(num int32, data []byte) error) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Type() != wire.Bytes {
			continue
		}
		data, err := f.Bytes(b)
		if err == nil {
			err = take(int32(f.Num()), data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// allocatedOf is a Pod's Allocated: its requests, with what the kubelet reports to have
// allocated to containers in place of what they ask for, and the limits that it reports
// to have set (kubernetes v1.37 pkg/kubelet/allocation).
func allocatedOf(p *corev1.Pod) *Allocation {
	if !slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodResizePending }) {
		return nil
	}
	q := corev1.Pod{Spec: p.Spec, Status: p.Status}
	q.Spec.Containers = allocatedTo(p.Spec.Containers, p.Status.ContainerStatuses)
	q.Spec.InitContainers = allocatedTo(p.Spec.InitContainers, p.Status.InitContainerStatuses)
	return &Allocation{requestsOf(&q), limitsOf(&q), restartOnResize(&q)}
}

func allocatedTo(containers []corev1.Container, reports []corev1.ContainerStatus) []corev1.Container {
	containers = slices.Clone(containers)
	has := map[string]*corev1.ContainerStatus{}
	for i := range reports {
		has[reports[i].Name] = &reports[i]
	}
	for i := range containers {
		c := &containers[i]
		report := has[c.Name]
		if report == nil {
			continue
		}
		c.Resources.Requests = with(c.Resources.Requests, report.AllocatedResources)
		if report.Resources != nil {
			c.Resources.Limits = with(c.Resources.Limits, report.Resources.Limits)
		}
	}
	return containers
}

// with is list with what is reported in its place.
func with(list, reported corev1.ResourceList) corev1.ResourceList {
	if len(reported) == 0 {
		return list
	}
	all := corev1.ResourceList{}
	maps.Copy(all, list)
	maps.Copy(all, reported)
	return all
}

// restartOnResize is a Pod's RestartOnResize (kubernetes v1.37
// pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodResizeAction). Init
// containers that end have no such policy.
func restartOnResize(p *corev1.Pod) string {
	var text strings.Builder
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			c := &list[i]
			var what []string
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				first := slices.IndexFunc(c.ResizePolicy, func(p corev1.ContainerResizePolicy) bool { return p.ResourceName == name })
				if first >= 0 && c.ResizePolicy[first].RestartPolicy == corev1.RestartContainer {
					request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
					what = append(what, fmt.Sprintf("%s %s to %s", name, request.String(), limit.String()))
				}
			}
			if len(what) > 0 {
				fmt.Fprintf(&text, "%s: %s\n", c.Name, strings.Join(what, ", "))
			}
		}
	}
	return text.String()
}
