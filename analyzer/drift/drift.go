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
	{Unread, restore.Warning, "a node whose answers were read only in part: it counts as one that did not answer"},
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
			r.note("%s of the snapshot cannot be read: whether they run is not known. A current list of the API's pods shows it (kubectl get pods -A -o json).", words.Count(n, "pod"))
		}
	} else {
		if len(in.Servers) < in.Named {
			r.note("The snapshot names %d API servers, and %s asked: another may list other pods. Ask each at its own address (kubectl --server https://ADDRESS:6443 get pods -A -o json).", in.Named, words.CountOf(len(in.Servers), "of them was", "of them were"))
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
	c := comparison{Input: in, Server: s, live: live, api: map[string]*kubelet.Pod{}, snapshot: map[string]*kubelet.Pod{}, static: map[string]bool{}, bound: map[string][]int{}, report: &Report{}}
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
		c.report.note("The API's list has pods of the namespace %s only: if it does not have all namespaces (kubectl get pods -A), phantoms in others may be none, and ghosts there are missing.", c.Only)
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
	bound    map[string][]int        // its pods by node
	report   *Report
}

// nodes compares every node that was looked at.
func (c *comparison) nodes() {
	for _, n := range c.Nodes {
		c.report.Nodes = append(c.report.Nodes, NodeReport{Name: n.Name, Seen: []string{}, Unread: []string{}})
		c.node(n, &c.report.Nodes[len(c.report.Nodes)-1])
	}
}

func (c *comparison) node(n Node, r *NodeReport) {
	pods, refused := together(n), []string{}
	for _, d := range n.Dumps {
		switch s := string(d.Kind); {
		case s == "": // it is no answer
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
	unclear := 0
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
			unclear++
		}
		c.strays(p)
	}
	if unclear > 0 {
		c.report.note("%s: its answers do not show which containers run in %d of its pods. /runningpods or crictl ps would show a stray container.", n.Name, unclear)
	}
	c.silent(r, refused)
	if len(r.Seen) == 0 {
		return // what is not there may be in what was not read
	}
	for _, i := range c.bound[n.Name] {
		c.ghost(&c.Pods[i], pods[c.Pods[i].UID], r)
	}
}

// silent says that only the runtime shows what runs on a node.
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
	f.Reason += fmt.Sprintf(" By its runtime (%s) %s there.", strings.Join(r.Seen, ", "), words.CountOf(r.Running, "pod runs", "pods run"))
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
		Reason: "Not everything that runs there is known: " + strings.Join(r.Unread, "; ") + ".",
		Action: "Get its answers again, unchanged and whole. What was read of them is still compared.",
	}, r.Name, &kubelet.Pod{})
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
	for _, n := range c.Nodes {
		delete(pods, n.Name)
	}
	for _, node := range sortedKeys(pods) {
		c.report.Nodes = append(c.report.Nodes, NodeReport{Name: node, Seen: []string{}, Unread: []string{}})
		if c.Partial {
			continue
		}
		why := "The API has no pods on it, and no answer of it was given: what runs there is not known."
		if n := pods[node]; n > 0 {
			why = fmt.Sprintf("The API has %s on it, and no answer of it was given: what runs there is not known.", words.Count(n, "pod"))
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
		switch f.Kind {
		case Phantom:
			n.Phantoms++
		case Ghost:
			n.Ghosts++
		case Double:
			n.Doubles++
		case Stray:
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

// APIPods are the pods that a snapshot has, as the API would list them. A value
// that cannot be read has no uid: of such a pod only the name is known.
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
