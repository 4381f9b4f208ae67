package restore

import (
	"cmp"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/decoder/kube"
)

// APIServer is an API server that a snapshot shows to be running.
type APIServer struct {
	// Name is its machine's, else what its lease is called, else its address.
	Name string
	// Aliases are its other names, such as its addresses.
	Aliases []string
	// Key and Revision are those of the record that names it.
	Key      string
	Revision int64
}

// is says whether the API server is called name.
func (s *APIServer) is(name string) bool { return s.Name == name || slices.Contains(s.Aliases, name) }

const (
	// identityLabel marks the Leases in kube-system by which API servers make their
	// identities known to each other: each renews its own every 10 s, and one that is
	// not renewed is deleted after an hour (kubernetes v1.37
	// pkg/controlplane/apiserver/server.go, apiserverleasegc/gc_controller.go).
	identityLabel = "apiserver.kubernetes.io/identity"
	peerAddress   = "kubernetes.io/peer-advertise-address"

	// stopsRenewing is how much older than the newest renewal that of an API server
	// that is still there may be.
	stopsRenewing = 2 * time.Minute
)

// apiServers finds the API servers that were there when the snapshot was taken: by their
// identities, and where there are none by their master leases, which etcd deletes 15 s
// after the last renewal.
func (l *loader) apiServers() error {
	if err := l.identities(); err != nil {
		return err
	}
	if len(l.state.APIServers) == 0 {
		l.masterLeases()
	}
	slices.SortFunc(l.state.APIServers, func(a, b APIServer) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Key, b.Key))
	})
	return l.ctx.Err()
}

func (l *loader) identities() error {
	type identity struct {
		server  APIServer
		renewed time.Time
	}
	var list []identity
	var newest time.Time
	machines := map[string]int{}
	for r := range l.s.Keys(kube.Key{Resource: "leases", Group: coordinationv1.GroupName, Namespace: metav1.NamespaceSystem}.Path(l.prefix)) {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		value, err := l.s.Value(r)
		if err != nil {
			continue
		}
		obj, _ := kube.Decode(kube.Key{}, value).Newest()
		lease, ok := obj.(*coordinationv1.Lease)
		if !ok || lease.Labels[identityLabel] != "kube-apiserver" || lease.Spec.RenewTime == nil {
			continue
		}
		id := identity{APIServer{Name: lease.Labels[corev1.LabelHostname], Aliases: []string{lease.Name}, Key: r.Key, Revision: r.Main}, lease.Spec.RenewTime.UTC()}
		if address := lease.Annotations[peerAddress]; address != "" {
			id.server.Aliases = append(id.server.Aliases, address)
		}
		if id.renewed.After(newest) {
			newest = id.renewed
		}
		list = append(list, id)
	}
	list = slices.DeleteFunc(list, func(id identity) bool { return id.renewed.Before(newest.Add(-stopsRenewing)) })
	for _, id := range list {
		machines[id.server.Name]++
	}
	for _, id := range list {
		if machines[id.server.Name] > 1 || id.server.Name == "" {
			id.server.Name = id.server.Aliases[0]
		}
		l.state.APIServers = append(l.state.APIServers, id.server)
	}
	return nil
}

func (l *loader) masterLeases() {
	under := kube.Key{Resource: "masterleases"}.Path(l.prefix)
	for r := range l.s.Keys(under) {
		name := strings.TrimPrefix(r.Key, under)
		l.state.APIServers = append(l.state.APIServers, APIServer{Name: name, Key: r.Key, Revision: r.Main})
	}
}
