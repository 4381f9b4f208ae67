package kube

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
)

// Newest is the object as the type of its kind in the newest version. An object that
// is stored in another version is taken over field by field, by their names in JSON,
// which are the same in all versions that were ever stored but for those in renamed. A
// field that the newest version lacks is left out.
//
// The error is the object's Problem where there is no type, or says that it is of none.
func (o *Object) Newest() (runtime.Object, error) {
	t := newestType(o.APIVersion, o.Kind)
	switch {
	case o.Typed != nil && (t == nil || t == reflect.TypeOf(o.Typed).Elem()):
		return o.Typed, nil
	case o.Typed != nil || o.Unstructured != nil && t != nil && oldKind(o.APIVersion, o.Kind) != nil:
	case o.Problem != nil:
		return nil, o.Problem
	default:
		return nil, fmt.Errorf("%w: %q of %q", ErrWrongKind, o.Kind, o.APIVersion)
	}
	obj := reflect.New(t).Interface().(runtime.Object)
	if err := o.convert(obj); err != nil {
		return nil, fmt.Errorf("read %s %s: %w", o.APIVersion, o.Kind, err)
	}
	return obj, nil
}

// As is the object as a T, a pointer to the type of its kind in the newest version. Its
// errors are those of Newest, and ErrWrongKind.
func As[T runtime.Object](o *Object) (T, error) {
	obj, err := o.Newest()
	typed, ok := obj.(T)
	if err == nil && !ok {
		err = fmt.Errorf("%w: %q of %q", ErrWrongKind, o.Kind, o.APIVersion)
	}
	return typed, err
}

// newestType is the Go type of a built-in resource's kind, which a version of its group
// names, in its newest version; nil for none.
func newestType(apiVersion, kind string) reflect.Type {
	r := byKind[kind]
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		group = ""
	}
	if r == nil || !slices.Contains(r.Groups, group) {
		return nil
	}
	return newestTypes()[kind]
}

var byKind = indexBy(func(r Resource) []string { return []string{r.Kind} })

// newestTypes are the types of built-in resources by kind.
var newestTypes = sync.OnceValue(func() map[string]reflect.Type {
	list, versions := map[string]reflect.Type{}, map[string]string{}
	for gvk, t := range types().AllKnownTypes() {
		r := byKind[gvk.Kind]
		if r == nil || gvk.Group != r.Group() || gvk.Version == runtime.APIVersionInternal {
			continue
		}
		if v, ok := versions[gvk.Kind]; !ok || version.CompareKubeAwareVersionStrings(gvk.Version, v) > 0 {
			list[gvk.Kind], versions[gvk.Kind] = t, gvk.Version
		}
	}
	return list
})

// convert reads the object into a type of its kind by the names in JSON.
func (o *Object) convert(to any) error {
	content := o.Unstructured
	if content == nil {
		text, err := json.Marshal(o.Typed)
		if err != nil {
			return err
		}
		if content, _, err = parseObject(text); err != nil {
			return err
		}
	}
	for _, r := range renamed[o.Kind] {
		content = rename(content, r.from, r.to)
	}
	if typedSize(content, false) > maxTyped {
		return errTooLarge
	}
	for name, part := range content {
		if name != "metadata" && !sensibleQuantities(part) {
			return errQuantity
		}
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return guard(func() error { return json.Unmarshal(text, to) })
}

// renamed are the fields that older versions of a kind call something else, with the
// name of the newest version. Values are of the same type.
var renamed = map[string][]struct{ from, to []string }{
	// networking.k8s.io/v1beta1 and extensions/v1beta1
	"Ingress": {{[]string{"spec", "backend"}, []string{"spec", "defaultBackend"}}},
	// flowcontrol.apiserver.k8s.io/v1alpha1 to v1beta2
	"PriorityLevelConfiguration": {{[]string{"spec", "limited", "assuredConcurrencyShares"}, []string{"spec", "limited", "nominalConcurrencyShares"}}},
	// node.k8s.io/v1alpha1
	"RuntimeClass": {{[]string{"spec", "runtimeHandler"}, []string{"handler"}}},
}

// rename copies what it changes of content.
func rename(content map[string]any, from, to []string) map[string]any {
	value, ok := lookUp(content, from)
	if !ok {
		return content
	}
	return withValue(content, to, value)
}

func lookUp(content map[string]any, path []string) (any, bool) {
	for _, name := range path[:len(path)-1] {
		content, _ = content[name].(map[string]any)
	}
	v, ok := content[path[len(path)-1]]
	return v, ok
}

func withValue(content map[string]any, path []string, value any) map[string]any {
	copied := make(map[string]any, len(content)+1)
	for name, v := range content {
		copied[name] = v
	}
	if len(path) == 1 {
		copied[path[0]] = value
		return copied
	}
	inner, _ := content[path[0]].(map[string]any)
	copied[path[0]] = withValue(inner, path[1:], value)
	return copied
}
