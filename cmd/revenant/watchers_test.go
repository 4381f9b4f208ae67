package main

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"revenant/decoder/snapshot/snapshottest"
)

// watched is a store with what watches in it: a kube-proxy that is known by its image, and
// an operator that may watch by RBAC.
func watched(t *testing.T, revisions int) []byte {
	t.Helper()
	put := func(key, apiVersion, kind, meta, rest string) snapshottest.Change {
		return snapshottest.Put("/registry/"+key, fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{%s},%s}`, apiVersion, kind, meta, rest))
	}
	workload := func(image, account string) string {
		return fmt.Sprintf(`"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"serviceAccountName":%q,"containers":[{"name":"c","image":%q}]}}}`, account, image)
	}
	changes := []snapshottest.Change{
		put("namespaces/kube-system", "v1", "Namespace", `"name":"kube-system","uid":"u0"`, `"spec":{}`),
		put("minions/node-1", "v1", "Node", `"name":"node-1","uid":"u1"`, `"spec":{}`),
		put("daemonsets/kube-system/kube-proxy", "apps/v1", "DaemonSet", `"name":"kube-proxy","namespace":"kube-system","uid":"u2"`, workload("registry.k8s.io/kube-proxy:v1.37.2", "kube-proxy")),
		put("deployments/kube-system/operator", "apps/v1", "Deployment", `"name":"operator","namespace":"kube-system","uid":"u3"`, workload("example.com/operator", "operator")),
		put("clusterroles/operator", "rbac.authorization.k8s.io/v1", "ClusterRole", `"name":"operator"`, `"rules":[{"apiGroups":[""],"verbs":["watch"],"resources":["pods"]}]`),
		put("clusterrolebindings/operator", "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", `"name":"operator"`, `"roleRef":{"kind":"ClusterRole","name":"operator"},"subjects":[{"kind":"ServiceAccount","namespace":"kube-system","name":"operator"}]`),
		put("pods/kube-system/kube-proxy-x", "v1", "Pod", `"name":"kube-proxy-x","namespace":"kube-system","uid":"u4","ownerReferences":[{"apiVersion":"apps/v1","kind":"DaemonSet","name":"kube-proxy","uid":"u2","controller":true}]`,
			`"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"registry.k8s.io/kube-proxy:v1.37.2"}]},"status":{"phase":"Running"}`),
	}
	for i := range revisions {
		changes = append(changes, put("configmaps/kube-system/c", "v1", "ConfigMap", `"name":"c","namespace":"kube-system","uid":"u5"`, fmt.Sprintf(`"data":{"n":"%d"}`, i)))
	}
	db := snapshottest.Bytes(t, changes...)
	sum := sha256.Sum256(db)
	return append(db, sum[:]...)
}

// TestWatchers holds what predict and plan say of what watches beside kubelets: that it is
// restarted where there is no bump, and lists anew by itself where there is one.
func TestWatchers(t *testing.T) {
	dir := t.TempDir()
	backup, current := filepath.Join(dir, "backup.db"), filepath.Join(dir, "current.db")
	writeFile(t, backup, watched(t, 1))
	writeFile(t, current, watched(t, 9))
	for _, tt := range []struct {
		command []string
		want    []string
		not     string
	}{
		{[]string{"predict", backup, current}, []string{
			"watcher-stale: Watches, and is not restarted by the restore (warning, possible)", "- daemonsets.apps/kube-proxy in kube-system: kube-proxy, by its image (registry.k8s.io/kube-", "with pods on 1 node",
			"DaemonSet kube-system kube-proxy kube-proxy, by its image 1 per-node backup, current", "1 more may watch, by RBAC: --all lists them.",
		}, "example.com/operator"},
		{[]string{"predict", "--all", backup, current}, []string{"Deployment kube-system operator may watch pods, by RBAC 0 none backup, current"}, ""},
		{[]string{"plan", "--last-revision", "20", backup, current}, []string{"What else watches needs no restart: DaemonSet kube-system/kube-proxy, Deployment kube-system/operator."}, "kubectl rollout restart"},
		{[]string{"plan", "--bump-revision", "0", backup, current}, []string{
			"kubectl rollout restart --namespace=kube-system daemonset/kube-proxy", "kubectl rollout status --namespace=kube-system daemonset/kube-proxy", "kubectl rollout restart --namespace=kube-system deployment/operator",
		}, "needs no restart"},
		{[]string{"plan", backup}, []string{"kubectl rollout restart --namespace=kube-system daemonset/kube-proxy", "Whether the bump passes everything that was served is not known."}, ""},
		{[]string{"plan", "-o", "json", "--last-revision", "20", backup, current}, []string{`"listAnew": true`, `"basis": "rbac"`}, ""},
	} {
		got := answered(t, tt.command...)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%q lacks %q:\n%s", tt.command, want, got)
			}
		}
		if tt.not != "" && strings.Contains(got, tt.not) {
			t.Errorf("%q has %q:\n%s", tt.command, tt.not, got)
		}
	}
}
