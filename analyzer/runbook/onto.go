package runbook

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/analyzer/ties"
	"revenant/internal/words"
)

// cleaned is the backup without what is of the old machines alone. along is the directory
// in which the operator puts what the backup does not have.
const (
	cleaned = carried + "/cleaned.db"
	along   = "along"
)

// newOnto writes the runbook of a restore onto other machines.
func newOnto(in Input) (*Runbook, error) {
	if in.Ties == nil {
		in.Ties = &ties.Ties{}
	}
	b := &builder{Input: in, profile: profileOf(in.Platform)}
	b.etcd = toolOf(in.EtcdVersion)
	if in.EtcdVersion == "" {
		b.etcd = toolOf(in.Backup.Facts.EtcdVersion)
	}
	b.etcd.files = append(slices.Clone(b.etcd.files), "etcd")
	p, err := b.predictOnto()
	if err != nil {
		return nil, err
	}
	_, headline := p.Headline()
	r := &Runbook{
		SchemaVersion: 1, Kind: "Runbook", Tool: in.Tool, Evidence: in.Evidence, Metrics: in.Metrics,
		Platform: b.choice(), Plan: b.plan, Bump: b.bump, Predicted: headline,
		Warnings: b.warningsOnto(p), Unknowns: b.unknownsOnto(),
	}
	r.Platform.Notes = append(r.Platform.Notes, b.notesOnto()...)
	// The steps bring up a cluster of new members: those of the backup are of the old one.
	b.Backup.Facts.Members = nil
	for _, step := range []func() Step{
		b.proveDown, b.bringAlong, b.cleanBackup, b.prepareMachines, b.restoreNew, b.startNewEtcd, b.alarms, b.startNewAPI, b.cleanNew,
		b.startNewControllers, b.joinNodes, b.verifyNew, b.takeOver,
	} {
		if s := step(); s.ID != "" {
			for i := range s.Commands {
				s.Commands[i] = toNew(s.Commands[i])
			}
			r.Steps = append(r.Steps, s.whole())
		}
	}
	r.Summary = b.summaryOnto(r.Steps)
	return r, nil
}

// summaryOnto sums the steps up.
func (b *builder) summaryOnto(steps []Step) Summary {
	s := b.summary(steps)
	s.Does = fmt.Sprintf("%s bring the backup up on new machines, with nothing of the old machines in it.", words.Capital(words.Count(len(steps), "step")))
	if !b.byFile() {
		s.Does = fmt.Sprintf("%s bring the backup up on new machines. What is left of the old machines is deleted once the API answers.", words.Capital(words.Count(len(steps), "step")))
	}
	s.Costs = []string{
		"Every pod starts from nothing. What is on the disks of the old machines is not there.",
		"Everything written after the backup is lost.",
	}
	s.Risks = []string{"If the old cluster still runs, two clusters write to one storage or one cloud account."}
	if !b.holds() {
		s.Risks = append(s.Risks, "Controllers start with the API servers, and act before you can hold anything back.")
	}
	for _, risk := range []struct {
		id   ties.ID
		noun string
		text string
	}{
		{ties.VolumeShared, "volume", "both clusters reach the disk"},
		{ties.LoadBalancer, "Service", "the new cluster takes the load balancer over"},
		{ties.JobAgain, "Job", "the work is done again"},
	} {
		if n := b.Ties.Summary[risk.id]; n > 0 {
			s.Risks = append(s.Risks, fmt.Sprintf("%s: %s.", words.Count(n, risk.noun), risk.text))
		}
	}
	s.Risks = append(s.Risks, "No restore onto other machines was run. The steps were put together from sources and documentation.")
	id, text := "start-controllers", "From there on the new cluster acts on what it can reach. Before that, you can throw the new machines away."
	if !b.holds() {
		id, text = "restore", "Controllers start with it, and act on what they can reach. Before that, you can throw the new machines away."
	}
	s.PointOfNoReturn = nil
	if i := stepAt(steps, id); i >= 0 {
		s.PointOfNoReturn = &PointOfNoReturn{id, i + 1, text}
	}
	return s
}

// newKubeconfig leads to the new cluster. The old one takes the same credentials: without
// it, a command that is meant for the new cluster may be done to the old one.
const newKubeconfig = "--kubeconfig=NEW_KUBECONFIG"

// callsAPI is a call of kubectl or oc that does not say which cluster is meant.
var callsAPI = regexp.MustCompile(`\b(kubectl|oc) (get|delete|patch|scale|edit|exec|adm|annotate|--namespace=|--server=)`)

// toNew is c with the new cluster named wherever it calls an API.
func toNew(c Command) Command {
	if len(c.Argv) == 0 {
		c.Run = callsAPI.ReplaceAllString(c.Run, "$1 "+newKubeconfig+" $2")
		return c
	}
	if other := func(word string) bool {
		return strings.HasPrefix(word, "--kubeconfig=") || strings.HasPrefix(word, "--context=")
	}; (c.Argv[0] == "kubectl" || c.Argv[0] == "oc") && !slices.ContainsFunc(c.Argv, other) {
		c.Argv = slices.Insert(slices.Clone(c.Argv), 1, newKubeconfig)
	}
	return c
}

// predictOnto settles the plan, and predicts what comes of it.
func (b *builder) predictOnto() (*restore.Prediction, error) {
	b.plan = restore.Plan{Onto: b.Onto}
	if b.Plan != nil {
		b.plan = *b.Plan
		b.plan.Onto = b.Onto
	}
	if b.refusesBump() {
		b.plan.BumpRevision, b.plan.MarkCompacted = 0, false
	}
	p, err := restore.RestoreOnto(b.Backup.State).Predict(b.plan)
	if err != nil {
		return nil, err
	}
	b.bump = Bump{Revision: b.plan.BumpRevision, Base: b.Backup.State.NewestRecord, Restored: p.Revisions.Restored, Reason: p.Revisions.BumpReason, Verdict: p.Revisions.BumpVerdict}
	switch {
	case b.recounts:
		b.bump.Restored = 0
	case b.bumps == BumpsItself:
		b.bump.Reason = b.title + " bumps by itself, which does no harm. " + b.bump.Reason
	}
	return p, nil
}

// byFile says whether the platform restores a file that can be cleaned before.
func (b *builder) byFile() bool { return b.needsEtcd() }

// ontoCommand lists what this runbook leaves out.
func (b *builder) ontoCommand() string {
	args := []string{b.backup()}
	if b.Current != nil {
		args = append(args, b.current())
	}
	args = append(append(args, "--onto="+string(b.Onto)), b.Flags...)
	return b.line("predict", append(args, b.NewestFlags...)...)
}

// holdFile keeps controllers and scheduler of k3s or RKE2 from starting.
func (b *builder) holdFile() string {
	return "/etc/rancher/" + string(b.id) + "/config.yaml.d/hold.yaml"
}

// server is the unit of a server node of k3s or RKE2.
func (b *builder) server() string {
	return map[Platform]string{K3s: "k3s", RKE2: "rke2-server"}[b.id]
}

// holds says whether controllers can be kept from starting with the API servers.
func (b *builder) holds() bool { return !b.together || b.server() != "" }

// prepareMachines makes a control plane that does not run yet.
func (b *builder) prepareMachines() Step {
	s := Step{
		ID: "prepare-machines", Title: "Prepare the new control plane, and start nothing",
		Why: "What starts too early makes a state of its own, or acts on the old machines.",
		Checks: []string{
			"No new machine has the name of an old one: the kubelet of such a machine takes the old pods for its own.",
			"The certificates of the new API servers name the address that clients will use.",
			"No worker runs a kubelet, and none has a kubeconfig of the new API yet.",
		},
	}
	if v := b.Backup.Facts.EtcdVersion; v != "" {
		s.Checks = append(s.Checks, "etcd is "+v+", as in the backup, or one minor later.")
	}
	switch {
	case b.id == Kubeadm:
		phase := func(words ...string) Command {
			return call(ControlPlane, append(append([]string{"kubeadm", "init", "phase"}, words...), "--config=KUBEADM_CONFIG")...).root()
		}
		s.Commands = append(s.Commands,
			call(Workstation, "scp", "-r", "-p", along, "CONTROL_PLANE_NODE:").says("One new control plane node is enough; the others join it later."),
			systemctl(ControlPlane, "stop", "kubelet"),
			script(ControlPlane, "sudo mkdir -p /etc/kubernetes/pki && sudo cp -R --no-clobber "+along+"/pki/. /etc/kubernetes/pki/"),
			phase("certs", "all").says("KUBEADM_CONFIG is the ClusterConfiguration of the ConfigMap kubeadm-config in the backup, with the new controlPlaneEndpoint. kubeadm keeps the CAs and keys that are there."),
			phase("kubeconfig", "all"), phase("etcd", "local"), phase("control-plane", "all"),
		)
		s.Commands = slices.Concat(s.Commands, b.profile.freeze, b.stopAPI, b.stopEtcd, []Command{phase("kubelet-start").says("The kubelet runs static pods only, and finds none yet.")})
	case b.server() != "":
		lines := []string{"disable-controller-manager: true", "disable-scheduler: true", "disable-cloud-controller: true"}
		if b.id == K3s {
			lines = append(lines, "disable-helm-controller: true")
		}
		for i := range lines {
			lines[i] = quote(lines[i])
		}
		s.Commands = append(s.Commands,
			systemctl(FirstServer, "stop", b.server()).says("Installed, with the old token and flags in its config.yaml, and not started."),
			script(FirstServer, "sudo mkdir -p "+strings.TrimSuffix(b.holdFile(), "/hold.yaml")+" && printf '%s\\n' "+strings.Join(lines, " ")+" | sudo tee "+b.holdFile(), "tee").
				says("Holds controllers and scheduler back until the state is cleaned."),
		)
	case b.id == Talos:
		s.Commands = append(s.Commands,
			call(Workstation, "talosctl", "gen", "config", "--with-secrets=secrets.yaml", "CLUSTER_NAME", "https://NEW_ENDPOINT:6443"),
			script(Workstation, `for node in CONTROL_PLANE_IPS; do
    talosctl apply-config --insecure --nodes="$node" --file=controlplane.yaml || break
done`, "talosctl").says("Control plane machines only. etcd waits to be bootstrapped."),
		)
		s.Warnings = append(s.Warnings, b.noHold())
	case b.id == Generic:
		s.Commands = slices.Concat(b.profile.freeze, b.stopAPI, b.stopEtcd)
	case b.id == K0s:
		s.Commands = slices.Clone(b.stopAPI)
		s.Checks = append(s.Checks, "k0s is installed on one new controller with the old k0s.yaml and pki, and not started.")
		s.Warnings = append(s.Warnings, b.noHold())
	default:
		s.Checks = append(s.Checks, "The new "+b.title+" control plane is there, and its own etcd may be restored.")
		s.Warnings = append(s.Warnings, b.noHold())
	}
	return s
}

// noHold warns where controllers start with the API servers.
func (b *builder) noHold() string {
	text := "Controllers and scheduler start together with the API servers here. Cut the new cluster off before."
	if !b.byFile() {
		return text + " The platform restores what is in its own store, and nothing can clean that first. So old Node objects are there when they start."
	}
	return text + " They see CronJobs, Jobs and volumes before you can hold those back."
}

// restoreNew restores the cleaned backup.
func (b *builder) restoreNew() Step {
	s := Step{ID: "restore", Title: "Restore the cleaned backup", Why: "The new members start from one file, as a cluster of their own."}
	if b.bumps == BumpsDataDirectory {
		b.restoreByHand(&s)
		s.Checks = []string{"The revision is the one that you noted of " + cleaned + ", on every member, before you move anything."}
		s.Warnings = []string{"The members are those of the new machines: fill in name, peer URLs and cluster as etcd is started with them. Every member is restored from the same file."}
		return s
	}
	if !b.byFile() {
		s.Title, s.Why = "Restore", "The platform restores the backup from its own store, old machines and all."
	}
	b.restoreOwn(b, &s)
	if b.server() != "" {
		s.Commands = slices.DeleteFunc(s.Commands, func(c Command) bool { return c.Host == OtherServers })
	}
	return s
}

func (b *builder) startNewEtcd() Step {
	s := Step{
		ID: "start-etcd", Title: "Start etcd", Why: "The revision shows whether it is the cleaned backup.",
		Checks: []string{"The revision is the one that you noted of " + cleaned + ", or a little more, on every member."},
	}
	switch {
	case b.server() != "":
		s.Title = "Start the first server, without controllers and scheduler"
		s.Commands = []Command{systemctl(FirstServer, "start", b.server())}
	default:
		s.Commands = slices.Clone(b.profile.startEtcd)
	}
	if !b.byFile() {
		s.Title, s.Why = "Look at the revision", "It shows whether the platform has restored the backup."
		s.Checks = []string{"The revision is not that of an empty cluster."}
	}
	switch b.id {
	case Talos:
		s.Title = "Look at the revision"
	case K0s:
		s.Title = "Start the first controller"
	}
	s.Commands = append(s.Commands, b.status()...)
	return s
}

// notesOnto are what is to be known of the platform on other machines.
func (b *builder) notesOnto() (list []Note) {
	switch b.id {
	case OpenShift:
		list = append(list, Note{Text: "Its restore is made for the control plane of the same cluster, under the same names. On other machines expect nodes, machines and operators to need work by hand.", Inferred: true})
	case Kops, Gardener:
		list = append(list, Note{Text: "It restores what is in the store of the cluster: the backup has to be copied to where the new cluster's store is.", Inferred: true})
	case VCluster:
		list = append(list, Note{Text: "Onto another host cluster, the syncer makes pods and Services there; nodes are the host's. Only with private nodes is there more to join.", Inferred: true})
	case K0s:
		list = append(list, Note{Text: "k0s controller --disable-components=kube-controller-manager,kube-scheduler would hold these back until the state is cleaned up.", Inferred: true})
	case K3s, RKE2:
		list = append(list, Note{Text: fmt.Sprintf("The servers refuse a node whose name is known with another password: for a name that is used again, delete the Secret NAME.node-password.%s in kube-system first.", b.id)})
	}
	return append(list, Note{Text: "No restore onto other machines was run: the steps were read together from the sources of Kubernetes and the documentation of each platform. Try them out on a copy.", Inferred: true})
}

func (b *builder) warningsOnto(p *restore.Prediction) []string {
	list := []string{}
	if len(p.Missing) > 0 {
		list = append(list, restore.MissingText(p.Missing)+" The steps name only what the evidence has.")
	}
	list = append(list, "Never let two clusters from one backup write to one storage or one cloud account. The first step is the proof that the old one is down, or that the new one is cut off.")
	if !b.holds() {
		list = append(list, b.noHold())
	}
	list = append(list, b.Warnings...)
	list = append(list, b.profile.warnings...)
	if b.refusesBump() {
		list = append(list, fmt.Sprintf("%s's own restore cannot carry out the plan's bump: the steps are for a restore without it.", b.title))
	}
	if b.Backup.Facts.Logged {
		list = append(list, "The backup is a data directory: its log is applied to it before it is cleaned.")
	}
	if s := b.Backup.Facts.Suggestion; s != nil && b.id != s.Platform {
		list = append(list, fmt.Sprintf("The old cluster looks like %s: %s. --platform=%s writes the steps for it.", profileOf(s.Platform).title, s.Because, s.Platform))
	}
	return list
}

func (b *builder) unknownsOnto() []string {
	list := []string{
		"Names and addresses of the new machines: fill in the words in capitals.",
		"Whether the old cluster is down: no snapshot shows it.",
		"What is outside of etcd: data on volumes, keys and certificates on the old machines, what cloud accounts, DNS and registries hold.",
		"What controllers do that are not known by their image: look at every operator that has credentials for something outside.",
	}
	if b.Current == nil {
		list = append(list, "What the old cluster did after the backup: give its newest state as CURRENT to see what it may still run.")
	}
	return list
}
