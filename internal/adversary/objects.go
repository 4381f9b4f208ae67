package adversary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

// end is when the current snapshot is taken.
var end = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

// Nodes are those of every made cluster.
var nodes = []string{"n0", "n1", "n2"}

// encoder writes what API servers store.
var encoder = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

// object writes an object as an API server does, but for quantities, which become
// absurd where they are the placeholder.
func (m *maker) object(path string, o runtime.Object) *record {
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		m.err = err
		return &record{}
	}
	o.GetObjectKind().SetGroupVersionKind(gvks[0])
	value, err := runtime.Encode(encoder, o)
	if err != nil {
		m.err = fmt.Errorf("encode %s: %w", path, err)
	}
	for bytes.Contains(value, []byte(placeholder)) {
		value = bytes.Replace(value, []byte(placeholder), []byte(m.quantity()), 1)
	}
	return m.history.put("/registry/"+path, value)
}

// text writes an object as JSON, as API servers do with custom resources.
func (m *maker) text(path, format string, args ...any) {
	m.history.put("/registry/"+path, fmt.Appendf(nil, format, args...))
}

// quoted is a string as JSON has it, its bytes as they are where JSON allows them.
func (m *maker) quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a bytes.Buffer takes all
	quoted := strings.TrimSpace(b.String())
	if m.odds(2) {
		quoted = strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(quoted)
	}
	return quoted
}

// cluster writes a history with so many hostile objects before and after the backup.
func (m *maker) cluster(hostile int) {
	m.history = newHistory()
	h := m.history
	m.object("namespaces/kube-system", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "cluster"}})
	for _, n := range nodes {
		m.object("minions/"+n, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: n, UID: types.UID("node-" + n), Labels: map[string]string{"kubernetes.io/hostname": n}},
			Status: corev1.NodeStatus{
				NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.37.2"},
				Allocatable: corev1.ResourceList{
					corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110"),
				},
			},
		})
	}
	m.fill(10 + m.IntN(40))
	for i := range 3 {
		m.Ghosts = append(m.Ghosts, m.pod("ghost", i))
	}
	m.absurd(hostile - hostile/2)
	m.renew(end.Add(-10 * time.Minute))
	h.backup, h.saved = len(h.records), h.revision
	m.fill(70 + m.IntN(40)) // more than API servers write when they start
	for _, p := range m.Ghosts {
		h.delete(p.key())
	}
	for i := range 3 {
		m.Phantoms = append(m.Phantoms, m.pod("phantom", i))
	}
	m.absurd(hostile / 2)
	m.fill(5)
	for i, n := range nodes { // what every kubelet sees last
		m.known("last", i, n, n)
	}
	m.renew(end)
	overwritten := func(p Pod) bool {
		return h.live[p.key()] == nil || !bytes.Contains(h.live[p.key()].value, []byte(p.UID))
	}
	m.Phantoms = slices.DeleteFunc(m.Phantoms, overwritten)
	m.Ghosts = slices.DeleteFunc(m.Ghosts, func(p Pod) bool { return h.live[p.key()] != nil })
}

func (p Pod) key() string { return "/registry/pods/" + p.Namespace + "/" + p.Name }

// fill writes records of which nothing follows.
func (m *maker) fill(n int) {
	for i := range n {
		key := fmt.Sprintf("/registry/configmaps/default/filler-%d", i%7)
		m.history.put(key, []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"filler","namespace":"default"}}`)).filler = true
	}
}

// pod writes a running pod whose fate is known, of a hostile name at times.
func (m *maker) pod(class string, i int) Pod {
	name := fmt.Sprintf("%s-%d", class, i)
	if hostile := m.name(); !m.sober && (m.long.name != "" || m.odds(3)) && m.history.live["/registry/pods/team/"+hostile] == nil {
		name = hostile
	}
	return m.known(class, i, name, one(m, nodes...))
}

// known writes a running pod.
func (m *maker) known(class string, i int, name, node string) Pod {
	p := Pod{Namespace: "team", Name: name, UID: fmt.Sprintf("uid-%s-%d", class, i), Node: node}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Namespace, Name: p.Name, UID: types.UID(p.UID), CreationTimestamp: metav1.NewTime(end.Add(-time.Hour)),
		},
		Spec: corev1.PodSpec{
			NodeName: node, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64(30)),
			Containers: []corev1.Container{{Name: "c", Image: "i:v1"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	if !m.sober && m.odds(2) {
		pod.Labels, pod.Annotations = map[string]string{"app": m.word()}, map[string]string{"note": m.word()}
	}
	if !m.sober && m.odds(4) {
		q := resource.MustParse(placeholder)
		pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: q, corev1.ResourceMemory: q}
	}
	m.object("pods/team/"+name, pod)
	return p
}

// renew renews the leases of the nodes, by which a snapshot is dated.
func (m *maker) renew(at time.Time) {
	for i, n := range nodes {
		t := metav1.NewMicroTime(at.Add(time.Duration(i) * time.Millisecond))
		m.object("leases/kube-node-lease/"+n, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: n, UID: types.UID("lease-" + n)},
			Spec:       coordinationv1.LeaseSpec{RenewTime: &t},
		})
	}
}

// absurd writes so many hostile objects of any kind.
func (m *maker) absurd(n int) {
	for range n {
		a := absurdities[m.IntN(len(absurdities))]
		m.note("%s", a.name)
		a.write(m)
	}
}

// meta is hostile metadata.
func (m *maker) meta(namespace, name string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(one(m, m.word(), "", "uid-"+name, "uid-last-0"))}
	if m.odds(2) {
		meta.Labels, meta.Annotations = map[string]string{m.name(): m.word()}, map[string]string{m.name(): m.word(), "kubernetes.io/config.source": m.word()}
	}
	if m.odds(2) {
		meta.CreationTimestamp = metav1.NewTime(m.when())
	}
	if m.odds(3) {
		t := metav1.NewTime(m.when())
		meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = &t, new(one[int64](m, -1, 0, math.MaxInt64, math.MinInt64))
	}
	if m.odds(3) {
		yes := true
		for range one(m, 1, 2, 300) {
			meta.OwnerReferences = append(meta.OwnerReferences, metav1.OwnerReference{APIVersion: m.word(), Kind: one(m, "Pod", "ReplicaSet", "Node", "StatefulSet", m.word()), Name: one(m, name, m.word()), UID: meta.UID, Controller: &yes})
		}
	}
	if m.odds(3) {
		t := metav1.NewTime(m.when())
		meta.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: m.word(), Operation: metav1.ManagedFieldsOperationType(m.word()), Time: &t, FieldsV1: metav1.NewFieldsV1(m.deep())}}
	}
	if m.odds(4) {
		meta.Finalizers, meta.GenerateName, meta.ResourceVersion = []string{m.word()}, m.word(), m.word()
	}
	return meta
}

// deep is JSON nested as deep as one value can hold.
func (m *maker) deep() string {
	n := one(m, 10, 600, 600, 10_001, 10_001, 50_000)
	return one(m,
		strings.Repeat("[", n)+strings.Repeat("]", n), strings.Repeat(`{"f:a":`, n)+"{}"+strings.Repeat("}", n), strings.Repeat("[", n), strings.Repeat(`{"a":[`, n), strings.Repeat("[[],", n)+"1",
	)
}

var absurdities = []struct {
	name  string
	write func(*maker)
}{
	{"pods of hostile names", func(m *maker) {
		for range 1 + m.IntN(4) {
			name := m.name()
			q := resource.MustParse(placeholder)
			pod := &corev1.Pod{
				ObjectMeta: m.meta(m.name(), name),
				Spec: corev1.PodSpec{
					NodeName: one(m, "n0", "n1", m.word()), RestartPolicy: corev1.RestartPolicy(one(m, "Always", "Never", m.word())), TerminationGracePeriodSeconds: new(one[int64](m, -1, 0, math.MaxInt64, math.MinInt64, 30)),
					Containers:   []corev1.Container{{Name: m.word(), Image: m.word(), Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: q, corev1.ResourceName(m.word()): q}}, Ports: []corev1.ContainerPort{{HostPort: m.big(), ContainerPort: m.big(), Protocol: corev1.Protocol(m.word())}}}},
					NodeSelector: map[string]string{m.word(): m.word()}, HostNetwork: m.odds(2), Overhead: corev1.ResourceList{corev1.ResourceMemory: q},
				},
				Status: corev1.PodStatus{Phase: corev1.PodPhase(one(m, "Running", "Pending", "Succeeded", m.word())), Reason: m.word(), Message: m.word(), HostIP: m.word(), PodIP: m.word()},
			}
			m.object("pods/"+pod.Namespace+"/"+name, pod)
		}
	}},
	{"a pod as JSON", func(m *maker) {
		name := m.name()
		m.text("pods/team/"+name, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":%s,"namespace":"team","uid":%s,"creationTimestamp":%s,"deletionTimestamp":%s,"deletionGracePeriodSeconds":%s},"spec":{"nodeName":%s,"terminationGracePeriodSeconds":%s,"containers":[{"name":"c","resources":{"requests":{"cpu":%s,"memory":%s}}}]},"status":{"phase":%s}}`,
			m.quoted(name), m.quoted(m.word()), m.quoted(m.whenText()), m.quoted(m.whenText()), m.number(), m.quoted(m.word()), m.number(), m.quoted(m.quantity()), m.number(), m.quoted(m.word()))
	}},
	{"pods that share a uid", func(m *maker) {
		for i := range 2 + m.IntN(3) {
			m.object(fmt.Sprintf("pods/team/twin-%d", i), &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: fmt.Sprintf("twin-%d", i), UID: "uid-twin"},
				Spec:       corev1.PodSpec{NodeName: nodes[i%3], Containers: []corev1.Container{{Name: "c"}}}, Status: corev1.PodStatus{Phase: corev1.PodRunning},
			})
		}
	}},
	{"a pod under the key of another", func(m *maker) {
		m.object("pods/team/one-name", &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: m.name(), Name: m.name(), UID: "uid-other-name"}, Spec: corev1.PodSpec{NodeName: "n0"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}})
	}},
	{"many small pods", func(m *maker) {
		for i := range 100 {
			m.text(fmt.Sprintf("pods/many/p%d", i), `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p%d","namespace":"many","uid":"many-%d"},"spec":{"nodeName":%s}}`, i, i, m.quoted(one(m, "n0", m.name())))
		}
	}},
	{"a pod of empty containers", func(m *maker) {
		m.object("pods/team/hollow", &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "hollow", UID: "uid-hollow"}, Spec: corev1.PodSpec{NodeName: "n0", Containers: make([]corev1.Container, one(m, 500, 500, 20_000)), Volumes: make([]corev1.Volume, 2000)}, Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: make([]corev1.ContainerStatus, 2000)}})
	}},
	{"absurd nodes", func(m *maker) {
		for range 1 + m.IntN(10) {
			q := resource.MustParse(placeholder)
			name := m.name()
			node := &corev1.Node{ObjectMeta: m.meta("", name), Status: corev1.NodeStatus{
				NodeInfo: corev1.NodeSystemInfo{KubeletVersion: m.word(), OSImage: m.word(), MachineID: m.word()}, Addresses: []corev1.NodeAddress{{Type: corev1.NodeAddressType(m.word()), Address: m.word()}},
				Allocatable: corev1.ResourceList{corev1.ResourceCPU: q, corev1.ResourcePods: q}, Capacity: corev1.ResourceList{corev1.ResourceMemory: q},
			}}
			for range one(m, 1, 500) {
				node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: m.word(), Value: m.word(), Effect: corev1.TaintEffect(m.word())})
			}
			node.Spec.PodCIDR, node.Spec.ProviderID = m.word(), m.word()
			m.object("minions/"+name, node)
		}
	}},
	{"leases renewed at absurd times", func(m *maker) {
		for range 1 + m.IntN(10) {
			t := metav1.NewMicroTime(m.when())
			name := one(m, "n0", "n1", m.name())
			m.object("leases/"+one(m, "kube-node-lease", "kube-system", m.name())+"/"+name, &coordinationv1.Lease{
				ObjectMeta: m.meta("kube-node-lease", name),
				Spec:       coordinationv1.LeaseSpec{RenewTime: &t, AcquireTime: &t, HolderIdentity: new(m.word()), LeaseDurationSeconds: new(m.big()), LeaseTransitions: new(m.big())},
			})
		}
	}},
	{"workloads that want absurd numbers of pods", func(m *maker) {
		name := one(m, "web", m.name())
		meta := m.meta("team", name)
		meta.UID = "uid-workload"
		switch m.IntN(5) {
		case 0:
			m.object("statefulsets/team/"+name, &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: new(m.big()), Ordinals: &appsv1.StatefulSetOrdinals{Start: m.big()}, VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: m.word()}}}}})
		case 1:
			m.object("deployments/team/"+name, &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: new(m.big())}, Status: appsv1.DeploymentStatus{Replicas: m.big()}})
			m.object("replicasets/team/"+name, &appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: new(m.big())}})
		case 2:
			m.object("jobs/team/"+name, &batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Completions: new(m.big()), Parallelism: new(m.big()), BackoffLimit: new(m.big()), CompletionMode: new(batchv1.CompletionMode("Indexed")), ActiveDeadlineSeconds: new(int64(-1)), TTLSecondsAfterFinished: new(m.big())}, Status: batchv1.JobStatus{CompletedIndexes: one(m, "0-2147483647", "1,3-,5", m.word()), Succeeded: m.big()}})
		case 3:
			t := metav1.NewTime(m.when())
			m.object("cronjobs/team/"+name, &batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{Schedule: one(m, "* * * * *", "@every 1ns", "0 0 30 2 *", "*/0 * * * *", "TZ="+m.word()+" * * * * *", m.word()), TimeZone: new(m.word()), StartingDeadlineSeconds: new(int64(math.MaxInt64))}, Status: batchv1.CronJobStatus{LastScheduleTime: &t, LastSuccessfulTime: &t}})
		case 4:
			m.object("daemonsets/team/"+name, &appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{NodeSelector: map[string]string{m.word(): m.word()}}}}, Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: m.big()}})
		}
		for i := range 3 {
			pod := name + one(m, fmt.Sprintf("-%d", i), "-2147483647", "-99999999999999999999", "--1", "-007")
			m.object("pods/team/"+pod, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: pod, UID: types.UID(fmt.Sprintf("uid-of-set-%d", i)), OwnerReferences: []metav1.OwnerReference{{APIVersion: one(m, "apps/v1", "batch/v1", m.word()), Kind: one(m, "StatefulSet", "Job", "DaemonSet", "ReplicaSet"), Name: name, UID: "uid-workload", Controller: new(true)}}}, Spec: corev1.PodSpec{NodeName: "n1"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}})
		}
	}},
	{"volumes and claims", func(m *maker) {
		q := resource.MustParse(placeholder)
		name := m.name()
		m.object("persistentvolumes/"+name, &corev1.PersistentVolume{ObjectMeta: m.meta("", name), Spec: corev1.PersistentVolumeSpec{Capacity: corev1.ResourceList{corev1.ResourceStorage: q}, ClaimRef: &corev1.ObjectReference{Namespace: m.word(), Name: m.word(), UID: types.UID(m.word())}, PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimPolicy(one(m, "Delete", m.word())), PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: m.word(), VolumeHandle: m.word()}}}, Status: corev1.PersistentVolumeStatus{Phase: corev1.PersistentVolumePhase(m.word())}})
		m.object("persistentvolumeclaims/team/"+name, &corev1.PersistentVolumeClaim{ObjectMeta: m.meta("team", name), Spec: corev1.PersistentVolumeClaimSpec{VolumeName: m.word(), StorageClassName: new(m.word())}})
	}},
	{"Services and Secrets", func(m *maker) {
		name := m.name()
		m.object("services/specs/team/"+name, &corev1.Service{ObjectMeta: m.meta("team", name), Spec: corev1.ServiceSpec{ClusterIP: one(m, "10.96.0.1", m.word()), ClusterIPs: []string{m.word()}, Type: corev1.ServiceType(one(m, "LoadBalancer", "NodePort", m.word())), Ports: []corev1.ServicePort{{Port: m.big(), NodePort: m.big(), TargetPort: intstr.FromString(m.word())}}, ExternalName: m.word()}})
		m.object("secrets/team/"+name, &corev1.Secret{ObjectMeta: m.meta("team", name), Type: corev1.SecretType(one(m, "kubernetes.io/tls", "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", m.word())), Data: map[string][]byte{"tls.crt": []byte(one(m, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", m.word())), "token": []byte("a.b.c"), "expiration": []byte(m.whenText()), m.name(): []byte(m.word())}})
	}},
	{"events", func(m *maker) {
		for i := range 30 {
			m.object(fmt.Sprintf("events/team/e%d", i), &corev1.Event{ObjectMeta: m.meta("team", fmt.Sprintf("e%d", i)), Reason: m.word(), Message: m.word(), Count: m.big(), FirstTimestamp: metav1.NewTime(m.when()), LastTimestamp: metav1.NewTime(m.when()), EventTime: metav1.NewMicroTime(m.when()), InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "team", Name: one(m, "last-0", m.word()), UID: types.UID(one(m, "uid-last-0", m.word()))}, Source: corev1.EventSource{Component: m.word(), Host: m.word()}})
		}
	}},
	{"namespaces that end", func(m *maker) {
		name := one(m, "team", m.name())
		m.object("namespaces/"+name, &corev1.Namespace{ObjectMeta: m.meta("", name), Status: corev1.NamespaceStatus{Phase: corev1.NamespaceTerminating, Conditions: []corev1.NamespaceCondition{{Type: corev1.NamespaceConditionType(m.word()), Message: m.word(), LastTransitionTime: metav1.NewTime(m.when())}}}})
	}},
	{"disruption budgets", func(m *maker) {
		name, of := m.name(), intstr.FromString(m.word())
		m.object("poddisruptionbudgets/team/"+name, &policyv1.PodDisruptionBudget{ObjectMeta: m.meta("team", name), Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: &of, MaxUnavailable: &of}})
	}},
	{"definitions of resources", func(m *maker) {
		for i := range one(m, 1, 1, 30) {
			group, plural := fmt.Sprintf("g%d.example.com", i), "gadgets"
			if m.odds(3) {
				plural = m.name()
			}
			m.text(fmt.Sprintf("apiextensions.k8s.io/customresourcedefinitions/%s.%s", plural, group),
				`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":%s,"uid":"c","creationTimestamp":%s},"spec":{"group":%s,"names":{"plural":%s,"kind":%s,"shortNames":[%s]},"scope":%s,"conversion":{"strategy":"Webhook","webhook":{"clientConfig":{"service":{"name":%s,"namespace":%s,"port":%s}}}},"versions":[{"name":%s,"served":true,"storage":%s,"schema":{"openAPIV3Schema":%s},"additionalPrinterColumns":[{"name":%s,"type":%s,"jsonPath":%s,"priority":%s}]}]},"status":{"storedVersions":[%s]}}`,
				m.quoted(plural+"."+group), m.quoted(m.whenText()), m.quoted(group), m.quoted(plural), m.quoted(m.word()), m.quoted(m.word()), m.quoted(one(m, "Namespaced", "Cluster", m.word())), m.quoted(m.word()), m.quoted(m.word()), m.number(), m.quoted(one(m, "v1", m.word())), one(m, "true", m.number()), m.schema(),
				m.quoted(m.word()), m.quoted(one(m, "date", "integer", "string", m.word())), m.quoted(one(m, ".spec[0:99999999999]", "..", "{range .items[*]}", ".spec..a..b..c", "$[?(@.a==@.a)]", ".metadata.creationTimestamp", ".a["+strings.Repeat("[", 5000), m.word())), m.number(), m.quoted(m.word()))
			m.text(fmt.Sprintf("%s/%s/team/%s", group, plural, m.name()), `{"apiVersion":%s,"kind":%s,"metadata":{"name":%s,"namespace":"team","uid":"g","managedFields":%s},"spec":%s}`, m.quoted(group+"/v1"), m.quoted(m.word()), m.quoted(m.word()), m.schema(), m.schema())
		}
	}},
	{"values nested deep", func(m *maker) {
		key := "example.com/things/team/" + m.name()
		switch m.IntN(5) {
		case 0:
			m.text(key, "%s", m.deep())
		case 1:
			m.text(key, `{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x","labels":%s},"spec":%s}`, m.deep(), m.deep())
		case 2: // CBOR: arrays, maps, tags, indefinite lengths, lengths beyond the end
			m.text(key, "\xd9\xd9\xf7%s", one(m, strings.Repeat("\x81", 50_000), strings.Repeat("\xa1\x61a", 20_000), strings.Repeat("\x9f", 50_000), strings.Repeat("\xc1", 50_000), "\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "\xbb\x00\x00\x00\x01\x00\x00\x00\x00", "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", "\xa1\x48metadata\xa1\x44name\x41x"))
		case 3: // groups and messages in protobuf
			m.text(key, "k8s\x00\n\x04\n\x02v1\x12%s", one(m, strings.Repeat("\x0b", 50_000), strings.Repeat("\x0a\xff\xff\x03", 20_000), "\xff\xff\xff\xff\x07", ""))
		case 4:
			inner := []byte{}
			for range 500 {
				inner = append(append([]byte{0x0a}, byteCount(len(inner))...), inner...)
			}
			m.text("pods/team/"+m.name(), "k8s\x00\n\x09\n\x02v1\x12\x03Pod\x12%s%s", byteCount(len(inner)), inner)
		}
	}},
	{"webhooks and API services", func(m *maker) {
		name := m.name()
		m.text("validatingwebhookconfigurations/"+name, `{"kind":"ValidatingWebhookConfiguration","apiVersion":"admissionregistration.k8s.io/v1","metadata":{"name":%s},"webhooks":[{"name":%s,"failurePolicy":%s,"timeoutSeconds":%s,"clientConfig":{"url":%s,"caBundle":%s,"service":{"namespace":%s,"name":%s}},"rules":[{"apiGroups":[%s],"resources":["*"]}]}]}`,
			m.quoted(name), m.quoted(m.word()), m.quoted(one(m, "Fail", m.word())), m.number(), m.quoted(m.word()), m.quoted("AAAA"), m.quoted(m.word()), m.quoted(m.word()), m.quoted(m.word()))
		m.text("apiregistration.k8s.io/apiservices/"+name, `{"kind":"APIService","apiVersion":"apiregistration.k8s.io/v1","metadata":{"name":%s},"spec":{"group":%s,"version":%s,"service":{"namespace":%s,"name":%s,"port":%s},"groupPriorityMinimum":%s}}`,
			m.quoted(name), m.quoted(m.word()), m.quoted(m.word()), m.quoted(m.word()), m.quoted(m.word()), m.number(), m.number())
	}},
	{"encrypted values", func(m *maker) {
		for i := range 1 + m.IntN(5) {
			m.text(fmt.Sprintf("%s/team/sealed-%d", one(m, "secrets", "pods", "configmaps"), i), "k8s:enc:%s", one(m,
				"aescbc:v1:key1:"+strings.Repeat("x", m.IntN(100)), "aesgcm:v1:key1:"+strings.Repeat("x", m.IntN(100)), "secretbox:v1:key1:"+strings.Repeat("x", m.IntN(100)), "kms:v2:"+m.word()+":\x0a\xff", "kms:v1:"+m.word()+":\xff\xff", "", ":", "aescbc", "aescbc:v1:"+strings.Repeat("k", 5000)+":x", "aescbc:v1:"+m.word()+":x", m.word()+":v1:key1:x"))
		}
	}},
	{"keys that are none of Kubernetes'", func(m *maker) {
		for range 1 + m.IntN(10) {
			key := one(m, "/registry/pods", "/registry/pods/", "/registry/pods//x", "/registry/pods/a/b/c/d", "/registry//", "/registry", "\x00", "/registry/minions/../../"+m.word(), "/registry/"+m.name()+"/x", "/registry/pods/team/"+m.word(), m.word()+"x", "\xff\xff", "compact_rev_key", "/registry/leases/kube-node-lease/", "/registry/services/specs/x", "/"+strings.Repeat("x/", 3000))
			m.history.put(key, []byte(one(m, m.word(), "{}", "{", "null", "k8s\x00", "0")))
		}
	}},
	{"long keys and values", func(m *maker) {
		m.history.put("/registry/configmaps/default/"+strings.Repeat("k", one(m, 5000, 32_000, 32_000, 1_000_000)), make([]byte, one(m, 0, 100_000, 1_500_000)))
	}},
	{"static pods", func(m *maker) {
		name := m.name()
		m.object("pods/kube-system/"+name, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name, UID: "uid-mirror", Annotations: map[string]string{corev1.MirrorPodAnnotationKey: m.word(), "kubernetes.io/config.hash": m.word(), "kubeadm.kubernetes.io/etcd.advertise-client-urls": m.word()}, Labels: map[string]string{"component": "etcd", "tier": "control-plane"}}, Spec: corev1.PodSpec{NodeName: "n0", Containers: []corev1.Container{{Name: "etcd", Image: m.word(), Command: []string{"etcd", "--data-dir=" + m.word(), "--name=" + m.word(), "--initial-cluster=" + m.word(), m.word()}}}}, Status: corev1.PodStatus{Phase: corev1.PodRunning}})
	}},
	{"marks of platforms", func(m *maker) {
		m.text("config.openshift.io/clusterversions/version", `{"kind":"ClusterVersion","apiVersion":"config.openshift.io/v1","metadata":{"name":"version"},"spec":%s}`, m.schema())
		m.text("configmaps/kube-system/kubeadm-config", `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"kubeadm-config","namespace":"kube-system"},"data":{"ClusterConfiguration":%s}}`, m.quoted("etcd:\n  local:\n    dataDir: "+m.word()))
		m.text("machineconfiguration.openshift.io/controllerconfigs/x", `{"kind":%s}`, m.quoted(m.word()))
	}},
}

// schema is a value of JSON that is not of the shape that is wanted.
func (m *maker) schema() string {
	if m.odds(4) {
		return m.deep()
	}
	return one(m, "null", "[]", "{}", m.number(), `{"properties":{"spec":{"$ref":"#"}}}`, `{"a":`+m.quoted(m.word())+`}`, `[{"time":`+m.quoted(m.whenText())+`}]`)
}

// byteCount is a length as protobuf has it.
func byteCount(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
