package rollback

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	coordinationv1 "k8s.io/api/coordination/v1"

	"revenant/analyzer/diff"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// kindCount is a Kind being counted, and what its values are to be asked for.
type kindCount struct {
	Kind
	key             kube.Key // group and resource
	custom          bool
	before, current ages
}

// ages is the record of one resource that was written last.
type ages struct{ newest snapshot.Record }

func (a *ages) add(r snapshot.Record) {
	if r.Main > a.newest.Main {
		a.newest = r
	}
}

// content counts what lies in a namespace, events and leases left out.
type content struct{ before, after struct{ objects, pods int } }

// count walks over all keys: it counts them, and looks at the objects that differ.
func (c *comparison) count() {
	for before, after := range c.join("") {
		k, ok := kube.ParseKey(c.prefix, keyOf(before, after))
		if !ok {
			c.countOther(before, after)
			continue
		}
		ch := change{k, before, after}
		kind := c.kind(k)
		if has(before) {
			kind.before.add(before)
		}
		if has(after) {
			kind.current.add(after)
		}
		c.countContent(&ch)
		if ch.same() {
			kind.Unchanged++
			continue
		}
		c.countChange(kind, &ch)
	}
}

func (c *comparison) kind(k kube.Key) *kindCount {
	of := kube.Key{Group: k.Group, Resource: k.Resource}
	kind := c.kinds[of]
	if kind == nil {
		_, builtIn := k.Type()
		kind = &kindCount{key: of, custom: !builtIn && k.Group != "" && !k.OpenShift(c.prefix), Kind: newKind(resourceName(of))}
		c.kinds[of] = kind
	}
	return kind
}

func newKind(resource string) Kind {
	return Kind{Resource: resource, Examples: Examples{Lost: []string{}, Resurrected: []string{}, Replaced: []string{}, RolledBack: []string{}}}
}

func (c *comparison) countContent(ch *change) {
	if ch.Namespace == "" || isRecord(ch.Key) {
		return
	}
	n := c.namespaces[ch.Namespace]
	if n == nil {
		n = &content{}
		c.namespaces[ch.Namespace] = n
	}
	pod := 0
	if isPod(ch.Key) {
		pod = 1
	}
	if has(ch.before) {
		n.before.objects++
		n.before.pods += pod
	}
	if has(ch.after) {
		n.after.objects++
		n.after.pods += pod
	}
}

func isPod(k kube.Key) bool { return k.Group == "" && k.Resource == "pods" }

// isRecord says whether a key is of what components only note: an event or a lease.
func isRecord(k kube.Key) bool {
	return k.Group == "" && k.Resource == "events" || k.Group == "coordination.k8s.io" && k.Resource == "leases"
}

func (c *comparison) countChange(k *kindCount, ch *change) {
	name := objectName(ch.Key)
	value := c.examine(ch)
	switch {
	case ch.lost():
		k.Lost++
		k.Examples.Lost = appendExample(k.Examples.Lost, name)
	case ch.resurrected():
		k.Resurrected++
		k.Examples.Resurrected = appendExample(k.Examples.Resurrected, name)
	case ch.replaced():
		k.Replaced++
		k.Examples.Replaced = appendExample(k.Examples.Replaced, name)
	default:
		status := value != nil && kube.SameButStatus(value, c.value(c.current, ch.after))
		if c.heartbeat(ch, status) {
			k.Heartbeats++
			return
		}
		k.RolledBack++
		if status {
			k.StatusOnly++
		}
		k.Examples.RolledBack = appendExample(k.Examples.RolledBack, name)
	}
}

// examine reads what the backup holds of a change, and reports a deletion under
// way there. Pods are left to the prediction; events and leases have nothing.
func (c *comparison) examine(ch *change) []byte {
	if ch.lost() || isPod(ch.Key) || isRecord(ch.Key) {
		return nil
	}
	value := c.value(c.backup, ch.before)
	m, err := kube.ScanMeta(value)
	if err == nil && !m.Deleted.IsZero() && !(ch.Group == "" && ch.Resource == "namespaces") {
		c.deletionResumed(ch, m)
	}
	return value
}

// heartbeat says whether a change is one that happens all the time.
func (c *comparison) heartbeat(ch *change, statusOnly bool) bool {
	switch ch.Resource {
	case "events":
		return ch.Group == ""
	case "nodes":
		return ch.Group == "" && statusOnly
	case "endpoints", "configmaps":
		before, after := c.value(c.backup, ch.before), c.value(c.current, ch.after)
		if ch.Group != "" || !bytes.Contains(before, []byte(leaderKey)) {
			return false
		}
		d := diff.Stored(c.prefix, ch.before.Key, before, after)
		return d.Quiet() // so the annotation is in both
	case "leases":
		if ch.Group != "coordination.k8s.io" {
			return false
		}
		before, ok := get[*coordinationv1.Lease](c, c.backup, ch.before)
		after, ok2 := get[*coordinationv1.Lease](c, c.current, ch.after)
		return ok && ok2 && holder(before) == holder(after)
	}
	return false
}

// leaderKey is the annotation by which leaders were elected before there were Leases.
const leaderKey = "control-plane.alpha.kubernetes.io/leader"

func holder(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// counted are the kinds by name.
func (c *comparison) counted() []Kind {
	kinds := make([]Kind, 0, len(c.kinds))
	for _, k := range c.sortedKinds() {
		kinds = append(kinds, k.Kind)
	}
	for _, k := range c.others {
		kinds = append(kinds, k.Kind)
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return cmp.Compare(a.Resource, b.Resource) })
	return kinds
}

func (c *comparison) sortedKinds() []*kindCount {
	return slices.SortedFunc(maps.Values(c.kinds), func(a, b *kindCount) int { return cmp.Compare(a.Resource, b.Resource) })
}
