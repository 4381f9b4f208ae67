// Package manifest turns a stored object into a document that can be applied again.
//
// It takes an object as it was decoded. It returns a document that an API server
// accepts as a new object: without what the server, its controllers and kubelets
// write themselves, and without what binds the object to others that are gone. What
// was left out is listed with the reason, and so is what a person must see to before
// the document is applied.
//
// It refuses objects that could not be decoded, objects that are recreated automatically,
// such as mirror pods and the endpoints of a Service, and Secrets unless their content is
// requested.
//
// What an API server sets or refuses was read in kubernetes v1.37: pkg/registry
// (strategy.go of each resource), apiserver pkg/registry/rest (meta.go, create.go)
// and plugin/pkg/admission (priority, runtimeclass, serviceaccount).
package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/kube"
)

// Errors that say why there is no manifest. They come wrapped, or alone.
var (
	ErrSecret = errors.New("it is a Secret, and what it holds was not asked for")
	ErrRemade = errors.New("it is made again")
)

// Options says what a manifest keeps.
type Options struct {
	// Raw keeps everything as it is stored.
	Raw bool
	// KeepOwners keeps all owner references, those to objects that are gone included.
	KeepOwners bool
	// Exists says whether an owner is still there; nil for none is.
	Exists func(Owner) bool
	// ShowSecrets makes manifests of Secrets.
	ShowSecrets bool
}

// Owner is what an owner reference names.
type Owner struct{ APIVersion, Kind, Name, UID string }

// Manifest is an object as it can be applied.
type Manifest struct {
	Document map[string]any // in the types of encoding/json, with numbers as json.Number
	Dropped  []Dropped      // from the stored object, in the order of the rules
	Notes    []string       // what to see to before it is applied
}

// Dropped is a field of the stored object that the manifest does not have.
type Dropped struct {
	Path string // such as spec.nodeName, or metadata.finalizers[kubernetes.io/pvc-protection]
	Why  string
}

// Of makes the manifest of an object. The object is not changed.
func Of(o *kube.Object, opts Options) (*Manifest, error) {
	if o.Secret() && !opts.ShowSecrets {
		return nil, ErrSecret
	}
	var loss *kube.LossError
	if o.Problem != nil && !errors.As(o.Problem, &loss) {
		return nil, o.Problem
	}
	if o.Typed == nil && o.Unstructured == nil {
		return nil, errors.New("it could not be decoded")
	}
	if !opts.Raw {
		var err error
		if o, err = o.Served(); err != nil {
			return nil, err
		}
	}
	document := o.Document(kube.PrintOptions{ShowSecrets: opts.ShowSecrets})
	if problem, ok := document["problem"].(string); ok && document["metadata"] == nil {
		return nil, errors.New(problem) // too large to be printed field by field
	}
	m := &Manifest{Document: copied(document).(map[string]any)}
	if loss != nil {
		m.note("The object was not decoded as a whole: %v.", loss)
	}
	if opts.Raw {
		return m, nil
	}
	if builtIn(o) {
		for _, r := range remade {
			if v, there := m.at("metadata", r.in)[r.name]; there && r.kind == o.Kind && (r.value == "" || v == r.value) {
				return nil, fmt.Errorf("%w: %s", ErrRemade, r.by)
			}
		}
		if o.Kind == "ConfigMap" && o.Name == "kube-root-ca.crt" {
			return nil, fmt.Errorf("%w: every namespace gets one", ErrRemade)
		}
	}
	m.common(o, opts)
	if builtIn(o) {
		for _, r := range rules {
			if r.kind == o.Kind {
				m.drop(r.why, strings.Split(r.path, ".")...)
			}
		}
		if special := specials[o.Kind]; special != nil {
			special(m)
		}
	}
	if l, ok := kube.LifecycleOf(o.APIVersion, o.Kind); ok && l.Removed > 0 {
		m.note("API servers from 1.%d on do not serve %s in %s.", l.Removed, o.Kind, o.APIVersion)
	}
	m.prune()
	return m, nil
}

// copied is a copy of maps and lists; what they end in is shared.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, item := range v {
			m[name] = copied(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = copied(item)
		}
		return list
	}
	return v
}

// builtIn says whether the kind is one of Kubernetes' own, whose fields are known.
func builtIn(o *kube.Object) bool {
	_, ok := kube.LifecycleOf(o.APIVersion, o.Kind)
	return ok || o.Typed != nil
}

// The reasons that several fields share.
const (
	byServer     = "set by the API server"
	byController = "set by controllers"
	byAdmission  = "set by admission"
	deleted      = "the object was being deleted"
)

// common drops what every object has.
func (m *Manifest) common(o *kube.Object, opts Options) {
	for _, name := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields"} {
		m.drop(byServer, "metadata", name)
	}
	for _, name := range []string{"deletionTimestamp", "deletionGracePeriodSeconds"} {
		m.drop(deleted, "metadata", name)
	}
	m.drop("kubectl apply writes it", "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
	if builtIn(o) {
		m.drop(byController, "status")
	}
	m.keep("metadata.finalizers", byController, m.at("metadata"), "finalizers", func(f any) (string, bool) {
		name, _ := f.(string)
		return name, !slices.Contains(ownFinalizers, name)
	})
	if left, _ := m.at("metadata")["finalizers"].([]any); len(left) > 0 {
		m.note("Its finalizers are kept: unless what handles them runs, the object cannot be deleted.")
	}
	if opts.KeepOwners {
		return
	}
	m.keep("metadata.ownerReferences", "the owner is gone: the garbage collector would delete the object", m.at("metadata"), "ownerReferences", func(r any) (string, bool) {
		ref, _ := r.(map[string]any)
		text := func(name string) string { s, _ := ref[name].(string); return s }
		owner := Owner{text("apiVersion"), text("kind"), text("name"), text("uid")}
		return owner.Kind + "/" + owner.Name, opts.Exists != nil && opts.Exists(owner)
	})
}

// ownFinalizers are those that Kubernetes sets again where they are needed.
var ownFinalizers = []string{
	"foregroundDeletion", "orphan", "kubernetes",
	"kubernetes.io/pvc-protection", "kubernetes.io/pv-protection", "kubernetes.io/pv-controller", "external-provisioner.volume.kubernetes.io/finalizer",
	"batch.kubernetes.io/job-tracking", "service.kubernetes.io/load-balancer-cleanup",
	"snapshot.storage.kubernetes.io/volumesnapshot-bound-protection", "customresourcecleanup.apiextensions.k8s.io",
	"resource.kubernetes.io/delete-protection",
}

// at is the map below a path, nil where there is none: nothing can be deleted from
// that, and nothing found in it.
func (m *Manifest) at(path ...string) map[string]any {
	doc := m.Document
	for _, name := range path {
		doc, _ = doc[name].(map[string]any)
	}
	return doc
}

// drop removes a field, and notes that it was there.
func (m *Manifest) drop(why string, path ...string) {
	last := len(path) - 1
	parent := m.at(path[:last]...)
	if _, there := parent[path[last]]; !there {
		return
	}
	delete(parent, path[last])
	m.Dropped = append(m.Dropped, Dropped{strings.Join(path, "."), why})
}

// keep removes those elements of a list that are not to be kept. name is what stands
// for an element in the path.
func (m *Manifest) keep(path, why string, parent map[string]any, field string, keep func(any) (name string, ok bool)) {
	list, ok := parent[field].([]any)
	if !ok {
		return
	}
	var kept []any
	for _, element := range list {
		name, ok := keep(element)
		if ok {
			kept = append(kept, element)
			continue
		}
		m.Dropped = append(m.Dropped, Dropped{path + "[" + name + "]", why})
	}
	if len(kept) == 0 {
		delete(parent, field)
		return
	}
	parent[field] = kept
}

func (m *Manifest) note(format string, args ...any) {
	m.Notes = append(m.Notes, fmt.Sprintf(format, args...))
}

// prune removes maps of the metadata that dropping has left empty.
func (m *Manifest) prune() {
	metadata := m.at("metadata")
	for _, name := range []string{"annotations", "labels"} {
		if sub, ok := metadata[name].(map[string]any); ok && len(sub) == 0 {
			delete(metadata, name)
		}
	}
}
