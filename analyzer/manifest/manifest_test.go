package manifest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

func decode(t *testing.T, key kube.Key, value string) *kube.Object {
	t.Helper()
	if !json.Valid([]byte(value)) {
		t.Fatalf("no JSON: %s", value)
	}
	return kube.Decode(key, []byte(value))
}

func TestOf(t *testing.T) {
	const meta = `"metadata":{"name":"a","namespace":"shop","uid":"1","resourceVersion":"7","generation":2,"creationTimestamp":"2026-11-23T04:00:00Z","managedFields":[{"manager":"m"}]`
	tests := []struct {
		name, resource, value string
		opts                  Options
		want                  string   // the document
		dropped               []string // beside those of all objects
		notes                 int
	}{
		{
			name: "a custom resource keeps its status and the finalizers of its operator", resource: "widgets.lab.example.com",
			value: `{"apiVersion":"lab.example.com/v1","kind":"Widget",` + meta + `,"finalizers":["lab.example.com/f","foregroundDeletion"]},"status":{"ok":true}}`,
			want:  `{"apiVersion":"lab.example.com/v1","kind":"Widget","metadata":{"name":"a","namespace":"shop","finalizers":["lab.example.com/f"]},"status":{"ok":true}}`, dropped: []string{"metadata.finalizers[foregroundDeletion]"}, notes: 1,
		},
		{
			name: "a Service gives back its addresses", resource: "services",
			value:   `{"apiVersion":"v1","kind":"Service",` + meta + `},"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"type":"ClusterIP"},"status":{"loadBalancer":{}}}`,
			want:    `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"shop"},"spec":{"type":"ClusterIP"}}`,
			dropped: []string{"status", "spec.clusterIP", "spec.clusterIPs"},
		},
		{
			name: "a headless Service has chosen none", resource: "services",
			value:   `{"apiVersion":"v1","kind":"Service",` + meta + `},"spec":{"clusterIP":"None","clusterIPs":["None"]},"status":{"loadBalancer":{}}}`,
			want:    `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"shop"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}`,
			dropped: []string{"status"},
		},
		{
			name: "a Job loses what is made of its uid", resource: "jobs",
			value: `{"apiVersion":"batch/v1","kind":"Job",` + meta + `,"labels":{"app":"x","controller-uid":"1"}},"spec":{"selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"1"}},
				"template":{"metadata":{"labels":{"app":"x","batch.kubernetes.io/controller-uid":"1","controller-uid":"1","job-name":"a","batch.kubernetes.io/job-name":"a"}},"spec":{"containers":null}}},"status":{}}`,
			want: `{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a","namespace":"shop","labels":{"app":"x"}},"spec":{"template":{"metadata":{"labels":{"app":"x"}},"spec":{"containers":null}}}}`,
			dropped: []string{
				"status", "spec.selector", "spec.template.metadata.labels.controller-uid", "metadata.labels.controller-uid", "spec.template.metadata.labels.batch.kubernetes.io/controller-uid",
				"spec.template.metadata.labels.job-name", "spec.template.metadata.labels.batch.kubernetes.io/job-name",
			},
		},
		{
			name: "a Job with a selector of its own keeps it", resource: "jobs",
			value:   `{"apiVersion":"batch/v1","kind":"Job",` + meta + `},"spec":{"manualSelector":true,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":null}}},"status":{}}`,
			want:    `{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a","namespace":"shop"},"spec":{"manualSelector":true,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":null}}}}`,
			dropped: []string{"status"},
		},
		{
			name: "a pod gives back its node and its token", resource: "pods",
			value: `{"apiVersion":"v1","kind":"Pod",` + meta + `,"deletionTimestamp":"2026-11-23T04:00:00Z","deletionGracePeriodSeconds":30,"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"9"}]},
				"spec":{"nodeName":"n","priority":0,"preemptionPolicy":"PreemptLowerPriority","containers":[{"name":"c","resources":{},"volumeMounts":[{"name":"kube-api-access-x","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"},{"name":"d","mountPath":"/d"}]}],
				"volumes":[{"name":"kube-api-access-x","projected":{"sources":null}},{"name":"d","emptyDir":{}}]},"status":{}}`,
			want: `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop"},"spec":{"containers":[{"name":"c","resources":{},"volumeMounts":[{"name":"d","mountPath":"/d"}]}],"volumes":[{"name":"d","emptyDir":{}}]}}`,
			dropped: []string{
				"metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds", "status", "metadata.ownerReferences[ReplicaSet/r]", "spec.nodeName", "spec.priority", "spec.preemptionPolicy",
				"spec.volumes[kube-api-access-x]", "spec.containers[0].volumeMounts[kube-api-access-x]",
			},
		},
		{
			name: "before 1.22 the token was in a Secret", resource: "pods",
			value: `{"apiVersion":"v1","kind":"Pod",` + meta + `},"spec":{"containers":[{"name":"c","resources":{},"volumeMounts":[{"name":"default-token-x","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"},{"name":"own-token-d","mountPath":"/d"}]}],
				"volumes":[{"name":"default-token-x","secret":{"secretName":"default-token-x"}},{"name":"own-token-d","secret":{"secretName":"own-token-d"}}]},"status":{}}`,
			want:    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop"},"spec":{"containers":[{"name":"c","resources":{},"volumeMounts":[{"name":"own-token-d","mountPath":"/d"}]}],"volumes":[{"name":"own-token-d","secret":{"secretName":"own-token-d"}}]}}`,
			dropped: []string{"status", "spec.volumes[default-token-x]", "spec.containers[0].volumeMounts[default-token-x]"},
		},
		{
			name: "an owner that is there stays", resource: "configmaps", opts: Options{Exists: func(o Owner) bool { return o == Owner{"v1", "ConfigMap", "r", "9"} }},
			value:   `{"apiVersion":"v1","kind":"ConfigMap",` + meta + `,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"r","uid":"9"},{"apiVersion":"v1","kind":"ConfigMap","name":"r","uid":"8"}]}}`,
			want:    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"r","uid":"9"}]}}`,
			dropped: []string{"metadata.ownerReferences[ConfigMap/r]"},
		},
		{
			name: "owners can be kept", resource: "configmaps", opts: Options{KeepOwners: true},
			value: `{"apiVersion":"v1","kind":"ConfigMap",` + meta + `,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"r","uid":"9"}]}}`,
			want:  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"r","uid":"9"}]}}`,
		},
		{
			name: "a claim keeps its volume and loses that it is bound", resource: "persistentvolumeclaims",
			value:   `{"apiVersion":"v1","kind":"PersistentVolumeClaim",` + meta + `,"annotations":{"pv.kubernetes.io/bind-completed":"yes","mine":"x"},"finalizers":["kubernetes.io/pvc-protection"]},"spec":{"resources":{},"volumeName":"pv"},"status":{}}`,
			want:    `{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"a","namespace":"shop","annotations":{"mine":"x"}},"spec":{"resources":{},"volumeName":"pv"}}`,
			dropped: []string{"status", "metadata.finalizers[kubernetes.io/pvc-protection]", "metadata.annotations.pv.kubernetes.io/bind-completed"}, notes: 1,
		},
		{
			name: "a volume forgets the uid of its claim", resource: "persistentvolumes",
			value:   `{"apiVersion":"v1","kind":"PersistentVolume",` + strings.Replace(meta, `"namespace":"shop",`, "", 1) + `},"spec":{"claimRef":{"name":"c","namespace":"shop","uid":"3","resourceVersion":"5"},"persistentVolumeReclaimPolicy":"Delete"},"status":{}}`,
			want:    `{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"a"},"spec":{"claimRef":{"name":"c","namespace":"shop"},"persistentVolumeReclaimPolicy":"Delete"}}`,
			dropped: []string{"status", "spec.claimRef.uid", "spec.claimRef.resourceVersion"}, notes: 1,
		},
		{
			name: "a token's Secret is filled again", resource: "secrets", opts: Options{ShowSecrets: true},
			value:   `{"apiVersion":"v1","kind":"Secret",` + meta + `,"annotations":{"kubernetes.io/service-account.name":"d","kubernetes.io/service-account.uid":"4"}},"type":"kubernetes.io/service-account-token","data":{"token":"eA=="}}`,
			want:    `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"shop","annotations":{"kubernetes.io/service-account.name":"d"}},"type":"kubernetes.io/service-account-token"}`,
			dropped: []string{"metadata.annotations.kubernetes.io/service-account.uid", "data"},
		},
		{
			name: "a ServiceAccount keeps the Secrets that a person gave it", resource: "serviceaccounts",
			value:   `{"apiVersion":"v1","kind":"ServiceAccount",` + meta + `},"secrets":[{"name":"a-token-xyz"},{"name":"own"}]}`,
			want:    `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a","namespace":"shop"},"secrets":[{"name":"own"}]}`,
			dropped: []string{"secrets[a-token-xyz]"},
		},
		{
			name: "a version that is no longer served is named", resource: "ingresses.extensions",
			value:   `{"apiVersion":"extensions/v1beta1","kind":"Ingress",` + meta + `},"spec":{},"status":{"loadBalancer":{}}}`,
			want:    `{"apiVersion":"extensions/v1beta1","kind":"Ingress","metadata":{"name":"a","namespace":"shop"},"spec":{}}`,
			dropped: []string{"status"}, notes: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resource, group, _ := strings.Cut(tt.resource, ".")
			o := decode(t, kube.Key{Group: group, Resource: resource, Namespace: "shop", Name: "a"}, tt.value)
			m, err := Of(o, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, tt.want), generic(t, string(mustJSON(t, m.Document)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			var dropped []string
			for _, d := range m.Dropped {
				if d.Why != byServer {
					dropped = append(dropped, d.Path)
				}
			}
			if diff := cmp.Diff(tt.dropped, dropped); diff != "" {
				t.Errorf("dropped: -want +got:\n%s", diff)
			}
			if len(m.Notes) != tt.notes {
				t.Errorf("notes: %q", m.Notes)
			}
			raw, err := Of(o, Options{Raw: true, ShowSecrets: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, tt.value), generic(t, string(mustJSON(t, raw.Document)))); diff != "" {
				t.Errorf("raw: -want +got:\n%s", diff)
			}
		})
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func generic(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, resource, value string
		want                  error
	}{
		{"a Secret", "secrets", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}`, ErrSecret},
		{"a mirror pod", "pods", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"containers":null},"status":{}}`, ErrRemade},
		{"endpoints of a Service", "endpoints", `{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"a","labels":{"endpoints.kubernetes.io/managed-by":"endpoint-controller"}}}`, ErrRemade},
		{"the cluster's certificate", "configmaps", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kube-root-ca.crt"}}`, ErrRemade},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if m, err := Of(decode(t, kube.Key{Resource: tt.resource, Name: "a"}, tt.value), Options{}); !errors.Is(err, tt.want) {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
	if m, err := Of(kube.Decode(kube.Key{Resource: "pods", Name: "a"}, []byte("k8s\x00\xff")), Options{Raw: true}); err == nil {
		t.Errorf("of a damaged value: %v", m)
	}
}

func TestCompare(t *testing.T) {
	kinds := []string{"ValidatingWebhookConfiguration", "Pod", "Widget", "Deployment", "CustomResourceDefinition", "APIService", "Service", "Namespace"}
	slices.SortFunc(kinds, func(a, b string) int { return Compare(a, kube.Key{}, b, kube.Key{}) })
	want := []string{"Namespace", "CustomResourceDefinition", "Service", "Deployment", "Pod", "Widget", "APIService", "ValidatingWebhookConfiguration"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzOf makes manifests of anything: what is no object is refused, and what is made can
// be printed and is not what was decoded, changed.
func FuzzOf(f *testing.F) {
	f.Add("pods", []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","finalizers":[1],"ownerReferences":[{}]},"spec":{"containers":[{"volumeMounts":[{}]}],"volumes":[{"projected":{}}]}}`))
	f.Add("widgets.lab.example.com", []byte(`{"apiVersion":"lab.example.com/v1","kind":"Job","metadata":{"annotations":[],"labels":3},"spec":{"template":1}}`))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		resource, group, _ := strings.Cut(name, ".")
		o := kube.Decode(kube.Key{Group: group, Resource: resource, Namespace: "n", Name: "a"}, value)
		before := o.JSON(kube.PrintOptions{ShowSecrets: true})
		m, err := Of(o, Options{ShowSecrets: true})
		if after := o.JSON(kube.PrintOptions{ShowSecrets: true}); string(before) != string(after) {
			t.Error("the object was changed")
		}
		if err != nil {
			return
		}
		if _, err := kube.DocumentYAML(m.Document); err != nil {
			t.Error(err)
		}
	})
}
