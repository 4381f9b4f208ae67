package rollback

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// served is a Service with its ready endpoints, as far as the lists that hold
// them differ.
type served struct {
	before, after endpoints
}

// endpoint is an address of a pod.
type endpoint struct {
	pod kube.Key
	ip  string
}

// endpoints are distinct ones, each with the record of the list that holds it.
type endpoints map[endpoint]snapshot.Record

func (e endpoint) String() string { return e.ip + " of " + e.pod.Name }

func (e endpoints) sorted() []endpoint {
	return slices.SortedFunc(maps.Keys(e), func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.ip, b.ip), compareKeys(a.pod, b.pod))
	})
}

// endpoints compares where Services send their traffic. Endpoints objects count only
// where there are no slices, before Kubernetes 1.17: later they repeat what those say.
func (c *comparison) endpoints() {
	services := map[kube.Key]*served{}
	read, group, resource := c.slice, "discovery.k8s.io", "endpointslices"
	if c.sliceless() {
		read, group, resource = c.oldEndpoints, "", "endpoints"
	}
	note := func(s side, r snapshot.Record, into func(*served) endpoints) {
		k, list := read(s, r)
		if k == (kube.Key{}) {
			return
		}
		if services[k] == nil {
			services[k] = &served{endpoints{}, endpoints{}}
		}
		maps.Copy(into(services[k]), list)
	}
	for ch := range c.changes(group, resource) {
		note(c.backup, ch.before, func(v *served) endpoints { return v.before })
		note(c.current, ch.after, func(v *served) endpoints { return v.after })
	}
	for _, k := range slices.SortedFunc(maps.Keys(services), compareKeys) {
		c.served(k, services[k])
	}
}

func compareKeys(a, b kube.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// slicesKey is where EndpointSlices are.
var slicesKey = kube.Key{Group: "discovery.k8s.io", Resource: "endpointslices"}

// sliceless says that the cluster has no EndpointSlices.
func (c *comparison) sliceless() bool {
	for _, s := range []side{c.backup, c.current} {
		for range s.Keys(slicesKey.Path(c.prefix)) {
			return false
		}
	}
	return true
}

// slice reads an EndpointSlice: the Service that it is of, and its endpoints. One that is
// of none gets no traffic from any.
func (c *comparison) slice(s side, r snapshot.Record) (kube.Key, endpoints) {
	slice, ok := get[*discoveryv1.EndpointSlice](c, s, r)
	if !ok || slice.Labels[discoveryv1.LabelServiceName] == "" {
		return kube.Key{}, nil
	}
	return kube.Key{Resource: "services", Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}, sliceEndpoints(slice, r)
}

// oldEndpoints reads an Endpoints object, which has the name of its Service.
func (c *comparison) oldEndpoints(s side, r snapshot.Record) (kube.Key, endpoints) {
	//lint:ignore SA1019 old clusters have nothing else
	object, ok := get[*corev1.Endpoints](c, s, r)
	if !ok {
		return kube.Key{}, nil
	}
	list := endpoints{}
	for _, subset := range object.Subsets {
		for _, a := range subset.Addresses {
			if a.TargetRef != nil && a.TargetRef.Kind == "Pod" {
				list[endpoint{kube.Key{Resource: "pods", Namespace: object.Namespace, Name: a.TargetRef.Name}, a.IP}] = r
			}
		}
	}
	return kube.Key{Resource: "services", Namespace: object.Namespace, Name: object.Name}, list
}

// sliceEndpoints are the pods of a slice that get traffic.
func sliceEndpoints(s *discoveryv1.EndpointSlice, r snapshot.Record) endpoints {
	list := endpoints{}
	for _, e := range s.Endpoints {
		if e.TargetRef == nil || e.TargetRef.Kind != "Pod" || e.Conditions.Ready != nil && !*e.Conditions.Ready {
			continue
		}
		for _, ip := range e.Addresses {
			list[endpoint{kube.Key{Resource: "pods", Namespace: s.Namespace, Name: e.TargetRef.Name}, ip}] = r
		}
	}
	return list
}

// served reports what of a Service's endpoints is wrong after the restore.
func (c *comparison) served(service kube.Key, v *served) {
	var dead, reused, missing names
	var deadRefs, reusedRefs, missingRefs refs
	partly := ""
	for _, e := range v.before.sorted() {
		answer := c.answers(e)
		if answer == answersYes {
			continue
		}
		list := c.backup.ref(v.before[e])
		if k, ok := kube.ParseKey(c.prefix, c.addresses[e.ip]); ok { // a pod has it, and not this one
			reused.add(fmt.Sprintf("%s, now of %s", e, objectName(k)))
			reusedRefs.add(list)
			reusedRefs.add(c.current.ref(c.find(c.current, k)))
			continue
		}
		if answer == answerNotKnown {
			partly = c.partly(c.current, e.pod, "pods")
			continue
		}
		dead.add(e.String())
		deadRefs.add(list)
	}
	for _, e := range v.after.sorted() {
		if _, ok := v.before[e]; !ok && c.answers(e) == answersYes {
			missing.add(e.String())
			missingRefs.add(c.current.ref(v.after[e]))
		}
	}
	if reused.count > 0 {
		c.add(EndpointReused, service, Finding{
			Reason:   fmt.Sprintf("%d of %d ready addresses: %s", reused.count, len(v.before), &reused),
			Evidence: reusedRefs,
		})
	}
	if dead.count > 0 {
		c.add(EndpointDead, service, Finding{
			Reason:   fmt.Sprintf("%d of %d ready addresses: %s%s", dead.count, len(v.before), &dead, partly),
			Evidence: deadRefs,
		})
	}
	if missing.count > 0 && has(c.find(c.backup, service)) {
		c.add(EndpointMissing, service, Finding{
			Reason:   fmt.Sprintf("%s: %s%s", words.CountOf(missing.count, "address", "addresses"), &missing, c.partly(c.backup, slicesKey, "EndpointSlices")),
			Evidence: missingRefs,
		})
	}
}

// refs are distinct references, a few at most.
type refs []finding.Ref

func (r *refs) add(f finding.Ref) {
	if len(*r) < maxExamples && !slices.Contains(*r, f) {
		*r = append(*r, f)
	}
}

// answer is whether a pod answers at an address.
type answer int

const (
	answersNot answer = iota
	answersYes
	answerNotKnown // the pod cannot be read
)

// answers says whether a pod of that name is alive in the current state and has
// the address.
func (c *comparison) answers(e endpoint) answer {
	now := c.find(c.current, e.pod)
	if !has(now) {
		return answersNot
	}
	if sameRecord(c.find(c.backup, e.pod), now) {
		return answersYes // it answered when the backup was taken
	}
	switch p, ok := c.scanPod(e.pod, now); {
	case !ok:
		return answerNotKnown
	case p.alive() && slices.Contains(p.IPs, e.ip):
		return answersYes
	}
	return answersNot
}
