package restore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/internal/words"
)

// Capacity is what a node has for pods, and what takes it after the restore. It
// uses requests, as the scheduler and the kubelet's admission do.
type Capacity struct {
	Allocatable Resources `json:"allocatable"`
	Believed    Resources `json:"believed"` // taken as the API has it
	Running     Resources `json:"running"`  // taken by what certainly runs there
	// MayRun is what may also run there, or runs only until it has stopped.
	MayRun Resources `json:"mayRun"`
	// MayBePlaced is what the scheduler will place somewhere: at most that much of
	// it here.
	MayBePlaced Resources `json:"mayBePlaced"`
	// Refuses says why the kubelet will refuse pods (OutOfcpu, OutOfmemory, OutOfpods),
	// "" when nothing points to that.
	Refuses   string    `json:"refuses"`
	Certainty Certainty `json:"certainty,omitempty"` // of Refuses
	// Clashes are host ports that more than one pod claims.
	Clashes []PortClash `json:"hostPortClashes"`
}

// Resources are requests of pods, or what a node has for them.
type Resources struct {
	MilliCPU int64 `json:"milliCPU"`
	Memory   int64 `json:"memoryBytes"`
	Pods     int64 `json:"pods"`
}

func (r *Resources) add(o *Resources) {
	r.MilliCPU, r.Memory, r.Pods = add(r.MilliCPU, o.MilliCPU), add(r.Memory, o.Memory), add(r.Pods, o.Pods)
}

// beyond is by how much r is more than o, pods left out.
func (r Resources) beyond(o Resources) Resources {
	return Resources{MilliCPU: max(r.MilliCPU-o.MilliCPU, 0), Memory: max(r.Memory-o.Memory, 0)}
}

// above names what of r is more than there is.
func (r Resources) above(there Resources) string {
	var over []string
	for _, x := range []struct {
		name         string
		taken, there int64
	}{{"cpu", r.MilliCPU, there.MilliCPU}, {"memory", r.Memory, there.Memory}, {"pods", r.Pods, there.Pods}} {
		if x.taken > x.there {
			over = append(over, x.name)
		}
	}
	return strings.Join(over, ", ")
}

// PortClash is a host port of a node that more than one pod claims.
type PortClash struct {
	Port     int32    `json:"port"`
	Protocol string   `json:"protocol"`
	Pods     []string `json:"pods"`
}

// load is what the pods of a node take.
type load struct {
	believed, running, mayRun Resources
	unseen                    Resources // of running, what the API does not have there
	resized                   int       // of running, pods of which the API has less than they hold
	starting                  Resources // of running, what its kubelet has yet to admit
	least                     Resources // of running, what is certain to be taken, whatever resizes are deferred
}

// capacities says what takes the nodes, given what becomes of the pods.
func (f *forecast) capacities(nodes []NodeOutcome, pods []PodOutcome) {
	loads := make([]load, len(nodes))
	for i := range pods {
		if n := f.cases[i].node; n >= 0 {
			loads[n].count(&pods[i], f.cases[i], &nodes[n])
		}
	}
	clashes := f.portClashes(pods)
	for i := range nodes {
		n, l := &f.Comparison.nodes[i], &loads[i]
		if n.allocatable == (Resources{}) {
			continue // no Node object that can be read tells
		}
		c := &Capacity{Allocatable: n.allocatable, Believed: l.believed, Running: l.running, MayRun: l.mayRun, MayBePlaced: f.toPlace, Clashes: list(clashes[int32(i)])}
		if !n.gone {
			c.Refuses, c.Certainty = l.refuses(n.allocatable, f.toPlace)
			if c.Certainty == Certain && nodes[i].Certainty != Certain {
				c.Certainty = Possible
			}
		}
		nodes[i].Capacity = c
	}
}

// taken is what a pod takes of its node: a kubelet holds what it has allocated, and
// allocates what the API says once it has listed.
func (p *podCase) taken(n *NodeOutcome) Resources {
	if n.Kubelet == KubeletDeaf || n.Kubelet == KubeletStale || p.resizing {
		if n.Certainty == Certain {
			return p.requests
		}
	} else if n.Certainty == Certain {
		return p.stored
	}
	return Resources{max(p.requests.MilliCPU, p.stored.MilliCPU), max(p.requests.Memory, p.stored.Memory), p.stored.Pods}
}

// least is what a pod that goes on is certain to hold: its kubelet allocates what the API
// wants only if its node has that, and keeps what it has until then.
func (p *podCase) least(taken Resources) Resources {
	return Resources{min(taken.MilliCPU, p.requests.MilliCPU), min(taken.Memory, p.requests.Memory), taken.Pods}
}

// count adds a pod to its node.
func (l *load) count(o *PodOutcome, p *podCase, n *NodeOutcome) {
	shown, taken := p.stored, p.taken(n)
	if n.Kubelet == KubeletStale {
		shown = p.requests
	}
	believed := o.API != nil && o.API.Node == p.Node && !o.API.ended()
	if believed {
		l.believed.add(&shown)
	}
	stays := o.Ends == nil && (o.Then == nil || len(o.Then.RunsOn) > 0)
	switch {
	case len(o.RunsOn) > 0 && stays:
		l.running.add(&taken)
		if o.Certainty == Certain {
			least := p.least(taken)
			l.least.add(&least)
		}
		switch more := taken.beyond(shown); {
		case !believed:
			l.unseen.add(&taken)
		case more != Resources{}:
			l.unseen.add(&more)
			l.resized++
		}
		if o.Outcome == Restarted {
			l.starting.add(&taken)
		}
	case len(o.RunsOn) > 0, o.Outcome == Terminated && p.current != nil, slices.Contains(o.MayRunOn, p.Node):
		l.mayRun.add(&taken)
	}
}

// refuses says whether the node's kubelet will refuse pods: the scheduler takes
// for free what the API does not show to be taken (kubernetes v1.37
// pkg/kubelet/lifecycle/predicate.go Admit counts what the kubelet runs).
func (l *load) refuses(there, placed Resources) (string, Certainty) {
	if over := l.running.above(there); over != "" && l.starting.Pods > 0 {
		certainty := Possible
		if l.least.above(there) != "" {
			certainty = Certain
		}
		return fmt.Sprintf("What its kubelet starts again does not fit next to what runs: out of %s.", over), certainty
	}
	peak := l.running
	peak.add(&l.mayRun)
	if over := peak.above(there); over != "" && l.starting.Pods > 0 {
		return fmt.Sprintf("What its kubelet starts again does not fit before what it stops has stopped: out of %s until then.", over), Possible
	}
	peak.add(&placed)
	if over := peak.above(there); over != "" && l.unseen != (Resources{}) && placed.Pods > 0 {
		return fmt.Sprintf("%s take %s, which the scheduler takes for free: if it places %s there, they do not all fit (%s).",
			l.unknown(), l.unseen, words.Count(placed.Pods, "pod"), over), Possible
	}
	return "", ""
}

// unknown names what takes more than the API shows.
func (l *load) unknown() string {
	var parts []string
	if n := int(l.unseen.Pods); n > 0 {
		parts = append(parts, words.Count(n, "pod")+" that the API does not show")
	}
	if l.resized > 0 {
		parts = append(parts, words.Count(l.resized, "pod")+" resized since the backup")
	}
	return strings.Join(parts, " and ")
}

// String writes requests as people do.
func (r Resources) String() string {
	return fmt.Sprintf("%s of CPU and %s of memory", Cores(r.MilliCPU), Bytes(r.Memory))
}

// Cores writes an amount of CPU.
func Cores(milli int64) string {
	if milli%1000 == 0 {
		return fmt.Sprint(milli / 1000)
	}
	return fmt.Sprintf("%dm", milli)
}

// Bytes writes an amount of memory in binary units.
func Bytes(n int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}} {
		if n >= 10*u.size || n >= u.size && n%u.size == 0 {
			return fmt.Sprintf("%d%s", n/u.size, u.name)
		}
	}
	return fmt.Sprint(n)
}

// portClashes finds the host ports that more than one pod claims, by node.
func (f *forecast) portClashes(pods []PodOutcome) map[int32][]PortClash {
	type claim struct {
		node     int32
		protocol string
		port     int32
	}
	claims := map[claim][]int32{}
	for _, i := range f.withPorts {
		o, p := &pods[i], f.cases[i]
		if p.node < 0 || len(o.RunsOn)+len(o.MayRunOn) == 0 && o.Outcome != Terminated {
			continue
		}
		for _, port := range p.ports() {
			c := claim{int32(p.node), port.Protocol, port.Port}
			if at := claims[c]; len(at) == 0 || at[len(at)-1] != i {
				claims[c] = append(at, i)
			}
		}
	}
	clashes := map[int32][]PortClash{}
	for c, by := range claims {
		if len(by) < 2 || !f.overlapping(by, c.protocol, c.port) {
			continue
		}
		clash := PortClash{Port: c.port, Protocol: c.protocol}
		for _, i := range by {
			clash.Pods = append(clash.Pods, f.cases[i].Namespace+"/"+f.cases[i].Name+" ("+f.cases[i].UID+")")
		}
		clashes[c.node] = append(clashes[c.node], clash)
	}
	for n := range clashes {
		slices.SortFunc(clashes[n], func(a, b PortClash) int {
			return cmp.Or(cmp.Compare(a.Port, b.Port), strings.Compare(a.Protocol, b.Protocol))
		})
	}
	return clashes
}

// overlapping says whether two of the pods claim the port on the same address.
func (f *forecast) overlapping(pods []int32, protocol string, port int32) bool {
	seen := map[string]int{}
	for _, i := range pods {
		addresses := map[string]bool{}
		for _, p := range f.cases[i].ports() {
			if p.Protocol == protocol && p.Port == port {
				addresses[p.IP] = true
			}
		}
		for ip := range addresses {
			seen[ip]++
		}
	}
	everywhere := seen[""] + seen["0.0.0.0"] + seen["::"]
	for _, n := range seen {
		if n > 1 || everywhere > 0 && len(pods) > 1 {
			return true
		}
	}
	return false
}

// ports are the host ports that the pod claims.
func (p *podCase) ports() []kube.HostPort { return cmp.Or(p.current, p.backup).HostPorts }

func resourcesOf(r *kube.Requests) Resources {
	return Resources{max(r.MilliCPU, 0), max(r.Memory, 0), 1}
}

// findRequests notes what every pod takes of its node.
func (c *Comparison) findRequests() {
	for i, p := range c.cases {
		pod := cmp.Or(p.current, p.backup)
		p.requests = resourcesOf(&pod.Requests)
		p.stored = resourcesOf(&cmp.Or(p.backup, p.current).Requests)
		p.resizing = pod.Allocated != nil && p.requests == p.stored
		if pod.Allocated != nil {
			p.requests = resourcesOf(&pod.Allocated.Requests)
		}
		if len(pod.HostPorts) > 0 {
			c.withPorts = append(c.withPorts, int32(i))
		}
	}
}
