package rollback

//lint:file-ignore SA1019 API servers store Endpoints to this day

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	apiregistrationv1beta1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1beta1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// backing is whether anything answers behind a Service.
type backing struct {
	why     string // why nothing does, "" when something may
	sure    bool
	unread  bool // what shows it could not be read
	outside bool // it is not of the cluster
}

// dead says whether it is known that nothing answers.
func (b backing) dead() bool { return b.why != "" && !b.unread }

// backed says whether a pod that runs in the current state is behind a Service of s.
// What lies outside of the cluster is taken to answer: no restore changes that.
func (c *comparison) backed(s side, service kube.Key) backing {
	if service == (kube.Key{}) {
		return backing{} // called by URL, or not there
	}
	r := c.find(s, service)
	if !has(r) {
		return backing{why: fmt.Sprintf("which the %s does not have", s.in), sure: true}
	}
	if o, ok := get[*corev1.Service](c, s, r); ok && o.Spec.Type == corev1.ServiceTypeExternalName {
		return backing{outside: true}
	}
	pods := c.behind(s, service)
	switch {
	case pods.answered:
		return backing{}
	case pods.podUnread:
		return backing{why: "whose pods in the current state cannot all be read: whether one of them runs is not known", unread: true}
	case pods.unread:
		return backing{why: fmt.Sprintf("whose endpoints in the %s cannot all be read: whether a pod of them runs is not known", s.in), unread: true}
	}
	return backing{why: "whose endpoints in the " + string(s.in) + " have no running pod"}
}

// behind is what the endpoints of a Service lead to.
type behind struct {
	answered  bool // an address is ready, and a pod has it or it is none of a pod
	unread    bool // what lists them
	podUnread bool // a pod that has one
}

// pod takes what a pod answers.
func (b *behind) pod(a answer) {
	b.answered = b.answered || a == answersYes
	b.podUnread = b.podUnread || a == answerNotKnown
}

func (c *comparison) behind(s side, service kube.Key) (b behind) {
	in := kube.Key{Group: "discovery.k8s.io", Resource: "endpointslices", Namespace: service.Namespace}.Path(c.prefix)
	seen := false
	for r := range s.Keys(in + slicePrefix(service.Name)) {
		slice, ok := get[*discoveryv1.EndpointSlice](c, s, r)
		if !ok {
			b.unread = true
			continue
		}
		if slice.Labels[discoveryv1.LabelServiceName] != service.Name {
			continue
		}
		seen = true
		for e := range sliceEndpoints(slice, r) {
			b.pod(c.answers(e))
		}
		b.answered = b.answered || slices.ContainsFunc(slice.Endpoints, elsewhere)
		if b.answered {
			return b
		}
	}
	if seen || b.unread {
		return b
	}
	// Before Kubernetes 1.21 there may be Endpoints only.
	k := service
	k.Resource = "endpoints"
	r := c.find(s, k)
	e, ok := get[*corev1.Endpoints](c, s, r)
	b.unread = has(r) && !ok
	if !ok {
		return b
	}
	for _, subset := range e.Subsets {
		for _, a := range subset.Addresses {
			if a.TargetRef == nil || a.TargetRef.Kind != "Pod" {
				b.answered = true
				continue
			}
			b.pod(c.answers(endpoint{kube.Key{Resource: "pods", Namespace: service.Namespace, Name: a.TargetRef.Name}, a.IP}))
		}
	}
	return b
}

// elsewhere says whether a ready endpoint is none of a pod.
func elsewhere(e discoveryv1.Endpoint) bool {
	return (e.TargetRef == nil || e.TargetRef.Kind != "Pod") && (e.Conditions.Ready == nil || *e.Conditions.Ready) && len(e.Addresses) > 0
}

// unanswered adds the finding that nothing answers behind a Service of the backup,
// unless that is known to be so already behind the one that the current state has in its place.
func (c *comparison) unanswered(id ID, ch *change, f Finding, what string, was, is kube.Key) {
	b := c.backed(c.backup, was)
	if b.why == "" || c.backed(c.current, is).dead() {
		return
	}
	f.Reason = fmt.Sprintf("%s calls Service %s, %s%s", what, objectName(was), b.why, f.Reason)
	f.Evidence = c.evidence(ch.before, ch.after)
	if b.sure {
		f.Certainty = finding.Certain
	}
	c.add(id, ch.Key, f)
}

// conversions looks at the webhooks that convert between the versions of custom
// resources.
func (c *comparison) conversions() {
	prefix := kube.Key{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}.Path(c.prefix)
	for before, after := range c.join(prefix) {
		k, ok := kube.ParseKey(c.prefix, keyOf(before, after))
		if !ok {
			continue
		}
		ch := change{k, before, after}
		was, ok := c.definition(c.backup, before)
		if !ok || !was.Webhook {
			continue
		}
		is, _ := c.definition(c.current, after)
		if is.Webhook && !bytes.Equal(was.CABundle, is.CABundle) {
			c.add(WebhookCA, k, Finding{
				Reason:   "the conversion webhook has another caBundle in the backup",
				Evidence: c.evidence(before, after),
			})
		}
		if f, ok := c.converts(was); ok {
			c.unanswered(ConversionUnbacked, &ch, f, "its conversion webhook", was.Service, is.Service)
		}
	}
}

// converts says what a webhook has to convert: every object that is asked for in
// another version than it is stored in. ok is false when that is none.
func (c *comparison) converts(d kube.Definition) (f Finding, ok bool) {
	served := map[string]bool{}
	for _, v := range d.Versions {
		if v.Served {
			served[v.Name] = true
		}
	}
	k := c.kinds[kube.Key{Group: d.Group, Resource: d.Plural}]
	if k == nil || k.inBackup() == 0 {
		f.Severity = finding.Warning
		f.Reason = "; the backup has no object of it"
		f.Inferred = "Objects can be written in the version only in which they are stored, and namespaces that are being deleted can wait for others."
		return f, len(served) > 1
	}
	stored := map[string]int{}
	for r := range c.backup.Keys(k.key.Path(c.prefix)) {
		if c.ctx.Err() != nil {
			break
		}
		if m, err := kube.ScanMeta(c.value(c.backup, r)); err == nil {
			_, version, _ := strings.Cut(m.APIVersion, "/")
			stored[version]++
		}
	}
	var parts []string
	alone := len(served) == 1 && len(stored) == 1
	for _, version := range slices.Sorted(maps.Keys(stored)) {
		parts = append(parts, fmt.Sprintf("%d in version %s", stored[version], version))
		alone = alone && served[version]
	}
	f.Reason = fmt.Sprintf("; %s in the backup (%s), served as %s",
		words.Count(k.inBackup(), "object"), strings.Join(parts[:min(len(parts), maxExamples)], ", "), strings.Join(first(slices.Sorted(maps.Keys(served))), ", "))
	return f, !alone
}

func first(list []string) []string { return list[:min(len(list), maxExamples)] }

// apiServices looks at the aggregated API servers of the backup.
func (c *comparison) apiServices() {
	prefix := kube.Key{Group: "apiregistration.k8s.io", Resource: "apiservices"}.Path(c.prefix)
	for before, after := range c.join(prefix) {
		k, ok := kube.ParseKey(c.prefix, keyOf(before, after))
		if !ok || !has(before) {
			continue
		}
		if was := c.apiService(c.backup, before); was != (kube.Key{}) {
			c.unanswered(APIServiceUnbacked, &change{k, before, after}, Finding{}, "the APIService", was, c.apiService(c.current, after))
		}
	}
}

// apiService is the Service that an APIService leads to, the zero Key for none.
func (c *comparison) apiService(s side, r snapshot.Record) kube.Key {
	value := c.value(s, r)
	if value == nil {
		return kube.Key{}
	}
	o := kube.Decode(kube.Key{}, value)
	switch a := o.Typed.(type) {
	case *apiregistrationv1.APIService:
		if a.Spec.Service != nil {
			return kube.Key{Resource: "services", Namespace: a.Spec.Service.Namespace, Name: a.Spec.Service.Name}
		}
	case *apiregistrationv1beta1.APIService:
		if a.Spec.Service != nil {
			return kube.Key{Resource: "services", Namespace: a.Spec.Service.Namespace, Name: a.Spec.Service.Name}
		}
	default:
		c.noteUnread(s, r, cmp.Or(o.Problem, kube.ErrWrongKind))
	}
	return kube.Key{}
}
