// Package kubelet reads what a node reports about its pods.
//
// It takes one answer, as JSON: the kubelet's /pods or /runningpods, the output of
// `crictl pods -o json` or `crictl ps -o json`, or that of `kubectl get pods -A -o
// json`, which shows what the API has. The content determines which of them it is,
// unless a list is empty. It returns a Dump of pods. An answer is read as a stream:
// only the needed fields of its pods are kept.
//
// It refuses answers that are none of these, naming what they look like, and broken
// JSON, with the offset. Anything that could hide a running pod marks the answer as
// partly unread: a pod without a uid, an unknown state or phase, a name that occurs
// twice or in different case, one page of a list. Unneeded fields are skipped, so
// later versions may add some.
package kubelet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"revenant/internal/strictjson"
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

// Runtime says whether the answer is the container runtime's: what it lists as
// running runs, and nothing else does.
func (k Kind) Runtime() bool { return k == Running || k == Sandboxes || k == Containers }

// Dump is one answer.
type Dump struct {
	Kind Kind
	Pods []Pod // one a uid
	// Kubelets says that the pods are marked as kubelets do in their own copies:
	// the API's have no such mark.
	Kubelets bool
	// Unread says why the answer was not read in full, as a predicate. Other pods
	// than these may run, too. "" when it was.
	Unread string
}

// Pod is what a dump says of a pod.
type Pod struct {
	Namespace, Name, UID string
	Node                 string // spec.nodeName, "" where the dump does not show it
	Phase                string
	Created              time.Time // zero where the dump does not show it
	Terminating          bool
	Static               bool   // from a file on the node, not from the API
	Mirror               bool   // the API's mirror of a static pod
	StaticUID            string // of the static pod that a mirror stands for
	Runs                 bool   // as far as this dump knows
	Grace                int64  // terminationGracePeriodSeconds; 0 where the dump does not show it

	// Containers are the names of those that its spec has, init and ephemeral ones
	// included; Running of those that run. nil where the dump does not show it.
	Containers, Running []string
}

// UnreadError says why an answer was not read in full.
type UnreadError struct{ Faults []string }

func (e *UnreadError) Error() string { return strings.Join(e.Faults, "; ") }

// RefusedError says why something is no answer at all, as a predicate.
type RefusedError struct{ Reason error }

func (e *RefusedError) Error() string { return e.Reason.Error() }

func (e *RefusedError) Unwrap() error { return e.Reason }

// OnNode is more pods than a node has, those included that have ended: a kubelet takes
// 110 unless it is configured otherwise.
const OnNode = 20_000

// Parse reads an answer that is in memory, as Read does, of any number of pods.
func Parse(data []byte) (Dump, error) { return Read(bytes.NewReader(data), math.MaxInt) }

// Read reads an answer of at most so many pods. When it is none, the error is a
// RefusedError; when it cannot be read in full, it is an UnreadError and the dump has
// what was read.
func Read(in io.Reader, most int) (Dump, error) {
	a := &answer{Reader: strictjson.NewReader(in, "list of pods"), most: most, at: map[string]int{}}
	if err := a.read(); err != nil {
		if errors.Unwrap(err) != nil { // reading failed
			return Dump{}, err
		}
		return Dump{}, &RefusedError{err}
	}
	d := a.dump()
	if faults := a.Faults(); len(faults) > 0 {
		err := &UnreadError{faults}
		d.Unread = err.Error()
		return d, err
	}
	return d, nil
}

// refusal says why the document is no answer at all, nil when it is one.
func (a *answer) refusal(object bool) error {
	list := a.kind == "PodList" || a.kind == "List"
	switch {
	case a.Err() != nil:
		return a.Err()
	case !object && len(a.Faults()) > 0:
		return errors.New(a.Faults()[0])
	case a.kind != "" && !list && (a.items || a.containers):
		return fmt.Errorf("is no list of pods but a %s", a.kind)
	case a.kind != "" && !list:
		return fmt.Errorf("is JSON but no list of pods but a %s", a.kind)
	case !list && !a.listed && len(a.Faults()) == 0:
		return errors.New("is JSON but no list of pods")
	case a.kind == "List" && a.other != "":
		return fmt.Errorf("is a list of other objects than pods: it has a %s", a.other)
	}
	return nil
}
