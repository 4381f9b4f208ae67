package restore

import (
	"time"

	"revenant/decoder/snapshot"
)

// Prediction is what a restore under a plan will do. It marshals to the JSON of
// `revenant predict -o json`; within a schema version, fields are only added.
type Prediction struct {
	SchemaVersion int    `json:"schemaVersion"` // 1
	Kind          string `json:"kind"`          // Prediction

	// Tool and Evidence are the caller's to fill in: predicting knows no files.
	Tool     Tool       `json:"tool"`
	Evidence []Evidence `json:"evidence"`

	Plan      Plan            `json:"plan"`
	Lineage   Lineage         `json:"lineage"`
	Revisions Revisions       `json:"revisions"`
	Pods      []PodOutcome    `json:"pods"`  // one a uid, sorted by key
	Nodes     []NodeOutcome   `json:"nodes"` // sorted by name
	Summary   map[Outcome]int `json:"summary"`
	Warnings  []string        `json:"warnings"` // what to know beyond single pods
}

// Tool is the program that made a prediction.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Evidence is a file that a prediction rests on.
type Evidence struct {
	Role            string           `json:"role"` // backup or current
	Path            string           `json:"path"`
	SizeBytes       int64            `json:"sizeBytes"`
	SHA256          *string          `json:"sha256"` // nil when it was not computed
	Revision        int64            `json:"revision"`
	CompactRevision int64            `json:"compactRevision"`
	Integrity       []snapshot.Check `json:"integrity"`
}

// Relation says how the histories of two snapshots relate.
type Relation string

// The relations.
const (
	Same      Relation = "same"      // at the same revision
	Ancestor  Relation = "ancestor"  // the backup is an earlier state of the current one
	Diverged  Relation = "diverged"  // an earlier restore lies between them
	Unrelated Relation = "unrelated" // two clusters
)

// Lineage is the relation of the two snapshots.
type Lineage struct {
	Relation       Relation `json:"relation"`
	CommonRevision int64    `json:"commonRevision,omitempty"` // the newest one both histories have; 0 unknown
	Reason         string   `json:"reason"`
}

// BumpVerdict says whether a plan's bump is large enough.
type BumpVerdict string

// The verdicts.
const (
	NoBump     BumpVerdict = "none"
	BumpSmall  BumpVerdict = "too-small" // some watcher has seen the restored revision or a later one
	BumpUnsure BumpVerdict = "unsure"    // enough only if little was written after the current snapshot
	BumpEnough BumpVerdict = "enough"
)

// Revisions are the revisions that decide, and the bump that would be safe.
type Revisions struct {
	Backup   int64 `json:"backup"`
	Current  int64 `json:"current"`
	Gap      int64 `json:"gap"`      // Current - Backup
	Restored int64 `json:"restored"` // etcd's revision right after the restore

	// MinimumSafeBump is a lower bound: it is enough only if nothing was written
	// after the current snapshot. RecommendedBump is 1.5 times the gap and a
	// million.
	MinimumSafeBump   int64       `json:"minimumSafeBump"`
	MinimumSafeBumpIs string      `json:"minimumSafeBumpIs"` // lower bound
	RecommendedBump   int64       `json:"recommendedBump"`
	BumpVerdict       BumpVerdict `json:"bumpVerdict"`
	BumpReason        string      `json:"bumpReason"`

	// LastSeenAtMost is the newest revision that any watcher is taken to have
	// seen: the current snapshot's and an allowance for what was written after it.
	LastSeenAtMost int64 `json:"lastSeenAtMost"`

	Deaf *Deaf `json:"deaf"` // nil when no kubelet can be deaf

	// BlindAfter is the current snapshot's time, UTC: what happened between it
	// and the outage is not in the prediction. Nil when it is not known.
	BlindAfter *time.Time `json:"blindAfter"`
}

// Deaf says how long deaf kubelets stay deaf.
type Deaf struct {
	// UntilRevision is the revision that the restored store must pass before the
	// last kubelet hears again. What happens before is lost to it for good.
	UntilRevision int64 `json:"untilRevision"`
	// Estimate is the time that takes at the rate of writes between the two
	// snapshots, such as "18m0s"; "" when that is not known.
	Estimate string `json:"estimate"`
}

// In names one of the two snapshots.
type In string

// The two snapshots.
const (
	InBackup  In = "backup"
	InCurrent In = "current"
)

// Ref points at a record of a snapshot.
type Ref struct {
	Snapshot In     `json:"snapshot"`
	Key      string `json:"key"`
	Revision int64  `json:"revision"`
}

// PodOutcome is what becomes of one pod.
type PodOutcome struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"` // "" when it could not be read
	// Node is where a pod of the current state is bound, and for one that is in
	// the backup only where the restored API has it.
	Node string `json:"node"`

	Outcome         Outcome   `json:"outcome"`
	Severity        Severity  `json:"severity"`
	Certainty       Certainty `json:"certainty"`
	CertaintyReason string    `json:"certaintyReason"` // and what it assumes
	Flags           []Flag    `json:"flags"`
	Rule            Rule      `json:"rule"`
	Reason          string    `json:"reason"`
	Evidence        []Ref     `json:"evidence"`
	Action          string    `json:"action"`

	// RunsOn are the nodes on which its containers run, MayRunOn those of which
	// one may: it may not start, or the scheduler chooses.
	RunsOn   []string `json:"runsOn"`
	MayRunOn []string `json:"mayRunOn,omitempty"`
	// API is what a LIST shows once kubelets that list anew have done so; nil when
	// the pod is not in it.
	API   *APIView   `json:"api"`
	Heals Heals      `json:"heals"`
	Ends  *time.Time `json:"ends,omitempty"` // when its grace period ends at the latest, UTC, for one that is being stopped
}

// APIView is what the API shows of a pod.
type APIView struct {
	Phase       string `json:"phase"`
	Node        string `json:"node"` // "" while unbound, or where the scheduler's choice is not known
	Terminating bool   `json:"terminating"`
}

// Kubelet says what a node's kubelet does after the restore.
type Kubelet string

// What a kubelet does.
const (
	KubeletDeaf      Kubelet = "deaf"        // keeps its watch and hears nothing
	KubeletRelists   Kubelet = "relists"     // lists its pods anew
	KubeletRestarted Kubelet = "restarted"   // is restarted, and lists its pods anew
	KubeletStale     Kubelet = "stale-cache" // is served the erased past by API servers left running
	KubeletGone      Kubelet = "gone"        // there is none: the machine is gone
)

// NodeOutcome is what becomes of a node's kubelet.
type NodeOutcome struct {
	Name      string    `json:"name"`
	Kubelet   Kubelet   `json:"kubelet"`
	Certainty Certainty `json:"certainty"`
	Reason    string    `json:"reason"`
	Flags     []Flag    `json:"flags"`
	LastSeen  LastSeen  `json:"lastSeen"`
	Evidence  []Ref     `json:"evidence"` // for LastSeen.AtLeast
	Phantoms  int       `json:"phantoms"`
	Ghosts    int       `json:"ghosts"`
}

// LastSeen bounds the last revision that a kubelet saw before the outage.
type LastSeen struct {
	AtLeast int64 `json:"atLeast"` // 0 when no retained record tells
	AtMost  int64 `json:"atMost"`
}
