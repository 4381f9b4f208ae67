package rollback_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	coordinationv1beta1 "k8s.io/api/coordination/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"revenant/analyzer/clock"
	"revenant/analyzer/rollback"
	"revenant/decoder/snapshot/snapshottest"
)

// takenAt is when the current snapshots of these tests were taken.
var takenAt = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// taken is what the evidence shows of that.
var taken = clock.Interval{From: takenAt, To: takenAt.Add(20 * time.Second)}

// deleted puts the deletion of an object in place of the object.
type deleted struct{ runtime.Object }

// raw puts bytes under a key.
type raw struct {
	runtime.Object
	key, value string
}

// findingCase is one change, and all that is found.
type findingCase struct {
	name          string
	before, after []runtime.Object
	want          []string // id severity certainty object: reason
}

func findingCases(t *testing.T) []findingCase {
	return []findingCase{
		{
			name:   "a volume and its claim were made",
			before: []runtime.Object{namespace("ns")},
			after:  []runtime.Object{volume("pv", "Delete", "ns/data"), claim("ns/data", "pv"), pod("ns/p", using("data"))},
			want: []string{
				`claim-lost warning certain persistentvolumeclaims ns/data: only in the current state, bound to volume pv, which the backup does not have; used by p`,
				`volume-leaked warning certain persistentvolumes pv: only in the current state: ebs.csi volume "vol-pv", bound to claim ns/data, reclaim policy Delete`,
			},
		},
		{
			name:   "a free volume was claimed",
			before: []runtime.Object{namespace("ns"), volume("pv", "Retain", "")},
			after:  []runtime.Object{volume("pv", "Retain", "ns/data"), claim("ns/data", "pv")},
			want: []string{
				`claim-lost critical possible persistentvolumeclaims ns/data: only in the current state, bound to volume pv, which is free in the backup`,
			},
		},
		{
			name:   "a claim was made for a volume of another",
			before: []runtime.Object{namespace("ns"), volume("pv", "Retain", "ns/old"), claim("ns/old", "pv")},
			after:  []runtime.Object{deleted{claim("ns/old", "pv")}, volume("pv", "Retain", "ns/new"), claim("ns/new", "pv")},
			want: []string{
				`volume-bound-differently critical certain persistentvolumes pv: bound to claim ns/old in the backup, bound to claim ns/new in the current state`,
				`claim-lost warning certain persistentvolumeclaims ns/new: only in the current state, bound to volume pv, which the backup has bound to claim ns/old`,
				`claim-resurrected warning possible persistentvolumeclaims ns/old: only in the backup, bound to volume pv, which still exists`,
			},
		},
		{
			name:   "a claim waited for a volume",
			before: []runtime.Object{namespace("ns"), claim("ns/data", ""), pod("ns/p", using("data"))},
			after:  []runtime.Object{claim("ns/data", "pv")},
			want: []string{
				`volume-bound-differently critical certain persistentvolumeclaims ns/data: not bound in the backup, bound to volume pv in the current state; used by p`,
			},
		},
		{
			name:   "the reclaim policy was changed",
			before: []runtime.Object{volume("pv-1", "Delete", "ns/data"), released(volume("pv-2", "Delete", "ns/gone")), volume("pv-3", "Retain", "")},
			after:  []runtime.Object{volume("pv-1", "Retain", "ns/data"), released(volume("pv-2", "Retain", "ns/gone")), volume("pv-3", "Delete", "")},
			want: []string{
				`volume-deleted-again critical possible persistentvolumes pv-2: reclaim policy Delete in the backup, where it is Released, and Retain in the current state`,
				`volume-deleted-again warning possible persistentvolumes pv-1: reclaim policy Delete in the backup, and Retain in the current state`,
			},
		},
		{
			name:   "volumes were deleted",
			before: []runtime.Object{volume("pv-1", "Delete", "ns/data"), volume("pv-2", "Retain", "")},
			after:  []runtime.Object{deleted{volume("pv-1", "", "")}, deleted{volume("pv-2", "", "")}},
			want: []string{
				`volume-resurrected critical possible persistentvolumes pv-1: only in the backup: ebs.csi volume "vol-pv-1", bound to claim ns/data, phase , reclaim policy Delete`,
				`volume-resurrected warning possible persistentvolumes pv-2: only in the backup: ebs.csi volume "vol-pv-2", bound to no claim, phase , reclaim policy Retain`,
			},
		},
		{
			name:   "volumes of every type were made",
			before: []runtime.Object{namespace("ns")},
			after: []runtime.Object{
				behind("pv-1", corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "nfs-1", Path: "/a"}}),
				behind("pv-2", corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/disks/a"}}),
				behind("pv-3", corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/data"}}),
				behind("pv-4", corev1.PersistentVolumeSource{AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{VolumeID: "vol-1"}}),
				behind("pv-5", corev1.PersistentVolumeSource{GCEPersistentDisk: &corev1.GCEPersistentDiskVolumeSource{PDName: "disk-1"}}),
				behind("pv-6", corev1.PersistentVolumeSource{AzureDisk: &corev1.AzureDiskVolumeSource{DiskName: "disk-1"}}),
				behind("pv-7", corev1.PersistentVolumeSource{Cinder: &corev1.CinderPersistentVolumeSource{VolumeID: "id-1"}}),
				behind("pv-8", corev1.PersistentVolumeSource{VsphereVolume: &corev1.VsphereVirtualDiskVolumeSource{VolumePath: "[ds] a.vmdk"}}),
				behind("pv-9", corev1.PersistentVolumeSource{FC: &corev1.FCVolumeSource{}}),
			},
			want: []string{
				`volume-leaked warning certain persistentvolumes pv-1: only in the current state: NFS export nfs-1:/a, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-2: only in the current state: local path /disks/a, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-3: only in the current state: host path /data, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-4: only in the current state: EBS volume vol-1, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-5: only in the current state: GCE disk disk-1, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-6: only in the current state: Azure disk disk-1, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-7: only in the current state: Cinder volume id-1, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-8: only in the current state: vSphere volume [ds] a.vmdk, bound to no claim, reclaim policy Retain`,
				`volume-leaked warning certain persistentvolumes pv-9: only in the current state: a disk of another type, bound to no claim, reclaim policy Retain`,
			},
		},
		{
			name:   "a waiting claim got a free volume",
			before: []runtime.Object{namespace("ns"), volume("pv", "Retain", ""), claim("ns/data", "")},
			after:  []runtime.Object{volume("pv", "Retain", "ns/data"), claim("ns/data", "pv")},
			want: []string{
				`volume-bound-differently critical certain persistentvolumes pv: bound to no claim in the backup, bound to claim ns/data in the current state`,
				`volume-bound-differently critical certain persistentvolumeclaims ns/data: not bound in the backup, bound to volume pv in the current state`,
			},
		},
		{
			name: "a volume got a newer claim of the name, one another disk, and the rest only labels",
			before: []runtime.Object{namespace("ns"), volume("pv-1", "Retain", "ns/a"), volume("pv-2", "Retain", ""), volume("pv-3", "Retain", "ns/b"), claim("ns/b", "pv-3"), volume("pv-4", "Retain", ""), attachment("va", "pv-3", "node-1"),
				account("ns/same", "uid"), node("node-1", "10.244.1.0/24"), node("node-2", ""), claim("ns/unbound", "")},
			after: []runtime.Object{ofClaim(volume("pv-1", "Retain", "ns/a"), "another"), handled(volume("pv-2", "Retain", ""), "vol-x"), labelled(volume("pv-3", "Retain", "ns/b")), labelled(claim("ns/b", "pv-3")), labelled(volume("pv-4", "Retain", "")), labelled(attachment("va", "pv-3", "node-1")),
				deleted{account("ns/same", "")}, account("ns/same", "uid"), labelled(node("node-1", "10.244.1.0/24")), labelled(node("node-2", "")), labelled(claim("ns/unbound", ""))},
			want: []string{
				`volume-bound-differently critical certain persistentvolumes pv-1: bound to claim ns/a in the backup, bound to a newer claim of that name in the current state`,
				`volume-bound-differently critical certain persistentvolumes pv-2: ebs.csi volume "vol-pv-2" in the backup, ebs.csi volume "vol-x" in the current state`,
			},
		},
		{
			name:   "claims that were not bound came and went",
			before: []runtime.Object{namespace("ns"), claim("ns/gone", "")},
			after:  []runtime.Object{deleted{claim("ns/gone", "")}, claim("ns/late", "")},
		},
		{
			name:   "a volume that failed to be deleted is kept, and one that is deleted was not",
			before: []runtime.Object{failed(volume("pv-1", "Delete", "ns/data")), volume("pv-2", "Recycle", "")},
			after:  []runtime.Object{failed(volume("pv-1", "Retain", "ns/data")), volume("pv-2", "Delete", "")},
			want: []string{
				`volume-deleted-again critical possible persistentvolumes pv-1: reclaim policy Delete in the backup, where it is Failed, and Retain in the current state`,
			},
		},
		{
			name: "endpoints are not ready, of no pod, or only fewer",
			before: []runtime.Object{namespace("ns"), service("ns/a", "10.96.0.1", 0), service("ns/b", "10.96.0.2", 0), pod("ns/p", ip("10.0.0.1")), pod("ns/q", ip("10.0.0.2")),
				notReady(endpoints("ns/a-abcde", "gone 10.0.0.7", "away 10.0.0.8"), 0), endpoints("ns/b-abcde", "p 10.0.0.1", "q 10.0.0.2")},
			after: []runtime.Object{pod("ns/r", ip("10.0.0.3")), notReady(endpoints("ns/a-abcde", "r 10.0.0.3", "r 10.0.0.3"), 0, 1), endpoints("ns/b-abcde", "p 10.0.0.1")},
			want: []string{
				`endpoint-dead critical certain services ns/a: 1 of 1 ready addresses: 10.0.0.8 of away`,
			},
		},
		{
			name: "an empty value was added to a Secret, and a ServiceAccount owns it",
			before: []runtime.Object{namespace("ns"), secret("ns/s", "Opaque", "k", "v"), secret("ns/t", "Opaque", "k", "v"),
				&corev1.ServiceAccount{ObjectMeta: named("ns/owner"), Secrets: []corev1.ObjectReference{{Name: "s"}}}},
			after: []runtime.Object{secret("ns/s", "Opaque", "k", "v", "empty", ""), secret("ns/t", "Opaque", "k", "v", "other", "")},
			want: []string{
				`secret-rolled-back warning possible secrets ns/s: another value in the backup: empty; named by ServiceAccount owner`,
				`secret-rolled-back warning possible secrets ns/t: another value in the backup: other`,
			},
		},
		{
			name: "certificates that had expired, or are none",
			before: []runtime.Object{namespace("ns"), secret("ns/both", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(-2*time.Hour))), secret("ns/was", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(-time.Hour))),
				secret("ns/key", "kubernetes.io/tls", "tls.crt", strings.ReplaceAll(certificate(t, takenAt.Add(-time.Hour)), "CERTIFICATE", "PRIVATE KEY"))},
			after: []runtime.Object{secret("ns/both", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(-time.Hour))), secret("ns/was", "kubernetes.io/tls", "tls.crt", "none"),
				secret("ns/key", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(time.Hour)))},
			want: []string{
				`secret-rolled-back warning possible secrets ns/both: another value in the backup: tls.crt`,
				`secret-rolled-back warning possible secrets ns/key: another value in the backup: tls.crt`,
				`secret-rolled-back warning possible secrets ns/was: another value in the backup: tls.crt`,
			},
		},
		{
			name:   "objects of a resource that is not known were changed",
			before: []runtime.Object{raw{key: "/registry/novelties/ns/a", value: `{"apiVersion":"novel.k8s.io/v1","kind":"Novelty"}`}},
			after:  []runtime.Object{raw{key: "/registry/novelties/ns/a", value: `{"apiVersion":"novel.k8s.io/v1","kind":"Novelty","spec":{}}`}, raw{key: "/registry/novelties/ns/b", value: `{"apiVersion":"novel.k8s.io/v1","kind":"Novelty"}`}},
		},
		{
			name:   "a node has several ranges",
			before: []runtime.Object{ranges(node("node-1", "10.244.1.0/24"), "10.244.1.0/24", "fd00:1::/64")},
			after:  []runtime.Object{deleted{node("node-1", "")}, ranges(node("node-2", "10.244.1.0/24"), "10.244.1.0/24", "fd00:2::/64"), ranges(node("node-1", "10.244.9.0/24"), "10.244.9.0/24", "fd00:1::/64")},
			want: []string{
				`pod-cidr-conflict critical possible nodes node-1: range 10.244.1.0/24, fd00:1::/64 in the backup, 10.244.9.0/24, fd00:1::/64 in the current state`,
				`pod-cidr-conflict critical possible nodes node-2: 10.244.1.0/24 is its own in the current state, and that of node node-1 in the backup`,
				`pod-cidr-freed warning possible nodes node-2: only in the current state, with range fd00:2::/64`,
			},
		},
		{
			name: "known software watches",
			before: []runtime.Object{watching(&appsv1.DaemonSet{ObjectMeta: named("kube-system/proxy")}), watchingPod("kube-system/kube-proxy-node-1", "node-1", true), watchingPod("kube-system/own", "node-1", false),
				&appsv1.Deployment{ObjectMeta: named("ns/app")}},
			after: []runtime.Object{labelled(watching(&appsv1.DaemonSet{ObjectMeta: named("kube-system/proxy")}))},
			want: []string{
				`watcher-stale warning possible daemonsets.apps kube-system/proxy: kube-proxy, by its image (registry.k8s.io/kube-proxy:v1.35.0)`,
				`watcher-stale warning possible pods kube-system/own: kube-proxy, by its image (registry.k8s.io/kube-proxy:v1.35.0), with pods on 1 node`,
				`watcher-stale warning possible pods kube-system/kube-proxy: kube-proxy, by its image (registry.k8s.io/kube-proxy:v1.35.0), with pods on 1 node`,
			},
		},
		{
			name:   "a volume moved to another node",
			before: []runtime.Object{namespace("ns"), volume("pv", "Delete", "ns/data"), claim("ns/data", "pv"), attachment("va-1", "pv", "node-1")},
			after:  []runtime.Object{deleted{attachment("va-1", "", "")}, attachment("va-2", "pv", "node-2"), pod("ns/p", using("data"), on("node-2")), pod("ns/q", using("data"), on("node-3"))},
			want: []string{
				`volume-attached-elsewhere critical possible persistentvolumes pv: attached on node-2 in the current state, and on node-1 in the backup; used there by p in ns`,
			},
		},
		{
			name:   "a volume was detached",
			before: []runtime.Object{attachment("va-1", "pv", "node-1")},
			after:  []runtime.Object{deleted{attachment("va-1", "", "")}},
			want:   []string{`volume-detached-since warning possible persistentvolumes pv: attached on node-1 in the backup, and not in the current state`},
		},
		{
			name:   "a shared volume was attached to one more node",
			before: []runtime.Object{shared(volume("pv", "Delete", "")), attachment("va-1", "pv", "node-1")},
			after:  []runtime.Object{attachment("va-2", "pv", "node-2")},
			want:   []string{`volume-attached-elsewhere warning possible persistentvolumes pv: attached on node-2 in the current state, and nowhere else in the backup`},
		},
		{
			name:   "Services were made and deleted",
			before: []runtime.Object{namespace("ns"), service("ns/a", "10.96.0.1", 30001), service("ns/headless", "None", 0)},
			after:  []runtime.Object{deleted{service("ns/a", "", 0)}, service("ns/b", "10.96.0.1", 30002), balanced(service("ns/c", "10.96.0.3", 30003))},
			want: []string{
				`service-address-conflict critical certain services ns/b: address 10.96.0.1 is its own in the current state, and that of ns/a in the backup`,
				`service-address-freed warning possible services ns/b: holds node port 30002/TCP in the current state, which no Service has in the backup`,
				`service-address-freed warning possible services ns/c: holds address 10.96.0.3, node port 30003/TCP in the current state, which no Service has in the backup`,
				`load-balancer-leaked warning possible services ns/c: only in the current state, reached at 203.0.113.7`,
			},
		},
		{
			name:   "the service range was changed",
			before: []runtime.Object{&corev1.RangeAllocation{ObjectMeta: named("serviceips"), Range: "10.96.0.0/16"}},
			after:  []runtime.Object{&corev1.RangeAllocation{ObjectMeta: named("serviceips"), Range: "10.96.0.0/12"}},
			want:   []string{`service-range-changed warning possible ranges serviceips: 10.96.0.0/16 in the backup, 10.96.0.0/12 in the current state`},
		},
		{
			name:   "API servers that keep no allocations came since",
			before: []runtime.Object{&corev1.RangeAllocation{ObjectMeta: named("serviceips"), Range: "10.96.0.0/16"}},
			after:  []runtime.Object{deleted{&corev1.RangeAllocation{ObjectMeta: named("serviceips")}}},
		},
		{
			name: "a Service's pods were replaced",
			before: []runtime.Object{namespace("ns"), service("ns/web", "10.96.0.1", 0),
				pod("ns/stays", ip("10.0.0.1")), pod("ns/dead", ip("10.0.0.2")), pod("ns/reused", ip("10.0.0.3")), pod("ns/ended", ip("10.0.0.5")),
				endpoints("ns/web-abcde", "stays 10.0.0.1", "dead 10.0.0.2", "reused 10.0.0.3", "ended 10.0.0.5")},
			after: []runtime.Object{deleted{pod("ns/dead")}, deleted{pod("ns/reused")}, pod("ns/new", ip("10.0.0.4")), pod("ns/other", ip("10.0.0.3")),
				pod("ns/ended", ip("10.0.0.5"), phase("Failed")), endpoints("ns/web-abcde", "stays 10.0.0.1", "new 10.0.0.4")},
			want: []string{
				`endpoint-reused critical possible services ns/web: 1 of 4 ready addresses: 10.0.0.3 of reused, now of ns/other`,
				`endpoint-dead critical certain services ns/web: 2 of 4 ready addresses: 10.0.0.2 of dead, 10.0.0.5 of ended`,
				`endpoint-missing warning certain services ns/web: 1 address: 10.0.0.4 of new`,
			},
		},
		{
			name:   "the pods of a slice that is of no Service were replaced",
			before: []runtime.Object{namespace("ns"), pod("ns/old", ip("10.0.0.1")), unlabelled(endpoints("ns/own-abcde", "old 10.0.0.1"))},
			after:  []runtime.Object{deleted{pod("ns/old")}, pod("ns/new", ip("10.0.0.2")), unlabelled(endpoints("ns/own-abcde", "new 10.0.0.2"))},
		},
		{
			name: "a Secret that pods use was rotated",
			before: []runtime.Object{namespace("ns"), secret("ns/db", "Opaque", "password", "old", "user", "u"), secret("ns/unused", "Opaque", "k", "1"), secret("ns/labelled", "Opaque", "k", "1"),
				pod("ns/p", reading("db")), pod("ns/done", reading("db"), phase("Succeeded")),
				raw{key: "/registry/serviceaccounts/ns/broken", value: "not an object"},
				&corev1.ServiceAccount{ObjectMeta: named("ns/puller"), ImagePullSecrets: []corev1.LocalObjectReference{{Name: "db"}}}},
			after: []runtime.Object{secret("ns/db", "Opaque", "password", "new", "user", "u", "host", "h"), secret("ns/unused", "Opaque", "k", "2"), labelled(secret("ns/labelled", "Opaque", "k", "1"))},
			want: []string{
				`secret-rolled-back critical possible secrets ns/db: another value in the backup: host, password; used by p; named by ServiceAccount puller`,
				`secret-rolled-back warning possible secrets ns/unused: another value in the backup: k`,
				`unreadable warning certain serviceaccounts : 1 value could not be read, the first because: in no encoding of an API server`,
			},
		},
		{
			name:   "an encrypted Secret was changed",
			before: []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:abc"}},
			after:  []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:xyz"}},
			want:   []string{`secret-rolled-back warning possible secrets ns/s: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`},
		},
		{
			name:   "a Secret was encrypted, and one is no longer",
			before: []runtime.Object{namespace("ns"), secret("ns/s", "Opaque", "k", "v"), raw{key: "/registry/secrets/ns/t", value: "k8s:enc:aescbc:v1:key1:abc"}},
			after:  []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:abc"}, secret("ns/t", "Opaque", "k", "v")},
			want: []string{
				`secret-rolled-back warning possible secrets ns/s: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`,
				`secret-rolled-back warning possible secrets ns/t: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`,
			},
		},
		{
			name:   "encrypted Secrets came and went",
			before: []runtime.Object{namespace("ns"), raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:abc"}, raw{key: "/registry/secrets/ns/stays", value: "k8s:enc:aescbc:v1:key1:abc"}},
			after:  []runtime.Object{deleted{secret("ns/s", "", "")}, raw{key: "/registry/secrets/ns/t", value: "k8s:enc:aescbc:v1:key1:abc"}},
			want: []string{
				`token-revived warning possible secrets ns/s: only in the backup, but encrypted: whether it is a token is not known (encrypted by aescbc with key "key1")`,
				`token-lost warning possible secrets ns/t: only in the current state, but encrypted: whether it is a token is not known (encrypted by aescbc with key "key1")`,
			},
		},
		{
			name: "encryption was turned on and off before the backup, and all was written again since",
			before: []runtime.Object{
				raw{key: "/registry/configmaps/ns/a", value: "x"}, raw{key: "/registry/configmaps/ns/b", value: "k8s:enc:aescbc:v1:key1:abc"}, raw{key: "/registry/configmaps/ns/c", value: "x"},
			},
			after: []runtime.Object{raw{key: "/registry/configmaps/ns/b", value: "x"}},
			want: []string{
				`encryption-key-unused critical possible configmaps : 1 object in the backup encrypted by aescbc with key "key1", which encrypts nothing in the current state`,
			},
		},
		{
			name:   "the encryption key was changed",
			before: []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:abc"}, raw{key: "/registry/secrets/ns/t", value: "k8s:enc:aescbc:v1:key1:abc"}},
			after:  []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:secretbox:v1:key2:abc"}, raw{key: "/registry/secrets/ns/t", value: "k8s:enc:secretbox:v1:key2:abc"}},
			want: []string{
				`encryption-key-unused critical possible secrets : 2 objects in the backup encrypted by aescbc with key "key1", which encrypts nothing in the current state`,
				`secret-rolled-back warning possible secrets ns/s: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`,
				`secret-rolled-back warning possible secrets ns/t: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`,
			},
		},
		{
			name:   "Secrets and tokens came and went",
			before: []runtime.Object{namespace("ns"), account("ns/robot", "uid"), token("ns/revoked", "robot"), secret("ns/plain", "Opaque", "k", "v"), pod("ns/stays", reading("late"))},
			after:  []runtime.Object{deleted{token("ns/revoked", "")}, deleted{secret("ns/plain", "")}, token("ns/issued", "robot"), secret("ns/late", "Opaque", "k", "v"), pod("ns/phantom", reading("late"))},
			want: []string{
				`token-revived critical certain secrets ns/revoked: only in the backup: a Secret of type kubernetes.io/service-account-token, for ServiceAccount robot`,
				`secret-lost warning certain secrets ns/late: only in the current state; pods that both snapshots have use it: stays`,
				`token-lost warning certain secrets ns/issued: only in the current state, for ServiceAccount robot`,
			},
		},
		{
			name:   "a certificate was renewed",
			before: []runtime.Object{namespace("ns"), secret("ns/tls", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(-time.Hour))), secret("ns/early", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(time.Hour)))},
			after:  []runtime.Object{secret("ns/tls", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(time.Hour))), secret("ns/early", "kubernetes.io/tls", "tls.crt", certificate(t, takenAt.Add(2*time.Hour)))},
			want: []string{
				`secret-rolled-back warning possible secrets ns/early: another value in the backup: tls.crt`,
				`secret-rolled-back warning possible secrets ns/tls: another value in the backup: tls.crt`,
				`certificate-expired warning certain secrets ns/tls: the backup's tls.crt was valid until 2026-11-22 02:00:00Z, the current state's is until 2026-11-22 04:00:00Z`,
			},
		},
		{
			name:   "ServiceAccounts were made, and recreated",
			before: []runtime.Object{namespace("ns"), account("ns/robot", "uid-1"), pod("ns/p", as("robot"))},
			after:  []runtime.Object{deleted{account("ns/robot", "")}, account("ns/robot", "uid-2"), account("ns/late", "uid-3")},
			want: []string{
				`service-account-lost warning certain serviceaccounts ns/late: only in the current state; used by no pod`,
				`service-account-replaced warning certain serviceaccounts ns/robot: uid uid-1 in the backup, uid-2 in the current state; used by p`,
			},
		},
		{
			name: "pods with tokens were made",
			before: []runtime.Object{namespace("ns"), pod("ns/sts-0", as("robot"), tokened),
				&rbacv1.RoleBinding{ObjectMeta: named("ns/b"), RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: []rbacv1.Subject{
					{Kind: "ServiceAccount", Name: "robot"}, {Kind: "User", Name: "system:serviceaccount:ns:by-user"}, {Kind: "User", Name: "by-name"}, {Kind: "Group", Name: "system:serviceaccount:ns:by-group"},
				}}},
			after: []runtime.Object{deleted{pod("ns/sts-0")}, pod("ns/sts-0", as("robot"), tokened), pod("ns/u", as("by-user"), tokened), pod("ns/v", as("by-name"), tokened), pod("ns/w", as("by-group"), tokened), pod("ns/p", as("robot"), tokened), pod("ns/q", as("default"), tokened), pod("ns/r", as("default")), pod("ns/done", as("robot"), tokened, phase("Failed"))},
			want: []string{
				`token-of-phantoms warning certain serviceaccounts ns/by-user: 1 pod with a token only in the current state: u`,
				`token-of-phantoms warning certain serviceaccounts ns/robot: 2 pods with tokens only in the current state: p, sts-0`,
				`token-of-phantoms ok certain serviceaccounts ns/by-group: 1 pod with a token only in the current state: w; no role is bound to the account itself`,
				`token-of-phantoms ok certain serviceaccounts ns/by-name: 1 pod with a token only in the current state: v; no role is bound to the account itself`,
				`token-of-phantoms ok certain serviceaccounts ns/default: 1 pod with a token only in the current state: q; no role is bound to the account itself`,
			},
		},
		{
			name: "permissions were given, taken and changed",
			before: []runtime.Object{
				&rbacv1.ClusterRoleBinding{ObjectMeta: named("revoked"), RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "cluster-admin"}, Subjects: []rbacv1.Subject{{Kind: "User", Name: "eve"}}},
				role("narrowed", "get", "delete"), role("annotated", "get")},
			after: []runtime.Object{
				deleted{&rbacv1.ClusterRoleBinding{ObjectMeta: named("revoked")}},
				role("narrowed", "get"), labelled(role("annotated", "get")),
				&rbacv1.ClusterRoleBinding{ObjectMeta: named("given"), RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "view"}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "ns", Name: "robot"}}}},
			want: []string{
				`access-regranted critical certain clusterroles.rbac.authorization.k8s.io narrowed: the backup grants something else: 1 rule`,
				`access-regranted critical certain clusterrolebindings.rbac.authorization.k8s.io revoked: only in the backup: ClusterRole cluster-admin to User eve`,
				`access-lost warning certain clusterrolebindings.rbac.authorization.k8s.io given: only in the current state: ClusterRole view to ServiceAccount ns/robot`,
			},
		},
		{
			name: "webhooks lost what is behind them",
			before: []runtime.Object{namespace("ns"), service("ns/dead", "10.96.0.1", 0), service("ns/alive", "10.96.0.2", 0),
				pod("ns/old", ip("10.0.0.1")), pod("ns/stays", ip("10.0.0.2")), endpoints("ns/dead-abcde", "old 10.0.0.1"), endpoints("ns/alive-abcde", "stays 10.0.0.2"),
				webhooks("blocking", "Fail", "ns/dead"), webhooks("fine", "Fail", "ns/alive"), webhooks("lenient", "Ignore", "ns/dead"), webhooks("orphan", "Fail", "ns/nowhere")},
			after: []runtime.Object{deleted{pod("ns/old")}, pod("ns/new", ip("10.0.0.3")), endpoints("ns/dead-abcde", "new 10.0.0.3"), webhooks("late", "Fail", "ns/alive")},
			want: []string{
				`endpoint-dead critical certain services ns/dead: 1 of 1 ready addresses: 10.0.0.1 of old`,
				`webhook-unbacked critical possible validatingwebhookconfigurations.admissionregistration.k8s.io blocking: webhook blocking.example.com calls Service ns/dead, whose endpoints in the backup have no running pod`,
				`endpoint-missing warning certain services ns/dead: 1 address: 10.0.0.3 of new`,
				`webhook-lost warning certain validatingwebhookconfigurations.admissionregistration.k8s.io late: only in the current state`,
			},
		},
		{
			name:   "a webhook and its certificate were deleted and changed",
			before: []runtime.Object{webhooks("deleted", "Fail", "ns/nowhere"), webhooks("renewed", "Ignore", "ns/x")},
			after:  []runtime.Object{deleted{webhooks("deleted", "", "")}, trusting(webhooks("renewed", "Ignore", "ns/x"), "new")},
			want: []string{
				`webhook-unbacked critical certain validatingwebhookconfigurations.admissionregistration.k8s.io deleted: webhook deleted.example.com calls Service ns/nowhere, which the backup does not have`,
				`webhook-ca-rolled-back warning possible validatingwebhookconfigurations.admissionregistration.k8s.io renewed: webhook renewed.example.com has another caBundle in the backup`,
			},
		},
		{
			name:   "pod ranges moved",
			before: []runtime.Object{node("node-1", "10.244.1.0/24"), node("node-2", "10.244.2.0/24"), node("node-3", "10.244.3.0/24")},
			after:  []runtime.Object{deleted{node("node-1", "")}, node("node-4", "10.244.1.0/24"), node("node-5", "10.244.5.0/24"), node("node-2", "10.244.9.0/24")},
			want: []string{
				`pod-cidr-conflict critical possible nodes node-2: range 10.244.2.0/24 in the backup, 10.244.9.0/24 in the current state`,
				`pod-cidr-conflict critical possible nodes node-4: 10.244.1.0/24 is its own in the current state, and that of node node-1 in the backup`,
				`pod-cidr-freed warning possible nodes node-5: only in the current state, with range 10.244.5.0/24`,
			},
		},
		{
			name: "namespaces came and went",
			before: []runtime.Object{namespace("stays"), namespace("gone"), terminating(namespace("dying")), terminating(namespace("again")),
				pod("gone/p"), secret("gone/s", "Opaque"), secret("dying/s", "Opaque")},
			after: []runtime.Object{deleted{pod("gone/p")}, deleted{secret("gone/s", "")}, deleted{namespace("gone")}, deleted{namespace("again")}, namespace("again"), namespace("late"), pod("late/p"), labelled(terminating(namespace("dying"))),
				account("late/default", "u")},
			want: []string{
				`namespace-lost critical certain namespaces late: only in the current state, with 2 objects, 1 pod among them`,
				`namespace-terminating critical certain namespaces again: being deleted in the backup, with 0 objects and no pod in it; the current state has a new one of that name`,
				`namespace-terminating critical certain namespaces dying: being deleted in the backup, with 1 object and no pod in it; still there in the current state`,
				`namespace-resurrected warning certain namespaces gone: only in the backup, with 2 objects, 1 pod among them`,
			},
		},
		{
			name:   "a namespace was deleted with what was granted in it",
			before: []runtime.Object{namespace("gone"), namespace("ns"), &rbacv1.RoleBinding{ObjectMeta: named("gone/b"), RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}}, &rbacv1.RoleBinding{ObjectMeta: named("ns/b"), RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}}},
			after:  []runtime.Object{deleted{&rbacv1.RoleBinding{ObjectMeta: named("gone/b")}}, deleted{&rbacv1.RoleBinding{ObjectMeta: named("ns/b")}}, deleted{namespace("gone")}},
			want: []string{
				`access-regranted critical certain rolebindings.rbac.authorization.k8s.io ns/b: only in the backup: Role r to nobody`,
				`namespace-resurrected warning certain namespaces gone: only in the backup, with 1 object and no pod`,
			},
		},
		{
			name:   "a namespace was being deleted, which its time of deletion says",
			before: []runtime.Object{marked(namespace("dying"))},
			after:  []runtime.Object{labelled(marked(namespace("dying")))},
			want:   []string{`namespace-terminating critical certain namespaces dying: being deleted in the backup, with 0 objects and no pod in it; still there in the current state`},
		},
		{
			name:   "an object was being deleted",
			before: []runtime.Object{finalized(custom("db.example.com/v1", "Cluster", "ns/main"), "db.example.com/drop-data")},
			after:  []runtime.Object{deleted{custom("db.example.com/v1", "Cluster", "ns/main")}},
			want: []string{
				`deletion-resumed warning certain clusters.db.example.com ns/main: deleted at 2026-11-22 02:00:00Z, waiting for db.example.com/drop-data in the backup; gone in the current state`,
				`custom-resources-rolled-back warning possible *.db.example.com : clusters: 1 resurrected`,
			},
		},
		{
			name:   "a ConfigMap was being deleted",
			before: []runtime.Object{marked(&corev1.ConfigMap{ObjectMeta: named("ns/c")})},
			after:  []runtime.Object{labelled(marked(&corev1.ConfigMap{ObjectMeta: named("ns/c")}))},
			want:   []string{`deletion-resumed warning certain configmaps ns/c: deleted at 2026-11-22 02:00:00Z, waiting for nothing in the backup; still there in the current state`},
		},
		{
			name: "custom resources of the names of events, leases and namespaces were being deleted",
			before: []runtime.Object{namespace("ns"), &corev1.Event{ObjectMeta: named("ns/e")}, &coordinationv1.Lease{ObjectMeta: named("ns/l")},
				finalized(custom("db.example.com/v1", "Event", "ns/e"), "f"), finalized(custom("db.example.com/v1", "Lease", "ns/l"), "f"), finalized(custom("db.example.com/v1", "Namespace", "ns/n"), "f")},
			after: []runtime.Object{deleted{custom("db.example.com/v1", "Event", "ns/e")}, deleted{custom("db.example.com/v1", "Lease", "ns/l")}, deleted{custom("db.example.com/v1", "Namespace", "ns/n")},
				deleted{&corev1.Event{ObjectMeta: named("ns/e")}}, deleted{&coordinationv1.Lease{ObjectMeta: named("ns/l")}}, deleted{namespace("ns")}},
			want: []string{
				`namespace-resurrected warning certain namespaces ns: only in the backup, with 3 objects and no pod`,
				`deletion-resumed warning certain events.db.example.com ns/e: deleted at 2026-11-22 02:00:00Z, waiting for f in the backup; gone in the current state`,
				`deletion-resumed warning certain leases.db.example.com ns/l: deleted at 2026-11-22 02:00:00Z, waiting for f in the backup; gone in the current state`,
				`deletion-resumed warning certain namespaces.db.example.com ns/n: deleted at 2026-11-22 02:00:00Z, waiting for f in the backup; gone in the current state`,
				`custom-resources-rolled-back warning possible *.db.example.com : events: 1 resurrected; leases: 1 resurrected; namespaces: 1 resurrected`,
			},
		},
		{
			name:   "a custom resource of the name of leases was changed",
			before: []runtime.Object{custom("db.example.com/v1", "Lease", "ns/l")},
			after:  []runtime.Object{with(custom("db.example.com/v1", "Lease", "ns/l"), 2)},
			want:   []string{`custom-resources-rolled-back warning possible *.db.example.com : leases: 1 rolled back`},
		},
		{
			name:   "custom resources of an operator and of an address manager",
			before: []runtime.Object{custom("db.example.com/v1", "Cluster", "ns/a"), custom("db.example.com/v1", "Cluster", "ns/b"), custom("db.example.com/v1", "Backup", "ns/x"), custom("crd.projectcalico.org/v1", "IPAMBlock", "10-244-1-0")},
			after:  []runtime.Object{with(custom("db.example.com/v1", "Cluster", "ns/a"), 3), custom("db.example.com/v1", "Cluster", "ns/c"), deleted{custom("db.example.com/v1", "Backup", "ns/x")}, with(custom("crd.projectcalico.org/v1", "IPAMBlock", "10-244-1-0"), 7)},
			want: []string{
				`ipam-rolled-back critical possible ipamblocks.crd.projectcalico.org : 1 rolled back`,
				`custom-resources-rolled-back warning possible *.db.example.com : backups: 1 resurrected; clusters: 1 lost, 1 rolled back`,
			},
		},
		{
			name:   "definitions came, went and dropped a version",
			before: []runtime.Object{definition("Old", "v1"), custom("example.com/v1", "Old", "ns/x"), definition("Widget", "v1alpha1", "v1"), custom("example.com/v1alpha1", "Widget", "ns/w"), custom("example.com/v1", "Widget", "ns/v")},
			after:  []runtime.Object{deleted{definition("Old")}, deleted{custom("example.com/v1", "Old", "ns/x")}, definition("Widget", "v1"), definition("New", "v1"), custom("example.com/v1", "New", "ns/n")},
			want: []string{
				`crd-version-dropped critical possible customresourcedefinitions.apiextensions.k8s.io widgets.example.com: 1 object in version v1alpha1 in the backup: ns/w`,
				`crd-lost warning certain customresourcedefinitions.apiextensions.k8s.io news.example.com: only in the current state, with 1 object`,
				`crd-resurrected warning certain customresourcedefinitions.apiextensions.k8s.io olds.example.com: only in the backup, with 1 object`,
				`custom-resources-rolled-back warning possible *.example.com : news: 1 lost; olds: 1 resurrected`,
			},
		},
		{
			name:   "an API version went",
			before: []runtime.Object{raw{key: "/registry/poddisruptionbudgets/ns/p", value: `{"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget","metadata":{"name":"p"}}`}},
			after:  []runtime.Object{&policyv1.PodDisruptionBudget{ObjectMeta: named("ns/p")}},
			want:   []string{`storage-version-changed warning possible poddisruptionbudgets.policy : policy/v1beta1 in the backup, policy/v1 in the current state`},
		},
		{
			name:   "an API version went before the backup, and what was written before has it still",
			before: []runtime.Object{raw{key: "/registry/poddisruptionbudgets/ns/z", value: `{"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget"}`}, raw{key: "/registry/poddisruptionbudgets/ns/a", value: `{"apiVersion":"policy/v1","kind":"PodDisruptionBudget"}`}},
			after:  []runtime.Object{raw{key: "/registry/poddisruptionbudgets/ns/b", value: `{"apiVersion":"policy/v1","kind":"PodDisruptionBudget"}`}},
		},
		{
			name: "the encryption key was changed, and what was written first has the former one",
			before: []runtime.Object{raw{key: "/registry/configmaps/ns/a", value: "k8s:enc:aescbc:v1:key1:abc"}, raw{key: "/registry/configmaps/ns/m", value: "x"}, raw{key: "/registry/configmaps/ns/z", value: "x"},
				raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:abc"}},
			after: []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key2:abc"}},
			want:  []string{`secret-rolled-back warning possible secrets ns/s: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`},
		},
		{
			name: "the encryption key was changed, and what was written last has the former one",
			before: []runtime.Object{raw{key: "/registry/configmaps/ns/a", value: "x"}, raw{key: "/registry/configmaps/ns/z", value: "x"}, raw{key: "/registry/configmaps/ns/m", value: "k8s:enc:aescbc:v1:key1:abc"},
				raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:abc"}},
			after: []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key2:abc"}},
			want:  []string{`secret-rolled-back warning possible secrets ns/s: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`},
		},
		{
			name: "the encryption key was changed, and what was written in between has the former one",
			before: []runtime.Object{raw{key: "/registry/configmaps/ns/a", value: "x"}, raw{key: "/registry/configmaps/ns/m", value: "k8s:enc:aescbc:v1:key1:abc"}, raw{key: "/registry/configmaps/ns/z", value: "x"},
				raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key1:abc"}},
			after: []runtime.Object{raw{key: "/registry/secrets/ns/s", value: "k8s:enc:aescbc:v1:key2:abc"}},
			want:  []string{`secret-rolled-back warning possible secrets ns/s: changed, but encrypted: in which keys is not known (encrypted by aescbc with key "key1")`},
		},
		{
			name:   "custom resources of many sorts were made",
			before: []runtime.Object{namespace("ns")},
			after: []runtime.Object{custom("many.example.com/v1", "A", "ns/x"), custom("many.example.com/v1", "B", "ns/x"), custom("many.example.com/v1", "C", "ns/x"), custom("many.example.com/v1", "D", "ns/x"),
				custom("many.example.com/v1", "E", "ns/x"), custom("many.example.com/v1", "F", "ns/x")},
			want: []string{`custom-resources-rolled-back warning possible *.many.example.com : as: 1 lost; bs: 1 lost; cs: 1 lost; ds: 1 lost; es: 1 lost; and 1 more`},
		},
		{
			name:   "a version is served no longer, or stored no longer",
			before: []runtime.Object{definition("Widget", "v1alpha1", "v1"), custom("example.com/v1alpha1", "Widget", "ns/w"), definition("Gadget", "v1alpha1", "v1"), custom("example.com/v1alpha1", "Gadget", "ns/w")},
			after:  []runtime.Object{unserved(definition("Widget", "v1alpha1", "v1")), storing(definition("Gadget", "v1alpha1", "v1"), "v1")},
		},
		{
			name:   "virtual machines of a Service were replaced",
			before: []runtime.Object{namespace("ns"), service("ns/vms", "10.96.0.1", 0), machine(endpoints("ns/vms-abcde", "old 10.0.0.1"))},
			after:  []runtime.Object{machine(endpoints("ns/vms-abcde", "new 10.0.0.2")), pod("ns/new", ip("10.0.0.2"))},
		},
		{
			name: "what is no pod, and what is no lease, was being deleted",
			before: []runtime.Object{finalized(custom("db.example.com/v1", "Pod", "ns/p"), "f"), raw{key: "/registry/leasecandidates/ns/l",
				value: `{"apiVersion":"coordination.k8s.io/v1beta1","kind":"LeaseCandidate","metadata":{"name":"l","namespace":"ns","deletionTimestamp":"2026-11-22T02:00:00Z"}}`}},
			after: []runtime.Object{deleted{custom("db.example.com/v1", "Pod", "ns/p")}, deleted{&coordinationv1beta1.LeaseCandidate{ObjectMeta: named("ns/l")}}},
			want: []string{
				`deletion-resumed warning certain pods.db.example.com ns/p: deleted at 2026-11-22 02:00:00Z, waiting for f in the backup; gone in the current state`,
				`deletion-resumed warning certain leasecandidates.coordination.k8s.io ns/l: deleted at 2026-11-22 02:00:00Z, waiting for nothing in the backup; gone in the current state`,
				`custom-resources-rolled-back warning possible *.db.example.com : pods: 1 resurrected`,
			},
		},
		{
			name:   "an APIService of a Service that is nowhere was deleted, and a definition made",
			before: []runtime.Object{namespace("ns"), apiService("v1beta1.metrics.k8s.io", "ns/nowhere")},
			after:  []runtime.Object{deleted{apiService("v1beta1.metrics.k8s.io", "")}, definition("Empty", "v1")},
			want: []string{
				`apiservice-unbacked warning certain apiservices.apiregistration.k8s.io v1beta1.metrics.k8s.io: the APIService calls Service ns/nowhere, which the backup does not have`,
				`crd-lost warning certain customresourcedefinitions.apiextensions.k8s.io emptys.example.com: only in the current state, with 0 objects`,
			},
		},
		{
			name: "a Service of many slices lost its pods",
			before: []runtime.Object{namespace("ns"), service("ns/web", "10.96.0.1", 0), endpoints("ns/web-aaaaa", "a 10.0.0.1", "b 10.0.0.2"), endpoints("ns/web-bbbbb", "c 10.0.0.3"), endpoints("ns/web-ccccc", "d 10.0.0.4"),
				endpoints("ns/web-ddddd", "e 10.0.0.5"), endpoints("ns/web-eeeee", "f 10.0.0.6"), endpoints("ns/web-fffff", "g 10.0.0.7")},
			after: []runtime.Object{endpoints("ns/web-aaaaa"), endpoints("ns/web-bbbbb"), endpoints("ns/web-ccccc"), endpoints("ns/web-ddddd"), endpoints("ns/web-eeeee"), endpoints("ns/web-fffff")},
			want:  []string{`endpoint-dead critical certain services ns/web: 7 of 7 ready addresses: 10.0.0.1 of a, 10.0.0.2 of b, 10.0.0.3 of c, 10.0.0.4 of d, 10.0.0.5 of e and 2 more`},
		},
		{
			name:   "a key among the Secrets holds none",
			before: []runtime.Object{raw{key: "/registry/secrets/odd", value: "x"}, secret("ns/s", "Opaque", "k", "1")},
			after:  []runtime.Object{raw{key: "/registry/secrets/odd", value: "y"}, secret("ns/s", "Opaque", "k", "2")},
			want: []string{
				`secret-rolled-back warning possible secrets ns/s: another value in the backup: k`,
				`other-keys-rolled-back warning certain keys that hold no object : 1 rolled back`,
			},
		},
		{
			name:   "a pod of the name has another address",
			before: []runtime.Object{namespace("ns"), service("ns/db", "10.96.0.1", 0), pod("ns/db-0", ip("10.0.0.1")), pod("ns/db-1", ip("10.0.0.2")), endpoints("ns/db-abcde", "db-0 10.0.0.1", "db-1 10.0.0.2")},
			after:  []runtime.Object{pod("ns/db-0", ip("10.0.0.9")), labelled(pod("ns/db-1", ip("10.0.0.2"))), endpoints("ns/db-abcde", "db-0 10.0.0.9", "db-1 10.0.0.2")},
			want: []string{
				`endpoint-dead critical certain services ns/db: 1 of 2 ready addresses: 10.0.0.1 of db-0`,
				`endpoint-missing warning certain services ns/db: 1 address: 10.0.0.9 of db-0`,
			},
		},
		{
			name:   "a Service's pods were replaced before there were slices",
			before: []runtime.Object{namespace("ns"), service("ns/db", "10.96.0.1", 0), pod("ns/old", ip("10.0.0.1")), oldEndpoints("ns/db", "old 10.0.0.1", "VirtualMachine/vm 10.0.0.7", "192.0.2.1")},
			after:  []runtime.Object{deleted{pod("ns/old")}, pod("ns/new", ip("10.0.0.2")), oldEndpoints("ns/db", "new 10.0.0.2", "VirtualMachine/vm 10.0.0.8", "192.0.2.2")},
			want: []string{
				`endpoint-dead critical certain services ns/db: 1 of 1 ready addresses: 10.0.0.1 of old`,
				`endpoint-missing warning certain services ns/db: 1 address: 10.0.0.2 of new`,
			},
		},
		{
			name: "a role is bound, and another binding cannot be read",
			before: []runtime.Object{namespace("ns"), raw{key: "/registry/clusterrolebindings/a", value: "k8s:enc:aescbc:v1:key1:abc"},
				&rbacv1.RoleBinding{ObjectMeta: named("ns/b"), RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "robot"}}}},
			after: []runtime.Object{pod("ns/p", as("robot"), tokened), pod("ns/q", as("other"), tokened)},
			want: []string{
				`token-of-phantoms warning certain serviceaccounts ns/other: 1 pod with a token only in the current state: q; whether a role is bound to the account is not known (not all ClusterRoleBindings of the current state could be read)`,
				`token-of-phantoms warning certain serviceaccounts ns/robot: 1 pod with a token only in the current state: p`,
				`unreadable warning certain clusterrolebindings.rbac.authorization.k8s.io : 1 value could not be read, the first because: encrypted by aescbc with key "key1"`,
			},
		},
		{
			name:   "values that cannot be read",
			before: []runtime.Object{raw{key: "/registry/services/specs/ns/s", value: "?"}, raw{key: "/registry/persistentvolumes/v", value: "k8s\x00\x0a\x05"}},
			after:  []runtime.Object{raw{key: "/registry/services/specs/ns/s", value: "!"}, raw{key: "/registry/persistentvolumes/v", value: "k8s\x00\x0a\x09"}},
			want: []string{
				`unreadable warning certain persistentvolumes : 2 values could not be read, the first because: read protobuf envelope: message is cut off`,
				`unreadable warning certain services : 2 values could not be read, the first because: in no encoding of an API server`,
			},
		},
	}
}

// TestFindings makes one change a case and compares all that is found.
func TestFindings(t *testing.T) {
	for _, tt := range findingCases(t) {
		t.Run(tt.name, func(t *testing.T) {
			backwards(t, changes(t, tt.before), changes(t, tt.after))
			backup, current := pair(t, changes(t, tt.before), changes(t, tt.after))
			r, err := rollback.Compare(t.Context(), backup, current, rollback.Options{Prefix: prefix, Taken: taken})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				name := f.Name
				if f.Namespace != "" {
					name = f.Namespace + "/" + name
				}
				got = append(got, fmt.Sprintf("%s %s %s %s %s: %s", f.ID, f.Severity, f.Certainty, f.Kind, name, f.Reason))
				if f.Action == "" || len(f.Evidence) == 0 {
					t.Errorf("%s: no action or no evidence: %+v", f.ID, f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want):\n%s", diff)
			}
		})
	}
}

func changes(t *testing.T, objects []runtime.Object) []change {
	t.Helper()
	var list []change
	for _, o := range objects {
		switch o := o.(type) {
		case deleted:
			list = append(list, gone(t, o.Object))
		case raw:
			list = append(list, snapshottest.Put(o.key, o.value))
		default:
			list = append(list, put(t, o))
		}
	}
	return list
}

func namespace(name string) *corev1.Namespace { return &corev1.Namespace{ObjectMeta: named(name)} }

func terminating(ns *corev1.Namespace) *corev1.Namespace {
	ns.Status.Phase = corev1.NamespaceTerminating
	return ns
}

// marked is an object that was asked to be deleted.
func marked[T metav1.Object](o T) T {
	at := metav1.NewTime(takenAt.Add(-time.Hour))
	o.SetDeletionTimestamp(&at)
	return o
}

func volume(name, policy, claim string) *corev1.PersistentVolume {
	v := &corev1.PersistentVolume{ObjectMeta: named(name), Spec: corev1.PersistentVolumeSpec{
		PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimPolicy(policy),
		AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		PersistentVolumeSource:        corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi", VolumeHandle: "vol-" + name}},
	}}
	if ns, n, ok := strings.Cut(claim, "/"); ok {
		v.Spec.ClaimRef = &corev1.ObjectReference{Namespace: ns, Name: n, UID: types.UID("uid-of-" + n)}
	}
	return v
}

func released(v *corev1.PersistentVolume) *corev1.PersistentVolume {
	v.Status.Phase = corev1.VolumeReleased
	return v
}

func failed(v *corev1.PersistentVolume) *corev1.PersistentVolume {
	v.Status.Phase = corev1.VolumeFailed
	return v
}

func behind(name string, source corev1.PersistentVolumeSource) *corev1.PersistentVolume {
	v := volume(name, "Retain", "")
	v.Spec.PersistentVolumeSource = source
	return v
}

func ofClaim(v *corev1.PersistentVolume, uid types.UID) *corev1.PersistentVolume {
	v.Spec.ClaimRef.UID = uid
	return v
}

func handled(v *corev1.PersistentVolume, handle string) *corev1.PersistentVolume {
	v.Spec.CSI.VolumeHandle = handle
	return v
}

// notReady marks endpoints of a slice, by their places, as not ready; the others say that they are.
func notReady(s *discoveryv1.EndpointSlice, which ...int) *discoveryv1.EndpointSlice {
	for i := range s.Endpoints {
		ready := !slices.Contains(which, i)
		s.Endpoints[i].Conditions.Ready = &ready
	}
	return s
}

func ranges(n *corev1.Node, cidrs ...string) *corev1.Node {
	n.Spec.PodCIDRs = cidrs
	return n
}

// watching has the pods of a DaemonSet be kube-proxy.
func watching(d *appsv1.DaemonSet) *appsv1.DaemonSet {
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "p", Image: "registry.k8s.io/kube-proxy:v1.35.0"}}
	return d
}

// watchingPod is kube-proxy in a pod of its own, or in a static one.
func watchingPod(name, on string, static bool) *corev1.Pod {
	p := pod(name)
	p.Spec.NodeName = on
	p.Spec.Containers = []corev1.Container{{Name: "p", Image: "registry.k8s.io/kube-proxy:v1.35.0"}}
	if static {
		p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "hash", "kubernetes.io/config.source": "file"}
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: on}}
	}
	return p
}

func shared(v *corev1.PersistentVolume) *corev1.PersistentVolume {
	v.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	return v
}

func claim(name, volume string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: named(name), Spec: corev1.PersistentVolumeClaimSpec{VolumeName: volume}}
}

func attachment(name, volume, node string) *storagev1.VolumeAttachment {
	return &storagev1.VolumeAttachment{ObjectMeta: named(name), Spec: storagev1.VolumeAttachmentSpec{
		NodeName: node, Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &volume},
	}}
}

// pod is a running pod on node-1.
func pod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: named(name), Spec: corev1.PodSpec{NodeName: "node-1"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	for _, c := range change {
		c(p)
	}
	return p
}

func on(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }
func as(account string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.ServiceAccountName = account }
}
func ip(address string) func(*corev1.Pod)       { return func(p *corev1.Pod) { p.Status.PodIP = address } }
func phase(s corev1.PodPhase) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Status.Phase = s } }

func mount(source corev1.VolumeSource) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "v", VolumeSource: source})
	}
}

func using(claim string) func(*corev1.Pod) {
	return mount(corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}})
}

func reading(secret string) func(*corev1.Pod) {
	return mount(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}})
}

func tokened(p *corev1.Pod) {
	mount(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}},
	}}})(p)
}

func service(name, ip string, nodePort int32) *corev1.Service {
	return &corev1.Service{ObjectMeta: named(name), Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Port: 80, NodePort: nodePort}}}}
}

func balanced(s *corev1.Service) *corev1.Service {
	s.Spec.Type = corev1.ServiceTypeLoadBalancer
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.7"}}
	return s
}

// endpoints is the slice name of the Service whose name it starts with; each
// address is given as pod and IP.
func endpoints(name string, addresses ...string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: named(name)}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: s.Name[:strings.LastIndex(s.Name, "-")]}
	for _, a := range addresses {
		pod, ip, _ := strings.Cut(a, " ")
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{ip}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod}})
	}
	return s
}

func secret(name string, kind corev1.SecretType, data ...string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: named(name), Type: kind, Data: map[string][]byte{}}
	for i := 0; i+1 < len(data); i += 2 {
		s.Data[data[i]] = []byte(data[i+1])
	}
	return s
}

func token(name, account string) *corev1.Secret {
	s := secret(name, corev1.SecretTypeServiceAccountToken, "token", "header.e30.signature")
	s.Annotations = map[string]string{corev1.ServiceAccountNameKey: account, corev1.ServiceAccountUIDKey: "uid"}
	return s
}

func labelled[T metav1.Object](o T) T {
	o.SetLabels(map[string]string{"a": "b"})
	return o
}

func unlabelled[T metav1.Object](o T) T {
	o.SetLabels(nil)
	return o
}

func account(name, uid string) *corev1.ServiceAccount {
	a := &corev1.ServiceAccount{ObjectMeta: named(name)}
	a.UID = types.UID(uid)
	return a
}

func role(name string, verbs ...string) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{ObjectMeta: named(name), Rules: []rbacv1.PolicyRule{{Verbs: verbs}}}
}

func webhooks(name string, policy admissionv1.FailurePolicyType, service string) *admissionv1.ValidatingWebhookConfiguration {
	ns, n, _ := strings.Cut(service, "/")
	return &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: named(name), Webhooks: []admissionv1.ValidatingWebhook{{
		Name: name + ".example.com", FailurePolicy: &policy,
		ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: ns, Name: n}},
	}}}
}

func trusting(w *admissionv1.ValidatingWebhookConfiguration, ca string) *admissionv1.ValidatingWebhookConfiguration {
	w.Webhooks[0].ClientConfig.CABundle = []byte(ca)
	return w
}

func node(name, cidr string) *corev1.Node {
	return &corev1.Node{ObjectMeta: named(name), Spec: corev1.NodeSpec{PodCIDR: cidr}}
}

func custom(apiVersion, kind, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
	m := named(name)
	u.SetNamespace(m.Namespace)
	u.SetName(m.Name)
	return u
}

func with(u *unstructured.Unstructured, n int64) *unstructured.Unstructured {
	u.Object["spec"] = map[string]any{"n": n}
	return u
}

func finalized(u *unstructured.Unstructured, finalizer string) *unstructured.Unstructured {
	u.SetFinalizers([]string{finalizer})
	at := metav1.NewTime(takenAt.Add(-time.Hour))
	u.SetDeletionTimestamp(&at)
	return u
}

// definition serves and stores the versions of a kind of the group example.com.
func definition(kind string, versions ...string) *unstructured.Unstructured {
	plural := strings.ToLower(kind) + "s"
	u := custom("apiextensions.k8s.io/v1", "CustomResourceDefinition", plural+".example.com")
	var served []any
	var stored []any
	for _, v := range versions {
		served = append(served, map[string]any{"name": v, "served": true, "storage": v == "v1"})
		stored = append(stored, v)
	}
	u.Object["spec"] = map[string]any{"group": "example.com", "names": map[string]any{"plural": plural, "kind": kind}, "scope": "Namespaced", "versions": served}
	u.Object["status"] = map[string]any{"storedVersions": stored}
	return u
}

// unserved has the first version of a definition not served.
func unserved(d *unstructured.Unstructured) *unstructured.Unstructured {
	d.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)["served"] = false
	return d
}

func storing(d *unstructured.Unstructured, versions ...any) *unstructured.Unstructured {
	d.Object["status"] = map[string]any{"storedVersions": versions}
	return d
}

func certificate(t *testing.T, notAfter time.Time) string {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: notAfter.Add(-24 * time.Hour), NotAfter: notAfter}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
