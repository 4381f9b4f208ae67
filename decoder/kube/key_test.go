package kube

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const both = "/kubernetes.io,/openshift.io"

func TestParseKey(t *testing.T) {
	tests := []struct {
		name   string
		prefix string
		key    string
		want   Key // zero for no key of an object
	}{
		// Where kube-apiserver stores what (kubernetes v1.37
		// test/integration/etcd/data.go, ExpectedEtcdPath).
		{"configmap", "/registry", "/registry/configmaps/ns/cm1", Key{"", "configmaps", "ns", "cm1"}},
		{"service", "/registry", "/registry/services/specs/ns/service1", Key{"", "services", "ns", "service1"}},
		{"endpoints", "/registry", "/registry/services/endpoints/ns/ep1name", Key{"", "endpoints", "ns", "ep1name"}},
		{"replication controller", "/registry", "/registry/controllers/ns/rc1", Key{"", "replicationcontrollers", "ns", "rc1"}},
		{"node", "/registry", "/registry/minions/node1", Key{"", "nodes", "", "node1"}},
		{"namespace", "/registry", "/registry/namespaces/namespace1", Key{"", "namespaces", "", "namespace1"}},
		{"persistent volume", "/registry", "/registry/persistentvolumes/pv1name", Key{"", "persistentvolumes", "", "pv1name"}},
		{"event", "/registry", "/registry/events/ns/event1", Key{"", "events", "ns", "event1"}},
		{"deployment", "/registry", "/registry/deployments/ns/deployment4", Key{"apps", "deployments", "ns", "deployment4"}},
		{"job", "/registry", "/registry/jobs/ns/job1", Key{"batch", "jobs", "ns", "job1"}},
		{"horizontal pod autoscaler", "/registry", "/registry/horizontalpodautoscalers/ns/hpa2", Key{"autoscaling", "horizontalpodautoscalers", "ns", "hpa2"}},
		{"ingress", "/registry", "/registry/ingress/ns/ingress3", Key{"networking.k8s.io", "ingresses", "ns", "ingress3"}},
		{"ingress class", "/registry", "/registry/ingressclasses/ingressclass3", Key{"networking.k8s.io", "ingressclasses", "", "ingressclass3"}},
		{"IP address", "/registry", "/registry/ipaddresses/192.168.2.3", Key{"networking.k8s.io", "ipaddresses", "", "192.168.2.3"}},
		{"cluster role with colons", "/registry", "/registry/clusterroles/system:node", Key{"rbac.authorization.k8s.io", "clusterroles", "", "system:node"}},
		{"role binding", "/registry", "/registry/rolebindings/ns/roleb3", Key{"rbac.authorization.k8s.io", "rolebindings", "ns", "roleb3"}},
		{"cluster trust bundle", "/registry", "/registry/clustertrustbundles/example.com:signer:abc", Key{"certificates.k8s.io", "clustertrustbundles", "", "example.com:signer:abc"}},
		{"pod certificate request", "/registry", "/registry/podcertificaterequests/ns/req-1", Key{"certificates.k8s.io", "podcertificaterequests", "ns", "req-1"}},
		{"storage version", "/registry", "/registry/storageversions/sv1.test", Key{"internal.apiserver.k8s.io", "storageversions", "", "sv1.test"}},
		{"capacity of a CSI driver", "/registry", "/registry/csistoragecapacities/ns/csc-12345-3", Key{"storage.k8s.io", "csistoragecapacities", "ns", "csc-12345-3"}},
		{"resource claim", "/registry", "/registry/resourceclaims/ns/claim4name", Key{"resource.k8s.io", "resourceclaims", "ns", "claim4name"}},
		{"resource slice", "/registry", "/registry/resourceslices/node4slice", Key{"resource.k8s.io", "resourceslices", "", "node4slice"}},
		{"pod security policy", "/registry", "/registry/podsecuritypolicy/psp1", Key{"policy", "podsecuritypolicies", "", "psp1"}},
		{"API service", "/registry", "/registry/apiregistration.k8s.io/apiservices/v1.apps", Key{"apiregistration.k8s.io", "apiservices", "", "v1.apps"}},
		{"custom resource definition", "/registry", "/registry/apiextensions.k8s.io/customresourcedefinitions/foos.cr.bar.com", Key{"apiextensions.k8s.io", "customresourcedefinitions", "", "foos.cr.bar.com"}},
		{"namespaced custom resource", "/registry", "/registry/cr.bar.com/foos/ns/cr1foo", Key{"cr.bar.com", "foos", "ns", "cr1foo"}},
		{"cluster-scoped custom resource", "/registry", "/registry/custom.fancy.com/pants/cr2pant", Key{"custom.fancy.com", "pants", "", "cr2pant"}},
		{"custom resource named as a built-in one", "/registry", "/registry/serving.knative.dev/services/ns/hello", Key{"serving.knative.dev", "services", "ns", "hello"}},

		{"unknown namespaced resource", "/registry", "/registry/podpresets/ns/p", Key{"", "podpresets", "ns", "p"}},
		{"unknown cluster-scoped resource", "/registry", "/registry/clustercidrs/c", Key{"", "clustercidrs", "", "c"}},

		{"prefix of OpenShift", "kubernetes.io", "/kubernetes.io/pods/ns/p", Key{"", "pods", "ns", "p"}},
		{"prefix of OpenShift's own API", "openshift.io", "/openshift.io/routes/ns/r", Key{"route.openshift.io", "routes", "ns", "r"}},
		{"both prefixes of OpenShift, a pod", both, "/kubernetes.io/pods/ns/p", Key{"", "pods", "ns", "p"}},
		{"both prefixes of OpenShift, a route", both, "/openshift.io/routes/ns/r", Key{"route.openshift.io", "routes", "ns", "r"}},
		{"both prefixes of OpenShift, an OAuth client", both, "/openshift.io/oauth/clients/console", Key{"oauth.openshift.io", "oauthclients", "", "console"}},
		{"both prefixes of OpenShift, an identity", both, "/openshift.io/useridentities/ldap:x", Key{"user.openshift.io", "identities", "", "ldap:x"}},
		{"both prefixes of OpenShift, a custom resource of OpenShift's", both, "/kubernetes.io/config.openshift.io/proxies/cluster", Key{"config.openshift.io", "proxies", "", "cluster"}},
		{"a pod below OpenShift's prefix", both, "/openshift.io/pods/ns/p", Key{}},
		{"what is unknown below OpenShift's prefix", both, "/openshift.io/things/ns/t", Key{}},
		{"a route without its prefix", "/registry", "/registry/route.openshift.io/routes/ns/r", Key{"route.openshift.io", "routes", "ns", "r"}},
		{"below neither of two", both, "/registry/pods/ns/p", Key{}},
		{"aggregated API server", "/registry,/registry/wardle.example.com", "/registry/wardle.example.com/wardle.example.com/flunders/ns/f", Key{"wardle.example.com", "flunders", "ns", "f"}},
		{"aggregated API server, no namespace", "/registry,/registry/wardle.example.com", "/registry/wardle.example.com/wardle.example.com/fischers/f", Key{"wardle.example.com", "fischers", "", "f"}},
		{"aggregated API server, the kube-apiserver's", "/registry,/registry/wardle.example.com", "/registry/pods/ns/f", Key{"", "pods", "ns", "f"}},
		{"aggregated API server in an etcd of its own", "/registry/wardle.example.com", "/registry/wardle.example.com/wardle.example.com/flunders/ns/f", Key{"wardle.example.com", "flunders", "ns", "f"}},
		{"OAuth client", "openshift.io", "/openshift.io/oauth/clients/console", Key{"oauth.openshift.io", "oauthclients", "", "console"}},
		{"prefix with slashes", "/a/b/", "/a/b/minions/n", Key{"", "nodes", "", "n"}},
		{"no prefix", "", "/pods/ns/p", Key{"", "pods", "ns", "p"}},
		{"root as prefix", "/", "/pods/ns/p", Key{"", "pods", "ns", "p"}},

		{"bump marker", "/registry", "", Key{}},
		{"compact revision", "/registry", "compact_rev_key", Key{}},
		{"prefix alone", "/registry", "/registry", Key{}},
		{"prefix and slash", "/registry", "/registry/", Key{}},
		{"other prefix", "/registry", "/registry2/pods/ns/p", Key{}},
		{"other user", "/registry", "/calico/v1/host/n", Key{}},
		{"health", "/registry", "/registry/health", Key{}},
		{"master lease", "/registry", "/registry/masterleases/10.0.0.1", Key{}},
		{"peer server lease", "/registry", "/registry/peerserverleases/apiserver-x", Key{}},
		{"allocator", "/registry", "/registry/ranges/serviceips", Key{}},
		{"no name", "/registry", "/registry/pods/ns/", Key{}},
		{"no namespace", "/registry", "/registry/pods//p", Key{}},
		{"namespaced without namespace", "/registry", "/registry/pods/p", Key{}},
		{"cluster-scoped with namespace", "/registry", "/registry/minions/ns/n", Key{}},
		{"too long", "/registry", "/registry/pods/ns/p/q", Key{}},
		{"too long, custom", "/registry", "/registry/cr.bar.com/foos/ns/cr1foo/x", Key{}},
		{"group alone", "/registry", "/registry/cr.bar.com", Key{}},
		{"group and resource", "/registry", "/registry/cr.bar.com/foos", Key{}},
		{"parent directory", "/registry", "/registry/pods/../p", Key{}},
		{"built-in resource where a custom one is", "/registry", "/registry/networking.k8s.io/ingresses/ns/i", Key{}},
		{"plural of a special path", "/registry", "/registry/nodes/n", Key{}},
		{"special path cut short", "/registry", "/registry/services/ns/s", Key{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := ParseKey(tt.prefix, tt.key)
			if !ok {
				got = Key{} // what else is in it does not matter
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if ok != (tt.want != Key{}) {
				t.Errorf("ok is %v", ok)
			}
			if back := got.Path(tt.prefix); ok && back != tt.key {
				t.Errorf("goes back to %q", back)
			}
		})
	}
}

func TestParseKeyOfSnapshots(t *testing.T) {
	for _, r := range records(t) {
		k, ok := ParseKey(DefaultPrefix, r.key)
		if !ok {
			if r.key != "" && !strings.HasPrefix(r.key, "/registry/ranges/") && !strings.HasPrefix(r.key, "/registry/peerserverleases/") {
				t.Errorf("%s: %q is no key of an object", r.file, r.key)
			}
			continue
		}
		if back := k.Path(DefaultPrefix); back != r.key {
			t.Errorf("%s: %q goes back to %q", r.file, r.key, back)
		}
		o := Decode(Key{}, r.value)
		if o.Encoding == Encrypted {
			continue
		}
		if o.Name != k.Name || o.Namespace != k.Namespace {
			t.Errorf("%s: %q holds %s/%s", r.file, r.key, o.Namespace, o.Name)
		}
		if known, ok := k.Type(); ok == (k.Group == "lab.example.com") || ok && known.Kind != o.Kind {
			t.Errorf("%s: %q holds a %s", r.file, r.key, o.Kind)
		}
	}
}

func TestPath(t *testing.T) {
	tests := []struct {
		name   string
		prefix string
		key    Key
		want   string
	}{
		{"all of a resource", "/registry", Key{Resource: "nodes"}, "/registry/minions/"},
		{"all of a namespace", "/registry", Key{Resource: "services", Namespace: "ns"}, "/registry/services/specs/ns/"},
		{"group left out", "/registry", Key{Resource: "deployments", Namespace: "ns", Name: "d"}, "/registry/deployments/ns/d"},
		{"former group", "/registry", Key{"extensions", "ingresses", "ns", "i"}, "/registry/ingress/ns/i"},
		{"all of a custom resource", "/registry", Key{Group: "cr.bar.com", Resource: "foos"}, "/registry/cr.bar.com/foos/"},
		{"other prefix", "kubernetes.io/", Key{Resource: "pods"}, "/kubernetes.io/pods/"},
		{"no prefix", "", Key{Resource: "pods"}, "/pods/"},
		{"pods of OpenShift", both, Key{Resource: "pods"}, "/kubernetes.io/pods/"},
		{"routes of OpenShift", both, Key{Group: "route.openshift.io", Resource: "routes"}, "/openshift.io/routes/"},
		{"routes of MicroShift", "/registry", Key{Group: "route.openshift.io", Resource: "routes"}, "/registry/route.openshift.io/routes/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.key.Path(tt.prefix); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got, want := PodKey("", "ns", "p"), "/pods/ns/p"; got != want {
		t.Errorf("PodKey: got %q, want %q", got, want)
	}
}

func TestPlural(t *testing.T) {
	for key, want := range map[Key]string{
		{}:                                     "",
		{Resource: "pods"}:                     "pods",
		{"apps", "deployments", "shop", "web"}: "deployments",
		{"coordination.k8s.io", "leases", "", ""}:      "leases",
		{"example.com", "widgets", "shop", "w"}:        "widgets.example.com",
		{"metrics.example.com", "pods", "shop", "web"}: "pods.metrics.example.com",
	} {
		if got := key.Plural(); got != want {
			t.Errorf("%v is %q, want %q", key, got, want)
		}
	}
}
