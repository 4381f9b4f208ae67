package kube

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/decoder/wire"
)

func TestScanNode(t *testing.T) {
	created := time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)
	taint := corev1.Taint{Key: "k", Value: "v", Effect: corev1.TaintEffectNoExecute}
	raw, err := (&corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "u", CreationTimestamp: metav1.NewTime(created), Labels: map[string]string{"zone": "a"}},
		Spec:       corev1.NodeSpec{Unschedulable: true, ProviderID: "cloud://1", Taints: []corev1.Taint{taint}},
		Status: corev1.NodeStatus{
			NodeInfo: corev1.NodeSystemInfo{BootID: "boot"},
			Allocatable: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("3500m"), corev1.ResourceMemory: resource.MustParse("1Gi"), corev1.ResourcePods: resource.MustParse("110"),
			},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue}, {Type: corev1.NodeReady, Status: corev1.ConditionFalse}},
		},
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		value []byte
		want  Node
		err   error
	}{
		{"all fields", envelope(t, "v1", "Node", raw), Node{
			Name: "n", UID: "u", Created: created, Labels: map[string]string{"zone": "a"}, Taints: []corev1.Taint{taint},
			Unschedulable: true, ProviderID: "cloud://1", BootID: "boot",
			Allocatable: Allocatable{3500, 1 << 30, 110}, Ready: corev1.ConditionFalse,
		}, nil},
		{"nothing", envelope(t, "v1", "Node", nil), Node{Ready: corev1.ConditionUnknown}, nil},
		{"JSON", []byte(`{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}`), Node{Name: "n", Ready: corev1.ConditionUnknown}, nil},
		{"another kind", envelope(t, "v1", "Pod", nil), Node{}, ErrWrongKind},
		{"JSON of another kind", []byte(`{"apiVersion":"v1","kind":"Pod"}`), Node{}, ErrWrongKind},
		{"cut off", envelope(t, "v1", "Node", raw[:len(raw)-1]), Node{}, wire.ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ScanNode(tt.value)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("error is %v, want %v", err, tt.err)
			}
		})
	}
}

func TestScanNodeOfSnapshots(t *testing.T) {
	n := 0
	for _, r := range records(t) {
		name, ok := strings.CutPrefix(r.key, "/registry/minions/")
		if !ok {
			continue
		}
		n++
		node, err := ScanNode(r.value)
		if err != nil || node.Name != name || node.UID == "" {
			t.Errorf("%s: %s: %+v, %v", r.file, r.key, node, err)
		}
	}
	if n == 0 {
		t.Error("no nodes")
	}
}

func TestNodeChoices(t *testing.T) {
	const (
		noSchedule       = corev1.TaintEffectNoSchedule
		noExecute        = corev1.TaintEffectNoExecute
		preferNoSchedule = corev1.TaintEffectPreferNoSchedule
	)
	nodes := []Node{
		{Name: "plain", Labels: map[string]string{"zone": "a"}},
		{Name: "zone-b", Labels: map[string]string{"zone": "b", "cores": "8"}},
		{Name: "tainted", Labels: map[string]string{"zone": "a"}, Taints: []corev1.Taint{{Key: "gpu", Value: "yes", Effect: noSchedule}}},
		{Name: "not-ready", Taints: []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: noExecute}}},
		{Name: "disliked", Taints: []corev1.Taint{{Key: "old", Effect: preferNoSchedule}}},
		{Name: "cordoned", Unschedulable: true},
	}
	affinity := func(terms ...corev1.NodeSelectorTerm) corev1.PodSpec {
		return corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
		}}}
	}
	expr := func(key string, op corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: op, Values: values}}}
	}
	named := func(name string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{
			{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{name}},
		}}
	}
	tolerating := func(tolerations ...corev1.Toleration) corev1.PodSpec { return corev1.PodSpec{Tolerations: tolerations} }

	tests := []struct {
		name string
		spec corev1.PodSpec
		want []string
	}{
		{"anything goes", corev1.PodSpec{}, []string{"plain", "zone-b", "disliked"}},
		{"bound", corev1.PodSpec{NodeName: "gone"}, []string{"gone"}},
		{"gated", corev1.PodSpec{SchedulingGates: []corev1.PodSchedulingGate{{Name: "wait"}}}, nil},
		{"node selector", corev1.PodSpec{NodeSelector: map[string]string{"zone": "a"}}, []string{"plain"}},
		{"node selector that fits none", corev1.PodSpec{NodeSelector: map[string]string{"zone": "c"}}, nil},
		{"affinity in", affinity(expr("zone", corev1.NodeSelectorOpIn, "b", "c")), []string{"zone-b"}},
		{"affinity not in", affinity(expr("zone", corev1.NodeSelectorOpNotIn, "b")), []string{"plain", "disliked"}},
		{"affinity greater than", affinity(expr("cores", corev1.NodeSelectorOpGt, "4")), []string{"zone-b"}},
		{"affinity or", affinity(expr("zone", corev1.NodeSelectorOpIn, "b"), named("disliked")), []string{"zone-b", "disliked"}},
		{"affinity by name, as of a DaemonSet's pods", affinity(named("plain")), []string{"plain"}},
		{"affinity of no terms", affinity(), nil},
		{"affinity of an empty term", affinity(corev1.NodeSelectorTerm{}), nil},
		{"affinity that is invalid", affinity(expr("zone", "Near", "b")), nil},
		{"affinity and selector", func() corev1.PodSpec {
			s := affinity(expr("zone", corev1.NodeSelectorOpExists))
			s.NodeSelector = map[string]string{"cores": "8"}
			return s
		}(), []string{"zone-b"}},
		{"toleration of a value", tolerating(corev1.Toleration{Key: "gpu", Value: "yes"}), []string{"plain", "zone-b", "tainted", "disliked"}},
		{"toleration of another value", tolerating(corev1.Toleration{Key: "gpu", Value: "no"}), []string{"plain", "zone-b", "disliked"}},
		{"toleration of another effect", tolerating(corev1.Toleration{Key: "gpu", Value: "yes", Effect: noExecute}), []string{"plain", "zone-b", "disliked"}},
		{"toleration for a while", tolerating(corev1.Toleration{
			Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: noExecute, TolerationSeconds: new(int64(300)),
		}), []string{"plain", "zone-b", "not-ready", "disliked"}},
		{"toleration of cordons", tolerating(corev1.Toleration{Key: corev1.TaintNodeUnschedulable, Operator: corev1.TolerationOpExists}),
			[]string{"plain", "zone-b", "disliked", "cordoned"}},
		{"toleration of everything", tolerating(corev1.Toleration{Operator: corev1.TolerationOpExists}),
			[]string{"plain", "zone-b", "tainted", "not-ready", "disliked", "cordoned"}},
		{"toleration by number", tolerating(corev1.Toleration{Key: "gpu", Operator: corev1.TolerationOpGt, Value: "1"}), []string{"plain", "zone-b", "disliked"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := NodeChoices(&corev1.Pod{Spec: tt.spec}, nodes)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
