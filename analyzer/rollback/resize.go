package rollback

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
)

// resized reports a pod whose resources were changed in place since the backup.
func (c *comparison) resized(ch *change) {
	same := false
	err := c.backup.Scan(ch.before, func(was []byte) error {
		return c.current.Scan(ch.after, func(is []byte) error {
			same = kube.SameResources(was, is)
			return nil
		})
	})
	if err == nil && same {
		return
	}
	was, ok := get[*corev1.Pod](c, c.backup, ch.before)
	is, ok2 := get[*corev1.Pod](c, c.current, ch.after)
	if !ok || !ok2 {
		return
	}
	r := resize{was: was, is: is}
	r.pod()
	for i := range is.Spec.InitContainers {
		r.container(&is.Spec.InitContainers[i], was.Spec.InitContainers)
	}
	for i := range is.Spec.Containers {
		r.container(&is.Spec.Containers[i], was.Spec.Containers)
	}
	if r.changes.count == 0 {
		return
	}
	f := Finding{Reason: r.changes.String(), Evidence: c.evidence(ch.before, ch.after)}
	if r.restarts.count > 0 {
		f.Reason += "; by its resize policy, going back restarts container " + r.restarts.String()
	}
	switch {
	case r.held == 0:
		f.Severity = finding.OK
		f.Reason += "; its kubelet has allocated none of that yet"
	case r.pending > 0:
		f.Reason += "; its kubelet has not allocated all of that yet"
	}
	c.add(ResizeUndone, ch.Key, f)
}

// resize is what differs between the resources of one pod.
type resize struct {
	was, is       *corev1.Pod
	changes       names
	restarts      names
	held, pending int // changes that the kubelet has allocated, and that it has not
}

func (r *resize) pod() {
	var was, is corev1.ResourceRequirements
	if p := r.was.Spec.Resources; p != nil {
		was = *p
	}
	if p := r.is.Spec.Resources; p != nil {
		is = *p
	}
	r.compare("the pod", was, is, func(corev1.ResourceName) { r.held++ })
}

func (r *resize) container(is *corev1.Container, before []corev1.Container) {
	at := slices.IndexFunc(before, func(c corev1.Container) bool { return c.Name == is.Name })
	if at < 0 {
		return // no resize adds a container
	}
	restarts := false
	r.compare("container "+is.Name, before[at].Resources, is.Resources, func(name corev1.ResourceName) {
		restarts = restarts || slices.ContainsFunc(is.ResizePolicy, func(p corev1.ContainerResizePolicy) bool {
			return p.ResourceName == name && p.RestartPolicy == corev1.RestartContainer
		})
		if r.allocated(is, name) {
			r.held++
		} else {
			r.pending++
		}
	})
	if restarts {
		r.restarts.add(is.Name)
	}
}

// allocated says whether the kubelet reports to have allocated what the spec requests;
// so it is taken where it does not report that.
func (r *resize) allocated(is *corev1.Container, name corev1.ResourceName) bool {
	for _, list := range [][]corev1.ContainerStatus{r.is.Status.InitContainerStatuses, r.is.Status.ContainerStatuses} {
		for i := range list {
			if list[i].Name != is.Name {
				continue
			}
			has, ok := list[i].AllocatedResources[name]
			wants, ok2 := is.Resources.Requests[name]
			return !ok || !ok2 || has.Cmp(wants) == 0
		}
	}
	return true
}

// compare notes what differs; each is reported for every resource that does.
func (r *resize) compare(of string, was, is corev1.ResourceRequirements, each func(corev1.ResourceName)) {
	differing := map[corev1.ResourceName]struct{}{}
	for _, list := range []struct {
		what    string
		was, is corev1.ResourceList
	}{{"request", was.Requests, is.Requests}, {"limit", was.Limits, is.Limits}} {
		for _, name := range resourceNames(list.was, list.is) {
			a, hadA := list.was[name]
			b, hasB := list.is[name]
			if hadA == hasB && a.Cmp(b) == 0 {
				continue
			}
			differing[name] = struct{}{}
			r.changes.add(fmt.Sprintf("%s %s of %s: %s in the backup, %s in the current state", name, list.what, of, amount(list.was, name), amount(list.is, name)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(differing)) {
		each(name)
	}
}

func resourceNames(a, b corev1.ResourceList) []corev1.ResourceName {
	all := map[corev1.ResourceName]struct{}{}
	for name := range a {
		all[name] = struct{}{}
	}
	for name := range b {
		all[name] = struct{}{}
	}
	return slices.Sorted(maps.Keys(all))
}

func amount(list corev1.ResourceList, name corev1.ResourceName) string {
	q, ok := list[name]
	if !ok {
		return "none"
	}
	return q.String()
}
