package runbook

import (
	"cmp"
	"fmt"
	"path/filepath"
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
		Why:      "The bump must pass the newest revision that etcd ever served. Save now what can still tell it.",
		Commands: []Command{call(Workstation, b.revenant("inspect", append([]string{b.backup()}, b.alone()...)...)...).reads(b.backup()).says("Is the backup whole?")},
		Checks: []string{
			"revenant inspect finds no damage, and this is the backup that you mean to restore.",
			"The data directory of every dead member is saved, with db and log. It is the newest state there is.",
		},
	}
	b.keys(&s)
	if b.saves() {
		s.Commands = append(s.Commands, b.ofNow())
	}
	if b.takesNewest() {
		s.Commands = append(s.Commands, b.save(b.newest(), "If etcd still answers, this is the best CURRENT there is.", true)...)
		s.Commands = append(s.Commands, b.currentAsNewest()...)
		s.Commands = append(s.Commands, call(Workstation, b.revenant("inspect", append([]string{b.newest()}, b.Flags...)...)...).reads(b.newest()).says("Is it whole, and how new is it?"))
	}
	if b.metrics != "" {
		curl := "curl --silent --fail "
		if strings.HasPrefix(b.metrics, "-") {
			curl = "sudo " + curl // to read the key
		}
		s.Commands = append(s.Commands, script(b.first().host, curl+b.metrics+" | grep '^etcd_debugging_mvcc_current_revision'", "curl").
			says("Prints the newest revision. If etcd is dead, take the last value of your monitoring, and allow for what was written after it."))
	}
	s.Commands = append(s.Commands, call(Workstation, b.planCommand()...).reads(b.backup()).
		says("Writes this runbook again. REVISION is the newest revision that you found. Then follow the new runbook, from its first step."))
	if b.plan.BumpRevision > 0 {
		s.Checks = append(s.Checks, fmt.Sprintf("No resourceVersion in the logs of kubelets, API servers and controllers is %d or more.", b.bump.Restored))
	}
	if b.prediction != nil {
		s.Commands = append(s.Commands, call(Workstation, append(b.predictArgs(), "-o", "json=prediction.json")...).reads(b.backup(), b.latest()).writes("prediction.json").says("Kept to compare with at the end."))
	}
	for i := range b.Evidence {
		if e := &b.Evidence[i]; damaged(e) {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s (%s) is damaged. Look for another file before you go on: etcdutl restores nothing whose hash is wrong.", e.Path, e.Role))
		}
	}
	return s
}

// newest is the name under which the newest state is saved, which is not the backup's.
func (b *builder) newest() string {
	if filepath.Base(b.Backup.Path) == "newest.db" {
		return "newest-state.db"
	}
	return "newest.db"
}

// freshMinutes is how old a newest state may be that is taken for one of this restore.
const freshMinutes = 240

// ofNow refuses a newest state that an earlier restore has left. The time of a link is its
// own.
func (b *builder) ofNow() Command {
	older := fmt.Sprintf("%[1]s is more than %[2]d hours old. If an earlier restore has left it: mv -n %[1]s earlier-%[1]s. If it is of this one: touch -h %[1]s. Then go on.", b.newest(), freshMinutes/60)
	return script(Workstation, fmt.Sprintf("[ ! -e %[1]s ] || find %[1]s -mmin -%[2]d | grep . || { echo %[3]s >&2; false; }", b.newest(), freshMinutes, quote(older)), "find").
		says("Refuses a %s that an earlier restore has left.", b.newest())
}

// keepNewest takes the newest state out of the way of the next restore.
func (b *builder) keepNewest() Command {
	from := b.newest()
	return script(Workstation, fmt.Sprintf("[ ! -e %[1]s ] || mv -n %[1]s %[2]s", from, strings.TrimSuffix(from, ".db")+"."+b.before()+".db")).
		says("Last of all, so that the next restore does not take it for its own. It is evidence: keep it.")
}

// takesNewest says whether newest.db is made. Where the current state is newest.db it
// was made already.
func (b *builder) takesNewest() bool {
	return b.saves() && (b.Current == nil || filepath.Base(b.Current.Path) != b.newest())
}

// currentAsNewest makes newest.db of the current state when etcd has not answered: the
// commands that follow read newest.db whatever it is.
func (b *builder) currentAsNewest() []Command {
	if b.Current == nil {
		return nil
	}
	line := "ln -s " + quote(b.current()) + " " + b.newest()
	var programs []string
	if b.Current.Facts.Logged {
		line = b.line("salvage", slices.Concat([]string{b.current(), "-o", b.newest()}, b.Flags, b.NewestFlags)...)
		programs = []string{"revenant"}
	}
	return []Command{script(Workstation, "[ -e "+b.newest()+" ] || "+line, programs...).reads(b.current()).writes(b.newest()).
		says("If etcd did not answer, the CURRENT that you gave is the newest state.")}
}

// latest is the newest state as the commands name it that come after take-stock.
func (b *builder) latest() string {
	if b.takesNewest() {
		return b.newest()
	}
	return b.current()
}

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

// restore makes the restored store.
func (b *builder) restore() Step {
	s := Step{ID: "restore", Title: "Restore with a bump", Why: b.whyBump()}
	switch {
	case b.plan.BumpRevision == 0:
		s.Title = "Restore"
	case b.bumps == BumpsItself:
		s.Title = "Restore with the platform's own bump"
	}
	if b.bumps == BumpsDataDirectory {
		b.restoreByHand(&s)
	} else {
		b.restoreOwn(b, &s)
	}
	switch b.bump.Verdict {
	case restore.BumpSmall:
		if b.noBump {
			break // which is among the warnings of the plan
		}
		s.Warnings = append(s.Warnings, fmt.Sprintf("This bump is too small. It takes %d or more to pass what is known to have been served. Kubelets that have seen more stay deaf.", b.bump.Minimum))
	case restore.BumpUnsure:
		s.Warnings = append(s.Warnings, b.whyUnsure())
	}
	if b.byHand() && b.Backup.Facts.NoTrailer {
		s.Warnings = append(s.Warnings, "The backup is a copy of a db file, without a SHA-256. The restore needs --skip-hash-check, and nothing proves that the file is whole.")
	}
	return s
}

func (b *builder) whyBump() string {
	switch {
	case b.plan.BumpRevision == 0:
		return b.bump.Reason
	case b.bump.Verdict == restore.BumpSmall:
		return fmt.Sprintf("The backup is at revision %d. The bump of %d starts etcd at %d.", b.bump.Base, b.bump.Revision, b.bump.Restored)
	case b.bumps == BumpsItself:
		return "The bump must start etcd above everything that watchers have seen. Then API servers refuse their watches, and they list again."
	}
	where := "above everything that watchers can have seen. API servers refuse their watches, and they list again"
	if b.bump.Verdict != restore.BumpEnough {
		where = "and API servers refuse the watch of everyone who has seen less. Those list again"
	}
	return fmt.Sprintf("The backup is at revision %d. The bump of %d starts etcd at %d, %s.", b.bump.Base, b.bump.Revision, b.bump.Restored, where)
}

func (b *builder) whyUnsure() string {
	if b.Comparison == nil {
		return fmt.Sprintf("The backup alone does not tell whether anything above revision %d was served. If so, take a larger bump.", b.bump.Restored)
	}
	return "The bump is enough only if little was written after the current snapshot."
}

// flags are etcdutl's flags for the bump and the trailer.
func (b *builder) flags() []string {
	var list []string
	if b.plan.BumpRevision > 0 {
		list = append(list, fmt.Sprintf("--bump-revision=%d", b.plan.BumpRevision), "--mark-compacted")
	}
	if b.Backup.Facts.NoTrailer {
		list = append(list, "--skip-hash-check")
	}
	return list
}

// restoreByHand makes the new data of every member beside the old, looks at it, and
// puts it into its place. The data directory itself stays: it may be a mount.
func (b *builder) restoreByHand(s *Step) {
	members, cluster, known := b.members()
	made := fmt.Sprintf("%s/restored-%d", b.dataDir, b.bump.Restored)
	member := b.dataDir + "/member"
	log := b.logApart(member)
	root := func(h Host, argv ...string) Command {
		c := call(h, argv...).root()
		if argv[0] == "env" {
			c.Programs = argv[2:3]
		}
		return c
	}
	for _, m := range members {
		argv := b.etcdutl("snapshot", "restore", b.restored(),
			"--data-dir="+made,
			"--name="+m.name,
			"--initial-cluster="+cluster,
			fmt.Sprintf("--initial-cluster-token=restored-%d", b.bump.Restored),
			"--initial-advertise-peer-urls="+m.peers,
		)
		look := root(m.host, b.etcdutl("snapshot", "status", made+"/member/snap/db", "--write-out=json")...).reads(made, tool(b.etcd.program)).says("Shows the revision.").all()
		s.Commands = append(s.Commands,
			call(m.host, append([]string{"rm", "-rf", made}, log.made...)...).root().says("Removes what an earlier try of this step has left."),
			root(m.host, slices.Concat(argv, log.flags, b.flags())...).flagALine().reads(b.restored(), tool(b.etcd.program)).writes(append(log.made, made)...),
			look,
		)
	}
	for _, m := range members {
		s.Commands = append(s.Commands, log.aside(m.host)...)
		s.Commands = append(s.Commands, b.setAside(m.host, member),
			script(m.host, fmt.Sprintf("sudo test ! -e %[1]s.%[3]s || sudo chown -R --reference=%[1]s.%[3]s %[2]s", member, made, b.before())).reads(made).says("Gives the new data the owner of the former data."))
		s.Commands = append(s.Commands, log.into(m.host)...)
		s.Commands = append(s.Commands,
			call(m.host, "mv", "--no-target-directory", made+"/member", member).root().reads(made).says("Run a second time, it says that the directory is not empty, and changes nothing."),
		)
	}
	s.Checks = append(s.Checks, fmt.Sprintf("The revision is %d on every member, before you move anything.", b.bump.Restored), log.check)
	if len(members) > 1 || !known {
		s.Warnings = append(s.Warnings, "Restore every member from the same file, with the same bump. One that differs corrupts the cluster.")
	}
	if !known {
		s.Warnings = append(s.Warnings, "The backup does not name its members: fill in name, peer URLs and cluster as etcd is started with them.")
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

// fenced says whether all kubelets are kept away from the API while it is cleaned
// up.
func (b *builder) fenced() bool {
	return b.bumps == BumpsDataDirectory && !b.together && b.kubeletsList() && len(b.again)+len(b.revived)+len(b.fails) > 0
}

// held says whether nodes are held back so that no identity runs twice.
func (b *builder) held() bool {
	return b.kubelet != "" && b.kubelets == "" && b.kubeletsList() && len(b.heldBack()) > 0
}

// kubeletsList says whether kubelets list by themselves once the API is back.
func (b *builder) kubeletsList() bool {
	return b.prediction != nil && b.plan.BumpRevision > 0 && !b.plan.KeepAPIServers && b.bump.Verdict != restore.BumpSmall
}

// rule is one of iptables.
func (b *builder) rule(chain, match string) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s -p tcp --dport %s %s -j REJECT --reject-with tcp-reset", chain, b.port, match)), " ")
}

// block refuses connections to the API, for IPv4 and IPv6, once.
func (b *builder) block(h Host, chain, match string) Command {
	return script(h, fmt.Sprintf("( for t in iptables ip6tables; do sudo $t -C %[1]s 2>/dev/null || sudo $t -I %[1]s || exit; done )", b.rule(chain, match)), "iptables", "ip6tables").all()
}

// unblock takes that away.
func (b *builder) unblock(h Host, chain, match string) Command {
	return script(h, fmt.Sprintf("( for t in iptables ip6tables; do ! sudo $t -C %[1]s || sudo $t -D %[1]s || exit; done )", b.rule(chain, match)), "iptables", "ip6tables")
}

// fence keeps kubelets from listing too early.
func (b *builder) fence() Step {
	if !b.fenced() && !b.held() {
		return Step{}
	}
	s := Step{
		ID: "fence", Title: "Keep kubelets away from the API",
		Checks:   []string{"Connections to the port are refused at once, and do not time out. A refused kubelet waits, and changes nothing."},
		Warnings: []string{"On a whole cluster, a refused kubelet was seen to change nothing. Without the block the steps below still hold, but kubelets are faster than you."},
	}
	var why []string
	if b.fenced() {
		why = append(why, "Once the API is back, kubelets list their pods within two minutes, and start what they find. The block gives you time to delete first.")
		s.Commands = append(s.Commands, b.block(ControlPlane, "INPUT", "! -i lo").says("From now on only the node itself, with its own kubelet, reaches its API server."))
	}
	if b.held() {
		why = append(why, fmt.Sprintf("%s a namesake in the backup on another node. That node must wait until the running pod has stopped, or both run.", have(b.waiting(), "running pod")))
		for _, node := range b.heldBack() {
			s.Commands = append(s.Commands, b.holdBack(node))
		}
	}
	s.Why = strings.Join(why, " ")
	return s
}

// holdBack keeps the kubelet of a node from the API. A server's service needs that way
// itself, to join the others and to reach its own API server.
func (b *builder) holdBack(node string) Command {
	c := b.block(nodeHost(node), "OUTPUT", "")
	if b.agent.unit != "" {
		c.Run = fmt.Sprintf("! sudo systemctl is-active --quiet '%s*' || %s", b.agent.unit, c.Run)
		c.Programs = append(slices.Clip(c.Programs), "systemctl")
	}
	return c
}

// heldBack are the nodes that must not list before another one has. A server cannot be
// held back.
func (b *builder) heldBack() []string {
	var nodes []string
	for _, t := range b.pairs[:min(len(b.pairs), listed)] {
		if !b.restartsWith[t.was.node] {
			nodes = append(nodes, t.was.node)
		}
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

// kubectl calls kubectl on the workstation, past the fence while there is one.
func (b *builder) kubectl(args ...string) Command {
	return call(Workstation, slices.Concat([]string{"kubectl"}, b.pastFence(), args)...)
}

// pastFence are kubectl's flags while kubelets are kept away: certificates of API
// servers are for kubernetes, too.
func (b *builder) pastFence() []string {
	if b.fenced() && !b.open {
		return []string{"--server=https://127.0.0.1:16443", "--tls-server-name=kubernetes"}
	}
	return nil
}

// kubectlLine is the same as part of a script.
func (b *builder) kubectlLine(line string) string {
	return strings.Join(append(append([]string{"kubectl"}, b.pastFence()...), line), " ")
}

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
		s.Warnings = append(s.Warnings, "Namespaces that were deleted after the backup are back, with what was in them: "+some(back)+".")
	}
	if b.stale {
		s.Warnings = append(s.Warnings, "The API servers list what etcd has lost, and hide what it has again. Restart all of them before you delete a pod, and write this runbook again without --keep-apiservers.")
	}
	if b.prediction == nil {
		s.Warnings = append(s.Warnings, "The backup alone does not tell which pods and nodes to delete. Compare kubectl get nodes with the machines that exist.")
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
	return have(n, noun) + " a name that cannot be written into a command: no API server accepts such names."
}

func (b *builder) delete(s *Step, pods []pod, flags []string, comment string) {
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
		Why: "Each kubelet lists its pods. It stops what the API does not know, with the pod's own grace period, and starts what is missing.",
	}
	if b.fenced() {
		s.Commands = append(s.Commands, script(Workstation, "[ ! -e revenant-tunnel ] || ssh -S revenant-tunnel -O exit CONTROL_PLANE_NODE", "ssh"))
		s.Commands = append(s.Commands, b.unblock(ControlPlane, "INPUT", "! -i lo"))
		b.open = true
	}
	if b.held() {
		b.letInHeld(&s)
	}
	b.deleteEnded(&s)
	if n := len(b.pairs) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more pods with a namesake on another node: %s lists them (%s).", n, b.predictCommand(), restore.FlagSameNameOtherNode))
	}
	return s
}

// letInHeld lets the nodes in that were held back, each when the pods that it waits
// for have stopped.
func (b *builder) letInHeld(s *Step) {
	nodes, left := b.order(b.heldBack())
	brought := map[string]bool{}
	for _, node := range nodes {
		waits := false
		for _, t := range b.pairs[:min(len(b.pairs), listed)] {
			if t.was.node != node || slices.Contains(left, t) {
				continue
			}
			if c, ok := b.stillRuns(t); ok {
				b.bringCrictl(s, t.now.node, brought)
				s.Commands = append(s.Commands, c)
				waits = true
			}
		}
		open := b.unblock(nodeHost(node), "OUTPUT", "")
		if waits {
			open = open.says("Only when the waits above have ended without an error.")
		}
		s.Commands = append(s.Commands, open)
	}
	for _, t := range left {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s It runs twice for up to %d s.", unordered(t), t.now.grace))
	}
}

// unordered says that an identity runs twice because nodes wait for each other.
func unordered(t twins) string {
	return fmt.Sprintf("%s runs on %s, and %s starts its namesake before it has stopped, because the nodes wait for each other.", t.now, t.now.node, t.was.node)
}

// stillRuns waits until the running one of two namesakes has stopped.
func (b *builder) stillRuns(t twins) (Command, bool) {
	label, ok := uidLabel(t.now.uid)
	if !ok {
		return Command{}, false
	}
	ps := strings.Join(append(b.crictlWords(), "ps", "--quiet", "--label", label), " ")
	return wait(nodeHost(t.now.node), fmt.Sprintf("%s has stopped here, for %s starts its namesake", t.now, t.was.node), b.relists()+t.now.grace+30,
		fmt.Sprintf(`ids=$(sudo %s) && [ -z "$ids" ]`, ps),
		"Look at the log of this kubelet. Stop the pod by hand before you go on, or it runs twice.", b.crictlProgram()), true
}

// relists is how long it takes at most until a kubelet that was refused lists again, in
// seconds after the API is back. How long the steps themselves refuse it is up to who
// types: without a stated outage it is the longest that it can be.
func (b *builder) relists() int64 {
	longest := int64(0)
	if b.prediction != nil {
		for i := range b.prediction.Nodes {
			longest = max(longest, b.prediction.Nodes[i].ListedBySeconds)
		}
	}
	return cmp.Or(longest, restore.ListedByAtMost)
}

// crictlWords call crictl, quoted.
func (b *builder) crictlWords() []string {
	if len(b.crictl) == 0 {
		return []string{"./crictl", "--runtime-endpoint=" + cmp.Or(b.socket, "unix:///run/containerd/containerd.sock")}
	}
	return slices.Clone(b.crictl)
}

// crictlProgram is the program among them.
func (b *builder) crictlProgram() string {
	words := b.crictlWords()
	if words[0] == "env" {
		return words[len(words)-1]
	}
	return words[0]
}

// bringCrictl brings crictl to a node that has none by itself.
func (b *builder) bringCrictl(s *Step, node string, brought map[string]bool) {
	if len(b.crictl) > 0 || brought[node] {
		return
	}
	const release, name = "https://github.com/kubernetes-sigs/cri-tools/releases/download/vCRICTL_VERSION/", "crictl-vCRICTL_VERSION-linux-ARCH.tar.gz"
	if len(brought) == 0 {
		s.Commands = append(s.Commands,
			call(Workstation, "curl", "--fail", "--location", "--remote-name-all", release+name, release+name+".sha256").writes(name, name+".sha256").says("Nodes may have no crictl. Take the minor version of the kubelets."),
			script(Workstation, "echo \"$(cut -c1-64 "+name+".sha256)  "+name+"\" | sha256sum --check && tar --extract --gzip --file="+name+" crictl && sha256sum crictl > crictl.sha256", "tar").reads(name).writes("crictl", "crictl.sha256"))
	}
	brought[node] = true
	address := node
	if !hostName.MatchString(node) {
		address = "NODE"
	}
	s.Commands = append(s.Commands,
		call(Workstation, "scp", "-p", "crictl", "crictl.sha256", remote(address, "")).reads("crictl", "crictl.sha256"),
		script(nodeHost(node), "sha256sum --check crictl.sha256").reads("crictl", "crictl.sha256"))
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
		s.Warnings = append(s.Warnings, "Kubelets stop these pods, too, because no scheduler has bound them again yet: "+some(podNames(b.rebound))+". They start again on their node now. The prediction says that they run on.")
	}
	s.Commands = append(s.Commands, b.profile.startControllers...)
	b.refusals(&s)
	return s
}

// listed waits until every kubelet that the API reaches was seen to run what the API
// has: until it has listed again, and has stopped what it had to.
func (b *builder) listed(seconds int64) Command {
	verify := b.line("verify", slices.Concat([]string{b.backup(), "--kubectl", "pods.json", "--dumps", "dumps", "--partial", "--fail-on", "double,phantom,ghost"}, b.alone())...)
	c := wait(Workstation, "every kubelet has listed its pods again", seconds, dumpLines+"\n    [ \"$all\" = yes ] && "+verify+" > listed.txt",
		"listed.txt says which has not. Restart that kubelet, or make sure that nothing it names can run twice (a ghost that only fails to start may stay). Then go on.", "kubectl", "revenant").
		reads(b.backup()).writes("pods.json", "dumps", "listed.txt").
		says("Compares what each kubelet runs with what the API has, until they agree. If a node does not answer because its machine is gone, delete its Node object.")
	if len(b.missing) > 0 {
		c.Comment += " Nodes without a Node object are not asked: " + some(b.missing) + ". Look there with crictl ps."
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
	s.Why = "These kubelets do not come right by themselves. Restart them one by one: a restarted kubelet kills what the API does not know, within 2 seconds and without preStop hooks."
	if len(b.deaf) == 0 {
		s.Why = "These nodes joined after the backup, and a kubelet registers its node only when it starts. It then kills what the API does not know, within 2 seconds and without preStop hooks."
	}
	if len(b.deaf) == 0 && !b.stale {
		s.Why += " Under the bump no other kubelet needs a restart."
	}
	brought := map[string]bool{}
	for i, node := range nodes[:min(len(nodes), listed)] {
		restart := b.restartKubelet
		if b.stopFirst(&s, node, brought) && b.agent.unit != "" {
			restart = b.agent.restartHeld
		}
		s.Commands = append(s.Commands, restart(node).says("%s", b.whyHere(node, nodes[:i])))
	}
	if n := len(nodes) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more nodes, in this order: %s.", n, some(nodes[listed:])))
	}
	for _, t := range left[:min(len(left), listed)] {
		s.Warnings = append(s.Warnings, unordered(t)+" It runs twice until the kubelet of its own node is restarted. Do that at once.")
	}
	s.Checks = append(s.Checks, "After each restart, kubectl get node shows the node as Ready, and its pods are as expected. Then restart the next.")
	return s
}

// restartUnknown is the step when no node is known to need it.
func (b *builder) restartUnknown(s Step) Step {
	s.Title = "Restart kubelets where needed"
	s.Why = "A node that joined after the backup has no Node object until its kubelet is restarted. Under a sufficient bump no other kubelet needs a restart."
	c := b.restartKubelet("NODE").says("Kills what the API does not know, within 2 seconds and without preStop hooks.")
	host := UnlistedNodes
	if b.plan.BumpRevision == 0 {
		s.Why = "Without a bump every kubelet that has seen later revisions is deaf until it is restarted."
		host = EveryNode
	}
	if c.Host != Workstation {
		c.Host = host
	} else {
		c.Comment += " NODE is " + host.String() + "."
	}
	s.Commands = []Command{c}
	s.Checks = append(s.Checks, "kubectl get nodes lists every machine as Ready.")
	return s
}

func (b *builder) whyHere(node string, before []string) string {
	for _, t := range b.pairs {
		if t.was.node == node && slices.Contains(before, t.now.node) {
			return fmt.Sprintf("Starts %s, which ran on %s. Do it only once the pod has stopped there.", t.was, t.now.node)
		}
	}
	if slices.Contains(b.missing, node) {
		return "Registers the node, which the backup does not have."
	}
	if slices.Contains(b.unsure, node) {
		return "It may be deaf: look at its pods."
	}
	return ""
}

// stopFirst stops, with their own grace period, pods on a node that must be gone
// before another node starts their namesakes, and says whether there are any.
func (b *builder) stopFirst(s *Step, node string, brought map[string]bool) bool {
	if b.kubelet == "" || b.kubelets != "" || !slices.Contains(b.deaf, node) {
		return false
	}
	n := 0
	for _, t := range b.pairs {
		label, ok := uidLabel(t.now.uid)
		if t.now.node != node || !ok {
			continue
		}
		if n++; n == 1 {
			b.bringCrictl(s, node, brought)
			if b.agent.unit != "" {
				s.Commands = append(s.Commands, b.agent.hold(node).says("Holds the kubelet still. Stopping its unit would stop the container runtime, too. Until the restart below, nothing starts pods again here."))
			} else {
				s.Commands = append(s.Commands, systemctl(nodeHost(node), "stop", b.kubelet))
			}
		}
		if n > listed {
			break
		}
		crictl := strings.Join(b.crictlWords(), " ")
		s.Commands = append(s.Commands, script(nodeHost(node),
			fmt.Sprintf("( ids=$(sudo %[1]s ps --quiet --label %[2]s) || { echo 'crictl fails: whether it runs is not known.' >&2; exit 2; }\n  [ -z \"$ids\" ] || sudo %[1]s stop --timeout=%[3]d $ids )", crictl, label, t.now.grace), b.crictlProgram()).
			says("Stops %s with its grace period. The kubelet is %s meanwhile, or it would start the pod again.", t.now, map[bool]string{false: "down", true: "held"}[b.agent.unit != ""]))
	}
	return n > 0
}

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

// repair lists what stays wrong or lost, by class.
func (b *builder) repair() Step {
	s := Step{
		ID: "repair", Title: "Repair what remains",
		Why:      "No restore brings back what was done after the backup. Do it again where it is needed.",
		Commands: []Command{b.suspend("false").says("Resumes the CronJobs. Deal with the runs that they missed first.")},
		Checks: []string{
			"Changes made after the backup are repeated: scaling, rollouts, configuration, rotated Secrets.",
			"A new backup is taken. All others are from before the restore.",
		},
	}
	if !b.kubeletsList() {
		b.deleteEnded(&s)
	}
	if len(b.namespaces) > 0 {
		s.Warnings = append(s.Warnings, "Namespaces that are lost, with everything in them: "+some(b.namespaces)+".")
	}
	if len(b.bare) > 0 {
		s.Warnings = append(s.Warnings, "Pods without a controller that are lost: "+some(podNames(b.bare))+". Create them again.")
	}
	if len(b.blocked) > 0 {
		s.Warnings = append(s.Warnings, "Pods that no node of the backup can take: "+some(podNames(b.blocked))+". Set the label, uncordon the node or remove the gate again, as after the backup.")
	}
	b.repairUndone(&s)
	if b.saves() {
		s.Commands = append(s.Commands, b.keepNewest())
	}
	return s
}

func (b *builder) backup() string { return file(b.Backup.Path, "BACKUP") }

func (b *builder) current() string {
	if b.Current == nil {
		return "CURRENT"
	}
	return file(b.Current.Path, "CURRENT")
}

// predictCommand lists everything under the plan of this runbook, as text.
func (b *builder) predictCommand() string { return call(Workstation, b.predictArgs()...).whole().Run }

// predictArgs are its words.
func (b *builder) predictArgs() []string {
	args := append(b.pair(), b.planFlags()...)
	if b.plan.Outage != (restore.Seconds{}) {
		args = append(args, "--outage="+b.plan.Outage.String())
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
	return b.revenant("predict", args...)
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

// planFlags are those of the plan that is followed.
func (b *builder) planFlags() (args []string) {
	if b.plan.BumpRevision > 0 {
		args = append(args, fmt.Sprintf("--bump-revision=%d", b.plan.BumpRevision), "--mark-compacted")
	}
	if r := b.plan.RestartKubelets.String(); r != "none" {
		args = append(args, "--restart-kubelets="+wordOr(r, "NODES"))
	}
	if b.plan.KeepAPIServers {
		args = append(args, "--restart-apiservers=none")
	}
	return args
}

// planCommand writes this runbook again.
func (b *builder) planCommand() []string {
	pair := b.pair()
	if b.Current != nil && b.walDir() != "" { // a snapshot does not tell of it
		pair = slices.Concat([]string{b.backup(), b.current()}, b.Flags, b.NewestFlags, b.PairFlags)
	}
	args := append(pair, "--platform="+string(b.id), "--last-revision=REVISION")
	if b.Plan != nil { // it is to be followed, and none is recommended
		args = append(args, b.planFlags()...)
	}
	return b.revenant("plan", append(args, b.metricsFlags()...)...)
}

// pair are the two snapshots, as the commands after take-stock read them.
func (b *builder) pair() []string {
	backup := b.backup()
	if b.Current == nil && len(b.NewestFlags) > 0 {
		backup = plainBackup // the flags would be taken for those of the other one
	}
	args := append([]string{backup, b.latest()}, b.Flags...)
	if b.Current != nil && b.latest() == b.current() {
		args = append(args, b.NewestFlags...)
	}
	return append(args, b.PairFlags...)
}

// alone are the flags for reading the backup by itself.
func (b *builder) alone() []string {
	if b.Current == nil {
		return slices.Concat(b.Flags, b.NewestFlags)
	}
	return b.Flags
}

// revenant are the words of a command of this program.
func (b *builder) revenant(verb string, args ...string) []string {
	return append([]string{"revenant", verb}, args...)
}

// line is the same as part of a script.
func (b *builder) line(verb string, args ...string) string {
	return call(Workstation, b.revenant(verb, args...)...).whole().Run
}
