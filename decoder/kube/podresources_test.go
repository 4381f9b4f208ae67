package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
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

// Pods of real snapshots have the resources of themselves.
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
