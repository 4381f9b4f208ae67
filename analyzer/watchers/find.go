package watchers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Find finds what watches in the newest state of a snapshot whose API servers keep
// their keys below prefix. role is the snapshot's. The error is ctx's.
func Find(ctx context.Context, s *snapshot.Snapshot, prefix string, role finding.In) (*List, error) {
	f := &finder{ctx: ctx, s: s, prefix: prefix, role: role, list: &List{NotSeen: []string{}}, found: map[owner]*Watcher{}, unmounted: map[subject]bool{}, holders: map[string]string{}}
	each(f, "", "serviceaccounts", func(k kube.Key, o *corev1.ServiceAccount) {
		if auto := o.AutomountServiceAccountToken; auto != nil && !*auto {
			f.unmounted[subject{k.Namespace, k.Name}] = true
		}
	})
	f.allowed = f.rights()
	f.workloads()
	f.leases()
	f.replicaSets()
	f.pods()
	f.notSeen()
	f.finish()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find watchers: %w", err)
	}
	return f.list, nil
}

// finder is the work of one Find.
type finder struct {
	ctx    context.Context
	s      *snapshot.Snapshot
	prefix string
	role   finding.In
	list   *List

	allowed   *rights
	unmounted map[subject]bool  // ServiceAccounts that mount no token
	holders   map[string]string // what holds a Lease, by the name of a pod → the Lease
	found     map[owner]*Watcher
	k3s       string // k3s or rke2, by the nodes
	nodes     int
}

// owner is what a pod belongs to.
type owner struct{ kind, namespace, name string }

// each decodes every object of a resource as a T, the type of its kind.
func each[T runtime.Object](f *finder, group, resource string, do func(kube.Key, T)) {
	for r := range f.s.Keys(kube.Key{Group: group, Resource: resource}.Path(f.prefix)) {
		if f.ctx.Err() != nil {
			return
		}
		k, ok := kube.ParseKey(f.prefix, r.Key)
		if !ok {
			continue
		}
		value, err := f.s.Value(r)
		if err != nil {
			f.list.Unread++
			continue
		}
		o, err := kube.As[T](kube.Decode(k, value))
		if err != nil {
			f.list.Unread++
			continue
		}
		do(k, o)
	}
}

func (f *finder) workloads() {
	each(f, "apps", "daemonsets", func(k kube.Key, o *appsv1.DaemonSet) {
		if w := f.add(DaemonSet, k, o.Labels, &o.Spec.Template, o.Spec.Selector); w != nil {
			w.PerNode = true
			w.ByDeletion = w.ByDeletion || o.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
		}
	})
	each(f, "apps", "deployments", func(k kube.Key, o *appsv1.Deployment) {
		if w := f.add(Deployment, k, o.Labels, &o.Spec.Template, o.Spec.Selector); w != nil {
			w.ByDeletion = w.ByDeletion || o.Spec.Paused // kubectl refuses to restart it (kubectl pkg/polymorphichelpers/objectrestarter.go)
		}
	})
	each(f, "apps", "statefulsets", func(k kube.Key, o *appsv1.StatefulSet) {
		if w := f.add(StatefulSet, k, o.Labels, &o.Spec.Template, o.Spec.Selector); w != nil {
			w.ByDeletion = w.ByDeletion || o.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType
		}
	})
}

// add keeps a workload that watches.
func (f *finder) add(kind Kind, k kube.Key, labels map[string]string, pod *corev1.PodTemplateSpec, selector *metav1.LabelSelector) *Watcher {
	w := Watcher{Kind: kind, Namespace: k.Namespace, Name: k.Name, HostNetwork: pod.Spec.HostNetwork}
	var images []string
	for i := range pod.Spec.Containers {
		images = append(images, pod.Spec.Containers[i].Image)
	}
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, pod.Labels)
	account := accountOf(pod.Spec.ServiceAccountName)
	if !f.judge(&w, images, all, account, f.mounts(k.Namespace, &pod.Spec)) {
		return nil
	}
	w.Selector = selectorOf(selector)
	w.ByDeletion = w.Known != nil && w.Known.podsOnly && w.Selector != ""
	f.found[owner{string(kind), k.Namespace, k.Name}] = &w
	w.Evidence = f.evidence(k)
	return &w
}

func (f *finder) evidence(k kube.Key) []finding.Ref {
	r, err := f.s.Get(k.Path(f.prefix), 0)
	if err != nil {
		return []finding.Ref{}
	}
	return []finding.Ref{{Snapshot: f.role, Key: r.Key, Revision: r.Main}}
}

// judge says whether w watches, and fills in how that is known.
func (f *finder) judge(w *Watcher, images []string, labels map[string]string, account string, token bool) bool {
	if len(images) > 0 {
		w.Image = images[0]
	}
	for _, image := range images {
		known := knownByImage(image)
		if known != nil && (w.Known == nil || known.Class.rank() < w.Known.Class.rank()) {
			w.Known, w.Basis, w.Image = known, ByImage, image
		}
	}
	if w.Known == nil {
		if known, _ := knownByLabels(labels); known != nil {
			w.Known, w.Basis = known, ByLabel
		}
	}
	g := f.allowed.of(w.Namespace, account)
	if !token {
		g = grant{}
	}
	w.Watches, w.MoreWatched = append([]string{}, g.watches...), g.more
	w.Election = NoElection
	if g.leases {
		w.Election = MayElect
	}
	w.Class = Other
	switch {
	case w.Known != nil:
		w.Class = w.Known.Class
	case len(g.watches) > 0:
		w.Basis = ByRBAC
	default:
		return false
	}
	return true
}

// selectorOf is a selector as kubectl's --selector takes it; "" for one that it does not.
func selectorOf(s *metav1.LabelSelector) string {
	if s == nil || len(s.MatchExpressions) > 0 {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		parts = append(parts, name+"="+s.MatchLabels[name])
	}
	return strings.Join(parts, ",")
}

// leases are those that tell who leads: client-go's identity is the host's name, for a
// pod its own, with an underscore and a random part after it (client-go v0.37
// tools/leaderelection; controller-runtime pkg/leaderelection/leader_election.go).
func (f *finder) leases() {
	each(f, "coordination.k8s.io", "leases", func(k kube.Key, o *coordinationv1.Lease) {
		if k.Namespace == corev1.NamespaceNodeLease || o.Spec.HolderIdentity == nil {
			return
		}
		name, _, _ := strings.Cut(*o.Spec.HolderIdentity, "_")
		f.holders[name] = k.Namespace + "/" + k.Name
	})
}

// links reads what an object is linked to.
func (f *finder) links(r snapshot.Record) (links kube.Links, err error) {
	err = f.s.Scan(r, func(value []byte) (err error) {
		links, err = kube.ScanLinks(value)
		return err
	})
	return links, err
}

// replicaSets makes those of a Deployment lead to it.
func (f *finder) replicaSets() {
	for r := range f.s.Keys(kube.Key{Group: "apps", Resource: "replicasets"}.Path(f.prefix)) {
		if f.ctx.Err() != nil {
			return
		}
		k, _ := kube.ParseKey(f.prefix, r.Key)
		links, err := f.links(r)
		if err != nil {
			f.list.Unread++
			continue
		}
		for _, o := range links.Owners {
			if w := f.found[owner{string(Deployment), k.Namespace, o.Name}]; w != nil && o.Kind == string(Deployment) {
				f.found[owner{"ReplicaSet", k.Namespace, k.Name}] = w
			}
		}
	}
}

// pods counts the pods of what was found, and finds those that no workload keeps.
func (f *finder) pods() {
	for r := range f.s.Keys(kube.Key{Resource: "pods"}.Path(f.prefix)) {
		if f.ctx.Err() != nil {
			return
		}
		var kept, name string
		err := f.s.Scan(r, func(value []byte) (err error) {
			kept, name, err = kube.ScanController(value)
			return err
		})
		if err != nil {
			f.list.Unread++
			continue
		}
		k, _ := kube.ParseKey(f.prefix, r.Key)
		w := f.found[owner{kept, k.Namespace, name}]
		if w == nil && kept != "" && kept != "Node" {
			continue // of something that does not watch: most are
		}
		value, err := f.s.Value(r)
		if err != nil {
			f.list.Unread++
			continue
		}
		p, err := kube.ScanPod(value)
		if err != nil {
			f.list.Unread++
			continue
		}
		if p.NodeName == "" || p.Terminal() {
			continue
		}
		if w == nil {
			w = f.single(r, value, &p)
		}
		if w == nil {
			continue
		}
		w.Pods++
		w.Nodes = append(w.Nodes, p.NodeName)
		if lease := f.holders[p.Name]; lease != "" {
			w.Election, w.Lease = HoldsLease, lease
		}
	}
}

// controlPlane are static pods that the restore itself stops and starts, and etcd.
var controlPlane = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "openshift-kube-apiserver", "openshift-kube-scheduler-pod"}

// single judges a pod that no workload keeps: a static one, or a bare one.
func (f *finder) single(r snapshot.Record, value []byte, p *kube.Pod) *Watcher {
	name, kind := p.Name, Bare
	if p.Mirror != "" {
		kind, name = StaticPod, strings.TrimSuffix(p.Name, "-"+p.NodeName)
		if slices.ContainsFunc(controlPlane, func(c string) bool { return name == c || strings.HasPrefix(name, c+"-") }) {
			return nil
		}
	}
	at := owner{string(kind), p.Namespace, name}
	if w := f.found[at]; w != nil {
		return w
	}
	refs, err := kube.ScanPodRefs(value)
	if err != nil {
		f.list.Unread++
		return nil
	}
	links, err := kube.ScanLinks(value)
	if err != nil {
		f.list.Unread++
		return nil
	}
	var images []string
	for _, c := range p.Containers {
		images = append(images, c.Image)
	}
	w := &Watcher{Kind: kind, Namespace: p.Namespace, Name: name, HostNetwork: p.HostNetwork, PerNode: kind == StaticPod, ByDeletion: kind == Bare}
	switch {
	case f.judge(w, images, links.Labels, accountOf(refs.ServiceAccount), refs.Token):
	case kind == StaticPod && name == "kube-proxy": // RKE2 has it in an image of all of Kubernetes
		w.Known, w.Basis = &knowns[0], ByLabel
		w.Class = w.Known.Class
	default:
		return nil
	}
	w.Evidence = []finding.Ref{{Snapshot: f.role, Key: r.Key, Revision: r.Main}}
	f.found[at] = w
	return w
}

// notSeen says what the snapshot cannot show.
func (f *finder) notSeen() {
	for r := range f.s.Keys(kube.Key{Resource: "nodes"}.Path(f.prefix)) {
		if f.ctx.Err() != nil {
			return
		}
		var n kube.Node
		err := f.s.Scan(r, func(value []byte) (err error) {
			n, err = kube.ScanNode(value)
			return err
		})
		if err != nil {
			continue
		}
		f.nodes++
		if strings.HasPrefix(n.ProviderID, "k3s://") || n.Labels["node.kubernetes.io/instance-type"] == "k3s" {
			f.k3s = "k3s"
		}
	}
	say := func(format string, args ...any) {
		f.list.NotSeen = append(f.list.NotSeen, fmt.Sprintf(format, args...))
	}
	proxy := slices.ContainsFunc(slices.Collect(maps.Values(f.found)), func(w *Watcher) bool { return w.Known != nil && w.Known.ID == "kube-proxy" })
	switch {
	case proxy || f.nodes == 0:
	case f.k3s != "":
		say("kube-proxy, the network policy controller and Flannel of k3s run inside its own process: they are restarted with k3s or k3s-agent, and so with the kubelet.")
	default:
		say("kube-proxy, of which there is no pod. It is a service of each node (systemctl status kube-proxy), or the network plug-in does its work: restart whichever it is.")
	}
	if f.allowed.bindings == 0 {
		say("Workloads that are not known by their image: there are no ClusterRoleBindings, so what may watch is not known by RBAC.")
	}
	if f.list.Unread > 0 {
		say("What is in the values that could not be read (%d).", f.list.Unread)
	}
	say("Workloads that reach the API with a kubeconfig or a certificate of their own, and not with their ServiceAccount.")
	say("What watches from outside of the cluster: GitOps tools, monitoring, autoscalers, load balancers, other clusters.")
}

func (f *finder) finish() {
	f.list.Watchers = []Watcher{}
	for at, w := range f.found {
		if at.kind == "ReplicaSet" {
			continue
		}
		slices.Sort(w.Nodes)
		w.Nodes = append([]string{}, slices.Compact(w.Nodes)...)
		w.In = []finding.In{f.role}
		if w.PerNode && w.Election != HoldsLease {
			w.Election = NotEligible
		}
		f.list.Watchers = append(f.list.Watchers, *w)
	}
	f.list.sort()
}
