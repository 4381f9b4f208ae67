package runbook

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"revenant/analyzer/atrest"
	"revenant/analyzer/restore"
	"revenant/analyzer/ties"
	"revenant/decoder/keyspace"
	"revenant/decoder/sanitize"
)

// cleaned is the backup without what is of the old machines alone. along is the directory
// in which the operator puts what the backup does not have.
const (
	cleaned = carried + "/cleaned.db"
	along   = "along"
)

// scratchURL is where the etcd listens that cleans the backup.
const scratchURL = "http://127.0.0.1:12379"

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
	s.Does = fmt.Sprintf("%s bring the backup up on new machines, with nothing of the old machines in it.", sentence(count(len(steps), "step")))
	if !b.byFile() {
		s.Does = fmt.Sprintf("%s bring the backup up on new machines. What is left of the old machines is deleted once the API answers.", sentence(count(len(steps), "step")))
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
			s.Risks = append(s.Risks, fmt.Sprintf("%s: %s.", count(n, risk.noun), risk.text))
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

// oldNodes are the names of all machines that the old cluster is known to have had.
func (b *builder) oldNodes() (names []string) {
	for _, side := range []*Side{&b.Backup, b.Current} {
		if side == nil {
			continue
		}
		for i := range side.State.Nodes {
			names = append(names, side.State.Nodes[i].Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// oldAddresses are those of the old API servers, as their master leases tell them.
func (b *builder) oldAddresses() (list []string) {
	for _, side := range []*Side{&b.Backup, b.Current} {
		if side == nil {
			continue
		}
		for _, key := range side.Facts.MasterLeases {
			host := key[strings.LastIndex(key, "/")+1:]
			if !hostName.MatchString(host) || strings.Contains(host, "%") {
				continue
			}
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			list = append(list, host)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ontoCommand lists what this runbook leaves out.
func (b *builder) ontoCommand() string {
	args := []string{b.backup()}
	if b.Current != nil {
		args = append(args, b.current())
	}
	args = append(append(args, "--onto="+string(b.Onto)), b.Flags...)
	return b.line("predict", append(args, b.NewestFlags...)...)
}

// proveDown makes sure that two clusters do not write to the same things.
func (b *builder) proveDown() Step {
	s := Step{
		ID: "prove-down", Title: "Prove that the old cluster is down, or cut the new one off from all that it shares",
		Why: "Both clusters have the same uids, keys and credentials. While both run, they write to the same disks, move each other's load balancers and DNS names, and delete each other's machines. Nothing undoes that.",
		Checks: []string{
			"It is decided which of the two this is: a replacement, after which the old cluster never comes back, or a copy, which reaches nothing that the old one uses.",
			"Replacement: each old machine is off and stays off, or is wiped, or its storage and its cloud account refuse it.",
			"Copy: the new machines have no role and no key of the cloud account, and a firewall keeps them from its API, from the storage network, from external databases, from DNS and Git, and from the old API servers. Credentials are in the backup's Secrets, so only the network holds them back.",
		},
	}
	addresses := b.oldAddresses()
	addresses = addresses[:min(len(addresses), listed)]
	at, port := strings.Join(addresses, " "), b.port
	if at == "" {
		at = "OLD_API_SERVERS"
	}
	s.Commands = []Command{script(Workstation, fmt.Sprintf(`( command -v curl > /dev/null || exit 2
  for at in %s; do
    ! curl --insecure --silent --max-time 5 --output /dev/null "https://$at:%s/readyz" || { echo "$at answers: the old cluster runs. Do not go on." >&2; exit 1; }
  done
  echo 'None answers from here, which alone is no proof.' )`, at, port), "curl").
		says("Asks the old API servers. If one answers, this ends with an error.")}
	if names := b.oldNodes(); len(names) > 0 {
		for start := 0; start < min(len(names), listed); start += 5 {
			s.Checks = append(s.Checks, "Off, wiped or cut off: "+strings.Join(names[start:min(start+5, len(names), listed)], ", ")+".")
		}
		if n := len(names) - listed; n > 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more old machines: %s lists them.", n, b.ontoCommand()))
		}
	} else {
		s.Warnings = append(s.Warnings, "The backup has no Node objects: which machines the old cluster had is not known.")
	}
	if b.Current != nil {
		s.Warnings = append(s.Warnings, b.Current.State.Old().Text())
	}
	return s
}

// ontoFiles are what a platform's control plane needs beyond the backup.
var ontoFiles = map[Platform][]string{
	Kubeadm: {
		along + "/pki has, from /etc/kubernetes/pki of an old control plane node: ca.crt, ca.key, sa.pub, sa.key, front-proxy-ca.crt, front-proxy-ca.key, etcd/ca.crt and etcd/ca.key. Nothing else of it: the other certificates name the old machines.",
		"The file of --encryption-provider-config is there, if an old kube-apiserver had that flag.",
	},
	K3s:   {"The token of the old servers (/var/lib/rancher/k3s/server/token). Certificates and keys are in the backup, encrypted with it.", "The flags and the config.yaml of the old servers: cluster and service ranges, secrets-encryption, disabled components."},
	RKE2:  {"The token of the old servers (/var/lib/rancher/rke2/server/token). Certificates and keys are in the backup, encrypted with it.", "The config.yaml of the old servers: cluster and service ranges, CNI, disabled components."},
	K0s:   {"/var/lib/k0s/pki of an old controller, with the CAs, the service account key and etcd's CA, and its k0s.yaml: cluster and service ranges, the network. Certificates that name old machines are left out."},
	Talos: {"secrets.yaml of the old cluster (talosctl gen secrets --from-controlplane-config makes it of an old machine configuration): it has the CAs, the service account key and the key of encryption at rest."},
	OpenShift: {
		"The directory that cluster-backup.sh made, with its static_kuberesources file. The key of encryption at rest is among those.",
		"The old names: OpenShift's etcd and its certificates go by the host names of the control plane.",
	},
	Kops: {"The state store with its pki directory, or a copy of it: it has the CAs and the service account key."},
}

// bringAlong says what the backup does not have.
func (b *builder) bringAlong() Step {
	s := Step{
		ID: "bring-along", Title: "Bring along what is not in the backup",
		Why: "etcd has the objects, but not the keys of the API servers. With another service account key, API servers refuse every token in the backup. With another CA, nothing trusts the API. With another encryption key, nobody can read the Secrets.",
	}
	files := ontoFiles[b.id]
	if files == nil {
		files = []string{"The private and public key that signs service account tokens (--service-account-key-file, --service-account-signing-key-file), the cluster's CA, the CA of the front proxy, and the CA of etcd, each with its key.",
			"The file of --encryption-provider-config, if an old kube-apiserver had that flag."}
	}
	s.Checks = append(s.Checks, files...)
	s.Checks = append(s.Checks, "--service-account-issuer and --api-audiences are those of the old API servers: cloud accounts that trust the cluster's tokens go by the issuer.")
	if b.id == Kubeadm || b.id == Generic {
		ca, key := along+"/pki/ca.crt", along+"/pki/sa"
		if root := b.Ties.RootCA; root != "" {
			s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf(`[ "$(openssl x509 -in %s -outform DER | sha256sum | cut -c1-64)" = %s ] && echo same`, ca, root), "openssl").
				says("Prints same: this is the CA that the pods of the backup trust."))
		}
		s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf("openssl pkey -in %[1]s.key -pubout | cmp - %[1]s.pub && echo pair", key), "openssl").
			says("Prints pair: the two service account keys belong together."))
	}
	switch {
	case len(b.Ties.ServiceRanges) > 0:
		s.Checks = append(s.Checks, "--service-cluster-ip-range is "+some(b.Ties.ServiceRanges)+": Services keep their addresses.")
	case len(b.Ties.ServiceIPs) > 0:
		s.Checks = append(s.Checks, "--service-cluster-ip-range holds "+some(b.Ties.ServiceIPs)+", the address of the Service kubernetes: Services keep their addresses.")
	}
	s.Checks = append(s.Checks, "The ranges of pods and the cluster's domain are those of the old cluster.")
	keys := atrest.Keys(b.Backup.Facts.Encryption)
	for _, k := range keys[:min(len(keys), listed)] {
		s.Checks = append(s.Checks, fmt.Sprintf("The encryption configuration has %s: %s of the backup need it (%s).", k.By(), count(k.Count, "value"), cmp.Or(some(k.Resources), "of no known resource")))
	}
	if len(keys) > 0 {
		s.covers(coversKeys)
	}
	if n := len(keys) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more keys: revenant inspect lists them.", n))
	}
	b.undone(&s, beforehand)
	if tokens := b.Backup.Facts.Tokens; len(tokens) > 0 {
		s.Checks = append(s.Checks, "The token is the one of the backup: its certificates and keys are "+keyspace.TokenText(tokens...)+".")
	}
	return s
}

// cleanBackup takes out of the backup what is of the old machines alone, in an etcd that
// nothing else reaches.
func (b *builder) cleanBackup() Step {
	if !b.byFile() {
		s := b.bring()
		return s
	}
	s := Step{
		ID: "clean-backup", Title: "Take the old machines out of the backup",
		Why: "An etcd on the workstation, which nothing else reaches, loads the backup and deletes the Node objects, all pods, and what is theirs. So no scheduler ever takes an old machine for a living one, no controller detaches a disk from it, and no kubelet of an old name starts a pod. The backup itself is not changed.",
	}
	etcdctl := func(args ...string) Command {
		return call(Workstation, slices.Concat(b.etcd.env, []string{tool("etcdctl"), "--endpoints=" + scratchURL}, args)...)
	}
	of := func(c Command) Command { // the program is what is brought along
		c.Programs = []string{tool("etcdctl")}
		return c.reads(tool("etcdctl"))
	}
	s.Commands = append(s.Commands,
		script(Workstation, `[ ! -e scratch.pid ] || { kill -s KILL "$(cat scratch.pid)"; rm scratch.pid; }`).says("What an earlier try has left."),
		call(Workstation, "rm", "-rf", "scratch.etcd"),
		call(Workstation, "mkdir", "-p", "-m", "700", carried).writes(carried))
	b.fetchEtcd(&s)
	b.copyBackup(&s)
	make := call(Workstation, append(b.etcdutl("snapshot", "restore", plainBackup, "--data-dir=scratch.etcd"), b.flags()...)...).flagALine().reads(plainBackup, tool(b.etcd.program)).writes("scratch.etcd")
	make.Programs = []string{tool(b.etcd.program)}
	ask := of(etcdctl("endpoint", "health")).whole()
	ready := wait(Workstation, "the etcd of the backup answers", 300, ask.Run, "Look at scratch.log.", tool("etcdctl")).reads(tool("etcdctl"))
	s.Commands = append(s.Commands,
		make,
		script(Workstation, fmt.Sprintf("( %s --data-dir=scratch.etcd --listen-client-urls=%[2]s --advertise-client-urls=%[2]s --listen-peer-urls=http://127.0.0.1:12380 > scratch.log 2>&1 & echo $! > scratch.pid )", tool("etcd"), scratchURL), tool("etcd")).
			reads("scratch.etcd", tool("etcd")).writes("scratch.log", "scratch.pid").says("Listens on this machine only."),
		ready,
	)
	lost := 0
	for _, k := range b.Ties.Machines {
		if _, ok := sanitize.ShellWord(k.Prefix); !ok {
			lost++
			continue
		}
		s.Commands = append(s.Commands, of(etcdctl("del", "--prefix", "--", k.Prefix)).says("%s: %d in the backup. Prints how many it has deleted.", k.What, k.Count))
	}
	if lost > 0 {
		s.Warnings = append(s.Warnings, unwritten(lost, "prefix"))
	}
	save := of(etcdctl("snapshot", "save", cleaned)).writes(cleaned)
	status := call(Workstation, b.etcdutl("snapshot", "status", cleaned, "--write-out=json")...).reads(cleaned, tool(b.etcd.program))
	status.Programs = []string{tool(b.etcd.program)}
	s.Commands = append(s.Commands, save,
		script(Workstation, `kill "$(cat scratch.pid)" && rm scratch.pid`).reads("scratch.pid"),
		status.says("Shows the revision. Note it."),
		call(Workstation, b.revenant("predict", append([]string{cleaned, "--onto=" + string(b.Onto)}, b.Flags...)...)...).reads(cleaned).says("Says that there are no pods and no Node objects."),
	)
	b.Backup.Facts.NoTrailer, b.Backup.Facts.Packed = false, ""
	b.plan.BumpRevision, b.plan.MarkCompacted = 0, false // it is in the file by now
	if b.id != Talos {
		b.carry(&s, b.restoreHosts())
	}
	s.Checks = append(s.Checks, "revenant inspect "+cleaned+" calls it whole. Start nothing before.")
	if bare := b.bareOnto(); len(bare) > 0 {
		s.Warnings = append(s.Warnings, "Pods that no controller makes again, and that are gone with this: "+some(bare)+". Create those that are wanted on the new cluster; the backup has them whole.")
	}
	return s
}

// bareOnto are the names of pods that no controller makes again.
func (b *builder) bareOnto() (names []string) {
	for _, p := range b.Backup.State.Pods {
		if p.Owner.Kind == "" && p.Mirror == "" && p.Unreadable == "" && !p.Terminal() && !p.Terminating() {
			names = append(names, p.Namespace+"/"+p.Name)
		}
	}
	slices.Sort(names)
	return names
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
	b.lookAt(&s, ties.Unread, "Not looked at, for it could not be read: ")
	return s
}

// eachTie has a command done for the first findings of an id, and says how many more
// there are.
func (b *builder) eachTie(s *Step, id ties.ID, comment string, args func(*ties.Finding) []string) {
	list := b.Ties.Of(id)
	lost := 0
	for i := range list[:min(len(list), listed)] {
		f := &list[i]
		words := args(f)
		if slices.ContainsFunc(words, func(w string) bool { _, ok := sanitize.ShellWord(w); return !ok || w == "" }) || f.Name == "" {
			lost++
			continue
		}
		said := comment
		if said == "" {
			said = "Acts outside: " + f.Detail + "."
		}
		s.Commands = append(s.Commands, b.kubectl(words...).says("%s", said))
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
	more := ""
	if n := b.Ties.Summary[id] - len(names); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	s.Checks = append(s.Checks, text+strings.Join(names, ", ")+more+".")
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
		s.Checks = append(s.Checks, "Nodes join in the way of "+b.title+".")
	}
	b.lookAt(&s, ties.WebhookBlocks, "If pods are refused because nothing answers behind a webhook, save its configuration, delete it, and let its operator make it again: ")
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
		Commands: []Command{b.suspend("false").says("Resumes the CronJobs. Deal with the runs that they missed first.")},
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
