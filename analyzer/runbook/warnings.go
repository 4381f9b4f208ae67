package runbook

import (
	"cmp"
	"fmt"
	"slices"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/keyspace"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// damaged says whether an integrity check of the file failed.
func damaged(e *restore.Evidence) bool {
	return slices.ContainsFunc(e.Integrity, func(c snapshot.Check) bool { return c.Verdict == snapshot.Bad })
}

// warnings say what is wrong with the plan as a whole.
func (b *builder) warnings() []string {
	list := []string{}
	if missing := b.lacking(); len(missing) > 0 {
		list = append(list, restore.MissingText(missing)+" The steps name only what the evidence has.")
	}
	list = append(list, b.repeated()...)
	list = append(list, b.Warnings...)
	list = append(list, b.profile.warnings...)
	warn := func(when bool, format string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	warn(b.noBump && b.Plan != nil && b.bump.Revision > 0, "%s", b.judged(b.atMost))
	warn(b.bump.Verdict == restore.BumpSmall && !b.noBump, "The bump of %d is too small. Watchers may have seen revision %d, and etcd would start at %d. At least %d is needed.",
		b.bump.Revision, b.bump.Base+b.bump.Minimum-1, b.bump.Restored, b.bump.Minimum)
	warn(b.bump.Verdict == restore.NoBump && b.bumps != BumpsNothing, "The plan has no bump. Kubelets stay deaf until they are restarted, and so does everything else that watches.")
	warn(b.refusesBump(), "The restore of %s cannot carry out the plan's bump. The steps and the prediction are for a restore without it.", b.title)
	warn(b.plan.KeepAPIServers && len(b.stopEtcd) == 0 && len(b.stopAPI) > 0, "%s cannot leave API servers running. The steps stop them with etcd, but the prediction is for a restore that does not.", b.title)
	warn(len(b.only) > 0, "The plan restarts only some API servers (%s). These steps restart all of them, and the prediction is for that: each answers for itself, one that is left running goes on listing what etcd has lost, and a controller that is connected to it repairs nothing.", words.First(b.only, listed))
	warn(b.plan.KeepAPIServers, "The plan leaves API servers running. Until they drop their cache, no list of pods shows what etcd holds.")
	if b.plan.KeepAPIServers && b.bump.Verdict != restore.BumpEnough {
		states := []*restore.State{b.Backup.State}
		if b.Current != nil {
			states = []*restore.State{b.Current.State, b.Backup.State}
		}
		fault := restore.FutureWatchers(states...)
		warn(fault != "", "%s", fault)
	}
	warn(b.LastRevision > 0 && b.Current != nil && b.LastRevision < b.Current.State.Served(), "The stated last revision %d is below that of the current snapshot (%d).", b.LastRevision, servedBy(b.Current))
	warn(b.Metrics.Revision() > 0 && b.Current != nil && b.Metrics.Revision() < b.Current.State.Served(), "The newest revision in the metrics is %d (%s), and the current snapshot is at %d: they show nothing of what came after it.", b.Metrics.Revision(), b.Metrics.Text(), servedBy(b.Current))
	if b.prediction != nil {
		l := b.prediction.Lineage
		warn(l.Relation == lineage.Diverged || l.Relation == lineage.Unrelated, "The backup is no earlier state of the current one (%s: %s). What is named below may not be so.", l.Relation, l.Reason)
	}
	warn(b.id == OpenShift && b.Backup.Facts.Topology == "", "Whether cluster-restore.sh bumps is not known: the backup does not show the topology of the control plane. If oc get infrastructure cluster shows controlPlaneTopology: DualReplica, it does not, and these steps are not for this cluster.")
	warn(b.Backup.Facts.Stale, "The etcd of the backup did not store what changed of its members (3.5.1 to 3.5.19 do not): their names and peer URLs may be older than the backup. Compare them with `etcdctl member list`, or with the flags of the members.")
	for _, m := range b.Backup.Facts.Members {
		warn(m.Learner, "Member %s of the backup is a learner, which does not vote: it is left out of the initial cluster. Add it again after the restore.", cmp.Or(m.Name, m.ID))
	}
	for _, a := range b.Backup.Facts.Alarms {
		warn(true, "The backup has the alarm %s of member %s raised: the restored etcd refuses requests until it is disarmed.", a.Kind, a.Member)
	}
	if tokens := b.Backup.Facts.Tokens; len(tokens) > 0 {
		warn(true, "The servers need the token of the backup: their certificates and keys in it are %s.", keyspace.TokenText(tokens...))
	}
	markers := b.Backup.Facts.BumpMarkers
	if n := len(markers); n > 0 {
		warn(true, "The backup comes from a cluster that was restored with a bump before (to revision %d). If it was restored again since this backup was taken, revisions above %d may have been served: look for the newest one, and give it as --last-revision.", markers[n-1], cmp.Or(b.bump.Restored, b.Backup.State.Revision))
	}
	if s := b.Backup.Facts.Suggestion; s != nil {
		warn(b.id != s.Platform && b.Platform == "", "This looks like %s: %s. --platform=%s writes the steps for it.", profileOf(s.Platform).title, s.Because, s.Platform)
		warn(b.id != s.Platform && b.Platform != "", "The steps are for %s, and the backup looks like %s: %s.", b.title, profileOf(s.Platform).title, s.Because)
	}
	return list
}

// repeated warns of the same backup with the same bump, restored again: the store
// would start at a revision that was passed since.
func (b *builder) repeated() (list []string) {
	if b.Comparison == nil {
		if b.plan.BumpRevision > 0 {
			list = append(list, fmt.Sprintf("If you have restored this backup before, with the bump of %d, do not take the same bump again. etcd would start at %d again, below what was served since, and every kubelet would stay deaf. Give the newest state as CURRENT, or a larger --bump-revision.", b.plan.BumpRevision, b.bump.Restored))
		}
		return list
	}
	for _, r := range b.prediction.Lineage.Restores {
		if !r.AfterBackup || r.Bump == 0 {
			continue
		}
		text := fmt.Sprintf("This backup was restored before, with a bump of %d. The same bump would start etcd at %d again, below what was served since, and kubelets would stay deaf.", r.Bump, r.Revision)
		if b.plan.BumpRevision > r.Bump {
			text += fmt.Sprintf(" The steps bump by %d.", b.plan.BumpRevision)
		}
		list = append(list, text)
	}
	return list
}

// servedBy is the newest revision that a snapshot shows; 0 without one.
func servedBy(s *Side) int64 {
	if s == nil {
		return 0
	}
	return s.State.Served()
}

// unknowns are what the snapshots cannot tell.
func (b *builder) unknowns() []string {
	list := []string{
		"Endpoints of the API servers, certificates, and where etcd keeps its data. Fill in the words in capitals.",
		"What was written after the newest snapshot. Pods that came, went or ended then are not named here.",
		"Which kubelets met an HTTP error (401, 403, 5xx) in the outage. Those list again whatever the plan.",
	}
	if b.Comparison == nil {
		list = append(list,
			"How far the cluster went on after the backup. The bump is a guess on the safe side.",
			"Which pods would become phantoms or ghosts, and which nodes came or went. That takes the newest state as CURRENT.",
			"Whether the cluster was restored from this backup before, with the same bump. Then etcd would start below what was served since.",
		)
	}
	if b.prediction != nil && b.prediction.Summary[restore.Unknown] > 0 {
		list = append(list, fmt.Sprintf("What becomes of %s: %s lists them (%s).", words.Count(b.prediction.Summary[restore.Unknown], "pod"), b.predictCommand(), restore.Unknown))
	}
	if _, _, known := b.members(); !known && b.bumps == BumpsDataDirectory {
		list = append(list, "The members of the etcd cluster: the backup does not name them.")
	}
	return list
}

// lacking is what is missing from the snapshots.
func (b *builder) lacking() []restore.Missing {
	if b.prediction != nil {
		return b.prediction.Missing
	}
	var list []restore.Missing
	for _, m := range b.Backup.State.Missing {
		list = append(list, restore.Missing{In: restore.InBackup, Missing: m})
	}
	return list
}
