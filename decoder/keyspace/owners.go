// Package keyspace determines the owners of the keys of an etcd: API servers, each
// below its prefix, or others that store keys in the same etcd.
//
// It takes a snapshot, or one key. It returns the prefixes of API servers, found by
// what is stored below them, and groups of keys with their owners: by name if the
// owner is known, otherwise by the first part of the key. It refuses nothing. The
// number of groups is bounded: groups beyond the bound are counted as one, Others.
package keyspace

import (
	"slices"
	"strings"
	"sync"

	"revenant/decoder/kube"
)

// Owner is who keeps keys. The values are stable names.
type Owner string

// The owners that more than their name is known of.
const (
	Kubernetes  Owner = "kubernetes"  // an API server of Kubernetes or OpenShift, below its prefix
	Aggregated  Owner = "aggregated"  // an aggregated API server
	Bookkeeping Owner = "bookkeeping" // API servers, outside of every prefix
	Bootstrap   Owner = "bootstrap"   // k3s or RKE2: the certificates and keys of its servers
	Calico      Owner = "calico"
	Cilium      Owner = "cilium"
	Flannel     Owner = "flannel"
	Unknown     Owner = "unknown" // by the first part of their keys
	Others      Owner = "others"  // of more owners than are told apart
)

// known is an owner whose keys are recognised by name.
type known struct {
	owner Owner
	name  string
	root  string // what its keys begin with; without a slash at the end it may be a key itself
	// words say what a key holds, of what follows the root; "" is not known. There are
	// only so many different ones.
	words func(rest string) string
}

// owners lists them. Of roots that begin alike the longer one comes first.
var owners = []known{
	{Bookkeeping, "API servers", "compact_rev_key", func(string) string { return CompactionMarks }},
	{Calico, "Calico's datastore", "/calico/", calico},
	{Cilium, "Cilium's kvstore", "cilium/", cilium},
	{Flannel, "flannel", "/coreos.com/network/", flannel},
	{Bootstrap, "bootstrap data of k3s or RKE2", "/bootstrap", nil},
	{"k3s", "k3s", "k3s/", rancher},
	{"rke2", "RKE2", "rke2/", rancher},
	{"apisix", "APISIX", "/apisix/", nil},
	{"milvus", "Milvus", "by-dev/", nil},
	{"vault", "Vault", "/vault/", nil},
	{"vault", "Vault", "vault/", nil},
	{"coredns", "CoreDNS or SkyDNS", "/skydns/", nil},
	{"rook", "Rook", "/rook/", nil},
	{"traefik", "Traefik", "traefik/", nil},
	{"traefik", "Traefik", "/traefik/", nil},
	{"portworx", "Portworx", "pwx/", nil},
	{"trident", "Trident", "/trident/", nil},
	{"contiv", "Contiv", "/contiv.io/", nil},
	{"vitess", "Vitess", "/vitess/", nil},
	{"tidb", "TiDB", "/pd/", nil},
	{"tidb", "TiDB", "/tidb/", nil},
	{"tidb", "TiDB", "/topology/tidb/", nil},
}

// patroni and milvus are recognised by what follows a name that is anybody's.
var (
	patroni = known{"patroni", "Patroni", "/service/", nil}
	milvus  = known{"milvus", "Milvus", "", nil}
)

// patroniKeys are what Patroni keeps of a cluster (patroni/dcs/__init__.py).
var patroniKeys = []string{"config", "failover", "failsafe", "history", "initialize", "leader", "members", "optime", "status", "sync"}

// ownerOf finds the owner of a key by its name, nil for none.
func ownerOf(key string) *known {
	for i := range owners {
		o := &owners[i]
		if rest, ok := strings.CutPrefix(key, o.root); ok && (strings.HasSuffix(o.root, "/") || rest == "" || rest[0] == '/') {
			return o
		}
	}
	parts := strings.SplitN(strings.TrimPrefix(key, "/"), "/", 4)
	switch {
	case len(parts) >= 3 && strings.HasPrefix(key, patroni.root) && slices.Contains(patroniKeys, parts[2]):
		return &patroni
	case len(parts) == 4 && parts[1] == "meta" && (parts[2] == "root-coord" || parts[2] == "session" || strings.HasPrefix(parts[2], "datacoord") || strings.HasPrefix(parts[2], "querycoord")):
		return &milvus
	}
	return nil
}

// Sort is what keys are that hold no API object: whose, and what they hold.
type Sort struct {
	Owner Owner
	Of    string // the owner in words
	What  string // they hold, in words; "" where nothing shows it
}

func (s Sort) String() string {
	if s.What == "" {
		return s.Of
	}
	return s.Of + ": " + s.What
}

// rule is what keys hold that begin so.
type rule struct{ begin, what string }

func firstOf(rules []rule, rest string) string {
	for _, r := range rules {
		if strings.HasPrefix(rest, r.begin) {
			return r.what
		}
	}
	return ""
}

// What goes back in time is judged by these.
const (
	IPAMBlocks      = "IPAM blocks"
	BlockAffinities = "block affinities"
	IPAMHandles     = "IPAM handles"
	Subnets         = "subnets of nodes"
	Identities      = "identities"

	CompactionMarks = "compactions"
	MasterLeases    = "master leases"
	PeerLeases      = "peer leases"
	Ranges          = "ranges"
)

// calico tells the keys of Calico's own datastore apart (calico
// libcalico-go/lib/backend/model).
func calico(rest string) string {
	if rest, ok := strings.CutPrefix(rest, "resources/v3/projectcalico.org/"); ok {
		plural, _, _ := strings.Cut(rest, "/")
		if name, ok := calicoResources[plural]; ok {
			return name
		}
		return "other resources"
	}
	return firstOf(calicoKeys, rest)
}

var calicoKeys = []rule{
	{"ipam/v2/assignment/", IPAMBlocks},
	{"ipam/v2/host/", BlockAffinities},
	{"ipam/v2/handle/", IPAMHandles},
	{"ipam/v2/config", "IPAM configuration"},
	{"ipam/", "IPAM"},
	{"bgp/", "BGP configuration"},
	{"felix/", "Felix's status"},
	{"v1/host/", "hosts and endpoints"},
	{"v1/ipam/", "IP pools"},
	{"v1/policy/", "policies"},
	{"v1/", "configuration"},
	{"openstack/", "OpenStack"},
	{"dhcp/", "OpenStack"},
}

var calicoResources = map[string]string{
	"bgpconfigurations":               "BGP configurations",
	"bgpfilters":                      "BGP filters",
	"bgppeers":                        "BGP peers",
	"caliconodestatuses":              "node statuses",
	"clusterinformations":             "cluster information",
	"felixconfigurations":             "Felix configurations",
	"globalnetworkpolicies":           "global network policies",
	"globalnetworksets":               "global network sets",
	"hostendpoints":                   "host endpoints",
	"ipamconfigurations":              "IPAM configuration",
	"ippools":                         "IP pools",
	"ipreservations":                  "IP reservations",
	"kubecontrollersconfigurations":   "configuration of its controllers",
	"networkpolicies":                 "network policies",
	"networksets":                     "network sets",
	"nodes":                           "nodes",
	"profiles":                        "profiles",
	"stagedglobalnetworkpolicies":     "staged policies",
	"stagedkubernetesnetworkpolicies": "staged policies",
	"stagednetworkpolicies":           "staged policies",
	"tiers":                           "tiers",
	"workloadendpoints":               "workload endpoints",
}

// cilium tells the keys of Cilium's kvstore apart (cilium
// Documentation/kvstore.rst, pkg/kvstore).
func cilium(rest string) string { return firstOf(ciliumKeys, rest) }

var ciliumKeys = []rule{
	{"state/identities/", Identities},
	{"state/ip/", "IP addresses"},
	{"state/nodes/", "nodes"},
	{"state/noderegister/", "nodes"},
	{"state/services/", "services"},
	{"state/serviceexports/", "services"},
	{"state/", "state"},
	{"cache/", "state of other clusters"},
	{"locks/", "locks"},
	{".heartbeat", "heartbeat"},
	{"cluster-config/", "configuration of clusters"},
	{".has-cluster-config", "configuration of clusters"},
	{"synced/", "marks of what is synced"},
	{"config/", "configuration"},
}

// flannel tells flannel's keys apart (flannel pkg/subnet/etcd).
func flannel(rest string) string {
	return firstOf([]rule{{"subnets/", Subnets}, {"config", "configuration"}}, rest)
}

// rancher tells the keys of k3s and RKE2 apart (k3s v1.32 pkg/etcd/etcd.go).
func rancher(rest string) string {
	return firstOf([]rule{{"apiaddresses", "addresses of its API servers"}, {"etcd/learnerProgress", "progress of a member that joins"}}, rest)
}

// bookkeepingOf says what a key below the prefix of an API server is that holds no
// object.
func bookkeepingOf(below string) Sort {
	first, _, _ := strings.Cut(below, "/")
	what := map[string]string{"masterleases": MasterLeases, "peerserverleases": PeerLeases, "ranges": Ranges}[first]
	if what == "" {
		return Sort{Kubernetes, "keys that hold no object", ""}
	}
	return Sort{Bookkeeping, "API servers", what}
}

// mostUnknown is how many first parts of keys without a known owner are told apart,
// and longestUnknown how long one may be, in bytes.
const (
	mostUnknown    = 64
	longestUnknown = 64
)

// OtherKeys names what is not told apart.
const OtherKeys = "other keys"

// Namer names keys that hold no API object by who keeps them and what they hold,
// in words. There are only so many different names, however many keys there are: the
// first ones that it is asked for. It is safe for concurrent use.
type Namer struct {
	prefix string
	mu     sync.Mutex
	parts  map[string]Sort // by the first part of the keys
}

// NewNamer names keys of an etcd whose API servers keep theirs below prefix.
func NewNamer(prefix string) *Namer { return &Namer{prefix: prefix, parts: map[string]Sort{}} }

// Key is what a key names: an object, or else, ok being false, the key itself as the
// Name of a Resource that says in words whose it is and what it holds.
func (n *Namer) Key(key string) (k kube.Key, ok bool) {
	if k, ok := kube.ParseKey(n.prefix, key); ok {
		return k, true
	}
	return kube.Key{Resource: n.Name(key), Name: key}, false
}

// Name is Sort in words.
func (n *Namer) Name(key string) string { return n.Sort(key).String() }

// Sort says what a key is that holds no API object.
func (n *Namer) Sort(key string) Sort {
	if below, ok := kube.CutPrefix(n.prefix, key); ok {
		return bookkeepingOf(below)
	}
	if o := ownerOf(key); o != nil {
		s := Sort{o.owner, o.name, ""}
		if o.words != nil {
			s.What = o.words(strings.TrimPrefix(key, o.root))
		}
		return s
	}
	part := firstPart(key)
	n.mu.Lock()
	defer n.mu.Unlock()
	s, ok := n.parts[part]
	if ok {
		return s
	}
	if len(n.parts) >= mostUnknown || len(part) > longestUnknown || part == "" {
		return Sort{Others, OtherKeys, ""}
	}
	s = Sort{Unknown, "keys of " + part, ""}
	n.parts[part] = s
	return s
}

// plain are the owners whose values are known to hold no secrets.
var plain = []Owner{Bookkeeping, Calico, Cilium, Flannel, "k3s", "rke2"}

// DecodeKey is what a value is decoded with that is stored under key: what the key
// names. Where it holds no API object, and nothing shows that its value is no secret,
// there is no Resource, so that package kube takes it for one.
func DecodeKey(prefix, key string) kube.Key {
	if k, ok := kube.ParseKey(prefix, key); ok {
		return k
	}
	k := kube.Key{Name: key}
	if s := NewNamer(prefix).Sort(key); slices.Contains(plain, s.Owner) {
		k.Resource = s.String()
	}
	return k
}

// firstPart is what a key begins with, up to its first slash but for one at the
// beginning.
func firstPart(key string) string {
	at := 0
	if strings.HasPrefix(key, "/") {
		at = 1
	}
	if end := strings.IndexByte(key[at:], '/'); end >= 0 {
		return key[:at+end]
	}
	return key
}
