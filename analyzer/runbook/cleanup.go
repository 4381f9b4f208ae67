package runbook

import (
	"fmt"
	"slices"

	"revenant/internal/words"
)

// cleanUp deletes what must not come back to life.
func (b *builder) cleanUp() Step {
	s := Step{
		ID: "clean-up", Title: "Delete what must not come back",
		Why: "A kubelet that lists starts every pod that the backup has, even those deleted since. And for about 50 seconds the scheduler takes nodes that are gone for ready ones.",
		Commands: []Command{
			script(Workstation, "[ -e cronjobs.txt ] || { "+b.kubectlLine("get cronjobs --all-namespaces --no-headers --output=custom-columns=NS:.metadata.namespace,NAME:.metadata.name,S:.spec.suspend > cronjobs.part &&\n    mv cronjobs.part cronjobs.txt; }"), "kubectl").writes("cronjobs.txt").
				says("CronJobs start the run that they last missed. This lists them, to suspend them."),
			b.suspend("true"),
		},
		Checks: []string{"Operators and GitOps tools that would undo this are scaled down or paused."},
	}
	switch {
	case b.plan.BumpRevision == 0:
		s.Why = "A kubelet that is restarted starts every pod that the backup has, even those deleted since. And for about 50 seconds the scheduler takes nodes that are gone for ready ones."
	case b.together:
		s.Why = "Controllers and scheduler run already, and kubelets list within seconds. Be quick, or delete afterwards what they have started."
	}
	b.eachNode(&s, b.dead, []string{"delete", "node", "--ignore-not-found"}, "without a machine", "Nodes whose machines are gone. Their pods go with them.")
	b.delete(&s, b.again, []string{"--wait=false"}, "Their work was finished or called off, and they would do it again.")
	b.delete(&s, b.revived, []string{"--wait=false"}, "They were deleted after the backup, and kubelets start them again. Delete those that you do not want.")
	b.delete(&s, b.fails, []string{"--wait=false"}, "They were deleted after the backup. Kubelets mark them Failed without running them, and their Jobs count that.")
	b.delete(&s, b.undelete, []string{"--wait=false"}, "The restore has taken their deletion back. Repeat it.")
	if b.kubeletsList() && !b.fenced() && !b.held() {
		b.deleteEnded(&s)
	}
	if b.kubeletsList() && !b.held() {
		private := ""
		if b.kubelets != "" {
			private = "With private nodes: "
		}
		for _, t := range b.pairs[:min(len(b.pairs), listed)] {
			if b.restartsWith[t.was.node] {
				continue // which was said where it starts
			}
			s.Warnings = append(s.Warnings, private+fmt.Sprintf("%s runs on %s, and %s starts its namesake. Nothing holds that node back here, so it runs twice until the first has stopped (%d s).", t.now, t.now.node, t.was.node, t.now.grace))
		}
	}
	if back := without(b.Backup.Facts.Namespaces, b.currentNamespaces()); len(back) > 0 {
		s.Warnings = append(s.Warnings, "Namespaces that were deleted after the backup are back, with what was in them: "+words.First(back, listed)+".")
	}
	if b.stale {
		s.Warnings = append(s.Warnings, "The API servers list what etcd has lost, and hide what it has again. Restart all of them before you delete a pod, and write this runbook again without --keep-apiservers.")
	}
	if b.prediction == nil {
		s.Warnings = append(s.Warnings, "The backup alone does not show which pods and nodes to delete. Compare kubectl get nodes with the machines that exist.")
	}
	return s
}

// suspend suspends or resumes the CronJobs that were not suspended.
func (b *builder) suspend(how string) Command {
	return script(Workstation, `while read -r ns name s; do [ "$s" = true ] || `+b.kubectlLine(`patch cronjob --namespace="$ns" "$name" --patch '{"spec":{"suspend":`+how+`}}' < /dev/null; done < cronjobs.txt`), "kubectl").reads("cronjobs.txt")
}

// currentNamespaces are the namespaces before the restore, those of the backup where
// nothing newer is known.
func (b *builder) currentNamespaces() []string {
	if b.Current == nil {
		return b.Backup.Facts.Namespaces
	}
	return b.Current.Facts.Namespaces
}

// cordons repeats what was done to nodes by hand after the backup.
func (b *builder) cordons() Step {
	s := Step{
		ID: "cordon", Title: "Cordon again",
		Why: "Nodes that were cordoned after the backup are schedulable again: the scheduler places pods on them as soon as it starts. Where one was drained, the pods that it had in the backup come back to it: drain it again once controllers run.",
	}
	if len(b.cordon) == 0 {
		s.Title, s.Why = "Uncordon again", "Nodes that were uncordoned after the backup are cordoned again: no pod is placed on them."
	}
	b.eachNode(&s, b.cordon, []string{"cordon"}, "to cordon", "")
	b.eachNode(&s, b.uncordon, []string{"uncordon"}, "to uncordon", "")
	if len(s.Commands)+len(s.Warnings) == 0 {
		return Step{}
	}
	for _, node := range b.missing {
		if slices.Contains(b.cordon, node) {
			s.Warnings = append(s.Warnings, "A node that is not in the backup can be cordoned once its kubelet has registered it: do it again then.")
			break
		}
	}
	return s
}

// eachNode has a command done to the first of the nodes, and says which the others are.
func (b *builder) eachNode(s *Step, nodes, command []string, which, comment string) {
	shown := nodes[:min(len(nodes), listed)]
	names, left := operands(shown)
	if len(names) > 0 {
		s.Commands = append(s.Commands, b.kubectl(append(command, names...)...).says("%s", comment))
	}
	if left > 0 {
		s.Warnings = append(s.Warnings, unwritten(left, "node"))
	}
	if n := len(nodes) - len(shown); n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more nodes %s: %s lists them.", n, which, b.predictCommand()))
	}
}

// unwritten says that n names are in no command.
func unwritten(n int, noun string) string {
	return words.CountOf(n, noun+" has", noun+"s have") + " a name that cannot be written into a command: no API server accepts such names."
}

func (b *builder) delete(s *Step, pods []pod, flags []string, comment string) {
	commands, warnings := b.deletions(pods, flags, comment)
	s.Commands = append(s.Commands, commands...)
	s.Warnings = append(s.Warnings, warnings...)
}
