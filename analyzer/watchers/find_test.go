package watchers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/finding"
	"revenant/analyzer/watchers"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/golden"
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
	static := func(name, node, image string) snapshottest.Change {
		return object(t, "/registry/pods/kube-system/"+name+"-"+node, "v1", "Pod", `"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"},"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"`+node+`","uid":"u","controller":true}]},"spec":{"nodeName":"`+node+`","containers":[{"name":"c","image":"`+image+`"}]},"status":{"phase":"Running"}`)
	}
	several := func(name, label string, images ...string) snapshottest.Change {
		var containers []string
		for _, image := range images {
			containers = append(containers, `{"name":"c","image":"`+image+`"}`)
		}
		return object(t, "/registry/deployments/lab/"+name, "apps/v1", "Deployment", `"spec":{"selector":{"matchLabels":{"app":"`+label+`"}},"template":{"metadata":{"labels":{"app":"`+label+`"}},"spec":{"containers":[`+strings.Join(containers, ",")+`]}}}`)
	}
	all = append(all,
		object(t, "/registry/serviceaccounts/kube-system/maps", "v1", "ServiceAccount", `"automountServiceAccountToken":true`),
		snapshottest.Put("/registry/deployments/nobodys", string(several("x", "x", "coredns/coredns").Value)), // no object's key
		several("two-of-classes", "two", "example.com/side", "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2", "docker.io/calico/node:v3", "registry.k8s.io/coredns/coredns:v1"),
		several("two-of-a-class", "two", "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2", "registry.k8s.io/sig-storage/csi-attacher:v4"),
		several("without-images", "sdn-controller"),
		workload(t, "StatefulSet", "silent", "example.com/silent", "reader", ""),
		workload(t, "StatefulSet", "on-delete", "example.com/maps", "maps", `"updateStrategy":{"type":"OnDelete"},`),
		object(t, "/registry/statefulsets/openshift-sdn/sdn", "apps/v1", "StatefulSet", `"spec":{"selector":{"matchLabels":{"app":"sdn"}},"template":{"metadata":{"labels":{"app":"sdn"}},"spec":{"containers":[{"name":"c","image":"quay.io/x"}]}}}`),
		object(t, "/registry/leases/kube-node-lease/node-1", "coordination.k8s.io/v1", "Lease", `"spec":{"holderIdentity":"kube-proxy-1"}`),
		object(t, "/registry/leases/kube-system/nobodys", "coordination.k8s.io/v1", "Lease", `"spec":{}`),
		object(t, "/registry/leases/kube-system/calico-lock", "coordination.k8s.io/v1", "Lease", `"spec":{"holderIdentity":"calico-node-1_5b1c"}`),
		pod(t, "calico-node-1", "node-1", "DaemonSet", "calico-node"),
		object(t, "/registry/replicasets/kube-system/rollout-1", "apps/v1", "ReplicaSet", `"metadata":{"ownerReferences":[{"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","name":"operator","uid":"u","controller":true}]}`),
		pod(t, "rollout-1-abc", "node-7", "ReplicaSet", "rollout-1"),
		object(t, "/registry/pods/kube-system/of-a-job", "v1", "Pod", `"metadata":{"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"j","uid":"u","controller":true}]},"spec":{"nodeName":"node-7","containers":[{"name":"c","image":"coredns/coredns"}]},"status":{"phase":"Running"}`),
		object(t, "/registry/pods/kube-system/bare", "v1", "Pod", `"spec":{"nodeName":"node-7","containers":[{"name":"c","image":"traefik:v3"}]},"status":{"phase":"Running"}`),
		object(t, "/registry/pods/kube-system/kube-proxy-8", "v1", "Pod", `"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"DaemonSet","name":"kube-proxy","uid":"u","controller":true}]},"spec":{"nodeName":"node-8","containers":[{"name":"c","image":"x"}]},"status":{"phase":"Succeeded"}`),
		static("kube-proxy", "node-4", "index.docker.io/rancher/hardened-kubernetes:v1"),
		static("kube-apiserver-secure", "node-4", "kube-proxy"),
		static("haproxy-ingress", "node-4", "jcmoraisjr/haproxy-ingress"),
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
	list, got := look(t, all...)
	golden.Equal(t, "testdata/found.txt", told(list))
	none := []string{}
	want := []found{
		{"DaemonSet kube-system/kube-proxy", "kube-proxy, by its image", "kubectl rollout restart --namespace=kube-system daemonset/kube-proxy", []string{"node-1", "node-2"}, true, watchers.NotEligible},
		{"StaticPod kube-system/kube-proxy", "kube-proxy, by its labels", "", []string{"node-3", "node-4"}, true, watchers.NotEligible},
		{"Deployment kube-system/calico-typha", "Calico's Typha, by its image", "kubectl rollout restart --namespace=kube-system deployment/calico-typha", none, false, watchers.NoElection},
		{"DaemonSet kube-system/calico-node", "Calico, by its image", "kubectl delete pod --namespace=kube-system --selector=k8s-app=calico-node", []string{"node-1"}, true, watchers.HoldsLease},
		{"Deployment lab/two-of-classes", "Calico, by its image", "kubectl rollout restart --namespace=lab deployment/two-of-classes", none, false, watchers.NoElection},
		{"DaemonSet openshift-ovn-kubernetes/ovnkube-node", "OVN-Kubernetes, by its labels", "kubectl delete pod --namespace=openshift-ovn-kubernetes --selector=app=ovnkube-node", none, true, watchers.NotEligible},
		{"DaemonSet openshift-ovn-kubernetes/ovnkube-other", "OVN-Kubernetes, by its labels", "kubectl rollout restart --namespace=openshift-ovn-kubernetes daemonset/ovnkube-other", none, true, watchers.NotEligible},
		{"Deployment lab/without-images", "OpenShift SDN, by its labels", "kubectl delete pod --namespace=lab --selector=app=sdn-controller", none, false, watchers.NoElection},
		{"StatefulSet openshift-sdn/sdn", "OpenShift SDN, by its labels", "kubectl delete pod --namespace=openshift-sdn --selector=app=sdn", none, false, watchers.NoElection},
		{"Deployment kube-system/coredns", "CoreDNS, by its image", "kubectl rollout restart --namespace=kube-system deployment/coredns", none, false, watchers.NoElection},
		{"Deployment lab/two-of-a-class", "CSI driver's node plug-in, by its image", "kubectl rollout restart --namespace=lab deployment/two-of-a-class", none, false, watchers.NoElection},
		{"Pod kube-system/bare", "ingress controller, by its image", "kubectl delete pod --namespace=kube-system bare", []string{"node-7"}, false, watchers.NoElection},
		{"StaticPod kube-system/haproxy-ingress", "ingress controller, by its image", "", []string{"node-4"}, true, watchers.NotEligible},
		{"Deployment kube-system/by-user", "may watch endpoints, leases, nodes, pods and 1 more, by RBAC", "kubectl rollout restart --namespace=kube-system deployment/by-user", none, false, watchers.MayElect},
		{"Deployment kube-system/maps", "may watch configmaps, by RBAC", "kubectl rollout restart --namespace=kube-system deployment/maps", none, false, watchers.NoElection},
		{"Deployment kube-system/operator", "may watch endpoints, leases, nodes, pods and 1 more, by RBAC", "kubectl rollout restart --namespace=kube-system deployment/operator", []string{"node-2"}, false, watchers.HoldsLease},
		{"Deployment kube-system/paused", "may watch configmaps, by RBAC", "kubectl delete pod --namespace=kube-system --selector=k8s-app=paused", none, false, watchers.NoElection},
		{"StatefulSet kube-system/admin", "may watch everything of a group, by RBAC", "kubectl rollout restart --namespace=kube-system statefulset/admin", none, false, watchers.MayElect},
		{"StatefulSet kube-system/on-delete", "may watch configmaps, by RBAC", "kubectl delete pod --namespace=kube-system --selector=k8s-app=on-delete", none, false, watchers.NoElection},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// told is all that a list says of what it holds.
func told(list *watchers.List) string {
	var b strings.Builder
	for i := range list.Watchers {
		w := &list.Watchers[i]
		fmt.Fprintf(&b, "%s: %s\n", w, w.What())
		known := "unknown"
		if w.Known != nil {
			known = w.Known.ID
		}
		fmt.Fprintf(&b, "  image %q, %s, by %s, known as %s, host network %t, %d pods\n", w.Image, w.Class, w.Basis, known, w.HostNetwork, w.Pods)
		fmt.Fprintf(&b, "  may watch %v, more %t; lease %q; by deletion %t, of %q; in %v\n", w.Watches, w.MoreWatched, w.Lease, w.ByDeletion, w.Selector, w.In)
		for _, e := range w.Evidence {
			fmt.Fprintf(&b, "  %s %s at %d\n", e.Snapshot, e.Key, e.Revision)
		}
	}
	fmt.Fprintf(&b, "\nnot seen, %d unread\n", list.Unread)
	for _, text := range list.NotSeen {
		fmt.Fprintf(&b, "  %s\n", text)
	}
	return b.String()
}

// TestRights holds what rules let a ServiceAccount watch, and whether it may lead.
func TestRights(t *testing.T) {
	names := func(from, to int) string {
		var list []string
		for i := from; i < to; i++ {
			list = append(list, fmt.Sprintf("%q", fmt.Sprintf("r%02d", i)))
		}
		return strings.Join(list, ",")
	}
	watch := func(resources string) string {
		return `{"apiGroups":[""],"verbs":["watch"],"resources":[` + resources + `]}`
	}
	lease := func(group, verb, resource string) string {
		return `{"apiGroups":["` + group + `"],"verbs":["` + verb + `"],"resources":["` + resource + `"]}`
	}
	for _, tt := range []struct {
		name  string
		rules []string // of one role each
		what  string   // "" where it is no watcher
		many  int
		more  bool
		leads watchers.Election
	}{
		{"a resource twice", []string{watch(`"pods","pods"`), watch(`"pods"`)}, "may watch pods, by RBAC", 1, false, watchers.NoElection},
		{"subresources", []string{watch(`"pods/log","*/scale"`)}, "", 0, false, ""},
		{"five", []string{watch(names(0, 5))}, "may watch r00, r01, r02, r03 and 1 more, by RBAC", 5, false, watchers.NoElection},
		{"four", []string{watch(names(0, 4))}, "may watch r00, r01, r02, r03, by RBAC", 4, false, watchers.NoElection},
		{"as many as are listed", []string{watch(names(0, 24))}, "may watch r00, r01, r02, r03 and 20 more, by RBAC", 24, false, watchers.NoElection},
		{"one more than are listed", []string{watch(names(0, 25))}, "may watch r00, r01, r02, r03 and more, by RBAC", 24, true, watchers.NoElection},
		{"more in the first of two roles", []string{watch(names(0, 25)), watch(names(0, 1))}, "may watch r00, r01, r02, r03 and more, by RBAC", 24, true, watchers.NoElection},
		{"more of two roles", []string{watch(names(0, 13)), watch(names(13, 26))}, "may watch r00, r01, r02, r03 and more, by RBAC", 24, true, watchers.NoElection},
		{"a role for Leases alone", []string{watch(`"pods"`), lease("coordination.k8s.io", "update", "leases")}, "may watch pods, by RBAC", 1, false, watchers.MayElect},
		{"all verbs for Leases", []string{watch(`"pods"`), lease("coordination.k8s.io", "*", "leases")}, "may watch leases, pods, by RBAC", 2, false, watchers.MayElect},
		{"all of the group of Leases", []string{watch(`"pods"`), lease("coordination.k8s.io", "update", "*")}, "may watch pods, by RBAC", 1, false, watchers.MayElect},
		{"Leases of all groups", []string{watch(`"pods"`), lease("*", "update", "leases")}, "may watch pods, by RBAC", 1, false, watchers.MayElect},
		{"Leases of another group", []string{watch(`"pods"`), lease("lab.example.com", "update", "leases")}, "may watch pods, by RBAC", 1, false, watchers.NoElection},
		{"another resource of the group", []string{watch(`"pods"`), lease("coordination.k8s.io", "update", "leasecandidates")}, "may watch pods, by RBAC", 1, false, watchers.NoElection},
		{"Leases, to be read", []string{watch(`"pods"`), lease("coordination.k8s.io", "get", "leases")}, "may watch pods, by RBAC", 1, false, watchers.NoElection},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, kind := range []string{"ClusterRole", "Role"} {
				changes := []snapshottest.Change{workload(t, "Deployment", "w", "example.com/w", "w", "")}
				for i, rules := range tt.rules {
					name, in := fmt.Sprint("r", i), ""
					if kind == "Role" {
						in = "kube-system/"
					}
					plural := strings.ToLower(kind)
					changes = append(changes,
						object(t, "/registry/"+plural+"s/"+in+name, "rbac.authorization.k8s.io/v1", kind, `"rules":[`+rules+`]`),
						object(t, "/registry/"+plural+"bindings/"+in+name, "rbac.authorization.k8s.io/v1", kind+"Binding", `"roleRef":{"kind":"`+kind+`","name":"`+name+`"},"subjects":[`+accountNamed("w")+`]`))
				}
				list, got := look(t, changes...)
				if tt.what == "" {
					if len(got) > 0 {
						t.Errorf("%s: %+v", kind, got)
					}
					continue
				}
				if len(got) != 1 || got[0].What != tt.what || got[0].Election != tt.leads || len(list.Watchers[0].Watches) != tt.many || list.Watchers[0].MoreWatched != tt.more {
					t.Errorf("%s: %+v, %v", kind, got, list.Watchers)
				}
			}
		})
	}
}

// TestTokens holds which pods have a token of their ServiceAccount, without which they
// watch nothing by its rights.
func TestTokens(t *testing.T) {
	const projected = `,"volumes":[{"name":"v","projected":{"sources":[{"configMap":{"name":"c"}},{"serviceAccountToken":{"path":"token"}}]}}]`
	for _, tt := range []struct {
		name, account, pod string
		want               bool
	}{
		{"nothing said", ``, ``, true},
		{"the account mounts none", `"automountServiceAccountToken":false`, ``, false},
		{"the pod does, anyway", `"automountServiceAccountToken":false`, `,"automountServiceAccountToken":true`, true},
		{"the pod mounts none", `"automountServiceAccountToken":true`, `,"automountServiceAccountToken":false`, false},
		{"a volume has it", `"automountServiceAccountToken":false`, `,"automountServiceAccountToken":false` + projected, true},
		{"a volume of something else", `"automountServiceAccountToken":false`, `,"volumes":[{"name":"v","projected":{"sources":[{"configMap":{"name":"c"}}]}},{"name":"e","emptyDir":{}}]`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, account := range []string{"w", "default"} {
				name := `"serviceAccountName":"w",`
				if account == "default" {
					name = ""
				}
				_, got := look(t, append(clusterRole(t, "r", `["watch"]`, `["pods"]`, accountNamed(account)),
					object(t, "/registry/serviceaccounts/kube-system/"+account, "v1", "ServiceAccount", tt.account),
					object(t, "/registry/deployments/kube-system/w", "apps/v1", "Deployment", `"spec":{"selector":{},"template":{"spec":{`+name+`"containers":[{"name":"c","image":"example.com/w"}]`+tt.pod+`}}}`))...)
				if (len(got) > 0) != tt.want {
					t.Errorf("account %s: %+v", account, got)
				}
			}
		})
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
		{"k3s by its label", []snapshottest.Change{node(`"metadata":{"labels":{"node.kubernetes.io/instance-type":"k3s"}},"spec":{}`)}, "inside its own process"},
		{"another known DaemonSet", []snapshottest.Change{node(`"spec":{}`), workload(t, "DaemonSet", "weave", "weaveworks/weave-kube", "x", "")}, "systemctl status kube-proxy"},
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
