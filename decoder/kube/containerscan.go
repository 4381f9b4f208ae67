package kube

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"revenant/decoder/wire"
)

func (s *podScan) container(b []byte, f wire.Field) error {
	c := containerScan{hostPorts: s.hostPorts, pod: s}
	if err := c.scan(b, f); err != nil {
		return err
	}
	s.pod.Containers = append(s.pod.Containers, c.Container)
	s.hostPorts = c.hostPorts
	s.containers.add(&c.requests)
	s.limits.add(&c.limits)
	return nil
}

// initContainer adds up requests as component-helpers v0.37 resource
// AggregateContainerRequests does: restartable init containers run on beside
// everything that starts after them.
func (s *podScan) initContainer(b []byte, f wire.Field) error {
	c := containerScan{hostPorts: s.initHostPorts, pod: s}
	if err := c.scan(b, f); err != nil {
		return err
	}
	s.pod.InitContainers = append(s.pod.InitContainers, c.Container)
	s.initHostPorts = c.hostPorts
	s.limits.add(&c.limits)
	if c.restartPolicy == string(corev1.ContainerRestartPolicyAlways) {
		s.containers.add(&c.requests)
		s.sidecars.add(&c.requests)
		s.initialization.max(&s.sidecars)
		return nil
	}
	c.requests.add(&s.sidecars)
	s.initialization.max(&c.requests)
	return nil
}

// ephemeralContainer reads a corev1.EphemeralContainer, which reserves nothing.
func (s *podScan) ephemeralContainer(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err == nil {
		err = s.keep(containerSize)
	}
	if err != nil {
		return err
	}
	var c Container
	for f, err := range wire.Fields(b) {
		if err == nil && f.Num() == 1 {
			err = c.common(b, f)
		}
		if err != nil {
			return err
		}
	}
	s.pod.EphemeralContainers = append(s.pod.EphemeralContainers, c)
	return nil
}

// common reads a corev1.EphemeralContainerCommon.
func (c *Container) common(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	for f, err := range wire.Fields(b) {
		switch {
		case err != nil:
		case f.Num() == 1:
			err = setString(&c.Name, b, f)
		case f.Num() == 2:
			err = setString(&c.Image, b, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// containerScan gathers what the fields of a container say.
type containerScan struct {
	Container
	pod           *podScan
	restartPolicy string
	hostPorts     []HostPort // those of earlier containers, then its own
	requests      amounts
	limits        amounts
}

// scan reads a corev1.Container.
func (c *containerScan) scan(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err == nil {
		err = c.pod.keep(containerSize)
	}
	if err != nil {
		return err
	}
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 1:
			err = setString(&c.Name, b, f)
		case 2:
			err = setString(&c.Image, b, f)
		case 6:
			err = c.port(b, f)
		case 8:
			err = setResources(&c.requests, &c.limits, b, f)
		case 23:
			err = c.resizePolicy(b, f)
		case 24:
			err = setString(&c.restartPolicy, b, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// port reads a corev1.ContainerPort.
func (c *containerScan) port(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	var port HostPort
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 2:
			var n int64
			err = setInt64(&n, f)
			port.Port = int32(n)
		case 4:
			err = setString(&port.Protocol, b, f)
		case 5:
			err = setString(&port.IP, b, f)
		}
		if err != nil {
			return err
		}
	}
	if port.Port <= 0 {
		return nil
	}
	if port.Protocol == "" {
		port.Protocol = string(corev1.ProtocolTCP)
	}
	c.hostPorts = append(c.hostPorts, port)
	return c.pod.keep(hostPortSize)
}

// resizePolicy reads a corev1.ContainerResizePolicy.
func (c *containerScan) resizePolicy(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	var policy string
	for f, err := range wire.Fields(b) {
		if err == nil && f.Num() == 2 {
			err = setString(&policy, b, f)
		}
		if err != nil {
			return err
		}
	}
	c.pod.rare = c.pod.rare || policy == string(corev1.RestartContainer)
	return nil
}

// setResources reads a corev1.ResourceRequirements.
func setResources(requests, limits *amounts, b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 1:
			err = limits.set(b, f)
		case 2:
			err = requests.set(b, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// amounts are quantities of CPU and memory, each of which may be absent.
// Resource lists can hold negative ones, so absent is not the same as zero.
type amounts struct {
	cpu, memory       resource.Quantity
	hasCPU, hasMemory bool
}

// set reads an entry of a corev1.ResourceList.
func (a *amounts) set(b []byte, f wire.Field) error {
	data, err := f.Bytes(b)
	if err != nil {
		return err
	}
	name, value, err := mapEntry(data)
	if err != nil {
		return err
	}
	switch string(name) {
	case string(corev1.ResourceCPU):
		a.cpu, err = parseQuantity(value)
		a.hasCPU = true
	case string(corev1.ResourceMemory):
		a.memory, err = parseQuantity(value)
		a.hasMemory = true
	}
	return err
}

// parseQuantity reads the message of a resource.Quantity.
func parseQuantity(b []byte) (q resource.Quantity, err error) {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return q, err
		}
		if f.Num() != 1 {
			continue
		}
		data, err := f.Bytes(b)
		if err != nil {
			return q, err
		}
		text := string(data)
		if !sensibleQuantity(text) {
			return q, errQuantity
		}
		if q, err = resource.ParseQuantity(text); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (a *amounts) requests() Requests {
	return Requests{MilliCPU: a.cpu.MilliValue(), Memory: a.memory.Value()}
}

func (a *amounts) addList(list corev1.ResourceList) {
	a.cpu.Add(*list.Cpu())
	a.memory.Add(*list.Memory())
}

func (a *amounts) add(b *amounts) {
	if b.hasCPU {
		a.cpu.Add(b.cpu)
		a.hasCPU = true
	}
	if b.hasMemory {
		a.memory.Add(b.memory)
		a.hasMemory = true
	}
}

func (a *amounts) max(b *amounts) {
	if b.hasCPU && (!a.hasCPU || b.cpu.Cmp(a.cpu) > 0) {
		a.cpu, a.hasCPU = b.cpu.DeepCopy(), true
	}
	if b.hasMemory && (!a.hasMemory || b.memory.Cmp(a.memory) > 0) {
		a.memory, a.hasMemory = b.memory.DeepCopy(), true
	}
}

func (a *amounts) override(b *amounts) {
	if b.hasCPU {
		a.cpu, a.hasCPU = b.cpu.DeepCopy(), true
	}
	if b.hasMemory {
		a.memory, a.hasMemory = b.memory.DeepCopy(), true
	}
}
