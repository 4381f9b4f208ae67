package restore

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"revenant/decoder/kube"
	"revenant/internal/words"
)

// classify finds the row of a pod: was is what the backup has of it and now what
// the current state has, one of them may be nil.
func (b *builder) classify(was, now *Pod) *podCase {
	pod := cmp.Or(now, was)
	p := &podCase{
		PodIdentity: &PodIdentity{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, Node: pod.NodeName},
		backup:      was, current: now, node: -1, twin: -1,
	}
	if pod.bound() {
		p.node = b.nodeIndex(pod.NodeName)
	}
	if pod.UID == "" && was != nil {
		p.UID, p.Node = was.UID, was.NodeName
	}
	p.pending = pod.Phase == "Pending" || pod.Phase == ""
	p.Evidence = b.references(was, now)
	p.choices = b.living(was)

	about := particulars{grace: -1}
	if now != nil {
		about.grace, about.now = now.Grace, phaseOf(now)
	}
	if was != nil {
		about.was = phaseOf(was)
	}
	if was != nil && p.node >= 0 && b.nodes[p.node].gone {
		about.evicts = evicts(was)
	}
	if pod.Terminating() {
		about.ends, p.ends = pod.Deleted, &pod.Deleted
	}
	if was == nil && p.ends == nil && !now.Deadline().IsZero() {
		ends := expiry(now)
		about.ends, p.ends = ends, &ends
	}
	if why := unreadable(was, now); why != "" {
		about = particulars{grace: -1, why: why}
		b.explain(p, rowUnreadable, about)
		return p
	}
	if why := contradiction(was, now); why != "" {
		about = particulars{grace: -1, why: why}
		b.explain(p, rowContradiction, about)
		return p
	}
	var r rowID
	switch {
	case b.onto:
		r = b.ontoRow(was, p.node)
	case isMirror(was) || isMirror(now):
		r = b.mirrorRow(was, now, p.node)
	case was == nil:
		r = b.createdRow(now, p.node)
	case now == nil:
		r = b.deletedRow(was, p.node)
	default:
		r = b.keptRow(was, now, p.node)
	}
	if about.stray = stray(was, now); about.stray != "" {
		p.flags |= strayContainers
	}
	b.explain(p, r, about)
	switch {
	case p.node < 0:
	case b.nodes[p.node].gone:
		p.flags |= nodeGone
	case b.nodes[p.node].missing():
		p.flags |= nodeMissing
		if r == rowCreated || r == rowCreatedDying || r == rowCreatedExpiring {
			p.Rule = "5a"
		}
	}
	p.unsure = b.doubt(p)
	return p
}

// stray names the ephemeral containers of a pod that were added after the backup, "" for
// none.
func stray(was, now *Pod) string {
	if was == nil || now == nil || len(now.Ephemeral) == 0 {
		return ""
	}
	known := map[string]bool{}
	for _, name := range was.Ephemeral {
		known[name] = true
	}
	names := slices.DeleteFunc(slices.Clone(now.Ephemeral), func(name string) bool { return known[name] })
	const few = 5
	return words.First(names, few)
}

// references are the records that the case rests on.
func (b *builder) references(was, now *Pod) []Ref {
	var refs []Ref
	if was != nil {
		refs = append(refs, Ref{Snapshot: InBackup, Key: was.Key, Revision: was.ModRevision})
	}
	switch {
	case b.onto:
	case now != nil:
		refs = append(refs, Ref{Snapshot: InCurrent, Key: now.Key, Revision: now.ModRevision})
	case b.deleted[was.Key].Revision > b.backup.Revision:
		refs = append(refs, Ref{Snapshot: InCurrent, Key: was.Key, Revision: b.deleted[was.Key].Revision})
	}
	return refs
}

// living are the choices of a pod not yet bound, without nodes that are gone. Pods
// that ask for the same share them.
func (b *builder) living(was *Pod) []string {
	if was == nil || was.bound() {
		return nil
	}
	if !slices.ContainsFunc(was.Choices, b.gone) {
		return was.Choices
	}
	list, ok := b.alive[&was.Choices[0]]
	if !ok {
		list = slices.DeleteFunc(slices.Clone(was.Choices), b.gone)
		b.alive[&was.Choices[0]] = list
	}
	return list
}

// gone says whether the machine of the node of that name is gone.
func (c *Comparison) gone(name string) bool {
	i := c.nodeIndex(name)
	return i >= 0 && c.nodes[i].gone
}

// evicts says what becomes of the backup's pod once its node is tainted.
func evicts(was *Pod) string {
	switch {
	case was.Terminating():
		return " The pod stays Terminating, because no kubelet answers."
	case was.ToleratesUnreachable < 0:
		return " The pod tolerates that without limit, and stays as it is while the Node object exists."
	}
	return fmt.Sprintf(" The pod tolerates that for %d s; then it stays Terminating, because no kubelet answers.", was.ToleratesUnreachable)
}

// unreadable says why nothing can be said about a pod, "" when something can.
func unreadable(was, now *Pod) string {
	for _, p := range []*Pod{now, was} {
		switch {
		case p == nil:
		case p.Unreadable != "":
			return whereUnreadable(was, now) + p.Unreadable + "."
		case p.UID == "":
			return whereUnreadable(was, now) + "it has no uid."
		}
	}
	return ""
}

func whereUnreadable(was, now *Pod) string {
	switch {
	case was == nil:
		return "Only the current snapshot has it. If it is bound and alive, it is like any pod created after the backup. Its value cannot be used: "
	case now == nil:
		return "Only the backup has it. If it is bound and alive there, it is like any pod deleted after the backup. Its value cannot be used: "
	case was.ModRevision == now.ModRevision:
		return "Both snapshots have it, at the same revision. Its value cannot be used: "
	}
	return "Both snapshots have it, and it changed after the backup. Its value cannot be used: "
}

// contradiction says what the snapshots say of one pod that cannot both be true.
func contradiction(was, now *Pod) string {
	switch {
	case was == nil || now == nil:
		return ""
	case was.bound() && !now.bound():
		return "The backup has it bound to a node and the current state has not: a binding is never removed."
	case was.bound() && was.NodeName != now.NodeName:
		return "The two snapshots have it on different nodes: a binding is never changed."
	case was.Terminating() && !now.Terminating():
		return "The backup has it in deletion and the current state has not: a deletion is never cancelled."
	}
	return ""
}

// doubt says why the evidence may have put a pod into the wrong row.
func (b *builder) doubt(p *podCase) string {
	was, now := p.backup, p.current
	switch {
	case b.onto:
		return "" // nothing is certain there
	case now == nil && b.current.incomplete() && b.deleted[was.Key].Revision <= b.backup.Revision:
		return "The current snapshot is damaged: the pod may be in what could not be read."
	case was == nil && b.backup.incomplete() && now.CreateRevision <= b.backup.Revision:
		return "The backup is damaged: the pod may be in what could not be read."
	case p.node >= 0 && b.nodes[p.node].gone && b.current.incomplete():
		return "The current snapshot is damaged: the Node object may be in what could not be read."
	case was != nil && now != nil && !was.bound() && !now.Terminal() && p.node >= 0 && b.nodes[p.node].gone:
		return ifKubeletLives
	case now != nil && now.bound() && now.Terminating() && !now.Terminal() && b.overdue(now.Deleted):
		return fmt.Sprintf("Its grace period ended at %s, long before the current snapshot, which still shows it alive: its kubelet was down or could not stop it.", words.Time(now.Deleted))
	case now != nil && now.BoundInTail:
		return "It was bound by the last entries of etcd's log, which its kubelet may not have received before etcd stopped."
	}
	return ""
}

func isMirror(p *Pod) bool { return p != nil && p.Mirror != "" }

func (b *builder) mirrorRow(was, now *Pod, node int) rowID {
	switch {
	case was == nil && node >= 0 && b.nodes[node].missing():
		return rowMirrorNoNode
	case was == nil:
		return rowMirrorCreated
	case now == nil:
		return rowMirrorDeleted
	}
	return rowMirror
}

// createdRow is the row of a pod that only the current state has.
func (b *builder) createdRow(now *Pod, node int) rowID {
	switch {
	case !now.bound():
		return rowCreatedUnbound
	case now.Terminal():
		return rowCreatedEnded
	case now.Terminating() && b.ending(now.Deleted):
		return rowCreatedDead
	case now.Terminating() && !b.overdue(now.Deleted):
		return rowCreatedDying
	case b.nodes[node].gone:
		return rowCreatedOnGoneNode
	case !now.Terminating() && !now.Deadline().IsZero():
		return rowCreatedExpiring
	}
	return rowCreated
}

// stopsWithin is how long a kubelet takes at most, beside the grace period, from what
// makes it stop a pod to the API showing that the pod has ended, in seconds: it looks
// every second, and reports every ten.
const stopsWithin = 15

// expiry is when a pod with a deadline has ended for that.
func expiry(p *Pod) time.Time {
	return p.Deadline().Add(time.Duration(min(graceOf(p), math.MaxInt32)+stopsWithin) * time.Second)
}

// expired says whether the pod's deadline has passed: the restore comes after the
// current snapshot.
func (c *Comparison) expired(p *Pod) bool {
	d := p.Deadline()
	return !d.IsZero() && !d.After(c.current.Time) // never without a clock
}

// ending says whether a kill whose grace period ends at t ends at about the time
// of the current snapshot, or before the API is back. Without a clock it does not.
func (c *Comparison) ending(t time.Time) bool {
	return !c.current.Time.IsZero() && t.Before(c.current.Time.Add(settled)) && !c.overdue(t)
}

// overdue says whether it should have ended long before the current snapshot, and
// so has not.
func (c *Comparison) overdue(t time.Time) bool {
	return t.Before(c.current.Time.Add(-settled))
}

// deletedRow is the row of a pod that only the backup has.
func (b *builder) deletedRow(was *Pod, node int) rowID {
	held := len(was.Finalizers) > 0
	started := was.Phase != "Pending" && was.Phase != ""
	switch {
	case was.Terminal() && was.Terminating() && held:
		return rowDeletingEndedHeld
	case was.Terminal() && !was.Terminating():
		return rowDeletedEnded
	case !was.bound() && was.Terminating():
		return rowDeletingEndedHeld
	case !was.bound():
		return rowDeletedUnbound
	case b.nodes[node].gone && !b.nodes[node].inBackup:
		return rowDeletedOrphaned
	case b.nodes[node].gone:
		return rowDeletedOnGoneNode
	case was.Terminal():
		return rowDeletingEnded
	case was.Terminating() && held:
		return rowDeletingHeld
	case was.Terminating():
		return rowDeleting
	case b.expired(was):
		return rowDeletedExpired
	case !started && was.RestartPolicy == "Always":
		return rowDeletedPending
	case !started:
		return rowDeletedPendingOnce
	case was.RestartPolicy == "Never":
		return rowDeletedNever
	case was.RestartPolicy == "OnFailure":
		return rowDeletedOnFailure
	}
	return rowDeletedAlways
}

// keptRow is the row of a pod that both have.
func (b *builder) keptRow(was, now *Pod, node int) rowID {
	dying := now.Terminating() && !was.Terminating()
	switch {
	case !now.bound() && dying:
		return rowUnboundDeleting
	case !now.bound():
		return rowBothUnbound
	case !was.bound():
		return b.boundRow(was, now)
	case was.Terminal() && now.Terminal() && !dying:
		return rowBothEnded
	case was.Terminal() && !was.Terminating() && (now.Terminal() || b.nodes[node].gone):
		return rowEndedBefore
	case b.nodes[node].gone && !b.nodes[node].inBackup:
		return rowKeptOrphaned
	case b.nodes[node].gone:
		return rowKeptOnGoneNode
	case dying:
		return b.dyingRow(now)
	case now.Terminating():
		return bothDyingRow(now)
	case was.Terminal():
		return rowEndedInBackup
	case now.Phase == "Failed" && b.expired(was):
		return rowExpired
	case now.Terminal():
		return endedRow(now)
	case !slices.Equal(was.Containers, now.Containers) || !slices.Equal(was.InitContainers, now.InitContainers):
		return rowSpec
	case resized(was, now) && holds(now).RestartOnResize != was.RestartOnResize:
		return resizedRow(was, now)
	case phaseOf(was) != phaseOf(now):
		return rowStatus
	case was.Ready != now.Ready:
		return rowReadiness
	case was.Restarts != now.Restarts:
		return rowRestarts
	case resized(was, now):
		return rowResizeUndone
	case was.ModRevision != now.ModRevision:
		return rowTouched
	}
	return rowUnchanged
}

// holds is what a kubelet holds for the pod of the current state: what it has allocated
// while it has not agreed to a resize, else what the API has.
func holds(now *Pod) kube.Allocation {
	if now.Allocated != nil {
		return *now.Allocated
	}
	return kube.Allocation{Requests: now.Requests, Limits: now.Limits, RestartOnResize: now.RestartOnResize}
}

// resizedRow is the row of a pod whose containers were restarted to resize it.
func resizedRow(was, now *Pod) rowID {
	if h := holds(now).Requests; h.MilliCPU < was.Requests.MilliCPU || h.Memory < was.Requests.Memory {
		return rowResizedDown
	}
	return rowResized
}

// resized says whether the pod was resized in place since the backup, or is to be.
func resized(was, now *Pod) bool {
	return was.Requests != now.Requests || was.Limits != now.Limits || was.RestartOnResize != now.RestartOnResize
}

// boundRow is the row of a pod that was bound after the backup.
func (b *builder) boundRow(was, now *Pod) rowID {
	here := slices.Contains(was.Choices, now.NodeName)
	switch {
	case now.Terminal():
		return rowBoundEnded
	case now.Terminating() && b.ending(now.Deleted):
		return rowBoundStopped
	case !was.ChoicesKnown:
		return rowBoundPerhapsHere
	case len(was.Choices) == 0:
		return rowBlocked
	case here && len(was.Choices) == 1:
		return rowBoundHere
	}
	gone := slices.ContainsFunc(was.Choices, b.gone)
	switch {
	case here && gone:
		return rowBoundPerhapsGone
	case here:
		return rowBoundPerhapsHere
	case gone:
		return rowBoundGone
	}
	return rowBound
}

// dyingRow is the row of a pod whose deletion began after the backup.
func (b *builder) dyingRow(now *Pod) rowID {
	held, never := len(now.Finalizers) > 0, now.RestartPolicy == "Never"
	switch {
	case !now.Terminal() && b.ending(now.Deleted):
		return rowStopped
	case !now.Terminal() && b.overdue(now.Deleted):
		return rowOverdue
	case !now.Terminal():
		return rowDoomed
	case held && never:
		return rowHeldNever
	case held:
		return rowHeld
	case never:
		return rowGoingNever
	}
	return rowGoing
}

// bothDyingRow is the row of a pod whose deletion had begun in the backup, and that had
// not ended in both.
func bothDyingRow(now *Pod) rowID {
	switch {
	case now.Terminal() && len(now.Finalizers) > 0:
		return rowBothDyingEnded
	case now.Terminal():
		return rowBothDyingDone
	}
	return rowBothDying
}

// endedRow is the row of a pod that ended after the backup.
func endedRow(now *Pod) rowID {
	switch {
	case now.RestartPolicy == "Never":
		return rowEndedNever
	case now.RestartPolicy == "OnFailure" && now.Phase == "Succeeded":
		return rowEndedOnFailure
	}
	return rowEvicted // containers alone do not end a pod that is restarted
}

// phaseOf is the pod's phase; the API's default is Pending.
func phaseOf(p *Pod) string { return cmp.Or(p.Phase, "Pending") }
