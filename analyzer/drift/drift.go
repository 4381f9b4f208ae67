// Package drift reports how the pods that run on nodes differ from those in the API,
// after a restore or at any time.
//
// It takes the pods in the API, from a snapshot or as each API server lists them, and
// for each node what its kubelet or container runtime reports. It returns findings:
// API servers that list a pod differently, phantoms (something runs that the API does
// not have there), ghosts (the API has a pod there, and nothing of it runs), doubles
// (one pod or one name runs twice), stray containers (one runs that the API's pod
// does not have), and nodes that nobody looked at, whose answers were not read in
// full, or where only the runtime answers. Each finding has a remedy and a certainty.
//
// If API servers disagree, nodes are compared with the lists that agree in everything
// with a snapshot that is not older than the lists, and otherwise with each list: a
// finding that not all lists confirm is at most possible.
//
// Static pods and their mirror pods are neither phantoms nor ghosts. What only a
// kubelet's list of pods shows, and no runtime, is at most possible: kubelets keep
// pods in it whose containers have ended, and start some of them again, and a pod
// that has left it may still run. The same holds for a ghost that may be about to
// start: one that its kubelet lists as alive, or whose sandbox exists.
package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/kubelet"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// Kind is what is wrong with a pod or a node.
type Kind string

// The kinds of findings, worst first.
const (
	Disagreement Kind = "api-disagreement"
	Double       Kind = "double"
	Phantom      Kind = "phantom"
	Ghost        Kind = "ghost"
	Stray        Kind = "stray-container"
	Unread       Kind = "unread-node"
	Silent       Kind = "silent-kubelet"
	Unseen       Kind = "unseen-node"
)

// KindInfo describes a kind.
type KindInfo struct {
	ID       Kind
	Severity restore.Severity
	Title    string
}

// Kinds describes the kinds, worst first.
var Kinds = []KindInfo{
	{Disagreement, restore.Critical, "API servers list it differently: one of them serves a past that etcd has lost, or lags"},
	{Double, restore.Critical, "one pod, or one name, runs twice"},
	{Phantom, restore.Critical, "runs on the node, and the API does not have it there"},
	{Ghost, restore.Critical, "the API has it on the node, and nothing of it runs"},
	{Stray, restore.Warning, "a container runs that the API's pod does not have"},
	{Unread, restore.Warning, "a node whose answers were not read in full: it counts as one that did not answer"},
	{Silent, restore.Warning, "a node whose kubelet does not answer: only its runtime shows what runs there"},
	{Unseen, restore.Warning, "a node that nobody looked at"},
}

// rank is where a kind stands among them.
func rank(k Kind) int { return slices.IndexFunc(Kinds, func(i KindInfo) bool { return i.ID == k }) }

// Input is what is compared.
type Input struct {
	// API is what the snapshot has, taken at Taken (UTC, zero when not known). It
	// counts where no API server has been asked: pods that are newer may be in the
	// API by now.
	API   []kubelet.Pod
	Taken time.Time
	// Deleted are, by uid, pods of the answers that the snapshot's history has as deleted.
	Deleted map[string]Deletion
	// Servers are what API servers listed when the nodes were looked at, of as many as
	// the snapshot names.
	Servers []Server
	Named   int
	Nodes   []Node
	// Unreadable are the pods, as NAMESPACE/NAME, that the API has in a value that
	// cannot be read: which uid they have, and where they belong, is not known.
	Unreadable map[string]bool
	// Known are the names of nodes from other evidence, a Node object or a
	// prediction: phantoms may run there although the API has no pod on them.
	Known []string
	// Partial says that nodes which nobody looked at are left out on purpose.
	Partial bool
}

// Node is what one node says.
type Node struct {
	Name  string
	Dumps []kubelet.Dump
}

// Finding is one difference.
type Finding struct {
	Kind      Kind              `json:"kind"`
	Severity  restore.Severity  `json:"severity"`
	Node      string            `json:"node"`
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	UID       string            `json:"uid"`
	Container string            `json:"container"` // "" where it is not about one
	Certainty restore.Certainty `json:"certainty"`
	Reason    string            `json:"reason"`
	Evidence  []string          `json:"evidence"` // which answers it rests on
	Action    string            `json:"action"`
	Command   string            `json:"command"` // "" where there is none to give
}

// Report is what was found.
type Report struct {
	Servers  []ServerReport `json:"apiServers"` // [] when none was asked
	Nodes    []NodeReport   `json:"nodes"`      // sorted by name
	Findings []Finding      `json:"findings"`   // worst first
	Summary  map[Kind]int   `json:"summary"`
	Notes    []string       `json:"notes"`
}

// NodeReport counts what was found on a node.
type NodeReport struct {
	Name     string   `json:"name"`
	Seen     []string `json:"seen"`   // the kinds of answers that were read in full; [] when there is none
	Unread   []string `json:"unread"` // why other answers were not
	Running  int      `json:"running"`
	Phantoms int      `json:"phantoms"`
	Ghosts   int      `json:"ghosts"`
	Doubles  int      `json:"doubles"`
	Strays   int      `json:"strays"`
	Silent   bool     `json:"silent"` // its runtime answers, its kubelet does not
}

// pod is a pod on a node, as all of the node's answers together have it.
type pod struct {
	kubelet.Pod
	runs    bool
	sure    bool // a runtime has answered
	alive   bool // its kubelet lists it, and not as ended
	listed  bool // its kubelet lists it
	sandbox bool // its sandbox is ready
	ready   bool // as crictl tells: whether its containers run is another answer's to tell
	sources []string
}

// again is how long after the API servers are back, in seconds, every kubelet has
// relisted that does so at all: what it waits for grows to 30 to 60 s, and is short
// again after two minutes (client-go v0.37 tools/cache/reflector.go, apimachinery v0.37
// pkg/util/wait/backoff.go Step, DelayWithReset).
const again = 120

// Compare finds the differences.
func Compare(in Input) *Report {
	r := &Report{Servers: []ServerReport{}, Nodes: []NodeReport{}, Findings: []Finding{}, Summary: map[Kind]int{}, Notes: []string{}}
	for _, k := range Kinds {
		r.Summary[k.ID] = 0
	}
	if len(in.Servers) == 0 {
		r.merge(make([]Server, 1), []*Report{in.against(Server{Pods: in.API}, false)})
		if n := len(in.Unreadable); n > 0 {
			r.note("%s of the snapshot cannot be read: whether they run is not known. The API's pods of now tell (kubectl get pods -A -o json).", words.Count(n, "pod"))
		}
	} else {
		if len(in.Servers) < in.Named {
			r.note("The snapshot names %d API servers, and %d of them were asked: another may list other pods. Ask each at its own address (kubectl --server https://ADDRESS:6443 get pods -A -o json).", in.Named, len(in.Servers))
		}
		lists, reports := in.servers(r), []*Report{}
		for _, s := range lists {
			reports = append(reports, in.against(s, true))
		}
		r.merge(lists, reports)
	}
	r.finish()
	return r
}

// against holds the nodes against what one API server lists, or the snapshot has.
func (in *Input) against(s Server, live bool) *Report {
	c := comparison{Input: in, Server: s, live: live, api: map[string]*kubelet.Pod{}, snapshot: map[string]*kubelet.Pod{}, static: map[string]bool{}, bound: map[string][]int{}, at: map[string]bool{}, report: &Report{}}
	for i := range c.Pods {
		p := &c.Pods[i]
		c.api[p.UID] = p
		c.bound[p.Node] = append(c.bound[p.Node], i)
		if p.Mirror {
			c.static[p.StaticUID] = true
		}
	}
	for i := range in.API {
		c.snapshot[in.API[i].UID] = &in.API[i]
	}
	if c.Only != "" {
		c.report.note("The API's list has pods of the namespace %s only: if it is not that of all (kubectl get pods -A), phantoms elsewhere are none, and ghosts there are missing.", c.Only)
	}
	c.nodes()
	c.doubles()
	c.unseen()
	return c.report
}

type comparison struct {
	*Input
	Server                           // what the nodes are held against
	live     bool                    // it is an API server's list, and not the snapshot
	api      map[string]*kubelet.Pod // its pods by uid
	snapshot map[string]*kubelet.Pod // the snapshot's by uid
	static   map[string]bool         // uids of static pods that have a mirror
	running  []pod                   // on all nodes
	at       map[string]bool         // nodes that were looked at
	bound    map[string][]int        // its pods by node
	report   *Report
}

// nodes compares every node that was looked at.
func (c *comparison) nodes() {
	for _, n := range c.Nodes {
		c.at[n.Name] = true
		c.report.Nodes = append(c.report.Nodes, NodeReport{Name: n.Name, Seen: []string{}, Unread: []string{}})
		c.node(n, &c.report.Nodes[len(c.report.Nodes)-1])
	}
}

func (c *comparison) node(n Node, r *NodeReport) {
	pods, refused := together(n), []string{}
	for _, d := range n.Dumps {
		switch s := string(d.Kind); {
		case d.Unread != "" && s == "":
			refused = append(refused, d.Unread)
		case d.Unread != "":
			r.Unread = append(r.Unread, d.Unread)
		case !slices.Contains(r.Seen, s):
			r.Seen = append(r.Seen, s)
		}
	}
	if r.Silent = silent(n); !r.Silent {
		r.Unread = append(r.Unread, refused...)
	}
	c.unread(r)
	if slices.Contains(r.Seen, string(kubelet.Empty)) {
		c.report.note("%s: a list without a pod was given that may be /pods or /runningpods: which of the two it is, is not known. Name the file %s.pods.json or %s.runningpods.json.", n.Name, n.Name, n.Name)
	} else if len(r.Seen) > 0 && !runtime(n) {
		c.report.note("%s: only its kubelet's list of pods was given. What has left the list and still runs is not in it: /runningpods or crictl shows it.", n.Name)
	}
	untold := 0
	for _, uid := range sortedKeys(pods) {
		p := pods[uid]
		p.Node = n.Name
		if p.runs {
			r.Running++
			c.running = append(c.running, *p)
		} else if !p.mayRun() {
			continue
		}
		c.phantom(p)
		if len(p.Running) == 0 && p.runs && c.belongs(p) {
			untold++
		}
		c.strays(p)
	}
	if untold > 0 {
		c.report.note("%s: its answers do not tell which containers run in %d of its pods: a stray container would be in /runningpods or crictl ps.", n.Name, untold)
	}
	c.silent(r, refused)
	if len(r.Seen) == 0 && len(r.Unread) > 0 {
		return // what is not there may be in what was not read
	}
	for _, i := range c.bound[n.Name] {
		c.ghost(&c.Pods[i], pods[c.Pods[i].UID], r)
	}
}

// silent says whether a node's runtime answers in full, and its kubelet not at all.
func silent(n Node) bool {
	own := false
	for _, d := range n.Dumps {
		switch d.Kind {
		case kubelet.Sandboxes, kubelet.Containers:
			own = own || d.Unread == ""
		case "":
		default:
			return false
		}
	}
	return own
}

// silent says that what runs on a node only its runtime tells.
func (c *comparison) silent(r *NodeReport, refused []string) {
	if !r.Silent {
		return
	}
	f := Finding{
		Kind: Silent, Certainty: restore.Certain, Evidence: r.Seen,
		Reason: "Its kubelet does not answer: " + strings.Join(refused, "; ") + ".",
		Action: "Look at the kubelet on the machine (systemctl status kubelet). When it starts, it relists: it kills within 2 s what the API does not have there, and starts what it has. If it is up, give its /pods and /runningpods, too.",
	}
	if len(refused) == 0 {
		f.Certainty, f.Reason = restore.Possible, "Its kubelet does not answer, or was not asked: no answer of it was given."
	}
	f.Reason += fmt.Sprintf(" By its runtime (%s) %d pods run there.", strings.Join(r.Seen, ", "), r.Running)
	c.report.add(f, r.Name, &kubelet.Pod{})
}

// unread says that it is not known what runs on a node: what was not read may be a
// pod that runs.
func (c *comparison) unread(r *NodeReport) {
	if len(r.Unread) == 0 {
		return
	}
	c.report.add(Finding{
		Kind: Unread, Certainty: restore.Certain, Evidence: []string{},
		Reason: "What runs there is not known in full: " + strings.Join(r.Unread, "; ") + ".",
		Action: "Get its answers again, unchanged and whole. What was read of them is still compared.",
	}, r.Name, &kubelet.Pod{})
}

// runtime says whether a runtime's answer was read in full: only then does nothing
// run that it does not list.
func runtime(n Node) bool { return best(n) > byKubelet }

// How well an answer tells what runs.
const (
	byKubelet    = iota // as it believes
	bySandbox           // pods, and not whether a container in them runs
	byContainers        // containers
)

func tells(k kubelet.Kind) int {
	switch k {
	case kubelet.Running, kubelet.Containers:
		return byContainers
	case kubelet.Sandboxes:
		return bySandbox
	}
	return byKubelet
}

// best is how well those of a node's answers tell that were read in full.
func best(n Node) int {
	most := byKubelet
	for _, d := range n.Dumps {
		if d.Unread == "" {
			most = max(most, tells(d.Kind))
		}
	}
	return most
}

// together puts a node's answers together by uid. What tells better what runs counts
// before the others.
func together(n Node) map[string]*pod {
	pods := map[string]*pod{}
	best := best(n)
	for _, d := range n.Dumps {
		counts := tells(d.Kind) >= best
		for _, from := range d.Pods {
			p := pods[from.UID]
			if p == nil {
				p = &pod{Pod: from, sure: best > byKubelet}
				p.Running = nil
				pods[from.UID] = p
			}
			p.merge(&from)
			if s := string(d.Kind); !slices.Contains(p.sources, s) {
				p.sources = append(p.sources, s)
			}
			p.listed = p.listed || d.Kind == kubelet.Listed
			p.alive = p.alive || d.Kind == kubelet.Listed && from.Phase != "Succeeded" && from.Phase != "Failed"
			p.ready = p.ready || d.Kind == kubelet.Sandboxes && from.Runs
			p.sandbox = p.sandbox || p.ready || d.Kind == kubelet.Running // it lists pods whose sandbox is ready
			if counts || tells(d.Kind) == byContainers {
				p.runs = p.runs || from.Runs
				p.Running = append(p.Running, from.Running...)
			}
		}
	}
	return pods
}

// merge takes over what another answer knows besides.
func (p *pod) merge(o *kubelet.Pod) {
	p.Static = p.Static || o.Static
	p.Terminating = p.Terminating || o.Terminating
	p.Phase = cmp.Or(p.Phase, o.Phase)
	p.Grace = cmp.Or(p.Grace, o.Grace)
	if p.Created.IsZero() {
		p.Created = o.Created
	}
}

// mayRun says whether a pod of which nothing is known to run may still run: a deaf
// kubelet keeps listing as Pending what it has started meanwhile, and starts again what
// has ended, in a sandbox that is ready.
func (p *pod) mayRun() bool { return !p.runs && (p.ready || !p.sure && p.alive) }

// certainty of what was said of a pod.
func (p *pod) certainty() restore.Certainty {
	if p.sure && p.runs {
		return restore.Certain
	}
	return restore.Possible
}

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
			f.Reason += " It is not told of any container of that."
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
		runs = "Its sandbox is there, with no container that runs, and one may be about to start"
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
	if snapshot := c.snapshot[p.UID]; has == nil && c.live && snapshot != nil && snapshot.Node == p.Node {
		f.Certainty = restore.Possible
		f.Reason += " The snapshot has it here: it may be newer than the API server's list. Ask for that again."
	}
	if has == nil && c.Only != "" && p.Namespace != c.Only {
		f.Certainty = restore.Possible
		f.Reason += " The API's list has no pod of its namespace: was it made with kubectl get pods -A?"
	}
	if has == nil && !c.live && c.Unreadable[p.Namespace+"/"+p.Name] {
		f.Certainty, f.Reason = restore.Possible, "It runs, and the snapshot has a pod of its name in a value that cannot be read: it may be this one."
		f.Action = "Give the API's pods of now (kubectl get pods -A -o json), or the encryption configuration, before you stop it."
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
		if len(byName[name]) < 2 {
			continue
		}
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

// unseen finds nodes that nobody looked at, of those that the API has pods on or
// that are known otherwise.
func (c *comparison) unseen() {
	pods := map[string]int{}
	for i := range c.Pods {
		if p := &c.Pods[i]; p.Node != "" && !p.Mirror {
			pods[p.Node]++
		}
	}
	for _, node := range c.Known {
		pods[node] += 0
	}
	for node := range c.at {
		delete(pods, node)
	}
	for _, node := range sortedKeys(pods) {
		c.report.Nodes = append(c.report.Nodes, NodeReport{Name: node, Seen: []string{}, Unread: []string{}})
		if c.Partial {
			continue
		}
		why := "The API has no pods on it, and no answer of it was given: what runs there is not known."
		if n := pods[node]; n > 0 {
			why = fmt.Sprintf("The API has %d pods on it, and no answer of it was given: what runs there is not known.", n)
		}
		c.report.add(Finding{
			Kind: Unseen, Certainty: restore.Certain, Evidence: []string{}, Reason: why,
			Action: "Give its answers, too; or --partial, if it is left out on purpose; or delete its Node object, if the machine is gone.",
		}, node, &kubelet.Pod{})
	}
}

func (r *Report) add(f Finding, node string, p *kubelet.Pod) {
	f.Node, f.Namespace, f.Name, f.UID, f.Severity = node, p.Namespace, p.Name, p.UID, Kinds[rank(f.Kind)].Severity
	r.Findings = append(r.Findings, f)
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// finish sorts and counts.
func (r *Report) finish() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(rank(a.Kind)-rank(b.Kind), strings.Compare(a.Node, b.Node), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(r.Nodes, func(a, b NodeReport) int { return strings.Compare(a.Name, b.Name) })
	at := map[string]*NodeReport{}
	for i := range r.Nodes {
		at[r.Nodes[i].Name] = &r.Nodes[i]
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		r.Summary[f.Kind]++
		n := at[f.Node]
		switch {
		case n == nil:
		case f.Kind == Phantom:
			n.Phantoms++
		case f.Kind == Ghost:
			n.Ghosts++
		case f.Kind == Double:
			n.Doubles++
		case f.Kind == Stray:
			n.Strays++
		}
	}
	if r.Summary[Phantom]+r.Summary[Ghost] > 0 {
		r.note("After a restore with a sufficient bump, ask again %d s after the API servers are back: before that, kubelets may not have relisted their pods. One that was refused for long waits 30 to 60 s between two attempts (client-go tools/cache/reflector.go).", again)
	}
	slices.Sort(r.Notes)
	r.Notes = slices.Compact(r.Notes)
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
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

// APIPods are the pods that a snapshot has, as the API would list them. A value
// that cannot be read has no uid: of such a pod only the name is told.
func APIPods(s *restore.State) (list []kubelet.Pod, unreadable map[string]bool) {
	list, unreadable = make([]kubelet.Pod, 0, len(s.Pods)), map[string]bool{}
	for _, p := range s.Pods {
		if p.UID == "" {
			unreadable[p.Namespace+"/"+p.Name] = true
			continue
		}
		list = append(list, kubelet.Pod{
			Namespace: p.Namespace, Name: p.Name, UID: p.UID, Node: p.NodeName, Phase: p.Phase, Created: p.Created,
			Terminating: p.Terminating(), Mirror: p.Mirror != "", StaticUID: p.Mirror, Grace: max(p.Grace, 0),
			Containers: names(p.InitContainers, p.Containers, p.EphemeralContainers),
		})
	}
	return list, unreadable
}

// names are those of all containers in some lists.
func names(lists ...[]kube.Container) (all []string) {
	for _, list := range lists {
		for i := range list {
			all = append(all, list[i].Name)
		}
	}
	return all
}
