// Package ties finds what binds a backup to the machines, the network and the
// accounts of its cluster.
//
// It takes the snapshot of a backup that is to be restored onto other machines. It
// returns its ties: findings with their consequences there, the keys that belong only
// to the old machines and are deleted before anything starts, and the settings that
// new API servers need to be accepted in place of the old ones. It refuses nothing:
// values that cannot be read are counted.
//
// The content of the backup is certain. The consequences were read in the sources of
// Kubernetes and the documentation of others, and not observed on clusters.
package ties

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Ties are what binds a backup to its cluster. They marshal to JSON; within a schema
// version, fields are only added.
type Ties struct {
	Findings []Finding  `json:"findings"` // worst first, at most MaxFindings of one id
	Summary  map[ID]int `json:"summary"`  // how many there are of each id, those not listed included
	// Machines are the keys of the old machines, and of pods, whose objects mean nothing
	// on others; those alone of which the backup has any.
	Machines []Keys `json:"machines"`
	// ServiceIPs are the addresses of the Service kubernetes, and ServiceRanges those out
	// of which Services get theirs by the API servers' flag, as far as the backup shows: new
	// API servers need the same ranges.
	ServiceIPs    []string `json:"serviceIPs"`
	ServiceRanges []string `json:"serviceRanges"`
	// RootCA is the SHA-256 of the cluster's first root certificate, in hexadecimal, as
	// pods trust it; "" when the backup does not show it.
	RootCA string `json:"rootCA"`
}

// MaxFindings is how many findings of one id are listed.
const MaxFindings = 50

// Finding is one tie.
type Finding struct {
	ID        ID                `json:"id"`
	Severity  finding.Severity  `json:"severity"`
	Certainty finding.Certainty `json:"certainty"` // of what comes of it
	Kind      string            `json:"kind"`      // resource, as kubectl takes it
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"` // "" for all of a resource
	Detail    string            `json:"detail"`
	Evidence  []finding.Ref     `json:"evidence"`
}

// Object names what the finding is about.
func (f *Finding) Object() string {
	name := f.Name
	if f.Namespace != "" {
		name = f.Namespace + "/" + name
	}
	return strings.TrimSpace(f.Kind + " " + name)
}

// Keys are those that start with a prefix.
type Keys struct {
	Prefix string `json:"prefix"`
	Count  int    `json:"count"`
	What   string `json:"what"`
}

// Of are the findings of an id.
func (t *Ties) Of(id ID) (list []Finding) {
	for _, f := range t.Findings {
		if f.ID == id {
			list = append(list, f)
		}
	}
	return list
}

// Find finds the ties of a backup whose API servers keep their keys below prefix, as
// package kube takes it. The error is ctx's.
func Find(ctx context.Context, s *snapshot.Snapshot, prefix string) (*Ties, error) {
	f := &finder{ctx: ctx, Snapshot: s, prefix: prefix, Ties: &Ties{Findings: []Finding{}, Summary: map[ID]int{}, Machines: []Keys{}, ServiceIPs: []string{}, ServiceRanges: []string{}}}
	for _, look := range []func(){f.machines, f.volumes, f.services, f.webhooks, f.jobs, f.workloads, f.addresses, f.orders, f.networks, f.encryption} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		look()
	}
	if f.unread > 0 {
		f.add(Unread, kube.Key{}, snapshot.Record{}, "%s", words.Count(f.unread, "object"))
	}
	rank := map[ID]int{}
	for i, info := range Infos {
		rank[info.ID] = i
	}
	slices.SortStableFunc(f.Findings, func(a, b Finding) int {
		return cmp.Or(rank[a.ID]-rank[b.ID], strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return f.Ties, ctx.Err()
}

// finder is Ties while they are found.
type finder struct {
	*snapshot.Snapshot
	*Ties
	ctx    context.Context
	prefix string
	unread int
}

func (f *finder) add(id ID, k kube.Key, r snapshot.Record, format string, args ...any) {
	if f.Summary[id]++; f.Summary[id] > MaxFindings {
		return
	}
	info := id.Info()
	found := Finding{ID: id, Severity: info.Severity, Certainty: finding.Possible, Namespace: k.Namespace, Name: k.Name, Detail: fmt.Sprintf(format, args...), Evidence: []finding.Ref{}}
	if k.Resource != "" {
		found.Kind = k.Plural()
	}
	if r.Key != "" {
		found.Evidence = append(found.Evidence, finding.Ref{Snapshot: finding.InBackup, Key: r.Key, Revision: r.Main})
	}
	f.Findings = append(f.Findings, found)
}

// each calls do with every object of a resource that can be read as T.
func each[T runtime.Object](f *finder, group, resource string, do func(k kube.Key, r snapshot.Record, o T)) {
	below(f, kube.Key{Group: group, Resource: resource}, do)
}

// below calls do with every object below a key that can be read as T.
func below[T runtime.Object](f *finder, all kube.Key, do func(k kube.Key, r snapshot.Record, o T)) {
	for r := range f.Keys(all.Path(f.prefix)) {
		if f.ctx.Err() != nil {
			return
		}
		k, ok := kube.ParseKey(f.prefix, r.Key)
		if !ok {
			continue
		}
		o, ok := read[T](f, r)
		if !ok {
			f.unread++
			continue
		}
		do(k, r, o)
	}
}

func read[T runtime.Object](f *finder, r snapshot.Record) (o T, ok bool) {
	value, err := f.Value(r)
	if err != nil {
		return o, false
	}
	o, err = kube.As[T](kube.Decode(kube.Key{}, value))
	return o, err == nil
}

// count is how many keys start with a prefix.
func (f *finder) count(prefix string) (n int) {
	for range f.Keys(prefix) {
		n++
	}
	return n
}

// machines are the keys that are of machines and pods alone.
func (f *finder) machines() {
	const coordination = "coordination.k8s.io"
	for _, m := range []struct {
		key  kube.Key
		what string
	}{
		{kube.Key{Resource: "nodes"}, "Node objects"},
		{kube.Key{Resource: "pods"}, "Pods"},
		{kube.Key{Group: coordination, Resource: "leases", Namespace: "kube-node-lease"}, "Heartbeats of nodes"},
		{kube.Key{Group: coordination, Resource: "leases", Namespace: metav1.NamespaceSystem}, "Leases of leaders and API servers"},
		{kube.Key{Resource: "masterleases"}, "Addresses of API servers"},
		{kube.Key{Resource: "peerserverleases"}, "Addresses by which API servers reach each other"},
		{kube.Key{Group: "storage.k8s.io", Resource: "volumeattachments"}, "Attachments of volumes to nodes"},
		{kube.Key{Group: "storage.k8s.io", Resource: "csinodes"}, "CSI drivers of nodes"},
	} {
		f.machine(m.key, m.what)
	}
	for _, n := range network {
		for _, resource := range n.resources {
			f.machine(kube.Key{Group: n.group, Resource: resource}, n.plugin+"'s "+resource)
		}
	}
	each(f, "storage.k8s.io", "volumeattachments", func(k kube.Key, r snapshot.Record, o *storagev1.VolumeAttachment) {
		volume := "a volume"
		if name := o.Spec.Source.PersistentVolumeName; name != nil {
			volume = *name
		}
		f.add(Attachment, k, r, "%s, by %s, on %s", volume, o.Spec.Attacher, o.Spec.NodeName)
	})
}

func (f *finder) machine(k kube.Key, what string) {
	prefix := k.Path(f.prefix)
	if n := f.count(prefix); n > 0 {
		f.Machines = append(f.Machines, Keys{prefix, n, what})
	}
}

func (f *finder) volumes() {
	each(f, "", "persistentvolumes", func(k kube.Key, r snapshot.Record, o *corev1.PersistentVolume) {
		claim := "of no claim"
		if c := o.Spec.ClaimRef; c != nil {
			claim = "of claim " + c.Namespace + "/" + c.Name
		}
		node, names := "", hosts(o.Spec.NodeAffinity)
		if len(names) > 0 {
			node = " of " + strings.Join(names, ", ")
		}
		switch v := &o.Spec.PersistentVolumeSource; {
		case v.Local != nil:
			f.add(VolumeLocal, k, r, "%s%s, %s", v.Local.Path, node, claim)
		case v.HostPath != nil:
			f.add(VolumeLocal, k, r, "%s%s, %s", v.HostPath.Path, node, claim)
		case len(names) > 0:
			f.add(VolumeLocal, k, r, "%s%s, %s", storage(v), node, claim)
		default:
			f.add(VolumeShared, k, r, "%s, %s, reclaim policy %s", storage(v), claim, cmp.Or(o.Spec.PersistentVolumeReclaimPolicy, corev1.PersistentVolumeReclaimRetain))
		}
	})
}

// storage names where the data of a volume is.
func storage(v *corev1.PersistentVolumeSource) string {
	switch {
	case v.CSI != nil:
		return v.CSI.Driver + " " + v.CSI.VolumeHandle
	case v.NFS != nil:
		return "NFS " + v.NFS.Server + ":" + v.NFS.Path
	case v.ISCSI != nil:
		return "iSCSI " + v.ISCSI.TargetPortal + " " + v.ISCSI.IQN
	}
	return "storage outside of the machines"
}

// hosts are the names of nodes that a volume asks for.
func hosts(a *corev1.VolumeNodeAffinity) (names []string) {
	if a == nil || a.Required == nil {
		return nil
	}
	return hostTerms(a.Required)
}

func hostTerms(s *corev1.NodeSelector) (names []string) {
	for _, term := range s.NodeSelectorTerms {
		for _, e := range slices.Concat(term.MatchExpressions, term.MatchFields) {
			if (e.Key == corev1.LabelHostname || e.Key == "metadata.name") && e.Operator == corev1.NodeSelectorOpIn {
				names = append(names, e.Values...)
			}
		}
	}
	return names
}

func (f *finder) services() {
	each(f, "", "services", func(k kube.Key, r snapshot.Record, o *corev1.Service) {
		api := k.Namespace == metav1.NamespaceDefault && k.Name == "kubernetes"
		switch {
		case api:
			f.ServiceIPs = append(f.ServiceIPs, o.Spec.ClusterIPs...)
			if len(f.ServiceIPs) == 0 && o.Spec.ClusterIP != "" {
				f.ServiceIPs = append(f.ServiceIPs, o.Spec.ClusterIP)
			}
		case o.Spec.Type == corev1.ServiceTypeLoadBalancer:
			var at []string
			for _, in := range o.Status.LoadBalancer.Ingress {
				at = append(at, cmp.Or(in.IP, in.Hostname))
			}
			f.add(LoadBalancer, k, r, "uid %s, at %s", o.UID, cmp.Or(strings.Join(at, ", "), "no address yet"))
		}
		if len(o.Spec.ExternalIPs) > 0 {
			f.add(ExternalIP, k, r, "%s", strings.Join(o.Spec.ExternalIPs, ", "))
		}
		if !api && len(o.Spec.Selector) == 0 && o.Spec.Type != corev1.ServiceTypeExternalName {
			f.add(EndpointHand, k, r, "has no selector")
		}
	})
	f.ranges()
}

// ranges are those of the API servers' flag: of the ServiceCIDR that they make of it, or
// else of the allocations that those before 1.34 keep (kubernetes v1.37
// pkg/controlplane/controller/defaultservicecidr/default_servicecidr_controller.go,
// pkg/registry/core/rest/storage_core.go).
func (f *finder) ranges() {
	each(f, "networking.k8s.io", "servicecidrs", func(k kube.Key, _ snapshot.Record, o *networkingv1.ServiceCIDR) {
		if k.Name == "kubernetes" {
			f.ServiceRanges = append(f.ServiceRanges, o.Spec.CIDRs...)
		}
	})
	if len(f.ServiceRanges) > 0 {
		return
	}
	for _, name := range []string{"serviceips", "secondaryserviceips"} {
		for r := range f.Keys(kube.Key{Resource: "ranges"}.Path(f.prefix) + name) {
			o, ok := read[*corev1.RangeAllocation](f, r)
			switch {
			case !ok:
				f.unread++
			case o.Range != "":
				f.ServiceRanges = append(f.ServiceRanges, o.Range)
			}
		}
	}
}

func (f *finder) webhooks() {
	const group = "admissionregistration.k8s.io"
	look := func(k kube.Key, r snapshot.Record, name string, config *admissionv1.WebhookClientConfig, policy *admissionv1.FailurePolicyType) {
		switch {
		case config.URL != nil:
			f.add(WebhookURL, k, r, "%s: %s", name, *config.URL)
		case config.Service != nil && (policy == nil || *policy == admissionv1.Fail):
			f.add(WebhookBlocks, k, r, "%s: Service %s/%s", name, config.Service.Namespace, config.Service.Name)
		}
	}
	each(f, group, "validatingwebhookconfigurations", func(k kube.Key, r snapshot.Record, o *admissionv1.ValidatingWebhookConfiguration) {
		for i := range o.Webhooks {
			look(k, r, o.Webhooks[i].Name, &o.Webhooks[i].ClientConfig, o.Webhooks[i].FailurePolicy)
		}
	})
	each(f, group, "mutatingwebhookconfigurations", func(k kube.Key, r snapshot.Record, o *admissionv1.MutatingWebhookConfiguration) {
		for i := range o.Webhooks {
			look(k, r, o.Webhooks[i].Name, &o.Webhooks[i].ClientConfig, o.Webhooks[i].FailurePolicy)
		}
	})
}

func (f *finder) jobs() {
	each(f, "batch", "jobs", func(k kube.Key, r snapshot.Record, o *batchv1.Job) {
		ended := slices.ContainsFunc(o.Status.Conditions, func(c batchv1.JobCondition) bool {
			return (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue
		})
		if !ended && (o.Spec.Suspend == nil || !*o.Spec.Suspend) {
			f.add(JobAgain, k, r, "%d succeeded so far", o.Status.Succeeded)
		}
	})
	each(f, "batch", "cronjobs", func(k kube.Key, r snapshot.Record, o *batchv1.CronJob) {
		if o.Spec.Suspend == nil || !*o.Spec.Suspend {
			f.add(CronJobRuns, k, r, "%s", o.Spec.Schedule)
		}
	})
}

// workloads looks for controllers that act outside, and for what is pinned to nodes.
func (f *finder) workloads() {
	template := func(k kube.Key, r snapshot.Record, t *corev1.PodTemplateSpec) {
		for _, o := range outside {
			i := slices.IndexFunc(t.Spec.Containers, func(c corev1.Container) bool { return strings.Contains(c.Image, o.image) })
			if i >= 0 {
				f.add(ActsOutside, k, r, "%s changes %s", t.Spec.Containers[i].Image, o.changes)
				break
			}
		}
		var names []string
		if name := t.Spec.NodeSelector[corev1.LabelHostname]; name != "" {
			names = append(names, name)
		}
		if name := t.Spec.NodeName; name != "" {
			names = append(names, name)
		}
		if a := t.Spec.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
			names = append(names, hostTerms(a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution)...)
		}
		if len(names) > 0 {
			f.add(Pinned, k, r, "asks for %s", strings.Join(names, ", "))
		}
	}
	each(f, "apps", "deployments", func(k kube.Key, r snapshot.Record, o *appsv1.Deployment) { template(k, r, &o.Spec.Template) })
	each(f, "apps", "statefulsets", func(k kube.Key, r snapshot.Record, o *appsv1.StatefulSet) { template(k, r, &o.Spec.Template) })
	each(f, "apps", "daemonsets", func(k kube.Key, r snapshot.Record, o *appsv1.DaemonSet) { template(k, r, &o.Spec.Template) })
}

// addresses looks for where ConfigMaps say that the API servers are, and for the root
// certificate that pods trust.
func (f *finder) addresses() {
	for _, ns := range []string{metav1.NamespaceSystem, metav1.NamespacePublic} {
		below(f, kube.Key{Resource: "configmaps", Namespace: ns}, func(k kube.Key, r snapshot.Record, o *corev1.ConfigMap) {
			if k.Name == "kube-root-ca.crt" && f.RootCA == "" {
				if block, _ := pem.Decode([]byte(o.Data["ca.crt"])); block != nil {
					f.RootCA = fmt.Sprintf("%x", sha256.Sum256(block.Bytes))
				}
			}
			if at := endpoints(o); len(at) > 0 {
				f.add(Address, k, r, "%s", strings.Join(at, ", "))
			}
		})
	}
}

// endpoints are where a ConfigMap says that API servers are: in a kubeconfig, or in
// kubeadm's configuration.
func endpoints(o *corev1.ConfigMap) (list []string) {
	for _, text := range o.Data {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			for _, field := range []string{"server: ", "controlPlaneEndpoint: "} {
				if value, ok := strings.CutPrefix(line, field); ok {
					value = strings.Trim(value, `"' `)
					if value != "" && !slices.Contains(list, value) && (field != "server: " || strings.HasPrefix(value, "https://")) {
						list = append(list, value)
					}
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

func (f *finder) orders() {
	for _, resource := range []string{"orders", "challenges"} {
		k := kube.Key{Group: "acme.cert-manager.io", Resource: resource}
		if n := f.count(k.Path(f.prefix)); n > 0 {
			f.add(CertOrder, k, snapshot.Record{}, "%d in the backup, ended ones included", n)
		}
	}
}

func (f *finder) networks() {
	for _, list := range [][]struct {
		plugin, group string
		resources     []string
	}{network, otherNetwork} {
		for _, n := range list {
			for _, resource := range n.resources {
				k := kube.Key{Group: n.group, Resource: resource}
				if count := f.count(k.Path(f.prefix)); count > 0 {
					f.add(NetworkState, k, snapshot.Record{}, "%s of %s", words.Count(count, "object"), n.plugin)
				}
			}
		}
	}
}

// encryption tells by which provider and key the first object of each resource that
// can be encrypted is.
func (f *finder) encryption() {
	for _, k := range []kube.Key{{Resource: "secrets"}, {Resource: "configmaps"}} {
		for r := range f.Keys(k.Path(f.prefix)) {
			value, err := f.Head(r, 256) // as it is stored
			if err != nil {
				continue
			}
			var by *kube.EncryptedError
			if errors.As(kube.Decode(kube.Key{}, value).Problem, &by) {
				f.add(EncryptedWith, k, r, "%s", by.Error())
			}
			break
		}
	}
}
