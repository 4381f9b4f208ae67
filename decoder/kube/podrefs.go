package kube

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"revenant/decoder/wire"
)

// PodRefs is what a pod refers to by name, and the addresses that it has.
type PodRefs struct {
	NodeName       string // spec.nodeName, "" while unbound
	Phase          string // status.phase
	HostNetwork    bool   // spec.hostNetwork: its addresses are the node's
	ServiceAccount string // spec.serviceAccountName
	Token          bool   // a volume holds a token that is bound to the pod
	Certificate    bool   // a volume holds a certificate that is issued to the pod

	IPs     []string // status.podIPs, or else status.podIP
	Claims  []string // PersistentVolumeClaims of its volumes
	Secrets []string // of volumes, environments and image pulls; one can be named more than once
}

// ScanPodRefs reads off a stored value what a PodRefs has. It is to Decode what
// ScanPod is, but of a message that a value gives twice both count.
// Secrets that its ServiceAccount names, or a volume of a plug-in that Kubernetes
// has dropped, are not among them.
//
// The error is that of ScanPod.
func ScanPodRefs(value []byte) (PodRefs, error) {
	e, err := envelopeOf(value, "Pod")
	if err != nil {
		return PodRefs{}, err
	}
	if e.Encoding == JSON {
		pod, err := decodeAs[*corev1.Pod](value)
		if err != nil {
			return PodRefs{}, fmt.Errorf("decode pod: %w", err)
		}
		r := podRefs{PodRefs: PodRefsFrom(pod)}
		return r.PodRefs, r.bounded(value)
	}
	var r podRefs
	err = podFields.walk(&r, e.Raw)
	if err == nil {
		err = r.bounded(value)
	}
	if err != nil {
		return PodRefs{}, fmt.Errorf("scan pod: %w", err)
	}
	return r.finish(), nil
}

// podRefs gathers what the fields of a pod say.
type podRefs struct {
	PodRefs
	ip string
}

// bounded refuses references that would take far more memory than the value.
func (r *podRefs) bounded(value []byte) error {
	if (len(r.Secrets)+len(r.Claims)+len(r.IPs))*stringSize > keepable(len(value)) {
		return errTooLarge
	}
	return nil
}

func (r *podRefs) finish() PodRefs {
	if len(r.IPs) == 0 && r.ip != "" {
		r.IPs = []string{r.ip}
	}
	return r.PodRefs
}

// fieldTree says what to take from which field of a message, by its number:
// something itself, or from the fields of the message in it.
type fieldTree map[int32]field

type field struct {
	take   func(r *podRefs, text []byte) // of strings and messages
	flag   func(r *podRefs, set bool)    // of booleans
	fields fieldTree                     // of messages
}

// walk is as deep as the tree, whatever the message.
func (t fieldTree) walk(r *podRefs, b []byte) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		known, ok := t[f.Num()]
		if !ok {
			continue
		}
		if known.flag != nil {
			if f.Type() != wire.Varint {
				return wire.ErrType
			}
			known.flag(r, f.Val != 0)
			continue
		}
		data, err := f.Bytes(b)
		if err != nil {
			return err
		}
		if known.take != nil {
			known.take(r, data)
		}
		if known.fields == nil {
			continue
		}
		if err := known.fields.walk(r, data); err != nil {
			return err
		}
	}
	return nil
}

func addSecret(r *podRefs, name []byte) { r.Secrets = append(r.Secrets, string(name)) }

// The messages of a pod that lead to what a PodRefs has (k8s.io/api v0.37
// core/v1/generated.proto). Which fields name Secrets is defined by kubernetes v1.37
// pkg/api/v1/pod/util.go VisitPodSecretNames.
var (
	// a LocalObjectReference, or the message with a name in its first field
	secretName = fieldTree{1: {take: addSecret}}

	containerFields = fieldTree{
		7:  {fields: fieldTree{3: {fields: fieldTree{4: {fields: fieldTree{1: {fields: secretName}}}}}}}, // env.valueFrom.secretKeyRef
		19: {fields: fieldTree{3: {fields: fieldTree{1: {fields: secretName}}}}},                         // envFrom.secretRef
	}

	volumeSourceFields = fieldTree{
		6:  {fields: secretName},                          // secret.secretName
		8:  {fields: fieldTree{10: {fields: secretName}}}, // iscsi.secretRef
		10: {fields: fieldTree{1: {take: func(r *podRefs, name []byte) { r.Claims = append(r.Claims, string(name)) }}}},
		12: {fields: fieldTree{3: {fields: secretName}}}, // flexVolume.secretRef
		18: {fields: secretName},                         // azureFile.secretName
		26: {fields: fieldTree{1: {fields: fieldTree{ // projected.sources
			1: {fields: fieldTree{1: {fields: secretName}}},
			4: {take: func(r *podRefs, _ []byte) { r.Token = true }},
			6: {take: func(r *podRefs, _ []byte) { r.Certificate = true }},
		}}}},
		28: {fields: fieldTree{5: {fields: secretName}}}, // csi.nodePublishSecretRef
	}

	podFields = fieldTree{
		2: {fields: fieldTree{ // spec
			1:  {fields: fieldTree{2: {fields: volumeSourceFields}}},
			2:  {fields: containerFields},
			8:  {take: func(r *podRefs, name []byte) { r.ServiceAccount = string(name) }},
			10: {take: func(r *podRefs, name []byte) { r.NodeName = string(name) }},
			11: {flag: func(r *podRefs, set bool) { r.HostNetwork = set }},
			15: {fields: secretName}, // imagePullSecrets
			20: {fields: containerFields},
			34: {fields: fieldTree{1: {fields: containerFields}}},
		}},
		3: {fields: fieldTree{ // status
			1:  {take: func(r *podRefs, phase []byte) { r.Phase = intern(phase) }},
			6:  {take: func(r *podRefs, ip []byte) { r.ip = string(ip) }},
			12: {fields: fieldTree{1: {take: func(r *podRefs, ip []byte) { r.IPs = append(r.IPs, string(ip)) }}}},
		}},
	}
)

// PodRefsFrom takes out of p what a PodRefs has.
func PodRefsFrom(p *corev1.Pod) PodRefs {
	r := podRefs{
		PodRefs: PodRefs{
			NodeName:       p.Spec.NodeName,
			Phase:          string(p.Status.Phase),
			HostNetwork:    p.Spec.HostNetwork,
			ServiceAccount: p.Spec.ServiceAccountName,
		},
		ip: p.Status.PodIP,
	}
	for i := range p.Spec.Volumes {
		r.volume(&p.Spec.Volumes[i].VolumeSource)
	}
	for _, list := range [][]corev1.Container{p.Spec.Containers, p.Spec.InitContainers} {
		for i := range list {
			r.environment(list[i].Env, list[i].EnvFrom)
		}
	}
	for i := range p.Spec.EphemeralContainers {
		c := &p.Spec.EphemeralContainers[i]
		r.environment(c.Env, c.EnvFrom)
	}
	for _, s := range p.Spec.ImagePullSecrets {
		r.Secrets = append(r.Secrets, s.Name)
	}
	for _, ip := range p.Status.PodIPs {
		r.IPs = append(r.IPs, ip.IP)
	}
	return r.finish()
}

func (r *podRefs) volume(v *corev1.VolumeSource) {
	switch {
	case v.Secret != nil:
		r.Secrets = append(r.Secrets, v.Secret.SecretName)
	case v.PersistentVolumeClaim != nil:
		r.Claims = append(r.Claims, v.PersistentVolumeClaim.ClaimName)
	case v.AzureFile != nil:
		r.Secrets = append(r.Secrets, v.AzureFile.SecretName)
	case v.ISCSI != nil && v.ISCSI.SecretRef != nil:
		r.Secrets = append(r.Secrets, v.ISCSI.SecretRef.Name)
	case v.FlexVolume != nil && v.FlexVolume.SecretRef != nil:
		r.Secrets = append(r.Secrets, v.FlexVolume.SecretRef.Name)
	case v.CSI != nil && v.CSI.NodePublishSecretRef != nil:
		r.Secrets = append(r.Secrets, v.CSI.NodePublishSecretRef.Name)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				r.Secrets = append(r.Secrets, s.Secret.Name)
			}
			r.Token = r.Token || s.ServiceAccountToken != nil
			r.Certificate = r.Certificate || s.PodCertificate != nil
		}
	}
}

func (r *podRefs) environment(env []corev1.EnvVar, from []corev1.EnvFromSource) {
	for _, e := range env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			r.Secrets = append(r.Secrets, e.ValueFrom.SecretKeyRef.Name)
		}
	}
	for _, e := range from {
		if e.SecretRef != nil {
			r.Secrets = append(r.Secrets, e.SecretRef.Name)
		}
	}
}
