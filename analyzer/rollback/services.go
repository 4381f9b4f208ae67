package rollback

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// services compares who holds which address and node port. A Service that is the
// same in both snapshots holds the same ones in both, so only those that differ
// can be part of a conflict.
func (c *comparison) services() {
	type owner struct {
		kube.Key
		record snapshot.Record
	}
	held := map[string]owner{} // in the backup, by address
	for ch := range c.changes("", "services") {
		if s, ok := get[*corev1.Service](c, c.backup, ch.before); ok {
			for _, a := range serviceAddresses(s) {
				held[a] = owner{ch.Key, ch.before}
			}
		}
	}
	for ch := range c.changes("", "services") {
		s, ok := get[*corev1.Service](c, c.current, ch.after)
		if !ok {
			continue
		}
		var freed []string
		for _, a := range serviceAddresses(s) {
			switch o, ok := held[a]; {
			case !ok:
				freed = append(freed, a)
			case o.Key != ch.Key:
				c.add(ServiceConflict, ch.Key, Finding{
					Reason:   fmt.Sprintf("%s is its own in the current state, and that of %s in the backup", a, objectName(o.Key)),
					Evidence: []finding.Ref{c.backup.ref(o.record), c.current.ref(ch.after)},
				})
			}
		}
		if len(freed) > 0 {
			c.add(ServiceFreed, ch.Key, Finding{
				Reason:   fmt.Sprintf("holds %s in the current state, which no Service has in the backup%s", strings.Join(freed, ", "), c.partly(c.backup, ch.Key, "Services")),
				Evidence: c.evidence(ch.before, ch.after),
			})
		}
		if ch.lost() && s.Spec.Type == corev1.ServiceTypeLoadBalancer {
			c.add(LoadBalancerLeaked, ch.Key, Finding{
				Reason:   "only in the current state" + ingressOf(s),
				Evidence: c.evidence(ch.before, ch.after),
			})
		}
	}
	c.ranges()
}

// serviceAddresses are what the API server has allocated for a Service.
func serviceAddresses(s *corev1.Service) []string {
	ips := s.Spec.ClusterIPs
	if len(ips) == 0 {
		ips = []string{s.Spec.ClusterIP}
	}
	var list []string
	for _, ip := range ips {
		if ip != "" && ip != corev1.ClusterIPNone {
			list = append(list, "address "+ip)
		}
	}
	for _, p := range s.Spec.Ports {
		if p.NodePort != 0 {
			protocol := p.Protocol
			if protocol == "" {
				protocol = corev1.ProtocolTCP
			}
			list = append(list, fmt.Sprintf("node port %d/%s", p.NodePort, protocol))
		}
	}
	if n := s.Spec.HealthCheckNodePort; n != 0 {
		list = append(list, fmt.Sprintf("node port %d/TCP", n))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func ingressOf(s *corev1.Service) string {
	var at names
	for _, i := range s.Status.LoadBalancer.Ingress {
		at.add(i.IP + i.Hostname) // one of them is empty
	}
	if at.count == 0 {
		return ", with no address yet"
	}
	return ", reached at " + at.String()
}

// ranges compares what the allocators were started with. What they have given
// out is shown by the Services themselves.
func (c *comparison) ranges() {
	for _, name := range []string{"serviceips", "secondaryserviceips", "servicenodeports"} {
		k := kube.Key{Resource: "ranges", Name: name}
		before, after := c.find(c.backup, k), c.find(c.current, k)
		was, ok := get[*corev1.RangeAllocation](c, c.backup, before)
		is, ok2 := get[*corev1.RangeAllocation](c, c.current, after)
		if ok && ok2 && was.Range != is.Range {
			c.add(ServiceRange, k, Finding{
				Reason:   fmt.Sprintf("%s in the backup, %s in the current state", was.Range, is.Range),
				Evidence: c.evidence(before, after),
			})
		}
	}
}
