package restore

import (
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/document"
	"revenant/internal/words"
)

// Later is what the claims about a pod turn into without anybody's doing.
type Later struct {
	// By is when it is so at the latest, UTC; nil when that counts from the restore.
	By *document.Time `json:"by,omitempty"`
	// AfterSeconds and BySeconds bound when that happens, counted from the API
	// being back; both are 0 with By.
	AfterSeconds int64 `json:"afterSeconds,omitempty"`
	BySeconds    int64 `json:"bySeconds,omitempty"`

	// Relists says that its kubelet's relisting its pods brings it about, from which
	// on the outcome holds.
	Relists bool `json:"relists,omitempty"`

	RunsOn   []string `json:"runsOn"`
	MayRunOn []string `json:"mayRunOn,omitempty"`
	// API is what a LIST shows: one of these, of which null is that the pod is not
	// in it.
	API    []*APIView `json:"api"`
	Reason string     `json:"reason"`
}

// When says it in words.
func (l *Later) When() string {
	if l.By != nil {
		return "by " + words.Time(l.By.Time) + " at the latest"
	}
	return fmt.Sprintf("%d to %d s after the API is back", l.AfterSeconds, l.BySeconds)
}

// Shows says what the API shows by then.
func (l *Later) Shows() string {
	var list []string
	for _, v := range l.API {
		if text := v.String(); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return strings.Join(list, ", or ")
}

// String is what a LIST shows of a pod; nil is that it is not there.
func (v *APIView) String() string {
	if v == nil {
		return "no such pod"
	}
	text := v.Phase
	if v.Node != "" {
		text += " on " + v.Node
	}
	if v.Terminating {
		text += ", terminating"
	}
	return text
}

// When the machine of a node is gone, the node lifecycle controller taints its
// Node object as unreachable once its lease is older than the grace period (40 s,
// 50 s since Kubernetes 1.32), which counts from the controller's own start, and
// looks every 5 s; a controller that must wait for an old lease starts 15 s later
// (nodelifecycle/node_lifecycle_controller.go monitorNodeHealth). The pod is
// deleted when what it tolerates is over (tainteviction/taint_eviction.go
// processPodOnNode).
const (
	taintedAfter = 40
	taintedBy    = 90
)

// PodGC deletes pods of nodes without a Node object: every 20 s it looks for such
// nodes, and waits 40 s for them (podgc/gc_controller.go gcOrphaned).
const (
	orphanedAfter = 40
	orphanedBy    = 120
)

// later says what becomes of the claims by themselves, nil when they stay.
func (f *forecast) later(o *PodOutcome, p *podCase, e *effect) *Later {
	if l := f.expires(o, p, e); l != nil {
		return l
	}
	gone := p.node >= 0 && f.Comparison.nodes[p.node].gone
	choosesGone := len(o.MayBeBoundTo) > len(p.choices)
	switch {
	case p.row == rowCreatedExpiring && o.Ends != nil:
		return &Later{By: o.Ends, RunsOn: noNodes, API: []*APIView{o.API}, Reason: pastDeadline}
	case o.Ends != nil:
		return &Later{By: o.Ends, RunsOn: noNodes, API: stopped(o.API, p, e), Reason: "It has been stopped by the end of its grace period."}
	case !gone && !choosesGone: // most pods
		return nil
	case p.backup == nil || o.API == nil || o.API.Terminating || e.api.of == asCurrent:
		return nil
	case p.backup.bound(): // and its node is gone: the scheduler does not choose for it
		return f.shared(eviction{shown: o.API, tolerates: p.backup.ToleratesUnreachable, held: len(p.backup.Finalizers) > 0}, func() *Later { return f.evicted(o, p) })
	case choosesGone:
		e := eviction{shown: o.API, tolerates: p.backup.ToleratesUnreachable, choices: &o.MayBeBoundTo[0], node: p.node, runs: len(o.RunsOn) > 0, may: len(o.MayRunOn)}
		return f.shared(e, func() *Later { return f.perhapsEvicted(o, p) })
	}
	return nil
}

const pastDeadline = "Its kubelet has ended it for its activeDeadlineSeconds."

// expires is what becomes of a pod that goes on on its node, or is started there again,
// once its activeDeadlineSeconds has passed, nil when it has none. A kubelet counts from
// the start that it has reported, a restarted one from the one that the API shows
// (kubernetes v1.37 pkg/kubelet/active_deadline.go, status/status_manager.go); it uses
// the spec that it has seen.
func (f *forecast) expires(o *PodOutcome, p *podCase, e *effect) *Later {
	if o.Ends != nil || p.backup == nil || e.runs != here && e.runs != perhaps || p.node < 0 || o.Outcome == Mirror {
		return nil
	}
	column := f.verdicts[p.node].column
	pod := *p.backup
	switch {
	case p.current == nil || column == restart:
	case column == relist:
		pod.Started = p.current.Started
	default:
		pod = *p.current
	}
	if pod.Deadline().IsZero() {
		return nil
	}
	by := expiry(&pod)
	l := &Later{By: document.NewTime(&by), RunsOn: noNodes, API: []*APIView{o.API}, Reason: pastDeadline}
	switch {
	case o.API == nil || column == stale: // nothing that its kubelet reports is seen
	case o.API.Node != p.Node: // nor is it let in
		l.MayRunOn = without(o.MayRunOn, p.Node)
	default:
		l.API = []*APIView{{"Failed", o.API.Node, o.API.Terminating}}
	}
	return l
}

// without is list without name.
func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return n == name })
}

// eviction is what distinguishes what becomes of two pods of machines that are gone.
type eviction struct {
	shown     *APIView // by its node, too
	tolerates int64
	held      bool

	choices *string // of the nodes that the scheduler may choose, the first
	node    int
	runs    bool
	may     int
}

// shared is what pods of the same kind share.
func (f *forecast) shared(e eviction, make func() *Later) *Later {
	l, ok := f.evictions[e]
	if !ok {
		l = make()
		f.evictions[e] = l
	}
	return l
}

// stopped is what the API shows of a pod that has been stopped: its kubelet
// reports the end, and finishes a deletion that the API knows of.
func stopped(shown *APIView, p *podCase, e *effect) []*APIView {
	if shown == nil || e.api.of == asCurrent || !p.backup.bound() {
		return []*APIView{shown} // nothing that its kubelet reports is seen
	}
	terminating := p.backup.Terminating()
	held := len(p.current.Finalizers) > 0
	views := func(terminating bool) []*APIView {
		return []*APIView{{"Succeeded", shown.Node, terminating}, {"Failed", shown.Node, terminating}}
	}
	switch owner := p.backup.Owner; {
	case terminating && held:
		return views(true)
	case terminating:
		return []*APIView{nil}
	case !owner.Custom && owner.Kind != "StatefulSet" && owner.Kind != "DaemonSet": // which delete pods that have ended
		return views(false)
	case held:
		return append(views(false), views(true)...)
	}
	return append(views(false), nil)
}

// evicted is what becomes of a pod on a node whose machine is gone.
func (f *forecast) evicted(o *PodOutcome, p *podCase) *Later {
	l := &Later{RunsOn: noNodes, API: []*APIView{nil}}
	terminating := *o.API
	terminating.Terminating = true
	held := len(p.backup.Finalizers) > 0
	tolerates := p.backup.ToleratesUnreachable
	switch {
	case !f.Comparison.nodes[p.node].inBackup:
		l.AfterSeconds, l.BySeconds = orphanedAfter, orphanedBy
		l.Reason = "No Node object of this name is in the backup: the pod garbage collector deletes it."
	case tolerates < 0:
		return nil
	default:
		l.AfterSeconds, l.BySeconds = add(tolerates, taintedAfter), add(tolerates, taintedBy)
		if f.Comparison.nodes[p.node].unreachable {
			l.AfterSeconds = tolerates // the taint is in the backup
		}
		l.Reason = fmt.Sprintf("Its node is tainted as unreachable, which it tolerates for %d s; it is deleted then, and no kubelet answers.", tolerates)
		held = held || !p.backup.Terminal() // an ended one goes at once
	}
	if held {
		l.API[0] = &terminating
	}
	return l
}

// perhapsEvicted is what becomes of a pod that the scheduler may bind to a node
// whose machine is gone.
func (f *forecast) perhapsEvicted(o *PodOutcome, p *podCase) *Later {
	tolerates := p.backup.ToleratesUnreachable
	if tolerates < 0 {
		return nil
	}
	l := &Later{
		AfterSeconds: add(tolerates, taintedAfter), BySeconds: add(tolerates, taintedBy),
		RunsOn: o.RunsOn, MayRunOn: o.MayRunOn, API: []*APIView{o.API},
		Reason: fmt.Sprintf("If it was bound to a node whose machine is gone, that is tainted as unreachable, which it tolerates for %d s; it is deleted then, and no kubelet answers.", tolerates),
	}
	for _, name := range o.MayBeBoundTo {
		if f.gone(name) {
			l.API = append(l.API, &APIView{"Pending", name, true})
		}
	}
	return l
}
