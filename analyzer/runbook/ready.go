package runbook

import "fmt"

// eachReady waits until every API server is ready, each asked past the balancer.
func (b *builder) eachReady() Command {
	const what, then = "every API server is ready", "Look at the log of the one that is named. An address without an API server goes away by itself within a minute, or has a master lease that nothing deletes: see the step about former API servers."
	if b.fenced() && !b.open { // only the node itself reaches it
		return wait(ControlPlane, what, 300, "curl --silent --show-error --fail --insecure https://127.0.0.1:"+b.port+"/readyz",
			"Look at the log of the API server of this node. Where anonymous requests are refused (401), ask with a client certificate.", "curl").all()
	}
	return wait(Workstation, what, 300, fmt.Sprintf(`( ips=$(kubectl get endpointslice kubernetes --namespace=default --output=jsonpath='{.endpoints[*].addresses[*]}') && [ -n "$ips" ] || exit
    for ip in $ips; do case $ip in *:*) ip="[$ip]" ;; esac; kubectl --server="https://$ip:%s" get --raw=/readyz > /dev/null || { echo "The API server at $ip is not ready." >&2; exit 1; }; done )`, b.port), then, "kubectl").says("Asks each by its own address, past any balancer.")
}
