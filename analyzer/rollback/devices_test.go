package rollback_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// resourceClaim has devices of the driver gpu.example.com, pool node-1.
func resourceClaim(name string, devices ...string) *resourcev1.ResourceClaim {
	c := &resourcev1.ResourceClaim{ObjectMeta: named(name)}
	if len(devices) > 0 {
		c.Status.Allocation = &resourcev1.AllocationResult{}
	}
	for _, d := range devices {
		one := resourcev1.DeviceRequestAllocationResult{Request: "r", Driver: "gpu.example.com", Pool: "node-1", Device: strings.TrimSuffix(d, "+admin")}
		if d != one.Device {
			admin := true
			one.AdminAccess = &admin
		}
		c.Status.Allocation.Devices.Results = append(c.Status.Allocation.Devices.Results, one)
	}
	return c
}

func reserved(c *resourcev1.ResourceClaim, pods ...string) *resourcev1.ResourceClaim {
	return reservedFor(c, "", "pods", pods...)
}

// reservedFor reserves a claim for objects of a group and a resource.
func reservedFor(c *resourcev1.ResourceClaim, group, resource string, names ...string) *resourcev1.ResourceClaim {
	for _, p := range names {
		c.Status.ReservedFor = append(c.Status.ReservedFor, resourcev1.ResourceClaimConsumerReference{APIGroup: group, Resource: resource, Name: p, UID: types.UID("uid-" + p)})
	}
	return c
}

func madeFor(c *resourcev1.ResourceClaim, pod string) *resourcev1.ResourceClaim {
	c.Annotations = map[string]string{"resource.kubernetes.io/pod-claim-name": "gpu"}
	c.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: pod}}
	return c
}

func shareOf(c *resourcev1.ResourceClaim, share string) *resourcev1.ResourceClaim {
	id := types.UID(share)
	c.Status.Allocation.Devices.Results[0].ShareID = &id
	return c
}

// inJSON stores a claim as JSON in another version of its group.
func inJSON(t testing.TB, c *resourcev1.ResourceClaim, version string) raw {
	t.Helper()
	key := put(t, c).Key
	c.SetGroupVersionKind(resourcev1.SchemeGroupVersion.WithKind("ResourceClaim"))
	c.APIVersion = "resource.k8s.io/" + version
	value, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw{key: key, value: string(value)}
}

// of lists the findings of the ids that start so.
func of(t *testing.T, before, after []runtime.Object, prefixes ...string) (list []string) {
	t.Helper()
	backup, current := pair(t, changes(t, before), changes(t, after))
	for _, f := range compare(t, backup, current).Findings {
		for _, p := range prefixes {
			if strings.HasPrefix(string(f.ID), p) {
				list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s: %s", f.ID, f.Severity, f.Certainty, f.Name, f.Reason)))
				if len(f.Evidence) == 0 {
					t.Errorf("no evidence: %+v", f)
				}
			}
		}
	}
	return list
}

// TestDevices says which devices have two owners after the restore, or none.
func TestDevices(t *testing.T) {
	ns := namespace("ns")
	encrypted := raw{key: "/registry/resourceclaims/ns/other", value: "k8s:enc:aescbc:v1:key1:abc"}
	tests := []struct {
		name          string
		before, after []runtime.Object
		want          []string
	}{
		{"a claim was made and allocated, for a pod that was made since", []runtime.Object{ns},
			[]runtime.Object{madeFor(reserved(resourceClaim("ns/p-gpu-x", "gpu-0", "gpu-1"), "p"), "p"), pod("ns/p")},
			[]string{"device-free-again critical possible p-gpu-x: has in the current state what is free in the backup: gpu.example.com/node-1/gpu-0, gpu.example.com/node-1/gpu-1; used by p on node-1, which the backup does not have"}},
		{"a claim was allocated, for a pod that stays", []runtime.Object{ns, resourceClaim("ns/c"), pod("ns/p")},
			[]runtime.Object{reserved(resourceClaim("ns/c", "gpu-0"), "p")},
			[]string{"device-free-again critical possible c: has in the current state what is free in the backup: gpu.example.com/node-1/gpu-0; used by p on node-1"}},
		{"nobody uses it", []runtime.Object{ns, resourceClaim("ns/c"), pod("ns/p")},
			[]runtime.Object{reserved(resourceClaim("ns/c", "gpu-0"), "p", "gone"), pod("ns/p", phase("Succeeded"))},
			[]string{"device-free-again warning possible c: has in the current state what is free in the backup: gpu.example.com/node-1/gpu-0; no pod that runs uses it"}},
		{"no pod uses it, but a namesake of another group and one of another kind", []runtime.Object{ns, resourceClaim("ns/c"), pod("ns/p")},
			[]runtime.Object{reservedFor(reservedFor(resourceClaim("ns/c", "gpu-0"), "example.com", "pods", "p"), "", "podgroups", "p")},
			[]string{"device-free-again warning possible c: has in the current state what is free in the backup: gpu.example.com/node-1/gpu-0; no pod that runs uses it"}},
		{"a device went from one claim to another", []runtime.Object{ns, reserved(resourceClaim("ns/old", "gpu-0"), "a"), pod("ns/a")},
			[]runtime.Object{deleted{resourceClaim("ns/old")}, deleted{pod("ns/a")}, reserved(resourceClaim("ns/new", "gpu-0"), "b"), pod("ns/b")},
			[]string{
				"device-allocated-elsewhere critical possible new: has in the current state what another claim has in the backup: gpu.example.com/node-1/gpu-0, there of ns/old, reserved for a; used by b on node-1, which the backup does not have",
				"device-claimed-again warning possible old: has gpu.example.com/node-1/gpu-0 in the backup, reserved for a, and is gone in the current state",
			}},
		{"a claim was deallocated", []runtime.Object{ns, madeFor(reserved(resourceClaim("ns/c", "gpu-0"), "a"), "a")}, []runtime.Object{madeFor(resourceClaim("ns/c"), "a")},
			[]string{"device-claimed-again warning possible c: has gpu.example.com/node-1/gpu-0 in the backup, reserved for a, made for pod a, and has none in the current state"}},
		{"a claim was allocated again", []runtime.Object{ns, resourceClaim("ns/c", "gpu-0"), pod("ns/p")}, []runtime.Object{reserved(resourceClaim("ns/c", "gpu-1"), "p")},
			[]string{
				"device-free-again critical possible c: has in the current state what is free in the backup: gpu.example.com/node-1/gpu-1; used by p on node-1",
				"device-claimed-again warning possible c: has gpu.example.com/node-1/gpu-0 in the backup, and has other devices in the current state",
			}},
		{"a claim was recreated and has the same", []runtime.Object{ns, resourceClaim("ns/c", "gpu-0"), pod("ns/p")}, []runtime.Object{deleted{resourceClaim("ns/c")}, reserved(resourceClaim("ns/c", "gpu-0"), "p")},
			[]string{
				"device-allocated-elsewhere critical possible c: has in the current state what another claim has in the backup: gpu.example.com/node-1/gpu-0, there of ns/c; used by p on node-1",
				"device-claimed-again warning possible c: has gpu.example.com/node-1/gpu-0 in the backup, and was recreated since",
			}},
		{"only its reservations changed", []runtime.Object{ns, reserved(resourceClaim("ns/c", "gpu-0"), "a")}, []runtime.Object{reserved(resourceClaim("ns/c", "gpu-0"), "b"), pod("ns/b")}, nil},
		{"the pod that it is reserved for cannot be read", []runtime.Object{ns}, []runtime.Object{reserved(resourceClaim("ns/c", "gpu-0"), "p"), raw{key: "/registry/pods/ns/p", value: encrypted.value}},
			[]string{
				"device-free-again critical possible c: has in the current state what is free in the backup: gpu.example.com/node-1/gpu-0; used by p, which cannot be read",
				`unreadable warning certain : 1 value could not be read, the first because: encrypted by aescbc with key "key1"`,
			}},
		{"the same claim", []runtime.Object{ns, reserved(resourceClaim("ns/c", "gpu-0"), "a")}, []runtime.Object{pod("ns/a")}, nil},
		{"one that was not allocated came and went", []runtime.Object{ns, resourceClaim("ns/c")}, []runtime.Object{deleted{resourceClaim("ns/c")}, resourceClaim("ns/d")}, nil},
		{"administrative access", []runtime.Object{ns}, []runtime.Object{reserved(resourceClaim("ns/c", "gpu-0+admin"), "p"), pod("ns/p")}, nil},
		{"another share of a device", []runtime.Object{ns, shareOf(resourceClaim("ns/a", "gpu-0"), "s1")}, []runtime.Object{reserved(shareOf(resourceClaim("ns/b", "gpu-0"), "s2"), "p"), pod("ns/p")},
			[]string{"device-free-again critical possible b: has in the current state what is free in the backup: share s2 of gpu.example.com/node-1/gpu-0; used by p on node-1, which the backup does not have"}},
		{"older versions", []runtime.Object{ns, inJSON(t, resourceClaim("ns/old", "gpu-0"), "v1beta1")},
			[]runtime.Object{deleted{resourceClaim("ns/old")}, inJSON(t, reserved(resourceClaim("ns/new", "gpu-0"), "b"), "v1beta2"), pod("ns/b")},
			[]string{
				"device-allocated-elsewhere critical possible new: has in the current state what another claim has in the backup: gpu.example.com/node-1/gpu-0, there of ns/old; used by b on node-1, which the backup does not have",
				"device-claimed-again warning possible old: has gpu.example.com/node-1/gpu-0 in the backup, and is gone in the current state",
			}},
		{"claims that cannot be read", []runtime.Object{ns, encrypted}, []runtime.Object{deleted{resourceClaim("ns/other")}, reserved(resourceClaim("ns/c", "gpu-0"), "p"), pod("ns/p")},
			[]string{
				"device-free-again critical possible c: has in the current state what is free in the backup: gpu.example.com/node-1/gpu-0; used by p on node-1, which the backup does not have (not all claims of the backup could be read)",
				`unreadable warning certain : 1 value could not be read, the first because: encrypted by aescbc with key "key1"`,
			}},
		{"another kind in the place of a claim", []runtime.Object{ns, raw{key: "/registry/resourceclaims/ns/other", value: `{"apiVersion":"v1","kind":"Pod"}`}}, []runtime.Object{deleted{resourceClaim("ns/other")}},
			[]string{`unreadable warning certain : 1 value could not be read, the first because: wrong kind of object`}},
		{"a claim that had devices can be read no longer", []runtime.Object{ns, resourceClaim("ns/other", "gpu-0")}, []runtime.Object{encrypted},
			[]string{`unreadable warning certain : 1 value could not be read, the first because: encrypted by aescbc with key "key1"`}},
		{"the claim that is allocated cannot be read", []runtime.Object{ns}, []runtime.Object{encrypted},
			[]string{`unreadable warning certain : 1 value could not be read, the first because: encrypted by aescbc with key "key1"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backwards(t, changes(t, tt.before), changes(t, tt.after))
			if diff := cmp.Diff(tt.want, of(t, tt.before, tt.after, "device-", "unreadable")); diff != "" {
				t.Errorf("findings (-want):\n%s", diff)
			}
		})
	}
}

func certified(p *corev1.Pod) {
	mount(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{PodCertificate: &corev1.PodCertificateProjection{SignerName: "example.com/s", KeyType: "ED25519"}},
	}}})(p)
}

func certificateRequest(name, pod string, age time.Duration, conditions ...string) *certificatesv1.PodCertificateRequest {
	r := &certificatesv1.PodCertificateRequest{ObjectMeta: named(name), Spec: certificatesv1.PodCertificateRequestSpec{SignerName: "example.com/s", PodName: pod}}
	r.CreationTimestamp = metav1.NewTime(takenAt.Add(-age))
	for _, c := range conditions {
		r.Status.Conditions = append(r.Status.Conditions, metav1.Condition{Type: c, Status: metav1.ConditionTrue})
	}
	return r
}

// TestPodCertificates says what becomes of the certificates of pods.
func TestPodCertificates(t *testing.T) {
	ns := namespace("ns")
	request := func(conditions ...string) *certificatesv1.PodCertificateRequest {
		return certificateRequest("ns/r", "p", time.Minute, conditions...)
	}
	tests := []struct {
		name          string
		before, after []runtime.Object
		want          []string
	}{
		{"pods with certificates were made", []runtime.Object{ns, pod("ns/stays", certified), pod("ns/again", certified)},
			[]runtime.Object{pod("ns/new", certified), pod("ns/done", certified, phase("Failed")), pod("ns/without"), deleted{pod("ns/again")}, pod("ns/again", certified)},
			[]string{"pod-certificate-of-phantoms warning possible : 2 pods with certificates only in the current state: ns/again, ns/new"}},
		{"a request that waits is lost, its pod stays", []runtime.Object{ns, pod("ns/p", certified)}, []runtime.Object{request()},
			[]string{"pod-certificate-request-lost warning possible r: only in the current state, not answered yet: of signer example.com/s for pod p, which both snapshots have"}},
		{"an answered request is lost", []runtime.Object{ns, pod("ns/p", certified)}, []runtime.Object{request("Issued")}, nil},
		{"a request waits in both", []runtime.Object{ns, pod("ns/p", certified), request()}, []runtime.Object{labelled(request())}, nil},
		{"a request of a phantom is lost", []runtime.Object{ns}, []runtime.Object{pod("ns/p", certified), request()},
			[]string{"pod-certificate-of-phantoms warning possible : 1 pod with certificates only in the current state: ns/p"}},
		{"a request that waited comes back", []runtime.Object{ns, request()}, []runtime.Object{deleted{request()}},
			[]string{"pod-certificate-requested-again warning possible r: not answered in the backup, gone in the current state: of signer example.com/s for pod p"}},
		{"an old request that waited comes back", []runtime.Object{ns, certificateRequest("ns/r", "p", time.Hour)}, []runtime.Object{deleted{request()}},
			[]string{"pod-certificate-requested-again ok possible r: not answered in the backup, gone in the current state: of signer example.com/s for pod p; older than 30 minutes, so it is soon deleted"}},
		{"a request was answered", []runtime.Object{ns, request()}, []runtime.Object{request("Denied")},
			[]string{"pod-certificate-requested-again warning possible r: not answered in the backup, answered since: of signer example.com/s for pod p"}},
		{"an answered request comes back", []runtime.Object{ns, request("Issued")}, []runtime.Object{deleted{request()}}, nil},
		{"a request that cannot be read", []runtime.Object{ns, raw{key: "/registry/podcertificaterequests/ns/r", value: "k8s:enc:aescbc:v1:key1:abc"}}, []runtime.Object{deleted{request()}},
			[]string{`unreadable warning certain : 1 value could not be read, the first because: encrypted by aescbc with key "key1"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backwards(t, changes(t, tt.before), changes(t, tt.after))
			if diff := cmp.Diff(tt.want, of(t, tt.before, tt.after, "pod-certificate-", "unreadable")); diff != "" {
				t.Errorf("findings (-want):\n%s", diff)
			}
		})
	}
}
