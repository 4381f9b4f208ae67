// Package kubelet reads what a node says of the pods on it.
//
// In go the bytes of one answer, as JSON: the kubelet's /pods or /runningpods, the
// output of `crictl pods -o json` or `crictl ps -o json`, or that of `kubectl get
// pods -A -o json`, which says what the API has. Which of them it is, the content
// tells, unless a list is empty. Out comes a Dump of pods.
//
// Refused are answers that are none of these, with what they look like, and broken
// JSON, with the offset. Nothing is trusted: fields may be missing or wrong.
package kubelet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is what a dump is an answer of.
type Kind string

// The kinds of dumps.
const (
	// Listed is a v1.PodList with status: the kubelet's /pods, or kubectl's list.
	// A kubelet keeps terminal pods in it, and Running pods whose containers have
	// ended.
	Listed Kind = "pods"
	// Running is the kubelet's /runningpods: what its container runtime runs.
	Running Kind = "runningpods"
	// Sandboxes is crictl's list of pods.
	Sandboxes Kind = "crictl pods"
	// Containers is crictl's list of containers.
	Containers Kind = "crictl ps"
	// Empty is a list without a pod that may be any of the first two: their empty
	// lists are the same bytes.
	Empty Kind = "empty list"
)

// Runtime says whether the container runtime has spoken: what it lists as running
// runs, and nothing else does.
func (k Kind) Runtime() bool { return k == Running || k == Sandboxes || k == Containers }

// Dump is one answer.
type Dump struct {
	Kind Kind
	Pods []Pod
	// Kubelets says that the pods are marked as kubelets do in their own copies:
	// the API's have no such mark.
	Kubelets bool
}

// Pod is what a dump says of a pod.
type Pod struct {
	Namespace, Name, UID string
	Node                 string // spec.nodeName, "" where the dump does not tell
	Phase                string
	Created              time.Time // zero where the dump does not tell
	Terminating          bool
	Static               bool   // from a file on the node, not from the API
	Mirror               bool   // the API's mirror of a static pod
	StaticUID            string // of the static pod that a mirror stands for
	Runs                 bool   // as far as this dump knows
	Sandbox              string // the runtime's id, "" where the dump does not tell
	Grace                int64  // terminationGracePeriodSeconds; 0 where the dump does not tell
}

// Annotations by which pods that are not from the API are told (kubernetes v1.37
// pkg/kubelet/types/pod_update.go, and the mirror's).
const (
	sourceAnnotation = "kubernetes.io/config.source"
	mirrorAnnotation = "kubernetes.io/config.mirror"
	uidLabel         = "io.kubernetes.pod.uid"
	nameLabel        = "io.kubernetes.pod.name"
	namespaceLabel   = "io.kubernetes.pod.namespace"
)

// document is what any of the answers may hold.
type document struct {
	Kind       string `json:"kind"`
	Items      []item `json:"items"`
	Containers []item `json:"containers"`
}

type item struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name, Namespace, UID string
		CreationTimestamp    *time.Time
		DeletionTimestamp    *time.Time
		Annotations          map[string]string
	} `json:"metadata"`
	Spec struct {
		NodeName                      string
		TerminationGracePeriodSeconds int64
		Containers                    containers
	} `json:"spec"`
	Status struct {
		Phase             string
		ContainerStatuses []struct {
			State struct{ Running *struct{} }
		}
	} `json:"status"`

	// crictl's
	ID           string            `json:"id"`
	PodSandboxID string            `json:"podSandboxId"`
	State        string            `json:"state"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
}

// containers is a list of containers, of which only this is asked: whether it is
// there and empty.
type containers struct{ none bool }

// UnmarshalJSON is called when the list is there, null included.
func (c *containers) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	err := json.Unmarshal(data, &list)
	*c = containers{none: len(list) == 0}
	return err
}

// Parse reads an answer.
func Parse(data []byte) (Dump, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return Dump{}, errors.New("is empty")
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return Dump{}, broken(data, err)
	}
	switch {
	case d.Containers != nil:
		return d.containers(), nil
	case d.Items == nil && d.Kind != "PodList" && d.Kind != "List":
		return Dump{}, fmt.Errorf("is JSON but no list of pods%s", kindOf(d.Kind))
	case d.Kind == "" && d.states():
		return Dump{}, errors.New("is no list of pods that is known: it has states that are none of crictl's")
	case d.sandboxes():
		return d.pods(Sandboxes, item.sandbox), nil
	case d.Kind != "PodList" && d.Kind != "List" && d.Kind != "":
		return Dump{}, fmt.Errorf("is no list of pods%s", kindOf(d.Kind))
	case len(d.Items) == 0 && d.Kind == "": // the API's lists say what they are
		return d.pods(Sandboxes, item.sandbox), nil
	case len(d.Items) == 0:
		return Dump{Kind: Empty, Pods: []Pod{}}, nil
	case d.nameless():
		return Dump{}, errors.New("has a pod without a uid")
	case d.Kind == "List" && d.others():
		return Dump{}, errors.New("is a list of other objects than pods")
	case d.running():
		return d.pods(Running, item.running), nil
	}
	return d.pods(Listed, item.listed), nil
}

func kindOf(kind string) string {
	if kind == "" {
		return ""
	}
	return " but a " + kind
}

// broken says where JSON breaks off.
func broken(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(data)):
		return fmt.Errorf("is cut short after %d bytes", len(data))
	case errors.As(err, &syntax):
		return fmt.Errorf("is no JSON at byte %d: %w", syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("is no list of pods at byte %d: %w", kind.Offset, err)
	}
	return fmt.Errorf("is no list of pods: %w", err)
}

func (d *document) sandboxes() bool {
	for _, i := range d.Items {
		if strings.HasPrefix(i.State, "SANDBOX_") {
			return true
		}
	}
	return false
}

// states says whether items have a state, and one of them none of crictl's.
func (d *document) states() bool {
	for _, i := range d.Items {
		if i.State != "" && !strings.HasPrefix(i.State, "SANDBOX_") {
			return true
		}
	}
	return false
}

// nameless says whether an item that may be a pod has no uid: to leave it out would
// be to say that it does not run.
func (d *document) nameless() bool {
	for _, i := range d.Items {
		if i.Metadata.UID == "" && (i.Kind == "" || i.Kind == "Pod") {
			return true
		}
	}
	return false
}

func (d *document) others() bool {
	for _, i := range d.Items {
		if i.Kind != "" && i.Kind != "Pod" {
			return true
		}
	}
	return false
}

// running says whether no pod has a status: the kubelet makes up the objects of
// /runningpods from what the runtime tells (kubernetes v1.37 pkg/kubelet/server/
// server.go getRunningPods).
func (d *document) running() bool {
	for _, i := range d.Items {
		if i.Status.Phase != "" || i.Spec.NodeName != "" {
			return false
		}
	}
	return true
}

func (d *document) pods(kind Kind, read func(item) Pod) Dump {
	dump := Dump{Kind: kind, Pods: make([]Pod, 0, len(d.Items))}
	for _, i := range d.Items {
		if p := read(i); p.UID != "" {
			dump.Pods = append(dump.Pods, p)
		}
		dump.Kubelets = dump.Kubelets || i.Metadata.Annotations[sourceAnnotation] == "api"
	}
	return dump
}

func (i item) listed() Pod {
	m := &i.Metadata
	p := Pod{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, Node: i.Spec.NodeName, Phase: i.Status.Phase,
		Terminating: m.DeletionTimestamp != nil, StaticUID: m.Annotations[mirrorAnnotation],
		Grace: i.Spec.TerminationGracePeriodSeconds,
	}
	source := m.Annotations[sourceAnnotation]
	p.Mirror = p.StaticUID != ""
	p.Static = !p.Mirror && source != "" && source != "api" || fileUID(p.UID)
	if m.CreationTimestamp != nil {
		p.Created = m.CreationTimestamp.UTC()
	}
	for _, c := range i.Status.ContainerStatuses {
		p.Runs = p.Runs || c.State.Running != nil
	}
	if len(i.Status.ContainerStatuses) == 0 {
		p.Runs = p.Phase == "Running"
	}
	return p
}

// running reads a pod of /runningpods. Its containers are those that run: one
// without is a sandbox in which nothing does (kubernetes v1.37 pkg/kubelet/
// container/runtime.go ToAPIPod). The kubelet always writes the list, as null when
// it is empty: where something has left it out, what is listed runs.
func (i item) running() Pod {
	m := &i.Metadata
	return Pod{Namespace: m.Namespace, Name: m.Name, UID: m.UID, Static: fileUID(m.UID), Runs: !i.Spec.Containers.none}
}

func (i item) sandbox() Pod {
	m := &i.Metadata
	source := i.Annotations[sourceAnnotation]
	return Pod{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, Sandbox: i.ID,
		Static: source != "" && source != "api" || fileUID(m.UID), Runs: i.State == "SANDBOX_READY",
	}
}

// containers puts crictl's containers together to pods.
func (d *document) containers() Dump {
	dump := Dump{Kind: Containers, Pods: []Pod{}}
	at := map[string]int{}
	for _, c := range d.Containers {
		uid := c.Labels[uidLabel]
		if uid == "" {
			continue
		}
		n, ok := at[uid]
		if !ok {
			n = len(dump.Pods)
			at[uid] = n
			dump.Pods = append(dump.Pods, Pod{
				Namespace: c.Labels[namespaceLabel], Name: c.Labels[nameLabel], UID: uid, Sandbox: c.PodSandboxID, Static: fileUID(uid),
			})
		}
		dump.Pods[n].Runs = dump.Pods[n].Runs || c.State == "CONTAINER_RUNNING"
	}
	return dump
}

// fileUID says whether the uid is the hash of a static pod's file, which has no
// dashes, and not the API's (kubernetes v1.37 pkg/kubelet/config/common.go
// applyDefaults).
func fileUID(uid string) bool {
	return len(uid) == 32 && strings.Trim(uid, "0123456789abcdef") == ""
}
