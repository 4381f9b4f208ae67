package restore

import (
	"sync"

	"revenant/analyzer/finding"
)

// Outcome says what becomes of a pod. The values are stable names.
type Outcome string

// The outcomes. Outcomes describes them.
const (
	Phantom          Outcome = "phantom"
	Ghost            Outcome = "ghost"
	Hidden           Outcome = "hidden"
	Unknown          Outcome = "unknown"
	StaleStatus      Outcome = "stale-status"
	StaleSpec        Outcome = "stale-spec"
	StuckTerminating Outcome = "stuck-terminating"
	LostDeletion     Outcome = "lost-deletion"
	Terminated       Outcome = "terminated"
	Restarted        Outcome = "restarted"
	Lost             Outcome = "lost"
	Finished         Outcome = "finished"
	Mirror           Outcome = "mirror"
	Unaffected       Outcome = "unaffected"
)

// The words that all analyzers judge with.
type (
	Severity  = finding.Severity
	Certainty = finding.Certainty
)

// The severities and the certainties, worst and surest first.
const (
	Critical = finding.Critical
	Warning  = finding.Warning
	OK       = finding.OK

	Certain  = finding.Certain
	Possible = finding.Possible
	Unlikely = finding.Unlikely
)

// Heals says what ends a pod's outcome.
type Heals string

// What ends an outcome.
const (
	HealsNever        Heals = "never"        // only what an operator does
	HealsRelist       Heals = "relist"       // its kubelet relisting its pods
	HealsStatusChange Heals = "statusChange" // the next change of the pod's status on its node
	HealsSelf         Heals = "self"         // nothing is needed
)

// OutcomeInfo describes an outcome to people.
type OutcomeInfo struct {
	ID          Outcome  `json:"id"`
	Title       string   `json:"title"`
	Severity    Severity `json:"severity"` // the usual one; a pod's own may be lower or higher
	Explanation string   `json:"explanation"`
	Remedy      string   `json:"remedy"`
}

// Outcomes is the vocabulary of outcomes, worst first. Help, legends and
// documentation are printed from it.
var Outcomes = []OutcomeInfo{
	{
		Phantom, "Runs; the API does not know it", Critical,
		"It keeps running on its node, but the API no longer has it, or has it on another node. Controllers start a replacement next to it.",
		"Bump the revision: its kubelet then relists and stops the pod with its own grace period. Or stop it with crictl, or restart the kubelet, which kills it within 2 seconds without running preStop hooks.",
	},
	{
		Ghost, "The API shows it; nothing runs", Critical,
		"The API shows it alive, but nothing runs on its node and nothing will start it. Its controller counts it, and Services send traffic to its address.",
		"If it must run, make its kubelet relist (bump, or restart the kubelet): the kubelet then starts it. If not, delete it in the API before its kubelet relists.",
	},
	{
		Hidden, "Shown only by a stale cache", Critical,
		"API servers that were left running list the pod from their stale cache, but etcd no longer has it in that state. It becomes a phantom when they restart.",
		"Stop all API servers before the restore, or bump and mark compacted so that they drop their cache. Do not trust what they list until then.",
	},
	{
		Unknown, "The evidence does not say", Critical,
		"Its stored value cannot be read, or the two snapshots contradict each other. Any other outcome is possible.",
		"Look at the pod on its node (crictl pods, or the kubelet's /pods) before and after the restore.",
	},
	{
		StaleStatus, "The API shows an old status", Critical,
		"The API shows the status from the backup. The kubelet believes that it has already reported the current status and does not report it again: a Job waits forever for a pod that has ended.",
		"Make its kubelet relist (bump, or restart the kubelet): it then reports the status within seconds.",
	},
	{
		StaleSpec, "The API shows an old spec", Critical,
		"The pod's containers were changed in place after the backup. The kubelet runs the new ones, the API shows the old ones.",
		"Repeat the change in the API first, then make its kubelet relist. In the other order its containers are restarted twice.",
	},
	{
		StuckTerminating, "Its deletion never ends", Warning,
		"The API shows it Terminating, but nothing of it runs and no kubelet will finish the deletion.",
		"Let the owner of its finalizer act, or delete the Node object of a machine that is gone. Force its deletion only after checking that nothing runs.",
	},
	{
		LostDeletion, "Its deletion is undone", Warning,
		"It was deleted after the backup. The restore undoes the deletion.",
		"Delete it again.",
	},
	{
		Terminated, "Stopped by its kubelet", Warning,
		"Its kubelet stops it, because the restored API does not have it on this node. After a relist it gets its own grace period; after a kubelet restart it is killed within 2 seconds, without preStop hooks.",
		"Nothing, if it may stop. Data in memory and on local disk is lost: drain or save it before the restore.",
	},
	{
		Restarted, "Started again by its kubelet", Warning,
		"Its kubelet finds it in the restored API and starts it, or restarts its containers with the backup's spec.",
		"If it must not run again, delete it in the API before its kubelet relists.",
	},
	{
		Lost, "Lost before it ran", Warning,
		"It was created after the backup and never bound to a node. It is gone; it never ran.",
		"Create it again, unless a controller does.",
	},
	{
		Finished, "It has ended", OK,
		"It has ended, or ends by itself. Nothing of it runs afterwards.",
		"Nothing. Keep its logs before the restore if they matter.",
	},
	{
		Mirror, "Mirror of a static pod", OK,
		"The kubelet runs it from a file on its node. Only its mirror pod in the API is rolled back.",
		"Nothing. The kubelet corrects the mirror pod when it relists.",
	},
	{
		Unaffected, "It goes on as it is", OK,
		"It goes on as it is.",
		"Nothing.",
	},
}

var outcomeInfo = func() map[Outcome]OutcomeInfo {
	m := make(map[Outcome]OutcomeInfo, len(Outcomes))
	for _, o := range Outcomes {
		m[o.ID] = o
	}
	return m
}()

// Info describes the outcome; the zero value for one that does not exist.
func (o Outcome) Info() OutcomeInfo { return outcomeInfo[o] }

// Flag says more about an outcome. The values are stable names.
type Flag string

// The flags. Flags describes them.
const (
	FlagStuckTerminating  Flag = "stuck-terminating"
	FlagSameNameSameNode  Flag = "same-name-same-node"
	FlagSameNameOtherNode Flag = "same-name-other-node"
	FlagDoubleBind        Flag = "double-bind"
	FlagDoubleRun         Flag = "double-run"
	FlagRunsAgain         Flag = "runs-again"
	FlagNotRescheduled    Flag = "not-rescheduled"
	FlagNeedsForceDelete  Flag = "needs-force-delete"
	FlagSpecRolledBack    Flag = "spec-rolled-back"
	FlagNodeMissing       Flag = "node-missing"
	FlagNodeGone          Flag = "node-gone"
	FlagNodeUnreachable   Flag = "node-unreachable"
	FlagStrayContainers   Flag = "stray-containers"

	// Of nodes only.
	FlagCordonLost Flag = "cordon-lost"
	FlagCordonBack Flag = "cordon-back"
)

// FlagInfo describes a flag to people.
type FlagInfo struct {
	ID          Flag   `json:"id"`
	Explanation string `json:"explanation"`
}

// Flags is the vocabulary of flags.
var Flags = []FlagInfo{
	{FlagStuckTerminating, "The API shows it Terminating, and no kubelet finishes the deletion."},
	{FlagSameNameSameNode, "A pod of the same name with another uid is in the other snapshot, on the same node."},
	{FlagSameNameOtherNode, "A pod of the same name with another uid is in the other snapshot, not on the same node."},
	{FlagDoubleBind, "The scheduler binds it again: the API may show it on a different node from the one that runs it."},
	{FlagDoubleRun, "The same pod, or two pods of the same name, run at the same time, at least until the old one has stopped."},
	{FlagRunsAgain, "Work that was finished or cancelled is done again."},
	{FlagNotRescheduled, "No node of the backup can take it: once stopped, it does not start again."},
	{FlagNeedsForceDelete, "A normal deletion hangs. Only a forced deletion (grace period 0) removes it."},
	{FlagSpecRolledBack, "Its containers are rolled back to the backup's spec."},
	{FlagNodeMissing, "Its kubelet is running, but its Node object is missing after the restore until that kubelet is restarted."},
	{FlagNodeGone, "Its node has no Node object in the current state: the machine is gone, even if the backup restores its Node object. When the backup is restored onto other machines, this holds for all its nodes."},
	{FlagNodeUnreachable, "Its node was unreachable in the current state: its kubelet was down or cut off, and may not have carried out anything the API asked of it since."},
	{FlagStrayContainers, "Ephemeral containers that were added after the backup keep running in it. Neither the API nor its kubelet's /pods shows them."},
	{FlagCordonLost, "The node was cordoned after the backup: it is schedulable again after the restore."},
	{FlagCordonBack, "The node was uncordoned after the backup: no pod is placed on it after the restore."},
}

// flagSet is a set of flags of pods: bit i is Flags[i].
type flagSet uint32

const (
	stuckTerminating flagSet = 1 << iota
	sameNameSameNode
	sameNameOtherNode
	doubleBind
	doubleRun
	runsAgain
	notRescheduled
	needsForceDelete
	specRolledBack
	nodeMissing
	nodeGone
	nodeUnreachable
	strayContainers
)

// flagLists are the lists of the sets that have come up, so that no pod needs one of
// its own.
var flagLists sync.Map // flagSet → []Flag

func (s flagSet) list() []Flag {
	if known, ok := flagLists.Load(s); ok {
		return known.([]Flag)
	}
	list := []Flag{}
	for i, f := range Flags {
		if s&(1<<i) != 0 {
			list = append(list, f.ID)
		}
	}
	known, _ := flagLists.LoadOrStore(s, list)
	return known.([]Flag)
}
