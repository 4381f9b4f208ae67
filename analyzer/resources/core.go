package resources

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"revenant/analyzer/clock"
)

var core = map[string]printer{
	"pods": timed("Name  Ready  Status  Restarts  Age  +IP  +Node  +Nominated Node  +Readiness Gates", podValues),
	"podtemplates": printerOf("Name  Containers  Images  Pod Labels", func(o *corev1.PodTemplate) []any {
		names, images := containers(o.Template.Spec.Containers)
		return []any{o.Name, names, images, labels.FormatLabels(o.Template.Labels)}
	}),
	"services": printerOf("Name  Type  Cluster-IP  External-IP  Port(s)  Age  +Selector", func(o *corev1.Service) []any {
		clusterIP := o.Spec.ClusterIP // alone in what was stored before there were two
		if len(o.Spec.ClusterIPs) > 0 {
			clusterIP = o.Spec.ClusterIPs[0]
		}
		ports := joined(o.Spec.Ports, func(p *corev1.ServicePort) string {
			if p.NodePort > 0 {
				return fmt.Sprintf("%d:%d/%s", p.Port, p.NodePort, p.Protocol)
			}
			return fmt.Sprintf("%d/%s", p.Port, p.Protocol)
		})
		return []any{o.Name, o.Spec.Type, some(clusterIP), externalIP(o), some(ports), o.CreationTimestamp, labels.FormatLabels(o.Spec.Selector)}
	}),
	//lint:ignore SA1019 snapshots hold them
	"endpoints": printerOf("Name  Endpoints  Age", func(o *corev1.Endpoints) []any {
		return []any{o.Name, firstOf(3, addresses(o), ",", none), o.CreationTimestamp}
	}),
	"endpointslices": printerOf("Name  AddressType  Ports  Endpoints  Age", func(o *discoveryv1.EndpointSlice) []any {
		var ports, ips []string
		for _, p := range o.Ports {
			switch {
			case p.Port != nil:
				ports = append(ports, strconv.Itoa(int(*p.Port)))
			case p.Name != nil:
				ports = append(ports, *p.Name)
			default:
				ports = append(ports, "*")
			}
		}
		for _, e := range o.Endpoints {
			ips = append(ips, e.Addresses...)
		}
		return []any{o.Name, o.AddressType, firstOf(3, ports, ",", unset), firstOf(3, ips, ",", unset), o.CreationTimestamp}
	}),
	"nodes": printerOf("Name  Status  Roles  Age  Version  +Internal-IP  +External-IP  +OS-Image  +Kernel-Version  +Container-Runtime", nodeValues),
	"namespaces": printerOf("Name  Status  Age", func(o *corev1.Namespace) []any {
		return []any{o.Name, cmp.Or(o.Status.Phase, corev1.NamespaceActive), o.CreationTimestamp}
	}),
	"secrets": printerOf("Name  Type  Data  Age", func(o *corev1.Secret) []any {
		return []any{o.Name, o.Type, len(o.Data), o.CreationTimestamp}
	}),
	"configmaps": printerOf("Name  Data  Age", func(o *corev1.ConfigMap) []any {
		return []any{o.Name, len(o.Data) + len(o.BinaryData), o.CreationTimestamp}
	}),
	"serviceaccounts": printerOf("Name  Age", func(o *corev1.ServiceAccount) []any {
		return []any{o.Name, o.CreationTimestamp}
	}),
	"replicationcontrollers": printerOf("Name  Desired  Current  Ready  Age  +Containers  +Images  +Selector", func(o *corev1.ReplicationController) []any {
		var names, images string
		if o.Spec.Template != nil {
			names, images = containers(o.Spec.Template.Spec.Containers)
		}
		return []any{
			o.Name, given(o.Spec.Replicas, 0), o.Status.Replicas, o.Status.ReadyReplicas, o.CreationTimestamp,
			names, images, labels.FormatLabels(o.Spec.Selector),
		}
	}),
	"persistentvolumes": printerOf("Name  Capacity  Access Modes  Reclaim Policy  Status  Claim  StorageClass  VolumeAttributesClass  Reason  Age  +VolumeMode", func(o *corev1.PersistentVolume) []any {
		claim := ""
		if ref := o.Spec.ClaimRef; ref != nil {
			claim = ref.Namespace + "/" + ref.Name
		}
		return []any{
			o.Name, o.Spec.Capacity[corev1.ResourceStorage], accessModes(o.Spec.AccessModes), o.Spec.PersistentVolumeReclaimPolicy,
			phase(cmp.Or(o.Status.Phase, corev1.VolumePending), &o.ObjectMeta), claim, storageClass(&o.ObjectMeta, o.Spec.StorageClassName),
			set(o.Spec.VolumeAttributesClassName), o.Status.Reason, o.CreationTimestamp, set(o.Spec.VolumeMode),
		}
	}),
	"persistentvolumeclaims": printerOf("Name  Status  Volume  Capacity  Access Modes  StorageClass  VolumeAttributesClass  Age  +VolumeMode", func(o *corev1.PersistentVolumeClaim) []any {
		var capacity, modes any
		if o.Spec.VolumeName != "" {
			capacity, modes = o.Status.Capacity[corev1.ResourceStorage], accessModes(o.Status.AccessModes)
		}
		return []any{
			o.Name, phase(cmp.Or(o.Status.Phase, corev1.ClaimPending), &o.ObjectMeta), o.Spec.VolumeName, capacity, modes,
			storageClass(&o.ObjectMeta, given(o.Spec.StorageClassName, "")), set(o.Spec.VolumeAttributesClassName),
			o.CreationTimestamp, set(o.Spec.VolumeMode),
		}
	}),
	"events": timed("Last Seen  Type  Reason  Object  +Subobject  +Source  Message  +First Seen  +Count  +Name", eventValues),
	"resourcequotas": printerOf("Name  Request  Limit  Age", func(o *corev1.ResourceQuota) []any {
		var names, requests, limits []string
		for name := range o.Status.Hard {
			names = append(names, string(name))
		}
		slices.Sort(names)
		for _, name := range names {
			used, hard := o.Status.Used[corev1.ResourceName(name)], o.Status.Hard[corev1.ResourceName(name)]
			text := fmt.Sprintf("%s: %s/%s", name, used.String(), hard.String())
			if strings.HasPrefix(name, "limits.") {
				limits = append(limits, text)
			} else {
				requests = append(requests, text)
			}
		}
		return []any{o.Name, strings.Join(requests, ", "), strings.Join(limits, ", "), o.CreationTimestamp}
	}),
}

// podStatus is what kubectl says of a pod's containers.
type podStatus struct {
	reason    string
	ready     int64
	restarts  int64
	restarted time.Time // the last one of those restarts, zero when that is unknown
}

// podValues mirrors printPod.
func podValues(o *corev1.Pod, now clock.Interval) []any {
	sidecars := restartable(o)
	s := statusOf(o, sidecars)
	restarts := number(s.restarts)
	if s.restarts != 0 && !s.restarted.IsZero() {
		restarts.Text += " (" + Age(s.restarted, now).Text + " ago)"
	}
	ip := ""
	if len(o.Status.PodIPs) > 0 {
		ip = o.Status.PodIPs[0].IP
	}
	gates := none
	if all := o.Spec.ReadinessGates; len(all) > 0 {
		passed := 0
		for _, gate := range all {
			if podCondition(o, gate.ConditionType) == corev1.ConditionTrue {
				passed++
			}
		}
		gates = fmt.Sprintf("%d/%d", passed, len(all))
	}
	total := int64(len(o.Spec.Containers) + len(sidecars))
	return []any{
		o.Name, ratio{s.ready, total}, s.reason, restarts, o.CreationTimestamp,
		some(ip), some(o.Spec.NodeName), some(o.Status.NominatedNodeName), gates,
	}
}

// restartable names the init containers that run on.
func restartable(o *corev1.Pod) map[string]bool {
	names := map[string]bool{}
	for i := range o.Spec.InitContainers {
		c := &o.Spec.InitContainers[i]
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			names[c.Name] = true
		}
	}
	return names
}

func statusOf(o *corev1.Pod, sidecars map[string]bool) podStatus {
	s := podStatus{reason: string(o.Status.Phase)}
	if o.Status.Reason != "" {
		s.reason = o.Status.Reason
	}
	for _, c := range o.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			s.reason = c.Reason
		}
	}
	done, sidecarStatus := s.initialize(o, sidecars)
	if done || podCondition(o, corev1.PodInitialized) == corev1.ConditionTrue {
		s.restarts, s.restarted = sidecarStatus.restarts, sidecarStatus.restarted
		s.run(o)
	}
	switch terminal := o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed; {
	case o.DeletionTimestamp == nil:
	case o.Status.Reason == nodeLost:
		s.reason = "Unknown"
	case !terminal:
		s.reason = "Terminating"
	}
	return s
}

// nodeLost is the reason that the node lifecycle controller gives pods of a node
// that is gone (kubernetes v1.37 pkg/util/node NodeUnreachablePodReason).
const nodeLost = "NodeLost"

// initialize looks at the init containers up to the first one that is not done. It
// says whether all are, and what those that run on add up to.
func (s *podStatus) initialize(o *corev1.Pod, sidecars map[string]bool) (done bool, running podStatus) {
	for i := range o.Status.InitContainerStatuses {
		c := &o.Status.InitContainerStatuses[i]
		s.restart(c)
		sidecar := sidecars[c.Name]
		if sidecar {
			running.restart(c)
		}
		ended, waiting := c.State.Terminated, c.State.Waiting
		switch {
		case ended != nil && ended.ExitCode == 0:
			continue
		case sidecar && c.Started != nil && *c.Started:
			if c.Ready {
				s.ready++
			}
			continue
		case ended != nil:
			s.reason = "Init:" + exitReason(ended)
		case waiting != nil && waiting.Reason != "" && waiting.Reason != "PodInitializing":
			s.reason = "Init:" + waiting.Reason
		default:
			s.reason = fmt.Sprintf("Init:%d/%d", i, len(o.Spec.InitContainers))
		}
		return false, running
	}
	return true, running
}

// run looks at the containers; of reasons that of the first one counts.
func (s *podStatus) run(o *corev1.Pod) {
	running, failure := false, ""
	for _, c := range slices.Backward(o.Status.ContainerStatuses) {
		s.restart(&c)
		ended, waiting := c.State.Terminated, c.State.Waiting
		switch {
		case waiting != nil && waiting.Reason != "":
			s.reason = waiting.Reason
		case ended != nil:
			if s.reason = exitReason(ended); ended.ExitCode != 0 {
				failure = s.reason
			}
		case c.Ready && c.State.Running != nil:
			running = true
			s.ready++
		}
	}
	switch {
	case s.reason != "Completed":
	case running && podCondition(o, corev1.PodReady) == corev1.ConditionTrue:
		s.reason = "Running"
	case failure != "":
		s.reason = failure
	case running:
		s.reason = "NotReady"
	}
}

func (s *podStatus) restart(c *corev1.ContainerStatus) {
	s.restarts += int64(c.RestartCount)
	if last := c.LastTerminationState.Terminated; last != nil && last.FinishedAt.After(s.restarted) {
		s.restarted = last.FinishedAt.Time
	}
}

func exitReason(ended *corev1.ContainerStateTerminated) string {
	switch {
	case ended.Reason != "":
		return ended.Reason
	case ended.Signal != 0:
		return fmt.Sprintf("Signal:%d", ended.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", ended.ExitCode)
}

// podCondition is the status of a condition, "" where there is none.
func podCondition(o *corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for i := range o.Status.Conditions {
		if o.Status.Conditions[i].Type == kind {
			return o.Status.Conditions[i].Status
		}
	}
	return ""
}

// nodeValues mirrors printNode.
func nodeValues(o *corev1.Node) []any {
	status := "Unknown"
	for _, c := range o.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			status = "Ready"
		} else if c.Type == corev1.NodeReady {
			status = "NotReady"
		}
	}
	if o.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	var roles []string
	for key, value := range o.Labels {
		if role, ok := strings.CutPrefix(key, "node-role.kubernetes.io/"); ok && role != "" {
			roles = append(roles, role)
		} else if key == "kubernetes.io/role" && value != "" {
			roles = append(roles, value)
		}
	}
	address := func(kind corev1.NodeAddressType) string {
		for _, a := range o.Status.Addresses {
			if a.Type == kind {
				return a.Address
			}
		}
		return none
	}
	known := func(text string) string {
		if text == "" {
			return unknown
		}
		return text
	}
	info := &o.Status.NodeInfo
	kernel := known(info.KernelVersion)
	if info.Architecture != "" {
		kernel += " (" + info.Architecture + ")"
	}
	return []any{
		o.Name, status, some(strings.Join(unique(roles), ",")), o.CreationTimestamp, info.KubeletVersion,
		address(corev1.NodeInternalIP), address(corev1.NodeExternalIP),
		known(info.OSImage), kernel, known(info.ContainerRuntimeVersion),
	}
}

// eventValues mirrors printEvent.
func eventValues(o *corev1.Event, now clock.Interval) []any {
	first, last, count := EventTimes(o)
	object := strings.ToLower(o.InvolvedObject.Kind)
	if name := o.InvolvedObject.Name; name != "" {
		object += "/" + name
	}
	source, instance := o.Source.Component, o.Source.Host
	if source == "" {
		source = o.ReportingController
	}
	if instance == "" {
		instance = o.ReportingInstance
	}
	if instance != "" {
		source += ", " + instance
	}
	return []any{
		Age(last, now), o.Type, o.Reason, object, o.InvolvedObject.FieldPath, source,
		strings.TrimSpace(o.Message), Age(first, now), count, o.Name,
	}
}

// EventTimes says when what an event tells was seen first and last, and how often.
func EventTimes(o *corev1.Event) (first, last time.Time, count int32) {
	first, last, count = o.FirstTimestamp.Time, o.LastTimestamp.Time, o.Count
	if first.IsZero() {
		first = o.EventTime.Time
	}
	if last.IsZero() {
		last = first
	}
	if o.Series != nil {
		last, count = o.Series.LastObservedTime.Time, o.Series.Count
	} else if count == 0 {
		count = 1
	}
	return first, last, count
}

// externalIP mirrors getServiceExternalIP.
func externalIP(o *corev1.Service) string {
	list := o.Spec.ExternalIPs
	switch o.Spec.Type {
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort:
		return some(strings.Join(list, ","))
	case corev1.ServiceTypeLoadBalancer:
		var ingress []string
		for _, i := range o.Status.LoadBalancer.Ingress {
			ingress = append(ingress, balancer(i.IP, i.Hostname)...)
		}
		if list = append(unique(ingress), list...); len(list) == 0 {
			return "<pending>"
		}
		return strings.Join(list, ",")
	case corev1.ServiceTypeExternalName:
		return o.Spec.ExternalName
	}
	return unknown
}

// balancer is a load balancer's address, or its name.
func balancer(ip, hostname string) []string {
	if ip == "" {
		ip = hostname
	}
	if ip == "" {
		return nil
	}
	return []string{ip}
}

// addresses lists those of an Endpoints that are ready, with their ports.
//
//lint:ignore SA1019 snapshots hold them
func addresses(o *corev1.Endpoints) []string {
	var list []string
	for _, s := range o.Subsets {
		if len(s.Ports) == 0 {
			for _, a := range s.Addresses {
				list = append(list, a.IP)
			}
		}
		for _, p := range s.Ports {
			for _, a := range s.Addresses {
				ip := a.IP
				if strings.Contains(ip, ":") {
					ip = "[" + ip + "]"
				}
				list = append(list, ip+":"+strconv.Itoa(int(p.Port)))
			}
		}
	}
	return list
}

// containers names containers and their images.
func containers(list []corev1.Container) (names, images string) {
	return joined(list, func(c *corev1.Container) string { return c.Name }), joined(list, func(c *corev1.Container) string { return c.Image })
}

// phase is that of a volume or claim.
func phase[T ~string](p T, m *metav1.ObjectMeta) string {
	if m.DeletionTimestamp != nil {
		return "Terminating"
	}
	return string(p)
}

// storageClass is the class, which an annotation has named before there was a field
// (component-helpers v0.37 storage/volume GetPersistentVolumeClass).
func storageClass(m *metav1.ObjectMeta, name string) string {
	if class, ok := m.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	return name
}

// accessModes abbreviates access modes, in the order of kubernetes v1.37
// pkg/apis/core/v1/helper GetAccessModesAsString.
func accessModes(modes []corev1.PersistentVolumeAccessMode) string {
	var list []string
	for _, mode := range []struct {
		mode  corev1.PersistentVolumeAccessMode
		short string
	}{
		{corev1.ReadWriteOnce, "RWO"}, {corev1.ReadOnlyMany, "ROX"}, {corev1.ReadWriteMany, "RWX"}, {corev1.ReadWriteOncePod, "RWOP"},
	} {
		if slices.Contains(modes, mode.mode) {
			list = append(list, mode.short)
		}
	}
	return strings.Join(list, ",")
}
