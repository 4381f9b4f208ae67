package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"revenant/decoder/snapshot/snapshottest"
)

// TestOwnersExist extracts an object that has an owner, from stores in which that owner is
// there, is another one of its name, or is gone.
func TestOwnersExist(t *testing.T) {
	put, object := snapshottest.Put, func(apiVersion, kind, name, uid string) string {
		return fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"namespace":"shop","uid":%q}}`, apiVersion, kind, name, uid)
	}
	definition := put("/registry/apiextensions.k8s.io/customresourcedefinitions/widgets.lab.example.com",
		`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.lab.example.com"},"spec":{"group":"lab.example.com","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget"},"versions":[{"name":"v1","served":true,"storage":true}]}}`)
	const deployment, node, secret, widget = "/registry/deployments/shop/o", "/registry/minions/o", "/registry/secrets/shop/o", "/registry/lab.example.com/widgets/shop/o"
	for _, tt := range []struct {
		name, apiVersion, kind string
		owner                  []snapshottest.Change
		want                   bool
	}{
		{"there", "apps/v1", "Deployment", []snapshottest.Change{put(deployment, object("apps/v1", "Deployment", "o", "1"))}, true},
		{"under a former group", "extensions/v1beta1", "Deployment", []snapshottest.Change{put(deployment, object("apps/v1", "Deployment", "o", "1"))}, true},
		{"another one of its name", "apps/v1", "Deployment", []snapshottest.Change{put(deployment, object("apps/v1", "Deployment", "o", "2"))}, false},
		{"in another namespace", "apps/v1", "Deployment", []snapshottest.Change{put("/registry/deployments/data/o", object("apps/v1", "Deployment", "o", "1"))}, false},
		{"deleted", "apps/v1", "Deployment", []snapshottest.Change{put(deployment, object("apps/v1", "Deployment", "o", "1")), snapshottest.Delete(deployment)}, false},
		{"made again", "apps/v1", "Deployment", []snapshottest.Change{put(deployment, object("apps/v1", "Deployment", "o", "1")), snapshottest.Delete(deployment), put(deployment, object("apps/v1", "Deployment", "o", "2"))}, false},
		{"of the cluster", "v1", "Node", []snapshottest.Change{put(node, object("v1", "Node", "o", "1"))}, true},
		{"cannot be read", "v1", "Secret", []snapshottest.Change{put(secret, "k8s:enc:aescbc:v1:key1:x")}, true},
		{"custom", "lab.example.com/v1", "Widget", []snapshottest.Change{definition, put(widget, object("lab.example.com/v1", "Widget", "o", "1"))}, true},
		{"of a kind that nothing defines", "lab.example.com/v1", "Widget", []snapshottest.Change{put(widget, object("lab.example.com/v1", "Widget", "o", "1"))}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "backup.db")
			owned := fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"shop","ownerReferences":[{"apiVersion":%q,"kind":%q,"name":"o","uid":"1"}]}}`, tt.apiVersion, tt.kind)
			writeStore(t, path, append([]snapshottest.Change{put("/registry/configmaps/shop/c", owned)}, tt.owner...)...)
			for _, at := range [][]string{nil, {"--at", "2"}} { // the newest state decides, whichever is extracted
				var out, errs bytes.Buffer
				args := append([]string{"extract", path, "cm/c", "-n", "shop", "--skip-hash-check"}, at...)
				if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
					t.Fatalf("exit code %d: %s", code, &errs)
				}
				if got := strings.Contains(out.String(), "uid: \"1\""); got != tt.want {
					t.Errorf("%v: the owner is kept: %v, want %v\n%s", at, got, tt.want, &out)
				}
			}
		})
	}
}
