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
	HealsRelist       Heals = "relist"       // its kubelet listing its pods anew
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
		Phantom, "Phantom pod", Critical,
		"A kubelet goes on running it although it no longer exists in the API, or exists there on another node. Controllers make a replacement beside it.",
		"Restore with --bump-revision and --mark-compacted, so that its kubelet lists anew and stops it with its own grace period; or stop it with crictl, or restart the kubelet, which kills within 2 seconds and runs no preStop hook.",
	},
	{
		Ghost, "Ghost pod", Critical,
		"The API shows it alive on a node where nothing runs. Its controller counts it, Services send traffic to its address, and nothing starts it.",
		"Delete it in the API if it is not wanted, before its kubelet lists anew; if it is wanted, make its kubelet list anew (bump, or kubelet restart) and it is started.",
	},
	{
		Hidden, "Hidden by a stale cache", Critical,
		"The API servers were left running: they list the pod from their cache, but etcd no longer holds it so. It becomes a phantom when they restart.",
		"Stop all API servers before the restore, or bump and mark compacted so that they drop their cache. Do not trust what they list until then.",
	},
	{
		Unknown, "Cannot be told", Critical,
		"Its stored value cannot be read, or the two snapshots contradict each other about it. It may be any of the other outcomes.",
		"Look at the pod on its node (crictl pods, or the kubelet's /pods) before and after the restore.",
	},
	{
		StaleStatus, "Stale status", Critical,
		"The API shows the pod's status of the backup, and its kubelet believes that it has reported the present one: a Job waits forever for a pod that has ended.",
		"Make its kubelet list anew (bump, or kubelet restart): the status is then reported within seconds.",
	},
	{
		StaleSpec, "Stale spec", Critical,
		"The pod's containers were changed in place after the backup: its kubelet runs the new ones, the API shows the old ones.",
		"Repeat the change in the API, then make its kubelet list anew; the other way round its containers are restarted twice.",
	},
	{
		StuckTerminating, "Stuck terminating", Warning,
		"The API shows it Terminating, nothing of it runs, and no kubelet will finish the deletion.",
		"Let the owner of its finalizer act, or delete the Node object of a machine that is gone; force its deletion only after checking that nothing runs.",
	},
	{
		LostDeletion, "Lost deletion", Warning,
		"It was deleted after the backup, and the restore takes that back.",
		"Delete it again.",
	},
	{
		Terminated, "Stopped by its kubelet", Warning,
		"The restored API does not know it on this node, and its kubelet stops it: with its own grace period after a relist, within 2 seconds and without preStop hooks after a kubelet restart.",
		"Nothing, if it may stop. What it held in memory or on local disk is gone: drain or save it before the restore.",
	},
	{
		Restarted, "Started again by its kubelet", Warning,
		"Its kubelet finds it in the restored API and starts it, or restarts its containers to the backup's spec.",
		"Delete it in the API before its kubelet lists anew, if it must not run again.",
	},
	{
		Lost, "Lost before it ran", Warning,
		"It was created after the backup and never bound to a node: it is gone, and nothing ran.",
		"Create it again if no controller does.",
	},
	{
		Finished, "Finished", OK,
		"It has ended or ends by itself; nothing of it runs afterwards.",
		"Nothing. Keep its logs before the restore if they matter.",
	},
	{
		Mirror, "Mirror of a static pod", OK,
		"The kubelet runs it from a file on its node; only its mirror object in the API goes back in time.",
		"Nothing. The mirror object is right again when the kubelet lists anew.",
	},
	{
		Unaffected, "Unaffected", OK,
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
	{FlagDoubleBind, "The scheduler binds it anew, and the API may then show it on another node than the one that runs it."},
	{FlagDoubleRun, "The same pod, or the same identity, runs twice at the same time, if only for as long as the old one takes to stop."},
	{FlagRunsAgain, "Work that was finished or called off is done again."},
	{FlagNotRescheduled, "No node of the backup can take it: once stopped it does not come back."},
	{FlagNeedsForceDelete, "A normal deletion hangs; only a forced one (grace period 0) removes it."},
	{FlagSpecRolledBack, "Its containers go back to the backup's spec."},
	{FlagNodeMissing, "Its node's kubelet lives, but after the restore there is no Node object for it until that kubelet is restarted."},
	{FlagNodeGone, "Its node has no Node object in the current state: the machine is gone, whatever the backup brings back. Where the backup is restored onto other machines, each of its nodes is such a one."},
	{FlagNodeUnreachable, "Its node was unreachable in the current state: its kubelet was down or cut off, and nothing that it was told since is certain to have been done."},
	{FlagStrayContainers, "Ephemeral containers that were added after the backup run on in it, and neither the API nor its kubelet's /pods shows them."},
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
