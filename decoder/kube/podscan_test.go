package kube

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/decoder/wire"
)

// scansLikeDecode compares ScanPod with the typed decoder. It returns whether
// that takes value for a pod.
func scansLikeDecode(t *testing.T, value []byte) bool {
	t.Helper()
	pod, ok := Decode(Key{}, value).Typed.(*corev1.Pod)
	if !ok {
		return false
	}
	got, err := ScanPod(value)
	want := PodFrom(pod)
	if errors.Is(err, errTooLarge) && want.kept() > keepable(len(value)) {
		return false
	}
	if err != nil {
		t.Errorf("ScanPod refuses what Decode takes: %v", err)
	} else if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ScanPod reads something else than Decode (-):\n%s", diff)
	}
	return true
}

func TestScanPodOfSnapshots(t *testing.T) {
	n := 0
	for _, r := range records(t) {
		if !strings.HasPrefix(r.key, "/registry/pods/") {
			continue
		}
		n++
		if !scansLikeDecode(t, r.value) {
			t.Errorf("%s: %s is no pod", r.file, r.key)
		}
	}
	t.Logf("%d pods", n)
	if n < 5000 {
		t.Errorf("only %d pods", n)
	}
}

// TestScanPodOfChangedPods: real pods with their fields shuffled, repeated, split in two, dropped and
// mixed with unknown ones.
func TestScanPodOfChangedPods(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := pods(t, "rows/plain/current.db.gz")[:50]
	for range 10 {
		values = append(values, envelope(t, "v1", "Pod", marshal(t, examplePod())))
	}
	sameOfChanged(t, r, 20_000, func(i int) []byte { return values[i%len(values)] }, scansLikeDecode)
}

// sameOfChanged has same compare what is read of changed pods, and tell whether they
// still are pods: enough of them must be.
func sameOfChanged(t *testing.T, r *rand.Rand, tries int, value func(int) []byte, same func(*testing.T, []byte) bool) {
	t.Helper()
	accepted := 0
	for i := range tries {
		e, err := ParseEnvelope(value(i))
		if err != nil {
			t.Fatal(err)
		}
		m, err := parseMessage(e.Raw)
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(4) {
			m = change(r, m)
		}
		if same(t, envelope(t, "v1", "Pod", m.Append(nil))) {
			accepted++
		}
		if t.Failed() {
			t.Fatalf("try %d", i)
		}
	}
	if accepted < tries/4 {
		t.Errorf("only %d of %d are still pods", accepted, tries)
	}
}

// change makes one random change somewhere in m.
func change(r *rand.Rand, m Message) Message {
	m = append(Message(nil), m...)
	if len(m) == 0 {
		return Message{{Number: 1 + r.Int32N(50), Wire: wire.Varint, Value: r.Uint64()}}
	}
	i := r.IntN(len(m))
	if f := &m[i]; f.Nested != nil && r.IntN(4) > 0 {
		f.Nested = change(r, f.Nested)
		f.Bytes = f.Nested.Append(nil)
		return m
	}
	switch r.IntN(6) {
	case 0:
		r.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
	case 1:
		m = append(m, m[i])
	case 2: // two messages with the halves of one
		if n := len(m[i].Nested); n > 0 {
			second := m[i]
			m[i].Nested, second.Nested = m[i].Nested[:n/2], m[i].Nested[n/2:]
			m[i].Bytes, second.Bytes = m[i].Nested.Append(nil), second.Nested.Append(nil)
			m = append(m, second)
		}
	case 3:
		m = append(m[:i], m[i+1:]...)
	case 4:
		m = append(m, Field{Number: 60 + r.Int32N(40), Wire: wire.Bytes, Bytes: []byte("?")})
	case 5:
		m[i].Value = r.Uint64()
	}
	return m
}

// examplePod has something in every field that a Pod takes from it.
func examplePod() *corev1.Pod {
	requests := corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
	}, Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")}}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: "p", UID: "u",
			CreationTimestamp:          metav1.Unix(1_800_000_000, 0),
			DeletionTimestamp:          new(metav1.Unix(1_800_003_600, 0)),
			DeletionGracePeriodSeconds: new(int64(0)),
			Annotations:                map[string]string{"a": "b", corev1.MirrorPodAnnotationKey: "hash"},
			Finalizers:                 []string{"f2", "f1"},
			OwnerReferences: []metav1.OwnerReference{
				{Kind: "Node", Name: "n", UID: "o1"},
				{Kind: "Node", Name: "n", UID: "o2", Controller: new(false)},
				{Kind: "ReplicaSet", Name: "rs", UID: "o3", Controller: new(true)},
				{Kind: "Job", Name: "j", UID: "o4", Controller: new(true)},
			},
		},
		Spec: corev1.PodSpec{
			NodeName: "n", RestartPolicy: corev1.RestartPolicyOnFailure, HostNetwork: true,
			TerminationGracePeriodSeconds: new(int64(30)),
			ActiveDeadlineSeconds:         new(int64(600)),
			InitContainers: []corev1.Container{{
				Name: "init", Image: "i:1", RestartPolicy: new(corev1.ContainerRestartPolicyAlways), Resources: requests,
				Ports: []corev1.ContainerPort{{HostPort: 53, Protocol: corev1.ProtocolUDP, HostIP: "127.0.0.1"}},
			}},
			Containers: []corev1.Container{
				{Name: "c1", Image: "c:1", Ports: []corev1.ContainerPort{{ContainerPort: 80}, {HostPort: 8080, ContainerPort: 80}}},
				{Name: "c2", Image: "c:2", Resources: requests, ResizePolicy: []corev1.ContainerResizePolicy{
					{ResourceName: corev1.ResourceCPU, RestartPolicy: corev1.NotRequired},
					{ResourceName: corev1.ResourceMemory, RestartPolicy: corev1.RestartContainer},
				}},
			},
			EphemeralContainers: []corev1.EphemeralContainer{
				{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "gone"}},
				{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "d:1"}, TargetContainerName: "c1"},
			},
			Tolerations: []corev1.Toleration{
				{Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
				{Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(60))},
				{Operator: corev1.TolerationOpExists},
			},
			Overhead:  corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("5m")},
			Resources: &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodFailed, Reason: "Evicted", StartTime: new(metav1.Unix(1_800_000_007, 0)),
			EphemeralContainerStatuses: []corev1.ContainerStatus{
				{Name: "gone", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}, {Name: "debug"},
			},
		},
	}
}

func marshal(tb testing.TB, pod *corev1.Pod) []byte {
	tb.Helper()
	raw, err := pod.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func TestScanPod(t *testing.T) {
	raw := marshal(t, examplePod())
	want := Pod{
		Namespace: "ns", Name: "p", UID: "u",
		NodeName: "n", Phase: "Failed", Reason: "Evicted", RestartPolicy: "OnFailure",
		Created: time.Unix(1_800_000_000, 0).UTC(), Deleted: time.Unix(1_800_003_600, 0).UTC(), DeletedGrace: 0, Grace: 30,
		Finalizers: []string{"f2", "f1"},
		Owner:      Owner{Kind: "ReplicaSet", Name: "rs", UID: "o3"},
		Mirror:     "hash",
		Containers: []Container{{"c1", "c:1"}, {"c2", "c:2"}}, InitContainers: []Container{{"init", "i:1"}},
		EphemeralContainers:  []Container{{"gone", ""}, {"debug", "d:1"}},
		HostNetwork:          true,
		HostPorts:            []HostPort{{"127.0.0.1", "UDP", 53}, {"", "TCP", 8080}},
		Requests:             Requests{MilliCPU: 505, Memory: 1 << 30},
		Limits:               Requests{Memory: 256 << 20},
		ToleratesUnreachable: 60,
		Started:              time.Unix(1_800_000_007, 0).UTC(),
		ActiveDeadline:       600,
		RestartOnResize:      "c2: memory 64Mi to 128Mi\n",
		Ephemeral:            []string{"debug"},
	}
	empty := Pod{DeletedGrace: absent, Grace: absent}

	tests := []struct {
		name  string
		value []byte
		want  Pod
		err   error // nil for none
	}{
		{"all fields", envelope(t, "v1", "Pod", raw), want, nil},
		{"nothing", envelope(t, "v1", "Pod", nil), empty, nil},
		{"JSON", []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}`), Pod{Name: "p", DeletedGrace: absent, Grace: absent}, nil},
		{"JSON of another kind", []byte(`{"apiVersion":"v1","kind":"Node"}`), Pod{}, ErrWrongKind},
		{"JSON of a custom resource", []byte(`{"apiVersion":"x.y/v1","kind":"Pod"}`), Pod{}, ErrWrongKind},
		{"JSON, cut off", []byte(`{"apiVersion":"v1","kind":"Pod"`), Pod{}, errAny},
		{"another kind", envelope(t, "v1", "Node", nil), Pod{}, ErrWrongKind},
		{"another group", envelope(t, "metrics.k8s.io/v1", "Pod", nil), Pod{}, ErrWrongKind},
		{"malformed envelope", []byte("k8s\x00\x0a"), Pod{}, wire.ErrTruncated},
		{"compressed", append(envelope(t, "v1", "Pod", nil), "\x1a\x04gzip"...), Pod{}, errContentEncoding},
		{"cut off", envelope(t, "v1", "Pod", raw[:len(raw)-1]), Pod{}, wire.ErrTruncated},
		{"metadata is a number", envelope(t, "v1", "Pod", []byte("\x08\x01")), Pod{}, wire.ErrType},
		{"grace period is text", envelope(t, "v1", "Pod", pb(nil, 2, pb(nil, 4))), Pod{}, wire.ErrType},
		{"group", envelope(t, "v1", "Pod", []byte("\x4b\x4c")), Pod{}, wire.ErrGroup},
		{"field 0", envelope(t, "v1", "Pod", []byte("\x02\x00")), Pod{}, wire.ErrFieldNumber},
		{"quantity of no number", envelope(t, "v1", "Pod", podWith("x")), Pod{}, resource.ErrFormatWrong},
		{"quantity that takes hours", envelope(t, "v1", "Pod", podWith("1e-1000000000")), Pod{}, errQuantity},
		{"CBOR", []byte(cborMagic), Pod{}, errNoEncoding},
		{"text", []byte("1"), Pod{}, errNoEncoding},
		{"empty", nil, Pod{}, errNoEncoding},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ScanPod(tt.value)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.err == nil && !scansLikeDecode(t, tt.value) {
				t.Error("Decode takes it for no pod")
			}
			if tt.err == errAny && err != nil {
				return
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("error is %v, want %v", err, tt.err)
			}
		})
	}

	_, err := ScanPod([]byte("k8s:enc:aesgcm:v1:key7:x"))
	var encrypted *EncryptedError
	if !errors.As(err, &encrypted) || encrypted.Provider != "aesgcm" || encrypted.Name != "key7" {
		t.Errorf("error is %v", err)
	}
}

var errAny = errors.New("any error")

// podWith is a pod with one container that requests the given memory.
func podWith(memory string) []byte {
	return pb(nil, 2, pb(nil, 2, pb(nil, 8, pb(nil, 2, pb(nil, 1, []byte("memory")), pb(nil, 2, pb(nil, 1, []byte(memory)))))))
}

// TestScanPodCopies: the strings of a Pod do not change with the bytes it was scanned from.
func TestScanPodCopies(t *testing.T) {
	value := pods(t, "rows/plain/current.db.gz")[0]
	value = append([]byte(nil), value...)
	pod, err := ScanPod(value)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v", pod)
	clear(value)
	if after := fmt.Sprintf("%+v", pod); after != before {
		t.Errorf("was %s, is %s", before, after)
	}
}

func TestScanPodRequests(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("1Gi")}
		if cpu != "" {
			l[corev1.ResourceCPU] = resource.MustParse(cpu)
		}
		if memory != "" {
			l[corev1.ResourceMemory] = resource.MustParse(memory)
		}
		return l
	}
	c := func(cpu, memory string) corev1.Container {
		return corev1.Container{Resources: corev1.ResourceRequirements{Requests: list(cpu, memory), Limits: list("99", "99Ti")}}
	}
	sidecar := func(cpu, memory string) corev1.Container {
		s := c(cpu, memory)
		s.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		return s
	}
	tests := []struct {
		name string
		spec corev1.PodSpec
		want Requests
	}{
		{"none", corev1.PodSpec{Containers: []corev1.Container{{}}}, Requests{}},
		{"sum of containers", corev1.PodSpec{Containers: []corev1.Container{c("100m", "1Mi"), c("1", "1k")}}, Requests{1100, 1<<20 + 1000}},
		{"rounded once", corev1.PodSpec{Containers: []corev1.Container{c("500u", "100m"), c("500u", "200m")}}, Requests{1, 1}},
		{"larger init container", corev1.PodSpec{
			Containers: []corev1.Container{c("1", "1")}, InitContainers: []corev1.Container{c("2", ""), c("", "3")},
		}, Requests{2000, 3}},
		{"sidecars before and after", corev1.PodSpec{
			Containers:     []corev1.Container{c("1", "")},
			InitContainers: []corev1.Container{c("3", ""), sidecar("1", ""), c("3", ""), sidecar("2", "")},
		}, Requests{4000, 0}},
		{"overhead", corev1.PodSpec{Containers: []corev1.Container{c("1", "")}, Overhead: list("10m", "5")}, Requests{1010, 5}},
		{"pod level", corev1.PodSpec{
			Containers: []corev1.Container{c("4", "4")}, Overhead: list("1", ""),
			Resources: &corev1.ResourceRequirements{Requests: list("2", "")},
		}, Requests{3000, 4}},
		{"pod level limits only", corev1.PodSpec{
			Containers: []corev1.Container{c("4", "4")},
			Resources:  &corev1.ResourceRequirements{Limits: list("2", "2")},
		}, Requests{4000, 4}},
		{"less than nothing", corev1.PodSpec{
			Containers: []corev1.Container{c("", "1")}, InitContainers: []corev1.Container{c("-1", "-1")},
		}, Requests{-1000, 1}},
		{"beyond 64 bits on the way", corev1.PodSpec{
			Containers: []corev1.Container{c("", "123456789012345678901"), c("1", "-123456789012345678901"), c("", "7")},
		}, Requests{1000, 7}},
		{"beyond 64 bits, wrapped as Quantity.Value does", corev1.PodSpec{
			InitContainers: []corev1.Container{sidecar("", "123456789012345678901"), sidecar("", "-123456789012345678901")},
		}, Requests{0, -5670419503621182411}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value := envelope(t, "v1", "Pod", marshal(t, &corev1.Pod{Spec: tt.spec}))
			if !scansLikeDecode(t, value) {
				t.Fatal("not taken for a pod")
			}
			pod, err := ScanPod(value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, pod.Requests); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPodStates(t *testing.T) {
	tests := []struct {
		name                  string
		pod                   Pod
		terminating, terminal bool
	}{
		{"running", Pod{Phase: "Running"}, false, false},
		{"pending", Pod{Phase: "Pending"}, false, false},
		{"succeeded", Pod{Phase: "Succeeded"}, false, true},
		{"failed and being deleted", Pod{Phase: "Failed", Deleted: time.Unix(1, 0)}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.pod.Terminating(); got != tt.terminating {
				t.Errorf("Terminating is %v", got)
			}
			if got := tt.pod.Terminal(); got != tt.terminal {
				t.Errorf("Terminal is %v", got)
			}
		})
	}
}

func TestToleratesUnreachable(t *testing.T) {
	const key = "node.kubernetes.io/unreachable"
	exists, execute := corev1.TolerationOpExists, corev1.TaintEffectNoExecute
	for name, test := range map[string]struct {
		tolerations []corev1.Toleration
		want        int64
	}{
		"none":               {nil, 0},
		"by default":         {[]corev1.Toleration{{Key: key, Operator: exists, Effect: execute, TolerationSeconds: new(int64(300))}}, 300},
		"for good":           {[]corev1.Toleration{{Key: key, Operator: exists, Effect: execute}}, -1},
		"everything":         {[]corev1.Toleration{{Operator: exists}}, -1},
		"not another effect": {[]corev1.Toleration{{Key: key, Operator: exists, Effect: corev1.TaintEffectNoSchedule}}, 0},
		"not another value":  {[]corev1.Toleration{{Key: key, Value: "x", Effect: execute}}, 0},
		"not another key":    {[]corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: exists, Effect: execute}}, 0},
		"less than nothing":  {[]corev1.Toleration{{Key: key, Operator: exists, TolerationSeconds: new(int64(-5))}}, 0},
		"the first counts": {[]corev1.Toleration{
			{Key: key, Operator: exists, TolerationSeconds: new(int64(60))}, {Operator: exists},
		}, 60},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{Tolerations: test.tolerations}}
			got, err := ScanPod(envelope(t, "v1", "Pod", marshal(t, pod)))
			if err != nil || got.ToleratesUnreachable != test.want {
				t.Errorf("tolerates it for %d s, not %d (err %v)", got.ToleratesUnreachable, test.want, err)
			}
			if from := PodFrom(pod); from.ToleratesUnreachable != test.want {
				t.Errorf("decoded, it tolerates it for %d s, not %d", from.ToleratesUnreachable, test.want)
			}
		})
	}
}

// TestCustomOwner: a custom resource may be named as a workload of Kubernetes' own.
func TestCustomOwner(t *testing.T) {
	for apiVersion, want := range map[string]bool{
		"apps/v1": false, "batch/v1": false, "extensions/v1beta1": false, "v1": false, "": false,
		"batch.volcano.sh/v1alpha1": true, "apps.kruise.io/v1beta1": true, "v1.2": false,
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{
			{APIVersion: apiVersion, Kind: "Job", Name: "train", UID: "1", Controller: new(true)},
		}}}
		got, err := ScanPod(envelope(t, "v1", "Pod", marshal(t, pod)))
		if err != nil || got.Owner.Custom != want {
			t.Errorf("%q: %+v, %v", apiVersion, got.Owner, err)
		}
	}
}
