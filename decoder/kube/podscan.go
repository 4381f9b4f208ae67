package kube

import (
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"revenant/decoder/wire"
)

// ScanPod reads off a stored value what a Pod has.
//
// A protobuf value is scanned without decoding the rest of it: messages that a
// Pod takes nothing from are stepped over, so faults inside them go unseen.
// Everything else is as strict as Decode, and whatever Decode accepts as a pod,
// ScanPod reads alike: fields in any order, of a repeated one the last counts,
// repeated messages are merged, unknown fields skipped. A JSON value is decoded.
//
// The error is an *EncryptedError, ErrWrongKind with the kind that was found, or
// says what is malformed. Nothing of value is kept.
func ScanPod(value []byte) (Pod, error) {
	e, err := envelopeOf(value, "Pod")
	if err != nil {
		return Pod{}, err
	}
	if e.Encoding == JSON {
		pod, err := decodeAs[*corev1.Pod](value)
		if err != nil {
			return Pod{}, fmt.Errorf("decode pod: %w", err)
		}
		return bounded(PodFrom(pod), value)
	}
	s := podScans.Get().(*podScan)
	defer podScans.Put(s)
	*s = podScan{pod: Pod{DeletedGrace: absent, Grace: absent}, room: keepable(len(value))}
	if err := s.scan(e.Raw); err != nil {
		return Pod{}, fmt.Errorf("scan pod: %w", err)
	}
	pod := s.finish()
	if s.rare { // few pods: it takes all of them
		if p, err := decodeAs[*corev1.Pod](value); err == nil {
			pod.Allocated, pod.RestartOnResize, pod.Ephemeral = allocatedOf(p), restartOnResize(p), ephemeralOf(p)
			return bounded(pod, value)
		}
	}
	return pod, nil
}

// bounded refuses a pod of which too much would be kept.
func bounded(p Pod, value []byte) (Pod, error) {
	if p.kept() > keepable(len(value)) {
		return Pod{}, fmt.Errorf("decode pod: %w", errTooLarge)
	}
	return p, nil
}

// podScans are used again: one is larger than what is kept of most pods.
var podScans = sync.Pool{New: func() any { return new(podScan) }}

// podScan gathers what the fields of a pod say in whatever order they come.
type podScan struct {
	pod            Pod
	room           int  // bytes that its lists may take yet
	owned          bool // the controller has been found
	rare           bool // a resize waits for its kubelet, or restarts a container, or there are ephemeral containers
	tolerated      bool // so has what tolerates an unreachable node
	hostPorts      []HostPort
	initHostPorts  []HostPort
	containers     amounts // sum of all containers and restartable init containers
	sidecars       amounts // sum of the restartable init containers so far
	initialization amounts // the most needed at one time while init containers run
	podLevel       amounts // spec.resources.requests
	podLimits      amounts // spec.resources.limits
	overhead       amounts // spec.overhead
	limits         amounts // sum of all containers' limits
}

// keep counts an item of a list that is kept.
func (s *podScan) keep(size int) error {
	if s.room -= size; s.room < 0 {
		return errTooLarge
	}
	return nil
}

func (s *podScan) scan(b []byte) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Num() > 3 {
			continue
		}
		data, err := f.Bytes(b)
		if err != nil {
			return err
		}
		switch f.Num() {
		case 1:
			err = s.meta(data)
		case 2:
			err = s.spec(data)
		case 3:
			err = s.status(data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish computes what depends on all of the pod.
func (s *podScan) finish() Pod {
	s.pod.HostPorts = s.initHostPorts
	if s.pod.HostPorts == nil {
		s.pod.HostPorts = s.hostPorts
	} else {
		s.pod.HostPorts = append(s.pod.HostPorts, s.hostPorts...)
	}
	total := &s.containers
	total.max(&s.initialization)
	total.override(&s.podLevel)
	total.add(&s.overhead)
	s.limits.add(&s.podLimits)
	s.pod.Requests, s.pod.Limits = total.requests(), s.limits.requests()
	return s.pod
}

// meta reads a metav1.ObjectMeta.
func (s *podScan) meta(b []byte) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 1:
			err = setString(&s.pod.Name, b, f)
		case 3:
			err = setString(&s.pod.Namespace, b, f)
		case 5:
			err = setString(&s.pod.UID, b, f)
		case 8:
			err = setTime(&s.pod.Created, b, f)
		case 9:
			err = setTime(&s.pod.Deleted, b, f)
		case 10:
			err = setInt64(&s.pod.DeletedGrace, f)
		case 12:
			err = s.annotation(b, f)
		case 13:
			err = s.owner(b, f)
		case 14:
			var finalizer string
			if err = setString(&finalizer, b, f); err == nil {
				err = s.keep(stringSize)
			}
			s.pod.Finalizers = append(s.pod.Finalizers, finalizer)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *podScan) annotation(b []byte, f wire.Field) error {
	data, err := f.Bytes(b)
	if err != nil {
		return err
	}
	key, value, err := mapEntry(data)
	if err == nil && string(key) == corev1.MirrorPodAnnotationKey {
		s.pod.Mirror = string(value)
	}
	return err
}

// owner takes the first owner that is a controller.
func (s *podScan) owner(b []byte, f wire.Field) error {
	owner, err := scanOwner(b, f)
	if err == nil && owner.controller && !s.owned {
		s.pod.Owner, s.owned = owner.Owner, true
	}
	return err
}

// spec reads a corev1.PodSpec.
func (s *podScan) spec(b []byte) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 2:
			err = s.container(b, f)
		case 3:
			err = setString(&s.pod.RestartPolicy, b, f)
		case 4:
			err = setInt64(&s.pod.Grace, f)
		case 5:
			err = setInt64(&s.pod.ActiveDeadline, f)
		case 10:
			err = setString(&s.pod.NodeName, b, f)
		case 11:
			err = setBool(&s.pod.HostNetwork, f)
		case 20:
			err = s.initContainer(b, f)
		case 22:
			err = s.toleration(b, f)
		case 32:
			err = s.overhead.set(b, f)
		case 34:
			s.rare = true
			err = s.ephemeralContainer(b, f)
		case 40:
			err = setResources(&s.podLevel, &s.podLimits, b, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// toleration reads a corev1.Toleration.
func (s *podScan) toleration(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	var t corev1.Toleration
	var operator, effect string
	var seconds int64
	for i := 0; i < len(b); {
		f, err := wire.Next(b, i)
		if err != nil {
			return err
		}
		i = f.End
		switch f.Num() {
		case 1:
			err = setString(&t.Key, b, f)
		case 2:
			err = setString(&operator, b, f)
		case 3:
			err = setString(&t.Value, b, f)
		case 4:
			err = setString(&effect, b, f)
		case 5:
			err = setInt64(&seconds, f)
			t.TolerationSeconds = &seconds
		}
		if err != nil {
			return err
		}
	}
	if s.tolerated {
		return nil
	}
	t.Operator, t.Effect = corev1.TolerationOperator(operator), corev1.TaintEffect(effect)
	s.pod.ToleratesUnreachable, s.tolerated = toleratesUnreachable(&t)
	return nil
}

// status reads a corev1.PodStatus.
func (s *podScan) status(b []byte) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 1:
			err = setString(&s.pod.Phase, b, f)
		case 2:
			err = s.condition(b, f)
		case 4:
			err = setString(&s.pod.Reason, b, f)
		case 7:
			err = setTime(&s.pod.Started, b, f)
		case 8, 10:
			err = s.containerStatus(b, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// condition reads a corev1.PodCondition.
func (s *podScan) condition(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	var kind, status string
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 1:
			err = setString(&kind, b, f)
		case 2:
			err = setString(&status, b, f)
		}
		if err != nil {
			return err
		}
	}
	s.rare = s.rare || kind == string(corev1.PodResizePending)
	s.pod.Ready = s.pod.Ready || kind == string(corev1.PodReady) && status == string(corev1.ConditionTrue)
	return nil
}

// containerStatus reads a corev1.ContainerStatus.
func (s *podScan) containerStatus(b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	var restarts int64
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Num() == 5 {
			if err := setInt64(&restarts, f); err != nil {
				return err
			}
		}
	}
	s.pod.Restarts += int32(restarts)
	return nil
}
