package rollback

//lint:file-ignore SA1019 API servers store Endpoints to this day

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/finding"
	"revenant/analyzer/storage"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// FormerMaster is an address that the backup has for an API server, and that neither
// an API server nor a node of the current state has.
type FormerMaster struct {
	Key     string        // of its master lease
	Address string        // what API servers take out of the lease
	TTL     time.Duration // that etcd deletes the lease after; 0 when nothing deletes it
	Doubt   string        // why it may still be there, or the TTL may be wrong; "" when sure

	record snapshot.Record
}

// FormerMasters lists the master leases of the backup that are of former control plane
// machines. The error is ctx's.
func FormerMasters(ctx context.Context, backup, current *snapshot.Snapshot, prefix string) ([]FormerMaster, error) {
	c := newComparison(ctx, backup, current, Options{Prefix: prefix})
	list := c.formerMasters(c.masterLeases(c.backup))
	return list, ctx.Err()
}

// masterLease is the resource of the keys by which API servers make their addresses
// known to each other: each holds one, and renews it every 10 s on a lease of 15 s
// (kubernetes v1.37 pkg/controlplane/reconcilers/lease.go, pkg/controlplane/instance.go).
var masterLease = kube.Key{Resource: "masterleases"}

// kubernetesService is the Service behind which the API servers are.
var kubernetesService = kube.Key{Resource: "services", Namespace: metav1.NamespaceDefault, Name: "kubernetes"}

// masterLeases are the master leases of one snapshot by the addresses in them.
func (c *comparison) masterLeases(s side) map[string]snapshot.Record {
	list := map[string]snapshot.Record{}
	under := masterLease.Path(c.prefix)
	for r := range s.Keys(under) {
		address := strings.TrimPrefix(r.Key, under)
		if value, err := s.Value(r); err == nil {
			if e, ok := kube.Decode(kube.Key{}, value).Typed.(*corev1.Endpoints); ok {
				if len(e.Subsets) == 0 || len(e.Subsets[0].Addresses) == 0 {
					continue // API servers take no address out of it
				}
				address = e.Subsets[0].Addresses[0].IP
			}
		}
		list[address] = r
	}
	return list
}

// kubernetesAddresses are the addresses of Endpoints and EndpointSlices of the Service
// kubernetes, each with the record that holds it.
func (c *comparison) kubernetesAddresses(s side) map[string]snapshot.Record {
	list := map[string]snapshot.Record{}
	k := kubernetesService
	k.Resource = "endpoints"
	r := c.find(s, k)
	if e, ok := get[*corev1.Endpoints](c, s, r); ok {
		for _, subset := range e.Subsets {
			for _, a := range subset.Addresses {
				list[a.IP] = r
			}
		}
	}
	in := kube.Key{Group: "discovery.k8s.io", Resource: "endpointslices", Namespace: k.Namespace}.Path(c.prefix)
	for r := range s.Keys(in + k.Name) {
		slice, ok := get[*discoveryv1.EndpointSlice](c, s, r)
		if !ok || slice.Labels[discoveryv1.LabelServiceName] != k.Name {
			continue
		}
		for _, e := range slice.Endpoints {
			for _, a := range e.Addresses {
				list[a] = r
			}
		}
	}
	return list
}

// present is who has which address in the current state.
type present struct {
	addresses  map[string]bool // of API servers and nodes
	apiServers bool            // it names an API server
	doubt      string          // why an address can be missing from it
}

func (c *comparison) present() *present {
	p := &present{addresses: map[string]bool{}}
	for a := range c.masterLeases(c.current) {
		p.addresses[a] = true
	}
	for a := range c.kubernetesAddresses(c.current) {
		p.addresses[a] = true
	}
	p.apiServers = len(p.addresses) > 0
	unread := 0
	for r := range c.current.Keys(kube.Key{Resource: "nodes"}.Path(c.prefix)) {
		if c.ctx.Err() != nil {
			break
		}
		n, ok := get[*corev1.Node](c, c.current, r)
		if !ok {
			unread++
			continue
		}
		for _, a := range n.Status.Addresses {
			p.addresses[a.Address] = true
		}
	}
	switch {
	case unread > 0:
		p.doubt = fmt.Sprintf("%s of the current state could not be read", words.Count(unread, "Node"))
	case c.current.Damaged():
		p.doubt = "the current snapshot is damaged"
	case !p.apiServers:
		p.doubt = "nothing in the current state names an API server"
	}
	return p
}

// formerMasters are the backup's master leases whose addresses are no longer in use, by
// key.
func (c *comparison) formerMasters(leases map[string]snapshot.Record) []FormerMaster {
	var list []FormerMaster
	var now *present
	var granted map[int64]time.Duration
	for address, r := range leases {
		if sameRecord(r, c.find(c.current, kube.Key{Resource: masterLease.Resource, Name: address})) {
			continue
		}
		if now == nil {
			now, granted = c.present(), storage.TTLs(c.backup.Snapshot)
		}
		if now.addresses[address] {
			continue
		}
		m := FormerMaster{Key: r.Key, Address: address, Doubt: now.doubt, record: r}
		id, err := c.backup.Lease(r)
		if err == nil {
			m.TTL = granted[id]
		}
		if (err != nil || m.TTL == 0 && id != 0 && c.backup.Damaged()) && m.Doubt == "" {
			m.Doubt = "etcd's lease could not be read in the backup"
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b FormerMaster) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// masters looks at where the backup has the API servers.
func (c *comparison) masters() {
	leases, served := c.masterLeases(c.backup), c.kubernetesAddresses(c.backup)
	for _, m := range c.formerMasters(leases) {
		f := Finding{
			Reason:   fmt.Sprintf("the backup's master lease says that an API server is at %s, an address that no API server and no node has in the current state", m.Address),
			Evidence: []finding.Ref{c.backup.ref(m.record)},
		}
		if r, ok := served[m.Address]; ok {
			f.Evidence = append(f.Evidence, c.backup.ref(r))
		}
		if m.TTL > 0 {
			f.Severity = finding.Warning
			f.Reason += fmt.Sprintf("; etcd deletes it %s after it has started", m.TTL)
			f.Inferred = "Until then API servers list the address among the endpoints of the Service kubernetes, and some of its connections fail. A restore that copies keys one by one loses etcd's leases: then nothing deletes it."
		} else {
			f.Reason += "; no lease of etcd's deletes it"
		}
		if m.Doubt != "" {
			f.Certainty = finding.Possible
			f.Reason += " (" + m.Doubt + ")"
		}
		c.add(MasterFormer, kube.Key{Resource: masterLease.Resource, Name: m.Address}, f)
	}
	if len(leases) == 0 {
		c.unreconciled(served)
	}
}

// unreconciled reports former addresses behind the Service kubernetes that no master
// lease names: which reconciler the API servers run with is not known then.
func (c *comparison) unreconciled(served map[string]snapshot.Record) {
	if len(served) == 0 || len(c.masterLeases(c.current)) > 0 {
		return // each API server writes what the leases say as soon as it starts
	}
	now := c.present()
	var former names
	var where refs
	for _, address := range slices.Sorted(maps.Keys(served)) {
		if !now.addresses[address] {
			former.add(address)
			where.add(c.backup.ref(served[address]))
		}
	}
	if former.count == 0 {
		return
	}
	c.add(MasterFormer, kubernetesService, Finding{
		Severity: finding.Warning, Certainty: finding.Possible,
		Reason:   fmt.Sprintf("the backup has API servers at %s, where the current state has none and no node, and neither snapshot has a master lease", &former),
		Inferred: "API servers that reconcile by leases write their own addresses as soon as they start; with --endpoint-reconciler-type none or master-count the former ones stay.",
		Action:   "Look at the endpoints of default/kubernetes once the API servers run, and remove what is not theirs.",
		Evidence: where,
	})
}
