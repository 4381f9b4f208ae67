package runbook

import (
	"context"
	"fmt"
	"strings"

	"revenant/analyzer/atrest"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Facts are what a runbook needs of a snapshot beyond its State.
type Facts struct {
	Members     []snapshot.Member
	Stale       bool   // names and URLs of the members may be older than the snapshot
	EtcdVersion string // of the cluster, such as 3.6; "" when the file does not show it
	Alarms      []snapshot.Alarm
	BumpMarkers []int64 // where earlier restores with a bump left their record
	// NoTrailer says that the file has no SHA-256 after it, so that etcdutl takes
	// it only with --skip-hash-check.
	NoTrailer bool
	// Packed says what the db was found in when the file is no snapshot itself, such
	// as "gzip": restores take none of that.
	Packed string
	// Logged says that a write-ahead log was applied to the db: the file alone is not the
	// state.
	Logged     bool
	Namespaces []string
	// MasterLeases are the keys under which API servers record their addresses.
	MasterLeases []string
	// Topology is OpenShift's controlPlaneTopology, "" where nothing shows it.
	Topology   string
	Suggestion *Suggestion // nil when nothing points to one platform alone
	// Encryption is by what its values are encrypted at rest.
	Encryption []atrest.Values
	// Tokens are what the key of k3s' or RKE2's bootstrap data says of the token that
	// they are encrypted with, as package keyspace takes it.
	Tokens []string
}

// Suggestion is a platform that objects of the snapshot point to.
type Suggestion struct {
	Platform Platform `json:"platform"`
	Because  string   `json:"because"`
}

// Look reads the facts off a snapshot whose API server keeps its keys below
// prefix. The error is ctx's.
func Look(ctx context.Context, s *snapshot.Snapshot, prefix string) (Facts, error) {
	meta := s.Meta()
	f := Facts{
		Members:     meta.Members,
		Stale:       meta.Stale,
		EtcdVersion: minor(meta.StorageVersion),
		Alarms:      s.Alarms(),
		BumpMarkers: s.BumpMarkers(),
		Packed:      s.Container(),
		Logged:      s.WAL() != nil,
		NoTrailer:   !s.HasTrailer(),
	}
	if f.Logged && f.Packed == "" {
		f.Packed = "a db whose log is beside it"
	}
	if f.EtcdVersion == "" {
		f.EtcdVersion = minor(meta.ClusterVersion)
	}
	var marks marks
	under := kube.Key{Resource: "namespaces"}.Path(prefix)
	for r := range s.Keys(under) {
		if err := ctx.Err(); err != nil {
			return Facts{}, err
		}
		name := strings.TrimPrefix(r.Key, under)
		f.Namespaces = append(f.Namespaces, name)
		marks.namespace(name)
	}
	for r := range s.Keys(kube.Key{Resource: "nodes"}.Path(prefix)) {
		if err := ctx.Err(); err != nil {
			return Facts{}, err
		}
		if value, err := s.Value(r); err == nil {
			if n, err := kube.ScanNode(value); err == nil {
				marks.node(&n)
			}
		}
	}
	for r := range s.Keys(kube.Key{Resource: "masterleases"}.Path(prefix)) {
		if err := ctx.Err(); err != nil {
			return Facts{}, err
		}
		f.MasterLeases = append(f.MasterLeases, r.Key)
	}
	config := kube.Key{Resource: "configmaps", Namespace: "kube-system", Name: "kubeadm-config"}
	if _, err := s.Get(config.Path(prefix), 0); err == nil {
		marks.kubeadm = true
	}
	for _, p := range []Platform{K3s, RKE2} {
		for range s.Keys(string(p) + "/") {
			marks.add(p, fmt.Sprintf("there are keys %s/…", p))
			break
		}
	}
	for _, name := range []string{"plans.autopilot.k0sproject.io", "etcdmembers.etcd.k0sproject.io"} {
		crd := kube.Key{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions", Name: name}
		if _, err := s.Get(crd.Path(prefix), 0); err == nil {
			marks.add(K0s, "there is a CustomResourceDefinition "+name)
		}
	}
	for r := range s.Keys("/bootstrap/") {
		if hash, ok := keyspace.TokenHash(r.Key); ok && len(f.Tokens) < mostTokens {
			f.Tokens = append(f.Tokens, hash)
		}
	}
	f.Topology = topology(s, prefix)
	f.Suggestion = marks.suggest()
	var err error
	f.Encryption, err = atrest.Encrypted(ctx, s, prefix)
	return f, err
}

// mostTokens is how many tokens are named; a cluster has one.
const mostTokens = 4

// minor is the first two numbers of a version, "" unless it starts with two.
func minor(version string) string {
	var major, minor int
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n < 2 || major < 0 || minor < 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", major, minor)
}

// marks collects what points to a platform.
type marks struct {
	found   []Suggestion // one a platform
	kubeadm bool         // other platforms use kubeadm too: it counts when nothing else does
}

func (m *marks) add(p Platform, because string) {
	for _, s := range m.found {
		if s.Platform == p {
			return
		}
	}
	m.found = append(m.found, Suggestion{p, because})
}

func (m *marks) namespace(name string) {
	if name == "openshift-etcd" {
		m.add(OpenShift, "there is a namespace openshift-etcd")
	}
}

// node looks for the labels and provider ids that platforms set.
func (m *marks) node(n *kube.Node) {
	for key := range n.Labels {
		switch {
		case key == "kops.k8s.io/instancegroup":
			m.add(Kops, "nodes have the label kops.k8s.io/instancegroup")
		case key == "worker.gardener.cloud/pool":
			m.add(Gardener, "nodes have the label worker.gardener.cloud/pool")
		case key == "vcluster.loft.sh/fake-node":
			m.add(VCluster, "nodes have the label vcluster.loft.sh/fake-node")
		case key == "node.k0sproject.io/role":
			m.add(K0s, "nodes have the label node.k0sproject.io/role")
		case strings.HasPrefix(key, "extensions.talos.dev/"):
			m.add(Talos, "nodes have labels extensions.talos.dev/…")
		}
	}
	if strings.Contains(n.KubeletVersion, "+k0s") { // k0s embedded-bins/kubernetes/Dockerfile
		m.add(K0s, "kubelets are of k0s")
	}
	for _, p := range []Platform{K3s, RKE2} {
		if strings.HasPrefix(n.ProviderID, string(p)+"://") || n.Labels["node.kubernetes.io/instance-type"] == string(p) {
			m.add(p, fmt.Sprintf("nodes have the provider or instance type %s", p))
		}
	}
}

// suggest is the one platform that the marks point to, nil for none or several.
func (m *marks) suggest() *Suggestion {
	if len(m.found) == 0 && m.kubeadm {
		return &Suggestion{Kubeadm, "there is a ConfigMap kubeadm-config"}
	}
	if len(m.found) != 1 {
		return nil
	}
	return &m.found[0]
}
