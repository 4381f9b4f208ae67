package runbook

import (
	"fmt"
	"math"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

const (
	// blindBump is the bump where the distance to what was served is not known. It
	// is the one that OpenShift's cluster-etcd-operator falls back to: a thousand
	// writes a second take eleven days for it.
	blindBump = 1_000_000_000
	// bumpMargin is added to one and a half times what was written since the backup,
	// as in restore's recommendation.
	bumpMargin = 1_000_000
)

// Bump is the distance by which the restored store is put ahead.
type Bump struct {
	Revision int64  `json:"revision"` // what --bump-revision adds; 0 is no bump
	Base     int64  `json:"base"`     // the backup's newest record, which it is added to
	Restored int64  `json:"restored"` // etcd's revision right after the restore; 0 when not known
	Reason   string `json:"reason"`
	// Minimum is the smallest bump that passes all that is known to have been
	// served, 0 when nothing is known beyond the backup. IsLowerBound says that
	// more may have been served.
	Minimum      int64               `json:"minimum"`
	IsLowerBound bool                `json:"isLowerBound"`
	Verdict      restore.BumpVerdict `json:"verdict"`
}

// predict settles the plan and the bump, and predicts what comes of it.
func (b *builder) predict() error {
	b.bump = Bump{Base: b.Backup.State.NewestRecord, IsLowerBound: b.LastRevision == 0}
	known := max(b.LastRevision, b.Metrics.Revision())
	b.atMost = known
	if b.Comparison != nil {
		p, err := b.Comparison.Predict(b.outage(restore.Plan{}))
		if err != nil {
			return err
		}
		known = max(known, b.Comparison.Served())
		b.atMost = max(known, p.Revisions.LastSeenAtMost)
		b.bump.Revision = p.Revisions.RecommendedBump
	} else {
		b.bump.Revision = blindBump
	}
	if b.Plan != nil && len(b.Plan.RestartAPIServers) > 0 {
		all := *b.Plan
		b.only, all.KeepAPIServers, all.RestartAPIServers = all.RestartAPIServers, false, nil
		b.Plan = &all
	}
	minimum, fits := restore.NeededBump(b.bump.Base, known, b.Plan != nil && b.Plan.KeepAPIServers || b.Plan == nil && b.keepsAPI)
	if b.noBump = !fits && known > 0; fits && known > 0 {
		b.bump.Minimum = minimum
	}
	b.bump.Revision = max(b.bump.Revision, withMargin(known-b.bump.Base), b.atMost-b.bump.Base+2)
	if fits {
		b.bump.Revision = min(b.bump.Revision, restore.LargestBump(b.bump.Base))
	}
	b.plan = restore.Plan{BumpRevision: b.bump.Revision, MarkCompacted: true}
	switch {
	case b.Plan != nil:
		b.plan = *b.Plan
		if b.bumps == BumpsNothing { // no bump comes of it
			b.plan.BumpRevision, b.plan.MarkCompacted = 0, false
		}
	case b.bumps == BumpsNothing || b.noBump:
		b.plan = restore.Plan{RestartKubelets: restore.Restart{All: true}}
	}
	if b.Comparison != nil {
		b.plan = b.withServers(b.outage(b.plan))
	}
	if err := b.settle(); err != nil {
		return err
	}
	b.bump.Reason = b.bumpReason(known)
	return nil
}

// outage is a plan with what is stated beyond the snapshots.
func (b *builder) outage(p restore.Plan) restore.Plan {
	p.LastRevision, p.OutageAt, p.Outage, p.KubernetesVersion = b.LastRevision, b.OutageAt, b.Outage, b.KubernetesVersion
	return p
}

// settle predicts under the plan, or for a backup alone checks it.
func (b *builder) settle() error {
	b.bump.Revision = b.plan.BumpRevision
	if b.bump.Revision > math.MaxInt64-b.bump.Base {
		return &restore.PlanError{
			What: fmt.Sprintf("no bump of %d fits: the backup is at revision %d, and revisions end at %d", b.bump.Revision, b.bump.Base, int64(math.MaxInt64)),
			Why:  "no cluster gets there by writing: is this backup what it is taken for?",
		}
	}
	b.bump.Restored = b.Backup.State.Revision
	switch {
	case b.recounts:
		b.bump.Restored = 0
	case b.bump.Revision > 0:
		b.bump.Restored = max(b.bump.Base+b.bump.Revision, b.Backup.State.CompactRevision)
	}
	if b.Comparison == nil {
		b.bump.Verdict = b.blindVerdict()
		return b.plan.Validate()
	}
	p, err := b.Comparison.Predict(b.plan)
	if err != nil {
		return err
	}
	b.prediction = p
	b.bump.Verdict = p.Revisions.BumpVerdict
	if b.bump.Revision > 0 && (b.noBump || b.bump.Revision < b.bump.Minimum) {
		b.bump.Verdict = restore.BumpSmall
	}
	return nil
}

// blindVerdict judges a bump without a current snapshot: enough it is at most for
// what was stated.
func (b *builder) blindVerdict() restore.BumpVerdict {
	switch {
	case b.bump.Revision == 0:
		return restore.NoBump
	case b.noBump || b.bump.Revision < b.bump.Minimum:
		return restore.BumpSmall
	case b.LastRevision > 0:
		return restore.BumpEnough
	}
	return restore.BumpUnsure
}

// withMargin is one and a half times what was written, and a million.
func withMargin(written int64) int64 {
	written = max(written, 0)
	if written > (math.MaxInt64-bumpMargin)/3*2 {
		return math.MaxInt64
	}
	return written + written/2 + bumpMargin
}

// bumpReason says in a sentence or two why the bump is what it is.
func (b *builder) bumpReason(known int64) string {
	reason := b.whyThisBump(known)
	if b.recounts {
		reason += " etcd starts near the number of keys, not at the backup's revision."
	}
	return reason
}

// refusesBump says whether the plan has a bump that the platform cannot be given.
func (b *builder) refusesBump() bool {
	return b.Plan != nil && b.Plan.BumpRevision > 0 && b.bumps == BumpsNothing
}

func (b *builder) whyThisBump(known int64) string {
	switch {
	case b.noBump && b.Plan == nil:
		return restore.NoBumpFits(max(known, b.bump.Base))
	case b.refusesBump():
		return fmt.Sprintf("The restore of %s cannot carry out the plan's bump of %d: kubelets that have seen later revisions stay deaf until they are restarted.", b.title, b.Plan.BumpRevision)
	case b.bump.Revision == 0 && b.bumps == BumpsNothing && b.Plan == nil:
		return "The restore of " + b.title + " cannot bump. All kubelets are restarted instead."
	case b.bump.Revision == 0:
		return "The plan has no bump. Kubelets that have seen later revisions stay deaf until they are restarted."
	case b.bumps == BumpsItself && b.Plan == nil:
		return fmt.Sprintf("%s computes the bump itself. It must be at least %d; the steps are written for %d.", b.title, max(b.bump.Minimum, 1), b.bump.Revision)
	case b.Plan != nil:
		return "Given by the plan. " + b.judged(known)
	case b.Comparison == nil && known > 0:
		return fmt.Sprintf("%s. The bump is far above that, to cover what was written later.", words.Capital(b.servedText(known)))
	case b.Comparison == nil:
		return "Nothing shows what was served after the backup. The bump covers a thousand writes a second for eleven days."
	}
	return fmt.Sprintf("%s, %d after the backup. Bump = 1.5 x %s + 1,000,000 margin, for what was written later.", words.Capital(b.servedText(known)), known-b.bump.Base, words.Number(known-b.bump.Base))
}

func (b *builder) judged(known int64) string {
	switch {
	case b.noBump:
		return restore.NoBumpFits(known)
	case b.bump.Verdict == restore.BumpSmall:
		return fmt.Sprintf("It is too small: %s, and the store starts at %d.", b.servedText(known), b.bump.Restored)
	case b.bump.Verdict == restore.BumpEnough:
		return fmt.Sprintf("It is enough for what is known: %s.", b.servedText(known))
	}
	return "Whether it is enough is not known."
}

// servedText says that a revision was served, as far as that is known.
func (b *builder) servedText(revision int64) string {
	switch {
	case b.Comparison != nil && revision != b.LastRevision:
		return b.Comparison.ServedText(revision)
	case revision == b.Metrics.Revision():
		return fmt.Sprintf("revision %d was reached (%s)", revision, b.Metrics.Text())
	}
	return fmt.Sprintf("revision %d was served", revision)
}
