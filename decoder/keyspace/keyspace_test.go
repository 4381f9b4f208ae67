package keyspace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// object is an object as JSON, which an API server stores, too.
func object(apiVersion, kind, namespace, name string) string {
	return fmt.Sprintf(`{"kind":%q,"apiVersion":%q,"metadata":{"name":%q,"namespace":%q,"uid":"u"}}`, kind, apiVersion, name, namespace)
}

// envelope is a protobuf value of which only the envelope counts.
func envelope(apiVersion, kind string) string {
	field := func(n byte, s string) string { return string([]byte{n<<3 | 2, byte(len(s))}) + s }
	return "k8s\x00" + field(1, field(1, apiVersion)+field(2, kind)) + field(2, "")
}

func TestFind(t *testing.T) {
	put := snapshottest.Put
	pod, namespace := envelope("v1", "Pod"), envelope("v1", "Namespace")
	var many []snapshottest.Change
	for i := range 100 {
		many = append(many, put(fmt.Sprintf("/registry/namespaces/%02d", i), namespace))
	}
	tests := []struct {
		name    string
		changes []snapshottest.Change
		want    keyspace.Choice
	}{
		{"nothing", nil, keyspace.Choice{}},
		{"the default", []snapshottest.Change{put("/registry/namespaces/a", namespace), put("/registry/pods/a/b", pod)}, keyspace.Choice{Prefix: "/registry"}},
		{"values that tell nothing", []snapshottest.Change{put("/registry/namespaces/a", "?")}, keyspace.Choice{Prefix: "/registry"}},
		{"OpenShift", []snapshottest.Change{
			put("/kubernetes.io/namespaces/a", namespace), put("/openshift.io/routes/a/b", object("route.openshift.io/v1", "Route", "a", "b")),
		}, keyspace.Choice{Prefix: "/kubernetes.io,/openshift.io"}},
		{"OpenShift's own alone", []snapshottest.Change{put("/openshift.io/routes/a/b", "?")}, keyspace.Choice{Prefix: "/openshift.io"}},
		{"a prefix of one's own", []snapshottest.Change{put("/k8s/namespaces/a", namespace), put("/k8s/pods/a/b", pod)}, keyspace.Choice{Prefix: "/k8s"}},
		{"a prefix of several parts", []snapshottest.Change{put("/k8s/prod/eu/minions/a", envelope("v1", "Node"))}, keyspace.Choice{Prefix: "/k8s/prod/eu"}},
		{"the root", []snapshottest.Change{put("/namespaces/a", namespace), put("/pods/a/b", pod)}, keyspace.Choice{Prefix: "/"}},
		{"a namesake of a built-in kind", []snapshottest.Change{put("/foo/pods/a/b", envelope("acme.io/v1", "Pod"))}, keyspace.Choice{}},
		{"a prefix that looks like a resource", []snapshottest.Change{put("/pods/namespaces/a", namespace)}, keyspace.Choice{Prefix: "/pods"}},
		{"encrypted Secrets alone", []snapshottest.Change{put("/k8s/secrets/a/b", "k8s:enc:aescbc:v1:key1:xxxx")}, keyspace.Choice{Prefix: "/k8s"}},
		{"a custom resource alone", []snapshottest.Change{put("/k8s/acme.io/things/a", object("acme.io/v1", "Thing", "", "a"))}, keyspace.Choice{Prefix: "/k8s"}},
		{"custom resources come first", []snapshottest.Change{
			put("/k8s/acme.io/things/a", object("acme.io/v1", "Thing", "", "a")), put("/k8s/namespaces/a", namespace),
		}, keyspace.Choice{Prefix: "/k8s"}},
		{"an aggregated API server's etcd", []snapshottest.Change{
			put("/registry/wardle.example.com/flunders/a/b", object("wardle.example.com/v1", "Flunder", "a", "b")),
		}, keyspace.Choice{Prefix: "/registry"}},
		{"an aggregated API server with its group in its prefix", []snapshottest.Change{
			put("/registry/namespaces/a", namespace),
			put("/registry/wardle.example.com/wardle.example.com/flunders/a/b", object("wardle.example.com/v1", "Flunder", "a", "b")),
		}, keyspace.Choice{Prefix: "/registry,/registry/wardle.example.com"}},
		{"and after many objects of the first", append(many, put("/registry/wardle.example.com/wardle.example.com/flunders/a/b", object("wardle.example.com/v1", "Flunder", "a", "b"))),
			keyspace.Choice{Prefix: "/registry,/registry/wardle.example.com"}},
		{"a compaction mark is no prefix", []snapshottest.Change{put("compact_rev_key", "12"), put("/kubernetes.io/namespaces/a", namespace)}, keyspace.Choice{Prefix: "/kubernetes.io"}},
		{"Calico's resources are no API server's", []snapshottest.Change{
			put("/calico/resources/v3/projectcalico.org/ippools/default", object("projectcalico.org/v3", "IPPool", "", "default")),
		}, keyspace.Choice{}},
		{"JSON that is no object", []snapshottest.Change{put("/apisix/routes/1", `{"kind":"x"}`), put("/foo/pods/a/b", `{"kind":"Deployment","apiVersion":"apps/v1"}`),
			put("/bar/acme.io/things/a", `{"apiVersion":"acme.io/v1"}`), put("/bar/acme.io/things/b", object("example.com/v1", "Thing", "", "b"))}, keyspace.Choice{}},
		{"a remnant at the default", []snapshottest.Change{put("/registry/health", "true"), put("/k8s/namespaces/a", namespace)},
			keyspace.Choice{Prefix: "/k8s", Others: []string{"/registry"}}},
		{"two, one of them the default", []snapshottest.Change{put("/k8s/namespaces/a", namespace), put("/registry/namespaces/a", namespace)},
			keyspace.Choice{Prefix: "/registry", Others: []string{"/k8s"}}},
		{"two, and neither is the default", []snapshottest.Change{put("/a/namespaces/a", namespace), put("/b/namespaces/a", namespace)},
			keyspace.Choice{Prefix: "/a", Others: []string{"/b"}, Ambiguous: true}},
		{"OpenShift beside the default", []snapshottest.Change{
			put("/kubernetes.io/namespaces/a", namespace), put("/openshift.io/routes/a/b", "?"), put("/registry/namespaces/a", namespace),
		}, keyspace.Choice{Prefix: "/registry", Others: []string{"/kubernetes.io,/openshift.io"}}},
		{"a comma cannot be in a prefix", []snapshottest.Change{put("/a,b/namespaces/a", namespace)}, keyspace.Choice{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := keyspace.Find(t.Context(), snapshottest.Store(t, tt.changes...))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, keyspace.Choose(found), cmpopts.IgnoreFields(keyspace.Choice{}, "Found")); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestBounds holds how many values that tell nothing are read before one that does.
func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		name, others string // others are the keys before it
		most         int
	}{
		{"below one first part", "/k8s/%04d", 64},
		{"in all", "/%04d/x", 1 << 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for others, want := range map[int]string{tt.most - 1: "/k8s", tt.most: ""} {
				changes := []snapshottest.Change{snapshottest.Put("/k8s/namespaces/a", envelope("v1", "Namespace"))}
				for i := range others {
					changes = append(changes, snapshottest.Put(fmt.Sprintf(tt.others, i), "?"))
				}
				found, err := keyspace.Find(t.Context(), snapshottest.Store(t, changes...))
				if err != nil {
					t.Fatal(err)
				}
				if got := keyspace.Choose(found).Prefix; got != want {
					t.Errorf("after %d others: prefix %q", others, got)
				}
			}
		})
	}
}

// TestKeysWithoutSlash are no API server's, and do not count among those that are read.
func TestKeysWithoutSlash(t *testing.T) {
	changes := []snapshottest.Change{snapshottest.Put("/k8s/namespaces/a", envelope("v1", "Namespace"))}
	for i := range 1 << 12 {
		changes = append(changes, snapshottest.Put(fmt.Sprintf("!%04d/x", i), "?"))
	}
	found, err := keyspace.Find(t.Context(), snapshottest.Store(t, changes...))
	if got := keyspace.Choose(found).Prefix; got != "/k8s" || err != nil {
		t.Errorf("prefix %q, %v", got, err)
	}
}

func TestSurvey(t *testing.T) {
	put := snapshottest.Put
	s := snapshottest.Store(t,
		put("compact_rev_key", "12"),
		put("/kubernetes.io/namespaces/a", envelope("v1", "Namespace")),
		put("/kubernetes.io/pods/a/gone", envelope("v1", "Pod")),
		put("/kubernetes.io/apiextensions.k8s.io/customresourcedefinitions/things.acme.io", "{}"),
		put("/kubernetes.io/acme.io/things/a", "{}"),
		put("/kubernetes.io/packages.example.com/apps/a/b", "{}"),
		put("/kubernetes.io/masterleases/10.0.0.1", "?"),
		put("/openshift.io/routes/a/b", "{}"),
		put("/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26", "{}"),
		put("cilium/state/identities/v1/id/12", "x"),
		put("/bootstrap", ""),
		put("/bootstrap/4489e5a9bd37", "4489e5a9bd37:x"),
		put("rke2/apiaddresses", "[]"),
		put("by-dev/meta/root-coord/x", ""),
		put("tenant-1/meta/root-coord/x/y", ""),
		put("/service/pg-main/leader", "pg-0"),
		put("/service/shop/port", "80"),
		put("/coreos.com/network/subnets/10.1.0.0-24", "{}"),
		put("config", "x"),
		snapshottest.Delete("/kubernetes.io/pods/a/gone"),
	)
	groups, err := survey(t, s, "/kubernetes.io")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range groups {
		got = append(got, fmt.Sprintf("%s %s %d/%d %v %s", g.Prefix, g.Owner, g.Live, g.Keys, g.Read, g.Name))
		if g.Live > 0 && g.Bytes == 0 {
			t.Errorf("%s has no bytes", g.Prefix)
		}
	}
	want := []string{
		"/bootstrap bootstrap 2/2 false bootstrap data of k3s or RKE2",
		"/calico calico 1/1 false Calico's datastore",
		"/coreos.com/network flannel 1/1 false flannel",
		"/kubernetes.io kubernetes 4/5 true Kubernetes",
		"/kubernetes.io/packages.example.com aggregated 1/1 true an aggregated API server: packages.example.com",
		"/openshift.io kubernetes 1/1 false OpenShift's own API servers",
		"/service patroni 1/1 false Patroni",
		"/service unknown 1/1 false an owner that is not known",
		"by-dev milvus 1/1 false Milvus",
		"cilium cilium 1/1 false Cilium's kvstore",
		"compact_rev_key bookkeeping 1/1 false API servers",
		"config unknown 1/1 false an owner that is not known",
		"rke2 rke2 1/1 false RKE2",
		"tenant-1 milvus 1/1 false Milvus",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if note := groups[0].Note; !strings.Contains(note, "4489e5a9bd37") || !strings.Contains(note, "token") {
		t.Errorf("the note is %q", note)
	}
}

// TestSurveyCountsAll holds that every key of real snapshots is in one group.
func TestSurveyCountsAll(t *testing.T) {
	for _, path := range corpus.Snapshots(t, "../../testdata") {
		s := snapshottest.Open(t, path)
		checkTotals(t, s)
	}
}

func checkTotals(t *testing.T, s *snapshot.Snapshot) []keyspace.Group {
	t.Helper()
	groups, err := survey(t, s, kube.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	keys, live := 0, 0
	for range s.AllKeys("") {
		keys++
	}
	for range s.Keys("") {
		live++
	}
	for _, g := range groups {
		keys -= g.Keys
		live -= g.Live
	}
	if keys != 0 || live != 0 {
		t.Errorf("%s: %d keys and %d live ones are in no group", s.Path(), keys, live)
	}
	return groups
}

// TestHostileNames holds that the number of groups, prefixes and names is bounded.
func TestHostileNames(t *testing.T) {
	var changes []snapshottest.Change
	for i := range 3000 {
		changes = append(changes,
			snapshottest.Put(fmt.Sprintf("/a%d/pods/x/y", i), envelope("v1", "Pod")),
			snapshottest.Put(fmt.Sprintf("b%d", i), "x"),
			snapshottest.Put(fmt.Sprintf("c%d/meta/root-coord/x/y", i), "x"),
			snapshottest.Put(fmt.Sprintf("/service/c%d/leader", i), "x"),
			snapshottest.Put(fmt.Sprintf("/registry/g%d.io/things/x", i), "{}"),
			snapshottest.Put(fmt.Sprintf("/registry/t%d.io/t%d.io/things/x", i, i), "{}"),
			snapshottest.Put(fmt.Sprintf("/bootstrap/%012x", i), "x"))
	}
	changes = append(changes, snapshottest.Put("/"+strings.Repeat("x", 1<<16)+"\x1b[31m/y", "x"), snapshottest.Put("/registry/namespaces/a", "?"))
	s := snapshottest.Store(t, changes...)
	groups := checkTotals(t, s)
	if len(groups) > 300 {
		t.Errorf("%d groups", len(groups))
	}
	for _, g := range groups {
		if len(g.Prefix) > 200 || len(g.Note) > 400 {
			t.Errorf("a group has a prefix of %d bytes and a note of %d", len(g.Prefix), len(g.Note))
		}
	}
	if last := groups[len(groups)-1]; last.Owner != keyspace.Others {
		t.Errorf("the last group is of %s", last.Owner)
	}
	found, err := keyspace.Find(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 70 {
		t.Errorf("%d prefixes", len(found))
	}
	if c := keyspace.Choose(found); kube.FirstPrefix(c.Prefix) != "/registry" {
		t.Errorf("%s was chosen", c.Prefix)
	}
	namer, names := keyspace.NewNamer("/registry"), map[string]bool{}
	for key := range s.AllKeys("") {
		names[namer.Name(key)] = true
	}
	if len(names) > 100 {
		t.Errorf("%d names", len(names))
	}
}

func TestNames(t *testing.T) {
	for key, want := range map[string]string{
		"compact_rev_key":                                         "API servers: compactions",
		"compact_rev_key/apiserver-1":                             "API servers: compactions",
		"compact_rev_keys":                                        "keys of compact_rev_keys",
		"/registry/masterleases/10.0.0.1":                         "API servers: master leases",
		"/registry/ranges/serviceips":                             "API servers: ranges",
		"/registry/health":                                        "keys that hold no object",
		"/registry2/pods/a/b":                                     "keys of /registry2",
		"/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26":       "Calico's datastore: IPAM blocks",
		"/calico/ipam/v2/host/n1/ipv4/block/10.0.0.0-26":          "Calico's datastore: block affinities",
		"/calico/ipam/v2/handle/k8s-pod-network.1":                "Calico's datastore: IPAM handles",
		"/calico/resources/v3/projectcalico.org/bgppeers/x":       "Calico's datastore: BGP peers",
		"/calico/resources/v3/projectcalico.org/hostendpoints/x":  "Calico's datastore: host endpoints",
		"/calico/resources/v3/projectcalico.org/\x1b[31mmadeup/x": "Calico's datastore: other resources",
		"/calico/new":                          "Calico's datastore",
		"cilium/state/identities/v1/id/1":      "Cilium's kvstore: identities",
		"cilium/.heartbeat":                    "Cilium's kvstore: heartbeat",
		"/bootstrap":                           "bootstrap data of k3s or RKE2",
		"/bootstrap/4489e5a9bd37":              "bootstrap data of k3s or RKE2",
		"/bootstraps":                          "keys of /bootstraps",
		"rke2/apiaddresses":                    "RKE2: addresses of its API servers",
		"k3s/etcd/learnerProgress":             "k3s: progress of a member that joins",
		"/coreos.com/network/subnets/10.1.0.0": "flannel: subnets of nodes",
		"/apisix/routes/1":                     "APISIX",
		"vault/core/lock":                      "Vault",
		"foo/bar":                              "keys of foo",
		"/":                                    "keys of /",
		"//":                                   "keys of /",
		"":                                     "other keys",
	} {
		if got := keyspace.NewNamer("/registry").Name(key); got != want {
			t.Errorf("%q is %q, want %q", key, got, want)
		}
	}
}

// TestSecrets holds that what may be a secret is taken for one.
func TestSecrets(t *testing.T) {
	const prefix = "/registry"
	for key, secret := range map[string]bool{
		"/registry/secrets/a/b":                             true,
		"/registry/configmaps/a/b":                          false,
		"/registry/health":                                  true,
		"/registry/ranges/serviceips":                       false,
		"/app/password":                                     true,
		"password":                                          true,
		"/kubernetes.io/secrets/a/b":                        true,
		"/bootstrap/4489e5a9bd37":                           true,
		"vault/core/master":                                 true,
		"/apisix/consumers/a":                               true,
		"/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26": false,
		"cilium/state/ip/v1/default/10.0.0.1":               false,
		"compact_rev_key":                                   false,
	} {
		o := kube.Decode(keyspace.DecodeKey(prefix, key), []byte(`{"a":"b"}`))
		if o.Secret() != secret {
			t.Errorf("%s is secret: %v", key, o.Secret())
		}
	}
}

func TestTokenHash(t *testing.T) {
	for key, want := range map[string]string{
		"/bootstrap/4489e5a9bd37": "4489e5a9bd37", "/bootstrap": "", "/bootstrap/": "", "/bootstrap/4489E5a9bd37": "", "/bootstrap/4489e5a9bd3": "",
		"/registry/4489e5a9bd37": "", "4489e5a9bd37": "",
	} {
		if got, ok := keyspace.TokenHash(key); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v", key, got, ok)
		}
	}
}

// FuzzPrefix feeds keys and values that may be anybody's.
func FuzzPrefix(f *testing.F) {
	f.Add("/k8s/pods/a/b", []byte(envelope("v1", "Pod")))
	f.Add("/registry/g.io/g.io/things/a/b", []byte(`{"apiVersion":"g.io/v1","kind":"Thing"}`))
	f.Add("/x/secrets/a/b", []byte("k8s:enc:aescbc:v1:k:"))
	f.Add("//", []byte("\xd9\xd9\xf7"))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		if key == "" || len(key) > 1<<10 || len(value) > 1<<12 {
			t.Skip()
		}
		root, ok := keyspace.PrefixFor(key, value)
		if !ok {
			return
		}
		if k, ok := kube.ParseKey(root, key); !ok || k.Path(root) != key {
			t.Errorf("%q is no prefix of %q", root, key)
		}
	})
}

// survey groups the keys of s, whose prefixes it finds.
func survey(t *testing.T, s *snapshot.Snapshot, prefix string) ([]keyspace.Group, error) {
	t.Helper()
	found, err := keyspace.Find(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return keyspace.Survey(t.Context(), s, prefix, found)
}
