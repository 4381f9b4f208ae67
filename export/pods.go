package export

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"revenant/decoder/kube"
)

// pod writes the row of a pod, and those of its containers.
func (w *rows) pod(key kube.Key, value []byte, problem string) error {
	row := Pod{ClusterUID: w.cluster, SnapshotSHA256: w.ID, Namespace: key.Namespace, Name: key.Name, Problem: problem}
	if problem != "" {
		return w.to.Pods.Write(&row)
	}
	typed, err := kube.As[*corev1.Pod](kube.Decode(key, value))
	if err != nil {
		row.Problem = err.Error()
		return w.to.Pods.Write(&row)
	}
	p := kube.PodFrom(typed)
	restarts, mirror := int64(p.Restarts), p.Mirror != ""
	row.UID, row.NodeName, row.Phase, row.Reason = p.UID, p.NodeName, p.Phase, p.Reason
	row.Ready, row.Restarts, row.Mirror, row.HostNet = &p.Ready, &restarts, &mirror, &p.HostNetwork
	row.CreatedAt, row.StartedAt, row.DeletedAt = stamp(p.Created), stamp(p.Started), stamp(p.Deleted)
	row.OwnerKind, row.OwnerName, row.OwnerUID = p.Owner.Kind, p.Owner.Name, p.Owner.UID
	row.Account, row.RequestCPU, row.RequestMem = typed.Spec.ServiceAccountName, &p.Requests.MilliCPU, &p.Requests.Memory
	if err := w.to.Pods.Write(&row); err != nil {
		return err
	}
	used := p.NodeName != "" && !p.Terminal()
	for _, c := range containers(typed) {
		c.ClusterUID, c.SnapshotSHA256, c.Namespace, c.PodName, c.PodUID, c.NodeName = w.cluster, w.ID, key.Namespace, key.Name, p.UID, p.NodeName
		if err := w.to.Containers.Write(&c); err != nil {
			return err
		}
		if !used || c.Image == "" {
			continue
		}
		if w.images[image{c.Image, c.ImageID, key.Namespace}]++; len(w.images) == maxImages {
			if err := w.flushImages(); err != nil {
				return err
			}
		}
	}
	return nil
}

// containers are those of a pod, with what its kubelet reported of each.
func containers(p *corev1.Pod) []Container {
	var list []Container
	statuses := statusesOf(p.Status.InitContainerStatuses)
	for i := range p.Spec.InitContainers {
		c := &p.Spec.InitContainers[i]
		list = append(list, statuses.of("init", c.Name, c.Image))
	}
	statuses = statusesOf(p.Status.ContainerStatuses)
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		list = append(list, statuses.of("container", c.Name, c.Image))
	}
	statuses = statusesOf(p.Status.EphemeralContainerStatuses)
	for i := range p.Spec.EphemeralContainers {
		c := &p.Spec.EphemeralContainers[i]
		list = append(list, statuses.of("ephemeral", c.Name, c.Image))
	}
	return list
}

// statuses are those of containers, by name.
type statuses map[string]*corev1.ContainerStatus

func statusesOf(list []corev1.ContainerStatus) statuses {
	all := statuses{}
	for i := range list {
		all[list[i].Name] = &list[i]
	}
	return all
}

// of is a container with its status.
func (all statuses) of(kind, name, image string) Container {
	c := Container{Type: kind, Name: name, Image: image}
	s := all[name]
	if s == nil {
		return c
	}
	restarts := int64(s.RestartCount)
	c.ImageID, c.Ready, c.Restarts = s.ImageID, &s.Ready, &restarts
	switch state := &s.State; {
	case state.Running != nil:
		c.State = "running"
	case state.Terminated != nil:
		c.State = joined("terminated", state.Terminated.Reason)
	case state.Waiting != nil:
		c.State = joined("waiting", state.Waiting.Reason)
	}
	return c
}

func joined(state, reason string) string {
	if reason == "" {
		return state
	}
	return state + ":" + reason
}

// flushImages writes the images that were counted.
func (w *rows) flushImages() error {
	list := make([]image, 0, len(w.images))
	for i := range w.images {
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b image) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id), cmp.Compare(a.namespace, b.namespace))
	})
	for _, i := range list {
		row := Image{ClusterUID: w.cluster, SnapshotSHA256: w.ID, Image: i.name, ImageID: i.id, Namespace: i.namespace, Containers: w.images[i]}
		if err := w.to.Images.Write(&row); err != nil {
			return err
		}
	}
	clear(w.images)
	return nil
}
