package kube

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// FuzzSameResources compares with what is decoded.
func FuzzSameResources(f *testing.F) {
	addStored(f, func(_ string, value []byte) {
		if _, err := ScanPod(value); err == nil {
			f.Add(value, value)
		}
	})
	f.Add([]byte("k8s\x00"), []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1"}}}]}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if !SameResources(a, b) {
			return
		}
		p, err := decodeAs[*corev1.Pod](a)
		q, err2 := decodeAs[*corev1.Pod](b)
		if err == nil && err2 == nil && !equality.Semantic.DeepEqual(podResources(p), podResources(q)) {
			t.Errorf("not the same: %v and %v", podResources(p), podResources(q))
		}
	})
}

// TestSameResources: Pods of real snapshots have the resources of themselves.
func TestSameResources(t *testing.T) {
	n := 0
	for _, r := range records(t) {
		if _, err := ScanPod(r.value); err != nil {
			continue
		}
		if n++; !SameResources(r.value, r.value) {
			t.Errorf("%s has other resources than itself", r.key)
		}
	}
	if n < 100 {
		t.Errorf("only %d pods", n)
	}
}

// TestAllocated: what a kubelet has allocated counts while a resize waits, however the pod is read.
func TestAllocated(t *testing.T) {
	pod := func(condition corev1.PodConditionType) *corev1.Pod {
		return &corev1.Pod{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			Spec: corev1.PodSpec{Containers: []corev1.Container{
				{
					Name:         "a",
					Resources:    corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("950m"), "memory": resource.MustParse("1Mi")}},
					ResizePolicy: []corev1.ContainerResizePolicy{{ResourceName: corev1.ResourceCPU, RestartPolicy: corev1.RestartContainer}},
				},
				{Name: "b", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("5m")}}},
			}},
			Status: corev1.PodStatus{
				Conditions:        []corev1.PodCondition{{Type: condition, Status: corev1.ConditionTrue}},
				ContainerStatuses: []corev1.ContainerStatus{{Name: "a", AllocatedResources: corev1.ResourceList{"cpu": resource.MustParse("10m")}}},
			},
		}
	}
	for condition, want := range map[corev1.PodConditionType]*Allocation{
		corev1.PodResizePending: {Requests: Requests{MilliCPU: 15, Memory: 1 << 20}, RestartOnResize: "a: cpu 10m to 0\n"}, corev1.PodResizeInProgress: nil,
	} {
		p := pod(condition)
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(p, &b); err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{b.String(), string(text)} {
			got, err := ScanPod([]byte(value))
			if diff := cmp.Diff(want, got.Allocated); err != nil || diff != "" || got.Requests.MilliCPU != 955 {
				t.Errorf("%s: %+v, %v: %s", condition, got, err, diff)
			}
		}
	}
}
