package rollback_test

//lint:file-ignore SA1019 API servers store Endpoints to this day

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/rollback"
	"revenant/decoder/snapshot"
)

// converting makes a webhook behind the Service convert between the versions of a
// definition, in the version in which API servers store it.
func converting(d *unstructured.Unstructured, service, ca string) *unstructured.Unstructured {
	d.SetAPIVersion("apiextensions.k8s.io/v1beta1")
	client := map[string]any{"caBundle": ca}
	if ns, name, ok := strings.Cut(service, "/"); ok && !strings.Contains(service, "://") {
		client["service"] = map[string]any{"namespace": ns, "name": name}
	} else {
		client["url"] = service
	}
	d.Object["spec"].(map[string]any)["conversion"] = map[string]any{"strategy": "Webhook", "webhookClientConfig": client}
	return d
}

func apiService(name, service string) *unstructured.Unstructured {
	a := custom("apiregistration.k8s.io/v1", "APIService", name)
	version, group, _ := strings.Cut(name, ".")
	spec := map[string]any{"caBundle": "eA==", "group": group, "version": version, "groupPriorityMinimum": int64(100), "versionPriority": int64(100)}
	if ns, n, ok := strings.Cut(service, "/"); ok {
		spec["service"] = map[string]any{"namespace": ns, "name": n}
	}
	a.Object["spec"] = spec
	return a
}

func ofVersion(o *unstructured.Unstructured, version string) *unstructured.Unstructured {
	o.SetAPIVersion(version)
	return o
}

// machine has the endpoints of a slice be virtual machines.
func machine(s *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	for i := range s.Endpoints {
		s.Endpoints[i].TargetRef.Kind = "VirtualMachine"
	}
	return s
}

func addressless(s *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	for i := range s.Endpoints {
		s.Endpoints[i].Addresses = nil
	}
	return s
}

func outside(name string, addresses ...string) *discoveryv1.EndpointSlice {
	s := endpoints(name)
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}})
	}
	return s
}

func external(s *corev1.Service) *corev1.Service {
	s.Spec.Type = corev1.ServiceTypeExternalName
	return s
}

// oldEndpoints has an address for each "pod ip", "Kind/name ip" or "ip".
func oldEndpoints(name string, addresses ...string) *corev1.Endpoints {
	var subset corev1.EndpointSubset
	for _, a := range addresses {
		target, ip, ok := strings.Cut(a, " ")
		if !ok {
			subset.Addresses = append(subset.Addresses, corev1.EndpointAddress{IP: a})
			continue
		}
		ref := &corev1.ObjectReference{Kind: "Pod", Name: target}
		if kind, name, ok := strings.Cut(target, "/"); ok {
			ref.Kind, ref.Name = kind, name
		}
		subset.Addresses = append(subset.Addresses, corev1.EndpointAddress{IP: ip, TargetRef: ref})
	}
	return &corev1.Endpoints{ObjectMeta: named(name), Subsets: []corev1.EndpointSubset{subset}}
}

// TestUnbacked says behind which Services nothing answers after the restore, whatever
// calls them.
func TestUnbacked(t *testing.T) {
	var (
		old, young = pod("ns/old", ip("10.0.0.1")), pod("ns/new", ip("10.0.0.2"))
		svc        = service("ns/hook", "10.96.0.1", 0)
		dead       = []runtime.Object{namespace("ns"), svc, old, endpoints("ns/hook-abcde", "old 10.0.0.1")}
		moved      = []runtime.Object{deleted{old}, young, endpoints("ns/hook-abcde", "new 10.0.0.2")}
		gone       = "whose endpoints in the backup have no running pod"
		unknown    = "whose pods in the current state cannot all be read: whether one of them runs is not known"
	)
	// what calls ns/hook, how the finding begins, and which
	callers := []struct {
		name     string
		caller   []runtime.Object
		id, what string
	}{
		{"webhook", []runtime.Object{webhooks("w", "Fail", "ns/hook")}, "webhook-unbacked critical", "webhook w.example.com calls Service ns/hook, %s"},
		{"conversion", []runtime.Object{converting(definition("Widget", "v1", "v2"), "ns/hook", "eA=="), custom("example.com/v1", "Widget", "ns/a"), custom("example.com/v2", "Widget", "ns/b")},
			"conversion-unbacked critical", "its conversion webhook calls Service ns/hook, %s; 2 objects in the backup (1 in version v1, 1 in version v2), served as v1, v2"},
		{"conversion of nothing yet", []runtime.Object{converting(definition("Widget", "v1", "v2"), "ns/hook", "eA==")},
			"conversion-unbacked warning", "its conversion webhook calls Service ns/hook, %s; the backup has no object of it"},
		{"conversion of what is stored in a version that is not served", []runtime.Object{converting(definition("Widget", "v1"), "ns/hook", "eA=="), custom("example.com/v0", "Widget", "ns/a")},
			"conversion-unbacked critical", "its conversion webhook calls Service ns/hook, %s; 1 object in the backup (1 in version v0), served as v1"},
		{"API service of the first version", []runtime.Object{ofVersion(apiService("v1beta1.metrics.k8s.io", "ns/hook"), "apiregistration.k8s.io/v1beta1")}, "apiservice-unbacked warning", "the APIService calls Service ns/hook, %s"},
		{"API service", []runtime.Object{apiService("v1beta1.metrics.k8s.io", "ns/hook")}, "apiservice-unbacked warning", "the APIService calls Service ns/hook, %s"},
	}
	cases := []struct {
		name          string
		before, after []runtime.Object
		want          string // certainty and why; "" for no finding
	}{
		{"its pods were replaced", dead, moved, "possible " + gone},
		{"the same pods", dead, nil, ""},
		{"one of its pods stays", append(dead, endpoints("ns/hook-fghij", "old 10.0.0.1", "stays 10.0.0.3"), pod("ns/stays", ip("10.0.0.3"))), moved, ""},
		{"nothing answers now, either", dead, []runtime.Object{deleted{old}}, ""},
		{"the Service was made after it", []runtime.Object{namespace("ns"), young}, []runtime.Object{svc, endpoints("ns/hook-abcde", "new 10.0.0.2")}, "certain which the backup does not have"},
		{"endpoints outside of the cluster", []runtime.Object{namespace("ns"), svc, outside("ns/hook-abcde", "192.0.2.1")}, []runtime.Object{outside("ns/hook-abcde", "192.0.2.2")}, ""},
		{"endpoints outside of the cluster that are not ready", []runtime.Object{namespace("ns"), svc, notReady(outside("ns/hook-abcde", "192.0.2.1"), 0)}, []runtime.Object{young, endpoints("ns/hook-abcde", "new 10.0.0.2")}, "possible " + gone},
		{"endpoints outside of the cluster that say that they are ready", []runtime.Object{namespace("ns"), svc, notReady(outside("ns/hook-abcde", "192.0.2.1"))}, []runtime.Object{young, endpoints("ns/hook-abcde", "new 10.0.0.2")}, ""},
		{"a slice of another Service, whose name begins like that", []runtime.Object{namespace("ns"), svc, old, pod("ns/stays", ip("10.0.0.3")), endpoints("ns/hook-abcde", "old 10.0.0.1"), endpoints("ns/hook-web-abcde", "stays 10.0.0.3")}, moved, "possible " + gone},
		{"an endpoint outside of the cluster without an address", []runtime.Object{namespace("ns"), svc, addressless(outside("ns/hook-abcde", "192.0.2.1"))}, []runtime.Object{young, endpoints("ns/hook-abcde", "new 10.0.0.2")}, "possible " + gone},
		{"a slice of what is no pod", []runtime.Object{namespace("ns"), svc, machine(endpoints("ns/hook-abcde", "vm 192.0.2.1"))}, []runtime.Object{young, endpoints("ns/hook-abcde", "new 10.0.0.2")}, ""},
		{"its pod can be read no longer", dead, []runtime.Object{raw{key: "/registry/pods/ns/old", value: "k8s:enc:aescbc:v1:key1:abc"}, young, endpoints("ns/hook-abcde", "new 10.0.0.2")}, "possible " + unknown},
		{"what answers now cannot be read", dead, []runtime.Object{deleted{old}, raw{key: "/registry/pods/ns/new", value: "k8s:enc:aescbc:v1:key1:abc"}, endpoints("ns/hook-abcde", "new 10.0.0.2")}, "possible " + gone},
		{"where it is said what answers now cannot be read", dead, []runtime.Object{deleted{old}, young, raw{key: "/registry/endpointslices/ns/hook-abcde", value: "k8s:enc:aescbc:v1:key1:abc"}}, "possible " + gone},
		{"its pod can be read no longer, another answers", append(dead, endpoints("ns/hook-fghij", "stays 10.0.0.3"), pod("ns/stays", ip("10.0.0.3"))),
			[]runtime.Object{raw{key: "/registry/pods/ns/old", value: "k8s:enc:aescbc:v1:key1:abc"}, young, endpoints("ns/hook-abcde", "new 10.0.0.2")}, ""},
		{"such endpoints, and its pod can be read no longer", []runtime.Object{namespace("ns"), svc, old, oldEndpoints("ns/hook", "old 10.0.0.1")},
			[]runtime.Object{raw{key: "/registry/pods/ns/old", value: "k8s:enc:aescbc:v1:key1:abc"}, young, oldEndpoints("ns/hook", "new 10.0.0.2")}, "possible " + unknown},
		{"an external name", []runtime.Object{namespace("ns"), external(svc.DeepCopy())}, []runtime.Object{labelled(external(svc.DeepCopy()))}, ""},
		{"endpoints before there were slices", []runtime.Object{namespace("ns"), svc, old, oldEndpoints("ns/hook", "old 10.0.0.1")}, []runtime.Object{deleted{old}, young, oldEndpoints("ns/hook", "new 10.0.0.2")}, "possible " + gone},
		{"such endpoints, and the same pod", []runtime.Object{namespace("ns"), svc, old, oldEndpoints("ns/hook", "old 10.0.0.1")}, nil, ""},
		{"such endpoints, and one of two pods", []runtime.Object{namespace("ns"), svc, old, pod("ns/stays", ip("10.0.0.3")), oldEndpoints("ns/hook", "stays 10.0.0.3", "old 10.0.0.1")},
			[]runtime.Object{deleted{old}, young, oldEndpoints("ns/hook", "new 10.0.0.2")}, ""},
		{"such endpoints outside of the cluster", []runtime.Object{namespace("ns"), svc, oldEndpoints("ns/hook", "192.0.2.1")}, []runtime.Object{young, oldEndpoints("ns/hook", "new 10.0.0.2")}, ""},
		{"such endpoints of no pod", []runtime.Object{namespace("ns"), svc, oldEndpoints("ns/hook", "VirtualMachine/vm 192.0.2.1")}, []runtime.Object{young, oldEndpoints("ns/hook", "new 10.0.0.2")}, ""},
		{"such endpoints that cannot be read", []runtime.Object{namespace("ns"), svc, old, raw{key: "/registry/services/endpoints/ns/hook", value: "k8s:enc:aescbc:v1:key1:abc"}},
			[]runtime.Object{deleted{old}, young, oldEndpoints("ns/hook", "new 10.0.0.2")}, "possible whose endpoints in the backup cannot all be read: whether a pod of them runs is not known"},
		{"no endpoints yet", []runtime.Object{namespace("ns"), svc}, []runtime.Object{young, endpoints("ns/hook-abcde", "new 10.0.0.2")}, "possible " + gone},
		{"endpoints that cannot be read", []runtime.Object{namespace("ns"), svc, old, raw{key: "/registry/endpointslices/ns/hook-abcde", value: "k8s:enc:aescbc:v1:key1:abc"}}, moved,
			"possible whose endpoints in the backup cannot all be read: whether a pod of them runs is not known"},
	}
	for _, caller := range callers {
		for _, tt := range cases {
			t.Run(caller.name+"/"+tt.name, func(t *testing.T) {
				backup, current := pair(t, changes(t, append(tt.before[:len(tt.before):len(tt.before)], caller.caller...)), changes(t, tt.after))
				want := []string(nil)
				if certainty, why, ok := strings.Cut(tt.want, " "); ok {
					want = []string{caller.id + " " + certainty + ": " + fmt.Sprintf(caller.what, why)}
				}
				if diff := cmp.Diff(want, unbacked(t, backup, current)); diff != "" {
					t.Errorf("findings (-want):\n%s", diff)
				}
				if caller.name == "webhook" || tt.name == "its pods were replaced" {
					hold(t, called(t, backup, current)+"alone: "+called(t, backup, nil))
				}
			})
		}
	}
	t.Run("conversion of nothing but what was made since", func(t *testing.T) {
		widgets := converting(definition("Widget", "v1", "v2"), "ns/hook", "eA==")
		backup, current := pair(t, changes(t, append(dead[:len(dead):len(dead)], widgets)), changes(t, append(moved[:len(moved):len(moved)], custom("example.com/v1", "Widget", "ns/a"))))
		want := []string{"conversion-unbacked warning possible: its conversion webhook calls Service ns/hook, " + gone + "; the backup has no object of it"}
		if diff := cmp.Diff(want, unbacked(t, backup, current)); diff != "" {
			t.Errorf("findings (-want):\n%s", diff)
		}
	})
	// what calls nothing of the kind
	for name, caller := range map[string][]runtime.Object{
		"a conversion by URL":             {converting(definition("Widget", "v1", "v2"), "https://example.com", "eA=="), custom("example.com/v1", "Widget", "ns/a")},
		"no conversion":                   {definition("Widget", "v1", "v2"), custom("example.com/v1", "Widget", "ns/a")},
		"one version, and nothing else":   {converting(definition("Widget", "v1"), "ns/hook", "eA=="), custom("example.com/v1", "Widget", "ns/a")},
		"a local APIService":              {apiService("v1.apps", "")},
		"a webhook that may fail":         {webhooks("w", "Ignore", "ns/hook")},
		"one version and no object of it": {converting(definition("Widget", "v1"), "ns/hook", "eA==")},
	} {
		t.Run(name, func(t *testing.T) {
			backup, current := pair(t, changes(t, append(dead[:len(dead):len(dead)], caller...)), changes(t, moved))
			if got := unbacked(t, backup, current); got != nil {
				t.Errorf("findings %q", got)
			}
			hold(t, called(t, backup, current))
		})
	}
}

// called is what an API server of the backup calls.
func called(t *testing.T, backup, current *snapshot.Snapshot) string {
	t.Helper()
	calls, unread, err := rollback.Calls(t.Context(), backup, current, rollback.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "%s of %s %q to %s: %s", c.Caller, c.Object, c.Name, c.Service, c.Answer)
		if c.Blocks {
			b.WriteString(", blocks")
		}
		if c.Already {
			b.WriteString(", already")
		}
		fmt.Fprintf(&b, "; %s; CA %q; by %d\n", c.Reason, c.CABundle, len(c.Evidence))
	}
	for _, u := range unread {
		b.WriteString("not read: " + u + "\n")
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

func unbacked(t *testing.T, backup, current *snapshot.Snapshot) (list []string) {
	t.Helper()
	for _, f := range compare(t, backup, current).Findings {
		if strings.HasSuffix(string(f.ID), "-unbacked") {
			list = append(list, fmt.Sprintf("%s %s %s: %s", f.ID, f.Severity, f.Certainty, f.Reason))
			if len(f.Evidence) == 0 {
				t.Errorf("no evidence: %+v", f)
			}
		}
	}
	return list
}

// TestConversionCA: a conversion webhook that trusts another certificate in the backup is reported as one
// of admission is.
func TestConversionCA(t *testing.T) {
	with := func(ca string) *unstructured.Unstructured {
		return converting(definition("Widget", "v1", "v2"), "https://example.com", ca)
	}
	for name, tt := range map[string]struct {
		before, after *unstructured.Unstructured
		want          int
	}{
		"another": {with("eA=="), labelled(with("eQ==")), 1}, "the same": {with("eA=="), labelled(with("eA==")), 0},
		"none before": {definition("Widget", "v1", "v2"), with("eA=="), 0}, "none since": {with("eA=="), definition("Widget", "v1", "v2"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			backup, current := pair(t, changes(t, []runtime.Object{tt.before}), changes(t, []runtime.Object{tt.after}))
			if r := compare(t, backup, current); r.Summary[rollback.WebhookCA] != tt.want {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

// TestStoredDefinition: definitions are compared in the version in which API servers store them.
func TestStoredDefinition(t *testing.T) {
	beta := func(d *unstructured.Unstructured) *unstructured.Unstructured {
		d.SetAPIVersion("apiextensions.k8s.io/v1beta1")
		return d
	}
	backup, current := pair(t,
		changes(t, []runtime.Object{beta(definition("Widget", "v1alpha1", "v1")), custom("example.com/v1alpha1", "Widget", "ns/w")}),
		changes(t, []runtime.Object{beta(definition("Widget", "v1")), beta(definition("New", "v1")), custom("example.com/v1", "New", "ns/n")}))
	r := compare(t, backup, current)
	if r.Summary[rollback.DefinitionVersion] != 1 || r.Summary[rollback.DefinitionLost] != 1 || r.Summary[rollback.Unreadable] != 0 {
		t.Errorf("%+v", r.Findings)
	}
}
