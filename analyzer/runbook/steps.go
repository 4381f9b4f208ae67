package runbook

import (
	"fmt"
	"slices"

	"revenant/internal/words"
)

func (b *builder) freeze() Step {
	s := Step{
		ID: "freeze", Title: "Freeze what makes changes",
		Why:      "Controllers and the scheduler must not write before the restore, and must not see the restored state before it is cleaned up. They stop before the API servers do, and start after them.",
		Commands: b.profile.freeze,
		Checks: []string{
			"No controller manager and no scheduler runs on any node.",
			"Autoscalers, GitOps tools and pipelines that reach the API from outside are paused.",
		},
	}
	if b.together {
		s.Why = "Controllers and scheduler start together with the API servers here, and nothing holds them back. Pause at least what makes changes from outside."
		s.Checks = s.Checks[1:]
	}
	return s
}

func (b *builder) stop() Step {
	stopEtcd := b.stopEtcd
	if b.emptyNodes != nil {
		stopEtcd = b.emptyNodes(b)
	}
	s := Step{
		ID: "stop", Title: "Stop all API servers, then etcd",
		Why: "An API server that goes on running serves its old cache, and hides what etcd has lost. Stop all of them before any etcd: " +
			"with one left, what people and controllers see depends on which API server answers.",
		Commands: slices.Concat(b.stopAPI, stopEtcd),
		Checks:   []string{"No kube-apiserver and no etcd runs on any node. One that you forget keeps the old state alive."},
		Warnings: []string{"Restart no kubelet now. A restarted kubelet kills what the API does not know, within 2 seconds and without preStop hooks."},
	}
	if b.stopTitle != "" {
		s.Title, s.Why = b.stopTitle, b.stopWhy
		s.Checks = []string{"No etcd runs there."}
	}
	if b.plan.KeepAPIServers && len(stopEtcd) > 0 {
		s.Title, s.Commands = "Stop etcd", stopEtcd
		s.Why = "The plan leaves the API servers running. They drop their cache only if the restored revision is at least two above everything that they have seen."
		s.Checks = []string{"No etcd runs, on any node."}
	}
	if len(s.Commands) == 0 {
		return Step{}
	}
	return s
}

func (b *builder) startEtcd() Step {
	title := "Start etcd"
	switch {
	case len(b.profile.startEtcd) == 0:
		title = "Look at the revision"
	case b.together:
		title = "Start the control plane"
	}
	s := Step{
		ID: "start-etcd", Title: title,
		Why:      "The revision shows whether the restore did what was planned. If not, stop and restore again.",
		Commands: append(slices.Clone(b.profile.startEtcd), b.status()...),
	}
	switch {
	case b.bumps == BumpsNothing:
		s.Why = "A kubelet that has seen a higher revision than this stays deaf until it is restarted."
		s.Checks = []string{"Note the revision."}
		if b.recounts {
			s.Checks = append(s.Checks, fmt.Sprintf("It is near the number of keys. If it is %d or more, the former etcd still answers, and the restore has not ended.", b.bump.Base))
		}
	case b.bumps == BumpsItself && b.bump.Minimum > 0:
		s.Why = whyLook
		s.Checks = []string{fmt.Sprintf("The revision is %d or more, two above everything known to have been served. If it is lower, the bump was too small: restart all API servers and all kubelets.", b.bump.Base+b.bump.Minimum)}
		if b.atMost > b.bump.Base+b.bump.Minimum {
			s.Checks = append(s.Checks, fmt.Sprintf("If it is below %d, look at the pods of every node, as in the last steps. Watchers may have seen up to %d.", b.atMost+2, b.atMost))
		}
	case b.bumps == BumpsItself:
		s.Why = whyLook
		s.Checks = []string{"The revision is above everything that was served. If it is lower, the bump was too small: restart all API servers and all kubelets."}
	default:
		s.Checks = []string{fmt.Sprintf("The revision is %d or a little more, on every member.", b.bump.Restored)}
	}
	b.kubeletsOfServers(&s)
	return s
}

const whyLook = "The revision shows whether the platform's bump was large enough."

func (b *builder) startAPI() Step {
	if len(b.profile.startAPI) == 0 || b.plan.KeepAPIServers {
		return Step{}
	}
	s := Step{
		ID: "start-api", Title: "Start the API servers, and only them",
		Why:      "With controllers and scheduler still stopped, nothing changes the restored state while you clean it up. " + allTogether,
		Commands: b.profile.startAPI,
		Checks:   []string{"readyz of every API server answers ok.", "kubectl get nodes lists the nodes of the backup."},
	}
	if b.together {
		s.Title, s.Why = "Restart the API servers", "The platform's restore leaves them running, and their old cache hides what etcd has lost. "+allTogether
	}
	if b.fenced() {
		s.Commands = append(slices.Clip(s.Commands), script(Workstation, fmt.Sprintf("ssh -S revenant-tunnel -O check CONTROL_PLANE_NODE 2>/dev/null ||\n    ssh -M -S revenant-tunnel -f -N -o ExitOnForwardFailure=yes -L 16443:localhost:%s CONTROL_PLANE_NODE", b.port), "ssh").
			says("Opens a way past the fence for kubectl on this machine, through one control plane node."))
	}
	ready := b.kubectl("get", "--raw", "/readyz").whole()
	s.Commands = append(slices.Clip(s.Commands), wait(Workstation, "the API is ready", 300, ready.Run, "Look at the log of each API server.", "kubectl"), b.eachReady())
	return s
}

const allTogether = "Start all of them together. One that starts later begins at a later revision, and then some kubelets list again while others do not."

// startControllers starts what makes changes, after the kubelets have listed.
func (b *builder) startControllers() Step {
	if len(b.profile.startControllers) == 0 {
		return Step{}
	}
	s := Step{
		ID: "start-controllers", Title: "Start controllers and scheduler",
		Why:    "A pod must have stopped on one node before the scheduler places it on another, or it runs on both.",
		Checks: []string{"Before the scheduler starts, kubectl get nodes shows every living node as Ready."},
	}
	const patience = 600
	if b.longest > patience {
		s.Checks = append(s.Checks, fmt.Sprintf("Pods with a grace period of more than %d s have stopped, too. On their nodes, crictl ps shows none that the API does not have there.", patience))
	}
	switch {
	case b.stale:
		s.Warnings = append(s.Warnings, "The API servers hide what etcd holds, so nothing shows whether kubelets have listed. Start these only when every API server was restarted or has dropped its cache.")
	default:
		s.Why += fmt.Sprintf(" A kubelet may list its pods as late as %d s after the API is back. So look at what runs, and do not rely on a time.", b.relists())
		if b.longest > 0 {
			s.Why += fmt.Sprintf(" The longest grace period of what it stops then is %d s.", b.longest)
		}
		s.Commands = append(s.Commands, b.listed(b.relists()+60+min(b.longest, patience)))
	}
	if len(b.rebound) > 0 {
		s.Warnings = append(s.Warnings, "Kubelets stop these pods, too, because no scheduler has bound them again yet: "+words.First(podNames(b.rebound), listed)+". They start again on their node now. The prediction says that they run on.")
	}
	s.Commands = append(s.Commands, b.profile.startControllers...)
	b.refusals(&s)
	return s
}

// repair lists what stays wrong or lost, by class.
func (b *builder) repair() Step {
	s := Step{
		ID: "repair", Title: "Repair what remains",
		Why:      "No restore brings back what was done after the backup. Do it again where it is needed.",
		Commands: []Command{b.suspend("false").says("Resumes the CronJobs. First decide about the runs that they missed.")},
		Checks: []string{
			"Changes made after the backup are repeated: scaling, rollouts, configuration, rotated Secrets.",
			"A new backup is taken. All others are from before the restore.",
		},
	}
	if !b.kubeletsList() {
		b.deleteEnded(&s)
	}
	if len(b.namespaces) > 0 {
		s.Warnings = append(s.Warnings, "Namespaces that are lost, with everything in them: "+words.First(b.namespaces, listed)+".")
	}
	if len(b.bare) > 0 {
		s.Warnings = append(s.Warnings, "Pods without a controller that are lost: "+words.First(podNames(b.bare), listed)+". Create them again.")
	}
	if len(b.blocked) > 0 {
		s.Warnings = append(s.Warnings, "Pods that no node of the backup can take: "+words.First(podNames(b.blocked), listed)+". Set the label, uncordon the node or remove the gate again, as after the backup.")
	}
	b.repairUndone(&s)
	if b.saves() {
		s.Commands = append(s.Commands, b.keepNewest())
	}
	return s
}
