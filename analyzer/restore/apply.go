package restore

import (
	"slices"

	"revenant/decoder/document"
)

// pods applies the plan to every case.
func (f *forecast) pods() []PodOutcome {
	pods := make([]PodOutcome, len(f.cases))
	for i, p := range f.cases {
		f.outcome(&pods[i], p)
	}
	f.endJobs(pods)
	return pods
}

var noNodes = []string{}

// outcome fills in what becomes of a pod.
func (f *forecast) outcome(o *PodOutcome, p *podCase) {
	v := f.verdict(p)
	c := f.column(p, v)
	e, said := p.row.cell(c), &p.said[c]
	flags := p.flags | e.flags
	if v.column == restart {
		flags &^= nodeMissing // a restarted kubelet registers its node
	}
	if !strays(c, e) {
		flags &^= strayContainers
	}
	o.PodIdentity, o.Finding, o.RunsOn = p.PodIdentity, &said.Finding, noNodes
	o.Certainty, o.CertaintyReason = f.certainty(p, e, v)
	f.place(o, p, e, v)
	o.API = p.views[c]
	if e.runs == elsewhere && v.column != deaf && len(o.MayRunOn) < len(p.choices) {
		f.amongDeaf(o, said)
	}
	switch {
	case p.twin >= 0:
		flags |= f.twins(o, p, v)
	case flags&doubleBind != 0:
		flags |= f.boundTwice(o, p, v)
	}
	if e.api.of == asBackup && (e.runs == elsewhere || e.flags&doubleBind != 0) && o.API.Node == "" && p.backup.ChoicesKnown {
		o.bound(p.backup.Choices)
	}
	o.Then = f.later(o, p, e)
	o.Through = f.through(o, p)
	if f.cutOff(p) || len(o.RunsOn) > 0 && f.Comparison.nodes[p.node].cutOff {
		flags |= nodeUnreachable
		f.mayStillRun(o, p)
	}
	o.Flags = flags.list()
}

// column is the pod's column of the decision table where its kubelet does v.
func (f *forecast) column(p *podCase, v *verdict) column {
	lists := v.column == relist || v.column == restart
	if lists && f.plan.KeepAPIServers && !f.disagree() && p.row.cell(unplaced).outcome != "" {
		return unplaced
	}
	return v.column
}

// certainty says how sure the outcome is. What is unsure about a kubelet does not
// matter when both possibilities lead to the same outcome.
func (f *forecast) certainty(p *podCase, e *effect, v *verdict) (Certainty, string) {
	doubted := Possible
	if v.certainty == Unlikely {
		doubted = Unlikely
	}
	switch {
	case f.cutOff(p):
		return doubted, v.reason
	case p.unsure != "":
		return doubted, p.unsure + " " + v.reason
	case e.doubt != "":
		return doubted, e.doubt + " " + v.reason
	case e.runs == elsewhere && f.disagree():
		return doubted, "The scheduler may be connected to an API server that serves the erased past, and then places no pods. " + v.reason
	case p.said[v.column].settled:
		return Certain, "The same whatever its kubelet does."
	case p.node >= 0 && f.Comparison.nodes[p.node].gone:
		return Certain, "No kubelet answers on a machine that is gone."
	case p.row.cell(relist).outcome != e.outcome:
		return v.certainty, v.reason
	case v.untried:
		return doubted, v.reason
	}
	return Certain, v.reason
}

// cutOff says whether the pod may run on a node that was unreachable: it has not ended
// by then, as far as the snapshots show.
func (f *forecast) cutOff(p *podCase) bool {
	last := p.current
	if last == nil {
		last = p.backup
	}
	return p.node >= 0 && f.Comparison.nodes[p.node].cutOff && !last.Terminal()
}

// mayStillRun takes back that the pod of a node that was unreachable runs, and that it
// does not, now or later. If the kubelet stays away, the pod is evicted in the API.
func (f *forecast) mayStillRun(o *PodOutcome, p *podCase) {
	itself := f.Comparison.nodes[p.node].itself
	o.MayRunOn, o.RunsOn = union(union(o.MayRunOn, o.RunsOn), itself), noNodes
	var away *Later
	if p.backup != nil && p.backup.bound() && o.API != nil && !o.API.Terminating {
		away = f.evicted(o, p)
	}
	then := o.Then
	if then == nil {
		then = away
	}
	if then == nil {
		return
	}
	widened := *then
	widened.MayRunOn, widened.RunsOn = union(union(then.MayRunOn, then.RunsOn), itself), noNodes
	widened.API = orShown([]*APIView{o.API}, then.API...)
	if away != nil {
		widened.Reason = "If its kubelet stays away: " + away.Reason
		if then != away {
			widened.API = orShown(widened.API, away.API...)
			widened.Reason = "If its kubelet comes back: " + then.Reason + " " + widened.Reason
		}
	}
	o.Then = &widened
}

// ended says whether the API shows that the pod has ended.
func (v *APIView) ended() bool { return v != nil && (v.Phase == "Succeeded" || v.Phase == "Failed") }

// orShown adds to what a LIST may show what is not among it. It does not change the list.
func orShown(list []*APIView, more ...*APIView) []*APIView {
	list = slices.Clip(list)
	for _, v := range more {
		if !slices.ContainsFunc(list, func(shown *APIView) bool { return alike(shown, v) }) {
			list = append(list, v)
		}
	}
	return list
}

// union is the names of both lists, sorted as they are. It changes neither.
func union(a, b []string) []string {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0 || slices.Equal(a, b):
		return a
	}
	list := slices.Concat(a, b)
	slices.Sort(list)
	return slices.Compact(list)
}

// place says where the pod's containers run, and until when.
func (f *forecast) place(o *PodOutcome, p *podCase, e *effect, v *verdict) {
	dying := e.runs == here && p.ends != nil && v.column == deaf && !f.overdue(*p.ends) && p.backup != nil && !p.backup.bound()
	if dying || e.runs == stopping || e.runs == ending {
		o.Ends = document.NewTime(p.ends)
	}
	switch {
	case e.runs == elsewhere:
		o.MayRunOn = f.starts(p.choices)
	case e.runs == nowhere || p.node < 0:
	case e.runs == perhaps || e.runs == ending || p.pending:
		o.MayRunOn = f.Comparison.nodes[p.node].itself
	default:
		o.RunsOn = f.Comparison.nodes[p.node].itself
	}
}

// starts are those of the nodes that the scheduler may choose where a pod starts:
// a deaf kubelet never hears of one that is bound to its node now.
func (f *forecast) starts(choices []string) []string {
	if len(choices) == 0 {
		return choices
	}
	list, ok := f.startable[&choices[0]]
	if !ok {
		for _, name := range choices {
			if i := f.nodeIndex(name); i < 0 || f.verdicts[i].lists() {
				list = append(list, name)
			}
		}
		f.startable[&choices[0]] = list
	}
	return list
}

const actNearDeaf = "Restart the kubelets of all nodes, or cordon those that stay deaf before the scheduler starts."

// amongDeaf changes what is said of a pod that the scheduler places again where some
// of the nodes that it may choose have a deaf kubelet.
func (f *forecast) amongDeaf(o *PodOutcome, said *explanation) {
	o.Finding = f.extended(said, nearDeaf, false)
	if len(o.MayRunOn) > 0 {
		if o.Certainty == Certain {
			o.Certainty, o.CertaintyReason = Possible, "The snapshots do not show where the scheduler binds it, and on a node whose kubelet is deaf it never starts. "+o.CertaintyReason
		}
		return
	}
	if o.API != nil && o.API.Phase == "Running" {
		o.API = &APIView{Phase: "Pending", Node: o.API.Node}
	}
}

// What the API shows of a pod that the scheduler binds, by whether it can start.
var bindsAndStarts, binds = &APIView{Phase: "Running"}, &APIView{Phase: "Pending"}

// bound says what the API shows once the scheduler has bound the pod to one of the
// nodes that it may choose.
func (o *PodOutcome) bound(choices []string) {
	o.MayBeBoundTo, o.API = choices, binds
	if len(o.MayRunOn) > 0 {
		o.API = bindsAndStarts
	}
}

// twinned says what a namesake, or the nodes that may take it, do to a pod.
type twinned int

const (
	alone    twinned = iota // nothing: they do not run at the same time
	nowLong                 // the current state's, which goes on
	nowShort                // the current state's, which is being stopped
	wasLong                 // the backup's, while the other goes on
	wasShort                // the backup's, while the other is being stopped
	nearDeaf                // some nodes that the scheduler may choose are deaf
)

var twinReasons = [...]string{
	alone:    "",
	nowLong:  " Meanwhile the backup's pod of the same name starts on its own node: both run until this one stops.",
	nowShort: " The backup's pod of the same name may start before this one has stopped: both run for up to the grace period of this one.",
	wasLong:  " The current state's pod of the same name keeps running on its node: both run.",
	wasShort: " The current state's pod of the same name may not have stopped by then: both run for up to its grace period.",
	nearDeaf: " Bound to a node whose kubelet is deaf, it never starts.",
}

const actTwin = "Stop the current state's pod on its node before the kubelet of the other node can relist, or two pods of the same name run at the same time."

// twins adds to a pod's outcome what its namesake makes of it.
func (f *forecast) twins(o *PodOutcome, p *podCase, v *verdict) flagSet {
	was, now := p, f.cases[p.twin]
	if p.current != nil {
		was, now = now, was
	}
	if now.row != rowCreated && now.row != rowCreatedDying && now.row != rowCreatedExpiring && now.row != rowCreatedOnGoneNode {
		return 0 // the one of the current state has ended
	}
	if v.column == stale || was.row != rowDeletedUnbound && was.row.cell(relist).outcome != Restarted {
		return 0
	}
	apart := was.node != now.node
	starts := f.lists && (!was.backup.ChoicesKnown || len(f.starts(was.choices)) > 0)
	if was.node >= 0 {
		starts = f.verdicts[was.node].lists()
	}
	if !starts {
		if apart {
			o.Finding = f.extended(&p.said[v.column], alone, apart)
		}
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
	o.Finding = f.extended(&p.said[v.column], how, apart)
	other := now
	if p == now {
		other = was
	}
	o.DoubleRun = f.overlap(now, apart)
	o.DoubleRun.With = other.UID
	return doubleRun
}

// boundTwice says whether a pod that the scheduler binds again runs on both nodes
// for a while.
func (f *forecast) boundTwice(o *PodOutcome, p *podCase, v *verdict) flagSet {
	starts := f.starts(p.choices)
	if !f.lists || p.backup.ChoicesKnown && len(starts) == 0 {
		return 0
	}
	if v.column == deaf {
		o.MayRunOn = starts
	}
	o.DoubleRun = f.overlap(p, true)
	o.DoubleRun.With = p.UID
	return doubleRun
}

const (
	// orphanKill is how long a restarted kubelet goes on running what it will
	// kill, in seconds, the 2 s grace period included: 2.5 s as observed.
	orphanKill = 3
	// leastGrace is the grace period in seconds that a kubelet gives to any pod (kubelet
	// minimumGracePeriodInSeconds; as observed where one of 1 s was asked for).
	leastGrace = 2
)

// graceOf is the grace period in seconds that a kubelet gives to the pod; the API's
// default is 30.
func graceOf(p *Pod) int64 {
	if p.Grace < 0 {
		return 30
	}
	return max(p.Grace, leastGrace)
}

// overlap says for how long the pod of the current state runs beside the one
// that the restored API starts on the same node or another.
func (f *forecast) overlap(now *podCase, otherNode bool) *DoubleRun {
	switch f.verdicts[now.node].column {
	case relist:
		d := &DoubleRun{AtMostSeconds: graceOf(now.current), Until: "it has stopped, by the end of its grace period"}
		if otherNode {
			d.AtMostSeconds = add(d.AtMostSeconds, f.listedBy())
			d.Until += "; the two kubelets do not list at the same time"
		}
		return d
	case restart:
		if !otherNode {
			return &DoubleRun{AtMostSeconds: orphanKill, Until: "its restarted kubelet has killed it"}
		}
		return &DoubleRun{Until: "the kubelet of the current state's pod is restarted"}
	}
	return &DoubleRun{Until: "its kubelet relists its pods"}
}

// extended is what was said with what a namesake adds, on another node or on the
// same. Pods of which the same is to be said share it.
func (f *forecast) extended(said *explanation, how twinned, apart bool) *Finding {
	key := extension{said, how, apart}
	x := f.extensions[key]
	if x == nil {
		more := said.Finding
		more.Reason += twinReasons[how]
		switch {
		case how == nearDeaf:
			more.Severity, more.Heals, more.Action = Critical, HealsRelist, actNearDeaf
		case apart:
			more.Action = actTwin
		}
		x = &more
		f.extensions[key] = x
	}
	return x
}

type extension struct {
	said  *explanation
	how   twinned
	apart bool
}

// nodes says what becomes of every node, given what becomes of its pods.
func (f *forecast) nodes(pods []PodOutcome) []NodeOutcome {
	nodes := make([]NodeOutcome, len(f.Comparison.nodes))
	for i := range f.Comparison.nodes {
		nodes[i] = f.node(&f.Comparison.nodes[i], f.verdicts[i])
	}
	for i := range pods {
		switch n := f.cases[i].node; pods[i].Outcome { // both are bound
		case Phantom:
			nodes[n].Phantoms++
		case Ghost:
			nodes[n].Ghosts++
		}
	}
	return nodes
}

func (f *forecast) node(n *node, v verdict) NodeOutcome {
	o := NodeOutcome{
		Name:      n.name,
		Kubelet:   v.kubelet,
		Certainty: v.certainty,
		Reason:    v.reason,
		LastSeen:  LastSeen{AtLeast: n.seen.Revision, Expected: max(f.expected, n.seen.Revision), AtMost: f.atMost},
		Evidence:  []Ref{},
	}
	if v.column == relist && !n.gone {
		o.ListedBySeconds = f.listedBy()
	}
	if f.restartsWith(n) {
		o.Service = n.service
	}
	if n.gone {
		o.Certainty = Certain
	}
	if n.gone && f.current.incomplete() {
		o.Certainty = Possible
	}
	if n.seen.Revision > 0 {
		o.Evidence = []Ref{{Snapshot: InCurrent, Key: n.seen.Key, Revision: n.seen.Revision}}
	}
	var flags flagSet
	if n.cutOff {
		flags |= nodeUnreachable
	}
	switch {
	case n.gone:
		o.Kubelet, o.Reason, flags = KubeletGone, "The current state has no Node object of this name: its machine is assumed to be gone.", nodeGone
	case n.missing() && v.column != restart:
		flags |= nodeMissing
	}
	o.Flags = flags.list()
	switch {
	case n.cordonLost():
		o.Flags = append(slices.Clone(o.Flags), FlagCordonLost)
	case n.cordonBack():
		o.Flags = append(slices.Clone(o.Flags), FlagCordonBack)
	}
	return o
}
