package watchers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/finding"
	"revenant/analyzer/watchers"
	"revenant/decoder/snapshot/snapshottest"
)

// object is a stored object as kubectl prints it, below its key.
func object(t *testing.T, key, apiVersion, kind, rest string) snapshottest.Change {
	t.Helper()
	parts := strings.Split(strings.TrimPrefix(key, "/registry/"), "/")
	meta := map[string]any{"name": parts[len(parts)-1], "uid": key}
	if n := len(parts); n > 2 || kind == "Role" {
		meta["namespace"] = parts[n-2]
	}
	o := map[string]any{}
	if err := json.Unmarshal([]byte("{"+rest+"}"), &o); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	if more, ok := o["metadata"].(map[string]any); ok {
		for name, value := range more {
			meta[name] = value
		}
	}
	o["apiVersion"], o["kind"], o["metadata"] = apiVersion, kind, meta
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return snapshottest.Put(key, string(data))
}

// workload is one with a container of an image, under a ServiceAccount.
func workload(t *testing.T, kind, name, image, account, more string) snapshottest.Change {
	t.Helper()
	return object(t, "/registry/"+strings.ToLower(kind)+"s/kube-system/"+name, "apps/v1", kind, `"spec":{`+more+
		`"selector":{"matchLabels":{"k8s-app":"`+name+`"}},"template":{"metadata":{"labels":{"k8s-app":"`+name+`"}},"spec":{"serviceAccountName":"`+account+`","containers":[{"name":"c","image":"`+image+`"}]}}}`)
}

func pod(t *testing.T, name, node, owner, ownerName string) snapshottest.Change {
	t.Helper()
	meta := ""
	if owner != "" {
		meta = `"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"` + owner + `","name":"` + ownerName + `","uid":"u","controller":true}]},`
	}
	return object(t, "/registry/pods/kube-system/"+name, "v1", "Pod", meta+`"spec":{"nodeName":"`+node+`","containers":[{"name":"c","image":"x"}]},"status":{"phase":"Running"}`)
}

func clusterRole(t *testing.T, name, verbs, resources, subject string) []snapshottest.Change {
	t.Helper()
	return []snapshottest.Change{
		object(t, "/registry/clusterroles/"+name, "rbac.authorization.k8s.io/v1", "ClusterRole", `"rules":[{"apiGroups":["","coordination.k8s.io"],"verbs":`+verbs+`,"resources":`+resources+`}]`),
		object(t, "/registry/clusterrolebindings/"+name, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", `"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"`+name+`"},"subjects":[`+subject+`]`),
	}
}

const account = `{"kind":"ServiceAccount","namespace":"kube-system","name":"NAME"}`

func accountNamed(name string) string { return strings.Replace(account, "NAME", name, 1) }

// found is what a test compares of a Watcher.
type found struct {
	Name, What, Restart string
	Nodes               []string
	PerNode             bool
	Election            watchers.Election
}

func look(t *testing.T, changes ...snapshottest.Change) (*watchers.List, []found) {
	t.Helper()
	list, err := watchers.Find(t.Context(), snapshottest.Store(t, changes...), "/registry", finding.InBackup)
	if err != nil {
		t.Fatal(err)
	}
	got := []found{}
	for i := range list.Watchers {
		w := &list.Watchers[i]
		got = append(got, found{w.String(), w.What(), strings.Join(w.Restart(), " "), w.Nodes, w.PerNode, w.Election})
	}
	return list, got
}

func TestFind(t *testing.T) {
	var all []snapshottest.Change
	all = append(all, clusterRole(t, "everything", `["*"]`, `["*"]`, accountNamed("admin"))...)
	all = append(all, clusterRole(t, "pods", `["get","list","watch","update"]`, `["pods","pods/log","services","leases","endpoints","nodes"]`, accountNamed("operator")+`,{"kind":"User","name":"system:serviceaccount:kube-system:by-user"}`)...)
	all = append(all, clusterRole(t, "get-only", `["get","list"]`, `["secrets"]`, accountNamed("reader"))...)
	all = append(all,
		object(t, "/registry/serviceaccounts/kube-system/untold", "v1", "ServiceAccount", `"automountServiceAccountToken":false`),
		object(t, "/registry/roles/kube-system/maps", "rbac.authorization.k8s.io/v1", "Role", `"rules":[{"apiGroups":[""],"verbs":["watch"],"resources":["configmaps"]}]`),
		object(t, "/registry/rolebindings/kube-system/maps", "rbac.authorization.k8s.io/v1", "RoleBinding", `"roleRef":{"kind":"Role","name":"maps"},"subjects":[{"kind":"ServiceAccount","namespace":"kube-system","name":"maps"},{"kind":"ServiceAccount","namespace":"kube-system","name":"untold"}]`),
		workload(t, "DaemonSet", "kube-proxy", "registry.k8s.io/kube-proxy:v1.37.2", "kube-proxy", ""),
		workload(t, "DaemonSet", "calico-node", "docker.io/calico/node@sha256:abc", "calico-node", `"updateStrategy":{"type":"OnDelete"},`),
		workload(t, "Deployment", "calico-typha", "quay.io/calico/typha:v3", "calico-node", ""),
		workload(t, "Deployment", "coredns", "registry.k8s.io/coredns/coredns:v1.12", "coredns", ""),
		object(t, "/registry/daemonsets/openshift-ovn-kubernetes/ovnkube-node", "apps/v1", "DaemonSet", `"spec":{"selector":{"matchLabels":{"app":"ovnkube-node"}},"template":{"metadata":{"labels":{"app":"ovnkube-node"}},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:abc"}]}}}`),
		object(t, "/registry/daemonsets/openshift-ovn-kubernetes/ovnkube-other", "apps/v1", "DaemonSet", `"spec":{"selector":{"matchLabels":{"app":"ovnkube-node"},"matchExpressions":[{"key":"x","operator":"Exists"}]},"template":{"metadata":{"labels":{"app":"ovnkube-node"}},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:abc"}]}}}`),
		workload(t, "Deployment", "operator", "example.com/operator:1", "operator", ""),
		workload(t, "Deployment", "by-user", "example.com/by-user", "by-user", ""),
		workload(t, "StatefulSet", "admin", "localhost:5000/admin", "admin", ""),
		workload(t, "Deployment", "paused", "example.com/maps", "maps", `"paused":true,`),
		workload(t, "Deployment", "maps", "example.com/maps", "maps", ""),
		workload(t, "Deployment", "reader", "example.com/reader", "reader", ""),
		workload(t, "Deployment", "untold", "example.com/untold", "untold", ""),
		workload(t, "Deployment", "no-rights", "example.com/not-kube-proxy", "default", ""),
		object(t, "/registry/replicasets/kube-system/operator-1", "apps/v1", "ReplicaSet", `"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"operator","uid":"u","controller":true}]}`),
		object(t, "/registry/leases/kube-system/operator-lock", "coordination.k8s.io/v1", "Lease", `"spec":{"holderIdentity":"operator-1-abc_5b1c"}`),
		pod(t, "operator-1-abc", "node-2", "ReplicaSet", "operator-1"),
		pod(t, "kube-proxy-1", "node-1", "DaemonSet", "kube-proxy"),
		pod(t, "kube-proxy-2", "node-2", "DaemonSet", "kube-proxy"),
		pod(t, "kube-proxy-0", "", "DaemonSet", "kube-proxy"),
		object(t, "/registry/pods/kube-system/kube-proxy-node-3", "v1", "Pod", `"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"},"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"node-3","uid":"u","controller":true}]},"spec":{"nodeName":"node-3","hostNetwork":true,"containers":[{"name":"c","image":"index.docker.io/rancher/hardened-kubernetes:v1"}]},"status":{"phase":"Running"}`),
		object(t, "/registry/pods/kube-system/haproxy-node-3", "v1", "Pod", `"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"node-3","containers":[{"name":"c","image":"haproxy"}]},"status":{"phase":"Running"}`),
		object(t, "/registry/pods/kube-system/kube-proxy", "v1", "Pod", `"spec":{"nodeName":"node-3","containers":[{"name":"c","image":"somebodys"}]},"status":{"phase":"Running"}`),
		object(t, "/registry/pods/kube-system/kube-apiserver-node-3", "v1", "Pod", `"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"node-3","containers":[{"name":"c","image":"kube-proxy"}]},"status":{"phase":"Running"}`),
	)
	_, got := look(t, all...)
	none := []string{}
	want := []found{
		{"DaemonSet kube-system/kube-proxy", "kube-proxy, by its image", "kubectl rollout restart --namespace=kube-system daemonset/kube-proxy", []string{"node-1", "node-2"}, true, watchers.NotEligible},
		{"StaticPod kube-system/kube-proxy", "kube-proxy, by its labels", "", []string{"node-3"}, true, watchers.NotEligible},
		{"Deployment kube-system/calico-typha", "Calico's Typha, by its image", "kubectl rollout restart --namespace=kube-system deployment/calico-typha", none, false, watchers.NoElection},
		{"DaemonSet kube-system/calico-node", "Calico, by its image", "kubectl delete pod --namespace=kube-system --selector=k8s-app=calico-node", none, true, watchers.NotEligible},
		{"DaemonSet openshift-ovn-kubernetes/ovnkube-node", "OVN-Kubernetes, by its labels", "kubectl delete pod --namespace=openshift-ovn-kubernetes --selector=app=ovnkube-node", none, true, watchers.NotEligible},
		{"DaemonSet openshift-ovn-kubernetes/ovnkube-other", "OVN-Kubernetes, by its labels", "kubectl rollout restart --namespace=openshift-ovn-kubernetes daemonset/ovnkube-other", none, true, watchers.NotEligible},
		{"Deployment kube-system/coredns", "CoreDNS, by its image", "kubectl rollout restart --namespace=kube-system deployment/coredns", none, false, watchers.NoElection},
		{"Deployment kube-system/by-user", "may watch endpoints, leases, nodes, pods and 1 more, by RBAC", "kubectl rollout restart --namespace=kube-system deployment/by-user", none, false, watchers.MayElect},
		{"Deployment kube-system/maps", "may watch configmaps, by RBAC", "kubectl rollout restart --namespace=kube-system deployment/maps", none, false, watchers.NoElection},
		{"Deployment kube-system/operator", "may watch endpoints, leases, nodes, pods and 1 more, by RBAC", "kubectl rollout restart --namespace=kube-system deployment/operator", []string{"node-2"}, false, watchers.HoldsLease},
		{"Deployment kube-system/paused", "may watch configmaps, by RBAC", "kubectl delete pod --namespace=kube-system --selector=k8s-app=paused", none, false, watchers.NoElection},
		{"StatefulSet kube-system/admin", "may watch everything of a group, by RBAC", "kubectl rollout restart --namespace=kube-system statefulset/admin", none, false, watchers.MayElect},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSubjects holds whom a binding gives its role to.
func TestSubjects(t *testing.T) {
	for _, tt := range []struct {
		name, subject string
		want          bool // the ServiceAccount kube-system/w has the role
	}{
		{"the ServiceAccount", accountNamed("w"), true},
		{"its namesake elsewhere", `{"kind":"ServiceAccount","namespace":"shop","name":"w"}`, false},
		{"a ServiceAccount without a namespace", `{"kind":"ServiceAccount","name":"system:authenticated"}`, false},
		{"its user", `{"kind":"User","name":"system:serviceaccount:kube-system:w"}`, true},
		{"its user, with a namespace that counts for nothing", `{"kind":"User","namespace":"shop","name":"system:serviceaccount:kube-system:w"}`, true},
		{"a user of its name", `{"kind":"User","namespace":"kube-system","name":"w"}`, false},
		{"a user by its namespace and name", `{"kind":"User","name":"kube-system:w"}`, false},
		{"a user by the name of a group", `{"kind":"User","name":"system:authenticated"}`, false},
		{"the group of all ServiceAccounts", `{"kind":"Group","name":"system:serviceaccounts"}`, true},
		{"that of its namespace", `{"kind":"Group","name":"system:serviceaccounts:kube-system"}`, true},
		{"that of another namespace", `{"kind":"Group","name":"system:serviceaccounts:shop"}`, false},
		{"everybody who is authenticated, with a namespace that counts for nothing", `{"kind":"Group","namespace":"shop","name":"system:authenticated"}`, true},
		{"a group of its name", `{"kind":"Group","namespace":"kube-system","name":"w"}`, false},
		{"a user of no namespace, by the name of a group", `{"kind":"User","name":"system:serviceaccount::system:authenticated"}`, false},
		{"a kind that there is not", `{"kind":"Robot","namespace":"kube-system","name":"w"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := look(t, append(clusterRole(t, "r", `["watch"]`, `["pods"]`, tt.subject), workload(t, "Deployment", "w", "example.com/w", "w", ""))...)
			if (len(got) > 0) != tt.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestNamespaceOfBinding holds that a RoleBinding means the ServiceAccount of its own
// namespace where it names none.
func TestNamespaceOfBinding(t *testing.T) {
	for namespace, want := range map[string]bool{"kube-system": true, "shop": false} {
		_, got := look(t,
			object(t, "/registry/roles/"+namespace+"/r", "rbac.authorization.k8s.io/v1", "Role", `"rules":[{"apiGroups":[""],"verbs":["watch"],"resources":["pods"]}]`),
			object(t, "/registry/rolebindings/"+namespace+"/r", "rbac.authorization.k8s.io/v1", "RoleBinding", `"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"w"}]`),
			workload(t, "Deployment", "w", "example.com/w", "w", ""))
		if (len(got) > 0) != want {
			t.Errorf("in %s: %+v", namespace, got)
		}
	}
}

// TestNotSeen holds what is said of what no pod shows.
func TestNotSeen(t *testing.T) {
	node := func(more string) snapshottest.Change {
		return object(t, "/registry/minions/node-1", "v1", "Node", more)
	}
	tests := []struct {
		name    string
		changes []snapshottest.Change
		want    string // in what is said first
	}{
		{"a service of the host", []snapshottest.Change{node(`"spec":{}`)}, "systemctl status kube-proxy"},
		{"k3s", []snapshottest.Change{node(`"spec":{"providerID":"k3s://node-1"}`)}, "inside its own process"},
		{"a DaemonSet", []snapshottest.Change{node(`"spec":{}`), workload(t, "DaemonSet", "kube-proxy", "kube-proxy", "x", "")}, "ClusterRoleBindings"},
		{"unread", append(clusterRole(t, "r", `["get"]`, `["pods"]`, ""), snapshottest.Put("/registry/daemonsets/a/b", "k8s:enc:aescbc:v1:key1:abc")), "could not be read (1)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, _ := look(t, tt.changes...)
			if !strings.Contains(list.NotSeen[0], tt.want) {
				t.Errorf("%q is not said first: %q", tt.want, list.NotSeen)
			}
		})
	}
}

// TestRestartable: what runs and is there after the restore, by where it was found.
func TestRestartable(t *testing.T) {
	backup, current := []finding.In{finding.InBackup}, []finding.In{finding.InCurrent}
	both := []finding.In{finding.InBackup, finding.InCurrent}
	for _, tt := range []struct {
		name string
		w    watchers.Watcher
		want bool
	}{
		{"in both", watchers.Watcher{Kind: "Deployment", In: both}, true},
		{"in the backup, and running", watchers.Watcher{Kind: "Deployment", In: backup, Pods: 1}, true},
		{"in the backup, and not running", watchers.Watcher{Kind: "Deployment", In: backup}, false},
		{"in the current state", watchers.Watcher{Kind: "Deployment", In: current, Pods: 1}, false},
		{"a static pod of the current state", watchers.Watcher{Kind: watchers.StaticPod, In: current, Pods: 1}, true},
		{"a static pod that does not run", watchers.Watcher{Kind: watchers.StaticPod, In: both}, false},
	} {
		if got := tt.w.Restartable(); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestJoin holds which are restarted: those that run and are there after the restore.
func TestJoin(t *testing.T) {
	proxy := workload(t, "DaemonSet", "kube-proxy", "kube-proxy", "x", "")
	dns := workload(t, "Deployment", "coredns", "coredns", "x", "")
	cilium := workload(t, "DaemonSet", "cilium", "quay.io/cilium/cilium:v1.16", "x", "")
	backup, _ := look(t, proxy, cilium)
	current, err := watchers.Find(t.Context(), snapshottest.Store(t, proxy, dns, pod(t, "p", "node-9", "DaemonSet", "kube-proxy")), "/registry", finding.InCurrent)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, w := range watchers.Join(backup, current).Watchers {
		got[w.Name] = w.Restartable()
		if w.Name == "kube-proxy" && (len(w.Nodes) != 1 || len(w.In) != 2) {
			t.Errorf("%+v", w)
		}
	}
	if diff := cmp.Diff(map[string]bool{"kube-proxy": true, "coredns": false, "cilium": false}, got); diff != "" {
		t.Error(diff)
	}
}
