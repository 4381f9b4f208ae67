package runbook

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
)

// takeStock keeps the evidence and looks for a better upper bound.
func (b *builder) takeStock() Step {
	s := Step{
		ID: "take-stock", Title: "Take stock",
		Why: "The bump must pass the newest revision that was ever served. Only what is kept now can still tell it.",
		Commands: []Command{
			{b.revenant("inspect", b.backup()), workstation, "Is the backup whole?"},
			b.save("newest.db", "If etcd still answers: the best CURRENT there is."),
			{"curl --silent " + b.metrics + " | grep '^etcd_debugging_mvcc_current_revision'", "an etcd node, or ask your monitoring for its last value", "The newest revision. Allow for what was written after the value was taken."},
			{b.planCommand(), workstation, "Write this runbook anew with what you found."},
		},
		Checks: []string{
			"revenant inspect finds no damage, and the backup is the one that is meant.",
			"The data directory of every dead member is kept: its db and its log are the newest state there is.",
		},
	}
	if b.Backup.Facts.Packed != "" {
		s.Commands = slices.Insert(s.Commands, 1, Command{
			b.revenant("salvage", b.backup(), "-o", plainBackup), workstation,
			"The backup is packed (" + b.Backup.Facts.Packed + "), and restores take plain snapshots only: this makes one, with its trailer.",
		})
	}
	if b.plan.BumpRevision > 0 {
		s.Checks = append(s.Checks, fmt.Sprintf("No resourceVersion in the logs of kubelets, API servers and controllers is %d or more.", b.bump.Restored))
	}
	if b.prediction != nil {
		s.Commands = append(s.Commands, Command{b.predictCommand() + " -o json=prediction.json", workstation, "Kept for the comparison afterwards."})
	}
	for i := range b.Evidence {
		if e := &b.Evidence[i]; damaged(e) {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s (%s) is damaged. Look for another one before you go on; etcdutl restores nothing whose hash is wrong.", e.Path, e.Role))
		}
	}
	return s
}

func (b *builder) freeze() Step {
	s := Step{
		ID: "freeze", Title: "Freeze what makes changes",
		Why:      "Controllers and the scheduler must not write before the restore, and must not see the restored state before it is cleaned up. They stop before the API servers, and start after them.",
		Commands: b.profile.freeze,
		Checks: []string{
			"No controller manager and no scheduler runs, on any node.",
			"Autoscalers, GitOps tools and pipelines that reach the API from outside are paused.",
		},
	}
	if b.together {
		s.Why = "Controllers and scheduler start together with the API servers here and cannot be held back: pause what makes changes from outside."
		s.Checks = s.Checks[1:]
	}
	return s
}

func (b *builder) stop() Step {
	s := Step{
		ID: "stop", Title: "Stop all API servers, then etcd",
		Why:      "An API server that is left running serves its old cache and hides what etcd has lost. All of them are stopped before etcd is.",
		Commands: slices.Concat(b.stopAPI, b.stopEtcd),
		Checks:   []string{"No kube-apiserver and no etcd runs, on any node: one that was forgotten keeps the old state alive."},
		Warnings: []string{"Restart no kubelet now: one that is restarted kills what the API does not know within 2 seconds, without preStop hooks."},
	}
	if b.stopTitle != "" {
		s.Title, s.Why = b.stopTitle, b.stopWhy
		s.Checks = []string{"No kube-apiserver and no etcd runs there."}
	}
	if b.plan.KeepAPIServers {
		s.Title, s.Commands = "Stop etcd", b.stopEtcd
		s.Why = "The plan leaves the API servers running. They drop their cache only if the restored revision is two above all they have seen."
		s.Checks = []string{"No etcd runs, on any node."}
	}
	if len(s.Commands) == 0 {
		return Step{}
	}
	return s
}

// restore makes the restored store.
func (b *builder) restore() Step {
	s := Step{ID: "restore", Title: "Restore with a bump", Why: b.whyBump()}
	if b.plan.BumpRevision == 0 {
		s.Title = "Restore"
	}
	hand := b.bumps == BumpsDataDirectory || b.bumps == BumpsSnapshot && b.plan.BumpRevision > 0
	if hand && b.plan.BumpRevision > 0 {
		s.Commands = append(s.Commands, Command{b.etcd.program + " snapshot restore --help | grep -e --bump-revision", b.where(), "Prints a line, or the program is too old. " + b.etcd.needs})
	}
	switch {
	case b.bumps == BumpsDataDirectory:
		b.restoreByHand(&s)
	case b.bumps == BumpsSnapshot && b.plan.BumpRevision > 0:
		b.restoreBumped(&s)
	default:
		b.restoreOwnWay(&s)
	}
	switch b.bump.Verdict {
	case restore.BumpSmall:
		if b.noBump {
			break // which is among the warnings of the plan
		}
		s.Warnings = append(s.Warnings, fmt.Sprintf("This bump is too small. %d or more are needed to pass what is known to have been served; kubelets that have seen more stay deaf.", b.bump.Minimum))
	case restore.BumpUnsure:
		s.Warnings = append(s.Warnings, b.whyUnsure())
	}
	if hand && b.Backup.Facts.NoTrailer {
		s.Warnings = append(s.Warnings, "The backup has no SHA-256 trailer: it is a copy of a db file. --skip-hash-check is needed, and nothing proves that it is whole.")
	}
	return s
}

// where is where etcdutl runs.
func (b *builder) where() string {
	if b.bumps == BumpsDataDirectory {
		return "every etcd node"
	}
	return restoreHost
}

func (b *builder) whyBump() string {
	switch {
	case b.plan.BumpRevision == 0:
		return b.bump.Reason
	case b.bump.Verdict == restore.BumpSmall:
		return fmt.Sprintf("The backup is at revision %d. %d more puts the store at %d.", b.bump.Base, b.bump.Revision, b.bump.Restored)
	case b.bumps == BumpsItself:
		return "The bump must put the store above all that watchers have seen: then their watches are refused, and they list anew."
	}
	where := "above all that watchers can have seen: their watches are refused, and they list anew"
	if b.bump.Verdict != restore.BumpEnough {
		where = "and the watches of all who have seen less are refused: they list anew"
	}
	return fmt.Sprintf("The backup is at revision %d. %d more puts the store at %d, %s.", b.bump.Base, b.bump.Revision, b.bump.Restored, where)
}

func (b *builder) whyUnsure() string {
	if b.Comparison == nil {
		return fmt.Sprintf("Whether anything above revision %d was served cannot be told from the backup alone. If it was, take a larger bump.", b.bump.Restored)
	}
	return "The bump is enough only if little was written after the current snapshot."
}

// flags are etcdutl's flags for the bump and the trailer.
func (b *builder) flags() []string {
	var list []string
	if b.plan.BumpRevision > 0 {
		list = append(list, fmt.Sprintf("--bump-revision=%d --mark-compacted", b.plan.BumpRevision))
	}
	if b.Backup.Facts.NoTrailer {
		list = append(list, "--skip-hash-check")
	}
	return list
}

func (b *builder) restoreByHand(s *Step) {
	members, cluster, known := b.members()
	data := b.dataDir
	s.Commands = append(s.Commands, Command{
		fmt.Sprintf("mv %s %s.before-restore", data, data), "every etcd node", "etcdutl refuses a directory that is not empty; this one is evidence.",
	})
	for _, m := range members {
		parts := []string{
			b.etcd.program + " snapshot restore " + b.plain(),
			"--data-dir=" + data,
			"--name=" + m.name,
			"--initial-cluster=" + cluster,
			fmt.Sprintf("--initial-cluster-token=restored-%d", b.bump.Restored),
			"--initial-advertise-peer-urls=" + m.peers,
		}
		s.Commands = append(s.Commands, Command{lines(append(parts, b.flags()...)...), m.where, ""})
	}
	s.Commands = append(s.Commands, Command{
		fmt.Sprintf("%s snapshot status %s/member/snap/db --write-out=json", b.etcd.program, data), "every etcd node", "",
	})
	s.Checks = append(s.Checks,
		fmt.Sprintf("revision is %d on every member.", b.bump.Restored),
		fmt.Sprintf("%s has the owner and mode of %s.before-restore.", data, data),
	)
	if len(members) > 1 || !known {
		s.Warnings = append(s.Warnings, "Every member is restored from the same file with the same bump. One that differs corrupts the cluster.")
	}
	if !known {
		s.Warnings = append(s.Warnings, "The backup does not name its members: fill in name, peer URLs and cluster as etcd is started with them.")
	}
}

// restoreBumped makes a snapshot that has the bump in it: the db of a restored
// member with its SHA-256 behind it, which is what restores check (etcdutl/v3 v3.7
// snapshot/v3_snapshot.go copyAndVerifyDB).
func (b *builder) restoreBumped(s *Step) {
	parts := append([]string{b.etcd.program + " snapshot restore " + b.plain(), "--data-dir=bumped.etcd"}, b.flags()...)
	s.Commands = append(s.Commands,
		Command{lines(parts...), restoreHost, "A data directory of a single member, for its db only."},
		Command{"cp bumped.etcd/member/snap/db bumped.db", restoreHost, ""},
		Command{"openssl dgst -sha256 -binary bumped.etcd/member/snap/db >> bumped.db", restoreHost, "The trailer that restores check."},
		Command{b.etcd.program + " snapshot status bumped.db --write-out=json", restoreHost, ""},
	)
	s.Checks = append(s.Checks, fmt.Sprintf("revision is %d.", b.bump.Restored))
	b.restoreOwn(s, "bumped.db")
}

func (b *builder) restoreOwnWay(s *Step) {
	if b.bumps == BumpsItself {
		s.Title = "Restore with the platform's own bump"
	}
	if b.Backup.Facts.Packed == "zip" || strings.HasPrefix(b.Backup.Facts.Packed, "zip,") {
		b.restoreOwn(s, b.backup()) // as K3s and RKE2 save them
		return
	}
	b.restoreOwn(s, b.plain())
}

func (b *builder) restoreOwn(s *Step, snapshot string) {
	for _, c := range b.profile.restoreOwn {
		c.Run = strings.ReplaceAll(c.Run, "$snapshot", snapshot)
		s.Commands = append(s.Commands, c)
	}
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
		Why:      "The revision shows whether the restore did what was planned. If it did not, stop and restore again.",
		Commands: append(slices.Clone(b.profile.startEtcd), b.status()),
	}
	if len(b.Backup.Facts.Alarms) > 0 {
		s.Commands = append(s.Commands, Command{b.etcdctl("alarm list"), "an etcd node", "The backup has alarms that are raised: etcd refuses writes until they are disarmed."},
			Command{b.etcdctl("alarm disarm"), "an etcd node", ""})
	}
	switch {
	case b.bumps == BumpsNothing:
		s.Why = "The revision shows how long a kubelet would stay deaf that is not restarted."
		s.Checks = []string{"Note the revision: every kubelet that has seen more is deaf."}
	case b.bumps == BumpsItself && b.atMost > 0:
		s.Checks = []string{fmt.Sprintf("The revision is %d or more, two above all that can have been served. If it is not, the bump was too small: restart all API servers and all kubelets, or restore again.", b.atMost+2)}
	case b.bumps == BumpsItself:
		s.Checks = []string{"The revision is above all that was served. If it is not, the bump was too small: restart all API servers and all kubelets, or restore again."}
	default:
		s.Checks = []string{fmt.Sprintf("The revision is %d or a little more, on every member.", b.bump.Restored)}
	}
	return s
}

// fenced says whether all kubelets are kept away from the API while it is cleaned
// up.
func (b *builder) fenced() bool {
	return b.bumps == BumpsDataDirectory && b.kubeletsList() && len(b.again)+len(b.revived)+len(b.fails) > 0
}

// held says whether nodes are held back so that no identity runs twice.
func (b *builder) held() bool {
	return b.stopKubelet != "" && b.kubelets == "" && b.kubeletsList() && len(b.pairs) > 0
}

// kubeletsList says whether kubelets list by themselves once the API is back.
func (b *builder) kubeletsList() bool {
	return b.prediction != nil && b.plan.BumpRevision > 0 && !b.plan.KeepAPIServers && b.bump.Verdict != restore.BumpSmall
}

const reject = "-j REJECT --reject-with tcp-reset"

// fence keeps kubelets from listing too early.
func (b *builder) fence() Step {
	if !b.fenced() && !b.held() {
		return Step{}
	}
	s := Step{
		ID: "fence", Title: "Keep kubelets away from the API",
		Checks:   []string{"The port is refused at once, not timed out: a refused kubelet waits, and changes nothing."},
		Warnings: []string{"Inferred from how a kubelet resumes its watch; not run on whole clusters. Without it the steps below still hold, but kubelets are faster than you."},
	}
	var why []string
	if b.fenced() {
		why = append(why, "Kubelets list their pods 4 to 14 seconds after the API is back, and start what they find. Blocked, they leave you time to delete.")
		s.Commands = append(s.Commands, Command{fmt.Sprintf("iptables -I INPUT -p tcp --dport %s ! -i lo %s", b.port, reject), allControlPlane, "Only the node itself, and so its own kubelet, reaches its API server."})
	}
	if b.held() {
		why = append(why, fmt.Sprintf("%s a namesake in the backup on another node. That node waits until the running one has stopped, or the identity runs twice.", have(len(b.pairs), "running pod")))
		for _, node := range b.heldBack() {
			s.Commands = append(s.Commands, Command{fmt.Sprintf("iptables -I OUTPUT -p tcp --dport %s %s", b.port, reject), node, ""})
		}
	}
	s.Why = strings.Join(why, " ")
	return s
}

// heldBack are the nodes that must not list before another one has.
func (b *builder) heldBack() []string {
	var nodes []string
	for _, t := range b.pairs[:min(len(b.pairs), listed)] {
		nodes = append(nodes, t.was.node)
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

func (b *builder) startAPI() Step {
	if len(b.profile.startAPI) == 0 || b.plan.KeepAPIServers {
		return Step{}
	}
	s := Step{
		ID: "start-api", Title: "Start the API servers, and only them",
		Why:      "With controllers and scheduler still stopped, the restored state stands still while it is cleaned up.",
		Commands: append(slices.Clone(b.profile.startAPI), Command{"kubectl get --raw /readyz", adminHost, ""}),
		Checks:   []string{"readyz answers ok.", "kubectl get nodes lists the nodes of the backup."},
	}
	if b.fenced() {
		s.Checks = append(s.Checks, "kubectl runs on a control plane node and reaches the API server there, not a load balancer: --server=https://NODE_IP:"+b.port+".")
	}
	return s
}

// cleanUp deletes what must not come back to life.
func (b *builder) cleanUp() Step {
	s := Step{
		ID: "clean-up", Title: "Delete what must not come back",
		Why: "A kubelet that lists starts what the backup has and the cluster had deleted. The scheduler takes nodes that are gone for ready for about 50 seconds.",
		Commands: []Command{
			{"kubectl get cronjobs --all-namespaces --no-headers --output=custom-columns=NS:.metadata.namespace,NAME:.metadata.name,S:.spec.suspend |\n    grep -v 'true$' > cronjobs.txt", adminHost, "CronJobs run again the slot that they last missed: suspend them in the restored state."},
			{`while read -r ns name s; do kubectl patch cronjob --namespace="$ns" "$name" --patch '{"spec":{"suspend":true}}'; done < cronjobs.txt`, adminHost, ""},
		},
		Checks: []string{"Operators and GitOps tools that would undo this are scaled down or paused."},
	}
	switch {
	case b.plan.BumpRevision == 0:
		s.Why = "A kubelet that is restarted starts what the backup has and the cluster had deleted. The scheduler takes nodes that are gone for ready for about 50 seconds."
	case b.together:
		s.Why = "Controllers and scheduler are running by now, and kubelets list within seconds: be quick, or delete afterwards what was started."
	}
	b.eachNode(&s, b.dead, "kubectl delete node", "without a machine", "Machines that no longer exist. Their pods go with them.")
	b.delete(&s, b.again, " --wait=false", "Their work was done or called off: they would run again.")
	b.delete(&s, b.revived, " --wait=false", "Deleted after the backup, and started again: delete those that are not wanted.")
	b.delete(&s, b.fails, " --wait=false", "Deleted after the backup: a kubelet marks them Failed without running them, and a Job counts that.")
	b.delete(&s, b.undelete, " --wait=false", "Their deletion was taken back: repeat it.")
	if back := without(b.Backup.Facts.Namespaces, b.currentNamespaces()); len(back) > 0 {
		s.Warnings = append(s.Warnings, "Namespaces that were deleted after the backup are back, with what was in them: "+some(back)+".")
	}
	if b.stale {
		s.Warnings = append(s.Warnings, "The API servers list what etcd has lost, and hide what it has again: restart all of them before you delete a pod, and write this runbook anew without --keep-apiservers.")
	}
	if b.prediction == nil {
		s.Warnings = append(s.Warnings, "Which pods and nodes to delete cannot be told from the backup alone: compare kubectl get nodes with the machines that exist.")
	}
	return s
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
	b.eachNode(&s, b.cordon, "kubectl cordon", "to cordon", "")
	b.eachNode(&s, b.uncordon, "kubectl uncordon", "to uncordon", "")
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
func (b *builder) eachNode(s *Step, nodes []string, command, which, comment string) {
	shown := nodes[:min(len(nodes), listed)]
	names, left := operands(shown)
	if names != "" {
		s.Commands = append(s.Commands, Command{command + names, adminHost, comment})
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
	return have(n, noun) + " a name that cannot be written into a command: no API server accepts such names."
}

func (b *builder) delete(s *Step, pods []pod, flags, comment string) {
	commands, warnings := b.deletions(pods, flags, comment)
	s.Commands = append(s.Commands, commands...)
	s.Warnings = append(s.Warnings, warnings...)
}

// letIn takes the fence away, in the order in which kubelets may list.
func (b *builder) letIn() Step {
	if !b.fenced() && !b.held() {
		return Step{}
	}
	s := Step{
		ID: "let-in", Title: "Let kubelets list",
		Why: "Each kubelet lists its pods, stops what the API does not know with the pod's own grace period, and starts what it is missing.",
	}
	if b.fenced() {
		s.Commands = append(s.Commands, Command{fmt.Sprintf("iptables -D INPUT -p tcp --dport %s ! -i lo %s", b.port, reject), allControlPlane, ""})
	}
	if b.held() {
		b.letInHeld(&s)
	}
	if n := len(b.pairs) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more pods with a namesake on another node: %s lists them (%s).", n, b.predictCommand(), restore.FlagSameNameOtherNode))
	}
	return s
}

// letInHeld lets the nodes in that were held back, each when the pods that it waits
// for have stopped.
func (b *builder) letInHeld(s *Step) {
	nodes, left := b.order(b.heldBack())
	for _, node := range nodes {
		for _, t := range b.pairs[:min(len(b.pairs), listed)] {
			if t.was.node == node && !slices.Contains(left, t) {
				s.Commands = append(s.Commands, stillRuns(t)...)
			}
		}
		s.Commands = append(s.Commands, Command{fmt.Sprintf("iptables -D OUTPUT -p tcp --dport %s %s", b.port, reject), node, "Once the lines above print nothing."})
	}
	for _, t := range left {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s It runs twice for up to %d s.", unordered(t), t.now.grace))
	}
}

// unordered says that an identity runs twice because nodes wait for each other.
func unordered(t twins) string {
	return fmt.Sprintf("%s runs on %s, and %s starts its namesake before it has stopped, for the nodes wait for each other.", t.now, t.now.node, t.was.node)
}

// stillRuns looks whether the running one of two namesakes has stopped.
func stillRuns(t twins) []Command {
	label, ok := uidLabel(t.now.uid)
	if !ok {
		return nil
	}
	return []Command{{
		"crictl ps --quiet --label " + label, t.now.node,
		fmt.Sprintf("Prints nothing once %s has stopped here: then %s may start its namesake.", t.now, t.was.node),
	}}
}

// uidLabel selects the containers of a pod, as a word.
func uidLabel(uid string) (label string, ok bool) {
	label, ok = sanitize.ShellWord("io.kubernetes.pod.uid=" + uid)
	return label, ok && uid != ""
}

// startControllers starts what makes changes, after the kubelets have listed.
func (b *builder) startControllers() Step {
	if len(b.profile.startControllers) == 0 {
		return Step{}
	}
	wait := "Kubelets list 4 to 14 seconds after they reach the API, and stop pods with their grace period."
	if b.longest > 0 {
		wait = fmt.Sprintf("%s The longest is %d s.", wait, b.longest)
	}
	const patience = 600
	checks := []string{"Before the scheduler starts, kubectl get nodes shows every living node Ready."}
	if b.longest > patience {
		checks = append(checks, fmt.Sprintf("Pods with a grace period of more than %d s have stopped, too: on their nodes, crictl ps shows none that the API does not have there.", patience))
	}
	seconds := max(60, 15+min(b.longest, patience))
	var warnings []string
	if len(b.rebound) > 0 {
		warnings = append(warnings, "Stopped by their kubelets, too, because no scheduler has bound them again by then: "+some(podNames(b.rebound))+". They start anew on their node now; the prediction has them run on.")
	}
	return Step{
		ID: "start-controllers", Title: "Start controllers and scheduler",
		Why: "A pod that is stopped on one node must be gone before the scheduler places it on another, or it runs on both.",
		Commands: append([]Command{
			{fmt.Sprintf("sleep %d", seconds), adminHost, wait},
		}, b.profile.startControllers...),
		Checks:   checks,
		Warnings: warnings,
	}
}

// restartKubelets restarts those that do not come right by themselves.
func (b *builder) restartKubelets() Step {
	s := Step{ID: "restart-kubelets", Title: "Restart kubelets"}
	if b.kubelets != "" {
		s.Warnings = append(s.Warnings, b.kubelets)
	}
	if b.prediction == nil {
		return b.restartUnknown(s)
	}
	nodes := append(slices.Clone(b.deaf), b.missing...)
	slices.Sort(nodes)
	nodes, left := b.order(slices.Compact(nodes))
	if len(nodes) == 0 {
		return Step{}
	}
	s.Why = "These kubelets do not come right by themselves. One by one: a restarted kubelet kills what the API does not know within 2 seconds, without preStop hooks."
	if len(b.deaf) == 0 {
		s.Why = "These nodes came after the backup: a kubelet registers its node only when it starts, and kills within 2 seconds, without preStop hooks, what the API does not know."
	}
	if len(b.deaf) == 0 && !b.stale {
		s.Why += " Under the bump no other kubelet needs a restart."
	}
	for i, node := range nodes[:min(len(nodes), listed)] {
		b.stopFirst(&s, node)
		s.Commands = append(s.Commands, Command{b.restartKubelet, node, b.whyHere(node, nodes[:i])})
	}
	if n := len(nodes) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more nodes, in this order: %s.", n, some(nodes[listed:])))
	}
	for _, t := range left[:min(len(left), listed)] {
		s.Warnings = append(s.Warnings, unordered(t)+" It runs twice until its own node is restarted: do that at once.")
	}
	s.Checks = append(s.Checks, "After each: kubectl get node shows it Ready, and its pods are as expected. Then the next.")
	return s
}

// restartUnknown is the step when no node is known to need it.
func (b *builder) restartUnknown(s Step) Step {
	s.Title = "Restart kubelets where needed"
	s.Why = "A node that joined after the backup has no Node object until its kubelet is restarted. Under a sufficient bump no other kubelet needs a restart."
	s.Commands = []Command{{b.restartKubelet, "each node that kubectl get nodes does not list", "Kills what the API does not know within 2 seconds, without preStop hooks."}}
	if b.plan.BumpRevision == 0 {
		s.Why = "Without a bump every kubelet that has seen later revisions is deaf until it is restarted."
		s.Commands[0].Where = "every node, one by one"
	}
	s.Checks = append(s.Checks, "kubectl get nodes lists every machine as Ready.")
	return s
}

func (b *builder) whyHere(node string, before []string) string {
	for _, t := range b.pairs {
		if t.was.node == node && slices.Contains(before, t.now.node) {
			return fmt.Sprintf("Starts %s, which ran on %s: only after that one has stopped.", t.was, t.now.node)
		}
	}
	if slices.Contains(b.missing, node) {
		return "Registers the node, which is not in the backup."
	}
	if slices.Contains(b.unsure, node) {
		return "May be deaf: its pods tell."
	}
	return ""
}

// stopFirst stops, with their own grace period, pods on a node that must be gone
// before another node starts their namesakes.
func (b *builder) stopFirst(s *Step, node string) {
	if b.stopKubelet == "" || !slices.Contains(b.deaf, node) {
		return
	}
	n := 0
	for _, t := range b.pairs {
		label, ok := uidLabel(t.now.uid)
		if t.now.node != node || !ok {
			continue
		}
		if n++; n == 1 {
			s.Commands = append(s.Commands, Command{b.stopKubelet, node, ""})
		}
		if n > listed {
			return
		}
		s.Commands = append(s.Commands, Command{
			fmt.Sprintf("crictl stop --timeout=%d $(crictl ps --quiet --label %s)", t.now.grace, label), node,
			fmt.Sprintf("Stops %s with its grace period. The kubelet would start it again, so it is down meanwhile.", t.now),
		})
	}
}

func (b *builder) verify() Step {
	return Step{
		ID: "verify", Title: "Check the result",
		Why: "What runs is compared with what the API holds. Do it again after an hour.",
		Commands: []Command{
			b.save("after.db", ""),
			{"kubectl get pods --all-namespaces --output=json > pods.json", adminHost, ""},
			{"mkdir -p dumps; kubectl get nodes --output=name | sed 's|^node/||' | while read -r node; do\n    kubectl get --raw \"/api/v1/nodes/$node/proxy/runningpods/\" > \"dumps/$node.runningpods.json\"\ndone", adminHost, "What each kubelet's runtime runs. On a node that it does not reach: crictl pods -o json > NODE.crictl.json."},
			{b.revenant("verify", "after.db", "--kubectl", "pods.json", "--dumps", "dumps") + b.withPrediction(), adminHost, ""},
		},
		Checks: []string{
			"revenant verify finds no phantoms, ghosts or doubles.",
			"kubectl get nodes lists every machine, Ready, and no other.",
			"No pod is Pending or Terminating without a reason.",
		},
	}
}

func (b *builder) withPrediction() string {
	if b.prediction == nil {
		return ""
	}
	return " --prediction prediction.json"
}

// repair lists what stays wrong or lost, by class.
func (b *builder) repair() Step {
	s := Step{
		ID: "repair", Title: "Repair what remains",
		Why: "No restore brings back what was done after the backup.",
		Commands: []Command{
			{`while read -r ns name s; do kubectl patch cronjob --namespace="$ns" "$name" --patch '{"spec":{"suspend":false}}'; done < cronjobs.txt`, adminHost, "Resume the CronJobs, once their missed slots are dealt with."},
		},
		Checks: []string{
			"Changes made after the backup are repeated: scaling, rollouts, configuration, rotated Secrets.",
			"A new backup is taken: the old ones lie before the restore.",
		},
	}
	b.delete(&s, b.force, " --grace-period=0 --force", "A graceful deletion of these hangs: force it, or restart the kubelet of their node. First make sure, on the node, that nothing of them runs.")
	if len(b.namespaces) > 0 {
		s.Warnings = append(s.Warnings, "Namespaces that are lost with all that was in them: "+some(b.namespaces)+".")
	}
	if len(b.bare) > 0 {
		s.Warnings = append(s.Warnings, "Pods without a controller that are lost: "+some(podNames(b.bare))+". Create them again.")
	}
	if len(b.blocked) > 0 {
		s.Warnings = append(s.Warnings, "Pods that no node of the backup can take: "+some(podNames(b.blocked))+". Repeat the label, uncordoning or gate that let them be scheduled.")
	}
	return s
}

func (b *builder) backup() string { return file(b.Backup.Path, "BACKUP") }

// plainBackup is the snapshot that is made of one that is packed.
const plainBackup = "backup-plain.db"

// plain is a file that restores take.
func (b *builder) plain() string {
	if b.Backup.Facts.Packed == "" {
		return b.backup()
	}
	return plainBackup
}

func (b *builder) current() string {
	if b.Current == nil {
		return "CURRENT"
	}
	return file(b.Current.Path, "CURRENT")
}

// predictCommand lists everything under the plan of this runbook.
func (b *builder) predictCommand() string {
	args := []string{b.revenant("predict", b.backup(), b.current())}
	if b.plan.BumpRevision > 0 {
		args = append(args, fmt.Sprintf("--bump-revision=%d --mark-compacted", b.plan.BumpRevision))
	}
	if r := b.plan.RestartKubelets.String(); r != "none" {
		args = append(args, "--restart-kubelets="+wordOr(r, "NODES"))
	}
	if b.plan.KeepAPIServers {
		args = append(args, "--keep-apiservers")
	}
	if b.plan.LastRevision > 0 {
		args = append(args, fmt.Sprintf("--last-revision=%d", b.plan.LastRevision))
	}
	if v := b.plan.KubernetesVersion; v != "" {
		args = append(args, "--kubernetes-version="+wordOr(v, "VERSION"))
	}
	args = append(args, b.metricsFlags()...)
	if at := b.plan.OutageAt; !at.IsZero() {
		args = append(args, "--outage-at="+at.UTC().Format(time.RFC3339Nano))
	}
	return strings.Join(args, " ")
}

// metricsFlags are those that name the files of metrics.
func (b *builder) metricsFlags() (flags []string) {
	if b.Metrics == nil {
		return nil
	}
	for _, f := range b.Metrics.Files {
		flags = append(flags, "--metrics="+wordOr(f.Path, "METRICS"))
	}
	return flags
}

// planCommand writes this runbook anew.
func (b *builder) planCommand() string {
	args := []string{b.backup(), b.current(), "--platform=" + string(b.id), "--last-revision=REVISION"}
	return b.revenant("plan", append(args, b.metricsFlags()...)...)
}

// revenant is a command that reads the evidence, with the flags that it needs for that.
func (b *builder) revenant(verb string, args ...string) string {
	return strings.Join(append(append([]string{"revenant", verb}, args...), b.Flags...), " ")
}
