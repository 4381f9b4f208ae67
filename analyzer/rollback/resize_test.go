package rollback_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
)

func amounts(cpu, memory string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, text := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory} {
		if text != "" {
			list[name] = resource.MustParse(text)
		}
	}
	return list
}

// asking gives a pod a container app that asks for so much.
func asking(cpu, memory string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "app", Resources: corev1.ResourceRequirements{Requests: amounts(cpu, memory)}})
	}
}

func limited(cpu, memory string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Limits = amounts(cpu, memory) }
}

func allocated(cpu, memory string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", AllocatedResources: amounts(cpu, memory)}}
	}
}

// besideAllocated puts the status of another container first.
func besideAllocated(cpu string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append([]corev1.ContainerStatus{{Name: "other", AllocatedResources: amounts(cpu, "")}}, p.Status.ContainerStatuses...)
	}
}

func restarting(name corev1.ResourceName) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].ResizePolicy = []corev1.ContainerResizePolicy{{ResourceName: name, RestartPolicy: corev1.RestartContainer}}
	}
}

// staying lets the app run on when that resource of it changes.
func staying(name corev1.ResourceName) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].ResizePolicy = []corev1.ContainerResizePolicy{{ResourceName: name, RestartPolicy: corev1.NotRequired}}
	}
}

func sidecar(cpu string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		always := corev1.ContainerRestartPolicyAlways
		p.Spec.InitContainers = []corev1.Container{{Name: "side", RestartPolicy: &always, Resources: corev1.ResourceRequirements{Requests: amounts(cpu, "")}}}
	}
}

func podLevel(cpu string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Resources = &corev1.ResourceRequirements{Requests: amounts(cpu, "")} }
}

// TestResize says which resizes in place a restore takes back.
func TestResize(t *testing.T) {
	ns := namespace("ns")
	tests := []struct {
		name          string
		before, after []runtime.Object
		want          []string
	}{
		{"larger", []runtime.Object{ns, pod("ns/p", asking("100m", "64Mi"))}, []runtime.Object{pod("ns/p", asking("900m", "64Mi"))},
			[]string{"resize-undone warning certain p: cpu request of container app: 100m in the backup, 900m in the current state"}},
		{"smaller, and a limit is taken away", []runtime.Object{ns, pod("ns/p", asking("1", "64Mi"), limited("2", ""))}, []runtime.Object{pod("ns/p", asking("500m", "32Mi"))},
			[]string{"resize-undone warning certain p: cpu request of container app: 1 in the backup, 500m in the current state, memory request of container app: 64Mi in the backup, 32Mi in the current state, cpu limit of container app: 2 in the backup, none in the current state"}},
		{"its container restarts", []runtime.Object{ns, pod("ns/p", asking("100m", "64Mi"), restarting("memory"))}, []runtime.Object{pod("ns/p", asking("100m", "128Mi"), restarting("memory"))},
			[]string{"resize-undone warning certain p: memory request of container app: 64Mi in the backup, 128Mi in the current state; by its resize policy, going back restarts container app"}},
		{"its container says that it need not restart", []runtime.Object{ns, pod("ns/p", asking("100m", "64Mi"), staying("memory"))}, []runtime.Object{pod("ns/p", asking("100m", "128Mi"), staying("memory"))},
			[]string{"resize-undone warning certain p: memory request of container app: 64Mi in the backup, 128Mi in the current state"}},
		{"its container restarts for another resource only", []runtime.Object{ns, pod("ns/p", asking("100m", "64Mi"), restarting("memory"))}, []runtime.Object{pod("ns/p", asking("200m", "64Mi"), restarting("memory"))},
			[]string{"resize-undone warning certain p: cpu request of container app: 100m in the backup, 200m in the current state"}},
		{"not allocated yet", []runtime.Object{ns, pod("ns/p", asking("10m", ""), allocated("10m", ""))}, []runtime.Object{pod("ns/p", asking("950m", ""), allocated("10m", ""))},
			[]string{"resize-undone ok certain p: cpu request of container app: 10m in the backup, 950m in the current state; its kubelet has allocated none of that yet"}},
		{"one of two not allocated yet", []runtime.Object{ns, pod("ns/p", asking("10m", "1Mi"), allocated("10m", "1Mi"))}, []runtime.Object{pod("ns/p", asking("950m", "2Mi"), allocated("950m", "1Mi"))},
			[]string{"resize-undone warning certain p: cpu request of container app: 10m in the backup, 950m in the current state, memory request of container app: 1Mi in the backup, 2Mi in the current state; its kubelet has not allocated all of that yet"}},
		{"its kubelet does not say what it has allocated", []runtime.Object{ns, pod("ns/p", asking("10m", ""), allocated("", "1Mi"))}, []runtime.Object{pod("ns/p", asking("950m", ""), allocated("", "1Mi"))},
			[]string{"resize-undone warning certain p: cpu request of container app: 10m in the backup, 950m in the current state"}},
		{"it no longer asks for any", []runtime.Object{ns, pod("ns/p", asking("10m", ""), allocated("10m", ""))}, []runtime.Object{pod("ns/p", asking("", ""), allocated("10m", ""))},
			[]string{"resize-undone warning certain p: cpu request of container app: 10m in the backup, none in the current state"}},
		{"allocated", []runtime.Object{ns, pod("ns/p", asking("10m", ""), allocated("10m", ""))}, []runtime.Object{pod("ns/p", asking("950m", ""), allocated("950m", ""))},
			[]string{"resize-undone warning certain p: cpu request of container app: 10m in the backup, 950m in the current state"}},
		{"its container restarts for one of two", []runtime.Object{ns, pod("ns/p", asking("100m", "64Mi"), restarting("cpu"))}, []runtime.Object{pod("ns/p", asking("200m", "128Mi"), restarting("cpu"))},
			[]string{"resize-undone warning certain p: cpu request of container app: 100m in the backup, 200m in the current state, memory request of container app: 64Mi in the backup, 128Mi in the current state; by its resize policy, going back restarts container app"}},
		{"not allocated, and another container is", []runtime.Object{ns, pod("ns/p", asking("10m", ""), allocated("10m", ""))}, []runtime.Object{pod("ns/p", asking("950m", ""), allocated("10m", ""), besideAllocated("950m"))},
			[]string{"resize-undone ok certain p: cpu request of container app: 10m in the backup, 950m in the current state; its kubelet has allocated none of that yet"}},
		{"it asks for nothing in so many words", []runtime.Object{ns, pod("ns/p", asking("", "1Mi"))}, []runtime.Object{pod("ns/p", asking("0", "1Mi"))},
			[]string{"resize-undone warning certain p: cpu request of container app: none in the backup, 0 in the current state"}},
		{"a container that the backup does not have", []runtime.Object{ns, pod("ns/p", asking("1", ""))}, []runtime.Object{pod("ns/p", asking("1", ""), sidecar("20m"))}, nil},
		{"a sidecar", []runtime.Object{ns, pod("ns/p", asking("1", ""), sidecar("10m"))}, []runtime.Object{pod("ns/p", asking("1", ""), sidecar("20m"))},
			[]string{"resize-undone warning certain p: cpu request of container side: 10m in the backup, 20m in the current state"}},
		{"the pod's own", []runtime.Object{ns, pod("ns/p", asking("1", ""), podLevel("2"))}, []runtime.Object{pod("ns/p", asking("1", ""), podLevel("3"))},
			[]string{"resize-undone warning certain p: cpu request of the pod: 2 in the backup, 3 in the current state"}},
		{"there and back", []runtime.Object{ns, pod("ns/p", asking("10m", ""))}, []runtime.Object{pod("ns/p", asking("20m", "")), pod("ns/p", asking("10m", ""))}, nil},
		{"another way to write it", []runtime.Object{ns, pod("ns/p", asking("1", ""))}, []runtime.Object{pod("ns/p", asking("1000m", ""))}, nil},
		{"only its status changed", []runtime.Object{ns, pod("ns/p", asking("1", ""))}, []runtime.Object{pod("ns/p", asking("1", ""), ip("10.0.0.1"))}, nil},
		{"another pod of the name", []runtime.Object{ns, pod("ns/p", asking("1", ""))}, []runtime.Object{deleted{pod("ns/p")}, pod("ns/p", asking("2", ""))}, nil},
		{"it has ended", []runtime.Object{ns, pod("ns/p", asking("1", ""))}, []runtime.Object{pod("ns/p", asking("2", ""), phase("Succeeded"))}, nil},
		{"it was not bound", []runtime.Object{ns, pod("ns/p", asking("1", ""), on(""))}, []runtime.Object{pod("ns/p", asking("2", ""), on(""))}, nil},
		{"it cannot be read in the backup", []runtime.Object{ns, raw{key: "/registry/pods/ns/p", value: "k8s:enc:aescbc:v1:key1:abc"}}, []runtime.Object{pod("ns/p", asking("2", ""))},
			[]string{`unreadable warning certain : 1 value could not be read, the first because: encrypted by aescbc with key "key1"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, of(t, tt.before, tt.after, "resize-", "unreadable")); diff != "" {
				t.Errorf("findings (-want):\n%s", diff)
			}
		})
	}
}
