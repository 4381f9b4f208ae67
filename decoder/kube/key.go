package kube

import "strings"

// DefaultPrefix is where a kube-apiserver keeps its keys unless --etcd-prefix
// says otherwise. OpenShift has two: /kubernetes.io and /openshift.io.
const DefaultPrefix = "/registry"

// Key names an object as its etcd key does.
type Key struct {
	Group     string // API group; "" for the core group and where the key does not show it
	Resource  string // plural: nodes, although their keys say minions
	Namespace string // "" for cluster-scoped objects
	Name      string
}

// ParseKey reads an etcd key below prefix, which is the API server's
// --etcd-prefix with or without slashes around it ("" is the root), or several with
// commas between them.
//
// Three layouts are known: those of the built-in resources, which have no group
// but in a few cases a path of their own; <group>/<plural>[/<namespace>]/<name>
// of custom resources, recognized by the dot in the group; and, for built-in resources
// that are not known here, <plural>[/<namespace>]/<name>. For those the Group is
// unknown.
//
// ok is false for keys that hold no API object: those outside of the prefix
// (compact_rev_key, the empty key of a bump marker, other users of the same
// etcd), API server leases and allocators (masterleases, peerserverleases,
// ranges), and keys of no such layout. Then k means nothing.
func ParseKey(prefix, key string) (k Key, ok bool) {
	if strings.IndexByte(prefix, ',') >= 0 {
		one, below := prefixOf(prefix, key)
		if !below {
			return Key{}, false
		}
		k, ok = ParseKey(one, key)
		return k, ok && k.home(prefix) == one // else nothing would lead back
	}
	below, ok := strings.CutPrefix(key, root(prefix))
	if !ok {
		return Key{}, false
	}
	k, ok = parseBelow(below)
	if ok && k.Group == "" && underOpenShift(prefix) {
		k.Group = openShift[k.Resource]
	}
	return k, ok
}

// parseBelow reads what follows the prefix.
func parseBelow(below string) (k Key, ok bool) {
	first, rest, _ := strings.Cut(below, "/")
	if r, ok := byPath[first]; ok {
		return r.key(rest)
	}
	second, last, _ := strings.Cut(rest, "/")
	if n := len(first) + len("/") + len(second); n <= len(below) {
		if r, ok := byPath[below[:n]]; ok {
			return r.key(last)
		}
	}
	switch {
	case first == "masterleases" || first == "peerserverleases" || first == "ranges":
		return Key{}, false
	case strings.Contains(first, "."):
		k.Group, k.Resource, rest = first, second, last
	default:
		k.Resource = first
	}
	if !isSegment(k.Resource) || builtInResource(k.Group, k.Resource) != nil {
		return Key{}, false // a built-in resource has its own place
	}
	namespace, name, found := strings.Cut(rest, "/")
	if !found {
		k.Name = namespace
		return k, isSegment(k.Name)
	}
	k.Namespace, k.Name = namespace, name
	return k, isSegment(namespace) && isSegment(name)
}

// key reads what follows the path of the resource.
func (r *Resource) key(rest string) (Key, bool) {
	k := Key{Group: r.Group(), Resource: r.Name, Name: rest}
	if !r.Namespaced {
		return k, isSegment(rest)
	}
	k.Namespace, k.Name, _ = strings.Cut(rest, "/")
	return k, isSegment(k.Namespace) && isSegment(k.Name)
}

// isSegment says whether s can be a namespace, a name or a resource in a key
// (apimachinery pkg/api/validation/path IsValidPathSegmentName).
func isSegment(s string) bool {
	return s != "" && s != "." && s != ".." && strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, '%') < 0
}

// Path is the etcd key of the object: the reverse of ParseKey. Without a Name
// it is what all keys of the resource start with, in the Namespace if there is
// one, ending in a slash.
func (k Key) Path(prefix string) string {
	var b strings.Builder
	prefix = k.home(prefix)
	b.WriteString(root(prefix))
	if r := builtInResource(k.Group, k.Resource); r != nil {
		b.WriteString(r.keyPath())
	} else {
		if k.Group != "" && !(underOpenShift(prefix) && k.ofOpenShift()) {
			b.WriteString(k.Group + "/")
		}
		b.WriteString(k.Resource)
	}
	b.WriteByte('/')
	if k.Namespace != "" {
		b.WriteString(k.Namespace + "/")
	}
	b.WriteString(k.Name)
	return b.String()
}

// Type finds the built-in resource that k is of.
func (k Key) Type() (Resource, bool) {
	r := builtInResource(k.Group, k.Resource)
	if r == nil {
		return Resource{}, false
	}
	return *r, true
}

// Plural names the resource: a built-in one by its plural, which is unique, one of
// a CustomResourceDefinition with its group, too.
func (k Key) Plural() string {
	if k.Group == "" || builtInResource(k.Group, k.Resource) != nil {
		return k.Resource
	}
	return k.Resource + "." + k.Group
}

// GroupResource is the resource with its group, where the group is one of a domain.
func (k Key) GroupResource() string {
	if strings.Contains(k.Group, ".") {
		return k.Resource + "." + k.Group
	}
	return k.Resource
}

// PodKey is the etcd key of a pod.
func PodKey(prefix, namespace, name string) string {
	return Key{Resource: "pods", Namespace: namespace, Name: name}.Path(prefix)
}
