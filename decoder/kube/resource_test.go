package kube

import (
	"slices"
	"strings"
	"testing"
)

// notStored are kinds that the API takes or gives but never stores under a key
// of their own resource.
var notStored = []string{
	"Binding", "ComponentStatus", "DeploymentRollback", "RangeAllocation", "Scale", "SerializedReference",
	"LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectReview", "SelfSubjectRulesReview",
	"SubjectAccessReview", "TokenRequest", "TokenReview",
}

func TestResourcesAreTheSchemes(t *testing.T) {
	table := map[string]string{} // group/kind to resource
	for _, r := range Resources() {
		for _, group := range r.Groups {
			table[group+"/"+r.Kind] = r.Name
		}
	}
	known := map[string]bool{}
	for gvk, typ := range types().AllKnownTypes() {
		_, hasMeta := typ.FieldByName("ObjectMeta")
		if gvk.Version == "__internal" || !hasMeta || slices.Contains(notStored, gvk.Kind) {
			continue
		}
		name := gvk.Group + "/" + gvk.Kind
		known[name] = true
		if _, ok := table[name]; !ok && name != "policy/Eviction" { // a subresource of pods
			t.Errorf("%s is in no resource", name)
		}
	}
	for name, resource := range table {
		old := resource == "podsecuritypolicies" // gone from k8s.io/api
		if !known[name] && !old && !strings.Contains(name, "openshift.io/") {
			t.Errorf("%s: no type %s", resource, name)
		}
	}
}

func TestResourceNamesAreUnambiguous(t *testing.T) {
	words, paths := map[string]string{}, map[string]string{}
	for _, r := range Resources() {
		if other, ok := paths[r.keyPath()]; ok {
			t.Errorf("path %s: %s and %s", r.keyPath(), other, r.Name)
		}
		paths[r.keyPath()] = r.Name
		for _, word := range append([]string{r.Name, r.Singular()}, r.ShortNames...) {
			if other, ok := words[word]; ok && other != r.Name {
				t.Errorf("%s: %s and %s", word, other, r.Name)
			}
			words[word] = r.Name
		}
	}
}

func TestLookupResource(t *testing.T) {
	tests := []struct {
		word string
		want string // "" for none
	}{
		{"po", "pods"},
		{"pod", "pods"},
		{"pods", "pods"},
		{"Pod", "pods"},
		{"no", "nodes"},
		{"svc", "services"},
		{"ep", "endpoints"},
		{"endpoints", "endpoints"},
		{"ing", "ingresses"},
		{"ingress", "ingresses"},
		{"deploy", "deployments"},
		{"deployments.apps", "deployments"},
		{"deployments.extensions", "deployments"},
		{"deployments.batch", ""},
		{"events.events.k8s.io", "events"},
		{"crds", "customresourcedefinitions"},
		{"pods.", "pods"}, // the core group, spelled out
		{"minions", ""},
		{"widgets.lab.example.com", ""},
		{"", ""},
		{".", ""},
	}
	for _, tt := range tests {
		t.Run(tt.word, func(t *testing.T) {
			r, ok := LookupResource(tt.word)
			if r.Name != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v", r.Name, ok)
			}
		})
	}
}
