package drift

import (
	"cmp"
	"slices"

	"revenant/analyzer/restore"
	"revenant/decoder/kubelet"
)

// pod is a pod on a node, as all of the node's answers together have it.
type pod struct {
	kubelet.Pod
	runs    bool
	sure    bool // a runtime has answered
	alive   bool // its kubelet lists it, and not as ended
	listed  bool // its kubelet lists it
	sandbox bool // its sandbox is ready
	ready   bool // as crictl reports: whether its containers run is in another answer
	sources []string
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

// runtime says whether a runtime's answer was read in full: only then does nothing
// run that it does not list.
func runtime(n Node) bool { return best(n) > byKubelet }

// How well an answer shows what runs.
const (
	byKubelet    = iota // as it believes
	bySandbox           // pods, and not whether a container in them runs
	byContainers        // containers
)

func precision(k kubelet.Kind) int {
	switch k {
	case kubelet.Running, kubelet.Containers:
		return byContainers
	case kubelet.Sandboxes:
		return bySandbox
	}
	return byKubelet
}

// best is how well the answers of a node that were read in full show what runs.
func best(n Node) int {
	most := byKubelet
	for _, d := range n.Dumps {
		if d.Unread == "" {
			most = max(most, precision(d.Kind))
		}
	}
	return most
}

// together puts a node's answers together by uid. Those that show best what runs
// count before the others.
func together(n Node) map[string]*pod {
	pods := map[string]*pod{}
	best := best(n)
	for _, d := range n.Dumps {
		counts := precision(d.Kind) >= best
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
			if counts {
				p.runs = p.runs || from.Runs
				p.Running = append(p.Running, from.Running...)
			}
		}
	}
	return pods
}

// merge adds what another answer knows.
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
