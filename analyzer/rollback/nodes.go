package rollback

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// nodes compares who has which pod range. A node whose status alone differs has
// the same range in both.
func (c *comparison) nodes() {
	type owner struct {
		name   string
		record snapshot.Record
	}
	held := map[string]owner{} // in the backup, by range
	var differ []change
	for ch := range c.changes("", "nodes") {
		if before := c.value(c.backup, ch.before); before != nil && has(ch.after) && kube.SameButStatus(before, c.value(c.current, ch.after)) {
			continue
		}
		differ = append(differ, ch)
		if n, ok := get[*corev1.Node](c, c.backup, ch.before); ok {
			for _, cidr := range podCIDRs(n) {
				held[cidr] = owner{ch.Name, ch.before}
			}
		}
	}
	for _, ch := range differ {
		n, ok := get[*corev1.Node](c, c.current, ch.after)
		if !ok {
			continue
		}
		for _, cidr := range podCIDRs(n) {
			o, taken := held[cidr]
			switch {
			case taken && o.name != ch.Name:
				c.add(PodCIDR, ch.Key, Finding{
					Reason:   fmt.Sprintf("%s is its own in the current state, and that of node %s in the backup", cidr, o.name),
					Evidence: []finding.Ref{c.backup.ref(o.record), c.current.ref(ch.after)},
				})
			case !taken && ch.lost():
				c.add(PodCIDRFreed, ch.Key, Finding{
					Reason:   fmt.Sprintf("only in the current state, with range %s%s", cidr, c.partly(c.backup, ch.Key, "Nodes")),
					Evidence: c.evidence(ch.before, ch.after),
				})
			}
		}
		c.rangeChanged(&ch, n)
	}
}

func (c *comparison) rangeChanged(ch *change, after *corev1.Node) {
	before, ok := get[*corev1.Node](c, c.backup, ch.before)
	if !ok {
		return
	}
	was, is := podCIDRs(before), podCIDRs(after)
	if len(was) == 0 || len(is) == 0 || strings.Join(was, ",") == strings.Join(is, ",") {
		return
	}
	c.add(PodCIDR, ch.Key, Finding{
		Reason:   fmt.Sprintf("range %s in the backup, %s in the current state", strings.Join(was, ", "), strings.Join(is, ", ")),
		Evidence: c.evidence(ch.before, ch.after),
	})
}

func podCIDRs(n *corev1.Node) []string {
	if len(n.Spec.PodCIDRs) > 0 {
		return n.Spec.PodCIDRs
	}
	if n.Spec.PodCIDR != "" {
		return []string{n.Spec.PodCIDR}
	}
	return nil
}
