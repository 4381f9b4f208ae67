package clustertest

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Write makes a cluster as New does, of any size: its snapshots are written to files in
// dir, backup.db and current.db, and are never in memory. Compact is left out.
func Write(o Options, dir string) (*Cluster, error) {
	h := NewHistory()
	var err error
	if h.spill, err = newSpill(filepath.Join(dir, "working.db")); err != nil {
		return nil, err
	}
	defer os.Remove(h.spill.db.Path())
	b := newBuilder(o, h)
	b.plan()
	b.begin()
	b.BackupRevision = b.revision
	err = h.spill.save(h, filepath.Join(dir, "backup.db"))
	if err == nil {
		b.live()
		b.CurrentRevision = b.revision
		b.Listed = outage(o.Seed, o.Outage, b.nodes())
		err = h.spill.save(h, filepath.Join(dir, "current.db"))
	}
	return b.Cluster, errors.Join(err, b.err, h.spill.db.Close())
}

// spill is a store that takes records from the memory.
type spill struct {
	db    *bolt.DB
	bytes int // of the values that are still there
	err   error
}

// Of records, so many are written together; as many writes are in one transaction of
// etcd's (server/v3 v3.7 storage/backend/backend.go defaultBatchLimit).
const (
	spillRecords = 10_000
	spillBytes   = 32 << 20
)

func newSpill(path string) (*spill, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	return &spill{db: db}, err
}

func (s *spill) add(h *History, size int) {
	s.bytes += size
	if len(h.records) >= spillRecords || s.bytes >= spillBytes {
		s.flush(h)
	}
}

func (s *spill) flush(h *History) {
	err := s.db.Update(func(tx *bolt.Tx) error {
		keys := tx.Bucket([]byte("key"))
		keys.FillPercent = 0.9 // as etcd has it, storage/backend/batch_tx.go
		for i := range h.records {
			r := &h.records[i]
			if err := keys.Put(revisionKey(r.revision, r.value == nil), r.stored()); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, uint64(h.revision)+10))
	})
	s.err = cmp.Or(s.err, err)
	h.records, s.bytes = h.records[:0], 0
}

// save writes what there is as a snapshot.
func (s *spill) save(h *History, path string) (err error) {
	s.flush(h)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	err = s.db.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(io.MultiWriter(f, sum))
		return err
	})
	if err := errors.Join(s.err, err); err != nil {
		return err
	}
	_, err = f.Write(sum.Sum(nil))
	return err
}

// tick is how long it takes the cluster to write one revision.
const tick = 10 * time.Millisecond

// taken is when the backup is.
func (b *builder) taken() time.Time {
	return end.Add(-max(time.Minute, time.Duration(b.opts.Revisions/2)*tick))
}

const steadyNamespaces = 40

func steadyKey(i int) string { return fmt.Sprintf("pods/team-%d/web-%d", i%steadyNamespaces, i) }

// steady creates the steady pods: each is scheduled and then runs.
func (b *builder) steady() {
	if b.opts.Steady > 0 {
		b.template = steadyPod(b.opts.SteadySize)
	}
	for i := range b.opts.Steady {
		for _, step := range []func(*corev1.Pod){unbound, pending, running} {
			b.steadyPod(i, step)
		}
	}
}

// steadyPod writes a steady pod once more.
func (b *builder) steadyPod(i int, change func(*corev1.Pod)) {
	p := *b.template
	p.Namespace, p.Name = fmt.Sprintf("team-%d", i%steadyNamespaces), fmt.Sprintf("web-%d", i)
	p.UID, p.Spec.NodeName = uidOf(p.Name, "uid"), fmt.Sprintf("n%d", i%b.opts.Nodes)
	p.Status.PodIP = fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
	change(&p)
	b.object(steadyKey(i), &p)
	b.saw(p.Spec.NodeName)
}

// traffic writes, until there are so many revisions, what a cluster writes while nothing
// happens: for the most part the Leases of its nodes, then states of pods and Events. The
// last of it is written at a time.
func (b *builder) traffic(until int, last time.Time) {
	for left := until - int(b.revision); left > 0; left-- {
		switch at, kind := last.Add(-time.Duration(left)*tick), b.order.IntN(10); {
		case kind < 3 && b.opts.Steady > 0:
			b.steadyPod(b.order.IntN(b.opts.Steady), func(p *corev1.Pod) {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(at)}}
			})
		case kind == 4:
			b.event(at)
		default:
			b.lease(fmt.Sprintf("n%d", b.order.IntN(b.opts.Nodes)), at)
		}
	}
}

func (b *builder) event(at time.Time) {
	name := fmt.Sprintf("web-%d.%x", b.order.IntN(b.opts.Steady+1), b.revision)
	b.object("events/team/"+name, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: "team", Name: name, UID: uidOf("event", name), CreationTimestamp: metav1.NewTime(at)},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "team", Name: name, APIVersion: "v1"},
		Reason:         "Unhealthy", Message: "Readiness probe failed: HTTP probe failed with statuscode: 503",
		Source: corev1.EventSource{Component: "kubelet"}, FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at), Count: 1, Type: corev1.EventTypeWarning,
	})
}

func (b *builder) lease(node string, at time.Time) {
	holder, seconds, t := node, int32(40), metav1.NewMicroTime(at)
	b.object("leases/kube-node-lease/"+node, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: node, UID: uidOf("lease", node)},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &t},
	})
}

// steadyPod is a pod as a Deployment makes one, of at least so many bytes as it is stored.
// One that is to be smaller than usual lacks what a pod can do without.
func steadyPod(size int) *corev1.Pod {
	created, yes, seconds := metav1.NewTime(end.Add(-24*time.Hour)), true, int64(30)
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080), Scheme: corev1.URISchemeHTTP}}, PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3}
	mount := []corev1.VolumeMount{{Name: "kube-api-access", ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}}
	managed := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", Time: &created, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}
	}
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: "web-", CreationTimestamp: created, Labels: map[string]string{"app": "web", "pod-template-hash": "6d4cf56db6"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "set0", UID: uidOf("set0"), Controller: &yes, BlockOwnerDeletion: &yes}},
			ManagedFields: []metav1.ManagedFieldsEntry{
				managed("kube-controller-manager", `{"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"set0\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:env":{".":{},"k:{\"name\":\"MODE\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}},"f:name":{},"f:resources":{".":{},"f:requests":{".":{},"f:cpu":{},"f:memory":{}}},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}`),
				managed("kubelet", `{"f:status":{"f:conditions":{"k:{\"type\":\"ContainersReady\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Ready\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},"f:hostIPs":{},"f:phase":{},"f:podIP":{},"f:podIPs":{},"f:startTime":{}}}`),
			},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: &seconds, DNSPolicy: corev1.DNSClusterFirst, ServiceAccountName: "default", SchedulerName: "default-scheduler",
			Tolerations: []corev1.Toleration{
				{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds},
				{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds},
			},
			Containers: []corev1.Container{{
				Name: "web", Image: "registry.example.com/team/web:v1.2.3", Ports: []corev1.ContainerPort{{ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
				Env: []corev1.EnvVar{{Name: "MODE", Value: "production"}}, LivenessProbe: probe, ReadinessProbe: probe, VolumeMounts: mount,
				TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: corev1.TerminationMessageReadFile, ImagePullPolicy: corev1.PullIfNotPresent,
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")}},
			}},
			Volumes: []corev1.Volume{{Name: "kube-api-access", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: &seconds, Path: "token"}},
				{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"}, Items: []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}}}},
			}}}}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, HostIP: "192.168.0.1", StartTime: &created, QOSClass: corev1.PodQOSBurstable,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: created}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: created}},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "web", Ready: true, Image: "registry.example.com/team/web:v1.2.3", ImageID: "registry.example.com/team/web@sha256:" + strings.Repeat("0123456789abcdef", 4), ContainerID: "containerd://" + strings.Repeat("0123456789abcdef", 4),
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: created}}, Started: &yes,
			}},
		},
	}
	if size > 0 && size < p.Size() {
		p.ManagedFields, p.Spec.Volumes, p.Spec.Tolerations = nil, nil, nil
		c := &p.Spec.Containers[0]
		c.LivenessProbe, c.ReadinessProbe, c.VolumeMounts = nil, nil, nil
	}
	if more := size - p.Size(); more > 0 {
		p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{Name: "SETTINGS", Value: strings.Repeat("setting ", more/8)})
	}
	return p
}
