package restore

import (
	"time"

	"revenant/analyzer/clock"
	"revenant/analyzer/finding"
	"revenant/analyzer/lineage"
	"revenant/analyzer/rollback"
	"revenant/analyzer/ties"
	"revenant/decoder/document"
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

	Metrics *Metrics `json:"metrics,omitempty"` // that were given

	Plan       Plan            `json:"plan"`
	Lineage    lineage.Lineage `json:"lineage"`
	Revisions  Revisions       `json:"revisions"`
	Kubernetes Kubernetes      `json:"kubernetes"`
	// APIServers are those of the current state, by name; none where it names none.
	APIServers []APIServerOutcome `json:"apiServers"`
	Pods       []PodOutcome       `json:"pods"`      // one a uid, sorted by key
	Nodes      []NodeOutcome      `json:"nodes"`     // sorted by name
	Workloads  []WorkloadOutcome  `json:"workloads"` // sorted by namespace, kind and name
	Summary    map[Outcome]int    `json:"summary"`
	// Rollback is what else goes back in time: the caller's to fill in, for it does
	// not depend on the plan.
	Rollback *rollback.Rollback `json:"rollback,omitempty"`
	// Ties are what binds a backup to its cluster, and OldCluster what that ran in its
	// newest snapshot: the caller's to fill in, where the plan is for other machines.
	Ties       *ties.Ties  `json:"ties,omitempty"`
	OldCluster *OldCluster `json:"oldCluster,omitempty"`
	Warnings   []string    `json:"warnings"` // what to know beyond single pods
	// Missing is what is known to be missing from the snapshots: that nothing is
	// predicted of a pod may be wrong because the pod is missing. In JSON the evidence has it.
	Missing []Missing `json:"-"`
}

// Tool is the program that made a prediction.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Evidence is a file that a prediction rests on.
type Evidence struct {
	Role            string  `json:"role"` // backup or current
	Path            string  `json:"path"`
	SizeBytes       int64   `json:"sizeBytes"`
	SHA256          *string `json:"sha256"` // nil when it was not computed
	Revision        int64   `json:"revision"`
	CompactRevision int64   `json:"compactRevision"`
	// CompactUnknown says that what would show the compact revision is lost;
	// CompactSeen is then the newest one on any page, 0 for none.
	CompactUnknown bool             `json:"compactUnknown,omitempty"`
	CompactSeen    int64            `json:"compactSeen,omitempty"`
	Integrity      []snapshot.Check `json:"integrity"`
	WAL            *snapshot.WAL    `json:"wal,omitempty"` // of a data directory: what its log added
	// Deltas says what the delta files of a full snapshot added to it.
	Deltas *snapshot.Deltas `json:"deltas,omitempty"`
	// Missing is what is known to be missing from it.
	Missing []snapshot.Missing `json:"missing"`
	// EtcdPrefixes are those below which objects were read, the kube-apiserver's first;
	// none where no object was asked for.
	EtcdPrefixes []string `json:"etcdPrefixes,omitempty"`
	Custody      Custody  `json:"custody"`
}

// Missing is something that is missing from a snapshot.
type Missing struct {
	In In
	snapshot.Missing
}

// Custody says what was examined, by whom and with what, to the last byte.
type Custody struct {
	snapshot.Custody
	Tool      string   `json:"tool"`      // name and version
	Arguments []string `json:"arguments"` // as they were typed
	Case      string   `json:"case,omitempty"`
	Examiner  string   `json:"examiner,omitempty"`
	// Examined says when, RFC 3339. It is there with a case or an examiner only: else
	// one question has one answer, to the byte.
	Examined string `json:"examined,omitempty"`
	// Verified says how it was made sure that the evidence is what it was before.
	Verified string `json:"verified"`
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

	// MinimumSafeBump puts Restored just above what is known to have been served:
	// a LowerBound, enough only if nothing was written after the current snapshot,
	// or ExactForStated. RecommendedBump is 1.5 times what was written since the
	// backup and a million, and above LastSeenAtMost. Where NoBumpFits says why no bump
	// can be enough, both are 0.
	MinimumSafeBump   int64       `json:"minimumSafeBump"`
	MinimumSafeBumpIs BoundKind   `json:"minimumSafeBumpIs"`
	RecommendedBump   int64       `json:"recommendedBump"`
	NoBumpFits        string      `json:"noBumpFits,omitempty"`
	BumpVerdict       BumpVerdict `json:"bumpVerdict"`
	BumpReason        string      `json:"bumpReason"`

	// LastSeenExpected is about the newest revision that any watcher has seen, and
	// LastSeenAtMost bounds it, if what LastSeenBasis says holds.
	LastSeenExpected int64  `json:"lastSeenExpected"`
	LastSeenAtMost   int64  `json:"lastSeenAtMost"`
	LastSeenBasis    string `json:"lastSeenBasis"`

	Deaf *Deaf `json:"deaf"` // nil when no kubelet can be deaf

	// BlindAfter is the current snapshot's time, UTC: what happened between it
	// and the outage is not in the prediction. Nil when it is not known.
	BlindAfter *time.Time `json:"blindAfter"`
	// CurrentTaken bounds when the current snapshot was taken, and Rate is how fast
	// the two snapshots show revisions to be written; nil when nothing shows it.
	CurrentTaken clock.Interval `json:"currentTaken"`
	Rate         *clock.Rate    `json:"revisionsPerSecond"`
}

// BoundKind says what a figure stands for.
type BoundKind string

// The kinds of bounds.
const (
	LowerBound     BoundKind = "lower bound"
	ExactForStated BoundKind = "exact for the stated last revision"
)

// Deaf says how long deaf kubelets stay deaf. What happens meanwhile is lost to
// them for good.
type Deaf struct {
	// UntilRevision is the revision that the restored store must pass before the
	// last kubelet hears again, as far as is known; UntilExpected allows for
	// what was written after the current snapshot.
	UntilRevision int64 `json:"untilRevision"`
	UntilExpected int64 `json:"untilExpected"`
	// Estimate is the time that takes at the measured rates of writes, such as
	// "6m0s to 18m0s"; "" when no rate is known. After a restore less may be
	// written, or much more while controllers replay.
	Estimate    string  `json:"estimate"`
	LowSeconds  float64 `json:"lowSeconds,omitempty"`
	HighSeconds float64 `json:"highSeconds,omitempty"`
	Meanwhile   string  `json:"meanwhile"` // what happens until then
	Ends        string  `json:"ends"`      // what ends it
}

// Where evidence is.
type (
	In  = finding.In
	Ref = finding.Ref
)

// The two snapshots.
const (
	InBackup  = finding.InBackup
	InCurrent = finding.InCurrent
)

// PodOutcome is what becomes of one pod. What predictions have in common is
// shared by them and must not be changed.
type PodOutcome struct {
	*PodIdentity
	*Finding

	Certainty       Certainty `json:"certainty"`
	CertaintyReason string    `json:"certaintyReason"` // and what it assumes
	Flags           []Flag    `json:"flags"`

	// RunsOn are the nodes on which its containers run when the API is back, MayRunOn
	// those of which one may: it may not start, or has been stopped by then, or the
	// scheduler chooses.
	RunsOn   []string `json:"runsOn"`
	MayRunOn []string `json:"mayRunOn,omitempty"`
	// API is what a LIST shows when the API is back; nil when the pod is not in it.
	API *APIView `json:"api"`
	// Through is what each API server shows of it, where they differ; API is what the
	// restarted ones show.
	Through []Through `json:"through,omitempty"`
	// MayBeBoundTo are the nodes of which the scheduler chooses one, and API.Node
	// is "" then. On one of MayRunOn the pod comes to what API says; before it is
	// bound, and on any other node, where nothing starts it, it is Pending.
	MayBeBoundTo []string `json:"mayBeBoundTo,omitempty"`
	// Then is what these claims turn into by themselves, the outcome among them where
	// its kubelet relists its pods; nil when they stay.
	Then *Later `json:"then,omitempty"`
	// DoubleRun says beside what it runs and for how long; nil without the flag
	// double-run.
	DoubleRun *DoubleRun     `json:"doubleRun,omitempty"`
	Ends      *document.Time `json:"ends,omitempty"` // when its grace period ends at the latest, UTC, for one that is being stopped
}

// PodIdentity is what is said of a pod under every plan.
type PodIdentity struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"` // "" when it could not be read
	// Node is where a pod of the current state is bound, and for one that is in
	// the backup only where the restored API has it.
	Node string `json:"node"`
	// Workload is the uid of the workload that it belongs to, "" for none.
	Workload string `json:"workload,omitempty"`
	Rule     Rule   `json:"rule"`
	Evidence []Ref  `json:"evidence"`
}

// Finding is an outcome in words. Pods of which the same is to be said share one.
type Finding struct {
	Outcome  Outcome  `json:"outcome"`
	Severity Severity `json:"severity"`
	Heals    Heals    `json:"heals"`
	Reason   string   `json:"reason"`
	Action   string   `json:"action"`
}

// DoubleRun is a pod or an identity that runs twice at the same time.
type DoubleRun struct {
	With string `json:"with"` // uid of the other pod; its own where one pod runs on two nodes
	// AtMostSeconds bounds how long both run, from what kubelets were seen to do
	// and the grace period; 0 when only Until ends it.
	AtMostSeconds int64  `json:"atMostSeconds,omitempty"`
	Until         string `json:"until"` // what ends it
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
	KubeletRelists   Kubelet = "relists"     // relists its pods
	KubeletRestarted Kubelet = "restarted"   // is restarted, and relists its pods
	KubeletStale     Kubelet = "stale-cache" // is served the erased past by API servers left running
	KubeletGone      Kubelet = "gone"        // there is none: the machine is gone
)

// NodeOutcome is what becomes of a node's kubelet.
type NodeOutcome struct {
	Name      string    `json:"name"`
	Kubelet   Kubelet   `json:"kubelet"`
	Certainty Certainty `json:"certainty"`
	Reason    string    `json:"reason"`
	// ListedBySeconds is how long after the API is back a kubelet that relists its pods has done so at the latest; 0 for others.
	ListedBySeconds int64 `json:"listedBySeconds,omitempty"`
	// Service is the service that its kubelet is part of, and restarted with; "" for others.
	Service string `json:"service,omitempty"`

	Flags    []Flag   `json:"flags"`
	LastSeen LastSeen `json:"lastSeen"`
	Evidence []Ref    `json:"evidence"` // for LastSeen.AtLeast
	Phantoms int      `json:"phantoms"`
	Ghosts   int      `json:"ghosts"`
	// Capacity is nil where no Node object tells what there is.
	Capacity *Capacity `json:"capacity"`
}

// LastSeen bounds the last revision that a kubelet saw before the outage.
type LastSeen struct {
	AtLeast int64 `json:"atLeast"` // 0 when no retained record tells
	// Expected is about the newest revision there was to see.
	Expected int64 `json:"expected"`
	AtMost   int64 `json:"atMost"`
}
