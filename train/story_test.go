package train_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"revenant/internal/clustertest"
	"revenant/internal/golden"
)

// story is the cluster whose snapshots are the evidence of scenarios. What happens in it is
// written here, step by step, so tests know what is right without asking the analyzers.
type story struct {
	*clustertest.History
	t   *testing.T
	dir string
	now time.Time

	uids  map[string]int // number of the object that a path has now
	born  map[string]time.Time
	files map[string][]byte
	made  int
	audit bytes.Buffer
}

// marks are what tests know of the story: names and revisions.
type marks struct {
	RatesLast    int64 // the ConfigMap billing/rates was last written
	RatesDeleted int64
	BillingAsked int64 // the deletion of the namespace was asked for
	BillingGone  int64 // the namespace itself was deleted
	FlagsFirst   int64
	FlagsLast    int64
	FlagsDeleted int64
}

func (s *story) object(path string, o runtime.Object) {
	s.t.Helper()
	meta := o.(metav1.Object)
	if _, again := s.born[path]; !again {
		s.made++
		s.uids[path], s.born[path] = s.made, s.now
	}
	meta.SetUID(s.uid(path))
	meta.SetCreationTimestamp(metav1.NewTime(s.born[path]))
	if err := s.Object(path, o); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) remove(path string) {
	s.Delete("/registry/" + path)
	delete(s.born, path)
}

func (s *story) save(name string, compacted int64, inPlace bool) {
	s.t.Helper()
	data, err := s.Save(s.dir, compacted, inPlace)
	if err != nil {
		s.t.Fatal(err)
	}
	s.files[name] = data
}

func owner(kind, name, group string, uid types.UID) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: group, Kind: kind, Name: name, UID: uid, Controller: &yes, BlockOwnerDeletion: &yes}}
}

func (s *story) uid(path string) types.UID {
	n := s.uids[path]
	return types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", n*2654435761&0xffffffff, n))
}

func (s *story) namespace(name string) {
	s.object("namespaces/"+name, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}},
		Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"kubernetes"}},
		Status:     corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
	})
}

func (s *story) node(name, address string) {
	s.object("minions/"+name, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
		Status: corev1.NodeStatus{
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
			NodeInfo:   corev1.NodeSystemInfo{KubeletVersion: "v1.37.2", OSImage: "Debian GNU/Linux 13"},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}},
			Allocatable: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("110"),
			},
		},
	})
}

// pod writes a pod that runs.
func (s *story) pod(namespace, name, node, ip, app string, owned []metav1.OwnerReference, change func(*corev1.Pod)) {
	grace := int64(30)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": app}, OwnerReferences: owned},
		Spec: corev1.PodSpec{
			NodeName: node, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{Name: app, Image: "registry.example.com/" + app + ":1.4"}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, StartTime: &metav1.Time{Time: s.now},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
	if change != nil {
		change(p)
	}
	s.object("pods/"+namespace+"/"+name, p)
}

func (s *story) web(replicas int32) {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "registry.example.com/web:1.4"}}},
	}
	s.object("deployments/shop/web", &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Generation: 1},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector, Template: template},
		Status:     appsv1.DeploymentStatus{Replicas: replicas},
	})
	s.object("replicasets/shop/web-6d4b9c", &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-6d4b9c", OwnerReferences: owner("Deployment", "web", "apps/v1", s.uid("deployments/shop/web"))},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: selector, Template: template},
		Status:     appsv1.ReplicaSetStatus{Replicas: replicas},
	})
}

// slice writes the endpoints of the Service web: node, pod and address each.
func (s *story) slice(pods ...[3]string) {
	ready, port, name, tcp := true, int32(8080), "http", corev1.ProtocolTCP
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-7x2kd", Labels: map[string]string{"kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
			OwnerReferences: owner("Service", "web", "v1", s.uid("services/specs/shop/web")),
		},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &tcp}},
	}
	for _, p := range pods {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{p[2]}, NodeName: &p[0], Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: p[1], UID: s.uid("pods/shop/" + p[1])},
		})
	}
	s.object("endpointslices/shop/web-7x2kd", slice)
}

func (s *story) job(name, node, ip string) {
	one := int32(1)
	s.object("jobs/shop/"+name, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: batchv1.JobSpec{Parallelism: &one, Completions: &one, Template: corev1.PodTemplateSpec{
			Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: name, Image: "registry.example.com/" + name + ":1.4"}}},
		}},
		Status: batchv1.JobStatus{Active: 1, StartTime: &metav1.Time{Time: s.now}},
	})
	s.pod("shop", name+"-q7vsn", node, ip, name, owner("Job", name, "batch/v1", s.uid("jobs/shop/"+name)), func(p *corev1.Pod) {
		p.Spec.RestartPolicy = corev1.RestartPolicyNever
		p.Labels["job-name"] = name
	})
}

func (s *story) configMap(namespace, name string, data map[string]string) {
	s.object("configmaps/"+namespace+"/"+name, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, Labels: map[string]string{"app": name},
			ManagedFields: []metav1.ManagedFieldsEntry{{
				Manager: "kubectl-client-side-apply", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", Time: &metav1.Time{Time: s.now},
				FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:data":{}}`),
			}},
		},
		Data: data,
	})
}

// renew writes the leases of the nodes, by which moments are dated, and lets time pass.
func (s *story) renew(after time.Duration, nodes ...string) {
	s.now = s.now.Add(after)
	for i, n := range nodes {
		t := metav1.NewMicroTime(s.now.Add(time.Duration(i) * time.Millisecond))
		s.object("leases/kube-node-lease/"+n, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: n},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &n, RenewTime: &t},
		})
	}
	t := metav1.NewMicroTime(s.now)
	s.object("leases/kube-system/apiserver-cp-1", &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "apiserver-cp-1", Labels: map[string]string{
			"apiserver.kubernetes.io/identity": "kube-apiserver", corev1.LabelHostname: "cp-1",
		}},
		Spec: coordinationv1.LeaseSpec{RenewTime: &t},
	})
}

// requested writes an event of the audit log.
func (s *story) requested(id int, verb, user, resource, namespace, name string, code int) {
	at := s.now.Add(100 * time.Millisecond).UTC().Format("2006-01-02T15:04:05.000000Z")
	uri := "/api/v1/" + resource + "/" + name
	ref := map[string]any{"resource": resource, "name": name, "apiVersion": "v1"}
	if namespace != "" {
		uri = "/api/v1/namespaces/" + namespace + "/" + resource + "/" + name
		ref["namespace"] = namespace
	}
	line, err := json.Marshal(map[string]any{
		"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": fmt.Sprintf("%04d", id), "stage": "ResponseComplete",
		"requestURI": uri, "verb": verb, "user": map[string]any{"username": user, "groups": []string{"system:authenticated"}},
		"sourceIPs": []string{"10.0.0.7"}, "userAgent": "kubectl/v1.37.2 (linux/amd64) kubernetes/74cdb42", "objectRef": ref,
		"responseStatus": map[string]any{"metadata": map[string]any{}, "code": code}, "requestReceivedTimestamp": at, "stageTimestamp": at,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.audit.Write(append(line, '\n'))
}

// tell writes the story and saves its snapshots.
func tell(t *testing.T) (*story, marks) {
	t.Helper()
	s := &story{
		History: clustertest.NewHistory(), t: t, dir: t.TempDir(), uids: map[string]int{}, born: map[string]time.Time{}, files: map[string][]byte{},
		now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
	}
	var m marks
	two := []string{"node-1", "node-2"}
	for _, name := range []string{"kube-system", "kube-node-lease", "default", "shop", "billing"} {
		s.namespace(name)
	}
	s.node("node-1", "10.0.0.21")
	s.node("node-2", "10.0.0.22")
	s.renew(0, two...)
	s.configMap("kube-system", "kubeadm-config", map[string]string{
		"ClusterConfiguration": "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: kubernetes\ncontrolPlaneEndpoint: 10.0.0.11:6443\nkubernetesVersion: v1.37.2\nnetworking:\n  serviceSubnet: 10.96.0.0/12\n",
	})
	s.configMap("kube-system", "coredns", map[string]string{"Corefile": ".:53 {\n    errors\n    health\n    kubernetes cluster.local in-addr.arpa ip6.arpa\n    forward . /etc/resolv.conf\n    cache 30\n    loop\n    reload\n}\n"})
	s.configMap("billing", "rates", map[string]string{"currency": "EUR", "vat": "19"})
	s.configMap("billing", "templates", map[string]string{"invoice": "Dear customer,\n", "reminder": "Dear customer, once more,\n"})
	var goods strings.Builder
	for i := range 60 {
		fmt.Fprintf(&goods, "%d,article %d,%d.%02d EUR\n", 1000+7*i, i+1, 3+i*5%40, i*37%100)
	}
	s.configMap("shop", "catalog", map[string]string{"catalog.csv": goods.String()})
	policy := corev1.PersistentVolumeReclaimRetain
	volume := func(name string, source corev1.PersistentVolumeSource, claim string, hosts ...string) {
		v := &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.PersistentVolumeSpec{
				PersistentVolumeSource: source, PersistentVolumeReclaimPolicy: policy, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}, ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: "shop", Name: claim},
			},
			Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeBound},
		}
		if len(hosts) > 0 {
			v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "kubernetes.io/hostname", Operator: corev1.NodeSelectorOpIn, Values: hosts}},
			}}}}
		}
		s.object("persistentvolumes/"+name, v)
	}
	volume("pv-db", corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/mnt/ssd/db"}}, "data-db-0", "node-2")
	volume("pv-media", corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "10.0.0.50", Path: "/media"}}, "media")
	s.object("services/specs/shop/web", &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		Spec:       corev1.ServiceSpec{ClusterIP: "10.96.14.2", Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	})
	s.web(3)
	set := func(name string) []metav1.OwnerReference {
		return owner("ReplicaSet", name, "apps/v1", s.uid("replicasets/shop/"+name))
	}
	s.pod("shop", "web-6d4b9c-2lhtr", "node-1", "10.244.1.4", "web", set("web-6d4b9c"), nil)
	s.pod("shop", "web-6d4b9c-8pxkf", "node-2", "10.244.2.6", "web", set("web-6d4b9c"), nil)
	s.pod("shop", "web-6d4b9c-wd5zn", "node-2", "10.244.2.7", "web", set("web-6d4b9c"), nil)
	s.slice([3]string{"node-1", "web-6d4b9c-2lhtr", "10.244.1.4"}, [3]string{"node-2", "web-6d4b9c-8pxkf", "10.244.2.6"}, [3]string{"node-2", "web-6d4b9c-wd5zn", "10.244.2.7"})
	one := int32(1)
	s.object("statefulsets/shop/db", &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db"},
		Spec: appsv1.StatefulSetSpec{Replicas: &one, ServiceName: "db", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "db"}}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "db", Image: "registry.example.com/db:1.4"}}},
		}},
		Status: appsv1.StatefulSetStatus{Replicas: 1},
	})
	s.pod("shop", "db-0", "node-2", "10.244.2.3", "db", owner("StatefulSet", "db", "apps/v1", s.uid("statefulsets/shop/db")), nil)
	s.job("report", "node-1", "10.244.1.9")
	s.job("import", "node-2", "10.244.2.9")
	s.save("shop-sunday", 0, false)
	s.renew(30*time.Minute, two...)
	s.configMap("billing", "templates", map[string]string{"invoice": "Dear customer,\nplease pay.\n", "reminder": "Dear customer, once more,\n"})
	s.save("shop-backup", 0, false)

	// After the backup.
	s.renew(time.Minute, two...)
	s.node("node-3", "10.0.0.23")
	three := append(slices.Clone(two), "node-3")
	for range 6 {
		s.renew(10*time.Second, three...)
	}
	s.configMap("billing", "rates", map[string]string{"currency": "EUR", "vat": "21"})
	m.RatesLast = s.Revision()
	s.configMap("shop", "flags", map[string]string{"checkout": "old"})
	m.FlagsFirst = s.Revision()
	s.renew(10*time.Second, three...)
	// The Deployment is scaled down to two, and up again to five: the new pods come to node-3 and node-1.
	s.web(2)
	s.remove("pods/shop/web-6d4b9c-wd5zn")
	s.slice([3]string{"node-1", "web-6d4b9c-2lhtr", "10.244.1.4"}, [3]string{"node-2", "web-6d4b9c-8pxkf", "10.244.2.6"})
	s.renew(10*time.Second, three...)
	s.web(5)
	s.pod("shop", "web-6d4b9c-5rjmc", "node-3", "10.244.3.2", "web", set("web-6d4b9c"), nil)
	s.pod("shop", "web-6d4b9c-lq8tw", "node-3", "10.244.3.3", "web", set("web-6d4b9c"), nil)
	s.pod("shop", "web-6d4b9c-zz4vb", "node-1", "10.244.1.12", "web", set("web-6d4b9c"), nil)
	s.slice([3]string{"node-1", "web-6d4b9c-2lhtr", "10.244.1.4"}, [3]string{"node-2", "web-6d4b9c-8pxkf", "10.244.2.6"}, [3]string{"node-3", "web-6d4b9c-5rjmc", "10.244.3.2"}, [3]string{"node-3", "web-6d4b9c-lq8tw", "10.244.3.3"}, [3]string{"node-1", "web-6d4b9c-zz4vb", "10.244.1.12"})
	s.configMap("shop", "flags", map[string]string{"checkout": "new", "search": "beta"})
	m.FlagsLast = s.Revision()
	s.renew(10*time.Second, three...)
	s.save("shop-monday", 0, false)
	// The report ends, and its Job is cleaned up.
	s.remove("pods/shop/report-q7vsn")
	s.remove("jobs/shop/report")
	s.renew(10*time.Second, three...)
	// Somebody may not delete the namespace billing, and somebody may.
	s.requested(1, "delete", "mallory", "namespaces", "", "billing", 403)
	s.requested(2, "get", "alice", "namespaces", "", "billing", 200)
	s.renew(10*time.Second, three...)
	s.requested(3, "delete", "carol", "namespaces", "", "billing", 200)
	asked := metav1.NewTime(s.now)
	s.object("namespaces/billing", &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: "billing", DeletionTimestamp: &asked, Labels: map[string]string{"kubernetes.io/metadata.name": "billing"}},
		Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"kubernetes"}},
		Status:     corev1.NamespaceStatus{Phase: corev1.NamespaceTerminating},
	})
	m.BillingAsked = s.Revision()
	s.now = s.now.Add(time.Second)
	s.requested(4, "deletecollection", "system:serviceaccount:kube-system:namespace-controller", "configmaps", "billing", "", 200)
	s.remove("configmaps/billing/rates")
	m.RatesDeleted = s.Revision()
	s.remove("configmaps/billing/templates")
	s.remove("namespaces/billing")
	m.BillingGone = s.Revision()
	s.renew(10*time.Second, three...)
	s.remove("configmaps/shop/flags")
	m.FlagsDeleted = s.Revision()
	s.requested(5, "delete", "carol", "pods", "shop", "web-6d4b9c-zz4vb", 404)
	s.renew(10*time.Second, three...)
	s.save("shop-current", 0, false)
	// Later the history is compacted: what was deleted is in no bucket from then on.
	s.renew(5*time.Minute, three...)
	compacted := s.Revision()
	s.renew(10*time.Second, three...)
	s.save("shop-later", compacted, true)
	s.files["shop-audit"] = s.audit.Bytes()
	s.files["shop-tuesday"] = lostSector(t, s.files["shop-current"], "/registry/configmaps/shop/catalog")
	return s, m
}

// lostSector is a snapshot of which the disk has lost 512 bytes: those where the newest
// value of the key begins. Pages and records are whole, so nothing that walks the tree
// notices.
func lostSector(t *testing.T, data []byte, key string) []byte {
	t.Helper()
	at := bytes.LastIndex(data, []byte(key))
	begin := bytes.Index(data[at:], []byte("k8s\x00"))
	if at < 0 || begin < 0 {
		t.Fatal("the key is nowhere")
	}
	data = slices.Clone(data)
	clear(data[at+begin : at+begin+512])
	return data
}

// TestEvidence keeps the evidence that the program carries equal to the story. With -update
// it is written.
func TestEvidence(t *testing.T) {
	s, _ := tell(t)
	total, names := 0, map[string]bool{}
	for name, data := range s.files {
		path := filepath.Join("evidence", name+".gz")
		names[name+".gz"] = true
		if golden.Updating() {
			var packed bytes.Buffer
			z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := z.Write(data); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%s is not what the story makes: go test ./train -run TestEvidence -update writes it", path)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		total += int(info.Size())
		f.Close()
	}
	entries, err := os.ReadDir("evidence")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !names[e.Name()] {
			t.Errorf("evidence/%s is not of the story", e.Name())
		}
		if strings.HasSuffix(e.Name(), ".db.gz") {
			t.Errorf("evidence/%s: tests take such a name for a whole snapshot", e.Name())
		}
	}
	if total > 300<<10 {
		t.Errorf("the evidence takes %d bytes of the program", total)
	}
	t.Logf("%d bytes", total)
}
