package relations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

const prefix = "/registry"

func stateOf(t testing.TB, s *snapshot.Snapshot) State {
	t.Helper()
	view, err := s.At(0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := resources.NewCatalog(t.Context(), s, view, prefix, nil)
	if err != nil {
		t.Fatal(err)
	}
	return State{s, view, prefix, c}
}

// TestSnapshots holds the trees and events of every object of a real snapshot against
// what decoding all of them tells.
func TestSnapshots(t *testing.T) {
	for _, name := range []string{"scenario-1/plain/backup.db.gz", "scenario-2/bump-ok/current.db.gz", "scenario-10/plain/current.db.gz"} {
		t.Run(name, func(t *testing.T) {
			s := stateOf(t, snapshottest.Open(t, "../../testdata/clusters/"+name))
			type object struct {
				key    kube.Key
				uid    string
				kind   string
				owners []string
			}
			var all []object
			var events []*corev1.Event
			for record := range s.View.Keys(prefix + "/") {
				key, ok := kube.ParseKey(prefix, record.Key)
				if !ok {
					continue
				}
				value, err := s.Snapshot.Value(record)
				if err != nil {
					t.Fatal(err)
				}
				o := kube.Decode(key, value)
				object := object{key: key, uid: o.UID, kind: o.Kind}
				if o.Typed != nil {
					m, err := meta.Accessor(o.Typed)
					if err != nil {
						t.Fatal(err)
					}
					for _, ref := range m.GetOwnerReferences() {
						object.owners = append(object.owners, string(ref.UID))
					}
				}
				if event, ok := o.Typed.(*corev1.Event); ok {
					events = append(events, event)
				}
				all = append(all, object)
			}
			var trees, told int
			for _, o := range all {
				if o.uid == "" || o.kind == "Event" {
					continue
				}
				below := map[string]bool{o.uid: true}
				for grown := true; grown; {
					grown = false
					for _, other := range all {
						if !below[other.uid] && slices.ContainsFunc(other.owners, func(uid string) bool { return below[uid] }) {
							below[other.uid], grown = true, true
						}
					}
				}
				tree, err := TreeOf(t.Context(), s, o.key)
				if err != nil {
					t.Fatalf("%v: %v", o.key, err)
				}
				got := map[string]bool{}
				for _, r := range tree.Relatives[tree.Self:] {
					got[r.UID] = true
				}
				if diff := cmp.Diff(below, got); diff != "" {
					t.Errorf("%v has below it (-want):\n%s", o.key, diff)
				}
				if len(below) > 1 {
					trees++
				}
				for _, r := range tree.Relatives[:tree.Self] {
					if r.Presence == Unknown {
						t.Errorf("%v has owner %v of an unknown kind", o.key, r)
					}
				}
				regarding := map[string]bool{}
				for _, e := range events {
					if e.InvolvedObject.Kind == o.kind && e.InvolvedObject.Namespace == o.key.Namespace && e.InvolvedObject.Name == o.key.Name {
						regarding[e.Namespace+"/"+e.Name] = !slices.Contains([]string{"", o.uid, o.key.Name}, string(e.InvolvedObject.UID))
					}
				}
				found, err := EventsOf(t.Context(), s, o.key, o.uid)
				if err != nil {
					t.Fatal(err)
				}
				told += len(found.List)
				gotEvents := map[string]bool{}
				for i, e := range found.List {
					gotEvents[e.Key.Namespace+"/"+e.Key.Name] = e.Former
					if i > 0 && found.List[i-1].Last.Before(e.Last) {
						t.Errorf("%v: events are out of order", o.key)
					}
				}
				if diff := cmp.Diff(regarding, gotEvents); diff != "" {
					t.Errorf("events of %v (-want):\n%s", o.key, diff)
				}
			}
			if trees < 5 || told < 5 {
				t.Errorf("only %d trees, %d events", trees, told)
			}
		})
	}
}

// object is a stored one: its name and uid, and its owners as kind/name/uid.
func object(path, uid string, owners ...string) snapshottest.Change {
	var refs []string
	for _, o := range owners {
		part := strings.Split(o, "/")
		refs = append(refs, fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"name":%q,"uid":%q,"controller":true}`,
			map[string]string{"ReplicaSet": "apps/v1", "Deployment": "apps/v1", "Node": "v1", "Gizmo": "x.y/v1"}[part[0]], part[0], part[1], part[2]))
	}
	return snapshottest.Put(prefix+path, fmt.Sprintf(`{"metadata":{"uid":%q,"ownerReferences":[%s]}}`, uid, strings.Join(refs, ",")))
}

func TestTreeOf(t *testing.T) {
	s := stateOf(t, snapshottest.Store(t,
		object("/deployments/a/web", "d"),
		object("/replicasets/a/web-1", "r", "Deployment/web/d"),
		object("/pods/a/web-1-x", "p", "ReplicaSet/web-1/r"),
		object("/pods/a/web-1-y", "q", "ReplicaSet/web-1/r"),
		object("/pods/b/elsewhere", "e", "ReplicaSet/web-1/r"), // an owner of another namespace is none
		object("/pods/a/orphan", "o", "ReplicaSet/gone/g"),
		object("/pods/a/impostor", "i", "ReplicaSet/web-1/before"),
		object("/pods/a/odd", "u", "Gizmo/g/z", "ReplicaSet/web-1/r"),
		object("/minions/n", "n"),
		object("/leases/kube-node-lease/n", "l", "Node/n/n"),
		object("/configmaps/a/one", "c1", "ReplicaSet/two/c2"),
		object("/replicasets/a/two", "c2", "ReplicaSet/three/c3"),
		object("/replicasets/a/three", "c3", "ReplicaSet/two/c2"), // each the other's
		object("/secrets/a/mine", "own", "Deployment/mine/own"),
		snapshottest.Put(prefix+"/pods/a/broken", `{"metadata"`),
		snapshottest.Put(prefix+"/replicasets/a/encrypted", "k8s:enc:aescbc:v1:key1:xyz"),
		object("/pods/a/of-encrypted", "oe", "ReplicaSet/encrypted/x"),
		object("/pods/a/nameless", "", "ReplicaSet/web-1/r"),
	))
	key := func(resource, namespace, name string) kube.Key {
		group := map[string]string{"deployments": "apps", "replicasets": "apps"}[resource]
		return kube.Key{Group: group, Resource: resource, Namespace: namespace, Name: name}
	}
	presence := []string{"", " absent", " replaced", " unreadable", " unknown"}
	tests := []struct {
		key    kube.Key
		want   []string
		unread int
	}{
		{key("deployments", "a", "web"), []string{
			"*deployments/web", "  replicasets/web-1", "    pods/odd", "    pods/web-1-x", "    pods/web-1-y",
		}, 1},
		{key("pods", "a", "web-1-x"), []string{"deployments/web", "  replicasets/web-1", "    *pods/web-1-x"}, 1},
		{key("pods", "a", "orphan"), []string{"replicasets/gone absent", "  *pods/orphan"}, 1},
		{key("pods", "a", "impostor"), []string{"replicasets/web-1 replaced", "  *pods/impostor"}, 1},
		{key("pods", "a", "of-encrypted"), []string{"replicasets/encrypted unreadable", "  *pods/of-encrypted"}, 1},
		{key("pods", "a", "odd"), []string{"deployments/web", "  gizmo/g unknown", "  replicasets/web-1", "    *pods/odd"}, 1},
		{key("pods", "b", "elsewhere"), []string{"replicasets/web-1 absent", "  *pods/elsewhere"}, 0},
		{key("nodes", "", "n"), []string{"*nodes/n", "  leases/n"}, 1},
		{key("configmaps", "a", "one"), []string{"replicasets/three", "  replicasets/two", "    *configmaps/one"}, 1},
		{key("replicasets", "a", "two"), []string{"replicasets/two", "  replicasets/three", "    *replicasets/two", "      configmaps/one", "      replicasets/three"}, 1},
		{key("secrets", "a", "mine"), []string{"deployments/mine absent", "  *secrets/mine"}, 1},
		{key("pods", "a", "nameless"), []string{"deployments/web", "  replicasets/web-1", "    *pods/nameless"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.key.Resource+" "+tt.key.Name, func(t *testing.T) {
			tree, err := TreeOf(t.Context(), s, tt.key)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for i, r := range tree.Relatives {
				self := ""
				if i == tree.Self {
					self = "*"
				}
				lines = append(lines, strings.Repeat("  ", r.Depth)+self+r.String()+presence[r.Presence])
			}
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("tree (-want):\n%s", diff)
			}
			if tree.Unread != tt.unread || tree.More != 0 {
				t.Errorf("%d unread, %d more", tree.Unread, tree.More)
			}
		})
	}
	t.Run("no such object", func(t *testing.T) {
		if _, err := TreeOf(t.Context(), s, key("pods", "a", "nope")); !errors.Is(err, snapshot.ErrNotFound) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("unreadable object", func(t *testing.T) {
		var encrypted *kube.EncryptedError
		if _, err := TreeOf(t.Context(), s, key("replicasets", "a", "encrypted")); !errors.As(err, &encrypted) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := TreeOf(ctx, s, key("deployments", "a", "web")); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestEventsOf(t *testing.T) {
	event := func(namespace, name, about, last string) snapshottest.Change {
		return snapshottest.Put(prefix+"/events/"+namespace+"/"+name, fmt.Sprintf(
			`{"apiVersion":"v1","kind":"Event","metadata":{"name":%q},"involvedObject":%s,"reason":%q,"lastTimestamp":%q}`, name, about, name, last))
	}
	s := stateOf(t, snapshottest.Store(t,
		object("/pods/a/p", "u"), object("/minions/n", "v"),
		event("a", "e1", `{"kind":"Pod","namespace":"a","name":"p","uid":"u"}`, "2026-11-22T11:00:00Z"),
		event("a", "e2", `{"kind":"Pod","namespace":"a","name":"p","uid":"before"}`, "2026-11-22T12:00:00Z"),
		event("a", "e3", `{"kind":"Pod","namespace":"a","name":"p"}`, "2026-11-22T10:00:00Z"),
		event("a", "e4", `{"kind":"Pod","namespace":"a","name":"p-1"}`, "2026-11-22T10:00:00Z"),
		event("a", "e5", `{"kind":"Job","namespace":"a","name":"p"}`, "2026-11-22T10:00:00Z"),
		event("default", "e6", `{"kind":"Node","name":"n","uid":"n"}`, "2026-11-22T10:00:00Z"),
		snapshottest.Put(prefix+"/events/a/e7", "k8s:enc:aescbc:v1:key1:xyz"),
	))
	tests := []struct {
		name   string
		key    kube.Key
		uid    string
		want   []string // with ! for those of an earlier object
		unread int
	}{
		{"pod", kube.Key{Resource: "pods", Namespace: "a", Name: "p"}, "u", []string{"!e2", "e1", "e3"}, 1},
		{"pod of no known uid", kube.Key{Resource: "pods", Namespace: "a", Name: "p"}, "", []string{"e2", "e1", "e3"}, 1},
		{"node", kube.Key{Resource: "nodes", Name: "n"}, "v", []string{"e6"}, 0},
		{"nothing", kube.Key{Resource: "pods", Namespace: "b", Name: "p"}, "u", nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := EventsOf(t.Context(), s, tt.key, tt.uid)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range found.List {
				name := e.Reason
				if e.Former {
					name = "!" + name
				}
				got = append(got, name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want):\n%s", diff)
			}
			if found.Unread != tt.unread || found.None {
				t.Errorf("%d unread, none %v", found.Unread, found.None)
			}
		})
	}
	empty := stateOf(t, snapshottest.Store(t, object("/pods/a/p", "u")))
	if found, err := EventsOf(t.Context(), empty, tests[0].key, "u"); err != nil || !found.None {
		t.Errorf("%+v, %v", found, err)
	}
}
