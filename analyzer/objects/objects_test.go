package objects

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
)

// demoSource is the current snapshot of the built-in pair.
func demoSource(t testing.TB) Source {
	t.Helper()
	_, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	return Source{Snapshot: snapshottest.OpenBytes(t, demo.CurrentName, current), Prefix: "/registry"}
}

func read(t testing.TB, from Source, revision int64, q Query) *List {
	t.Helper()
	l, err := Read(t.Context(), from, revision, q)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRead(t *testing.T) {
	from := demoSource(t)
	for _, tt := range []struct {
		name     string
		revision int64
		query    Query
		want     []string // titles
	}{
		{"of a resource in a namespace", 0, Query{Resource: "deploy", Namespace: "shop"}, []string{"deployments shop/api", "deployments shop/web"}},
		{"of one without namespaces", 0, Query{Resource: "nodes"}, []string{"nodes node-1", "nodes node-2", "nodes node-3", "nodes node-4"}},
		{"earlier", 300, Query{Resource: "pods", Namespace: "late"}, nil},
		{"of no resource", 0, Query{Resource: "frobnicators"}, nil},
		{"related to one", 0, Query{RelatedTo: "/registry/replicasets/shop/nothing"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, o := range read(t, from, tt.revision, tt.query).Objects {
				got = append(got, Title(o.Key))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestReadRelated lists a Deployment with what belongs to it.
func TestReadRelated(t *testing.T) {
	l := read(t, demoSource(t), 0, Query{RelatedTo: "/registry/deployments/shop/web"})
	count := map[string]int{}
	for _, o := range l.Objects {
		count[o.Resource]++
	}
	if count["deployments"] != 1 || count["replicasets"] == 0 || count["pods"] == 0 {
		t.Errorf("got %v", count)
	}
}

// TestGroups: groups are of what is listed, and of nothing else.
func TestGroups(t *testing.T) {
	from := demoSource(t)
	for _, q := range []Query{{}, {Namespace: "shop"}} {
		l := read(t, from, 0, q)
		objects, bytes, inNamespaces := 0, int64(0), 0
		for _, o := range l.Objects {
			bytes += int64(o.Record.Size)
			if o.Namespace != "" {
				inNamespaces++
			}
		}
		for _, g := range l.Resources {
			objects, bytes = objects+g.Objects, bytes-g.Bytes
		}
		for _, g := range l.Namespaces {
			inNamespaces -= g.Objects
		}
		if objects != len(l.Objects) || bytes != 0 || inNamespaces != 0 || objects == 0 {
			t.Errorf("%+v: %d objects of %d in groups, %d bytes and %d objects of namespaces in none", q, objects, len(l.Objects), bytes, inNamespaces)
		}
	}
	if l := read(t, from, 0, Query{Resource: "pods"}); l.Resources != nil || l.Namespaces != nil {
		t.Error("the objects of one resource are grouped")
	}
}

func TestReadErrors(t *testing.T) {
	from := demoSource(t)
	ended, end := context.WithCancel(t.Context())
	end()
	for _, tt := range []struct {
		name     string
		ctx      context.Context
		revision int64
		want     error
	}{
		{"a revision that is not there", t.Context(), 1 << 40, snapshot.ErrFuture},
		{"ended", ended, 0, context.Canceled},
	} {
		if _, err := Read(tt.ctx, from, tt.revision, Query{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestTitle(t *testing.T) {
	for want, key := range map[string]kube.Key{
		"pods default/web": {Resource: "pods", Namespace: "default", Name: "web"},
		"nodes n1":         {Resource: "nodes", Name: "n1"},
		"/other/key":       {Name: "/other/key"},
	} {
		if got := Title(key); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestParse(t *testing.T) {
	catalog := read(t, demoSource(t), 0, Query{}).Catalog
	tests := []struct {
		text string
		want Command
		ok   bool
		err  error
	}{
		{"po", Command{Query: Query{Resource: "pods", Namespace: ""}}, true, nil},
		{"deployment web -n shop", Command{Query: Query{Resource: "deployments.apps", Namespace: "shop"}, Name: "web"}, true, nil},
		{"svc/web --namespace=shop", Command{Query: Query{Resource: "services", Namespace: "shop"}, Name: "web"}, true, nil},
		{"pods -l app=web,tier!=x -A", Command{Query: Query{Resource: "pods", Namespace: ""}, Selector: "app=web,tier!=x"}, true, nil},
		{"no -n shop", Command{Query: Query{Resource: "nodes", Namespace: ""}}, true, nil},
		{"widget --at 500", Command{Query: Query{Resource: "widgets.lab.example.com", Namespace: ""}, At: "500"}, true, nil},
		{"po -n", Command{Query: Query{Resource: "pods", Namespace: ""}}, true, ErrUsage},
		{"po -o wide", Command{Query: Query{Resource: "pods", Namespace: ""}}, true, ErrUsage},
		{"po a b", Command{Query: Query{Resource: "pods", Namespace: ""}, Name: "a"}, true, ErrUsage},
		{"frobnicate", Command{}, false, nil},
		{"/", Command{}, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, ok, err := Parse(catalog, strings.Fields(tt.text))
			if ok != tt.ok || !errors.Is(err, tt.err) {
				t.Errorf("%v, %v", ok, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("command (-want):\n%s", diff)
			}
		})
	}
}
