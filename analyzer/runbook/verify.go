package runbook

import (
	"fmt"
	"slices"

	"revenant/internal/words"
)

// listed waits until every kubelet that the API reaches was seen to run what the API
// has: until it has listed again, and has stopped what it had to.
func (b *builder) listed(seconds int64) Command {
	verify := b.line("verify", slices.Concat([]string{b.backup(), "--kubectl", "pods.json", "--dumps", "dumps", "--partial", "--fail-on", "double,phantom,ghost"}, b.alone())...)
	c := wait(Workstation, "every kubelet has listed its pods again", seconds, dumpLines+"\n    [ \"$all\" = yes ] && "+verify+" > listed.txt",
		"listed.txt says which has not. Restart that kubelet, or make sure that nothing it names can run twice (a ghost that only fails to start may stay). Then go on.", "kubectl", "revenant").
		reads(b.backup()).writes("pods.json", "dumps", "listed.txt").
		says("Compares what each kubelet runs with what the API has, until they agree. If a node does not answer because its machine is gone, delete its Node object.")
	if len(b.missing) > 0 {
		c.Comment += " Nodes without a Node object are not asked: " + words.First(b.missing, listed) + ". Look there with crictl ps."
	}
	return c
}

// dumpLines save what the API has and what each kubelet runs. all says whether all of
// them have answered.
const dumpLines = `all=yes; rm -rf dumps; mkdir dumps
    kubectl get pods --all-namespaces --output=json > pods.json && nodes=$(kubectl get nodes --output=name) || all=no
    for node in $nodes; do f=dumps/${node#node/}.runningpods.json
        kubectl get --raw "/api/v1/nodes/${node#node/}/proxy/runningpods/" > "$f" || { all=no; rm "$f"; echo "$node does not answer." >&2; }
    done`

// serverLines save what each API server lists, asked past the balancer at a port.
const serverLines = `
    for ip in $(kubectl get endpointslice kubernetes --namespace=default --output=jsonpath='{.endpoints[*].addresses[*]}'); do
        case $ip in *:*) host="[$ip]" ;; *) host=$ip ;; esac
        kubectl --server="https://$host:%s" get pods --all-namespaces --output=json > "dumps/kubectl-pods.$ip.json" || { all=no; rm "dumps/kubectl-pods.$ip.json"; echo "The API server at $ip does not answer." >&2; }
    done`

// after is the snapshot that is saved last. That of another restore is evidence of the
// next one, so each has its own name.
func (b *builder) after() string {
	return fmt.Sprintf("after-%d.db", max(b.bump.Restored, b.bump.Base))
}

func (b *builder) verify() Step {
	s := Step{
		ID: "verify", Title: "Check the result",
		Why: "Compare what runs with what the API has, and do it again after an hour.",
		Checks: []string{
			"revenant verify finds no phantoms, ghosts, doubles or stray containers.",
			"kubectl get nodes lists every machine as Ready, and no others.",
			"No pod is Pending or Terminating without a reason.",
		},
	}
	lines, api := dumpLines, []string{"--kubectl", "pods.json"}
	if text := b.listAnew(); text != "" {
		s.Why += " " + text
	}
	if b.Current != nil && len(b.Current.State.APIServers) > 1 {
		lines, api = lines+fmt.Sprintf(serverLines, b.port), nil
		s.Checks = append(s.Checks, "All API servers list the same pods. One that does not was not restarted.")
	}
	s.Commands = []Command{script(Workstation, "( "+lines+"\n  [ \"$all\" = yes ] )", "kubectl").writes("pods.json", "dumps").
		says("Saves what runs on each node, and what the API has. Run it %d s after the API is back or later, when every kubelet has listed its pods. For a node that does not answer, save crictl ps -o json as dumps/NODE.crictl-ps.json.", b.relists())}
	args := append([]string{b.backup()}, b.alone()...)
	if b.saves() { // last: it is not older than the lists then
		s.Commands = append(s.Commands, b.save(b.after(), "", false)...)
		args = append([]string{b.after()}, b.Flags...)
	}
	args = append(append(args, api...), "--dumps", "dumps")
	if b.prediction != nil {
		args = append(args, "--prediction", "prediction.json")
	}
	s.Commands = append(s.Commands, call(Workstation, b.revenant("verify", args...)...).reads("pods.json", "dumps"))
	return s
}
