package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/kubelet"
	"revenant/decoder/sanitize"
)

// belongs says whether the API has a pod where it runs.
func (c *comparison) belongs(p *pod) bool {
	has := c.api[p.UID]
	return has != nil && has.Node == p.Node
}

// strays finds the containers of a pod that the API's pod does not have. Those of a
// static pod are not the API's to know.
func (c *comparison) strays(p *pod) {
	has := c.api[p.UID]
	if !c.belongs(p) || p.Static || has.Mirror {
		return
	}
	slices.Sort(p.Running)
	for _, name := range slices.Compact(p.Running) {
		if slices.Contains(has.Containers, name) {
			continue
		}
		f := Finding{
			Kind: Stray, Container: name, Certainty: p.certainty(), Evidence: p.sources,
			Reason: fmt.Sprintf("The container %s runs in it, and the API's pod does not have it.", name),
			Action: "Stop the container, if nobody works in it. No kubelet does so, not even one that relists or is restarted (kubernetes v1.37 pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions). It is an ephemeral one as a rule (kubectl debug), added after the backup, and those are never started again.",
		}
		if len(has.Containers) == 0 {
			f.Reason += " The list names no container of the pod."
		}
		if !c.live {
			f.Certainty = restore.Possible
			f.Reason += " It may have been added after the snapshot was taken: a current list of the API's pods shows it."
		}
		inner := commandLine(fmt.Sprintf("crictl stop --timeout=%d $(crictl ps --quiet --label %% --label %%)", cmp.Or(has.Grace, 30)), "io.kubernetes.pod.uid="+p.UID, "io.kubernetes.container.name="+name)
		f.Command = commandLine("ssh -- % %", p.Node, inner)
		c.report.add(f, p.Node, &p.Pod)
	}
}

// phantom looks whether the API has a running pod where it runs.
func (c *comparison) phantom(p *pod) {
	if p.Static || c.static[p.UID] {
		if !c.static[p.UID] {
			c.report.note("%s: the static pod %s/%s has no mirror in the API.", p.Node, p.Namespace, p.Name)
		}
		return
	}
	f := Finding{Kind: Phantom, Certainty: p.certainty(), Evidence: p.sources}
	runs := "It runs here"
	if p.mayRun() && p.ready {
		runs = "Its sandbox is there, with no running container, and one may be about to start"
	} else if p.mayRun() {
		runs = "Its kubelet lists it as " + cmp.Or(p.Phase, "Pending") + ", with no container that runs, and may have started one since"
	}
	has := c.api[p.UID]
	switch {
	case has == nil && p.Terminating:
		f.Reason = runs + ", is being stopped, and the API does not have its uid: it ends with its grace period."
	case has == nil:
		f.Reason = runs + ", and the API does not have its uid."
	case has.Node == p.Node:
		return
	case has.Node == "":
		f.Reason = runs + ", and the API has it bound to no node."
	default:
		f.Reason = runs + ", and the API has it on " + has.Node + "."
	}
	if !c.live && !c.Taken.IsZero() && p.Created.After(c.Taken) {
		f.Certainty = restore.Possible
		f.Reason += " It was created after the snapshot was taken: a current list of the API's pods shows whether it is known."
	}
	if d, ok := c.Deleted[p.UID]; ok && has == nil {
		f.Certainty = restore.Possible
		f.Reason += d.text() + ": the node may have answered before. If it still runs when it is asked again, its kubelet did not hear of the deletion."
	}
	if snapshot := c.snapshot[p.UID]; has == nil && snapshot != nil && snapshot.Node == p.Node {
		f.Certainty = restore.Possible
		f.Reason += " The snapshot has it here: it may be newer than the API server's list. Ask for that again."
	}
	if has == nil && c.Only != "" && p.Namespace != c.Only {
		f.Certainty = restore.Possible
		f.Reason += " The API's list has no pod of its namespace: was it made with kubectl get pods -A?"
	}
	if !c.live && c.Unreadable[p.Namespace+"/"+p.Name] {
		f.Certainty, f.Reason = restore.Possible, "It runs, and the snapshot has a pod of its name in a value that cannot be read: it may be this one."
		f.Action = "Give a current list of the API's pods (kubectl get pods -A -o json), or the encryption configuration, before you stop it."
		c.report.add(f, p.Node, &p.Pod)
		return
	}
	f.Action = fmt.Sprintf("Stop its containers with its grace period while the kubelet is down, which would start them again; preStop hooks do not run. When the kubelet starts, it kills within 2 s what else the API does not have on %s. On k3s and RKE2, whose service is the runtime too, stop the containers first and restart the service at once.", p.Node)
	f.Command = stop(p)
	c.report.add(f, p.Node, &p.Pod)
}

// stop stops a pod's containers with its grace period while its kubelet is down, which
// would start them again. Stopping its sandbox would kill them at once (containerd v2.1
// internal/cri/server/sandbox_stop.go stopPodSandbox); CRI-O takes its network away first.
func stop(p *pod) string {
	const defaultGrace = 30
	inner := commandLine(fmt.Sprintf("systemctl stop kubelet && { ids=$(crictl ps --quiet --label %%) && [ -n \"$ids\" ] && crictl stop --timeout=%d $ids; systemctl start kubelet; }", cmp.Or(max(p.Grace, 0), defaultGrace)), "io.kubernetes.pod.uid="+p.UID)
	return commandLine("ssh -- % %", p.Node, inner)
}

// ghost looks whether anything runs of a pod that the API has on a node.
func (c *comparison) ghost(p *kubelet.Pod, there *pod, r *NodeReport) {
	seen := r.Seen
	if p.Mirror || p.Phase == "Succeeded" || p.Phase == "Failed" || there != nil && there.runs {
		return
	}
	phase := cmp.Or(p.Phase, "Pending")
	f := Finding{Kind: Ghost, Certainty: restore.Possible, Evidence: seen, Reason: "The API has it as " + phase + " here"}
	// A list of containers does not show a sandbox whose container is about to start.
	runtime := slices.Contains(seen, string(kubelet.Running)) || slices.Contains(seen, string(kubelet.Sandboxes))
	listed := slices.Contains(seen, string(kubelet.Listed))
	switch ended := there != nil && (there.Phase == "Succeeded" || there.Phase == "Failed"); {
	case there != nil && there.listed && !there.sure:
		f.Reason += "; its kubelet lists it as " + cmp.Or(there.Phase, "Pending") + ", and no container of it as running."
	case there != nil && there.listed && !ended:
		f.Reason += "; its kubelet lists it as " + cmp.Or(there.Phase, "Pending") + ", and nothing of it runs: it may be about to start, or to start again."
	case there != nil && there.sandbox && !ended:
		f.Reason += "; its sandbox is there, and no container in it runs: one may be about to start, or to start again."
	case there != nil && !runtime && !listed:
		f.Reason += "; its containers have ended, and one may be about to start again."
	case there != nil:
		f.Certainty, f.Reason = restore.Certain, f.Reason+"; the node knows it, and nothing of it runs."
	case !runtime && !listed:
		f.Reason += ", and the answers given for the node do not have it."
	case !runtime:
		f.Reason += ", and its kubelet does not list it: it may still run."
	case phase == "Pending" && !listed:
		f.Reason += ", and nothing of it runs: its kubelet may still know it, and be about to start it."
	case phase == "Pending":
		f.Certainty, f.Reason = restore.Certain, "It waits for its kubelet, which does not know it: a deaf kubelet never starts it."
	case listed:
		f.Certainty, f.Reason = restore.Certain, f.Reason+", and its kubelet does not know it."
	default:
		f.Certainty, f.Reason = restore.Certain, f.Reason+", and nothing of it runs."
	}
	if len(r.Unread) > 0 {
		f.Certainty = restore.Possible
		f.Reason += " Not all that the node says was read."
	}
	if d, ok := c.Deleted[p.UID]; ok && c.live {
		f.Certainty = restore.Possible
		f.Reason += d.text() + ": the API server's list may be older, or serve a past that etcd has lost."
	}
	if p.Terminating {
		f.Reason += " It is being deleted, and no kubelet finishes that."
	}
	if f.Certainty == restore.Possible {
		f.Action = "Look again after some minutes, with /runningpods and /pods: one that is about to start runs then. "
	}
	f.Action += "Delete it if it is not wanted. If it is, make its kubelet relist: a restart of the kubelet starts it, and kills what the API does not have there within 2 s."
	f.Command = commandLine("kubectl delete pod --namespace=% -- %", p.Namespace, p.Name)
	c.report.add(f, p.Node, p)
}

// doubles finds pods and names that run twice.
func (c *comparison) doubles() {
	byName := map[string][]int{}
	for i := range c.running {
		p := &c.running[i]
		if !p.Static {
			key := p.Namespace + "/" + p.Name
			byName[key] = append(byName[key], i)
		}
	}
	for _, name := range sortedKeys(byName) {
		for _, i := range byName[name] {
			c.double(&c.running[i], byName[name])
		}
	}
}

// named is how many others that it runs beside a finding names.
const named = 10

func (c *comparison) double(p *pod, all []int) {
	var others []string
	for _, i := range all {
		o := &c.running[i]
		if o.Node == p.Node && o.UID == p.UID {
			continue
		}
		if len(others) == named {
			others = append(others, fmt.Sprintf("and %d more", len(all)-1-named))
			break
		}
		what := "its uid"
		if o.UID != p.UID {
			what = "the uid " + o.UID
		}
		others = append(others, fmt.Sprintf("with %s on %s", what, o.Node))
	}
	if len(others) == 0 {
		return
	}
	f := Finding{Kind: Double, Certainty: p.certainty(), Evidence: p.sources, Reason: "It also runs " + strings.Join(others, ", ") + "."}
	if has := c.api[p.UID]; has != nil && has.Node == p.Node {
		f.Reason += " This is the one that the API has."
		f.Action = "Stop the other."
	} else {
		f.Reason += " The API does not have this one here."
		f.Action = "Check who owns its data, then stop this one."
		f.Command = stop(p)
	}
	c.report.add(f, p.Node, &p.Pod)
}

// commandLine puts a command line together of fixed text and, at each %, a word from
// evidence; "" when one of them cannot be written.
func commandLine(line string, evidence ...string) string {
	for _, s := range evidence {
		w, ok := sanitize.ShellWord(s)
		if !ok || s == "" {
			return ""
		}
		before, after, _ := strings.Cut(line, "%")
		line = before + strings.ReplaceAll(w, "%", "\x00") + after
	}
	return strings.ReplaceAll(line, "\x00", "%")
}
