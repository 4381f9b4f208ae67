package rollback

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"revenant/decoder/kube"
	"revenant/internal/words"
)

// namespaceFindings looks at the namespaces that differ.
func (c *comparison) namespaceFindings() {
	for ch := range c.changes("", "namespaces") {
		in := c.namespaces[ch.Name]
		if in == nil {
			in = &content{}
		}
		if ns, ok := get[*corev1.Namespace](c, c.backup, ch.before); ok && terminating(ns) {
			c.add(NamespaceTerminating, ch.Key, Finding{
				Reason:   fmt.Sprintf("being deleted in the backup, with %s in it%s", contents(in.before.objects, in.before.pods), nowThere(&ch)),
				Evidence: c.evidence(ch.before, ch.after),
			})
			continue
		}
		switch {
		case ch.lost():
			c.add(NamespaceLost, ch.Key, Finding{
				Reason:   "only in the current state, with " + contents(in.after.objects, in.after.pods),
				Evidence: c.evidence(ch.before, ch.after),
			})
		case ch.resurrected():
			c.add(NamespaceBack, ch.Key, Finding{
				Reason:   "only in the backup, with " + contents(in.before.objects, in.before.pods),
				Evidence: c.evidence(ch.before, ch.after),
			})
		}
	}
}

func terminating(ns *corev1.Namespace) bool {
	return ns.DeletionTimestamp != nil || ns.Status.Phase == corev1.NamespaceTerminating
}

func nowThere(ch *change) string {
	switch {
	case ch.resurrected():
		return "; gone in the current state"
	case ch.replaced():
		return "; the current state has a new one of that name"
	}
	return "; still there in the current state"
}

// contents counts the objects of a namespace.
func contents(objects, pods int) string {
	if pods == 0 {
		return words.Count(objects, "object") + " and no pod"
	}
	return fmt.Sprintf("%s, %s among them", words.Count(objects, "object"), words.Count(pods, "pod"))
}

// lostWithNamespace says whether the namespace of a lost object is lost as well,
// or that of a resurrected one resurrected: then there is nothing else to report.
func (c *comparison) lostWithNamespace(ch *change) bool {
	if ch.Namespace == "" {
		return false
	}
	k := kube.Key{Resource: "namespaces", Name: ch.Namespace}
	before, after := c.find(c.backup, k), c.find(c.current, k)
	return ch.lost() && !has(before) || ch.resurrected() && !has(after)
}

// deletionResumed reports an object that the backup holds while it is being
// deleted.
func (c *comparison) deletionResumed(ch *change, m kube.Meta) {
	waits := "nothing"
	if len(m.Finalizers) > 0 {
		waits = strings.Join(m.Finalizers[:min(len(m.Finalizers), maxExamples)], ", ")
	}
	now := "still there in the current state"
	switch {
	case ch.resurrected():
		now = "gone in the current state"
	case ch.replaced():
		now = "recreated in the current state"
	}
	c.add(DeletionResumed, ch.Key, Finding{
		Reason:   fmt.Sprintf("deleted at %s, waiting for %s in the backup; %s", words.Time(m.Deleted), waits, now),
		Evidence: c.evidence(ch.before, ch.after),
	})
}
