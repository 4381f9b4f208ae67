package kube

import (
	"path"
	"strings"
)

// A prefix is the --etcd-prefix of an API server. Where several API servers share
// an etcd, it is all of theirs with commas between them, the kube-apiserver's
// first: "/kubernetes.io,/openshift.io".

// JoinPrefixes makes one prefix of several.
func JoinPrefixes(list ...string) string { return strings.Join(list, ",") }

// SplitPrefixes are the prefixes that a prefix stands for.
func SplitPrefixes(prefix string) []string { return strings.Split(prefix, ",") }

// FirstPrefix is the kube-apiserver's.
func FirstPrefix(prefix string) string {
	first, _, _ := strings.Cut(prefix, ",")
	return first
}

// root is one prefix with one slash at each end, as the API server writes it
// (apiserver v0.37 pkg/storage/etcd3/store.go New).
func root(prefix string) string {
	if prefix == DefaultPrefix {
		return DefaultPrefix + "/"
	}
	if prefix = path.Join("/", prefix); prefix == "/" {
		return prefix
	}
	return prefix + "/"
}

// SamePrefix says whether two prefixes are one, written in two ways.
func SamePrefix(a, b string) bool { return root(a) == root(b) }

// Roots are what all keys below a prefix begin with.
func Roots(prefix string) []string {
	list := SplitPrefixes(prefix)
	for i := range list {
		list[i] = root(list[i])
	}
	return list
}

// CutPrefix is what follows the prefix in a key; ok is false when it is below none.
func CutPrefix(prefix, key string) (below string, ok bool) {
	one, ok := prefixOf(prefix, key)
	if !ok {
		return "", false
	}
	return key[len(root(one)):], true
}

// prefixOf finds the prefix that a key is below: the longest of several.
func prefixOf(prefix, key string) (found string, ok bool) {
	longest := -1
	for more := true; more; {
		var one string
		one, prefix, more = strings.Cut(prefix, ",")
		if r := root(one); len(r) > longest && strings.HasPrefix(key, r) {
			found, longest, ok = one, len(r), true
		}
	}
	return found, ok
}

// home is the prefix that keys of k's resource are below: one that ends in the
// resource's group, as an aggregated API server's does; /openshift.io for what
// OpenShift's API servers store; else the first.
func (k Key) home(prefix string) string {
	if strings.IndexByte(prefix, ',') < 0 {
		return prefix
	}
	first := FirstPrefix(prefix)
	if k.Group == "" {
		return first
	}
	openShift := k.ofOpenShift()
	for _, one := range SplitPrefixes(prefix) {
		if last := path.Base(one); last == k.Group || openShift && last == openShiftPrefix {
			return one
		}
	}
	return first
}

// openShiftPrefix is the last part of the prefix of OpenShift's own API servers.
const openShiftPrefix = "openshift.io"

// underOpenShift says whether a prefix is that of OpenShift's own API servers.
func underOpenShift(prefix string) bool { return path.Base(prefix) == openShiftPrefix }

// openShift lists what OpenShift's API servers store, by plural, with the group that
// their keys leave out (openshift/openshift-apiserver pkg/cmd/openshift-apiserver,
// openshift/oauth-apiserver). What has a path of its own is in builtIn. Elsewhere
// the same groups may be of CustomResourceDefinitions, as on MicroShift.
var openShift = map[string]string{
	"brokertemplateinstances": "template.openshift.io",
	"buildconfigs":            "build.openshift.io",
	"builds":                  "build.openshift.io",
	"deploymentconfigs":       "apps.openshift.io",
	"groups":                  "user.openshift.io",
	"images":                  "image.openshift.io",
	"imagestreams":            "image.openshift.io",
	"rangeallocations":        "security.openshift.io",
	"routes":                  "route.openshift.io",
	"templateinstances":       "template.openshift.io",
	"templates":               "template.openshift.io",
	"users":                   "user.openshift.io",
}

// ofOpenShift says whether OpenShift's own API servers store the resource.
func (k Key) ofOpenShift() bool {
	if group, ok := openShift[k.Resource]; ok {
		return group == k.Group
	}
	return strings.HasSuffix(k.Group, "."+openShiftPrefix) && builtInResource(k.Group, k.Resource) != nil
}

// OpenShift says whether a key of the resource is below the prefix of OpenShift's own
// API servers: then it is of no CustomResourceDefinition.
func (k Key) OpenShift(prefix string) bool { return underOpenShift(k.home(prefix)) && k.ofOpenShift() }
