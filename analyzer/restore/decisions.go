package restore

import "cmp"

// Decision is a row of the decision table, as documentation prints it.
type Decision struct {
	Rule  Rule
	Pods  string             // which pods it is for
	Cases [columns]DecidedAs // by what their kubelet does, in the order of DecisionCases; without an Outcome there is no such case
}

// DecisionCases are what a pod's kubelet may do after the restore.
var DecisionCases = [columns]string{
	deaf:    "deaf (no bump, or one too small)",
	relist:  "lists anew (bump and mark-compacted)",
	restart: "restarted",
	stale:   "stale cache (API servers left running)",

	unplaced: "lists anew or is restarted, under API servers left running (bump and mark-compacted)",
	onto:     "is on no machine here (--onto new-machines)",
}

// DecidedAs is what becomes of the pods of a row.
type DecidedAs struct {
	Outcome  Outcome
	Severity Severity
	Heals    Heals
	Runs     string // where, after the restore
	API      string // what it shows
	Flags    []Flag
	Doubt    string // why it is only possible, "" when it is certain
}

// Decisions is the decision table.
func Decisions() []Decision {
	list := make([]Decision, len(decisionTable))
	for i, d := range decisionTable {
		list[i] = Decision{Rule: d.row.rule, Pods: d.pods}
		for c, e := range d.row.cells {
			if e.outcome == "" {
				continue
			}
			list[i].Cases[c] = DecidedAs{
				Outcome:  e.outcome,
				Severity: cmp.Or(e.severity, e.outcome.Info().Severity),
				Heals:    e.heals,
				Runs:     e.runs.String(),
				API:      e.api.String(),
				Flags:    e.flags.list(),
				Doubt:    e.doubt,
			}
		}
	}
	return list
}

func (p place) String() string {
	return [...]string{
		nowhere: "nowhere", here: "on its node", stopping: "on its node, until it has stopped",
		ending: "perhaps on its node, until it has stopped", perhaps: "perhaps on its node", elsewhere: "where the scheduler binds it",
	}[p]
}

func (v view) String() string {
	if v.of == absent {
		return "nothing"
	}
	text := map[source]string{asBackup: "the backup's", asCurrent: "the current state's", asUnbound: "the backup's, bound to no node"}[v.of]
	switch v.phase {
	case "":
		return text
	case phaseNow:
		return text + ", phase as now"
	}
	return text + ", " + v.phase
}

// decisionTable lists every row with the pods that it is for. In rules 1 to 3 a
// namesake in the other snapshot makes it 2a or 2b.
var decisionTable = []struct {
	pods string
	row  *row
}{
	{"created after the backup, running or about to", &rowCreated},
	{"created after the backup, with an activeDeadlineSeconds", &rowExpiring},
	{"created after the backup, being deleted, with time left", &rowDying},
	{"created after the backup, being deleted, with no time left", &rowDead},
	{"created after the backup, on a node without a Node object in the current state", &rowCreatedOnGoneNode},
	{"created after the backup and ended", &rowEnded},
	{"created after the backup, never bound", &rowNeverBound},

	{"deleted after the backup, restart policy Always", &rowDeletedAlways},
	{"deleted after the backup, restart policy OnFailure", &rowDeletedOnFailure},
	{"deleted after the backup, restart policy Never", &rowDeletedNever},
	{"deleted after the backup, its activeDeadlineSeconds passed", &rowDeletedExpired},
	{"deleted after the backup, where it was bound and Pending, restart policy Always", &rowDeletedPending},
	{"deleted after the backup, where it was bound and Pending, restart policy OnFailure or Never", &rowDeletedPendingOnce},
	{"deleted after the backup, where it was not bound", &rowDeletedUnbound},
	{"deleted after the backup, where it had ended", &rowDeletedEnded},
	{"deleted after the backup, on a node whose machine is gone", &rowGoneNode},
	{"deleted after the backup, on a node without a Node object in either snapshot", &rowOrphaned},
	{"being deleted in the backup, gone since", &rowDeleting},
	{"being deleted in the backup with a finalizer, gone since", &rowDeletingHeld},
	{"being deleted and ended in the backup, gone since", &rowDeletingEnded},
	{"being deleted, ended or never bound in the backup, with a finalizer, gone since", &rowDeletingEndedHeld},

	{"in both, unchanged", &rowUnchanged},
	{"in both, with other labels, annotations or conditions", &rowTouched},
	{"in both, phase changed", &rowStatus},
	{"in both, readiness changed", &rowReadiness},
	{"in both, restart counts changed", &rowRestarts},
	{"in both, containers changed in place", &rowSpec},
	{"in both, resized in place to more, with a container to be restarted for it", &rowResized},
	{"in both, resized in place to less, with a container to be restarted for it", &rowResizedDown},
	{"in both, resized in place", &rowResizeUndone},
	{"in both, ended in both", &rowBothEnded},
	{"in both, bound in neither", &rowBothUnbound},
	{"in both, on a node whose machine is gone", &rowKeptOnGoneNode},
	{"in both, on a node without a Node object in either", &rowKeptOrphaned},
	{"in both, ended since, restart policy Never", &rowEndedNever},
	{"in both, succeeded since, restart policy OnFailure", &rowEndedOnFailure},
	{"in both, ended since by eviction, deadline or the like", &rowEvicted},
	{"in both, ended since by the deadline that the backup has", &rowExpired},
	{"in both, ended in the backup and alive since", &rowEndedInBackup},
	{"in both, deletion begun since, with time left", &rowDoomed},
	{"in both, deletion begun since, with no time left", &rowStopped},
	{"in both, deletion begun since, with no time left long ago", &rowOverdue},
	{"in both, deletion begun since, ended, held by a finalizer", &rowHeld},
	{"in both, deletion begun since, ended, held by a finalizer, restart policy Never", &rowHeldNever},
	{"in both, deletion begun since, ended, about to be gone", &rowGoing},
	{"in both, deletion begun since, ended, about to be gone, restart policy Never", &rowGoingNever},
	{"in both, deletion begun since, never bound", &rowUnboundDeleting},
	{"in both, deletion begun in both", &rowBothDying},
	{"in both, deletion begun in both, ended since, held by a finalizer", &rowBothDyingEnded},
	{"in both, deletion begun in both, ended since, about to be gone", &rowBothDyingDone},

	{"in both, bound since, other nodes can take it", &rowBound},
	{"in both, bound since, other nodes and its own can take it", &rowBoundPerhapsHere},
	{"in both, bound since, a node whose machine is gone can take it", &rowBoundGone},
	{"in both, bound since, its own node and one whose machine is gone can take it", &rowBoundPerhapsGone},
	{"in both, bound since, no node of the backup can take it", &rowBlocked},
	{"in both, bound since, only its own node can take it", &rowBoundHere},
	{"in both, bound and ended since", &rowBoundEnded},
	{"in both, bound since, then deleted, with no time left", &rowBoundStopped},

	{"that mirror a static one, in both", &rowMirror},
	{"that mirror a static one, made after the backup", &rowMirrorCreated},
	{"that mirror a static one, made after the backup on a node that is not in it", &rowMirrorNoNode},
	{"that mirror a static one, gone or changed since", &rowMirrorDeleted},

	{"of the backup, restored onto other machines, alive, of a ReplicaSet or the like", &rowOntoAlive},
	{"of the backup, restored onto other machines, alive, of a StatefulSet", &rowOntoStateful},
	{"of the backup, restored onto other machines, alive, of a DaemonSet", &rowOntoDaemon},
	{"of the backup, restored onto other machines, alive, of a Job", &rowOntoJob},
	{"of the backup, restored onto other machines, alive, of no controller", &rowOntoBare},
	{"of the backup, restored onto other machines, being deleted", &rowOntoDying},
	{"of the backup, restored onto other machines, ended", &rowOntoEnded},
	{"of the backup, restored onto other machines, on a node without a Node object", &rowOntoOrphan},
	{"of the backup, restored onto other machines, not bound", &rowOntoUnbound},
	{"of the backup, restored onto other machines, not bound and being deleted with a finalizer", &rowOntoUnboundHeld},
	{"of the backup, restored onto other machines, mirror of a static one", &rowOntoMirror},

	{"with a value that cannot be read", &rowUnreadable},
	{"of which the snapshots contradict each other", &rowContradiction},
}
