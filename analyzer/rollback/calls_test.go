package rollback_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/rollback"
)

// callingWebhook is a configuration of one webhook.
func callingWebhook(policy admissionv1.FailurePolicyType, client admissionv1.WebhookClientConfig) runtime.Object {
	return &admissionv1.MutatingWebhookConfiguration{
		ObjectMeta: named("guard"),
		Webhooks:   []admissionv1.MutatingWebhook{{Name: "w", FailurePolicy: &policy, ClientConfig: client}},
	}
}

func TestCalls(t *testing.T) {
	to := admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: "ns", Name: "svc"}}
	url := "https://example.com"
	svc := &corev1.Service{ObjectMeta: named("ns/svc")}
	external := &corev1.Service{ObjectMeta: named("ns/svc"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "example.com"}}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: named("ns/svc-abcde"), Endpoints: []discoveryv1.Endpoint{{
		Addresses: []string{"10.0.0.1"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "p"},
	}}}
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: "svc"}
	alive := &corev1.Pod{ObjectMeta: named("ns/p"), Spec: corev1.PodSpec{NodeName: "node-1"}, Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}}}}
	webhook := callingWebhook(admissionv1.Fail, to)
	for _, tt := range []struct {
		name          string
		before, after []runtime.Object
		alone         bool
		want          string
	}{
		{name: "its Service is not there", before: []runtime.Object{webhook}, want: "true unanswered true"},
		{name: "its pod runs", before: []runtime.Object{webhook, svc, slice, alive}, want: "true answered false"},
		{name: "its pod is gone", before: []runtime.Object{webhook, svc, slice, alive}, after: []runtime.Object{deleted{alive}}, want: "true unanswered true"},
		{name: "its Service was made since", before: []runtime.Object{webhook}, after: []runtime.Object{svc, slice, alive}, want: "true unanswered false"},
		{name: "a backup alone shows no pod", before: []runtime.Object{webhook, svc, slice, alive}, alone: true, want: "true not known false"},
		{name: "a backup alone has no Service", before: []runtime.Object{webhook}, alone: true, want: "true unanswered false"},
		{name: "it is called by URL", before: []runtime.Object{callingWebhook(admissionv1.Fail, admissionv1.WebhookClientConfig{URL: &url})}, want: "true outside false"},
		{name: "it is an external name", before: []runtime.Object{webhook, external}, alone: true, want: "true outside false"},
		{name: "it may fail", before: []runtime.Object{callingWebhook(admissionv1.Ignore, to)}, want: "false unanswered true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := pair(t, changes(t, tt.before), changes(t, tt.after))
			if tt.alone {
				current = nil
			}
			calls, unread, err := rollback.Calls(t.Context(), backup, current, rollback.Options{Prefix: prefix})
			if err != nil || len(unread) > 0 || len(calls) != 1 {
				t.Fatalf("%+v, %q, %v", calls, unread, err)
			}
			c := calls[0]
			if diff := cmp.Diff(tt.want, fmt.Sprint(c.Blocks, " ", c.Answer, " ", c.Already)); diff != "" || c.Caller != rollback.Admission {
				t.Errorf("%s: %+v", diff, c)
			}
			if (c.Reason == "") != (c.Answer == rollback.Answered) {
				t.Errorf("the reason is %q", c.Reason)
			}
		})
	}
}

func TestCallsUnread(t *testing.T) {
	key := put(t, callingWebhook(admissionv1.Fail, admissionv1.WebhookClientConfig{})).Key
	backup, _ := pair(t, []change{{Key: key, Value: []byte("k8s\x00\xff")}}, nil)
	calls, unread, err := rollback.Calls(t.Context(), backup, nil, rollback.Options{Prefix: prefix})
	if err != nil || len(calls) > 0 || len(unread) != 1 {
		t.Errorf("%+v, %q, %v", calls, unread, err)
	}
}
