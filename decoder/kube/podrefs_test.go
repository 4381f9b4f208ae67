package kube

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"revenant/decoder/wire"
)

// refersLikeDecode checks that ScanPodRefs misses nothing that the typed decoder
// finds. It returns whether that takes value for a pod.
func refersLikeDecode(t *testing.T, value []byte) bool {
	t.Helper()
	pod, ok := Decode(Key{}, value).Typed.(*corev1.Pod)
	if !ok {
		return false
	}
	got, err := ScanPodRefs(value)
	if err != nil {
		t.Errorf("ScanPodRefs refuses what Decode takes: %v", err)
		return true
	}
	want := PodRefsFrom(pod)
	for _, list := range []struct{ got, want []string }{{got.IPs, want.IPs}, {got.Claims, want.Claims}, {got.Secrets, want.Secrets}} {
		for _, name := range list.want {
			if name != "" && !slices.Contains(list.got, name) {
				t.Errorf("%q is missing in %q", name, list.got)
			}
		}
	}
	if want.Token && !got.Token {
		t.Error("the token is missing")
	}
	got.IPs, got.Claims, got.Secrets, got.Token = want.IPs, want.Claims, want.Secrets, want.Token
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ScanPodRefs reads something else than Decode (-):\n%s", diff)
	}
	return true
}

func TestScanPodRefsOfSnapshots(t *testing.T) {
	n := 0
	for _, r := range records(t) {
		if !strings.HasPrefix(r.key, "/registry/pods/") {
			continue
		}
		n++
		got, err := ScanPodRefs(r.value)
		if err != nil {
			t.Fatalf("%s: %s: %v", r.file, r.key, err)
		}
		want := PodRefsFrom(Decode(Key{}, r.value).Typed.(*corev1.Pod))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s (-):\n%s", r.file, r.key, diff)
		}
	}
	if n < 5000 {
		t.Errorf("only %d pods", n)
	}
}

func TestScanPodRefsOfChangedPods(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := [][]byte{envelope(t, "v1", "Pod", marshal(t, referringPod()))}
	values = append(values, pods(t, "scenario-1/plain/current.db.gz")...)
	ours := func(i int) []byte { return values[i%2*(i%len(values))] } // every other one
	sameOfChanged(t, r, 10_000, ours, refersLikeDecode)
}

// referringPod names a Secret wherever a PodRefs takes one from.
func referringPod() *corev1.Pod {
	ref := func(name string) *corev1.LocalObjectReference { return &corev1.LocalObjectReference{Name: name} }
	env := func(name string) []corev1.EnvVar {
		return []corev1.EnvVar{
			{Name: "A", Value: "b"},
			{Name: "B", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: *ref(name), Key: "k"}}},
		}
	}
	from := func(name string) []corev1.EnvFromSource {
		return []corev1.EnvFromSource{
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: *ref("a-configmap")}},
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: *ref(name)}},
		}
	}
	volume := func(name string, source corev1.VolumeSource) corev1.Volume {
		return corev1.Volume{Name: name, VolumeSource: source}
	}
	return &corev1.Pod{
		Spec: corev1.PodSpec{
			NodeName: "node-1", HostNetwork: true, ServiceAccountName: "account",
			ImagePullSecrets: []corev1.LocalObjectReference{*ref("pull")},
			Volumes: []corev1.Volume{
				volume("a", corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "mounted"}}),
				volume("b", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: *ref("a-configmap")}}),
				volume("c", corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "claim"}}),
				volume("d", corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
					{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}},
					{Secret: &corev1.SecretProjection{LocalObjectReference: *ref("projected")}},
				}}}),
				volume("e", corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "x", NodePublishSecretRef: ref("csi")}}),
				volume("f", corev1.VolumeSource{ISCSI: &corev1.ISCSIVolumeSource{SecretRef: ref("iscsi")}}),
				volume("g", corev1.VolumeSource{FlexVolume: &corev1.FlexVolumeSource{SecretRef: ref("flex")}}),
				volume("h", corev1.VolumeSource{AzureFile: &corev1.AzureFileVolumeSource{SecretName: "azure"}}),
			},
			Containers:          []corev1.Container{{Name: "c", Env: env("env"), EnvFrom: from("from")}},
			InitContainers:      []corev1.Container{{Name: "i", Env: env("init-env"), EnvFrom: from("init-from")}},
			EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e", Env: env("debug-env"), EnvFrom: from("debug-from")}}},
		},
		Status: corev1.PodStatus{Phase: "Running", PodIP: "10.0.0.1", PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}, {IP: "fd00::1"}}},
	}
}

func TestScanPodRefs(t *testing.T) {
	want := PodRefs{
		NodeName: "node-1", Phase: "Running", HostNetwork: true, ServiceAccount: "account", Token: true,
		IPs:    []string{"10.0.0.1", "fd00::1"},
		Claims: []string{"claim"},
		Secrets: []string{
			"azure", "csi", "debug-env", "debug-from", "env", "flex", "from", "init-env", "init-from", "iscsi", "mounted", "projected", "pull",
		},
	}
	raw := marshal(t, referringPod())
	tests := []struct {
		name  string
		value []byte
		want  PodRefs
		err   error // nil for none
	}{
		{"everything", envelope(t, "v1", "Pod", raw), want, nil},
		{"nothing", envelope(t, "v1", "Pod", nil), PodRefs{}, nil},
		{"one address, of an old cluster", envelope(t, "v1", "Pod", pb(nil, 3, pb(nil, 6, []byte("10.0.0.9")))), PodRefs{IPs: []string{"10.0.0.9"}}, nil},
		{"JSON", []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"imagePullSecrets":[{"name":"s"}]}}`), PodRefs{Secrets: []string{"s"}}, nil},
		{"another kind", envelope(t, "v1", "Node", nil), PodRefs{}, ErrWrongKind},
		{"cut off", envelope(t, "v1", "Pod", raw[:len(raw)-1]), PodRefs{}, wire.ErrTruncated},
		{"host network is text", envelope(t, "v1", "Pod", pb(nil, 2, pb(nil, 11, []byte("x")))), PodRefs{}, wire.ErrType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ScanPodRefs(tt.value)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error is %v, want %v", err, tt.err)
			}
			slices.Sort(got.Secrets)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("refs (-want):\n%s", diff)
			}
		})
	}
	from := PodRefsFrom(referringPod())
	slices.Sort(from.Secrets)
	if diff := cmp.Diff(want, from); diff != "" {
		t.Errorf("PodRefsFrom (-want):\n%s", diff)
	}
}

func FuzzScanPodRefs(f *testing.F) {
	f.Add(marshal(f, referringPod()))
	for _, value := range pods(f, "rows/plain/current.db.gz")[:20] {
		if e, err := ParseEnvelope(value); err == nil {
			f.Add(e.Raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) <= math.MaxUint16 {
			refersLikeDecode(t, envelope(t, "v1", "Pod", raw))
		}
	})
}

func BenchmarkScanPodRefs(b *testing.B) {
	values := pods(b, "scenario-1/plain/current.db.gz")
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := ScanPodRefs(values[n%len(values)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pods/s")
}
