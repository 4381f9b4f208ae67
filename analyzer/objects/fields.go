package objects

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/fields"

	"revenant/analyzer/resources"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
)

// fieldSets are the fields beside metadata.name and metadata.namespace by which API
// servers select objects of a resource (kubernetes v1.37: AddFieldLabelConversionFunc in
// pkg/apis, and the SelectableFields of pkg/registry, which give no pod status.podIPs).
var fieldSets = map[string]map[string]field{
	"pods": {
		"spec.nodeName": {}, "spec.restartPolicy": {}, "spec.schedulerName": {}, "spec.serviceAccountName": {}, "spec.hostNetwork": {unset: "false"},
		"spec.host":    {path: "spec.nodeName"},
		"status.phase": {}, "status.podIP": {}, "status.podIPs": {path: "-"}, "status.nominatedNodeName": {},
	},
	"events": {
		"involvedObject.kind": {}, "involvedObject.namespace": {}, "involvedObject.name": {}, "involvedObject.uid": {}, "involvedObject.apiVersion": {},
		"involvedObject.resourceVersion": {}, "involvedObject.fieldPath": {}, "reason": {}, "reportingComponent": {},
		"source": {path: "source.component", or: "reportingComponent"}, "type": {},
	},
	"nodes":                      {"spec.unschedulable": {unset: "false"}},
	"namespaces":                 {"status.phase": {}},
	"secrets":                    {"type": {}},
	"services":                   {"spec.clusterIP": {}, "spec.type": {}},
	"jobs":                       {"status.successful": {path: "status.succeeded", unset: "0"}},
	"replicationcontrollers":     {"status.replicas": {unset: "0"}},
	"certificatesigningrequests": {"spec.signerName": {}},
	"clustertrustbundles":        {"spec.signerName": {}},
	"podcertificaterequests":     {"spec.signerName": {}, "spec.podName": {}, "spec.nodeName": {}},
	"resourceslices":             {"spec.nodeName": {}, "spec.driver": {}, "spec.pool.name": {}},
}

// nameOnly are resources whose objects are not selected by metadata.namespace, as the
// same functions say.
var nameOnly = []string{"nodes", "namespaces", "certificatesigningrequests", "clustertrustbundles", "podcertificaterequests", "resourceslices"}

// field is where a selectable field is in the object.
type field struct {
	path  string // "" for the path that is its name
	or    string // the path that counts where that has nothing
	unset string // what it is where the object does not say
}

// FieldError says that objects of a resource are not selected by a field.
type FieldError struct {
	Field, Resource string
	Known           []string // fields that they are selected by
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("%s are not selected by the field %q", e.Resource, e.Field)
}

// fieldOf is a field by which objects of a resource are selected.
func fieldOf(r *resources.Resource, name string) (f field, ok bool) {
	switch {
	case name == "metadata.name":
		return f, true
	case name == "metadata.namespace" && r.Custom:
		return f, r.Namespaced
	case name == "metadata.namespace":
		return f, !slices.Contains(nameOnly, r.Name)
	case r.Custom:
		return f, slices.Contains(r.Fields, name)
	}
	f, ok = fieldSets[r.Name][name]
	return f, ok
}

// checkFields says whether all fields of the selector are known for a resource.
func checkFields(selector fields.Selector, r *resources.Resource) error {
	for _, want := range selector.Requirements() {
		if _, ok := fieldOf(r, want.Field); ok {
			continue
		}
		known := []string{"metadata.name"}
		if _, ok := fieldOf(r, "metadata.namespace"); ok {
			known = append(known, "metadata.namespace")
		}
		more := r.Fields
		if !r.Custom {
			more = slices.Collect(maps.Keys(fieldSets[r.Name]))
		}
		return &FieldError{want.Field, r.FullName(), append(known, slices.Sorted(slices.Values(more))...)}
	}
	return nil
}

// matchesFields says whether an object matches the field selector. The error says that it
// cannot be decoded, where more than its name and namespace is asked for.
func (q *Query) matchesFields(s *State, o *Object) (bool, error) {
	if q.Fields == nil || q.Fields.Empty() {
		return true, nil
	}
	set := fields.Set{"metadata.name": o.Key.Name, "metadata.namespace": o.Key.Namespace}
	var document map[string]any
	for _, want := range q.Fields.Requirements() {
		if o.Resource == nil {
			break // of a definition that is gone
		}
		f, ok := fieldOf(o.Resource, want.Field)
		if !ok || set.Has(want.Field) {
			continue
		}
		if document == nil {
			value, err := s.Snapshot.Value(o.Record)
			if err != nil {
				return false, err
			}
			decoded := kube.Decode(keyspace.DecodeKey(s.Prefix, o.Record.Key), value)
			if decoded.Typed == nil && decoded.Unstructured == nil {
				return false, decoded.Problem
			}
			document = decoded.Document(kube.PrintOptions{})
		}
		set[want.Field] = cmp.Or(text(document, cmp.Or(f.path, want.Field)), text(document, f.or), f.unset)
	}
	return q.Fields.Matches(set), nil
}

// text is a field of a document as a selector has it.
func text(document map[string]any, path string) string {
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		document, _ = document[name].(map[string]any)
	}
	switch v := document[names[len(names)-1]].(type) {
	case string:
		return v
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		return v.String()
	}
	return ""
}
