package restore

// column is what a pod's kubelet does after the restore.
type column int

const (
	deaf    column = iota // keeps its watch and hears nothing (modes P, BS)
	relist                // relists its pods (BC, NR-BC)
	restart               // is restarted, and relists its pods (KR)
	stale                 // is served the erased past by API servers left running (NR-P)
	// unplaced is relist or restart while API servers were left running and dropped
	// their cache (NR-BC). It differs in rows of pods that the scheduler must place
	// again: it was left running, too, and exits when it sees them move.
	unplaced
	onto // is none: the backup is restored onto machines that its nodes are not
	columns
)

// place says where a pod's containers run.
type place int

const (
	nowhere   place = iota
	here            // on the row's node
	stopping        // there, until the grace period of its deletion ends at the latest
	ending          // the same, and that is about now
	perhaps         // on the row's node, if it can start
	elsewhere       // on one of the nodes the scheduler may choose
)

// view says what the API shows.
type view struct {
	of    source
	phase string // "" is the source's own, phaseNow the current snapshot's
}

type source int

const (
	absent source = iota
	asBackup
	asCurrent
	asUnbound // the backup's, which nothing binds
)

const phaseNow = "now"

// What the API shows, as the table has it.
var (
	nothing        = view{}
	backupAsWas    = view{of: asBackup}
	backupPending  = view{asBackup, "Pending"}
	backupRunning  = view{asBackup, "Running"}
	backupFailed   = view{asBackup, "Failed"}
	backupPhaseNow = view{asBackup, phaseNow}
	backupUnbound  = view{asUnbound, "Pending"}
	currentAsIs    = view{of: asCurrent}
)

// noFlags is for a cell without any.
const noFlags flagSet = 0

// effect is one cell of the decision table.
type effect struct {
	outcome  Outcome
	severity Severity
	runs     place
	api      view
	heals    Heals
	flags    flagSet
	doubt    string // sure, or the outcome is only possible, whatever its kubelet does
	reason   string // with the placeholders of particulars
	action   string // actRemedy is the outcome's own
}

// cells are the cases of a row side by side.
type cells [columns]effect

// row is one row of the decision table. Rows of the same rule differ in what the
// pod's restart policy, phase and finalizers make of it.
type row struct {
	rule  Rule
	pods  string // which pods it is for
	cells cells
}

// rowID is a row of the decision table by its name, which is what classify answers.
type rowID uint8

// The names of the rows, in the order of docs/table.md. A row without a name does not compile,
// and a name without a row fails TestEveryRow.
const (
	rowCreated rowID = iota
	rowCreatedExpiring
	rowCreatedDying
	rowCreatedDead
	rowCreatedOnGoneNode
	rowCreatedEnded
	rowCreatedUnbound

	rowDeletedAlways
	rowDeletedOnFailure
	rowDeletedNever
	rowDeletedExpired
	rowDeletedPending
	rowDeletedPendingOnce
	rowDeletedUnbound
	rowDeletedEnded
	rowDeletedOnGoneNode
	rowDeletedOrphaned
	rowDeleting
	rowDeletingHeld
	rowDeletingEnded
	rowDeletingEndedHeld

	rowUnchanged
	rowTouched
	rowStatus
	rowReadiness
	rowRestarts
	rowSpec
	rowResized
	rowResizedDown
	rowResizeUndone
	rowBothEnded
	rowEndedBefore
	rowBothUnbound
	rowKeptOnGoneNode
	rowKeptOrphaned

	rowEndedNever
	rowEndedOnFailure
	rowEvicted
	rowExpired
	rowEndedInBackup

	rowDoomed
	rowStopped
	rowOverdue
	rowHeld
	rowHeldNever
	rowGoing
	rowGoingNever
	rowUnboundDeleting
	rowBothDying
	rowBothDyingEnded
	rowBothDyingDone

	rowBound
	rowBoundPerhapsHere
	rowBoundGone
	rowBoundPerhapsGone
	rowBlocked
	rowBoundHere
	rowBoundEnded
	rowBoundStopped

	rowMirror
	rowMirrorCreated
	rowMirrorNoNode
	rowMirrorDeleted

	rowOntoAlive
	rowOntoCustom
	rowOntoStateful
	rowOntoDaemon
	rowOntoJob
	rowOntoBare
	rowOntoDying
	rowOntoEnded
	rowOntoOrphan
	rowOntoUnbound
	rowOntoUnboundHeld
	rowOntoMirror

	rowUnreadable
	rowContradiction

	rows // how many there are
)

// cell is the row's cell in a column.
func (r rowID) cell(c column) *effect { return &table[r].cells[c] }

// Decision is a row of the decision table, as documentation prints it.
type Decision struct {
	Rule  Rule
	Pods  string             // which pods it is for
	Cases [columns]DecidedAs // by what their kubelet does, in the order of DecisionCases; without an Outcome there is no such case
}

// DecisionCases are what a pod's kubelet may do after the restore.
var DecisionCases = [columns]string{
	deaf:    "deaf (no bump, or one too small)",
	relist:  "relists (bump and mark-compacted)",
	restart: "restarted",
	stale:   "stale cache (API servers left running)",

	unplaced: "relists or is restarted, under API servers left running (bump and mark-compacted)",
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
	list := make([]Decision, len(table))
	for i, r := range table {
		list[i] = Decision{Rule: r.rule, Pods: r.pods}
		for c, e := range r.cells {
			if e.outcome == "" {
				continue
			}
			list[i].Cases[c] = DecidedAs{
				Outcome:  e.outcome,
				Severity: e.severity,
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
