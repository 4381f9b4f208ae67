package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/ties"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

func (b *builder) startNewAPI() Step {
	s := Step{
		ID: "start-api", Title: "Start the API servers, and only them",
		Why:    "With controllers and scheduler still stopped, and no worker, nothing changes the restored state while you clean it up.",
		Checks: []string{"readyz of every API server answers ok.", "kubectl get nodes lists no old machine."},
	}
	if !b.holds() {
		s.Title, s.Why = "Ask the API", "Controllers and scheduler run already. Clean up at once."
	}
	s.Commands = slices.Clone(b.profile.startAPI)
	ready := b.kubectl("get", "--raw", "/readyz").whole()
	s.Commands = append(s.Commands,
		call(Workstation, "kubectl", newKubeconfig, "config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}").
			says("Prints where NEW_KUBECONFIG leads. It must be a new address: the old cluster takes the same credentials, and you would do all that follows to it."),
		wait(Workstation, "the API is ready", 300, ready.Run, "Look at the log of each API server.", "kubectl"),
		b.eachReady(),
		b.kubectl("get", "nodes"))
	return s
}

// cleanNew holds back what would act on what both clusters share.
func (b *builder) cleanNew() Step {
	s := Step{
		ID: "clean-up", Title: "Hold back what acts on what both clusters share",
		Why: "Schedules, Jobs, controllers with credentials and the deletion of volumes all start with the controllers.",
	}
	if !b.byFile() {
		b.eachNode(&s, b.oldNodes(), []string{"delete", "node", "--ignore-not-found"}, "of the old cluster", "Deletes the old machines, before the scheduler places anything on them.")
		s.Commands = append(s.Commands,
			b.kubectl("delete", "pods", "--all", "--all-namespaces", "--grace-period=0", "--force", "--wait=false").says("No kubelet ends these pods. Controllers make others."),
			b.kubectl("delete", "volumeattachments", "--all", "--wait=false"),
			b.kubectl("delete", "leases", "--all", "--namespace=kube-node-lease", "--ignore-not-found"),
		)
	}
	s.Commands = append(s.Commands,
		script(Workstation, "[ -e cronjobs.txt ] || { "+b.kubectlLine("get cronjobs --all-namespaces --no-headers --output=custom-columns=NS:.metadata.namespace,NAME:.metadata.name,S:.spec.suspend > cronjobs.part &&\n    mv cronjobs.part cronjobs.txt; }"), "kubectl").writes("cronjobs.txt").
			says("CronJobs start the run that they last missed. This lists them, to suspend them."),
		b.suspend("true"),
		script(Workstation, "[ -e volumes.txt ] || { kubectl get persistentvolumes --no-headers --output=custom-columns=NAME:.metadata.name,P:.spec.persistentVolumeReclaimPolicy > volumes.part && mv volumes.part volumes.txt; }\n"+
			`while read -r name policy; do [ "$policy" != Delete ] || kubectl patch persistentvolume "$name" --patch '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}' < /dev/null; done < volumes.txt`, "kubectl").writes("volumes.txt").
			says("Keeps every volume, whatever becomes of its claim. So neither cluster deletes a disk of the other."),
	)
	b.eachTie(&s, ties.JobAgain, "Jobs do their work again from the beginning. Suspend those that must not.", func(f *ties.Finding) []string {
		return []string{"patch", "job", "--namespace=" + f.Namespace, `--patch={"spec":{"suspend":true}}`, "--", f.Name}
	})
	if b.Ties.Summary[ties.ActsOutside] > 0 {
		s.Commands = append(s.Commands, script(Workstation, "[ -e replicas.txt ] || { kubectl get deployments,statefulsets --all-namespaces --no-headers --output=custom-columns=KIND:.kind,NS:.metadata.namespace,NAME:.metadata.name,N:.spec.replicas > replicas.part && mv replicas.part replicas.txt; }", "kubectl").writes("replicas.txt").
			says("How many pods each has, for later."))
	}
	b.eachTie(&s, ties.ActsOutside, "", func(f *ties.Finding) []string {
		if f.Kind == "daemonsets" {
			return []string{"patch", "daemonset", "--namespace=" + f.Namespace, `--patch={"spec":{"template":{"spec":{"nodeSelector":{"held-back":"true"}}}}}`, "--", f.Name}
		}
		return []string{"scale", strings.TrimSuffix(f.Kind, "s"), "--namespace=" + f.Namespace, "--replicas=0", "--", f.Name}
	})
	if b.id == Kubeadm {
		for _, phase := range [][]string{{"upload-config", "all"}, {"bootstrap-token"}, {"addon", "kube-proxy"}} {
			s.Commands = append(s.Commands, call(ControlPlane, slices.Concat([]string{"kubeadm", "init", "phase"}, phase, []string{"--config=KUBEADM_CONFIG"})...).root())
		}
		last := &s.Commands[len(s.Commands)-3]
		*last = last.says("Puts the new endpoint into kubeadm-config, cluster-info and kube-proxy. Leave the last one out where there is no kube-proxy.")
	}
	b.eachTie(&s, ties.Address, "Says where the API is: put the new endpoint in.", func(f *ties.Finding) []string {
		return []string{"edit", "configmap", "--namespace=" + f.Namespace, "--", f.Name}
	})
	b.lookAt(&s, ties.LoadBalancer, "Load balancers that a cloud controller takes over by the uid of their Service. Do not start it while the old cluster uses them; changing or deleting these Services has it delete the load balancer: ")
	b.lookAt(&s, ties.VolumeShared, "Volumes whose disks both clusters reach. Detach them from the old machines, or give this cluster copies: ")
	b.lookAt(&s, ties.VolumeLocal, "Volumes that stayed on old machines. Bring their data by its own backup, and delete claim and volume: ")
	b.lookAt(&s, ties.EndpointHand, "Services with endpoints made by hand: look at each address: ")
	b.lookAt(&s, ties.ExternalIP, "Services with external addresses: ")
	b.lookAt(&s, ties.WebhookURL, "Webhooks that API servers call by URL: ")
	b.lookAt(&s, ties.CertOrder, "cert-manager would go on with: ")
	b.lookAt(&s, ties.Pinned, "Workloads that ask for an old node by name: ")
	b.lookAt(&s, ties.NetworkState, "What the network plug-in keeps. Look with its own tool what is left of old nodes once the new ones have joined: ")
	b.undone(&s, inBetween)
	b.lookAt(&s, ties.Unread, "Not checked, because it could not be read: ")
	return s
}

// eachTie has a command done for the first findings of an id, and says how many more
// there are.
func (b *builder) eachTie(s *Step, id ties.ID, comment string, args func(*ties.Finding) []string) {
	list := b.Ties.Of(id)
	lost := 0
	for i := range list[:min(len(list), listed)] {
		f := &list[i]
		argv := args(f)
		if slices.ContainsFunc(argv, func(w string) bool { _, ok := sanitize.ShellWord(w); return !ok || w == "" }) || f.Name == "" {
			lost++
			continue
		}
		said := comment
		if said == "" {
			said = "Acts outside: " + f.Detail + "."
		}
		s.Commands = append(s.Commands, b.kubectl(argv...).says("%s", said))
		if comment != "" {
			comment = " "
		}
	}
	if lost > 0 {
		s.Warnings = append(s.Warnings, unwritten(lost, "object"))
	}
	if n := b.Ties.Summary[id] - min(len(list), listed); n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more (%s): %s lists them.", n, id, b.ontoCommand()))
	}
}

// lookAt adds a check that names the findings of an id.
func (b *builder) lookAt(s *Step, id ties.ID, text string) {
	list := b.Ties.Of(id)
	if len(list) == 0 {
		return
	}
	var names []string
	for i := range list[:min(len(list), listed)] {
		f := &list[i]
		switch name := strings.TrimPrefix(f.Object(), f.Kind+" "); {
		case id == ties.Unread || f.Name == "":
			names = append(names, strings.TrimPrefix(f.Detail+" of "+f.Kind, " of "))
		default:
			names = append(names, name)
		}
	}
	s.Checks = append(s.Checks, text+words.FirstOf(names, len(names), b.Ties.Summary[id])+".")
}

// startNewControllers is the point of no return.
func (b *builder) startNewControllers() Step {
	if !b.holds() {
		return Step{}
	}
	s := Step{
		ID: "start-controllers", Title: "Start controllers and scheduler",
		Why: "This is the point of no return: from here on the new cluster acts on everything that it can reach. There is no worker yet, so little can run.",
		Checks: []string{
			"The proof of the first step still holds.",
			"kubectl get nodes,volumeattachments shows nothing of the old cluster.",
		},
		Commands: []Command{b.kubectl("get", "nodes,volumeattachments")},
	}
	if b.server() == "" {
		s.Commands = slices.Concat(s.Commands, b.profile.startControllers)
		return s
	}
	s.Commands = append(s.Commands,
		call(FirstServer, "rm", "-f", b.holdFile()).root(),
		systemctl(FirstServer, "restart", b.server()))
	return s
}

// joinNodes lets the new machines in.
func (b *builder) joinNodes() Step {
	s := Step{
		ID: "join-nodes", Title: "Join the new nodes, one first",
		Why: "A node that joins gets the pods of DaemonSets, and pods that wait. The first node shows what goes wrong while that is still little.",
		Checks: []string{
			"The first node is Ready, the network plug-in and DNS run on it, and no pod waits for an old node or volume. Then join the others.",
			"Each has a name that no old machine had.",
		},
	}
	switch {
	case b.id == Kubeadm:
		s.Commands = append(s.Commands,
			call(ControlPlane, "kubeadm", "init", "phase", "mark-control-plane", "--config=KUBEADM_CONFIG").root(),
			call(ControlPlane, "kubeadm", "token", "create", "--print-join-command").root().says("Prints what to run on each new worker; on further control plane nodes with --control-plane and the key that the next line prints."),
			call(ControlPlane, "kubeadm", "init", "phase", "upload-certs", "--upload-certs").root())
	case b.server() != "":
		s.Commands = append(s.Commands, systemctl(OtherServers, "start", b.server()).says("Installed with the server URL of the first one, and the same token."),
			systemctl(EveryNode, "start", b.kubelet).says("Starts the agents."))
	case b.id == Talos:
		s.Commands = append(s.Commands, script(Workstation, `for node in WORKER_IPS; do
    talosctl apply-config --insecure --nodes="$node" --file=worker.yaml || break
done`, "talosctl"))
	case b.id == Generic:
		s.Commands = append(s.Commands, systemctl(EveryNode, "start", b.kubelet))
	default:
		s.Commands = append(s.Commands, b.kubectl("get", "nodes"))
		s.Checks = append(s.Checks, "Nodes join as they do on "+b.title+".")
	}
	b.lookAt(&s, ties.WebhookBlocks, "If pods are refused because a webhook does not answer, save its configuration, delete it, and let its operator create it again: ")
	return s
}

func (b *builder) verifyNew() Step {
	alone := *b
	alone.Current, alone.Comparison, alone.NewestFlags = nil, nil, nil
	s := alone.verify()
	s.Checks = append(s.Checks, "Still nothing of the old cluster answers, and its storage and cloud account show no writer but this one.")
	return s
}

// takeOver is the end: what only a cluster that replaces the old one does.
func (b *builder) takeOver() Step {
	s := Step{
		ID: "take-over", Title: "Replacement only: take over what the old cluster did",
		Why:      "A copy stays cut off, and needs nothing more. A replacement starts what was held back, one by one, and each only when the old cluster cannot do the same.",
		Commands: []Command{b.suspend("false").says("Resumes the CronJobs. First decide about the runs that they missed.")},
		Checks: []string{
			"DNS names, registries, certificates and kubeconfigs outside lead to the new API, and to the new load balancers.",
			"Volumes that had the reclaim policy Delete (volumes.txt) get it back, if that is still wanted.",
			"Whatever watched the old API servers from outside, and goes on against the new ones, was restarted; or the backup was restored with a bump above all that it has seen.",
			"A new backup is taken.",
			"The old machines are destroyed, or can never start again.",
		},
	}
	b.eachTie(&s, ties.JobAgain, "Resumes the Jobs whose work may be done again.", func(f *ties.Finding) []string {
		return []string{"patch", "job", "--namespace=" + f.Namespace, `--patch={"spec":{"suspend":false}}`, "--", f.Name}
	})
	b.undone(&s, afterwards)
	b.webhooksBack(&s)
	if b.Ties.Summary[ties.ActsOutside] > 0 {
		s.Checks = append(s.Checks, "Controllers that act outside are scaled back one by one, to what replicas.txt has: of DaemonSets the node selector held-back is taken away.")
	}
	return s
}
