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
		{"of a resource in a namespace", 0, Query{Words: []string{"deploy"}, Namespace: "shop"}, []string{"deployments shop/api", "deployments shop/web"}},
		{"of one without namespaces", 0, Query{Words: []string{"nodes"}}, []string{"nodes node-1", "nodes node-2", "nodes node-3", "nodes node-4"}},
		{"earlier", 300, Query{Words: []string{"pods"}, Namespace: "late"}, nil},
		{"of no resource", 0, Query{Words: []string{"frobnicators"}}, nil},
		{"of several names", 0, Query{Words: []string{"no", "node-3", "node-9", "node-1"}}, []string{"nodes node-3", "nodes node-1"}},
		{"of a category", 0, Query{Words: []string{"all"}, Namespace: "late"}, []string{
			"pods late/late-app-74bc46d4b4-fbb5p", "pods late/late-app-74bc46d4b4-jp92h", "pods late/late-app-74bc46d4b4-l4x55", "deployments late/late-app", "replicasets late/late-app-74bc46d4b4",
		}},
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
		count[o.Key.Resource]++
	}
	if count["deployments"] != 1 || count["replicasets"] == 0 || count["pods"] == 0 {
		t.Errorf("got %v", count)
	}
}

// TestGroups: groups are of what is listed, and of nothing else.
func TestGroups(t *testing.T) {
	from := demoSource(t)
	for _, q := range []Query{{}, {Foreign: true}, {Namespace: "shop"}, {Words: []string{"svc,deploy"}}} {
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
	if l := read(t, from, 0, Query{Words: []string{"pods"}}); l.Resources != nil || l.Namespaces != nil {
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

// TestAllKeys: a list of all can have the keys that hold no API object, too.
func TestAllKeys(t *testing.T) {
	from := demoSource(t)
	foreign := 0
	for _, o := range read(t, from, 0, Query{Foreign: true}).Objects {
		if o.Foreign() {
			foreign++
		}
	}
	all, some := len(read(t, from, 0, Query{Foreign: true}).Objects), len(read(t, from, 0, Query{}).Objects)
	if foreign == 0 || all-some != foreign {
		t.Errorf("%d keys, %d objects, %d keys that hold none", all, some, foreign)
	}
}

// TestUnknown: a resource that a state does not have is said of the list, which is empty.
func TestUnknown(t *testing.T) {
	l := read(t, demoSource(t), 0, Query{Words: []string{"frobnicators"}})
	var unknown *UnknownError
	if !errors.As(l.Unknown, &unknown) || unknown.Word != "frobnicators" || len(l.Objects) > 0 {
		t.Errorf("%v, %d objects", l.Unknown, len(l.Objects))
	}
}

func TestParseCommand(t *testing.T) {
	catalog := read(t, demoSource(t), 0, Query{}).Catalog
	tests := []struct {
		text             string
		want             Command
		byLabel, byField string
		takes            bool
		fails            bool
	}{
		{text: "po", want: Command{Query: Query{Words: []string{"po"}}}, takes: true},
		{text: "deployment web -n shop", want: Command{Query: Query{Words: []string{"deployment", "web"}, Namespace: "shop"}}, takes: true},
		{text: "svc/web deploy/web --namespace=shop", want: Command{Query: Query{Words: []string{"svc/web", "deploy/web"}, Namespace: "shop"}}, takes: true},
		{text: "pods -l app=web,tier!=x -A", want: Command{Query: Query{Words: []string{"pods"}}}, byLabel: "app=web,tier!=x", takes: true},
		{text: "pods --field-selector spec.nodeName=node-1", want: Command{Query: Query{Words: []string{"pods"}}}, byField: "spec.nodeName=node-1", takes: true},
		{text: "po,svc -n shop", want: Command{Query: Query{Words: []string{"po,svc"}, Namespace: "shop"}}, takes: true},
		{text: "all", want: Command{Query: Query{Words: []string{"all"}}}, takes: true},
		{text: "deploy.apps", want: Command{Query: Query{Words: []string{"deploy.apps"}}}, takes: true},
		{text: "widget --at 500", want: Command{Query: Query{Words: []string{"widget"}}, At: "500"}, takes: true},
		{text: "/registry/pods/shop/db-0", want: Command{Query: Query{Words: []string{"/registry/pods/shop/db-0"}}}, takes: true},
		{text: "po -n", want: Command{Query: Query{Words: []string{"po"}}}, takes: true, fails: true},
		{text: "po -o wide", want: Command{Query: Query{Words: []string{"po"}}}, takes: true, fails: true},
		{text: "po -l !!", want: Command{Query: Query{Words: []string{"po"}}}, takes: true, fails: true},
		{text: "frobnicate", want: Command{Query: Query{Words: []string{"frobnicate"}}}},
		{text: "po,frobnicate", want: Command{Query: Query{Words: []string{"po,frobnicate"}}}},
		{text: "/", want: Command{Query: Query{Words: []string{"/"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			words := strings.Fields(tt.text)
			if takes := Takes(catalog, words[0]); takes != tt.takes {
				t.Errorf("it is one: %v", takes)
			}
			got, err := ParseCommand(words)
			if (err != nil) != tt.fails {
				t.Errorf("%v", err)
			}
			if byLabel, byField := got.Selectors(); byLabel != tt.byLabel || byField != tt.byField {
				t.Errorf("selectors %q, %q", byLabel, byField)
			}
			got.Labels, got.Fields = nil, nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("command (-want):\n%s", diff)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	parsed := func(text string) *Query {
		c, err := ParseCommand(strings.Fields(text))
		if err != nil {
			t.Fatal(err)
		}
		return &c.Query
	}
	list := []string{"", "po", "po web", "po -n shop", "po -l app=web", "po --field-selector spec.nodeName=node-1"}
	for i, a := range list {
		for j, b := range list {
			if equal := parsed(a).Equal(parsed(b)); equal != (i == j) {
				t.Errorf("%q and %q: %v", a, b, equal)
			}
		}
		if all := parsed(a).Everything(); all != (a == "") {
			t.Errorf("%q is everything: %v", a, all)
		}
	}
}
