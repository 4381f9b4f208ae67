package restore

import (
	"fmt"
	"slices"
)

// When kubelets relist their pods after an outage. A kubelet whose watch is refused
// tries again after a time that doubles from 0.8 s to 30 s, each time drawn from that to
// twice as much; and when its watch is answered with 410, it waits for the next such
// time before it lists (client-go v0.37 tools/cache/reflector.go NewReflectorWithOptions;
// apimachinery v0.37 pkg/util/wait/backoff.go Step). Seen: 5 to 14 s after outages of up
// to 32 s, of which it was refused for less; 35 to 73 s after 70 s; at once behind a
// balancer that accepts and closes.
const (
	firstBackoff, lastBackoff = 0.8, 30.0

	// ListedByAtMost is twice the longest wait, in seconds: no kubelet that is refused
	// relists its pods later than that after the API is back.
	ListedByAtMost = 120
	// listedByKept is for API servers that were left running: their clients were not
	// refused. Seen: 3 to 5 s after etcd was back.
	listedByKept = 30

	// tellTakes is how long a kubelet may take, in seconds, to start what it has listed,
	// and to report what it finds: 10 s between two rounds of its status manager.
	tellTakes = 10
	// killTakes is how much longer than its grace period a pod may take to stop.
	killTakes = 2
)

// listedBy is how many seconds after the API is back the last kubelet that is refused
// has relisted its pods.
func (f *forecast) listedBy() int64 {
	if f.plan.KeepAPIServers && !f.plan.someKept() {
		return listedByKept
	}
	return listedWithin(f.plan.Outage.To)
}

// listedWithin is listedBy after an outage of so many seconds, 0 for one that may be of
// any length: the wait that may have begun at its end and the one after.
func listedWithin(outage int64) int64 {
	if outage == 0 {
		return ListedByAtMost
	}
	wait, waited := firstBackoff, 0.0
	for wait < lastBackoff && waited+wait <= float64(outage) { // each wait the shortest
		waited += wait
		wait = min(2*wait, lastBackoff)
	}
	return min(int64(2*wait+2*min(2*wait, lastBackoff)+0.5), ListedByAtMost)
}

// untilListed puts before the outcome of each pod whose kubelet relists its pods what
// is so until then: its kubelet is deaf so far.
func (f *forecast) untilListed(pods []PodOutcome) {
	by := f.listedBy()
	reason := fmt.Sprintf("Its kubelet relists its pods within %d s of the API being back; until then nothing changes.", by)
	if by < ListedByAtMost && !f.plan.KeepAPIServers { // its waits begin again after two minutes without one
		reason += " Assumes that it was not refused in the two minutes before the outage."
	}
	for i := range pods {
		p := f.cases[i]
		if p.node < 0 || f.verdicts[p.node].column != relist || f.Comparison.nodes[p.node].gone || f.cutOff(p) {
			continue
		}
		f.untilItListed(&pods[i], p, by, reason)
	}
}

func (f *forecast) untilItListed(o *PodOutcome, p *podCase, by int64, reason string) {
	before := verdict{column: deaf, certainty: Certain}
	if f.plan.KeepAPIServers && !f.plan.someKept() {
		before.column = stale
	}
	e, c := p.row.cell(before.column), f.column(p, &f.verdicts[p.node])
	if e.runs == p.row.cell(c).runs && alike(p.views[before.column], p.views[c]) {
		return // its kubelet's list changes nothing
	}
	var first PodOutcome
	first.RunsOn = noNodes
	f.place(&first, p, e, &before)
	first.API = p.views[before.column]
	mayRun := union(first.MayRunOn, first.RunsOn)
	if alike(first.API, o.API) && slices.Equal(mayRun, union(o.MayRunOn, o.RunsOn)) && len(o.RunsOn) == len(first.RunsOn) {
		return // its kubelet's list changes nothing
	}
	then := Later{Relists: true, BySeconds: add(by, tellTakes), RunsOn: o.RunsOn, MayRunOn: o.MayRunOn, API: []*APIView{o.API}, Reason: reason}
	if len(mayRun) > 0 && p.current != nil && !slices.Equal(mayRun, o.RunsOn) {
		then.BySeconds = max(then.BySeconds, add(by, add(graceOf(p.current), killTakes)))
	}
	if next := o.Then; next != nil { // and then something else
		then.RunsOn, then.MayRunOn = noNodes, union(union(o.RunsOn, o.MayRunOn), union(next.RunsOn, next.MayRunOn))
		then.API = orShown(then.API, next.API...)
		then.Reason += " " + next.Reason
	}
	o.Then = &then
	o.RunsOn, o.MayRunOn = noNodes, union(mayRun, union(o.RunsOn, o.MayRunOn))
	o.API = first.API
	if first.API != nil && first.API.Node != "" {
		o.MayBeBoundTo = nil
	}
}

// Settled is where the pod's containers run, and what a LIST shows, once its kubelet has
// relisted its pods, if it does.
func (o *PodOutcome) Settled() (runsOn, mayRunOn []string, api *APIView) {
	if t := o.Then; t != nil && t.Relists {
		return t.RunsOn, t.MayRunOn, t.API[0]
	}
	return o.RunsOn, o.MayRunOn, o.API
}
