package rollback

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// definitions looks at the CustomResourceDefinitions that differ.
func (c *comparison) definitions() {
	for ch := range c.changes("apiextensions.k8s.io", "customresourcedefinitions") {
		before, was := c.definition(c.backup, ch.before)
		after, is := c.definition(c.current, ch.after)
		f := Finding{Evidence: c.evidence(ch.before, ch.after)}
		switch {
		case ch.lost():
			f.Reason = "only in the current state"
			if is {
				f.Reason += ", with " + words.Count(c.objects(after).inCurrent(), "object")
			}
			c.add(DefinitionLost, ch.Key, f)
		case ch.resurrected():
			f.Reason = "only in the backup"
			if was {
				f.Reason += ", with " + words.Count(c.objects(before).inBackup(), "object")
			}
			c.add(DefinitionBack, ch.Key, f)
		case was && is:
			c.versions(&ch, before, after)
		}
	}
}

// definition reads a definition. ok is false when there is no record, and when it cannot
// be read, which is noted.
func (c *comparison) definition(s side, r snapshot.Record) (d kube.Definition, ok bool) {
	value := c.value(s, r)
	if value == nil {
		return d, false
	}
	d, err := kube.ScanDefinition(value)
	if err != nil {
		c.noteUnread(s, r, err)
	}
	return d, err == nil
}

// objects are the counts of the resource that a definition defines.
func (c *comparison) objects(d kube.Definition) *Kind {
	k := c.kinds[kube.Key{Group: d.Group, Resource: d.Plural}]
	if k == nil {
		return &Kind{}
	}
	return &k.Kind
}

func (k *Kind) inBoth() int    { return k.Replaced + k.RolledBack + k.Heartbeats + k.Unchanged }
func (k *Kind) inBackup() int  { return k.inBoth() + k.Resurrected }
func (k *Kind) inCurrent() int { return k.inBoth() + k.Lost }

// versions reports objects that the backup stores in a version which the present
// definition does not list. Only when a stored version was dropped can there be
// any.
func (c *comparison) versions(ch *change, before, after kube.Definition) {
	listed := map[string]bool{}
	for _, v := range after.StoredVersions {
		listed[v] = true
	}
	for _, v := range after.Versions {
		listed[v.Name] = v.Served || listed[v.Name]
	}
	dropped := func(v string) bool { return !listed[v] }
	if !slices.ContainsFunc(before.StoredVersions, dropped) {
		return
	}
	prefix := kube.Key{Group: before.Group, Resource: before.Plural}.Path(c.prefix)
	stored := map[string]*names{} // by version
	for r := range c.backup.Keys(prefix) {
		if c.ctx.Err() != nil {
			return
		}
		value := c.value(c.backup, r)
		if value == nil {
			continue
		}
		m, err := kube.ScanMeta(value)
		if err != nil {
			c.noteUnread(c.backup, r, err)
			continue
		}
		_, version, _ := strings.Cut(m.APIVersion, "/")
		if !dropped(version) {
			continue
		}
		if stored[version] == nil {
			stored[version] = &names{}
		}
		stored[version].add(strings.TrimPrefix(r.Key, prefix))
	}
	for _, version := range slices.Sorted(maps.Keys(stored)) {
		c.add(DefinitionVersion, ch.Key, Finding{
			Reason:   fmt.Sprintf("%s in version %s in the backup: %s", words.Count(stored[version].count, "object"), version, stored[version]),
			Evidence: c.evidence(ch.before, ch.after),
		})
	}
}

// allocating are the groups of network plug-ins that keep in custom resources
// which addresses are given out, with these resources.
var allocating = map[string][]string{
	"cilium.io":               {"ciliumnodes"},
	"crd.antrea.io":           {"ippools"},
	"crd.projectcalico.org":   {"ipamblocks", "ipamhandles", "blockaffinities"},
	"kubeovn.io":              {"ips", "subnets"},
	"spiderpool.spidernet.io": {"spiderippools", "spiderendpoints"},
	"whereabouts.cni.cncf.io": {"ippools", "overlappingrangeipreservations"},
}

// customResources counts what differs by group: an operator's resources belong
// together.
func (c *comparison) customResources() {
	groups := map[string][]*kindCount{}
	for _, k := range c.sortedKinds() {
		if !k.custom || !k.Changed() {
			continue
		}
		if slices.Contains(allocating[k.key.Group], k.key.Resource) {
			c.add(IPAM, k.key, Finding{Reason: differing(&k.Kind), Evidence: c.evidence(k.before.newest, k.current.newest)})
			continue
		}
		groups[k.key.Group] = append(groups[k.key.Group], k)
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		var parts []string
		f := Finding{}
		for _, k := range groups[group] {
			parts = append(parts, k.key.Resource+": "+differing(&k.Kind))
			if len(f.Evidence) < maxExamples {
				f.Evidence = append(f.Evidence, c.evidence(k.before.newest, k.current.newest)...)
			}
		}
		f.Reason = words.Clauses(parts, maxExamples, len(parts))
		c.add(CustomResourcesBack, kube.Key{Group: group, Resource: "*"}, f)
	}
}

// differing lists the counts that are not zero.
func differing(k *Kind) string {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{{k.Lost, "lost"}, {k.Resurrected, "resurrected"}, {k.Replaced, "replaced"}, {k.RolledBack, "rolled back"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	return strings.Join(parts, ", ")
}
