// Package clustertest makes clusters: pairs of snapshots, a backup and the state that
// its restore would undo, in which the outcome of every pod is known by construction.
//
// It takes Options with a seed and returns a Cluster: the two snapshot files, written
// with bbolt and Kubernetes' own encodings, and for every pod the expected result in
// each case, as written down from the mechanism's table. The same options always give
// the same cluster. It is made for tests.
package clustertest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// end is when the current snapshot is taken.
var end = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

func secondsOf(n int64) time.Duration { return time.Duration(n) * time.Second }

// Options say what to make.
type Options struct {
	Seed  uint64
	Pods  int // at least; every class occurs when there are enough
	Nodes int // in both snapshots, besides one of each only; 0 is 3
	// APIServers is how many there are, cp-0 and on; 0 is one without an identity.
	APIServers int
	// Unreachable is a node whose Node object is tainted so in the current state: its
	// kubelet was down. "" is none.
	Unreachable string
	// Shuffle orders the writes between backup and current state, and the pods'
	// creations, by another seed: the cluster is the same one. 0 is the Seed.
	Shuffle uint64
	// Outage is for how long kubelets find no API server.
	Outage time.Duration
	// Compact drops what was superseded before the backup from both.
	Compact bool

	// Steady is how many more pods there are to which nothing happens, and that have all
	// that pods of a real cluster have; SteadySize is what one takes in bytes, 0 for a size
	// that is usual.
	Steady, SteadySize int
	// Revisions is how many there are at least: what a cluster writes all the time, half of
	// it before the backup.
	Revisions int
}

// Cluster is a pair of snapshots.
type Cluster struct {
	Backup, Current []byte
	Pods            []Pod
	BackupRevision  int64
	CurrentRevision int64
	// LastSeen is the newest revision of a pod that the node's kubelet has seen.
	LastSeen map[string]int64
	// Listed is how long after the API is back the node's kubelet has relisted its pods, where the restored revision makes it.
	Listed   map[string]time.Duration
	OldNode  string // in the backup only
	NewNode  string // in the current state only
	Cordoned string // in the current state only
}

// Pod is a pod with what is to be expected of it.
type Pod struct {
	UID, Class string
	Node       string // where it runs, or would
	Twin       bool   // there is another of its name
	Want       [cases]Want
	// Then is what the API comes to show of it in each case: a phase, terminating or
	// gone; "" in all where nothing is to be expected of that.
	Then [cases]string
	// Forbid is the CronJob with that concurrencyPolicy that its Job is of.
	Forbid string
}

// Later is what the API comes to show of the pod in a case.
func (p *Pod) Later(c Case) string {
	if c == Unplaced {
		c = Relists
	}
	return p.Then[c]
}

// In is what becomes of the pod in a case.
func (p *Pod) In(c Case) Want {
	if c == Unplaced && p.Want[c] == (Want{}) {
		c = Relists
	}
	return p.Want[c]
}

// New makes a cluster.
func New(o Options) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "clustertest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b := newBuilder(o, NewHistory())
	b.plan()
	b.begin()
	compacted := int64(0)
	if o.Compact {
		compacted = b.revision
	}
	b.BackupRevision = b.revision
	if b.Backup, err = b.Save(dir, 0, false); err != nil {
		return nil, err
	}
	b.live()
	b.CurrentRevision = b.revision
	b.Listed = outage(o.Seed, o.Outage, b.nodes())
	if b.Current, err = b.Save(dir, compacted, false); err != nil {
		return nil, err
	}
	return b.Cluster, b.err
}

func newBuilder(o Options, h *History) *builder {
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	return &builder{
		opts: o, History: h, Cluster: &Cluster{LastSeen: map[string]int64{}, OldNode: "old", NewNode: "new", Cordoned: "n0"},
		rng: rand.New(rand.NewPCG(o.Seed, 1)), order: rand.New(rand.NewPCG(max(o.Shuffle, o.Seed), 2)),
	}
}

type builder struct {
	opts Options
	*History
	*Cluster
	rng, order *rand.Rand
	played     []play
	template   *corev1.Pod // of steady pods
	err        error
}

// play is one pod, or two of one name.
type play struct {
	*class
	name, set  string // set is the ReplicaSet that it is of
	at, atThen string // nodes in the current state and in the backup
}

// setSize is how many pods a ReplicaSet has.
const setSize = 10

// plan deals the classes out.
func (b *builder) plan() {
	for i := 0; len(b.Pods) < b.opts.Pods; i++ {
		c := &classes[i%len(classes)]
		p := play{class: c, name: fmt.Sprintf("p%d", i), set: fmt.Sprintf("set%d", i/setSize), at: b.node()}
		switch c.on {
		case "old":
			p.at = b.OldNode
		case "new":
			p.at = b.NewNode
		}
		if c.name == "4c" {
			p.at = "n1" // which can not take it by the backup's labels
		}
		if p.atThen = p.at; c.moved {
			for p.atThen == p.at {
				p.atThen = b.node()
			}
		}
		b.played = append(b.played, p)
		b.expect(p)
	}
}

func (b *builder) node() string { return fmt.Sprintf("n%d", b.rng.IntN(b.opts.Nodes)) }

// expect notes what is to be expected of the play's pods.
func (b *builder) expect(p play) {
	if p.raw {
		b.Pods = append(b.Pods, Pod{Class: p.class.name, Want: p.want})
		return
	}
	if p.renamed {
		b.Pods = append(b.Pods, Pod{UID: string(p.uid(false)), Class: p.class.name, Node: p.atThen, Twin: true, Want: p.was})
	}
	pod := Pod{UID: string(p.uid(p.after != nil)), Class: p.class.name, Node: p.at, Twin: p.renamed, Want: p.want, Then: p.then}
	if p.policy == "Forbid" {
		pod.Forbid = cronName(p.name)
	}
	b.Pods = append(b.Pods, pod)
}

func (p *play) uid(now bool) types.UID {
	if p.renamed && now {
		return uidOf(p.name, "now")
	}
	return uidOf(p.name, "uid")
}

// begin writes the state of the backup.
func (b *builder) begin() {
	b.object("namespaces/kube-system", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "cluster"}})
	for i := range b.opts.Nodes {
		b.putNode(fmt.Sprintf("n%d", i))
	}
	b.putNode(b.OldNode)
	for i := 0; i*setSize < len(b.played); i++ {
		name, replicas := fmt.Sprintf("set%d", i), int32(setSize)
		b.object("replicasets/team/"+name, &appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: uidOf(name)},
			Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas},
		})
	}
	for _, i := range b.order.Perm(len(b.played)) {
		p := &b.played[i]
		if p.policy != "" {
			b.cronJob(p, -2*time.Minute)
			b.job(p)
		}
		if p.before != nil {
			b.pod(p, p.before, p.atThen, false)
		}
	}
	b.steady()
	b.traffic(b.opts.Revisions/2, b.taken())
	b.renew(b.taken().Sub(end))
}

// live writes what comes after the backup.
func (b *builder) live() {
	for i := range 100 + 3*b.opts.Nodes + b.opts.APIServers*(30+10*b.opts.Nodes) { // more than API servers write when they start
		b.object("configmaps/default/filler", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "filler", UID: "filler", ResourceVersion: fmt.Sprint(i)}})
	}
	b.putNode(b.NewNode)
	b.putNode(b.Cordoned)
	if b.opts.Unreachable != "" {
		b.putNode(b.opts.Unreachable)
	}
	b.Delete("/registry/minions/" + b.OldNode)
	for _, i := range b.order.Perm(len(b.played)) {
		b.fate(&b.played[i])
	}
	b.traffic(b.opts.Revisions-2*b.opts.Nodes, end)
	// Every kubelet that lives sees a pod of its own last.
	for _, n := range b.living() {
		p := play{class: &classes[0], name: "last-on-" + n, at: n}
		b.expect(p)
		b.pod(&p, p.after, n, true)
	}
	b.renew(0)
}

func (b *builder) living() []string {
	nodes := []string{b.NewNode}
	for i := range b.opts.Nodes {
		nodes = append(nodes, fmt.Sprintf("n%d", i))
	}
	slices.Sort(nodes)
	return nodes
}

// fate is what becomes of a play's pods after the backup.
func (b *builder) fate(p *play) {
	key := podKey(p.name)
	if p.policy != "" {
		b.cronJob(p, -time.Minute)
	}
	switch {
	case p.before != nil && p.after == nil:
		b.Delete(key)
		b.saw(p.atThen)
	case p.before != nil && p.renamed:
		b.Delete(key)
		b.saw(p.atThen)
		b.pod(p, p.after, p.at, true)
	case p.before == nil || !p.still():
		b.pod(p, p.after, p.at, true)
	}
}

// still says whether nothing happens to the pod.
func (p *play) still() bool {
	return p.class.name == "4a" || p.class.name == "6" || p.class.name == "unbound in both"
}

// saw notes that the kubelet of a node has seen the newest revision.
func (b *builder) saw(node string) {
	if node != "" {
		b.LastSeen[node] = b.revision
	}
}

func podKey(name string) string { return "/registry/pods/team/" + name }

// pod writes a pod, changed from one that runs on a node.
func (b *builder) pod(p *play, change func(*corev1.Pod), node string, now bool) {
	if p.raw {
		b.Put(podKey(p.name), []byte("k8s:enc:aescbc:v1:key1:"+p.name))
		return
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: p.name, UID: p.uid(now), CreationTimestamp: metav1.NewTime(end.Add(-time.Hour))},
		Spec: corev1.PodSpec{
			NodeName: node, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64),
			Containers: []corev1.Container{{Name: "c", Image: "i:v1", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
			}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	switch yes := true; {
	case p.policy != "":
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: jobName(p.name), UID: uidOf(jobName(p.name)), Controller: &yes}}
	case p.set != "":
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: p.set, UID: uidOf(p.set), Controller: &yes}}
	}
	change(pod)
	b.object("pods/team/"+p.name, pod)
	b.saw(pod.Spec.NodeName)
}

func cronName(pod string) string { return "cron-" + pod }
func jobName(pod string) string  { return "job-" + pod }

// cronJob writes the CronJob of a pod's Job, as it is when a slot has just run so long
// before the end.
func (b *builder) cronJob(p *play, before time.Duration) {
	name := cronName(p.name)
	b.object("cronjobs/team/"+name, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: uidOf(name)},
		Spec:       batchv1.CronJobSpec{Schedule: "* * * * *", ConcurrencyPolicy: batchv1.ConcurrencyPolicy(p.policy)},
		Status: batchv1.CronJobStatus{
			Active:           []corev1.ObjectReference{{Kind: "Job", Namespace: "team", Name: jobName(p.name), UID: uidOf(jobName(p.name))}},
			LastScheduleTime: new(metav1.NewTime(end.Add(before))),
		},
	})
}

// job writes the Job of a pod.
func (b *builder) job(p *play) {
	name, yes := jobName(p.name), true
	b.object("jobs/team/"+name, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: uidOf(name), OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "batch/v1", Kind: "CronJob", Name: cronName(p.name), UID: uidOf(cronName(p.name)), Controller: &yes},
		}},
		Spec: batchv1.JobSpec{Parallelism: new(int32(1)), Completions: new(int32(1)), BackoffLimit: new(int32(6))},
	})
}

// putNode writes a node, cordoned or unreachable when it is the one that is since the
// backup and is written again.
func (b *builder) putNode(name string) {
	_, again := b.History.live["/registry/minions/"+name]
	var taints []corev1.Taint
	if again && name == b.opts.Unreachable {
		taints = []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute}}
	}
	b.object("minions/"+name, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: uidOf("node", name), Labels: map[string]string{"kubernetes.io/hostname": name}},
		Spec:       corev1.NodeSpec{Unschedulable: again && name == b.Cordoned, Taints: taints},
		Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.37.2"}, Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110"),
		}},
	})
}

// renew writes the leases of the living nodes, by which the snapshots are dated.
func (b *builder) renew(before time.Duration) {
	for i, n := range b.living() {
		t := metav1.NewMicroTime(end.Add(before + time.Duration(i)*time.Millisecond))
		b.object("leases/kube-node-lease/"+n, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: n, UID: uidOf("lease", n)},
			Spec:       coordinationv1.LeaseSpec{RenewTime: &t},
		})
	}
	for i := range b.opts.APIServers {
		b.identify(fmt.Sprintf("cp-%d", i), end.Add(before))
	}
	if b.opts.APIServers > 0 {
		b.identify("cp-gone", end.Add(before-10*time.Minute)) // its Lease outlives it by an hour
	}
}

// identify writes the Lease of an API server's identity.
func (b *builder) identify(host string, at time.Time) {
	t := metav1.NewMicroTime(at)
	b.object("leases/kube-system/apiserver-"+host, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "apiserver-" + host, UID: uidOf("apiserver", host), Labels: map[string]string{
			"apiserver.kubernetes.io/identity": "kube-apiserver", corev1.LabelHostname: host,
		}},
		Spec: coordinationv1.LeaseSpec{RenewTime: &t},
	})
}

// encoder writes what API servers store.
var encoder = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

// object writes an object as an API server stores it.
func (b *builder) object(path string, o runtime.Object) {
	if err := b.Object(path, o); err != nil && b.err == nil {
		b.err = err
	}
}
