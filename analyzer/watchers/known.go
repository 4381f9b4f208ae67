package watchers

import (
	"slices"
	"strings"
)

// Class is what a watcher is for, in the order in which they are restarted: what others
// need to reach the API comes first. The values are stable names.
type Class string

// The classes.
const (
	Proxy   Class = "proxy"   // makes the addresses of Services lead somewhere, the API servers' own among them
	Network Class = "network" // gives pods their network, and enforces policies
	DNS     Class = "dns"
	Storage Class = "storage"
	Ingress Class = "ingress" // takes traffic from outside to pods
	Other   Class = "other"
)

// Classes are the classes, in that order.
var Classes = []Class{Proxy, Network, DNS, Storage, Ingress, Other}

func (c Class) rank() int { return slices.Index(Classes, c) }

// Known is software that is known to watch.
type Known struct {
	ID    string `json:"id"` // a stable name
	Title string `json:"title"`
	Class Class  `json:"class"`
	// Stale is what it does wrong for as long as it hears nothing.
	Stale  string `json:"stale"`
	Source string `json:"source"`

	images []string // the last elements of a repository's path: "calico/node" is ghcr.io/x/calico/node, too
	labels []string // of the workload or of its pods, where the image has no name
	// podsOnly says that its pods are deleted to restart it: an operator owns the template.
	podsOnly bool
}

const (
	staleServices = "Traffic to an address or node port that was given out again goes to the former Service, new Services get none, and endpoints that are gone are still used."
	staleNetwork  = "Pods that it has not heard of have no network or no policy, and what it has routed to an address stays after that address was given to another pod."
)

// knowns are the software that is known. The images are those of their own
// distributions and of the platforms', the labels those of their manifests.
var knowns = []Known{
	{
		ID: "kube-proxy", Title: "kube-proxy", Class: Proxy, Stale: staleServices, Source: "kubernetes v1.37 pkg/proxy/config/config.go",
		images: []string{"kube-proxy", "kube-proxy-amd64", "kube-proxy-arm64"}, labels: []string{"k8s-app=kube-proxy", "component=kube-proxy"},
	},
	{
		ID: "calico-typha", Title: "Calico's Typha", Class: Proxy,
		Stale:  "Every Calico node is fed by it: what Typha does not hear, no node hears.",
		Source: "github.com/projectcalico/calico typha/pkg/syncserver",
		images: []string{"calico/typha", "mirrored-calico-typha"}, labels: []string{"k8s-app=calico-typha"},
	},
	{
		ID: "calico", Title: "Calico", Class: Network,
		Stale:  staleNetwork + " Which addresses are taken it keeps in custom resources or in etcd, and that goes back: addresses are given out a second time.",
		Source: "github.com/projectcalico/calico felix/daemon, libcalico-go/lib/ipam",
		images: []string{"calico/node", "mirrored-calico-node"}, labels: []string{"k8s-app=calico-node", "k8s-app=canal"},
	},
	{
		ID: "calico-kube-controllers", Title: "Calico's controllers", Class: Network,
		Stale:  "Addresses of pods and nodes that it takes for gone are freed while they are in use.",
		Source: "github.com/projectcalico/calico kube-controllers/pkg/controllers/node/ipam.go",
		images: []string{"calico/kube-controllers", "mirrored-calico-kube-controllers"}, labels: []string{"k8s-app=calico-kube-controllers"},
	},
	{
		ID: "cilium", Title: "Cilium", Class: Network,
		Stale:  staleNetwork + " Identities and endpoints are custom resources, which go back: a policy can hold for another pod. Where it replaces kube-proxy, Services are stale as well.",
		Source: "github.com/cilium/cilium pkg/k8s/watchers, pkg/k8s/resource",
		images: []string{"cilium/cilium", "mirrored-cilium-cilium"}, labels: []string{"k8s-app=cilium"},
	},
	{
		ID: "cilium-operator", Title: "Cilium's operator", Class: Network,
		Stale:  "It gives out pod ranges and collects identities by what it last heard.",
		Source: "github.com/cilium/cilium operator/",
		images: []string{"cilium/operator", "cilium/operator-generic", "cilium/operator-aws", "cilium/operator-azure", "cilium/operator-alibabacloud", "mirrored-cilium-operator-generic"}, labels: []string{"io.cilium/app=operator"},
	},
	{
		ID: "flannel", Title: "Flannel", Class: Network,
		Stale:  "Routes to the pod ranges of nodes that came, went or got another range are missing or lead to the wrong node.",
		Source: "github.com/flannel-io/flannel pkg/subnet/kube/kube.go",
		images: []string{"flannel", "flannel/flannel", "flannelcni/flannel", "mirrored-flannel-flannel", "mirrored-flannelcni-flannel", "hardened-flannel"}, labels: []string{"app=flannel", "k8s-app=flannel"},
	},
	{
		ID: "weave", Title: "Weave Net", Class: Network,
		Stale: "Network policies are enforced for pods that are gone, and not for new ones.", Source: "github.com/weaveworks/weave npc/controller.go",
		images: []string{"weaveworks/weave-kube", "weaveworks/weave-npc"}, labels: []string{"name=weave-net"},
	},
	{
		ID: "antrea", Title: "Antrea's agent", Class: Network,
		Stale: staleNetwork + " Where it replaces kube-proxy (AntreaProxy), Services are stale as well.", Source: "github.com/antrea-io/antrea pkg/agent/controller",
		images: []string{"antrea/antrea-agent-ubuntu", "antrea/antrea-agent-ubi", "antrea/antrea-ubuntu", "antrea/antrea-ubi"}, labels: []string{"app=antrea,component=antrea-agent"},
	},
	{
		ID: "antrea-controller", Title: "Antrea's controller", Class: Network,
		Stale: "It computes network policies for all agents from what it last heard.", Source: "github.com/antrea-io/antrea pkg/controller/networkpolicy",
		images: []string{"antrea/antrea-controller-ubuntu", "antrea/antrea-controller-ubi"}, labels: []string{"app=antrea,component=antrea-controller"},
	},
	{
		ID: "ovn-kubernetes", Title: "OVN-Kubernetes", Class: Network,
		Stale:  staleNetwork + " It serves Services, too, and is stale in these as well.",
		Source: "github.com/openshift/openshift-docs modules/dr-restoring-cluster-state.adoc; github.com/ovn-kubernetes/ovn-kubernetes go-controller/pkg/factory",
		images: []string{"ovn-kube-u", "ovn-kube-f", "ovn-kube-ubuntu", "ovn-kube-fedora"}, labels: []string{"app=ovnkube-node", "app=ovnkube-control-plane", "app=ovnkube-master"}, podsOnly: true,
	},
	{
		ID: "openshift-sdn", Title: "OpenShift SDN", Class: Network, Stale: staleNetwork + " It serves Services, too.", Source: "github.com/openshift/sdn pkg/network/node",
		labels: []string{"app=sdn", "app=sdn-controller"}, podsOnly: true,
	},
	{
		ID: "kube-router", Title: "kube-router", Class: Network, Stale: staleNetwork + " Where it replaces kube-proxy, Services are stale as well.", Source: "github.com/cloudnativelabs/kube-router pkg/cmd/kube-router.go",
		images: []string{"cloudnativelabs/kube-router"}, labels: []string{"k8s-app=kube-router"},
	},
	{
		ID: "kube-ovn", Title: "Kube-OVN", Class: Network,
		Stale: staleNetwork + " Which addresses are taken it keeps in custom resources, and these go back.", Source: "github.com/kubeovn/kube-ovn pkg/controller, pkg/daemon",
		images: []string{"kubeovn/kube-ovn"},
	},
	{
		ID: "kindnet", Title: "kindnet", Class: Network, Stale: "Routes to nodes that came or went are missing or lead nowhere.", Source: "github.com/kubernetes-sigs/kind images/kindnetd/cmd/kindnetd/main.go",
		images: []string{"kindest/kindnetd"}, labels: []string{"k8s-app=kindnet", "app=kindnet"},
	},
	{
		ID: "aws-vpc-cni", Title: "Amazon VPC CNI", Class: Network, Stale: "Its settings of nodes (ENIConfig, CNINode) and its policies are those of before.", Source: "github.com/aws/amazon-vpc-cni-k8s pkg/k8sapi/k8sutils.go",
		images: []string{"amazon-k8s-cni"}, labels: []string{"k8s-app=aws-node"},
	},
	{
		ID: "multus", Title: "Multus", Class: Network, Stale: "It attaches networks by the pods and the NetworkAttachmentDefinitions that it last heard of.", Source: "github.com/k8snetworkplumbingwg/multus-cni pkg/server/server.go",
		images: []string{"multus-cni", "k8snetworkplumbingwg/multus-cni"}, labels: []string{"app=multus"},
	},
	{
		ID: "metallb", Title: "MetalLB", Class: Ingress, Stale: "It announces addresses of load balancers for Services that are gone, and not for new ones; an address can be given out twice.", Source: "github.com/metallb/metallb internal/k8s/k8s.go",
		images: []string{"metallb/speaker", "metallb/controller"}, labels: []string{"app=metallb", "app.kubernetes.io/name=metallb"},
	},
	{
		ID: "kube-vip", Title: "kube-vip", Class: Ingress, Stale: "It announces addresses of load balancers for Services that are gone, and not for new ones.", Source: "github.com/kube-vip/kube-vip pkg/manager",
		images: []string{"kube-vip/kube-vip", "plndr/kube-vip", "mirrored-kube-vip-kube-vip-iptables"},
	},
	{
		ID: "coredns", Title: "CoreDNS", Class: DNS, Stale: "Names lead to the addresses of Services and pods that are gone or that others have now, and new names are not found.", Source: "github.com/coredns/coredns plugin/kubernetes/controller.go",
		images: []string{"coredns", "coredns/coredns", "mirrored-coredns-coredns", "hardened-coredns"}, labels: []string{"k8s-app=kube-dns", "dns.operator.openshift.io/daemonset-dns=default"},
	},
	{
		ID: "csi-controller", Title: "CSI driver's controller", Class: Storage, Stale: "Claims, attachments and snapshots that it does not hear of wait, and what it takes for deleted or detached it deletes or detaches in the storage system.", Source: "github.com/kubernetes-csi external-provisioner, external-attacher, external-resizer, external-snapshotter",
		images: []string{"csi-provisioner", "csi-attacher", "csi-resizer", "csi-snapshotter", "snapshot-controller"},
	},
	{
		ID: "csi-node", Title: "CSI driver's node plug-in", Class: Storage, Stale: "Most node plug-ins only answer their kubelet; one that watches acts on volumes and nodes of before.", Source: "github.com/kubernetes-csi node-driver-registrar",
		images: []string{"csi-node-driver-registrar", "node-driver-registrar"},
	},
	{
		ID: "ingress", Title: "ingress controller", Class: Ingress, Stale: "Requests go to pods that are gone, or to whoever has their address now, and by the rules and certificates of before.", Source: "github.com/kubernetes/ingress-nginx internal/ingress/controller/store, github.com/traefik/traefik pkg/provider/kubernetes and the like",
		images: []string{
			"ingress-nginx/controller", "nginx-ingress-controller", "nginx/nginx-ingress", "traefik", "mirrored-library-traefik", "haproxytech/kubernetes-ingress", "jcmoraisjr/haproxy-ingress",
			"kong/kubernetes-ingress-controller", "projectcontour/contour", "envoyproxy/gateway", "istio/pilot", "nginx-ingress-controller-amd64", "rancher/nginx-ingress-controller",
		},
		labels: []string{"app.kubernetes.io/name=ingress-nginx", "app.kubernetes.io/name=traefik", "ingresscontroller.operator.openshift.io/deployment-ingresscontroller=default"},
	},
	{
		ID: "metrics-server", Title: "metrics-server", Class: Other, Stale: "It measures the nodes and pods of before: autoscalers have no figures for the others.", Source: "github.com/kubernetes-sigs/metrics-server pkg/server/config.go",
		images: []string{"metrics-server", "metrics-server/metrics-server", "mirrored-metrics-server", "hardened-k8s-metrics-server"}, labels: []string{"k8s-app=metrics-server"},
	},
}

// Knowns are what is known to watch, in the order in which it is restarted.
func Knowns() []Known {
	list := slices.Clone(knowns)
	slices.SortStableFunc(list, func(a, b Known) int { return a.Class.rank() - b.Class.rank() })
	return list
}

// knownByImage finds software by the repository of an image.
func knownByImage(image string) *Known {
	name := repository(image)
	for i := range knowns {
		for _, known := range knowns[i].images {
			if name == known || strings.HasSuffix(name, "/"+known) {
				return &knowns[i]
			}
		}
	}
	return nil
}

// repository is an image without its tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return image
}

// knownByLabels finds software by labels, all of which one must have.
func knownByLabels(labels map[string]string) (known *Known, label string) {
	for i := range knowns {
		for _, all := range knowns[i].labels {
			if hasLabels(labels, all) {
				return &knowns[i], all
			}
		}
	}
	return nil, ""
}

func hasLabels(labels map[string]string, all string) bool {
	for one := range strings.SplitSeq(all, ",") {
		name, value, _ := strings.Cut(one, "=")
		if labels[name] != value {
			return false
		}
	}
	return true
}
