package kubelet

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"revenant/internal/strictjson"
)

// Annotations by which pods that are not from the API are recognized (kubernetes v1.37
// pkg/kubelet/types/pod_update.go, and the mirror's), and the labels that the kubelet
// gives to what it has the runtime make (pkg/kubelet/types/labels.go).
const (
	sourceAnnotation = "kubernetes.io/config.source"
	mirrorAnnotation = "kubernetes.io/config.mirror"
	uidLabel         = "io.kubernetes.pod.uid"
	nameLabel        = "io.kubernetes.pod.name"
	namespaceLabel   = "io.kubernetes.pod.namespace"
)

// What is asked for, object by object.
var (
	topNames        = []string{"kind", "apiVersion", "metadata", "items", "containers", ""}
	listNames       = []string{"continue", "remainingItemCount"}
	itemNames       = []string{"kind", "metadata", "spec", "status", "id", "podSandboxId", "state", "labels", "annotations"}
	metadataNames   = []string{"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "annotations"}
	specNames       = []string{"nodeName", "terminationGracePeriodSeconds", "containers", "initContainers", "ephemeralContainers", ""}
	statusNames     = []string{"phase", "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}
	containerNames  = []string{"name", "state"}
	stateNames      = []string{"waiting", "running", "terminated"}
	annotationNames = []string{sourceAnnotation, mirrorAnnotation}
	labelNames      = []string{uidLabel, nameLabel, namespaceLabel}
)

// The states of the CRI (k8s.io/cri-api v0.37 pkg/apis/runtime/v1/
// api.proto PodSandboxState, ContainerState). Of a container whose state is
// CONTAINER_UNKNOWN, the runtime does not know whether it runs.
var (
	sandboxStates   = []string{"SANDBOX_READY", "SANDBOX_NOTREADY"}
	containerStates = []string{"CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED"}
)

var phases = []string{"Pending", "Running", "Succeeded", "Failed", "Unknown"}

// item is one element of a list, of whichever kind.
type item struct {
	Pod
	mark
	kind      string
	label     string // the uid that it is labelled with
	source    string // where a kubelet says that it is from
	container bool   // one of crictl's, not a pod
	named     string // the name of that
}

// mark says what an element has, of which only the whole answer tells what it means.
type mark struct {
	stated    bool // it has a state of crictl's
	contained bool // its containers have states
	runs      bool // as its state or those of its containers say
	idle      bool // spec.containers is there, and has none
	lists     bool // spec has other lists
}

// answer is what has been read of one.
type answer struct {
	*strictjson.Reader
	kind, apiVersion  string
	items, containers bool           // the document has them
	listed            bool           // and one is a list
	phased            bool           // a pod has a phase or a node
	count             int            // elements
	stated            int            // those of them that have a state of crictl's
	copies            int            // those of them that are marked as a kubelet's own copies
	other             string         // the kind of an element that is no pod
	most              int            // pods that are kept
	pods              []Pod          // one a uid
	marks             []mark         // of pods
	at                map[string]int // in pods, by uid
}

// read reads all of the document.
func (a *answer) read() error {
	object := a.Object(topNames, func(name string) {
		switch name {
		case "kind":
			a.kind = a.String()
		case "apiVersion":
			a.apiVersion = a.String()
		case "metadata":
			a.Object(listNames, a.page)
		case "items":
			a.items = true
			a.listed = a.Array(func(int) { a.element(item{}) }) || a.listed
		case "containers":
			a.containers = true
			a.listed = a.Array(func(int) { a.element(item{container: true}) }) || a.listed
		default:
			a.aside()
		}
	})
	a.End()
	if err := a.refusal(object); err != nil {
		return err
	}
	a.check()
	return nil
}

// aside looks whether there is a list by a name that is not known: it may be the one
// that is meant.
func (a *answer) aside() {
	if !a.List() {
		a.Skip()
		return
	}
	some := false
	a.Array(func(int) {
		some = true
		a.Skip()
	})
	if some {
		a.Fault("has a list by a name that is not known", "")
	}
}

// page reads what says that a list goes on elsewhere.
func (a *answer) page(name string) {
	if name == "continue" && a.String() != "" || name == "remainingItemCount" && a.Int() != 0 {
		a.Fault("is one page of a list that goes on: it has ", "")
	}
}

// element reads an element of a list.
func (a *answer) element(i item) {
	a.count++
	if a.Null() {
		a.Fault("has null instead of a pod at ", "")
		return
	}
	if !a.Object(itemNames, func(name string) { a.member(&i, name) }) {
		return
	}
	if i.stated {
		a.stated++
	}
	if i.kind != "" && i.kind != "Pod" {
		a.other = i.kind
		a.Fault(fmt.Sprintf("has a %.64q instead of a pod at ", i.kind), "")
		return
	}
	if i.container {
		i.UID = i.label
	} else if i.label != "" && i.UID != "" && i.label != i.UID {
		a.Fault("has a pod with two uids at ", "")
	}
	if i.container && !i.stated {
		a.Fault("has a container without a state at ", "")
	}
	if i.container && i.runs {
		a.running(&i, i.named)
	}
	if a.identified(&i) {
		a.add(&i)
	}
}

// identified says whether a uid tells which pod it is.
func (a *answer) identified(i *item) bool {
	odd := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }
	switch {
	case !strings.ContainsFunc(i.UID, odd) && i.UID != "":
		return true
	case strings.TrimFunc(i.UID, odd) != "":
		a.Fault("has a uid that is none at ", "")
	case i.container:
		a.Fault("has a container without the uid of its pod at ", "")
	default:
		a.Fault("has a pod without a uid at ", "")
	}
	return false
}

// member reads what an element has by this name.
func (a *answer) member(i *item, name string) {
	switch name {
	case "kind":
		i.kind = a.String()
	case "metadata":
		a.Object(metadataNames, func(name string) { a.metadata(i, name) })
	case "spec":
		a.Object(specNames, func(name string) { a.spec(i, name) })
	case "status":
		a.Object(statusNames, func(name string) { a.status(i, name) })
	case "id", "podSandboxId":
		_ = a.String()
	case "state":
		a.state(i)
	case "labels":
		a.Map(labelNames, func(name string) { a.labels(i, name) })
	case "annotations": // crictl's; an object of Kubernetes has them in its metadata
		a.Map(annotationNames, func(name string) {
			if s := a.String(); name == sourceAnnotation {
				i.source = s
			}
		})
	}
}

func (a *answer) metadata(i *item, name string) {
	switch name {
	case "name":
		if s := a.String(); i.container {
			i.named = s
		} else {
			i.Name = s
		}
	case "namespace":
		i.Namespace = a.String()
	case "uid":
		i.UID = a.String()
	case "creationTimestamp":
		i.Created = a.time()
	case "deletionTimestamp":
		i.Terminating = !a.time().IsZero()
	case "annotations":
		a.Map(annotationNames, func(name string) {
			if s := a.String(); name == mirrorAnnotation {
				i.StaticUID = s
			} else {
				i.source = s
			}
		})
	}
}

// time reads a time; null is the zero time.
func (a *answer) time() time.Time {
	s := a.String()
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		a.Fault("has ", ", which is no time")
	}
	return t.UTC()
}

func (a *answer) spec(i *item, name string) {
	switch name {
	case "nodeName":
		i.Node = a.String()
	case "terminationGracePeriodSeconds":
		i.Grace = a.Int()
	case "containers":
		i.idle = true
		a.Array(func(int) {
			i.idle = false
			a.has(i)
		})
	case "initContainers", "ephemeralContainers":
		i.lists = i.lists || a.List()
		a.Array(func(int) { a.has(i) })
	default:
		i.lists = i.lists || a.List()
		a.Skip()
	}
}

// has reads the name of a container in a pod's spec.
func (a *answer) has(i *item) {
	named := ""
	a.Object(containerNames[:1], func(string) { named = a.String() })
	if named == "" {
		a.Fault("has a container without a name at ", "")
		return
	}
	i.Containers = append(i.Containers, named)
}

// running adds a container that runs.
func (a *answer) running(i *item, named string) {
	if named == "" {
		a.Fault("has a container that runs without a name at ", "")
		return
	}
	i.Running = append(i.Running, named)
}

func (a *answer) status(i *item, name string) {
	if name != "phase" {
		a.Array(func(int) { a.containerStatus(i) })
		return
	}
	s := a.String()
	n := slices.Index(phases, s)
	if n < 0 && s != "" {
		a.Fault("has ", fmt.Sprintf(", which is no phase that is known: %.64q", s))
		return
	}
	if n >= 0 {
		i.Phase = phases[n]
	}
}

// containerStatus reads the status of a container, which has one of three states.
func (a *answer) containerStatus(i *item) {
	states, named, runs := 0, "", false
	a.Object(containerNames, func(name string) {
		if name == "name" {
			named = a.String()
			return
		}
		a.Object(stateNames, func(name string) {
			if a.Some() {
				states++
				runs = runs || name == "running"
			}
		})
	})
	if runs {
		a.running(i, named)
	}
	i.contained, i.runs = true, i.runs || runs
	if states != 1 {
		a.Fault("has a container with no state that is known, or with several, at ", "")
	}
}

// state reads a state of the CRI by its name, as crictl writes it.
func (a *answer) state(i *item) {
	known := sandboxStates
	if i.container {
		known = containerStates
	}
	state := a.String()
	if state == "" {
		return
	}
	i.stated = true
	if !slices.Contains(known, state) {
		a.Fault("has ", fmt.Sprintf(", which says of none of crictl's states whether it runs: %.64q", state))
		return
	}
	i.runs = state == "SANDBOX_READY" || state == "CONTAINER_RUNNING"
}

func (a *answer) labels(i *item, name string) {
	switch s := a.String(); {
	case name == uidLabel:
		i.label = s
	case !i.container:
	case name == nameLabel:
		i.Name = s
	default:
		i.Namespace = s
	}
}

// add keeps a pod, or adds to it what another of its sandboxes or containers says.
func (a *answer) add(i *item) {
	a.phased = a.phased || i.Phase != "" || i.Node != ""
	if i.source != "" && i.StaticUID == "" && !i.stated {
		a.copies++
	}
	i.Mirror = i.StaticUID != ""
	i.Static = !i.Mirror && (i.source == "file" || i.source == "http") || fileUID(i.UID)
	n, ok := a.at[i.UID]
	switch {
	case !ok && len(a.pods) >= a.most:
		a.Fault("has more pods than a node has: ", "")
		return
	case !ok:
		a.at[i.UID] = len(a.pods)
		a.pods, a.marks = append(a.pods, i.Pod), append(a.marks, i.mark)
		return
	}
	p, m := &a.pods[n], &a.marks[n]
	if !i.stated || !m.stated {
		a.Fault("has a pod twice, the second time at ", "")
	}
	m.runs = m.runs || i.runs
	p.Static = p.Static || i.Static
	p.Running = append(p.Running, i.Running...)
}

// check looks for what can be known only when all has been read.
func (a *answer) check() {
	switch {
	case a.items && a.containers:
		a.Fault("has both items and containers", "")
	case !a.listed && a.kind != "" && !a.items:
		a.Fault("has no items", "")
	case a.kind != "" && (a.containers || a.stated > 0):
		a.Fault(fmt.Sprintf("is a %s of what crictl lists", a.kind), "")
	case a.kind != "" && a.apiVersion != "" && a.apiVersion != "v1":
		a.Fault(fmt.Sprintf("is a list of another API, %.64q", a.apiVersion), "")
	case a.kind == "" && a.apiVersion != "":
		a.Fault("does not say which kind of list it is", "")
	}
	if a.what() == Sandboxes && a.stated < a.count {
		a.Fault(fmt.Sprintf("has pods without a state, %d of %d", a.count-a.stated, a.count), "")
	}
}

// dump makes the pods of what has been read.
func (a *answer) dump() Dump {
	d := Dump{Kind: a.what(), Pods: a.pods, Kubelets: a.copies*2 > a.count}
	if a.pods == nil {
		d.Pods = []Pod{}
	}
	for n := range a.pods {
		p, m := &a.pods[n], a.marks[n]
		switch d.Kind {
		case Listed:
			p.Runs = m.runs || !m.contained && p.Phase == "Running"
			if p.Phase == "" && !p.Static { // a kubelet may not have set that of a static pod yet
				a.Fault(fmt.Sprintf("has a pod without a phase, of uid %.64q", p.UID), "")
			}
		case Running:
			// Its containers are those that run: one without is a sandbox in which
			// nothing does (kubernetes v1.37 pkg/kubelet/container/runtime.go
			// ToAPIPod). The kubelet always writes the list, as null when it is empty,
			// and no other: where that is not so, what is listed runs.
			p.Runs = !m.idle || m.lists
			p.Containers, p.Running = nil, p.Containers
		default:
			p.Runs = m.runs
		}
	}
	return d
}

// what is the kind of the answer. In /runningpods no pod has a phase or a node: the
// kubelet makes up its objects from what the runtime tells (kubernetes v1.37
// pkg/kubelet/server/server.go getRunningPods).
func (a *answer) what() Kind {
	switch {
	case a.containers:
		return Containers
	case a.kind == "" && (a.stated > 0 || a.count == 0): // the API's lists say what they are
		return Sandboxes
	case a.count == 0:
		return Empty
	case !a.phased:
		return Running
	}
	return Listed
}

// fileUID says whether the uid is the hash of a static pod's file, which has no
// dashes, and not the API's (kubernetes v1.37 pkg/kubelet/config/common.go
// applyDefaults).
func fileUID(uid string) bool {
	return len(uid) == 32 && strings.Trim(uid, "0123456789abcdef") == ""
}
