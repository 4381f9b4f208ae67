package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/golden"
)

// stores are what etcds hold: a key a line, and of some what is stored under it.
var stores = []struct{ name, prefix, keys string }{
	{"a cluster of kubeadm", "/registry", `
		/registry/namespaces/default v1 Namespace
		/registry/minions/node-1 v1 Node
		/registry/pods/default/web v1 Pod
		/registry/pods/default/gone v1 Pod deleted
		/registry/services/specs/default/web v1 Service
		/registry/apiextensions.k8s.io/customresourcedefinitions/things.acme.io
		/registry/apiextensions.k8s.io/customresourcedefinitions/odd
		/registry/apiregistration.k8s.io/apiservices/v1.acme.io
		/registry/acme.io/things/default/a
		/registry/masterleases/10.0.0.1
		/registry/peerserverleases/a
		/registry/ranges/serviceips
		/registry/health
		/registry/registry/things/x
		/registry/example.com/apps/default/a
		/registry/example.com/apps/default/b deleted
		/registrynot/pods/a/b
		compact_rev_key
	`},
	{"OpenShift", "/kubernetes.io", `
		/kubernetes.io/namespaces/a v1 Namespace
		/kubernetes.io/pods/a/b v1 Pod
		/openshift.io/routes/a/b
		/openshift.io/oauth.openshift.io/x/y
	`},
	{"OpenShift's own API servers elsewhere", "/a/kubernetes.io", `
		/a/kubernetes.io/namespaces/a v1 Namespace
		/b/openshift.io/pods/a/b v1 Pod
	`},
	{"OpenShift's own API servers that are a cluster", "/a/kubernetes.io", `
		/a/kubernetes.io/namespaces/a v1 Namespace
		/a/openshift.io/namespaces/a v1 Namespace
	`},
	{"OpenShift beside what is read", "/registry", `
		/registry/namespaces/a v1 Namespace
		/x/kubernetes.io/namespaces/a v1 Namespace
		/x/openshift.io/namespaces/a v1 Namespace
		/y/kubernetes.io/namespaces/a v1 Namespace
		/y/openshift.io/pods/a/b v1 Pod
	`},
	{"a prefix that is given", "/own", `
		/own/things/a/b
		/own2/things/a/b
	`},
	{"bootstrap data of which nothing shows the token", "/registry", `
		/bootstrap
	`},
	{"OpenShift's own API servers beside", "/a/kubernetes.io", `
		/a/kubernetes.io/namespaces/a v1 Namespace
		/a/openshift.io/pods/a/b v1 Pod
		/a/other/pods/a/b v1 Pod
	`},
	{"an aggregated API server below the prefix", "/registry", `
		/registry/namespaces/a v1 Namespace
		/registry/wardle
		/registry/wardle.example.com/wardle.example.com/flunders/a/b
		/registry/wardle.example.com/other/flunders/a/b
		/registry/a.io/deep/a.io/things/b
		/registry/a.b,c/a.b,c/things/x
		/registry/plain/plain/things/x
	`},
	{"an aggregated API server of a deeper prefix", "/k8s", `
		/k8s/namespaces/a v1 Namespace
		/k8s/x/y/pods/a/b v1 Pod
	`},
	{"the root", "/", `
		/namespaces/a v1 Namespace
		/pods/a/b v1 Pod
		/other
		/x.y/pods/c
		app
	`},
	{"two clusters, neither of them usual", "/a", `
		/a/minions/n v1 Node
		/b/minions/n v1 Node
	`},
	{"two, one of which has no namespaces", "/a", `
		/a/pods/n/p v1 Pod
		/b/minions/n v1 Node
	`},
	{"encrypted", "/k8s", `
		/k8s/secrets/a/b k8s:enc:aescbc:v1:key:xxxx
		/x/acme.io/things/a k8s:enc:aescbc:v1:key:xxxx
	`},
	{"values that do not fit their keys", "/registry", `
		/a/pods/a/b v1 Node
		/b/pods/a/b apps/v1 Pod
		/c/acme.io/things/a example.com/v1 Thing
		/d/acme.io/things/a acme.io/v1
		/e//pods/a/b v1 Pod
		/f/pods v1 Pod
		/g,h/pods/a/b v1 Pod
		pods/a/b v1 Pod
		i/pods/a/b v1 Pod
	`},
	{"values that fit, in JSON and CBOR", "/registry", `
		/a/pods/a/b json v1 Pod
		/b/pods/a/b cbor v1 Pod
		/c/acme.io/things/a json acme.io/v1 Thing
		/d/deployments/a/b apps/v1 Deployment
	`},
	{"a prefix of seven parts, and one of eight", "/1/2/3/4/5/6/7", `
		/1/2/3/4/5/6/7/pods/a/b v1 Pod
		/a/2/3/4/5/6/7/8/pods/a/b v1 Pod
	`},
	{"others", "/registry", `
		compact_rev_key/server-1
		compact_rev_keys
		/calico/ipam/v2/assignment/x
		/calico/resources/v3/projectcalico.org/tiers/x
		/calico/resources/v3/projectcalico.org/unheard/x
		/calico
		cilium/state/identities/v1/id/1
		/cilium/state
		/coreos.com/network/subnets/10.0.0.0-24
		/coreos.com/network/config
		/bootstrap
		/bootstrap/4489e5a9bd37
		/bootstrap/4489e5a9bd37/x
		/bootstrap/0123456789ab
		/bootstrap/ffffffffffff
		/bootstraps/x
		k3s/apiaddresses
		rke2/etcd/learnerProgress
		by-dev/meta/session/x
		tenant/meta/root-coord/x
		tenant-2/meta/session/x
		tenant-3/meta/datacoord-task/x
		tenant-4/meta/querycoord-task/x
		/tenant-5/meta/root-coord/x/y
		tenant-6/meta/root-coord
		tenant-7/meta/kv/x
		tenant-8/data/root-coord/x
		/service/pg/leader
		/service/pg/members/pg-0
		/service/pg/port
		/service/pg
		service/pg/leader
		/other/pg/leader
		/vault/core
		vault/core
		//
		/
		x
		/x
	`},
}

// change reads a line of a store.
func change(line string) (put snapshottest.Change, deleted bool) {
	key, rest, _ := strings.Cut(line, " ")
	rest, deleted = strings.CutSuffix(rest, " deleted")
	if rest == "deleted" {
		rest, deleted = "", true
	}
	words := strings.Fields(rest)
	value := "?"
	switch {
	case len(words) == 0:
	case words[0] == "json":
		value = object(words[1], words[2], "a", "b")
	case words[0] == "cbor":
		text := func(s string) string { return string(rune(0x60+len(s))) + s }
		value = "\xd9\xd9\xf7\xa2" + text("apiVersion") + text(words[1]) + text("kind") + text(words[2])
	case strings.HasPrefix(words[0], "k8s:enc:"):
		value = words[0]
	default:
		value = envelope(words[0], strings.Join(words[1:], " "))
	}
	return snapshottest.Put(key, value), deleted
}

// TestStores compares everything that is said of stores with testdata/stores.txt: which
// prefixes are found and read, what each key is, and in which groups they are.
func TestStores(t *testing.T) {
	var b strings.Builder
	for _, tt := range stores {
		fmt.Fprintf(&b, "%s\n", tt.name)
		var changes, deletions []snapshottest.Change
		for _, line := range strings.Split(strings.TrimSpace(tt.keys), "\n") {
			put, deleted := change(strings.TrimSpace(line))
			if changes = append(changes, put); deleted {
				deletions = append(deletions, snapshottest.Delete(put.Key))
			}
		}
		s := snapshottest.Store(t, append(changes, deletions...)...)
		found, err := keyspace.Find(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			fmt.Fprintf(&b, "  found %s, main %t\n", p.Path, p.Main)
		}
		c := keyspace.Choose(found)
		fmt.Fprintf(&b, "  chosen %q, others %q, ambiguous %t\n", c.Prefix, c.Others, c.Ambiguous)
		with := keyspace.With(tt.prefix, found)
		fmt.Fprintf(&b, "  with %q reads %q, others %q, ambiguous %t\n", tt.prefix, with.Prefix, with.Others, with.Ambiguous)
		namer := keyspace.NewNamer(tt.prefix)
		for key := range s.AllKeys("") {
			k, ok := namer.Key(key)
			if ok {
				fmt.Fprintf(&b, "  key %s: object\n", key)
			} else {
				fmt.Fprintf(&b, "  key %s: %s, owner %s\n", key, k.Resource, namer.Sort(key).Owner)
			}
		}
		groups, err := keyspace.Survey(t.Context(), s, with.Prefix, found)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			fmt.Fprintf(&b, "  group %s: %s, %s, %d of %d keys, %d bytes, read %t %s\n", g.Prefix, g.Owner, g.Name, g.Live, g.Keys, g.Bytes, g.Read, g.Note)
		}
	}
	golden.Equal(t, "testdata/stores.txt", b.String())
}

// TestMost holds how many things are told apart, of each kind, and how long their names may be.
func TestMost(t *testing.T) {
	long := strings.Repeat("x", 63)
	for _, tt := range []struct {
		name, key string // with a number
		first     int    // keys with that many numbers
		groups    int
		names     int
	}{
		{"unknown owners", "k%d/x", 64, 64, 64},
		{"one more", "k%d/x", 65, 65, 65},
		{"two more", "k%d/x", 66, 65, 65},
		{"a name as long as may be", long + "%d", 2, 2, 2},
		{"a name that is longer", long + "x%d", 2, 1, 1},
		{"Milvus", "k%d/meta/session/x", 65, 65, 1},
		{"aggregated API servers", "/registry/g%d.io/things/x", 64, 64, 1},
		{"one more aggregated API server", "/registry/g%d.io/things/x", 65, 65, 1},
		{"two more aggregated API servers", "/registry/g%d.io/things/x", 66, 65, 1},
		{"an aggregated API server of a name as long as may be", "/registry/" + strings.Repeat("x", 60) + ".io%d/things/x", 1, 1, 1},
		{"an aggregated API server of a longer name", "/registry/" + strings.Repeat("x", 61) + ".io%d/things/x", 1, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var changes []snapshottest.Change
			for i := range tt.first {
				changes = append(changes, snapshottest.Put(fmt.Sprintf(tt.key, i), "?"))
			}
			s := snapshottest.Store(t, changes...)
			groups, err := survey(t, s, "/registry")
			if err != nil {
				t.Fatal(err)
			}
			names, namer := map[string]bool{}, keyspace.NewNamer("/registry")
			for key := range s.AllKeys("") {
				if _, ok := namer.Key(key); ok {
					names["object"] = true
				} else {
					names[namer.Name(key)] = true
				}
			}
			if len(groups) != tt.groups || len(names) != tt.names {
				t.Errorf("%d groups and %d names, want %d and %d", len(groups), len(names), tt.groups, tt.names)
			}
			if strings.HasSuffix(tt.name, "longer name") && groups[0].Owner != keyspace.Kubernetes || strings.HasSuffix(tt.name, "server of a name as long as may be") && groups[0].Owner != keyspace.Aggregated {
				t.Errorf("%+v", groups[0])
			}
		})
	}
}

// TestMostPrefixes holds how many prefixes are looked for, and in how large a record.
func TestMostPrefixes(t *testing.T) {
	for _, tt := range []struct {
		name, key string
		n, want   int
	}{
		{"as many as may be", "/k%d/pods/a/b", 64, 64},
		{"one more", "/k%d/pods/a/b", 65, 64},
		{"aggregated ones beside the first", "/registry/g%d.io/g%[1]d.io/things/a", 63, 64},
		{"one more of these", "/registry/g%d.io/g%[1]d.io/things/a", 64, 64},
	} {
		var changes []snapshottest.Change
		for i := range tt.n {
			changes = append(changes, snapshottest.Put(fmt.Sprintf(tt.key, i), envelope("v1", "Pod")))
		}
		if found, err := keyspace.Find(t.Context(), snapshottest.Store(t, changes...)); len(found) != tt.want || err != nil {
			t.Errorf("%s: %d prefixes, want %d, %v", tt.name, len(found), tt.want, err)
		}
	}
	sized := func(fill int) (*snapshot.Snapshot, int) {
		s := snapshottest.Store(t, snapshottest.Put("/k8s/pods/a/b", object("v1", "Pod", "a", "b")+strings.Repeat(" ", fill)))
		r, err := s.Get("/k8s/pods/a/b", 0)
		if err != nil {
			t.Fatal(err)
		}
		return s, r.Size
	}
	const fill, most = 16000, 16 << 10
	_, size := sized(fill)
	for over, want := range []int{1, 0} {
		s, size := sized(fill + most + over - size)
		if found, err := keyspace.Find(t.Context(), s); len(found) != want || err != nil {
			t.Errorf("in a record of %d bytes %d prefixes, want %d, %v", size, len(found), want, err)
		}
	}
}

// TestTokens names four tokens, and no more, each once.
func TestTokens(t *testing.T) {
	var changes []snapshottest.Change
	for i := range 5 {
		changes = append(changes, snapshottest.Put(fmt.Sprintf("/bootstrap/%012x", i), "x"))
	}
	groups, err := survey(t, snapshottest.Store(t, changes...), kube.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	if want := keyspace.TokenText("000000000000", "000000000001", "000000000002", "000000000003"); len(groups) != 1 || groups[0].Note != want {
		t.Errorf("%+v, want the note %q", groups, want)
	}
}

// TestInterrupted: what is interrupted says so.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := snapshottest.Store(t, snapshottest.Put("/registry/namespaces/a", "?"))
	if found, err := keyspace.Find(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, %v", found, err)
	}
	if groups, err := keyspace.Survey(ctx, s, "/registry", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("groups %v, %v", groups, err)
	}
}
