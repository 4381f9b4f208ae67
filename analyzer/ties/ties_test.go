package ties_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"revenant/analyzer/finding"
	"revenant/analyzer/ties"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

const prefix = "/registry"

// put stores an object as the API server does.
func put(t testing.TB, o runtime.Object) snapshottest.Change {
	t.Helper()
	m, err := meta.Accessor(o)
	if err != nil {
		t.Fatal(err)
	}
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		t.Fatal(err)
	}
	o.GetObjectKind().SetGroupVersionKind(kinds[0])
	k := kube.Key{Namespace: m.GetNamespace(), Name: m.GetName(), Resource: "ranges"}
	for _, r := range kube.Resources() {
		if r.Kind == kinds[0].Kind {
			k.Group, k.Resource = r.Group(), r.Name
		}
	}
	var b strings.Builder
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(o, &b); err != nil {
		t.Fatal(err)
	}
	return snapshottest.Put(k.Path(prefix), b.String())
}

func named(name string) metav1.ObjectMeta {
	if ns, n, ok := strings.Cut(name, "/"); ok {
		return metav1.ObjectMeta{Namespace: ns, Name: n, UID: "uid"}
	}
	return metav1.ObjectMeta{Name: name, UID: "uid"}
}

func pointer[T any](v T) *T { return &v }

func runs(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: image}}}}
}

func onHost(name string) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{name}}}}}}
}

// told are the findings, one in a line.
func told(list *ties.Ties) (lines []string) {
	for _, f := range list.Findings {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", f.ID, f.Object(), f.Detail))
	}
	return lines
}

// TestFind makes one object for every tie, and beside it one that has none.
func TestFind(t *testing.T) {
	pinned := runs("app:1")
	pinned.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "node-1"}
	byAffinity := runs("app:1")
	byAffinity.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: onHost("node-2")}}
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("root")}))
	claim := &corev1.ObjectReference{Namespace: "db", Name: "data-0"}
	url, fail, ignore := "https://10.0.0.9/hook", admissionv1.Fail, admissionv1.Ignore
	hook := func(name string, policy *admissionv1.FailurePolicyType, url *string) admissionv1.ValidatingWebhook {
		w := admissionv1.ValidatingWebhook{Name: name, FailurePolicy: policy, ClientConfig: admissionv1.WebhookClientConfig{URL: url}}
		if url == nil {
			w.ClientConfig.Service = &admissionv1.ServiceReference{Namespace: "policy", Name: "engine"}
		}
		return w
	}
	volume := func(name string, source corev1.PersistentVolumeSource, nodes *corev1.VolumeNodeAffinity) *corev1.PersistentVolume {
		return &corev1.PersistentVolume{ObjectMeta: named(name), Spec: corev1.PersistentVolumeSpec{NodeAffinity: nodes, PersistentVolumeSource: source}}
	}
	asks := func(key string, operator corev1.NodeSelectorOperator) *corev1.VolumeNodeAffinity {
		return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: []string{"node-3"}}}}}}}
	}
	nfs := corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "10.0.0.7", Path: "/exports"}}
	ended := func(condition batchv1.JobConditionType, status corev1.ConditionStatus) batchv1.JobStatus {
		return batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: condition, Status: status}}}
	}
	bound, near, preferring := runs("app:1"), runs("app:1"), runs("app:1")
	bound.Spec.NodeName = "node-4"
	near.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{}}
	preferring.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}
	otherCA := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("another")}))
	objects := []runtime.Object{
		volume("nfs", nfs, nil), volume("nfs-anywhere", nfs, &corev1.VolumeNodeAffinity{}),
		volume("nfs-by-field", nfs, asks("metadata.name", corev1.NodeSelectorOpIn)),
		volume("nfs-not-on", nfs, asks(corev1.LabelHostname, corev1.NodeSelectorOpNotIn)), volume("nfs-of-zone", nfs, asks(corev1.LabelTopologyZone, corev1.NodeSelectorOpIn)),
		volume("iscsi", corev1.PersistentVolumeSource{ISCSI: &corev1.ISCSIPersistentVolumeSource{TargetPortal: "10.0.0.8", IQN: "iqn.2001-04.com.example:a"}}, nil),
		volume("rbd", corev1.PersistentVolumeSource{RBD: &corev1.RBDPersistentVolumeSource{}}, nil),
		&corev1.Service{ObjectMeta: named("shop/taken"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Type: corev1.ServiceTypeLoadBalancer}, Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.9"}, {Hostname: "lb.example.com"}}}}},
		&batchv1.Job{ObjectMeta: named("shop/failed"), Status: ended(batchv1.JobFailed, corev1.ConditionTrue)},
		&batchv1.Job{ObjectMeta: named("shop/not-complete"), Status: ended(batchv1.JobComplete, corev1.ConditionFalse)},
		&batchv1.Job{ObjectMeta: named("shop/was-suspended"), Spec: batchv1.JobSpec{Suspend: pointer(false)}, Status: ended(batchv1.JobSuspended, corev1.ConditionTrue)},
		&batchv1.CronJob{ObjectMeta: named("shop/on"), Spec: batchv1.CronJobSpec{Suspend: pointer(false), Schedule: "@daily"}},
		&appsv1.Deployment{ObjectMeta: named("shop/bound"), Spec: appsv1.DeploymentSpec{Template: bound}},
		&appsv1.Deployment{ObjectMeta: named("shop/near"), Spec: appsv1.DeploymentSpec{Template: near}},
		&appsv1.Deployment{ObjectMeta: named("shop/preferring"), Spec: appsv1.DeploymentSpec{Template: preferring}},
		&corev1.ConfigMap{ObjectMeta: named("kube-public/kube-root-ca.crt"), Data: map[string]string{"ca.crt": otherCA}}, // kube-system's comes first
		&corev1.ConfigMap{ObjectMeta: named("kube-system/a-ca"), Data: map[string]string{"ca.crt": otherCA}},
		&corev1.ConfigMap{ObjectMeta: named("kube-public/cluster-info"), Data: map[string]string{"kubeconfig": "    server: https://10.0.0.1:6443\n", "other": "server: \"https://10.0.0.1:6443\"\ncontrolPlaneEndpoint: \"\"\n"}},
		&corev1.RangeAllocation{ObjectMeta: named("secondaryserviceips")},
		&corev1.PersistentVolume{ObjectMeta: named("disk"), Spec: corev1.PersistentVolumeSpec{ClaimRef: claim, PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete, PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi.aws.com", VolumeHandle: "vol-1"}}}},
		&corev1.PersistentVolume{ObjectMeta: named("local"), Spec: corev1.PersistentVolumeSpec{NodeAffinity: &corev1.VolumeNodeAffinity{Required: onHost("node-1")}, PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/mnt/a"}}}},
		&corev1.PersistentVolume{ObjectMeta: named("path"), Spec: corev1.PersistentVolumeSpec{ClaimRef: claim, PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/srv"}}}},
		&corev1.PersistentVolume{ObjectMeta: named("pinned"), Spec: corev1.PersistentVolumeSpec{NodeAffinity: &corev1.VolumeNodeAffinity{Required: onHost("node-2")}, PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "topolvm.io", VolumeHandle: "v"}}}},
		&storagev1.VolumeAttachment{ObjectMeta: named("csi-1"), Spec: storagev1.VolumeAttachmentSpec{Attacher: "ebs.csi.aws.com", NodeName: "node-1", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: pointer("disk")}}},
		&corev1.Service{ObjectMeta: named("default/kubernetes"), Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.1", ClusterIPs: []string{"10.96.0.1"}}},
		&corev1.Service{ObjectMeta: named("shop/web"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Type: corev1.ServiceTypeLoadBalancer}},
		&corev1.Service{ObjectMeta: named("shop/plain"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}},
		&corev1.Service{ObjectMeta: named("shop/db"), Spec: corev1.ServiceSpec{ExternalIPs: []string{"192.0.2.7"}}},
		&corev1.Service{ObjectMeta: named("default/db"), Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.8", ClusterIPs: []string{"10.96.0.8"}}},
		&corev1.Service{ObjectMeta: named("shop/kubernetes"), Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.9", ClusterIPs: []string{"10.96.0.9"}}}, // not the API
		&corev1.Service{ObjectMeta: named("shop/alias"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName}},
		&admissionv1.ValidatingWebhookConfiguration{ObjectMeta: named("policy"), Webhooks: []admissionv1.ValidatingWebhook{hook("a", &fail, nil), hook("b", &ignore, nil), hook("c", &ignore, &url)}},
		&batchv1.Job{ObjectMeta: named("shop/import"), Status: batchv1.JobStatus{Succeeded: 2}},
		&batchv1.Job{ObjectMeta: named("shop/done"), Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}},
		&batchv1.Job{ObjectMeta: named("shop/held"), Spec: batchv1.JobSpec{Suspend: pointer(true)}},
		&batchv1.CronJob{ObjectMeta: named("shop/nightly"), Spec: batchv1.CronJobSpec{Schedule: "0 3 * * *"}},
		&batchv1.CronJob{ObjectMeta: named("shop/never"), Spec: batchv1.CronJobSpec{Suspend: pointer(true)}},
		&appsv1.Deployment{ObjectMeta: named("dns/external-dns"), Spec: appsv1.DeploymentSpec{Template: runs("registry.k8s.io/external-dns/external-dns:v0.14.0")}},
		&appsv1.Deployment{ObjectMeta: named("shop/web"), Spec: appsv1.DeploymentSpec{Template: runs("app:1")}},
		&appsv1.StatefulSet{ObjectMeta: named("shop/pinned"), Spec: appsv1.StatefulSetSpec{Template: pinned}},
		&appsv1.DaemonSet{ObjectMeta: named("shop/affine"), Spec: appsv1.DaemonSetSpec{Template: byAffinity}},
		&corev1.ConfigMap{ObjectMeta: named("kube-system/kube-proxy"), Data: map[string]string{"kubeconfig.conf": "clusters:\n- cluster:\n    server: https://10.0.0.1:6443\n"}},
		&corev1.ConfigMap{ObjectMeta: named("kube-system/kubeadm-config"), Data: map[string]string{"ClusterConfiguration": "controlPlaneEndpoint: api.example.com:6443\ndns: {}\n"}},
		&corev1.ConfigMap{ObjectMeta: named("kube-system/kube-root-ca.crt"), Data: map[string]string{"ca.crt": certificate}},
		&corev1.ConfigMap{ObjectMeta: named("kube-system/other"), Data: map[string]string{"x": "server: unix:///run/x\n"}},
		&corev1.RangeAllocation{ObjectMeta: named("serviceips"), Range: "10.96.0.0/12"},
		&corev1.Node{ObjectMeta: named("node-1")},
		&corev1.Pod{ObjectMeta: named("shop/web-1")},
		&corev1.Pod{ObjectMeta: named("shop/web-2")},
	}
	var changes []snapshottest.Change
	for _, o := range objects {
		changes = append(changes, put(t, o))
	}
	changes = append(changes,
		snapshottest.Put("/registry/secrets/shop/a", "k8s:enc:aescbc:v1:key1:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
		snapshottest.Put("/registry/persistentvolumes/broken", "not an object"),
		snapshottest.Put("/registry/crd.projectcalico.org/ipamblocks/10-0-0-0-26", "{}"),
		snapshottest.Put("/registry/kubeovn.io/ips/a", "{}"),
		snapshottest.Change{Key: "/registry/configmaps/kube-system/a/b", Value: put(t, &corev1.ConfigMap{ObjectMeta: named("kube-system/b"), Data: map[string]string{"x": "server: https://10.0.0.2\n"}}).Value},
		snapshottest.Put("/registry/configmaps/kube-public/broken", "not an object"),
		snapshottest.Put("/registry/ranges/serviceips-broken", "not an object"),
		snapshottest.Change{Key: "/registry/cronjobs/nobodys", Value: put(t, &batchv1.CronJob{ObjectMeta: named("shop/nobodys")}).Value}, // no object's key
		snapshottest.Put("/registry/acme.cert-manager.io/orders/shop/a", "{}"),
	)
	got, err := ties.Find(t.Context(), snapshottest.Store(t, changes...), prefix)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"volume-shared: persistentvolumes disk: ebs.csi.aws.com vol-1, of claim db/data-0, reclaim policy Delete",
		"volume-shared: persistentvolumes iscsi: iSCSI 10.0.0.8 iqn.2001-04.com.example:a, of no claim, reclaim policy Retain",
		"volume-shared: persistentvolumes nfs: NFS 10.0.0.7:/exports, of no claim, reclaim policy Retain",
		"volume-shared: persistentvolumes nfs-anywhere: NFS 10.0.0.7:/exports, of no claim, reclaim policy Retain",
		"volume-shared: persistentvolumes nfs-not-on: NFS 10.0.0.7:/exports, of no claim, reclaim policy Retain",
		"volume-shared: persistentvolumes nfs-of-zone: NFS 10.0.0.7:/exports, of no claim, reclaim policy Retain",
		"volume-shared: persistentvolumes rbd: storage outside of the machines, of no claim, reclaim policy Retain",
		"volume-on-old-machine: persistentvolumes local: /mnt/a of node-1, of no claim",
		"volume-on-old-machine: persistentvolumes nfs-by-field: NFS 10.0.0.7:/exports of node-3, of no claim",
		"volume-on-old-machine: persistentvolumes path: /srv, of claim db/data-0",
		"volume-on-old-machine: persistentvolumes pinned: topolvm.io v of node-2, of no claim",
		"load-balancer-taken-over: services shop/taken: uid uid, at 192.0.2.9, lb.example.com",
		"load-balancer-taken-over: services shop/web: uid uid, at no address yet",
		"acts-outside: deployments dns/external-dns: registry.k8s.io/external-dns/external-dns:v0.14.0 changes DNS records",
		"webhook-without-pods: validatingwebhookconfigurations policy: a: Service policy/engine",
		"job-runs-again: jobs shop/import: 2 succeeded so far",
		"job-runs-again: jobs shop/not-complete: 0 succeeded so far",
		"job-runs-again: jobs shop/was-suspended: 0 succeeded so far",
		"cron-job-runs: cronjobs shop/nightly: 0 3 * * *",
		"cron-job-runs: cronjobs shop/on: @daily",
		"volume-attachment: volumeattachments csi-1: disk, by ebs.csi.aws.com, on node-1",
		"old-address: configmaps kube-public/cluster-info: https://10.0.0.1:6443",
		"old-address: configmaps kube-system/kube-proxy: https://10.0.0.1:6443",
		"old-address: configmaps kube-system/kubeadm-config: api.example.com:6443",
		"external-ip: services shop/db: 192.0.2.7",
		"endpoints-by-hand: services default/db: has no selector",
		"endpoints-by-hand: services shop/db: has no selector",
		"endpoints-by-hand: services shop/kubernetes: has no selector",
		"webhook-by-url: validatingwebhookconfigurations policy: c: https://10.0.0.9/hook",
		"certificate-order: orders.acme.cert-manager.io: 1 in the backup, ended ones included",
		"network-state: ipamblocks.crd.projectcalico.org: 1 object of Calico",
		"network-state: ips.kubeovn.io: 1 object of Kube-OVN",
		"pinned-to-old-node: daemonsets shop/affine: asks for node-2",
		"pinned-to-old-node: deployments shop/bound: asks for node-4",
		"pinned-to-old-node: statefulsets shop/pinned: asks for node-1",
		`encrypted: secrets: encrypted by aescbc with key "key1"`,
		"unread: : 3 objects",
	}
	if diff := cmp.Diff(want, told(got)); diff != "" {
		t.Error(diff)
	}
	machines := []ties.Keys{
		{"/registry/minions/", 1, "Node objects"},
		{"/registry/pods/", 2, "Pods"},
		{"/registry/volumeattachments/", 1, "Attachments of volumes to nodes"},
		{"/registry/crd.projectcalico.org/ipamblocks/", 1, "Calico's ipamblocks"},
	}
	if diff := cmp.Diff(machines, got.Machines); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(got.ServiceIPs, []string{"10.96.0.1"}) || !slices.Equal(got.ServiceRanges, []string{"10.96.0.0/12"}) || got.RootCA != "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2" {
		t.Errorf("Services at %v out of %v, root certificate %s", got.ServiceIPs, got.ServiceRanges, got.RootCA)
	}
	met := map[ties.ID]bool{}
	for _, f := range got.Findings {
		met[f.ID] = true
		if f.Certainty == finding.Certain || f.Severity != f.ID.Info().Severity {
			t.Errorf("%s: %s, %s", f.ID, f.Certainty, f.Severity)
		}
		if shown := len(f.Evidence) == 1 && f.Evidence[0].Snapshot == finding.InBackup && f.Evidence[0].Revision > 0 && strings.HasSuffix(f.Evidence[0].Key, f.Name); shown != (f.Name != "" || f.ID == ties.EncryptedWith) {
			t.Errorf("%s: evidence %+v", f.Object(), f.Evidence)
		}
		if !slices.ContainsFunc(got.Of(f.ID), func(o ties.Finding) bool { return cmp.Equal(o, f) }) || len(got.Of(f.ID)) != got.Summary[f.ID] {
			t.Errorf("of %s: %+v", f.ID, got.Of(f.ID))
		}
	}
	for _, info := range ties.Infos {
		if !met[info.ID] || info.Title == "" || info.Explains == "" || info.Remedy == "" || info.Source == "" && info.ID != ties.Unread {
			t.Errorf("%s never comes out, or says too little", info.ID)
		}
	}
}

// TestRanges: a backup shows the API servers' ranges by the ServiceCIDR that they make of
// their flag, or else by their allocations; and their address in a field of before 1.20.
func TestRanges(t *testing.T) {
	cidr := func(name string, cidrs ...string) snapshottest.Change {
		return put(t, &networkingv1.ServiceCIDR{ObjectMeta: named(name), Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs}})
	}
	allocation := func(name, of string) snapshottest.Change {
		return put(t, &corev1.RangeAllocation{ObjectMeta: named(name), Range: of})
	}
	api := func(spec corev1.ServiceSpec) snapshottest.Change {
		return put(t, &corev1.Service{ObjectMeta: named("default/kubernetes"), Spec: spec})
	}
	for _, tt := range []struct {
		name        string
		changes     []snapshottest.Change
		ips, ranges []string
	}{
		{"nothing", nil, []string{}, []string{}},
		{"a ServiceCIDR of both families", []snapshottest.Change{cidr("kubernetes", "10.96.0.0/16", "fd00::/108")}, []string{}, []string{"10.96.0.0/16", "fd00::/108"}},
		{"one that somebody added", []snapshottest.Change{cidr("more", "10.97.0.0/16")}, []string{}, []string{}},
		{"allocations of both families", []snapshottest.Change{allocation("serviceips", "10.96.0.0/16"), allocation("secondaryserviceips", "fd00::/108")}, []string{}, []string{"10.96.0.0/16", "fd00::/108"}},
		{"both kinds, as 1.33 has them", []snapshottest.Change{cidr("kubernetes", "10.96.0.0/16"), allocation("serviceips", "10.96.0.0/16")}, []string{}, []string{"10.96.0.0/16"}},
		{"two addresses", []snapshottest.Change{api(corev1.ServiceSpec{ClusterIP: "10.96.0.1", ClusterIPs: []string{"10.96.0.1", "fd00::1"}})}, []string{"10.96.0.1", "fd00::1"}, []string{}},
		{"an address of before 1.20", []snapshottest.Change{api(corev1.ServiceSpec{ClusterIP: "10.96.0.1"})}, []string{"10.96.0.1"}, []string{}},
		{"no address", []snapshottest.Change{api(corev1.ServiceSpec{})}, []string{}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ties.Find(t.Context(), snapshottest.Store(t, append(tt.changes, snapshottest.Put("/x", ""))...), prefix)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.ips, got.ServiceIPs) + cmp.Diff(tt.ranges, got.ServiceRanges); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestVanished: what can no longer be read, because the file was cut off while it was
// open, is counted.
func TestVanished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	data := snapshottest.Bytes(t, put(t, &corev1.PersistentVolume{ObjectMeta: named("disk")}), put(t, &corev1.ConfigMap{ObjectMeta: named("kube-system/a")}), put(t, &corev1.RangeAllocation{ObjectMeta: named("serviceips"), Range: "10.96.0.0/12"}))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Skip("an open file cannot be cut off here: ", err)
	}
	got, err := ties.Find(t.Context(), s, prefix)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"unread: : 3 objects"}, told(got)); diff != "" {
		t.Error(diff)
	}
}

func TestCanceled(t *testing.T) {
	s := snapshottest.Store(t, put(t, &corev1.PersistentVolume{ObjectMeta: named("disk")}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := ties.Find(ctx, s, prefix); got != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestMany: what is listed has an end, what is counted has not.
func TestMany(t *testing.T) {
	var changes []snapshottest.Change
	for i := range ties.MaxFindings + 7 {
		changes = append(changes, put(t, &batchv1.CronJob{ObjectMeta: named(fmt.Sprintf("ns/%03d", i))}))
	}
	changes = append(changes, snapshottest.Put("/registry/cronjobs/ns/broken", "not an object"))
	got, err := ties.Find(t.Context(), snapshottest.Store(t, changes...), prefix)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != ties.MaxFindings+1 || got.Summary[ties.CronJobRuns] != ties.MaxFindings+7 || got.Summary[ties.Unread] != 1 {
		t.Errorf("%d listed, %d counted", len(got.Findings), got.Summary[ties.CronJobRuns])
	}
}

// TestRuns looks at the backups of real clusters.
func TestRuns(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/clusters/*/*/backup.db.gz")
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d backups, %v", len(paths), err)
	}
	for _, path := range paths {
		got, err := ties.Find(t.Context(), snapshottest.Open(t, path), prefix)
		if err != nil {
			t.Fatal(err)
		}
		has := map[string]int{}
		for _, m := range got.Machines {
			has[m.Prefix] = m.Count
		}
		if diff := cmp.Diff([]string{"10.96.0.0/16"}, got.ServiceRanges); diff != "" {
			t.Errorf("%s: ranges of Services:\n%s", path, diff)
		}
		if has["/registry/minions/"] == 0 || has["/registry/pods/"] == 0 || has["/registry/leases/kube-system/"] == 0 || len(got.ServiceIPs) == 0 || got.Summary[ties.Unread] > 0 {
			t.Errorf("%s: %v, Services at %v, %d unread", path, has, got.ServiceIPs, got.Summary[ties.Unread])
		}
	}
}
