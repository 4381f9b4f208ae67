package runbook

import (
	"fmt"
	"strings"

	"revenant/decoder/sanitize"
)

// forceLines delete a pod by force, where it is still the one that is meant and nothing of
// it runs. The node is asked for what its runtime runs: /pods has what is wanted there, and
// /runningpods what the runtime has, pods whose containers have ended left out (kubernetes
// v1.37 pkg/kubelet/server/server.go getRunningPods, pkg/kubelet/container/runtime.go
// ToAPIPod).
const forceLines = `end=0; gone() { uid=$(KUBECTL get pod --namespace="$1" --ignore-not-found --output=jsonpath='{.metadata.uid}' -- "$2") && runs=$(KUBECTL get --raw "/api/v1/nodes/$4/proxy/runningpods/") ||
      { echo "$1/$2 stays, because the API or $4 does not answer. Look on $4 (crictl ps). If that machine is gone, delete its Node object." >&2; end=1; return; }
    [ "$uid" = "$3" ] || return 0
    case $runs in *"\"$3\""*) echo "$1/$2 stays, because it runs on $4. Delete it without --force: its kubelet stops it." >&2; end=1; return ;; esac
    KUBECTL delete pod --namespace="$1" --grace-period=0 --force -- "$2" || end=1; }`

// deleteEnded deletes pods whose kubelets have nothing more to say of them. Until that is
// done, the API shows as running what does not run. A kubelet that is kept away from the API
// cannot be asked: it has the API authorize who asks (cmd/kubelet/app/auth.go BuildAuthz).
func (b *builder) deleteEnded(s *Step) {
	var calls []string
	lost := 0
	for _, p := range b.force[:min(len(b.force), listed)] {
		words := []string{"gone"}
		for _, w := range []string{p.namespace, p.name, p.uid, p.node} {
			if quoted, ok := sanitize.ShellWord(w); ok && w != "" {
				words = append(words, quoted)
			}
		}
		if len(words) < 5 || !hostName.MatchString(p.node) {
			lost++
			continue
		}
		calls = append(calls, strings.Join(words, " "))
	}
	if len(calls) > 0 {
		lines := strings.ReplaceAll(forceLines, "KUBECTL", strings.TrimSpace(b.kubectlLine("")))
		s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf("( %s\n  %s\n  exit $end )", lines, strings.Join(calls, "\n  ")), "kubectl").
			says("These pods had ended, and deleting them without force hangs. A pod that runs is not deleted, and neither is one whose node does not answer."))
	}
	if lost > 0 {
		s.Warnings = append(s.Warnings, unwritten(lost, "pod"))
	}
	if n := len(b.force) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more: %s lists them.", n, b.predictCommand()))
	}
}
