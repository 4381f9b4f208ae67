package rollback

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// webhook is one admission webhook.
type webhook struct {
	name    string
	blocks  bool     // writes fail when it cannot be called
	service kube.Key // the zero Key when it is called by URL
	ca      []byte
}

// webhooks looks at the admission webhooks of the backup, and at those that it
// does not have.
func (c *comparison) webhooks() {
	const group = "admissionregistration.k8s.io"
	for _, resource := range []string{"validatingwebhookconfigurations", "mutatingwebhookconfigurations"} {
		prefix := kube.Key{Group: group, Resource: resource}.Path(c.prefix)
		for before, after := range c.join(prefix) {
			k, ok := kube.ParseKey(c.prefix, keyOf(before, after))
			if !ok {
				continue
			}
			if !has(before) {
				c.add(WebhookLost, k, Finding{Reason: "only in the current state", Evidence: c.evidence(before, after)})
				continue
			}
			c.webhookConfiguration(change{k, before, after})
		}
	}
}

func (c *comparison) webhookConfiguration(ch change) {
	now := c.readWebhooks(c.current, ch.after)
	for _, w := range c.readWebhooks(c.backup, ch.before) {
		i := slices.IndexFunc(now, func(x webhook) bool { return x.name == w.name })
		var present *webhook
		if i >= 0 {
			present = &now[i]
		}
		if w.blocks {
			c.unbacked(&ch, &w, present)
		}
		if present != nil && !bytes.Equal(w.ca, present.ca) {
			c.add(WebhookCA, ch.Key, Finding{
				Reason:   fmt.Sprintf("webhook %s has another caBundle in the backup", w.name),
				Evidence: c.evidence(ch.before, ch.after),
			})
		}
	}
}

// readWebhooks reads a configuration of either kind.
func (c *comparison) readWebhooks(s side, r snapshot.Record) []webhook {
	value := c.value(s, r)
	if value == nil {
		return nil
	}
	o := kube.Decode(kube.Key{}, value)
	var list []webhook
	switch o := o.Typed.(type) {
	case *admissionv1.ValidatingWebhookConfiguration:
		for i := range o.Webhooks {
			list = append(list, webhookOf(o.Webhooks[i].Name, o.Webhooks[i].FailurePolicy, &o.Webhooks[i].ClientConfig))
		}
		return list
	case *admissionv1.MutatingWebhookConfiguration:
		for i := range o.Webhooks {
			list = append(list, webhookOf(o.Webhooks[i].Name, o.Webhooks[i].FailurePolicy, &o.Webhooks[i].ClientConfig))
		}
		return list
	}
	c.noteUnread(s, r, cmp.Or(o.Problem, kube.ErrWrongKind))
	return nil
}

func webhookOf(name string, policy *admissionv1.FailurePolicyType, client *admissionv1.WebhookClientConfig) webhook {
	w := webhook{name: name, blocks: policy == nil || *policy == admissionv1.Fail, ca: client.CABundle}
	if s := client.Service; s != nil {
		w.service = kube.Key{Resource: "services", Namespace: s.Namespace, Name: s.Name}
	}
	return w
}

// unbacked reports a webhook that nothing answers after the restore.
func (c *comparison) unbacked(ch *change, w, present *webhook) {
	var is kube.Key
	if present != nil && present.blocks {
		is = present.service
	}
	c.unanswered(WebhookUnbacked, ch, Finding{}, "webhook "+w.name, w.service, is)
}

// slicePrefix is what the names of a Service's slices start with (kubernetes v1.37
// staging/src/k8s.io/endpointslice/utils.go getEndpointSlicePrefix, and apiserver
// v0.37 pkg/storage/names/generate.go, which adds five characters and cuts off
// what is beyond 63).
func slicePrefix(service string) string {
	prefix := service + "-"
	return prefix[:min(len(prefix), 63-5)]
}
