package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	admissionregistrationv1alpha1 "k8s.io/api/admissionregistration/v1alpha1"
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	autoscalingv2beta1 "k8s.io/api/autoscaling/v2beta1"
	batchv1 "k8s.io/api/batch/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	corev1 "k8s.io/api/core/v1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	rbacv1beta1 "k8s.io/api/rbac/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"revenant/oracle/kube110/dump"
)

// Change is a write: of an object under a key or, without one, the key's deletion. One
// without a key says that the backup is taken.
type Change struct {
	Key    string
	Object dump.Object
}

// writer writes what a cluster writes, each object with a uid and times of its own.
type writer struct {
	enc     *json.Encoder
	now     time.Time
	uids    map[string]types.UID
	created map[string]metav1.Time
	err     error
}

func (w *writer) put(key, apiVersion, kind string, o runtime.Object, meta *metav1.ObjectMeta) {
	if w.uids[key] == "" {
		w.uids[key] = types.UID(fmt.Sprintf("%08x-0000-11e8-9c2d-fa7ae01bbebc", len(w.uids)+1))
		w.created[key] = metav1.NewTime(w.now)
	}
	meta.UID, meta.CreationTimestamp = w.uids[key], w.created[key]
	encoded, err := dump.Encode(o, apiVersion, kind)
	if err == nil {
		err = w.enc.Encode(Change{"/registry/" + key, encoded})
	}
	if err != nil && w.err == nil {
		w.err = err
	}
}

func (w *writer) delete(key string) {
	if err := w.enc.Encode(Change{Key: "/registry/" + key}); err != nil && w.err == nil {
		w.err = err
	}
}

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

var template = corev1.PodTemplateSpec{
	ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
	Spec:       corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "web", Image: "nginx:1.13"}}},
}

// cluster writes what three nodes and their control plane do in two minutes, with a
// backup after one of them: web-1 and web-2 are there throughout, web-3 is created after
// the backup, web-0 is deleted after it.
func cluster(out io.Writer) error {
	w := &writer{enc: json.NewEncoder(out), now: time.Date(2018, 5, 22, 3, 0, 0, 0, time.UTC), uids: map[string]types.UID{}, created: map[string]metav1.Time{}}
	w.begin()
	for second := range 120 {
		w.now = w.now.Add(time.Second)
		if second%2 == 0 {
			w.lead("endpoints", "kube-scheduler")
			w.lead("configmaps", "kube-controller-manager")
		}
		if second%10 == 0 {
			for n := range 3 {
				w.node(n)
			}
		}
		switch second {
		case 60:
			if err := w.enc.Encode(Change{}); err != nil {
				return err
			}
		case 70:
			w.pod("web-3", 3)
			w.endpoints(0, 1, 2, 3)
			w.event("web-3")
		case 80:
			w.delete("pods/default/web-0")
			w.endpoints(1, 2, 3)
		case 90:
			w.replicas(3)
		}
	}
	return w.err
}

func (w *writer) begin() {
	for _, name := range []string{"default", "kube-system"} {
		ns := &corev1.Namespace{ObjectMeta: named("", name), Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
		w.put("namespaces/"+name, "v1", "Namespace", ns, &ns.ObjectMeta)
	}
	for n := range 3 {
		w.node(n)
	}
	w.replicas(2)
	for n := range 3 {
		w.pod(fmt.Sprint("web-", n), n)
	}
	w.endpoints(0, 1, 2)
	daemons := &extensionsv1beta1.DaemonSet{ObjectMeta: named("kube-system", "proxy"), Spec: extensionsv1beta1.DaemonSetSpec{Template: template}}
	daemons.Status.DesiredNumberScheduled = 3
	w.put("daemonsets/kube-system/proxy", "extensions/v1beta1", "DaemonSet", daemons, &daemons.ObjectMeta)
	stateful := &appsv1beta1.StatefulSet{ObjectMeta: named("default", "db"), Spec: appsv1beta1.StatefulSetSpec{Replicas: new(int32(1)), ServiceName: "db", Template: template}}
	w.put("statefulsets/default/db", "apps/v1beta1", "StatefulSet", stateful, &stateful.ObjectMeta)
	cron := &batchv1beta1.CronJob{ObjectMeta: named("default", "nightly"), Spec: batchv1beta1.CronJobSpec{
		Schedule: "0 3 * * *", JobTemplate: batchv1beta1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template}},
	}}
	w.put("cronjobs/default/nightly", "batch/v1beta1", "CronJob", cron, &cron.ObjectMeta)
	scaler := &autoscalingv2beta1.HorizontalPodAutoscaler{ObjectMeta: named("default", "web"), Spec: autoscalingv2beta1.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2beta1.CrossVersionObjectReference{Kind: "Deployment", Name: "web"}, MaxReplicas: 5,
		Metrics: []autoscalingv2beta1.MetricSpec{{Type: autoscalingv2beta1.ResourceMetricSourceType, Resource: &autoscalingv2beta1.ResourceMetricSource{
			Name: corev1.ResourceCPU, TargetAverageUtilization: new(int32(80)),
		}}},
	}}
	w.put("horizontalpodautoscalers/default/web", "autoscaling/v2beta1", "HorizontalPodAutoscaler", scaler, &scaler.ObjectMeta)
	psp := &policyv1beta1.PodSecurityPolicy{ObjectMeta: named("", "restricted"), Spec: policyv1beta1.PodSecurityPolicySpec{
		SELinux: policyv1beta1.SELinuxStrategyOptions{Rule: "RunAsAny"}, RunAsUser: policyv1beta1.RunAsUserStrategyOptions{Rule: "MustRunAsNonRoot"},
		FSGroup: policyv1beta1.FSGroupStrategyOptions{Rule: "RunAsAny"}, SupplementalGroups: policyv1beta1.SupplementalGroupsStrategyOptions{Rule: "RunAsAny"},
		Volumes: []policyv1beta1.FSType{"configMap", "secret"},
	}}
	w.put("podsecuritypolicy/restricted", "policy/v1beta1", "PodSecurityPolicy", psp, &psp.ObjectMeta)
	budget := &policyv1beta1.PodDisruptionBudget{ObjectMeta: named("default", "web")}
	w.put("poddisruptionbudgets/default/web", "policy/v1beta1", "PodDisruptionBudget", budget, &budget.ObjectMeta)
	role := &rbacv1beta1.Role{ObjectMeta: named("default", "reader"), Rules: []rbacv1beta1.PolicyRule{{Verbs: []string{"get"}, Resources: []string{"pods"}}}}
	w.put("roles/default/reader", "rbac.authorization.k8s.io/v1beta1", "Role", role, &role.ObjectMeta)
	initializers := &admissionregistrationv1alpha1.InitializerConfiguration{ObjectMeta: named("", "first")}
	initializers.Initializers = []admissionregistrationv1alpha1.Initializer{{Name: "first.example.com"}}
	w.put("initializerconfigurations/first", "admissionregistration.k8s.io/v1alpha1", "InitializerConfiguration", initializers, &initializers.ObjectMeta)
	service := &corev1.Service{ObjectMeta: named("default", "web"), Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.10", Ports: []corev1.ServicePort{{Port: 80}}}}
	w.put("services/specs/default/web", "v1", "Service", service, &service.ObjectMeta)
}

// lead renews who leads, as the annotation of an object.
func (w *writer) lead(resource, name string) {
	meta := named("kube-system", name)
	meta.Annotations = map[string]string{"control-plane.alpha.kubernetes.io/leader": fmt.Sprintf(
		`{"holderIdentity":"master-0_1","leaseDurationSeconds":15,"acquireTime":"2018-05-22T02:00:00Z","renewTime":"%s","leaderTransitions":0}`, w.now.Format(time.RFC3339))}
	if resource == "endpoints" {
		o := &corev1.Endpoints{ObjectMeta: meta}
		w.put("services/endpoints/kube-system/"+name, "v1", "Endpoints", o, &o.ObjectMeta)
		return
	}
	o := &corev1.ConfigMap{ObjectMeta: meta}
	w.put("configmaps/kube-system/"+name, "v1", "ConfigMap", o, &o.ObjectMeta)
}

func (w *writer) node(n int) {
	node := &corev1.Node{ObjectMeta: named("", fmt.Sprintf("node-%d", n))}
	node.Spec.ExternalID = node.Name
	node.Status.NodeInfo = corev1.NodeSystemInfo{KubeletVersion: "v1.10.13", BootID: fmt.Sprintf("boot-%d", n)}
	node.Status.Allocatable = corev1.ResourceList{"cpu": resource.MustParse("4"), "memory": resource.MustParse("8Gi"), "pods": resource.MustParse("110")}
	node.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.NewTime(w.now), LastTransitionTime: metav1.NewTime(w.now.Truncate(time.Hour)),
	}}
	w.put("minions/"+node.Name, "v1", "Node", node, &node.ObjectMeta)
}

func (w *writer) replicas(n int32) {
	deployment := &extensionsv1beta1.Deployment{ObjectMeta: named("default", "web"), Spec: extensionsv1beta1.DeploymentSpec{Replicas: &n, Template: template}}
	w.put("deployments/default/web", "extensions/v1beta1", "Deployment", deployment, &deployment.ObjectMeta)
	set := &extensionsv1beta1.ReplicaSet{ObjectMeta: named("default", "web-5d4"), Spec: extensionsv1beta1.ReplicaSetSpec{Replicas: &n, Template: template}}
	set.OwnerReferences = []metav1.OwnerReference{{APIVersion: "extensions/v1beta1", Kind: "Deployment", Name: "web", UID: deployment.UID, Controller: new(true)}}
	w.put("replicasets/default/web-5d4", "extensions/v1beta1", "ReplicaSet", set, &set.ObjectMeta)
}

// endpoints are those of the Service, of so many pods.
func (w *writer) endpoints(pods ...int) {
	o := &corev1.Endpoints{ObjectMeta: named("default", "web"), Subsets: []corev1.EndpointSubset{{Ports: []corev1.EndpointPort{{Port: 80}}}}}
	for _, n := range pods {
		ref := &corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: fmt.Sprint("web-", n)}
		o.Subsets[0].Addresses = append(o.Subsets[0].Addresses, corev1.EndpointAddress{IP: fmt.Sprint("10.244.0.", n), TargetRef: ref})
	}
	w.put("services/endpoints/default/web", "v1", "Endpoints", o, &o.ObjectMeta)
}

func (w *writer) pod(name string, n int) {
	pod := &corev1.Pod{ObjectMeta: named("default", name), Spec: template.Spec}
	pod.Spec.NodeName = fmt.Sprintf("node-%d", n%3)
	pod.Spec.TerminationGracePeriodSeconds = new(int64(30))
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "extensions/v1beta1", Kind: "ReplicaSet", Name: "web-5d4", UID: w.uids["replicasets/default/web-5d4"], Controller: new(true)}}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: fmt.Sprint("10.244.0.", n), Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	w.put("pods/default/"+name, "v1", "Pod", pod, &pod.ObjectMeta)
}

func (w *writer) event(pod string) {
	event := &corev1.Event{ObjectMeta: named("default", pod+".1"), Reason: "Started", Type: "Normal", Count: 1}
	event.InvolvedObject = corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: pod}
	event.FirstTimestamp, event.LastTimestamp = metav1.NewTime(w.now), metav1.NewTime(w.now)
	w.put("events/default/"+event.Name, "v1", "Event", event, &event.ObjectMeta)
}
