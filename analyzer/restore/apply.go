package restore

// pods applies the plan to every case.
func (f *forecast) pods() []PodOutcome {
	pods := make([]PodOutcome, len(f.cases))
	for i := range f.cases {
		f.outcome(&pods[i], &f.cases[i])
	}
	return pods
}

var noNodes = []string{}

// outcome fills in what becomes of a pod.
func (f *forecast) outcome(o *PodOutcome, p *podCase) {
	v := &f.general
	if p.node >= 0 {
		v = &f.verdicts[p.node]
	}
	e, said := &p.row.cells[v.column], &p.said[v.column]
	flags := p.flags | e.flags
	if v.column == restart {
		flags &^= nodeMissing // a restarted kubelet registers its node
	}
	o.Namespace, o.Name, o.UID, o.Node = p.namespace, p.name, p.uid, p.at
	o.Outcome, o.Rule, o.Heals = e.outcome, p.rule, e.heals
	o.Severity, o.Reason, o.Action = said.severity, said.reason, said.action
	o.Evidence, o.RunsOn = p.refs, noNodes
	o.Certainty, o.CertaintyReason = f.certainty(p, e, v)
	f.place(o, p, e)
	o.API = p.views[v.column]
	if p.twin >= 0 {
		flags |= f.twins(o, p, v)
	}
	o.Flags = flags.list()
}

// certainty says how sure the outcome is. What is unsure about a kubelet does not
// matter where the other thing that it may do comes to the same.
func (f *forecast) certainty(p *podCase, e *effect, v *verdict) (Certainty, string) {
	switch {
	case p.unsure != "":
		return Possible, p.unsure + " " + v.reason
	case e.doubt != "":
		return Possible, e.doubt + " " + v.reason
	case p.said[v.column].settled:
		return Certain, "The same whatever its kubelet does."
	case p.node >= 0 && f.Comparison.nodes[p.node].gone:
		return Certain, "No kubelet answers on a machine that is gone."
	case !v.certain && p.row.cells[relist].outcome != e.outcome:
		return Possible, v.reason
	}
	return Certain, v.reason
}

// place says where the pod's containers run, and until when.
func (f *forecast) place(o *PodOutcome, p *podCase, e *effect) {
	if e.runs == stopping {
		o.Ends = p.ends
	}
	switch {
	case e.runs == elsewhere:
		o.MayRunOn = p.choices
	case e.runs == nowhere || p.node < 0:
	case e.runs == perhaps || p.pending:
		o.MayRunOn = f.Comparison.nodes[p.node].itself
	default:
		o.RunsOn = f.Comparison.nodes[p.node].itself
	}
}

// twinned says what a namesake does to a pod.
type twinned int

const (
	nowLong  twinned = iota // the current state's, which goes on
	nowShort                // the current state's, which is being stopped
	wasLong                 // the backup's, while the other goes on
	wasShort                // the backup's, while the other is being stopped
)

var twinReasons = [...]string{
	nowLong:  " The pod of the same name that the backup has starts on its own node meanwhile: the identity runs twice for as long as this one goes on.",
	nowShort: " The pod of the same name that the backup has may start before this one has stopped: both run, for up to the grace period of this one.",
	wasLong:  " The pod of the same name of the current state goes on running on its node: the identity runs twice.",
	wasShort: " The pod of the same name of the current state may not have stopped by then: both run, for up to its grace period.",
}

const actTwin = "Stop the pod of the current state on its node before the kubelet of the other node may list anew, or an identity that must be unique runs twice."

// twins adds to a pod's outcome what its namesake makes of it.
func (f *forecast) twins(o *PodOutcome, p *podCase, v *verdict) flagSet {
	was, now := p, &f.cases[p.twin]
	if p.current != nil {
		was, now = now, was
	}
	if now.row != &rowCreated && now.row != &rowDying && now.row != &rowCreatedOnGoneNode {
		return 0 // the one of the current state has ended
	}
	if v.column == stale || was.row != &rowDeletedUnbound && was.row.cells[relist].outcome != Restarted {
		return 0
	}
	if was.node != now.node {
		o.Action = actTwin
	}
	starts := f.lists
	if was.node >= 0 {
		starts = f.verdicts[was.node].lists()
	}
	if !starts {
		return 0
	}
	how, long := wasShort, f.verdicts[now.node].column == deaf
	switch {
	case p == now && long:
		how = nowLong
	case p == now:
		how = nowShort
	case long:
		how = wasLong
	}
	o.Reason = f.extended(o.Reason, &p.said[v.column], how)
	return doubleRun
}

// extended is the reason that was said with what a namesake adds. Pods that say
// the same share it.
func (f *forecast) extended(reason string, said *spoken, how twinned) string {
	key := extension{said, how}
	s, ok := f.extensions[key]
	if !ok {
		s = reason + twinReasons[how]
		f.extensions[key] = s
	}
	return s
}

type extension struct {
	said *spoken
	how  twinned
}

// nodes says what becomes of every node, given what becomes of its pods.
func (f *forecast) nodes(pods []PodOutcome) []NodeOutcome {
	nodes := make([]NodeOutcome, len(f.Comparison.nodes))
	for i := range f.Comparison.nodes {
		nodes[i] = f.node(&f.Comparison.nodes[i], f.verdicts[i])
	}
	for i := range pods {
		n := f.cases[i].node
		switch {
		case n < 0:
		case pods[i].Outcome == Phantom:
			nodes[n].Phantoms++
		case pods[i].Outcome == Ghost:
			nodes[n].Ghosts++
		}
	}
	return nodes
}

func (f *forecast) node(n *node, v verdict) NodeOutcome {
	o := NodeOutcome{
		Name:      n.name,
		Kubelet:   v.kubelet,
		Certainty: Certain,
		Reason:    v.reason,
		LastSeen:  LastSeen{AtLeast: n.seen.Revision, AtMost: f.atMost},
		Evidence:  []Ref{},
	}
	if !v.certain && !n.gone || n.gone && f.current.Damaged {
		o.Certainty = Possible
	}
	if n.seen.Revision > 0 {
		o.Evidence = []Ref{{InCurrent, n.seen.Key, n.seen.Revision}}
	}
	var flags flagSet
	switch {
	case n.gone:
		o.Kubelet, o.Reason, flags = KubeletGone, "The current state has no Node object of this name: the machine is taken to be gone.", nodeGone
	case n.missing() && v.column != restart:
		flags = nodeMissing
	}
	o.Flags = flags.list()
	return o
}
