// Package drift says how what runs on nodes differs from what the API has, after a
// restore or at any time.
//
// In go the pods that the API has, off a snapshot or a list of kubectl's, and for
// each node what its kubelet or container runtime says. Out come findings: phantoms
// (something runs that the API does not have there), ghosts (the API has a pod
// there of which nothing runs), doubles (one pod or one name runs twice), and nodes
// that nobody looked at, or whose answers were not read in full; each with what cleans
// it up and how sure it is.
//
// Static pods and their mirrors are neither phantoms nor ghosts. What only a
// kubelet's list of pods tells, and no runtime, is possible at most: kubelets keep
// pods in it whose containers have ended, and start some of them again; and what has
// left it may still run. So is a ghost that may be on its way: one that its kubelet
// lists as alive, or whose sandbox is there.
package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/restore"
	"revenant/decoder/kubelet"
	"revenant/decoder/sanitize"
)

// Kind is what is wrong with a pod or a node.
type Kind string

// The kinds of findings, worst first.
const (
	Double  Kind = "double"
	Phantom Kind = "phantom"
	Ghost   Kind = "ghost"
	Unread  Kind = "unread-node"
	Unseen  Kind = "unseen-node"
)

// Kinds describes the kinds, worst first.
var Kinds = []struct {
	ID    Kind
	Title string
}{
	{Double, "one pod, or one name, runs twice"},
	{Phantom, "runs on the node, and the API does not have it there"},
	{Ghost, "the API has it on the node, and nothing of it runs"},
	{Unread, "a node whose answers were not read in full: it counts as one that did not answer"},
	{Unseen, "a node that nobody looked at"},
}

// Input is what is compared.
type Input struct {
	API []kubelet.Pod
	// Live says that API is what the API server listed when the nodes were looked
	// at. Otherwise it is a snapshot, taken at Taken (UTC, zero when not known):
	// pods that are newer may be in the API by now.
	Live bool
	// Only is the one namespace that API has pods of although there are others: it
	// may be the list of that namespace. "" when that is not so.
	Only  string
	Taken time.Time
	Nodes []Node
	// Unreadable are the pods, as NAMESPACE/NAME, that the API has in a value that
	// cannot be read: which uid they have, and where they belong, is not known.
	Unreadable map[string]bool
	// Known are the names of nodes that something else tells of, a Node object or a
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
	Node      string            `json:"node"`
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	UID       string            `json:"uid"`
	Certainty restore.Certainty `json:"certainty"`
	Reason    string            `json:"reason"`
	Evidence  []string          `json:"evidence"` // which answers it rests on
	Action    string            `json:"action"`
	Command   string            `json:"command"` // "" where there is none to give
}

// Report is what was found.
type Report struct {
	Nodes    []NodeReport `json:"nodes"`    // sorted by name
	Findings []Finding    `json:"findings"` // worst first
	Summary  map[Kind]int `json:"summary"`
	Notes    []string     `json:"notes"`
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
}

// pod is a pod on a node, as all of the node's answers together have it.
type pod struct {
	kubelet.Pod
	runs    bool
	sure    bool // a runtime has answered
	alive   bool // its kubelet lists it, and not as ended
	listed  bool // its kubelet lists it
	sandbox bool // its sandbox is ready
	sources []string
}

// Compare finds the differences.
func Compare(in Input) *Report {
	c := comparison{Input: in, api: map[string]*kubelet.Pod{}, static: map[string]bool{}, bound: map[string][]int{}, report: &Report{Summary: map[Kind]int{}, Findings: []Finding{}, Notes: []string{}}}
	for i := range in.API {
		p := &in.API[i]
		c.api[p.UID] = p
		c.bound[p.Node] = append(c.bound[p.Node], i)
		if p.Mirror {
			c.static[p.StaticUID] = true
		}
	}
	for _, k := range Kinds {
		c.report.Summary[k.ID] = 0
	}
	if n := len(in.Unreadable); n > 0 {
		c.note("%d pods of the snapshot are in values that cannot be read: whether they run is not known. The API's pods of now tell (kubectl get pods -A -o json).", n)
	}
	if in.Only != "" {
		c.note("The API's list has pods of the namespace %s only: if it is not that of all (kubectl get pods -A), phantoms elsewhere are none, and ghosts there are missing.", in.Only)
	}
	c.nodes()
	c.doubles()
	c.unseen()
	c.finish()
	return c.report
}

type comparison struct {
	Input
	api     map[string]*kubelet.Pod
	static  map[string]bool  // uids of static pods that have a mirror
	running []pod            // on all nodes
	at      map[string]int   // node → its report
	bound   map[string][]int // the API's pods by node
	report  *Report
}

// nodes compares every node that was looked at.
func (c *comparison) nodes() {
	c.at = map[string]int{}
	for _, n := range c.Nodes {
		c.at[n.Name] = len(c.report.Nodes)
		c.report.Nodes = append(c.report.Nodes, NodeReport{Name: n.Name, Seen: []string{}, Unread: []string{}})
		c.node(n, &c.report.Nodes[len(c.report.Nodes)-1])
	}
}

func (c *comparison) node(n Node, r *NodeReport) {
	pods := together(n)
	for _, d := range n.Dumps {
		if d.Unread != "" {
			r.Unread = append(r.Unread, d.Unread)
		} else if s := string(d.Kind); !slices.Contains(r.Seen, s) {
			r.Seen = append(r.Seen, s)
		}
	}
	c.unread(r)
	if slices.Contains(r.Seen, string(kubelet.Empty)) {
		c.note("%s: a list without a pod was given that may be /pods or /runningpods: which it is cannot be told. Name the file %s.pods.json or %s.runningpods.json.", n.Name, n.Name, n.Name)
	} else if len(r.Seen) > 0 && !runtime(n) {
		c.note("%s: only its kubelet's list of pods was given. What has left the list and still runs is not in it: /runningpods or crictl tells.", n.Name)
	}
	for _, uid := range sortedKeys(pods) {
		p := pods[uid]
		if p.runs {
			p.Node = n.Name
			r.Running++
			c.running = append(c.running, *p)
			c.phantom(p)
		} else if p.mayRun() {
			p.Node = n.Name
			c.phantom(p)
		}
	}
	if len(r.Seen) == 0 && len(r.Unread) > 0 {
		return // what is not there may be in what was not read
	}
	for _, i := range c.bound[n.Name] {
		c.ghost(&c.API[i], pods[c.API[i].UID], r)
	}
}

// unread says that it is not known what runs on a node: what was not read may be a
// pod that runs.
func (c *comparison) unread(r *NodeReport) {
	if len(r.Unread) == 0 {
		return
	}
	c.add(Finding{
		Kind: Unread, Certainty: restore.Certain, Evidence: []string{},
		Reason: "What runs there is not known in full: " + strings.Join(r.Unread, "; ") + ".",
		Action: "Get its answers again, unchanged and whole. What of them was read is compared all the same.",
	}, r.Name, &kubelet.Pod{})
}

// runtime says whether a runtime's answer was read in full: only then does nothing
// run that it does not list.
func runtime(n Node) bool {
	return slices.ContainsFunc(n.Dumps, func(d kubelet.Dump) bool { return d.Kind.Runtime() && d.Unread == "" })
}

// together puts a node's answers together by uid. What a runtime says counts
// before what the kubelet lists.
func together(n Node) map[string]*pod {
	pods := map[string]*pod{}
	runtime := runtime(n)
	for _, d := range n.Dumps {
		for _, from := range d.Pods {
			p := pods[from.UID]
			if p == nil {
				p = &pod{Pod: from, sure: runtime}
				pods[from.UID] = p
			}
			p.merge(&from)
			if s := string(d.Kind); !slices.Contains(p.sources, s) {
				p.sources = append(p.sources, s)
			}
			p.listed = p.listed || d.Kind == kubelet.Listed
			p.alive = p.alive || d.Kind == kubelet.Listed && from.Phase != "Succeeded" && from.Phase != "Failed"
			p.sandbox = p.sandbox || d.Kind == kubelet.Running // it lists pods whose sandbox is ready
			p.runs = p.runs || from.Runs && (d.Kind.Runtime() || !runtime)
		}
	}
	return pods
}

// merge takes over what another answer knows besides.
func (p *pod) merge(o *kubelet.Pod) {
	p.Static = p.Static || o.Static
	p.Terminating = p.Terminating || o.Terminating
	p.Sandbox = cmp.Or(p.Sandbox, o.Sandbox)
	p.Phase = cmp.Or(p.Phase, o.Phase)
	p.Grace = cmp.Or(p.Grace, o.Grace)
	if p.Created.IsZero() {
		p.Created = o.Created
	}
}

// mayRun says whether a pod of which nothing is known to run may do so all the
// same: a deaf kubelet goes on listing as Pending what it has started meanwhile, and
// starts again what has ended.
func (p *pod) mayRun() bool { return !p.runs && !p.sure && p.alive }

// certainty of what was said of a pod.
func (p *pod) certainty() restore.Certainty {
	if p.sure {
		return restore.Certain
	}
	return restore.Possible
}

// phantom looks whether the API has a running pod where it runs.
func (c *comparison) phantom(p *pod) {
	if p.Static || c.static[p.UID] {
		if !c.static[p.UID] {
			c.note("%s: the static pod %s/%s has no mirror in the API.", p.Node, p.Namespace, p.Name)
		}
		return
	}
	f := Finding{Kind: Phantom, Certainty: p.certainty(), Evidence: p.sources}
	runs := "It runs here"
	if p.mayRun() {
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
	if !c.Live && !c.Taken.IsZero() && p.Created.After(c.Taken) {
		f.Certainty = restore.Possible
		f.Reason += " It was created after the snapshot was taken: a list of the API's pods of now tells whether it is known."
	}
	if has == nil && c.Only != "" && p.Namespace != c.Only {
		f.Certainty = restore.Possible
		f.Reason += " The API's list has no pod of its namespace: was it made with kubectl get pods -A?"
	}
	if has == nil && c.Unreadable[p.Namespace+"/"+p.Name] {
		f.Certainty, f.Reason = restore.Possible, "It runs, and the snapshot has a pod of its name in a value that cannot be read: it may be this one."
		f.Action = "Give the API's pods of now (kubectl get pods -A -o json), or the encryption configuration, before you stop it."
		c.add(f, p.Node, &p.Pod)
		return
	}
	f.Action = fmt.Sprintf("Stop it with its grace period, then restart the kubelet at once, which would start it again: the restart kills what else the API does not have on %s, within 2 s.", p.Node)
	f.Command = stop(p)
	c.add(f, p.Node, &p.Pod)
}

// stop stops a pod on its node, and lets the kubelet forget it before it starts it
// again.
func stop(p *pod) string {
	inner := words("crictl stopp % && systemctl restart kubelet", p.Sandbox)
	if p.Sandbox == "" {
		inner = words("crictl stopp $(crictl pods -q --label %) && systemctl restart kubelet", "io.kubernetes.pod.uid="+p.UID)
	}
	return words("ssh -- % %", p.Node, inner)
}

// ghost looks whether anything runs of a pod that the API has on a node.
func (c *comparison) ghost(p *kubelet.Pod, there *pod, r *NodeReport) {
	seen := r.Seen
	if p.Mirror || p.Phase == "Succeeded" || p.Phase == "Failed" || there != nil && there.runs {
		return
	}
	phase := cmp.Or(p.Phase, "Pending")
	f := Finding{Kind: Ghost, Certainty: restore.Possible, Evidence: seen, Reason: "The API has it as " + phase + " here"}
	// A list of containers does not tell of a sandbox whose container is about to start.
	runtime := slices.Contains(seen, string(kubelet.Running)) || slices.Contains(seen, string(kubelet.Sandboxes))
	listed := slices.Contains(seen, string(kubelet.Listed))
	switch ended := there != nil && (there.Phase == "Succeeded" || there.Phase == "Failed"); {
	case there != nil && there.listed && !there.sure:
		f.Reason += "; its kubelet lists it as " + cmp.Or(there.Phase, "Pending") + ", and no container of it as running."
	case there != nil && there.listed && !ended:
		f.Reason += "; its kubelet lists it as " + cmp.Or(there.Phase, "Pending") + ", and nothing of it runs: it may be about to start, or to start again."
	case there != nil && there.sandbox && !ended:
		f.Reason += "; its sandbox is there, and no container in it runs: one may be about to start, or to start again."
	case there != nil:
		f.Certainty, f.Reason = restore.Certain, f.Reason+"; the node knows it, and nothing of it runs."
	case !runtime && !listed:
		f.Reason += ", and what was given of the node does not tell of it."
	case !runtime:
		f.Reason += ", and its kubelet does not list it: it may run all the same."
	case phase == "Pending" && !listed:
		f.Reason += ", and nothing of it runs: its kubelet may know it all the same, and be about to start it."
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
	if p.Terminating {
		f.Reason += " It is being deleted, and no kubelet finishes that."
	}
	if f.Certainty == restore.Possible {
		f.Action = "Look again after some minutes, with /runningpods and /pods: one that is about to start runs then. "
	}
	f.Action += "Delete it if it is not wanted. If it is, make its kubelet list anew: a restart of the kubelet starts it, and kills what the API does not have there within 2 s."
	f.Command = words("kubectl delete pod --namespace=% -- %", p.Namespace, p.Name)
	c.add(f, p.Node, p)
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
	c.add(f, p.Node, &p.Pod)
}

// unseen finds nodes that nobody looked at, of those that the API has pods on or
// that are known otherwise.
func (c *comparison) unseen() {
	pods := map[string]int{}
	for i := range c.API {
		if p := &c.API[i]; p.Node != "" && !p.Mirror {
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
		c.add(Finding{
			Kind: Unseen, Certainty: restore.Certain, Evidence: []string{}, Reason: why,
			Action: "Give its answers, too; or --partial, if it is left out on purpose; or delete its Node object, if the machine is gone.",
		}, node, &kubelet.Pod{})
	}
}

func (c *comparison) add(f Finding, node string, p *kubelet.Pod) {
	f.Node, f.Namespace, f.Name, f.UID = node, p.Namespace, p.Name, p.UID
	c.report.Findings = append(c.report.Findings, f)
}

func (c *comparison) note(format string, args ...any) {
	c.report.Notes = append(c.report.Notes, fmt.Sprintf(format, args...))
}

// finish sorts and counts.
func (c *comparison) finish() {
	r := c.report
	rank := func(k Kind) int {
		return slices.IndexFunc(Kinds, func(info struct {
			ID    Kind
			Title string
		}) bool {
			return info.ID == k
		})
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(rank(a.Kind)-rank(b.Kind), strings.Compare(a.Node, b.Node), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	for i := range r.Findings {
		f := &r.Findings[i]
		r.Summary[f.Kind]++
		if n, ok := c.at[f.Node]; ok {
			switch f.Kind {
			case Phantom:
				r.Nodes[n].Phantoms++
			case Ghost:
				r.Nodes[n].Ghosts++
			case Double:
				r.Nodes[n].Doubles++
			}
		}
	}
	slices.SortFunc(r.Nodes, func(a, b NodeReport) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(r.Notes)
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// words puts a command line together of fixed text and, at each %, a word from
// evidence; "" when one of them cannot be written.
func words(line string, evidence ...string) string {
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
		})
	}
	return list, unreadable
}
