package restore

import (
	"strings"

	"revenant/decoder/kube"
)

// serviceOf is the service that a node's kubelet is part of, where that is the service of
// the control plane too: its kubelet stops and starts with the API server and etcd of that
// machine. It is "" for others, and where nothing shows it.
//
//   - k3s runs the kubelet in the process of the server, unless --disable-agent leaves it out,
//     and then there is no Node object (k3s 005499a9 pkg/cli/server/server.go, agent.Run).
//   - RKE2 has the same server start the kubelet, and its unit kills it at the end (rke2
//     1a821cd3 rke2-server.service, ExecStopPost).
//   - k0s controllers have a kubelet with --enable-worker or --single alone, under the same
//     supervisor, and set its label (k0s dff90cee cmd/controller/controller.go, startWorker).
//
// The version tells the distribution. The labels are those that servers set themselves: what
// a person sets with kubectl label node NAME node-role.kubernetes.io/master= has no value.
func serviceOf(n *kube.Node) string {
	of := func(distribution string) bool { return strings.Contains(n.KubeletVersion, "+"+distribution) }
	role := func(name string) bool { return n.Labels["node-role.kubernetes.io/"+name] == "true" }
	server := role("control-plane") || role("master") || role("etcd")
	switch {
	case of("k3s") && server:
		return "k3s"
	case of("rke2") && server:
		return "rke2-server"
	case of("k0s") && n.Labels["node.k0sproject.io/role"] == "control-plane":
		return "k0scontroller"
	}
	return ""
}

// restartsWith says whether the plan restarts the service that the node's kubelet is part
// of: with its API server.
func (f *forecast) restartsWith(n *node) bool {
	if n.service == "" || n.gone {
		return false
	}
	if !f.plan.KeepAPIServers {
		return true
	}
	s := f.apiServer(n.name)
	for _, name := range f.plan.RestartAPIServers {
		if name == n.name || s != nil && s.Name == name {
			return true
		}
	}
	return false
}
