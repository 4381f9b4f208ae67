package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"revenant/analyzer/atrest"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

func (r *run) prefixes() result {
	read := strings.Join(kube.SplitPrefixes(r.Prefix), ", ")
	if list := r.Backup.Others; len(list) > 0 {
		return warn("objects are read below %s; there are others below %s, of which nothing is checked", read, strings.Join(list, ", ")).
			doing("Check those as well, with --etcd-prefix=%s.", kube.FirstPrefix(list[0]))
	}
	if len(r.Backup.State.Nodes)+len(r.Backup.State.Pods) == 0 && r.doubt == "" {
		return warn("there is no node and no pod below %s: this is not the etcd of a kube-apiserver, or not the whole of it", read)
	}
	return pass("all objects are below %s, and are read", read)
}

// objects looks for values that no API server decodes.
func (r *run) objects() result {
	var p points
	total, hidden := 0, 0
	for i := range r.stored {
		v := &r.stored[i]
		total += v.Count
		switch {
		case v.Encrypted:
			hidden += v.Count
		case v.Problem != "":
			p.add(Fail, nil, "%s of %s, such as %s: %s", words.Count(v.Count, "value"), name(v), v.Example, v.Problem)
		}
	}
	if total == 0 {
		return unknown("there is no object to look at")
	}
	text := fmt.Sprintf("%s and metadata decode", words.CountOf(total-hidden, "object's type", "objects' types"))
	if hidden > 0 {
		text += fmt.Sprintf("; %s encrypted, which another check is for", words.CountOf(hidden, "value is", "values are"))
	}
	return p.result(pass("%s", text))
}

// name is the resource of what is stored.
func name(v *atrest.Stored) string {
	return kube.Key{Group: v.Group, Resource: v.Resource}.GroupResource()
}

// encryption holds what encrypted the stored values against the configuration of the API
// server that will read them.
func (r *run) encryption() result {
	var needed []string
	for _, k := range atrest.Keys(r.encrypted) {
		if k.Provider != atrest.Identity {
			needed = append(needed, k.By())
		}
	}
	switch {
	case r.Keys == nil && len(needed) == 0:
		return pass("nothing is encrypted: no configuration is needed, and one has to have the provider identity")
	case r.Keys == nil:
		return unknown("these are needed, and no configuration was given: %s", words.First(needed, mostPoints)).
			doing("Give the API server's configuration: --encryption-config FILE.")
	}
	var p points
	for i := range r.encrypted {
		v := &r.encrypted[i]
		what := fmt.Sprintf("%s of %s by %s", words.Count(v.Count, "value"), v.Resource, v.By())
		switch v.Fit {
		case atrest.Fits:
		case atrest.Plugin:
			p.add(Unknown, nil, "%s: the configuration names it, and whether the plugin still has its key is not known offline", what)
		case atrest.Unread, atrest.NotGiven:
			p.add(Unknown, nil, "%s: they cannot be read", what)
		case atrest.Damaged, atrest.WrongKey:
			p.add(Fail, nil, "%s, of which %d decrypt: %s", what, v.Decrypted, v.Error)
		case atrest.NoPlain:
			p.add(Fail, nil, "%s of %s not encrypted, and the configuration has no provider identity for them", words.Count(v.Count, "value"), v.Resource)
		case atrest.OtherKey:
			p.add(Fail, nil, "%s, which the configuration has for other resources only", what)
		default:
			p.add(Fail, nil, "%s, which the configuration does not have", what)
		}
	}
	if len(needed) == 0 {
		return p.result(pass("nothing is encrypted, and the configuration reads what is not"))
	}
	return p.result(pass("the configuration has %s, and with it all values decrypt", words.First(needed, mostPoints)))
}

// knownKubernetes is the minor version whose types are built in here.
const knownKubernetes = 37

// storageVersions holds the versions in which built-in kinds are stored against those of
// the API servers that will read them.
func (r *run) storageVersions() result {
	to := minor(r.targets.Kubernetes, 1)
	if to < 0 {
		return unknown("which API servers will read it was not stated, and no current state shows it").doing("State it: --kubernetes-version 1.37.")
	}
	target := fmt.Sprintf("1.%d", to)
	if r.targets.atLeast {
		target += " or later"
	}
	var p points
	kinds := 0
	for i := range r.stored {
		v := &r.stored[i]
		if _, builtIn := (kube.Key{Group: v.Group, Resource: v.Resource}).Type(); !builtIn || v.Problem != "" {
			continue
		}
		kinds++
		what := fmt.Sprintf("%s of %s in %s", words.Count(v.Count, "object"), name(v), v.APIVersion)
		life, known := kube.LifecycleOf(v.APIVersion, v.Kind)
		switch {
		case !known && to >= knownKubernetes:
			p.add(Fail, nil, "%s, which API servers of %s do not know", what, target)
		case !known:
			p.add(Unknown, nil, "%s: 1.%d no longer has that version, and whether %s has it is not known", what, knownKubernetes, target)
		case life.Introduced > to && r.targets.atLeast:
			p.add(Unknown, nil, "%s, which came with 1.%d, and API servers are of %s", what, life.Introduced, target)
		case life.Introduced > to:
			p.add(Fail, nil, "%s, which came with 1.%d: API servers of %s do not know it", what, life.Introduced, target)
		case life.Removed > 0 && life.Removed <= to && !keepsOld(v.Group):
			p.add(Warn, nil, "%s, which is not served from 1.%d on: API servers of %s read it only as long as they have its types", what, life.Removed, target)
		}
	}
	if kinds == 0 {
		return unknown("there is no object of a built-in kind to look at")
	}
	return p.result(pass("API servers of %s (%s) know all %d versions that are stored", target, r.targets.KubernetesFrom, kinds))
}

// keepsOld says whether API servers themselves store objects of a group in a version
// that they do not serve (kubernetes v1.37 test/integration/etcd/data.go).
func keepsOld(group string) bool {
	return group == "apiextensions.k8s.io" || group == "apiregistration.k8s.io"
}

// crdVersions holds the versions in which custom resources are stored against their
// definitions of the backup, which come back with them.
func (r *run) crdVersions() result {
	var p points
	for _, key := range r.undefined {
		p.add(Unknown, nil, "the definition %s cannot be read", key)
	}
	objects := map[kube.Key]int{}
	for i := range r.stored {
		v := &r.stored[i]
		k := kube.Key{Group: v.Group, Resource: v.Resource}
		d, ok := r.defined[k]
		if !ok || v.Problem != "" {
			continue
		}
		objects[k] += v.Count
		_, in, _ := strings.Cut(v.APIVersion, "/")
		if !slices.ContainsFunc(d.Versions, func(w kube.DefinedVersion) bool { return w.Name == in }) {
			p.add(Fail, nil, "%s of %s in %s, a version that their definition does not have: they cannot be read", words.Count(v.Count, "object"), name(v), in)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(r.defined), func(a, b kube.Key) int {
		return strings.Compare(a.Group+"/"+a.Resource, b.Group+"/"+b.Resource)
	}) {
		d := r.defined[k]
		if served := slices.ContainsFunc(d.Versions, func(v kube.DefinedVersion) bool { return v.Served }); !served && objects[k] > 0 {
			p.add(Warn, nil, "no version of %s.%s is served, of which there are %d", d.Plural, d.Group, objects[k])
		}
		for _, stored := range d.StoredVersions {
			if !slices.ContainsFunc(d.Versions, func(v kube.DefinedVersion) bool { return v.Name == stored }) {
				p.add(Warn, nil, "the definition of %s.%s has %s among its stored versions and not among its versions", d.Plural, d.Group, stored)
			}
		}
	}
	total := 0
	for _, n := range objects {
		total += n
	}
	return p.result(pass("%s, with %s", words.Count(len(r.defined), "definition"), words.CountOf(total, "object, in a version that it has", "objects, all in versions that they have")))
}

// rules says what the prediction rests on for the versions there are.
func (r *run) rules() result {
	if r.prediction == nil {
		return unknown("nothing is predicted: %v", r.noPlan)
	}
	k := &r.prediction.Kubernetes
	if k.Rules == restore.RulesUntried {
		return warn("%s", k.Reason)
	}
	return pass("%s", k.Reason)
}
