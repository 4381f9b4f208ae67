package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/atrest"
	"revenant/analyzer/finding"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/watchers"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// stage is when a person acts on a finding.
type stage int

const (
	afterwards stage = iota // all runs again
	inBetween               // the API is back, and what would act on it waits
	beforehand              // before anything is stopped
)

// act is what is done about a sort of finding.
type act struct {
	at       stage
	commands func(b *builder, f *rollback.Finding) []Command // nil looks at the object
}

// acts are those about findings that are critical. One that is not here is looked at
// afterwards.
var acts = map[rollback.ID]act{
	rollback.EncryptionKey:     {beforehand, (*builder).readWithKeys},
	rollback.BootstrapToken:    {beforehand, (*builder).hashToken},
	rollback.NamespaceLost:     {beforehand, (*builder).exportNamespace},
	rollback.DefinitionVersion: {beforehand, nil},
	rollback.SecretRolledBack:  {beforehand, (*builder).exportObject},
	rollback.ClaimLost:         {beforehand, (*builder).exportObject},

	rollback.VolumeAttached:       {inBetween, (*builder).attachments},
	rollback.VolumeRebound:        {inBetween, nil},
	rollback.VolumeResurrected:    {inBetween, (*builder).retain},
	rollback.VolumeDeletedAgain:   {inBetween, (*builder).retain},
	rollback.DeviceConflict:       {inBetween, nil},
	rollback.DeviceFreed:          {inBetween, nil},
	rollback.NamespaceTerminating: {inBetween, nil},
	rollback.WebhookUnbacked:      {inBetween, (*builder).dropWebhook},
	rollback.ConversionUnbacked:   {inBetween, (*builder).converter},
	rollback.IPAM:                 {inBetween, (*builder).allocations},
	rollback.PodCIDR:              {inBetween, nil},
	rollback.AccessRegranted:      {inBetween, (*builder).revoke},
	rollback.TokenRevived:         {inBetween, (*builder).deleteAgain},

	rollback.ServiceConflict: {afterwards, nil},
	rollback.EndpointReused:  {afterwards, (*builder).endpointsOf},
	rollback.EndpointDead:    {afterwards, (*builder).endpointsOf},
}

// ofMachines are findings about machines, which a restore onto others leaves behind.
var ofMachines = []rollback.ID{
	rollback.VolumeAttached, rollback.DeviceConflict, rollback.DeviceFreed, rollback.EndpointReused, rollback.EndpointDead, rollback.IPAM, rollback.PodCIDR,
}

// undone adds to a step what is done in a stage about what goes back in time.
func (b *builder) undone(s *Step, at stage) {
	if b.Rollback == nil {
		return
	}
	said := map[rollback.ID]int{}
	for i := range b.Rollback.Findings {
		f := &b.Rollback.Findings[i]
		a := acts[f.ID]
		if f.Severity != finding.Critical || a.at != at || f.ID == rollback.MasterFormer || b.Onto != "" && slices.Contains(ofMachines, f.ID) {
			continue
		}
		said[f.ID]++
		s.covers(string(f.ID))
		if said[f.ID] > listed {
			continue
		}
		if !writableFinding(f) {
			s.Warnings = append(s.Warnings, unwritten(1, "object"))
			continue
		}
		if b.Onto != "" && at == beforehand && f.ID != rollback.EncryptionKey && f.ID != rollback.BootstrapToken {
			s.Checks = append(s.Checks, fmt.Sprintf("%s: %s. What the old cluster had last is in CURRENT: the UI of revenant shows and saves every object.", findingTitle(f.ID), strings.TrimSuffix(f.Reason, ".")))
			continue
		}
		commands := []Command{b.look(f)}
		if a.commands != nil {
			commands = a.commands(b, f)
		}
		comment := fmt.Sprintf("%s: %s.", findingTitle(f.ID), strings.TrimSuffix(f.Reason, "."))
		if said[f.ID] == 1 {
			comment += " " + f.Action
		}
		commands[0].Comment = strings.TrimSpace(comment + " " + commands[0].Comment)
		s.Commands = append(s.Commands, commands...)
	}
	list := b.predictCommand
	if b.Onto != "" {
		list = b.ontoCommand
	}
	for _, info := range rollback.Infos {
		if n := said[info.ID]; n > listed {
			s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more of %s: %s lists them.", b.Rollback.Summary[info.ID]-listed, info.ID, list()))
		}
	}
}

// covers says that the step is about a finding.
func (s *Step) covers(id string) {
	if !slices.Contains(s.Findings, id) {
		s.Findings = append(s.Findings, id)
		slices.Sort(s.Findings)
	}
}

func findingTitle(id rollback.ID) string {
	for _, info := range rollback.Infos {
		if info.ID == id {
			return info.Title
		}
	}
	return string(id)
}

// writableFinding says whether a line can name the object.
func writableFinding(f *rollback.Finding) bool {
	for _, word := range []string{f.Namespace, f.Name} {
		if _, ok := sanitize.ShellWord(word); !ok || strings.HasPrefix(word, "-") {
			return false
		}
	}
	return true
}

// object are kubectl's words for what a finding is about.
func object(f *rollback.Finding) (words []string) {
	if f.Namespace != "" {
		words = append(words, "--namespace="+f.Namespace)
	}
	words = append(words, f.Kind)
	if f.Name != "" {
		words = append(words, f.Name)
	}
	return words
}

// onObject is a command of kubectl about it.
func (b *builder) onObject(verb string, f *rollback.Finding, more ...string) Command {
	return b.kubectl(slices.Concat([]string{verb}, object(f), more)...)
}

func (b *builder) look(f *rollback.Finding) Command { return b.onObject("get", f, "--output=yaml") }

func (b *builder) readWithKeys(*rollback.Finding) []Command { return []Command{b.inspectKeys()} }

func (b *builder) hashToken(*rollback.Finding) []Command {
	return []Command{script(Workstation, "printf %s TOKEN | sha256sum").says("TOKEN is the one that you have for the time of the backup: the hash begins with what the backup names.")}
}

// extract writes objects of the newest state as manifests, for where the API no longer
// answers.
func (b *builder) extract(to string, words ...string) string {
	args := slices.Concat([]string{b.latest()}, words, []string{"--show-secrets", "--output=yaml=" + to}, b.Flags)
	if b.Current != nil && b.latest() == b.current() {
		args = append(args, b.NewestFlags...)
	}
	return b.line("extract", args...)
}

// export has a script that asks the API write a file once, or else takes the objects out of
// the newest state.
func (b *builder) export(ask, to string, words ...string) []Command {
	return []Command{script(Workstation, fmt.Sprintf("[ -e %[2]s ] || { %[1]s > part.yaml && mv part.yaml %[2]s; } ||\n    %[3]s", ask, quote(to), b.extract(to, words...)), "kubectl", "revenant").
		reads(b.latest()).writes(to).says("From the API while it answers, or else from the newest state.")}
}

// exportNamespace saves all that is in a namespace that the backup does not have.
func (b *builder) exportNamespace(f *rollback.Finding) []Command {
	ask := fmt.Sprintf("kinds=$(kubectl api-resources --verbs=list --namespaced --output=name | paste -sd , -) && [ -n \"$kinds\" ] &&\n    kubectl get --namespace=%s \"$kinds\" --output=yaml", quote(f.Name))
	return b.export(ask, "namespace-"+f.Name+".yaml", "--namespace="+f.Name)
}

func (b *builder) exportObject(f *rollback.Finding) []Command {
	ask := joined(slices.Concat([]string{"kubectl", "get"}, object(f), []string{"--output=yaml"}))
	return b.export(ask, f.Kind+"-"+f.Namespace+"-"+f.Name+".yaml", object(f)...)
}

func (b *builder) attachments(f *rollback.Finding) []Command {
	return []Command{b.look(f), b.kubectl("get", "volumeattachments", "--output=wide")}
}

func (b *builder) retain(f *rollback.Finding) []Command {
	return []Command{b.onObject("patch", f, `--patch={"spec":{"persistentVolumeReclaimPolicy":"Retain"}}`)}
}

// dropWebhook takes a webhook away and keeps it as a file that kubectl creates it from.
func (b *builder) dropWebhook(f *rollback.Finding) []Command {
	name := webhookFile(f)
	get := strings.Join([]string{b.kubectlLine("get"), quote(f.Kind), quote(f.Name), "--output=yaml"}, " ")
	return []Command{
		script(Workstation, fmt.Sprintf("[ -e %[2]s ] || { %[1]s > part.yaml && sed '/^  resourceVersion:/d; /^  uid:/d' part.yaml > %[2]s; }", get, quote(name)), "kubectl").writes(name),
		b.onObject("delete", f, "--ignore-not-found").reads(name),
	}
}

func webhookFile(f *rollback.Finding) string { return f.Kind + "-" + f.Name + ".yaml" }

func (b *builder) converter(f *rollback.Finding) []Command {
	return []Command{b.onObject("get", f, "--output=jsonpath={.spec.conversion.webhook.clientConfig}")}
}

func (b *builder) allocations(f *rollback.Finding) []Command {
	if f.Name == "" && strings.Contains(f.Kind, " ") { // keys that are no API objects
		return []Command{b.etcdctl(b.endpoints(), "get", "--prefix", "--keys-only", "/calico/ipam/")}
	}
	return []Command{b.kubectl("get", f.Kind, "--all-namespaces")}
}

// revoke looks at a permission, and takes away one that only the backup has.
func (b *builder) revoke(f *rollback.Finding) []Command {
	if slices.ContainsFunc(f.Evidence, func(r finding.Ref) bool { return r.Snapshot == finding.InCurrent }) {
		return []Command{b.onObject("edit", f)}
	}
	return []Command{b.look(f), b.onObject("delete", f, "--ignore-not-found").says("If it was.")}
}

func (b *builder) deleteAgain(f *rollback.Finding) []Command {
	return []Command{b.onObject("delete", f, "--ignore-not-found")}
}

func (b *builder) endpointsOf(f *rollback.Finding) []Command {
	return []Command{b.kubectl("get", "--namespace="+f.Namespace, "endpointslices", "--selector=kubernetes.io/service-name="+f.Name, "--output=wide")}
}

// prepare is what has to be done while there still is what the restore takes away.
func (b *builder) prepare() Step {
	s := Step{
		ID: "prepare", Title: "Prepare for what the restore takes away",
		Why: "Some of what the restore takes away can be saved only now, and some of what it brings back would keep the control plane from starting.",
	}
	b.undone(&s, beforehand)
	return s.unless()
}

// setRight is what must be right before anything acts on the restored state.
func (b *builder) setRight() Step {
	s := Step{
		ID: "set-right", Title: "Set right what went back in time",
		Why: "Controllers, the scheduler and kubelets act on these as soon as they see them. Set each right first.",
	}
	if b.together {
		s.Why = "Controllers run already, and may have acted on these."
	}
	b.undone(&s, inBetween)
	return s.unless()
}

// unless is s, or none when there is nothing to do.
func (s Step) unless() Step {
	if len(s.Commands)+len(s.Checks)+len(s.Warnings) == 0 {
		return Step{}
	}
	return s
}

// repairUndone adds what is left for the end.
func (b *builder) repairUndone(s *Step) {
	if b.prediction != nil && b.stale {
		b.restartServers(s)
	}
	b.undone(s, afterwards)
	b.webhooksBack(s)
	b.repairWorkloads(s)
}

// webhooksBack creates again the webhooks that were taken away.
func (b *builder) webhooksBack(s *Step) {
	if b.Rollback != nil {
		for i := range b.Rollback.Findings {
			f := &b.Rollback.Findings[i]
			if f.ID == rollback.WebhookUnbacked && f.Severity == finding.Critical && writableFinding(f) {
				s.Commands = append(s.Commands, call(Workstation, "kubectl", "create", "--filename="+webhookFile(f)).reads(webhookFile(f)).says("Once its server runs."))
			}
		}
	}
}

// restartServers restarts the API servers that the plan has left with the erased past.
func (b *builder) restartServers(s *Step) {
	commands := slices.Concat(b.stopAPI, b.profile.startAPI)
	if len(commands) == 0 {
		s.Warnings = append(s.Warnings, "API servers still show the erased past: restart all of them.")
		return
	}
	commands[0].Comment = strings.TrimSpace("API servers still show the erased past, and hide what etcd holds. Restart all of them, then write this runbook again. " + commands[0].Comment)
	s.Commands = append(commands, s.Commands...)
}

// repairWorkloads names the workloads and nodes that are wrong afterwards.
func (b *builder) repairWorkloads(s *Step) {
	if b.prediction == nil {
		return
	}
	var names []string
	for i := range b.prediction.Workloads {
		w := &b.prediction.Workloads[i]
		if w.Severity != restore.Critical {
			continue
		}
		name := fmt.Sprintf("%s %s/%s", w.Kind, w.Namespace, w.Name)
		if names = append(names, name); w.Action != "" && len(names) <= listed {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %s %s", name, w.Reason, w.Action))
		}
	}
	if len(names) == 0 {
		return
	}
	s.covers(coversWorkload)
	s.Commands = append(s.Commands, b.kubectl("get", "deployments,statefulsets,daemonsets,jobs,cronjobs", "--all-namespaces"))
	s.Checks = append(s.Checks, fmt.Sprintf("These workloads run as wanted, or were created again: %s. %s says what is predicted of each.", words.First(names, listed), b.predictCommand()))
}

// What steps say that they are about beside findings of package rollback and outcomes of
// package restore.
const (
	coversWorkload = "workload"
	coversRefusal  = "node-refuses-pods"
	coversAlarm    = "etcd-alarm"
	coversKeys     = "encryption-keys"
)

// refusals warn of nodes whose kubelets will refuse pods.
func (b *builder) refusals(s *Step) {
	if b.prediction == nil {
		return
	}
	var names []string
	for i := range b.prediction.Nodes {
		if n := &b.prediction.Nodes[i]; n.Capacity != nil && n.Capacity.Refuses != "" {
			names = append(names, n.Name)
			s.covers(coversRefusal)
		}
	}
	if len(names) > 0 {
		s.Warnings = append(s.Warnings, "More runs on these nodes than the API knows, and their kubelets will refuse pods (OutOfcpu, OutOfmemory, OutOfpods): "+words.First(names, listed)+". Cordon them (kubectl cordon NODE) until what the API does not know has stopped there.")
	}
}

// attach says which steps are about what the prediction says of pods.
func (b *builder) attach(steps []Step) {
	if b.prediction == nil {
		return
	}
	at := map[string]*Step{}
	for i := range steps {
		at[steps[i].ID] = &steps[i]
	}
	for i := range b.prediction.Pods {
		o := &b.prediction.Pods[i]
		if o.Severity != restore.Critical {
			continue
		}
		for _, id := range answered(o) {
			if s := at[id]; s != nil && len(s.Commands) > 0 {
				s.covers(string(o.Outcome))
				break
			}
		}
	}
	if len(b.FormerMasters) > 0 && at["former-api-servers"] != nil {
		at["former-api-servers"].covers(string(rollback.MasterFormer))
	}
	if s := at["restart-watchers"]; s != nil && slices.ContainsFunc(b.restartable(), func(w watchers.Watcher) bool { return w.Known != nil }) {
		s.covers(string(rollback.WatcherStale))
	}
}

// answered are the steps that are about a pod, the first that there is.
func answered(o *restore.PodOutcome) []string {
	has := func(f restore.Flag) bool { return slices.Contains(o.Flags, f) }
	switch {
	case has(restore.FlagNodeGone):
		return []string{"clean-up", "repair"}
	case has(restore.FlagNeedsForceDelete), has(restore.FlagNotRescheduled), o.Outcome == restore.Hidden:
		return []string{"repair"}
	case o.Outcome == restore.LostDeletion:
		return []string{"clean-up", "repair"}
	case o.Outcome == restore.Unknown:
		return []string{"verify"}
	}
	return []string{"restart-kubelets", "verify"}
}

// dangers are what can go wrong beside pods, for the summary.
func (b *builder) dangers() (list []string) {
	unread, unknown := 0, 0
	for _, v := range b.Backup.Facts.Encryption {
		switch v.Fit {
		case atrest.WrongKey, atrest.NoKey, atrest.NoPlugin, atrest.OtherKey, atrest.NoPlain:
			unread += v.Count
		case atrest.NotGiven:
			unknown += v.Count
		}
	}
	switch {
	case unread > 0:
		list = append(list, fmt.Sprintf("The given encryption configuration does not fit %s of the backup: API servers with it cannot list these resources.", words.Count(unread, "value")))
	case unknown > 0:
		list = append(list, fmt.Sprintf("The backup has %s encrypted at rest: whether the API servers have the keys is not known.", words.Count(unknown, "value")))
	}
	if len(b.Backup.Facts.Alarms) > 0 {
		list = append(list, "The backup has alarms: etcd refuses writes until they are disarmed.")
	}
	if b.Rollback == nil {
		return list
	}
	n := map[rollback.ID]int{}
	for i := range b.Rollback.Findings {
		if f := &b.Rollback.Findings[i]; f.Severity == finding.Critical {
			n[f.ID]++
		}
	}
	var parts []string
	for _, info := range rollback.Infos {
		if n[info.ID] > 0 {
			parts = append(parts, fmt.Sprintf("%s (%d)", strings.ToLower(info.Title), n[info.ID]))
		}
	}
	if len(parts) > 0 {
		list = append(list, "Not only pods go back in time. You have to act on these: "+strings.Join(parts, ", ")+".")
	}
	return list
}
