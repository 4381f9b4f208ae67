package kube

import (
	"slices"
	"strings"
)

// Resource is a type of object that the API servers of Kubernetes store.
type Resource struct {
	Name       string   // plural, as in URLs: deployments
	Kind       string   // Deployment
	Groups     []string // API groups, the current one first; "" is the core group
	Namespaced bool
	ShortNames []string // as kubectl takes them: deploy
	path       string   // of its keys below the prefix, where that is not Name
}

// Group is the API group that serves the resource now.
func (r Resource) Group() string { return r.Groups[0] }

// Singular is the name of one object, as kubectl takes it: deployment.
func (r Resource) Singular() string { return strings.ToLower(r.Kind) }

// keyPath is the part of the key between the prefix and the object's own name.
func (r Resource) keyPath() string {
	if r.path != "" {
		return r.path
	}
	return r.Name
}

const (
	namespaced = true
	cluster    = false
)

// builtIn lists the stored resources of kube-apiserver, its extension and
// aggregation servers included (kubernetes v1.37 test/integration/etcd/data.go,
// the special paths from pkg/kubeapiserver/default_storage_factory_builder.go
// SpecialDefaultResourcePrefixes), and those of OpenShift's API servers whose
// path is special (openshift/oauth-apiserver pkg/cmd/oauth-apiserver/server.go).
var builtIn = []Resource{
	{"configmaps", "ConfigMap", groups(""), namespaced, short("cm"), ""},
	{"endpoints", "Endpoints", groups(""), namespaced, short("ep"), "services/endpoints"},
	{"events", "Event", groups("", "events.k8s.io"), namespaced, short("ev"), ""},
	{"limitranges", "LimitRange", groups(""), namespaced, short("limits"), ""},
	{"namespaces", "Namespace", groups(""), cluster, short("ns"), ""},
	{"nodes", "Node", groups(""), cluster, short("no"), "minions"},
	{"persistentvolumeclaims", "PersistentVolumeClaim", groups(""), namespaced, short("pvc"), ""},
	{"persistentvolumes", "PersistentVolume", groups(""), cluster, short("pv"), ""},
	{"pods", "Pod", groups(""), namespaced, short("po"), ""},
	{"podtemplates", "PodTemplate", groups(""), namespaced, nil, ""},
	{"replicationcontrollers", "ReplicationController", groups(""), namespaced, short("rc"), "controllers"},
	{"resourcequotas", "ResourceQuota", groups(""), namespaced, short("quota"), ""},
	{"secrets", "Secret", groups(""), namespaced, nil, ""},
	{"serviceaccounts", "ServiceAccount", groups(""), namespaced, short("sa"), ""},
	{"services", "Service", groups(""), namespaced, short("svc"), "services/specs"},

	{"mutatingadmissionpolicies", "MutatingAdmissionPolicy", groups("admissionregistration.k8s.io"), cluster, nil, ""},
	{"mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", groups("admissionregistration.k8s.io"), cluster, nil, ""},
	{"mutatingwebhookconfigurations", "MutatingWebhookConfiguration", groups("admissionregistration.k8s.io"), cluster, nil, ""},
	{"validatingadmissionpolicies", "ValidatingAdmissionPolicy", groups("admissionregistration.k8s.io"), cluster, nil, ""},
	{"validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", groups("admissionregistration.k8s.io"), cluster, nil, ""},
	{"validatingwebhookconfigurations", "ValidatingWebhookConfiguration", groups("admissionregistration.k8s.io"), cluster, nil, ""},

	{"customresourcedefinitions", "CustomResourceDefinition", groups("apiextensions.k8s.io"), cluster, short("crd", "crds"), "apiextensions.k8s.io/customresourcedefinitions"},
	{"apiservices", "APIService", groups("apiregistration.k8s.io"), cluster, nil, "apiregistration.k8s.io/apiservices"},

	{"controllerrevisions", "ControllerRevision", groups("apps"), namespaced, nil, ""},
	{"daemonsets", "DaemonSet", groups("apps", "extensions"), namespaced, short("ds"), ""},
	{"deployments", "Deployment", groups("apps", "extensions"), namespaced, short("deploy"), ""},
	{"replicasets", "ReplicaSet", groups("apps", "extensions"), namespaced, short("rs"), ""},
	{"statefulsets", "StatefulSet", groups("apps"), namespaced, short("sts"), ""},

	{"horizontalpodautoscalers", "HorizontalPodAutoscaler", groups("autoscaling"), namespaced, short("hpa"), ""},
	{"cronjobs", "CronJob", groups("batch"), namespaced, short("cj"), ""},
	{"jobs", "Job", groups("batch"), namespaced, nil, ""},

	{"certificatesigningrequests", "CertificateSigningRequest", groups("certificates.k8s.io"), cluster, short("csr"), ""},
	{"clustertrustbundles", "ClusterTrustBundle", groups("certificates.k8s.io"), cluster, nil, ""},
	{"podcertificaterequests", "PodCertificateRequest", groups("certificates.k8s.io"), namespaced, nil, ""},

	{"leasecandidates", "LeaseCandidate", groups("coordination.k8s.io"), namespaced, nil, ""},
	{"leases", "Lease", groups("coordination.k8s.io"), namespaced, nil, ""},
	{"endpointslices", "EndpointSlice", groups("discovery.k8s.io"), namespaced, nil, ""},

	{"flowschemas", "FlowSchema", groups("flowcontrol.apiserver.k8s.io"), cluster, nil, ""},
	{"prioritylevelconfigurations", "PriorityLevelConfiguration", groups("flowcontrol.apiserver.k8s.io"), cluster, nil, ""},
	{"storageversions", "StorageVersion", groups("internal.apiserver.k8s.io"), cluster, nil, ""},
	{"evictionrequests", "EvictionRequest", groups("lifecycle.k8s.io"), namespaced, nil, ""},
	{"evictions", "Eviction", groups("lifecycle.k8s.io"), namespaced, nil, ""},

	{"ingressclasses", "IngressClass", groups("networking.k8s.io"), cluster, nil, ""},
	{"ingresses", "Ingress", groups("networking.k8s.io", "extensions"), namespaced, short("ing"), "ingress"},
	{"ipaddresses", "IPAddress", groups("networking.k8s.io"), cluster, short("ip"), ""},
	{"networkpolicies", "NetworkPolicy", groups("networking.k8s.io", "extensions"), namespaced, short("netpol"), ""},
	{"servicecidrs", "ServiceCIDR", groups("networking.k8s.io"), cluster, nil, ""},

	{"runtimeclasses", "RuntimeClass", groups("node.k8s.io"), cluster, nil, ""},
	{"poddisruptionbudgets", "PodDisruptionBudget", groups("policy"), namespaced, short("pdb"), ""},
	{"podsecuritypolicies", "PodSecurityPolicy", groups("policy", "extensions"), cluster, short("psp"), "podsecuritypolicy"},

	{"clusterrolebindings", "ClusterRoleBinding", groups("rbac.authorization.k8s.io"), cluster, nil, ""},
	{"clusterroles", "ClusterRole", groups("rbac.authorization.k8s.io"), cluster, nil, ""},
	{"rolebindings", "RoleBinding", groups("rbac.authorization.k8s.io"), namespaced, nil, ""},
	{"roles", "Role", groups("rbac.authorization.k8s.io"), namespaced, nil, ""},

	{"deviceclasses", "DeviceClass", groups("resource.k8s.io"), cluster, nil, ""},
	{"devicetaintrules", "DeviceTaintRule", groups("resource.k8s.io"), cluster, nil, ""},
	{"resourceclaims", "ResourceClaim", groups("resource.k8s.io"), namespaced, nil, ""},
	{"resourceclaimtemplates", "ResourceClaimTemplate", groups("resource.k8s.io"), namespaced, nil, ""},
	{"resourcepoolstatusrequests", "ResourcePoolStatusRequest", groups("resource.k8s.io"), cluster, nil, ""},
	{"resourceslices", "ResourceSlice", groups("resource.k8s.io"), cluster, nil, ""},

	{"compositepodgroups", "CompositePodGroup", groups("scheduling.k8s.io"), namespaced, nil, ""},
	{"podgroups", "PodGroup", groups("scheduling.k8s.io"), namespaced, nil, ""},
	{"priorityclasses", "PriorityClass", groups("scheduling.k8s.io"), cluster, short("pc"), ""},
	{"workloads", "Workload", groups("scheduling.k8s.io"), namespaced, nil, ""},

	{"csidrivers", "CSIDriver", groups("storage.k8s.io"), cluster, nil, ""},
	{"csinodes", "CSINode", groups("storage.k8s.io"), cluster, nil, ""},
	{"csistoragecapacities", "CSIStorageCapacity", groups("storage.k8s.io"), namespaced, nil, ""},
	{"storageclasses", "StorageClass", groups("storage.k8s.io"), cluster, short("sc"), ""},
	{"volumeattachments", "VolumeAttachment", groups("storage.k8s.io"), cluster, nil, ""},
	{"volumeattributesclasses", "VolumeAttributesClass", groups("storage.k8s.io"), cluster, short("vac"), ""},
	{"storageversionmigrations", "StorageVersionMigration", groups("storagemigration.k8s.io"), cluster, nil, ""},

	{"oauthaccesstokens", "OAuthAccessToken", groups("oauth.openshift.io"), cluster, nil, "oauth/accesstokens"},
	{"oauthauthorizetokens", "OAuthAuthorizeToken", groups("oauth.openshift.io"), cluster, nil, "oauth/authorizetokens"},
	{"oauthclientauthorizations", "OAuthClientAuthorization", groups("oauth.openshift.io"), cluster, nil, "oauth/clientauthorizations"},
	{"oauthclients", "OAuthClient", groups("oauth.openshift.io"), cluster, nil, "oauth/clients"},
	{"identities", "Identity", groups("user.openshift.io"), cluster, nil, "useridentities"},
}

func groups(names ...string) []string { return names }
func short(names ...string) []string  { return names }

// Indexes of builtIn by the path of its keys, by plural, and by any name that
// kubectl takes. None has an ambiguous entry (a test holds that).
var (
	byPath = indexBy(func(r Resource) []string { return []string{r.keyPath()} })
	byName = indexBy(func(r Resource) []string { return []string{r.Name} })
	byWord = indexBy(func(r Resource) []string {
		return append([]string{r.Name, r.Singular()}, r.ShortNames...)
	})
)

func indexBy(names func(Resource) []string) map[string]*Resource {
	index := make(map[string]*Resource, 2*len(builtIn))
	for i := range builtIn {
		for _, name := range names(builtIn[i]) {
			index[name] = &builtIn[i]
		}
	}
	return index
}

// Resources returns the built-in resources, by group.
func Resources() []Resource { return slices.Clone(builtIn) }

// LookupResource finds a built-in resource by what kubectl takes for it: the
// plural, the singular or a short name in any case, with or without a group it
// is or was served by (deployments.apps).
func LookupResource(word string) (Resource, bool) {
	name, group, qualified := strings.Cut(strings.ToLower(word), ".")
	r, ok := byWord[name]
	if !ok || qualified && !slices.Contains(r.Groups, group) {
		return Resource{}, false
	}
	return *r, true
}

// builtInResource finds a built-in resource by group and plural. No group stands
// for any: plurals of built-in resources are unique.
func builtInResource(group, name string) *Resource {
	r, ok := byName[name]
	if !ok || group != "" && !slices.Contains(r.Groups, group) {
		return nil
	}
	return r
}
